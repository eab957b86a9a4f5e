"""Alerts from signals: opened, joined, eased and offered for closing, kept quiet and opened again; never closed, never twice."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from monitoring.alerts import work
from monitoring.alerts.balance import check_balance
from monitoring.alerts.choices import SHOWS_RISK
from monitoring.alerts.comparing import AlertSettings
from monitoring.alerts.deadlines import limits
from monitoring.alerts.dealings import dealings
from monitoring.alerts.points import KIND, LEVEL, WORDS, priority
from monitoring.alerts.signals import households, signals_of_run
from monitoring.alerts.syncing import catch_up, pending
from monitoring.alerts.worse import evidence_is_worse, lines_of
from monitoring.language import catalogue
from monitoring.rules.model import KINDS, LEVELS
from monitoring.store import Store, open_store
from monitoring.store.schema import alert, alert_event, alert_signal, clue, quiet, setting, taken_in
from monitoring.warehouse import Publication, Published, Warehouse
from monitoring.working_days import add_working_days, local_day
from tests.months import CONDITIONS, NUMBER, Month, Signal, publish
from tests.people import TOWN, VILLAGE, add_account
from tests.stores import NOON, new_database
from tests.table_dump import dump

DIBAO = Signal("GAP-DIBAO", "H1")
MEDICAL = Signal("RISK-MEDICAL", "H1", level="orange", evidence={"medical_12m": 6000, "$risk.medical_self_paid": 5000})
NEXT = "2026-12"


def alerts(store: Store, **where: Any) -> list[Mapping[str, Any]]:
    with store.read() as con:
        asked = select(alert).where(*(alert.c[name] == value for name, value in where.items())).order_by(alert.c.id)
        return [dict(row) for row in con.execute(asked).mappings()]


def signals(store: Store, **where: Any) -> list[Mapping[str, Any]]:
    with store.read() as con:
        asked = select(alert_signal).where(*(alert_signal.c[name] == value for name, value in where.items()))
        return [dict(row) for row in con.execute(asked.order_by(alert_signal.c.id)).mappings()]


def events(store: Store, alert_id: int | None = None) -> list[tuple[str, dict[str, Any]]]:
    with store.read() as con:
        asked = select(alert_event.c.event, alert_event.c.detail, alert_event.c.by).order_by(alert_event.c.id)
        rows = con.execute(asked if alert_id is None else asked.where(alert_event.c.alert_id == alert_id)).all()
    assert {by for *_, by in rows} <= {"比对"}
    return [(event, detail) for event, detail, _ in rows]


def names(store: Store, alert_id: int | None = None) -> list[str]:
    return [event for event, _ in events(store, alert_id)]


def change(store: Store, alert_id: int, **values: Any) -> None:
    with store.write() as con:
        con.execute(update(alert).where(alert.c.id == alert_id).values(**values))


def close(store: Store, alert_id: int, outcome: str = "L", days: int = 90, at: datetime = NOON) -> None:
    """As a person's decision closes an alert: what still holds is settled and kept quiet."""
    mine = [alert_signal.c.alert_id == alert_id, alert_signal.c.state.in_(("standing", "shown"))]
    kept = (alert_signal.c.rule, alert_signal.c.subject_key, alert_signal.c.level_order, alert_signal.c.evidence)
    until = {"until": local_day(at) + timedelta(days), "outcome": outcome, "at": at, "alert_id": alert_id}
    with store.write() as con:
        for row in con.execute(select(*kept).where(*mine)).mappings().all():
            con.execute(insert(quiet).values(dict(row) | until))
        con.execute(update(alert_signal).where(*mine).values(state="settled"))
        con.execute(update(alert).where(alert.c.id == alert_id).values(status="closed", closed_at=at, due_date=None))


def add_clue(store: Store, alert_id: int, **values: Any) -> None:
    clerk = add_account(store, "county_staff")
    row = {
        "alert_id": alert_id, "channel": "热线", "received_on": date(2026, 11, 20), "caller": "甲", "caller_key": "k",
        "person": "乙", "text": "", "emergency": False, "due_date": date(2026, 11, 30), "account_id": clerk.account, "at": NOON,
    }  # fmt: skip
    with store.write() as con:
        con.execute(insert(clue).values(row | values))


def hold(store: Store, month: Month) -> None:
    """All balances between the month and the store."""
    warehouse = Warehouse(month.path)
    try:
        assert [check.words for check in check_balance(store, warehouse) if not check.ok] == []
    finally:
        warehouse.close()


# --- opening


def test_the_signals_of_a_household_open_one_alert(store: Store, tmp_path: Path) -> None:
    person = Signal("DQ-NAME", "H1", level="yellow", subject="person", person=102)
    month = publish(tmp_path, "2026-11", [MEDICAL, DIBAO, person])
    done = month.take_in(store)
    assert (done.signals, done.opened, done.joined, done.unchanged, done.refused) == (3, 1, 3, 0, "")
    [row] = alerts(store)
    due = add_working_days(date(2026, 12, 3), 3)
    wanted = {
        "subject": "household", "subject_key": "H1", "household_id": "H1", "township": TOWN, "village": VILLAGE,
        "name": "周德福", "level": "red", "level_order": 1, "signals": 3, "rules": "DQ-NAME GAP-DIBAO RISK-MEDICAL",
        "kinds": "data gap risk", "departments": "民政", "headline": "周**户命中 GAP-DIBAO", "headline_en": "Hit GAP-DIBAO",
        "raises_work": True, "emergency": False, "offers_closing": False, "status": "new", "due_date": due,
        "verify_due_date": due, "opened_period": "2026-11", "opened_on": date(2026, 12, 3), "opened_at": month.at,
        "origin": "run", "version": 1, "previous_id": None, "score": None,
    }  # fmt: skip
    assert {name: row[name] for name in wanted} == wanted
    assert row["find"].split() == ["周德福", "1234", VILLAGE, TOWN, "H1"]
    assert row["rank"] == row["points"] - date(2026, 12, 3).toordinal()
    assert [(s["rule"], s["subject_key"], s["state"], s["episode"]) for s in signals(store)] == [
        ("GAP-DIBAO", "h:H1", "standing", 1), ("RISK-MEDICAL", "h:H1", "standing", 1), ("DQ-NAME", "p:102", "standing", 1),
    ]  # fmt: skip
    assert events(store) == [
        ("opened", {"run": "2026-11-1", "period": "2026-11", "rules": ["DQ-NAME", "GAP-DIBAO", "RISK-MEDICAL"], "why": ["new"]})
    ]  # fmt: skip
    hold(store, month)


