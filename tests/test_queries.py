"""Every figure of the pages equals an independent count; scope and masking hold in every query.

The counts are made here with polars over whole tables, the queries count in SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from monitoring.access import Scope
from monitoring.checklist import SETS
from monitoring.labels import FROM_CHECK
from monitoring.language import Language
from monitoring.queries import (
    alerts,
    balances,
    checklist,
    coverage,
    household,
    income,
    overview,
    places,
    points,
    registers,
    sources,
    verdicts,
)
from monitoring.queries.alerts import Wanted
from monitoring.queries.programmes import PROGRAMMES
from monitoring.warehouse import Warehouse

ALL = Wanted()
WHOLE_NUMBER = re.compile(r"(?<![0-9])[0-9]{17}[0-9Xx](?![0-9])")


def table(warehouse: Warehouse, name: str) -> pl.DataFrame:
    return warehouse.frame(f"select * from {name}")


@pytest.fixture(scope="session")
def signal(warehouse: Warehouse) -> pl.DataFrame:
    return table(warehouse, "signal")


@pytest.fixture(scope="session")
def homes(warehouse: Warehouse) -> pl.DataFrame:
    return table(warehouse, "household_snapshot")


@pytest.fixture(scope="session")
def people(warehouse: Warehouse) -> pl.DataFrame:
    return table(warehouse, "person_snapshot")


@pytest.fixture(scope="session")
def townships(warehouse: Warehouse) -> list[str | None]:
    return places.townships(warehouse)


def busiest(signal: pl.DataFrame) -> str:
    return str(signal.drop_nulls("township")["township"].mode().sort()[0])


def test_overview_counts_what_the_tables_hold(
    warehouse: Warehouse, county: Scope, signal: pl.DataFrame, homes: pl.DataFrame
) -> None:
    found = overview.overview(warehouse, county)
    assert found["alerts"].value == signal["household_key"].drop_nulls().n_unique()
    assert found["red"].value == signal.filter(pl.col("level") == "red")["household_key"].drop_nulls().n_unique()
    assert found["gap"].value == signal.filter(pl.col("kind") == "gap")["household_key"].drop_nulls().n_unique()
    assert (found["households"].value, found["income_unknown"].value) == (
        homes.height,
        homes.filter(~pl.col("income_known")).height,
    )


def test_township_table_adds_up_to_the_county(
    warehouse: Warehouse, county: Scope, signal: pl.DataFrame, homes: pl.DataFrame
) -> None:
    rows = overview.township_table(warehouse, county)
    assert rows["households"].sum() == homes.height
    assert rows["income_unknown"].sum() == homes.filter(~pl.col("income_known")).height
    judged = signal.filter(pl.col("household_key").is_in(homes["household_key"].implode()))
    assert rows["red"].sum() >= judged.filter(pl.col("level") == "red")["household_key"].n_unique()
    assert rows["place"].n_unique() == rows.height


def test_a_scope_shows_its_places_and_nothing_else(
    warehouse: Warehouse, signal: pl.DataFrame, townships: list[str | None]
) -> None:
    whole = alerts.totals(warehouse, Scope())
    parts = [alerts.totals(warehouse, Scope(townships=(name,))) for name in [*townships, None]]
    assert whole["signals"] == signal.height
    named = [
        alerts.totals(warehouse, Scope(townships=(name,)))["signals"] for name in dict.fromkeys([*townships, None])
    ]
    assert sum(named) == whole["signals"]
    assert all(part["signals"] <= whole["signals"] for part in parts)
    town = busiest(signal)
    for row in alerts.alert_page(warehouse, Scope(townships=(town,))).rows.to_dicts():
        assert row["township"] == town


def test_a_village_is_named_with_its_township(warehouse: Warehouse, homes: pl.DataFrame) -> None:
    town, village = homes.drop_nulls(["township", "village"]).select("township", "village").row(0)
    found = overview.overview(warehouse, Scope(villages=((town, village),)))
    there = homes.filter((pl.col("township") == town) & (pl.col("village") == village))
    assert found["households"].value == there.height > 0
    assert overview.overview(warehouse, Scope(villages=(("没有这个镇", village),)))["households"].value == 0


def test_an_empty_scope_shows_nothing(warehouse: Warehouse) -> None:
    assert alerts.totals(warehouse, Scope(townships=()))["signals"] == 0


def all_pages(warehouse: Warehouse, scope: Scope, wanted: Wanted = ALL) -> Iterator[dict[str, Any]]:
    first = alerts.alert_page(warehouse, scope, wanted)
    for page in range(1, first.pages + 1):
        yield from alerts.alert_page(warehouse, scope, wanted, page).rows.to_dicts()


def test_every_signal_stands_in_exactly_one_alert(warehouse: Warehouse, county: Scope, signal: pl.DataFrame) -> None:
    rows = list(all_pages(warehouse, county))
    assert sum(row["signals"] for row in rows) == signal.height
    assert len({row["alert"] for row in rows}) == len(rows) == alerts.totals(warehouse, county)["alerts"]
    assert {row["household_key"] for row in rows if row["household_key"] is not None} == set(
        signal["household_key"].drop_nulls().to_list()
    )


def test_alerts_come_by_level_then_signals_then_due_date(warehouse: Warehouse, county: Scope) -> None:
    order = [
        (row["level_order"], -row["signals"], row["due_date"] is None, row["due_date"])
        for row in all_pages(warehouse, county)
    ]
    assert order == sorted(order, key=lambda key: (*key[:3], str(key[3])))


@pytest.mark.parametrize("level", ["red", "orange", "yellow"])
def test_the_level_filter_keeps_alerts_with_such_a_signal(
    warehouse: Warehouse, county: Scope, signal: pl.DataFrame, level: str
) -> None:
    found = alerts.alert_page(warehouse, county, Wanted(levels=(level,))).total
    having = signal.filter(pl.col("level") == level)
    assert having["household_key"].drop_nulls().n_unique() <= found <= having.height
    assert 0 < found < alerts.totals(warehouse, county)["alerts"]


def test_kind_rule_and_text_filters_change_the_result(
    warehouse: Warehouse, county: Scope, signal: pl.DataFrame
) -> None:
    whole = alerts.totals(warehouse, county)["alerts"]
    rule = signal["rule"].mode().sort()[0]
    by_rule = alerts.alert_page(warehouse, county, Wanted(rule=rule))
    assert 0 < by_rule.total < whole
    assert all(rule in row["rules"] for row in by_rule.rows.to_dicts())
    assert 0 < alerts.alert_page(warehouse, county, Wanted(kinds=("data",))).total < whole
    one = signal.drop_nulls("id_number").row(0, named=True)
    for text in (one["name"], one["id_number"][-4:], one["id_number"][-4:].lower()):
        found = alerts.alert_page(warehouse, county, Wanted(text=f" {text} "))
        assert 0 < found.total < whole
    keys = {row["household_key"] for row in all_pages(warehouse, county, Wanted(text=one["id_number"]))}
    assert one["household_key"] in keys
    assert alerts.alert_page(warehouse, county, Wanted(text="' or 1=1 --")).total == 0
    assert alerts.alert_page(warehouse, county, Wanted(text="12")).total == 0


def test_an_alert_of_no_household_has_its_signals(warehouse: Warehouse, county: Scope, signal: pl.DataFrame) -> None:
    for row in all_pages(warehouse, county):
        if row["household_key"] is None:
            assert len(alerts.signals_of(warehouse, county, row["alert"])) == row["signals"]


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list | tuple | set):
        for inner in value:
            yield from texts_in(inner)
    elif isinstance(value, pl.DataFrame):
        yield from texts_in(value.to_dicts())
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from texts_in(getattr(value, name))


def shown_to(warehouse: Warehouse, scope: Scope, keys: list[int]) -> Iterator[Any]:
    """What the pages show of some households, and their lists."""
    yield alerts.alert_page(warehouse, scope)
    for key in keys:
        yield from (
            household.household(warehouse, scope, key), household.members(warehouse, scope, key),
            household.programmes(warehouse, scope, key), household.payments(warehouse, scope, key),
            household.visits(warehouse, scope, key), household.origins(warehouse, scope, key),
            alerts.signals_of(warehouse, scope, key),
        )  # fmt: skip
    for programme in PROGRAMMES:
        yield coverage.programme_list(warehouse, scope, programme.key, "gap")
    for item in SETS:
        yield checklist.members(warehouse, scope, item.number, "missing")
    yield from (
        sources.quarantine(warehouse, scope),
        sources.link_review(warehouse, scope),
        sources.value_issues(warehouse, scope),
    )


def some_keys(signal: pl.DataFrame, homes: pl.DataFrame) -> list[int]:
    worst = (
        signal.drop_nulls("household_key")
        .group_by("household_key")
        .len()
        .sort(["len", "household_key"], descending=True)
    )
    strange = homes.filter(~pl.col("registered"))["household_key"].to_list()
    return [*worst["household_key"].head(8).to_list(), *strange[:2]]


def test_a_masked_viewer_sees_no_number_and_no_full_name(
    warehouse: Warehouse, county: Scope, signal: pl.DataFrame, homes: pl.DataFrame, people: pl.DataFrame
) -> None:
    keys = some_keys(signal, homes)
    numbers = set(people["number"].drop_nulls().to_list())
    names = {name for name in people.filter(pl.col("household_key").is_in(keys))["name"].drop_nulls() if len(name) > 2}
    seen = [text for shown in shown_to(warehouse, county, keys) for text in texts_in(shown)]
    assert len(seen) > 500
    assert not [text for text in seen if set(WHOLE_NUMBER.findall(text)) & numbers]
    own = [text for shown in (household.members(warehouse, county, key) for key in keys) for text in texts_in(shown)]
    assert not [text for text in own if text in names]
    assert any("********" in text for text in seen) and any(text.endswith("**") for text in own)


def test_an_unmasked_viewer_sees_them(
    warehouse: Warehouse, signal: pl.DataFrame, homes: pl.DataFrame, people: pl.DataFrame
) -> None:
    key = some_keys(signal, homes)[0]
    shown = household.members(warehouse, Scope(masked=False), key)
    expected = people.filter((pl.col("household_key") == key) & pl.col("number").is_not_null())["number"].to_list()
    assert set(expected) <= set(shown["number"].to_list())


def test_a_link_never_holds_an_identity_number(warehouse: Warehouse, homes: pl.DataFrame) -> None:
    run = warehouse.row("select run_id from run")["run_id"]
    made = pl.col("household_id").str.starts_with("U-")
    named, strange = homes.filter(~made).row(0, named=True), homes.filter(made).row(0, named=True)
    assert household.link_id(named["household_id"], named["household_key"], run) == named["household_id"]
    assert household.find(warehouse, Scope(), named["household_id"]) == named["household_key"]
    link = household.link_id(strange["household_id"], strange["household_key"], run)
    assert link == f"k{strange['household_key']}@{run}" and household.link_id(None, None, run) is None
    assert household.find(warehouse, Scope(), link) == strange["household_key"]


def test_a_link_of_another_run_never_finds_the_household_that_has_its_key_now(warehouse: Warehouse, homes: pl.DataFrame) -> None:  # fmt: skip
    key = homes["household_key"][0]
    assert household.find(warehouse, Scope(), f"k{key}@2020-01-0-1") is None
    assert household.key_of(f"k{key}@2020-01-0-1") == (key, "2020-01-0-1") and household.key_of("H101") is None


def test_a_household_outside_the_scope_is_not_there(warehouse: Warehouse, homes: pl.DataFrame) -> None:
    row = homes.drop_nulls("township").row(0, named=True)
    elsewhere = homes.filter(pl.col("township") != row["township"])["township"][0]
    outside = Scope(townships=(elsewhere,))
    assert household.find(warehouse, outside, row["household_id"]) is None
    assert household.household(warehouse, outside, row["household_key"]) is None
    assert income.income(warehouse, outside, row["household_key"]) is None
    assert alerts.signals_of(warehouse, outside, row["household_key"]) == []
    assert verdicts.verdicts(warehouse, outside, row["household_key"]) == []


def test_members_are_the_persons_of_the_household(warehouse: Warehouse, county: Scope, homes: pl.DataFrame) -> None:
    for row in homes.sample(20, seed=1).iter_rows(named=True):
        assert household.members(warehouse, county, row["household_key"]).filter("alive").height == row["size"]


def test_what_the_rules_said_is_what_was_published(
    warehouse: Warehouse, county: Scope, signal: pl.DataFrame, homes: pl.DataFrame
) -> None:
    judged = signal.filter(pl.col("subject").is_in(["household", "person"]))
    for key in [*some_keys(signal, homes), *homes["household_key"].sample(10, seed=2).to_list()]:
        said = {(v.rule, v.person_id) for v in verdicts.verdicts(warehouse, county, key) if v.outcome == "hit"}
        published = {
            (row["rule"], row["person_id"] if row["subject"] == "person" else None)
            for row in judged.filter(pl.col("household_key") == key).iter_rows(named=True)
        }
        assert said == published


def test_an_unknown_verdict_says_what_is_missing(warehouse: Warehouse, county: Scope, homes: pl.DataFrame) -> None:
    key = homes.filter(~pl.col("income_known"))["household_key"][0]
    unknown = [v for v in verdicts.verdicts(warehouse, county, key) if v.outcome == "unknown"]
    assert unknown and all(v.missing for v in unknown)


def test_income_steps_add_up_to_what_was_assessed(warehouse: Warehouse, county: Scope, homes: pl.DataFrame) -> None:
    checked = homes.filter(pl.col("income_source") == FROM_CHECK).sample(30, seed=3)
    for row in checked.iter_rows(named=True):
        found = income.income(warehouse, county, row["household_key"])
        assert found is not None and found.income_pc is not None
        total = sum(step.month for step in found.steps if step.counted)
        assert max(total, 0) == pytest.approx(float(found.income_pc), abs=0.01)


def test_coverage_adds_up(
    warehouse: Warehouse, county: Scope, signal: pl.DataFrame, people: pl.DataFrame, homes: pl.DataFrame
) -> None:
    rows = {row["key"]: row for row in coverage.coverage(warehouse, county).to_dicts()}
    assert rows["dibao"]["covered"] == homes.filter(pl.col("whole_household_dibao")).height
    assert rows["tekun"]["covered"] == people.filter(pl.col("alive") & pl.col("on_tekun")).height
    outcome = table(warehouse, "rule_outcome")
    for programme in PROGRAMMES:
        row = rows[programme.key]
        key = {"household": "household_key", "person": "person_id", "institution": "name"}[programme.subject]
        assert row["gap"] == signal.filter(pl.col("rule") == programme.rule)[key].n_unique()
        assert row["unknown"] == outcome.filter(pl.col("rule") == programme.rule)["unknown"].sum()
        assert row["eligible"] == row["covered"] + row["gap"]


def test_registers_compared_equal_a_count_of_persons(warehouse: Warehouse, county: Scope, people: pl.DataFrame) -> None:
    living = people.filter("alive")
    cells = {(row["first"], row["second"]): row for row in registers.compared(warehouse, county).to_dicts()}
    both = living.filter(pl.col("on_dibao") & pl.col("has_certificate")).height
    only = living.filter(pl.col("on_dibao") & ~pl.col("has_certificate").fill_null(False)).height
    assert (cells["dibao", "disability"]["both"], cells["dibao", "disability"]["only_first"]) == (both, only)
    assert registers.difference(warehouse, county, "dibao", "disability")[1] == only


def test_every_set_adds_up_by_state_and_by_place(warehouse: Warehouse, county: Scope) -> None:
    rows = {row["number"]: row for row in checklist.checklist(warehouse, county).to_dicts()}
    assert list(rows) == list(range(1, 19))
    for number, row in rows.items():
        assert row["members"] == row["covered"] + row["missing"] + row["unknown"]
        if not row["no_data"]:
            by_place = checklist.by_place(warehouse, county, number)
            for column in ("members", "covered", "missing", "unknown"):
                assert by_place[column].sum() == row[column], (number, column)
            for state in ("covered", "missing", "unknown"):
                assert checklist.members(warehouse, county, number, state)[1] == row[state]


def test_a_set_without_a_source_is_unknown_and_never_full(warehouse: Warehouse, county: Scope) -> None:
    """Set 17 is the case store's: where none was asked, nothing can be said."""
    row = checklist.checklist(warehouse, county).filter(pl.col("number") == 17).row(0, named=True)
    assert row["no_data"] and row["members"] == 0 and row["as_of"] is None


