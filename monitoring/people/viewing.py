"""Looking at a household leaves a trace, and seeing its full numbers needs a purpose.

One journal row a person and household for half an hour; an unmasking holds for half an hour, for one session and one
household. Both are written before anything is shown: what cannot be journalled is not seen.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select

from monitoring.alerts.naming import household_object
from monitoring.people.callers import Acting, Caller, Denied, Person, acting, reading
from monitoring.queries import household
from monitoring.store import Store
from monitoring.store.schema import journal, unmasking
from monitoring.store.sealing import keyed_digest
from monitoring.warehouse import Warehouse

HOLDS = timedelta(minutes=30)
SHORTEST_PURPOSE = 4
_LONG_NUMBER = re.compile(r"[0-9０-９]{7,}[0-9０-９Xx]")  # numbers and phones have no place in the journal
Place = tuple[str | None, str | None]


class PurposeMissing(Exception):
    """Full numbers were asked for without saying what for; `words` (Chinese) are for the person."""

    def __init__(self) -> None:
        self.words = f"请写明查看完整信息的用途（至少 {SHORTEST_PURPOSE} 个字），用途会记入操作日志"
        super().__init__(self.words)


def stated_purpose(purpose: str) -> str:
    """The purpose as the journal keeps it. Raises PurposeMissing."""
    said = _LONG_NUMBER.sub("********", " ".join(purpose.split()))[:200]
    if len(said) < SHORTEST_PURPOSE:
        raise PurposeMissing
    return said


def view_household(store: Store, caller: Caller, warehouse: Warehouse, household_id: str, at: datetime) -> None:
    """Journals that somebody looks at a household; where it lives is what the published `warehouse` says, not the caller.
    Raises Denied (also where there is no such household) or SessionOver."""
    object = household_object(household_id)
    with reading(store, caller, "household.view", at) as act:
        within(act, warehouse, household_id)
        if _seen(act.con, act.person, "household.view", object, at):
            return
    with acting(store, caller, "household.view", at) as act:
        within(act, warehouse, household_id)
        act.journal("household.view", object)


def searched(store: Store, caller: Caller, text: str, found: int, at: datetime) -> None:
    """Journals that somebody searched for households and how many were found. What was searched for, mostly a name, is kept
    as a keyed digest: the same search can be known again, and nobody reads it. Once a person and search in HOLDS."""
    with reading(store, caller, "household.view", at) as act:
        object = f"search:{keyed_digest(store.key, 'household search', text.strip())[:16]}"
        if _seen(act.con, act.person, "household.search", object, at):
            return
    with acting(store, caller, "household.view", at) as act:
        act.journal("household.search", object, found=found)


def within(act: Acting, warehouse: Warehouse, household_id: str) -> Place:
    """The household's place, which must be among the person's. Raises Denied."""
    place = household.place_of(warehouse, household_id)
    if place is None:
        raise Denied(object=household_object(household_id))
    act.within(*place)
    return place


def unmask(store: Store, caller: Caller, warehouse: Warehouse, household_id: str, purpose: str, at: datetime) -> None:
    """Shows the household's full numbers and names to this session for half an hour. Raises PurposeMissing, Denied, SessionOver."""
    with acting(store, caller, "household.unmask", at) as act:
        within(act, warehouse, household_id)
        _open(act, household_id, household_object(household_id), purpose, at)


def unmask_pair(store: Store, caller: Caller, pair: str, purpose: str, at: datetime) -> None:
    """As `unmask`, for one row or pair of the link review, which `pair` (a digest) names: its sides may be of any place, so it
    is for the whole county's people only."""
    with acting(store, caller, "household.unmask", at) as act:
        if act.person.places is not None:
            raise Denied(object=f"pair:{pair}")
        _open(act, pair, f"pair:{pair}", purpose, at)


def _open(act: Acting, known_as: str, object: str, purpose: str, at: datetime) -> None:
    said = stated_purpose(purpose)
    if act.person.account is None:
        raise Denied
    row = {"session": act.person.session, "account_id": act.person.account, "household_id": known_as,
           "purpose": said, "at": at, "until": at + HOLDS}  # fmt: skip
    act.con.execute(insert(unmasking).values(row))
    act.journal("household.unmask", object, purpose=said)


def unmasked(store: Store, caller: Caller, household_id: str, at: datetime) -> bool:
    """Whether the caller's session may see this household's full numbers now. Raises Denied or SessionOver."""
    with reading(store, caller, "household.view", at) as act:
        asked = select(unmasking.c.id).where(
            unmasking.c.session == act.person.session,
            unmasking.c.account_id == act.person.account,
            unmasking.c.household_id == household_id,
            unmasking.c.until > at,
        )
        return act.person.may("household.unmask") and act.con.execute(asked.limit(1)).first() is not None


def _seen(con: Connection, person: Person, event: str, object: str, at: datetime) -> bool:
    asked = select(journal.c.seq).where(
        journal.c.who == person.name,
        journal.c.at > at - HOLDS,
        journal.c.event == event,
        journal.c.object == object,
        journal.c.result == "ok",
    )
    return con.execute(asked.limit(1)).first() is not None
