"""总览, below its first screen: what became of the alerts, why, the money, what is not known and which feeds are late."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import streamlit as st

from monitoring import charts, ui
from monitoring.alerts import funnel
from monitoring.alerts.funnel import MONTHS, STAGES, Course, Places
from monitoring.desk.due import LATE
from monitoring.labels import KIND_ZH, LEVELS, feed_departments
from monitoring.language import number, share
from monitoring.misses.asking import missed_now
from monitoring.queries import money, overview, sources
from monitoring.ui import Column, View

WINDOWS = {"month": "本月新增", "year": "近12个月新增"}
ASIDE = {
    "no_need": "核实后无需帮扶或继续观察", "corrected": "确认后终止或更正待遇", "unhelped": "确认后没有登记帮扶就办结",
}  # fmt: skip
UNKNOWN = "不明"


def places_of(view: View) -> Places:
    """The frame's picks, for the case store."""
    scope, by_village = view.scope, overview.by_village(view.scope)
    if scope.villages:
        township, village = scope.villages[0]
        return Places(township or "", village or "", by_village)
    if scope.townships:
        return Places(scope.townships[0] or "", None, by_village)
    return Places(by_village=by_village)


def work(view: View) -> funnel.Now:
    ended = view.county.as_of.replace(day=1) + timedelta(days=-1)
    return view.read(funnel.now, view.county.period, ended, places_of(view))


def funnel_of(view: View) -> None:
    t = view.t
    ui.heading(t("从预警到帮扶"), t("每一步都含在上一步里；天数是从上一步起的日历天"))
    ui.recall("window", list(WINDOWS))
    window = st.segmented_control(
        t("时段"), list(WINDOWS), key="window", default=None if "window" in st.session_state else "year", required=True, wrap=True,
        format_func=lambda key: t(WINDOWS[key]), label_visibility="collapsed",
    )  # fmt: skip
    window = window or "year"
    ui.keep("window", window, "year")
    found = view.read(funnel.funnel, view.county.period, MONTHS[window], places_of(view))
    if not found.whole.found:
        ui.empty(t("这段时间这里没有新增预警。"))
        return
    whole = found.whole
    rows = [{"step": step, "course": whole} for step in whole.steps]
    ui.table(rows, [
        Column(t("步骤"), lambda row: ui.said(t.pick(*STAGES[row["step"].stage])), "w"),
        Column(t("件"), lambda row: _stage(view, window, row["step"].stage, row["step"].alerts), "n"),
        Column("", lambda row: ui.bar(row["step"].alerts, whole.found)),
        Column(t("占发现"), lambda row: ui.said(share(row["step"].alerts, whole.found)), "n"),
        Column(t("中位天数"), lambda row: _days(view, row["step"]), "n"),
    ])  # fmt: skip
    told = [_on_time(view, whole)]
    for of in funnel.ASIDE:
        if counted := getattr(whole, of):
            told.append(f"{ui.said(t(ASIDE[of]))} {_stage(view, window, of, counted)} {ui.said(t('件'))}")
    ui.html(f'<span class="bl-note">{"　".join(told)}</span>')
    with st.expander(t("各地从预警到帮扶")):
        _by_place(view, window, found)


def _by_place(view: View, window: str, found: funnel.Funnel) -> None:
    t, by_village = view.t, overview.by_village(view.scope)
    rows = [{"course": course, **{step.stage: step for step in course.steps}} for course in found.places]
    stages = [
        Column(t.pick(*STAGES[stage]), partial(_stage_of_place, view, window, by_village, stage), "n")
        for stage in STAGES
    ]
    ui.table(rows, [
        Column(t("村（社区）") if by_village else t("乡镇"), lambda row: ui.said(t.place(row["course"].place)), "w"),
        *stages,
        Column(t("核实中位天数"), lambda row: _days(view, row["verified"]), "n"),
        Column(t("按时核实"), lambda row: _on_time(view, row["course"], short=True), "n"),
    ])  # fmt: skip
    ui.note(t("不足 {n} 件的不算中位数。", n=funnel.FEW))


def _stage_of_place(view: View, window: str, by_village: bool, stage: str, row: dict[str, Any]) -> str:
    place = row["course"].place or UNKNOWN
    picked = {"village" if by_village else "township": place}
    return _stage(view, window, stage, row[stage].alerts, **picked)


