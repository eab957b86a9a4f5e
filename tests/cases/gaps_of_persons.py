"""Gaps of persons and institutions."""

from __future__ import annotations

from tests.cases.building import LATE, STANDARDS, County, Expected, House


def tell(c: County) -> None:
    single(c)
    tekun(c)
    subsidies(c)
    children(c)
    illness_and_insurance(c)
    education_and_work(c)
    tekun_care(c)
    institutions(c)


def single(c: County) -> None:
    def says(h: House, outcome: Expected) -> None:
        h.says("GAP-SINGLE", outcome, h.head, level="red")

    says(c.house("severe in a 未脱贫户").monitored("未脱贫户").disabled(grade="2").check(5000), True)
    h = c.house("severe in another listed household").monitored("边缘易致贫户").disabled(grade="2").check(5000)
    says(h, lambda p: p.single_low_income)
    says(c.house("severe in a 脱贫户").monitored("脱贫户").disabled(grade="2").check(5000), False)
    for line in STANDARDS:
        for income in (1.5 * line - 0.01, 1.5 * line):
            h = c.house(f"severe, {income} a head").disabled(grade="1").check(income)
            says(h, lambda p, x=income: p.single_low_income and x < 1.5 * p.standard)
    says(c.house("severe, income unknown").disabled(), lambda p: "unknown" if p.single_low_income else False)
    for kind, grade in (("肢体", 3), ("智力", 3), ("精神", 4), ("智力", 4), ("多重", 2)):
        h = c.house(f"{kind} {grade}").monitored("未脱贫户").check(5000).disabled(kind=kind, grade=str(grade))
        says(h, lambda p, k=kind, g=grade: g <= 2 or (k in ("智力", "精神") and g in p.extra_grades))
    says(c.house("certificate cancelled").monitored("未脱贫户").check(5000).disabled(状态="注销"), False)
    says(c.house("certificate of later").monitored("未脱贫户").check(5000).disabled(发证日期="2026-12-01"), False)
    says(c.house("ill without aid").monitored("未脱贫户").check(5000).ill("100", "0"), lambda p: not p.needs_aid)
    says(c.house("ill with aid").monitored("未脱贫户").check(5000).ill("100", "0.01"), True)
    h = c.house("ill, and nothing of money is said").monitored("未脱贫户").check(5000)
    says(h.ill("", "", 总费用=""), lambda p: "unknown" if p.needs_aid else True)
    says(c.house("ill before").monitored("未脱贫户").check(5000).ill("100", "9", 结算日期="2025-11-30"), False)
    says(c.house("not a major illness").monitored("未脱贫户").check(5000).ill("100", "9", 重大疾病="否"), False)
    h = c.house("severe, on dibao alone").monitored("未脱贫户").disabled().check(400)
    says(h.dibao(h.head, 保障方式="单人户"), False)
    h = (
        c.house("severe, the household on dibao", "1981-05-05", "1982-06-06")
        .monitored("未脱贫户")
        .disabled()
        .check(400)
    )
    says(h.dibao(h.members[1]), False)
    says(c.house("severe, on tekun").monitored("未脱贫户").disabled().check(400).tekun(), False)


def tekun(c: County) -> None:
    for born, fires in (("1966-11-30", True), ("1966-12-01", False)):
        h = c.house(f"alone, born {born}", born).check(400)
        h.says("GAP-TEKUN", fires, h.head, level="red")
    for line in STANDARDS:
        h = c.house(f"old, at {line}", "1950-01-01").check(line)
        h.says("GAP-TEKUN", lambda p, x=line: x < p.standard, h.head)
    h = c.house("old, the son has labour", "1950-01-01", "1981-05-05").check(400)
    h.says("GAP-TEKUN", "clear", h.head)
    h = c.house("old, the son has none", "1950-01-01").check(200)
    h.add("1981-05-05", "无劳动力")
    h.says("GAP-TEKUN", "hit", h.head).says("GAP-TEKUN", "clear", h.members[1])
    h = c.house("old, the son's labour is not said", "1950-01-01").check(200)
    h.add("1981-05-05", "")
    h.says("GAP-TEKUN", "unknown", h.head)
    h = c.house("disabled and without labour", "1981-05-05").check(400).disabled(kind="视力", grade="1")
    h.says("GAP-TEKUN", "hit", h.head)
    h = c.house("disabled and able", "1981-05-05").check(400).disabled(kind="视力", grade="2")
    h.says("GAP-TEKUN", "clear", h.head)
    for born, age in (("2010-12-01", 15), ("2010-11-30", 16), ("2008-12-01", 17), ("2008-11-30", 18)):
        h = c.house(f"alone at {age}", born).check(400)
        h.says("GAP-TEKUN", lambda p, a=age: a < p.minor, h.head)
    h = c.house("old, on tekun", "1950-01-01").check(400).tekun()
    h.says("GAP-TEKUN", "clear", h.head)
    h = c.house("old, on dibao", "1950-01-01").check(400).dibao()
    h.says("GAP-TEKUN", "hit", h.head, level="yellow")
    h = c.house("old, income unknown", "1950-01-01")
    h.says("GAP-TEKUN", "unknown", h.head)


