"""预警处置 (reading): the queue by urgency, what each signal saw and why, and the way to the household."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from monitoring import ui
from monitoring.labels import KIND_ZH, KINDS, LEVEL_MARK, LEVEL_ZH, LEVELS, SUBJECT_ZH, columns_of
from monitoring.language import number
from monitoring.queries import alerts, household, verdicts
from monitoring.queries.alerts import Signal, Wanted
from monitoring.ui import View


def page(view: View) -> None:
    t = view.t
    totals = view.ask(alerts.totals)
    said = "　".join(f"{LEVEL_MARK[level]} {t(LEVEL_ZH[level])} {number(totals[level])}" for level in LEVELS)
    ui.title(
        t("预警处置"),
        t(
            "{n} 户（件），信号 {signals} 条：{levels}",
            n=number(totals["alerts"]),
            signals=number(totals["signals"]),
            levels=said,
        ),
    )
    wanted = _filters(view)
    turned = f"queue-{hash((wanted, view.scope, view.county.run))}"
    found = view.ask(alerts.alert_page, wanted, ui.page_of(turned))
    if not found.total:
        _nothing(view, wanted, totals["alerts"])
        return
    rows = found.rows.to_dicts()
    ui.note(t("共 {n} 户（件），按级别、信号数、期限排列。点一行看原因和依据。", n=number(found.total)))
    with st.container(key="wide"):
        queue, detail = st.columns([1.45, 1], gap="medium")
        with queue:
            chosen = _queue(view, rows, turned)
        with detail:
            _detail(view, rows[chosen])
    with st.container(key="narrow"):
        _cards(view, rows)
    ui.pager(found.total, turned, t)


def _filters(view: View) -> Wanted:
    t = view.t
    rules = {row["rule"]: row for row in view.ask(alerts.rules_seen).to_dicts()}
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        ui.recall("level", LEVELS, many=True)
        levels = st.pills(t("级别"), LEVELS, selection_mode="multi", key="level",
                          format_func=lambda level: f"{LEVEL_MARK[level]} {t(LEVEL_ZH[level])}")  # fmt: skip
        ui.recall("kind", KINDS, many=True)
        kinds = st.pills(
            t("类别"), KINDS, selection_mode="multi", key="kind", format_func=lambda kind: t(KIND_ZH[kind]), wrap=True
        )
        ui.recall("rule", list(rules))
        rule = st.selectbox(
            t("规则"), ["", *rules], key="rule", width=200,
            format_func=lambda code: t("全部规则") if not code else t.aside(t.pick(rules[code]["title_zh"], rules[code]["title_en"]), number(rules[code]["alerts"])),
        )  # fmt: skip
        text = st.text_input(
            t("查找"), key="find", width=235, placeholder=t("姓名、证件号后4位以上、村名"), type="search"
        )
    for key, value in (("level", levels), ("kind", kinds), ("rule", rule)):
        ui.keep(key, value)
    return Wanted(tuple(levels or ()), tuple(kinds or ()), rule or "", text or "")


def _nothing(view: View, wanted: Wanted, total: int) -> None:
    t, county = view.t, view.county
    if total and wanted != Wanted():
        ui.empty(
            t(
                "没有符合条件的预警；不加条件时有 {n} 户（件）。请放宽条件，姓名要写全，证件号写末4位以上。",
                n=number(total),
            )
        )
    else:
        ui.empty(
            t(
                "这里没有待办预警。数据截至 {day}，{all} 个数据源中 {here} 个已到。",
                day=county.as_of.isoformat(),
                all=county.feeds,
                here=county.feeds_here,
            )
        )


def _name(view: View, row: dict[str, Any]) -> str:
    """Whom the alert is about: the household's head, or the institution, source or pack by its name."""
    t = view.t
    if row["subject"] == "feed":
        return ui.feed(row["name"], t)
    return row["name"] or t("姓名不明")


def _where(view: View, row: dict[str, Any]) -> str:
    if row["subject"] in ("feed", "policy"):
        return view.t("全县")
    return " ".join(part for part in (row["township"], row["village"]) if part) or view.t("地点不明")


def _reason(view: View, row: dict[str, Any]) -> str:
    return view.t.pick(row["message"], row["message_en"])


def _due(view: View, row: dict[str, Any]) -> str:
    days = row["days_left"]
    if days is None:
        return ""
    return view.t("逾期 {n} 天", n=-days) if days < 0 else view.t("还有 {n} 天", n=days) if days else view.t("今日到期")


