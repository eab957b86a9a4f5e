"""系统: accounts for the administrator, what waits for the security officer, the journal for the auditor. No household's data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.language import Language, number
from monitoring.pages.admin_words import (
    EVENTS,
    RESULTS,
    STATES,
    detail_words,
    event_words,
    object_asked,
    object_words,
    role_words,
)
from monitoring.people import ROLES, accounts, journals
from monitoring.people.accounts import AccountRow
from monitoring.people.journals import Wanted
from monitoring.ui import Column, Desk
from monitoring.working_days import CHINA

Towns = Mapping[str, Sequence[str]]


def page(desk: Desk, towns: Towns) -> None:
    """`towns`: the published run's townships with their villages, to choose from; empty before the first run."""
    t = desk.t
    ui.title(t("系统"), t("账号、审批和操作日志；这里没有任何家庭的信息"))
    if desk.person.may("account.list"):
        _accounts(desk, towns)
    if desk.person.may("journal.read"):
        _journal(desk)


# --- accounts


def _accounts(desk: Desk, towns: Towns) -> None:
    t = desk.t
    done = st.container()
    if desk.person.may("account.keep"):
        with st.expander(t("新建账号")):
            _add(desk, towns, done)
        with st.expander(t("修改、停用、重置")):
            _keep(desk, towns, done)
    rows = desk.read(accounts.accounts)
    if desk.person.may("account.approve"):
        _approvals(desk, [row for row in rows if row.asked or row.state == "pending"])
        rows = desk.read(accounts.accounts)
    ui.heading(t("账号"), t("共 {n} 个；90 天没有用过的 {m} 个", n=len(rows), m=sum(row.unused for row in rows)))
    ui.table([{"row": row} for row in rows], [
        Column(t("账号"), lambda cell: ui.said(cell["row"].name), "w"),
        Column(t("使用人"), lambda cell: ui.said(cell["row"].person), "w"),
        Column(t("角色"), lambda cell: ui.said(role_words(cell["row"].role, t))),
        Column(t("负责"), lambda cell: ui.said(_places(cell["row"].places, cell["row"].role, t))),
        Column(t("状态"), lambda cell: _state(cell["row"], t)),
        Column(t("第二重验证"), lambda cell: ui.said(t("已设置") if cell["row"].second_factor else t("未设置")), "w"),
        Column(t("最近登录"), lambda cell: _moment(cell["row"].last_seen_at) or ui.said(t("从未")), "w"),
        Column(t("建立"), lambda cell: f"{_moment(cell['row'].created_at)} {ui.said(cell['row'].created_by)}"),
    ])  # fmt: skip


def _add(desk: Desk, towns: Towns, done: Any) -> None:
    t = desk.t
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(t("账号"), key="new-name", width=180, max_chars=48)
        person = st.text_input(t("使用人姓名"), key="new-person", width=180, max_chars=64)
        role = _pick_role(t, "new-role")
    places = _pick_places(t, towns, role, "new")
    if st.button(t("建立账号"), key="new-account", type="primary"):
        with done:
            password = desk.act(accounts.add, name, person, role, places)
            if password:
                _told_once(t, name.strip().lower(), password)


def _told_once(t: Language, name: str, password: str) -> None:
    ui.html(
        f'<div class="bl-empty">{ui.said(t("账号 {name} 的一次性密码（只显示这一次，请当面交给本人；首次登录必须修改）：", name=name))} '
        f'<code class="bl-secret">{ui.said(password)}</code></div>'
    )