def test_orphans_set_equals_an_independent_count(warehouse: Warehouse, county: Scope, people: pl.DataFrame) -> None:
    row = checklist.checklist(warehouse, county).filter(pl.col("number") == 8).row(0, named=True)
    young = (pl.col("age") < 18).fill_null(True)  # an age that is not known leaves nobody out
    orphans = people.filter(pl.col("alive") & pl.col("orphan_or_unattended") & young)
    assert row["members"] == orphans.height
    assert row["covered"] == orphans.filter("orphan_paid").height  # paid, not merely listed with an amount


def test_the_balances_hold_and_their_figures_are_the_files(warehouse: Warehouse) -> None:
    checks = {check.name: check for check in balances.audited(warehouse)}
    named = {name for _, names in balances.STEPS for name in names}
    assert set(checks) <= named and all(check.ok for check in checks.values())
    known, part = balances.figures(warehouse), table(warehouse, "part").filter("this_period")
    assert known["files"] == part.height and known["rows"] == part["rows_read"].sum()
    assert known["rows"] == known["loaded"] + known["duplicate"] + known["quarantined"] + known["not_data"]
    assert known["persons"] == table(warehouse, "person_snapshot").height
    assert known["households"] == table(warehouse, "household_snapshot").height == table(warehouse, "vouching").height
    assert known["judged"] == known["hit"] + known["clear"] + known["unknown"]
    assert known["hit"] == known["signals"] == table(warehouse, "signal").height


