"""Two persons who may be one with two numbers, two households that may be one listed twice."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.language import Language, number
from monitoring.linking.board import Board, Candidate, parts_of, seen_of
from monitoring.linking.deciding import DIFFERENT, HOUSEHOLD, PERSON, SAME, Pair, decide, object_of
from monitoring.pages.links_rows import about, side_by_side, sureness, unmask_form, unmasked
from monitoring.queries import links
from monitoring.ui import Column, View

ANSWERS = {
    PERSON: {SAME: "是同一个人，有两个号码", DIFFERENT: "不是同一个人"},
    HOUSEHOLD: {SAME: "是同一户，请村里在台账里合并", DIFFERENT: "不是同一户"},
}


def part(view: View, board: Board, shown: str) -> None:
    t = view.t
    pairs = board.persons() if shown == "persons" else board.households()
    if not pairs:
        ui.empty(
            t("还没有算把握程度，不知道有没有重复。")
            if board.weights is None
            else t("没有发现：所选范围内没有像是重复的。")
        )
        return
    asked = st.query_params.get("item")
    now = next((pair for pair in pairs if _name(pair) == asked), pairs[0])
    if shown == "persons":
        _persons(view, now)
    else:
        _households(view, now)
    _list(view, pairs, shown, now)


def _name(pair: dict[str, Any]) -> str:
    """What the address calls a pair: nothing of the persons."""
    return object_of(PERSON, pair["one"], pair["two"])[5:]


def _persons(view: View, pair: dict[str, Any]) -> None:
    t = view.t
    ids = (int(pair["one"]), int(pair["two"]))
    known = object_of(PERSON, pair["one"], pair["two"])
    open_ = unmasked(view, known)
    people, masked = open_.ask(links.persons_of, ids), view.ask(links.persons_of, ids)
    if len(people) < len(ids):
        ui.note(t("其中一位不在您的职责范围内。"))
        return
    first, second = people[ids[0]], people[ids[1]]
    band = "doubtful" if pair["probability"] < links.NEARLY else "sure"
    one = Candidate(ids[1], pair["probability"], pair["weight"], band, parts_of(pair))
    ui.heading(t("这两个人是同一个人吗？"), t("两个号码都有效，其他都像"))
    side_by_side(view, first, second, one, t("两边对照"), t("一位"), t("另一位"))
    about(view, first)
    unmask_form(view, open_, known)
    _form(
        view, Pair(PERSON, pair["one"], pair["two"], (first["township"], first["village"]), view.county.run,
                   seen_of(masked[ids[0]], masked[ids[1]], band), pair["weight"], pair["probability"]),
        t("确认是同一个人的，从下一次运行起合为一人，两个号码都保留；两户都登记的仍按两户各计，并提示同时在两户。"),
    )  # fmt: skip


def _households(view: View, pair: dict[str, Any]) -> None:
    t = view.t
    ids = (pair["one"], pair["two"])
    found = view.ask(links.households_of, ids)
    if len(found) < len(ids):
        ui.note(t("其中一户不在您的职责范围内。"))
        return
    ui.heading(t("这两户是同一户吗？"), t("一户的人全在另一户里"))
    ui.table([found[one] for one in ids], [
        Column(t("户编号"), lambda r: ui.link(r["household_id"] or t("打开户档案"), view.household_link(r)), "w"),
        Column(t("乡镇、村"), lambda r: ui.place(r, t)),
        Column(t("人数"), lambda r: ui.count(r["size"]), "n"),
        Column(t("成员"), lambda r: ui.said(r["members"])),
    ])  # fmt: skip
    first = found[ids[0]]
    _form(
        view, Pair(HOUSEHOLD, *ids, (first["township"], first["village"]), view.county.run, seen_of(first, found[ids[1]])),
        t("户以农户台账的户编号为准：决定不改动数据，只让这一对不再列出；确是同一户的，请村里改正台账。"),
    )  # fmt: skip


def _form(view: View, pair: Pair, effect: str) -> None:
    t = view.t
    answers = ANSWERS[pair.kind]
    with st.form(f"decide-{object_of(pair.kind, pair.one, pair.other)}"):
        chosen = st.radio(
            t("决定"), list(answers), index=None, format_func=lambda one: t(answers[one]), horizontal=True
        )
        why = st.text_input(
            t("决定的依据"), max_chars=200, placeholder=t("如：派出所核实，旧号已注销"), autocomplete="off"
        )
        if st.form_submit_button(t("保存决定"), type="primary"):
            if chosen is None:
                ui.failure(t("请先选一项决定。"))
                return
            if view.act(decide, pair, chosen, why) is not None:
                st.rerun()
    ui.note(effect)


def _list(view: View, pairs: list[dict[str, Any]], shown: str, now: dict[str, Any]) -> None:
    t = view.t
    turned = f"links-{shown}"
    here = links.page_of_pairs(pairs, ui.page_of(turned))
    ui.heading(t("还有哪些？"))
    if shown == "persons":
        people = view.ask(links.persons_of, tuple(int(pair[side]) for pair in here for side in ("one", "two")))
        ui.table([{**pair, "people": people} for pair in here], [
            Column(t("姓名"), lambda r: _open(view, r, shown, now, _both(r, t)), "w"),
            Column(t("乡镇、村"), lambda r: ui.place(r, t)),
            Column(t("把握"), lambda r: ui.said(sureness(r["probability"], t)), "n"),
        ], t("共 {n}，每页 {size}", n=number(len(pairs)), size=links.PAGE))  # fmt: skip
    else:
        ui.table(here, [
            Column(t("乡镇、村"), lambda r: ui.place(r, t)),
            Column(t("相同的人"), lambda r: _open(view, r, shown, now, t("{n} 人", n=number(r["shared"]))), "w"),
        ], t("共 {n}，每页 {size}", n=number(len(pairs)), size=links.PAGE))  # fmt: skip
    ui.pager(len(pairs), turned, t, links.PAGE)


def _both(row: dict[str, Any], t: Language) -> str:
    names = [row["people"].get(int(row[side]), {}).get("name") or t("姓名不明") for side in ("one", "two")]
    return t("{a} 和 {b}", a=names[0], b=names[1])


def _open(view: View, row: dict[str, Any], shown: str, now: dict[str, Any], told: str) -> str:
    if _name(row) == _name(now):
        return f"<b>{ui.said(told)}</b>"
    return ui.link(told, view.link("links", view=shown, item=_name(row)))
