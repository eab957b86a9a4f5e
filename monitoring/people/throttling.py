"""Guessing is paid for in advance: an attempt counts as failed before it is looked at, and a success takes that back.

So that sixty guesses at once are five. Known and unknown names are treated alike; five failures lock for 15 minutes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from monitoring.store.schema import throttle

MOST = 5
LOCKED = timedelta(minutes=15)


def pay(con: Connection, key: str, at: datetime) -> bool:
    """Counts an attempt; False where the key is locked, so that nothing is to be looked at."""
    dialect = sqlite if con.dialect.name == "sqlite" else postgresql
    con.execute(dialect.insert(throttle).values(key=key, failures=0, failed_at=at).on_conflict_do_nothing())
    row = con.execute(select(throttle).where(throttle.c.key == key).with_for_update()).one()
    if row.locked_until is not None and row.locked_until > at:
        return False
    forgotten = row.failed_at <= at - LOCKED or row.locked_until is not None
    failures = 1 if forgotten else row.failures + 1
    until = at + LOCKED if failures >= MOST else None
    con.execute(
        update(throttle).where(throttle.c.key == key).values(failures=failures, failed_at=at, locked_until=until)
    )
    return True


def locked(con: Connection, key: str, at: datetime) -> bool:
    until = con.execute(select(throttle.c.locked_until).where(throttle.c.key == key)).scalar()
    return until is not None and until > at


def clear(con: Connection, key: str) -> None:
    """The attempt was right: the key's failures are forgotten."""
    con.execute(delete(throttle).where(throttle.c.key == key))


def clean(con: Connection, at: datetime) -> None:
    """Forgets failures of yesterday, so that a scanner's names do not pile up."""
    con.execute(delete(throttle).where(throttle.c.failed_at < at - timedelta(days=1)))
