"""Alerts for tests, written directly: `add_alert(store, household_id="H1", level="red")`; what is not said is plain."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import insert, select, text

from monitoring.store import Store
from monitoring.store.schema import alert, alert_event, alert_signal
from tests.people import TOWN, VILLAGE
from tests.stores import NOON

TODAY = date(2026, 11, 23)  # Monday: the county's day of NOON
ORDER = {"red": 1, "orange": 2, "yellow": 3, "blue": 4}


def alert_row(**fields: Any) -> dict[str, Any]:
    """A row of `alert`: a new orange alert of a household in TOWN, VILLAGE, to be verified by the Monday after; changed by `fields`."""
    key = fields.get("household_id") or f"H{uuid.uuid4().hex[:10]}"
    level = fields.get("level", "orange")
    opened = fields.get("opened_on", TODAY)
    points = fields.get("points", 50)
    row = {
        "subject": "household", "subject_key": key, "household_id": key, "township": TOWN, "village": VILLAGE,
        "name": "周德福", "find": f"周德福 {VILLAGE}", "level": level, "level_order": ORDER[level], "signals": 1,
        "headline": "本年自付医疗费用较高", "headline_en": "High own medical cost this year", "rules": "medical-cost",
        "kinds": "risk", "departments": "医疗保障局", "raises_work": True, "emergency": False, "offers_closing": False,
        "status": "new", "due_date": date(2026, 11, 30), "verify_due_date": date(2026, 11, 30), "points": points,
        "why": [["级别", points, level]], "rank": points - opened.toordinal(), "opened_period": "2026-11",
        "opened_on": opened, "opened_at": NOON, "origin": "run", "version": 1,
    }  # fmt: skip
    return row | fields


def add_alert(store: Store, signals: Sequence[str] = (), **fields: Any) -> int:
    """One alert with its opening event and a standing signal for each rule named; its id."""
    row = alert_row(**fields)
    with store.write() as con:
        key = int(con.execute(insert(alert).values(row).returning(alert.c.id)).scalar_one())
        con.execute(insert(alert_event).values(_opened(key, row)))
        for rule in signals:
            con.execute(insert(alert_signal).values(signal_row(key, rule, row["subject_key"])))
    return key


def add_alerts(store: Store, count: int, **fields: Any) -> list[int]:
    """Many alerts in one transaction, of ranks that differ; their ids, most urgent first."""
    rows = [alert_row(**({"points": count - n} | fields)) for n in range(count)]
    with store.write() as con:
        con.execute(insert(alert), rows)
        if not store.sqlite:
            con.execute(text("analyze"))  # PostgreSQL does so by itself within a minute
        found = con.execute(select(alert.c.id).order_by(alert.c.rank.desc(), alert.c.id)).scalars().all()
    return list(found)


def signal_row(alert_id: int, rule: str, household_id: str, **fields: Any) -> dict[str, Any]:
    """A row of `alert_signal`: standing, seen in the run of the alert's month."""
    row = {
        "alert_id": alert_id, "rule": rule, "subject_key": f"h:{household_id}", "episode": 1, "state": "standing",
        "kind": "risk", "level": "orange", "level_order": 2, "department": "医疗保障局", "message": "本年自付医疗费用 6,000 元",
        "message_en": "Own medical cost 6,000 yuan", "clause": "示例第1条", "evidence": '[{"name": "own_cost", "value": 6000}]',
        "due_date": date(2026, 11, 30), "first_period": "2026-11", "last_period": "2026-11",
    }  # fmt: skip
    return row | fields


def _opened(alert_id: int, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "alert_id": alert_id, "at": row["opened_at"], "account_id": None, "by": "比对", "event": "opened",
        "status": "new", "note": row["headline"], "detail": {"period": row["opened_period"]},
    }  # fmt: skip
