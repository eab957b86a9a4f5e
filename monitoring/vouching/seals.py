"""Sign-off of the checklist, village by village, then townships, then the county; what was signed stays as it was.

A signature freezes the ledger's rows and the sets' counts of its own place: canonical text with its SHA-256, in the case store
and in the journal. A level signs only when every place below it is signed and nothing there has changed since. Where
households remain for whom nobody can vouch, signing is allowed, but only with a word on what is done about them: the
remainder is counted in the signature and shown with it, never hidden.

Afterwards the facts are compared with what was signed, each time they are shown (`monitoring.vouching.standing`). Signing
again adds a signature; the old ones stay.

A village is signed by its own staff, or by the township's; a township by its staff; the county by leader or county staff.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from monitoring.access import Scope
from monitoring.alerts.cases import named
from monitoring.checks import Check
from monitoring.people import Acting, Caller, Denied, Person, acting, reading
from monitoring.queries import vouching
from monitoring.refusal import Refusal
from monitoring.store import Store
from monitoring.store.schema import journal, seal
from monitoring.vouching.breaks import journal_break
from monitoring.vouching.live import Live, live_of
from monitoring.vouching.standing import (
    COUNTY,
    INTACT,
    TOWNSHIP,
    VILLAGE,
    Change,
    Facts,
    Place,
    Seal,
    Standing,
    differences,
    facts_now,
    level_of,
    lines_of,
    rests_on,
    seal_of,
    sha,
    standings,
)
from monitoring.warehouse import Warehouse

SHORTEST_NOTE, LONGEST_NOTE = 4, 1000


class NotSigned(Refusal):
    """Why a place cannot be signed now."""


def seals_now(store: Store, caller: Caller, warehouse: Warehouse, live: Live, at: datetime) -> dict[Place, Standing]:
    """The places that the caller may see; those above them only where all below is theirs. Raises Denied or SessionOver."""
    with reading(store, caller, "page.checklist", at) as act:
        facts = facts_now(warehouse, act.person.scope, live)
        found = standings(act.con, vouching.asked_of(warehouse).period, facts)
    return {place: one for place, one in found.items() if act.person.holds(*place)}


def sign(
    store: Store,
    caller: Caller,
    warehouse: Warehouse,
    township: str | None,
    village: str | None,
    note: str,
    seen: str,
    at: datetime,
) -> Seal:
    """Signs a place as it is now; `seen` is the mark (`Facts.mark`) of what the person had before them, "" at the command line.

    Raises NotSigned (in words, nothing changed), Denied or SessionOver.
    """
    place: Place = (township, village)
    level, of = level_of(place), vouching.asked_of(warehouse)
    with reading(store, caller, f"checklist.sign_{level}", at) as act:
        _allowed(act, place)
        live = live_of(act.con, act.person, of, at)
        facts = facts_now(warehouse, _scope(act, place), live)
    lines = lines_of(warehouse, live, place)
    with acting(store, caller, f"checklist.sign_{level}", at) as act:
        _allowed(act, place)
        account = named(act)
        everywhere = standings(act.con, of.period, facts)
        now = everywhere.get(place)
        if now is None or not (now.households or level == COUNTY):
            raise Denied("台账里没有这个地方")
        content = _content(of.period, place, now, list(everywhere.values()))
        said = _may_sign(now, note, seen)
        journal_break(
            act, now, lines, of.run
        )  # what the old signature no longer agreed with, before a new one hides it
        text = _canonical(content)
        row: dict[str, Any] = {
            "period": of.period, "level": level, "township": township, "village": village, "run_id": of.run, "content": text,
            "rows": lines, "sha256": sha(text), "households": now.households, "nobody": now.nobody, "note": said,
            "account_id": account, "by": act.person.person, "role": act.person.role, "at": at,
        }  # fmt: skip
        key = int(act.con.execute(insert(seal).values(row).returning(seal.c.id)).scalar_one())
        told = {
            name: row[name] for name in ("period", "level", "township", "village", "sha256", "households", "nobody")
        }
        act.journal("checklist.sign", f"seal:{key}", run=of.run, **told)
        return seal_of({**row, "id": key})


def place_shown(scope: Scope, person: Person) -> Place | None:
    """The place that a picked scope is, of those that the person may see as a whole; None where it is none."""
    towns: tuple[Place, ...] = tuple((town, None) for town in scope.townships or ())
    picked: tuple[Place, ...] = scope.villages or towns or person.places or ((None, None),)
    return picked[0] if len(picked) == 1 and person.holds(*picked[0]) else None


def history(
    store: Store, caller: Caller, period: str, township: str | None, village: str | None, at: datetime
) -> list[Seal]:
    """All signatures of a place and period, the newest first. Raises Denied or SessionOver."""
    with reading(store, caller, "page.checklist", at) as act:
        act.within(township, village)
        asked = select(seal).where(seal.c.period == period, *_at((township, village))).order_by(seal.c.id.desc())
        return [seal_of(row) for row in act.con.execute(asked).mappings()]


def changes(store: Store, caller: Caller, warehouse: Warehouse, seal_id: int, at: datetime) -> list[Change]:
    """What differs now from what a signature froze. Raises Denied or SessionOver."""
    of = vouching.asked_of(warehouse)
    with reading(store, caller, "page.checklist", at) as act:
        row = (
            act.con.execute(select(seal).where(seal.c.id == seal_id, seal.c.period == of.period))
            .mappings()
            .one_or_none()
        )
        if row is None:
            raise Denied(object=f"seal:{seal_id}")
        act.within(row["township"], row["village"])
        place: Place = (row["township"], row["village"])
        live = live_of(act.con, act.person, of, at)
        facts = facts_now(warehouse, _scope(act, place), live).get(place, Facts())
    return differences(row["rows"], row["content"], lines_of(warehouse, live, place), facts.sets)


def check_seals(store: Store) -> Check:
    """Every signature: its content has its digest, its rows the content's, and the journal tells the same."""
    wrong: list[str] = []
    with store.read() as con:
        signed = select(journal.c.object, journal.c.detail).where(
            journal.c.event == "checklist.sign", journal.c.result == "ok"
        )
        told = {row.object: row.detail for row in con.execute(signed)}
        rows = con.execute(select(seal.c.id, seal.c.content, seal.c.rows, seal.c.sha256)).all()
    for row in rows:
        content = json.loads(row.content)
        journalled = json.loads(told.get(f"seal:{row.id}", "{}")).get("sha256")
        if sha(row.content) != row.sha256 or sha(row.rows) != content["rows_sha256"] or journalled != row.sha256:
            wrong.append(f"seal:{row.id}")
    zh, en = "每个签字的内容与其摘要、日志相符", "Every signature's content matches its digest and the journal"
    more = f"：{'、'.join(wrong[:3])} 不符" if wrong else f"：{len(rows):,} 个"
    more_en = f": {', '.join(wrong[:3])} differ" if wrong else f": {len(rows):,}"
    return Check("seals", not wrong, len(rows), len(rows) - len(wrong), zh + more, en + more_en)


