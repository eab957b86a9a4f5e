"""What the forecast reads of a household, as of one period, from that period's warehouse alone.

Township, ethnicity and sex are no features: they are the groups by which the list is checked for fairness. A value that is
not known stays NULL: the model keeps missing apart.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """One feature: its SQL over h (household_snapshot), m (sums of its living members), g (what the rules that look for need say of
    it in the period) and run, and how it is said.

    `relief` is what would lower the risk where this feature raises it ("" where nobody can change it).
    """

    name: str
    sql: str
    zh: str
    en: str
    unit: str = ""
    relief: str = ""

    @property
    def share(self) -> bool:
        """Shown as a percentage."""
        return self.unit == "%"


_F = Feature
_AID = "请医保、民政核对是否已享受医疗救助和大病保险"
_JOB = "介绍就业岗位、公益性岗位或技能培训"
_CHECK = "安排一次家庭经济状况核对"
_CARE = "落实残疾人两项补贴和照护服务"

FEATURES: tuple[Feature, ...] = (
    _F("income_ratio", "(h.income_pc / nullif(h.standard, 0))::DOUBLE", "月人均收入相当于低保标准的倍数", "Income per head as a multiple of the dibao standard", "倍", _JOB),
    _F("income_change", "(h.income_latest / nullif(h.income_before, 0))::DOUBLE", "最近一次核对的收入是上次的几倍", "Income of the latest check as a multiple of the one before", "倍", _JOB),
    _F("months_since_check", "date_diff('month', h.income_check_date, run.as_of)", "距上次经济状况核对", "Since the last income check", "个月", _CHECK),
    _F("medical_12m", "h.medical_12m::DOUBLE", "近12个月自付医疗费", "Self-paid medical cost in 12 months", "元", _AID),
    _F("medical_3m", "CASE WHEN h.medical_12m IS NOT NULL THEN coalesce(m.medical_3m, 0) END", "近3个月自付医疗费", "Self-paid medical cost in 3 months", "元", _AID),
    _F("medical_share", "(h.medical_12m / nullif(h.income_year, 0))::DOUBLE", "自付医疗费占年收入", "Self-paid medical cost as a share of yearly income", "%", _AID),
    _F("rigid_12m", "h.rigid_12m::DOUBLE", "近12个月刚性支出", "Unavoidable expenses in 12 months", "元", _AID),
    _F("size", "h.size", "家庭人口", "Members", "人"),
    _F("children", "m.children", "16岁以下", "Children below 16", "人"),
    _F("elders", "m.elders", "60岁以上", "Elders of 60 and over", "人"),
    _F("workers", "m.workers", "有劳动能力", "Members able to work", "人"),
    _F("workers_share", "m.workers / nullif(h.size, 0)::DOUBLE", "有劳动能力的占家庭人口", "Share of members able to work", "%"),
    _F("employed", "m.employed", "参加职工养老保险", "Members with employee pension insurance", "人", _JOB),
    _F("job_lost", "m.job_lost", "近12个月失业", "Members who lost work in 12 months", "人", _JOB),
    _F("graduates", "m.graduates", "未就业毕业生", "Graduates without work", "人", _JOB),
    _F("severe", "m.severe", "重度残疾人", "Severely disabled members", "人", _CARE),
    _F("certified", "m.certified", "持证残疾人", "Members with a disability certificate", "人", _CARE),
    _F("new_severe", "m.new_severe", "近12个月新发重度残疾证", "New severe disability certificates in 12 months", "人", _CARE),
    _F("ill", "m.ill", "重病患者", "Seriously ill members", "人", _AID),
    _F("major", "m.major", "近12个月有重大疾病结算", "Members with a settlement for a major disease in 12 months", "人", _AID),
    _F("months_since_major", "date_diff('month', m.major_date, run.as_of)", "距最近一次重大疾病结算", "Since the last settlement for a major disease", "个月"),
    _F("unhealthy", "m.unhealthy", "登记为体弱或患病", "Members registered as frail or ill", "人", _AID),
    _F("uninsured", "m.uninsured", "当年未参加医保", "Members without medical insurance this year", "人", "动员参加基本医保，符合条件的给予参保资助"),
    _F("studying", "m.studying", "在读", "Members in school", "人", "核对教育资助是否到位"),
    _F("suspended", "m.suspended", "休学或辍学", "Members who suspended or left school", "人", "控辍保学，核对教育资助"),
    _F("earner_died", "h.earner_died::INTEGER", "近12个月劳动力死亡", "An earner died in 12 months", ""),
    _F("deaths", "m.deaths", "近12个月去世成员", "Members who died in 12 months", "人"),
    _F("disaster_loss", "h.disaster_loss_12m::DOUBLE", "近12个月灾害损失", "Disaster loss in 12 months", "元", "核对受灾救助是否到位"),
    _F("dwelling_unsafe", "h.dwelling_unsafe::INTEGER", "住房不安全", "Unsafe dwelling", "", "纳入危房改造"),
    _F("dwelling_grade", "h.dwelling_grade", "住房鉴定等级", "Grade of the dwelling", "", "纳入危房改造"),
    _F("water_unsafe", "h.water_unsafe::INTEGER", "饮水不安全", "Unsafe drinking water", "", "解决饮水安全"),
    _F("aid_grants", "m.aid_grants", "近12个月临时救助", "Temporary aid in 12 months", "次"),
    _F("listed_once", "h.monitored::INTEGER", "在脱贫户名单", "On the list of households once poor", ""),
    _F("risk_removed", "h.risk_removed::INTEGER", "曾为监测对象、风险已消除", "Was monitored; risk marked as removed", ""),
    _F("dibao_ended_days", "h.dibao_ended_days", "低保终止至今", "Since dibao ended", "天"),
    _F("refused", "h.refused_12m::INTEGER", "近12个月申请未批", "An application was refused in 12 months", "", "复核未批的理由"),
    _F("open_request", "h.open_request::INTEGER", "有未办结的线索或申请", "An open clue or application", "", "尽快办结线索或申请"),
    _F("vehicles", "h.barred_vehicles", "限制类车辆", "Vehicles of a barred kind", "辆"),
    _F("homes", "h.homes", "住房", "Homes", "套"),
    _F("businesses", "h.businesses", "经营主体", "Running businesses", "个"),
    _F("head_age", "m.head_age", "户主年龄", "Age of the head", "岁"),
    _F("youngest", "m.youngest", "最小成员年龄", "Age of the youngest member", "岁"),
    _F("oldest", "m.oldest", "最大成员年龄", "Age of the oldest member", "岁"),
    _F("urban", "h.urban::INTEGER", "城镇户", "Urban household", ""),
    _F("registered", "h.registered::INTEGER", "在户籍台账内", "In the registry", ""),
    _F("visited", "h.visited_recently::INTEGER", "近期有走访", "Visited recently", ""),
    _F("rules_hit", "coalesce(g.signals, 0)", "本期缺口和风险信号", "Gap and risk signals of the period", "条"),
    _F("urgent_hit", "coalesce(g.urgent, 0)", "其中红色和橙色", "Of these red and orange", "条"),
)  # fmt: skip
BY_NAME = {feature.name: feature for feature in FEATURES}

# Groups by which the list is checked; none is a feature.
GROUPS: dict[str, tuple[str, str]] = {
    "township": ("乡镇", "Township"),
    "head_sex": ("户主性别", "Sex of the head"),
    "age_group": ("户主年龄段", "Age group of the head"),
    "ethnic_group": ("民族", "Ethnicity"),
    "disability": ("有无残疾人", "Disabled members"),
    "size_group": ("家庭规模", "Household size"),
}
AGAIN = "again"  # was helped before: entering anew is harder to foresee

_MEMBERS = """
    SELECT p.household_key,
        count(*) FILTER (p.alive AND p.age < 16) AS children, count(*) FILTER (p.alive AND p.age >= 60) AS elders,
        count(*) FILTER (p.alive AND NOT p.no_labour_or_minor) AS workers,
        count(*) FILTER (p.alive AND p.employee_insured) AS employed, count(*) FILTER (p.alive AND p.job_lost) AS job_lost,
        count(*) FILTER (p.alive AND p.unemployed_graduate) AS graduates,
        count(*) FILTER (p.alive AND p.severe) AS severe, count(*) FILTER (p.alive AND p.has_certificate) AS certified,
        count(*) FILTER (p.alive AND p.new_severe_certificate) AS new_severe,
        count(*) FILTER (p.alive AND p.seriously_ill) AS ill,
        CASE WHEN count(*) FILTER (p.alive AND p.major_disease IS NULL) = count(*) FILTER (p.alive) THEN NULL
            ELSE count(*) FILTER (p.alive AND p.major_disease) END AS major,
        max(s.major_date) FILTER (p.alive) AS major_date,
        count(*) FILTER (p.alive AND p.health IS NOT NULL AND p.health NOT IN ('健康', '良好', '一般')) AS unhealthy,
        CASE WHEN count(*) FILTER (p.alive AND p.insured IS NULL) = count(*) FILTER (p.alive) THEN NULL
            ELSE count(*) FILTER (p.alive AND NOT p.insured) END AS uninsured,
        count(*) FILTER (p.alive AND p.studying) AS studying, count(*) FILTER (p.alive AND p.suspended_or_dropped) AS suspended,
        count(*) FILTER (NOT p.alive AND p.death_date > run.as_of - INTERVAL 12 MONTH) AS deaths,
        sum(p.aid_grants_12m) AS aid_grants, min(p.age) FILTER (p.alive) AS youngest, max(p.age) FILTER (p.alive) AS oldest,
        any_value(p.age) FILTER (p.is_head AND p.alive) AS head_age, any_value(p.sex) FILTER (p.is_head AND p.alive) AS head_sex,
        any_value(e.ethnicity) FILTER (p.is_head AND p.alive) AS ethnicity,
        sum(s.self_paid)::DOUBLE AS medical_3m
    FROM person_snapshot p CROSS JOIN run
    LEFT JOIN (SELECT person_id, max(ethnicity) AS ethnicity FROM std_registry WHERE counts GROUP BY person_id) e USING (person_id)
    LEFT JOIN (SELECT person_id, sum(self_paid) FILTER (settled_date > as_of - INTERVAL 3 MONTH) AS self_paid,
            max(settled_date) FILTER (major_disease) AS major_date FROM std_medical CROSS JOIN run
        WHERE counts AND settled_date > as_of - INTERVAL 12 MONTH AND settled_date <= as_of GROUP BY person_id) s USING (person_id)
    GROUP BY p.household_key"""

# Who is helped at the period's end: on one of the lists, or given temporary aid in the period's month.
HELPED = """
    SELECT person_id, household_key FROM person_snapshot WHERE alive AND (on_dibao OR on_tekun OR on_low_income OR at_risk_household)
    UNION
    SELECT p.person_id, p.household_key FROM std_temporary_aid a JOIN person_snapshot p USING (person_id) CROSS JOIN run
    WHERE a.counts AND p.alive AND a.accepted_date > run.as_of - INTERVAL 1 MONTH AND a.accepted_date <= run.as_of"""

_NOT_HELPED = f"h.household_key NOT IN (SELECT household_key FROM ({HELPED}))"


def features_sql(extra: str = "") -> str:
    """One row a household that nobody helps at the period's end: keys, place, groups, `again` and every feature."""
    columns = ", ".join(f"{feature.sql} AS {feature.name}" for feature in FEATURES)
    return f"""
        SELECT h.household_key, h.household_id, run.period, h.township, h.village, m.head_sex,
            CASE WHEN m.head_age < 35 THEN '35岁以下' WHEN m.head_age < 60 THEN '35至59岁' WHEN m.head_age >= 60 THEN '60岁以上' END AS age_group,
            CASE WHEN m.ethnicity IN ('汉', '汉族') THEN '汉族' WHEN m.ethnicity IS NOT NULL THEN '少数民族' END AS ethnic_group,
            CASE WHEN m.certified > 0 THEN '有残疾人' ELSE '无残疾人' END AS disability,
            CASE WHEN h.size = 1 THEN '1人' WHEN h.size <= 3 THEN '2至3人' ELSE '4人以上' END AS size_group,
            (coalesce(h.dibao_ended, false) OR coalesce(h.risk_removed, false) OR coalesce(m.aid_grants, 0) > 0)::INTEGER AS {AGAIN},
            {columns}{extra}
        FROM household_snapshot h CROSS JOIN run
        LEFT JOIN ({_MEMBERS}) m ON m.household_key = h.household_key
        LEFT JOIN (SELECT household_key, count(*) AS signals, count(*) FILTER (level IN ('red', 'orange')) AS urgent FROM signal
            WHERE kind IN ('gap', 'risk') AND rule <> 'MODEL-RISK' GROUP BY household_key) g ON g.household_key = h.household_key
        WHERE {_NOT_HELPED}
        ORDER BY h.household_id"""


def households_sql() -> str:
    """The households of `features_sql`, without what it says of them."""
    return f"SELECT h.household_id FROM household_snapshot h CROSS JOIN run WHERE {_NOT_HELPED} ORDER BY h.household_id"
