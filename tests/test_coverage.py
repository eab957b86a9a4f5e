"""Coverage, registers and the four ways: every figure counted another way (polars, sets), every list as long as its figure."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from monitoring.access import Scope
from monitoring.alerts.outcomes import FAMILIES
from monitoring.exporting import frame_of
from monitoring.queries import coverage, disposal, registers
from monitoring.queries.programmes import BY_KEY, KEY, PROGRAMMES, STATES, figures_sql
from monitoring.queries.verdicts import rule_condition
from monitoring.rules import load_policy
from monitoring.warehouse import LOCKED, Warehouse
from tests.small_warehouse import LI, LONE, LONE_HOUSEHOLD, NAMES, NUMBERS, WANG, ZHANG, insert, small_warehouse

HISTORY = "CREATE TABLE IF NOT EXISTS history_figure (period VARCHAR, township VARCHAR, measure VARCHAR, value DOUBLE)"


@pytest.fixture(scope="session")
def tables(warehouse: Warehouse) -> dict[str, pl.DataFrame]:
    names = ("signal", "rule_outcome", "household_snapshot", "person_snapshot", "institution_snapshot", "rule")
    return {name: warehouse.frame(f"select * from {name}") for name in names}


@pytest.fixture(scope="session")
def found(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in coverage.coverage(warehouse, Scope()).to_dicts()}


def as_warehouse(con: duckdb.DuckDBPyConnection, folder: Path) -> Warehouse:
    """What stands in memory as a published file, with the history table that a run always writes."""
    con.execute(HISTORY)
    path = folder / "small.duckdb"
    con.execute(f"ATTACH '{path}' AS written")
    con.execute("COPY FROM DATABASE memory TO written")
    con.execute("DETACH written")
    return Warehouse(path)


# --- definitions


def test_every_gap_rule_has_one_programme_and_every_gap_and_exit_rule_one_way() -> None:
    _, rules = load_policy(Path("none"))
    gaps = sorted(code for code in rules if code.startswith("GAP-"))
    assert sorted(one.rule for one in PROGRAMMES) == gaps
    assert {disposal.way_of(code) for code in rules if code.startswith(("GAP-", "EXIT-"))} <= set(disposal.BY_WAY)
    assert set(disposal.DELIVER) <= set(rules)
    assert set(disposal.BY_WAY) <= set(FAMILIES)


def test_every_check_of_the_covered_names_a_rule_and_only_the_return_to_the_full_allowance_asks_for_no_check() -> None:
    _, rules = load_policy(Path("none"))
    named = {code for one in PROGRAMMES for code in one.exits}
    beside = {code for code in rules if any(code in one.beside for one in PROGRAMMES)}
    assert named <= set(rules)
    assert {code for code in rules if code.startswith("EXIT-")} - named - beside == {"EXIT-GRADUAL-BACK"}


def test_a_programme_says_who_is_covered_or_who_is_due() -> None:
    assert all(bool(one.covered) != bool(one.due) for one in PROGRAMMES)


# --- figures


def test_covered_equals_a_count_over_the_tables(
    found: dict[str, dict[str, Any]], tables: dict[str, pl.DataFrame]
) -> None:
    people = tables["person_snapshot"].filter("alive")
    homes = tables["household_snapshot"]
    paid = people.filter((pl.col("basic_amount") >= 1.3 * pl.col("standard")) & pl.col("on_tekun"))
    counted = {
        "dibao": homes["whole_household_dibao"].sum(),
        "single": people.filter(pl.col("on_dibao") & ~pl.col("whole_household_dibao")).height,
        "tekun": people["on_tekun"].sum(),
        "rigid": homes["any_rigid"].sum(),
        "measures": homes.filter(pl.col("at_risk") & ~pl.col("measures_missing")).height,
        "child": people.filter(pl.col("orphan_or_unattended") & (pl.col("age") < 18) & (~pl.col("allowance_missing") | pl.col("orphan_paid").fill_null(False))).height,
        "guardian": people.filter(pl.col("care_categories").fill_null("").str.contains("儿") & ~pl.col("child_without_guardian")).height,
        "amount": paid.height,
        "repeat": people.filter((pl.col("aid_grants_12m") >= 2) & (pl.col("on_dibao") | pl.col("on_tekun") | pl.col("on_low_income"))).height,
    }  # fmt: skip
    assert {key: found[key]["covered"] for key in counted} == counted
    assert sum(counted.values()) > 100


def test_gap_and_unknown_equal_signals_and_outcomes(
    found: dict[str, dict[str, Any]], tables: dict[str, pl.DataFrame]
) -> None:
    for one in PROGRAMMES:
        signals = tables["signal"].filter(pl.col("rule") == one.rule)
        key = "name" if one.subject == "institution" else KEY[one.subject]
        outcome = tables["rule_outcome"].filter(pl.col("rule") == one.rule)
        row = found[one.key]
        assert (row["gap"], row["unknown"]) == (signals[key].n_unique(), outcome["unknown"].sum()), one.key
        assert row["eligible"] == row["covered"] + row["gap"]


def test_those_to_be_checked_are_the_subjects_of_exit_signals(
    found: dict[str, dict[str, Any]], tables: dict[str, pl.DataFrame]
) -> None:
    whole = set(tables["household_snapshot"].filter("whole_household_dibao")["household_key"])
    people = tables["person_snapshot"].filter("alive")
    tekun = set(people.filter("on_tekun")["person_id"])
    single = set(people.filter(pl.col("on_dibao") & ~pl.col("whole_household_dibao"))["person_id"])
    checked: dict[str, set[int]] = {"dibao": set(), "tekun": set(), "single": set()}
    for row in tables["signal"].filter(pl.col("kind") == "exit").to_dicts():
        evidence = json.loads(row["evidence"])
        dead = f"{evidence.get('listed_in') or ''}{evidence.get('paid_after_months') or ''}"
        if row["rule"] == "EXIT-DECEASED":
            checked["dibao"] |= {row["household_key"]} if "低保" in dead else set()
            checked["tekun"] |= {row["person_id"]} if "特困" in dead else set()
        elif row["rule"] not in ("EXIT-GRADUAL-BACK", "EXIT-SUBSIDY", "EXIT-TEKUN-AGE"):
            checked["dibao"] |= {row["household_key"]} & whole
            checked["single"] |= {row["person_id"]} & single if row["subject"] == "person" else set()
        if row["rule"] in ("EXIT-TEKUN-AGE", "EXIT-TWICE"):
            checked["tekun"] |= {row["person_id"]} & tekun
    assert {key: found[key]["over"] for key in checked} == {key: len(subjects) for key, subjects in checked.items()}
    assert len(checked["dibao"]) >= 3


def test_what_no_rule_looks_for_is_not_said_to_be_none(found: dict[str, dict[str, Any]]) -> None:
    assert {key for key, row in found.items() if row["over"] is None} == {
        one.key for one in PROGRAMMES if not one.checked
    }
    assert found["marginal"]["over"] is None and found["living"]["over"] is not None


def test_the_states_of_a_programme_never_overlap(warehouse: Warehouse) -> None:
    for one in PROGRAMMES:
        if one.subject == "institution":
            continue
        condition = rule_condition(warehouse, one.rule)
        assert condition is not None
        hit = condition[1].sql
        row = warehouse.row(
            f"""select count(*) filter ({one.sql("covered", hit)} and ({hit}) is not false) as both,
                       count(*) filter ({one.sql("eligible", hit)} and ({hit}) is null) as unknown from {one.table} where true{one.living}"""
        )
        assert row == {"both": 0, "unknown": 0}, one.key


def test_every_figure_has_a_list_of_exactly_that_many_and_lists_say_why(
    warehouse: Warehouse, found: dict[str, dict[str, Any]]
) -> None:
    for one in PROGRAMMES:
        for state in STATES:
            people, total = coverage.programme_list(warehouse, Scope(), one.key, state)
            assert total == (found[one.key][state] or 0), (one.key, state)
            if state in ("gap", "over"):
                assert all(row["messages"] and row["clauses"] and row["department"] for row in people.to_dicts())
            if state == "unknown":
                assert all(row["missing"] for row in people.to_dicts()), one.key


def test_the_places_of_the_matrix_add_up_to_the_county_and_equal_their_lists(
    warehouse: Warehouse, found: dict[str, dict[str, Any]]
) -> None:
    cells = coverage.matrix(warehouse, Scope())
    for key, row in found.items():
        mine = cells.filter(pl.col("key") == key)
        assert all(mine[state].sum() == (row[state] or 0) for state in STATES), key
        assert mine["place"].n_unique() == mine.height
    for row in cells.filter((pl.col("gap") > 0) | (pl.col("over") > 0)).head(12).to_dicts():
        scope = Scope(townships=(row["place"],))
        for state in ("gap", "over"):
            assert coverage.programme_list(warehouse, scope, row["key"], state)[1] == (row[state] or 0), row
        villages = coverage.matrix(warehouse, scope).filter(pl.col("key") == row["key"])
        assert villages["gap"].sum() == row["gap"]


def test_the_runs_table_holds_what_the_statement_counts_anew(warehouse: Warehouse) -> None:
    assert warehouse.frame("from coverage_figure").equals(warehouse.frame(figures_sql()))


def test_history_holds_this_periods_figures_by_township(warehouse: Warehouse, found: dict[str, dict[str, Any]]) -> None:
    rows = warehouse.rows(
        "select measure, sum(value)::BIGINT as n from history_figure where measure like 'coverage %' group by 1"
    )
    kept = {row["measure"]: row["n"] for row in rows}
    for key, row in found.items():
        for state in ("covered", "gap", "unknown", "over"):
            assert kept.get(f"coverage {key} {state}") == row[state], (key, state)


# --- by hand: the dead, a household's head, a run without the table


def test_the_dead_who_stand_in_a_list_are_to_be_checked_and_a_head_is_not_its_household(tmp_path: Path) -> None:
    con = small_warehouse()
    shared = {"period": "2026-11", "kind": "exit", "township": "石桥镇", "village": "西村", "clause": "CJ 二（十）", "department": "民政", "level": "red", "level_order": 1, "message": "请核实", "message_en": "Verify"}  # fmt: skip
    con.execute(f"UPDATE person_snapshot SET alive = false WHERE person_id = {LONE}")
    con.execute("DELETE FROM household_snapshot WHERE household_key = 3")
    insert(
        con,
        "signal",
        **shared,
        rule="EXIT-DECEASED",
        subject="person",
        household_key=3,
        household_id=LONE_HOUSEHOLD,
        person_id=LONE,
        evidence='{"listed_in": "低保、特困"}',
    )
    # The head of HB1 is on single-person dibao; the signal is about the household, which is not covered.
    con.execute(f"UPDATE person_snapshot SET on_dibao = true, whole_household_dibao = false WHERE person_id = {ZHANG}")
    insert(
        con, "signal", **shared, rule="EXIT-HOMES", subject="household", household_key=1, person_id=ZHANG, evidence="{}"
    )
    small = as_warehouse(con, tmp_path)
    got = {row["key"]: row["over"] for row in coverage.coverage(small, Scope()).to_dicts() if row["over"]}
    assert got == {"dibao": 1, "tekun": 1}
    people, total = coverage.programme_list(small, Scope(), "dibao", "over")
    assert (total, people["name"].to_list(), people["township"].to_list()) == (1, ["独**"], ["石桥镇"])
    assert people["household_id"][0].startswith("U-") and NUMBERS[LONE] not in people.write_json()


def test_a_rule_that_is_off_leaves_its_gap_unknown_and_not_0(tmp_path: Path) -> None:
    con = small_warehouse()
    frame = frame_of(con, "coverage", period="2026-11")
    dibao = frame.filter(pl.col("programme") == "dibao").sort("village")
    assert dibao.select("village", "eligible", "covered", "gap", "unknown").rows() == [
        ("东村", 1, 0, 1, 1),
        ("西村", None, 1, None, None),
    ]
    care = frame.filter(pl.col("programme") == "care")
    assert care["eligible"].null_count() == care.height and care["to_check"].null_count() == 0
    rows = {row["key"]: row for row in coverage.coverage(as_warehouse(con, tmp_path), Scope()).to_dicts()}
    assert rows["dibao"]["judged"] and not rows["care"]["judged"]


def test_the_change_is_to_last_periods_figures_and_none_where_villages_are_shown(tmp_path: Path) -> None:
    con = small_warehouse()
    con.execute(HISTORY)
    for measure, value in (("covered", 3), ("gap", 2)):
        con.execute(
            "INSERT INTO history_figure VALUES ('2026-10', '石桥镇', ?, ?)", [f"coverage dibao {measure}", value]
        )
    small = as_warehouse(con, tmp_path)
    county = {row["key"]: row for row in coverage.coverage(small, Scope()).to_dicts()}
    assert (county["dibao"]["covered_before"], county["dibao"]["gap_before"], county["dibao"]["eligible_before"]) == (
        3,
        2,
        5,
    )
    assert county["tekun"]["covered_before"] is None
    for scope in (Scope(villages=(("石桥镇", "东村"),)), Scope(allowed=(("石桥镇", "东村"),))):
        rows = {row["key"]: row for row in coverage.coverage(small, scope).to_dicts()}
        assert rows["dibao"]["covered_before"] is None and rows["dibao"]["gap"] == 1


# --- export


def test_the_export_adds_up_to_the_page_in_both_languages(
    warehouse: Warehouse, found: dict[str, dict[str, Any]]
) -> None:
    with duckdb.connect(str(warehouse.path), read_only=True, config=LOCKED) as con:
        period = con.execute("select period from run").fetchall()[0][0]
        zh, en = (frame_of(con, "coverage", period=period, lang=lang) for lang in ("zh", "en"))
    for key, row in found.items():
        mine = zh.filter(pl.col("programme") == key)
        assert [mine[name].sum() for name in ("eligible", "covered", "gap", "unknown")] == [
            row[name] for name in STATES[:4]
        ], key
        assert mine["to_check"].null_count() == (mine.height if row["over"] is None else 0)
    assert zh["programme"].unique(maintain_order=True).to_list() == list(BY_KEY)
    assert "低保（整户）" in zh["title"].to_list() and "Dibao (whole household)" in en["title"].to_list()


# --- registers as sets


def test_intersections_are_a_partition_that_equals_sets_of_persons(
    warehouse: Warehouse, tables: dict[str, pl.DataFrame]
) -> None:
    people = tables["person_snapshot"].filter("alive")
    members = {one.key: set(people.filter(pl.col(one.member))["person_id"]) for one in registers.REGISTERS}
    household = dict(people.select("person_id", "household_key").rows())
    expected: Counter[tuple[str, ...]] = Counter()
    homes: dict[tuple[str, ...], set[int]] = {}
    for person in set().union(*members.values()):
        combination = tuple(key for key in members if person in members[key])
        expected[combination] += 1
        homes.setdefault(combination, set()).add(household[person])
    rows = registers.intersections(warehouse, Scope()).to_dicts()
    assert {tuple(row["registers"]): row["persons"] for row in rows} == dict(expected)
    assert {tuple(row["registers"]): row["households"] for row in rows} == {key: len(of) for key, of in homes.items()}
    assert [row["persons"] for row in rows] == sorted((row["persons"] for row in rows), reverse=True)
    for row in rows:
        for unit in ("person", "household"):
            assert registers.intersection_list(warehouse, Scope(), row["registers"], unit)[1] == row[f"{unit}s"], row
    for (one, two), count in {("monitored", "dibao"): len(members["monitored"] - members["dibao"])}.items():
        assert registers.difference(warehouse, Scope(), one, two)[1] == count
        assert registers.difference(warehouse, Scope(), one, one)[1] == len(members[one])


def test_a_register_that_was_never_delivered_is_named(tmp_path: Path) -> None:
    small = as_warehouse(small_warehouse(), tmp_path)
    assert registers.undelivered(small, Scope()) == ["low_income", "disability", "children"]


def test_every_difference_says_why_it_matters() -> None:
    keys = list(registers.BY_KEY)
    assert all(registers.why(one, two) for one in keys for two in keys if one != two)
    assert set(registers.WHY) <= {(one, two) for one in keys for two in keys}


# --- the four ways


def test_each_alert_with_a_gap_or_a_hit_is_in_exactly_one_way(
    warehouse: Warehouse, tables: dict[str, pl.DataFrame]
) -> None:
    signals = tables["signal"].filter(pl.col("kind").is_in(["gap", "exit"])).with_columns(
        of=pl.coalesce(pl.col("household_key").cast(pl.String), pl.col("name"))
    )  # fmt: skip
    expected: Counter[str] = Counter()
    for _, rows in signals.group_by("of"):
        gaps = rows.filter(pl.col("kind") == "gap")
        single = {disposal.way_of(rule) for rule in rows["rule"]}
        several = gaps["department"].n_unique() >= disposal.DEPARTMENTS
        mixed = gaps.height > 0 and "exit" in single
        expected[
            "confer" if several or mixed else next(way for way in ("admit", "deliver", "exit") if way in single)
        ] += 1
    found = {row["way"]: row for row in disposal.ways(warehouse, Scope()).to_dicts()}
    assert {way: row["alerts"] for way, row in found.items()} == {way: expected[way] for way in disposal.BY_WAY}
    assert sum(row["signals"] for row in found.values()) == signals.height
    for way, row in found.items():
        assert disposal.way_list(warehouse, Scope(), way)[1] == row["alerts"]
        assert disposal.way_list(warehouse, Scope(), way, "red")[1] == row["red"]


def test_three_departments_or_a_gap_with_a_hit_are_a_conferences_matter_and_two_are_not(tmp_path: Path) -> None:
    con = small_warehouse()
    con.execute("DELETE FROM signal")
    shared = {
        "period": "2026-11",
        "township": "石桥镇",
        "village": "东村",
        "level": "orange",
        "level_order": 2,
        "clause": "x",
        "evidence": "{}",
    }

    def signal(key: int, rule: str, department: str) -> None:
        kind = "exit" if rule.startswith("EXIT") else "gap"
        insert(con, "signal", **shared, subject="person", household_key=key, person_id=WANG if key == 2 else LI, kind=kind, rule=rule, department=department, message=f"{NAMES[LI]}…", name=NAMES[LI], message_en="…")  # fmt: skip

    for rule, department in (("GAP-INSURANCE", "医保"), ("GAP-EDUCATION", "教育")):
        signal(1, rule, department)
    signal(2, "EXIT-GRADUAL-BACK", "民政")
    signal(2, "GAP-INSURANCE", "医保")
    two = as_warehouse(con, tmp_path)
    assert {row["way"]: row["alerts"] for row in disposal.ways(two, Scope()).to_dicts()} == {
        "deliver": 2,
        "admit": 0,
        "confer": 0,
        "exit": 0,
    }
    assert disposal.way_list(two, Scope(), "deliver")[0]["messages"][0][0] == "李**…"
    signal(1, "GAP-DIBAO", "民政")
    signal(2, "EXIT-VEHICLE", "民政")
    (tmp_path / "more").mkdir()
    three = as_warehouse(con, tmp_path / "more")
    assert {row["way"]: row["alerts"] for row in disposal.ways(three, Scope()).to_dicts()} == {
        "deliver": 0,
        "admit": 0,
        "confer": 2,
        "exit": 0,
    }
