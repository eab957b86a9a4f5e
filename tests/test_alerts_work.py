"""What people do with alerts: who may have one, what a decision needs, what is due next, and that nothing is lost or doubled."""

from __future__ import annotations

import contextlib
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from monitoring.alerts import work
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.dealings import dealings
from monitoring.alerts.outcomes import FAMILIES, OUTCOMES, Given, missing, outcomes_for
from monitoring.alerts.timeline import timeline
from monitoring.people import Caller, Denied, operator
from monitoring.store import Store, journal, open_store
from monitoring.store.schema import alert, alert_event, alert_signal, metadata, quiet, unmasking
from monitoring.store.schema import journal as journal_table
from monitoring.working_days import add_working_days
from tests import killed_decision
from tests.claiming import claim_all, processes
from tests.people import OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE, Known, add_account, disable, log_in, move
from tests.some_alerts import TODAY, add_alert, add_alerts
from tests.stores import NOON, new_database

MONDAY = TODAY
AID = work.Measure("temporary", TODAY, "王芳", Decimal("800.00"))


@pytest.fixture
def town(store: Store) -> Known:
    return add_account(store, "township_staff", [(TOWN, None)], person="陈静")


@pytest.fixture
def village(store: Store) -> Known:
    return add_account(store, "village_staff", [(TOWN, VILLAGE)], person="李强")


def being_verified(store: Store, by: Known, finding: str = "confirmed", met: bool = True, **fields: Any) -> AlertCard:
    """An alert that somebody visited; its card."""
    key = add_alert(store, ["medical-cost", "income-drop"], **fields)
    return work.record_visit(store, by, key, 1, TODAY, "李强", met, finding, "看了病历", NOON)


def visit_of(store: Store, caller: Known, card: AlertCard) -> int:
    return int(dealings(store, caller, card.id, NOON).visits[0].id)


def row_of(store: Store, alert_id: int) -> Any:
    with store.read() as con:
        return con.execute(select(alert).where(alert.c.id == alert_id)).one()


def journalled(store: Store, alert_id: int) -> list[tuple[str, str, str]]:
    """(who, event, result) of what the journal says of an alert, in order."""
    of = select(journal_table).where(journal_table.c.object == f"alert:{alert_id}").order_by(journal_table.c.seq)
    with store.read() as con:
        return [(row.who, row.event, row.result) for row in con.execute(of)]


# --- who has it


def test_a_claimed_alert_is_the_persons_and_the_journal_says_so(store: Store, village: Known) -> None:
    key = add_alert(store)
    card = work.claim(store, village, key, 1, NOON)
    assert (card.status, card.assignee, card.assignee_name, card.version) == ("assigned", village.account, "李强", 2)
    assert card.assigned_at == NOON and card.due_date == date(2026, 11, 30)
    assert journalled(store, key) == [(village.name, "alert.claim", "ok")]
    assert journal.problems(store) == []


def test_the_second_who_claims_is_told_by_whom_and_when(store: Store, town: Known, village: Known) -> None:
    key = add_alert(store)
    work.claim(store, village, key, 1, NOON)
    for version in (1, 2, None):  # also somebody whose list is fresh
        with pytest.raises(work.TakenByOther, match="11月23日 12:00 由 李强 承办") as told:
            work.claim(store, town, key, version, NOON)
        assert (told.value.person, told.value.when) == ("李强", NOON)
    with pytest.raises(work.DoneAlready, match="这一步没有重复"):
        work.claim(store, village, key, 1, NOON)
    assert row_of(store, key).version == 2


def test_two_who_claim_at_the_same_moment_are_one_winner_and_one_who_is_told(store: Store) -> None:
    people = [add_account(store, "village_staff", [(TOWN, VILLAGE)], person=f"员{n}") for n in range(8)]

    def one(me: Known, key: int) -> str:
        try:
            return str(work.claim(store, me, key, 1, NOON).assignee_name)
        except work.TakenByOther as other:
            return f"told {other.person}"

    for key in [add_alert(store) for _ in range(5)]:
        with ThreadPoolExecutor(len(people)) as pool:
            said = Counter(pool.map(lambda me, key=key: one(me, key), people))
        winner = next(name for name in said if not name.startswith("told"))
        assert said == {winner: 1, f"told {winner}": 7}


def test_a_stale_form_overwrites_nothing_and_says_who_was_faster(store: Store, town: Known, village: Known) -> None:
    card = being_verified(store, village)
    work.mark_emergency(store, village, card.id, card.version, "断粮", NOON)
    with pytest.raises(work.TakenByOther, match="李强 已于 11月23日 12:00 对这条预警作了“转急难”"):
        work.decide(store, town, card.id, card.version, "M", "数据有误", NOON)
    assert row_of(store, card.id).outcome is None


def test_what_the_run_changed_meanwhile_is_told_as_the_runs(store: Store, village: Known) -> None:
    key = add_alert(store)
    with store.write() as con:
        con.execute(alert.update().where(alert.c.id == key).values(version=2))
    with pytest.raises(work.TakenByOther, match="数据比对"):
        work.claim(store, village, key, 1, NOON)


