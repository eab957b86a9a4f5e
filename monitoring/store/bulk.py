"""Many rows into one table at once: COPY on PostgreSQL, where single INSERTs take several times as long; executemany on SQLite,
past what SQLAlchemy does for every row apart.

Both within the caller's transaction, with the values that an INSERT of the table would take.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from sqlalchemy import JSON, Boolean, Connection, Date, Executable, Table
from sqlalchemy.exc import DBAPIError

from monitoring.store.schema import Moment

BATCH = 5_000
_REPEATED = (Boolean, Date, Moment)  # many rows hold few different ones: each is made ready once


def insert_rows(con: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows that all name the same columns. Raises SQLAlchemy's DBAPIError."""
    if rows:
        columns = [_column(con, table, name, [row[name] for row in rows]) for name in rows[0]]
        _insert(con, table, list(rows[0]), zip(*columns, strict=True))


def insert_frame(con: Connection, table: Table, rows: pl.DataFrame, same: Mapping[str, Any]) -> None:
    """Inserts the rows of a frame, its columns named as the table's, and in further columns the `same` value in every row. Text
    for a JSON column is JSON already. Raises SQLAlchemy's DBAPIError."""
    if rows.is_empty():
        return
    columns = [
        rows[name].to_list()
        if isinstance(table.c[name].type, JSON)
        else _column(con, table, name, rows[name].to_list())
        for name in rows.columns
    ]
    constant = [itertools.repeat(_column(con, table, name, [value])[0], rows.height) for name, value in same.items()]
    _insert(con, table, [*rows.columns, *same], zip(*columns, *constant, strict=True))


def execute_many(con: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
    """One statement for each of many rows of values, a batch at a time. Raises SQLAlchemy's DBAPIError."""
    for start in range(0, len(rows), BATCH):
        con.execute(statement, rows[start : start + BATCH])


def _column(con: Connection, table: Table, name: str, values: list[Any]) -> list[Any]:
    """The values of one column as the driver takes them: the same that an INSERT would make of each."""
    kind = table.c[name].type
    processor = kind.dialect_impl(con.dialect).bind_processor(con.dialect)
    if processor is None:
        return values
    if isinstance(kind, _REPEATED):
        made = {value: processor(value) for value in set(values)}
        return [made[value] for value in values]
    return [processor(value) for value in values]


def _insert(con: Connection, table: Table, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    if con.dialect.name == "postgresql":
        _copy(con, table, names, rows)
        return
    statement = f"INSERT INTO {_target(con, table, names)} VALUES ({', '.join('?' * len(names))})"
    waiting = iter(rows)
    while batch := list(itertools.islice(waiting, BATCH)):
        con.exec_driver_sql(statement, batch)


def _copy(con: Connection, table: Table, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    import psycopg  # who keeps the cases in SQLite does not load it

    statement = f"COPY {_target(con, table, names)} FROM STDIN"
    try:
        with con.connection.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[attr-defined]
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        raise DBAPIError(statement, None, error) from error


def _target(con: Connection, table: Table, names: Sequence[str]) -> str:
    quoted = con.dialect.identifier_preparer.quote
    return f"{quoted(table.name)} ({', '.join(map(quoted, names))})"