def test_what_belongs_to_no_household_has_an_alert_of_its_own(store: Store, tmp_path: Path) -> None:
    nobody: dict[str, Any] = {"household": None, "kind": "process"}
    month = publish(
        tmp_path, "2026-11",
        [
            Signal("GAP-CARERS", subject="institution", record="敬老院 石桥镇", name="敬老院", **nobody),
            Signal("PROC-FEED-LATE", subject="feed", name="medical", **nobody),
            Signal("POL-POVERTY-LINE", subject="policy", name="demo", **nobody),
            Signal("DQ-LINK", subject="record", record=f"visits {NUMBER} 1956-03-02 13800001111 东村", name="周德福", **nobody),
            Signal("DQ-LINK", subject="record", record=f"visits {NUMBER} 1956-03-02 13800001111 东村", name="李二", **nobody),
        ],
    )  # fmt: skip
    month.take_in(store)
    found = {(row["subject"], row["name"]): row for row in alerts(store)}
    assert set(found) == {
        ("institution", "敬老院"), ("feed", "医保结算"), ("policy", "demo"), ("record", "周德福"), ("record", "李二"),
    }  # fmt: skip
    assert found["institution", "敬老院"]["subject_key"] == "敬老院 石桥镇"
    assert found["feed", "医保结算"]["subject_key"] == "medical"
    hold(store, month)


def test_no_number_phone_or_day_of_birth_is_kept_in_the_clear(sqlite_store: Store, tmp_path: Path) -> None:
    told = f"周德福 {NUMBER} 需要核实"
    record = f"visits {NUMBER} 1956-03-02 13800001111 东村"
    publish(
        tmp_path, "2026-11",
        [
            replace(DIBAO, message=told, evidence={"birth_date": "1956-03-02", "name": "周德福", "id": NUMBER}),
            Signal("DQ-LINK", None, subject="record", record=record, name="周德福"),
        ],
    ).take_in(sqlite_store)  # fmt: skip
    kept = json.dumps([dump(sqlite_store)[name] for name in ("alert", "alert_signal", "alert_event")], default=str)
    assert not re.search(r"\d{11}", kept) and "1956-03" not in kept
    assert [s["message"] for s in signals(sqlite_store, rule="GAP-DIBAO")] == ["周** ********1234 需要核实"]


def test_signals_that_look_alike_are_all_kept(store: Store, tmp_path: Path) -> None:
    month = publish(tmp_path, "2026-11", [DIBAO, replace(DIBAO, message="另一条"), replace(DIBAO, message="又一条")])
    month.take_in(store)
    assert [s["subject_key"] for s in signals(store)] == ["h:H1", "h:H1 #2", "h:H1 #3"]
    hold(store, month)


def test_thirty_thousand_signals_open_their_alerts_and_a_second_time_change_nothing(
    store: Store, tmp_path: Path
) -> None:
    month = publish(
        tmp_path, "2026-11",
        [replace(one, household=f"H{n}", name=f"周{n}") for n in range(15_000) for one in (DIBAO, MEDICAL)],
    )  # fmt: skip
    done = month.take_in(store)
    assert (done.signals, done.opened, done.joined) == (30_000, 15_000, 30_000)
    before = dump(store)
    assert [len(before[name]) for name in ("alert", "alert_signal", "alert_event", "taken_in")] == [15_000, 30_000, 15_000, 1]  # fmt: skip
    assert month.take_in(store, at=month.at + timedelta(9)).unchanged == 30_000
    assert dump(store) == before
    hold(store, month)


# --- taking in again


def test_a_run_taken_in_again_or_a_new_run_of_the_same_signals_changes_no_row(store: Store, tmp_path: Path) -> None:
    told = [DIBAO, MEDICAL, Signal("DQ-LINK", None, subject="record", record="x 1", name="李二", level="blue")]
    facts = {"H1": {"members": [{"age": 9}, {"severe": True}]}}
    month = publish(tmp_path, "2026-11", told, households=facts, scores={"H1": 0.123456})
    month.take_in(store)
    before = dump(store)
    month.take_in(store, at=month.at + timedelta(400))
    assert dump(store) == before
    same = publish(tmp_path, "2026-11", reversed(told), run="2026-11-2", households=facts, scores={"H1": 0.123456})
    assert same.take_in(store).unchanged == 3
    assert dump(store, "taken_in") == {name: rows for name, rows in before.items() if name != "taken_in"}
    assert [row[1] for row in dump(store)["taken_in"]] == ["2026-11-1", "2026-11-2"]


def test_a_month_later_standing_signals_only_say_that_they_were_seen(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [DIBAO, MEDICAL]).take_in(store)
    before = dump(store)
    month = publish(tmp_path, NEXT, [DIBAO, MEDICAL])
    month.take_in(store)
    assert {(s["first_period"], s["last_period"]) for s in signals(store)} == {("2026-11", NEXT)}
    after = dump(store)
    assert after["alert"] == before["alert"] and after["alert_event"] == before["alert_event"]
    hold(store, month)


def test_a_period_before_the_last_one_is_refused_in_words(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, NEXT, [DIBAO]).take_in(store)
    before = dump(store)
    done = publish(tmp_path, "2026-11", [MEDICAL]).take_in(store)
    assert done.signals == 0 and "2026-12" in done.refused
    assert dump(store) == before


