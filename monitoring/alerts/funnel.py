"""What became of the alerts of a time, for leaders: found, verified, confirmed, helped, resolved; and what is overdue.

Each figure is one statement over an index (`ix_alert_funnel`, `ix_alert_work`), limited to the person's places and to those
picked. Each stage holds what the one before it holds and more has happened to; the days of a stage are calendar days in the
county from the stage before. The alerts that a figure counts are listed by `behind`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Integer, String, and_, case, func, literal, or_, select, true, union_all
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.functions import GenericFunction

from monitoring.alerts.cards import AlertCard, cards
from monitoring.alerts.details import in_places, shown
from monitoring.alerts.outcomes import OUTCOMES
from monitoring.alerts.queue import escalated_before
from monitoring.people import Caller, reading
from monitoring.store import Store
from monitoring.store.schema import alert
from monitoring.working_days import CHINA, local_day

STAGES: dict[str, tuple[str, str]] = {
    "found": ("发现", "Found"),
    "verified": ("核实", "Verified"),
    "confirmed": ("确认", "Confirmed"),
    "helped": ("帮扶", "Helped"),
    "resolved": ("化解", "Resolved"),
}
FEW = 5  # of fewer alerts a median says nothing of the next one
MONTHS = {"month": 1, "year": 12}
CONFIRMING = tuple(code for code, outcome in OUTCOMES.items() if outcome.family != "none")
CORRECTING = tuple(code for code, outcome in OUTCOMES.items() if outcome.family == "exit")


class _day(GenericFunction[int]):
    """The number of a moment's or day's day in the county; differences are calendar days."""

    type = Integer()
    inherit_cache = True
    name = "county_day"


@compiles(_day, "sqlite")
def _sqlite_day(element: Any, compiler: Any, **kw: Any) -> str:
    return f"cast(julianday(date({compiler.process(element.clauses, **kw)}, '+8 hours')) as integer)"


@compiles(_day, "postgresql")
def _postgres_day(element: Any, compiler: Any, **kw: Any) -> str:
    return f"(cast({compiler.process(element.clauses, **kw)} + interval '8 hours' as date) - date '1970-01-01')"


@dataclass(frozen=True)
class Places:
    """What is picked, None where nothing is; "" is the place that is not known. `by_village`: figures are by village."""

    township: str | None = None
    village: str | None = None
    by_village: bool = False

    @property
    def column(self) -> ColumnElement[Any]:
        return alert.c.village if self.by_village else alert.c.township

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.township is not None:
            known = alert.c.township == self.township
            found.append(known if self.township else alert.c.township.is_(None))
        if self.village is not None:
            found.append(alert.c.village == self.village if self.village else alert.c.village.is_(None))
        return found


EVERYWHERE = Places()


class Step(NamedTuple):
    """One stage: how many alerts came so far, and the median days that those took from the stage before (None: too few)."""

    stage: str
    alerts: int
    median: float | None


@dataclass(frozen=True)
class Course:
    """What became of the alerts of one place. `no_need`: verified, and no help was needed. `corrected`: confirmed, and a benefit
    was ended or corrected; `unhelped`: confirmed and closed, and neither help nor a correction stands on record. `due`:
    verification was due by now or is done; `on_time` of them were verified by their day."""

    place: str | None
    steps: tuple[Step, ...]
    no_need: int
    corrected: int
    unhelped: int
    due: int
    on_time: int

    @property
    def found(self) -> int:
        return self.steps[0].alerts


@dataclass(frozen=True)
class Funnel:
    """The whole, and each place (most alerts first); `first` and `last` are the periods of the window."""

    first: str
    last: str
    whole: Course
    places: tuple[Course, ...]


class Late(NamedTuple):
    """Overdue alerts of one place: all, red ones, those that are the county's matter, those that nobody holds."""

    place: str | None
    overdue: int
    red: int
    county: int
    unheld: int


@dataclass(frozen=True)
class Now:
    """What a leader is told first of the work: alerts new in a period and in the one before, those open today that call for work, what is overdue,
    and where. `unverified`: verification is overdue today; `unverified_before`: the same at the end of the period before."""

    new: int
    new_before: int
    open: int
    late: tuple[Late, ...]
    unverified: int
    unverified_before: int

    @property
    def overdue(self) -> int:
        return sum(one.overdue for one in self.late)

    @property
    def red(self) -> int:
        return sum(one.red for one in self.late)

    @property
    def county(self) -> int:
        return sum(one.county for one in self.late)

    @property
    def unheld(self) -> int:
        return sum(one.unheld for one in self.late)


def month_before(period: str, months: int = 1) -> str:
    """2026-01 less 1 is 2025-12."""
    count = int(period[:4]) * 12 + int(period[5:7]) - 1 - months
    return f"{count // 12}-{count % 12 + 1:02d}"


