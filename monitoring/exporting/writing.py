"""One frame into one file, by suffix: whole or not at all, the same bytes for the same rows, and no cell that acts.

Spreadsheets run what begins like a formula. In a workbook every text is written as text; in CSV, which has no types,
such a cell gets a leading apostrophe. Numbers stay numbers, except those that a spreadsheet would round.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import polars as pl
import xlsxwriter

SUFFIXES = (".csv", ".xlsx", ".parquet")
# The first character that is no blank, or a control character that a spreadsheet drops before it looks.
_ACTS = r"^[\p{Zs}\x{FEFF}\x{200B}]*[=+\-@\x00-\x1f＝＋－＠%|]"
SAFE_WORKBOOK = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": True,
    "constant_memory": True,
}
CREATED = datetime(2000, 1, 1)  # noqa: DTZ001  (a file's properties know no zone; fixed, so that bytes repeat)
_MAX_ROWS, _MAX_CELL, _EXACT = 1_048_575, 32_767, 10**15
_CUT = "…（过长，已截断）"
_WIDE = {"evidence": 50, "message": 60, "why": 60, "reasons": 60, "clause": 40, "file": 40, "id_number": 20}


def write_frame(frame: pl.DataFrame, out: Path, *, sheet: str = "Sheet1") -> None:
    """Writes the frame to `out` (.csv, .xlsx or .parquet) through a new file beside it, renamed when it is on disk.

    The file is readable by its owner only. Raises ValueError for another suffix or too many rows for a workbook.
    """
    write_frames({sheet: frame}, out)


def write_frames(frames: Mapping[str, pl.DataFrame], out: Path) -> None:
    """As `write_frame`, one sheet a frame; several go into a workbook only."""
    if check_suffix(out) != ".xlsx" and len(frames) > 1:
        raise ValueError(f"{out.name}：几张表只能写成 .xlsx")
    only = next(iter(frames.values()))
    writers: dict[str, Callable[[Path], None]] = {
        ".csv": lambda path: _write_csv(only, path),
        ".xlsx": lambda path: _write_xlsx(frames, path),
        ".parquet": lambda path: only.write_parquet(path),
    }
    writer = writers[check_suffix(out)]
    for frame in frames.values():
        check_rows(out, frame.height)
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent)
    os.close(handle)
    part = Path(name)
    try:
        writer(part)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(out.parent)


def check_suffix(out: Path) -> str:
    """The suffix in lower case; raises ValueError where it is none that is written."""
    suffix = out.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{out.name}：只能导出为 {'、'.join(SUFFIXES)}")
    return suffix


def check_rows(out: Path, rows: int) -> None:
    """Raises ValueError where a workbook's sheet cannot hold so many rows."""
    if out.suffix.lower() == ".xlsx" and rows > _MAX_ROWS:
        raise ValueError(
            f"{rows:,} 行超过了一张工作表的上限 {_MAX_ROWS:,} 行：请用 .csv 或 .parquet，或用 --where 缩小范围"
        )


def sync_folder(folder: Path) -> None:
    """Puts a rename or a new file's name on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_csv(frame: pl.DataFrame, path: Path) -> None:
    texts = [name for name, type_ in frame.schema.items() if type_ == pl.String]
    headings = pl.DataFrame({"heading": frame.columns}, schema={"heading": pl.String}).select(harmless("heading"))[
        "heading"
    ]
    safe = frame.with_columns(harmless(name) for name in texts)
    safe.rename(dict(zip(frame.columns, headings, strict=True))).write_csv(path, include_bom=True)


def harmless(name: str) -> pl.Expr:
    """A text column for CSV: what a spreadsheet would run gets a leading apostrophe."""
    text = pl.col(name)
    return pl.when(text.str.contains(_ACTS)).then(pl.lit("'") + text).otherwise(text).alias(name)


def _write_xlsx(frames: Mapping[str, pl.DataFrame], path: Path) -> None:
    with xlsxwriter.Workbook(str(path), SAFE_WORKBOOK) as book:
        book.set_properties({"created": CREATED})
        text, day, bold = (book.add_format({"num_format": form}) for form in ("@", "yyyy-mm-dd", "@"))
        bold.set_bold()
        for sheet, frame in frames.items():
            page = book.add_worksheet(sheet)
            page.freeze_panes(1, 0)
            cells = frame.with_columns(_as_cell(frame[name]) for name in frame.columns)
            for place, (name, type_) in enumerate(cells.schema.items()):
                page.set_column(
                    place, place, _WIDE.get(name, 14), text if type_ == pl.String else day if type_ == pl.Date else None
                )
                page.write_string(0, place, name, bold)
            first = 1
            for slice_ in cells.iter_slices(10_000):  # the writer takes rows in order; memory stays one slice
                for place, row in enumerate(slice_.rows(), first):
                    page.write_row(place, 0, row)
                first += slice_.height
            if frame.width:
                page.autofilter(0, 0, frame.height, frame.width - 1)


def _as_cell(column: pl.Series) -> pl.Expr:
    """Whole numbers beyond 15 places become text (a spreadsheet would round them), texts fit a cell, dates stay dates."""
    value = pl.col(column.name)
    if column.dtype.is_integer():
        largest = max(abs(int(edge)) for edge in (column.min() or 0, column.max() or 0))  # type: ignore[arg-type]
        return value.cast(pl.String) if largest >= _EXACT else value
    if column.dtype == pl.String:
        cut = value.str.head(_MAX_CELL - len(_CUT)) + _CUT
        return pl.when(value.str.len_chars() > _MAX_CELL).then(cut).otherwise(value)
    return value.cast(pl.Float64) if column.dtype.is_decimal() else value
