"""The rules of `rules.md`, one small function each, in the page's order, and the signals that come of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.oracle import calendar, packs
from tests.oracle.logic import Truth, all_, and_, any_, at_least, at_most, is_, less, not_, or_, within
from tests.oracle.reading import Deliveries, Row
from tests.oracle.words import Words

Condition = Callable[[Words, str], Truth]
Level = str | Callable[[Words, str], str]

RED, ORANGE, YELLOW, BLUE = "red", "orange", "yellow", "blue"
ORPHANS = ("孤儿", "事实无人抚养儿童")
LEFT_BEHIND = ("留守儿童", "留守妇女", "留守老人")
MATCHING_SET = ("dibao", "tekun", "monitored", "registry")
ASSISTANCE_FEEDS = {
    *("dibao", "tekun", "low_income", "temporary_aid", "applications", "monitored", "income", "disability"),
    *("disability_subsidy", "care_groups", "clues", "disasters", "payments"),
}


class Signal(NamedTuple):
    rule: str
    subject: str
    key: str
    level: str
    household_id: str = ""


HOUSEHOLD: dict[str, tuple[Level, Condition]] = {}
PERSON: dict[str, tuple[Level, Condition]] = {}
#: rules of which the dead are subjects too
DEAD_TOO = {"EXIT-DECEASED", "DQ-ID", "DQ-NAME", "DQ-UNREGISTERED", "DQ-TWO-HOUSEHOLDS"}
#: a rule that names an off parameter itself is disabled
NEEDS = {"PROC-EMERGENCY": "aid.emergency_working_days", "EXIT-HOME-RECENT": "property.recent_home_years"}


def household(code: str, level: Level) -> Callable[[Condition], Condition]:
    def register(condition: Condition) -> Condition:
        HOUSEHOLD[code] = (level, condition)
        return condition

    return register


def person(code: str, level: Level) -> Callable[[Condition], Condition]:
    def register(condition: Condition) -> Condition:
        PERSON[code] = (level, condition)
        return condition

    return register


# -- gaps -------------------------------------------------------------------------------------------------------


@household("GAP-DIBAO", RED)
def gap_dibao(w: Words, h: str) -> Truth:
    all_tekun = all(w.on("tekun", p) for p in w.county.living(h))
    return and_(less(w.income_pc(h), w.standard(h)), w.property_fits(h), not w.whole_dibao(h), not all_tekun)


@person("GAP-SINGLE", RED)
def gap_single(w: Words, p: str) -> Truth:
    h = w.home(p)
    scope: Truth = w.kind(h) == "未脱贫户" if w.p["dibao.single_scope"] == "未脱贫户" else w.is_low_income(h)
    free = not w.on("dibao", p) and not w.on("tekun", p) and not w.whole_dibao(h)
    return and_(or_(w.severe(p), w.seriously_ill(p)), scope, free)


def without_labour(w: Words, p: str) -> Truth:
    """No labour as GAP-TEKUN counts it: a minor below `tekun.minor_age` has none."""
    return or_(w.no_labour(p), w.age_below(p, w.p["tekun.minor_age"]))


@person("GAP-TEKUN", lambda w, p: YELLOW if w.whole_dibao(w.home(p)) else RED)
def gap_tekun(w: Words, p: str) -> Truth:
    h = w.home(p)
    entitled = or_(w.age_from(p, 60), w.age_below(p, w.p["tekun.minor_age"]), w.has_certificate(p))
    others = all_(without_labour(w, other) for other in w.county.living(h) if other != p)
    poor = less(w.income_pc(h), w.standard(h))
    return and_(entitled, without_labour(w, p), poor, others, not w.on("tekun", p))


@household("GAP-MARGINAL", YELLOW)
def gap_marginal(w: Words, h: str) -> Truth:
    income = w.income_pc(h)
    between = and_(at_most(w.standard(h), income), less(income, w.low_line(h)))
    return and_(between, w.property_fits(h), not w.any_on(h, "dibao", "tekun", "low_income"))


@household("GAP-RIGID", ORANGE)
def gap_rigid(w: Words, h: str) -> Truth:
    income = w.income_pc(h)
    rows = [row for p in w.county.living(h) for row in w.active_rows("low_income", p)]
    listed = any(row["类别"] == "刚性支出困难家庭" for row in rows)
    enough = income is None or income >= w.standard(h)
    return and_(w.heavy_rigid(h), enough, not w.any_on(h, "dibao", "tekun"), not listed)


def below_low_line_or_unknown(w: Words, h: str) -> bool:
    income = w.income_pc(h)
    return income is None or income < w.low_line(h)


@household("GAP-AT-RISK", lambda w, h: ORANGE if below_low_line_or_unknown(w, h) else YELLOW)
def gap_at_risk(w: Words, h: str) -> Truth:
    return w.at_risk(h) and not w.any_on(h, "dibao", "tekun")


@household("GAP-NO-MEASURE", ORANGE)
def gap_no_measure(w: Words, h: str) -> Truth:
    return w.at_risk(h) and (w.monitored_fact(h, "帮扶措施") is None or w.monitored_fact(h, "帮扶责任人") is None)


@household("GAP-SHOCK-AID", ORANGE)
def gap_shock_aid(w: Words, h: str) -> Truth:
    shocks = []
    for row in w.of_members("disasters", h, dead_too=True):
        hit = or_(less(0, row["损失金额"]), within(row["住房受损"], ("一般", "严重", "倒塌")))
        shocks.append((row["受灾日期"], hit))
    shocks += [(w.county.died[p], w.died_in_working_age(p)) for p in w.dead(h)]
    unaided = []
    for date, hit in shocks:
        if w.p["aid.follow_up_days"] < calendar.days_before(date, w.as_of) <= 365:
            unaided.append(and_(hit, w.missing_grants(w.county.living(h), "受理日期", date)))
    return and_(any_(unaided), below_low_line_or_unknown(w, h))


@household("GAP-DISASTER", RED)
def gap_disaster(w: Words, h: str) -> Truth:
    unaided = []
    for row in w.of_members("disasters", h, dead_too=True):
        end = row["过渡期救助结束日期"]
        if end is not None and 0 <= calendar.days_before(end, w.as_of) <= 365:
            unaided.append(w.missing_grants(w.county.living(h), "发放日期", end))
    return and_(any_(unaided), less(w.income_pc(h), w.standard(h)))


@person("GAP-GRADUATE", YELLOW)
def gap_graduate(w: Words, p: str) -> Truth:
    rows = w.of("graduates", p)
    recent = any(row["就业状态"] == "未就业" and w.last_months(row["毕业日期"], 24) for row in rows)
    return and_(recent, w.is_low_income(w.home(p)), w.missing_aid_last_year(p))


@household("GAP-RETURN-AID", ORANGE)
def gap_return_aid(w: Words, h: str) -> Truth:
    if not w.at_risk(h) or w.any_on(h, "dibao"):
        return False
    date = w.identified(h)
    if date is None:
        return None
    return and_(w.last_days(date, 90), w.missing_grants(w.county.living(h), "发放日期", date))


@person("GAP-DIS-LIVING", ORANGE)
def gap_dis_living(w: Words, p: str) -> Truth:
    return and_(w.has_certificate(p), w.on("dibao", p), w.missing_subsidy(p, "生活补贴"))


@person("GAP-DIS-CARE", ORANGE)
def gap_dis_care(w: Words, p: str) -> Truth:
    grade = w.has_certificate(p, lambda row: row["残疾等级"] in (1, 2))
    return and_(grade, not w.on("tekun", p), w.missing_subsidy(p, "护理补贴"))


@person("GAP-CHILD", RED)
def gap_child(w: Words, p: str) -> Truth:
    rows = [row for row in w.active_rows("care_groups", p) if row["类别"] in ORPHANS]
    without = any(not row["津贴金额"] for row in rows)
    return and_(without, w.age_below(p, 18), w.missing_orphan_payment(p))


def in_need(w: Words, p: str) -> Truth:
    """The people whom medical aid is for."""
    return or_(w.is_low_income(w.home(p)), w.on("dibao", p), w.on("tekun", p))


@person("GAP-MEDICAL-AID", ORANGE)
def gap_medical_aid(w: Words, p: str) -> Truth:
    major = w.major_illness_rows(p)
    if major is None:
        return and_(None, in_need(w, p))
    rows = [row for row in w.of("medical", p) if w.last_months(row["结算日期"], 12)]
    paid = [row["个人自付"] for row in rows if row["个人自付"] is not None]
    heavy = not_(less(sum(paid), w.p["risk.medical_self_paid"])) if paid else None
    unaided = all_(at_most(w.medical_aid(row), 0) for row in rows)
    return and_(bool(major), heavy, unaided, in_need(w, p))


def covered_by_policy(w: Words, p: str) -> bool:
    return w.on("dibao", p) or w.on("tekun", p) or w.at_risk(w.home(p))


@person("GAP-INSURANCE", ORANGE)
def gap_insurance(w: Words, p: str) -> Truth:
    return and_(covered_by_policy(w, p), w.uninsured(p))


@person("GAP-EDUCATION", YELLOW)
def gap_education(w: Words, p: str) -> Truth:
    return and_(w.is_pupil(p), covered_by_policy(w, p), w.missing_education_aid(p))


def dispersed(w: Words, p: str) -> list[Row]:
    return [row for row in w.active_rows("tekun", p) if row["供养方式"] == "分散供养"]


@person("GAP-TEKUN-CARE", ORANGE)
def gap_tekun_care(w: Words, p: str) -> Truth:
    return any(row["照料服务人"] is None for row in dispersed(w, p))


@person("GAP-TEKUN-CENTRAL", ORANGE)
def gap_tekun_central(w: Words, p: str) -> Truth:
    return any_(
        and_(within(row["自理能力"], ("半护理", "全护理")), is_(row["集中供养意愿"], "是")) for row in dispersed(w, p)
    )


@person("GAP-TEKUN-SAFETY", ORANGE)
def gap_tekun_safety(w: Words, p: str) -> Truth:
    return any_(
        and_(is_(row["自理能力"], "全自理"), is_(row["是否独居"], "是"), row["居家安全服务"] != "是")
        for row in dispersed(w, p)
    )


@person("GAP-TEKUN-AMOUNT", RED)
def gap_tekun_amount(w: Words, p: str) -> Truth:
    line = w.p["tekun.standard_ratio"] * w.standard(w.home(p))
    return any_(less(row["月基本生活费"], line) for row in w.active_rows("tekun", p))


@person("GAP-GUARDIAN", RED)
def gap_guardian(w: Words, p: str) -> Truth:
    rows = [row for row in w.active_rows("care_groups", p) if row["类别"] in ("留守儿童", *ORPHANS)]
    return any(row["监护人"] is None for row in rows)


@person("GAP-REPEAT-AID", ORANGE)
def gap_repeat_aid(w: Words, p: str) -> Truth:
    if any(w.on(feed, p) for feed in ("dibao", "tekun", "low_income")):
        return False
    if not w.loaded("temporary_aid"):
        return None
    return sum(w.last_months(date, 12) for date in w.aid_dates(p)) >= 2


@household("GAP-AFTER-EXIT", ORANGE)
def gap_after_exit(w: Words, h: str) -> Truth:
    ended = any(w.last_days(row["终止日期"], 180) for row in w.of_members("dibao", h))
    return and_(ended, not w.any_on(h, "dibao", "tekun", "low_income"), w.is_low_income(h))


@household("GAP-CLEARED-TOO-SOON", ORANGE)
def gap_cleared_too_soon(w: Words, h: str) -> Truth:
    if not w.in_monitored(h) or not w.cleared(h):
        return False
    living = w.county.living(h)
    helpless = and_(all_(w.no_labour(p) for p in living), not w.any_on(h, "dibao", "tekun"))
    dropout = any_(w.dropped_out(p) for p in living)
    poor = less(w.line_income(h), w.p["monitor.line"])
    return or_(w.unsafe_housing(h), w.unsafe_water(h), dropout, helpless, poor)


@person("GAP-WANDERER", ORANGE)
def gap_wanderer(w: Words, p: str) -> Truth:
    rows = [row for row in w.active_rows("care_groups", p) if row["类别"] == "易流浪走失人员"]
    return any(row["安置情况"] is None and row["监护人"] is None for row in rows)


# -- risks ------------------------------------------------------------------------------------------------------


@household("RISK-INCOME-LINE", ORANGE)
def risk_income_line(w: Words, h: str) -> Truth:
    poor = less(w.line_income(h), w.p["monitor.line"])
    return and_(w.in_monitored(h), poor, not w.any_on(h, "dibao", "tekun"))


@household("RISK-INCOME-DROP", ORANGE)
def risk_income_drop(w: Words, h: str) -> Truth:
    checks = [row for row in w.checks(h) if w.last_months(row["核对日期"], 24)]
    if len(checks) < 2:
        return None
    now, before = w.before_deductions(checks[0]), w.before_deductions(checks[1])
    return before > 0 and before - now >= w.p["risk.income_drop"] * before


@household("RISK-MEDICAL", ORANGE)
def risk_medical(w: Words, h: str) -> Truth:
    medical, income = w.medical_12m(h), w.income_year(h)
    if medical is None:
        return None
    left_low = income is None or (income - medical) / 12 / w.size(h) < w.p["risk.medical_left"] * w.standard(h)
    return medical >= w.p["risk.medical_self_paid"] and left_low


@household("RISK-RIGID", ORANGE)
def risk_rigid(w: Words, h: str) -> Truth:
    return w.heavy_rigid(h)


@person("RISK-NEW-DISABILITY", ORANGE)
def risk_new_disability(w: Words, p: str) -> Truth:
    rows = w.certificates(p)
    if rows is None:
        return None
    known = [row for row in w.county.every["disability"] if row.person == p] + w.of("disability", p)
    for new in rows:
        date = new["发证日期"]
        if not w.is_severe_certificate(new) or not w.last_months(date, 12):
            continue
        before = [old for old in known if old["发证日期"] is None or old["发证日期"] < date]
        if not any(old["残疾等级"] <= new["残疾等级"] for old in before):
            return True
    return False


@household("RISK-EARNER-DEATH", RED)
def risk_earner_death(w: Words, h: str) -> Truth:
    lost = [p for p in w.dead(h) if w.last_months(w.county.died[p], 12)]
    return any_(and_(w.died_in_working_age(p), not_(w.no_labour(p))) for p in lost)


@person("RISK-JOB-LOSS", YELLOW)
def risk_job_loss(w: Words, p: str) -> Truth:
    unemployed = any(w.last_months(row["失业登记日期"], 12) for row in w.of("social_insurance", p))
    ended = any(w.last_months(row["状态日期"], 12) for row in w.social(p, "终止参保"))
    h = w.home(p)
    return and_(unemployed or ended, or_(w.is_low_income(h), w.in_monitored(h)))


@household("RISK-DISASTER", RED)
def risk_disaster(w: Words, h: str) -> Truth:
    income = w.income_year(h)
    found = []
    for row in w.of_members("disasters", h, dead_too=True):
        if w.last_months(row["受灾日期"], 12):
            loss = row["损失金额"]
            half = None if income is None or loss is None else loss * 2 >= income
            found.append(or_(within(row["住房受损"], ("倒塌", "严重")), and_(less(0, loss), half)))
    return any_(found)


@person("RISK-DROPOUT", RED)
def risk_dropout(w: Words, p: str) -> Truth:
    return w.dropped_out(p)


@household("RISK-HOUSING", RED)
def risk_housing(w: Words, h: str) -> Truth:
    return w.unsafe_housing(h)


@household("RISK-WATER", ORANGE)
def risk_water(w: Words, h: str) -> Truth:
    return w.unsafe_water(h)


@household("RISK-POTENTIAL", YELLOW)
def risk_potential(w: Words, h: str) -> Truth:
    refused = any(
        row["审批结果"] == "不予批准" and w.last_months(row["办结日期"] or row["申请日期"], 12)
        for row in w.of_members("applications", h)
    )
    medical = w.medical_12m(h)
    half = None if medical is None else medical * 2 >= w.p["risk.medical_self_paid"]
    severe = any_(w.severe(p) for p in w.county.living(h))
    return and_(refused, or_(w.is_low_income(h), half, severe), not w.any_on(h, "dibao", "tekun"))


@person("RISK-SHARED", YELLOW)
def risk_shared(w: Words, p: str) -> Truth:
    aided: Truth = None
    if w.loaded("temporary_aid"):
        aided = any(w.last_months(date, 12) for date in w.aid_dates(p))
    burdens = (
        w.has_certificate(p),
        w.seriously_ill(p),
        w.unsafe_dwelling(w.home(p)),
        w.school_state(p, "辍学", "休学"),
    )
    return and_(or_(w.on("dibao", p), w.on("tekun", p), aided), at_least(2, burdens))


# -- exits ------------------------------------------------------------------------------------------------------


def fading(w: Words, h: str) -> bool:
    return any(row["渐退起始日期"] is not None for row in w.whole_rows(h))


def above_standard(w: Words, h: str) -> Truth:
    return less(w.standard(h), w.income_pc(h))


def gradual_exit_due(w: Words, h: str) -> Truth:
    ceiling = w.p["dibao.exit_ceiling"]
    by_work = w.rise_from_work(h) and w.p["dibao.exit_after_employment"]
    below = True if ceiling is None else less(w.income_pc(h), ceiling * w.standard(h))
    return or_(by_work, and_(not w.p["dibao.exit_needs_employment"], below))


@household("EXIT-GRADUAL", YELLOW)
def exit_gradual(w: Words, h: str) -> Truth:
    return and_(w.whole_dibao(h), not fading(w, h), above_standard(w, h), gradual_exit_due(w, h))


@household("EXIT-INCOME", ORANGE)
def exit_income(w: Words, h: str) -> Truth:
    return and_(w.whole_dibao(h), not fading(w, h), above_standard(w, h), not_(gradual_exit_due(w, h)))


@household("EXIT-GRADUAL-END", ORANGE)
def exit_gradual_end(w: Words, h: str) -> Truth:
    starts = [row["渐退起始日期"] for row in w.whole_rows(h) if row["渐退起始日期"] is not None]
    over = any(calendar.add_months(start, w.p["dibao.exit_months"]) <= w.as_of for start in starts)
    return and_(over, above_standard(w, h))


@household("EXIT-GRADUAL-BACK", YELLOW)
def exit_gradual_back(w: Words, h: str) -> Truth:
    return and_(fading(w, h), at_most(w.income_pc(h), w.standard(h)))


@person("EXIT-DECEASED", RED)
def exit_deceased(w: Words, p: str) -> Truth:
    died = w.county.died.get(p)
    if died is None:
        return False

    def paid_after(row: Row) -> bool:
        month = row["发放年月"]
        later = (month.year, month.month) > (died.year, died.month)
        return row["发放状态"] == "成功" and later and w.last_months(month, 12)

    def payment(row: Row) -> bool:
        return paid_after(row) and not any(word in row["项目"] for word in ("丧葬", "抚恤", "补发"))

    listed = any(w.on(feed, p) for feed in ("dibao", "tekun", "care_groups"))
    paid = any(map(payment, w.of("payments", p))) if w.loaded("payments") else None
    subsidy = any(map(paid_after, w.of("disability_subsidy", p))) if w.loaded("disability_subsidy") else None
    return or_(listed, paid, subsidy)


@person("EXIT-TWICE", RED)
def exit_twice(w: Words, p: str) -> Truth:
    return w.on("dibao", p) and w.on("tekun", p)


@person("EXIT-DUPLICATE", RED)
def exit_duplicate(w: Words, p: str) -> Truth:
    return len({row["救助证编号"] for row in w.active_rows("dibao", p)}) >= 2


def of_dibao(w: Words, p: str) -> bool:
    return w.whole_dibao(w.home(p)) or w.on("dibao", p)


@person("EXIT-INSURED", ORANGE)
def exit_insured(w: Words, p: str) -> Truth:
    return of_dibao(w, p) and bool(w.social(p, "正常参保"))


@person("EXIT-INSURANCE-ENDED", YELLOW)
def exit_insurance_ended(w: Words, p: str) -> Truth:
    return of_dibao(w, p) and bool(w.social(p, "终止参保", "领取待遇"))


@person("EXIT-VEHICLE", ORANGE)
def exit_vehicle(w: Words, p: str) -> Truth:
    return of_dibao(w, p) and any(row["状态"] == "正常" for row in w.vehicles(p))


@person("EXIT-VEHICLE-PROOF", BLUE)
def exit_vehicle_proof(w: Words, p: str) -> Truth:
    rows = w.vehicles(p)
    return of_dibao(w, p) and bool(rows) and all(row["状态"] == "注销" for row in rows)


@household("EXIT-HOME-RECENT", ORANGE)
def exit_home_recent(w: Words, h: str) -> Truth:
    return w.whole_dibao(h) and w.recent_home(h)


@household("EXIT-HOMES", ORANGE)
def exit_homes(w: Words, h: str) -> Truth:
    return w.whole_dibao(h) and w.homes(h) > w.p["property.max_homes"]


@person("EXIT-BUSINESS", YELLOW)
def exit_business(w: Words, p: str) -> Truth:
    return of_dibao(w, p) and any(row["状态"] == "存续" for row in w.of("business", p))


@person("EXIT-TEKUN-AGE", YELLOW)
def exit_tekun_age(w: Words, p: str) -> Truth:
    between = and_(w.age_from(p, w.p["tekun.minor_age"]), w.age_below(p, 60))
    return and_(w.on("tekun", p), between, not_(w.has_certificate(p)), not_(w.is_pupil(p)))


# -- process ----------------------------------------------------------------------------------------------------


@household("PROC-REVIEW", YELLOW)
def proc_review(w: Words, h: str) -> Truth:
    rows = [row for row in w.of_members("dibao", h) if w.active(row)]
    if not rows:
        return False
    township = w.county.house_township(h)
    if not w.covered("dibao", township, lambda row: row["最近复核日期"] is not None):
        return None
    months = w.p["review.months"]
    return any(
        calendar.older_than_months(row["最近复核日期"] or row["享受起始日期"], months[row["类别"] or "B"], w.as_of)
        for row in rows
    )


@household("PROC-DEATH-RECHECK", ORANGE)
def proc_death_recheck(w: Words, h: str) -> Truth:
    rows = [row for row in w.of_members("dibao", h) if w.active(row)]
    latest = max((row["最近复核日期"] for row in rows if row["最近复核日期"] is not None), default=None)
    dates = [w.county.died[p] for p in w.dead(h)]
    due = [date for date in dates if 90 < calendar.days_before(date, w.as_of) <= 365]
    return w.whole_dibao(h) and any(latest is None or latest < date for date in due)


@person("PROC-VISIT-TEKUN", ORANGE)
def proc_visit_tekun(w: Words, p: str) -> Truth:
    return and_(bool(dispersed(w, p)), w.person_missing_visit(p, "tekun"))


@person("PROC-VISIT-CARE", YELLOW)
def proc_visit_care(w: Words, p: str) -> Truth:
    listed = any(row["类别"] in (*ORPHANS, *LEFT_BEHIND) for row in w.active_rows("care_groups", p))
    return and_(listed, w.person_missing_visit(p, "care"))


@household("PROC-VISIT-MONITORED", YELLOW)
def proc_visit_monitored(w: Words, h: str) -> Truth:
    told = [row["最近走访日期"] for row in w.monitored_rows(h) if row["最近走访日期"] is not None]
    recent = any(date > w.as_of or w.last_days(date, w.p["visit.days"]["monitored"]) for date in told)
    missing = w.missing_visit(w.county.living(h), [h], w.county.house_township(h), "monitored")
    if recent:
        missing = False
    elif missing is None and told:
        missing = True
    return and_(w.at_risk(h), missing)


# -- data -------------------------------------------------------------------------------------------------------


@person("DQ-ID", YELLOW)
def dq_id(w: Words, p: str) -> Truth:
    newborn = w.age_below(p, 1) is True
    return w.county.number(p) is None and not newborn


@person("DQ-NAME", YELLOW)
def dq_name(w: Words, p: str) -> Truth:
    return w.county.number(p) is not None and len(w.county.number_names.get(p, ())) > 1


@person("DQ-UNREGISTERED", ORANGE)
def dq_unregistered(w: Words, p: str) -> Truth:
    return not w.county.member_rows[p] and bool(w.county.found_in[p] & ASSISTANCE_FEEDS)


@household("DQ-INCOME-UNKNOWN", YELLOW)
def dq_income_unknown(w: Words, h: str) -> Truth:
    clue = any(row["办结日期"] is None for row in w.of_members("clues", h))
    application = any(
        row["办结日期"] is None and row["审批结果"] not in ("批准", "不予批准")
        for row in w.of_members("applications", h)
    )
    concerned = w.any_on(h, "dibao", "low_income") or w.at_risk(h) or clue or application
    return w.income_pc(h) is None and concerned


@person("DQ-TWO-HOUSEHOLDS", ORANGE)
def dq_two_households(w: Words, p: str) -> Truth:
    rows = w.of("registry", p)
    return w.county.number(p) is not None and len({row["户编号"] for row in rows}) > 1


@household("DQ-FAMILY", YELLOW)
def dq_family(w: Words, h: str) -> Truth:
    if h not in w.county.house_rows:
        return False
    members = {row.person for row in w.county.house_rows[h] if row.person and w.county.is_living(row.person)}
    for certificate in {row["救助证编号"] for row in w.whole_rows(h)}:
        rows = [row for row in w.county.rows["dibao"] if row["救助证编号"] == certificate and w.active(row)]
        listed = {row.person for row in rows if row.person and w.county.is_living(row.person)}
        if len(listed) >= 2 and len(listed ^ members) > 1:
            return True
    return False


# -- records, institutions, feeds, policy -----------------------------------------------------------------------


def records(w: Words) -> Iterator[tuple[str, str, Row, Truth]]:
    """Every record that a rule judges: code, level, row and outcome."""
    for row in w.county.rows["disability_subsidy"]:
        if row["发放状态"] == "成功" and row["发放年月"] == w.month:
            certified = None if row.person is None else w.has_certificate(row.person)
            yield "EXIT-SUBSIDY", ORANGE, row, not_(certified)
    for row in w.county.rows["temporary_aid"]:
        if row["救助类型"] == "急难型" and w.p["aid.emergency_working_days"] is not None:
            yield "PROC-EMERGENCY", RED, row, proc_emergency(w, row)
        if row["先行救助"] == "是":
            yield "PROC-SUPPLEMENT", YELLOW, row, proc_supplement(w, row)
    for row in w.county.rows["clues"]:
        yield "PROC-CLUE", RED, row, and_(row["办结日期"] is None, is_before(row["办理期限"], w))
    for row in w.county.rows["payments"]:
        if row["发放状态"] in ("失败", "退回"):
            yield "PROC-PAYMENT", RED, row, proc_payment(w, row)
    for row in w.county.rows["officials"]:
        on_dibao = row.person is not None and w.county.is_living(row.person) and w.on("dibao", row.person)
        yield "PROC-KINSHIP", RED, row, on_dibao and row["备案日期"] is None
    for rows in w.county.rows.values():
        for row in rows:
            if row.undecided:
                yield "DQ-LINK", YELLOW, row, True


def is_before(date: object, w: Words) -> Truth:
    return None if date is None else bool(date < w.as_of)  # type: ignore[operator]


def proc_emergency(w: Words, row: Row) -> bool:
    begun = min(date for date in (row["发现日期"], row["受理日期"]) if date is not None)
    refused = row["审批日期"] is not None and not row["救助金额"]
    days = calendar.working_days(begun, row["发放日期"] or w.as_of)
    return w.last_months(begun, 12) and not refused and days > w.p["aid.emergency_working_days"]


def proc_supplement(w: Words, row: Row) -> bool:
    paid = row["发放日期"]
    if paid is None or row["补充说明日期"] is not None or not w.last_months(paid, 12):
        return False
    return bool(calendar.working_days(paid, w.as_of) > w.p["aid.supplement_working_days"])


def proc_payment(w: Words, row: Row) -> Truth:
    month = row["发放年月"]
    if not w.last_months(month, 12):
        return False
    if row.person is None:
        return None
    died = w.county.died.get(row.person)
    if died is not None and died < month:
        return False
    return not any(
        other["发放状态"] == "成功" and other["项目"] == row["项目"] and other["发放年月"] == month
        for other in w.of("payments", row.person)
    )


def other_signals(w: Words) -> Iterator[Signal]:
    for code, level, row, outcome in records(w):
        if outcome is True:
            key = w.county.key(row.person) if row.person else w.county.row_name(row)
            yield Signal(code, "record", key, level, w.home(row.person) if row.person else "")
    for row in w.county.rows["institutions"]:
        residents, carers = row["入住人数"], row["护理员人数"]
        if residents > w.p["tekun.residents_per_carer"] * carers:
            yield Signal("GAP-CARERS", "institution", row["机构名称"], ORANGE)
    for feed in MATCHING_SET:
        if feed not in w.county.delivered_now:
            yield Signal("PROC-FEED-LATE", "feed", feed, RED)
    rural, urban = w.p["dibao.standard_rural"], w.p["dibao.standard_urban"]
    if rural * 12 < w.p["poverty.line"]:
        yield Signal("POL-POVERTY-LINE", "policy", w.pack, YELLOW)
    if rural < w.p["dibao.urban_rural_ratio"] * urban:
        yield Signal("POL-URBAN-RURAL", "policy", w.pack, YELLOW)


# -- all together -----------------------------------------------------------------------------------------------


def judge(w: Words) -> Iterator[tuple[str, str, str, str, Truth, str]]:
    """Every H and P rule on every subject: code, kind, subject, key, outcome and level."""
    for kind, rules in (("household", HOUSEHOLD), ("person", PERSON)):
        for code, (level, condition) in rules.items():
            if code in NEEDS and w.p[NEEDS[code]] is None:
                continue
            if kind == "household":
                subjects = [h for h in sorted(w.county.households) if w.size(h)]
            else:
                subjects = [p for p in w.county.persons if code in DEAD_TOO or w.county.is_living(p)]
            for subject in subjects:
                outcome = condition(w, subject)
                shade = level if isinstance(level, str) else level(w, subject)
                key = subject if kind == "household" else w.county.key(subject)
                yield code, kind, subject, key, outcome, shade


def signals_detailed(deliveries: Deliveries, period: str, pack: str) -> list[Signal]:
    """Every signal with the household it belongs to."""
    w = Words(deliveries, period, pack)
    found = []
    for code, kind, subject, key, outcome, shade in judge(w):
        if outcome is True:
            found.append(Signal(code, kind, key, shade, subject if kind == "household" else w.home(subject)))
    return found + list(other_signals(w))


def signals(deliveries: Deliveries, period: str, pack: str) -> set[tuple[str, str, str, str]]:
    """(rule, subject, key, level) of every signal."""
    return {(s.rule, s.subject, s.key, s.level) for s in signals_detailed(deliveries, period, pack)}


def outcomes(deliveries: Deliveries, period: str, pack: str) -> dict[tuple[str, str], str]:
    """hit, clear or unknown for every H and P rule and subject. Namesakes without a number share a key: hit wins."""
    order = ("clear", "unknown", "hit")
    found: dict[tuple[str, str], str] = {}
    for code, _, _, key, outcome, _ in judge(Words(deliveries, period, pack)):
        verdict = {True: "hit", False: "clear", None: "unknown"}[outcome]
        found[code, key] = max(found.get((code, key), "clear"), verdict, key=order.index)
    return found


def disabled(pack: str, period: str) -> set[str]:
    """Rules that a pack switches off, for tables and reports."""
    values = packs.parameters(pack, calendar.as_of(period))
    return {code for code, parameter in NEEDS.items() if values[parameter] is None}
