"""A checked condition with one pack's parameters put in: from its tree to DuckDB text, never from the author's text.

Parameters become typed literals, and every operand stands in brackets, so that what DuckDB reads is what was checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sqlglot import exp

from monitoring.parameters import Content
from monitoring.rules.expressions import Expression

Values = Mapping[str, tuple[str, Content]]  # a parameter's name in expressions -> its kind and value

_COMPOUND = (
    *(exp.And, exp.Or, exp.Not, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.NEQ, exp.Between, exp.In),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg),
)
_NULL_TYPE = {"number": "DECIMAL(18,6)", "text": "VARCHAR", "flag": "BOOLEAN"}


def bind(expression: Expression, values: Values) -> exp.Expr:
    """A copy of the tree with the parameters (placeholder -> kind and value) as literals and every operand in brackets."""
    return _bound(expression.tree, values, top=True)


def _bound(node: exp.Expr, values: Values, *, top: bool = False) -> exp.Expr:
    if isinstance(node, exp.Paren):
        return _bound(node.this, values, top=top)
    if isinstance(node, exp.Placeholder):
        return _literal(*values[str(node.this)])
    if isinstance(node, exp.Is):
        return exp.Boolean(this=values[str(node.this.unnest().this)][1] is None)
    made = type(node)()
    for key, value in node.args.items():
        if isinstance(value, list):
            made.set(key, [_bound(item, values) if isinstance(item, exp.Expr) else item for item in value])
        else:
            made.set(key, _bound(value, values) if isinstance(value, exp.Expr) else value)
    return exp.Paren(this=made) if isinstance(node, _COMPOUND) and not top else made


def _literal(kind: str, content: Content) -> exp.Expr:
    if content is None:
        return exp.cast(exp.Null(), _NULL_TYPE[kind], dialect="duckdb")
    if isinstance(content, bool):
        return exp.Boolean(this=content)
    if isinstance(content, Decimal):
        number = exp.Literal.number(format(abs(content), "f"))
        return exp.Paren(this=exp.Neg(this=number)) if content < 0 else number
    return exp.Literal.string(str(content))


def settled(tree: exp.Expr) -> dict[str, str | bool]:
    """The columns of which a bound condition, where it is true, leaves one value: a flag or a word that all of it must have."""
    inner = tree.unnest()
    if isinstance(inner, exp.And):
        return {**settled(inner.this), **settled(inner.expression)}
    if isinstance(inner, exp.Column):
        return {inner.name: True}
    if isinstance(inner, exp.Not) and isinstance(inner.this.unnest(), exp.Column):
        return {inner.this.unnest().name: False}
    if isinstance(inner, exp.EQ):
        column, value = inner.this.unnest(), inner.expression.unnest()
        if isinstance(column, exp.Column) and isinstance(value, exp.Literal) and value.is_string:
            return {column.name: str(value.this)}
    return {}


def to_sql(tree: exp.Expr) -> str:
    """DuckDB text of a bound tree: from the tree alone, without comments, names in quotes."""
    return tree.sql("duckdb", comments=False, identify=True)
