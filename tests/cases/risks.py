"""Risks: who may fall into or back into poverty."""

from __future__ import annotations

from tests.cases.building import STANDARDS, County


def tell(c: County) -> None:
    income(c)
    illness(c)
    disability(c)
    deaths_and_work(c)
    disasters(c)
    dropouts(c)
    dwellings(c)
    potential_and_shared(c)


def income(c: County) -> None:
    for year in (5999.99, 6000, 7999.99, 8000, 8799.99, 8800):
        h = c.house(f"{year} by the list").monitored(人均纯收入=str(year))
        h.says("RISK-INCOME-LINE", lambda p, x=year: x < p.line, level="orange")
    c.house("600 a month by a check").monitored().check(600).says("RISK-INCOME-LINE", lambda p: p.line > 7200)
    c.house("the list before the check").monitored(人均纯收入="9999").check(100).says("RISK-INCOME-LINE", "clear")
    c.house("low, on dibao").monitored(人均纯收入="100").dibao().says("RISK-INCOME-LINE", "clear")
    c.house("low, not listed").check(100).says("RISK-INCOME-LINE", "clear")
    c.house("listed, income unknown").monitored().says("RISK-INCOME-LINE", "unknown")
    c.house("the smallest of the latest rows", "1981-05-05", "1982-06-06").monitored(人均纯收入="9999")
    for before, now, day, outcome in (
        (1000, 700, "2025-06-06", "hit"), (1000, 700.01, "2025-06-06", "clear"), (1000, 700, "2024-12-01", "hit"),
        (1000, 700, "2024-11-30", "unknown"), (0, 0, "2025-06-06", "clear"), (1000, 2000, "2025-06-06", "clear"),
    ):  # fmt: skip
        h = c.house(f"{before} on {day}, now {now}").check(before, day).check(now)
        h.says("RISK-INCOME-DROP", outcome, level="orange")
    c.house("one check only").check(500).says("RISK-INCOME-DROP", "unknown")


def illness(c: County) -> None:
    for paid, outcome in (("10000", True), ("9999.99", False)):
        h = c.house(f"{paid} paid for illness").check(1000).ill(paid).says("RISK-MEDICAL", outcome, level="orange")
    for line in STANDARDS:
        for over in (0, -0.01):
            h = c.house(f"three times {line} left {over}").check(round((10000 + 36 * line) / 12, 4) + over).ill("10000")
            left = (round((round((10000 + 36 * line) / 12, 4) + over) * 12, 2) - 10000) / 12
            h.says("RISK-MEDICAL", lambda p, x=left: round(x, 6) < 3 * p.standard)
    c.house("paid for illness, income unknown").ill("10000").says("RISK-MEDICAL", "hit")
    c.house("by the check").check(1000, 医疗自付支出="10000").says("RISK-MEDICAL", "hit")
    c.house("settlements before the check").check(1000, 医疗自付支出="10000").ill("10").says("RISK-MEDICAL", "clear")
    h = c.house("by the monitoring list").monitored(合规自付支出="10000", 人均纯收入="9000").says("RISK-MEDICAL", "hit")
    h = c.house("of a member who died in the window", "1981-05-05", "1982-06-06")
    h.ill("10000", who=h.members[1]).died(h.members[1], "2026-06-06").check(1000).says("RISK-MEDICAL", "hit")
    h = c.house("of a member who died before it", "1981-05-05", "1982-06-06")
    h.ill("10000", who=h.members[1]).died(h.members[1], "2025-11-30").check(1000).says("RISK-MEDICAL", "clear")


