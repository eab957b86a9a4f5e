"""总览: how the county stands, in a minute: five figures, this month's points, where, and below what became of the alerts, why,
the money, and what is not known. Every number leads to its list, which this page shows too (`overview_list`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from monitoring import charts, ui
from monitoring.alerts import funnel
from monitoring.language import number, share
from monitoring.low_income import CATEGORIES
from monitoring.outlines import OutlinesError, outlines_of
from monitoring.pages import alerts_load, overview_list, overview_parts
from monitoring.queries import overview, points, vouching
from monitoring.ui import Column, Tile, View
from monitoring.vouching.live import live

UNKNOWN = "不明"  # as the frame's pickers write a place that is not known
MEASURES = {
    "per_thousand": ("每千户预警户", "户"),
    "alerts": ("预警户", "户"),
    "red": ("红色预警户", "户"),
    "overdue": ("逾期未办", "件"),
    "gap": ("应保未保户", "户"),
    "low_income_persons": ("低收入人口", "人"),
    "income_unknown": ("收入不明户", "户"),
}


def page(view: View) -> None:
    t = view.t
    if not view.ask(overview.made):
        ui.empty(t("这一期是旧版本算出的，没有总览要用的数字。请用 buluo run 重新运行这一期；数据没有丢失。"))
        return
    if overview_list.asked():
        overview_list.page(view)
        return
    told = t("数据截至 {day}", day=view.county.as_of.isoformat())
    ui.html(
        f'<h1 class="bl-print">{ui.said(t("总览"))}<small>{ui.said(_where(view))} {ui.said(t.month(view.county.period))} {ui.said(told)}</small></h1>'
    )
    alerts_load.overdue(view)
    found, work = view.ask(overview.overview), overview_parts.work(view)
    _tiles(view, found, work)
    rows = _rows(view, work)
    left, middle, right = st.columns([1, 0.9, 1.6], gap="medium")
    with left:
        ui.heading(t("本月要点"))
        _points(view)
        _categories(view, found)
    with middle:
        measure = _map(view, rows)
    with right:
        ui.heading(t("哪里"), t("按地图的指标，从多到少"))
        _places(view, rows, measure)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        overview_parts.funnel_of(view)
    with right:
        overview_parts.drivers(view)
    overview_parts.money_of(view)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        overview_parts.unknown(view)
        overview_parts.missed(view)
    with right:
        overview_parts.late(view)
        overview_parts.levels(view)


def _where(view: View) -> str:
    """The places that are shown, in words: for paper, where the pickers are not."""
    t, scope = view.t, view.scope
    if scope.villages:
        return " ".join(t.place(name) for name in scope.villages[0])
    if scope.townships:
        return t.place(scope.townships[0])
    return t("全县") if view.person.places is None else t("负责的全部地方")


def _tiles(view: View, found: overview.Overview, work: funnel.Now) -> None:
    t = view.t
    people, gap = found["low_income_persons"], found["gap"]
    ui.tiles([
        Tile(t("低收入人口"), t.compact(people.value), t("人"),
             _below(t("{n} 户", n=number(found["low_income_households"].value)), _compared(view, people),
                    _unknown(view, found["low_income_unknown_households"].value, "另有 {n} 户不明")),
             view.link("overview", list="persons"), number(people.value)),
        Tile(t("新增预警"), t.compact(work.new), t("件"),
             _below(_change(view, work.new, work.new_before), t("待办 {n} 件", n=number(work.open))),
             view.link("overview", list="case", of="found", window="month"), number(work.new)),
        Tile(t("逾期未办"), t.compact(work.overdue), t("件"),
             _below(ui.said(t("▲ 其中红色 {n}", n=number(work.red))), t("县级督办 {n}", n=number(work.county)),
                    t("无人认领 {n}", n=number(work.unheld)),
                    ui.said(t("未核实 {n}", n=number(work.unverified))), _change(view, work.unverified, work.unverified_before)),
             view.link("overview", list="case", of="overdue"), number(work.overdue)),
        Tile(t("应保未保、应救未救"), t.compact(gap.value), t("户"),
             _below(_compared(view, gap), _unknown(view, found["dibao_unknown"].value, "另有 {n} 户不明")),
             view.link("overview", list="gap"), number(gap.value)),
        _vouched(view, found.previous),
    ])  # fmt: skip


def _vouched(view: View, previous: str | None) -> Tile:
    """For how many households somebody can vouch, by the ledger that the checklist's page shows, and how it was last period."""
    t, where = view.t, view.link("checklist")
    if not view.ask_county(vouching.ready):
        return Tile(t("不漏一户"), t("不明"), t("有人担保"), "", where)
    now = view.read(live, view.ask_county(vouching.asked_of))
    sure = vouching.totals(view.warehouse, view.scope, now)
    before = _totals_before(view, previous, frozen=now.taken)
    return Tile(
        t("不漏一户"), share(sure.vouched, sure.households) or t("不明"), t("有人担保"),
        _below(ui.said(t("{n} 户中 {missing} 户无人担保", n=number(sure.households), missing=number(sure.nobody))),
               _change(view, sure.nobody, before.nobody if before else None),
               ui.said(t("上期 {share}", share=share(before.vouched, before.households))) if before else ""),
        where, t("{covered}／{n} 户有人担保", covered=number(sure.vouched), n=number(sure.households)),
    )  # fmt: skip


