"""Schemes with one run's rules and parameters put in: each as SQL for what is so, and as functions for what would be.

The conditions are those that the run stored; a scheme adds to them what its file says. Nothing here reads a household.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlglot import exp

from monitoring.entitlement import logic
from monitoring.entitlement.facts import COLUMNS
from monitoring.entitlement.loading import load_schemes
from monitoring.entitlement.logic import Row, Valued
from monitoring.entitlement.schemes import Exclusion, Paper, Scheme, Schemes
from monitoring.parameters import Pack
from monitoring.queries.conditions import Condition, Parameter, read_condition
from monitoring.queries.verdicts import conditions, parameters_in_force
from monitoring.rules.expressions import Expression
from monitoring.tables import Column
from monitoring.warehouse import Warehouse

UNKNOWN = "cast(null as boolean)"


@dataclass(frozen=True)
class Atom:
    """One comparison of figures inside a condition: whether it holds, and left less right."""

    holds: Valued
    gap: Valued
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """ "Is it due?" of a row that may not exist: the answer, the facts that it turns on, and where their lines lie."""

    answer: Callable[[Row], bool | None]
    columns: Mapping[str, Column]
    atoms: tuple[Atom, ...]
    texts: Mapping[str, tuple[str, ...]]  # column -> the values that it is compared with


@dataclass(frozen=True)
class BoundExclusion:
    exclusion: Exclusion
    holds: Valued


@dataclass(frozen=True)
class BoundPaper:
    """A paper and whether a row needs it; None as condition where everybody brings it."""

    paper: Paper
    needed: Valued | None


@dataclass(frozen=True)
class BoundRule:
    """A rule of a scheme; None as condition where the run did not judge by it."""

    code: str
    clause: str
    condition: Condition | None

    @property
    def sql(self) -> str:
        return UNKNOWN if self.condition is None else self.condition.sql


@dataclass(frozen=True)
class BoundScheme:
    """`asked`: SQL of what the scheme asks beside its rules: provided, entitled, receives (those that it has)."""

    scheme: Scheme
    rules: tuple[BoundRule, ...]
    asked: Mapping[str, str]
    question: Question
    exclusions: tuple[BoundExclusion, ...]
    papers: tuple[BoundPaper, ...]

    def due(self, row: Row) -> bool | None:
        """Of a row with its answers: (a rule holds, and what the scheme asks beside), or the scheme's own condition."""
        branches: list[bool | None] = []
        if self.rules:
            branches.append(_any(row[rule.code] for rule in self.rules))
            if "provided" in self.asked:
                sides = (branches[0], row[f"{self.scheme.key} provided"])
                branches[0] = False if False in sides else None if None in sides else True
        if "entitled" in self.asked:
            branches.append(row[f"{self.scheme.key} entitled"])
        return _any(branches)

    @property
    def not_judged(self) -> tuple[str, ...]:
        """Rules that the scheme names and the run did not judge by."""
        return tuple(rule.code for rule in self.rules if rule.condition is None)


def _any(answers: Iterable[bool | None]) -> bool | None:
    """One of them, as SQL's OR says it."""
    known = list(answers)
    return True if True in known else None if None in known else False


@dataclass(frozen=True)
class Bound:
    """All schemes for one warehouse."""

    schemes: Schemes
    bound: tuple[BoundScheme, ...]
    parameters: Mapping[str, Parameter]
    pack: Pack

    def of(self, subject: str) -> list[BoundScheme]:
        return [one for one in self.bound if one.scheme.subject == subject]


@lru_cache(maxsize=4)  # a published file never changes
def bound(warehouse: Warehouse) -> Bound:
    """The county's schemes (its home is where the warehouse stands) with the run's rules and parameters."""
    return _binder(warehouse).all()


def question_of(warehouse: Warehouse, subject: str, sql: str) -> Question:
    """A bound condition of a rule as a question of rows that may not exist: facts opened into what they are made of."""
    return _binder(warehouse).question(subject, sql)


@lru_cache(maxsize=4)
def _binder(warehouse: Warehouse) -> _Binder:
    home = warehouse.path.parents[1]
    schemes = load_schemes(home if (home / "policy").is_dir() else None)  # one reading for all homes without a policy
    run = warehouse.row("select pack from run")
    return _Binder(schemes, warehouse, str(run["pack"]))


