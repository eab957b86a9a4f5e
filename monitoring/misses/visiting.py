"""A sampled household at the door: what waits to be visited, and what was found. One in difficulty becomes a case at once.

"No difficulty" needs somebody who was spoken to; who could not be met stays unknown and can be visited again until LATE days
after the limit. What was found is added, never changed. All raise SessionOver, Denied, Refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, insert, or_, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.sql import ColumnElement

from monitoring.alerts import clues
from monitoring.alerts.cards import shown_household, shown_name
from monitoring.alerts.cases import LONGEST_TEXT, Refused, named, text
from monitoring.alerts.clue_effects import NewClue
from monitoring.alerts.naming import household_object
from monitoring.language import Words
from monitoring.misses.drawing import promote
from monitoring.misses.results import DRAWN, FINAL, GONE, NEEDY, RESULTS
from monitoring.people import Acting, Caller, Denied, Person, acting, reading
from monitoring.store import Store
from monitoring.store.schema import audit_draw, audit_sample, audit_visit
from monitoring.working_days import local_day, working_days_between

LATE = timedelta(30)  # after the limit, an answer is still taken
LONGEST_NAME = 64
CHANNEL = "visit"  # the clue by which a household in difficulty becomes a case


@dataclass(frozen=True)
class Sampled:
    """A household that was drawn, masked; `household_id` as the registry writes it, for links. `result` of the last visit (None:
    none yet), `visits` so far; `days_left` working days to the limit, below 0 where it is past."""

    id: int
    period: str
    household_id: str
    household: str | None
    name: str | None
    township: str | None
    village: str | None
    band: tuple[str, str]
    due_date: date
    days_left: int
    result: str | None
    visited_on: date | None
    visitor: str | None
    alert_id: int | None
    visits: int

    @property
    def answered(self) -> bool:
        return self.result in FINAL


def to_visit(store: Store, caller: Caller, at: datetime) -> list[Sampled]:
    """The sampled households of the caller's places that wait for a visit, those due first."""
    with reading(store, caller, "page.alerts", at) as act:
        return [one for one in _sampled(act, *waiting(local_day(at))) if not one.answered]


def sample_of(store: Store, caller: Caller, period: str, at: datetime) -> list[Sampled]:
    """All that were drawn for a period, in the caller's places: those that wait first, then as they were answered."""
    with reading(store, caller, "page.misses", at) as act:
        found = _sampled(act, audit_draw.c.period == period)
        return sorted(found, key=lambda one: (one.answered, one.township or "", one.village or "", one.id))


def record(
    store: Store, caller: Caller, sample_id: int, on: date, visitor: str, result: str, note: str, at: datetime
) -> Sampled:
    """What was found on a day by somebody named. In difficulty: a clue of a visit opens, or joins, the household's alert. Gone:
    the next household in reserve is drawn. The same once more by the same person is not kept twice."""
    with acting(store, caller, "sample.visit", at) as act:
        row, account = _find(act, sample_id), named(act)
        visitor, note = text(visitor, Words("走访人姓名")), text(note, Words("走访记录"))
        last = _last(act, sample_id)
        told = {"date": on, "visitor": visitor, "result": result, "note": note, "account_id": account}
        if last is not None and all(last[name] == value for name, value in told.items()):
            return _one(act, sample_id)
        if wrong := _wrong(row, last, on, visitor, result, local_day(at)):
            raise Refused(*wrong)
        case = _case(act, row, on, visitor, note) if result == NEEDY else None
        act.con.execute(
            insert(audit_visit).values(sample_id=sample_id, alert_id=case, by=act.person.person, at=at, **told)
        )
        risen = promote(act.con, row["draw_id"], row["township"], row["band"]) if result == GONE else None
        act.journal(
            "sample.visit", f"sample:{row['period']}", sample=sample_id, household=household_object(row["household_id"]),
            found=result, alert=case, instead=risen,
        )  # fmt: skip
        return _one(act, sample_id)


def waiting(today: date) -> list[ColumnElement[bool]]:
    """The drawn households whose answer is still taken on a day."""
    return [audit_draw.c.due_date >= today - LATE, audit_sample.c.state == DRAWN]


def in_places(person: Person) -> list[ColumnElement[bool]]:
    limit = person.limit(audit_sample.c.township, audit_sample.c.village)
    return [] if limit is None else [limit]


def last_visits() -> Any:
    """The last visit of every sampled household: sample_id, id, visits (how many there were)."""
    return (
        select(audit_visit.c.sample_id, func.max(audit_visit.c.id).label("last"), func.count().label("visits"))
        .group_by(audit_visit.c.sample_id)
        .subquery()
    )


