"""Puts the stories together into one county, and reads what a run says of every subject."""

from __future__ import annotations

from pathlib import Path

from monitoring.rules import compile_rules, load_policy
from tests.cases import exits, gaps, gaps_of_persons, process, risks
from tests.cases.building import PACKS, County
from tests.oracle.calendar import as_of
from tests.runs import connect, exported

PERIOD = "2026-11"
WORDS = {True: "hit", False: "clear", None: "unknown"}
RANK = ("clear", "unknown", "hit")
Verdicts = dict[tuple[str, str], str]
KEYS = {
    "household": ("s.household_id", "household_snapshot"),
    "person": ("coalesce(s.number, s.name)", "person_snapshot"),
    "record": ("coalesce(p.number, s.name)", "record_snapshot"),
    "institution": ("s.institution", "institution_snapshot"),
    "policy": ("s.pack", "policy_snapshot"),
}


def county() -> County:
    """Every case of every rule."""
    c = County()
    c.witness()
    for part in (gaps, gaps_of_persons, risks, exits, process):
        part.tell(c)
    for name, pack in PACKS.items():
        c.says("POL-POVERTY-LINE", name, lambda p, k=pack: (p.standard * 12 < 4000) if p == k else None)
        c.says(
            "POL-URBAN-RURAL", name, lambda p, k=pack: (p.standard < 0.8 * p.urban) if p == k else None, level="yellow"
        )
    return c


def verdicts(home: Path, period: str, pack: str) -> Verdicts:
    """(rule, key) -> hit, clear or unknown, by the compiled rules on the published snapshots; of several records the worst."""
    packs, rules = load_policy(home)
    day = as_of(period)
    found: Verdicts = {}
    with connect(home, period) as con:
        for rule in compile_rules(rules, packs[pack].in_force(day), day):
            if rule.disabled or rule.subject not in KEYS:
                continue
            key, table = KEYS[rule.subject]
            join = "LEFT JOIN resident p ON p.person_id = s.person_id" if rule.subject == "record" else ""
            where = f"WHERE record = '{rule.record}'" if rule.subject == "record" else ""
            sql = f"SELECT {key}, v FROM (SELECT *, ({rule.condition_sql}) AS v FROM {table} {where}) AS s {join}"
            for subject, verdict in con.execute(sql).fetchall():
                now, before = WORDS[verdict], found.get((rule.code, subject), "clear")
                found[rule.code, subject] = max(before, now, key=RANK.index)
    return found


def fired(home: Path, period: str) -> dict[tuple[str, str], set[str]]:
    """(rule, key) -> the levels of its signals, from the export."""
    found: dict[tuple[str, str], set[str]] = {}
    for row in exported(home, period).iter_rows(named=True):
        key = row["household_id"] if row["subject"] == "household" else (row["id_number"] or row["name"])
        found.setdefault((row["rule"], key), set()).add(row["level"])
    return found
