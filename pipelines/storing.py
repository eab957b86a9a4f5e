"""How columns are kept in the file that a run builds, where DuckDB's own choice costs more than it saves."""

from __future__ import annotations

from collections.abc import Mapping

# Values that seldom stand twice in a table: to find out that there is little to gain takes DuckDB a quarter of the time in
# which it writes the whole table.
SELDOM_TWICE = ("number", "name")


def columns_sql(types: Mapping[str, str]) -> str:
    """The columns of a CREATE TABLE: name -> DuckDB type."""
    return ", ".join(
        f'"{name}" {kind}{" USING COMPRESSION uncompressed" if name in SELDOM_TWICE else ""}'
        for name, kind in types.items()
    )
