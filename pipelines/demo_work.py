"""Half a year of case work for the sample county, so that a demonstration has funnels, days, confirmed shares and a backlog.

    team = Team(store, towns, at, sample)    # the demo log-ins and a colleague for every other township
    team.work(until)                         # what they do until the next run comes in

Everything is done through the services that people use, as the accounts that would do it, on the days on which it would be
done, and is refused where theirs would be. What is found at the door is drawn by digest from rule and subject, so that the
same county gives the same work: gaps and risks are mostly as the alert says, matching hits of goods less often, data faults
are none of the household's. Part of the work is slow and part is left: what is overdue at the end is so by itself.
Sampled households that nothing flagged are visited too (`pipelines.demo_sample`): what is found there is drawn as well.
Only for a home whose people are all made up (`demo_accounts` refuses any other).
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.engine import RowMapping

from monitoring.alerts import work
from monitoring.alerts.outcomes import OUTCOMES
from monitoring.alerts.work import Measure
from monitoring.misses.visiting import record
from monitoring.people import Caller
from monitoring.people.demo import BY, demo_accounts, demo_colleagues
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal, decision, referral, session, visit
from monitoring.working_days import CHINA, add_working_days, local_day
from pipelines import demo_sample
from pipelines.demo_people import Within, people

NAMES = ("许静", "高远", "宋平", "郑洁", "谢磊", "韩梅", "唐勇", "冯丽", "于洋", "董云", "萧然", "程颖", "袁野", "邓芳")
MONTHS = 6  # of the sample's months, how many the county has worked with alerts
SLOW = 0.16  # the share of alerts that nobody takes up within their limit
SLOWEST = 45  # working days that such an alert waits at most

SAMPLE = "sample"  # on the agenda: a visit to a household that nothing flagged

_OPEN = select(alert).where(alert.c.closed_at.is_(None)).order_by(alert.c.rank.desc(), alert.c.id)


@dataclass(frozen=True)
class Ending:
    """How an alert of some rules ends where it is as it says: the outcome, its measure, department or other particulars, and
    the share of alerts that are found to be so."""

    outcome: str
    share: float
    kind: str = ""
    yuan: int = 0
    monthly: bool = False
    department: str = ""
    went_to: str = ""


# By the longest beginning of a rule's code that is here.
ENDINGS: dict[str, Ending] = {
    "GAP-": Ending("H", 0.80, "other"),
    "GAP-DIBAO": Ending("A", 0.84, "dibao", 540, monthly=True),
    "GAP-AFTER": Ending("A", 0.70, "dibao", 480, monthly=True),
    "GAP-AT-RISK": Ending("D", 0.70, "edge"),
    "GAP-SINGLE": Ending("C", 0.86, "dibao", 420, monthly=True),
    "GAP-TEKUN": Ending("B", 0.90, "tekun", 890, monthly=True),
    "GAP-TEKUN-": Ending("G", 0.82, "care"),
    "GAP-MARGINAL": Ending("D", 0.78, "edge"),
    "GAP-RIGID": Ending("E", 0.76, "rigid"),
    "GAP-SHOCK": Ending("F", 0.82, "temporary", 3000),
    "GAP-REPEAT": Ending("F", 0.66, "temporary", 2000),
    "GAP-RETURN": Ending("F", 0.70, "temporary", 1500),
    "GAP-DIS-": Ending("G", 0.90, "disability", 100, monthly=True),
    "GAP-DISASTER": Ending("G", 0.80, "disaster", 1200),
    "GAP-CHILD": Ending("G", 0.88, "child", 1150, monthly=True),
    "GAP-GUARDIAN": Ending("G", 0.80, "child"),
    "GAP-CARERS": Ending("G", 0.72, "care"),
    "GAP-EDUCATION": Ending("G", 0.82, "education", 1250),
    "GAP-GRADUATE": Ending("G", 0.64, "employment"),
    "GAP-MEDICAL": Ending("G", 0.80, "medical", 2600),
    "GAP-INSURANCE": Ending("I", 0.86, department="医保"),
    "RISK-": Ending("H", 0.62, "other"),
    "RISK-MEDICAL": Ending("H", 0.72, "medical", 3000),
    "RISK-RIGID": Ending("H", 0.66, "medical", 2000),
    "RISK-HOUSING": Ending("G", 0.80, "housing"),
    "RISK-WATER": Ending("G", 0.78, "water"),
    "RISK-JOB": Ending("H", 0.58, "employment"),
    "RISK-DISASTER": Ending("F", 0.74, "temporary", 1800),
    "RISK-DROPOUT": Ending("I", 0.60, department="教育"),
    "RISK-EARNER": Ending("F", 0.84, "temporary", 4000),
    "RISK-POTENTIAL": Ending("P", 0.50),
    "EXIT-": Ending("K", 0.60, went_to="monitoring"),
    "EXIT-DECEASED": Ending("K", 0.94, went_to="nothing"),
    "EXIT-INCOME": Ending("K", 0.62, went_to="gradual"),
    "EXIT-VEHICLE": Ending("K", 0.44, went_to="kept"),
    "EXIT-HOMES": Ending("K", 0.42, went_to="kept"),
    "EXIT-DUPLICATE": Ending("K", 0.88, went_to="kept"),
    "PROC-": Ending("I", 0.75, department="民政"),
    "PROC-PAYMENT": Ending("I", 0.88, department="财政"),
    "PROC-EMERGENCY": Ending("F", 0.80, "temporary", 2000),
    "PROC-VISIT": Ending("G", 0.80, "care"),
    "DQ-": Ending("I", 0.75, department="公安"),
    "DQ-INCOME": Ending("I", 0.80, department="民政"),
    "POL-": Ending("I", 1.0, department="民政"),
}


class Team:
    """Everybody who works in the sample county, and what they have begun. `towns`: townships with their villages; `sample`: whether
    the run says that it is the sample's. Raises DemoRefused."""

    def __init__(
        self, store: Store, towns: Mapping[str, Sequence[str]], at: datetime, sample: bool, seed: int = 1
    ) -> None:
        self.store, self.seed = store, seed
        demo_accounts(store, at, towns, sample)
        demo_colleagues(store, at, {town: NAMES[n % len(NAMES)] for n, town in enumerate(towns)})
        self.people = people(store, at)
        self.agenda: list[tuple[datetime, int, str]] = []  # when, which alert, what
        self.known: set[int] = set()
        self.sampled: set[int] = set()
        self.steps = 0
        self.refused: list[str] = []  # what a service did not let them do, in its words
        self.since = at

    def work(self, until: datetime) -> None:
        """Takes up what is open, and does what is due before `until`, in the order of time."""
        with self.store.write() as con:
            inner = Within(self.store, con)
            theirs = update(session).where(session.c.address == BY)
            con.execute(theirs.values(created_at=until, seen_at=until, ended_at=None))
            for row in con.execute(_OPEN).mappings().all():
                if row["id"] not in self.known:
                    self._take_up(row)
            for one in demo_sample.drawn(con, self.sampled):
                self.sampled.add(one["id"])
                self._visit(one, demo_sample.first(self._luck(one)))
            while self.agenda and self.agenda[0][0] < until:
                at, alert_id, what = heapq.heappop(self.agenda)
                if what == SAMPLE:
                    self._look(inner, con, alert_id, at)
                    continue
                row = con.execute(select(alert).where(alert.c.id == alert_id)).mappings().one()
                if row["closed_at"] is None and self._do(inner, con, row, what, at):
                    self.steps += 1
            self.since = until
            con.execute(theirs.values(ended_at=until))

    def _take_up(self, row: RowMapping) -> None:
        """An alert that is new: when its first step will be, or that it is left."""
        self.known.add(row["id"])
        if not row["raises_work"]:
            return
        wait = 1 + int(self._chance(row, "wait") * 8)
        if row["emergency"] or row["level"] == "red":
            wait = 1 + wait // 4
        if self._chance(row, "slow") < SLOW:
            wait = 12 + int(self._chance(row, "wait") * (SLOWEST - 12))
        self._plan(row, self.since, wait, "begin")

    def _do(self, store: Store, con: Connection, row: RowMapping, what: str, at: datetime) -> bool:
        """One step by whom it falls to; what comes next goes on the agenda. False where it was refused: then it is left."""
        rule = _rule(con, row)
        ending = ending_of(rule)
        doing = _Doing(self, store, con, row, at, rule, ending, self._chance(row, "true") < ending.share)
        try:
            following, wait = STEPS[what](doing)
        except (work.Refused, work.NotNow) as refusal:
            self.refused.append(str(refusal))
            return False
        if following:
            self._plan(row, at, wait, following)
        return True

    def _look(self, store: Store, con: Connection, sample_id: int, at: datetime) -> None:
        """One visit to a sampled household; who was not met is visited once more."""
        row = demo_sample.one(con, sample_id)
        caller, person = self.caller({**row, "subject": "household"})
        found = demo_sample.found(row, self._luck(row), row["visits"])
        try:
            record(store, caller, sample_id, local_day(at), person, found.result, found.note, at)
        except work.Refused as refusal:
            self.refused.append(str(refusal))
            return
        self.steps += 1
        if found.again:
            self._visit(row, found.again, at)

    def _visit(self, row: dict[str, Any], days: int, after: datetime | None = None) -> None:
        day, minutes = add_working_days(local_day(after or self.since), days), int(480 * self._luck(row)("hour"))
        moment = datetime(day.year, day.month, day.day, 9, tzinfo=CHINA) + timedelta(minutes=minutes)
        heapq.heappush(self.agenda, (max(moment, (after or self.since) + timedelta(minutes=1)), row["id"], SAMPLE))

    def _luck(self, row: dict[str, Any]) -> Callable[[str], float]:
        """As `_chance`, for a sampled household of one month."""
        return lambda of: _number(f"{self.seed} {row['household_id']} {row['period']} sample {of}")

    def caller(self, row: RowMapping | dict[str, Any], decides: bool = False) -> tuple[Caller, str]:
        """Whose work it is: the village's at the door, else the township's, else the county's; with their name."""
        office = ("township_staff", "county_staff")
        order = office if decides or row["subject"] not in ("household", "record") else ("village_staff", *office)
        for role in order:
            for one in self.people:
                if one.role == role and one.holds(row["township"], row["village"]):
                    return Caller(session=one.session, address=BY), one.person
        raise LookupError("the sample county has nobody who works for all of it")

    def _plan(self, row: RowMapping, after: datetime, days: int, what: str) -> None:
        day = add_working_days(local_day(after), max(days, 1))
        hour, minute = 9 + int(self._chance(row, what) * 8), int(self._chance(row, f"{what} minute") * 60)
        moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=CHINA)
        heapq.heappush(self.agenda, (max(moment, after + timedelta(minutes=1)), row["id"], what))

    def _chance(self, row: RowMapping, of: str) -> float:
        """A number below 1 that is always the same for one subject's alert of one month."""
        return _number(f"{self.seed} {row['subject_key']} {row['opened_period']} {of}")


