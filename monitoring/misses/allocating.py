"""How many households are drawn of which township and band, and which: by the seed alone. Pure.

A band's visits are its share by households times rate, at least LEAST where there are so many. Within a band they go to the
townships by households: each gets its share rounded up or down, by a starting point that the seed gives, so that every
household of a band has the same chance (systematic rounding). Within a township and band the households with the smallest
digests of seed and number are drawn (permanent random numbers, E. Ohlsson, Coordination of samples using permanent random
numbers, in: Business Survey Methods, 1995): whoever knows seed and households can draw the same sample again, and who leaves
is followed by the next in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import polars as pl

LEAST = 2  # visits of a band, while it has so many households and there are so many visits
STRATUM = ["township", "band"]


def of_bands(households: Sequence[int], rates: Sequence[float], visits: int) -> list[int]:
    """Visits by band: their sum is `visits`, or all households where there are fewer; none has more than it has households."""
    left = min(visits, sum(households))
    given = [0] * len(households)
    if left >= LEAST * len(households):
        given = [min(LEAST, of) for of in households]
        left -= sum(given)
    weights = [of * rate for of, rate in zip(households, rates, strict=True)]
    total = sum(weights) or 1.0
    wish = [min(visits, sum(households)) * weight / total for weight in weights]
    for _ in range(left):
        short = [
            (wish[n] - given[n], -n) for n in range(len(given)) if given[n] < households[n]
        ]  # whoever lacks most of their share
        given[-max(short)[1]] += 1
    return given


def wanted(strata: pl.DataFrame, rates: Sequence[float], visits: int, seed: str) -> pl.DataFrame:
    """`strata`: township, band, households. The same with `wanted`, in the order of band and township."""
    ordered = strata.sort("band", "township", nulls_last=True)
    sums = dict(ordered.group_by("band").agg(pl.col("households").sum()).iter_rows())
    of = [int(sums.get(band, 0)) for band in range(len(rates))]
    given = of_bands(of, rates, visits)
    bands = pl.DataFrame(
        {"band": range(len(rates)), "given": given, "of": of, "start": [fraction(seed, f"band {n}") for n in range(len(rates))]},
        schema={"band": pl.Int64, "given": pl.Int64, "of": pl.Int64, "start": pl.Float64},
    )  # fmt: skip
    upto = pl.col("households").cum_sum().over("band")
    # Whole numbers first: the last township's sum is the band's visits to the last bit.
    reached = (upto * pl.col("given") / pl.col("of") + pl.col("start")).floor()
    before = ((upto - pl.col("households")) * pl.col("given") / pl.col("of") + pl.col("start")).floor()
    return (
        ordered.join(bands, on="band", maintain_order="left")
        .with_columns(wanted=(reached - before).cast(pl.Int64))
        .drop("given", "of", "start")
    )


def ranked(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame`: household_id, township, band, key (the digest). The same with `place`: from 1 in each stratum, by digest."""
    return frame.sort("band", "township", "key", "household_id", nulls_last=True).with_columns(
        place=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over(STRATUM)
    )


def fraction(seed: str, of: str) -> float:
    """A number from 0 up to, not including, 1: always the same for seed and text."""
    return int.from_bytes(hashlib.sha256(f"{seed} {of}".encode()).digest()[:4]) / 2**32
