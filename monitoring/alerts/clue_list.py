"""The register of clues: what is open, what is overdue, who calls again and again; and the full names, where work needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, or_, select, true
from sqlalchemy.engine import RowMapping
from sqlalchemy.sql import ColumnElement

from monitoring.alerts.cards import shown_household
from monitoring.alerts.cases import find
from monitoring.alerts.clue_effects import CALLER, PHONE, without_names
from monitoring.alerts.clues import find_clue, plain_phone
from monitoring.exporting.masking import STARS
from monitoring.people import Acting, Caller, Denied, Person, acting, reading
from monitoring.people.viewing import stated_purpose
from monitoring.store import Store
from monitoring.store.schema import account, clue
from monitoring.store.sealing import keyed_digest, unseal
from monitoring.working_days import local_day, working_days_between

STATES: dict[str, tuple[str, str]] = {
    "open": ("未办结", "Open"),
    "overdue": ("超期", "Overdue"),
    "concluded": ("已办结", "Concluded"),
    "all": ("全部", "All"),
}
REPEATS, REPEAT_DAYS = 3, 90  # so many clues in so many days make a repeat caller


@dataclass(frozen=True)
class ClueRow:
    """One clue as it is shown: names and numbers masked. `calls`: clues of the same caller in the last REPEAT_DAYS days (1 for
    somebody who is not known again); `days_left` in working days, None where it is concluded."""

    id: int
    channel: str
    received_on: date
    caller: str
    phone: str
    person: str
    household_id: str | None
    household: str | None
    township: str | None
    village: str | None
    text: str
    emergency: bool
    due_date: date
    days_left: int | None
    overdue: bool
    concluded_on: date | None
    result: str
    alert_id: int | None
    by: str
    calls: int


@dataclass(frozen=True)
class CluePage:
    """`counts` by state under the same search; `page` counts from 1."""

    rows: list[ClueRow]
    total: int
    counts: dict[str, int]
    page: int
    pages: int


@dataclass(frozen=True)
class RepeatCaller:
    """Somebody who reported REPEATS times and more in REPEAT_DAYS days, masked; the clues, the latest first."""

    caller: str
    phone: str
    calls: int
    first: date
    last: date
    clues: list[ClueRow]


@dataclass(frozen=True)
class Revealed:
    """A clue's names, phone and text in full."""

    person: str
    caller: str
    phone: str
    text: str


