"""A decision or a closing that kills itself at its n-th statement, for test_alerts_work.py: kill -9, nothing is tidied up.

The statements are counted as the database gets them, with the commit; one more is the moment after it.
"""

from __future__ import annotations

import os
import signal
from decimal import Decimal
from pathlib import Path

from sqlalchemy import event

from monitoring.alerts.cards import AlertCard
from monitoring.alerts.work import Measure, close, decide
from monitoring.people import Caller
from monitoring.store import Store, open_store
from tests.some_alerts import TODAY
from tests.stores import NOON


def act(store: Store, caller: Caller, what: str, alert_id: int, version: int) -> AlertCard:
    """The call that is killed and repeated: a decision with its measure and follow-up, or a closing with its quiet rows."""
    if what == "close":
        return close(store, caller, alert_id, version, NOON)
    aid = Measure("temporary", TODAY, "王芳", Decimal("800.00"))
    return decide(store, caller, alert_id, version, "F", "突发大病，先行救助", NOON, measure=aid)


def die_at(moment: int, home: Path, url: str | None, session: str, what: str, alert_id: int, version: int) -> None:
    """Ends by SIGKILL before the given statement (from 1 on); by itself, with status 0, where there are fewer."""
    store, left = open_store(home, url), [moment]

    def count(*_: object) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(store.engine, "before_cursor_execute", count)
    event.listen(store.engine, "commit", count)
    act(store, Caller(session=session), what, alert_id, version)
    count()
    store.close()
