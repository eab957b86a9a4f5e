"""By when an alert must be verified: working days by level, as the pack in force states them.

A signal brings its limit from the run. An alert's limit is the earliest of its signals that raise work; what joins can
only bring it forward.
"""

from __future__ import annotations

import polars as pl

from monitoring.warehouse import Warehouse

EMERGENCY_DAYS = 3  # working days, CJ 二（七）
LIMITS: dict[str, int] = {"red": 3, "orange": 5, "yellow": 10, "blue": 20}


def limits(warehouse: Warehouse) -> dict[str, int]:
    """Working days by level as in force in a run (`alert.working_days_red`, …); LIMITS where a pack states none."""
    stated = warehouse.rows(
        "select name, value from parameter where starts_with(name, 'alert.working_days_') and not off"
    )
    found = {row["name"].removeprefix("alert.working_days_"): row["value"] for row in stated}
    return {level: int(found[level]) if str(found.get(level, "")).isdigit() else days for level, days in LIMITS.items()}


def brought_forward(limit: pl.Expr, joined: pl.Expr) -> pl.Expr:
    """The earlier of an alert's limit and that of what joins it; either may be null."""
    return pl.min_horizontal(limit, joined)
