"""The county on one page: the five figures with last period's, townships with their trend, what drives risk."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.warehouse import Warehouse


@dataclass(frozen=True)
class Figure:
    """A figure and last period's; `before` is None where it is not known."""

    value: int
    before: int | None = None

    @property
    def change(self) -> int | None:
        return None if self.before is None else self.value - self.before


@dataclass(frozen=True)
class Overview:
    """The figures of the first row. `gap_unknown` households could not be judged for want of data."""

    low_income_households: int
    low_income_persons: Figure
    low_income_unknown: int
    alerts: Figure
    signals: int
    signals_new: int
    signals_gone: int
    red_households: int
    red_signals: Figure
    gap_households: int
    gap_persons: int
    gap_signals: Figure
    gap_unknown: int


def previous_period(warehouse: Warehouse) -> str | None:
    """The period before the shown one for which history is kept."""
    return warehouse.row("select max(h.period) as period from history_figure h, run r where h.period < r.period").get(
        "period"
    )


def overview(warehouse: Warehouse, scope: Scope) -> Overview:
    places = scope.limit()
    people = warehouse.row(
        f"""select count(*) filter (low_income_household) as households,
                   coalesce(sum(size) filter (low_income_household), 0)::BIGINT as persons,
                   count(*) filter (low_income_household is null) as unknown
            from household_snapshot {places.where}""",
        places.params,
    )
    found = warehouse.row(
        f"""select count(distinct household_key) as alerts, count(*) as signals,
                   count(distinct household_key) filter (level = 'red') as red_households,
                   count(*) filter (level = 'red') as red_signals,
                   count(distinct household_key) filter (kind = 'gap') as gap_households,
                   count(distinct person_id) filter (kind = 'gap' and subject = 'person') as gap_persons,
                   count(*) filter (kind = 'gap') as gap_signals
            from signal {places.where}""",
        places.params,
    )
    unknown = warehouse.row(
        f"""select coalesce(sum(unknown), 0)::BIGINT as n from rule_outcome
            where rule = 'GAP-DIBAO'{places.also}""",
        places.params,
    )
    before = _before(warehouse, scope)
    came, went = _turnover(warehouse, scope)
    return Overview(
        low_income_households=people["households"],
        low_income_persons=Figure(people["persons"], before.get("low_income_persons")),
        low_income_unknown=people["unknown"],
        alerts=Figure(found["alerts"], before.get("households_with_signal")),
        signals=found["signals"],
        signals_new=came,
        signals_gone=went,
        red_households=found["red_households"],
        red_signals=Figure(found["red_signals"], before.get("signals_red")),
        gap_households=found["gap_households"],
        gap_persons=found["gap_persons"],
        gap_signals=Figure(found["gap_signals"], before.get("signals_gap")),
        gap_unknown=unknown["n"],
    )


def _before(warehouse: Warehouse, scope: Scope) -> dict[str, int]:
    """Last period's figures, by measure; none where villages were picked, since history is kept by township."""
    period = previous_period(warehouse)
    if period is None or scope.villages is not None:
        return {}
    places = scope.limit_townships(Filter().add("period = $period", period=period))
    rows = warehouse.rows(
        f"select measure, sum(value)::BIGINT as value from history_figure {places.where} group by measure",
        places.params,
    )
    return {row["measure"]: row["value"] for row in rows}


_SAME = """s.rule = h.rule and s.subject = h.subject and s.household_id is not distinct from h.household_id
           and s.person_id is not distinct from h.person_id and s.record_key is not distinct from h.record_key"""


def _turnover(warehouse: Warehouse, scope: Scope) -> tuple[int, int]:
    """Signals that last period did not have, and signals of last period that are gone (the latter for the county only)."""
    period = previous_period(warehouse)
    if period is None:
        return 0, 0
    places = scope.limit(Filter(), "s")
    params = {"before": period, **places.params}
    came = warehouse.row(
        f"""select count(*) as n from signal s
            where not exists (select 1 from history_signal h where h.period = $before and {_SAME}){places.also}""",
        params,
    )["n"]
    if not scope.whole_county:
        return came, 0
    went = warehouse.row(
        f"""select count(*) as n from history_signal h
            where h.period = $before and not exists (select 1 from signal s where {_SAME})""",
        {"before": period},
    )["n"]
    return came, went


