"""The heading row and what it means: aliases, hints, two rows, doubles, and which feed a sheet is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.reading import read_file, targets
from pipelines.reading.target import Match, Target, match_of
from pipelines.reading.two_rows import Cells
from tests.reading_files import DEATHS, DIBAO, LI, ZHANG, cells, feeds, only, read, rows_of, text, why, workbook, write


def part_of(tmp_path: Path, rows: list[list[str]], name: str = "a.csv"):
    return only(write(tmp_path / "a.csv", text(rows, "\t")), name)


def problem_of(tmp_path: Path, rows: list[list[str]], name: str = "a.csv") -> str:
    reading = read(write(tmp_path / "a.csv", text(rows, "\t")), name)
    assert reading.problem is not None
    assert reading.parts[0].feed is None
    return reading.problem


@pytest.mark.parametrize("feed_id", sorted(feeds()))
def test_every_feed_is_recognised_by_its_canonical_headings(tmp_path: Path, feed_id: str):
    columns = list(feeds()[feed_id].columns)
    part = part_of(tmp_path, [[c.heading for c in columns], [f"值{i}" for i in range(len(columns))]], "新建文件.csv")
    assert part.feed == feed_id
    assert part.frame.columns == ["row", *(c.name for c in columns), "extra"]
    assert part.unknown_headings == []


def test_what_a_row_of_headings_means_is_kept_for_the_next_file_with_the_same_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, asked = targets(feeds()), list[tuple[int, ...]]()

    def counted(target: Target, cells: Cells, rows: tuple[int, ...], headings: list[str], hint: str) -> Match | None:
        asked.append(rows)
        return match_of(target, cells, rows, headings, hint)

    monkeypatch.setattr("pipelines.reading.heading.match_of", counted)
    first = write(tmp_path / "a.csv", text([DIBAO, ZHANG]))
    one = read_file(first, feeds(), name="低保.csv", known=known).parts[0]
    alone = asked.count((1,))
    other = read_file(first, feeds(), name="低保.csv", known=known).parts[0]
    assert alone == len(known.targets) == asked.count((1,))
    assert one.feed == other.feed == "dibao" and one.frame.equals(other.frame)
    read_file(first, feeds(), name="另一个名字.csv", known=known)  # the name may decide what a file is
    assert asked.count((1,)) == 2 * alone


@pytest.mark.parametrize("feed_id", sorted(feeds()))
def test_every_feed_is_recognised_by_its_required_columns_under_any_alias(tmp_path: Path, feed_id: str):
    feed = feeds()[feed_id]
    columns = feed.std_columns()
    longest = max(len(columns[name].aliases) for name in feed.required)
    for turn in range(longest + 1):
        headings = [([columns[n].heading, *columns[n].aliases] * 20)[turn] for n in feed.required]
        own = next(c for c in feed.own_columns() if c.name not in feed.required or len(feed.required) > 1)
        rows = (
            [headings, ["值"] * len(headings)] if own.name in feed.required else [[*headings, own.heading], ["值"] * 9]
        )
        reading = read(write(tmp_path / "a.csv", text(rows, "\t")), feed.title)
        assert reading.parts[0].feed == feed_id, (headings, reading.problem)
        assert set(feed.required) <= set(reading.parts[0].frame.columns)


@pytest.mark.parametrize("titles", [1, 2, 3, 20])
def test_title_and_note_rows_may_stand_above_the_heading(tmp_path: Path, titles: int):
    above = [[f"某县低保对象名册 {i}"] for i in range(titles)]
    part = part_of(tmp_path, [*above, DIBAO, ZHANG])
    assert part.heading_rows == (titles + 1,)
    assert rows_of(part, "row", "name") == [(titles + 2, "张三")]
    assert why(part)[titles] == "标题或说明行"


def test_a_title_that_is_spread_by_separators_is_no_upper_heading(tmp_path: Path):
    part = part_of(tmp_path, [["低保名册", *[""] * 6], DIBAO, ZHANG])
    assert part.heading_rows == (2,)


def test_the_heading_is_not_looked_for_far_down(tmp_path: Path):
    assert "没有找到" in problem_of(tmp_path, [*[["说明"]] * 31, DIBAO, ZHANG])


def test_blanks_breaks_full_width_stars_and_hints_in_headings_do_not_matter(tmp_path: Path):
    headings = [
        "救 助 证 编 号 *",
        "姓　名（必填）",
        '"身份证号\n(18位)"',
        "＊享受起始日期",
        "保障金额（元／月）",
        "乡（镇）",
        "村（社区）",
    ]
    part = part_of(tmp_path, [headings, ZHANG])
    assert part.unknown_headings == []
    assert part.frame.drop("row", "extra").row(0) == tuple(ZHANG[i] for i in (1, 2, 5, 6, 0, 4, 3))


def test_unknown_columns_are_kept_with_the_row_and_listed(tmp_path: Path):
    part = part_of(
        tmp_path, [["序号", *DIBAO, "备注", "", "经办"], ["1", *ZHANG, '说"好"\\', "无名", ""], ["2", *LI, " "]]
    )
    assert part.unknown_headings == ["序号", "备注", "第J列", "经办"]
    assert json.loads(part.frame["extra"][0]) == {"序号": "1", "备注": '说"好"\\', "第J列": "无名"}
    assert json.loads(part.frame["extra"][1]) == {"序号": "2"}


def test_of_the_same_heading_twice_the_first_counts_and_the_other_is_kept_with_a_suffix(tmp_path: Path):
    part = part_of(
        tmp_path, [[*DEATHS, "死亡日期", "死亡日期"], ["张三", "", "2026-03-05", "", "2020-01-01", "2021-01-01"]]
    )
    assert part.frame["death_date"].to_list() == ["2026-03-05"]
    assert part.unknown_headings == ["死亡日期_2", "死亡日期_3"]
    assert json.loads(part.frame["extra"][0]) == {"死亡日期_2": "2020-01-01", "死亡日期_3": "2021-01-01"}


def test_of_several_headings_for_one_column_the_canonical_comes_first_then_the_alias_order(tmp_path: Path):
    headings = ["起始日期", "最初享受月", "批准日期"]
    row = ["2026-01-01", "202602", "2026-03-03"]
    part = part_of(tmp_path, [[*headings, "享受起始日期", "姓名", "低保证号"], [*row, "2026-04-04", "张三", "DB01"]])
    assert part.frame["start_date"].to_list() == ["2026-04-04"]
    part = part_of(tmp_path, [[*headings[1:], "姓名", "低保证号"], [*row[1:], "张三", "DB01"]])
    assert part.frame["start_date"].to_list() == ["2026-03-03"]
    assert part.unknown_headings == ["最初享受月"]


def test_the_first_filled_of_several_headings_counts_row_by_row(tmp_path: Path):
    headings = ["户编号", "姓名", "户类型", "监测对象类别"]
    rows = [["H1", "张三", "脱贫户", ""], ["H2", "李四", "脱贫户", "脱贫不稳定户"], ["H3", "王五", "脱贫户", "-"]]
    part = part_of(tmp_path, [headings, *rows])
    assert part.frame["household_kind"].to_list() == ["脱贫户", "脱贫不稳定户", "脱贫户"]
    assert part.unknown_headings == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [("是", "否"), ("否", "是"), ("1", "否"), ("0", "是"), ("Ｙ", "否"), ("√", "否"), ("有", "否"), ("无", "是"), ("", None),
     (" ", None), ("C级", "是否危房户：C级")],
)  # fmt: skip
def test_the_opposite_question_gives_the_opposite_answer(tmp_path: Path, written: str, meant: str | None):
    part = part_of(tmp_path, [["户编号", "姓名", "户类型", "是否危房户"], ["H1", "张三", "脱贫户", written]])
    assert part.frame["dwelling_safe"].to_list() == [meant]


def test_the_straight_question_wins_over_the_opposite_one(tmp_path: Path):
    part = part_of(
        tmp_path, [["户编号", "姓名", "户类型", "危房户", "住房是否安全"], ["H1", "张三", "脱贫户", "否", "否"]]
    )
    assert part.frame["dwelling_safe"].to_list() == ["否"]
    assert part.unknown_headings == ["危房户"]


def test_ten_thousands_in_a_heading_are_recorded(tmp_path: Path):
    part = part_of(tmp_path, [["姓名", "状态", "注册资本（万元）"], ["张三", "存续", "5"]])
    assert part.scale == {"capital": 10_000}
    assert part.frame["capital"].to_list() == ["5"]
    assert part_of(tmp_path, [["姓名", "状态", "注册资本(元)"], ["张三", "存续", "5"]]).scale == {}


def test_ten_thousands_in_a_note_above_hold_for_every_amount_that_does_not_say_yuan(tmp_path: Path):
    headings = ["户主身份证号", "核对日期", "工资性收入", "金融资产（元）"]
    part = part_of(tmp_path, [["", "", "单位： 万元"], headings, ["510225198101031232", "2026-03-05", "1.2", "5"]])
    assert part.scale == {"wage": 10_000}


# two rows of headings


def test_a_heading_over_two_rows_carries_the_upper_one_to_the_right(tmp_path: Path):
    upper = ["救助证编号", "户主", "", "保障对象", "", "享受起始日期", "户月保障金额"]
    lower = ["", "姓名", "身份证号", "姓名", "身份证号", "", ""]
    row = ["DB01", "张大", "510225195001011234", "张三", "510225198101031232", "2026-03-05", "650"]
    part = part_of(tmp_path, [["名册"], upper, lower, row])
    assert part.heading_rows == (2, 3)
    assert part.frame.drop("row", "extra").row(0, named=True) == {
        "name": "张三", "id_number": "510225198101031232", "head_name": "张大", "head_id_number": "510225195001011234",
        "certificate": "DB01", "household_amount": "650", "start_date": "2026-03-05",
    }  # fmt: skip


def test_the_signing_roll_with_its_two_rows_is_dibao_by_household(tmp_path: Path):
    upper = [
        "序号",
        "户主姓名",
        "低保证号",
        "身份证号码",
        "保障人数",
        "",
        "",
        "领取金额",
        "",
        "",
        "领款人签字(章)",
        "领款时间",
    ]
    lower = ["", "", "", "", "", "重点保障人数", "残疾人数", "", "家庭补差", "重点救助60元", "", ""]
    rows = [
        ["1", "张三", "DB01", "510225198101031232", "3", "1", "0", "650", "590", "60", "", ""],
        ["", "合计", "", "", "3"],
    ]
    part = part_of(tmp_path, [["2026年3月最低生活保障金发放名册"], upper, lower, *rows], "某镇/城保名册.xls")
    assert (part.feed, part.layout, part.heading_rows) == ("dibao", "签领名册", (2, 3))
    assert part.frame.drop("row", "extra").row(0, named=True) == {
        "name": "张三", "id_number": "510225198101031232", "head_name": "张三", "head_id_number": "510225198101031232",
        "relation": "户主", "certificate": "DB01", "dibao_kind": "城市低保", "household_amount": "650",
    }  # fmt: skip
    assert json.loads(part.frame["extra"][0])["领取金额/重点救助60元"] == "60"
    assert why(part) == {1: "标题或说明行", 2: "表头", 3: "表头", 5: "合计行"}
    assert part_of(tmp_path, [upper, lower, *rows], "农保名册.xls").frame["dibao_kind"].to_list() == ["农村低保"]


def test_a_row_of_hints_under_the_heading_belongs_to_it(tmp_path: Path):
    part = part_of(tmp_path, [DIBAO, ["（必填）", "（必填）", "（18位）", "", "（元）", "", ""], ZHANG])
    assert part.frame["row"].to_list() == [3]


@pytest.mark.parametrize(
    "row",
    [
        ["张三", "", "死亡日期", ""],
        ["张三", "身份证号", "", ""],
        ["", "", "医疗救助", ""],
        ["户主", "", "", "登记日期"],
        ["张三", "510225198101031232", "2026-03-05", ""],
    ],
)
def test_a_row_of_data_is_never_taken_for_a_second_row_of_headings(tmp_path: Path, row: list[str]):
    part = part_of(tmp_path, [DEATHS, row, ["李四", "", "2026-04-01", ""]])
    assert part.heading_rows == (1,)
    assert 2 in part.frame["row"].to_list()


def test_a_data_row_whose_value_is_another_feeds_heading_stays_data(tmp_path: Path):
    part = part_of(
        tmp_path, [["姓名", "结算日期", "医疗类别", "", "备注"], ["张三", "2026-03-05", "医疗救助", "病种", ""]]
    )
    assert part.heading_rows == (1,)
    assert part.frame["care_kind"].to_list() == ["医疗救助"]


def test_merged_upper_headings_of_a_workbook_reach_as_far_as_they_are_merged(tmp_path: Path):
    upper = ["救助证编号", "户主", "", "备注", "享受起始日期", "姓名"]
    lower = ["", "姓名", "身份证号", "", "", ""]
    row = ["DB01", "张大", "510225195001011234", "x", "2026-03-05", "张三"]
    merges = [("s", 0, 1, 0, 2), ("s", 0, 0, 1, 0), ("s", 0, 5, 1, 5)]
    part = only(workbook(tmp_path / "a.xlsx", {"s": [upper, lower, row]}, merges))
    assert part.heading_rows == (1, 2)
    assert rows_of(part, "name", "head_name", "head_id_number") == [("张三", "张大", "510225195001011234")]


# which feed it is


def test_a_feed_is_recognised_by_its_headings_not_by_its_name(tmp_path: Path):
    assert part_of(tmp_path, [DIBAO, ZHANG], "死亡登记.csv").feed == "dibao"


def test_the_reason_names_the_nearest_feed_and_what_it_lacks(tmp_path: Path):
    words = problem_of(tmp_path, [["救助证编号", "姓名", "户月保障金额", "保障方式"], ["DB01", "张三", "1", "整户"]])
    assert words.startswith("最接近「最低生活保障对象台账」，缺少：享受起始日期")


@pytest.mark.parametrize(
    ("day", "feed"),
    [("受灾日期", "disasters"), ("核对日期", "income"), ("鉴定日期", "housing")],
)
def test_a_household_number_more_makes_no_file_another_feed(tmp_path: Path, day: str, feed: str):
    """Housing has a 户编号 of its own: beside what only one feed has, it says nothing."""
    path = write(
        tmp_path / "a.csv", f"户编号,户主姓名,户主证件号码,{day},乡镇,村\nH1,张三,,2026-11-01,甲,乙\n".encode()
    )
    part = only(path)
    assert part.feed == feed and part.unknown_headings == ([] if feed == "housing" else ["户编号"])


def test_shared_columns_alone_make_no_feed(tmp_path: Path):
    assert "没有找到" in problem_of(tmp_path, [["户主姓名", "户主证件号码", "联系电话"], ["张三", "", ""]])


def test_a_tie_is_broken_by_the_name_of_the_file_or_else_reported(tmp_path: Path):
    rows = [
        ["姓名", "证件号码", "项目", "发放年月", "补贴类型", "发放状态"],
        ["张三", "", "低保", "202603", "生活补贴", "成功"],
    ]
    words = problem_of(tmp_path, rows)
    assert "「资金发放明细」" in words and "「残疾人两项补贴发放」" in words and "文件名" in words
    assert part_of(tmp_path, rows, "2026年3月残疾人两项补贴.csv").feed == "disability_subsidy"
    assert part_of(tmp_path, rows, "财政/资金发放明细.csv").feed == "payments"


# the shapes that real exports have

HLJ_PERSON = cells(
    "姓名|身份证号|户主身份证号|与户主关系|性别|出生日期|年龄|民族|婚姻状况|年收入（元）|是否残疾人|残疾证号|劳动能力|健康状况|最初享受月份"
    "|救助类型|户月保障金额（元）|合计（元）|分档类型|备注|所属省|所属市|所属区|所属街|所属社|家庭地址|低保（特困）证号"
)
HLJ_FAMILY = cells(
    "户主姓名|户主身份证号|家庭人口数|保障人口|家庭年总收入（元）|户月保障金额（元）|合计（元）|联系电话|家庭住址|所属区县|所属街道|所属社区"
    "|低保（特困）证号|最初享受月|申请原因|分档类型|银行帐号|家庭成员姓名|家庭成员身份证号"
)
EDGE_PERSON = cells(
    "所属区划|家庭地址|姓名|身份证号|与户主关系|户主身份证号|性别|月收入|是否属脱贫享受政策人口|纳入月份"
)
EDGE_FAMILY = cells(
    "户主姓名|户主身份证号|保障人口数|申请原因|联系电话|所属街道|纳入月份|家庭成员姓名|家庭成员身份证号"
)
TEKUN_FAMILY = cells(
    "户主姓名|户主身份证号|家庭人口|特困人员数|供养方式|户籍类型|基本生活总费用（元）|照料护理总费用（元）|低保（特困）证号|联系电话|所属街道"
    "|最初享受月份|家庭成员姓名|家庭成员身份证号"
)
TEKUN_PERSON = [
    *HLJ_PERSON,
    *cells("生活自理能力|照料人姓名|照料人身份证号|供养方式|供养机构|基本生活标准（元）|照料护理费用（元）"),
]


SUBSIDIES = cells("姓名|身份证号|残疾证号|残疾类别|等级|生活补贴标准|护理补贴标准|发放月份|合计金额|开户行|卡号|备注")
AID_SUMMARY = cells(
    "序号|姓名|身份证号|年龄|性别|家庭人口|家庭住址|类别|联系电话|救助金额|审核日期|救助原因|自付金额|一卡通账号"
)


@pytest.mark.parametrize(
    ("headings", "name", "feed", "layout", "given"),
    [
        (HLJ_PERSON, "农村低保人员查询_20260301.xlsx", "dibao", "", {}),
        ([h for h in HLJ_PERSON if h != "救助类型"], "农村低保人员查询_1.xlsx", "dibao", "人员查询", {"dibao_kind": "农村低保"}),
        (HLJ_FAMILY, "城市低保家庭查询_1.xlsx", "dibao", "家庭查询", {"dibao_kind": "城市低保"}),
        (TEKUN_PERSON, "特困人员人员查询_1.xlsx", "tekun", "", {}),
        (TEKUN_FAMILY, "特困人员家庭查询_1.xlsx", "tekun", "家庭查询", {}),
        (EDGE_PERSON, "低保边缘人员查询_1.xlsx", "low_income", "人员查询", {"category": "低保边缘家庭"}),
        (EDGE_FAMILY, "低保边缘家庭查询_1.xlsx", "low_income", "家庭查询", {"category": "低保边缘家庭"}),
        ([*EDGE_FAMILY[:-3], *cells("有效期起|有效期止|家庭成员姓名|家庭成员身份证号")], "刚性支出家庭查询_1.xlsx", "low_income",
         "家庭查询", {"category": "刚性支出困难家庭"}),
        (cells("地区|户主姓名|身份证号|低保证号|起始保障年月|开户银行|账户名称|银行账号|账号状态"), "a.xls", "dibao", "银行账户清单",
         {"relation": "户主"}),
        (cells("工单编号|来电时间|来电人|电话|诉求类别|诉求内容|承办单位|办理时限|办结时间|满意度"), "a.xls", "clues", "12345工单",
         {"channel": "12345热线"}),
        (cells("姓名|身份证号|监护人|父母务工地|帮扶人|最近探访日期"), "农村留守儿童名单.xls", "care_groups", "分类名单",
         {"category": "留守儿童"}),
        (cells("姓名|身份证号|走失时间|地点|联系人|特征"), "a.xls", "care_groups", "走失人员名单", {"category": "易流浪走失人员"}),
        (cells("姓名|性别|民族|身份证号|残疾证号(20位)|残疾类别|残疾等级|首次发证日期|有效期止|证件状态|户籍地址|监护人|联系电话"),
         "a.xls", "disability", "", {}),
        (cells("姓名|身份证号|学籍号|学校|学段|年级|学籍状态|资助项目|学期|金额"), "a.xls", "education", "", {}),
        (cells("姓名|身份证号|参保类型|参保状态|缴费单位|缴费基数|待遇领取状态|月养老金|开始领取日期"), "a.xls", "social_insurance", "", {}),
        (cells("户主姓名|户主身份证|灾种|受灾时间|倒房间数|严重损坏间数|受灾人口|是否需过渡救助"), "a.xls", "disasters", "", {}),
        (cells("户主姓名|身份证号|灾种|受灾时间|倒房间数|严重损坏间数|受灾人口|是否需过渡救助"), "a.xls", "disasters", "户主登记", {}),
        (SUBSIDIES, "a.xls", "disability_subsidy", "两项并列", {}),
        (cells("姓名|身份证号|救助类别(急难型/支出型)|受理日期|审批日期|发放日期|是否先行救助|备用金支付"), "a.xls", "temporary_aid", "", {}),
        (cells("工单编号|来电时间|来电人|电话|诉求类别|诉求内容|承办单位|办理时限|办结时间|满意度"), "信访事项.xls", "clues", "12345工单",
         {"channel": "信访"}),
        (cells("姓名|身份证号|帮扶人|最近探访日期"), "留守老人名单.xls", "care_groups", "分类名单", {"category": "留守老人"}),
        (cells("姓名|身份证号|单位|职务|所在镇|对象姓名|对象身份证号|关系|救助类型|月保障金|起始时间"), "a.xls", "officials", "工作人员和对象",
         {"official_name": "值0", "name": "值5"}),
        (cells("工作人员姓名|工作人员身份证号|单位|职务|所在镇|救助对象姓名|救助对象身份证号|关系|救助类型|月保障金"), "a.xls", "officials", "",
         {"official_name": "值0", "name": "值5"}),
        (cells("县|乡|村|户编号|户主姓名|户主证件号码|是否危房户|是否解决安全饮用水|是否有卫生厕所"), "（乡村建设）户信息_20231218.xlsx", "housing", "",
         {"water_safe": "值7"}),
        (cells("县(市、区、旗)|乡(镇)|行政村|自然村|户编号|人编号|姓名|证件号码|人数|与户主关系|民族|健康状况|劳动技能|务工时间（月）|脱贫属性|主要致贫原因"
         "|危房户|饮水安全|饮水困难|人均纯收入|联系电话"), "a.xls", "monitored", "", {}),
        (cells("所属年份|户编号|身份证号|户主姓名|户主身份证号码|与户主关系|家庭成员|户类型|监测对象类型|风险是否消除"), "a.xls", "monitored",
         "", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_real_exports_are_recognised(
    tmp_path: Path, headings: list[str], name: str, feed: str, layout: str, given: dict[str, str]
):
    part = part_of(tmp_path, [headings, [f"值{i}" for i in range(len(headings))]], name)
    assert (part.feed, part.layout) == (feed, layout)
    assert {key: part.frame[key][0] for key in given} == given


def test_the_members_of_a_family_file_come_as_lists(tmp_path: Path):
    part = part_of(tmp_path, [HLJ_FAMILY, [f"值{i};甲" for i in range(len(HLJ_FAMILY))]], "农村低保家庭查询_1.xlsx")
    assert feeds()["dibao"].layout(part.layout).kind == "family"
    assert rows_of(part, "head_name", "head_id_number", "certificate", "members_names", "members_ids") == [
        ("值0;甲", "值1;甲", "值12;甲", "值17;甲", "值18;甲")
    ]
    assert "name" not in part.frame.columns


def test_a_list_that_only_its_name_could_place_says_so(tmp_path: Path):
    words = problem_of(tmp_path, [EDGE_PERSON, ["值"] * len(EDGE_PERSON)], "查询_1.xlsx")
    assert "缺少：类别" in words and "低保边缘、刚性支出" in words


def test_a_constant_fills_only_what_the_file_leaves_blank(tmp_path: Path):
    rows = [["户主姓名", "低保证号", "低保类型"], ["张三", "DB01", "城市"], ["李四", "DB02", ""]]
    assert part_of(tmp_path, rows, "农保名册.csv").frame["dibao_kind"].to_list() == ["城市", "农村低保"]


def test_the_wide_monitoring_export_has_its_heading_in_row_3_and_shows_ordinary_households(tmp_path: Path):
    headings = cells(
        "县|乡|村|户编号|人编号|户类型|监测对象类别|姓名|证件类型|证件号码|性别|民族|出生日期|与户主关系|健康状况|享受低保政策情况|风险是否已消除"
        "|识别监测时间|消除监测时间|致贫/返贫风险1|致贫/返贫风险2|合规自付支出|人均纯收入（元）|工资性收入|转移性收入|生产经营性收入|是否危房户"
        "|是否解决安全饮用水|是否参加城乡居民基本医疗保险|户联系电话|家庭成员联系电话|风险是否已消除"
    )
    base = dict.fromkeys(headings, "") | {"户编号": "H1", "姓名": "张三", "是否危房户": "否", "户类型": "普通农户"}
    people = [
        base | {"监测对象类别": "边缘易致贫户", "风险是否已消除": "否"},
        base | {"姓名": "李四", "户类型": "脱贫户"},
        base | {"姓名": "王五"},
    ]
    rows = [["监测对象信息"], ["导出时间", "2026-03-31"], headings, *[list(p.values()) for p in people]]
    part = part_of(tmp_path, rows)
    assert (part.feed, part.heading_rows) == ("monitored", (3,))
    assert rows_of(part, "name", "household_kind", "dwelling_safe") == [
        ("张三", "边缘易致贫户", "是"),
        ("李四", "脱贫户", "是"),
    ]
    assert why(part)[6] == "普通农户：不属于「防止返贫监测与脱贫户信息」的对象"
    assert "风险是否已消除_2" in part.unknown_headings
    assert part.headings["phone"] == "家庭成员联系电话"


# lists about the same people that must not be taken for each other


@pytest.mark.parametrize(
    "headings",
    [
        SUBSIDIES,
        [h for h in SUBSIDIES if h not in ("合计金额", "卡号")],
        [h for h in SUBSIDIES if h != "生活补贴标准"],
        cells("序号|姓名|身份证号|困难残疾人生活补贴（元/月）|重度残疾人护理补贴（元/月）|发放年月"),
        cells("姓名|身份证号|残疾等级|生活补贴|护理补贴|合计|发放年月|发放状态|乡镇|村"),
    ],
    ids="|".join,
)
def test_a_list_of_both_subsidies_is_no_register_of_the_disabled(tmp_path: Path, headings: list[str]):
    part = part_of(tmp_path, [headings, [f"值{i}" for i in range(len(headings))]], "残疾人.csv")
    assert (part.feed, part.layout) == ("disability_subsidy", "两项并列")
    assert "amount" not in part.frame.columns and "nursing_amount" in part.frame.columns


def test_both_subsidies_under_a_merged_heading_are_told_apart(tmp_path: Path):
    upper = ["姓名", "身份证号", "残疾证号", "发放年月", "补贴金额", "", ""]
    lower = ["", "", "", "", "生活补贴", "护理补贴", "合计"]
    rows = [
        ["张三", "510225198101031232", "5102", "202603", "100", "80", "180"],
        ["", "合计", "", "", "100", "80", "180"],
    ]
    part = part_of(tmp_path, [["2026年3月残疾人两项补贴发放花名册"], upper, lower, *rows])
    assert (part.layout, part.heading_rows) == ("两项并列", (2, 3))
    assert rows_of(part, "living_amount", "nursing_amount", "total_amount") == [("100", "80", "180")]
    assert why(part) == {1: "标题或说明行", 2: "表头", 3: "表头", 5: "合计行"}


def test_a_list_with_a_kind_of_subsidy_is_one_payment_a_row(tmp_path: Path):
    headings = cells("姓名|身份证号|残疾证号|残疾类别|残疾等级|生活补贴标准|护理补贴标准|补贴类型|发放月份|金额")
    part = part_of(tmp_path, [headings, ["值"] * len(headings)])
    assert (part.feed, part.layout) == ("disability_subsidy", "")
    assert {"生活补贴标准", "护理补贴标准"} <= set(part.unknown_headings)


@pytest.mark.parametrize(
    ("headings", "lacks"),
    [
        ([h for h in SUBSIDIES if h != "发放月份"], "发放年月"),
        (cells("姓名|身份证号|残疾类别|残疾等级|困难残疾人生活补贴|重度残疾人护理补贴|合计"), "发放年月"),
        (cells("姓名|身份证号|生活补贴|护理补贴|发放年月"), "残疾证号"),
    ],
)
def test_a_list_of_subsidies_that_lacks_something_says_what(tmp_path: Path, headings: list[str], lacks: str):
    words = problem_of(tmp_path, [headings, ["值"] * len(headings)])
    assert words.startswith(f"最接近「残疾人两项补贴发放」，缺少：{lacks}；")


def test_a_subsidy_of_pupils_is_no_subsidy_of_the_disabled(tmp_path: Path):
    headings = cells("姓名|身份证号|学段|学籍状态|生活补贴|发放年月")
    assert part_of(tmp_path, [headings, ["值"] * len(headings)]).feed == "education"


def test_a_register_of_the_disabled_with_a_column_of_subsidies_is_said_to_be_another_list(tmp_path: Path):
    headings = cells("姓名|身份证号|残疾类别|残疾等级|补贴类型")
    words = problem_of(tmp_path, [headings, ["值"] * len(headings)])
    assert words.startswith("最接近「残疾人两项补贴发放」，缺少：发放年月；")


@pytest.mark.parametrize("headings", [AID_SUMMARY, cells("姓名|身份证号|类别|救助金额|审批日期")], ids="|".join)
def test_the_summary_of_temporary_aid_is_known_and_refused_for_want_of_the_required_columns(
    tmp_path: Path, headings: list[str]
):
    rows = [["3月临时救助发放汇总表"], headings, [f"值{i}" for i in range(len(headings))]]
    words = problem_of(tmp_path, rows)
    assert words.startswith("这是临时救助发放汇总表，不能当作「临时救助台账」载入，缺少必填的：救助类型、受理日期；")
    assert "审批日期不能代替受理日期" in words


def test_a_summary_of_temporary_aid_with_the_required_columns_is_loaded(tmp_path: Path):
    headings = [*AID_SUMMARY, "救助类型", "受理日期"]
    part = part_of(tmp_path, [headings, [f"值{i}" for i in range(len(headings))]])
    assert (part.feed, part.layout) == ("temporary_aid", "")
    assert part.headings["approved_date"] == "审核日期" and part.headings["hardship"] == "救助原因"


def test_a_summary_of_temporary_aid_without_its_date_is_no_care_group(tmp_path: Path):
    headings = cells("姓名|身份证号|性别|联系电话|类别|救助金额|救助原因")
    assert "最接近「临时救助台账」" in problem_of(tmp_path, [headings, ["值"] * len(headings)])


@pytest.mark.parametrize(
    ("headings", "words"),
    [
        (cells("县|乡|村|户编号|人编号|户类型|监测对象类别|姓名|证件号码|与户主关系|是否已务工|务工所在县|务工企业名称|开始时间"), "已外出务工信息"),
        (cells("县|乡|村|姓名|证件号码|是否已务工|务工所在县"), "已外出务工信息"),
        (cells("县|乡|村|户编号|户主姓名|户类型|姓名|证件号码|与户主关系|是否计划务工|计划务工所在县|就业服务需求"), "计划外出务工信息"),
    ],
    ids=["work", "work of no household", "plan"],
)  # fmt: skip
def test_a_list_of_workers_never_replaces_the_monitored_or_the_registry(
    tmp_path: Path, headings: list[str], words: str
):
    rows = [["务工监测"], ["导出时间"], headings, [f"值{i}" for i in range(len(headings))]]
    assert problem_of(tmp_path, rows).startswith(f"这是{words}，")


def test_the_monitoring_export_that_shows_work_too_is_loaded(tmp_path: Path):
    headings = cells("户编号|姓名|户类型|监测对象类别|识别监测时间|是否已务工|务工所在县|务工企业名称")
    assert part_of(tmp_path, [headings, ["值"] * len(headings)]).feed == "monitored"


def test_left_behind_children_are_no_visits_even_where_no_name_says_who_they_are(tmp_path: Path):
    headings = cells("姓名|身份证号|监护人|父母务工地|帮扶人|最近探访日期")
    words = problem_of(tmp_path, [headings, ["值"] * len(headings)])
    assert "缺少：类别" in words and "留守儿童" in words


def test_what_only_speaks_for_a_layout_is_kept_as_an_unknown_column(tmp_path: Path):
    rows = [cells("姓名|身份证号|帮扶人|最近探访日期"), ["张三", "", "李四", "2026-03-05"]]
    part = part_of(tmp_path, rows, "留守老人名单.csv")
    assert part.unknown_headings == ["帮扶人", "最近探访日期"]
    assert json.loads(part.frame["extra"][0]) == {"帮扶人": "李四", "最近探访日期": "2026-03-05"}


def test_the_official_and_the_relative_under_merged_headings_are_told_apart(tmp_path: Path):
    upper = ["工作人员", "", "", "救助对象", "", ""]
    lower = ["姓名", "身份证号", "职务", "姓名", "身份证号", "关系"]
    row = ["王五", "510225198101031232", "主任", "王六", "510225197512120019", "兄弟"]
    part = part_of(tmp_path, [upper, lower, row])
    assert part.frame.drop("row", "extra").row(0, named=True) == {
        "official_name": "王五", "official_id_number": "510225198101031232", "position": "主任",
        "name": "王六", "id_number": "510225197512120019", "kinship": "兄弟",
    }  # fmt: skip
