"""Who works on alerts, and how much each has to do: the figures beside a queue and behind a plan of visits."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, case, func, select

from monitoring.alerts import choices
from monitoring.alerts.choices import chosen
from monitoring.alerts.details import in_places
from monitoring.misses.visiting import done_by
from monitoring.people import ACTIONS, ROLES, Acting, Caller, Person, reading
from monitoring.store import Store
from monitoring.store.schema import account, account_place, alert, visit
from monitoring.working_days import local_day, working_days_between

LATELY = 5  # working days

Places = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Worker:
    """An active account that holds alerts and visits. `places` (township, village or None for all of it); None is the county."""

    account: int
    person: str
    role: str
    places: Places | None
    visits_per_week: int

    @property
    def reach(self) -> str:
        """village, township or county."""
        return ROLES[self.role].reach

    def holds(self, township: str | None, village: str | None) -> bool:
        """As `Person.holds`."""
        return Person(None, "", self.person, self.role, self.places).holds(township, village)


@dataclass(frozen=True)
class WorkerLoad:
    """`open`, `due_this_week` (until Sunday, not overdue) and `overdue` count the worker's alerts in the viewer's places;
    `visits` those done in the last LATELY working days."""

    worker: Worker
    open: int
    due_this_week: int
    overdue: int
    visits: int

    @property
    def account(self) -> int:
        return self.worker.account

    @property
    def person(self) -> str:
        return self.worker.person


def workers(store: Store, caller: Caller, at: datetime) -> list[WorkerLoad]:
    """Load per worker, the busiest first: the caller's own, and of those whose places are all the caller's. Raises Denied."""
    with reading(store, caller, "page.alerts", at) as act:
        held, done = _held(act), _visited(act.con, local_day(at))
        loads = [
            WorkerLoad(worker, *held.get(worker.account, (0, 0, 0)), visits=done.get(worker.account, 0))
            for worker in visible(act)
        ]
        return sorted(loads, key=lambda load: (-load.open, load.person, load.account))


def visible(act: Acting) -> list[Worker]:
    """The caller, and the workers all of whose places are the caller's; by account id."""
    return [worker for worker in staff(act.con) if _seen_by(act.person, worker)]


def staff(con: Connection) -> list[Worker]:
    """Every worker, by account id. One without a place of their role has none."""
    places = defaultdict[int, list[tuple[str, str | None]]](list)
    for key, township, village in con.execute(
        select(account_place.c.account_id, account_place.c.township, account_place.c.village).order_by(
            account_place.c.id
        )
    ):
        places[key].append((township, village))
    usual = visits_a_week(con)
    columns = (account.c.id, account.c.person, account.c.role, account.c.visits_per_week)
    working = account.c.role.in_(sorted(ACTIONS["alert.visit"]))
    found = con.execute(select(*columns).where(account.c.state == "active", working).order_by(account.c.id))
    return [
        Worker(key, person, role, _reach(role, places[key]), usual if visits is None else visits)
        for key, person, role, visits in found
    ]


def visits_a_week(con: Connection) -> int:
    """What a worker can visit in a week of five working days, where the account says nothing else."""
    return int(chosen(con, choices.VISITS_A_WEEK))


def _reach(role: str, places: list[tuple[str, str | None]]) -> Places | None:
    """As `monitoring.people.callers.reach`, for many accounts at once."""
    if not places and ROLES[role].reach == "county":
        return None
    return tuple(place for place in places if place[1] is not None or ROLES[role].reach != "village")


def _seen_by(person: Person, worker: Worker) -> bool:
    if person.places is None or worker.account == person.account:
        return True
    return bool(worker.places) and all(person.holds(township, village) for township, village in worker.places or ())


def _held(act: Acting) -> dict[int, tuple[int, int, int]]:
    """Account -> its open alerts, those due until Sunday, and those overdue."""
    today = local_day(act.at)
    sunday = today + timedelta(6 - today.weekday())
    week = case((alert.c.due_date.between(today, sunday), 1))
    late = case((alert.c.due_date < today, 1))
    asked = (
        select(alert.c.assignee, func.count(), func.count(week), func.count(late))
        .where(alert.c.closed_at.is_(None), alert.c.assignee.is_not(None), *in_places(act.person))
        .group_by(alert.c.assignee)
    )
    return {key: (held, due, overdue) for key, held, due, overdue in act.con.execute(asked)}


def _visited(con: Connection, today: date) -> dict[int, int]:
    first = today
    while working_days_between(first, today) < LATELY:
        first -= timedelta(1)
    asked = select(visit.c.account_id, func.count()).where(visit.c.date > first, visit.c.date <= today)
    done = Counter({key: int(count) for key, count in con.execute(asked.group_by(visit.c.account_id))})
    return done + Counter(done_by(con, first + timedelta(1), today))
