"""The month's lists as township offices keep them, from this period's published run beside the one before, and the ledgers.

One function a sheet; all of them read a `Pair`, are limited to the scope's places and masked where it says so. Who passes
from dibao to tekun or back is a change of category, neither new nor ended; who appears with a start before the last period
is marked as entered late (补录). A ledger that one of the two runs does not have is not compared: `not_compared` names it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.labels import feed_titles
from monitoring.warehouse import Warehouse

LEDGERS = ("dibao", "tekun", "low_income")
GOES_TO = ("低保", "特困供养", "低保边缘家庭", "刚性支出困难家庭")
# Dibao and tekun pass into each other without a new admission.
_PASSED = "('低保', '特困供养')"


@dataclass(frozen=True)
class Sheet:
    """One sheet: its rows, with headings as the office writes them. `note` stands above the headings; `money` and `dates`
    are told by the columns' types."""

    title: str
    rows: pl.DataFrame
    note: str = ""
    totals: dict[str, str] = field(default_factory=dict)


def not_compared(warehouse: Warehouse, scope: Scope) -> dict[str, str]:
    """Ledger -> why its persons are not compared: one of the two runs has no file of it."""
    rows = warehouse.rows(
        """select feed, e.last_period is null as before, l.last_period is null as now
           from earlier.feed_snapshot e full join later.feed_snapshot l using (feed)
           where feed in ('dibao', 'tekun', 'low_income', 'deaths', 'temporary_aid', 'officials')"""
    )
    said = {(True, True): "两期都没有台账", (True, False): "上期没有台账", (False, True): "本期没有台账"}
    return {row["feed"]: said[row["before"], row["now"]] for row in rows if row["before"] or row["now"]}


def came_anew(warehouse: Warehouse, scope: Scope) -> list[str]:
    """Townships that a ledger names now and did not before, in words: all their persons look new."""
    places = scope.limit_townships(Filter().add("feed in ('dibao', 'tekun', 'low_income')"))
    rows = warehouse.rows(
        f"""select feed, township from later.feed_township {places.where} and township is not null
            and exists (select 1 from earlier.feed_township e where e.feed = later.feed_township.feed)
            except select feed, township from earlier.feed_township order by feed, township""",
        places.params,
    )
    return [f"{row['township']}的{feed_titles()[row['feed']]}上期没有，其人员本期都显示为新增" for row in rows]


def _ledger(side: str, ledgers: tuple[str, ...]) -> str:
    """One row is a person and category in force: person_id, category, certificate, amount (yuan a month), start, kind."""
    when = "counts and person_id is not null and {start} <= r.as_of and (end_date is null or end_date > r.as_of)"
    parts = {
        "dibao": f"""select person_id, '低保' as category, min(certificate) as certificate, max(household_amount) as amount,
                            min(start_date) as start, min(dibao_kind) as kind, max(class) as class, max(gradual_exit_date) as gradual
                     from {side}.std_dibao cross join {side}.run r where {when.format(start="start_date")} group by person_id""",
        "tekun": f"""select person_id, '特困供养', null, (max(coalesce(basic_amount, 0)) + max(coalesce(care_amount, 0)))::DECIMAL(14,2),
                            min(start_date), min(support_form), null, null::DATE
                     from {side}.std_tekun cross join {side}.run r where {when.format(start="start_date")} group by person_id""",
        "low_income": f"""select person_id, category, null, null::DECIMAL(14,2), min(recognised_date), null, null, null::DATE
                          from {side}.std_low_income cross join {side}.run r
                          where {when.format(start="recognised_date")} group by person_id, category""",
    }
    nobody = """select null::BIGINT as person_id, null::VARCHAR as category, null::VARCHAR as certificate, null::DECIMAL(14,2) as amount,
                       null::DATE as start, null::VARCHAR as kind, null::VARCHAR as class, null::DATE as gradual where false"""
    return " union all ".join([nobody, *(parts[name] for name in LEDGERS if name in ledgers)])


