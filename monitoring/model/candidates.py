"""The candidates: a regularised logistic regression on splines, boosted trees (additive, shallow, plain), and baselines.

Logistic regression is the default: up to some 30,000 rows boosting does not beat it on real panels, and its contributions
can be read off. Numbers go through their ranks (robust to tails and zeros) into cubic splines; missing has a column of its own;
categories are one column each. Boosting sees numbers, missing and categories natively.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)

from monitoring.model.panel import Encoder

DEFAULT = "logistic"
MARGIN = 0.005  # PR-AUC by which boosting must win on held-out units to be chosen
STRENGTHS = (0.03, 0.3, 3.0)


@dataclass(frozen=True)
class Candidate:
    """A kind of model with the settings that are tried on held-out units; the first is what it starts from."""

    name: str
    zh: str
    settings: tuple[Mapping[str, Any], ...]


CANDIDATES: dict[str, Candidate] = {
    "logistic": Candidate("logistic", "逻辑回归（样条）", tuple({"C": c} for c in STRENGTHS)),
    "additive_boosting": Candidate(
        "additive_boosting", "可加梯度提升", ({"interaction_cst": "no_interactions", "max_leaf_nodes": 6},)
    ),
    "shallow_boosting": Candidate("shallow_boosting", "浅层梯度提升", ({"max_leaf_nodes": 6},)),
    "plain_boosting": Candidate("plain_boosting", "梯度提升（默认设置）", ({"plain": True},)),
}


def build(
    name: str, setting: Mapping[str, Any], encoder: Encoder, seed: int, monotone: Mapping[str, int], rows: int
) -> Pipeline:
    """An unfitted pipeline over the encoder's matrix, for so many rows; `monotone` (feature -> 1, -1) binds the boosted ones."""
    if name == "logistic":
        return Pipeline(
            [
                ("columns", _spread(encoder, seed, rows)),
                ("model", LogisticRegression(max_iter=200, tol=1e-4, **setting)),
            ]
        )
    own: dict[str, Any] = {"categorical_features": encoder.categorical, "random_state": seed}
    if monotone:
        own["monotonic_cst"] = [0 if name in encoder.codes else int(monotone.get(name, 0)) for name in encoder.features]
    if not setting.get("plain"):
        own |= {"learning_rate": 0.05, "max_iter": 200, "min_samples_leaf": 40, "l2_regularization": 5.0, **setting}
    return Pipeline([("model", HistGradientBoostingClassifier(early_stopping=False, **own))])


def _spread(encoder: Encoder, seed: int, rows: int) -> ColumnTransformer:
    numbers = [n for n, category in enumerate(encoder.categorical) if not category]
    categories = [n for n, category in enumerate(encoder.categorical) if category]
    splines = make_pipeline(
        SimpleImputer(strategy="median"),
        QuantileTransformer(n_quantiles=min(200, rows), subsample=50_000, random_state=seed),
        SplineTransformer(n_knots=6, degree=3, include_bias=False),
    )
    # Beside the ranks a straight line in the compressed value, so that far tails still count.
    lines = make_pipeline(SimpleImputer(strategy="median"), FunctionTransformer(np.arcsinh), StandardScaler())
    parts: list[tuple[str, Any, Sequence[int]]] = []
    if numbers:
        parts += [
            ("splines", splines, numbers),
            ("lines", lines, numbers),
            ("missing", MissingIndicator(features="all", error_on_new=False), numbers),
        ]
    if categories:
        whole = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10, sparse_output=False)
        parts.append(
            ("categories", make_pipeline(SimpleImputer(strategy="constant", fill_value=-1.0), whole), categories)
        )
    return ColumnTransformer(parts, sparse_threshold=0.0)
