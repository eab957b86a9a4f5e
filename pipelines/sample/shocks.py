"""What happens to people: deaths, disability, serious illness, lost jobs, floods, unsafe dwellings, drop-outs.

Everything is dated once for the whole window (two years before the first month written, to the last one).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.sample.chance import Bools, Chance, Floats, Ints
from pipelines.sample.months import NEVER, first_day, last_day, month_at
from pipelines.sample.people import Homes, People
from pipelines.sample.places import Places

KINDS = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")
DEATHS_A_YEAR = ((1, 0.003), (18, 0.0003), (40, 0.0008), (60, 0.0024), (70, 0.011), (80, 0.03), (200, 0.085))
ILLNESS_A_YEAR = ((40, 0.0012), (60, 0.0042), (200, 0.009))
# How many times likelier hardship is where it holds; of the same order as in panels of real households, where disability,
# illness, lost work, many mouths on few earners and a poor dwelling tell who will be poor, though never for sure.
DISABLED, SEVERELY, STRUCK, BADLY_HOUSED, PER_DEPENDANT = 3.0, 1.8, 8.0, 2.0, 0.5


@dataclass(frozen=True)
class Window:
    """The months that stories may happen in, and the ones that are written."""

    start: int
    first: int
    last: int

    @property
    def days(self) -> tuple[int, int]:
        """First and last day."""
        return int(first_day(self.start)), int(last_day(self.last))

    @property
    def months(self) -> int:
        """How many months stories have."""
        return self.last - self.start + 1

    def day(self, chance: Chance, purpose: str, *keys: Ints) -> Ints:
        """A day of the window."""
        return chance.whole(self.days[0], self.days[1], purpose, *keys)


@dataclass
class Shocks:
    """Arrays by person or household; NEVER where nothing happens."""

    disability: Ints
    """Index into KINDS, −1 for none."""
    grade: Ints
    certified: Ints
    """The day on the certificate."""
    severe: Bools
    no_labour: Bools
    """The certificate says that the person cannot work."""
    earner: Bools
    """Grown up, below 60 and able to work."""
    ill: Ints
    """The day on which a serious illness begins."""
    job_lost: Ints
    dropped_out: Ints
    flood: Ints
    """The day on which a flood hits the household."""
    flood_loss: Ints
    flood_damage: Ints
    """0 none, 1 一般, 2 严重, 3 倒塌."""
    grade_of_dwelling: Ints
    """0 to 3 for A to D."""
    dwelling_found: Ints
    """The day on which a dwelling of C or D was found."""
    dwelling_repaired: Ints
    unsafe_water: Bools
    frailty: Floats
    """By household: how many times likelier than the average one it is to come to need help."""
    trouble: Ints
    """By household: the first day on which illness, a lost job, a new severe disability or an earner's death strikes."""


def rate_by_age(age: Ints, table: tuple[tuple[int, float], ...]) -> Floats:
    """The yearly rate of each age; a table row holds below its age."""
    limits = np.asarray([limit for limit, _ in table])
    rates: Floats = np.asarray([rate for _, rate in table])[
        np.searchsorted(limits, age, side="right").clip(0, len(table) - 1)
    ]
    return rates


def let_die(chance: Chance, people: People, window: Window) -> None:
    """Deaths, told 0 to 2 months later, struck off the registry later still; births are registered late as well."""
    everyone = np.arange(len(people))
    first, last = window.days
    yearly = rate_by_age(people.age(last), DEATHS_A_YEAR)
    dies = chance.happens(1 - np.exp(-yearly * window.months / 12), "dies", everyone)
    day = np.maximum(window.day(chance, "day of death", everyone), people.birth + 3)
    people.dead = np.where(dies & (day <= last), day, NEVER)
    lag = chance.choice((0.45, 0.4, 0.15), "death is told", everyone)
    more = chance.choice((0.45, 0.4, 0.15), "struck off", everyone)
    known = people.dead < NEVER
    people.death_seen = np.where(known, month_at(people.dead) + lag, NEVER)
    people.removed = np.where(known, people.death_seen + more, NEVER)
    late = chance.choice((0.6, 0.3, 0.1), "birth is told", everyone)
    people.entered = np.where(people.birth >= first, month_at(people.birth) + late, 0)


def disable(chance: Chance, people: People, window: Window) -> tuple[Ints, Ints, Ints]:
    """Who holds a certificate, its grade and day: about 5 %, rising with age, few of them new."""
    everyone = np.arange(len(people))
    age = people.age(window.days[1])
    share = np.select([age < 18, age < 45, age < 60, age < 75], [0.011, 0.026, 0.055, 0.10], 0.14)
    has = chance.happens(share, "disabled", everyone)
    kind = np.where(has, chance.choice((13, 10, 2, 48, 9, 12, 6), "disability", everyone), -1)
    grade = 1 + chance.choice((0.14, 0.24, 0.32, 0.30), "grade", everyone)
    first, last = window.days
    old = first - 200 - (chance.share("years of certificate", everyone) * 3000).astype(np.int64)
    new = chance.happens(0.022 * window.months / 12, "new disability", everyone)
    day = np.maximum(np.where(new, window.day(chance, "day of certificate", everyone), old), people.birth + 400)
    return kind, grade, np.where(has & (day <= last), day, NEVER)


