"""Takes a run's signals into the case store: opens alerts, adds to open ones, says what no longer holds. Never closes one.

One transaction, all or nothing; every step is a statement over many rows. Taking the same signals in again changes no row,
so that a run that was killed, or repeated, is simply taken in once more. A period before the last one is refused: alerts
stand on the newest. The newest period's sample of households that nothing flagged is drawn last (`monitoring.misses`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, bindparam, func, insert, select, text, update

from monitoring.alerts import standing, summing
from monitoring.alerts.choices import SHOWS_RISK, chosen
from monitoring.alerts.comparing import GONE, SETTLED, SHOWN, STANDING, TOLD, AlertSettings, Changes, compare, numbered
from monitoring.alerts.deadlines import counted_from
from monitoring.alerts.delivered import clues_of_run, take_in_delivered
from monitoring.alerts.happening import BY, happened
from monitoring.alerts.naming import HOUSEHOLD
from monitoring.alerts.signals import conditions_of_run, households, signals_of_run
from monitoring.alerts.standing import ALERT_TOLD
from monitoring.misses.drawing import draw, offered
from monitoring.people import Acting, Person
from monitoring.store import Store
from monitoring.store.bulk import execute_many, insert_frame
from monitoring.store.schema import alert, alert_event, alert_signal, taken_in
from monitoring.warehouse import Publication, Warehouse
from monitoring.working_days import local_day

RUN = Person(None, "run", BY, "", None)  # who opens alerts from a run
MANY = 1000


@dataclass(frozen=True)
class TakenIn:
    """What taking a run in did. `signals`: all of the run = `joined` (new episodes, in `opened` new alerts and in open ones)
    + `settled` (kept quiet by a decision) + `unchanged` (went on where they stood). `gone`: no longer hold. `shown`: stand,
    but raise no work. `clues`: of a file, new or concluded since. `sampled`: households that nothing flagged, drawn for a visit.
    `refused`: why nothing was done (Chinese); blank otherwise."""

    run: str
    period: str
    signals: int = 0
    opened: int = 0
    joined: int = 0
    gone: int = 0
    settled: int = 0
    shown: int = 0
    unchanged: int = 0
    clues: int = 0
    sampled: int = 0
    refused: str = ""


def take_in(
    store: Store,
    warehouse_path: Path,
    run: str,
    period: str,
    as_of: date,
    at: datetime,
    settings: AlertSettings | None = None,
    sample: bool = True,
) -> TakenIn:
    """Takes the signals of a published run in; `settings` are the county's own (`settings_of`) unless given. `sample`: whether
    its period's sample is drawn as well.

    Raises the database's error with nothing changed. A period before the last one comes back refused.
    """
    warehouse = Warehouse(warehouse_path)
    try:
        now, conditions = signals_of_run(warehouse), conditions_of_run(warehouse)  # before the store is locked
        now, reported = counted_from(now, as_of, local_day(at)), clues_of_run(warehouse)
        pool = offered(warehouse, store.home, store.key, period, as_of) if sample else None
        with store.write() as con:
            sync = _Sync(con, warehouse, run, period, as_of, at, settings or settings_of(con))
            done = sync.take_in(now, conditions)
            if done.refused:
                return done
            act = Acting(con, RUN, at, store)
            done = replace(done, clues=take_in_delivered(act, reported))
            if pool is not None:
                done = replace(done, sampled=draw(act, pool, run))
        if not store.sqlite and done.opened >= MANY:
            with store.write() as con:  # else its planner takes the tables for empty until it looks by itself
                con.execute(text("analyze alert, alert_signal"))
        return done
    finally:
        warehouse.close()


def pending(store: Store, publication: Publication) -> bool:
    """Whether the newest published run is not taken in yet."""
    with store.read() as con:
        last = standing.last_taken_in(con)
    newest = publication.run_of(None)
    return last is None or (newest.period >= last.period and newest.run != last.run_id)


def catch_up(store: Store, publication: Publication, at: datetime) -> list[TakenIn]:
    """Takes in, in order, every published period from the last one on whose run the store has not seen; none is no work. Only of
    the newest a sample is drawn: what is past can't be visited any more."""
    with store.read() as con:
        last = standing.last_taken_in(con)
    done = []
    for published in reversed(publication.runs):
        if last is None or published.period > last.period or (
            published.period == last.period and published.run != last.run_id
        ):  # fmt: skip
            warehouse = Warehouse(published.path)
            try:
                as_of = warehouse.row("select as_of from run")["as_of"]
            finally:
                warehouse.close()
            newest = published.period == publication.latest
            done.append(take_in(store, published.path, published.run, published.period, as_of, at, sample=newest))
    return done