def test_an_alert_of_another_place_is_denied_like_one_that_is_not_there_and_journalled(
    store: Store, village: Known
) -> None:
    elsewhere = [
        add_alert(store, township=OTHER_TOWN),
        add_alert(store, village=OTHER_VILLAGE),
        add_alert(store, township=None, village=None),
    ]
    town = add_account(store, "township_staff", [(TOWN, None)])
    calls: list[Callable[[Caller, int], object]] = [
        lambda me, key: work.claim(store, me, key, 1, NOON),
        lambda me, key: work.record_visit(store, me, key, 1, TODAY, "李强", True, "unclear", "看过", NOON),
        lambda me, key: work.comment(store, me, key, "看过", NOON),
        lambda me, key: timeline(store, me, NOON, alert_id=key),
        lambda me, key: dealings(store, me, key, NOON),
    ]
    told = set()
    for call in calls:
        for key in [*elsewhere, 99_999]:
            with pytest.raises(Denied) as refused:
                call(village, key)
            told.add(str(refused.value))
    assert len(told) == 1
    assert journalled(store, elsewhere[0])[0] == (village.name, "alert.claim", "denied")
    assert row_of(store, elsewhere[0]).version == 1
    with pytest.raises(Denied):
        work.decide(store, town, elsewhere[0], 1, "M", "数据有误", NOON)
    assert work.claim(store, town, elsewhere[1], 1, NOON).village == OTHER_VILLAGE
    county = add_account(store, "county_staff")
    assert work.claim(store, county, elsewhere[2], 1, NOON).assignee == county.account


@pytest.mark.parametrize("role", ["leader", "analyst", "auditor", "administrator", "security_officer"])
def test_those_who_do_not_work_alerts_can_neither_claim_nor_be_given_one(store: Store, town: Known, role: str) -> None:
    key, other = add_alert(store), add_account(store, role)
    with pytest.raises(Denied):
        work.claim(store, other, key, 1, NOON)
    with pytest.raises(work.Refused, match="不办理预警"):
        work.assign(store, town, key, 1, other.account, NOON)


def test_an_alert_goes_only_to_an_active_account_whose_places_hold_it(
    store: Store, town: Known, village: Known
) -> None:
    key = add_alert(store)
    away = add_account(store, "village_staff", [(TOWN, OTHER_VILLAGE)], person="赵敏")
    gone = add_account(store, "village_staff", [(TOWN, VILLAGE)])
    disable(store, gone)
    with pytest.raises(work.Refused, match="赵敏 不负责柳林镇河东村"):
        work.assign(store, town, key, 1, away.account, NOON)
    with pytest.raises(work.Refused, match="已停用"):
        work.assign(store, town, key, 1, gone.account, NOON)
    with pytest.raises(Denied):
        work.assign(store, village, key, 1, village.account, NOON)
    card = work.assign(store, town, key, 1, village.account, NOON, "你们村的")
    assert (card.status, card.assignee) == ("assigned", village.account)
    with pytest.raises(work.Refused, match="已经在 李强 名下"):
        work.assign(store, town, key, 2, village.account, NOON)
    assert [worker.person for worker in work.who_can_take(store, town, key, NOON)] == ["李强", "陈静"]
    assert [worker.open for worker in work.who_can_take(store, town, key, NOON)] == [1, 0]


def test_work_that_goes_to_somebody_else_keeps_its_status_and_its_day(
    store: Store, town: Known, village: Known
) -> None:
    card = being_verified(store, village)
    other = add_account(store, "village_staff", [(TOWN, VILLAGE)], person="赵敏")
    given = work.assign(store, town, card.id, card.version, other.account, NOON)
    assert (given.status, given.assignee_name, given.due_date) == ("verifying", "赵敏", card.due_date)


def test_a_batch_assigns_what_can_be_and_names_the_rest(store: Store, town: Known, village: Known) -> None:
    good = [add_alert(store) for _ in range(3)]
    stale, far, hers = add_alert(store), add_alert(store, township=OTHER_TOWN), add_alert(store, village=OTHER_VILLAGE)
    done = add_alert(store, status="closed", closed_at=NOON, outcome="M", assignee=village.account, assigned_at=NOON)
    wanted = [*((key, 1) for key in good), (stale, 7), (far, 1), (hers, 1), (done, 1), (good[0], 1)]
    batch = work.assign_many(store, town, wanted, village.account, NOON)
    assert [card.id for card in batch.done] == good and {card.assignee for card in batch.done} == {village.account}
    words = {one.alert_id: one.words for one in batch.left}
    assert set(words) == {stale, far, hers, done}
    assert (
        "数据比对" in words[stale] and "职责范围" in words[far] and "不负责" in words[hers] and "已办结" in words[done]
    )
    assert journalled(store, good[1]) == [(town.name, "alert.assign", "ok")]
    assert journalled(store, far) == [(town.name, "alert.assign", "denied")] and journalled(store, stale) == []
    with pytest.raises(work.Refused, match="一次最多"):
        work.assign_many(store, town, [(key, 1) for key in range(work.MOST_AT_ONCE + 1)], village.account, NOON)
    by_command = work.assign_many(store, operator("root"), [(stale, 1)], village.account, NOON)
    assert [card.assignee_name for card in by_command.done] == ["李强"]


