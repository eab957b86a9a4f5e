"""Sign-off of the checklist, village by village, then townships, then the county; what was signed stays as it was.

A signature freezes the ledger's rows and the sets' counts of its own place: canonical text with its SHA-256, in the case store
and in the journal. A level signs only when every place below it is signed and nothing there has changed since. Where
households remain for whom nobody can vouch, signing is allowed, but only with a word on what is done about them: the
remainder is counted in the signature and shown with it, never hidden.

Afterwards the facts are compared with what was signed, each time they are shown. A place whose own facts differ is
**broken**, and that place alone; a level that rests on it is **undermined**. Signing again adds a signature; the old ones
stay. Set 17 is frozen with the rest but not compared: it ages by the clock, without any fact changing.

A village is signed by its own staff, or by the township's; a township by its staff; the county by leader or county staff.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.engine import RowMapping

from monitoring.access import Filter, Scope
from monitoring.alerts.cases import named
from monitoring.checks import Check
from monitoring.people import Acting, Caller, Denied, Person, acting, reading
from monitoring.queries import checklist, vouching
from monitoring.store import Store
from monitoring.store.schema import journal, seal
from monitoring.vouching.live import Live, live_of
from monitoring.vouching.stating import NOBODY, STATES, stated
from monitoring.warehouse import Warehouse

VILLAGE, TOWNSHIP, COUNTY = LEVELS = ("village", "township", "county")
UNSIGNED, INTACT, BROKEN, UNDERMINED = "unsigned", "intact", "broken", "undermined"
SHORTEST_NOTE, LONGEST_NOTE = 4, 1000
Place = tuple[str | None, str | None]
_MASKED = Scope()

# What a row of the ledger rests on, in words that change only when a fact does.
_LINE = f"""concat_ws(chr(9), {_MASKED.household("household_id")}, state, case state
    when 'open' then concat_ws(' ', array_to_string(alert_ids, ','), case when open_request then 'request' end,
                               case when alerts = 0 and not open_request then 'signals ' || signals end)
    when 'helped' then concat_ws(' ', nullif(help, ''), help_kinds)
    when 'visited' then concat_ws(' ', seen_date, seen_by)
    when 'nobody' then concat_ws(' ', 'rules ' || blind_rules, 'late ' || array_to_string(late, ','), 'hits ' || needs)
    else '' end)"""


class NotSigned(Exception):
    """Why a place cannot be signed now, in words; nothing was changed."""

    def __init__(self, text: str, **values: Any) -> None:
        self.text, self.values = text, values
        self.words = text.format(**values)
        super().__init__(self.words)


def level_of(place: Place) -> str:
    """Of (township, village): the county has neither, a township no village."""
    return COUNTY if place[0] is None else TOWNSHIP if place[1] is None else VILLAGE


@dataclass(frozen=True)
class Facts:
    """What is so now in one place by itself: of a village its households; of a township those whose village is not known; of
    the county those of no known place. `digest` is of the rows, `sets` (number, members, covered, missing, unknown, blind)."""

    digest: str = hashlib.sha256(b"").hexdigest()
    households: int = 0
    states: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(STATES, 0))
    sets: tuple[tuple[int, ...], ...] = ()
    verified: tuple[int, ...] = ()

    @property
    def mark(self) -> str:
        """Tells two states of a place apart."""
        return _sha(json.dumps([self.digest, self.sets], separators=(",", ":")))


@dataclass(frozen=True)
class Seal:
    """One signature as it is shown."""

    id: int
    level: str
    township: str | None
    village: str | None
    sha256: str
    households: int
    nobody: int
    note: str
    by: str
    role: str
    at: datetime
    run_id: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """A place with its last signature and how that stands to the facts. `below`: places under it, `ready` of them signed and
    unchanged; `missing` some that are not. `households` and `nobody` count the place with all below it."""

    place: Place
    state: str
    seal: Seal | None
    facts: Facts
    households: int
    nobody: int
    below: int = 0
    ready: int = 0
    missing: tuple[str, ...] = ()

    @property
    def level(self) -> str:
        return level_of(self.place)

    @property
    def waiting(self) -> int:
        """Places below without a signature that holds."""
        return self.below - self.ready


def facts_now(warehouse: Warehouse, scope: Scope, live: Live) -> dict[Place, Facts]:
    """Every place of the scope that has households or members of a set, by itself."""
    with_, params = stated(live)
    where = scope.limit()
    counted = ", ".join(f"count(*) filter (state = '{state}') as {state}" for state in STATES)
    rows = warehouse.rows(
        f"""with {with_} select township, village, count(*) as households, {counted},
                sha256(string_agg(line, chr(10) order by line)) as digest
            from (select *, {_LINE} as line from stated) {where.where} group by township, village""",
        {**params, **where.params},
    )
    sets: dict[Place, list[tuple[int, ...]]] = {}
    for row in checklist.counts(warehouse, scope, live, ("township", "village")).iter_rows(named=True):
        told = (row["number"], row["members"], row["covered"], row["missing"], row["unknown"], row["blind"])
        sets.setdefault((row["township"], row["village"]), []).append(told)
    found: dict[Place, Facts] = {}
    by_place = {(row["township"], row["village"]): row for row in rows}
    for place in {*by_place, *sets}:
        counted_here, of = by_place.get(place), sets.get(place, [])
        states = {state: int(counted_here[state]) if counted_here else 0 for state in STATES}
        frozen = tuple(sorted(told for told in of if told[0] != checklist.FROM_STORE))
        verified = next((told for told in of if told[0] == checklist.FROM_STORE), ())
        digest, households = (
            (counted_here["digest"], int(counted_here["households"])) if counted_here else (Facts().digest, 0)
        )
        found[place] = Facts(digest, households, states, frozen, verified)
    return found


def standings(con: Connection, period: str, facts: Mapping[Place, Facts]) -> dict[Place, Standing]:
    """Every place with its signature held against the facts, villages first, then townships, then the county."""
    last = _last_seals(con, period)
    found: dict[Place, Standing] = {}
    townships = sorted({township for township, _ in facts if township is not None})
    for village in sorted(
        (place for place in facts if None not in place), key=lambda place: (place[0] or "", place[1] or "")
    ):
        found[village] = _standing(village, last.get(village), facts[village], [])
    for township in townships:
        below = [one for place, one in found.items() if place[0] == township]
        place: Place = (township, None)
        found[place] = _standing(place, last.get(place), facts.get(place, Facts()), below)
    county: Place = (None, None)
    found[county] = _standing(
        county, last.get(county), facts.get(county, Facts()), [found[township, None] for township in townships]
    )
    return found


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
    lines = _lines(warehouse, live, place)
    with acting(store, caller, f"checklist.sign_{level}", at) as act:
        _allowed(act, place)
        account = named(act)
        everywhere = standings(act.con, of.period, facts)
        now = everywhere.get(place)
        if now is None or not (now.households or level == COUNTY):
            raise Denied("台账里没有这个地方")
        content = _content(of.period, place, now, list(everywhere.values()))
        said = _may_sign(now, note, seen)
        text = _canonical(content)
        row: dict[str, Any] = {
            "period": of.period, "level": level, "township": township, "village": village, "run_id": of.run, "content": text,
            "rows": lines, "sha256": _sha(text), "households": now.households, "nobody": now.nobody, "note": said,
            "account_id": account, "by": act.person.person, "role": act.person.role, "at": at,
        }  # fmt: skip
        key = int(act.con.execute(insert(seal).values(row).returning(seal.c.id)).scalar_one())
        told = {
            name: row[name] for name in ("period", "level", "township", "village", "sha256", "households", "nobody")
        }
        act.journal("checklist.sign", f"seal:{key}", run=of.run, **told)
        return _seal({**row, "id": key})


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
        return [_seal(row) for row in act.con.execute(asked).mappings()]


@dataclass(frozen=True)
class Change:
    """One difference to what was signed: a household (its shown number) or a set; `before` and `now` are (state, what it rests
    on) of a household, the counts of a set; None where it was or is not there."""

    what: str
    set: bool
    before: tuple[str, ...] | None
    now: tuple[str, ...] | None


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
    before, now = _by_first(row["rows"]), _by_first(_lines(warehouse, live, place))
    found = [
        Change(key, False, before.get(key), now.get(key))
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]
    sets = {str(told[0]): tuple(map(str, told[1:])) for told in json.loads(row["content"])["sets"]}
    sets_now = {str(told[0]): tuple(map(str, told[1:])) for told in facts.sets}
    return found + [
        Change(key, True, sets.get(key), sets_now.get(key))
        for key in sorted({*sets, *sets_now}, key=int)
        if sets.get(key) != sets_now.get(key)
    ]


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
        if _sha(row.content) != row.sha256 or _sha(row.rows) != content["rows_sha256"] or journalled != row.sha256:
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


def _standing(place: Place, last: Seal | None, facts: Facts, below: Sequence[Standing]) -> Standing:
    waiting = [one for one in below if one.state != INTACT]
    state = UNSIGNED
    if last is not None:
        same = (
            last.content["rows_sha256"] == facts.digest and [list(told) for told in facts.sets] == last.content["sets"]
        )
        rests = last.content["below"] == _rests_on(below)
        state = BROKEN if not same else INTACT if rests and not waiting else UNDERMINED
    return Standing(
        place, state, last, facts, facts.households + sum(one.households for one in below),
        facts.states[NOBODY] + sum(one.nobody for one in below), len(below), len(below) - len(waiting),
        tuple(one.place[1] or one.place[0] or "" for one in waiting[:3]),
    )  # fmt: skip


def _rests_on(below: Sequence[Standing]) -> list[list[Any]]:
    return [[one.place[1] or one.place[0], one.seal.sha256 if one.seal else None] for one in below]


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
        "sets": [list(told) for told in now.facts.sets], "verified": list(now.facts.verified), "below": _rests_on(below),
    }  # fmt: skip


def _lines(warehouse: Warehouse, live: Live, place: Place) -> str:
    """The rows of a place by itself, as they are signed."""
    with_, params = stated(live)
    where = Filter()
    for column, value in zip(("township", "village"), place, strict=True):
        where.add(f"{column} is null") if value is None else where.add(f"{column} = ${column}", **{column: value})
    row = warehouse.row(
        f"with {with_} select string_agg(line, chr(10) order by line) as lines from (select {_LINE} as line from stated {where.where})",
        {**params, **where.params},
    )
    return str(row["lines"] or "")


def _by_first(lines: str) -> dict[str, tuple[str, ...]]:
    parts = (line.split("\t") for line in lines.split("\n") if line)
    return {first: tuple(rest) for first, *rest in parts}


def _last_seals(con: Connection, period: str) -> dict[Place, Seal]:
    newest = select(func.max(seal.c.id)).where(seal.c.period == period).group_by(seal.c.township, seal.c.village)
    columns = [column for column in seal.c if column.name != "rows"]
    rows = con.execute(select(*columns).where(seal.c.id.in_(newest))).mappings()
    return {(row["township"], row["village"]): _seal(row) for row in rows}


def _at(place: Place) -> list[Any]:
    return [
        column.is_(None) if value is None else column == value
        for column, value in zip((seal.c.township, seal.c.village), place, strict=True)
    ]


def _seal(row: Mapping[str, Any] | RowMapping) -> Seal:
    names = (
        "id",
        "level",
        "township",
        "village",
        "sha256",
        "households",
        "nobody",
        "note",
        "by",
        "role",
        "at",
        "run_id",
    )
    return Seal(**{name: row[name] for name in names}, content=json.loads(row["content"]))


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
