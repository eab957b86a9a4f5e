"""户档案: one household, everything that is known of it, and where that stands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import streamlit as st

from monitoring import charts, ui
from monitoring.alerts import queue
from monitoring.labels import FROM_CHECK, INCOME_SOURCE_ZH, KIND_ZH, LEVELS, OUTCOME_ZH, columns_of
from monitoring.language import number
from monitoring.pages import (
    household_entitlement,
    household_names,
    household_risk,
    household_timeline,
    household_vouching,
    household_why,
)
from monitoring.pages.household_visits import visits
from monitoring.pages.signal_cards import OPEN, limits, signal_card
from monitoring.people import viewing
from monitoring.queries import alerts, conditions, household, income, verdicts
from monitoring.queries.alerts import Signal
from monitoring.queries.household import Household
from monitoring.queries.verdicts import PartVerdict, Verdict
from monitoring.ui import Column, View


def page(view: View) -> None:
    wanted = st.query_params.get("household")
    if not wanted:
        _search(view)
        return
    key = view.ask(household.find, number_then(view, wanted) or wanted)
    found = view.ask(household.household, key) if key is not None else None
    if key is None or found is None:
        ui.empty(view.t("没有找到这一户，或它不在所选的乡镇、村内。请查证户编号，或在上面改选“全县”。"))
        _search(view)
        return
    shown = household_names.opened(view, found)
    _file(shown, found if shown.scope.masked else shown.ask(household.household, key) or found)


def number_then(view: View, wanted: str) -> str | None:
    """The number of the household that a link of another run means: the period was changed since, or a new one published."""
    said = household.key_of(wanted)
    if said is None or said[1] in ("", view.county.run):
        return None
    run = next((run for run in view.published.runs if run.run == said[1]), None) if view.published else None
    return None if run is None else household.number_of(ui.open_warehouse(str(run.path)), view.scope, said[0])


def _search(view: View) -> None:
    t = view.t
    ui.title(t("户档案"), t("从预警、名单点进来，或在这里查找"))
    text = st.text_input(
        t("查找"), key="find-household", placeholder=t("姓名、证件号后4位以上、户编号"), type="search", width=420
    )
    if not text:
        ui.empty(t("请输入户主或成员的姓名、证件号的末4位以上，或户编号。"))
        return
    found = view.ask(household.search, text).to_dicts()
    view.read(viewing.searched, text, len(found))
    if not found:
        ui.empty(t("所选范围内没有这个人或户。姓名要写全；换成证件号末4位试试。"))
        return
    ui.table(found, [
        Column(t("姓名"), lambda row: ui.link(row["name"] or t("姓名不明"), view.household_link(row)), "w"),
        Column(t("证件号码"), lambda row: ui.said(row["number"]) or ui.unknown(t("无可用号码")), "w"),
        Column(t("年龄"), lambda row: ui.count(row["age"]) or ui.unknown(t("不明")), "n"),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        Column(t("户编号"), lambda row: ui.said(row["household_id"])),
    ], t("最多列出 20 人"))  # fmt: skip


def _file(view: View, found: Household) -> None:
    t, key = view.t, found.key
    place = " ".join(part for part in (found.township, found.village, found.group) if part) or t("地点不明")
    ui.title(
        t("{head} 户", head=found.head or t("户主不明")),
        f"{place} · {t('在世 {n} 人', n=found.living)} · {t('户编号')} {found.number}",
    )
    if not found.registered:
        ui.banner(t("这一户不在户籍台账内，由其他台账的人组成；请核实住址和家庭成员。"))
    household_names.control(view, found)
    signals, waits = _signals(view, key)
    origins = view.ask(household.origins, key)
    levels = [level for level in LEVELS if any(signal.level == level for signal in signals)]
    marks = " ".join(ui.level(level, t) for level in levels)
    ui.html(f"<div>{marks} {ui.said(t('{n} 条信号', n=len(signals)) if signals else t('本期没有信号'))}</div>")
    household_vouching.section(view, key)
    left, right = st.columns([1.15, 1], gap="medium")
    with left:
        _members(view, found)
        _income(view, found)
        _programmes(view, found)
        household_timeline.section(view, found)
    with right:
        ui.heading(t("信号和原因"))
        for signal in signals:
            signal_card(view, signal, origins, waits=waits)
        if not signals:
            ui.empty(t("本期没有信号。没有信号不等于没有困难：请看下面“不明”的规则。"))
        household_risk.section(view, key)
    household_entitlement.section(view, found.key)
    _verdicts(view, found)
    household_why.section(view, found.key)
    _records(view, found, origins)


def _signals(view: View, key: int) -> tuple[list[Signal], bool]:
    """The run's signals with the limits of the open alert, and whether these still run."""
    masked = replace(view, scope=replace(view.scope, masked=True)).ask(alerts.signals_of, key)
    known = view.ask(household.number_of, key)
    card = view.read(queue.open_alert_of, known) if known else None
    limited = limits(view, masked, card, view.read(queue.signals, card.id) if card else ())
    dates = [one.due_date for one in limited]
    shown = masked if view.scope.masked else view.ask(alerts.signals_of, key)
    return [replace(one, due_date=day) for one, day in zip(shown, dates, strict=True)], bool(
        card and card.status in OPEN
    )


