"""账目: files → rows → persons → households → judged → signals → alerts; good only when it adds up."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.checks import Check
from monitoring.language import number
from monitoring.queries import balances
from monitoring.ui import Column, View
from monitoring.vouching.live import Live

TITLES = {
    "files": "文件", "rows": "行", "persons": "人", "households": "户", "judged": "判断", "signals": "信号", "alerts": "预警",
    "seals": "签字",
}  # fmt: skip
LINKS: dict[str, tuple[str, dict[str, str]]] = {
    "files": ("data", {}), "rows": ("data", {}), "persons": ("overview", {}), "households": ("checklist", {"state": "all"}),
    "judged": ("checklist", {"part": "blind"}), "signals": ("alerts", {}), "alerts": ("alerts", {}), "seals": ("checklist", {"part": "sign"}),
}  # fmt: skip


def part(view: View, now: Live) -> None:
    t = view.t
    ui.heading(t("账是平的吗？"), t("全县；每次打开都从已发布的结果重算，与命令行的核对同一套算法"))
    with st.spinner(t("正在重算各项平衡…")):
        checks = {check.name: check for check in view.ask_county(balances.audited)}
    known = view.ask_county(balances.figures)
    more, refused = view.tried(balances.of_alerts, view.warehouse)
    checks |= {check.name: check for check in more or []}
    rows = [
        {"step": step, "checks": [checks[name] for name in names if name in checks]} for step, names in balances.STEPS
    ]
    ui.table(rows, [
        Column(t("环节"), lambda row: ui.said(t(TITLES[row["step"]])), "w"),
        Column(t("数"), lambda row: _figures(view, row["step"], known, checks)),
        Column(t("应当相等的"), lambda row: _told(view, row["checks"], refused)),
        Column(t("结果"), lambda row: _result(view, row["checks"]), "w"),
    ])  # fmt: skip


def _figures(view: View, step: str, known: dict[str, Any], checks: dict[str, Check]) -> str:
    t = view.t
    texts = {
        "files": t("本期 {n} 个文件", n=number(known["files"])),
        "rows": t("读入 {rows} 行 = 装入 {loaded} + 重复 {duplicate} + 隔离 {quarantined} + 非数据 {not_data}",
                  **{name: number(known[name]) for name in ("rows", "loaded", "duplicate", "quarantined", "not_data")}),
        "persons": t("{n} 人，其中在世 {living} 人", n=number(known["persons"]), living=number(known["living"])),
        "households": t("{n} 户有在世的人", n=number(known["households"])),
        "judged": t("{judged} 次判断 = 命中 {hit} + 未命中 {clear} + 不明 {unknown}",
                    **{name: number(known[name]) for name in ("judged", "hit", "clear", "unknown")}),
        "signals": t("{n} 条信号", n=number(known["signals"])),
        "alerts": t("{n} 件未办结的预警", n=number(checks["alerts_cause"].left)) if "alerts_cause" in checks else "",
        "seals": t("{n} 个签字", n=number(checks["seals"].left)) if "seals" in checks else "",
    }  # fmt: skip
    page, params = LINKS[step]
    return ui.link(texts[step], view.link(page, **params))


def _told(view: View, checks: list[Check], refused: str) -> str:
    t = view.t
    if not checks:
        return ui.unknown(refused) if refused else ""
    return "<br>".join(
        f'<span class="bl-note">{ui.said(t.pick(check.words, check.words_en))}</span>' for check in checks
    )


def _result(view: View, checks: list[Check]) -> str:
    t = view.t
    if not checks:
        return ui.unknown(t("没有核对"))
    if all(check.ok for check in checks):
        return f'<span class="bl-good">{ui.said(t("✓ 平"))}</span>'
    return f'<span class="bl-late">{ui.said(t("✗ 不平，请联系管理员"))}</span>'
