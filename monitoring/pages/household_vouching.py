"""Who can vouch for this household: its row of the ledger, in one line."""

from __future__ import annotations

from monitoring import ui
from monitoring.pages.checklist_words import state, why
from monitoring.queries import vouching
from monitoring.ui import View
from monitoring.vouching.live import live


def section(view: View, household_key: int) -> None:
    """Nothing where an older version published the run: it has no ledger."""
    t = view.t
    if not view.ask_county(vouching.ready):
        return
    now = view.read(live, view.ask_county(vouching.asked_of))
    row = vouching.of_household(view.warehouse, view.scope, now, household_key)
    if row is None:
        return
    rules = vouching.unjudged(view.warehouse, view.scope, [household_key]).get(household_key, [])
    ui.html(
        f"<div>{ui.link(t('谁能为这一户担保？'), view.link('checklist'))} <b>{state(row['state'], t)}</b> "
        f'<span class="bl-note">{ui.said(t.clauses(why(row, rules, t)))}</span></div>'
    )
