"""Whose export some rows are from: weighs the marks in them (`monitoring.lists.marks`) against every export on record.

An exporter is named only where the evidence of one export is at least 40 bits (one in 10¹² by chance) and 20 bits ahead of
every other; else nobody is, and the text says what was missing. Every asking is journalled.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import select

from monitoring.language import Language
from monitoring.lists.asking import NotAsked, ask_from_json
from monitoring.lists.fields import PERSONS, fields, title
from monitoring.lists.marks import CODE, NAME, NUMBER, code_fits, mark_key, order_key, stars_fit
from monitoring.people import Caller, acting
from monitoring.store import Store
from monitoring.store.schema import list_export

ENOUGH, AHEAD = 40.0, 20.0
_CODE_BITS = 24.0
# log2 of how likely a cell is if the export is the right one, against chance; a little is left for cells typed anew
_STARS = {
    "name": (math.log2(0.98 / 0.5), math.log2(0.02 / 0.5)),
    "number": (math.log2(0.98 / 0.25), math.log2(0.02 / 0.75)),
}
_PAIR = (math.log2(0.97 / 0.5), math.log2(0.03 / 0.5))


@dataclass(frozen=True)
class Traced:
    """What was found. `by` is the exporter, None where nobody can be named; `bits` the evidence for the best export, `next_bits`
    for the one after it; `codes`, `stars`, `pairs` what of each layer the rows still had."""

    by: str | None
    account: str
    mark: str
    at: datetime | None
    what: str
    purpose: str
    bits: float
    next_bits: float
    rows: int
    codes: int
    stars: int
    pairs: int


@dataclass(frozen=True)
class _Evidence:
    codes: list[tuple[str, str]]
    stars: list[tuple[str, dict[str, str]]]
    rows: list[dict[str, str]]


def trace(store: Store, caller: Caller, rows: Sequence[dict[str, str]], at: datetime) -> Traced:
    """Rows as they were found (heading -> text), in the order in which they were found. Raises Denied, SessionOver."""
    found = _evidence(rows)
    with acting(store, caller, "journal.read", at) as act:
        exports = act.con.execute(select(list_export).order_by(list_export.c.id)).all()
        weighed = sorted(
            ((_bits(store.key, one, found), one.id, one) for one in exports), key=lambda w: w[:2], reverse=True
        )
        best, after = (weighed[0] if weighed else None), (weighed[1][0] if len(weighed) > 1 else 0.0)
        sure = best is not None and best[0] >= ENOUGH and best[0] - max(after, 0.0) >= AHEAD
        act.journal(
            "export.trace",
            f"export:{best[2].mark}" if best is not None and sure else "export:?",
            rows=len(rows),
            bits=round(best[0]) if best else 0,
        )
    one = best[2] if best is not None and sure else None
    pairs = max(len(rows) - 1, 0)
    return Traced(
        one.by if one else None, one.account if one else "", one.mark if one else "", one.at if one else None,
        one.name if one else "", one.purpose if one else "", best[0] if best else 0.0, after, len(rows), len(found.codes),
        len(found.stars), pairs,
    )  # fmt: skip


def rows_of(frame: pl.DataFrame) -> list[dict[str, str]]:
    """A table as found, every cell as text."""
    texts = frame.select(pl.all().cast(pl.String).fill_null(""))
    return texts.to_dicts()


def _evidence(rows: Sequence[dict[str, str]]) -> _Evidence:
    codes, stars = dict[tuple[str, str], None](), dict[tuple[str, str, str], None]()
    for row in rows:
        for text in row.values():
            codes.update(dict.fromkeys(CODE.findall(text.strip())))
            for kind, form in (("name", NAME), ("number", NUMBER)):
                if seen := form.match(text.strip()):
                    stars[kind, seen["seen"], seen["stars"]] = None
    return _Evidence(list(codes), [(k, {"seen": s, "stars": x}) for k, s, x in stars], list(rows))


def _bits(home_key: bytes, one: Any, found: _Evidence) -> float:
    """The evidence that the rows are from this export. Codes are counted one by one, so that rows of several exports mixed do
    not speak against each."""
    key = mark_key(home_key, one.mark)
    bits = _CODE_BITS * sum(code_fits(key, nonce, code) for nonce, code in found.codes)
    if one.masked:
        bits += sum(_STARS[kind][not stars_fit(key, cell, kind)] for kind, cell in found.stars)
    return bits + max(_order_bits(key, one.content, one.masked, found.rows), 0.0)


def _order_bits(key: str, content: str, masked: bool, rows: Sequence[dict[str, str]]) -> float:
    """Evidence of the order of rows that are alike; 0 where the rows lack the number by which they were ordered."""
    try:
        ask = ask_from_json(content)
    except NotAsked:
        return 0.0
    known = fields(ask.subject)
    ordering = [one.field for one in ask.order] or ["township", "village"]
    tied = tie(ask.subject, masked)
    headings = {name: {title(known[name], lang) for lang in ("zh", "en")} | {name} for name in (*ordering, tied)}
    groups = dict[tuple[str, ...], list[str]]()
    for row in rows:
        cells = {name: next((row[h] for h in row if _bare(h) in headings[name]), None) for name in headings}
        number = cells[tied]
        if number:
            groups.setdefault(tuple(cells[name] or "" for name in ordering), []).append(order_key(key, number.strip()))
    bits = 0.0
    for keys in groups.values():
        fits = sum(a < b for a, b in itertools.pairwise(keys))
        if fits == len(keys) - 1:
            bits += math.log2(math.factorial(len(keys)))
        else:
            bits += _PAIR[0] * fits + _PAIR[1] * (len(keys) - 1 - fits)
    return bits


def tie(subject: str, masked: bool) -> str:
    """The column by which rows that are alike are ordered: of persons in full their number, else the household's."""
    return "number" if subject == PERSONS and not masked else "household_id"


def _bare(heading: str) -> str:
    return heading.split("（")[0].split(" (")[0].strip()


def in_words(found: Traced, t: Language) -> list[str]:
    """The finding, line by line."""
    counted = Counter(codes=found.codes, stars=found.stars)
    lines = [
        t(
            "{rows} 行，其中核对码 {codes} 个、遮蔽写法 {stars} 处",
            rows=found.rows,
            codes=counted["codes"],
            stars=counted["stars"],
        )
    ]
    if found.by is None:
        lines.append(
            t("不能断定是谁导出的：证据 {bits} 位，要 {enough} 位", bits=round(found.bits), enough=round(ENOUGH))
        )
    else:
        lines.append(
            t("导出人：{by}（{account}），{at:%Y-%m-%d %H:%M} UTC，{what}，用途：{purpose}；证据 {bits} 位，其次 {next} 位",
              by=found.by, account=found.account, at=found.at, what=found.what, purpose=found.purpose or t("未填"), bits=round(found.bits), next=round(found.next_bits))
        )  # fmt: skip
    return lines
