"""How much there is to do and who can do it: load per worker, this week's visits, what is overdue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import chain, islice
from typing import Any, TypeVar

import streamlit as st

from monitoring import ui
from monitoring.alerts import budget, finds, queue
from monitoring.alerts.queue import WorkerLoad
from monitoring.language import number, rounded
from monitoring.people import ROLES, Caller
from monitoring.store import Store
from monitoring.ui import Column, Desk, View
from monitoring.working_days import local_day

MOST_PLACES = 5
REMEMBERED = timedelta(minutes=5)
Answer = TypeVar("Answer")


def workers(view: View) -> list[WorkerLoad]:
    """Load per worker in the person's places, as it was at most REMEMBERED ago: who there is changes slowly."""
    return _remembered(view, queue.workers)


def _remembered(view: View, service: Callable[..., Answer], *details: Any) -> Answer:
    """An answer about everybody's work, kept for a while: a step of one alert hardly changes it. It depends on the role and the
    places of who asks and on nothing else of theirs (an account without places sees its own work only), so that those who have
    the same share it. Who asks is looked up first, as in every call."""
    view.still_here()
    person = view.person
    of = (
        str(view.store.engine.url),
        local_day(view.now()),
        person.role,
        person.places,
        None if person.places else person.account,
    )
    answer: Answer = _shared(service.__qualname__, of, details, partial(view.read, service, *details))
    return answer


@st.cache_resource(ttl=REMEMBERED, max_entries=500, show_spinner=False)
def _shared(name: str, of: tuple[Any, ...], details: tuple[Any, ...], _ask: Callable[[], Any]) -> Any:
    return _ask()


@dataclass(frozen=True)
class Capacity:
    """The figures of a plan of visits; the plan itself names every alert, which is too much to keep for each visitor."""

    until: date
    visits: int
    planned: int
    required: int
    left: dict[str, int]
    over: int
    following: tuple[int, ...]  # the next alerts to visit
    hands: dict[int, budget.HandPlan]


def _planned(store: Store, caller: Caller, at: datetime) -> Capacity:
    plan = budget.plan_visits(store, caller, at)
    doors = (one.alert for one in chain(plan.required, plan.ranked))
    following = (one.id for one in doors if one.level != budget.SAMPLED)  # what rules find says nothing of those
    return Capacity(
        plan.until, plan.visits, len(plan.required) + len(plan.ranked), len(plan.required), plan.left_by_reason(), plan.over,
        tuple(islice(following, finds.NEXT)), {hand.account: hand for hand in plan.hands},
    )  # fmt: skip


def capacity(view: View) -> None:
    """What can be visited this week, what is planned, what is left and why; who has how much, on demand."""
    t, plan = view.t, _remembered(view, _planned)
    said = t(
        "本周（{until} 前）可走访 {visits} 户，已排 {planned} 户（其中必须走访 {required} 户）", until=plan.until.isoformat(),
        visits=number(plan.visits), planned=number(plan.planned), required=number(plan.required),
    )  # fmt: skip
    if left := sum(plan.left.values()):
        reasons = [t.named(t.pick(*budget.LEFT[why]), number(n)) for why, n in plan.left.items() if n]
        said += t("，另有 {n} 户未排（{reasons}）", n=number(left), reasons=t.clauses(reasons))
    said += t("。") + _finds(view, plan)
    over = t("必须走访的超出走访力量 {n} 户，请增派人手。", n=number(plan.over)) if plan.over else ""
    with st.container(horizontal=True, vertical_alignment="center", key="capacity"):
        ui.html(f'<span class="bl-note">{ui.said(said)}</span> <span class="bl-late">{ui.said(over)}</span>')
        with st.popover(t("各人手上多少"), type="tertiary"):
            _loads(view, plan)


def _finds(view: View, plan: Capacity) -> str:
    """What the next visits are expected to find, by what visits found before; unknown where nobody has visited yet."""
    t = view.t
    if not plan.following:
        return ""
    expected = _remembered(view, finds.expected_finds, plan.following)
    if expected.found is None:
        return t("接下来 {n} 户能查实几户不明：还没有走访记录。", n=expected.visits)
    told = number(rounded(expected.found, 0))
    return t(
        "接下来 {n} 户预计查实 {k} 户（按近一年 {past} 次走访）。",
        n=expected.visits,
        k=told,
        past=number(expected.past),
    )


def _loads(view: View, plan: Capacity) -> None:
    t = view.t
    rows = [{"load": load, "hand": plan.hands.get(load.account)} for load in workers(view)]
    if not rows:
        ui.empty(t("这里还没有办理预警的账号。"))
        return
    ui.table(rows, [
        Column(t("姓名"), lambda row: ui.said(row["load"].person), "w"),
        Column(t("角色"), lambda row: ui.said(role(view, row["load"].worker.role)), "w"),
        Column(t("手上"), lambda row: ui.count(row["load"].open), "n"),
        Column(t("本周到期"), lambda row: ui.count(row["load"].due_this_week), "n"),
        Column(t("逾期"), lambda row: ui.count(row["load"].overdue), "n"),
        Column(t("近5日走访"), lambda row: ui.count(row["load"].visits), "n"),
        Column(t("还可走访"), lambda row: ui.count(row["hand"].visits) if row["hand"] else "", "n"),
        Column(t("必须走访"), lambda row: ui.count(row["hand"].required) if row["hand"] else "", "n"),
    ])  # fmt: skip


def role(view: View, role: str) -> str:
    return view.t.pick(ROLES[role].zh, ROLES[role].en)


def overdue(view: Desk) -> None:
    """Overdue work, on everyone's first screen: how much, whose matter it has become, where."""
    t, first = view.t, view.read(queue.counts)
    if not first.overdue:
        return
    where = t.listed(
        t("{place} {n} 件", place=t.place(one.place), n=number(one.overdue)) for one in first.where[:MOST_PLACES]
    )
    said = t(
        "预警逾期 {n} 件，其中县级督办 {county} 件：{where}",
        n=number(first.overdue),
        county=number(first.county),
        where=where,
    )
    more = t("等") if len(first.where) > MOST_PLACES else ""
    way = f" {ui.link(t('去处置'), view.link('alerts', tab='overdue'))}" if view.person.may("page.alerts") else ""
    ui.html(f'<div class="bl-overdue" role="note">{ui.said(said)}{ui.said(more)}{ui.said(t("。"))}{way}</div>')
