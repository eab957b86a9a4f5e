"""Assess: every rule on every subject, in DuckDB, with three outcomes, evidence and sentences.

Reads the snapshot tables; writes `signal` (one row a hit), `rule_outcome` (hit, clear and unknown by rule and village),
`rule_unknown` (which missing input made how many outcomes unknown), `unjudged` and `unjudged_kind` (of whom), `rule` and
`parameter` (what was in force). Rules in shadow are judged beside them, into `shadow_rule`, `shadow_outcome` and
`shadow_hit`, which exist only where there are some: nothing above knows of them.
Each subject's rules run in one pass, the subjects side by side; a NULL condition is *unknown*, never clear. Statements are
few: on a small county DuckDB takes longer to plan one than to run it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial

import duckdb

from monitoring.parameters import Parameters, show_content
from monitoring.rules import CompiledRule, Rule
from monitoring.rules.texts import quoted
from monitoring.working_days import add_working_days
from pipelines.abreast import abreast
from pipelines.unjudged import WHOM, Unjudged

MASK_BITS = 62  # a mask is one signed 64-bit integer
LEVEL_ORDER = {"red": 1, "orange": 2, "yellow": 3, "blue": 4}
FOUND = (
    "rule VARCHAR, kind VARCHAR, level VARCHAR, subject VARCHAR, household_id VARCHAR, person_id BIGINT, id_number VARCHAR, name VARCHAR,"
    " township VARCHAR, village VARCHAR, department VARCHAR, evidence VARCHAR, clause VARCHAR, message VARCHAR, record_key VARCHAR,"
    " message_en VARCHAR, household_key BIGINT"
)
OUTCOME = "rule VARCHAR, township VARCHAR, village VARCHAR, judged BIGINT, hit BIGINT, clear BIGINT, unknown BIGINT"
UNKNOWN = "rule VARCHAR, township VARCHAR, village VARCHAR, missing VARCHAR, subjects BIGINT"
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
    due = {
        level: add_working_days(as_of, parameters.whole(f"alert.working_days_{level}") or 0) for level in LEVEL_ORDER
    }
    # Not temporary, because every subject is judged on a connection of its own; dropped below, long before publishing.
    con.execute(f"CREATE TABLE found ({FOUND})")
    con.execute(f"CREATE TABLE outcome_found ({OUTCOME})")
    con.execute(f"CREATE TABLE unknown_found ({UNKNOWN})")
    unjudged = Unjudged(con)
    subjects = {subject: [c for c in compiled if c.subject == subject and not c.disabled] for subject in SUBJECT}
    abreast(con, [partial(_judge, mine, unjudged) for mine in subjects.values() if mine])
    unjudged.write()
    con.execute("CREATE TABLE rule_outcome AS FROM outcome_found ORDER BY ALL")
    con.execute("CREATE TABLE rule_unknown AS FROM unknown_found ORDER BY ALL")
    deadline = " ".join(f"WHEN '{level}' THEN DATE '{day.isoformat()}'" for level, day in due.items())
    order = " ".join(f"WHEN '{level}' THEN {n}" for level, n in LEVEL_ORDER.items())
    con.execute(f"""
        CREATE TABLE signal AS
        SELECT '{period}' AS period, rule, kind, level, subject, household_id, person_id, id_number, name,
            township, village, department, CASE level {deadline} END AS due_date, evidence, clause, message, record_key, message_en,
            household_key, (CASE level {order} END)::INTEGER AS level_order
        FROM found
        ORDER BY level_order, township, village, household_id, rule, person_id, name, record_key, evidence""")
    for table in ("found", "outcome_found", "unknown_found"):
        con.execute(f"DROP TABLE {table}")
    _write_rules(con, compiled, rules, as_of)
    _write_parameters(con, parameters)


def _judge(mine: Sequence[CompiledRule], unjudged: Unjudged, con: duckdb.DuckDBPyConnection) -> None:
    """The rules of one subject, on a connection of their own."""
    _judge_subject(con, _source(con, mine[0].subject), mine, unjudged)


def _source(con: duckdb.DuckDBPyConnection, subject: str) -> str:
    """The table that a subject's rules judge, every row with a township and a village (NULL where it has none)."""
    table = f"{subject}_snapshot"
    if subject == "institution":
        # Two institutions of one name in one township are told apart by their place among their likes.
        rows = f"""SELECT *, NULL::VARCHAR AS village, concat_ws(' ', institution, township) || CASE WHEN place > 1 THEN ' #' || place
            ELSE '' END AS institution_key FROM (SELECT *, row_number() OVER (PARTITION BY institution, township
            ORDER BY residents, carers, beds, nursing_beds) AS place FROM {table})"""
    elif subject in ("feed", "policy"):
        rows = f"SELECT *, NULL::VARCHAR AS township, NULL::VARCHAR AS village FROM {table}"
    else:
        return table
    con.execute(f"CREATE OR REPLACE TEMP TABLE {subject}_placed AS {rows}")
    return f"{subject}_placed"


