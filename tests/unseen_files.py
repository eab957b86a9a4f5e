"""Files as a county that was never seen might write them: styles of real headings, none of them an alias of the feeds.

Each file: its name, the feed that it is, and its columns as (heading, standard name or None where no column is meant, values).
Written by hand before the proposals were looked at. Names and numbers are invented.
"""

from __future__ import annotations

from tests.oracle.reading import check_character

Columns = list[tuple[str, str | None, list[str]]]


def number(n: int) -> str:
    first = f"500999{1950 + n:04d}0{n % 9 + 1}1{n % 9}{n:03d}"
    return first + check_character(first)


NAMES = ["周德福", "吴秀英", "郑国强", "冯桂兰"]
NUMBERS = [number(n) for n in (11, 22, 33, 44)]
TOWNS, VILLAGES = ["石桥镇", "石桥镇", "柳林乡", "城关街道"], ["东村", "西村", "河东村", "东门社区"]
DATES = ["2024-03-05", "2023/11/20", "2025年1月8日", "20240630"]

FILES: dict[str, tuple[str, Columns]] = {
    "农村低保在册花名册": ("dibao", [
        ("编号", None, ["1", "2", "3", "4"]), ("低保救助证编号", "certificate", ["NB001", "NB002", "NB003", "NB004"]), ("家庭户主姓名", "head_name", NAMES),
        ("户主公民身份证号码", "head_id_number", NUMBERS), ("保障对象姓名", "name", NAMES), ("保障对象身份证号码", "id_number", NUMBERS),
        ("与户主的关系", "relation", ["户主", "妻", "长子", "户主"]), ("低保种类", "dibao_kind", ["农村低保", "农村", "城市低保", "农村低保"]), ("家庭人均月收入", "income_per_head_month", ["310", "450.5", "520", "0"]),
        ("每月保障金额", "household_amount", ["620", "480", "900", "350"]), ("开始享受时间", "start_date", DATES), ("停止享受时间", "end_date", ["", "", "", "2025-06-01"]),
        ("上次复核时间", "review_date", DATES), ("所在乡镇", "township", TOWNS), ("所在村居", "village", VILLAGES), ("主要致贫原因", "cause", ["因病", "因残", "缺劳力", "因病"]),
    ]),
    "特困供养人员信息表": ("tekun", [
        ("特困人员姓名", "name", NAMES), ("特困人员身份证", "id_number", NUMBERS), ("救助供养方式", "support_form", ["集中", "分散供养", "分散", "集中供养"]),
        ("生活自理等级", "self_care", ["全自理", "半护理", "全护理", "全自理"]), ("所住供养机构", "institution", ["石桥敬老院", "", "", "县福利院"]),
        ("照料护理人姓名", "carer", NAMES), ("每月基本生活费", "basic_amount", ["900", "900", "850", "900"]), ("每月护理费", "care_amount", ["200", "500", "1200", "200"]),
        ("纳入供养时间", "start_date", DATES), ("所属镇乡", "township", TOWNS), ("村委会", "village", VILLAGES),
    ]),
    "残联持证人员": ("disability", [
        ("残疾人姓名", "name", NAMES), ("身份证件号", "id_number", NUMBERS), ("残疾人证号", "certificate", [f"{n}{k}{g}" for n, k, g in zip(NUMBERS, "3641", "1231", strict=True)]),
        ("残疾类型", "disability_kind", ["听力", "精神", "肢体", "视力"]), ("残疾级别", "grade", ["一级", "二级", "三级", "四级"]), ("证件签发日期", "issued_date", DATES),
        ("证件有效期", "valid_until", ["2030-03-05", "2031/1/1", "2029-09-09", "2033-12-31"]), ("残疾证状态", "status", ["有效", "有效", "注销", "正常"]),
        ("监护人姓名", None, ["", "", "冯桂兰", ""]),
    ]),
    "临时救助审批明细": ("temporary_aid", [
        ("被救助人姓名", "name", NAMES), ("被救助人身份证号", "id_number", NUMBERS), ("临时救助类型", "aid_kind", ["急难型", "支出型", "支出型", "急难"]),
        ("致困原因", "hardship", ["重病", "火灾", "子女上学", "意外"]), ("提出申请日期", "applied_date", DATES), ("正式受理日期", "accepted_date", DATES),
        ("审核审批时间", "approved_date", DATES), ("资金发放时间", "paid_date", DATES), ("核定救助金额（元）", "amount", ["3000", "1500", "800.00", "5000"]),
        ("是否先行给予救助", "aid_first", ["是", "否", "否", "是"]), ("乡镇（街道）名称", "township", TOWNS), ("村（居）名称", "village", VILLAGES),
    ]),
    "走访登记": ("visits", [
        ("走访时间", "visited_date", DATES), ("走访干部", "visitor", NAMES), ("农户编号", "household_number", ["QH001", "QH002", "QH003", "QH004"]), ("走访对象", "name", NAMES),
        ("走访对象身份证号", "id_number", NUMBERS), ("走访形式", "visit_mode", ["入户", "电话", "入户", "视频"]), ("走访情况", "finding", ["生活正常", "缺药", "房屋漏雨", "无困难"]),
        ("乡镇名称", "township", TOWNS), ("村名称", "village", VILLAGES),
    ]),
    "医保结算数据": ("medical", [
        ("参保人姓名", "name", NAMES), ("参保人身份证号", "id_number", NUMBERS), ("费用结算时间", "settled_date", DATES), ("就医类别", "care_kind", ["住院", "门诊慢特病", "住院", "门诊"]),
        ("疾病名称", "disease", ["尿毒症", "高血压", "肺癌", "骨折"]), ("是否重大疾病", "major_disease", ["是", "否", "是", "否"]), ("医疗总费用", "total_cost", ["32000.5", "680", "120000", "4500"]),
        ("基本医保报销金额", "basic_insurance_paid", ["18000", "400", "70000", "2500"]), ("大病保险报销金额", "major_insurance_paid", ["3000", "0", "15000", "0"]),
        ("医疗救助支付金额", "medical_aid", ["2000", "0", "8000", "300"]), ("个人自付金额", "self_paid", ["9000.5", "280", "27000", "1700"]),
    ]),
    "在籍学生名单": ("education", [
        ("学生姓名", "name", NAMES), ("学生身份证号", "id_number", NUMBERS), ("就读学段", "stage", ["小学", "初中", "高中", "本科"]), ("就读学校名称", "school", ["石桥小学", "县一中", "县二中", "某大学"]),
        ("在读状态", "school_status", ["在读", "在读", "休学", "毕业"]), ("毕业时间", "graduated_date", ["", "", "", "2025-06-30"]), ("享受资助年度", "aid_year", ["2024", "2024", "2025", "2025"]),
        ("享受资助项目", "aid_item", ["营养餐", "免学费", "助学金", "助学贷款"]), ("享受资助金额（元）", "aid_amount", ["500", "1000", "2000", "8000"]),
    ]),
    "死亡人口推送": ("deaths", [
        ("死者姓名", "name", NAMES), ("死者身份证号码", "id_number", NUMBERS), ("死亡时间", "death_date", DATES), ("死亡登记时间", "registered_date", DATES),
    ]),
    "离校高校毕业生就业帮扶": ("graduates", [
        ("毕业生姓名", "name", NAMES), ("毕业生身份证号", "id_number", NUMBERS), ("毕业时间", "graduated_date", DATES), ("目前就业状况", "employment", ["未就业", "已就业", "升学", "未就业"]),
        ("失业登记时间", "registered_date", DATES),
    ]),
}  # fmt: skip
