"""Where rows of one household contradict each other, meet at a line, or say what only together decides."""

from __future__ import annotations

from tests.cases.building import LATE, STANDARDS, County, House, Pack, Person

TWO = ("1981-05-05", "1982-06-06")
THREE = (*TWO, "1983-07-07")


def tell(c: County) -> None:
    checks(c)
    cents(c)
    residence(c)
    property_of(c)
    lists(c)
    tekun(c)
    shocks(c)
    children_and_payments(c)
    exits(c)
    aid(c)
    joined(c)


def check(h: House, who: Person, year: str, date: str = "2026-05-05", **columns: str) -> House:
    """A check of the whole household's year, handed in under any member."""
    return h.row("income", who, 核对日期=date, 工资性收入=year, **columns)


def checks(c: County) -> None:
    for own, other, gap in (("7200", "72000", "hit"), ("72000", "7200", "clear")):
        h = c.house(f"two checks of a day, the head's {own}", *TWO)
        check(check(h, h.head, own), h.members[1], other).says("GAP-DIBAO", gap)
    h = c.house("two checks of a day, none the head's", *THREE)
    check(check(h, h.members[1], "72000"), h.members[2], "7200").says("GAP-DIBAO", "clear")
    h = c.house("another's check of a later day", *TWO)
    check(check(h, h.head, "72000"), h.members[1], "7200", "2026-05-06").says("GAP-DIBAO", "hit")
    h = c.house("a check without income is none, another's counts", *TWO)
    check(check(h, h.head, "", 必要就业成本="100"), h.members[1], "7200").says("GAP-DIBAO", "hit")
    h = c.house("the latest check without income, the one before counts", *TWO)
    check(check(h, h.head, "", 医疗自付支出="9000"), h.head, "7200", "2025-05-05").says("GAP-DIBAO", "hit")
    h = c.house("costs beyond the income", *TWO)
    check(h, h.head, "6000", 必要就业成本="9000").says("GAP-DIBAO", "hit").says("RISK-RIGID", "clear")
    h = c.house("a loss in business")
    check(h, h.head, "12000", 经营净收入="-5000").says("GAP-DIBAO", lambda p: p.standard > 7000 / 12)
    h = c.house("the older listing is the smaller", *TWO)
    h.monitored("边缘易致贫户", h.head, 人均纯收入="20000", 识别日期="2026-01-01")
    h.monitored("边缘易致贫户", h.members[1], 人均纯收入="1000", 识别日期="2025-01-01")
    h.says("RISK-INCOME-LINE", "clear").says("GAP-DIBAO", "clear")
    h = c.house("dibao incomes: the smallest, not of an ended row", *THREE)
    h.dibao(h.head, 保障方式="单人户", 家庭月人均收入="5000")
    h.dibao(h.members[1], 保障方式="单人户", 家庭月人均收入="400", 救助证编号="Q1")
    h.dibao(h.members[2], 保障方式="单人户", 家庭月人均收入="10", 救助证编号="Q2", 终止日期="2026-11-30")
    h.says("GAP-DIBAO", lambda p: p.standard > 400)


def cents(c: County) -> None:
    """A cent of three persons' year is less than a hundredth a head and month: it decides all the same."""

    def gradual(p: Pack, line: float) -> bool:
        ceiling = p.exit_ceiling is None or line < p.exit_ceiling * p.standard
        return line >= p.standard and not p.needs_work and ceiling

    for line in STANDARDS:
        h = c.house(f"three share a cent under {line}", *THREE)
        check(h, h.head, f"{line * 36 - 0.01:.2f}").says("GAP-DIBAO", lambda p, x=line: x <= p.standard)
        h = c.house(f"three share a cent over {line}", *THREE).dibao()
        check(h, h.head, f"{line * 36 + 0.01:.2f}").says("EXIT-GRADUAL", lambda p, x=line: gradual(p, x))
        h.says("EXIT-INCOME", lambda p, x=line: x >= p.standard and not gradual(p, x))
        h = c.house(f"three share a cent under the ceiling of {line}", *THREE)
        check(h, h.head, f"{line * 54 - 0.01:.2f}")
        h.says("GAP-MARGINAL", lambda p, x=line: p.standard <= 1.5 * x - 0.001 < 1.5 * p.standard)


