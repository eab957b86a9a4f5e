"""数据 · 上传和运行: files into a period's inbox, and the run over them with its progress; for county staff."""

from __future__ import annotations

from html import escape

import streamlit as st

from monitoring import ui
from monitoring.desk.runs import DONE, FAILED, REFUSED, RUNNING, Progress, begin_run, progress
from monitoring.desk.uploads import LARGEST_MB, inbox, periods_for
from monitoring.gate import form_token
from monitoring.language import number, share
from monitoring.queries import places
from monitoring.ui import Column, View

STATE_ZH = {RUNNING: "正在运行", DONE: "运行完了", REFUSED: "没有运行", FAILED: "运行中断"}
EVERY_SECONDS = 2


def section(view: View) -> None:
    t = view.t
    periods = periods_for(view.published.latest if view.published else view.county.period)
    ui.recall("inbox", periods)
    period = st.selectbox(t("哪一期的收件文件夹"), periods, key="inbox", format_func=t.month, width=240)
    ui.keep("inbox", period)
    _upload(view, period)
    _lying(view, period)
    _begin(view, period)


def _upload(view: View, period: str) -> None:
    """A form of the gate's own: the files do not pass through this page."""
    t = view.t
    token = escape(form_token(view.store, view.caller.session))
    ui.html(
        f'<form class="bl-upload" method="post" action="/upload/{escape(period)}" enctype="multipart/form-data" target="_self">'
        f'<input type="hidden" name="token" value="{token}">'
        f"<label>{escape(t('选文件（.csv、.xlsx、.xls，一次共 {n} MB 以内）', n=number(LARGEST_MB)))} "
        f'<input type="file" name="files" multiple required accept=".csv,.txt,.xlsx,.xls"></label> '
        f'<button class="bl-button" type="submit">{escape(t("上传到收件文件夹"))}</button></form>'
    )


def _lying(view: View, period: str) -> None:
    t = view.t
    files = view.read(inbox, view.home, period)
    if not files:
        ui.empty(
            t("{month}的收件文件夹是空的。把各部门的文件传上来，或直接放进主目录的收件文件夹。", month=t.month(period))
        )
        return
    with st.expander(t("收件文件夹里有 {n} 个文件", n=number(len(files)))):
        ui.table([{"name": one.name, "bytes": one.bytes} for one in files], [
            Column(t("文件"), lambda row: ui.said(row["name"])),
            Column(t("字节"), lambda row: ui.count(row["bytes"]), "n"),
        ])  # fmt: skip


def _begin(view: View, period: str) -> None:
    t = view.t
    ui.note(
        t(
            "运行会读取这一期收件文件夹里的全部文件，重新比对并发布；已发布的结果在新的发布前不变。关掉浏览器不影响运行。"
        )
    )
    accept = st.checkbox(t("已核实：数据减少或空白属实，继续运行"), key="run-accept")
    if st.button(t("运行 {month}", month=t.month(period)), key="run-begin"):
        _, refused = view.tried(begin_run, view.home, period, view.ask_county(places.county).pack, accept)
        if refused:
            ui.failure(refused)
    _told(view)


def _told(view: View) -> None:
    """The last run, asked again every two seconds while it goes on."""

    def shown() -> None:
        found = view.read(progress, view.home)
        if found is not None:
            _say(view, found)
            if found.state != RUNNING and st.session_state.pop("run-watched", False):
                st.rerun()  # published meanwhile: the frame's periods too
            st.session_state["run-watched"] = found.state == RUNNING

    found = view.read(progress, view.home)
    going = found is not None and found.state == RUNNING
    st.fragment(shown, run_every=EVERY_SECONDS if going else None)()


def _say(view: View, found: Progress) -> None:
    t = view.t
    ui.heading(t(STATE_ZH[found.state]), t.aside(t.month(found.period), found.by))
    if found.state == RUNNING:
        st.progress(
            found.share,
            text=f"{t(found.step or '准备')} {share(found.done, found.of)} {found.what}",
        )
    elif found.state == DONE:
        ui.note(t(found.words))
    else:
        ui.failure(t(found.words))
