"""When the model's page and card warn: `data/policy/model.toml`, or the county's own in its home, read strictly."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from monitoring.strict_toml import Complaint, PolicyError, Span, Table, complain_of_overlaps, read_toml

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
    own = home / "policy" / "model.toml" if home is not None else None
    path = own if own is not None and own.is_file() else SHIPPED
    complaints: list[Complaint] = []
    versions: list[Limits] = []
    table = read_toml(path, complaints)
    if table is not None:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        tables = table.tables("version")
        versions = [_version(each, sha256) for each in tables]
        complain_of_overlaps(tables, [version.span for version in versions], "版本")
        table.close()
    found = next((version for version in versions if version.span.holds(as_of)), None)
    if found is None and not complaints:
        complaints.append(Complaint(path.name, "", f"没有在 {as_of} 有效的版本", "有一个 [[version]] 的日期包括这一天"))
    if complaints or found is None:
        raise PolicyError(complaints)
    return found


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
