"""Working days: the whole calendar at once says what the library says of each day."""

from __future__ import annotations

from datetime import timedelta

from monitoring.working_days import FIRST, LAST, is_working_day, working_days


def test_working_days_are_those_that_the_library_calls_so_day_by_day() -> None:
    span = (FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1))
    assert working_days() == tuple(day for day in span if is_working_day(day))
