"""应享未享: a section of the household's page. Every scheme with its status, money, reason, papers and smallest change."""

from __future__ import annotations

import streamlit as st

from monitoring import entitlement as schemes
from monitoring import ui
from monitoring.entitlement import Entitlement, Totals
from monitoring.language import number
from monitoring.strict_toml import Bilingual, PolicyError
from monitoring.ui import Column, View

PAYS_ZH = {"once": "一次性或按年", "recognition": "不发钱", "service": "服务"}


def section(view: View, household_key: int) -> None:
    """Draws the section; says so where the county's own scheme files cannot be used."""
    t = view.t
    try:
        found = view.ask(schemes.entitlement, household_key)
    except PolicyError as problem:
        ui.heading(t("应享未享"))
        ui.failure(t("救助项目的文件不能用，请管理员改正后重启：{problem}", problem=str(problem)))
        return
    if not found:
        return
    ui.heading(t("应享未享"), _sums(view, schemes.totals(found)))
    told = [row for row in found if row.status != schemes.EXCLUDED]
    if told:
        ui.table([{"e": row} for row in told], _columns(view))
    else:
        ui.note(t("按现有数据，没有正在享受、应享未享或不明的项目。"))
    excluded = [row for row in found if row.status == schemes.EXCLUDED]
    if excluded:
        with st.expander(t("不符合的 {n} 项和依据", n=len(excluded))):
            ui.table([{"e": row} for row in excluded], _columns(view, excluded=True))


def _sums(view: View, sums: Totals) -> str:
    t = view.t
    parts = [
        t("每月已领 {yuan}", yuan=t.money(sums.received)),
        t("应享未享每月 {yuan}", yuan=t.money(sums.missing)),
    ]
    if sums.unpriced:
        parts.append(t("另有 {n} 项金额不在政策包内", n=sums.unpriced))
    if sums.short:
        parts.append(t("比应领少 {yuan}", yuan=t.money(sums.short)))
    return t("，").join(parts)


def _columns(view: View, excluded: bool = False) -> list[Column]:
    t = view.t
    columns = [
        Column(t("项目"), lambda row: _scheme(view, row["e"])),
        Column(t("结论"), lambda row: status_mark(row["e"], view)),
        Column(t("元／月"), lambda row: _money(view, row["e"]), "n"),
        Column(t("为什么、依据"), lambda row: _why(view, row["e"])),
        Column(t("要带的材料"), lambda row: _documents(view, row["e"])),
        Column(t("怎样会变"), lambda row: ui.said(_pick(view, row["e"].smallest_change))),
    ]
    return [columns[0], columns[3], columns[5]] if excluded else columns


def status_mark(row: Entitlement, view: View) -> str:
    """The status as a shape and a word, told apart without colour."""
    t = view.t
    if row.status == schemes.MISSING:
        return _mark("yellow", t("◇ 符合，择一")) if row.yields else _mark("red", t("▲ 应享未享"))
    if row.status == schemes.UNKNOWN:
        return ui.unknown(t("? 不明"))
    return ui.said(t("✓ 已享受") if row.status == schemes.RECEIVES else t("— 不符合"))


def _mark(level: str, text: str) -> str:
    return f'<span class="bl-lv {level}">{ui.said(text)}</span>'


def _scheme(view: View, row: Entitlement) -> str:
    whose = row.person or view.t("全户")
    return f'{ui.said(_pick(view, row.title))}<br><span class="bl-note">{ui.said(whose)}</span>'


def _money(view: View, row: Entitlement) -> str:
    """What is received; what is due where that is another sum; else why there is no figure."""
    t = view.t
    lines = []
    if row.monthly_now is not None:
        lines.append(ui.said(t("领 {n}", n=number(row.monthly_now))))
    if row.monthly_due is not None and row.monthly_due != row.monthly_now:
        lines.append(ui.said(t("应 {n}", n=number(row.monthly_due))))
    if not lines and row.status == schemes.MISSING and row.pays == "month":
        lines.append(ui.unknown(t("金额待定")))
    if not lines and row.pays in PAYS_ZH:
        lines.append(f'<span class="bl-note">{ui.said(t(PAYS_ZH[row.pays]))}</span>')
    return "<br>".join(lines)


def _why(view: View, row: Entitlement) -> str:
    """The reason; below it the choice, what the amount is, what excludes what, and the clause."""
    t = view.t
    below = [_pick(view, row.choice), _pick(view, row.note) if row.status == schemes.MISSING else ""]
    if row.excludes and row.status == schemes.MISSING and row.choice is None:
        below.append(t.named(t("不能同时享受"), t.listed(_pick(view, title) for title in row.excludes)))
    below.append(row.clause)
    notes = "".join(f'<br><span class="bl-note">{ui.said(text)}</span>' for text in below if text)
    return f"{ui.said(_pick(view, row.why))}{notes}"


def _documents(view: View, row: Entitlement) -> str:
    """What to bring, each with where that is written; nothing for what gives way to a better one."""
    if not row.offered:
        return ""
    return "".join(
        f'<div>{ui.said(_pick(view, paper.what))} <span class="bl-note">{ui.said(paper.source)}</span></div>'
        for paper in row.documents
    )


def _pick(view: View, text: Bilingual | None) -> str:
    return "" if text is None else view.t.pick(text.zh, text.en)
