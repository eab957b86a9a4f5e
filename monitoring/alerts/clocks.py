"""The milestones of alerts: when it happened, when its data came, the alert, the visit, the decision, the help.

What happened is the latest dated fact, known by the alert's period, among the inputs of the rules with which the alert was
opened; its data came at the end of the month whose delivery brought the row, or on the day on which that delivery was taken
in where this was earlier. For a clue that somebody typed it is the day of the call, and the day on which it was typed.
"""

from __future__ import annotations

import calendar
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Date, func, select

from monitoring.access import Scope
from monitoring.alerts.details import in_places
from monitoring.alerts.reporting import EVERYWHERE, picked_places
from monitoring.clocks import ORDER
from monitoring.labels import feed_departments
from monitoring.people import Caller, reading
from monitoring.queries.happenings import feeds_of_rules, happened
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal, clue, measure, taken_in, visit
from monitoring.warehouse import Warehouse
from monitoring.working_days import local_day

SCHEMA: dict[str, Any] = {
    "alert_id": pl.Int64, "household_key": pl.Int64, "household_id": pl.String, "township": pl.String, "village": pl.String,
    "feed": pl.String, "department": pl.String, **dict.fromkeys(ORDER, pl.Date),
}  # fmt: skip
_TYPED = "主动发现"  # whose work a typed clue is: no department's data


def clocks(
    store: Store, caller: Caller, warehouse: Warehouse, at: datetime, *, household_id: str | None = None, helped: bool = True,
    picked: Scope = EVERYWHERE,
) -> pl.DataFrame:  # fmt: skip
    """One row is a household's alert with its milestones (None: not known, or not yet), the latest first; `feed` and
    `department` say where the fact came from (None: no fact found). Only helped ones unless `helped` is False.

    Raises Denied or SessionOver.
    """
    with reading(store, caller, "alert.view", at) as act:
        done = (
            select(measure.c.alert_id, func.min(measure.c.start, type_=Date).label("start"))
            .group_by(measure.c.alert_id)
            .subquery()
        )
        seen = (
            select(visit.c.alert_id, func.min(visit.c.date, type_=Date).label("day"))
            .group_by(visit.c.alert_id)
            .subquery()
        )
        wanted = [alert.c.subject == "household", *in_places(act.person), *picked_places(picked)]
        if household_id is not None:
            wanted.append(alert.c.household_id == household_id)
        if helped:
            wanted.append(alert.c.helped_at.is_not(None))
        columns = (
            "household_id",
            "township",
            "village",
            "opened_on",
            "opened_period",
            "decided_at",
            "helped_at",
            "origin",
        )
        asked = (
            select(alert.c.id, *(alert.c[name] for name in columns), done.c.start, seen.c.day)
            .join(done, done.c.alert_id == alert.c.id, isouter=True)
            .join(seen, seen.c.alert_id == alert.c.id, isouter=True)
            .where(*wanted)
        )
        rows = act.con.execute(asked).all()
        ids = select(alert.c.id).where(*wanted)
        signals = select(alert_signal.c.alert_id, alert_signal.c.rule).where(
            alert_signal.c.alert_id.in_(ids), alert_signal.c.episode >= 1, alert_signal.c.first_period <= _opened_with()
        ).join(alert, alert.c.id == alert_signal.c.alert_id)  # fmt: skip
        rules = act.con.execute(signals.distinct()).all()
        heard = act.con.execute(select(clue.c.alert_id, clue.c.received_on, clue.c.at, clue.c.number).where(clue.c.alert_id.in_(ids)).order_by(clue.c.received_on.desc(), clue.c.id)).all()  # fmt: skip
        taken = act.con.execute(
            select(taken_in.c.period, func.min(taken_in.c.at).label("at")).group_by(taken_in.c.period)
        ).all()
        scope = Scope(picked.townships, picked.villages, allowed=act.person.places)
    alerts = pl.DataFrame(
        {
            "alert_id": [row.id for row in rows], "household_id": [row.household_id for row in rows],
            "township": [row.township for row in rows], "village": [row.village for row in rows],
            "alert": [row.opened_on for row in rows], "period": [int(row.opened_period.replace("-", "")) for row in rows],
            "visit": [row.day for row in rows], "decision": [_day(row.decided_at) for row in rows],
            "help": [row.start or _day(row.helped_at) for row in rows], "origin": [row.origin for row in rows],
        },
        schema={"alert_id": pl.Int64, "household_id": pl.String, "township": pl.String, "village": pl.String, "alert": pl.Date,
                "period": pl.Int64, "visit": pl.Date, "decision": pl.Date, "help": pl.Date, "origin": pl.String},
    )  # fmt: skip
    typed = pl.DataFrame(
        {"alert_id": [row.alert_id for row in heard if not row.number], "typed_on": [row.received_on for row in heard if not row.number],
         "typed_at": [local_day(row.at) for row in heard if not row.number]},
        schema={"alert_id": pl.Int64, "typed_on": pl.Date, "typed_at": pl.Date},
    ).unique("alert_id", keep="first", maintain_order=True)  # fmt: skip
    facts = _facts(warehouse, scope, alerts, [(row.alert_id, row.rule) for row in rules])
    days = {int(row.period.replace("-", "")): local_day(row.at) for row in taken}
    return _joined(alerts, facts, typed, days)


