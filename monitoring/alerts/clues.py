"""Clues: what somebody reports by telephone, at the counter or at the door becomes or joins an alert at once.

What a clue makes of its alert is told in `clue_effects`; here a person registers one, and says when it is concluded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.engine import RowMapping

from monitoring.alerts import clue_effects
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.cases import LONGEST_TEXT, Refused, add_events, named
from monitoring.alerts.cases import shown as shown_alert
from monitoring.alerts.clue_effects import CHANNELS, HOLDING, NewClue, due_date, level_of
from monitoring.alerts.deadlines import LIMITS
from monitoring.alerts.naming import household_object
from monitoring.language import Words
from monitoring.people import Acting, Caller, Denied, acting
from monitoring.queries.household import place_of
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal, clue
from monitoring.warehouse import Warehouse
from monitoring.working_days import local_day

LONGEST_NAME = 64
OLDEST_DAYS = 366
AGAIN = timedelta(minutes=10)  # the very same clue by the same person is one that was sent twice


@dataclass(frozen=True)
class Registered:
    """The clue's id and the alert that it is part of; `joined` an alert that was open before."""

    clue: int
    alert: AlertCard
    joined: bool


def register(
    store: Store,
    caller: Caller,
    new: NewClue,
    at: datetime,
    limits: Mapping[str, int] = LIMITS,
    warehouse: Warehouse | None = None,
) -> Registered:
    """Registers a clue and opens, or joins, its alert; `limits` are the pack's working days by level (`deadlines.limits`).

    Where a household is named, its place is what the published `warehouse` says, whatever the clue says. The same clue sent twice is registered once. Raises Refused with all that is wrong, and Denied for a place, or a household
    with an open alert, that is not the caller's.
    """
    with acting(store, caller, "clue.register", at) as act:
        new = _clean(new, local_day(at))
        if new.household_id is not None:
            place = None if warehouse is None else place_of(warehouse, new.household_id)
            if place is None:
                raise Denied(object=household_object(new.household_id))
            new = replace(new, township=place[0], village=place[1])
        return register_within(act, new, limits)


def register_within(act: Acting, new: NewClue, limits: Mapping[str, int] = LIMITS) -> Registered:
    """As `register`, within a call whose caller may register clues; the clue's texts and place are right."""
    act.within(new.township, new.village)
    twice = _sent_twice(act, new)
    if twice is not None:
        return Registered(twice["id"], shown_alert(act, twice["alert_id"]), joined=True)
    subject = clue_effects.subject_of(act.store.key, new)
    known = _open(act, subject)
    if known is not None:
        act.within(known["township"], known["village"])
    due = due_date(new, limits)
    alert_id = _opened(act, new, subject, due) if known is None else known["id"]
    row = clue_effects.clue_row(act.store.key, new, due, act.at, alert_id, account_id=named(act))
    key = int(act.con.execute(insert(clue).values(row).returning(clue.c.id)).scalar_one())
    version = 1
    if known is not None:
        changes = clue_effects.joined(known, new, due, _waiting(act, alert_id))
        act.con.execute(update(alert).where(alert.c.id == alert_id).values(changes))
        version = changes["version"]
    add_events(act, alert_id, version, clue_effects.told(new, key, known))
    level = level_of(new)
    act.journal(
        "clue.register", f"clue:{key}", alert=alert_id, channel=new.channel, level=level, emergency=new.emergency
    )
    return Registered(key, shown_alert(act, alert_id), joined=known is not None)


def conclude(store: Store, caller: Caller, clue_id: int, result: str, on: date, at: datetime) -> None:
    """Whoever reported has an answer. The alert goes on; where nothing else holds, it offers closing.

    Raises Refused: no result, a day to come or before the clue, concluded already; Denied: not there or not theirs.
    """
    with acting(store, caller, "clue.conclude", at) as act:
        row = find_clue(act, clue_id)
        named(act)
        result = result.strip()
        wrong: list[str] = []
        if row["concluded_on"] is not None:
            raise Refused(Words("这条线索已于 {day} 办结", day=row["concluded_on"]))
        if not result or len(result) > LONGEST_TEXT:
            wrong.append(Words("请填写办理结果（不超过 {most} 字）", most=LONGEST_TEXT))
        if not row["received_on"] <= on <= local_day(at):
            wrong.append(Words("办结日期应在 {first} 至 {last} 之间", first=row["received_on"], last=local_day(at)))
        if wrong:
            raise Refused(*wrong)
        _conclude(act, row, result, on)
        act.journal("clue.conclude", f"clue:{clue_id}", alert=row["alert_id"])


def plain_phone(typed: str) -> str:
    """Its digits alone: without blanks, hyphens and the country's code; full-width digits as others."""
    digits = re.sub(r"[\s()+-]", "", unicodedata.normalize("NFKC", typed))
    return re.sub(r"^(?:00)?86(?=1[3-9][0-9]{9}$)", "", digits)