def test_what_a_former_run_of_the_period_missed_was_never_gone(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [DIBAO, MEDICAL, replace(DIBAO, household="H2")]).take_in(store)
    close(store, 2, "A", 60)
    publish(tmp_path, NEXT, [DIBAO]).take_in(store)
    assert {(s["state"], s["gone_period"]) for s in signals(store, rule="RISK-MEDICAL")} == {("gone", NEXT)}
    month = publish(tmp_path, NEXT, [DIBAO, MEDICAL, replace(DIBAO, household="H2")], run="2026-12-2")
    month.take_in(store)
    assert [(s["rule"], s["state"], s["episode"], s["gone_period"]) for s in signals(store)] == [
        ("GAP-DIBAO", "standing", 1, None), ("GAP-DIBAO", "settled", 1, None), ("RISK-MEDICAL", "standing", 1, None),
    ]  # fmt: skip
    assert names(store, 1) == ["opened", "gone", "back"] and len(alerts(store)) == 2
    hold(store, month)


def test_the_app_knows_whether_the_newest_run_is_taken_in_and_the_next_command_makes_up_for_it(store: Store, tmp_path: Path) -> None:  # fmt: skip
    months = [publish(tmp_path, f"2026-{n:02}", [DIBAO]) for n in (9, 10, 11)]
    known = Publication("2026-11", tuple(Published(m.period, m.run, m.path) for m in reversed(months)))
    assert pending(store, known)
    months[0].take_in(store)
    assert pending(store, known)
    assert [done.period for done in catch_up(store, known, NOON)] == ["2026-10", "2026-11"]
    assert not pending(store, known) and catch_up(store, known, NOON) == []
    again = publish(tmp_path, "2026-11", [DIBAO], run="2026-11-2")
    renewed = Publication("2026-11", (Published("2026-11", again.run, again.path), *known.runs[1:]))
    assert pending(store, renewed)
    assert [done.run for done in catch_up(store, renewed, NOON)] == ["2026-11-2"]


def test_two_syncs_at_once_open_every_alert_once(store: Store, tmp_path: Path) -> None:
    month = publish(tmp_path, "2026-11", [replace(DIBAO, household=f"H{n}") for n in range(50)])
    failed: list[Exception] = []

    def sync() -> None:
        try:
            month.take_in(store)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=sync) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and len(alerts(store)) == 50
    assert len(dump(store)["taken_in"]) == 1
    hold(store, month)


# --- joining, rising, going


def test_new_signals_join_the_open_alert_and_raise_it(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [replace(MEDICAL, level="yellow")]).take_in(store)
    clerk = add_account(store, "township_staff", [(TOWN, None)])
    change(
        store, 1, status="assigned", assignee=clerk.account, due_date=date(2027, 3, 1), verify_due_date=date(2027, 3, 1)
    )
    month = publish(tmp_path, NEXT, [replace(MEDICAL, level="yellow"), DIBAO])
    done = month.take_in(store)
    assert (done.opened, done.joined, done.unchanged) == (0, 1, 1)
    [row] = alerts(store)
    due = add_working_days(month.day, 3)
    assert (row["level"], row["signals"], row["status"], row["assignee"]) == ("red", 2, "assigned", clerk.account)
    assert (row["due_date"], row["verify_due_date"], row["version"]) == (due, due, 2)
    assert (row["headline"], row["opened_period"]) == ("周**户命中 GAP-DIBAO", "2026-11")
    told = {"run": "2026-12-1", "period": NEXT}
    assert events(store)[1:] == [
        ("joined", {**told, "rules": ["GAP-DIBAO"], "why": ["new"]}),
        ("raised", {**told, "from": "yellow", "to": "red"}),
    ]


def test_a_signal_that_gets_more_urgent_raises_its_alert_and_brings_its_limit_forward(
    store: Store, tmp_path: Path
) -> None:
    publish(tmp_path, "2026-11", [replace(MEDICAL, level="blue")]).take_in(store)
    month = publish(tmp_path, "2026-11", [replace(MEDICAL, level="red")], run="2026-11-2")
    month.take_in(store)
    [row], [signal] = alerts(store), signals(store)
    due = add_working_days(month.day, 3)
    assert (row["level"], row["due_date"], row["verify_due_date"]) == ("red", due, due)
    assert (signal["level"], signal["due_date"]) == ("red", due)
    assert names(store) == ["opened", "raised"]


def test_what_joins_later_never_puts_a_limit_off_and_a_verified_alert_keeps_that_of_its_verification(store: Store, tmp_path: Path) -> None:  # fmt: skip
    publish(tmp_path, "2026-11", [DIBAO]).take_in(store)
    first = alerts(store)[0]["due_date"]
    publish(tmp_path, NEXT, [DIBAO, replace(MEDICAL, level="blue")]).take_in(store)
    assert alerts(store)[0]["due_date"] == first
    change(store, 1, status="following", verified_at=NOON, due_date=date(2027, 6, 1))
    month = publish(tmp_path, "2027-01", [DIBAO, MEDICAL, replace(MEDICAL, rule="RISK-RIGID")])
    month.take_in(store)
    [row] = alerts(store)
    assert (row["verify_due_date"], row["status"]) == (first, "following")
    assert row["due_date"] == add_working_days(month.day, 5)  # somebody must look at the new signal


def test_where_no_condition_holds_any_more_the_alert_says_so_and_stays_open(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [DIBAO, MEDICAL]).take_in(store)
    publish(tmp_path, NEXT, [MEDICAL]).take_in(store)
    [row] = alerts(store)
    assert (row["level"], row["signals"], row["rules"], row["offers_closing"]) == ("orange", 1, "RISK-MEDICAL", False)
    month = publish(tmp_path, "2027-01", [])
    assert month.take_in(store).gone == 1
    [row] = alerts(store)
    assert (row["offers_closing"], row["closed_at"], row["signals"], row["points"]) == (True, None, 0, 0)
    assert (row["headline"], row["rules"], row["level"]) == ("周**户命中 RISK-MEDICAL", "RISK-MEDICAL", "orange")
    assert row["why"] == [["none", 0, 0]] and row["find"].startswith("周德福 1234")
    assert names(store) == ["opened", "gone", "lowered", "gone"]
    assert [(s["state"], s["gone_period"]) for s in signals(store)] == [("gone", NEXT), ("gone", "2027-01")]
    hold(store, month)
    before = dump(store)
    month.take_in(store)
    assert dump(store) == before