def hit_by_flood(
    chance: Chance, homes: Homes, window: Window, places: Places, frailty: Floats
) -> tuple[Ints, Ints, Ints]:
    """Each July two rural townships are flooded; one household in forty loses something, the frail ones more often."""
    everyone = np.arange(len(homes))
    day, loss, damage = np.full(len(homes), NEVER), np.zeros(len(homes), np.int64), np.zeros(len(homes), np.int64)
    rural = np.arange(2, len(places.townships))
    for year in range(window.start // 12, window.last // 12 + 1):
        july = year * 12 + 6
        if not window.start <= july <= window.last:
            continue
        wet = rural[np.argsort(chance.share("wet", year, rural))[:2]]
        hit = (
            np.isin(homes.township, wet)
            & chance.happens(0.025 * frailty.clip(0.3, 8), "flooded", year, everyone)
            & (day == NEVER)
        )
        night = first_day(july) + chance.whole(4, 20, "night of the flood", year, homes.township)
        day = np.where(hit, night, day)
        grade = chance.choice((0.3, 0.54, 0.12, 0.04), "damage", year, everyone)
        damage = np.where(hit, grade, damage)
        some = 600 + 5400 * chance.share("loss", year, everyone) * (1 + grade**2)
        loss = np.where(hit, some.astype(np.int64) // 100 * 100, loss)
    return day, loss, damage


def make_shocks(chance: Chance, people: People, homes: Homes, window: Window, places: Places) -> Shocks:
    """All shocks; deaths are written into `people`."""
    let_die(chance, people, window)
    everyone, every_home = np.arange(len(people)), np.arange(len(homes))
    first, last = window.days
    age = people.age(last)
    kind, grade, certified = disable(chance, people, window)
    holds = certified < NEVER
    severe = holds & ((grade <= 2) | (np.isin(kind, (4, 5)) & (grade == 3)))
    unable = (np.isin(kind, (4, 5)) & (grade <= 3)) | ((kind == 3) & (grade <= 2)) | ((kind == 0) & (grade == 1))
    no_labour = holds & unable
    earner = (age >= 18) & (age < 60) & ~no_labour & ~chance.happens(0.012, "cannot work", everyone)
    years = window.months / 12
    ill = chance.happens(rate_by_age(age, ILLNESS_A_YEAR) * np.where(holds, 3, 0.85) * years, "seriously ill", everyone)
    lost = earner & chance.happens(0.02 * years, "loses the job", everyone)
    drops = (age >= 7) & (age <= 16) & chance.happens(0.0022 * years, "drops out", everyone)
    ill_from = np.where(ill, window.day(chance, "falls ill", everyone), NEVER)
    # Who dies before old age has mostly been ill for months.
    ailed = earner & (people.dead < NEVER) & chance.happens(0.7, "ill before death", everyone)
    ill_from = np.where(ailed, people.dead - chance.whole(40, 300, "ill how long", everyone), ill_from)
    lost_on = np.where(lost, window.day(chance, "job ends", everyone), NEVER)
    dwelling = chance.choice((0.61, 0.366, 0.014, 0.010), "dwelling", every_home)
    struck = np.minimum.reduce(
        [
            ill_from,
            lost_on,
            np.where(earner, people.dead, NEVER),
            np.where(severe & (certified >= first), certified, NEVER),
        ]
    )
    trouble = np.minimum.reduceat(struck, homes.start)
    frailty = frailty_of(homes, holds, severe, earner, trouble, dwelling)
    flood, loss, damage = hit_by_flood(chance, homes, window, places, frailty)
    new = chance.happens(0.2, "found lately", every_home)
    found = np.where(
        new, window.day(chance, "found on", every_home), first - chance.whole(60, 1500, "found before", every_home)
    )
    waits = chance.whole(120, 700, "repair takes", every_home) * np.where(places.slack[homes.township] > 2, 2, 1)
    repaired = np.where(chance.happens(0.86, "is repaired", every_home), found + waits, NEVER)
    return Shocks(
        np.where(holds, kind, -1),
        grade,
        certified,
        severe,
        no_labour,
        earner,
        ill_from,
        lost_on,
        np.where(drops, window.day(chance, "leaves school", everyone), NEVER),
        flood,
        loss,
        damage,
        dwelling,
        np.where(dwelling >= 2, found, first - chance.whole(200, 2500, "assessed", every_home)),
        np.where(dwelling >= 2, repaired, NEVER),
        chance.happens(0.0035 * np.clip(places.slack[homes.township], 0.6, 2), "unsafe water", every_home),
        frailty,
        trouble,
    )


def frailty_of(homes: Homes, holds: Bools, severe: Bools, earner: Bools, trouble: Ints, dwelling: Ints) -> Floats:
    """By household: how many times likelier than the average one it is to come to need help."""
    earners = np.add.reduceat(earner.astype(np.int64), homes.start)
    many = 1 + PER_DEPENDANT * (homes.size - earners) / np.maximum(earners, 1)
    ailing, gravely = np.logical_or.reduceat(holds, homes.start), np.logical_or.reduceat(severe, homes.start)
    made = many * np.where(ailing, DISABLED, 1.0) * np.where(gravely, SEVERELY, 1.0)
    made = made * np.where(trouble < NEVER, STRUCK, 1.0) * np.where(dwelling >= 2, BADLY_HOUSED, 1.0)
    told: Floats = made / made.mean()
    return told
