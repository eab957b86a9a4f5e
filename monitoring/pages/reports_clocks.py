"""时效: from what happened to the help, cut at the alert: late data by department, late work by township, with the cases."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from monitoring import clocks, ui
from monitoring.alerts.clocks import clocks as milestones
from monitoring.language import number, share
from monitoring.ui import Column, View

BY = {"department": "部门（数据）", "township": "乡镇（办理）"}


def section(view: View) -> None:
    t = view.t
    rows = view.read(lambda store, caller, at: milestones(store, caller, view.warehouse, at, picked=view.scope))
    if rows.is_empty():
        ui.empty(t("还没有已落实帮扶的户，时效无从计算。预警办结、登记帮扶措施后这里才有数字。"))
        return
    late, cases = clocks.late_share(rows)
    said = t("已帮扶 {n} 户（件）。", n=number(rows.height))
    if late is None:
        said += t("发生时间都不明，分不出数据晚还是办理晚。")
    else:
        said += t("其中起止都清楚的 {n} 件，从事情发生到帮扶的全部天数里，{share} 用在数据送到、发现预警以前，其余用在核实、决定和落实。",
                  n=number(cases), share=share(late, 1))  # fmt: skip
    ui.html(f'<p class="bl-said">{ui.said(said)}</p>')
    left, right = st.columns(2, gap="medium")
    with left:
        ui.heading(t("数据晚在哪个部门？"), t("中位天数（工作日）"))
        _table(view, clocks.medians(rows, "department"), "department", clocks.DATA)
    with right:
        ui.heading(t("办理晚在哪里？"), t("中位天数（工作日）"))
        _table(view, clocks.medians(rows, "township"), "township", clocks.WORK)
    ui.note(
        t(
            "数据送到的日子：首次带来这一行的那一期的月末，当月提前运行的按运行日。整册报送的台账没有记下某一行何时首次送到，算作不明。"
        )
    )
    _cases(view, rows)


def _table(view: View, found: pl.DataFrame, by: str, steps: tuple[tuple[str, str], ...]) -> None:
    t = view.t
    columns = [
        Column(t("部门") if by == "department" else t("乡镇"), lambda row: _named(view, row[by], by)),
        Column(t("件"), lambda row: ui.count(row["cases"]), "n"),
    ]
    columns += [Column(_step(view, step), _median(view, "_".join(step)), "n") for step in steps]
    columns += [Column(t("占全部天数"), _share(view, "data_share" if by == "department" else "work_share"), "n")]
    ui.table(found.to_dicts(), columns)


def _step(view: View, step: tuple[str, str]) -> str:
    first, last = (view.t(clocks.MILESTONES[name]) for name in step)
    return view.t("{first} → {last}", first=first, last=last)


def _named(view: View, value: str | None, by: str) -> str:
    if value is not None:
        return ui.said(view.t(value) if by == "department" else value)
    return ui.unknown(view.t("来源不明") if by == "department" else view.t("地点不明"))


def _median(view: View, name: str) -> Any:
    def cell(row: dict[str, Any]) -> str:
        if row[name] is None:
            return ui.unknown(view.t("不明"))
        told = view.t("{days}（{working}）", days=number(row[name]), working=number(row[f"{name}_working"]))
        partly = row[f"{name}_known"] < row["cases"]
        return ui.said(told) + (
            f' <span class="bl-note">{ui.said(view.t("{n} 件清楚", n=number(row[f"{name}_known"])))}</span>'
            if partly
            else ""
        )

    return cell


def _share(view: View, name: str) -> Any:
    return lambda row: ui.unknown(view.t("不明")) if row[name] is None else share(row[name], 1)


def _cases(view: View, rows: pl.DataFrame) -> None:
    t = view.t
    steps = ["_".join(step) for step in clocks.STEPS]
    of_step = dict(zip(steps, clocks.STEPS, strict=True))
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        by = st.selectbox(t("名单按"), list(BY), format_func=lambda key: t(BY[key]), key="clock-by", width=180)
        names = clocks.medians(rows, by)[by].to_list()
        value = st.selectbox(
            t("哪一个"), names, key=f"clock-{by}", width=220,
            format_func=lambda name: t(name) if name else t("来源不明") if by == "department" else t("地点不明"),
        )  # fmt: skip
        step = st.selectbox(
            t("哪一段"), steps, format_func=lambda key: _step(view, of_step[key]), key="clock-step", width=260
        )
    turned = f"clock-{ui.mark(by, value, step, view.scope)}"
    found, total = clocks.slowest(rows, step, by, value, ui.page_of(turned))
    if not total:
        ui.empty(t("这里没有这一段起止都清楚的件。"))
        return
    ui.table(found.to_dicts(), [
        Column(t("预警"), lambda row: _alert(view, row), "w"),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        Column(t("事情"), lambda row: ui.said(ui.feed(row["feed"], t)) if row["feed"] else ui.unknown(t("来源不明"))),
        *(Column(t(said), _day(view, name), "w") for name, said in clocks.MILESTONES.items()),
        Column(_step(view, of_step[step]), lambda row: ui.said(t("{days} 天（{working} 个工作日）", days=number(row[step]), working=number(row[f"{step}_working"]))), "n"),
    ], t("共 {n}，每页 50，最久的在前", n=number(total)))  # fmt: skip
    ui.pager(total, turned, t)


def _alert(view: View, row: dict[str, Any]) -> str:
    t = view.t
    may = view.person.may("page.alerts")
    address = view.link("alerts", alert=row["alert_id"]) if may else view.household_link(row)
    return ui.link(t("第 {n} 号", n=row["alert_id"]), address)


def _day(view: View, name: str) -> Any:
    return lambda row: ui.said(row[name].isoformat()) if row[name] else ui.unknown(view.t("不明"))
