"""The same row twice in one feed of one delivery: loaded once, the others counted, each with where its first stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

_NOT_MAPPED = ("part", "row", "extra")
_DUPLICATE = {"part": pl.Int32(), "row": pl.Int32(), "first_part": pl.Int32(), "first_row": pl.Int32()}


@dataclass(frozen=True)
class Deduped:
    """`rows` with `part` first, sorted by (part, row); `duplicate`: part, row, first_part, first_row."""

    rows: pl.DataFrame
    duplicate: pl.DataFrame


def dedupe(frames: Sequence[pl.DataFrame]) -> Deduped:
    """Joins the parts of one feed and takes out rows equal in all mapped values (origin and extra do not count).

    A frame without a `part` column gets its place in the sequence, from 0. Equality is by value, hashes only
    narrow the search: two different rows are never taken for one."""
    if not frames:
        raise ValueError("dedupe needs at least one frame; an empty one will do")
    numbered = [f if "part" in f.columns else f.with_columns(part=pl.lit(i, pl.Int32)) for i, f in enumerate(frames)]
    rows = pl.concat([f.select(pl.col("part").cast(pl.Int32), pl.exclude("part")) for f in numbered]).sort(
        "part", "row", maintain_order=True
    )
    mapped = [c for c in rows.columns if c not in _NOT_MAPPED]
    if not rows.height or not mapped:
        return Deduped(rows, pl.DataFrame(schema=_DUPLICATE))
    hashes = rows.select(h=pl.struct(mapped).hash())
    suspicious = hashes.select(pl.col("h").is_duplicated()).to_series()
    suspects = rows.with_row_index("_at").filter(suspicious)
    firsts = suspects.with_columns(_first=pl.col("_at").min().over(mapped)).select("_at", "_first", "part", "row")
    later = firsts.filter(pl.col("_at") != pl.col("_first"))
    origin = firsts.select("_at", first_part="part", first_row="row")
    duplicate = later.join(origin, left_on="_first", right_on="_at", maintain_order="left").select(list(_DUPLICATE))
    keep = pl.select(~pl.int_range(rows.height).is_in(later["_at"].implode())).to_series()
    return Deduped(rows.filter(keep), duplicate.sort("part", "row"))