def _totals(view: View) -> vouching.Totals:
    return vouching.totals(view.warehouse, view.scope, view.read(live, view.ask_county(vouching.asked_of)))


def _totals_before(view: View, previous: str | None, frozen: bool) -> vouching.Totals | None:
    """Last period's, as it was known then; None where that cannot be said: it is not published any more, or has no ledger, or
    nobody of these places was in it. `frozen`: this period is taken in, so that nothing of the last one changes any more."""
    before = view.as_of_period(previous)
    if before is None or not before.ask_county(vouching.ready):
        return None
    found = before.ask_frozen(vouching.totals, partial(_totals, before)) if frozen else _totals(before)
    return found if found.households else None


def _below(*parts: str) -> str:
    return "　".join(part for part in parts if part)


def _unknown(view: View, count: int, words: str) -> str:
    return ui.unknown(view.t(words, n=number(count))) if count else ""


def _compared(view: View, figure: overview.Figure) -> str:
    return _change(view, figure.value, figure.before)


def _change(view: View, value: int, before: int | None) -> str:
    """The change, or that last period is not known."""
    if before is None:
        return ui.unknown(view.t("上期不明"))
    return f"{ui.said(view.t('较上期'))} {ui.change(value, before, view.t)}"


def _points(view: View) -> None:
    t = view.t
    items = []
    for point in view.ask(points.points):
        values: dict[str, Any] = {key: number(value) for key, value in point.values.items()}
        values |= {key: t.pick(*both) for key, both in point.titles.items()}
        values |= {key: t.place(name) for key, name in point.places.items()}
        said = ui.said(t(point.template, **values))
        more = f" {ui.link(t('看名单'), view.link('overview', **point.behind))}" if point.behind else ""
        items.append(f"<li>{said}{more}</li>")
    if not items:
        ui.empty(t("这里没有户。请在上面另选乡镇或村。"))
        return
    ui.html(f'<ol class="bl-points">{"".join(items)}</ol>')


def _categories(view: View, found: overview.Overview) -> None:
    """The six categories, each person in one; who stands in another one as well is told beside it."""
    t = view.t
    ui.heading(t("低收入人口六类"), t("人、户只计主要的一类，六类相加是总数；兼有的另列"))
    rows = [{"one": one} for one in overview.categories(found)]

    def figure(kind: str, value: Callable[[overview.InCategory], int]) -> Callable[[dict[str, Any]], str]:
        return lambda row: (
            ui.link(number(value(row["one"])), view.link("overview", list=kind, of=row["one"].key))
            if value(row["one"])
            else "0"
        )

    ui.table(rows, [
        Column(t("类别"), lambda row: ui.said(_category(view, row["one"].key))),
        Column(t("人"), figure("persons", lambda one: one.persons.value), "n"),
        Column(t("较上期"), lambda row: ui.change(row["one"].persons.value, row["one"].persons.before, t), "n"),
        Column(t("户"), figure("main", lambda one: one.households), "n"),
        Column(t("兼有"), lambda row: ui.link(number(row["one"].also), view.link("overview", list="also", of=row["one"].key)) if row["one"].also else "0", "n"),
    ])  # fmt: skip
    by_income = found["other_by_income"].value
    if by_income:
        told = t("其他困难人员中 {n} 人只是按收入测算，还没有哪一册认定。", n=number(by_income))
        more = ui.link(t("看名单"), view.link("overview", list="by_income"))
        ui.html(f'<span class="bl-note">{ui.said(told)} <span class="bl-more">{more}</span></span>')
    unknown = found["low_income_unknown_households"].value
    if unknown:
        said = ui.unknown(t("不明 {n} 户 {k} 人", n=number(unknown), k=number(found["low_income_unknown"].value)))
        more = ui.link(t("看名单"), view.link("overview", list="low_income_unknown"))
        ui.html(
            f'<span class="bl-note">{said} {ui.said(t("没有收入依据，不算在内，也不算没有困难。"))} <span class="bl-more">{more}</span></span>'
        )


def _category(view: View, key: str) -> str:
    return view.t.pick(CATEGORIES[key].zh, CATEGORIES[key].en)


def _rows(view: View, work: funnel.Now) -> list[dict[str, Any]]:
    """The places with what is overdue there; a place of which the run knows nothing has no other figure."""
    late = {one.place: one for one in work.late}
    rows = view.ask(overview.township_table).to_dicts()
    known = {row["place"] for row in rows}
    rows += [{"place": place, "township": place} for place in late if place not in known]
    return [row | {"overdue": late[row["place"]].overdue if row["place"] in late else 0} for row in rows]


