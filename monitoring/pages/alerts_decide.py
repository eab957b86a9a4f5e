"""The outcome of a verification: its choice stands outside the form and decides the fields, so that only what is required is asked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.alerts import work
from monitoring.alerts.dealings import Visit
from monitoring.alerts.limits import limit
from monitoring.alerts.outcomes import DEPARTMENTS, FAMILIES, MEASURES, OUTCOMES, WENT_TO, Outcome, outcomes_for
from monitoring.pages.alerts_step import LONGEST_NOTE, Step


def decide(step: Step) -> None:
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
        reason = step.note("decide", t("理由"), t("根据什么作出这个结论"))
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
        more["measure"] = measure_fields(step, list(outcome.kinds))
    if "went_to" in outcome.needs:
        more["went_to"] = st.selectbox(t("退出后的去向"), list(WENT_TO), index=None, key=step.key("went"),
                                       placeholder=t("请选择"), format_func=lambda one: t.pick(*WENT_TO[one]))  # fmt: skip
    if "department" in outcome.needs:
        more["department"], more["asked"], more["answer_due"] = referral_fields(step)
    if "conference" in outcome.needs and not any(one.decision for one in step.known.conferences):
        ui.note(t("还没有会议决定：请先“召集一事一议”并登记决定。"))
    if "particulars" in outcome.needs:
        more["particulars"] = st.text_input(t(outcome.asks), key=step.key("particulars"))
    if "until" in outcome.needs:
        more["until"] = st.date_input(t("回访日期"), value=None, format="YYYY-MM-DD", key=step.key("decide-until"))
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


def measure_fields(step: Step, kinds: list[str]) -> work.Measure:
    t, day = step.view.t, step.view.today
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


def referral_fields(step: Step) -> tuple[str, str, date]:
    t, first = step.view.t, limit("answer", step.view.today)
    left, right = st.columns(2)
    department = left.selectbox(t("转给哪个部门"), DEPARTMENTS, index=None, key=step.key("department"), placeholder=t("请选择"),
                                format_func=t)  # fmt: skip
    due = right.date_input(t("答复期限"), value=first, format="YYYY-MM-DD", key=step.key("answer-due"))
    asked = st.text_area(t("要求部门办什么"), key=step.key("asked"), max_chars=LONGEST_NOTE, height=80)
    return department or "", asked, due
