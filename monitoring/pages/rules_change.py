"""规则与模型: a changed condition is tried on this period, and kept for the next run through the same check as the files."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.language import number
from monitoring.pages import replay, whatif_lists
from monitoring.queries.rulebook import RuleFile
from monitoring.rules import changing, shadowing
from monitoring.rules.changing import RuleRefused
from monitoring.simulating import CannotSimulate, Scenario, asking
from monitoring.ui import View

LONGEST = 2000


def section(view: View, row: dict[str, Any], file: RuleFile) -> None:
    t, code = view.t, row["rule"]
    ui.heading(t("改一改，试一试"), t("只在已发布的数据上试算，什么都不改动"))
    when = st.text_area(t("条件"), value=row["when_text"].strip(), key=f"try-{code}", height=110, max_chars=LONGEST)
    if when.strip() == row["when_text"].strip():
        ui.note(t("改动上面的条件，就会看到谁新命中、谁不再命中。"))
    else:
        _tried(view, code, when.strip())
        if st.toggle(t("在过去各期回放"), key=f"replay-{code}"):
            replay.section(view, code, row["subject"], row["record"] or "", when.strip())
    _keep(view, code, file, when.strip())
    if file.own:
        _take_back(view, code)


def _take_back(view: View, code: str) -> None:
    t = view.t
    with st.expander(t("撤回本县的规则文件")):
        ui.note(t("从下次运行起按随软件提供的规则判断；没有随软件提供的，就不再判断。文件另存，不会丢失。"))
        with st.form(f"take-back-{code}", border=False):
            reason = st.text_input(
                t("为什么撤回（记入操作日志）"), key=f"back-{code}", max_chars=changing.LONGEST_REASON
            )
            pressed = st.form_submit_button(t("撤回"))
        if pressed:
            aside = view.act(changing.take_back, code, reason, view.county.pack, view.county.as_of)
            if aside is not None:
                ui.note(t("已撤回，并记入操作日志。本期已发布的结果不变。"))


def _tried(view: View, code: str, when: str) -> None:
    t = view.t
    scenario = Scenario(tries=((code, when),))
    try:
        rows = view.ask(asking.rules_moved, scenario).to_dicts()
    except CannotSimulate as refusal:
        ui.failure(t("这个条件不能用：{why}", why=ui.words_of(refusal, t)))
        return
    if not rows:
        ui.note(t("这样写和现在的意思相同。"))
        return
    one = rows[0]
    ui.tiles([
        ui.Tile(t("新命中"), t.compact(one["come"]), t("个"), "", exact=number(one["come"])),
        ui.Tile(t("不再命中"), t.compact(one["go"]), t("个"), "", exact=number(one["go"])),
        ui.Tile(t("命中"), t.compact(one["hit_after"]), t("个"), ui.said(t("现为 {n}", n=number(one["hit_before"]))), exact=number(one["hit_after"])),
        ui.Tile(t("不明"), t.compact(one["unknown_after"]), t("个"), ui.said(t("现为 {n}", n=number(one["unknown_before"]))), exact=number(one["unknown_after"])),
    ])  # fmt: skip
    whatif_lists.section(view, scenario)


def _keep(view: View, code: str, file: RuleFile, when: str) -> None:
    """The whole file stands to be edited: a changed condition needs changed cases, which the check proves."""
    t = view.t
    with st.expander(t("保留修改：写入本县的规则文件，从下次运行起计")):
        try:
            text = changing.with_condition(file.text, when, view.county.as_of) if when != file.when else file.text
        except RuleRefused as refusal:
            ui.failure(ui.words_of(refusal, t))
            text = file.text
        ui.note(t("示例要和条件一起改：保存前会按规则检查逐个验证，不符的都会列出来。"))
        with st.form(f"keep-{code}", border=False):
            whole = st.text_area(t("规则文件"), value=text, key=f"file-{code}-{ui.mark(text)}", height=420)
            reason = st.text_input(t("为什么改（记入操作日志）"), key=f"why-{code}", max_chars=changing.LONGEST_REASON)
            ui.note(t("拿不准就先影子运行：每期照样判断、照样记数，但不给信号、不开预警，看过结果再定。"))
            with st.container(horizontal=True):
                pressed = st.form_submit_button(t("检查并保留"), type="primary")
                aside = st.form_submit_button(t("检查并先影子运行"))
        if pressed:
            kept = view.act(changing.keep_rule, code, whole, reason, view.county.pack, view.county.as_of)
            if kept is not None:
                ui.note(t("已保留，并记入操作日志。从下次运行起按新规则判断；本期已发布的结果不变。"))
        if aside:
            begun = view.act(shadowing.begin, code, whole, reason, view.county.pack, view.county.as_of)
            if begun is not None:
                ui.note(t("已放进影子运行，并记入操作日志。下次运行起同时判断；结果在“成效”页看。"))