def _members(view: View, found: Household) -> None:
    t = view.t
    ui.heading(t("家庭成员"))
    rows = view.ask(household.members, found.key).to_dicts()
    ui.table(rows, [
        Column(t("姓名"), lambda row: ui.said(row["name"]) or ui.unknown(t("姓名不明")), "w"),
        Column(t("关系"), lambda row: ui.said(t(row["relation"])) if row["relation"] else ui.said(t("户主") if row["is_head"] else ""), "w"),
        Column(t("性别、年龄"), lambda row: _age(view, row), "w"),
        Column(t("证件号码"), lambda row: ui.said(row["number"]) or ui.unknown(t("无可用号码")), "w"),
        Column(t("情况"), lambda row: ui.said(t.clauses(facts(view, row)))),
    ])  # fmt: skip


def _age(view: View, row: dict[str, Any]) -> str:
    t = view.t
    age = ui.unknown(t("年龄不明")) if row["age"] is None else ui.said(t("{n} 岁", n=row["age"]))
    return f"{ui.said(t(row['sex'])) if row['sex'] else ''} {age}"


def facts(view: View, row: dict[str, Any]) -> list[str]:
    """What programmes turn on, in words; only what is so."""
    t = view.t
    facts = []
    if not row["alive"]:
        facts.append(t("{day} 死亡", day=row["death_date"] or t("日期不明")))
    if not row["belongs"]:
        facts.append(t("同时在另一户"))
    if row["has_certificate"]:
        facts.append(
            t("{kind}残疾{grade}级", kind=t(row["disability_kind"] or "类别不明"), grade=row["disability_grade"] or "?")
        )
    for column, said in (
        ("seriously_ill", "重病"),
        ("on_dibao", "低保"),
        ("on_tekun", "特困"),
        ("on_low_income", "低收入家庭"),
    ):
        if row[column]:
            facts.append(t(said))
    if row["studying"]:
        facts.append(t("{stage}在读", stage=t(row["stage"] or "")))
    if row["insured"] is not True and row["alive"]:
        facts.append(t("未参加医保") if row["insured"] is False else t("参保不明"))
    facts += [
        t.value(row[column])
        for column in ("care_categories", "labour", "health")
        if row[column] and row[column] != "健康"
    ]
    if not row["registered"]:
        facts.append(t("不在户籍台账"))
    return facts


