"""The 18 sets that must be covered so that no household and no person is missed (`domain.md` 3.6).

A set is one SELECT over the published tables: its members, each with `how` the member stands. The counts, the list of the
missing and the tests all come from this one text. `how` is one of COVERED, MISSING or UNKNOWN below; a set whose sources
have no file at all is unknown as a whole, never 100 %.

Columns of every SELECT: household_key, person_id, township, village, how. `{as_of}` is the run's day, `{hit:CODE}` the
outcome of a rule for the row (true, false, or NULL: unknown).
"""

from __future__ import annotations

from dataclasses import dataclass

COVERED = (
    "已享受救助",
    "已享受相应待遇",
    "数据核清",
    "未批准有记录",
    "办理中",
    "已走访",
    "已办结",
    "有人照管",
    "已纳入台账",
    "已再次评估",
)
MISSING = ("无人担保", "未发放", "未走访", "逾期未办结", "无人照管", "未纳入台账", "未再次评估")
UNKNOWN = ("情况不明",)


@dataclass(frozen=True)
class Set:
    """One set: number, Chinese title, what counts as covered, unit (household, person, record, village), the department
    that answers for it, the feeds that it needs, and its SELECT (None: no source yet, so unknown)."""

    number: int
    title: str
    test: str
    unit: str
    department: str
    feeds: tuple[str, ...]
    select: str | None


_H = "select household_key, head_person_id as person_id, township, village, {how} as how from household_snapshot where {who}"
_P = "select household_key, person_id, township, village, {how} as how from person_snapshot where alive and {who}"


def _household(who: str, how: str) -> str:
    return _H.replace("{how}", how).replace("{who}", who)


def _person(who: str, how: str) -> str:
    return _P.replace("{how}", how).replace("{who}", who)


def _first(*branches: tuple[str, str], otherwise: str) -> str:
    """CASE: the first condition that is true decides; a NULL condition does not."""
    return (
        "case " + " ".join(f"when {condition} then '{how}'" for condition, how in branches) + f" else '{otherwise}' end"
    )


