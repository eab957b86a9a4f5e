"""Months, windows and working days as `rules.md` defines them ("Months and days", "working days")."""

from __future__ import annotations

import datetime as dt
from functools import cache

import chinese_calendar

Date = dt.date


def month_end(year: int, month: int) -> Date:
    following = Date(year + month // 12, month % 12 + 1, 1)
    return following - dt.timedelta(days=1)


def as_of(period: str) -> Date:
    """The last day of the period's month, from which everything is counted."""
    year, month = period.split("-")
    return month_end(int(year), int(month))


def add_months(date: Date, months: int) -> Date:
    """Keeps the day number, cut to the month's end."""
    index = date.year * 12 + date.month - 1 + months
    year, month = divmod(index, 12)
    last = month_end(year, month + 1)
    return last if date.day > last.day else last.replace(day=date.day)


def in_last_months(date: Date | None, months: int, day: Date) -> bool:
    """`day − n months < date ≤ day`; a blank date lies in no window."""
    return date is not None and add_months(day, -months) < date <= day


def in_last_days(date: Date | None, days: int, day: Date) -> bool:
    return date is not None and day - dt.timedelta(days=days) < date <= day


def older_than_months(date: Date, months: int, day: Date) -> bool:
    return add_months(date, months) < day


def days_before(date: Date, day: Date) -> int:
    return (day - date).days


def age(birth: Date | None, day: Date) -> int | None:
    """Full years, by the contract's month arithmetic (a 29 February counts on the 28th)."""
    if birth is None:
        return None
    years = day.year - birth.year
    return years if add_months(birth, 12 * years) <= day else years - 1


@cache
def is_working_day(day: Date) -> bool:
    """The State Council's calendar where it is published, else Monday to Friday."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def working_days(start: Date, end: Date) -> int:
    """Working days from the day after `start` up to and including `end`."""
    span = max((end - start).days, 0)
    return sum(is_working_day(start + dt.timedelta(days=n)) for n in range(1, span + 1))


def school_year(day: Date) -> int:
    """The year of the last 1 September that lies at least four months before `day`."""
    year = day.year
    while add_months(Date(year, 9, 1), 4) > day:
        year -= 1
    return year
