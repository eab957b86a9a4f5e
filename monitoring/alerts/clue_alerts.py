"""The alerts that the clues of one file meet: looked up at once, changed clue by clue in memory, and written at once.

The next clue of a file may join the alert that this one opened, so that their order tells; what each does is told in
`clue_effects`. Within the caller's transaction, and nobody else changes or opens an alert meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, bindparam, func, select, text, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.sql import ColumnElement

from monitoring.alerts.cases import event_rows
from monitoring.alerts.clue_effects import HOLDING, NewClue, Row, answered, joined, opened, told, told_answer
from monitoring.people import Acting
from monitoring.store.bulk import BATCH, execute_many, insert_rows
from monitoring.store.schema import alert, alert_signal, clue

Subject = tuple[str, str]  # an alert's subject and its key
Events = list[dict[str, Any]]  # rows of `alert_event`

# What a clue, or its conclusion, changes in an alert.
_CHANGED = (
    "level", "level_order", "emergency", "raises_work", "offers_closing", "due_date", "verify_due_date", "points", "why",
    "rank", "version",
)  # fmt: skip


@dataclass
class _Met:
    """An alert on its way through a file: its `row` as it will be, how many of its clues are not concluded, whether a signal
    holds. `fresh`: the file opened it, and none of its clues is told yet."""

    row: dict[str, Any]
    waiting: int = 0
    holds: bool = False
    fresh: bool = False
    changed: bool = False


class AlertsMet:
    """Open alerts of `subjects`, and those of which a clue is concluded (`ids`), whether open or not."""

    def __init__(self, act: Acting, subjects: Collection[Subject], ids: Collection[int]) -> None:
        self._act = act
        if (subjects or ids) and not act.store.sqlite:  # SQLite's writers come one after the other anyway
            act.con.execute(text("lock table alert in share row exclusive mode"))
        unclosed = select(alert).where(alert.c.closed_at.is_(None))
        found = [*self._of_subjects(unclosed, subjects), *self._among(select(alert), alert.c.id, ids)]
        self._met = {row["id"]: _Met(dict(row)) for row in found}
        self._open = {_subject(of.row): of for of in self._met.values() if of.row["closed_at"] is None}
        waiting = select(clue.c.alert_id, func.count().label("clues")).where(clue.c.concluded_on.is_(None))
        for row in self._among(waiting.group_by(clue.c.alert_id), clue.c.alert_id, self._met):
            self._met[row["alert_id"]].waiting = row["clues"]
        holding = select(alert_signal.c.alert_id).where(alert_signal.c.state.in_(HOLDING)).distinct()
        for row in self._among(holding, alert_signal.c.alert_id, ids):
            self._met[row["alert_id"]].holds = True

    def open(self, live: Sequence[tuple[Subject, NewClue, date]]) -> None:
        """Opens an alert for the first clue, with its limit, of each subject that has none open."""
        first = dict[Subject, tuple[NewClue, date]]()
        for subject, new, due in live:
            if subject not in self._open:
                first.setdefault(subject, (new, due))
        last = select(alert.c.subject, alert.c.subject_key, func.max(alert.c.id).label("id"))
        last = last.group_by(alert.c.subject, alert.c.subject_key)
        before = self._ids(last, first)
        rows = [opened(new, subject, due, self._act.at, before.get(subject)) for subject, (new, due) in first.items()]
        insert_rows(self._act.con, alert, rows)
        ids = self._ids(last, first)
        for subject, row in zip(first, rows, strict=True):
            self._open[subject] = self._met[ids[subject]] = _Met(row | {"id": ids[subject]}, fresh=True)

    def id_of(self, subject: Subject) -> int:
        """The open alert of a subject."""
        return int(self._open[subject].row["id"])

    def receive(self, subject: Subject, new: NewClue, due: date, clue_id: int) -> Events:
        """A new clue opens, or joins, its subject's alert."""
        of = self._open[subject]
        of.waiting += 1
        if of.fresh:
            of.fresh, events = False, told(new, clue_id, None)
        else:
            events = told(new, clue_id, of.row)
            self._change(of, joined(of.row, new, due, of.waiting))
        return self._rows(of, events)

    def conclude(self, row: RowMapping, result: str) -> Events:
        """A clue of the store (its id, alert_id, person, caller) is concluded."""
        of = self._met[row["alert_id"]]
        of.waiting -= 1
        self._change(of, answered(of.row, of.waiting, holds=of.holds))
        return self._rows(of, [told_answer(row, of.row["status"], result)])

    def write(self) -> None:
        """The alerts as they are after the last clue."""
        values: dict[str, Any] = {name: bindparam(f"new_{name}", type_=alert.c[name].type) for name in _CHANGED}
        changed = [
            {"row": key} | {f"new_{name}": of.row[name] for name in _CHANGED}
            for key, of in self._met.items()
            if of.changed
        ]
        execute_many(self._act.con, update(alert).where(alert.c.id == bindparam("row")).values(values), changed)

    def _change(self, of: _Met, changes: Mapping[str, Any]) -> None:
        of.row |= changes
        of.changed = True

    def _rows(self, of: _Met, events: Events) -> Events:
        return event_rows(self._act, of.row["id"], of.row["version"], events)

    def _ids(self, asked: Select[Any], subjects: Collection[Subject]) -> dict[Subject, int]:
        return {_subject(row): row["id"] for row in self._of_subjects(asked, subjects)}

    def _of_subjects(self, asked: Select[Any], subjects: Collection[Subject]) -> Iterator[RowMapping]:
        for kind in sorted({kind for kind, _ in subjects}):
            keys = [key for of, key in subjects if of == kind]
            yield from self._among(asked.where(alert.c.subject == kind), alert.c.subject_key, keys)

    def _among(self, asked: Select[Any], column: ColumnElement[Any], values: Collection[Any]) -> Iterator[RowMapping]:
        """The rows whose column is one of some values, of which a statement can name so many."""
        every = sorted(values)
        for start in range(0, len(every), BATCH):
            yield from self._act.con.execute(asked.where(column.in_(every[start : start + BATCH]))).mappings()


def _subject(row: Row) -> Subject:
    return row["subject"], row["subject_key"]
