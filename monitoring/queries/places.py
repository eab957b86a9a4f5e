"""What the frame around every page needs: the run, its sources' age, townships and villages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from monitoring.access import Scope
from monitoring.warehouse import Warehouse


@dataclass(frozen=True)
class County:
    """The run that is shown."""

    run: str
    period: str
    as_of: date
    pack: str
    sample: bool
    persons: int
    households: int
    signals: int


def county(warehouse: Warehouse) -> County:
    row = warehouse.row("select run_id, period, as_of, pack, sample, persons, households, signals from run")
    return County(
        run=row["run_id"],
        period=row["period"],
        as_of=row["as_of"],
        pack=row["pack"],
        sample=row["sample"],
        persons=row["persons"],
        households=row["households"],
        signals=row["signals"],
    )


def townships(warehouse: Warehouse) -> list[str | None]:
    """Every township in which a household or a signal stands; None last, where the place of some is unknown."""
    rows = warehouse.rows(
        """select township, min(household_key) as first from (
             select township, household_key from household union all select township, household_key from signal
             where township is not null or subject in ('household', 'person', 'record'))
           group by township order by township is null, first, township"""
    )
    return [row["township"] for row in rows]


def villages(warehouse: Warehouse, township: str | None) -> list[str | None]:
    where = Scope((township,)).limit()
    query = f"select distinct village from household {where.where} order by village is null, village"
    return [row["village"] for row in warehouse.rows(query, where.params)]
