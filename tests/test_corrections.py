"""Quarantined rows go back to the department in its own headings and come home corrected: each settled once, none lost or double."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from monitoring.access import Scope
from monitoring.checks import audit
from monitoring.correcting import CORRECTION, ORIGIN, WHAT
from monitoring.exporting.corrections import offer_corrections, write_corrections
from monitoring.people import Denied, downloads
from monitoring.people.viewing import PurposeMissing
from monitoring.queries import corrections, sources
from monitoring.store import Store, open_store
from monitoring.warehouse import Warehouse
from tests.oracle.reading import check_character
from tests.people import add_account
from tests.runs import connect, published_file, query, run_quietly
from tests.stores import NOON

PERIOD = "2026-11"
# Headings of the department's own; two rows lack a required cell, one of them twice the same.
WANG, ZHANG, LI = (f"{n}{check_character(n)}" for n in ("50099919900101001", "50099919910101001", "50099919800101001"))
REGISTRY = f"""家庭编号,家庭关系,姓名,身份证号,所属乡镇,所属村,备注
H1,户主,王一,{WANG},石桥镇,东村,甲
H1,配偶,,{ZHANG},石桥镇,东村,乙
H2,户主,李二,{LI},石桥镇,,丙
"""
HEADINGS = ("家庭编号", "家庭关系", "姓名", "身份证号", "所属乡镇", "所属村", "备注")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("corrections") / "home"
    inbox = home / "inbox" / PERIOD
    inbox.mkdir(parents=True)
    (inbox / "农户台账.csv").write_text(REGISTRY, encoding="utf-8")
    run_quietly(home, PERIOD)
    return home


@pytest.fixture
def home(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "home"))


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    opened = open_store(home)
    yield opened
    opened.close()


def opened(home: Path) -> Warehouse:
    return Warehouse(published_file(home, PERIOD))


def sent_back(home: Path, out: Path) -> Path:
    """The department's workbook; with its only department."""
    warehouse = opened(home)
    (department,) = corrections.totals(warehouse)["department"].to_list()
    write_corrections(out, corrections.to_correct(warehouse, Scope(), department))
    warehouse.close()
    return out


def correct(path: Path, **values: str) -> None:
    """Fills blank cells by heading, as the department does."""
    book = openpyxl.load_workbook(path)
    page = book.worksheets[0]
    headings = [cell.value for cell in page[1]]
    for row in page.iter_rows(min_row=2):
        for heading, value in values.items():
            cell = row[headings.index(heading)]
            cell.value = cell.value or value
    book.save(path)


def test_the_workbook_is_in_the_departments_own_headings_and_says_what_to_correct(home: Path, tmp_path: Path) -> None:
    page = openpyxl.load_workbook(sent_back(home, tmp_path / "a.xlsx")).worksheets[0]
    rows = [[cell.value or "" for cell in row] for row in page.iter_rows()]
    assert rows[0] == [WHAT, *HEADINGS, ORIGIN, CORRECTION] and page.title == "农户台账"
    assert [(row[0], row[3], row[4], row[8]) for row in rows[1:]] == [
        ("缺少必填项“姓名”", "", ZHANG, "3"), ("缺少必填项“村”", "李二", LI, "4"),
    ]  # fmt: skip
    assert page.column_dimensions["J"].hidden and not page.column_dimensions["B"].hidden
    assert page["E2"].data_type == "s"


def test_corrected_rows_settle_the_quarantined_ones_and_every_balance_holds(home: Path, tmp_path: Path) -> None:
    path = sent_back(home, home / "inbox" / PERIOD / "更正-公安.xlsx")
    correct(path, 姓名="张三", 所属村="西村")
    run_quietly(home, PERIOD)
    assert query(home, PERIOD, 'SELECT "row", by_row, state FROM settled ORDER BY 1') == [
        (3, 2, "loaded"),
        (4, 3, "loaded"),
    ]
    assert query(home, PERIOD, "SELECT file, rows_read, loaded, duplicate, quarantined, not_data FROM part ORDER BY file") == [
        ("农户台账.csv", 4, 1, 0, 2, 1), ("更正-公安.xlsx", 3, 2, 0, 0, 1),
    ]  # fmt: skip
    assert query(home, PERIOD, "SELECT count(*), count(DISTINCT number) FROM person_snapshot") == [(3, 3)]
    warehouse = opened(home)
    assert (
        corrections.totals(warehouse).rows() == [("公安/村", 2, 2, 0, 0)]
        and corrections.to_correct(warehouse, Scope(), "公安/村") == []
    )
    found, total = corrections.settlements(warehouse, Scope())
    assert total == 2 and found[0]["by_file"] == "更正-公安.xlsx" and sources.quarantine(warehouse, Scope())[1] == 2
    warehouse.close()
    with connect(home, PERIOD) as con:
        assert all(check.ok for check in audit(con))


