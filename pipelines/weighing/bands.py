"""What a weight means: as good as certain, for a person to decide, or nobody.

`sure` asks for more than a high probability, because errors of siblings and twins hang together (same place, phone and
surname): the name must at least sound the same, sex must not differ, and the next best candidate must be far behind.
"""

from __future__ import annotations

import polars as pl

SURE = 0.9995
AHEAD = 7.0  # bits: the best candidate is 128 times as likely as the next
DOUBTFUL = 0.05
SOUNDS_ALIKE = 2  # the last level of the name at which it sounds alike
ONE_DIGIT = 2  # the last level of the birth date at which it is nearly the same
SAME_SEX_OR_UNKNOWN = 0


def alike() -> pl.Expr:
    """Of two persons with a number each: nothing but the number speaks for two."""
    return (pl.col("name_level") <= SOUNDS_ALIKE) & (pl.col("birth_level") <= ONE_DIGIT) & (pl.col("sex_level") <= 0)


def ranked(pairs: pl.DataFrame, of: str, among: str) -> pl.DataFrame:
    """Pairs with the candidate's place among those of its row (1 = best), how far it is ahead of the next, and the band."""
    found = pairs.sort([of, "weight", among], descending=[False, True, False]).with_columns(
        rank=pl.int_range(1, pl.len() + 1).over(of), ahead=pl.col("weight") - pl.col("weight").shift(-1).over(of)
    )
    # Two rows of which both fit one person best are two rows of that person, or one of them is not: neither is asked here.
    sure = (
        (pl.col("rank") == 1)
        & (pl.col("probability") >= SURE)
        & (pl.col("ahead").is_null() | (pl.col("ahead") >= AHEAD))
        & pl.col("name_level").is_between(0, SOUNDS_ALIKE)
        & (pl.col("sex_level") <= SAME_SEX_OR_UNKNOWN)
    )
    return found.with_columns(
        band=pl.when(sure).then(pl.lit("sure")).when(pl.col("probability") >= DOUBTFUL).then(pl.lit("doubtful")).otherwise(pl.lit("unlikely"))
    ).sort(of, "rank")  # fmt: skip
