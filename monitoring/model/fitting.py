"""Fits the candidates on held-out units, chooses one, and gives it its probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from monitoring.model.calibrating import Calibrator, brought_up, learn
from monitoring.model.candidates import (
    BLEND,
    CANDIDATES,
    DEFAULT,
    ERRORS,
    LARGE,
    MARGIN,
    PARTS,
    Blend,
    best_ranking,
    blended,
    build,
    leading,
    path,
    settings_of,
)
from monitoring.model.metrics import average_precision, share_better
from monitoring.model.panel import (
    Columns,
    Encoder,
    Flags,
    Floats,
    Numbers,
    PanelError,
    Relative,
    columns_of,
    folds_of,
    groups_of,
    labels,
)

FOLDS, MANY = 5, 6_000  # folds, and the rows above which three are enough
SIMPLER = 1.0  # standard errors of PR-AUC by which a setting must win to be chosen over a simpler one
OTHER = 1.0  # the same, by which another candidate must win to be chosen over the default, where `ERRORS` has none
FEW_AHEAD = 20  # positives of the newest periods, below which they do not tell who wins there
THREADED = 30_000  # rows from which a second thread is worth its while
MOST_LOGISTIC = 60_000  # rows that a few hundred coefficients need at most; more only cost memory
MOST_TRIED = 100_000  # rows on which a candidate is tried; the chosen one is fitted on all
SURE = 0.8  # share of draws in which boosting must win
DIGITS = 12


@dataclass(frozen=True)
class Trial:
    """One candidate on held-out training units, in the best of its settings."""

    name: str
    setting: Mapping[str, Any]
    pr_auc: float
    raw: Floats  # NaN where a row was not held out
    pipeline: Pipeline | Blend | None  # of a large panel: fitted on the rows that were not held out


@dataclass(frozen=True)
class Model:
    """A fitted model with all that scoring and explaining need; nothing in it is code of the panel's owner."""

    name: str
    setting: Mapping[str, Any]
    columns: Columns
    encoder: Encoder
    pipeline: Pipeline | Blend
    calibrator: Calibrator
    reference: Numbers  # one row: the middle of the training rows, against which contributions are told
    rows: int
    units: int
    positives: int
    seed: int

    def raw(self, matrix: Numbers) -> Floats:
        """Log odds before calibration."""
        return raw_scores(self.pipeline, matrix)

    def probability(self, matrix: Numbers) -> Floats:
        return np.round(self.calibrator(self.raw(matrix)), DIGITS)


@dataclass(frozen=True)
class Fitted:
    """The chosen model, and every candidate's trial with the reason of the choice."""

    model: Model
    trials: tuple[Trial, ...]
    why: str


def fit(
    panel: pl.DataFrame | pl.LazyFrame,
    *,
    id: str,
    period: str,
    label: str,
    features: Sequence[str] | None = None,
    monotone: Mapping[str, int] | None = None,
    candidates: Sequence[str] = tuple(CANDIDATES),
    relative: bool = True,
    seed: int = 0,
) -> Model:
    """Trains on all rows with a label. `monotone` (feature -> 1 rising, -1 falling) binds boosted candidates. `relative`: the
    amount that ranks best is also read as its place among others of its period.

    Raises PanelError (a ValueError) where the panel cannot be used.
    """
    frame = panel.lazy().collect()
    columns = columns_of(frame, id, period, label, features, ())
    return fit_frame(frame, columns, monotone or {}, candidates, seed, relative=relative).model


def fit_frame(
    frame: pl.DataFrame, columns: Columns, monotone: Mapping[str, int], candidates: Sequence[str], seed: int, ahead: bool = True, relative: bool = True,
    settled: Mapping[str, Mapping[str, Any]] | None = None,
) -> Fitted:  # fmt: skip
    """As `fit`, with the trials of all candidates. `ahead`: it will score later periods, so that the newest set the level.
    `settled`: of a candidate that is named there this setting alone is tried."""
    frame = frame.with_columns(labels(frame, columns.label)).filter(pl.col(columns.label).is_not_null())
    y = labels(frame, columns.label).cast(pl.Float64).to_numpy()
    if not 0 < y.sum() < len(y):
        raise PanelError(f"标签列 {columns.label} 要同时有 0 和 1 才能训练")
    encoder = Encoder.learn(frame, columns.features)
    if not encoder.features:
        raise PanelError("特征列的值都相同，没有可学的")
    if relative:
        encoder = _with_relative(encoder, frame, columns, y, seed)
    matrix, units = encoder.matrix(frame), groups_of(frame, columns.id)
    count = FOLDS if len(frame) <= MANY else 3
    folds = folds_of(frame, columns.id, FOLDS if len(frame) > LARGE else count, seed)
    held = range(count) if len(frame) <= LARGE else range(1)
    late = newest(frame, columns) if ahead else None

    with threadpool_limits(threads(len(frame))):
        alone = dict.fromkeys(part for name in candidates for part in (PARTS if name == BLEND else (name,)))
        tried = _tried(list(alone), encoder, matrix, y, folds, held, seed, monotone, settled or {})
        trials = tuple(_blend(tried, y) if name == BLEND else tried[name] for name in candidates)
        chosen, why = _choose(trials, y, units, seed)
        default = next((trial for trial in trials if trial.name == DEFAULT), chosen)
        if chosen is not default and late is not None and min(y[late].sum(), y[~late].sum()) >= FEW_AHEAD:
            new, old = (_ahead(trial, late, encoder, matrix, y, seed, monotone) for trial in (chosen, default))
            if new <= old + MARGIN:
                why = f"默认：{chosen.name} 用前面的期训练，在最新的期上 PR-AUC {new:.4f}，没有强过默认的 {old:.4f}"
                chosen = default
        pipeline = fit_one(chosen.name, chosen.setting, encoder, matrix, y, seed, monotone)
        calibrator = calibrated(chosen, y, units, late)
    reference = np.nanmedian(matrix, axis=0, keepdims=True).astype(np.float32)
    model = Model(
        chosen.name, chosen.setting, columns, encoder, pipeline, calibrator, reference, len(frame), len(np.unique(units)), int(y.sum()), seed
    )  # fmt: skip
    return Fitted(model, trials, why)


