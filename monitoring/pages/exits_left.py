"""退出复核: what ended households went to, by the registers and by what people recorded; and who is gone from a register without
an end, which the department is to be asked about.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.alerts import went
from monitoring.alerts.outcomes import WENT_TO as DECIDED_FOR
from monitoring.labels import feed_departments
from monitoring.language import number
from monitoring.pages import people_lists
from monitoring.queries import exits, vanished
from monitoring.queries.exits import REASONS, WENT_TO
from monitoring.ui import Column, View


def ended(view: View) -> None:
    t = view.t
    recorded = view.read(went.recorded, view.county.period, view.county.as_of)
    found = exits.ended(view.warehouse, view.scope, recorded).to_dicts()
    undecided = view.ask(exits.ended_undecided)
    ui.heading(
        t("退出的户去了哪里？"), t("近12个月低保、特困终止的户，按现在的名单和办理时登记的去向看；两处都没有的在前")
    )
    if undecided:
        ui.note(t("另有 {n} 行终止记录身份待定，不在下面的户里，见数据页的身份待定。", n=number(undecided)))
    ui.table([row for row in found if row["households"] or row["went_to"] == "nothing"], [
        Column(t("现在的去向"), lambda row: ui.unknown(t(WENT_TO[row["went_to"]])) if row["went_to"] == "unknown" else ui.said(t(WENT_TO[row["went_to"]])), "w"),
        Column(t("户数"), lambda row: _link(view, row["households"], view="ended", went=row["went_to"]), "n"),
        Column(t("其中仍困难应回访（户）"), lambda row: _link(view, row["signals"], view="ended", went=row["went_to"], visit="1"), "n"),
        Column(t("其中办理时登记过去向（户）"), lambda row: _link(view, row["recorded"], view="ended", went=row["went_to"], recorded="1"), "n"),
    ])  # fmt: skip
    _vanished_too(view)
    shown = st.query_params.get("went")
    shown, in_need = shown if shown in WENT_TO else None, st.query_params.get("visit") == "1"
    only_recorded = st.query_params.get("recorded") == "1"
    if shown:
        ui.html(f"<p>{ui.link(t('← 全部'), view.link('exits', view='ended'))}</p>")
    ui.heading(t("退出对象兜底情况：{title}", title=t(WENT_TO[shown]) if shown else t("全部")))
    turned = f"ended-{ui.mark(shown, in_need, only_recorded, view.scope)}"
    people, total = exits.ended_list(
        view.warehouse, view.scope, shown, in_need, ui.page_of(turned), recorded=recorded, only_recorded=only_recorded
    )
    people_lists.listing(
        view, people.to_dicts(), total, turned,
        [
            Column(t("人口"), lambda row: ui.count(row["size"]), "n"), Column(t("终止人数"), lambda row: ui.count(row["persons"]), "n"),
            Column(t("终止的待遇"), lambda row: ui.said(t.listed(t(one) for one in row["programmes"].split("、")))),
            Column(t("终止日期"), lambda row: ui.said(row["ended"]), "w"),
            Column(t("终止原因"), lambda row: ui.said(t(REASONS[row["reason"]])) if row["reason"] else ui.unknown(t("台账没有写明"))),
            Column(t("渐退期"), lambda row: ui.said(t("是") if row["gradual"] else t("没有记录"))),
            Column(t("现在的去向"), lambda row: _went(view, row)),
            Column(t("月人均收入"), lambda row: _income(view, row), "n"),
            Column(t("应回访的原因"), lambda row: ui.said(t.pick(row["message"], row["message_en"]))),
        ],
    )  # fmt: skip


def _went(view: View, row: dict[str, Any]) -> str:
    """What the registers say, and what was recorded when it was decided: each with its source."""
    t = view.t
    ledger, case = t(WENT_TO[row["by_ledger"]]), t("没有登记")
    if row["by_case"]:
        case = t("{what}（{day} 登记）", what=t.pick(*DECIDED_FOR[row["by_case"]]), day=row["case_day"].isoformat())
    told = f"{ui.said(t.named(t('名单'), ledger))}<br>{ui.said(t.named(t('办理记录'), case))}"
    if row["went_to"] == "nothing":
        return f'<span class="bl-late">{told}</span>'
    return f'<span class="bl-unknown">{told}</span>' if row["went_to"] == "unknown" else told


def _income(view: View, row: dict[str, Any]) -> str:
    t = view.t
    if row["went_to"] == "deceased":
        return "—"
    if row["income_pc"] is None:
        return ui.unknown(t("不明"))
    return f"{ui.said(t.money(row['income_pc']))}<br><small>{ui.said(t('标准 {yuan}', yuan=t.money(row['standard'])))}</small>"


def _link(view: View, figure: int, /, **params: str) -> str:
    return ui.link(number(figure), view.link("exits", **params)) if figure else '<span class="bl-zero">0</span>'


# --- gone from a register without an end date


def _vanished_too(view: View) -> None:
    """Beside the ended ones: that some are gone without an end, or that nobody looked."""
    t = view.t
    if not view.ask(vanished.looked_for):
        ui.note(t("这一期是旧版本算出的，没有查谁无终止日期就从名册里消失；请重新运行这一期。"))
        return
    gone = view.ask(vanished.vanished)
    if gone.height:
        told = t(
            "另有 {n} 人（次）没有终止日期就从名册里消失，不算终止，要问部门。", n=number(int(gone["persons"].sum()))
        )
        ui.html(f'<p class="bl-note">{ui.link(told, view.link("exits", view="vanished"))}</p>')


def vanished_rows(view: View) -> None:
    t = view.t
    ui.heading(
        t("谁没有终止日期就从名册里消失了？"),
        t("以前报送的名册里有、这一期的名册里一行也没有的人；是停发、迁出还是漏报，名册没有说，不算终止，请问报送部门"),
    )
    if not view.ask(vanished.looked_for):
        ui.empty(t("这一期是旧版本算出的，没有查谁无终止日期就从名册里消失；请重新运行这一期。"))
        return
    found = view.ask(vanished.vanished).to_dicts()
    if not found:
        ui.empty(t("近12个月没有人无终止日期就从名册里消失；第一次报送没有可比的上一期。"))
        return
    unusable = view.ask(vanished.unusable)
    ui.table(found, [
        Column(t("名册"), lambda row: ui.said(ui.feed(row["register"], t)), "w"),
        Column(t("问哪个部门"), lambda row: ui.said(t(feed_departments()[row["register"]])), "w"),
        Column(t("消失（人）"), lambda row: _link(view, row["persons"], view="vanished", register=row["register"]), "n"),
        Column(t("其中现在哪一册都没有（人）"), lambda row: _link(view, row["nothing"], view="vanished", register=row["register"], none="1"), "n"),
        Column(t("最早一次见于"), lambda row: ui.said(t.month(row["since"])), "w"),
        Column(t("本期认不出是谁的行"), lambda row: ui.unknown_count(unusable.get(row["register"], 0), t), "n"),
    ])  # fmt: skip
    ui.note(t("本期被隔离或身份待定的行里，也可能有其中的人：先看数据页，再问部门。"))
    register = st.query_params.get("register")
    register = register if register in feed_departments() else None
    nothing = st.query_params.get("none") == "1"
    if register or nothing:
        ui.html(f"<p>{ui.link(t('← 全部'), view.link('exits', view='vanished'))}</p>")
    turned = f"vanished-{ui.mark(register, nothing, view.scope)}"
    people, total = view.ask(vanished.vanished_list, register, nothing, ui.page_of(turned))
    people_lists.listing(
        view, people.to_dicts(), total, turned,
        [
            Column(t("名册"), lambda row: ui.said(ui.feed(row["register"], t)), "w"),
            Column(t("最后一次见于"), lambda row: ui.said(t.month(row["last_period"])), "w"),
            Column(t("现在"), lambda row: ui.unknown(t(vanished.NOW[row["now"]])) if row["now"] in ("nothing", "gone") else ui.said(t(vanished.NOW[row["now"]]))),
            Column(t("下一步"), lambda row: ui.said(t("请{department}说明：停发（补终止日期）、迁出，还是漏报。", department=t(feed_departments()[row["register"]])))),
        ],
        "姓名",
    )  # fmt: skip
