"""Below and within the data: what is a total, a signature or a note, and what only looks like one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reading_files import DEATHS, DIBAO, LI, ZHANG, only, rows_of, text, why, workbook, write


def reasons(tmp_path: Path, *rows: list[str], heading: list[str] = DIBAO) -> dict[int, str]:
    return why(only(write(tmp_path / "a.csv", text([heading, *rows], "\t"))))


def padded(*cells: str) -> list[str]:
    return [*cells, *[""] * (len(DIBAO) - len(cells))]


@pytest.mark.parametrize(
    "cells",
    [
        ["合计"], ["小计"], ["总计"], ["本页小计"], ["合 计"], ["合　计："], ["合计：2户3人"], ["累计"], ["城关镇小计"], ["合计", "35人"],
        ["合计", "-", "-", "-", "1350"], ["", "合计", "", "", "1350"], ["1", "合计", "", "", "1350"], ["", "", "", "", "合计"],
        ["共计(户)", "2"], ["总合计", "2"], ["合计人数", "2"], ["*合计*"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_total_row_is_no_data_wherever_it_stands(tmp_path: Path, cells: list[str]):
    assert reasons(tmp_path, ZHANG, padded(*cells), LI, padded(*cells)) == {1: "表头", 3: "合计行", 5: "合计行"}


@pytest.mark.parametrize(
    "cells",
    [
        ["填表人：王五"], ["填表人:王五", "", "审核人：赵六", "", "负责人："], ["制表：王五"], ["审核人（签字）：", "", "", "2026年3月5日"],
        ["单位负责人签字：", "", "", "填表人："], ["注：本表一式三份"], ["备注：无"], ["说明：以上为全部对象"], ["注1、城乡分开填报"],
        ["填报单位：城关镇人民政府", "", "", "2026年3月"], ["单位（盖章）：城关镇"], ["经办人", "", "审核人"], ["联系人：王五", "13800000000"],
        ["打印时间：2026-03-31 10:00"], ["单位：元"], ["填表说明：一户一行"], ["审核：", "", "制表："], ["大写：壹仟贰佰元整"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_signature_or_note_row_is_no_data(tmp_path: Path, cells: list[str]):
    assert reasons(tmp_path, ZHANG, LI, padded(*cells)) == {1: "表头", 4: "签名或说明行"}


@pytest.mark.parametrize(
    "cell", ["第1页", "第 1 页 共 3 页", "共3页", "1/3页", "续表", "（续）", "以下空白", "——以下无正文——"]
)
def test_a_page_row_is_no_data(tmp_path: Path, cell: str):
    assert reasons(tmp_path, ZHANG, padded("", "", cell), LI)[3] == "页码行"


def test_headings_and_titles_repeated_on_each_page_are_no_data(tmp_path: Path):
    title = padded("城关镇2026年3月低保名册")
    rows = [title, DIBAO, ZHANG, padded("小计"), title, DIBAO, LI]
    part = only(write(tmp_path / "a.csv", text(rows)))
    assert why(part) == {1: "标题或说明行", 2: "表头", 4: "合计行", 5: "重复的标题行", 6: "重复的表头"}
    assert rows_of(part, "row", "name") == [(3, "张三"), (7, "李四")]


def test_both_rows_of_a_repeated_double_heading_are_no_data(tmp_path: Path):
    upper, lower = ["救助证编号", "户主", "", "享受起始日期", "姓名"], ["", "姓名", "身份证号", "", ""]
    row = ["DB01", "张大", "510225195001011234", "2026-03-05", "张三"]
    part = only(write(tmp_path / "a.csv", text([upper, lower, row, upper, lower, row])))
    assert why(part) == {1: "表头", 2: "表头", 4: "重复的表头", 5: "重复的表头"}


def test_blank_rows_are_counted_with_their_numbers(tmp_path: Path):
    assert reasons(tmp_path, padded(), ZHANG, padded(" ", "　"), padded(), LI) == {
        1: "表头",
        2: "空行",
        4: "空行",
        5: "空行",
    }


def test_a_closing_sentence_below_the_data_is_no_data(tmp_path: Path):
    assert reasons(tmp_path, ZHANG, LI, padded("以上名单公示七天无异议，同意上报。"))[4] == "签名或说明行"


@pytest.mark.parametrize("name", ["合计", "注：", "制表", "小计", "负责人", "单位", "说明", "姓名", "总计", "第一页"])
def test_a_row_with_its_required_cells_filled_is_data_whatever_it_begins_with(tmp_path: Path, name: str):
    part = only(write(tmp_path / "a.csv", text([DIBAO, ["合计", name, *ZHANG[2:]], ["注：1", name, *LI[2:]]])))
    assert part.frame["row"].to_list() == [2, 3]


@pytest.mark.parametrize(
    "row",
    [
        ["DB03", "注定国", "", "", "650", "城关镇", "东街村"],
        ["", "单于合", "510225198101031232", "2026-03-05", "", "", ""],
        ["DB03", "", "510225198101031232", "2026-03-05", "650", "小计村", "东街村"],
        ["DB03", "审元", "", "", "", "", ""],
        ["DB03", "", "", "", "", "", ""],
        ["", "共计全", "", "", "", "", ""],
        ["", "阿卜杜热合曼江", "", "", "", "", ""],
    ],
)
def test_a_persons_row_with_a_gap_is_data_for_quarantine_and_no_note(tmp_path: Path, row: list[str]):
    part = only(write(tmp_path / "a.csv", text([DIBAO, row, ZHANG, row])))
    assert part.frame["row"].to_list() == [2, 3, 4]


@pytest.mark.parametrize(
    "row", [["填表人：王五", "", "2026-03-31", ""], ["审核人:赵六", "", "2026年3月31日", "2026-04-01"]]
)
def test_a_signature_is_no_person_though_the_day_of_signing_stands_under_a_required_date(
    tmp_path: Path, row: list[str]
):
    person = ["张三", ZHANG[2], "2026-03-05", ""]
    assert reasons(tmp_path, person, row, heading=DEATHS) == {1: "表头", 3: "签名或说明行"}


def test_a_name_with_a_colon_that_opens_no_note_stays_a_person(tmp_path: Path):
    assert reasons(tmp_path, ["张三：长子", ZHANG[2], "2026-03-05", ""], heading=DEATHS) == {1: "表头"}


def test_in_a_feed_with_one_required_column_a_total_in_that_column_is_still_a_total(tmp_path: Path):
    heading = ["户主姓名", "户编号", "住房鉴定等级"]
    assert reasons(tmp_path, ["张三", "H1", "A"], ["合计", "1", ""], ["填表人：王五", "", ""], heading=heading) == {
        1: "表头", 3: "合计行", 4: "签名或说明行",
    }  # fmt: skip


def test_a_note_merged_across_the_table_of_a_workbook_is_no_data(tmp_path: Path):
    rows = [DEATHS, ["张三", "", "2026-03-05", ""], ["城关"], ["李四", "", "2026-03-06", ""]]
    part = only(workbook(tmp_path / "a.xlsx", {"s": rows}, [("s", 2, 0, 2, 3)]))
    assert why(part) == {1: "表头", 3: "签名或说明行"}


def test_the_text_of_what_is_no_data_is_kept(tmp_path: Path):
    part = only(write(tmp_path / "a.csv", text([DIBAO, ZHANG, padded("填表人：王五", "", "审核人：赵六")])))
    assert part.not_data["text"].to_list()[1] == "填表人：王五 | 审核人：赵六"


def test_a_second_table_below_the_first_is_set_aside_with_its_heading_named(tmp_path: Path):
    """Read by the first heading, a graduate's last day of school would be a death."""
    part = only(
        write(
            tmp_path / "两张表.csv",
            "姓名,证件号码,死亡日期,登记日期\n张三,,2026-01-01,\n\n"
            "姓名,证件号码,毕业日期,就业状态\n李四,,2026-06-30,未就业\n合计,1,,\n",
        )
    )
    assert part.frame["row"].to_list() == [2]
    assert why(part) == {1: "表头", 3: "空行", 4: "另一张表的表头", 6: "合计行"}
    assert [
        row
        for row, reason, _ in part.broken.rows()
        if "第 4 行起是另一张表（表头：姓名 | 证件号码 | 毕业日期" in reason
    ] == [5]
    assert part.rows_read == 6


def test_the_same_heading_in_other_words_begins_no_other_table(tmp_path: Path):
    part = only(
        write(
            tmp_path / "分页.csv",
            "姓名,证件号码,死亡日期,序号\n张三,,2026-01-01,1\n名字,身份证号,死亡日期,序号\n李四,,2026-01-02,2\n",
        )
    )
    assert part.frame["row"].to_list() == [2, 4] and why(part) == {1: "表头", 3: "重复的表头"}
