"""The two clocks: stages add up to the total whatever is missing; late data and late work are told apart; medians by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from monitoring.access import Scope
from monitoring.alerts.clocks import clocks
from monitoring.clocks import MILESTONES, ORDER, STEPS, clock, late_share, medians, slowest
from monitoring.people import Caller, operator
from monitoring.queries.happenings import HAPPENED, feeds_of_rules, happened
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal, clue, measure, taken_in, visit
from monitoring.warehouse import Warehouse
from monitoring.working_days import working_days_between
from tests.people import add_account
from tests.some_alerts import add_alert, signal_row
from tests.stores import NOON
from tests.two_months import TwoMonths

OPERATOR = operator("test")
DAYS = st.dates(date(2025, 1, 1), date(2026, 12, 31))
CASE = st.fixed_dictionaries({name: st.none() | DAYS for name in ORDER})


@settings(max_examples=80, deadline=None)
@given(CASE)
def test_stages_add_up_to_the_total_exactly(days: dict[str, date | None]) -> None:
    told = clock(days)
    known = [name for name in ORDER if days[name]]
    if len(known) < 2:
        assert told.days is None and told.stages == ()
        return
    assert sum(stage.days for stage in told.stages) == told.days
    assert sum(stage.working for stage in told.stages) == told.working
    assert [stage.first for stage in told.stages] == known[:-1] and told.stages[-1].last == known[-1]
    assert {*known, *told.unknown, *told.to_come} == set(MILESTONES)
    assert {name for stage in told.stages for name in stage.skipped} <= set(told.unknown)


def test_what_is_missing_is_unknown_before_the_last_known_milestone_and_not_yet_after_it() -> None:
    told = clock({"event": date(2026, 11, 2), "alert": date(2026, 11, 9), "decision": date(2026, 11, 13)})
    assert told.unknown == ("delivered", "visit") and told.to_come == ("help",)
    assert [(s.first, s.last, s.days, s.working, s.skipped) for s in told.stages] == [
        ("event", "alert", 7, 5, ("delivered",)), ("alert", "decision", 4, 4, ("visit",)),
    ]  # fmt: skip


def test_working_days_leave_out_the_national_holiday() -> None:
    told = clock({"alert": date(2025, 9, 30), "visit": date(2025, 10, 9)})
    assert (told.days, told.working) == (9, 1)  # 1 to 8 October 2025 were free


def test_help_that_came_before_the_decision_is_a_negative_stage() -> None:
    told = clock({"alert": date(2026, 11, 2), "decision": date(2026, 11, 12), "help": date(2026, 11, 4)})
    assert [stage.days for stage in told.stages] == [10, -8] and told.days == 2


def days_between(first: date | None, last: date | None) -> int:
    assert first is not None and last is not None
    return (last - first).days


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema: dict[str, Any] = {"alert_id": pl.Int64, "department": pl.String, **dict.fromkeys(ORDER, pl.Date)}
    return pl.DataFrame([{**dict.fromkeys(schema), **row} for row in rows], schema=schema)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["医保", "民政", None]), CASE), min_size=1, max_size=12))
def test_medians_are_those_of_the_cases_by_hand(cases: list[tuple[str | None, dict[str, date | None]]]) -> None:
    rows = frame([{"alert_id": n, "department": who, **days} for n, (who, days) in enumerate(cases)])
    found = {row["department"]: row for row in medians(rows, "department").to_dicts()}
    assert sum(row["cases"] for row in found.values()) == len(cases)
    for who, row in found.items():
        for first, last in STEPS:
            spans = [(d[first], d[last]) for own, d in cases if own == who and d[first] and d[last]]
            lengths = [(b - a).days for a, b in spans]  # type: ignore[operator]
            working = [working_days_between(a, b) for a, b in spans]  # type: ignore[arg-type]
            name = f"{first}_{last}"
            assert row[f"{name}_known"] == len(spans)
            assert row[name] == (median(lengths) if lengths else None)
            assert row[f"{name}_working"] == (median(working) if working else None)
            listed, total = slowest(rows, name, "department", who)
            assert total == len(spans) and listed[name].to_list() == sorted(lengths, reverse=True)
        ends = [d for own, d in cases if own == who and d["event"] and d["alert"] and d["help"]]
        data, work = (
            (sum(max(days_between(d[a], d[b]), 0) for d in ends)) for a, b in (("event", "alert"), ("alert", "help"))
        )
        assert row["whole"] == len(ends)
        if data + work:
            assert row["data_share"] == pytest.approx(data / (data + work)) and row["work_share"] == pytest.approx(
                work / (data + work)
            )
        else:
            assert row["data_share"] is None and row["work_share"] is None


def test_the_share_of_late_data_rests_on_cases_whose_ends_are_known() -> None:
    day = date(2026, 11, 2)
    whole = {"event": day, "alert": day + timedelta(30), "help": day + timedelta(40)}
    assert late_share(frame([{"alert_id": 1, **whole}, {"alert_id": 2, "alert": day}])) == (0.75, 1)
    assert late_share(frame([{"alert_id": 2, "alert": day}])) == (None, 0)


# --- from the case store and the published run


@pytest.fixture(scope="module")
def now(two_months: TwoMonths) -> Iterator[Warehouse]:
    opened = Warehouse(two_months.files[1])
    yield opened
    opened.close()


def case(store: Store, house: str, rule: str, **fields: Any) -> int:
    """A household's alert of November with one signal."""
    place = {"township": "甲镇" if house[1] == "1" else "乙镇", "village": "东村"}
    key = add_alert(store, household_id=house, opened_on=date(2026, 11, 23), **(place | fields))
    with store.write() as con:
        con.execute(insert(alert_signal).values(signal_row(key, rule, house)))
    return key


