"""退出复核: matching hits by the proof that settles them, gradual exits with their end, and what ended households went to.

A hit asks for a check and nothing else. Of a household that ended, what it went to is read from the registers as they are
now, and beside it from what people recorded when they decided (`monitoring.alerts.went`); a register that was never delivered
leaves that unknown, and nobody without any is told from one whom nothing is known of.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.alerts.went import NOTHING_RECORDED
from monitoring.queries.verdicts import rule_condition
from monitoring.warehouse import Warehouse


@dataclass(frozen=True)
class Proof:
    """One proof: key, Chinese title, the rules whose hits it settles, and how it settles them."""

    key: str
    title: str
    settles: str
    rules: tuple[str, ...]


PROOFS = (
    Proof("income", "家庭收入证明", "重新核对家庭经济状况：收入确已超过标准的，按渐退或规定程序办理；未超过的，记录核实结果，待遇不变。",
          ("EXIT-INCOME", "EXIT-GRADUAL", "EXIT-GRADUAL-END", "EXIT-GRADUAL-BACK")),
    Proof("employer", "就业和养老金证明", "单位出具的工资证明，或养老金发放记录：据此重新核算家庭收入；单位代缴、断缴没有收入的，记录核实结果。",
          ("EXIT-INSURED", "EXIT-INSURANCE-ENDED")),
    Proof("vehicle", "车辆权属和用途证明", "行驶证、转让或被冒名登记的证明，残疾人代步、生产用途的说明：不属于家庭财产的，更正数据。", ("EXIT-VEHICLE",)),
    Proof("deregistration", "车辆注销证明", "车管部门的注销证明，归档即可；开不出的，按在用车辆核实。", ("EXIT-VEHICLE-PROOF",)),
    Proof("title", "房屋权属和居住证明", "不动产权证、安置协议、实际居住情况：征地拆迁安置、共有份额、已灭失的，据实认定。", ("EXIT-HOMES", "EXIT-HOME-RECENT")),
    Proof("business", "经营情况或歇业证明", "经营流水、税务记录或注销证明：没有实际经营的，请本人办理注销；有经营的，收入计入家庭收入。", ("EXIT-BUSINESS",)),
    Proof("death", "死亡信息", "死亡证明、火化或户籍注销记录：确已死亡的按规定办理，家庭其他成员在三个月内复核；信息有误的，更正数据。", ("EXIT-DECEASED",)),
    Proof("certificate", "残疾证状态", "残联的证件状态：到期换证、迁入补录的，补齐后继续发放。", ("EXIT-SUBSIDY",)),
    Proof("school", "学籍和劳动能力证明", "学籍证明（义务教育、高中、中职在读的继续供养）、劳动能力和生活来源情况。", ("EXIT-TEKUN-AGE",)),
    Proof("entitlement", "身份和待遇核对", "两册核对本人身份和资格：确系一人的保留一项，同名不同人的更正数据。", ("EXIT-TWICE", "EXIT-DUPLICATE")),
)  # fmt: skip
BY_PROOF = {proof.key: proof for proof in PROOFS}
PROOF_OF = {rule: proof.key for proof in PROOFS for rule in proof.rules}

GRADUAL = {
    "past": "渐退期满，待核实",
    "unknown": "渐退期满，收入不明",
    "back": "收入回落，待恢复全额",
    "running": "渐退中",
    "due": "符合渐退，尚未开始",
}
WENT_TO = {
    "nothing": "没有去向", "unknown": "去向不明（有名单未提供）", "case": "只有办理记录写了去向，名单里没有", "monitoring": "防止返贫监测", "edge": "低保边缘家庭", "rigid": "刚性支出困难家庭",
    "dibao": "低保", "tekun": "特困供养", "deceased": "户内已无在世成员",
}  # fmt: skip
REASONS = {"death": "成员死亡", "gradual": "渐退期满"}


# --- matching hits


def hits(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a proof, in order: proof, signals, households, judged (outcomes of its rules), unknown (of those)."""
    where = scope.limit()
    found = warehouse.rows(
        f"""with p as (select * from (values {_proofs()}) as p(proof, rule)),
                 s as (select proof, count(*) as signals, count(distinct household_key) as households
                       from signal join p using (rule) where kind = 'exit'{where.also} group by proof),
                 o as (select proof, sum(judged)::BIGINT as judged, sum(unknown)::BIGINT as unknown
                       from rule_outcome join p using (rule) {where.where} group by proof)
            select proof, coalesce(signals, 0) as signals, coalesce(households, 0) as households, coalesce(judged, 0) as judged,
                   coalesce(unknown, 0) as unknown
            from s full join o using (proof)""",
        where.params,
    )
    counted = {row["proof"]: row for row in found}
    none = {"signals": 0, "households": 0, "judged": 0, "unknown": 0}
    return pl.DataFrame([{"proof": proof.key, **none, **counted.get(proof.key, {})} for proof in PROOFS])


