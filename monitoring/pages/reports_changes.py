"""本期变化: who entered, left, rose or fell between two published periods, and which fact of the household changed."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from monitoring import ui
from monitoring.language import number
from monitoring.queries import changes
from monitoring.ui import Column, View

HOW = {"revised": "条件已修订", "added": "新增", "removed": "已取消", "on": "已启用", "off": "已停用"}


def section(view: View) -> None:
    t, periods = view.t, view.earlier_periods
    if not periods:
        ui.empty(t("没有更早的已发布结果，不能比较。"))
        return
    ui.recall("since", periods)
    since = st.selectbox(t("与哪一期比较"), periods, key="since", format_func=t.month, width=220)
    ui.keep("since", since, periods[0])
    frame = view.ask_pair(since, changes.changed)
    _for_everybody(view, view.ask_pair(since, changes.runs))
    ui.heading(t("{before} → {now}：各项进出和升降（户）", before=t.month(since), now=t.month(view.county.period)))
    ui.table(changes.tally(frame).to_dicts(), [
        Column(t("项目"), lambda row: ui.said(t(changes.MEASURES[row["measure"]][0]))),
        *(Column(t(said), _figure(view, since, key), "n") for key, said in changes.DIRECTIONS.items()),
    ])  # fmt: skip
    ui.note(t("“上升”“下降”：预警指级别，低保、特困指月金额。变为不明、由不明转为已知的，不算进出。"))
    _list(view, frame, since)


def _figure(view: View, since: str, direction: str) -> Any:
    def cell(row: dict[str, Any]) -> str:
        if not row[direction]:
            return "0"
        address = view.link("reports", part="changes", since=since, what=row["measure"], how=direction)
        return ui.link(number(row[direction]), address)

    return cell


def _for_everybody(view: View, found: changes.Runs) -> None:
    """Rules and parameters that are others now: they may move households whose facts are the same."""
    t = view.t
    said = (
        [t("政策包：{before} → {now}", before=found.packs[0], now=found.packs[1])]
        if found.packs[0] != found.packs[1]
        else []
    )
    said += [
        t("{name}：{before} → {now}", name=t.pick(row["meaning_zh"], row["meaning_en"]), before=row["before"] or t("无"), now=row["now"] or t("无"))
        for row in found.parameters
    ]  # fmt: skip
    said += [
        t("规则“{rule}”{how}", rule=t.pick(row["title_zh"], row["title_en"]), how=t(HOW[row["how"]]))
        for row in found.rules
    ]
    if not said:
        ui.note(t("两期之间规则和标准没有变化，以下变化都来自户的情况或台账。"))
        return
    ui.html(f'<div class="bl-note">{ui.said(t("两期之间规则和标准有变化，情况没变的户也可能因此进出："))}</div>')
    ui.html(f'<ul class="bl-parts">{"".join(f"<li>{ui.said(one)}</li>" for one in said)}</ul>')


def _list(view: View, frame: pl.DataFrame, since: str) -> None:
    t = view.t
    measures, directions = list(changes.MEASURES), list(changes.DIRECTIONS)
    ui.recall("what", measures)
    ui.recall("how", directions)
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        what = st.selectbox(
            t("看哪一项"), measures, key="what", format_func=lambda key: t(changes.MEASURES[key][0]), width=300
        )
        how = st.selectbox(
            t("怎么变"), directions, key="how", format_func=lambda key: t(changes.DIRECTIONS[key]), width=200
        )
    ui.keep("what", what, measures[0])
    ui.keep("how", how, directions[0])
    turned = f"changed-{ui.mark(what, how, view.scope, view.county.period, since)}"
    rows, total = changes.pick(frame, what, how, ui.page_of(turned))
    if not total:
        ui.empty(t("两期之间没有这样变化的户。"))
        return
    titles = view.ask_pair(since, changes.rule_titles) if what == "alert" else {}
    columns = [
        Column(t("户主"), lambda row: ui.link(row["name"] or t("姓名不明"), view.household_link(row)), "w"),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        Column(t("由 → 到"), lambda row: _from_to(view, row), "w"),
        Column(t("为什么"), lambda row: _why(view, row, titles)),
    ]
    if rows["before"].is_null().all() and rows["now"].is_null().all():
        del columns[2]
    ui.table(rows.to_dicts(), columns, t("共 {n}，每页 50", n=number(total)))
    ui.pager(total, turned, t)


def _from_to(view: View, row: dict[str, Any]) -> str:
    if row["measure"] == "alert":
        before, now = (
            ui.level(changes.LEVEL_OF[v], view.t) if v else ui.said(view.t("无")) for v in (row["before"], row["now"])
        )
    else:
        before, now = (view.t.money(v) if v else ui.said(view.t("无")) for v in (row["before"], row["now"]))
    return f"{before} → {now}"


def _why(view: View, row: dict[str, Any], titles: dict[str, tuple[str, str]]) -> str:
    t, found = view.t, []
    came, went = changes.rules_of(row) if row["measure"] == "alert" else ([], [])
    for rules, words in ((came, "新命中：{rules}"), (went, "不再命中：{rules}")):
        if rules:
            found.append(t(words, rules=t.listed(t.pick(*titles[rule]) if rule in titles else rule for rule in rules)))
    found += [
        t(text, **{key: t(value) if value != "?" else t("不明") for key, value in values.items()})
        for text, values in changes.why(row)
    ]
    return "".join(f"<div>{ui.said(one)}</div>" for one in found)
