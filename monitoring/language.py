"""The interface's two languages: Chinese is written in the code, English stands in gettext catalogues, one a topic.

`Language("en")` is called with the Chinese text and gives the English one; values are put in by name afterwards. Texts
that a catalogue lacks stay Chinese, and a test lists them. Numbers, months and dates are said here too, so that a page
never formats a figure itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polib

LOCALE = Path(__file__).with_name("locale")
LANGUAGES = {"zh": "中文", "en": "English"}
_WIDE = Context(prec=60)
_WITHIN = {"（": "〔", "）": "〕", "(": "[", ")": "]"}
# Of one, English catalogues' plurals are said in the singular.
_SINGULAR = {
    "households": "household", "persons": "person", "people": "person", "days": "day", "months": "month", "periods": "period",
    "rows": "row", "files": "file", "sheets": "sheet", "sources": "source", "alerts": "alert", "signals": "signal",
    "visits": "visit", "payments": "payment", "rules": "rule", "townships": "township", "villages": "village", "clues": "clue",
    "places": "place", "times": "time", "members": "member", "years": "year", "points": "point", "sets": "set", "records": "record",
    "numbers": "number", "accounts": "account", "conditions": "condition", "reasons": "reason", "entries": "entry",
}  # fmt: skip
_ONE = re.compile(rf"(?<![\d.,/–-])1 ((?:open |working |calendar |red |late |overdue )*)({'|'.join(_SINGULAR)})\b")


class Words(str):
    """A Chinese sentence that was put together from a text with slots and their values, so that it can be said in another
    language: `Words("请填写{what}", what=Words("理由"))`. A value may be Words, a (Chinese, English) pair, or a list of those."""

    text: str
    values: dict[str, Any]

    def __new__(cls, text: str, /, **values: Any) -> Words:
        made = super().__new__(
            cls, text.format(**{name: _chinese(value) for name, value in values.items()}) if values else text
        )
        made.text, made.values = text, values
        return made


def _chinese(value: Any) -> Any:
    if isinstance(value, list):
        return "、".join(_chinese(one) for one in value)
    return value[0] if isinstance(value, tuple) else value


@cache
def catalogue(code: str) -> dict[str, str]:
    """Every translated text of one language, by the Chinese text, from all its catalogues (one a topic); none for Chinese."""
    files = sorted((LOCALE / code / "LC_MESSAGES").glob("*.po"))
    return {entry.msgid: entry.msgstr for file in files for entry in polib.pofile(str(file)) if entry.msgstr}


class Language:
    """Says texts and figures in one language. `t("{n} 户", n=3)`."""

    def __init__(self, code: str = "zh") -> None:
        self.code = code if code in LANGUAGES else "zh"
        self._texts = catalogue(self.code)

    def __call__(self, text: str, /, **values: Any) -> str:
        said = self._texts.get(text, text)
        if not values:
            return said
        said = unnested(said.format(**values))
        return _ONE.sub(lambda found: f"1 {found[1] or ''}{_SINGULAR[found[2]]}", said) if self.code == "en" else said

    def said(self, words: Any) -> str:
        """Words of a service, with all that stands in them, in this language; other values as they are."""
        if isinstance(words, list):
            return self.listed(self.said(one) for one in words)
        if isinstance(words, tuple):
            return self.pick(*words)
        if isinstance(words, Words):
            return self(words.text, **{name: self.said(value) for name, value in words.values.items()})
        return self(words) if isinstance(words, str) else str(words)

    def pick(self, zh: str | None, en: str | None) -> str:
        """Of two texts that come with the data, the one in this language; the other where it is missing."""
        return (en or zh or "") if self.code == "en" else (zh or en or "")

    def value(self, value: Any) -> str:
        """One value in words: unknown is said, yes and no are words, numbers have separators, coded values are translated."""
        if value is None or value == "":
            return self("不明")
        if isinstance(value, bool):
            return self("是") if value else self("否")
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, Decimal | float | int):
            return number(value)
        return self.listed(self(part) for part in str(value).split("、"))

    def listed(self, parts: Iterable[str]) -> str:
        return self("、").join(parts)

    def clauses(self, parts: Iterable[str]) -> str:
        """Parts, which may be whole sentences, behind each other: only the last keeps its full stop."""
        told = list(parts)
        return self("；").join([*(part.rstrip("。.") for part in told[:-1]), *told[-1:]])

    def named(self, name: str, value: str) -> str:
        return self("{name}：{value}", name=name, value=value)

    def aside(self, text: str, more: str) -> str:
        return self("{text}（{more}）", text=text, more=more)

    def money(self, yuan: Decimal | float | int | None) -> str:
        return self("不明") if yuan is None else self("{yuan} 元", yuan=number(yuan))

    def compact(self, count: int | float) -> str:
        """At most three significant figures for leaders' tiles: 1.28万 or 12.8k; exact below ten thousand."""
        if abs(count) < 10_000:
            return f"{rounded(count, 0):,f}"
        if self.code == "en":
            return f"{_three(count, 1_000_000)}M" if abs(count) >= 1_000_000 else f"{_three(count, 1000)}k"
        return f"{_three(count, 100_000_000)}亿" if abs(count) >= 100_000_000 else f"{_three(count, 10_000)}万"

    def month(self, period: str | int) -> str:
        """2026-11 or 202611 -> 2026年11月."""
        digits = str(period).replace("-", "")
        if len(digits) != 6:
            return str(period)
        return f"{digits[:4]}-{digits[4:]}" if self.code == "en" else f"{digits[:4]}年{int(digits[4:])}月"

    def short_month(self, period: str | int) -> str:
        """202611 -> 26-11, for narrow columns."""
        digits = str(period).replace("-", "")
        return f"{digits[2:4]}-{digits[4:6]}"

    def place(self, name: str | None) -> str:
        return name or self("地点不明")


def number(value: Decimal | float | int | str) -> str:
    """1234.50 -> 1,234.5; whole numbers without a point; at most two decimals."""
    told = f"{rounded(value, 2):,f}".rstrip("0").rstrip(".")
    return "0" if told == "-0" else told


def rounded(value: Decimal | float | int | str, decimals: int) -> Decimal:
    """To so many decimals, halves away from zero, as people round: 2.5 -> 3, 0.125 -> 0.13."""
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _WIDE)


def _three(count: int | float, of: int) -> str:
    """Three significant figures of so many ten thousands: 12345 of 10000 -> 1.23."""
    figure = Decimal(str(count)) / of
    return f"{rounded(figure, max(0, 2 - figure.adjusted())).normalize():f}"


def unnested(text: str) -> str:
    """Brackets within brackets as 〔〕 (in English []), as print has them: 期限（常用做法〔每月5日前〕）."""
    if text.count("（") < 2 and text.count("(") < 2:
        return text
    made, depth = [], 0
    for sign in text:
        if sign in "（(":
            depth += 1
        made.append(_WITHIN.get(sign, sign) if depth > 1 else sign)
        if sign in "）)" and depth:
            depth -= 1
    return "".join(made)


def share(part: float, whole: float) -> str:
    """A percentage with one decimal, never rounded up to 100 while something is missing; "" without a denominator."""
    if not whole:
        return ""
    percent = rounded(100 * Decimal(str(part)) / Decimal(str(whole)), 1)
    return f"{min(percent, Decimal('99.9')) if part < whole else percent}%"
