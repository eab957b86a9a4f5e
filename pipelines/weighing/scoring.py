"""Weighs pairs of records with the kept model: rows against persons, and persons among themselves.

The weight of a pair is the sum of what each comparison says, in bits: +1 doubles the odds that both are one person. What
comes out is a table of pairs with the weight, the probability, and each comparison's level and part of the weight.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.weighing.bands import alike
from pipelines.weighing.model import COMPARED, LEVELS, MODEL, trained
from pipelines.weighing.words import spelled

KNOWN = 0.9  # the share of rows whose person the county knows; only its order matters
TWICE = 0.002  # the share of persons who stand twice
MEMORY = "2500MB"


def weigh_rows(
    rows: pl.DataFrame, persons: pl.DataFrame, least: float = 0.01, spill: Path | None = None, model: Path = MODEL
) -> pl.DataFrame:
    """Pairs of a row and a person (row_id, person_id, …) whose probability is at least `least`, in a fixed order."""
    con = _open(spill)
    try:
        con.register("rows_words", spelled(rows))
        con.register("persons_words", spelled(persons))
        con.execute(
            "CREATE TABLE a_person AS SELECT * FROM persons_words; CREATE TABLE b_row AS SELECT * FROM rows_words"
        )
        found = predicted(
            con, ["a_person", "b_row"], trained("link_only", KNOWN / max(persons.height, 2), model), least
        )
        return _shaped(found, "person_id", "row_id")
    finally:
        con.close()


def weigh_persons(
    persons: pl.DataFrame, least: float = 0.5, spill: Path | None = None, model: Path = MODEL
) -> pl.DataFrame:
    """Pairs of persons (person_id, other_id, …) who may be one, the smaller id first: alike in name, birth date and sex, too, so
    that twins and a grandson of his grandfather's name are none."""
    con = _open(spill)
    try:
        con.register("persons_words", spelled(persons))
        con.execute("CREATE TABLE a_person AS SELECT * FROM persons_words")
        chance = 2 * TWICE / max(persons.height, 2)
        found = predicted(con, ["a_person"], trained("dedupe_only", chance, model), least)
        return _shaped(found, "person_id", "other_id").filter(alike())
    finally:
        con.close()


def predicted(con: duckdb.DuckDBPyConnection, tables: list[str], model: Any, least: float) -> pl.DataFrame:
    """What Splink says of the tables of a connection."""
    from splink import DuckDBAPI, Linker

    api = DuckDBAPI(con)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Splink's own: sqlglot and duckdb names that it still uses
        linker = Linker([api.register(table) for table in tables], model, log_level=logging.ERROR)
        pairs = linker.inference.predict(threshold_match_probability=least)
        found: pl.DataFrame = con.sql(f"SELECT * FROM {pairs.physical_name}").pl()
        return found


def _open(spill: Path | None) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"memory_limit": MEMORY, **({"temp_directory": str(spill)} if spill else {})})
    con.execute("SET enable_progress_bar = false")
    return con


def _shaped(found: pl.DataFrame, left: str, right: str) -> pl.DataFrame:
    """The pairs with a part and a level for each comparison; the frequency of a name counts into its part."""
    parts = []
    for word in COMPARED:
        own = [c for c in (f"mw_{word}", f"mw_tf_adj_{word}") if c in found.columns]
        parts.append(pl.sum_horizontal(pl.col(c).fill_null(0) for c in own).round(2).alias(f"{word}_weight"))
        last = len(LEVELS[word]) - 1
        gamma = pl.col(f"gamma_{word}").cast(pl.Int32)
        parts.append(pl.when(gamma >= 0).then(last - gamma).otherwise(-1).alias(f"{word}_level"))
    return found.select(
        pl.col("unique_id_l").alias(left),
        pl.col("unique_id_r").alias(right),
        pl.col("match_weight").round(2).alias("weight"),
        pl.col("match_probability").alias("probability"),
        *parts,
    ).sort(left, right)