def test_what_is_handed_back_goes_to_the_pool_and_not_to_the_same_person_again(
    store: Store, town: Known, village: Known
) -> None:
    key = add_alert(store)
    card = work.claim(store, village, key, 1, NOON)
    with pytest.raises(work.Refused, match="不在您名下"):
        work.hand_back(store, town, key, card.version, "不是我的", NOON)
    with pytest.raises(work.Refused, match="请填写交回的理由"):
        work.hand_back(store, village, key, card.version, "  ", NOON)
    card = work.hand_back(store, village, key, card.version, "户主是我叔叔", NOON)
    assert (card.status, card.assignee, card.assigned_at, card.due_date) == (
        "returned",
        None,
        None,
        MONDAY + timedelta(1),
    )
    assert work.claim_next(store, village, NOON) is None
    taken = work.claim_next(store, town, NOON)
    assert taken is not None and taken.id == key


def test_sent_back_work_stays_with_its_person_and_its_decision_no_longer_stands(
    store: Store, town: Known, village: Known
) -> None:
    card = being_verified(store, village)
    card = work.decide(store, town, card.id, card.version, "M", "医保数据重复", NOON)
    card = work.return_to(store, town, card.id, card.version, "没有附核对单", NOON)
    assert (card.status, card.assignee, card.outcome, card.due_date) == (
        "returned",
        village.account,
        None,
        date(2026, 11, 26),
    )
    card = work.start_verifying(store, village, card.id, card.version, NOON)
    assert (card.status, card.due_date) == ("verifying", date(2026, 11, 26))


def test_the_next_alert_is_the_first_by_rank_that_nobody_has_in_ones_places(
    store: Store, village: Known, town: Known
) -> None:
    first, second = add_alert(store, points=90, level="red"), add_alert(store, points=80)
    add_alert(store, points=99, township=OTHER_TOWN)
    add_alert(store, points=98, raises_work=False)
    add_alert(store, points=97, status="assigned", assignee=town.account, assigned_at=NOON)
    older = add_alert(store, points=85, opened_on=TODAY - timedelta(10))
    got = [work.claim_next(store, village, NOON) for _ in range(4)]
    assert [card and card.id for card in got] == [older, first, second, None]
    add_alert(store, points=70), add_alert(store, points=10, level="red")
    red = work.claim_next(store, village, NOON, levels=("red",))
    assert red is not None and red.level == "red"
    with pytest.raises(Denied, match="本人账号"):
        work.claim_next(store, operator("root"), NOON)


def test_an_account_that_loses_its_place_or_its_role_keeps_nothing_silently(
    store: Store, town: Known, village: Known
) -> None:
    gone, fine = (
        add_account(store, "village_staff", [(TOWN, VILLAGE)]),
        add_account(store, "village_staff", [(TOWN, VILLAGE)]),
    )
    keys = {who.name: work.claim(store, who, add_alert(store), 1, NOON).id for who in (village, gone, fine)}
    far = add_alert(store, township=OTHER_TOWN, status="assigned", assignee=gone.account, assigned_at=NOON)
    assert work.orphaned(store, town, NOON) == []
    move(store, village, [(TOWN, OTHER_VILLAGE)])
    disable(store, gone)
    assert {card.id for card in work.orphaned(store, town, NOON)} == {keys[village.name], keys[gone.name]}
    assert {card.id for card in work.orphaned(store, operator("root"), NOON)} == {
        keys[village.name],
        keys[gone.name],
        far,
    }
    with pytest.raises(Denied):
        work.hand_back(store, village, keys[village.name], 2, "调走了", NOON)
    work.assign(store, town, keys[village.name], 2, fine.account, NOON)
    assert {card.id for card in work.orphaned(store, town, NOON)} == {keys[gone.name]}


# --- at the door


def test_a_visit_takes_the_alert_and_a_clear_finding_verifies_it(store: Store, village: Known) -> None:
    unclear = being_verified(store, village, "unclear", met=False)
    assert (unclear.status, unclear.assignee) == ("verifying", village.account)
    assert row_of(store, unclear.id).verified_at is None and unclear.due_date == date(2026, 11, 30)
    later = NOON + timedelta(1)
    clear = work.record_visit(
        store,
        log_in(store, village, later),
        unclear.id,
        unclear.version,
        TODAY,
        "李强",
        True,
        "confirmed",
        "住院",
        later,
    )
    assert row_of(store, clear.id).verified_at == later
    assert clear.due_date == date(2026, 12, 8)  # ten working days to decide
    assert clear.verify_due_date == date(2026, 11, 30)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"on": TODAY + timedelta(1)}, "还没有到"),
        ({"on": TODAY - timedelta(61)}, "早 60 天以上"),
        ({"visitor": "  "}, "请填写走访人姓名"),
        ({"visitor": "李" * 65}, "不能超过 64 字"),
        ({"note": ""}, "请填写走访记录"),
        ({"note": "长" * 4001}, "现有 4001 字"),
        ({"finding": "fine"}, "请选择走访结论"),
    ],
)
def test_a_visit_that_cannot_be_is_refused_in_words_and_nothing_is_kept(
    sqlite_store: Store, change: dict[str, Any], words: str
) -> None:
    me, key = add_account(sqlite_store, "village_staff", [(TOWN, VILLAGE)]), add_alert(sqlite_store)
    told: dict[str, Any] = {
        "on": TODAY - timedelta(60),
        "visitor": "李强",
        "met": True,
        "finding": "confirmed",
        "note": "看过",
    }
    with pytest.raises(work.Refused, match=words):
        work.record_visit(sqlite_store, me, key, 1, at=NOON, **(told | change))
    assert row_of(sqlite_store, key).status == "new"
    assert work.record_visit(sqlite_store, me, key, 1, at=NOON, **told).status == "verifying"


