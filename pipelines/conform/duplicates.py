"""The same row twice in one feed of one delivery: loaded once, the others counted, each with where its first stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

_NOT_MAPPED = ("part", "row", "extra")
_DUPLICATE = {"part": pl.Int32(), "row": pl.Int32(), "first_part": pl.Int32(), "first_row": pl.Int32()}


@dataclass(frozen=True)
class Deduped:
    """`rows` with `part` first, sorted by (part, row); `duplicate`: part, row, first_part, first_row, once for each row of
    a file that is not in `rows` at all (one that stands for several rows may be loaded with some of them)."""

    rows: pl.DataFrame
    duplicate: pl.DataFrame


def dedupe(frames: Sequence[pl.DataFrame]) -> Deduped:
    """Joins the parts of one feed and takes out rows equal in all mapped values (origin and extra do not count).

    A frame without a `part` column gets its place in the sequence, from 0. Equality is by value, hashes only
    narrow the search: two different rows are never taken for one."""
    if not frames:
        raise ValueError("dedupe needs at least one frame; an empty one will do")
    numbered = [f if "part" in f.columns else f.with_columns(part=pl.lit(i, pl.Int32)) for i, f in enumerate(frames)]
    rows = _in_order(pl.concat([f.select(pl.col("part").cast(pl.Int32), pl.exclude("part")) for f in numbered]))
    mapped = [c for c in rows.columns if c not in _NOT_MAPPED]
    if not rows.height or not mapped:
        return Deduped(rows, pl.DataFrame(schema=_DUPLICATE))
    suspects = _suspects(_by_number(rows), mapped)
    firsts = suspects.with_columns(_first=pl.col("_at").min().over(mapped)).select("_at", "_first", "part", "row")
    later = firsts.filter(pl.col("_at") != pl.col("_first"))
    if not later.height:
        return Deduped(rows, pl.DataFrame(schema=_DUPLICATE))
    origin = firsts.select("_at", first_part="part", first_row="row")
    duplicate = later.join(origin, left_on="_first", right_on="_at", maintain_order="left").select(list(_DUPLICATE))
    keep = pl.select(~pl.int_range(rows.height).is_in(later["_at"].implode())).to_series()
    kept = rows.filter(keep)
    once = duplicate.unique(["part", "row"], keep="first", maintain_order=True)
    gone = once.join(kept.select("part", "row"), on=["part", "row"], how="anti", maintain_order="left")
    return Deduped(kept, gone.sort("part", "row"))


def _by_number(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as if every usable number had been written with 18 digits: a person's number is one value in either spelling."""
    if "number_state" not in rows.columns or not (rows["number_state"] == "converted").any():
        return rows
    usable = pl.col("number").is_not_null()
    return rows.with_columns(
        number_state=pl.when(usable).then(pl.lit("valid")).otherwise("number_state"),
        number_raw=pl.when(~usable).then("number_raw"),
    )


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows by part and row. They mostly come so, and a needless sort copies them all."""
    place = rows.select(pl.col("part").cast(pl.Int64) * 2**32 + pl.col("row")).to_series()
    return rows if place.is_sorted() else rows.sort("part", "row", maintain_order=True)


def _suspects(rows: pl.DataFrame, mapped: Sequence[str]) -> pl.DataFrame:
    """The rows that may have a double, with their place `_at`: those whose numbers and dates have one (quick to hash),
    and of these those that have one in all."""
    quick = [c for c in mapped if rows.schema[c] != pl.String and rows[c].null_count() < rows.height]
    suspects = rows.with_row_index("_at")
    for columns in filter(None, (quick, list(mapped))):
        suspects = suspects.filter(_several(suspects.select(pl.struct(columns).hash()).to_series()))
    return suspects


def _several(hashes: pl.Series) -> pl.Series:
    """Which values stand more than once. Sorting finds the few that do three times as fast as counting them all."""
    ordered = hashes.sort()
    return hashes.is_in(ordered.filter(ordered == ordered.shift(1)).unique().implode())
