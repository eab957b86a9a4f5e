"""Every row of a case store, for tests that compare two moments of it, or two databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from monitoring.store import Store
from monitoring.store.schema import metadata


def dump(store: Store, *without: str) -> dict[str, list[tuple[Any, ...]]]:
    """Table -> its rows by primary key, but for the tables that are named."""
    with store.read() as con:
        return {
            table.name: [tuple(row) for row in con.execute(select(table).order_by(*table.primary_key.columns))]
            for table in metadata.sorted_tables
            if table.name not in without
        }
