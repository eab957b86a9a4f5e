"""One alert in one call: found within the person's places, moved by the table of moves, written if nobody was faster.

    with opened(store, caller, "visit", alert_id, version, at) as case:
        case.step("visit", note, visit=7)
        case.set(verified_at=at)
        shown = case.saved()

The alert's row, its events, what belongs to them and the journal stand or fall together. The version that the person saw
is part of the UPDATE's condition; who was faster is named. All raise SessionOver, Denied, NotNow, TakenByOther, Refused.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, select, update
from sqlalchemy.engine import RowMapping

from monitoring.alerts.cards import AlertCard, cards
from monitoring.alerts.details import in_places
from monitoring.alerts.details import shown as shown_cards
from monitoring.alerts.limits import emergency_due, first
from monitoring.alerts.moves import ACTION, VERBS, moved
from monitoring.alerts.naming import alert_object
from monitoring.language import Words
from monitoring.people import Acting, Caller, Denied, acting
from monitoring.store import Store
from monitoring.store.schema import account, alert, alert_event, conference, referral
from monitoring.working_days import CHINA, local_day

LONGEST_TEXT = 4000


class Refused(Exception):
    """What was entered cannot stand; `complaints` (Chinese) say all that must be changed."""

    def __init__(self, *complaints: str) -> None:
        super().__init__("；".join(complaints))
        self.complaints = self.words = complaints


class TakenByOther(Exception):
    """The alert is no longer as the person saw it: `person` did `verb` at `when`. Nothing was changed."""

    def __init__(self, person: str, when: datetime, verb: str, words: str = "") -> None:
        self.words = words or Words(
            "{person} 已于 {when} 对这条预警作了“{done}”，您的操作没有保存；请查看最新情况后再办",
            person=person, when=_told(when), done=VERBS.get(verb, ("更新", "Updated")),
        )  # fmt: skip
        super().__init__(self.words)
        self.person, self.when, self.verb = person, when, verb


class DoneAlready(TakenByOther):
    """The same step by the same person stands already (a double click, a lost answer): it was not done twice."""

    def __init__(self, person: str, when: datetime, verb: str) -> None:
        super().__init__(
            person, when, verb, Words("您已于 {when} {done}，这一步没有重复", when=_told(when), done=VERBS[verb])
        )


class Case:
    """An alert's row as it was (`row`), and what this call makes of it."""

    def __init__(self, act: Acting, row: RowMapping, verb: str) -> None:
        self.act, self.row, self.verb = act, row, verb
        self.today = local_day(act.at)
        self.status: str = row["status"]
        self.changes: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.told: dict[str, Any] = {}

    @property
    def id(self) -> int:
        return int(self.row["id"])

    @property
    def account(self) -> int:
        """The account that acts. Raises Denied for the operator, who is nobody in particular."""
        return named(self.act)

    def now(self, column: str) -> Any:
        """A column as it will be."""
        return self.changes.get(column, self.row[column])

    def step(self, verb: str, note: str = "", event: str = "", **detail: Any) -> None:
        """One move with its event; several may follow each other in one call. Raises NotNow."""
        self.status = moved(self.status, verb)
        self.events.append({"event": event or verb, "status": self.status, "note": note, "detail": detail})

    def set(self, **values: Any) -> None:
        self.changes |= values

    def journal(self, **detail: Any) -> None:
        """What the journal says beside the alert: codes and account names, never what somebody typed."""
        self.told |= detail

    def add(self, table: Any, **values: Any) -> int:
        """A row of something that belongs to the alert, by this account; its id."""
        row = {"alert_id": self.id, "account_id": self.account, "at": self.act.at} | values
        return int(self.act.con.execute(insert(table).values(row).returning(table.c.id)).scalar_one())

    def take(self) -> None:
        """Work that nobody has is the person's who begins it."""
        if self.now("assignee") is None:
            self.set(assignee=self.account, assigned_at=self.act.at)

    def due(self, own: date | None) -> None:
        """What is due next: the step's own day, verification while it is not done, emergency aid, answers, conferences."""
        verify = self.row["verify_due_date"] if self.now("verified_at") is None else None
        urgent = self.now("emergency") and self.now("helped_at") is None
        days = [own, verify, emergency_due(self.row["opened_on"]) if urgent else None, *self._awaited()]
        self.set(due_date=first(days) or self.row["due_date"])

    def _awaited(self) -> list[date | None]:
        return list(self.act.con.execute(_awaited(), {"of": self.id}).one())

    def saved(self) -> AlertCard:
        """Writes it, if the alert is still of the version that was seen. Raises TakenByOther."""
        write(self)
        card = shown(self.act, self.id)
        self.act.journal(
            f"alert.{self.verb}", alert_object(self.id), **self.told
        )  # last: all writers wait for its lock
        return card


@functools.cache
def _awaited() -> Select[Any]:
    """When the first answer and the first conference that an alert waits for are due. Put together once."""
    asked = select(func.min(referral.c.due_date)).where(
        referral.c.alert_id == bindparam("of"), referral.c.answered_on.is_(None)
    )
    called = select(func.min(conference.c.date)).where(
        conference.c.alert_id == bindparam("of"), conference.c.decision.is_(None)
    )
    return select(asked.scalar_subquery(), called.scalar_subquery())


