"""What can be done with the open alert: only what its status and the person's role allow, each step a form of its own.

A form asks for what its step requires and nothing else; a refused form keeps what was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.alerts import work
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.dealings import dealings
from monitoring.alerts.moves import ACTION, VERBS, possible
from monitoring.alerts.outcomes import MEASURES, OUTCOMES
from monitoring.alerts.queue import Wanted
from monitoring.pages import alerts_work
from monitoring.pages.alerts_decide import decide, measure_fields, referral_fields
from monitoring.pages.alerts_queue import claimable
from monitoring.pages.alerts_step import Step, lacking
from monitoring.people import ROLES
from monitoring.ui import View

# What is offered first in a status, if it can be done.
FIRST = {
    "new": ("visit",),
    "assigned": ("visit",),
    "returned": ("visit",),
    "verifying": ("decide", "visit"),
    "referred": ("answer", "visit"),
    "decided": ("close", "comment"),
    "following": ("close", "visit"),
    "closed": ("comment",),
}
BUTTONS = ("claim", "start")  # done at once, without a form


def process(view: View, card: AlertCard, tab: str, wanted: Wanted) -> None:
    """The steps that are possible now; the likeliest is open."""
    t = view.t
    step = Step(view, card, view.read(dealings, card.id), tab, wanted)
    verbs = [verb for verb in possible(card.status) if _offered(step, verb)]
    _at_once(step)
    if not verbs:
        ui.note(t("您的角色在这一步不办理，只能查看。"))
        return
    first = next((verb for verb in _first(card) if verb in verbs), verbs[0])
    chosen = st.pills(
        t("办什么"), verbs, default=first, required=True, key=step.key("verb"), label_visibility="collapsed", wrap=True,
        format_func=lambda verb: t.pick(*VERBS[verb]),
    )  # fmt: skip
    FORMS[chosen or first](step)


def _first(card: AlertCard) -> tuple[str, ...]:
    """An admission that was decided needs its measure recorded before it can be closed; else as FIRST says."""
    outcome = OUTCOMES.get(card.outcome or "")
    promised = card.status == "following" and outcome is not None and outcome.kinds and "measure" not in outcome.needs
    return ("measure", *FIRST[card.status]) if promised else FIRST[card.status]


def _offered(step: Step, verb: str) -> bool:
    view, card = step.view, step.card
    if verb in BUTTONS or not view.person.may(ACTION[verb]):
        return False
    if verb == "hand_back":
        return card.assignee == view.person.account
    if verb == "emergency":
        return not card.emergency
    if verb == "answer":
        return bool(step.known.unanswered)
    return verb != "confer_decide" or bool(step.known.undecided)


def _at_once(step: Step) -> None:
    view, card, t = step.view, step.card, step.view.t
    can_start = "start" in possible(card.status) and view.person.may(ACTION["start"])
    if not claimable(view, card) and not can_start:
        return
    with st.container(horizontal=True, key="at-once"):
        if claimable(view, card):
            st.button(t("认领"), type="primary", key=f"take-{card.id}", on_click=alerts_work.claim, args=(view, card))
        elif can_start:
            st.button(t("开始核实（先打电话、查台账）"), key=f"start-{card.id}", on_click=_start, args=(view, card))


def _start(view: View, card: AlertCard) -> None:
    alerts_work.save(view, card, view.t("已开始核实。"), work.start_verifying)


def _visit(step: Step) -> None:
    t, day = step.view.t, step.view.today
    with step.form("visit"):
        left, right = st.columns(2)
        on = left.date_input(t("走访日期"), value=day, max_value=day, format="YYYY-MM-DD", key=step.key("visit-on"))
        visitor = right.text_input(
            t("走访人"), value=step.view.person.person, key=step.key("visit-visitor"), max_chars=64
        )
        met = st.radio(t("见到人没有"), [True, False], index=None, horizontal=True, key=step.key("visit-met"),
                       format_func=lambda met: t("见到了") if met else t("没有见到"))  # fmt: skip
        finding = st.radio(t("走访结论"), list(work.FINDINGS), index=None, horizontal=True, key=step.key("visit-finding"),
                           format_func=lambda one: t.pick(*work.FINDINGS[one]))  # fmt: skip
        note = step.note("visit", t("走访记录"), t("见了谁、看到什么、说了什么、要办什么"))
        sent, following = step.sent()
    if not sent:
        return
    if met is None:
        lacking(t("请选择见到人没有。"))
    else:
        step.take(t("走访已保存。"), following, work.record_visit, on, visitor, met, finding or "", note)


def _measure(step: Step) -> None:
    t = step.view.t
    with step.form("measure"):
        measure = measure_fields(step, list(MEASURES))
        note = step.note("measure", t("说明"))
        sent, following = step.sent()
    if sent:
        told = work.Measure(measure.kind, measure.start, measure.responsible, measure.amount, measure.monthly, note)
        step.take(t("帮扶措施已登记。"), following, work.add_measure, told)


def _refer(step: Step) -> None:
    t = step.view.t
    with step.form("refer"):
        department, asked, due = referral_fields(step)
        sent, following = step.sent()
    if sent:
        words = t("已转{department}，{day} 前答复。", department=t(department), day=due.isoformat())
        step.take(words, following, work.refer, department, asked, due=due)


def _answer(step: Step) -> None:
    t, day, waiting = step.view.t, step.view.today, {one.id: one for one in step.known.unanswered}
    with step.form("answer"):
        which = st.selectbox(
            t("哪个部门"), list(waiting), key=step.key("which-asked"),
            format_func=lambda one: t("{department}：{asked}（期限 {day}）", department=t(waiting[one].department), asked=waiting[one].asked, day=waiting[one].due_date),
        )  # fmt: skip
        on = st.date_input(t("答复日期"), value=day, max_value=day, format="YYYY-MM-DD", key=step.key("answer-on"))
        words = step.note("answer", t("部门答复"))
        sent, following = step.sent()
    if sent:
        step.take(t("部门答复已登记。"), following, work.answer, which, words, on=on)


def _confer(step: Step) -> None:
    t, day = step.view.t, step.view.today
    with step.form("confer"):
        on = st.date_input(t("会议日期"), value=day, format="YYYY-MM-DD", key=step.key("confer-on"))
        present = step.note("confer", t("参会人员"), t("单位和姓名"))
        sent, following = step.sent()
    if sent:
        step.take(t("一事一议已登记，会后请登记决定。"), following, work.call_conference, on, present)


def _confer_decide(step: Step) -> None:
    t, called = step.view.t, {one.id: one for one in step.known.undecided}
    with step.form("confer-decide"):
        which = st.selectbox(t("哪次会议"), list(called), key=step.key("which-called"),
                             format_func=lambda one: f"{called[one].date} {called[one].present}")  # fmt: skip
        words = step.note("confer_decide", t("会议决定"))
        sent, following = step.sent()
    if sent:
        step.take(t("会议决定已登记。"), following, work.decide_conference, which, words)


def _assign(step: Step) -> None:
    t, view = step.view.t, step.view
    people = {one.account: one for one in view.read(work.who_can_take, step.card.id)}
    if not people:
        ui.empty(t("没有负责这个地方的工作人员账号，请联系系统管理员。"))
        return
    with step.form("assign"):
        to = st.selectbox(
            t("分派给"), list(people), index=None, key=step.key("to"), placeholder=t("选择工作人员"),
            format_func=lambda one: t("{person}（{role}，手上 {n} 件）", person=people[one].person,
                                      role=t.pick(ROLES[people[one].role].zh, ROLES[people[one].role].en), n=people[one].open),
        )  # fmt: skip
        note = st.text_input(t("说明"), key=step.key("assign-note"))
        sent, following = step.sent()
    if not sent:
        return
    if to is None:
        lacking(t("请选择工作人员。"))
    else:
        step.take(t("已分派给 {person}。", person=people[to].person), following, work.assign, to, note=note)


def _follow_up(step: Step) -> None:
    t = step.view.t
    with step.form("follow-up"):
        until = st.date_input(t("回访日期"), value=None, format="YYYY-MM-DD", key=step.key("follow_up-until"))
        note = st.text_input(t("说明"), key=step.key("follow-note"))
        sent, following = step.sent()
    if sent and until is None:
        lacking(t("请定下回访日期。"))
    elif sent:
        step.take(t("已安排 {day} 前回访。", day=until), following, work.follow_up, until, note=note)


def _worded(
    verb: str, label: str, done: str, service: Callable[..., Any], named: bool = False
) -> Callable[[Step], None]:
    """The form of a step that takes one text."""

    def draw(step: Step) -> None:
        t = step.view.t
        with step.form(verb):
            words = step.note(verb, t(label))
            sent, following = step.sent()
        if sent and named:
            step.take(t(done), following, service, note=words)
        elif sent:
            step.take(t(done), following, service, words)

    return draw


def _comment(step: Step) -> None:
    """A remark is no step: it takes no version, and nobody is in its way."""
    t = step.view.t
    with step.form("comment"):
        words = step.note("comment", t("备注"))
        sent, _ = step.sent(onward=False)
    if sent:
        if alerts_work.attempt(step.view, work.comment, step.card.id, words) is not None:
            alerts_work.begin_anew(step.card.id, t("备注已保存。"))
        st.rerun()


FORMS: dict[str, Callable[[Step], None]] = {
    "visit": _visit,
    "decide": decide,
    "measure": _measure,
    "refer": _refer,
    "answer": _answer,
    "confer": _confer,
    "confer_decide": _confer_decide,
    "assign": _assign,
    "follow_up": _follow_up,
    "comment": _comment,
    "hand_back": _worded("hand-back", "交回的理由", "已交回。", work.hand_back),
    "return": _worded("return", "退回的理由", "已退回。", work.return_to),
    "emergency": _worded("emergency", "转急难的理由", "已转急难，3 个工作日内办结。", work.mark_emergency),
    "close": _worded("close", "办结说明（可不填）", "已办结。", work.close, named=True),
}