def residence(c: County) -> None:
    kinds = (
        ("城镇", "农村", True),
        ("农村", "城镇", False),
        ("", "非农业", True),
        ("农业", "非农业", False),
        ("", "", False),
    )
    for head, member, urban in kinds:
        h = c.house(f"head {head or 'blank'}, member {member or 'blank'}", *TWO).check(610)
        for row, kind in zip(c.rows["registry"][-2:], (head, member), strict=True):
            row["户籍类型"] = kind
        h.says("GAP-DIBAO", lambda p, u=urban: (p.urban if u else p.standard) > 610)
    for kind, urban in (("", True), ("农村", False)):
        h = c.house(f"residence {kind or 'blank'}, urban dibao of one", *TWO).check(610)
        h.dibao(h.head, 保障方式="单人户", 低保类型="城市低保")
        for row in c.rows["registry"][-2:]:
            row["户籍类型"] = kind
        h.says("GAP-DIBAO", lambda p, u=urban: (p.urban if u else p.standard) > 610)


def property_of(c: County) -> None:
    common = {"登记日期": "2010-01-01", "取得方式": "继承", "状态": "现势"}
    stories: tuple[tuple[tuple[str, ...], bool, bool], ...] = (
        (("商品房",), True, False), (("自建房",), True, True), (("安置房",), True, True), (("公房", "商品房"), False, True),
        (("自建房", "安置房"), False, False), (("公房",), True, True), (("商品房", "自建房"), True, False),
    )  # fmt: skip
    for titles, dwelling, fits in stories:
        for covered in (False, True):
            h = c.house(f"{titles}, dwelling {dwelling}, dibao {covered}", *TWO).check(300)
            for n, kind in enumerate(titles):
                h.row("real_estate", 房屋性质=kind, 不动产权证号=f"W{h.code}{n}", **common)
            if dwelling:
                h.row("housing", 住房鉴定等级="A", 饮水是否安全="是")
            if covered:
                h.dibao().says("EXIT-HOMES", not fits)
            else:
                h.says("GAP-DIBAO", fits)
    h = c.house("a car cancelled, a motor-cycle in use", *TWO).check(300).dibao()
    h.row("vehicles", 车辆类型="汽车", 状态="注销", 号牌号码="渝A1").row(
        "vehicles", 车辆类型="摩托车", 状态="正常", 号牌号码="渝A2"
    )
    h.says("EXIT-VEHICLE", lambda p: "摩托车" in p.vehicles, h.head)
    h.says("EXIT-VEHICLE-PROOF", lambda p: "摩托车" not in p.vehicles, h.head)
    h = c.house("single dibao of the one, a car of the other", *TWO).check(300)
    h.dibao(h.head, 保障方式="单人户").row("vehicles", h.members[1], 车辆类型="汽车", 状态="正常")
    h.says("EXIT-VEHICLE", "clear", h.members[1]).says("GAP-DIBAO", "clear")
    h = c.house("two dwellings, one not repaired", *TWO).check(5000)
    h.row("housing", 住房鉴定等级="D", 改造状态="已改造", 鉴定日期="2026-02-01")
    h.row("housing", 住房鉴定等级="C", 改造状态="未改造", 鉴定日期="2026-01-01").says("RISK-HOUSING", "hit")


