"""Clues that come as a department's file open or join alerts with the run's signals, once, and are concluded by the file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from monitoring.alerts.clue_effects import CHANNELS, NewClue
from monitoring.alerts.clue_list import clue_page, repeat_callers
from monitoring.alerts.delivered import Delivered, take_in_delivered
from monitoring.alerts.syncing import RUN, catch_up
from monitoring.feeds import load_feeds
from monitoring.people import Acting, operator
from monitoring.store import Store, open_store
from monitoring.store.schema import alert, alert_event, clue
from monitoring.warehouse import publication
from tests.people import TOWN, VILLAGE
from tests.runs import number, run_quietly, small_county, write_feeds
from tests.some_alerts import TODAY, add_alert
from tests.stores import NOON


def delivered(number: str = "GD1", household: str | None = "H1", **fields: Any) -> Delivered:
    of = NewClue("hotline", date(2026, 11, 20), "周德福", "房屋漏雨", "周德福", "", household, TOWN, VILLAGE)
    return Delivered(number, of, fields.get("due_date"), fields.get("concluded_on"), fields.get("result"))


def take(store: Store, *rows: Delivered) -> int:
    with store.write() as con:
        return take_in_delivered(Acting(con, RUN, NOON, store), rows)


def rows_of(store: Store, table: Any) -> list[Any]:
    with store.read() as con:
        return list(con.execute(select(table).order_by(table.c.id)).mappings())


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