def _judge_subject(
    con: duckdb.DuckDBPyConnection, source: str, group: Sequence[CompiledRule], unjudged: Unjudged
) -> None:
    """Counts the outcomes of a subject's rules and puts their hits into `found`.

    Every row gets three bit masks: which rules hit it, which leave it unknown, and which of their inputs are NULL. All
    else works on the masks: counting on the few different ones, evidence and sentences on the few rows with a hit.
    """
    inputs = list(dict.fromkeys(column for c in group for column in c.inputs))
    filled = con.execute(
        f"SELECT count(*)::BIGINT{''.join(f', count({_quoted(c)})' for c in inputs)} FROM {source}"
    ).fetchall()[0]
    sometimes = [c for c, n in zip(inputs, filled[1:], strict=True) if n < filled[0]]
    if max(len(group), len(sometimes)) > MASK_BITS:
        half = len(group) // 2
        _judge_subject(con, source, group[:half], unjudged)
        _judge_subject(con, source, group[half:], unjudged)
        return
    _mark(con, source, group, sometimes)
    _count(con, group, sometimes)
    unjudged.keep(con, group, sometimes)
    _find(con, source, group)


def _mark(con: duckdb.DuckDBPyConnection, source: str, group: Sequence[CompiledRule], sometimes: Sequence[str]) -> None:
    """`judged`: the masks of every row, by the row's place in its table. A rule on one kind of record leaves the rows of
    the other kinds alone: they are neither hit nor unknown."""
    verdicts = "".join(f", {_condition(c)} AS v{n}" for n, c in enumerate(group))
    lacking = "".join(f", {_quoted(c)} IS NULL AS n{n}" for n, c in enumerate(sometimes))
    whom = WHOM.get(group[0].subject)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE judged AS
        SELECT place, record, township, village, {_mask("v{}", len(group))} AS hit, {_mask("v{} IS NULL", len(group))} AS unknown,
            {_mask("n{}", len(sometimes))} AS lacking{", household_key, person_id, living" if whom else ""}
        FROM (SELECT rowid AS place, {"record" if group[0].record else "''"} AS record, township, village{verdicts}{lacking}
            {f", {whom}" if whom else ""} FROM {source})""")


def _condition(c: CompiledRule) -> str:
    return f"(record = '{c.record}' AND ({c.condition_sql}))" if c.record else f"({c.condition_sql})"


def _count(con: duckdb.DuckDBPyConnection, group: Sequence[CompiledRule], sometimes: Sequence[str]) -> None:
    """For every rule and village how many were hit, clear and unknown, and for want of what."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE grouped AS
        SELECT record, township, village, hit, unknown, CASE WHEN unknown = 0 THEN 0 ELSE lacking END AS lacking, count(*) AS n
        FROM judged GROUP BY ALL""")
    rules = ", ".join(f"('{c.code}', '{c.record}', {1 << i})" for i, c in enumerate(group))
    con.execute(f"""
        INSERT INTO outcome_found
        SELECT rule, township, village, judged, hit, judged - hit - unknown, unknown FROM (
            SELECT rule, township, village, sum(n)::BIGINT AS judged, coalesce(sum(n) FILTER (hit & bit <> 0), 0)::BIGINT AS hit,
                coalesce(sum(n) FILTER (unknown & bit <> 0), 0)::BIGINT AS unknown
            FROM grouped JOIN (VALUES {rules}) AS r(rule, record, bit) USING (record) GROUP BY ALL)""")
    missing = ", ".join(
        f"('{c.code}', {1 << i}, '{column}', {1 << sometimes.index(column)})"
        for i, c in enumerate(group)
        for column in c.inputs
        if column in sometimes
    )
    if missing:
        con.execute(f"""
            INSERT INTO unknown_found
            SELECT rule, township, village, missing, sum(n)::BIGINT
            FROM (FROM grouped WHERE unknown <> 0) JOIN (VALUES {missing}) AS r(rule, rule_bit, missing, input_bit)
                ON unknown & rule_bit <> 0 AND lacking & input_bit <> 0
            GROUP BY ALL""")


def _quoted(column: str) -> str:
    return f'"{column}"'


def _mask(condition: str, width: int) -> str:
    """An integer with the bit of each place set where its condition is true."""
    return (
        " + ".join(f"(CASE WHEN {condition.format(n)} THEN {1 << n} ELSE 0 END)::BIGINT" for n in range(width))
        or "0::BIGINT"
    )


def _find(con: duckdb.DuckDBPyConnection, source: str, group: Sequence[CompiledRule]) -> None:
    """The signals of a subject's rules, in the order of FOUND; evidence and sentences are made for hits only.

    One statement: what differs from rule to rule is a CASE on the rule's number. Rules without a hit are left out of it."""
    any_hit = con.execute("SELECT coalesce(bit_or(hit), 0) FROM grouped").fetchall()[0][0]
    hitting = {n: c for n, c in enumerate(group) if any_hit >> n & 1}
    if not hitting:
        return
    household_id, person_id, number, name, key, household_key = SUBJECT[group[0].subject]
    rules = ", ".join(
        f"({1 << n}, {n}, {quoted(c.code)}, {quoted(c.kind)}, {quoted(c.department)}, {quoted(c.clause)})"
        for n, c in hitting.items()
    )
    person = JOINED.get(group[0].subject)
    con.execute(f"""
        INSERT INTO found
        SELECT _code, _kind, {_by_rule({n: c.level_sql for n, c in hitting.items()})}, '{group[0].subject}', {household_id}, {person_id}, {number}, {name},
            township, village, _department, {_by_rule({n: c.evidence_sql for n, c in hitting.items()})}, _clause,
            {_by_rule({n: c.message_sql("zh") for n, c in hitting.items()})}, {key}, {_by_rule({n: c.message_sql("en") for n, c in hitting.items()})}, {household_key}
        FROM (SELECT s.*, j.hit AS _hit{", p.number AS subject_number, p.name AS subject_name" if person else ""}
            FROM {source} s JOIN (SELECT place, hit FROM judged WHERE hit <> 0) j ON j.place = s.rowid
            {f"LEFT JOIN resident p ON p.person_id = s.{person}" if person else ""})
        JOIN (VALUES {rules}) AS r(_bit, _rule, _code, _kind, _department, _clause) ON _hit & _bit <> 0""")


