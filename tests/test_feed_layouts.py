"""Lists of subsidies and of temporary aid as counties really write them, from `buluo check` and a run to the published rows."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from monitoring.checks import audit
from pipelines.cli import main
from tests.reading_files import cells, workbook
from tests.runs import connect, number, query, run_quietly, small_county, write_feeds

PERIOD = "2026-11"
SUBSIDIES = cells("序号|姓名|身份证号|残疾证号|残疾类别|等级|生活补贴标准|护理补贴标准|发放月份|合计金额|开户行|卡号")
SUMMARY = cells("序号|姓名|身份证号|年龄|性别|家庭人口|家庭住址|类别|联系电话|救助金额|审核日期|救助原因|一卡通账号")
Check = Callable[[Path], tuple[int, str]]


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Check:
    """`buluo check` of one file: its status and what it says."""

    def call(path: Path) -> tuple[int, str]:
        status = main(["check", "--home", str(tmp_path / "nowhere"), str(path)])
        return status, capsys.readouterr().out

    return call


def man(n: int) -> tuple[str, str]:
    """Name and number of a head of household H1nn of the small county."""
    return f"赵{'一二三四五六七八九十百千'[n % 12]}甲", number("19700101", 2 * n + 101)


def line(n: int, living: str, nursing: str, total: str = "", month: str = "2026年11月") -> list[str]:
    name, own = man(n)
    return [str(n), name, own, f"{own}42", "肢体", "二级", living, nursing, month, total, "农商行", f"62{n}"]


def roll() -> list[list[str]]:
    """A roll with its title: rows 3 to 9 are people, row 10 is the total, row 11 the signature."""
    rows = [
        line(1, "100", "80", "180"),
        line(2, "100", "", "100"),
        line(3, "-", "80", "80"),
        line(1, "100", "80", "180"),  # row 3 again
        line(4, "", "0", "180"),
        line(5, "100", "停发", "100"),
        line(1, "100", "90", "190"),  # row 3 with another nursing subsidy
    ]
    blank = [""] * len(SUBSIDIES)
    total = [*blank[:1], "合计", *blank[2:6], "500", "330", "", "830", "", ""]
    return [["2026年11月残疾人两项补贴发放表"], SUBSIDIES, *rows, total, ["填表人：王五", "", "审核人：赵六"]]


def test_check_of_a_roll_of_both_subsidies_counts_the_rows_of_the_file(check: Check, tmp_path: Path):
    status, out = check(workbook(tmp_path / "两项补贴.xlsx", {"发放表": roll()}))
    assert status == 1
    assert "残疾人两项补贴发放（disability_subsidy），表头在第 2 行" in out
    assert "读入 11 行 = 载入 5 + 重复 1 + 隔离 1 + 非数据 4" in out
    assert "第 7 行 隔离：“生活补贴标准”“护理补贴标准”都没有金额，看不出发的是哪一项" in out
    assert "第 8 行 “护理补贴标准”填写的“停发”：不是金额" in out
    assert out.count("第 6 行 与第 3 行完全相同，只载入一次") == 1
    assert "第 9 行" not in out
    assert "第 10 行 不是数据：合计行" in out and "第 11 行 不是数据：签名或说明行" in out
    assert "未识别的列（原样保留）：序号、残疾证号、残疾类别、等级、开户行、卡号" in out


def test_check_of_a_summary_of_temporary_aid_names_what_it_lacks(check: Check, tmp_path: Path):
    row = ["1", *man(1), "56", "男", "3", "甲东村", "支出型", "13900000000", "2000", "2026-11-05", "因病", "62"]
    status, out = check(workbook(tmp_path / "11月.xlsx", {"汇总": [["11月临时救助发放汇总表"], SUMMARY, row]}))
    assert status == 1
    assert "不能使用。这是临时救助发放汇总表，不能当作「临时救助台账」载入，缺少必填的：救助类型、受理日期" in out


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """November with the roll and the summary beside the small county's own files."""
    folder = tmp_path_factory.mktemp("layouts")
    feeds = small_county()
    people = [dict(zip(("姓名", "证件号码"), man(n), strict=True)) for n in range(1, 7)]
    feeds["disability"] = [{**p, "残疾类别": "肢体", "残疾等级": "2", "状态": "有效"} for p in people]
    # the same living subsidy as in row 3 of the roll, in the feed's own shape
    again = {**people[0], "补贴类型": "困难残疾人生活补贴", "发放年月": PERIOD, "金额": "100"}
    paid = {**people[5], "补贴类型": "生活补贴", "发放年月": PERIOD, "金额": "100", "发放状态": "成功"}
    feeds["disability_subsidy"] = [again, paid]
    inbox = write_feeds(feeds, folder / "inbox")
    workbook(inbox / "甲镇.xlsx", {"发放表": roll()})
    row = ["1", *man(1), "56", "男", "3", "甲东村", "支出型", "13900000000", "2000", "2026-11-05", "因病", "62"]
    workbook(inbox / "11月.xlsx", {"汇总": [["11月临时救助发放汇总表"], SUMMARY, row]})
    run_quietly(folder / "home", PERIOD, inbox)
    return folder / "home"


