"""Clues that come as a department's file open or join alerts with the run's signals, once, and are concluded by the file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from monitoring.alerts.clue_effects import CHANNELS, NewClue
from monitoring.alerts.clue_list import clue_page, repeat_callers
from monitoring.alerts.delivered import Delivered, take_in_delivered
from monitoring.alerts.syncing import RUN, catch_up
from monitoring.feeds import load_feeds
from monitoring.people import Acting, operator
from monitoring.store import Store, open_store
from monitoring.store.schema import alert, alert_event, clue
from monitoring.warehouse import publication
from tests.people import TOWN, VILLAGE, add_account
from tests.registry import register
from tests.runs import number, run_quietly, small_county, write_feeds
from tests.some_alerts import TODAY, add_alert
from tests.stores import NOON


def delivered(number: str = "GD1", household: str | None = "H1", **fields: Any) -> Delivered:
    channel, said = fields.get("channel", "hotline"), fields.get("text", "房屋漏雨")
    of = NewClue(channel, date(2026, 11, 20), "周德福", said, "周德福", "", household, TOWN, VILLAGE)
    return Delivered(number, of, fields.get("due_date"), fields.get("concluded_on"), fields.get("result"))


def take(store: Store, *rows: Delivered) -> int:
    with store.write() as con:
        return take_in_delivered(Acting(con, RUN, NOON, store), rows)


def rows_of(store: Store, table: Any) -> list[Any]:
    with store.read() as con:
        return list(con.execute(select(table).order_by(table.c.id)).mappings())


def told(store: Store) -> list[tuple[str, dict[str, Any]]]:
    """Every event with its detail, in the order in which they are kept."""
    return [(row["event"], row["detail"]) for row in rows_of(store, alert_event)]


def test_every_channel_of_the_feed_is_known() -> None:
    channel = next(column for column in load_feeds(None)["clues"].columns if column.name == "channel")
    assert set(channel.codes) <= {one.zh for one in CHANNELS.values()}


def test_a_delivered_clue_opens_an_alert_with_the_departments_limit(store: Store) -> None:
    assert take(store, delivered(due_date=date(2026, 11, 25))) == 1
    (row,), (known,) = rows_of(store, alert), rows_of(store, clue)
    assert (row["origin"], row["status"], row["level"], row["due_date"]) == (
        "clue",
        "new",
        "orange",
        date(2026, 11, 25),
    )
    assert (known["number"], known["account_id"], known["alert_id"]) == ("GD1", None, row["id"])


def test_it_joins_the_households_open_alert(store: Store) -> None:
    there = add_alert(store, household_id="H1", subject_key="H1", level="yellow", township=TOWN, village=VILLAGE)
    take(store, delivered())
    (row,) = rows_of(store, alert)
    assert row["id"] == there and row["level"] == "orange" and row["version"] == 2


def test_the_same_file_again_changes_nothing(store: Store) -> None:
    take(store, delivered(), delivered("GD2", None))
    before = [rows_of(store, table) for table in (alert, clue, alert_event)]
    assert take(store, delivered(), delivered("GD2", None)) == 0
    assert [rows_of(store, table) for table in (alert, clue, alert_event)] == before


def test_a_file_that_says_concluded_concludes_and_offers_closing(store: Store) -> None:
    take(store, delivered())
    assert take(store, delivered(concluded_on=date(2026, 11, 22), result="已联系住建部门")) == 1
    (row,), (known,) = rows_of(store, alert), rows_of(store, clue)
    assert row["offers_closing"] and row["closed_at"] is None and known["concluded_on"] == date(2026, 11, 22)
    assert [event["event"] for event in rows_of(store, alert_event)] == ["clue", "clue_concluded"]


def test_what_was_concluded_before_it_came_opens_nothing_but_counts_for_who_calls_again(store: Store) -> None:
    done = [delivered(f"GD{n}", concluded_on=date(2026, 11, 21), result="已答复") for n in range(3)]
    assert take(store, *done) == 3 and rows_of(store, alert) == []
    county = operator("root")
    assert [one.calls for one in repeat_callers(store, county, NOON)] == [3]
    assert clue_page(store, county, "concluded", "", 1, NOON).total == 3


def test_the_same_caller_twice_in_one_file_is_one_alert_with_two_clues(store: Store) -> None:
    take(store, delivered("GD1", None, channel="platform", text="外出"), delivered("GD2", None, text="房屋漏雨"))
    (row,), known = rows_of(store, alert), rows_of(store, clue)
    assert [one["alert_id"] for one in known] == [row["id"]] * 2
    assert (row["subject"], row["version"], row["level"]) == ("record", 2, "orange")
    assert row["why"] == [["level", 60, "orange"], ["clue", 30, 2]] and row["points"] == 90
    assert row["rank"] == 90 - TODAY.toordinal() and row["headline"] == "线索（部门推送）：外出"
    assert told(store) == [
        ("clue", {"version": 1, "clue": known[0]["id"], "channel": "platform"}),
        ("clue", {"version": 2, "clue": known[1]["id"], "channel": "hotline"}),
        ("raised", {"version": 2, "from": "yellow", "to": "orange"}),
    ]


def test_clues_of_a_file_that_join_an_alert_raise_it_version_by_version(store: Store) -> None:
    there = add_alert(
        store, household_id="H1", level="yellow", township=TOWN, village=VILLAGE, version=4,
        why=[["level", 30, "yellow"], ["kind", 20, "gap"]],
    )  # fmt: skip
    take(store, delivered(), delivered("GD2", due_date=date(2026, 11, 24)), delivered("GD3", channel="platform"))
    (row,), known = rows_of(store, alert), rows_of(store, clue)
    assert (row["version"], row["level"], row["due_date"]) == (7, "orange", date(2026, 11, 24))
    assert row["why"] == [["level", 60, "orange"], ["clue", 45, 3], ["kind", 20, "gap"]] and row["points"] == 125
    assert [one["alert_id"] for one in known] == [there] * 3
    events = [(event, detail["version"]) for event, detail in told(store) if event != "opened"]
    assert events == [("clue", 5), ("raised", 5), ("clue", 6), ("clue", 7)]


def test_what_one_file_opened_the_next_concludes_beside_a_new_clue(store: Store) -> None:
    take(store, delivered(), delivered("GD2"))
    over = [delivered(n, concluded_on=date(2026, 11, 22), result="周德福已安置") for n in ("GD1", "GD2")]
    assert take(store, over[0], delivered("GD3"), over[1]) == 3
    (row,), known = rows_of(store, alert), rows_of(store, clue)
    assert (row["version"], row["why"][-1], row["offers_closing"]) == (5, ["clue", 15, 1], False)
    assert [event for event, _ in told(store)] == ["clue", "clue", "clue_concluded", "clue", "clue_concluded"]
    assert [detail["clue"] for _, detail in told(store)] == [known[n]["id"] for n in (0, 1, 0, 2, 1)]
    assert [one["result"] for one in known] == ["周德福已安置", "周德福已安置", None]
    assert rows_of(store, alert_event)[-1]["note"] == "周**已安置"
    assert take(store, delivered("GD3", concluded_on=date(2026, 11, 23))) == 1
    (row,) = rows_of(store, alert)
    assert (row["points"], row["why"], row["offers_closing"]) == (0, [["none", 0, 0]], True)


def test_an_alert_whose_signal_holds_does_not_offer_closing_when_its_clue_is_concluded(store: Store) -> None:
    add_alert(store, ["medical-cost"], household_id="H1", township=TOWN, village=VILLAGE)
    take(store, delivered())
    take(store, delivered(concluded_on=date(2026, 11, 22)))
    (row,) = rows_of(store, alert)
    assert not row["offers_closing"] and row["version"] == 3


def test_a_clue_of_a_closed_alert_is_concluded_and_the_alert_stays_as_it_was_decided(store: Store) -> None:
    take(store, delivered())
    (before,) = rows_of(store, alert)
    with store.write() as con:
        con.execute(update(alert).values(closed_at=NOON, status="closed"))
    assert take(store, delivered(concluded_on=date(2026, 11, 22)), delivered("GD2")) == 2
    old, new = rows_of(store, alert)
    assert (old["version"], old["points"], old["offers_closing"]) == (2, before["points"], False)
    assert (new["previous_id"], new["version"], new["status"]) == (old["id"], 1, "new")


def test_ids_rise_in_the_order_of_the_file_whatever_each_clue_does(store: Store) -> None:
    over = {"concluded_on": date(2026, 11, 21), "result": "已答复"}
    take(store, delivered("GD9", "H9"), delivered("GD8", "H8", **over), delivered("GD7", "H7"), delivered("GD1", "H9"))
    known = rows_of(store, clue)
    assert [one["number"] for one in known] == ["GD9", "GD8", "GD7", "GD1"]
    assert [row["subject_key"] for row in rows_of(store, alert)] == ["H9", "H7"]
    assert [detail["clue"] for _, detail in told(store)] == [known[n]["id"] for n in (0, 2, 3)]


def test_a_file_leaves_what_typing_the_same_clues_would(store: Store, tmp_path: Path) -> None:
    """One definition for both: only who told, and the department's number, differ."""
    other = open_store(tmp_path / "typed")
    clerk = add_account(other, "county_staff")
    said = [
        delivered("GD1", "H1", channel="platform"),
        delivered("GD2", None, channel="petition"),
        delivered("GD3", "H1", channel="app", text="申请救助"),
        delivered("GD4", None, text="又来电"),
    ]
    take(store, *said)
    for one in said:
        register(other, clerk, one.clue, NOON)
    key = {"subject_key"}  # a record's is a digest by the home's key
    for table, own in (
        (alert, key),
        (clue, {"number", "account_id", "caller_key"}),
        (alert_event, {"account_id", "by"}),
    ):
        filed, typed = (
            [{name: value for name, value in row.items() if name not in own} for row in rows_of(of, table)]
            for of in (store, other)
        )
        assert filed == typed
    other.close()


def test_an_open_clue_of_a_real_file_is_in_the_queue_after_the_run(tmp_path: Path) -> None:
    feeds = small_county()
    feeds["clues"] = [
        {"线索编号": "XS1", "姓名": "赵二甲", "证件号码": number("19700101", 103), "来源": "12345热线", "登记日期": "2026-11-10",
         "诉求内容": "大病没有钱治", "办理期限": "2026-12-20"},
    ]  # fmt: skip
    inbox, home = write_feeds(feeds, tmp_path / "inbox"), tmp_path / "home"
    run_quietly(home, "2026-11", inbox)
    store = open_store(home)
    done = catch_up(store, publication(home), NOON)
    assert [one.clues for one in done] == [1]
    (known,) = rows_of(store, clue)
    of = next(row for row in rows_of(store, alert) if row["id"] == known["alert_id"])
    assert (
        known["household_id"] == of["household_id"] is not None
        and of["township"] == "甲镇"
        and known["due_date"] == date(2026, 12, 20)
    )
    assert TODAY.year == 2026
