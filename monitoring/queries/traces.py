"""Where one household stands in the published tables: its persons, and the numbers of the rows that are about them.

The tables of the departments stand in the order of their files, so no block of them can be skipped for a person. One
statement reads nothing but their person columns; every question then takes the few rows it needs by their numbers, from
the tables that have any. A published file never changes, so that what was found is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from monitoring.access import Filter, Scope
from monitoring.labels import feed_titles
from monitoring.warehouse import Warehouse

PERSONS = "person_snapshot"
NOBODY = "false"


@dataclass(frozen=True)
class Traces:
    """A household's persons (its own, and those who count in two), its head, and table -> person -> numbers of rows.

    Under the person None stand the visits that name the household and nobody in it."""

    persons: frozenset[int]
    head: int | None
    rows: dict[str, dict[int | None, list[int]]]

    def among(self, table: str, persons: Iterable[int | None] | None = None) -> str:
        """SQL for "this row of the table is about the household's persons" (or these persons); NOBODY where none is.

        The numbers are integers of the warehouse itself; the range lets DuckDB pass over all other blocks of the table."""
        found = self.rows.get(table, {})
        numbers = sorted(
            number for person in (self.persons if persons is None else persons) for number in found.get(person, ())
        )
        if not numbers:
            return NOBODY
        return f"rowid between {numbers[0]} and {numbers[-1]} and rowid in ({', '.join(map(str, numbers))})"

    def stands_in(self, table: str) -> bool:
        return self.among(table) != NOBODY


@lru_cache(maxsize=64)
def traces(warehouse: Warehouse, scope: Scope, key: int) -> Traces:
    """Of a household outside the scope there is nobody."""
    where = scope.limit(Filter().add("household_key = $key", key=key))
    home = warehouse.row(
        f"""select household_id, head_person_id as head, list_distinct(list_concat(
                       (select list(person_id) from membership where household_key = $key),
                       (select list(person_id) from {PERSONS} where household_key = $key))) as persons
            from household {where.where}""",
        where.params,
    )
    persons = {person for person in home.get("persons") or () if person is not None}
    if not home:
        return Traces(frozenset(), None, {})
    tables = [PERSONS, *(f"std_{feed}" for feed in feed_titles() if feed != "institutions")]
    columns = " union all ".join(
        f"select {place} as place, person_id, rowid as number from {table}" for place, table in enumerate(tables)
    )
    found = warehouse.rows(
        f"""select place, person_id, number from ({columns}) where person_id in (select unnest($persons::BIGINT[]))
            union all select {tables.index("std_visits")}, null, rowid from std_visits
            where person_id is null and name is null and household_number = $household""",
        {
            "persons": sorted(persons | ({home["head"]} if home["head"] is not None else set())),
            "household": home["household_id"],
        },
    )
    rows: dict[str, dict[int | None, list[int]]] = {}
    for row in found:
        rows.setdefault(tables[row["place"]], {}).setdefault(row["person_id"], []).append(row["number"])
    return Traces(frozenset(persons), home["head"], rows)