def funnel(store: Store, caller: Caller, period: str, months: int, places: Places, at: datetime) -> Funnel:
    """What became, until now, of the alerts opened in the so many months that end with a period. Raises Denied, SessionOver."""
    first = month_before(period, months - 1)
    with reading(store, caller, "alert.view", at) as act:
        of = [_opened(first, period), *places.conditions(), *in_places(act.person)]
        rows = [_Row(*row) for row in act.con.execute(_courses(of, places.column, local_day(at)))]
    named = {row.place for row in rows}
    courses = [_course(place, [row for row in rows if row.place == place]) for place in named]
    ordered = sorted(courses, key=lambda course: (-course.found, course.place is None, course.place or ""))
    return Funnel(first, period, _course(None, rows), tuple(ordered))


def now(store: Store, caller: Caller, period: str, ended: date, places: Places, at: datetime) -> Now:
    """What is new in a period, and overdue today; `ended` is the last day of the period before. Raises Denied, SessionOver."""
    today = local_day(at)
    with reading(store, caller, "alert.view", at) as act:
        within = [*places.conditions(), *in_places(act.person)]
        before = month_before(period)
        opened = select(
            func.count(case((alert.c.opened_period == period, 1))), func.count(case((alert.c.opened_period == before, 1)))
        ).where(_opened(before, period), *within)  # fmt: skip
        new, new_before = act.con.execute(opened).one()
        still = select(func.count()).where(alert.c.closed_at.is_(None), _works(), *within)
        open_now = act.con.execute(still).scalar_one()
        late = select(
            places.column, func.count(), func.count(case((alert.c.level == "red", 1))),
            func.count(case((alert.c.due_date < escalated_before(today), 1))), func.count(case((alert.c.assignee.is_(None), 1))),
        ).where(*_late(today), *within).group_by(places.column)  # fmt: skip
        found = [Late(*row) for row in act.con.execute(late)]
        unverified = select(
            func.count(case((_unverified(today), 1))), func.count(case((_unverified_at(ended), 1)))
        ).where(alert.c.verify_due_date < today, _works(), *within)  # fmt: skip
        waiting, waited = act.con.execute(unverified).one()
    return Now(new, new_before, open_now, tuple(sorted(found, key=_most)), waiting, waited)


def behind(
    store: Store, caller: Caller, figure: str, period: str, months: int, places: Places, page: int, at: datetime, size: int = 50
) -> tuple[list[AlertCard], int]:  # fmt: skip
    """The alerts that one figure counts, and how many: a stage, one of ASIDE, "overdue", "red", "county", "unheld" or "unverified".
    A page past the end is empty. Raises Denied, SessionOver."""
    today = local_day(at)
    with reading(store, caller, "alert.view", at) as act:
        of = [*_counted(figure, period, months, today), *places.conditions(), *in_places(act.person)]
        total = act.con.execute(select(func.count()).select_from(alert).where(*of)).scalar_one()
        ordered = cards().where(*of).order_by(alert.c.level_order, alert.c.due_date, alert.c.id)
        return shown(act, ordered.limit(size).offset(size * (max(page, 1) - 1))), int(total)


ASIDE = ("no_need", "corrected", "unhelped")  # what ended otherwise than in help
FIGURES = (*STAGES, *ASIDE, "overdue", "red", "county", "unheld", "unverified")


def _counted(figure: str, period: str, months: int, today: date) -> list[ColumnElement[bool]]:
    """A figure's own conditions."""
    if figure in ("overdue", "red", "county", "unheld"):
        more = {
            "overdue": true(),
            "red": alert.c.level == "red",
            "county": alert.c.due_date < escalated_before(today),
            "unheld": alert.c.assignee.is_(None),
        }
        return [*_late(today), more[figure]]
    if figure == "unverified":
        return [_unverified(today), _works()]
    return [_opened(month_before(period, months - 1), period), _reached()[figure]]


def _works() -> ColumnElement[bool]:
    """What full support answers is only shown, unless somebody has begun to work on it (as in the queue)."""
    return or_(alert.c.raises_work, alert.c.status != "new")


def _opened(first: str, last: str) -> ColumnElement[bool]:
    return and_(alert.c.opened_period.between(first, last), _works())


def _late(today: date) -> list[ColumnElement[bool]]:
    return [alert.c.closed_at.is_(None), alert.c.due_date < today, _works()]


def _unverified(today: date) -> ColumnElement[bool]:
    return and_(alert.c.verify_due_date < today, alert.c.verified_at.is_(None), alert.c.closed_at.is_(None))


