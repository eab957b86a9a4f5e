"""What the next visits are expected to find, by what visits found before.

An alert's chance is the share of past visits that confirmed an alert among those with the same most urgent rule and level,
drawn towards its kind's share, and that towards the county's. As Beta priors: the county's is uniform, a kind's is worth
PRIOR visits at the county's share, a rule's PRIOR visits at its kind's. A rule without visits has its kind's share; without
any past visit at all the answer is unknown, never a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, Subquery, case, func, select
from sqlalchemy.sql import ColumnElement

from monitoring.alerts.details import in_places
from monitoring.people import Caller, reading
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal, visit
from monitoring.working_days import local_day

NEXT = 10  # visits whose finds are told on the queue
PRIOR = 10
PAST_DAYS = 365


class Sign(NamedTuple):
    """An alert's most urgent signal, in so far as its chance depends on it."""

    kind: str
    rule: str
    level: str


class Past(NamedTuple):
    """Visits to alerts of one sign, and how many of them confirmed the alert."""

    sign: Sign
    visits: int
    confirmed: int


@dataclass(frozen=True)
class Expected:
    """`found` of `visits` are expected to confirm their alert, by `past` visits; None is unknown: there were none."""

    visits: int
    found: float | None
    past: int


def expected_finds(store: Store, caller: Caller, alert_ids: Sequence[int], at: datetime) -> Expected:
    """What a visit to each of these alerts is expected to find, by the county's visits of the last PAST_DAYS days.

    Alerts that are not in the caller's places are left out. Raises Denied.
    """
    with reading(store, caller, "page.alerts", at) as act:
        today = local_day(at)
        mine = select(alert.c.id).where(alert.c.id.in_(alert_ids), *in_places(act.person))
        known = list(act.con.execute(mine).scalars())
        past = _past(act.con, visit.c.date.between(today - timedelta(PAST_DAYS), today))
        return expected([_signs(act.con, known).get(key) for key in known], past)


def expected(signs: Sequence[Sign | None], past: Iterable[Past]) -> Expected:
    """Pure. A sign of None (an alert without signals: a clue) has the county's share."""
    cells = sorted(past)
    visits = sum(cell.visits for cell in cells)
    if not visits:
        return Expected(len(signs), None, 0)
    return Expected(len(signs), sum(chance(sign, cells) for sign in signs), visits)


def chance(sign: Sign | None, past: Sequence[Past]) -> float:
    """The posterior mean of a visit's confirming an alert of this sign."""
    county = _share(past, prior=2, at=0.5)
    if sign is None:
        return county
    of_kind = [cell for cell in past if cell.sign.kind == sign.kind]
    return _share([cell for cell in of_kind if cell.sign == sign], PRIOR, _share(of_kind, PRIOR, county))


def _share(past: Sequence[Past], prior: int, at: float) -> float:
    visits, confirmed = sum(cell.visits for cell in past), sum(cell.confirmed for cell in past)
    return (confirmed + prior * at) / (visits + prior)


def _past(con: Connection, within: ColumnElement[bool]) -> list[Past]:
    """The visits of some days by sign; those to alerts without signals count for the county's share only."""
    first = _first(alert_signal.c.alert_id.in_(select(visit.c.alert_id).where(within)))
    sign = (first.c.kind, first.c.rule, first.c.level)
    confirmed = func.count(case((visit.c.finding == "confirmed", 1)))
    asked = (
        select(*sign, func.count(), confirmed)
        .join_from(visit, first, first.c.alert_id == visit.c.alert_id, isouter=True)
        .where(within)
        .group_by(*sign)
    )
    return [
        Past(Sign(kind or "", rule or "", level or ""), visits, found)
        for kind, rule, level, visits, found in con.execute(asked)
    ]


def _signs(con: Connection, alert_ids: Sequence[int]) -> dict[int, Sign]:
    found = con.execute(select(_first(alert_signal.c.alert_id.in_(alert_ids))))
    return {row.alert_id: Sign(row.kind, row.rule, row.level) for row in found}


def _first(of: ColumnElement[bool]) -> Subquery:
    """The most urgent signal that each of some alerts ever held: alert_id, kind, rule, level."""
    order = (alert_signal.c.level_order, alert_signal.c.rule, alert_signal.c.id)
    columns = (alert_signal.c.alert_id, alert_signal.c.kind, alert_signal.c.rule, alert_signal.c.level)
    place = func.row_number().over(partition_by=alert_signal.c.alert_id, order_by=order).label("place")
    ranked = select(*columns, place).where(of).subquery()
    return select(ranked).where(ranked.c.place == 1).subquery()
