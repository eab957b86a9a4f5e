"""不漏一户: who can vouch for each household, the 18 sets, sign-off, what could not be judged, and the balances."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from monitoring import ui
from monitoring.language import number, share
from monitoring.pages import checklist_balances, checklist_blind, checklist_ledger, checklist_sets, checklist_sign
from monitoring.pages.checklist_words import STATE_NOTES, STATES
from monitoring.queries import vouching
from monitoring.ui import Tile, View
from monitoring.vouching.live import Live, live

PARTS: dict[str, tuple[str, Callable[[View, Live], None]]] = {
    "ledger": ("逐户", checklist_ledger.part),
    "sets": ("18 项", checklist_sets.part),
    "sign": ("签字", checklist_sign.part),
    "blind": ("看不清的地方", checklist_blind.part),
    "balances": ("账目", checklist_balances.part),
}


def page(view: View) -> None:
    t = view.t
    if not view.ask_county(vouching.ready):
        ui.title(t("不漏一户"))
        ui.empty(t("这一期的结果是由旧版本生成的，没有逐户的担保情况。请把这一期重新运行一次（buluo run）。"))
        return
    now = view.read(live, view.ask_county(vouching.asked_of))
    known = vouching.totals(view.warehouse, view.scope, now)
    ui.title(t("谁能为这一户担保？"), t("{n} 户中 {vouched} 户有人担保 · {nobody} 户无人担保", n=number(known.households),
                                   vouched=number(known.vouched), nobody=number(known.nobody)))  # fmt: skip
    ui.tiles([
        Tile(t(STATES[state]), number(known.of[state]), t("户"),
             f"{ui.said(share(known.of[state], known.households))} {ui.said(t(STATE_NOTES[state]))}",
             view.link("checklist", state=state))
        for state in STATES
    ])  # fmt: skip
    ui.html(f'<p class="bl-print">{ui.said(_where(view))}</p>')  # on paper there are no pickers
    ui.recall("part", list(PARTS))
    part = st.segmented_control(
        t("看什么"), list(PARTS), format_func=lambda name: t(PARTS[name][0]), key="part", default=None if "part" in st.session_state else "ledger",
        required=True, wrap=True, label_visibility="collapsed",
    )  # fmt: skip
    ui.keep("part", part, "ledger")
    PARTS[part or "ledger"][1](view, now)


def _where(view: View) -> str:
    """Period and place, and how old the data are."""
    t, scope = view.t, view.scope
    villages = [" ".join(part for part in place if part) for place in scope.villages or ()]
    places = [*villages, *(t.place(town) for town in scope.townships or ())]
    whole = t("全县") if view.person.places is None else t("负责的全部地方")
    return t.clauses([
        t.month(view.county.period), t.listed(places) or whole,
        t.clauses([t("数据截至 {day}", day=view.county.as_of.isoformat()), view.sources_said()]),
    ])  # fmt: skip
