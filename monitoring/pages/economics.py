"""成效: what each rule finds and what came of it; rules in shadow and replays; the past again, with how early it would have seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.alerts import economics as doors
from monitoring.labels import KIND_ZH
from monitoring.language import number, share
from monitoring.pages import economics_backtest, economics_shadow, precision
from monitoring.queries import economics
from monitoring.queries.economics import Fired
from monitoring.ui import Column, View

PARTS = {"rules": "规则成效", "shadow": "影子运行与回放", "backtest": "回测"}
KINDS = {**KIND_ZH, "policy": "政策"}
ALL = "全部"


def page(view: View) -> None:
    t = view.t
    ui.title(t("成效"), t("规则发现了什么、上门核实有多少属实、少了它会漏掉谁；数字少的只给区间"))
    ui.recall("part", list(PARTS))
    part = st.segmented_control(
        t("看什么"), list(PARTS), default="rules" if "part" not in st.session_state else None, key="part", required=True, wrap=True,
        label_visibility="collapsed", format_func=lambda key: t(PARTS[key]),
    )  # fmt: skip
    ui.keep("part", part, "rules")
    if part == "shadow":
        economics_shadow.section(view)
    elif part == "backtest":
        economics_backtest.section(view)
    else:
        _rules(view)


def _rules(view: View) -> None:
    t = view.t
    told = view.ask_runs(economics.fired)
    came = view.read(doors.came_of, view.scope)
    _summary(view, told)
    rows = economics.economics(told, came)
    together = economics.overlaps(told)
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        kinds = [ALL, *(kind for kind in KINDS if any(row["kind"] == kind for row in rows))]
        kind = st.segmented_control(
            t("类别"), kinds, default=ALL, key="economics-kind", required=True, wrap=True,
            format_func=lambda kind: t(KINDS.get(kind or ALL, ALL)),
        )  # fmt: skip
        shown = [row for row in rows if kind in (ALL, row["kind"])]
        titles = {row["rule"]: t.pick(row["title_zh"], row["title_en"]) for row in shown}
        ui.recall("rule", list(titles))
        chosen = st.selectbox(
            t("看哪条规则"), ["", *titles], key="rule", width=380, format_func=lambda code: titles[code] if code else t("全部规则"),
        )  # fmt: skip
        ui.keep("rule", chosen)
    if chosen:
        _rule(view, told, came, chosen, together.get(chosen, []))
        return
    worth = [row for row in shown if row["signals"] or row["alerts"]]
    if not worth:
        ui.empty(
            t("所选范围和类别里，近 {n} 期没有规则给出信号，也没有预警。可以换一个乡镇或类别。", n=len(told.periods))
        )
        return
    ui.table(worth, [
        Column(t("规则"), lambda row: f"{ui.link(titles[row['rule']], view.link('economics', rule=row['rule']))} {ui.code(row['rule'])}"),
        *_figures(view),
        Column(t("常和它一起命中"), lambda row: _beside(view, together.get(row["rule"], [])[:1])),
    ], t("有信号或预警的 {n} 条，共 {all} 条；命中和户数为近 {months} 期，预警起为办理以来全部",
         n=number(len(worth)), all=number(len(shown)), months=len(told.periods)))  # fmt: skip


def _summary(view: View, told: Fired) -> None:
    t = view.t
    work, (alone, homes) = view.read(doors.worked, view.scope), economics.only_one(told)
    each = "—" if work.visits_each is None else number(work.visits_each)
    found = work.found
    ui.tiles([
        ui.Tile(t("规则发现"), t.compact(homes), t("户"), ui.said(t("近 {n} 期，各规则合计去重", n=len(told.periods))), exact=number(homes)),
        ui.Tile(t("只靠一条规则发现"), t.compact(alone), t("户"), ui.said(t("停掉那条规则，就没有别的规则会指出来")), exact=number(alone)),
        ui.Tile(t("预警"), t.compact(work.alerts), t("件"), ui.said(t("已核实 {n}，已帮扶 {m}", n=number(work.verified), m=number(work.helped))), exact=number(work.alerts)),
        ui.Tile(t("每件走访"), each, t("次"), ui.said(t("已核实的 {n} 件走访 {m} 次", n=number(work.verified), m=number(work.visits)))),
        ui.Tile(t("上门属实"), "—" if found.few else share(found.confirmed, found.decided), "", precision.below(view, found)),
    ])  # fmt: skip


def _figures(view: View) -> list[Column]:
    t = view.t
    return [
        Column(t("命中"), lambda row: ui.count(row["signals"]), "n"),
        Column(t("户"), lambda row: ui.count(row["households"]), "n"),
        Column(t("只靠它"), lambda row: ui.count(row["alone"]), "n"),
        Column(t("预警"), lambda row: ui.count(row["alerts"]), "n"),
        Column(t("核实"), lambda row: ui.count(row["verified"]), "n"),
        Column(t("帮扶"), lambda row: ui.count(row["helped"]), "n"),
        Column(t("无困难"), lambda row: ui.count(row["no_difficulty"]), "n"),
        Column(t("走访"), lambda row: ui.count(row["visits"]), "n"),
        Column(t("上门属实"), lambda row: precision.cell(view, row["precision"])),
    ]


def _beside(view: View, rows: Sequence[dict[str, Any]]) -> str:
    t = view.t
    return ui.said(t.listed(t.aside(t.pick(row["title_zh"], row["title_en"]), t("{n}／{all} 户", n=number(row["households"]), all=number(row["of"]))) for row in rows))  # fmt: skip


def _rule(view: View, told: Fired, came: Any, code: str, together: list[dict[str, Any]]) -> None:
    t = view.t
    row = next(row for row in economics.economics(told, came) if row["rule"] == code)
    title = t.pick(row["title_zh"], row["title_en"])
    name = ui.link(title, view.link("rules", rule=code)) if view.person.may("page.rules") else ui.said(title)
    ui.html(f"<div><b>{name}</b> {ui.code(code)}</div>")
    alone = row["alone_precision"]
    if alone.decided:
        ui.note(t.named(t("只有这条规则的预警，上门属实"), precision.told(view, alone.confirmed, alone.decided, (alone.low, alone.high), alone.few)))  # fmt: skip
    ui.heading(t("各版本"), t("条件、级别或文件改过，就是另一个版本"))
    since = {one["version"]: one for one in told.versions.to_dicts() if one["rule"] == code}
    rows = [one for one in economics.economics(told, came, ("rule", "version")) if one["rule"] == code]
    ui.table(rows, [
        Column(t("版本"), lambda one: ui.said(_version(view, since.get(one["version"])))), *_figures(view),
    ])  # fmt: skip
    ui.heading(t("各乡镇"))
    places = [one for one in economics.economics(told, came, ("rule", "township")) if one["rule"] == code]
    ui.table(places, [Column(t("乡镇"), lambda one: ui.place(one, t), "w"), *_figures(view)])
    ui.heading(t("常和哪些规则一起命中？"), t("同一户、同一期"))
    if not together:
        ui.empty(t("近 {n} 期里，它命中的户没有别的规则同时命中。", n=len(told.periods)))
        return
    ui.table(together, [
        Column(t("规则"), lambda one: f"{ui.link(t.pick(one['title_zh'], one['title_en']), view.link('economics', rule=one['other']))} {ui.code(one['other'])}"),
        Column(t("一起命中"), lambda one: ui.count(one["households"]), "n"),
        Column(t("占它的"), lambda one: ui.said(t("{n}／{all} 户", n=number(one["households"]), all=number(one["of"]))), "n"),
    ])  # fmt: skip


def _version(view: View, found: dict[str, Any] | None) -> str:
    t = view.t
    if found is None:
        return t("更早的，已不可考")
    return t("第 {n} 版（{a} 至 {b}）", n=found["version"], a=t.month(found["since"]), b=t.month(found["until"]))
