"""What could not be judged: by rule and place, against the last period, and of whom for want of what.

An outcome counts as judged only if it can be trusted: a hit, or a clear outcome in a township where no source that the rule
reads is missing or late. So a source that falls silent shows here even where the rule counts its absence as "none".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.queries.vouching import places_are_villages
from monitoring.warehouse import Warehouse

_OUTCOME = """
    late as (select distinct r.rule, f.township from rule_feed r join vouching_feed f using (feed) where f.late),
    wanted as (select distinct rule, kind, title_zh, title_en, rule in (select rule from vouching_exempt) as exempt
               from rule cross join vouching_setting where list_contains(kinds, kind) and subject in ('household', 'person')),
    outcome as (select o.*, o.unknown + case when l.rule is null then 0 else o.clear end as blind
                from rule_outcome o semi join wanted using (rule)
                left join late l on l.rule = o.rule and l.township is not distinct from o.township)"""


def blindness(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a rule and a place (township; village where one township is shown): rule, title_zh, title_en, exempt, place,
    judged (subjects), blind (of them nobody could judge), of_rule and of_place (their shares over the scope, 0-1). Rules and
    places that are seen through wholly are left out; the worst first."""
    column = "village" if places_are_villages(scope) else "township"
    places = scope.limit()
    return warehouse.frame(
        f"""with {_OUTCOME},
            cell as (select rule, {column} as place, sum(judged)::BIGINT as judged, sum(blind)::BIGINT as blind
                     from outcome {places.where} group by all),
            shares as (select *, sum(blind) over (partition by rule) / sum(judged) over (partition by rule) as of_rule,
                           sum(blind) over (partition by place) / sum(judged) over (partition by place) as of_place from cell)
            select s.rule, w.title_zh, w.title_en, w.exempt, '{column}' as "column", s.place, s.judged, s.blind, s.of_rule, s.of_place
            from shares s join wanted w using (rule) where of_rule > 0
            order by of_rule desc, rule, of_place desc, place""",
        places.params,
    )


def against_last(warehouse: Warehouse, scope: Scope) -> list[dict[str, Any]]:
    """One row a township: outcomes needed and blind, and signals, of this period and of the last one known (None where there
    is none), as shares in percent; `fell_silent` where the run made a matter of it."""
    places = scope.limit_townships()
    return warehouse.rows(
        f"""with figure as (
                select period, township, max(value) filter (measure = 'outcomes_needed') as judged,
                       max(value) filter (measure = 'outcomes_blind') as blind, max(value) filter (measure = 'signals_needed') as signals
                from history_figure where measure in ('outcomes_needed', 'outcomes_blind', 'signals_needed') group by all),
            now as (select f.* from figure f join run r on f.period = r.period),
            last as (from figure where period = (select max(period) from figure where period < (select period from run)))
            select n.township, l.period as before, n.signals::BIGINT as signals, l.signals::BIGINT as signals_before,
                   100 * n.blind / nullif(n.judged, 0) as blind, 100 * l.blind / nullif(l.judged, 0) as blind_before,
                   coalesce((select bool_or(contains(message, coalesce(n.township, '地点不明') || ' 信号')) from notice), false) as fell_silent
            from (from now {places.where}) n left join last l on l.township is not distinct from n.township
            order by fell_silent desc, blind desc, n.township""",
        places.params,
    )


def of_whom(warehouse: Warehouse, scope: Scope, rule: str, page: int = 1, size: int = 50) -> tuple[pl.DataFrame, int]:
    """Living subjects that a rule could not judge, with the inputs that are missing, and how many in all: household_key,
    household_id, name, township, village, subject, missing."""
    where = scope.limit(Filter().add("list_contains(k.rules, $rule) and u.living", rule=rule), "u")
    frame = warehouse.frame(
        f"""with picked as (
                select u.household_key, u.person_id, u.township, u.village, k.subject, k.missing, count(*) over () as total
                from unjudged u join unjudged_kind k using (kind) {where.where}
                order by u.township, u.village, u.household_key, u.person_id limit $size offset $skip)
            select t.household_key, {scope.household("h.household_id")} as household_id, {scope.name("p.name")} as name, t.township,
                   t.village, t.subject, list_intersect(t.missing, string_split(r.inputs, ',')) as missing, t.total
            from picked t join household h using (household_key) join rule r on r.rule = $rule
            left join person_snapshot p on p.person_id = coalesce(t.person_id, h.head_person_id)
            order by t.township, t.village, t.household_key, t.person_id""",
        {**where.params, "size": size, "skip": size * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0


def late_of_rule(warehouse: Warehouse, scope: Scope, rule: str) -> list[dict[str, Any]]:
    """Townships where a source that the rule reads is missing or late: township, feeds."""
    where = scope.limit_townships(
        Filter().add("late and feed in (select feed from rule_feed where rule = $rule)", rule=rule)
    )
    return warehouse.rows(
        f"select township, list(feed order by feed) as feeds from vouching_feed {where.where} group by township order by township",
        where.params,
    )


@dataclass(frozen=True)
class Seen:
    """Of one rule and place: subjects that could be judged, and the step of the fixed scale (0 worst … 4 all)."""

    judged: int
    step: int


def seen(cell: Mapping[str, Any]) -> Seen:
    """A cell of `blindness` as it is drawn: below a quarter, half, three quarters, all, all of it."""
    judged = int(cell["judged"]) - int(cell["blind"])
    return Seen(judged, 4 * judged // int(cell["judged"]) if cell["judged"] else 0)
