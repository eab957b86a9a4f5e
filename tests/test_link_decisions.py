"""Decisions about links in the case store: who may not, what contradicts, taking back, and what the journal says."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from monitoring.linking.board import Board
from monitoring.linking.deciding import NotDecided, Pair, decide, decide_many, decisions, standing, take_back
from monitoring.linking.weights import weights_of
from monitoring.store import Store
from monitoring.store.schema import journal
from pipelines.linking import decisions_for_run
from tests.people import add_account
from tests.stores import NOON

KEY, SEEN = "0" * 32, {"one": {"name": "周**"}, "other": {"name": "周**"}, "band": "sure"}


def pair(other: str = "11", key: str = KEY, kind: str = "row") -> Pair:
    return Pair(kind, key, other, ("柳林镇", "河东村"), "2026-11-abc-1", SEEN, 21.5, 0.9999)


def held(store: Store) -> tuple[tuple[str, str, str, str], ...]:
    with store.read() as con:
        return standing(con)


def test_a_decision_holds_until_it_is_taken_back_and_can_then_be_made_anew(store: Store) -> None:
    caller = add_account(store, "county_staff")
    made = decide(store, caller, pair(), "same", "核对过台账", NOON)
    assert held(store) == (("row", KEY, "11", "same"),)
    take_back(store, caller, made, "问错了人家", NOON + timedelta(minutes=1))
    assert held(store) == ()
    with pytest.raises(NotDecided, match="已经撤回"):
        take_back(store, caller, made, "问错了人家", NOON)
    decide(store, caller, pair("12"), "same", "又核对过台账", NOON + timedelta(minutes=2))
    first, last = decisions(store, caller, NOON + timedelta(minutes=3))[::-1]
    assert (first.back_by, first.back_why, last.other, last.back_at) == (caller.person, "问错了人家", "12", None)
    assert last.seen == SEEN and last.probability == pytest.approx(0.9999)


def test_what_contradicts_a_decision_is_refused_with_nothing_changed(store: Store) -> None:
    caller = add_account(store, "county_staff")
    decide(store, caller, pair(), "same", "核对过台账", NOON)
    for other, verdict in (("11", "same"), ("11", "different"), ("12", "same"), ("", "different")):
        with pytest.raises(NotDecided):
            decide(store, caller, pair(other), verdict, "核对过台账", NOON)
    decide(store, caller, pair("", "1" * 32), "different", "查无此人", NOON)
    with pytest.raises(NotDecided):
        decide(store, caller, pair("12", "1" * 32), "same", "核对过台账", NOON)
    decide(store, caller, pair("8", "9", "person"), "same", "派出所核实", NOON)
    with pytest.raises(NotDecided):  # the same two, the other way round
        decide(store, caller, pair("9", "8", "person"), "different", "派出所核实", NOON)
    with pytest.raises(NotDecided):  # all or none
        decide_many(store, caller, [pair("5", "2" * 32), pair("11")], "same", "逐条看过的", NOON)
    assert [one[:3] for one in held(store)] == [("person", "8", "9"), ("row", KEY, "11"), ("row", "1" * 32, "")]


def test_grounds_are_asked_for_and_neither_numbers_nor_contents_reach_the_journal(store: Store) -> None:
    caller = add_account(store, "county_staff")
    with pytest.raises(NotDecided, match="至少 4 个字"):
        decide(store, caller, pair(), "same", " 是他 ", NOON)
    made = decide(store, caller, pair(), "same", "身份证 500999197001011234 对得上", NOON)
    assert "500999" not in decisions(store, caller, NOON)[0].why
    with store.read() as con:
        row = con.execute(select(journal).where(journal.c.event == "link.decide", journal.c.result == "ok")).one()
    assert row.object == f"link:{made}" and KEY not in row.detail and "500999" not in row.detail
    assert json.loads(row.detail)["verdict"] == "same"


def test_a_run_is_told_what_holds_and_a_home_without_a_store_has_nothing_and_gets_none(
    sqlite_store: Store, tmp_path: Path
) -> None:
    caller = add_account(sqlite_store, "county_staff")
    decide(sqlite_store, caller, pair(), "same", "核对过台账", NOON)
    assert decisions_for_run(sqlite_store.home) == (("row", KEY, "11", "same"),)
    assert decisions_for_run(tmp_path / "new") == () and not (tmp_path / "new").exists()


def test_what_is_decided_leaves_the_list_at_once(sqlite_store: Store) -> None:
    caller = add_account(sqlite_store, "county_staff")
    decide(sqlite_store, caller, pair("11"), "different", "不是这家的", NOON)
    board = Board([KEY, "1" * 32], None, decisions(sqlite_store, caller, NOON))
    assert board.waiting == (KEY, "1" * 32)  # one of two candidates was ruled out: it waits
    assert [one.person_id for one in board.candidates(KEY, "11,12")] == [12]
    decide(sqlite_store, caller, pair("12"), "same", "核对过台账", NOON)
    assert Board([KEY, "1" * 32], None, decisions(sqlite_store, caller, NOON)).waiting == ("1" * 32,)
    assert weights_of(sqlite_store.home, "never weighed") is None
