"""Who a row speaks of: valid numbers first, then the cascade of `feeds.md` ("A certain link without a usable number").

Sides of a link: the known (every valid number of the county, and registry members without one) and the profiles of the
rows without a usable number. A link is certain where a step pairs exactly one known person with exactly one profile of
that feed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.oracle.reading import Row, clean_name, number_birth, number_sex, valid_number

#: feed -> headings of the row's person; visits may name nobody, institutions have none
PERSON_COLUMNS = {
    "income": ("户主姓名", "户主证件号码"),
    "disasters": ("户主姓名", "户主证件号码"),
    "housing": ("户主姓名", "户主证件号码"),
    "officials": ("近亲属姓名", "近亲属证件号码"),
}
#: feed -> headings of a second person who is named by number beside the row's own
ALSO_NAMED = {
    "dibao": ("户主姓名", "户主证件号码"),
    "low_income": ("户主姓名", "户主证件号码"),
    "monitored": ("户主姓名", "户主证件号码"),
    "officials": ("干部姓名", "干部证件号码"),
}


def person_columns(feed: str) -> tuple[str, str]:
    return PERSON_COLUMNS.get(feed, ("姓名", "证件号码"))


def _agree(profiles: set[Profile], *words: str) -> bool:
    return all(len({getattr(p, word) for p in profiles} - {None, ""}) <= 1 for word in words)


class Profile(NamedTuple):
    """What a row without a usable number says of its person; a registry row also says which member it is."""

    name: str
    birth: dt.date | None
    sex: str | None
    township: str | None
    village: str | None
    phone: str | None
    member_of: str | None = None


@dataclass
class Known:
    """Somebody whom a row can be linked to."""

    names: set[str] = field(default_factory=set)
    birth: dt.date | None = None
    sex: str | None = None
    places: set[tuple[str | None, str]] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)


def row_name(row: Row) -> str | None:
    name = row[person_columns(row.feed)[0]]
    return clean_name(name) if name else None


def names_nobody(row: Row) -> bool:
    name, number = person_columns(row.feed)
    return row.feed == "institutions" or (row[name] is None and row[number] is None)


def profile_of(row: Row) -> Profile:
    return Profile(
        row_name(row) or "",
        row["出生日期"],
        row["性别"],
        row["乡镇"],
        row["村"],
        row["联系电话"],
        row["户编号"] if row.feed == "registry" else None,
    )


def _same_village(profile: Profile, known: Known) -> bool:
    return any(
        profile.village == village and (not profile.township or not township or profile.township == township)
        for township, village in known.places
        if profile.village
    )


def _contradicts(profile: Profile, known: Known) -> bool:
    return bool(
        (profile.sex and known.sex and profile.sex != known.sex)
        or (profile.birth and known.birth and profile.birth != known.birth)
    )


def _fits(step: int, profile: Profile, known: Known) -> bool:
    """Whether the pair meets one step of the cascade; step 4 is name and village only."""
    if _contradicts(profile, known):
        return False
    name = profile.name in known.names
    birth = profile.birth is not None and profile.birth == known.birth
    phone = profile.phone is not None and profile.phone in known.phones
    village = _same_village(profile, known)
    return (name and birth and village, name and birth, name and phone, birth and village and phone, name and village)[
        step
    ]


class Linker:
    """Links every row once; `persons` afterwards holds what is known of each person key."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.known: dict[str, Known] = {}
        self.damaged = self._damaged_numbers()
        self._learn_numbered()
        self._verdicts: dict[tuple[str, Profile], tuple[str, str | None]] = {}

    def number(self, text: str | None) -> str | None:
        """A usable number, or None; one that Excel has rounded is not usable although its check character holds."""
        number = valid_number(text)
        return None if number in self.damaged else number

    def row_number(self, row: Row) -> str | None:
        return self.number(row[person_columns(row.feed)[1]])

    def _damaged_numbers(self) -> set[str]:
        """Numbers ending in 000 that only one name has, while a candidate by name and place has another."""
        holders: dict[str, list[Row]] = {}
        by_place: dict[tuple[str | None, str, str], set[str]] = {}
        for row in self.rows:
            number = valid_number(row[person_columns(row.feed)[1]])
            if number is None:
                continue
            holders.setdefault(number, []).append(row)
            if row["村"]:
                by_place.setdefault((row["乡镇"], row["村"], row_name(row) or ""), set()).add(number)
        damaged = set()
        for number, rows in holders.items():
            feeds = {row.feed for row in rows}
            if not number.endswith("000") or len({row_name(row) for row in rows}) > 1:
                continue
            if "registry" in feeds and len(feeds) > 1:
                continue
            places = [(row["乡镇"], row["村"], row_name(row) or "") for row in rows if row["村"]]
            if any(by_place[place] - {number} for place in places):
                damaged.add(number)
        return damaged

    def _learn_numbered(self) -> None:
        registered = {self.row_number(row) for row in self.rows if row.feed == "registry"}
        for row in self.rows:
            number = self.row_number(row)
            if number is not None:
                person = self.known.setdefault(number, Known(birth=number_birth(number), sex=number_sex(number)))
                self._learn(person, row, places=row.feed == "registry" or number not in registered)
            if row.feed in ALSO_NAMED:
                name, column = ALSO_NAMED[row.feed]
                other = self.number(row[column])
                if other is not None:
                    person = self.known.setdefault(other, Known(birth=number_birth(other), sex=number_sex(other)))
                    if row[name]:
                        person.names.add(clean_name(row[name]))

    @staticmethod
    def _learn(person: Known, row: Row, places: bool) -> None:
        name = row_name(row)
        if name:
            person.names.add(name)
        if row["联系电话"]:
            person.phones.add(row["联系电话"])
        if places and row["村"]:
            person.places.add((row["乡镇"], row["村"]))

    def link(self) -> None:
        """Registry members first: whoever among them stays without a number is known to the other feeds' rows."""
        self._link_feeds({"registry"})
        self._link_feeds({row.feed for row in self.rows} - {"registry"})

    def _link_feeds(self, feeds: set[str]) -> None:
        waiting: dict[str, set[Profile]] = {}
        for row in self.rows:
            if row.feed in feeds and not names_nobody(row) and self.row_number(row) is None:
                waiting.setdefault(row.feed, set()).add(profile_of(row))
        found: dict[str, Known] = {}
        for feed, profiles in waiting.items():
            for profile in profiles:
                verdict, key = self._decide(profile, profiles)
                if key is None and (feed == "registry" or verdict == "new"):
                    key = "~" + "|".join(str(part or "") for part in profile)
                    if feed == "registry":
                        place = {(profile.township, profile.village)} if profile.village else set()
                        phones = {profile.phone} if profile.phone else set()
                        found[key] = Known({profile.name}, profile.birth, profile.sex, place, phones)
                self._verdicts[feed, profile] = (verdict, key)
        self.known.update(found)
        if "registry" not in feeds:
            self._put_together()
        for row in self.rows:
            if row.feed in feeds:
                self._apply(row)

    def _put_together(self) -> None:
        """Rows of nobody known are of one person where name and birth date are the same and no place or sex contradicts; else
        where the village is the same as well."""
        houses = {row["户编号"] for row in self.rows if row.feed == "registry"}
        by_house = {
            (row.feed, profile_of(row))
            for row in self.rows
            if row.feed in ("housing", "visits") and row["户编号"] in houses
        }
        new = {at for at, (verdict, _) in self._verdicts.items() if verdict == "new" and at[0] != "registry"} - by_house
        alike: dict[tuple[str, dt.date], set[Profile]] = {}
        for _, profile in new:
            if profile.birth is not None:
                alike.setdefault((profile.name, profile.birth), set()).add(profile)
        for feed, profile in new:
            if profile.birth is None:
                continue
            same = alike[profile.name, profile.birth]
            here = {other for other in same if other.village == profile.village}
            words = [profile.name, str(profile.birth)]
            if _agree(same, "village", "township", "sex"):
                self._verdicts[feed, profile] = ("new", "~" + "|".join(words))
            elif profile.village and _agree(here, "township", "sex"):
                self._verdicts[feed, profile] = ("new", "~" + "|".join([*words, profile.village]))

    def _decide(self, profile: Profile, rivals: set[Profile]) -> tuple[str, str | None]:
        several = False
        for step in range(4):
            candidates = [key for key, known in self.known.items() if _fits(step, profile, known)]
            if len(candidates) == 1:
                known = self.known[candidates[0]]
                if sum(_fits(step, rival, known) for rival in rivals) == 1:
                    return "link", candidates[0]
            several = several or bool(candidates)
        if several or any(_fits(4, profile, known) for known in self.known.values()):
            return "review", None
        return "new", None

    def _apply(self, row: Row) -> None:
        if names_nobody(row):
            return
        number = self.row_number(row)
        if number is not None:
            row.person = number
            return
        verdict, key = self._verdicts[row.feed, profile_of(row)]
        row.person, row.undecided = key, verdict == "review"