_PEOPLE = """select person_id, coalesce(l.name, e.name) as name, coalesce(l.number, e.number) as number,
                    coalesce(l.household_id, e.household_id) as household_id,
                    coalesce(l.township, e.township) as township, coalesce(l.village, e.village) as village,
                    coalesce(l.relation, e.relation) as relation, coalesce(l.age, e.age) as age, coalesce(l.sex, e.sex) as sex,
                    coalesce(l.alive, e.alive) as alive, l.death_date, e.alive as alive_before, coalesce(l.is_head, e.is_head) as is_head,
                    l.at_risk_household as at_risk
             from earlier.person_snapshot e full join later.person_snapshot l using (person_id)"""
_SIZES = """select household_id, coalesce(l.size, 0) as size, e.size as size_before, l.income_pc, l.standard, e.standard as standard_before
            from later.household_snapshot l full join earlier.household_snapshot e using (household_id)"""


def _with(warehouse: Warehouse, scope: Scope) -> str:
    held = tuple(name for name in LEDGERS if name not in not_compared(warehouse, scope))
    return f"""with before as ({_ledger("earlier", held)}), now as ({_ledger("later", held)}), people as ({_PEOPLE}), sizes as ({_SIZES}),
        days as (select e.as_of as first, l.as_of as last from earlier.run e cross join later.run l),
        was as (select person_id, string_agg(category, '、' order by category) as categories from before group by person_id),
        are as (select person_id, string_agg(category, '、' order by category) as categories from now group by person_id),
        passes as (select b.person_id, b.category as first, n.category as second
                   from before b join now n on n.person_id = b.person_id and n.category in {_PASSED}
                   anti join now k on k.person_id = b.person_id and k.category = b.category
                   anti join before w on w.person_id = n.person_id and w.category = n.category where b.category in {_PASSED})"""


def _who(scope: Scope) -> str:
    """The columns with which every list of persons begins."""
    return f"""p.township as 乡镇, p.village as 村, {scope.name("p.name")} as 姓名, {scope.number("p.number")} as 身份证号"""


_ORDER = "order by p.township nulls last, p.village nulls last, p.household_id, p.person_id"


def new(warehouse: Warehouse, scope: Scope) -> Sheet:
    places = scope.limit(Filter(), "p")
    rows = warehouse.frame(
        f"""{_with(warehouse, scope)}
            select {_who(scope)}, n.category as 类别, n.kind as 类型, {scope.household("p.household_id")} as 户编号, p.relation as 与户主关系,
                   s.size as 家庭人口, n.amount as 月保障金额, n.start as 享受起始日期, was.categories as 上期类别,
                   case when n.start <= d.first then '补录：起始日期早于上期' else '' end as 说明
            from now n anti join before b on b.person_id = n.person_id and b.category = n.category
            join people p using (person_id) left join sizes s using (household_id) left join was using (person_id) cross join days d
            where not exists (select 1 from passes o where o.person_id = n.person_id and o.second = n.category)
            {places.also} {_ORDER}, n.category""",
        places.params,
    )  # fmt: skip
    return Sheet("新增救助明细", rows, "本期在册、上期不在册的人；低保与特困互转不算新增，见“类别转换明细”。")


def passed(warehouse: Warehouse, scope: Scope) -> Sheet:
    places = scope.limit(Filter(), "p")
    rows = warehouse.frame(
        f"""{_with(warehouse, scope)}
            select {_who(scope)}, b.category as 上期类别, n.category as 本期类别, b.amount as 上期月金额, n.amount as 本期月金额,
                   n.start as 享受起始日期
            from passes q join now n on n.person_id = q.person_id and n.category = q.second
            join before b on b.person_id = q.person_id and b.category = q.first join people p on p.person_id = n.person_id where true {places.also} {_ORDER}""",
        places.params,
    )  # fmt: skip
    return Sheet("类别转换明细", rows, "低保转特困、特困转低保；不计新增、停保。")