class _Binder:
    def __init__(self, schemes: Schemes, warehouse: Warehouse, pack: str) -> None:
        self.schemes, self.rules, self.pack = schemes, conditions(warehouse), schemes.pack(pack)
        self.parameters = parameters_in_force(warehouse)
        off = {row["name"].replace(".", "_") for row in warehouse.rows("select name from parameter where off")}
        self.usable = self.parameters.keys() - off

    def all(self) -> Bound:
        return Bound(self.schemes, tuple(map(self._scheme, self.schemes.schemes)), self.parameters, self.pack)

    def _scheme(self, scheme: Scheme) -> BoundScheme:
        rules = tuple(self._rule(code) for code in scheme.rules)
        exclusions = []
        for exclusion in scheme.exclusions:
            holds = self._function(scheme.subject, exclusion.when)
            if holds is not None:  # one that rests on a parameter that is off does not exclude
                exclusions.append(BoundExclusion(exclusion, holds))
        papers = [BoundPaper(paper, self._function(scheme.subject, paper.when)) for paper in scheme.papers]
        asked = {
            name: self._sql(scheme.subject, expression) or UNKNOWN
            for name in ("provided", "entitled", "receives")
            if (expression := getattr(scheme, name)) is not None
        }
        question = self.question(scheme.subject, _due_sql(rules, asked))
        return BoundScheme(scheme, rules, asked, question, tuple(exclusions), tuple(papers))

    def _function(self, subject: str, expression: Expression | None) -> Valued | None:
        sql = self._sql(subject, expression)
        return None if sql is None else logic.valued(logic.parse(sql))

    def _rule(self, code: str) -> BoundRule:
        row, condition = self.rules.get(code, ({}, None))
        return BoundRule(code, str(row.get("clause", "")), condition)

    def _sql(self, subject: str, expression: Expression | None) -> str | None:
        """The expression with the parameters in it; None without one, or where it names a parameter that is off or that
        the run's pack lacks."""
        if expression is None or not self.usable.issuperset(expression.parameters):
            return None
        return read_condition(subject, expression.text, dict(self.parameters)).sql

    def question(self, subject: str, due: str) -> Question:
        words = {
            column: logic.parse(sql)
            for (of, column), given in self.schemes.inputs.items()
            if of == subject and (sql := self._sql(subject, given.stands_for)) is not None
        }
        tree = logic.put_in(logic.parse(due), words)
        types = {**COLUMNS["household"], **COLUMNS["person"]} if subject == "person" else COLUMNS["household"]
        columns = {name: types[name] for name in logic.columns_of(tree)}
        compared = [node for node in tree.walk() if isinstance(node, (*logic.ORDERED, exp.EQ, exp.NEQ, exp.Between))]
        atoms = [atom for node in compared for atom in _atoms(node, columns)]
        return Question(logic.valued(tree), columns, tuple(atoms), _texts(tree, columns))


def _due_sql(rules: tuple[BoundRule, ...], asked: Mapping[str, str]) -> str:
    """`BoundScheme.due` as one condition."""
    branches = []
    if rules:
        branches.append(_joined("or", [rule.sql for rule in rules]))
        if "provided" in asked:
            branches[0] = _joined("and", [branches[0], asked["provided"]])
    if "entitled" in asked:
        branches.append(asked["entitled"])
    return _joined("or", branches)


def _joined(word: str, conditions: list[str]) -> str:
    return f" {word} ".join(f"({condition})" for condition in conditions)


def _is_number(column: Column) -> bool:
    return column.type.startswith(("DECIMAL", "INTEGER", "BIGINT"))


def _atoms(node: exp.Expr, columns: Mapping[str, Column]) -> list[Atom]:
    if isinstance(node, exp.Between):
        low, high = node.args["low"], node.args["high"]
        sides = [(exp.GTE, node.this, low), (exp.LTE, node.this, high)]
        nodes = [made(this=this.copy(), expression=other.copy()) for made, this, other in sides]
        return [atom for one in nodes for atom in _atoms(one, columns)]
    named = logic.columns_of(node)
    if not named or not all(_is_number(columns[name]) for name in named):
        return []
    gap = exp.Sub(this=exp.Paren(this=node.this.copy()), expression=exp.Paren(this=node.expression.copy()))
    return [Atom(logic.valued(node), logic.valued(gap), named)]


def _texts(tree: exp.Expr, columns: Mapping[str, Column]) -> dict[str, tuple[str, ...]]:
    found: dict[str, Any] = {}
    for node in tree.find_all(exp.EQ, exp.NEQ, exp.In):
        named = logic.columns_of(node)
        if len(named) == 1 and columns[named[0]].type == "VARCHAR":
            literals = [literal.name for literal in node.find_all(exp.Literal) if literal.is_string]
            found[named[0]] = tuple(dict.fromkeys([*found.get(named[0], ()), *literals]))
    return found