def test_an_emergency_is_due_three_working_days_after_its_discovery_until_aid_is_there(
    store: Store, town: Known
) -> None:
    friday = TODAY - timedelta(3)
    key = add_alert(store, opened_on=friday, points=50)
    card = work.mark_emergency(store, town, key, 1, "房屋倒塌", NOON)
    assert (card.emergency, card.due_date, card.verify_due_date) == (True, date(2026, 11, 25), date(2026, 11, 30))
    assert card.points == 110 and card.rank == 110 - friday.toordinal() and ("emergency", 60, True) in card.why
    with pytest.raises(work.Refused, match="已经在急难通道"):
        work.mark_emergency(store, town, key, card.version, "房屋倒塌", NOON)
    card = work.record_visit(store, town, key, card.version, TODAY, "陈静", True, "confirmed", "倒塌", NOON)
    assert card.due_date == date(2026, 11, 25)  # verified, but the aid is still due
    card = work.add_measure(store, town, key, card.version, AID, NOON)  # aid first, papers later
    assert card.due_date == date(2026, 12, 7) and row_of(store, key).helped_at == NOON


# --- decisions


def enough(store: Store, town: Known, code: str) -> tuple[AlertCard, dict[str, Any]]:
    """An alert at the point of decision, and just what the outcome requires beside the reason."""
    outcome, card = OUTCOMES[code], being_verified(store, town, "not_so")
    given: dict[str, Any] = {}
    for need in outcome.needs:
        if need == "conference":
            card = work.call_conference(store, town, card.id, card.version, TODAY, "镇村干部", NOON)
            called = dealings(store, town, card.id, NOON).undecided[0].id
            card = work.decide_conference(store, town, card.id, card.version, called, "一次性补助", NOON)
        kind, yuan = (outcome.kinds or ("other",))[0], Decimal(800) if outcome.amount else None
        parts: dict[str, dict[str, Any]] = {
            "visit": {"visit_id": visit_of(store, town, card)},
            "measure": {"measure": work.Measure(kind, TODAY, "王芳", yuan)},
            "went_to": {"went_to": "edge"},
            "department": {"department": "医保", "asked": "请补报销"},
            "conference": {},
            "particulars": {"particulars": "已随子女迁往外省"},
            "until": {"until": TODAY + timedelta(30)},
        }
        given |= parts[need]
    return card, given


@pytest.mark.parametrize("code", OUTCOMES)
def test_an_outcome_stands_with_just_what_it_requires_and_not_without_any_part_of_it(store: Store, code: str) -> None:
    town = add_account(store, "township_staff", [(TOWN, None)])
    card, given = enough(store, town, code)
    before = row_of(store, card.id)
    for without in given:
        rest = {name: value for name, value in given.items() if name != without}
        with pytest.raises(work.Refused) as refused:
            work.decide(store, town, card.id, card.version, code, "经入户核实", NOON, **rest)
        assert len(refused.value.complaints) == 1
    with pytest.raises(work.Refused, match="请写明理由"):
        work.decide(store, town, card.id, card.version, code, " ", NOON, **given)
    assert row_of(store, card.id) == before
    decided = work.decide(store, town, card.id, card.version, code, "经入户核实", NOON, **given)
    expected = "referred" if code == "I" else "following" if OUTCOMES[code].helps else "decided"
    assert (decided.status, decided.outcome, decided.version) == (expected, code, card.version + 1)
    assert decided.due_date is not None and decided.due_date > TODAY


def test_what_is_missing_is_told_all_at_once() -> None:
    assert len(missing(OUTCOMES["K"], Given())) == 2
    assert missing(OUTCOMES["F"], Given("急", measures=[("temporary", False)])) == ["请登记帮扶措施（临时救助）和金额"]
    assert missing(OUTCOMES["H"], Given("急", measures=[("other", False)])) == []
    assert all(missing(outcome, Given()) for outcome in OUTCOMES.values())


def test_the_table_of_outcomes_is_whole() -> None:
    assert "".join(OUTCOMES) == "ABCDEFGHIJKLMNOP"
    assert {outcome.family for outcome in OUTCOMES.values()} == set(FAMILIES)
    assert {code for code, outcome in OUTCOMES.items() if outcome.false_alarm} == {"L", "M"}
    assert [o.code for o in outcomes_for("feed")] == ["I", "J", "M", "P"]