def test_a_condition_that_returns_to_an_open_alert_is_a_new_episode_in_it(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [DIBAO]).take_in(store)
    publish(tmp_path, NEXT, []).take_in(store)
    month = publish(tmp_path, "2027-01", [DIBAO])
    month.take_in(store)
    [row] = alerts(store)
    assert (row["offers_closing"], row["signals"], row["version"]) == (False, 1, 3)
    assert [(s["episode"], s["state"]) for s in signals(store)] == [(1, "gone"), (2, "standing")]
    assert events(store)[-1][1]["why"] == ["returned"]
    hold(store, month)


def test_a_signal_follows_its_person_into_another_household(store: Store, tmp_path: Path) -> None:
    person = Signal("DQ-NAME", "H1", subject="person", person=102)
    publish(tmp_path, "2026-11", [person]).take_in(store)
    month = publish(tmp_path, NEXT, [replace(person, household="H2")])
    month.take_in(store)
    old, new = alerts(store)
    assert (old["offers_closing"], new["household_id"], new["signals"]) == (True, "H2", 1)
    assert [(s["alert_id"], s["episode"], s["state"]) for s in signals(store)] == [(1, 1, "gone"), (2, 2, "standing")]
    assert events(store, 1)[-1] == ("moved", {"run": "2026-12-1", "period": NEXT, "rules": ["DQ-NAME"], "alert": 2})
    hold(store, month)


# --- after a decision


def test_what_a_decision_settled_stays_quiet_until_its_day_and_then_opens_anew(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [DIBAO]).take_in(store)
    close(store, 1, days=59, at=datetime(2026, 12, 3, 4, tzinfo=NOON.tzinfo))  # until 31 January
    for period in (NEXT, "2027-01"):
        month = publish(tmp_path, period, [DIBAO])
        assert month.take_in(store).settled == 1
        assert len(alerts(store)) == 1 and names(store) == ["opened"]
        hold(store, month)
    month = publish(tmp_path, "2027-02", [DIBAO])
    month.take_in(store)
    _, row = alerts(store)
    assert (row["previous_id"], row["status"], row["opened_period"]) == (1, "new", "2027-02")
    assert [(s["alert_id"], s["episode"], s["state"]) for s in signals(store)] == [(1, 1, "gone"), (2, 2, "standing")]
    told = {"run": "2027-02-1", "period": "2027-02", "rules": ["GAP-DIBAO"]}
    assert events(store, 2) == [("opened", {**told, "why": ["quiet_over"], "previous": 1})]
    assert events(store, 1)[-1] == ("reopened", {**told, "alert": 2})
    hold(store, month)


@pytest.mark.parametrize(
    ("change_of", "opens"),
    [
        ({"evidence": {"income_pc": 450, "standard": 600}}, True),  # a tenth lower, further from the line
        ({"evidence": {"income_pc": 450.01, "standard": 600}}, False),
        ({"evidence": {"income_pc": 560, "standard": 600}}, False),  # nearer to the line
        ({"level": "yellow"}, False),
        ({"message": "换了说法", "evidence": {"income_pc": 500, "standard": 600, "size": 9}}, False),
    ],
)
def test_only_worse_evidence_breaks_the_quiet(
    store: Store, tmp_path: Path, change_of: dict[str, Any], opens: bool
) -> None:
    kept = replace(DIBAO, level="orange")
    publish(tmp_path, "2026-11", [kept]).take_in(store)
    close(store, 1)
    month = publish(tmp_path, NEXT, [replace(kept, **change_of)])
    month.take_in(store)
    assert len(alerts(store)) == (2 if opens else 1)
    assert [s["state"] for s in signals(store)] == (["gone", "standing"] if opens else ["settled"])
    hold(store, month)
    before = dump(store)
    month.take_in(store)
    assert dump(store) == before


def test_a_more_urgent_level_breaks_the_quiet(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [replace(DIBAO, level="orange")]).take_in(store)
    close(store, 1)
    publish(tmp_path, NEXT, [DIBAO]).take_in(store)
    assert [row["previous_id"] for row in alerts(store)] == [None, 1]
    assert events(store, 2)[0][1]["why"] == ["worse"]


def test_what_returns_after_help_opens_at_once_with_the_old_alert_in_view(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [DIBAO]).take_in(store)
    close(store, 1, "A", 60)
    publish(tmp_path, NEXT, []).take_in(store)
    month = publish(tmp_path, "2027-01", [DIBAO])
    month.take_in(store)
    assert [row["previous_id"] for row in alerts(store)] == [None, 1]
    assert events(store, 2)[0][1]["why"] == ["returned"]
    hold(store, month)


def test_a_false_alarm_stays_quiet_even_if_it_goes_and_comes_back(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [DIBAO]).take_in(store)
    close(store, 1, "M")
    publish(tmp_path, NEXT, []).take_in(store)
    month = publish(tmp_path, "2027-01", [DIBAO])
    assert month.take_in(store).settled == 1
    assert [(s["alert_id"], s["episode"], s["state"]) for s in signals(store)] == [(1, 1, "gone"), (1, 2, "settled")]
    assert len(alerts(store)) == 1 and names(store) == ["opened", "gone", "quiet"]
    hold(store, month)
    publish(tmp_path, "2027-02", [replace(DIBAO, evidence={"income_pc": 10, "standard": 600})]).take_in(store)
    assert len(alerts(store)) == 2


