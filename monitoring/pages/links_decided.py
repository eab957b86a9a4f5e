"""What was decided: who, when, why, on what; whether the published run knows it; and taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.language import Language, number
from monitoring.linking.board import taken_up
from monitoring.linking.deciding import NOBODY, ROW, Decided, take_back
from monitoring.pages.links_pairs import ANSWERS
from monitoring.people import ROLES
from monitoring.queries import links
from monitoring.ui import Column, View
from monitoring.working_days import CHINA


def part(view: View, decided: Sequence[Decided]) -> None:
    t = view.t
    if not decided:
        ui.empty(t("还没有作过决定。"))
        return
    told = view.ask_county(links.told)
    turned = "links-decided"
    here = links.page_of_pairs(list(decided), ui.page_of(turned))
    ui.table([{"one": one} for one in here], [
        Column(t("编号"), lambda r: ui.count(r["one"].id), "n"),
        Column(t("一边"), lambda r: _side(r["one"].seen.get("one", {}), t)),
        Column(t("另一边"), lambda r: _side(r["one"].seen.get("other", {}), t)),
        Column(t("决定"), lambda r: ui.said(t(_verdict(r["one"])))),
        Column(t("决定的依据"), lambda r: ui.said(r["one"].why)),
        Column(t("谁、何时"), lambda r: _who(r["one"], t)),
        Column(t("现在"), lambda r: _state(r["one"], taken_up(r["one"], told), t)),
    ], t("共 {n}，每页 {size}", n=number(len(decided)), size=links.PAGE))  # fmt: skip
    ui.pager(len(decided), turned, t, links.PAGE)
    _back(view, [one for one in here if one.back_at is None])


def _verdict(one: Decided) -> str:
    if one.kind != ROW:
        return ANSWERS[one.kind][one.verdict]
    if one.other == NOBODY:
        return "都不是：按另外一个人对待"
    return "是这个人" if one.verdict == "same" else "不是这个人"


def _side(seen: dict[str, Any], t: Language) -> str:
    told = (seen.get("name") or seen.get("members"), seen.get("birth"), seen.get("village"), seen.get("number"))
    return ui.said(" · ".join(str(part) for part in told if part)) or ui.unknown(t("没有"))


def _who(one: Decided, t: Language) -> str:
    role = t.pick(ROLES[one.role].zh, ROLES[one.role].en) if one.role in ROLES else ""
    return ui.said(f"{one.by} {role} {one.at.astimezone(CHINA):%Y-%m-%d %H:%M}")


def _state(one: Decided, known: bool, t: Language) -> str:
    if one.back_at is not None:
        return ui.said(t("已撤回：{who}，{why}", who=one.back_by, why=one.back_why))
    return ui.said(t("已用于这一期的结果") if known else t("下一次运行起用"))


def _back(view: View, held: Sequence[Decided]) -> None:
    t = view.t
    if not held:
        return
    with st.expander(t("撤回一个决定")), st.form("links-back", border=False):
        by_id = {one.id: one for one in held}
        chosen = st.selectbox(
            t("哪一个"), list(by_id), index=None,
            format_func=lambda n: t("第 {n} 号：{verdict}", n=number(n), verdict=t(_verdict(by_id[n]))),
        )  # fmt: skip
        why = st.text_input(t("撤回的原因"), max_chars=200, autocomplete="off")
        if st.form_submit_button(t("撤回")):
            if chosen is None:
                ui.failure(t("请先选要撤回的决定。"))
            elif not view.tried(take_back, chosen, why)[1]:
                st.rerun()
            else:
                ui.failure(t("没有撤回：请写明原因（至少 4 个字），或这个决定已经撤回。"))
