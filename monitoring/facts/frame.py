"""What every fact is computed from: a connection, as-of, parameters in force and the feeds that were ever loaded.

The run computes facts on the file that it builds, a what-if on a published one with other parameters: by the same texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from monitoring.parameters import Parameters


@dataclass(frozen=True)
class Facts:
    """Frame of one snapshot; `period` is the month's first day, `loaded` the feeds with any file in the home."""

    con: duckdb.DuckDBPyConnection
    as_of: date
    period: date
    parameters: Parameters
    loaded: frozenset[str]

    @property
    def day(self) -> str:
        """As-of as a DuckDB literal."""
        return f"DATE '{self.as_of.isoformat()}'"

    @property
    def month(self) -> str:
        """The period's first day as a DuckDB literal."""
        return f"DATE '{self.period.isoformat()}'"

    def within(self, column: str, months: int) -> str:
        """`column` lies in the last so many months: as_of - n months < date <= as_of."""
        return f"({column} > {self.day} - INTERVAL {months} MONTH AND {column} <= {self.day})"

    def within_days(self, column: str, days: str) -> str:
        """`column` lies in the last so many days (a literal): as_of - n < date <= as_of."""
        return f"({column} > {self.day} - INTERVAL ({days}) DAY AND {column} <= {self.day})"

    def begun(self, column: str) -> str:
        """A row's date has come by as-of; a blank one has."""
        return f"({column} IS NULL OR {column} <= {self.day})"

    def active(self, start: str = "start_date", end: str = "end_date") -> str:
        """An entitlement runs at as-of: start <= as_of and the end blank or later."""
        return f"({self.begun(start)} AND ({end} IS NULL OR {end} > {self.day}))"

    def known(self, feed: str, expression: str) -> str:
        """The expression where the feed has ever had a file, else NULL: what it would say is unknown."""
        return expression if feed in self.loaded else "NULL"

    def money(self, name: str) -> str:
        """A number parameter as an exact literal; NULL where it is off or none."""
        number = self.parameters.number(name)
        return "NULL" if number is None else f"CAST('{number}' AS DECIMAL(14,4))"

    def whole(self, name: str) -> str:
        """A whole-number parameter as a literal; NULL where it is off: what is counted by it is not known then, and the rules
        that name it do not run."""
        number = self.parameters.whole(name)
        return "NULL::INTEGER" if number is None else str(number)

    def texts(self, name: str) -> str:
        """A list parameter as an SQL list for IN; never matches where it is off."""
        items = ", ".join(f"'{x!s}'" for x in self.parameters.items_of(name))
        return f"({items or 'NULL'})"


def three_valued_any(true: str, unknown: str) -> str:
    """TRUE where a row of the group is true, NULL where none is but one is unknown, else FALSE."""
    return f"CASE WHEN {true} THEN true WHEN {unknown} THEN NULL ELSE false END"
