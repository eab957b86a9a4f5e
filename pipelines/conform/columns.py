"""One column of a feed: the cells as written -> typed values, which cells were blank, which could not be understood.

Works on the distinct cells and joins the result back: departments repeat themselves (35,000 birth dates, a few
hundred villages, two sexes in a million rows), so cleaning costs what the different spellings cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from monitoring.feeds import Column
from pipelines import identity

PLACES = ("township", "village")
_TYPES: dict[str, pl.DataType] = {
    "name": pl.String(),
    "id": pl.String(),
    "text": pl.String(),
    "phone": pl.String(),
    "codes": pl.String(),
    "date": pl.Date(),
    "month": pl.Date(),
    "year": pl.Int32(),
    "amount": identity.AMOUNT,
    "count": pl.Int64(),
    "yesno": pl.Boolean(),
}
_PLAIN = {
    "id": r"^[0-9]{17}[0-9X]$",
    "name": r"^[\u{4E00}-\u{9FFF}]+$",
    "text": r"^[A-Za-z]*[0-9\u{4E00}-\u{9FFF}][0-9A-Za-z\u{4E00}-\u{9FFF}]*$",
    "phone": r"^1[3-9][0-9]{9}$",
    "amount": r"^[0-9]{1,9}(?:\.[0-9]{1,2})?$",
}
_SUFFIXES = {"square metres": ("平方米", "平米", "M2"), "months": ("个月", "月")}


KEYS = ("household_number", "certificate", "clue_number", "title_number", "plate", "credit_code")


@dataclass(frozen=True)
class Cells:
    """One column of a part, row by row: typed `value`, booleans `blank` and `unclear`; for id columns also what stood
    there (`text`, cleaned) and its `state`."""

    column: Column
    value: pl.Series
    blank: pl.Series
    unclear: pl.Series
    text: pl.Series | None = None
    state: pl.Series | None = None


def type_of(column: Column) -> pl.DataType:
    """The Polars type of a column's values; a code with `number` is an integer."""
    if column.type == "code":
        return pl.Int32() if column.number else pl.String()
    return _TYPES[column.type]


def read_columns(frame: pl.DataFrame, columns: list[Column], scale: Mapping[str, int]) -> dict[str, Cells]:
    """Types the columns that the frame has. `scale`: what a heading says a unit is worth (万元: 10000).

    One column after the other: Polars fills the cores by itself, and all columns side by side need twice the memory."""
    return {c.name: _read_cells(frame[c.name], c, scale.get(c.name, 1)) for c in columns if c.name in frame.columns}


def _read_cells(raw: pl.Series, column: Column, scale: int) -> Cells:
    """Types the distinct cells and joins them back. Those that need no cleaning take a short way."""
    cells = raw.rename("raw").to_frame()
    distinct = cells.unique()
    wanted = ["raw", "value", "blank", "unclear", *(["text", "state"] if column.type == "id" else [])]
    plain = distinct.select(_is_plain(column, scale)).to_series()
    value = pl.col("value").cast(type_of(column))
    typed = [
        _parse_plain(distinct.lazy().filter(plain), column).with_columns(value).select(wanted),
        _parse(distinct.lazy().filter(~plain), column, scale).with_columns(value).select(wanted),
    ]
    rows = cells.join(pl.concat(typed).collect(), on="raw", how="left", nulls_equal=True, maintain_order="left")
    texts = (rows["text"], rows["state"]) if column.type == "id" else (None, None)
    return Cells(column, rows["value"], rows["blank"], rows["unclear"], *texts)


def _is_plain(column: Column, scale: int) -> pl.Expr:
    """Where a cell is already as it should be, so that cleaning would not change it (a test holds this)."""
    raw = pl.col("raw")
    pattern = _PLAIN.get(column.type)
    if pattern is None or scale != 1:
        return pl.repeat(False, pl.len())
    return (raw.str.contains(pattern) & ~identity.says_nothing(raw)).fill_null(False)


def _parse_plain(frame: pl.LazyFrame, column: Column) -> pl.LazyFrame:
    """`_parse` for plain cells."""
    if column.type == "id":
        return _judged(identity.parse_numbers(frame.with_columns(text=pl.col("raw"))))
    return frame.with_columns(value=pl.col("raw").cast(type_of(column)), blank=False, unclear=False)


