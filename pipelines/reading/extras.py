"""The columns of a sheet that no feed knows: named, listed, and kept with every row."""

from __future__ import annotations

import json
import re

import polars as pl

from pipelines.reading.notes import stripped
from pipelines.reading.target import Match


def labels(match: Match) -> list[str]:
    """The name of every column of the sheet, made different: 备注, 备注_2; 第E列 where nothing is written."""
    seen: dict[str, int] = {}
    names = []
    for index, heading in enumerate(match.headings):
        label = re.sub(r"\s+", "", heading) or f"第{_letters(index)}列"
        seen[label] = seen.get(label, 0) + 1
        names.append(label if seen[label] == 1 else f"{label}_{seen[label]}")
    return names


def unknown_headings(data: pl.DataFrame, match: Match) -> list[str]:
    """The columns that no feed knows; those without a heading only if something is written in them."""
    mapped = {index for indexes in match.mapping.values() for index in indexes}
    rest = {f"c{i}": label for i, label in enumerate(labels(match)) if i not in mapped}
    nameless = [column for column in rest if not match.headings[int(column[1:])]]
    written = data.select(stripped(column).is_not_null().any() for column in nameless).row(0) if nameless else ()
    blank = {column for column, any_there in zip(nameless, written, strict=True) if not any_there}
    return [label for column, label in rest.items() if column not in blank]


def _letters(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def extra(data: pl.DataFrame, rest: dict[str, str]) -> pl.Expr:
    """The unknown columns that are filled, as a JSON object; null where none is."""
    if not rest or not data.height:
        return pl.lit(None, dtype=pl.String)
    quoting = data.select(pl.col(list(rest)).str.contains(r'["\\\x00-\x1f]').any()).row(0, named=True)
    pieces = []
    for column, label in rest.items():
        value = stripped(column)
        if quoting[column]:
            for raw, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
                value = value.str.replace_all(raw, escaped, literal=True)
            value = value.str.replace_all(r"[\x00-\x1f]", "")
        pieces.append(pl.lit(f'{json.dumps(label, ensure_ascii=False)}:"') + value + '"')
    joined = pl.concat_str(pieces, separator=",", ignore_nulls=True)
    return pl.when(joined != "").then("{" + joined + "}")
