"""What an alert's next step stands on: its visits, the departments that were asked, its conferences.

Typed texts are masked as in the timeline, unless an unmasking of the household is in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from monitoring.alerts.cases import find
from monitoring.alerts.details import unmasked
from monitoring.alerts.timeline import hide
from monitoring.people import Caller, reading
from monitoring.store import Store
from monitoring.store.schema import conference, referral, visit


@dataclass(frozen=True)
class Visit:
    """`finding`: monitoring.alerts.verifying.FINDINGS."""

    id: int
    date: date
    visitor: str
    met: bool
    finding: str
    note: str


@dataclass(frozen=True)
class Referral:
    """A department that was asked; `answered_on` is None while it has not answered."""

    id: int
    department: str
    asked: str
    due_date: date
    answered_on: date | None
    answer: str | None


@dataclass(frozen=True)
class Conference:
    """A case conference; `decision` is None until it is recorded."""

    id: int
    date: date
    present: str
    decision: str | None


@dataclass(frozen=True)
class Dealings:
    """All of one alert's, the latest first."""

    visits: list[Visit]
    referrals: list[Referral]
    conferences: list[Conference]

    @property
    def unanswered(self) -> list[Referral]:
        return [one for one in self.referrals if one.answered_on is None]

    @property
    def undecided(self) -> list[Conference]:
        return [one for one in self.conferences if one.decision is None]


def dealings(store: Store, caller: Caller, alert_id: int, at: datetime) -> Dealings:
    """Raises Denied where the alert is not there or not in the person's places; SessionOver."""
    with reading(store, caller, "alert.view", at) as act:
        row = find(act, alert_id)
        clear = row["household_id"] in unmasked(act)

        def of(table: Any, shape: type[Any]) -> list[Any]:
            asked = select(*(table.c[name] for name in shape.__annotations__)).where(table.c.alert_id == alert_id)
            found = act.con.execute(asked.order_by(table.c.id.desc())).mappings().all()
            told = [
                {k: hide(v, row) if isinstance(v, str) and not clear else v for k, v in one.items()} for one in found
            ]
            return [shape(**one) for one in told]

        return Dealings(of(visit, Visit), of(referral, Referral), of(conference, Conference))
