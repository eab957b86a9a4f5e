"""Programme by place: who is covered, who is due and not covered, who cannot be judged, and whose case is to be checked.

`gap` are the subjects of the programme's gap rule, `unknown` those whom the rule could not judge, `covered` those of the
snapshots who get it; the three never overlap, and `eligible` is covered + gap. `over` are those who get it while a matching
signal asks for a check: they stay covered until a person has decided. The definitions are `programmes`' own; the figures
stand in `coverage_figure`, which the run wrote, and are counted anew for a run of before.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.queries.programmes import BY_KEY, KEY, PROGRAMMES, STATES, Programme, figures_sql, over_sql
from monitoring.queries.verdicts import rule_condition
from monitoring.warehouse import Warehouse

FIGURES = STATES[1:]


def coverage(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a programme: key, title, subject, unit, judged (False: its rule is off), the five figures (over is NULL where
    no rule looks), and last period's as `*_before` (NULL where it is not known)."""
    judged, before = _rules_on(warehouse), _before(warehouse, scope)
    found = {row["programme"]: row for row in _counted(warehouse, scope, "").to_dicts()}
    rows = []
    for one in PROGRAMMES:
        figures = _figures(one, found.get(one.key, {}))
        was = {name: before.get(f"coverage {one.key} {name}") for name in FIGURES}
        known = was["covered"] is not None and was["gap"] is not None
        was["eligible"] = (was["covered"] or 0) + (was["gap"] or 0) if known else None
        rows.append(
            {
                "key": one.key, "title": one.title, "subject": one.subject, "unit": one.unit, "judged": one.rule in judged,
                **figures, **{f"{name}_before": was[name] for name in STATES},
            }
        )  # fmt: skip
    whole = dict.fromkeys([*STATES, *(f"{name}_before" for name in STATES)], pl.Int64)
    return pl.DataFrame(rows, schema_overrides=whole, infer_schema_length=None)


