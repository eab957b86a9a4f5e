"""Clues: what somebody reports by telephone, at the counter or at the door becomes or joins an alert at once.

A household has one open alert: the clue joins it, or opens it. What names no household is an alert of its own, which further
clues of the same caller about the same person join. A clue raises the alert's level and brings its limit forward, never
back, and holds it open until it is concluded, that is, until whoever reported has an answer.

Level: an emergency is red, a person who asks for help or is seen in need is orange, what a machine or nobody in particular
tells is yellow. Limit: the pack's working days of the level (domain.md 3.3), counted from the day on which the clue came in;
three at most for an emergency (CJ 二（七）) and where somebody applies, since the survey must begin then (《最低生活保障审核确认
办法》第十五条).

Clues that departments deliver as a file (data/feeds/clues.toml) come with the run's signals (`take_in_delivered`), under the
department's own number and limit: they open or join alerts in the same way, and the file says when they are concluded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.engine import RowMapping

from monitoring.alerts.cards import AlertCard
from monitoring.alerts.cases import LONGEST_TEXT, Refused, add_events, named
from monitoring.alerts.cases import shown as shown_alert
from monitoring.alerts.deadlines import EMERGENCY_DAYS, LIMITS
from monitoring.alerts.naming import HOUSEHOLD, household_object
from monitoring.alerts.points import LEVEL, priority
from monitoring.exporting import masking
from monitoring.language import Words
from monitoring.people import Acting, Caller, Denied, acting
from monitoring.queries.household import place_of
from monitoring.store import Store
from monitoring.store.bulk import insert_rows
from monitoring.store.schema import alert, alert_signal, clue
from monitoring.store.sealing import keyed_digest, seal
from monitoring.warehouse import Warehouse
from monitoring.working_days import add_working_days, local_day

PHONE = "clue phone"  # what phones are sealed for
CALLER = "clue caller"
LONGEST_NAME = 64
HEADLINE = 60  # characters of the text that stand in a list
OLDEST_DAYS = 366
AGAIN = timedelta(minutes=10)  # the very same clue by the same person is one that was sent twice


@dataclass(frozen=True)
class Channel:
    """How a clue comes in; `applies`: the person asks for assistance themselves."""

    zh: str
    en: str
    level: str
    applies: bool = False


CHANNELS: dict[str, Channel] = {
    "hotline": Channel("12345热线", "Hotline 12345", "orange"),
    "self_report": Channel("自主申报", "Self-report", "orange", applies=True),
    "app": Channel("救助通", "Aid app (Jiuzhutong)", "orange", applies=True),
    "visit": Channel("干部走访", "Visit by staff", "orange"),
    "grid": Channel("网格员", "Grid worker", "orange"),
    "petition": Channel("信访", "Petition", "orange"),
    "platform": Channel("部门推送", "Platform or department warning", "yellow"),
    "other": Channel("其他", "Other", "yellow"),
}
APPLIED_DAYS = 3


@dataclass(frozen=True)
class NewClue:
    """A clue as it is typed. `person` is who is meant, `caller` who reported it (blank: anonymous). `household_id`, township
    and village are the registry's where the household was found; `household_id` None where it was not."""

    channel: str
    received_on: date
    person: str
    text: str
    caller: str = ""
    phone: str = ""
    household_id: str | None = None
    township: str | None = None
    village: str | None = None
    emergency: bool = False


@dataclass(frozen=True)
class Registered:
    """The clue's id and the alert that it is part of; `joined` an alert that was open before."""

    clue: int
    alert: AlertCard
    joined: bool


@dataclass(frozen=True)
class Delivered:
    """A clue as a department's file has it, under the department's number; `due_date` None where the file says none."""

    number: str
    clue: NewClue
    due_date: date | None
    concluded_on: date | None
    result: str | None


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
    known = _open(act, new)
    if known is not None:
        act.within(known["township"], known["village"])
    level, due = level_of(new), due_date(new, limits)
    alert_id = _opened(act, new, level, due) if known is None else known["id"]
    key = _written(act, new, alert_id, due, account_id=named(act))
    version = 1
    if known is not None:
        version = _join(act, known, level, due, emergency=new.emergency)
    _tell(act, new, key, alert_id, known, level, version)
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


def take_in_delivered(act: Acting, delivered: Iterable[Delivered], limits: Mapping[str, int] = LIMITS) -> int:
    """Clues of a file, within the run's own transaction: new ones open or join alerts, those that were concluded since are
    concluded. How many changed anything; the same file again changes nothing."""
    rows = list(delivered)
    known = {row["number"]: row for row in act.con.execute(select(clue).where(clue.c.number.is_not(None))).mappings()}
    changed, over = 0, list[dict[str, Any]]()
    for one in rows:
        row = known.get(one.number)
        if row is None and one.concluded_on is not None:  # nothing to do any more; it counts for those who call again
            said = {"number": one.number, "concluded_on": one.concluded_on, "result": one.result}
            over.append(_row(act, one.clue, None, one.due_date or due_date(one.clue, limits), **said))
        elif row is None:
            _write_all(act, over)
            _deliver(act, one, limits)
        elif row["concluded_on"] is None and one.concluded_on is not None:
            _conclude(act, row, one.result or "", one.concluded_on)
        else:
            continue
        changed += 1
    _write_all(act, over)
    return changed


