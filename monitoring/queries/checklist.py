"""The checklist's counts and lists; `monitoring.checklist` has the sets, a run has evaluated them (`checklist_member`).

What people did since the run covers members beside the files (`Set.live`), and set 17 is theirs alone. In a township whose
source of a set's members is missing or late nobody knows who the members are: all who live there and are not known as
members are `blind`, so that a source that falls silent never makes a set look smaller or better.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        rows.append({"number": item.number, **{name: found.get(name, 0) for name in _COUNTED}, "as_of": as_of or None, "no_data": silent})
    return pl.DataFrame(rows, schema_overrides={"as_of": pl.Int64})


def by_place(warehouse: Warehouse, scope: Scope, number: int, live: Live = NOTHING) -> pl.DataFrame:
    """One row is a township (a village where one township is shown): place, township, village and the counts of `checklist`."""
    by = ("township", "village") if places_are_villages(scope) else ("township",)
    found = counts(warehouse, scope, live, by, number)
    village = pl.col("village") if len(by) == 2 else pl.lit(None, pl.String)
    return found.with_columns(place=by[-1], village=village).sort("missing", "unknown", "blind", "township", "village", descending=[True, True, True, False, False])  # fmt: skip


def counts(warehouse: Warehouse, scope: Scope, live: Live, by: Sequence[str], number: int | None = None) -> pl.DataFrame:
    """Every set's counts (or one set's) for each place of `by`: (), township, or township and village."""
    if not ready(warehouse):
        return pl.DataFrame(schema={"number": pl.Int64, **dict.fromkeys(by, pl.String), **dict.fromkeys(_COUNTED, pl.Int64)})
    with_, params = _members(live)
    places = scope.limit()
    wanted = f'where "set" = {number:d}' if number is not None else ""
    groups = "".join(f", {column}" for column in by)
    found = warehouse.frame(
        f"""with {with_},
            placed as (
                select "set", township, village, count(*) filter (how <> '{NOT_DUE}') as members, {_by_state()},
                       count(*) filter (how = '{NOT_DUE}') as not_due
                from (select "set", township, village, how from member {wanted}) {places.where} group by all),
            late as (select distinct o."set", o.unit, f.township from (values {_of()}) as o("set", unit, feed)
                     join vouching_feed f on f.feed = o.feed and f.late {wanted.replace('"set"', 'o."set"')}),
            lives as (select l."set", p.township, p.village, case l.unit when 'household' then p.households else p.persons end as n
                      from late l join roster_place p on p.township is not distinct from l.township {places.where.replace("township", "p.township").replace("village", "p.village")}),
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
    return found if number != FROM_STORE else found.filter(pl.col("number") == number)


def members(
    warehouse: Warehouse, scope: Scope, number: int, state: str, page: int = 1, size: int = 50, live: Live = NOTHING
) -> tuple[pl.DataFrame, int]:
    """Who stands in one state of a set: household_key, household_id, name, township, village, how; and how many in all. Of
    set 17 nobody: its alerts are listed by the case store."""
    if not ready(warehouse) or number == FROM_STORE:
        return pl.DataFrame(), 0
    with_, params = _members(live)
    where = scope.limit(Filter().add('t."set" = $number and t.how in (select unnest($states::VARCHAR[]))',
                                     number=number, states=list(STATES[state])), "t")  # fmt: skip
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


def guarantee(warehouse: Warehouse, scope: Scope) -> dict[str, int]:
    """Households in any of the sets 1 to 17, by the run's files alone: all of them, and by their worst state: missing in one
    set counts as missing, else unknown in one as unknown, else covered."""
    if not ready(warehouse):
        return dict.fromkeys(("members", *STATES), 0)
    places = scope.limit(Filter().add("household_key is not null"))
    row = warehouse.row(
        f"""with worst as (select household_key, max(case when how in (select unnest($missing)) then 2
                                  when how in (select unnest($unknown)) then 1 else 0 end) as state
                           from checklist_member {places.where} group by household_key)
            select count(*) as members, count(*) filter (state = 0) as covered, count(*) filter (state = 2) as missing,
                   count(*) filter (state = 1) as unknown from worst""",
        {**places.params, "missing": list(MISSING), "unknown": list(UNKNOWN)},
    )
    return dict(row)


def _members(live: Live) -> tuple[str, dict[str, Any]]:
    """Common table expressions, the last of which is `member`: every member of every set as it stands now. Of set 16 one row a
    village, by its worst; of set 17 one an alert, without who."""
    with_, params = did(live)
    takes = {
        what: ", ".join(str(item.number) for item in SETS if what in item.live) or "-1" for what in LIVE
    }
    covered = f"m.how in ({_quoted(COVERED)})"
    whens = " ".join(f"""when d.{what} and m."set" in ({takes[what]}) then '{how}'""" for what, how in LIVE.items())
    now = f"case when {covered} or d.household_key is null then m.how {whens} else m.how end"
    return f"""{with_},
did_key as (
    select v.household_key, c.household_id is not null as decision, h.household_id is not null as help,
           coalesce(w.day > r.as_of - to_days(s.visit_days), false) as visit, a.household_id is not null as answer
    from (select household_id from did_decide union select household_id from did_help union select household_id from did_visit
          union select household_id from did_answer) k
    join vouching v using (household_id) cross join run r cross join vouching_setting s
    left join did_decide c using (household_id) left join did_help h using (household_id)
    left join did_visit w using (household_id) left join did_answer a using (household_id)),
each_member as (
    select m."set", m.household_key, m.person_id, m.township, m.village, {now} as how
    from checklist_member m left join did_key d on d.household_key = m.household_key),
member as (
    from each_member where "set" <> 16
    union all
    select "set", null::BIGINT, null::BIGINT, township, village,
           case when bool_or(how in ({_quoted(MISSING)})) then '未走访'
                when bool_or(how in ({_quoted(UNKNOWN)})) then '情况不明' else '已走访' end
    from each_member where "set" = 16 group by "set", township, village
    union all
    select 15, v.household_key, v.head_person_id, c.township, c.village, c.how from did_clue c left join vouching v using (household_id)
    union all
    select {FROM_STORE}, null, null, township, village, how from did_verify, range(n)
    union all
    select {EVERYBODY}, household_key, head_person_id, township, village,
           case when unknown_rules = 0 then '各项规则均已判断' else '有规则不能判断' end from vouching)""", params


def _of() -> str:
    """Rows (set, unit, feed) of the sources that say who a set's members are."""
    return ", ".join(f"({item.number}, '{item.unit}', '{feed}')" for item in SETS if item.unit in ("household", "person") for feed in item.of)  # fmt: skip


def _by_state() -> str:
    return ", ".join(f"count(*) filter (how in ({_quoted(hows)})) as {state}" for state, hows in STATES.items())


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


