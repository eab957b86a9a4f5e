"""A household's visits, whoever wrote them down: departments' ledgers, and what was recorded here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from monitoring.alerts.visits import SOURCES, visits_of
from monitoring.queries import household
from monitoring.ui import View


@dataclass(frozen=True)
class Seen:
    """One visit in words of the page's language; `source` says where it is written down."""

    day: date
    visitor: str
    mode: str
    found: str
    source: str


def visits(view: View, key: int) -> list[Seen]:
    """The latest first."""
    t = view.t
    told = [
        Seen(row["visited_date"], row["visitor"] or "", t(row["visit_mode"] or "入户"), row["finding"] or "", t("台账"))
        for row in view.ask(household.visits, key).to_dicts()
    ]
    known = view.ask(household.number_of, key)
    for one in view.read(visits_of, known) if known else ():
        found = t.clauses(t.pick(*pair) for pair in one.found)
        told.append(Seen(one.day, one.visitor, t("入户"), found, t.pick(*SOURCES[one.source])))
    return sorted(told, key=lambda one: one.day, reverse=True)
