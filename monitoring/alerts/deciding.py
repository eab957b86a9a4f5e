"""A named person decides what a verification came to, what help there is, and when the alert is closed. Nothing closes itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import insert, select, update

from monitoring.alerts.asking import ask
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.cases import Case, Refused, opened, text
from monitoring.alerts.choices import FALSE_ALARM, QUIET, chosen
from monitoring.alerts.limits import limit
from monitoring.alerts.outcomes import MEASURES, OUTCOMES, Given, Outcome, missing, unhelped
from monitoring.alerts.verifying import CLEAR, LONGEST_NAME
from monitoring.language import Words
from monitoring.people import Caller
from monitoring.store import Store
from monitoring.store.schema import alert_signal, conference, decision, quiet, referral, visit
from monitoring.store.schema import measure as measure_table

MOST_YUAN = Decimal("999999999.99")
# What is due in a status once the emergency aid has arrived, which was due before.
_AFTER_AID = {"verifying": "decide", "decided": "close", "following": "help"}


@dataclass(frozen=True)
class Measure:
    """Help: its kind (outcomes.MEASURES), yuan (None where it is no money; a month's where `monthly`), and who answers for it."""

    kind: str
    start: date
    responsible: str
    amount: Decimal | None = None
    monthly: bool = False
    note: str = ""


def decide(
    store: Store,
    caller: Caller,
    alert_id: int,
    version: int,
    outcome: str,
    reason: str,
    at: datetime,
    *,
    visit_id: int | None = None,
    went_to: str | None = None,
    department: str = "",
    asked: str = "",
    answer_due: date | None = None,
    measure: Measure | None = None,
    particulars: str = "",
    until: date | None = None,
    follow_up_on: date | None = None,
) -> AlertCard:
    """The outcome (outcomes.OUTCOMES) with its reason and what it requires. Raises Refused with all that is missing.

    Help that follows is followed up from here on (status following, until `follow_up_on` or the outcome's own limit); I asks
    the department at once (referred), unless one was asked before; the others may be closed (decided).
    """
    with opened(store, caller, "decide", alert_id, version, at) as case:
        case.step("decide", reason.strip(), outcome=outcome)
        chosen = _chosen(case, outcome)
        given = Given(
            reason,
            _tells(case, visit_id),
            [*_measures(case), *([(measure.kind, measure.amount is not None)] if measure else [])],
            went_to,
            bool(department.strip() and asked.strip()) or _any_referral(case),
            _conferred(case),
            particulars,
            until,
        )
        if lacking := [*missing(chosen, given), *_past(case, until, follow_up_on)]:
            raise Refused(*lacking)
        told = {
            "reason": text(reason, Words("理由")),
            "visit_id": visit_id,
            "went_to": went_to if "went_to" in chosen.needs else None,
        }
        own = {"particulars": text(particulars, Words("说明"), needed=False) or None, "until": until}
        key = case.add(decision, outcome=outcome, **told, **own)
        case.events[-1]["detail"] |= {"decision": key, "visit": visit_id}
        case.set(outcome=outcome, decided_at=at)
        if case.row["verified_at"] is None:
            case.set(verified_at=at)
        if measure is not None:
            _add(case, measure)
        _goes_on(case, chosen, (department, asked, answer_due), until or follow_up_on)
        case.journal(outcome=outcome, decision=key)
        return case.saved()


def add_measure(store: Store, caller: Caller, alert_id: int, version: int, measure: Measure, at: datetime) -> AlertCard:
    """Help that was given or begins. Also before the decision: aid first, papers later (CJ 二（七）)."""
    with opened(store, caller, "measure", alert_id, version, at) as case:
        case.step("measure", measure.note.strip())
        first_aid = case.row["emergency"] and case.row["helped_at"] is None
        _add(case, measure)
        if first_aid:
            own = _AFTER_AID.get(case.status)
            case.due(limit(own, case.today) if own else None)
        return case.saved()


def follow_up(
    store: Store, caller: Caller, alert_id: int, version: int, until: date, at: datetime, note: str = ""
) -> AlertCard:
    """The household is looked at again by a day."""
    with opened(store, caller, "follow_up", alert_id, version, at) as case:
        case.step("follow_up", text(note, Words("说明"), needed=False), until=until.isoformat())
        if late := _past(case, until, None):
            raise Refused(*late)
        case.due(until)
        return case.saved()


def close(store: Store, caller: Caller, alert_id: int, version: int, at: datetime, note: str = "") -> AlertCard:
    """Ends the work, by a named person. What still holds is settled and kept quiet for the outcome's days.

    Raises Refused while the outcome's help is not recorded, a conference has not decided, or the day to look again has not
    come; the operator at the command line can't close.
    """
    with opened(store, caller, "close", alert_id, version, at) as case:
        case.step("close", text(note, Words("说明"), needed=False), outcome=case.row["outcome"])
        closer = case.account
        if lacking := _unfinished(case):
            raise Refused(*lacking)
        _settle(case)
        case.set(closed_at=at, closed_by=closer, waiting_for=None, due_date=None)
        case.journal(outcome=case.row["outcome"])
        return case.saved()


def _chosen(case: Case, code: str) -> Outcome:
    chosen = OUTCOMES.get(code)
    if chosen is None or case.row["subject"] not in chosen.subjects:
        raise Refused("请从这类预警可选的结果中选择一项")
    return chosen


def _goes_on(case: Case, chosen: Outcome, asking: tuple[str, str, date | None], until: date | None) -> None:
    """What follows a decision at once: a department is asked, help is followed up, or it can be closed."""
    department, asked, answer_due = asking
    if "department" in chosen.needs and department.strip():
        ask(case, department, asked, answer_due)
    elif chosen.helps:
        until = until or limit(chosen.then, case.today)
        case.step("follow_up", until=until.isoformat())
        case.due(until)
    else:
        case.due(limit("close", case.today))


def _unfinished(case: Case) -> list[str]:
    """What closing still needs, in words."""
    outcome = OUTCOMES.get(case.row["outcome"] or "")
    if outcome is None:
        return ["还没有核实结果，不能办结"]
    lacking = unhelped(outcome, _measures(case))
    called = select(conference.c.id).where(conference.c.alert_id == case.id, conference.c.decision.is_(None))
    if case.act.con.execute(called).first() is not None:
        lacking.append("还有一次一事一议没有登记决定")
    due = case.row["due_date"]
    if "until" in outcome.needs and due is not None and case.today < due:
        lacking.append(Words("还没有到回访日期 {day}；情况有变请重新作出决定", day=due))
    return lacking


def _settle(case: Case) -> None:
    """What still holds is settled, and stays quiet until a day unless its evidence gets worse."""
    con, outcome = case.act.con, OUTCOMES[case.row["outcome"]]
    stands = [alert_signal.c.alert_id == case.id, alert_signal.c.state.in_(("standing", "shown"))]
    kept = (alert_signal.c.rule, alert_signal.c.subject_key, alert_signal.c.level_order, alert_signal.c.evidence)
    rows = con.execute(select(*kept).where(*stands).order_by(alert_signal.c.id)).mappings().all()
    until = case.today + timedelta(chosen(case.act.con, FALSE_ALARM if outcome.false_alarm else QUIET))
    common = {"alert_id": case.id, "until": until, "outcome": outcome.code, "at": case.act.at}
    if rows:
        con.execute(insert(quiet), [dict(row) | common for row in rows])
        con.execute(update(alert_signal).where(*stands).values(state="settled"))


def _add(case: Case, measure: Measure) -> None:
    """The measure's row; its event says so. Raises Refused."""
    if measure.kind not in MEASURES:
        raise Refused("请选择帮扶措施的种类")
    if measure.amount is not None and not (measure.amount.is_finite() and 0 < measure.amount <= MOST_YUAN):
        raise Refused(Words("金额 {yuan} 元不对，应大于 0", yuan=measure.amount))
    responsible = text(measure.responsible, Words("帮扶责任人"))
    if len(responsible) > LONGEST_NAME:
        raise Refused(Words("帮扶责任人不能超过 {most} 字", most=LONGEST_NAME))
    yuan = None if measure.amount is None else measure.amount.quantize(Decimal("0.01"))
    told = {"kind": measure.kind, "amount": yuan, "monthly": measure.monthly, "start": measure.start}
    note = text(measure.note, Words("说明"), needed=False)
    key = case.add(measure_table, household_id=case.row["household_id"], responsible=responsible, note=note, **told)
    case.events[-1]["detail"]["measure"] = key
    if case.row["helped_at"] is None:
        case.set(helped_at=case.act.at)


def _tells(case: Case, visit_id: int | None) -> bool | None:
    """Whether a visit of this alert met somebody and found something clear. Raises Refused for a visit that is not its."""
    if visit_id is None:
        return None
    of = select(visit.c.met, visit.c.finding).where(visit.c.id == visit_id, visit.c.alert_id == case.id)
    row = case.act.con.execute(of).one_or_none()
    if row is None:
        raise Refused("这条预警没有这次走访")
    return bool(row.met and row.finding in CLEAR)


def _measures(case: Case) -> list[tuple[str, bool]]:
    of = select(measure_table.c.kind, measure_table.c.amount).where(measure_table.c.alert_id == case.id)
    return [(kind, amount is not None) for kind, amount in case.act.con.execute(of)]


def _any_referral(case: Case) -> bool:
    of = select(referral.c.id).where(referral.c.alert_id == case.id)
    return case.act.con.execute(of.limit(1)).first() is not None


def _conferred(case: Case) -> bool:
    of = select(conference.c.id).where(conference.c.alert_id == case.id, conference.c.decision.is_not(None))
    return case.act.con.execute(of.limit(1)).first() is not None


def _past(case: Case, *days: date | None) -> list[str]:
    return [Words("回访日期 {day} 应在今天以后", day=day) for day in days if day is not None and day <= case.today]
