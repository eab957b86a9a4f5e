"""Puts the stories together into one county, and reads what a run says of every subject."""

from __future__ import annotations

from pathlib import Path

from monitoring.rules import compile_rules, load_policy
from tests.cases import exits, gaps, gaps_of_persons, interplay, process, risks
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
    for part in (gaps, gaps_of_persons, risks, exits, process, interplay):
        part.tell(c)
    for name, pack in PACKS.items():
        c.says("POL-POVERTY-LINE", name, lambda p, k=pack: (p.standard * 12 < 4000) if p == k else None)
        c.says(
            "POL-URBAN-RURAL", name, lambda p, k=pack: (p.standard < 0.8 * p.urban) if p == k else None, level="yellow"
        )
    return c


def bare_county() -> County:
    """A county in which most feeds never had a file: what they would say is unknown, or counts as none."""
    c = County()
    h = c.house("on dibao", "1981-05-05", "2014-04-04").dibao()
    for rule in (
        "GAP-INSURANCE",
        "GAP-EDUCATION",
        "GAP-DIS-LIVING",
        "GAP-DIS-CARE",
        "RISK-NEW-DISABILITY",
        "RISK-SHARED",
    ):
        h.says(rule, "unknown", h.head)
    h.says("RISK-MEDICAL", "unknown").says("RISK-RIGID", "unknown").says("GAP-MEDICAL-AID", "unknown", h.head)
    h.says("EXIT-VEHICLE", "clear", h.head).says("EXIT-HOMES", "clear").says("EXIT-BUSINESS", "clear", h.head)
    h.says("RISK-HOUSING", "clear").says("RISK-WATER", "clear").says("RISK-DROPOUT", "unknown", h.members[1])
    h = c.house("poor and on no list").check(400)
    h.says("GAP-DIBAO", "hit").says("GAP-REPEAT-AID", "unknown", h.head).says("RISK-POTENTIAL", "clear")
    h.says("GAP-GRADUATE", "clear", h.head).says("RISK-DISASTER", "clear").says("GAP-RIGID", "clear")
    h = c.house("at risk").monitored(识别日期="2026-10-01").check(400)
    h.says("GAP-AT-RISK", "hit").says("GAP-RETURN-AID", "unknown").says("PROC-VISIT-MONITORED", "unknown")
    h = c.house("at risk, visit told").monitored(最近走访日期="2026-11-01").says("PROC-VISIT-MONITORED", "clear")
    h = c.house("on tekun", "1950-01-01").tekun(供养方式="分散供养")
    h.says("PROC-VISIT-TEKUN", "unknown", h.head)
    h = c.house("a member died", "1981-05-05", "1986-06-06")
    h.died(h.members[1], "2026-06-06").check(400).says("GAP-SHOCK-AID", "unknown")
    h.says("EXIT-DECEASED", "unknown", h.members[1]).says("RISK-EARNER-DEATH", "unknown")
    h = c.house("dead and on dibao", "1981-05-05", "1986-06-06")
    h.died(h.members[1], "2026-06-06").dibao(h.members[1]).says("EXIT-DECEASED", "hit", h.members[1])
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