def _queue(view: View, rows: list[dict[str, Any]], key: str) -> int:
    """The list on a wide screen; gives the row that is chosen, the first at first."""
    t = view.t
    frame = pl.DataFrame({
        t("级别"): [f"{LEVEL_MARK[row['level']]} {t(LEVEL_ZH[row['level']])}" for row in rows],
        t("户主或对象"): [_name(view, row) for row in rows],
        t("乡镇、村"): [_where(view, row) for row in rows],
        t("原因"): [_reason(view, row) if t.code == "en" else _reason(view, row).replace(" ", "") for row in rows],
        t("信号"): [row["signals"] for row in rows],
        t("期限"): [_due(view, row) for row in rows],
    })  # fmt: skip
    widths = {t("级别"): 62, t("户主或对象"): 88, t("乡镇、村"): 118, t("原因"): 362, t("信号"): 50, t("期限"): 82}
    state = st.dataframe(
        frame, hide_index=True, on_select="rerun", selection_mode="single-row", key=f"rows-{key}-{ui.page_of(key)}", row_height=96 if t.code == "en" else 72, height=640,
        column_config={name: st.column_config.Column(width=width) for name, width in widths.items()},
        alt=t("预警列表"),
    )  # fmt: skip
    picked = state["selection"]["rows"]
    return picked[0] if picked and picked[0] < len(rows) else 0


def _cards(view: View, rows: list[dict[str, Any]]) -> None:
    """The list on a narrow screen."""
    t = view.t
    cards = []
    for row in rows:
        address = view.household_link(row)
        more = f'<span class="bl-note">{ui.said(t("{n} 条信号", n=row["signals"]))}</span>'
        cards.append(
            f'<div class="bl-card"><div class="bl-facts">{ui.level(row["level"], t)} {ui.link(_name(view, row), address)}'
            f"<span>{ui.said(_where(view, row))}</span></div><p>{ui.said(_reason(view, row))}</p>"
            f'<div class="bl-facts">{more}<span>{ui.said(_due(view, row))}</span></div></div>'
        )
    ui.html("".join(cards))


def _detail(view: View, row: dict[str, Any]) -> None:
    t = view.t
    address = view.household_link(row)
    head = f"{ui.level(row['level'], t)} <b>{ui.said(_name(view, row))}</b> {ui.said(_where(view, row))}"
    ui.html(
        f'<div class="bl-facts" style="font-size:1.05rem">{head} {ui.link(t("打开户档案"), address) if address else ""}</div>'
    )
    signals = view.ask(alerts.signals_of, row["alert"])
    rows = view.ask(household.origins, row["household_key"]) if row["household_key"] is not None else None
    with st.container(height=590, border=False):
        for signal in signals:
            signal_card(view, signal, rows)


def signal_card(view: View, signal: Signal, origins: pl.DataFrame | None) -> None:
    """One signal: the sentence, what was read with where it stands, the line and its clause, who answers and until when."""
    t = view.t
    who = f" · {ui.said(signal.name)}" if signal.subject in ("person", "record") and signal.name else ""
    title = t.pick(signal.title_zh, signal.title_en)
    colon = ui.said(t("："))
    seen = [
        f"<li>{ui.said(ui.column_title(signal.subject, name, t))}{colon}<b>{_seen(view, signal.subject, name, value)}</b>{_stands(view, signal, name, origins)}</li>"
        for name, value in signal.evidence.items()
        if name not in ("household_key", "person_id", "household_id")
    ]
    lines = [f"<li>{_parameter(view, name, value)}</li>" for name, value in signal.parameters.items()]
    due = f"{signal.due_date} {ui.due(signal.days_left, t)}" if signal.due_date else ui.said(t("没有期限"))
    ui.html(
        f'<div class="bl-card"><div class="bl-facts">{ui.level(signal.level, t)}<b style="color:var(--ink)">{ui.said(title)}</b>'
        f"<span>{ui.said(t(SUBJECT_ZH[signal.subject]))}{who}</span>{ui.code(signal.rule)}</div>"
        f"<p>{ui.said(t.pick(signal.message, signal.message_en))}</p>"
        f'<div class="bl-note">{ui.said(t("看到的数值"))}</div><ul class="bl-parts">{"".join(seen + lines)}</ul>'
        f'<p class="bl-note">{ui.said(t("依据"))}{colon}{ui.said(signal.clause)}　{ui.said(t("责任部门"))}{colon}{ui.said(t(signal.department))}　'
        f"{ui.said(t('期限'))}{colon}{due}</p></div>"
    )


def _seen(view: View, subject: str, name: str, value: Any) -> str:
    """A value in words; one that is not known is marked."""
    if value is None:
        return ui.unknown(view.t("不明"))
    return ui.said(ui.column_value(subject, name, value, view.t))


def _parameter(view: View, name: str, value: Any) -> str:
    known = view.ask_county(verdicts.parameters_in_force)
    found = known.get(name.replace(".", "_"))
    title = view.t.pick(found.meaning_zh, found.meaning_en) if found else view.t("参数")
    unit = f" {view.t(found.unit)}" if found and found.unit else ""
    return f"{ui.said(title)}{ui.said(view.t('：'))}<b>{ui.said(view.t.value(value))}{ui.said(unit)}</b>"


def _stands(view: View, signal: Signal, name: str, origins: pl.DataFrame | None) -> str:
    """File and row of the value, where rows of its sources stand for this household."""
    column = columns_of(signal.subject).get(name)
    if origins is None or column is None or not column.sources:
        return ""
    rows = household.sources_of(origins, column.sources, signal.person_id if signal.subject == "person" else None, 2)
    told = view.t.clauses(ui.origin(row, view.t) for row in rows)
    return f'<br><span class="bl-note">{ui.said(told)}</span>' if told else ""
