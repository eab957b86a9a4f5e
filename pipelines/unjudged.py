"""Whom the rules could not judge: every household and person of whom a rule is unknown, with the rules and what is missing.

`assess` hands over its bit masks while they stand; `write` makes two tables of them: `unjudged_kind` (the few different
combinations of rules and missing inputs) and `unjudged` (one row a subject: household_key, person_id or NULL, kind, living).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import duckdb

from monitoring.rules import CompiledRule

# What is told of whom: of these subjects, in columns of their own tables.
WHOM = {
    "household": "household_key, NULL::BIGINT AS person_id, true AS living",
    "person": "household_key, person_id, alive AS living",
}


class Unjudged:
    """Collects during one assessment, from several connections at once."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._parts = dict[int, tuple[Sequence[CompiledRule], Sequence[str]]]()
        self._numbers = itertools.count()
        con.execute("""CREATE TABLE unjudged_mask (household_key BIGINT, person_id BIGINT, township VARCHAR,
            village VARCHAR, living BOOLEAN, part INTEGER, unknown BIGINT, lacking BIGINT)""")

    def keep(self, con: duckdb.DuckDBPyConnection, group: Sequence[CompiledRule], sometimes: Sequence[str]) -> None:
        """The subjects of the connection's `judged` (with `WHOM`) that some rule of the group leaves unknown; `sometimes` names the
        bits of `lacking`."""
        if group[0].subject not in WHOM:
            return
        part = next(self._numbers)
        self._parts[part] = group, sometimes
        con.execute(f"""
            INSERT INTO unjudged_mask
            SELECT household_key, person_id, township, village, living, {part}, unknown, lacking FROM judged WHERE unknown <> 0""")

    def write(self) -> None:
        """The two tables, for the masks; what a kind says never depends on the order of rows."""
        con = self._con
        masks = con.execute("SELECT DISTINCT part, unknown, lacking FROM unjudged_mask ORDER BY ALL").fetchall()
        told = [self._told(*mask) for mask in masks]
        kinds = sorted(set(told))
        places = {kind: n for n, kind in enumerate(kinds)}
        con.execute("""
            CREATE TABLE unjudged_kind AS
            SELECT unnest($1::INTEGER[]) AS kind, unnest($2::VARCHAR[]) AS subject, unnest($3::VARCHAR[][]) AS rules,
                unnest($4::VARCHAR[][]) AS missing""",
            [list(range(len(kinds))), *([list(column) for column in zip(*kinds, strict=True)] if kinds else [[], [], []])],
        )  # fmt: skip
        con.execute("""
            CREATE TABLE unjudged AS
            SELECT household_key, person_id, township, village, living, kind
            FROM unjudged_mask JOIN (SELECT unnest($1::INTEGER[]) AS part, unnest($2::BIGINT[]) AS unknown,
                unnest($3::BIGINT[]) AS lacking, unnest($4::INTEGER[]) AS kind) USING (part, unknown, lacking)
            ORDER BY household_key, person_id NULLS FIRST, kind""",
            [*([list(column) for column in zip(*masks, strict=True)] if masks else [[], [], []]), [places[kind] for kind in told]],
        )  # fmt: skip
        con.execute("DROP TABLE unjudged_mask")

    def _told(self, part: int, unknown: int, lacking: int) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        group, sometimes = self._parts[part]
        rules = [rule for n, rule in enumerate(group) if unknown >> n & 1]
        read = {column for rule in rules for column in rule.inputs}
        missing = [column for n, column in enumerate(sometimes) if lacking >> n & 1 and column in read]
        return group[0].subject, tuple(sorted(rule.code for rule in rules)), tuple(sorted(missing))
