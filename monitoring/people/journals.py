"""The journal as the auditor reads it: rows by who, what, whom and when, the proof of the chain, and an export.

Nothing here changes a row. That somebody proved or exported the journal is itself journalled.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Select, and_, func, select

from monitoring.exporting.writing import write_frame
from monitoring.people.callers import Caller, acting, reading
from monitoring.people.downloads import offer, waiting
from monitoring.store import Store
from monitoring.store import journal as chain
from monitoring.store.schema import journal
from monitoring.working_days import CHINA

PAGE_SIZE = 50
MOST_EXPORTED = 500_000
_COLUMNS = ("seq", "at", "who", "role", "address", "event", "object", "result", "detail")


@dataclass(frozen=True)
class Wanted:
    """Which rows; "" and None are all. `event` is its beginning (`login`), `object` too; days are the county's, both included."""

    who: str = ""
    event: str = ""
    object: str = ""
    result: str = ""
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class JournalPage:
    """Up to 50 rows, the newest first, of `total`."""

    rows: list[dict[str, Any]]
    total: int


def journal_page(store: Store, caller: Caller, wanted: Wanted, page: int, at: datetime) -> JournalPage:
    """The rows of a page (from 1). Raises Denied or SessionOver."""
    with reading(store, caller, "journal.read", at) as act:
        total = act.con.execute(_where(select(func.count()).select_from(journal), wanted)).scalar_one()
        asked = _where(select(*(journal.c[name] for name in _COLUMNS)), wanted).order_by(journal.c.seq.desc())
        rows = act.con.execute(asked.limit(PAGE_SIZE).offset(PAGE_SIZE * (max(page, 1) - 1))).mappings().all()
    return JournalPage([dict(row) for row in rows], total)


def events(store: Store, caller: Caller, at: datetime) -> list[str]:
    """The kinds of events that there are, for the picker."""
    with reading(store, caller, "journal.read", at) as act:
        return list(act.con.execute(select(journal.c.event).distinct().order_by(journal.c.event)).scalars())


def prove(store: Store, caller: Caller, at: datetime) -> list[str]:
    """What is wrong with the chain and its anchors; empty where all holds. Journalled."""
    with reading(store, caller, "journal.read", at):
        found = chain.problems(store)
    with acting(store, caller, "journal.read", at) as act:
        act.journal("journal.prove", "journal", "failed" if found else "ok", problems=len(found))
    return found


def export_journal(store: Store, caller: Caller, wanted: Wanted, at: datetime) -> str:
    """The rows as a workbook; gives the address of its one download. Raises Denied or SessionOver."""
    with reading(store, caller, "journal.read", at) as act:
        asked = _where(select(*(journal.c[name] for name in _COLUMNS)), wanted).order_by(journal.c.seq.desc())
        rows = [dict(row) for row in act.con.execute(asked.limit(MOST_EXPORTED)).mappings()]
    for row in rows:
        row["at"] = row["at"].astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    frame = pl.DataFrame(rows, schema={name: pl.Int64 if name == "seq" else pl.String for name in _COLUMNS})
    path = waiting(store) / f"{secrets.token_hex(16)}.xlsx"
    write_frame(frame, path, sheet="操作日志")
    name = f"操作日志-{at.astimezone(CHINA):%Y%m%d-%H%M}.xlsx"
    return offer(store, caller, "journal.read", "journal", path, name, frame.height, masked=True, at=at)


def _where(asked: Select[Any], wanted: Wanted) -> Select[Any]:
    conditions = []
    for column, text in ((journal.c.event, wanted.event), (journal.c.object, wanted.object)):
        if text:
            conditions.append(column.startswith(text, autoescape=True))
    if wanted.who:
        conditions.append(journal.c.who == wanted.who.strip().lower())
    if wanted.result:
        conditions.append(journal.c.result == wanted.result)
    if wanted.first:
        conditions.append(journal.c.at >= datetime.combine(wanted.first, time(), CHINA))
    if wanted.last:
        conditions.append(journal.c.at < datetime.combine(wanted.last + timedelta(days=1), time(), CHINA))
    return asked.where(and_(True, *conditions)) if conditions else asked
