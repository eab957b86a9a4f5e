"""What came of a rule at the door: of the alerts with its signal that were decided, how many were confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from monitoring.alerts.outcomes import OUTCOMES
from monitoring.people.callers import Caller, reading
from monitoring.shares import wilson
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal

NOT_SEEN = "N"  # cannot be reached, moved or dead: nobody looked, so that it says nothing of the rule


@dataclass(frozen=True)
class Confirmed:
    """`decided` alerts in whose household the rule stood, `confirmed` of them; the 95% interval of the share."""

    decided: int
    confirmed: int
    low: float
    high: float


def confirmed(store: Store, caller: Caller, at: datetime) -> dict[str, Confirmed]:
    """By rule, within the caller's places; a rule without a decided alert is not in it. Raises Denied or SessionOver."""
    with reading(store, caller, "page.rules", at) as act:
        asked = (
            select(alert_signal.c.rule, alert.c.outcome, func.count(alert.c.id.distinct()).label("alerts"))
            .join(alert, alert.c.id == alert_signal.c.alert_id)
            .where(alert.c.outcome.is_not(None), alert.c.outcome != NOT_SEEN)
            .group_by(alert_signal.c.rule, alert.c.outcome)
        )
        limit = act.person.limit(alert.c.township, alert.c.village)
        rows = act.con.execute(asked if limit is None else asked.where(limit)).all()
    counts: dict[str, list[int]] = {}
    for rule, outcome, alerts in rows:
        found = counts.setdefault(rule, [0, 0])
        found[0] += alerts
        found[1] += 0 if outcome in OUTCOMES and OUTCOMES[outcome].false_alarm else alerts
    return {rule: Confirmed(decided, yes, *wilson(yes, decided)) for rule, (decided, yes) in counts.items()}
