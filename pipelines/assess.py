"""Assess: every rule on every subject, in DuckDB, with three outcomes, evidence and sentences.

Reads the snapshot tables; writes `signal` (one row a hit), `rule_outcome` (hit, clear and unknown by rule and village),
`rule_unknown` (which missing input made how many outcomes unknown), `rule` and `parameter` (what was in force).
Each subject's rules run in one pass; a NULL condition is *unknown*, never clear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb

from monitoring.parameters import Parameters, show_content
from monitoring.rules import CompiledRule, Rule
from monitoring.working_days import add_working_days

LEVEL_ORDER = {"red": 1, "orange": 2, "yellow": 3, "blue": 4}
# What a signal says of its subject: household_id, person_id, id_number, name, record_key, household_key; joins.
SUBJECT = {
    "household": ("s.household_id", "s.head_person_id", "p.number", "p.name", "NULL", "s.household_key",
                  "LEFT JOIN resident p ON p.person_id = s.head_person_id"),
    "person": ("s.household_id", "s.person_id", "s.number", "s.name", "NULL", "s.household_key", ""),
    "record": ("s.household_id", "s.person_id", "p.number", "s.name", "s.record_key", "s.household_key",
               "LEFT JOIN resident p ON p.person_id = s.person_id"),
    "institution": ("NULL", "NULL", "NULL", "s.institution", "s.institution_key", "NULL", ""),
    "feed": ("NULL", "NULL", "NULL", "s.feed", "NULL", "NULL", ""),
    "policy": ("NULL", "NULL", "NULL", "s.pack", "NULL", "NULL", ""),
}  # fmt: skip


def assess(
    con: duckdb.DuckDBPyConnection, compiled: Sequence[CompiledRule], rules: Mapping[str, Rule], parameters: Parameters, period: str, as_of: date
) -> None:
    """Does the whole step on the run's connection."""
    con.execute("""
        CREATE TABLE rule_outcome (rule VARCHAR, township VARCHAR, village VARCHAR, judged BIGINT, hit BIGINT, clear BIGINT, unknown BIGINT)""")
    con.execute("CREATE TABLE rule_unknown (rule VARCHAR, township VARCHAR, village VARCHAR, missing VARCHAR, subjects BIGINT)")
    due = {level: add_working_days(as_of, parameters.whole(f"alert.working_days_{level}") or 0) for level in LEVEL_ORDER}
    hits: list[str] = []
    for subject in SUBJECT:
        mine = [c for c in compiled if c.subject == subject and not c.disabled]
        if not mine:
            continue
        for record in sorted({c.record for c in mine}) if subject == "record" else [""]:
            group = [c for c in mine if c.record == record] if record else mine
            source = _source(subject, record)
            _count(con, source, group)
            hits += [_hits(c, source) for c in group]
    deadline = " ".join(f"WHEN '{level}' THEN DATE '{day.isoformat()}'" for level, day in due.items())
    order = " ".join(f"WHEN '{level}' THEN {n}" for level, n in LEVEL_ORDER.items())
    con.execute(f"""
        CREATE TABLE signal AS
        SELECT '{period}' AS period, rule, kind, level, subject, household_id, person_id::BIGINT AS person_id, id_number, name,
            township, village, department, CASE level {deadline} END AS due_date, evidence, clause, message, record_key, message_en,
            household_key::BIGINT AS household_key, (CASE level {order} END)::INTEGER AS level_order
        FROM ({" UNION ALL ".join(hits)})
        ORDER BY level_order, township, village, household_id, rule, person_id, name, record_key, evidence""")
    _write_rules(con, compiled, rules, as_of)
    _write_parameters(con, parameters)


def _source(subject: str, record: str) -> str:
    """The rows that a group of rules judges, every subject with a township and a village (NULL where it has none)."""
    if subject == "record":
        return f"(SELECT * FROM record_snapshot WHERE record = '{record}')"
    if subject == "institution":
        # Two institutions of one name in one township are told apart by their place among their likes.
        return """(SELECT *, NULL::VARCHAR AS village, concat_ws(' ', institution, township) || CASE WHEN place > 1 THEN ' #' || place
            ELSE '' END AS institution_key FROM (SELECT *, row_number() OVER (PARTITION BY institution, township
            ORDER BY residents, carers, beds, nursing_beds) AS place FROM institution_snapshot))"""
    if subject in ("feed", "policy"):
        return f"(SELECT *, NULL::VARCHAR AS township, NULL::VARCHAR AS village FROM {subject}_snapshot)"
    return f"{subject}_snapshot"