def _ahead(
    trial: Trial, late: Flags, encoder: Encoder, matrix: Numbers, y: Floats, seed: int, monotone: Mapping[str, int]
) -> float:
    """PR-AUC on the newest periods of the trial's candidate, fitted on the ones before: what holds among units of the same
    periods need not hold in the next ones."""
    pipeline = fit_one(trial.name, trial.setting, encoder, matrix[~late], y[~late], seed, monotone)
    return average_precision(y[late], raw_scores(pipeline, matrix[late]))


def _with_relative(encoder: Encoder, frame: pl.DataFrame, columns: Columns, y: Floats, seed: int) -> Encoder:
    """The same with the best ranking amount as its place in its period beside it, where there is one."""
    matrix = encoder.matrix(frame)
    best = best_ranking(matrix, y, encoder, seed)
    if best is None or encoder.features[best] == columns.period:
        return encoder
    told = Relative.learn(frame, columns.period, encoder.features[best], matrix[:, best])
    return replace(encoder, relative=told)


def newest(frame: pl.DataFrame, columns: Columns) -> Flags | None:
    """The rows of the last third of the periods; None where there are not three."""
    step = frame[columns.period].rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    count = int(step.max())
    late: Flags = step > count - count // 3
    return late if count >= 3 else None


def calibrated(trial: Trial, y: Floats, units: npt.NDArray[np.int64], late: Flags | None) -> Calibrator:
    """Learnt on the trial's held-out rows, and brought up to the newest of them (`late`)."""
    known = ~np.isnan(trial.raw)
    calibrator = learn(trial.raw[known], y[known], units[known])
    if late is None:
        return calibrator
    return brought_up(calibrator, trial.raw[known & late], y[known & late])


def threads(rows: int) -> dict[str, int]:
    """Fixed numbers, so that sums have one order and scores are the same on every run: two threads grow trees on a large
    panel; on a small one, and in linear algebra of this size, a second only waits for the first."""
    return {"openmp": 2 if rows > THREADED else 1, "blas": 1}


