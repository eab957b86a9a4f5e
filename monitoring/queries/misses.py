"""Where the households of a sample stand in the shown run."""

from __future__ import annotations

from monitoring.access import Filter, Scope
from monitoring.warehouse import Warehouse


def keys_of(warehouse: Warehouse, scope: Scope, households: tuple[str, ...]) -> dict[str, int]:
    """household_id -> household_key of those that the run knows in the scope."""
    where = scope.limit(Filter().add("household_id in (select unnest($ids))", ids=list(households)))
    rows = warehouse.rows(
        f"select household_id, household_key from household {where.where} order by household_id", where.params
    )
    return {row["household_id"]: int(row["household_key"]) for row in rows}
