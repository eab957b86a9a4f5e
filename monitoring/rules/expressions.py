"""A rule's condition is data, never SQL text: parsed, every node held against an allow-list, printed from the tree.

Allowed are columns of one snapshot table, the pack's parameters (`$dibao_standard_rural`), literals, comparisons, IN,
BETWEEN, AND, OR, NOT, + - * / and abs. What could read elsewhere (subqueries, functions, casts) is refused, and so is
what turns "we do not know" into a value (IS NULL on a column, coalesce, IS DISTINCT FROM, CASE): facts that need it are
columns of the snapshot. `$parameter IS NULL` asks whether the pack sets none, which is policy and hides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from monitoring.language import Words
from monitoring.strict_toml import did_you_mean
from monitoring.tables import Column

LONGEST = 2000
MOST_NODES = 300

_BINARY = ("this", "expression")
_LOGIC = (exp.And, exp.Or)
_ORDER = (exp.GT, exp.GTE, exp.LT, exp.LTE)
_EQUAL = (exp.EQ, exp.NEQ)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div)
_ALLOWED: dict[type, tuple[str, ...]] = {
    **dict.fromkeys((*_LOGIC, *_ORDER, *_EQUAL, *_ARITHMETIC, exp.Is, exp.Nullif), _BINARY),
    exp.Div: (*_BINARY, "typed", "safe"),
    exp.Not: ("this",),
    exp.Paren: ("this",),
    exp.Neg: ("this",),
    exp.Abs: ("this",),
    exp.Null: (),
    exp.Boolean: ("this",),
    exp.Literal: ("this", "is_string"),
    exp.Column: ("this",),
    exp.Identifier: ("this", "quoted"),
    exp.Placeholder: ("this",),
    exp.Between: ("this", "low", "high"),
    exp.In: ("this", "expressions"),
}
_HIDES_UNKNOWN = (exp.Coalesce, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Case, exp.If)
_FAMILY_ZH = {"number": "数值", "text": "文字", "flag": "是否", "date": "日期", "list": "列表"}
_USE_FACTS = "用快照中表示“是否已知”的列（如 income_known），或请开发人员在快照中增加一列"


@dataclass(frozen=True)
class Expression:
    """A checked condition: the author's text, its tree, and what it reads in order of appearance."""

    text: str
    tree: exp.Expr = field(repr=False)
    columns: tuple[str, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Scope:
    """What an expression may name: the columns of its snapshot table, and the parameters with their kind."""

    columns: Mapping[str, Column]
    kinds: Mapping[str, str]


def column_family(column: Column) -> str:
    """number, text, flag or date."""
    if column.type.startswith(("DECIMAL", "BIGINT", "INTEGER", "DOUBLE")):
        return "number"
    return {"BOOLEAN": "flag", "DATE": "date"}.get(column.type, "text")


def check_expression(text: str, scope: Scope, complain: Callable[[str, str], None]) -> Expression | None:
    """The condition as an expression, or None after every complaint (what is wrong, what would be right) was made."""
    faults = 0

    def fault(wrong: str, right: str) -> None:
        nonlocal faults
        faults += 1
        complain(wrong, right)

    tree = _parse(text, fault)
    if tree is None:
        return None
    checker = _Checker(scope, fault)
    if checker.allowed(tree) and checker.family(tree) not in ("flag", "") and not faults:
        fault("条件的结果不是“是否”（BOOLEAN）", "一个能判断真假的条件，如 income_pc < standard")
    if faults:
        return None
    nodes = list(tree.walk(bfs=False))
    columns = dict.fromkeys(node.name for node in nodes if isinstance(node, exp.Column))
    parameters = dict.fromkeys(str(node.this) for node in nodes if isinstance(node, exp.Placeholder))
    return Expression(text, tree, tuple(columns), tuple(parameters))


def _parse(text: str, fault: Callable[[str, str], None]) -> exp.Expr | None:
    if not 0 < len(text.strip()) <= LONGEST or "\0" in text:
        fault(
            Words("条件为空、过长或含有控制字符（{n} 字）", n=len(text)),
            Words("1 至 {longest} 个字的一个条件", longest=LONGEST),
        )
        return None
    try:
        trees = sqlglot.parse(text, dialect="duckdb")
        size = sum(1 for tree in trees if tree is not None for _ in tree.walk())
    except (SqlglotError, RecursionError, ValueError) as error:
        fault(Words("条件读不懂（{kind}）", kind=type(error).__name__), "一个完整的条件，括号和引号成对")
        return None
    if len(trees) != 1 or trees[0] is None:
        fault(Words("写了 {n} 个语句", n=len(trees)), "只写一个条件，不用分号")
        return None
    if size > MOST_NODES:
        fault(
            Words("条件过于复杂（{size} 个成分）", size=size),
            Words("不超过 {most} 个成分；更复杂的事实由快照列给出", most=MOST_NODES),
        )
        return None
    tree: exp.Expr = trees[0]
    return tree


class _Checker:
    """Holds one tree against the allow-list and against the types of what it names."""

    def __init__(self, scope: Scope, fault: Callable[[str, str], None]) -> None:
        self.scope, self.fault = scope, fault

    def allowed(self, tree: exp.Expr) -> bool:
        """Whether every node is on the list; complains of each that is not, once per kind and name."""
        wrong: dict[str, str] = {}
        for node in tree.walk(bfs=False):
            shown = node.sql("duckdb", comments=False)[:60]
            if isinstance(node, _HIDES_UNKNOWN):
                wrong[Words("{shown} 会把“不明”变成一个值（{kind}）", shown=shown, kind=type(node).__name__)] = (
                    _USE_FACTS
                )
            elif type(node) not in _ALLOWED:
                wrong[Words("不允许 {kind}：{shown}", kind=type(node).__name__, shown=shown)] = (
                    "只用本表的列、$参数、常量、比较、IN、BETWEEN、AND、OR、NOT、+ - * / 和 abs"
                )
                break  # what stands below it is judged by other standards
            elif any(value for key, value in node.args.items() if key not in _ALLOWED[type(node)]):
                wrong[Words("不允许这样写：{shown}", shown=shown)] = "列只写列名；IN 后面写括号内的常量"
                break
        for problem, right in wrong.items():
            self.fault(problem, right)
        return not wrong

    def family(self, node: exp.Expr) -> str:
        """The family of a node's value; "" after a complaint, so that nothing is complained of twice."""
        if isinstance(node, exp.Paren):
            return self.family(node.this)
        if isinstance(node, exp.Literal):
            return "text" if node.is_string else "number"
        if isinstance(node, exp.Boolean):
            return "flag"
        if isinstance(node, exp.Column):
            return self._column(node.name)
        if isinstance(node, exp.Placeholder):
            return self._parameter(str(node.this or ""))
        if isinstance(node, (*_LOGIC, exp.Not)):
            return self._all(node, ("flag",), "flag", "AND、OR、NOT 两边须是条件")
        if isinstance(node, (*_ARITHMETIC, exp.Neg, exp.Abs)):
            if isinstance(node, exp.Div):
                self._divisor(node.expression)
            return self._all(node, ("number",), "number", "只有数值可以计算；日期之差由快照列给出")
        if isinstance(node, (*_ORDER, exp.Between)):
            return self._alike(node, ("number", "date"), "大小只能在数值之间或日期之间比较")
        if isinstance(node, exp.In):
            return self._membership(node)
        if isinstance(node, _EQUAL):
            return self._alike(node, ("number", "date", "text", "flag"), "两边须是同一类型")
        if isinstance(node, exp.Is):
            return self._is_null(node)
        self.fault(
            Words("不允许单独使用 {shown}", shown=node.sql("duckdb", comments=False)[:60]),
            "NULLIF 只作除数；NULL 只用于 $参数 IS NULL",
        )
        return ""

    def _column(self, name: str) -> str:
        if name not in self.scope.columns:
            self.fault(
                Words("没有列 {name}{hint}", name=name, hint=did_you_mean(name, self.scope.columns)),
                "monitoring/tables.py 中该对象的一列",
            )
            return ""
        return column_family(self.scope.columns[name])

    def _parameter(self, name: str) -> str:
        if name not in self.scope.kinds:
            self.fault(
                Words("没有参数 ${name}{hint}", name=name, hint=did_you_mean(name, self.scope.kinds)),
                "政策包中的参数，点号写成下划线，如 $dibao_standard_rural",
            )
            return ""
        if self.scope.kinds[name] == "list":
            self.fault(
                Words("参数 ${name} 是列表，条件中不能直接使用", name=name), "用快照中已按该参数算好的列，并写入 needs"
            )
            return ""
        return self.scope.kinds[name]

    def _operands(self, node: exp.Expr) -> list[exp.Expr]:
        """The parts whose families count; a guarded divisor was looked at already."""
        parts = list(node.iter_expressions())
        return [part for part in parts if not (isinstance(node, exp.Div) and isinstance(part.unnest(), exp.Nullif))]

    def _all(self, node: exp.Expr, wanted: tuple[str, ...], result: str, right: str) -> str:
        families = {self.family(child) for child in self._operands(node)}
        if "" in families:
            return ""
        if not families <= set(wanted):
            self._wrong(node, families, right)
            return ""
        return result

    def _alike(self, node: exp.Expr, wanted: tuple[str, ...], right: str) -> str:
        if any(isinstance(child, (*_ORDER, *_EQUAL)) for child in self._operands(node)):
            self.fault(
                Words("{shown} 把几个比较连写在一起", shown=node.sql("duckdb", comments=False)[:60]),
                "用 AND 分开，或加括号",
            )
            return ""
        families = {self.family(child) for child in self._operands(node)}
        if "" in families:
            return ""
        if len(families) != 1 or not families <= set(wanted):
            self._wrong(node, families, right)
            return ""
        return "flag"

    def _wrong(self, node: exp.Expr, families: Iterable[str], right: str) -> None:
        kinds = sorted(_FAMILY_ZH[family] for family in families)
        self.fault(
            Words("{shown} 的两边类型不合（{kinds}）", shown=node.sql("duckdb", comments=False)[:60], kinds=kinds),
            right,
        )

    def _divisor(self, divisor: exp.Expr) -> None:
        inner = divisor.unnest()
        if isinstance(inner, exp.Nullif):
            self._all(inner, ("number",), "number", "nullif(列, 0)")
            if not _is_zero(inner.expression):
                self.fault(Words("除数 {shown} 没有排除 0", shown=divisor.sql("duckdb")[:60]), "nullif(列, 0)")
        elif not isinstance(inner, exp.Literal) or inner.is_string or _is_zero(inner):
            self.fault(Words("除数 {shown} 可能为 0", shown=divisor.sql("duckdb")[:60]), "nullif(列, 0) 或不为 0 的数")

    def _membership(self, node: exp.In) -> str:
        items = node.expressions
        plain = (exp.Literal, exp.Neg, exp.Placeholder)
        if not items or not all(isinstance(item, plain) for item in items):
            self.fault(
                Words("{shown} 的 IN 后面不是常量", shown=node.sql("duckdb", comments=False)[:60]), "IN ('甲', '乙')"
            )
            return ""
        return self._alike(node, ("number", "text", "date"), "IN 前后须是同一类型")

    def _is_null(self, node: exp.Is) -> str:
        asked = node.this.unnest()
        if not isinstance(node.expression, exp.Null) or not isinstance(asked, exp.Placeholder):
            self.fault(Words("{shown} 会把“不明”变成一个值", shown=node.sql("duckdb", comments=False)[:60]), _USE_FACTS)
            return ""
        return "flag" if self._parameter(str(asked.this or "")) else ""


def _is_zero(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and Decimal(node.this) == 0