def _unverified_at(day: date) -> ColumnElement[bool]:
    """As `_unverified` was at the end of a day."""
    over = datetime.combine(day + timedelta(1), time(), CHINA)
    still = [or_(moment.is_(None), moment >= over) for moment in (alert.c.verified_at, alert.c.closed_at)]
    return and_(alert.c.verify_due_date <= day, alert.c.opened_on <= day, *still)


def _reached() -> dict[str, ColumnElement[bool]]:
    """Stage (or one of ASIDE) -> that an alert has come so far. Help is a measure on record: to close an alert is none."""
    verified = alert.c.verified_at.is_not(None)
    confirmed = and_(verified, alert.c.decided_at.is_not(None), alert.c.outcome.in_(CONFIRMING))
    helped = and_(confirmed, alert.c.helped_at.is_not(None))
    unhelped = and_(confirmed, alert.c.helped_at.is_(None))
    return {
        "found": true(),
        "verified": verified,
        "confirmed": confirmed,
        "helped": helped,
        "resolved": and_(helped, alert.c.closed_at.is_not(None)),
        "no_need": and_(verified, alert.c.decided_at.is_not(None), alert.c.outcome.not_in(CONFIRMING)),
        "corrected": and_(unhelped, alert.c.outcome.in_(CORRECTING)),
        "unhelped": and_(unhelped, alert.c.outcome.not_in(CORRECTING), alert.c.closed_at.is_not(None)),
    }


class _Row(NamedTuple):
    """So many alerts of a place came to a stage in so many days from the one before."""

    place: str | None
    stage: str
    days: int
    alerts: int


def _courses(of: Sequence[ColumnElement[bool]], place: ColumnElement[Any], today: date) -> Any:
    reached = _reached()
    begun = {
        "verified": (_day(alert.c.opened_on), _day(alert.c.verified_at)),
        "confirmed": (_day(alert.c.verified_at), _day(alert.c.decided_at)),
        "helped": (_day(alert.c.decided_at), _day(alert.c.helped_at)),
        "resolved": (_day(alert.c.helped_at), _day(alert.c.closed_at)),
    }
    verified_on_time = _day(alert.c.verified_at) <= _day(alert.c.verify_due_date)
    due = and_(alert.c.verify_due_date.is_not(None), or_(reached["verified"], alert.c.verify_due_date < today))
    facts = (
        select(
            place.label("place"),
            *(case((reached[stage], 1), else_=0).label(stage) for stage in (*STAGES, *ASIDE)),
            case((due, 1), else_=0).label("due"),
            case((and_(due, reached["verified"], verified_on_time), 1), else_=0).label("on_time"),
            *(_from_zero(later - earlier).label(f"{stage}_days") for stage, (earlier, later) in begun.items()),
        )
        .where(*of)
        .cte("facts")
    )
    pieces = []
    for stage in (*STAGES, *ASIDE, "due", "on_time"):
        days = facts.c[f"{stage}_days"] if stage in begun else literal(0, Integer)
        counted = select(facts.c.place, literal(stage, String), days.label("days"), func.count()).where(
            facts.c[stage] == 1
        )
        pieces.append(counted.group_by(facts.c.place, *([facts.c[f"{stage}_days"]] if stage in begun else [])))
    return union_all(*pieces)


def _from_zero(days: ColumnElement[int]) -> ColumnElement[int]:
    """Aid may come first and its papers later: no stage takes less than no time."""
    return case((days < 0, 0), else_=days)


def _course(place: str | None, rows: Sequence[_Row]) -> Course:
    def count(stage: str) -> int:
        return sum(row.alerts for row in rows if row.stage == stage)

    steps = tuple(
        Step(stage, count(stage), None if stage == "found" else median((r.days, r.alerts) for r in rows if r.stage == stage))
        for stage in STAGES
    )  # fmt: skip
    no_need, corrected, unhelped = (count(of) for of in ASIDE)
    return Course(place, steps, no_need, corrected, unhelped, count("due"), count("on_time"))


def median(counted: Iterable[tuple[int, int]], few: int = FEW) -> float | None:
    """Of (days, how many) the median; None of fewer than `few`."""
    cells = sorted(counted)
    total = sum(count for _, count in cells)
    if total < few:
        return None
    low, high = _at(cells, (total - 1) // 2), _at(cells, total // 2)
    return low if low == high else (low + high) / 2


def _at(cells: Sequence[tuple[int, int]], place: int) -> int:
    """The value at a place, counted from 0."""
    for value, count in cells:
        if place < count:
            return value
        place -= count
    raise IndexError(place)


def _most(late: Late) -> tuple[int, int, int, str]:
    return (-late.county, -late.overdue, -late.red, late.place or "")
