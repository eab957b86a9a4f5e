"""The sampled visits among the alerts: households that nothing flagged, drawn for a look, and what was found at their doors."""

from __future__ import annotations

import streamlit as st

from monitoring import ui
from monitoring.language import number
from monitoring.misses.results import RESULTS
from monitoring.misses.visiting import Sampled, record, to_visit
from monitoring.pages import misses
from monitoring.ui import View
from monitoring.working_days import local_day

SAID, TRIED = "sample-said", "sample-tries"


def part(view: View) -> None:
    """Nothing where nobody waits to be visited."""
    t, rows = view.t, view.read(to_visit)
    if said := st.session_state.pop(SAID, ""):
        ui.note(said)
    if not rows:
        return
    with st.expander(
        t("漏判抽查：{n} 户没有任何信号的户待走访，最早 {day} 前", n=number(len(rows)), day=min(row.due_date for row in rows).isoformat())
    ):  # fmt: skip
        ui.note(t("这些户是随机抽中的，不能换；看看生活有没有困难，没见到人的再去一次。有困难的，保存后立即成为预警。"))
        misses.listing(view, rows)
        if view.person.may("sample.visit"):
            _form(view, rows)


def _form(view: View, rows: list[Sampled]) -> None:
    t, day = view.t, local_day(view.now())
    known = {row.id: row for row in rows}
    with st.form(f"sample-{st.session_state.get(TRIED, 0)}", border=False):
        left, middle, right = st.columns(3)
        chosen = left.selectbox(
            t("哪一户"),
            list(known),
            index=None,
            placeholder=t("请选择"),
            format_func=lambda key: _named(view, known[key]),
        )
        on = middle.date_input(t("哪天去的"), value=day, max_value=day, format="YYYY-MM-DD")
        visitor = right.text_input(t("谁去的"), value=view.person.person, max_chars=64)
        result = st.radio(t("走访结果"), list(RESULTS), index=None, horizontal=True,
                          format_func=lambda one: t.pick(RESULTS[one].zh, RESULTS[one].en))  # fmt: skip
        note = st.text_area(
            t("看到的情况"), placeholder=t("见了谁、看到什么；没见到的，找过几次、问过谁"), max_chars=4000
        )
        if not st.form_submit_button(t("保存走访")):
            return
    if chosen is None or result is None:
        ui.failure(t("请选择是哪一户、走访结果是什么。"))
        return
    saved, refused = view.tried(record, chosen, on, visitor, result, note)
    if refused or saved is None:
        ui.failure(refused)
        return
    st.session_state[SAID] = t("走访已保存，已成为预警。") if saved.alert_id is not None else t("走访已保存。")
    st.session_state[TRIED] = st.session_state.get(TRIED, 0) + 1
    st.rerun()


def _named(view: View, one: Sampled) -> str:
    return " ".join(part for part in (one.name or view.t("户主不明"), one.township, one.village, one.household) if part)
