"""What is held for a person: deliveries that shrink or go blank, at the edges, and what is only late or has few rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest

from monitoring.feeds import load_feeds
from pipelines.run.deliveries import Delivery
from pipelines.run.holding import reasons_to_hold

FEEDS = load_feeds()
Rows = Mapping[str, int]  # of a township; "" is rows that name none
Deliver = Callable[..., Delivery]


@pytest.fixture
def deliver(tmp_path: Path) -> Deliver:
    """Writes the next month's delivery of one feed: files, each a number of rows by township, `income` filled in so many."""
    made: list[Path] = []

    def write(*files: Rows, feed: str = "dibao", income: int | None = None) -> Delivery:
        made.append(tmp_path / str(len(made)))
        made[-1].mkdir()
        rows = [
            {"part": part, "township": town or None, "name": f"{town}{n}", "income_per_head_month": 300.0 if income is None or n < income else None}
            for part, file in enumerate(files) for town, count in file.items() for n in range(count)
        ]  # fmt: skip
        schema = {"part": pl.Int32, "township": pl.String, "name": pl.String, "income_per_head_month": pl.Float64}
        pl.DataFrame(rows, schema).write_parquet(made[-1] / f"{feed}.parquet")
        return Delivery(202600 + len(made), made[-1], frozenset({feed}))

    return write


def held(*deliveries: Delivery) -> list[str]:
    """The reasons to hold the last of these, without the feed's name before them."""
    return [r.partition("：")[2] for r in reasons_to_hold(FEEDS, deliveries[:-1], deliveries[-1])]


# -- a tenth of the rows -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "is_held"), [(20, 19, False), (20, 18, True), (19, 17, False), (19, 0, False)]
)
def test_a_tenth_of_twenty_rows_is_held_and_of_fewer_is_not(deliver: Deliver, before: int, now: int, is_held: bool):
    county = deliver({"": before}, feed="vehicles"), deliver({"": now}, feed="vehicles")
    assert bool(held(*county)) is is_held


@pytest.mark.parametrize(("now", "is_held"), [(46, False), (45, True), (44, True), (1, True)])
@pytest.mark.parametrize("more", [{}, {"乙镇": 60}, {"": 60}, {"乙镇": 30, "": 30}])
def test_a_township_that_shrinks_is_held_whatever_else_the_delivery_has(
    deliver: Deliver, now: int, is_held: bool, more: Rows
):
    """Of 50 rows 45 are a tenth fewer; neither a new township nor rows that name none make up for them."""
    told = held(deliver({"甲镇": 50}), deliver({"甲镇": now, **more}))
    assert told == [f"甲镇 上次 50 行，这次 {now} 行，减少 {(50 - now) / 50:.0%}"] * is_held


@pytest.mark.parametrize(("before", "now", "is_held"), [(10, 9, False), (10, 8, True), (9, 7, False), (9, 1, False)])
def test_of_the_townships_that_occur_both_times_a_tenth_of_twenty_rows_is_held(
    deliver: Deliver, before: int, now: int, is_held: bool
):
    """Beside ten rows that stay; what 丙镇 brings is new."""
    told = held(deliver({"甲镇": 10, "乙镇": before}), deliver({"甲镇": 10, "乙镇": now, "丙镇": 50}))
    assert told == ["两次都有的乡镇上次 20 行，这次 18 行，减少 10%"] * is_held


def test_rows_that_name_no_township_do_not_hide_that_one_shrinks(deliver: Deliver):
    before = deliver({"甲镇": 100, "": 50})
    assert "甲镇 上次 100 行，这次 50 行，减少 50%" in held(before, deliver({"甲镇": 50, "": 50}))
    assert "甲镇 上次 100 行，这次 50 行，减少 50%" in held(before, deliver({"甲镇": 50, "": 100}))
    assert held(before, deliver({"甲镇": 100, "": 45})) == []  # 145 of 150
    assert held(before, deliver({"甲镇": 100, "": 35})) == ["上次 150 行，这次 135 行，减少 10%"]
    assert held(before, deliver({"甲镇": 148, "": 2})) == []  # the township was filled in
    assert held(before, deliver({"甲镇": 100, "乙镇": 40, "": 10})) == []  # another one was
    assert held(before, deliver({"甲镇": 100})) == []  # of the others nothing was said: they stand as they were


