"""Who has an alert: claimed from the pool, assigned one by one or in a batch, handed back, sent back to be done again.

An alert goes only to an active account that works alerts and whose places hold the alert's place.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, or_, select
from sqlalchemy.engine import RowMapping

from monitoring.alerts.cards import AlertCard
from monitoring.alerts.cases import (
    Case,
    Refused,
    TakenByOther,
    find,
    held,
    named,
    opened,
    overtaken,
    shown,
    text,
    write,
)
from monitoring.alerts.details import in_places
from monitoring.alerts.limits import limit
from monitoring.alerts.moves import NotNow
from monitoring.alerts.naming import alert_object
from monitoring.language import Words
from monitoring.people import Caller, Denied, Person, acting, may
from monitoring.people.callers import reach
from monitoring.store import Store
from monitoring.store.schema import account, alert, alert_event

MOST_AT_ONCE = 500  # a batch is one transaction, which others wait for


@dataclass(frozen=True)
class Left:
    """An alert of a batch that was not assigned, and why (Chinese; `parts` can be said in another language)."""

    alert_id: int
    words: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Batch:
    """What a batch did: those that could be are assigned; the rest is named with the reason."""

    done: list[AlertCard]
    left: list[Left]


def claim(store: Store, caller: Caller, alert_id: int, version: int | None, at: datetime) -> AlertCard:
    """Takes an alert from the pool. Raises TakenByOther, naming who has it. `version` None: whatever it is now."""
    with opened(store, caller, "claim", alert_id, version, at) as case:
        return _claimed(case)


def claim_next(store: Store, caller: Caller, at: datetime, levels: Sequence[str] = ()) -> AlertCard | None:
    """Takes the first alert by rank that nobody has in the person's places; None where there is none.

    What the person has handed back before is not given to them again. Callers do not wait for each other's alerts: on
    PostgreSQL a row that somebody is taking is passed over; on SQLite writers come one after the other.
    """
    with acting(store, caller, "alert.claim", at) as act:
        wanted = [alert.c.level.in_(levels)] if levels else []
        first = _first_free().where(*wanted, *in_places(act.person))
        row = act.con.execute(first, {"me": named(act)}).mappings().one_or_none()
        return None if row is None else _claimed(Case(act, row, "claim"))


def assign(
    store: Store, caller: Caller, alert_id: int, version: int, to: int, at: datetime, note: str = ""
) -> AlertCard:
    """Gives an alert to an account; work under way keeps its status. Raises Refused where the account can't take it."""
    with opened(store, caller, "assign", alert_id, version, at) as case:
        _assigned(case, _worker(case.act.con, to), text(note, Words("说明"), needed=False))
        return case.saved()


def assign_many(
    store: Store, caller: Caller, wanted: Sequence[tuple[int, int]], to: int, at: datetime, note: str = ""
) -> Batch:
    """Assigns (alert, version seen) in one transaction: those that can be are, the rest are named with the reason.

    Raises Refused where nothing can be: an account that works no alerts, or more than MOST_AT_ONCE.
    """
    if len(wanted) > MOST_AT_ONCE:
        raise Refused(Words("一次最多分派 {most} 条，现选了 {n} 条", most=MOST_AT_ONCE, n=len(wanted)))
    note, done, left, strange = text(note, Words("说明"), needed=False), list[Case](), list[Left](), list[int]()
    with acting(store, caller, "alert.assign", at) as act:
        worker = _worker(act.con, to)
        for alert_id, version in sorted(set(wanted)):  # in one order for all: two batches never wait for each other
            try:
                case = Case(act, find(act, alert_id), "assign")
                if case.row["version"] != version:
                    raise overtaken(act, case.row, "assign", version)
                _assigned(case, worker, note)
                write(case)
                done.append(case)
            except (Denied, NotNow, TakenByOther, Refused) as refusal:
                parts = getattr(refusal, "words", str(refusal))
                left.append(Left(alert_id, str(refusal), (parts,) if isinstance(parts, str) else parts))
                strange += [alert_id] if isinstance(refusal, Denied) else []
        for case in done:  # the journal's lock comes last: others hold an alert while they wait for it
            act.journal("alert.assign", alert_object(case.id), **case.told)
        for alert_id in strange:
            act.journal("alert.assign", alert_object(alert_id), "denied")
        return Batch([shown(act, case.id) for case in done], left)


