"""From a sheet and its understood heading to a `Part`: every row goes to the data, to what is not data, or to broken."""

from __future__ import annotations

import re
import unicodedata

import polars as pl

from pipelines.reading.extras import extra, labels, unknown_headings
from pipelines.reading.model import INVISIBLE, ROWS_SCHEMA, Merge, Part, Sheet
from pipelines.reading.notes import classify, note_in, stripped, total_in, unusable
from pipelines.reading.stacked import set_apart
from pipelines.reading.target import Match

_TEN_THOUSAND = re.compile(r"[(\[{【〔][^)\]}】〕]*万[^)\]}】〕]*[)\]}】〕]|/万元$")
_YUAN = re.compile(r"[(\[{【〔][^)\]}】〕万]*元[^)\]}】〕万]*[)\]}】〕]")
_UNIT_NOTE = re.compile(r"(?:金额)?单位:(?:人民币)?万元")
_YES = ("是", "有", "1", "√", "✓", "✔", "Y", "y", "YES", "Yes", "yes", "T", "TRUE", "True", "true", "对", "1.0")
_NO = ("否", "无", "0", "×", "✗", "✘", "N", "n", "NO", "No", "no", "F", "FALSE", "False", "false", "没有", "0.0")
_BLANK_YESNO = ("-", "/", "—", "null", "NULL", "\\N")


def build_part(sheet: Sheet, match: Match, vocabulary: frozenset[str]) -> Part:
    """The part of a recognised sheet. Columns of `frame`: row, the mapped standard names in the feed's order, extra.

    `vocabulary`: every heading that leads anywhere, by which a second table below the first is told.
    """
    names = [f"c{i}" for i in range(sheet.grid.width)]
    grid = sheet.grid.with_row_index("row", 1).with_columns(pl.col("row").cast(pl.Int32))
    heading_end = match.rows[-1]
    above = _above(sheet, match)
    body = grid.slice(heading_end)
    broken_rows = [number for number in sheet.broken if number > heading_end]
    if broken_rows:
        body = body.filter(~pl.col("row").is_in(broken_rows))
    wide = {m.first_row for m in sheet.merges if m.first_row == m.last_row and m.last_column - m.first_column >= 2}
    body = _fill_down(body, [m for m in sheet.merges if heading_end < m.first_row < m.last_row], names)

    required = _required_columns(match)
    suspects = body.filter(_suspect(match, required, sheet.head(heading_end)))
    suspects = suspects.filter(~_with_number(match, required))
    sure = body if not suspects.height else body.filter(~pl.col("row").is_in(suspects["row"].implode()))
    below = classify(
        suspects,
        names,
        [sheet.head(heading_end)[row - 1] for row in match.rows],
        {text for why, text in zip(above["why"], above["text"], strict=True) if why == "标题或说明行"},
        wide,
        sure["row"].max() or 0,  # type: ignore[arg-type]
    )
    last = _last_filled(grid, below, heading_end)
    if last < grid.height:
        below = below.filter(pl.col("row") <= last)
        body = body.filter(pl.col("row") <= last)
    data = body.filter(~pl.col("row").is_in(below["row"].implode())) if below.height else body
    data, repeated, beyond = set_apart(data, match, names, vocabulary)
    data, outside = _not_listed(data, match, names)
    frame = _frame(data, match, names)
    broken = pl.DataFrame([(row, *sheet.broken[row]) for row in broken_rows], schema=ROWS_SCHEMA, orient="row")
    broken = pl.concat([broken, beyond]).sort("row") if beyond.height else broken
    not_data = pl.concat([above, below, repeated, outside]).sort("row")
    return Part(
        sheet=sheet.name,
        feed=match.target.feed.id,
        layout=match.target.layout.name,
        heading_rows=match.rows,
        frame=frame,
        not_data=not_data,
        broken=broken,
        headings={
            name: match.headings[at[0]] for name, at in sorted(match.mapping.items(), key=lambda found: found[1][0])
        },
        unknown_headings=unknown_headings(data, match),
        scale=_scale(match, above),
        rows_read=frame.height + not_data.height + broken.height,
        rows_in_sheet=last,
        hidden=sheet.hidden,
    )


