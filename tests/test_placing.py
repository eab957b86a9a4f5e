"""Files of policy change with their row in the journal or not at all, whatever fails in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, select

from monitoring.desk.mapping import keep_mapping
from monitoring.feeds import load_feeds
from monitoring.people import operator
from monitoring.policy import SHIPPED
from monitoring.rules import changing, shadowing
from monitoring.simulating.scenario import Scenario
from monitoring.simulating.service import keep
from monitoring.store import Store
from monitoring.store.schema import journal
from tests.stores import NOON

HAND = operator("root")
DAY = date(2026, 11, 30)
RULE = (SHIPPED / "rules" / "GAP-DIBAO.toml").read_text("utf-8")
TRIED = Scenario("测算", "试算一下", sets=(("monitor.line", "9000"),))
Deed = Callable[[Store], object]


def _nothing(_: Store) -> None: ...


def _kept(store: Store) -> None:
    changing.keep_rule(store, HAND, "GAP-DIBAO", RULE, "照原样保留", "demo", DAY, NOON)


def _in_shadow(store: Store) -> None:
    shadowing.begin(store, HAND, "GAP-DIBAO", RULE, "先看一个月", "demo", DAY, NOON)


def _mapped(store: Store) -> None:
    keep_mapping(store, HAND, store.home, "visits", {"visitor": ["走访干部"]}, NOON)


def toml(home: Path) -> dict[str, bytes]:
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in sorted(home.rglob("*.toml"))}


@contextmanager
def commits_fail(store: Store, seen: list[dict[str, bytes]]) -> Iterator[None]:
    def fails(_: Connection) -> None:
        seen.append(toml(store.home))
        raise OSError("disk full")

    event.listen(store.engine, "commit", fails)
    try:
        yield
    finally:
        event.remove(store.engine, "commit", fails)


@pytest.mark.parametrize(
    ("before", "deed"),
    [
        pytest.param(_nothing, _kept, id="a new rule"),
        pytest.param(
            _kept,
            lambda store: changing.keep_rule(store, HAND, "GAP-DIBAO", RULE + "\n", "再改一次", "demo", DAY, NOON),
            id="a changed rule",
        ),
        pytest.param(
            _kept,
            lambda store: changing.take_back(store, HAND, "GAP-DIBAO", "误报太多", "demo", DAY, NOON),
            id="taken back",
        ),
        pytest.param(_nothing, _in_shadow, id="a shadow"),
        pytest.param(
            _in_shadow,
            lambda store: shadowing.count(store, HAND, "GAP-DIBAO", "看过一个月", "demo", DAY, NOON),
            id="a shadow counts",
        ),
        pytest.param(
            _in_shadow,
            lambda store: shadowing.drop(store, HAND, "GAP-DIBAO", "误报太多", NOON),
            id="a shadow dropped",
        ),
        pytest.param(_nothing, _mapped, id="a new mapping"),
        pytest.param(
            _mapped,
            lambda store: keep_mapping(store, HAND, store.home, "visits", {"visitor": ["驻村干部"]}, NOON),
            id="a changed mapping",
        ),
        pytest.param(_nothing, lambda store: keep(store, HAND, "提标", TRIED, NOON), id="a scenario"),
    ],
)
def test_no_file_changes_before_the_journal_has_its_row(sqlite_store: Store, before: Deed, deed: Deed) -> None:
    before(sqlite_store)
    stood, seen = toml(sqlite_store.home), list[dict[str, bytes]]()
    with commits_fail(sqlite_store, seen), pytest.raises(OSError, match="disk full"):
        deed(sqlite_store)
    assert seen == [stood] and toml(sqlite_store.home) == stood
    assert not list(sqlite_store.home.rglob("*.new"))
    deed(sqlite_store)
    assert toml(sqlite_store.home) != stood and not list(sqlite_store.home.rglob("*.new"))


def test_what_is_refused_changes_no_file_and_leaves_nothing_aside(sqlite_store: Store) -> None:
    with pytest.raises(changing.RuleRefused):
        changing.keep_rule(sqlite_store, HAND, "GAP-DIBAO", "broken", "照原样保留", "demo", DAY, NOON)
    assert toml(sqlite_store.home) == {} and not list(sqlite_store.home.rglob("*.new"))


def test_mappings_that_are_kept_at_once_do_not_undo_each_other(store: Store) -> None:
    headings = [f"走访干部{place}" for place in "甲乙丙丁戊己"]
    with ThreadPoolExecutor(6) as pool:
        for done in [
            pool.submit(keep_mapping, store, HAND, store.home, "visits", {"visitor": [heading]}, NOON)
            for heading in headings
        ]:
            done.result()
    assert set(headings) <= set(load_feeds(store.home / "feeds")["visits"].std_columns()["visitor"].aliases)
    with store.read() as con:
        assert len(con.execute(select(journal).where(journal.c.event == "feed.map")).all()) == 6
