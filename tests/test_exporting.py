"""Exports: the columns of the contract, masks, filters, the journal, and files that act in no spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import date, datetime
from pathlib import Path

import duckdb
import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.exporting import EXPORTS, Unmasking, export, frame_of, journal_problems, masking, record_unmask
from monitoring.exporting.comparing import COMPARISON_CODES
from monitoring.exporting.filters import parse_where
from monitoring.exporting.writing import write_frame
from tests.small_warehouse import LI, LONE, LONE_HOUSEHOLD, NAMES, NUMBERS, QIAN, WANG, ZHANG, small_warehouse

PERIOD = "2026-11"
AT = datetime(2026, 12, 1, 9, 30)
COLUMNS = [
    "period",
    "rule",
    "kind",
    "level",
    "subject",
    "household_id",
    "person_id",
    "id_number",
    "name",
    "township",
    "village",
    "department",
    "due_date",
    "evidence",
    "clause",
    "message",
    "record_key",
]


def frame(what: str, where: str | list[str] | None = None, lang: str = "zh", masked: bool = True) -> pl.DataFrame:
    return frame_of(small_warehouse(), what, period=PERIOD, where=where, lang=lang, masked=masked)


def reasoned(home: Path, reason: str = "入户核实") -> Unmasking:
    return Unmasking(home, "王主任", reason, AT)


def test_signals_have_the_columns_of_the_contract_in_a_csv_with_a_mark(tmp_path: Path) -> None:
    out = tmp_path / "signals.csv"
    exported = export(small_warehouse(), "signals", period=PERIOD, out=out)
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == COLUMNS and exported.rows == len(rows) - 1 == 4 and exported.masked
    assert [row[1] for row in rows[1:]] == ["GAP-DIBAO", "PROC-CLUE", "GAP-CARERS", "DQ-NAME"]


def test_no_export_shows_a_number_or_a_name_unless_unmasked() -> None:
    for what in EXPORTS:
        shown = frame(what).write_json()
        for person, number in NUMBERS.items():
            assert number not in shown and number[:17] not in shown and NAMES[person] not in shown, what
        assert not any(told in shown for told in ("99999919770707123X", "９９９９９９１９７", "赵七", "13800001111")), (
            what
        )


def test_masks_keep_what_tells_two_persons_apart() -> None:
    signals = {row["rule"]: row for row in frame("signals").iter_rows(named=True)}
    assert signals["GAP-DIBAO"]["id_number"] == "********1234" and signals["GAP-DIBAO"]["name"] == "张**"
    assert signals["GAP-DIBAO"]["message"] == "张**户人均 500 元，低于标准 600 元。"
    assert signals["GAP-DIBAO"]["household_id"] == "HB1"
    clue = signals["PROC-CLUE"]
    assert clue["household_id"].startswith("U-") and clue["household_id"] == frame("signals")["household_id"][1]
    assert clue["record_key"] == "********4321-XS-1"
    assert (
        signals["GAP-CARERS"]["name"] == "石桥敬老院" and signals["GAP-CARERS"]["message"] == "石桥敬老院护理员不足。"
    )


def test_what_tells_an_undecided_row_apart_shows_no_phone_and_no_day_of_birth() -> None:
    """DQ-LINK: nobody knows whose the row is, and its key is made of what stands in it."""

    def shown(subject: str, person: str, key: str) -> str:
        signal = f"SELECT '{subject}' AS subject, {person} AS person_id, '张三' AS name, '{{}}' AS evidence, '{key}' AS record_key"
        with duckdb.connect(":memory:") as con:
            return str(con.execute(f"SELECT {masking.record_key()} FROM ({signal})").fetchall()[0][0])

    key = "payments 3.30726E+17 1980-01-02 13800138000 上寨村"
    assert shown("record", "NULL", key) == "payments 3.30726E+17 1980 ********8000 上寨村"
    assert shown("record", "7", "低保 2026-11-01") == "低保 2026-11-01"
    assert shown("institution", "NULL", "石桥敬老院 2020-01-01") == "石桥敬老院 2020-01-01"


def test_evidence_and_sentence_hide_other_names_and_the_day_of_birth() -> None:
    row = frame("signals", where="rule=DQ-NAME").row(0, named=True)
    assert json.loads(row["evidence"]) == {"name_count": 2, "other_names": "李**", "birth_date": "1980"}
    assert row["message"] == "证件号码 ********5678 有不同姓名：李**、李**、黎**。"
    assert frame("signals", where="rule=DQ-NAME", lang="en")["message"][0] == "Other names: 李**、黎**."


def test_names_of_others_whom_evidence_knows_are_hidden_in_it_and_in_the_sentence() -> None:
    """The official whose relative it is, and who answers for a household's help: persons too."""
    evidence = {
        "name": "张三",
        "other_names": "张珊、李四",
        "official_name": "王五六",
        "responsible": '赵"七',
        "measures": "产业",
    }
    message = '张三（张珊、李四）：王五六，赵"七，产业。'
    with duckdb.connect(":memory:") as con:
        signal = "SELECT 'person' AS subject, '张三' AS name, $1 AS evidence, $2 AS message"
        text = json.dumps(evidence, ensure_ascii=False)
        told = con.execute(f"SELECT {masking.evidence()}, {masking.sentence()} FROM ({signal})", [text, message])
        shown, sentence = told.fetchall()[0]
    hidden = {"name": "张**", "other_names": "张**", "official_name": "王**", "responsible": "赵**", "measures": "产业"}
    assert json.loads(shown) == hidden
    assert sentence == "张**（张**、李**）：王**，赵**，产业。"


