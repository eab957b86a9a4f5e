"""Gaps of households: who should be covered and is not."""

from __future__ import annotations

from tests.cases.building import STANDARDS, County


def tell(c: County) -> None:
    dibao(c)
    marginal(c)
    rigid(c)
    at_risk(c)
    shocks(c)
    return_and_exit(c)
    cleared(c)


def dibao(c: County) -> None:
    for line in STANDARDS:
        for income in (line - 0.01, line, line + 0.01):
            h = c.house(f"{income} a head", "1981-05-05", "1982-06-06").check(income)
            h.says("GAP-DIBAO", lambda p, x=income: x < p.standard, level="red")
    two = ("1981-05-05", "1982-06-06")
    h = c.house("no income known", *two)
    h.says("GAP-DIBAO", "unknown").says("GAP-MARGINAL", "unknown")
    h = c.house("no income known, but a car", *two).row("vehicles", 车辆类型="汽车", 状态="正常")
    h.says("GAP-DIBAO", "clear").says("GAP-MARGINAL", "clear")
    h = c.house("a check of blank items is none", *two).row("income", 核对日期="2026-05-05")
    h.says("GAP-DIBAO", "unknown")
    c.house("a check of 24 months", *two).check(300, "2024-11-30").says("GAP-DIBAO", "hit")
    c.house("a check older than 24 months", *two).check(300, "2024-11-29").says("GAP-DIBAO", "unknown")
    c.house("a check after as-of", *two).check(300, "2026-12-01").says("GAP-DIBAO", "unknown")
    c.house("the later check counts", *two).check(300, "2026-01-01").check(3000, "2026-02-02").says(
        "GAP-DIBAO", "clear"
    )
    c.house("income by the monitoring list", *two).monitored(人均纯收入="5039.99").says("GAP-DIBAO", "hit")
    c.house("not below the line by the monitoring list", *two).monitored(人均纯收入="7800").says("GAP-DIBAO", "clear")
    c.house("the check before the monitoring list", *two).monitored(人均纯收入="100").check(3000).says(
        "GAP-DIBAO", "clear"
    )
    h = c.house("income by the dibao ledger", *two)
    h.dibao(h.head, 保障方式="单人户", 家庭月人均收入="419.99").says("GAP-DIBAO", "hit")
    cost = c.house("cost of work is deducted", *two).check(700, 必要就业成本="6720")
    cost.says("GAP-DIBAO", lambda p: p.standard > 700 - 280)
    spent = c.house("rigid expenditure is deducted", *two).check(700, 教育支出="6720")
    spent.says("GAP-DIBAO", lambda p: p.rigid and p.standard > 700 - 280)
    town = c.house("an urban household", *two).check(599.99)
    for row in c.rows["registry"][-2:]:
        row["户籍类型"] = "城镇"
    town.says("GAP-DIBAO", lambda p: p.urban > 599.99)
    # what is owned
    h = c.house("a motor-cycle", *two).check(300).row("vehicles", 车辆类型="摩托车", 状态="正常")
    h.says("GAP-DIBAO", lambda p: "摩托车" not in p.vehicles)
    h = c.house("a car", *two).check(300).row("vehicles", 车辆类型="汽车", 状态="正常").says("GAP-DIBAO", "clear")
    h = (
        c.house("a cancelled car", *two)
        .check(300)
        .row("vehicles", 车辆类型="汽车", 状态="注销")
        .says("GAP-DIBAO", "hit")
    )
    home = {"房屋性质": "商品房", "取得方式": "继承", "登记日期": "2010-01-01", "状态": "现势"}
    h = c.house("one home", *two).check(300).row("real_estate", 不动产权证号="T1", **home).says("GAP-DIBAO", "hit")
    h = c.house("one home of two owners", *two).check(300).row("real_estate", 不动产权证号="T2", **home)
    h.row("real_estate", h.members[1], 不动产权证号="T2", **home).says("GAP-DIBAO", "hit")
    h = c.house("two homes", *two).check(300).row("real_estate", 不动产权证号="T3", **home)
    h.row("real_estate", h.members[1], 不动产权证号="T4", **home).says("GAP-DIBAO", "clear")
    bought = {"房屋性质": "商品房", "取得方式": "购买", "状态": "现势"}
    h = c.house("a home bought in the last three years", *two).check(300)
    h.row("real_estate", 不动产权证号="T5", 登记日期="2023-12-01", **bought).says(
        "GAP-DIBAO", lambda p: not p.recent_home
    )
    h = c.house("a home bought three years ago", *two).check(300)
    h.row("real_estate", 不动产权证号="T6", 登记日期="2023-11-30", **bought).says("GAP-DIBAO", "hit")
    firm = {"统一社会信用代码": "91500998000001", "成立日期": "2015-01-01"}
    for role, state, gap in (
        ("经营者", "存续", "clear"), ("法定代表人", "存续", "clear"), ("股东", "存续", "hit"), ("经营者", "注销", "hit"),
    ):  # fmt: skip
        c.house(f"{role} {state}", *two).check(300).row("business", 角色=role, 状态=state, **firm).says(
            "GAP-DIBAO", gap
        )
    # who is covered
    c.house("on whole-household dibao", *two).check(300).dibao().says("GAP-DIBAO", "clear")
    c.house("a blank 保障方式 is 整户", *two).check(300).dibao(保障方式="").says("GAP-DIBAO", "clear")
    h = c.house("one member only on dibao", *two).check(300)
    h.dibao(h.head, 保障方式="单人户").says("GAP-DIBAO", "hit")
    c.house("dibao has ended", *two).check(300).dibao(终止日期="2026-11-30").says("GAP-DIBAO", "hit")
    c.house("dibao ends later", *two).check(300).dibao(终止日期="2026-12-01").says("GAP-DIBAO", "clear")
    c.house("dibao begins later", *two).check(300).dibao(享受起始日期="2026-12-01").says("GAP-DIBAO", "hit")
    h = c.house("all on tekun", "1950-01-01", "1951-01-01").check(300)
    h.tekun().tekun(h.members[1]).says("GAP-DIBAO", "clear")
    h = c.house("not all on tekun", "1950-01-01", "1951-01-01").check(300).tekun().says("GAP-DIBAO", "hit")
    h = c.house("the dead do not count in the size", "1981-05-05", "1982-06-06")
    h.died(h.members[1], "2025-01-01").check(419.99).says("GAP-DIBAO", "hit")