def _write_all(act: Acting, over: list[dict[str, Any]]) -> None:
    """The clues that wait to be written, in the order in which they came: most of a file are over, and one by one they
    take longer than all alerts of the run."""
    insert_rows(act.con, clue, over)
    over.clear()


def _deliver(act: Acting, one: Delivered, limits: Mapping[str, int]) -> None:
    new = one.clue
    due = one.due_date or due_date(new, limits)
    known, level = _open(act, new), level_of(new)
    alert_id = _opened(act, new, level, due) if known is None else known["id"]
    key = _written(act, new, alert_id, due, number=one.number)
    version = 1 if known is None else _join(act, known, level, due, emergency=new.emergency)
    _tell(act, new, key, alert_id, known, level, version)


def _conclude(act: Acting, row: RowMapping, result: str, on: date) -> None:
    act.con.execute(update(clue).where(clue.c.id == row["id"]).values(concluded_on=on, result=result))
    of = act.con.execute(select(alert).where(alert.c.id == row["alert_id"]).with_for_update()).mappings().one()
    version, rest = of["version"] + 1, _waiting(act, of["id"])
    values: dict[str, Any] = {"version": version}
    if of["closed_at"] is None:
        values |= _priority(of, of["level"], of["emergency"], rest)
        values["offers_closing"] = of["offers_closing"] or not (rest or _holds(act, of["id"]))
    act.con.execute(update(alert).where(alert.c.id == of["id"]).values(values))
    note = without_names(result, row["person"], row["caller"])
    event = {"event": "clue_concluded", "status": of["status"], "note": note, "detail": {"clue": row["id"]}}
    add_events(act, of["id"], version, [event])


def level_of(new: NewClue) -> str:
    return "red" if new.emergency else CHANNELS[new.channel].level


def due_date(new: NewClue, limits: Mapping[str, int] = LIMITS) -> date:
    """The last day on which the clue must be answered."""
    days = limits[level_of(new)]
    if new.emergency:
        days = min(days, EMERGENCY_DAYS)
    elif CHANNELS[new.channel].applies:
        days = min(days, APPLIED_DAYS)
    return add_working_days(new.received_on, days)


def caller_key(key: bytes, phone: str, caller: str, village: str | None) -> str:
    """By what a caller is known again without being readable: the phone, else name and village; "" for nobody in particular."""
    if phone:
        return keyed_digest(key, CALLER, f"phone {phone}")
    return keyed_digest(key, CALLER, f"name {caller} {village or ''}") if caller else ""


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


def without_names(said: str, *names: str) -> str:
    """A typed text without numbers, and with some names as `张**`."""
    shown = masking.typed(said)
    for name in sorted(names, key=len, reverse=True):
        if len(name) >= 2:
            shown = shown.replace(name, f"{name[0]}**")
    return shown


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


def _subject(act: Acting, new: NewClue) -> tuple[str, str]:
    """The household's alert; else one of its own for what the same caller says of the same person of the same place."""
    if new.household_id is not None:
        return HOUSEHOLD, new.household_id
    caller = caller_key(act.store.key, new.phone, new.caller, new.village)
    said = f"{caller} {new.person} {new.township} {new.village}" if caller else f"{new.person} {new.text}"
    return "record", f"clue:{keyed_digest(act.store.key, CALLER, said)[:32]}"


def _open(act: Acting, new: NewClue) -> RowMapping | None:
    """The open alert that the clue joins, held until the end; where there is none, nobody else can open one meanwhile."""
    subject, key = _subject(act, new)
    of = [alert.c.subject == subject, alert.c.subject_key == key, alert.c.closed_at.is_(None)]
    asked = select(alert).where(*of).with_for_update()
    found = act.con.execute(asked).mappings().one_or_none()
    if found is None and not act.store.sqlite:  # SQLite's writers come one after the other anyway
        act.con.execute(text("lock table alert in share row exclusive mode"))
        found = act.con.execute(asked).mappings().one_or_none()
    return found


