"""The export of case work: one row an alert of the period, masked, with overdue days that count working days."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from monitoring.alerts.listing import case_work
from monitoring.exporting import Unmasking, export, frame_of
from monitoring.store import Store
from tests.people import TOWN, add_account
from tests.some_alerts import TODAY, add_alert
from tests.stores import NOON

PERIOD = f"{TODAY:%Y-%m}"


def listed(store: Store, period: str = PERIOD, lang: str = "zh", masked: bool = True) -> pl.DataFrame:
    with case_work(store, period, NOON) as con:
        return frame_of(con, "alerts", period=period, lang=lang, masked=masked)


def test_an_alert_is_told_with_its_state_holder_and_overdue_working_days(store: Store) -> None:
    clerk = add_account(store, "township_staff", [(TOWN, None)], person="何山")
    late = TODAY - timedelta(7)
    key = add_alert(store, household_id="H1", name="周德福", due_date=late, status="assigned", assignee=clerk.account)
    row = listed(store).row(0, named=True)
    assert (row["alert"], row["household_id"], row["name"], row["holder"]) == (key, "H1", "周**", "何山")
    assert (row["status"], row["overdue_days"], row["outcome"], row["period"]) == ("待核实", 5, None, PERIOD)
    assert listed(store, lang="en")["status"][0] == "To be verified"
    assert listed(store, masked=False)["name"][0] == "周德福"


@pytest.mark.parametrize(("days", "overdue"), [(0, None), (1, None), (-1, 1), (None, None)])
def test_what_is_due_today_or_has_no_limit_is_not_overdue(store: Store, days: int | None, overdue: int | None) -> None:
    add_alert(store, household_id="H1", due_date=None if days is None else TODAY + timedelta(days))
    assert listed(store)["overdue_days"].to_list() == [overdue]


def test_a_period_holds_what_was_open_in_it_or_closed_in_it(store: Store) -> None:
    before, month = TODAY.replace(day=1) - timedelta(1), datetime(TODAY.year, TODAY.month, 1, 4, tzinfo=UTC)
    earlier = f"{before:%Y-%m}"
    add_alert(store, household_id="OPEN", opened_period=earlier)
    add_alert(
        store, household_id="NOW", opened_period=earlier, status="closed", outcome="L", closed_at=month, due_date=None
    )
    add_alert(store, household_id="OLD", opened_period=earlier, status="closed", outcome="L",
              closed_at=month - timedelta(2), due_date=None)  # fmt: skip
    add_alert(store, household_id="NEW", opened_period=PERIOD)
    assert sorted(listed(store)["household_id"]) == ["NEW", "NOW", "OPEN"]
    assert sorted(listed(store, earlier)["household_id"]) == ["NOW", "OLD", "OPEN"]
    closed = listed(store).filter(household_id="NOW").row(0, named=True)
    assert closed["outcome"] == "L 核实无困难" and closed["overdue_days"] is None and closed["closed_on"] is not None


def test_a_household_named_by_an_identity_number_shows_a_digest(store: Store) -> None:
    add_alert(store, household_id="U-500999199001011234")
    assert listed(store)["household_id"][0].startswith("U-") and "500999" not in listed(store)["household_id"][0]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_it_is_written_filtered_and_unmasked_like_other_exports(
    sqlite_store: Store, tmp_path: Path, suffix: str
) -> None:
    add_alert(sqlite_store, household_id="H1", name="周德福", level="red")
    add_alert(sqlite_store, household_id="H2", name="李秀英", level="yellow")
    out = tmp_path / f"预警{suffix}"
    with case_work(sqlite_store, PERIOD, NOON) as con:
        assert export(con, "alerts", period=PERIOD, out=out, where=["level=red"]).rows == 1
        with pytest.raises(ValueError, match="脱敏"):
            export(con, "alerts", period=PERIOD, out=out, where=["name=周德福"])
        reason = Unmasking(tmp_path, "王主任", "核查", NOON)
        full = export(con, "alerts", period=PERIOD, out=tmp_path / "full.csv", where=["name=周德福"], unmask=reason)
    assert full.rows == 1 and not full.masked and "周德福" not in out.read_bytes().decode("utf-8", "ignore")
    with (tmp_path / "full.csv").open(encoding="utf-8-sig") as file:
        assert next(csv.DictReader(file))["name"] == "周德福"
