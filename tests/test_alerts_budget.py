"""The plan of visits: what is required is never rationed, the rest is ranked to fit, nothing is dropped; and what visits find."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from monitoring.alerts import budget
from monitoring.alerts.budget import Hand, Plan, ToVisit, end_of_week, plan, why_required
from monitoring.alerts.finds import Expected, Past, Sign, chance, expected, expected_finds
from monitoring.people import Denied
from monitoring.store import Store
from monitoring.store.schema import alert_signal, visit
from tests.people import OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE, Known, add_account
from tests.some_alerts import TODAY, add_alert, signal_row
from tests.stores import NOON

SUNDAY = date(2026, 11, 29)
PLACES = [("甲镇", "一村"), ("甲镇", "二村"), ("甲镇", None), ("乙镇", "三村"), (None, None)]
LATER = date(2026, 12, 20)


def to_visit(number: int, **fields: Any) -> ToVisit:
    """An alert that nothing requires, of 甲镇 一村; changed by `fields`."""
    row = {"township": "甲镇", "village": "一村", "assignee": None, "level": "orange", "emergency": False,
           "due_date": LATER, "rank": 0}  # fmt: skip
    return ToVisit(number, **{**row, **fields})


def hand(account: int, visits: int, *places: tuple[str, str | None], reach: str = "village") -> Hand:
    return Hand(account, f"员{account}", reach, places, visits)


any_alert = st.builds(
    lambda number, place, **fields: to_visit(number, township=place[0], village=place[1], **fields),
    st.just(0),
    st.sampled_from(PLACES),
    assignee=st.sampled_from([None, None, 1, 2, 99]),
    level=st.sampled_from(["red", "orange", "yellow", "blue"]),
    emergency=st.sampled_from([False, False, False, True]),
    due_date=st.sampled_from([None, TODAY - timedelta(1), TODAY, SUNDAY, SUNDAY + timedelta(1), LATER]),
    rank=st.integers(-5, 5),
)
alerts_of_any_kind = st.lists(any_alert, max_size=40).map(
    lambda rows: [row._replace(id=n) for n, row in enumerate(rows)]
)
any_hands = st.lists(
    st.tuples(st.integers(0, 6), st.lists(st.sampled_from([("甲镇", "一村"), ("甲镇", "二村"), ("甲镇", None), ("乙镇", "三村")]),
                                          max_size=2, unique=True)), max_size=4
).map(lambda rows: [hand(n, visits, *places) for n, (visits, places) in enumerate(rows, 1)])  # fmt: skip


@settings(deadline=None)
@given(alerts_of_any_kind, any_hands)
def test_nothing_is_rationed_that_is_required_and_nothing_is_dropped(alerts: list[ToVisit], hands: list[Hand]) -> None:
    made = plan(alerts, hands, TODAY, SUNDAY)
    must = {one.id for one in alerts if why_required(one, TODAY, SUNDAY)}
    assert {planned.alert.id for planned in made.required} == must
    told = [one.alert for part in (made.required, made.ranked, made.left) for one in part]
    assert sorted(told) == sorted(alerts)
    assert sum(v.required + v.ranked + v.left for v in made.villages) == len(alerts)
    assert sum(made.left_by_reason().values()) == len(made.left)


@settings(deadline=None)
@given(alerts_of_any_kind, any_hands)
def test_no_hand_does_more_than_they_can_but_by_what_is_required(alerts: list[ToVisit], hands: list[Hand]) -> None:
    made = plan(alerts, hands, TODAY, SUNDAY)
    for told in made.hands:
        assert told.required + told.ranked <= max(told.visits, told.required)
    places = {one.account: one for one in hands}
    for planned in [*made.required, *made.ranked]:
        if planned.alert.assignee is not None:
            assert planned.account == planned.alert.assignee
        elif planned.account is not None:
            own = places[planned.account].places or ()
            assert planned.alert.place in own or (planned.alert.township, None) in own


@settings(deadline=None)
@given(alerts_of_any_kind, any_hands)
def test_nobody_is_passed_over_by_a_less_urgent_neighbour(alerts: list[ToVisit], hands: list[Hand]) -> None:
    made = plan(alerts, hands, TODAY, SUNDAY)
    for one in made.left:
        same = [
            p.alert for p in made.ranked if (p.alert.place, p.alert.assignee) == (one.alert.place, one.alert.assignee)
        ]
        assert all(other.rank >= one.alert.rank for other in same)
        if one.reason == "nobody":
            assert same == []


@settings(deadline=None)
@given(alerts_of_any_kind, any_hands, st.randoms(use_true_random=False))
def test_the_plan_does_not_depend_on_the_order_of_what_it_is_made_of(
    alerts: list[ToVisit], hands: list[Hand], chance: random.Random
) -> None:
    shuffled, others = list(alerts), list(hands)
    chance.shuffle(shuffled)
    chance.shuffle(others)
    assert plan(shuffled, others, TODAY, SUNDAY) == plan(alerts, hands, TODAY, SUNDAY)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"emergency": True, "due_date": None}, "emergency"),
        ({"due_date": TODAY - timedelta(1)}, "overdue"),
        ({"level": "red", "due_date": TODAY - timedelta(1)}, "overdue"),
        ({"level": "red"}, "red"),
        ({"due_date": TODAY}, "due"),
        ({"due_date": SUNDAY}, "due"),
        ({"due_date": SUNDAY + timedelta(1)}, ""),
        ({"due_date": None}, ""),
    ],
)
def test_what_is_required_says_why(fields: dict[str, Any], why: str) -> None:
    assert why_required(to_visit(1, **fields), TODAY, SUNDAY) == why


def test_what_is_required_is_planned_beyond_what_the_hands_can_do_and_takes_their_visits_first() -> None:
    alerts = [
        to_visit(1, rank=9),
        to_visit(2, level="red"),
        to_visit(3, level="red", rank=1),
        to_visit(4, emergency=True),
    ]
    made = plan(alerts, [hand(7, 2, ("甲镇", "一村"))], TODAY, SUNDAY)
    assert [one.alert.id for one in made.required] == [4, 3, 2]
    assert (made.ranked, made.left_by_reason()["no_visits_left"], made.over, made.visits) == ([], 1, 1, 2)
    assert [(v.hands, v.visits, v.required, v.ranked, v.left) for v in made.villages] == [(1, 2, 3, 0, 1)]


def test_the_rest_is_ranked_to_fit() -> None:
    alerts = [to_visit(n, rank=n) for n in range(5)]
    made = plan(alerts, [hand(7, 2, ("甲镇", "一村"))], TODAY, SUNDAY)
    assert [one.alert.id for one in made.ranked] == [4, 3]
    assert [(one.alert.id, one.reason) for one in made.left] == [(n, "no_visits_left") for n in (2, 1, 0)]


def test_a_village_without_a_worker_is_the_townships_and_without_one_it_is_told() -> None:
    village, town = hand(1, 5, ("甲镇", "一村")), hand(2, 1, ("甲镇", None), reach="township")
    alerts = [
        to_visit(1, village="二村", rank=2),
        to_visit(2, village="二村", rank=1),
        to_visit(3, township="乙镇", rank=3),
    ]
    made = plan(alerts, [village, town], TODAY, SUNDAY)
    assert [(one.alert.id, one.account) for one in made.ranked] == [(1, 2)]
    assert {one.alert.id: one.reason for one in made.left} == {2: "no_visits_left", 3: "nobody"}
    assert {(v.township, v.village): v.hands for v in made.villages} == {
        ("甲镇", "一村"): 1, ("甲镇", "二村"): 0, ("乙镇", "一村"): 0,
    }  # fmt: skip


def test_an_alert_is_for_the_person_who_has_it() -> None:
    free, busy = hand(1, 5, ("甲镇", "一村")), hand(2, 0, ("甲镇", "一村"))
    alerts = [to_visit(1, assignee=2), to_visit(2, assignee=99), to_visit(3, assignee=99, level="red")]
    made = plan(alerts, [free, busy], TODAY, SUNDAY)
    assert {one.alert.id: one.reason for one in made.left} == {1: "no_visits_left", 2: "elsewhere"}
    assert [(one.alert.id, one.account) for one in made.required] == [(3, 99)]


@pytest.mark.parametrize(
    ("today", "until"),
    [(date(2026, 11, 23), SUNDAY), (date(2026, 11, 27), SUNDAY), (date(2026, 11, 28), date(2026, 12, 6)),
     (date(2026, 10, 1), date(2026, 10, 11))],
)  # fmt: skip
def test_a_plan_ends_with_a_week_in_which_there_is_work(today: date, until: date) -> None:
    assert end_of_week(today) == until


def planned(store: Store, who: Known, **named: Any) -> Plan:
    return budget.plan_visits(store, who, NOON, **named)


def test_only_what_waits_for_a_visit_is_planned(store: Store) -> None:
    me = add_account(store, "township_staff", [(TOWN, None)])
    mine: dict[str, Any] = {"assignee": me.account, "due_date": LATER}
    wanted = {
        add_alert(store, due_date=LATER), add_alert(store, **mine, status="assigned"), add_alert(store, **mine, status="returned"),
        add_alert(store, **mine, status="verifying"), add_alert(store, **mine, status="assigned", raises_work=False),
        add_alert(store, **mine | {"due_date": SUNDAY}, status="following"),
        add_alert(store, subject="record", household_id=None, village=None, due_date=LATER),
    }  # fmt: skip
    add_alert(store, raises_work=False)
    add_alert(store, **mine, status="verifying", verified_at=NOON)
    add_alert(store, **mine, status="following")
    add_alert(store, **mine, status="decided")
    add_alert(store, **mine, status="referred")
    add_alert(store, **mine, status="closed", closed_at=NOON)
    add_alert(store, subject="institution", household_id=None)
    add_alert(store, township=OTHER_TOWN)
    made = planned(store, me)
    assert {one.alert.id for part in (made.required, made.ranked, made.left) for one in part} == wanted
    assert (made.today, made.until, made.days, made.visits) == (TODAY, SUNDAY, 5, 10)


def test_visits_are_those_of_the_working_days_left_less_what_was_done_today(store: Store) -> None:
    me = add_account(store, "village_staff", [(TOWN, VILLAGE)])
    neighbour = add_account(store, "village_staff", [(TOWN, OTHER_VILLAGE)])
    add_account(store, "village_staff", [(OTHER_TOWN, VILLAGE)])
    key = add_alert(store)
    for day in (TODAY, TODAY, TODAY - timedelta(1)):
        row = {"alert_id": key, "date": day, "visitor": "甲", "met": True, "note": "", "finding": "confirmed",
               "account_id": me.account, "at": NOON}  # fmt: skip
        with store.write() as con:
            con.execute(insert(visit).values(row))
    boss = add_account(store, "township_staff", [(TOWN, None)])
    county = add_account(store, "county_staff")
    assert [one.visits for one in planned(store, me).hands] == [8]
    assert {one.account: one.visits for one in planned(store, boss, until=TODAY).hands} == {
        me.account: 0, neighbour.account: 2, boss.account: 2,
    }  # fmt: skip
    assert len(planned(store, county).hands) == 5 and len(planned(store, county, township=TOWN).hands) == 3


def test_a_plan_is_for_those_who_work_and_lead(sqlite_store: Store) -> None:
    analyst = add_account(sqlite_store, "analyst")
    for service in (lambda: planned(sqlite_store, analyst), lambda: expected_finds(sqlite_store, analyst, [], NOON)):
        with pytest.raises(Denied):
            service()


MEDICAL, WATER, GAP = (
    Sign("risk", "RISK-MEDICAL", "red"),
    Sign("risk", "RISK-WATER", "red"),
    Sign("gap", "GAP-DIBAO", "red"),
)


def test_without_any_visit_what_is_found_is_unknown() -> None:
    assert expected([MEDICAL, None], []) == Expected(2, None, 0)


def test_a_rule_without_visits_has_its_kinds_share_and_a_kind_without_any_the_countys() -> None:
    past = [Past(MEDICAL, 90, 60)]
    county = 61 / 92
    kind = (60 + 10 * county) / 100
    assert chance(GAP, past) == pytest.approx(county) == chance(None, past)
    assert chance(WATER, past) == pytest.approx(kind)
    assert chance(MEDICAL, past) == pytest.approx((60 + 10 * kind) / 100)


@settings(deadline=None)
@given(
    st.lists(st.builds(Past, st.sampled_from([MEDICAL, WATER, GAP]), st.integers(1, 50), st.just(0)), min_size=1),
    st.data(),
)
def test_an_expectation_lies_between_none_and_all_and_rises_with_what_was_confirmed(
    past: list[Past], data: st.DataObject
) -> None:
    some = [cell._replace(confirmed=data.draw(st.integers(0, cell.visits))) for cell in past]
    all_of_them = [cell._replace(confirmed=cell.visits) for cell in past]
    for sign in (MEDICAL, WATER, GAP, None):
        assert 0 < chance(sign, past) <= chance(sign, some) <= chance(sign, all_of_them) < 1


def test_the_next_visits_are_expected_to_find_what_such_visits_found(store: Store) -> None:
    me = add_account(store, "township_staff", [(TOWN, None)])
    rules = {"RISK-MEDICAL": ["confirmed", "confirmed", "not_so"], "GAP-DIBAO": ["unclear"]}
    for rule, findings in rules.items():
        for finding in findings:
            key = add_alert(store, status="closed", closed_at=NOON, township=OTHER_TOWN)
            done(store, me, key, rule, finding, TODAY - timedelta(30))
    old = add_alert(store, status="closed", closed_at=NOON)
    done(store, me, old, "RISK-MEDICAL", "not_so", TODAY - timedelta(400))
    clue = add_alert(store, status="verifying")
    done(store, me, clue, "", "confirmed", TODAY)
    medical, gap = add_alert(store, household_id="H1"), add_alert(store, household_id="H2")
    foreign = add_alert(store, township=OTHER_TOWN)
    with store.write() as con:
        con.execute(insert(alert_signal).values(signal_row(medical, "RISK-MEDICAL", "H1", episode=9)))
        con.execute(insert(alert_signal).values(signal_row(medical, "RISK-WATER", "H1", level_order=3, level="yellow")))
        con.execute(insert(alert_signal).values(signal_row(gap, "GAP-DIBAO", "H2", episode=9)))
    found = expected_finds(store, me, [medical, gap, clue, foreign], NOON)
    past = [
        Past(Sign("", "", ""), 1, 1),
        Past(Sign("risk", "GAP-DIBAO", "orange"), 1, 0),
        Past(Sign("risk", "RISK-MEDICAL", "orange"), 3, 2),
    ]
    signs = [Sign("risk", "RISK-MEDICAL", "orange"), Sign("risk", "GAP-DIBAO", "orange"), None]
    assert (found.visits, found.past) == (3, 5)
    assert found.found == pytest.approx(sum(chance(sign, past) for sign in signs))


def done(store: Store, who: Known, alert_id: int, rule: str, finding: str, day: date) -> None:
    """A visit to an alert with one signal (none where `rule` is "")."""
    row = {"alert_id": alert_id, "date": day, "visitor": "甲", "met": True, "note": "", "finding": finding,
           "account_id": who.account, "at": NOON}  # fmt: skip
    with store.write() as con:
        con.execute(insert(visit).values(row))
        if rule:
            con.execute(insert(alert_signal).values(signal_row(alert_id, rule, f"A{alert_id}", state="settled")))
