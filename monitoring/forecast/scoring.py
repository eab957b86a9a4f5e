"""Scores the households of one period: probability, band, rank in the township, and the parts that make the score up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from monitoring.forecast.features import BY_NAME
from monitoring.forecast.training import matrix_and_score
from monitoring.model import Model
from monitoring.model.explaining import base, steps
from monitoring.model.fitting import threads
from monitoring.model.metrics import moved
from monitoring.model.panel import Encoder, Floats, Numbers

TERMS = 6  # parts told by name; the rest are one
HIGH, WATCH = 0.05, 0.2  # shares of the county's ranking that are called high, and worth watching
DECIMALS = 4


@dataclass(frozen=True)
class Scored:
    """`scores`: household_key, household_id, township, village, score, band, rank_in_township, of_township, contributions;
    `drift`: the population stability of every feature and the score against training."""

    scores: pl.DataFrame = field(repr=False)
    drift: dict[str, float]


def scored(model: Model, rows: pl.DataFrame, reference: Mapping[str, Any]) -> Scored:
    """One row for each of `rows` (features.features_sql)."""
    matrix = model.encoder.matrix(rows)
    with threadpool_limits(threads(len(rows))):
        probability = model.probability(matrix)
        values = matrix_and_score(model, rows)
        made = parts(model, matrix, probability)
    told = rows.select("household_key", "household_id", "township", "village").with_columns(
        score=pl.Series(np.round(probability, DECIMALS + 2)), contributions=pl.Series(made, dtype=pl.String)
    )
    # Who ties is told apart by number, so that a list has one order.
    place = pl.struct(-pl.col("score"), "household_id").rank("ordinal")
    told = told.with_columns(
        rank_in_township=place.over("township"),
        of_township=pl.len().over("township"),
        share=place / pl.len(),
    ).with_columns(
        band=pl.when(pl.col("share") <= HIGH).then(pl.lit("high")).when(pl.col("share") <= WATCH).then(pl.lit("watch"))
        .otherwise(pl.lit("low"))
    )  # fmt: skip
    return Scored(
        told.drop("share"), {n: round(moved(reference[n], v), 4) for n, v in values.items() if n in reference}
    )


def parts(model: Model, matrix: Numbers, probability: Floats) -> list[str]:
    """JSON for each row: {"base", "terms": [[feature, value, part], …], "rest", "total"}; base + parts + rest = total, the log
    odds of the score."""
    made = steps(model, matrix) * model.calibrator.slope
    safe = np.clip(probability, 1e-9, 1 - 1e-9)
    total = np.round(np.log(safe / (1 - safe)), DECIMALS)
    start = round(base(model) * model.calibrator.slope + model.calibrator.shift + model.calibrator.late, DECIMALS)
    order = np.argsort(-np.abs(made), axis=1, kind="stable")[:, :TERMS]
    top = np.round(np.take_along_axis(made, order, axis=1), DECIMALS)
    names = model.encoder.features
    told = []
    for n, (places, sizes) in enumerate(zip(order.tolist(), top.tolist(), strict=True)):
        terms = [[names[p], _shown(model.encoder, names[p], matrix[n, p]), size] for p, size in zip(places, sizes, strict=True) if size]  # fmt: skip
        rest = round(float(total[n]) - start - sum(size for _, _, size in terms), DECIMALS)
        told.append(json.dumps({"base": start, "terms": terms, "rest": rest, "total": float(total[n])}, ensure_ascii=False))  # fmt: skip
    return told


def _shown(encoder: Encoder, name: str, value: float) -> float | str | None:
    shown = encoder.show(name, value)
    if not isinstance(shown, float):
        return shown
    return int(shown) if shown == int(shown) else round(shown, 2 if BY_NAME[name].unit == "元" else 4)
