"""What a risk list's filter finds in one published run: a page of rows, counts by township, what can be chosen from.

Reads the snapshots, the signals, the earlier period's signals and, where the run has one, the score. What the case store says
(open alerts) is handed in. Fields and comparisons come from `monitoring.lists`; values are bound, never written into the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.labels import KIND_ZH, KINDS, LEVEL_ZH, LEVELS
from monitoring.lists.asking import Ask, Condition, NotAsked, check, value_of
from monitoring.lists.fields import HOUSEHOLDS, Field, fields
from monitoring.queries.verdicts import conditions
from monitoring.warehouse import Warehouse

PAGE = 50
KEY = {"household": "household_key", "person": "person_id"}
Cases = tuple[tuple[str, str], ...]  # household_id, status of its open alert


@dataclass(frozen=True)
class Spelling:
    """How the marks of an export stand in a row: SQL of the row's code, and of masked names and numbers. None on pages."""

    name: str = ""
    number: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Relation:
    """The tables joined, and what limits them: SQL of FROM, of the scope and of the filter, with the bound values."""

    source: str
    scoped: str
    fits: str
    params: dict[str, Any]


def relation(
    warehouse: Warehouse, scope: Scope, ask: Ask, cases: Cases = (), ordered: bool = True, lang: str = "zh"
) -> Relation:
    """Raises NotAsked, also for what this run does not have."""
    check(ask, scope.masked)
    known = fields(ask.subject)
    used = {*(one.field for one in ask.conditions), *ask.shown, *((one.field for one in ask.order) if ordered else ())}
    needs = {need for name in used for need in known[name].needs}
    if "k" in needs and not scored(warehouse):
        raise NotAsked(["这一期没有风险评分"])
    where = scope.limit(Filter(), "h")
    fits, params = _fits(warehouse, ask)
    bound = {**where.params, **params}
    if "c" in needs:
        bound |= {"case_ids": [one for one, _ in cases], "case_states": [state for _, state in cases]}
    source = " ".join([_TABLE[ask.subject], *(_JOINS[need](ask.subject, scope, lang) for need in sorted(needs))])
    return Relation(source, where.where or "where true", fits, bound)


_TABLE = {"household": "from household_snapshot h", "person": "from person_snapshot h"}


def _signals(subject: str, scope: Scope, lang: str) -> str:
    key = KEY[subject]
    said = scope.sentence("message_en" if lang == "en" else "message")
    told = f"string_agg(distinct {said}, '{' ' if lang == 'en' else '；'}' order by {said})"
    return f"""left join (select {key}, arg_min(level, level_order) as level, count(*) as signals, {told} as reasons,
                             string_agg(distinct rule, '、' order by rule) as rules
                      from signal where {key} is not null group by {key}) s on s.{key} = h.{key}"""


_JOINS: dict[str, Callable[[str, Scope, str], str]] = {
    "s": _signals,
    "p": lambda subject, scope, lang: "left join person_snapshot p on p.person_id = h.head_person_id",
    "q": lambda subject, scope, lang: "left join household_snapshot q on q.household_key = h.household_key",
    "c": lambda subject, scope, lang: """left join (select unnest($case_ids::VARCHAR[]) as household_id, unnest($case_states::VARCHAR[]) as status) c
                                   on c.household_id = h.household_id""",
    "k": lambda subject, scope, lang: """left join (select household_key, max(score)::DOUBLE as score from risk_score group by household_key) k
                                   on k.household_key = h.household_key""",
}  # fmt: skip


def _fits(warehouse: Warehouse, ask: Ask) -> tuple[str, dict[str, Any]]:
    parts, params = list[str](), dict[str, Any]()
    for number, one in enumerate(ask.conditions):
        of = fields(ask.subject)[one.field]
        # a rule's own condition stands in for its name: nothing is bound
        names = [] if one.field == "rule_unknown" else [f"v{number}_{place}" for place in range(len(one.values))]
        params |= {name: value_of(of, text) for name, text in zip(names, one.values, strict=False)}
        parts.append(_member(warehouse, ask.subject, one, names) if of.kind == "set" else _compared(of, one, names))
    return " and ".join(f"({part})" for part in parts) or "true", params


def _compared(of: Field, one: Condition, names: list[str]) -> str:
    bound = ", ".join(f"${name}" for name in names)
    if one.comparison == "=":
        parts = [f"{of.sql} is null"] if one.unknown else []
        return " or ".join([*parts, *([f"{of.sql} in ({bound})"] if names else [])])
    if one.comparison == "!=":
        parts = [f"{of.sql} is not null"] if one.unknown else []
        return " and ".join([*parts, *([f"{of.sql} not in ({bound})"] if names else [])])
    compared = f"contains({of.sql}, {bound})" if one.comparison == "contains" else f"{of.sql} {one.comparison} {bound}"
    return f"{of.sql} is null or {compared}" if one.unknown else compared


def _member(warehouse: Warehouse, subject: str, one: Condition, names: list[str]) -> str:
    key, bound, negated = (
        KEY[subject],
        ", ".join(f"${name}" for name in names),
        "not " if one.comparison == "!=" else "",
    )
    if one.field == "rule_unknown":
        return f"{negated}({' or '.join(_not_judged(warehouse, subject, rule) for rule in one.values)})"
    if one.field == "rule_before":
        on = "household_id" if subject == HOUSEHOLDS else "person_id"
        found = f"select {on} from history_signal where {on} is not null and rule in ({bound}) and period = (select max(period) from history_signal where period < (select period from run))"
        return f"h.{on} {negated}in ({found})"
    return f"h.{key} {negated}in (select {key} from signal where {key} is not null and {one.field} in ({bound}))"


