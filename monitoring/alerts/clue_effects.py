"""What a clue is, and what it makes of its alert: subject, level, limit, priority, headline, events. Pure; writes nothing.

One definition for a clue that is typed (`clues`) and for those that come as a file (`delivered`): a household has one open
alert, which the clue joins or opens. What names no household is an alert of its own, which further clues of the same caller
about the same person join. A clue raises the alert's level and brings its limit forward, never back, and holds it open until
it is concluded, that is, until whoever reported has an answer.

Level: an emergency is red, a person who asks for help or is seen in need is orange, what a machine or nobody in particular
tells is yellow. Limit: the pack's working days of the level (domain.md 3.3), counted from the day on which the clue came in;
three at most for an emergency (CJ 二（七）) and where somebody applies, since the survey must begin then (《最低生活保障审核确认
办法》第十五条).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from monitoring.alerts.comparing import SHOWN, STANDING
from monitoring.alerts.deadlines import EMERGENCY_DAYS, LIMITS
from monitoring.alerts.naming import HOUSEHOLD
from monitoring.alerts.points import LEVEL, priority
from monitoring.exporting import masking
from monitoring.store.sealing import keyed_digest, seal
from monitoring.working_days import add_working_days, local_day

PHONE = "clue phone"  # what phones are sealed for
CALLER = "clue caller"
Row = Mapping[Any, Any]  # of a table, as it was read or as it will be
HEADLINE = 60  # characters of the text that stand in a list
HOLDING = (STANDING, SHOWN)  # states of a signal that still holds


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


def subject_of(key: bytes, new: NewClue) -> tuple[str, str]:
    """The household's alert; else one of its own for what the same caller says of the same person of the same place."""
    if new.household_id is not None:
        return HOUSEHOLD, new.household_id
    caller = caller_key(key, new.phone, new.caller, new.village)
    said = f"{caller} {new.person} {new.township} {new.village}" if caller else f"{new.person} {new.text}"
    return "record", f"clue:{keyed_digest(key, CALLER, said)[:32]}"


def clue_row(
    key: bytes, new: NewClue, due: date, at: datetime, alert_id: int | None = None, **more: Any
) -> dict[str, Any]:
    """The clue as it is kept; `more` are further columns."""
    return {
        "alert_id": alert_id, "channel": new.channel, "received_on": new.received_on, "caller": new.caller,
        "phone": seal(key, PHONE, new.phone) if new.phone else None,
        "caller_key": caller_key(key, new.phone, new.caller, new.village), "household_id": new.household_id,
        "person": new.person, "township": new.township, "village": new.village, "text": new.text,
        "emergency": new.emergency, "due_date": due, "at": at, **more,
    }  # fmt: skip


def opened(new: NewClue, subject: tuple[str, str], due: date, at: datetime, previous_id: int | None) -> dict[str, Any]:
    """The alert that a clue opens; `previous_id` the last one of the same subject."""
    today, level = local_day(at), level_of(new)
    points, why = priority(level, emergency=new.emergency, clues=1)
    registered = new.household_id if new.household_id and not new.household_id.startswith("U-") else ""
    found = (new.person, new.caller, new.phone[-4:], new.village or "", new.township or "", registered)
    return {
        "subject": subject[0], "subject_key": subject[1], "household_id": new.household_id, "township": new.township,
        "village": new.village, "name": new.person, "find": " ".join(word for word in found if word)[:500], "level": level,
        "level_order": _order(level), "signals": 0, **_headline(new), "rules": "", "kinds": "", "departments": "",
        "raises_work": True, "emergency": new.emergency, "offers_closing": False, "status": "new", "due_date": due,
        "verify_due_date": due, "points": points, "why": why, "rank": points - today.toordinal(),
        "opened_period": f"{today:%Y-%m}", "opened_on": today, "opened_at": at, "verified_at": None, "closed_at": None,
        "origin": "clue", "previous_id": previous_id, "version": 1,
    }  # fmt: skip


def joined(known: Row, new: NewClue, due: date, waiting: int) -> dict[str, Any]:
    """What changes in an open alert with one clue more, of now `waiting` ones that are not concluded."""
    order = min(known["level_order"], _order(level_of(new)))
    urgent, level = known["emergency"] or new.emergency, list(LEVEL)[order - 1]
    values = {
        "level": level, "level_order": order, "emergency": urgent, "raises_work": True, "offers_closing": False,
        "due_date": min(known["due_date"] or due, due), "version": known["version"] + 1,
        **_priority(known, level, urgent, waiting),
    }  # fmt: skip
    if known["verified_at"] is None:
        values["verify_due_date"] = min(known["verify_due_date"] or due, due)
    return values


def answered(known: Row, waiting: int, *, holds: bool) -> dict[str, Any]:
    """What changes in an alert of which a clue was concluded: `waiting` are not, `holds` says whether a signal still does."""
    values: dict[str, Any] = {"version": known["version"] + 1}
    if known["closed_at"] is None:
        values |= _priority(known, known["level"], known["emergency"], waiting)
        values["offers_closing"] = known["offers_closing"] or not (waiting or holds)
    return values


def told(new: NewClue, clue_id: int | None, known: Row | None) -> list[dict[str, Any]]:
    """The events of a clue; `known` is the open alert as it was before the clue joined it, None where the clue opens one."""
    status, level = "new" if known is None else known["status"], level_of(new)
    note = without_names(new.text, new.person, new.caller)
    events: list[dict[str, Any]] = [
        {"event": "clue", "status": status, "note": note, "detail": {"clue": clue_id, "channel": new.channel}}
    ]
    if known is not None and _order(level) < known["level_order"]:
        change = {"from": known["level"], "to": level}
        events.append({"event": "raised", "status": status, "note": "", "detail": change})
    return events


def told_answer(of: Row, status: str, result: str) -> dict[str, Any]:
    """The event of a concluded clue (its row's id, person, caller) in an alert of that status."""
    note = without_names(result, of["person"], of["caller"])
    return {"event": "clue_concluded", "status": status, "note": note, "detail": {"clue": of["id"]}}


def without_names(said: str, *names: str) -> str:
    """A typed text without numbers, and with some names as `张**`."""
    shown = masking.typed(said)
    for name in sorted(names, key=len, reverse=True):
        if len(name) >= 2:
            shown = shown.replace(name, f"{name[0]}**")
    return shown


def _order(level: str) -> int:
    return list(LEVEL).index(level) + 1


def _headline(new: NewClue) -> dict[str, str]:
    channel = CHANNELS[new.channel]
    said = without_names(" ".join(new.text.split()), new.person, new.caller)
    told = said if len(said) <= HEADLINE else f"{said[:HEADLINE]}…"
    return {"headline": f"线索（{channel.zh}）：{told}", "headline_en": f"Clue ({channel.en}): {told}"}


def _priority(row: Row, level: str, emergency: bool, clues: int) -> dict[str, Any]:
    """Points, why and rank with what a clue changes; the other parts are the last run's."""
    if not clues and not row["signals"]:
        return {"points": 0, "why": [["none", 0, 0]], "rank": -row["opened_on"].toordinal()}
    kept = [part for part in row["why"] if part[0] not in ("level", "emergency", "clue", "shown", "none")]
    _, changed = priority(level, emergency=emergency, clues=clues, signals=1)
    why = sorted([*kept, *changed], key=lambda part: -part[1])
    points = sum(part[1] for part in why)
    return {"points": points, "why": why, "rank": points - row["opened_on"].toordinal()}
