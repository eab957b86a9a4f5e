"""The county as it truly is: people, households, shocks and programmes, with the look-ups that every feed needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.sample.chance import Bools, Chance, Ints
from pipelines.sample.months import NEVER, first_day, last_day
from pipelines.sample.people import Homes, People, make_homes, make_people
from pipelines.sample.places import Places, load_places
from pipelines.sample.programmes import Programmes, make_programmes
from pipelines.sample.shocks import Shocks, Window, make_shocks

HISTORY = 24
"""Months of stories before the first month written, so that every window of the rules has data."""


@dataclass
class County:
    """Everything that feeds are drawn from. Persons and households are indices throughout."""

    chance: Chance
    places: Places
    window: Window
    homes: Homes
    people: People
    shocks: Shocks
    programmes: Programmes
    home_number: pl.Series
    town: pl.Series
    village: pl.Series
    phone: pl.Series
    unregistered: Bools
    """Persons whom the registry has never listed."""

    def named(self, persons: Ints, name: str = "姓名", number: str = "证件号码") -> dict[str, pl.Series]:
        """Name and number of some persons under the headings given."""
        rows = pl.Series(persons)
        return {name: self.people.name.gather(rows), number: self.people.number.gather(rows)}

    def placed(self, homes: Ints) -> dict[str, pl.Series]:
        """Township and village of some households."""
        rows = pl.Series(homes)
        return {"乡镇": self.town.gather(rows), "村": self.village.gather(rows)}

    def head_on(self, homes: Ints, day: Ints | int) -> Ints:
        """Who heads each household on a day: the head, after the head's death the next grown-up member."""
        head = self.homes.head[homes]
        return np.where(self.people.dead[head] <= day, self.homes.heir[homes], head)

    def relation(self, persons: Ints, day: int) -> pl.Series:
        """The relation to the head of that day."""
        heads = self.head_on(self.people.home[persons], day) == persons
        words = self.people.relation.gather(pl.Series(persons))
        return words.zip_with(pl.Series(~heads), pl.Series(["户主"]).new_from_index(0, len(persons)))

    def members(self, homes: Ints) -> tuple[Ints, Ints]:
        """All persons of some households: the position in `homes` and the person, one row a person."""
        size = self.homes.size[homes]
        position = np.repeat(np.arange(len(homes)), size)
        offset = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
        return position, self.homes.start[homes][position] + offset

    def living(self, homes: Ints, day: Ints) -> Ints:
        """How many live in each household on its day."""
        position, person = self.members(homes)
        lives = (self.people.birth[person] <= day[position]) & (self.people.dead[person] > day[position])
        return np.bincount(position, weights=lives, minlength=len(homes)).astype(np.int64)

    def listed(self, month: int) -> Bools:
        """By person: born and told of, not yet struck off. What a department that looks at the registry knows."""
        return (self.people.entered <= month) & (self.people.removed > month)

    def struck_from(self, purpose: str) -> Ints:
        """By person: the month from which a ledger no longer counts the dead; one in four stays a month or two longer."""
        people = np.arange(len(self.people))
        stays = self.chance.choice((0.74, 0.17, 0.09), "stays listed/" + purpose, people)
        return np.where(self.people.removed < NEVER, self.people.death_seen + stays, NEVER)

    def kept_on(self, month: int, purpose: str) -> Bools:
        """By person: a ledger still lists them."""
        return (self.people.entered <= month) & (self.struck_from(purpose) > month)

    def ever_on(self, month: int, purpose: str) -> Bools:
        """By person: a ledger shows them, with an end date where they have died since the first registry."""
        kept = (self.struck_from(purpose) > month) | (self.people.removed > self.window.first)
        return (self.people.entered <= month) & kept

    def believed_alive(self, month: int, purpose: str) -> Bools:
        """By person: the paying office believes them alive; for two in three it knows of a death at once."""
        people = np.arange(len(self.people))
        lag = self.chance.choice((0.68, 0.2, 0.12), "still paid/" + purpose, people)
        return self.people.dead >= first_day(month - lag)

    def lapse(self, homes: Ints, share: float) -> np.ndarray:
        """The chance that something is left undone for these households: `share` in an ordinary township."""
        return share * self.places.slack[self.homes.township[homes]]

    def alone_on_dibao(self, month: int) -> Bools:
        """By person: on dibao as a single person."""
        home = self.people.home
        return (self.programmes.single_start <= month) & ~self.programmes.on_dibao(month)[home]

    def on_tekun(self, month: int) -> Bools:
        """By person."""
        return self.programmes.tekun_start <= month

    def assisted(self, month: int) -> Bools:
        """By person: on dibao or tekun, or in a household at risk."""
        home = self.people.home
        homes = self.programmes.on_dibao(month) | self.programmes.at_risk(int(last_day(month)))
        return homes[home] | self.alone_on_dibao(month) | self.on_tekun(month)


def _home_numbers(homes: Homes, places: Places) -> pl.Series:
    """QH, township, village, and a sequence within the village."""
    begins = np.concatenate([[True], np.diff(homes.village) != 0])
    rows = np.arange(len(homes))
    sequence = rows - np.maximum.accumulate(np.where(begins, rows, 0)) + 1
    first_village = np.searchsorted(places.township, homes.township)
    body = (homes.township + 1) * 10**8 + (homes.village - first_village + 1) * 10**5 + sequence
    return "QH" + pl.Series(body).cast(pl.String).str.zfill(10)


def build_county(persons: int, months: int, seed: int, last: int) -> County:
    """The whole county, so large that about `persons` are alive and registered in the last month."""
    chance = Chance(seed)
    window = Window(last - months + 1 - HISTORY, last - months + 1, last)
    places = load_places(chance, persons)
    homes, rows = make_homes(chance, places, round(persons * (1 + 0.0076 * window.months / 12)))
    people = make_people(chance, homes, rows, int(last_day(last)))
    shocks = make_shocks(chance, people, homes, window, places)
    programmes = make_programmes(chance, people, homes, shocks, window, places)
    every, everyone = np.arange(len(homes)), np.arange(len(people))
    helped = (programmes.dibao_start < NEVER)[people.home] & (people.role > 1)
    unregistered = chance.happens(np.where(helped, 0.012, 0.0008), "unregistered", everyone)
    village = pl.Series(homes.village)
    return County(
        chance,
        places,
        window,
        homes,
        people,
        shocks,
        programmes,
        _home_numbers(homes, places),
        pl.Series(places.townships).gather(pl.Series(homes.township)),
        pl.Series(places.villages).gather(village),
        # 128 is no mobile prefix: nobody's telephone
        "128" + pl.Series(chance.whole(0, 99_999_999, "phone", every)).cast(pl.String).str.zfill(8),
        unregistered & (people.role > 0),
    )