def _map(view: View, rows: list[dict[str, Any]]) -> str:
    t = view.t
    ui.recall("measure", list(MEASURES))
    measure = st.selectbox(
        t("地图"),
        list(MEASURES),
        format_func=lambda key: t(MEASURES[key][0]),
        key="measure",
        label_visibility="collapsed",
    )
    ui.keep("measure", measure, next(iter(MEASURES)))
    try:
        shapes = outlines_of(view.home, view.county.sample)
    except OutlinesError as problem:
        ui.failure(t("乡镇边界文件不能用，地图没有画；右边的表是同样的数字。请改正："))
        for complaint in problem.complaints:
            ui.note(str(complaint))
        return measure
    everywhere = replace(view, scope=view.scope.unpicked)
    if overview.by_village(everywhere.scope):
        ui.empty(t("地图按乡镇画；您负责的地方在一个乡镇里，请看旁边的表。"))
        return measure
    county = everywhere.ask(overview.township_table).to_dicts()
    own = None if view.person.places is None else {town for town, _ in view.person.places}
    if shapes is not None:
        kept = [one for one in shapes["features"] if own is None or one["properties"]["name"] in own]
        shapes = {**shapes, "features": kept}
    if shapes is None or not {one["properties"]["name"] for one in shapes["features"]} & {
        row["place"] for row in county
    }:
        ui.empty(
            t(
                "没有这个县的乡镇边界，地图画不出来；旁边的表是同样的数字。把边界文件放到数据目录的 codes/townships.geojson 即可。"
            )
        )
        return measure
    late = {one.place: one.overdue for one in overview_parts.work(everywhere).late}
    values = [late.get(row["place"], 0) if measure == "overdue" else row[measure] for row in county]
    top = max(values, default=0) if measure == "overdue" else everywhere.ask(overview.highest, measure)
    picked = next(iter(view.scope.townships or [town for town, _ in view.scope.villages or ()]), None)
    figure = charts.plot_map(shapes, [row["place"] for row in county], values, top, t(MEASURES[measure][1]), t, picked)
    ui.chart(figure, "map", t("地图：各乡镇{measure}", measure=t(MEASURES[measure][0])), partial(_go, view))
    ui.note(
        t("点一个乡镇看它；颜色的上限是近13期的最高值，各期不变。") if measure != "overdue" else t("点一个乡镇看它。")
    )
    return measure


def _go(view: View, township: str) -> None:
    """To a township that was clicked on; its picker holds only what the person may see."""
    st.session_state["township"] = township


def _places(view: View, rows: list[dict[str, Any]], measure: str) -> None:
    t = view.t
    if not rows:
        ui.empty(t("这里没有户。请在上面另选乡镇或村。"))
        return
    by_village = overview.by_village(view.scope)
    known = [row for row in rows if row.get(measure) is not None and row["place"] is not None]
    ordered = sorted(known, key=lambda row: row[measure], reverse=True) + [row for row in rows if row not in known]
    listed = partial(_listed, view, by_village)
    ui.table(ordered, [
        Column(t("村（社区）") if by_village else t("乡镇"), lambda row: _place_link(view, row, by_village), "w"),
        Column(t("预警户"), lambda row: listed(row, "alerts", list="alerts"), "n"),
        Column(t("较上期"), lambda row: ui.change(row.get("alerts"), row.get("before"), t), "n"),
        Column(t("▲ 红"), lambda row: listed(row, "red", list="red"), "n"),
        Column(t("逾期"), lambda row: listed(row, "overdue", list="case", of="overdue"), "n"),
        Column(t("应保未保"), lambda row: listed(row, "gap", list="gap"), "n"),
        Column(t("收入不明"), lambda row: listed(row, "income_unknown", list="income_unknown"), "n"),
        Column(t("每千户"), lambda row: ui.count(row.get("per_thousand")), "n"),
        Column(t("近12期"), lambda row: ui.trend(row.get("trend"))),
    ])  # fmt: skip


def _listed(view: View, by_village: bool, row: dict[str, Any], figure: str, **params: str) -> str:
    """A place's figure, with the list behind it."""
    value = row.get(figure)
    if not value:
        return ui.unknown(view.t("不明")) if value is None else "0"
    return ui.link(number(value), view.link("overview", **_of_place(row, by_village), **params))


def _of_place(row: dict[str, Any], by_village: bool) -> dict[str, str]:
    """The frame's picks for a row's place."""
    if not by_village:
        return {"township": row["place"] or UNKNOWN}
    return {"township": row["township"] or UNKNOWN, "village": row["place"] or UNKNOWN}


def _place_link(view: View, row: dict[str, Any], by_village: bool) -> str:
    if row["place"] is None:
        return ui.unknown(view.t("地点不明"))
    return ui.link(row["place"], view.link("overview", **_of_place(row, by_village)))
