"""Whom the rules could not judge: every household and person of whom a rule is unknown, with the rules and what is missing.

`assess` hands over its bit masks; of them two tables are made: `unjudged_kind` (the few different combinations of rules and
missing inputs) and `unjudged` (one row a subject: household_key, person_id or NULL, kind, living).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from monitoring.rules import CompiledRule

# What is told of whom: of these subjects, in columns of their own tables.
WHOM = {
    "household": "household_key, NULL::BIGINT AS person_id, true AS living",
    "person": "household_key, person_id, alive AS living",
}


@dataclass(frozen=True)
class Judged:
    """What some rules of one subject say of the rows of its `source`.

    `table`, one row for each village and combination: record, township, village, the masks `hit` and `unknown` (bit n: rule n
    of `group`) and `lacking` (bit n: input n of `sometimes` is NULL; 0 where nothing is unknown), `n` rows, and the `places`
    (row numbers in the source) of those that are hit or unknown.
    """

    source: str
    group: Sequence[CompiledRule]
    sometimes: Sequence[str]
    table: str

    def told(self, unknown: int, lacking: int) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """Of two masks: the subject, the rules that are unknown, and which of their inputs are missing."""
        rules = [rule for n, rule in enumerate(self.group) if unknown >> n & 1]
        read = {column for rule in rules for column in rule.inputs}
        missing = [column for n, column in enumerate(self.sometimes) if lacking >> n & 1 and column in read]
        return self.group[0].subject, tuple(sorted(rule.code for rule in rules)), tuple(sorted(missing))


def write_unjudged(judged: Sequence[Judged], con: duckdb.DuckDBPyConnection) -> None:
    """The two tables, for the masks of households and persons; what a kind says never depends on the order of rows."""
    parts = [part for part in judged if part.group[0].subject in WHOM]
    masks = [
        con.execute(f"SELECT DISTINCT unknown, lacking FROM {part.table} WHERE unknown <> 0 ORDER BY ALL").fetchall()
        for part in parts
    ]
    told = [[part.told(*mask) for mask in mine] for part, mine in zip(parts, masks, strict=True)]
    kinds = sorted({kind for each in told for kind in each})
    places = {kind: n for n, kind in enumerate(kinds)}
    con.execute("""
        CREATE TABLE unjudged_kind AS
        SELECT unnest($1::INTEGER[]) AS kind, unnest($2::VARCHAR[]) AS subject, unnest($3::VARCHAR[][]) AS rules,
            unnest($4::VARCHAR[][]) AS missing""",
        [list(range(len(kinds))), *([list(column) for column in zip(*kinds, strict=True)] if kinds else [[], [], []])],
    )  # fmt: skip
    con.execute("""
        CREATE TABLE unjudged (household_key BIGINT, person_id BIGINT, township VARCHAR, village VARCHAR, living BOOLEAN,
            kind INTEGER)""")
    selects, values = [], list[object]()
    for part, mine, kinds_told in zip(parts, masks, told, strict=True):
        at = len(values)
        selects.append(f"""
            SELECT {WHOM[part.group[0].subject]}, township, village, kind FROM {part.source} AS s JOIN (
                SELECT unnest(places) AS place, kind FROM {part.table} JOIN (SELECT unnest(${at + 1}::BIGINT[]) AS unknown,
                    unnest(${at + 2}::BIGINT[]) AS lacking, unnest(${at + 3}::INTEGER[]) AS kind) USING (unknown, lacking)
            ) AS g ON g.place = s.rowid""")
        values += [
            [unknown for unknown, _ in mine],
            [lacking for _, lacking in mine],
            [places[kind] for kind in kinds_told],
        ]
    if selects:
        con.execute(
            f"""INSERT INTO unjudged SELECT household_key, person_id, township, village, living, kind
                FROM ({" UNION ALL ".join(selects)})""",
            values,
        )
