"""数据: what departments handed in, how fresh it is, what was set aside and why, which rows still lack a person."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.language import number
from monitoring.pages import data_corrections, data_desk, data_freshness, data_mapping
from monitoring.queries import sources
from monitoring.ui import Column, View


def page(view: View) -> None:
    t, county = view.t, view.county
    ui.title(
        t("数据"),
        t.named(t.month(county.period), view.sources_said()),
    )
    unknown_files = view.ask(sources.unrecognised)
    aside, total = view.ask(sources.quarantine, None, 1)
    review, undecided = view.ask(sources.link_review, 1)
    del aside, review
    tabs = st.tabs([
        t("新鲜度"), t("文件台账"), f"{t('隔离行')} {number(total)}", t("看不懂的值"),
        f"{t('未识别文件')} {unknown_files.height}", f"{t('身份待定')} {number(undecided)}",
        *([t("上传和运行")] if view.person.may("file.upload") else []),
    ])  # fmt: skip
    shown = (data_freshness.section, _ledger, _quarantine, _issues, _unrecognised, _review, data_desk.section)
    for tab, show in zip(tabs, shown, strict=False):
        with tab:
            show(view)


def _ledger(view: View) -> None:
    t = view.t
    ui.note(t("每个文件：读到 = 装入 + 重复 + 隔离 + 非数据（标题、合计、空行）。"))
    if view.scope.allowed is not None:
        ui.note(t("只列出含有您负责地方数据的文件；几个地方合在一起的文件，装入数只计您负责的行。"))
    ui.table(view.ask(sources.ledger).to_dicts(), [
        Column(t("文件"), lambda row: _file(view, row)),
        Column(t("认作"), lambda row: ui.said(ui.feed(row["feed"], t)) if row["feed"] else ui.unknown(t("未识别"))),
        Column(t("读到"), lambda row: ui.count(row["rows_read"]), "n"),
        Column(t("装入"), lambda row: ui.count(row["loaded"]), "n"),
        Column(t("重复"), lambda row: ui.count(row["duplicate"]), "n"),
        Column(t("隔离"), lambda row: ui.count(row["quarantined"]), "n"),
        Column(t("非数据"), lambda row: ui.count(row["not_data"]), "n"),
        Column(t("不认识的列"), lambda row: ui.said(row["unknown_headings"])),
    ])  # fmt: skip


def _file(view: View, row: dict[str, Any]) -> str:
    t = view.t
    whose = {"own": t("含其他地方"), "county": t("县级文件，不分乡镇")}.get(row["shown"], "")
    beside = " · ".join(part for part in (row["sheet"], whose) if part)
    return ui.said(row["file"]) + (f' <span class="bl-note">{ui.said(beside)}</span>' if beside else "")


def _quarantine(view: View) -> None:
    t = view.t
    totals = view.ask_county(sources.quarantine_totals).to_dicts()
    if whole := view.ask(sources.set_aside_whole).to_dicts():
        said = view.t.listed(view.t.aside(row["file"], row["reasons"]) for row in whole)
        ui.note(t("另有 {n} 个文件（表）整个没有读入，不按行计：{files}", n=len(whole), files=said))
    if not totals:
        ui.empty(t("本期没有隔离的行：交来的每一行都装入了。"))
        return
    data_corrections.section(view)
    by_feed = {row["feed"]: row["rows"] for row in totals}
    chosen = st.selectbox(t("数据源"), ["", *by_feed], key="quarantine-feed", width=420,
                          format_func=lambda name: t("全部") if not name else t.aside(ui.feed(name, t), number(by_feed[name])))  # fmt: skip
    turned = f"quarantine-{chosen}"
    rows, total = view.ask(sources.quarantine, chosen or None, ui.page_of(turned))
    ui.table(rows, [
        Column(t("部门"), lambda row: ui.said(t(row["department"] or "")), "w"),
        Column(t("数据源"), lambda row: ui.said(ui.feed(row["feed"], t))),
        Column(t("文件和行"), lambda row: ui.said(ui.origin(row, t))),
        Column(t("为什么"), lambda row: ui.said(row["reasons"])),
        Column(t("原来的内容（已遮蔽）"), lambda row: f'<span class="bl-note">{ui.said(_raw(view, row["raw"]))}</span>'),
    ], t("共 {n}，每页 50", n=number(total)))  # fmt: skip
    ui.pager(total, turned, t)


def _raw(view: View, cells: dict[str, str]) -> str:
    return view.t.clauses(view.t.named(heading, value) for heading, value in cells.items())


def _issues(view: View) -> None:
    _not_understood(view)
    _same_keys(view)


def _same_keys(view: View) -> None:
    t, turned = view.t, "same-keys"
    found, total = view.ask(sources.same_keys, ui.page_of(turned))
    if not total:
        return
    ui.heading(
        t("同一件事报了几行、内容不同"),
        t(
            "同一份报送里的几行都保留；以日期较晚、填得较全的一行为准（参保以正常参保、家庭核对以收入较高的为准）。请报送部门核对。"
        ),
    )
    ui.table(found.to_dicts(), [
        Column(t("数据源"), lambda row: ui.said(ui.feed(row["feed"], t))),
        Column(t("姓名"), lambda row: ui.said(row["name"]) or ui.unknown(t("姓名不明")), "w"),
        Column(t("哪一件"), lambda row: ui.said(row["key"]), "w"),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        Column(t("文件和行"), lambda row: ui.said(ui.origin(row, t))),
        Column(t("以哪行为准"), lambda row: ui.said(t("以此行为准") if row["counted"] else "")),
    ], t("共 {n}，每页 50", n=number(total)))  # fmt: skip
    ui.pager(total, turned, t)


def _not_understood(view: View) -> None:
    t = view.t
    found = view.ask(sources.value_issues)
    if found.is_empty():
        ui.empty(t("本期没有看不懂的值。"))
        return
    ui.note(t("这些值按空值处理，行照常装入；空值在判断中算“不明”。"))
    ui.table(found.to_dicts(), [
        Column(t("数据源"), lambda row: ui.said(ui.feed(row["feed"], t))),
        Column(t("列"), lambda row: ui.said(row["heading"]), "w"),
        Column(t("问题"), lambda row: ui.said(row["problem"])),
        Column(t("行数"), lambda row: ui.count(row["rows"]), "n"),
        Column(t("例"), lambda row: ui.said(row["example"])),
        Column(t("文件和行"), lambda row: ui.said(ui.origin({**row, "sheet": None}, t)) if row["file"] else ""),
    ])  # fmt: skip


def _unrecognised(view: View) -> None:
    t = view.t
    found = view.ask(sources.unrecognised)
    if found.is_empty():
        ui.empty(t("本期每个文件、每张表都认出来了。"))
        return
    ui.table(found.to_dicts(), [
        Column(t("文件"), lambda row: ui.said(row["file"])),
        Column(t("工作表"), lambda row: ui.said(row["sheet"])),
        Column(t("行数"), lambda row: ui.count(row["rows_read"]), "n"),
        Column(t("为什么没认出来"), lambda row: ui.said(row["reason"])),
    ])  # fmt: skip
    data_mapping.section(view, list(dict.fromkeys(found["file"].to_list())))


def _review(view: View) -> None:
    t = view.t
    turned = "review"
    found, total = view.ask(sources.link_review, ui.page_of(turned))
    if not total:
        ui.empty(t("没有身份待定的行：所选范围内每一行都找到了人。"))
        return
    ui.note(t("这些行没有可用的证件号，又不能确定是谁；在定下来之前不计入任何人。"))
    if view.person.may("page.links"):
        ui.html(f"<p>{ui.link(t('去对人复核'), view.link('links'))}</p>")
    ui.table(found.to_dicts(), [
        Column(t("数据源"), lambda row: ui.said(ui.feed(row["feed"], t))),
        Column(t("文件和行"), lambda row: ui.said(ui.origin(row, t))),
        Column(t("姓名"), lambda row: ui.said(row["name"]) or ui.unknown(t("姓名不明")), "w"),
        Column(t("所写号码"), lambda row: ui.said(row["number"]) or ui.unknown(t("空")), "w"),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        Column(t("为什么待定"), lambda row: ui.said(row["reason"])),
        Column(t("可能的人"), lambda row: ui.count(row["candidates"]), "n"),
    ], t("共 {n}，每页 50", n=number(total)))  # fmt: skip
    ui.pager(total, turned, t)