def township_table(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a township (villages where one township is shown): place, households, alerts, red, gaps, unknown,
    per_thousand (alerts a thousand households; None where the place is unknown), before (alerts last period), trend (alerts of up to 12 periods)."""
    column = "village" if _one_township(scope) else "township"
    places = scope.limit()
    now = warehouse.frame(
        f"""with h as (select {column} as place, count(*) as households, count(*) filter (not income_known) as unknown
                       from household_snapshot {places.where} group by all),
                 s as (select {column} as place, count(distinct household_key) as alerts,
                              count(distinct household_key) filter (level = 'red') as red,
                              count(distinct household_key) filter (kind = 'gap') as gap
                       from signal {places.where}{" and" if places.where else "where"} household_key is not null group by all)
            select h.place, h.households, coalesce(s.alerts, 0) as alerts, coalesce(s.red, 0) as red,
                   coalesce(s.gap, 0) as gap, h.unknown,
                   case when h.place is not null then round(1000.0 * coalesce(s.alerts, 0) / h.households, 1) end as per_thousand
            from h left join s on h.place is not distinct from s.place
            order by h.place is null, per_thousand desc, alerts desc, h.place""",
        places.params,
    )
    if column == "village":
        return now.with_columns(before=pl.lit(None, pl.Int64), trend=pl.lit(None, pl.List(pl.Float64)))
    history = warehouse.frame(
        """select township as place, list(value order by period)[-12:] as trend,
                  max(value) filter (period = $before)::BIGINT as before
           from history_figure where measure = 'households_with_signal' group by township""",
        {"before": previous_period(warehouse) or ""},
    )
    return now.join(history, on="place", how="left", nulls_equal=True, maintain_order="left")


def _one_township(scope: Scope) -> bool:
    return scope.villages is not None or (scope.townships is not None and len(scope.townships) == 1)


def drivers(
    warehouse: Warehouse, scope: Scope, kinds: tuple[str, ...] = ("gap", "risk"), limit: int = 8
) -> pl.DataFrame:
    """One row is a rule, those that hit most subjects first: rule, title_zh, title_en, kind, level, households, signals."""
    places = scope.limit(Filter().add("s.kind in (select unnest($kinds))", kinds=list(kinds)), "s")
    return warehouse.frame(
        f"""select s.rule, r.title_zh, r.title_en, s.kind, arg_min(s.level, s.level_order) as level,
                   count(distinct s.household_key) as households, count(*) as signals
            from signal s join rule r using (rule) {places.where}
            group by s.rule, r.title_zh, r.title_en, s.kind
            order by households desc, signals desc, s.rule limit $most""",
        {**places.params, "most": limit},
    )


def levels(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a level and kind: level, kind, signals, households. All levels and kinds that occur."""
    places = scope.limit()
    return warehouse.frame(
        f"""select level, kind, count(*) as signals, count(distinct household_key) as households
            from signal {places.where} group by level, kind, level_order order by level_order, kind""",
        places.params,
    )


def unknown_reasons(warehouse: Warehouse, scope: Scope, limit: int = 6) -> pl.DataFrame:
    """One row is a missing input: missing (column), subject, rules that wait for it, subjects (most of any one rule)."""
    places = scope.limit()
    return warehouse.frame(
        f"""with per_rule as (select rule, missing, sum(subjects)::BIGINT as subjects from rule_unknown {places.where}
                              group by rule, missing)
            select u.missing, r.subject, count(*) as rules, max(u.subjects) as subjects
            from per_rule u join rule r using (rule) group by all
            order by subjects desc, u.missing limit $most""",
        {**places.params, "most": limit},
    )