def seen_and_helped(store: Store, key: int, account: int) -> None:
    with store.write() as con:
        con.execute(insert(visit).values(alert_id=key, household_id="H210", date=date(2026, 11, 25), visitor="林秋", met=True,
                                         note="", finding="confirmed", account_id=account, at=NOON))  # fmt: skip
        con.execute(insert(measure).values(alert_id=key, household_id="H210", kind="temporary", amount=500, monthly=False,
                                           start=date(2026, 12, 4), responsible="何山", note="", account_id=account, at=NOON))  # fmt: skip
        told = {"decided_at": datetime(2026, 11, 27, 2, tzinfo=UTC), "helped_at": datetime(2026, 12, 5, 2, tzinfo=UTC)}
        con.execute(update(alert).where(alert.c.id == key).values(told))


def row_of(store: Store, caller: Caller, warehouse: Warehouse, key: int, **more: Any) -> dict[str, Any]:
    return clocks(store, caller, warehouse, NOON, **more).filter(pl.col("alert_id") == key).row(0, named=True)


def test_a_flooded_house_from_the_flood_to_the_money(store: Store, now: Warehouse) -> None:
    key = case(store, "H210", "RISK-DISASTER")
    seen_and_helped(store, key, add_account(store, "county_staff").account)
    row = row_of(store, OPERATOR, now, key)
    assert (row["feed"], row["department"]) == ("disasters", "应急")
    days = [row[name] for name in ORDER]
    # The flood's row came with November's delivery; the alert of the 23rd cannot be earlier than its data.
    assert days == [
        date(2026, 10, 12),
        date(2026, 11, 23),
        *(date(2026, m, d) for m, d in ((11, 23), (11, 25), (11, 27), (12, 4))),
    ]
    told = clock(dict(zip(ORDER, days, strict=True)))
    assert told.days == (date(2026, 12, 4) - date(2026, 10, 12)).days and told.unknown == () and told.to_come == ()