def matrix(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a programme and a township (a village where one township is shown): key, place, the five figures."""
    found = _counted(warehouse, scope, place_column(scope))
    rows = [
        {"key": row["programme"], "place": row["place"], **_figures(BY_KEY[row["programme"]], row)}
        for row in found.to_dicts()
    ]
    return pl.DataFrame(rows, schema={"key": pl.String, "place": pl.String, **dict.fromkeys(STATES, pl.Int64)})


def programme_by_place(warehouse: Warehouse, scope: Scope, key: str) -> pl.DataFrame:
    """One row of `matrix` a place, for one programme: those with most gaps first."""
    found = matrix(warehouse, scope).filter(pl.col("key") == key).drop("key")
    return found.sort("gap", "unknown", "place", descending=[True, True, False], nulls_last=True)


def place_column(scope: Scope) -> str:
    """What places are shown: villages where they, or one township, were picked."""
    one_township = scope.townships is not None and len(scope.townships) == 1
    return "village" if scope.villages is not None or one_township else "township"


def _figures(programme: Programme, row: dict[str, Any]) -> dict[str, int | None]:
    covered, gap = int(row.get("covered") or 0), int(row.get("gap") or 0)
    over = int(row.get("over") or 0) if programme.checked else None
    return {
        "eligible": covered + gap, "covered": covered, "gap": gap, "unknown": int(row.get("unknown") or 0), "over": over,
    }  # fmt: skip


def _counted(warehouse: Warehouse, scope: Scope, place: str) -> pl.DataFrame:
    places = scope.limit()
    sums = ", ".join(f"sum({name})::BIGINT as {name}" for name in FIGURES)
    column = f"{place} as place, " if place else ""
    return warehouse.frame(
        f"select programme, {column}{sums} from {_source(warehouse)} {places.where} group by all order by all",
        places.params,
    )


@lru_cache(maxsize=4)
def _source(warehouse: Warehouse) -> str:
    """The run's table of figures; the same statement as a subquery where the run was published before there was one."""
    found = warehouse.row("select count(*) as n from information_schema.tables where table_name = 'coverage_figure'")
    return "coverage_figure" if found["n"] else f"({figures_sql()})"


def _before(warehouse: Warehouse, scope: Scope) -> dict[str, int]:
    """Last period's figures by measure; none where villages are shown, since history is kept by township."""
    period = warehouse.row("select max(h.period) as period from history_figure h, run r where h.period < r.period").get(
        "period"
    )
    by_village = any(village is not None for _, village in scope.allowed or ())
    if period is None or scope.villages is not None or by_village:
        return {}
    places = scope.limit_townships(Filter().add("period = $period and measure like 'coverage %'", period=period))
    rows = warehouse.rows(
        f"select measure, sum(value)::BIGINT as value from history_figure {places.where} group by measure",
        places.params,
    )
    return {row["measure"]: row["value"] for row in rows}


def _rules_on(warehouse: Warehouse) -> set[str]:
    return {row["rule"] for row in warehouse.rows("select rule from rule where not disabled")}


# --- lists


def programme_list(
    warehouse: Warehouse, scope: Scope, key: str, state: str, page: int = 1, size: int = 50
) -> tuple[pl.DataFrame, int]:
    """Who is behind one figure, one page and the number of all: household_key, household_id, name, township, village, figure
    (size or age), and why: message, message_en, rule, clause, department, due_date of the signals (lists), `missing` (inputs
    without a value). `state` is one of STATES."""
    programme = BY_KEY[key]
    if state == "over":
        return _over_list(warehouse, scope, programme, page, size)
    found = rule_condition(warehouse, programme.rule)
    condition = found[1] if found else None
    hit = f"({condition.sql})" if condition else "false"
    columns = [f'"{column}"' for column in condition.columns] if condition else []
    absent = ", ".join(f"case when {column} is null then '{column[1:-1]}' end" for column in columns)
    missing = f"list_filter([{absent}], lambda c: c is not null)" if columns and state == "unknown" else "[]::VARCHAR[]"
    wanted = f"{programme.sql(state, hit)}{programme.living}"
    subject, own = KEY[programme.subject], programme.subject != "institution"
    head = "t.head_person_id" if programme.subject == "household" else "t.person_id"
    where = scope.limit()
    named = scope.name("p.name") if own else "t.institution"
    household = ("t.household_key", scope.household("t.household_id")) if own else ("null::BIGINT", "null::VARCHAR")
    figure = {"household": "t.size", "person": "t.age", "institution": "t.residents"}[programme.subject]
    # A household's signal names its head as its person, an institution's its name.
    about = {"household": "s.household_key = t.household_key", "person": "s.person_id = t.person_id", "institution": "s.name = t.institution and s.township is not distinct from t.township"}[programme.subject]  # fmt: skip
    frame = warehouse.frame(
        f"""with {_page_of(programme.table, subject, f"({wanted}){where.also}")},
                 t as (select *, {missing} as missing from {programme.table} semi join picked using ({subject}))
            select {household[0]} as household_key, {household[1]} as household_id, {named} as name, t.township, t.village,
                   {figure} as figure, t.missing, s.messages, s.messages_en, s.rules, s.clauses, s.department, s.due_date, (select count(*) from kept) as total
            from t {f"left join person_snapshot p on p.person_id = {head}" if own else ""}
            left join lateral ({_sentences(scope, f"from signal s where s.rule = $rule and {about}")}) s on true
            order by t.{subject}""",
        {**where.params, "rule": programme.rule, "size": size, "skip": size * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0


def _over_list(
    warehouse: Warehouse, scope: Scope, programme: Programme, page: int, size: int
) -> tuple[pl.DataFrame, int]:
    if not programme.checked:
        return pl.DataFrame(), 0
    where = scope.limit()
    frame = warehouse.frame(
        f"""with s as (from ({over_sql([programme])}) where programme is not null),
                 t as (select subject_of, min(township) as township, min(village) as village, min(household_key) as household_key,
                              min(household_id) as household_id, min(person_id) as person_id from s group by subject_of),
                 kept as (select *, count(*) over () as total from t {where.where} order by subject_of limit $size offset $skip)
            select t.household_key, {scope.household("t.household_id")} as household_id, {scope.name("p.name")} as name,
                   t.township, t.village, {"h.size" if programme.subject == "household" else "p.age"} as figure,
                   []::VARCHAR[] as missing, w.messages, w.messages_en, w.rules, w.clauses, w.department, w.due_date, t.total
            from kept t left join household_snapshot h on h.household_key = t.household_key
            left join household k on k.household_key = t.household_key
            left join person_snapshot p on p.person_id = {"k.head_person_id" if programme.subject == "household" else "t.person_id"}
            left join lateral ({_sentences(scope, "from s where s.subject_of = t.subject_of")}) w on true
            order by t.subject_of""",
        {**where.params, "size": size, "skip": size * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0


def _sentences(scope: Scope, source: str) -> str:
    """The sentences of some signals, the most urgent first, with their rules, clauses, department and nearest due date."""
    order = "order by s.level_order, s.rule, s.person_id, s.message"
    return f"""select list({scope.sentence("message")} {order}) as messages, list({scope.sentence("message_en")} {order}) as messages_en,
                      list(s.rule {order}) as rules, list(distinct s.clause order by s.clause) as clauses,
                      arg_min(s.department, (s.level_order, s.rule)) as department, min(s.due_date) as due_date {source}"""


def _page_of(table: str, key: str, condition: str) -> str:
    """Two tables for a WITH: `kept`, the keys of all that meet a condition, and `picked`, those of one page of them."""
    return f"""kept as materialized (select {key} from {table} where {condition}),
                 picked as (select {key} from kept order by {key} limit $size offset $skip)"""


def listed(
    warehouse: Warehouse, scope: Scope, table: str, condition: str, page: int = 1, size: int = 50
) -> tuple[pl.DataFrame, int]:
    """Households or persons of a snapshot that meet a condition of the program's own, one page and the number of all:
    household_key, household_id, name, township, village, figure (size or age)."""
    of_household = table == "household_snapshot"
    key, head = ("household_key", "t.head_person_id") if of_household else ("person_id", "t.person_id")
    frame = warehouse.frame(
        f"""with {_page_of(table, key, f"({condition}){scope.limit().also}")}
            select t.household_key, {scope.household("t.household_id")} as household_id, {scope.name("p.name")} as name,
                   t.township, t.village, {"t.size" if of_household else "t.age"} as figure, (select count(*) from kept) as total
            from (from {table} semi join picked using ({key})) t left join person_snapshot p on p.person_id = {head} order by t.{key}""",
        {**scope.limit().params, "size": size, "skip": size * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0
