"""时间线: what happened to a household or an alert, the latest first: what data said, visits, decisions, help, payments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.alerts import queue, work
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.moves import STATUSES
from monitoring.alerts.timeline import timeline
from monitoring.alerts.visits import SOURCES, visits_of
from monitoring.language import number
from monitoring.pages import alerts_queue, alerts_work, household_clocks
from monitoring.queries import household
from monitoring.queries.household import Household
from monitoring.ui import View

MOST = 40  # entries at first; all of them on demand
PAYMENTS = 24  # the latest ones stand in the line; the whole list is in the records below


@dataclass(frozen=True)
class Entry:
    """One line: the day, where it is known from (WHERE), what happened, by whom, and what was noted."""

    day: date
    where: str
    what: str
    by: str = ""
    note: str = ""


WHERE = {"work": "处置", "data": "台账", "money": "发放"}


def section(view: View, found: Household) -> None:
    """On the household's page: the open alert's state, the line, and the place for a remark."""
    t = view.t
    known = view.ask(household.number_of, found.key)
    card = view.read(queue.open_alert_of, known) if known else None
    ui.heading(t("时间线"))
    _state(view, card)
    household_clocks.section(view, known)
    told = [*_work(view, household_id=known), *_sampled(view, known), *_data(view, found.key)]
    entries = sorted(told, key=lambda one: one.day, reverse=True)
    shown = st.segmented_control(
        t("看什么"), ["all", *WHERE], default="all", required=True, wrap=True, key="line", label_visibility="collapsed",
        format_func=lambda one: t(WHERE.get(one, "全部")),
    )  # fmt: skip
    _lines(view, [entry for entry in entries if shown in ("all", entry.where)], f"line-{found.key}")
    if card is not None and view.person.may("alert.comment"):
        _remark(view, card)


def events(view: View, alert_id: int) -> None:
    """The line of one alert."""
    _lines(view, list(_work(view, alert_id=alert_id)), f"line-{alert_id}")


def _state(view: View, card: AlertCard | None) -> None:
    t = view.t
    if card is None:
        ui.note(t("现在没有未办结的预警。"))
        return
    status = f'<span class="bl-pill">{ui.said(t.pick(*STATUSES[card.status]))}</span>'
    late = ' class="bl-late"' if card.escalation else ""
    way = ui.link(t("去处置"), view.link("alerts", alert=card.id)) if view.person.may("page.alerts") else ""
    ui.html(
        f'<div class="bl-facts">{ui.level(card.level, t)}{status}<span>{ui.said(card.assignee_name or t("无人承办"))}</span>'
        f"<span{late}>{ui.said(alerts_queue.due(view, card))}</span>{way}</div>"
    )


def _work(view: View, **of: Any) -> list[Entry]:
    """What people and runs did with the alerts."""
    t = view.t
    return [
        Entry(event.day, "work", t.pick(event.words_zh, event.words_en), event.by, event.note)
        for event in view.read(timeline, **of)
    ]


def _sampled(view: View, known: str | None) -> list[Entry]:
    """Its visits as one of the sample: those for an alert stand in the alert's own course."""
    t = view.t
    return [
        Entry(one.day, "work", t.named(t.pick(*SOURCES["sample"]), t.clauses(t.pick(*pair) for pair in one.found)), one.visitor)
        for one in (view.read(visits_of, known) if known else ())
        if one.source == "sample"
    ]  # fmt: skip


def _data(view: View, key: int) -> list[Entry]:
    """What the registers say: programmes that began and ended, visits, payments."""
    t, found = view.t, list[Entry]()
    for row in view.ask(household.programmes, key).to_dicts():
        named = t("{programme}（{name}）", programme=t(row["programme"]), name=row["name"] or t("姓名不明"))
        if row["from_date"]:
            found.append(Entry(row["from_date"], "data", t("开始：{what}", what=named)))
        if row["until_date"] and not row["active"]:
            found.append(Entry(row["until_date"], "data", t("结束：{what}", what=named)))
    for row in view.ask(household.visits, key).to_dicts():
        found.append(Entry(row["visited_date"], "data", t("台账走访"), row["visitor"] or "", row["finding"] or ""))
    for row in view.ask(household.payment_stretches, key).head(PAYMENTS).to_dicts():
        found.append(Entry(row["last_month"] or row["first_month"], "money", _paid(view, row), row["name"] or ""))
    return found


def _paid(view: View, row: dict[str, Any]) -> str:
    """What was paid, or failed, or came back; months in a row that paid the same are told once."""
    t = view.t
    money = t("不明") if row["amount"] is None else t.money(row["amount"])
    what = t("{item} {money}，{status}", item=t(row["item"]), money=money, status=t(row["status"] or "不明"))
    if row["payments"] < 2:
        return what
    first, last = (t.month(f"{row[name]:%Y-%m}") for name in ("first_month", "last_month"))
    return t("{what}（{first} 至 {last}，共 {n} 次）", what=what, first=first, last=last, n=number(row["payments"]))


def _lines(view: View, entries: Sequence[Entry], key: str) -> None:
    t = view.t
    if not entries:
        ui.note(t("还没有记录。"))
        return
    every = len(entries) <= MOST or st.session_state.get(key)
    items = "".join(_line(view, entry) for entry in (entries if every else entries[:MOST]))
    ui.html(f'<ol class="bl-line">{items}</ol>')
    if len(entries) > MOST:
        st.checkbox(t("看全部 {n} 条", n=number(len(entries))), key=key)


def _line(view: View, entry: Entry) -> str:
    note = f'<p class="bl-note">{ui.said(entry.note)}</p>' if entry.note else ""
    by = f" <span class='bl-note'>{ui.said(entry.by)}</span>" if entry.by else ""
    return (
        f'<li><span class="bl-day">{entry.day.isoformat()}</span><span class="bl-pill">{ui.said(view.t(WHERE[entry.where]))}</span>'
        f"<div>{ui.said(entry.what)}{by}{note}</div></li>"
    )


def _remark(view: View, card: AlertCard) -> None:
    t = view.t
    with st.form(f"remark-{alerts_work.prefix('f', card)}", border=False):
        words = st.text_area(t("备注"), height=80, max_chars=2000, key=f"remark-text-{alerts_work.prefix('f', card)}")
        sent = st.form_submit_button(t("保存备注"))
    if sent:
        done = view.act(work.comment, card.id, words)
        if done is not None:
            alerts_work.empty_forms()
            st.rerun()