_ENDED = """gone as (
    select b.person_id, b.category, b.amount, b.certificate, coalesce(z.end_date, d.last) as ended_on, z.end_date, z.gradual_exit_date
    from before b anti join now n on n.person_id = b.person_id and n.category = b.category cross join days d
    left join (select person_id, '低保' as category, max(end_date) as end_date, max(gradual_exit_date) as gradual_exit_date
               from later.std_dibao where counts and end_date is not null group by person_id
               union all select person_id, '特困供养', max(end_date), null from later.std_tekun where counts and end_date is not null group by person_id
               union all select person_id, category, max(end_date), null from later.std_low_income where counts and end_date is not null
               group by person_id, category) z on z.person_id = b.person_id and z.category = b.category),
    ended as (from gone anti join passes on passes.person_id = gone.person_id and passes.first = gone.category)"""
_REASON = """case when not p.alive then '人员死亡' when e.gradual_exit_date is not null then '渐退期后终止'
    when e.end_date is not null then '台账终止（原因台账未写）' else '本期台账无此人（原因不明）' end"""


def ended(warehouse: Warehouse, scope: Scope) -> Sheet:
    places = scope.limit(Filter(), "p")
    rows = warehouse.frame(
        f"""{_with(warehouse, scope)}, {_ENDED}
            select {_who(scope)}, e.category as 类别, {scope.household("p.household_id")} as 户编号, s.size as 家庭人口,
                   strftime(e.ended_on, '%Y-%m') as 停保月份, {_REASON} as 停保原因, e.amount as 上期月金额,
                   s.income_pc::DECIMAL(14,2) as 月人均收入, s.standard as 低保标准, coalesce(are.categories, '') as 现在享受
            from ended e join people p using (person_id) left join sizes s using (household_id) left join are using (person_id)
            where true {places.also} {_ORDER}, e.category""",
        places.params,
    )
    return Sheet(
        "停保明细", rows, "上期在册、本期不在册的人。停保原因以台账和死亡登记为准；台账没有写的，如实写明不明。"
    )


def ended_by_place(warehouse: Warehouse, scope: Scope) -> Sheet:
    places = scope.limit(Filter(), "p")
    rows = warehouse.frame(
        f"""{_with(warehouse, scope)}, {_ENDED}
            select coalesce(p.township, '地点不明') as 乡镇, e.category as 类别, {_REASON} as 停保原因, count(distinct p.household_id) as 户数,
                   count(*) as 人数
            from ended e join people p using (person_id) where true {places.also} group by all order by all""",
        places.params,
    )
    return Sheet("停保汇总表", rows, "按乡镇、类别、停保原因；人数与“停保明细”的行数相等。")


def _amounts(warehouse: Warehouse, scope: Scope, title: str, sign: str, word: str) -> Sheet:
    """Certificates (dibao) and persons (tekun) in force in both runs whose monthly amount is another one."""
    places = scope.limit(Filter(), "p")
    rows = warehouse.frame(
        f"""{_with(warehouse, scope)},
            cards as (
                select b.category, coalesce(b.certificate, b.person_id::VARCHAR) as card, max(b.amount) as before, max(n.amount) as now,
                       count(distinct b.person_id) as persons
                from before b join now n on n.person_id = b.person_id and n.category = b.category
                     and n.certificate is not distinct from b.certificate where b.category in {_PASSED} group by all),
            holders as (
                select category, coalesce(certificate, person_id::VARCHAR) as card, count(*) as persons,
                       arg_min(person_id, (not is_head, person_id)) as person_id, max(class) as class, max(gradual) as gradual
                from now join people using (person_id) group by all),
            had as (select category, coalesce(certificate, person_id::VARCHAR) as card, count(*) as persons, max(class) as class, max(gradual) as gradual from before group by all)
            select {_who(scope)}, c.category as 类别, case when c.category = '低保' then c.card end as 救助证编号,
                   had.persons as 上期保障人口, h.persons as 本期保障人口, c.before as 上期月金额, c.now as 本期月金额,
                   abs(c.now - c.before)::DECIMAL(14,2) as {word},
                   coalesce(nullif(concat_ws('、', case when had.persons <> h.persons then '保障人口变化' end,
                       case when s.standard is distinct from s.standard_before then '低保标准变化' end,
                       case when had.gradual is null and h.gradual is not null then '进入渐退期' end,
                       case when had.class is distinct from h.class then concat('类别 ', coalesce(had.class, '不明'), ' → ', coalesce(h.class, '不明')) end), ''),
                       '台账未写（原因不明）') as 原因
            from cards c join holders h using (category, card) join had using (category, card) join people p using (person_id)
            left join sizes s using (household_id) where c.now {sign} c.before {places.also} {_ORDER}""",
        places.params,
    )  # fmt: skip
    return Sheet(title, rows, "两期都在册的低保证（特困为本人），月金额有变化的；原因由两期台账比较得出。")