def _keep(desk: Desk, towns: Towns, done: Any) -> None:
    t = desk.t
    known = {row.name: row for row in desk.read(accounts.accounts)}
    name = st.selectbox(
        t("账号"), list(known), key="kept", index=None, width=380, placeholder=t("选择账号"),
        format_func=lambda key: t.aside(key, f"{known[key].person} {role_words(known[key].role, t)}"),
    )  # fmt: skip
    if name is None:
        return
    row = known[name]
    with st.container(horizontal=True):
        if row.state == "disabled":
            _button(desk, t("重新启用"), f"enable-{name}", accounts.enable, done, name)
        else:
            _button(desk, t("停用"), f"disable-{name}", accounts.disable, done, name)
        for label, key, more in ((t("重置密码"), "reset", False), (t("重置密码和第二重验证"), "reset-both", True)):
            if st.button(label, key=f"{key}-{name}"):
                with done:
                    told = desk.act(accounts.reset_password, name, second_factor=more)
                    if told:
                        password, at_once = told
                        _told_once(t, name, password)
                        if not at_once:
                            ui.note(t("已提交，待安全管理员审批。"))
    role = _pick_role(t, f"role-{name}", row.role)
    places = _pick_places(t, towns, role, f"places-{name}", row)
    if st.button(t("改为这个角色和地方"), key=f"change-{name}"):
        with done:
            held = desk.act(accounts.set_role, name, role, places)
            if held is not None:
                ui.note(t("已改，对方须重新登录。") if held else t("已提交，待安全管理员审批；批准之前一切照旧。"))


def _button(desk: Desk, label: str, key: str, service: Any, done: Any, name: str) -> None:
    if st.button(label, key=key):
        with done:
            if desk.act(service, name) is False:
                ui.note(desk.t("已提交，待安全管理员审批。"))


def _pick_role(t: Language, key: str, present: str | None = None) -> str:
    roles = list(ROLES)
    first = roles.index(present) if present in roles else 1
    chosen: str = st.selectbox(
        t("角色"), roles, key=key, index=first, width=220, format_func=lambda role: role_words(role, t)
    )
    return chosen


def _pick_places(
    t: Language, towns: Towns, role: str, key: str, row: AccountRow | None = None
) -> list[tuple[str, str | None]]:
    """Places as "township" or "township village"; others than those of the run can be typed in."""
    reach = ROLES[role].reach
    if reach == "none":
        return []
    label = {"county": t("限于这些乡镇（不选即全县）"), "township": t("负责的乡镇"), "village": t("负责的村（社区）")}[
        reach
    ]
    known = (
        [f"{town} {village}" for town, own in towns.items() for village in own] if reach == "village" else list(towns)
    )
    own = [" ".join(part for part in place if part) for place in row.places] if row and row.role == role else []
    chosen = st.multiselect(
        label, list(dict.fromkeys([*known, *own])), default=own, key=f"{key}-{reach}", accept_new_options=True,
        placeholder=t("选择或输入"),
    )  # fmt: skip
    return [_place(text) for text in chosen]


def _place(text: str) -> tuple[str, str | None]:
    township, _, village = text.strip().partition(" ")
    return township, village.strip() or None


def _approvals(desk: Desk, waiting: Sequence[AccountRow]) -> None:
    t = desk.t
    ui.heading(t("待审批"), t("{n} 项", n=len(waiting)))
    if not waiting:
        ui.note(t("没有等待审批的账号。"))
    for row in waiting:
        with st.container(horizontal=True, vertical_alignment="center", key=f"waits-{row.name}"):
            ui.html(f"<b>{ui.said(row.name)}</b> {ui.said(row.person)}　{ui.said(what_waits(row, t))}")
            for label, service, key in ((t("批准"), accounts.approve, "yes"), (t("不批准"), accounts.reject, "no")):
                st.button(label, key=f"{key}-{row.name}", on_click=desk.act, args=(service, row.name))


def what_waits(row: AccountRow, t: Language) -> str:
    """All that one approval lets hold: the account itself, a change of role and places, or both."""
    parts = []
    if row.state == "pending":
        parts.append(
            t("启用账号：{role}，{places}", role=role_words(row.role, t), places=_places(row.places, row.role, t))
        )
    if row.asked:
        role, places = row.asked.role, row.asked.places
        parts.append(t(
            "{by} 申请改为：{role}，{places}", by=row.asked.by, role=role_words(role, t), places=_places(places, role, t)
        ))  # fmt: skip
    return t.clauses(parts)


