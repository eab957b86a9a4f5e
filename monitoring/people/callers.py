"""Who calls a service, looked up afresh for every call: a session that the gate gave, or the operator at the command line.

    with acting(store, caller, "alert.claim", at) as act:
        act.within(row.township, row.village)
        ...
        act.journal("alert.claim", f"alert:{row.id}")

`acting` opens one transaction for the check, the deed and its journal row; `reading` one that only reads. A refusal is
journalled by itself and raised: `SessionOver` where nobody is logged in any more, else `Denied`. "Not yours" and "not there"
are told alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, or_, select, update
from sqlalchemy.sql import ColumnElement

from monitoring.access import Scope
from monitoring.people.roles import ADMINISTRATOR, ROLES, may
from monitoring.store import Store, journal
from monitoring.store.journal import Entry
from monitoring.store.schema import account, account_place, session

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=8)
TOUCH = timedelta(seconds=60)


class SessionOver(Exception):
    """Nobody is logged in under this session (any more)."""

    def __init__(self) -> None:
        super().__init__("会话已失效，请重新登录")


class Denied(Exception):
    """Not allowed, or not there: the two are told alike. `words` (Chinese) are for the person, `object` for the journal."""

    def __init__(self, words: str = "没有这一项，或它不在您的职责范围内", object: str = "") -> None:
        super().__init__(words)
        self.object = object


@dataclass(frozen=True)
class Caller:
    """`session` is a session's public id; `operator` the system user at the command line, who needs no session."""

    session: str = ""
    operator: str = ""
    address: str = ""


def operator(user: str) -> Caller:
    """The person at the command line: whoever can read the home's files may do there what any role may."""
    return Caller(operator=user, address="cli")


@dataclass(frozen=True)
class Person:
    """The account behind a call, as the store has it now. `places` are (township, village or None); None is the whole county."""

    account: int | None
    name: str
    person: str
    role: str
    places: tuple[tuple[str, str | None], ...] | None
    session: str = ""
    address: str = ""

    @property
    def system(self) -> bool:
        """The operator at the command line."""
        return self.account is None

    def may(self, action: str) -> bool:
        return self.system or may(self.role, action)

    def holds(self, township: str | None, village: str | None) -> bool:
        """Whether a place is among this person's; one that is not known is the whole county's only."""
        if self.places is None:
            return True
        return any(township == t and (v is None or v == village) for t, v in self.places)

    def limit(self, township: ColumnElement[Any], village: ColumnElement[Any]) -> ColumnElement[bool] | None:
        """`holds` as a condition on two columns of the case store; None where nothing is to be limited."""
        if self.places is None:
            return None
        alternatives = [township == t if v is None else and_(township == t, village == v) for t, v in self.places]
        return or_(*alternatives) if alternatives else township != township

    @property
    def scope(self) -> Scope:
        """`holds` for the warehouse's queries, masked."""
        return Scope(allowed=self.places)


@dataclass(frozen=True)
class Acting:
    """One call: its transaction, who calls, and when."""

    con: Connection
    person: Person
    at: datetime
    store: Store

    def need(self, action: str) -> None:
        """A further permission within the same call. Raises Denied."""
        if not self.person.may(action):
            raise Denied

    def within(self, township: str | None, village: str | None) -> None:
        """The object's place must be among the person's. Raises Denied."""
        if not self.person.holds(township, village):
            raise Denied

    def journal(self, event: str, object: str = "", result: str = "ok", **detail: Any) -> None:
        journal.append(self.con, self.store.key, _entry(self.person, event, object, result, detail), self.at)


def acting(store: Store, caller: Caller, action: str, at: datetime) -> AbstractContextManager[Acting]:
    """A writing call. Raises SessionOver or Denied, both journalled, with nothing changed."""
    return _called(store.write, store, caller, action, at)


def reading(store: Store, caller: Caller, action: str, at: datetime) -> AbstractContextManager[Acting]:
    """A call that only reads (and is not journalled). Raises SessionOver or Denied, both journalled."""
    return _called(store.read, store, caller, action, at)


