"""What can be done with the open alert: only what its status and the person's role allow, each step a form of its own.

A form asks for what its step requires and nothing else. Which outcome is chosen decides the fields, so that choice stands
outside the form. A refused form keeps what was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.alerts import work
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.dealings import Dealings, Visit, dealings
from monitoring.alerts.limits import limit
from monitoring.alerts.moves import ACTION, VERBS, possible
from monitoring.alerts.outcomes import DEPARTMENTS, FAMILIES, MEASURES, OUTCOMES, WENT_TO, Outcome, outcomes_for
from monitoring.alerts.queue import Wanted
from monitoring.pages import alerts_work
from monitoring.pages.alerts_queue import claimable, today
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
LONGEST_NOTE = 2000


@dataclass(frozen=True)
class Step:
    """One step with the open alert: what its form needs to know."""

    view: View
    card: AlertCard
    known: Dealings
    tab: str
    wanted: Wanted

    def key(self, field: str) -> str:
        return f"{field}-{alerts_work.prefix('f', self.card)}"

    def form(self, verb: str) -> Any:
        return st.form(self.key(verb), border=True)

    def sent(self, onward: bool = True) -> tuple[bool, bool]:
        """The form's buttons: whether it was sent, and whether the next alert is wanted after it."""
        t = self.view.t
        with st.container(horizontal=True, key=self.key("buttons")):
            saved = st.form_submit_button(t("保存"), type="primary")
            following = onward and st.form_submit_button(t("保存并看下一条"))
        return saved or following, following

    def take(self, words: str, following: bool, service: Callable[..., Any], *details: Any, **named: Any) -> None:
        """Takes the step; the page is drawn anew, with the next alert where that was wanted."""
        if alerts_work.save(self.view, self.card, words, service, *details, **named) and following:
            alerts_work.go_on(self.view, self.card, self.tab, self.wanted)
        st.rerun()

    def note(self, label: str, help_: str = "") -> str:
        return st.text_area(label, key=self.key("note"), max_chars=LONGEST_NOTE, height=100, placeholder=help_)


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
            st.button(
                t("开始核实（先打电话、查台账）"),
                key=f"start-{card.id}",
                on_click=_start,
                args=(view, card),
            )


def _start(view: View, card: AlertCard) -> None:
    alerts_work.save(view, card, view.t("已开始核实。"), work.start_verifying)


def _visit(step: Step) -> None:
    t, day = step.view.t, today(step.view)
    with step.form("visit"):
        left, right = st.columns(2)
        on = left.date_input(t("走访日期"), value=day, max_value=day, format="YYYY-MM-DD", key=step.key("on"))
        visitor = right.text_input(t("走访人"), value=step.view.person.person, key=step.key("visitor"), max_chars=64)
        met = st.radio(t("见到人没有"), [True, False], index=None, horizontal=True, key=step.key("met"),
                       format_func=lambda met: t("见到了") if met else t("没有见到"))  # fmt: skip
        finding = st.radio(t("走访结论"), list(work.FINDINGS), index=None, horizontal=True, key=step.key("finding"),
                           format_func=lambda one: t.pick(*work.FINDINGS[one]))  # fmt: skip
        note = step.note(t("走访记录"), t("见了谁、看到什么、说了什么、要办什么"))
        sent, following = step.sent()
    if not sent:
        return
    if met is None:
        _lacking(step, t("请选择见到人没有。"))
    else:
        step.take(t("走访已保存。"), following, work.record_visit, on, visitor, met, finding or "", note)


def _lacking(step: Step, words: str) -> None:
    """What a form cannot be sent without, told beside it."""
    ui.html(f'<div class="bl-refused" role="status">{ui.said(words)}</div>')


