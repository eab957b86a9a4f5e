"""The process in which a workbook is parsed: `python -m pipelines.parsing.child WORKBOOK OUTDIR`.

It limits itself first, then checks, parses, and writes to OUTDIR one file a sheet and `sheets.json`; or `problem.txt`, the
reason in Chinese, and ends with 3. Any other ending means that the workbook killed it.
A sheet's file holds its cells as UTF-8 text, column after column, some rows at a time: first row = row 1, cells parted by
`CELL_END`; nothing and "" are the same. `pieces` in `sheets.json` are the numbers of rows, and the bytes of each column,
`leading` the blank columns before the first one.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import resource
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.parsing import CELL_END, Unreadable

MEMORY = 3 << 30
CPU_SECONDS = 120
OPEN_FILES = 64
BATCH = 200_000  # cells


def main(workbook: Path, out: Path) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from pipelines.parsing.precheck import precheck

    try:
        with workbook.open("rb") as stream:
            is_zip = stream.read(2) == b"PK"
        if is_zip:
            precheck(workbook)
        named = out / ("in.xlsx" if is_zip else "in.xls")  # the parser goes by the name, we by the content
        named.symlink_to(workbook)
        _write(named, out)
    except Unreadable as problem:
        (out / "problem.txt").write_text(str(problem), encoding="utf-8")
        return 3
    except MemoryError:
        (out / "problem.txt").write_text("工作簿太大，内存放不下；请分成几个文件再报", encoding="utf-8")
        return 3
    return 0


def _write(workbook: Path, out: Path) -> None:
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_path(workbook)
    except calamine.PasswordError:
        raise Unreadable("工作簿设了打开密码，读不出来；请去掉密码后再报") from None
    except Exception as error:  # calamine raises many kinds, panics among them
        raise Unreadable(f"工作簿打不开（{error}）；请用 Excel 或 WPS 打开，另存为 .xlsx 再报") from None
    sheets = []
    for number, meta in enumerate(book.sheets_metadata):
        entry: dict[str, Any] = {"name": meta.name, "hidden": str(meta.visible).rpartition(".")[2] != "Visible"}
        try:
            sheet = book.get_sheet_by_index(number)
            entry["merges"] = _merges(sheet)
            with (out / f"{number}.cells").open("wb") as cells:
                entry["leading"], entry["pieces"] = sheet.start[1] if sheet.start else 0, _write_cells(sheet, cells)
            entry["file"] = f"{number}.cells"
        except MemoryError:
            raise
        except Exception as error:  # one spoilt or foreign sheet (a chart, a dialog) leaves the others readable
            entry["problem"] = str(error)[:200]
        sheets.append(entry)
    (out / "sheets.json").write_text(json.dumps(sheets, ensure_ascii=False), encoding="utf-8")


def _merges(sheet: Any) -> list[list[int]]:
    """Merged areas as [first row, first column, last row, last column], 1-based rows, 0-based columns."""
    return [[a[0] + 1, a[1], b[0] + 1, b[1]] for a, b in sheet.merged_cell_ranges or ()]


def _write_cells(sheet: Any, out: BinaryIO) -> list[tuple[int, list[int]]]:
    """All cells as text; rows from row 1 on, to the last that has a value."""
    if sheet.start is None:
        return []
    return [
        (len(rows), [out.write(_joined(_column(values), len(rows))) for values in zip(*rows, strict=True)])
        for rows in _batches(sheet.iter_rows(), max(1, BATCH // sheet.width))
    ]


def _joined(values: Sequence[str], count: int) -> bytes:
    text = CELL_END.join(values)
    if text.count(CELL_END) != count - 1:
        text = CELL_END.join(value.replace(CELL_END, "") for value in values)
    return text.encode()


def _batches(rows: Iterator[list[Any]], size: int) -> Iterator[list[list[Any]]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _column(values: tuple[Any, ...]) -> Sequence[str]:
    return values if set(map(type, values)) == {str} else [as_text(value) or "" for value in values]


def as_text(value: Any) -> str | None:
    """A cell's value as the sheet shows it at full width; dates as ISO text, truth as 是/否."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ") if value.time() != dt.time() else value.date().isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return None if value is None else str(value)


def number_text(value: float) -> str:
    """A number without exponent. A workbook keeps 15 digits: a longer one ends in zeros here, as Excel shows it, so
    that an identity number that was stored as a number is seen to be damaged (the nearest binary value would not show).
    """
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    shortest = f"{value:.15g}"
    return shortest if abs(value) >= 1e21 or math.isnan(value) else f"{Decimal(shortest):f}"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
