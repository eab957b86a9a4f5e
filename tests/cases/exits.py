"""Exits: who is covered and may no longer qualify."""

from __future__ import annotations

from tests.cases.building import STANDARDS, County, House, Pack

TWO = ("1981-05-05", "1982-06-06")


def tell(c: County) -> None:
    income(c)
    lists(c)
    property_and_work(c)
    subsidies(c)


def gradual(p: Pack, income: float, work: bool) -> bool:
    """A gradual exit is due: RC 一（三）, MS 二（一）, CJ 二（五）, in the words of the contract."""
    if work and p.after_work:
        return True
    return not p.needs_work and (p.exit_ceiling is None or income < p.exit_ceiling * p.standard)


def income(c: County) -> None:
    lines = sorted({x for s in STANDARDS for x in (s, s + 0.01, 1.5 * s - 0.01, 1.5 * s, 2 * s - 0.01, 2 * s)})
    for line in lines:
        for work in (False, True):
            h = c.house(f"dibao at {line}, work {work}", *TWO).check(
                line + (25 if work else 0), 必要就业成本="600" if work else ""
            )
            h.dibao()
            h.says("EXIT-GRADUAL", lambda p, x=line, w=work: x > p.standard and gradual(p, x, w), level="yellow")
            h.says("EXIT-INCOME", lambda p, x=line, w=work: x > p.standard and not gradual(p, x, w), level="orange")
    for day, rises in (("2025-12-01", True), ("2025-11-30", False)):
        h = c.house(f"a member insured at work since {day}", *TWO).check(2000).dibao()
        h.row("social_insurance", 险种="城镇职工养老", 参保状态="正常参保", 状态日期=day)
        h.says("EXIT-GRADUAL", lambda p, w=rises: gradual(p, 2000, w))
    h = c.house("dibao, income unknown", *TWO).dibao()
    h.says("EXIT-INCOME", lambda p: "clear" if p.exit_ceiling is None and not p.needs_work else "unknown")
    h.says("EXIT-GRADUAL", lambda p: "clear" if p.needs_work else "unknown")
    h = c.house("single dibao above the line", *TWO).check(2000)
    h.dibao(h.head, 保障方式="单人户").says("EXIT-INCOME", "clear").says("EXIT-GRADUAL", "clear")
    for start, months in (
        ("2026-05-30", 6),
        ("2026-05-31", 6),
        ("2026-06-01", 5),
        ("2025-11-30", 12),
        ("2025-12-01", 11),
    ):
        h = c.house(f"exit begun {start}", *TWO).check(2000).dibao(渐退起始日期=start)
        h.says("EXIT-GRADUAL-END", lambda p, m=months: m >= p.exit_months, level="orange")
        h.says("EXIT-INCOME", "clear").says("EXIT-GRADUAL", "clear").says("EXIT-GRADUAL-BACK", "clear")
    for line in STANDARDS:
        h = c.house(f"exit begun, at {line}", *TWO).check(line).dibao(渐退起始日期="2025-01-01")
        h.says("EXIT-GRADUAL-BACK", lambda p, x=line: x <= p.standard, level="yellow")
        h.says("EXIT-GRADUAL-END", lambda p, x=line: x > p.standard)
    h = c.house("exit begun, income unknown", *TWO).dibao(渐退起始日期="2025-01-01")
    h.says("EXIT-GRADUAL-END", "unknown").says("EXIT-GRADUAL-BACK", "unknown")