def test_a_run_with_a_roll_of_both_subsidies_balances(home: Path):
    with connect(home, PERIOD) as con:
        assert [check.words for check in audit(con) if not check.ok] == []
    counted = query(
        home, PERIOD,
        """SELECT sheet, layout, rows_read, loaded, duplicate, quarantined, not_data FROM part
           WHERE feed = 'disability_subsidy' ORDER BY sheet""",
    )  # fmt: skip
    assert counted == [("", "", 3, 2, 0, 0, 1), ("发放表", "两项并列", 11, 5, 1, 1, 4)]


def test_each_subsidy_of_a_row_is_a_payment_that_knows_its_file_and_row(home: Path):
    rows = query(
        home, PERIOD,
        """SELECT s."row", subsidy_kind, amount, status, strftime(paid_month, '%Y-%m'), counts FROM std_disability_subsidy s
           JOIN part p USING (delivered, part) WHERE p.sheet = '发放表' ORDER BY 1, 2 DESC""",
    )  # fmt: skip
    assert rows == [  # the living subsidy of row 3 is loaded already from the other file
        (row, kind, Decimal(amount), None, PERIOD, True)
        for row, kind, amount in (
            (3, "护理补贴", 80), (4, "生活补贴", 100), (5, "护理补贴", 80), (8, "生活补贴", 100),
            (9, "护理补贴", 90),
        )
    ]  # fmt: skip
    records = query(
        home, PERIOD, "SELECT person_id, record_key FROM record_snapshot WHERE record = 'disability_subsidy'"
    )
    assert len(records) == len(set(records)) == 7


def test_a_roll_that_does_not_say_whether_it_was_paid_pays_nobody(home: Path):
    paid = query(home, PERIOD, "SELECT number FROM person_snapshot WHERE living_subsidy_paid AND number IS NOT NULL")
    assert paid == [(man(6)[1],)]


def test_a_roll_of_subsidies_leaves_the_register_of_the_disabled_as_it_is(home: Path):
    assert query(home, PERIOD, "SELECT count(*) FROM std_disability WHERE counts") == [(6,)]


def test_a_refused_summary_is_quarantined_as_a_file_and_leaves_aid_unknown(home: Path):
    (reasons,) = query(home, PERIOD, 'SELECT reasons FROM quarantine WHERE "row" IS NULL')
    assert reasons[0].startswith("这是临时救助发放汇总表")
    assert query(home, PERIOD, "SELECT count(*) FROM std_temporary_aid") == [(0,)]
    assert query(home, PERIOD, "SELECT count(aid_grants_12m) FROM person_snapshot") == [(0,)]
    assert query(home, PERIOD, "SELECT count(*) FROM std_care_groups") == [(0,)]


def test_a_county_says_that_its_rolls_are_of_what_was_paid(tmp_path: Path):
    mapping = tmp_path / "home" / "feeds" / "disability_subsidy.toml"
    mapping.parent.mkdir(parents=True)
    mapping.write_text(
        """
[[layout]]
name = "本县发放表"
signs = ["卡号"]
columns = [
  { name = "living", heading = "生活补贴标准", type = "amount", unit = "yuan" },
  { name = "nursing", heading = "护理补贴标准", type = "amount", unit = "yuan" },
]
constants = { status = "成功" }
split = { into = "amount", parts = { living = { subsidy_kind = "生活补贴" }, nursing = { subsidy_kind = "护理补贴" } } }
""",
        encoding="utf-8",
    )
    inbox = write_feeds(small_county(), tmp_path / "inbox")
    rows = [
        [cell for h, cell in zip(SUBSIDIES, row, strict=True) if h != "合计金额"]
        for row in (SUBSIDIES, line(1, "100", "80"))
    ]
    workbook(inbox / "甲镇.xlsx", {"发放表": rows})
    run_quietly(tmp_path / "home", PERIOD, inbox)
    found = query(tmp_path / "home", PERIOD, "SELECT subsidy_kind, status FROM std_disability_subsidy ORDER BY ALL")
    assert found == [("护理补贴", "成功"), ("生活补贴", "成功")]
