"""Workbooks: every sheet, every value as text, merged cells; and the hostile ones that must not do any harm."""

from __future__ import annotations

import datetime as dt
import struct
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
import xlwt

from pipelines.parsing import CELL_END, Unreadable, child
from pipelines.parsing.child import as_text, number_text
from pipelines.parsing.precheck import precheck
from pipelines.reading import NOTES
from pipelines.reading import workbook as workbook_module
from tests.reading_files import DEATHS, DIBAO, LI, ZHANG, feeds, only, read, rows_of, why, workbook, write

SHEET = "xl/worksheets/sheet1.xml"


def rebuilt(path: Path, change=None, *, drop: str = "", add: dict[str, bytes] | None = None) -> Path:
    """A good workbook with one part changed, dropped or added."""
    workbook(path, {"s": [DIBAO, ZHANG, LI]})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name != drop}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (parts | (add or {})).items():
            archive.writestr(name, change(name, content) if change else content)
    return path


def xls(path: Path, rows: Sequence[Sequence[object]], merges: list[tuple[int, int, int, int]] | None = None) -> Path:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("名册")
    covered = {(r, c) for r1, r2, c1, c2 in merges or () for r in range(r1, r2 + 1) for c in range(c1, c2 + 1)}
    for area in merges or ():
        sheet.write_merge(*area, rows[area[0]][area[2]])
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if (number, column) not in covered:
                sheet.write(number, column, value)
    book.save(str(path))
    return path


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The private folder of the child process is gone afterwards, whatever happened."""
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(private))
    yield
    assert list(private.iterdir()) == []


def test_every_sheet_is_looked_at_hidden_ones_included_and_a_notes_sheet_is_listed(tmp_path: Path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for name, rows, hide in (
            ("城关镇", [DIBAO, ZHANG], False),
            ("填表说明", [["本表由乡镇民政办填报"], ["一户一行"]], False),
            ("河西乡", [DIBAO, LI], True),
            ("Sheet4", [], False),
        ):
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            if hide:
                sheet.very_hidden()
    reading = read(path)
    assert reading.problem is None
    assert reading.format == "xlsx"
    assert [(p.sheet, p.feed, p.hidden) for p in reading.parts] == [
        ("城关镇", "dibao", False),
        ("填表说明", None, False),
        ("河西乡", "dibao", True),
        ("Sheet4", None, False),
    ]
    assert reading.parts[1].reason == NOTES
    assert reading.parts[1].rows_in_sheet == 2
    assert reading.parts[3].reason == "空表"


@pytest.mark.parametrize(("columns", "notes"), [(1, True), (2, True), (3, False)])
def test_beside_a_ledger_a_table_that_nobody_understands_says_how_much_was_not_read(tmp_path: Path, columns: int, notes: bool):  # fmt: skip
    strange = [["甲栏", "乙栏", "丙栏"][:columns]] + [["一", "二", "三"][:columns]] * 40
    reason = read(workbook(tmp_path / "a.xlsx", {"城关镇": [DIBAO, ZHANG], "另表": strange})).parts[1].reason
    assert (reason == NOTES) == notes
    assert notes or reason.startswith("这一页的 41 行没有读入：")
    assert "没有读入" not in str(read(workbook(tmp_path / "b.xlsx", {"另表": strange})).problem)


def test_when_no_sheet_is_a_ledger_the_file_says_why_of_each(tmp_path: Path):
    reading = read(workbook(tmp_path / "a.xlsx", {"甲": [["姓名", "救助证编号"], ["张三", "1"]], "乙": [["说明"]]}))
    assert reading.problem is not None
    assert "“甲”最接近「最低生活保障对象台账」" in reading.problem and "“乙”" in reading.problem
    assert "没有内容" in str(read(workbook(tmp_path / "b.xlsx", {"空": []})).problem)


def test_a_workbook_is_known_by_its_content_not_by_its_name(tmp_path: Path):
    assert read(workbook(tmp_path / "a.xlsx", {"s": [DIBAO, ZHANG]}).rename(tmp_path / "a.csv")).format == "xlsx"
    assert read(xls(tmp_path / "a.xls", [DIBAO, ZHANG]).rename(tmp_path / "b.xlsx")).format == "xls"


def test_empty_rows_and_columns_before_the_table_keep_the_true_numbers(tmp_path: Path):
    rows = [[], [], [None, None, *DIBAO], [], [None, None, *ZHANG, "额外"]]
    part = only(workbook(tmp_path / "a.xlsx", {"s": rows}))
    assert part.heading_rows == (3,)
    assert rows_of(part, "row", "name", "extra") == [(5, "张三", '{"第J列":"额外"}')]
    assert why(part) == {1: "空行", 2: "空行", 3: "表头", 4: "空行"}


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_values_come_as_text_dates_as_iso_and_numbers_without_exponent(tmp_path: Path, kind: str):
    day, moment = dt.datetime(2026, 3, 5), dt.datetime(2026, 3, 5, 10, 20)
    headings: list[object] = ["姓名", "死亡日期", "登记日期", "证件号码", "电话", "甲", "乙", "丙"]
    values: list[object] = ["张三", day, moment, 510225198101031234, 13812345678, 0.1 + 0.2, True, 46000]
    path = tmp_path / "a.x"
    if kind == "xlsx":
        with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, headings)
            for column, value in enumerate(values):
                sheet.write(1, column, value)
    else:
        old = xlwt.Workbook()
        sheet = old.add_sheet("s")
        style = xlwt.easyxf(num_format_str="yyyy-mm-dd")
        for column, (heading, value) in enumerate(zip(headings, values, strict=True)):
            sheet.write(0, column, heading)
            sheet.write(1, column, value, style if isinstance(value, dt.datetime) else xlwt.Style.default_style)
        old.save(str(path))
    part = only(path)
    assert rows_of(part, "death_date", "registered_date", "phone") == [
        ("2026-03-05", "2026-03-05 10:20:00", "13812345678")
    ]
    assert part.frame["id_number"].to_list() == ["510225198101031000"]
    assert part.frame["extra"].to_list() == ['{"甲":"0.3","乙":"是","丙":"46000"}']


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (12.0, "12"), (-3.0, "-3"), (1234.5, "1234.5"), (0.00001, "0.00001"), (999999999999999.0, "999999999999999"),
        (510225198101031234.0, "510225198101031000"), (5.10225e17, "510225000000000000"), (1e22, "1e+22"), (0.1 + 0.7, "0.8"),
        (100, "100"), (510225198101031234, "510225198101031000"),
    ],
)  # fmt: skip
def test_a_number_shows_the_fifteen_digits_that_a_workbook_keeps(value: float, written: str):
    assert number_text(value) == written


def test_times_and_blanks_have_a_text_too():
    assert as_text(dt.time(10, 20)) == "10:20:00"
    assert as_text(dt.timedelta(hours=1)) == "1:00:00"
    assert as_text(None) is None
    assert as_text(float("nan")) == "nan"


def test_an_identity_number_written_as_text_keeps_all_its_digits_beside_damaged_ones(tmp_path: Path):
    rows: list[list[object]] = [
        [*DEATHS],
        ["张三", "510225198101031234", "2026-03-05"],
        ["李四", 510225198101031234, "2026-03-05"],
    ]
    assert only(workbook(tmp_path / "a.xlsx", {"s": rows})).frame["id_number"].to_list() == [
        "510225198101031234",
        "510225198101031000",
    ]


def test_failed_formulas_are_blank_and_others_have_their_value(tmp_path: Path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, DEATHS)
        sheet.write_row(1, 0, ["张三", "", "2026-03-05"])
        sheet.write_formula(1, 1, "=VLOOKUP(1,2,3)", None, "#N/A")
        sheet.write_formula(1, 3, '="2026"&"-04-01"', None, "2026-04-01")
    assert rows_of(only(path), "id_number", "registered_date") == [(None, "2026-04-01")]


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_cells_merged_over_several_rows_hold_for_all_of_them(tmp_path: Path, kind: str):
    rows = [
        ["户编号", "与户主关系", "姓名", "乡镇", "村", "备注"],
        ["H1", "户主", "张三", "城关镇", "东街村", "甲"],
        ["", "配偶", "李四", "", "", ""],
        ["", "", "", "", "", ""],
        ["H2", "户主", "王五", "", "", ""],
    ]
    if kind == "xlsx":
        merges = [("s", 1, 0, 2, 0), ("s", 1, 3, 4, 3), ("s", 1, 4, 4, 4), ("s", 1, 5, 2, 5)]
        part = only(workbook(tmp_path / "a.xlsx", {"s": rows}, merges))
    else:
        part = only(xls(tmp_path / "a.xls", rows, [(1, 2, 0, 0), (1, 4, 3, 3), (1, 4, 4, 4), (1, 2, 5, 5)]))
    assert rows_of(part, "row", "household_number", "name", "township", "village", "extra") == [
        (2, "H1", "张三", "城关镇", "东街村", '{"备注":"甲"}'),
        (3, "H1", "李四", "城关镇", "东街村", '{"备注":"甲"}'),
        (5, "H2", "王五", "城关镇", "东街村", None),
    ]
    assert why(part) == {1: "表头", 4: "空行"}


def test_rows_hidden_by_a_filter_are_read(tmp_path: Path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([DIBAO, ZHANG, LI]):
            sheet.write_row(number, 0, row)
        sheet.autofilter(0, 0, 2, 6)
        sheet.set_row(1, options={"hidden": True})
    assert only(path).frame["name"].to_list() == ["张三", "李四"]


def test_a_chart_sheet_does_not_stop_the_others(tmp_path: Path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    for row in (DIBAO, ZHANG):
        book.active.append(row)
    book.create_chartsheet("图")
    book.save(path)
    assert read(path).parts[0].feed == "dibao"


def test_a_formatted_but_empty_area_below_the_table_counts_for_nothing(tmp_path: Path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet, grey = book.add_worksheet(), book.add_format({"bg_color": "#eeeeee"})
        sheet.write_row(0, 0, DIBAO)
        sheet.write_row(1, 0, ZHANG)
        for row in range(2, 3000):
            sheet.write_blank(row, 0, None, grey)
        sheet.write_string(2999, 3, " ")
    assert only(path).rows_read == 2


# hostile or broken


def bomb() -> bytes:
    return b"<worksheet><sheetData>" + b"<row></row>" * (6 << 20)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504


def test_a_workbook_with_macros_is_refused(tmp_path: Path):
    assert "宏" in str(read(rebuilt(tmp_path / "a.xlsx", add={"xl/vbaProject.bin": b"x"})).problem)


def test_a_workbook_that_unpacks_into_too_much_is_refused(tmp_path: Path):
    assert "解压后太大" in str(read(rebuilt(tmp_path / "a.xlsx", add={SHEET: bomb()})).problem)


def test_a_cell_far_away_that_would_make_the_table_huge_is_refused(tmp_path: Path):
    far = b'<row r="1048576"><c r="XFD1048576" t="str"><v>x</v></c></row></sheetData>'
    path = rebuilt(tmp_path / "a.xlsx", lambda n, c: c.replace(b"</sheetData>", far) if n == SHEET else c)
    assert "表格范围太大" in str(read(path).problem)


@pytest.mark.parametrize("inside", range(1, 14))
def test_a_cell_far_away_is_seen_where_two_pieces_of_the_sheet_meet(tmp_path: Path, inside: int):
    """The sheet is looked through by the MiB; so many characters of the cell's name lie in the first one."""
    name, path = b'r="XFD1048576"', tmp_path / "a.xlsx"
    before = b"<sheetData><row><c "
    filler = b" " * ((1 << 20) - inside - len(before))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr(SHEET, filler + before + name + b"/></row></sheetData>")
    with pytest.raises(Unreadable, match="表格范围太大（1048576 行 × 16384 列）"):
        precheck(path)