def find_clue(act: Acting, clue_id: int) -> RowMapping:
    """The clue's row, looked up with the person's places. Raises Denied."""
    limit = act.person.limit(clue.c.township, clue.c.village)
    where = [clue.c.id == clue_id] + ([] if limit is None else [limit])
    row = act.con.execute(select(clue).where(*where)).mappings().one_or_none()
    if row is None:
        raise Denied(object=f"clue:{clue_id}")
    return row


def _clean(new: NewClue, today: date) -> NewClue:
    """The clue without blanks around its texts. Raises Refused with every complaint."""
    person, caller, said = new.person.strip(), new.caller.strip(), new.text.strip()
    phone, wrong = plain_phone(new.phone), list[str]()
    if new.channel not in CHANNELS:
        wrong.append(
            Words("请选择线索来源：{channels}", channels=[(channel.zh, channel.en) for channel in CHANNELS.values()])
        )
    if not today - timedelta(OLDEST_DAYS) <= new.received_on <= today:
        wrong.append(Words("收到日期 {day} 应在今天或之前一年之内", day=new.received_on))
    if not 1 <= len(person) <= LONGEST_NAME:
        wrong.append(Words("请填写困难对象姓名（不超过 {most} 字；不知道姓名的写称呼）", most=LONGEST_NAME))
    if len(caller) > LONGEST_NAME:
        wrong.append(Words("反映人姓名不能超过 {most} 字", most=LONGEST_NAME))
    if phone and not re.fullmatch(r"[0-9]{7,12}", phone):
        wrong.append("反映人电话应为 7 至 12 位数字，座机请连区号")
    if not 1 <= len(said) <= LONGEST_TEXT:
        wrong.append(Words("请填写反映的情况（不超过 {most} 字）", most=LONGEST_TEXT))
    if wrong:
        raise Refused(*wrong)
    return NewClue(
        new.channel, new.received_on, person, said, caller, phone, new.household_id or None, new.township or None,
        new.village or None, new.emergency,
    )  # fmt: skip


def _sent_twice(act: Acting, new: NewClue) -> RowMapping | None:
    same = {
        "account_id": named(act), "channel": new.channel, "received_on": new.received_on, "person": new.person,
        "caller": new.caller, "text": new.text, "emergency": new.emergency,
    }  # fmt: skip
    asked = select(clue).where(*(clue.c[name] == value for name, value in same.items()), clue.c.at > act.at - AGAIN)
    return act.con.execute(asked.order_by(clue.c.id.desc()).limit(1)).mappings().one_or_none()


def _conclude(act: Acting, row: RowMapping, result: str, on: date) -> None:
    act.con.execute(update(clue).where(clue.c.id == row["id"]).values(concluded_on=on, result=result))
    of = act.con.execute(select(alert).where(alert.c.id == row["alert_id"]).with_for_update()).mappings().one()
    changes = clue_effects.answered(of, _waiting(act, of["id"]), holds=_holds(act, of["id"]))
    act.con.execute(update(alert).where(alert.c.id == of["id"]).values(changes))
    add_events(act, of["id"], changes["version"], [clue_effects.told_answer(row, of["status"], result)])


def _open(act: Acting, of: tuple[str, str]) -> RowMapping | None:
    """The open alert that the clue joins, held until the end; where there is none, nobody else can open one meanwhile."""
    subject, key = of
    where = [alert.c.subject == subject, alert.c.subject_key == key, alert.c.closed_at.is_(None)]
    asked = select(alert).where(*where).with_for_update()
    found = act.con.execute(asked).mappings().one_or_none()
    if found is None and not act.store.sqlite:  # SQLite's writers come one after the other anyway
        act.con.execute(text("lock table alert in share row exclusive mode"))
        found = act.con.execute(asked).mappings().one_or_none()
    return found


def _opened(act: Acting, new: NewClue, of: tuple[str, str], due: date) -> int:
    subject, key = of
    last = select(func.max(alert.c.id)).where(alert.c.subject == subject, alert.c.subject_key == key)
    row = clue_effects.opened(new, of, due, act.at, act.con.execute(last).scalar())
    return int(act.con.execute(insert(alert).values(row).returning(alert.c.id)).scalar_one())


def _waiting(act: Acting, alert_id: int) -> int:
    """The alert's clues that are not concluded."""
    asked = select(func.count()).where(clue.c.alert_id == alert_id, clue.c.concluded_on.is_(None))
    return int(act.con.execute(asked).scalar_one())


def _holds(act: Acting, alert_id: int) -> bool:
    """Whether a signal of the alert still holds."""
    asked = select(alert_signal.c.id).where(alert_signal.c.alert_id == alert_id, alert_signal.c.state.in_(HOLDING))
    return act.con.execute(asked.limit(1)).first() is not None
