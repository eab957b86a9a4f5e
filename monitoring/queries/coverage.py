"""Programme by place: who is covered, who is due and not covered, and whose case cannot be judged for want of data.

`gap` are the subjects of the programme's gap rules, `unknown` those whom the rules could not judge; both come from what
the run published. `covered` is counted in the snapshots. The three never overlap: a rule does not judge whom it finds
covered. `eligible` is covered + gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from monitoring.access import Scope
from monitoring.queries.verdicts import conditions
from monitoring.warehouse import Warehouse


@dataclass(frozen=True)
class Programme:
    """One programme: its Chinese title, what is counted, who counts as covered (SQL over the snapshot), its gap rule."""

    key: str
    title: str
    subject: str
    covered: str
    rule: str

    @property
    def table(self) -> str:
        return f"{self.subject}_snapshot"

    @property
    def living(self) -> str:
        return " and alive" if self.subject == "person" else ""


PROGRAMMES = (
    Programme("dibao", "低保（整户）", "household", "whole_household_dibao", "GAP-DIBAO"),
    Programme("single", "单人保", "person", "on_dibao and not whole_household_dibao", "GAP-SINGLE"),
    Programme("tekun", "特困供养", "person", "on_tekun", "GAP-TEKUN"),
    Programme("marginal", "低保边缘家庭", "household", "any_low_income and not any_rigid and not any_dibao and not any_tekun", "GAP-MARGINAL"),
    Programme("rigid", "刚性支出困难家庭", "household", "any_rigid", "GAP-RIGID"),
    Programme("at_risk", "监测户纳入低保或特困", "household", "at_risk and (any_dibao or any_tekun)", "GAP-AT-RISK"),
    Programme("measures", "监测户有措施和责任人", "household", "at_risk and not measures_missing", "GAP-NO-MEASURE"),
    Programme("living", "困难残疾人生活补贴", "person", "has_certificate and on_dibao and living_subsidy_paid", "GAP-DIS-LIVING"),
    Programme("care", "重度残疾人护理补贴", "person", "certificate_1_2 and not on_tekun and care_subsidy_paid", "GAP-DIS-CARE"),
    Programme("child", "孤儿、事实无人抚养儿童津贴", "person", "orphan_or_unattended and age < 18 and (not allowance_missing or orphan_paid)", "GAP-CHILD"),
    Programme("medical", "医疗救助", "person", "major_disease and medical_aid_12m > 0 and (low_income_household or on_dibao or on_tekun)", "GAP-MEDICAL-AID"),
    Programme("insurance", "基本医保参保", "person", "(on_dibao or on_tekun or at_risk_household) and insured", "GAP-INSURANCE"),
    Programme("education", "教育资助", "person", "studying and (on_dibao or on_tekun or at_risk_household) and education_aided", "GAP-EDUCATION"),
    Programme("carer", "分散特困有人照料", "person", "on_tekun and support_form = '分散供养' and not carer_missing", "GAP-TEKUN-CARE"),
)  # fmt: skip
BY_KEY = {programme.key: programme for programme in PROGRAMMES}


def coverage(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a programme: key, title, subject, eligible, covered, gap, unknown, judged (False: its rule is off)."""
    judged = _rules_on(warehouse)
    rows = []
    for programme in PROGRAMMES:
        by_place = programme_by_place(warehouse, scope, programme.key)
        rows.append(
            {
                "key": programme.key, "title": programme.title, "subject": programme.subject,
                **{name: int(by_place[name].sum()) for name in ("eligible", "covered", "gap", "unknown")},
                "judged": programme.rule in judged,
            }
        )  # fmt: skip
    return pl.DataFrame(rows)


def _rules_on(warehouse: Warehouse) -> set[str]:
    return {row["rule"] for row in warehouse.rows("select rule from rule where not disabled")}


def programme_by_place(warehouse: Warehouse, scope: Scope, key: str) -> pl.DataFrame:
    """One row is a township (a village where one township is shown): place, eligible, covered, gap, unknown."""
    programme = BY_KEY[key]
    column = (
        "village"
        if scope.villages is not None or (scope.townships is not None and len(scope.townships) == 1)
        else "township"
    )
    places = scope.limit()
    subject = "household_key" if programme.subject == "household" else "person_id"
    params = {"rule": programme.rule, **places.params}
    return warehouse.frame(
        f"""with c as (select {column} as place, count(*) as covered from {programme.table}
                       where ({programme.covered}){programme.living}{places.also} group by all),
                 g as (select {column} as place, count(distinct {subject}) as gap from signal
                       where rule = $rule{places.also} group by all),
                 u as (select {column} as place, sum(unknown)::BIGINT as unknown from rule_outcome
                       where rule = $rule{places.also} group by all),
                 p as (select place from c union select place from g union select place from u)
            select p.place, coalesce(c.covered, 0) + coalesce(g.gap, 0) as eligible, coalesce(c.covered, 0) as covered,
                   coalesce(g.gap, 0) as gap, coalesce(u.unknown, 0) as unknown
            from p left join c on c.place is not distinct from p.place left join g on g.place is not distinct from p.place
                   left join u on u.place is not distinct from p.place
            order by gap desc, unknown desc, p.place""",
        params,
    )


def programme_list(
    warehouse: Warehouse, scope: Scope, key: str, state: str, page: int = 1, size: int = 50
) -> tuple[pl.DataFrame, int]:
    """The people or households behind one figure: household_key, household_id, name, township, village, age; and how many.

    `state` is covered, gap or unknown.
    """
    programme = BY_KEY[key]
    known = conditions(warehouse)
    outcome = f"({known[programme.rule][1].sql})" if programme.rule in known else "false"
    wanted = {"covered": f"({programme.covered})", "gap": outcome, "unknown": f"{outcome} is null"}[state]
    return listed(warehouse, scope, programme.table, f"({wanted}){programme.living}", page, size)


def listed(
    warehouse: Warehouse, scope: Scope, table: str, condition: str, page: int = 1, size: int = 50
) -> tuple[pl.DataFrame, int]:
    """Households or persons of a snapshot that meet a condition of the program's own, one page and the number of all."""
    if table == "household_snapshot":
        person, age = "left join person_snapshot p on p.person_id = t.head_person_id", "t.size"
    else:
        person, age = "left join (select null::VARCHAR as name) p on false", "t.age"
    name = "p.name" if table == "household_snapshot" else "t.name"
    frame = warehouse.frame(
        f"""with t as (select * from {table} where ({condition}){scope.limit().also})
            select t.household_key, {scope.household("t.household_id")} as household_id, {scope.name(name)} as name,
                   t.township, t.village, {age} as figure, count(*) over () as total
            from t {person} order by t.household_key limit $size offset $skip""",
        {**scope.limit().params, "size": size, "skip": size * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0
