"""Evaluates the candidates on a panel, beside the baselines that a model has to beat, and says so in figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from monitoring.model.candidates import BLEND, CANDIDATES, PARTS, Blend, blended
from monitoring.model.fitting import DIGITS, Fitted, calibrated, fit_frame, fit_one, newest, raw_scores, threads
from monitoring.model.metrics import at_length, intervals, judge, stability
from monitoring.model.panel import Columns, Floats, PanelError, columns_of, groups_of, labels
from monitoring.model.report import FEW, Report
from monitoring.model.splitting import split
from monitoring.shares import wilson

LENGTHS = (0.05, 0.1)
TOO_GOOD = 0.95  # ROC-AUC at which a leak is likelier than a miracle
DRIFTED = (
    0.25  # population stability index above which a distribution has clearly changed, unless the caller says otherwise
)
CHANCE, FEWEST = 0.05, 5  # a group is served worse: by how small a chance, and with how many positives at least
BANDS = 4
MOST_GROUPS = 60
# What a column of income, pay or consumption is called, as a whole or in parts: hhninc, income_pc, ln_wage, 人均纯收入.
INCOME = re.compile(r"income|inc(_|\d|$)|(^|_)inc|wage|salary|earn|consum|expend|收入|工资|消费", re.IGNORECASE)


def evaluate(
    panel: pl.DataFrame | pl.LazyFrame,
    *,
    id: str,
    period: str,
    label: str,
    features: Sequence[str] | None = None,
    groups: Sequence[str] = (),
    capacity: float = 0.1,
    horizon: int = 1,
    split_period: Any = None,
    split_column: str | None = None,
    income: str | None = None,
    counts: str | None = None,
    again: str | None = None,
    monotone: Mapping[str, int] | None = None,
    candidates: Sequence[str] = tuple(CANDIDATES),
    relative: bool = True,
    drifted: float = DRIFTED,
    chance: float = CHANCE,
    fewest: int = FEWEST,
    seed: int = 0,
) -> Report:
    """Trains on the early part, tests on the late one, and compares.

    `panel`: one row a unit and period. `label`: 0, 1 or missing (not known yet: counted, not used). `features`: column names;
    without them all other columns. `groups`: columns by which the list is checked for fairness (they are features only where
    named). `capacity`: share of rows that can be visited. `horizon`: periods that a label looks ahead (the gap). `split_period`
    is the first test period; `split_column` holds train, valid, test, drop; without either the last quarter of the periods.
    `income` (lower is needier) and `counts` (number of rules hit) name the columns of two baselines; without `income` it is the
    numeric feature that is called like one (`INCOME`), of several the one that ranks the training rows best, lowest first.
    `again` names a column that is 1 where an entry would be a re-entry; without it, units with an earlier label of 1 in the
    panel are. `relative`: the amount that ranks best is also read as its place among others of its period. `drifted` is the
    population stability index, `chance` (over all groups together) and `fewest` (positives) the difference of a group, from which
    on is warned.
    Raises PanelError (a ValueError) with what is wrong and what would be right.
    """
    frame = panel.lazy().collect()
    if not 0 < capacity < 1:
        raise PanelError(f"capacity 是可走访的比例，在 0 和 1 之间；收到的是 {capacity}")
    if horizon < 0:
        raise PanelError(f"horizon 是标签向后看的期数，不能小于 0；收到的是 {horizon}")
    aside = [*groups, *([split_column] if split_column else [])]
    columns = columns_of(frame, id, period, label, features, aside)
    missing = [name for name in (*groups, *filter(None, (income, counts, again))) if name not in frame.columns]
    if missing:
        raise PanelError(f"没有列 {'、'.join(missing)}。表里有：{'、'.join(frame.columns)}")
    words = [
        name
        for name in filter(None, (income, counts))
        if not frame[name].cast(pl.Float64, strict=False).is_not_null().any()
    ]
    if words:
        raise PanelError(f"列 {'、'.join(words)} 里没有数字，不能按它排序")
    frame = frame.with_columns(labels(frame, label))
    parts = split(frame, columns, horizon, split_period, split_column, seed)
    train, test = frame.filter(parts.train), frame.filter(parts.test)
    ahead = _later(train[period], test[period])
    fitted = fit_frame(train, columns, monotone or {}, candidates, seed, ahead, relative)
    y = labels(test, label).cast(pl.Float64).to_numpy()
    lengths = tuple(sorted({*LENGTHS, capacity}))
    scored = _score_all(fitted, train, test, columns, monotone or {}, seed, ahead)
    told = {trial.name: judge(y, scored[trial.name], lengths) | _trial_words(trial) for trial in fitted.trials}
    best = scored[fitted.model.name]
    units = groups_of(test, id)
    drift = _drift(fitted, train, test)
    income = income or income_of(train, columns)
    baselines = _baselines(train, test, y, columns, fitted, income, counts, lengths)
    positives = fitted.model.positives
    entries = train.filter(pl.col(label).cast(pl.Int8) == 1)[id].n_unique()
    return Report(
        task={"id": id, "period": period, "label": label, "features": list(fitted.model.encoder.features), "capacity": capacity,
              "horizon": horizon, "seed": seed, "unused": sorted(set(columns.features) - set(fitted.model.encoder.features))},
        split={"how": parts.how, "train_rows": len(train), "train_units": fitted.model.units, "train_positives": positives, "train_entries": entries, "test_rows": len(test),
               "test_units": len(np.unique(units)), "test_positives": int(y.sum()), "unlabelled": parts.unlabelled, "dropped": parts.dropped},
        chosen=fitted.model.name,
        why=fitted.why,
        usable=entries >= FEW,
        candidates=told,
        baselines=baselines,
        intervals=intervals(y, best, units, capacity, seed),
        entries=_entries(frame, test, columns, again, y, best, lengths),
        groups=_groups(test, groups, y, best, capacity, chance, fewest),
        drift=drift,
        warnings=_warnings(fitted, train, columns, told, baselines, drift, entries, drifted),
        scores=test.select(id, period, label).with_columns(score=pl.Series(best)),
        model=fitted.model,
    )  # fmt: skip


def _later(train: pl.Series, test: pl.Series) -> bool:
    """Whether all test periods come after all training ones."""
    known = pl.DataFrame({"period": pl.concat([train, test]), "test": [0] * len(train) + [1] * len(test)})
    step = known.with_columns(step=pl.col("period").rank("dense")).drop_nulls("step")
    edges = step.group_by("test").agg(low=pl.col("step").min(), high=pl.col("step").max()).sort("test").to_dicts()
    return len(edges) == 2 and bool(edges[0]["high"] < edges[1]["low"])


def _trial_words(trial: Any) -> dict[str, Any]:
    return {"setting": dict(trial.setting), "held_out_pr_auc": trial.pr_auc}


def _score_all(
    fitted: Fitted, train: pl.DataFrame, test: pl.DataFrame, columns: Columns, monotone: Mapping[str, int], seed: int, ahead: bool
) -> dict[str, Floats]:  # fmt: skip
    """Probabilities of the test rows under every candidate, each calibrated on its own held-out scores.

    On a large panel the ones that were not chosen stand as they were tried: on most of the rows, not fitted anew on all.
    """
    model = fitted.model
    matrix, new = model.encoder.matrix(train), model.encoder.matrix(test)
    y = labels(train, columns.label).cast(pl.Float64).to_numpy()
    units = groups_of(train, columns.id)
    late = newest(train, columns) if ahead else None
    scored, raws = {model.name: model.probability(new)}, {model.name: model.raw(new)}
    if isinstance(model.pipeline, Blend):  # its parts are fitted already
        raws |= {name: raw_scores(part, new) for name, part in zip(PARTS, model.pipeline.parts, strict=True)}
    with threadpool_limits(threads(len(train))):
        for trial in fitted.trials:
            if trial.name not in raws:
                parts = [raws[part] for part in PARTS if part in raws]
                if trial.name == BLEND and len(parts) == len(PARTS):
                    raws[trial.name] = blended(parts)
                else:
                    pipeline = trial.pipeline or fit_one(
                        trial.name, trial.setting, model.encoder, matrix, y, seed, monotone
                    )
                    raws[trial.name] = raw_scores(pipeline, new)
            if trial.name not in scored:
                scored[trial.name] = np.round(calibrated(trial, y, units, late)(raws[trial.name]), DIGITS)
    return scored


def _baselines(
    train: pl.DataFrame, test: pl.DataFrame, y: Floats, columns: Columns, fitted: Fitted, income: str | None, counts: str | None, lengths: tuple[float, ...]
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """What a sorted column does: income, rules hit, the label a period ago, the best single feature, and mere prevalence."""
    told = {
        "prevalence": judge(
            y, np.full(len(y), float(labels(train, columns.label).cast(pl.Float64).to_numpy().mean())), lengths
        )
    }
    if income:
        told["income"] = judge(y, _sortable(test[income], -1.0), lengths, False) | {"column": income}
    if counts:
        told["rules"] = judge(y, _sortable(test[counts], 1.0), lengths, False)
    last = _last_label(pl.concat([train, test], how="vertical"), test, columns)
    if last is not None:
        told["last_label"] = judge(y, last, lengths, False)
    name, sign = _best_column(train, columns, fitted)
    if name:
        own = fitted.model.encoder.features.index(name)
        values = fitted.model.encoder.matrix(test)[:, own].astype(np.float64) * sign
        middle = np.nanmedian(values) if not np.isnan(values).all() else 0.0
        told["best_column"] = judge(y, np.where(np.isnan(values), middle, values), lengths, False) | {"column": name}
    return told


def income_of(train: pl.DataFrame, columns: Columns) -> str | None:
    """The numeric feature that is called like an income and whose lowest rows are the neediest in training; None without one."""
    y = labels(train, columns.label).cast(pl.Float64).to_numpy()
    called = [
        n for n in columns.features if INCOME.search(n) and train.schema[n].is_numeric() and train[n].n_unique() > BANDS
    ]
    found = {name: float(roc_auc_score(y, _sortable(train[name], -1.0))) for name in called}
    best = max(found, key=lambda name: found[name], default=None)
    return best if best is not None and found[best] > 0.5 else None


def _entries(
    frame: pl.DataFrame, test: pl.DataFrame, columns: Columns, again: str | None, y: Floats, score: Floats, lengths: tuple[float, ...]
) -> dict[str, Any]:  # fmt: skip
    """First entries and re-entries apart: those who were there before are another list, and harder to tell."""
    if again is None:
        first = (
            frame.filter(labels(frame, columns.label).fill_null(0) == 1)
            .group_by(columns.id)
            .agg(pl.col(columns.period).min().alias("_first"))
        )
        dated = test.select(columns.id, columns.period).join(first, on=columns.id, how="left", maintain_order="left")
        before = (dated["_first"] < dated[columns.period]).fill_null(False).to_numpy()
    else:
        before = (test[again].cast(pl.Float64).fill_null(0) > 0).to_numpy()
    told: dict[str, Any] = {}
    for name, of in (("first", ~before), ("again", before)):
        own = {"rows": int(of.sum()), "positives": int(y[of].sum())}
        told[name] = judge(y[of], score[of], lengths) if 0 < own["positives"] < own["rows"] else own
    return told


def _sortable(values: pl.Series, sign: float) -> Floats:
    numbers = values.cast(pl.Float64, strict=False) * sign
    numbers = numbers.set(~numbers.is_finite().fill_null(False), None)
    told: Floats = numbers.fill_null(numbers.median() or 0.0).to_numpy()
    return told


def _last_label(known: pl.DataFrame, test: pl.DataFrame, columns: Columns) -> Floats | None:
    """The label of the same unit in the period before, 0 where there is none; None where no unit has one."""
    before = (
        known.select(columns.id, columns.period, before=pl.col(columns.label).cast(pl.Float64))
        .unique([columns.id, columns.period], keep="first", maintain_order=True)
        .sort(columns.period)
        .with_columns(before=pl.col("before").shift(1).over(columns.id))
    )
    joined = test.select(columns.id, columns.period).join(
        before, on=[columns.id, columns.period], how="left", maintain_order="left"
    )
    if not joined["before"].fill_null(0.0).sum():
        return None
    told: Floats = joined["before"].fill_null(0.0).to_numpy()
    return told


def _best_column(train: pl.DataFrame, columns: Columns, fitted: Fitted) -> tuple[str, float]:
    """The numeric feature that ranks the training rows best by itself, and in which direction."""
    encoder = fitted.model.encoder
    matrix, y = encoder.matrix(train), labels(train, columns.label).cast(pl.Float64).to_numpy()
    best, name, sign = 0.0, "", 1.0
    for number, feature in enumerate(encoder.features):
        if feature in encoder.codes:
            continue
        known = ~np.isnan(matrix[:, number])
        if not 0 < y[known].sum() < known.sum():
            continue
        auc = float(roc_auc_score(y[known], matrix[known, number])) - 0.5
        if abs(auc) > best:
            best, name, sign = abs(auc), feature, 1.0 if auc > 0 else -1.0
    return name, sign


def _groups(
    test: pl.DataFrame, groups: Sequence[str], y: Floats, score: Floats, capacity: float, chance: float, fewest: int
) -> list[dict[str, Any]]:
    """Recall and precision of each group on the county's one list, with Wilson intervals, and whether it is served worse
    than the others beyond chance (two shares compared, `chance` over all groups together)."""
    length = at_length(y, score, capacity).length
    chosen = np.zeros(len(y), dtype=bool)
    chosen[np.argsort(-score, kind="stable")[:length]] = True
    told = []
    for column in groups:
        values = _banded(test[column])
        for value in values.unique().sort().head(MOST_GROUPS).to_list():
            of = (values == value).to_numpy()
            found, positives, taken = float((y * chosen)[of].sum()), float(y[of].sum()), float(chosen[of].sum())
            others = float((y * chosen)[~of].sum()), float(y[~of].sum())
            told.append({
                "column": column, "group": value, "rows": int(of.sum()), "positives": int(positives), "chosen": int(taken), "found": int(found),
                "recall": found / positives if positives else float("nan"), "recall_interval": list(wilson(found, positives)),
                "precision": found / taken if taken else float("nan"), "precision_interval": list(wilson(found, taken)),
                "mean_score": float(score[of].mean()), "rate": float(y[of].mean()), "z": _difference(found, positives, *others, fewest),
            })  # fmt: skip
    limit = NormalDist().inv_cdf(1 - chance / max(len(told), 1))
    return [one | {"served_worse": bool(one["z"] < -limit)} for one in told]


def _banded(values: pl.Series) -> pl.Series:
    """A group's name; many different numbers are four bands of equal count."""
    if values.dtype.is_numeric() and values.n_unique() > 2 * BANDS:
        edges = sorted({float(values.quantile(n / BANDS) or 0.0) for n in range(1, BANDS)})
        values = values.cut(edges).cast(pl.String)
    return values.cast(pl.String).fill_null("不明")


