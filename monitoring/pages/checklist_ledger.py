"""The vouching ledger: by place, and household by household with its state and why."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.language import number
from monitoring.pages import checklist_export
from monitoring.pages.checklist_words import STATES, state, why
from monitoring.queries import vouching
from monitoring.ui import Column, View
from monitoring.vouching.exporting import Picked
from monitoring.vouching.live import Live

ALL = "all"


def part(view: View, now: Live) -> None:
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        _places(view, now)
    with right:
        _late(view)
    _households(view, now)


def _households(view: View, now: Live) -> None:
    t = view.t
    feeds = {row["feed"]: row for row in view.ask(vouching.late_feeds)}
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        options = [ALL, *STATES]
        ui.recall("state", options)
        chosen = st.selectbox(
            t("担保情况"), options, key="state", index=None if "state" in st.session_state else options.index("nobody"),
            format_func=lambda name: t("全部") if name == ALL else t(STATES[name]), width=160,
        ) or ALL  # fmt: skip
        ui.keep("state", chosen, "nobody")
        ui.recall("feed", list(feeds))
        feed = st.selectbox(
            t("缺哪项数据"),
            list(feeds),
            key="feed",
            index=None,
            placeholder=t("不限"),
            format_func=lambda name: ui.feed(name, t),
            width=220,
        )
        ui.keep("feed", feed)
        text = st.text_input(
            t("查找"), key="find-vouching", placeholder=t("户主姓名或户编号"), type="search", width=220
        )
        checklist_export.button(view, Picked(None if chosen == ALL else chosen, feed, text))
    turned = f"vouching-{ui.mark(chosen, feed, text, view.scope)}"
    view.still_here()
    found, total = vouching.ledger(
        view.warehouse, view.scope, now, None if chosen == ALL else chosen, text, feed, ui.page_of(turned)
    )
    title = t("全部") if chosen == ALL else t(STATES[chosen])
    ui.heading(t("名单：{state}", state=title), t("逐村排列；每户只有一种情况，有没办完的先算“正在办理”"))
    if not total:
        ui.empty(t("这里没有这样的户。"))
        return
    rules = vouching.unjudged(view.warehouse, view.scope, found["household_key"].to_list())
    ui.table(found.to_dicts(), [
        Column(t("户主"), lambda row: ui.link(row["name"] or t("户主不明"), view.household_link(row)), "w"),
        Column(t("乡镇、村"), lambda row: ui.place(row, t), "w"),
        Column(t("担保情况"), lambda row: state(row["state"], t), "w"),
        Column(t("凭什么、缺什么"), lambda row: ui.said(t.clauses(why(row, rules.get(row["household_key"], []), t)))),
        Column(t("户编号"), lambda row: ui.said(row["household_id"]), "w"),
    ], t("共 {n} 户，每页 50", n=number(total)))  # fmt: skip
    ui.pager(total, turned, t)


def _places(view: View, now: Live) -> None:
    t = view.t
    ui.heading(t("哪里无人担保的多？"), t("单位：户"))
    rows = vouching.by_place(view.warehouse, view.scope, now).to_dicts()
    ui.table(rows, [
        Column(t("地点"), lambda row: ui.link(t.place(row["place"]), _at(view, row)), "w"),
        Column(t("户数"), lambda row: ui.count(row["households"]), "n"),
        *(Column(t(STATES[name]), _figure(view, name), "n") for name in STATES),
    ])  # fmt: skip
    beside = view.ask_county(vouching.outside)
    ui.note(t(
        "全县台账共 {households} 户：{roster} 户逐一列入，{without} 户已没有在世的人；另有 {undecided} 行记录的身份待人工认定（见数据页）。",
        households=number(beside["households"]), roster=number(beside["roster"]), without=number(beside["without_living"]),
        undecided=number(beside["undecided"]),
    ))  # fmt: skip


def _figure(view: View, name: str) -> Any:
    return lambda row: ui.unknown_count(row[name], view.t) if name == "nobody" else ui.count(row[name])


def _at(view: View, row: dict[str, Any]) -> str | None:
    if row["place"] is None:
        return None
    return view.link("checklist", township=row["township"], village=row["village"])


def _late(view: View) -> None:
    t = view.t
    ui.heading(t("缺哪些数据？"), t("没有到，或比规定的旧"))
    rows = view.ask(vouching.late_feeds)
    if not rows:
        ui.empty(t("判断所用的数据都按期到了。"))
        return
    ui.table(rows, [
        Column(t("数据"), lambda row: ui.link(ui.feed(row["feed"], t), view.link("checklist", feed=row["feed"], state=ALL)), "w"),
        Column(t("乡镇"), lambda row: ui.count(row["townships"]), "n"),
        Column(t("涉及户"), lambda row: ui.count(row["households"]), "n"),
        Column(t("最近一期"), lambda row: _last(view, row)),
        Column(t("应不旧于"), lambda row: ui.said(t("{n} 个月", n=row["months"])), "w"),
    ])  # fmt: skip


def _last(view: View, row: dict[str, Any]) -> str:
    """The oldest last delivery; of households whose township is not known nobody can say whether their rows came."""
    t = view.t
    told = [ui.said(t.month(row["oldest"]))] if row["oldest"] else []
    if row["never"]:
        told.append(ui.unknown(t("有乡镇从未收到") if told else t("从未收到")))
    if row["unplaced"]:
        told.append(ui.unknown(t("{n} 户地点不明，说不准", n=number(row["unplaced"]))))
    return "<br>".join(told)
