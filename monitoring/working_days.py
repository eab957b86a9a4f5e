"""Working days by the State Council's calendar with its shifted working days (library `chinese_calendar`).

The count starts on the next day: from Monday to Thursday are three. Beyond the years that the library knows, Monday to
Friday are taken as working days; `covered_until` says from where on, so that pages can say so too.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime, timedelta, timezone
from functools import cache

import chinese_calendar
from chinese_calendar.constants import holidays, workdays

FIRST = date(2004, 1, 1)
LAST = date(2060, 12, 31)
CHINA = timezone(timedelta(hours=8))  # one time zone, without summer time since 1991


@cache
def covered_until() -> date:
    """Last day of the last year that the official calendar is known for."""
    return date(max(d.year for d in (*holidays, *workdays)), 12, 31)


def is_working_day(day: date) -> bool:
    """By the official calendar where known, else Monday to Friday."""
    if FIRST <= day <= covered_until():
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < 5


@cache
def working_days() -> tuple[date, ...]:
    """All working days from FIRST to LAST, ascending: `is_working_day` of each, by the library's lists of the days that
    differ from their weekday. Asking it for every day takes ten times as long, of every command."""
    span = (FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1))
    return tuple(day for day in span if day in workdays or (day.weekday() < 5 and day not in holidays))


def working_days_between(start: date, end: date) -> int:
    """Working days after `start` up to and including `end`; below 0 where `end` lies before `start`."""
    return bisect_right(working_days(), end) - bisect_right(working_days(), start)


def local_day(at: datetime) -> date:
    """The day in the county at a moment."""
    return at.astimezone(CHINA).date()


def add_working_days(start: date, days: int) -> date:
    """The day that lies so many working days after `start`; `start` itself does not count."""
    return working_days()[bisect_right(working_days(), start) + days - 1] if days > 0 else start


@cache
def calendar_rows() -> list[tuple[date, int]]:
    """(day, working days from FIRST up to and including it) for every day: differences are counts of working days."""
    rows, count = [], 0
    known = set(working_days())
    for n in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(n)
        count += day in known
        rows.append((day, count))
    return rows
