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

MASK_BITS = 62  # a mask is one signed 64-bit integer
LEVEL_ORDER = {"red": 1, "orange": 2, "yellow": 3, "blue": 4}
FOUND = (
    "rule VARCHAR, kind VARCHAR, level VARCHAR, subject VARCHAR, household_id VARCHAR, person_id BIGINT, id_number VARCHAR, name VARCHAR,"
    " township VARCHAR, village VARCHAR, department VARCHAR, evidence VARCHAR, clause VARCHAR, message VARCHAR, record_key VARCHAR,"
    " message_en VARCHAR, household_key BIGINT"
)
# What a signal says of its subject: household_id, person_id, id_number, name, record_key, household_key.
SUBJECT = {
    "household": ("household_id", "head_person_id", "subject_number", "subject_name", "NULL", "household_key"),
    "person": ("household_id", "person_id", "number", "name", "NULL", "household_key"),
    "record": ("household_id", "person_id", "subject_number", "name", "record_key", "household_key"),
    "institution": ("NULL", "NULL", "NULL", "institution", "institution_key", "NULL"),
    "feed": ("NULL", "NULL", "NULL", "feed", "NULL", "NULL"),
    "policy": ("NULL", "NULL", "NULL", "pack", "NULL", "NULL"),
}
# Of a household the head's number and name stand in the signal, of a record its person's number.
JOINED = {"household": "head_person_id", "record": "person_id"}


def assess(
    con: duckdb.DuckDBPyConnection,
    compiled: Sequence[CompiledRule],
    rules: Mapping[str, Rule],
    parameters: Parameters,
    period: str,
    as_of: date,
) -> None:
    """Does the whole step on the run's connection."""
    con.execute("""
        CREATE TABLE rule_outcome (rule VARCHAR, township VARCHAR, village VARCHAR, judged BIGINT, hit BIGINT, clear BIGINT, unknown BIGINT)""")
    con.execute(
        "CREATE TABLE rule_unknown (rule VARCHAR, township VARCHAR, village VARCHAR, missing VARCHAR, subjects BIGINT)"
    )
    due = {
        level: add_working_days(as_of, parameters.whole(f"alert.working_days_{level}") or 0) for level in LEVEL_ORDER
    }
    con.execute(f"CREATE OR REPLACE TEMP TABLE found ({FOUND})")
    for subject in SUBJECT:
        mine = [c for c in compiled if c.subject == subject and not c.disabled]
        if not mine:
            continue
        for record in sorted({c.record for c in mine}) if subject == "record" else [""]:
            group = [c for c in mine if c.record == record] if record else mine
            source = _source(subject, record)
            table = f"hit_{subject}_{record}".rstrip("_")
            _count(con, source, group)
            _keep_hit_rows(con, source, group, table)
            # One statement a rule: a single UNION of them all takes DuckDB longer to plan than to run.
            for c in group:
                con.execute(f"INSERT INTO found {_hits(c, table)}")
    deadline = " ".join(f"WHEN '{level}' THEN DATE '{day.isoformat()}'" for level, day in due.items())
    order = " ".join(f"WHEN '{level}' THEN {n}" for level, n in LEVEL_ORDER.items())
    con.execute(f"""
        CREATE TABLE signal AS
        SELECT '{period}' AS period, rule, kind, level, subject, household_id, person_id, id_number, name,
            township, village, department, CASE level {deadline} END AS due_date, evidence, clause, message, record_key, message_en,
            household_key, (CASE level {order} END)::INTEGER AS level_order
        FROM found
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
    """One pass over the rows: for every rule and village how many were hit, clear and unknown, and for want of what.

    A row's outcomes are two bit masks (hit, unknown), and where something is unknown a third says which inputs are NULL.
    There are few different masks, so that all counting happens on their groups.
    """
    inputs = list(dict.fromkeys(column for c in group for column in c.inputs))
    filled = con.execute(
        f"SELECT count(*)::BIGINT{''.join(f', count({_quoted(c)})' for c in inputs)} FROM {source}"
    ).fetchall()[0]
    sometimes = [c for c, n in zip(inputs, filled[1:], strict=True) if n < filled[0]]
    if max(len(group), len(sometimes)) > MASK_BITS:
        half = len(group) // 2
        _count(con, source, group[:half])
        _count(con, source, group[half:])
        return
    verdicts = "".join(f", ({c.condition_sql}) AS v{n}" for n, c in enumerate(group))
    lacking = "".join(f", {_quoted(c)} IS NULL AS n{n}" for n, c in enumerate(sometimes))
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE grouped AS
        SELECT township, village, hit, unknown, CASE WHEN unknown = 0 THEN 0 ELSE lacking END AS lacking, count(*) AS n FROM (
            SELECT township, village, {_mask("v{}", len(group))} AS hit, {_mask("v{} IS NULL", len(group))} AS unknown,
                {_mask("n{}", len(sometimes))} AS lacking
            FROM (SELECT township, village{verdicts}{lacking} FROM {source})) GROUP BY ALL""")
    outcomes = " UNION ALL ".join(
        f"SELECT '{c.code}' AS rule, township, village, sum(n)::BIGINT AS judged, coalesce(sum(n) FILTER (hit & {1 << i} <> 0), 0)::BIGINT AS hit, "
        f"coalesce(sum(n) FILTER (unknown & {1 << i} <> 0), 0)::BIGINT AS unknown FROM grouped GROUP BY ALL"
        for i, c in enumerate(group)
    )
    con.execute(
        f"INSERT INTO rule_outcome SELECT rule, township, village, judged, hit, judged - hit - unknown, unknown FROM ({outcomes}) ORDER BY ALL"
    )
    missing = " UNION ALL ".join(
        f"SELECT '{c.code}', township, village, '{column}', sum(n)::BIGINT FROM grouped "
        f"WHERE unknown & {1 << i} <> 0 AND lacking & {1 << sometimes.index(column)} <> 0 GROUP BY ALL"
        for i, c in enumerate(group)
        for column in c.inputs
        if column in sometimes
    )
    if missing:
        con.execute(f"INSERT INTO rule_unknown SELECT * FROM ({missing}) ORDER BY ALL")


