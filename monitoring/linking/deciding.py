"""Decisions about links: made, taken back, listed, and told to the next run.

Each stands in `link_decision` with who made it, when, why and both sides as they were seen (masked), and in the journal,
where no name and no number is. Two of one pair at once are refused. County staff decide, since two sides may lie in two
places; `place` is the row's or the first person's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from monitoring.people import Acting, Caller, Denied, acting, reading
from monitoring.refusal import Refusal
from monitoring.store import Store
from monitoring.store.schema import link_decision

ROW, PERSON, HOUSEHOLD = KINDS = ("row", "person", "household")
SAME, DIFFERENT = VERDICTS = ("same", "different")
NOBODY = ""  # `other` of a row that is none of those whom the county knows
SHORTEST_WHY, LONGEST_WHY = 4, 500
Place = tuple[str | None, str | None]
Standing = tuple[str, str, str, str]
_LONG_NUMBER = re.compile(r"[0-9０-９]{7,}[0-9０-９Xx]")


class NotDecided(Refusal):
    """Why a decision was not kept."""


@dataclass(frozen=True)
class Pair:
    """What is decided about, as it was seen: which two, where, what the run and the model said of them."""

    kind: str
    one: str
    other: str
    place: Place
    run_id: str
    seen: Mapping[str, Any]
    weight: float | None = None
    probability: float | None = None


@dataclass(frozen=True)
class Decided:
    """A decision as it is listed."""

    id: int
    kind: str
    one: str
    other: str
    verdict: str
    why: str
    seen: Mapping[str, Any]
    probability: float | None
    by: str
    role: str
    at: datetime
    back_at: datetime | None
    back_by: str | None
    back_why: str | None


def decide(store: Store, caller: Caller, pair: Pair, verdict: str, why: str, at: datetime) -> int:
    """Keeps a decision and gives its id. Raises NotDecided, Denied or SessionOver."""
    with acting(store, caller, "link.decide", at) as act:
        act.within(*pair.place)
        return _decided(act, pair, verdict, _said(why))


def decide_many(store: Store, caller: Caller, pairs: list[Pair], verdict: str, why: str, at: datetime) -> int:
    """The same verdict for several, all or none; gives how many."""
    with acting(store, caller, "link.decide", at) as act:
        for pair in pairs:
            act.within(*pair.place)
            _decided(act, pair, verdict, _said(why))
    return len(pairs)


def _decided(act: Acting, pair: Pair, verdict: str, why: str) -> int:
    if (
        pair.kind not in KINDS
        or verdict not in VERDICTS
        or (pair.other == NOBODY and (pair.kind, verdict) != (ROW, DIFFERENT))
    ):
        raise ValueError(f"no such decision: {pair.kind} {verdict}")
    one, other = pair.one, pair.other
    if pair.kind != ROW:
        one, other = sorted((one, other))
    _unopposed(act.con, pair, verdict)
    values = {
        "kind": pair.kind, "one": one, "other": other, "verdict": verdict, "why": why, "seen": dict(pair.seen),
        "weight": None if pair.weight is None else Decimal(f"{pair.weight:.2f}"),
        "probability": None if pair.probability is None else Decimal(f"{pair.probability:.6f}"), "run_id": pair.run_id,
        "township": pair.place[0], "village": pair.place[1], "account_id": act.person.account, "by": act.person.person,
        "role": act.person.role, "at": act.at,
    }  # fmt: skip
    try:
        made: int = act.con.execute(insert(link_decision).values(values).returning(link_decision.c.id)).scalar_one()
    except IntegrityError as twice:
        raise NotDecided("这一对已经有人作过决定，请刷新后再看") from twice
    act.journal(
        "link.decide", _object(made), kind=pair.kind, verdict=verdict, pair=_digest(pair.kind, one, other), why=why
    )
    return made


def _unopposed(con: Connection, pair: Pair, verdict: str) -> None:
    """A row is one person, or nobody: what would contradict an earlier decision has to take that one back first."""
    if pair.kind != ROW:
        return
    held = con.execute(
        select(link_decision.c.other, link_decision.c.verdict).where(
            link_decision.c.kind == ROW, link_decision.c.one == pair.one, link_decision.c.back_at.is_(None)
        )
    ).all()
    taken = any(row.verdict == SAME for row in held)
    nobody = any(row.other == NOBODY for row in held)
    if taken or (nobody and verdict == SAME):
        raise NotDecided("这一行已经有人作过决定；要改，请先撤回原来的决定")


def take_back(store: Store, caller: Caller, decision: int, why: str, at: datetime) -> None:
    """The next run is as if it had not been made. Raises NotDecided, Denied or SessionOver."""
    with acting(store, caller, "link.decide", at) as act:
        said = _said(why)
        row = act.con.execute(select(link_decision).where(link_decision.c.id == decision)).one_or_none()
        if row is None:
            raise Denied
        act.within(row.township, row.village)
        changed = act.con.execute(
            update(link_decision)
            .where(link_decision.c.id == decision, link_decision.c.back_at.is_(None))
            .values(back_at=at, back_by=act.person.person, back_why=said)
        )
        if changed.rowcount != 1:
            raise NotDecided("这个决定已经撤回了")
        act.journal("link.take_back", _object(decision), why=said)


def decisions(store: Store, caller: Caller, at: datetime) -> list[Decided]:
    """All that the caller's places let them see, the latest first; taken-back ones too. Raises Denied or SessionOver."""
    with reading(store, caller, "page.links", at) as act:
        asked = select(link_decision).order_by(link_decision.c.at.desc(), link_decision.c.id.desc())
        limit = act.person.limit(link_decision.c.township, link_decision.c.village)
        rows = act.con.execute(asked if limit is None else asked.where(limit)).all()
    return [
        Decided(r.id, r.kind, r.one, r.other, r.verdict, r.why, r.seen, None if r.probability is None else float(r.probability),
                r.by, r.role, r.at, r.back_at, r.back_by, r.back_why)
        for r in rows
    ]  # fmt: skip


def standing(con: Connection) -> tuple[Standing, ...]:
    """What a run is told: every decision that holds (kind, one, other, verdict), in a fixed order."""
    asked = select(link_decision.c.kind, link_decision.c.one, link_decision.c.other, link_decision.c.verdict)
    found = con.execute(asked.where(link_decision.c.back_at.is_(None))).all()
    return tuple(sorted((r.kind, r.one, r.other, r.verdict) for r in found))


def _said(why: str) -> str:
    said = _LONG_NUMBER.sub("********", " ".join(why.split()))[:LONGEST_WHY]
    if len(said) < SHORTEST_WHY:
        raise NotDecided("请写明依据（至少 {least} 个字），会和决定一起保存", least=SHORTEST_WHY)
    return said


def object_of(kind: str, one: str, other: str) -> str:
    """What unmasking and addresses call an item: a digest, never the content."""
    return f"link:{_digest(kind, *((one, other) if kind == ROW else sorted((one, other))))}"


def _object(decision: int) -> str:
    return f"link:{decision}"


def _digest(*parts: str) -> str:
    """Tells pairs apart in the journal without naming them."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