def _opened_with() -> Any:
    return alert.c.opened_period


def _facts(warehouse: Warehouse, scope: Scope, alerts: pl.DataFrame, rules: list[tuple[int, str]]) -> pl.DataFrame:
    """alert_id, feed, event, delivered (yyyymm): of each alert the latest happening among the inputs of its rules."""
    of_rules = feeds_of_rules(warehouse, scope)
    pairs = [(key, feed) for key, rule in rules for feed in of_rules.get(rule, ())]
    wanted = pl.DataFrame(pairs, schema={"alert_id": pl.Int64, "feed": pl.String}, orient="row").unique()
    households = tuple(sorted(alerts["household_id"].drop_nulls().unique().to_list()))
    found = alerts.select("alert_id", "household_id", "alert", "period").join(wanted, on="alert_id")
    found = found.join(happened(warehouse, scope, households), on=["household_id", "feed"])
    known = (pl.col("happened") <= pl.col("alert")) & (pl.col("delivered") <= pl.col("period")).fill_null(True)
    latest = found.filter(known).sort("alert_id", "happened", "feed", descending=[False, True, False])
    return latest.unique("alert_id", keep="first", maintain_order=True).select(
        "alert_id", "feed", pl.col("happened").alias("event"), "delivered", "household_key"
    )


def _joined(alerts: pl.DataFrame, facts: pl.DataFrame, typed: pl.DataFrame, taken: dict[int, date]) -> pl.DataFrame:
    ends = {period: _delivered_on(period, taken) for period in facts["delivered"].drop_nulls().unique().to_list()}
    came = (
        pl.col("delivered").replace_strict(ends, default=None, return_dtype=pl.Date) if ends else pl.lit(None, pl.Date)
    )
    dated = facts.with_columns(delivered=came)
    told = alerts.join(dated, on="alert_id", how="left").join(typed, on="alert_id", how="left")
    by_clue = (pl.col("origin") == "clue") & pl.col("typed_on").is_not_null()
    # The alert cannot be earlier than its data: a month that is not over is counted to the day of the alert.
    delivered = pl.when(pl.col("delivered").is_not_null()).then(pl.min_horizontal("delivered", "alert"))
    told = told.with_columns(
        event=pl.when(by_clue).then("typed_on").otherwise("event"), delivered=pl.when(by_clue).then("typed_at").otherwise(delivered),
        feed=pl.when(by_clue).then(pl.lit("clues")).otherwise("feed"),
        department=pl.when(by_clue).then(pl.lit(_TYPED)).otherwise(pl.col("feed").replace_strict(feed_departments(), default=None)),
    )  # fmt: skip
    return told.select(pl.col(name).cast(type_) for name, type_ in SCHEMA.items()).sort(
        "alert", "alert_id", descending=True
    )


def _delivered_on(period: int, taken: dict[int, date]) -> date:
    end = date(period // 100, period % 100, calendar.monthrange(period // 100, period % 100)[1])
    return min(end, taken.get(period, end))


def _day(at: datetime | None) -> date | None:
    return None if at is None else local_day(at)