@contextmanager
def opened(store: Store, caller: Caller, verb: str, alert_id: int, version: int | None, at: datetime) -> Iterator[Case]:
    """The alert for one verb; `version` is the one that the person saw (None: whatever it is now)."""
    with acting(store, caller, ACTION[verb], at) as act:
        row = find(act, alert_id)
        if version is not None and row["version"] != version:
            raise overtaken(act, row, verb, version)
        yield Case(act, row, verb)


def find(act: Acting, alert_id: int) -> RowMapping:
    """The alert's row, looked up with the person's places. Raises Denied: not there and not theirs are told alike."""
    row = act.con.execute(select(alert).where(alert.c.id == alert_id, *in_places(act.person))).mappings().one_or_none()
    if row is None:
        raise Denied(object=alert_object(alert_id))
    return row


def named(act: Acting) -> int:
    """The account that acts. Raises Denied for the operator at the command line: a person decides, and is named."""
    if act.person.account is None:
        raise Denied("这一步要由经办人用本人账号登录后办理，命令行不能代办")
    return act.person.account


def write(case: Case) -> None:
    """The row and its events, without the journal. Raises TakenByOther."""
    con, row = case.act.con, case.row
    values = case.changes | {"status": case.status, "version": row["version"] + 1}
    seen = [alert.c.id == case.id, alert.c.version == row["version"], *in_places(case.act.person)]
    if con.execute(update(alert).where(*seen).values(values)).rowcount != 1:
        raise overtaken(case.act, find(case.act, case.id), case.verb, row["version"])
    add_events(case.act, case.id, row["version"] + 1, case.events)


def add_events(act: Acting, alert_id: int, version: int, events: Sequence[dict[str, Any]]) -> None:
    """Events as they are kept: by whom, when, and the version that they made."""
    act.con.execute(insert(alert_event), event_rows(act, alert_id, version, events))


def event_rows(act: Acting, alert_id: int, version: int, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of `add_events`, for whoever writes those of many alerts at once."""
    by = {"alert_id": alert_id, "at": act.at, "account_id": act.person.account, "by": act.person.person}
    return [event | by | {"detail": {"version": version, **event["detail"]}} for event in events]


def shown(act: Acting, alert_id: int) -> AlertCard:
    """The alert's card as it is now, masked unless an unmasking is in force."""
    return shown_cards(act, cards().where(alert.c.id == alert_id))[0]


def overtaken(act: Acting, row: RowMapping, verb: str, version: int | None) -> TakenByOther:
    """Who made the alert what it is now; for a claim, who has it."""
    if verb == "claim" and row["assignee"] is not None and row["closed_at"] is None:
        return held(act, row)
    asked = select(alert_event).where(alert_event.c.alert_id == row["id"], alert_event.c.event != "comment")
    last = act.con.execute(asked.order_by(alert_event.c.id.desc()).limit(1)).mappings().one_or_none()
    if (
        last is None or last["detail"].get("version") != row["version"]
    ):  # the run changes alerts without a version to it
        return TakenByOther("数据比对", last["at"] if last else row["opened_at"], "")
    by_me = last["account_id"] is not None and last["account_id"] == act.person.account
    if by_me and version == row["version"] - 1 and _same(act, last, verb):
        return DoneAlready(last["by"], last["at"], verb)
    return TakenByOther(last["by"], last["at"], last["event"])


def held(act: Acting, row: RowMapping) -> TakenByOther:
    """Who has the alert, for somebody who wanted to claim it."""
    person = act.con.execute(select(account.c.person).where(account.c.id == row["assignee"])).scalar_one()
    when = row["assigned_at"] or row["opened_at"]
    if row["assignee"] == act.person.account:
        return DoneAlready(person, when, "claim")
    words = Words("这条预警已于 {when} 由 {person} 承办，您没有认领成功；请看下一条", when=_told(when), person=person)
    return TakenByOther(person, when, "claim", words)


def text(value: str, what: Words, needed: bool = True) -> str:
    """A typed text without blanks around it. Raises Refused where it is needed and missing, or too long."""
    value = value.strip()
    if needed and not value:
        raise Refused(Words("请填写{what}", what=what))
    if len(value) > LONGEST_TEXT:
        raise Refused(Words("{what}不能超过 {most} 字，现有 {n} 字", what=what, most=LONGEST_TEXT, n=len(value)))
    return value


def _same(act: Acting, last: RowMapping, verb: str) -> bool:
    """Whether the verb is among the events of the alert's last version: a decision may be followed by others at once."""
    steps = select(alert_event.c.event, alert_event.c.detail).where(
        alert_event.c.alert_id == last["alert_id"], alert_event.c.at == last["at"]
    )
    version = last["detail"]["version"]
    return any(event == verb and detail.get("version") == version for event, detail in act.con.execute(steps))


def _told(when: datetime) -> Words:
    local = when.astimezone(CHINA)
    return Words("{month}月{day}日 {time}", month=local.month, day=local.day, time=f"{local:%H:%M}")
