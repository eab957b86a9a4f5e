"""Which departments are late: what was handed in, month by month, held against the day on which it was due.

The day and how often each source is asked for are `data/policy/deliveries.toml`'s, or the county's own. On which day a file
came nobody writes down (a run knows its period only), so that nothing is said of whether what came was early or late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from monitoring.labels import feed_titles
from monitoring.queries import sources
from monitoring.strict_toml import Span, Table, version_in_force
from monitoring.warehouse import Warehouse

SHIPPED = Path(__file__).parents[2] / "data" / "policy" / "deliveries.toml"
HERE, WAITING, LATE, NOT_ASKED = "here", "waiting", "late", "not_asked"


@dataclass(frozen=True)
class Deliveries:
    """One dated version: the day of the following month by which a period's files are due, and every how many months each
    source is asked for (0: only when there is something)."""

    span: Span
    due_day: int
    due_clause: str
    every: int
    every_clause: str
    of_feed: Mapping[str, tuple[int, str]]

    def asked(self, feed: str) -> int:
        return self.of_feed.get(feed, (self.every, ""))[0]

    def due(self, month: int) -> date:
        """The day by which the files of a month (yyyymm) are due."""
        year, of_year = divmod(month, 100)
        return date(year + of_year // 12, of_year % 12 + 1, self.due_day)


@dataclass(frozen=True)
class Cell:
    """A source and month: HERE with its rows; LATE by so many days; WAITING until `due`; NOT_ASKED (an earlier one still counts)."""

    state: str
    due: date
    rows: int = 0
    days: int = 0


@dataclass(frozen=True)
class Late:
    """A department with what it owes for the shown period: sources by name of feed, and the days since the earliest was due."""

    department: str
    feeds: tuple[str, ...]
    days: int


@dataclass(frozen=True)
class Standing:
    """How the sources of a run's period stand on a day, each in one state; `month` is the period (yyyymm)."""

    month: int
    months: tuple[int, ...]
    setting: Deliveries
    cells: Mapping[tuple[str, int], Cell]

    def of(self, state: str) -> list[str]:
        """The sources that stand so, by name."""
        return sorted(feed for (feed, month), cell in self.cells.items() if month == self.month and cell.state == state)

    @property
    def asked(self) -> int:
        """How many are asked for in the period, or came unasked."""
        return sum(len(self.of(state)) for state in (HERE, WAITING, LATE))

    @property
    def here(self) -> int:
        return len(self.of(HERE))


def standing(
    warehouse: Warehouse, today: date, months: int = 1, ask: Callable[[Callable[[Warehouse], Any]], Any] | None = None
) -> Standing:
    """The sources of a published run as they stand today, in its last `months` months of deliveries, by the county's own setting
    where its home has one. `ask`: how a question of the run is answered by somebody who remembers. Raises PolicyError where the
    setting can't be used."""
    ask = ask or (lambda question: question(warehouse))
    told = warehouse.row("select as_of from run")
    setting = load_deliveries(warehouse.path.parents[1], told["as_of"])
    feeds, came, now = ask(sources.feeds)["feed"].to_list(), ask(sources.freshness), ask(sources.month_shown)
    shown = sorted({*came["delivered"].to_list(), now})
    rows = {(row["feed"], row["delivered"]): row["rows"] for row in came.to_dicts()}
    until = shown[: shown.index(now) + 1][-months:]
    return Standing(now, tuple(until), setting, cells(setting, feeds, until, rows, today))


def load_deliveries(home: Path | None, as_of: date) -> Deliveries:
    """The version in force. Raises PolicyError with every complaint, also where no version holds on that day."""
    return version_in_force(home, SHIPPED, as_of, lambda table, _sha256: _version(table))


def cells(
    setting: Deliveries, feeds: Iterable[str], months: Sequence[int], came: Mapping[tuple[str, int], int], today: date
) -> dict[tuple[str, int], Cell]:
    """Every source in every month (yyyymm): `came` has the rows of what was handed in."""
    return {(feed, month): _cell(setting, feed, month, came, today) for feed in feeds for month in months}


def late_departments(found: Mapping[tuple[str, int], Cell], month: int, departments: Mapping[str, str]) -> list[Late]:
    """Who owes something for a month, whoever owes it longest first."""
    owed: dict[str, list[tuple[str, int]]] = {}
    for (feed, of), cell in found.items():
        if of == month and cell.state == LATE:
            owed.setdefault(departments.get(feed, ""), []).append((feed, cell.days))
    late = [Late(name, tuple(sorted(f for f, _ in of)), max(days for _, days in of)) for name, of in owed.items()]
    return sorted(late, key=lambda one: (-one.days, -len(one.feeds), one.department))


def _cell(setting: Deliveries, feed: str, month: int, came: Mapping[tuple[str, int], int], today: date) -> Cell:
    due = setting.due(month)
    if (feed, month) in came:
        return Cell(HERE, due, came[feed, month])
    every = setting.asked(feed)
    still_counts = any((feed, _before(month, back)) in came for back in range(1, every))
    if every == 0 or still_counts:
        return Cell(NOT_ASKED, due)
    if today <= due:
        return Cell(WAITING, due)
    return Cell(LATE, due, days=(today - due).days)


def _before(month: int, back: int) -> int:
    count = month // 100 * 12 + month % 100 - 1 - back
    return count // 12 * 100 + count % 12 + 1


def _version(table: Table) -> Deliveries:
    due_day, due_clause = _whole(table, "due_day", 1, 28), table.text("due_clause")
    every, every_clause = _whole(table, "every", 0, 24), table.text("every_clause")
    of_feed: dict[str, tuple[int, str]] = {}
    for each in table.tables("feed", required=False):
        asked, clause = _whole(each, "every", 0, 24), each.text("clause")
        for name in _feeds(each):
            if name in of_feed:
                each.complain(f"数据源 {name} 写了两次", "每个数据源只写一次")
            of_feed[name] = (asked, clause)
        each.close()
    found = Deliveries(table.span(), due_day, due_clause, every, every_clause, of_feed)
    table.close()
    return found


def _whole(table: Table, key: str, least: int, most: int) -> int:
    found: Any = table.raw(key)
    if isinstance(found, int) and not isinstance(found, bool) and least <= found <= most:
        return found
    table.complain(f"{key} = {found!r}", f"{key} = {least} 到 {most} 的整数")
    return least


def _feeds(table: Table) -> list[str]:
    found: Any = table.raw("feeds")
    if isinstance(found, list) and found and all(isinstance(name, str) for name in found):
        known = feed_titles()
        for name in found:
            if name not in known:
                table.complain(f"没有数据源 {name}", f"feeds 取 {'、'.join(sorted(known))}")
        return found
    table.complain(f"feeds = {found!r}", 'feeds = ["registry", …]')
    return []
