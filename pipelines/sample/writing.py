"""Writes a month's feeds as files: encodings, separators, workbooks with titles, merged headings, totals and hidden sheets.

How a department exports is its own habit and stays the same from month to month; only the seed changes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import xlsxwriter

from pipelines.sample.chance import Chance
from pipelines.sample.layout import FEEDS, Layout, is_money

MADE_ON = datetime(2026, 1, 1)
"""In every workbook's properties, so that the same seed gives the same bytes."""
WORKBOOK_ROWS = 100_000
"""Above this a feed is never a workbook: they are slow to read."""
SIGNED = "填表人：王秀英        审核人：李建国        填表日期："
NOTE = "注：本表由系统导出，如有疑问请联系县民政局。"


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
GROUPS = {"供养方式": "供养情况", "自理能力": "供养情况", "是否独居": "供养情况", "集中供养意愿": "供养情况",
          "供养机构": "供养情况", "月基本生活费": "每月待遇（元）", "月照料护理费": "每月待遇（元）"}  # fmt: skip


def headings(chance: Chance, feed: str, office: int, layout: Layout, columns: list[str], workbook: bool) -> list[str]:
    """What this office calls the columns, with the marks that forms carry."""
    named: list[str] = []
    for column in columns:
        words = layout.called(column)
        luck = float(chance.share(f"heading {feed} {column}", office)[0])
        word = words[0] if luck < 0.55 else words[int((luck - 0.55) / 0.45 * len(words))]
        mark = float(chance.share(f"mark {feed} {column}", office)[0])
        if column in layout.required and mark < 0.25:
            word = "*" + word
        elif mark < 0.32 and "证件" in column:
            word += "（必填）"
        elif mark < 0.37 and len(word) == 2:
            word = word[0] + " " + word[1]
        elif workbook and mark > 0.85 and len(word) >= 6:
            word = word[:3] + "\n" + word[3:]
        named.append(word)
    return named


def framed(habit: Habit, layout: Layout, table: pl.DataFrame, heads: list[str], period: str) -> tuple[list[list[str]], list[list[str]]]:
    """Rows above the heading and rows below the data that are no data."""
    above = [[f"青禾县{layout.title}（{period}）"], [f"填报单位：青禾县        制表日期：{period}-28"]] if habit.title else []
    below: list[list[str]] = []
    if habit.total:
        total = ["合计"] + [""] * (len(heads) - 1)
        for place, column in enumerate(table.columns):
            if is_money(column) and place:
                amounts = table[column].str.replace_all(r"[,元]", "").cast(pl.Float64, strict=False)
                total[place] = f"{amounts.fill_null(0).sum():.0f}"
        below += [total, [SIGNED + period]]
    elif habit.title:
        below += [[NOTE]]
    return above, below


def write_csv(path: Path, habit: Habit, table: pl.DataFrame, heads: list[str], extra: tuple[list[list[str]], list[list[str]]]) -> None:
    """A delimited text file; the data go through polars, the rows around them by hand."""
    above, below = extra
    pad = habit.separator * (len(heads) - 1)

    def lines(rows: list[list[str]]) -> str:
        return "".join((habit.separator.join(row) if len(row) > 1 else row[0] + pad) + "\r\n" for row in rows)

    body = table.rename(dict(zip(table.columns, heads, strict=True)))
    if habit.encoding.startswith("utf-8") and not above and not below:
        body.write_csv(path, separator=habit.separator, line_terminator="\r\n", include_bom=habit.encoding == "utf-8-sig")
        return
    text = lines(above) + body.write_csv(separator=habit.separator, line_terminator="\r\n") + lines(below)
    path.write_bytes(text.encode(habit.encoding))


def write_xlsx(
    path: Path, habit: Habit, table: pl.DataFrame, heads: list[str], extra: tuple[list[list[str]], list[list[str]]]
) -> None:
    """A workbook: real numbers and dates where the column holds them, text for everything else."""
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"created": MADE_ON, "author": "青禾县"})
    bold, day = book.add_format({"bold": True, "text_wrap": True, "align": "center"}), book.add_format({"num_format": "yyyy/m/d"})
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
        for row, word in enumerate(("填报说明", "一、本表按月报送。", "二、急难型救助应在三个工作日内发放。", "三、联系电话：见通讯录。")):
            sheet.write_string(row, 0, word)
    book.close()


def _head(
    sheet: xlsxwriter.worksheet.Worksheet, habit: Habit, columns: list[str], heads: list[str], at: int, bold: xlsxwriter.format.Format
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


def write_xls(path: Path, table: pl.DataFrame, heads: list[str], extra: tuple[list[list[str]], list[list[str]]]) -> None:
    """An old binary workbook, for small feeds."""
    import xlwt

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


def write_feed(
    chance: Chance, folder: Path, feed: str, table: pl.DataFrame, period: str, office: int, place: str, habit: Habit
) -> Path:
    """One file of one office: `place` goes into its name where a township sends its own."""
    layout = FEEDS[feed]
    kind = habit.kind if table.height <= WORKBOOK_ROWS else "csv"
    heads = headings(chance, feed, office, layout, table.columns, kind != "csv")
    if habit.numbered:
        order = pl.Series("序号", np.arange(1, table.height + 1)).cast(pl.String)
        table = table.insert_column(0, order).with_columns(pl.lit(None, dtype=pl.String).alias("备注"))
        heads = ["序号", *heads, "备注"]
    extra = framed(habit, layout, table, heads, period)
    path = folder / f"{layout.title}{'_' + place if place else ''}.{kind}"
    if kind == "xlsx":
        write_xlsx(path, habit, table, heads, extra)
    elif kind == "xls":
        write_xls(path, table, heads, extra)
    else:
        write_csv(path, habit, table, heads, extra)
    return path
