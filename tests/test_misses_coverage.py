"""The interval on the misses against known truths: it holds the true number at least as often as it says, also for rare ones."""

from __future__ import annotations

import functools

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from monitoring.misses.allocating import STRATUM, wanted
from monitoring.misses.estimating import Group, estimate, expected, recall
from monitoring.misses.intervals import Floats, weighted_interval

REPEATED, MONTHS = 500, 12
RATES = [1.0, 1.0, 2.0]
# Households by township and band: uneven, one place with a handful, one band nearly empty.
EVEN = [[900, 800, 400], [700, 900, 500], [800, 700, 450]]
UNEVEN = [[6000, 900, 150], [1200, 400, 60], [300, 90, 12], [45, 9, 3], [2500, 300, 700]]
COUNTIES = {"even": EVEN, "uneven": UNEVEN}
# The share of needy households by band.
TRUTHS = {"rare": (0.002, 0.002, 0.002), "one in a hundred": (0.01, 0.01, 0.01), "one in twenty": (0.05, 0.05, 0.05),
          "where rules are blind": (0.001, 0.01, 0.08), "nobody": (0.0, 0.0, 0.0)}  # fmt: skip


def strata_of(county: list[list[int]]) -> pl.DataFrame:
    rows = [(f"镇{town}", band, of) for town, bands in enumerate(county) for band, of in enumerate(bands)]
    schema = {"township": pl.String, "band": pl.Int64, "households": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort(STRATUM)


@functools.cache
def rounds_of(name: str, visits: int) -> NDArray[np.int64]:
    """How many are drawn of each stratum, under forty seeds."""
    drawn = (wanted(strata_of(COUNTIES[name]), RATES, visits, f"seed {n}").sort(STRATUM)["wanted"] for n in range(40))
    return np.stack([one.to_numpy() for one in drawn])


def simulated(name: str, truth: tuple[float, ...], visits: int, answers: float) -> tuple[Floats, Floats, Floats]:
    """True number, and the limits of REPEATED samples of MONTHS draws of which a share answers by chance."""
    chance, strata = np.random.default_rng(20261130), strata_of(COUNTIES[name])
    households = strata["households"].to_numpy()
    band = strata["band"].to_numpy()
    needy = chance.binomial(households, np.array(truth)[band], (REPEATED, len(strata)))
    rounds = rounds_of(name, visits)
    drawn = rounds[chance.integers(0, len(rounds), (REPEATED, MONTHS))]
    found = chance.hypergeometric(needy[:, None, :], (households - needy)[:, None, :], drawn)
    found_answered = chance.binomial(found, answers)
    others = chance.binomial(drawn - found, answers)
    by_band = np.stack([(band == n) for n in range(len(RATES))]).astype(np.float64).T
    answered, seen = (found_answered + others).sum(axis=1) @ by_band, found_answered.sum(axis=1) @ by_band
    of = households @ by_band
    weights = np.where(answered > 0, of / np.maximum(answered, 1), 0.0)
    low, high = weighted_interval(weights, seen)
    return needy.sum(axis=1).astype(np.float64), low, high


@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize("county", COUNTIES)
def test_the_interval_holds_the_truth_in_93_of_100_repetitions_and_more(county: str, truth: str) -> None:
    for visits, answers in ((20, 1.0), (60, 0.8)):
        true, low, high = simulated(county, TRUTHS[truth], visits, answers)
        held = ((low <= true) & (true <= high)).mean()
        assert held >= 0.93, (visits, held)
        assert (high > 0).all(), "nobody found is no proof that there is nobody"


def test_the_interval_is_not_wide_for_its_own_sake() -> None:
    """Where one in twenty is needy, 60 visits a month tell the number to within a third of itself, on average."""
    true, low, high = simulated("even", TRUTHS["one in twenty"], 60, 1.0)
    assert ((high - low) / true).mean() < 0.9
    assert ((low + high) / 2 / true).mean() == pytest.approx(1.0, abs=0.1)


def test_one_pooled_sample_is_estimated_as_the_simulation_does() -> None:
    groups = [Group(6000, 120, 1), Group(900, 30, 2, 3), Group(150, 10, 0)]
    found = estimate(groups)
    low, high = weighted_interval(np.array([50.0, 30.0, 15.0]), np.array([1.0, 2.0, 0.0]))
    assert found.missed == 110.0 and (found.low, found.high) == pytest.approx((float(low), float(high)))


@pytest.mark.parametrize(
    ("found", "low", "high"), [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (3, 0.6187, 8.7673), (10, 4.7954, 18.3904)]
)
def test_with_equal_weights_the_interval_is_the_exact_one_of_a_poisson_count(
    found: int, low: float, high: float
) -> None:
    """Garwood's limits (Fiducial limits for the Poisson distribution, Biometrika 28, 1936)."""
    limits = weighted_interval(np.array([7.0, 7.0]), np.array([float(found), 0.0]))
    assert [float(limit) / 7 for limit in limits] == pytest.approx([low, high], abs=1e-4)


def test_a_group_in_which_nobody_answered_is_not_taken_for_one_without_need() -> None:
    found = estimate([Group(1000, 50), Group(80, 0, 0, 2), Group(0)])
    assert (found.households, found.unvisited, found.answered, found.unknown) == (1080, 80, 50, 2)
    assert found.limits == (0, 74) and found.possible == (0, 154)
    assert not estimate([Group(80, 0, 0, 2)]).known and estimate([]).possible == (0, 0)


def test_those_without_an_answer_widen_what_is_possible_on_both_sides() -> None:
    found = estimate([Group(1000, 90, 3, 10)])
    assert found.best < found.low < found.missed < found.high < found.worst <= 1000
    assert found.missed == pytest.approx(1000 * 3 / 90)
    assert estimate([Group(10, 9, 9, 1)]).high == 10, "never more than there are"


def test_the_share_found_is_told_only_where_somebody_was_in_need() -> None:
    nobody = estimate([Group(1000, 50)])
    assert recall(0, 0, nobody) is None
    told = recall(40, 50, nobody)
    assert (
        told is not None
        and (told.share, told.high) == (0.8, 0.8)
        and told.low == pytest.approx(40 / (50 + nobody.high))
    )
    missed = recall(0, 0, estimate([Group(1000, 50, 1)]))
    assert missed is not None and (missed.share, missed.low, missed.high, missed.worst) == (0, 0, 0, 0)


def test_more_visits_are_expected_to_tell_more_and_none_tell_nothing() -> None:
    limits = [expected([500, 500], [n, n], 12, 0.01) for n in (0, 5, 20, 80)]
    widths = [high - low for low, high in limits]
    assert limits[0] == (0.0, 1000.0) and widths == sorted(widths, reverse=True) and limits[-1][0] < 10 < limits[-1][1]
