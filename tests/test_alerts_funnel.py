"""What became of a time's alerts, counted again in Python from the rows; in SQLite and in PostgreSQL."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

import pytest
from sqlalchemy import insert

from monitoring.alerts import funnel
from monitoring.alerts.funnel import ASIDE, EVERYWHERE, FEW, STAGES, Places
from monitoring.alerts.outcomes import OUTCOMES
from monitoring.people import Denied
from monitoring.store import Store
from monitoring.store.schema import alert
from monitoring.working_days import add_working_days, local_day
from tests.people import OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE, add_account
from tests.some_alerts import TODAY, add_alert, alert_row
from tests.stores import NOON

OCTOBER_ENDED = date(2026, 10, 31)
NOVEMBER = "2026-11"


def at(day: date, hour: int = 12) -> datetime:
    """A moment of the county's day (its midnight is 16:00 UTC of the day before)."""
    return NOON.replace(year=day.year, month=day.month, day=day.day) + timedelta(hours=hour - 12)


def some_rows(seed: int, count: int) -> list[dict[str, Any]]:
    """Alerts of a year at all stages, in any order of help and papers."""
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        opened = TODAY - timedelta(rng.randrange(0, 420))
        day = opened
        row: dict[str, Any] = {}
        if rng.random() < 0.7:
            day += timedelta(rng.randrange(0, 15))
            row["verified_at"] = at(day, rng.choice((0, 8, 23)))
            if rng.random() < 0.8:
                day += timedelta(rng.randrange(0, 9))
                row |= {"decided_at": at(day, 23), "outcome": rng.choice("ABFGIJKLMNOP"), "status": "decided"}
                if rng.random() < 0.6:
                    row["helped_at"] = at(day + timedelta(rng.randrange(-3, 6)))
                if rng.random() < 0.5:
                    row |= {"closed_at": at(day + timedelta(7)), "status": "closed", "due_date": None}
        place = rng.choice(((TOWN, VILLAGE), (TOWN, OTHER_VILLAGE), (OTHER_TOWN, VILLAGE), (None, None)))
        told = {
            "opened_on": opened, "opened_period": f"{opened:%Y-%m}", "level": rng.choice(("red", "orange", "yellow")), "township": place[0],
            "village": place[1], "due_date": TODAY + timedelta(rng.randrange(-9, 9)), "verify_due_date": opened + timedelta(rng.randrange(1, 9)),
            "raises_work": rng.random() < 0.9,
        }  # fmt: skip
        rows.append(alert_row(**(told | row)))
    blank = dict.fromkeys(("verified_at", "decided_at", "outcome", "helped_at", "closed_at"))
    return [blank | row for row in rows]


def works(row: dict[str, Any]) -> bool:
    return bool(row["raises_work"] or row["status"] != "new")


def moments(row: dict[str, Any]) -> dict[str, date]:
    """Stage -> the county's day on which the alert came to it, as far as it came."""
    found = {"found": row["opened_on"]}
    if row["verified_at"] is None:
        return found
    found["verified"] = local_day(row["verified_at"])
    if row["decided_at"] is None or OUTCOMES[row["outcome"]].family == "none":
        return found
    found["confirmed"] = local_day(row["decided_at"])
    if row["helped_at"] is None:
        return found
    found["helped"] = local_day(row["helped_at"])
    if row["closed_at"] is not None:
        found["resolved"] = local_day(row["closed_at"])
    return found


def recounted(rows: list[dict[str, Any]]) -> dict[str, tuple[int, float | None]]:
    courses = [moments(row) for row in rows]
    counted: dict[str, tuple[int, float | None]] = {}
    for earlier, stage in zip((None, *STAGES), STAGES, strict=False):
        came = [course for course in courses if stage in course]
        days = [max(0, (course[stage] - course[earlier]).days) for course in came] if earlier else []
        counted[stage] = (len(came), median(days) if len(days) >= FEW else None)
    return counted


