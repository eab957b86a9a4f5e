"""Whatever a ledger is wrapped in, the same rows come out, and every row of the file is accounted for."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines.parsing.child import number_text
from pipelines.reading import text as text_module
from tests.reading_files import assert_balance, feeds, read, text, workbook, write

HEADINGS = ["救助证编号", "姓名", "证件号码", "享受起始日期", "户月保障金额", "村", "备注"]
NAMES = ["certificate", "name", "id_number", "start_date", "household_amount", "village"]
WIDTH = len(HEADINGS)

cell = st.text(st.sampled_from("张三李四·Aa0189.-/年月 元䶮、（）"), max_size=8)
filled = st.text(st.sampled_from("张三李四·Aa0189年"), min_size=1, max_size=8)
person = st.tuples(filled, filled, cell, filled, cell, cell, cell).map(list)
title = st.sampled_from(["某县低保名册", "填报单位：城关镇", "单位：元", "2026年3月", "说明：一人一行"])
between = st.sampled_from(
    [[], ["", " ", "　"], ["合计", "", "", "", "1350"], ["本页小计"], ["", "总 计"], ["第1页 共2页"], HEADINGS]
)
below = st.sampled_from(
    [["填表人：王五", "", "审核人："], ["注：公示无异议"], ["合计：2户"], ["以上名单公示七天无异议"]]
)


@st.composite
def ledgers(draw: st.DrawFn):
    """Rows of a file and, of those that are data, the true row number and the values."""
    rows = [[draw(title)] for _ in range(draw(st.integers(0, 3)))]
    rows.append(HEADINGS)
    expected = []
    for row in draw(st.lists(st.one_of(person, person, between), max_size=12)):
        rows.append(row)
        if len(row) == WIDTH and row is not HEADINGS:
            expected.append((len(rows), row))
    rows += [draw(below) for _ in range(draw(st.integers(0, 2)))]
    return rows, expected


def values(row: list[str]) -> tuple[str, ...]:
    return tuple(row[:6])


def check(path: Path, expected: list[tuple[int, list[str]]]) -> None:
    reading = read(path)
    assert reading.problem is None, reading.problem
    part = reading.parts[0]
    found = part.frame.select("row", *NAMES).fill_null("").rows()
    assert found == [(number, *values(row)) for number, row in expected]
    assert part.broken.height == 0
    assert part.frame["extra"].is_null().to_list() == [not row[6].strip() for _, row in expected]


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ledgers(),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    st.sampled_from([",", "\t", ";"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_any_mixture_of_encoding_separator_titles_totals_and_blanks_gives_the_same_rows(
    ledger, encoding: str, separator: str, end: str, quoted: bool, padded: bool, forced: bool
):
    rows, expected = ledger
    if padded:  # as a spreadsheet writes it: every row as wide as the table
        rows = [[*row, *[""] * (WIDTH - len(row))] for row in rows]
    if quoted:
        rows = [[f'"{c}"' for c in row] for row in rows]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if forced:
            patch.setattr(text_module, "_has_lone_cr", lambda data: True)
        check(write(Path(folder) / "a.csv", text(rows, separator, end), encoding), expected)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ledgers(), st.integers(0, 3), st.integers(0, 3))
def test_a_workbook_gives_the_same_rows_as_a_text(ledger, down: int, right: int):
    rows, expected = ledger
    moved = [[] for _ in range(down)] + [[*[None] * right, *row] for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = workbook(Path(folder) / "a.xlsx", {"s": moved})
        check(path, [(number + down, row) for number, row in expected])


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from('ab,"\n\r;\t 张'), max_size=80), st.sampled_from([",", "\t", ";"]))
@example('"', ",")
@example('a,"b\n', ",")
def test_any_text_below_a_heading_is_accounted_for_row_by_row(content: str, separator: str):
    with tempfile.TemporaryDirectory() as folder:
        data = separator.join(["姓名", "死亡日期", "备注"]) + "\n" + content
        reading = read(write(Path(folder) / "a.csv", data))
    part = reading.parts[0]
    assert part.feed == "deaths"
    assert_balance(part)
    found = "".join(c or "" for row in part.frame.drop("row").rows() for c in row)
    kept = found + "".join([*part.broken["text"], *part.not_data["text"]])
    for letter in "ab张":
        assert kept.count(letter) >= content.count(letter)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_but_never_raise(content: bytes):
    with tempfile.TemporaryDirectory() as folder:
        reading = read(write(Path(folder) / "a.csv", content))
    assert reading.problem is not None or any(part.feed for part in reading.parts)


@settings(max_examples=300, deadline=None)
@given(st.integers(10**17, 10**18 - 1))
def test_a_number_of_18_digits_always_shows_that_it_is_damaged(number: int):
    written = number_text(float(f"{number:.15g}"))
    assert len(written) == 18 or number >= 10**18 - 500
    assert written.endswith("000")


@settings(max_examples=300, deadline=None)
@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_a_number_of_up_to_15_digits_is_exact(number: int):
    assert number_text(float(number)) == str(number)


def test_the_ledger_of_these_tests_is_the_real_one():
    columns = feeds()["dibao"].std_columns()
    assert [columns[name].heading for name in NAMES] == HEADINGS[:6]
