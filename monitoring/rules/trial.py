"""Trying expressions: a locked in-memory DuckDB in which conditions run on made-up rows of the snapshot's types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import duckdb

from monitoring.language import Words
from monitoring.parameters import Content
from monitoring.rules.binding import bind, to_sql
from monitoring.rules.expressions import Expression
from monitoring.tables import Column

_SAMPLE: dict[str, Content] = {"number": Decimal("1.5"), "text": "示例", "flag": True}
_ONE = {"BOOLEAN": "TRUE", "DATE": "DATE '2020-01-01'", "VARCHAR": "'1'"}


def locked_connection() -> duckdb.DuckDBPyConnection:
    """An empty DuckDB that can neither read a file, nor load anything, nor be changed; x / 0 is NULL in it."""
    connection = duckdb.connect(":memory:")
    connection.execute("SET ieee_floating_point_ops = false")
    connection.execute("SET error_on_division_by_zero = false")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def try_expressions(
    asked: Sequence[tuple[str, Expression]], snapshots: Mapping[str, Mapping[str, Column]], kinds: Mapping[str, str]
) -> list[str]:
    """For each (subject, expression) what goes wrong on a row of unknowns and a row of ones; "" where nothing does."""
    values = {name: (kind, _SAMPLE.get(kind)) for name, kind in kinds.items()}
    problems = [""] * len(asked)
    with locked_connection() as connection:
        for subject, columns in snapshots.items():
            places = [place for place, (of, _) in enumerate(asked) if of == subject]
            if not places:
                continue
            nulls = ", ".join(f'NULL::{column.type} AS "{name}"' for name, column in columns.items())
            ones = ", ".join(f"{_ONE.get(column.type, '1')}::{column.type}" for column in columns.values())
            connection.execute(f'CREATE TABLE "{subject}" AS SELECT {nulls} UNION ALL SELECT {ones}')
            conditions = [to_sql(bind(asked[place][1], values)) for place in places]
            if not _problem(connection, subject, conditions):
                continue
            for place, condition in zip(places, conditions, strict=True):
                problems[place] = _problem(connection, subject, [condition])
    return problems


def _problem(connection: duckdb.DuckDBPyConnection, subject: str, conditions: Sequence[str]) -> str:
    query = f'SELECT {", ".join(f"({condition})" for condition in conditions)} FROM "{subject}"'
    try:
        types = {str(row[1]) for row in connection.execute(f"DESCRIBE {query}").fetchall()}
        connection.execute(query).fetchall()
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    return "" if types == {"BOOLEAN"} else Words("结果类型为 {known}，不是 BOOLEAN", known="、".join(sorted(types)))