@pytest.mark.parametrize(("finding", "met"), [("unclear", True), ("not_so", False), ("confirmed", False)])
def test_no_difficulty_needs_a_visit_that_met_somebody_and_found_something(
    store: Store, town: Known, finding: str, met: bool
) -> None:
    card = being_verified(store, town, finding, met)
    with pytest.raises(work.Refused, match="没有见到人，或情况仍不清楚"):
        work.decide(store, town, card.id, card.version, "L", "无困难", NOON, visit_id=visit_of(store, town, card))
    other = being_verified(store, town)
    with pytest.raises(work.Refused, match="没有这次走访"):
        work.decide(store, town, card.id, card.version, "L", "无困难", NOON, visit_id=visit_of(store, town, other))


def test_an_outcome_must_fit_what_the_alert_is_about(store: Store, town: Known) -> None:
    key = add_alert(store, subject="institution", status="verifying", assignee=town.account, assigned_at=NOON)
    for code in ("A", "K", "Z", ""):
        with pytest.raises(work.Refused, match="可选的结果"):
            work.decide(store, town, key, 1, code, "理由", NOON, went_to="edge")


def test_village_staff_verify_but_do_not_decide_or_close(store: Store, town: Known, village: Known) -> None:
    card = being_verified(store, village, "not_so")
    calls: list[Callable[[], AlertCard]] = [
        lambda: work.decide(store, village, card.id, card.version, "M", "数据有误", NOON),
        lambda: work.close(store, village, card.id, card.version, NOON),
        lambda: work.refer(store, village, card.id, card.version, "医保", "补报", NOON),
    ]
    for call in calls:
        with pytest.raises(Denied):
            call()


def test_closing_settles_what_still_holds_and_keeps_it_quiet(store: Store, town: Known) -> None:
    card, given = enough(store, town, "L")
    card = work.decide(store, town, card.id, card.version, "L", "有商业保险", NOON, **given)
    with store.write() as con:
        con.execute(alert_signal.update().where(alert_signal.c.rule == "income-drop").values(state="gone"))
    card = work.close(store, town, card.id, card.version, NOON, "已告知户主")
    assert (card.status, card.outcome, card.closed_at, card.due_date) == ("closed", "L", NOON, None)
    assert row_of(store, card.id).closed_by == town.account
    with store.read() as con:
        states = {row.rule: row.state for row in con.execute(select(alert_signal))}
        kept = con.execute(select(quiet)).mappings().one()
    assert states == {"medical-cost": "settled", "income-drop": "gone"}
    assert (kept["rule"], kept["subject_key"], kept["outcome"]) == ("medical-cost", f"h:{card.household_id}", "L")
    assert kept["until"] == TODAY + timedelta(90) and kept["level_order"] == 2 and "own_cost" in kept["evidence"]


def test_nothing_is_closed_without_outcome_help_or_a_named_person(store: Store, town: Known) -> None:
    card = being_verified(store, town)
    with pytest.raises(work.NotNow):
        work.close(store, town, card.id, card.version, NOON)
    card = work.decide(store, town, card.id, card.version, "A", "人均收入低于标准", NOON)
    assert (card.status, card.due_date) == ("following", add_working_days(TODAY, 30))
    with pytest.raises(work.Refused, match="请登记帮扶措施（低保金）和金额"):
        work.close(store, town, card.id, card.version, NOON)
    card = work.add_measure(
        store,
        town,
        card.id,
        card.version,
        work.Measure("dibao", date(2026, 12, 1), "陈静", Decimal("431.005"), True),
        NOON,
    )
    for person in (operator("root"), Caller(operator="sched")):
        with pytest.raises(Denied, match="本人账号"):
            work.close(store, person, card.id, card.version, NOON)
    assert work.close(store, town, card.id, card.version, NOON).status == "closed"


def test_a_watched_household_is_not_closed_before_its_day(store: Store, town: Known) -> None:
    card, given = enough(store, town, "P")
    card = work.decide(store, town, card.id, card.version, "P", "收入接近标准", NOON, **given)
    assert (card.status, card.due_date) == ("following", TODAY + timedelta(30))
    with pytest.raises(work.Refused, match="还没有到回访日期 2026-12-23"):
        work.close(store, town, card.id, card.version, NOON)
    with pytest.raises(work.Refused, match="应在今天以后"):
        work.follow_up(store, town, card.id, card.version, TODAY, NOON)
    then = NOON + timedelta(30)
    assert work.close(store, log_in(store, town, then), card.id, card.version, then).status == "closed"


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "1000000000"])
def test_an_amount_that_cannot_be_is_refused(sqlite_store: Store, amount: str) -> None:
    town = add_account(sqlite_store, "township_staff", [(TOWN, None)])
    card = being_verified(sqlite_store, town)
    for aid in (replace(AID, amount=Decimal(amount)), replace(AID, kind="gold"), replace(AID, responsible=" ")):
        with pytest.raises(work.Refused):
            work.add_measure(sqlite_store, town, card.id, card.version, aid, NOON)
    assert row_of(sqlite_store, card.id).helped_at is None


