"""Published months for tests of what reads signals: DuckDB files with the tables that alerts are made from.

    month = publish(folder, "2026-11", [Signal("GAP-DIBAO", "H1"), Signal("RISK-MEDICAL", "H1", level="orange")])
    month.take_in(store)

A household that a signal names has one member, its head, unless `households` says otherwise.
"""

from __future__ import annotations

import calendar
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from monitoring.alerts.comparing import AlertSettings
from monitoring.alerts.syncing import TakenIn, take_in
from monitoring.store import Store
from monitoring.tables import SNAPSHOTS
from monitoring.working_days import add_working_days, local_day
from pipelines.assess import LEVEL_ORDER
from tests.people import TOWN, VILLAGE

DAYS = {"red": 3, "orange": 5, "yellow": 10, "blue": 20}
CONDITIONS = {
    "GAP-DIBAO": "income_pc < standard AND property_fits",
    "RISK-MEDICAL": "medical_12m >= $risk_medical_self_paid",
}
NUMBER = "500999195603021234"
_SIGNAL = {
    "period": pl.String, "rule": pl.String, "kind": pl.String, "level": pl.String, "subject": pl.String,
    "household_id": pl.String, "person_id": pl.Int64, "id_number": pl.String, "name": pl.String, "township": pl.String,
    "village": pl.String, "department": pl.String, "due_date": pl.Date, "evidence": pl.String, "clause": pl.String,
    "message": pl.String, "record_key": pl.String, "message_en": pl.String, "household_key": pl.Int64, "level_order": pl.Int32,
}  # fmt: skip


@dataclass(frozen=True)
class Signal:
    """One signal as `pipelines.assess` writes it; `evidence` is what the rule read."""

    rule: str = "GAP-DIBAO"
    household: str | None = "H1"
    level: str = "red"
    kind: str = ""
    subject: str = "household"
    person: int | None = None
    record: str | None = None
    name: str = "周德福"
    evidence: Mapping[str, Any] = field(default_factory=lambda: {"income_pc": 500, "standard": 600})
    message: str = ""
    department: str = "民政"
    township: str = TOWN

    @property
    def kind_told(self) -> str:
        return self.kind or {"GAP": "gap", "RISK": "risk", "EXIT": "exit", "PROC": "process"}.get(self.rule[:4].rstrip("-"), "data")  # fmt: skip


@dataclass(frozen=True)
class Month:
    """One published file. It is taken in on the third day after its end, unless told otherwise."""

    path: Path
    run: str
    period: str
    as_of: date

    @property
    def at(self) -> datetime:
        return datetime(self.as_of.year, self.as_of.month, self.as_of.day, 4, tzinfo=UTC) + timedelta(3)

    @property
    def day(self) -> date:
        """The day on which it is taken in: limits count from it, since it is after the run's."""
        return local_day(self.at)

    def take_in(self, store: Store, settings: AlertSettings | None = None, at: datetime | None = None) -> TakenIn:
        return take_in(store, self.path, self.run, self.period, self.as_of, at or self.at, settings)


def publish(
    folder: Path,
    period: str,
    signals: Iterable[Signal],
    *,
    run: str = "",
    households: Mapping[str, Mapping[str, Any]] | None = None,
    scores: Mapping[str, float] | None = None,
    versions: Mapping[str, str] | None = None,
) -> Month:
    """Writes the file. `households`: facts by household_id, with `members` (facts of persons, the head first), whose
    keys follow this order; `versions`: the
    digest of a rule's file."""
    run = run or f"{period}-1"
    year, number = map(int, period.split("-"))
    as_of = date(year, number, calendar.monthrange(year, number)[1])
    told = list(signals)
    named = dict.fromkeys([*(households or {}), *(one.household for one in told if one.household)])
    keys = {household: n for n, household in enumerate(named, 1)}
    path = folder / f"{run}.duckdb"
    with duckdb.connect(str(path)) as con:
        _tables(con)
        _rows(con, "signal", [_signal(one, period, as_of, keys) for one in told], _SIGNAL)
        homes = [_household(key, household, (households or {}).get(household, {})) for household, key in keys.items()]
        members = [member for home in homes for member in home.pop("members")]
        _rows(con, "household", [{k: v for k, v in home.items() if k in _HOUSEHOLD} for home in homes], _HOUSEHOLD)
        _rows(con, "household_snapshot", homes, _HOME)
        _rows(con, "person_snapshot", members, _PERSON)
        rules = {one.rule: one for one in sorted(told, key=lambda one: one.rule)}
        _rows(con, "rule", [_rule(one, (versions or {}).get(code, code)) for code, one in rules.items()], _RULE)
        con.execute("INSERT INTO feed_snapshot (feed, title) VALUES ('medical', '医保结算')")
        con.execute("INSERT INTO run VALUES (?, ?, ?, ?)", [run, period, as_of, len(told)])
        if scores is not None:
            con.execute("CREATE TABLE risk_score (household_key BIGINT, score DOUBLE)")
            _rows(con, "risk_score", [{"household_key": keys[h], "score": s} for h, s in scores.items()], _SCORE)
    return Month(path, run, period, as_of)