def test_unmasked_signals_show_everything() -> None:
    signals = frame("signals", masked=False)
    assert signals["id_number"].drop_nulls().to_list() == [NUMBERS[ZHANG], NUMBERS[LONE], NUMBERS[LI]]
    assert LONE_HOUSEHOLD in signals["household_id"].to_list()


def test_quarantine_spreads_the_departments_own_columns_and_keeps_whole_files() -> None:
    rows = frame("quarantine", masked=False)
    assert rows.columns == [
        "file",
        "sheet",
        "row",
        "feed",
        "department",
        "reasons",
        "姓名",
        "身份证号",
        "享受起始日期",
        "备 注",
        "row（原表）",
    ]
    assert rows["姓名"].to_list() == ["赵七", "=SUM(A1)", None]
    assert rows.row(2, named=True)["reasons"] == "不是任何一种台账"
    masked = frame("quarantine")
    assert masked.row(0)[5:10] == (
        "证件号码 ********123X 校验码不符；缺享受起始日期",
        "赵**",
        "********123X",
        None,
        "本人电话********1111，配偶********９９９９",
    )


@pytest.mark.parametrize(
    ("heading", "written", "shown"),
    [
        ("身份证号（必填）", "510225 19990101 1234", "********1234"),
        ("证件号码", "5.1E+17", "********"),
        ("户主姓名", "欧阳建国", "欧**"),
        ("家庭住址", "石桥镇东村3组", "****"),
        ("出生日期", "1999-01-01", "1999"),
        ("联系电话", "13800001111", "********1111"),
        ("银行账号", "6222020200011112222", "********2222"),
        ("备注", "与 51022519990101123x 同户", "与 ********123x 同户"),
        ("金额", "1,200.00", "1,200.00"),
        ("享受起始日期", "2024-01-01", "2024-01-01"),
        ("备注", "", ""),
        ("姓名", None, None),
    ],
)
def test_cells_of_a_departments_file_are_masked_by_their_heading(
    heading: str, written: str | None, shown: str | None
) -> None:
    cells = pl.DataFrame({heading: [written]}, schema={heading: pl.String})
    assert cells.select(masking.cell(heading)).item() == shown


def test_a_name_in_a_record_key_is_hidden() -> None:
    connection = small_warehouse()
    connection.execute("UPDATE signal SET record_key = 'visits 独孤一 西村' WHERE rule = 'PROC-CLUE'")
    assert frame_of(connection, "signals", period=PERIOD, where="rule=PROC-CLUE")["record_key"].to_list() == [
        "visits 独** 西村"
    ]


def test_quarantine_without_rows_is_an_empty_list() -> None:
    assert frame("quarantine", where="feed=tekun").height == 0


def test_ledger_holds_the_files_of_the_period_and_their_balance() -> None:
    ledger = frame("ledger")
    assert ledger["file"].to_list() == ["公安/户籍.csv", "民政/低保.xlsx", "民政/说明.xlsx"]
    assert ledger["difference"].to_list() == [0, 0, 0]


