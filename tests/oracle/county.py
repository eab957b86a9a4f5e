"""One county as it was known in one period: deliveries put together, persons, households and places."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.oracle import calendar
from tests.oracle.linking import ALSO_NAMED, Linker, names_nobody, profile_of, row_name
from tests.oracle.reading import FEEDS, HEADINGS, Deliveries, Row, clean_name, load, number_birth

STATE_FEEDS = {
    *("registry", "dibao", "tekun", "low_income", "monitored", "disability", "care_groups", "education"),
    *("social_insurance", "vehicles", "real_estate", "business", "housing", "institutions", "officials"),
}
#: event feeds with a key of their own; in the others all mapped values are the key
EVENT_KEYS: dict[str, tuple[str, ...]] = {
    "clues": ("线索编号",),
    "temporary_aid": ("person", "救助类型", "受理日期"),
    "applications": ("person", "申请事项", "申请日期"),
    "income": ("person", "核对日期"),
    "insurance": ("person", "参保年度"),
    "graduates": ("person", "毕业日期"),
    "deaths": ("person",),
    "disasters": ("person", "受灾日期", "灾害类型"),
}
#: the date by which a row is "dated after as-of"
ROW_DATE = {
    "dibao": "享受起始日期",
    "tekun": "享受起始日期",
    "low_income": "认定日期",
    "temporary_aid": "受理日期",
    "applications": "申请日期",
    "income": "核对日期",
    "monitored": "识别日期",
    "disability": "发证日期",
    "disability_subsidy": "发放年月",
    "medical": "结算日期",
    "social_insurance": "状态日期",
    "vehicles": "登记日期",
    "real_estate": "登记日期",
    "business": "成立日期",
    "deaths": "死亡日期",
    "disasters": "受灾日期",
    "clues": "登记日期",
    "care_groups": "起始日期",
    "visits": "走访日期",
    "payments": "发放年月",
    "housing": "鉴定日期",
    "graduates": "毕业日期",
}
#: outcome date -> what has no result yet while the date lies after as-of
OUTCOMES: dict[str, dict[str, tuple[str, ...]]] = {
    "temporary_aid": {"审批日期": (), "发放日期": (), "补充说明日期": ()},
    "applications": {"办结日期": ("审批结果", "未批准原因")},
    "clues": {"办结日期": ("办理结果",)},
    "officials": {"备案日期": ()},
    "monitored": {"风险消除日期": ("风险是否消除",)},
}
#: feeds in which the 户主 of an unregistered person is looked for, in this order
HEAD_FEEDS = ("dibao", "low_income", "monitored")


class County:
    """What is known at as-of. Person keys are 18-digit numbers, or `~…` for persons without a usable number."""

    def __init__(self, deliveries: Deliveries, period: str) -> None:
        self.period = period
        self.as_of = calendar.as_of(period)
        past = {p: feeds for p, feeds in sorted(deliveries.items()) if p <= period}
        self.delivered_now = set(past.get(period, {}))
        self.loaded = {feed for feeds in past.values() for feed in feeds}
        every = {
            feed: [row for p, feeds in past.items() if feed in feeds for row in load(feed, p, feeds[feed])]
            for feed in FEEDS
        }
        delivered = {feed: [p for p, feeds in past.items() if feed in feeds] for feed in FEEDS}
        self.every = every
        current = {
            feed: _state(feed, rows, delivered[feed]) if feed in STATE_FEEDS else rows for feed, rows in every.items()
        }
        self.linker = Linker([row for rows in current.values() for row in rows])
        self.linker.link()
        self._link_the_past(current)
        self.rows: dict[str, list[Row]] = {}
        for feed, rows in current.items():
            kept = rows if feed in STATE_FEEDS else self._events(feed, rows)
            self.rows[feed] = [self._as_known(row) for row in kept if not self._is_future(row)]
        self._drop_second_ways()
        self._persons()
        self._households()

    # -- deliveries ---------------------------------------------------------------------------------------------

    def _link_the_past(self, current: dict[str, list[Row]]) -> None:
        """Rows of superseded state deliveries speak of the same persons, by number or by the same profile."""
        now = {id(row) for rows in current.values() for row in rows}
        by_profile = {(r.feed, profile_of(r)): r.person for rows in current.values() for r in rows if r.person}
        for feed, rows in self.every.items():
            for row in rows:
                if id(row) not in now and not names_nobody(row):
                    row.person = self.linker.row_number(row) or by_profile.get((feed, profile_of(row)))

    def _is_future(self, row: Row) -> bool:
        heading = ROW_DATE.get(row.feed)
        date = row[heading] if heading else None
        return date is not None and date > self.as_of

    def _as_known(self, row: Row) -> Row:
        """Takes back outcomes that are dated after as-of."""
        values = dict(row.values)
        for heading, results in OUTCOMES.get(row.feed, {}).items():
            if values.get(heading) is not None and values[heading] > self.as_of:
                values.update(dict.fromkeys((heading, *results)))
        return Row(row.feed, row.period, values, row.person, row.undecided)

    def _events(self, feed: str, rows: list[Row]) -> list[Row]:
        """A later delivery's row replaces those of the same key; within one delivery see `_one_of`."""
        newest: dict[Any, list[Row]] = {}
        for row in rows:  # in order of period
            key = self._event_key(row)
            kept = newest.get(key, [])
            newest[key] = [*kept, row] if kept and kept[0].period == row.period else [row]
        return [row for same in newest.values() for row in self._one_of(feed, same)]

    def _event_key(self, row: Row) -> Any:
        headings = EVENT_KEYS.get(row.feed)
        if headings is None:
            return row.same()
        who = row.person or (row_name(row), row[("户主证件号码" if "户主证件号码" in row.values else "证件号码")])
        return tuple(who if h == "person" else row[h] for h in headings)

    def _one_of(self, feed: str, same: list[Row]) -> list[Row]:
        """The later date, then the fuller row counts; checks are chosen per household, insurance by its status."""
        if feed in ("income", "insurance") or len(same) == 1:
            return same

        def rank(row: Row) -> tuple[Any, ...]:
            date = row[ROW_DATE[feed]]
            return (not self._is_future(row), date, len(row.same()), sorted(map(str, row.same())))

        return [max(same, key=rank)]

    def _drop_second_ways(self) -> None:
        """A housing or visit row that no known person fits goes by its 户编号 and makes no new person."""
        houses = {row["户编号"] for row in self.rows["registry"]}
        known = self.linker.known
        for row in self.rows["housing"] + self.rows["visits"]:
            if row.person is not None and row.person not in known and row["户编号"] in houses:
                row.person = None

    # -- persons ------------------------------------------------------------------------------------------------

    def _persons(self) -> None:
        self.by_person: dict[str, dict[str, list[Row]]] = {feed: {} for feed in FEEDS}
        self.names: dict[str, set[str]] = {}
        self.number_names: dict[str, set[str]] = {}  # as they stand beside the number itself
        self.found_in: dict[str, set[str]] = {}
        for feed, rows in self.rows.items():
            for row in rows:
                if row.person is not None:
                    self.by_person[feed].setdefault(row.person, []).append(row)
                    self._note(row.person, row_name(row), feed, self.linker.row_number(row) is not None)
                if feed in ALSO_NAMED:
                    name, column = ALSO_NAMED[feed]
                    other = self.linker.number(row[column])
                    if other is not None:
                        self._note(other, clean_name(row[name]) if row[name] else None, feed, True)
        self.persons = sorted(self.found_in)
        self.died: dict[str, dt.date] = {
            person: max(row["死亡日期"] for row in rows) for person, rows in self.by_person["deaths"].items()
        }

    def _note(self, person: str, name: str | None, feed: str, by_number: bool) -> None:
        self.found_in.setdefault(person, set()).add(feed)
        if name:
            self.names.setdefault(person, set()).add(name)
        if name and by_number:
            self.number_names.setdefault(person, set()).add(name)

    def row_name(self, row: Row) -> str:
        return row_name(row) or ""

    def number(self, person: str) -> str | None:
        return None if person.startswith("~") else person

    def name(self, person: str) -> str:
        rows = self.by_person["registry"].get(person, [])
        return (row_name(rows[0]) if rows else None) or min(self.names.get(person, {person}))

    def key(self, person: str) -> str:
        """What a signal calls the person: the number, or the name where there is no usable one."""
        return self.number(person) or self.name(person)

    def birth(self, person: str) -> dt.date | None:
        number = self.number(person)
        if number:
            return number_birth(number)
        dates = [row["出生日期"] for row in self.by_person["registry"].get(person, []) if row["出生日期"]]
        return min(dates, default=None)

    def is_living(self, person: str) -> bool:
        return person not in self.died

    def is_registered(self, person: str) -> bool:
        return person in self.by_person["registry"]

    # -- households ---------------------------------------------------------------------------------------------

    def _households(self) -> None:
        self.member_rows: dict[str, list[Row]] = {}
        for person in self.persons:
            self.member_rows[person] = self._registry_rows(person)
        self.home: dict[str, str] = {}
        for person in self.persons:
            self._find_home(person, frozenset())
        self.households: dict[str, set[str]] = {}
        for person in self.persons:
            for house in self.houses(person):
                self.households.setdefault(house, set()).add(person)
        self.house_rows: dict[str, list[Row]] = {}
        for row in self.rows["registry"]:
            self.house_rows.setdefault(row["户编号"], []).append(row)

    def _registry_rows(self, person: str) -> list[Row]:
        """The person's rows in today's registry; for the dead who have left it, in the last one that had them."""
        rows = self.by_person["registry"].get(person, [])
        if rows or self.is_living(person):
            return rows
        earlier = [row for row in self.every["registry"] if row.person == person]
        last = max((row.period for row in earlier), default=None)
        return [row for row in earlier if row.period == last]

    def _find_home(self, person: str, asked: frozenset[str]) -> str:
        """Where the person belongs: the household they head, else the smaller 户编号, else by their 户主."""
        if person in self.home:
            return self.home[person]
        rows = self.member_rows.get(person, [])
        if rows:
            headed = [row["户编号"] for row in rows if row["与户主关系"] == "户主"]
            home = str(min(headed or [row["户编号"] for row in rows]))
        else:
            heads = [h for h in self._heads_named(person) if h != person and h not in asked]
            registered = [h for h in heads if self.member_rows.get(h)]
            head = next(iter(registered or heads), None)
            home = self._find_home(head, asked | {person}) if head else "U-" + self.key(person)
        self.home[person] = home
        return home

    def _heads_named(self, person: str) -> list[str]:
        heads = []
        for feed in HEAD_FEEDS:
            numbers = {self.linker.number(row["户主证件号码"]) for row in self.by_person[feed].get(person, [])}
            heads += sorted(number for number in numbers if number)
        return heads

    def houses(self, person: str) -> list[str]:
        """Every household in which the person counts."""
        rows = self.member_rows[person]
        return sorted({row["户编号"] for row in rows}) if rows else [self.home[person]]

    def living(self, house: str) -> list[str]:
        return sorted(p for p in self.households[house] if self.is_living(p))

    def heads(self, house: str) -> set[str]:
        """Whoever the registry calls the head; in a `U-` household the person after whom it is named."""
        named = {r.person for r in self.house_rows.get(house, []) if r["与户主关系"] == "户主" and r.person}
        return named or {p for p in self.households.get(house, ()) if house == "U-" + self.key(p)}

    # -- places -------------------------------------------------------------------------------------------------

    def township(self, person: str) -> str | None:
        """By the registry; where it does not know the person, by the feeds' own 乡镇, else by the household joined."""
        rows = self.member_rows[person]
        if rows:
            at_home = [row["乡镇"] for row in rows if row["户编号"] == self.home[person]]
            return str(min(at_home))
        for feed in FEEDS:
            if "乡镇" in HEADINGS[feed]:
                places = [row["乡镇"] for row in self.by_person[feed].get(person, []) if row["乡镇"]]
                if places:
                    return str(min(places))
        return self.house_township(self.home[person]) if self.home[person] in self.house_rows else None

    def house_township(self, house: str) -> str | None:
        rows = self.house_rows.get(house, [])
        if rows:
            return str(min(rows, key=lambda row: (row["与户主关系"] != "户主", row["乡镇"]))["乡镇"])
        places = [self.township(person) for person in sorted(self.households[house])]
        return next((place for place in places if place), None)

    def row_township(self, row: Row) -> str | None:
        if row.person is not None:
            return self.township(row.person)
        if row["户编号"] in self.house_rows:
            return self.house_township(row["户编号"])
        own: str | None = row["乡镇"]
        return own


def _state(feed: str, rows: list[Row], delivered: list[str]) -> list[Row]:
    """The newest delivery of each township (of the county where the feed has no 乡镇)."""
    if not delivered:
        return []
    if "乡镇" not in HEADINGS[feed]:
        return [row for row in rows if row.period == max(delivered)]
    newest: dict[str | None, str] = {}
    for row in rows:
        newest[row["乡镇"]] = max(newest.get(row["乡镇"], ""), row.period)
    return [row for row in rows if row.period == newest[row["乡镇"]]]
