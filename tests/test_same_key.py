"""Two rows with one key and different values in one delivery: both kept, one counts, and both are told to the county."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitoring.access import Scope
from monitoring.queries import sources
from monitoring.warehouse import Warehouse, publication
from pipelines.run import Summary
from tests.runs import query, run_quietly

ZHANG, LI = "50099919810101001X", "500999198202020022"
REGISTRY = f"""户编号,与户主关系,姓名,证件号码,乡镇,村
H1,户主,张三丰,{ZHANG},青石镇,石桥村
H2,户主,李四光,{LI},云岭乡,上寨村
"""
CLUES = f"""线索编号,来源,登记日期,姓名,证件号码,办结日期,备注
X1,信访,2026-11-01,张三丰,{ZHANG},,
X1,信访,2026-11-01,张三丰,{ZHANG},2026-11-12,
X2,信访,2026-11-01,李四光,{LI},,
X2,信访,2026-11-01,李四光,{LI},,写了两遍
X3,信访,2026-11-01,张三丰,{ZHANG},,
"""
INSURANCE = f"""姓名,证件号码,参保年度,参保状态
张三丰,{ZHANG},2026,正常参保
张三丰,{ZHANG},2026,中断
张三丰,{ZHANG},2025,中断
"""
VISITS = f"""走访日期,走访人,姓名,证件号码
2026-11-01,甲,李四光,{LI}
2026-11-01,乙,李四光,{LI}
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """A home with October, in which a clue had another ending, and November."""
    folder = tmp_path_factory.mktemp("same key")
    october, november = folder / "2026-10", folder / "2026-11"
    for inbox in (october, november):
        inbox.mkdir()
        (inbox / "户籍.csv").write_text(REGISTRY, encoding="utf-8")
    (october / "线索.csv").write_text(CLUES.replace("X1", "X3").replace("2026-11", "2026-10"), encoding="utf-8")
    (november / "线索.csv").write_text(CLUES, encoding="utf-8")
    (november / "参保.csv").write_text(INSURANCE, encoding="utf-8")
    (november / "走访.csv").write_text(VISITS, encoding="utf-8")
    run_quietly(folder / "home", "2026-10", october)
    return folder / "home", run_quietly(folder / "home", "2026-11", november)


@pytest.fixture
def warehouse(told: tuple[Path, Summary]) -> Iterator[Warehouse]:
    found = Warehouse(publication(told[0]).run_of(None).path)
    yield found
    found.close()


def test_rows_with_one_key_and_different_values_are_kept_and_told_with_the_one_that_counts(
    told: tuple[Path, Summary],
) -> None:
    home, summary = told
    rows = query(home, "2026-11", 'SELECT feed, key, "row", counted FROM same_key ORDER BY ALL')
    assert rows == [
        ("clues", "X1", 2, False), ("clues", "X1", 3, True),
        ("insurance", "2026", 2, True), ("insurance", "2026", 3, False),
    ]  # fmt: skip
    assert summary.counts["same_key"] == 4 and summary.counts["quarantined"] == 0
    assert query(home, "2026-11", "SELECT count(*) FROM std_clues WHERE clue_number = 'X1'") == [(2,)]


def test_a_row_that_a_later_delivery_replaces_is_no_contradiction_within_one(told: tuple[Path, Summary]) -> None:
    assert query(told[0], "2026-11", "SELECT count(*) FROM same_key WHERE key = 'X3'") == [(0,)]


def test_the_data_page_names_file_and_row_and_hides_the_persons_name(warehouse: Warehouse) -> None:
    rows, total = sources.same_keys(warehouse, Scope())
    assert total == 4
    first = rows.to_dicts()[0]
    assert (first["file"], first["row"], first["key"], first["name"]) == ("线索.csv", 2, "X1", "张**")
    assert (first["township"], first["village"]) == ("青石镇", "石桥村")  # where the registry has the person


def test_a_township_sees_only_its_own_persons(warehouse: Warehouse) -> None:
    assert sources.same_keys(warehouse, Scope(allowed=(("云岭乡", None),)))[1] == 0
    assert sources.same_keys(warehouse, Scope(allowed=(("青石镇", None),)))[1] == 4


def test_a_run_of_an_earlier_version_told_none(tmp_path: Path) -> None:
    import duckdb

    with duckdb.connect(str(tmp_path / "old.duckdb")) as con:
        con.execute("CREATE TABLE run AS SELECT 1 AS run_id")
    old = Warehouse(tmp_path / "old.duckdb")
    assert sources.same_keys(old, Scope())[1] == 0
    old.close()


def test_a_settlement_delivered_again_with_the_number_in_eighteen_digits_is_one(tmp_path: Path) -> None:
    for period, number in (("2026-10", "510225810101123"), ("2026-11", "510225198101011230")):
        inbox = tmp_path / period
        inbox.mkdir()
        rows = f"姓名,证件号码,结算日期,总费用,个人自付\n王五,{number},2026-10-01,9000,6000\n"
        (inbox / "结算.csv").write_text(rows, encoding="utf-8")
        run_quietly(tmp_path / "home", period, inbox)
    assert query(tmp_path / "home", "2026-11", "SELECT delivered FROM std_medical WHERE counts") == [(202611,)]
