"""Everything that happened to an alert, or to a household in all its alerts, newest first, in sentences of both languages.

The events are told from `alert_event`, which is never changed, with the visit, decision, measure, referral, conference or
comment that each names. Names of the household and numbers in typed texts are masked unless an unmasking is in force.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.engine import RowMapping

from monitoring.alerts.cases import find
from monitoring.alerts.clue_effects import CHANNELS
from monitoring.alerts.details import in_places, unmasked
from monitoring.alerts.moves import VERBS
from monitoring.alerts.outcomes import MEASURES, OUTCOMES, WENT_TO
from monitoring.alerts.verifying import FINDINGS
from monitoring.alerts.visits import MET
from monitoring.exporting import masking
from monitoring.labels import LEVEL_ZH
from monitoring.people import Caller, reading
from monitoring.store import Store
from monitoring.store.schema import alert, alert_event, alert_signal, conference, decision, measure, referral, visit
from monitoring.working_days import local_day

# What happens beside the verbs: by the run, and by clues.
_BESIDE: dict[str, tuple[str, str]] = {
    "opened": ("发现预警", "Alert opened"),
    "joined": ("新增情形", "Joined by"),
    "back": ("情形仍然存在", "Found again"),
    "gone": ("情形已消除", "No longer holds"),
    "moved": ("转入另一户的预警", "Moved to another household's alert"),
    "reopened": ("情形再次出现，已开新预警", "Came back as a new alert"),
    "quiet": ("情形仍在，按已作的决定暂不提醒", "Still holds; kept quiet by the decision"),
    "shown": ("整户已在全额保障内，只作提示", "In full support: shown only"),
    "raises_work": ("不再在全额保障内，需要办理", "No longer in full support: needs work"),
    "raised": ("级别提高", "Level raised"),
    "lowered": ("级别降低", "Level lowered"),
    "clue": ("登记线索", "Clue registered"),
    "clue_concluded": ("线索办结", "Clue concluded"),
}
_LEVEL_EN = {"red": "red", "orange": "orange", "yellow": "yellow", "blue": "blue"}
# Detail's key of a row -> its table and the columns that are told.
_ROWS: dict[str, tuple[Table, tuple[str, ...]]] = {
    "visit": (visit, ("date", "visitor", "met", "finding")),
    "decision": (decision, ("outcome", "went_to", "particulars", "until")),
    "measure": (measure, ("kind", "amount", "monthly", "start", "responsible")),
    "referral": (referral, ("department", "due_date", "answered_on")),
    "conference": (conference, ("date", "present")),
}
Pair = tuple[str, str]


@dataclass(frozen=True)
class Event:
    """`at` when it was recorded, `day` when it happened (the day of the visit, of the answer); `kind` the verb or the run's word.

    `words_zh` and `words_en` are one sentence, without who and when; `note` what somebody typed; `detail` the facts by name.
    """

    at: datetime
    day: date
    kind: str
    words_zh: str
    words_en: str
    note: str
    by: str
    alert: int
    status: str
    detail: Mapping[str, Any]


def timeline(
    store: Store, caller: Caller, at: datetime, *, household_id: str | None = None, alert_id: int | None = None
) -> list[Event]:
    """Of one alert, or of all alerts of a household in the caller's places, open and closed. Raises Denied for an alert that
    is not there or not theirs; a household without alerts has no events."""
    with reading(store, caller, "alert.view" if alert_id is not None else "household.view", at) as act:
        if alert_id is not None:
            alerts: Sequence[RowMapping] = [find(act, alert_id)]
        else:
            of = [alert.c.household_id == household_id, *in_places(act.person)]
            alerts = act.con.execute(select(alert).where(*of)).mappings().all()
        if not alerts:
            return []
        return _told(act.con, {row["id"]: row for row in alerts}, unmasked(act))


def hide(text: str, row: RowMapping) -> str:
    """A typed text about an alert as it is shown: without numbers, and with the household's names as `张**`."""
    shown = masking.typed(text)
    places = (row["township"], row["village"], row["subject_key"])
    known = {word for word in row["find"].split() if word not in places and not any(c.isdigit() for c in word)}
    for name in sorted(
        (known | {row["name"] or ""}) if row["subject"] in ("household", "record") else (), key=len, reverse=True
    ):
        if len(name) >= 2:
            shown = shown.replace(name, f"{name[0]}**")
    return shown


