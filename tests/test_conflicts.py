"""Two rows of one delivery with one key and different values: both stay, one counts, and which gave way is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.access import Scope
from monitoring.queries import sources
from monitoring.warehouse import Warehouse
from tests.runs import number, published_file, query, run_quietly, small_county, write_feeds
from tests.test_unnumbered import NOVEMBER, OCTOBER

WHO = {"姓名": "申甲", "证件号码": number("19700101", 11), "乡镇": "甲镇", "村": "甲东村"}
OTHER = {"姓名": "申乙", "证件号码": number("19700101", 13), "乡镇": "乙镇", "村": "乙东村"}


def aid(who: dict[str, str], **more: str) -> dict[str, str]:
    return {**who, "救助类型": "急难型", "受理日期": "2026-10-08", **more}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """October: one grant, twice and alike. November: the same once more with its payment, which replaces it; the other person's
    twice with two amounts, the second of them fuller; a clue twice, the one with the later date concluded."""
    folder = tmp_path_factory.mktemp("conflicts")
    before, now = small_county(2), small_county(2)
    before["temporary_aid"] = [aid(WHO), aid(WHO)]
    now["temporary_aid"] = [
        aid(WHO, 发放日期="2026-10-20", 救助金额="600"),
        aid(OTHER, 救助金额="500"),
        aid(OTHER, 救助金额="800", 困难原因="火灾"),
    ]
    clue = {"线索编号": "S9", "来源": "信访", "登记日期": "2026-11-02", **OTHER}
    now["clues"] += [{**clue, "办结日期": "2026-11-20"}, clue]
    for period, feeds in ((OCTOBER, before), (NOVEMBER, now)):
        run_quietly(folder / "home", period, write_feeds(feeds, folder / period))
    return folder / "home"


def test_only_rows_of_one_delivery_that_differ_are_told_with_the_one_that_counts(home: Path) -> None:
    assert query(home, OCTOBER, "SELECT count(*) FROM conflict") == [(0,)]
    told = query(home, NOVEMBER, "SELECT feed, row, kept_row FROM conflict ORDER BY ALL")
    clues = len(small_county(2)["clues"])
    assert told == [("clues", clues + 3, clues + 2), ("temporary_aid", 3, 4)]


def test_both_rows_are_loaded_and_the_fuller_one_counts(home: Path) -> None:
    rows = query(
        home, NOVEMBER, "SELECT amount::INT, counts FROM std_temporary_aid WHERE name = '申乙' ORDER BY amount"
    )
    assert rows == [(500, False), (800, True)]
    assert query(home, NOVEMBER, "SELECT sum(loaded) FROM part WHERE this_period AND feed = 'temporary_aid'") == [(3,)]


def test_who_has_one_township_is_told_of_its_rows_only(home: Path) -> None:
    warehouse = Warehouse(published_file(home, NOVEMBER))
    found, total = sources.conflicts(warehouse, Scope())
    assert (total, found["kept_file"].null_count()) == (2, 0)
    assert sources.conflicts(warehouse, Scope(allowed=(("甲镇", None),)))[1] == 0
    mine, count = sources.conflicts(warehouse, Scope(allowed=(("乙镇", None),)))
    assert count == 2 and set(mine["township"]) == {"乙镇"}
    warehouse.close()
