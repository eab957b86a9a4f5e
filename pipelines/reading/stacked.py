"""Two tables in one sheet, one below the other: what stands under the second heading is no data of the first table.

A row of headings is told by its cells: three or more of them, and four of five of all that are filled, are headings that
some feed knows or that the first heading has in the same place. Where they stand over the same columns as the first heading's, the heading is merely repeated in other
words; else the rows below it cannot be read by the first heading, and no one can say which feed's they are.
"""

from __future__ import annotations

import polars as pl

from monitoring.feeds import normalise_heading
from pipelines.reading.model import ROWS_SCHEMA
from pipelines.reading.notes import stripped
from pipelines.reading.target import Match

_ENOUGH = 3
# A heading row has one of these among its first columns: a look at every cell of a county would cost more than all the rest.
_OPENING = ("序号", "姓名", "户主姓名", "身份证号", "证件号码", "身份证号码", "户编号", "乡镇")
_FIRST = 4


def set_apart(
    data: pl.DataFrame, match: Match, columns: list[str], vocabulary: frozenset[str]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """`data` without further headings and what belongs to another table; headings (row, why, text); rows of another
    table (row, why, text), for quarantine."""
    nothing = pl.DataFrame(schema=ROWS_SCHEMA)
    words = pl.any_horizontal([pl.col(column) == word for column in columns[:_FIRST] for word in _OPENING])
    found = [row for row in data.filter(words.fill_null(False)).rows() if _is_heading([*row[1:]], match, vocabulary)]
    if not found:
        return data, nothing, nothing
    headings: list[tuple[int, str, str]] = []
    for row, *cells in found:
        text = " | ".join(filter(None, cells))
        if _same_columns(cells, match):
            headings.append((row, "重复的表头", text))
            continue
        headings.append((row, "另一张表的表头", text))
        why = f"第 {row} 行起是另一张表（表头：{text}），列与本表不同，不能照本表读；请把两张表分开放在两个工作表或文件里再报"
        joined = pl.concat_list([stripped(column) for column in columns]).list.drop_nulls().list.join(" | ")
        beyond = data.filter(pl.col("row") > row).select("row", why=pl.lit(why), text=joined)
        told = pl.DataFrame(headings, schema=ROWS_SCHEMA, orient="row")
        return data.filter((pl.col("row") < row) & ~pl.col("row").is_in(told["row"].implode())), told, beyond
    told = pl.DataFrame(headings, schema=ROWS_SCHEMA, orient="row")
    return data.filter(~pl.col("row").is_in(told["row"].implode())), told, nothing


def _is_heading(cells: list[str | None], match: Match, vocabulary: frozenset[str]) -> bool:
    filled = [(index, normalise_heading(cell)) for index, cell in enumerate(cells) if cell and cell.strip()]
    known = {word for index, word in filled if word in vocabulary or word == _word(match, index)}
    return len(known) >= _ENOUGH and len(known) * 5 >= len(filled) * 4


def _same_columns(cells: list[str | None], match: Match) -> bool:
    """Whether the heading leads to the first heading's columns, each in its place (the same words, or other ones)."""
    place = {index: name for name, indexes in match.mapping.items() for index in indexes}
    for index, cell in enumerate(cells):
        word = normalise_heading(cell or "")
        meant = match.target.lookup.get(word)
        if word and (meant[0] if meant else None) != place.get(index) and word != _word(match, index):
            return False
    return True


def _word(match: Match, index: int) -> str:
    return normalise_heading(match.headings[index]) if index < len(match.headings) else ""