def _by_rule(choices: Mapping[int, str]) -> str:
    return f"CASE _rule {' '.join(f'WHEN {n} THEN {choice}' for n, choice in choices.items())} END"


def assess_shadows(
    con: duckdb.DuckDBPyConnection, compiled: Sequence[CompiledRule], rules: Mapping[str, Rule], as_of: date
) -> None:
    """Judges the rules in shadow: outcomes by village as for those that count, and whom each hit. Without one, no table."""
    if not compiled:
        return
    _write_rules(con, compiled, rules, as_of, "shadow_rule")
    con.execute(f"""
        CREATE TABLE shadow_outcome ({OUTCOME});
        CREATE TABLE shadow_hit (rule VARCHAR, level VARCHAR, subject VARCHAR, household_id VARCHAR, person_id BIGINT, name VARCHAR,
            record_key VARCHAR, township VARCHAR, village VARCHAR, household_key BIGINT)""")
    for c in compiled:
        if not c.disabled:
            _judge_shadow(con, c, _source(con, c.subject))


def _judge_shadow(con: duckdb.DuckDBPyConnection, c: CompiledRule, source: str) -> None:
    household_id, person_id, _, name, key, household_key = SUBJECT[c.subject]
    named = "NULL" if household_key != "NULL" else name  # who is somebody is told by number, not by name
    of_its_kind = f"record = '{c.record}'" if c.record else "true"
    rows = f"FROM {source} WHERE {of_its_kind}"
    con.execute(f"""
        INSERT INTO shadow_outcome
        SELECT {quoted(c.code)}, township, village, count(*), count(*) FILTER (v), count(*) FILTER (NOT v), count(*) FILTER (v IS NULL)
        FROM (SELECT township, village, ({c.condition_sql}) AS v {rows}) GROUP BY ALL ORDER BY ALL""")
    con.execute(f"""
        INSERT INTO shadow_hit
        SELECT {quoted(c.code)}, {c.level_sql}, '{c.subject}', {household_id}, {person_id}, {named}, {key}, township, village, {household_key}
        {rows} AND ({c.condition_sql}) ORDER BY ALL""")


def _write_rules(
    con: duckdb.DuckDBPyConnection,
    compiled: Sequence[CompiledRule],
    rules: Mapping[str, Rule],
    as_of: date,
    table: str = "rule",
) -> None:
    con.execute(f"""
        CREATE TABLE {table} (rule VARCHAR, kind VARCHAR, subject VARCHAR, record VARCHAR, level VARCHAR, department VARCHAR,
            title_zh VARCHAR, title_en VARCHAR, clause VARCHAR, when_text VARCHAR, disabled BOOLEAN, inputs VARCHAR, sha256 VARCHAR)""")
    rows = []
    for c in compiled:
        version = rules[c.code].in_force(as_of)
        text = version.when.text if version else ""
        rows.append([
            c.code, c.kind, c.subject, c.record or None, "/".join(c.levels), c.department, c.title.zh, c.title.en, c.clause,
            text, bool(c.disabled), ",".join(c.inputs), c.sha256,
        ])  # fmt: skip
    _insert(con, table, rows)


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
