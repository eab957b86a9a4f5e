"""Entries and how many months before them each household was seen; alerts and what came of them. Polars over `reading.Then`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import polars as pl

from monitoring.backtest import BACK, PROGRAMMES
from monitoring.backtest.reading import Then
from monitoring.forecast import HORIZON
from monitoring.simulating.replaying import months

MODEL = "model"
_ORDER = {programme: n for n, programme in enumerate(PROGRAMMES)}
ENTRY = {
    "entry": pl.Int64, "home": pl.Int64, "household_id": pl.String, "township": pl.String, "village": pl.String,
    "programme": pl.String, "entered": pl.String, "last": pl.Int64, "first": pl.Int64, "available": pl.Int64,
}  # fmt: skip
_HOME = {name: ENTRY[name] for name in ("home", "household_id", "township", "village")}


@dataclass(frozen=True)
class Measured:
    """`entries`: ENTRY, `rules` and `model` (months before the entry in which they first saw it, None: never), `had_model`;
    `last` and `first` are places of periods. `leads`: entry, source (a rule's code, or "model"), lead. `alerts`: source ("rules",
    "model" or a code), township, alerts, closed (whose HORIZON months have passed), useful (of the closed: entered within them)."""

    periods: tuple[str, ...]
    with_model: tuple[str, ...]
    entries: pl.DataFrame = field(repr=False)
    leads: pl.DataFrame = field(repr=False)
    alerts: pl.DataFrame = field(repr=False)


def measure(thens: Sequence[Then], cases: Sequence[tuple[str, str]]) -> Measured:
    """`cases`: (household, month) confirmed at the door."""
    periods = [then.period for then in thens]
    entries = entries_of(thens, cases)
    seen = _numbered([then.seen for then in thens], {"home": pl.Int64, "rule": pl.String})
    lists = [then.listed if then.listed is not None else pl.DataFrame(schema={"home": pl.Int64}) for then in thens]
    listed = _numbered(lists, {"home": pl.Int64}).with_columns(rule=pl.lit(MODEL))
    with_model = [n for n, then in enumerate(thens) if then.listed is not None]
    leads = _leads(pl.concat([seen, listed.select(seen.columns)]), entries, periods)
    by = {
        "rules": leads.filter(pl.col("source") != MODEL),
        "model": leads.filter(pl.col("source") == MODEL),
    }
    for name, some in by.items():
        entries = entries.join(some.group_by("entry").agg(pl.max("lead").alias(name)), on="entry", how="left")
    had = pl.any_horizontal(pl.lit(value=False), *((pl.col("first") <= n) & (pl.col("last") >= n) for n in with_model))
    keys = pl.concat([seen.select("home"), listed.select("home")]).unique()
    homes = _numbered([then.homes.join(keys, on="home", how="semi") for then in thens], _HOME)
    pointed = [
        seen.select("n", "home", source=pl.lit("rules")).unique(),
        seen.select("n", "home", source="rule"),
        listed.select("n", "home", source=pl.lit(MODEL)),
    ]
    alerts = _alerts(pl.concat(pointed), homes, entries, periods)
    return Measured(tuple(periods), tuple(periods[n] for n in with_model), entries.with_columns(had_model=had), leads, alerts)  # fmt: skip


def entries_of(thens: Sequence[Then], cases: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """ENTRY: one row an entry. A household's first one ends its time without help; what follows in it (a case that was
    confirmed is admitted a month later) is the same entry."""
    found = [pl.DataFrame(schema={"n": pl.Int64, "home": pl.Int64, "programme": pl.String, "entered": pl.String})]
    for n, (before, now) in enumerate(pairwise(thens)):
        entered = before.members.join(now.helped, on="person_id").select("home", "programme").unique()
        found.append(_entered(entered, n, now.period))
    # Of a large county only those who may have entered are looked at over all periods.
    keys = pl.concat(found)["home"].unique().implode()
    numbers = pl.Series([household for household, _ in cases], dtype=pl.String).unique().implode()
    some = pl.col("home").is_in(keys) | pl.col("household_id").is_in(numbers)
    homes = _numbered([then.homes.filter(some) for then in thens], _HOME)
    found.append(_confirmed(cases, thens, homes))
    order = pl.col("programme").replace_strict(_ORDER, return_dtype=pl.Int64)
    spells = (
        homes.sort("home", "n")
        .with_columns(gap=(pl.col("n").diff().over("home") != 1).fill_null(value=False))
        .with_columns(spell=pl.col("gap").cum_sum().over("home"))
        .with_columns(start=pl.col("n").min().over("home", "spell"))
    )
    rows = (
        pl.concat(found)
        .join(spells, on=["n", "home"], how="inner")
        .sort("entered", order, "home")
        .unique(["home", "spell"], keep="first", maintain_order=True)
    )
    places = _places([then.period for then in thens])
    counted = rows.with_row_index("entry").with_columns(pl.col("entry").cast(pl.Int64))
    # Only periods without help, and no more than BACK months before.
    far = (
        counted.select("entry", "entered", "start", last="n")
        .join(places, how="cross")
        .filter(pl.col("n").is_between("start", "last"))
        .with_columns(ago=_apart("entered"))
        .filter(pl.col("ago") <= BACK)
        .group_by("entry").agg(first=pl.min("n"), available=pl.max("ago"))
    )  # fmt: skip
    return counted.join(far, on="entry", how="inner").with_columns(last=pl.col("n")).select(*ENTRY).sort("entry")


def _places(periods: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(list(enumerate(periods)), schema={"n": pl.Int64, "period": pl.String}, orient="row")


def _apart(later: str) -> pl.Expr:
    """Months from `period` to a later one."""
    return (months(pl.col(later)) - months(pl.col("period"))).cast(pl.Int64)


def _entered(rows: pl.DataFrame, n: int, period: str) -> pl.DataFrame:
    return rows.select(pl.lit(n, pl.Int64).alias("n"), "home", "programme", pl.lit(period).alias("entered"))


def _confirmed(cases: Sequence[tuple[str, str]], thens: Sequence[Then], homes: pl.DataFrame) -> pl.DataFrame:
    """Of those whom nobody helped in the last published period before the visit's month."""
    places = _places([then.period for then in thens]).rename({"period": "before"})
    known = pl.DataFrame(list(cases), schema={"household_id": pl.String, "entered": pl.String}, orient="row")
    known = known.filter(pl.col("entered") <= (thens[-1].period if thens else ""))
    before = known.join(places, how="cross").filter(pl.col("before") < pl.col("entered"))
    last = before.group_by("household_id", "entered").agg(pl.max("n"))
    rows = last.join(homes.select("n", "household_id", "home"), on=["n", "household_id"])
    return rows.select("n", "home", pl.lit("confirmed").alias("programme"), "entered")