def _stage(view: View, window: str, stage: str, alerts: int, **place: str) -> str:
    if not alerts:
        return "0"
    return ui.link(number(alerts), view.link("overview", list="case", of=stage, window=window, **place))


def _days(view: View, step: funnel.Step) -> str:
    t = view.t
    if step.stage == "found":
        return ""
    if step.median is None:
        return ui.unknown(t("不足 {n} 件", n=funnel.FEW)) if step.alerts else ""
    return ui.said(t("{n} 天", n=number(step.median)))


def _on_time(view: View, course: Course, short: bool = False) -> str:
    """Verified by their day, of those whose day has come or that are verified."""
    t = view.t
    if not course.due:
        return "" if short else ui.said(t("还没有到期要核实的"))
    rate = share(course.on_time, course.due)
    words = "{share}（{n}／{due}）" if short else "按时核实 {share}（{n}／{due} 件）"
    return ui.said(t(words, share=rate, n=number(course.on_time), due=number(course.due)))


def drivers(view: View) -> None:
    t = view.t
    ui.heading(t("为什么？哪些问题涉及的户最多"), t("▲红 ■橙 ●黄 ◆蓝"))
    found = [row for row in view.ask(overview.drivers).to_dicts() if row["households"]]
    if not found:
        ui.empty(t("本期这里没有缺口和风险信号。"))
        return
    most = found[0]["households"]
    ui.table(found, [
        Column(t("问题"), lambda row: f"{ui.said(t.pick(row['title_zh'], row['title_en']))} {ui.code(row['rule'])}"),
        Column(t("最高级别"), lambda row: ui.level(row["level"], t), "w"),
        Column(t("户"), lambda row: ui.link(number(row["households"]), view.link("overview", list="rule", of=row["rule"])), "n"),
        Column("", lambda row: ui.bar(row["households"], most)),
    ])  # fmt: skip


def money_of(view: View) -> None:
    t, found = view.t, view.ask(money.money)
    ui.heading(t("钱发到了吗？各项目每月发放"), t("按所属月份；临时救助按发放月份；没有成功的另列"))
    if not found.programmes:
        ui.empty(t("近12个月没有收到任何发放数据，发了多少不明。"))
        return
    if found.nothing:
        ui.empty(t("近12个月报来的发放数据里没有这里的人。"))
        return
    amounts = [(one.name, [cell.amount for cell in one.cells]) for one in found.programmes]
    ui.chart(charts.plot_money(found.months, amounts, t), "money", t("各项目每月发放金额"))
    rows = [{"one": one, **{cell.month: cell for cell in one.cells}} for one in found.programmes]
    with st.expander(t("看数据：每个项目、每个月"), key="money-rows"):
        ui.table(rows, [
            Column(t("项目"), lambda row: ui.said(t(row["one"].name)), "w"),
            *(Column(t.short_month(month), partial(_cell, view, month), "n") for month in found.months),
            Column(t("12个月合计（元）"), lambda row: ui.count(row["one"].paid), "n"),
        ])  # fmt: skip
    failed = [one for one in found.programmes if one.failed]
    for one in failed:
        more = ui.link(t("看名单"), view.link("overview", list="money", of=one.name, failed="1"))
        said = t(
            "{name}：{n} 笔 {yuan} 没有发放成功",
            name=t(one.name),
            n=number(one.failed),
            yuan=t.money(one.failed_amount),
        )
        ui.html(
            f'<div class="bl-note"><span class="bl-up">{ui.said(said)}</span> <span class="bl-more">{more}</span></div>'
        )
    blank = [t("{name} {n} 笔", name=t(one.name), n=number(one.blank)) for one in found.programmes if one.blank]
    if blank:
        ui.note(t("没有写金额、没有计入的：{what}", what=t.listed(blank)))
    for feed, months in found.missing.items():
        said = t.listed(t.month(month) for month in months)
        _lacking(t("“{feed}”这些月份没有报送，不明：{months}", feed=ui.feed(feed, t), months=said))


def _cell(view: View, month: str, row: dict[str, Any]) -> str:
    cell = row[month]
    if cell.amount is None:
        return ui.unknown("?")
    if not cell.payments:
        return "0"
    return ui.link(number(cell.amount), view.link("overview", list="money", of=row["one"].name, month=month))


