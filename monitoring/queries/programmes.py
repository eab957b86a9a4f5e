"""The programmes that people are due: who counts as covered, which rule finds the gap, which signals ask for a check.

One list for the coverage page, its export and the figures that a run carries. `figures_sql` counts all programmes in all
places at once, by one pass over each snapshot: gap and unknown are what the rule's outcomes say, covered is counted here,
over are those who get it while a matching signal says: check. It names no parameter, so that it can be asked of any run.

`covered` and `due` are SQL over the subject's snapshot. A programme has one of them: where it has `due`, covered are those
due whom its rule neither hits nor leaves unknown. The states never overlap: a rule does not judge whom it finds covered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

STATES = ("eligible", "covered", "gap", "unknown", "over")
LIVING = {"household": "", "person": " and alive", "institution": ""}
KEY = {"household": "household_key", "person": "person_id", "institution": "institution"}
UNIT = {"household": "户", "person": "人", "institution": "所"}
SNAPSHOT = {
    "household": "household_snapshot",
    "person": "person_snapshot",
    "institution": "(select *, null::VARCHAR as village from institution_snapshot)",
}
_CHECKS_OF_PERSONS = (
    "EXIT-TWICE", "EXIT-DUPLICATE", "EXIT-INSURED", "EXIT-INSURANCE-ENDED", "EXIT-VEHICLE", "EXIT-VEHICLE-PROOF", "EXIT-BUSINESS",
)  # fmt: skip
_CHECKS_OF_HOMES = ("EXIT-GRADUAL", "EXIT-INCOME", "EXIT-GRADUAL-END", "EXIT-HOME-RECENT", "EXIT-HOMES")


def _dead(*words: str, listed: str = "") -> str:
    """The dead who still stand in a list, or were paid for it: they are among the living of no snapshot."""
    said = [f"contains(coalesce(s.evidence ->> 'paid_after_months', ''), '{word}')" for word in words]
    said += [f"contains(coalesce(s.evidence ->> 'listed_in', ''), '{listed}')"] if listed else []
    return f"(s.rule = 'EXIT-DECEASED' and ({' or '.join(said)}))"


@dataclass(frozen=True)
class Programme:
    """One programme: its Chinese title, what is counted (household, person, institution), its gap rule, who is covered.

    `exits` are the rules whose signal about somebody covered says that the case is to be checked; `beside` (SQL over the
    signal `s` and the person `p`) adds those whom the snapshot does not call covered: the dead, the paid without a
    certificate. A programme with neither has no such rule, so that nothing can be said about over-coverage.
    """

    key: str
    title: str
    subject: str
    rule: str
    covered: str = ""
    due: str = ""
    exits: tuple[str, ...] = ()
    beside: str = ""

    @property
    def table(self) -> str:
        return SNAPSHOT[self.subject]

    @property
    def living(self) -> str:
        return LIVING[self.subject]

    @property
    def unit(self) -> str:
        return UNIT[self.subject]

    @property
    def checked(self) -> bool:
        """Whether any rule looks for over-coverage."""
        return bool(self.exits or self.beside)

    def sql(self, state: str, hit: str) -> str:
        """A condition over the snapshot for eligible, covered, gap or unknown; `hit` is the rule's own (three-valued)."""
        if state == "gap":
            return f"({hit})"
        if state == "unknown":
            return f"({hit}) is null"
        if self.due:
            return f"({self.due}) and ({hit}) is {'not null' if state == 'eligible' else 'false'}"
        return f"({self.covered})" if state == "covered" else f"(({self.covered}) is true or ({hit}) is true)"


