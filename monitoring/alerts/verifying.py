"""Verification at the door: begun, visited, put on the emergency track; and what anybody has to remark."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import insert, select

from monitoring.alerts.cards import AlertCard
from monitoring.alerts.cases import DoneAlready, Refused, add_events, find, named, opened, shown, text
from monitoring.alerts.limits import VISIT_BEFORE, limit
from monitoring.alerts.naming import alert_object
from monitoring.alerts.points import EMERGENCY
from monitoring.language import Words
from monitoring.people import Caller, acting
from monitoring.store import Store
from monitoring.store.schema import comment as comment_table
from monitoring.store.schema import visit

FINDINGS: dict[str, tuple[str, str]] = {
    "confirmed": ("情况属实", "As the alert says"),
    "not_so": ("情况不属实", "Not as the alert says"),
    "unclear": ("尚不清楚", "Still unclear"),
}
CLEAR = ("confirmed", "not_so")
LONGEST_NAME = 64


def start_verifying(store: Store, caller: Caller, alert_id: int, version: int, at: datetime) -> AlertCard:
    """Verification begins, at the desk or by telephone; who does it for work that nobody has takes it."""
    with opened(store, caller, "start", alert_id, version, at) as case:
        case.step("start")
        case.take()
        case.due(case.row["due_date"])
        return case.saved()


def record_visit(
    store: Store,
    caller: Caller,
    alert_id: int,
    version: int,
    on: date,
    visitor: str,
    met: bool,
    finding: str,
    note: str,
    at: datetime,
) -> AlertCard:
    """A visit of a day by somebody named: whether the person was met, and what was found (FINDINGS).

    The first visit with a clear finding is when the alert was verified; one that leaves it unclear is not. Raises Refused for
    a day that has not come, or that lies more than VISIT_BEFORE days before the alert's opening.
    """
    with opened(store, caller, "visit", alert_id, version, at) as case:
        visitor, note = text(visitor, Words("走访人姓名")), text(note, Words("走访记录"))
        if len(visitor) > LONGEST_NAME:
            raise Refused(Words("走访人姓名不能超过 {most} 字", most=LONGEST_NAME))
        if finding not in FINDINGS:
            raise Refused(Words("请选择走访结论：{findings}", findings=list(FINDINGS.values())))
        if on > case.today:
            raise Refused(Words("走访日期 {on} 还没有到，请核对", on=on))
        if on < case.row["opened_on"] - timedelta(VISIT_BEFORE):
            raise Refused(
                Words(
                    "走访日期 {on} 比预警发现日早 {days} 天以上，不能作为这条预警的核实；请重新走访",
                    on=on,
                    days=VISIT_BEFORE,
                )
            )
        case.take()
        told = {"date": on, "visitor": visitor, "met": met, "finding": finding, "note": note}
        seen = case.add(visit, household_id=case.row["household_id"], **told)
        case.step("visit", note, visit=seen)
        if finding in CLEAR and case.row["verified_at"] is None:
            case.set(verified_at=at)
        if case.status == "verifying":
            news = finding in CLEAR and (case.row["verified_at"] is None or case.row["status"] == "returned")
            case.due(limit("decide", case.today) if news else case.row["due_date"])
        case.journal(visit=seen, finding=finding)
        return case.saved()


def mark_emergency(store: Store, caller: Caller, alert_id: int, version: int, reason: str, at: datetime) -> AlertCard:
    """Puts an alert on the emergency track: aid within three working days of its discovery (CJ 二（七）)."""
    with opened(store, caller, "emergency", alert_id, version, at) as case:
        case.step("emergency", text(reason, Words("转急难的理由")))
        if case.row["emergency"]:
            raise Refused("这条预警已经在急难通道")
        why = sorted([*case.row["why"], ["emergency", EMERGENCY, True]], key=lambda part: -part[1])
        case.set(emergency=True, points=case.row["points"] + EMERGENCY, rank=case.row["rank"] + EMERGENCY, why=why)
        case.due(case.row["due_date"])
        return case.saved()


def comment(store: Store, caller: Caller, alert_id: int, words: str, at: datetime) -> AlertCard:
    """A remark beside the work, also on a closed alert. It is no change of the alert: nobody's version grows old by it."""
    with acting(store, caller, "alert.comment", at) as act:
        row, words, author = find(act, alert_id), text(words, Words("备注")), named(act)
        latest = select(comment_table).where(comment_table.c.alert_id == alert_id).order_by(comment_table.c.id.desc())
        last = act.con.execute(latest.limit(1)).mappings().one_or_none()
        if last is not None and (last["account_id"], last["text"]) == (author, words):
            raise DoneAlready(last["by"], last["at"], "comment")
        told = {"alert_id": alert_id, "text": words, "account_id": author, "by": act.person.person, "at": at}
        key = act.con.execute(insert(comment_table).values(told).returning(comment_table.c.id)).scalar_one()
        event = {"event": "comment", "status": row["status"], "note": words, "detail": {"comment": key}}
        add_events(act, alert_id, row["version"], [event])
        act.journal("alert.comment", alert_object(alert_id))
        return shown(act, alert_id)