def unknown(view: View) -> None:
    t = view.t
    ui.heading(t("还有什么不知道？"), t("不明的户和人既不算有问题，也不算没问题"))
    found = view.ask(overview.unknown_reasons)
    if found.is_empty():
        judged = view.ask(overview.overview)["households"].value
        ui.note(t("所有规则都有结论，没有不明。") if judged else t("这里没有户。请在上面另选乡镇或村。"))
        return
    ui.table(found.to_dicts(), [
        Column(t("缺的信息"), lambda row: ui.said(ui.column_title(row["subject"], row["missing"], t))),
        Column(t("涉及"), lambda row: _subjects(view, row), "n"),
        Column(t("影响的规则"), lambda row: ui.count(row["rules"]), "n"),
    ])  # fmt: skip


def missed(view: View) -> None:
    """Households in difficulty that nothing flagged, where the sample tells how many; for the whole county only."""
    t = view.t
    if not view.person.may("page.misses") or not view.scope.whole_county:
        return
    found = view.read(missed_now)
    if found is None:
        return
    low, high = found.limits
    text = "没有信号、也没有帮扶或在办的 {all} 户里，估计还有 {n} 户有困难没有被发现（95% 区间 {low} 至 {high} 户）"
    if not found.needy:
        text = "没有信号、也没有帮扶或在办的 {all} 户里，抽查没有发现有困难的；这不等于没有，95% 把握不超过 {high} 户"
    values = {"all": number(found.households), "n": number(found.about), "low": number(low), "high": number(high)}
    said = t(text, **values)
    more = ui.link(t("怎么知道的"), view.link("misses"))
    ui.html(f'<div class="bl-note">{ui.unknown("?")} {ui.said(said)} <span class="bl-more">{more}</span></div>')


def _subjects(view: View, row: dict[str, Any]) -> str:
    t = view.t
    told = (
        t("{n} 户", n=number(row["subjects"]))
        if row["subject"] == "household"
        else t("{n} 人", n=number(row["subjects"]))
    )
    if row["subject"] not in ("household", "person"):
        return ui.unknown(f"? {number(row['subjects'])}")
    more = view.link("overview", list="unknown", of=f"{row['rule']} {row['missing']}")
    return f'<span class="bl-unknown">? {ui.link(told, more)}</span>'


def late(view: View) -> None:
    """How old the data are: the feeds whose day is over without a file, whose they are, and since when."""
    t, found = view.t, view.sources
    ui.heading(t("数据到齐了吗？"), view.sources_said())
    owed = found.of(LATE) if found else []
    rows = [row for row in view.ask_county(sources.feeds).to_dicts() if row["feed"] in owed]
    ui.table(rows, [
        Column(t("过期未报的数据源"), lambda row: ui.said(ui.feed(row["feed"], t))),
        Column(t("责任部门"), lambda row: ui.said(t(feed_departments().get(row["feed"], ""))), "w"),
        Column(t("最近一期"), lambda row: ui.said(t.month(row["last_period"])) if row["last_period"] else ui.unknown(t("从未报送")), "w"),
    ]) if rows else ui.note(t("本期没有过了期限还没报的数据源。"))  # fmt: skip
    for row in view.ask(sources.late_townships).to_dicts():
        said = t(
            "{feed}：{townships} 最近一期是 {month}",
            feed=ui.feed(row["feed"], t),
            townships=row["townships"],
            month=t.month(row["last_period"]),
        )
        _lacking(said)


def _lacking(said: str) -> None:
    """What is unknown, in a sentence that may be long."""
    ui.html(f'<div class="bl-note">{ui.unknown("?")} {ui.said(said)}</div>')


def levels(view: View) -> None:
    t = view.t
    ui.heading(t("各类信号有多急？"), t("涉及的户"))
    found = view.ask(overview.levels).to_dicts()
    if not found:
        ui.empty(t("本期这里没有信号。"))
        return
    kinds = [
        {"kind": kind, **{row["level"]: row["households"] for row in found if row["kind"] == kind}} for kind in KIND_ZH
    ]
    ui.table(kinds, [
        Column(t("类别"), lambda row: ui.said(t(KIND_ZH[row["kind"]])), "w"),
        *(Column(t(mark), partial(_level, view, level), "n") for level, mark in zip(LEVELS, ("▲ 红", "■ 橙", "● 黄", "◆ 蓝"), strict=True)),
    ])  # fmt: skip


def _level(view: View, level: str, row: dict[str, Any]) -> str:
    households = row.get(level)
    if not households:
        return "0"
    return ui.link(number(households), view.link("overview", list="cell", of=f"{row['kind']} {level}"))