def disability(c: County) -> None:
    for kind, grade, issued, outcome in (
        ("肢体", 2, "2025-12-01", "hit"), ("肢体", 2, "2025-11-30", "clear"), ("肢体", 3, "2026-05-05", "clear"), ("肢体", 2, "2026-12-01", "clear"),
        ("肢体", 2, "", "clear"),
    ):  # fmt: skip
        h = c.house(f"{kind} {grade} of {issued}").check(5000).disabled(kind=kind, grade=str(grade), 发证日期=issued)
        h.says("RISK-NEW-DISABILITY", outcome, h.head, level="orange")
    h = c.house("智力 3").check(5000).disabled(kind="智力", grade="3", 发证日期="2026-05-05")
    h.says("RISK-NEW-DISABILITY", lambda p: 3 in p.extra_grades, h.head)
    for old, outcome in (("1", "clear"), ("2", "clear"), ("3", "hit")):
        h = c.house(f"grade 2 after {old}").check(5000).disabled(grade="2", 发证日期="2026-05-05")
        h.disabled(grade=old, 状态="过期").says("RISK-NEW-DISABILITY", outcome, h.head)


def deaths_and_work(c: County) -> None:
    for born, day, labour, outcome in (
        ("1986-06-06", "2025-12-01", "普通劳动力", "hit"), ("1986-06-06", "2025-11-30", "普通劳动力", "clear"),
        ("1966-06-06", "2026-06-06", "普通劳动力", "clear"), ("1966-06-07", "2026-06-06", "普通劳动力", "hit"),
        ("2008-06-06", "2026-06-06", "普通劳动力", "hit"), ("2008-06-07", "2026-06-06", "普通劳动力", "clear"),
        ("1986-06-06", "2026-06-06", "无劳动力", "clear"), ("1986-06-06", "2026-06-06", "", "unknown"),
        ("1986-06-06", "2026-12-01", "普通劳动力", "clear"),
    ):  # fmt: skip
        h = c.house(f"born {born}, {labour or 'labour not said'}, died {day}", "1981-05-05").check(5000)
        h.died(h.add(born, labour), day).says("RISK-EARNER-DEATH", outcome, level="red")
    h = c.house("an earner disabled only after death", "1981-05-05", "1986-06-06").check(5000)
    h.disabled(h.members[1], 发证日期="2026-07-07").died(h.members[1], "2026-06-06").says("RISK-EARNER-DEATH", "hit")
    scheme = {"险种": "城镇职工养老"}
    for case, columns, outcome in (
        ("registered unemployed", {"参保状态": "正常参保", "失业登记日期": "2025-12-01"}, "hit"),
        ("registered before", {"参保状态": "正常参保", "失业登记日期": "2025-11-30"}, "clear"),
        ("insurance ended", {"参保状态": "终止参保", "状态日期": "2025-12-01"}, "hit"),
        ("insurance ended before", {"参保状态": "终止参保", "状态日期": "2025-11-30"}, "clear"),
        ("pensioned", {"参保状态": "领取待遇", "状态日期": "2026-05-05"}, "clear"),
        (
            "residents' insurance ended",
            {"参保状态": "终止参保", "状态日期": "2026-05-05", "险种": "城乡居民养老"},
            "clear",
        ),
    ):
        h = c.house(case).check(400).row("social_insurance", **{**scheme, **columns})
        h.says("RISK-JOB-LOSS", outcome, h.head, level="yellow")
    ended = {**scheme, "参保状态": "终止参保", "状态日期": "2026-05-05"}
    for outcome, h in (
        ("clear", c.house("lost work, rich").check(5000)),
        ("hit", c.house("lost work, 脱贫户").check(5000).monitored("脱贫户")),
        ("unknown", c.house("lost work, income unknown")),
    ):
        h.row("social_insurance", **ended).says("RISK-JOB-LOSS", outcome, h.head)


