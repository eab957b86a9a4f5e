"""The digest: figures by township that agree with the queue, no personal data, sent to a real server, one failure stops nobody."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from monitoring.alerts import digest, queue
from monitoring.alerts.clue_effects import NewClue
from monitoring.alerts.digest import COUNTY, NOWHERE, counts_by_township, first_since, load_addresses, run
from monitoring.people import Denied, operator
from monitoring.people.settings import SettingsError
from monitoring.store import Store, journal
from monitoring.store.schema import journal as journal_table
from monitoring.working_days import CHINA
from tests.people import OTHER_TOWN, TOWN, VILLAGE, add_account
from tests.registry import register
from tests.some_alerts import TODAY, add_alert
from tests.stores import NOON

# Apprise loads a module that Python 3.13 lacks.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
ROOT = operator("root")
COUNTY_LATE, LATE = date(2026, 11, 17), date(2026, 11, 18)


@pytest.fixture
def server() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server on this machine that keeps what Apprise sends it: its address, and the messages; /broken refuses them."""
    received: list[dict[str, Any]] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not self.path.startswith("/broken"):
                received.append({"path": self.path, **body})
            self.send_response(500 if self.path.startswith("/broken") else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing to the terminal."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"json://127.0.0.1:{http.server_port}", received
    http.shutdown()
    thread.join()
    http.server_close()


def settle(store: Store, content: str, mode: int = 0o600) -> None:
    path = store.home / "settings.toml"
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)


def some(store: Store) -> None:
    """Alerts of two townships and of no known place."""
    yesterday = NOON - timedelta(days=1)
    add_alert(store, level="red", due_date=TODAY)
    add_alert(store, due_date=LATE, opened_at=NOON - timedelta(days=9))
    add_alert(store, due_date=COUNTY_LATE, opened_at=NOON - timedelta(days=9))
    add_alert(store, due_date=date(2026, 11, 29), opened_at=yesterday, emergency=True)
    add_alert(store, due_date=COUNTY_LATE, raises_work=False)
    add_alert(store, status="closed", closed_at=NOON, opened_at=yesterday, due_date=LATE)
    add_alert(store, township=OTHER_TOWN, due_date=date(2026, 11, 30), opened_at=NOON - timedelta(days=9))
    add_alert(store, township=None, village=None, household_id=None, subject="feed", due_date=TODAY)


def figures(store: Store, since: dict[str, datetime] | None = None) -> dict[str, tuple[int, ...]]:
    with store.read() as con:
        found = counts_by_township(con, NOON, since or {})
    return {c.target: (c.new, c.new_red, c.today, c.week, c.overdue, c.county, c.emergency) for c in found}


def test_each_township_is_counted_and_the_county_is_their_sum(store: Store) -> None:
    some(store)
    assert figures(store) == {
        COUNTY: (4, 1, 2, 3, 2, 1, 1),
        TOWN: (3, 1, 1, 2, 2, 1, 1),
        OTHER_TOWN: (0, 0, 0, 0, 0, 0, 0),
        NOWHERE: (1, 0, 1, 1, 0, 0, 0),
    }


def test_the_digest_counts_what_the_queue_counts(store: Store) -> None:
    some(store)
    seen = queue.counts(store, add_account(store, "leader"), NOON)
    _, _, today, _, overdue, county, emergency = figures(store)[COUNTY]
    tabs = seen.tabs
    assert (tabs["today"], tabs["overdue"], seen.county, tabs["emergency"]) == (today, overdue, county, emergency)


def test_new_is_what_came_since_the_target_was_last_told(store: Store) -> None:
    some(store)
    told = figures(store, {TOWN: NOON - timedelta(hours=2), COUNTY: NOON})
    assert (told[TOWN][0], told[COUNTY][0], told[NOWHERE][0]) == (1, 0, 1)


@pytest.mark.parametrize(
    ("today", "since"),
    [(TODAY, date(2026, 11, 20)), (date(2026, 11, 24), TODAY), (date(2026, 10, 8), date(2026, 9, 30))],
)
def test_at_first_what_is_new_is_counted_since_the_working_day_before(today: date, since: date) -> None:
    assert first_since(today) == datetime(since.year, since.month, since.day, tzinfo=CHINA)


def test_without_addresses_the_digest_is_for_reading(store: Store) -> None:
    some(store)
    done = run(store, ROOT, NOON)
    assert (done.configured, done.sent, done.failed) == (False, (), ())
    assert done.text.startswith(f"低收入人口监测预警 2026-11-23 {COUNTY}\n11月20日 00:00 以来新增 4 件（红色 1 件）")
    assert f"{TOWN}：新增 3，今日到期 1，逾期 2（报县级 1）" in done.text
    assert run(store, ROOT, NOON) == done  # reading it tells nobody, so that nothing counts as told


def test_an_empty_store_has_a_digest_of_nothing(store: Store) -> None:
    assert "新增 0 件" in run(store, ROOT, NOON).text