def lists(c: County) -> None:
    h = c.house("only the dead one is on whole-household dibao", *TWO).check(300)
    h.dibao(h.members[1]).died(h.members[1], "2026-03-03").says("GAP-DIBAO", lambda p: p.standard > 600)
    h = c.house("dibao without a start cannot be used", *TWO).check(300)
    h.dibao(享受起始日期="").says("GAP-DIBAO", "hit")
    h = (
        c.house("dibao from the month's first day", *TWO)
        .check(300)
        .dibao(享受起始日期="202611")
        .says("GAP-DIBAO", "clear")
    )
    for day, gap in (("2026-11-30", "clear"), ("2026-12-01", "hit")):
        h = c.house(f"risk removed on {day}", *TWO).check(300).monitored(风险是否消除="是", 风险消除日期=day)
        h.says("GAP-AT-RISK", gap)
    for head, gap in (("", "clear"), ("否", "hit")):
        h = c.house(f"removed: head {head or 'blank'}, member 是", *TWO).check(300)
        h.monitored("边缘易致贫户", h.head, 风险是否消除=head).monitored(
            "边缘易致贫户", h.members[1], 风险是否消除="是"
        )
        h.says("GAP-AT-RISK", gap)
    h = c.house("the measure stands in an older row", *TWO).check(5000)
    h.monitored("边缘易致贫户", h.head, 识别日期="2025-01-01")
    h.monitored("边缘易致贫户", h.members[1], 识别日期="2026-01-01", 帮扶措施="").says("GAP-NO-MEASURE", "hit")
    c.house("无 is no measure", *TWO).check(5000).monitored(帮扶措施="无").says("GAP-NO-MEASURE", "hit")
    h = c.house("severe, 未脱贫户 of which the risk is removed", *TWO).check(5000)
    h.monitored("未脱贫户", 风险是否消除="是").disabled().says("GAP-SINGLE", lambda p: not p.single_low_income, h.head)
    h = c.house("severe, listed as low, income unknown", *TWO).listed("其他低收入家庭").disabled()
    h.says("GAP-SINGLE", lambda p: p.single_low_income, h.head)
    h = c.house("severe, 脱贫户, income unknown", *TWO).monitored("脱贫户").disabled()
    h.says("GAP-SINGLE", lambda p: "unknown" if p.single_low_income else "clear", h.head)


def tekun(c: County) -> None:
    for born, age in (
        ("1966-11-30", 60), ("1966-12-01", 59), ("2010-11-30", 16), ("2010-12-01", 15), ("2008-11-30", 18), ("2008-12-01", 17),
    ):  # fmt: skip
        h = c.house(f"alone, born {born}", born).check(100)
        h.says("GAP-TEKUN", lambda p, a=age: a >= 60 or a < p.minor, h.head, level="red")
        h = c.house(f"on tekun, born {born}", born).check(100).tekun()
        h.says("EXIT-TEKUN-AGE", lambda p, a=age: p.minor <= a < 60, h.head)
    for kind, grade, without in (("肢体", "2", True), ("视力", "2", False), ("智力", "3", True), ("精神", "4", False)):
        h = c.house(f"old, the wife {kind} {grade}", "1950-01-01", "1967-05-05").check(100)
        h.disabled(h.members[1], kind=kind, grade=grade).says("GAP-TEKUN", without, h.head)
    h = c.house("old, the able son has died", "1950-01-01", "1981-05-05").check(100)
    h.died(h.members[1], "2026-09-09").says("GAP-TEKUN", "hit", h.head)
    for columns, said in (({"居家安全服务": "是"}, "clear"), ({}, "unknown")):
        h = c.house(f"whether alone is not said, {columns}", "1950-01-01").check(100)
        h.tekun(供养方式="分散供养", 自理能力="全自理", **columns).says("GAP-TEKUN-SAFETY", said, h.head)


