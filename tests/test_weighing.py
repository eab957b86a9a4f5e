"""Weights: who is as good as certain is right, faults of the field are seen through, twins are not, and files come out alike."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from benchmarks.linkage.county import Truth, make_truth
from benchmarks.linkage.measures import cascade, score
from monitoring.linking import words
from monitoring.linking.weights import weights_of
from pipelines.weighing import tidy, weigh
from pipelines.weighing.bands import ranked
from pipelines.weighing.model import COMPARED, LEVELS, MODEL
from pipelines.weighing.scoring import weigh_persons, weigh_rows
from pipelines.weighing.words import spelled

HOME = {"sex": "女", "phone": "12800000001", "township": "青石镇", "village": "上寨村", "number": None}
BORN = date(1985, 3, 7)


def record(key: int, name: str, **other: object) -> dict[str, object]:
    return {"unique_id": key, "name": name, "birth_date": BORN, **HOME, **other}


PERSONS = [
    record(1, "李晓燕", number="500999198503070021"),
    record(2, "王建国", sex="男", birth_date=date(1962, 11, 4), phone="12800000002", number="500999196211040019"),
    record(3, "陈小红", birth_date=date(2015, 5, 9), phone="12800000003", number="500999201505090023"),
    record(4, "陈小明", birth_date=date(2015, 5, 9), phone="12800000003", number="500999201505090047"),
]
ASKED = {  # row -> the person whom it means; None: somebody else
    11: (record(11, "李小艳"), 1),  # all characters but the surname are other ones with the same sound
    12: (record(12, "王建国", sex="男", birth_date=date(1962, 4, 11), phone=None), 2),  # day and month swapped
    13: (record(13, "王建国", sex="男", birth_date=date(1962, 11, 4), phone="12800000002", township="河口街道", village="码头社区"), 2),
    14: (record(14, "陈小刚", birth_date=date(2015, 5, 9), phone="12800000003"), None),  # a third of the twins, not registered
}  # fmt: skip
KINDS = {"unique_id": pl.Int64, "birth_date": pl.Date, "number": pl.String, "phone": pl.String}


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema_overrides=KINDS)


@pytest.fixture(scope="module")
def truth() -> Truth:
    return make_truth(4_000, 1_500, 0.1, seed=11)


@pytest.fixture(scope="module")
def weighed(truth: Truth) -> pl.DataFrame:
    """Made-up rows and the four by hand against all persons, in one call: Splink is slow to begin."""
    far = pl.lit(1_000_000)
    rows = pl.concat(
        [
            truth.rows.with_columns(pl.col("unique_id") + far),
            frame([row for row, _ in ASKED.values()]).select(truth.rows.columns),
        ]
    )
    persons = pl.concat(
        [truth.persons.with_columns(pl.col("unique_id") + far), frame(PERSONS).select(truth.persons.columns)]
    )
    return ranked(weigh_rows(rows, persons), "row_id", "person_id")  # fmt: skip


def test_the_nearly_certain_are_right_and_go_beyond_the_exact_steps(truth: Truth, weighed: pl.DataFrame) -> None:
    made = weighed.filter(pl.col("row_id") >= 1_000_000).with_columns(pl.col("row_id", "person_id") - 1_000_000)
    sure = made.filter(pl.col("band") == "sure")
    assert score(sure, truth.who).precision >= 0.999
    exact = cascade(truth.rows, truth.persons)
    assert score(sure.join(exact, on="row_id", how="anti"), truth.who).right > 50
    best = score(made.filter((pl.col("rank") == 1) & (pl.col("probability") >= 0.5)), truth.who)
    assert best.f1 > score(exact, truth.who).f1 + 0.05 and best.precision > 0.99


def test_homophones_swapped_dates_and_moves_find_their_person(weighed: pl.DataFrame) -> None:
    best = {row: person for row, person, rank in weighed.select("row_id", "person_id", "rank").rows() if rank == 1}
    assert {row: best.get(row) for row, (_, person) in ASKED.items() if person} == {11: 1, 12: 2, 13: 2}
    levels = {row["row_id"]: row for row in weighed.filter(pl.col("rank") == 1).to_dicts()}
    assert levels[11]["name_level"] == words.LEVELS["name"].index("同音字")
    assert levels[12]["birth_level"] == words.LEVELS["birth"].index("月和日颠倒")
    assert levels[13]["place_level"] == words.LEVELS["place"].index("地方不同") and levels[13]["place_weight"] < 0


def test_a_twin_is_never_as_good_as_certain(weighed: pl.DataFrame) -> None:
    found = weighed.filter(pl.col("row_id") == 14)
    assert set(found["person_id"]) >= {3, 4} and "sure" not in set(found["band"])


def test_weights_add_up_to_the_whole(weighed: pl.DataFrame) -> None:
    parts = pl.sum_horizontal(f"{word}_weight" for word in COMPARED)
    prior = weighed.select(pl.col("weight") - parts)["weight"].to_list()
    assert max(prior) - min(prior) < 0.2  # the prior is one for all; the rest is rounding


def test_a_person_with_two_numbers_is_found_and_twins_are_not() -> None:
    double = record(5, "李晓燕", number="500999198503070047")
    found = weigh_persons(frame([*PERSONS, double]).with_columns(number=pl.lit(None, pl.String)), least=0.5)
    assert found.select("person_id", "other_id").rows() == [(1, 5)]


def test_the_words_the_levels_and_the_kept_model_are_of_one_kind() -> None:
    kept = {
        one["output_column_name"]: one["comparison_levels"]
        for one in json.loads(MODEL.read_text("utf-8"))["comparisons"]
    }
    assert list(kept) == list(COMPARED) == list(words.COMPARED) == list(LEVELS) == list(words.LEVELS)
    for word, levels in kept.items():
        assert len(levels) - 1 == len(LEVELS[word]) == len(words.LEVELS[word]), word
        assert [level["sql_condition"] for level in levels[1:]] == [condition for condition, _ in LEVELS[word]]
        assert all("m_probability" in level and "u_probability" in level for level in levels[1:]), word


def test_names_are_read_aloud_and_numbers_that_say_nothing_are_not_compared() -> None:
    rows = frame(
        [
            record(1, "李晓燕", number="5.00999E+17"),
            record(2, "冷思", number="'500999198503070021"),
            record(3, "仇", birth_date=None),
        ]
    )
    told = spelled(rows)
    assert told["pinyin"].to_list()[0] == "li xiao yan" and told["sound"].to_list()[1] == "len si".replace(
        "n s", "n s"
    ).replace("len", "len")
    assert told["number"].to_list() == [None, "500999198503070021", None]
    assert told["birth_key"].to_list() == ["19850307", "19850307", None] and told["character_3"].to_list()[1:] == [
        None,
        None,
    ]


def test_a_run_is_weighed_into_files_and_the_second_time_into_the_same(published_home: Path, tmp_path: Path) -> None:
    from monitoring.warehouse import publication

    run = publication(published_home).run_of(None)
    file = Path(shutil.copy(run.path, tmp_path / "run.duckdb"))  # others in this process hold it open, locked
    done = weigh(tmp_path, run.run, file, lambda _: None)
    found = weights_of(tmp_path, run.run)
    assert found is not None and done.waiting > 0 and found.rows["key"].n_unique() > 0
    assert done.doubles == found.persons.height and found.rows["rank"].max() is not None
    (tmp_path / "linkage" / "pruned").mkdir()
    tidy(tmp_path, {run.run})
    before = {path.name: path.read_bytes() for path in (tmp_path / "linkage" / run.run).iterdir()}
    weigh(tmp_path, run.run, file, lambda _: None)
    assert {path.name: path.read_bytes() for path in (tmp_path / "linkage" / run.run).iterdir()} == before
    assert [path.name for path in (tmp_path / "linkage").iterdir()] == [run.run]