def test_the_funnel_is_what_the_rows_say(store: Store) -> None:
    rows, leader = some_rows(7, 240), add_account(store, "leader")
    with store.write() as con:
        con.execute(insert(alert), rows)
    for months, first in ((1, "2026-11"), (12, "2025-12")):
        mine = [row for row in rows if first <= row["opened_period"] <= NOVEMBER and works(row)]
        found = funnel.funnel(store, leader, NOVEMBER, months, EVERYWHERE, NOON)
        assert (found.first, found.last) == (first, NOVEMBER)
        assert {step.stage: (step.alerts, step.median) for step in found.whole.steps} == recounted(mine)
        for course in found.places:
            there = [row for row in mine if row["township"] == course.place]
            assert {step.stage: (step.alerts, step.median) for step in course.steps} == recounted(there)
        unneeded = [r for r in mine if r["verified_at"] and r["decided_at"] and OUTCOMES[r["outcome"]].family == "none"]
        due = [r for r in mine if r["verified_at"] or r["verify_due_date"] < TODAY]
        in_time = [r for r in due if r["verified_at"] and local_day(r["verified_at"]) <= r["verify_due_date"]]
        assert (found.whole.no_need, found.whole.due, found.whole.on_time) == (len(unneeded), len(due), len(in_time))
        without = [row for row in mine if {"confirmed"} == moments(row).keys() & {"confirmed", "helped"}]
        aside = {
            "no_need": len(unneeded), "corrected": sum(row["outcome"] == "K" for row in without),
            "unhelped": sum(row["outcome"] != "K" and row["closed_at"] is not None for row in without),
        }  # fmt: skip
        assert {of: getattr(found.whole, of) for of in ASIDE} == aside
        for stage in (*STAGES, *ASIDE):
            cards, total = funnel.behind(store, leader, stage, NOVEMBER, months, EVERYWHERE, 1, NOON, size=500)
            assert total == len(cards) == (aside[stage] if stage in ASIDE else recounted(mine)[stage][0])
    assert 0 not in aside.values()
    counts = [step.alerts for step in found.whole.steps]
    assert counts == sorted(counts, reverse=True) and counts[-1] > FEW


def test_what_is_new_and_overdue_is_what_the_rows_say(store: Store) -> None:
    rows, leader = some_rows(8, 200), add_account(store, "leader")
    with store.write() as con:
        con.execute(insert(alert), rows)
    found = funnel.now(store, leader, NOVEMBER, OCTOBER_ENDED, EVERYWHERE, NOON)
    mine = [row for row in rows if works(row)]
    assert found.new == sum(row["opened_period"] == NOVEMBER for row in mine)
    assert found.new_before == sum(row["opened_period"] == "2026-10" for row in mine)
    assert 0 < found.open == sum(row["closed_at"] is None for row in mine) < len(mine)
    late = [row for row in mine if row["closed_at"] is None and row["due_date"] < TODAY]
    county = [row for row in late if add_working_days(row["due_date"], 4) <= TODAY]
    assert (found.overdue, found.red) == (len(late), sum(row["level"] == "red" for row in late))
    assert (found.county, found.unheld) == (len(county), len(late))
    assert {one.place: one.overdue for one in found.late} == {
        place: sum(row["township"] == place for row in late) for place in {row["township"] for row in late}
    }

    def unverified(row: dict[str, Any], day: date) -> bool:
        """Opened and due by the end of a day, and neither verified nor closed by then."""
        by = [local_day(row[name]) <= day for name in ("verified_at", "closed_at") if row[name]]
        return row["opened_on"] <= day and row["verify_due_date"] <= day and not any(by)

    assert found.unverified_before == sum(unverified(row, OCTOBER_ENDED) for row in mine) > 0
    assert found.unverified == sum(unverified(row, TODAY - timedelta(1)) and not row["verified_at"] for row in mine)
    for figure, expected in (
        ("overdue", late),
        ("county", county),
        ("unheld", late),
        ("red", [r for r in late if r["level"] == "red"]),
    ):
        assert funnel.behind(store, leader, figure, NOVEMBER, 1, EVERYWHERE, 1, NOON)[1] == len(expected), figure
    assert funnel.behind(store, leader, "unverified", NOVEMBER, 1, EVERYWHERE, 1, NOON)[1] == found.unverified


