"""成效, rules in shadow: judged beside those that count, without a signal; a person ends it. And a condition replayed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import charts, ui
from monitoring.alerts import economics as doors
from monitoring.language import number
from monitoring.pages import replay
from monitoring.queries import rulebook
from monitoring.rules import Rule, shadowing
from monitoring.rules.changing import LONGEST_REASON
from monitoring.simulating import CannotSimulate, replaying
from monitoring.simulating.replaying import Replayed
from monitoring.ui import View

LONGEST = 2000


def section(view: View) -> None:
    t = view.t
    try:
        files = rulebook.in_shadow(view.warehouse)
    except CannotSimulate as refusal:
        ui.failure(t("影子规则的文件现在不能用：{why}", why=t.clauses(refusal.words)))
        files = {}
    told = view.ask_runs(replaying.shadows)
    stored = [] if told is None else told.months["rule"].unique().sort().to_list()
    ui.heading(t("影子规则"), t("每期照样判断、照样记数，不给信号、不开预警"))
    if not files and not stored:
        ui.empty(
            t(
                "现在没有影子规则。分析员在“政策规则”里改好一条规则，选“先影子运行”，下次运行起就在这里和现行规则并排比较。"
            )
        )
    for code in sorted({*files, *stored}):
        _shadow(view, code, files.get(code), told)
    if view.person.may("rule.change"):
        _replay(view)


def _shadow(view: View, code: str, file: Rule | None, told: Replayed | None) -> None:
    t = view.t
    mine = replaying.of_rule(told, code) if told is not None else None
    months: list[dict[str, Any]] = mine.months.to_dicts() if mine is not None else []
    title = t.pick(file.title.zh, file.title.en) if file else code
    ui.html(f"<div><b>{ui.said(title)}</b> {ui.code(code)}</div>")
    ui.note(_state(view, file, months))
    if months and mine is not None:
        judged = [month for month in months if not month["disabled"]]
        if judged:
            ui.chart(charts.plot_replay(judged, t, t("影子的")), f"shadow-{code}", t("各期命中：现行规则和影子规则"))
            replay.table(view, judged, t("影子命中"), t("影子不明"))
            replay.said(view, replaying.said_at_the_door(mine.moves, view.read(doors.door, view.scope)))
            replay.households(view, mine, f"shadow-{code}")
        else:
            ui.note(t("这条规则用到的参数在政策包里停用，所以没有判断。"))
    if file is not None and view.person.may("rule.change"):
        _end(view, code)


def _state(view: View, file: Rule | None, months: list[dict[str, Any]]) -> str:
    t = view.t
    if file is None:
        return t("影子运行已结束；下面是当时的结果。")
    mine = [month["period"] for month in months if month["sha256"] == file.sha256]
    if mine:
        return t("影子运行中：已判断 {n} 期，从 {month} 起。", n=number(len(mine)), month=t.month(min(mine)))
    if months:
        return t("影子规则的文件在上次运行之后改过：下面是改之前的结果，新的从下次运行起判断。")
    return t("还没有判断过：从下次运行起判断。")


def _end(view: View, code: str) -> None:
    """A person decides: it counts from the next run, or nothing changes."""
    t = view.t
    with st.form(f"end-{code}", border=False):
        reason = st.text_input(t("为什么（记入操作日志）"), key=f"end-why-{code}", max_chars=LONGEST_REASON)
        with st.container(horizontal=True):
            counts = st.form_submit_button(t("从下期起计入"), type="primary")
            dropped = st.form_submit_button(t("停掉影子运行"))
    if counts:
        path = view.act(shadowing.count, code, reason, view.county.pack, view.county.as_of)
        if path is not None:
            ui.note(t("已转为本县的规则，并记入操作日志。从下次运行起给出信号。"))
    if dropped:
        gone = view.act(shadowing.drop, code, reason)
        if gone is not None:
            ui.note(t("已停掉，并记入操作日志。现行规则不变。"))


def _replay(view: View) -> None:
    """A rule's condition, changed, on every published period."""
    t = view.t
    ui.heading(t("回放"), t("改一改条件，看过去各期谁会新命中、谁不再命中；什么都不改动"))
    book = {
        row["rule"]: row for row in view.ask(rulebook.rulebook).to_dicts() if row["when_text"] and not row["disabled"]
    }
    ui.recall("replay", list(book))
    code = st.selectbox(
        t("看哪条规则"), ["", *book], key="replay", width=380,
        format_func=lambda code: t.pick(book[code]["title_zh"], book[code]["title_en"]) if code else t("请选一条"),
    )  # fmt: skip
    ui.keep("replay", code)
    if not code:
        return
    row = book[code]
    before = row["when_text"].strip()
    when = st.text_area(t("条件"), value=before, key=f"replay-when-{code}", height=110, max_chars=LONGEST).strip()
    if when == before:
        ui.note(t("改动上面的条件，就会在过去各期上回放。"))
        return
    replay.section(view, code, row["subject"], row["record"] or "", when)