def _decide(step: Step) -> None:
    t = step.view.t
    chosen = st.selectbox(
        t("结论"), [outcome.code for outcome in outcomes_for(step.card.subject)], index=None, key=step.key("outcome"),
        placeholder=t("选择结论"),
        format_func=lambda code: t("{family}：{outcome}", family=t.pick(*FAMILIES[OUTCOMES[code].family]), outcome=_named(step, code)),
    )  # fmt: skip
    if chosen is None:
        ui.note(t("先选结论，再填它需要的内容。“核实无困难”必须有入户走访。"))
        return
    outcome = OUTCOMES[chosen]
    with step.form(f"decide-{chosen}"):
        more = _needs(step, outcome)
        reason = step.note(t("理由"), t("根据什么作出这个结论"))
        sent, following = step.sent()
    if sent:
        step.take(
            t("结论已保存：{outcome}", outcome=_named(step, chosen)), following, work.decide, chosen, reason, **more
        )


def _named(step: Step, code: str) -> str:
    return step.view.t.pick(OUTCOMES[code].zh, OUTCOMES[code].en)


def _needs(step: Step, outcome: Outcome) -> dict[str, Any]:
    """The fields that an outcome requires, as the service takes them."""
    t, more = step.view.t, dict[str, Any]()
    if step.known.visits and outcome.code != "M":
        more["visit_id"] = _which_visit(step)
    elif "visit" in outcome.needs:
        ui.note(t("还没有走访记录：请先“登记走访”。"))
    if "measure" in outcome.needs:
        more["measure"] = _measure_fields(step, list(outcome.kinds))
    if "went_to" in outcome.needs:
        more["went_to"] = st.selectbox(t("退出后的去向"), list(WENT_TO), index=None, key=step.key("went"),
                                       placeholder=t("请选择"), format_func=lambda one: t.pick(*WENT_TO[one]))  # fmt: skip
    if "department" in outcome.needs:
        more["department"], more["asked"], more["answer_due"] = _referral_fields(step)
    if "conference" in outcome.needs and not any(one.decision for one in step.known.conferences):
        ui.note(t("还没有会议决定：请先“召集一事一议”并登记决定。"))
    if "particulars" in outcome.needs:
        more["particulars"] = st.text_input(t(outcome.asks), key=step.key("particulars"))
    if "until" in outcome.needs:
        more["until"] = st.date_input(t("回访日期"), value=None, format="YYYY-MM-DD", key=step.key("until"))
    return more


def _which_visit(step: Step) -> int | None:
    t, visits = step.view.t, {visit.id: visit for visit in step.known.visits}
    return st.selectbox(
        t("依据哪次走访"), list(visits), key=step.key("which"), format_func=lambda one: _told(step, visits[one])
    )


def _told(step: Step, visit: Visit) -> str:
    t = step.view.t
    met = t("见到了") if visit.met else t("没有见到")
    return f"{visit.date.isoformat()} {visit.visitor} · {met} · {t.pick(*work.FINDINGS[visit.finding])}"


def _measure_fields(step: Step, kinds: list[str]) -> work.Measure:
    t, day = step.view.t, today(step.view)
    left, right = st.columns(2)
    kind = left.selectbox(t("帮扶措施"), kinds, key=step.key("kind"), format_func=lambda one: t.pick(*MEASURES[one]))
    start = right.date_input(t("开始日期"), value=day, format="YYYY-MM-DD", key=step.key("start"))
    amount = left.number_input(
        t("金额（元），不是钱的空着"), value=None, min_value=0.0, step=None, format="%.2f", key=step.key("amount")
    )
    responsible = right.text_input(t("帮扶责任人"), key=step.key("responsible"), max_chars=64)
    monthly = st.checkbox(t("按月发放"), key=step.key("monthly"))
    yuan = None if amount is None else Decimal(str(amount))
    return work.Measure(kind or "", start, responsible, yuan, monthly)


def _referral_fields(step: Step) -> tuple[str, str, date]:
    t, first = step.view.t, limit("answer", today(step.view))
    left, right = st.columns(2)
    department = left.selectbox(t("转给哪个部门"), DEPARTMENTS, index=None, key=step.key("department"), placeholder=t("请选择"),
                                format_func=t)  # fmt: skip
    due = right.date_input(t("答复期限"), value=first, format="YYYY-MM-DD", key=step.key("answer-due"))
    asked = st.text_area(t("要求部门办什么"), key=step.key("asked"), max_chars=LONGEST_NOTE, height=80)
    return department or "", asked, due


