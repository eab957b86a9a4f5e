"""漏判抽查: how many households in difficulty nothing flagged, by visits to a few that were drawn; the dial, and what it costs."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from monitoring import charts, ui
from monitoring.alerts.choices import AUDIT_VISITS, choose
from monitoring.language import number, share
from monitoring.misses import asking
from monitoring.misses.asking import Board, Draw
from monitoring.misses.estimating import Estimate, Recall
from monitoring.misses.results import RESULTS
from monitoring.misses.visiting import Sampled, sample_of
from monitoring.queries.misses import keys_of
from monitoring.ui import Column, Tile, View

SAVED = "misses-saved"


def page(view: View) -> None:
    t = view.t
    ui.title(t("漏判抽查"), t("每月从没有任何信号、也没有帮扶的户里随机抽几户走访，由此估计漏掉了多少"))
    told = view.read(asking.board)
    if not told.draws:
        ui.empty(
            t("还没有抽过。下一次运行后按每月 {n} 户抽取；设为 0 时不抽。", n=number(told.size))
            if told.size
            else t("抽查已停：每月 0 户。漏掉了多少，因此不知道。请在下面定下每月走访几户。")
        )
        _dial(view, told)
        return
    if view.scope != view.scope.unpicked:
        ui.note(t("这一页总是按您能看的全部地方估计，不随上面选的乡镇、村变。"))
    _estimate(view, told)
    left, right = st.columns([1.35, 1], gap="medium")
    with left:
        _history(view, told)
    with right:
        _dial(view, told)
    left, right = st.columns([1.35, 1], gap="medium")
    with left:
        _places(view, told)
    with right:
        _sample(view, told.draws[0])
    with st.expander(t("看抽中的 {n} 户", n=number(told.draws[0].drawn))):
        listing(view, view.read(sample_of, told.draws[0].period))


def _estimate(view: View, told: Board) -> None:
    """How many, how sure, how it was made, and what those who could not be met might change."""
    t, found = view.t, told.missed
    if found is None:
        ui.empty(
            t(
                "还说不出漏掉了多少：第一期抽查还没有走访完。请在 {day} 前走访并登记抽中的户。",
                day=told.draws[0].due_date.isoformat(),
            )
        )
        return
    ui.tiles([
        Tile(t("估计漏掉的困难户"), number(found.about) if found.needy else t("没有发现"), t("户") if found.needy else "",
             ui.said(_between(view, found))),
        _recalled(view, t("规则找到的困难户"), told.rules, found),
        _recalled(view, t("模型找到的困难户"), told.model, found) if told.modelled
        else Tile(t("模型找到的困难户"), t("不明"), "", ui.said(t("这几期没有用模型"))),
        Tile(t("抽查已有结果"), number(found.answered), t("户"),
             ui.said(t("查实有困难 {n} 户", n=number(found.needy)))
             + (f" {ui.unknown(t('没有结果 {n} 户', n=number(found.unknown)))}" if found.unknown else "")),
    ])  # fmt: skip
    _made(view, told, found)


def _between(view: View, found: Estimate) -> str:
    low, high = found.limits
    if not found.needy:
        return view.t("不等于没有：95% 把握不超过 {high} 户", high=number(high))
    return view.t("95% 区间 {low} 至 {high} 户", low=number(low), high=number(high))


def _recalled(view: View, title: str, found: Recall | None, missed: Estimate) -> Tile:
    """What was found; "at least" where the sample found nobody who was missed."""
    t = view.t
    if found is None:
        return Tile(title, t("不明"), "", ui.said(t("还没有查实过一户有困难的")))
    low, high = _percent(found.low), _percent(found.high)
    return Tile(
        title, _percent(found.share) if missed.needy else t("至少 {share}", share=low), "",
        ui.said(t("95% 区间 {low} 至 {high}；查实 {n} 户", low=low, high=high, n=number(found.found))),
    )  # fmt: skip


def _percent(part: float) -> str:
    return share(part, 1)


def _made(view: View, told: Board, found: Estimate) -> None:
    t = view.t
    periods = told.pooled
    months = (
        t.month(periods[0])
        if len(periods) == 1
        else t("{first}至{last}", first=t.month(periods[-1]), last=t.month(periods[0]))
    )
    ui.note(
        t(
            "怎么算的：{months}的 {k} 期抽查合在一起，按乡镇和“规则不能判断的多少”分组随机抽取，{n} 户有结果；每组查实的比例乘以该组户数（共 {all} 户），再加总。",
            months=months, k=number(len(periods)), n=number(found.answered), all=number(found.households),
        )
    )  # fmt: skip
    ui.note(
        t(
            "区间按罕见事件计算（Fay、Feuer 1997），一户没查到也给出上限。找到的比例 = 信号找到并查实的 ÷（查实的 + 估计漏掉的）；另有 {n} 户有信号、还没有决定，不在其中。",
            n=number(told.undecided),
        )
    )
    if found.unknown or found.unvisited:
        low, high = found.possible
        said = t(
            "没有见到、不愿接受走访或过期没有走访的 {n} 户不知道有没有困难：假如他们都没有困难，或者都有困难，区间最远到 {low} 和 {high} 户。",
            n=number(found.unknown), low=number(low), high=number(high),
        )  # fmt: skip
        if told.rules is not None:
            said += t("规则找到的比例最低到 {share}。", share=_percent(told.rules.worst))
        ui.html(f'<div class="bl-note">{ui.unknown("?")} {ui.said(said)}</div>')
    if found.unvisited:
        ui.note(t("另有 {n} 户所在的组还没有结果，不在估计之内，只算进上面最远的一端。", n=number(found.unvisited)))


def _sample(view: View, draw: Draw) -> None:
    t = view.t
    ui.heading(
        t("{month}抽中的户", month=t.month(draw.period)),
        t("从 {all} 户里抽中 {n} 户，{day} 前走访", all=number(draw.households), n=number(draw.drawn), day=draw.due_date.isoformat()),
    )  # fmt: skip
    parts = [
        t("查实有困难 {n} 户", n=number(draw.needy)), t("没有困难 {n} 户", n=number(draw.fine)),
        t("待走访 {n} 户", n=number(draw.pending)), t("没有结果 {n} 户", n=number(draw.unknown)),
    ]  # fmt: skip
    if draw.dropped:
        parts.append(t("重新运行后另换 {n} 户", n=number(draw.dropped)))
    ui.note(t.clauses(parts) + t("。") + t("谁被抽中由期次和本库密钥决定（{seed}…），任何人不能挑选。", seed=draw.seed))


def listing(view: View, rows: list[Sampled]) -> None:
    """Sampled households as a table; also on the page of alerts."""
    t = view.t
    if not rows:
        ui.empty(t("您负责的地方这一期没有抽中的户。"))
        return
    keys = replace(view, scope=view.scope.unpicked).ask(keys_of, tuple(row.household_id for row in rows))
    ui.table([{"one": row, "key": keys.get(row.household_id)} for row in rows], [
        Column(t("户"), lambda row: _household(view, row["one"], row["key"]), "w"),
        Column(t("地点"), lambda row: ui.place({"township": row["one"].township, "village": row["one"].village}, t)),
        Column(t("组"), lambda row: ui.said(t.pick(*row["one"].band))),
        Column(t("期限"), lambda row: "" if row["one"].answered else ui.due(row["one"].due_date, view.today, t), "w"),
        Column(t("走访结果"), lambda row: _result(view, row["one"])),
    ])  # fmt: skip


def _household(view: View, one: Sampled, key: int | None) -> str:
    name = one.name or view.t("户主不明")
    return ui.link(name, view.household_link({"household_id": one.household, "household_key": key}))


def _result(view: View, one: Sampled) -> str:
    t = view.t
    if one.result is None:
        return f"{ui.said(t('待走访'))}{_sheet(view, one)}"
    said = t.pick(RESULTS[one.result].zh, RESULTS[one.result].en)
    shown = ui.said(said) if one.answered else ui.unknown(f"? {said}")
    if one.alert_id is not None and view.person.may("page.alerts"):
        shown += f" {ui.link(t('看预警'), view.link('alerts', alert=one.alert_id))}"
    if not one.answered:
        shown += _sheet(view, one)
    return f"{shown}<br><small>{ui.said(f'{one.visited_on} {one.visitor}')}</small>"


def _sheet(view: View, one: Sampled) -> str:
    """The way to its visit sheet, for who may print one."""
    if not view.person.may("sheet.print"):
        return ""
    return f' <a href="/sheet/sample/{one.id}" target="_blank" rel="noopener">{ui.said(view.t("打印走访单"))}</a>'


def _dial(view: View, told: Board) -> None:
    t = view.t
    ui.heading(t("每月走访几户？"), t("多走访一些，区间就窄一些"))
    if told.prices:
        ui.table([{"one": price} for price in told.prices], [
            Column(t("每月"), lambda row: _stop(view, row["one"].visits, told.size), "n"),
            Column(t("占走访力量"), lambda row: ui.said(_percent(row["one"].share)) if row["one"].share is not None else ui.unknown(t("没有走访人")), "n"),
            Column(t("一年后区间（户）"), lambda row: ui.said(t("{low} 至 {high}", low=number(row["one"].low), high=number(row["one"].high))) if row["one"].visits else ui.unknown(t("不知道")), "n"),
        ])  # fmt: skip
        ui.note(
            t(
                "按没有信号的户里 {n} 有困难估算，{k} 期合在一起。",
                n=_percent(told.assumed),
                k=number(told.sampling.pool_months),
            )
        )
    if not view.person.may("sample.dial"):
        ui.note(t("由县级工作人员调整；下一次抽取起用。"))
        return
    with st.form("misses-dial", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        visits = st.number_input(t("每月走访户数"), 0, 500, value=told.size, step=5, width=160)
        if st.form_submit_button(t("保存")):
            saved, refused = view.tried(choose, AUDIT_VISITS, str(visits))
            if refused:
                ui.failure(refused)
            else:
                st.session_state[SAVED] = saved
                st.rerun()
    if SAVED in st.session_state:
        ui.note(t("已保存：每月 {n} 户，下一次抽取起用。", n=number(st.session_state.pop(SAVED))))


def _stop(view: View, visits: int, now: int) -> str:
    said = view.t("{n} 户", n=number(visits))
    return f"<b>{ui.said(view.t.aside(said, view.t('现在')))}</b>" if visits == now else ui.said(said)


def _places(view: View, told: Board) -> None:
    t = view.t
    ui.heading(t("哪里漏得多？"), t("有结果的满 {n} 户，才单独估计", n=number(told.sampling.least_visits)))
    ui.table([{"one": place} for place in told.places], [
        Column(t("乡镇"), lambda row: ui.said(row["one"].township) if row["one"].township else ui.unknown(t("地点不明")), "w"),
        Column(t("没有信号、帮扶和在办的户"), lambda row: ui.count(row["one"].households), "n"),
        Column(t("有结果"), lambda row: ui.count(row["one"].answered), "n"),
        Column(t("没有结果"), lambda row: ui.unknown_count(row["one"].unknown, t), "n"),
        Column(t("查实有困难"), lambda row: ui.count(row["one"].needy), "n"),
        Column(t("估计漏掉"), lambda row: _of_place(view, row["one"].missed), "n"),
    ])  # fmt: skip


def _of_place(view: View, found: Estimate | None) -> str:
    t = view.t
    if found is None:
        return ui.unknown(t("走访太少"))
    low, high = found.limits
    return ui.said(t("{n}（{low} 至 {high}）", n=number(found.about), low=number(low), high=number(high)))


def _history(view: View, told: Board) -> None:
    t = view.t
    ui.heading(t("各期估计漏掉几户？"), t("每期都把它之前一年的抽查合在一起"))
    if told.history:
        rows = [(period, found.missed, found.low, found.high) for period, found in told.history]
        ui.chart(charts.plot_missed(rows, t), "missed", t("各期估计漏掉的困难户和 95% 区间"))
    ui.table([{"one": draw} for draw in told.draws], [
        Column(t("期"), lambda row: ui.said(t.month(row["one"].period)), "w"),
        Column(t("抽中"), lambda row: ui.count(row["one"].drawn), "n"),
        Column(t("有困难"), lambda row: ui.count(row["one"].needy), "n"),
        Column(t("没有困难"), lambda row: ui.count(row["one"].fine), "n"),
        Column(t("没有结果"), lambda row: ui.unknown_count(row["one"].unknown, t), "n"),
        Column(t("待走访"), lambda row: ui.count(row["one"].pending), "n"),
        Column(t("另换"), lambda row: ui.count(row["one"].dropped), "n"),
    ])  # fmt: skip
