"""What may be done with an alert in which status, and what it is then. One table; everything else is refused in words.

    moved("verifying", "decide") -> "decided"      moved("new", "close") raises NotNow

`returned` is work that was sent back: to the person who had it (assignee kept), or to the pool (none). `closed` is an end:
a condition that comes back opens a new alert with this one in view.
"""

from __future__ import annotations

from monitoring.language import Words

STATUSES: dict[str, tuple[str, str]] = {
    "new": ("待分派", "Unassigned"),
    "assigned": ("待核实", "To be verified"),
    "verifying": ("核实中", "Being verified"),
    "decided": ("已决定", "Decided"),
    "following": ("跟踪帮扶中", "Help followed up"),
    "returned": ("已退回", "Sent back"),
    "referred": ("等部门答复", "Waiting for a department"),
    "closed": ("已办结", "Closed"),
}

VERBS: dict[str, tuple[str, str]] = {
    "claim": ("认领", "Claim"),
    "assign": ("分派", "Assign"),
    "hand_back": ("交回", "Hand back"),
    "start": ("开始核实", "Begin verification"),
    "visit": ("登记走访", "Record a visit"),
    "emergency": ("转急难", "Put on the emergency track"),
    "decide": ("作出决定", "Decide"),
    "measure": ("登记帮扶措施", "Record a measure"),
    "follow_up": ("安排跟踪回访", "Set a follow-up"),
    "refer": ("转部门办理", "Refer to a department"),
    "answer": ("登记部门答复", "Record a department's answer"),
    "resume": ("继续核实", "Go on verifying"),
    "settle": ("答复已齐", "All answered"),
    "confer": ("召集一事一议", "Call a case conference"),
    "confer_decide": ("登记会议决定", "Record the conference's decision"),
    "return": ("退回重办", "Send back"),
    "close": ("办结", "Close"),
    "comment": ("备注", "Comment"),
}

# Verbs that follow from another one and are nobody's button: the last answer brings the work back to who asked.
BY_ITSELF = frozenset({"resume", "settle"})

MOVES: dict[tuple[str, str], str] = {
    ("new", "claim"): "assigned",
    ("new", "assign"): "assigned",
    ("new", "visit"): "verifying",
    ("new", "refer"): "referred",
    ("new", "emergency"): "new",
    ("new", "comment"): "new",
    ("assigned", "assign"): "assigned",
    ("assigned", "hand_back"): "returned",
    ("assigned", "start"): "verifying",
    ("assigned", "visit"): "verifying",
    ("assigned", "refer"): "referred",
    ("assigned", "emergency"): "assigned",
    ("assigned", "comment"): "assigned",
    ("verifying", "assign"): "verifying",
    ("verifying", "hand_back"): "returned",
    ("verifying", "visit"): "verifying",
    ("verifying", "emergency"): "verifying",
    ("verifying", "measure"): "verifying",  # aid first, papers later (CJ 二（七）)
    ("verifying", "refer"): "referred",
    ("verifying", "confer"): "verifying",
    ("verifying", "confer_decide"): "verifying",
    ("verifying", "decide"): "decided",
    ("verifying", "return"): "returned",
    ("verifying", "comment"): "verifying",
    ("decided", "assign"): "decided",
    ("decided", "visit"): "decided",
    ("decided", "measure"): "decided",
    ("decided", "refer"): "referred",
    ("decided", "confer"): "decided",
    ("decided", "confer_decide"): "decided",
    ("decided", "decide"): "decided",
    ("decided", "follow_up"): "following",
    ("decided", "return"): "returned",
    ("decided", "close"): "closed",
    ("decided", "comment"): "decided",
    ("following", "assign"): "following",
    ("following", "visit"): "following",
    ("following", "measure"): "following",
    ("following", "refer"): "referred",
    ("following", "confer"): "following",
    ("following", "confer_decide"): "following",
    ("following", "decide"): "decided",
    ("following", "follow_up"): "following",
    ("following", "return"): "returned",
    ("following", "close"): "closed",
    ("following", "comment"): "following",
    ("returned", "claim"): "assigned",
    ("returned", "assign"): "assigned",
    ("returned", "hand_back"): "returned",
    ("returned", "start"): "verifying",
    ("returned", "visit"): "verifying",
    ("returned", "refer"): "referred",
    ("returned", "emergency"): "returned",
    ("returned", "comment"): "returned",
    ("referred", "assign"): "referred",
    ("referred", "visit"): "referred",
    ("referred", "emergency"): "referred",
    ("referred", "measure"): "referred",
    ("referred", "refer"): "referred",  # one case may wait for several departments (CJ 二（三）)
    ("referred", "answer"): "referred",
    ("referred", "resume"): "verifying",
    ("referred", "settle"): "decided",
    ("referred", "confer"): "referred",
    ("referred", "confer_decide"): "referred",
    ("referred", "comment"): "referred",
    ("closed", "comment"): "closed",
}

# Verb -> the permission that it needs (monitoring.people.roles).
ACTION: dict[str, str] = {
    "claim": "alert.claim",
    "assign": "alert.assign",
    "hand_back": "alert.hand_back",
    "start": "alert.visit",
    "visit": "alert.visit",
    "emergency": "alert.visit",
    "decide": "alert.decide",
    "measure": "alert.measure",
    "follow_up": "alert.decide",
    "refer": "alert.refer",
    "answer": "alert.answer",
    "confer": "alert.confer",
    "confer_decide": "alert.confer",
    "return": "alert.return",
    "close": "alert.close",
    "comment": "alert.comment",
}

# Work that nobody has; every other open status has somebody, except `returned`, which may have.
UNHELD = frozenset({"new"})
HELD = frozenset({"assigned", "verifying", "decided", "following", "referred"})
# A decision stands in these; in `referred` one may.
DECIDED = frozenset({"decided", "following", "closed"})


class NotNow(Exception):
    """The alert's status does not allow this; the text (Chinese) says what it allows."""

    def __init__(self, status: str, verb: str) -> None:
        self.status, self.verb = status, verb
        self.words = Words(
            "预警现在是“{status}”，不能{verb}；现在可以：{can}", status=STATUSES[status], verb=VERBS[verb],
            can=[VERBS[one] for one in possible(status)],
        )  # fmt: skip
        super().__init__(self.words)


def moved(status: str, verb: str) -> str:
    """The status after a verb. Raises NotNow."""
    try:
        return MOVES[status, verb]
    except KeyError:
        raise NotNow(status, verb) from None


def possible(status: str) -> tuple[str, ...]:
    """The verbs that a person can choose in a status, in the table's order."""
    return tuple(verb for at, verb in MOVES if at == status and verb not in BY_ITSELF)