def subsidies(c: County) -> None:
    month = {"发放年月": "2026-11", "发放状态": "成功"}

    def living(case: str, town: str = "全报镇") -> House:
        return c.house(case, town=town).check(400).dibao().disabled(grade="3")

    h = living("no living subsidy")
    h.says("GAP-DIS-LIVING", "hit", h.head, level="orange")
    h = living("living subsidy paid").row("disability_subsidy", 补贴类型="生活补贴", **month)
    h.says("GAP-DIS-LIVING", "clear", h.head)
    h = living("living subsidy failed").row(
        "disability_subsidy", 补贴类型="困难残疾人生活补贴", 发放年月="2026-11", 发放状态="失败"
    )
    h.says("GAP-DIS-LIVING", "hit", h.head)
    h = living("living subsidy of last month").row(
        "disability_subsidy", 补贴类型="生活补贴", 发放年月="2026-10", 发放状态="成功"
    )
    h.says("GAP-DIS-LIVING", "hit", h.head)
    h = living("the township is late", LATE)
    h.says("GAP-DIS-LIVING", "unknown", h.head)
    h = c.house("no certificate").check(400).dibao().disabled(状态="过期")
    h.says("GAP-DIS-LIVING", "clear", h.head)
    h = c.house("disabled, not on dibao").check(5000).disabled(grade="3")
    h.says("GAP-DIS-LIVING", "clear", h.head)
    for grade, fires in (("1", True), ("2", True), ("3", False)):
        h = c.house(f"grade {grade}, no care subsidy").check(5000).disabled(grade=grade)
        h.says("GAP-DIS-CARE", fires, h.head, level="orange")
    h = (
        c.house("care subsidy paid")
        .check(5000)
        .disabled()
        .row("disability_subsidy", 补贴类型="重度残疾人护理补贴", **month)
    )
    h.says("GAP-DIS-CARE", "clear", h.head)
    h = c.house("grade 1 on tekun").check(5000).disabled().tekun()
    h.says("GAP-DIS-CARE", "clear", h.head)
    h = c.house("grade 1, the township is late", town=LATE).check(5000).disabled()
    h.says("GAP-DIS-CARE", "unknown", h.head)


def children(c: County) -> None:
    def orphan(case: str, town: str = "全报镇", born: str = "2014-04-04", **columns: str) -> House:
        h = c.house(case, "1981-05-05", born, town=town).check(5000)
        listed = {"类别": "孤儿", "监护人": "祖父", "起始日期": "2020-01-01", **columns}
        return h.row("care_groups", h.members[1], **listed)

    def child(h: House, outcome: Expected) -> None:
        h.says("GAP-CHILD", outcome, h.members[1], level="red")

    child(orphan("allowance blank"), True)
    child(orphan("allowance 0", 津贴金额="0"), True)
    child(orphan("allowance given", 津贴金额="0.01"), False)
    child(orphan("unattended", 类别="事实无人抚养儿童"), True)
    child(orphan("left behind", 类别="留守儿童"), False)
    child(orphan("aged 17", born="2008-12-01"), True)
    child(orphan("aged 18", born="2008-11-30"), False)
    child(orphan("ended", 终止日期="2026-11-30"), False)
    child(orphan("ends later", 终止日期="2026-12-01"), True)
    child(orphan("the township is late", LATE), "unknown")
    for state, month, gap in (("成功", "2026-11", False), ("失败", "2026-11", True), ("成功", "2026-10", True)):
        h = orphan(f"paid {month} {state}")
        child(h.row("payments", h.members[1], 项目="孤儿", 发放年月=month, 发放状态=state), gap)
    for kind, gap in (
        ("孤儿", True),
        ("事实无人抚养儿童", True),
        ("留守儿童", True),
        ("留守老人", False),
        ("易流浪走失人员", False),
    ):
        h = orphan(f"{kind} without guardian", 类别=kind, 监护人="")
        h.says("GAP-GUARDIAN", gap, h.members[1], level="red")
    h = orphan("with guardian")
    h.says("GAP-GUARDIAN", "clear", h.members[1])
    for placed, guardian, gap in (("", "", True), ("已安置", "", False), ("", "儿子", False)):
        h = orphan(f"wanderer {placed}{guardian}", 类别="易流浪走失人员", 安置情况=placed, 监护人=guardian)
        h.says("GAP-WANDERER", gap, h.members[1], level="orange")