@contextmanager
def _called(
    begin: Callable[[], AbstractContextManager[Connection]], store: Store, caller: Caller, action: str, at: datetime
) -> Iterator[Acting]:
    """Who calls, looked up in the call's own transaction; a refusal is journalled after that one has ended."""
    person: Person | None = None
    try:
        with begin() as con:
            person = who(con, caller, at)
            act = Acting(con, person, at, store)
            act.need(action)
            yield act
    except (Denied, SessionOver) as refusal:
        _refused(store, caller, person, action, refusal, at)
        raise


def who(con: Connection, caller: Caller, at: datetime) -> Person:
    """The person behind a caller. Raises SessionOver where the session is unknown, ended, idle, too old or not complete."""
    if caller.operator:
        return Person(None, f"cli:{caller.operator}", caller.operator, ADMINISTRATOR, None, address=caller.address)
    told = {"public": caller.session, "created": at - ABSOLUTE, "seen": at - IDLE}
    row = con.execute(_PERSON, told).one_or_none()
    if row is None or not caller.session:
        raise SessionOver
    return Person(row.id, row.name, row.person, row.role, reach(con, row.id, row.role), caller.session, caller.address)


def reach(con: Connection, account_id: int, role: str) -> tuple[tuple[str, str | None], ...] | None:
    """The places (township, village or None) that an account of a role works in; None is the whole county."""
    rows = con.execute(_PLACES, {"account": account_id}).all()
    if not rows and ROLES[role].reach == "county":
        return None
    villages_only = ROLES[role].reach == "village"
    return tuple((t, v) for t, v in rows if v is not None or not villages_only)


def alive(at: datetime) -> tuple[ColumnElement[bool], ...]:
    """The conditions under which a session (joined with its account) still holds."""
    return _holds(at - ABSOLUTE, at - IDLE)


def _holds(created: Any, seen: Any) -> tuple[ColumnElement[bool], ...]:
    """`alive`, with the moments after which it must have begun and somebody have done something."""
    active, open_ = account.c.state == "active", session.c.ended_at.is_(None)
    return (open_, session.c.created_at > created, session.c.seen_at > seen, active)


# Asked by every call, and so put together once: that takes longer than asking.
_PERSON = (
    select(account.c.id, account.c.name, account.c.person, account.c.role)
    .join(session, session.c.account_id == account.c.id)
    .where(
        session.c.public == bindparam("public"),
        session.c.stage == "full",
        *_holds(bindparam("created"), bindparam("seen")),
    )
)
_PLACES = (
    select(account_place.c.township, account_place.c.village)
    .where(account_place.c.account_id == bindparam("account"))
    .order_by(account_place.c.township, account_place.c.village)
)


def touch(store: Store, caller: Caller, at: datetime) -> None:
    """The person did something: the idle time begins anew. Written once a minute at most; what is over stays over."""
    with store.read() as con:
        asked = select(session.c.seen_at).join(account, account.c.id == session.c.account_id)
        seen = con.execute(asked.where(session.c.public == caller.session, *alive(at))).scalar()
    if seen is not None and at - seen >= TOUCH:
        with store.write() as con:
            con.execute(update(session).where(session.c.public == caller.session).values(seen_at=at))


def _entry(person: Person, event: str, object: str, result: str, detail: dict[str, Any]) -> Entry:
    return Entry(
        person.name, "operator" if person.system else person.role, person.address, event, object, result, detail
    )


def _refused(
    store: Store, caller: Caller, person: Person | None, action: str, refusal: Exception, at: datetime
) -> None:
    why, of = {"why": type(refusal).__name__}, getattr(refusal, "object", "")
    nobody = Entry("?", "", caller.address, action, of, "denied", why)
    entry = nobody if person is None else _entry(person, action, of, "denied", why)
    with store.write() as con:
        journal.append(con, store.key, entry, at)
