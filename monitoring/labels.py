"""Names of what the warehouse holds, for people: levels with their marks, kinds, subjects, columns, feeds.

Chinese texts; `monitoring.language` gives the English ones.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from monitoring.feeds import load_feeds
from monitoring.language import number
from monitoring.tables import SNAPSHOTS, Column

LEVELS = ("red", "orange", "yellow", "blue")
LEVEL_ZH = {"red": "红", "orange": "橙", "yellow": "黄", "blue": "蓝"}
LEVEL_MARK = {"red": "▲", "orange": "■", "yellow": "●", "blue": "◆"}
KINDS = ("gap", "risk", "exit", "process", "data")
KIND_ZH = {"gap": "应保未保", "risk": "返贫致贫风险", "exit": "退出复核", "process": "办理超期", "data": "数据问题"}
SUBJECT_ZH = {
    "household": "住户",
    "person": "个人",
    "record": "记录",
    "institution": "机构",
    "feed": "数据源",
    "policy": "政策",
    "model": "模型",
}
OUTCOME_ZH = {"hit": "命中", "unknown": "不明", "clear": "未命中"}
STATE_ZH = {"covered": "已覆盖", "missing": "缺", "unknown": "不明"}
INCOME_SOURCE_ZH = {"核对": "经济状况核对", "监测": "防返贫监测", "低保台账": "低保台账"}  # as the snapshot says them
FROM_CHECK = "核对"
UNIT_ZH = {
    "persons": "人", "yuan a month": "元/月", "yuan a year": "元/年", "yuan": "元", "days": "天", "working days": "个工作日",
    "vehicles": "辆", "homes": "套", "businesses": "家", "names": "个", "households": "户", "years": "岁", "certificates": "个",
    "grants": "次", "beds": "张",
}  # fmt: skip
SUBJECT_UNIT_ZH = {"household": "户", "person": "人", "record": "条", "institution": "所", "feed": "种", "policy": "个"}
# how parameters' values are said, by the unit that packs give in Chinese
PERCENT_UNITS = ("占比（0–1）", "比例")
UNITS_UNSAID = ("是/否", "户的范围", "周期", "车辆类型")
CODE_ZH = {"low-income": "低收入家庭", "month": "每月", "停用": "已停用"}


def parameter_words(value: Any, unit: str, say: Callable[..., str]) -> str:
    """A parameter's value as people say it: 650 元/人·月, 30%, 是, 汽车、摩托车, 低收入家庭. `unit`: Chinese, as in the pack;
    `say` puts a Chinese text into the language."""
    if value is None or value == "":
        return say("无")
    if isinstance(value, bool):
        return say("是") if value else say("否")
    parts = value if isinstance(value, list | tuple) else str(value).split("、")
    said = say("、").join(_plain(str(part), unit in PERCENT_UNITS, say) for part in parts)
    needless = unit in (*PERCENT_UNITS, *UNITS_UNSAID, "") or str(value) in ("是", "否", "无", "停用")
    return said if needless else f"{said} {say(unit)}"


def _plain(text: str, percent: bool, say: Callable[..., str]) -> str:
    try:
        figure = Decimal(text)
    except InvalidOperation:
        return say(CODE_ZH.get(text, text))
    return f"{number(100 * figure)}%" if percent else number(figure)


def columns_of(subject: str) -> dict[str, Column]:
    """The documented columns that a rule of this subject reads."""
    return SNAPSHOTS[subject]


@cache
def feed_titles() -> dict[str, str]:
    """Feed id -> its Chinese name."""
    return {name: feed.title for name, feed in load_feeds(None).items()}


@cache
def feed_departments() -> dict[str, str]:
    return {name: feed.department for name, feed in load_feeds(None).items()}
