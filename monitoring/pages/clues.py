"""线索登记: what is reported by telephone, at the counter or at the door is registered here and stands in the queue at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.alerts import clue_list, deadlines
from monitoring.alerts.clue_effects import CHANNELS, NewClue
from monitoring.alerts.clue_list import STATES, CluePage, ClueRow
from monitoring.alerts.clues import conclude, register
from monitoring.language import number
from monitoring.pages import alerts_work
from monitoring.pages.alerts_queue import plain
from monitoring.people import viewing
from monitoring.queries import household, places
from monitoring.ui import View

CHOSEN = "open-clue"  # the clue that is open; NEW is the form; None shows the form on a wide screen only
NEW = "new"
STATE = "clues"
NOBODY = -1  # no household of the registers
LONGEST = 2000


def page(view: View) -> None:
    t = view.t
    ui.title(t("线索登记"), t("登记后立即成为预警，或并入这一户的预警"))
    alerts_work.said(view)
    ui.recall(STATE, list(STATES))
    if st.session_state.get(STATE) not in STATES:
        st.session_state[STATE] = "open"
    ui.keep(STATE, st.session_state[STATE], "open")
    with st.container(key="queue-above", horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            t("查找"), key="find-clue", width=260, placeholder=t("姓名、村名，或反映人完整电话"), type="search"
        )
        turned = f"clues-{ui.mark(st.session_state[STATE], text)}"
        found = view.read(clue_list.clue_page, st.session_state[STATE], text, ui.page_of(turned))
        st.segmented_control(
            t("线索分栏"), list(STATES), key=STATE, required=True, wrap=True, label_visibility="collapsed", on_change=_open, args=(None,),
            format_func=lambda state: f"{t.pick(*STATES[state])} {number(found.counts[state])}",
        )  # fmt: skip
    _repeated(view)
    chosen = st.session_state.get(CHOSEN)
    listed, beside = st.columns([1.35, 1], gap="medium")
    with listed, st.container(key="queue-list" if chosen is None else "queue-list-behind"):
        with st.container(key="clue-new"):
            st.button(t("登记新线索"), type="primary", on_click=_open, args=(NEW,), key="new-above", width="stretch")
        _list(view, found, turned)
    row = next((one for one in found.rows if one.id == chosen), None)
    with beside, st.container(key="queue-detail-first" if chosen is None else "queue-detail"):
        st.button(t("返回列表"), key="back", on_click=_open, args=(None,), icon=":material/arrow_back:")
        if row is None:
            _register(replace(view, scope=view.scope.unpicked))
        else:
            _detail(view, row)


def _open(chosen: int | str | None) -> None:
    st.session_state[CHOSEN] = chosen


# --- the list


def _list(view: View, found: CluePage, turned: str) -> None:
    t = view.t
    if not found.rows:
        ui.empty(t("这里没有线索。来电、来访和走访发现的困难都可以登记；登记后就在预警处置里。"))
        return
    with st.container(key=f"queue-rows-{t.code}-clues", gap=None):
        for row in found.rows:
            with st.container(
                key=f"q-{'red' if row.emergency else 'plain'}{'-late' if row.overdue else ''}-clue-{row.id}"
            ):
                st.button(
                    _line(view, row), key=f"open-clue-{row.id}", width="stretch", wrap=True, on_click=_open, args=(row.id,),
                    type="secondary" if row.id == st.session_state.get(CHOSEN) else "tertiary",
                )  # fmt: skip
    ui.pager(found.total, turned, t)


def _line(view: View, row: ClueRow) -> str:
    t = view.t
    channel = CHANNELS[row.channel]
    mark = t("急难") if row.emergency else t.pick(channel.zh, channel.en)
    again = f"【{_again(view, row)}】 " if _often(row) else ""
    return (
        f"**{plain(mark)}** **{plain(row.person)}** *{plain(_place(view, row))}* :green[{plain(again + row.text)}] "
        f":gray[{plain(_due(view, row))}] :blue[{plain(_caller(view, row))}]"
    )


def _often(row: ClueRow) -> bool:
    return row.calls >= clue_list.REPEATS


def _again(view: View, row: ClueRow) -> str:
    return view.t("{days} 天内第 {n} 次反映", days=clue_list.REPEAT_DAYS, n=row.calls)


def _place(view: View, row: ClueRow) -> str:
    return " ".join(part for part in (row.township, row.village) if part) or view.t("地点不明")


def _caller(view: View, row: ClueRow) -> str:
    who = row.caller or view.t("匿名")
    return f"{who} {row.phone}".strip()


def _due(view: View, row: ClueRow) -> str:
    t = view.t
    if row.concluded_on is not None:
        return t("{day} 办结", day=row.concluded_on)
    return ui.distance(row.due_date, view.today, t)


def _repeated(view: View) -> None:
    """Who reports again and again: seen before the list."""
    t, callers = view.t, view.read(clue_list.repeat_callers)
    if not callers:
        return
    told = t.clauses(
        t("{caller} {n} 次（{place}，最近 {day}）", caller=f"{one.caller or t('匿名')} {one.phone}".strip(), n=one.calls,
          place=_place(view, one.clues[0]), day=one.last)
        for one in callers[:5]
    )  # fmt: skip
    ui.banner(t("{days} 天内反映 {times} 次以上的 {n} 人：{told}。请先了解上一次是怎么答复的。", days=clue_list.REPEAT_DAYS,
                times=clue_list.REPEATS, n=len(callers), told=told))  # fmt: skip


# --- one clue


def _detail(view: View, row: ClueRow) -> None:
    t = view.t
    channel = CHANNELS[row.channel]
    marks = [t("急难：3 个工作日内办结")] if row.emergency else []
    marks += [_again(view, row)] if _often(row) else []
    late = ' class="bl-late"' if row.overdue else ""
    way = ui.link(t("打开预警"), view.link("alerts", alert=row.alert_id))
    ui.html(
        f'<div class="bl-facts bl-open"><b>{ui.said(row.person)}</b><span>{ui.said(_place(view, row))}</span></div>'
        f'<div class="bl-facts"><span class="bl-pill">{ui.said(t.pick(channel.zh, channel.en))}</span><span>{ui.said(row.received_on)}</span>'
        f"<span{late}>{ui.said(_due(view, row))}</span>{''.join(f'<span class=bl-pill>{ui.said(mark)}</span>' for mark in marks)}{way}</div>"
        f"<p>{ui.said(row.text)}</p>"
        f'<p class="bl-note">{ui.said(t("反映人 {who}；登记人 {by}", who=_caller(view, row), by=row.by))}</p>'
    )
    if row.concluded_on is not None:
        ui.html(f"<p>{ui.said(t.named(t('办理结果'), row.result))}</p>")
    elif view.person.may("clue.conclude"):
        _conclude(view, row)
    if view.person.may("household.unmask"):
        _reveal(view, row)


def _conclude(view: View, row: ClueRow) -> None:
    t, day = view.t, view.today
    with st.form(f"conclude-{row.id}"):
        result = st.text_area(t("怎么答复的"), max_chars=LONGEST, height=100, key=f"result-{row.id}")
        on = st.date_input(t("办结日期"), value=day, max_value=day, format="YYYY-MM-DD", key=f"concluded-{row.id}")
        sent = st.form_submit_button(t("线索办结"), type="primary")
    if sent:
        _, refused = view.tried(conclude, row.id, result, on)
        alerts_work.say(refused or t("线索已办结；预警继续按自己的进度办理。"), good=not refused)
        if not refused:
            _open(None)
        st.rerun()


def _reveal(view: View, row: ClueRow) -> None:
    """Names and phone in full, to call back."""
    t = view.t
    with st.expander(t("回电：看完整姓名和电话")), st.form(f"reveal-{row.id}", border=False):
        purpose = st.text_input(t("用途"), max_chars=100, placeholder=t("如：回电核实情况"), autocomplete="off")
        sent = st.form_submit_button(t("显示（记入操作日志）"))
        told = view.act(clue_list.reveal, row.id, purpose) if sent else None
        if told is not None:
            ui.html(
                f"<p><b>{ui.said(t('困难对象'))}</b> {ui.said(told.person)}　<b>{ui.said(t('反映人'))}</b> {ui.said(told.caller or t('匿名'))}　"
                f"<b>{ui.said(t('电话'))}</b> {ui.said(told.phone or t('没有留'))}</p><p>{ui.said(told.text)}</p>"
            )


# --- a new one


def _register(view: View) -> None:
    t, day = view.t, view.today
    ui.heading(t("登记线索"))
    key = f"clue-{st.session_state.get(alerts_work.ROUND, 0)}"
    known = _who(view, key)
    with st.form(key):
        left, right = st.columns(2)
        channel = left.selectbox(t("来源"), list(CHANNELS), key=f"{key}-channel",
                                 format_func=lambda one: t.pick(CHANNELS[one].zh, CHANNELS[one].en))  # fmt: skip
        on = right.date_input(t("收到日期"), value=day, max_value=day, format="YYYY-MM-DD", key=f"{key}-on")
        person = left.text_input(t("困难对象姓名"), key=f"{key}-person", max_chars=64)
        caller = right.text_input(t("反映人（可不填）"), key=f"{key}-caller", max_chars=64)
        phone = left.text_input(t("反映人电话（可不填）"), key=f"{key}-phone", max_chars=20, autocomplete="off")
        urgent = right.checkbox(t("急难：吃住无着、突发重大变故"), key=f"{key}-urgent")
        text = st.text_area(t("反映的情况"), max_chars=LONGEST, height=110, key=f"{key}-text")
        sent = st.form_submit_button(t("登记"), type="primary")
    if sent:
        _registered(view, NewClue(channel, on, person, text, caller, phone, emergency=urgent, **known))


def _registered(view: View, new: NewClue) -> None:
    t = view.t
    done, refused = view.tried(register, new, limits=view.ask_county(deadlines.limits), warehouse=view.warehouse)
    if done is None:
        ui.html(f'<div class="bl-refused" role="status">{ui.said(refused)}</div>')
        return
    alerts_work.empty_forms()
    alerts_work.say(t("线索已登记，已并入这一户的预警。") if done.joined else t("线索已登记，已生成预警。"))
    _open(done.clue)
    st.rerun()


def _who(view: View, key: str) -> dict[str, Any]:
    """Whom the clue is about: a household of the registers, or a place where nobody is found."""
    t = view.t
    text = st.text_input(
        t("先找这户人"), key=f"{key}-search", placeholder=t("姓名、证件号后4位以上、户编号"), type="search"
    )
    rows = view.ask(household.search, text).to_dicts() if text else []
    if text:
        view.read(viewing.searched, text, len(rows))
    by_key = {row["household_key"]: row for row in rows}
    if text and not rows:
        ui.note(t("您负责的地方没有找到；可以按“不在台账里”登记。"))
    if rows:
        chosen = st.radio(t("是哪一户"), [*by_key, NOBODY], key=f"{key}-household",
                          format_func=lambda one: t("都不是，不在台账里") if one == NOBODY else _found(view, by_key[one]))  # fmt: skip
        if chosen != NOBODY and chosen is not None:
            row = by_key[chosen]
            known = view.ask(household.number_of, chosen)
            return {"household_id": known, "township": row["township"], "village": row["village"]}
    return _somewhere(view, key)


def _found(view: View, row: dict[str, Any]) -> str:
    t = view.t
    age = t("{n} 岁", n=row["age"]) if row["age"] is not None else t("年龄不明")
    where = " ".join(part for part in (row["township"], row["village"]) if part) or t("地点不明")
    return plain(f"{row['name'] or t('姓名不明')} {row['number'] or ''} {age} · {where}")


def _somewhere(view: View, key: str) -> dict[str, Any]:
    """Township and village among the person's own."""
    t = view.t
    own = view.person.places
    towns = [
        town
        for town in view.ask_county(places.townships)
        if town and (own is None or any(town == mine for mine, _ in own))
    ]
    left, right = st.columns(2)
    town = left.selectbox(
        t("乡镇"), towns, index=0 if len(towns) == 1 else None, key=f"{key}-town", placeholder=t("请选择")
    )
    villages = (
        [name for name in view.ask_county(places.villages, town) if name and view.person.holds(town, name)]
        if town
        else []
    )
    village = right.selectbox(
        t("村"), villages, index=0 if len(villages) == 1 else None, key=f"{key}-village", placeholder=t("不清楚的空着")
    )
    return {"household_id": None, "township": town, "village": village}
