"""A list into a file, some rows at a time: CSV, a workbook with a cover sheet, Parquet with a data dictionary.

Whole or not at all, readable by its owner only. Unknown is said in a file that people read (不明), never blank and never 0; in
Parquet, which machines read, it is null, and the dictionary says so. No cell acts (`monitoring.exporting.writing`).
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from monitoring.exporting.writing import CREATED, SAFE_WORKBOOK, check_rows, check_suffix, harmless, sync_folder
from monitoring.labels import INCOME_SOURCE_ZH, LEVEL_ZH, UNIT_ZH
from monitoring.language import Language
from monitoring.lists.fields import Field, title

CODE = "mark_code"
MAX_CELL = 32_000
_WIDTH = {"text": 16, "number": 13, "date": 12, "yes_no": 9}
_WIDE = {"reasons": 70, "rules": 30, "head_number": 22, "number": 22, "household_id": 18}


@dataclass(frozen=True)
class Written:
    """What lies on disk: rows and the digest of the file."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class Shape:
    """What the file looks like: its columns (the code comes last), the language, the sheets' names and the cover's lines."""

    columns: tuple[Field, ...]
    t: Language
    sheet: str
    cover: tuple[tuple[str, str], ...]
    statuses: dict[str, str]

    @property
    def code(self) -> str:
        return self.t("核对码")

    def headings(self) -> list[str]:
        """Title and unit; the same title twice gets the column's name behind it."""
        titles = [self._heading(one) for one in self.columns]
        doubles = {text for text in titles if titles.count(text) > 1}
        told = [
            f"{text}（{one.name}）" if text in doubles else text for text, one in zip(titles, self.columns, strict=True)
        ]
        return [*told, self.code]

    def _heading(self, of: Field) -> str:
        text = title(of, self.t.code)
        return self.t.aside(text, self.t(UNIT_ZH[of.unit])) if of.unit in UNIT_ZH and of.kind == "number" else text


def write_list(
    batches: Iterable[pl.DataFrame], empty: pl.DataFrame, rows: int, out: Path, shape: Shape, record: Callable[[Written], None]
) -> Written:  # fmt: skip
    """Writes batches (columns by field name, and the code) to `out`; `empty` has their columns, `rows` is how many come.

    `record` puts it on record once all is written, before it stands under its name: where that raises there is no file, and
    one of that name stays as it was. Raises ValueError for another suffix, or more rows than a worksheet holds.
    """
    suffix = check_suffix(out)
    check_rows(out, rows)
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent)
    os.close(handle)
    part = Path(name)
    write = {".csv": _csv, ".xlsx": _xlsx, ".parquet": _parquet}[suffix]
    try:
        write(iter(batches), empty, part, shape)
        with part.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
            os.fsync(written.fileno())
        done = Written(rows, digest)
        record(done)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(out.parent)
    return done


def dictionary(shape: Shape) -> list[dict[str, str]]:
    """One entry a column: name, title in both languages, kind, unit, source feeds are the documented ones, what null means."""
    told = [
        {"column": one.name, "zh": one.zh, "en": one.en, "kind": one.kind, "unit": one.unit,
         "null": "unknown 不明" if one.kind in ("yes_no", "number") else "unknown or none 不明或没有"}
        for one in shape.columns
    ]  # fmt: skip
    return [
        *told,
        {
            "column": CODE,
            "zh": "核对码",
            "en": "code that tells whose export the row is from",
            "kind": "text",
            "unit": "",
            "null": "never",
        },
    ]


def _csv(batches: Iterator[pl.DataFrame], empty: pl.DataFrame, part: Path, shape: Shape) -> None:
    headings = pl.DataFrame({"h": shape.headings()}).select(harmless("h"))["h"].to_list()
    with part.open("wb") as file:
        file.write(b"\xef\xbb\xbf")
        pl.DataFrame(schema=dict.fromkeys(headings, pl.String)).write_csv(file)
        for batch in batches:
            said = batch.select(*(_told(one, shape, text=True) for one in shape.columns), CODE)
            texts = [one.name for one in shape.columns if one.kind == "text"]
            said.with_columns(harmless(name) for name in texts).write_csv(file, include_header=False)