def _income(view: View, found: Household) -> None:
    t = view.t
    assessed = view.ask(income.income, found.key)
    if assessed is None:
        return
    ui.heading(t("收入怎么算"), t("元／人·月"))
    if assessed.income_pc is None:
        ui.empty(
            t(
                "收入不明：没有 24 个月内的核对，监测和低保台账里也没有。与低保标准 {standard} 元无法比较，请先核对。",
                standard=number(assessed.standard),
            )
        )
        return
    relation = t("低于") if assessed.income_pc < assessed.standard else t("不低于")
    source = t(INCOME_SOURCE_ZH.get(assessed.source or "", "来源不明"))
    checked = (
        t("（{day}）", day=assessed.checked.isoformat()) if assessed.checked and assessed.source == FROM_CHECK else ""
    )
    ui.html(
        f"<div>{ui.said(t('月人均 {pc} 元，{relation}低保标准 {standard} 元。来源：{source}{checked}', pc=number(assessed.income_pc), relation=relation, standard=number(assessed.standard), source=source, checked=checked))}</div>"
    )
    if assessed.blank:
        ui.html(ui.unknown(t("核对表中空着、按 0 计：{items}", items=t.value(assessed.blank))))
    if assessed.steps:
        ui.chart(charts.plot_income(assessed, t), "income", t("从各项收入到月人均收入"))
        columns = columns_of("household")
        with st.expander(t("看数据")):
            ui.table([vars(step) for step in assessed.steps], [
                Column(t("项目"), lambda row: ui.said(t.pick(columns[row["column"]].zh, columns[row["column"]].en))),
                Column(t("户／年"), lambda row: ui.unknown(t("空，按 0 计")) if row["year"] is None else ui.said(t.money(row["year"])), "n"),
                Column(t("元／人·月"), lambda row: ui.said(f"{row['month']:+,.2f}" if row["month"] else "0"), "n"),
                Column(t("是否计入"), lambda row: ui.said(t("计入") if row["counted"] else t("本地政策不计"))),
            ])  # fmt: skip


def _programmes(view: View, found: Household) -> None:
    t = view.t
    ui.heading(t("享受什么（近三年）"))
    stretches = view.ask(household.programmes, found.key)
    if stretches.is_empty():
        ui.note(t("各台账里没有这户人的救助、监测或残疾记录。"))
        return
    ui.chart(charts.plot_programmes(stretches, view.county.as_of, t), "programmes", t("各项救助的起止"))
    with st.expander(t("看数据")):
        ui.table(stretches.to_dicts(), [
            Column(t("项目"), lambda row: ui.said(t(row["programme"]))),
            Column(t("姓名"), lambda row: ui.said(row["name"]), "w"),
            Column(t("内容"), lambda row: ui.said(_detail(view, row["detail"]))),
            Column(t("金额"), lambda row: ui.said(t("{yuan} 元／月", yuan=number(row["amount"]))) if row["amount"] is not None else "", "n"),
            Column(t("起"), lambda row: ui.said(row["from_date"]) or ui.unknown(t("不明")), "w"),
            Column(t("止"), lambda row: ui.said(row["until_date"]) or ui.said(t("至今") if row["active"] else ""), "w"),
        ])  # fmt: skip


def _detail(view: View, text: str | None) -> str:
    return " · ".join(view.t.value(part) for part in (text or "").split(" · ") if part)


def _verdicts(view: View, found: Household) -> None:
    """Every rule with its parts; the clear ones last."""
    t = view.t
    judged = view.ask(verdicts.verdicts, found.key)
    by_outcome = {outcome: [v for v in judged if v.outcome == outcome] for outcome in OUTCOME_ZH}
    ui.heading(
        t("规则逐条"),
        t("命中 {hit}，不明 {unknown}，未命中 {clear}", **{name: len(rows) for name, rows in by_outcome.items()}),
    )
    labels = [f"{t(OUTCOME_ZH[outcome])} {len(rows)}" for outcome, rows in by_outcome.items()]
    for tab, (outcome, rows) in zip(st.tabs(labels), by_outcome.items(), strict=True):
        with tab:
            if not rows:
                ui.note(t("没有。"))
                continue
            ui.table([{"v": verdict} for verdict in rows], [
                Column(t("规则"), lambda row: f"{ui.said(t.pick(row['v'].title_zh, row['v'].title_en))} {ui.code(row['v'].rule)}<br>"
                       f'<span class="bl-note">{ui.said(t(KIND_ZH[row["v"].kind]))} · {ui.said(row["v"].name or t("全户"))}</span>'),
                Column(t("条件和看到的值"), lambda row: _parts(view, row["v"])),
                Column(t("缺什么") if outcome == "unknown" else t("离触发多远"),
                       lambda row: _lacks(view, row["v"]) if row["v"].outcome == "unknown" else _distance(view, row["v"])),
                Column(t("依据"), lambda row: f'<span class="bl-note">{ui.said(row["v"].clause)}</span>'),
            ])  # fmt: skip


