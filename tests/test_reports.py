"""Reports: every figure counted another way, small numbers that nobody can work out, nothing of any person, Word and print."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime, timedelta

import docx
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, update

from monitoring.access import Scope
from monitoring.alerts.reporting import moment_of, worked
from monitoring.alerts.syncing import catch_up
from monitoring.desk.due import LATE
from monitoring.low_income import CATEGORIES
from monitoring.people import Denied, operator
from monitoring.people.downloads import ROAD, take
from monitoring.queries import overview
from monitoring.queries.checklist import checklist
from monitoring.queries.vouching import asked_of
from monitoring.reports import figures, hiding, making, pictures, word
from monitoring.reports.composing import NoQuarter, months_of
from monitoring.reports.people_sections import PeopleSections
from monitoring.reports.printing import print_view
from monitoring.reports.shape import Report
from monitoring.store import Store, open_store
from monitoring.store.schema import alert, taken_in
from monitoring.vouching.live import live
from monitoring.warehouse import Warehouse, publication
from tests.people import OTHER_TOWN, TOWN, add_account
from tests.some_alerts import add_alert
from tests.stores import NOON
from tests.two_months import NOW, TwoMonths, feeds_of_both

LATER = datetime(2026, 12, 2, 3, tzinfo=UTC)
OPERATOR = operator("test")
MANY = settings(max_examples=60, deadline=None)


# --- small numbers


@MANY
@given(st.lists(st.integers(0, 40), max_size=8))
def test_no_hidden_part_can_be_found_by_subtraction(values: list[int]) -> None:
    away, total = hiding.hidden(values)
    assert all(gone for value, gone in zip(values, away, strict=True) if 0 < value < hiding.LEAST)
    if any(away) and not total:
        together = [value for value, gone in zip(values, away, strict=True) if gone]
        assert len(together) > 1 and sum(together) >= hiding.LEAST


@pytest.mark.parametrize(
    ("values", "shown"),
    [([0, 20, 30], [None, None, None]), ([4, 20, 30], ["不足5", "不公开", None]), ([5, 20], [None, None]), ([4, 3, 20], ["不足5", "不足5", None])],
)  # fmt: skip
def test_at_the_edge_of_small(values: list[int | None], shown: list[str | None]) -> None:
    assert hiding.column(values) == (shown, False)


def test_a_single_small_part_takes_the_total_with_it() -> None:
    assert hiding.column([3, 0, 0]) == (["不足5", None, None], True)


# --- when


@pytest.mark.parametrize(("month", "months"), [(6, [4, 5, 6]), (9, [7, 8, 9]), (12, [10, 11, 12])])
def test_quarters_end_in_june_september_and_december(month: int, months: list[int]) -> None:
    assert months_of("quarterly", date(2026, month, 28)) == [f"2026-{m:02d}" for m in months]


@pytest.mark.parametrize("month", [1, 2, 3, 4, 5, 7, 8, 10, 11])
def test_no_other_month_has_a_quarterly_report(month: int) -> None:
    with pytest.raises(NoQuarter, match="6月、9月、12月"):
        months_of("quarterly", date(2026, month, 28))


# --- figures


@pytest.fixture(scope="module")
def now(two_months: TwoMonths) -> Warehouse:
    return Warehouse(two_months.files[1])


def test_categories_are_the_persons_of_the_ledgers_in_force_and_of_recognised_families(now: Warehouse) -> None:
    """Counted from the month's files; a family is everybody in the household of one who is listed."""
    feeds = feeds_of_both()[1]
    dead = {row["姓名"] for row in feeds["deaths"]}
    dibao = {row["姓名"] for row in feeds["dibao"] if not row.get("终止日期")} - dead
    tekun, edge = {row["姓名"] for row in feeds["tekun"]}, {row["姓名"] for row in feeds["low_income"]}
    family_of = {row["姓名"]: row["户编号"] for row in feeds["registry"]}
    homes = {family_of[name] for name in edge}
    families = {row["姓名"] for row in feeds["registry"] if row["户编号"] in homes} - dead
    people = figures.population(now, Scope())
    listed = dict(people.categories.select("title", "listed").rows())
    assert listed["最低生活保障对象"] == len(dibao) and listed["特困人员"] == len(tekun)
    assert listed["最低生活保障边缘家庭成员"] == len(families) > len(edge) and listed["刚性支出困难家庭成员"] == 0
    at_risk = {r["p"] for r in now.rows("select person_id as p from person_snapshot where alive and at_risk_household")}
    poor = {r["p"] for r in now.rows("select person_id as p from person_snapshot where alive and (on_dibao or on_tekun or low_income_household)")}  # fmt: skip
    assert listed["防止返贫监测对象"] == len(at_risk) and people.persons == len(at_risk | poor)
    assert people.categories["persons"].sum() == people.persons < people.categories["listed"].sum()
    assert people.categories["households"].sum() == people.households


