"""What it takes to vouch for a household: `data/policy/vouching.toml`, or the county's own in its home, read strictly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from monitoring.strict_toml import Bilingual, Span, Table, version_in_force

SHIPPED = Path(__file__).parents[2] / "data" / "policy" / "vouching.toml"
KINDS = ("gap", "risk", "exit", "process", "data")
BY = ("township", "county")


@dataclass(frozen=True)
class Due:
    """A source that clearing rests on: fresh up to `months` after its last delivery; `by` township where each must have rows."""

    feed: str
    months: int
    by: str
    clause: str


@dataclass(frozen=True)
class Exempt:
    """A rule that need not have been judged, and why."""

    rule: str
    reason: Bilingual


@dataclass(frozen=True)
class Vouching:
    """One dated version; `sha256` is that of the file."""

    span: Span
    visit_days: int
    visit_modes: tuple[str, ...]
    visit_clause: str
    help_months: int
    help_clause: str
    kinds: tuple[str, ...]
    notice_fall_percent: int
    notice_rise_points: int
    notice_clause: str
    feeds: tuple[Due, ...]
    exempt: tuple[Exempt, ...]
    sha256: str


def load_vouching(home: Path | None, as_of: date) -> Vouching:
    """The version in force. Raises PolicyError with every complaint, also where no version holds on that day."""
    return version_in_force(home, SHIPPED, as_of, _version)


def _version(table: Table, sha256: str) -> Vouching:
    found = Vouching(
        table.span(), _whole(table, "visit_days"), _texts(table, "visit_modes"), table.text("visit_clause"),
        _whole(table, "help_months"), table.text("help_clause"), _texts(table, "kinds", KINDS),
        _whole(table, "notice_fall_percent"), _whole(table, "notice_rise_points"), table.text("notice_clause"),
        tuple(_due(each) for each in table.tables("feed")),
        tuple(_exempt(each) for each in table.tables("except", required=False)), sha256,
    )  # fmt: skip
    names = [due.feed for due in found.feeds]
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        table.complain(f"数据源 {name} 写了两次", "每个数据源一个 [[version.feed]]")
    table.close()
    return found


def _due(table: Table) -> Due:
    due = Due(table.text("feed"), _whole(table, "months"), table.choice("by", BY), table.text("clause"))
    table.close()
    return due


def _exempt(table: Table) -> Exempt:
    exempt = Exempt(table.text("rule"), table.bilingual("reason") or Bilingual("", ""))
    table.close()
    return exempt


def _whole(table: Table, key: str) -> int:
    found = table.raw(key)
    if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
        return found
    table.complain(f"{key} = {found!r}", f"{key} = 0 或正整数")
    return 0


def _texts(table: Table, key: str, options: tuple[str, ...] = ()) -> tuple[str, ...]:
    found = table.raw(key)
    if (
        isinstance(found, list)
        and found
        and all(isinstance(item, str) and item and (not options or item in options) for item in found)
    ):
        return tuple(found)
    table.complain(f"{key} = {found!r}", f'{key} = ["…"]{"，取 " + "、".join(options) if options else ""}')
    return ()
