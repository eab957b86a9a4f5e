"""One alert and all that is behind it, and a household's alerts: what a page shows beside the queue.

Opening an alert is journalled (`open_alert`), once a person and alert in half an hour. "Not there" and "not yours" are told alike.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, case, select
from sqlalchemy.sql import ColumnElement

from monitoring.alerts.cards import AlertCard, card, cards, digest
from monitoring.alerts.naming import alert_object
from monitoring.people import Acting, Caller, Denied, Person, acting, reading
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal, journal, unmasking
from monitoring.working_days import local_day

VIEW_AGAIN = timedelta(minutes=30)
# Asked by every card that is shown, and so put together once.
_UNMASKED = select(unmasking.c.household_id).where(
    unmasking.c.session == bindparam("session"), unmasking.c.until > bindparam("at")
)


STATES = ("standing", "shown", "settled", "gone")


@dataclass(frozen=True)
class AlertSignal:
    """One episode of one signal of an alert; its texts are masked. `state`: standing, shown, settled, gone."""

    id: int
    rule: str
    state: str
    kind: str
    level: str
    level_order: int
    episode: int
    department: str
    record_key: str | None
    message: str
    message_en: str | None
    clause: str
    evidence: Any
    due_date: date | None
    first_period: str
    last_period: str
    gone_period: str | None


def alert_card(store: Store, caller: Caller, alert_id: int, at: datetime) -> AlertCard:
    """One alert, open or closed. Raises Denied where it is not there or not in the person's places."""
    with reading(store, caller, "alert.view", at) as act:
        return _one(act, alert_id)


def open_alert(store: Store, caller: Caller, alert_id: int, at: datetime) -> AlertCard:
    """As `alert_card`, for showing all of it: journalled as `alert.view`, once a person and alert in VIEW_AGAIN."""
    with reading(store, caller, "alert.view", at) as act:
        opened = _one(act, alert_id)
        if _seen(act, alert_id):
            return opened
    with acting(store, caller, "alert.view", at) as act:
        opened = _one(act, alert_id)
        if not _seen(act, alert_id):
            household = {} if opened.household_id is None else {"household": digest(opened.household_id)}
            act.journal("alert.view", alert_object(alert_id), **household)
        return opened


def open_alert_of(store: Store, caller: Caller, household_id: str, at: datetime) -> AlertCard | None:
    """The household's open alert; None where there is none, or none in the person's places."""
    with reading(store, caller, "alert.view", at) as act:
        of = [alert.c.subject == "household", alert.c.subject_key == household_id, alert.c.closed_at.is_(None)]
        found = shown(act, cards().where(*of, *in_places(act.person)))
        return found[0] if found else None


def history(store: Store, caller: Caller, household_id: str, at: datetime) -> list[AlertCard]:
    """The household's closed alerts, the latest first."""
    with reading(store, caller, "alert.view", at) as act:
        of = [alert.c.household_id == household_id, alert.c.closed_at.is_not(None)]
        ordered = cards().where(*of, *in_places(act.person)).order_by(alert.c.closed_at.desc(), alert.c.id.desc())
        return shown(act, ordered)


def signals(store: Store, caller: Caller, alert_id: int, at: datetime) -> list[AlertSignal]:
    """What stands behind an alert: first what the work is for, which makes its level, then what is only shown, what was settled and
    what no longer holds, each the most urgent first. Raises Denied."""
    with reading(store, caller, "alert.view", at) as act:
        _one(act, alert_id)
        found = act.con.execute(
            select(*(alert_signal.c[name] for name in AlertSignal.__annotations__))
            .where(alert_signal.c.alert_id == alert_id)
            .order_by(order_of_states(), alert_signal.c.level_order, alert_signal.c.rule, alert_signal.c.id)
        ).mappings()
        return [AlertSignal(**{**row, "evidence": json.loads(row["evidence"])}) for row in found]


def order_of_states() -> ColumnElement[int]:
    """Of signals: what the work is for before what is only shown, settled or gone."""
    return case({state: place for place, state in enumerate(STATES)}, value=alert_signal.c.state, else_=len(STATES))


def unmasked(act: Acting) -> set[str]:
    """The households whose names this session may see in full now."""
    if not act.person.session:
        return set()
    return set(act.con.execute(_UNMASKED, {"session": act.person.session, "at": act.at}).scalars())


def shown(act: Acting, asked: Select[Any]) -> list[AlertCard]:
    """The cards of a statement (`cards()` with conditions), masked but for households that the session may see in full."""
    rows = act.con.execute(asked).mappings().all()
    full, today = unmasked(act) if rows else set(), local_day(act.at)
    return [card(row, today, masked=row["household_id"] not in full) for row in rows]


def in_places(person: Person) -> list[ColumnElement[bool]]:
    """The condition on `alert` that keeps a person to their places; none for the whole county."""
    limit = person.limit(alert.c.township, alert.c.village)
    return [] if limit is None else [limit]


def _one(act: Acting, alert_id: int) -> AlertCard:
    found = shown(act, cards().where(alert.c.id == alert_id, *in_places(act.person)))
    if not found:
        raise Denied(object=alert_object(alert_id))
    return found[0]


def _seen(act: Acting, alert_id: int) -> bool:
    """Whether this person's opening of the alert is journalled already."""
    same = [journal.c.object == alert_object(alert_id), journal.c.event == "alert.view", journal.c.result == "ok"]
    recent = [journal.c.who == act.person.name, journal.c.at > act.at - VIEW_AGAIN]
    return act.con.execute(select(journal.c.seq).where(*same, *recent).limit(1)).first() is not None
