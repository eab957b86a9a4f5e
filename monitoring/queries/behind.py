"""The households behind a figure of the overview: each list shows exactly those that the figure counted.

A figure is named by a word and, where it has parts, what part (a category, a rule, a column); a page's address carries both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.labels import KINDS, LEVELS
from monitoring.low_income import CATEGORIES
from monitoring.queries.verdicts import conditions
from monitoring.tables import SNAPSHOTS
from monitoring.warehouse import Warehouse

SIZE = 50


class NoSuchFigure(ValueError):
    """An address names a figure that there is not."""


@dataclass(frozen=True)
class Behind:
    """One page of households: household_key, household_id, name (of the head), township, village, persons (counted; None where
    the figure counts households), message, message_en (of the most urgent signal that was counted; None where it counts none).
    `households` and `persons` in all."""

    rows: pl.DataFrame
    households: int
    persons: int | None


def behind(warehouse: Warehouse, scope: Scope, figure: str, of: str = "", page: int = 1) -> Behind:
    """Raises NoSuchFigure."""
    if figure not in FIGURES:
        raise NoSuchFigure(figure)
    sql, params = FIGURES[figure](warehouse, of)
    where = scope.limit(Filter(), "h")
    found = warehouse.frame(
        f"""with b as ({sql})
            select h.household_key, {scope.household("h.household_id")} as household_id, {scope.name("p.name")} as name,
                   h.township, h.village, b.persons, count(*) over () as total, sum(b.persons) over ()::BIGINT as all_persons
            from b join household h using (household_key) left join person_snapshot p on p.person_id = h.head_person_id
            {where.where} order by h.township nulls last, h.village nulls last, h.household_key limit $size offset $skip""",
        {**params, **where.params, "size": SIZE, "skip": SIZE * (max(page, 1) - 1)},
    )
    total, persons = (int(found["total"][0]), found["all_persons"][0]) if found.height else (0, None)
    rows = found.drop("total", "all_persons")
    if figure in _SIGNALS:
        rows = rows.join(
            _messages(warehouse, scope, rows, figure, of), on="household_key", how="left", maintain_order="left"
        )
    else:
        rows = rows.with_columns(message=pl.lit(None, pl.String), message_en=pl.lit(None, pl.String))
    return Behind(rows, total, persons)


Spec = tuple[str, dict[str, Any]]


def _messages(warehouse: Warehouse, scope: Scope, rows: pl.DataFrame, figure: str, of: str) -> pl.DataFrame:
    """For the page's households the sentence of the most urgent signal that was counted."""
    condition, params = _signal_condition(figure, of)
    return warehouse.frame(
        f"""with s as (select household_key, level_order, rule, {scope.sentence("message")} as message, {scope.sentence("message_en")} as message_en
                       from signal where household_key in (select unnest($keys)) and {condition})
            select household_key, arg_min(message, (level_order, rule)) as message, arg_min(message_en, (level_order, rule)) as message_en
            from s group by household_key""",
        {**params, "keys": rows["household_key"].to_list()},
    )


_SIGNALS = ("alerts", "red", "gap", "rule", "cell")


def _signal_condition(figure: str, of: str) -> Spec:
    if figure == "rule":
        return "rule = $rule", {"rule": of}
    if figure == "cell":
        kind, _, level = of.partition(" ")
        if kind not in KINDS or level not in LEVELS:
            raise NoSuchFigure(f"{figure} {of}")
        return "kind = $kind and level = $level", {"kind": kind, "level": level}
    return {"alerts": "true", "red": "level = 'red'", "gap": "kind = 'gap'"}[figure], {}


def _of_signals(figure: str) -> Callable[[Warehouse, str], Spec]:
    def spec(_: Warehouse, of: str) -> Spec:
        condition, params = _signal_condition(figure, of)
        keyed = f"select distinct household_key, null::BIGINT as persons from signal where household_key is not null and {condition}"
        return keyed, params

    return spec


def _category(of: str) -> str:
    if of not in CATEGORIES:
        raise NoSuchFigure(of)
    return of


def _persons(_: Warehouse, of: str) -> Spec:
    """Persons whose main category it is; all of the low-income population where none is named."""
    where = f"where category = '{_category(of)}'" if of else ""
    return f"select household_key, count(*) as persons from low_income_standing {where} group by household_key", {}


def _also(_: Warehouse, of: str) -> Spec:
    """Persons who stand in it and whose main category is another."""
    where = f"{_category(of)} and category <> '{of}'"
    return (
        f"select household_key, count(*) as persons from low_income_standing where {where} group by household_key",
        {},
    )


def _by_income(_: Warehouse, of: str) -> Spec:
    """Persons whom only the income of their household puts among the others in difficulty: nobody has recognised the family."""
    return (
        "select household_key, count(*) as persons from low_income_standing where by_income group by household_key",
        {},
    )


def _main(_: Warehouse, of: str) -> Spec:
    """Households whose main category it is: the first that any member has."""
    order = " ".join(f"when '{name}' then {n}" for n, name in enumerate(CATEGORIES))
    place = list(CATEGORIES).index(_category(of))
    return (
        f"""select household_key, count(*) as persons from low_income_standing group by household_key
               having min(case category {order} end) = {place}""",
        {},
    )


def _low_income_unknown(_: Warehouse, of: str) -> Spec:
    return (
        """select household_key, null::BIGINT as persons from household_snapshot
              where low_income_household is null and household_key not in (select household_key from low_income_standing)""",
        {},
    )


def _income_unknown(_: Warehouse, of: str) -> Spec:
    return "select household_key, null::BIGINT as persons from household_snapshot where not income_known", {}


def _rule_unknown(warehouse: Warehouse, of: str) -> Spec:
    """Subjects that a rule could not judge; with a column, those that lack it ("RULE column")."""
    rule, _, column = of.partition(" ")
    known = conditions(warehouse)
    if rule not in known:
        raise NoSuchFigure(of)
    condition = known[rule][1]
    subject = condition.subject
    if column and column not in SNAPSHOTS[subject]:
        raise NoSuchFigure(of)
    lacking = f' and "{column}" is null' if column else ""
    persons = "count(*)" if subject == "person" else "null::BIGINT"
    return (
        f"""select household_key, {persons} as persons from {subject}_snapshot where ({condition.sql}) is null{lacking}
               group by household_key""",
        {},
    )


FIGURES: dict[str, Callable[[Warehouse, str], Spec]] = {
    **{figure: _of_signals(figure) for figure in _SIGNALS},
    "persons": _persons,
    "also": _also,
    "by_income": _by_income,
    "main": _main,
    "low_income_unknown": _low_income_unknown,
    "income_unknown": _income_unknown,
    "unknown": _rule_unknown,
}
