"""One signal as a card: the sentence, what was read with where it stands, the line and its clause, who answers and until when."""

from __future__ import annotations

from typing import Any

import polars as pl

from monitoring import ui
from monitoring.labels import SUBJECT_ZH, columns_of, parameter_words
from monitoring.queries import household, verdicts
from monitoring.queries.alerts import Signal
from monitoring.ui import View

_KEYS = ("household_key", "person_id", "household_id")


def signal_card(view: View, signal: Signal, origins: pl.DataFrame | None, mark: str = "") -> None:
    """`origins`: the rows that stand for the household's members; `mark`: what has become of it, where that is to be said."""
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
    due = f"{signal.due_date} {ui.due(signal.days_left, t)}" if signal.due_date else ui.said(t("没有期限"))
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
