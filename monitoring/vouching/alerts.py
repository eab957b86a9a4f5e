"""The alerts of set 17, one by one: verified in time, late, overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.sql import ColumnElement

from monitoring.access import Scope
from monitoring.alerts.cards import shown_name
from monitoring.alerts.details import in_places
from monitoring.checklist import COVERED, MISSING, UNKNOWN
from monitoring.people import Caller, reading
from monitoring.store import Store
from monitoring.store.schema import alert
from monitoring.vouching.live import Of, of_set_17, verification
from monitoring.working_days import local_day

_STATES = {"covered": COVERED, "missing": MISSING, "unknown": UNKNOWN}


@dataclass(frozen=True)
class Timely:
    """Up to a page of `total` alerts: id, name (masked), township, village, due, how."""

    rows: list[dict[str, Any]]
    total: int


def timely(
    store: Store, caller: Caller, of: Of, scope: Scope, state: str, page: int = 1, size: int = 50, *, at: datetime
) -> Timely:
    """The alerts of the picked places that stand in a state of set 17, by their limit. Raises Denied or SessionOver."""
    with reading(store, caller, "page.checklist", at) as act:
        how = verification(act.con, local_day(at)).label("how")
        wanted = [*of_set_17(of), *in_places(act.person), *_picked(scope), how.in_(_STATES[state])]
        total = act.con.execute(select(func.count()).select_from(alert).where(*wanted)).scalar_one()
        asked = select(
            alert.c.id, alert.c.name, alert.c.subject, alert.c.township, alert.c.village, alert.c.verify_due_date, how
        )
        asked = asked.where(*wanted).order_by(alert.c.verify_due_date, alert.c.id)
        found = act.con.execute(asked.limit(size).offset(size * (max(page, 1) - 1))).mappings().all()
    rows = [
        {"id": row["id"], "name": shown_name(row["name"], row["subject"]), "township": row["township"], "village": row["village"],
         "due": row["verify_due_date"], "how": row["how"]}
        for row in found
    ]  # fmt: skip
    return Timely(rows, total)


def _picked(scope: Scope) -> list[ColumnElement[bool]]:
    """The places that were picked in the frame."""
    wanted: list[ColumnElement[bool]] = []
    if scope.townships is not None:
        wanted.append(
            or_(
                *(
                    alert.c.township == town if town is not None else alert.c.township.is_(None)
                    for town in scope.townships
                )
            )
        )
    if scope.villages is not None:
        wanted.append(or_(*(
            and_(*(column == value if value is not None else column.is_(None)
                   for column, value in zip((alert.c.township, alert.c.village), pair, strict=True)))
            for pair in scope.villages
        )))  # fmt: skip
    return wanted
