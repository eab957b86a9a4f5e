"""A 95% interval for a number that was counted in a sample with unequal weights, also where few or none were found. Pure.

The number is a sum of counts, one a group, each times its weight (households for each answered visit). Where needy households
are rare the counts are nearly Poisson, never more spread than that. The interval is the one that M. P. Fay and E. J. Feuer
derived for directly standardised rates from the gamma distribution (Confidence intervals for directly standardized rates: a
method based on the gamma distribution, Statistics in Medicine 16, 1997, 791-801): exact where all weights are equal, on the
safe side where they differ, and with an upper limit of 3.69 times the largest weight where nothing was found. A normal
approximation, or Wilson's interval of each group added up, fails just there: with no finds it ends at zero.

That few households are left unvisited where a place is small (the correction for a finite population) is not made use of:
the interval is then wider than it need be. `tests/test_misses_coverage.py` measures how often it holds the truth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

Floats = NDArray[np.float64]
TAIL = 0.025  # on either side


def weighted_interval(weights: Floats, found: Floats) -> tuple[Floats, Floats]:
    """The limits of Σ weights × found over the last axis; both arrays are (…, groups). A group of weight 0 does not count.

    `found` need not be whole: what a sample of some size would tell can be asked with its expected counts.
    """
    told = (weights * found).sum(axis=-1)
    spread = (weights**2 * found).sum(axis=-1)
    largest = weights.max(axis=-1)
    return _quantile(told, spread, TAIL), _quantile(told + largest, spread + largest**2, 1 - TAIL)


def _quantile(mean: Floats, variance: Floats, probability: float) -> Floats:
    """The quantile of the gamma distribution with this mean and variance; 0 where both are 0."""
    some = (mean > 0) & (variance > 0)
    safe_mean, safe_variance = np.where(some, mean, 1.0), np.where(some, variance, 1.0)
    shape, scale = safe_mean**2 / safe_variance, safe_variance / safe_mean
    limits: Floats = np.where(some, gammaincinv(shape, probability) * scale, 0.0)
    return limits
