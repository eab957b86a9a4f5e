"""The month's lists say what the two months' files say: who came, left, passed, rose, fell, died, was aided."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import openpyxl
import polars as pl
import pytest

from monitoring.access import Scope
from monitoring.exporting import journal_problems
from monitoring.exporting.journal import journal_path
from monitoring.pair import Pair
from monitoring.people import Denied, Person
from monitoring.people.downloads import ROAD, take
from monitoring.people.viewing import PurposeMissing
from monitoring.reports import figures, lists, making
from monitoring.reports.account_sections import AccountSections
from monitoring.store import Store
from monitoring.warehouse import Warehouse, publication
from pipelines.cli import main
from tests.people import add_account
from tests.stores import NOON
from tests.two_months import BEFORE, NOW, TwoMonths, feeds_of_both, man, wife

CLEAR = Scope(masked=False)
AT = datetime(2026, 12, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def pair(two_months: TwoMonths) -> Iterator[Pair]:
    opened = Pair(*two_months.files)
    yield opened
    opened.close()


def names(rows: pl.DataFrame) -> list[str]:
    return sorted(rows["姓名"].to_list())


def of(*people: dict[str, str]) -> list[str]:
    return sorted(person["姓名"] for person in people)


def test_new_are_those_who_were_in_no_ledger_and_late_entries_are_marked(pair: Pair) -> None:
    rows = lists.new(pair, CLEAR).rows
    assert names(rows) == of(man("H112"), man("H212"))
    said = dict(zip(rows["姓名"], rows["说明"], strict=True))
    assert said[man("H212")["姓名"]] == "" and "补录" in said[man("H112")["姓名"]]
    assert dict(zip(rows["姓名"], rows["上期类别"], strict=True))[man("H112")["姓名"]] == "低保边缘家庭"
    assert set(rows["类别"]) == {"低保"} and set(rows["月保障金额"].cast(pl.Float64)) == {500.0}


def test_who_passes_from_dibao_to_tekun_is_neither_new_nor_ended(pair: Pair) -> None:
    rows = lists.passed(pair, CLEAR).rows
    assert names(rows) == of(man("H205"))
    assert rows.row(0, named=True)["上期类别"] == "低保" and rows.row(0, named=True)["本期类别"] == "特困供养"
    assert man("H205")["姓名"] not in names(lists.new(pair, CLEAR).rows) + names(lists.ended(pair, CLEAR).rows)


def test_ended_are_those_who_are_in_force_no_more_with_the_reason_that_is_known(pair: Pair) -> None:
    rows = lists.ended(pair, CLEAR).rows
    assert names(rows) == of(man("H103"), wife("H103"), man("H104"), wife("H104"))
    why = dict(zip(rows["姓名"], rows["停保原因"], strict=True))
    assert (
        why[man("H103")["姓名"]] == "台账终止（原因台账未写）"
        and why[man("H104")["姓名"]] == "本期台账无此人（原因不明）"
    )
    assert lists.ended_by_place(pair, CLEAR).rows["人数"].sum() == rows.height


def test_amounts_that_rose_and_fell_are_counted_by_certificate(pair: Pair) -> None:
    before, now = ({row["救助证编号"]: int(row["户月保障金额"]) for row in feeds["dibao"]} for feeds in feeds_of_both())
    rose = {card: now[card] - yuan for card, yuan in before.items() if card in now and now[card] > yuan}
    fell = {card: yuan - now[card] for card, yuan in before.items() if card in now and now[card] < yuan}
    up, down = lists.increased(pair, CLEAR).rows, lists.decreased(pair, CLEAR).rows
    assert dict(zip(up["救助证编号"], up["月增发金额"].cast(pl.Int64), strict=True)) == rose == {"D101": 60}
    assert dict(zip(down["救助证编号"], down["月减发金额"].cast(pl.Int64), strict=True)) == fell == {"D102": 250}
    assert down["原因"].to_list() == ["进入渐退期"] and up["本期保障人口"].to_list() == [2]


def test_the_dead_are_those_known_since_and_who_still_stands_is_to_be_checked(pair: Pair) -> None:
    rows = lists.died(pair, CLEAR).rows
    assert names(rows) == of(wife("H106"))
    row = rows.row(0, named=True)
    assert (row["死亡日期"], row["登记日期"], row["本期情况"]) == (
        date(2026, 11, 3),
        date(2026, 11, 9),
        "仍在册，请核实",
    )


def test_temporary_aid_is_what_was_paid_since_late_reports_included_and_unpaid_left_out(pair: Pair) -> None:
    rows = lists.temporary(pair, CLEAR).rows
    assert names(rows) == of(man("H102"), wife("H202"))
    late = rows.filter(pl.col("说明") != "")
    assert names(late) == of(wife("H202")) and float(rows["救助金额"].sum()) == 2000


def test_relatives_who_are_not_filed_are_told(pair: Pair) -> None:
    rows = lists.relatives(pair, CLEAR).rows
    assert rows.height == len(feeds_of_both()[1]["officials"])
    filed = dict(zip(rows["近亲属姓名"], rows["备案情况"], strict=True))
    assert filed == {man("H101")["姓名"]: "未备案，请补办", man("H111")["姓名"]: "已备案"}


def test_the_exit_net_has_those_who_went_to_nothing_in_front(pair: Pair) -> None:
    rows = lists.netted(pair, CLEAR).rows
    assert set(names(rows)) == set(of(man("H103"), wife("H103"), man("H104"), wife("H104"), man("H205")))
    straight = rows["直接退出"].to_list()
    assert straight == ["√"] * 4 + [""]
    assert rows.row(-1, named=True)["纳入特困"] == "√" and rows.row(-1, named=True)["姓名"] == man("H205")["姓名"]
    wanted = [
        "类别",
        "家庭人口",
        "停保月份",
        "停保原因",
        "渐退期",
        "纳入低保",
        "纳入特困",
        "纳入低保边缘",
        "纳入刚性支出",
        "纳入防返贫监测",
        "直接退出",
    ]
    assert [name for name in rows.columns if name in wanted] == wanted


def test_who_left_and_stands_in_monitoring_went_somewhere(two_months: TwoMonths, tmp_path: Path) -> None:
    later = tmp_path / "later.duckdb"
    shutil.copy(two_months.files[1], later)
    with duckdb.connect(str(later)) as con:
        con.execute(
            "update person_snapshot set at_risk_household = (household_id = 'H104'), low_income_household = null"
        )
    with closing(Pair(two_months.files[0], later)) as pair, closing(Warehouse(later)) as now:
        rows = lists.netted(pair, CLEAR).rows
        monitored = rows.filter(pl.col("纳入防返贫监测") == "√")
        assert names(monitored) == of(man("H104"), wife("H104")) and set(monitored["直接退出"]) == {""}
        assert names(rows.filter(pl.col("直接退出") == "√")) == of(man("H103"), wife("H103"))
        section = AccountSections(now, CLEAR, False, figures.run_of(now, CLEAR), [NOW]).exits(
            figures.movement(pair, CLEAR)
        )
    assert "纳入防返贫监测 2 人" in section.sentences[0] and "没有转入上述救助或监测 2 人" in section.sentences[0]
    assert {row[0]: row[1] for row in section.tables[0].rows}["纳入防返贫监测"] == "2"


def test_lists_are_limited_to_places_and_masked(pair: Pair) -> None:
    here = Scope(allowed=(("甲镇", None),))
    for sheet in lists.month(pair, here):
        assert set(sheet.rows["乡镇"]) <= {"甲镇"}, sheet.title
    secrets = {person["证件号码"] for house in ("H103", "H104") for person in (man(house), wife(house))}
    told = "".join(str(sheet.rows.to_dicts()) for sheet in lists.month(pair, Scope()))
    assert not any(secret in told or secret[6:14] in told for secret in secrets) and man("H103")["姓名"] not in told


def test_a_ledger_that_one_run_never_had_is_not_compared(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lists.not_compared(pair, CLEAR) == {"temporary_aid": "上期没有台账"} or "dibao" not in lists.not_compared(
        pair, CLEAR
    )
    monkeypatch.setattr(lists, "not_compared", lambda *_: {"dibao": "上期没有台账"})
    assert lists.new(pair, CLEAR).rows.filter(pl.col("类别") == "低保").is_empty()
    assert lists.ended(pair, CLEAR).rows.is_empty()


def test_the_workbook_has_a_cover_frozen_headings_types_and_text_for_numbers(
    two_months: TwoMonths, tmp_path: Path
) -> None:
    out = tmp_path / "清单.xlsx"
    assert main(["report", "lists", "--home", str(two_months.home), "--period", NOW, "-o", str(out)]) == 0
    book = openpyxl.load_workbook(out)
    assert book.sheetnames[0] == "封面" and len(book.sheetnames) == 1 + len(lists.SHEETS)
    cover = "\n".join(str(cell) for row in book["封面"].iter_rows(values_only=True) for cell in row if cell is not None)
    assert "2026年11月" in cover and "2026年10月" in cover and "已隐去" in cover and "national-2020" in cover
    page = book["新增救助明细"]
    assert page.freeze_panes == "A3" and page["A2"].value == "序号" and page.max_row == 4
    heads = {cell.value: cell.column for cell in page[2]}
    assert (
        isinstance(page.cell(3, heads["享受起始日期"]).value, datetime)
        and page.cell(3, heads["月保障金额"]).value == 500
    )
    assert page.cell(3, heads["身份证号"]).value.startswith("********")


def test_full_lists_need_a_reason_and_are_journalled_before_the_file(two_months: TwoMonths, tmp_path: Path) -> None:
    out = tmp_path / "清单.xlsx"
    order = ["report", "lists", "--home", str(two_months.home), "--period", NOW, "-o", str(out), "--unmask"]
    assert main(order) == 2 and not out.exists()
    assert main([*order, "--reason", "上报核对"]) == 0
    assert "month lists" in journal_path(two_months.home).read_text("utf-8") and journal_problems(two_months.home) == []
    page = openpyxl.load_workbook(out)["停保明细"]
    assert man("H103")["姓名"] in {row[3] for row in page.iter_rows(values_only=True)}


def test_commands_refuse_in_words(two_months: TwoMonths, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = ["--home", str(two_months.home)]
    for order, words in (
        (["lists", "--period", BEFORE, "-o", str(tmp_path / "a.xlsx")], "不能比较"),
        (["lists", "--period", "2026-01", "-o", str(tmp_path / "a.xlsx")], "还没有发布过"),
        (["lists", "--period", NOW, "-o", str(tmp_path / "a.csv")], "只能写为"),
        (["quarterly", "--period", NOW, "-o", str(tmp_path / "a.docx")], "6月、9月、12月"),
        (["monthly", "--period", NOW, "--township", "丙镇", "-o", str(tmp_path / "a.docx")], "没有乡镇"),
    ):
        assert main(["report", *order, *home]) == 2
        assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_page_gives_masked_lists_to_its_places_and_full_ones_only_with_a_purpose(
    two_months: TwoMonths, sqlite_store: Store
) -> None:
    published = publication(two_months.home)
    town = add_account(sqlite_store, "township_staff", [("乙镇", None)])
    address = making.offer_lists(sqlite_store, town, published, NOW, Scope(), None, NOON)
    taken = take(sqlite_store, town, address.removeprefix(ROAD), NOON)
    assert taken.name == "乙镇2026年11月救助月报清单.xlsx"
    page = openpyxl.load_workbook(taken.path)["停保明细"]
    assert page.max_row == 3 and page["B3"].value == "本期没有。"
    with pytest.raises(Denied):
        making.offer_lists(sqlite_store, town, published, NOW, Scope(), "上报核对", NOON)
    county = add_account(sqlite_store, "county_staff")
    with pytest.raises(PurposeMissing):
        making.offer_lists(sqlite_store, county, published, NOW, Scope(), " ", NOON)
    assert making.offer_lists(sqlite_store, county, published, NOW, Scope(), "上报核对", NOON).startswith(ROAD)
    with pytest.raises(Denied):
        making.offer_lists(
            sqlite_store,
            add_account(sqlite_store, "village_staff", [("乙镇", "乙西村")]),
            published,
            NOW,
            Scope(),
            None,
            NOON,
        )


def test_the_first_period_has_nothing_to_compare_with(two_months: TwoMonths) -> None:
    person = Person(None, "cli:x", "x", "administrator", None)
    with pytest.raises(making.NothingEarlier, match="不能比较"):
        making.month_lists(publication(two_months.home), BEFORE, person, Scope(), AT)
