"""What the parts of the alerts page share: which alert is open, how a step is taken and told, and how much there is to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain, islice
from typing import Any, TypeVar

import streamlit as st

from monitoring import ui
from monitoring.alerts import budget, finds, queue, work
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.queue import Wanted, WorkerLoad
from monitoring.language import number
from monitoring.pages import alerts_queue
from monitoring.people import ROLES, Caller
from monitoring.store import Store
from monitoring.ui import Column, Desk, View

CHOSEN = "open-alert"  # the alert that is open; None is the first of the list
ROUND = (
    "round"  # counts the steps that were taken: a form that was saved begins anew, one that was refused keeps its text
)
SAID = "said"
MOST_PLACES = 5
REMEMBERED = timedelta(minutes=5)
Answer = TypeVar("Answer")


def open_(alert_id: int) -> None:
    st.session_state[CHOSEN] = alert_id


def close_() -> None:
    st.session_state[CHOSEN] = None


def prefix(verb: str, card: AlertCard) -> str:
    """The key of a form's fields."""
    return f"{verb}-{card.id}-{st.session_state.get(ROUND, 0)}"


def say(words: str, good: bool = True) -> None:
    """To be told after the page was drawn anew."""
    st.session_state[SAID] = (words, good)


def said(view: View) -> None:
    """What the last step came to; beside the list, and as a note that a phone shows wherever it has scrolled to."""
    told = st.session_state.pop(SAID, None)
    if told is not None:
        words, good = told
        ui.html(f'<div class="{"bl-done" if good else "bl-refused"}" role="status">{ui.said(words)}</div>')
        st.toast(words, duration="short" if good else "long")


def attempt(view: View, service: Callable[..., Answer], *details: Any, **named: Any) -> Answer | None:
    """A step; None where it was refused, which is told in words on the page that is drawn next."""
    done, refused = view.tried(service, *details, **named)
    if refused:
        say(refused, good=False)
    return done


def claim(view: View, card: AlertCard) -> None:
    """Takes it and opens it; who was slower is told by whom, and sees the list as it is now."""
    done = attempt(view, work.claim, card.id, card.version)
    if done is not None:
        say(view.t("已认领：{name}，{place}", name=alerts_queue.name(view, card), place=alerts_queue.place(view, card)))
        open_(card.id)


def save(
    view: View, card: AlertCard, words: str, service: Callable[..., AlertCard], *details: Any, **named: Any
) -> bool:
    """A step with the open alert, as its version was seen; whether it was taken."""
    done = attempt(view, service, card.id, card.version, *details, **named)
    if done is not None:
        begin_anew(card.id, words)
    return done is not None


def begin_anew(alert_id: int, words: str) -> None:
    """After a step: what it came to is told, and forms are empty."""
    say(words)
    empty_forms()
    open_(alert_id)


def empty_forms() -> None:
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1


def go_on(view: View, card: AlertCard, tab: str, wanted: Wanted) -> None:
    """The next alert of the tab is opened."""
    following = view.read(queue.next_alert, tab, wanted, card)
    st.session_state[CHOSEN] = None if following is None else following.id
    if following is None:
        say(f"{st.session_state[SAID][0]} {view.t('这一栏里没有下一条了。')}")


def workers(view: View) -> list[WorkerLoad]:
    """Load per worker in the person's places, as it was at most REMEMBERED ago: who there is changes slowly."""
    return _remembered(view, queue.workers)


def _remembered(view: View, service: Callable[..., Answer], *details: Any) -> Answer:
    """An answer about everybody's work, kept for this session for a while: a step of one alert hardly changes it."""
    key, at, asked = f"remembered-{service.__name__}", view.now(), (details, view.person.role, view.person.places)
    kept = st.session_state.get(key)
    if kept is None or at > kept[0] or asked != kept[1]:
        kept = (at + REMEMBERED, asked, view.read(service, *details))
        st.session_state[key] = kept
    answer: Answer = kept[2]
    return answer


def batch(view: View, found: Sequence[AlertCard], turned: str) -> None:
    """Rows are ticked and given to one person; those that could not be are named with the reason."""
    t = view.t
    loads = {load.account: load for load in view.read(queue.workers)}
    if not loads:
        ui.empty(t("这里还没有可以分派的工作人员账号，请联系系统管理员。"))
        return
    with st.form(f"batch-{turned}-{st.session_state.get(ROUND, 0)}"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            to = st.selectbox(
                t("分派给"), list(loads), index=None, placeholder=t("选择工作人员"), width=320,
                format_func=lambda account: _worker(view, loads[account]),
            )  # fmt: skip
            sent = st.form_submit_button(t("分派所选"), type="primary")
        ticked = alerts_queue.ticks(view, found, f"tick-{turned}-{st.session_state.get(ROUND, 0)}")
    if not sent:
        return
    if to is None or not ticked:
        ui.html(f'<div class="bl-refused" role="status">{ui.said(t("请勾选要分派的预警，并选择工作人员。"))}</div>')
    else:
        done = attempt(view, work.assign_many, [(card.id, card.version) for card in ticked], to)
        if done is not None:
            _told(view, done, loads[to], ticked)
        st.rerun()


def _told(view: View, done: work.Batch, to: WorkerLoad, ticked: Sequence[AlertCard]) -> None:
    t = view.t
    empty_forms()
    names = {card.id: alerts_queue.name(view, card) for card in ticked}
    left = [t.named(names.get(one.alert_id, ""), one.words) for one in done.left]
    words = t("已分派 {n} 件给 {person}。", n=len(done.done), person=to.person)
    say(words + (t("未分派 {n} 件：{left}", n=len(left), left=t.clauses(left)) if left else ""), good=not left)


def _worker(view: View, load: WorkerLoad) -> str:
    role = _role(view, load.worker.role)
    return view.t("{person}（{role}，手上 {n} 件）", person=load.person, role=role, n=load.open)


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
    following = (one.alert.id for one in chain(plan.required, plan.ranked))
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
    told = number(round(expected.found))
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
        Column(t("角色"), lambda row: ui.said(_role(view, row["load"].worker.role)), "w"),
        Column(t("手上"), lambda row: ui.count(row["load"].open), "n"),
        Column(t("本周到期"), lambda row: ui.count(row["load"].due_this_week), "n"),
        Column(t("逾期"), lambda row: ui.count(row["load"].overdue), "n"),
        Column(t("近5日走访"), lambda row: ui.count(row["load"].visits), "n"),
        Column(t("还可走访"), lambda row: ui.count(row["hand"].visits) if row["hand"] else "", "n"),
        Column(t("必须走访"), lambda row: ui.count(row["hand"].required) if row["hand"] else "", "n"),
    ])  # fmt: skip


def _role(view: View, role: str) -> str:
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
