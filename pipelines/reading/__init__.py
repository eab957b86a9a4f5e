"""From a file that a department handed in to raw rows under standard names; nothing of it is interpreted or lost.

`sniff` says what the file is, `text` and `workbook` make sheets of it, `heading` finds the heading and the feed by asking
what it means to each (`target`), `notes` knows the rows that are no data, `frame` puts every row in its place, `extras`
keeps the unknown columns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from monitoring.feeds import Feed
from pipelines.reading.frame import build_part
from pipelines.reading.heading import find_heading
from pipelines.reading.model import EMPTY, NOTE_COLUMNS, NOTES, QUIET, FileReading, Part, Sheet, Unreadable
from pipelines.reading.sniff import sniff
from pipelines.reading.target import Known, Match, targets
from pipelines.reading.text import read_text, to_utf8
from pipelines.reading.workbook import read_workbook

__all__ = ["NOTES", "QUIET", "FileReading", "Known", "Part", "read_file", "targets"]


def read_file(
    path: Path, feeds: Mapping[str, Feed], *, name: str | None = None, known: Known | None = None
) -> FileReading:
    """Everything in one file. `name`: how the file is called in the inbox (its words may decide what it is); `known`: the
    `targets` of the feeds, where they are made once for many files.

    Never raises for what is in the file: a file that cannot be used has a `problem`, in Chinese.
    """
    name = name or path.name
    sha256, format_, encoding = "", "unreadable", ""
    try:
        data = path.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        kind = sniff(data)
        known = known or targets(feeds)
        if kind == "csv":
            text, encoding, damaged = to_utf8(data)
            del data
            sheet = read_text(text, damaged, lambda heads: _choose(heads, known, name))
            parts = [_part(sheet, known, name)]
        else:
            size = len(data)
            del data
            parts = _beside([_part(sheet, known, name) for sheet in read_workbook(path, size)])
        format_ = kind
    except Unreadable as problem:
        return FileReading(name, sha256, format_, encoding, [], str(problem))
    except OSError as error:
        return FileReading(name, sha256, format_, encoding, [], _not_opened(error))
    return FileReading(name, sha256, format_, encoding, parts, _problem(parts))


def _not_opened(error: OSError) -> str:
    """In words of those who put the file there: the system says it in English."""
    if isinstance(error, FileNotFoundError):
        return "文件打不开：这是一个链接，所指的文件已不在；请放入文件本身"
    if isinstance(error, IsADirectoryError):
        return "文件打不开：这是一个指向文件夹的链接，里面的文件没有读；请放入文件本身"
    if isinstance(error, PermissionError):
        return "文件打不开：没有读取的权限；请放开权限后重新放入"
    return f"文件打不开（{error.strerror}）；请重新放入"


def _part(sheet: Sheet | str, known: Known, name: str) -> Part:
    if isinstance(sheet, str):
        title, _, why = sheet.partition("：")
        return Part(title, None, reason=f"这一页不是表格，读不出来（{why}）")
    rows = sheet.grid.height
    head = sheet.head()
    if rows <= len(head) and not any(map(any, head)):
        return Part(sheet.name, None, reason=EMPTY, hidden=sheet.hidden)
    match = find_heading(sheet, known, f"{name} {sheet.name}".rstrip())
    if isinstance(match, str):
        return Part(
            sheet.name, None, reason=match, rows_in_sheet=rows, columns_in_sheet=sheet.columns, hidden=sheet.hidden
        )
    return build_part(sheet, match, known.vocabulary)


def _beside(parts: list[Part]) -> list[Part]:
    """The sheets of a workbook. Beside a ledger a page of notes is nothing to look at; a table that nobody understands is, and
    how much of it was not read is said."""
    if not any(part.feed for part in parts):
        return parts
    return [part if part.feed or not part.rows_in_sheet else replace(part, reason=_passed_over(part)) for part in parts]


def _passed_over(part: Part) -> str:
    if part.columns_in_sheet <= NOTE_COLUMNS:
        return NOTES
    return f"这一页的 {part.rows_in_sheet:,} 行没有读入：{part.reason}"


def _choose(heads: dict[str, Sheet], known: Known, name: str) -> tuple[str, tuple[int, ...]]:
    """The separator under which the most columns are understood; else the one that makes the most columns."""
    found = {separator: find_heading(sheet, known, name) for separator, sheet in heads.items()}
    matched = {separator: match for separator, match in found.items() if isinstance(match, Match)}
    if matched:
        best = max(matched, key=lambda separator: matched[separator].rank())
        return best, matched[best].rows
    near = {s: (str(found[s]).startswith(("最接近", "可能是", "这是")), heads[s].grid.width) for s in heads}
    return max(heads, key=near.__getitem__), ()


def _problem(parts: list[Part]) -> str | None:
    """Why nothing of a file could be used; None as soon as one sheet is a feed."""
    if any(part.feed for part in parts):
        return None
    if not parts or all(part.reason == EMPTY for part in parts):
        return "文件里没有内容；请重新导出再报"
    if len(parts) == 1:
        return parts[0].reason
    return "各页都不是已知的台账：" + "；".join(f"“{part.sheet}”{part.reason}" for part in parts)
