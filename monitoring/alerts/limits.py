"""How long each step of an alert may take, in working days, and what is due next.

Verification's own limit comes with the signals (`alert.working_days_*` of the policy pack); these are the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from monitoring.working_days import add_working_days


@dataclass(frozen=True)
class Limit:
    """`days`: working days after the day on which the step before was done."""

    days: int
    zh: str
    en: str
    source: str


PRACTICE = "本系统默认值，县里可以另定"
LIMITS: dict[str, Limit] = {
    "assign": Limit(1, "分派", "assign", PRACTICE),
    "emergency": Limit(3, "急难救助从发现到发放", "emergency aid from discovery to payment", "草街街道2024 二（七）"),
    "decide": Limit(
        10, "核实后作出决定", "decide after verification", "《最低生活保障审核确认办法》第二十条：收到材料后10个工作日"
    ),
    "answer": Limit(10, "部门答复", "a department's answer", PRACTICE),
    "confer": Limit(10, "召开一事一议", "hold the conference", PRACTICE),
    "redo": Limit(3, "退回后重办", "do again what was sent back", PRACTICE),
    "close": Limit(3, "决定后办结", "close after the decision", PRACTICE),
    "admit": Limit(
        30,
        "审核确认低保、特困、边缘、刚性支出家庭",
        "admission to a programme",
        "《最低生活保障审核确认办法》第二十二条；《刚性支出困难家庭认定办法》",
    ),
    "pay": Limit(10, "发放临时救助", "pay temporary aid", PRACTICE),
    "help": Limit(20, "落实帮扶措施", "put measures in place", "防止返贫监测：识别认定至落实措施20个工作日"),
}
VISIT_BEFORE = 60  # calendar days before an alert's opening that a visit may still speak for it


def limit(name: str, start: date) -> date:
    """The last day of a limit that begins on a day."""
    return add_working_days(start, LIMITS[name].days)


def emergency_due(opened_on: date) -> date:
    return limit("emergency", opened_on)


def first(days: Iterable[date | None]) -> date | None:
    """The earliest of the days that there are."""
    return min((day for day in days if day is not None), default=None)
