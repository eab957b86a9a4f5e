"""What each rule found over the published periods, by version and township: signals, households, those that it alone found,
and with which rules it fires together; put beside what became of its alerts (`monitoring.alerts.economics`).

A version is what a run judged by: another file, condition or level is another version; the oldest is 1. Signals are counted over
the last WINDOW periods: over years every household is found by several rules, and none alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from monitoring.access import Scope
from monitoring.alerts.confirmed import Confirmed
from monitoring.alerts.economics import COUNTS
from monitoring.periods import opened
from monitoring.queries.rulebook import KIND_ORDER
from monitoring.warehouse import Published

WINDOW = 12
_SIGNALS = {
    "period": pl.String, "rule": pl.String, "household_id": pl.String, "township": pl.String, "signals": pl.Int64,
}  # fmt: skip
_RULES = {
    "period": pl.String, "rule": pl.String, "kind": pl.String, "title_zh": pl.String, "title_en": pl.String, "print": pl.String,
    "when_text": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Fired:
    """`periods`: those whose signals are counted. `rows`: a period, rule, version, household and township with signals; `versions`: rule, version, since, until, when_text;
    `titles`: rule, kind, title_zh, title_en of every rule, in the book's order."""

    periods: tuple[str, ...]
    rows: pl.DataFrame = field(repr=False)
    versions: pl.DataFrame = field(repr=False)
    in_period: pl.DataFrame = field(repr=False)  # period, rule, version
    titles: pl.DataFrame = field(repr=False)


def fired(runs: Sequence[Published], scope: Scope) -> Fired:
    """Signals of the last WINDOW runs within the scope, versions of all of them."""
    counted = frozenset(run.period for run in runs[-WINDOW:])
    signals, rules = [pl.DataFrame(schema=_SIGNALS)], [pl.DataFrame(schema=_RULES)]
    where = scope.limit()
    for run, warehouse in opened(runs):
        period = pl.lit(run.period).alias("period")
        if run.period in counted:
            found = warehouse.frame(
                f"select rule, household_id, township, count(*)::BIGINT as signals from signal {where.where} group by all",
                where.params,
            )
            signals.append(found.select(period, *list(_SIGNALS)[1:]))
        book = warehouse.frame(
            "select rule, kind, title_zh, title_en, concat_ws('|', sha256, level, when_text) as print, when_text from rule"
        )
        rules.append(book.select(period, *list(_RULES)[1:]))
    books = pl.concat(rules).sort("period", "rule")
    versions = (
        books.group_by("rule", "print")
        .agg(since=pl.min("period"), until=pl.max("period"), when_text=pl.last("when_text"))
        .with_columns(version=pl.col("since").rank("ordinal").over("rule").cast(pl.Int64))
        .sort("rule", "version")
    )
    in_period = books.join(versions, on=["rule", "print"]).select("period", "rule", "version")
    order = pl.col("kind").replace_strict({kind: n for n, kind in enumerate(KIND_ORDER)}, default=len(KIND_ORDER))
    titles = books.group_by("rule").agg(pl.last("kind", "title_zh", "title_en")).sort(order, "rule")
    rows = pl.concat(signals).join(in_period, on=["period", "rule"], how="left")
    alone = pl.col("rule").n_unique().over("household_id") == 1
    rows = rows.with_columns(alone=alone & pl.col("household_id").is_not_null()).sort("period", "rule", "household_id")
    return Fired(tuple(sorted(counted)), rows, versions.drop("print"), in_period, titles)


def titles(runs: Sequence[Published], scope: Scope) -> dict[str, tuple[str, str]]:
    """Code -> title in both languages, of every rule of these runs; the same for everybody."""
    return {row["rule"]: (row["title_zh"], row["title_en"]) for row in fired(runs, scope).titles.to_dicts()}


def economics(told: Fired, came: pl.DataFrame, by: Sequence[str] = ("rule",)) -> list[dict[str, Any]]:
    """One row a value of `by` (rule; rule, version; rule, township): signals, households, alone, COUNTS, and as `precision`
    the confirmed share of the decided (`Confirmed`). `version` is None for alerts of before the oldest run that is kept."""
    keys = list(by)
    fires = told.rows.group_by(keys).agg(
        pl.sum("signals"),
        households=pl.col("household_id").drop_nulls().n_unique(),
        alone=pl.col("household_id").filter("alone").n_unique(),
    )
    worked = came.join(told.in_period, on=["period", "rule"], how="left").group_by(keys).agg(pl.sum(*COUNTS))
    rows = fires.join(worked, on=keys, how="full", coalesce=True, nulls_equal=True)
    rows = told.titles.join(rows, on="rule", how="left", maintain_order="left")
    figures = ["signals", "households", "alone", *COUNTS]
    rows = rows.with_columns(pl.col(figures).fill_null(0).cast(pl.Int64))
    if len(keys) > 1:
        rows = rows.sort(keys, nulls_last=True)
    return [
        row | {"precision": Confirmed.of(row["decided"], row["confirmed"])}
        | {"alone_precision": Confirmed.of(row["alone_decided"], row["alone_confirmed"])}
        for row in rows.iter_rows(named=True)
    ]  # fmt: skip


def overlaps(told: Fired) -> dict[str, list[dict[str, Any]]]:
    """By rule, the rules that fired for the same household in the same period: other, titles, households, of (all of the
    rule's households); most first."""
    homes = told.rows.select("period", "household_id", "rule").drop_nulls().unique()
    pairs = homes.join(homes.rename({"rule": "other"}), on=["period", "household_id"]).filter(pl.col("rule") != pl.col("other"))  # fmt: skip
    found = pairs.group_by("rule", "other").agg(households=pl.col("household_id").n_unique())
    of = homes.group_by("rule").agg(of=pl.col("household_id").n_unique())
    titles = told.titles.select("title_zh", "title_en", other="rule")
    rows = found.join(of, on="rule").join(titles, on="other", how="left")
    rows = rows.sort("rule", "households", "other", descending=[False, True, False])
    return {str(rule[0]): some.to_dicts() for rule, some in rows.group_by("rule", maintain_order=True)}


def only_one(told: Fired) -> tuple[int, int]:
    """Households that one rule alone found, and all that any rule found."""
    homes = told.rows.drop_nulls("household_id")
    return homes.filter("alone")["household_id"].n_unique(), homes["household_id"].n_unique()
