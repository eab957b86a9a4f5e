"""Many published periods asked one after the other: each file is opened, asked, and closed again.

What was known in a period is what its own file holds; nothing is carried from one to the next here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import polars as pl

from monitoring.access import Scope
from monitoring.warehouse import Publication, Published, Warehouse


def until(published: Publication, period: str) -> tuple[Published, ...]:
    """The published runs up to a period, the oldest first."""
    return tuple(sorted((run for run in published.runs if run.period <= period), key=lambda run: run.period))


def opened(runs: Sequence[Published]) -> Iterator[tuple[Published, Warehouse]]:
    for run in runs:
        with closing(Warehouse(run.path)) as warehouse:
            yield run, warehouse


def has(warehouse: Warehouse, table: str) -> bool:
    """Whether the run wrote this table: of a model, of rules in shadow, of a version that knew it."""
    found = warehouse.row("select count(*) as n from duckdb_tables() where table_name = $name", {"name": table})
    return bool(found["n"])


def picked(rows: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """The rows (township, village) of the places that were picked; what a person may see at all is decided where rows are read."""
    if scope.townships is not None:
        rows = rows.filter(pl.col("township").is_in(list(scope.townships), nulls_equal=True))
    if scope.villages is not None:
        places = pl.DataFrame(list(scope.villages), schema={"township": pl.String, "village": pl.String}, orient="row")
        rows = rows.join(places, on=["township", "village"], how="semi", nulls_equal=True)
    return rows