def increased(warehouse: Warehouse, scope: Scope) -> Sheet:
    return _amounts(warehouse, scope, "保障金增发表", ">", "月增发金额")


def decreased(warehouse: Warehouse, scope: Scope) -> Sheet:
    return _amounts(warehouse, scope, "保障金减发表", "<", "月减发金额")


def died(warehouse: Warehouse, scope: Scope) -> Sheet:
    """Persons on a ledger in the earlier run who are known to be dead now and were not then."""
    places = scope.limit(Filter(), "p")
    rows = warehouse.frame(
        f"""{_with(warehouse, scope)}
            select {_who(scope)}, b.category as 类别, p.age as 年龄, p.death_date as 死亡日期, r.registered as 登记日期, b.amount as 上期月金额,
                   coalesce(s.size, 0) as 家庭现有人口, case when n.person_id is null then '已停' else '仍在册，请核实' end as 本期情况
            from before b join people p using (person_id) left join sizes s using (household_id)
            left join now n on n.person_id = b.person_id and n.category = b.category
            left join (select person_id, max(registered_date) as registered from later.std_deaths where counts group by person_id) r
                 on r.person_id = b.person_id
            where not p.alive and p.alive_before {places.also} {_ORDER}, b.category""",
        places.params,
    )
    return Sheet("自然减员表", rows, "上期在册，本期死亡登记才知道已去世的人。仍在册的请先核实。")


def temporary(warehouse: Warehouse, scope: Scope) -> Sheet:
    """Grants that are paid by now and were not paid by the earlier run."""
    places = scope.limit(Filter(), "p")
    paid = "select person_id, aid_kind, accepted_date, max(paid_date) as paid_date, max(amount) as amount, max(hardship) as hardship, max(approved_date) as approved_date, bool_or(aid_first) as aid_first from {side}.std_temporary_aid t cross join {side}.run r where t.counts and paid_date <= r.as_of and person_id is not null group by all"
    rows = warehouse.frame(
        f"""{_with(warehouse, scope)}, paid as ({paid.format(side="later")}), paid_before as ({paid.format(side="earlier")})
            select {_who(scope)}, p.age as 年龄, p.sex as 性别, s.size as 家庭人口, a.aid_kind as 类别, a.hardship as 救助原因, a.amount as 救助金额,
                   a.accepted_date as 受理日期, a.approved_date as 审批日期, a.paid_date as 发放日期,
                   case a.aid_first when true then '是' when false then '否' else '不明' end as 先行救助,
                   case when a.paid_date <= d.first then '补报：发放在上期以前' else '' end as 说明
            from paid a anti join paid_before b on b.person_id = a.person_id and b.aid_kind is not distinct from a.aid_kind
                 and b.accepted_date is not distinct from a.accepted_date
            join people p using (person_id) left join sizes s using (household_id) cross join days d
            where true {places.also} {_ORDER}, a.accepted_date""",
        places.params,
    )  # fmt: skip
    return Sheet("临时救助汇总表", rows, "本期台账中已发放、上期台账中还没有发放的每一笔。")