def test_comparison_says_who_is_in_one_register_and_not_in_another() -> None:
    rows = {row["person_id"]: row for row in frame("comparison").iter_rows(named=True)}
    assert set(rows) == {ZHANG, LI, WANG}
    assert (
        rows[ZHANG]["code"] == "monitored_not_covered"
        and "可能应保未保" in rows[ZHANG]["why"]
        and "低于标准 600" in rows[ZHANG]["why"]
    )
    assert rows[WANG]["code"] == "dibao_not_monitored" and rows[WANG]["dibao_form"] == "整户"


@pytest.mark.parametrize(
    ("spoil", "person", "code"),
    [
        ("UPDATE person_snapshot SET on_tekun = TRUE WHERE person_id = 103", WANG, "both_dibao_tekun"),
        ("UPDATE feed_snapshot SET last_period = NULL WHERE feed = 'tekun'", ZHANG, "not_compared"),
        ("UPDATE feed_snapshot SET last_period = NULL WHERE feed = 'monitored'", WANG, "not_compared"),
        ("UPDATE household_snapshot SET urban = TRUE WHERE household_key = 2", WANG, "urban_not_monitored"),
        ("UPDATE person_snapshot SET on_tekun = TRUE WHERE person_id = 104", QIAN, "tekun_not_monitored"),
        (
            "UPDATE person_snapshot SET whole_household_dibao = TRUE WHERE person_id = 102",
            LI,
            "household_dibao_member_missing",
        ),
        ("UPDATE person_snapshot SET on_dibao = TRUE WHERE person_id = 102", LI, "single_dibao_in_monitored"),
        ("UPDATE household_snapshot SET at_risk = FALSE WHERE household_key = 1", ZHANG, "monitored_stable"),
        (
            "UPDATE person_snapshot SET on_dibao = TRUE, whole_household_dibao = TRUE WHERE person_id = 102",
            LI,
            "consistent",
        ),
    ],
)
def test_comparison_codes(spoil: str, person: int, code: str) -> None:
    connection = small_warehouse()
    connection.execute(spoil)
    for lang in ("zh", "en"):
        rows = frame_of(connection, "comparison", period=PERIOD, lang=lang).filter(person_id=person)
        assert rows["code"].to_list() == [code] and rows["why"][0]
    assert code in COMPARISON_CODES


def test_comparison_leaves_out_the_dead_and_tells_unknown_income() -> None:
    connection = small_warehouse()
    connection.execute("UPDATE person_snapshot SET alive = FALSE WHERE person_id = 103")
    connection.execute("UPDATE household_snapshot SET income_pc = NULL")
    rows = frame_of(connection, "comparison", period=PERIOD)
    assert rows["person_id"].to_list() == [ZHANG, LI] and rows["why"].str.ends_with("收入不明。").all()


@pytest.mark.parametrize(
    ("where", "rules"),
    [
        ("level=red", ["GAP-DIBAO", "PROC-CLUE"]),
        ("level = 'red' AND rule != PROC-CLUE", ["GAP-DIBAO"]),
        (["level=red", "village=西村"], ["PROC-CLUE"]),
        ("person_id>=102 and person_id<105", ["DQ-NAME"]),
        ("due_date>2026-12-04 AND household_id=", ["GAP-CARERS"]),
        ("household_id!=HB1", ["PROC-CLUE", "GAP-CARERS"]),
        ("person_id≠", ["GAP-DIBAO", "PROC-CLUE", "DQ-NAME"]),
        ('township="石桥镇" AND rule=DQ-NAME', ["DQ-NAME"]),
        ("rule='x'' OR 1=1 --'", []),
        ("", ["GAP-DIBAO", "PROC-CLUE", "GAP-CARERS", "DQ-NAME"]),
    ],
)
def test_where_compares_columns_with_values(where: str | list[str], rules: list[str]) -> None:
    assert frame("signals", where=where)["rule"].to_list() == rules


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("townshp=x", "township"),
        ("message_en=x", "没有列"),
        ("person_id=abc", "不是这样的值"),
        ("level", "读不懂"),
        ("level=red OR 1=1; drop table signal", None),
        ("(select 1)=1", "读不懂"),
        ("level='red' or true", "读不懂"),
        ("person_id>", "缺少值"),
        ("name=张三丰", "脱敏"),
        ("id_number>5", "脱敏"),
    ],
)
def test_where_refuses_what_is_no_comparison(where: str, said: str | None) -> None:
    connection = small_warehouse()
    if said is None:  # one odd value, which no row has
        assert frame_of(connection, "signals", period=PERIOD, where=where).height == 0
        assert connection.execute("SELECT count(*) FROM signal").fetchall() == [(4,)]
        return
    with pytest.raises(ValueError, match=said):
        frame_of(connection, "signals", period=PERIOD, where=where)