def _above(sheet: Sheet, match: Match) -> pl.DataFrame:
    """The rows down to the heading: heading, title and note rows, blank rows."""
    rows = []
    for number, cells in enumerate(sheet.head(match.rows[-1]), 1):
        text = sheet.broken[number][1] if number in sheet.broken else " | ".join(filter(None, cells))
        rows.append((number, "表头" if number in match.rows else "标题或说明行" if text else "空行", text))
    return pl.DataFrame(rows, schema=ROWS_SCHEMA, orient="row")


def _fill_down(body: pl.DataFrame, merges: list[Merge], names: list[str]) -> pl.DataFrame:
    """Cells merged over several rows: the value stands in the first row only and holds for all of them.

    A row in which nothing else is written stays blank.
    """
    if not merges:
        return body
    written = body.filter(pl.any_horizontal([stripped(name).is_not_null() for name in names])).select("row")
    areas = pl.DataFrame(
        [(m.first_row, f"c{m.first_column}", m.last_row) for m in merges],
        schema={"first": pl.Int32, "column": pl.String, "last": pl.Int32},
        orient="row",
    ).unique(["first", "column"])
    for (column,), area in areas.group_by("column"):
        held = (
            area.join(body.select(pl.col("row").alias("first"), pl.col(str(column)).alias("held")), on="first")
            .with_columns(pl.int_ranges("first", pl.col("last") + 1, dtype=pl.Int32).alias("row"))
            .explode("row")
            .unique("row")
            .join(written, on="row")
            .select("row", "held")
        )
        filled = pl.coalesce(stripped(str(column)), "held").alias(str(column))
        body = body.join(held, on="row", how="left", maintain_order="left").with_columns(filled).drop("held")
    return body


def _required_columns(match: Match) -> list[tuple[str, ...]]:
    """The sheet's columns behind each required one, as far as the sheet has them."""
    indexes = (match.mapping.get(name, ()) for name in match.target.layout.required)
    return [tuple(f"c{i}" for i in found) for found in indexes if found]


def _suspect(match: Match, required: list[tuple[str, ...]], head: list[list[str]]) -> pl.Expr:
    """The rows that might not be data: a required column blank, the heading's own word in it, or a colon where a name should be."""
    if not required:
        return pl.lit(True)
    doubts = [pl.all_horizontal([unusable(column) for column in columns]) for columns in required]
    if len(required) == 1:
        doubts.append(note_in(required[0][0]))
    elif match.target.feed.subject == "institution":  # its required columns are sums, which a total row fills too
        doubts.append(total_in(required[0][0]))
    elif words := _opening_words(match):  # 填表人：… with the day of signing under a date that is required
        doubts += [pl.col(words).str.contains(colon, literal=True) for colon in (":", "：")]
    index = int(required[0][0][1:])
    doubts += [stripped(required[0][0]) == head[row - 1][index] for row in match.rows if head[row - 1][index]]
    return pl.any_horizontal(doubts).fill_null(False)


def _with_number(match: Match, required: list[tuple[str, ...]]) -> pl.Expr:
    """A row with every required column filled and somebody's number is that person's, whatever else stands in it."""
    numbers = [
        f"c{match.mapping[n][0]}" for n, c in match.target.columns.items() if c.type == "id" and n in match.mapping
    ]
    if not numbers or not required:
        return pl.lit(False)
    filled = [~pl.all_horizontal([unusable(column) for column in columns]) for columns in required]
    numbered = pl.any_horizontal([pl.col(n).str.contains(r"[0-9]{15}").fill_null(False) for n in numbers])
    return pl.all_horizontal(*filled, numbered)


def _opening_words(match: Match) -> str | None:
    """The leftmost of the sheet's required columns, if names or words stand in it: no colon belongs there."""
    found = [(match.mapping[n][0], n) for n in match.target.layout.required if n in match.mapping]
    index, name = min(found)
    return f"c{index}" if match.target.columns[name].type in ("name", "text") else None


