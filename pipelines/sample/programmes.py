"""Which households are on which programme from when to when, and the incomes behind it.

Each household has one story at most: poor all along, fallen into hardship (then the programme answers weeks later, or
late, or never), or recovered (then it leaves at once, gradually, or late). Work is left undone where `slack` is high.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.sample.chance import Bools, Chance, Floats, Ints
from pipelines.sample.months import NEVER, first_day, last_day, month_at
from pipelines.sample.people import ELDER, ELDERS, GROWN, LONE, NUCLEAR, SINGLE, SKIPPED, THREE, Homes, People
from pipelines.sample.places import Places
from pipelines.sample.shocks import Shocks, Window

RAISED = 2026 * 12 + 3
"""The month from which the higher dibao standard holds (pack `demo`)."""
MARGINAL, RIGID, OTHER = range(3)
NOT_LISTED, POOR_ONCE, UNSTABLE, EDGE, SUDDEN = range(5)
LISTED_AS = ("", "脱贫户", "脱贫不稳定户", "边缘易致贫户", "突发严重困难户")


def standard(month: Ints | int, urban: Bools) -> Ints:
    """The dibao standard of pack `demo`, yuan a person and month."""
    raised = np.asarray(month) >= RAISED
    return np.where(urban, np.where(raised, 800, 749), np.where(raised, 650, 612))


@dataclass
class Programmes:
    """Arrays by household (by person where said); months and days, NEVER where it does not come."""

    pay_before: Floats
    """Assessed income per head and month before `change`."""
    pay_after: Floats
    change: Ints
    """The day from which the second income holds."""
    fallen: Bools
    """The change was a fall into hardship."""
    dibao_start: Ints
    dibao_end: Ints
    gradual: Ints
    """The day from which the household leaves dibao step by step."""
    applied: Ints
    """The day of the application that followed the fall."""
    decided: Ints
    single_start: Ints
    """By person: the month from which the person alone is on dibao."""
    tekun_start: Ints
    """By person."""
    central: Bools
    """By person: lives in an institution."""
    low_start: Ints
    low_end: Ints
    low_kind: Ints
    listed: Ints
    """How the household stands in the monitoring list, from `identified` on."""
    identified: Ints
    cleared: Ints
    refused: Ints
    """The day of a refused application."""

    def pay(self, homes: Ints, day: Ints | int) -> Floats:
        """Assessed income per head and month of some households on a day."""
        return np.where(np.asarray(day) >= self.change[homes], self.pay_after[homes], self.pay_before[homes])

    def on_dibao(self, month: int) -> Bools:
        """By household: the whole household is on dibao in the month."""
        return (self.dibao_start <= month) & (self.dibao_end > month)

    def on_low(self, month: int) -> Bools:
        """By household: recognised as a low-income family in the month."""
        return (self.low_start <= month) & (self.low_end > month)

    def at_risk(self, day: int) -> Bools:
        """By household: monitored, identified and not cleared."""
        return (self.listed >= UNSTABLE) & (self.identified <= day) & (self.cleared > day)


def _nothing(income: Floats, people: int) -> Programmes:
    """Nobody on any programme, incomes that stay as they are."""
    homes = len(income)

    def never(length: int = homes) -> Ints:
        return np.full(length, NEVER)

    return Programmes(
        pay_before=income,
        pay_after=income.copy(),
        change=never(),
        fallen=np.zeros(homes, bool),
        dibao_start=never(),
        dibao_end=never(),
        gradual=never(),
        applied=never(),
        decided=never(),
        single_start=never(people),
        tekun_start=never(people),
        central=np.zeros(people, bool),
        low_start=never(),
        low_end=never(),
        low_kind=np.zeros(homes, np.int64),
        listed=np.zeros(homes, np.int64),
        identified=never(),
        cleared=never(),
        refused=never(),
    )


def _any(homes: Homes, of_people: Bools) -> Bools:
    """By household: does it hold for a member?"""
    return np.logical_or.reduceat(of_people, homes.start)


def _into_dibao(
    chance: Chance, places: Places, homes: Homes, shocks: Shocks, window: Window, free: Bools, p: Programmes
) -> None:
    """Falls into hardship, the frail ones first and mostly after a trouble that could be seen: most are answered within
    three months, some late, a few never."""
    every = np.arange(len(homes))
    rate = _rate(shocks, free) * window.months
    falls = free & chance.happens(0.00052 * rate, "falls into hardship", every)
    missed = free & ~falls & chance.happens(0.00035 * places.slack[homes.township] * rate, "is overlooked", every)
    start = window.start + chance.whole(
        2, window.months + 5, "dibao begins", every
    )  # some fall too late to be answered
    after = shocks.trouble < NEVER
    start = np.where(after, _after(chance, shocks, 4, 11, "dibao follows", every), start)
    decided = first_day(start - 1) + chance.whole(3, 25, "dibao decided", every)
    applied = decided - chance.whole(15, 30, "dibao takes", every)
    shock = applied - chance.whole(15, 75, "asks after", every)
    shock = np.where(after, np.maximum(shock, shocks.trouble + 5), shock)
    late = chance.choice((0.18, 0.18, 0.18, 0.16, 0.30), "how late", every)
    late_start = np.where(late == 4, NEVER, start + np.asarray([3, 4, 6, 9, 0])[late])
    told = missed & chance.happens(0.45, "has applied all the same", every)
    p.applied = np.where(falls | told, applied, NEVER)
    p.decided = np.where(falls, decided, np.where(told & (late < 4), last_day(late_start - 1) - 5, NEVER))
    p.dibao_start = np.where(falls, start, np.where(missed, late_start, p.dibao_start))
    p.change = np.where(falls | missed, shock, p.change)
    p.fallen = falls | missed
    base = standard(window.start, homes.urban)
    p.pay_before = np.where(p.fallen, base * chance.between(1.65, 2.7, "before the fall", every), p.pay_before)
    p.pay_after = np.where(p.fallen, base * chance.between(0.3, 0.92, "after the fall", every), p.pay_after)


def _rate(shocks: Shocks, free: Bools) -> Floats:
    """By household: its frailty over that of the free ones, so that as many of them fall as if all were alike."""
    mean = float(shocks.frailty[free].mean()) if free.any() else 1.0
    told: Floats = shocks.frailty / mean
    return told


def _after(chance: Chance, shocks: Shocks, soonest: int, latest: int, purpose: str, every: Ints) -> Ints:
    """By household: a month some months after its trouble (NEVER where it has none)."""
    known = np.where(shocks.trouble < NEVER, shocks.trouble, 0)
    told = month_at(known) + chance.whole(soonest, latest, purpose, every)
    return np.where(shocks.trouble < NEVER, told, NEVER)


def _out_of_dibao(chance: Chance, places: Places, homes: Homes, window: Window, stock: Bools, p: Programmes) -> None:
    """Recoveries: half leave gradually, a third at once, the rest when somebody looks."""
    every = np.arange(len(homes))
    recovers = stock & chance.happens(1 - 0.988**window.months, "recovers", every)
    day = window.day(chance, "recovers on", every)
    way = chance.choice((0.46, 0.22, 0.32), "leaves how", every)
    slow = np.where(way == 2, chance.whole(3, 11, "noticed after", every), chance.whole(0, 1, "noticed soon", every))
    noticed = month_at(day) + slow
    p.gradual = np.where(recovers & (way == 0), first_day(noticed + 1), NEVER)
    idle = np.where(chance.happens(0.12 * places.slack[homes.township], "forgotten", every), 2, 0)
    p.dibao_end = np.where(recovers, np.where(way == 0, noticed + 7 + idle, noticed + 1), p.dibao_end)
    p.change = np.where(recovers, day, p.change)
    after = standard(window.last, homes.urban) * chance.between(1.06, 2.1, "after recovery", every)
    p.pay_after = np.where(recovers, after, p.pay_after)
    listed = recovers & (after < 1.45 * standard(window.last, homes.urban)) & chance.happens(0.7, "caught below", every)
    p.low_start = np.where(listed, p.dibao_end, p.low_start)
    p.low_kind = np.where(listed, MARGINAL, p.low_kind)


def _low_income(chance: Chance, homes: Homes, shocks: Shocks, window: Window, free: Bools, p: Programmes) -> Bools:
    """Families recognised as low-income: a stock that turns over; for heavy expenditure it ends after a year."""
    every = np.arange(len(homes))
    low = free & chance.some(np.where(free, shocks.frailty, 0.0), homes.size, 0.026, "low income")
    kind = chance.choice((0.74, 0.18, 0.08), "low-income kind", every)
    new = (kind == RIGID) | chance.happens(0.012 * window.months, "new low income", every)
    fresh = window.start + chance.whole(0, window.months - 1, "low from", every)
    fresh = np.where(shocks.trouble < NEVER, _after(chance, shocks, 2, 9, "low follows", every), fresh)
    start = np.where(new, fresh, window.start - chance.whole(1, 40, "low since", every))
    stays = chance.whole(10, 60, "low for", every)
    p.low_start = np.where(low, start, p.low_start)
    p.low_end = np.where(low, np.where(kind == RIGID, start + 12, np.maximum(start, window.start) + stays), p.low_end)
    p.low_kind = np.where(low, kind, p.low_kind)
    income = standard(window.start, homes.urban) * chance.between(1.09, 1.47, "low income", every)
    p.pay_before = np.where(low, income, p.pay_before)
    p.pay_after = np.where(low, income, p.pay_after)
    return low


def _monitored(
    chance: Chance, homes: Homes, shocks: Shocks, window: Window, dibao: Bools, low: Bools, free: Bools, earner: Bools, p: Programmes
) -> None:  # fmt: skip
    """The rural list: households once poor (脱贫户) and those at risk, many of them on dibao or low-income too."""
    every = np.arange(len(homes))
    rural = ~homes.urban
    open_to_risk = 0.28 * _rate(shocks, rural & free & earner)
    weight = np.where(rural, np.select([dibao | p.fallen, low, free & earner], [9.0, 9.0, open_to_risk], 0.0), 0.0)
    risk = chance.some(weight, homes.size, 0.026, "at risk")
    weight = np.where(rural & ~risk, np.select([dibao, low, free & earner], [1.6, 1.4, 1.0], 0.0), 0.0)
    once = chance.some(weight, homes.size, 0.08, "once poor")
    kind = 2 + chance.choice((0.42, 0.38, 0.20), "risk kind", every)
    p.listed = np.where(risk, kind, np.where(once, POOR_ONCE, NOT_LISTED))
    first, _ = window.days
    new = chance.happens(0.011 * window.months, "new at risk", every) & ~dibao
    old = first - chance.whole(30, 900, "at risk since", every)
    p.identified = np.where(once, first - chance.whole(2200, 4000, "once poor since", every), NEVER)
    after_fall = p.change + chance.whole(20, 70, "identified after", every)
    seen = _after(chance, shocks, 2, 9, "identified follows", every)
    fresh = np.where(
        seen < NEVER,
        first_day(seen) + chance.whole(0, 27, "identified day", every),
        window.day(chance, "identified", every),
    )
    fresh = np.where(p.fallen, after_fall, fresh)
    p.identified = np.where(risk, np.where(new | p.fallen, fresh, old), p.identified)
    outside = risk & ~dibao & ~low & ~p.fallen
    clears = earner & np.where(
        outside, chance.happens(0.8, "is cleared", every), chance.happens(0.12, "is cleared", every)
    )
    takes = chance.whole(190, 520, "is cleared after", every)
    p.cleared = np.where(risk & clears, np.maximum(p.identified + takes, first - 400), NEVER)
    yuan = np.where(chance.happens(0.09, "below the line", every), chance.between(645, 725, "low pay", every), 0)
    yuan = np.where(yuan > 0, yuan, chance.between(880, 1750, "fair pay", every))
    yuan = np.where(p.cleared < NEVER, chance.between(990, 1900, "cleared pay", every), yuan)
    well = 990 + 700 * np.exp(0.6 * chance.normal("once poor", every))
    income = np.where(outside, yuan, np.where(once & ~dibao & ~low & ~p.fallen, well, -1))
    p.pay_before = np.where(income > 0, income, p.pay_before)
    p.pay_after = np.where((income > 0) & ~p.fallen, income, p.pay_after)


def make_programmes(
    chance: Chance, people: People, homes: Homes, shocks: Shocks, window: Window, places: Places
) -> Programmes:
    """All programmes; the order of steps says who comes first: tekun, dibao, low-income, monitored."""
    every, everyone = np.arange(len(homes)), np.arange(len(people))
    earner, ailing = _any(homes, shocks.earner), _any(homes, shocks.certified < NEVER)
    base = standard(window.start, homes.urban)
    ordinary = base * (1.9 + np.exp(0.25 + 0.55 * chance.normal("income", every)))
    p = _nothing(ordinary, len(people))
    shape = homes.shape
    weight = np.select([shape == ELDER, shape == ELDERS, (shape == SINGLE) & ~earner], [1.0, 0.06, 3.0], 0.0)
    tekun = chance.some(np.where(homes.urban, 0.5, 1.0) * weight, homes.size, 0.0068, "tekun")
    weight = np.select(
        [shape == LONE, shape == SKIPPED, shape == SINGLE, shape == NUCLEAR, shape == THREE, shape == GROWN],
        [2.6, 1.0, 1.3, 0.85, 1.1, 1.0],
        0.55,
    )
    weight = weight * np.where(ailing, 3.0, 1.0) * np.where(earner, 1.0, 0.13) * np.where(homes.urban, 0.6, 1.0)
    dibao = ~tekun & chance.some(np.where(tekun, 0.0, weight), homes.size, 0.043, "dibao")
    p.dibao_start = np.where(
        dibao, window.start - 1 - (120 * chance.share("dibao since", every) ** 1.6).astype(int), NEVER
    )
    poor = np.where(tekun, chance.between(0.1, 0.6, "tekun pay", every), chance.between(0.28, 0.93, "dibao pay", every))
    p.pay_before = np.where(tekun | dibao, base * poor, p.pay_before)
    p.pay_after = np.where(tekun | dibao, p.pay_before, p.pay_after)
    on_tekun = tekun[people.home]
    joins = on_tekun & chance.happens(0.006 * window.months, "new on tekun", everyone)
    begin = window.start + chance.whole(1, window.months - 1, "tekun begins", everyone)
    old = window.start - chance.whole(2, 110, "tekun since", everyone)
    p.tekun_start = np.where(on_tekun, np.where(joins, begin, old), NEVER)
    p.central = on_tekun & chance.happens(0.2, "in an institution", everyone)
    low = _low_income(chance, homes, shocks, window, ~tekun & ~dibao & earner, p)
    free = ~tekun & ~dibao & ~low
    _into_dibao(chance, places, homes, shocks, window, free & earner & ~np.isin(shape, (ELDER, ELDERS)), p)
    free &= ~p.fallen
    _out_of_dibao(chance, places, homes, window, dibao & earner, p)
    _monitored(chance, homes, shocks, window, dibao, low, free, earner, p)
    may = (
        (low | (p.listed >= UNSTABLE))[people.home]
        & shocks.severe
        & ~dibao[people.home]
        & ~p.fallen[people.home]
        & ~on_tekun
    )
    alone = may & chance.happens(0.9, "alone on dibao", everyone)
    since = np.maximum(month_at(shocks.certified) + chance.whole(2, 9, "alone after", everyone), window.start - 60)
    p.single_start = np.where(alone, since, NEVER)
    asks = free & (p.listed < UNSTABLE) & chance.happens(0.00042 * window.months, "is refused", every)
    p.refused = np.where(asks, window.day(chance, "refused on", every), NEVER)
    meagre = asks & chance.happens(0.3, "refused but short", every) & (p.listed == NOT_LISTED)
    p.pay_before = np.where(meagre, base * chance.between(1.12, 1.45, "short", every), p.pay_before)
    p.pay_after = np.where(meagre, p.pay_before, p.pay_after)
    return p
