"""What each rule said about one household and its members: hit, clear or unknown, part by part, and how far from firing.

Computed from the published snapshots with the conditions and parameters that the run stored; a test holds that the hits
are the published signals.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from monitoring.access import Scope
from monitoring.queries.conditions import Condition, Parameter, Part, read_condition
from monitoring.warehouse import Warehouse

TABLE = {"household": "household_snapshot", "person": "person_snapshot"}
SHOWN_NAME = "name as shown"  # no column of a table has this name


@dataclass(frozen=True)
class PartVerdict:
    """One part of a condition: whether it held (None: unknown), the values it read, and the two sides where numeric."""

    part: Part
    outcome: bool | None
    values: dict[str, Any]
    left: float | None
    right: float | None

    @property
    def distance(self) -> float | None:
        """How far the two sides are apart, in the unit of the left one; None where not numeric or unknown."""
        return None if self.left is None or self.right is None else abs(self.left - self.right)

    @property
    def unit_of(self) -> str | None:
        """The column whose unit the distance has: the first that the comparison names."""
        return self.part.columns[0] if self.part.columns else None


@dataclass(frozen=True)
class Verdict:
    """One rule's outcome for one subject. `missing` are the inputs without a value where the outcome is unknown."""

    rule: str
    title_zh: str
    title_en: str
    kind: str
    level: str
    subject: str
    clause: str
    person_id: int | None
    name: str | None
    outcome: str
    parts: tuple[PartVerdict, ...]
    missing: tuple[str, ...]

    @property
    def only_short_of(self) -> PartVerdict | None:
        """The one part that kept the rule from firing, where it is a comparison of numbers."""
        failed = [part for part in self.parts if part.outcome is not True]
        return failed[0] if len(failed) == 1 and failed[0].distance is not None else None


def parameters_in_force(warehouse: Warehouse) -> dict[str, Parameter]:
    """Placeholder -> parameter, as the run used them."""
    rows = warehouse.rows("select name, value, unit, meaning_zh, meaning_en from parameter")
    return {row["name"].replace(".", "_"): Parameter(**{**row, "unit": row["unit"] or ""}) for row in rows}


@lru_cache(maxsize=4)  # a published file never changes
def conditions(warehouse: Warehouse) -> dict[str, tuple[dict[str, Any], Condition]]:
    """Rule -> its row and its condition, of the rules that judge households and persons and are not disabled."""
    parameters = parameters_in_force(warehouse)
    rows = warehouse.rows(
        """select rule, title_zh, title_en, kind, subject, level, clause, when_text from rule
           where not disabled and subject in ('household', 'person') order by rule"""
    )
    return {row["rule"]: (row, read_condition(row["subject"], row["when_text"], parameters)) for row in rows}


@lru_cache(maxsize=256)
def rule_condition(warehouse: Warehouse, code: str) -> tuple[str | None, Condition] | None:
    """One rule's kind of record (None: it judges no records) and its condition, whatever it judges; None where it is off."""
    row = warehouse.row(
        "select record, subject, when_text from rule where not disabled and rule = $rule", {"rule": code}
    )
    if not row:
        return None
    return row["record"], read_condition(row["subject"], row["when_text"], parameters_in_force(warehouse))


def verdicts(warehouse: Warehouse, scope: Scope, household_key: int) -> list[Verdict]:
    """Every rule for the household and for each of its persons (the dead only where a rule is about them)."""
    where = scope.limit()
    params = {"key": household_key, **where.params}
    found: list[Verdict] = []
    known = conditions(warehouse)
    for subject, table in TABLE.items():
        rules = [(row, condition) for row, condition in known.values() if condition.subject == subject]
        if not rules:
            continue
        judged = warehouse.rows(
            f"select {_selection(scope, subject, rules)} from {table} where household_key = $key{where.also}", params
        )
        for values in judged:
            dead = subject == "person" and not values.get("alive", True)
            found += [
                _verdict(number, row, condition, values)
                for number, (row, condition) in enumerate(rules)
                if not dead or _all_of(number, condition, values)
            ]
    order = {"hit": 0, "unknown": 1, "clear": 2}
    return sorted(found, key=lambda v: (order[v.outcome], v.subject != "household", v.rule, v.person_id or 0))


def _selection(scope: Scope, subject: str, rules: list[tuple[dict[str, Any], Condition]]) -> str:
    """Each part's outcome and sides, and the columns that the rules read: a table has many more."""
    read = dict.fromkeys(column for _, condition in rules for column in condition.columns)
    pieces = [f'"{column}"' for column in read]
    if subject == "person":
        pieces += [column for column in ("person_id", "alive") if column not in read]
        pieces.append(f'{scope.name("name")} as "{SHOWN_NAME}"')
    for number, (_, condition) in enumerate(rules):
        for index, part in enumerate(condition.parts):
            pieces.append(f"({part.sql}) as part_{number}_{index}")
            if part.sides:
                left, right = part.sides
                pieces.append(f"({left})::DOUBLE as left_{number}_{index}, ({right})::DOUBLE as right_{number}_{index}")
    return ", ".join(pieces)


def _all_of(number: int, condition: Condition, values: dict[str, Any]) -> bool | None:
    """The parts joined by AND, as SQL does it: one false decides, else one unknown leaves it unknown."""
    outcomes = [values[f"part_{number}_{index}"] for index in range(len(condition.parts))]
    return False if False in outcomes else None if None in outcomes else True


def _verdict(number: int, row: dict[str, Any], condition: Condition, values: dict[str, Any]) -> Verdict:
    outcome = _all_of(number, condition, values)
    parts = tuple(
        PartVerdict(
            part,
            values[f"part_{number}_{index}"],
            {column: values[column] for column in part.columns if column in values},
            values.get(f"left_{number}_{index}"),
            values.get(f"right_{number}_{index}"),
        )
        for index, part in enumerate(condition.parts)
    )
    missing = tuple(column for column in condition.columns if column in values and values[column] is None)
    return Verdict(
        **{key: row[key] for key in ("rule", "title_zh", "title_en", "kind", "level", "subject", "clause")},
        person_id=values.get("person_id") if condition.subject == "person" else None,
        name=values.get(SHOWN_NAME) if condition.subject == "person" else None,
        outcome="unknown" if outcome is None else "hit" if outcome else "clear",
        parts=parts,
        missing=missing if outcome is None else (),
    )
