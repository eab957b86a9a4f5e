"""How each department exports: format, encoding, separator, dates, and the rows it puts around the data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Habit:
    """How one feed is handed in."""

    kind: str = "csv"
    encoding: str = "utf-8-sig"
    separator: str = ","
    dates: str = "%Y-%m-%d"
    title: bool = False
    total: bool = False
    numbered: bool = False
    """An unknown column 序号 in front, an unknown column 备注 behind."""
    merged: bool = False
    hidden: bool = False
    explained: bool = False


HABITS: dict[str, Habit] = {
    "registry": Habit(dates="%Y-%m-%d"),
    "dibao": Habit(encoding="gb18030", dates="%Y-%m-%d", title=True, total=True, numbered=True),
    "tekun": Habit(kind="xlsx", dates="%Y年%-m月%-d日", title=True, total=True, merged=True),
    "low_income": Habit(kind="xlsx", dates="%Y/%-m/%-d", title=True, hidden=True),
    "temporary_aid": Habit(kind="xlsx", dates="serial", total=True, explained=True, numbered=True),
    "applications": Habit(encoding="utf-8", dates="%Y.%-m.%-d"),
    "income": Habit(encoding="gb18030", dates="%Y-%m-%d"),
    "monitored": Habit(encoding="utf-16", separator="\t", dates="%Y%m%d"),
    "disability": Habit(encoding="gb18030", dates="%Y/%-m/%-d"),
    "disability_subsidy": Habit(encoding="utf-8-sig", numbered=True),
    "medical": Habit(encoding="gb18030", dates="%Y-%m-%d 00:00:00"),
    "insurance": Habit(encoding="utf-8"),
    "education": Habit(encoding="utf-8-sig", separator="\t"),
    "social_insurance": Habit(encoding="gb18030", dates="%Y%m%d"),
    "vehicles": Habit(encoding="gb18030", dates="%Y-%m-%d"),
    "real_estate": Habit(encoding="utf-8", separator=";", dates="%Y/%m/%d"),
    "business": Habit(encoding="utf-8-sig", dates="%Y年%-m月%-d日"),
    "deaths": Habit(encoding="gb18030", dates="%Y.%-m.%-d", total=True),
    "disasters": Habit(encoding="utf-8-sig", dates="%Y/%-m/%-d", title=True),
    "clues": Habit(encoding="utf-8", dates="%Y-%m-%d"),
    "care_groups": Habit(encoding="gb18030", dates="%Y-%m-%d", numbered=True),
    "visits": Habit(encoding="utf-8-sig", dates="%Y/%-m/%-d"),
    "payments": Habit(encoding="gb18030", separator=";", total=True),
    "housing": Habit(encoding="gb18030", dates="%Y-%m-%d"),
    "institutions": Habit(kind="xls", title=True, total=True),
    "officials": Habit(kind="xls", dates="%Y-%m-%d"),
    "graduates": Habit(encoding="utf-8-sig", separator="\t", dates="%Y-%m-%d"),
}
TOWNSHIP_HABITS = (
    Habit(encoding="utf-8-sig", dates="%Y-%m-%d"),
    Habit(encoding="utf-8", dates="%Y/%-m/%-d", separator="\t"),
    Habit(encoding="gb18030", dates="%Y.%-m.%-d", total=True),
    Habit(encoding="utf-16", dates="%Y年%-m月%-d日", separator=";"),
)
