"""Clues: each becomes or joins an alert at once, its limit runs, who calls again is seen, and phones are readable to nobody else."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text

from monitoring.alerts import clue_list, clues, queue
from monitoring.alerts.cases import Refused
from monitoring.alerts.clue_effects import CHANNELS, NewClue, due_date, level_of
from monitoring.alerts.clue_list import clue_page, repeat_callers, reveal
from monitoring.alerts.clues import Registered, conclude, plain_phone
from monitoring.alerts.deadlines import LIMITS
from monitoring.alerts.timeline import timeline
from monitoring.feeds import load_feeds
from monitoring.people import Denied, operator
from monitoring.people.viewing import PurposeMissing
from monitoring.store import Store, journal
from monitoring.store.schema import alert, alert_event, alert_signal, clue
from monitoring.store.schema import journal as journal_table
from tests.people import OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE, Known, add_account, log_in
from tests.registry import Registry, register
from tests.some_alerts import TODAY, add_alert, signal_row
from tests.stores import NOON

SAID = "周德福老人独居，房屋漏雨，电话13900001234，证件500999194001010019"


def told(**fields: Any) -> NewClue:
    """A hotline clue of today about a household of TOWN, VILLAGE; changed by `fields`."""
    plain = NewClue("hotline", TODAY, "周德福", SAID, "李秀英", "139-0000-1234", "H1", TOWN, VILLAGE)
    return replace(plain, **fields)


@pytest.fixture
def clerk(store: Store) -> Known:
    return add_account(store, "township_staff", [(TOWN, None)], person="王办事")


def row_of(store: Store, table: Any, key: int) -> Any:
    with store.read() as con:
        return con.execute(select(table).where(table.c.id == key)).mappings().one()


def test_a_clue_opens_an_alert_at_once(store: Store, clerk: Known) -> None:
    done = register(store, clerk, told(), NOON)
    row = row_of(store, alert, done.alert.id)
    assert (done.joined, row["origin"], row["status"], row["subject"], row["subject_key"]) == (
        False,
        "clue",
        "new",
        "household",
        "H1",
    )
    assert (row["level"], row["due_date"], row["verify_due_date"]) == ("orange", date(2026, 11, 30), date(2026, 11, 30))
    assert (row["points"], row["why"]) == (75, [["level", 60, "orange"], ["clue", 15, 1]])
    assert row["rank"] == 75 - TODAY.toordinal() and row["raises_work"] and not row["offers_closing"]
    assert row["headline"] == "线索（12345热线）：周**老人独居，房屋漏雨，电话********1234，证件********0019"
    assert done.alert.name == "周**"
    for words in ("周德福", "李秀英", "1234", VILLAGE, "H1"):
        assert [r.id for r in queue.queue_page(store, clerk, "unassigned", queue.Wanted(text=words), 1, NOON).rows] == [
            row["id"]
        ]


def test_a_clue_joins_the_households_open_alert_and_raises_it(store: Store, clerk: Known) -> None:
    why = [["level", 30, "yellow"], ["kind", 20, "gap"], ["child", 10, 1]]
    key = add_alert(
        store, household_id="H1", level="yellow", points=60, why=why, due_date=date(2026, 12, 20), raises_work=False,
        verify_due_date=date(2026, 12, 20), offers_closing=True, status="assigned", assignee=clerk.account, version=3,
    )  # fmt: skip
    done = register(store, clerk, told(), NOON)
    row = row_of(store, alert, key)
    assert (done.joined, done.alert.id, row["level"], row["level_order"], row["status"]) == (
        True,
        key,
        "orange",
        2,
        "assigned",
    )
    assert (row["due_date"], row["verify_due_date"], row["version"]) == (date(2026, 11, 30), date(2026, 11, 30), 4)
    assert row["why"] == [["level", 60, "orange"], ["kind", 20, "gap"], ["clue", 15, 1], ["child", 10, 1]]
    assert (row["points"], row["rank"]) == (105, 105 - TODAY.toordinal())
    assert row["raises_work"] and not row["offers_closing"] and row["headline"] == "本年自付医疗费用较高"


def test_a_clue_never_puts_an_alert_back(store: Store, clerk: Known) -> None:
    soon = date(2026, 11, 24)
    key = add_alert(store, household_id="H1", level="red", due_date=soon, verify_due_date=soon, emergency=True)
    register(store, clerk, told(channel="platform"), NOON)
    row = row_of(store, alert, key)
    assert (row["level"], row["due_date"], row["verify_due_date"], row["emergency"]) == ("red", soon, soon, True)


def test_what_was_verified_already_keeps_the_limit_of_its_verification(store: Store, clerk: Known) -> None:
    then, next_step = date(2026, 11, 2), date(2027, 1, 20)
    key = add_alert(
        store, household_id="H1", status="following", verified_at=NOON, verify_due_date=then, due_date=next_step
    )
    register(store, clerk, told(emergency=True), NOON)
    row = row_of(store, alert, key)
    assert (row["verify_due_date"], row["due_date"], row["status"]) == (then, date(2026, 11, 26), "following")
    assert [r.id for r in queue.queue_page(store, clerk, "emergency", queue.ALL, 1, NOON).rows] == [key]


def test_after_closing_a_clue_opens_a_new_alert_with_the_old_one_in_view(store: Store, clerk: Known) -> None:
    old = add_alert(store, household_id="H1", status="closed", closed_at=NOON)
    done = register(store, clerk, told(), NOON)
    assert done.alert.id != old and done.alert.previous_id == old


def test_every_step_is_told_on_the_timeline_and_in_the_journal_without_names(store: Store, clerk: Known) -> None:
    key = add_alert(store, household_id="H1", level="yellow")
    done = register(store, clerk, told(), NOON)
    conclude(store, clerk, done.clue, "李秀英已回访，李秀英满意", TODAY, NOON)
    events = [event for event in timeline(store, clerk, NOON, alert_id=key) if event.kind != "opened"]
    assert {event.kind for event in events} == {"clue", "raised", "clue_concluded"}
    assert {event.by for event in events} == {"王办事"}
    words = str([(event.words_zh, event.words_en, event.note) for event in events])
    assert "登记线索：12345热线" in words and "李**已回访，李**满意" in words
    with store.read() as con:
        rows = con.execute(select(journal_table)).mappings().all()
        notes = con.execute(select(alert_event.c.note)).scalars().all()
    assert [(row["event"], row["object"]) for row in rows] == [
        ("clue.register", f"clue:{done.clue}"), ("clue.conclude", f"clue:{done.clue}"),
    ]  # fmt: skip
    for secret in ("周德福", "李秀英", "13900001234", "500999194001010019"):
        assert secret not in words + str(rows) + str(notes)
    assert journal.problems(store) == []


LIMITS_BY_CHANNEL = {
    "hotline": ("orange", 5), "self_report": ("orange", 3), "app": ("orange", 3), "visit": ("orange", 5), "grid": ("orange", 5),
    "petition": ("orange", 5), "platform": ("yellow", 10), "other": ("yellow", 10),
}  # fmt: skip


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_has_its_level_and_limit_and_an_emergency_three_working_days(channel: str) -> None:
    plain, urgent = told(channel=channel), told(channel=channel, emergency=True)
    level, days = LIMITS_BY_CHANNEL[channel]
    after = {3: date(2026, 11, 26), 5: date(2026, 11, 30), 10: date(2026, 12, 7)}
    assert (level_of(plain), due_date(plain)) == (level, after[days])
    assert (level_of(urgent), due_date(urgent)) == ("red", after[3])


def test_the_packs_limits_hold_where_they_are_stricter() -> None:
    pack = LIMITS | {"red": 2, "orange": 2}
    assert due_date(told(emergency=True), pack) == due_date(told(channel="app"), pack) == date(2026, 11, 25)
    assert due_date(told(), LIMITS | {"orange": 7}) == date(2026, 12, 2)


def test_the_limit_runs_from_the_day_on_which_the_clue_came_in(store: Store, clerk: Known) -> None:
    register(store, clerk, told(received_on=date(2026, 11, 9)), NOON)
    page = clue_page(store, clerk, "overdue", "", 1, NOON)
    assert [(row.due_date, row.days_left, row.overdue) for row in page.rows] == [(date(2026, 11, 16), -5, True)]


def test_a_clue_without_household_is_an_alert_of_its_own_that_the_next_call_joins(store: Store, clerk: Known) -> None:
    nobody = told(household_id=None)
    first = register(store, clerk, nobody, NOON)
    again = register(store, clerk, replace(nobody, text="还是没有人来看"), NOON)
    other = register(store, clerk, replace(nobody, person="吴老五"), NOON)
    row = row_of(store, alert, first.alert.id)
    assert (row["subject"], row["household_id"], again.alert.id, again.joined) == ("record", None, first.alert.id, True)
    assert other.alert.id != first.alert.id and row["points"] == 90
    assert row["subject_key"].startswith("clue:") and "周德福" not in row["subject_key"]


def test_anonymous_clues_about_different_matters_stay_apart(store: Store, clerk: Known) -> None:
    nobody = told(household_id=None, caller="", phone="", person="一位老人")
    one = register(store, clerk, nobody, NOON)
    other = register(store, clerk, replace(nobody, text="桥下有人露宿"), NOON)
    assert one.alert.id != other.alert.id and row_of(store, clue, one.clue)["caller_key"] == ""


def test_a_clue_sent_twice_is_registered_once(store: Store, clerk: Known) -> None:
    first = register(store, clerk, told(), NOON)
    again = register(store, clerk, told(), NOON + timedelta(seconds=2))
    later = register(store, clerk, told(), NOON + timedelta(minutes=11))
    assert again.clue == first.clue and later.clue != first.clue
    with store.read() as con:
        assert con.execute(select(func.count()).select_from(clue)).scalar_one() == 2


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_written(store: Store, clerk: Known) -> None:
    wrong = NewClue("telepathy", TODAY + timedelta(1), " ", "", "名" * 65, "12ab", None, TOWN, VILLAGE)
    with pytest.raises(Refused) as refused:
        register(store, clerk, wrong, NOON)
    assert len(refused.value.complaints) == 6
    with store.read() as con:
        assert [con.execute(select(func.count()).select_from(table)).scalar_one() for table in (clue, alert)] == [0, 0]


def test_nobody_registers_for_a_place_or_a_household_that_is_not_theirs(store: Store, clerk: Known) -> None:
    add_alert(store, household_id="H9", township=OTHER_TOWN)
    wrong = (told(township=OTHER_TOWN), told(township=None, village=None), told(household_id="H9"))
    for one in wrong:
        with pytest.raises(Denied):
            register(store, clerk, one, NOON)
    for who in (add_account(store, "leader"), add_account(store, "analyst"), operator("root")):
        with pytest.raises(Denied):
            register(store, who, told(), NOON)
    assert (
        register(
            store, add_account(store, "county_staff"), told(township=None, village=None, household_id=None), NOON
        ).alert.township
        is None
    )
    assert register(store, add_account(store, "village_staff", [(TOWN, VILLAGE)]), told(), NOON).clue


def test_two_clues_at_once_about_one_household_make_one_alert(store: Store) -> None:
    clerks = [add_account(store, "township_staff", [(TOWN, None)]) for _ in range(6)]
    together, done = threading.Barrier(len(clerks)), list[Registered]()

    def call(who: Known) -> None:
        together.wait()
        done.append(register(store, who, told(text=f"反映 {who.account}"), NOON))

    threads = [threading.Thread(target=call, args=(who,)) for who in clerks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 6 and len({one.alert.id for one in done}) == 1
    row = row_of(store, alert, done[0].alert.id)
    assert (row["version"], row["points"]) == (6, 60 + 45) and journal.problems(store) == []


def test_phones_stand_in_the_database_in_no_readable_form(store: Store, clerk: Known) -> None:
    done = register(store, clerk, told(text="漏雨"), NOON)
    row = row_of(store, clue, done.clue)
    assert "13900001234" not in str(dict(row)) and row["phone"].startswith("v1.") and len(row["caller_key"]) == 64
    shown = clue_page(store, clerk, "open", "", 1, NOON).rows[0]
    assert (shown.phone, shown.caller, shown.person) == ("********1234", "李**", "周**")
    if store.sqlite:
        with store.write() as con:
            con.execute(text("select 1"))
        files = b"".join(path.read_bytes() for path in store.home.glob("cases.sqlite*"))
        assert b"13900001234" not in files and "李秀英".encode() in files


def test_names_and_phone_are_revealed_for_a_purpose_that_is_journalled(store: Store, clerk: Known) -> None:
    done = register(store, clerk, told(), NOON)
    with pytest.raises(PurposeMissing):
        reveal(store, clerk, done.clue, "看", NOON)
    with pytest.raises(Denied):
        reveal(store, add_account(store, "township_staff", [(OTHER_TOWN, None)]), done.clue, "回访来电人", NOON)
    with pytest.raises(Denied):
        reveal(store, add_account(store, "analyst"), done.clue, "回访来电人", NOON)
    seen = reveal(store, clerk, done.clue, "回访来电人 13900001234", NOON)
    assert (seen.person, seen.caller, seen.phone, seen.text) == ("周德福", "李秀英", "13900001234", SAID)
    with store.read() as con:
        last = con.execute(select(journal_table).where(journal_table.c.event == "clue.reveal")).mappings().one()
    assert last["detail"] == '{"purpose": "回访来电人 ********"}' and last["object"] == f"clue:{done.clue}"


def calls(store: Store, who: Known, *days: int, **fields: Any) -> None:
    """Clues of so many days ago, each of its own text."""
    for ago in days:
        register(store, who, told(received_on=TODAY - timedelta(ago), text=f"{ago} 天前来电", **fields), NOON)


@pytest.mark.parametrize(
    ("days", "seen"),
    [
        ((0, 1), False),
        ((0, 1, 2), True),
        ((0, 1, 2, 3), True),
        ((0, 1, 89), True),
        ((0, 1, 90), False),
        ((0, 1, 91), False),
    ],
)
def test_three_calls_in_ninety_days_make_a_repeat_caller(
    sqlite_store: Store, days: tuple[int, ...], seen: bool
) -> None:
    who = add_account(sqlite_store, "township_staff", [(TOWN, None)])
    calls(sqlite_store, who, *days)
    found = repeat_callers(sqlite_store, who, NOON)
    assert bool(found) is seen
    if seen:
        told_of = found[0]
        assert (told_of.calls, told_of.last, told_of.first) == (len(days), TODAY, TODAY - timedelta(days[-1]))
        assert [row.calls for row in told_of.clues] == [len(days)] * len(days)
        assert (told_of.caller, told_of.phone) == ("李**", "********1234")


def test_callers_are_known_again_by_their_phone_else_by_name_and_village(store: Store, clerk: Known) -> None:
    calls(store, clerk, 0, phone="13900001234", caller="李秀英")
    calls(store, clerk, 1, phone="+86 139 0000 1234", caller="秀英")
    calls(store, clerk, 2, phone="１３９００００１２３４", caller="", household_id="H2")
    calls(store, clerk, 3, 4, phone="", caller="吴老五")
    calls(store, clerk, 5, phone="", caller="吴老五", village=OTHER_VILLAGE)
    calls(store, clerk, 6, 7, 8, phone="", caller="")
    assert [one.calls for one in repeat_callers(store, clerk, NOON)] == [3]
    calls(store, clerk, 9, phone="", caller="吴老五")
    assert [one.calls for one in repeat_callers(store, clerk, NOON)] == [3, 3]
    village = add_account(store, "village_staff", [(TOWN, OTHER_VILLAGE)])
    assert repeat_callers(store, village, NOON) == []


@pytest.mark.parametrize(
    ("typed", "plain"),
    [("139 0000 1234", "13900001234"), ("+8613900001234", "13900001234"), ("008613900001234", "13900001234"),
     ("(0871) 6512-3456", "087165123456"), ("8612345678", "8612345678"), ("", "")],
)  # fmt: skip
def test_a_phone_is_the_same_however_it_is_typed(typed: str, plain: str) -> None:
    assert plain_phone(typed) == plain


def test_concluding_answers_the_caller_and_leaves_the_alert_to_a_person(store: Store, clerk: Known) -> None:
    first = register(store, clerk, told(received_on=TODAY - timedelta(3)), NOON)
    second = register(store, clerk, told(text="又来电"), NOON)
    conclude(store, clerk, first.clue, "已答复", TODAY, NOON)
    row = row_of(store, alert, first.alert.id)
    assert (row["status"], row["offers_closing"], row["points"]) == ("new", False, 75)
    conclude(store, clerk, second.clue, "已答复", TODAY, NOON)
    row = row_of(store, alert, first.alert.id)
    assert (row["status"], row["closed_at"], row["offers_closing"], row["points"]) == ("new", None, True, 0)
    assert row["why"] == [["none", 0, 0]] and row["rank"] == -TODAY.toordinal()
    page = clue_page(store, clerk, "concluded", "", 1, NOON)
    assert page.counts == {"open": 0, "overdue": 0, "concluded": 2, "all": 2}
    assert [(row.concluded_on, row.days_left, row.overdue) for row in page.rows] == [(TODAY, None, False)] * 2


def test_an_alert_whose_signals_still_hold_offers_no_closing_when_its_clue_is_concluded(
    store: Store, clerk: Known
) -> None:
    key = add_alert(store, household_id="H1", why=[["level", 60, "orange"], ["kind", 15, "risk"]], points=75)
    with store.write() as con:
        con.execute(insert(alert_signal).values(signal_row(key, "RISK-MEDICAL", "H1")))
    done = register(store, clerk, told(), NOON)
    conclude(store, clerk, done.clue, "已答复", TODAY, NOON)
    row = row_of(store, alert, key)
    assert (row["offers_closing"], row["points"], row["why"]) == (
        False,
        75,
        [["level", 60, "orange"], ["kind", 15, "risk"]],
    )


def test_a_clue_is_concluded_once_with_a_result_on_a_day_that_was(store: Store, clerk: Known) -> None:
    done = register(store, clerk, told(received_on=TODAY - timedelta(1)), NOON)
    for result, on in (
        (" ", TODAY),
        ("已答复", TODAY + timedelta(1)),
        ("已答复", TODAY - timedelta(2)),
        ("长" * 4001, TODAY),
    ):
        with pytest.raises(Refused):
            conclude(store, clerk, done.clue, result, on, NOON)
    village = add_account(store, "village_staff", [(TOWN, VILLAGE)])
    stranger = add_account(store, "township_staff", [(OTHER_TOWN, None)])
    for who in (village, stranger):
        with pytest.raises(Denied):
            conclude(store, who, done.clue, "已答复", TODAY, NOON)
    conclude(store, clerk, done.clue, "已答复", TODAY, NOON)
    with pytest.raises(Refused, match="已于 2026-11-23 办结"):
        conclude(store, clerk, done.clue, "已答复", TODAY, NOON)


def test_a_closed_alerts_clue_can_still_be_concluded(store: Store, clerk: Known) -> None:
    done = register(store, clerk, told(), NOON)
    with store.write() as con:
        con.execute(alert.update().values(status="closed", closed_at=NOON, outcome="A"))
    before = row_of(store, alert, done.alert.id)
    conclude(store, clerk, done.clue, "已答复", TODAY, NOON)
    after = row_of(store, alert, done.alert.id)
    assert {**after, "version": 0} == {**before, "version": 0}


def test_the_register_is_searched_counted_and_turned_within_ones_places(store: Store, clerk: Known) -> None:
    county = add_account(store, "county_staff")
    for n in range(5):
        register(
            store,
            clerk,
            told(person=f"周{n}", phone=f"1390000000{n}", received_on=TODAY - timedelta(n), household_id=f"A{n}"),
            NOON,
        )
    register(store, county, told(person="外乡人", township=OTHER_TOWN, household_id="B1"), NOON)
    pages = [clue_page(store, clerk, "open", "", page, NOON, size=2) for page in (1, 2, 3, 9)]
    assert [[row.received_on for row in page.rows] for page in pages[:3]] == [
        [TODAY - timedelta(4), TODAY - timedelta(3)], [TODAY - timedelta(2), TODAY - timedelta(1)], [TODAY],
    ]  # fmt: skip
    assert pages[3] == pages[2] and pages[0].total == 5 and pages[0].pages == 3
    for words, total in (
        ("周3", 1),
        ("李秀英", 5),
        ("13900000002", 1),
        ("139", 0),
        ("%", 0),
        (f"{VILLAGE} 周4", 1),
        ("外乡人", 0),
    ):
        assert clue_page(store, clerk, "all", words, 1, NOON).total == total, words
    assert clue_page(store, county, "all", "", 1, NOON).total == 6
    with pytest.raises(Denied):
        clue_page(store, add_account(store, "analyst"), "all", "", 1, NOON)


def test_an_alert_shows_its_clues(store: Store, clerk: Known) -> None:
    done = register(store, clerk, told(), NOON)
    register(store, clerk, told(household_id="H2"), NOON)
    stranger = add_account(store, "township_staff", [(OTHER_TOWN, None)])
    assert [row.id for row in clue_list.clues_of(store, clerk, done.alert.id, NOON)] == [done.clue]
    with pytest.raises(Denied):
        clue_list.clues_of(store, stranger, done.alert.id, NOON)
    later = NOON + timedelta(days=1)
    row = clue_list.clues_of(store, log_in(store, clerk, later), done.alert.id, later)[0]
    assert (row.by, row.days_left, row.household) == ("王办事", 4, "H1")
    assert row.text == "周**老人独居，房屋漏雨，电话********1234，证件********0019"


def test_channels_are_those_of_the_feed_and_one_for_the_rest() -> None:
    column = load_feeds(None)["clues"].std_columns()["channel"]
    feed = {str(code) for code in column.codes}
    assert {channel.zh for channel in CHANNELS.values()} == feed | {"其他"}


def test_where_a_household_lives_is_what_the_registry_says_and_not_the_clue(store: Store, clerk: Known) -> None:
    elsewhere = Registry({"H1": (OTHER_TOWN, OTHER_VILLAGE)})
    for homes in (elsewhere, Registry({}), None):
        with pytest.raises(Denied):
            clues.register(store, clerk, told(), NOON, warehouse=homes)
    county = add_account(store, "county_staff")
    done = clues.register(store, county, told(), NOON, warehouse=elsewhere)
    assert (done.alert.township, done.alert.village) == (OTHER_TOWN, OTHER_VILLAGE)