def hit_list(
    warehouse: Warehouse, scope: Scope, proof: str, page: int = 1, size: int = 50
) -> tuple[list[dict[str, Any]], int]:
    """The hits that one proof settles, one row a signal, the most urgent first: household_key, household_id, person_id, name,
    township, village, subject, level, rule, message, message_en, clause, department, due_date, evidence (what was read)."""
    rules = ", ".join(f"'{rule}'" for rule in BY_PROOF[proof].rules)
    where = scope.limit()
    rows = warehouse.rows(
        f"""select household_key, {scope.household("household_id")} as household_id, person_id, {scope.subject_name("name")} as name,
                   township, village, subject, level, rule, {scope.sentence("message")} as message,
                   {scope.sentence("message_en")} as message_en, clause, department, due_date, {scope.evidence("evidence")} as evidence,
                   count(*) over () as total
            from signal where rule in ({rules}){where.also}
            order by level_order, due_date, rule, household_key, person_id, record_key limit $size offset $skip""",
        {**where.params, "size": size, "skip": size * (max(page, 1) - 1)},
    )
    total = int(rows[0]["total"]) if rows else 0
    return [{**row, "evidence": json.loads(row["evidence"] or "{}")} for row in rows], total


def unknown_list(
    warehouse: Warehouse, scope: Scope, rules: tuple[str, ...], page: int = 1, size: int = 50
) -> tuple[pl.DataFrame, int]:
    """Whom some matching rules could not judge, once a rule: household_key, household_id, name, township, village, rule,
    title_zh, title_en, subject, missing (inputs without a value)."""
    pieces = []
    for code in rules:
        found = rule_condition(warehouse, code)
        if found is None:
            continue
        record, condition = found
        subject = condition.subject
        absent = ", ".join(f"case when \"{column}\" is null then '{column}' end" for column in condition.columns)
        key, person = ("household_key", "head_person_id") if subject == "household" else ("person_id", "person_id")
        kind = f"record = '{record}' and " if record else ""
        pieces.append(
            f"""select '{code}' as rule, household_key, household_id, {person} as person_id, township, village, {key} as key,
                       list_filter([{absent}], lambda c: c is not null) as missing
                from {subject}_snapshot where {kind}({condition.sql}) is null"""
        )
    if not pieces:
        return pl.DataFrame(), 0
    where = scope.limit()
    frame = warehouse.frame(
        f"""with u as (select *, count(*) over () as total from ({" union all ".join(pieces)}) {where.where}
                       order by rule, household_key, key limit $size offset $skip)
            select u.household_key, {scope.household("u.household_id")} as household_id, {scope.name("p.name")} as name, u.township,
                   u.village, u.rule, r.title_zh, r.title_en, r.subject, u.missing, u.total
            from u join rule r using (rule) left join person_snapshot p on p.person_id = u.person_id order by u.rule, u.household_key, u.key""",
        {**where.params, "size": size, "skip": size * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0


def _proofs() -> str:
    return ", ".join(f"('{proof}', '{rule}')" for rule, proof in PROOF_OF.items())


# --- gradual exits


def gradual(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a month and a state (GRADUAL): month (2026-11, in which the gradual exit ends; NULL: not begun), state,
    households."""
    where = scope.limit()
    return warehouse.frame(
        f"select month, state, count(*) as households from ({_gradual(scope)}) group by all order by month nulls last, state",
        where.params,
    )


def gradual_unknown(warehouse: Warehouse, scope: Scope) -> int:
    """Households on whole-household dibao of which it cannot be said whether a gradual exit is due."""
    where = scope.limit(Filter().add("rule = 'EXIT-GRADUAL'"))
    row = warehouse.row(f"select sum(unknown)::BIGINT as n from rule_outcome {where.where}", where.params)
    return int(row["n"] or 0)


def gradual_list(
    warehouse: Warehouse,
    scope: Scope,
    month: str | None = None,
    state: str | None = None,
    page: int = 1,
    size: int = 50,
) -> tuple[pl.DataFrame, int]:
    """The households of one month ("" : not begun) and state, or of all, by the day on which the gradual exit ends:
    household_key, household_id, name, township, village, size, state, began, ends, income_pc, standard, message, message_en."""
    where = scope.limit()
    kept = Filter()
    if month:
        kept.add("month = $month", month=month)
    elif month == "":
        kept.add("month is null")
    if state:
        kept.add("state = $state", state=state)
    frame = warehouse.frame(
        f"""with g as (from ({_gradual(scope)}) {kept.where})
            select g.household_key, {scope.household("g.household_id")} as household_id, {scope.name("p.name")} as name, g.township, g.village,
                   g.size, g.state, g.began, g.ends, g.income_pc, g.standard, g.rule, g.message, g.message_en, count(*) over () as total
            from g left join person_snapshot p on p.person_id = g.head_person_id
            order by g.ends nulls last, g.state, g.household_key limit $size offset $skip""",
        {**where.params, **kept.params, "size": size, "skip": size * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0


def _gradual(scope: Scope) -> str:
    """Households in a gradual exit, or due for one; the months are the pack's."""
    return f"""select h.household_key, household_id, township, village, head_person_id, size, income_pc, standard, s.rule, s.message, s.message_en,
                      case when gradual_exit_started then gradual_exit_date end as began,
                      case when gradual_exit_started then (gradual_exit_date + to_months(months))::DATE end as ends,
                      strftime(ends, '%Y-%m') as month,
                      case when s.rule = 'EXIT-GRADUAL' then 'due' when s.rule = 'EXIT-GRADUAL-BACK' then 'back'
                           when s.rule = 'EXIT-GRADUAL-END' then 'past' when gradual_exit_over then 'unknown' else 'running' end as state
               from (from household_snapshot where whole_household_dibao{scope.limit().also}) h
               left join (select household_key, rule, {scope.sentence("message")} as message, {scope.sentence("message_en")} as message_en from signal
                          where rule in ('EXIT-GRADUAL', 'EXIT-GRADUAL-END', 'EXIT-GRADUAL-BACK')) s on s.household_key = h.household_key
               cross join (select coalesce(max(try_cast(value as INTEGER)), 0) as months from parameter where name = 'dibao.exit_months')
               where gradual_exit_started or s.rule is not null"""


# --- ended households


def ended(warehouse: Warehouse, scope: Scope, recorded: pl.DataFrame = NOTHING_RECORDED) -> pl.DataFrame:
    """One row is what ended households went to (WENT_TO, in order): went_to, households, persons (whose benefit ended),
    signals (households that the rule on those still in need hits), recorded (households of which a decision says it too).
    `recorded`: of `monitoring.alerts.went`. Without any destination are those who have none in the registers and of whom no
    decision names one."""
    where = scope.limit()
    found = warehouse.rows(
        f"""select went_to, count(*) as households, sum(persons)::BIGINT as persons, count(message) as signals, count(by_case) as recorded
            from ({_ended(scope)}) {where.where} group by went_to""",
        {**where.params, **_recorded(recorded)},
    )
    counted = {row["went_to"]: row for row in found}
    none = {"households": 0, "persons": 0, "signals": 0, "recorded": 0}
    return pl.DataFrame([{"went_to": key, **none, **counted.get(key, {})} for key in WENT_TO])


def ended_undecided(warehouse: Warehouse, scope: Scope) -> int:
    """Ended rows whose person is not decided yet: they are in no household."""
    where = scope.limit()
    rows = f"select township, village, person_id from ({_rows()}) where person_id is null"
    row = warehouse.row(f"select count(*) as n from ({rows}) {where.where}", where.params)
    return int(row["n"])


def ended_list(
    warehouse: Warehouse,
    scope: Scope,
    went_to: str | None = None,
    in_need: bool = False,
    page: int = 1,
    size: int = 50,
    recorded: pl.DataFrame = NOTHING_RECORDED,
    only_recorded: bool = False,
) -> tuple[pl.DataFrame, int]:
    """Households whose dibao or tekun ended in the last 12 months, those without anything by registers and decisions first:
    household_key, household_id, name, township, village, size, programmes, ended (the last day), persons, reason (REASONS; NULL:
    the register has none), gradual, went_to, by_ledger (WENT_TO), by_case (outcomes.WENT_TO) and its day (NULL: nothing is
    recorded), income_pc, standard, low_income_household, message, message_en, clause of the rule on those still in need."""
    where = scope.limit()
    if went_to:
        where.add("went_to = $went_to", went_to=went_to)
    if in_need:
        where.add("message is not null")
    if only_recorded:
        where.add("by_case is not null")
    order = " ".join(f"when '{key}' then {place}" for place, key in enumerate(WENT_TO))
    frame = warehouse.frame(
        f"""with e as (from ({_ended(scope)}) {where.where})
            select e.* exclude (household_id, head_name, message, message_en), {scope.household("e.household_id")} as household_id,
                   {scope.name("e.head_name")} as name, message, message_en, count(*) over () as total
            from e order by case went_to {order} end, message is null, ended desc, household_key limit $size offset $skip""",
        {**where.params, **_recorded(recorded), "size": size, "skip": size * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0


def _rows() -> str:
    """The rows that ended in the last 12 months, of both registers."""
    return " union all ".join(
        f"""select '{title}' as programme, person_id, township, village, end_date, {gradual_date} as gradual_exit_date
            from std_{feed} cross join (select as_of from run)
            where counts and end_date <= as_of and end_date > as_of - interval 12 month"""
        for feed, title, gradual_date in (("dibao", "低保", "gradual_exit_date"), ("tekun", "特困供养", "null::DATE"))
    )


def _recorded(recorded: pl.DataFrame) -> dict[str, Any]:
    return {f"case_{name}": recorded[name].to_list() for name in ("household_id", "went_to", "day")}


def _ended(scope: Scope) -> str:
    """One row is a household, also one without a living member. A decision names the destination only where the registers have
    none, and "left directly" is none."""
    return f"""select *, case when by_ledger in ('nothing', 'unknown') and by_case <> 'nothing' then 'case' else by_ledger end as went_to
               from ({_by_ledger(scope)}) left join (
                   select unnest($case_household_id::VARCHAR[]) as household_id, unnest($case_went_to::VARCHAR[]) as by_case,
                          unnest($case_day::DATE[]) as case_day) using (household_id)"""


def _by_ledger(scope: Scope) -> str:
    """What the registers say of each."""
    return f"""select e.household_key, k.household_id, k.township, k.village, coalesce(h.size, 0) as size, programmes, ended, persons,
                      case when death then 'death' when gradual then 'gradual' end as reason, gradual,
                      case when h.household_key is null then 'deceased' when h.any_tekun then 'tekun' when any_dibao then 'dibao' when any_rigid then 'rigid'
                           when any_low_income then 'edge' when at_risk then 'monitoring' when undelivered then 'unknown' else 'nothing' end as by_ledger,
                      h.income_pc, h.standard, h.low_income_household, n.name as head_name, s.message, s.message_en, s.clause
               from (select p.household_key, string_agg(distinct programme, '、' order by programme) as programmes, max(end_date) as ended,
                            count(distinct r.person_id) as persons, bool_or(coalesce(p.death_date <= r.end_date, false)) as death,
                            bool_or(gradual_exit_date is not null) as gradual
                     from ({_rows()}) r join person_snapshot p on p.person_id = r.person_id group by p.household_key) e
               left join household k on k.household_key = e.household_key
               left join household_snapshot h on h.household_key = e.household_key
               left join person_snapshot n on n.person_id = k.head_person_id
               left join (select household_key, clause, {scope.sentence("message")} as message, {scope.sentence("message_en")} as message_en from signal where rule = 'GAP-AFTER-EXIT') s on s.household_key = e.household_key
               cross join (select bool_or(last_period is null) as undelivered from feed_snapshot
                           where feed in ('dibao', 'tekun', 'low_income', 'monitored'))"""