def settings_of(con: Connection) -> AlertSettings:
    """The county's choices as the store has them; the defaults where nothing was chosen."""
    return replace(AlertSettings(), full_support_shows_risk=bool(chosen(con, SHOWS_RISK)))


@dataclass(frozen=True)
class _Sync:
    """One run on its way into the store, within one writing transaction."""

    con: Connection
    warehouse: Warehouse
    run: str
    period: str
    as_of: date
    at: datetime
    settings: AlertSettings

    def take_in(self, now: pl.DataFrame, conditions: Mapping[str, str]) -> TakenIn:
        if self.con.dialect.name == "postgresql":
            # Whoever works on an alert meanwhile waits, or is waited for; readers do not. (SQLite's writers are one anyway.)
            self.con.execute(text("lock table alert in exclusive mode"))
        last = standing.last_taken_in(self.con)
        if last is not None and last.period > self.period:
            why = f"预警已按 {last.period} 的结果生成，{self.period} 的结果较早，不再并入"
            return TakenIn(self.run, self.period, refused=why)
        changes = compare(
            now,
            standing.signals_held(self.con, self.period),
            standing.decided(self.con, self.as_of),
            conditions,
            self.as_of,
            self.settings,
        )
        if not changes.beginning.is_empty():
            changes = replace(changes, beginning=numbered(changes.beginning, standing.last_episodes(self.con)))
        done = self._write(changes)
        if last is None or last.run_id != self.run:
            told = {name: getattr(done, name) for name in ("period", "signals", "opened", "joined", "gone")}
            self.con.execute(insert(taken_in).values(run_id=self.run, as_of=self.as_of, at=self.at, **told))
        return done

    def _write(self, changes: Changes) -> TakenIn:
        stored = standing.open_alerts(self.con)
        going_on = _limited(changes.going_on)
        rows = self._alerts(going_on, changes, stored)
        self._end(changes.over)
        self._go_on(going_on)
        ids = self._open(rows.filter(pl.col("id").is_null()))
        beginning = _placed(
            changes.beginning, pl.concat([frame.select("subject", "alert_key", "id") for frame in (stored, ids)])
        )
        self._begin(beginning)
        told = {"run": self.run, "period": self.period}
        events = happened(rows, stored, ids, going_on, beginning, changes.over, told)
        self._update(rows, events["alert_id"])
        by_run = {"at": self.at, "account_id": None, "by": BY, "note": ""}
        insert_frame(self.con, alert_event, events, by_run)
        states = pl.concat([going_on["state"], beginning["state"]])
        settled = int((states == SETTLED).sum())
        began = int((beginning["state"] != SETTLED).sum())
        return TakenIn(
            self.run, self.period, signals=len(states), opened=len(ids), joined=began, settled=settled,
            gone=int((~changes.over["follows"]).sum()), shown=int((states == SHOWN).sum()),
            unchanged=len(states) - settled - began,
        )  # fmt: skip

    def _alerts(self, going_on: pl.DataFrame, changes: Changes, stored: pl.DataFrame) -> pl.DataFrame:
        """The rows of all alerts that hold signals now, or held some before."""
        beginning = changes.beginning.filter(pl.col("state") != SETTLED).with_columns(joins_due="due_date")
        here = going_on.filter(pl.col("state") != SETTLED)
        alerts = summing.alerts_of(pl.concat([here.select(_SUMMED), beginning.select(_SUMMED)]), self.settings)
        lost = stored.join(changes.over, left_on="id", right_on="alert_id", how="semi")
        alerts = pl.concat([alerts, summing.emptied(lost.join(alerts, on=summing.ALERT, how="anti"))])
        ids = alerts.filter(pl.col("subject") == HOUSEHOLD)["household_id"].to_list()
        return summing.wanted(alerts, stored, households(self.warehouse, ids), local_day(self.at))

    def _end(self, over: pl.DataFrame) -> None:
        gone = update(alert_signal).where(alert_signal.c.id == bindparam("row")).values(
            state=GONE, gone_period=self.period
        )  # fmt: skip
        execute_many(self.con, gone, over.select(row="id").to_dicts())

    def _go_on(self, going_on: pl.DataFrame) -> None:
        """What signals tell anew, and that they were seen in this period."""
        settled = pl.col("state") == SETTLED
        told = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_was")) for name in (*TOLD, "due_date"))
        changed = going_on.filter((pl.col("state") != pl.col("state_was")) | (told & ~settled))
        # Of what a decision settled, the closed alert keeps what was decided upon.
        kept = [
            pl.when(settled).then(f"{name}_was").otherwise(name).alias(f"new_{name}") for name in (*TOLD, "due_date")
        ]
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in (*TOLD, "due_date", "state")}
        renewed = update(alert_signal).where(alert_signal.c.id == bindparam("row")).values(gone_period=None, **values)
        execute_many(
            self.con,
            renewed,
            changed.select(pl.col("id").alias("row"), pl.col("state").alias("new_state"), *kept).to_dicts(),
        )
        seen = update(alert_signal).where(alert_signal.c.state != GONE, alert_signal.c.last_period < self.period)
        self.con.execute(seen.values(last_period=self.period))

    def _open(self, new: pl.DataFrame) -> pl.DataFrame:
        """Inserts the new alerts; subject, alert_key, id and previous_id of each."""
        if new.is_empty():
            return new.select("subject", "alert_key", "id", previous_id="id")
        new = new.join(standing.last_closed(self.con), on=summing.ALERT, how="left")
        fixed = {
            "status": "new", "opened_period": self.period, "opened_on": local_day(self.at), "opened_at": self.at,
            "origin": "run", "version": 1,
        }  # fmt: skip
        last = self.con.execute(select(func.max(alert.c.id))).scalar() or 0
        wanted = new.select(
            "subject", pl.col("alert_key").alias("subject_key"), "household_id", "previous_id", *ALERT_TOLD
        )
        insert_frame(self.con, alert, wanted, fixed)
        return standing.opened_after(self.con, last)

    def _begin(self, beginning: pl.DataFrame) -> None:
        columns = ("alert_id", "rule", "subject_key", "episode", "state", "due_date", *TOLD)
        seen = {"first_period": self.period, "last_period": self.period}
        insert_frame(self.con, alert_signal, beginning.select(columns), seen)

    def _update(self, rows: pl.DataFrame, happened_to: pl.Series) -> None:
        """Open alerts as they should stand. Where something happened, whoever decides on an older view is told (version)."""
        known = rows.filter(pl.col("id").is_not_null())
        met = pl.col("id").is_in(happened_to.implode())
        due = pl.concat([summing.changed(known), known.filter(met)]).unique("id", maintain_order=True)
        due = due.with_columns(version=pl.col("version") + met.cast(pl.Int64))
        names = (*ALERT_TOLD, "version")
        values: dict[str, Any] = {name: bindparam(f"new_{name}", type_=alert.c[name].type) for name in names}
        statement = update(alert).where(alert.c.id == bindparam("row")).values(values)
        renamed = due.select(pl.col("id").alias("row"), *(pl.col(name).alias(f"new_{name}") for name in names))
        rows_of = renamed.iter_rows(named=True)
        execute_many(self.con, statement, [row | {"new_why": json.loads(row["new_why"])} for row in rows_of])