def marginal(c: County) -> None:
    two = ("1981-05-05", "1982-06-06")
    for line in STANDARDS:
        for income in (line - 0.01, line, 1.5 * line - 0.01, 1.5 * line):
            h = c.house(f"{income} a head, marginal?", *two).check(income)
            h.says("GAP-MARGINAL", lambda p, x=income: p.standard <= x < 1.5 * p.standard, level="yellow")
    c.house("marginal and listed", *two).check(650).listed().says("GAP-MARGINAL", "clear")
    h = c.house("marginal and one on dibao", *two).check(620)
    h.dibao(h.head, 保障方式="单人户").says("GAP-MARGINAL", "clear")
    c.house("marginal with a car", *two).check(620).row("vehicles", 车辆类型="汽车", 状态="正常").says(
        "GAP-MARGINAL", "clear"
    )


def rigid(c: County) -> None:
    """3000 yuan a month, 36000 a year: rigid expenditure is heavy from 21600 on."""

    for paid, heavy in (("21600", True), ("21599.99", False)):
        h = c.house(f"{paid} of 36000 spent").check(3000).ill(paid)
        h.says("GAP-RIGID", heavy, level="orange").says("RISK-RIGID", heavy, level="orange")
    h = c.house("education and rehabilitation add up").check(3000, 教育支出="10000", 残疾康复支出="10000").ill("1600")
    h.says("RISK-RIGID", "hit").says("GAP-RIGID", "hit")
    h = c.house("settlements of last year do not count").check(3000).ill("30000", 结算日期="2025-11-30")
    h.says("RISK-RIGID", "clear")
    h = c.house("settlements of the last twelve months do").check(3000).ill("30000", 结算日期="2025-12-01")
    h.says("RISK-RIGID", "hit")
    h = c.house("listed as 刚性支出困难家庭").check(3000).ill("21600").listed("刚性支出困难家庭")
    h.says("GAP-RIGID", "clear").says("RISK-RIGID", "hit")
    c.house("listed otherwise").check(3000).ill("21600").listed("低保边缘家庭").says("GAP-RIGID", "hit")
    c.house("heavy and on dibao").check(3000).ill("21600").dibao().says("GAP-RIGID", "clear")
    c.house("heavy and below the standard").check(200).ill("2400").says("GAP-RIGID", "clear").says("RISK-RIGID", "hit")
    c.house("nothing spent, nothing earned").check(0).says("RISK-RIGID", "clear").says("GAP-RIGID", "clear")
    c.house("spent, income unknown").ill("21600").says("RISK-RIGID", "unknown").says("GAP-RIGID", "unknown")


