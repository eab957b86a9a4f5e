"""A made-up county whose truth is known: persons with numbers, and rows of some of them without, written with faults.

The persons are the sample county's (`pipelines.sample`), twins among them; one row in ten is of somebody whom the register
does not know (of a twin, in some cases, whose brother it does know).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from pipelines.sample.chance import Chance, Ints
from pipelines.sample.people import make_homes, make_people
from pipelines.sample.places import load_places
from pipelines.weighing.words import sounds_of

UNKNOWN_SHARE = 0.1
MISSING = {"birth_date": 0.15, "phone": 0.4, "village": 0.15, "sex": 0.1}
AS_OF = (date(2026, 11, 30) - date(1970, 1, 1)).days


@dataclass(frozen=True)
class Truth:
    """`persons` and `rows` have the columns that are weighed; `who` is the person (or null) behind each row."""

    persons: pl.DataFrame
    rows: pl.DataFrame
    who: pl.DataFrame


def make_truth(persons: int, rows: int, faults: float, seed: int) -> Truth:
    """A county of about `persons` and `rows` rows in which every word is wrong with the chance `faults`."""
    chance = Chance(seed)
    places = load_places(chance, persons)
    homes, members = make_homes(chance, places, persons)
    people = make_people(chance, homes, members, AS_OF)
    n = len(people)
    every = np.arange(n)
    twin = (people.role == np.roll(people.role, 1)) & (people.home == np.roll(people.home, 1)) & (people.role == 2)
    twin &= chance.happens(0.05, "twin", every)
    birth = np.where(twin, np.roll(people.birth, 1), people.birth)
    village = homes.village[people.home]
    phone = "128" + pl.Series(chance.whole(0, 99_999_999, "phone", np.arange(len(homes)))).cast(pl.String).str.zfill(8)
    full = pl.DataFrame({
        "unique_id": every,
        "name": people.name,
        "birth_date": pl.Series(birth).cast(pl.Int32).cast(pl.Date),
        "sex": pl.Series(np.where(people.male, "男", "女")),
        "phone": phone.gather(pl.Series(people.home)),
        "township": pl.Series(places.townships).gather(pl.Series(places.township[village])),
        "village": pl.Series(places.villages).gather(pl.Series(village)),
        "number": people.number,
    })  # fmt: skip
    known = ~chance.happens(UNKNOWN_SHARE, "known", every)
    reference = full.filter(pl.Series(known)).with_columns(
        phone=pl.when(pl.Series(chance.happens(0.18, "no phone", every)[known]).not_()).then("phone")
    )
    picked = np.argsort(chance.bits("picked", every))[:rows]
    return Truth(
        reference,
        _written(
            full,
            pl.Series(picked),
            faults,
            chance,
            places.villages,
            pl.Series(places.townships).gather(pl.Series(places.township)),
        ),
        pl.DataFrame({"row_id": np.arange(len(picked)), "who": picked}).with_columns(
            who=pl.when(pl.Series(known[picked])).then("who")
        ),
    )


def _written(
    full: pl.DataFrame, picked: pl.Series, faults: float, chance: Chance, villages: list[str], townships: pl.Series
) -> pl.DataFrame:
    """Rows as departments would write them: without a usable number, some words missing, some wrong."""
    rows = full[picked.to_list()]
    at = np.arange(rows.height)

    def wrong(what: str, share: float = 1.0) -> pl.Series:
        return pl.Series(chance.happens(faults * share, f"wrong {what}", at))

    def gone(what: str) -> pl.Series:
        return pl.Series(chance.happens(MISSING[what], f"missing {what}", at))

    birth = pl.col("birth_date")
    swapped = pl.date(birth.dt.year(), birth.dt.day(), pl.when(birth.dt.day() <= 12).then(birth.dt.month()))
    other = pl.Series(chance.whole(0, len(villages) - 1, "other village", at))
    digit = pl.Series(chance.whole(0, 9, "digit", at)).cast(pl.String)
    has_number, rounded = pl.Series(chance.happens(0.2, "number", at)), pl.Series(chance.happens(0.5, "rounded", at))
    several = pl.Series(chance.happens(0.3, "several digits", at))
    start = (
        pl.when(several)
        .then(pl.col("number").str.head(9) + digit + digit + digit)
        .otherwise(pl.col("number").str.head(12))
    )
    mistyped = start + pl.col("number").str.slice(12, 1) + digit + pl.col("number").str.slice(14)
    return (
        rows.with_columns(
            name=pl.when(wrong("homophone")).then(_homophones(rows["name"], chance, at))
            .when(wrong("name", 0.3)).then(_typed(rows["name"], chance, at)).otherwise("name"),
            birth_date=pl.when(gone("birth_date")).then(None).when(wrong("birth", 0.5)).then(pl.coalesce(swapped, birth))
            .when(wrong("day", 0.5)).then(birth.dt.offset_by("10d")).otherwise(birth),
            sex=pl.when(gone("sex")).then(None).when(wrong("sex", 0.2)).then(pl.when(pl.col("sex") == "男").then(pl.lit("女")).otherwise(pl.lit("男"))).otherwise("sex"),
            phone=pl.when(gone("phone")).then(None).when(wrong("phone", 0.7)).then("128" + pl.Series(chance.whole(0, 99_999_999, "new phone", at)).cast(pl.String).str.zfill(8)).when(wrong("phone digit", 0.3)).then(pl.col("phone").str.head(6) + digit + pl.col("phone").str.slice(7)).otherwise("phone"),
            moved=wrong("village"),
            number=pl.when(has_number).then(pl.when(rounded).then(pl.col("number").str.head(15) + "000").otherwise(mistyped)),
        )
        .with_columns(
            village=pl.when("moved").then(pl.Series(villages).gather(other)).otherwise("village"),
            township=pl.when("moved").then(townships.gather(other)).otherwise("township"),
        )
        .with_columns(village=pl.when(gone("village")).then(None).otherwise("village"), unique_id=pl.Series(at))
        .drop("moved")
    )  # fmt: skip


def _homophones(names: pl.Series, chance: Chance, at: Ints) -> pl.Series:
    """The last character of each name replaced by another that sounds alike (where there is one)."""
    characters = pl.DataFrame({"name": [chr(code) for code in range(0x4E00, 0x9FA6)]})
    sounds = sounds_of(characters["name"]).select("sound", c="name")
    alike = sounds.group_by("sound", maintain_order=True).agg(pl.col("c").head(12))
    last = pl.DataFrame({"c": names.str.tail(1)}).join(sounds, on="c", how="left", maintain_order="left").join(
        alike.rename({"c": "alike"}), on="sound", how="left", maintain_order="left")  # fmt: skip
    turn = pl.Series(chance.whole(0, 11, "homophone", at))
    found = (
        last.with_columns(i=turn % pl.col("alike").list.len()).select(pl.col("alike").list.get(pl.col("i"))).to_series()
    )
    return names.str.head(-1) + found.fill_null(names.str.tail(1))


def _typed(names: pl.Series, chance: Chance, at: Ints) -> pl.Series:
    """The last character of each name replaced by that of somebody else."""
    return names.str.head(-1) + names.gather(pl.Series(chance.whole(0, len(at) - 1, "typed", at))).str.tail(1)