@dataclass(frozen=True)
class _Doing:
    """One step on its way: the services, whose step it is, and what is found."""

    team: Team
    store: Store
    con: Connection
    row: RowMapping
    at: datetime
    rule: str
    ending: Ending
    true: bool

    @property
    def home(self) -> bool:
        return self.row["subject"] in ("household", "record")

    @property
    def today(self) -> date:
        return local_day(self.at)

    def take(self, service: Callable[..., Any], *details: Any, decides: bool = True, **more: Any) -> Any:
        caller, person = self.team.caller(self.row, decides)
        details = tuple(person if one is VISITOR else one for one in details)
        return service(self.store, caller, self.row["id"], self.row["version"], *details, at=self.at, **more)

    def wait(self, of: str, least: int, most: int) -> int:
        return least + int(self.team._chance(self.row, f"days {of}") * (most - least + 1))


def _number(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**48


VISITOR = object()  # stands for the name of whoever makes the step


def _begin(doing: _Doing) -> tuple[str, int]:
    """A household is visited; what is no household's, or a fault of the data, goes to a department at once. A few are met by
    nobody at first."""
    if not doing.home or doing.rule.startswith("DQ-"):
        return _refer(doing)
    if doing.team._chance(doing.row, "met") < 0.07:
        told = (False, "unclear", "家中无人，邻居说外出务工，已留联系电话。")
        doing.take(work.record_visit, doing.today, VISITOR, *told, decides=False)
        return "again", doing.wait("again", 2, 5)
    return _visited(doing)


def _visited(doing: _Doing) -> tuple[str, int]:
    finding = "confirmed" if doing.true else "not_so"
    note = "见到本人，情况与预警一致，材料已拍照。" if doing.true else "见到本人，核对材料后与预警不符。"
    doing.take(work.record_visit, doing.today, VISITOR, True, finding, note, decides=False)
    return "decide", doing.wait("decide", 1, 7)


def _refer(doing: _Doing) -> tuple[str, int]:
    asked = doing.ending.department or "民政"
    doing.take(work.refer, asked, "请核对预警所列情形，补齐或更正后书面答复。")
    return "answer", doing.wait("answer", 3, 14)


def _decide(doing: _Doing) -> tuple[str, int]:
    ending = doing.ending
    more: dict[str, Any] = {"visit_id": _last_visit(doing)}
    if not doing.true and ending.outcome != "M":
        code = "M" if doing.rule.startswith(("EXIT-", "PROC-")) else "L"
        doing.take(work.decide, code, "入户核实，预警所列情形不成立。", **more)
        return "close", doing.wait("close", 1, 3)
    code, reason = ending.outcome, "入户核实，情况属实，按规定办理。"
    if ending.outcome in ("F", "G", "H"):
        more["measure"] = _measure(doing, code)
    elif ending.outcome == "I":
        more |= {"department": ending.department, "asked": "请按职责核实办理，并书面答复结果。"}
    elif ending.outcome == "K":
        more["went_to"] = ending.went_to
    elif ending.outcome == "P":
        more["until"] = add_working_days(doing.today, 20)
    doing.take(work.decide, code, reason, **more)
    if code == "I":
        return "answer", doing.wait("answer", 3, 14)
    if code in ("A", "B", "C", "D", "E"):
        return "help", doing.wait("help", 5, 24)
    return "close", {"P": 21}.get(code) or doing.wait("close", *((1, 3) if code in ("K", "M") else (4, 16)))


def _help(doing: _Doing) -> tuple[str, int]:
    doing.take(work.add_measure, _measure(doing, doing.row["outcome"]))
    return "close", doing.wait("close", 1, 4)


def _answer(doing: _Doing) -> tuple[str, int]:
    waits = select(referral.c.id).where(referral.c.alert_id == doing.row["id"], referral.c.answered_on.is_(None))
    for key in doing.con.execute(waits).scalars().all():
        doing.take(work.answer, key, "已核实办理，数据已更正或手续已补齐。")
    decided = doing.con.execute(select(decision.c.id).where(decision.c.alert_id == doing.row["id"])).first()
    return ("close" if decided else "settle"), doing.wait("close", 1, 3)


def _settle(doing: _Doing) -> tuple[str, int]:
    """What a department has answered is decided as handled by it, or as an error of the data."""
    if doing.true or not doing.home:
        doing.take(work.decide, "I", "部门已答复，情形已处理。")
    else:
        doing.take(work.decide, "M", "部门答复：台账登记有误，已更正，本户没有这一情形。")
    return "close", doing.wait("settle close", 1, 3)


def _close(doing: _Doing) -> tuple[str, int]:
    doing.take(work.close, note="")
    return "", 0


STEPS: dict[str, Callable[[_Doing], tuple[str, int]]] = {
    "begin": _begin,
    "again": _visited,
    "decide": _decide,
    "help": _help,
    "answer": _answer,
    "settle": _settle,
    "close": _close,
}


def ending_of(rule: str) -> Ending:
    """What is known of a rule: the longest beginning of its code."""
    found = [beginning for beginning in ENDINGS if rule.startswith(beginning)]
    return ENDINGS[max(found, key=len)] if found else ENDINGS["GAP-"]


def _rule(con: Connection, row: RowMapping) -> str:
    """The alert's first rule; one that no longer holds where none does; "" for a clue's."""
    if row["rules"]:
        return str(row["rules"].split()[0])
    asked = select(alert_signal.c.rule).where(alert_signal.c.alert_id == row["id"])
    return con.execute(asked.order_by(alert_signal.c.level_order, alert_signal.c.id).limit(1)).scalar() or ""


def _measure(doing: _Doing, outcome: str) -> Measure:
    """Help of a kind that the outcome asks for; with an amount where it must have one."""
    ending, kinds = doing.ending, OUTCOMES[outcome].kinds
    kind = ending.kind if ending.kind in kinds else kinds[0]
    yuan = ending.yuan or (500 if OUTCOMES[outcome].amount else 0)
    _, person = doing.team.caller(doing.row, decides=True)
    return Measure(kind, doing.today, person, Decimal(yuan) if yuan else None, ending.monthly)


def _last_visit(doing: _Doing) -> int | None:
    asked = select(visit.c.id).where(visit.c.alert_id == doing.row["id"]).order_by(visit.c.id.desc()).limit(1)
    return doing.con.execute(asked).scalar()
