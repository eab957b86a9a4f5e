"""The 18 sets: how many must be covered, are, are not, cannot be said; where, and who."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.checklist import BY_NUMBER
from monitoring.labels import STATE_ZH
from monitoring.language import number, share
from monitoring.pages import checklist_export
from monitoring.queries import checklist, vouching
from monitoring.ui import Column, View
from monitoring.vouching import seals
from monitoring.vouching.alerts import timely
from monitoring.vouching.exporting import UNITS
from monitoring.vouching.live import Live
from monitoring.working_days import CHINA


def part(view: View, now: Live) -> None:
    _signed(view)
    _sets(view, now)
    _drill(view, now)


def _signed(view: View) -> None:
    """Who signed for the place that is shown, and the way to whether that still holds."""
    t = view.t
    place = seals.place_shown(view.scope, view.person)
    if place is None:
        return
    found = view.read(seals.history, view.ask_county(vouching.asked_of).period, *place)
    last = found[0] if found else None
    said = (
        t("签字：{by}，{at}", by=last.by, at=last.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M"))
        if last
        else t("还没有签字")
    )
    ui.html(f"<div>{ui.link(said, view.link('checklist', part='sign'))}</div>")


def _sets(view: View, now: Live) -> None:
    t = view.t
    view.still_here()
    found = checklist.checklist(view.warehouse, view.scope, now).to_dicts()
    rows = [{**row, "set": BY_NUMBER[row["number"]]} for row in found]
    ui.table(rows, [
        Column("", lambda row: ui.count(row["number"]), "n"),
        Column(t("必须覆盖的人和户"), lambda row: ui.link(t(row["set"].title), view.link("checklist", part="sets", set=row["number"]))),
        Column(t("怎样算覆盖"), lambda row: f'<span class="bl-note">{ui.said(t(row["set"].test))}</span>'),
        Column(t("应覆盖"), lambda row: _figure(view, row, "members"), "n"),
        Column(t("已覆盖"), lambda row: _figure(view, row, "covered"), "n"),
        Column(t("缺"), lambda row: _figure(view, row, "missing"), "n"),
        Column(t("不明"), lambda row: _unknown(view, row), "n"),
        Column(t("覆盖率"), lambda row: _rate(view, row), "n"),
        Column(t("数据月份"), lambda row: _as_of(view, row, now), "w"),
        Column(t("责任单位"), lambda row: ui.said(t(row["set"].department)), "w"),
    ], t("“缺数据”：当地没有能说出哪些人属于这一项的数据，住在那里的人都算不明"))  # fmt: skip


def _figure(view: View, row: dict[str, Any], column: str) -> str:
    t = view.t
    if row["no_data"]:
        return ui.unknown(t("不明")) if column == "members" else ""
    if column != "members":
        return ui.count(row[column])
    later = (
        f' <span class="bl-note">{ui.said(t("另 {n} 未到期", n=number(row["not_due"])))}</span>'
        if row["not_due"]
        else ""
    )
    return ui.said(f"{number(row['members'])} {t(UNITS[row['set'].unit])}") + later


def _unknown(view: View, row: dict[str, Any]) -> str:
    t = view.t
    if row["no_data"]:
        return ui.unknown(t("全部不明"))
    blind = " " + ui.unknown(t("另 {n} 缺数据", n=number(row["blind"]))) if row["blind"] else ""
    return ui.unknown_count(row["unknown"], t) + blind


def _rate(view: View, row: dict[str, Any]) -> str:
    t = view.t
    if row["no_data"] or (not row["members"] and row["blind"]):
        return ui.unknown(t("不明"))
    if row["unknown"] or row["blind"]:
        return ui.said(t("至多 {share}", share=share(*checklist.at_most(row))))
    return ui.said(share(row["covered"], row["members"]) or ("" if row["not_due"] else t("没有这类人")))


def _as_of(view: View, row: dict[str, Any], now: Live) -> str:
    t = view.t
    if row["number"] == checklist.FROM_STORE and not row["no_data"]:
        return ui.said(t.value(now.today))
    return ui.said(t.month(row["as_of"])) if row["as_of"] else ui.unknown(t("无数据"))


def _drill(view: View, now: Live) -> None:
    t = view.t
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        wanted = {str(n): n for n in BY_NUMBER}
        ui.recall("set", list(wanted))
        chosen = wanted[st.selectbox(
            t("看哪一项"), list(wanted), format_func=lambda n: f"{n} {t(BY_NUMBER[wanted[n]].title)}", key="set", width=360
        ) or "1"]  # fmt: skip
        ui.keep("set", str(chosen), "1")
        state = st.segmented_control(
            t("名单"),
            ["missing", "unknown", "covered"],
            format_func=lambda s: t(STATE_ZH[s]),
            default="missing",
            key="set-state",
            required=True, wrap=True,
        ) or "missing"  # fmt: skip
        checklist_export.button(view)
    item = BY_NUMBER[chosen]
    left, right = st.columns([1, 1.3], gap="medium")
    with left:
        ui.heading(t("哪里缺？"), t("单位：{unit}", unit=t(UNITS[item.unit])))
        places = checklist.by_place(view.warehouse, view.scope, chosen, now).to_dicts()
        if not places:
            ui.empty(t("所选范围内没有这类人和户，或缺少数据来源（见上表“数据月份”）。"))
        else:
            rows = [{**row, "set": item, "no_data": False} for row in places]
            ui.table(rows, [
                Column(t("地点"), lambda row: ui.said(row["place"]) or ui.unknown(t("地点不明")), "w"),
                Column(t("应覆盖"), lambda row: _figure(view, row, "members"), "n"),
                Column(t("已覆盖"), lambda row: ui.count(row["covered"]), "n"),
                Column(t("缺"), lambda row: ui.count(row["missing"]), "n"),
                Column(t("不明"), lambda row: _unknown(view, row), "n"),
                Column(t("覆盖率"), lambda row: _rate(view, row), "n"),
            ])  # fmt: skip
    with right:
        ui.heading(t("名单：{title} · {state}", title=t(item.title), state=t(STATE_ZH[state])))
        _people(view, now, chosen, state)


def _people(view: View, now: Live, chosen: int, state: str) -> None:
    t, item = view.t, BY_NUMBER[chosen]
    turned = f"set-{ui.mark(chosen, state, view.scope)}"
    if chosen == checklist.FROM_STORE:
        _alerts(view, state, turned)
        return
    people, total = checklist.members(view.warehouse, view.scope, chosen, state, ui.page_of(turned), live=now)
    if not total:
        ui.empty(t("这里没有这样的户或人。"))
        return
    who = [
        Column(t("姓名"), lambda row: ui.link(row["name"] or t("姓名不明"), view.household_link(row)), "w"),
        Column(t("户编号"), lambda row: ui.said(row["household_id"]), "w"),
    ]
    ui.table(people.to_dicts(), [
        *(who if item.unit != "village" else []),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        Column(t("状态"), lambda row: ui.unknown(t(row["how"])) if state == "unknown" else ui.said(t(row["how"]))),
    ], t("共 {n}，每页 50", n=number(total)))  # fmt: skip
    ui.pager(total, turned, t)


def _alerts(view: View, state: str, turned: str) -> None:
    """Set 17: the alerts themselves, from the case store."""
    t = view.t
    found = view.read(timely, view.ask_county(vouching.asked_of), view.scope, state, ui.page_of(turned))
    if not found.total:
        ui.empty(t("这里没有这样的预警。"))
        return
    ui.table(found.rows, [
        Column(t("姓名"), lambda row: ui.link(row["name"] or t("姓名不明"), view.link("alerts", alert=row["id"])), "w"),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        Column(t("核实期限"), lambda row: ui.said(t.value(row["due"])), "w"),
        Column(t("状态"), lambda row: ui.said(t(row["how"])), "w"),
    ], t("共 {n}，每页 50", n=number(found.total)))  # fmt: skip
    ui.pager(found.total, turned, t)