def _count(con: duckdb.DuckDBPyConnection, source: str, group: Sequence[CompiledRule]) -> None:
    """One pass: for every rule and village how many were hit, clear and unknown, and for want of what."""
    columns = dict.fromkeys(column for c in group for column in c.inputs)
    verdicts = ", ".join([*(f'"{x}"' for x in columns), *(f"({c.condition_sql}) AS v{n}" for n, c in enumerate(group))])
    counts = ", ".join(
        f"count(*) FILTER (v{n}) AS h{n}, count(*) FILTER (v{n} IS NULL) AS u{n}"
        + "".join(f', count(*) FILTER (v{n} IS NULL AND "{column}" IS NULL) AS m{n}_{i}' for i, column in enumerate(c.inputs))
        for n, c in enumerate(group)
    )
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE counted AS SELECT township, village, count(*) AS judged, {counts}
        FROM (SELECT township, village, {verdicts} FROM {source}) GROUP BY ALL""")
    outcomes = " UNION ALL ".join(f"SELECT '{c.code}', township, village, judged, h{n}, judged - h{n} - u{n}, u{n} FROM counted" for n, c in enumerate(group))
    con.execute(f"INSERT INTO rule_outcome {outcomes} ORDER BY ALL")
    missing = " UNION ALL ".join(
        f"SELECT '{c.code}', township, village, '{column}', m{n}_{i} FROM counted WHERE m{n}_{i} > 0"
        for n, c in enumerate(group)
        for i, column in enumerate(c.inputs)
    )
    if missing:
        con.execute(f"INSERT INTO rule_unknown {missing} ORDER BY ALL")


def _hits(c: CompiledRule, source: str) -> str:
    """The SELECT of one rule's signals; evidence and sentences are made for hits only."""
    household_id, person_id, number, name, key, household_key, join = SUBJECT[c.subject]
    clause = c.clause.replace("'", "''")
    return f"""
        SELECT '{c.code}' AS rule, '{c.kind}' AS kind, s.level, '{c.subject}' AS subject, {household_id} AS household_id,
            {person_id} AS person_id, {number} AS id_number, {name} AS name, s.township, s.village, '{c.department}' AS department,
            s.evidence, '{clause}' AS clause, s.message, {key} AS record_key, s.message_en, {household_key} AS household_key
        FROM (SELECT *, {c.level_sql} AS level, {c.evidence_sql} AS evidence, {c.message_sql("zh")} AS message,
            {c.message_sql("en")} AS message_en FROM {source} WHERE {c.condition_sql}) AS s {join}"""


def _write_rules(con: duckdb.DuckDBPyConnection, compiled: Sequence[CompiledRule], rules: Mapping[str, Rule], as_of: date) -> None:
    con.execute("""
        CREATE TABLE rule (rule VARCHAR, kind VARCHAR, subject VARCHAR, record VARCHAR, level VARCHAR, department VARCHAR,
            title_zh VARCHAR, title_en VARCHAR, clause VARCHAR, when_text VARCHAR, disabled BOOLEAN, inputs VARCHAR, sha256 VARCHAR)""")
    rows = []
    for c in compiled:
        version = rules[c.code].in_force(as_of)
        text = version.when.text if version else ""
        rows.append([
            c.code, c.kind, c.subject, c.record or None, "/".join(c.levels), c.department, c.title.zh, c.title.en, c.clause,
            text, bool(c.disabled), ",".join(c.inputs), c.sha256,
        ])  # fmt: skip
    con.executemany(f"INSERT INTO rule VALUES ({', '.join('?' * 13)})", rows)


def _write_parameters(con: duckdb.DuckDBPyConnection, parameters: Parameters) -> None:
    con.execute("""
        CREATE TABLE parameter (name VARCHAR, value VARCHAR, off BOOLEAN, unit VARCHAR, from_date DATE, until_date DATE, clause VARCHAR,
            document VARCHAR, pack VARCHAR, meaning_zh VARCHAR, meaning_en VARCHAR)""")
    con.executemany(
        f"INSERT INTO parameter VALUES ({', '.join('?' * 11)})",
        [
            [v.name, show_content(v.value, off=v.off), v.off, v.unit.zh, v.valid_from, v.valid_until, v.clause, v.document,
             v.from_pack, v.meaning.zh, v.meaning.en]
            for v in parameters.values()
        ],
    )  # fmt: skip