def clue_page(store: Store, caller: Caller, state: str, text: str, page: int, at: datetime, size: int = 50) -> CluePage:
    """Clues of the caller's places in a state (STATES): the overdue first, then by limit; concluded ones the latest first.

    `text`: words of names and places, or a caller's whole phone. Raises Denied.
    """
    with reading(store, caller, "page.clues", at) as act:
        states = _states(local_day(at))
        where = [*_mine(act.person), *_searched(act, text)]
        sums = [func.count(case((kept, 1))).label(name) for name, kept in states.items()]
        counts = {name: int(n) for name, n in act.con.execute(select(*sums).where(*where)).mappings().one().items()}
        pages = max(1, -(-counts[state] // size))
        page = min(max(page, 1), pages)
        latest = state in ("concluded", "all")
        order = (
            [clue.c.received_on.desc(), clue.c.id.desc()]
            if latest
            else [clue.c.due_date, clue.c.received_on, clue.c.id]
        )
        return CluePage(
            _rows(act, [states[state], *where], order, size, (page - 1) * size), counts[state], counts, page, pages
        )


def clues_of(store: Store, caller: Caller, alert_id: int, at: datetime) -> list[ClueRow]:
    """The clues of an alert, the latest first. Raises Denied where it is not there or not in the caller's places."""
    with reading(store, caller, "alert.view", at) as act:
        find(act, alert_id)
        return _rows(act, [clue.c.alert_id == alert_id], [clue.c.received_on.desc(), clue.c.id.desc()])


def repeat_callers(store: Store, caller: Caller, at: datetime) -> list[RepeatCaller]:
    """Who reported again and again in the caller's places, the most first. Raises Denied."""
    with reading(store, caller, "page.clues", at) as act:
        lately = [*_lately(local_day(at)), *_mine(act.person)]
        often = select(clue.c.caller_key).where(*lately).group_by(clue.c.caller_key).having(func.count() >= REPEATS)
        keys = list(act.con.execute(often).scalars())
        known = act.con.execute(select(clue.c.id, clue.c.caller_key).where(*lately, clue.c.caller_key.in_(keys))).all()
        key_of = {row.id: row.caller_key for row in known}
        rows = _rows(act, [clue.c.id.in_(key_of)], [clue.c.received_on.desc(), clue.c.id.desc()])
        found = [[row for row in rows if key_of[row.id] == key] for key in keys]
        told = [
            RepeatCaller(some[0].caller, some[0].phone, len(some), some[-1].received_on, some[0].received_on, some)
            for some in found
        ]
        return sorted(told, key=lambda one: (-one.calls, -one.last.toordinal(), -one.clues[0].id))


def reveal(store: Store, caller: Caller, clue_id: int, purpose: str, at: datetime) -> Revealed:
    """The clue's names, phone and text in full, to call back: journalled with the purpose. Raises PurposeMissing, Denied."""
    with acting(store, caller, "household.unmask", at) as act:
        row = find_clue(act, clue_id)
        if act.person.account is None:
            raise Denied(object=f"clue:{clue_id}")
        act.journal("clue.reveal", f"clue:{clue_id}", purpose=stated_purpose(purpose))
        return Revealed(row["person"], row["caller"], _phone(act, row), row["text"])


def _rows(
    act: Acting,
    where: list[ColumnElement[bool]],
    order: Sequence[ColumnElement[Any]],
    size: int | None = None,
    offset: int = 0,
) -> list[ClueRow]:
    today = local_day(act.at)
    asked = (
        select(clue, account.c.person.label("by"))
        .join(account, account.c.id == clue.c.account_id, isouter=True)
        .where(*where)
    )
    rows = act.con.execute(asked.order_by(*order).limit(size).offset(offset)).mappings().all()
    calls = _calls(act, {row["caller_key"] for row in rows if row["caller_key"]}, today)
    return [_row(act, row, today, calls.get(row["caller_key"], 1)) for row in rows]


def _row(act: Acting, row: RowMapping, today: date, calls: int) -> ClueRow:
    phone, done = _phone(act, row), row["concluded_on"] is not None
    names = (row["person"], row["caller"])
    return ClueRow(
        id=row["id"], channel=row["channel"], received_on=row["received_on"], caller=_surname(row["caller"]),
        phone=f"{STARS}{phone[-4:]}" if phone else "", person=_surname(row["person"]), household_id=row["household_id"],
        household=shown_household(row["household_id"]), township=row["township"], village=row["village"],
        text=without_names(row["text"], *names), emergency=row["emergency"], due_date=row["due_date"],
        days_left=None if done else working_days_between(today, row["due_date"]), overdue=not done and row["due_date"] < today,
        concluded_on=row["concluded_on"], result=without_names(row["result"] or "", *names), alert_id=row["alert_id"],
        by=row["by"] or "", calls=max(calls, 1),
    )  # fmt: skip


def _calls(act: Acting, keys: set[str], today: date) -> dict[str, int]:
    """Caller -> their clues of the last REPEAT_DAYS days, in the person's places."""
    if not keys:
        return {}
    asked = select(clue.c.caller_key, func.count()).where(
        clue.c.caller_key.in_(keys), *_lately(today), *_mine(act.person)
    )
    return {key: int(count) for key, count in act.con.execute(asked.group_by(clue.c.caller_key))}


def _phone(act: Acting, row: RowMapping) -> str:
    return unseal(act.store.key, PHONE, row["phone"]) if row["phone"] else ""


def _surname(name: str) -> str:
    return f"{name[0]}**" if name else ""


def _states(today: date) -> dict[str, ColumnElement[bool]]:
    waiting = clue.c.concluded_on.is_(None)
    return {
        "open": waiting,
        "overdue": and_(waiting, clue.c.due_date < today),
        "concluded": clue.c.concluded_on.is_not(None),
        "all": true(),
    }


def _lately(today: date) -> list[ColumnElement[bool]]:
    return [clue.c.received_on > today - timedelta(REPEAT_DAYS), clue.c.caller_key != ""]


def _mine(person: Person) -> list[ColumnElement[bool]]:
    limit = person.limit(clue.c.township, clue.c.village)
    return [] if limit is None else [limit]


def _searched(act: Acting, text: str) -> list[ColumnElement[bool]]:
    """Each word must be found. A phone is looked for whole, by its digest: nothing else of it can be searched."""
    conditions = []
    for word in text.split():
        phone = plain_phone(word)
        if phone.isdigit() and len(phone) >= 7:
            conditions.append(clue.c.caller_key == keyed_digest(act.store.key, CALLER, f"phone {phone}"))
            continue
        columns = (clue.c.person, clue.c.caller, clue.c.village, clue.c.township)
        conditions.append(or_(*(column.contains(word, autoescape=True) for column in columns)))
    return conditions
