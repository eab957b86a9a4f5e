"""The month's lists as one workbook: a cover that says what it is and how current, and a sheet a list, headings frozen.

No cell acts: texts are written as texts. Numbers, money and days have types, so that a spreadsheet can add and sort them;
identity numbers are text. The same rows give the same bytes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from monitoring.exporting.writing import check_rows, sync_folder
from monitoring.reports.lists import Sheet

_SAFE = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "nan_inf_to_errors": True}
_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001  (a file's properties know no zone; fixed, so that bytes repeat)
_WIDTHS = {"身份证号": 21, "干部身份证号": 21, "近亲属身份证号": 21, "户编号": 17, "救助证编号": 15, "停保原因": 26, "说明": 30, "原因": 26,
           "上期类别": 16, "现在享受": 16, "村": 14, "职务": 16, "救助原因": 16, "本期情况": 16, "备案情况": 16}  # fmt: skip
COVER = "封面"


def write_month(
    out: Path, title: str, told: Sequence[tuple[str, str]], sheets: Sequence[Sheet], notes: Sequence[str]
) -> int:
    """Writes the workbook beside `out` and renames it when it is on disk; readable by its owner only. Gives its rows.

    `told` are the cover's lines (what, value); `notes` what a reader must know before trusting the lists.
    """
    for sheet in sheets:
        check_rows(out, sheet.rows.height)
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent)
    os.close(handle)
    part = Path(name)
    try:
        _write(part, title, told, sheets, notes)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(out.parent)
    return sum(sheet.rows.height for sheet in sheets)


def _write(
    part: Path, title: str, told: Sequence[tuple[str, str]], sheets: Sequence[Sheet], notes: Sequence[str]
) -> None:
    with xlsxwriter.Workbook(str(part), _SAFE) as book:
        book.set_properties({"created": _CREATED, "title": title})
        look = {
            "title": book.add_format({"bold": True, "font_size": 16}),
            "head": book.add_format({"bold": True, "bg_color": "#F5F7FA", "border": 1, "border_color": "#D9E0E7", "text_wrap": True, "valign": "vcenter"}),
            "key": book.add_format({"bold": True, "valign": "top"}),
            "note": book.add_format({"font_color": "#5B6B7B", "text_wrap": True, "valign": "top"}),
            "text": book.add_format({"num_format": "@"}),
            "wrap": book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"}),
            "whole": book.add_format({"num_format": "#,##0"}),
            "money": book.add_format({"num_format": "#,##0.00"}),
            "day": book.add_format({"num_format": "yyyy-mm-dd"}),
        }  # fmt: skip
        _cover(book.add_worksheet(COVER), title, told, sheets, notes, look)
        for sheet in sheets:
            _sheet(book.add_worksheet(sheet.title), sheet, look)


def _cover(
    page: Worksheet, title: str, told: Sequence[tuple[str, str]], sheets: Sequence[Sheet], notes: Sequence[str],
    look: dict[str, Format],
) -> None:  # fmt: skip
    page.hide_gridlines(2)
    page.set_column(0, 0, 26)
    page.set_column(1, 1, 12)
    page.set_column(2, 2, 88)
    page.write_string(0, 0, title, look["title"])
    line = 2
    for name, value in told:
        page.write_string(line, 0, name, look["key"])
        page.merge_range(line, 1, line, 2, value, look["wrap"])
        line += 1
    line += 1
    for place, name in enumerate(("表", "行数", "说明")):
        page.write_string(line, place, name, look["head"])
    for sheet in sheets:
        line += 1
        page.write_url(line, 0, f"internal:'{sheet.title}'!A1", string=sheet.title)
        page.write_number(line, 1, sheet.rows.height, look["whole"])
        page.write_string(line, 2, sheet.note, look["note"])
    line += 2
    for said in notes:
        page.merge_range(line, 0, line, 2, said, look["note"])
        line += 1
    page.set_landscape()
    page.fit_to_pages(1, 0)


def _sheet(page: Worksheet, sheet: Sheet, look: dict[str, Format]) -> None:
    """Two lines stay in view: what the list is, and its headings. The first column numbers the rows."""
    page.merge_range(0, 0, 0, max(sheet.rows.width, 1), f"{sheet.title}　{sheet.note}", look["note"])
    page.freeze_panes(2, 0)
    page.write_string(1, 0, "序号", look["head"])
    page.set_column(0, 0, 6)
    for place, (name, type_) in enumerate(sheet.rows.schema.items(), 1):
        page.write_string(1, place, name, look["head"])
        page.set_column(place, place, _WIDTHS.get(name, 12), _typed(type_, look))
        values = sheet.rows[name].cast(pl.Float64).to_list() if type_.is_decimal() else sheet.rows[name].to_list()
        page.write_column(2, place, values)
    page.write_column(2, 0, list(range(1, sheet.rows.height + 1)))
    if not sheet.rows.height:
        page.write_string(2, 1, "本期没有。", look["note"])
    page.autofilter(1, 0, 1 + sheet.rows.height, sheet.rows.width)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0, 1)


def _typed(type_: pl.DataType, look: dict[str, Format]) -> Format:
    if type_.is_decimal() or type_.is_float():
        return look["money"]
    if type_.is_integer():
        return look["whole"]
    return look["day"] if type_ == pl.Date else look["text"]