def disasters(c: County) -> None:
    """Half of 1000 a month is 6000 a year."""
    for day, damage, loss, outcome in (
        ("2025-12-01", "倒塌", "0", "hit"), ("2025-11-30", "倒塌", "0", "clear"), ("2026-05-05", "严重", "", "hit"), ("2026-05-05", "一般", "0", "clear"),
        ("2026-05-05", "无", "6000", "hit"), ("2026-05-05", "无", "5999.99", "clear"), ("2026-05-05", "无", "", "unknown"),
        ("2026-05-05", "", "5999.99", "unknown"), ("2026-12-01", "倒塌", "0", "clear"),
    ):  # fmt: skip
        h = c.house(f"{day} {damage} {loss}").check(1000).row("disasters", 受灾日期=day, 住房受损=damage, 损失金额=loss)
        h.says("RISK-DISASTER", outcome, level="red")
    for first, outcome in (("5999.99", "unknown"), ("6000", "hit")):
        h = c.house(f"a blank loss beside one of {first}").check(1000)
        h.row("disasters", 受灾日期="2026-05-05", 住房受损="无", 损失金额=first)
        h.row("disasters", 受灾日期="2026-06-06", 住房受损="无").says("RISK-DISASTER", outcome)
    h = c.house("no loss, no income").check(0).row("disasters", 受灾日期="2026-05-05", 住房受损="无", 损失金额="0")
    h.says("RISK-DISASTER", "clear")
    h = c.house("loss, income unknown").row("disasters", 受灾日期="2026-05-05", 住房受损="无", 损失金额="9")
    h.says("RISK-DISASTER", "unknown")
    h = (
        c.house("a collapse, income unknown")
        .row("disasters", 受灾日期="2026-05-05", 住房受损="倒塌")
        .says("RISK-DISASTER", "hit")
    )


def dropouts(c: County) -> None:
    for born, outcome in (("2020-11-30", True), ("2020-12-01", False), ("2010-12-01", True), ("2010-11-30", False)):
        h = c.house(f"dropped out, born {born}", "1981-05-05", born).check(5000)
        h.row("education", h.members[1], 学段="小学", 学籍状态="辍学").says(
            "RISK-DROPOUT", outcome, h.members[1], level="red"
        )
    for states, outcome in ((("休学",), False), (("辍学", "在读"), False), (("在读",), False)):
        h = c.house(f"school {states}", "1981-05-05", "2014-04-04").check(5000)
        for state in states:
            h.row("education", h.members[1], 学段="小学", 学籍状态=state)
        h.says("RISK-DROPOUT", outcome, h.members[1])
    for flag, outcome in (("是", "hit"), ("否", "clear"), ("", "unknown")):
        h = c.house(f"dropped out by the list {flag}", "1981-05-05", "2014-04-04").check(5000)
        h.monitored("边缘易致贫户", h.members[1], 义务教育是否辍学=flag).says("RISK-DROPOUT", outcome, h.members[1])
    h = c.house("listed as dropped out, at school", "1981-05-05", "2014-04-04").check(5000)
    h.monitored("边缘易致贫户", h.members[1], 义务教育是否辍学="是")
    h.row("education", h.members[1], 学段="小学", 学籍状态="在读").says("RISK-DROPOUT", "clear", h.members[1])
    h = c.house("dropped out by an older listing only", "1981-05-05", "2014-04-04").check(5000)
    h.monitored("边缘易致贫户", h.members[1], 义务教育是否辍学="是", 识别日期="2022-02-02")
    h.monitored("边缘易致贫户", h.members[1], 义务教育是否辍学="否").says("RISK-DROPOUT", "clear", h.members[1])


