"""数据 · 隔离行: by department what waits, what came back corrected, and the workbook in which a department corrects."""

from __future__ import annotations

import streamlit as st

from monitoring import ui
from monitoring.exporting.corrections import offer_corrections
from monitoring.language import number
from monitoring.queries import corrections
from monitoring.ui import Column, View

STATE_ZH = {"loaded": "已更正，已装入", "duplicate": "已更正，与已有的一行相同", "quarantined": "交回来了，仍有误"}


def section(view: View) -> None:
    t = view.t
    found = view.ask_county(corrections.totals)
    ui.table(found.to_dicts(), [
        Column(t("部门"), lambda row: ui.said(t(row["department"])), "w"),
        Column(t("隔离"), lambda row: ui.count(row["rows"]), "n"),
        Column(t("已更正"), lambda row: ui.count(row["settled"]), "n"),
        Column(t("交回仍有误"), lambda row: ui.count(row["again"]), "n"),
        Column(t("待更正"), lambda row: ui.count(row["waiting"]), "n"),
    ])  # fmt: skip
    if view.person.may("export.full") and view.person.places is None:
        _send_back(view, [row["department"] for row in found.to_dicts() if row["waiting"] or row["again"]])
    _settled(view)


def _send_back(view: View, departments: list[str]) -> None:
    t = view.t
    if not departments:
        return
    with st.expander(t("退回部门更正")):
        ui.note(
            t(
                "按部门自己的表头，每行写明要更正什么。部门在原表上改好、不动最后的隐藏列，交回后放进本期的收件文件夹再运行一次，系统按编号认出是哪一行，不重不漏。"
            )
        )
        with st.form("corrections", border=False):
            department = st.selectbox(t("部门"), departments, key="corrections-department", format_func=t)
            purpose = st.text_input(t("用途（导出完整信息时必填，记入操作日志）"), max_chars=200, key="corrections-why")
            sent = st.form_submit_button(t("生成更正表（完整信息）"))
        if sent:
            address = view.act(offer_corrections, view.warehouse, department, purpose)
            if address:
                ui.html(f"{ui.link(t('下载'), address)} {ui.said(t('（10 分钟内有效，只能下载一次）'))}")


def _settled(view: View) -> None:
    t = view.t
    turned = "settled"
    rows, total = view.ask(corrections.settlements, ui.page_of(turned))
    if not total:
        return
    with st.expander(t("交回来的更正 {n} 行", n=number(total))):
        ui.table(rows, [
            Column(t("数据源"), lambda row: ui.said(ui.feed(row["feed"], t))),
            Column(t("文件和行"), lambda row: ui.said(ui.origin(row, t))),
            Column(t("由哪一行更正"), lambda row: ui.said(ui.origin({"file": row["by_file"], "row": row["by_row"]}, t))),
            Column(t("结果"), lambda row: ui.said(t(STATE_ZH[row["state"]]))),
        ])  # fmt: skip
        ui.pager(total, turned, t)
