"""Who is gone from a state register of aid without an end date (`vanished`, `pipelines.run.vanishing`): ask the department.

It is not known whether they ended, moved, or fell out of a file by mistake: they are never counted as ended, and no rule reads
this. Where they stand now is told beside it, and how many rows of the register nobody could use or put to a person.
"""

from __future__ import annotations

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.warehouse import Warehouse

# What somebody may stand in now, in the order in which it is told; "gone": in no file of the run.
NOW = {
    "nothing": "现在哪一册都没有", "gone": "本期所有文件里都没有此人", "monitored": "防止返贫监测", "low_income": "低收入家庭名单", "dibao": "低保",
    "tekun": "特困供养", "dead": "已知死亡",
}  # fmt: skip


def looked_for(warehouse: Warehouse, scope: Scope) -> bool:
    """Whether the run looked for them: one of an older version did not."""
    return bool(warehouse.rows("select 1 from duckdb_tables() where table_name = 'vanished'"))


def vanished(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a register, those with most first: register, persons, nothing (of them who stand in no register now), since
    (the last period in which the longest gone stood there)."""
    where = scope.limit()
    return warehouse.frame(
        f"""select register, count(*) as persons, count(*) filter (now in ('nothing', 'gone')) as nothing, min(last_period) as since
            from ({_NOW}) {where.where} group by register order by persons desc, register""",
        where.params,
    )


def unusable(warehouse: Warehouse, scope: Scope) -> dict[str, int]:
    """Register -> rows of this period that nobody can tell whose they are: quarantined ones (of the county: such a row need not
    have a place), and of the places those whose person waits for a decision. Somebody who seems gone may stand there."""
    where = scope.limit(Filter().add("feed in (select distinct register from vanished)"))
    found = warehouse.rows(
        f"""select feed, sum(n)::BIGINT as n from (
                select q.feed, count(*) as n from quarantine q join part p using (delivered, part)
                where p.this_period and q."row" is not null and q.feed in (select distinct register from vanished) group by q.feed
                union all select feed, count(*) from link_review {where.where} group by feed)
            group by feed""",
        where.params,
    )
    return {row["feed"]: int(row["n"]) for row in found}


def vanished_list(
    warehouse: Warehouse,
    scope: Scope,
    register: str | None = None,
    nothing: bool = False,
    page: int = 1,
    size: int = 50,
) -> tuple[pl.DataFrame, int]:
    """The persons, those who stand in nothing now first: household_key, household_id, name, township, village, register,
    last_period, now (NOW)."""
    where = scope.limit()
    if register:
        where.add("register = $register", register=register)
    if nothing:
        where.add("now in ('nothing', 'gone')")
    order = " ".join(f"when '{key}' then {place}" for place, key in enumerate(NOW))
    frame = warehouse.frame(
        f"""select household_key, {scope.household("household_id")} as household_id, {scope.name("name")} as name, township, village,
                   register, last_period, now, count(*) over () as total
            from ({_NOW}) {where.where} order by case now {order} end, last_period desc, register, household_key, person_id
            limit $size offset $skip""",
        {**where.params, "size": size, "skip": size * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0


# The place is where they live now, else where they stood last; the household's key only where there still is one.
_NOW = """select v.register, v.person_id, v.last_period, coalesce(p.household_key, h.household_key) as household_key,
                 coalesce(p.household_id, v.household_id) as household_id, coalesce(p.name, v.name) as name,
                 coalesce(p.township, v.township) as township, coalesce(p.village, v.village) as village,
                 case when p.person_id is null then 'gone' when not p.alive then 'dead' when p.on_tekun then 'tekun' when p.on_dibao then 'dibao'
                      when p.on_low_income then 'low_income' when p.at_risk_household then 'monitored' else 'nothing' end as now
          from vanished v left join person_snapshot p using (person_id) left join household h on h.household_id = v.household_id"""
