"""预警处置: the working day. Tabs with counts, the queue, the alert that is open, and what can be done with it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from monitoring import ui
from monitoring.alerts import queue
from monitoring.alerts.queue import TABS, QueuePage, Wanted
from monitoring.labels import KIND_ZH, KINDS, LEVEL_MARK, LEVEL_ZH, LEVELS
from monitoring.language import number
from monitoring.pages import alerts_detail, alerts_load, alerts_queue, alerts_sample, alerts_work
from monitoring.pages.alerts_work import CHOSEN
from monitoring.queries import alerts
from monitoring.ui import View

TAB = "tab"


def page(view: View) -> None:
    t = view.t
    ui.title(t("预警处置"))
    _recall()
    above = st.container(key="queue-above", gap="small")
    wanted = _filters(view)
    tab, turned = _tab(view, wanted)
    found = view.read(queue.queue_page, tab, wanted, ui.page_of(turned))
    with above:
        _tabs(view, found)
        alerts_load.capacity(view)
        alerts_sample.part(view)
    alerts_work.said(view)
    chosen = st.session_state.get(CHOSEN)
    if not found.rows and chosen is None:
        _nothing(view, tab, wanted, found)
        return
    listed, beside = st.columns([1.45, 1], gap="medium")
    with listed, st.container(key="queue-list-behind" if chosen is not None else "queue-list"):
        _list(view, tab, wanted, found, turned)
    with beside, st.container(key="queue-detail" if chosen is not None else "queue-detail-first"):
        at_hand = chosen if chosen is not None else found.rows[0].id
        st.button(t("返回列表"), key="back", on_click=alerts_work.close_, icon=":material/arrow_back:")
        alerts_detail.detail(replace(view, scope=view.scope.unpicked), at_hand, tab, wanted)


def _recall() -> None:
    """An alert that the address names is opened once."""
    asked = st.query_params.get("alert", "")
    if CHOSEN not in st.session_state:
        st.session_state[CHOSEN] = int(asked) if asked.isdecimal() and len(asked) < 12 else None
    ui.keep("alert", None if st.session_state[CHOSEN] is None else str(st.session_state[CHOSEN]))


def _filters(view: View) -> Wanted:
    t = view.t
    rules = {row["rule"]: row for row in view.ask(alerts.rules_seen).to_dicts()}
    holders = {str(worker.account): worker for worker in alerts_load.workers(view)}
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            t("查找"), key="find", width=235, placeholder=t("姓名、证件号后4位、村名"), type="search", on_change=_afresh
        )
        with st.container(key="filters-open"):
            st.toggle(t("筛选"), key="filtering")
        with st.container(key="filters-more", horizontal=True, vertical_alignment="bottom"):
            ui.recall("level", LEVELS, many=True)
            levels = st.pills(t("级别"), LEVELS, selection_mode="multi", key="level", on_change=_afresh,
                              format_func=lambda level: f"{LEVEL_MARK[level]} {t(LEVEL_ZH[level])}")  # fmt: skip
            ui.recall("kind", KINDS, many=True)
            kinds = st.pills(t("类别"), KINDS, selection_mode="multi", key="kind", on_change=_afresh, wrap=True,
                             format_func=lambda kind: t(KIND_ZH[kind]))  # fmt: skip
            ui.recall("rule", list(rules))
            rule = st.selectbox(
                t("规则"), ["", *rules], key="rule", width=190, on_change=_afresh,
                format_func=lambda code: t.pick(rules[code]["title_zh"], rules[code]["title_en"]) if code else t("全部规则"),
            )  # fmt: skip
            holder = None
            if len(holders) > 1:
                ui.recall("holder", list(holders))
                holder = st.selectbox(
                    t("在谁手里"), ["", *holders], key="holder", width=140, on_change=_afresh,
                    format_func=lambda account: holders[account].person if account else t("不限"),
                )  # fmt: skip
    for key, value in (("level", levels), ("kind", kinds), ("rule", rule), ("holder", holder)):
        ui.keep(key, value)
    held_by = int(holder) if holder else None
    return Wanted(tuple(levels or ()), tuple(kinds or ()), rule or "", text or "", *_picked(view), assignee=held_by)


def _picked(view: View) -> tuple[str | None, str | None]:
    """The frame's township and village as wishes; a place that is not known is one too."""
    scope = view.scope
    if scope.villages:
        township, village = scope.villages[0]
        return township or queue.UNKNOWN_PLACE, village
    if scope.townships:
        return scope.townships[0] or queue.UNKNOWN_PLACE, None
    return None, None


