"""How every place stands: its facts as they are now, the last signature on it, and whether the two still agree.

A place's own facts are the ledger's rows of it (as canonical lines with their digest) and the counts of its sets. A place
whose own facts differ from what was signed is **broken**, and that place alone; a level that rests on it is **undermined**.
Set 17 is frozen with the rest but not compared: it ages by the clock, without any fact changing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.engine import RowMapping

from monitoring.access import Filter, Scope
from monitoring.queries import checklist
from monitoring.store.schema import seal
from monitoring.vouching.live import Live
from monitoring.vouching.stating import NOBODY, STATES, stated
from monitoring.warehouse import Warehouse

VILLAGE, TOWNSHIP, COUNTY = LEVELS = ("village", "township", "county")
UNSIGNED, INTACT, BROKEN, UNDERMINED = "unsigned", "intact", "broken", "undermined"
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
        return sha(json.dumps([self.digest, self.sets], separators=(",", ":")))


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
    last = last_seals(con, period)
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


def _standing(place: Place, last: Seal | None, facts: Facts, below: Sequence[Standing]) -> Standing:
    waiting = [one for one in below if one.state != INTACT]
    state = UNSIGNED
    if last is not None:
        same = (
            last.content["rows_sha256"] == facts.digest and [list(told) for told in facts.sets] == last.content["sets"]
        )
        rests = last.content["below"] == rests_on(below)
        state = BROKEN if not same else INTACT if rests and not waiting else UNDERMINED
    return Standing(
        place, state, last, facts, facts.households + sum(one.households for one in below),
        facts.states[NOBODY] + sum(one.nobody for one in below), len(below), len(below) - len(waiting),
        tuple(one.place[1] or one.place[0] or "" for one in waiting[:3]),
    )  # fmt: skip


def rests_on(below: Sequence[Standing]) -> list[list[Any]]:
    return [[one.place[1] or one.place[0], one.seal.sha256 if one.seal else None] for one in below]


def lines_of(warehouse: Warehouse, live: Live, place: Place) -> str:
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


def last_seals(con: Connection, period: str) -> dict[Place, Seal]:
    newest = select(func.max(seal.c.id)).where(seal.c.period == period).group_by(seal.c.township, seal.c.village)
    columns = [column for column in seal.c if column.name != "rows"]
    rows = con.execute(select(*columns).where(seal.c.id.in_(newest))).mappings()
    return {(row["township"], row["village"]): seal_of(row) for row in rows}


def seal_of(row: Mapping[str, Any] | RowMapping) -> Seal:
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


@dataclass(frozen=True)
class Change:
    """One difference to what was signed: a household (its shown number) or a set; `before` and `now` are (state, what it rests
    on) of a household, the counts of a set; None where it was or is not there."""

    what: str
    set: bool
    before: tuple[str, ...] | None
    now: tuple[str, ...] | None


def differences(rows: str, content: str, lines: str, sets: Sequence[tuple[int, ...]]) -> list[Change]:
    """What differs between a signature's frozen rows and content and what its place has now; households first, then sets."""
    before, now = _by_first(rows), _by_first(lines)
    found = [
        Change(key, False, before.get(key), now.get(key))
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]
    frozen = {str(told[0]): tuple(map(str, told[1:])) for told in json.loads(content)["sets"]}
    counted = {str(told[0]): tuple(map(str, told[1:])) for told in sets}
    return found + [
        Change(key, True, frozen.get(key), counted.get(key))
        for key in sorted({*frozen, *counted}, key=int)
        if frozen.get(key) != counted.get(key)
    ]


def _by_first(lines: str) -> dict[str, tuple[str, ...]]:
    parts = (line.split("\t") for line in lines.split("\n") if line)
    return {first: tuple(rest) for first, *rest in parts}


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
