"""Which departments are late: after the day, not on it; a delivery that still counts is not missed; a county's own day."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from monitoring.desk.due import SHIPPED, Deliveries, cells, late_departments, load_deliveries, standing
from monitoring.queries import sources
from monitoring.reports.figures import late_feeds
from monitoring.strict_toml import PolicyError
from monitoring.warehouse import Warehouse
from tests.two_months import TwoMonths


def _setting(**changes: Any) -> Deliveries:
    return replace(load_deliveries(None, date(2026, 11, 30)), **changes)


@pytest.mark.parametrize(
    ("feed", "came", "today", "state", "days"),
    [
        ("dibao", [202611], date(2027, 1, 1), "here", 0),
        ("dibao", [], date(2026, 12, 4), "waiting", 0),
        ("dibao", [], date(2026, 12, 5), "waiting", 0),  # on the day itself
        ("dibao", [], date(2026, 12, 6), "late", 1),
        ("dibao", [202610], date(2026, 12, 15), "late", 10),  # every month is asked for
        ("low_income", [202609], date(2026, 12, 15), "not_asked", 0),  # of three months, the last one
        ("low_income", [202608], date(2026, 12, 15), "late", 10),
        ("insurance", [202512], date(2026, 12, 15), "not_asked", 0),
        ("insurance", [202511], date(2026, 12, 15), "late", 10),
        ("insurance", [], date(2026, 12, 15), "late", 10),  # never came
        ("disasters", [], date(2026, 12, 15), "not_asked", 0),  # only when there is something
        ("payments", [202610], date(2026, 12, 6), "late", 1),  # not named: every month
    ],
)
def test_a_source_is_late_after_its_day_unless_an_earlier_delivery_still_counts(
    feed: str, came: list[int], today: date, state: str, days: int
) -> None:
    found = cells(_setting(), [feed], [202611], {(feed, month): 7 for month in came}, today)
    assert (found[feed, 202611].state, found[feed, 202611].days) == (state, days)
    assert found[feed, 202611].due == date(2026, 12, 5)


def test_the_day_in_december_falls_in_the_next_year() -> None:
    assert _setting(due_day=28).due(202612) == date(2027, 1, 28)


def test_late_departments_stand_apart_and_whoever_owes_longest_first() -> None:
    departments = {"dibao": "民政", "tekun": "民政", "medical": "医保", "registry": "公安", "deaths": "卫健"}
    came = {("registry", 202611): 5, ("dibao", 202610): 3}
    found = cells(_setting(), departments, [202610, 202611], came, date(2026, 12, 7))
    assert [(one.department, one.feeds, one.days) for one in late_departments(found, 202611, departments)] == [
        ("民政", ("dibao", "tekun"), 2), ("医保", ("medical",), 2), ("卫健", ("deaths",), 2),
    ]  # fmt: skip
    assert (
        late_departments(cells(_setting(), departments, [202611], came, date(2026, 12, 5)), 202611, departments) == []
    )


def test_a_county_sets_its_own_day_and_wrong_settings_are_all_told(tmp_path: Path) -> None:
    own = tmp_path / "policy" / "deliveries.toml"
    own.parent.mkdir()
    good = SHIPPED.read_text(encoding="utf-8")
    own.write_text(good.replace("due_day = 5", "due_day = 10"), encoding="utf-8")
    assert load_deliveries(tmp_path, date(2026, 11, 30)).due(202611) == date(2026, 12, 10)
    own.write_text(
        '[[version]]\ndue_day = 31\ndue_clause = "x"\nevery = -1\nevery_clause = "x"\n[[version.feed]]\nfeeds = ["dibao", "nothing"]\nevery = 1\nclause = "x"\n[[version.feed]]\nfeeds = ["dibao"]\nevery = 1\nclause = "x"\n',
        encoding="utf-8",
    )
    with pytest.raises(PolicyError) as refused:
        load_deliveries(tmp_path, date(2026, 11, 30))
    told = str(refused.value)
    assert all(word in told for word in ("due_day = 31", "every = -1", "没有数据源 nothing", "dibao 写了两次"))
    own.write_text(f"{good}".replace("[[version]]", "[[version]]\nfrom = 2027-01-01", 1), encoding="utf-8")
    with pytest.raises(PolicyError, match="没有在 2026-11-30 有效的版本"):
        load_deliveries(tmp_path, date(2026, 11, 30))


@pytest.mark.parametrize("today", [date(2026, 12, 5), date(2026, 12, 20)])
def test_every_source_stands_in_one_state_and_what_was_not_asked_for_is_late_nowhere(
    two_months: TwoMonths, tmp_path: Path, today: date
) -> None:
    """In a county that asks for medical settlements only when there are any."""
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "policy").mkdir()
    file = shutil.copy(two_months.files[1], tmp_path / "warehouse")
    own = SHIPPED.read_text(encoding="utf-8").replace('feeds = ["disasters"]', 'feeds = ["disasters", "medical"]')
    (tmp_path / "policy" / "deliveries.toml").write_text(own, encoding="utf-8")
    with closing(Warehouse(Path(file))) as warehouse:
        stands, late = standing(warehouse, today), late_feeds(warehouse, today)[0]
        feeds = {row["feed"]: row["has_file"] for row in sources.feeds(warehouse).to_dicts()}
    states = {state: stands.of(state) for state in ("here", "waiting", "late", "not_asked")}
    assert sorted(feed for of in states.values() for feed in of) == sorted(feeds)
    assert states["here"] == sorted(feed for feed, has_file in feeds.items() if has_file)
    assert states["not_asked"] == ["medical"] and (stands.asked, stands.here) == (len(feeds) - 1, len(states["here"]))
    assert sorted(row["feed"] for row in late) == states["late"]
    assert (states["late"] == []) == (today <= date(2026, 12, 5))
