"""Opens what a run has published: the pointer, and the warehouse file behind it, read-only and locked.

A home's pointer (`warehouse/current.json`) names the published run of every period. Each run has a file name of its own,
so an open connection goes on reading what it was opened on while a newer run is published beside it. Nothing here writes;
a missing or unusable pointer is a `NoWarehouse`, whose text says what to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

POINTER = "current.json"
LONGEST_SECONDS = 20  # a page that waits longer is broken: the query is interrupted
LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "max_execution_time": LONGEST_SECONDS * 1000,
    "lock_configuration": True,
    "threads": 2,
    "memory_limit": "2GB",
}


class NoWarehouse(Exception):
    """There is nothing published to show; the text says so in words for the person at the screen."""


@dataclass(frozen=True)
class Published:
    """One period's published run."""

    period: str
    run: str
    path: Path


@dataclass(frozen=True)
class Publication:
    """Everything published in one home; `runs` is sorted by period, the newest first."""

    latest: str
    runs: tuple[Published, ...]

    def run_of(self, period: str | None) -> Published:
        """The run of a period, or the latest one where that period is not published."""
        by_period = {run.period: run for run in self.runs}
        return by_period.get(period or "", by_period.get(self.latest, self.runs[0]))


def publication(home: Path) -> Publication:
    """Reads the pointer; raises NoWarehouse where there is none, or where it names files that are not there."""
    folder = home / "warehouse"
    try:
        pointer = json.loads((folder / POINTER).read_text("utf-8"))
        named = {period: (str(entry["run"]), str(entry["file"])) for period, entry in pointer["periods"].items()}
        latest = str(pointer["latest"])
    except FileNotFoundError as error:
        raise NoWarehouse(f"{folder}：还没有发布过数据。") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoWarehouse(f"{folder / POINTER}：发布记录读不懂。") from error
    runs = tuple(
        Published(period, run, folder / Path(file).name)
        for period, (run, file) in sorted(named.items(), reverse=True)
        if (folder / Path(file).name).is_file()
    )
    if not runs:
        raise NoWarehouse(f"{folder}：发布记录所指的文件不在。")
    return Publication(latest, runs)


def _bound(cursor: duckdb.DuckDBPyConnection, params: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The values to bind; frames become tables of this cursor, which end with it: a list of Python values takes the driver
    longer than most questions."""
    values = {}
    for name, value in (params or {}).items():
        if isinstance(value, pl.DataFrame):
            cursor.register(name, value.to_arrow())
        else:
            values[name] = value
    return values or None


class Warehouse:
    """One published file, open for reading. One connection; a cursor for every query, so that threads do not meet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = duckdb.connect(str(path), read_only=True, config=LOCKED)

    def __repr__(self) -> str:
        return f"Warehouse({self.path.name})"

    def frame(self, query: str, params: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """The whole result; interrupted after LONGEST_SECONDS. `query` is the program's own text, values go in `params`; a frame
        among them is a table of that name."""
        with self._connection.cursor() as cursor:
            found: pl.DataFrame = cursor.sql(query, params=_bound(cursor, params)).pl()
            return found

    def rows(self, query: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """As `frame`, a dictionary a row: for few rows in half the time, since the statement is planned once, not twice."""
        with self._connection.cursor() as cursor:
            cursor.execute(query, _bound(cursor, params))
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def row(self, query: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The first row; empty where there is none."""
        return next(iter(self.rows(query, params)), {})

    @contextmanager
    def workspace(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own with room for temporary tables, which end with it; the file itself stays read-only."""
        with self._connection.cursor() as cursor:
            yield cursor

    def close(self) -> None:
        self._connection.close()