# --- others are asked


def test_a_referral_waits_for_the_department_and_comes_back_to_who_asked(
    store: Store, town: Known, village: Known
) -> None:
    card = being_verified(store, village)
    card = work.refer(store, town, card.id, card.version, "医保", "请核实报销", NOON)
    assert (card.status, card.waiting_for, card.assignee) == ("referred", "医保", town.account)
    assert card.due_date == date(2026, 12, 7)  # ten working days
    card = work.refer(store, town, card.id, card.version, "教育", "请核实学籍", NOON, due=TODAY + timedelta(2))
    assert (card.waiting_for, card.due_date) == ("教育", TODAY + timedelta(2))
    with pytest.raises(work.Refused, match="已经转给医保"):
        work.refer(store, town, card.id, card.version, "医保", "请核实报销", NOON)
    given = work.assign(store, town, card.id, card.version, village.account, NOON)
    waits = {row.department: row.id for row in dealings(store, town, card.id, NOON).unanswered}
    for bad in (TODAY + timedelta(1), TODAY - timedelta(1)):
        with pytest.raises(work.Refused, match="答复日期"):
            work.answer(store, town, card.id, given.version, waits["教育"], "学籍在", NOON, on=bad)
    card = work.answer(store, town, card.id, given.version, waits["教育"], "学籍在", NOON)
    assert (card.status, card.waiting_for) == ("referred", "医保")
    with pytest.raises(work.Refused, match="已经答复"):
        work.answer(store, town, card.id, card.version, waits["教育"], "学籍在", NOON)
    card = work.answer(store, town, card.id, card.version, waits["医保"], "已补报 3,000 元", NOON)
    assert (card.status, card.waiting_for, card.assignee) == ("verifying", None, town.account)


def test_asking_a_department_does_not_put_off_the_verification(store: Store, town: Known) -> None:
    key = add_alert(store)
    assert work.refer(store, town, key, 1, "医保", "请核实", NOON).due_date == date(2026, 11, 30)


def test_an_answered_referral_as_the_outcome_can_be_closed(store: Store, town: Known) -> None:
    card, given = enough(store, town, "I")
    card = work.decide(store, town, card.id, card.version, "I", "应由医保办理", NOON, **given)
    with pytest.raises(work.NotNow, match="等部门答复"):
        work.close(store, town, card.id, card.version, NOON)
    asked = dealings(store, town, card.id, NOON).unanswered[0].id
    card = work.answer(store, town, card.id, card.version, asked, "已补报", NOON)
    assert (card.status, card.outcome) == ("decided", "I")
    assert work.close(store, town, card.id, card.version, NOON).status == "closed"


def test_a_conference_has_a_date_and_a_decision_before_the_alert_has_its_outcome(store: Store, town: Known) -> None:
    card = being_verified(store, town)
    with pytest.raises(work.Refused, match="最迟应在 2026-12-07"):
        work.call_conference(store, town, card.id, card.version, date(2026, 12, 8), "镇村干部", NOON)
    card = work.call_conference(store, town, card.id, card.version, TODAY + timedelta(2), "镇村干部", NOON)
    assert card.due_date == TODAY + timedelta(2)
    called = dealings(store, town, card.id, NOON).undecided[0].id
    with pytest.raises(work.Refused, match="还没有召开"):
        work.decide_conference(store, town, card.id, card.version, called, "给予救助", NOON)
    with pytest.raises(work.Refused, match="会议还没有作出决定"):
        work.decide(store, town, card.id, card.version, "J", "情况复杂", NOON)
    then = NOON + timedelta(2)
    me = log_in(store, town, then)
    card = work.decide_conference(store, me, card.id, card.version, called, "给予救助", then)
    with pytest.raises(work.Refused, match="已经登记"):
        work.decide_conference(store, me, card.id, card.version, called, "给予救助", then)
    assert work.decide(store, me, card.id, card.version, "J", "情况复杂", then).status == "following"


# --- what is told


def test_a_comment_makes_nobodys_version_old_and_is_not_said_twice(store: Store, town: Known, village: Known) -> None:
    card = being_verified(store, village)
    leader = add_account(store, "leader", person="王书记")
    work.comment(store, leader, card.id, "请尽快办理", NOON)
    with pytest.raises(work.DoneAlready):
        work.comment(store, leader, card.id, "请尽快办理 ", NOON)
    assert work.decide(store, town, card.id, card.version, "M", "数据有误", NOON).status == "decided"
    assert [event.by for event in timeline(store, town, NOON, alert_id=card.id) if event.kind == "comment"] == [
        "王书记"
    ]


