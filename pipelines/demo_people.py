"""Who works in the sample county, and the one transaction in which a month's work is done, for `pipelines.demo_work`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from monitoring.people import Person, may
from monitoring.people.callers import reach
from monitoring.people.demo import BY
from monitoring.people.sessions import FULL
from monitoring.store import Store
from monitoring.store.schema import account, session


@dataclass(frozen=True)
class Colleague:
    """An account that works, with a session of its own."""

    person: str
    role: str
    places: tuple[tuple[str, str | None], ...] | None
    session: str

    def holds(self, township: str | None, village: str | None) -> bool:
        return Person(None, "", self.person, self.role, self.places).holds(township, village)


def people(store: Store, at: datetime) -> list[Colleague]:
    """Those who work on alerts, in the order in which work is offered them; each gets a session, which nobody has a cookie for."""
    with store.write() as con:
        asked = (
            select(account.c.id, account.c.person, account.c.role)
            .where(account.c.created_by == BY)
            .order_by(account.c.id)
        )
        found = []
        for key, person, role in con.execute(asked).all():
            if may(role, "alert.claim"):
                public = secrets.token_hex(16)
                con.execute(insert(session).values(token=secrets.token_bytes(32), public=public, account_id=key, created_at=at,
                            seen_at=at, address=BY, stage=FULL, ended_at=at))  # fmt: skip
                found.append(Colleague(person, role, reach(con, key, role), public))
        return found


class Within(Store):
    """The store within one transaction of a month's work: what a service writes stands or falls by itself in it, and the disk
    is waited for once, not for every step."""

    def __init__(self, store: Store, con: Connection) -> None:
        self.engine, self.home, self.key, self._con = store.engine, store.home, store.key, con

    @contextmanager
    def read(self) -> Iterator[Connection]:
        yield self._con

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._con.begin_nested():
            yield self._con
