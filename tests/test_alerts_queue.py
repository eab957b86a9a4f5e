"""The queue: every tab holds what it says, in the order of urgency, within the person's places, and fast where there is much."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from monitoring.alerts import queue
from monitoring.alerts.queue import TABS, UNKNOWN_PLACE, Overdue, Wanted
from monitoring.people import Denied, operator
from monitoring.store import Store, journal
from monitoring.store.schema import alert, alert_signal, setting, unmasking, visit
from monitoring.store.schema import journal as journal_table
from tests.people import OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE, Known, add_account, log_in
from tests.some_alerts import TODAY, add_alert, add_alerts, signal_row
from tests.stores import NOON

COUNTY_LATE = date(2026, 11, 17)  # four working days ago
LATE = date(2026, 11, 18)  # three
CLOSED: dict[str, Any] = {"status": "closed", "closed_at": NOON - timedelta(1), "outcome": "A"}


def listed(store: Store, who: Known, tab: str = "all", wanted: Wanted = queue.ALL) -> list[int]:
    return [row.id for row in queue.queue_page(store, who, tab, wanted, 1, NOON).rows]


def test_every_tab_holds_what_it_says(store: Store) -> None:
    me, other = (add_account(store, "township_staff", [(TOWN, None)]) for _ in range(2))
    known = {
        "new": add_alert(store),
        "mine": add_alert(store, status="assigned", assignee=me.account),
        "hers": add_alert(store, status="verifying", assignee=other.account),
        "today": add_alert(store, due_date=TODAY, status="assigned", assignee=other.account),
        "late": add_alert(store, due_date=LATE, status="assigned", assignee=other.account),
        "back": add_alert(store, status="returned", assignee=me.account),
        "pool": add_alert(store, status="returned"),
        "asked": add_alert(store, status="referred", assignee=me.account, waiting_for="医保局"),
        "urgent": add_alert(store, emergency=True, status="assigned", assignee=other.account),
        "over": add_alert(store, offers_closing=True, status="decided", assignee=other.account),
        "shown": add_alert(store, raises_work=False, due_date=LATE),
        "worked": add_alert(store, raises_work=False, due_date=LATE, status="verifying", assignee=other.account),
        "done": add_alert(store, **CLOSED),
        "long ago": add_alert(store, **CLOSED | {"closed_at": NOON - timedelta(91)}),
    }
    names = {key: name for name, key in known.items()}
    held = {tab: {names[key] for key in listed(store, me, tab)} for tab in TABS}
    assert held == {
        "mine": {"mine", "back"},
        "unassigned": {"new", "pool"},
        "today": {"today"},
        "overdue": {"late", "worked"},
        "returned": {"back", "pool"},
        "waiting": {"asked"},
        "emergency": {"urgent"},
        "offers": {"over"},
        "all": set(known) - {"done", "long ago"},
        "closed": {"done"},
    }
    page = queue.queue_page(store, me, "all", queue.ALL, 1, NOON)
    assert page.counts == {tab: len(kept) for tab, kept in held.items()} and page.total == 12


def test_what_is_urgent_comes_first(store: Store) -> None:
    me = add_account(store, "township_staff", [(TOWN, None)])
    mine: dict[str, Any] = {"assignee": me.account, "status": "assigned"}
    order = [
        add_alert(store, **mine, emergency=True, points=1),
        add_alert(store, **mine, due_date=COUNTY_LATE, points=2),
        add_alert(store, **mine | {"status": "following"}, due_date=LATE, points=8),
        add_alert(store, **mine, due_date=LATE, points=3),
        add_alert(store, **mine, due_date=None, points=6),
        add_alert(store, **mine, due_date=TODAY, points=5),
        add_alert(store, **mine, points=5),
        add_alert(store, **mine, points=4),
        add_alert(store, **mine | {"status": "following"}, points=9),
    ]
    assert listed(store, me, "mine") == order
    waited = add_alert(store, **mine, points=4, opened_on=TODAY - timedelta(3))  # a day of waiting is a point
    assert listed(store, me, "mine")[4:6] == [waited, order[4]]


def test_pages_hold_every_alert_once_and_the_last_stands_for_those_beyond(store: Store) -> None:
    me = add_account(store, "county_staff")
    ids = add_alerts(store, 23)
    pages = [queue.queue_page(store, me, "all", queue.ALL, page, NOON, size=10) for page in (1, 2, 3)]
    assert [row.id for page in pages for row in page.rows] == ids
    assert [(page.page, page.pages, page.total) for page in pages] == [(1, 3, 23), (2, 3, 23), (3, 3, 23)]
    assert queue.queue_page(store, me, "all", queue.ALL, 99, NOON, size=10) == pages[2]
    empty = queue.queue_page(store, me, "overdue", queue.ALL, 5, NOON)
    assert (empty.rows, empty.total, empty.page, empty.pages) == ([], 0, 1, 1)


def test_nobody_sees_another_place_whatever_they_ask_for(store: Store) -> None:
    here = add_alert(store)
    next_door = add_alert(store, village=OTHER_VILLAGE)
    elsewhere = add_alert(store, township=OTHER_TOWN)
    nowhere = add_alert(store, subject="feed", household_id=None, township=None, village=None)
    village = add_account(store, "village_staff", [(TOWN, VILLAGE)])
    township = add_account(store, "township_staff", [(TOWN, None)])
    county = add_account(store, "county_staff")
    assert set(listed(store, village)) == {here}
    assert set(listed(store, township)) == {here, next_door}
    assert set(listed(store, county)) == {here, next_door, elsewhere, nowhere}
    assert listed(store, township, wanted=Wanted(township=OTHER_TOWN)) == []
    assert listed(store, township, wanted=Wanted(township=UNKNOWN_PLACE)) == []
    assert listed(store, county, wanted=Wanted(township=UNKNOWN_PLACE)) == [nowhere]
    for foreign in (elsewhere, nowhere, 10**6):
        for service in (queue.alert_card, queue.open_alert, queue.signals):
            with pytest.raises(Denied):
                service(store, township, foreign, NOON)
    with store.read() as con:
        denied = con.execute(select(journal_table.c.object).where(journal_table.c.result == "denied")).scalars().all()
    assert set(denied) == {f"alert:{key}" for key in (elsewhere, nowhere, 10**6)}


@pytest.mark.parametrize("role", ["auditor", "administrator", "security_officer"])
def test_who_sees_no_personal_data_sees_no_queue(sqlite_store: Store, role: str) -> None:
    who = add_account(sqlite_store, role)
    for service in (lambda: listed(sqlite_store, who), lambda: queue.counts(sqlite_store, who, NOON)):
        with pytest.raises(Denied):
            service()


def test_names_are_masked_until_the_session_unmasks_the_household(store: Store) -> None:
    me = add_account(store, "township_staff", [(TOWN, None)])
    key = add_alert(store, household_id="U-500999198001010019")
    add_alert(store, subject="institution", household_id=None, name="河东敬老院")
    page = queue.queue_page(store, me, "all", queue.ALL, 1, NOON)
    assert {row.name for row in page.rows} == {"周**", "河东敬老院"}
    assert "500999198001010019" not in str([row.household for row in page.rows])
    row = {"session": me.session, "account_id": me.account, "household_id": "U-500999198001010019", "purpose": "入户核实",
           "at": NOON, "until": NOON + timedelta(minutes=30)}  # fmt: skip
    with store.write() as con:
        con.execute(insert(unmasking).values(row))
    assert queue.alert_card(store, me, key, NOON).name == "周德福"
    assert queue.alert_card(store, log_in(store, me), key, NOON).name == "周**"  # another session of the same person
    later = log_in(store, me, NOON + timedelta(minutes=30))
    assert queue.alert_card(store, later, key, NOON + timedelta(minutes=30)).name == "周**"


SEARCHES = {
    "德福": {"zhou"},
    "秀": {"li"},
    "001x": {"zhou"},
    "001X": {"zhou"},
    "50099919800101001X": {"zhou"},  # only its last four characters are known
    "13900005678": {"li"},
    "5099000123": {"li"},  # a household's number
    VILLAGE: {"zhou"},
    f"周德福 {VILLAGE}": {"zhou"},
    f"周德福 {OTHER_VILLAGE}": set(),
    "  ": {"zhou", "li"},
    "%": set(),
    "_": set(),
    "'; drop table alert; --": set(),
    "U-500999198001010019": set(),
}


def test_a_search_looks_for_names_ends_of_numbers_households_and_villages(store: Store) -> None:
    me = add_account(store, "county_staff")
    known = {
        add_alert(store, household_id="U-500999198001010019", find=f"周德福 001X 4321 {VILLAGE}"): "zhou",
        add_alert(store, household_id="5099000123", find=f"李秀英 5678 {OTHER_VILLAGE}", village=OTHER_VILLAGE): "li",
    }
    found = {text: {known[key] for key in listed(store, me, wanted=Wanted(text=text))} for text in SEARCHES}
    assert found == SEARCHES


WISHES = {
    Wanted(levels=("red",)): {"a"},
    Wanted(levels=("red", "orange")): {"a", "b"},
    Wanted(kinds=("gap",)): {"a", "b"},
    Wanted(kinds=("exit", "data")): {"c"},
    Wanted(rule="EXIT-HOME"): set(),
    Wanted(rule="EXIT-HOME-RECENT"): {"c"},
    Wanted(rule="GAP-DIBAO"): {"a", "b"},
    Wanted(township=TOWN): {"a", "b"},
    Wanted(township=TOWN, village=OTHER_VILLAGE): {"b"},
    Wanted(statuses=("new", "assigned")): {"a", "b"},
    Wanted(emergency=True): {"c"},
    Wanted(department="医保"): {"b"},
    Wanted(department="教育"): {"c"},
    Wanted(department="医"): set(),
    Wanted(levels=("red",), kinds=("exit",)): set(),
}


def test_each_wish_narrows_the_list_and_its_counts(store: Store) -> None:
    me = add_account(store, "county_staff")
    known = {
        add_alert(store, level="red", kinds="gap", rules="GAP-DIBAO", departments="民政"): "a",
        add_alert(store, level="orange", kinds="gap risk", rules="GAP-DIBAO RISK-MEDICAL", departments="民政 医保",
                  village=OTHER_VILLAGE, status="assigned"): "b",
        add_alert(store, level="yellow", kinds="exit", rules="EXIT-HOME-RECENT", departments="住建", township=OTHER_TOWN,
                  status="referred", waiting_for="教育", emergency=True): "c",
    }  # fmt: skip
    pages = {wanted: queue.queue_page(store, me, "all", wanted, 1, NOON) for wanted in WISHES}
    assert {wanted: {known[row.id] for row in page.rows} for wanted, page in pages.items()} == WISHES
    for wanted, page in pages.items():
        assert page.total == page.counts["all"] == len(WISHES[wanted])
        assert page.counts["emergency"] == len(WISHES[wanted] & {"c"})


def test_alerts_in_one_persons_hands_can_be_asked_for(store: Store) -> None:
    me, other = add_account(store, "county_staff"), add_account(store, "township_staff", [(TOWN, None)])
    hers = add_alert(store, assignee=other.account, status="assigned")
    add_alert(store)
    assert listed(store, me, wanted=Wanted(assignee=other.account)) == [hers]


@pytest.mark.parametrize("tab", ["all", "closed"])
def test_next_goes_through_the_tab_in_its_order_and_begins_again(store: Store, tab: str) -> None:
    me = add_account(store, "county_staff")
    for n in range(7):
        closed = (
            CLOSED | {"closed_at": NOON - timedelta(n // 2)} if tab == "closed" else {"due_date": TODAY - timedelta(n)}
        )
        add_alert(store, points=n % 3, emergency=n == 3, **closed)
    order = listed(store, me, tab)
    seen = [queue.next_alert(store, me, tab, queue.ALL, None, NOON)]
    for _ in order:
        seen.append(queue.next_alert(store, me, tab, queue.ALL, seen[-1], NOON))
    assert [card.id for card in seen if card] == [*order, order[0]]


def test_next_goes_on_from_where_the_alert_stood_although_it_has_moved(store: Store) -> None:
    me = add_account(store, "county_staff")
    first, second, third = add_alerts(store, 3, due_date=LATE)
    opened = queue.alert_card(store, me, second, NOON)
    with store.write() as con:
        con.execute(alert.update().where(alert.c.id == second).values(due_date=date(2026, 12, 20), status="following"))
    after = queue.next_alert(store, me, "overdue", queue.ALL, opened, NOON)
    assert after is not None and after.id == third
    again = queue.next_alert(store, me, "overdue", queue.ALL, after, NOON)
    assert again is not None and again.id == first


def test_there_is_no_next_where_there_is_no_other(store: Store) -> None:
    me = add_account(store, "county_staff")
    only = add_alert(store)
    assert queue.next_alert(store, me, "all", queue.ALL, queue.alert_card(store, me, only, NOON), NOON) is None
    assert queue.next_alert(store, me, "returned", queue.ALL, None, NOON) is None


def test_what_is_overdue_rises_to_the_township_and_then_to_the_county(store: Store) -> None:
    county = add_account(store, "county_staff")
    expected = {TODAY: 0, TODAY - timedelta(1): 1, LATE: 1, COUNTY_LATE: 2, None: 0}
    found = {due: queue.alert_card(store, county, add_alert(store, due_date=due), NOON).escalation for due in expected}
    told = queue.counts(store, county, NOON)
    assert found == expected and (told.overdue, told.county) == (3, 1)


def test_everyone_is_told_first_what_has_reached_them(store: Store) -> None:
    add_alert(store, due_date=LATE)
    add_alert(store, due_date=COUNTY_LATE)
    add_alert(store, due_date=LATE, village=OTHER_VILLAGE)
    add_alert(store, due_date=COUNTY_LATE, township=OTHER_TOWN)
    add_alert(store, due_date=COUNTY_LATE, raises_work=False)
    village = queue.counts(store, add_account(store, "village_staff", [(TOWN, VILLAGE)]), NOON)
    township = queue.counts(store, add_account(store, "township_staff", [(TOWN, None)]), NOON)
    leader = queue.counts(store, add_account(store, "leader"), NOON)
    assert (village.tier, village.told, village.overdue, village.county) == ("village", 2, 2, 1)
    assert (township.tier, township.told, township.overdue, township.county) == ("township", 3, 3, 1)
    assert (leader.tier, leader.told, leader.overdue, leader.county) == ("county", 2, 4, 2)
    assert village.where == [Overdue(VILLAGE, 2, 1)]
    assert township.where == [Overdue(VILLAGE, 2, 1), Overdue(OTHER_VILLAGE, 1, 0)]
    assert leader.where == [Overdue(TOWN, 3, 1), Overdue(OTHER_TOWN, 1, 1)]
    assert leader.tabs["overdue"] == 4 and queue.counts(store, operator("root"), NOON) == leader


def test_opening_an_alert_is_journalled_once_in_half_an_hour(store: Store) -> None:
    me, other = (add_account(store, "township_staff", [(TOWN, None)]) for _ in range(2))
    key = add_alert(store, household_id="U-500999198001010019")
    for who, minutes in ((me, 0), (me, 1), (me, 29), (other, 29)):
        assert queue.open_alert(store, who, key, NOON + timedelta(minutes=minutes)).id == key
    queue.queue_page(store, me, "all", queue.ALL, 1, NOON)
    queue.open_alert(store, log_in(store, me, NOON + timedelta(minutes=31)), key, NOON + timedelta(minutes=31))
    with store.read() as con:
        rows = con.execute(select(journal_table).order_by(journal_table.c.seq)).mappings().all()
    assert [(row["who"], row["event"], row["object"]) for row in rows] == [
        (me.name, "alert.view", f"alert:{key}"),
        (other.name, "alert.view", f"alert:{key}"),
        (me.name, "alert.view", f"alert:{key}"),
    ]
    assert "500999198001010019" not in str(rows) and journal.problems(store) == []


def test_a_households_open_alert_and_its_earlier_ones_are_found(store: Store) -> None:
    me = add_account(store, "township_staff", [(TOWN, None)])
    stranger = add_account(store, "township_staff", [(OTHER_TOWN, None)])
    earlier = [
        add_alert(store, household_id="H1", **CLOSED | {"closed_at": NOON - timedelta(days)}) for days in (300, 20)
    ]
    now = add_alert(store, household_id="H1", previous_id=earlier[1])
    found = queue.open_alert_of(store, me, "H1", NOON)
    assert found is not None and (found.id, found.previous_id) == (now, earlier[1])
    assert [card.id for card in queue.history(store, me, "H1", NOON)] == earlier[::-1]
    assert queue.open_alert_of(store, stranger, "H1", NOON) is None and queue.history(store, stranger, "H1", NOON) == []
    assert queue.open_alert_of(store, me, "H2", NOON) is None


def test_what_is_worked_on_comes_before_what_is_shown_and_what_still_holds_before_what_is_gone(store: Store) -> None:
    me = add_account(store, "analyst")
    key = add_alert(store, household_id="H1")
    rows = [
        signal_row(key, "RISK-WATER", "H1", level_order=3), signal_row(key, "GAP-DIBAO", "H1", level_order=1),
        signal_row(key, "RISK-MEDICAL", "H1", level_order=1, state="gone", gone_period="2026-11"),
        signal_row(key, "EXIT-HOMES", "H1", level_order=1, state="shown"),
    ]  # fmt: skip
    with store.write() as con:
        for row in rows:
            con.execute(insert(alert_signal).values(row))
    found = queue.signals(store, me, key, NOON)
    assert [signal.rule for signal in found] == ["GAP-DIBAO", "RISK-WATER", "EXIT-HOMES", "RISK-MEDICAL"]
    assert found[0].evidence == [{"name": "own_cost", "value": 6000}]


def test_load_per_worker_counts_what_each_has_in_hand(store: Store) -> None:
    boss = add_account(store, "township_staff", [(TOWN, None)], person="乡镇主任")
    aide = add_account(store, "village_staff", [(TOWN, VILLAGE)], person="村级协理员")
    add_account(store, "village_staff", [(OTHER_TOWN, VILLAGE)], person="外乡的")
    add_account(store, "county_staff", person="县里的")
    add_account(store, "village_staff", [(TOWN, VILLAGE)], person="停用的", state="disabled")
    add_account(store, "leader", person="领导")
    hers: dict[str, Any] = {"assignee": aide.account, "status": "assigned"}
    done = add_alert(store, **hers, due_date=date(2026, 11, 29))
    add_alert(store, **hers, due_date=LATE)
    add_alert(store, **hers, due_date=TODAY)
    add_alert(store, **hers)
    add_alert(store, **hers | CLOSED)
    # The five working days to Monday begin on Tuesday.
    for day in (date(2026, 11, 16), date(2026, 11, 17), TODAY):
        row = {"alert_id": done, "date": day, "visitor": "村级协理员", "met": True, "note": "", "finding": "unclear",
               "account_id": aide.account, "at": NOON}  # fmt: skip
        with store.write() as con:
            con.execute(insert(visit).values(row))
    loads = queue.workers(store, boss, NOON)
    assert [load.person for load in loads] == ["村级协理员", "乡镇主任"]
    first = loads[0]
    assert (first.open, first.due_this_week, first.overdue, first.visits) == (4, 2, 1, 2)
    assert (first.worker.places, first.worker.visits_per_week) == (((TOWN, VILLAGE),), 10)
    assert [load.person for load in queue.workers(store, aide, NOON)] == ["村级协理员"]
    assert {load.person for load in queue.workers(store, add_account(store, "leader"), NOON)} == {
        "村级协理员", "乡镇主任", "外乡的", "县里的",
    }  # fmt: skip


def test_the_county_says_how_many_visits_a_week_its_workers_can_do(sqlite_store: Store) -> None:
    boss = add_account(sqlite_store, "county_staff")
    with sqlite_store.write() as con:
        con.execute(insert(setting).values(name="alerts.visits_per_week", value=12, by="x", at=NOON))
    assert [load.worker.visits_per_week for load in queue.workers(sqlite_store, boss, NOON)] == [12]


def test_lists_and_counts_are_answered_from_the_index_alone(sqlite_store: Store) -> None:
    me = add_account(sqlite_store, "county_staff")
    add_alerts(sqlite_store, 60)
    plans: list[list[str]] = []

    def explain(con: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.startswith("SELECT") and "FROM alert" in statement and "alert.headline" not in statement:
            plan = con.connection.cursor()
            plans.append([row[3] for row in plan.execute("explain query plan " + statement, parameters)])

    event.listen(sqlite_store.engine, "before_cursor_execute", explain)
    wishes = (
        queue.ALL,
        Wanted(text="周德福"),
        Wanted(kinds=("risk",), rule="GAP-DIBAO", department="民政", levels=("red",)),
    )
    for wanted in wishes:
        for tab in ("all", "overdue", "unassigned", "closed"):
            queue.queue_page(sqlite_store, me, tab, wanted, 1, NOON)
    queue.next_alert(sqlite_store, me, "all", queue.ALL, queue.alert_card(sqlite_store, me, 30, NOON), NOON)
    touched = [line for plan in plans for line in plan if "alert" in line]
    assert len(plans) >= 25 and [line for line in touched if "COVERING INDEX ix_alert_work" not in line] == []