def at_risk(c: County) -> None:
    for kind in ("未脱贫户", "脱贫不稳定户", "边缘易致贫户", "突发严重困难户"):
        c.house(f"{kind} poor").monitored(kind).check(400).says("GAP-AT-RISK", "hit", level="orange")
    c.house("脱贫户").monitored("脱贫户").check(400).says("GAP-AT-RISK", "clear").says("GAP-NO-MEASURE", "clear")
    c.house("at risk, rich").monitored().check(5000).says("GAP-AT-RISK", "hit", level="yellow")
    for line in STANDARDS:
        h = c.house(f"at risk, at {1.5 * line}").monitored().check(1.5 * line)
        h.says("GAP-AT-RISK", "hit", level=lambda p, x=line: "orange" if x < p.standard else "yellow")
    c.house("at risk, income unknown").monitored().says("GAP-AT-RISK", "hit", level="orange")
    c.house("risk removed").monitored(风险是否消除="是").check(400).says("GAP-AT-RISK", "clear")
    c.house("risk removed later").monitored(风险是否消除="是", 风险消除日期="2026-12-01").check(400).says(
        "GAP-AT-RISK", "hit"
    )
    c.house("at risk, on dibao").monitored().check(400).dibao().says("GAP-AT-RISK", "clear")
    c.house("listed later").monitored(识别日期="2026-12-01").check(400).says("GAP-AT-RISK", "clear")
    c.house("no measure").monitored(帮扶措施="").check(5000).says("GAP-NO-MEASURE", "hit", level="orange")
    c.house("nobody responsible").monitored(帮扶责任人="").check(5000).says("GAP-NO-MEASURE", "hit")
    c.house("both").monitored().check(5000).says("GAP-NO-MEASURE", "clear")
    h = c.house("on one row of the family", "1981-05-05", "1982-06-06").check(5000)
    h.monitored("边缘易致贫户", h.head, 帮扶措施="").monitored("边缘易致贫户", h.members[1]).says(
        "GAP-NO-MEASURE", "clear"
    )


def shocks(c: County) -> None:
    """Nothing of 2026-11-01 to 11-30 is more than 30 days ago; the county has rows of aid accepted on 2026-10-30."""
    hit = {"灾害类型": "洪涝", "损失金额": "5000"}
    for day, fires in (("2026-10-31", False), ("2026-10-30", True), ("2025-11-30", True), ("2025-11-29", False)):
        h = c.house(f"hit on {day}").check(400).row("disasters", 受灾日期=day, **hit)
        h.says("GAP-SHOCK-AID", fires, level="orange")
    old = {"灾害类型": "洪涝", "受灾日期": "2026-06-06"}
    for loss, damage, fires in (
        ("0", "无", "clear"), ("0.01", "无", "hit"), ("0", "一般", "hit"), ("", "倒塌", "hit"), ("", "严重", "hit"), ("", "", "unknown"),
        ("", "无", "unknown"), ("0", "", "unknown"),
    ):  # fmt: skip
        h = c.house(f"loss {loss or 'blank'}, damage {damage or 'blank'}").check(400)
        h.row("disasters", 损失金额=loss, 住房受损=damage, **old).says("GAP-SHOCK-AID", fires)
    h = c.house("aid accepted since").check(400).row("disasters", 受灾日期="2026-06-06", **hit)
    h.aid("", 受理日期="2026-06-06").says("GAP-SHOCK-AID", "clear")
    h = c.house("aid accepted before").check(400).row("disasters", 受灾日期="2026-06-06", **hit)
    h.aid("2026-06-05").says("GAP-SHOCK-AID", "hit")
    h = c.house("hit, low income unknown").row("disasters", 受灾日期="2026-06-06", **hit).says("GAP-SHOCK-AID", "hit")
    for line in STANDARDS:
        h = c.house(f"hit, at {1.5 * line}").check(1.5 * line).row("disasters", 受灾日期="2026-06-06", **hit)
        h.says("GAP-SHOCK-AID", lambda p, x=line: x < p.standard)
    for born, at_death, fires in (
        ("1966-06-06", "60", False), ("1966-06-07", "59", True), ("2008-06-06", "18", True), ("2008-06-07", "17", False),
    ):  # fmt: skip
        h = c.house(f"a member died at {at_death}", "1981-05-05", born)
        h.died(h.members[1], "2026-06-06").check(400).says("GAP-SHOCK-AID", fires)
    # the end of the transition: paid aid since
    ended = {"灾害类型": "洪涝", "受灾日期": "2025-06-06", "损失金额": "0", "住房受损": "无"}
    for day, gap in (
        ("2026-12-01", "clear"), ("2026-10-30", "hit"), ("2025-11-30", "hit"), ("2025-11-29", "clear"), ("2026-11-17", "unknown"), ("", "clear"),
    ):  # fmt: skip
        h = c.house(f"transition ended {day or 'never'}").check(400).row("disasters", 过渡期救助结束日期=day, **ended)
        h.says("GAP-DISASTER", gap, level="red")
    h = c.house("aid paid since the transition").check(400).row("disasters", 过渡期救助结束日期="2026-08-08", **ended)
    h.aid("2026-08-08").says("GAP-DISASTER", "clear")
    h = c.house("aid not yet paid").check(400).row("disasters", 过渡期救助结束日期="2026-08-08", **ended)
    h.aid("", 受理日期="2026-08-08").says("GAP-DISASTER", "hit")
    h = (
        c.house("transition, income unknown")
        .row("disasters", 过渡期救助结束日期="2026-08-08", **ended)
        .says("GAP-DISASTER", "unknown")
    )
    for line in STANDARDS:
        h = c.house(f"transition, at {line}").check(line).row("disasters", 过渡期救助结束日期="2026-08-08", **ended)
        h.says("GAP-DISASTER", lambda p, x=line: x < p.standard)


