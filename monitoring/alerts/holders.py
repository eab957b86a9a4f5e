"""Whom an alert can be given to, and what is held by somebody who can no longer work on it.

An account that loses its place or its role keeps nothing silently: `orphaned` lists what must be handed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.sql import ColumnElement

from monitoring.alerts.cards import AlertCard, cards
from monitoring.alerts.cases import find
from monitoring.alerts.details import in_places, shown
from monitoring.alerts.workers import staff
from monitoring.people import Acting, Caller, reading
from monitoring.store import Store
from monitoring.store.schema import alert

_NEAR = {"village": 0, "township": 1, "county": 2}


@dataclass(frozen=True)
class Taker:
    """Somebody whom an alert can be assigned to; `open` is how many open alerts they have already."""

    account: int
    person: str
    role: str
    open: int


def who_can_take(store: Store, caller: Caller, alert_id: int, at: datetime) -> list[Taker]:
    """The accounts that an alert can be assigned to, the nearest to it first: village, then township, then county."""
    with reading(store, caller, "alert.assign", at) as act:
        row = find(act, alert_id)
        can = [worker for worker in staff(act.con) if worker.holds(row["township"], row["village"])]
        can.sort(key=lambda worker: (_NEAR[worker.reach], worker.person, worker.account))
        busy = _open_by_account(act, [worker.account for worker in can])
        return [Taker(one.account, one.person, one.role, busy.get(one.account, 0)) for one in can]


def orphaned(store: Store, caller: Caller, at: datetime) -> list[AlertCard]:
    """Open alerts in the caller's places whose person can no longer work on them: disabled, of another role, moved away."""
    with reading(store, caller, "alert.assign", at) as act:
        open_ones = [alert.c.closed_at.is_(None), alert.c.assignee.is_not(None), *in_places(act.person)]
        held = select(alert.c.assignee, alert.c.township, alert.c.village).where(*open_ones).distinct()
        works, gone, lost = (
            {worker.account: worker for worker in staff(act.con)},
            set[int](),
            list[ColumnElement[bool]](),
        )
        for holder, township, village in act.con.execute(held):
            if holder not in works:
                gone.add(holder)
            elif not works[holder].holds(township, village):
                place = [alert.c.township.is_not_distinct_from(township), alert.c.village.is_not_distinct_from(village)]
                lost.append(and_(alert.c.assignee == holder, *place))
        found = cards().where(*open_ones, or_(alert.c.assignee.in_(sorted(gone)), *lost))
        return shown(act, found.order_by(alert.c.rank.desc(), alert.c.id)) if gone or lost else []


def _open_by_account(act: Acting, accounts: list[int]) -> dict[int, int]:
    """All that they have, not only what the caller sees: who is busy elsewhere is busy."""
    of = [alert.c.closed_at.is_(None), alert.c.assignee.in_(accounts)]
    asked = select(alert.c.assignee, func.count()).where(*of).group_by(alert.c.assignee)
    return {key: int(count) for key, count in act.con.execute(asked)}
