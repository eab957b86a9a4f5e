"""The floor: the same files merely read with the same libraries, every cell as text, and written to DuckDB tables.

usage: python -m benchmarks.floor FOLDER OUT.duckdb        prints {"files": …, "rows": …}
No heading is looked for, nothing is checked, cleaned, linked or judged.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import fastexcel
import polars as pl

_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def main(folder: Path, out: Path) -> None:
    out.unlink(missing_ok=True)
    files = rows = 0
    with duckdb.connect(str(out), config={"memory_limit": "2500MB"}) as connection:
        connection.execute("SET enable_progress_bar = false")
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            files += 1
            for frame in _frames(path):
                rows += frame.height
                connection.register("cells", frame)
                connection.execute(f"CREATE TABLE file_{files}_{rows} AS FROM cells")
                connection.unregister("cells")
    print(json.dumps({"files": files, "rows": rows}))


def _frames(path: Path) -> Iterator[pl.DataFrame]:
    if path.suffix.lower() in (".xlsx", ".xls"):
        book = fastexcel.read_excel(path)
        for sheet in book.sheet_names:
            frame = book.load_sheet(sheet, header_row=None, dtypes="string").to_polars()
            if frame.width:
                yield frame
    else:
        yield _text(path.read_bytes())


def _text(content: bytes) -> pl.DataFrame:
    encoding = next((name for bom, name in _BOMS.items() if content.startswith(bom)), None)
    if encoding is None:
        try:
            content.decode("utf-8")
            encoding = "utf-8"
        except UnicodeDecodeError:
            encoding = "gb18030"
    if encoding != "utf-8":
        content = content.decode(encoding, errors="replace").encode()
    first = content[:20_000].decode(errors="ignore").splitlines()[:20]
    separator = max(",\t;", key=lambda mark: max((line.count(mark) for line in first), default=0))
    widths = [line.count(separator) for line in first]
    titles = widths.index(max(widths)) if widths else 0  # lines above the heading, narrower than what follows
    return pl.read_csv(
        content,
        has_header=False,
        skip_lines=titles,
        separator=separator,
        infer_schema=False,
        truncate_ragged_lines=True,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