def test_a_new_matter_of_a_settled_household_opens_an_alert_beside_the_quiet_one(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [DIBAO]).take_in(store)
    close(store, 1)
    month = publish(tmp_path, NEXT, [DIBAO, MEDICAL])
    month.take_in(store)
    assert [(row["rules"], row["signals"], row["previous_id"]) for row in alerts(store)][1] == ("RISK-MEDICAL", 1, 1)
    hold(store, month)


def test_the_closed_alert_keeps_what_was_decided_upon(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [DIBAO]).take_in(store)
    close(store, 1)
    publish(tmp_path, NEXT, [replace(DIBAO, message="新的说法")]).take_in(store)
    assert [s["message"] for s in signals(store)] == ["周**户命中 GAP-DIBAO"]


def test_what_a_person_closed_by_the_book_stays_quiet_with_all_that_stood_and_was_shown(store: Store, tmp_path: Path) -> None:  # fmt: skip
    supported = {"H1": {"all_tekun": True}}
    month = publish(tmp_path, "2026-11", [DIBAO, MEDICAL], households=supported)
    month.take_in(store, at=NOON)
    clerk = add_account(store, "township_staff", [(TOWN, None)], person="陈静")
    [row] = alerts(store)
    today = local_day(NOON)
    card = work.record_visit(store, clerk, row["id"], row["version"], today, "陈静", True, "not_so", "收入已核实", NOON)
    visit = dealings(store, clerk, card.id, NOON).visits[0].id
    card = work.decide(store, clerk, card.id, card.version, "L", "收入高于标准", NOON, visit_id=visit)
    work.close(store, clerk, card.id, card.version, NOON)
    hold(store, month)
    month = publish(tmp_path, NEXT, [DIBAO, MEDICAL], households=supported)
    assert month.take_in(store, at=NOON).settled == 2
    assert len(alerts(store)) == 1
    hold(store, month)


def test_a_decision_on_an_older_view_than_the_runs_is_refused(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [DIBAO]).take_in(store, at=NOON)
    clerk = add_account(store, "township_staff", [(TOWN, None)])
    publish(tmp_path, NEXT, [DIBAO, MEDICAL]).take_in(store, at=NOON)
    with pytest.raises(work.TakenByOther, match="比对"):
        work.claim(store, clerk, 1, 1, NOON)
    assert work.claim(store, clerk, 1, 2, NOON).signals == 2


# --- full support, emergencies, clues


@pytest.mark.parametrize("support", ["whole_household_dibao", "all_tekun"])
def test_risk_signals_of_a_household_in_full_support_are_shown_and_raise_no_work(store: Store, tmp_path: Path, support: str) -> None:  # fmt: skip
    month = publish(tmp_path, "2026-11", [MEDICAL], households={"H1": {support: True}})
    assert month.take_in(store).shown == 1
    [row] = alerts(store)
    assert (row["raises_work"], row["signals"], row["due_date"], row["points"]) == (False, 0, None, 0)
    assert (row["rules"], row["level"], row["offers_closing"], row["why"]) == ("RISK-MEDICAL", "orange", False, [["shown", 0, 1]])  # fmt: skip
    hold(store, month)
    month = publish(tmp_path, NEXT, [MEDICAL])
    month.take_in(store)
    [row], [signal] = alerts(store), signals(store)
    due = add_working_days(month.day, 5)
    assert (row["raises_work"], row["signals"], row["due_date"], signal["due_date"]) == (True, 1, due, due)
    assert names(store) == ["opened", "raises_work"]
    publish(tmp_path, "2027-01", [MEDICAL], households={"H1": {support: True}}).take_in(store)
    assert alerts(store)[0]["raises_work"] is False and names(store)[-1] == "shown"


def test_other_signals_of_a_household_in_full_support_raise_work(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [MEDICAL, DIBAO], households={"H1": {"whole_household_dibao": True}}).take_in(store)
    [row] = alerts(store)
    assert (row["raises_work"], row["signals"], row["rules"]) == (True, 1, "GAP-DIBAO RISK-MEDICAL")
    assert row["why"] == [["level", 100, "red"], ["kind", 20, "gap"]]


def test_a_county_may_let_risk_signals_in_full_support_raise_work(store: Store, tmp_path: Path) -> None:
    month = publish(tmp_path, "2026-11", [MEDICAL], households={"H1": {"all_tekun": True}})
    with store.write() as con:
        con.execute(insert(setting).values(name=SHOWS_RISK, value=False, by="甲", at=NOON))
    month.take_in(store)
    assert alerts(store)[0]["raises_work"] is True
    month.take_in(store, AlertSettings(full_support_shows_risk=True))
    assert alerts(store)[0]["raises_work"] is False


def test_late_emergency_aid_goes_on_the_three_day_track_and_stays_there(store: Store, tmp_path: Path) -> None:
    late = Signal("PROC-EMERGENCY", "H1", subject="record", person=100, record="急难型 2026-11-03")
    month = publish(tmp_path, "2026-11", [late])
    month.take_in(store)
    [row] = alerts(store)
    assert row["emergency"] is True and row["due_date"] == add_working_days(month.day, 3)
    assert ["emergency", 60, True] in row["why"]
    publish(tmp_path, NEXT, [DIBAO]).take_in(store)
    assert alerts(store)[0]["emergency"] is True


def test_an_open_clue_keeps_its_alert_raised_and_from_offering_its_closing(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [DIBAO]).take_in(store)
    add_clue(store, 1)
    publish(tmp_path, NEXT, [replace(MEDICAL, level="blue")]).take_in(store)
    [row] = alerts(store)
    assert (row["level"], ["clue", 15, 1] in row["why"]) == ("red", True)
    month = publish(tmp_path, "2027-01", [])
    month.take_in(store)
    [row] = alerts(store)
    assert (row["offers_closing"], row["raises_work"], row["signals"], row["level"]) == (False, True, 0, "red")
    hold(store, month)