def test_one_of_many_townships_that_falls_to_nearly_nothing_is_held(deliver: Deliver):
    """Of 1,200 rows 1,101 are no tenth fewer."""
    towns = {f"{n}镇": 100 for n in range(1, 13)}
    assert held(deliver(towns), deliver({**towns, "7镇": 1})) == ["7镇 上次 100 行，这次 1 行，减少 99%"]
    assert held(deliver(towns), deliver(towns)) == []


@pytest.mark.parametrize(
    ("before", "now", "is_held"),
    [
        (20, 10, True), (20, 11, False), (19, 9, False), (19, 1, False), (50, 45, False), (50, 26, False), (50, 25, True), (50, 24, True),
    ],
)  # fmt: skip
def test_of_one_township_among_others_half_of_twenty_rows_must_be_gone(
    deliver: Deliver, before: int, now: int, is_held: bool
):
    """That a tenth ends in one township is its month's business."""
    others = {"乙镇": 200, "丙镇": 200}
    told = held(deliver({"甲镇": before, **others}), deliver({"甲镇": now, **others}))
    assert told == ([f"甲镇 上次 {before} 行，这次 {now} 行，减少 {(before - now) / before:.0%}"] if is_held else [])


def test_few_rows_gone_in_every_township_are_a_tenth_of_the_county(deliver: Deliver):
    before, now = ({f"{n}镇": rows for n in range(12)} for rows in (10, 9))
    assert held(deliver(before), deliver(now)) == ["上次 120 行，这次 108 行，减少 10%"]
    assert held(deliver(before), deliver({**now, "新镇": 12})) == ["两次都有的乡镇上次 120 行，这次 108 行，减少 10%"]
    assert held(deliver(before), deliver({**now, "0镇": 10})) == []


def test_a_township_is_compared_with_the_last_delivery_that_held_it(deliver: Deliver):
    first, between = deliver({"甲镇": 100, "乙镇": 100}), deliver({"乙镇": 100})
    assert held(first, between) == []  # 甲镇 is late, which is another matter
    assert "甲镇 上次 100 行，这次 50 行，减少 50%" in held(first, between, deliver({"甲镇": 50}))
    accepted = deliver({"甲镇": 50, "乙镇": 100})
    assert held(first, between, accepted, deliver({"甲镇": 46, "乙镇": 100})) == []


def test_a_delivery_that_names_no_township_is_the_countys_and_compared_with_the_countys(deliver: Deliver):
    named, unnamed = deliver({"甲镇": 50, "乙镇": 50}), deliver({"": 100})
    assert held(named, unnamed) == []
    assert held(named, deliver({"": 90})) == ["上次 100 行，这次 90 行，减少 10%"]
    assert held(named, unnamed, deliver({"": 100})) == []  # and not with both of them together
    assert held(named, unnamed, deliver({"": 90})) == ["上次 100 行，这次 90 行，减少 10%"]
    assert held(unnamed, deliver({"甲镇": 40}), deliver({"": 100})) == []
    assert held(unnamed, deliver({"甲镇": 46, "乙镇": 45})) == []
    assert held(unnamed, deliver({"甲镇": 45, "乙镇": 45})) == ["上次 100 行，这次 90 行，减少 10%"]
    assert held(unnamed, unnamed, deliver({"甲镇": 50, "": 3})) == []  # one township alone: the others are late
    assert held(deliver({"": 120}), unnamed, deliver({"": 100})) == []
    both = deliver({"甲镇": 60, "乙镇": 60})
    assert held(unnamed, both, deliver({"": 100})) == ["上次 120 行，这次 100 行，减少 17%"]


