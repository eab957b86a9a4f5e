"""风险名单: a filter built condition by condition, its list and counts by township, kept lists, marked exports."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.language import number
from monitoring.lists.asking import Ask, NotAsked, check, in_words
from monitoring.lists.exporting import FORMATS, alert_names, offer_list, open_cases
from monitoring.lists.fields import HOUSEHOLDS, Field, fields
from monitoring.lists.keeping import Kept, drop_list, keep_list, kept_lists
from monitoring.pages import lists_builder
from monitoring.pages.people_lists import choose
from monitoring.queries import risk_lists
from monitoring.ui import Column, View

OF = {"household": "按户", "person": "按人"}
FORM_NAMES = {"xlsx": "Excel 工作簿", "csv": "CSV 文本", "parquet": "Parquet（附数据字典）"}


def page(view: View) -> None:
    t = view.t
    ui.title(t("风险名单"), t.month(view.county.period))
    ui.note(t("自己定条件挑出户或人。名单只提示核实，不能据此停发；值不明的不会当作不符合，另行计数。"))
    kept = view.read(kept_lists)
    with st.container():  # always there, so that nothing below it moves (and closes) when the first list is kept
        _open(view, kept)
    lists_builder.recall()
    subject = choose(view, "of", t("按户还是按人"), OF, HOUSEHOLDS)
    ask = lists_builder.builder(view, subject)
    lists_builder.keep(ask)
    try:
        check(ask, masked=True)
        cases = view.read(open_cases) if _asks_alerts(ask) else ()
        counts = view.ask(risk_lists.by_township, ask, cases)
    except NotAsked as wrong:
        ui.failure(ui.words_of(wrong, t))
        return
    fits, undecided = int(counts["fits"].sum()), int(counts["undecided"].sum())
    unit = t("户") if subject == HOUSEHOLDS else t("人")
    ui.heading(
        t("符合条件 {n} {unit}", n=number(fits), unit=unit),
        t("共 {all} {unit}；另有不能断定的 {n} {unit}（条件用到的数据不明）", all=number(int(counts["of"].sum())), n=number(undecided), unit=unit),
    )  # fmt: skip
    ui.note(t.named(t("条件"), in_words(ask, t, _named(view, ask))))
    with st.expander(t("各乡镇多少")):
        ui.table(counts.to_dicts(), [
            Column(t("乡镇"), lambda row: ui.place({**row, "village": None}, t)),
            Column(t("符合"), lambda row: ui.count(row["fits"]), "n"),
            Column(t("不能断定"), lambda row: ui.unknown_count(row["undecided"], t), "n"),
            Column(t("共"), lambda row: ui.count(row["of"]), "n"),
        ])  # fmt: skip
    _rows(view, ask, cases, fits)
    _export(view, ask, fits)
    _keep(view, ask)


def _asks_alerts(ask: Ask) -> bool:
    return "alert" in {*ask.shown, *(one.field for one in ask.conditions), *(one.field for one in ask.order)}


def _named(view: View, ask: Ask) -> dict[str, dict[str, str]]:
    return {one.field: lists_builder.names(view, ask.subject, one.field) for one in ask.conditions}


def _rows(view: View, ask: Ask, cases: risk_lists.Cases, total: int) -> None:
    t = view.t
    if not total:
        ui.empty(t("没有一户或一人确定符合这些条件。放宽一个条件，或把“不明”也选上再看。"))
        return
    turned = f"lists-page-{ui.mark(ask)}"
    rows = view.ask(risk_lists.preview, ask, cases, ui.page_of(turned), t.code)
    known = fields(ask.subject)
    columns = [_column(view, known[name]) for name in ask.shown]
    ui.table(rows, columns, t("共 {n}，每页 50", n=number(total)))
    ui.pager(total, turned, t)


def _column(view: View, of: Field) -> Column:
    t = view.t
    links, alerts = of.name in ("household_id", "head_name", "name"), alert_names(t)

    def cell(row: dict[str, Any]) -> str:
        value = row[of.name]
        if links:
            key = {"household_id": row["_household_id"], "household_key": row["_household_key"]}
            return ui.link(str(value) if value else t("不明"), view.household_link(key))
        if of.name == "level":
            return ui.level(value, t) if value != "none" else ui.said(t("无信号"))
        if of.name == "alert":
            return ui.said(alerts[value])
        if of.name == "rules":
            return " ".join(ui.code(one) for one in value.split("、")) if value else ui.said(t("无"))
        if of.name == "reasons":
            return ui.said(value or t("无"))
        if value is None:
            return ui.unknown(t("不明"))
        return ui.said(ui.column_value(ask_subject(of), of.name, value, t))

    css = (
        "r"
        if of.name == "reasons"
        else "n"
        if of.kind == "number"
        else "w"
        if links or of.name in ("level", "alert", "township", "village")
        else ""
    )
    return Column(t.pick(of.zh, of.en), cell, css)


def ask_subject(of: Field) -> str:
    """The snapshot that documents a field."""
    return "household" if of.name in fields(HOUSEHOLDS) else "person"


def _open(view: View, kept: list[Kept]) -> None:
    """Opens a kept list: its filter fills the builder."""
    t = view.t
    by_id = {one.id: one for one in kept if one.ask is not None}
    if not by_id:
        return

    def fill() -> None:
        chosen = by_id.get(st.session_state["kept-list"])
        if chosen is not None and chosen.ask is not None:
            st.session_state["of"] = chosen.ask.subject
            lists_builder.fill(chosen.ask)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            t("打开保存的名单"), [None, *by_id], key="kept-list", on_change=fill, width=420,
            format_func=lambda key: t("（不打开）") if key is None else t.aside(by_id[key].name, t("我的") if by_id[key].own else by_id[key].by),
        )  # fmt: skip
        if (
            chosen is not None
            and by_id[chosen].own
            and view.person.may("list.keep")
            and st.button(t("删去这份"), key="kept-drop")
        ):
            _, refused = view.tried(drop_list, chosen)
            if refused:
                ui.failure(refused)
            else:
                st.rerun()
    if chosen is not None:
        ui.note(t.named(t("用途"), by_id[chosen].purpose))


def _export(view: View, ask: Ask, total: int) -> None:
    t = view.t
    if not view.person.may("export.masked"):
        return
    with st.expander(t("导出这份名单")):
        ui.note(t("默认隐去姓名和证件号码。每一行都带有能认出导出人的标记；每次导出都记入日志。"))
        form = st.segmented_control(
            t("格式"), list(FORMATS), default="xlsx", key="lists-form", required=True, wrap=True, format_func=lambda one: t(FORM_NAMES[one])
        )  # fmt: skip
        if st.button(t("生成（隐去姓名和号码）"), key="lists-masked"):
            _offered(view, view.act(offer_list, view.warehouse, view.scope, ask, form or "xlsx", None, t.code))
        if view.person.may("export.full"):
            with st.form("lists-full-form", border=False):
                purpose = st.text_input(t("用途（导出完整信息时必填，记入操作日志）"), max_chars=200, key="lists-why")
                sent = st.form_submit_button(t("生成（完整信息）"))
            if sent:
                _offered(view, view.act(offer_list, view.warehouse, view.scope, ask, form or "xlsx", purpose, t.code))


def _offered(view: View, address: str | None) -> None:
    if address:
        ui.html(f"{ui.link(view.t('下载'), address)} {ui.said(view.t('（10 分钟内有效，只能下载一次）'))}")


def _keep(view: View, ask: Ask) -> None:
    t = view.t
    if not view.person.may("list.keep"):
        return
    with st.expander(t("保存这份名单")), st.form("lists-keep", border=False, clear_on_submit=True):
        name = st.text_input(t("名称"), max_chars=64, key="lists-name")
        purpose = st.text_input(t("用途（至少4个字）"), max_chars=200, key="lists-purpose-kept")
        shared = st.checkbox(t("共享给能看这一页的人（只共享条件，各人看到的仍是各自范围内的户）"), key="lists-shared")
        if st.form_submit_button(t("保存")) and view.act(keep_list, name, purpose, ask, shared) is not None:
            ui.note(t("已保存，可在页首打开。"))
