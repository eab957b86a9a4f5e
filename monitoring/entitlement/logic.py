"""A condition as a Python function of one row, with SQL's three values, for rows that do not exist (yet).

What is so is judged by DuckDB. What would be so if one input changed is asked hundreds of times a household, of rows that
stand in no table; for that the same checked tree is turned into functions once. A test holds that both agree on every
subject of the sample county.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp

Row = Mapping[str, Any]
Valued = Callable[[Row], Any]

_COMPARED: dict[type[exp.Expr], Callable[[Any, Any], Any]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
    exp.Add: operator.add,
    exp.Sub: operator.sub,
    exp.Mul: operator.mul,
}
ORDERED = (exp.LT, exp.LTE, exp.GT, exp.GTE)


def parse(sql: str) -> exp.Expr:
    """The tree of a bound condition (parameters are literals in it); the text comes from a checked tree."""
    tree: exp.Expr = sqlglot.parse_one(sql, dialect="duckdb")
    return tree


def valued(node: exp.Expr) -> Valued:
    """The function of a tree; raises ValueError for a node that no checked condition has."""
    node = node.unnest()
    if isinstance(node, exp.Column):
        return operator.itemgetter(node.name)
    if isinstance(node, exp.And):
        return _both(valued(node.this), valued(node.expression))
    if isinstance(node, exp.Or):
        return _either(valued(node.this), valued(node.expression))
    if isinstance(node, exp.Not):
        return _not(valued(node.this))
    if type(node) in _COMPARED:
        return _strict(_COMPARED[type(node)], valued(node.this), valued(node.expression))
    if isinstance(node, exp.Div):
        return _strict(lambda a, b: a / b if b else None, valued(node.this), valued(node.expression))
    if isinstance(node, exp.Nullif):
        return _strict(lambda a, b: None if a == b else a, valued(node.this), valued(node.expression))
    if isinstance(node, exp.In):
        return _among(valued(node.this), [valued(item) for item in node.expressions])
    if isinstance(node, exp.Between):
        low = _strict(operator.ge, valued(node.this), valued(node.args["low"]))
        return _both(low, _strict(operator.le, valued(node.this), valued(node.args["high"])))
    if isinstance(node, exp.Neg | exp.Abs):
        act = operator.neg if isinstance(node, exp.Neg) else abs
        inner = valued(node.this)
        return lambda row: None if (value := inner(row)) is None else act(value)
    return _constant(node)


def _constant(node: exp.Expr) -> Valued:
    constant: Any
    if isinstance(node, exp.Literal):
        constant = node.name if node.is_string else Decimal(node.name)
    elif isinstance(node, exp.Boolean):
        constant = bool(node.this)
    elif isinstance(node, exp.Null) or (isinstance(node, exp.Cast) and isinstance(node.this, exp.Null)):
        constant = None
    else:
        raise ValueError(f"no function for {type(node).__name__}")
    return lambda row: constant


def _strict(act: Callable[[Any, Any], Any], left: Valued, right: Valued) -> Valued:
    """NULL where a side is."""

    def value(row: Row) -> Any:
        a, b = left(row), right(row)
        return None if a is None or b is None else act(a, b)

    return value


def _both(left: Valued, right: Valued) -> Valued:
    def value(row: Row) -> Any:
        a = left(row)
        if a is False:
            return False
        b = right(row)
        return False if b is False else None if a is None or b is None else True

    return value


def _either(left: Valued, right: Valued) -> Valued:
    def value(row: Row) -> Any:
        a = left(row)
        if a is True:
            return True
        b = right(row)
        return True if b is True else None if a is None or b is None else False

    return value


def _not(inner: Valued) -> Valued:
    return lambda row: None if (value := inner(row)) is None else not value


def _among(asked: Valued, items: list[Valued]) -> Valued:
    def value(row: Row) -> Any:
        wanted = asked(row)
        known = [item(row) for item in items]
        if wanted is None:
            return None
        return True if wanted in known else None if None in known else False

    return value


def columns_of(tree: exp.Expr) -> tuple[str, ...]:
    """The columns that a tree names, in order of appearance."""
    return tuple(dict.fromkeys(node.name for node in tree.find_all(exp.Column, bfs=False)))


def put_in(tree: exp.Expr, words: Mapping[str, exp.Expr], inside: frozenset[str] = frozenset()) -> exp.Expr:
    """The tree with columns that stand for a condition replaced by it, also inside the conditions put in.

    A definition may name its own column (what else makes it true): that one stays as it is.
    """
    whole = exp.Paren(this=tree.copy())
    for node in list(whole.find_all(exp.Column)):
        if node.name in words and node.name not in inside:
            node.replace(exp.Paren(this=put_in(words[node.name], words, inside | {node.name})))
    found: exp.Expr = whole.this
    return found
