"""What `buluo link` wrote beside a published run: pairs with their weights. Where it was not asked for there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

ROWS, PERSONS, HOUSEHOLDS, ABOUT = "rows.parquet", "persons.parquet", "households.parquet", "about.json"


@dataclass(frozen=True)
class Weights:
    """`rows` key × person, `persons` person_id × other_id, `households` household_id × other."""

    rows: pl.DataFrame
    persons: pl.DataFrame
    households: pl.DataFrame


def folder_of(home: Path, run_id: str) -> Path:
    return home / "linkage" / run_id


def weights_of(home: Path, run_id: str) -> Weights | None:
    """None where the run has not been weighed."""
    folder = folder_of(home, run_id)
    if not (folder / ABOUT).is_file():
        return None
    return Weights(*(pl.read_parquet(folder / name) for name in (ROWS, PERSONS, HOUSEHOLDS)))