def lists(c: County) -> None:
    def dead(case: str) -> House:
        h = c.house(case, "1981-05-05", "1950-01-01").check(5000)
        return h.died(h.members[1], "2026-06-06")

    def says(h: House, outcome: bool) -> None:
        h.says("EXIT-DECEASED", outcome, h.members[1], level="red")

    h = dead("dead, on dibao")
    says(h.dibao(h.members[1]), True)
    h = dead("dead, dibao ended")
    says(h.dibao(h.members[1], 终止日期="2026-07-01"), False)
    h = dead("dead, on tekun")
    says(h.tekun(h.members[1]), True)
    h = dead("dead, in a care group")
    says(h.row("care_groups", h.members[1], 类别="留守老人", 起始日期="2020-01-01"), True)
    for item, month, state, outcome in (
        ("低保", "2026-07", "成功", True), ("低保", "2026-06", "成功", False), ("低保", "2026-07", "失败", False), ("丧葬补助", "2026-07", "成功", False),
        ("低保补发", "2026-07", "成功", False), ("一次性抚恤金", "2026-07", "成功", False), ("高龄津贴", "2026-11", "成功", True),
    ):  # fmt: skip
        h = dead(f"dead, {item} {month} {state}")
        says(h.row("payments", h.members[1], 项目=item, 发放年月=month, 发放状态=state), outcome)
    h = dead("dead, subsidised after")
    says(h.row("disability_subsidy", h.members[1], 补贴类型="生活补贴", 发放年月="2026-07", 发放状态="成功"), True)
    h = c.house("dead for long, paid a year ago", "1981-05-05", "1950-01-01").check(5000)
    h.died(h.members[1], "2024-06-06")
    says(h.row("payments", h.members[1], 项目="低保", 发放年月="2025-11", 发放状态="成功"), False)
    h = c.house("living, on dibao", "1981-05-05", "1950-01-01").check(400).dibao()
    says(h, False)
    h = c.house("on dibao and tekun", "1950-01-01").check(400).dibao().tekun()
    h.says("EXIT-TWICE", "hit", h.head, level="red")
    h = c.house("tekun ended, on dibao", "1950-01-01").check(400).dibao().tekun(终止日期="2026-01-01")
    h.says("EXIT-TWICE", "clear", h.head)
    h = c.house("two certificates").check(400).dibao().dibao(救助证编号="DX1")
    h.says("EXIT-DUPLICATE", "hit", h.head, level="red")
    h = c.house("two certificates, one ended").check(400).dibao().dibao(救助证编号="DX2", 终止日期="2026-01-01")
    h.says("EXIT-DUPLICATE", "clear", h.head)
    for born, more, outcome in (
        ("1967-05-05", "", True), ("1966-11-30", "", False), ("1966-12-01", "", True), ("1981-05-05", "certificate", False), ("1981-05-05", "school", False),
    ):  # fmt: skip
        h = c.house(f"tekun, born {born} {more}", born).check(400).tekun()
        if more == "certificate":
            h.disabled(grade="4")
        elif more:
            h.row("education", 学段="大专", 学籍状态="在读")
        h.says("EXIT-TEKUN-AGE", outcome, h.head, level="yellow")
    for born, age in (("2010-11-30", 16), ("2010-12-01", 15), ("2008-11-30", 18), ("2008-12-01", 17)):
        h = c.house(f"tekun at {age}", born).check(400).tekun()
        h.says("EXIT-TEKUN-AGE", lambda p, a=age: a >= p.minor, h.head)