SETS = (
    Set(1, "监测户和有返贫致贫风险的户", "在低保、特困或低收入台账内，或有“不符合”的记录", "household", "乡村振兴", ("monitored", "dibao", "tekun"),
        _household("at_risk", _first(("any_dibao or any_tekun or any_low_income", "已享受救助"), ("refused_12m", "未批准有记录"),
                                     ("open_request", "办理中"), ("income_pc is null", "情况不明"), ("not low_income_household", "数据核清"),
                                     otherwise="无人担保"))),
    Set(2, "重度残疾人", "在低保或特困内，或申请未批准有记录，或数据核清", "person", "残联", ("disability", "dibao", "tekun"),
        _person("severe", _first(("on_dibao or on_tekun or whole_household_dibao or on_low_income", "已享受救助"),
                                 ("exists (select 1 from household_snapshot h where h.household_key = person_snapshot.household_key and h.refused_12m)", "未批准有记录"),
                                 ("not low_income_household", "数据核清"), ("low_income_household is null", "情况不明"), otherwise="无人担保"))),
    Set(3, "重病患者", "得到医疗救助，或数据核清", "person", "医保", ("medical",),
        _person("major_disease", _first(("medical_aid_12m > 0", "已享受相应待遇"), ("not low_income_household and not on_dibao and not on_tekun", "数据核清"),
                                        ("low_income_household is null or medical_aid_12m is null", "情况不明"), otherwise="无人担保"))),
    Set(4, "符合特困条件的人", "已纳入特困或低保", "person", "民政", ("tekun", "registry", "income"),
        _person("(on_tekun or {hit:GAP-TEKUN} or ({hit:GAP-TEKUN}) is null)",
                _first(("on_tekun or on_dibao", "已享受救助"), ("({hit:GAP-TEKUN}) is null", "情况不明"), otherwise="无人担保"))),
    Set(5, "特困的16、17周岁未成年人", "延续供养，没有因满16周岁停保", "person", "民政", ("tekun",),
        _person("age in (16, 17) and person_id in (select person_id from std_tekun where counts)",
                _first(("on_tekun or on_dibao", "已享受救助"), otherwise="无人担保"))),
    Set(6, "独居老人和独居特困", "按期走访，独居特困有居家安全服务", "person", "民政", ("tekun", "care_groups", "visits"),
        _person("((on_tekun and lives_alone) or contains(care_categories, '留守老人'))",
                _first(("case when on_tekun then tekun_visited and home_safety else care_visited end", "已走访"),
                       ("case when on_tekun then tekun_visited is null or home_safety is null else care_visited is null end", "情况不明"), otherwise="未走访"))),
    Set(7, "留守儿童、妇女、老人", "在台账内并按期走访", "person", "民政", ("care_groups", "visits"),
        _person("contains(care_categories, '留守')", _first(("care_visited", "已走访"), ("care_visited is null", "情况不明"), otherwise="未走访"))),
    Set(8, "孤儿和事实无人抚养儿童", "津贴已发放", "person", "民政", ("care_groups", "payments"),
        _person("orphan_or_unattended and age < 18",
                _first(("not allowance_missing or orphan_paid", "已享受相应待遇"), ("orphan_paid is null", "情况不明"), otherwise="未发放"))),
    Set(9, "应领残疾人两项补贴的人", "当月补贴发放成功", "person", "残联", ("disability", "disability_subsidy"),
        _person("((has_certificate and on_dibao) or (certificate_1_2 and not on_tekun))",
                _first(("((has_certificate and on_dibao) is not true or living_subsidy_paid) and ((certificate_1_2 and not on_tekun) is not true or care_subsidy_paid)", "已享受相应待遇"),
                       ("(has_certificate and on_dibao and not living_subsidy_paid) or (certificate_1_2 and not on_tekun and not care_subsidy_paid)", "未发放"),
                       otherwise="情况不明"))),
    Set(10, "近12个月申请未批准的户", "已享受救助、正在办理或已回访", "household", "民政", ("applications", "visits"),
        _household("refused_12m", _first(("any_dibao or any_tekun or any_low_income", "已享受救助"), ("open_request", "办理中"), ("visited_recently", "已走访"),
                                         ("visited_recently is null", "情况不明"), otherwise="未走访"))),
    Set(11, "近12个月停保的户", "转入其他救助，或数据核清", "household", "民政", ("dibao",),
        _household("dibao_ended and dibao_ended_days <= 365",
                   _first(("any_dibao or any_tekun or any_low_income", "已享受救助"), ("not low_income_household", "数据核清"),
                          ("low_income_household is null", "情况不明"), otherwise="无人担保"))),
    Set(12, "近12个月两次以上临时救助的人", "已评估是否纳入低保", "person", "民政", ("temporary_aid",),
        _person("aid_grants_12m >= 2", _first(("on_dibao or on_tekun or on_low_income", "已享受救助"),
                ("person_id in (select person_id from std_applications, run where counts and item = '低保' and applied_date > as_of - interval 12 months)", "已再次评估"),
                otherwise="未再次评估"))),
    Set(13, "受灾户、未就业毕业生、失业人员", "得到救助，或数据核清", "person", "应急", ("disasters", "graduates", "social_insurance"),
        _person("""(unemployed_graduate or job_lost or (is_head and household_key in
                    (select household_key from household_snapshot where dwelling_destroyed_12m or disaster_loss_12m > 0)))""",
                _first(("aided_12m or on_dibao or on_tekun or on_low_income", "已享受救助"), ("not low_income_household", "数据核清"),
                       ("aided_12m is null or low_income_household is null", "情况不明"), otherwise="无人担保"))),
    Set(14, "易走失、流浪人员", "有安置或监护人", "person", "民政", ("care_groups",),
        _person("contains(care_categories, '走失')", _first(("not wanderer_alone", "有人照管"), ("wanderer_alone is null", "情况不明"), otherwise="无人照管"))),
    Set(15, "近12个月热线、信访等线索", "按期办结", "record", "民政", ("clues",),
        """select p.household_key, c.person_id, coalesce(p.township, c.township) as township, coalesce(p.village, c.village) as village,
                  case when concluded_date <= as_of then '已办结' when due_date is null then '情况不明'
                       when due_date < as_of then '逾期未办结' else '办理中' end as how
           from std_clues c cross join run left join person_snapshot p using (person_id)
           where c.counts and registered_date <= as_of and registered_date > as_of - interval 12 months"""),
    Set(16, "村（社区）", "本月有走访记录", "village", "村/镇", ("visits",),
        """select null::BIGINT as household_key, null::BIGINT as person_id, v.township, v.village,
                  case when n.village is not null then '已走访' when t.township is null then '情况不明' else '未走访' end as how
           from (select distinct township, village from household where village is not null) v
           left join (select distinct coalesce(p.township, s.township) as township, coalesce(p.village, s.village) as village
                      from std_visits s cross join run left join person_snapshot p using (person_id)
                      where counts and date_trunc('month', visited_date) = date_trunc('month', as_of)) n using (township, village)
           left join (select township from feed_township, run where feed = 'visits'
                      and last_period = year(as_of) * 100 + month(as_of)) t using (township)"""),
    Set(17, "预警户", "按期核实", "household", "乡镇", (), None),
    Set(18, "监测平台与本地台账", "监测对象都在户籍台账内", "person", "乡村振兴", ("monitored", "registry"),
        """select p.household_key, m.person_id, coalesce(p.township, m.township) as township, coalesce(p.village, m.village) as village,
                  case when m.person_id is null then '情况不明' when p.registered then '已纳入台账' else '未纳入台账' end as how
           from (select distinct person_id, case when person_id is null then township end as township,
                        case when person_id is null then village end as village,
                        case when person_id is null then "row" end as "row"
                 from std_monitored where counts) m left join person_snapshot p using (person_id)"""),
)  # fmt: skip
BY_NUMBER = {item.number: item for item in SETS}
