"""The county on one page: the first row's figures with last period's, places with their trend, what drives risk.

Figures are sums over `overview_figure`, which a run makes by village and carries on for twelve periods. A figure of a period
that was not made then, or was not published, is None: unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.low_income import CATEGORIES
from monitoring.warehouse import Warehouse

TREND = 12


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
    """Every figure of the places shown, this period's and the one before (`previous`; None: none is known)."""

    period: str
    previous: str | None
    now: Mapping[str, int]
    before: Mapping[str, int | None]

    def __getitem__(self, name: str) -> Figure:
        return Figure(self.now.get(name, 0), self.before.get(name))


@dataclass(frozen=True)
class InCategory:
    """How many are in one of the six (`monitoring.low_income`). `persons` and `households` have it as their main one, so that
    these add up; `listed` persons stand in it whatever their main one, `also` of them have another as main one."""

    key: str
    persons: Figure
    households: int
    listed: int

    @property
    def also(self) -> int:
        return self.listed - self.persons.value


def previous_period(warehouse: Warehouse) -> str | None:
    """The period before the shown one for which history is kept."""
    return warehouse.row("select max(f.period) as period from overview_figure f, run r where f.period < r.period").get(
        "period"
    )


def made(warehouse: Warehouse, scope: Scope) -> bool:
    """Whether the run made these figures: one of an older version did not."""
    return bool(warehouse.rows("select 1 from duckdb_tables() where table_name = 'overview_figure'"))


def by_village(scope: Scope) -> bool:
    """Whether the places shown stand in one township: then they are told by village."""
    if scope.villages is not None:
        return True
    named = scope.townships
    if named is None and scope.allowed is not None:
        named = tuple({township for township, _ in scope.allowed})
    return named is not None and len(named) == 1


def overview(warehouse: Warehouse, scope: Scope) -> Overview:
    period, previous = _period(warehouse), previous_period(warehouse)
    found = {row["period"]: row for row in _sums(warehouse, scope, "period").to_dicts()}
    now = {name: int(value or 0) for name, value in found.get(period, {}).items() if name != "period"}
    before = {name: value for name, value in found.get(previous or "", {}).items() if name != "period"}
    if previous is not None and not before:  # the period is known, the place has nobody in it
        before = dict.fromkeys(now, 0)
    return Overview(period, previous, now, before)


def categories(found: Overview) -> list[InCategory]:
    return [
        InCategory(key, found[f"{key}_persons"], found[f"{key}_households"].value, found[f"{key}_listed"].value)
        for key in CATEGORIES
    ]


def township_table(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a township (a village where one township is shown), the worst first: township, place, every figure of
    `overview_figure`, per_thousand (alerts a thousand households; None where there is no household or the place is not known), before (alerts
    last period), trend (alerts of TREND months up to this one; None: that month is not known)."""
    places = ("township", "village") if by_village(scope) else ("township",)
    period, previous = _period(warehouse), previous_period(warehouse)
    every = _sums(warehouse, scope, "period", *places).rename({places[-1]: "place"})
    if len(places) == 1:
        every = every.with_columns(township="place")
    published = set(warehouse.frame("select distinct period from overview_figure")["period"])
    told: dict[tuple[str | None, str | None], dict[str, int | None]] = {}
    for row in every.select("township", "place", "period", "alerts").to_dicts():
        told.setdefault((row["township"], row["place"]), {})[row["period"]] = row["alerts"]
    months = _months(period)

    def alerts(at: tuple[str | None, str | None], month: str | None) -> int | None:
        return told[at].get(month or "", 0) if month in published else None

    now = every.filter(pl.col("period") == period).drop("period")
    keys = list(now.select("township", "place").iter_rows())
    return now.with_columns(
        pl.Series("before", [alerts(key, previous) for key in keys], pl.Int64),
        pl.Series("trend", [[alerts(key, month) for month in months] for key in keys], pl.List(pl.Int64)),
        pl.when(pl.col("place").is_not_null()).then(_per_thousand()).alias("per_thousand"),
    ).sort(
        pl.col("place").is_null(), -pl.col("per_thousand"), -pl.col("alerts"), "place", nulls_last=True
    )  # fmt: skip


def highest(warehouse: Warehouse, scope: Scope, measure: str) -> float:
    """The highest that any place of the scope had in any month that is kept: what a scale ends at, so that it stays from month
    to month. For "per_thousand", of a thousand households."""
    places = ("township", "village") if by_village(scope) else ("township",)
    every = _sums(warehouse, scope, "period", *places).filter(pl.col(places[-1]).is_not_null())
    found = every.select(_per_thousand() if measure == "per_thousand" else pl.col(measure)).to_series().max()
    return float(found) if isinstance(found, int | float) else 0.0


def _per_thousand() -> pl.Expr:
    return pl.when(pl.col("households") > 0).then((1000 * pl.col("alerts") / pl.col("households")).round(1))


def _sums(warehouse: Warehouse, scope: Scope, *by: str) -> pl.DataFrame:
    """Every figure of the scope's places, added up by some of period, township, village; NULL where none was made."""
    places = scope.limit()
    return warehouse.frame(
        f"""select {", ".join(by)}, sum(columns(* exclude (period, township, village)))::BIGINT from overview_figure
            {places.where} group by {", ".join(by)} order by {", ".join(by)}""",
        places.params,
    )


def _period(warehouse: Warehouse) -> str:
    return str(warehouse.row("select period from run")["period"])


def _months(period: str) -> list[str]:
    """The TREND months that end with a period."""
    last = int(period[:4]) * 12 + int(period[5:7]) - 1
    return [f"{count // 12}-{count % 12 + 1:02d}" for count in range(last - TREND + 1, last + 1)]


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
    """One row is a missing input: missing (column), subject, rule (the one with most), subjects (of that rule), rules that wait for it."""
    places = scope.limit()
    return warehouse.frame(
        f"""with per_rule as (select rule, missing, sum(subjects)::BIGINT as subjects from rule_unknown {places.where}
                              group by rule, missing)
            select u.missing, r.subject, count(*) as rules, max(u.subjects) as subjects,
                   arg_min(u.rule, (-u.subjects, u.rule)) as rule
            from per_rule u join rule r using (rule) group by u.missing, r.subject
            order by subjects desc, u.missing limit $most""",
        {**places.params, "most": limit},
    )
