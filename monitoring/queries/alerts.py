"""The alert queue: one row is one household with its open signals together (or one institution, source, policy, or a
record of no household), most urgent first, fifty a page from the database.

A filter picks households that have a signal which meets all its conditions at once; their other signals stay visible.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.warehouse import Warehouse

PAGE = 50
# An integer for every alert: the household, else a number below 0 made from what the signal is about.
ALERT = "coalesce(household_key, -1 - (hash(subject, name, person_id, record_key) >> 2)::BIGINT)"


@dataclass(frozen=True)
class Wanted:
    """What the queue is narrowed to; an empty field is no condition. `text` is a name, the end of a number, or a village."""

    levels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    rule: str = ""
    text: str = ""

    def filter(self) -> Filter:
        where = Filter()
        if self.levels:
            where.add("level in (select unnest($levels))", levels=list(self.levels))
        if self.kinds:
            where.add("kind in (select unnest($kinds))", kinds=list(self.kinds))
        if self.rule:
            where.add("rule = $rule", rule=self.rule)
        text = self.text.strip()
        if text:
            where.add(
                """name = $text or village = $text or household_id = $text
                   or (length($text) >= 4 and ends_with(id_number, upper($text)))""",
                text=text,
            )
        return where


@dataclass(frozen=True)
class AlertPage:
    """`rows`: alert, household_key, household_id, name, township, village, level, level_order, signals, due_date,
    message, message_en, more (titles of the other signals). `total` alerts in all."""

    rows: pl.DataFrame
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def alert_page(warehouse: Warehouse, scope: Scope, wanted: Wanted | None = None, page: int = 1) -> AlertPage:
    """One page, ordered by level, number of signals, due date."""
    where = scope.limit((wanted or Wanted()).filter())
    order = "level_order, signals desc, due_date, alert"
    ranked = warehouse.frame(
        f"""with met as (select distinct {ALERT} as alert from signal {where.where}),
                 a as (select {ALERT} as alert, min(level_order) as level_order, count(*) as signals, min(due_date) as due_date
                       from signal {scope.limit().where} group by 1)
            select a.*, count(*) over () as total from a semi join met using (alert)
            order by {order} limit {PAGE} offset $skip""",
        {**where.params, "skip": PAGE * (max(page, 1) - 1)},
    )
    if ranked.is_empty():
        return AlertPage(ranked, 0)
    keys = ranked["alert"].to_list()
    told = warehouse.frame(
        f"""with s as ({_shown(scope, keys)})
            select s.alert, any_value(s.household_key) as household_key, any_value(s.household_id) as household_id,
                   any_value({scope.name("p.name")}) as head, arg_min(s.name, (s.level_order, s.rule)) as name,
                   any_value(s.township) as township, any_value(s.village) as village, any_value(s.subject) as subject,
                   arg_min(s.level, s.level_order) as level,
                   arg_min(s.message, (s.level_order, s.rule)) as message,
                   arg_min(s.message_en, (s.level_order, s.rule)) as message_en,
                   list(distinct s.rule order by s.rule) as rules
            from s
            left join household h on h.household_key = s.household_key
            left join person_snapshot p on p.person_id = h.head_person_id
            group by s.alert""",
        {**_keys(keys), **scope.limit().params},
    )
    rows = ranked.join(told, on="alert", how="left", maintain_order="left")
    return AlertPage(rows.with_columns(name=pl.coalesce("head", "name")), int(ranked["total"][0]))


def _shown(scope: Scope, keys: list[int]) -> str:
    """The signals of some alerts, masked as the scope says."""
    return f"""select {ALERT} as alert, household_key, {scope.household("household_id")} as household_id, person_id,
                      rule, kind, level, level_order, subject, department, due_date, clause, record_key, township, village,
                      {scope.subject_name("name")} as name, {scope.sentence("message")} as message,
                      {scope.sentence("message_en")} as message_en, {scope.evidence("evidence")} as evidence
               from signal where {_among(keys)}{scope.limit().also}"""


def _among(keys: list[int]) -> str:
    """Households by their key (the table's own order helps); what has none by its number."""
    households = any(key >= 0 for key in keys)
    others = any(key < 0 for key in keys)
    parts = ["household_key in (select unnest($households))"] if households else []
    parts += [f"(household_key is null and {ALERT} in (select unnest($others)))"] if others else []
    return f"({' or '.join(parts)})"


def _keys(keys: list[int]) -> dict[str, Any]:
    households, others = [k for k in keys if k >= 0], [k for k in keys if k < 0]
    return {**({"households": households} if households else {}), **({"others": others} if others else {})}


@dataclass(frozen=True)
class Signal:
    """One signal as a page shows it; `evidence` are the columns that the rule read, `parameters` the values by name."""

    rule: str
    title_zh: str
    title_en: str
    kind: str
    level: str
    subject: str
    name: str | None
    person_id: int | None
    department: str
    due_date: date | None
    message: str
    message_en: str | None
    clause: str
    record_key: str | None
    evidence: dict[str, Any]
    parameters: dict[str, Any]


def signals_of(warehouse: Warehouse, scope: Scope, alert: int) -> list[Signal]:
    """Every signal of one alert (a household's key, or an alert's number below 0), the most urgent first."""
    rows = warehouse.rows(
        f"""with s as ({_shown(scope, [alert])})
            select s.rule, r.title_zh, r.title_en, s.kind, s.level, s.subject, s.name, s.person_id, s.department, s.due_date,
                   s.clause, s.record_key, s.message, s.message_en,
                   s.evidence
            from s join rule r using (rule) order by level_order, rule, person_id, record_key""",
        {**_keys([alert]), **scope.limit().params},
    )
    return [_signal(row) for row in rows]


def _signal(row: dict[str, Any]) -> Signal:
    read = json.loads(row.pop("evidence") or "{}")
    evidence = {name: value for name, value in read.items() if not name.startswith("$")}
    parameters = {name[1:]: value for name, value in read.items() if name.startswith("$")}
    return Signal(**row, evidence=evidence, parameters=parameters)


def rules_seen(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a rule with signals in the scope: rule, title_zh, title_en, kind, alerts."""
    where = scope.limit()
    return warehouse.frame(
        f"""select s.rule, r.title_zh, r.title_en, r.kind, s.alerts
            from (select rule, count(distinct {ALERT}) as alerts from signal {where.where} group by rule) s
            join rule r using (rule) order by s.alerts desc, s.rule""",
        where.params,
    )


def rules(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    """The run's rules by code: title_zh, title_en, subject."""
    return {row["rule"]: row for row in warehouse.rows("select rule, title_zh, title_en, subject from rule")}


def totals(warehouse: Warehouse, scope: Scope) -> dict[str, int]:
    """Alerts and signals in the scope, and signals by level: {"alerts": …, "signals": …, "red": …}."""
    where = scope.limit()
    row = warehouse.row(
        f"""select count(distinct {ALERT}) as alerts, count(*) as signals, count(*) filter (level = 'red') as red,
                   count(*) filter (level = 'orange') as orange, count(*) filter (level = 'yellow') as yellow,
                   count(*) filter (level = 'blue') as blue
            from signal {where.where}""",
        where.params,
    )
    return dict(row)