def hand_back(store: Store, caller: Caller, alert_id: int, version: int, reason: str, at: datetime) -> AlertCard:
    """Gives an alert that is one's own back to the pool, with the reason."""
    with opened(store, caller, "hand_back", alert_id, version, at) as case:
        case.step("hand_back", text(reason, Words("交回的理由")))
        if case.row["assignee"] != case.account:
            raise Refused("这条预警不在您名下，不能交回；需要换人请用“分派”")
        case.set(assignee=None, assigned_at=None)
        case.due(limit("assign", case.today))
        return case.saved()


def return_to(store: Store, caller: Caller, alert_id: int, version: int, reason: str, at: datetime) -> AlertCard:
    """Sends work back to the person who has it, to be done again; a decision that stood no longer does."""
    with opened(store, caller, "return", alert_id, version, at) as case:
        case.step("return", text(reason, Words("退回的理由")), outcome=case.row["outcome"])
        case.set(outcome=None, decided_at=None)
        case.due(limit("redo", case.today))
        return case.saved()


def worker_of(con: Connection, account_id: int) -> Person | None:
    """The person of an account that is active and works alerts; None otherwise."""
    row = con.execute(select(account).where(account.c.id == account_id, account.c.state == "active")).one_or_none()
    if row is None or not may(row.role, "alert.claim"):
        return None
    return Person(row.id, row.name, row.person, row.role, reach(con, row.id, row.role))


@functools.cache
def _first_free() -> Select[Any]:
    """The first alert in the pool that "me" has not handed back. Put together once: that takes longer than asking."""
    free = [alert.c.assignee.is_(None), alert.c.status.in_(("new", "returned")), alert.c.id.not_in(_handed_back())]
    works = or_(alert.c.raises_work.is_(True), alert.c.status == "returned")
    ordered = select(alert).where(*free, works).order_by(alert.c.rank.desc(), alert.c.id)
    return ordered.limit(1).with_for_update(skip_locked=True)


def _handed_back() -> Select[tuple[int]]:
    """What lies in the pool because "me" handed it back. By itself, so that it's asked once and not for every row."""
    lies = alert.alias()
    by_me = [alert_event.c.event == "hand_back", alert_event.c.account_id == bindparam("me")]
    joined = select(lies.c.id).join(alert_event, alert_event.c.alert_id == lies.c.id)
    return joined.where(lies.c.status == "returned", lies.c.assignee.is_(None), *by_me)


def _worker(con: Connection, account_id: int) -> Person:
    person = worker_of(con, account_id)
    if person is None:
        raise Refused("这个账号不存在、已停用，或不办理预警，不能分派给它")
    return person


def _claimed(case: Case) -> AlertCard:
    account_id = case.account
    if case.row["assignee"] is not None and case.row["closed_at"] is None:
        raise held(case.act, case.row)
    case.step("claim")
    _has(case, account_id)
    return case.saved()


def _assigned(case: Case, to: Person, note: str) -> None:
    """Prepares an assignment. Raises NotNow, Refused."""
    case.step("assign", note, to=to.person, account=to.account, before=case.row["assignee"])
    if not to.holds(case.row["township"], case.row["village"]):
        raise Refused(Words("{person} 不负责{place}，不能分派", person=to.person, place=_place(case.row)))
    if case.row["assignee"] == to.account and case.row["status"] != "returned":
        raise Refused(Words("这条预警已经在 {person} 名下", person=to.person))
    _has(case, to.account)
    case.journal(to=to.name)


def _has(case: Case, account_id: int | None) -> None:
    """A new person is no new deadline; what came back after its verification has one of its own."""
    case.set(assignee=account_id, assigned_at=case.act.at)
    if case.row["status"] == "returned" and case.row["verified_at"] is not None:
        case.due(limit("redo", case.today))


def _place(row: RowMapping) -> str:
    return f"{row['township'] or ''}{row['village'] or ''}" or Words("地点不明的预警")
