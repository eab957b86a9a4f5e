"""By when an alert must be verified: working days by level, as the pack in force states them.

A signal brings its limit from the run, counted from the run's day. Where the run itself came later, the same number of
working days counts from the day on which its alerts open: nobody is late for what nobody could know. An alert's limit is
the earliest of its signals that raise work; what joins can only bring it forward.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from monitoring.warehouse import Warehouse
from monitoring.working_days import add_working_days, working_days_between

EMERGENCY_DAYS = 3  # working days, CJ 二（七）
LIMITS: dict[str, int] = {"red": 3, "orange": 5, "yellow": 10, "blue": 20}


def limits(warehouse: Warehouse) -> dict[str, int]:
    """Working days by level as in force in a run (`alert.working_days_red`, …); LIMITS where a pack states none."""
    stated = warehouse.rows(
        "select name, value from parameter where starts_with(name, 'alert.working_days_') and not off"
    )
    found = {row["name"].removeprefix("alert.working_days_"): row["value"] for row in stated}
    return {level: int(found[level]) if str(found.get(level, "")).isdigit() else days for level, days in LIMITS.items()}


def counted_from(signals: pl.DataFrame, as_of: date, today: date) -> pl.DataFrame:
    """Signals with their limits counted from the day on which they are taken in, where that is after the run's."""
    if today <= as_of:
        return signals
    dates = signals["due_date"].drop_nulls().unique().to_list()  # one a level
    later = {due: add_working_days(today, working_days_between(as_of, due)) for due in dates}
    return signals.with_columns(pl.col("due_date").replace_strict(later, default=None, return_dtype=pl.Date))


def brought_forward(limit: pl.Expr, joined: pl.Expr) -> pl.Expr:
    """The earlier of an alert's limit and that of what joins it; either may be null."""
    return pl.min_horizontal(limit, joined)