def test_the_report_and_the_overview_count_the_same_people(now: Warehouse) -> None:
    """One definition: by their main category page and report are equal; who stands in several is a column of its own name."""
    shown = {CATEGORIES[one.key].title: one for one in overview.categories(overview.overview(now, Scope()))}
    for row in figures.population(now, Scope()).categories.to_dicts():
        one = shown[row["title"]]
        assert (row["persons"], row["households"], row["listed"]) == (one.persons.value, one.households, one.listed)
    section = PeopleSections(now, Scope(), False, figures.run_of(now, Scope()), [NOW]).categories()
    assert len(set(section.tables[0].headings)) == 4 and "兼有的重复计" in section.tables[0].headings[3]
    assert section.tables[0].rows[-1][3] == "不相加"


def test_a_category_whose_ledger_never_came_is_unknown(now: Warehouse) -> None:
    class Without(Warehouse):
        def __init__(self) -> None:
            self.path, self._connection = now.path, now._connection

        def rows(self, query: str, params: object = None) -> list[dict[str, object]]:
            return [{"feed": "dibao"}] if "last_period is not null" in query else super().rows(query)

    found = {row["title"]: row["persons"] for row in figures.population(Without(), Scope()).categories.to_dicts()}
    assert found["特困人员"] is None and found["最低生活保障对象"] is not None


def test_money_is_what_arrived_in_the_months(now: Warehouse) -> None:
    paid = [row for row in feeds_of_both()[1]["payments"] if row["项目"] == "低保"]
    found = figures.money(now, Scope(), date(2026, 11, 1), date(2026, 11, 1))
    row = found.row(by_predicate=pl.col("item") == "低保", named=True)
    assert int(row["yuan"]) == sum(int(one["金额"]) for one in paid if one["发放状态"] == "成功") == 800
    assert (row["failed"], row["persons"]) == (1, 2)
    aid = found.row(
        by_predicate=pl.col("item") == "临时救助", named=True
    )  # of its ledger, by the month in which it was paid
    assert (aid["payments"], int(aid["yuan"])) == (1, 1200)
    assert figures.money(now, Scope(), date(2026, 10, 1), date(2026, 10, 1))["item"].to_list() == ["临时救助"]
    halves = [figures.money(now, Scope(townships=(town,)), date(2026, 11, 1), date(2026, 11, 1))["yuan"].sum() or 0 for town in ("甲镇", "乙镇")]  # fmt: skip
    assert sum(halves) == 2000


def test_late_sources_and_quality_are_those_of_the_ledger(now: Warehouse) -> None:
    rows, stands = figures.late_feeds(now, date(2026, 12, 20))
    late = {row["feed"] for row in rows}
    assert late == set(stands.of(LATE)) and late.isdisjoint(feeds_of_both()[1])
    assert "medical" in late and "disasters" not in late  # asked for every month; only when there is something
    assert figures.late_feeds(now, date(2026, 12, 5))[0] == []  # the day itself is not over
    found = figures.quality(now, Scope())
    assert found["rows_read"] == found["loaded"] + found["duplicate"] + found["quarantined"] + now.row("select sum(not_data) as n from part where this_period")["n"]  # fmt: skip
    assert found["usable"] == now.row("select count(number) as n from person_snapshot where alive")["n"]


# --- case work at a moment


