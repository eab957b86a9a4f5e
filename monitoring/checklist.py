"""The 18 sets that must be covered so that no household and no person is missed (issue "for leaders", `domain.md` 3.6).

A set is one SELECT over the run's tables: its members, each with `how` the member stands. A run evaluates them all once
(`pipelines.vouch`, table `checklist_member`); the counts, the list of the missing and the tests all come from that table.
`how` is one of COVERED, MISSING or UNKNOWN below; a set whose sources have no file at all is unknown as a whole, never
100 %, and in a township whose source of members is missing or late everybody is (`of`). What people did since the run counts
beside the files (`live`). Two sets have no SELECT: 17 comes from the case store, 18 from the vouching ledger.

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
    "正在重新办理",
    "已走访",
    "已办结",
    "有人照管",
    "已评估",
    "按期核实",
    "各项规则均已判断",
    "已有核实结论",
    "已落实帮扶",
)
MISSING = (
    "无人担保",
    "申请正在办理",
    "没有得到救助",
    "没有评估",
    "未发放",
    "未走访",
    "没有安全服务",
    "正在办理",
    "逾期未办结",
    "无人照管",
    "逾期核实",
    "逾期未核实",
)
UNKNOWN = ("情况不明", "有规则不能判断")
# What people did since the run, by what a set takes it for (`Set.live`).
LIVE = {"decision": "已有核实结论", "help": "已落实帮扶", "visit": "已走访", "answer": "已办结"}


@dataclass(frozen=True)
class Set:
    """One set: number, Chinese title, what counts as covered, unit (household, person, record, village), the department
    that answers for it, the feeds that it needs, those that say who its members are (`of`), what of the case store covers a
    member, and its SELECT (None: not from the run's tables)."""

    number: int
    title: str
    test: str
    unit: str
    department: str
    feeds: tuple[str, ...]
    of: tuple[str, ...]
    live: tuple[str, ...]
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


_HELPED = "on_dibao or on_tekun or on_low_income or whole_household_dibao"
_ASSESSED = "low_income_household is not null"


def _applied(item: str) -> str:
    """Whether the person applied for something in 12 months: the office has looked at it."""
    return f"""person_id in (select person_id from std_applications where counts and item = '{item}'
        and applied_date > {{as_of}} - interval 12 months and applied_date <= {{as_of}})"""


SETS = (
    Set(1, "监测户和有返贫致贫风险的户", "在低保、特困或低收入台账内，或有载明日期的“不符合”记录", "household", "乡村振兴",
        ("monitored", "dibao", "tekun"), ("monitored",), ("decision", "help"),
        _household("at_risk", _first(("any_dibao or any_tekun or any_low_income", "已享受救助"), ("refused_12m", "未批准有记录"),
                                     ("open_request", "申请正在办理"), otherwise="无人担保"))),
    Set(2, "重度残疾人", "在低保、特困或低收入台账内，或申请未批准有记录，或收入核清不属低收入", "person", "残联",
        ("disability", "dibao", "tekun"), ("disability",), ("decision", "help"),
        _person("severe", _first((_HELPED, "已享受救助"),
                                 ("household_key in (select household_key from household_snapshot where refused_12m)", "未批准有记录"),
                                 ("not low_income_household", "数据核清"), ("low_income_household is null", "情况不明"), otherwise="无人担保"))),
    Set(3, "重病患者", "得到医疗救助并评估过家庭收入，或核清不属低收入", "person", "医保", ("medical",), ("medical",), ("decision", "help"),
        _person("seriously_ill", _first((f"medical_aid_12m > 0 and ({_ASSESSED} or {_HELPED})", "已享受相应待遇"),
                                        (f"not low_income_household and not ({_HELPED})", "数据核清"),
                                        ("low_income_household is null or medical_aid_12m is null", "情况不明"),
                                        otherwise="没有得到救助"))),
    Set(4, "符合特困条件的人", "已纳入特困或低保，或申请过、评估过", "person", "民政", ("tekun", "registry", "income"), ("registry",), ("decision", "help"),
        _person("(on_tekun or {hit:GAP-TEKUN} or ({hit:GAP-TEKUN}) is null)",
                _first(("on_tekun or on_dibao", "已享受救助"), (_applied("特困"), "已评估"), ("({hit:GAP-TEKUN}) is null", "情况不明"), otherwise="没有评估"))),
    Set(5, "特困的16、17周岁未成年人", "延续供养，没有因满16周岁停保", "person", "民政", ("tekun",), ("tekun",), ("decision", "help"),
        _person("age in (16, 17) and person_id in (select person_id from std_tekun where counts)",
                _first(("on_tekun or on_dibao", "已享受救助"), otherwise="无人担保"))),
    Set(6, "独居老人和独居特困", "按期走访；独居特困还要有居家安全服务", "person", "民政", ("tekun", "registry", "visits"), ("registry",), ("visit",),
        _person("""((on_tekun and lives_alone) or contains(care_categories, '留守老人') or (age >= 60 and household_key in
                    (select household_key from household_snapshot where size = 1) and support_form is distinct from '集中供养'))""",
                _first(("on_tekun and lives_alone and not home_safety", "没有安全服务"),
                       ("case when on_tekun and lives_alone then tekun_visited and home_safety else care_visited end", "已走访"),
                       ("case when on_tekun and lives_alone then tekun_visited is null or home_safety is null else care_visited is null end", "情况不明"),
                       otherwise="未走访"))),
    Set(7, "留守儿童、妇女、老人", "在台账内并按期走访", "person", "民政", ("care_groups", "visits"), ("care_groups",), ("visit",),
        _person("contains(care_categories, '留守')", _first(("care_visited", "已走访"), ("care_visited is null", "情况不明"), otherwise="未走访"))),
    Set(8, "孤儿和事实无人抚养儿童", "当月津贴发放成功", "person", "民政", ("care_groups", "payments"), ("care_groups",), (),
        _person("orphan_or_unattended and (age < 18) is not false",
                _first(("orphan_paid", "已享受相应待遇"), ("orphan_paid is null", "情况不明"), otherwise="未发放"))),
    Set(9, "应领残疾人两项补贴的人", "当月补贴发放成功", "person", "残联", ("disability", "disability_subsidy"), ("disability",), (),
        _person("((has_certificate and on_dibao) or (certificate_1_2 and not on_tekun))",
                _first(("((has_certificate and on_dibao) is not true or living_subsidy_paid) and ((certificate_1_2 and not on_tekun) is not true or care_subsidy_paid)", "已享受相应待遇"),
                       ("(has_certificate and on_dibao and not living_subsidy_paid) or (certificate_1_2 and not on_tekun and not care_subsidy_paid)", "未发放"),
                       otherwise="情况不明"))),
    Set(10, "近12个月申请未批准的户", "已享受救助、重新办理或已回访", "household", "民政", ("applications", "visits"), ("applications",),
        ("visit", "decision", "help"),
        _household("refused_12m", _first(("any_dibao or any_tekun or any_low_income", "已享受救助"), ("open_request", "正在重新办理"), ("visited_recently", "已走访"),
                                         ("visited_recently is null", "情况不明"), otherwise="未走访"))),
    Set(11, "近12个月停保的户", "转入其他救助，或收入核清不属低收入", "household", "民政", ("dibao",), ("dibao",), ("decision", "help"),
        _household("dibao_ended and dibao_ended_days <= 365",
                   _first(("any_dibao or any_tekun or any_low_income", "已享受救助"), ("not low_income_household", "数据核清"),
                          ("low_income_household is null", "情况不明"), otherwise="无人担保"))),
    Set(12, "近12个月两次以上临时救助的人", "已享受救助，或评估过是否纳入低保", "person", "民政", ("temporary_aid",), ("temporary_aid",), ("decision", "help"),
        _person("aid_grants_12m >= 2", _first((_HELPED, "已享受救助"), (_applied("低保"), "已评估"), otherwise="没有评估"))),
    Set(13, "受灾户、失业人员、未就业毕业生", "得到救助，或收入核清不属低收入", "person", "应急", ("disasters", "graduates", "social_insurance"),
        ("disasters", "graduates", "social_insurance"), ("decision", "help"),
        _person("""(unemployed_graduate or job_lost or (is_head and household_key in
                    (select household_key from household_snapshot where (dwelling_destroyed_12m or disaster_loss_12m > 0) is not false)))""",
                _first((f"aided_12m or {_HELPED}", "已享受救助"), ("not low_income_household", "数据核清"),
                       ("aided_12m is null or low_income_household is null", "情况不明"), otherwise="没有评估"))),
    Set(14, "易走失、流浪人员", "有安置或监护人", "person", "民政", ("care_groups",), ("care_groups",), (),
        _person("contains(care_categories, '走失')", _first(("not wanderer_alone", "有人照管"), ("wanderer_alone is null", "情况不明"), otherwise="无人照管"))),
    Set(15, "近12个月拨打热线和信访的人", "已答复办结", "record", "民政", ("clues",), (), ("answer",),
        """select p.household_key, c.person_id, coalesce(p.township, c.township) as township, coalesce(p.village, c.village) as village,
                  case when concluded_date <= {as_of} then '已办结' when due_date < {as_of} then '逾期未办结' else '正在办理' end as how
           from std_clues c left join person_snapshot p using (person_id)
           where c.counts and channel in ('12345热线', '信访') and registered_date <= {as_of}
               and registered_date > {as_of} - interval 12 months"""),
    Set(16, "村（社区）", "本月有走访，且监测户、分散特困、留守和困境儿童都按期走到", "village", "村/镇", ("visits",), (), ("visit",),
        """select household_key, head_person_id as person_id, township, village,
                  case when visited_recently then '已走访' when visited_recently is null then '情况不明' else '未走访' end as how
           from household_snapshot where at_risk
           union all
           select household_key, person_id, township, village,
                  case when tekun_visited then '已走访' when tekun_visited is null then '情况不明' else '未走访' end
           from person_snapshot where alive and on_tekun and support_form is distinct from '集中供养'
           union all
           select household_key, person_id, township, village,
                  case when care_visited then '已走访' when care_visited is null then '情况不明' else '未走访' end
           from person_snapshot where alive and care_group
           union all
           select null::BIGINT, null::BIGINT, v.township, v.village,
                  case when n.village is not null then '已走访' when t.township is null then '情况不明' else '未走访' end
           from (select distinct township, village from household where village is not null) v
           left join (select distinct coalesce(p.township, s.township) as township, coalesce(p.village, s.village) as village
                      from std_visits s left join person_snapshot p using (person_id)
                      where counts and date_trunc('month', visited_date) = date_trunc('month', {as_of})) n using (township, village)
           left join (select township from feed_township where feed = 'visits'
                      and last_period = year({as_of}) * 100 + month({as_of})) t using (township)"""),
    Set(17, "预警户", "在期限内核实", "record", "乡镇", (), (), (), None),
    Set(18, "台账内的每一户", "每条规则都能判断，否则说明为什么", "household", "民政", ("registry",), (), (), None),
)  # fmt: skip
BY_NUMBER = {item.number: item for item in SETS}