def _afresh() -> None:
    """Other wishes: the alert that was open may be none of them."""
    st.session_state[CHOSEN] = None


def _tab(view: View, wanted: Wanted) -> tuple[str, str]:
    """The tab that is shown, and the key under which its page is turned. At first: what waits for this person."""
    if st.session_state.get(TAB) not in TABS:
        asked = st.query_params.get(TAB)
        st.session_state[TAB] = asked if asked in TABS else _first_tab(view, wanted)
    tab = str(st.session_state[TAB])
    ui.keep(TAB, tab)
    return tab, f"queue-{ui.mark(tab, wanted)}"


def _first_tab(view: View, wanted: Wanted) -> str:
    if any(key in st.query_params for key in ("level", "kind", "rule", "holder", "alert")) or not view.person.may(
        "alert.claim"
    ):
        return "all"
    counts = view.read(queue.queue_page, "mine", wanted, 1).counts
    return next((tab for tab in ("mine", "unassigned") if counts[tab]), "all")


def _tabs(view: View, found: QueuePage) -> None:
    t = view.t
    held = view.person.may("alert.claim")
    shown = [tab for tab in TABS if held or tab != "mine"]
    st.segmented_control(
        t("预警分栏"), shown, key=TAB, required=True, on_change=_afresh, label_visibility="collapsed", wrap=True,
        format_func=lambda tab: _counted(t.pick(*TABS[tab]), found.counts[tab], tab == "overdue"),
    )  # fmt: skip


def _counted(name: str, count: int, late: bool) -> str:
    return f":red[**{name} {number(count)}**]" if late and count else f"{name} {number(count)}"


def _list(view: View, tab: str, wanted: Wanted, found: QueuePage, turned: str) -> None:
    t = view.t
    if not found.rows:
        _nothing(view, tab, wanted, found)
        return
    batch = False
    with st.container(horizontal=True, vertical_alignment="center", key="queue-said"):
        ui.note(t("{tab}：共 {n} 户（件）", tab=t.pick(*TABS[tab]), n=number(found.total)))
        if view.person.may("alert.assign") and tab != "closed":
            batch = st.toggle(t("批量分派"), key="batch")
    if batch:
        alerts_work.batch(view, found.rows, turned)
    else:
        alerts_queue.rows(view, found.rows, st.session_state.get(CHOSEN), alerts_work.open_)
    ui.pager(found.total, turned, t)


def _nothing(view: View, tab: str, wanted: Wanted, found: QueuePage) -> None:
    """Why the list is empty, and what next."""
    t, county = view.t, view.county
    if wanted != Wanted(township=wanted.township, village=wanted.village) and not found.counts["all"]:
        ui.empty(t("没有符合条件的预警。请放宽条件：姓名要写全，证件号写末4位以上。"))
    elif tab != "all" and found.counts["all"]:
        ui.empty(
            t("“{tab}”里没有预警；全部未办结的有 {n} 户（件）。", tab=t.pick(*TABS[tab]), n=number(found.counts["all"]))
        )
    else:
        ui.empty(
            t(
                "这里没有待办预警。数据截至 {day}；{sources}。",
                day=county.as_of.isoformat(),
                sources=view.sources_said(),
            )
        )
