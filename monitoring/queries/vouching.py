"""The vouching ledger: every household of the roster with its state and why; the rules are `monitoring.vouching`'s.

Each question takes what people did since the run (`monitoring.vouching.live.Live`) and joins it to the run's facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.vouching.live import Live, Of
from monitoring.vouching.stating import NOBODY, STATES, stated
from monitoring.warehouse import Warehouse


def ready(warehouse: Warehouse) -> bool:
    """Whether the run has a ledger: one that an older version published has none."""
    return bool(warehouse.rows("select 1 from duckdb_tables() where table_name = 'vouching'"))


def asked_of(warehouse: Warehouse) -> Of:
    """The run's period and limits, for reading what people did."""
    return Of(**warehouse.row(
        """select period, run_id as run, as_of, visit_days, help_months from run cross join vouching_setting"""
    ))  # fmt: skip


@dataclass(frozen=True)
class Totals:
    """Households of the scope, and how many of them in each state."""

    households: int
    of: dict[str, int]

    @property
    def nobody(self) -> int:
        return self.of[NOBODY]

    @property
    def vouched(self) -> int:
        """Households in any other state than nobody's."""
        return self.households - self.nobody


def totals(warehouse: Warehouse, scope: Scope, live: Live) -> Totals:
    """All households of the scope by state."""
    return _totals(warehouse, scope, live)


@lru_cache(maxsize=64)  # neither a published file nor what was read at one time changes
def _totals(warehouse: Warehouse, scope: Scope, live: Live) -> Totals:
    with_, params = stated(live)
    where = scope.limit()
    rows = warehouse.rows(
        f"with {with_} select state, count(*) as n from stated {where.where} group by state", {**params, **where.params}
    )
    counted = dict.fromkeys(STATES, 0) | {row["state"]: int(row["n"]) for row in rows}
    return Totals(sum(counted.values()), counted)


def by_place(warehouse: Warehouse, scope: Scope, live: Live) -> pl.DataFrame:
    """One row is a township (a village where one township or village is shown): place, township, village, households and how
    many in each state; those of an unknown place have a place of None. Those who need somebody come first."""
    return _by_place(warehouse, scope, live)


@lru_cache(maxsize=64)
def _by_place(warehouse: Warehouse, scope: Scope, live: Live) -> pl.DataFrame:
    place = "village" if places_are_villages(scope) else "township"
    with_, params = stated(live)
    where = scope.limit()
    counts = ", ".join(f"count(*) filter (state = '{state}') as {state}" for state in STATES)
    village = "village" if place == "village" else "null::VARCHAR"
    return warehouse.frame(
        f"""with {with_} select {place} as place, township, {village} as village, count(*) as households, {counts}
            from stated {where.where} group by all order by nobody desc, open desc, township, village""",
        {**params, **where.params},
    )


def places_are_villages(scope: Scope) -> bool:
    """Whether a scope is shown village by village."""
    alone = {township for township, village in scope.allowed or () if village is not None}
    return scope.villages is not None or (scope.townships is not None and len(scope.townships) == 1) or bool(alone)


