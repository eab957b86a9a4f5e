"""The queue: which alerts wait for whom, in which order, and what everyone is told on the first screen.

Every statement is limited to the person's places in SQL. Reading a list is not journalled; opening one alert is
(`monitoring.alerts.details`). The order: emergencies; what is overdue, the county's matters before the townships'; then what
can be done now before what waits for a day or a department; then by rank.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, false, func, or_, select, true, tuple_
from sqlalchemy.sql import ColumnElement

from monitoring.alerts.cards import ESCALATED_AFTER, AlertCard, cards
from monitoring.alerts.details import (
    AlertSignal,
    alert_card,
    history,
    in_places,
    open_alert,
    open_alert_of,
    shown,
    signals,
)
from monitoring.alerts.workers import Worker, WorkerLoad, workers
from monitoring.people import Acting, Caller, Person, reading
from monitoring.people.roles import ROLES
from monitoring.store import Store
from monitoring.store.schema import alert
from monitoring.working_days import local_day, working_days_between

__all__ = [
    "ALL", "ESCALATION", "TABS", "UNKNOWN_PLACE", "AlertSignal", "FirstScreen", "Overdue", "QueuePage", "Wanted", "Worker",
    "WorkerLoad", "alert_card", "counts", "history", "next_alert", "open_alert", "open_alert_of", "queue_page", "signals", "workers",
]  # fmt: skip

TABS: dict[str, tuple[str, str]] = {
    "mine": ("我的", "Mine"),
    "unassigned": ("待分派", "Unassigned"),
    "today": ("今日到期", "Due today"),
    "overdue": ("逾期", "Overdue"),
    "returned": ("退回", "Sent back"),
    "waiting": ("等部门答复", "Waiting for a department"),
    "emergency": ("急难", "Emergency"),
    "offers": ("情形已消除", "No longer holds"),
    "all": ("全部未办结", "All open"),
    "closed": ("近90天办结", "Closed in 90 days"),
}
ESCALATION: dict[int, tuple[str, str]] = {
    0: ("未逾期", "In time"),
    1: ("逾期，乡镇督办", "Overdue: with the township"),
    2: ("逾期较久，县级督办", "Long overdue: with the county"),
}
CLOSED_DAYS = 90  # the tab of closed alerts; older ones stand in the household's history
UNKNOWN_PLACE = ""  # as a wanted township: the alerts whose place is not known
_PARKED = ("following", "referred")  # they wait for a day or a department


@dataclass(frozen=True)
class Wanted:
    """What is asked for; what is empty is no condition. `text`: names, a village, a household's number, or four characters
    and more of a number, of which only the last four count (no more of it is kept). `assignee` is an account's id."""

    levels: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    rule: str = ""
    text: str = ""
    township: str | None = None
    village: str | None = None
    statuses: tuple[str, ...] = ()
    assignee: int | None = None
    emergency: bool = False
    department: str = ""


ALL = Wanted()


@dataclass(frozen=True)
class QueuePage:
    """One page of one tab; `counts` by tab under the same wishes, `total` of this one. `page` counts from 1."""

    rows: list[AlertCard]
    total: int
    counts: dict[str, int]
    page: int
    pages: int


@dataclass(frozen=True)
class Overdue:
    """One township (for the county) or village (for a township): overdue alerts, and those that are the county's matter."""

    place: str | None
    overdue: int
    county: int


@dataclass(frozen=True)
class FirstScreen:
    """What a person is told first. `tier` is village, township or county; `told` counts the overdue that have reached it.

    A village and a township are told of every overdue alert of theirs, the county of those overdue for more than
    ESCALATED_AFTER working days; `overdue` and `county` count both. `where` says where they are, the most first.
    """

    tier: str
    tabs: dict[str, int]
    told: int
    overdue: int
    county: int
    where: list[Overdue]