def _told(con: Connection, alerts: Mapping[int, RowMapping], full: Collection[str]) -> list[Event]:
    ids = list(alerts)
    rows = con.execute(select(alert_event).where(alert_event.c.alert_id.in_(ids))).mappings().all()
    facts = {key: _facts(con, table, columns, ids) for key, (table, columns) in _ROWS.items()}
    messages = _messages(con, ids)
    told = []
    for row in rows:
        of = alerts[row["alert_id"]]
        clear = of["household_id"] in full
        detail = {name: value for name, value in row["detail"].items() if name not in ("version", "account", "before")}
        for key, known in facts.items():
            if isinstance(detail.get(key), int):
                detail |= {name: value for name, value in known.get(detail[key], {}).items() if value is not None}
        words = _words(row["event"], detail, messages.get(row["alert_id"], {}))
        words_zh, words_en, note = (text if clear else hide(text, of) for text in (*words, row["note"]))
        detail = {name: hide(v, of) if isinstance(v, str) and not clear else v for name, v in detail.items()}
        event = Event(
            row["at"], _day(row, detail), row["event"], words_zh, words_en, note, row["by"], of["id"], row["status"], detail
        )  # fmt: skip
        told.append((event.day, event.at, row["id"], event))
    return [event for *_, event in sorted(told, key=lambda one: one[:3], reverse=True)]


def _facts(con: Connection, table: Table, columns: Sequence[str], ids: Collection[int]) -> dict[int, dict[str, Any]]:
    asked = select(table.c.id, *(table.c[name] for name in columns)).where(table.c.alert_id.in_(ids))
    return {row["id"]: {name: row[name] for name in columns} for row in con.execute(asked).mappings()}


def _messages(con: Connection, ids: Collection[int]) -> dict[int, dict[str, Pair]]:
    """Alert -> rule -> its signal's sentence (masked already); the first where a rule hit several persons."""
    told: dict[int, dict[str, Pair]] = {}
    asked = select(alert_signal).where(alert_signal.c.alert_id.in_(ids)).order_by(alert_signal.c.id)
    for row in con.execute(asked).mappings():
        zh = row["message"]
        told.setdefault(row["alert_id"], {}).setdefault(row["rule"], (zh, row["message_en"] or zh))
    return told


def _day(row: RowMapping, detail: Mapping[str, Any]) -> date:
    """When it happened: a visit on its day, an answer when it came; the rest when it was recorded."""
    happened = {"visit": "date", "answer": "answered_on"}.get(row["event"], "")
    day = detail.get(happened)
    return day if isinstance(day, date) else local_day(row["at"])


def _words(event: str, detail: Mapping[str, Any], messages: Mapping[str, Pair]) -> Pair:
    zh, en = _BESIDE.get(event) or VERBS.get(event, ("更新", "Updated"))
    more = _MORE[event](detail) if event in _MORE else _of_rules(detail, messages)
    return _joined((zh, en), [pair for pair in more if pair[0]])


def _joined(head: Pair, more: Sequence[Pair]) -> Pair:
    if not more:
        return head
    chinese = "；".join(zh.removesuffix("。") if n < len(more) - 1 else zh for n, (zh, _) in enumerate(more))
    english = "; ".join(en.removesuffix(".") if n < len(more) - 1 else en for n, (_, en) in enumerate(more))
    return f"{head[0]}：{chinese}", f"{head[1]}: {english}"


