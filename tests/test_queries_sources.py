"""Which files the data page names to whom: no file of other places, no count of other places' rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from monitoring.access import Scope
from monitoring.alerts.signals import signals_of_run
from monitoring.queries import balances, corrections, links, sources
from monitoring.reports import figures
from monitoring.warehouse import Warehouse, publication

TOWN = "青石镇"


@pytest.fixture(scope="module")
def run(published_home: Path) -> Iterator[Warehouse]:
    warehouse = Warehouse(publication(published_home).run_of(None).path)
    yield warehouse
    warehouse.close()


def by_town(run: Warehouse) -> dict[str, str]:
    """Files of one township alone -> that township."""
    found = run.rows(
        """select p.file, any_value(d.township) as township from std_dibao d join part p using (delivered, part)
           where p.this_period group by p.file having count(distinct d.township) = 1"""
    )
    return {row["file"]: row["township"] for row in found}


def test_a_township_is_not_told_of_files_that_are_all_other_townships(run: Warehouse) -> None:
    alone = by_town(run)
    assert len(set(alone.values())) > 1, "the sample has files of single townships"
    for town in set(alone.values()):
        names = set(sources.ledger(run, Scope(allowed=((town, None),)))["file"])
        assert {file for file, of in alone.items() if of == town} <= names
        assert not {file for file, of in alone.items() if of != town} & names


def test_of_a_file_that_is_shared_only_the_own_rows_are_counted(run: Warehouse) -> None:
    whole = sources.ledger(run, Scope())
    total = whole.filter(feed="registry")["loaded"].sum()
    counted = 0
    for row in run.rows("select distinct township from std_registry where township is not null"):
        mine = sources.ledger(run, Scope(allowed=((row["township"], None),))).filter(feed="registry")
        assert mine["shown"].to_list() == ["own"] and mine["rows_read"].null_count() == mine.height
        counted += int(mine["loaded"].sum())
    assert 0 < counted <= total and set(whole["shown"]) == {"whole"} and whole["rows_read"].null_count() == 0


def test_a_file_without_places_is_said_as_the_countys_and_counts_nothing(run: Warehouse) -> None:
    mine = sources.ledger(run, Scope(allowed=((TOWN, None),)))
    county = mine.filter(pl.col("shown") == "county")
    assert "vehicles" in county["feed"].to_list()
    assert (
        county.select("loaded", "rows_read", "duplicate", "quarantined", "not_data").null_count().row(0)
        == (county.height,) * 5
    )


def test_the_whole_ledger_is_the_countys_and_picking_a_place_does_not_change_it(run: Warehouse) -> None:
    assert sources.ledger(run, Scope()).equals(sources.ledger(run, Scope(townships=(TOWN,))))
    assert sources.unrecognised(run, Scope()).height > 0


def test_files_that_could_not_be_read_and_where_doubtful_values_stand_are_the_countys_to_see(run: Warehouse) -> None:
    mine = Scope(allowed=((TOWN, None),))
    assert sources.unrecognised(run, mine).is_empty()
    assert sources.value_issues(run, mine)["file"].null_count() == sources.value_issues(run, mine).height
    assert mine.allowed and sources.ledger(run, mine)["feed"].null_count() == 0


def test_rows_that_were_set_aside_are_as_many_wherever_they_are_counted(warehouse: Warehouse) -> None:
    """A file that could not be read at all stands in the same table, and is no row."""
    whole = sources.set_aside_whole(warehouse, Scope())
    aside = sources.quarantine(warehouse, Scope())[1]
    assert warehouse.row("select count(*) as n from quarantine")["n"] == aside + whole.height > aside > 0
    counted = {
        "by feed": sources.quarantine_totals(warehouse)["rows"].sum(),
        "by department": corrections.totals(warehouse)["rows"].sum(),
        "ledger": sources.ledger(warehouse, Scope())["quarantined"].sum(),
        "balances": balances.figures(warehouse)["quarantined"],
        "report": figures.quality(warehouse, Scope())["quarantined"],
    }
    assert counted == dict.fromkeys(counted, aside)
    assert sources.set_aside_whole(warehouse, Scope(allowed=((TOWN, None),))).is_empty()


def test_an_alert_that_asks_whose_a_row_is_leads_to_that_row(warehouse: Warehouse) -> None:
    asking = signals_of_run(warehouse).filter(rule="DQ-LINK")
    assert asking.height > 0
    found = set()
    for key in asking["alert_key"]:
        rows = links.rows_of_alert(warehouse, Scope(), key)
        assert rows and all(row["file"] and row["row"] and row["reason"] for row in rows)
        found |= {row["key"] for row in rows}
    assert found == set(links.waiting_keys(warehouse, Scope()))
    town = warehouse.row("select township from link_review where township is not null limit 1")["township"]
    elsewhere = Scope(allowed=(("没有的镇", None),))
    assert links.rows_of_alert(warehouse, elsewhere, asking.filter(township=town)["alert_key"][0]) == []