def test_signals_join_an_alert_that_a_clue_opened(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [DIBAO]).take_in(store)
    change(store, 1, origin="clue", emergency=True, level="orange", level_order=2)
    with store.write() as con:
        con.execute(delete(alert_signal))
    add_clue(store, 1, emergency=True)
    month = publish(tmp_path, NEXT, [replace(MEDICAL, level="blue")])
    assert month.take_in(store).opened == 0
    [row] = alerts(store)
    assert (row["level"], row["emergency"], row["signals"], row["origin"]) == ("orange", True, 1, "clue")
    hold(store, month)


# --- priority


def test_points_are_the_sum_of_their_parts_and_every_part_has_words(store: Store, tmp_path: Path) -> None:
    members = [{"age": 70, "lives_alone": True}, {"age": 15}, {"age": 3}, {"age": 16}, {"severe": True}, {"age": 2, "alive": False}]  # fmt: skip
    publish(tmp_path, "2026-11", [DIBAO, MEDICAL], households={"H1": {"members": members}}, scores={"H1": 0.7}).take_in(store)  # fmt: skip
    [row] = alerts(store)
    assert row["why"] == [
        ["level", 100, "red"], ["kind", 35, "gap risk"], ["score", 14, 0.7], ["child", 10, 2], ["elder_alone", 10, True],
        ["severe", 10, 1], ["signals", 4, 2],
    ]  # fmt: skip
    assert row["points"] == sum(points for _, points, _ in row["why"]) == 183
    assert float(row["score"]) == 0.7
    assert {part for part, *_ in row["why"]} <= set(WORDS) and set(WORDS.values()) <= set(catalogue("en"))
    assert all(WORDS[part].format(points=points, value=value) for part, points, value in row["why"])


def test_every_level_and_kind_of_the_rules_has_its_points() -> None:
    assert list(LEVEL) == list(LEVELS) and set(KIND) == set(KINDS)
    assert sorted(LEVEL.values(), reverse=True) == list(LEVEL.values())


def test_an_elder_is_alone_only_if_nobody_lives_with_them(sqlite_store: Store, tmp_path: Path) -> None:
    homes: dict[str, Any] = {
        "H1": {"members": [{"age": 60}]}, "H2": {"members": [{"age": 59}]}, "H3": {"members": [{"age": 80}, {"age": 80}]},
        "H4": {"members": [{"age": None}]}, "H5": {"members": [{"age": 80, "alive": False}]},
    }  # fmt: skip
    warehouse = Warehouse(publish(tmp_path, "2026-11", [], households=homes).path)
    found = households(warehouse, ["H1", "H2", "H3", "H4", "H5", "unknown"])
    assert found["elder_alone"].to_list() == [True, False, False, False, False]


def test_an_alert_of_a_clue_is_weighed_like_any_other() -> None:
    assert priority("orange", clues=2, emergency=True, elder_alone=True) == (
        160, [["level", 60, "orange"], ["emergency", 60, True], ["clue", 30, 2], ["elder_alone", 10, True]],
    )  # fmt: skip
    assert priority("red", clues=9)[1][1] == ["clue", 45, 9]
    assert priority("red", signals=9, kinds=["gap"])[0] == 100 + 20 + 16


def test_older_alerts_of_equal_points_come_first(store: Store, tmp_path: Path) -> None:
    publish(tmp_path, "2026-11", [DIBAO]).take_in(store)
    publish(tmp_path, NEXT, [DIBAO, replace(DIBAO, household="H2")]).take_in(store)
    old, new = alerts(store)
    assert (
        old["points"] == new["points"] and old["rank"] - new["rank"] == (new["opened_on"] - old["opened_on"]).days == 31
    )


# --- killed

ROOT = Path(__file__).parents[1]


def story(store: Store) -> list[Any]:
    """All that the store says of alerts, each alert by its subject and period instead of its number: a transaction that
    was undone may have used numbers up."""
    with store.read() as con:
        rows = {name: con.execute(select(table)).mappings().all() for name, table in _TABLES.items()}
    who = {row["id"]: (row["subject_key"], row["opened_period"], row["closed_at"]) for row in rows["alert"]}
    told = []
    for name, found in rows.items():
        for row in found:
            plain = {k: v for k, v in row.items() if k not in ("id", "alert_id", "previous_id", "detail")}
            detail = {k: who[v] if k in ("alert", "previous") else v for k, v in row.get("detail", {}).items()}
            told.append((name, who.get(row.get("alert_id")), who.get(row.get("previous_id")), plain, detail))
    return sorted(told, key=repr)


_TABLES = {
    "alert": alert,
    "alert_signal": alert_signal,
    "alert_event": alert_event,
    "quiet": quiet,
    "taken_in": taken_in,
}


