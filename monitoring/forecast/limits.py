"""When the model's page and card warn: `data/policy/model.toml`, or the county's own in its home, read strictly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from monitoring.strict_toml import Span, Table, version_in_force

SHIPPED = Path(__file__).parents[2] / "data" / "policy" / "model.toml"


@dataclass(frozen=True)
class Limits:
    """One dated version: `drift` (PSI), `group_chance` (share) and `group_fewest` (entries); `sha256` is that of the file."""

    span: Span
    drift: float
    drift_clause: str
    group_chance: float
    group_fewest: int
    group_clause: str
    sha256: str


def load_limits(home: Path | None, as_of: date) -> Limits:
    """The version in force. Raises PolicyError with every complaint, also where no version holds on that day."""
    return version_in_force(home, SHIPPED, as_of, _version)


def _version(table: Table, sha256: str) -> Limits:
    span, drift = table.span(), _number(table, "drift", 10)
    clause, chance = table.text("drift_clause"), _number(table, "group_chance", 1)
    fewest = table.raw("group_fewest")
    if not isinstance(fewest, int) or isinstance(fewest, bool) or fewest < 1:
        table.complain(f"group_fewest = {fewest!r}", "group_fewest = 正整数")
        fewest = 1
    found = Limits(span, drift, clause, chance, fewest, table.text("group_clause"), sha256)
    table.close()
    return found


def _number(table: Table, key: str, below: int) -> float:
    """A number between 0 and `below`, both excluded."""
    found = table.raw(key)
    if isinstance(found, Decimal | int) and not isinstance(found, bool) and 0 < found < below:
        return float(found)
    table.complain(f"{key} = {found!r}", f"{key} = 0 和 {below} 之间的数")
    return 0.5
