"""What the case store says beside lists that come from the warehouse: a household's open alert, and what checks have found.

Reading a list is not journalled; every statement is limited to the person's places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.sql import ColumnElement

from monitoring.access import Scope
from monitoring.alerts.cards import AlertCard, cards
from monitoring.alerts.details import in_places, shown
from monitoring.people import Caller, reading
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal, decision


def open_alerts_of(store: Store, caller: Caller, household_ids: Sequence[str], at: datetime) -> dict[str, AlertCard]:
    """Household -> its open alert, of those that have one in the person's places. Raises Denied, SessionOver."""
    with reading(store, caller, "alert.view", at) as act:
        of = [alert.c.subject == "household", alert.c.subject_key.in_(household_ids), alert.c.closed_at.is_(None)]
        found = shown(act, cards().where(*of, *in_places(act.person))) if household_ids else []
        return {card.subject_key: card for card in found}


@dataclass(frozen=True)
class Result:
    """Alerts with a signal of one group that stand alike: `outcome` is A-P or None (nothing decided yet), `went_to` what an
    ended household went to (outcomes.WENT_TO), where that was recorded."""

    group: str
    status: str
    outcome: str | None
    went_to: str | None
    alerts: int


def results_by(store: Store, caller: Caller, groups: Mapping[str, str], scope: Scope, at: datetime) -> list[Result]:
    """What has come of the alerts that have signals of some rules (rule -> group), open ones and closed ones, each counted
    once a group. `scope` is what was picked; the person's own places hold besides. Raises Denied, SessionOver."""
    with reading(store, caller, "alert.view", at) as act:
        group = case(*((alert_signal.c.rule == rule, name) for rule, name in groups.items()))
        last = (
            select(decision.c.went_to)
            .where(decision.c.alert_id == alert.c.id)
            .order_by(decision.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        # What no longer holds and nobody has decided on says nothing.
        told = or_(alert_signal.c.state != "gone", alert.c.outcome.is_not(None))
        each = (
            select(group.label("group"), alert.c.id, alert.c.status, alert.c.outcome, last.label("went_to"))
            .join_from(alert_signal, alert, alert.c.id == alert_signal.c.alert_id)
            .where(alert_signal.c.rule.in_(groups), told, *in_places(act.person), *_picked(scope))
            .distinct()
            .subquery()
        )
        columns = (each.c.group, each.c.status, each.c.outcome, each.c.went_to)
        asked = select(*columns, func.count()).group_by(*columns).order_by(*columns)
        return [Result(*row) for row in act.con.execute(asked)]


def _picked(scope: Scope) -> list[ColumnElement[bool]]:
    """The places that were picked, as conditions on `alert`."""
    conditions: list[ColumnElement[bool]] = []
    if scope.townships is not None:
        conditions.append(or_(alert.c.id < 0, *(_is(alert.c.township, name) for name in scope.townships)))
    if scope.villages is not None:
        of = (and_(_is(alert.c.township, town), _is(alert.c.village, village)) for town, village in scope.villages)
        conditions.append(or_(alert.c.id < 0, *of))
    return conditions


def _is(column: ColumnElement[str | None], name: str | None) -> ColumnElement[bool]:
    return column.is_(None) if name is None else column == name
