"""The list of the queue: one row is one alert, a row of a table on a wide screen and a card on a narrow one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import streamlit as st

from monitoring import ui
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.moves import STATUSES
from monitoring.labels import LEVEL_MARK, LEVEL_ZH
from monitoring.ui import View

ROWS = "queue-row"  # the row that is marked
NBSP = "\N{NO-BREAK SPACE}"
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def rows(view: View, found: Sequence[AlertCard], chosen: int | None, open_: Callable[[int], None]) -> None:
    """Fifty rows to choose one from; the one chosen is opened. They are one element: fifty with a button each took the server
    longer to send than all the rest of the page."""
    t, told = view.t, {card.id: row(view, card) for card in found}
    with st.container(key=f"queue-rows-{t.code}", gap=None):
        _head(view)
        st.session_state[ROWS] = chosen if chosen in told else None
        st.radio(
            t("预警"), list(told), index=None, key=ROWS, format_func=told.__getitem__, label_visibility="collapsed",
            width="stretch", on_change=_chosen, args=(open_,),
        )  # fmt: skip


def _chosen(open_: Callable[[int], None]) -> None:
    if (alert_id := st.session_state[ROWS]) is not None:
        open_(alert_id)


def ticks(view: View, found: Sequence[AlertCard], key: str) -> list[AlertCard]:
    """The same rows with a box each, inside a form: those that are ticked."""
    ticked = []
    with st.container(key=f"queue-rows-{view.t.code}-ticks", gap=None):
        for card in found:
            with st.container(key=f"{_row_key(card)}-tick"):
                if st.checkbox(row(view, card), key=f"{key}-{card.id}", width="stretch"):
                    ticked.append(card)
    return ticked


def claimable(view: View, card: AlertCard) -> bool:
    return card.assignee is None and card.status in ("new", "returned") and view.person.may("alert.claim")


def row(view: View, card: AlertCard) -> str:
    """One alert in a line of label markdown: level, name, place, why, until when, who. The style sheet makes columns of them.
    Its number is not shown: it tells rows apart that say the same."""
    t = view.t
    level = f"{LEVEL_MARK[card.level]} {t(LEVEL_ZH[card.level])}"
    marks = [t("急难")] if card.emergency else []
    marks += [t("可关闭")] if card.offers_closing else []
    marks += [t("{n} 条信号", n=card.signals)] if card.signals > 1 else []
    why = " ".join([*(t("【{mark}】", mark=mark) for mark in marks), t.pick(card.headline, card.headline_en)])
    until = plain(" ".join(part.replace(" ", NBSP) for part in due_parts(view, card)))
    return (
        f":{card.level}-background[:{card.level}[{plain(level)}]] **{plain(name(view, card))}** *{plain(place(view, card))}* "
        f":green[{plain(why)}] {f':red[**{until}**]' if card.escalation else f':gray[{until}]'} "
        f":blue[{plain(who(view, card))}] `{card.id}`"
    )


def _row_key(card: AlertCard) -> str:
    """The style sheet reads level and lateness from it."""
    return f"q-{card.level}{'-late' if card.escalation else ''}-{card.id}"


def _head(view: View) -> None:
    t = view.t
    names = (t("级别"), t("户主或对象"), t("乡镇、村"), t("原因"), t("期限"), t("在谁手里"))
    cells = "".join(f"<span>{ui.said(text)}</span>" for text in names)
    ui.html(f'<div class="bl-qhead" aria-hidden="true">{cells}</div>')


def plain(text: str) -> str:
    """A text inside label markdown, so that it means itself."""
    return _PUNCTUATION.sub(r"\\\1", text).replace("\n", " ")


def name(view: View, card: AlertCard) -> str:
    """Whom the alert is about: the household's head, or the institution, source or pack by its name."""
    if card.subject == "feed":
        return ui.feed(card.name, view.t)
    return card.name or view.t("姓名不明")


def place(view: View, card: AlertCard) -> str:
    if card.subject in ("feed", "policy"):
        return view.t("全县")
    return " ".join(part for part in (card.township, card.village) if part) or view.t("地点不明")


def due(view: View, card: AlertCard) -> str:
    """Until when, with the distance; overdue says whose matter it has become."""
    return view.t("，").join(due_parts(view, card))


def due_parts(view: View, card: AlertCard) -> list[str]:
    """`due` in the pieces that belong on one line each."""
    t = view.t
    if card.status == "closed":
        return [t("已办结")]
    if card.due_date is None:
        return [t("没有期限")]
    far = ui.distance(card.due_date, view.today, t)
    return [far, t("县级督办") if card.escalation > 1 else t("乡镇督办")] if card.escalation else [far]


def who(view: View, card: AlertCard) -> str:
    """Who has it and how far it is."""
    t = view.t
    if card.status == "referred" and card.waiting_for:
        state = t("等 {department} 答复", department=t(card.waiting_for))
    else:
        state = t.pick(*STATUSES[card.status])
    return state if card.assignee_name is None else f"{card.assignee_name} · {state}"
