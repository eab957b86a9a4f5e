"""How good a ranking and its probabilities are, with intervals over units.

Ranks are judged at the list length that staff can visit; scores that tie at the cut share it, as if drawn by lot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from monitoring.model.panel import Floats

BINS = 10
REPETITIONS = 200


@dataclass(frozen=True)
class AtLength:
    """A list of the highest `share` of rows: its length, and what stands in it."""

    share: float
    length: int
    found: float
    precision: float
    recall: float
    lift: float


def average_precision(y: Floats, score: Floats, weight: Floats | None = None) -> float:
    """PR-AUC as the mean precision at each positive; ties count as one step. NaN without positives."""
    order = np.argsort(-score, kind="stable")
    w = np.ones_like(y) if weight is None else weight[order]
    hits, seen = np.cumsum(w * y[order]), np.cumsum(w)
    if not hits.size or hits[-1] <= 0:
        return float("nan")
    ends = np.r_[np.flatnonzero(np.diff(score[order])), len(y) - 1]
    hits, seen = hits[ends], seen[ends]
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    return float(np.sum(np.diff(np.r_[0.0, hits]) * precision) / hits[-1])


def ranking(y: Floats, score: Floats) -> float:
    """ROC-AUC by the mean rank of the positives (ties count half): what scikit-learn says, without its checks of each call."""
    positives, rows = float(y.sum()), len(y)
    if not 0 < positives < rows:
        return float("nan")
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    return float((ranks[y > 0].sum() - positives * (positives + 1) / 2) / (positives * (rows - positives)))


def at_length(y: Floats, score: Floats, share: float) -> AtLength:
    """Precision, recall and lift of the top share (at least one row)."""
    length = max(1, ceil(share * len(y) - 1e-9))
    line = np.partition(score, len(y) - length)[len(y) - length]
    above, level = score > line, score == line
    room = length - int(above.sum())
    found = float(y[above].sum()) + float(y[level].sum()) * room / max(int(level.sum()), 1)
    positives, base = float(y.sum()), float(y.mean())
    precision = found / length
    return AtLength(
        share,
        length,
        found,
        precision,
        found / positives if positives else float("nan"),
        precision / base if base else float("nan"),
    )


def calibration(y: Floats, score: Floats) -> dict[str, Any]:
    """Expected calibration error in ten bins of equal width and in ten of equal count, and the bins of the latter."""
    width = np.minimum((score * BINS).astype(np.int64), BINS - 1)
    count = np.minimum(
        (np.argsort(np.argsort(score, kind="stable"), kind="stable") * BINS) // max(len(score), 1), BINS - 1
    )
    bins = [
        {"rows": int(of.sum()), "predicted": float(score[of].mean()), "seen": float(y[of].mean())}
        for of in (count == number for number in range(BINS))
        if of.any()
    ]
    return {"ece": _ece(y, score, width), "ece_equal_count": _ece(y, score, count), "bins": bins}


def _ece(y: Floats, score: Floats, bins: npt.NDArray[np.int64]) -> float:
    rows = np.bincount(bins, minlength=BINS)
    gap = np.abs(np.bincount(bins, score, BINS) - np.bincount(bins, y, BINS))
    return float(gap.sum() / max(rows.sum(), 1))


def judge(y: Floats, score: Floats, lengths: tuple[float, ...], probability: bool = True) -> dict[str, Any]:
    """All figures of one candidate on one part; a baseline that gives no probabilities has no Brier score and no ECE."""
    both = 0 < y.sum() < len(y)
    told: dict[str, Any] = {
        "rows": len(y),
        "positives": int(y.sum()),
        "pr_auc": average_precision(y, score),
        "roc_auc": float(roc_auc_score(y, score)) if both else float("nan"),
        "at": [vars(at_length(y, score, share)) for share in lengths],
    }
    if probability:
        told |= {
            "brier": float(np.mean((score - y) ** 2)),
            "mean_score": float(score.mean()),
            "base_rate": float(y.mean()),
            **calibration(y, score),
        }
    return told


def intervals(
    y: Floats, score: Floats, units: npt.NDArray[np.int64], share: float, seed: int
) -> dict[str, list[float]]:
    """95% intervals by drawing whole units anew: of PR-AUC, and of precision and recall at a list length."""
    chance = np.random.default_rng(seed)
    _, unit = np.unique(units, return_inverse=True)
    count = int(unit.max()) + 1
    chosen = np.zeros(len(y))
    chosen[np.argsort(-score, kind="stable")[: max(1, ceil(share * len(y) - 1e-9))]] = 1.0
    drawn = np.empty((REPETITIONS, 3))
    for number in range(REPETITIONS):
        weight = np.bincount(chance.integers(0, count, count), minlength=count)[unit].astype(np.float64)
        hits, positives, taken = float(weight @ (y * chosen)), float(weight @ y), float(weight @ chosen)
        drawn[number] = (
            average_precision(y, score, weight),
            hits / taken if taken else np.nan,
            hits / positives if positives else np.nan,
        )
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    return {name: [float(low[n]), float(high[n])] for n, name in enumerate(("pr_auc", "precision", "recall"))}


def share_better(y: Floats, one: Floats, other: Floats, units: npt.NDArray[np.int64], seed: int) -> float:
    """In which share of draws of units `one` has the higher PR-AUC."""
    chance = np.random.default_rng(seed)
    _, unit = np.unique(units, return_inverse=True)
    count = int(unit.max()) + 1
    won = 0
    for _ in range(REPETITIONS // 2):
        weight = np.bincount(chance.integers(0, count, count), minlength=count)[unit].astype(np.float64)
        won += average_precision(y, one, weight) > average_precision(y, other, weight)
    return won / (REPETITIONS // 2)


def reference_shares(before: Floats) -> dict[str, list[float]]:
    """`edges` of ten bins of equal count, and the `shares` of the bins and (last) of what is missing."""
    known = before[~np.isnan(before)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if known.size else np.empty(0)
    return {"edges": [float(edge) for edge in edges], "shares": [float(share) for share in _shares(before, edges)]}


def _shares(values: Floats, edges: Floats) -> Floats:
    missing = np.isnan(values)
    counts = np.bincount(np.searchsorted(edges, values[~missing], side="left"), minlength=len(edges) + 1)
    told: Floats = (np.r_[counts, missing.sum()] + 0.5) / (len(values) + 0.5 * (len(edges) + 2))
    return told


def moved(reference: Mapping[str, Sequence[float]], after: Floats) -> float:
    """Population stability index against `reference_shares`; 0.1 is a shift, 0.25 a large one."""
    if not after.size:
        return 0.0
    before, now = np.asarray(reference["shares"]), _shares(after, np.asarray(reference["edges"]))
    return float(np.sum((now - before) * np.log(now / before)))


def stability(before: Floats, after: Floats) -> float:
    """Population stability index over ten bins of `before` and one for missing."""
    return moved(reference_shares(before), after) if before.size else 0.0
