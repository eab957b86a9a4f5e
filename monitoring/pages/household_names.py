"""Seeing a household: that somebody looks is journalled before anything is shown; full names and numbers need a purpose."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from monitoring import ui
from monitoring.people import viewing
from monitoring.queries import household
from monitoring.queries.household import Household
from monitoring.ui import View


def opened(view: View, found: Household) -> View:
    """The view that the file is shown with: unmasked where this session may see this household so. Ends the page where the
    journal refuses."""
    known = view.ask(household.number_of, found.key) or str(found.key)
    view.read(viewing.view_household, view.warehouse, known)
    if not view.read(viewing.unmasked, known):
        return view
    return replace(view, scope=replace(view.scope, masked=False))


def control(view: View, found: Household) -> None:
    """The way to full names and numbers, for those who may; that it is open, where it is."""
    t = view.t
    if not view.scope.masked:
        ui.banner(t("正在显示完整信息（30 分钟内有效，仅限本人本次登录）。已记入操作日志，请勿拍照外传。"))
        return
    if not view.person.may("household.unmask"):
        return
    with st.expander(t("查看完整信息")), st.form(f"unmask-{found.key}", border=False):
        purpose = st.text_input(
            t("用途"), max_chars=100, placeholder=t("如：入户核实前核对身份证号"), width=420, autocomplete="off"
        )
        if st.form_submit_button(t("显示 30 分钟（记入操作日志）")):
            known = view.ask(household.number_of, found.key) or str(found.key)
            view.act(viewing.unmask, view.warehouse, known, purpose)
            if view.read(viewing.unmasked, known):
                st.rerun()