def _opened(act: Acting, new: NewClue, level: str, due: date) -> int:
    subject, key = _subject(act, new)
    last = select(func.max(alert.c.id)).where(alert.c.subject == subject, alert.c.subject_key == key)
    today = local_day(act.at)
    points, why = priority(level, emergency=new.emergency, clues=1)
    registered = new.household_id if new.household_id and not new.household_id.startswith("U-") else ""
    found = (new.person, new.caller, new.phone[-4:], new.village or "", new.township or "", registered)
    row = {
        "subject": subject, "subject_key": key, "household_id": new.household_id, "township": new.township,
        "village": new.village, "name": new.person, "find": " ".join(word for word in found if word)[:500], "level": level,
        "level_order": list(LEVEL).index(level) + 1, "signals": 0, **_headline(new), "rules": "", "kinds": "", "departments": "",
        "raises_work": True, "emergency": new.emergency, "offers_closing": False, "status": "new", "due_date": due,
        "verify_due_date": due, "points": points, "why": why, "rank": points - today.toordinal(),
        "opened_period": f"{today:%Y-%m}", "opened_on": today, "opened_at": act.at, "origin": "clue",
        "previous_id": act.con.execute(last).scalar(), "version": 1,
    }  # fmt: skip
    return int(act.con.execute(insert(alert).values(row).returning(alert.c.id)).scalar_one())


def _headline(new: NewClue) -> dict[str, str]:
    channel = CHANNELS[new.channel]
    said = without_names(" ".join(new.text.split()), new.person, new.caller)
    told = said if len(said) <= HEADLINE else f"{said[:HEADLINE]}…"
    return {"headline": f"线索（{channel.zh}）：{told}", "headline_en": f"Clue ({channel.en}): {told}"}


def _written(act: Acting, new: NewClue, alert_id: int | None, due: date, **more: Any) -> int:
    row = _row(act, new, alert_id, due, **more)
    return int(act.con.execute(insert(clue).values(row).returning(clue.c.id)).scalar_one())


def _row(act: Acting, new: NewClue, alert_id: int | None, due: date, **more: Any) -> dict[str, Any]:
    return {
        "alert_id": alert_id, "channel": new.channel, "received_on": new.received_on, "caller": new.caller,
        "phone": seal(act.store.key, PHONE, new.phone) if new.phone else None,
        "caller_key": caller_key(act.store.key, new.phone, new.caller, new.village), "household_id": new.household_id,
        "person": new.person, "township": new.township, "village": new.village, "text": new.text,
        "emergency": new.emergency, "due_date": due, "at": act.at, **more,
    }  # fmt: skip


def _join(act: Acting, known: RowMapping, level: str, due: date, *, emergency: bool) -> int:
    """The open alert with one clue more; its new version."""
    order = min(known["level_order"], list(LEVEL).index(level) + 1)
    urgent, level = known["emergency"] or emergency, list(LEVEL)[order - 1]
    values = {
        "level": level, "level_order": order, "emergency": urgent, "raises_work": True, "offers_closing": False,
        "due_date": min(known["due_date"] or due, due), "version": known["version"] + 1,
        **_priority(known, level, urgent, _waiting(act, known["id"])),
    }  # fmt: skip
    if known["verified_at"] is None:
        values["verify_due_date"] = min(known["verify_due_date"] or due, due)
    act.con.execute(update(alert).where(alert.c.id == known["id"]).values(values))
    return int(known["version"]) + 1


def _priority(row: RowMapping, level: str, emergency: bool, clues: int) -> dict[str, Any]:
    """Points, why and rank with what a clue changes; the other parts are the last run's."""
    if not clues and not row["signals"]:
        return {"points": 0, "why": [["none", 0, 0]], "rank": -row["opened_on"].toordinal()}
    kept = [part for part in row["why"] if part[0] not in ("level", "emergency", "clue", "shown", "none")]
    _, changed = priority(level, emergency=emergency, clues=clues, signals=1)
    why = sorted([*kept, *changed], key=lambda part: -part[1])
    points = sum(part[1] for part in why)
    return {"points": points, "why": why, "rank": points - row["opened_on"].toordinal()}


def _waiting(act: Acting, alert_id: int) -> int:
    """The alert's clues that are not concluded."""
    asked = select(func.count()).where(clue.c.alert_id == alert_id, clue.c.concluded_on.is_(None))
    return int(act.con.execute(asked).scalar_one())


def _holds(act: Acting, alert_id: int) -> bool:
    """Whether a signal of the alert still holds."""
    asked = select(alert_signal.c.id).where(
        alert_signal.c.alert_id == alert_id, alert_signal.c.state.in_(("standing", "shown"))
    )
    return act.con.execute(asked.limit(1)).first() is not None


def _tell(
    act: Acting, new: NewClue, key: int, alert_id: int, known: RowMapping | None, level: str, version: int
) -> None:
    status = "new" if known is None else known["status"]
    note = without_names(new.text, new.person, new.caller)
    told = {"event": "clue", "status": status, "note": note, "detail": {"clue": key, "channel": new.channel}}
    events = [told]
    if known is not None and list(LEVEL).index(level) + 1 < known["level_order"]:
        change = {"from": known["level"], "to": level}
        events.append({"event": "raised", "status": status, "note": "", "detail": change})
    add_events(act, alert_id, version, events)
