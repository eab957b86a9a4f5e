"""At the door of a sampled household: what is found, what becomes of it, and that nothing else is distorted by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from monitoring.alerts import budget, work
from monitoring.alerts.cases import Refused
from monitoring.alerts.choices import AUDIT_VISITS, choose
from monitoring.alerts.confirmed import confirmed
from monitoring.alerts.finds import expected_finds
from monitoring.alerts.workers import workers
from monitoring.gate.sample_sheet import sample_sheet
from monitoring.misses import asking
from monitoring.misses.asking import board, missed_now
from monitoring.misses.results import RESULTS
from monitoring.misses.visiting import LATE, record, sample_of, to_visit
from monitoring.people import Denied, operator
from monitoring.store import Store
from monitoring.store.schema import (
    alert,
    alert_signal,
    audit_draw,
    audit_listed,
    audit_sample,
    audit_visit,
    clue,
    journal,
    visit,
)
from monitoring.vouching.live import Of, live
from tests.misses_county import county, drawn, homes
from tests.people import OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE, Known, add_account, log_in
from tests.some_alerts import TODAY, add_alert
from tests.stores import NOON

ME = operator("test")
DUE = date(2026, 12, 14)


def sampled(store: Store, count: int = 6, of: int = 20) -> Known:
    """A drawn sample of `count` in one village, and its worker."""
    choose(store, ME, AUDIT_VISITS, str(count), NOON)
    drawn(store, homes(of))
    return add_account(store, "village_staff", [(TOWN, VILLAGE)], person="林秋")


def tell(
    store: Store, who: Known, key: int, result: str, on: date = TODAY, at: datetime = NOON, note: str = "见到本人"
) -> Any:
    return record(store, who, key, on, "林秋", result, note, at)


def rows(store: Store, table: Any) -> list[Mapping[str, Any]]:
    with store.read() as con:
        return [dict(row) for row in con.execute(select(table).order_by(table.c.id)).mappings()]


def answered(store: Store, results: Sequence[str], of: int = 20) -> Known:
    """A sample that was answered so, and nothing more waits."""
    who = sampled(store, len(results), of)
    for one, result in zip(to_visit(store, who, NOON), results, strict=True):
        tell(store, who, one.id, result, note=f"见到本人 {one.id}")
    return who


def test_a_household_in_difficulty_becomes_a_case_at_once(store: Store) -> None:
    who = sampled(store)
    one = to_visit(store, who, NOON)[0]
    shown = tell(store, who, one.id, "needy", note="断粮三天，无人照看")
    [case] = rows(store, alert)
    [told] = rows(store, clue)
    assert (shown.result, shown.answered, shown.alert_id) == ("needy", True, case["id"])
    assert (case["household_id"], case["township"], case["village"], case["origin"], case["status"]) == (
        one.household_id,
        TOWN,
        VILLAGE,
        "clue",
        "new",
    )
    assert (case["level"], case["signals"], case["raises_work"]) == ("orange", 0, True)
    assert (told["channel"], told["caller"], told["alert_id"]) == ("visit", "林秋", case["id"])
    assert told["text"] == "漏判抽查走访：断粮三天，无人照看"
    assert rows(store, visit) == [] and rows(store, alert_signal) == [], (
        "no rule and no visit of an alert is credited with it"
    )
    with store.read() as con:
        events = con.execute(select(journal.c.event, journal.c.who, journal.c.result).order_by(journal.c.seq)).all()
    assert events[-2:] == [("clue.register", who.name, "ok"), ("sample.visit", who.name, "ok")]


def test_a_household_with_an_alert_since_the_draw_gets_no_second_one(sqlite_store: Store) -> None:
    who = sampled(sqlite_store)
    one = to_visit(sqlite_store, who, NOON)[0]
    key = add_alert(sqlite_store, household_id=one.household_id)
    assert tell(sqlite_store, who, one.id, "needy").alert_id == key
    assert len(rows(sqlite_store, alert)) == 1


def test_who_was_not_met_stays_unknown_and_can_be_visited_again_an_answer_is_final(store: Store) -> None:
    who = sampled(store)
    key = to_visit(store, who, NOON)[0].id
    for result in ("unreached", "refused", "unclear"):
        assert not tell(store, who, key, result).answered
    assert len(to_visit(store, who, NOON)) == 6
    assert tell(store, who, key, "fine").answered
    again = tell(store, who, key, "fine")
    assert again.visits == 4, "a double click is kept once"
    with pytest.raises(Refused, match="不能再改"):
        tell(store, who, key, "needy")
    assert [row["result"] for row in rows(store, audit_visit)] == ["unreached", "refused", "unclear", "fine"]
    assert len(to_visit(store, who, NOON)) == 5 and rows(store, alert) == []


def test_who_is_gone_is_followed_by_the_next_in_order(store: Store) -> None:
    who = sampled(store)
    key = to_visit(store, who, NOON)[0].id
    waiting = [row["id"] for row in rows(store, audit_sample) if row["state"] == "reserve"]
    tell(store, who, key, "gone", note="全家迁往外省")
    now = {one.id for one in to_visit(store, who, NOON)}
    assert waiting[0] in now and waiting[1] not in now and len(now) == 6
    [told] = [row for row in rows(store, audit_sample) if row["id"] == waiting[1]]
    assert told["state"] == "reserve"
    with pytest.raises(Refused, match="不在本期抽查之内"):
        tell(store, who, waiting[1], "fine")


@pytest.mark.parametrize(
    ("on", "today", "refused"),
    [
        (TODAY, TODAY, ""),
        (TODAY - timedelta(1), TODAY, "走访日期"),
        (TODAY + timedelta(1), TODAY, "走访日期"),
        (DUE, DUE + LATE, ""),
        (DUE, DUE + LATE + timedelta(1), "已于 2027-01-13 截止"),
    ],
)
def test_a_visit_is_of_a_day_between_the_draw_and_now_and_told_in_time(
    sqlite_store: Store, on: date, today: date, refused: str
) -> None:
    who = sampled(sqlite_store)
    key = to_visit(sqlite_store, who, NOON)[0].id
    at = NOON + (today - TODAY)
    later = log_in(sqlite_store, who, at)
    if not refused:
        assert tell(sqlite_store, later, key, "fine", on, at).answered
        return
    with pytest.raises(Refused, match=refused):
        tell(sqlite_store, later, key, "fine", on, at)
    assert rows(sqlite_store, audit_visit) == []


def test_all_that_is_wrong_is_said_and_nothing_kept(sqlite_store: Store) -> None:
    who = sampled(sqlite_store)
    key = to_visit(sqlite_store, who, NOON)[0].id
    with pytest.raises(Refused) as found:
        record(sqlite_store, who, key, TODAY + timedelta(9), "甲" * 65, "dead", "看过", NOON)
    assert len(found.value.complaints) == 3
    for visitor, note in (("", "看过"), ("林秋", " ")):
        with pytest.raises(Refused):
            record(sqlite_store, who, key, TODAY, visitor, "fine", note, NOON)
    with pytest.raises(Denied):
        record(sqlite_store, ME, key, TODAY, "林秋", "fine", "看过", NOON)
    assert rows(sqlite_store, audit_visit) == []


def test_lists_are_masked_and_of_the_places_of_who_asks(store: Store) -> None:
    choose(store, ME, AUDIT_VISITS, "12", NOON)
    drawn(
        store,
        [
            *homes(20),
            *homes(20, (TOWN, OTHER_VILLAGE), prefix="V"),
            *homes(20, (OTHER_TOWN, VILLAGE), prefix="T"),
            *homes(3, prefix="U-500999195603021234"),
        ],
    )
    near = {"village_staff": (TOWN, VILLAGE), "township_staff": (TOWN, None)}
    seen = {
        role: {one.household_id[0] for one in to_visit(store, add_account(store, role, [place]), NOON)}
        for role, place in near.items()
    }
    seen["county_staff"] = {one.household_id[0] for one in to_visit(store, add_account(store, "county_staff"), NOON)}
    assert (
        seen["village_staff"] <= {"H", "U"}
        and seen["township_staff"] <= {"H", "U", "V"}
        and "T" in seen["county_staff"]
    )
    shown = sample_of(store, add_account(store, "leader"), "2026-11", NOON)
    assert {one.name for one in shown} == {"周**"}
    assert not [one.household for one in shown if "500999" in (one.household or "")]


# --- beside the rest of the work


def test_sampled_households_are_planned_as_visits_and_count_as_done(store: Store) -> None:
    who = sampled(store)
    plan = budget.plan_visits(store, who, NOON)
    mine = [one for one in (*plan.required, *plan.ranked) if one.alert.level == budget.SAMPLED]
    assert {one.account for one in mine} == {who.account} and len(mine) == 6
    assert {one.reason for one in mine} == {"rank"}, "due after this week"
    later = budget.plan_visits(store, who, NOON, until=DUE)
    assert {one.reason for one in later.required} == {"due"}
    left = plan.hands[0].visits
    tell(store, who, mine[0].alert.id, "unreached")
    assert budget.plan_visits(store, who, NOON).hands[0].visits == left - 1
    assert workers(store, who, NOON)[0].visits == 1
    tell(store, who, mine[0].alert.id, "fine")
    assert sum(one.alert.level == budget.SAMPLED for one in budget.plan_visits(store, who, NOON).ranked) == 5


def test_what_the_sample_finds_changes_no_rules_share_and_no_expected_finds(store: Store) -> None:
    who = sampled(store)
    analyst = add_account(store, "analyst")
    key = add_alert(store, signals=["RISK-1"], status="decided", outcome="A", decided_at=NOON)
    before = confirmed(store, analyst, NOON), expected_finds(store, who, [key], NOON)
    tell(store, who, to_visit(store, who, NOON)[0].id, "needy")
    assert (confirmed(store, analyst, NOON), expected_finds(store, who, [key], NOON)) == before


def test_a_visit_that_found_no_difficulty_vouches_for_the_household_and_one_that_met_nobody_does_not(
    store: Store,
) -> None:
    who = sampled(store)
    ones = to_visit(store, who, NOON)
    for one, result in zip(ones, RESULTS, strict=True):
        tell(store, who, one.id, result, note=f"看过 {one.id}")
    found = live(store, add_account(store, "county_staff"), Of("2026-11", "r1", date(2026, 11, 30), 90, 12), NOON)
    good = dict(found.visits.select("household_id", "good").iter_rows())
    met = {one.household_id: result for one, result in zip(ones, RESULTS, strict=True)}
    assert good == {home: result == "fine" for home, result in met.items() if result in ("needy", "fine", "unclear")}


def test_what_people_did_is_read_once_for_all_of_the_same_places_until_something_is_done(store: Store) -> None:
    of, key = Of("2026-11", "r1", date(2026, 11, 30), 90, 12), add_alert(store)
    one, other = add_account(store, "county_staff"), add_account(store, "county_staff")
    far = add_account(store, "township_staff", [(OTHER_TOWN, None)])
    first = live(store, one, of, NOON)
    assert first.alerts["alert"].to_list() == [key] and live(store, other, of, NOON + timedelta(minutes=1)) is first
    assert live(store, far, of, NOON).alerts.is_empty()
    assert live(store, operator("root"), of, NOON + timedelta(days=1)) is not first  # another day, other limits
    work.comment(store, one, key, "看过了", NOON)
    again = live(store, one, of, NOON)
    assert again is not first and live(store, other, of, NOON) is again
    add_alert(store)
    assert live(store, one, of, NOON).alerts.height == 2


def test_a_visit_sheet_names_the_household_and_is_journalled(sqlite_store: Store) -> None:
    who = sampled(sqlite_store)
    one = to_visit(sqlite_store, who, NOON)[0]
    page = sample_sheet(sqlite_store, lambda: county([]), who, one.id, NOON)
    assert "周德福" in page and "漏判抽查" in page and all(result.zh in page for result in RESULTS.values())
    other = add_account(sqlite_store, "village_staff", [(TOWN, OTHER_VILLAGE)])
    for caller, key in ((other, one.id), (who, 10**9)):
        with pytest.raises(Denied):
            sample_sheet(sqlite_store, lambda: county([]), caller, key, NOON)
    with sqlite_store.read() as con:
        told = con.execute(select(journal.c.object, journal.c.result).where(journal.c.event == "sheet.print")).all()
    assert told[0] == (f"sample:{one.id}", "ok") and {result for _, result in told[1:]} == {"denied"}


# --- what is made of the answers


def test_the_estimate_is_the_share_found_of_those_that_could_be_drawn(store: Store) -> None:
    answered(store, ["needy", "fine", "fine", "fine", "gone", *["fine"] * 5], of=200)
    county = add_account(store, "county_staff")
    waits = to_visit(store, add_account(store, "county_staff"), NOON)
    assert len(waits) == 1, "in the place of the one that is gone"
    assert board(store, county, NOON).missed is None and not board(store, county, NOON).draws[0].counted
    tell(store, county, waits[0].id, "fine")
    told = board(store, county, NOON)
    assert told.missed is not None and missed_now(store, county, NOON) == told.missed
    assert (told.missed.answered, told.missed.needy, told.missed.unknown, told.missed.households) == (11, 1, 0, 200)
    assert told.missed.missed == pytest.approx(200 / 11)
    assert told.missed.low < 200 / 11 < told.missed.high and told.pooled == ["2026-11"]
    assert [period for period, _ in told.history] == ["2026-11"]
    assert [(place.township, place.answered, place.missed) for place in told.places] == [(TOWN, 11, None)]


def test_a_draw_counts_from_the_day_after_its_limit_and_who_did_not_answer_is_unknown(store: Store) -> None:
    who = sampled(store)
    for one in to_visit(store, who, NOON)[:4]:
        tell(store, who, one.id, "fine")
    for today, counted in ((DUE, False), (DUE + timedelta(1), True)):
        at = NOON + (today - TODAY)
        told = board(store, log_in(store, add_account(store, "analyst"), at), at)
        assert told.draws[0].counted is counted and (told.missed is not None) is counted
    assert told.missed is not None
    assert (told.missed.answered, told.missed.unknown, told.missed.missed, told.missed.low, told.missed.best) == (
        4,
        2,
        0,
        0,
        0,
    )
    assert told.missed.high == pytest.approx(3.689 * 20 / 4, rel=0.01), "nobody was found: at most so many, not nought"
    assert told.missed.worst == 20 > told.missed.high


def test_a_case_that_proved_to_be_none_was_not_missed(sqlite_store: Store) -> None:
    answered(sqlite_store, ["needy", "needy", *["fine"] * 4])
    county = add_account(sqlite_store, "county_staff")
    first = rows(sqlite_store, alert)[0]["id"]
    for outcome, needy in (("A", 2), ("L", 1), ("M", 1), ("N", 2)):
        with sqlite_store.write() as con:
            con.execute(update(alert).where(alert.c.id == first).values(outcome=outcome))
        found = missed_now(sqlite_store, county, NOON)
        assert found is not None and (found.needy, found.answered) == (needy, 6), outcome


def flagged(store: Store, household: str, rule: str, outcome: str | None, **more: Any) -> int:
    """An alert of a household by one rule, decided with an outcome."""
    key = add_alert(store, household_id=household, outcome=outcome, **more)
    kind = "data" if rule.startswith("DQ") else "risk"
    with store.write() as con:
        con.execute(insert(alert_signal).values(
            alert_id=key, rule=rule, subject_key=f"h:{household}", episode=1, state="standing", kind=kind, level="orange", level_order=2,
            department="民政", message="", clause="", evidence="[]", first_period="2026-11", last_period="2026-11"))  # fmt: skip
    return key


def test_recall_is_what_was_flagged_and_confirmed_of_that_and_the_missed(store: Store) -> None:
    """Three confirmed by rules (one on the model's list too), one by the model alone; what is none's, false or the sample's own stays out."""
    who = sampled(store, 10, 100)
    with store.write() as con:
        con.execute(update(audit_draw).values(model=True))
        key = con.execute(select(audit_draw.c.id)).scalar_one()
        con.execute(insert(audit_listed).values(draw_id=key, household_id="R1"))
    for household, outcome in (("R1", "A"), ("R2", "H"), ("R3", "J"), ("R4", "L"), ("R5", "N"), ("R6", "P")):
        flagged(store, household, "RISK-1", outcome)
    flagged(store, "R7", "RISK-1", None)
    flagged(store, "R8", "DQ-NAME", "A")
    flagged(store, "R9", "RISK-1", "A", opened_period="2026-10")
    flagged(store, "R10", "RISK-1", "A", raises_work=False)
    flagged(store, "M1", "MODEL-RISK", "F")
    ones = to_visit(store, who, NOON)
    for one, result in zip(ones, ["needy", *["fine"] * 9], strict=True):
        tell(store, who, one.id, result)
    own = rows(store, alert)[-1]["id"]
    with store.write() as con:
        con.execute(update(alert).where(alert.c.id == own).values(outcome="A"))
        con.execute(insert(alert_signal).values(
            alert_id=own, rule="RISK-1", subject_key="h:late", episode=1, state="standing", kind="risk", level="orange", level_order=2,
            department="民政", message="", clause="", evidence="[]", first_period="2026-12", last_period="2026-12"))  # fmt: skip
    told = board(store, add_account(store, "leader"), NOON)
    assert told.missed is not None and told.missed.missed == pytest.approx(10)
    assert told.rules is not None and (told.rules.found, told.rules.all_found) == (3, 4)
    assert told.rules.share == pytest.approx(3 / 14)
    assert told.rules.low == pytest.approx(3 / (4 + told.missed.high)) and told.rules.high == pytest.approx(
        3 / (4 + told.missed.low)
    )
    assert told.model is not None and told.model.share == pytest.approx(2 / 14)
    assert told.undecided == 1


def test_without_a_model_in_these_periods_its_recall_is_not_told(sqlite_store: Store) -> None:
    answered(sqlite_store, ["fine"] * 4)
    told = board(sqlite_store, add_account(sqlite_store, "leader"), NOON)
    assert told.model is None and not told.modelled
    assert told.rules is None, "nobody was found to be in need by anything: no share can be told"


def test_draws_of_twelve_periods_are_taken_together_and_older_ones_are_not(store: Store) -> None:
    who = add_account(store, "county_staff")
    choose(store, ME, AUDIT_VISITS, "5", NOON)
    for n, period in enumerate(("2025-11", "2025-12", "2026-11")):
        drawn(store, homes(50 + n), period, f"r{n}")
    for one in to_visit(store, who, NOON):
        tell(store, who, one.id, "needy" if one.period == "2025-11" else "fine", note=f"{one.id}")
    told = board(store, who, NOON)
    assert told.pooled == ["2026-11", "2025-12"] and [draw.period for draw in told.draws] == [
        "2026-11",
        "2025-12",
        "2025-11",
    ]
    assert told.missed is not None and (told.missed.answered, told.missed.needy, told.missed.households) == (10, 0, 52)
    assert [(period, found.needy) for period, found in told.history] == [("2025-11", 5), ("2025-12", 5), ("2026-11", 0)]


def test_draws_of_other_groups_are_not_taken_together(sqlite_store: Store) -> None:
    who = add_account(sqlite_store, "county_staff")
    choose(sqlite_store, ME, AUDIT_VISITS, "5", NOON)
    for period in ("2026-10", "2026-11"):
        drawn(sqlite_store, homes(50), period, period)
    for one in to_visit(sqlite_store, who, NOON):
        tell(sqlite_store, who, one.id, "fine", note=f"{one.id}")
    with sqlite_store.write() as con:
        con.execute(update(audit_draw).where(audit_draw.c.period == "2026-10").values(bands=[["全部", "All", None, 1]]))
    assert board(sqlite_store, who, NOON).pooled == ["2026-11"]


def test_the_dial_says_what_visits_cost_and_tell(sqlite_store: Store) -> None:
    county = add_account(sqlite_store, "county_staff")
    assert board(sqlite_store, county, NOON).prices == [], "nobody knows yet how many there are"
    sampled(sqlite_store, 25, 5000)
    told = board(sqlite_store, county, NOON)
    stops = {price.visits: price for price in told.prices}
    assert set(stops) == {*asking.SIZES, 25} and told.assumed == told.sampling.planned_share
    able = 2 * 10 * 52 / 12
    assert stops[50].share == pytest.approx(50 / able)
    widths = [price.high - price.low for price in told.prices]
    assert widths == sorted(widths, reverse=True) and widths[0] == 5000, (
        "more visits never tell less, none tell nothing"
    )
    assert stops[100].low < 50 < stops[100].high


def test_a_person_of_one_township_is_told_of_that_one_only(sqlite_store: Store) -> None:
    choose(sqlite_store, ME, AUDIT_VISITS, "10", NOON)
    drawn(sqlite_store, [*homes(30), *homes(50, (OTHER_TOWN, VILLAGE), prefix="B")])
    analyst = add_account(sqlite_store, "analyst", [(TOWN, None)])
    told = board(sqlite_store, analyst, NOON)
    assert [place.township for place in told.places] == [TOWN] and told.draws[0].households == 30
    assert {one.township for one in sample_of(sqlite_store, analyst, "2026-11", NOON)} == {TOWN}
