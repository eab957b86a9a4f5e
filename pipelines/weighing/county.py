"""Weighs a published run and writes what the review page reads: HOME/linkage/<run id>/*.parquet and about.json.

Splink is loaded only where there are rows to weigh, or enough persons to look for doubles among.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from monitoring.linking.weights import ABOUT, HOUSEHOLDS, PERSONS, ROWS, folder_of
from pipelines.weighing.bands import ranked
from pipelines.weighing.model import COMPARED, MODEL
from pipelines.weighing.scoring import weigh_persons, weigh_rows

CANDIDATES = 10  # shown of one row
LEAST_ROW, LEAST_DOUBLE = 0.01, 0.5
WORDS = "name, birth_date, sex, phone, township, village"


@dataclass(frozen=True)
class Weighed:
    """How much there was and what came out."""

    waiting: int
    new: int
    persons: int
    proposed: int
    doubles: int
    households: int


def weigh(home: Path, run_id: str, file: Path, told: Callable[[str], None]) -> Weighed:
    """Everything, for one published file; what an earlier call wrote for this run is replaced."""
    spill = home / ".spill"
    with duckdb.connect(str(file), read_only=True) as con:
        con.execute("SET enable_progress_bar = false")
        rows, persons, members = _rows(con), _persons(con), _members(con)
    told(f"待定和新建的行 {rows.height:,}，人员 {persons.height:,}")
    with_words = persons.select("unique_id", *_words(WORDS), "number")
    numbered = rows.with_row_index("unique_id").with_columns(pl.col("unique_id").cast(pl.Int64))
    pairs = _rows_weighed(numbered, with_words, spill)
    told("找重复的人")
    usable = with_words.filter(pl.col("number").is_not_null())
    doubles = weigh_persons(usable.with_columns(number=pl.lit(None, pl.String)), LEAST_DOUBLE, spill)
    doubles = doubles.join(persons.select(person_id="unique_id", township="township", village="village"), on="person_id").sort(
        ["weight", "person_id", "other_id"], descending=[True, False, False])  # fmt: skip
    twice = _households(members, doubles)
    write_weights(home, run_id, pairs, doubles, twice)
    return Weighed(
        rows.filter("waits").height, rows.filter(~pl.col("waits")).height, persons.height,
        pairs.filter((pl.col("band") != "unlikely") & ~pl.col("waits"))["key"].n_unique(), doubles.height, twice.height,
    )  # fmt: skip


def _words(listed: str) -> list[str]:
    return listed.split(", ")


def _rows(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """One row a content: those that wait for a person, and those that found nobody; with the person that was made of them."""
    pieces = [f"SELECT key, {WORDS}, number_raw AS number, true AS waits, NULL::BIGINT AS own FROM link_review"]
    for (feed,) in con.execute("SELECT DISTINCT feed FROM link WHERE step = 'new' ORDER BY feed").fetchall():
        words = ", ".join(f"s.{word}" for word in _words(WORDS))
        pieces.append(
            f"SELECT l.key, {words}, s.number_raw, false, l.person_id FROM link l JOIN std_{feed} s "
            f"USING (delivered, part, row) WHERE l.feed = '{feed}' AND l.step = 'new' AND s.counts AND s.name IS NOT DISTINCT FROM l.name"
        )
    found: pl.DataFrame = con.sql(f"""
        SELECT key, any_value(own) AS own, bool_or(waits) AS waits, {", ".join(f"min({w}) AS {w}" for w in _words(WORDS))}, min(number) AS number
        FROM ({" UNION ALL ".join(pieces)}) GROUP BY key ORDER BY key""").pl()
    return found


def _persons(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Everybody whom the county knows by a number or by its registry."""
    found: pl.DataFrame = con.sql("""
        SELECT r.person_id AS unique_id, r.name, r.birth_date, r.sex, p.phone, r.township, r.village, r.number
        FROM resident r LEFT JOIN (SELECT person_id, min(phone) AS phone FROM std_registry GROUP BY person_id) p USING (person_id)
        WHERE r.number IS NOT NULL OR r.registered ORDER BY r.person_id""").pl()
    return found


def _members(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    found: pl.DataFrame = con.sql("""
        SELECT h.household_id, h.township, h.village, m.person_id FROM membership m JOIN household h USING (household_key)
        WHERE h.registered ORDER BY ALL""").pl()
    return found


def _rows_weighed(rows: pl.DataFrame, persons: pl.DataFrame, spill: Path) -> pl.DataFrame:
    """Pairs of a row's content and a person, never of a row and the person that was made of it."""
    if rows.is_empty() or persons.is_empty():
        return no_pairs()
    pairs = weigh_rows(rows.select("unique_id", *_words(WORDS), "number"), persons, LEAST_ROW, spill)
    own = rows.select("key", "own", "waits", "township", "village", row_id="unique_id")
    pairs = pairs.join(own, on="row_id").filter(pl.col("own").ne_missing(pl.col("person_id")))
    return ranked(pairs, "key", "person_id").filter(pl.col("rank") <= CANDIDATES).drop("row_id", "own")


def no_pairs() -> pl.DataFrame:
    parts = {
        f"{word}_{part}": kind for word in COMPARED for part, kind in (("weight", pl.Float64), ("level", pl.Int32))
    }
    return pl.DataFrame(schema={
        "person_id": pl.Int64, "weight": pl.Float64, "probability": pl.Float64, **parts, "key": pl.String, "waits": pl.Boolean,
        "township": pl.String, "village": pl.String, "rank": pl.Int64, "ahead": pl.Float64, "band": pl.String,
    })  # fmt: skip


def _households(members: pl.DataFrame, doubles: pl.DataFrame) -> pl.DataFrame:
    """Pairs of registry households of which one's members all stand in the other too (as the same or as a double person)."""
    same = doubles.filter(pl.col("probability") >= 0.9).select("other_id", "person_id")
    one = members.join(same, left_on="person_id", right_on="other_id", how="left").select(
        "household_id", "township", "village", who=pl.coalesce("person_id_right", "person_id")
    ).unique()  # fmt: skip
    size = one.group_by("household_id").agg(size=pl.len())
    pairs = (
        one.join(one.select("who", other="household_id"), on="who")
        .filter(pl.col("household_id") < pl.col("other"))
        .group_by("household_id", "other", "township", "village").agg(shared=pl.len())
        .join(size, on="household_id").join(size.rename({"household_id": "other", "size": "other_size"}), on="other")
    )  # fmt: skip
    smaller, larger = pl.min_horizontal("size", "other_size"), pl.max_horizontal("size", "other_size")
    return pairs.filter((pl.col("shared") == smaller) & ((pl.col("shared") >= 2) | (larger == 1))).sort(
        "household_id", "other"
    )


def tidy(home: Path, runs: set[str]) -> None:
    """Removes what was weighed of runs that are published no more."""
    folder = home / "linkage"
    for old in folder.iterdir() if folder.is_dir() else ():
        if old.is_dir() and old.name not in runs:
            shutil.rmtree(old)


def write_weights(home: Path, run_id: str, rows: pl.DataFrame, persons: pl.DataFrame, households: pl.DataFrame) -> None:
    """All or nothing: under another name first."""
    target = folder_of(home, run_id)
    making = target.with_name(f".making-{run_id}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for name, frame in ((ROWS, rows), (PERSONS, persons), (HOUSEHOLDS, households)):
        frame.write_parquet(making / name)
    about = {"run": run_id, "model": hashlib.sha256(MODEL.read_bytes()).hexdigest()}
    (making / ABOUT).write_text(json.dumps(about) + "\n", encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    making.replace(target)
