"""`--where`: comparisons joined by AND, checked against an export's columns and bound as parameters.

No text of the user becomes SQL: the column is looked up, the operator is one of six, the value is bound.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from monitoring.language import Words

_OPERATORS = {
    "=": "=",
    "＝": "=",
    "==": "=",
    "!=": "<>",
    "<>": "<>",
    "≠": "<>",
    "<": "<",
    "＜": "<",
    ">": ">",
    "＞": ">",
}
_OPERATORS |= {"<=": "<=", "≤": "<=", ">=": ">=", "≥": ">="}
_ONE = re.compile(
    r"""\s*(?P<column>\w+)\s*(?P<operator>==|!=|<>|<=|>=|[=<>≤≥≠＝＜＞])\s*"""
    r"""(?P<value>'(?:[^']|'')*'|"(?:[^"]|"")*"|[^'"].*?|)\s*(?:\sAND\s+|\Z)""",
    re.IGNORECASE | re.DOTALL,
)
_TRUTH = {"是": "true", "否": "false", "yes": "true", "no": "false"}


@dataclass(frozen=True)
class Condition:
    """One comparison; `operator` is SQL's own. A blank value asks for blank cells."""

    column: str
    operator: str
    value: str


def parse_where(where: str | Sequence[str] | None) -> list[Condition]:
    """`township=石桥镇 AND level=red` (or a list of such texts) as conditions; raises ValueError, in Chinese."""
    texts = [where] if isinstance(where, str) else list(where or ())
    return [condition for text in texts if text.strip() for condition in _parse(text)]


def _parse(text: str) -> list[Condition]:
    conditions = []
    place = 0
    while place < len(text):
        found = _ONE.match(text, place)
        if not found or found.end() == place:
            raise ValueError(
                Words(
                    "筛选条件读不懂：{text}。写法：列=值，可用 = != < <= > >=，几个条件用 AND 连接",
                    text=repr(text[place:].strip()),
                )
            )
        value = found["value"]
        if value[:1] in ("'", '"'):
            quote = value[0]
            value = value[1:-1].replace(quote * 2, quote)
        conditions.append(Condition(found["column"].lower(), _OPERATORS[found["operator"]], value))
        place = found.end()
    return conditions


def where_sql(
    connection: duckdb.DuckDBPyConnection,
    conditions: Sequence[Condition],
    types: Mapping[str, str],
    hidden: Collection[str] = (),
) -> tuple[str, list[str]]:
    """The condition over columns of the given DuckDB types, and its parameters.

    Raises ValueError for an unknown column, a value that is not of the column's type, and for a column that is hidden
    (masked): answering by it would tell, guess by guess, what the mask hides.
    """
    parts = ["TRUE"]
    values: list[str] = []
    for condition in conditions:
        if condition.column not in types:
            close = difflib.get_close_matches(condition.column, types, n=1)
            hint = Words("，是否指 {near}？", near=close[0]) if close else Words("。")
            raise ValueError(
                Words(
                    "没有列 {column}{hint}可用的列：{known}", column=condition.column, hint=hint, known=", ".join(types)
                )
            )
        if condition.column in hidden:
            raise ValueError(
                Words(
                    "列 {column} 已脱敏，不能用来筛选；确有需要时用 --unmask 并写明 --reason", column=condition.column
                )
            )
        part, bound = _comparison(connection, condition, types[condition.column])
        parts.append(part)
        values += bound
    return " AND ".join(parts), values


def _comparison(connection: duckdb.DuckDBPyConnection, condition: Condition, type_: str) -> tuple[str, list[str]]:
    column = f'"{condition.column}"'
    if condition.value == "":
        if condition.operator not in ("=", "<>"):
            raise ValueError(
                Words("{column} {operator} 之后缺少值", column=condition.column, operator=condition.operator)
            )
        blank = f"coalesce({column}::VARCHAR, '') = ''"
        return (blank if condition.operator == "=" else f"NOT ({blank})"), []
    value = _TRUTH.get(condition.value.lower(), condition.value) if type_ == "BOOLEAN" else condition.value
    held = connection.execute(f"SELECT TRY_CAST(? AS {type_})", [value]).fetchall()
    if held[0][0] is None:
        raise ValueError(
            Words(
                "{column} 是 {type}，{value} 不是这样的值",
                column=condition.column,
                type=type_,
                value=repr(condition.value),
            )
        )
    operator = "IS DISTINCT FROM" if condition.operator == "<>" else condition.operator
    return f"{column} {operator} CAST(? AS {type_})", [value]
