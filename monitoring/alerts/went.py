"""What ended households went to, as people recorded it when they decided (outcome K, the exit safety net): the other half of what
the registers say.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime

import polars as pl
from sqlalchemy import select

from monitoring.alerts.details import in_places
from monitoring.alerts.standing import overtaken_at
from monitoring.people import Caller, reading
from monitoring.store import Store
from monitoring.store.schema import alert, decision
from monitoring.working_days import local_day

SCHEMA = {"household_id": pl.String, "went_to": pl.String, "day": pl.Date}
NOTHING_RECORDED = pl.DataFrame(schema=SCHEMA)


def recorded(store: Store, caller: Caller, period: str, as_of: date, at: datetime) -> pl.DataFrame:
    """One row is a household of the caller's places whose last such decision of the 12 months before `as_of`, or later, says what
    it went to: household_id, went_to (`outcomes.WENT_TO`), day. Of a past period what was known before the next one's run was taken in. Raises Denied or
    SessionOver."""
    with reading(store, caller, "alert.view", at) as act:
        until = overtaken_at(act.con, period)
        asked = (
            select(alert.c.household_id, decision.c.went_to, decision.c.at)
            .join_from(decision, alert)
            .where(alert.c.household_id.is_not(None), decision.c.went_to.is_not(None), *in_places(act.person))
            .order_by(decision.c.id)
        )
        if until is not None:
            asked = asked.where(decision.c.at < until)
        last = {row.household_id: (row.went_to, local_day(row.at)) for row in act.con.execute(asked)}
    first = date(as_of.year - 1, as_of.month, min(as_of.day, monthrange(as_of.year - 1, as_of.month)[1]))
    rows = [(key, went, day) for key, (went, day) in last.items() if day > first]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
