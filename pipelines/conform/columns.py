"""One column of a feed: the cells as written -> typed values, which cells were blank, which could not be understood.

Most cells are already as they should be: one query over all columns tells them and types them. Of the rest only the
distinct ones are cleaned, once for all columns that are cleaned alike, and joined back: departments repeat themselves, so
cleaning costs what the different spellings cost.
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
# What a cell looks like that cleaning would not change (a test holds this); whole cells, in digits of ASCII.
_PLAIN = {
    "name": r"^[\u{4E00}-\u{9FFF}]+$",
    "text": r"^[A-Za-z]*[0-9\u{4E00}-\u{9FFF}][0-9A-Za-z\u{4E00}-\u{9FFF}]*$",
    "phone": r"^1[0-9]{10}$",
    "amount": r"^[0-9]{1,9}(?:\.[0-9]{1,2})?$",
    "count": r"^[0-9]{1,9}$",
    "year": r"^(?:19|20)[0-9]{2}$",
}
_SUFFIXES = {"square metres": ("平方米", "平米", "M2"), "months": ("个月", "月")}


KEYS = ("household_number", "certificate", "clue_number", "title_number", "plate", "credit_code")


@dataclass(frozen=True)
class Cells:
    """One column of a part, row by row: typed `value`, booleans `blank` and `unclear`; for id columns also the `state`
    and, where the number is not valid, what stood there (`text`, cleaned)."""

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

    The rest is cleaned one kind of column after the other: Polars fills the cores by itself, and all of them side by side
    need twice the memory."""
    there = {c.name: c for c in columns if c.name in frame.columns}
    plain = frame.lazy().select(_plain(c, scale.get(name, 1)).alias(name) for name, c in there.items()).collect()
    blank = frame.select(pl.col(name).is_null() for name in there)
    never = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    alike: dict[tuple[object, ...], list[Column]] = {}
    for name, c in there.items():
        if plain[name].null_count() > frame[name].null_count():
            alike.setdefault(_cleaning(c, scale.get(name, 1)), []).append(c)
    cells: dict[str, Cells] = {}
    for same in alike.values():
        cells |= _read_cells(frame, plain, same, scale.get(same[0].name, 1))
    return {
        name: cells[name] if name in cells else _as_they_are(plain[name], blank[name], never, c)
        for name, c in there.items()
    }


def _cleaning(column: Column, scale: int) -> tuple[object, ...]:
    """Equal for columns whose cells `_parse` treats alike."""
    match column.type:
        case "text":
            return "text", column.name in PLACES, column.name in KEYS
        case "date":
            return "date", _open_end(column)
        case "amount":
            return "amount", scale, _SUFFIXES.get(column.unit or "", ())
        case "code" | "codes" | "yesno":
            return column.type, column.name
        case _:
            return (column.type,)


def _plain(column: Column, scale: int) -> pl.Expr:
    """The typed value of cells that need no cleaning, null for the others."""
    raw, dtype = pl.col(column.name), type_of(column)
    if column.type == "id":
        return identity.plain_number(raw)
    if column.type == "date":
        return identity.plain_date(raw)
    if column.type in ("code", "codes", "yesno"):
        words = identity.plain_words(_words(column))
        return raw.replace_strict(words, default=None, return_dtype=_word_type(column)).cast(dtype)
    if column.type not in _PLAIN or scale != 1:
        return pl.repeat(None, pl.len(), dtype=dtype)
    fits = raw.str.contains(_PLAIN[column.type]) & ~identity.says_nothing(raw)
    return pl.when(fits).then(raw.cast(dtype, strict=False))


def _as_they_are(plain: pl.Series, blank: pl.Series, never: pl.Series, column: Column) -> Cells:
    """The cells of a column of which none needs cleaning: on small files most of the time would go into asking again."""
    if column.type != "id":
        return Cells(column, plain, blank, never)
    state = blank.replace_strict({False: "valid", True: "missing"}, return_dtype=pl.String)
    return Cells(column, plain, blank, never, pl.repeat(None, len(plain), dtype=pl.String, eager=True), state)