def test_unmasked_lists_can_be_filtered_by_name() -> None:
    assert frame("signals", where="name=李四", masked=False)["rule"].to_list() == ["DQ-NAME"]


def test_truth_can_be_written_in_chinese() -> None:
    assert frame("comparison", where="on_dibao=是")["person_id"].to_list() == [WANG]


@given(st.text(max_size=60))
def test_where_never_raises_anything_but_value_errors(text: str) -> None:
    try:
        conditions = parse_where(text)
    except ValueError:
        return
    assert all(condition.operator in ("=", "<>", "<", ">", "<=", ">=") for condition in conditions)


@pytest.mark.parametrize("what", ["nothing", "signal"])
def test_unknown_exports_periods_languages_and_suffixes_are_refused(tmp_path: Path, what: str) -> None:
    connection = small_warehouse()
    out = tmp_path / "x.csv"
    with pytest.raises(ValueError, match="没有导出"):
        export(connection, what, period=PERIOD, out=out)
    with pytest.raises(ValueError, match="2026-11 期的，不是 2026-10"):
        export(connection, "signals", period="2026-10", out=out)
    with pytest.raises(ValueError, match="没有语言"):
        export(connection, "signals", period=PERIOD, out=out, lang="fr")
    with pytest.raises(ValueError, match="只能导出为"):
        export(connection, "signals", period=PERIOD, out=tmp_path / "x.xls")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("what", list(EXPORTS))
def test_two_exports_are_the_same_bytes_and_leave_nothing_else(tmp_path: Path, what: str, suffix: str) -> None:
    first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    for out in (first, second):
        export(small_warehouse(), what, period=PERIOD, out=out)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [first.name, second.name]


