"""Writes a feed of a month as one file of one office, headings and surrounding rows as that office has them.

How a department exports is its own habit and stays the same from month to month; only the seed changes it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from pipelines.sample.chance import Chance
from pipelines.sample.habits import Habit
from pipelines.sample.layout import FEEDS, Layout, is_money
from pipelines.sample.workbooks import Around, write_xls, write_xlsx, writes_xls

WORKBOOK_ROWS = 100_000
"""Above this a feed is never a workbook: they are slow to read."""
SIGNED = "填表人：王秀英        审核人：李建国        填表日期："
NOTE = "注：本表由系统导出，如有疑问请联系县民政局。"


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


def framed(habit: Habit, layout: Layout, table: pl.DataFrame, heads: list[str], period: str) -> Around:
    """Rows above the heading and rows below the data that are no data."""
    above = (
        [[f"青禾县{layout.title}（{period}）"], [f"填报单位：青禾县        制表日期：{period}-28"]]
        if habit.title
        else []
    )
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


def write_csv(path: Path, habit: Habit, table: pl.DataFrame, heads: list[str], extra: Around) -> None:
    """A delimited text file; the data go through polars, the rows around them by hand."""
    above, below = extra
    pad = habit.separator * (len(heads) - 1)

    def lines(rows: list[list[str]]) -> str:
        return "".join((habit.separator.join(row) if len(row) > 1 else row[0] + pad) + "\r\n" for row in rows)

    body = table.rename(dict(zip(table.columns, heads, strict=True)))
    if habit.encoding.startswith("utf-8") and not above and not below:
        body.write_csv(
            path, separator=habit.separator, line_terminator="\r\n", include_bom=habit.encoding == "utf-8-sig"
        )
        return
    text = lines(above) + body.write_csv(separator=habit.separator, line_terminator="\r\n") + lines(below)
    path.write_bytes(text.encode(habit.encoding))


def write_feed(
    chance: Chance, folder: Path, feed: str, table: pl.DataFrame, period: str, office: int, place: str, habit: Habit
) -> Path:
    """One file of one office: `place` goes into its name where a township sends its own."""
    layout = FEEDS[feed]
    kind = habit.kind if table.height <= WORKBOOK_ROWS else "csv"
    kind = "xlsx" if kind == "xls" and not writes_xls() else kind
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
