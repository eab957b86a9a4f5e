"""A rule's condition read back from the warehouse: its parts, each as SQL for one subject and in words.

The run stores the condition with its parameters by name. Here the parameters become literals, the condition is cut at its
ANDs, and each part is told in the interface's words. The text was checked when the rule was loaded; it is parsed again
and only ever printed from the tree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlglot
from sqlglot import exp

from monitoring.labels import CODE_ZH, parameter_words
from monitoring.tables import SNAPSHOTS

NONE_SET = ("无", "none", "")
_ORDER: dict[type[exp.Expr], str] = {
    exp.LT: "{a} 低于 {b}", exp.LTE: "{a} 不超过 {b}", exp.GT: "{a} 超过 {b}", exp.GTE: "{a} 不低于 {b}",
    exp.EQ: "{a} 是 {b}", exp.NEQ: "{a} 不是 {b}",
}  # fmt: skip
_SIGNS: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "−", exp.Mul: "×", exp.Div: "÷"}
Say = Callable[..., str]


@dataclass(frozen=True)
class Part:
    """One condition joined to the others by AND. `sides` is SQL of both sides where they are numbers that are compared."""

    tree: exp.Expr
    sql: str
    columns: tuple[str, ...]
    sides: tuple[str, str] | None


@dataclass(frozen=True)
class Condition:
    """A whole condition: SQL with parameters as literals, and its parts."""

    subject: str
    sql: str
    parts: tuple[Part, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Parameter:
    """One parameter in force: its value as text, unit and meaning."""

    name: str
    value: str | None
    unit: str
    meaning_zh: str
    meaning_en: str


def read_condition(subject: str, text: str, parameters: dict[str, Parameter]) -> Condition:
    """Parses one stored condition; raises sqlglot's error where it is no condition (the run checked it)."""
    tree = sqlglot.parse_one(text, dialect="duckdb")
    parts = []
    for part in _conjuncts(tree):
        bound = _bind(part, parameters)
        columns = tuple(dict.fromkeys(node.name for node in part.find_all(exp.Column)))
        parts.append(
            Part(part, bound.sql("duckdb", comments=False, identify=True), columns, _sides(subject, part, bound))
        )
    whole = _bind(tree, parameters).sql("duckdb", comments=False, identify=True)
    return Condition(subject, whole, tuple(parts), tuple(dict.fromkeys(c for part in parts for c in part.columns)))


def _conjuncts(tree: exp.Expr) -> list[exp.Expr]:
    inner = tree.unnest()
    if isinstance(inner, exp.And):
        return [*_conjuncts(inner.this), *_conjuncts(inner.expression)]
    return [inner]


def _sides(subject: str, part: exp.Expr, bound: exp.Expr) -> tuple[str, str] | None:
    """Both sides of a comparison of numbers, so that a page can say how far it is from firing."""
    inner, told = bound.unnest(), part.unnest()
    if not isinstance(inner, exp.LT | exp.LTE | exp.GT | exp.GTE):
        return None
    columns = SNAPSHOTS[subject]
    if any(
        columns[node.name].type in ("DATE", "VARCHAR", "BOOLEAN")
        for node in told.find_all(exp.Column)
        if node.name in columns
    ):
        return None
    left, right = (side.sql("duckdb", comments=False, identify=True) for side in (inner.this, inner.expression))
    return left, right


def _bind(tree: exp.Expr, parameters: dict[str, Parameter]) -> exp.Expr:
    def literal(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Is) and isinstance(node.this.unnest(), exp.Placeholder | exp.Parameter):
            return exp.Boolean(this=_content(parameters, node.this.unnest()) is None)
        if not isinstance(node, exp.Placeholder | exp.Parameter):
            return node
        value = _content(parameters, node)
        if value is None:
            return exp.cast(exp.Null(), "DECIMAL(18,6)", dialect="duckdb")
        if isinstance(value, bool):
            return exp.Boolean(this=value)
        return exp.Literal.number(str(value)) if isinstance(value, Decimal) else exp.Literal.string(str(value))

    return tree.copy().transform(literal)


def _content(parameters: dict[str, Parameter], node: exp.Expr) -> Decimal | bool | str | None:
    text = parameters[_named(node)].value
    if text is None or text in NONE_SET:
        return None
    if text.lower() in ("true", "false", "是", "否"):
        return text.lower() in ("true", "是")
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _named(node: exp.Expr) -> str:
    return str(node.this.name if isinstance(node.this, exp.Expr) else node.this)


def in_words(tree: exp.Expr, subject: str, parameters: dict[str, Parameter], say: Say, english: bool) -> str:
    """One part of a condition as people say it: 月人均收入 低于 低保标准."""
    columns = SNAPSHOTS[subject]

    def told(node: exp.Expr) -> str:
        node = node.unnest()
        if isinstance(node, exp.Column):
            column = columns.get(node.name)
            return (column.en if english else column.zh) if column else say("（未说明的列）")
        if isinstance(node, exp.Placeholder | exp.Parameter):
            parameter = parameters[_named(node)]
            value = parameter_words(parameter.value if parameter.value not in NONE_SET else None, parameter.unit, say)
            return say(
                "{meaning}（{value}）", meaning=parameter.meaning_en if english else parameter.meaning_zh, value=value
            )
        if isinstance(node, exp.Literal):
            return say(CODE_ZH.get(node.name, node.name)) if node.is_string else node.name
        if isinstance(node, exp.Boolean):
            return say("是") if node.this else say("否")
        if isinstance(node, exp.Not):
            inner = node.this.unnest()
            if isinstance(inner, exp.Column):
                return say("“{a}”为否", a=told(inner))
            return say("并非（{a}）", a=asked(inner))
        if type(node) in _SIGNS:
            return f"{told(node.this)} {_SIGNS[type(node)]} {told(node.expression)}"
        if isinstance(node, exp.Nullif):
            return told(node.this)
        return asked(node)

    def asked(node: exp.Expr) -> str:
        node = node.unnest()
        if isinstance(node, exp.Column):
            return say("“{a}”为是", a=told(node))
        if isinstance(node, exp.And | exp.Or):
            join = say(" 且 ") if isinstance(node, exp.And) else say(" 或 ")
            return join.join(
                say("（") + asked(side) + say("）")
                if isinstance(side.unnest(), exp.And | exp.Or) and type(side.unnest()) is not type(node)
                else asked(side)
                for side in (node.this, node.expression)
            )
        if type(node) in _ORDER:
            return say(_ORDER[type(node)], a=told(node.this), b=told(node.expression))
        if isinstance(node, exp.In):
            return say("{a} 属于 {b}", a=told(node.this), b=say("、").join(told(item) for item in node.expressions))
        if isinstance(node, exp.Between):
            return say("{a} 在 {b} 至 {c} 之间", a=told(node.this), b=told(node.args["low"]), c=told(node.args["high"]))
        if isinstance(node, exp.Is):
            return say("{a} 没有规定", a=told(node.this))
        return told(node)

    return asked(tree)


def plain(value: Any) -> Any:
    """A number as Decimal for showing; anything else as it is."""
    return Decimal(str(value)) if isinstance(value, float) else value
