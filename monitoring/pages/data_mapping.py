"""数据 · 未识别文件: what a file might be, column by column; a person changes what is wrong, sees the first rows, keeps it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.desk.mapping import feeds_of, keep_mapping, proposal
from monitoring.feeds import Feed
from monitoring.language import number, share
from monitoring.ui import Column, View

NOT_USED = ""


def section(view: View, files: list[str]) -> None:
    t = view.t
    if not view.person.may("feed.map") or not files:
        return
    ui.heading(t("它可能是什么"))
    ui.note(t("系统按表头和值的样子提出对应，由人核对后记住；记住以后，再运行本期，这样的文件就认得了。"))
    file = st.selectbox(
        t("文件"), ["", *files], key="map-file", width=420, format_func=lambda name: name or t("（选一个未识别的文件）")
    )
    if not file:
        return
    feeds = feeds_of(view.home)
    chosen = st.selectbox(
        t("按哪种台账"), ["", *feeds], key=f"map-feed-{file}", width=420, format_func=lambda one: ui.feed(one, t) if one else t("最像的")
    )  # fmt: skip
    found = _asked(view, file, chosen or None, st.session_state.get(f"map-changed-{file}-{chosen}"))
    if found is None:
        return
    if not found["sheets"]:
        ui.empty(t("这个文件里没有能对应的表头，多半不是台账。"))
    for sheet in found["sheets"]:
        _sheet(view, file, chosen, sheet, feeds[sheet["feed"]])


def _asked(view: View, file: str, feed: str | None, changed: dict[str, str | None] | None) -> dict[str, Any] | None:
    """The proposal, asked for once: reading the file takes a while."""
    key = (view.county.period, file, feed, tuple(sorted((changed or {}).items(), key=str)))
    if st.session_state.get("map-key") != key:
        with st.spinner(view.t("正在读文件")):
            st.session_state["map-found"] = view.act(proposal, view.home, view.county.period, file, feed, changed)
        st.session_state["map-key"] = key
    found: dict[str, Any] | None = st.session_state["map-found"]
    return found


def _sheet(view: View, file: str, chosen: str, sheet: dict[str, Any], feed: Feed) -> None:
    t = view.t
    columns = feed.std_columns()
    ui.heading(
        sheet["sheet"] or file, t("像“{feed}”，表头在第 {row} 行", feed=ui.feed(feed.id, t), row=sheet["heading_row"])
    )
    with st.form(f"map-{file}-{chosen}-{sheet['sheet']}"):
        changed: dict[str, str | None] = {}
        for place, one in enumerate(sheet["columns"]):
            options = [NOT_USED, *columns]
            label = t.aside(one["heading"], "、".join(one["examples"]) or t("空"))
            sure = t("把握 {share}", share=share(one["sure"], 1)) if one["column"] else t("没有把握")
            picked = st.selectbox(
                f"{label} · {sure}", options, index=options.index(one["column"] or NOT_USED), key=f"map-{file}-{chosen}-{sheet['sheet']}-{place}",
                format_func=lambda name: t(columns[name].heading) if name else t("不用这一列"), width=520,
            )  # fmt: skip
            changed[one["heading"]] = picked or None
        with st.container(horizontal=True):
            look = st.form_submit_button(t("照此再看"))
            keep = st.form_submit_button(t("核对无误，记住"))
    _tried(view, sheet, feed)
    if look:
        st.session_state[f"map-changed-{file}-{chosen}"] = changed
        st.rerun()
    if keep:
        aliases: dict[str, list[str]] = {}
        for heading, name in changed.items():
            if name:
                aliases.setdefault(name, []).append(heading)
        if view.act(keep_mapping, view.home, feed.id, aliases) is not None:
            ui.note(t("已记住。请在“上传和运行”里再运行这一期。"))


def _tried(view: View, sheet: dict[str, Any], feed: Feed) -> None:
    t, tried = view.t, sheet["tried"]
    if sheet["lacks"]:
        lacks = t.listed(feed.std_columns()[name].heading for name in sheet["lacks"])
        ui.failure(t("还缺必填的列：{columns}。没有这些列，文件不能装入；请部门补上，或改对应。", columns=lacks))
        return
    if tried["feed"] != feed.id:
        ui.failure(t.named(t("照此还读不进来"), tried["reason"]))
        return
    ui.note(
        t(
            "照此读取：装入 {loaded} 行，隔离 {quarantined} 行，看不懂的值 {issues} 个。前几行（已遮蔽）：",
            loaded=number(tried["loaded"]),
            quarantined=number(tried["quarantined"]),
            issues=number(tried["issues"]),
        )
    )
    for reason in tried["reasons"]:
        ui.note(reason)
    if tried["rows"]:
        ui.table(tried["rows"], [Column(t(heading), _cell(heading)) for heading in tried["rows"][0]])


def _cell(heading: str) -> Any:
    return lambda row: ui.said(row[heading])
