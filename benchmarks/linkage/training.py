"""Trains the model that lies in the repository, from a made-up county whose truth is known."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path

import duckdb
import polars as pl

from benchmarks.linkage.county import make_truth
from pipelines.weighing.model import settings
from pipelines.weighing.words import spelled


def train(out: Path, persons: int = 60_000, rows: int = 30_000, faults: float = 0.06, seed: int = 7) -> None:
    """What agreements weigh: among true pairs (m) by the known truth, among others (u) by pairs taken at random."""
    from splink import DuckDBAPI, Linker

    truth = make_truth(persons, rows, faults, seed)
    con = duckdb.connect()
    con.execute("SET enable_progress_bar = false")
    whose = truth.who.rename({"row_id": "unique_id", "who": "whose"})
    con.register("p", spelled(truth.persons).with_columns(whose=pl.col("unique_id")))
    con.register("r", spelled(truth.rows).join(whose, on="unique_id", how="left"))
    con.execute("CREATE TABLE a_person AS FROM p; CREATE TABLE b_row AS FROM r")
    api = DuckDBAPI(con)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tables = [api.register(name) for name in ("a_person", "b_row")]
        linker = Linker(tables, settings("link_only"), log_level=logging.WARNING)
        linker.training.estimate_u_using_random_sampling(max_pairs=2e7, seed=seed)
        linker.training.estimate_m_from_label_column("whose")
        model = linker.misc.save_model_to_json()
    model.pop("linker_uid", None)  # by chance; two trainings give one file
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(model, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