def test_every_target_gets_its_own_figures_and_no_personal_data(
    store: Store, server: tuple[str, list[dict[str, Any]]]
) -> None:
    address, received = server
    some(store)
    clerk = add_account(store, "township_staff", [(TOWN, None)], person="王办事")
    clue = NewClue("hotline", TODAY, "吴老五", "病了没钱看", "李秀英", "13900001234", "H77", TOWN, VILLAGE)
    register(store, clerk, clue, NOON)
    settle(store, f'[digest]\ncounty = ["{address}/county"]\n[digest.townships]\n"{TOWN}" = ["{address}/town"]')
    done = run(store, ROOT, NOON)
    assert (done.sent, done.failed, done.configured) == ((COUNTY, TOWN), (), True)
    assert {one["path"]: one["title"].rsplit(" ", 1)[1] for one in received} == {"/county": COUNTY, "/town": TOWN}
    town = next(one["message"] for one in received if one["path"] == "/town")
    assert "新增 4 件（红色 1 件）" in town and OTHER_TOWN not in town
    everything = str(received) + done.text
    personal = (
        "周德福",
        "吴老五",
        "李秀英",
        "王办事",
        "13900001234",
        "1234",
        VILLAGE,
        "H77",
        "自付医疗",
        "病了",
        "medical",
    )
    assert [word for word in personal if word in everything] == []


def test_what_a_target_missed_it_is_told_the_next_time(store: Store, server: tuple[str, list[dict[str, Any]]]) -> None:
    address, received = server
    add_alert(store, opened_at=NOON - timedelta(hours=1))
    add_alert(store, township=OTHER_TOWN, opened_at=NOON - timedelta(hours=1))
    broken = f'[digest.townships]\n"{TOWN}" = ["{address}/broken"]\n"{OTHER_TOWN}" = ["{address}/other"]'
    settle(store, broken)
    done = run(store, ROOT, NOON)
    assert done.sent == (OTHER_TOWN,) and len(done.failed) == 1 and done.failed[0].startswith(f"{TOWN}：没有送达")
    settle(store, broken.replace("/broken", "/town"))
    received.clear()
    later = run(store, ROOT, NOON + timedelta(minutes=5))
    told = {one["path"]: one["message"] for one in received}
    assert later.failed == () and "新增 1 件" in told["/town"] and "新增 0 件" in told["/other"]
    with store.read() as con:
        rows = con.execute(select(journal_table).order_by(journal_table.c.seq)).mappings().all()
    assert [(row["event"], row["who"], row["result"]) for row in rows] == [
        ("digest.send", "cli:root", "failed"), ("digest.send", "cli:root", "ok"),
    ]  # fmt: skip
    assert journal.problems(store) == []


def test_nobody_waits_for_an_address_that_does_not_answer_and_its_keys_are_not_told(
    store: Store, server: tuple[str, list[dict[str, Any]]]
) -> None:
    address, received = server
    add_alert(store)
    nobody = "json://user:geheim@127.0.0.1:1/x"
    settle(
        store,
        f'[digest]\ncounty = ["{nobody}", "nonsense://geheim", "{address}/county"]\n[digest.townships]\n"柳树镇" = ["{nobody}"]',
    )
    done = run(store, ROOT, NOON)
    assert done.sent == (COUNTY,) and len(received) == 1
    assert [words.partition("：")[0] for words in done.failed] == [COUNTY, COUNTY, "柳树镇"]
    assert "写法不对" in done.failed[1] and "库里没有这个乡镇" in done.failed[2] and "geheim" not in str(done)


def test_asked_for_the_text_alone_nothing_is_sent(store: Store, server: tuple[str, list[dict[str, Any]]]) -> None:
    address, received = server
    settle(store, f'[digest]\ncounty = ["{address}/county"]')
    done = run(store, ROOT, NOON, send=False)
    assert (done.configured, done.sent, received) == (True, (), []) and done.text


WRONG = {
    'digest = "x"': "不是一张表",
    '[digest]\ncounty = "mailto://x"': "不是地址的列表",
    '[digest]\ncounty = ["x"]': "不是地址的列表",
    '[digest]\ntownships = ["x"]': "不是一张表",
    '[digest]\nvillages = ["x"]': "不认识的键",
    "[digest": "TOML",
}


@pytest.mark.parametrize("content", WRONG)
def test_settings_are_read_strictly(sqlite_store: Store, content: str) -> None:
    settle(sqlite_store, content)
    with pytest.raises(SettingsError, match=WRONG[content]):
        run(sqlite_store, ROOT, NOON)


def test_settings_with_keys_are_for_nobody_else_to_read(sqlite_store: Store) -> None:
    settle(sqlite_store, '[digest]\ncounty = ["json://127.0.0.1"]', mode=0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        run(sqlite_store, ROOT, NOON)


def test_other_tables_of_the_settings_are_not_the_digests_affair(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[security]\nlevel = 2\n", encoding="utf-8")
    assert load_addresses(tmp_path) == digest.Addresses() == load_addresses(tmp_path / "none")


def test_the_digest_is_the_operators(sqlite_store: Store) -> None:
    with pytest.raises(Denied):
        run(sqlite_store, add_account(sqlite_store, "county_staff"), NOON)
