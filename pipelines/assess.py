"""Assess: every rule on every subject, in DuckDB, with three outcomes, evidence and sentences.

Reads the snapshot tables; writes `signal` (one row a hit), how many were hit, clear and unknown (`outcomes`), who could not
be judged (`unjudged`), `rule` and `parameter` (what was in force). Rules in shadow are judged beside them, into `shadow_rule`, `shadow_outcome` and
`shadow_hit`, which exist only where there are some: nothing above knows of them.
Each subject's rules run in one pass, the subjects side by side; all else works on the masks that it makes. A NULL condition
is *unknown*, never clear. Statements are few: on a small county DuckDB takes longer to plan one than to run it.
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
from pipelines.outcomes import write_outcomes
from pipelines.unjudged import WHOM, Judged, write_unjudged

MASK_BITS = 62  # a mask is one signed 64-bit integer
# What is put together on the way. Seen from every connection of the run, as temporary tables are not, and not published.
_FOUND = "memory.main.found"
LEVEL_ORDER = {"red": 1, "orange": 2, "yellow": 3, "blue": 4}
FOUND = (
    "rule VARCHAR, kind VARCHAR, level VARCHAR, subject VARCHAR, household_id VARCHAR, person_id BIGINT, id_number VARCHAR, name VARCHAR,"
    " township VARCHAR, village VARCHAR, department VARCHAR, evidence VARCHAR, clause VARCHAR, message VARCHAR, record_key VARCHAR,"
    " message_en VARCHAR, household_key BIGINT"
)
OUTCOME = "rule VARCHAR, township VARCHAR, village VARCHAR, judged BIGINT, hit BIGINT, clear BIGINT, unknown BIGINT"
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
_NAMED = ("subject_number", "subject_name")  # what is joined


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
    con.execute(f"CREATE OR REPLACE TABLE {_FOUND} ({FOUND})")
    subjects = {subject: [c for c in compiled if c.subject == subject and not c.disabled] for subject in SUBJECT}
    judged: dict[str, list[Judged]] = {subject: [] for subject in SUBJECT}
    abreast(con, [partial(_judge, mine, judged[subject]) for subject, mine in subjects.items() if mine])
    parts = [part for each in judged.values() for part in each]
    abreast(
        con,
        [
            *(partial(_find, part) for part in sorted(parts, key=lambda part: -len(part.group))),
            partial(_write_rules, compiled=compiled, rules=rules, as_of=as_of),
            partial(_write_parameters, parameters=parameters),
            partial(write_outcomes, parts),
        ],
    )
    # Sorting the signals is one thread's work; the unjudged, who need only the masks, have the other.
    abreast(con, [partial(_write_signals, period=period, due=due), partial(write_unjudged, parts)])
    for table in (_FOUND, *(part.table for part in parts)):
        con.execute(f"DROP TABLE {table}")


def _write_signals(con: duckdb.DuckDBPyConnection, period: str, due: Mapping[str, date]) -> None:
    deadline = " ".join(f"WHEN '{level}' THEN DATE '{day.isoformat()}'" for level, day in due.items())
    order = " ".join(f"WHEN '{level}' THEN {n}" for level, n in LEVEL_ORDER.items())
    con.execute(f"""
        CREATE TABLE signal AS
        SELECT '{period}' AS period, rule, kind, level, subject, household_id, person_id, id_number, name,
            township, village, department, CASE level {deadline} END AS due_date, evidence, clause, message, record_key, message_en,
            household_key, (CASE level {order} END)::INTEGER AS level_order
        FROM {_FOUND}
        ORDER BY level_order, township, village, household_id, rule, person_id, name, record_key, evidence""")


def _judge(mine: Sequence[CompiledRule], parts: list[Judged], con: duckdb.DuckDBPyConnection) -> None:
    """Judges by the rules of one subject; the verdicts are added to `parts`."""
    source = _source(con, mine[0].subject)
    for group, sometimes in _fitting(con, source, mine):
        part = Judged(source, group, sometimes, f"memory.main.judged_{mine[0].subject}_{len(parts)}")
        _mark(con, part)
        parts.append(part)


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
    con.execute(f"CREATE OR REPLACE TABLE memory.main.{subject}_placed AS {rows}")
    return f"memory.main.{subject}_placed"


def _fitting(
    con: duckdb.DuckDBPyConnection, source: str, group: Sequence[CompiledRule]
) -> list[tuple[Sequence[CompiledRule], Sequence[str]]]:
    """The rules in groups whose numbers, and those of the inputs that are NULL somewhere, fit into a mask; with these inputs."""
    inputs = list(dict.fromkeys(column for c in group for column in c.inputs))
    filled = con.execute(
        f"SELECT count(*)::BIGINT{''.join(f', count({_quoted(c)})' for c in inputs)} FROM {source}"
    ).fetchall()[0]
    sometimes = [c for c, n in zip(inputs, filled[1:], strict=True) if n < filled[0]]
    if max(len(group), len(sometimes)) > MASK_BITS:
        half = len(group) // 2
        return [*_fitting(con, source, group[:half]), *_fitting(con, source, group[half:])]
    return [(group, sometimes)]


def _mark(con: duckdb.DuckDBPyConnection, part: Judged) -> None:
    """Every row gets three bit masks: which rules hit it, which leave it unknown, and which of their inputs are NULL. Rows of
    one village with the same masks are counted; of those that are hit the places in the table are kept, of those that are
    unknown who they are: few masks are different, and few rows are hit. A rule on one kind of record leaves the rows of the other kinds alone:
    they are neither hit nor unknown."""
    group, sometimes = part.group, part.sometimes
    told = ", ".join(f"'{name}': {value}" for name, value in WHOM.get(group[0].subject, {}).items())
    who = f"{{{told}}} AS one, " if told else ""
    of_whom = ", list(one) FILTER (unknown <> 0) AS whom" if told else ""
    verdicts = "".join(f", {_condition(c)} AS v{n}" for n, c in enumerate(group))
    lacking = "".join(f", {_quoted(c)} IS NULL AS n{n}" for n, c in enumerate(sometimes))
    con.execute(f"""
        CREATE OR REPLACE TABLE {part.table} AS
        SELECT record, township, village, hit, unknown, CASE WHEN unknown = 0 THEN 0 ELSE lacking END AS lacking,
            count(*) AS n, list(place) FILTER (hit <> 0) AS places{of_whom}
        FROM (
            SELECT place, {"one, " if told else ""}record, township, village, {_bits("v{}", len(group))} AS hit,
                {_bits("v{} IS NULL", len(group))} AS unknown, {_bits("n{}", len(sometimes))} AS lacking
            FROM (SELECT rowid AS place, {who}{"record" if group[0].record else "''"} AS record, township, village{verdicts}{lacking}
                FROM {part.source}))
        GROUP BY ALL""")


def _condition(c: CompiledRule) -> str:
    return f"(record = '{c.record}' AND ({c.condition_sql}))" if c.record else f"({c.condition_sql})"


def _quoted(column: str) -> str:
    return f'"{column}"'


def _bits(condition: str, width: int) -> str:
    """An integer with the bit of each place set where its condition is true."""
    return (
        " + ".join(f"(CASE WHEN {condition.format(n)} THEN {1 << n} ELSE 0 END)::BIGINT" for n in range(width))
        or "0::BIGINT"
    )


def _find(part: Judged, con: duckdb.DuckDBPyConnection) -> None:
    """The signals of a subject's rules, in the order of FOUND; evidence and sentences are made for hits only.

    What differs from rule to rule is a CASE on the rule's number; rules without a hit are left out of it. A CASE costs DuckDB
    as much for a few rows of a vector as for a full one, so that the rows that are hit, a few of every vector of the snapshot,
    are first brought together."""
    any_hit = con.execute(f"SELECT coalesce(bit_or(hit), 0) FROM {part.table}").fetchall()[0][0]
    hitting = {n: c for n, c in enumerate(part.group) if any_hit >> n & 1}
    if not hitting:
        return
    subject = part.group[0].subject
    household_id, person_id, number, name, key, household_key = SUBJECT[subject]
    hits = _gather(part, hitting, con)
    con.execute(f"""
        INSERT INTO {_FOUND}
        SELECT _code, _kind, {_by_rule({n: c.level_sql for n, c in hitting.items()})}, '{subject}', {household_id}, {person_id}, {number}, {name},
            township, village, _department, {_by_rule({n: c.evidence_sql for n, c in hitting.items()})}, _clause,
            {_by_rule({n: c.message_sql("zh") for n, c in hitting.items()})}, {key}, {_by_rule({n: c.message_sql("en") for n, c in hitting.items()})}, {household_key}
        FROM {hits}""")
    con.execute(f"DROP TABLE {hits}")


def _gather(part: Judged, hitting: Mapping[int, CompiledRule], con: duckdb.DuckDBPyConnection) -> str:
    """A table with one row a hit: the rule's number and what is fixed for it, and what the snapshot says that it reads."""
    hits, subject = f"{part.table}_hits", part.group[0].subject
    rules = ", ".join(
        f"({1 << n}, {n}, {quoted(c.code)}, {quoted(c.kind)}, {quoted(c.department)}, {quoted(c.clause)})"
        for n, c in hitting.items()
    )
    con.execute(f"""
        CREATE OR REPLACE TABLE {hits} AS
        SELECT _place, _rule, _code, _kind, _department, _clause
        FROM (SELECT unnest(places) AS _place, hit FROM {part.table} WHERE hit <> 0)
        JOIN (VALUES {rules}) AS r(_bit, _rule, _code, _kind, _department, _clause) ON hit & _bit <> 0""")
    read = dict.fromkeys(column for c in hitting.values() for column in c.read_of_hit)
    fixed = [column for column in (*SUBJECT[subject], "township", "village") if column not in ("NULL", *_NAMED)]
    columns = ", ".join(f"s.{_quoted(column)}" for column in dict.fromkeys((*fixed, *read)))
    named, names = "", f"{hits}_named"
    if subject in JOINED:
        # First only the names that are needed: of a million persons DuckDB passes over the others unread.
        con.execute(f"""
            CREATE OR REPLACE TABLE {names} AS
            SELECT person_id AS _person, number AS subject_number, name AS subject_name FROM resident WHERE person_id IN (
                SELECT {JOINED[subject]} FROM {part.source} AS s WHERE s.rowid IN (SELECT _place FROM {hits}))""")
        columns += ", subject_number, subject_name"
        named = f"LEFT JOIN {names} ON _person = s.{JOINED[subject]}"
    con.execute(f"""
        CREATE OR REPLACE TABLE {hits} AS
        SELECT h.*, {columns} FROM {part.source} AS s JOIN {hits} AS h ON _place = s.rowid {named}""")
    if named:
        con.execute(f"DROP TABLE {names}")
    return hits


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