def _told(of: Field, shape: Shape, text: bool) -> pl.Expr:
    """A column as people read it. `text`: numbers and dates become texts too, so that unknown can stand among them."""
    value, t = pl.col(of.name), shape.t
    if of.kind == "yes_no":
        return (
            pl.when(value)
            .then(pl.lit(t("是")))
            .when(~value)
            .then(pl.lit(t("否")))
            .otherwise(pl.lit(t("不明")))
            .alias(of.name)
        )
    if of.kind == "text":
        names = _names(of, shape)
        said = value.cast(pl.String).replace(names) if names else value.cast(pl.String)
        said = said.fill_null(t("不明")).str.slice(0, MAX_CELL)
        return pl.when(said == "").then(pl.lit(t("无"))).otherwise(said).alias(of.name)
    if of.kind == "number" and of.unit.startswith("yuan"):
        value = value.cast(pl.Decimal(18, 2))
    if not text:
        return value.alias(of.name)
    plain = value.cast(pl.String)
    if of.kind == "number":
        fraction = plain.str.strip_chars_end("0").str.strip_chars_end(".")
        plain = pl.when(plain.str.contains(".", literal=True)).then(fraction).otherwise(plain)
    return pl.when(value.is_null()).then(pl.lit(t("不明"))).otherwise(plain).alias(of.name)


def _names(of: Field, shape: Shape) -> dict[str, str]:
    named = {"level": {**LEVEL_ZH, "none": "无信号"}, "income_source": INCOME_SOURCE_ZH, "alert": shape.statuses}.get(
        of.name, {}
    )
    return {code: shape.t(said) for code, said in named.items()}


def _xlsx(batches: Iterator[pl.DataFrame], empty: pl.DataFrame, part: Path, shape: Shape) -> None:
    with xlsxwriter.Workbook(str(part), SAFE_WORKBOOK) as book:
        book.set_properties({"created": CREATED})
        forms = {kind: book.add_format({"num_format": form, "valign": "top"}) for kind, form in
                 {"text": "@", "date": "yyyy-mm-dd", "yes_no": "@", "number": "#,##0.##", "count": "#,##0"}.items()}  # fmt: skip
        bold = book.add_format(
            {"bold": True, "num_format": "@", "bg_color": "#F5F7FA", "bottom": 1, "text_wrap": True, "valign": "top"}
        )
        wrap = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        _cover(book.add_worksheet(shape.t("说明")), shape, bold, wrap)
        page = book.add_worksheet(shape.sheet)
        page.freeze_panes(1, 0)
        for place, heading in enumerate(shape.headings()):
            of = shape.columns[place] if place < len(shape.columns) else None
            kind = (
                "text"
                if of is None
                else "count"
                if of.kind == "number" and not of.unit.startswith("yuan") and of.name != "score"
                else of.kind
            )
            width = _WIDE.get(of.name, _WIDTH[of.kind]) if of else 16
            page.set_column(place, place, width, forms[kind])
            page.write_string(0, place, heading, bold)
        first = 1
        for batch in batches:  # the writer takes rows in order; memory stays one batch
            cells = batch.select(*(_told(one, shape, text=False) for one in shape.columns), CODE)
            cells = cells.with_columns(
                pl.col(one.name).cast(pl.Float64) for one in shape.columns if one.kind == "number"
            )
            gaps = [place for place, one in enumerate(shape.columns) if one.kind in ("number", "date")]
            for place, row in enumerate(cells.rows(), first):
                page.write_row(place, 0, row)
                for column in gaps:
                    if row[column] is None:
                        page.write_string(place, column, shape.t("不明"))
            first += cells.height
        page.autofilter(0, 0, max(first - 1, 1), len(shape.columns))
        page.activate()


def _cover(page: Any, shape: Shape, bold: Any, wrap: Any) -> None:
    page.set_column(0, 0, 18)
    page.set_column(1, 1, 90)
    for row, (name, text) in enumerate(shape.cover):
        page.write_string(row, 0, name, bold)
        page.write_string(row, 1, text, wrap)


def _parquet(batches: Iterator[pl.DataFrame], empty: pl.DataFrame, part: Path, shape: Shape) -> None:
    import pyarrow as pa  # who writes no Parquet does not load it
    import pyarrow.parquet as pq

    told = {one["column"]: one for one in dictionary(shape)}
    plain = empty.to_arrow().schema
    named = [
        field.with_metadata({key: value for key, value in told[field.name].items() if key != "column"})
        for field in plain
    ]
    cover = json.dumps({"cover": dict(shape.cover), "columns": list(told.values())}, ensure_ascii=False)
    schema = pa.schema(named, metadata={"buluo": cover})
    with pq.ParquetWriter(part, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_table(batch.to_arrow().cast(schema))


def dictionary_file(out: Path, shape: Shape) -> Path:
    """The data dictionary beside a Parquet file, as CSV."""
    path = out.with_name(f"{out.stem}.字典.csv")
    pl.DataFrame(dictionary(shape)).write_csv(path, include_bom=True)
    path.chmod(0o600)
    return path


def columns_of(names: Sequence[str], known: dict[str, Field]) -> tuple[Field, ...]:
    return tuple(known[name] for name in names)
