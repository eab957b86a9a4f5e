"""Many rows into one table at once: COPY on PostgreSQL, where single INSERTs take several times as long; executemany on SQLite,
past what SQLAlchemy does for every row apart.

Both within the caller's transaction, with the values that an INSERT of the table would take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

BATCH = 5_000


def insert_rows(con: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows that all name the same columns. Raises SQLAlchemy's DBAPIError."""
    if not rows:
        return
    if con.dialect.name == "postgresql":
        _copy(con, table, rows)
        return
    marks = ", ".join("?" * len(rows[0]))
    statement = f"INSERT INTO {_target(con, table, list(rows[0]))} VALUES ({marks})"
    for start in range(0, len(rows), BATCH):
        con.exec_driver_sql(statement, list(_prepared(con, table, rows[start : start + BATCH])))


def _copy(con: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    import psycopg  # who keeps the cases in SQLite does not load it

    statement = f"COPY {_target(con, table, list(rows[0]))} FROM STDIN"
    try:
        with con.connection.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[attr-defined]
            for row in _prepared(con, table, rows):
                copy.write_row(row)
    except psycopg.Error as error:
        raise DBAPIError(statement, None, error) from error


def _target(con: Connection, table: Table, names: Sequence[str]) -> str:
    quoted = con.dialect.identifier_preparer.quote
    return f"{quoted(table.name)} ({', '.join(map(quoted, names))})"


def _prepared(con: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """The rows' values as the driver takes them."""
    ready = [(name, _ready(con, table, name)) for name in rows[0]]
    for row in rows:
        yield tuple(prepare(row[name]) for name, prepare in ready)


def _ready(con: Connection, table: Table, name: str) -> Callable[[Any], Any]:
    """What makes of a value what the driver takes: the same that an INSERT would do."""
    processor = table.c[name].type.dialect_impl(con.dialect).bind_processor(con.dialect)
    return processor or (lambda value: value)