def test_data_came_on_the_day_of_the_run_that_took_them_in(store: Store, now: Warehouse) -> None:
    key = case(store, "H210", "RISK-DISASTER")
    with store.write() as con:
        con.execute(insert(taken_in).values(run_id="r", period="2026-11", as_of=date(2026, 11, 30), at=NOON - timedelta(days=3),
                                            signals=1, opened=1, joined=1, gone=0))  # fmt: skip
    assert row_of(store, OPERATOR, now, key, helped=False)["delivered"] == date(2026, 11, 20)


def test_only_helped_ones_are_timed_unless_all_are_asked_for(sqlite_store: Store, now: Warehouse) -> None:
    case(sqlite_store, "H210", "RISK-DISASTER")
    assert clocks(sqlite_store, OPERATOR, now, NOON).is_empty()
    assert clocks(sqlite_store, OPERATOR, now, NOON, helped=False, household_id="H210").height == 1
    assert clocks(sqlite_store, OPERATOR, now, NOON, helped=False, household_id="H101").is_empty()


def test_a_fact_that_nobody_knows_is_unknown(sqlite_store: Store, now: Warehouse) -> None:
    key = case(sqlite_store, "H999", "RISK-DISASTER")
    row = row_of(sqlite_store, OPERATOR, now, key, helped=False)
    assert (row["event"], row["delivered"], row["department"]) == (None, None, None)


def test_a_register_that_is_handed_in_whole_does_not_tell_when_a_row_came(sqlite_store: Store, now: Warehouse) -> None:
    key = case(sqlite_store, "H109", "PROC-VISIT-MONITORED")
    row = row_of(sqlite_store, OPERATOR, now, key, helped=False)
    assert row["feed"] == "monitored" and row["event"] == date(2025, 5, 5) and row["delivered"] is None


def test_a_typed_clue_begins_with_the_call(sqlite_store: Store, now: Warehouse) -> None:
    account = add_account(sqlite_store, "county_staff").account
    key = case(sqlite_store, "H210", "RISK-DISASTER", origin="clue")
    with sqlite_store.write() as con:
        con.execute(insert(clue).values(alert_id=key, channel="hotline", received_on=date(2026, 11, 19), caller="赵大", caller_key="x",
                                        person="赵", text="没有收入", emergency=False, due_date=date(2026, 12, 1), account_id=account, at=NOON))  # fmt: skip
    row = row_of(sqlite_store, OPERATOR, now, key, helped=False)
    assert (row["event"], row["delivered"], row["department"]) == (date(2026, 11, 19), date(2026, 11, 23), "主动发现")


def test_clocks_stay_within_places(sqlite_store: Store, now: Warehouse) -> None:
    case(sqlite_store, "H210", "RISK-DISASTER")
    mine = case(sqlite_store, "H110", "PROC-VISIT-MONITORED")
    town = add_account(sqlite_store, "township_staff", [("甲镇", None)])
    assert clocks(sqlite_store, town, now, NOON, helped=False)["alert_id"].to_list() == [mine]
    assert clocks(sqlite_store, OPERATOR, now, NOON, helped=False, picked=Scope(townships=("甲镇",)))[
        "alert_id"
    ].to_list() == [mine]


def test_rules_name_their_happenings_by_their_inputs(now: Warehouse) -> None:
    found = feeds_of_rules(now, Scope())
    assert (
        "disasters" in found["RISK-DISASTER"]
        and "medical" in found["RISK-MEDICAL"]
        and "deaths" in found["RISK-EARNER-DEATH"]
    )
    assert all(set(feeds) <= set(HAPPENED) for feeds in found.values())


def test_happenings_are_those_of_the_rows(now: Warehouse) -> None:
    rows = happened(now, Scope(), ("H210", "H106"))
    told = {(row["household_id"], row["feed"], row["happened"], row["delivered"]) for row in rows.to_dicts()}
    assert ("H210", "disasters", date(2026, 10, 12), 202611) in told and (
        "H106",
        "deaths",
        date(2026, 11, 3),
        202611,
    ) in told
    assert {row["household_id"] for row in rows.to_dicts()} == {"H210", "H106"} and happened(
        now, Scope(), ()
    ).is_empty()