def _numbered(frames: Sequence[pl.DataFrame], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """All periods' rows, with the place of each's period."""
    empty = pl.DataFrame(schema={"n": pl.Int64, **schema})
    return pl.concat([empty, *(one.select(pl.lit(n, pl.Int64).alias("n"), *schema) for n, one in enumerate(frames))])


def _leads(seen: pl.DataFrame, entries: pl.DataFrame, periods: Sequence[str]) -> pl.DataFrame:
    """entry, source, lead: months from the first period in which the source saw the household to its entry."""
    met = seen.join(entries.select("entry", "home", "entered", "first", "last"), on="home")
    met = met.filter(pl.col("n").is_between("first", "last")).join(_places(periods), on="n")
    return met.group_by("entry", source=pl.col("rule")).agg(lead=_apart("entered").max()).sort("entry", "source")


def _alerts(pointed: pl.DataFrame, homes: pl.DataFrame, entries: pl.DataFrame, periods: Sequence[str]) -> pl.DataFrame:
    """One alert is a household that a source points to and did not in the period before."""
    order = ["source", "home", "n"]
    new = pointed.sort(order).filter((pl.col("n").diff().over("source", "home") != 1).fill_null(value=True))
    new = new.join(homes, on=["n", "home"]).join(_places(periods), on="n")
    later = new.select(*order, "period").join(entries.select("home", "entered"), on="home")
    within = _apart("entered").is_between(1, HORIZON)
    useful = later.filter(within).select(order).unique().with_columns(useful=pl.lit(value=True))
    last = pl.lit(periods[-1] if periods else "0000-00")
    told = new.join(useful, on=order, how="left").with_columns(
        pl.col("useful").fill_null(value=False), closed=months(last) - months(pl.col("period")) >= HORIZON
    )
    return told.group_by("source", "township").agg(
        alerts=pl.len().cast(pl.Int64), closed=pl.col("closed").sum().cast(pl.Int64),
        useful=(pl.col("useful") & pl.col("closed")).sum().cast(pl.Int64),
    ).sort("source", "township", nulls_last=True)  # fmt: skip