def illness_and_insurance(c: County) -> None:
    for paid, aid, outcome in (
        ("10000", "0", "hit"), ("9999.99", "0", "clear"), ("10000", "0.01", "clear"), ("10000", "", "hit"), ("", "0", "unknown"),
    ):  # fmt: skip
        h = c.house(f"self-paid {paid}, aid {aid}").check(400).ill(paid, aid)
        h.says("GAP-MEDICAL-AID", outcome, h.head, level="orange")
    h = c.house("two settlements add up").check(400).ill("5000").ill("5000", 结算日期="2026-06-06", 重大疾病="否")
    h.says("GAP-MEDICAL-AID", "hit", h.head)
    h = c.house("no major illness").check(400).ill("20000", 重大疾病="否")
    h.says("GAP-MEDICAL-AID", "clear", h.head)
    h = c.house("ill and rich").check(5000).ill("20000")
    h.says("GAP-MEDICAL-AID", "clear", h.head)
    h = c.house("ill, income unknown").ill("20000")
    h.says("GAP-MEDICAL-AID", "unknown", h.head)
    h = c.house("ill, income unknown, on tekun").ill("20000").tekun()
    h.says("GAP-MEDICAL-AID", "hit", h.head)
    for states, gap in ((("中断",), True), (("未参保",), True), (("正常参保",), False), (("中断", "正常参保"), False)):
        h = c.house(f"insurance {states}").check(400).dibao()
        for state in states:
            h.row("insurance", 参保年度="2026", 参保状态=state)
        h.says("GAP-INSURANCE", gap, h.head, level="orange")
    h = c.house("not insured, not covered").check(400).row("insurance", 参保年度="2026", 参保状态="中断")
    h.says("GAP-INSURANCE", "clear", h.head)
    h = c.house("not insured, at risk").check(5000).monitored().row("insurance", 参保年度="2026", 参保状态="中断")
    h.says("GAP-INSURANCE", "hit", h.head)
    h = c.house("missing from the insurance").check(400).dibao().row("insurance", 参保年度="2025", 参保状态="正常参保")
    h.says("GAP-INSURANCE", "hit", h.head)
    h = c.house("missing where the township is late", town=LATE).check(400).dibao()
    h.says("GAP-INSURANCE", "unknown", h.head)


def education_and_work(c: County) -> None:
    """At 2026-11-30 the last 1 September of at least four months ago is of 2025."""

    def pupil(case: str, state: str = "在读", town: str = "全报镇", covered: bool = True, **aid: str) -> House:
        h = c.house(case, "1981-05-05", "2014-04-04", town=town).check(5000)
        h.row("education", h.members[1], 学段="小学", 学籍状态=state, **aid)
        return h.monitored() if covered else h

    for h, outcome in (
        (pupil("no education aid"), "hit"),
        (pupil("aid of 2025", 资助年度="2025", 资助金额="0.01"), "clear"),
        (pupil("aid of 2024", 资助年度="2024", 资助金额="500"), "hit"),
        (pupil("aid of 0", 资助年度="2025", 资助金额="0"), "hit"),
        (pupil("the school is late", town=LATE), "unknown"),
        (pupil("suspended", "休学"), "clear"),
        (pupil("not covered", covered=False), "clear"),
    ):
        h.says("GAP-EDUCATION", outcome, h.members[1], level="yellow")
    for day, state, income, outcome in (
        ("2024-12-01", "未就业", 400, "hit"), ("2024-11-30", "未就业", 400, "clear"), ("2025-06-30", "已就业", 400, "clear"),
        ("2025-06-30", "未就业", 5000, "clear"), ("2025-06-30", "未就业", None, "unknown"), ("2026-12-01", "未就业", 400, "clear"),
    ):  # fmt: skip
        h = c.house(f"graduated {day} {state} {income}", "2002-02-02").row("graduates", 毕业日期=day, 就业状态=state)
        h = h if income is None else h.check(income)
        h.says("GAP-GRADUATE", outcome, h.head, level="yellow")
    for day, gap in (("2025-12-01", False), ("2025-11-30", True)):
        h = (
            c.house(f"graduate aided {day}", "2002-02-02")
            .check(400)
            .row("graduates", 毕业日期="2025-06-30", 就业状态="未就业")
        )
        h.aid(day).says("GAP-GRADUATE", gap, h.head)
    for case, days, gap in (
        ("two grants", ("2026-02-02", "2026-09-09"), True), ("one grant", ("2026-02-02",), False),
        ("one of them before", ("2025-11-30", "2026-09-09"), False), ("just within", ("2025-12-01", "2026-09-09"), True),
    ):  # fmt: skip
        h = c.house(case).check(400)
        for day in days:
            h.aid(day)
        h.says("GAP-REPEAT-AID", gap, h.head, level="orange")
    h = c.house("two grants, one unpaid").check(400).aid("2026-02-02").aid("", 受理日期="2026-03-03")
    h.says("GAP-REPEAT-AID", "clear", h.head)
    for h in (
        c.house("two grants, on dibao").dibao(),
        c.house("two grants, on tekun").tekun(),
        c.house("two grants, listed").listed(),
    ):
        h.check(400).aid("2026-02-02").aid("2026-03-03").says("GAP-REPEAT-AID", "clear", h.head)


