"""Many rows into one table at once: COPY on PostgreSQL, where single INSERTs take several times as long; executemany on SQLite.

Both within the caller's transaction, with the values that an INSERT of the table would take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, insert
from sqlalchemy.exc import DBAPIError

BATCH = 5_000


def insert_rows(con: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows that all name the same columns. Raises SQLAlchemy's DBAPIError."""
    if not rows:
        return
    if con.dialect.name == "postgresql":
        _copy(con, table, rows)
        return
    for start in range(0, len(rows), BATCH):
        con.execute(insert(table), rows[start : start + BATCH])


def _copy(con: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    import psycopg  # who keeps the cases in SQLite does not load it

    names = list(rows[0])
    quoted = con.dialect.identifier_preparer.quote
    ready = [_ready(con, table, name) for name in names]
    target = f"{quoted(table.name)} ({', '.join(map(quoted, names))})"
    statement = f"COPY {target} FROM STDIN"
    try:
        with con.connection.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[attr-defined]
            for row in rows:
                copy.write_row([prepare(row[name]) for name, prepare in zip(names, ready, strict=True)])
    except psycopg.Error as error:
        raise DBAPIError(statement, None, error) from error


def _ready(con: Connection, table: Table, name: str) -> Callable[[Any], Any]:
    """What makes of a value what the driver takes: the same that an INSERT would do."""
    processor = table.c[name].type.dialect_impl(con.dialect).bind_processor(con.dialect)
    return processor or (lambda value: value)
