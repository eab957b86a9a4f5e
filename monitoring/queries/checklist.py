"""The checklist's counts and lists; `monitoring.checklist` has the sets, a run has evaluated them (`checklist_member`).

What people did since the run covers members beside the files (`Set.live`), and set 17 is theirs alone. In a township whose
source of a set's members is missing or late nobody knows who the members are: all who live there and are not known as
members are `blind`, so that a source that falls silent never makes a set look smaller or better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.checklist import COVERED, LIVE, MISSING, SETS, UNKNOWN
from monitoring.queries.vouching import places_are_villages, ready
from monitoring.vouching.live import NOT_DUE, NOTHING, Live
from monitoring.vouching.stating import did
from monitoring.warehouse import Warehouse

STATES = {"covered": COVERED, "missing": MISSING, "unknown": UNKNOWN}
FROM_STORE, EVERYBODY = 17, 18  # the sets without a SELECT of their own
_COUNTED = ("members", *STATES, "blind", "not_due")


def checklist(warehouse: Warehouse, scope: Scope, live: Live = NOTHING) -> pl.DataFrame:
    """One row is a set: number, members (= covered + missing + unknown), blind (who lives where nobody knows the members),
    not_due (17: alerts whose limit has not come), as_of (oldest period among its sources; None: one has no file at all),
    no_data (True: nothing can be said, the counts are 0)."""
    ages = _oldest_source(warehouse, scope)
    counted = {row["number"]: row for row in counts(warehouse, scope, live, ()).to_dicts()}
    rows = []
    for item in SETS:
        as_of = min((ages.get(feed, 0) for feed in item.feeds), default=0)
        silent = live is NOTHING if item.number == FROM_STORE else as_of == 0 or not ready(warehouse)
        found = {} if silent else counted.get(item.number, {})
        rows.append(
            {
                "number": item.number,
                **{name: found.get(name, 0) for name in _COUNTED},
                "as_of": as_of or None,
                "no_data": silent,
            }
        )
    return pl.DataFrame(rows, schema_overrides={"as_of": pl.Int64})


def at_most(row: Mapping[str, Any]) -> tuple[int, int]:
    """The greatest share of a set that can be covered: all whom nobody can tell of taken as covered members."""
    open_ = int(row["unknown"]) + int(row["blind"])
    return int(row["covered"]) + open_, int(row["members"]) + int(row["blind"])


def by_place(warehouse: Warehouse, scope: Scope, number: int, live: Live = NOTHING) -> pl.DataFrame:
    """One row is a township (a village where one township is shown): place, township, village and the counts of `checklist`."""
    by = ("township", "village") if places_are_villages(scope) else ("township",)
    found = counts(warehouse, scope, live, by, number)
    village = pl.col("village") if len(by) == 2 else pl.lit(None, pl.String)
    return found.with_columns(place=by[-1], village=village).sort("missing", "unknown", "blind", "township", "village", descending=[True, True, True, False, False])  # fmt: skip


def counts(
    warehouse: Warehouse, scope: Scope, live: Live, by: Sequence[str], number: int | None = None
) -> pl.DataFrame:
    """Every set's counts (or one set's) for each place of `by`: (), township, or township and village."""
    if not ready(warehouse):
        return pl.DataFrame(
            schema={"number": pl.Int64, **dict.fromkeys(by, pl.String), **dict.fromkeys(_COUNTED, pl.Int64)}
        )
    with_, params = _tally(live)
    places = scope.limit()
    of_people = scope.limit(table="p").where
    wanted = f'where "set" = {number:d}' if number is not None else ""
    groups = "".join(f", {column}" for column in by)
    return warehouse.frame(
        f"""with {with_},
            placed as (
                select "set", township, village, coalesce(sum(n) filter (how <> '{NOT_DUE}'), 0)::BIGINT as members, {_by_state()},
                       coalesce(sum(n) filter (how = '{NOT_DUE}'), 0)::BIGINT as not_due
                from (from tally {wanted}) {places.where} group by all),
            late as (select distinct o."set", o.unit, f.township from (values {_of()}) as o("set", unit, feed)
                     join vouching_feed f on f.feed = o.feed and f.late {wanted.replace('"set"', 'o."set"')}),
            lives as (select l."set", p.township, p.village, case l.unit when 'household' then p.households else p.persons end as n
                      from late l join roster_place p on p.township is not distinct from l.township {of_people}),
            every as (
                select coalesce(m."set", l."set") as "set", coalesce(m.township, l.township) as township,
                       coalesce(m.village, l.village) as village, m.* exclude ("set", township, village),
                       greatest(coalesce(l.n, 0) - coalesce(m.members, 0), 0) as blind
                from placed m full join lives l on l."set" = m."set" and l.township is not distinct from m.township
                    and l.village is not distinct from m.village)
            select "set" as number{groups}, {", ".join(f"coalesce(sum({name}), 0)::BIGINT as {name}" for name in _COUNTED)}
            from every group by all order by number{groups}""",
        {**params, **places.params},
    )


def members(
    warehouse: Warehouse, scope: Scope, number: int, state: str, page: int = 1, size: int = 50, live: Live = NOTHING
) -> tuple[pl.DataFrame, int]:
    """Who stands in one state of a set: household_key, household_id, name, township, village, how; and how many in all. Of
    set 17 nobody: its alerts are listed by the case store."""
    if not ready(warehouse) or number == FROM_STORE:
        return pl.DataFrame(), 0
    with_, params = _members(live, number)
    where = scope.limit(Filter().add("t.how in (select unnest($states::VARCHAR[]))", states=list(STATES[state])), "t")
    frame = warehouse.frame(
        f"""with {with_}
            select t.household_key, {scope.household("h.household_id")} as household_id, {scope.name("p.name")} as name,
                   t.township, t.village, t.how, count(*) over () as total
            from member t
            left join household h on h.household_key = t.household_key
            left join person_snapshot p on p.person_id = t.person_id
            {where.where} order by t.township, t.village, t.household_key, t.person_id limit $size offset $skip""",
        {**params, **where.params, "size": size, "skip": size * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0


def _did(live: Live) -> tuple[str, dict[str, Any]]:
    """Common table expressions: `did_key`, what was done for a household; `changed`, the members whom that covers now."""
    with_, params = did(live)
    takes = {what: ", ".join(str(item.number) for item in SETS if what in item.live) or "-1" for what in LIVE}
    whens = " ".join(f"""when d.{what} and m."set" in ({takes[what]}) then '{how}'""" for what, how in LIVE.items())
    return (
        f"""{with_},
