"""The export of the checklist from its own page: the ledger as it is narrowed and the sets of the places, masked, journalled, taken once."""

from __future__ import annotations

import streamlit as st

from monitoring import ui
from monitoring.people import may
from monitoring.ui import View
from monitoring.vouching.exporting import Picked, offer_checklist

EVERYBODY = Picked()


def button(view: View, picked: Picked = EVERYBODY) -> None:
    """A button that makes the file of what is listed, and then the way to it."""
    t = view.t
    if not may(view.person.role, "export.masked"):
        return
    if st.button(t("导出"), key="export-checklist"):
        address = view.act(offer_checklist, view.warehouse, view.scope, picked, t.code)
        if address:
            ui.html(f"{ui.link(t('下载'), address)} {ui.said(t('（10 分钟内有效，只能下载一次）'))}")
