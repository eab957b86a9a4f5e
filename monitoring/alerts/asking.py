"""Others are asked: a department (with a limit, and its answer), or a case conference (一事一议, with a date and a decision)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.engine import RowMapping

from monitoring.alerts.cards import AlertCard
from monitoring.alerts.cases import Case, Refused, opened, text
from monitoring.alerts.handing import worker_of
from monitoring.alerts.limits import limit
from monitoring.alerts.moves import moved
from monitoring.language import Words
from monitoring.people import Caller
from monitoring.store import Store
from monitoring.store.schema import conference, referral
from monitoring.working_days import local_day

LONGEST_DEPARTMENT = 64


def refer(
    store: Store,
    caller: Caller,
    alert_id: int,
    version: int,
    department: str,
    asked: str,
    at: datetime,
    due: date | None = None,
) -> AlertCard:
    """Asks a department; its answer is due on `due` (LIMITS["answer"] if none is named). Who asks has the alert from now on.

    Several departments can be asked at once. A verification that is not done stays due: asking is no delay of it.
    """
    with opened(store, caller, "refer", alert_id, version, at) as case:
        ask(case, department, asked, due)
        return case.saved()


def ask(case: Case, department: str, asked: str, due: date | None) -> None:
    """The referral as a step of a case. Raises Refused."""
    department, asked = text(department, Words("转办部门")), text(asked, Words("要求部门办什么"))
    due = due or limit("answer", case.today)
    if len(department) > LONGEST_DEPARTMENT:
        raise Refused(Words("部门名称不能超过 {most} 字", most=LONGEST_DEPARTMENT))
    if due < case.today:
        raise Refused(Words("答复期限 {day} 已经过去", day=due))
    if any(name == department for _, name in _open_referrals(case)):
        raise Refused(Words("已经转给{department}，尚未答复，不用再转", department=Words(department)))
    key = case.add(referral, department=department, asked=asked, due_date=due)
    case.step("refer", asked, referral=key, department=department, due=due.isoformat())
    case.set(assignee=case.account, waiting_for=_waiting_for(case))
    if case.row["assignee"] != case.account:
        case.set(assigned_at=case.act.at)
    case.due(None)
    case.journal(department=department)


def answer(
    store: Store,
    caller: Caller,
    alert_id: int,
    version: int,
    referral_id: int,
    words: str,
    at: datetime,
    on: date | None = None,
) -> AlertCard:
    """A department's answer, come on a day (today if none is named). The last one brings the alert back to who asked.

    It is then being verified, or decided where a decision stands. Raises Refused for a referral that is not this alert's or
    answered already, and for a day before it was asked or that has not come.
    """
    with opened(store, caller, "answer", alert_id, version, at) as case:
        moved(case.status, "answer")
        words, on, told = text(words, Words("部门答复")), on or case.today, _referral(case, referral_id)
        asked_on = local_day(told["at"])
        if not asked_on <= on <= case.today:
            raise Refused(Words("答复日期 {on} 不对：应在转办日 {asked} 和今天之间", on=on, asked=asked_on))
        values = {"answered_on": on, "answer": words, "answered_by": case.account}
        case.act.con.execute(update(referral).where(referral.c.id == referral_id).values(values))
        if _open_referrals(case):
            case.step("answer", words, referral=referral_id, department=told["department"])
            case.set(waiting_for=_waiting_for(case))
            case.due(None)
        else:
            decided = case.row["outcome"] is not None
            verb = "settle" if decided else "resume"
            case.step(verb, words, event="answer", referral=referral_id, department=told["department"])
            _comes_back(case, told["account_id"])
            case.due(limit("close" if decided else "decide", case.today))
        case.journal(department=told["department"])
        return case.saved()


def call_conference(
    store: Store, caller: Caller, alert_id: int, version: int, on: date, present: str, at: datetime
) -> AlertCard:
    """A case conference on a day, with those who take part; a day that has passed is one that was held."""
    with opened(store, caller, "confer", alert_id, version, at) as case:
        present = text(present, Words("参会人员"))
        if on > limit("confer", case.today):
            raise Refused(Words("会议最迟应在 {last} 召开，收到的日期是 {on}", last=limit("confer", case.today), on=on))
        if on < case.row["opened_on"]:
            raise Refused(Words("会议日期 {on} 在预警发现之前", on=on))
        key = case.add(conference, date=on, present=present)
        case.step("confer", present, conference=key, date=on.isoformat())
        case.due(None if case.status == "verifying" else case.row["due_date"])
        return case.saved()


def decide_conference(
    store: Store, caller: Caller, alert_id: int, version: int, conference_id: int, words: str, at: datetime
) -> AlertCard:
    """What a conference decided. The alert itself is decided by `decide`, with outcome J or another."""
    with opened(store, caller, "confer_decide", alert_id, version, at) as case:
        words = text(words, Words("会议决定"))
        case.step("confer_decide", words, conference=conference_id)
        of = select(conference).where(conference.c.id == conference_id, conference.c.alert_id == case.id)
        row = case.act.con.execute(of).mappings().one_or_none()
        if row is None or row["decision"] is not None:
            raise Refused("这条预警没有这次会议，或它的决定已经登记")
        if row["date"] > case.today:
            raise Refused(Words("会议定在 {day}，还没有召开", day=row["date"]))
        values = {"decision": words, "decided_at": at}
        case.act.con.execute(update(conference).where(conference.c.id == conference_id).values(values))
        later = case.row["due_date"] is not None and case.row["due_date"] > case.today
        case.due(case.row["due_date"] if later and case.status != "verifying" else limit("close", case.today))
        return case.saved()


def _comes_back(case: Case, asker: int) -> None:
    """After the last answer the one who asked has the alert again, if they still can."""
    case.set(waiting_for=None)
    person = worker_of(case.act.con, asker)
    able = person is not None and person.holds(case.row["township"], case.row["village"])
    if able and asker != case.row["assignee"]:
        case.set(assignee=asker, assigned_at=case.act.at)


def _referral(case: Case, referral_id: int) -> RowMapping:
    of = select(referral).where(referral.c.id == referral_id, referral.c.alert_id == case.id)
    row = case.act.con.execute(of).mappings().one_or_none()
    if row is None or row["answered_on"] is not None:
        raise Refused("这条预警没有这次转办，或它已经答复")
    return row


def _open_referrals(case: Case) -> list[tuple[int, str]]:
    """Those that wait for an answer: (id, department), what is due first first."""
    waits = select(referral.c.id, referral.c.department).where(
        referral.c.alert_id == case.id, referral.c.answered_on.is_(None)
    )
    return [(key, name) for key, name in case.act.con.execute(waits.order_by(referral.c.due_date, referral.c.id))]


def _waiting_for(case: Case) -> str | None:
    return next((name for _, name in _open_referrals(case)), None)