did_key as (
    select v.household_key, c.household_id is not null as decision, h.household_id is not null as help,
           coalesce(w.day > r.as_of - to_days(s.visit_days), false) as visit, a.household_id is not null as answer
    from (select household_id from did_decide union select household_id from did_help union select household_id from did_visit
          union select household_id from did_answer) k
    join vouching v using (household_id) cross join run r cross join vouching_setting s
    left join did_decide c using (household_id) left join did_help h using (household_id)
    left join did_visit w using (household_id) left join did_answer a using (household_id)),
changed as (
    select * from (select m.*, case {whens} end as now from checklist_member m join did_key d using (household_key)
                   where m.how not in ({_quoted(COVERED)})) where now is not null)""",
        params,
    )


def _tally(live: Live) -> tuple[str, dict[str, Any]]:
    """Common table expressions, the last of which is `tally`: how many stand how, by set and village, as it is now. Of set 16
    one a village, by its worst."""
    with_, params = _did(live)
    return (
        f"""{with_},
each_tally as (
    select "set", township, village, how, sum(n) as n from (
        from checklist_place
        union all select "set", township, village, how, -1 from changed
        union all select "set", township, village, now, 1 from changed) group by all having sum(n) > 0),
tally as (
    from each_tally where "set" <> 16
    union all select "set", township, village, {_worst()}, 1 from each_tally where "set" = 16 group by "set", township, village
    union all select 15, township, village, how, 1 from did_clue
    union all select {FROM_STORE}, township, village, how, n from did_verify)""",
        params,
    )


def _members(live: Live, number: int) -> tuple[str, dict[str, Any]]:
    """Common table expressions, the last of which is `member`: every member of a set as it stands now; of set 16 a village."""
    with_, params = _did(live)
    if number == EVERYBODY:
        member = """select household_key, head_person_id as person_id, township, village,
            case when unknown_rules = 0 then '各项规则均已判断' else '有规则不能判断' end as how from vouching"""
        return f"{with_}, member as ({member})", params
    each = f"""select m.household_key, m.person_id, m.township, m.village, coalesce(c.now, m.how) as how
        from (from checklist_member where "set" = {number:d}) m
        left join (select distinct household_key, person_id, how, now from changed where "set" = {number:d}) c
            on c.household_key = m.household_key and c.person_id is not distinct from m.person_id and c.how = m.how"""
    if number == 16:
        each = f"""select null::BIGINT as household_key, null::BIGINT as person_id, township, village, {_worst()} as how
            from ({each}) group by township, village"""
    if number == 15:
        each += """ union all select v.household_key, v.head_person_id, c.township, c.village, c.how
            from did_clue c left join vouching v using (household_id)"""
    return f"{with_}, member as ({each})", params


def _worst() -> str:
    """SQL: a village by the worst of its visits."""
    return f"""case when bool_or(how in ({_quoted(MISSING)})) then '未走访'
        when bool_or(how in ({_quoted(UNKNOWN)})) then '情况不明' else '已走访' end"""


def _of() -> str:
    """Rows (set, unit, feed) of the sources that say who a set's members are."""
    return ", ".join(f"({item.number}, '{item.unit}', '{feed}')" for item in SETS if item.unit in ("household", "person") for feed in item.of)  # fmt: skip


def _by_state() -> str:
    return ", ".join(
        f"coalesce(sum(n) filter (how in ({_quoted(hows)})), 0)::BIGINT as {state}" for state, hows in STATES.items()
    )


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join(f"'{text}'" for text in texts)


def _oldest_source(warehouse: Warehouse, scope: Scope) -> dict[str, int]:
    """Feed -> its latest period in the scope (yyyymm): by township where the feed has one; absent: no file."""
    places = scope.limit_townships()
    county = {
        row["feed"]: row["last_period"]
        for row in warehouse.rows("select feed, last_period from feed_snapshot where last_period is not null")
    }
    if scope.whole_county:
        return county
    local = warehouse.rows(
        f"select feed, min(last_period) as last_period from feed_township {places.where} group by feed", places.params
    )
    return county | {row["feed"]: row["last_period"] for row in local if row["last_period"] is not None}
