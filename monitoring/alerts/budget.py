"""Who can be visited until a day: what a deadline or its urgency requires comes first and is never rationed, the rest by rank.

The floor is every alert that is an emergency (CJ 二（七）), overdue, red, or due within the days that are planned. It is
planned even where it is more than the hands can do (`HandPlan.over`). Sampled households that nothing flagged
(`monitoring.misses`) are planned like alerts without points. What is left of each worker's visits goes to the rest,
greedily by rank; what no visit is left for is counted with the reason, never dropped.

An alert is for the person who has it, else for whoever is nearest with the most visits left: a worker of the village, then
of the township. County staff are planned for what they hold only. Greedy is no optimum across workers who share villages,
but nobody is passed over by a less urgent alert that the same workers could visit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, func, or_, select

from monitoring.alerts.details import in_places
from monitoring.alerts.workers import Places, visible
from monitoring.misses.visiting import done_by, door_visits
from monitoring.people import Acting, Caller, reading
from monitoring.store import Store
from monitoring.store.schema import alert, visit
from monitoring.working_days import local_day, working_days_between

WEEK = 5  # working days for which a worker's visits a week are meant

REQUIRED: dict[str, tuple[str, str]] = {
    "emergency": ("急难", "Emergency"),
    "overdue": ("已逾期", "Overdue"),
    "red": ("红色预警", "Red alert"),
    "due": ("期限在计划期内", "Due within the days planned"),
}
LEFT: dict[str, tuple[str, str]] = {
    "no_visits_left": ("走访力量已排满", "No visits left"),
    "nobody": ("没有人负责这里", "Nobody covers the place"),
    "elsewhere": ("由本辖区以外的人承办", "Held by somebody from elsewhere"),
}

Place = tuple[str | None, str | None]


SAMPLED = "sample"  # the level of a visit that belongs to no alert: to a household drawn for a look


class ToVisit(NamedTuple):
    """An alert, or a sampled household (of level SAMPLED; `id` is then the sample's), that waits for a visit at the door."""

    id: int
    township: str | None
    village: str | None
    assignee: int | None
    level: str
    emergency: bool
    due_date: date | None
    rank: int

    @property
    def place(self) -> Place:
        return self.township, self.village


@dataclass(frozen=True)
class Hand:
    """A worker with the visits that they can still do in the days planned. `reach`: village, township or county."""

    account: int
    person: str
    reach: str
    places: Places | None
    visits: int


class Planned(NamedTuple):
    """A visit of the plan: `reason` is of REQUIRED, or "rank". `account` None: required, but nobody covers the place."""

    alert: ToVisit
    account: int | None
    reason: str


class Unplanned(NamedTuple):
    """What is left; `reason` is of LEFT."""

    alert: ToVisit
    reason: str


@dataclass(frozen=True)
class VillagePlan:
    """One village's figures. `hands`: workers of this very village (0 is said on the page); `visits`: what they can do, in
    all their villages; a township's staff may do visits beside them."""

    township: str | None
    village: str | None
    hands: int
    visits: int
    required: int
    ranked: int
    left: int


@dataclass(frozen=True)
class HandPlan:
    """One worker's figures; `over` is how many required visits are more than they can do."""

    account: int
    person: str
    visits: int
    required: int
    ranked: int

    @property
    def over(self) -> int:
        return max(0, self.required - self.visits)


@dataclass(frozen=True)
class Plan:
    """The visits from `today` until `until`, both included, over `days` working days; all that must be visited is in
    `required`, `ranked` or `left`, each in the order in which it should be done."""

    today: date
    until: date
    days: int
    required: list[Planned]
    ranked: list[Planned]
    left: list[Unplanned]
    villages: list[VillagePlan]
    hands: list[HandPlan]

    @property
    def visits(self) -> int:
        """What all hands together can do."""
        return sum(hand.visits for hand in self.hands)

    @property
    def over(self) -> int:
        """Required visits that are more than those who must do them can, or that nobody covers."""
        nobody = sum(planned.account is None for planned in self.required)
        return nobody + sum(hand.over for hand in self.hands)

    def left_by_reason(self) -> dict[str, int]:
        return {reason: sum(one.reason == reason for one in self.left) for reason in LEFT}


def plan_visits(
    store: Store, caller: Caller, at: datetime, until: date | None = None, township: str | None = None
) -> Plan:
    """The plan for the caller's places, or one township of them, until the end of this week (of the next one where no working
    day is left of it). Counted are workers all of whose places are among these, and the caller. Raises Denied.

    For a township it takes some hundredths of a second, for a county with 30,000 open alerts some tenths: for those, on demand.
    """
    with reading(store, caller, "page.alerts", at) as act:
        today = local_day(at)
        until = until or end_of_week(today)
        doors = [*_waiting(act, until, township), *_sampled(act, township)]
        return plan(doors, _hands(act, today, until, township), today, until)


def end_of_week(today: date) -> date:
    """Sunday, or the first Sunday after which a working day was."""
    sunday = today + timedelta(6 - today.weekday())
    while working_days_between(today - timedelta(1), sunday) == 0:
        sunday += timedelta(7)
    return sunday


def plan(alerts: Iterable[ToVisit], hands: Iterable[Hand], today: date, until: date) -> Plan:
    """Pure: the same whatever order alerts and hands come in."""
    team = _Team(sorted(hands, key=lambda hand: hand.account))
    reasons = [(why_required(one, today, until), one) for one in alerts]
    order = list(REQUIRED)
    floor = sorted(
        ((why, one) for why, one in reasons if why),
        key=lambda pair: (order.index(pair[0]), pair[1].due_date or date.max, -pair[1].rank, pair[1].id),
    )
    rest = sorted((one for why, one in reasons if not why), key=lambda one: (-one.rank, one.id))
    required = [Planned(one, team.take(one, beyond=True)[0], why) for why, one in floor]
    ranked, left = [], []
    for one in rest:
        account, why_not = team.take(one)
        if why_not:
            left.append(Unplanned(one, why_not))
        else:
            ranked.append(Planned(one, account, "rank"))
    days = working_days_between(today - timedelta(1), until)
    return Plan(
        today, until, days, required, ranked, left, _villages(required, ranked, left, team), team.told(required, ranked)
    )


def why_required(one: ToVisit, today: date, until: date) -> str:
    """Why an alert belongs to the floor (REQUIRED); "" where it does not."""
    if one.emergency:
        return "emergency"
    if one.due_date is not None and one.due_date < today:
        return "overdue"
    if one.level == "red":
        return "red"
    return "due" if one.due_date is not None and one.due_date <= until else ""


class _Team:
    """The hands, and what each can still do while a plan is made."""

    def __init__(self, hands: Sequence[Hand]) -> None:
        self.hands = hands
        self.left = {hand.account: hand.visits for hand in hands}
        self.spent = dict[Place | int, str]()  # where nobody has a visit left, which none regains: why not
        self.of_village, self.of_township = defaultdict[Place, list[int]](list), defaultdict[str, list[int]](list)
        for hand in hands:
            for township, village in hand.places or ():
                if village is None:
                    self.of_township[township].append(hand.account)
                else:
                    self.of_village[township, village].append(hand.account)

    def take(self, one: ToVisit, beyond: bool = False) -> tuple[int | None, str]:
        """Who visits, and "", or nobody and why not; `beyond` also those who have no visit left."""
        of = (one.township, one.village) if one.assignee is None else one.assignee
        if not beyond and of in self.spent:
            return None, self.spent[of]
        if one.assignee is not None:
            if one.assignee not in self.left:
                return (one.assignee, "") if beyond else (None, "elsewhere")
            near = [[one.assignee]]
        else:
            near = [self.of_village.get(one.place, []), self.of_township.get(one.township or "", [])]
        covering = [max(some, key=lambda key: (self.left[key], -key)) for some in near if some]
        free = [account for account in covering if self.left[account] > 0]
        if not free and not (beyond and covering):
            self.spent[of] = "no_visits_left" if covering else "nobody"
            return None, self.spent[of]
        account = (free or covering)[0]
        self.left[account] -= 1
        return account, ""

    def told(self, required: Sequence[Planned], ranked: Sequence[Planned]) -> list[HandPlan]:
        must, may = Counter(one.account for one in required), Counter(one.account for one in ranked)
        return [
            HandPlan(hand.account, hand.person, hand.visits, must[hand.account], may[hand.account])
            for hand in self.hands
        ]


def _villages(
    required: Sequence[Planned], ranked: Sequence[Planned], left: Sequence[Unplanned], team: _Team
) -> list[VillagePlan]:
    """Every village with an alert or a worker, those with the most left first."""
    must, may = Counter(one.alert.place for one in required), Counter(one.alert.place for one in ranked)
    rest = Counter(one.alert.place for one in left)
    visits = {hand.account: hand.visits for hand in team.hands}
    told = []
    for place in {*must, *may, *rest, *team.of_village}:
        own = team.of_village.get(place, [])
        told.append(
            VillagePlan(*place, len(own), sum(visits[key] for key in own), must[place], may[place], rest[place])
        )
    return sorted(told, key=lambda row: (-row.left, -row.required, row.township or "", row.village or ""))


def _waiting(act: Acting, until: date, township: str | None) -> list[ToVisit]:
    """Households' alerts in the person's places that nobody has clearly verified yet, and those to be looked at again."""
    again = and_(alert.c.status == "following", alert.c.due_date <= until)
    unseen = and_(alert.c.status == "verifying", alert.c.verified_at.is_(None))
    columns = [alert.c[name] for name in ToVisit._fields]
    shown_only = and_(alert.c.status == "new", alert.c.raises_work.is_(False))
    asked = select(*columns).where(
        alert.c.closed_at.is_(None),
        alert.c.subject.in_(("household", "record")),
        or_(and_(alert.c.status.in_(("new", "assigned", "returned")), ~shown_only), unseen, again),
        *([] if township is None else [alert.c.township == township]),
        *in_places(act.person),
    )
    return [ToVisit(*row) for row in act.con.execute(asked)]


def _sampled(act: Acting, township: str | None) -> list[ToVisit]:
    """Who has the place goes there; a draw's age counts as an alert's does."""
    return [
        ToVisit(key, town, village, None, SAMPLED, False, due, -drawn_on.toordinal())
        for key, town, village, due, drawn_on in door_visits(act, township)
    ]


def _hands(act: Acting, today: date, until: date, township: str | None) -> list[Hand]:
    """What a week's visits come to in the working days left, less those done today."""
    days = working_days_between(today - timedelta(1), until)
    asked = select(visit.c.account_id, func.count()).where(visit.c.date == today).group_by(visit.c.account_id)
    done = Counter({key: int(count) for key, count in act.con.execute(asked)}) + Counter(done_by(act.con, today, today))
    here = [one for one in visible(act) if township is None or {town for town, _ in one.places or ()} == {township}]
    return [
        Hand(one.account, one.person, one.reach, one.places,
             max(0, one.visits_per_week * days // WEEK - done.get(one.account, 0)))
        for one in here
    ]  # fmt: skip
