"""The filter builder of the risk lists: rows of field, comparison and value; the columns and the order below them."""

from __future__ import annotations

import streamlit as st

from monitoring.labels import UNIT_ZH
from monitoring.lists.asking import (
    COMPARISONS,
    SAID,
    SAID_OF_DATES,
    Ask,
    Condition,
    NotAsked,
    Order,
    ask_from_json,
    check,
)
from monitoring.lists.exporting import alert_names
from monitoring.lists.fields import DEFAULT_COLUMNS, Field, fields, public
from monitoring.queries import risk_lists
from monitoring.ui import View

UNKNOWN = "不明"
_ROWS, _NEXT = "lists-rows", "lists-next"
_HAS_SCORE = "score"
ASKED = "ask"  # in the address
LONGEST = 1500


def fill(ask: Ask) -> None:
    """Puts a kept filter into the builder, before its parts are drawn."""
    st.session_state[_ROWS] = []
    for one in ask.where:
        row = _add()
        known = fields(ask.subject)[one.field]
        st.session_state[f"lf{row}"] = one.field
        st.session_state[f"lc{row}"] = one.comparison
        chosen = list(one.values)
        if _chosen_from(known):
            st.session_state[_key(row, one.field)] = [*chosen, *([UNKNOWN] if one.unknown else [])]
        else:
            st.session_state[_key(row, one.field)] = "、".join(chosen)
            st.session_state[f"lu{row}-{one.field}"] = one.unknown
    st.session_state[f"lists-columns-{ask.subject}"] = list(ask.shown)
    st.session_state[f"lists-order-{ask.subject}"] = ask.order[0].field if ask.order else ""
    st.session_state[f"lists-down-{ask.subject}"] = bool(ask.order and ask.order[0].down)


def recall() -> None:
    """At first: the filter that the address holds, if it is one."""
    asked = st.query_params.get(ASKED)
    if _ROWS in st.session_state or not asked:
        return
    try:
        ask = ask_from_json(asked)
        check(ask, masked=True)
    except NotAsked:
        return
    st.session_state["of"] = ask.subject
    fill(ask)


def keep(ask: Ask) -> None:
    """The filter into the address, so that it stands when the page is loaded again: fields and values, which masked lists may ask
    for; a filter that can't be asked, or too long for an address, is left out."""
    try:
        check(ask, masked=True)
        told = ask.json()
    except NotAsked:
        told = ""
    plain = not ask.conditions and not ask.order and ask.shown == DEFAULT_COLUMNS[ask.subject]
    wanted = "" if plain or len(told) > LONGEST else told
    if wanted and st.query_params.get(ASKED) != wanted:
        st.query_params[ASKED] = wanted
    elif not wanted and ASKED in st.query_params:
        del st.query_params[ASKED]


