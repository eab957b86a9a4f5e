"""What could not be judged: rule by place, against the last period, and of whom for want of what."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from monitoring import ui
from monitoring.language import number, share
from monitoring.queries import blindness
from monitoring.ui import Column, View
from monitoring.vouching.live import Live


def part(view: View, now: Live) -> None:
    t = view.t
    found = view.ask(blindness.blindness)
    if not found.height:
        ui.heading(t("哪条规则在哪里看不清？"))
        ui.empty(t("所选范围内，判断困难的规则对每一户、每一人都能作出判断，所用数据都没有过期。"))
    else:
        _map(view, found)
        _whom(view, found)
    _against_last(view)


def _map(view: View, found: pl.DataFrame) -> None:
    t = view.t
    cells: dict[tuple[str, str | None], dict[str, Any]] = {(row["rule"], row["place"]): row for row in found.to_dicts()}
    rules = found.unique("rule", maintain_order=True).to_dicts()
    places = found.sort(["of_place", "place"], descending=[True, False])["place"].unique(maintain_order=True).to_list()
    ui.heading(t("哪条规则在哪里看不清？"), t("每格：能判断的占多少；颜色刻度固定 0–100%，越差越靠前；点开看名单"))
    ui.table(rules, [
        Column(t("规则"), lambda row: f"{ui.said(t.pick(row['title_zh'], row['title_en']))} {ui.code(row['rule'])}"
               + (f' <span class="bl-note">{ui.said(t("不作担保要求"))}</span>' if row["exempt"] else "")),
        *(Column(t.place(place), _cell(view, cells, place), "n") for place in places),
    ])  # fmt: skip


def _cell(view: View, cells: dict[tuple[str, str | None], dict[str, Any]], place: str | None) -> Any:
    def cell(row: dict[str, Any]) -> str:
        found = cells.get((row["rule"], place))
        if found is None:
            return '<span class="bl-cell none">–</span>'
        seen = blindness.seen(found)
        link = ui.link(
            share(seen.judged, found["judged"]) or "–", view.link("checklist", part="blind", rule=row["rule"])
        )
        return f'<span class="bl-cell bl-seen{seen.step}">{link}</span>'

    return cell


def _whom(view: View, found: pl.DataFrame) -> None:
    t = view.t
    titles = {row["rule"]: t.pick(row["title_zh"], row["title_en"]) for row in found.to_dicts()}
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        ui.recall("rule", list(titles))
        rule = st.selectbox(t("看哪条规则"), list(titles), format_func=titles.__getitem__, key="rule", width=420)
        ui.keep("rule", rule)
    if rule is None:
        return
    ui.heading(t("不能判断的是谁，缺什么？"))
    for row in view.ask(blindness.late_of_rule, rule):
        ui.note(t("{place}：{feeds}没有到或已过期，这里没有命中的都不能算核清", place=t.place(row["township"]),
                  feeds=t.listed(ui.feed(name, t) for name in row["feeds"])))  # fmt: skip
    turned = f"blind-{ui.mark(rule, view.scope)}"
    people, total = view.ask(blindness.of_whom, rule, ui.page_of(turned))
    if not total:
        ui.empty(t("没有哪一户、哪个人因为缺少自己的数据而不能判断。"))
        return
    ui.table(people.to_dicts(), [
        Column(t("姓名"), lambda row: ui.link(row["name"] or t("姓名不明"), view.household_link(row)), "w"),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        Column(t("缺什么"), lambda row: ui.unknown(t.listed(ui.column_title(row["subject"], name, t) for name in row["missing"]))),
        Column(t("户编号"), lambda row: ui.said(row["household_id"]), "w"),
    ], t("共 {n}，每页 50", n=number(total)))  # fmt: skip
    ui.pager(total, turned, t)


def _against_last(view: View) -> None:
    t = view.t
    rows = view.ask(blindness.against_last)
    ui.heading(t("预警少了，是变好了，还是看不清了？"), t("与上一期比；信号少而看不清的多，另生成一件县级预警"))
    ui.table(rows, [
        Column(t("乡镇"), lambda row: ui.said(t.place(row["township"])), "w"),
        Column(t("困难信号"), lambda row: ui.count(row["signals"]), "n"),
        Column(t("上期"), lambda row: ui.count(row["signals_before"]) or ui.unknown(t("不明")), "n"),
        Column(t("看不清的判断"), lambda row: _percent(row["blind"], view), "n"),
        Column(t("上期"), lambda row: _percent(row["blind_before"], view), "n"),
        Column(t("提示"), lambda row: f'<span class="bl-late">{ui.said(t("△ 少了预警、多了看不清"))}</span>' if row["fell_silent"] else ""),
    ])  # fmt: skip


def _percent(value: float | None, view: View) -> str:
    return ui.unknown(view.t("不明")) if value is None else ui.said(f"{value:.1f}%")