def _quoted(column: str) -> str:
    return f'"{column}"'


def _mask(condition: str, width: int) -> str:
    """An integer with the bit of each place set where its condition is true."""
    return (
        " + ".join(f"(CASE WHEN {condition.format(n)} THEN {1 << n} ELSE 0 END)::BIGINT" for n in range(width))
        or "0::BIGINT"
    )


def _keep_hit_rows(con: duckdb.DuckDBPyConnection, source: str, group: Sequence[CompiledRule], table: str) -> None:
    """The rows that any rule hits, whole: few, so that evidence and sentences need not go through the snapshot again."""
    anything = " OR ".join(f"({c.condition_sql})" for c in group)
    rows = f"(SELECT * FROM {source} WHERE {anything}) AS s"
    if person := JOINED.get(group[0].subject):
        rows = f"(SELECT s.*, p.number AS subject_number, p.name AS subject_name FROM {rows} LEFT JOIN resident p ON p.person_id = s.{person})"
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM {rows}")


def _hits(c: CompiledRule, table: str) -> str:
    """The SELECT of one rule's signals, in the order of FOUND; evidence and sentences are made for hits only."""
    household_id, person_id, number, name, key, household_key = SUBJECT[c.subject]
    clause = c.clause.replace("'", "''")
    return f"""
        SELECT '{c.code}', '{c.kind}', {c.level_sql}, '{c.subject}', {household_id}, {person_id}, {number}, {name}, township, village,
            '{c.department}', {c.evidence_sql}, '{clause}', {c.message_sql("zh")}, {key}, {c.message_sql("en")}, {household_key}
        FROM {table} WHERE {c.condition_sql}"""


def _write_rules(
    con: duckdb.DuckDBPyConnection, compiled: Sequence[CompiledRule], rules: Mapping[str, Rule], as_of: date
) -> None:
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
    _insert(con, "rule", rows)


def _write_parameters(con: duckdb.DuckDBPyConnection, parameters: Parameters) -> None:
    con.execute("""
        CREATE TABLE parameter (name VARCHAR, value VARCHAR, off BOOLEAN, unit VARCHAR, from_date DATE, until_date DATE, clause VARCHAR,
            document VARCHAR, pack VARCHAR, meaning_zh VARCHAR, meaning_en VARCHAR)""")
    _insert(
        con,
        "parameter",
        [
            [v.name, show_content(v.value, off=v.off), v.off, v.unit.zh, v.valid_from, v.valid_until, v.clause, v.document,
             v.from_pack, v.meaning.zh, v.meaning.en]
            for v in parameters.values()
        ],
    )  # fmt: skip


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """All rows in one statement: one by one costs DuckDB a transaction each."""
    marks = ", ".join(f"({', '.join('?' * len(row))})" for row in rows)
    con.execute(f"INSERT INTO {table} VALUES {marks}", [value for row in rows for value in row])
