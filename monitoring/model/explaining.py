"""What a score is made of: one contribution a feature, which add up to the difference from the middle of the county.

Features are set from the reference row to the household's own values one after the other, in both orders, and the steps of
the log odds are averaged: they always add up to the household's log odds less the reference's. For the additive candidates
(logistic regression, additive boosting) each step is the same in every order, so that a contribution is the feature's own.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from monitoring.model.fitting import Model
from monitoring.model.panel import Numbers


def contributions(model: Model, frame: pl.DataFrame) -> pl.DataFrame:
    """One row for each row and feature that moves its score: id, period, feature, value, contribution (log odds), sorted by
    size. For each row Σ contribution = log odds − reference's log odds (before calibration)."""
    matrix = model.encoder.matrix(frame)
    names, count = model.encoder.features, len(model.encoder.features)
    steps = np.zeros((len(matrix), count))
    for order in (range(count), range(count - 1, -1, -1)):
        before = np.repeat(model.reference, len(matrix), axis=0)
        told = model.raw(before)
        for number in order:
            before[:, number] = matrix[:, number]
            now = model.raw(before)
            steps[:, number] += (now - told) / 2
            told = now
    keys = frame.select(model.columns.id, model.columns.period).with_row_index("row")
    parts = [
        keys.with_columns(
            feature=pl.lit(name),
            value=pl.Series([_shown(model.encoder.show(name, value)) for value in matrix[:, number]], dtype=pl.String),
            contribution=pl.Series(np.round(steps[:, number], 9)),
        )
        for number, name in enumerate(names)
    ]
    told_frame = pl.concat(parts).filter(pl.col("contribution") != 0)
    return told_frame.sort("row", pl.col("contribution").abs(), "feature", descending=[False, True, False]).drop("row")


def base(model: Model) -> float:
    """The reference row's log odds, from which contributions count."""
    reference: Numbers = model.reference
    return float(model.raw(reference)[0])


def _shown(value: str | float | None) -> str | None:
    return None if value is None else value if isinstance(value, str) else f"{value:.10g}"