def queue_page(
    store: Store, caller: Caller, tab: str, wanted: Wanted, page: int, at: datetime, size: int = 50
) -> QueuePage:
    """A page of a tab: one statement counts. A page past the end is the last one. Raises Denied, SessionOver."""
    with reading(store, caller, "page.alerts", at) as act:
        tabs = _Tabs(act.person, local_day(at), at)
        counts = _counted(act, tabs, _wishes(wanted))
        pages = max(1, -(-counts[tab] // size))
        page = min(max(page, 1), pages)
        rows = _fetched(act, tabs, tab, _wishes(wanted), size, (page - 1) * size)
        return QueuePage(rows, counts[tab], counts, page, pages)


def counts(store: Store, caller: Caller, at: datetime) -> FirstScreen:
    """The tabs' counts and the overdue alerts for anybody's first screen."""
    with reading(store, caller, "alert.view", at) as act:
        tabs = _Tabs(act.person, local_day(at), at)
        tier = ROLES[act.person.role].reach if act.person.places is not None else "county"
        where = _overdue_by(act, tabs, alert.c.township if tier == "county" else alert.c.village)
        late, county = sum(place.overdue for place in where), sum(place.county for place in where)
        told = county if tier == "county" else late
        return FirstScreen(tier, _counted(act, tabs, []), told, late, county, where)


def next_alert(
    store: Store, caller: Caller, tab: str, wanted: Wanted, after: AlertCard | None, at: datetime
) -> AlertCard | None:
    """The alert of a tab that follows one in the queue's order, as that one stood when it was opened; the tab's first at the
    end and where `after` is None. None where there is no other."""
    with reading(store, caller, "page.alerts", at) as act:
        tabs = _Tabs(act.person, local_day(at), at)
        wishes = _wishes(wanted)
        others = [] if after is None else [alert.c.id != after.id]
        behind = [] if after is None else [tabs.behind(tab, after)]
        found = _fetched(act, tabs, tab, [*wishes, *others, *behind], 1)
        if not found and behind:
            found = _fetched(act, tabs, tab, [*wishes, *others], 1)
        return found[0] if found else None


def escalated_before(today: date) -> date:
    """What was due before this day is overdue for more than ESCALATED_AFTER working days: the county's matter."""
    day = today
    while working_days_between(day, today) <= ESCALATED_AFTER:
        day -= timedelta(1)
    return day + timedelta(1)


class _Tabs:
    """The tabs and the queue's order as conditions, for one person on one day."""

    def __init__(self, person: Person, today: date, at: datetime) -> None:
        self.places, self.escalated, self.today = in_places(person), escalated_before(today), today
        # What full support answers is only shown, unless somebody has begun to work on it.
        works = or_(alert.c.raises_work, alert.c.status != "new")
        mine = alert.c.assignee == person.account if person.account is not None else false()
        self.late = and_(alert.c.due_date < today, works)
        self.county = and_(alert.c.due_date < self.escalated, works)
        self.open: dict[str, ColumnElement[bool]] = {
            "mine": and_(mine, alert.c.status != "referred"),
            "unassigned": and_(alert.c.assignee.is_(None), alert.c.status.in_(("new", "returned")), works),
            "today": and_(alert.c.due_date == today, works),
            "overdue": self.late,
            "returned": alert.c.status == "returned",
            "waiting": alert.c.status == "referred",
            "emergency": alert.c.emergency.is_(True),
            "offers": alert.c.offers_closing.is_(True),
            "all": true(),
        }
        self.closed = alert.c.closed_at >= at - timedelta(CLOSED_DAYS)
        overdue = case((alert.c.due_date < self.escalated, 0), (alert.c.due_date < today, 1), else_=2)
        parked = case((and_(alert.c.status.in_(_PARKED), alert.c.due_date > today), 1), else_=0)
        self.position = (case((alert.c.emergency, 0), else_=1), overdue, parked, -alert.c.rank, alert.c.id)

    def of(self, tab: str) -> list[ColumnElement[bool]]:
        if tab == "closed":
            return [self.closed, *self.places]
        return [alert.c.closed_at.is_(None), self.open[tab], *self.places]

    def order(self, tab: str) -> list[ColumnElement[Any]]:
        return [alert.c.closed_at.desc(), alert.c.id.desc()] if tab == "closed" else list(self.position)

    def behind(self, tab: str, after: AlertCard) -> ColumnElement[bool]:
        """Follows `after` in the order, as its card was on the day."""
        if tab == "closed":
            same = and_(alert.c.closed_at == after.closed_at, alert.c.id < after.id)
            return or_(alert.c.closed_at < after.closed_at, same)
        overdue = 2 if after.due_date is None or after.due_date >= self.today else int(after.due_date >= self.escalated)
        parked = after.status in _PARKED and after.due_date is not None and after.due_date > self.today
        stood = (0 if after.emergency else 1, overdue, int(parked), -after.rank, after.id)
        return tuple_(*self.position) > tuple_(*stood)


def _counted(act: Acting, tabs: _Tabs, wishes: list[ColumnElement[bool]]) -> dict[str, int]:
    """Every tab's count, in one statement."""
    sums = [func.count(case((kept, 1))).label(tab) for tab, kept in tabs.open.items()]
    closed = select(func.count()).where(*tabs.of("closed"), *wishes).select_from(alert).correlate(None)
    asked = select(*sums, closed.scalar_subquery().label("closed")).where(
        alert.c.closed_at.is_(None), *tabs.places, *wishes
    )
    return {tab: int(count) for tab, count in act.con.execute(asked).mappings().one().items()}


def _fetched(
    act: Acting, tabs: _Tabs, tab: str, wishes: list[ColumnElement[bool]], size: int, offset: int = 0
) -> list[AlertCard]:
    """One page. Its ids are found in the index alone, then only their rows are read: as one statement, PostgreSQL may decide
    to read all rows."""
    found = select(alert.c.id).where(*tabs.of(tab), *wishes).order_by(*tabs.order(tab)).limit(size).offset(offset)
    ids = act.con.execute(found).scalars().all()
    rows = {row.id: row for row in shown(act, cards().where(alert.c.id.in_(ids)))} if ids else {}
    return [rows[key] for key in ids]


def _overdue_by(act: Acting, tabs: _Tabs, place: ColumnElement[Any]) -> list[Overdue]:
    late, county = func.count(), func.sum(case((tabs.county, 1), else_=0))
    asked = select(place, late, county).where(alert.c.closed_at.is_(None), tabs.late, *tabs.places).group_by(place)
    found = [Overdue(*row) for row in act.con.execute(asked)]
    return sorted(found, key=lambda row: (-row.county, -row.overdue, row.place or ""))


def _wishes(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.levels:
        conditions.append(alert.c.level.in_(wanted.levels))
    if wanted.kinds:
        conditions.append(or_(*(_holds(alert.c.kinds, kind) for kind in wanted.kinds)))
    if wanted.rule:
        conditions.append(_holds(alert.c.rules, wanted.rule))
    if wanted.department:
        asked = alert.c.waiting_for == wanted.department
        conditions.append(or_(_holds(alert.c.departments, wanted.department), asked))
    if wanted.township is not None:
        known = alert.c.township == wanted.township
        conditions.append(alert.c.township.is_(None) if wanted.township == UNKNOWN_PLACE else known)
    if wanted.village is not None:
        conditions.append(alert.c.village == wanted.village)
    if wanted.statuses:
        conditions.append(alert.c.status.in_(wanted.statuses))
    if wanted.assignee is not None:
        conditions.append(alert.c.assignee == wanted.assignee)
    if wanted.emergency:
        conditions.append(alert.c.emergency.is_(True))
    return [*conditions, *_searched(wanted.text)]


def _holds(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """The word is one of a column's blank-separated words."""
    return (" " + column + " ").contains(f" {word} ", autoescape=True)


def _searched(text: str) -> Iterator[ColumnElement[bool]]:
    """Each word must be found. Of a number the last four characters are looked for, or it is a household's."""
    for word in text.split():
        number = len(word) >= 4 and word[:-1].isdigit() and (word[-1].isdigit() or word[-1] in "Xx")
        found = alert.c.find.contains(word[-4:].upper() if number else word, autoescape=True)
        # A household without a registry number is not found by its key, which is made from an identity number.
        yield found if word.startswith("U-") else or_(found, alert.c.household_id == word)
