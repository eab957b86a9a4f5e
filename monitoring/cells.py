"""Pieces of what pages show, each a text of safe HTML: figures, links, levels, changes, and values in words.

Everything that a person reads goes through `escape` here. Pages reach them through `monitoring.ui`, which draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

from monitoring.labels import INCOME_SOURCE_ZH, LEVEL_MARK, LEVEL_ZH, UNIT_ZH, columns_of, feed_titles
from monitoring.language import Language, number, share
from monitoring.tables import NOT_COMPARED
from monitoring.working_days import working_days_between


@dataclass(frozen=True)
class Column:
    """One column: its heading, how a row's cell is made (safe HTML), and n(umber) or w(hole, not wrapped)."""

    title: str
    cell: Callable[[dict[str, Any]], str]
    css: str = ""


def said(text: Any) -> str:
    """A text as HTML; None is an empty cell."""
    return "" if text is None else escape(str(text))


def count(value: Any) -> str:
    return "" if value is None else number(value)


def link(text: str, address: str | None) -> str:
    return f'<a href="{escape(address)}" target="_self">{escape(text)}</a>' if address else escape(text)


def code(text: str) -> str:
    return f'<span class="bl-code">{escape(text)}</span>'


def unknown(text: str) -> str:
    return f'<span class="bl-unknown">{escape(text)}</span>'


def level(value: str, t: Language) -> str:
    return f'<span class="bl-lv {escape(value)}">{LEVEL_MARK[value]} {escape(t(LEVEL_ZH[value]))}</span>'


def unknown_count(value: int | None, t: Language) -> str:
    """How many are unknown; marked where there are any."""
    return number(value or 0) if not value else unknown(f"? {number(value)}")


def rate(part: int, whole: int, not_known: int, t: Language) -> str:
    """A share covered; "at most" where the unknown might lower it, so that unknown never looks like all is well."""
    shown = share(part, whole)
    if not shown:
        return unknown(t("不明")) if not_known else escape(t("没有这类人"))
    return escape(t("至多 {share}", share=shown) if not_known else shown)


def distance(day: date, today: date, t: Language) -> str:
    """How far a limit is, in working days: the one way in which every list and page says it."""
    left = abs(working_days_between(today, day))
    if day < today:
        return t("逾期 {n} 个工作日", n=left) if left else t("已过期限")
    if day == today:
        return t("今日到期")
    return t("还有 {n} 个工作日", n=left) if left else t("{day} 到期", day=day.isoformat())


def due(day: date | None, today: date, t: Language) -> str:
    """`distance` as HTML, marked where it is over; "" without a limit."""
    if day is None:
        return ""
    said_ = escape(distance(day, today, t))
    return f'<span class="bl-late">{said_}</span>' if day < today else said_


def trend(values: Sequence[float | None] | None) -> str:
    """The last periods as bars from 0 to the highest; a period that is not known is a hatched gap."""
    told = list(values or [])
    known = [value for value in told if value is not None]
    top = max(known, default=0)
    if len(known) < 2 or not top:
        return ""
    said_ = ", ".join("?" if value is None else number(value) for value in told)
    bars = "".join(
        '<i class="none"></i>' if value is None else f'<i style="height:{max(100 * value / top, 3):.0f}%"></i>'
        for value in told
    )
    return f'<span class="bl-spark" role="img" title="{said_}" aria-label="{said_}">{bars}</span>'


def bar(part: float, whole: float) -> str:
    """A share of the widest as a bar; the figure stands beside it."""
    return f'<span class="bl-bar" aria-hidden="true"><i style="width:{100 * part / whole if whole else 0:.0f}%"></i></span>'


def change(value: int | None, before: int | None, t: Language, worse: bool = True) -> str:
    """The difference to last period with its sign, marked where more is worse; "" where last period is not known."""
    if value is None or before is None:
        return ""
    difference = value - before
    if not difference:
        return escape(t("持平"))
    return f'<span class="{"bl-up" if worse and difference > 0 else ""}">{"↑" if difference > 0 else "↓"} {number(abs(difference))}</span>'


def place(row: dict[str, Any], t: Language) -> str:
    """Township and village, or that they are not known."""
    if row.get("township") is None:
        return unknown(t("地点不明"))
    return escape(" ".join(part for part in (row["township"], row.get("village")) if part))


# --- values in words


def column_title(subject: str, name: str, t: Language) -> str:
    column = columns_of(subject).get(name)
    if name == NOT_COMPARED:
        return t("未比对")
    return t("其他依据") if column is None else t.pick(column.zh, column.en)


def column_value(subject: str, name: str, value: Any, t: Language) -> str:
    """A value of a snapshot column as people say it, with its unit; codes of feeds and sources by their names."""
    if value is None or value == "":
        return t("不明") if value is None else t("无")
    if name in ("income_source", "line_income_source"):
        return t(INCOME_SOURCE_ZH.get(str(value), str(value)))
    if name in ("feed", "seen_in", "listed_in", NOT_COMPARED, "record"):
        parts = [part for part in str(value).replace("、", ",").replace(" ", ",").split(",") if part]
        return t.listed(t(feed_titles().get(part, part)) for part in parts)
    column = columns_of(subject).get(name)
    if isinstance(value, str) and column and column.type.startswith(("DECIMAL", "INTEGER", "BIGINT")):
        value = float(value)
    return f"{t.value(value)} {column_unit(subject, name, t)}".strip()


def column_unit(subject: str, name: str | None, t: Language) -> str:
    """A column's unit in words; "" where it has none."""
    column = columns_of(subject).get(name or "")
    return t(UNIT_ZH[column.unit]) if column and column.unit in UNIT_ZH else ""


def feed(name: str | None, t: Language) -> str:
    return t("未识别") if name is None else t(feed_titles().get(name, name))


def origin(row: dict[str, Any], t: Language) -> str:
    """Where a row stands: file, sheet where it has one, row."""
    sheet = f" · {row['sheet']}" if row.get("sheet") else ""
    return t("{file}{sheet} 第 {row} 行", file=row.get("file") or t("文件不明"), sheet=sheet, row=row["row"])