def test_work_is_counted_as_it_stood_at_the_moment(store: Store) -> None:
    early = NOON - timedelta(days=20)
    done = add_alert(store, opened_at=early, opened_on=early.date(), verify_due_date=date(2026, 11, 10))
    late = add_alert(store, opened_at=early, opened_on=early.date(), verify_due_date=date(2026, 11, 10))
    add_alert(store, opened_at=early, opened_on=early.date(), verify_due_date=date(2026, 11, 30), township=OTHER_TOWN)
    add_alert(store, opened_period="2026-10", opened_at=early)
    with store.write() as con:
        con.execute(update(alert).where(alert.c.id == done).values(verified_at=datetime(2026, 11, 10, 8, tzinfo=UTC)))
        con.execute(update(alert).where(alert.c.id == late).values(verified_at=datetime(2026, 11, 12, 8, tzinfo=UTC)))
    total = worked(store, OPERATOR, ["2026-11"], NOON, NOON).total
    assert total == {"opened": 3, "due": 2, "verified": 2, "in_time": 1, "overdue": 0, "helped": 0, "closed": 0}
    then = worked(store, OPERATOR, ["2026-11"], datetime(2026, 11, 11, 16, tzinfo=UTC), NOON).total
    assert then == {"opened": 3, "due": 2, "verified": 1, "in_time": 1, "overdue": 1, "helped": 0, "closed": 0}
    assert worked(store, OPERATOR, ["2026-11"], NOON, NOON, Scope(townships=(OTHER_TOWN,))).total["opened"] == 1
    assert (
        worked(store, add_account(store, "township_staff", [(TOWN, None)]), ["2026-11"], NOON, NOON).total["opened"]
        == 2
    )
    assert worked(store, OPERATOR, ["2026-11"], early - timedelta(days=9), NOON).total["opened"] == 0


def test_a_report_goes_to_the_run_that_followed_and_the_newest_one_to_now(store: Store) -> None:
    followed = NOON - timedelta(days=3)
    with store.write() as con:
        assert moment_of(con, "2026-10", NOON) == NOON
        told = {"as_of": date(2026, 11, 30), "signals": 0, "opened": 0, "joined": 0, "gone": 0}
        con.execute(insert(taken_in).values(run_id="2026-11-a-1", period="2026-11", at=followed, **told))
        assert moment_of(con, "2026-10", NOON) == followed and moment_of(con, "2026-11", NOON) == NOON


# --- the whole


@pytest.fixture(scope="module")
def report(two_months: TwoMonths, tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Report]:
    store = open_store(tmp_path_factory.mktemp("reporting"))
    published = publication(two_months.home)
    made = {
        public: making.make_report(store, OPERATOR, published, "monthly", NOW, public, LATER)
        for public in (False, True)
    }
    store.close()
    return made


