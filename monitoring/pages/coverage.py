"""应保未保: programme by place, who is due and not covered, who cannot be judged; the registers held against each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import streamlit as st

from monitoring import charts, ui
from monitoring.language import number
from monitoring.queries import coverage, registers
from monitoring.ui import Column, View

STATES = {"gap": "缺口", "unknown": "不明", "covered": "已覆盖"}


def page(view: View) -> None:
    t = view.t
    ui.title(t("应保未保"), t("应覆盖 = 已覆盖 + 缺口；不明的另列，不算已覆盖"))
    by_programme, by_register = st.tabs([t("各项救助"), t("台账比对")])
    with by_programme:
        _programmes(view)
    with by_register:
        _registers(view)


def _unit(row: dict[str, Any]) -> str:
    return "户" if row["subject"] == "household" else "人"


def _programmes(view: View) -> None:
    t = view.t
    found = view.ask(coverage.coverage)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        ui.heading(t("哪些救助还有缺口？"))
        ui.table(found.to_dicts(), [
            Column(t("项目"), lambda row: ui.said(t(row["title"]))),
            Column(t("应覆盖"), lambda row: _figure(view, row, "eligible"), "n"),
            Column(t("已覆盖"), lambda row: _figure(view, row, "covered"), "n"),
            Column(t("缺口"), lambda row: _figure(view, row, "gap"), "n"),
            Column(t("不明"), lambda row: ui.unknown_count(row["unknown"], t) if row["judged"] else "", "n"),
            Column(t("覆盖率"), lambda row: _rate(view, row), "n"),
        ])  # fmt: skip
    with right:
        ui.heading(t("已覆盖、缺口、不明各占多少？"))
        ui.chart(charts.plot_coverage(found.filter(pl.col("judged")), t), "coverage", t("各项救助的覆盖、缺口、不明"))
    _places(view, {row["key"]: row for row in found.to_dicts()})


def _figure(view: View, row: dict[str, Any], column: str) -> str:
    if not row["judged"]:
        return ui.unknown(view.t("规则未启用")) if column == "eligible" else ""
    return ui.said(f"{number(row[column])} {view.t(_unit(row))}")


def _rate(view: View, row: dict[str, Any]) -> str:
    if not row["judged"]:
        return ""
    return ui.rate(row["covered"], row["eligible"], row["unknown"], view.t)


def _places(view: View, titles: dict[str, dict[str, Any]]) -> None:
    t = view.t
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        ui.recall("programme", list(titles))
        key = st.selectbox(
            t("看哪一项"), list(titles), format_func=lambda key: t(titles[key]["title"]), key="programme", width=300
        )
        ui.keep("programme", key, "dibao")
        state = st.segmented_control(
            t("名单"),
            list(STATES),
            format_func=lambda state: t(STATES[state]),
            default="gap",
            key="state",
            required=True,
        )
    left, right = st.columns([1, 1.3], gap="medium")
    unit = t(_unit(titles[key]))
    with left:
        ui.heading(t("哪里缺得多？"), t("单位：{unit}", unit=unit))
        places = view.ask(coverage.programme_by_place, key).to_dicts()
        ui.table(places, [
            Column(t("地点"), lambda row: ui.said(row["place"]) or ui.unknown(t("地点不明")), "w"),
            Column(t("应覆盖"), lambda row: ui.count(row["eligible"]), "n"),
            Column(t("已覆盖"), lambda row: ui.count(row["covered"]), "n"),
            Column(t("缺口"), lambda row: ui.count(row["gap"]), "n"),
            Column(t("不明"), lambda row: ui.unknown_count(row["unknown"], t), "n"),
            Column(t("覆盖率"), lambda row: ui.rate(row["covered"], row["eligible"], row["unknown"], t), "n"),
        ])  # fmt: skip
    with right:
        ui.heading(t("名单：{title} · {state}", title=t(titles[key]["title"]), state=t(STATES[state or "gap"])))
        turned = f"programme-{hash((key, state, view.scope))}"
        people, total = view.ask(coverage.programme_list, key, state or "gap", ui.page_of(turned))
        names(view, people, total, titles[key]["subject"], turned)


def names(view: View, people: pl.DataFrame, total: int, subject: str, turned: str) -> None:
    """A list of households or persons, fifty a page, each a link to the household."""
    t = view.t
    if not total:
        ui.empty(t("这里没有这样的户或人。"))
        return
    figure = t("人口") if subject == "household" else t("年龄")
    ui.table(people.to_dicts(), [
        Column(t("户主") if subject == "household" else t("姓名"), lambda row: ui.link(row["name"] or t("姓名不明"), view.household_link(row)), "w"),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        Column(figure, lambda row: ui.count(row["figure"]) or ui.unknown(t("不明")), "n"),
        Column(t("户编号"), lambda row: ui.said(row["household_id"]), "w"),
    ], t("共 {n}，每页 50", n=number(total)))  # fmt: skip
    ui.pager(total, turned, t)


def _registers(view: View) -> None:
    t = view.t
    found = view.ask(registers.compared)
    cells = {(row["first"], row["second"]): row for row in found.to_dicts()}
    ui.heading(t("在一个台账里、不在另一个里的人"), t("在世人员；每格：在左边台账、不在上边台账的人数"))
    rows = [{"first": register} for register in registers.REGISTERS]
    columns = [
        Column(t("在"), lambda row: f"<b>{ui.said(t(row['first'].title))}</b>", "w"),
        Column(t("共"), lambda row: ui.count(cells[row["first"].key, row["first"].key]["both"]), "n"),
    ]
    for other in registers.REGISTERS:
        columns.append(Column(t("不在 {title}", title=t(other.title)), _difference(cells, other.key), "n"))
    ui.table(rows, columns)
    with st.container(key="pair", horizontal=True, vertical_alignment="bottom"):
        keys = list(registers.BY_KEY)
        first = st.selectbox(t("在"), keys, format_func=lambda key: t(registers.BY_KEY[key].title), key="in", width=240)
        second = st.selectbox(
            t("不在"),
            [key for key in keys if key != first],
            format_func=lambda key: t(registers.BY_KEY[key].title),
            key="not-in",
            width=240,
        )
    turned = f"register-{hash((first, second, view.scope))}"
    people, total = view.ask(registers.difference, first, second, ui.page_of(turned))
    names(view, people, total, "person", turned)


def _difference(cells: dict[tuple[str, str], dict[str, Any]], second: str) -> Callable[[dict[str, Any]], str]:
    """The cell of a register (row) that says how many of its people do not stand in the second one."""
    return lambda row: "—" if row["first"].key == second else ui.count(cells[row["first"].key, second]["only_first"])
