"""Two clocks for one help: from what happened to the money, in calendar days and in working days, cut into stages.

event → delivered → alert → visit → decision → help. What lies before `alert` is late data, what lies after it late work. A
stage runs between two milestones that are both known; where one between them is not known the stage spans it, so that the
stages add up to the total whatever is missing. A stage may be negative (aid first, papers later). Working days are the State
Council's calendar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise

import polars as pl

from monitoring.working_days import calendar_rows, working_days_between

MILESTONES: dict[str, str] = {
    "event": "事情发生", "delivered": "数据送到", "alert": "发现预警", "visit": "入户核实", "decision": "作出决定", "help": "发放或落实",
}  # fmt: skip
ORDER = tuple(MILESTONES)
STEPS = tuple(pairwise(ORDER))  # what is aggregated: between neighbours only
DATA, WORK = STEPS[:2], STEPS[2:]


@dataclass(frozen=True)
class Stage:
    """`skipped`: milestones between the two that are not known."""

    first: str
    last: str
    days: int
    working: int
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clock:
    """`days` and `working` are None where fewer than two milestones are known. `unknown` milestones lie before the last known
    one; `to_come` after it."""

    stages: tuple[Stage, ...]
    days: int | None
    working: int | None
    unknown: tuple[str, ...]
    to_come: tuple[str, ...]


def clock(days: Mapping[str, date | None]) -> Clock:
    known = [(name, day) for name in ORDER if (day := days.get(name)) is not None]
    stages = []
    for (first, begin), (last, end) in pairwise(known):
        between = ORDER[ORDER.index(first) + 1 : ORDER.index(last)]
        stages.append(Stage(first, last, (end - begin).days, working_days_between(begin, end), between))
    names = [name for name, _ in known]
    last_known = ORDER.index(names[-1]) if names else -1
    whole = (known[0][1], known[-1][1]) if len(known) > 1 else None
    return Clock(
        tuple(stages),
        None if whole is None else (whole[1] - whole[0]).days,
        None if whole is None else working_days_between(*whole),
        tuple(name for place, name in enumerate(ORDER) if place < last_known and name not in names),
        tuple(ORDER[last_known + 1 :]),
    )


def medians(rows: pl.DataFrame, by: str) -> pl.DataFrame:
    """One row is a value of `by`: cases, and for each step (`event_delivered`, …) the median of calendar and of working days
    (`…_working`) and on how many of the cases it rests (`…_known`); data_share and work_share, the shares of all days that lie
    before and after the alert, of the cases (`whole`) of which event, alert and help are known; None where there are none."""
    wanted: list[pl.Expr] = []
    for name in ("_".join(step) for step in STEPS):
        wanted += [
            pl.col(name).median().alias(name), pl.col(f"{name}_working").median().alias(f"{name}_working"),
            pl.col(name).count().cast(pl.Int64).alias(f"{name}_known"),
        ]  # fmt: skip
    ends = pl.all_horizontal(pl.col(name).is_not_null() for name in ("event", "alert", "help"))
    wanted += [
        ends.sum().cast(pl.Int64).alias("whole"),
        _days("event", "alert").filter(ends).sum().alias("_data"), _days("alert", "help").filter(ends).sum().alias("_work"),
    ]  # fmt: skip
    found = _timed(rows).group_by(by).agg(pl.len().cast(pl.Int64).alias("cases"), *wanted)
    every = pl.col("_data") + pl.col("_work")
    shares = [
        pl.when(every > 0).then(pl.col(part) / every).alias(name)
        for name, part in (("data_share", "_data"), ("work_share", "_work"))
    ]
    return (
        found.with_columns(*shares).drop("_data", "_work").sort("cases", by, descending=[True, False], nulls_last=True)
    )


def _days(first: str, last: str) -> pl.Expr:
    """Days between two milestones, 0 where the later came first."""
    return (pl.col(last) - pl.col(first)).dt.total_days().clip(0)


def slowest(
    rows: pl.DataFrame, step: str, by: str, value: str | None, page: int = 1, size: int = 50
) -> tuple[pl.DataFrame, int]:
    """The cases behind a median, the longest first, each with the days and working days of that step."""
    timed = _timed(rows).filter(pl.col(by).eq_missing(pl.lit(value, pl.String)) & pl.col(step).is_not_null())
    ordered = timed.sort(step, "alert_id", descending=[True, False])
    return ordered.slice(size * (max(page, 1) - 1), size), ordered.height


def late_share(rows: pl.DataFrame) -> tuple[float | None, int]:
    """Of all known days from the event to the help, the share before the alert (late data); and the cases it rests on: those of
    which every milestone but the delivery is known. None where there are none."""
    whole = rows.drop_nulls(["event", "alert", "help"])
    data, work = (int(whole.select(_days(*ends).sum()).item() or 0) for ends in (("event", "alert"), ("alert", "help")))
    return (data / (data + work) if data + work else None), whole.height


def _timed(rows: pl.DataFrame) -> pl.DataFrame:
    days, count = _calendar()
    worked = [
        pl.col(name).replace_strict(days, count, default=None, return_dtype=pl.Int64).alias(f"_{name}")
        for name in ORDER
    ]
    steps: list[pl.Expr] = []
    for first, last in STEPS:
        steps.append((pl.col(last) - pl.col(first)).dt.total_days().alias(f"{first}_{last}"))
        steps.append((pl.col(f"_{last}") - pl.col(f"_{first}")).alias(f"{first}_{last}_working"))
    return rows.with_columns(*worked).with_columns(*steps).drop(f"_{name}" for name in ORDER)


@cache
def _calendar() -> tuple[pl.Series, pl.Series]:
    rows = calendar_rows()
    return pl.Series([day for day, _ in rows], dtype=pl.Date), pl.Series([n for _, n in rows], dtype=pl.Int64)
