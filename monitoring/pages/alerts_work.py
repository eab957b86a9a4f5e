"""What the parts of the alerts page share: which alert is open, how a step is taken and told, many steps at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

from monitoring import ui
from monitoring.alerts import queue, work
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.queue import Wanted, WorkerLoad
from monitoring.pages import alerts_load, alerts_queue
from monitoring.ui import View

CHOSEN = "open-alert"  # the alert that is open; None is the first of the list
ROUND = (
    "round"  # counts the steps that were taken: a form that was saved begins anew, one that was refused keeps its text
)
SAID = "said"
SEEN = "seen-alert"  # the open alert and its version when it was drawn last
Answer = TypeVar("Answer")


def open_(alert_id: int) -> None:
    st.session_state[CHOSEN] = alert_id


def close_() -> None:
    st.session_state[CHOSEN] = None


def prefix(verb: str, card: AlertCard) -> str:
    """The key of a form's fields."""
    return f"{verb}-{card.id}-{st.session_state.get(ROUND, 0)}"


def say(words: str, good: bool = True) -> None:
    """To be told after the page was drawn anew."""
    st.session_state[SAID] = (words, good)


def whole_page_if_told() -> None:
    """What a button within the open alert came to is told beside the list, which has to be drawn anew as well."""
    if SAID in st.session_state:
        st.rerun()


def changed_meanwhile(card: AlertCard) -> bool:
    """Whether somebody else changed the alert since it was drawn for this person; true once."""
    before, st.session_state[SEEN] = st.session_state.get(SEEN), (card.id, card.version)
    return before is not None and before[0] == card.id and before[1] != card.version


def said(view: View) -> None:
    """What the last step came to; beside the list, and as a note that a phone shows wherever it has scrolled to."""
    told = st.session_state.pop(SAID, None)
    if told is not None:
        words, good = told
        ui.html(f'<div class="{"bl-done" if good else "bl-refused"}" role="status">{ui.said(words)}</div>')
        st.toast(words, duration="short" if good else "long")


def attempt(view: View, service: Callable[..., Answer], *details: Any, **named: Any) -> Answer | None:
    """A step; None where it was refused, which is told in words on the page that is drawn next."""
    done, refused = view.tried(service, *details, **named)
    if refused:
        say(refused, good=False)
    return done


def claim(view: View, card: AlertCard) -> None:
    """Takes it and opens it; who was slower is told by whom, and sees the list as it is now."""
    done = attempt(view, work.claim, card.id, card.version)
    if done is not None:
        say(view.t("已认领：{name}，{place}", name=alerts_queue.name(view, card), place=alerts_queue.place(view, card)))
        open_(card.id)
        st.session_state.pop(SEEN, None)


def save(
    view: View, card: AlertCard, words: str, service: Callable[..., AlertCard], *details: Any, **named: Any
) -> bool:
    """A step with the open alert, as its version was seen; whether it was taken."""
    done = attempt(view, service, card.id, card.version, *details, **named)
    if done is not None:
        begin_anew(card.id, words)
    return done is not None


def begin_anew(alert_id: int, words: str) -> None:
    """After a step: what it came to is told, and forms are empty."""
    say(words)
    empty_forms()
    open_(alert_id)
    st.session_state.pop(SEEN, None)


def empty_forms() -> None:
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1


def go_on(view: View, card: AlertCard, tab: str, wanted: Wanted) -> None:
    """The next alert of the tab is opened."""
    following = view.read(queue.next_alert, tab, wanted, card)
    st.session_state[CHOSEN] = None if following is None else following.id
    if following is None:
        say(f"{st.session_state[SAID][0]} {view.t('这一栏里没有下一条了。')}")


def batch(view: View, found: Sequence[AlertCard], turned: str) -> None:
    """Rows are ticked and given to one person; those that could not be are named with the reason."""
    t = view.t
    loads = {load.account: load for load in view.read(queue.workers)}
    if not loads:
        ui.empty(t("这里还没有可以分派的工作人员账号，请联系系统管理员。"))
        return
    with st.form(f"batch-{turned}-{st.session_state.get(ROUND, 0)}"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            to = st.selectbox(
                t("分派给"), list(loads), index=None, placeholder=t("选择工作人员"), width=320,
                format_func=lambda account: _worker(view, loads[account]),
            )  # fmt: skip
            sent = st.form_submit_button(t("分派所选"), type="primary")
        ticked = alerts_queue.ticks(view, found, f"tick-{turned}-{st.session_state.get(ROUND, 0)}")
    if not sent:
        return
    if to is None or not ticked:
        ui.html(f'<div class="bl-refused" role="status">{ui.said(t("请勾选要分派的预警，并选择工作人员。"))}</div>')
    else:
        done = attempt(view, work.assign_many, [(card.id, card.version) for card in ticked], to)
        if done is not None:
            _told(view, done, loads[to], ticked)
        st.rerun()


def _told(view: View, done: work.Batch, to: WorkerLoad, ticked: Sequence[AlertCard]) -> None:
    t = view.t
    empty_forms()
    names = {card.id: alerts_queue.name(view, card) for card in ticked}
    left = [t.named(names.get(one.alert_id, ""), t.clauses(t.said(part) for part in one.parts)) for one in done.left]
    words = t("已分派 {n} 件给 {person}。", n=len(done.done), person=to.person)
    say(words + (t("未分派 {n} 件：{left}", n=len(left), left=t.clauses(left)) if left else ""), good=not left)


def _worker(view: View, load: WorkerLoad) -> str:
    role = alerts_load.role(view, load.worker.role)
    return view.t("{person}（{role}，手上 {n} 件）", person=load.person, role=role, n=load.open)