PROGRAMMES = (
    Programme("dibao", "低保（整户）", "household", "GAP-DIBAO", "whole_household_dibao",
              exits=(*_CHECKS_OF_HOMES, *_CHECKS_OF_PERSONS), beside=_dead("低保", listed="低保")),
    Programme("single", "单人保", "person", "GAP-SINGLE", "on_dibao and not whole_household_dibao", exits=_CHECKS_OF_PERSONS),
    Programme("tekun", "特困供养", "person", "GAP-TEKUN", "on_tekun",
              exits=("EXIT-TEKUN-AGE", "EXIT-TWICE"), beside=_dead("特困", listed="特困")),
    Programme("marginal", "低保边缘家庭", "household", "GAP-MARGINAL", "any_low_income and not any_rigid and not any_dibao and not any_tekun"),
    Programme("rigid", "刚性支出困难家庭", "household", "GAP-RIGID", "any_rigid"),
    Programme("after_exit", "停保后仍困难的户转入其他救助", "household", "GAP-AFTER-EXIT",
              "dibao_ended and dibao_ended_days < 180 and low_income_household and (any_dibao or any_tekun or any_low_income)"),
    Programme("at_risk", "监测户纳入低保或特困", "household", "GAP-AT-RISK", "at_risk and (any_dibao or any_tekun)"),
    Programme("measures", "监测户有措施和责任人", "household", "GAP-NO-MEASURE", "at_risk and not measures_missing"),
    Programme("cleared", "风险消除的监测户没有遗留风险", "household", "GAP-CLEARED-TOO-SOON", due="monitored and risk_removed"),
    Programme("shock", "遇灾、丧亲后的临时救助", "household", "GAP-SHOCK-AID",
              "shock_date is not null and not shock_without_aid and (income_pc is null or low_income_household)"),
    Programme("transition", "过渡期救助结束后的衔接", "household", "GAP-DISASTER",
              "transition_end_date is not null and not transition_without_aid and income_pc < standard"),
    Programme("new_at_risk", "新识别监测户的临时救助", "household", "GAP-RETURN-AID",
              "at_risk and identified_days < 90 and not any_dibao and aid_since_identified"),
    Programme("repeat", "多次临时救助的人纳入低保、特困或低收入", "person", "GAP-REPEAT-AID", "aid_grants_12m >= 2 and (on_dibao or on_tekun or on_low_income)"),
    Programme("graduate", "低收入家庭未就业毕业生的临时救助", "person", "GAP-GRADUATE", "unemployed_graduate and low_income_household and aided_12m"),
    Programme("living", "困难残疾人生活补贴", "person", "GAP-DIS-LIVING", "has_certificate and on_dibao and living_subsidy_paid",
              beside=f"((s.rule = 'EXIT-SUBSIDY' and s.evidence ->> 'item' = '生活补贴') or {_dead('生活补贴')})"),
    Programme("care", "重度残疾人护理补贴", "person", "GAP-DIS-CARE", "certificate_1_2 and not on_tekun and care_subsidy_paid",
              beside=f"((s.rule = 'EXIT-SUBSIDY' and s.evidence ->> 'item' = '护理补贴') or {_dead('护理补贴')})"),
    Programme("child", "孤儿、事实无人抚养儿童津贴", "person", "GAP-CHILD", "orphan_or_unattended and age < 18 and (not allowance_missing or orphan_paid)",
              beside=f"({_dead('孤儿')} or (s.rule = 'EXIT-DECEASED' and contains(coalesce(s.evidence ->> 'listed_in', ''), '特殊群体') and p.orphan_or_unattended))"),
    Programme("guardian", "留守儿童、孤儿、事实无人抚养儿童有监护人", "person", "GAP-GUARDIAN",
              "(contains(care_categories, '孤儿') or contains(care_categories, '儿童')) and not child_without_guardian"),
    Programme("wanderer", "易流浪走失人员有人照管", "person", "GAP-WANDERER", "contains(care_categories, '走失') and not wanderer_alone"),
    Programme("medical", "医疗救助", "person", "GAP-MEDICAL-AID", "major_disease and medical_aid_12m > 0 and (low_income_household or on_dibao or on_tekun)"),
    Programme("insurance", "基本医保参保", "person", "GAP-INSURANCE", "(on_dibao or on_tekun or at_risk_household) and insured"),
    Programme("education", "教育资助", "person", "GAP-EDUCATION", "studying and (on_dibao or on_tekun or at_risk_household) and education_aided"),
    Programme("carer", "分散特困有人照料", "person", "GAP-TEKUN-CARE", "on_tekun and support_form = '分散供养' and not carer_missing"),
    Programme("central", "愿集中供养的失能特困已集中供养", "person", "GAP-TEKUN-CENTRAL",
              "on_tekun and support_form = '集中供养' and self_care in ('半护理', '全护理')"),
    Programme("safety", "独居特困有居家安全服务", "person", "GAP-TEKUN-SAFETY",
              "on_tekun and support_form = '分散供养' and self_care = '全自理' and lives_alone and home_safety"),
    Programme("amount", "特困基本生活费足额", "person", "GAP-TEKUN-AMOUNT", due="on_tekun"),
    Programme("carers", "供养机构护理员足够", "institution", "GAP-CARERS", due="true"),
)  # fmt: skip
BY_KEY = {programme.key: programme for programme in PROGRAMMES}


