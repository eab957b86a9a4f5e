"""An alert as it is shown to somebody: in a queue, beside a household, on a phone. Names are masked here, where they are read."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.engine import RowMapping

from monitoring.store.schema import account, alert
from monitoring.working_days import working_days_between

PERSONS = ("household", "record")  # subjects whose name is a person's
ESCALATED_AFTER = 3  # working days past the limit until the township's matter is the county's as well

_COLUMNS = (
    "id", "subject", "subject_key", "household_id", "township", "village", "name", "level", "level_order", "signals", "headline",
    "headline_en", "rules", "kinds", "departments", "raises_work", "emergency", "offers_closing", "status", "outcome", "assignee",
    "assigned_at", "waiting_for", "due_date", "verify_due_date", "points", "why", "rank", "score", "opened_period", "opened_on",
    "closed_at", "previous_id", "origin", "version",
)  # fmt: skip


@dataclass(frozen=True)
class AlertCard:
    """One alert. `name` and `household` are masked; `days_left` are working days to `due_date`, below 0 where it is past.

    `escalation`: 0 in time, 1 overdue (the township's matter), 2 overdue for more than ESCALATED_AFTER working days (the
    county's). `why` says what `points` are made of: (part, points, value).
    """

    id: int
    subject: str
    subject_key: str
    household_id: str | None  # as the registry writes it: for services, never shown
    household: str | None
    township: str | None
    village: str | None
    name: str | None
    level: str
    level_order: int
    signals: int
    headline: str
    headline_en: str | None
    rules: tuple[str, ...]
    kinds: tuple[str, ...]
    departments: tuple[str, ...]
    raises_work: bool
    emergency: bool
    offers_closing: bool
    status: str
    outcome: str | None
    assignee: int | None
    assignee_name: str | None
    assigned_at: datetime | None
    waiting_for: str | None
    due_date: date | None
    verify_due_date: date | None
    days_left: int | None
    escalation: int
    points: int
    why: tuple[tuple[str, int, Any], ...]
    rank: int
    score: float | None
    opened_period: str
    opened_on: date
    closed_at: datetime | None
    previous_id: int | None
    origin: str
    version: int


@functools.cache
def cards() -> Select[Any]:
    """The statement that `card` reads a row of; add conditions and an order to it."""
    columns = [alert.c[name] for name in _COLUMNS]
    return select(*columns, account.c.person.label("assignee_name")).join_from(
        alert, account, account.c.id == alert.c.assignee, isouter=True
    )


def card(row: RowMapping, today: date, masked: bool = True) -> AlertCard:
    """A row of `cards()` as it is shown on a day; `masked=False` only while an unmasking is in force for the caller."""
    left = None if row["due_date"] is None else working_days_between(today, row["due_date"])
    late = row["due_date"] is not None and row["due_date"] < today and row["closed_at"] is None
    told = {name: row[name] for name in _COLUMNS}
    told |= {
        "household": shown_household(row["household_id"]),
        "name": shown_name(row["name"], row["subject"]) if masked else row["name"],
        "assignee_name": row["assignee_name"],
        "rules": tuple(row["rules"].split()),
        "kinds": tuple(row["kinds"].split()),
        "departments": tuple(row["departments"].split()),
        "why": tuple((part, points, value) for part, points, value in row["why"]),
        "score": None if row["score"] is None else float(row["score"]),
        "days_left": left,
        "escalation": (2 if left is not None and -left > ESCALATED_AFTER else 1) if late else 0,
    }
    return AlertCard(**told)


def shown_name(name: str | None, subject: str) -> str | None:
    """A person's surname and two stars; institutions and sources keep theirs."""
    return f"{name[0]}**" if name and subject in PERSONS else name


def shown_household(household_id: str | None) -> str | None:
    """As `monitoring.exporting.masking.household`: a number made from an identity number shows a digest, always the same."""
    if household_id is None or not household_id.startswith("U-"):
        return household_id
    return f"U-{digest(household_id)}"


def digest(household_id: str) -> str:
    """The ten characters by which a household without a registry number is named wherever a person could read it."""
    return hashlib.sha256(f"household {household_id}".encode()).hexdigest()[:10]
