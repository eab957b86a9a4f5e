"""What the case store holds of alerts and their signals, as frames: what a run's signals are compared with."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, Select, Text, cast, func, or_, select

from monitoring.alerts.comparing import GONE, TOLD
from monitoring.store.schema import alert, alert_signal, clue, quiet, taken_in

_TYPES: dict[str, Any] = {
    **dict.fromkeys(("id", "alert_id", "person_id", "decided_id", "previous_id", "version"), pl.Int64),
    **dict.fromkeys(("episode", "last", "level_order", "signals", "points", "rank", "clues"), pl.Int64),
    **dict.fromkeys(("due_date", "verify_due_date", "opened_on", "until"), pl.Date),
    **dict.fromkeys(("open", "raises_work", "emergency", "offers_closing", "verified"), pl.Boolean),
    "score": pl.Float64,
}

# What a run keeps true of an open alert, beside its level, limits and priority.
ALERT_TOLD = (
    "township", "village", "name", "find", "level", "level_order", "signals", "headline", "headline_en", "rules", "kinds",
    "departments", "raises_work", "emergency", "offers_closing", "due_date", "verify_due_date", "points", "why", "rank", "score",
)  # fmt: skip


def last_taken_in(con: Connection) -> Any:
    """The row of `taken_in` that the alerts stand on; None where no run was ever taken in."""
    return con.execute(select(taken_in).order_by(taken_in.c.id.desc()).limit(1)).one_or_none()


def overtaken_at(con: Connection, period: str) -> Any:
    """When the first run of a later period was taken in: until then people worked on this one. None where there is none yet."""
    return con.execute(select(func.min(taken_in.c.at)).where(taken_in.c.period > period)).scalar()


def signals_held(con: Connection, period: str) -> pl.DataFrame:
    """The latest episode of every signal that is not gone, or was found gone in this very period; with its alert's key.

    id, alert_id, rule, subject_key, episode, state, due_date, what is told, and of its alert: open, subject, alert_key.
    """
    columns = ("id", "alert_id", "rule", "subject_key", "episode", "state", "due_date", *TOLD)
    held = (
        select(
            *(alert_signal.c[name] for name in columns),
            alert.c.closed_at.is_(None).label("open"),
            alert.c.subject,
            alert.c.subject_key.label("alert_key"),
        )
        .join(alert, alert.c.id == alert_signal.c.alert_id)
        .where(or_(alert_signal.c.state != GONE, alert_signal.c.gone_period == period))
        .order_by(alert_signal.c.episode, alert_signal.c.id)
    )
    return frame(con, held).unique(["rule", "subject_key"], keep="last", maintain_order=True)


def decided(con: Connection, as_of: date) -> pl.DataFrame:
    """The last decision of closed alerts on every rule and subject, where it is in force on the day.

    rule, subject_key, decided_id (the alert), until, level_order, evidence, outcome.
    """
    names = ("rule", "subject_key", "until", "level_order", "evidence", "outcome")
    found = (
        select(*(quiet.c[name] for name in names), quiet.c.alert_id.label("decided_id"))
        .join(alert, alert.c.id == quiet.c.alert_id)
        .where(quiet.c.until >= as_of, alert.c.closed_at.is_not(None))
        .order_by(quiet.c.id)
    )
    return frame(con, found).unique(["rule", "subject_key"], keep="last", maintain_order=True)


def last_episodes(con: Connection) -> pl.DataFrame:
    """rule, subject_key, last: the number of the latest episode of every signal that ever was."""
    key = (alert_signal.c.rule, alert_signal.c.subject_key)
    return frame(con, select(*key, func.max(alert_signal.c.episode).label("last")).group_by(*key))


def open_alerts(con: Connection) -> pl.DataFrame:
    """One row is an open alert: id, subject, alert_key, status, opened_on, version, what a run keeps true of it (ALERT_TOLD;
    `why` as JSON text), verified (at the door), and clues (those not concluded)."""
    waiting = (
        select(clue.c.alert_id, func.count().label("clues"))
        .where(clue.c.concluded_on.is_(None))
        .group_by(clue.c.alert_id)
        .subquery()
    )
    return frame(
        con,
        select(
            alert.c.id, alert.c.subject, alert.c.subject_key.label("alert_key"), alert.c.household_id, alert.c.status,
            alert.c.opened_on, alert.c.version, *(alert.c[name] for name in ALERT_TOLD if name != "why"),
            cast(alert.c.why, Text).label("why"),
            alert.c.verified_at.is_not(None).label("verified"), func.coalesce(waiting.c.clues, 0).label("clues"),
        )
        .join(waiting, waiting.c.alert_id == alert.c.id, isouter=True)
        .where(alert.c.closed_at.is_(None)),
    )  # fmt: skip


def opened_after(con: Connection, last: int) -> pl.DataFrame:
    """subject, alert_key, id, previous_id of the alerts whose id is greater than `last`."""
    names = (alert.c.subject, alert.c.subject_key.label("alert_key"), alert.c.id, alert.c.previous_id)
    return frame(con, select(*names).where(alert.c.id > last).order_by(alert.c.id))


def last_closed(con: Connection) -> pl.DataFrame:
    """subject, alert_key, previous_id: the last closed alert of every subject that has one."""
    key = (alert.c.subject, alert.c.subject_key.label("alert_key"))
    last = func.max(alert.c.id).label("previous_id")
    return frame(con, select(*key, last).where(alert.c.closed_at.is_not(None)).group_by(*key))


def frame(con: Connection, asked: Select[Any]) -> pl.DataFrame:
    """The rows of a statement; texts unless `_TYPES` says otherwise."""
    result = con.execute(asked)
    names = list(result.keys())
    schema = {name: _TYPES.get(name, pl.String) for name in names}
    rows = [list(column) for column in zip(*result.all(), strict=True)] or [[] for _ in names]
    return pl.DataFrame([pl.Series(name, values, dtype=schema[name]) for name, values in zip(names, rows, strict=True)])