def property_and_work(c: County) -> None:
    def covered(case: str) -> House:
        """The head on whole-household dibao alone; the second member is covered through the household."""
        h = c.house(case, *TWO).check(400)
        return h.dibao(h.head)

    def everybody(feed: str, rule: str, columns: dict[str, str], outcome: object, level: str) -> None:
        h = covered(f"{rule} {columns}")
        h.row(feed, **columns).row(feed, h.members[1], **columns)
        h.says(rule, outcome, h.head, level=level).says(rule, outcome, h.members[1])  # type: ignore[arg-type]
        h = c.house(f"{rule} {columns}, not covered", *TWO).check(400).row(feed, **columns)
        h.says(rule, "clear", h.head)

    for scheme, state, now, ended in (
        ("城镇职工养老", "正常参保", True, False), ("城镇职工养老", "终止参保", False, True), ("城镇职工养老", "领取待遇", False, True),
        ("城乡居民养老", "正常参保", False, False), ("城乡居民养老", "领取待遇", False, False),
    ):  # fmt: skip
        columns = {"险种": scheme, "参保状态": state, "状态日期": "2020-01-01"}
        everybody("social_insurance", "EXIT-INSURED", columns, now, "orange")
        everybody("social_insurance", "EXIT-INSURANCE-ENDED", columns, ended, "yellow")
    for kind, state in (("汽车", "正常"), ("摩托车", "正常"), ("汽车", "注销"), ("摩托车", "注销"), ("其他", "正常")):
        columns = {"车辆类型": kind, "状态": state}
        everybody(
            "vehicles", "EXIT-VEHICLE", columns, lambda p, k=kind, s=state: k in p.vehicles and s == "正常", "orange"
        )
        everybody(
            "vehicles",
            "EXIT-VEHICLE-PROOF",
            columns,
            lambda p, k=kind, s=state: k in p.vehicles and s == "注销",
            "blue",
        )
    h = covered("one car kept, one cancelled").row("vehicles", 车辆类型="汽车", 状态="正常", 号牌号码="A1")
    h.row("vehicles", 车辆类型="汽车", 状态="注销", 号牌号码="A2").says("EXIT-VEHICLE-PROOF", "clear", h.head)
    for role, state, outcome in (("股东", "存续", True), ("经营者", "存续", True), ("经营者", "注销", False)):
        everybody(
            "business", "EXIT-BUSINESS", {"角色": role, "状态": state, "成立日期": "2015-01-01"}, outcome, "yellow"
        )
    for kind, way, day, outcome in (
        ("商品房", "购买", "2023-12-01", True), ("商品房", "购买", "2023-11-30", False), ("商品房", "赠与", "2025-01-01", False), ("自建房", "购买", "2025-01-01", False),
    ):  # fmt: skip
        title = {
            "房屋性质": kind,
            "取得方式": way,
            "登记日期": day,
            "状态": "现势",
            "不动产权证号": f"R{kind}{way}{day}",
        }
        h = covered(f"{kind} {way} {day}").row("real_estate", **title)
        h.says("EXIT-HOME-RECENT", lambda p, o=outcome: o if p.recent_home else None, level="orange")
    title = {"登记日期": "2010-01-01", "状态": "现势"}
    flat = {"房屋性质": "商品房", **title}
    h = covered("two flats").row("real_estate", 不动产权证号="F1", **flat).row("real_estate", 不动产权证号="F2", **flat)
    h.says("EXIT-HOMES", "hit", level="orange")
    h = covered("one flat of two owners").row("real_estate", 不动产权证号="F3", **flat)
    h.row("real_estate", h.members[1], 不动产权证号="F3", **flat).says("EXIT-HOMES", "clear")
    h = covered("a flat and a dwelling").row("real_estate", 不动产权证号="F4", **flat)
    h.row("housing", 住房鉴定等级="A", 饮水是否安全="是").says("EXIT-HOMES", "hit")
    h = covered("the dwelling is the titled one").row("real_estate", 不动产权证号="F5", 房屋性质="自建房", **title)
    h.row("housing", 住房鉴定等级="A", 饮水是否安全="是").says("EXIT-HOMES", "clear")
    h = covered("a flat and public housing").row("real_estate", 不动产权证号="F6", **flat)
    h.row("real_estate", 不动产权证号="F7", 房屋性质="公房", **title).says("EXIT-HOMES", "clear")
    h = covered("a flat and a cancelled one").row("real_estate", 不动产权证号="F8", **flat)
    h.row("real_estate", 不动产权证号="F9", **{**flat, "状态": "注销"}).says("EXIT-HOMES", "clear")
    h = c.house("two flats, not covered").check(400).row("real_estate", 不动产权证号="G1", **flat)
    h.row("real_estate", 不动产权证号="G2", **flat).says("EXIT-HOMES", "clear")


def subsidies(c: County) -> None:
    for state, month, certificate, outcome in (
        ("成功", "2026-11", "", True), ("成功", "2026-11", "有效", False), ("成功", "2026-11", "过期", True), ("失败", "2026-11", "", False), ("成功", "2026-10", "", None),
    ):  # fmt: skip
        h = c.house(f"subsidy {state} {month} certificate {certificate}").check(5000)
        if certificate:
            h.disabled(状态=certificate)
        h.row("disability_subsidy", 补贴类型="生活补贴", 发放年月=month, 发放状态=state)
        h.says("EXIT-SUBSIDY", outcome, h.head, level="orange")
