"""Months as whole numbers (year × 12 + month − 1), days counted from 1970-01-01: time is plain arithmetic."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

NEVER = 2**30
"""A day or month that does not come."""


def month_of(period: str) -> int:
    """`2026-11` as a month number; refuses anything else."""
    year, _, month = period.partition("-")
    if not (len(year) == 4 and len(month) == 2 and year.isdigit() and month.isdigit() and 1 <= int(month) <= 12):
        raise ValueError(f"period {period!r} is not like 2026-11")
    return int(year) * 12 + int(month) - 1


def period_of(month: int) -> str:
    """A month number as `2026-11`."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def first_day(month: NDArray[np.integer] | int) -> NDArray[np.int64]:
    """The first day of each month; NEVER stays NEVER."""
    months = np.asarray(month, dtype=np.int64)
    known = np.where(months >= NEVER, 1970 * 12, months)
    days = (known - 1970 * 12).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return np.where(months >= NEVER, NEVER, days)


def last_day(month: NDArray[np.integer] | int) -> NDArray[np.int64]:
    """The last day of each month."""
    months = np.asarray(month, dtype=np.int64)
    return np.where(months >= NEVER, NEVER, first_day(np.where(months >= NEVER, 1970 * 12, months + 1)) - 1)


def month_at(day: NDArray[np.integer] | int) -> NDArray[np.int64]:
    """The month that each day lies in; NEVER stays NEVER."""
    days = np.asarray(day, dtype=np.int64)
    months = np.where(days >= NEVER, 0, days).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.where(days >= NEVER, NEVER, months + 1970 * 12)


def dates(day: NDArray[np.integer]) -> pl.Series:
    """Days as a column of dates; NEVER and everything below year 1900 is blank."""
    days = np.asarray(day, dtype=np.int64)
    series = pl.Series(np.where(np.abs(days) >= NEVER, 0, days).astype(np.int32)).cast(pl.Date)
    return series.zip_with(
        pl.Series(np.abs(days) < NEVER), pl.Series([None], dtype=pl.Date).new_from_index(0, len(days))
    )


def until(day: NDArray[np.integer], as_of: int) -> NDArray[np.int64]:
    """Days after as-of have not happened yet: they become NEVER."""
    days = np.asarray(day, dtype=np.int64)
    return np.where(days <= as_of, days, NEVER)
