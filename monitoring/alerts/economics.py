"""What became of the alerts that each rule opened or joined: verified, helped, no difficulty, visits, confirmed (`confirmed`).

An alert counts once for every rule that ever stood in it, under the period in which that rule first did, so that a rule's
versions and townships add up to the rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.sql import ColumnElement

from monitoring.access import Scope
from monitoring.alerts.confirmed import CONFIRMED, DECIDED, Confirmed
from monitoring.people.callers import Acting, Caller, reading
from monitoring.periods import picked
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal, visit
from monitoring.working_days import local_day

ACTION = "page.economics"
COUNTS = ("alerts", "verified", "decided", "confirmed", "no_difficulty", "helped", "visits", "alone_decided", "alone_confirmed")  # fmt: skip
CAME_OF = {"rule": pl.String, "period": pl.String, "township": pl.String, "village": pl.String} | dict.fromkeys(
    COUNTS, pl.Int64
)
DOOR = {
    "household_id": pl.String, "period": pl.String, "confirmed": pl.Boolean, "township": pl.String, "village": pl.String,
}  # fmt: skip


def came_of(store: Store, caller: Caller, scope: Scope, at: datetime) -> pl.DataFrame:
    """One row a rule, period of its first signal in the alert, township and village, with COUNTS, within the caller's places
    and those picked. `alone_*`: of alerts in which no other rule ever stood. Raises Denied or SessionOver."""
    with reading(store, caller, ACTION, at) as act:
        first = (
            select(alert_signal.c.alert_id, alert_signal.c.rule, func.min(alert_signal.c.first_period).label("period"))
            .group_by(alert_signal.c.alert_id, alert_signal.c.rule)
            .subquery()
        )
        rules = (
            select(alert_signal.c.alert_id, func.count(alert_signal.c.rule.distinct()).label("rules"))
            .group_by(alert_signal.c.alert_id)
            .subquery()
        )
        visits = select(visit.c.alert_id, func.count().label("visits")).group_by(visit.c.alert_id).subquery()
        alone = rules.c.rules == 1
        asked = (
            select(
                first.c.rule, first.c.period, alert.c.township, alert.c.village, func.count().label("alerts"),
                _of(alert.c.verified_at.is_not(None), "verified"), _of(DECIDED, "decided"), _of(CONFIRMED, "confirmed"),
                _of(alert.c.outcome == "L", "no_difficulty"), _of(alert.c.helped_at.is_not(None), "helped"),
                func.coalesce(func.sum(visits.c.visits), 0).label("visits"),
                _of(and_(alone, DECIDED), "alone_decided"), _of(and_(alone, CONFIRMED), "alone_confirmed"),
            )
            .select_from(first)
            .join(alert, alert.c.id == first.c.alert_id)
            .join(rules, rules.c.alert_id == first.c.alert_id)
            .outerjoin(visits, visits.c.alert_id == first.c.alert_id)
            .group_by(first.c.rule, first.c.period, alert.c.township, alert.c.village)
        )  # fmt: skip
        rows = [tuple(row) for row in act.con.execute(_limited(asked, act))]
    return picked(pl.DataFrame(rows, schema=CAME_OF, orient="row"), scope)


@dataclass(frozen=True)
class Worked:
    """All alerts, each once: how many were verified and helped, how often somebody went, and how many were as they said."""

    alerts: int
    verified: int
    helped: int
    visits: int
    found: Confirmed

    @property
    def visits_each(self) -> float | None:
        """Visits for one alert that was verified; None where none was."""
        return self.visits / self.verified if self.verified else None


def worked(store: Store, caller: Caller, scope: Scope, at: datetime) -> Worked:
    """Within the caller's places and those picked. Raises Denied or SessionOver."""
    with reading(store, caller, ACTION, at) as act:
        visits = select(visit.c.alert_id, func.count().label("visits")).group_by(visit.c.alert_id).subquery()
        asked = (
            select(
                alert.c.township, alert.c.village, func.count(), _of(alert.c.verified_at.is_not(None), "verified"),
                _of(alert.c.helped_at.is_not(None), "helped"), func.coalesce(func.sum(visits.c.visits), 0).label("visits"),
                _of(DECIDED, "decided"), _of(CONFIRMED, "confirmed"),
            )
            .outerjoin(visits, visits.c.alert_id == alert.c.id)
            .group_by(alert.c.township, alert.c.village)
        )  # fmt: skip
        rows = [tuple(row) for row in act.con.execute(_limited(asked, act))]
    names = ("alerts", "verified", "helped", "visits", "decided", "confirmed")
    schema = {"township": pl.String, "village": pl.String} | dict.fromkeys(names, pl.Int64)
    found = picked(pl.DataFrame(rows, schema=schema, orient="row"), scope)
    counts = {name: int(found[name].sum()) for name in names}
    confirmed = Confirmed.of(counts.pop("decided"), counts.pop("confirmed"))
    return Worked(**counts, found=confirmed)


def door(store: Store, caller: Caller, scope: Scope, at: datetime) -> pl.DataFrame:
    """One row a decided alert of a household: household_id, period (month of the decision), confirmed; within the caller's
    places and those picked. What replays and shadows are held against. Raises Denied or SessionOver."""
    with reading(store, caller, ACTION, at) as act:
        asked = select(
            alert.c.household_id, alert.c.decided_at, case((CONFIRMED, 1), else_=0), alert.c.township, alert.c.village
        ).where(DECIDED, alert.c.household_id.is_not(None), alert.c.decided_at.is_not(None))
        rows = [
            (household, f"{local_day(decided):%Y-%m}", bool(yes), township, village)
            for household, decided, yes, township, village in act.con.execute(_limited(asked, act))
        ]
    return picked(pl.DataFrame(rows, schema=DOOR, orient="row"), scope).sort("household_id", "period")


def cases(store: Store, caller: Caller, at: datetime) -> tuple[tuple[str, str], ...]:
    """(household, month) of every visit within the caller's places that confirmed a need, in order. The label's definition
    (`forecast.history.confirmed_cases`), for one who asks on a page. Raises Denied or SessionOver."""
    with reading(store, caller, ACTION, at) as act:
        asked = (
            select(alert.c.household_id, visit.c.date)
            .join_from(visit, alert, alert.c.id == visit.c.alert_id)
            .where(visit.c.finding == "confirmed", alert.c.household_id.is_not(None))
        )
        return tuple(sorted({(home, f"{day:%Y-%m}") for home, day in act.con.execute(_limited(asked, act))}))


def _of(condition: ColumnElement[bool], name: str) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0)).label(name)


def _limited(asked: Select[Any], act: Acting) -> Select[Any]:
    limit = act.person.limit(alert.c.township, alert.c.village)
    return asked if limit is None else asked.where(limit)
