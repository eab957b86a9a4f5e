"""Splink as its tutorial has it, for comparison: ready-made comparisons, trained by EM on the data themselves."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import duckdb
import polars as pl


def link(
    rows: pl.DataFrame, persons: pl.DataFrame, comparisons: list[Any], blocks: list[tuple[str, ...]], least: float = 0.5
) -> pl.DataFrame:
    """row_id, person_id, probability: the best person of each row, at `least`."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    con = duckdb.connect()
    con.execute("SET enable_progress_bar = false")
    con.register("p", persons)
    con.register("r", rows)
    con.execute("CREATE TABLE a_person AS FROM p; CREATE TABLE b_row AS FROM r")
    api = DuckDBAPI(con)
    made = SettingsCreator(
        link_type="link_only",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=[block_on(*block) for block in blocks],
        retain_matching_columns=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linker = Linker([api.register(t) for t in ("a_person", "b_row")], made, log_level=logging.ERROR)
        linker.training.estimate_probability_two_random_records_match(
            [block_on(*block) for block in blocks[:2]], recall=0.7
        )
        linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
        for block in blocks[:2]:
            linker.training.estimate_parameters_using_expectation_maximisation(block_on(*block))
        pairs = linker.inference.predict(threshold_match_probability=least)
        found: pl.DataFrame = con.sql(f"SELECT unique_id_l AS person_id, unique_id_r AS row_id, match_probability AS probability FROM {pairs.physical_name}").pl()  # fmt: skip
    return found.sort("row_id", "probability", "person_id", descending=[False, True, False]).unique(
        "row_id", keep="first", maintain_order=True
    )
