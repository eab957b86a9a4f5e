"""Whether a signal that a decision keeps quiet has got worse since, so that it must be looked at before its time.

Worse is: a more urgent level; or a column that the rule compares has moved by a tenth or more of what it was, further in the
direction in which the rule fires. The direction is read from the rule's own condition: in `income_pc < standard` a falling
income and a rising standard are further in. NOT turns it round; parameters, amounts and counts are taken as not negative.

Where a column has no one direction (`a <= x AND x < b`, abs), a move counts if it leads away from the nearest line. What
was unknown when the decision was made, and now meets its comparison, counts too: nobody could have weighed it. An age does
not: a birthday is no news. Evidence that cannot be read counts as worse, since silence would be the greater wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from monitoring.parameters import placeholder

SHARE = Decimal("0.10")
CALENDAR = frozenset({"age"})
_ABOVE, _BELOW = (exp.GT, exp.GTE), (exp.LT, exp.LTE)
_STRICT = (exp.GT, exp.LT)


@dataclass(frozen=True)
class Line:
    """One comparison of a condition: `left` and `right`, and `sign` (1 where it is met above the line, -1 below it)."""

    left: exp.Expr
    right: exp.Expr
    sign: int
    strict: bool

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(node.name for side in (self.left, self.right) for node in side.find_all(exp.Column))

    def direction(self, column: str) -> int | None:
        """1 where a greater value leads further in, -1 where a smaller one does, None where that cannot be said."""
        slope = _together(_slope(self.left, column), _turned(_slope(self.right, column)))
        return None if slope is None else slope * self.sign

    def depth(self, values: Mapping[str, Any]) -> Decimal | None:
        """How far inside the line the values are (below 0: outside); None where one of them is unknown."""
        left, right = _value(self.left, values), _value(self.right, values)
        return None if left is None or right is None else (left - right) * self.sign

    def met(self, values: Mapping[str, Any]) -> bool:
        depth = self.depth(values)
        return depth is not None and (depth > 0 if self.strict else depth >= 0)


@cache
def lines_of(condition: str) -> tuple[Line, ...]:
    """Every comparison of numbers in a rule's condition; none where it cannot be read (the run checked it)."""
    try:
        return tuple(_lines(sqlglot.parse_one(condition, dialect="duckdb"), negated=False))
    except SqlglotError:
        return ()


def evidence_is_worse(condition: str, before: str, now: str, share: Decimal = SHARE) -> bool:
    """Whether a compared column moved further in by `share` or more. `before` and `now` are evidence as a run wrote it."""
    if before == now:
        return False
    old, new = _read(before), _read(now)
    if old is None or new is None:
        return True
    lines = lines_of(condition)
    columns = sorted(frozenset(column for line in lines for column in line.columns) - CALENDAR)
    return any(_moved_in(column, lines, old, new, share) for column in columns)


def _moved_in(
    column: str, lines: tuple[Line, ...], old: Mapping[str, Any], new: Mapping[str, Any], share: Decimal
) -> bool:
    mine = [line for line in lines if column in line.columns]
    was, is_now = _number(old.get(column)), _number(new.get(column))
    if is_now is None:
        return False
    if was is None:
        return any(line.met(new) for line in mine)
    step = is_now - was
    if not step or abs(step) < share * abs(was):
        return False
    directions = {line.direction(column) for line in mine}
    if len(directions) == 1 and None not in directions:
        return step * (directions.pop() or 0) > 0
    near = [abs(depth) for line in mine if (depth := line.depth(old)) is not None]
    far = [abs(depth) for line in mine if (depth := line.depth(new)) is not None]
    return bool(near and far) and min(far) > min(near)


def _lines(node: exp.Expr, *, negated: bool) -> Iterator[Line]:
    node = node.unnest()
    if isinstance(node, exp.Not):
        yield from _lines(node.this, negated=not negated)
    elif isinstance(node, exp.And | exp.Or):
        yield from _lines(node.this, negated=negated)
        yield from _lines(node.expression, negated=negated)
    elif isinstance(node, exp.Between):
        turn = -1 if negated else 1
        yield Line(node.this, node.args["low"], turn, negated)
        yield Line(node.this, node.args["high"], -turn, negated)
    elif isinstance(node, (*_ABOVE, *_BELOW)):
        sign = (1 if isinstance(node, _ABOVE) else -1) * (-1 if negated else 1)
        yield Line(node.this, node.expression, sign, isinstance(node, _STRICT) is not negated)


def _slope(node: exp.Expr, column: str) -> int | None:
    """Whether a value grows (1) or shrinks (-1) with a column, does not depend on it (0), or cannot be said (None)."""
    node = node.unnest()
    if isinstance(node, exp.Column):
        return int(node.name == column)
    if isinstance(node, exp.Neg):
        return _turned(_slope(node.this, column))
    if isinstance(node, exp.Nullif):
        return _slope(node.this, column)
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div):
        left, right = _slope(node.this, column), _slope(node.expression, column)
        if isinstance(node, exp.Mul | exp.Div):
            left, right = _scaled(left, node.expression), _scaled(right, node.this)
        return _together(left, _turned(right) if isinstance(node, exp.Sub | exp.Div) else right)
    return None if any(found.name == column for found in node.find_all(exp.Column)) else 0


def _scaled(slope: int | None, factor: exp.Expr) -> int | None:
    factor = factor.unnest()
    return _turned(slope) if isinstance(factor, exp.Neg) else slope


def _turned(slope: int | None) -> int | None:
    return None if slope is None else -slope


def _together(one: int | None, other: int | None) -> int | None:
    if one is None or other is None or one * other < 0:
        return None
    return one or other


def _value(node: exp.Expr, values: Mapping[str, Any]) -> Decimal | None:
    node = node.unnest()
    if isinstance(node, exp.Column):
        return _number(values.get(node.name))
    if isinstance(node, exp.Placeholder | exp.Parameter):
        return _number(values.get("$" + str(node.this.name if isinstance(node.this, exp.Expr) else node.this)))
    if isinstance(node, exp.Literal):
        return None if node.is_string else Decimal(node.name)
    if isinstance(node, exp.Neg | exp.Abs | exp.Nullif):
        inner = _value(node.this, values)
        if inner is None or (isinstance(node, exp.Nullif) and not inner):
            return None
        return -inner if isinstance(node, exp.Neg) else abs(inner) if isinstance(node, exp.Abs) else inner
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div):
        left, right = _value(node.this, values), _value(node.expression, values)
        return None if left is None or right is None else _reckoned(node, left, right)
    return None


def _reckoned(node: exp.Expr, left: Decimal, right: Decimal) -> Decimal | None:
    if isinstance(node, exp.Div):
        return left / right if right else None
    return left + right if isinstance(node, exp.Add) else left - right if isinstance(node, exp.Sub) else left * right


def _read(evidence: str) -> dict[str, Any] | None:
    """The values by name; parameters by the name that conditions use (`$dibao_standard_rural`)."""
    try:
        told = json.loads(evidence, parse_float=Decimal)
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    return {placeholder(name) if name.startswith("$") else name: value for name, value in told.items()}


def _number(value: Any) -> Decimal | None:
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