def relatives(warehouse: Warehouse, scope: Scope) -> Sheet:
    places = scope.limit(Filter(), "p")
    number = scope.number("o.official_number")
    rows = warehouse.frame(
        f"""{_with(warehouse, scope)}
            select p.township as 乡镇, p.village as 村, {scope.name("o.official_name")} as 干部姓名, {number} as 干部身份证号, o.position as 职务,
                   {scope.name("coalesce(p.name, o.name)")} as 近亲属姓名, {scope.number("p.number")} as 近亲属身份证号, o.kinship as 关系,
                   o.filed_date as 备案日期, coalesce(are.categories, '现不享受') as 现享受救助, n.amount as 月保障金额, n.start as 享受起始日期,
                   case when o.filed_date is not null and o.filed_date <= d.last then '已备案' else '未备案，请补办' end as 备案情况
            from later.std_officials o cross join days d left join people p using (person_id) left join are using (person_id)
            left join now n on n.person_id = o.person_id and n.category = '低保'
            where o.counts {places.also} {_ORDER}, o.official_name""",
        places.params,
    )  # fmt: skip
    return Sheet("近亲属备案", rows, "台账登记的全部近亲属；现享受的救助以本期台账为准。")


def netted(warehouse: Warehouse, scope: Scope) -> Sheet:
    """Everybody whose dibao or tekun ended in the last 12 months, or is gone since the earlier run, and where they are now."""
    places = scope.limit(Filter(), "p")
    marks = ", ".join(
        f"case when bool_or(n.category = '{to}') then '√' else '' end as {'纳入' + to.removesuffix('家庭').removesuffix('供养').removesuffix('困难')}"
        for to in GOES_TO
    )
    rows = warehouse.frame(
        f"""{_with(warehouse, scope)}, {_ENDED},
            over as (select person_id, category, ended_on, end_date, gradual_exit_date from gone where category in {_PASSED}
                     union all
                     select person_id, '低保', max(end_date), max(end_date), max(gradual_exit_date) from later.std_dibao cross join days
                     where counts and person_id is not null and end_date <= last and end_date > last - interval 12 month group by person_id
                     union all
                     select person_id, '特困供养', max(end_date), max(end_date), null from later.std_tekun cross join days
                     where counts and person_id is not null and end_date <= last and end_date > last - interval 12 month group by person_id),
            e as (select person_id, category, max(ended_on) as ended_on, max(end_date) as end_date, max(gradual_exit_date) as gradual_exit_date
                  from over anti join now using (person_id, category) group by person_id, category)
            select {_who(scope)}, e.category as 类别, any_value(s.size) as 家庭人口, strftime(e.ended_on, '%Y-%m') as 停保月份, {_REASON} as 停保原因,
                   case when e.gradual_exit_date is null then '无记录' else strftime(e.gradual_exit_date, '%Y-%m') || '起' end as 渐退期, {marks},
                   case when p.alive and p.at_risk then '√' else '' end as 纳入防返贫监测,
                   case when bool_or(n.category is not null) or not p.alive or p.at_risk then '' else '√' end as 直接退出,
                   case when not p.alive then '已去世' when bool_or(n.category is not null) then '' when p.at_risk then '在防止返贫监测中，请核实是否需要兜底'
                        when p.at_risk is null then '去向不明，请核实' else '没有其他救助，请核实生活情况' end as 说明
            from e join people p using (person_id) left join sizes s using (household_id) left join now n using (person_id)
            where true {places.also}
            group by p.township, p.village, p.name, p.number, p.household_id, p.person_id, p.alive, p.at_risk, e.category, e.ended_on, e.end_date,
                     e.gradual_exit_date
            order by 直接退出 desc, p.township nulls last, p.village nulls last, p.household_id, p.person_id""",
        places.params,
    )  # fmt: skip
    return Sheet(
        "退出对象兜底情况纠治表",
        rows,
        "近12个月停保和本期不再在册的低保、特困人员，直接退出的（没有转入救助，也不在防返贫监测中）排在前面。“√”以本期台账为准。",
    )


SHEETS = (new, passed, ended_by_place, ended, increased, decreased, died, temporary, relatives, netted)


def month(warehouse: Warehouse, scope: Scope) -> list[Sheet]:
    """Every sheet of the month, in the order of the workbook."""
    return [sheet(warehouse, scope) for sheet in SHEETS]
