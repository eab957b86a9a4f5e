"""How many were hit, clear and unknown: `rule_outcome` by rule and village, and `rule_unknown`, for want of which input.

Counted from the masks of `assess`; a test holds that the three add up to the subjects judged.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from monitoring.rules.texts import quoted
from pipelines.unjudged import Judged

_OUTCOME, _UNKNOWN = "memory.main.outcome_found", "memory.main.unknown_found"
_VILLAGE, _NUMBERED = "memory.main.village_numbered", "memory.main.masks_numbered"


def write_outcomes(parts: Sequence[Judged], con: duckdb.DuckDBPyConnection) -> None:
    """For every rule and village how many were hit, clear and unknown, and for want of what.

    Rules, villages and inputs go by their numbers in order of name until all is counted: masks times rules are many rows,
    and grouping and sorting them by three texts costs several times as much."""
    codes = sorted(c.code for part in parts for c in part.group)
    inputs = sorted({column for part in parts for column in part.sometimes})
    villages = " UNION ".join(f"SELECT township, village FROM {part.table}" for part in parts)
    con.execute(f"""
        CREATE OR REPLACE TABLE {_VILLAGE} AS
        SELECT row_number() OVER (ORDER BY township, village) AS place, township, village
        FROM ({villages or "SELECT NULL::VARCHAR AS township, NULL::VARCHAR AS village WHERE false"})""")
    con.execute(f"""
        CREATE OR REPLACE TABLE {_OUTCOME} (rule INTEGER, place BIGINT, judged BIGINT, hit BIGINT, unknown BIGINT);
        CREATE OR REPLACE TABLE {_UNKNOWN} (rule INTEGER, place BIGINT, missing INTEGER, subjects BIGINT)""")
    for part in parts:
        _count(part, codes, inputs, con)
    con.execute(
        f"""CREATE TABLE rule_outcome AS
            SELECT list_extract($1::VARCHAR[], rule) AS rule, township, village, judged, hit, judged - hit - unknown AS clear, unknown
            FROM {_OUTCOME} AS o JOIN {_VILLAGE} USING (place) ORDER BY o.rule, place""",
        [codes],
    )
    con.execute(
        f"""CREATE TABLE rule_unknown AS
            SELECT list_extract($1::VARCHAR[], rule) AS rule, township, village, list_extract($2::VARCHAR[], missing) AS missing, subjects
            FROM {_UNKNOWN} AS u JOIN {_VILLAGE} USING (place) ORDER BY u.rule, place, u.missing""",
        [codes, inputs],
    )
    for table in (_OUTCOME, _UNKNOWN, _VILLAGE, _NUMBERED) if parts else (_OUTCOME, _UNKNOWN, _VILLAGE):
        con.execute(f"DROP TABLE {table}")


def _count(part: Judged, codes: Sequence[str], inputs: Sequence[str], con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"""
        CREATE OR REPLACE TABLE {_NUMBERED} AS
        SELECT place, record, hit, unknown, lacking, n FROM {part.table} AS j JOIN {_VILLAGE} AS v
            ON v.township IS NOT DISTINCT FROM j.township AND v.village IS NOT DISTINCT FROM j.village""")
    number = {code: n for n, code in enumerate(codes, start=1)}
    rules = ", ".join(f"({number[c.code]}, {quoted(c.record)}, {1 << i})" for i, c in enumerate(part.group))
    con.execute(f"""
        INSERT INTO {_OUTCOME}
        SELECT rule, place, sum(n), coalesce(sum(n) FILTER (hit & bit <> 0), 0), coalesce(sum(n) FILTER (unknown & bit <> 0), 0)
        FROM {_NUMBERED} JOIN (VALUES {rules}) AS r(rule, record, bit) USING (record) GROUP BY ALL""")
    missing = ", ".join(
        f"({number[c.code]}, {1 << i}, {inputs.index(column) + 1}, {1 << part.sometimes.index(column)})"
        for i, c in enumerate(part.group)
        for column in c.inputs
        if column in part.sometimes
    )
    if missing:
        con.execute(f"""
            INSERT INTO {_UNKNOWN}
            SELECT rule, place, missing, sum(n)
            FROM (FROM {_NUMBERED} WHERE unknown <> 0) JOIN (VALUES {missing}) AS r(rule, rule_bit, missing, input_bit)
                ON unknown & rule_bit <> 0 AND lacking & input_bit <> 0
            GROUP BY ALL""")