def _read_cells(frame: pl.DataFrame, plain: pl.DataFrame, columns: list[Column], scale: int) -> dict[str, Cells]:
    """The cells of columns that are cleaned alike: plain values, blanks and, of the other cells, what cleaning makes of them."""
    at = {c.name: (frame[c.name].is_not_null() & plain[c.name].is_null()).arg_true() for c in columns}
    others = {name: frame[name].gather(places).alias("raw") for name, places in at.items()}
    spellings = pl.concat(list(others.values())).unique().to_frame().lazy()
    cleaned = _parse(spellings, columns[0], scale).with_columns(pl.col("value").cast(type_of(columns[0]))).collect()
    told = {}
    for c in columns:
        # Only the rows with such a cell look theirs up, and only they are written over: they are few.
        ours = others[c.name].to_frame().join(cleaned, on="raw", how="left", maintain_order="left")
        cells = _before_cleaning(frame[c.name], plain[c.name], c).get_columns()
        told[c.name] = Cells(c, *(cell.scatter(at[c.name], ours[cell.name]) for cell in cells))
    return told


def _before_cleaning(raw: pl.Series, plain: pl.Series, column: Column) -> pl.DataFrame:
    """What is told of cells that are plain or blank, in the order of `Cells`."""
    value = pl.col("plain")
    found = {"value": value, "blank": pl.col("raw").is_null(), "unclear": pl.repeat(False, pl.len())}
    if column.type == "id":
        state = pl.when(value.is_not_null()).then(pl.lit("valid")).otherwise(pl.lit("missing"))
        found |= {"text": pl.repeat(None, pl.len(), dtype=pl.String), "state": state}
    return pl.DataFrame({"raw": raw, "plain": plain}).select(**found)


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
            parsed = identity.parse_dates(_dated(frame, _open_end(column)))
        case "month":
            parsed = identity.parse_months(_dated(frame))
        case "year":
            parsed = identity.parse_years(_dated(frame))
        case "amount":
            parsed = identity.parse_amounts(_keyed(frame), scale, _SUFFIXES.get(column.unit or "", ()))
        case "count":
            parsed = identity.parse_counts(_keyed(frame))
        case "yesno" | "code":
            parsed = _coded(frame, _words(column), _word_type(column))
        case "codes":
            return _several_coded(frame, identity.spellings(column.codes))
        case _:
            raise ValueError(f"column {column.name}: unknown type {column.type!r}")
    text, value = pl.col("text"), pl.col("value")
    return parsed.with_columns(blank=text.is_null(), unclear=text.is_not_null() & value.is_null())


def _keyed(frame: pl.LazyFrame) -> pl.LazyFrame:
    return frame.with_columns(text=identity.key(pl.col("raw"))).with_columns(text=identity.filled(pl.col("text")))


def _open_end(column: Column) -> bool:
    """Whether a date says when something ends."""
    return column.name == "valid_until" or column.name.endswith("end_date")


def _dated(frame: pl.LazyFrame, open_end: bool = False) -> pl.LazyFrame:
    """`text` for the date parsers; in a column that ends something, 长期 and 9999-12-31 say "no end": blank."""
    text = pl.col("text")
    keyed = frame.with_columns(text=identity.date_text(pl.col("raw"))).with_columns(text=identity.filled(text))
    return keyed.with_columns(text=pl.when(~text.is_in(identity.OPEN_END)).then(text)) if open_end else keyed


def _words(column: Column) -> Mapping[str, str] | Mapping[str, bool]:
    """What may stand in a cell of a code list or a yes/no, as `key`, and what it means."""
    return identity.yes_no_words(column.heading) if column.type == "yesno" else identity.spellings(column.codes)


def _word_type(column: Column) -> pl.DataType:
    """The type of the meanings of `_words`; a code that is a number becomes one afterwards."""
    return pl.Boolean() if column.type == "yesno" else pl.String()


def _coded(frame: pl.LazyFrame, words: Mapping[str, str] | Mapping[str, bool], dtype: pl.DataType) -> pl.LazyFrame:
    """Looks the cell up before asking whether it means nothing: a list that knows 无 wins."""
    value = pl.col("text").replace_strict(words, default=None, return_dtype=dtype)
    return (
        frame.with_columns(text=identity.key(pl.col("raw")))
        .with_columns(value=value, filled=identity.filled(pl.col("text")))
        .with_columns(text=pl.when(pl.col("value").is_not_null()).then("text").otherwise("filled"))
    )


def _several_coded(frame: pl.LazyFrame, words: Mapping[str, str]) -> pl.LazyFrame:
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