def _judged(numbers: pl.LazyFrame) -> pl.LazyFrame:
    state = pl.col("state")
    return numbers.with_columns(
        value=pl.col("number"), blank=state == "missing", unclear=state.is_in(["damaged", "invalid"])
    )


def _parse(frame: pl.LazyFrame, column: Column, scale: int) -> pl.LazyFrame:
    """Adds `value`, `blank`, `unclear` to distinct `raw` cells (and `text`, `state` to those of an id column)."""
    raw = pl.col("raw")
    match column.type:
        case "id":
            return _judged(identity.parse_numbers(frame.with_columns(text=identity.id_text(raw))))
        case "name":
            parsed = frame.with_columns(value=identity.name(raw)).with_columns(text="value")
        case "text":
            value = identity.place(raw) if column.name in PLACES else identity.free_text(raw)
            if column.name in KEYS:  # numbers of papers, households, titles: "D 1" is D1
                value = value.str.replace_all(" ", "", literal=True)
            parsed = frame.with_columns(value=value).with_columns(text="value")
        case "phone":
            parsed = _keyed(frame).with_columns(value=identity.phone(raw))
        case "date":
            open_end = column.name == "valid_until" or column.name.endswith("end_date")
            parsed = identity.parse_dates(_dated(frame, open_end))
        case "month":
            parsed = identity.parse_months(_dated(frame))
        case "year":
            parsed = identity.parse_years(_dated(frame))
        case "amount":
            parsed = identity.parse_amounts(_keyed(frame), scale, _SUFFIXES.get(column.unit or "", ()))
        case "count":
            parsed = identity.parse_counts(_keyed(frame))
        case "yesno":
            parsed = _coded(frame, identity.yes_no_words(column.heading), pl.Boolean())
        case "code":
            parsed = _coded(frame, identity.spellings(column.codes), pl.String())
        case "codes":
            return _several_coded(frame, identity.spellings(column.codes))
        case _:
            raise ValueError(f"column {column.name}: unknown type {column.type!r}")
    text, value = pl.col("text"), pl.col("value")
    return parsed.with_columns(blank=text.is_null(), unclear=text.is_not_null() & value.is_null())


def _keyed(frame: pl.LazyFrame) -> pl.LazyFrame:
    return frame.with_columns(text=identity.key(pl.col("raw"))).with_columns(text=identity.filled(pl.col("text")))


def _dated(frame: pl.LazyFrame, open_end: bool = False) -> pl.LazyFrame:
    """`text` for the date parsers; in a column that ends something, 长期 and 9999-12-31 say "no end": blank."""
    text = pl.col("text")
    keyed = frame.with_columns(text=identity.date_text(pl.col("raw"))).with_columns(text=identity.filled(text))
    return keyed.with_columns(text=pl.when(~text.is_in(identity.OPEN_END)).then(text)) if open_end else keyed


def _coded(frame: pl.LazyFrame, words: dict[str, str] | dict[str, bool], dtype: pl.DataType) -> pl.LazyFrame:
    """Looks the cell up before asking whether it means nothing: a list that knows 无 wins."""
    value = pl.col("text").replace_strict(words, default=None, return_dtype=dtype)
    return (
        frame.with_columns(text=identity.key(pl.col("raw")))
        .with_columns(value=value, filled=identity.filled(pl.col("text")))
        .with_columns(text=pl.when(pl.col("value").is_not_null()).then("text").otherwise("filled"))
    )


def _several_coded(frame: pl.LazyFrame, words: dict[str, str]) -> pl.LazyFrame:
    """Known members stay, sorted and once each; the cell is unclear as soon as one member is unknown."""
    whole = identity.key(pl.col("raw"))
    member = pl.element()
    known = member.replace_strict(words, default=None, return_dtype=pl.String())
    strange = ~member.is_in(list(words)) & ~identity.means_nothing(member)
    members = pl.when(whole.is_in(list(words))).then(pl.concat_list(whole)).otherwise(identity.several(pl.col("raw")))
    return (
        frame.with_columns(_members=members.list.eval(identity.key(member)))
        .with_columns(
            value=pl.col("_members").list.eval(known).list.drop_nulls().list.unique().list.sort().list.join("、"),
            unclear=pl.col("_members").list.eval(strange).list.any().fill_null(False),
        )
        .with_columns(value=pl.when(pl.col("value") != "").then(pl.col("value")))
        .with_columns(blank=pl.col("value").is_null() & ~pl.col("unclear"))
    )
