"""政策规则: each rule with its text, clause and values, what it finds by month, what it cannot judge, what came of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import charts, ui
from monitoring.alerts import confirmed
from monitoring.alerts.confirmed import Confirmed
from monitoring.labels import KIND_ZH, SUBJECT_UNIT_ZH, SUBJECT_ZH, parameter_words
from monitoring.language import number, share
from monitoring.pages import precision, rules_change
from monitoring.queries import rulebook
from monitoring.rules.loading import shadow_files
from monitoring.simulating import CannotSimulate, replaying
from monitoring.ui import Column, View

KINDS = {**KIND_ZH, "policy": "政策"}
ALL = "全部"


def page(view: View) -> None:
    t = view.t
    ui.title(t("政策规则"), t("每条规则问什么、依据哪一条、发现多少、上门核实有多少属实"))
    book = view.ask(rulebook.rulebook).to_dicts()
    outcomes = view.read(confirmed.confirmed)
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        kinds = [ALL, *(kind for kind in KINDS if any(row["kind"] == kind for row in book))]
        kind = st.segmented_control(
            t("类别"), kinds, default=ALL, key="rules-kind", required=True, wrap=True,
            format_func=lambda kind: t(KINDS.get(kind or ALL, ALL)),
        )  # fmt: skip
        codes = {row["rule"]: row for row in book if kind in (ALL, row["kind"])}
        ui.recall("rule", list(codes))
        chosen = st.selectbox(
            t("看哪条规则"), ["", *codes], key="rule", width=380,
            format_func=lambda code: t.pick(codes[code]["title_zh"], codes[code]["title_en"]) if code else t("全部规则"),
        )  # fmt: skip
        ui.keep("rule", chosen)
    if chosen:
        _rule(view, codes[chosen], outcomes.get(chosen))
    else:
        _book(view, list(codes.values()), outcomes)


# --- all rules


def _book(view: View, rows: list[dict[str, Any]], outcomes: dict[str, Confirmed]) -> None:
    t = view.t
    ui.table(rows, [
        Column(t("规则"), lambda row: f"{ui.link(t.pick(row['title_zh'], row['title_en']), view.link('rules', rule=row['rule']))} {ui.code(row['rule'])}"),
        Column(t("级别"), lambda row: " ".join(ui.level(level, t) for level in row["level"].split("/")), "w"),
        Column(t("对象"), lambda row: ui.said(t(SUBJECT_ZH[row["subject"]])), "w"),
        Column(t("判断"), lambda row: ui.count(row["judged"]) if not row["disabled"] else ui.unknown(t("停用")), "n"),
        Column(t("命中"), lambda row: "" if row["disabled"] else ui.count(row["hit"]), "n"),
        Column(t("不明"), lambda row: "" if row["disabled"] else ui.unknown_count(row["unknown"], t), "n"),
        Column(t("近 12 期命中"), lambda row: ui.trend(row["trend"])),
        Column(t("上门属实"), lambda row: precision.cell(view, outcomes.get(row["rule"]))),
    ], t("共 {n} 条规则；近 12 期为全县", n=number(len(rows))))  # fmt: skip


# --- one rule


def _rule(view: View, row: dict[str, Any], found: Confirmed | None) -> None:
    t, code = view.t, row["rule"]
    try:
        file = rulebook.rule_file(view.warehouse, code)
    except CannotSimulate as refusal:
        ui.failure(t("政策文件现在不能用：{why}", why=ui.words_of(refusal, t)))
        file = None
    levels = " ".join(ui.level(level, t) for level in row["level"].split("/"))
    ui.html(f"<div>{levels} <b>{ui.said(t.pick(row['title_zh'], row['title_en']))}</b> {ui.code(code)}</div>")
    if row["disabled"]:
        ui.banner(t("这条规则在本期的政策包里停用。"))
    if file is not None and file.changed:
        ui.banner(t("规则文件在本期运行之后改过，下面是本期所用的条件；新的从下次运行起计。"))
    _shadow(view, code)
    left, right = st.columns([1.2, 1], gap="medium")
    with left:
        _text(view, row, file)
        _parameters(view, code)
    with right:
        _figures(view, row, found)
    if view.person.may("rule.change") and file is not None and not row["disabled"]:
        rules_change.section(view, row, file)


def _shadow(view: View, code: str) -> None:
    """Where a version of the rule runs in shadow: both figures of the last period that judged it, and the way to all."""
    t = view.t
    if code not in shadow_files(view.home):
        return
    told = view.ask_runs(replaying.shadows)
    months = [] if told is None else replaying.of_rule(told, code).months.to_dicts()
    if not months:
        return
    last, to = months[-1], ui.link(t("看比较"), view.link("economics", part="shadow"))
    figures = {"now": number(last["hit_before"]), "shadow": number(last["hit_after"]), "month": t.month(last["period"])}
    ui.html(
        f"<p>{ui.said(t('这条规则有影子版本在运行：{month}现行命中 {now}，影子命中 {shadow}。', **figures))} {to}</p>"
    )


def _text(view: View, row: dict[str, Any], file: rulebook.RuleFile | None) -> None:
    t = view.t
    if not row["when_text"].strip():
        ui.note(t("这不是规则文件里的条件：没有规则命中、而模型排在本乡镇最前的户。看“风险模型”页。"))
        return
    ui.heading(t("问什么？"), t("各项同时成立才命中"))
    parts = rulebook.told(view.warehouse, row["subject"], row["when_text"], t, t.code == "en")
    ui.html(f'<ul class="bl-parts">{"".join(f"<li>{ui.said(part)}</li>" for part in parts)}</ul>')
    if file is not None:
        ui.html(f"<p>{ui.said(t.pick(file.sentence_zh, file.sentence_en))}</p>")
    own = t("本县自己的规则文件") if file is not None and file.own else t("随软件提供的规则")
    ui.note(t.clauses([t.named(t("依据"), row["clause"]), t.named(t("责任部门"), t(row["department"])), own]))


def _parameters(view: View, code: str) -> None:
    t = view.t
    try:
        rows = rulebook.in_force(view.warehouse, code)
    except CannotSimulate:
        return
    if not rows:
        ui.note(t("这条规则不用政策参数。"))
        return
    ui.heading(t("用到的参数"), t("本期有效的值"))
    ui.table(rows, [
        Column(t("参数"), lambda row: ui.said(t.pick(row["meaning_zh"], row["meaning_en"]))),
        Column(t("值"), lambda row: ui.said(_value(view, row)), "w"),
        Column(t("起止"), lambda row: ui.said(_span(view, row)), "w"),
        Column(t("依据"), lambda row: f'<span class="bl-note">{ui.said(row["clause"])}</span>'),
    ])  # fmt: skip


def _value(view: View, row: dict[str, Any]) -> str:
    return parameter_words(row["value"], row["unit"] or "", view.t)


def _span(view: View, row: dict[str, Any]) -> str:
    t = view.t
    if row["from_date"] is None and row["until_date"] is None:
        return t("不限日期")
    return t("{a} 至 {b}", a=row["from_date"] or t("最初"), b=row["until_date"] or t("今后"))


def _figures(view: View, row: dict[str, Any], found: Confirmed | None) -> None:
    t = view.t
    if not row["disabled"]:
        ui.tiles([
            ui.Tile(t("命中"), t.compact(row["hit"]), t(SUBJECT_UNIT_ZH[row["subject"]]), ui.said(t("判断 {n}", n=number(row["judged"]))), exact=number(row["hit"])),
            ui.Tile(t("不明"), t.compact(row["unknown"]), t(SUBJECT_UNIT_ZH[row["subject"]]), ui.said(t("缺数据，不当作没有")), exact=number(row["unknown"])),
            _door(view, found),
        ])  # fmt: skip
    ui.heading(t("每期发现多少？"), t("全县"))
    ui.chart(
        charts.plot_months(view.ask_county(rulebook.months, row["rule"]), t), "months", t("这条规则近 12 期的命中")
    )
    missing = view.ask(rulebook.lacking, row["rule"])
    if missing:
        ui.heading(t("不明的缺什么？"))
        ui.table(missing, [
            Column(t("缺的数据"), lambda item: ui.said(ui.column_title(row["subject"], item["missing"], t))),
            Column(t(SUBJECT_UNIT_ZH[row["subject"]]), lambda item: ui.unknown_count(item["subjects"], t), "n"),
        ])  # fmt: skip


def _door(view: View, found: Confirmed | None) -> ui.Tile:
    label = view.t("上门属实")
    if found is None or found.few:
        return ui.Tile(label, "—", "", precision.cell(view, found))
    return ui.Tile(label, share(found.confirmed, found.decided), "", precision.below(view, found))
