"""The balances hold in a sound warehouse, and each of them notices what it is there for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from monitoring.checks import audit, audit_file
from tests.small_warehouse import LONE, insert, small_warehouse


def test_every_balance_of_a_sound_warehouse_holds() -> None:
    checks = audit(small_warehouse())
    assert [check.words for check in checks if not check.ok] == []
    assert all(check.left == check.right for check in checks)
    assert {check.name: check.left for check in checks}["persons"] == 5


@pytest.mark.parametrize(
    ("spoil", "noticed"),
    [
        ("UPDATE part SET rows_read = 8 WHERE part = 1 AND this_period", {"files"}),
        ("DELETE FROM std_dibao", {"rows"}),
        ("DELETE FROM quarantine WHERE row = 5", {"rows"}),
        ("DELETE FROM not_data WHERE part = 1", {"rows"}),
        ("DELETE FROM duplicate", {"rows"}),
        ("DELETE FROM membership WHERE person_id = 102", {"persons", "one_household_each", "sizes"}),
        ("UPDATE membership SET belongs = FALSE WHERE person_id = 102", {"persons", "one_household_each"}),
        ("DELETE FROM household WHERE household_key = 3", {"members_known"}),
        ("UPDATE household_snapshot SET size = 3 WHERE household_key = 1", {"sizes"}),
        ("DELETE FROM household_snapshot WHERE household_key = 3", {"sizes", "judged", "run"}),
        ("UPDATE rule_outcome SET unknown = 0 WHERE rule = 'GAP-DIBAO'", {"outcomes"}),
        ("UPDATE rule_outcome SET judged = 4, clear = 3 WHERE rule = 'DQ-NAME'", {"judged"}),
        ("DELETE FROM rule_outcome WHERE rule = 'GAP-CARERS'", {"judged", "hits"}),
        ("DELETE FROM signal WHERE rule = 'DQ-NAME'", {"hits", "run"}),
        ("INSERT INTO signal FROM signal WHERE rule = 'DQ-NAME'", {"hits", "signals_unique", "run"}),
        ("UPDATE signal SET evidence = '{' WHERE rule = 'DQ-NAME'", {"signals_explained"}),
        ("UPDATE signal SET clause = NULL WHERE rule = 'DQ-NAME'", {"signals_explained"}),
        ("UPDATE signal SET message = '' WHERE rule = 'DQ-NAME'", {"signals_explained"}),
        ("UPDATE person_snapshot SET number = '999999195603021234' WHERE person_id = 102", {"numbers_unique"}),
        ("UPDATE household SET household_id = 'HB1' WHERE household_key = 2", {"households_unique"}),
        ("DROP TABLE rule_outcome", {"outcomes", "judged", "hits"}),
    ],
)
def test_a_spoilt_warehouse_fails_just_the_balances_concerned(spoil: str, noticed: set[str]) -> None:
    connection = small_warehouse()
    connection.execute(spoil)
    assert {check.name for check in audit(connection) if not check.ok} == noticed


def test_a_row_that_lists_a_family_counts_once_and_a_whole_file_counts_no_row() -> None:
    connection = small_warehouse()
    insert(connection, "std_registry", delivered=202611, part=1, row=6, person_id=LONE)
    insert(connection, "duplicate", delivered=202611, part=1, row=6, first_delivered=202611, first_part=1, first_row=5)
    insert(connection, "quarantine", delivered=202611, part=3, row=None, reasons="打不开")
    assert [check.words for check in audit(connection) if not check.ok] == []


def test_a_person_twice_in_the_snapshot_is_noticed() -> None:
    connection = small_warehouse()
    insert(connection, "person_snapshot", person_id=101, number=None, alive=True)
    assert "persons_unique" in {check.name for check in audit(connection) if not check.ok}


def test_errors_that_cancel_out_do_not_balance() -> None:
    connection = small_warehouse()
    connection.execute(
        "UPDATE part SET rows_read = rows_read + CASE part WHEN 1 THEN 1 ELSE -1 END WHERE this_period AND part < 3"
    )
    check = next(check for check in audit(connection) if check.name == "files")
    assert check.left == check.right and not check.ok
    assert "公安/户籍.csv: 8 ≠ 7" in check.words and "2 of 4 differ" in check.words_en


def test_words_never_show_a_whole_identity_number() -> None:
    connection = small_warehouse()
    connection.execute("UPDATE person_snapshot SET number = '999999195603021234'")
    assert not any("999999195603021234" in check.words + check.words_en for check in audit(connection))


def test_the_published_file_is_compared_with_its_pointer(tmp_path: Path) -> None:
    file = tmp_path / "r1.duckdb"
    file.write_bytes(b"published")
    pointer = {"file": "r1.duckdb", "sha256": hashlib.sha256(b"published").hexdigest()}
    assert audit_file(file, pointer).ok
    assert not audit_file(file, {**pointer, "file": "r2.duckdb"}).ok
    assert not audit_file(file, {"file": "r1.duckdb"}).ok
    file.write_bytes(b"publishes")
    assert "被改动" in audit_file(file, pointer).words
    assert "不存在" in audit_file(tmp_path / "none.duckdb", pointer).words
