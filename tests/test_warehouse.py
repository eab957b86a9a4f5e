"""Only what was published is opened, and it cannot be changed or used to reach anything else."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from monitoring.warehouse import NoWarehouse, Warehouse, publication


def publish(home: Path, **periods: str) -> None:
    folder = home / "warehouse"
    folder.mkdir(parents=True, exist_ok=True)
    entries = {}
    for period, run in periods.items():
        with duckdb.connect(str(folder / f"{run}.duckdb")) as connection:
            connection.execute("create table if not exists run as select 1 as one")
        entries[period.replace("_", "-")[1:]] = {"run": run, "file": f"{run}.duckdb", "sha256": "", "counts": {}}
    (folder / "current.json").write_text(json.dumps({"latest": max(entries), "periods": entries}), "utf-8")


def test_nothing_published_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoWarehouse, match="还没有发布过数据"):
        publication(tmp_path)


def test_an_unreadable_pointer_says_so(tmp_path: Path) -> None:
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "current.json").write_text("[1]", "utf-8")
    with pytest.raises(NoWarehouse, match="读不懂"):
        publication(tmp_path)


def test_periods_come_newest_first_and_an_unknown_one_gives_the_latest(tmp_path: Path) -> None:
    publish(tmp_path, p2026_10="one", p2026_11="two")
    found = publication(tmp_path)
    assert [run.period for run in found.runs] == ["2026-11", "2026-10"]
    assert (
        found.run_of("2026-10").run == "one"
        and found.run_of("1999-01").run == "two"
        and found.run_of(None).run == "two"
    )


def test_a_file_that_is_gone_is_left_out(tmp_path: Path) -> None:
    publish(tmp_path, p2026_10="one", p2026_11="two")
    (tmp_path / "warehouse" / "two.duckdb").unlink()
    assert [run.run for run in publication(tmp_path).runs] == ["one"]


def test_the_pointer_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    publish(tmp_path, p2026_11="two")
    pointer = tmp_path / "warehouse" / "current.json"
    pointer.write_text(pointer.read_text("utf-8").replace('"two.duckdb"', '"../../outside.duckdb"'), "utf-8")
    (tmp_path.parent / "outside.duckdb").touch()
    with pytest.raises(NoWarehouse):
        publication(tmp_path)


@pytest.mark.parametrize(
    "statement",
    [
        "create table x as select 1",
        "select * from read_text('/etc/hostname')",
        "attach '/tmp/x.duckdb'",
        "set threads = 1",
        "copy run to '/tmp/x.csv'",
    ],
)
def test_an_open_warehouse_is_read_only_and_locked(tmp_path: Path, statement: str) -> None:
    publish(tmp_path, p2026_11="two")
    warehouse = Warehouse(publication(tmp_path).run_of(None).path)
    assert warehouse.row("select one from run") == {"one": 1}
    with pytest.raises(duckdb.Error):
        warehouse.frame(statement)
    warehouse.close()


def test_values_never_become_text_of_the_query(tmp_path: Path) -> None:
    publish(tmp_path, p2026_11="two")
    warehouse = Warehouse(publication(tmp_path).run_of(None).path)
    assert warehouse.rows("select one from run where $text = 'x'", {"text": "' or 1=1 --"}) == []
    warehouse.close()
