"""What the page asks of the past: sums by programme, township and rule, how many months ahead, and the households, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from monitoring.access import Scope
from monitoring.backtest import PROGRAMMES
from monitoring.backtest.measuring import MODEL, Measured, measure
from monitoring.backtest.reading import blind, read
from monitoring.shares import FEW, wilson
from monitoring.warehouse import Published, Warehouse

# Who is in a list: all that entered, those seen by rules, by the model, and those that nothing saw.
SEEN: dict[str, pl.Expr] = {
    "never": pl.col("rules").is_null() & pl.col("model").is_null(),
    "rules": pl.col("rules").is_not_null(),
    "model": pl.col("model").is_not_null(),
    "all": pl.lit(value=True),
}
NOTHING_MISSING = "-"  # all rules could judge, none held


@dataclass(frozen=True)
class Backtest:
    """`measured`, and of those never seen what the rules lacked then (`blind`: entry, subject, missing)."""

    measured: Measured
    blind: pl.DataFrame = field(repr=False)

    @property
    def entries(self) -> pl.DataFrame:
        return self.measured.entries


def backtest(runs: Sequence[Published], scope: Scope, cases: Sequence[tuple[str, str]]) -> Backtest:
    """Raises CannotSimulate."""
    measured = measure(read(runs, scope), cases)
    never = measured.entries.filter(SEEN["never"])
    asked: dict[str, list[str]] = {}
    for place, of in never.group_by("last"):
        asked[measured.periods[int(str(place[0]))]] = of["household_id"].to_list()
    periods = pl.DataFrame(
        list(enumerate(measured.periods)), schema={"last": pl.Int64, "period": pl.String}, orient="row"
    )
    found = blind(runs, asked).join(
        never.select("entry", "household_id", "last").join(periods, on="last"), on=["period", "household_id"]
    )
    return Backtest(measured, found.select("entry", "subject", "missing").sort("entry", "subject", "missing"))


@dataclass(frozen=True)
class Share:
    """How many of how many, with the 95% interval of the share; of few no percentage is told."""

    part: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.part, self.of)

    @property
    def few(self) -> bool:
        return self.of < FEW


def sums(told: Backtest, by: str | None = None) -> list[dict[str, Any]]:
    """One row a value of `by` (programme, township; None: all): entries, rules, model, had_model, either (seen by any), and
    the median months ahead of rules and model among those that they saw."""
    rows = told.entries.with_columns(all=pl.lit("all")).group_by(by or "all").agg(
        entries=pl.len().cast(pl.Int64), rules=pl.col("rules").count().cast(pl.Int64), model=pl.col("model").count().cast(pl.Int64),
        had_model=pl.col("had_model").sum().cast(pl.Int64), either=(~SEEN["never"]).sum().cast(pl.Int64),
        median_rules=pl.col("rules").median(), median_model=pl.col("model").median(),
    )  # fmt: skip
    if by == "programme":
        order = pl.col("programme").replace_strict({p: n for n, p in enumerate(PROGRAMMES)}, return_dtype=pl.Int64)
        return rows.sort(order).to_dicts()
    return rows.sort("entries", by or "all", descending=[True, False], nulls_last=True).to_dicts()


def unseen(told: Backtest, source: str) -> int:
    """Entries that a source ("rules", "model"; "": neither) never saw; of the model, where there was one."""
    rows = told.entries
    if source == "model":
        rows = rows.filter("had_model")
    return len(rows.filter(pl.col(source).is_null() if source else SEEN["never"]))


def alerts(told: Backtest, source: str) -> dict[str, Any]:
    """What a source ("rules", "model" or a rule) would have cost and brought: alerts, closed, useful; one visit an alert."""
    mine = told.measured.alerts.filter(pl.col("source") == source)
    return {name: int(mine[name].sum()) for name in ("alerts", "closed", "useful")}


def by_rule(told: Backtest) -> list[dict[str, Any]]:
    """One row a rule that pointed to anybody: source, seen (entries), alone (no other rule nor the model saw them), median
    months ahead, alerts, closed, useful; most seen first."""
    leads = told.measured.leads.with_columns(sources=pl.len().over("entry"))
    seen = leads.group_by("source").agg(
        seen=pl.len().cast(pl.Int64),
        alone=(pl.col("sources") == 1).sum().cast(pl.Int64),
        median=pl.col("lead").median(),
    )
    cost = told.measured.alerts.group_by("source").agg(pl.sum("alerts", "closed", "useful"))
    rows = cost.filter(~pl.col("source").is_in(["rules", MODEL])).join(seen, on="source", how="left")
    rows = rows.with_columns(pl.col("seen", "alone").fill_null(0))
    return rows.sort("seen", "alerts", "source", descending=[True, True, False]).to_dicts()


def by_township(told: Backtest) -> list[dict[str, Any]]:
    """As `sums` by township, with alerts, closed and useful of the rules."""
    cost = told.measured.alerts.filter(pl.col("source") == "rules").select("township", "alerts", "closed", "useful")
    rows = pl.DataFrame(sums(told, "township"), schema_overrides={"township": pl.String}) if len(told.entries) else None
    if rows is None:
        return []
    return rows.join(cost, on="township", how="left", nulls_equal=True, maintain_order="left").to_dicts()


def months_ahead(told: Backtest, source: str) -> list[tuple[int, int]]:
    """(months, entries) for every number of months that was possible, none left out; `source`: rules or model."""
    counted = dict(told.entries.filter(pl.col(source).is_not_null()).group_by(source).len().rows())
    most = int(told.entries["available"].max() or 0)  # type: ignore[arg-type]
    return [(month, int(counted.get(month, 0))) for month in range(1, most + 1)]


def lacking(told: Backtest) -> list[dict[str, Any]]:
    """Of those never seen, for want of which inputs the rules could not judge: subject, missing, households; most first, and
    last those of whom nothing was missing (NOTHING_MISSING)."""
    rows = told.blind.group_by("subject", "missing").agg(households=pl.col("entry").n_unique().cast(pl.Int64))
    never = told.entries.filter(SEEN["never"])
    clear = len(never.join(told.blind, on="entry", how="anti"))
    found = rows.sort("households", "subject", "missing", descending=[True, False, False]).to_dicts()
    return [*found, *([{"subject": "", "missing": NOTHING_MISSING, "households": clear}] if clear else [])]


def listed(
    told: Backtest, seen: str = "all", programme: str = "", missing: str = "", rule: str = "", months: int = 0
) -> pl.DataFrame:
    """The entries behind a figure: those seen as said, entered into a programme, lacking an input ("subject.column"), seen by
    a rule, or seen so many months before by rules; the newest first. With `lacks`, the inputs ("subject.column") that were missing."""
    rows = told.entries.filter(SEEN[seen])
    if programme:
        rows = rows.filter(pl.col("programme") == programme)
    if months:
        rows = rows.filter(pl.col("model" if seen == "model" else "rules") == months)
    if rule:
        rows = rows.join(told.measured.leads.filter(pl.col("source") == rule), on="entry", how="semi")
    lacks = told.blind.with_columns(name=pl.concat_str("subject", pl.lit("."), "missing"))
    if missing == NOTHING_MISSING:
        rows = rows.join(lacks, on="entry", how="anti")
    elif missing:
        rows = rows.join(lacks.filter(pl.col("name") == missing), on="entry", how="semi")
    rows = rows.join(lacks.group_by("entry").agg(lacks="name"), on="entry", how="left")
    return rows.sort("entered", "entry", descending=[True, False])


def with_names(warehouse: Warehouse, scope: Scope, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows (household_id) with the household's key, number and head as the run that is shown knows them; masked and limited
    as the scope says. One that is no more keeps its row without a name."""
    where = scope.limit(table="h")
    known = warehouse.rows(
        f"""select h.household_id as own, h.household_key, {scope.household("h.household_id")} as household_id, {scope.name("p.name")} as name
            from household h left join person_snapshot p on p.person_id = h.head_person_id
            where h.household_id in (select unnest($numbers::VARCHAR[])){where.also}""",
        {"numbers": [row["household_id"] for row in rows], **where.params},
    )
    named = {row.pop("own"): row for row in known}
    nobody = {"household_key": None, "household_id": None, "name": None}
    return [{**row, **nobody, **named.get(row["household_id"], {})} for row in rows]