def score(model: Model, frame: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """One row for each of the frame's, in its order: id, period, score (probability, 0 to 1)."""
    rows = frame.lazy().collect()
    with threadpool_limits(threads(len(rows))):
        probability = model.probability(model.encoder.matrix(rows))
    return rows.select(model.columns.id, model.columns.period).with_columns(score=pl.Series(probability))


def _tried(
    names: Sequence[str], encoder: Encoder, matrix: Numbers, y: Floats, folds: npt.NDArray[np.int64], held: Sequence[int], seed: int, monotone: Mapping[str, int],
    settled: Mapping[str, Mapping[str, Any]],
) -> dict[str, Trial]:  # fmt: skip
    """The trials of several candidates by name: two at a time where each has one thread. A large panel's have two each, and
    memory for one at a time."""

    def one(name: str) -> Trial:
        with threadpool_limits(threads(len(y))):  # OpenMP asks each thread anew
            return _trial(name, encoder, matrix, y, folds, held, seed, monotone, settled.get(name))

    with ThreadPoolExecutor(2 if len(y) <= THREADED else 1) as workers:
        return dict(zip(names, workers.map(one, names), strict=True))


def _trial(
    name: str, encoder: Encoder, matrix: Numbers, y: Floats, folds: npt.NDArray[np.int64], held: Sequence[int], seed: int, monotone: Mapping[str, int],
    settled: Mapping[str, Any] | None = None,
) -> Trial:  # fmt: skip
    """Every setting (or the settled one) on the held-out rows; the simplest (they stand in that order) that is as good as the best within chance."""
    settings = (settled,) if settled is not None else settings_of(name, len(y), y.sum())
    raws = [np.full(len(y), np.nan) for _ in settings]
    fitted: list[Pipeline | Blend] = []
    for fold in held:
        out = folds == fold
        if not out.any() or not 0 < y[~out].sum() < (~out).sum():
            continue
        few = _thinned(~out, y, MOST_TRIED if name != DEFAULT else MOST_LOGISTIC, seed)
        if name == DEFAULT:
            told = path(encoder, settings, matrix[few], y[few], matrix[out], seed)
        else:
            fitted = [fit_one(name, setting, encoder, matrix[few], y[few], seed, monotone) for setting in settings]
            told = [raw_scores(pipeline, matrix[out]) for pipeline in fitted]
        for raw, one in zip(raws, told, strict=True):
            raw[out] = one
    known = ~np.isnan(raws[0])
    found = [average_precision(y[known], raw[known]) if known.any() else float("nan") for raw in raws]
    near = max(found) - SIMPLER * standard_error(max(found), y[known].sum())
    chosen = next((n for n, one in enumerate(found) if one >= near), 0)
    # Of a large panel the one held-out fold's model stands for the candidate where it is not chosen.
    pipeline = fitted[chosen] if len(y) > LARGE and fitted else None
    return Trial(name, settings[chosen], found[chosen], raws[chosen], pipeline)


def _blend(tried: Mapping[str, Trial], y: Floats) -> Trial:
    """The blend of two candidates that were tried: nothing is fitted anew."""
    raw = blended([tried[part].raw for part in PARTS])
    known = ~np.isnan(raw)
    found = average_precision(y[known], raw[known]) if known.any() else float("nan")
    return Trial(BLEND, {part: tried[part].setting for part in PARTS}, found, raw, None)


def standard_error(pr_auc: float, positives: float) -> float:
    """About how far chance moves a PR-AUC that rests on so many positives."""
    return float(np.sqrt(max(pr_auc * (1 - pr_auc), 0.0) / max(positives, 1)))


def fit_one(
    name: str, setting: Mapping[str, Any], encoder: Encoder, matrix: Numbers, y: Floats, seed: int, monotone: Mapping[str, int]
) -> Pipeline | Blend:  # fmt: skip
    """One candidate on all rows given (a logistic regression on MOST_LOGISTIC of them at most)."""
    if name == BLEND:
        return Blend([fit_one(part, setting[part], encoder, matrix, y, seed, monotone) for part in PARTS])
    if name == DEFAULT:
        few = _thinned(np.ones(len(y), dtype=bool), y, MOST_LOGISTIC, seed)
        # In half the precision a regression with more columns than rows would not be solved.
        matrix, y = matrix[few].astype(np.float64), y[few]
    empty = np.isnan(matrix).all(axis=0)
    if (
        name != DEFAULT and empty.any()
    ):  # boosting stumbles over a column without any value; one of noughts is never split
        matrix = np.where(empty, np.float32(0), matrix)
    leads = leading(matrix, y, encoder, seed) if setting.get("lead") else []
    return build(name, setting, encoder, seed, monotone, matrix, leads).fit(matrix, y)


def _thinned(rows: Flags, y: Floats, most: int, seed: int) -> Flags:
    """At most about so many of the rows, by lot, as long as both labels stay."""
    if rows.sum() <= most:
        return rows
    few: Flags = rows & (np.random.default_rng(seed).random(len(rows)) < most / rows.sum())
    return few if 0 < y[few].sum() < few.sum() else rows


def raw_scores(pipeline: Pipeline | Blend, matrix: Numbers) -> Floats:
    """In pieces, so that a million rows don't become a matrix of splines at once."""
    parts = [
        pipeline.decision_function(matrix[start : start + MOST_LOGISTIC])
        for start in range(0, len(matrix), MOST_LOGISTIC)
    ]
    return np.concatenate(parts).astype(np.float64) if parts else np.empty(0)


def _choose(trials: Sequence[Trial], y: Floats, units: npt.NDArray[np.int64], seed: int) -> tuple[Trial, str]:
    """The default, unless another wins by more than its margin, in most draws of units; of several the best."""
    default = next((trial for trial in trials if trial.name == DEFAULT), trials[0])
    known = ~np.isnan(default.raw)
    error = standard_error(default.pr_auc, y[known].sum())
    margins = {trial.name: max(MARGIN, ERRORS.get(trial.name, OTHER) * error) for trial in trials}
    won = [trial for trial in trials if trial.pr_auc > default.pr_auc + margins[trial.name]]
    if not won:
        return default, f"默认：没有别的候选在未见过的户上高出 {min(margins.values()):.4f} 以上"
    best = max(won, key=lambda trial: trial.pr_auc)
    margin = margins[best.name]
    sure = share_better(y[known], best.raw[known], default.raw[known], units[known], seed)
    if sure < SURE:
        return default, f"默认：{best.name} 高出 {best.pr_auc - default.pr_auc:.4f}，但只在 {sure:.0%} 的重抽中领先"
    return (
        best,
        f"在未见过的户上高出默认 {best.pr_auc - default.pr_auc:.4f}（须高出 {margin:.4f}），在 {sure:.0%} 的重抽中领先",
    )