def test_the_timeline_tells_everything_that_happened_to_a_household_newest_first(store: Store, town: Known) -> None:
    first = add_alert(store, household_id="H7", opened_on=TODAY - timedelta(90), status="closed", closed_at=NOON)
    card = being_verified(store, town, household_id="H7", previous_id=first)
    steps: list[Callable[[AlertCard], AlertCard]] = [
        lambda c: work.mark_emergency(store, town, c.id, c.version, "断药", NOON),
        lambda c: work.refer(store, town, c.id, c.version, "医保", "请补报", NOON),
        lambda c: work.answer(store, town, c.id, c.version, dealings(store, town, c.id, NOON).unanswered[0].id, "已补报", NOON),
        lambda c: work.call_conference(store, town, c.id, c.version, TODAY, "镇村干部", NOON),
        lambda c: work.decide_conference(store, town, c.id, c.version, dealings(store, town, c.id, NOON).undecided[0].id, "救助", NOON),
        lambda c: work.decide(store, town, c.id, c.version, "F", "突发大病", NOON, measure=AID),
        lambda c: work.add_measure(store, town, c.id, c.version, replace(AID, kind="medical", monthly=True), NOON),
        lambda c: work.follow_up(store, town, c.id, c.version, TODAY + timedelta(9), NOON),
        lambda c: work.comment(store, town, c.id, "已告知", NOON),
        lambda c: work.close(store, town, c.id, c.version, NOON),
    ]  # fmt: skip
    for step in steps:
        card = step(card)
    told = timeline(store, town, NOON, household_id="H7")
    assert [event.kind for event in told] == [
        "close", "comment", "follow_up", "measure", "follow_up", "decide", "confer_decide", "confer", "answer", "refer",
        "emergency", "visit", "opened", "opened",
    ]  # fmt: skip
    words = {event.kind: (event.words_zh, event.words_en) for event in reversed(told)}
    assert words["visit"][0] == "登记走访：2026-11-23；走访人 李强；见到本人；情况属实"
    assert words["visit"][1] == "Record a visit: 2026-11-23; by 李强; somebody was met; As the alert says"
    assert words["decide"][0] == "作出决定：给予临时救助；临时救助 800.00 元，2026-11-23 起，责任人 王芳"
    assert (
        words["measure"][1] == "Record a measure: Medical aid 800.00 yuan a month from 2026-11-23, 王芳 answers for it"
    )
    assert words["refer"][0] == "转部门办理：医保，2026-12-07 前答复"
    assert words["confer"][0] == "召集一事一议：2026-11-23；参会 镇村干部"
    assert words["opened"][0].startswith("发现预警")
    assert [event.note for event in told if event.kind == "answer"] == ["已补报"]
    assert {event.alert for event in told} == {first, card.id}
    assert len(timeline(store, town, NOON, alert_id=first)) == 1
    assert timeline(store, town, NOON, household_id="H8") == []


def test_a_household_of_another_township_has_no_timeline_for_me(store: Store, town: Known) -> None:
    add_alert(store, household_id="H9", township=OTHER_TOWN)
    assert timeline(store, town, NOON, household_id="H9") == []
    assert len(timeline(store, add_account(store, "county_staff"), NOON, household_id="H9")) == 1


def test_names_and_numbers_in_typed_texts_are_masked_until_they_are_unmasked(store: Store, town: Known) -> None:
    key = add_alert(store, household_id="H5", name="周德福", find=f"周德福 周小妹 1234 {VILLAGE}")
    note = "周德福（500999196001011234，13912345678）和周小妹在家，河东村 3 组"
    work.record_visit(store, town, key, 1, TODAY, "李强", True, "confirmed", note, NOON)
    hidden = timeline(store, town, NOON, alert_id=key)[0].note
    assert hidden == "周**（********1234，********5678）和周**在家，河东村 3 组"
    assert dealings(store, town, key, NOON).visits[0].note == hidden
    with store.write() as con:
        until = {"purpose": "入户", "at": NOON, "until": NOON + timedelta(hours=1)}
        con.execute(
            unmasking.insert().values(session=town.session, account_id=town.account, household_id="H5", **until)
        )
    assert timeline(store, town, NOON, alert_id=key)[0].note == note
    assert timeline(store, log_in(store, town), NOON, alert_id=key)[0].note == hidden


def test_the_journal_holds_nothing_that_somebody_typed(store: Store, town: Known) -> None:
    card = being_verified(store, town)
    work.decide(store, town, card.id, card.version, "M", "周德福 500999196001011234 登记错", NOON)
    with store.read() as con:
        told = "".join(con.execute(select(journal_table.c.detail)).scalars())
    assert "周德福" not in told and "500999" not in told and '"outcome": "M"' in told


# --- many at once, and killed at any moment


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[Path, str | None]]:
    """A home and an address that other processes can open; in memory, since durability is not what is looked at."""
    url = new_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else None
    memory = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder) / "home", url


