"""How link reads the conformed rows of deliveries: many files of one kind in one scan.

A statement that names every file apart is planned file by file; a home holds 27 feeds of many months.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import polars as pl


@functools.lru_cache(maxsize=8192)
def columns_of(path: Path) -> dict[str, pl.DataType]:
    """The columns of a file of rows. Kept: a delivery never changes under its name, and every later run asks again."""
    return dict(pl.read_parquet_schema(path))


def alike(files: Mapping[int, Path]) -> list[dict[int, Path]]:
    """The files (period -> path) by the columns that they have: feed files change over the years."""
    kinds: dict[str, dict[int, Path]] = {}
    for period, path in files.items():
        kinds.setdefault(repr(columns_of(path)), {})[period] = path
    return list(kinds.values())


def scan(files: Mapping[int, Path]) -> str:
    """The rows of files with the same columns (period -> path), with the period as `delivered`."""
    if len(files) == 1:
        period, path = next(iter(files.items()))
        return f"(SELECT {period}::INTEGER AS delivered, * FROM read_parquet({_quoted(path)}))"
    paths = ", ".join(map(_quoted, files.values()))
    periods = " ".join(f"WHEN {_quoted(path)} THEN {period}" for period, path in files.items())
    return f"""(SELECT (CASE filename {periods} END)::INTEGER AS delivered, * EXCLUDE (filename)
        FROM read_parquet([{paths}], filename = true))"""


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
