"""Workbooks as offices send them: titles, merged headings, totals, a hidden sheet, a sheet that is no feed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import xlsxwriter

from pipelines.sample.habits import Habit
from pipelines.sample.layout import is_money

try:
    import xlwt
except ImportError:  # a development tool: without it the two small feeds come as .xlsx
    xlwt = None

MADE_ON = datetime(2026, 1, 1)  # noqa: DTZ001 (the writer wants it naive)
"""In every workbook's properties, so that the same seed gives the same bytes."""
Around = tuple[list[list[str]], list[list[str]]]
"""Rows above the heading and rows below the data that are no data."""
GROUPS = {"供养方式": "供养情况", "自理能力": "供养情况", "是否独居": "供养情况", "集中供养意愿": "供养情况",
          "供养机构": "供养情况", "月基本生活费": "每月待遇（元）", "月照料护理费": "每月待遇（元）"}  # fmt: skip


def write_xlsx(path: Path, habit: Habit, table: pl.DataFrame, heads: list[str], extra: Around) -> None:
    """A workbook: real numbers and dates where the column holds them, text for everything else."""
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"created": MADE_ON, "author": "青禾县"})
    bold, day = (
        book.add_format({"bold": True, "text_wrap": True, "align": "center"}),
        book.add_format({"num_format": "yyyy/m/d"}),
    )
    above, below = extra
    hidden = table.height - max(table.height // 12, 1) if habit.hidden and table.height > 20 else table.height
    parts = [("Sheet1", table.head(hidden), above, below)]
    if hidden < table.height:
        parts.append(("补报", table.slice(hidden), [], []))
    for title, rows, over, under in parts:
        sheet = book.add_worksheet(title)
        if title == "补报":
            sheet.hide()
        at = 0
        for line in over:
            sheet.merge_range(at, 0, at, len(heads) - 1, line[0], bold)
            at += 1
        at = _head(sheet, habit, table.columns, heads, at, bold)
        for place, column in enumerate(rows.columns):
            _cells(sheet, rows[column].to_list(), at, place, column, habit, day)
        at += rows.height
        for line in under:
            for place, word in enumerate(line):
                if word:
                    sheet.write_string(at, place, word)
            at += 1
    if habit.explained:
        sheet = book.add_worksheet("说明")
        for row, word in enumerate(
            ("填报说明", "一、本表按月报送。", "二、急难型救助应在三个工作日内发放。", "三、联系电话：见通讯录。")
        ):
            sheet.write_string(row, 0, word)
    book.close()


def _head(
    sheet: xlsxwriter.worksheet.Worksheet,
    habit: Habit,
    columns: list[str],
    heads: list[str],
    at: int,
    bold: xlsxwriter.format.Format,
) -> int:
    """The heading row, or two rows with merged cells; returns the first row of data."""
    if not habit.merged:
        for place, word in enumerate(heads):
            sheet.write_string(at, place, word, bold)
        return at + 1
    groups = [GROUPS.get(column, "") for column in columns]
    place = 0
    while place < len(heads):
        end = place
        while groups[place] and end + 1 < len(heads) and groups[end + 1] == groups[place]:
            end += 1
        if groups[place] and end > place:
            sheet.merge_range(at, place, at, end, groups[place], bold)
            for inner in range(place, end + 1):
                sheet.write_string(at + 1, inner, heads[inner], bold)
        else:
            sheet.merge_range(at, place, at + 1, place, heads[place], bold)
        place = end + 1
    return at + 2


def _cells(
    sheet: xlsxwriter.worksheet.Worksheet, values: list[str | None], at: int, place: int, column: str, habit: Habit,
    day: xlsxwriter.format.Format,
) -> None:  # fmt: skip
    dated, money = habit.dates == "serial" and "日期" in column, is_money(column)
    for row, value in enumerate(values, start=at):
        if value is None:
            continue
        if dated and len(value) == 5 and value.isdecimal():
            sheet.write_number(row, place, int(value), day)
        elif money and value.isascii() and value.replace(".", "", 1).isdecimal():
            sheet.write_number(row, place, float(value))
        else:
            sheet.write_string(row, place, value)


def writes_xls() -> bool:
    """Whether the library for old workbooks is installed."""
    return xlwt is not None


def write_xls(path: Path, table: pl.DataFrame, heads: list[str], extra: Around) -> None:
    """An old binary workbook, for small feeds."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Sheet1")
    above, below = extra
    rows = [*above, heads, *([value or "" for value in row] for row in table.rows()), *below]
    for at, row in enumerate(rows):
        for place, value in enumerate(row):
            if value:
                number = value.isascii() and value.isdecimal() and len(value) < 7
                sheet.write(at, place, int(value) if number else value)
    book.save(str(path))