def builder(view: View, subject: str) -> Ask:
    """Draws the builder; the filter as it stands."""
    t = view.t
    known = offered(view, subject)
    if _ROWS not in st.session_state:
        st.session_state[_ROWS] = []
        _add()
    conditions = [
        one for row in list(st.session_state[_ROWS]) if (one := _condition(view, subject, known, row)) is not None
    ]
    st.button(t("加一个条件"), key="lists-add", on_click=_another)
    with st.expander(t("列和顺序")):
        key = f"lists-columns-{subject}"
        st.session_state.setdefault(key, list(DEFAULT_COLUMNS[subject]))
        columns = st.multiselect(
            t("显示哪些列（按选的先后）"), [name for name, of in known.items() if of.shown], key=key,
            format_func=lambda name: _title(view, known[name]),
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            order = st.selectbox(
                t("按什么排"), ["", *[name for name, of in known.items() if of.shown and public(of, masked=True)]], key=f"lists-order-{subject}", width=360,
                format_func=lambda name: _title(view, known[name]) if name else t("乡镇、村"),
            )  # fmt: skip
            down = st.checkbox(t("从大到小"), key=f"lists-down-{subject}")
    return Ask(subject, tuple(conditions), tuple(columns), (Order(order, down),) if order else ())


def offered(view: View, subject: str) -> dict[str, Field]:
    """The fields that this run has."""
    scored = view.ask_county(risk_lists.scored)
    return {name: of for name, of in fields(subject).items() if name != _HAS_SCORE or scored}


def names(view: View, subject: str, name: str) -> dict[str, str]:
    """What the values of a field are called."""
    if name == "alert":
        return alert_names(view.t)
    found: dict[str, str] = view.ask(risk_lists.choices, subject, name)
    return found


def _condition(view: View, subject: str, known: dict[str, Field], row: int) -> Condition | None:
    t = view.t
    options = [name for name, of in known.items() if public(of, masked=True)]
    if st.session_state.get(f"lf{row}") not in options:
        st.session_state[f"lf{row}"] = "rule"
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"lists-row-{row}"):
        name = st.selectbox(
            t("条件"),
            options,
            key=f"lf{row}",
            width=260,
            on_change=_renew,
            args=(row,),
            format_func=lambda one: _title(view, known[one]),
        )
        of = known[name]
        can = list(COMPARISONS[of.kind])
        if st.session_state.get(f"lc{row}") not in can:
            st.session_state[f"lc{row}"] = can[0]
        said = {**SAID, **(SAID_OF_DATES if of.kind == "date" else {})}
        comparison = st.selectbox(t("怎样比"), can, key=f"lc{row}", width=120, format_func=lambda one: t(said[one]))
        condition = _valued(view, subject, of, comparison, row)
        st.button(t("删去"), key=f"lx{row}", on_click=_drop, args=(row,))
    return condition


def _valued(view: View, subject: str, of: Field, comparison: str, row: int) -> Condition | None:
    t = view.t
    key = _key(row, of.name)
    unit = t(UNIT_ZH[of.unit]) if of.unit in UNIT_ZH else ""
    if _chosen_from(of) and comparison in ("=", "!="):
        named = {"是": "是", "否": "否"} if of.kind == "yes_no" else names(view, subject, of.name)
        options = [*named, *([UNKNOWN] if of.kind != "set" else [])]
        kept = st.session_state.get(key)
        st.session_state[key] = [one for one in kept if one in options] if isinstance(kept, list) else []
        chosen = st.multiselect(
            t("哪些（不选就是全部）"), options, key=key, width=420, placeholder=t("全部"),
            format_func=lambda one: _named(view, one, named),
        )  # fmt: skip
        return Condition(of.name, comparison, tuple(one for one in chosen if one != UNKNOWN), UNKNOWN in chosen)
    if not isinstance(st.session_state.get(key), str):
        st.session_state[key] = ""
    text = st.text_input(
        t("值（{unit}）", unit=unit) if unit else t("值"), key=key, width=220, max_chars=100,
        placeholder="2026-11-30" if of.kind == "date" else t("不填就是全部"),
    )  # fmt: skip
    unknown = st.checkbox(t("不明的也要"), key=f"lu{row}-{of.name}")
    values = tuple(part for part in text.replace("、", "|").split("|") if part.strip())
    if not values and comparison not in ("=", "!="):
        return Condition(of.name, "=", (), unknown) if unknown else None
    return Condition(of.name, comparison, tuple(part.strip() for part in values), unknown)


def _chosen_from(of: Field) -> bool:
    return of.kind in ("yes_no", "set") or of.coded


def _named(view: View, one: str, named: dict[str, str]) -> str:
    t = view.t
    return t(UNKNOWN) if one == UNKNOWN else t(named.get(one, one))


def _title(view: View, of: Field) -> str:
    return view.t.pick(of.zh, of.en)


def _key(row: int, name: str) -> str:
    return f"lv{row}-{name}"


def _add() -> int:
    row = int(st.session_state.get(_NEXT, 0))
    st.session_state[_NEXT] = row + 1
    st.session_state[_ROWS] = [*st.session_state.get(_ROWS, []), row]
    return row


def _renew(row: int) -> None:
    """Another field: its own first comparison, not the last one's."""
    st.session_state.pop(f"lc{row}", None)


def _another() -> None:
    _add()


def _drop(row: int) -> None:
    st.session_state[_ROWS] = [one for one in st.session_state[_ROWS] if one != row]
