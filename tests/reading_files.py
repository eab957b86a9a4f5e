"""Small files for the tests of reading: a ledger's rows as text or as a workbook, and what reading makes of them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from monitoring.feeds import Feed, load_feeds
from pipelines.reading import FileReading, Part, read_file

DEATHS = ["姓名", "证件号码", "死亡日期", "登记日期"]
DIBAO = ["救助证编号", "姓名", "证件号码", "享受起始日期", "户月保障金额", "乡镇", "村"]
ZHANG = ["DB01", "张三", "510225198101031232", "2026-03-05", "650", "城关镇", "东街村"]
LI = ["DB02", "李四", "510225197512120019", "2026-04-01", "700", "城关镇", "西街村"]


@functools.cache
def feeds() -> Mapping[str, Feed]:
    return load_feeds()


def read(path: Path, name: str | None = None) -> FileReading:
    reading = read_file(path, feeds(), name=name)
    for part in reading.parts:
        assert_balance(part)
    return reading


def only(path: Path, name: str | None = None) -> Part:
    """The one part of a file that must be readable."""
    reading = read(path, name)
    assert reading.problem is None, reading.problem
    assert len(reading.parts) == 1
    return reading.parts[0]


def assert_balance(part: Part) -> None:
    """Every row up to the last filled one is in exactly one place."""
    rows = [*part.frame["row"], *part.not_data["row"], *part.broken["row"]]
    if part.feed is not None:
        assert sorted(rows) == list(range(1, part.rows_read + 1))
        assert part.frame["row"].is_sorted()
    assert part.rows_read == len(rows)


def cells(line: str) -> list[str]:
    """A row of headings as the documents write it: 姓名|身份证号|…"""
    return line.split("|")


def text(rows: Sequence[Sequence[str]], separator: str = ",", end: str = "\n") -> str:
    return "".join(separator.join(row) + end for row in rows)


def write(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], merges: Sequence[Any] = ()) -> Path:
    """`merges`: (sheet name, first row, first column, last row, last column), all from 0; the first cell's value stays."""
    with xlsxwriter.Workbook(str(path)) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    if isinstance(value, str):
                        sheet.write_string(number, column, value)
                    elif value is not None:
                        sheet.write(number, column, value)
            for merged, first_row, first_column, last_row, last_column in merges:
                if merged == name:
                    value = rows[first_row][first_column]
                    sheet.merge_range(first_row, first_column, last_row, last_column, value)
    return path


def rows_of(part: Part, *names: str) -> list[tuple[Any, ...]]:
    return part.frame.select(names).rows()


def why(part: Part) -> dict[int, str]:
    return dict(part.not_data.select("row", "why").rows())
