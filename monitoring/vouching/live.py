"""What people did since the run, of a period: read from the case store in one statement each, to be joined to the run's facts.

A past period is shown as it was known then: what happened before the next period's run was taken in. Nothing here is masked
or named beyond what the ledger shows; it is limited to the caller's places, and the ledger limits it again.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection, and_, case, func, or_, select, text
from sqlalchemy.sql import ColumnElement

from monitoring.alerts.standing import overtaken_at
from monitoring.misses.results import FINE, MET
from monitoring.misses.visiting import last_visits
from monitoring.people import Caller, Person, reading
from monitoring.store import Store
from monitoring.store.schema import (
    alert,
    audit_sample,
    audit_visit,
    clue,
    decision,
    journal_head,
    measure,
    referral,
    taken_in,
    visit,
)
from monitoring.working_days import local_day

CONCLUDED = tuple(
    "ABCDEFGHKLMO"
)  # outcomes that are a dated conclusion; the others go on (referred, conference, watched)
CALLERS = ("hotline", "petition")  # whose clues set 15 is about
ON_TIME, LATE, OVERDUE, NOT_DUE = "按期核实", "逾期核实", "逾期未核实", "尚未到期"


def _empty(**columns: Any) -> pl.DataFrame:
    return pl.DataFrame(schema=columns)


@dataclass(frozen=True, eq=False)  # what was read once is one thing: questions about it are remembered by it
class Live:
    """`taken`: the run's signals stand in alerts (else every signal of the run is an open item). `today`: the county's day on
    which it was read. One row each: `alerts` an open alert that raises work, `visits` a visit at which somebody was met,
    `decisions` a household's last conclusion, `help` help that was recorded, `clues` a clue of set 15 that was typed in,
    `answered` a household whose clues of set 15 are all concluded, `verified` alerts of set 17 by village and state."""

    taken: bool = False
    today: date = date.max
    alerts: pl.DataFrame = field(default_factory=lambda: _empty(household_id=pl.String, alert=pl.Int64, due=pl.Date))
    visits: pl.DataFrame = field(
        default_factory=lambda: _empty(household_id=pl.String, day=pl.Date, visitor=pl.String, good=pl.Boolean)
    )
    decisions: pl.DataFrame = field(default_factory=lambda: _empty(household_id=pl.String, day=pl.Date))
    help: pl.DataFrame = field(default_factory=lambda: _empty(household_id=pl.String, kind=pl.String))
    clues: pl.DataFrame = field(
        default_factory=lambda: _empty(household_id=pl.String, township=pl.String, village=pl.String, how=pl.String)
    )
    answered: pl.DataFrame = field(default_factory=lambda: _empty(household_id=pl.String))
    verified: pl.DataFrame = field(
        default_factory=lambda: _empty(township=pl.String, village=pl.String, how=pl.String, n=pl.Int64)
    )


_MOST, _LOCK, _READ = 24, threading.Lock(), dict[tuple[Any, ...], "Live"]()
NOTHING = Live()  # no case store was asked: the run's files alone


@dataclass(frozen=True)
class Of:
    """The period that is asked for, with what its run says of itself."""

    period: str
    run: str
    as_of: date
    visit_days: int
    help_months: int


def live(store: Store, caller: Caller, of: Of, at: datetime) -> Live:
    """What the caller may see of it. Raises Denied or SessionOver.

    As long as nothing is done it is read once for all who may see the same places: every deed is a row of the journal, whose
    last seal is the key.
    """
    with reading(store, caller, "page.checklist", at) as act:
        asked = (store.home, str(store.engine.url), _mark(act.con), act.person.places, of, local_day(at))
        with _LOCK:
            found = _READ.get(asked)
        if found is None:
            found = live_of(act.con, act.person, of, at)
            with _LOCK:
                _READ[asked] = found
                while len(_READ) > _MOST:
                    del _READ[next(iter(_READ))]
        return found


def _mark(con: Connection) -> tuple[Any, ...]:
    """What changes with every deed, and with every run that is taken in."""
    lasts = [
        select(func.max(table.c.id)).scalar_subquery()
        for table in (taken_in, alert, visit, decision, measure, referral, clue, audit_visit)
    ]
    return tuple(con.execute(select(journal_head.c.seq, journal_head.c.mac, *lasts)).one())


def live_of(con: Connection, person: Person, of: Of, at: datetime, village: tuple[str, str] | None = None) -> Live:
    """As `live`, within a call; `village` narrows it to one (township, village)."""
    own = _places(person, village)
    until = overtaken_at(con, of.period)
    seen = con.execute(
        select(func.count()).where(or_(taken_in.c.run_id == of.run, taken_in.c.period > of.period))
    ).scalar_one()
    today = local_day(at if until is None else min(at, until))

    def before(column: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        return [] if until is None else [column < until]

    unclosed = (
        alert.c.closed_at.is_(None) if until is None else or_(alert.c.closed_at.is_(None), alert.c.closed_at >= until)
    )
    standing = [alert.c.household_id.is_not(None), alert.c.raises_work, alert.c.opened_period <= of.period, unclosed]
    since = of.as_of - timedelta(days=of.visit_days)
    year_ago = of.as_of - timedelta(days=365)
    started = of.as_of - timedelta(days=round(of.help_months * 30.44))
    met = [
        visit.c.household_id.is_not(None),
        visit.c.met,
        visit.c.date > since,
        visit.c.date <= today,
        *before(visit.c.at),
    ]
    concluded = select(alert.c.household_id, decision.c.at).join_from(decision, alert).where(
        alert.c.household_id.is_not(None), decision.c.outcome.in_(CONCLUDED), *before(decision.c.at), *own)  # fmt: skip
    answers = select(alert.c.household_id, referral.c.answered_on).join_from(referral, alert).where(
        alert.c.household_id.is_not(None), referral.c.answered_on > year_ago, referral.c.answered_on <= today, *own)  # fmt: skip
    helped = [
        measure.c.household_id.is_not(None),
        measure.c.start > started,
        measure.c.start <= today,
        *before(measure.c.at),
    ]
    of_set_15 = [
        clue.c.channel.in_(CALLERS),
        clue.c.received_on > year_ago,
        clue.c.received_on <= today,
        *before(clue.c.at),
    ]
    lasts = last_visits()  # sampled households: found in difficulty they have an open alert
    sampled = (
        select(audit_sample.c.household_id, audit_visit.c.date, audit_visit.c.visitor, audit_visit.c.result == FINE)
        .join_from(audit_visit, lasts, lasts.c.last == audit_visit.c.id)
        .join(audit_sample, audit_sample.c.id == audit_visit.c.sample_id)
        .where(
            audit_visit.c.result.in_(MET), audit_visit.c.date > since, audit_visit.c.date <= today, *before(audit_visit.c.at),
            *_sample_places(person, village),
        )
        .order_by(audit_visit.c.date, audit_visit.c.id)
    )  # fmt: skip
    told = case(
        (and_(clue.c.concluded_on.is_not(None), clue.c.concluded_on <= today), "已办结"),
        (clue.c.due_date < today, "逾期未办结"),
        else_="正在办理",
    )
    typed = select(clue.c.household_id, clue.c.township, clue.c.village, told).where(clue.c.number.is_(None), *of_set_15, *_clue_places(person, village))  # fmt: skip
    done = select(clue.c.household_id).where(clue.c.household_id.is_not(None), *of_set_15).group_by(clue.c.household_id).having(
        func.count() == func.count(case((clue.c.concluded_on <= today, 1))))  # fmt: skip
    days = [(key, local_day(moment)) for key, moment in con.execute(concluded)]
    days = [(key, day) for key, day in days if day > year_ago] + [tuple(row) for row in con.execute(answers)]
    return Live(
        bool(seen), today,
        _frame(NOTHING.alerts, con.execute(select(alert.c.household_id, alert.c.id, alert.c.due_date).where(*standing, *own)).all()),
        _frame(NOTHING.visits, [*con.execute(select(visit.c.household_id, visit.c.date, visit.c.visitor, visit.c.finding == "not_so")
               .join_from(visit, alert).where(*met, *own).order_by(visit.c.date, visit.c.id)), *con.execute(sampled)]),
        _frame(NOTHING.decisions, days),
        _frame(NOTHING.help, con.execute(select(measure.c.household_id, measure.c.kind).join_from(measure, alert).where(*helped, *own)).all()),
        _frame(NOTHING.clues, con.execute(typed).all()),
        _frame(NOTHING.answered, con.execute(done).all()),
        _frame(NOTHING.verified, _verified(con, of, today, [*own, *before(alert.c.opened_at)])),
    )  # fmt: skip


def verification(con: Connection, today: date) -> ColumnElement[str]:
    """How an alert stands to its limit of verification on a day: by the county's day on which it was verified."""
    due = alert.c.verify_due_date
    # The day after the limit begins in China at 16:00 UTC of the limit's own day.
    end = func.datetime(due, "+16 hours") if con.dialect.name == "sqlite" else due + text("interval '16 hours'")
    return case(
        (and_(alert.c.verified_at.is_not(None), alert.c.verified_at < end), ON_TIME),
        (alert.c.verified_at.is_not(None), LATE),
        (due < today, OVERDUE),
        else_=NOT_DUE,
    )