def test_a_far_cell_that_hides_from_the_check_ends_the_child_only(tmp_path: Path):
    far = b"<row r='1048576'><c r='XFD1048576' t='str'><v>x</v></c></row></sheetData>"
    path = rebuilt(tmp_path / "a.xlsx", lambda n, c: c.replace(b"</sheetData>", far) if n == SHEET else c)
    assert read(path).problem is not None


def test_document_type_definitions_are_refused(tmp_path: Path):
    dtd = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>'
    path = rebuilt(tmp_path / "a.xlsx", lambda n, c: dtd + c if n == "xl/workbook.xml" else c)
    assert "结构不正常" in str(read(path).problem)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/abs.xml", "xl\\x.xml"])
def test_part_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str):
    assert "结构不正常" in str(read(rebuilt(tmp_path / "a.xlsx", add={name: b"x"})).problem)


def test_links_doubles_and_crowds_of_parts_are_refused(tmp_path: Path):
    path = rebuilt(tmp_path / "a.xlsx")
    link = zipfile.ZipInfo("xl/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "结构不正常" in str(read(path).problem)
    path = rebuilt(tmp_path / "b.xlsx")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(SHEET, "<x/>")
    assert "结构不正常" in str(read(path).problem)
    assert "结构不正常" in str(read(rebuilt(tmp_path / "c.xlsx", add={f"xl/{i}.xml": b"" for i in range(201)})).problem)


def test_a_cell_of_endless_text_is_refused(tmp_path: Path):
    assert "单元格" in str(read(rebuilt(tmp_path / "a.xlsx", add={"xl/x.xml": b"<a>" + b"y" * (3 << 20)})).problem)


def test_a_truncated_workbook_is_refused(tmp_path: Path):
    content = workbook(tmp_path / "a.xlsx", {"s": [DIBAO, *[ZHANG] * 500]}).read_bytes()
    for share in (0.2, 0.6, 0.99):
        assert "已损坏" in str(read(write(tmp_path / "b.xlsx", content[: int(len(content) * share)])).problem)


def test_flipped_bytes_never_raise(tmp_path: Path):
    content = workbook(tmp_path / "a.xlsx", {"s": [DIBAO, ZHANG]}).read_bytes()
    for at in range(40, len(content), len(content) // 8):
        spoilt = content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]
        assert read(write(tmp_path / "b.xlsx", spoilt)).parts is not None


def test_broken_xml_in_a_sheet_is_reported_for_that_sheet(tmp_path: Path):
    path = rebuilt(tmp_path / "a.xlsx", lambda n, c: c[: len(c) // 2] + b"<<<" if n == SHEET else c)
    assert read(path).problem is not None


@pytest.mark.parametrize(
    ("stream", "words"),
    [("EncryptedPackage", "密码"), ("WordDocument", "Word"), ("Nothing", "不是 Excel 工作簿"), ("Workbook_VBA_PROJECT", "宏"),
     ("Workbook", "打不开")],
)  # fmt: skip
def test_the_old_office_container_is_told_by_what_is_in_it(tmp_path: Path, stream: str, words: str):
    assert words in str(read(write(tmp_path / "a.xls", OLE + stream.encode("utf-16-le") + b"\0" * 512)).problem)


@pytest.mark.parametrize(
    ("part", "words"),
    [("xl/workbook.bin", ".xlsb"), ("word/document.xml", "Word"), ("低保.csv", "压缩包"), ("content.xml", "压缩包")],
)
def test_other_zip_files_are_told_by_what_is_in_them(tmp_path: Path, part: str, words: str):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(part, "x")
    assert words in str(read(path).problem)


def test_a_zip_with_a_password_is_refused(tmp_path: Path):
    path = rebuilt(tmp_path / "a.xlsx")
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        flags = struct.unpack_from("<H", content, at + 8)[0]
        struct.pack_into("<H", content, at + 8, flags | 1)
        at = content.find(b"PK\x01\x02", at + 4)
    assert "密码" in str(read(write(path, bytes(content))).problem)


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workbook_module, "WALL_SECONDS", 0.01)
    assert "时间太长" in str(read(workbook(tmp_path / "a.xlsx", {"s": [DIBAO, ZHANG]})).problem)


def test_a_workbook_beyond_all_size_is_refused_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workbook_module, "MAX_WORKBOOK", 100)
    assert "超过" in str(read(workbook(tmp_path / "a.xlsx", {"s": [DIBAO]})).problem)


def test_the_child_limits_itself():
    assert (child.MEMORY, child.CPU_SECONDS, child.OPEN_FILES) == (3 << 30, 120, 64)


def test_reading_twice_gives_the_same(tmp_path: Path):
    path = workbook(tmp_path / "a.xlsx", {"s": [DIBAO, ZHANG, LI]})
    first, second = (read(path) for _ in range(2))
    assert first.sha256 == second.sha256
    assert first.parts[0].frame.equals(second.parts[0].frame)
    assert set(feeds()) >= {first.parts[0].feed}


def test_the_mark_between_cells_may_stand_in_a_cell_without_moving_its_neighbours(tmp_path: Path):
    path = xls(tmp_path / "a.xls", [DEATHS, [f"张{CELL_END}三", *["x"] * (len(DEATHS) - 1)]])
    (sheet,) = workbook_module.read_workbook(path, path.stat().st_size)
    assert not isinstance(sheet, str) and sheet.grid.row(1) == ("张三", *["x"] * (len(DEATHS) - 1))
