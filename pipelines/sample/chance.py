"""Randomness without a state: a number is a function of the seed, a purpose and the thing it is about.

Because nothing is drawn in an order, a household keeps its story whichever months are written, a fault that sits in a
department's database is there again next month, and feeds can be made in any order. No clock, no `hash(str)`.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser: neighbouring keys end far apart."""
    state = state + _STEP
    state = (state ^ (state >> np.uint64(30))) * _MIX_A
    state = (state ^ (state >> np.uint64(27))) * _MIX_B
    return state ^ (state >> np.uint64(31))


class Chance:
    """All chance of one county; `keys` are indices of persons, households, months …, given as arrays."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def bits(self, purpose: str, *keys: NDArray[np.integer] | int) -> NDArray[np.uint64]:
        """64 random bits for each key (the keys broadcast against each other)."""
        start = (self.seed & 0xFFFFFFFF) << 32 | zlib.crc32(purpose.encode())
        state = _mixed(np.array([start], dtype=np.uint64))
        for key in keys:
            state = _mixed(state ^ np.atleast_1d(np.asarray(key)).astype(np.int64).view(np.uint64))
        return state

    def share(self, purpose: str, *keys: NDArray[np.integer] | int) -> Floats:
        """Uniform in [0, 1)."""
        return (self.bits(purpose, *keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def happens(self, probability: Floats | float, purpose: str, *keys: NDArray[np.integer] | int) -> Bools:
        """True with the probability given (a number, or one for each key)."""
        return self.share(purpose, *keys) < probability

    def between(self, low: float, high: float, purpose: str, *keys: NDArray[np.integer] | int) -> Floats:
        """Uniform between two amounts."""
        return low + (high - low) * self.share(purpose, *keys)

    def whole(
        self,
        low: NDArray[np.integer] | int,
        high: NDArray[np.integer] | int,
        purpose: str,
        *keys: NDArray[np.integer] | int,
    ) -> Ints:
        """A whole number from low to high, both included."""
        span = np.maximum(np.asarray(high) - np.asarray(low) + 1, 1)
        drawn: Ints = (np.asarray(low) + np.floor(self.share(purpose, *keys) * span)).astype(np.int64)
        return drawn

    def normal(self, purpose: str, *keys: NDArray[np.integer] | int) -> Floats:
        """Standard normal (Box and Muller)."""
        first = np.maximum(self.share(purpose + "/r", *keys), 1e-12)
        return np.sqrt(-2.0 * np.log(first)) * np.cos(2.0 * np.pi * self.share(purpose + "/a", *keys))

    def choice(self, weights: Sequence[float], purpose: str, *keys: NDArray[np.integer] | int) -> Ints:
        """The index of one of the weights."""
        edges = np.cumsum(np.asarray(weights, dtype=np.float64))
        return np.searchsorted(edges / edges[-1], self.share(purpose, *keys), side="right").clip(0, len(edges) - 1)

    def some(self, weights: Floats, sizes: NDArray[np.integer], share: float, purpose: str) -> Bools:
        """Pick indices in proportion to their weights so that about `share` of the total size is picked."""
        heavy = float((weights * sizes).sum())
        scale = share * float(sizes.sum()) / heavy if heavy else 0.0
        return self.happens(weights * scale, purpose, np.arange(len(weights)))