def ledger(
    warehouse: Warehouse,
    scope: Scope,
    live: Live,
    state: str | None,
    search: str = "",
    feed: str | None = None,
    page: int = 1,
    size: int = 50,
) -> tuple[pl.DataFrame, int]:
    """Households in a state (None: all), village by village, and how many in all.

    `search`: part of the head's name or the beginning of the household's number; `feed`: only where this source is missing or late.
    Columns: household_key, household_id, name, township, village, state, and what it rests on (`_RESTS_ON`).
    """
    with_, params = stated(live)
    where = Filter()
    if state is not None:
        where.add("s.state = $state", state=state)
    if search.strip():
        where.add("contains(p.name, $search) or starts_with(s.household_id, $search)", search=search.strip())
    if feed:
        where.add("list_contains(s.late, $feed)", feed=feed)
    where = scope.limit(where, "s")
    named = "join person_snapshot p on p.person_id = s.head_person_id" if search.strip() else ""
    frame = warehouse.frame(
        f"""with {with_},
            picked as (select s.*, count(*) over () as total from stated s {named} {where.where}
                       order by s.township, s.village, s.household_key limit $size offset $skip)
            select {_shown(scope)}, s.total from picked s left join person_snapshot p on p.person_id = s.head_person_id
            order by s.township, s.village, s.household_key""",
        {**params, **where.params, "size": size, "skip": size * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0


def of_household(warehouse: Warehouse, scope: Scope, live: Live, household_key: int) -> dict[str, Any] | None:
    """One household's row of the ledger; None where it is not in the roster or not in the scope."""
    with_, params = stated(live)
    where = scope.limit(Filter().add("s.household_key = $key", key=household_key), "s")
    found = warehouse.rows(
        f"""with {with_} select {_shown(scope)}
            from stated s left join person_snapshot p on p.person_id = s.head_person_id {where.where}""",
        {**params, **where.params},
    )
    return found[0] if found else None


_RESTS_ON = (
    "alerts", "due", "open_request", "signals", "help", "help_kinds", "help_late", "seen_date", "seen_by", "needs",
    "blind_rules", "unknown_rules", "late",
)  # fmt: skip


def _shown(scope: Scope) -> str:
    by = "case when s.seen_by is not null then left(s.seen_by, 1) || '**' end" if scope.masked else "s.seen_by"
    rests = ", ".join(f"{by} as seen_by" if name == "seen_by" else f"s.{name}" for name in _RESTS_ON)
    return f"""s.household_key, {scope.household("s.household_id")} as household_id, {scope.name("p.name")} as name, s.township,
               s.village, s.registered, s.state, {rests}"""


def unjudged(warehouse: Warehouse, scope: Scope, keys: list[int]) -> dict[int, list[dict[str, Any]]]:
    """Of some households the rules that could not be judged and that clearing needs: household -> rule, its titles and what is
    missing (columns of the rule's own subject)."""
    where = scope.limit(Filter().add("u.household_key in (select unnest($keys::BIGINT[]))", keys=keys), "u")
    found = warehouse.rows(
        f"""with told as (select u.household_key, k.subject, unnest(k.rules) as rule, k.missing
                          from unjudged u join unjudged_kind k using (kind) {where.where} and u.living)
            select t.household_key, t.rule, any_value(r.title_zh) as title_zh, any_value(r.title_en) as title_en, t.subject,
                   list_sort(list_distinct(flatten(list(list_intersect(t.missing, string_split(r.inputs, ',')))))) as missing
            from told t join rule r using (rule) cross join vouching_setting s
            where list_contains(s.kinds, r.kind) and t.rule not in (select rule from vouching_exempt)
            group by t.household_key, t.rule, t.subject order by t.household_key, t.rule""",
        where.params,
    )
    of: dict[int, list[dict[str, Any]]] = {}
    for row in found:
        of.setdefault(row["household_key"], []).append(row)
    return of


def outside(warehouse: Warehouse) -> dict[str, int]:
    """Who is in no row of the ledger, and why: households without a living member, and rows whose person waits for a decision."""
    return warehouse.row(
        """select (select count(*) from household) as households, (select count(*) from vouching) as roster,
                  (select count(*) from household anti join vouching using (household_key)) as without_living,
                  (select count(*) from link_review) as undecided"""
    )


def late_feeds(warehouse: Warehouse, scope: Scope) -> list[dict[str, Any]]:
    """Sources that are missing or late somewhere in the scope: feed, townships (how many), households there, oldest (the oldest last
    delivery), never (a township from which, or a source of the county that, nothing ever came), months, clause, unplaced (households
    whose township is not known: of a source that comes by township nobody can say whether theirs came)."""
    where = scope.limit_townships(Filter().add("late"))
    return warehouse.rows(
        f"""select f.feed, count(f.township) as townships, sum(v.households)::BIGINT as households, min(f.last_period) as oldest,
                   coalesce(bool_or(f.last_period is null) filter (f.township is not null or not f.by_township), false) as never,
                   coalesce(sum(v.households) filter (f.township is null and f.by_township), 0)::BIGINT as unplaced,
                   any_value(f.months) as months, any_value(f.clause) as clause
            from (from vouching_feed {where.where}) f join (select township, count(*) as households from vouching group by township) v
                on v.township is not distinct from f.township
            group by f.feed order by households desc, f.feed""",
        where.params,
    )
