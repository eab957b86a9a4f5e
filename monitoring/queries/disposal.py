"""The four ways in which a warning is disposed of (国办发〔2023〕39号 三（四）), as a grouping of gap and matching signals.

    deliver   helped already, and a policy is not fully delivered: deliver it, or ask the department
    admit     not helped, and perhaps eligible: tell them, and begin the procedure
    confer    complex: one case, one meeting
    exit      perhaps no longer eligible: verify; end only what the ending conditions are met for

An alert (a household, or an institution without one) stands in exactly one: what is complex first, then whom it would admit,
then what is to be delivered, then what is to be verified. Complex is an alert whose gaps are several departments' matters
(`DEPARTMENTS` and more), or that has a gap and a matching hit at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.labels import LEVELS
from monitoring.queries.alerts import ALERT
from monitoring.warehouse import Warehouse

DEPARTMENTS = 3
# Gaps of people who are helped already, and a gradual exit that turns back: the full allowance is due again.
DELIVER = (
    "GAP-NO-MEASURE", "GAP-CLEARED-TOO-SOON", "GAP-DIS-LIVING", "GAP-DIS-CARE", "GAP-CHILD", "GAP-GUARDIAN", "GAP-WANDERER",
    "GAP-MEDICAL-AID", "GAP-INSURANCE", "GAP-EDUCATION", "GAP-TEKUN-CARE", "GAP-TEKUN-CENTRAL", "GAP-TEKUN-SAFETY",
    "GAP-TEKUN-AMOUNT", "GAP-CARERS", "EXIT-GRADUAL-BACK",
)  # fmt: skip


@dataclass(frozen=True)
class Way:
    """One way: key (of `outcomes.FAMILIES` too), Chinese title, what is to be done next."""

    key: str
    title: str
    next: str


WAYS = (
    Way("deliver", "已享受救助，政策落实不到位", "核实后落实到位；属其他部门的，转责任部门办理并登记答复"),
    Way("admit", "未纳入救助，可能符合条件", "入户核实，符合条件的告知本人并启动申请"),
    Way("confer", "情况复杂，提请一事一议", "提请困难群众基本生活保障工作协调机制研究，一案一议"),
    Way("exit", "可能不再符合条件，先核实", "请其提供证明，核实清楚；核实前待遇照发"),
)
BY_WAY = {way.key: way for way in WAYS}


def way_of(rule: str) -> str:
    """The way of one signal by itself."""
    if rule in DELIVER:
        return "deliver"
    return "exit" if rule.startswith("EXIT-") else "admit"


def ways(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a way, in order: way, alerts, households (alerts of a household), red (alerts with a red signal), signals."""
    where = scope.limit()
    found = warehouse.rows(
        f"""select way, count(*) as alerts, count(household_key) as households, count(*) filter (level_order = 1) as red,
                   sum(signals)::BIGINT as signals
            from ({_alerts(where)}) group by way""",
        where.params,
    )
    counted = {row["way"]: row for row in found}
    none: dict[str, Any] = {"alerts": 0, "households": 0, "red": 0, "signals": 0}
    return pl.DataFrame([{"way": way.key, **none, **counted.get(way.key, {})} for way in WAYS])


def way_list(
    warehouse: Warehouse, scope: Scope, way: str, level: str | None = None, page: int = 1, size: int = 50
) -> tuple[pl.DataFrame, int]:
    """The alerts of one way (with a signal of a level), the most urgent first: household_key, household_id, name, township, village, level, and their
    messages, messages_en, rules, clauses, department, due_date; and how many in all."""
    where = scope.limit()
    only = f" and level_order = {1 + LEVELS.index(level)}" if level else ""
    s = "s.level_order, s.rule, s.person_id, s.message"
    frame = warehouse.frame(
        f"""with a as materialized (from ({_alerts(where)}) where way = $way{only}),
                 picked as (from a order by level_order, signals desc, alert limit $size offset $skip),
                 s as (select * replace ({scope.sentence("message")} as message, {scope.sentence("message_en")} as message_en), {ALERT} as alert
                       from signal where {_KINDS}{scope.limit().also})
            select any_value(a.household_key) as household_key, any_value({scope.household("s.household_id")}) as household_id,
                   coalesce(any_value({scope.name("p.name")}), arg_min({scope.subject_name("s.name")}, s.level_order)) as name,
                   any_value(s.township) as township, any_value(s.village) as village, arg_min(s.level, s.level_order) as level,
                   list(s.message order by {s}) as messages, list(s.message_en order by {s}) as messages_en,
                   list(s.rule order by {s}) as rules, list(distinct s.clause order by s.clause) as clauses,
                   arg_min(s.department, (s.level_order, s.rule)) as department, min(s.due_date) as due_date,
                   (select count(*) from a) as total
            from picked a join s using (alert) left join household h on h.household_key = a.household_key
            left join person_snapshot p on p.person_id = h.head_person_id
            group by a.alert, a.level_order, a.signals order by a.level_order, a.signals desc, a.alert""",
        {**where.params, "way": way, "size": size, "skip": size * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0


_KINDS = "kind in ('gap', 'exit')"


def _alerts(where: Filter) -> str:
    """Alerts with such signals: alert, household_key, level_order, signals, way."""
    deliver = ", ".join(f"'{rule}'" for rule in DELIVER)
    return f"""select alert, household_key, level_order, signals,
                      case when departments >= {DEPARTMENTS} or (gap and leaves) then 'confer' when admits then 'admit'
                           when delivers then 'deliver' else 'exit' end as way
               from (select {ALERT} as alert, any_value(household_key) as household_key, min(level_order) as level_order, count(*) as signals,
                            count(distinct department) filter (kind = 'gap') as departments, bool_or(kind = 'gap') as gap,
                            bool_or(kind = 'exit' and rule not in ({deliver})) as leaves,
                            bool_or(kind = 'gap' and rule not in ({deliver})) as admits, bool_or(rule in ({deliver})) as delivers
                     from signal where {_KINDS}{where.also} group by 1)"""