def _wrong(row: RowMapping, last: RowMapping | None, on: date, visitor: str, result: str, today: date) -> list[str]:
    wrong: list[str] = []
    if row["state"] != DRAWN:
        wrong.append(Words("这一户不在本期抽查之内，不用走访"))
    if last is not None and last["result"] in FINAL:
        wrong.append(Words("这一户已于 {day} 登记走访结果，不能再改；情况有变请登记线索", day=last["date"]))
    if today > row["due_date"] + LATE:
        wrong.append(Words("这一期抽查已于 {day} 截止，没有走访的按不明计", day=row["due_date"] + LATE))
    if result not in RESULTS:
        wrong.append(Words("请选择走访结果：{results}", results=[(one.zh, one.en) for one in RESULTS.values()]))
    if not row["drawn_on"] <= on <= today:
        wrong.append(Words("走访日期应在 {first} 至 {last} 之间", first=row["drawn_on"], last=today))
    if len(visitor) > LONGEST_NAME:
        wrong.append(Words("走访人姓名不能超过 {most} 字", most=LONGEST_NAME))
    return wrong


def _case(act: Acting, row: RowMapping, on: date, visitor: str, note: str) -> int:
    act.need("clue.register")
    told = f"漏判抽查走访：{note}"[:LONGEST_TEXT]
    name = (row["name"] or "户主")[:LONGEST_NAME]
    new = NewClue(
        CHANNEL, on, name, told, caller=visitor, household_id=row["household_id"], township=row["township"], village=row["village"]
    )  # fmt: skip
    return clues.register_within(act, new).alert.id


def _find(act: Acting, sample_id: int) -> RowMapping:
    """The sampled household, held until the end. Raises Denied: not there and not theirs are told alike."""
    asked = (
        select(audit_sample, audit_draw.c.period, audit_draw.c.due_date, audit_draw.c.drawn_on)
        .join_from(audit_sample, audit_draw, audit_draw.c.id == audit_sample.c.draw_id)
        .where(audit_sample.c.id == sample_id, *in_places(act.person))
        .with_for_update(of=audit_sample)
    )
    row = act.con.execute(asked).mappings().one_or_none()
    if row is None:
        raise Denied(object=f"sample:{sample_id}")
    return row


def _last(act: Acting, sample_id: int) -> RowMapping | None:
    asked = select(audit_visit).where(audit_visit.c.sample_id == sample_id).order_by(audit_visit.c.id.desc()).limit(1)
    return act.con.execute(asked).mappings().one_or_none()


def _one(act: Acting, sample_id: int) -> Sampled:
    return _sampled(act, audit_sample.c.id == sample_id)[0]


def _sampled(act: Acting, *where: ColumnElement[bool]) -> list[Sampled]:
    asked = _asked().where(*where, audit_sample.c.state == DRAWN, *in_places(act.person))
    return [_shown(row, local_day(act.at)) for row in act.con.execute(asked).mappings()]


def _asked() -> Select[Any]:
    last = last_visits()
    return (
        select(
            audit_sample, audit_draw.c.period, audit_draw.c.due_date, audit_draw.c.bands, audit_visit.c.result,
            audit_visit.c.date.label("visited_on"), audit_visit.c.visitor, audit_visit.c.alert_id,
            func.coalesce(last.c.visits, 0).label("visits"),
        )
        .join_from(audit_sample, audit_draw, audit_draw.c.id == audit_sample.c.draw_id)
        .join(last, last.c.sample_id == audit_sample.c.id, isouter=True)
        .join(audit_visit, audit_visit.c.id == last.c.last, isouter=True)
        .order_by(audit_draw.c.due_date, audit_sample.c.township, audit_sample.c.village, audit_sample.c.id)
    )  # fmt: skip


def _shown(row: RowMapping, today: date) -> Sampled:
    title, title_en, *_ = row["bands"][row["band"]]
    told = {name: row[name] for name in ("id", "period", "household_id", "township", "village", "due_date", "result", "visited_on",
                                         "visitor", "alert_id", "visits")}  # fmt: skip
    return Sampled(
        household=shown_household(row["household_id"]), name=shown_name(row["name"], "household"), band=(title, title_en),
        days_left=working_days_between(today, row["due_date"]), **told,
    )  # fmt: skip


def door_visits(act: Acting, township: str | None = None) -> list[tuple[int, str | None, str | None, date, date]]:
    """Sampled households of the caller's places (or one township of them) that wait: id, township, village, limit, drawn on."""
    today = local_day(act.at)
    unanswered = or_(audit_visit.c.result.is_(None), audit_visit.c.result.not_in(FINAL))
    here = [] if township is None else [audit_sample.c.township == township]
    asked = _asked().where(*waiting(today), unanswered, *here, *in_places(act.person))
    columns = (
        audit_sample.c.id,
        audit_sample.c.township,
        audit_sample.c.village,
        audit_draw.c.due_date,
        audit_draw.c.drawn_on,
    )
    return [tuple(row) for row in act.con.execute(asked.with_only_columns(*columns))]


def done_by(con: Connection, first: date, last: date) -> dict[int, int]:
    """Account -> its visits to sampled households on the days from `first` to `last`."""
    asked = select(audit_visit.c.account_id, func.count()).where(audit_visit.c.date.between(first, last))
    return {key: int(count) for key, count in con.execute(asked.group_by(audit_visit.c.account_id))}
