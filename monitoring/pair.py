"""Two published runs held against each other: an earlier and a later one, in one read-only, locked connection.

Queries name their tables `earlier.…` and `later.…`. Persons keep their ids from run to run, households their numbers, so that
the two are joined by `person_id` and `household_id`; a `household_key` is a place among the households of its own run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from monitoring.warehouse import LOCKED, Publication, Published, Warehouse


class Pair(Warehouse):
    """As a Warehouse; `path` tells the two files apart from every other two."""

    def __init__(self, earlier: Path, later: Path) -> None:
        self.path = Path(f"{earlier.name}+{later.name}")
        self._connection = duckdb.connect(":memory:")
        try:
            for name, file in (("earlier", earlier), ("later", later)):
                self._connection.execute(f"ATTACH '{str(file).replace(chr(39), chr(39) * 2)}' AS {name} (READ_ONLY)")
            for setting, value in LOCKED.items():
                if setting != "lock_configuration":
                    self._connection.execute(f"SET {setting} = {_literal(value)}")
            self._connection.execute("SET lock_configuration = true")
        except duckdb.Error:
            self._connection.close()
            raise


def _literal(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | int) else f"'{value}'"


def published_before(published: Publication, period: str) -> Published | None:
    """The last published run of a period before this one; None where there is none."""
    return next((run for run in published.runs if run.period < period), None)
