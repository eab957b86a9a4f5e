"""A score's parts in words: "近12个月自付医疗费 18,400 元：+0.9", and what would lower it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from monitoring.forecast.features import BY_NAME, Feature
from monitoring.language import number

UNITS_EN = {"元": " yuan", "人": "", "个月": " months", "倍": " times", "天": " days", "次": " times", "岁": " years", "辆": "", "套": "", "个": "", "条": ""}  # fmt: skip
BANDS = {"high": ("高", "high"), "watch": ("需留意", "worth watching"), "low": ("低", "low")}
LESS_IS_WORSE = frozenset({"income_ratio", "income_change", "employed"})
LOWEST = 0.05  # parts below this are not worth a word


def term(name: str, value: Any, language: str = "zh") -> str:
    """One feature with its value: 近12个月自付医疗费 18,400 元."""
    feature = BY_NAME[name]
    english = language == "en"
    title = feature.en if english else feature.zh
    if value is None:
        return f"{title}: not known" if english else f"{title}不明"
    if not feature.unit and value in (0, 1):
        said = ("yes" if value else "no") if english else ("是" if value else "否")
        return f"{title}: {said}" if english else f"{title}：{said}"
    return f"{title} {_amount(feature, value, english)}"


def _amount(feature: Feature, value: Any, english: bool) -> str:
    if isinstance(value, str):
        return value
    if feature.share:
        return f"{100 * float(value):.0f}%"
    unit = UNITS_EN.get(feature.unit, "") if english else f" {feature.unit}" if feature.unit else ""
    return f"{number(value)}{unit}"


def plainly(parts: Mapping[str, Any], language: str = "zh", most: int = 3) -> str:
    """The parts that raise the score most, with their size: … (+0.9); the only sizes told are those that add to it."""
    raising = [t for t in parts["terms"] if t[2] > LOWEST][:most]
    if not raising:
        return "no single one stands out" if language == "en" else "没有哪一项特别突出"
    told = [f"{term(name, value, language)}（+{size:.1f}）" for name, value, size in raising]
    return "; ".join(told).replace("（", " (").replace("）", ")") if language == "en" else "；".join(told)


def relief(terms: Iterable[Sequence[Any]]) -> list[tuple[str, str]]:
    """(feature, what would lower it) for the parts that raise the score and that somebody can change, the largest first. What
    is not there can't be mended: a cost of 0 asks for nothing; an income that is not known asks for a check."""
    told: dict[str, str] = {}
    for name, value, size in sorted(terms, key=lambda t: -t[2]):
        how = BY_NAME[name].relief
        if value is None:
            how = BY_NAME["months_since_check"].relief if name in LESS_IS_WORSE or name == "months_since_check" else ""
        if size > LOWEST and how and (value != 0 or name in LESS_IS_WORSE):
            told.setdefault(how, name)
    return [(name, text) for text, name in told.items()]