def eventful(folder: Path) -> tuple[list[Month], Callable[[Store], None], Month]:
    """Months, what people did after them, and a month whose sync does everything that a sync can do."""
    many = [replace(DIBAO, household=f"H{n}", level="orange" if n == 2 else "red") for n in range(1, 7)]
    person = Signal("DQ-NAME", "H1", subject="person", person=102)
    before = [publish(folder, "2026-11", [*many, person, MEDICAL])]

    def people(store: Store) -> None:
        for household, days in (("H4", 0), ("H5", 200), ("H6", 200)):
            [row] = alerts(store, household_id=household)
            close(store, row["id"], days=days)

    told = [
        replace(many[0], level="yellow"), MEDICAL,  # eases
        replace(many[1], level="red"), replace(MEDICAL, household="H2"),  # gets more urgent; something joins
        many[3], many[4], replace(many[5], evidence={"income_pc": 1, "standard": 600}),  # quiet is over, holds, is broken
        replace(person, household="H2"), replace(DIBAO, household="H7"),  # moves; is new. H3's is gone
    ]  # fmt: skip
    return before, people, publish(folder, NEXT, told)


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_sync_killed_between_any_two_statements_loses_nothing_and_repeats_nothing(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    address = request.getfixturevalue("postgres") if database == "postgresql" else None
    origin = new_database(address) if address else None
    home = tmp_path / "home"
    months, people, month = eventful(tmp_path)
    store = open_store(home, origin)
    for earlier in months:
        earlier.take_in(store)
    people(store)
    before = story(store)
    store.close()
    undisturbed = open_store(*copied(home, origin, address, tmp_path / "undisturbed"))
    month.take_in(undisturbed)
    after = story(undisturbed)
    undisturbed.close()
    assert {event for name, *_, row, _ in after if name == "alert_event" for event in [row["event"]]} == {
        "opened", "joined", "gone", "moved", "reopened", "raised", "lowered",
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "tests.killed_sync"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdin and process.stdout
        for n in itertools.count(1):
            place, url = copied(home, origin, address, tmp_path / f"killed-{n}")
            told = {"home": str(place), "url": url, "path": str(month.path), "run": month.run, "period": month.period}
            line = json.dumps(told | {"as_of": str(month.as_of), "at": month.at.isoformat(), "n": n})
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            answer = process.stdout.readline().strip()
            store = open_store(place, url)
            assert story(store) == (after if answer == "done" else before), f"statement {n}"
            month.take_in(store)
            assert story(store) == after, f"after statement {n}"
            store.close()
            if answer != "killed":
                break
        process.stdin.close()
    assert answer == "done" and n > 15


def copied(home: Path, url: str | None, address: str | None, to: Path) -> tuple[Path, str | None]:
    """The same store at another place."""
    shutil.copytree(home, to)
    return to, new_database(address, url.rpartition("/")[2]) if address and url else None


# --- any months

_ANY = st.builds(
    lambda household, rule, level, income: Signal(
        rule, household, level, evidence={"income_pc": income, "standard": 600}
    ),
    st.sampled_from(["H1", "H2", "H3"]),
    st.sampled_from(["GAP-DIBAO", "RISK-RIGID"]),
    st.sampled_from(["red", "yellow"]),
    st.sampled_from([500, 100]),
)
_MONTHS = st.lists(
    st.tuples(
        st.lists(_ANY, max_size=5, unique_by=lambda one: (one.rule, one.household)),
        st.booleans(),  # a further run of the same period
        st.sampled_from([None, "H1", "H2"]),  # a household in full support
        st.lists(
            st.tuples(st.integers(0, 3), st.sampled_from("LA"), st.sampled_from([0, 40, 90])), max_size=2
        ),  # closings
    ),
    min_size=2,
    max_size=6,
)


def test_limits_count_from_the_runs_day_unless_it_came_later(sqlite_store: Store, tmp_path: Path) -> None:
    month = publish(tmp_path, "2026-11", [Signal(level="red")])
    early = datetime(2026, 11, 22, 4, tzinfo=UTC)
    month.take_in(sqlite_store, at=early)
    assert alerts(sqlite_store)[0]["due_date"] == add_working_days(month.as_of, 3)


def test_nobody_is_late_for_what_nobody_could_know(sqlite_store: Store, tmp_path: Path) -> None:
    month = publish(tmp_path, "2026-11", [Signal(level="red")])
    month.take_in(sqlite_store, at=datetime(2027, 1, 15, 4, tzinfo=UTC))
    assert alerts(sqlite_store)[0]["due_date"] == add_working_days(date(2027, 1, 15), 3)
    month.take_in(sqlite_store, at=datetime(2027, 1, 20, 4, tzinfo=UTC))
    assert alerts(sqlite_store)[0]["due_date"] == add_working_days(date(2027, 1, 15), 3)


def no_silence_without_reason(store: Store, signal: Signal, as_of: date) -> None:
    """A decision that is in force keeps it quiet, and it is not worse than it was then."""
    with store.read() as con:
        mine = select(quiet).where(quiet.c.rule == signal.rule, quiet.c.subject_key == f"h:{signal.household}")
        then = con.execute(mine.order_by(quiet.c.id.desc()).limit(1)).mappings().one()
    assert then["until"] >= as_of and LEVELS.index(signal.level) + 1 >= then["level_order"]
    if signal.rule in CONDITIONS:
        assert signal.evidence["income_pc"] > 0.9 * json.loads(then["evidence"])["income_pc"]


@pytest.mark.long
@settings(max_examples=15, deadline=None)
@given(months=_MONTHS)
def test_whatever_the_months_say_no_signal_is_lost_and_no_subject_has_two_open_alerts(
    months: list[tuple[list[Signal], bool, str | None, list[tuple[int, str, int]]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    store = open_store(folder / "home")
    number = 0
    for n, (told, again, supported, closings) in enumerate(months):
        number += not again or not n
        facts = {supported: {"all_tekun": True}} if supported else {}
        month = publish(folder, f"2026-{number:02}", told, run=f"r{n}", households=facts)
        closed = len([row for row in alerts(store) if row["closed_at"]])
        done = month.take_in(store)
        assert done.signals == done.joined + done.settled + done.unchanged == len(told)
        assert len([row for row in alerts(store) if row["closed_at"]]) == closed
        hold(store, month)
        held = {(s["rule"], s["subject_key"]): s for s in signals(store) if s["state"] != "gone"}
        assert {(one.rule, f"h:{one.household}") for one in told} == set(held)
        for one in told:
            if held[one.rule, f"h:{one.household}"]["state"] == "settled":
                no_silence_without_reason(store, one, month.as_of)
        before = dump(store)
        month.take_in(store, at=NOON)
        assert dump(store) == before
        unclosed = [row["id"] for row in alerts(store) if not row["closed_at"]]
        for place, outcome, days in closings:
            if place < len(unclosed):
                close(store, unclosed[place], outcome, days, at=month.at)
                unclosed[place : place + 1] = []
    store.close()


# --- worse


@pytest.mark.parametrize(
    ("condition", "before", "now", "worse"),
    [
        ("income_pc < standard", {"income_pc": 500, "standard": 600}, {"income_pc": 450, "standard": 600}, True),
        ("income_pc < standard", {"income_pc": 500, "standard": 600}, {"income_pc": 450.1, "standard": 600}, False),
        ("income_pc < standard", {"income_pc": 500, "standard": 600}, {"income_pc": 550, "standard": 600}, False),
        ("income_pc < standard", {"income_pc": 500, "standard": 600}, {"income_pc": 500, "standard": 660}, True),
        ("income_pc < standard", {"income_pc": 500, "standard": 600}, {"income_pc": 500, "standard": 540}, False),
        ("income_pc > standard", {"income_pc": 700, "standard": 600}, {"income_pc": 770, "standard": 600}, True),
        ("income_pc > standard", {"income_pc": 700, "standard": 600}, {"income_pc": 600.5, "standard": 600}, False),
        ("NOT (income_pc >= standard)", {"income_pc": 500, "standard": 600}, {"income_pc": 400, "standard": 600}, True),
        ("income_pc < 0", {"income_pc": -100}, {"income_pc": -110}, True),
        ("loss > 0", {"loss": 0}, {"loss": 1}, True),  # of nothing, anything is more than a tenth
        ("paid >= $share * income", {"paid": 60, "income": 100}, {"paid": 60, "income": 90}, True),
        ("before - latest >= 0.3 * before", {"before": 100, "latest": 60}, {"before": 100, "latest": 54}, True),
        ("paid / nullif(income, 0) > 0.5", {"paid": 60, "income": 100}, {"paid": 60, "income": 90}, True),
        ("-balance > 5", {"balance": -10}, {"balance": -12}, True),
        # two lines: what leads away from the nearest of them
        ("x >= 100 AND x < 200", {"x": 120}, {"x": 140}, True),
        ("x >= 100 AND x < 200", {"x": 120}, {"x": 105}, False),
        ("x BETWEEN 100 AND 200", {"x": 180}, {"x": 160}, True),
        ("abs(x - 10) > 5", {"x": 20}, {"x": 30}, True),
        ("abs(x - 10) > 5", {"x": 0}, {"x": -5}, True),
        ("abs(x - 10) > 5", {"x": 30}, {"x": 20}, False),
        # the unknown that became known, and the other way about
        ("NOT known OR x < 10", {"x": None}, {"x": 5}, True),
        ("NOT known OR x < 10", {"x": None}, {"x": 15}, False),
        ("x < 10", {"x": 5}, {"x": None}, False),
        # no news: a birthday, a word, a flag, another column, the same
        ("age >= 6 AND age <= 15", {"age": 6}, {"age": 7}, False),
        ("kind = '甲' AND flag", {"kind": "甲", "flag": False}, {"kind": "乙", "flag": True}, False),
        ("x < 10", {"x": 5, "y": 1}, {"x": 5, "y": 100}, False),
        ("x < 10", {"x": 5}, {"x": 5}, False),
        ("这不是条件 (", {"x": 5}, {"x": 1}, False),
    ],
)  # fmt: skip
def test_evidence_is_worse_if_it_moved_a_tenth_further_in(condition: str, before: Any, now: Any, worse: bool) -> None:
    assert evidence_is_worse(condition, json.dumps(before), json.dumps(now)) is worse


def test_evidence_that_cannot_be_read_counts_as_worse() -> None:
    assert evidence_is_worse("x < 10", '{"x": 5}', "[5]") and evidence_is_worse("x < 10", "{", '{"x": 5}')


def test_the_direction_of_every_compared_column_of_the_shipped_rules_is_known_or_two_sided() -> None:
    assert {line.direction("income_pc") for line in lines_of(CONDITIONS["GAP-DIBAO"])} == {-1}
    assert {line.direction("standard") for line in lines_of(CONDITIONS["GAP-DIBAO"])} == {1}
    assert lines_of("paid >= $share * income")[0].direction("income") == -1
    assert lines_of("a - b * -2 > 0")[0].direction("b") == 1


def test_the_packs_working_days_are_those_of_the_run(warehouse: Warehouse) -> None:
    assert limits(warehouse) == {"red": 3, "orange": 5, "yellow": 10, "blue": 20}


# --- the balances find what is wrong


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (lambda con: con.execute(delete(alert_signal).where(alert_signal.c.rule == "GAP-DIBAO")), "alerts_signals"),
        (lambda con: con.execute(update(alert_signal).values(subject_key="h:H9")), "alerts_signals"),
        (lambda con: con.execute(delete(alert_signal)), "alerts_cause"),
        (lambda con: con.execute(update(alert).values(closed_at=NOON)), "alerts_standing"),
        (lambda con: con.execute(update(alert_signal).values(state="settled")), "alerts_settled"),
        (lambda con: con.execute(update(taken_in).values(run_id="2026-11-9")), "alerts_taken_in"),
    ],
)
def test_a_balance_that_does_not_hold_is_told(store: Store, tmp_path: Path, spoil: Any, name: str) -> None:
    month = publish(tmp_path, "2026-11", [DIBAO])
    month.take_in(store)
    with store.write() as con:
        spoil(con)
    checks = {check.name: check for check in check_balance(store, Warehouse(month.path))}
    assert not checks[name].ok and checks[name].words and checks[name].words_en


def test_the_real_sample_is_taken_in_and_balances(store: Store, published_home: Path) -> None:
    from monitoring.warehouse import publication

    known = publication(published_home)
    done = catch_up(store, known, NOON)
    warehouse = Warehouse(known.run_of(None).path)
    assert [check.words for check in check_balance(store, warehouse) if not check.ok] == []
    now = signals_of_run(warehouse)
    assert done[-1].signals == len(now) == now.select(pl.struct("rule", "subject_key")).n_unique()
    before = dump(store)
    newest = known.run_of(None)
    Month(newest.path, newest.run, newest.period, date(2026, 11, 30)).take_in(store)
    assert dump(store) == before