def _allowed(act: Acting, place: Place) -> None:
    """The place is the person's; the county's is only whose whole county is. Raises Denied."""
    act.within(*place)


def _scope(act: Acting, place: Place) -> Scope:
    """The households of a place, with all below it."""
    township, village = place
    own = act.person.places
    if township is None:
        return Scope(allowed=own)
    if village is None:
        return Scope(townships=(township,), allowed=own)
    return Scope(villages=((township, village),), allowed=own)


def _may_sign(now: Standing, note: str, seen: str) -> str:
    """The note as it is kept. Raises NotSigned."""
    if now.waiting:
        raise NotSigned(
            "下级还有 {n} 处没有有效签字，例如 {places}；下级都签了才能签", n=now.waiting, places="、".join(now.missing)
        )
    if now.state == INTACT:
        raise NotSigned("这里已经签字，签字后没有变化，不用再签")
    if seen and seen != now.facts.mark:
        raise NotSigned("您看到的情况刚刚有变化，签字没有保存；请看过最新情况再签")
    said = " ".join(note.split())[:LONGEST_NOTE]
    if now.nobody and len(said) < SHORTEST_NOTE:
        raise NotSigned(
            "还有 {n} 户无人担保：请写明原因和打算（至少 {least} 个字），再签字", n=now.nobody, least=SHORTEST_NOTE
        )
    return said


def _content(period: str, place: Place, now: Standing, all_now: Sequence[Standing]) -> dict[str, Any]:
    level = level_of(place)
    below = {
        VILLAGE: [],
        TOWNSHIP: [one for one in all_now if one.level == VILLAGE and one.place[0] == place[0]],
        COUNTY: [one for one in all_now if one.level == TOWNSHIP],
    }[level]
    return {
        "period": period, "level": level, "township": place[0], "village": place[1], "households": now.households,
        "nobody": now.nobody, "states": dict(now.facts.states), "rows_sha256": now.facts.digest,
        "sets": [list(told) for told in now.facts.sets], "verified": list(now.facts.verified), "below": rests_on(below),
    }  # fmt: skip


def _at(place: Place) -> list[Any]:
    return [
        column.is_(None) if value is None else column == value
        for column, value in zip((seal.c.township, seal.c.village), place, strict=True)
    ]


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
