"""Trains the county's model on closed periods, compares it with what a sorted column does, and says so in figures.

Tested on the newest periods with a gap of the horizon before them; then the chosen candidate is fitted on all closed ones.
Below `FEW` entries nothing is fitted: the ranking stays that of rules and income, and the manifest says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from monitoring.forecast import HORIZON
from monitoring.forecast.features import AGAIN, FEATURES, GROUPS
from monitoring.forecast.history import COVERED, STEP, Panel
from monitoring.forecast.keeping import Kept, keep, kept
from monitoring.forecast.limits import Limits, load_limits
from monitoring.model import Model, evaluate
from monitoring.model.candidates import BLEND
from monitoring.model.fitting import fit_frame
from monitoring.model.metrics import reference_shares, stability
from monitoring.model.panel import Columns, PanelError
from monitoring.model.report import FEW, Report

KEYS = {"id": "household_id", "period": "period", "label": "label"}
CANDIDATES = ("logistic", "additive_boosting", "shallow_boosting")
# What policy demands of a boosted model: more cost, illness, disability or loss never lowers the risk, more income never raises it.
MONOTONE = {
    "income_ratio": -1, "income_change": -1, "medical_12m": 1, "medical_3m": 1, "medical_share": 1, "rigid_12m": 1, "workers": -1,
    "workers_share": -1, "employed": -1, "job_lost": 1, "severe": 1, "certified": 1, "new_severe": 1, "ill": 1, "unhealthy": 1,
    "earner_died": 1, "major": 1, "rules_hit": 1, "urgent_hit": 1, "disaster_loss": 1, "dwelling_unsafe": 1, "water_unsafe": 1,
}  # fmt: skip
CAPACITY = 0.1
CODE = ("model", "forecast")  # the packages whose source makes a model what it is


def train(
    home: Path, panel: Panel, seen: Mapping[str, int], on: date, seed: int = 0, candidates: Sequence[str] = CANDIDATES
) -> Kept:  # fmt: skip
    """Trains, keeps and gives the model; `seen`: what visits found so far, `on`: the day of training (for the card).

    Raises PolicyError where the limits from which on is warned cannot be read.
    """
    limits = load_limits(home, on)
    manifest: dict[str, Any] = {
        "until": max(panel.files), "on": on.isoformat(), "number": len(kept(home)) + 1, "horizon": HORIZON, "closed": list(panel.closed),
        "entries": panel.entries, "files": panel.files, "data_sha256": panel.digest, "code_sha256": code_digest(), "seed": seed,
        "visits": dict(seen), "door": {"counts": panel.door, "since": panel.since, "needs": COVERED}, "capacity": CAPACITY, "step": STEP, "candidates": list(candidates),
        "limits": {"drift": limits.drift, "group_chance": limits.group_chance, "group_fewest": limits.group_fewest, "sha256": limits.sha256},
    }  # fmt: skip
    again = [one for one in kept(home) if _same(one.manifest, manifest)]
    if again:
        return again[-1]
    if panel.entries < FEW:
        why = f"过去只有 {panel.entries} 户在之后 {HORIZON} 个月内陷入困难，少于 {FEW} 户：不用模型，按规则和收入排序"
        return keep(home, None, manifest | {"usable": False, "why": why, "report": None, "drift": {}})
    report = evaluated(panel, limits, seed, candidates)
    names = [feature.name for feature in FEATURES]
    columns = Columns("household_id", "period", "label", tuple(names))
    # In the setting that was tested: what the report says is said of it, and choosing once more would cost as much again.
    tested = report.model.setting
    settled = tested if report.chosen == BLEND else {report.chosen: tested}
    model = fit_frame(panel.rows, columns, MONOTONE, (report.chosen,), seed, relative=False, settled=settled).model
    told = report.to_dict() | {"warnings": _warnings(report)}
    return keep(
        home, model,
        manifest | {"usable": True, "why": report.why, "report": told, "drift": drift(model, panel.rows),
                    "reference": references(model, panel.rows), "weights": weights(model, panel.rows)},
    )  # fmt: skip


def evaluated(panel: Panel, limits: Limits, seed: int = 0, candidates: Sequence[str] = CANDIDATES) -> Report:
    """The county's candidates beside its baselines, tested on its newest closed periods. Raises PanelError where there are too
    few periods or entries to test anything."""
    if panel.rows.is_empty():
        raise PanelError(f"还没有标签已满的期：要有连续 {HORIZON + 1} 期已发布的结果")
    return evaluate(
        panel.rows, **KEYS, features=[feature.name for feature in FEATURES], groups=list(GROUPS), again=AGAIN, capacity=CAPACITY,
        horizon=-(-HORIZON // STEP), income="income_ratio", counts="rules_hit", monotone=MONOTONE, candidates=candidates,
        relative=False, drifted=limits.drift, chance=limits.group_chance, fewest=limits.group_fewest, seed=seed,
    )  # fmt: skip


def _warnings(report: Report) -> list[str]:
    """The report's, where the test's own smaller training part is not taken for the whole."""
    told = [words for words in report.warnings if not words.startswith("训练期只有")]
    found = int(report.split["test_positives"])
    if found < FEW:
        told.insert(0, f"检验期只有 {found} 户陷入困难：上面的数字区间很宽，只能看个大概")
    return told


def _same(one: Mapping[str, Any], manifest: Mapping[str, Any]) -> bool:
    names = ("until", "data_sha256", "code_sha256", "seed", "visits", "door", "entries", "candidates", "limits")
    return all(one.get(name) == manifest[name] for name in names)


def code_digest() -> str:
    """A digest of the source of the library and of the county's part."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for package in CODE:
        for path in sorted((root / package).glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def matrix_and_score(model: Model, rows: pl.DataFrame) -> dict[str, np.ndarray[Any, Any]]:
    """Every feature's numbers, and the score, by name."""
    matrix = model.encoder.matrix(rows)
    told = {name: matrix[:, n].astype(np.float64) for n, name in enumerate(model.encoder.features)}
    return told | {"score": model.raw(matrix)}


def references(model: Model, rows: pl.DataFrame) -> dict[str, Any]:
    """The edges and shares of every feature and the score in training, against which later months are held."""
    return {name: reference_shares(values) for name, values in matrix_and_score(model, rows).items()}


def drift(model: Model, rows: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Population stability of each training period against all: score, and features."""
    values, period = matrix_and_score(model, rows), rows["period"]
    return {
        name: {feature: round(stability(of_all, of_all[(period == name).to_numpy()]), 4) for feature, of_all in values.items()}
        for name in period.unique().sort().to_list()
    }  # fmt: skip


def weights(model: Model, rows: pl.DataFrame) -> list[list[Any]]:
    """[feature, mean size of its contribution], the largest first."""
    from monitoring.model.explaining import steps

    some = rows.gather_every(max(1, len(rows) // 2000))
    size = np.abs(steps(model, model.encoder.matrix(some))).mean(axis=0)
    order = np.argsort(-size, kind="stable")
    return [[model.encoder.features[n], round(float(size[n]), 4)] for n in order if size[n] > 0]


__all__ = [
    "CANDIDATES",
    "CAPACITY",
    "MONOTONE",
    "PanelError",
    "code_digest",
    "drift",
    "evaluated",
    "references",
    "train",
    "weights",
]
