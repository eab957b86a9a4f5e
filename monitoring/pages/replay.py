"""A changed condition on every published period: figures by month, what the door said of who comes and goes, and who they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from monitoring import charts, ui
from monitoring.alerts import economics as doors
from monitoring.backtest.asking import with_names
from monitoring.language import number
from monitoring.pages import precision
from monitoring.simulating import CannotSimulate, replaying
from monitoring.simulating.replaying import Replayed, Said
from monitoring.ui import Column, View

ROWS = 50


def section(view: View, code: str, subject: str, record: str, when: str) -> None:
    t = view.t
    with st.spinner(t("正在过去各期上回放……")):
        try:
            told = view.ask_runs(replaying.replay, code, subject, record, when)
        except CannotSimulate as refusal:
            ui.failure(t("这个条件不能用：{why}", why=t.clauses(refusal.words)))
            return
    for period, why in told.left_out:
        ui.banner(t.named(t.month(period), t.said(why)))
    if told.months.is_empty():
        ui.empty(t("还没有可以回放的期。每发布一期，就能多回放一期。"))
        return
    months = told.months.to_dicts()
    ui.note(t("共 {n} 期，每期只用当期已知的数据和当期有效的参数。", n=number(len(months))))
    ui.chart(charts.plot_replay(months, t, t("改后的")), f"replay-chart-{code}", t("各期命中：现在的条件和改后的条件"))
    with st.expander(t("看数据")):
        table(view, months, t("改后命中"), t("改后不明"))
    said(view, replaying.said_at_the_door(told.moves, view.read(doors.door, view.scope)))
    households(view, told, f"replay-{code}")


def table(view: View, months: Sequence[Mapping[str, Any]], after: str, unknown: str) -> None:
    t = view.t
    ui.table([dict(month) for month in reversed(months)], [
        Column(t("期"), lambda row: ui.said(t.month(row["period"])), "w"),
        Column(t("现在命中"), lambda row: ui.count(row["hit_before"]), "n"),
        Column(after, lambda row: ui.count(row["hit_after"]), "n"),
        Column(t("新命中"), lambda row: ui.count(row["come"]), "n"),
        Column(t("不再命中"), lambda row: ui.count(row["go"]), "n"),
        Column(t("现在不明"), lambda row: ui.unknown_count(row["unknown_before"], t), "n"),
        Column(unknown, lambda row: ui.unknown_count(row["unknown_after"], t), "n"),
    ])  # fmt: skip


def said(view: View, told: dict[str, Said]) -> None:
    """Of the households that come and go, what visits found in that period or half a year after it."""
    t = view.t
    rows: list[dict[str, Any]] = [{"moved": moved, "said": one} for moved, one in told.items()]
    ui.table(rows, [
        Column(t("变动"), lambda row: ui.said(t(replaying.MOVED[row["moved"]])), "w"),
        Column(t("户"), lambda row: ui.count(row["said"].households), "n"),
        Column(t("上门属实"), lambda row: precision.cell(view, row["said"].found)),
        Column(t("没有人去看过"), lambda row: ui.unknown_count(row["said"].silent, t), "n"),
    ], t("当期或其后 6 个月内核实过的；同一户只算第一次结论"))  # fmt: skip


def households(view: View, told: Replayed, key: str) -> None:
    t = view.t
    moved = st.segmented_control(
        t("名单"), list(replaying.MOVED), default="come", key=f"{key}-moved", required=True, wrap=True, format_func=lambda name: t(replaying.MOVED[name]),
    )  # fmt: skip
    rows = replaying.listed(told.moves, moved or "come")
    if not rows:
        ui.empty(t("没有这样的户。"))
        return
    turned = f"{key}-{moved}-page"
    first = ui.first_of(ui.page_of(turned), ROWS)
    ui.table(with_names(view.warehouse, view.scope, rows[first : first + ROWS]), [
        Column(t("户主"), lambda row: ui.link(row["name"] or t("姓名不明"), view.household_link(row)), "w"),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        Column(t("最早一期"), lambda row: ui.said(t.month(row["first"])), "w"),
        Column(t("最近一期"), lambda row: ui.said(t.month(row["last"])), "w"),
        Column(t("期数"), lambda row: ui.count(row["periods"]), "n"),
    ], t("共 {n}，每页 50", n=number(len(rows))))  # fmt: skip
    ui.pager(len(rows), turned, t, ROWS)