def _parts(view: View, verdict: Verdict) -> str:
    items = "".join(f"<li>{_part(view, verdict, part)}</li>" for part in verdict.parts)
    return f'<ul class="bl-parts">{items}</ul>'


def _part(view: View, verdict: Verdict, part: PartVerdict) -> str:
    t = view.t
    known = view.ask_county(verdicts.parameters_in_force)
    words = conditions.in_words(part.part.tree, verdict.subject, known, t, t.code == "en")
    values = t("，").join(
        f"{ui.column_title(verdict.subject, name, t)} {ui.column_value(verdict.subject, name, value, t)}"
        for name, value in part.values.items()
        if not isinstance(value, bool)
    )
    mark = {True: "✓ ", False: "✗ ", None: "? "}[part.outcome]
    outcome = t({True: "符合", False: "不符合", None: "不明"}[part.outcome])
    seen = f'<span class="bl-note">{ui.said(t.aside("", values))}</span>' if values else ""
    said = ui.said(t.named(f"{mark}{outcome}", words))
    return f"{ui.unknown(f'{mark}{outcome}')} {ui.said(words)}{seen}" if part.outcome is None else f"{said}{seen}"


def _lacks(view: View, verdict: Verdict) -> str:
    names = [ui.column_title(verdict.subject, name, view.t) for name in verdict.missing]
    return " ".join(ui.unknown(name) for name in names)


def _distance(view: View, verdict: Verdict) -> str:
    short = verdict.only_short_of
    if short is None or short.distance is None:
        return ""
    unit = ui.column_unit(verdict.subject, short.unit_of, view.t)
    return ui.said(view.t("只差 {n} {unit}", n=number(short.distance), unit=unit))


def _records(view: View, found: Household, origins: pl.DataFrame) -> None:
    t = view.t
    paid, seen = view.ask(household.payments, found.key), visits(view, found.key)
    tabs = st.tabs([f"{t('发放')} {paid.height}", f"{t('走访')} {len(seen)}", f"{t('数据出处')} {origins.height}"])
    with tabs[0]:
        if paid.is_empty():
            ui.note(t("没有发放记录。"))
        else:
            ui.table(paid.head(60).to_dicts(), [
                Column(t("月份"), lambda row: ui.said(row["paid_month"].strftime("%Y-%m")), "w"),
                Column(t("项目"), lambda row: ui.said(t(row["item"]))),
                Column(t("姓名"), lambda row: ui.said(row["name"]), "w"),
                Column(t("金额"), lambda row: ui.said(t.money(row["amount"])) if row["amount"] is not None else ui.unknown(t("不明")), "n"),
                Column(t("状态"), lambda row: ui.said(t(row["status"] or "不明"))),
            ], t("最近 60 笔"))  # fmt: skip
    with tabs[1]:
        if not seen:
            ui.note(t("没有走访记录。"))
        else:
            ui.table([vars(one) for one in seen], [
                Column(t("日期"), lambda row: ui.said(row["day"]), "w"),
                Column(t("走访人"), lambda row: ui.said(row["visitor"]), "w"),
                Column(t("方式"), lambda row: ui.said(row["mode"]), "w"),
                Column(t("结果"), lambda row: ui.said(row["found"])),
                Column(t("记在哪里"), lambda row: ui.said(row["source"]), "w"),
            ])  # fmt: skip
    with tabs[2]:
        ui.table(origins.to_dicts(), [
            Column(t("台账"), lambda row: ui.said(ui.feed(row["feed"], t))),
            Column(t("姓名"), lambda row: ui.said(row["name"]), "w"),
            Column(t("日期"), lambda row: ui.said(row["row_date"]), "w"),
            Column(t("交来月份"), lambda row: ui.said(t.month(row["delivered"])), "w"),
            Column(t("文件和行"), lambda row: ui.said(ui.origin(row, t))),
            Column(t("是否计入"), lambda row: ui.said(t("计入") if row["counts"] else t("已被后来的数据替代"))),
        ])  # fmt: skip
