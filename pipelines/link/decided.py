"""What people decided in the review of links, as every run is told it: certain links, pairs ruled out, persons with two numbers.

The run's caller reads the decisions from the case store and hands them in; they are part of the run's identity and lie in the
published table `link_decision`, so that the same files and decisions give the same tables. A decision about a row goes by the
row's content (`KEY`): the same words in a later delivery, or in another feed, need no second one. A decision that names
somebody whom no row knows any more waits until a row does.

A person with two numbers becomes one person_id, the smallest of them, before anything is linked; every row keeps the number
that was written in it. In two registry households such a person counts in both (`DQ-TWO-HOUSEHOLDS`), as the contract says
of anybody. A household is the registry's number: a decision that two are one never merges them, the registry has to.
"""

from __future__ import annotations

import polars as pl

from pipelines.link.context import Linking

# A row's content: what a person goes by who decides who it is. A registry row is a member of its household.
_WORDS = ("name", "birth_date", "sex", "phone", "township", "village", "number_raw", "head_number")
KEY = f"""md5(concat_ws(chr(31), {", ".join(f"coalesce({word}::VARCHAR, '')" for word in _WORDS)},
    CASE WHEN feed = 'registry' THEN 'registry ' || coalesce(entity, '') ELSE '' END))"""


def keep_decisions(run: Linking) -> None:
    """`link_decision`, and, where anything was decided, what the cascade asks: `same_person`, `decided_row`, `refused_row`."""
    con = run.con
    con.execute("CREATE TABLE link_decision (kind VARCHAR, one VARCHAR, other VARCHAR, verdict VARCHAR)")
    if not run.decisions:
        return
    con.execute("CREATE OR REPLACE TEMP TABLE same_person (person_id BIGINT, kept BIGINT)")
    con.execute("CREATE OR REPLACE TEMP TABLE decided_row (key VARCHAR, person_id BIGINT)")
    con.execute("CREATE OR REPLACE TEMP TABLE refused_row (key VARCHAR, person_id BIGINT)")
    con.executemany("INSERT INTO link_decision VALUES (?, ?, ?, ?)", [list(one) for one in sorted(run.decisions)])
    kept = _one_of_each(run)
    if kept.height:
        con.register("found_same", kept)
        con.execute("INSERT INTO same_person SELECT person_id, kept FROM found_same")
        con.unregister("found_same")
        for feed in run.person_feeds:
            rename(run, f"std_{feed}")
    con.execute("""
        INSERT INTO decided_row SELECT one, coalesce(s.kept, other::BIGINT)
        FROM link_decision LEFT JOIN same_person s ON s.person_id = try_cast(other AS BIGINT)
        WHERE kind = 'row' AND verdict = 'same'""")
    con.execute("""
        INSERT INTO refused_row SELECT one, coalesce(s.kept, try_cast(nullif(other, '') AS BIGINT))
        FROM link_decision LEFT JOIN same_person s ON s.person_id = try_cast(nullif(other, '') AS BIGINT)
        WHERE kind = 'row' AND verdict = 'different'""")


def rename(run: Linking, table: str) -> None:
    """Gives a table's person_id the one under which merged persons are known."""
    if run.decisions:
        run.con.execute(
            f"UPDATE {table} AS t SET person_id = s.kept FROM same_person s WHERE s.person_id = t.person_id"
        )


def _one_of_each(run: Linking) -> pl.DataFrame:
    """person_id, kept: for every person who was found to be another one, the smallest id of all that are one."""
    pairs: pl.DataFrame = run.con.sql("""
        SELECT one::BIGINT AS a, other::BIGINT AS b FROM link_decision WHERE kind = 'person' AND verdict = 'same'""").pl()
    both = pl.concat([pairs, pairs.select(a="b", b="a")])
    kept = both.select(person_id="a", kept="a").unique().sort("person_id")
    while True:  # the smallest id wanders along the pairs; few steps, since few are decided
        nearer = (
            both.join(kept, left_on="b", right_on="person_id")
            .group_by("a").agg(pl.col("kept").min().alias("near"))
            .join(kept, left_on="a", right_on="person_id")
            .select(person_id="a", kept=pl.min_horizontal("near", "kept")).sort("person_id")
        )  # fmt: skip
        if nearer.equals(kept):
            return kept.filter(pl.col("kept") != pl.col("person_id"))
        kept = nearer
