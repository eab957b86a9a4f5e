"""总览: how the county stands, in a minute: five figures, this month's points, where, why, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from monitoring import charts, ui
from monitoring.language import number, share
from monitoring.pages import alerts_load
from monitoring.queries import checklist, overview, points
from monitoring.ui import Column, Tile, View

MEASURES = {
    "per_thousand": ("每千户预警户", "户"),
    "red": ("红色预警户", "户"),
    "gap": ("应保未保户", "户"),
    "unknown": ("收入不明户", "户"),
}


def page(view: View) -> None:
    t = view.t
    alerts_load.overdue(view)
    _tiles(view)
    table = view.ask(overview.township_table).to_dicts()
    left, middle, right = st.columns([1.05, 1, 1.25], gap="medium")
    with left:
        ui.heading(t("本月要点"))
        _points(view)
        _drivers(view)
    with middle:
        _map(view)
    with right:
        ui.heading(t("哪里"), t("每千户预警户从多到少"))
        _places(view, table)
    left, right = st.columns(2, gap="medium")
    with left:
        _levels(view)
    with right:
        _unknown(view)


def _tiles(view: View) -> None:
    t, found = view.t, view.ask(overview.overview)
    sure = view.ask(checklist.guarantee)
    people = found.low_income_persons
    ui.tiles([
        Tile(t("低收入人口"), t.compact(people.value), t("人"),
             _below(t("{n} 户", n=number(found.low_income_households)), _compared(view, people),
                    ui.unknown(t("另有 {n} 户不明", n=number(found.low_income_unknown))) if found.low_income_unknown else ""),
             exact=number(people.value)),
        Tile(t("预警户"), t.compact(found.alerts.value), t("户"),
             _below(_compared(view, found.alerts), t("信号 {n} 条，新增 {new}", n=number(found.signals), new=number(found.signals_new))),
             view.link("alerts"), number(found.alerts.value)),
        Tile(t("▲ 红色预警户"), t.compact(found.red_households), t("户"),
             _below(t("信号 {n} 条", n=number(found.red_signals.value)), _compared(view, found.red_signals)),
             view.link("alerts", level="red"), number(found.red_households)),
        Tile(t("应保未保、应救未救"), t.compact(found.gap_households), t("户"),
             _below(t("信号 {n} 条", n=number(found.gap_signals.value)), _compared(view, found.gap_signals),
                    ui.unknown(t("另有 {n} 户不明", n=number(found.gap_unknown))) if found.gap_unknown else ""),
             view.link("coverage"), number(found.gap_households)),
        Tile(t("不漏一户"), share(sure["covered"], sure["members"]) or t("不明"), t("有人担保"),
             _below(ui.said(t("{n} 户中 {missing} 户无人担保", n=number(sure["members"]), missing=number(sure["missing"]))),
                    ui.unknown(t("不明 {n} 户", n=number(sure["unknown"]))) if sure["unknown"] else ""),
             view.link("checklist"), t("{covered}／{n} 户有人担保", covered=number(sure["covered"]), n=number(sure["members"]))),
    ])  # fmt: skip


def _below(*parts: str) -> str:
    return "　".join(part for part in parts if part)


def _compared(view: View, figure: overview.Figure) -> str:
    if figure.before is None:
        return ""
    return f"{view.t('较上期')} {ui.change(figure.value, figure.before, view.t)}"


def _points(view: View) -> None:
    t = view.t
    items = []
    for point in view.ask(points.points):
        values: dict[str, Any] = {key: number(value) for key, value in point.values.items()}
        values |= {key: t.pick(*both) for key, both in point.titles.items()}
        values |= {key: t.place(name) for key, name in point.places.items()}
        said = ui.said(t(point.template, **values))
        more = f" {ui.link(t('看名单'), view.link('alerts', **point.behind))}" if point.behind else ""
        items.append(f"<li>{said}{more}</li>")
    ui.html(f'<ol class="bl-points">{"".join(items)}</ol>')


def _map(view: View) -> None:
    t = view.t
    shapes = charts.outlines()
    chosen = st.selectbox(
        t("地图"),
        list(MEASURES),
        format_func=lambda key: t(MEASURES[key][0]),
        key="measure",
        label_visibility="collapsed",
    )
    county = _answer_county(view)
    own = None if view.person.places is None else {town for town, _ in view.person.places}
    if shapes is not None and own is not None:
        shapes = {**shapes, "features": [one for one in shapes["features"] if one["properties"]["name"] in own]}
    if shapes is None or not {feature["properties"]["name"] for feature in shapes["features"]} & {
        row["place"] for row in county
    }:
        ui.empty(t("没有这个县的乡镇边界，地图画不出来；右边的表是同样的数字。"))
        return
    unpicked = view.scope == view.scope.unpicked
    shown = set(view.scope.townships or ())
    values = [row[chosen] if unpicked or row["place"] in shown else None for row in county]
    top = max((row[chosen] or 0 for row in county if row["place"]), default=0)
    figure = charts.plot_map(shapes, [row["place"] for row in county], values, top, t(MEASURES[chosen][1]), t)
    ui.chart(figure, "map", t("地图：各乡镇{measure}", measure=t(MEASURES[chosen][0])))


def _answer_county(view: View) -> list[dict[str, Any]]:
    """The whole county's table, so that the map's scale does not follow the picked place."""
    return replace(view, scope=view.scope.unpicked).ask(overview.township_table).to_dicts()


def _places(view: View, rows: list[dict[str, Any]]) -> None:
    t = view.t
    if not rows:
        ui.empty(t("这里没有户。请在上面另选乡镇或村。"))
        return
    by_village = not view.scope.whole_county
    columns = [
        Column(t("村（社区）") if by_village else t("乡镇"), lambda row: _place_link(view, row, by_village), "w"),
        Column(t("预警户"), lambda row: ui.count(row["alerts"]), "n"),
        Column(t("较上期"), lambda row: ui.change(row["alerts"], row["before"], t), "n"),
        Column(t("▲ 红"), lambda row: ui.count(row["red"]), "n"),
        Column(t("缺口"), lambda row: ui.count(row["gap"]), "n"),
        Column(t("收入不明"), lambda row: ui.unknown_count(row["unknown"], t), "n"),
        Column(t("每千户"), lambda row: ui.count(row["per_thousand"]), "n"),
        Column(t("近12期"), lambda row: ui.trend(row["trend"])),
    ]
    if by_village:
        columns = [column for column in columns if column.title not in (t("较上期"), t("近12期"))]
    ui.table(rows, columns)


def _place_link(view: View, row: dict[str, Any], by_village: bool) -> str:
    if row["place"] is None:
        return ui.unknown(view.t("地点不明"))
    return ui.link(row["place"], view.link("alerts", **{"village" if by_village else "township": row["place"]}))


def _drivers(view: View) -> None:
    t = view.t
    ui.heading(t("为什么？哪些问题涉及的户最多"), t("▲红 ■橙 ●黄 ◆蓝"))
    found = view.ask(overview.drivers)
    if found.is_empty():
        ui.empty(t("本期这里没有缺口和风险信号。"))
        return
    ui.chart(charts.plot_drivers(found, t), "drivers", t("各规则涉及的户数"))
    with st.expander(t("看数据")):
        ui.table(found.to_dicts(), [
            Column(t("问题"), lambda row: f"{ui.said(t.pick(row['title_zh'], row['title_en']))} {ui.code(row['rule'])}"),
            Column(t("最高级别"), lambda row: ui.level(row["level"], t), "w"),
            Column(t("户"), lambda row: ui.link(number(row["households"]), view.link("alerts", rule=row["rule"])), "n"),
            Column(t("信号"), lambda row: ui.count(row["signals"]), "n"),
        ])  # fmt: skip


def _levels(view: View) -> None:
    t = view.t
    ui.heading(t("各类信号有多急？"), t("▲红 ■橙 ●黄 ◆蓝"))
    found = view.ask(overview.levels)
    if found.is_empty():
        ui.empty(t("本期这里没有信号。"))
        return
    ui.chart(charts.plot_levels(found, t), "levels", t("各类信号按级别"))


def _unknown(view: View) -> None:
    t = view.t
    ui.heading(t("还有什么不知道？"), t("不明的户和人既不算有问题，也不算没问题"))
    found = view.ask(overview.unknown_reasons)
    if found.is_empty():
        ui.note(t("所有规则都有结论，没有不明。"))
        return
    ui.table(found.to_dicts(), [
        Column(t("缺的信息"), lambda row: ui.said(ui.column_title(row["subject"], row["missing"], t))),
        Column(t("涉及"), lambda row: ui.unknown(f"? {number(row['subjects'])} {t('户' if row['subject'] == 'household' else '人')}"), "n"),
        Column(t("影响的规则"), lambda row: ui.count(row["rules"]), "n"),
    ])  # fmt: skip
