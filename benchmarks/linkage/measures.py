"""How good a linkage is: pairs (row_id, person_id) against the truth (row_id, who; null = not in the county)."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import polars as pl

from pipelines.link.cascade import NOT_CONTRADICTED, STEPS


@dataclass(frozen=True)
class Score:
    """`right` of `made` links are true; `there` rows have somebody to be found."""

    made: int
    right: int
    there: int

    @property
    def precision(self) -> float:
        return self.right / self.made if self.made else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.there if self.there else 0.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def __str__(self) -> str:
        return f"links {self.made:>7,}  precision {self.precision:.5f}  recall {self.recall:.4f}  F1 {self.f1:.4f}"


def score(links: pl.DataFrame, who: pl.DataFrame) -> Score:
    made = links.select("row_id", "person_id").unique().join(who, on="row_id")
    return Score(made.height, made.filter(pl.col("person_id") == pl.col("who")).height, who["who"].drop_nulls().len())


def cascade(rows: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """The contract's exact steps alone (of pipelines.link): row_id, person_id of the certain ones, null of those that wait."""
    con = duckdb.connect()
    con.execute("SET enable_progress_bar = false")
    con.register("p", rows)
    con.register("c", persons)
    con.execute("CREATE TABLE decided (row_id BIGINT, person_id BIGINT); CREATE TABLE waits (row_id BIGINT)")
    for condition in STEPS.values():
        con.execute(f"""
            CREATE OR REPLACE TABLE fits AS SELECT p.unique_id AS row_id, min(c.unique_id) AS person_id, count(*) AS n
            FROM p JOIN c ON {condition} AND {NOT_CONTRADICTED}
            WHERE p.unique_id NOT IN (SELECT row_id FROM decided) GROUP BY p.unique_id""")
        con.execute("INSERT INTO decided SELECT row_id, person_id FROM fits WHERE n = 1")
    made: pl.DataFrame = con.sql("FROM decided").pl()
    return made
