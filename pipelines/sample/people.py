"""Who lives in the county: households of believable shapes, ages, names and identity numbers.

Everybody is made once, with a birth date and, later, a day of death; a month's registry is who is there by then.
Identity numbers begin with 500999, which is assigned to no district, so that no number can be a living person's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.sample.chance import Bools, Chance, Ints
from pipelines.sample.months import NEVER
from pipelines.sample.names import names_of, surname_of_homes
from pipelines.sample.places import Places

PREFIX = 500999
HEAD, SPOUSE, CHILD, INLAW, PARENT, GRANDCHILD = range(6)
RELATIONS = ("户主", "配偶", "之子", "之儿媳", "之父", "之孙子", "户主", "配偶", "之女", "之儿媳", "之母", "之孙女")
"""By role, men first; a husband moving in is 之女婿, set where it happens."""
NUCLEAR, THREE, ELDERS, ELDER, SKIPPED, SINGLE, LONE, GROWN, COUPLE = range(9)
SHAPE_SHARES = (0.265, 0.185, 0.115, 0.085, 0.045, 0.085, 0.035, 0.12, 0.065)
YOUNGEST = np.asarray([27, 31, 60, 62, 55, 24, 29, 46, 24])
OLDEST = np.asarray([50, 57, 83, 91, 74, 59, 51, 62, 59])
SPOUSE_SHARE = np.asarray([1, 0.96, 1, 0, 0.72, 0, 0, 0.95, 1])
CHILDREN = np.asarray(  # the chance of at least one, two, three
    [[1, 0.48, 0.07], [1, 0.42, 0.06], [0] * 3, [0] * 3, [0] * 3, [0] * 3, [1, 0.35, 0], [1, 0.12, 0], [0] * 3]
)
PARENTS = np.asarray([[0, 0], [1, 0.5], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0]])
GRANDCHILDREN = np.asarray([[0, 0]] * 4 + [[1, 0.4]] + [[0, 0]] * 4)


@dataclass
class Homes:
    """One row is a household."""

    shape: Ints
    village: Ints
    township: Ints
    urban: Bools
    start: Ints
    """The row of its first person; its people follow one another."""
    size: Ints
    heir: Ints
    """The person who heads it after the head's death (the head again where nobody else is grown up)."""

    @property
    def head(self) -> Ints:
        """The person who heads it while alive."""
        return self.start

    def __len__(self) -> int:
        return len(self.shape)


@dataclass
class People:
    """One row is a person, in the order of households; the day of death and what follows are set by `shocks`."""

    home: Ints
    role: Ints
    male: Bools
    birth: Ints
    relation: pl.Series
    name: pl.Series
    number: pl.Series
    dead: Ints
    """The day of death, else NEVER."""
    death_seen: Ints
    """The month in which the register of deaths tells of it."""
    removed: Ints
    """The month from which the registry no longer lists the person."""
    entered: Ints
    """The month from which the registry lists the person: births are registered late."""

    def __len__(self) -> int:
        return len(self.home)

    def age(self, day: int) -> Ints:
        """Whole years on a day."""
        today, born = np.datetime64(day, "D"), self.birth.astype("datetime64[D]")
        months = (today.astype("datetime64[M]") - born.astype("datetime64[M]")).astype(np.int64)
        day_of = (today - today.astype("datetime64[M]")).astype(np.int64)
        born_on = (born - born.astype("datetime64[M]")).astype(np.int64)
        years: Ints = (months - (day_of < born_on)) // 12
        return years