def _measure(step: Step) -> None:
    t = step.view.t
    with step.form("measure"):
        measure = _measure_fields(step, list(MEASURES))
        note = step.note(t("说明"))
        sent, following = step.sent()
    if sent:
        told = work.Measure(measure.kind, measure.start, measure.responsible, measure.amount, measure.monthly, note)
        step.take(t("帮扶措施已登记。"), following, work.add_measure, told)


def _refer(step: Step) -> None:
    t = step.view.t
    with step.form("refer"):
        department, asked, due = _referral_fields(step)
        sent, following = step.sent()
    if sent:
        words = t("已转{department}，{day} 前答复。", department=t(department), day=due.isoformat())
        step.take(words, following, work.refer, department, asked, due=due)


def _answer(step: Step) -> None:
    t, day, waiting = step.view.t, today(step.view), {one.id: one for one in step.known.unanswered}
    with step.form("answer"):
        which = st.selectbox(
            t("哪个部门"), list(waiting), key=step.key("which-asked"),
            format_func=lambda one: t("{department}：{asked}（期限 {day}）", department=t(waiting[one].department), asked=waiting[one].asked, day=waiting[one].due_date),
        )  # fmt: skip
        on = st.date_input(t("答复日期"), value=day, max_value=day, format="YYYY-MM-DD", key=step.key("on"))
        words = step.note(t("部门答复"))
        sent, following = step.sent()
    if sent:
        step.take(t("部门答复已登记。"), following, work.answer, which, words, on=on)


def _confer(step: Step) -> None:
    t, day = step.view.t, today(step.view)
    with step.form("confer"):
        on = st.date_input(t("会议日期"), value=day, format="YYYY-MM-DD", key=step.key("on"))
        present = step.note(t("参会人员"), t("单位和姓名"))
        sent, following = step.sent()
    if sent:
        step.take(t("一事一议已登记，会后请登记决定。"), following, work.call_conference, on, present)


def _confer_decide(step: Step) -> None:
    t, called = step.view.t, {one.id: one for one in step.known.undecided}
    with step.form("confer-decide"):
        which = st.selectbox(t("哪次会议"), list(called), key=step.key("which-called"),
                             format_func=lambda one: f"{called[one].date} {called[one].present}")  # fmt: skip
        words = step.note(t("会议决定"))
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
        _lacking(step, t("请选择工作人员。"))
    else:
        step.take(t("已分派给 {person}。", person=people[to].person), following, work.assign, to, note=note)


def _follow_up(step: Step) -> None:
    t = step.view.t
    with step.form("follow-up"):
        until = st.date_input(t("回访日期"), value=None, format="YYYY-MM-DD", key=step.key("until"))
        note = st.text_input(t("说明"), key=step.key("follow-note"))
        sent, following = step.sent()
    if sent and until is None:
        _lacking(step, t("请定下回访日期。"))
    elif sent:
        step.take(t("已安排 {day} 前回访。", day=until), following, work.follow_up, until, note=note)


def _worded(
    verb: str, label: str, done: str, service: Callable[..., Any], named: bool = False
) -> Callable[[Step], None]:
    """The form of a step that takes one text."""

    def draw(step: Step) -> None:
        t = step.view.t
        with step.form(verb):
            words = step.note(t(label))
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
        words = step.note(t("备注"))
        sent, _ = step.sent(onward=False)
    if sent:
        if alerts_work.attempt(step.view, work.comment, step.card.id, words) is not None:
            alerts_work.begin_anew(step.card.id, t("备注已保存。"))
        st.rerun()


FORMS: dict[str, Callable[[Step], None]] = {
    "visit": _visit,
    "decide": _decide,
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
