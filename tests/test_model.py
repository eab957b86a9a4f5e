"""The model on any panel: honest parts, calibrated scores, contributions that add up, and clear words for what cannot be."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score

from monitoring.model import PanelError, contributions, evaluate, fit, score
from monitoring.model.calibrating import brought_up, learn
from monitoring.model.candidates import MANY_COLUMNS
from monitoring.model.explaining import base
from monitoring.model.metrics import at_length, average_precision, stability
from monitoring.model.panel import Encoder, columns_of, labels
from monitoring.model.splitting import split
from monitoring.shares import wilson
from pipelines.cli import main

KEYS: dict[str, Any] = {"id": "household", "period": "month", "label": "entered"}


def panel(households: int = 1200, periods: int = 6, seed: int = 3, strength: float = 1.0) -> pl.DataFrame:
    """A made-up panel: income and illness matter, a missing income matters too, a village a little, noise not at all."""
    chance = np.random.default_rng(seed)
    n = households * periods
    household, month = (
        np.repeat(np.arange(households), periods),
        np.tile(np.arange(202601, 202601 + periods), households),
    )
    income = np.exp(chance.normal(7, 0.6, n))
    illness = chance.exponential(3000, n) * (chance.random(n) < 0.3)
    hidden = chance.random(n) < 0.1
    village = chance.choice(["上寨", "下寨", "河口"], n)
    odds = strength * (-1.2 * (np.log(income) - 7) + illness / 4000 + 0.8 * hidden + 0.4 * (village == "河口")) - 2.6
    entered = (chance.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    return pl.DataFrame({
        "household": household, "month": month, "entered": entered,
        "income": np.where(hidden, np.nan, income), "illness": illness, "village": village, "noise": chance.normal(size=n),
        "checked": [date(2026, 1, 1 + day % 28) for day in range(n)], "disabled": chance.random(n) < 0.2,
    }).with_columns(pl.col("income").fill_nan(None))  # fmt: skip


@pytest.fixture(scope="session")
def report():
    return evaluate(panel(), **KEYS, groups=["village"], income="income", split_period=202605)


def test_the_chosen_model_is_no_worse_than_plain_boosting_and_beats_income_alone(report) -> None:
    rows = panel()
    names = ["income", "illness", "noise", "disabled"]
    train, test = rows.filter(pl.col("month") < 202605), rows.filter(pl.col("month") >= 202605)
    plain = HistGradientBoostingClassifier(random_state=0).fit(
        train.select(names).to_numpy(), train["entered"].to_numpy()
    )
    peer = average_precision_score(test["entered"].to_numpy(), plain.predict_proba(test.select(names).to_numpy())[:, 1])
    assert report.metrics["pr_auc"] > peer - 0.01  # the goal of the issue
    assert report.metrics["pr_auc"] > report.baselines["income"]["pr_auc"]
    assert report.metrics["ece"] < 0.05 and report.usable


def test_the_same_seed_gives_the_same_scores_to_the_last_digit(report) -> None:
    again = evaluate(panel(), **KEYS, groups=["village"], income="income", split_period=202605)
    assert again.scores.equals(report.scores) and again.to_json() == report.to_json()


def test_the_order_of_rows_does_not_matter_to_who_is_in_which_part() -> None:
    rows = panel(200)
    mixed = rows.sample(fraction=1.0, shuffle=True, seed=1)
    columns = columns_of(rows, "household", "month", "entered", None, ())
    for frame in (rows, mixed):
        parts = split(frame, columns, 1, 202605, None, 0)
        assert set(frame.filter(parts.test)["month"]) == {202605, 202606}
        assert set(frame.filter(parts.train)["month"]) == {202601, 202602, 202603, 202604}


@pytest.mark.parametrize(("horizon", "last"), [(1, 202604), (2, 202603), (3, 202602)])
def test_training_ends_where_label_windows_closed_before_the_test(horizon: int, last: int) -> None:
    rows = panel(300)
    parts = split(rows, columns_of(rows, "household", "month", "entered", None, ()), horizon, 202605, None, 0)
    assert rows.filter(parts.train)["month"].max() == last


def test_a_split_column_is_followed_and_drop_is_dropped() -> None:
    said = pl.col("household") % 4
    rows = panel(400).with_columns(
        part=pl.when(said == 0)
        .then(pl.lit("test"))
        .when(said == 1)
        .then(pl.lit("valid"))
        .when(said == 2)
        .then(pl.lit("drop"))
        .otherwise(pl.lit("train"))
    )
    found = evaluate(rows, **KEYS, split_column="part")
    assert set(found.scores["household"] % 4) == {0} and found.split["dropped"] == rows.filter(said == 2).height
    assert found.split["train_rows"] == rows.filter(said.is_in([1, 3])).height and "part" not in found.task["features"]


def test_rows_whose_label_is_not_known_are_counted_and_in_no_part() -> None:
    rows = panel(300).with_columns(entered=pl.when(pl.col("household") < 20).then(None).otherwise("entered"))
    found = evaluate(rows, **KEYS, split_period=202605)
    assert (
        found.split["unlabelled"] == 20 * 6
        and found.scores["label" if "label" in found.scores.columns else "entered"].null_count() == 0
    )


def test_one_cross_section_is_split_by_units() -> None:
    rows = panel(2500, 1)
    found = evaluate(rows, **KEYS)
    assert 0.15 < len(found.scores) / len(rows) < 0.35


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "nobody"}, "没有列 nobody"),
        ({"features": ["income", "wages"]}, "没有特征列 wages"),
        ({"features": ["entered", "income"]}, "不能既是特征又是"),
        ({"label": "illness"}, "只能是 0、1"),
        ({"split_column": "village"}, "只能是 train、valid、test、drop"),
        ({"split_period": 209901}, "没有带标签的行"),
        ({"capacity": 1.0}, "在 0 和 1 之间"),
        ({"groups": ["street"]}, "没有列 street"),
        ({"features": []}, "没有特征列"),
    ],
)
def test_a_panel_that_cannot_be_used_is_refused_in_words(change: dict[str, object], words: str) -> None:
    with pytest.raises(PanelError, match=words):
        evaluate(panel(60), **{**KEYS, **change})


def test_one_class_only_is_refused_in_words() -> None:
    with pytest.raises(PanelError, match="全是 0"):
        evaluate(panel(60).with_columns(entered=pl.lit(0)), **KEYS)


def test_a_planted_leak_is_named() -> None:
    rows = panel(400).with_columns(paid_later=pl.col("entered") * 100 + pl.col("noise") * 0.01)
    found = evaluate(rows, **KEYS, split_period=202605)
    assert any("paid_later" in words and "泄露" in words for words in found.warnings)


def test_fewer_than_fifty_entries_are_not_enough() -> None:
    rows = panel(40)
    found = evaluate(rows, **KEYS, split_period=202605)
    assert (
        found.split["train_positives"] < 50
        and not found.usable
        and any("不用模型" in words for words in found.warnings)
    )


def test_contributions_add_up_to_the_score() -> None:
    rows = panel(400)
    model = fit(rows, **KEYS)
    some = rows.head(30)
    told = contributions(model, some)
    sums = some.select("household", "month").join(
        told.group_by("household", "month").agg(pl.col("contribution").sum()), on=["household", "month"], how="left", maintain_order="left"
    )["contribution"].fill_null(0.0).to_numpy()  # fmt: skip
    raw = model.raw(model.encoder.matrix(some))
    assert np.allclose(sums, raw - base(model), atol=1e-6)
    poorest = some.with_columns(income=pl.lit(100.0))
    income = contributions(model, poorest).filter(pl.col("feature") == "income")["contribution"]
    assert (income > 0).all()


def test_missing_is_information_and_never_zero() -> None:
    rows = panel(900)
    model = fit(rows, **KEYS)
    row = rows.head(1)
    unknown, nothing = (
        float(score(model, row.with_columns(income=pl.lit(value, pl.Float64)))["score"][0]) for value in (None, 0.0)
    )
    assert unknown != nothing and unknown > float(score(model, row.with_columns(income=pl.lit(1100.0)))["score"][0])


def test_a_category_never_seen_is_missing_and_not_an_error() -> None:
    rows = panel(200)
    model = fit(rows, **KEYS)
    assert score(model, rows.head(3).with_columns(village=pl.lit("新村")))["score"].is_between(0, 1).all()


def test_scoring_without_a_feature_names_it() -> None:
    rows = panel(200)
    with pytest.raises(PanelError, match="illness"):
        score(fit(rows, **KEYS), rows.drop("illness"))


def test_features_that_say_nothing_are_left_out() -> None:
    rows = panel(200).with_columns(
        constant=pl.lit(1), empty=pl.lit(None, pl.Float64), card=pl.format("卡{}", pl.int_range(pl.len()))
    )
    found = evaluate(rows, **KEYS, split_period=202605)
    assert found.task["unused"] == ["card", "constant", "empty"]


def test_a_group_that_is_served_worse_is_marked() -> None:
    rows = panel(1500)
    deaf = rows.with_columns(
        seen=pl.when(pl.col("household") % 3 == 0).then(None).otherwise("illness"), half=pl.col("household") % 3 == 0
    )
    deaf = deaf.with_columns(entered=pl.when("half").then((pl.col("noise") > 1).cast(pl.Int8)).otherwise("entered"))
    found = evaluate(deaf, **KEYS, features=["income", "seen"], groups=["half"], split_period=202605)
    marks = {group["group"]: group["served_worse"] for group in found.groups}
    assert marks["true"] and not marks["false"]


ODD: dict[str, pl.Expr] = {
    "household": pl.format("户{}", pl.col("household")),  # ids as text
    "month": pl.date(pl.col("month") // 100, pl.col("month") % 100, 1),  # periods as dates
    "income": pl.when(pl.col("noise") > 2).then(float("inf")).when(pl.col("noise") < -2).then(float("nan")).otherwise("income"),
    "village": pl.when(pl.col("month") >= 202605).then(pl.lit("从未见过的村")).otherwise("village"),  # unseen in the test part
    "nobody": pl.lit(None),
    "constant": pl.lit(7),
    "code": pl.format("码{}", pl.col("household") * 31 % 500),  # a category of hundreds
    "rarely": pl.when(pl.col("household") == 3).then(pl.lit(1)),  # missing but for one household
}  # fmt: skip


def test_an_odd_panel_is_judged_all_the_same() -> None:
    rows = panel(400).with_columns(**ODD)
    rows = pl.concat([rows, rows.head(7)])  # and some rows twice
    found = evaluate(
        rows,
        **KEYS,
        groups=["disabled", "code"],
        split_period=date(2026, 5, 1),
        candidates=("logistic", "plain_boosting"),
    )
    assert (
        found.scores["score"].is_finite().all() and len(found.scores) == 800 + 2
    )  # two of the rows twice are of the test
    assert {"nobody", "constant"} <= set(found.task["unused"])
    json.loads(found.to_json())


def test_the_test_part_can_hold_what_training_never_saw_missing() -> None:
    rows = panel(400).with_columns(illness=pl.when(pl.col("month") >= 202605).then(None).otherwise("illness"))
    assert evaluate(rows, **KEYS, split_period=202605, candidates=("logistic",)).scores["score"].is_finite().all()


def test_with_little_data_the_model_comes_near_to_the_sorted_column() -> None:
    chance = np.random.default_rng(1)
    rows = panel(150, 4, seed=9).with_columns(**{f"noise_{n}": pl.Series(chance.normal(size=600)) for n in range(25)})
    found = evaluate(rows, **KEYS, income="income", split_period=202603, candidates=("logistic",))
    assert found.candidates["logistic"]["setting"].get("lead")
    assert found.metrics["pr_auc"] > found.baselines["income"]["pr_auc"] - 0.05


def test_first_entries_and_re_entries_are_told_apart() -> None:
    rows = panel(600)
    found = evaluate(rows, **KEYS, split_period=202605, candidates=("logistic",))
    first, again = found.entries["first"], found.entries["again"]
    assert first["rows"] + again["rows"] == found.split["test_rows"]
    assert first["positives"] + again["positives"] == found.split["test_positives"] and again["positives"] > 0
    named = evaluate(rows, **KEYS, split_period=202605, candidates=("logistic",), again="disabled")
    assert named.entries["again"]["rows"] == int(rows.filter(pl.col("month") >= 202605)["disabled"].sum())


def test_newer_periods_set_the_level_where_it_has_moved() -> None:
    chance = np.random.default_rng(2)
    raw, units = chance.normal(size=4000), np.arange(4000)
    y = (chance.random(4000) < 1 / (1 + np.exp(-(raw - 2)))).astype(float)
    late = (chance.random(4000) < 1 / (1 + np.exp(-(raw - 1)))).astype(float)
    calibrator = learn(raw - 2, y, units)
    moved = brought_up(calibrator, raw - 2, late)
    assert abs(moved(raw - 2).mean() - late.mean()) < 0.005 < abs(calibrator(raw - 2).mean() - late.mean())
    assert brought_up(calibrator, raw - 2, y) == calibrator  # no further off than chance
    assert brought_up(calibrator, raw[:50] - 2, np.ones(50)) == calibrator  # too few


def test_the_report_is_json_and_the_command_writes_it_with_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    panel(300).write_parquet(tmp_path / "panel.parquet")
    status = main([
        "model", "evaluate", "--panel", str(tmp_path / "panel.parquet"), "--id", "household", "--period", "month", "--label", "entered",
        "--features", "income,illness", "village", "--split-period", "202605", "-o", str(tmp_path / "r.json"), "--scores", str(tmp_path / "s.parquet"),
    ])  # fmt: skip
    told = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    scores = pl.read_parquet(tmp_path / "s.parquet")
    assert status == 0 and "采用" in capsys.readouterr().out
    assert set(told["candidates"]) == {"logistic", "additive_boosting", "shallow_boosting", "plain_boosting", "blend"}
    assert scores.columns == ["id", "period", "label", "score"] and len(scores) == told["split"]["test_rows"]
    assert average_precision(scores["label"].cast(pl.Float64).to_numpy(), scores["score"].to_numpy()) == pytest.approx(
        told["candidates"][told["chosen"]]["pr_auc"]
    )


@pytest.mark.parametrize(("name", "words"), [("panel.txt", "parquet"), ("none.parquet", "存在")])
def test_the_command_refuses_what_is_no_panel(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    (tmp_path / "panel.txt").write_text("x")
    status = main(
        [
            "model",
            "evaluate",
            "--panel",
            str(tmp_path / name),
            "--id",
            "a",
            "--period",
            "b",
            "--label",
            "c",
            "-o",
            str(tmp_path / "r.json"),
        ]
    )
    assert status == 2 and words in capsys.readouterr().err


scores = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=2, max_size=40)


@given(scores)
@settings(max_examples=60, deadline=None)
def test_pr_auc_is_scikit_learns_with_ties_and_the_list_never_finds_more_than_there_is(
    rows: list[tuple[int, int]],
) -> None:
    y, s = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows], float)
    if y.sum():
        assert average_precision(y, s) == pytest.approx(average_precision_score(y, s))
    top = at_length(y, s, 0.2)
    assert 0 <= top.found <= min(top.length, y.sum()) + 1e-9


@given(st.integers(0, 50), st.integers(0, 50))
@settings(max_examples=60, deadline=None)
def test_a_wilson_interval_holds_its_share(found: int, more: int) -> None:
    low, high = wilson(found, found + more)
    assert 0 <= low <= high <= 1
    if found + more:
        assert low <= found / (found + more) <= high


def test_calibration_keeps_the_order_and_mends_a_score_that_says_too_much() -> None:
    chance = np.random.default_rng(0)
    raw = chance.normal(size=6000)
    y = (chance.random(6000) < 1 / (1 + np.exp(-(0.5 * raw - 1.5)))).astype(float)
    calibrator = learn(raw * 3, y, np.arange(6000))
    p = calibrator(np.sort(raw * 3))
    assert (np.diff(p) >= 0).all() and abs(calibrator(raw * 3).mean() - y.mean()) < 0.01


def test_stability_is_nought_for_the_same_and_large_for_another_population() -> None:
    chance = np.random.default_rng(0)
    one, same, other = chance.normal(size=4000), chance.normal(size=4000), chance.normal(1.5, 1, 4000)
    assert stability(one, same) < 0.02 < 0.25 < stability(one, other)
    assert stability(one, np.full(500, np.nan)) > 0.25


def test_an_encoder_learns_rare_categories_together_and_shows_values_as_they_stood() -> None:
    frame = pl.DataFrame(
        {
            "k": ["甲"] * 6 + ["乙"] * 3 + [None],
            "n": [1.5] * 5 + [2.0] * 5,
            "d": [date(2026, 1, 1), date(2026, 1, 2)] * 5,
        }
    )
    encoder = Encoder.learn(frame, ["k", "n", "d"])
    matrix = encoder.matrix(frame)
    assert encoder.categorical == [True, False, False] and np.isnan(matrix[9, 0])
    assert (encoder.show("k", matrix[0, 0]), encoder.show("n", matrix[0, 1]), encoder.show("k", matrix[9, 0])) == (
        "甲",
        1.5,
        None,
    )
    assert matrix[1, 2] - matrix[0, 2] == 1


@pytest.mark.parametrize("yes, no", [("1", "0"), ("1.0", "0.0"), ("是", "否"), ("Yes", "no"), ("True", "False")])
def test_a_label_in_words_is_the_same_label(yes: str, no: str) -> None:
    frame = pl.DataFrame({"entered": [yes, no, "", None, f" {no} "]})
    assert labels(frame, "entered").to_list() == [1, 0, None, None, 0]
    assert labels(frame.cast(pl.Categorical), "entered").to_list() == [1, 0, None, None, 0]


def test_a_label_of_other_codes_is_refused_and_nan_is_missing() -> None:
    assert labels(pl.DataFrame({"y": [1.0, float("nan"), 0.0, None]}), "y").to_list() == [1, None, 0, None]
    for values in ([1, 0, -9], ["是", "也许"], [0.5, 1.0], [date(2026, 1, 1)]):
        with pytest.raises(PanelError, match="只能是 0、1"):
            labels(pl.DataFrame({"y": values}), "y")


@pytest.mark.parametrize(
    ("asked", "words"),
    [({"period": "household"}, "三个不同的列"), ({"horizon": -1}, "horizon"), ({"income": "village"}, "没有数字")],
)
def test_what_cannot_be_meant_is_refused_in_words(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(PanelError, match=words):
        evaluate(panel(20), **(KEYS | asked))


def test_numbers_beyond_single_precision_are_cut_off_not_refused() -> None:
    rows = panel(200).with_columns(vast=pl.col("illness") * 1e300)
    told = fit(rows, **KEYS, candidates=("logistic",))
    assert score(told, rows)["score"].is_finite().all()


@pytest.mark.parametrize("dtype", [pl.Date, pl.Datetime])
def test_a_day_splits_periods_that_are_days_or_instants(tmp_path: Path, dtype: Any) -> None:
    rows = panel(150).with_columns(month=pl.date(2026, pl.col("month") % 100, 1).cast(dtype))
    rows.write_parquet(tmp_path / "p.parquet")
    status = main([
        "model", "evaluate", "--panel", str(tmp_path / "p.parquet"), "--id", "household", "--period", "month", "--label", "entered",
        "--features", "income", "--split-period", "2026-05-01", "-o", str(tmp_path / "r.json"),
    ])  # fmt: skip
    assert (
        status in (0, 1) and json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["split"]["test_rows"] == 300
    )


def test_a_regression_with_more_columns_than_rows_is_solved() -> None:
    chance = np.random.default_rng(1)
    rows = panel(60).with_columns(
        **{f"noise_{n}": pl.Series(chance.normal(size=360)) for n in range(80)},
        **{f"code_{n}": pl.Series(chance.choice([f"c{k}" for k in range(20)], 360)) for n in range(40)},
    )
    made = fit(rows, **KEYS, candidates=("logistic",))
    pipeline: Any = made.pipeline
    assert pipeline.named_steps["model"].coef_.shape[1] < 2 * MANY_COLUMNS
    assert score(made, rows)["score"].is_finite().all()
