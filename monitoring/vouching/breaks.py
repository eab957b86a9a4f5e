"""A seal that later facts contradict is told in the journal, once a signature: which seal, which facts, by which run.

Facts come from runs and from what people do. After a run is taken in, and before a place is signed anew, every signature that
no longer agrees with the facts gets its row `checklist.break`; taking the same run in again writes none. What stands in it is
what was known then; the page shows beside it what differs now.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from monitoring.access import Scope
from monitoring.alerts.syncing import RUN
from monitoring.people import Acting, Caller, reading
from monitoring.queries import vouching
from monitoring.store import Store
from monitoring.store.schema import journal, seal, taken_in
from monitoring.vouching.live import live_of
from monitoring.vouching.standing import (
    BROKEN,
    Change,
    Standing,
    differences,
    facts_now,
    lines_of,
    standings,
)
from monitoring.warehouse import Publication, Warehouse

EVENT = "checklist.break"
NAMED = 5  # facts that a row names; how many there are is told besides


@dataclass(frozen=True)
class Broken:
    """What the journal tells of one broken signature: when it was found, by which run, how many `households` and `sets`
    differed, and the first of them."""

    seal: int
    at: datetime
    run: str
    households: int
    sets: int
    facts: tuple[Change, ...]

    @property
    def differing(self) -> int:
        """Households and sets that differed."""
        return self.households + self.sets


def tell_breaks(store: Store, publication: Publication, at: datetime) -> int:
    """Writes the breaks that are not told yet, of every signed period whose facts may have changed; how many. No work where
    nothing was signed or nothing changed."""
    with store.read() as con:
        periods = _touched(con, publication)
    told = 0
    for published in publication.runs:
        if published.period not in periods:
            continue
        warehouse = Warehouse(published.path)
        try:
            if vouching.ready(warehouse):
                told += _tell(store, warehouse, at)
        finally:
            warehouse.close()
    return told


def _tell(store: Store, warehouse: Warehouse, at: datetime) -> int:
    of = vouching.asked_of(warehouse)
    with store.read() as con:
        live = live_of(con, RUN, of, at)
        found = standings(con, of.period, facts_now(warehouse, Scope(), live))
    broken = [one for one in found.values() if one.state == BROKEN and one.seal is not None]
    if not broken:
        return 0
    lines = {one.seal.id: lines_of(warehouse, live, one.place) for one in broken if one.seal is not None}
    with store.write() as con:
        act = Acting(con, RUN, at, store)
        return sum(journal_break(act, one, lines[one.seal.id], of.run) for one in broken if one.seal is not None)


def journal_break(act: Acting, one: Standing, lines: str, run: str) -> bool:
    """Within a writing call: the row of a broken place, unless its signature has one. Whether it was written."""
    if one.state != BROKEN or one.seal is None or _told(act.con, [one.seal.id]):
        return False
    rows, content = act.con.execute(select(seal.c.rows, seal.c.content).where(seal.c.id == one.seal.id)).one()
    found = differences(rows, content, lines, one.facts.sets)
    act.journal(
        EVENT, f"seal:{one.seal.id}", run=run, signed_run=one.seal.run_id, period=one.seal.content["period"], level=one.level,
        township=one.place[0], village=one.place[1], sha256=one.seal.sha256,
        households=sum(not each.set for each in found), sets=sum(each.set for each in found),
        facts=[_fact(each) for each in found[:NAMED]],
    )  # fmt: skip
    return True


def breaks(store: Store, caller: Caller, seal_ids: Collection[int], at: datetime) -> dict[int, Broken]:
    """Of some signatures in the caller's places what the journal tells of their break. Raises Denied or SessionOver."""
    with reading(store, caller, "page.checklist", at) as act:
        asked = select(seal.c.id, seal.c.township, seal.c.village).where(seal.c.id.in_(seal_ids))
        own = [row.id for row in act.con.execute(asked) if act.person.holds(row.township, row.village)]
        return {row["seal"]: Broken(**row) for row in _told(act.con, own)}


def _touched(con: Connection, publication: Publication) -> set[str]:
    """Signed periods: the last one taken in and the one before (what was done until the last is theirs), and every other one
    whose published run is not what was signed."""
    last = [row.period for row in con.execute(select(taken_in.c.period).distinct().order_by(taken_in.c.period.desc()).limit(2))]  # fmt: skip
    newest = select(func.max(seal.c.id)).group_by(seal.c.period, seal.c.township, seal.c.village)
    signed: dict[str, set[str]] = {}
    for row in con.execute(select(seal.c.period, seal.c.run_id).where(seal.c.id.in_(newest)).distinct()):
        signed.setdefault(row.period, set()).add(row.run_id)
    runs = {one.period: one.run for one in publication.runs}
    return {period for period, run_ids in signed.items() if period in last or run_ids != {runs.get(period)}}


def _told(con: Connection, seal_ids: Collection[int]) -> list[dict[str, Any]]:
    objects = [f"seal:{key}" for key in seal_ids]
    asked = select(journal.c.object, journal.c.at, journal.c.detail).where(
        journal.c.event == EVENT, journal.c.object.in_(objects)
    )
    rows = []
    for row in con.execute(asked):
        detail = json.loads(row.detail)
        facts = tuple(
            Change(one["what"], one["set"], _parts(one["before"]), _parts(one["now"])) for one in detail["facts"]
        )
        told = {name: detail[name] for name in ("run", "households", "sets")}
        rows.append({"seal": int(row.object.partition(":")[2]), "at": row.at, "facts": facts, **told})
    return rows


def _fact(change: Change) -> dict[str, Any]:
    """A difference for the journal: a household by its shown number with its states, a set with its counts. Who was at the
    door is left out."""
    return {"what": change.what, "set": change.set, "before": _in_short(change, change.before), "now": _in_short(change, change.now)}  # fmt: skip


def _in_short(change: Change, told: Sequence[str] | None) -> list[str] | None:
    if told is None or change.set or told[0] != "visited":
        return None if told is None else list(told)
    return [told[0], *(rests.split(" ")[0] for rests in told[1:])]


def _parts(told: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if told is None else tuple(told)
