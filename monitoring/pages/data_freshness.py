"""数据 · 新鲜度: which department owes what and since when, and every source month by month; told by shape and word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from monitoring import ui
from monitoring.desk.due import HERE, LATE, WAITING, Cell, late_departments, standing
from monitoring.labels import feed_departments
from monitoring.language import number
from monitoring.queries import sources
from monitoring.strict_toml import PolicyError
from monitoring.ui import Column, View
from monitoring.working_days import local_day

MONTHS = 12
SHAPES = {LATE: "▲", WAITING: "◷"}


def section(view: View) -> None:
    t = view.t
    try:
        stands = standing(
            view.warehouse, local_day(view.now()), MONTHS, lambda question: ui.known(question, view.warehouse)
        )
    except PolicyError as problem:
        ui.failure(t("报送期限的设置不能用，请改正后再看："))
        for complaint in problem.complaints:
            ui.note(str(complaint))
        return
    feeds = view.ask_county(sources.feeds).to_dicts()
    setting, months, now, found = stands.setting, stands.months, stands.month, stands.cells
    _late(view, found, now)
    ui.heading(t("每个数据源、每个月"))
    ui.note(
        t(
            "每格是当月装入的行数；▲ 已过期限没有收到，◷ 还没到期限，○ 当月不要求报（上一次的仍然算数，或有则报）。期限是次月 {day} 日（{clause}）；文件是哪天到的没有记录，已到的不判早晚。",
            day=setting.due_day, clause=setting.due_clause,
        )
    )  # fmt: skip
    late = {row["feed"]: row for row in view.ask(sources.late_townships).to_dicts()}
    columns = [
        Column(t("数据源"), lambda row: f"{ui.said(ui.feed(row['feed'], t))}{_needed(view, row)}"),
        Column(t("部门"), lambda row: ui.said(t(feed_departments().get(row["feed"], ""))), "w"),
        Column(t("本期"), lambda row: _told(view, found.get((row["feed"], now))), "w"),
        Column(
            t("最近一期"),
            lambda row: ui.said(t.month(row["last_period"])) if row["last_period"] else ui.unknown(t("从未收到")),
            "w",
        ),
        Column(t("缺的乡镇"), lambda row: ui.said(late[row["feed"]]["townships"]) if row["feed"] in late else ""),
    ]
    for month in months:
        columns.append(Column(t.short_month(month), _month_cell(view, found, month), "n"))
    order = {LATE: 0, WAITING: 1}
    ui.table(sorted(feeds, key=lambda row: order.get(_state(found, row["feed"], now), 2)), columns)


def _late(view: View, found: Mapping[tuple[str, int], Cell], month: int) -> None:
    """The departments that owe something for the period that is shown, apart from all others."""
    t = view.t
    owing = late_departments(found, month, feed_departments())
    ui.heading(t("哪些部门迟了？"), t.month(view.county.period))
    if not owing:
        ui.empty(t("本期没有过了期限还没报的数据源。"))
        return
    ui.table([{"one": one} for one in owing], [
        Column(t("部门"), lambda row: ui.said(t(row["one"].department) or t("部门不明")), "w"),
        Column(t("迟了"), lambda row: f'<span class="bl-late">▲ {ui.said(t("{n} 天", n=number(row["one"].days)))}</span>', "w"),
        Column(t("没报的数据源"), lambda row: ui.said(t.listed(ui.feed(feed, t) for feed in row["one"].feeds))),
    ])  # fmt: skip


def _state(found: Mapping[tuple[str, int], Cell], feed: str, month: int) -> str:
    cell = found.get((feed, month))
    return cell.state if cell else ""


def _needed(view: View, row: dict[str, Any]) -> str:
    return f' <span class="bl-note">{ui.said(view.t("比对必需"))}</span>' if row["matching_set"] else ""


def _told(view: View, cell: Cell | None) -> str:
    """This period in words: here, late by so many days, due by, or not asked for."""
    t = view.t
    if cell is None:
        return ui.unknown(t("不明"))
    if cell.state == HERE:
        return f"✓ {ui.said(t('已到'))}"
    if cell.state == LATE:
        return f'<span class="bl-late">▲ {ui.said(t("迟 {n} 天", n=number(cell.days)))}</span>'
    if cell.state == WAITING:
        return f"◷ {ui.said(t('{day} 前报', day=cell.due.isoformat()))}"
    return f"○ {ui.said(t('本期不要求'))}"


def _month_cell(view: View, found: Mapping[tuple[str, int], Cell], month: int) -> Callable[[dict[str, Any]], str]:
    return lambda row: _cell(view, found[row["feed"], month])


def _cell(view: View, cell: Cell) -> str:
    t = view.t
    if cell.state == HERE:
        return f'<span class="bl-cell">{number(cell.rows)}</span>'
    if cell.state == LATE:
        return f'<span class="bl-cell none bl-late" title="{ui.said(t("{day} 前没有收到", day=cell.due.isoformat()))}">▲ {ui.said(t("缺"))}</span>'
    if cell.state == WAITING:
        return f'<span title="{ui.said(t("{day} 前报", day=cell.due.isoformat()))}">◷</span>'
    return f'<span class="bl-zero" title="{ui.said(t("本月不要求"))}">○</span>'
