"""户档案: one rule asked of one household: why it fired, did not, or could not say, and what would turn it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.entitlement import whynot
from monitoring.entitlement.whynot import Input, Why
from monitoring.labels import OUTCOME_ZH
from monitoring.language import number
from monitoring.queries import conditions, verdicts
from monitoring.ui import Column, View

MARK = {True: "✓", False: "✗", None: "?"}


def section(view: View, key: int) -> None:
    t = view.t
    titles = view.ask_county(whynot.rules_asked)
    code = st.selectbox(
        t("追问一条规则：为什么命中、没有命中或不明，差多少，怎样会翻转"), ["", *titles], key="why-rule", width=460,
        format_func=lambda code: t.pick(*titles[code]) if code else t("选一条规则"),
    )  # fmt: skip
    if not code:
        return
    answers = view.ask(whynot.why, key, code)
    if not answers:
        ui.empty(t("这条规则没有判断过这户的人。"))
        return
    ui.table([{"why": answer} for answer in answers], [
        Column(t("谁"), lambda row: ui.said(row["why"].verdict.name or t("全户")), "w"),
        Column(t("结果"), lambda row: _outcome(view, row["why"]), "w"),
        Column(t("条件和离触发多远"), lambda row: _parts(view, row["why"])),
        Column(t("看到的值和出处"), lambda row: _inputs(view, row["why"])),
        Column(t("怎样会翻转"), lambda row: ui.said(t.pick(row["why"].change.zh, row["why"].change.en))),
    ])  # fmt: skip


def _outcome(view: View, answer: Why) -> str:
    words = view.t(OUTCOME_ZH[answer.verdict.outcome])
    return ui.unknown(words) if answer.verdict.outcome == "unknown" else ui.said(words)


def _parts(view: View, answer: Why) -> str:
    """Each part of the condition: whether it holds, and how far the two sides of a comparison are apart."""
    t = view.t
    known = view.ask_county(verdicts.parameters_in_force)
    items = []
    for part in answer.verdict.parts:
        words = conditions.in_words(part.part.tree, answer.verdict.subject, known, t, t.code == "en")
        said = ui.said(f"{MARK[part.outcome]} {words}")
        if part.distance is not None:
            unit = ui.column_unit(answer.verdict.subject, part.unit_of, t)
            said += (
                f'<br><span class="bl-note">{ui.said(t("相差 {n} {unit}", n=number(part.distance), unit=unit))}</span>'
            )
        items.append(f"<li>{ui.unknown(t('不明')) if part.outcome is None else ''}{said}</li>")
    return f'<ul class="bl-parts">{"".join(items)}</ul>'


def _inputs(view: View, answer: Why) -> str:
    items = "".join(f"<li>{_input(view, answer.verdict.subject, one)}</li>" for one in answer.inputs)
    return f'<ul class="bl-parts">{items}</ul>'


def _input(view: View, subject: str, one: Input) -> str:
    t = view.t
    value = (
        ui.unknown(t("不明"))
        if one.value is None
        else f"<b>{ui.said(ui.column_value(subject, one.column, one.value, t))}</b>"
    )
    rows: list[dict[str, Any]] = list(one.rows)
    told = t.clauses(ui.origin(row, t) for row in rows)
    stands = f'<br><span class="bl-note">{ui.said(told)}</span>' if told else ""
    return f"{ui.said(ui.column_title(subject, one.column, t))}{ui.said(t('：'))}{value}{stands}"
