"""Text files: every encoding and separator, exact row numbers, and nothing swallowed by a stray quotation mark."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path

import pytest

from pipelines.reading import text as text_module
from pipelines.reading.text import read_text, split_records
from tests.reading_files import DEATHS, DIBAO, LI, ZHANG, only, read, rows_of, text, why, write

PLAIN = text([DIBAO, ZHANG, LI])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_encoding_and_separator_gives_the_same_values(tmp_path: Path, encoding: str, separator: str, end: str):
    part = only(write(tmp_path / "a.txt", text([DIBAO, ZHANG, LI], separator, end), encoding))
    assert part.feed == "dibao"
    assert rows_of(part, "row", "certificate", "name") == [(2, "DB01", "张三"), (3, "DB02", "李四")]
    assert part.frame["village"].to_list() == ["东街村", "西街村"]


@pytest.mark.parametrize(
    ("encoding", "named"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gbk", "gb18030"), ("utf-16", "utf-16")]
)
def test_the_encoding_is_reported(tmp_path: Path, encoding: str, named: str):
    assert read(write(tmp_path / "a.csv", PLAIN, encoding)).encoding == named


def test_utf_16_of_either_byte_order_is_read(tmp_path: Path):
    for bom, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        assert only(write(tmp_path / "a.csv", bom + PLAIN.encode(encoding))).frame.height == 2


def test_rare_characters_of_gb18030_survive(tmp_path: Path):
    rare = text([DIBAO, ["DB01", "䶮𠮷", *ZHANG[2:]]])
    assert only(write(tmp_path / "a.csv", rare, "gb18030")).frame["name"].to_list() == ["䶮𠮷"]


def test_values_are_left_as_they_are_written(tmp_path: Path):
    row = ["DB01", " 张　三 ", "'51022519810103123x", "2026年3月5日", "１，０００元", "null", "-"]
    part = only(write(tmp_path / "a.csv", text([DIBAO, row], "\t")))
    assert rows_of(part, "name", "id_number", "household_amount", "township", "village") == [
        (" 张　三 ", "'51022519810103123x", "１，０００元", "null", "-")
    ]


def test_row_numbers_count_blank_lines_and_lines_within_quotations_as_a_spreadsheet_does(tmp_path: Path):
    quoted = '"DB03","王\n五","510225195001011234","2026-01-01",,"城关镇","东\r\n街村"\n'
    part = only(write(tmp_path / "a.csv", "\n\n" + text([DIBAO]) + "\n" + quoted + "\r\n" + text([ZHANG])))
    assert rows_of(part, "row", "name", "village") == [(5, "王\n五", "东\r\n街村"), (7, "张三", "东街村")]
    assert why(part) == {1: "空行", 2: "空行", 3: "表头", 4: "空行", 6: "空行"}


def test_blank_lines_at_the_end_are_no_rows(tmp_path: Path):
    assert only(write(tmp_path / "a.csv", PLAIN + "\n \n,,,\n\n")).rows_read == 3


def test_doubled_quotation_marks_are_one(tmp_path: Path):
    part = only(write(tmp_path / "a.csv", text([DIBAO, ['"DB""01"""', '""""', *ZHANG[2:]]])))
    assert rows_of(part, "certificate", "name") == [('DB"01"', '"')]


def test_a_mark_within_a_plain_field_is_just_a_mark(tmp_path: Path):
    part = only(write(tmp_path / "a.csv", text([DIBAO, ["DB01", '张"三"丰', *ZHANG[2:]], LI])))
    assert part.frame["name"].to_list() == ['张"三"丰', "李四"]


def test_a_stray_opening_mark_breaks_its_own_row_only(tmp_path: Path):
    rows = [DIBAO, ZHANG, ["DB09", '"王五', *ZHANG[2:]], LI, ["DB10", '"赵六', *LI[2:]], ZHANG]
    part = only(write(tmp_path / "a.csv", text(rows)))
    assert part.frame["row"].to_list() == [2, 4, 6]
    assert part.broken["row"].to_list() == [3, 5]
    assert "引号不成对" in part.broken["why"][0]
    assert part.broken["text"][0] == ",".join(rows[2])


def test_two_stray_marks_that_would_make_one_record_of_many_do_not(tmp_path: Path):
    rows = [DIBAO, ["DB01", "张三", "", "2026-03-05", "", "", '"东'], LI, LI, ['西"', *ZHANG[1:]], ZHANG]
    part = only(write(tmp_path / "a.csv", text(rows)))
    assert part.frame["row"].to_list() == [3, 4, 5, 6]
    assert part.broken["row"].to_list() == [2]


def test_a_row_with_more_fields_than_the_heading_is_set_aside_with_its_text(tmp_path: Path):
    part = only(write(tmp_path / "a.csv", text([DIBAO, ZHANG, [*LI[:-1], "西", "街村"], LI])))
    assert rows_of(part, "row", "name") == [(2, "张三"), (4, "李四")]
    assert part.broken.rows() == [
        (3, "这一行有 8 列，表头只有 7 列；多半是内容里带了分隔符", ",".join([*LI[:-1], "西", "街村"]))
    ]


def test_separators_too_many_at_the_end_of_a_row_do_not_matter(tmp_path: Path):
    part = only(write(tmp_path / "a.csv", text([DIBAO, [*ZHANG, "", " "], LI])))
    assert part.frame.height == 2
    assert part.frame["extra"].to_list() == [None, None]


def test_a_shorter_row_ends_in_blanks(tmp_path: Path):
    part = only(write(tmp_path / "a.csv", text([DIBAO, ZHANG[:4], LI])))
    assert rows_of(part, "name", "village") == [("张三", None), ("李四", "西街村")]


def test_old_mac_line_ends_are_read(tmp_path: Path):
    assert only(write(tmp_path / "a.csv", text([DIBAO, ZHANG, LI], end="\r"))).frame["row"].to_list() == [2, 3]


def test_the_last_line_needs_no_end(tmp_path: Path):
    assert only(write(tmp_path / "a.csv", PLAIN.rstrip("\n"))).frame["village"].to_list() == ["东街村", "西街村"]


def test_spoilt_bytes_break_their_own_row_only(tmp_path: Path):
    for encoding in ("utf-8", "gb18030"):
        rows = [DIBAO, *[ZHANG] * 50, ["DB09", "王□五", *LI[2:]], LI]
        spoilt = text(rows).encode(encoding).replace("□".encode(encoding), b"\xff")
        part = only(write(tmp_path / "a.csv", spoilt))
        assert part.frame.height == 51
        assert part.broken["row"].to_list() == [52]
        assert "认不出的字" in part.broken["why"][0]


def test_a_semicolon_list_within_a_comma_file_does_not_make_it_a_semicolon_file(tmp_path: Path):
    part = only(write(tmp_path / "a.csv", text([[*DIBAO, "备注"], [*ZHANG, "甲;乙;丙;丁;戊;己;庚;辛;壬;癸"]])))
    assert part.frame["extra"].to_list() == ['{"备注":"甲;乙;丙;丁;戊;己;庚;辛;壬;癸"}']


def test_excels_own_separator_line_is_no_data(tmp_path: Path):
    assert why(only(write(tmp_path / "a.csv", "sep=;\n" + text([DIBAO, ZHANG], ";"))))[1] == "标题或说明行"


def test_a_failed_formula_is_a_blank(tmp_path: Path):
    part = only(write(tmp_path / "a.csv", text([DIBAO, [*ZHANG[:4], "#N/A", "#REF!", "东街村"]])))
    assert rows_of(part, "household_amount", "township", "village") == [(None, None, "东街村")]


def test_a_heading_without_any_row_is_read_as_no_rows(tmp_path: Path):
    part = only(write(tmp_path / "a.csv", text([DIBAO])))
    assert (part.feed, part.frame.height, part.rows_read) == ("dibao", 0, 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "文件是空的"),
        (b"\xef\xbb\xbf\r\n \n", "文件是空的"),
        (b"\0" * 4096, "文件是空的"),
        (PLAIN.encode() + b"\0" * 100, "不是文本文件"),
        (PLAIN.encode("utf-16-le"), "没有标记的 UTF-16"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"<html><body><table><tr><td>1</td></tr></table></body></html>", "网页"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE html><html>", "网页"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:x"/>', "XML 表格"),
        (b"MIME-Version: 1.0\nX-Document-Type: Workbook", "网页"),
        (b"PK\x03\x04" + b"x" * 100, "已损坏"),
        (b"Rar!\x1a\x07", "RAR"),
        (b"\x89PNG\r\n", "图片"),
        (bytes(range(128, 256)) * 20 + b"\xff" * 500, "编码认不出来"),
        ("今天开会，大家准时参加。".encode(), "没有找到已知台账的表头"),
    ],
)
def test_a_file_that_is_no_ledger_says_so_in_the_clerks_words(tmp_path: Path, content: bytes, words: str):
    reading = read(write(tmp_path / "低保.xls", content))
    assert reading.problem is not None and words in reading.problem
    assert sum(part.rows_read for part in reading.parts) == 0


def test_a_table_that_is_like_no_ledger_is_told_which_of_its_headings_were_understood(tmp_path: Path):
    table = "犬只登记表\n身份证号,领养证,狗名,疫苗\n500999199001011232,1,小黄,是\n"
    problem = read(write(tmp_path / "登记.csv", table.encode())).problem
    assert (
        problem is not None
        and "第 2 行认得“身份证号”，其余各列不像任何一种已知台账" in problem
        and "buluo map" in problem
    )


def test_a_file_that_is_not_there_is_a_problem_and_no_crash(tmp_path: Path):
    assert "文件打不开" in str(read(tmp_path / "nothing.csv").problem)
    assert "文件打不开" in str(read(tmp_path).problem)


def test_the_reading_carries_name_fingerprint_and_format(tmp_path: Path):
    reading = read(write(tmp_path / "x.xlsx", PLAIN), name="民政/低保(22)副本.xlsx")
    assert (reading.file, reading.format, len(reading.sha256)) == ("民政/低保(22)副本.xlsx", "csv", 64)


def test_both_ways_through_a_text_give_the_same(monkeypatch: pytest.MonkeyPatch):
    for row in range(0, 300, 7):
        records = [[f"值{row}", 'x"y' * (row % 3 == 1), "", "a\nb" * (row % 5 == 1)] for row in range(row)]
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows([["甲", "乙", "丙", "丁"], *records])
        data = stream.getvalue().encode()
        fast = read_text(data, False, lambda heads: (",", (1,)))
        with monkeypatch.context() as patch:
            patch.setattr(text_module, "_has_lone_cr", lambda data: True)
            slow = read_text(data, False, lambda heads: (",", (1,)))
        assert fast.grid.fill_null("").equals(slow.grid.fill_null(""))
        assert not slow.broken and not fast.broken


def test_a_large_file_whose_head_ends_within_a_quotation_is_read_to_its_end():
    note = '"' + "长\n" * 30 + '"'
    data = text([DEATHS, *[["张三", "", "2026-03-05", note]] * 3000]).encode()
    assert len(data) > text_module.HEAD_BYTES
    assert read_text(data, False, lambda heads: (",", (1,))).grid.height == 3001


def test_a_text_cut_in_the_midst_of_a_quotation_loses_no_line():
    fields = [record[0] or [record[1]] for record in split_records('a,b\n"c\nd,e\nf,g\n', ",")]
    assert fields == [["a", "b"], ['"c'], ["d", "e"], ["f", "g"]]
