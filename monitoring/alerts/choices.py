"""What a county chooses about its alerts: kept in the table `setting`, changed by the operator or the administrator, journalled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from monitoring.alerts.outcomes import FALSE_ALARM_DAYS, QUIET_DAYS
from monitoring.people import Caller, acting
from monitoring.store import Store
from monitoring.store.schema import setting

VISITS_A_WEEK = "alerts.visits_per_week"
SHOWS_RISK = "alerts.full_support_shows_risk"
FALSE_ALARM = "alerts.false_alarm_days"
QUIET = "alerts.quiet_days"
AUDIT_VISITS = "audit.visits_per_month"


class ChoiceError(ValueError):
    """There is no such choice, or the value is none of it; the text (Chinese) says what would be right."""


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ChoiceError(f"应为 {least} 至 {most} 的整数，收到的是 {text!r}")
        return int(text)

    return read


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no", "是", "否"):
        raise ChoiceError(f"应为 yes 或 no（是、否），收到的是 {text!r}")
    return text in ("yes", "是")


@dataclass(frozen=True)
class Choice:
    """One choice: what it means, its default, how a typed value is read, and the permission that changing it needs."""

    zh: str
    default: Any
    read: Callable[[str], Any]
    action: str = "setting.change"


CHOICES: dict[str, Choice] = {
    VISITS_A_WEEK: Choice("每名工作人员每周可走访户数（账号另有设定的除外）", 10, _whole(0, 500)),
    SHOWS_RISK: Choice("已全额保障的户，风险信号只显示、不派工作", True, _yes_or_no),
    FALSE_ALARM: Choice("核实无困难或数据有误后，同一规则同一对象暂不再报的天数", FALSE_ALARM_DAYS, _whole(0, 730)),
    QUIET: Choice("其他结论办结后，同一规则同一对象暂不再报的天数", QUIET_DAYS, _whole(0, 730)),
    AUDIT_VISITS: Choice(
        "漏判抽查：每月从没有任何信号的户里抽多少户走访，0 为不抽；下一次抽取起用", 30, _whole(0, 500), "sample.dial"
    ),
}


def chosen(con: Connection, name: str) -> Any:
    """The county's value of a choice, else its default."""
    row = con.execute(select(setting.c.value).where(setting.c.name == name)).one_or_none()
    return CHOICES[name].default if row is None else row.value


def choose(store: Store, caller: Caller, name: str, typed: str, at: datetime) -> Any:
    """Sets a choice from what was typed and gives the value. Raises ChoiceError, Denied."""
    if name not in CHOICES:
        raise ChoiceError(f"没有设置 {name}；可以设置：{'、'.join(CHOICES)}")
    value = CHOICES[name].read(typed.strip())
    with acting(store, caller, CHOICES[name].action, at) as act:
        before = chosen(act.con, name)
        act.con.execute(delete(setting).where(setting.c.name == name))
        act.con.execute(insert(setting).values(name=name, value=value, by=act.person.name, at=at))
        act.journal("setting.change", name, before=before, after=value)
    return value
