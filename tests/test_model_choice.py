"""Why a candidate is chosen, and what an amount says beside others of its period."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
import skops.io as sio
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from monitoring.forecast.keeping import TRUSTED
from monitoring.model import evaluate, fit, score
from monitoring.model.candidates import BLEND, LED, PARTS, Blend, along, regression
from monitoring.model.evaluating import income_of
from monitoring.model.explaining import base, steps
from monitoring.model.fitting import Trial, _choose, fit_frame, raw_scores, standard_error
from monitoring.model.metrics import average_precision, ranking
from monitoring.model.panel import ENOUGH_IN_PERIOD, MANY_VALUES, Columns, PanelError, Relative

KEYS: dict[str, Any] = {"id": "person", "period": "year", "label": "poor"}


def inflated(people: int = 500, years: int = 4, seed: int = 2) -> pl.DataFrame:
    """Pay doubles each year; who is low for the year is poor in the next."""
    chance = np.random.default_rng(seed)
    rows = people * years
    place, year = chance.normal(size=rows), np.tile(np.arange(years), people)
    poor = chance.random(rows) < 1 / (1 + np.exp(2.5 + 2.2 * place))
    return pl.DataFrame({
        "person": np.repeat(np.arange(people), years), "year": 1990 + year, "poor": poor.astype(np.int8),
        "wage": 1000.0 * 2.0**year * np.exp(0.5 * place), "rooms": chance.integers(1, 6, rows),
    })  # fmt: skip


def test_an_amount_that_rises_by_the_year_is_read_as_its_place_in_the_year() -> None:
    rows = inflated().with_columns(
        part=pl.when(pl.col("person") % 3 == 0).then(pl.lit("test")).otherwise(pl.lit("train"))
    )
    found = evaluate(rows, **KEYS, split_column="part", candidates=("logistic",))
    told = found.model.encoder.relative
    assert told is not None and told.feature == "wage" and found.baselines["income"]["column"] == "wage"
    plain = evaluate(rows, **KEYS, split_column="part", candidates=("logistic",), relative=False)
    assert found.metrics["pr_auc"] > found.baselines["income"]["pr_auc"] + 0.1
    assert found.metrics["pr_auc"] >= plain.metrics["pr_auc"] - 0.01


def _relative(rows: pl.DataFrame) -> Relative | None:
    return Relative.learn(rows, "year", "wage", rows["wage"].cast(pl.Float32).to_numpy())


def test_the_same_place_in_another_year_is_the_same_number_and_missing_stays_missing() -> None:
    rows = inflated()
    told = _relative(rows)
    assert told is not None
    middles = rows.group_by("year", maintain_order=True).agg(pl.col("wage").median()).sort("year")
    assert told.of(middles, middles["wage"].cast(pl.Float32).to_numpy()) == pytest.approx(np.zeros(4), abs=1e-5)
    assert np.isnan(told.of(middles, np.full(4, np.nan, dtype=np.float32))).all()


@pytest.mark.parametrize(("count", "own"), [(ENOUGH_IN_PERIOD - 1, False), (ENOUGH_IN_PERIOD, True)])
def test_a_new_year_brings_its_own_middle_where_it_has_rows_enough_else_the_newest_holds(count: int, own: bool) -> None:
    told = _relative(inflated())
    assert told is not None and told.newest == told.periods["1993"]
    values = np.linspace(1, 100, count).astype(np.float32)
    made = told.of(pl.DataFrame({"year": [2050] * count}), values)
    assert bool(abs(float(np.median(made))) < 1e-6) is own
    if not own:
        middle, spread = told.newest
        assert made == pytest.approx((values - middle) / spread, abs=1e-5)


def test_one_year_and_a_count_of_few_values_have_no_place() -> None:
    rows = inflated()
    assert _relative(rows.filter(pl.col("year") == 1990)) is None
    assert Relative.learn(rows, "year", "rooms", rows["rooms"].cast(pl.Float32).to_numpy()) is None
    many = rows["person"] % MANY_VALUES
    assert Relative.learn(rows, "year", "wage", many.cast(pl.Float32).to_numpy()) is not None


def test_scoring_without_periods_names_what_is_missing() -> None:
    rows = inflated()
    with pytest.raises(PanelError, match="year"):
        score(fit(rows, **KEYS, candidates=("logistic",)), rows.drop("year"))


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("wage", "x"), "wage"), (("hhninc", "x"), "hhninc"), (("人均纯收入", "x"), "人均纯收入"), (("ln_wage", "x"), "ln_wage"),
        (("x", "since"), None), (("province", "x"), None), (("x", "earnings"), None),
    ],
)  # fmt: skip
def test_a_column_called_like_an_income_is_the_income_only_if_its_lowest_are_the_neediest(
    names: tuple[str, str], found: str | None
) -> None:
    chance = np.random.default_rng(0)
    low = chance.normal(size=400)
    rows = pl.DataFrame({"poor": (low < -1).astype(np.int8), names[0]: low, names[1]: -low})
    assert income_of(rows, Columns("person", "year", "poor", names)) == found


def _trials(gain: float) -> tuple[tuple[Trial, Trial], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The default as a noisy score of 400 rows, and boosting with less noise by `gain`."""
    chance = np.random.default_rng(3)
    y = (chance.random(4000) < 0.1).astype(float)
    made = []
    for name, noise in (("logistic", 1.0), ("shallow_boosting", 1.0 - gain)):
        raw = y + noise * np.random.default_rng(5).normal(size=4000)
        made.append(Trial(name, {}, average_precision(y, raw), raw, None))
    return (made[0], made[1]), y, np.arange(4000)