def _places(places: Iterable[tuple[str, str | None]], role: str, t: Language) -> str:
    named = [" ".join(part for part in place if part) for place in places]
    if named:
        return t.listed(named)
    return t("全县") if ROLES[role].reach == "county" else t("不设")


def _state(row: AccountRow, t: Language) -> str:
    marks = [t(STATES[row.state])]
    marks += [t("已锁定")] if row.locked else []
    marks += [t("90 天未用")] if row.unused else []
    marks += [t("有变更待审批")] if row.asked else []
    marks += [t("首次密码未改")] if row.must_change and not row.by_provider else []
    return ui.said(t.listed(marks))


def _moment(at: Any) -> str:
    return "" if at is None else ui.said(at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M"))


# --- the journal


def _journal(desk: Desk) -> None:
    t = desk.t
    ui.heading(t("操作日志"), t("只能追加；每条与前一条相扣，末尾另存库外"))
    wanted = _wanted(desk)
    turned = "journal"
    found = desk.read(journals.journal_page, wanted, ui.page_of(turned))
    with st.container(horizontal=True):
        if st.button(t("核对全部日志"), key="prove"):
            with st.spinner(t("正在逐条核对…")):
                wrong = desk.read(journals.prove)
            if wrong:
                ui.failure(t.clauses(t(text) for text in wrong))
            else:
                ui.note(t("核对完毕：首尾相接，没有改动、缺失，与库外存证一致。"))
        if st.button(t("导出这些记录"), key="export-journal"):
            address = desk.act(journals.export_journal, wanted)
            if address:
                ui.html(f"{ui.link(t('下载'), address)} {ui.said(t('（10 分钟内有效，只能下载一次）'))}")
    if not found.rows:
        ui.empty(t("没有符合条件的记录。"))
        return
    ui.table(found.rows, [
        Column(t("序号"), lambda row: ui.count(row["seq"]), "n"),
        Column(t("时间"), lambda row: ui.said(row["at"].astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")), "w"),
        Column(t("账号"), lambda row: ui.said(row["who"]), "w"),
        Column(t("角色"), lambda row: ui.said(role_words(row["role"], t))),
        Column(t("地址"), lambda row: ui.said(row["address"]), "w"),
        Column(t("事项"), lambda row: ui.said(event_words(row["event"], t))),
        Column(t("对象"), lambda row: ui.said(object_words(row["object"], t)) if row["object"] else ""),
        Column(t("结果"), lambda row: ui.said(t(RESULTS.get(row["result"], row["result"]))), "w"),
        Column(t("说明"), lambda row: f'<span class="bl-note">{ui.said(detail_words(row["detail"], t))}</span>'),
    ], t("共 {n} 条，新的在前，每页 50", n=number(found.total)))  # fmt: skip
    ui.pager(found.total, turned, t)


def _wanted(desk: Desk) -> Wanted:
    t = desk.t
    kinds = ["", *EVENTS]
    results = ["", *RESULTS]
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        who = st.text_input(t("账号"), key="journal-who", width=150)
        event = st.selectbox(t("事项"), kinds, key="journal-event", width=190,
                             format_func=lambda kind: t(EVENTS[kind]) if kind else t("全部"))  # fmt: skip
        object = st.text_input(t("对象"), key="journal-object", width=190, placeholder=t("如：预警 12"))
        result = st.selectbox(t("结果"), results, key="journal-result", width=120,
                              format_func=lambda kind: t(RESULTS[kind]) if kind else t("全部"))  # fmt: skip
        first = st.date_input(t("自"), value=None, format="YYYY-MM-DD", key="journal-first", width=150)
        last = st.date_input(t("至"), value=None, format="YYYY-MM-DD", key="journal-last", width=150)
    return Wanted(who, event, object_asked(object, t), result, _day(first), _day(last))


def _day(chosen: Any) -> date | None:
    return chosen if isinstance(chosen, date) else None