def _of_rules(detail: Mapping[str, Any], messages: Mapping[str, Pair]) -> list[Pair]:
    """The sentences of the signals that an event of the run is about."""
    rules = detail.get("rules")
    return [messages[rule] for rule in rules if rule in messages] if isinstance(rules, list) else []


def _clue(detail: Mapping[str, Any]) -> list[Pair]:
    channel = CHANNELS[detail["channel"]]
    return [(channel.zh, channel.en)]


def _levels(detail: Mapping[str, Any]) -> list[Pair]:
    old, new = str(detail["from"]), str(detail["to"])
    return [(f"{LEVEL_ZH[old]} → {LEVEL_ZH[new]}", f"{_LEVEL_EN[old]} → {_LEVEL_EN[new]}")]


def _visit(detail: Mapping[str, Any]) -> list[Pair]:
    who = (f"走访人 {detail['visitor']}", f"by {detail['visitor']}")
    return [_iso(detail["date"]), who, MET[bool(detail["met"])], FINDINGS[detail["finding"]]]


def _decision(detail: Mapping[str, Any]) -> list[Pair]:
    outcome = OUTCOMES[detail["outcome"]]
    told: list[Pair] = [(outcome.zh, outcome.en)]
    if detail.get("went_to"):
        zh, en = WENT_TO[detail["went_to"]]
        told.append((f"去向：{zh}", f"went to: {en}"))
    if detail.get("particulars"):
        told.append((detail["particulars"], detail["particulars"]))
    return [*told, *_help(detail), *_until(detail)]


def _help(detail: Mapping[str, Any]) -> list[Pair]:
    if "kind" not in detail:
        return []
    zh, en = MEASURES[detail["kind"]]
    yuan = detail.get("amount")
    if yuan is not None:
        monthly = detail.get("monthly")
        zh, en = (
            f"{zh} {yuan:,.2f} 元{'/月' if monthly else ''}",
            f"{en} {yuan:,.2f} yuan{' a month' if monthly else ''}",
        )
    start = detail["start"].isoformat()
    return [
        (
            f"{zh}，{start} 起，责任人 {detail['responsible']}",
            f"{en} from {start}, {detail['responsible']} answers for it",
        )
    ]


def _until(detail: Mapping[str, Any]) -> list[Pair]:
    until = detail.get("until")
    if until is None:
        return []
    day = until.isoformat() if isinstance(until, date) else str(until)
    return [(f"{day} 前回访", f"look again by {day}")]


def _referral(detail: Mapping[str, Any]) -> list[Pair]:
    department = str(detail["department"])
    day = detail["due_date"].isoformat()
    return [(f"{department}，{day} 前答复", f"{department}, answer by {day}")]


def _conference(detail: Mapping[str, Any]) -> list[Pair]:
    return [_iso(detail["date"]), (f"参会 {detail['present']}", f"present: {detail['present']}")]


def _close(detail: Mapping[str, Any]) -> list[Pair]:
    outcome = OUTCOMES[detail["outcome"]]
    return [(outcome.zh, outcome.en)]


def _to(detail: Mapping[str, Any]) -> list[Pair]:
    return [(f"给 {detail['to']}", f"to {detail['to']}")]


def _asked(detail: Mapping[str, Any]) -> list[Pair]:
    return [(str(detail["department"]), str(detail["department"]))]


def _iso(day: date) -> Pair:
    return day.isoformat(), day.isoformat()


_MORE: dict[str, Callable[[Mapping[str, Any]], list[Pair]]] = {
    "clue": _clue,
    "raised": _levels,
    "lowered": _levels,
    "assign": _to,
    "visit": _visit,
    "decide": _decision,
    "measure": _help,
    "follow_up": _until,
    "refer": _referral,
    "answer": _asked,
    "confer": _conference,
    "confer_decide": lambda detail: [_iso(detail["date"])],
    "close": _close,
}
