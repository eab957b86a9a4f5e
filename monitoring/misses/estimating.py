"""How many needy households nothing flagged, and what share of the needy the rules and the model find. Pure.

A group is the households of one band (and one township, where a township is asked about) that can be drawn; its answered
visits stand for all of them. Within a group every household had the same chance, since townships have their share of each
band's visits. Who could not be answered for is neither needy nor without difficulty: the estimate takes them to be like those
of their group who could, and `best` and `worst` say what is possible if that is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from monitoring.language import rounded
from monitoring.misses.intervals import Floats, weighted_interval


@dataclass(frozen=True)
class Group:
    """`households` that can be drawn; of those drawn `answered`, of these `needy`; `unknown` were drawn and have no answer."""

    households: int
    answered: int = 0
    needy: int = 0
    unknown: int = 0


@dataclass(frozen=True)
class Estimate:
    """`missed` needy households with the limits of 95%. `best`: the lower limit if nobody without an answer is needy; `worst`:
    the upper limit if all of them are, with every household of groups in which nobody answered (`unvisited`)."""

    households: int
    unvisited: int
    answered: int
    needy: int
    unknown: int
    missed: float
    low: float
    high: float
    best: float
    worst: float

    @property
    def known(self) -> bool:
        """Whether anything can be said."""
        return self.answered > 0

    @property
    def about(self) -> int:
        return int(rounded(self.missed, 0))

    @property
    def limits(self) -> tuple[int, int]:
        """Whole households between which the number lies with 95%."""
        return floor(self.low), ceil(self.high)

    @property
    def possible(self) -> tuple[int, int]:
        """The same, whatever is true of those who could not be answered for."""
        return floor(self.best), ceil(self.worst)

    @property
    def share(self) -> float:
        """Needy households of those that the estimate speaks of."""
        return self.missed / max(self.households - self.unvisited, 1)


@dataclass(frozen=True)
class Recall:
    """The share of needy households that something flagged: `found` were confirmed, of `all_found` in all; with the limits that
    follow from those of the missed ones. `worst`: the lower one if all sampled households without an answer are needy."""

    found: int
    all_found: int
    share: float
    low: float
    high: float
    worst: float


def estimate(groups: Sequence[Group]) -> Estimate:
    """Σ households × needy / answered, over the groups with an answer."""
    seen = [group for group in groups if group.answered]
    unvisited = sum(group.households for group in groups if not group.answered)
    households, answered, needy, unknown = (
        np.array([getattr(group, name) for group in seen], dtype=np.float64)
        for name in ("households", "answered", "needy", "unknown")
    )
    low, high = _limits(households, answered, needy)
    best, _ = _limits(households, answered + unknown, needy)
    _, worst = _limits(households, answered + unknown, needy + unknown)
    return Estimate(
        sum(group.households for group in groups), unvisited, sum(group.answered for group in groups),
        sum(group.needy for group in groups), sum(group.unknown for group in groups),
        float((households * needy / answered).sum()) if seen else 0.0, low, high, best, worst + unvisited,
    )  # fmt: skip


def _limits(households: Floats, visits: Floats, needy: Floats) -> tuple[float, float]:
    if not len(households):
        return 0.0, 0.0
    low, high = weighted_interval(households / visits, needy)
    return float(low), float(min(high, households.sum()))


def recall(found: int, all_found: int, missed: Estimate) -> Recall | None:
    """found / (all that was found + missed). The found are counted, not estimated: the limits are those of the missed. None
    where nobody was found to be needy at all."""
    if not all_found and not missed.needy:
        return None
    of = [all_found + count for count in (missed.missed, missed.high, missed.low, missed.worst)]
    share, low, high, worst = (found / all_ if all_ else 0.0 for all_ in of)
    return Recall(found, all_found, share, low, high, worst)


def expected(households: Sequence[int], visits: Sequence[int], months: int, share: float) -> tuple[float, float]:
    """The limits to be expected of so many visits a month by group, over some months, if a share of all is needy."""
    asked = [(of, n) for of, n in zip(households, visits, strict=True) if n]
    if not asked:
        return 0.0, float(sum(households))
    of = np.array([one for one, _ in asked], dtype=np.float64)
    done = np.array([n for _, n in asked], dtype=np.float64) * months
    low, high = weighted_interval(of / done, done * share)
    return float(low), float(min(high, of.sum()))
