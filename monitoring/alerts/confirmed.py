"""What came of a rule at the door: of the alerts with its signal that were decided, how many were confirmed.

`DECIDED` and `CONFIRMED` are the one definition of it: for the page of rules, rule economics, replays and shadows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select

from monitoring.alerts.outcomes import OUTCOMES
from monitoring.people.callers import Caller, reading
from monitoring.shares import FEW, wilson
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal

NOT_SEEN = "N"  # cannot be reached, moved or dead: nobody looked, so that it says nothing of the rule
FALSE_ALARMS = tuple(code for code, outcome in OUTCOMES.items() if outcome.false_alarm)
DECIDED = and_(alert.c.outcome.is_not(None), alert.c.outcome != NOT_SEEN)
CONFIRMED = and_(DECIDED, alert.c.outcome.not_in(FALSE_ALARMS))


@dataclass(frozen=True)
class Confirmed:
    """`decided` alerts in whose household the rule stood, `confirmed` of them; the 95% interval of the share."""

    decided: int
    confirmed: int
    low: float
    high: float

    @classmethod
    def of(cls, decided: int, confirmed: int) -> Confirmed:
        return cls(decided, confirmed, *wilson(confirmed, decided))

    @property
    def few(self) -> bool:
        """Too few for a percentage: the interval is told."""
        return self.decided < FEW


def confirmed(store: Store, caller: Caller, at: datetime) -> dict[str, Confirmed]:
    """By rule, within the caller's places; a rule without a decided alert is not in it. Raises Denied or SessionOver."""
    with reading(store, caller, "page.rules", at) as act:
        asked = (
            select(
                alert_signal.c.rule,
                func.count(alert.c.id.distinct()).label("decided"),
                func.count(alert.c.id.distinct()).filter(CONFIRMED).label("confirmed"),
            )
            .join(alert, alert.c.id == alert_signal.c.alert_id)
            .where(DECIDED)
            .group_by(alert_signal.c.rule)
        )
        limit = act.person.limit(alert.c.township, alert.c.village)
        rows = act.con.execute(asked if limit is None else asked.where(limit)).all()
    return {rule: Confirmed.of(decided, yes) for rule, decided, yes in rows}