_HOUSEHOLD = {
    "household_key": pl.Int64, "household_id": pl.String, "township": pl.String, "village": pl.String, "head_person_id": pl.Int64,
}  # fmt: skip
_HOME = _HOUSEHOLD | {"size": pl.Int64, "whole_household_dibao": pl.Boolean, "all_tekun": pl.Boolean}
_PERSON = {
    "household_key": pl.Int64, "person_id": pl.Int64, "name": pl.String, "number": pl.String, "alive": pl.Boolean,
    "age": pl.Int64, "severe": pl.Boolean, "lives_alone": pl.Boolean,
}  # fmt: skip
_RULE = dict.fromkeys(("rule", "when_text", "kind", "level", "title_zh", "title_en", "sha256"), pl.String)
_SCORE = {"household_key": pl.Int64, "score": pl.Float64}


def _tables(con: duckdb.DuckDBPyConnection) -> None:
    types = {pl.String: "VARCHAR", pl.Int64: "BIGINT", pl.Int32: "INTEGER", pl.Date: "DATE"}
    columns = ", ".join(f"{name} {types[kind]}" for name, kind in _SIGNAL.items())
    con.execute(f"""
        CREATE TABLE signal ({columns});
        CREATE TABLE rule (rule VARCHAR, when_text VARCHAR, kind VARCHAR, level VARCHAR, title_zh VARCHAR, title_en VARCHAR, sha256 VARCHAR);
        CREATE TABLE run (run_id VARCHAR, period VARCHAR, as_of DATE, signals BIGINT);
        CREATE TABLE household (household_key BIGINT, household_id VARCHAR, township VARCHAR, village VARCHAR, head_person_id BIGINT)""")
    for subject in ("household", "person", "feed"):
        described = ", ".join(f'"{name}" {column.type}' for name, column in SNAPSHOTS[subject].items())
        con.execute(f"CREATE TABLE {subject}_snapshot ({described})")


def _rows(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]], schema: Mapping[str, Any]) -> None:
    if rows:
        con.register("told", pl.DataFrame(rows, schema=dict(schema)).to_arrow())
        con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM told")
        con.unregister("told")


def _signal(one: Signal, period: str, as_of: date, keys: Mapping[str, int]) -> dict[str, Any]:
    key = keys.get(one.household or "")
    return {
        "period": period, "rule": one.rule, "kind": one.kind_told, "level": one.level, "subject": one.subject,
        "household_id": one.household, "person_id": one.person if one.subject != "household" else None, "id_number": None,
        "name": one.name, "township": one.township, "village": VILLAGE, "department": one.department,
        "due_date": add_working_days(as_of, DAYS[one.level]), "evidence": json.dumps(one.evidence, ensure_ascii=False),
        "clause": "MF 二（二）", "message": one.message or f"{one.name}户命中 {one.rule}", "record_key": one.record,
        "message_en": f"Hit {one.rule}", "household_key": key, "level_order": LEVEL_ORDER[one.level],
    }  # fmt: skip


def _rule(one: Signal, sha256: str) -> dict[str, Any]:
    return {
        "rule": one.rule, "when_text": CONDITIONS.get(one.rule, ""), "kind": one.kind_told, "level": one.level, "title_zh": f"规则{one.rule}",
        "title_en": f"Rule {one.rule}", "sha256": sha256,
    }  # fmt: skip


def _household(key: int, household: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    plain = {"name": "周德福", "number": NUMBER, "alive": True, "age": 40, "severe": False, "lives_alone": None}
    members = [
        plain | {"household_key": key, "person_id": key * 100 + n} | member
        for n, member in enumerate(facts.get("members", [{}]))
    ]
    row = {
        "household_key": key, "household_id": household, "township": TOWN, "village": VILLAGE,
        "head_person_id": members[0]["person_id"], "size": len(members), "whole_household_dibao": False, "all_tekun": False,
    }  # fmt: skip
    return row | {name: value for name, value in facts.items() if name != "members"} | {"members": members}