def shocks(c: County) -> None:
    flood = {"灾害类型": "洪涝", "住房受损": "严重"}
    for day, gap in (("2026-10-01", "clear"), ("2026-09-30", "hit")):
        h = (
            c.house(f"flood of 1 October, aid of {day}", *TWO)
            .check(300)
            .row("disasters", 受灾日期="2026-10-01", **flood)
        )
        h.aid(day).says("GAP-SHOCK-AID", gap)
    h = c.house("aid between two floods", *TWO).check(300).row("disasters", 受灾日期="2026-03-01", **flood)
    h.row("disasters", 受灾日期="2026-10-01", **flood).aid("2026-04-30").says("GAP-SHOCK-AID", "hit")
    h = c.house("an old flood without aid, a new one", *TWO).check(300).row("disasters", 受灾日期="2026-03-01", **flood)
    h.row("disasters", 受灾日期="2026-11-20", **flood).says("GAP-SHOCK-AID", "hit")
    h = c.house("aid of one who has died", *TWO).check(300).row("disasters", 受灾日期="2026-10-01", **flood)
    h.aid("2026-10-03", h.members[1]).died(h.members[1], "2026-11-11").says("GAP-SHOCK-AID", "hit")
    h = c.house("aid paid after the flood, accepted before", *TWO).check(300)
    h.row("disasters", 受灾日期="2026-10-01", **flood).aid("2026-10-05", 受理日期="2026-09-25").says(
        "GAP-SHOCK-AID", "hit"
    )
    h = c.house("the flood was reported for one who has died", *TWO).check(300)
    h.row("disasters", h.members[1], 受灾日期="2026-10-01", **flood).died(h.members[1], "2026-10-01").says(
        "RISK-DISASTER", "hit"
    )
    h = (
        c.house("two deaths, reviewed between", *TWO, "1950-01-01", "1951-01-01")
        .check(300)
        .dibao(最近复核日期="2026-07-01")
    )
    h.died(h.members[2], "2026-05-15").died(h.members[3], "2026-08-15").says("PROC-DEATH-RECHECK", "hit")


def children_and_payments(c: County) -> None:
    for born, gap in (("2008-11-30", "clear"), ("2008-12-01", "hit")):
        h = c.house(f"orphan born {born}", "1981-05-05", born).check(5000)
        h.row("care_groups", h.members[1], 类别="孤儿", 监护人="祖父").says("GAP-CHILD", gap, h.members[1])
    h = c.house("orphan whose guardian is 无", "1981-05-05", "2015-05-05").check(5000)
    h.row("care_groups", h.members[1], 类别="孤儿", 监护人="无", 津贴金额="500").says(
        "GAP-GUARDIAN", "hit", h.members[1]
    )
    h = c.house("orphan of a late township", "1981-05-05", "2015-05-05", town=LATE).check(5000)
    h.row("care_groups", h.members[1], 类别="孤儿", 监护人="祖父").says("GAP-CHILD", "unknown", h.members[1])
    stories = (
        ("低保", "2026-10", "2026-09-30", "hit"), ("低保", "2026-09", "2026-09-01", "clear"), ("丧葬补助", "2026-10", "2026-09-01", "clear"),
        ("低保补发", "2026-10", "2026-09-01", "clear"), ("低保", "2025-11", "2025-09-01", "clear"), ("低保", "2025-12", "2025-09-01", "hit"),
    )  # fmt: skip
    for item, month, died, said in stories:
        h = c.house(f"died {died}, paid {item} {month}", *TWO).check(5000)
        h.died(h.members[1], died).row("payments", h.members[1], 项目=item, 发放年月=month, 发放状态="成功")
        h.says("EXIT-DECEASED", said, h.members[1])
    h = c.house("insured both ways, and not at all this year", *TWO).check(300).dibao()
    for year, state, who in (("2026", "中断", 0), ("2026", "正常参保", 0), ("2025", "正常参保", 1)):
        h.row("insurance", h.members[who], 参保年度=year, 参保状态=state)
    h.says("GAP-INSURANCE", "clear", h.head).says("GAP-INSURANCE", "hit", h.members[1])
    for year, amount, said in (("2025", "500", "clear"), ("2024", "500", "hit"), ("2025", "0", "hit")):
        h = c.house(f"pupil aided {year} {amount}", *TWO).check(300).dibao()
        h.row("education", h.members[1], 学段="本科", 学籍状态="在读", 资助年度=year, 资助金额=amount)
        h.says("GAP-EDUCATION", said, h.members[1])
    for before, grade, said in (("注销", "2", "clear"), ("注销", "3", "hit"), ("过期", "1", "clear")):
        h = c.house(f"grade 2 after a {grade} that is {before}", *TWO).check(5000)
        h.disabled(grade=grade, 发证日期="2015-01-01", 状态=before).disabled(grade="2", 发证日期="2026-03-03")
        h.says("RISK-NEW-DISABILITY", said, h.head)