def dwellings(c: County) -> None:
    for grade, state, outcome in (
        ("C", "未改造", "hit"), ("D", "改造中", "hit"), ("D", "", "hit"), ("C", "已改造", "clear"), ("B", "未改造", "clear"), ("", "未改造", "unknown"),
        ("", "已改造", "clear"),
    ):  # fmt: skip
        h = (
            c.house(f"grade {grade} {state}")
            .check(5000)
            .row("housing", 户编号="", 住房鉴定等级=grade, 改造状态=state, 饮水是否安全="是")
        )
        h.says("RISK-HOUSING", outcome, level="red")
    for flag, outcome in (("否", "hit"), ("是", "clear"), ("", "unknown")):
        h = c.house(f"the list says safe {flag}").check(5000).monitored(住房是否安全=flag, 饮水是否安全="是")
        h.says("RISK-HOUSING", outcome)
        h = c.house(f"the list says water {flag}").check(5000).monitored(住房是否安全="是", 饮水是否安全=flag)
        h.says("RISK-WATER", outcome, level="orange")
        h = c.house(f"the register says water {flag}").check(5000).row("housing", 住房鉴定等级="A", 饮水是否安全=flag)
        h.says("RISK-WATER", outcome)
    c.house("in neither").check(5000).says("RISK-HOUSING", "clear").says("RISK-WATER", "clear")
    for flag, outcome in (("", "unknown"), ("否", "hit"), ("是", "clear")):
        h = c.house(f"two dwellings, one with safe water, of the other it is said: {flag}").check(5000)
        for said in ("是", flag):
            h.row("housing", 住房鉴定等级="A", 鉴定日期=f"2025-0{1 + bool(said)}-01", 饮水是否安全=said)
        h.says("RISK-WATER", outcome)
    h = c.house("reached by the household's number only").check(5000)
    row = {"户编号": h.code, "户主姓名": "无此人", "住房鉴定等级": "D", "饮水是否安全": "否"}
    c.rows["housing"].append(row)
    h.says("RISK-HOUSING", "hit").says("RISK-WATER", "hit")
    h = (
        c.house("graded after as-of")
        .check(5000)
        .row("housing", 住房鉴定等级="D", 鉴定日期="2026-12-01", 饮水是否安全="否")
    )
    h.says("RISK-HOUSING", "clear").says("RISK-WATER", "clear")


def potential_and_shared(c: County) -> None:
    refused = {"申请事项": "低保", "申请日期": "2025-10-10", "审批结果": "不予批准"}
    for day, outcome in (("2025-12-01", True), ("2025-11-30", False)):
        h = c.house(f"refused {day}").check(400).row("applications", 办结日期=day, **refused)
        h.says("RISK-POTENTIAL", outcome, level="yellow")
    lately = {**refused, "办结日期": "2026-05-05"}
    c.house("refused, rich").check(5000).row("applications", **lately).says("RISK-POTENTIAL", "clear")
    c.house("refused later").check(400).row("applications", **{**refused, "办结日期": "2026-12-01"}).says(
        "RISK-POTENTIAL", "clear"
    )
    for paid, outcome in (("5000", True), ("4999.99", False)):
        h = c.house(f"refused, {paid} paid").check(5000).row("applications", **lately).ill(paid)
        h.says("RISK-POTENTIAL", outcome)
    c.house("refused, severe").check(5000).row("applications", **lately).disabled().says("RISK-POTENTIAL", "hit")
    c.house("refused, on dibao").check(400).row("applications", **lately).dibao().says("RISK-POTENTIAL", "clear")
    c.house("approved").check(400).row("applications", **{**lately, "审批结果": "批准"}).says("RISK-POTENTIAL", "clear")
    c.house("refused, income unknown").row("applications", **lately).says("RISK-POTENTIAL", "unknown")

    def shared(case: str, outcome: bool, *burdens: str, covered: str = "dibao") -> None:
        h = c.house(case, "2009-09-09").check(400)
        for burden in burdens:
            if burden == "certificate":
                h.disabled(grade="4")
            elif burden == "ill":
                h.ill("10", "10")
            elif burden == "dwelling":
                h.row("housing", 住房鉴定等级="C", 饮水是否安全="是")
            else:
                h.row("education", 学段="初中", 学籍状态=burden)
        if covered == "dibao":
            h.dibao()
        elif covered:
            h.aid(covered)
        h.says("RISK-SHARED", outcome, h.head, level="yellow")

    shared("certificate and illness", True, "certificate", "ill")
    shared("certificate only", False, "certificate")
    shared("illness and dwelling", True, "ill", "dwelling")
    shared("dwelling and 休学", True, "dwelling", "休学")
    shared("dwelling and 在读", False, "dwelling", "在读")
    shared("two, aided", True, "certificate", "ill", covered="2026-05-05")
    shared("two, aided before", False, "certificate", "ill", covered="2025-11-30")
    shared("two, not covered", False, "certificate", "ill", covered="")