def of_set_17(of: Of) -> list[ColumnElement[bool]]:
    """The alerts of set 17: of twelve months, with work and a limit."""
    first = of.as_of - timedelta(days=365)
    return [
        alert.c.raises_work,
        alert.c.verify_due_date.is_not(None),
        alert.c.opened_period <= of.period,
        alert.c.opened_on > first,
    ]


def _verified(con: Connection, of: Of, today: date, own: Sequence[ColumnElement[bool]]) -> Sequence[Any]:
    how = verification(con, today).label("how")
    each = select(alert.c.township, alert.c.village, how).where(*of_set_17(of), *own).subquery()
    return con.execute(
        select(each.c.township, each.c.village, each.c.how, func.count()).group_by(
            each.c.township, each.c.village, each.c.how
        )
    ).all()


def _places(person: Person, village: tuple[str, str] | None) -> list[ColumnElement[bool]]:
    limit = person.limit(alert.c.township, alert.c.village)
    own = [] if limit is None else [limit]
    return own if village is None else [*own, alert.c.township == village[0], alert.c.village == village[1]]


def _clue_places(person: Person, village: tuple[str, str] | None) -> list[ColumnElement[bool]]:
    limit = person.limit(clue.c.township, clue.c.village)
    own = [] if limit is None else [limit]
    return own if village is None else [*own, clue.c.township == village[0], clue.c.village == village[1]]


def _sample_places(person: Person, village: tuple[str, str] | None) -> list[ColumnElement[bool]]:
    limit = person.limit(audit_sample.c.township, audit_sample.c.village)
    own = [] if limit is None else [limit]
    return (
        own if village is None else [*own, audit_sample.c.township == village[0], audit_sample.c.village == village[1]]
    )


def _frame(like: pl.DataFrame, rows: Sequence[Any]) -> pl.DataFrame:
    return pl.DataFrame([tuple(row) for row in rows], schema=like.schema, orient="row") if rows else like
