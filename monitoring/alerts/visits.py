"""The visits of a household that were recorded here: for its alerts, and as one of the month's sample. What departments deliver of
visits stands in the published run; lists of visits show both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from monitoring.alerts.details import in_places
from monitoring.alerts.verifying import FINDINGS
from monitoring.misses.results import RESULTS
from monitoring.people import Acting, Caller, reading
from monitoring.store import Store
from monitoring.store.schema import alert, audit_sample, audit_visit, visit

Pair = tuple[str, str]
SOURCES: dict[str, Pair] = {"alert": ("预警核实", "For an alert"), "sample": ("漏判抽查", "Of the sample")}
MET: dict[bool, Pair] = {True: ("见到本人", "somebody was met"), False: ("没有见到人", "nobody was met")}


@dataclass(frozen=True)
class Visited:
    """`source` as in SOURCES; `found`: what was found, in both languages. What was typed of it stays with the alert."""

    day: date
    visitor: str
    source: str
    found: tuple[Pair, ...]


def visits_of(store: Store, caller: Caller, household_id: str, at: datetime) -> list[Visited]:
    """Of the caller's places, the latest first. Raises Denied, SessionOver."""
    with reading(store, caller, "household.view", at) as act:
        return recorded(act, household_id)


def recorded(act: Acting, household_id: str) -> list[Visited]:
    for_alerts = (
        select(visit.c.date, visit.c.visitor, visit.c.met, visit.c.finding, visit.c.at)
        .join_from(visit, alert, alert.c.id == visit.c.alert_id)
        .where(visit.c.household_id == household_id, *in_places(act.person))
    )
    limit = act.person.limit(audit_sample.c.township, audit_sample.c.village)
    sampled = (
        select(audit_visit.c.date, audit_visit.c.visitor, audit_visit.c.result, audit_visit.c.at)
        .join_from(audit_visit, audit_sample, audit_sample.c.id == audit_visit.c.sample_id)
        .where(audit_sample.c.household_id == household_id, *([] if limit is None else [limit]))
    )
    found = [
        (day, moment, Visited(day, visitor, "alert", (MET[met], FINDINGS[finding])))
        for day, visitor, met, finding, moment in act.con.execute(for_alerts)
    ]
    found += [
        (day, moment, Visited(day, visitor, "sample", ((RESULTS[result].zh, RESULTS[result].en),)))
        for day, visitor, result, moment in act.con.execute(sampled)
    ]
    return [one for *_, one in sorted(found, key=lambda one: one[:2], reverse=True)]
