"""The clues that departments deliver as a file (data/feeds/clues.toml), with the run's signals: read from a published run
(`clues_of_run`), and taken into the case store (`take_in_delivered`) under the department's own number and limit.

They open or join alerts as a typed one does, and the file says when they are concluded. A file holds many thousands, of which
most are over: what they change is worked out in memory and written at once, in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.engine import RowMapping

from monitoring.alerts.clue_alerts import AlertsMet, Subject
from monitoring.alerts.clue_effects import CHANNELS, NewClue, clue_row, due_date, subject_of
from monitoring.alerts.deadlines import LIMITS
from monitoring.people import Acting
from monitoring.store.bulk import execute_many, insert_rows
from monitoring.store.schema import alert_event, clue
from monitoring.warehouse import Warehouse

_CODES = {channel.zh: code for code, channel in CHANNELS.items()}
_TABLE = "select 1 as held from duckdb_tables() where table_name = 'std_clues'"
_ROWS = """
    select c.clue_number, c.name, c.channel, c.registered_date, c.request, c.due_date, c.concluded_date, c.outcome,
        h.household_id, coalesce(h.township, c.township) as township, coalesce(h.village, c.village) as village
    from std_clues c
    left join person_snapshot p on p.person_id = c.person_id
    left join household_snapshot h on h.household_key = p.household_key
    cross join run r
    where c.counts and c.registered_date <= r.as_of
    qualify row_number() over (partition by c.clue_number order by c.delivered desc, c.part desc, c.row desc) = 1
    order by c.registered_date, c.clue_number
"""


@dataclass(frozen=True)
class Delivered:
    """A clue as a department's file has it, under the department's number; `due_date` None where the file says none."""

    number: str
    clue: NewClue
    due_date: date | None
    concluded_on: date | None
    result: str | None


def clues_of_run(warehouse: Warehouse) -> list[Delivered]:
    """One for each clue number, the oldest first; what the run did not know yet at its day is not in it."""
    if not warehouse.rows(_TABLE):
        return []
    return [
        Delivered(
            row["clue_number"],
            NewClue(
                _CODES.get(row["channel"] or "", "other"), row["registered_date"], (row["name"] or "")[:64],
                row["request"] or row["channel"] or "", caller=(row["name"] or "")[:64], household_id=row["household_id"],
                township=row["township"], village=row["village"],
            ),
            row["due_date"], row["concluded_date"], row["outcome"],
        )
        for row in warehouse.rows(_ROWS)
    ]  # fmt: skip


def take_in_delivered(act: Acting, delivered: Iterable[Delivered], limits: Mapping[str, int] = LIMITS) -> int:
    """Clues of a file, each number once, within the run's own transaction: new ones open or join alerts, those that were
    concluded since are concluded. How many changed anything; the same file again changes nothing."""
    changes = _changes(act, delivered, limits)
    if not changes:
        return 0
    new = [change for change in changes if change.kept is None]
    live = [(change.subject, change.told.clue, change.due) for change in new if change.subject]
    ended = [(change.kept, change.told) for change in changes if change.kept]
    alerts = AlertsMet(act, {subject for subject, _, _ in live}, {kept["alert_id"] for kept, _ in ended})
    alerts.open(live)
    ids = _written(act, new, alerts)
    events = list[dict[str, Any]]()
    for change in changes:
        if change.kept:
            events += alerts.conclude(change.kept, change.told.result or "")
        elif change.subject:
            events += alerts.receive(change.subject, change.told.clue, change.due, ids[change.told.number])
    alerts.write()
    concluded = update(clue).where(clue.c.id == bindparam("row"))
    concluded = concluded.values(concluded_on=bindparam("on"), result=bindparam("said"))
    said = [{"row": kept["id"], "on": one.concluded_on, "said": one.result or ""} for kept, one in ended]
    execute_many(act.con, concluded, said)
    insert_rows(act.con, alert_event, events)
    return len(changes)


@dataclass(frozen=True)
class _Change:
    """A clue of a file that changes something: one that is new, or that was concluded since (`kept`, as the store has it).
    `subject`: whose alert a new one opens or joins; None where it was over before it came: there is nothing to do any more,
    but it counts for those who call again."""

    told: Delivered
    due: date
    kept: RowMapping | None
    subject: Subject | None


def _changes(act: Acting, delivered: Iterable[Delivered], limits: Mapping[str, int]) -> list[_Change]:
    names = ("number", "id", "alert_id", "due_date", "concluded_on", "person", "caller")
    asked = select(*(clue.c[name] for name in names)).where(clue.c.number.is_not(None))
    known = {row["number"]: row for row in act.con.execute(asked).mappings()}
    changes = []
    for one in delivered:
        kept, over = known.get(one.number), one.concluded_on is not None
        if kept is None:
            subject = None if over else subject_of(act.store.key, one.clue)
            changes.append(_Change(one, one.due_date or due_date(one.clue, limits), None, subject))
        elif over and kept["concluded_on"] is None:
            changes.append(_Change(one, kept["due_date"], kept, None))
    return changes


def _written(act: Acting, new: Sequence[_Change], alerts: AlertsMet) -> dict[str, int]:
    """Writes the new clues; by its number the id of each that has an alert."""
    last = act.con.execute(select(func.max(clue.c.id))).scalar() or 0
    rows = [
        clue_row(
            act.store.key, of.told.clue, of.due, act.at, alerts.id_of(of.subject) if of.subject else None,
            number=of.told.number, concluded_on=of.told.concluded_on, result=None if of.subject else of.told.result,
        )
        for of in new
    ]  # fmt: skip
    insert_rows(act.con, clue, rows)
    asked = select(clue.c.number, clue.c.id).where(clue.c.id > last, clue.c.alert_id.is_not(None))
    return {row.number: row.id for row in act.con.execute(asked).all()}