def _not_judged(warehouse: Warehouse, subject: str, rule: str) -> str:
    """Those of whom a rule could not tell; of a household, those with a member of whom it could not."""
    known = conditions(warehouse)
    if rule not in known:
        raise NotAsked([f"没有判断户或人的规则“{rule}”"])
    found = known[rule][1]
    key = "household_key" if HOUSEHOLDS in (subject, found.subject) else "person_id"
    return f"h.{key} in (select {key} from {found.subject}_snapshot where {key} is not null and ({found.sql}) is null)"


def order_sql(ask: Ask, last: str) -> str:
    """ORDER BY: as asked, else by place; `last` decides among rows that are alike."""
    known = fields(ask.subject)
    levels = " ".join(f"when '{level}' then {place}" for place, level in enumerate(LEVELS))
    parts = []
    for one in ask.order:
        sql = f"case {known['level'].sql} {levels} end" if one.field == "level" else known[one.field].sql
        parts.append(f"{sql} {'desc' if one.down else 'asc'} nulls last")
    return ", ".join([*(parts or ["h.township nulls last", "h.village nulls last"]), last])


def column_sql(scope: Scope, of: Field, spelling: Spelling | None = None) -> str:
    """A field as it may be shown."""
    if not scope.masked or not of.mask or of.mask == "reasons":  # reasons are masked where the signals are read
        return of.sql
    if of.mask == "name":
        return (spelling and spelling.name.format(column=of.sql)) or scope.name(of.sql)
    if of.mask == "number":
        return (spelling and spelling.number.format(column=of.sql)) or scope.number(of.sql)
    if of.mask == "household":
        return scope.household(of.sql)
    if of.mask == "birth":
        return scope.birth(of.sql)
    if of.mask == "names":
        return f"array_to_string(list_transform(string_split({of.sql}, '、'), lambda n: left(n, 1) || '**'), '、')"
    return f"case when {of.sql} is null or {of.sql} = '' then {of.sql} else '****' end"


def preview(
    warehouse: Warehouse, scope: Scope, ask: Ask, cases: Cases = (), page: int = 1, lang: str = "zh"
) -> list[dict[str, Any]]:
    """One page of the list: its columns by name, and household_key. Raises NotAsked."""
    found = relation(warehouse, scope, ask, cases, lang=lang)
    known = fields(ask.subject)
    columns = ", ".join(f'{column_sql(scope, known[name])} as "{name}"' for name in ask.shown)
    return warehouse.rows(
        f"""select {columns}, h.household_key as "_household_key", {scope.household("h.household_id")} as "_household_id"
            {found.source} {found.scoped} and ({found.fits}) order by {order_sql(ask, f"h.{KEY[ask.subject]}")} limit {PAGE} offset $skip""",
        {**found.params, "skip": PAGE * (max(page, 1) - 1)},
    )


def by_township(warehouse: Warehouse, scope: Scope, ask: Ask, cases: Cases = ()) -> pl.DataFrame:
    """One row is a township: township, rows that fit, rows undecided (a value that a condition reads is unknown), of all.
    Raises NotAsked."""
    found = relation(warehouse, scope, ask, cases, ordered=False)
    return warehouse.frame(
        f"""select h.township, count(*) filter ({found.fits}) as fits, count(*) filter (({found.fits}) is null) as undecided, count(*) as of
            {found.source} {found.scoped} group by h.township order by fits desc, h.township nulls last""",
        found.params,
    )


def scored(warehouse: Warehouse) -> bool:
    """Whether the run has the model's scores."""
    return bool(warehouse.row("select count(*) as n from duckdb_tables() where table_name = 'risk_score'")["n"])


def choices(warehouse: Warehouse, scope: Scope, subject: str, name: str) -> dict[str, str]:
    """The values that a coded field has in this run, with what they are called; none for a field of free values.

    Villages are offered of the scope only; what other codes there are is no secret of a place."""
    of = fields(subject)[name]
    if name in ("rule", "rule_before"):
        return {
            row["rule"]: row["title_zh"]
            for row in warehouse.rows("select distinct rule, title_zh from rule where not disabled order by rule")
        }
    if name == "rule_unknown":
        return {rule: told["title_zh"] for rule, (told, _) in sorted(conditions(warehouse).items())}
    if name == "kind":
        return {kind: KIND_ZH[kind] for kind in KINDS}
    if name == "level":
        return {**{level: LEVEL_ZH[level] for level in LEVELS}, "none": "无信号"}
    if name == "department":
        return {
            row["department"]: row["department"]
            for row in warehouse.rows("select distinct department from signal where department is not null order by 1")
        }
    if not of.coded or name == "alert":
        return {}
    where = scope.limit(Filter(), "h")
    source = f"{_TABLE[subject]} {' '.join(_JOINS[need](subject, scope, 'zh') for need in of.needs)}"
    rows = warehouse.rows(f"select distinct {of.sql} as v {source} {where.where} order by 1 limit 300", where.params)
    return {row["v"]: row["v"] for row in rows if row["v"]}
