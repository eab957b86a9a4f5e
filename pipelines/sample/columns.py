"""Small ways to make a column: words by index, blanks where told, a rare few of many."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.sample.chance import Bools
from pipelines.sample.county import County


def words(values: tuple[str | None, ...], index: NDArray[Any]) -> pl.Series:
    """A column of words by index."""
    return pl.Series(list(values), dtype=pl.String).gather(pl.Series(np.asarray(index).astype(np.int64)))


def blank(series: pl.Series, where: Bools) -> pl.Series:
    """The column with blanks where told."""
    return series.zip_with(pl.Series(~where), pl.Series([None], dtype=series.dtype).new_from_index(0, len(series)))


def first_few(c: County, among: Bools, share: float, purpose: str) -> Bools:
    """A share of some persons, one at least where there are any: a rare irregularity must occur in a small sample."""
    rows = np.flatnonzero(among)
    if not len(rows):
        return among.copy()
    luck = c.chance.share(purpose, rows)
    chosen = np.zeros(len(among), dtype=bool)
    chosen[rows[(luck < share) | (luck == luck.min())]] = True
    return chosen
