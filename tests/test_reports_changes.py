"""What changed between two runs: counted from the two months' files and from each run by itself, never by the same query."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from monitoring.access import Scope
from monitoring.pages.household import number_then
from monitoring.pair import Pair, published_before
from monitoring.queries import changes
from monitoring.warehouse import Publication, Published, Warehouse, publication
from tests.two_months import BEFORE, NOW, TwoMonths

CLEAR = Scope(masked=False)


@pytest.fixture(scope="module")
def pair(two_months: TwoMonths) -> Iterator[Pair]:
    opened = Pair(*two_months.files)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def runs(two_months: TwoMonths) -> Iterator[tuple[Warehouse, Warehouse]]:
    before, now = (Warehouse(file) for file in two_months.files)
    yield before, now
    before.close()
    now.close()


def members(warehouse: Warehouse, condition: str, column: str = "household_id") -> set[str]:
    return {row["h"] for row in warehouse.rows(f"select {column} as h from household_snapshot where {condition}")}


def test_in_the_later_run_every_household_has_another_key(runs: tuple[Warehouse, Warehouse]) -> None:
    """What all tests here rest on: who joined two runs by keys would find everything changed."""
    before, now = (dict(run.frame("select household_id, household_key from household").rows()) for run in runs)
    assert "H000" in now and "H000" not in before
    assert all(now[home] != key for home, key in before.items() if home in now)


def test_a_change_leads_to_the_household_in_the_later_run(pair: Pair, runs: tuple[Warehouse, Warehouse]) -> None:
    known = dict(runs[1].frame("select household_id, household_key from household").rows())
    rows = changes.changed(pair, CLEAR)
    assert rows.height and all(
        known.get(home) == key for home, key in rows.select("household_id", "household_key").rows()
    )


def test_a_link_of_an_earlier_run_means_the_household_that_had_its_key_then(two_months: TwoMonths) -> None:
    published = publication(two_months.home)
    earlier, later = published.run_of(BEFORE), published.run_of(NOW)
    key = Warehouse(earlier.path).row("select household_key from household where household_id = 'H105'")[
        "household_key"
    ]
    view: Any = SimpleNamespace(county=SimpleNamespace(run=later.run), published=published, scope=CLEAR)
    assert number_then(view, f"k{key}@{earlier.run}") == "H105"
    view.scope = Scope(townships=("乙镇",))
    assert number_then(view, f"k{key}@{earlier.run}") is None
    assert [number_then(view, link) for link in (f"k{key}@{later.run}", f"k{key}@2020-01-0-1", f"k{key}", "H105")] == [
        None
    ] * 4


def told(pair: Pair, measure: str, direction: str, scope: Scope = CLEAR) -> set[str]:
    rows, total = changes.pick(changes.changed(pair, scope), measure, direction, size=1000)
    assert rows.height == total
    return set(rows["household_id"])


@pytest.mark.parametrize("measure", [name for name in changes.MEASURES if name != "alert"])
def test_who_entered_and_left_is_the_difference_of_the_two_runs(
    pair: Pair, runs: tuple[Warehouse, Warehouse], measure: str
) -> None:
    inside = changes.MEASURES[measure][1]
    before, now = (members(run, f"({inside}) is true") for run in runs)
    out_before, out_now = (members(run, f"({inside}) is false") for run in runs)
    every = [members(run, "true") for run in runs]
    assert told(pair, measure, "entered") == (now & out_before) | (now - every[0])
    assert told(pair, measure, "left") == (before & out_now) | (before - every[1])
    unsure = [members(run, f"({inside}) is null") for run in runs]
    assert told(pair, measure, "unknown") == unsure[1] - unsure[0]
    assert told(pair, measure, "known") == unsure[0] & (every[1] - unsure[1])


def test_alert_levels_rise_and_fall_by_the_worst_signal(pair: Pair, runs: tuple[Warehouse, Warehouse]) -> None:
    worst = [
        {row["h"]: row["n"] for row in run.rows("select household_id as h, min(level_order) as n from signal where household_key is not null group by household_id")}
        for run in runs
    ]  # fmt: skip
    before, now = worst
    assert (
        told(pair, "alert", "entered") == now.keys() - before.keys()
        and told(pair, "alert", "left") == before.keys() - now.keys()
    )
    assert told(pair, "alert", "rose") == {h for h in now if h in before and now[h] < before[h]}
    assert told(pair, "alert", "fell") == {h for h in now if h in before and now[h] > before[h]}
    assert told(pair, "alert", "entered")  # the flooded house at least


def test_amounts_rise_and_fall_as_the_files_say(pair: Pair) -> None:
    assert told(pair, "dibao", "rose") == {"H101"} and told(pair, "dibao", "fell") == {"H102"}
    assert {"H103", "H104"} <= told(pair, "dibao", "left") and {"H112", "H212"} <= told(pair, "dibao", "entered")


def test_the_tally_counts_what_the_lists_list(pair: Pair) -> None:
    frame = changes.changed(pair, CLEAR)
    counted = changes.tally(frame)
    assert counted["measure"].to_list() == list(changes.MEASURES)
    for row in counted.to_dicts():
        for direction in changes.DIRECTIONS:
            assert row[direction] == changes.pick(frame, row["measure"], direction)[1]


def test_why_says_the_fact_that_changed_or_that_none_was_found(pair: Pair) -> None:
    frame = changes.changed(pair, CLEAR)
    why = {
        (row["measure"], row["household_id"]): [text for text, _ in changes.why(row)]
        for row in frame.to_dicts()
    }  # fmt: skip
    assert "台账写明终止：{day}" in why["dibao", "H103"]
    assert why["tekun", "H205"] == ["台账写明开始：{day}"]
    died = [texts for (_, house), texts in why.items() if house == "H106"]
    assert all("成员死亡 {n} 人" in texts and "家庭人口 {before} → {now}" in texts for texts in died)
    assert all(texts for texts in why.values())
    came = {row["household_id"]: changes.rules_of(row)[0] for row in frame.to_dicts() if row["measure"] == "alert"}
    assert any("DISASTER" in rule for rule in came["H210"])


def test_a_household_without_any_changed_fact_is_told_so() -> None:
    row: dict[str, Any] = {f"{name}_{when}": None for name in changes._FACTS for when in ("before", "now")}
    row |= {"new_household": False, "gone": False, "moved": False, "measure": "alert"}
    assert changes.why(row) == [("没有找到变化的事实：原因不明，请核对台账", {})]


def test_changes_are_limited_to_places_and_masked(pair: Pair) -> None:
    here = changes.changed(pair, Scope(allowed=(("甲镇", None),)))
    assert set(here["township"]) == {"甲镇"} and all(name.endswith("**") for name in here["name"].drop_nulls())
    assert told(pair, "dibao", "left", Scope(townships=("乙镇",))) <= told(pair, "dibao", "left")
    assert not [
        house for house in changes.changed(pair, Scope())["household_id"].drop_nulls() if house.startswith("U-")
    ]


def test_the_same_run_beside_itself_has_not_changed(two_months: TwoMonths) -> None:
    file = two_months.files[1]
    same = Pair(file, file)
    assert changes.changed(same, CLEAR).is_empty()
    assert changes.runs(same, CLEAR).rules == () and changes.runs(same, CLEAR).parameters == ()
    same.close()


def test_rules_and_parameters_that_are_others_are_told(pair: Pair) -> None:
    found = changes.runs(pair, CLEAR)
    assert (found.before, found.now, found.packs) == (BEFORE, NOW, ("national-2020", "national-2020"))
    assert set(changes.rule_titles(pair, CLEAR)) >= {"GAP-DIBAO", "RISK-DISASTER"}


def test_the_period_before_is_the_last_one_that_is_published() -> None:
    from pathlib import Path

    published = Publication("2026-11", tuple(Published(p, p, Path(p)) for p in ("2026-11", "2026-09", "2026-08")))
    before = published_before(published, "2026-11")
    assert before is not None and before.period == "2026-09" and published_before(published, "2026-08") is None


def test_a_pair_can_be_neither_written_nor_opened_further(pair: Pair) -> None:
    import duckdb

    for attack in ("delete from later.run", "attach '/tmp/x.duckdb'", "copy later.run to '/tmp/x.csv'"):
        with pytest.raises(duckdb.Error):
            pair.rows(attack)
