"""One signal as a card: the sentence, what was read with where it stands, the line and its clause, who answers and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from monitoring import ui
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.details import AlertSignal
from monitoring.labels import SUBJECT_ZH, columns_of, parameter_words
from monitoring.queries import household, verdicts
from monitoring.queries.alerts import Signal
from monitoring.ui import View

_KEYS = ("household_key", "person_id", "household_id")


OPEN = ("new", "assigned", "verifying", "returned")  # an alert whose signals wait for their verification


def limits(view: View, signals: Sequence[Signal], card: AlertCard | None, kept: Sequence[AlertSignal]) -> list[Signal]:
    """The run's signals with the limits that hold: those of the alert that they stand in, which count from the day on which it was
    opened. One that stands in no open alert keeps the run's own. `signals` are masked, as what the store kept is."""
    dates = {(one.rule, one.message): one.due_date for one in kept} if card is not None else {}
    return [replace(one, due_date=dates.get((one.rule, one.message), one.due_date)) for one in signals]


def signal_card(view: View, signal: Signal, origins: pl.DataFrame | None, mark: str = "", waits: bool = False) -> None:
    """`origins`: the rows that stand for the household's members; `mark`: what has become of it, where that is to be said;
    `waits`: its limit still runs."""
    t = view.t
    who = f" · {ui.said(signal.name)}" if signal.subject in ("person", "record") and signal.name else ""
    title = t.pick(signal.title_zh, signal.title_en)
    colon = ui.said(t("："))
    seen = [
        f"<li>{ui.said(ui.column_title(signal.subject, name, t))}{colon}<b>{_seen(view, signal.subject, name, value)}</b>{_stands(view, signal, name, origins)}</li>"
        for name, value in signal.evidence.items()
        if name not in _KEYS
    ]
    lines = [f"<li>{_parameter(view, name, value)}</li>" for name, value in signal.parameters.items()]
    far = ui.due(signal.due_date, view.today, t) if waits else ""
    due = f"{signal.due_date} {far}" if signal.due_date else ui.said(t("没有期限"))
    marked = f'<span class="bl-pill">{ui.said(mark)}</span>' if mark else ""
    ui.html(
        f'<div class="bl-card"><div class="bl-facts">{ui.level(signal.level, t)}<b style="color:var(--ink)">{ui.said(title)}</b>'
        f"<span>{ui.said(t(SUBJECT_ZH[signal.subject]))}{who}</span>{marked}{ui.code(signal.rule)}</div>"
        f"<p>{ui.said(t.pick(signal.message, signal.message_en))}</p>"
        f'<div class="bl-note">{ui.said(t("看到的数值"))}</div><ul class="bl-parts">{"".join(seen + lines)}</ul>'
        f'<p class="bl-note">{ui.said(t("依据"))}{colon}{ui.said(signal.clause)}　{ui.said(t("责任部门"))}{colon}{ui.said(t(signal.department))}　'
        f"{ui.said(t('期限'))}{colon}{due}</p></div>"
    )


def _seen(view: View, subject: str, name: str, value: Any) -> str:
    """A value in words; one that is not known is marked."""
    if value is None:
        return ui.unknown(view.t("不明"))
    return ui.said(ui.column_value(subject, name, value, view.t))


def _parameter(view: View, name: str, value: Any) -> str:
    known = view.ask_county(verdicts.parameters_in_force)
    found = known.get(name.replace(".", "_"))
    title = view.t.pick(found.meaning_zh, found.meaning_en) if found else view.t("参数")
    words = parameter_words(value, found.unit if found else "", view.t)
    return f"{ui.said(title)}{ui.said(view.t('：'))}<b>{ui.said(words)}</b>"


def _stands(view: View, signal: Signal, name: str, origins: pl.DataFrame | None) -> str:
    """File and row of the value, where rows of its sources stand for this household."""
    column = columns_of(signal.subject).get(name)
    if origins is None or column is None or not column.sources:
        return ""
    rows = household.sources_of(origins, column.sources, signal.person_id if signal.subject == "person" else None, 2)
    told = view.t.clauses(ui.origin(row, view.t) for row in rows)
    return f'<br><span class="bl-note">{ui.said(told)}</span>' if told else ""
