"""What people do with alerts: every service behind the queue, the alert and the phone, in one place to import from.

Each is `(store, caller, alert_id, version, …, at) -> AlertCard`: one transaction, limited to the person's places, journalled.
They raise SessionOver and Denied (monitoring.people), NotNow, TakenByOther (DoneAlready where the step was one's own) and
Refused, all with Chinese words for the person.
"""

from monitoring.alerts.asking import answer, call_conference, decide_conference, refer
from monitoring.alerts.cases import DoneAlready, Refused, TakenByOther
from monitoring.alerts.deciding import Measure, add_measure, close, decide, follow_up
from monitoring.alerts.handing import (
    MOST_AT_ONCE,
    Batch,
    Left,
    assign,
    assign_many,
    claim,
    claim_next,
    hand_back,
    return_to,
)
from monitoring.alerts.holders import Taker, orphaned, who_can_take
from monitoring.alerts.moves import NotNow
from monitoring.alerts.verifying import FINDINGS, comment, mark_emergency, record_visit, start_verifying

__all__ = [
    "FINDINGS",
    "MOST_AT_ONCE",
    "Batch",
    "DoneAlready",
    "Left",
    "Measure",
    "NotNow",
    "Refused",
    "TakenByOther",
    "Taker",
    "add_measure",
    "answer",
    "assign",
    "assign_many",
    "call_conference",
    "claim",
    "claim_next",
    "close",
    "comment",
    "decide",
    "decide_conference",
    "follow_up",
    "hand_back",
    "mark_emergency",
    "orphaned",
    "record_visit",
    "refer",
    "return_to",
    "start_verifying",
    "who_can_take",
]
