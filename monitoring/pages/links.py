"""对人复核: rows that lack a person, persons with two numbers, households listed twice; county staff decide, once for all runs."""

from __future__ import annotations

import streamlit as st

from monitoring import ui
from monitoring.language import number, share
from monitoring.linking import weighing
from monitoring.linking.board import AT_ONCE, Board, Estimate, seen_of
from monitoring.linking.deciding import ROW, SAME, Pair, decide_many, decisions
from monitoring.linking.weights import Weights, weights_of
from monitoring.pages import links_decided, links_pairs, links_rows, people_lists
from monitoring.queries import links
from monitoring.ui import Column, View

VIEWS = {
    "waiting": "待定的行",
    "new": "可能是已有的人",
    "persons": "一人两号",
    "households": "重复的户",
    "decided": "已作的决定",
}


def page(view: View) -> None:
    t = view.t
    ui.title(
        t("对人复核"),
        t("没有可用号码的行，只有写明的几种情形才自动对到人；其余由人决定。把握程度只排先后、提建议，不作决定"),
    )
    if not view.ask_county(links.ready):
        ui.empty(t("这一期的结果是由旧版本生成的，请重新运行这一期，再来复核。"))
        return
    weights = weights_of(view.home, view.county.run)
    decided = view.read(decisions)
    board = Board(view.ask(links.waiting_keys), weights and _here(view, weights), decided)
    _weighing(view, board)
    shown = people_lists.choose(view, "view", t("看什么"), VIEWS, "waiting")
    if shown == "decided":
        links_decided.part(view, decided)
    elif shown in ("persons", "households"):
        links_pairs.part(view, board, shown)
    else:
        _sure(view, board, shown)
        links_rows.part(view, board, board.waiting if shown == "waiting" else board.new, shown)


def _here(view: View, weights: Weights) -> Weights:
    return links.weights_within(weights, view.scope, view.warehouse)


def _weighing(view: View, board: Board) -> None:
    """How good the weights are, or the way to have them."""
    t = view.t
    if board.weights is not None:
        _estimate(view, board.estimate())
        return
    if weighing.running(view.home, view.county.period):
        ui.note(t("正在算把握程度，几秒到两分钟；关掉页面也会算完。算好后刷新就能看到。"))
        if st.button(t("刷新"), key="links-refresh"):
            st.rerun()
        return
    if weighing.failed(view.home, view.county.period):
        ui.failure(t("上次没有算成，结果没有改动。可以再试一次；还不行，请告诉管理员。"))
    ui.note(t("这一期还没有算把握程度：可能的人没有先后，也看不到一人两号和重复的户。"))
    if st.button(t("现在算"), key="links-weigh", type="primary"):
        view.act(weighing.start, view.home, view.county.period)
        st.rerun()


def _estimate(view: View, found: Estimate) -> None:
    t = view.t
    by_model = (
        t("没有这样的行")
        if found.expected is None
        else t("按模型，{n} 行里对的占 {right}，占能找到的 {part}", n=number(found.sure), right=_rate(found.expected), part=_rate(found.found or 0))
    )  # fmt: skip
    by_people = (
        t("还没有人复核过")
        if found.precision is None
        else t("按已作的决定，{n} 对里 {right} 对属实，另有 {missed} 对在此之外被确认", n=number(found.decided), right=number(found.confirmed), missed=number(found.missed))
    )  # fmt: skip
    ui.note(t("“几乎可以确定”有多准：{model}；{people}。", model=by_model, people=by_people))


def _rate(part: float) -> str:
    return share(part, 1)


def _sure(view: View, board: Board, shown: str) -> None:
    """What is as good as certain, to be looked over and taken at once: a person still decides."""
    t = view.t
    keys = board.waiting if shown == "waiting" else board.new
    pairs = board.sure(keys)
    if not pairs:
        return
    with st.expander(t("几乎可以确定的 {n} 条，看过后可以一次接受", n=number(len(pairs)))):
        rows = {row["key"]: row for row in view.ask(links.rows_of, tuple(key for key, _ in pairs))}
        persons = view.ask(links.persons_of, tuple(one.person_id for _, one in pairs))
        both = [
            (rows[key], persons[one.person_id], one) for key, one in pairs if key in rows and one.person_id in persons
        ]
        ui.table([{"row": row, "person": person, "one": one} for row, person, one in both], [
            Column(t("行里写的"), lambda r: _brief(view, r["row"])),
            Column(t("名册上的人"), lambda r: _brief(view, r["person"])),
            Column(t("把握"), lambda r: ui.said(links_rows.sureness(r["one"].probability, t)), "n"),
        ], t("一次至多 {n} 条", n=number(AT_ONCE)))  # fmt: skip
        with st.form(f"links-sure-{shown}", border=False):
            why = st.text_input(t("决定的依据"), max_chars=200, placeholder=t("如：逐条看过，姓名、生日、村都对得上"))
            if st.form_submit_button(t("全部接受")):
                taken = [
                    Pair(ROW, row["key"], str(one.person_id), (row["township"], row["village"]), view.county.run,
                         seen_of(row, person, one.band), one.weight, one.probability)
                    for row, person, one in both
                ]  # fmt: skip
                if view.act(decide_many, taken, SAME, why) is not None:
                    st.rerun()


def _brief(view: View, row: dict[str, object]) -> str:
    told = (row.get("name"), row.get("birth"), row.get("village"), row.get("number"))
    return ui.said(" · ".join(str(part) for part in told if part))
