"""The facts that a scheme turns on beside the snapshots: money received now, and aid by kind.

A scheme's condition may name the columns of its subject's snapshot (`monitoring.tables`) and the ones below, which are
computed from the departments' own tables, in the open: NULL only where nobody can say. One statement gives a household's
row, one its persons' rows; without a key the same statements give the whole county's.
"""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.tables import MONEY, SNAPSHOTS, Column

DUE_MONTH = "date_trunc('month', as_of)"

_HOUSEHOLD_MORE: dict[str, Column] = {
    "tekun_members": Column("BIGINT", "特困成员数", "living members on tekun", "persons", ("tekun",)),
    "dibao_amount": Column(
        MONEY, "户月保障金额", "dibao of the whole household", "yuan a month", ("dibao", "payments")
    ),
    "emergency_aid_12m": Column(
        "BOOLEAN", "12个月内得到急难型临时救助", "emergency aid paid to a member in 12 months", "", ("temporary_aid",)
    ),
    "expenditure_aid_12m": Column(
        "BOOLEAN", "12个月内得到支出型临时救助", "expenditure aid paid to a member in 12 months", "", ("temporary_aid",)
    ),
    "aid_amount_12m": Column(
        MONEY, "12个月临时救助金额", "temporary aid paid to members in 12 months", "yuan", ("temporary_aid",)
    ),
    "renovation_begun": Column(
        "BOOLEAN", "危房已改造或改造中", "renovation under way or done", "", ("housing",), ("renovation",)
    ),
}
_PERSON_MORE: dict[str, Column] = {
    "single_amount": Column(MONEY, "单人保金额", "dibao as a single person", "yuan a month", ("dibao", "payments")),
    "tekun_care_amount": Column(MONEY, "月照料护理费", "care amount of tekun", "yuan a month", ("tekun",)),
    "tekun_amount": Column(MONEY, "特困月供养金", "basic and care amount of tekun", "yuan a month", ("tekun", "payments")),
    "living_subsidy_amount": Column(
        MONEY, "当月生活补贴", "living subsidy paid for the month", "yuan a month", ("disability_subsidy",)
    ),
    "care_subsidy_amount": Column(
        MONEY, "当月护理补贴", "nursing subsidy paid for the month", "yuan a month", ("disability_subsidy",)
    ),
    "child_amount": Column(
        MONEY, "儿童基本生活费", "allowance of an orphan or unattended child", "yuan a month", ("care_groups", "payments")
    ),
    "supplement_paid": Column(
        "BOOLEAN", "当月分类施保已发", "category supplement of the month was paid", "", ("payments",)
    ),
    "supplement_amount": Column(MONEY, "当月分类施保金", "category supplement of the month", "yuan a month", ("payments",)),
    "unattended": Column("BOOLEAN", "事实无人抚养儿童", "listed as de-facto unattended child", "", ("care_groups",)),
}  # fmt: skip
COLUMNS: dict[str, Mapping[str, Column]] = {
    "household": {**SNAPSHOTS["household"], **_HOUSEHOLD_MORE},
    "person": {**SNAPSHOTS["person"], **_PERSON_MORE},
}
MORE: dict[str, tuple[str, ...]] = {"household": tuple(_HOUSEHOLD_MORE), "person": tuple(_PERSON_MORE)}

_ACTIVE = "(s.start_date is null or s.start_date <= as_of) and (s.end_date is null or s.end_date > as_of)"
_ORPHANS = "('孤儿', '事实无人抚养儿童')"