def test_picked_places_and_unknown_ones_are_told_apart(sqlite_store: Store) -> None:
    leader = add_account(sqlite_store, "leader")
    for place in ((TOWN, VILLAGE), (TOWN, OTHER_VILLAGE), (TOWN, None), (OTHER_TOWN, VILLAGE), (None, None)):
        add_alert(sqlite_store, township=place[0], village=place[1])

    def found(places: Places) -> dict[str | None, int]:
        return {one.place: one.found for one in funnel.funnel(sqlite_store, leader, NOVEMBER, 1, places, NOON).places}

    assert found(EVERYWHERE) == {TOWN: 3, OTHER_TOWN: 1, None: 1}
    assert found(Places(TOWN, by_village=True)) == {VILLAGE: 1, OTHER_VILLAGE: 1, None: 1}
    assert found(Places(TOWN, VILLAGE, by_village=True)) == {VILLAGE: 1}
    assert found(Places(TOWN, "", by_village=True)) == {None: 1}
    assert found(Places("", by_village=True)) == {None: 1}


@pytest.mark.parametrize(
    ("days", "due", "overdue", "county"), [(0, TODAY, 0, 0), (1, TODAY, 1, 0), (5, TODAY, 1, 0), (6, TODAY, 1, 1)]
)
def test_overdue_begins_the_day_after_and_is_the_countys_after_three_working_days(
    sqlite_store: Store, days: int, due: date, overdue: int, county: int
) -> None:
    """Monday: due last Wednesday is three working days late, due last Tuesday four."""
    leader = add_account(sqlite_store, "leader")
    add_alert(sqlite_store, due_date=due - timedelta(days), verify_due_date=due - timedelta(days))
    found = funnel.now(sqlite_store, leader, NOVEMBER, OCTOBER_ENDED, EVERYWHERE, NOON)
    assert (found.overdue, found.county, found.unverified) == (overdue, county, overdue)


def test_of_few_alerts_no_median_is_told() -> None:
    assert funnel.median([(3, FEW - 1)]) is None
    assert funnel.median([(3, FEW)]) == 3
    assert funnel.median([(1, 2), (9, 1), (4, 3)]) == 4
    assert funnel.median([(1, 3), (2, 3)]) == 1.5
    assert funnel.median([]) is None


def test_nobody_is_told_of_other_places_and_who_keeps_accounts_of_none(sqlite_store: Store) -> None:
    add_alert(sqlite_store), add_alert(sqlite_store, township=OTHER_TOWN, due_date=TODAY - timedelta(9))
    village = add_account(sqlite_store, "village_staff", [(TOWN, VILLAGE)])
    assert funnel.funnel(sqlite_store, village, NOVEMBER, 1, EVERYWHERE, NOON).whole.found == 1
    assert funnel.now(sqlite_store, village, NOVEMBER, OCTOBER_ENDED, EVERYWHERE, NOON).overdue == 0
    assert funnel.funnel(sqlite_store, village, NOVEMBER, 1, Places(OTHER_TOWN), NOON).whole.found == 0
    for service in (
        lambda who: funnel.funnel(sqlite_store, who, NOVEMBER, 1, EVERYWHERE, NOON),
        lambda who: funnel.now(sqlite_store, who, NOVEMBER, OCTOBER_ENDED, EVERYWHERE, NOON),
        lambda who: funnel.behind(sqlite_store, who, "found", NOVEMBER, 1, EVERYWHERE, 1, NOON),
    ):
        with pytest.raises(Denied):
            service(add_account(sqlite_store, "administrator"))


def test_the_funnel_reads_its_index_alone(sqlite_store: Store) -> None:
    asked = funnel._courses([funnel._opened("2025-12", NOVEMBER)], EVERYWHERE.column, TODAY)
    with sqlite_store.read() as con:
        text = str(asked.compile(con.engine, compile_kwargs={"literal_binds": True}))
        plan = " ".join(str(row) for row in con.exec_driver_sql(f"explain query plan {text}"))
    assert "COVERING INDEX ix_alert_funnel" in plan and "SCAN alert" not in plan


def test_months_before_cross_the_year() -> None:
    assert [funnel.month_before("2026-01", n) for n in (0, 1, 12, 13)] == ["2026-01", "2025-12", "2025-01", "2024-12"]