def tekun_care(c: County) -> None:
    alone = {"供养方式": "分散供养"}
    for columns, gap in (({"照料服务人": ""}, True), ({"照料服务人": "张护理"}, False)):
        h = c.house(f"dispersed {columns}", "1950-01-01").check(400).tekun(**alone, **columns)
        h.says("GAP-TEKUN-CARE", gap, h.head, level="orange")
    h = c.house("in an institution", "1950-01-01").check(400).tekun(照料服务人="")
    h.says("GAP-TEKUN-CARE", "clear", h.head)
    h = c.house("tekun has ended", "1950-01-01").check(400).tekun(**alone, 照料服务人="", 终止日期="2026-11-30")
    h.says("GAP-TEKUN-CARE", "clear", h.head)
    for ability, wish, outcome in (
        ("半护理", "是", "hit"), ("全护理", "是", "hit"), ("全自理", "是", "clear"), ("半护理", "否", "clear"), ("半护理", "", "unknown"),
        ("", "是", "unknown"), ("", "否", "clear"),
    ):  # fmt: skip
        h = (
            c.house(f"{ability} wishes {wish}", "1950-01-01")
            .check(400)
            .tekun(**alone, 自理能力=ability, 集中供养意愿=wish)
        )
        h.says("GAP-TEKUN-CENTRAL", outcome, h.head, level="orange")
    for ability, lonely, safe, outcome in (
        ("全自理", "是", "", "hit"), ("全自理", "是", "否", "hit"), ("全自理", "是", "是", "clear"), ("全自理", "否", "", "clear"),
        ("全自理", "", "", "unknown"), ("半护理", "是", "", "clear"), ("", "", "是", "clear"),
    ):  # fmt: skip
        h = c.house(f"{ability} alone {lonely} safe {safe}", "1950-01-01").check(400)
        h.tekun(**alone, 自理能力=ability, 是否独居=lonely, 居家安全服务=safe).says(
            "GAP-TEKUN-SAFETY", outcome, h.head, level="orange"
        )
    for line in STANDARDS:
        for amount in (round(1.3 * line - 0.01, 2), round(1.3 * line, 2)):
            h = c.house(f"tekun of {amount}", "1950-01-01").check(400).tekun(月基本生活费=f"{amount}")
            h.says("GAP-TEKUN-AMOUNT", lambda p, a=amount: a < round(1.3 * p.standard, 2), h.head, level="red")
    h = c.house("tekun of a blank amount", "1950-01-01").check(400).tekun(月基本生活费="")
    h.says("GAP-TEKUN-AMOUNT", "unknown", h.head)


def institutions(c: County) -> None:
    for residents, carers, gap in ((100, 10, False), (101, 10, True), (1, 0, True), (0, 0, False)):
        name = f"{residents}人{carers}护敬老院"
        c.rows["institutions"].append(
            {"机构名称": name, "乡镇": "全报镇", "入住人数": str(residents), "护理员人数": str(carers)}
        )
        c.says("GAP-CARERS", name, gap, level="orange")
