"""One row beside those who may be meant by it: what agrees, how strongly, and the decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.language import Language, number, share
from monitoring.linking.board import Board, Candidate, seen_of
from monitoring.linking.deciding import DIFFERENT, NOBODY, ROW, SAME, Pair, decide, object_of
from monitoring.linking.words import BANDS, COMPARED, level, strength
from monitoring.people import viewing
from monitoring.queries import links
from monitoring.ui import Column, View

FIELDS = {"name": "name", "birth": "birth", "sex": "sex", "place": "village", "phone": "phone", "number": "number"}


def part(view: View, board: Board, keys: Sequence[str], shown: str) -> None:
    t = view.t
    if not keys:
        ui.empty(_nothing(board, shown, t))
        return
    asked = st.query_params.get("item")
    key = asked if asked and asked in keys else keys[0]
    found = view.ask(links.rows_of, (key,))
    if found:
        _one(view, board, found[0], shown)
    _list(view, keys, shown, key)


def _nothing(board: Board, shown: str, t: Language) -> str:
    if shown == "waiting":
        return t("没有要决定的行：所选范围内每一行都找到了人，或已经有人决定。")
    if board.weights is None:
        return t("还没有算把握程度，不知道哪些新建的人可能是已有的人。")
    return t("没有发现：所选范围内新建的人都不像已有的人。")


def _one(view: View, board: Board, row: dict[str, Any], shown: str) -> None:
    t = view.t
    known = object_of(ROW, row["key"], "")
    open_ = unmasked(view, known)
    own = open_.ask(links.rows_of, (row["key"],))[0]
    ui.heading(t("这一行是谁？"), _where(view, row))
    if row["reason"]:
        ui.note(t(row["reason"]))
    elif shown == "new":
        ui.note(t("按规定的情形没有找到人，已按新的人对待；下面的人可能就是。在有人决定之前不变。"))
    candidates = board.candidates(row["key"], row["candidate_ids"])
    people = open_.ask(links.persons_of, tuple(one.person_id for one in candidates))
    there = [one for one in candidates if one.person_id in people]
    if not there:
        ui.note(t("没有可能的人。"))
    for n, one in enumerate(there, 1):
        side_by_side(view, own, people[one.person_id], one, t("第 {n} 位", n=n), t("行里写的"), t("名册上的人"))
    unmask_form(view, open_, known)
    masked = view.ask(links.persons_of, tuple(one.person_id for one in there))
    _form(view, row, there, masked)


def _where(view: View, row: dict[str, Any]) -> str:
    t = view.t
    feeds = t.listed(ui.feed(feed, t) for feed in str(row["feeds"]).split(","))
    return t(
        "{feeds}，共 {n} 行内容相同；第一行在 {origin}", feeds=feeds, n=number(row["rows"]), origin=ui.origin(row, t)
    )


def unmasked(view: View, known: str) -> View:
    """The view as this session may see this item: unmasked where a purpose was given."""
    return replace(view, scope=replace(view.scope, masked=False)) if view.read(viewing.unmasked, known) else view


def unmask_form(view: View, open_: View, known: str) -> None:
    t = view.t
    if not open_.scope.masked:
        ui.banner(t("正在显示完整信息（30 分钟内有效，仅限本人本次登录）。已记入操作日志，请勿拍照外传。"))
        return
    with st.expander(t("查看完整信息")), st.form(f"unmask-{known}", border=False):
        purpose = st.text_input(
            t("用途"), max_chars=100, placeholder=t("如：和台账原件核对"), width=420, autocomplete="off"
        )
        if st.form_submit_button(t("显示 30 分钟（记入操作日志）")):
            view.act(viewing.unmask_pair, known, purpose)
            if view.read(viewing.unmasked, known):
                st.rerun()


def sureness(probability: float | None, t: Language) -> str:
    """A probability in per cent; near one it is not rounded up to certainty."""
    if probability is None:
        return t("没有算过")
    return t("大于 {share}", share=share(9999, 10000)) if probability > 0.9999 else share(probability, 1)


def side_by_side(
    view: View, own: dict[str, Any], person: dict[str, Any], one: Candidate, title: str, left: str, right: str
) -> None:
    """Two sides, field by field, with what each says."""
    t = view.t
    told = (
        t("没有算过把握程度")
        if one.band is None
        else t("{band}（把握 {p}）", band=t(BANDS[one.band]), p=sureness(one.probability, t))
    )
    ui.heading(title, told)
    parts = {word: (found, bits) for word, found, bits in one.parts}
    ui.table([{"word": word, "field": field} for word, field in FIELDS.items()], [
        Column(t("项目"), lambda r: ui.said(t(COMPARED[r["word"]])), "w"),
        Column(left, lambda r: _value(own, r["word"], r["field"], t)),
        Column(right, lambda r: _value(person, r["word"], r["field"], t)),
        Column(t("对得上吗"), lambda r: ui.said(t(level(r["word"], parts[r["word"]][0]))) if r["word"] in parts else ""),
        Column(t("说明什么"), lambda r: _says(parts, r["word"], t)),
    ])  # fmt: skip
    about(view, person)


def _value(row: dict[str, Any], word: str, field: str, t: Language) -> str:
    if word == "place":
        return ui.place(row, t) if row["village"] or row["township"] else ui.unknown(t("空"))
    return ui.said(t.value(row[field])) if row[field] else ui.unknown(t("空"))


def _says(parts: dict[str, tuple[int, float]], word: str, t: Language) -> str:
    if word not in parts or parts[word][0] < 0:
        return ""
    return ui.said(t(strength(parts[word][1])))


def about(view: View, person: dict[str, Any]) -> None:
    """Where more is to be seen of a person."""
    t = view.t
    told = [ui.link(t("打开户档案"), view.household_link(person))]
    if person["relation"]:
        told.append(ui.said(t(person["relation"])))
    if not person["registered"]:
        told.append(ui.said(t("不在农户台账")))
    if not person["alive"]:
        told.append(ui.said(t("已死亡")))
    seen = [ui.feed(feed, t) for feed in str(person["seen_in"] or "").split(",") if feed]
    if seen:
        told.append(ui.said(t.named(t("还出现在"), t.listed(seen))))
    ui.html(f'<div class="bl-note">{" · ".join(told)}</div>')


def _form(view: View, row: dict[str, Any], there: Sequence[Candidate], people: dict[int, dict[str, Any]]) -> None:
    t = view.t
    options = [(SAME, str(one.person_id)) for one in there]
    if len(there) > 1:  # of one alone, "none of them" says the same
        options += [(DIFFERENT, str(one.person_id)) for one in there]
    options.append((DIFFERENT, NOBODY))
    places = {str(one.person_id): n for n, one in enumerate(there, 1)}
    by_id = {str(one.person_id): one for one in there}

    def words(option: tuple[str, str]) -> str:
        verdict, other = option
        if other == NOBODY:
            return t("都不是：按另外一个人对待")
        return t("是第 {n} 位", n=places[other]) if verdict == SAME else t("不是第 {n} 位", n=places[other])

    with st.form(f"decide-{row['key']}"):
        chosen = st.radio(t("决定"), options, index=None, format_func=words, horizontal=True)
        why = st.text_input(
            t("决定的依据"), max_chars=200, placeholder=t("如：电话问过村会计，生日录反了"), autocomplete="off"
        )
        if st.form_submit_button(t("保存决定"), type="primary"):
            if chosen is None:
                ui.failure(t("请先选一项决定。"))
                return
            one = by_id.get(chosen[1])
            person = people.get(one.person_id) if one else None
            pair = Pair(
                ROW, row["key"], chosen[1], (row["township"], row["village"]), view.county.run,
                seen_of(row, person, one.band if one else None), one.weight if one else None, one.probability if one else None,
            )  # fmt: skip
            if view.act(decide, pair, chosen[0], why) is not None:
                st.rerun()
    ui.note(t("决定从下一次运行起用于所有期间；同样内容的行以后不再问。随时可以撤回。"))


def _list(view: View, keys: Sequence[str], shown: str, now: str) -> None:
    t = view.t
    turned = f"links-{shown}"
    page = ui.page_of(turned)
    rows = view.ask(links.page_of_rows, tuple(keys), page)
    ui.heading(t("还有哪些？"))
    ui.table(rows, [
        Column(t("姓名"), lambda r: _open(view, r, shown, now), "w"),
        Column(t("数据源"), lambda r: ui.said(t.listed(ui.feed(feed, t) for feed in str(r["feeds"]).split(",")))),
        Column(t("乡镇、村"), lambda r: ui.place(r, t)),
        Column(t("所写号码"), lambda r: ui.said(r["number"]) or ui.unknown(t("空")), "w"),
        Column(t("行数"), lambda r: ui.count(r["rows"]), "n"),
    ], t("共 {n}，每页 {size}", n=number(len(keys)), size=links.PAGE))  # fmt: skip
    ui.pager(len(keys), turned, t, links.PAGE)


def _open(view: View, row: dict[str, Any], shown: str, now: str) -> str:
    name = row["name"] or view.t("姓名不明")
    address = view.link("links", view=shown, item=row["key"])
    return f"<b>{ui.said(name)}</b>" if row["key"] == now else ui.link(name, address)