@pytest.mark.long
def test_twenty_who_claim_until_nothing_is_left_take_every_alert_once(
    place: tuple[Path, str | None], tmp_path: Path
) -> None:
    count, store = 5_000, open_store(*place)
    ids = set(add_alerts(store, count))
    sessions = [add_account(store, "village_staff", [(TOWN, VILLAGE)]).session for _ in range(20)]
    context = processes()
    workers = [
        context.Process(target=claim_all, args=(*place, session, tmp_path / f"{n}.txt"))
        for n, session in enumerate(sessions)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert [worker.exitcode for worker in workers] == [0] * 20
    claimed = [int(line) for n in range(20) for line in (tmp_path / f"{n}.txt").read_text().split()]
    assert len(claimed) == count and set(claimed) == ids
    with store.read() as con:
        events = con.execute(select(alert_event.c.alert_id).where(alert_event.c.event == "claim")).scalars().all()
        left = con.execute(select(func.count()).where(alert.c.status != "assigned")).scalar()
        written = con.execute(select(func.count()).where(journal_table.c.event == "alert.claim")).scalar()
    assert sorted(events) == sorted(ids) and left == 0 and written == count
    assert journal.problems(store) == []
    store.close()


def something(store: Store, me: Known, to: Known, ids: list[int], chance: Random) -> None:
    """One thing that somebody may do with some of the alerts, on the versions that they have now."""
    some = [(key, int(row_of(store, key).version)) for key in chance.sample(ids, 8)]
    of: tuple[Store, Known, int, int] = (store, me, *some[0])
    calls: list[Callable[[], object]] = [
        lambda: work.claim_next(store, me, NOON),
        lambda: work.assign_many(store, me, some, to.account, NOON),
        lambda: work.comment(store, me, of[2], f"{chance.random()}", NOON),
        lambda: work.record_visit(*of, TODAY, "李强", True, "confirmed", "看过", NOON),
        lambda: work.decide(*of, "M", "数据有误", NOON),
        lambda: work.hand_back(*of, "换人", NOON),
        lambda: work.refer(*of, "医保", "请核实", NOON),
    ]
    with contextlib.suppress(work.NotNow, work.Refused, work.TakenByOther):
        chance.choice(calls)()


def test_people_who_do_anything_at_once_never_wait_for_each_other_for_ever(store: Store) -> None:
    ids, people = add_alerts(store, 30), [add_account(store, "township_staff", [(TOWN, None)]) for _ in range(8)]

    def steps(n: int) -> None:
        chance = Random(n)
        for _ in range(40):
            something(store, people[n], chance.choice(people), ids, chance)

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(steps, range(len(people))))
    assert journal.problems(store) == []
    with store.read() as con:
        versions = con.execute(select(func.sum(alert.c.version - 1))).scalar()
        changes = con.execute(select(func.count()).where(alert_event.c.event != "comment")).scalar()
    assert versions == changes and changes


def test_a_write_within_a_write_is_told_at_once_since_it_would_wait_for_itself(sqlite_store: Store) -> None:
    with pytest.raises(RuntimeError, match="a write within a write"), sqlite_store.write(), sqlite_store.write():
        pass
    with sqlite_store.write():
        pass


@pytest.mark.parametrize("what", ["decide", "close"])
def test_killed_at_any_statement_it_was_done_or_it_was_not_and_a_repeat_does_it_once(
    place: tuple[Path, str | None], what: str
) -> None:
    store, context = open_store(*place), processes()
    town = add_account(store, "township_staff", [(TOWN, None)])
    ends, moment = list[str](), 0
    while not ends or ends[-1] != "lived":
        moment += 1
        card = being_verified(store, town)
        if what == "close":
            card = work.decide(store, town, card.id, card.version, "M", "数据有误", NOON)
        before = _all_of(store, card.id)
        child = context.Process(
            target=killed_decision.die_at, args=(moment, *place, town.session, what, card.id, card.version)
        )
        child.start()
        child.join(60)
        if _all_of(store, card.id) == before:
            assert child.exitcode == -signal.SIGKILL
            ends.append("before")
            killed_decision.act(store, town, what, card.id, card.version)
        else:
            ends.append("after" if child.exitcode else "lived")
            with pytest.raises(work.DoneAlready, match="没有重复"):
                killed_decision.act(store, town, what, card.id, card.version)
        assert _shape(_all_of(store, card.id)) == _shape(_all_of(store, card.id - 1 if moment > 1 else card.id))
    assert ends == ["before"] * (len(ends) - 2) + ["after", "lived"] and len(ends) > 12
    assert journal.problems(store) == []
    store.close()


def _all_of(store: Store, alert_id: int) -> dict[str, list[Any]]:
    """Every row of the alert in every table."""
    tables = [table for table in metadata.sorted_tables if "alert_id" in table.c]
    with store.read() as con:
        rows = {
            t.name: [tuple(r) for r in con.execute(select(t).where(t.c.alert_id == alert_id).order_by(t.c.id))]
            for t in tables
        }
        rows["alert"] = [tuple(row) for row in con.execute(select(alert).where(alert.c.id == alert_id))]
        told = select(journal_table.c.event).where(journal_table.c.object == f"alert:{alert_id}")
        rows["journal"] = [tuple(row) for row in con.execute(told)]
    return rows


def _shape(rows: dict[str, list[Any]]) -> dict[str, int]:
    return {name: len(found) for name, found in rows.items()}


def test_a_county_may_keep_false_alarms_quiet_for_another_time(store: Store) -> None:
    from monitoring.alerts import choices
    from monitoring.people import operator

    choices.choose(store, operator("root"), choices.FALSE_ALARM, "30", NOON)
    with store.read() as con:
        assert (choices.chosen(con, choices.FALSE_ALARM), choices.chosen(con, choices.QUIET)) == (30, 60)