def exits(c: County) -> None:
    for start, six, twelve in (
        ("2026-05-31", True, False),
        ("2026-06-01", False, False),
        ("2025-11-30", True, True),
        ("2025-12-01", True, False),
    ):
        h = c.house(f"exit begun {start}", *TWO).check(900).dibao(渐退起始日期=start)
        h.says("EXIT-GRADUAL-END", lambda p, s=six, t=twelve: t if p.exit_months == 12 else s)
        h.says("EXIT-GRADUAL", "clear").says("EXIT-INCOME", "clear")
    job = {"险种": "城镇职工养老", "参保状态": "正常参保"}
    for since, from_work in (("2025-12-01", True), ("2025-11-30", False), ("", False)):
        h = c.house(f"1500 a head, insured at work since {since or 'some day'}", *TWO).check(1500).dibao()
        h.row("social_insurance", h.members[1], 状态日期=since, **job)
        h.says(
            "EXIT-GRADUAL", lambda p, w=from_work: (p.after_work and w) or (p.exit_ceiling is None and not p.needs_work)
        )
    h = c.house("a person on dibao whose kinship was filed after as-of", *TWO).check(5000).dibao(保障方式="单人户")
    for who, filed in ((0, "2026-12-01"), (1, "2026-11-01")):
        relative = {
            "近亲属姓名": h.members[who].name,
            "近亲属证件号码": h.members[who].number,
            "关系": "兄弟",
            "备案日期": filed,
        }
        c.rows["officials"].append({"干部姓名": "王干部", "干部证件号码": "", **relative})
    h.says("PROC-KINSHIP", "hit", h.head).says("PROC-KINSHIP", "clear", h.members[1])


def aid(c: County) -> None:
    """Over National Day: the 8th, 9th and the Saturday of 10 October were working days, the 12th is the fourth."""
    stories: tuple[tuple[dict[str, str], bool], ...] = (
        ({"受理日期": "2026-09-30", "发放日期": "2026-10-10"}, False), ({"受理日期": "2026-09-30", "发放日期": "2026-10-12"}, True),
        ({"发现日期": "2026-09-29", "受理日期": "2026-09-30", "发放日期": "2026-10-10"}, True),
        ({"受理日期": "2026-11-25"}, False), ({"受理日期": "2026-11-24"}, True), ({"受理日期": "2026-11-24", "救助金额": ""}, True),
        ({"受理日期": "2026-11-24", "审批日期": "2026-11-25", "救助金额": "0"}, False),
        ({"受理日期": "2026-11-24", "审批日期": "2026-12-01", "救助金额": ""}, True), ({"受理日期": "2026-11-24", "发放日期": "2026-12-02"}, True),
    )  # fmt: skip
    for columns, late in stories:
        h = c.house(f"urgent {columns}", *TWO).check(5000)
        h.row("temporary_aid", **{"救助类型": "急难型", "救助金额": "800", **columns})
        h.says("PROC-EMERGENCY", lambda p, x=late: x if p.emergency else None, h.head)
    h = c.house("two grants beside whole-household dibao", *TWO).check(300)
    h.dibao(h.head).aid("2026-10-10", h.members[1]).aid("2026-09-10", h.members[1])
    h.says("GAP-REPEAT-AID", "hit", h.members[1])


def joined(c: County) -> None:
    """Persons whom the registry does not know count in the household of their 户主."""
    h, stranger = c.house("one more by the dibao ledger", *TWO), c.person("1990-01-01")
    h.dibao(stranger, 保障方式="单人户")
    check(h, h.head, "19800").says("GAP-DIBAO", lambda p: p.standard > 550).says("DQ-UNREGISTERED", "hit", stranger)
    h = c.house("four, of whom the ledger lists two and two others", *TWO)
    others = c.house("the others", *TWO).check(5000)
    h.check(100).dibao(*h.members, *others.members).says("DQ-FAMILY", "hit")
