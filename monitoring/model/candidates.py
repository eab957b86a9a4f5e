"""The candidates: a regularised logistic regression on splines, boosted trees (additive, shallow, plain), and half of each.

Logistic regression is the default: up to some 30,000 rows boosting does not beat it on real panels, and its contributions
can be read off. Numbers go through their ranks (robust to tails and zeros) into cubic splines; missing has a column of its own;
categories are one column each. With `lead` the column that ranks best by itself (income, mostly), as it is and as its place
among others of its period, is hardly penalised and all others are: the less data there are, the nearer the model comes to that
sorted column, which is what beats models on small panels. Boosting sees numbers, missing and categories natively. The blend is
the mean of the regression's and the shallow trees' log odds: they err in different places, and either holds the other back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)

from monitoring.model.metrics import ranking
from monitoring.model.panel import MANY_VALUES, Encoder, Floats, Numbers

DEFAULT, BLEND = "logistic", "blend"
PARTS = (DEFAULT, "shallow_boosting")  # of the blend
MARGIN = (
    0.005  # PR-AUC by which another must win on held-out units to be chosen over the default, by no less than `ERRORS`
)
# Standard errors of PR-AUC that it must win by: half of one where half of it is the default. On 22 labels from 12 real panels
# a third to six tenths choose better than never blending, three quarters hardly; more than that seldom blends.
ERRORS = {BLEND: 0.5}
LED, FREE = (0.001, 0.003, 0.01, 0.1), (0.03, 0.3)  # strengths C with and without a leading column, the simplest first
FEW_VALUES = 2  # a number with so many different values needs no curve
LEAD_WEIGHT = (
    150.0  # the leading column runs from minus this to this: some 30 times as wide as others, hardly penalised
)
MANY_COLUMNS = (
    600  # of a regression; beyond that its time (by their square) would buy curves that no penalty leaves standing
)
CURVE, FLATTER = {"n_knots": 6, "degree": 3}, {"n_knots": 3, "degree": 2}
FEW_POSITIVES = 3_000  # above it a leading column changes nothing any more, and is not tried
LARGE = 60_000  # rows above which a panel is large: one fold is held out instead of each in turn, trees learn faster
SLOW, FASTER = ("additive_boosting", "shallow_boosting"), {"learning_rate": 0.1, "max_iter": 100}
PIECE = 50_000  # rows whose columns are made at once
WARM = 1e-5  # tolerance of a regression that begins near its end
JUDGED = 20_000  # rows on which the leading column is looked for


@dataclass(frozen=True)
class Candidate:
    """A kind of model with the settings that are tried on held-out units; the first is what it starts from."""

    name: str
    zh: str
    settings: tuple[Mapping[str, Any], ...]


CANDIDATES: dict[str, Candidate] = {
    "logistic": Candidate(
        "logistic", "逻辑回归（样条）", (*({"C": c, "lead": True} for c in LED), *({"C": c} for c in FREE))
    ),
    "additive_boosting": Candidate(
        "additive_boosting", "可加梯度提升", ({"interaction_cst": "no_interactions", "max_leaf_nodes": 6},)
    ),
    "shallow_boosting": Candidate(
        "shallow_boosting", "浅层梯度提升", ({"max_leaf_nodes": 6, "max_features": 0.3}, {"max_leaf_nodes": 12})
    ),
    "plain_boosting": Candidate("plain_boosting", "梯度提升（默认设置）", ({"plain": True},)),
    BLEND: Candidate(BLEND, "逻辑回归与浅层梯度提升各半", ()),  # its parts' settings are its own
}


class Blend:
    """The mean of the log odds of its parts, fitted, in the order of `PARTS`."""

    def __init__(self, parts: Sequence[Pipeline]) -> None:
        self.parts = list(parts)

    def decision_function(self, matrix: Numbers) -> Floats:
        return blended([part.decision_function(matrix) for part in self.parts])


def blended(raws: Sequence[Floats]) -> Floats:
    told: Floats = np.mean(np.asarray(raws, dtype=np.float64), axis=0)
    return told


def settings_of(name: str, rows: int, positives: float) -> tuple[Mapping[str, Any], ...]:
    """The settings that are worth trying on so many rows and so many positive ones. On a large panel trees are half as many
    and learn twice as fast: what more of them bring there is less than chance moves the figures."""
    own = tuple(s for s in CANDIDATES[name].settings if positives <= FEW_POSITIVES or not s.get("lead"))
    return tuple({**s, **FASTER} for s in own) if rows > LARGE and name in SLOW else own


def build(
    name: str, setting: Mapping[str, Any], encoder: Encoder, seed: int, monotone: Mapping[str, int], matrix: Numbers, leads: Sequence[int]
) -> Pipeline:  # fmt: skip
    """An unfitted pipeline for rows like `matrix`; `monotone` (feature -> 1, -1) binds the boosted ones.

    `leads` are the places of the leading columns, where the setting asks for them.
    """
    if name == "logistic":
        parts = spread(encoder, seed, matrix) + led(seed, matrix, leads)
        return Pipeline([("columns", ColumnTransformer(parts, sparse_threshold=0.0)), ("model", regression(setting))])
    own: dict[str, Any] = {"categorical_features": encoder.categorical, "random_state": seed}
    if monotone:
        names = [encoder.features[owner] for owner in encoder.owners]
        own["monotonic_cst"] = [0 if name in encoder.codes else int(monotone.get(name, 0)) for name in names]
    if not setting.get("plain"):
        own |= {"learning_rate": 0.05, "max_iter": 200, "min_samples_leaf": 40, "l2_regularization": 5.0, **setting}
    return Pipeline([("model", HistGradientBoostingClassifier(early_stopping=False, **own))])


def regression(setting: Mapping[str, Any]) -> LogisticRegression:
    return LogisticRegression(C=setting["C"], solver="newton-cholesky", max_iter=60, tol=1e-4)


def path(
    encoder: Encoder, settings: Sequence[Mapping[str, Any]], matrix: Numbers, y: Floats, new: Numbers, seed: int
) -> list[Floats]:
    """The raw scores of `new` under each setting of the logistic regression; its columns are made once for all."""
    leads = leading(matrix, y, encoder, seed) if any(setting.get("lead") for setting in settings) else []
    common = ColumnTransformer(spread(encoder, seed, matrix), sparse_threshold=0.0).fit(matrix)
    first = ColumnTransformer(led(seed, matrix, leads)).fit(matrix) if leads else None

    def columns(rows: Numbers, wanted: bool) -> Any:
        made = common.transform(rows)
        return np.hstack([made, first.transform(rows)]) if wanted and first is not None else made

    told: list[Floats] = []
    for wanted, same in groupby(settings, lambda setting: bool(setting.get("lead"))):
        made = columns(matrix, wanted).astype(np.float64)  # as of the whole: see fit_one
        fitted = along(list(same), made, y)
        del made
        pieces = [new[start : start + PIECE] for start in range(0, len(new), PIECE)]
        raws = [[one.decision_function(now) for one in fitted] for now in (columns(piece, wanted) for piece in pieces)]
        told += [np.concatenate(raw).astype(np.float64) for raw in zip(*raws, strict=True)]
    return told


def along(settings: Sequence[Mapping[str, Any]], made: Numbers | Floats, y: Floats) -> list[LogisticRegression]:
    """A regression under each setting, over the same columns: each begins where the one before it ended, and takes a third of
    the steps. So near its end the usual tolerance would stop it too soon."""
    fitted: list[LogisticRegression] = []
    for setting in settings:
        one = regression(setting)
        if fitted:
            one.set_params(warm_start=True, tol=WARM)
            one.coef_, one.intercept_ = fitted[-1].coef_.copy(), fitted[-1].intercept_.copy()
        fitted.append(one.fit(made, y))
    return fitted


def leading(matrix: Numbers, y: Floats, encoder: Encoder, seed: int) -> list[int]:
    """The places of the column that leads: of the encoder's relative amount both, else of the one that ranks best. A count of
    few values does not lead: hardly penalised it would part the rows too sharply to be fitted well."""
    if encoder.relative is not None:
        return [encoder.owners[-1], len(encoder.owners) - 1]
    best = best_ranking(matrix, y, encoder, seed)
    known = matrix[~np.isnan(matrix[:, best]), best] if best is not None else np.empty(0)
    return [best] if best is not None and len(np.unique(known)) >= MANY_VALUES else []


def best_ranking(matrix: Numbers, y: Floats, encoder: Encoder, seed: int) -> int | None:
    """The number column that ranks the rows best by itself, missing counted as its middle; None where there is none."""
    if len(y) > JUDGED:
        few = np.random.default_rng(seed).random(len(y)) < JUDGED / len(y)
        matrix, y = matrix[few], y[few]
    best, found = 0.0, None
    for number, category in enumerate(encoder.categorical):
        values = matrix[:, number]
        known = ~np.isnan(values)
        if category or not known.any() or not 0 < y.sum() < len(y):
            continue
        apart = abs(ranking(y, np.where(known, values, np.median(values[known])).astype(np.float64)) - 0.5)
        if apart > best:
            best, found = apart, number
    return found


def spread(encoder: Encoder, seed: int, matrix: Numbers) -> list[tuple[str, Any, Sequence[int]]]:
    """The columns of a logistic regression: curves over the ranks, straight lines, what is missing, categories."""
    numbers = [n for n, category in enumerate(encoder.categorical) if not category]
    categories = [n for n, category in enumerate(encoder.categorical) if category]
    few = matrix[:JUDGED]
    curved = [n for n in numbers if len(np.unique(few[~np.isnan(few[:, n]), n])) > FEW_VALUES]
    missing = [n for n in numbers if np.isnan(matrix[:, n]).any()]
    curve = CURVE if len(curved) * (CURVE["n_knots"] + CURVE["degree"]) <= MANY_COLUMNS else FLATTER
    most = max(2, MANY_COLUMNS // max(len(categories), 1))
    ranks = QuantileTransformer(n_quantiles=min(200, len(matrix)), subsample=50_000, random_state=seed)
    # Beside the ranks a straight line in the compressed value and one in the normal score, so that far tails still count.
    parts: list[tuple[str, Any, Sequence[int]]] = [
        ("splines", make_pipeline(_middle(), ranks, SplineTransformer(**curve, include_bias=False)), curved),
        ("scores", make_pipeline(_middle(), _normal(seed, matrix), FunctionTransformer(np.clip, kw_args={"a_min": -3, "a_max": 3})), curved),
        ("lines", make_pipeline(_middle(), FunctionTransformer(np.arcsinh), StandardScaler()), numbers),
        ("missing", MissingIndicator(features="all", error_on_new=False), missing),
        ("categories", make_pipeline(SimpleImputer(strategy="constant", fill_value=-1.0), _one_column_each(most)), categories),
    ]  # fmt: skip
    return [part for part in parts if part[2]]


def led(seed: int, matrix: Numbers, leads: Sequence[int]) -> list[tuple[str, Any, Sequence[int]]]:
    """The leading columns once more, hardly penalised; nothing without any."""
    if not leads:
        return []
    wide = MinMaxScaler((-LEAD_WEIGHT, LEAD_WEIGHT))
    return [("lead", make_pipeline(_middle(), _normal(seed, matrix), wide), list(leads))]


def _middle() -> SimpleImputer:
    return SimpleImputer(strategy="median", keep_empty_features=True)


def _normal(seed: int, matrix: Numbers) -> QuantileTransformer:
    return QuantileTransformer(
        n_quantiles=min(1000, len(matrix)), output_distribution="normal", subsample=50_000, random_state=seed
    )


def _one_column_each(most: int) -> OneHotEncoder:
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=10, max_categories=most, sparse_output=False
    )