def test_a_row_sent_in_twice_is_loaded_once_and_a_foreign_key_settles_nothing(home: Path) -> None:
    folder = home / "inbox" / PERIOD
    correct(sent_back(home, folder / "更正1.xlsx"), 姓名="张三", 所属村="西村")
    (folder / "更正2.xlsx").write_bytes((folder / "更正1.xlsx").read_bytes())
    book = openpyxl.load_workbook(folder / "更正1.xlsx")
    for row in book.worksheets[0].iter_rows(min_row=2):
        row[-1].value = "G000000000000"
    book.save(folder / "更正3.xlsx")
    run_quietly(home, PERIOD)
    assert query(home, PERIOD, "SELECT state, count(*) FROM settled GROUP BY 1 ORDER BY 1") == [
        ("duplicate", 2),
        ("loaded", 2),
    ]
    assert query(home, PERIOD, "SELECT count(*) FROM person_snapshot") == [(3,)]
    warehouse = opened(home)
    assert corrections.totals(warehouse).rows() == [("公安/村", 2, 2, 0, 0)]
    warehouse.close()


def test_what_is_still_wrong_comes_back_with_its_new_reason_only(home: Path, tmp_path: Path) -> None:
    folder = home / "inbox" / PERIOD
    correct(sent_back(home, folder / "更正.xlsx"), 所属村="西村")
    run_quietly(home, PERIOD)
    warehouse = opened(home)
    (sheet,) = corrections.to_correct(warehouse, Scope(), "公安/村")
    assert (sheet.file, [row["reasons"] for row in sheet.rows]) == ("更正.xlsx", ["缺少必填项“姓名”"])
    assert corrections.totals(warehouse).rows() == [("公安/村", 3, 1, 1, 1)]  # every row is in one of the three
    warehouse.close()
    second = sent_back(home, folder / "再更正.xlsx")
    assert [cell.value for cell in openpyxl.load_workbook(second).worksheets[0][1]].count(CORRECTION) == 1
    correct(second, 姓名="张三")
    run_quietly(home, PERIOD)
    assert query(home, PERIOD, "SELECT count(*) FROM person_snapshot") == [(3,)]
    warehouse = opened(home)
    assert corrections.to_correct(warehouse, Scope(), "公安/村") == []
    warehouse.close()


def test_only_who_may_export_in_full_sends_rows_back(home: Path, store: Store) -> None:
    warehouse = opened(home)
    county, near = add_account(store, "county_staff"), add_account(store, "township_staff", [("石桥镇", None)])
    for who, purpose, problem in ((near, "退回部门更正", Denied), (county, "", PurposeMissing)):
        with pytest.raises(problem):
            offer_corrections(store, who, warehouse, "公安/村", purpose, NOON)
    with pytest.raises(Denied, match="没有待更正"):
        offer_corrections(store, county, warehouse, "教育", "退回部门更正", NOON)
    address = offer_corrections(store, county, warehouse, "公安/村", "退回部门更正", NOON)
    taken = downloads.take(store, county, address.removeprefix(downloads.ROAD), NOON)
    assert taken.name == "更正-公安、村-2026-11.xlsx"
    warehouse.close()


def test_a_run_of_before_there_were_corrections_can_still_be_read(small_file: Path) -> None:
    warehouse = Warehouse(small_file)
    assert corrections.totals(warehouse)["waiting"].sum() == 2
    (sheet,) = corrections.to_correct(warehouse, Scope(), "民政")
    assert "姓名" in sheet.headings and len(sheet.rows) == 2
    assert corrections.settlements(warehouse, Scope()) == ([], 0)
    warehouse.close()


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    from tests.small_warehouse import small_warehouse

    with small_warehouse() as con:
        con.execute(f"ATTACH '{tmp_path / 'small.duckdb'}' AS f; COPY FROM DATABASE memory TO f")
    return tmp_path / "small.duckdb"
