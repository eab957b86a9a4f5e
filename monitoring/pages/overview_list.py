"""总览: the list behind one of its figures. The address says which (`list`, `of`, …), the frame's pickers say where."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.alerts import funnel
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.funnel import MONTHS, STAGES
from monitoring.labels import KIND_ZH, LEVEL_MARK, LEVEL_ZH
from monitoring.language import number
from monitoring.low_income import CATEGORIES
from monitoring.pages import alerts_queue, overview_parts
from monitoring.queries import alerts, behind, money
from monitoring.ui import Column, View

TITLES = {
    "alerts": "有预警信号的户", "red": "红色预警户", "gap": "应保未保、应救未救的户", "persons": "低收入人口：{of}",
    "also": "列入“{of}”、主类别是别的一类的", "main": "主类别是“{of}”的户", "low_income_unknown": "是否低收入不明的户",
    "income_unknown": "收入不明的户", "by_income": "按收入测算、尚未认定的其他困难人员", "rule": "“{of}”涉及的户", "cell": "{of}信号涉及的户", "unknown": "无法判断的户：{of}",
}  # fmt: skip
CASES = {
    **overview_parts.ASIDE, "overdue": "逾期未办", "red": "逾期未办，红色", "county": "逾期未办，县级督办",
    "unheld": "逾期未办，无人认领", "unverified": "逾期未核实",
}  # fmt: skip


def asked() -> bool:
    return bool(st.query_params.get("list"))


def page(view: View) -> None:
    t, figure = view.t, st.query_params.get("list", "")
    back = ui.link(t("← 回总览"), view.link("overview"))
    ui.html(f"<p>{back}</p>")
    if figure == "case":
        _cases(view)
    elif figure == "money":
        _money(view)
    else:
        _households(view, figure, st.query_params.get("of", ""))


def _households(view: View, figure: str, of: str) -> None:
    t, key = view.t, f"list-{figure}-{of}"
    try:
        found = view.ask(behind.behind, figure, of, ui.page_of(key))
    except behind.NoSuchFigure:
        ui.empty(t("没有这份名单。请回总览重新点开。"))
        return
    ui.title(
        t(TITLES[figure], of=_named(view, figure, of)) if "{of}" in TITLES[figure] else t(TITLES[figure]),
        _counted(view, found),
    )
    if not found.households:
        ui.empty(t("这里没有这样的户。"))
        return
    signals = found.rows["message"].null_count() < found.rows.height
    columns = [
        Column(t("户主"), lambda row: ui.link(row["name"] or t("姓名不明"), view.household_link(row)), "w"),
        Column(t("户编号"), lambda row: ui.said(row["household_id"]), "w"),
        Column(t("地点"), lambda row: ui.place(row, t), "w"),
    ]
    if found.persons is not None:
        columns.append(Column(t("计入人数"), lambda row: ui.count(row["persons"]), "n"))
    if signals:
        columns.append(Column(t("原因"), lambda row: ui.said(t.pick(row["message"], row["message_en"]))))
    ui.table(found.rows.to_dicts(), columns)
    ui.pager(found.households, key, t)


def _counted(view: View, found: behind.Behind) -> str:
    t = view.t
    if found.persons is None:
        return t("共 {n} 户", n=number(found.households))
    return t("共 {n} 户 {k} 人", n=number(found.households), k=number(found.persons))


def _named(view: View, figure: str, of: str) -> str:
    """What part of the figure, in words."""
    t = view.t
    if figure in ("persons", "also", "main"):
        return t.pick(CATEGORIES[of].zh, CATEGORIES[of].en) if of else t("全部六类")
    if figure == "cell":
        kind, _, level = of.partition(" ")
        return f"{LEVEL_MARK[level]} {t(LEVEL_ZH[level])} {t(KIND_ZH[kind])}"
    rule, _, column = of.partition(" ")
    title = _rule(view, rule)
    if not column:
        return title
    row = view.ask_county(alerts.rules)[rule]
    return t("“{rule}”缺{column}", rule=title, column=ui.column_title(row["subject"], column, t))


def _rule(view: View, rule: str) -> str:
    row = view.ask_county(alerts.rules).get(rule)
    return rule if row is None else view.t.pick(row["title_zh"], row["title_en"])


def _cases(view: View) -> None:
    t, figure, window = view.t, st.query_params.get("of", ""), st.query_params.get("window", "month")
    if figure not in funnel.FIGURES or window not in MONTHS:
        ui.empty(t("没有这份名单。请回总览重新点开。"))
        return
    key = f"list-case-{figure}-{window}"
    cards, total = view.read(
        funnel.behind, figure, view.county.period, MONTHS[window], overview_parts.places_of(view), ui.page_of(key)
    )
    ui.title(_case_title(view, figure, window), t("共 {n} 件", n=number(total)))
    if not cards:
        ui.empty(t("这里没有这样的预警。"))
        return
    ui.table([{"card": card} for card in cards], [
        Column(t("级别"), lambda row: ui.level(row["card"].level, t), "w"),
        Column(t("户主或对象"), lambda row: ui.link(alerts_queue.name(view, row["card"]), _case_link(view, row["card"])), "w"),
        Column(t("乡镇、村"), lambda row: ui.said(alerts_queue.place(view, row["card"])), "w"),
        Column(t("原因"), lambda row: ui.said(t.pick(row["card"].headline, row["card"].headline_en))),
        Column(t("期限"), lambda row: ui.said(alerts_queue.due(view, row["card"])), "w"),
        Column(t("在谁手里"), lambda row: ui.said(alerts_queue.who(view, row["card"])), "w"),
    ])  # fmt: skip
    ui.pager(total, key, t)


def _case_title(view: View, figure: str, window: str) -> str:
    t = view.t
    if figure in STAGES or figure in funnel.ASIDE:
        stage = t.pick(*STAGES[figure]) if figure in STAGES else t(CASES[figure])
        return t.named(t(overview_parts.WINDOWS[window]), stage)
    return t(CASES[figure])


def _case_link(view: View, card: AlertCard) -> str | None:
    if view.person.may("page.alerts"):
        return view.link("alerts", alert=card.id)
    return view.household_link({"household_id": card.household_id, "household_key": None})


def _money(view: View) -> None:
    t, params = view.t, st.query_params
    programme, month, failed = params.get("of", ""), params.get("month", ""), params.get("failed") == "1"
    found = view.ask(money.money)
    if programme not in {one.name for one in found.programmes} or month not in ("", *found.months):
        ui.empty(t("没有这份名单。请回总览重新点开。"))
        return
    key = f"list-money-{programme}-{month}-{failed}"
    rows, total, yuan = view.ask(money.paid_to, programme, month, failed, ui.page_of(key))
    when = t.month(month) if month else t("近12个月")
    said = t("没有发放成功") if failed else t("已发放")
    ui.title(f"{t(programme)} · {when} · {said}", t("共 {n} 笔 {yuan}", n=number(total), yuan=t.money(yuan)))
    if not total:
        ui.empty(t("这里没有这样的发放。"))
        return

    def who(row: dict[str, Any]) -> str:
        return ui.link(row["name"] or t("姓名不明"), view.household_link(row))

    ui.table(rows.to_dicts(), [
        Column(t("姓名"), who, "w"),
        Column(t("地点"), lambda row: ui.place(row, t), "w"),
        Column(t("所属月份"), lambda row: ui.said(t.month(row["month"])), "w"),
        Column(t("金额（元）"), lambda row: ui.unknown(t("不明")) if row["amount"] is None else number(row["amount"]), "n"),
        Column(t("状态"), lambda row: ui.said(t(row["status"])), "w"),
    ])  # fmt: skip
    ui.pager(total, key, t)
