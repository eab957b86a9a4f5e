"""One step with the open alert: its form, its buttons, and what happens when it is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.dealings import Dealings
from monitoring.alerts.queue import Wanted
from monitoring.pages import alerts_work
from monitoring.ui import View

LONGEST_NOTE = 2000


@dataclass(frozen=True)
class Step:
    """One step with the open alert: what its form needs to know."""

    view: View
    card: AlertCard
    known: Dealings
    tab: str
    wanted: Wanted

    def key(self, field: str) -> str:
        return f"{field}-{alerts_work.prefix('f', self.card)}"

    def form(self, verb: str) -> Any:
        return st.form(self.key(verb), border=True)

    def sent(self, onward: bool = True) -> tuple[bool, bool]:
        """The form's buttons: whether it was sent, and whether the next alert is wanted after it."""
        t = self.view.t
        with st.container(horizontal=True, key=self.key("buttons")):
            saved = st.form_submit_button(t("保存"), type="primary")
            following = onward and st.form_submit_button(t("保存并看下一条"))
        return saved or following, following

    def take(self, words: str, following: bool, service: Callable[..., Any], *details: Any, **named: Any) -> None:
        """Takes the step; the page is drawn anew, with the next alert where that was wanted."""
        if alerts_work.save(self.view, self.card, words, service, *details, **named) and following:
            alerts_work.go_on(self.view, self.card, self.tab, self.wanted)
        st.rerun()

    def note(self, verb: str, label: str, help_: str = "") -> str:
        return st.text_area(label, key=self.key(f"{verb}-note"), max_chars=LONGEST_NOTE, height=100, placeholder=help_)


def lacking(words: str) -> None:
    """What a form cannot be sent without, told beside it."""
    ui.html(f'<div class="bl-refused" role="status">{ui.said(words)}</div>')