def return_and_exit(c: County) -> None:
    for day, gap in (("2026-09-02", "hit"), ("2026-09-01", "clear"), ("2026-11-17", "unknown"), ("", "unknown")):
        h = c.house(f"identified {day or 'some day'}").monitored(识别日期=day).check(5000)
        h.says("GAP-RETURN-AID", gap, level="orange")
    c.house("identified, aided").monitored(识别日期="2026-10-01").aid("2026-10-01").says("GAP-RETURN-AID", "clear")
    c.house("identified, aided before").monitored(识别日期="2026-10-02").aid("2026-10-01").says("GAP-RETURN-AID", "hit")
    c.house("identified, on dibao").monitored(识别日期="2026-10-01").dibao().says("GAP-RETURN-AID", "clear")
    c.house("identified, 脱贫户").monitored("脱贫户", 识别日期="2026-10-01").says("GAP-RETURN-AID", "clear")
    for day, gap in (("2026-06-04", True), ("2026-06-03", False), ("2026-11-30", True), ("2026-12-01", False)):
        h = c.house(f"dibao ended {day}").check(400).dibao(终止日期=day).says("GAP-AFTER-EXIT", gap, level="orange")
    c.house("ended, listed now").check(400).dibao(终止日期="2026-09-09").listed().says("GAP-AFTER-EXIT", "clear")
    c.house("ended, rich").check(5000).dibao(终止日期="2026-09-09").says("GAP-AFTER-EXIT", "clear")
    c.house("ended, income unknown").dibao(终止日期="2026-09-09").says("GAP-AFTER-EXIT", "unknown")
    h = (
        c.house("ended, but under another certificate", "1981-05-05", "1982-06-06")
        .check(400)
        .dibao(终止日期="2026-09-09")
    )
    h.dibao(h.head, 救助证编号="D2").says("GAP-AFTER-EXIT", "clear")


def cleared(c: County) -> None:
    """Safe, with labour and 10000 yuan a head unless said otherwise."""
    safe = {
        "风险是否消除": "是",
        "人均纯收入": "10000",
        "住房是否安全": "是",
        "饮水是否安全": "是",
        "义务教育是否辍学": "否",
    }
    rule = "GAP-CLEARED-TOO-SOON"
    c.house("cleared, nothing the matter").monitored(**safe).says(rule, "clear")
    c.house("not cleared").monitored(**{**safe, "风险是否消除": "", "住房是否安全": "否"}).says(rule, "clear")
    c.house("cleared, dwelling unsafe").monitored(**{**safe, "住房是否安全": "否"}).says(rule, "hit", level="orange")
    c.house("cleared, water unsafe").monitored(**{**safe, "饮水是否安全": "否"}).says(rule, "hit")
    c.house("cleared, water not said").monitored(**{**safe, "饮水是否安全": ""}).says(rule, "unknown")
    h = c.house("cleared, a child dropped out", "1981-05-05", "2014-04-04").monitored(**safe)
    h.row("education", h.members[1], 学段="小学", 学籍状态="辍学").says(rule, "hit")
    c.house("cleared, nobody with labour", "1950-01-01").monitored(**safe).says(rule, "hit")
    c.house("cleared, nobody with labour, on dibao", "1950-01-01").monitored(**safe).dibao().says(rule, "clear")
    for income in (5999.99, 6000, 7999.99, 8000, 8799.99, 8800):
        h = c.house(f"cleared, {income} a year").monitored(**{**safe, "人均纯收入": str(income)})
        h.says(rule, lambda p, x=income: x < p.line)
    c.house("cleared, income unknown").monitored(**{**safe, "人均纯收入": ""}).says(rule, "unknown")
