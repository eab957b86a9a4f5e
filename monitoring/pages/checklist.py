"""不漏一户: the 18 sets that must be covered, who is missing, and the balances that show that nothing was lost."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.checklist import BY_NUMBER
from monitoring.labels import STATE_ZH
from monitoring.language import number, share
from monitoring.queries import checklist
from monitoring.ui import Column, View

UNITS = {"household": "户", "person": "人", "record": "件", "village": "个"}


def page(view: View) -> None:
    t = view.t
    sure = view.ask(checklist.guarantee)
    ui.title(t("不漏一户"), t("{n} 户中 {covered} 户有人担保 · {missing} 户无人担保 · {unknown} 户情况不明",
                           **{("n" if name == "members" else name): number(value) for name, value in sure.items()}))  # fmt: skip
    _sets(view)
    _drill(view)
    _balances(view)


def _sets(view: View) -> None:
    t = view.t
    rows = [{**row, "set": BY_NUMBER[row["number"]]} for row in view.ask(checklist.checklist).to_dicts()]
    ui.table(rows, [
        Column("", lambda row: ui.count(row["number"]), "n"),
        Column(t("必须覆盖的人和户"), lambda row: ui.said(t(row["set"].title))),
        Column(t("怎样算覆盖"), lambda row: f'<span class="bl-note">{ui.said(t(row["set"].test))}</span>'),
        Column(t("应覆盖"), lambda row: _figure(view, row, "members"), "n"),
        Column(t("已覆盖"), lambda row: _figure(view, row, "covered"), "n"),
        Column(t("缺"), lambda row: _figure(view, row, "missing"), "n"),
        Column(t("不明"), lambda row: ui.unknown(t("全部不明")) if row["no_data"] else ui.unknown_count(row["unknown"], t), "n"),
        Column(t("覆盖率"), lambda row: _rate(view, row), "n"),
        Column(t("数据月份"), lambda row: ui.said(t.month(row["as_of"])) if row["as_of"] else ui.unknown(t("无数据")), "w"),
        Column(t("责任单位"), lambda row: ui.said(t(row["set"].department)), "w"),
    ])  # fmt: skip


def _figure(view: View, row: dict[str, Any], column: str) -> str:
    if row["no_data"]:
        return ui.unknown("?") if column == "members" else ""
    return ui.said(
        f"{number(row[column])} {view.t(UNITS[row['set'].unit])}" if column == "members" else number(row[column])
    )


def _rate(view: View, row: dict[str, Any]) -> str:
    t = view.t
    if row["no_data"]:
        return ui.unknown(t("不明"))
    return ui.said(share(row["covered"], row["members"]) or t("没有这类人"))


def _drill(view: View) -> None:
    t = view.t
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            t("看哪一项"), list(BY_NUMBER), format_func=lambda n: f"{n} {t(BY_NUMBER[n].title)}", key="set", width=360
        )
        state = st.segmented_control(
            t("名单"),
            ["missing", "unknown", "covered"],
            format_func=lambda s: t(STATE_ZH[s]),
            default="missing",
            key="set-state",
            required=True,
        )
    item = BY_NUMBER[chosen]
    if item.select is None:
        ui.empty(t("这一项还没有数据来源，所以全部不明：预警的核实在办理功能启用后统计。"))
        return
    left, right = st.columns([1, 1.3], gap="medium")
    with left:
        ui.heading(t("哪里缺？"), t("单位：{unit}", unit=t(UNITS[item.unit])))
        places = view.ask(checklist.by_place, chosen).to_dicts()
        if not places:
            ui.empty(t("所选范围内没有这类人和户，或缺少数据来源（见上表“数据月份”）。"))
        else:
            ui.table(places, [
                Column(t("地点"), lambda row: ui.said(row["place"]) or ui.unknown(t("地点不明")), "w"),
                Column(t("应覆盖"), lambda row: ui.count(row["members"]), "n"),
                Column(t("已覆盖"), lambda row: ui.count(row["covered"]), "n"),
                Column(t("缺"), lambda row: ui.count(row["missing"]), "n"),
                Column(t("不明"), lambda row: ui.unknown_count(row["unknown"], t), "n"),
                Column(t("覆盖率"), lambda row: ui.said(share(row["covered"], row["members"])), "n"),
            ])  # fmt: skip
    with right:
        ui.heading(t("名单：{title} · {state}", title=t(item.title), state=t(STATE_ZH[state or "missing"])))
        turned = f"set-{hash((chosen, state, view.scope))}"
        people, total = view.ask(checklist.members, chosen, state or "missing", ui.page_of(turned))
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


def _balances(view: View) -> None:
    t = view.t
    ui.heading(t("账是平的吗？"), t("全县；少一行、少一人都会在这里显出来"))
    ui.table(view.ask_county(checklist.balances), [
        Column(t("项目"), lambda row: ui.said(t(row["title"]))),
        Column(t("总数"), lambda row: ui.count(row["whole"]), "n"),
        Column(t("分项"), lambda row: ui.said(" + ".join(f"{t(name)} {number(value)}" for name, value in row["parts"].items()))),
        Column(t("结果"), lambda row: ui.said(t("✓ 平")) if row["holds"] else f'<span class="bl-late">{ui.said(t("✗ 不平，请联系管理员"))}</span>', "w"),
    ])  # fmt: skip