_SUMMED = [
    "subject", "alert_key", "household_id", "township", "village", "name", "tail", "rule", "subject_key", "state", "kind",
    "level_order", "department", "message", "message_en", "joins_due",
]  # fmt: skip


def _limited(going_on: pl.DataFrame) -> pl.DataFrame:
    """The limit of each signal that goes on: its own, unless it got more urgent or raises work only now. Then the run's limit
    is one that joins its alert (`joins_due`)."""
    begins = (pl.col("state") == STANDING) & (pl.col("state_was") == SHOWN)
    rises = (pl.col("level_order") < pl.col("level_order_was")) & (pl.col("state") != SETTLED)
    limit = (
        pl.when(begins).then("due_date").when(rises).then(pl.min_horizontal("due_date", "due_date_was"))
        .otherwise("due_date_was")
    )  # fmt: skip
    return going_on.with_columns(due_date=limit, joins_due=pl.when(begins | rises).then("due_date"))


def _placed(beginning: pl.DataFrame, alerts: pl.DataFrame) -> pl.DataFrame:
    """New episodes with the alert that each belongs to: the one that keeps it quiet, else the open one of its subject."""
    met = beginning.join(alerts.rename({"id": "open_id"}), on=summing.ALERT, how="left")
    return met.with_columns(alert_id=pl.coalesce("alert_id", "open_id"))