@pytest.mark.parametrize(("gain", "chosen"), [(0.0, "logistic"), (0.02, "logistic"), (0.3, "shallow_boosting")])
def test_boosting_is_chosen_only_where_it_wins_by_a_standard_error(gain: float, chosen: str) -> None:
    trials, y, units = _trials(gain)
    beyond = trials[1].pr_auc - trials[0].pr_auc > standard_error(trials[0].pr_auc, y.sum())
    assert beyond is (chosen == "shallow_boosting") and trials[1].pr_auc >= trials[0].pr_auc
    found, why = _choose(trials, y, units, 0)
    assert found.name == chosen and ("须高出" in why) is beyond


def test_boosting_that_wins_among_the_same_years_only_is_not_chosen_for_later_ones() -> None:
    """What a code means turns from year to year: other rows of the year tell it, those of earlier years don't."""
    chance = np.random.default_rng(4)
    people, meaning = 700, np.array([1, -1, -1, 1, -1, 1])
    year, code = np.tile(np.arange(6), people), chance.normal(size=6 * people)
    poor = (chance.random(len(year)) < np.where(meaning[year] * code > 0.8, 0.4, 0.03)).astype(np.int8)
    rows = pl.DataFrame(
        {"person": np.repeat(np.arange(people), 6), "year": year, "poor": poor, "code": code, "then": year}
    )
    asked: dict[str, Any] = {**KEYS, "candidates": ("logistic", "shallow_boosting")}
    quarter = pl.when(pl.col("person") % 4 == 0).then(pl.lit("test")).otherwise(pl.lit("train"))
    among = evaluate(rows.with_columns(part=quarter), **asked, split_column="part")
    assert among.chosen == "shallow_boosting" and among.metrics["pr_auc"] > among.candidates["logistic"]["pr_auc"]
    ahead = evaluate(rows, **asked, split_period=5)
    assert ahead.chosen == "logistic" and "最新的期" in ahead.why


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=2, max_size=40))
@settings(max_examples=40, deadline=None)
def test_the_own_roc_auc_is_scikit_learns_with_ties(rows: list[tuple[int, int]]) -> None:
    y, s = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows], float)
    if 0 < y.sum() < len(y):
        assert ranking(y, s) == pytest.approx(roc_auc_score(y, s))
    else:
        assert np.isnan(ranking(y, s))


def test_the_blend_is_the_mean_of_its_parts_and_its_contributions_add_up() -> None:
    rows = inflated(300).with_columns(rooms=pl.when(pl.col("rooms") > 4).then(None).otherwise("rooms"))
    model = fit(rows, **KEYS, candidates=(BLEND,))
    assert model.name == BLEND and set(model.setting) == set(PARTS) and isinstance(model.pipeline, Blend)
    matrix = model.encoder.matrix(rows)
    parts = [raw_scores(part, matrix) for part in model.pipeline.parts]
    assert model.raw(matrix) == pytest.approx((parts[0] + parts[1]) / 2)
    kept = sio.dumps(model.pipeline)
    assert set(sio.get_untrusted_types(data=kept)) <= TRUSTED
    assert (sio.loads(kept, trusted=sorted(TRUSTED)).decision_function(matrix) == model.raw(matrix)).all()
    assert base(model) + steps(model, matrix).sum(axis=1) == pytest.approx(model.raw(matrix), abs=1e-6)


@pytest.mark.parametrize(("gain", "chosen"), [(0.0, "logistic"), (0.02, BLEND)])
def test_the_blend_needs_to_win_by_half_of_what_boosting_alone_must(gain: float, chosen: str) -> None:
    (default, other), y, units = _trials(0.02)
    between = Trial(BLEND, {}, default.pr_auc + gain, other.raw, None)
    error = standard_error(default.pr_auc, y.sum())
    assert 0.5 * error < 0.02 < error
    assert _choose((default, between), y, units, 0)[0].name == chosen
    assert _choose((default, Trial("shallow_boosting", {}, between.pr_auc, other.raw, None)), y, units, 0)[0] is default


def test_a_regression_that_begins_where_the_last_one_ended_comes_to_the_same_in_fewer_steps() -> None:
    chance = np.random.default_rng(7)
    made = chance.normal(size=(1500, 20))
    y = (chance.random(1500) < 1 / (1 + np.exp(2.5 - made[:, 0] - 0.5 * made[:, 1]))).astype(np.float64)
    settings = [{"C": c} for c in LED]
    followed, alone = along(settings, made, y), [regression(setting).fit(made, y) for setting in settings]
    for one, other in zip(followed, alone, strict=True):
        assert np.abs(one.decision_function(made) - other.decision_function(made)).max() < 0.01
    assert sum(int(one.n_iter_[0]) for one in followed) < sum(int(one.n_iter_[0]) for one in alone)


def test_of_a_candidate_whose_setting_is_settled_no_other_is_tried() -> None:
    frame, columns = inflated(), Columns("person", "year", "poor", ("wage", "rooms"))
    asked = {"logistic": {"C": 0.3}}
    settled = fit_frame(frame, columns, {}, ("logistic",), 0, settled=asked)
    assert [trial.setting for trial in settled.trials] == [settled.model.setting] == [{"C": 0.3}]
    chosen = fit_frame(frame, columns, {}, ("logistic",), 0)
    assert chosen.model.setting != {"C": 0.3}
    same = fit_frame(frame, columns, {}, ("logistic",), 0, settled={"logistic": chosen.model.setting})
    gap = same.model.raw(same.model.encoder.matrix(frame)) - chosen.model.raw(chosen.model.encoder.matrix(frame))
    assert np.abs(gap).max() == 0.0