# -- gone blank ----------------------------------------------------------------------------------------------------


def test_a_township_left_out_of_the_countys_file_is_missed_whatever_came_in_between(deliver: Deliver):
    county = deliver({"甲镇": 20, "乙镇": 20, "丙镇": 20})
    without = deliver({"甲镇": 20, "乙镇": 20})
    told = ["丙镇 上次有 20 行，这次全县文件里一行也没有"]
    assert held(county, without) == told
    assert held(county, deliver({"甲镇": 20}), without) == told
    assert held(county, deliver({"丙镇": 18}), without) == ["丙镇 上次有 18 行，这次全县文件里一行也没有"]


def test_a_township_whose_leaving_was_accepted_is_not_missed_again(deliver: Deliver):
    county, without = deliver({"甲镇": 20, "乙镇": 20, "丙镇": 20}), deliver({"甲镇": 20, "乙镇": 20})
    assert held(county, without, without) == []


def test_a_township_is_missed_only_where_several_came_together_with_it(deliver: Deliver):
    county = deliver({"甲镇": 20, "乙镇": 20})
    assert held(county, deliver({"丙镇": 20}), county) == []  # 丙镇 handed in once by itself, and is late
    of_their_own = deliver({"甲镇": 20}, {"乙镇": 20}, {"丙镇": 20})
    assert held(of_their_own, county) == ["丙镇 上次有 20 行，这次全县文件里一行也没有"]
    assert held(of_their_own, deliver({"甲镇": 20}, {"乙镇": 20})) == []  # each for itself: 丙镇 is late


def test_a_township_file_with_rows_that_name_none_covers_one_township(deliver: Deliver):
    assert held(deliver({"甲镇": 20, "乙镇": 20}), deliver({"甲镇": 20, "": 1})) == []


@pytest.mark.parametrize(("rows", "is_held"), [(18, False), (19, True)])
def test_of_fewer_than_twenty_rows_in_the_county_a_township_without_any_is_not_missed(
    deliver: Deliver, rows: int, is_held: bool
):
    before = deliver({"甲镇": rows - 9, "乙镇": 9, "丙镇": 1})
    assert bool(held(before, deliver({"甲镇": rows - 9, "乙镇": 9}))) is is_held


@pytest.mark.parametrize(("filled", "is_held"), [(4, False), (5, True), (10, True)])
def test_a_column_that_was_half_filled_in_a_township_and_now_is_blank_is_held(
    deliver: Deliver, filled: int, is_held: bool
):
    towns = {"甲镇": 10, "乙镇": 10}
    told = held(deliver(towns, income=filled), deliver(towns, income=0))
    assert (
        told == [f"{t} 的“家庭月人均收入”上次有 {filled * 10}% 填写，这次全部空白" for t in ("乙镇", "甲镇")] * is_held
    )
    assert held(deliver(towns, income=filled), deliver(towns, income=1)) == []


@pytest.mark.parametrize(
    ("before", "now", "is_held"), [(5, 5, True), (4, 5, False), (5, 4, False), (5, 1, False), (8, 4, False)]
)
def test_a_blank_column_of_fewer_than_five_rows_says_nothing(deliver: Deliver, before: int, now: int, is_held: bool):
    others = {"乙镇": 9}
    blank = held(deliver({"甲镇": before, **others}), deliver({"甲镇": now}, income=0))
    assert any("空白" in reason for reason in blank) is is_held


def test_a_blank_column_is_compared_with_the_last_delivery_that_held_the_township(deliver: Deliver):
    first, between = deliver({"甲镇": 10, "乙镇": 10}), deliver({"乙镇": 10}, income=0)
    assert held(first, between, deliver({"甲镇": 10}, income=0)) == [
        "甲镇 的“家庭月人均收入”上次有 100% 填写，这次全部空白"
    ]