def test_a_month_s_report_counts_its_alerts_and_the_checklist_as_the_pages_do(
    two_months: TwoMonths, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The run comes after the month's end: its alerts are opened in the month that follows."""
    store, published = open_store(tmp_path_factory.mktemp("worked")), publication(two_months.home)
    catch_up(store, published, LATER)
    report = making.make_report(store, OPERATOR, published, "monthly", NOW, False, LATER)
    with store.read() as con:
        opened = con.execute(select(func.count()).where(alert.c.opened_period == NOW, alert.c.raises_work)).scalar_one()
    assert opened and f"新开需要办理的预警 {opened:,} 件" in text_of(report)
    warehouse = Warehouse(published.run_of(NOW).path)
    page = checklist(warehouse, Scope(), live(store, OPERATOR, asked_of(warehouse), LATER))
    told = next(section for section in report.sections if section.heading == "不漏一户").tables[0].rows
    names = ("members", "covered", "missing", "unknown")
    for row, shown in zip(page.to_dicts(), told, strict=True):
        assert list(shown[1:]) == (["不明"] * 4 if row["no_data"] else [f"{row[name]:,}" for name in names]), shown
    store.close()


def text_of(report: Report) -> str:
    rows = [cell for section in report.sections for table in section.tables for row in table.rows for cell in row]
    return "\n".join(
        [
            report.title,
            *report.told,
            *(s for section in report.sections for s in section.sentences),
            *rows,
            *report.closing,
        ]
    )


def test_sentences_say_what_happened_in_the_files(report: dict[bool, Report]) -> None:
    said = text_of(report[False])
    assert "新增在册 2 人，其中补录（起始日期早于上期）1 人；停保 4 人，其中因死亡 0 人。" in said
    assert "保障金增发 1 户，每月共增 60 元；减发 1 户，每月共减 250 元。" in said
    assert "自然减员 1 人，其中 1 人仍在册，请先核实。" in said and "新发放 2 笔，共 2,000 元" in said
    assert "发放成功 2,000 元" in said and "失败或退回 1 笔" in said
    assert "没有属于本报告期的预警，处置情况不明" in said
    assert "national-2020" in said and "2026年10月" in said


def test_what_is_published_tells_no_small_number_of_people(report: dict[bool, Report]) -> None:
    for section in report[True].sections:
        for sentence in section.sentences:
            assert not re.search(r"(?<![\d,.])[1-4] ?[人户件笔]", sentence), sentence
        for table in section.tables:
            for row in table.rows:
                if section.heading != "数据质量":
                    assert not [cell for cell in row[1:] if cell in ("1", "2", "3", "4")], (table.title, row)
    assert re.search(r"(?<![\d,.])[1-4] 人", text_of(report[False]))
    assert "发放成功 2,000 元" not in text_of(report[True])  # two persons: their money is not told either


def test_nothing_of_any_person_is_in_a_report(report: dict[bool, Report]) -> None:
    feeds = feeds_of_both()[1]
    people = {row[key] for rows in feeds.values() for row in rows for key in ("姓名", "证件号码") if row.get(key)}
    for made in report.values():
        whole = text_of(made) + print_view(made)
        assert not [secret for secret in people if secret in whole]


def test_the_word_file_holds_every_sentence_table_and_picture_in_the_fonts_of_documents(
    report: dict[bool, Report],
) -> None:
    if pictures.chinese_font() is None:
        pytest.fail("the tests need a Chinese font: `make test` installs fonts-noto-cjk")
    made = report[False]
    paper = docx.Document(io.BytesIO(word.write_word(made)))
    lines = "\n".join(line.text for line in paper.paragraphs)
    assert all(s in lines for section in made.sections for s in section.sentences)
    tables = [table for section in made.sections for table in section.tables]
    assert len(paper.tables) == len(tables) and all(
        len(a.rows) == 1 + len(b.rows) for a, b in zip(paper.tables, tables, strict=True)
    )
    drawn = [section for section in made.sections if section.picture and section.picture.bars]
    assert len(paper.inline_shapes) == len(drawn) > 0
    xml = paper.element.xml
    assert (
        all(f'w:eastAsia="{font}"' in xml for font in ("仿宋", "黑体", "宋体"))
        and "PAGE" in paper.sections[0].footer._element.xml
    )


def test_a_server_without_a_chinese_font_says_so_and_gives_tables(
    report: dict[bool, Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "FAMILIES", ("DejaVu Sans", "No Such Font"))
    pictures.chinese_font.cache_clear()
    try:
        assert pictures.chinese_font() is None  # it has no Chinese glyphs
        paper = docx.Document(io.BytesIO(word.write_word(report[False])))
        assert pictures.NO_FONT in "\n".join(line.text for line in paper.paragraphs)
        assert len(paper.inline_shapes) == 0 and len(paper.tables) > 5
    finally:
        pictures.chinese_font.cache_clear()


def test_the_print_view_loads_and_runs_nothing(report: dict[bool, Report]) -> None:
    page = print_view(report[False])
    assert "<script" not in page and "http" not in page and "@page { size: A4" in page
    assert all(section.heading in page for section in report[False].sections)


def test_who_may_have_a_report_and_of_which_places(two_months: TwoMonths, sqlite_store: Store) -> None:
    published = publication(two_months.home)
    town = add_account(sqlite_store, "township_staff", [("乙镇", None)])
    made = making.make_report(sqlite_store, town, published, "monthly", NOW, False, NOON)
    assert made.title.startswith("乙镇") and "甲镇" not in text_of(made)
    assert "停保 0 人" in text_of(made)  # those who ended are of 甲镇
    address = making.offer_report(sqlite_store, town, published, "monthly", NOW, False, Scope(), NOON)
    taken = take(sqlite_store, town, address.removeprefix(ROAD), NOON)
    assert taken.name.endswith("月报.docx") and docx.Document(str(taken.path)).paragraphs[0].text == made.title
    assert made.title in making.print_report(sqlite_store, town, published, "monthly", NOW, False, NOON)
    for role, places in (("village_staff", [("乙镇", "乙西村")]), ("administrator", []), ("auditor", [])):
        with pytest.raises(Denied):
            making.make_report(
                sqlite_store, add_account(sqlite_store, role, places), published, "monthly", NOW, False, NOON
            )
    with pytest.raises(Denied):
        making.print_report(sqlite_store, town, published, "yearly", NOW, False, NOON)
