"""The life of an alert: every move of the table works, every other is refused; no sequence of moves breaks what must hold."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Table, func, insert, select

from monitoring.alerts import work
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.moves import (
    ACTION,
    BY_ITSELF,
    DECIDED,
    HELD,
    MOVES,
    STATUSES,
    UNHELD,
    VERBS,
    NotNow,
    moved,
    possible,
)
from monitoring.alerts.outcomes import OUTCOMES
from monitoring.people import ACTIONS, Denied
from monitoring.store import Store, open_store
from monitoring.store.schema import alert, alert_event, alert_signal, conference, quiet, referral, visit
from monitoring.working_days import local_day
from tests.people import OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE, Known, add_account, log_in
from tests.some_alerts import TODAY, add_alert
from tests.stores import NOON

AID = work.Measure("temporary", TODAY, "王芳")
LATER = TODAY + timedelta(30)
At = tuple[Store, Known, int, int]  # store, who, alert, version
ONWARD = ("claim", "visit", "decide", "close", "answer", "confer_decide")


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("verb", VERBS)
def test_the_table_says_what_follows_or_refuses_in_words_that_name_what_is_possible(status: str, verb: str) -> None:
    if (status, verb) in MOVES:
        assert moved(status, verb) in STATUSES
        return
    with pytest.raises(NotNow) as refused:
        moved(status, verb)
    told = str(refused.value)
    assert STATUSES[status][0] in told and VERBS[verb][0] in told
    assert all(VERBS[other][0] in told for other in possible(status))


def test_every_status_can_be_reached_and_left_and_only_closed_is_an_end() -> None:
    ways = {(a, b) for (a, verb), b in MOVES.items() if a != b}
    assert {b for _, b in ways} == set(STATUSES) - {"new"}
    assert {a for a, _ in ways} == set(STATUSES) - {"closed"}


def test_every_verb_needs_a_permission_that_exists() -> None:
    assert set(ACTION) == set(VERBS) - BY_ITSELF
    assert set(ACTION.values()) <= set(ACTIONS)
    assert UNHELD | HELD | {"returned", "closed"} == set(STATUSES)


class Scene:
    """One alert in a status, with what such an alert has, and every verb as a call that has all it needs."""

    def __init__(self, store: Store, status: str, verb: str) -> None:
        self.store = store
        self.me = add_account(store, "township_staff", [(TOWN, None)])
        self.other = add_account(store, "village_staff", [(TOWN, VILLAGE)])
        held = status not in UNHELD and not (status == "returned" and verb == "claim")
        self.id = add_alert(
            store,
            ["medical-cost"],
            status=status,
            assignee=self.me.account if held else None,
            assigned_at=NOON if held else None,
            outcome="M" if status in DECIDED else None,
            decided_at=NOON if status in DECIDED else None,
            closed_at=NOON if status == "closed" else None,
            closed_by=self.me.account if status == "closed" else None,
        )
        common = {"alert_id": self.id, "account_id": self.me.account, "at": NOON}
        with store.write() as con:
            called = insert(conference).values(date=TODAY, present="镇村干部", **common).returning(conference.c.id)
            self.conference = con.execute(called).scalar_one() if verb == "confer_decide" else 0
            asked = insert(referral).values(department="医保", asked="补报", due_date=LATER, **common)
            waits = status == "referred"
            self.referral = con.execute(asked.returning(referral.c.id)).scalar_one() if waits else 0

    def do(self, verb: str) -> AlertCard:
        at = (self.store, self.me, self.id, 1)
        calls: dict[str, Callable[[], AlertCard]] = {
            "claim": lambda: work.claim(*at, NOON),
            "assign": lambda: work.assign(*at, self.other.account, NOON),
            "hand_back": lambda: work.hand_back(*at, "住在外村", NOON),
            "start": lambda: work.start_verifying(*at, NOON),
            "visit": lambda: work.record_visit(*at, TODAY, "李强", True, "confirmed", "确实住院", NOON),
            "emergency": lambda: work.mark_emergency(*at, "断粮", NOON),
            "decide": lambda: work.decide(*at, "M", "数据有误", NOON),
            "measure": lambda: work.add_measure(*at, AID, NOON),
            "follow_up": lambda: work.follow_up(*at, LATER, NOON),
            "refer": lambda: work.refer(*at, "教育", "请核实学籍", NOON),
            "answer": lambda: work.answer(*at, self.referral, "已补报", NOON),
            "confer": lambda: work.call_conference(*at, TODAY, "镇村干部", NOON),
            "confer_decide": lambda: work.decide_conference(*at, self.conference, "给予救助", NOON),
            "return": lambda: work.return_to(*at, "走访记录不全", NOON),
            "close": lambda: work.close(*at, NOON),
            "comment": lambda: work.comment(self.store, self.me, self.id, "已电话联系", NOON),
        }
        return calls[verb]()


@pytest.mark.parametrize("status", STATUSES)
def test_every_allowed_move_works_and_every_other_combination_is_refused(store: Store, status: str) -> None:
    for verb in ACTION:
        scene = Scene(store, status, verb)
        before = _kept(store, scene.id)
        if (status, verb) in MOVES:
            after = {"answer": MOVES[status, "resume"]} if status == "referred" else {}
            card = scene.do(verb)
            assert card.status == after.get(verb, MOVES[status, verb]), (status, verb)
            assert card.version == (1 if verb == "comment" else 2)
            last = _kept(store, scene.id)[-1][-1]
            assert (last["event"], last["status"], last["by"]) == (verb, card.status, scene.me.person)
        else:
            with pytest.raises((NotNow, work.TakenByOther)):  # who has it is told to somebody who wants to claim it
                scene.do(verb)
            assert _kept(store, scene.id) == before, (status, verb)


def _kept(store: Store, alert_id: int) -> tuple[Any, ...]:
    """All that a move could change: the row, what belongs to it, and its events."""
    of = [select(t).where(t.c.alert_id == alert_id) for t in (visit, referral, conference, alert_signal, quiet)]
    with store.read() as con:
        row = con.execute(select(alert).where(alert.c.id == alert_id)).mappings().one()
        events = con.execute(select(alert_event).where(alert_event.c.alert_id == alert_id).order_by(alert_event.c.id))
        return (dict(row), *(con.execute(one).all() for one in of), [dict(event) for event in events.mappings()])


class Life(RuleBasedStateMachine):
    """Three people do anything at any time with one alert; what must hold is looked at after every step."""

    store: Store
    people: tuple[Known, ...]

    def __init__(self) -> None:
        super().__init__()
        self.at = NOON
        self.version, self.events = 1, list[Any]()

    @initialize(emergency=st.booleans())
    def opened(self, emergency: bool) -> None:
        self.id = add_alert(self.store, ["medical-cost", "income-drop"], emergency=emergency)

    @rule(
        data=st.data(),
        days=st.sampled_from((0, 0, 0, 0, 1, 3, 12)),
        stale=st.sampled_from([False] * 9 + [True]),
        by=st.sampled_from((1, 1, 1, 1, 2, 2, 0, 3)),
    )
    def something_is_done(self, data: st.DataObject, days: int, stale: bool, by: int) -> None:
        """Mostly what the status allows, on the latest version, by somebody who may."""
        self.at += timedelta(days)
        before = self._row()
        likely = [verb for verb in possible(before["status"]) for _ in range(20 if verb in ONWARD else 3)]
        verb = data.draw(st.sampled_from([*likely, *ACTION]))
        me = log_in(self.store, self.people[by], self.at)
        version = before["version"] - stale
        try:
            self._call(verb, (self.store, me, self.id, version), data)
        except (NotNow, work.Refused, work.TakenByOther, Denied):
            assert self._row() == before
        else:
            assert not stale or verb == "comment"

    def _call(self, verb: str, at: At, data: st.DataObject) -> AlertCard:
        store, me, key, _ = at
        day, pick = local_day(self.at) + timedelta(data.draw(st.integers(-2, 12))), data.draw(st.integers(0, 9))
        asked, called = self._last(referral), self._last(conference)
        calls: dict[str, Callable[[], AlertCard]] = {
            "claim": lambda: work.claim(*at, self.at),
            "assign": lambda: work.assign(*at, self.people[pick % 4].account, self.at),
            "hand_back": lambda: work.hand_back(*at, "住在外村", self.at),
            "start": lambda: work.start_verifying(*at, self.at),
            "visit": lambda: self._visit(at, data),
            "emergency": lambda: work.mark_emergency(*at, "断粮", self.at),
            "decide": lambda: self._decide(at, data),
            "measure": lambda: work.add_measure(*at, AID, self.at),
            "follow_up": lambda: work.follow_up(*at, day, self.at),
            "refer": lambda: work.refer(*at, ("医保", "教育")[pick % 2], "请核实", self.at, due=day),
            "answer": lambda: work.answer(*at, asked, "已办", self.at),
            "confer": lambda: work.call_conference(*at, day, "镇村干部", self.at),
            "confer_decide": lambda: work.decide_conference(*at, called, "给予救助", self.at),
            "return": lambda: work.return_to(*at, "记录不全", self.at),
            "close": lambda: work.close(*at, self.at),
            "comment": lambda: work.comment(store, me, key, f"第 {pick} 次联系", self.at),
        }
        return calls[verb]()

    def _visit(self, at: At, data: st.DataObject) -> AlertCard:
        day = local_day(self.at) - timedelta(data.draw(st.sampled_from((0, 0, 1, 5, -1, 70))))
        finding, met = data.draw(st.sampled_from(sorted(work.FINDINGS))), data.draw(st.booleans())
        return work.record_visit(*at, day, "李强", met, finding, "看过", self.at)

    def _decide(self, at: At, data: st.DataObject) -> AlertCard:
        outcome = data.draw(st.sampled_from(sorted(OUTCOMES)))
        kind = data.draw(st.sampled_from(("medical", "dibao", "temporary")))
        enough: dict[str, Any] = {
            "went_to": "edge", "particulars": "外出务工", "until": local_day(self.at) + timedelta(5), "department": "卫健",
            "asked": "补报", "measure": work.Measure(kind, TODAY, "王芳", Decimal(500)), "visit_id": self._last(visit) or None,
        } if data.draw(st.sampled_from((True, True, False))) else {}  # fmt: skip
        return work.decide(*at, outcome, "经核实", self.at, **enough)

    def _last(self, table: Table) -> int:
        with self.store.read() as con:
            return con.execute(select(func.max(table.c.id)).where(table.c.alert_id == self.id)).scalar() or 0

    def _row(self) -> dict[str, Any]:
        with self.store.read() as con:
            return dict(con.execute(select(alert).where(alert.c.id == self.id)).mappings().one())

    @invariant()
    def what_must_hold_holds(self) -> None:
        if not hasattr(self, "id"):
            return
        row, kept = self._row(), _kept(self.store, self.id)
        status, events, signals = row["status"], kept[-1], {one.state for one in kept[4]}
        assert status in STATUSES and (status == "closed") == (row["closed_at"] is not None)
        assert status not in UNHELD or row["assignee"] is None
        assert status not in HELD or row["assignee"] is not None
        assert (row["assignee"] is None) == (row["assigned_at"] is None)
        assert status not in DECIDED or (row["outcome"] is not None and row["decided_at"] and row["verified_at"])
        assert row["outcome"] is None or status in DECIDED | {"referred"}
        assert (row["waiting_for"] is not None) == (status == "referred")
        assert (row["due_date"] is None) == (status == "closed")
        assert row["verify_due_date"] is not None
        if status == "closed":
            assert row["closed_by"] is not None
            assert row["outcome"] != "L" or any(one.met for one in kept[1])
            assert signals == {"settled"} and len(kept[5]) == 2
        else:
            assert signals == {"standing"} and kept[5] == []
            assert row["verified_at"] or row["due_date"] <= row["verify_due_date"]
        assert row["version"] >= self.version and events[: len(self.events)] == self.events
        assert row["version"] == 1 + len({e["detail"]["version"] for e in events[1:] if e["event"] != "comment"})
        assert [one["status"] for one in events][-1] == status
        walked = itertools.pairwise(one["status"] for one in events)
        steps = {(a, b) for (a, _), b in MOVES.items()}
        assert all((a, b) in steps for a, b in walked)
        self.version, self.events = row["version"], events


@pytest.fixture(scope="module")
def life() -> Iterator[type[Life]]:
    memory = Path("/dev/shm")  # noqa: S108 -- thousands of commits: what lasts is not what is looked at here
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        store = open_store(Path(folder))
        people = (
            add_account(store, "village_staff", [(TOWN, VILLAGE)]),
            add_account(store, "township_staff", [(TOWN, None)]),
            add_account(store, "county_staff"),
            add_account(store, "village_staff", [(OTHER_TOWN, OTHER_VILLAGE)]),
        )
        yield type("Lived", (Life,), {"store": store, "people": people})
        store.close()


def test_no_sequence_of_moves_breaks_what_must_hold(life: type[Life]) -> None:
    quick = settings(max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(life, settings=quick)