def _difference(found: float, of: float, other_found: float, other_of: float, fewest: int) -> float:
    """z of the difference of two shares; 0 where either has fewer than `fewest` to share."""
    if min(of, other_of) < fewest:
        return 0.0
    pooled = (found + other_found) / (of + other_of)
    spread = float(np.sqrt(pooled * (1 - pooled) * (1 / of + 1 / other_of)))
    return (found / of - other_found / other_of) / spread if spread else 0.0


def _drift(fitted: Fitted, train: pl.DataFrame, test: pl.DataFrame) -> dict[str, Any]:
    """Population stability from training to test: of the score, and of each feature."""
    model = fitted.model
    before, after = model.encoder.matrix(train).astype(np.float64), model.encoder.matrix(test).astype(np.float64)
    features = {name: stability(before[:, n], after[:, n]) for n, name in enumerate(model.encoder.features)}
    told = model.raw(before.astype(np.float32)), model.raw(after.astype(np.float32))
    return {"score": stability(*told), "features": features}


def _warnings(
    fitted: Fitted, train: pl.DataFrame, columns: Columns, told: dict[str, Any], baselines: dict[str, Any], drift: dict[str, Any], entries: int, drifted: float
) -> list[str]:  # fmt: skip
    warnings = []
    if entries < FEW:
        warnings.append(f"训练期只有 {entries} 户进入困难，少于 {FEW}：不用模型，按规则和收入排序")
    name, _ = _best_column(train, columns, fitted)
    own = baselines.get("best_column", {}).get("roc_auc", 0.0)
    if own and own >= TOO_GOOD:
        warnings.append(f"单凭 {name} 一列就能分开（AUC {own:.3f}）：很可能泄露了标签，请查它是否在当时已知")
    if told[fitted.model.name]["roc_auc"] >= TOO_GOOD:
        warnings.append(
            f"AUC {told[fitted.model.name]['roc_auc']:.3f} 好得不像真的：请查特征里有没有当时还不知道的内容"
        )
    beaten = [n for n, b in baselines.items() if b["pr_auc"] >= told[fitted.model.name]["pr_auc"]]
    if beaten:
        warnings.append(f"模型不比基线强：{'、'.join(beaten)}")
    warnings += [f"特征 {n} 的分布变了（PSI {value:.2f}）" for n, value in drift["features"].items() if value > drifted]
    return warnings