def over_sql(programmes: Sequence[Programme]) -> str:
    """The signals that ask for a check of somebody who gets one of these programmes, once a programme and signal: programme,
    subject_of (the household's or person's key), township and village of the subject, and columns of the signal."""
    checked = [programme for programme in programmes if programme.checked]
    flags = {
        subject: "".join(
            f', coalesce(({one.covered}){one.living}, false) as "{one.key}"'
            for one in checked
            if one.subject == subject
        )
        for subject in ("household", "person")
    }
    found = ", ".join(f"case when {_looked_at(one)} then {_struct(one)} end" for one in checked)
    return f"""select unnest(found, recursive := true), household_key, household_id, person_id, name, rule, level_order, clause, department,
                      due_date, message, message_en, subject, evidence
               from (select s.*, [{found}] as found from (from signal where kind = 'exit') s
                     left join (select household_key, township, village{flags["household"]} from household_snapshot) h
                         on h.household_key = s.household_key
                     left join (select person_id, township, village, orphan_or_unattended{flags["person"]} from person_snapshot) p
                         on p.person_id = s.person_id)"""


def _looked_at(programme: Programme) -> str:
    """Whether a signal `s` is about somebody who gets the programme; a household's signal names its head as its person, but
    is not about that person."""
    of_household = programme.subject == "household"
    about = "s.household_key is not null" if of_household else "s.subject <> 'household' and s.person_id is not null"
    codes = ", ".join(f"'{code}'" for code in programme.exits)
    ways = [f's.rule in ({codes}) and {"h" if of_household else "p"}."{programme.key}"'] if codes else []
    return f"({about} and ({' or '.join([*ways, *([programme.beside] if programme.beside else [])])}))"


def _struct(programme: Programme) -> str:
    key, of = KEY[programme.subject], programme.subject[0]
    place = ", ".join(
        f"'{column}': case when {of}.{key} is null then s.{column} else {of}.{column} end"
        for column in ("township", "village")
    )
    return f"{{'programme': '{programme.key}', 'subject_of': s.{key}, {place}}}"


def figures_sql() -> str:
    """One row is a programme and a place: programme, township, village, covered, gap and unknown (NULL: its rule judged nobody
    here), over (NULL: no rule looks)."""
    pieces = []
    for subject, table in SNAPSHOT.items():
        mine = [programme for programme in PROGRAMMES if programme.subject == subject]
        counts = ", ".join(f'count(*) filter (({one.covered or one.due}){one.living}) as "{one.key}"' for one in mine)
        names = ", ".join(f'"{one.key}"' for one in mine)
        pieces.append(
            f"""select programme, township, village, covered, null as gap, null as unknown, 0 as over
                from (select township, village, {counts} from {table} group by all) unpivot (covered for programme in ({names}))"""
        )
    rules = ", ".join(f"('{one.rule}', '{one.key}', {'true' if one.due else 'false'})" for one in PROGRAMMES)
    pieces.append(
        f"""select programme, township, village, case when less then - hit - unknown else 0 end, hit, unknown, 0
            from rule_outcome join (values {rules}) as r(rule, programme, less) using (rule)"""
    )
    pieces.append(
        f"""select programme, township, village, 0, null, null, 1
            from (select programme, subject_of, min(township) as township, min(village) as village
                  from ({over_sql(PROGRAMMES)}) where programme is not null group by programme, subject_of)"""
    )
    checked = ", ".join(f"'{one.key}'" for one in PROGRAMMES if one.checked)
    return f"""select programme, township, village, sum(covered)::BIGINT as covered, sum(gap)::BIGINT as gap, sum(unknown)::BIGINT as unknown,
                      case when programme in ({checked}) then sum(over)::BIGINT end as over
               from ({" union all ".join(pieces)}) group by programme, township, village
               order by all"""