def test_the_data_page_counts_files_and_rows(warehouse: Warehouse, county: Scope) -> None:
    part, aside = table(warehouse, "part"), table(warehouse, "quarantine")
    assert sources.freshness(warehouse)["rows"].sum() == part.filter(pl.col("feed").is_not_null())["loaded"].sum()
    assert (
        sources.unrecognised(warehouse, Scope()).height
        == part.filter(pl.col("this_period") & pl.col("feed").is_null()).height
    )
    here = aside.join(part.filter("this_period"), on=["delivered", "part"]).filter(pl.col("row").is_not_null())
    assert sources.quarantine(warehouse, county)[1] == here.height == sources.quarantine_totals(warehouse)["rows"].sum()
    assert sources.link_review(warehouse, county)[1] == table(warehouse, "link_review").height


def test_points_say_only_what_was_counted(warehouse: Warehouse, county: Scope) -> None:
    t = Language("zh")
    found = points.points(warehouse, county)
    assert 3 <= len(found) <= 5
    rows = overview.township_table(warehouse, county)
    gap = found[0]
    if gap.values:
        assert gap.values["total"] == rows["gap"].sum() and gap.values["n"] == rows["gap"].max()
    for point in found:
        said = t(
            point.template,
            **point.values,
            **{k: t.pick(*v) for k, v in point.titles.items()},
            **{k: t.place(v) for k, v in point.places.items()},
        )
        assert "{" not in said