def make_homes(chance: Chance, places: Places, persons: int) -> tuple[Homes, dict[str, Ints]]:
    """Households in village order until `persons` are reached, and their members as role, age and sex by row."""
    guess = np.arange(int(persons / 2.4) + 50)
    shape = chance.choice(SHAPE_SHARES, "shape", guess)
    age = chance.whole(YOUNGEST[shape], OLDEST[shape], "head's age", guess)
    spouse = chance.happens(SPOUSE_SHARE[shape], "spouse", guess)
    ladder = chance.share("children", guess)[:, None]
    children = (ladder < CHILDREN[shape]).sum(axis=1)
    parents = (chance.share("parents", guess)[:, None] < PARENTS[shape]).sum(axis=1)
    grandchildren = (chance.share("grandchildren", guess)[:, None] < GRANDCHILDREN[shape]).sum(axis=1)
    inlaw = (shape == GROWN) & (age > 50) & chance.happens(0.3, "in-law", guess)
    size = 1 + spouse + children + parents + grandchildren + inlaw
    kept = int(np.searchsorted(np.cumsum(size), persons)) + 1
    homes = guess[:kept]
    village = np.sort(chance.choice(places.share.tolist(), "village", homes))
    head_male = np.where(
        np.isin(shape, (SINGLE, ELDER)), chance.share("man", guess) < 0.58, chance.share("man", guess) < 0.86
    )
    head_male = np.where(shape == LONE, chance.share("man", guess) < 0.4, head_male)
    groups = [(homes, np.full(kept, HEAD), age[:kept], head_male[:kept])]

    def add(has: Bools, role: int, years: Ints, male: Bools) -> None:
        chosen = homes[has[:kept]]
        groups.append((chosen, np.full(len(chosen), role), years[chosen], male[chosen]))

    add(spouse, SPOUSE, age + chance.whole(-5, 3, "spouse's age", guess), ~head_male)
    for nth in range(3):
        years = age - chance.whole(22, 30, "child's age", guess, nth) - 3 * nth
        years = np.where(shape == GROWN, np.clip(years, 19, 36), np.clip(years, -1, 24))
        years = np.where(years < 0, chance.whole(0, 4, "late child", guess, nth), years)
        add(children > nth, CHILD, years, chance.share("boy", guess, nth) < 0.525)
    add(inlaw, INLAW, np.clip(age - 27, 20, 36), ~(chance.share("boy", guess, 0) < 0.525))
    for nth in range(2):
        years = np.clip(age + chance.whole(21, 30, "parent's age", guess, nth), 52, 96)
        mother_first = chance.share("mother first", guess) < 0.65
        add(parents > nth, PARENT, years, mother_first if nth else ~mother_first)
        years = np.clip(age - chance.whole(47, 56, "grandchild's age", guess, nth), 2, 15)
        add(grandchildren > nth, GRANDCHILD, years, chance.share("grandson", guess, nth) < 0.52)
    home, role, years, male = (np.concatenate(parts) for parts in zip(*groups, strict=True))
    order = np.lexsort((-years, role, home))
    rows = {"home": home[order], "role": role[order], "years": years[order], "male": male[order]}
    sizes = np.bincount(rows["home"], minlength=kept)
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    second = np.minimum(start + 1, len(home) - 1)
    grown = (sizes > 1) & (rows["years"][second] >= 18)
    made = Homes(
        shape[:kept],
        village,
        places.township[village],
        places.urban[village],
        start,
        sizes,
        np.where(grown, second, start),
    )
    return made, rows


def make_people(chance: Chance, homes: Homes, rows: dict[str, Ints], as_of: int) -> People:
    """Birth dates, surnames that run in families, names and numbers; nobody is dead yet."""
    people = np.arange(len(rows["home"]))
    home, role, male = rows["home"], rows["role"], rows["male"].astype(bool)
    birth = as_of - (rows["years"] * 365.25).astype(np.int64) - chance.whole(0, 364, "birthday", people)
    family = surname_of_homes(chance, homes.village)[home]
    other = chance.choice((1.0 / np.arange(8, 90)).tolist(), "mother's name", people)
    own = (role == SPOUSE) | (role == INLAW) | ((role == PARENT) & ~male)
    relation = pl.Series(RELATIONS).gather(pl.Series(role + np.where(male, 0, 6)))
    relation = relation.zip_with(
        pl.Series(~((role == INLAW) & male)), pl.Series(["之女婿"]).new_from_index(0, len(people))
    )
    never = np.full(len(people), NEVER)
    return People(
        home,
        role,
        male,
        birth,
        relation,
        names_of(chance, np.where(own, other, family), male, birth),
        numbers_of(chance, birth, male),
        never,
        never.copy(),
        never.copy(),
        np.zeros(len(people), dtype=np.int64),
    )


def numbers_of(chance: Chance, birth: Ints, male: Bools) -> pl.Series:
    """18-digit numbers, valid by GB 11643 and unique: at most 499 boys and 499 girls share a birthday."""
    people = np.arange(len(birth))
    order = np.lexsort((people, male, birth))
    group = np.concatenate([[True], (np.diff(birth[order]) != 0) | (np.diff(male[order].astype(int)) != 0)])
    begins = np.maximum.accumulate(np.where(group, people, 0))
    rank = np.empty(len(birth), dtype=np.int64)
    rank[order] = people - begins
    if len(rank) and int(rank.max()) >= 499:
        raise ValueError(
            "more people share a birthday than there are numbers: make a county of at most 4,000,000 persons"
        )
    turn = (chance.bits("sequence", birth) >> np.uint64(32)).astype(np.int64)
    sequence = (rank * 37 + turn) % 499 * 2 + np.where(male, 1, 2)
    born = birth.astype("datetime64[D]")
    year = born.astype("datetime64[Y]").astype(np.int64) + 1970
    month = born.astype("datetime64[M]").astype(np.int64) % 12 + 1
    day = (born - born.astype("datetime64[M]")).astype(np.int64) + 1
    body = PREFIX * 10**11 + (year * 10000 + month * 100 + day) * 1000 + sequence
    total, rest = np.zeros(len(birth), dtype=np.int64), body.copy()
    for position in range(17):
        total += rest % 10 * (2 ** (position + 1) % 11)
        rest //= 10
    check = pl.Series(list("10X98765432")).gather(pl.Series(total % 11))
    return pl.Series(body).cast(pl.String) + check