def _last_filled(grid: pl.DataFrame, below: pl.DataFrame, heading_end: int) -> int:
    blank = set(below.filter(pl.col("why") == "空行")["row"])
    last = grid.height
    while last > heading_end and last in blank:
        last -= 1
    return last


def _not_listed(data: pl.DataFrame, match: Match, names: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of people whom the file shows but the feed does not list (普通农户 in the monitoring export)."""
    outside = pl.DataFrame(schema=ROWS_SCHEMA)
    for name, indexes in match.mapping.items():
        if not (words := match.target.columns[name].not_listed):
            continue
        value = _first_filled(indexes)
        text = pl.concat_list([stripped(column) for column in names]).list.drop_nulls().list.join(" | ")
        why = pl.concat_str(value, pl.lit(f"：不属于「{match.target.feed.title}」的对象"))
        found = data.filter(value.is_in(words)).select("row", why.alias("why"), text.alias("text"))
        data = data.filter(~value.is_in(words).fill_null(False))
        outside = pl.concat([outside, found])
    return data, outside


def _frame(data: pl.DataFrame, match: Match, names: list[str]) -> pl.DataFrame:
    layout, columns = match.target.layout, match.target.columns
    values: dict[str, pl.Expr] = {}
    for name in columns:
        indexes = match.mapping.get(name, ())
        if len(indexes) == 1:
            raw = pl.col(f"c{indexes[0]}")
            values[name] = _inverted(raw, match.headings[indexes[0]]) if match.inverse & set(indexes) else raw
        elif indexes:
            values[name] = _first_filled(indexes)
        if name in match.given:
            given = pl.lit(match.given[name], dtype=pl.String)
            values[name] = pl.when(values[name].str.strip_chars() != "").then(values[name]).otherwise(given) if (
                name in values
            ) else given  # fmt: skip
    for name, other in layout.same_as.items():
        if name not in values and other in values:
            values[name] = values[other]
    mapped = {f"c{i}" for indexes in match.mapping.values() for i in indexes}
    rest = {column: label for column, label in zip(names, labels(match), strict=False) if column not in mapped}
    return data.select(
        "row", *(values[name].alias(name) for name in columns if name in values), extra(data, rest).alias("extra")
    )


def _first_filled(indexes: tuple[int, ...]) -> pl.Expr:
    return pl.coalesce([pl.when(~unusable(f"c{i}")).then(stripped(f"c{i}")) for i in indexes])


def _inverted(raw: pl.Expr, heading: str) -> pl.Expr:
    """A yes/no under the opposite heading (是否危房户 for 住房是否安全). What is neither keeps its heading, so that
    nobody takes it for an answer to the other question.
    """
    text = raw.str.normalize("NFKC").str.strip_chars(INVISIBLE)
    blank = text.is_null() | text.is_in(["", *_BLANK_YESNO])
    return (
        pl.when(text.is_in(_YES))
        .then(pl.lit("否"))
        .when(text.is_in(_NO))
        .then(pl.lit("是"))
        .when(~blank)
        .then(pl.concat_str(pl.lit(f"{heading}："), text))
    )


def _scale(match: Match, above: pl.DataFrame) -> dict[str, int]:
    """Which amounts are written in 万元: by a hint in their heading, or by a note above the table for all of them."""
    everywhere = any(_UNIT_NOTE.search(re.sub(r"\s", "", unicodedata.normalize("NFKC", t))) for t in above["text"])
    scale = {}
    for name, indexes in match.mapping.items():
        column = match.target.columns[name]
        if column.type != "amount" or "yuan" not in (column.unit or ""):
            continue
        heading = unicodedata.normalize("NFKC", match.headings[indexes[0]])
        if _TEN_THOUSAND.search(heading) or (everywhere and not _YUAN.search(heading)):
            scale[name] = 10_000
    return scale