def households(one: bool = True) -> str:
    """A table expression: one row is a household (that of `$key`) with a living member, its snapshot and what is above."""
    return f"""(with them as ({_them(one)}), day as (select as_of from run),
        paid as ({_paid("低保")}),
        certificate as (
            select household_key, certificate, max(household_amount) as amount, max(paid.低保) as paid
            from std_dibao s join them using (person_id) left join paid using (person_id), day
            where counts and {_ACTIVE} and coalesce(support_mode, '整户') = '整户' group by all),
        dibao as (select household_key, coalesce(sum(amount), sum(paid)) as dibao_amount from certificate group by all),
        supported as (
            select household_key, count(distinct person_id) as tekun_members
            from std_tekun s join them using (person_id), day where counts and {_ACTIVE} group by all),
        aid as (
            select household_key, sum(amount) as aid_amount_12m, bool_or(aid_kind = '急难型') as emergency,
                bool_or(aid_kind = '支出型') as expenditure
            from std_temporary_aid s join them using (person_id), day
            where counts and paid_date <= as_of and paid_date > as_of - interval 12 month group by all),
        known as (
            -- That there was no aid can be said only where the county has paid some in those months.
            select coalesce(bool_or(counts and paid_date <= as_of and paid_date > as_of - interval 12 month), false) as says
            from std_temporary_aid, day)
        select h.*, coalesce(supported.tekun_members, 0) as tekun_members, dibao.dibao_amount::{MONEY} as dibao_amount,
            {_aided("aid.emergency")} as emergency_aid_12m, {_aided("aid.expenditure")} as expenditure_aid_12m,
            aid.aid_amount_12m::{MONEY} as aid_amount_12m,
            coalesce(h.renovation in ('已改造', '改造中'), false) as renovation_begun
        from household_snapshot h cross join known left join dibao using (household_key)
        left join supported using (household_key) left join aid using (household_key)
        {"where h.household_key = $key" if one else ""})"""


def persons(one: bool = True) -> str:
    """A table expression: one row is a living person (of the household `$key`), the snapshot and what is above."""
    them = f"select person_id from person_snapshot where alive {'and household_key = $key' if one else ''}"
    return f"""(with them as ({them}), day as (select as_of from run),
        paid as ({_paid("低保", "特困", "孤儿", "分类施保")}),
        certificate as (
            select person_id, certificate, max(household_amount) as amount from std_dibao s semi join them using (person_id), day
            where counts and {_ACTIVE} and support_mode = '单人户' group by all),
        single as (select person_id, sum(amount) as amount from certificate group by all),
        care as (
            select person_id, arg_max(care_amount, s.start_date) as amount
            from std_tekun s semi join them using (person_id), day where counts and {_ACTIVE} group by all),
        subsidy as (
            select person_id, sum(amount) filter (subsidy_kind = '生活补贴') as living,
                sum(amount) filter (subsidy_kind = '护理补贴') as care
            from std_disability_subsidy s semi join them using (person_id), day
            where counts and status = '成功' and paid_month = {DUE_MONTH} group by all),
        child as (
            select person_id, nullif(max(allowance), 0) as amount, bool_or(category = '事实无人抚养儿童') as unattended
            from std_care_groups s semi join them using (person_id), day
            where counts and {_ACTIVE} and category in {_ORPHANS} group by all),
        told as (
            select distinct p.township from std_payments s join person_snapshot p using (person_id), day
            where s.counts and starts_with(item, '分类施保') and paid_month = {DUE_MONTH})
        select p.*, coalesce(single.amount, case when p.on_dibao and not p.whole_household_dibao then paid.低保 end)::{MONEY}
                as single_amount,
            care.amount::{MONEY} as tekun_care_amount,
            case when p.on_tekun then case when p.basic_amount is null then paid.特困
                else p.basic_amount + coalesce(care.amount, 0) end end::{MONEY} as tekun_amount,
            subsidy.living::{MONEY} as living_subsidy_amount, subsidy.care::{MONEY} as care_subsidy_amount,
            coalesce(child.amount, paid.孤儿)::{MONEY} as child_amount,
            coalesce(child.unattended, false) as unattended,
            case when paid.分类施保 is not null then true when p.township in (select township from told) then false end
                as supplement_paid,
            paid.分类施保::{MONEY} as supplement_amount
        from person_snapshot p left join paid using (person_id) left join single using (person_id) left join care using (person_id) left join subsidy using (person_id) left join child using (person_id)
        where p.alive {"and p.household_key = $key" if one else ""})"""


def _them(one: bool) -> str:
    """Living members; a person in two households counts in both, as in the household snapshot."""
    return f"select household_key, person_id from membership where alive {'and household_key = $key' if one else ''}"


def _paid(*items: str) -> str:
    """What was paid to each of `them` for the period's month, a column for every item of the payment list."""
    sums = ", ".join(f"sum(amount) filter (starts_with(item, '{item}')) as {item}" for item in items)
    return f"""select person_id, {sums} from std_payments s semi join (select person_id from them) using (person_id), day
        where counts and status = '成功' and paid_month = {DUE_MONTH} group by all"""


def _aided(found: str) -> str:
    return f"case when {found} then true when known.says then false end"
