"""What a score is made of: one contribution a feature, which add up to the difference from the middle of the county.

Features are set from the reference row to the household's own values one after the other, in both orders, and the steps of
the log odds are averaged: they always add up to the household's log odds less the reference's. For the additive candidates
(logistic regression, additive boosting) each step is the same in every order, so that a contribution is the feature's own.
Of a blend each step is the mean of its parts', as its log odds are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.compose import ColumnTransformer

from monitoring.model.candidates import DEFAULT, PARTS, Blend, blended
from monitoring.model.fitting import Model
from monitoring.model.panel import Floats, Numbers

AT_ONCE = 50_000


def contributions(model: Model, frame: pl.DataFrame) -> pl.DataFrame:
    """One row for each row and feature that moves its score: id, period, feature, value, contribution (log odds), sorted by
    size. For each row Σ contribution = log odds − reference's log odds (before calibration)."""
    matrix = model.encoder.matrix(frame)
    names, made = model.encoder.features, steps(model, matrix)
    keys = frame.select(model.columns.id, model.columns.period).with_row_index("row")
    parts = [
        keys.with_columns(
            feature=pl.lit(name),
            value=pl.Series([_shown(model.encoder.show(name, value)) for value in matrix[:, number]], dtype=pl.String),
            contribution=pl.Series(np.round(made[:, number], 9)),
        )
        for number, name in enumerate(names)
    ]
    told_frame = pl.concat(parts).filter(pl.col("contribution") != 0)
    return told_frame.sort("row", pl.col("contribution").abs(), "feature", descending=[False, True, False]).drop("row")


def steps(model: Model, matrix: Numbers) -> Floats:
    """Rows × features: what each feature adds to the log odds of each row, from the reference row on."""
    if isinstance(model.pipeline, Blend):
        parts = zip(PARTS, model.pipeline.parts, strict=True)
        return blended([steps(replace(model, name=name, pipeline=part), matrix) for name, part in parts])
    if model.name == DEFAULT:
        return _of_regression(model, matrix)
    count, owner = len(model.encoder.features), np.asarray(model.encoder.owners)
    made = np.zeros((len(matrix), count))
    for order in (range(count), range(count - 1, -1, -1)):
        before = np.repeat(model.reference, len(matrix), axis=0)
        told = model.raw(before)
        for number in order:
            before[:, owner == number] = matrix[:, owner == number]
            now = model.raw(before)
            made[:, number] += (now - told) / 2
            told = now
    return made


def _of_regression(model: Model, matrix: Numbers) -> Floats:
    """The same of a logistic regression, read off its coefficients: the columns made of one feature are its own."""
    pipeline: Any = model.pipeline
    columns, regression = pipeline.named_steps["columns"], pipeline.named_steps["model"]
    owner = np.asarray(model.encoder.owners)[_owners(columns)]
    start = columns.transform(model.reference)[0]
    sums = np.zeros((len(owner), len(model.encoder.features)))
    sums[np.arange(len(owner)), owner] = regression.coef_[0]
    parts = [
        (columns.transform(matrix[first : first + AT_ONCE]) - start) @ sums for first in range(0, len(matrix), AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, len(model.encoder.features)))


def _owners(columns: ColumnTransformer) -> npt.NDArray[np.int64]:
    """The matrix's column that each column of the regression is made of."""
    owner = np.empty(max(part.stop for part in columns.output_indices_.values()), dtype=np.int64)
    for name, transformer, places in columns.transformers_:
        at = columns.output_indices_[name]
        if at.stop == at.start:
            continue
        if name == "categories":
            widths = [sum(c.startswith(f"{n}_") for c in transformer[-1].get_feature_names_out([str(n) for n in range(len(places))])) for n in range(len(places))]  # fmt: skip
        else:
            widths = [(at.stop - at.start) // len(places)] * len(places)
        owner[at] = np.repeat(np.asarray(places), widths)
    return owner


def base(model: Model) -> float:
    """The reference row's log odds, from which contributions count."""
    reference: Numbers = model.reference
    return float(model.raw(reference)[0])


def _shown(value: str | float | None) -> str | None:
    return None if value is None else value if isinstance(value, str) else f"{value:.10g}"
