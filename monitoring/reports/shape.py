"""What a report is made of, whoever sets it: sections with sentences, tables and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

_NUMERALS = "一二三四五六七八九十"


@dataclass(frozen=True)
class Table:
    """All columns but the first hold figures or short words. `total`: the last row sums up."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    total: bool = False


@dataclass(frozen=True)
class Picture:
    """Horizontal bars: label, value, what is written beside it. The table of the same section holds the same figures."""

    title: str
    bars: list[tuple[str, float, str]]
    unit: str


@dataclass(frozen=True)
class Section:
    heading: str
    sentences: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    picture: Picture | None = None


@dataclass(frozen=True)
class Report:
    """`told`: what stands below the title (period, data age, …); `closing`: run, packs, who made it when."""

    title: str
    told: list[str]
    sections: list[Section]
    closing: list[str]
    publication: bool
    name: str  # the file's, without suffix


def numeral(number: int) -> str:
    """1 -> 一, 11 -> 十一: as sections of official documents are numbered."""
    return _NUMERALS[number - 1] if number <= 10 else f"十{_NUMERALS[number - 11]}"
