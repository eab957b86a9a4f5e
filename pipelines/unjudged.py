"""Whom the rules could not judge: every household and person of whom a rule is unknown, with the rules and what is missing.

`assess` hands over its bit masks; of them two tables are made: `unjudged_kind` (the few different combinations of rules and
missing inputs) and `unjudged` (one row a subject: household_key, person_id or NULL, kind, living).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from monitoring.rules import CompiledRule

# Of which subjects it is told, and what of their snapshot says who somebody is.
WHOM = {
    "household": {"household_key": "household_key", "living": "true"},
    "person": {"household_key": "household_key", "person_id": "person_id", "living": "alive"},
}


@dataclass(frozen=True)
class Judged:
    """What some rules of one subject say of the rows of its `source`.

    `table`, one row for each village and combination: record, township, village, the masks `hit` and `unknown` (bit n: rule n
    of `group`) and `lacking` (bit n: input n of `sometimes` is NULL; 0 where nothing is unknown), `n` rows, the `places`
    (row numbers in the source) of those that are hit, and for the subjects of `WHOM` who the unknown ones are (`whom`).
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
    for part, mine, kinds_told in zip(parts, masks, told, strict=True):
        if mine:
            con.execute(f"""
                INSERT INTO unjudged BY NAME
                SELECT unnest(whom, recursive := true), township, village, kind FROM {part.table} JOIN (
                    SELECT unnest($1::BIGINT[]) AS unknown, unnest($2::BIGINT[]) AS lacking, unnest($3::INTEGER[]) AS kind
                ) USING (unknown, lacking)""",
                [*map(list, zip(*mine, strict=True)), [places[kind] for kind in kinds_told]],
            )  # fmt: skip