def test_order_of_rows_in_the_warehouse_does_not_matter() -> None:
    connection = small_warehouse()
    connection.execute(
        "CREATE TABLE turned AS FROM signal ORDER BY rule DESC; DELETE FROM signal; INSERT INTO signal FROM turned"
    )
    assert frame_of(connection, "signals", period=PERIOD).equals(frame("signals"))


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "signals.csv"
    out.write_text("old")

    def full(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(pl.DataFrame, "write_csv", full)
    with pytest.raises(OSError, match="disk full"):
        export(small_warehouse(), "signals", period=PERIOD, out=out)
    assert [path.name for path in tmp_path.iterdir()] == ["signals.csv"] and out.read_text() == "old"


ACTING = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\x00=1", "＝1", "＋1", "－1", "＠1", "%1", "|cmd", "  =1", "　=1", '=HYPERLINK("http://x")')  # fmt: skip


def test_csv_cells_and_headings_that_would_act_get_an_apostrophe(tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    plain = ("张三", "http://example.invalid", "1=1", "", "'=1")
    write_frame(pl.DataFrame({"=cmd": [*ACTING, *plain], "amount": [-5] * (len(ACTING) + len(plain))}), out)
    text = out.read_bytes().decode("utf-8-sig").replace("\x00", "␀")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["'=cmd", "amount"]
    assert [row[0] for row in rows[1 : len(ACTING) + 1]] == ["'" + cell.replace("\x00", "␀") for cell in ACTING]
    assert tuple(row[0] for row in rows[len(ACTING) + 1 :]) == plain
    assert {row[1] for row in rows[1:]} == {"-5"}


def test_workbook_cells_are_text_without_formulas_and_links(tmp_path: Path) -> None:
    out = tmp_path / "x.xlsx"
    cells = [*ACTING, "http://example.invalid", "mailto:a@b", "{=1+1}", "123456789012345678", "0012"]
    frame_ = pl.DataFrame(
        {
            "=cmd": cells,
            "big": [2**60] * len(cells),
            "small": [-5] * len(cells),
            "day": [date(2026, 11, 30)] * len(cells),
            "share": pl.Series([None] * len(cells), dtype=pl.Decimal(8, 2)),
        }
    )
    write_frame(frame_, out, sheet="预警信号")
    with zipfile.ZipFile(out) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet and "hyperlink" not in sheet
        assert not any("hyperlink" in book.read(name).decode() for name in book.namelist() if name.endswith(".rels"))
    page = openpyxl.load_workbook(out)["预警信号"]
    values = list(page.iter_rows(min_row=2, values_only=True))
    assert page["A1"].value == "=cmd" and page["A1"].data_type != "f"
    assert [row[0] for row in values][-2:] == ["123456789012345678", "0012"]
    assert {row[1:] for row in values} == {(str(2**60), -5, datetime(2026, 11, 30), None)}


def test_a_workbook_cuts_what_no_cell_can_hold_and_says_so(tmp_path: Path) -> None:
    out = tmp_path / "x.xlsx"
    write_frame(pl.DataFrame({"a": ["字" * 40_000]}), out)
    cut = openpyxl.load_workbook(out).active["A2"].value
    assert len(cut) == 32_767 and cut.endswith("（过长，已截断）")


def test_a_workbook_refuses_more_rows_than_a_sheet_has(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="超过了一张工作表的上限"):
        write_frame(pl.DataFrame({"a": pl.Series([1]).extend_constant(1, 1_048_575)}), tmp_path / "x.xlsx")


def test_unmasking_needs_a_reason_and_stands_in_the_journal_before_the_file(tmp_path: Path) -> None:
    out = tmp_path / "out" / "signals.csv"
    with pytest.raises(ValueError, match="必须写明理由"):
        export(small_warehouse(), "signals", period=PERIOD, out=out, unmask=reasoned(tmp_path, "  "))
    assert not (tmp_path / "exports").exists() and not out.exists()
    export(small_warehouse(), "signals", period=PERIOD, out=out, where="level=red", unmask=reasoned(tmp_path))
    line = json.loads((tmp_path / "exports" / "journal.jsonl").read_text())
    told = {key: line[key] for key in ("number", "at", "who", "what", "period", "where", "file", "rows", "reason")}
    assert told == {
        "number": 1, "at": "2026-12-01T09:30:00", "who": "王主任", "what": "signals", "period": PERIOD, "where": "level=red",
        "file": "signals.csv", "rows": 2, "reason": "入户核实",
    }  # fmt: skip
    assert NUMBERS[ZHANG] in out.read_text(encoding="utf-8-sig")


def test_what_cannot_be_recorded_is_not_exported(tmp_path: Path) -> None:
    (tmp_path / "exports").write_text("a file where the folder should be")
    with pytest.raises(OSError):
        export(small_warehouse(), "signals", period=PERIOD, out=tmp_path / "x.csv", unmask=reasoned(tmp_path))
    assert not (tmp_path / "x.csv").exists()


def journal(home: Path, lines: int = 3) -> Path:
    for number in range(lines):
        record_unmask(home, "王主任", "signals", PERIOD, f"理由{number}", number, at=AT)
    return home / "exports" / "journal.jsonl"


def test_a_sound_journal_has_no_problems(tmp_path: Path) -> None:
    assert journal_problems(tmp_path) == []
    journal(tmp_path)
    assert journal_problems(tmp_path) == []


@pytest.mark.parametrize("edit", ["altered", "dropped", "swapped", "inserted", "torn"])
def test_every_edit_of_the_journal_shows(tmp_path: Path, edit: str) -> None:
    path = journal(tmp_path)
    lines = path.read_text().splitlines(keepends=True)
    spoilt = {
        "altered": [lines[0], lines[1].replace("理由1", "理由9"), lines[2]],
        "dropped": [lines[0], lines[2]],
        "swapped": [lines[1], lines[0], lines[2]],
        "inserted": [lines[0], lines[0], lines[1], lines[2]],
        "torn": [*lines[:2], lines[2][:40]],
    }[edit]
    path.write_text("".join(spoilt))
    assert journal_problems(tmp_path)
    record_unmask(tmp_path, "王主任", "signals", PERIOD, "之后", 1, at=AT)
    assert len(path.read_text().splitlines()) == len(spoilt) + 1 and journal_problems(tmp_path)


def test_the_journal_needs_a_person(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="导出人"):
        record_unmask(tmp_path, " ", "signals", PERIOD, "理由", 1, at=AT)
