"""成效, the past again: how many months before its recorded entry each household would have been seen, and who never."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from monitoring import charts, ui
from monitoring.alerts import economics as doors
from monitoring.backtest import PROGRAMMES, asking
from monitoring.backtest.asking import NOTHING_MISSING, Backtest, Share
from monitoring.language import number, share
from monitoring.pages import precision
from monitoring.queries import economics
from monitoring.simulating import CannotSimulate
from monitoring.ui import Column, View

SEEN = {"never": "没看到的", "rules": "规则看到的", "model": "模型看到的", "all": "全部"}
ROWS = 50


def section(view: View) -> None:
    t = view.t
    ui.note(t("把今天的规则放回过去各期，只用当期已知的数据：每户在登记进入之前几个月就会被看到？最多往前看 12 个月。"))
    with st.spinner(t("正在过去各期上回放……")):
        try:
            told = view.ask_runs(asking.backtest, view.read(doors.cases))
        except CannotSimulate as refusal:
            ui.failure(t("现在不能回测：{why}", why=t.clauses(refusal.words)))
            return
    if told.entries.is_empty():
        ui.empty(t("已发布的 {n} 期里，所选范围没有登记进入的户。至少要两期，才看得出谁新进入。", n=len(told.measured.periods)))  # fmt: skip
        return
    _summary(view, told)
    _ahead(view, told)
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        _programmes(view, told)
        _towns(view, told)
    with right:
        _never(view, told)
    _by_rule(view, told)
    _list(view, told)


def _summary(view: View, told: Backtest) -> None:
    t, all_of = view.t, asking.sums(told)[0]
    entries, first, last = all_of["entries"], told.measured.periods[0], told.measured.periods[-1]
    cost = asking.alerts(told, "rules")
    seen = _share_tile(view, t("提前看到"), Share(all_of["either"], entries))
    rules = _share_tile(view, t("规则提前看到"), Share(all_of["rules"], entries), _median(view, all_of["median_rules"]))
    model = _share_tile(
        view, t("模型提前看到"), Share(all_of["model"], all_of["had_model"]), _median(view, all_of["median_model"])
    )
    if not told.measured.with_model:
        model = ui.Tile(t("模型提前看到"), "—", "", ui.said(t("过去各期没有当时的模型")))
    pointed = t("规则提示 {n} 件，只看满 6 个月的", n=number(cost["alerts"]))
    ui.tiles([
        ui.Tile(t("登记进入"), t.compact(entries), t("户"), ui.said(t("{a} 至 {b}", a=t.month(first), b=t.month(last))), exact=number(entries)),
        seen, rules, model,
        _share_tile(view, t("每次走访早看到"), Share(cost["useful"], cost["closed"]), pointed),
    ])  # fmt: skip


def _share_tile(view: View, label: str, found: Share, more: str = "") -> ui.Tile:
    t = view.t
    if not found.of:
        return ui.Tile(label, "—", "", ui.said(t("没有这样的户。")))
    if found.few:
        return ui.Tile(label, "—", "", ui.said(precision.told(view, found.part, found.of, found.interval, few=True)))
    counts = precision.counted(view, found.part, found.of, found.interval)
    return ui.Tile(label, share(found.part, found.of), "", ui.said(t.clauses([counts, more] if more else [counts])))


def _part(view: View, part: int, of: int, none: str = "没有这样的户。") -> str:
    found = Share(part, of)
    return ui.said(precision.told(view, part, of, found.interval, found.few)) if of else ui.said(view.t(none))


def _median(view: View, months: float | None) -> str:
    t = view.t
    return t("没有看到过") if months is None else t("中位提前 {n} 个月", n=number(months))


def _ahead(view: View, told: Backtest) -> None:
    t, all_of = view.t, asking.sums(told)[0]
    ui.heading(t("提前几个月看到？"), t("从第一次提示到登记进入"))
    rules, model = asking.months_ahead(told, "rules"), asking.months_ahead(told, "model")
    never = asking.unseen(told, "rules")
    top = max([never, *(entries for _, entries in (*rules, *model))])
    ui.chart(charts.plot_leads(rules, never, top, t), "leads-rules", t("规则提前几个月看到的户数"))
    if told.measured.with_model:
        ui.note(
            t(
                "模型：{n} 期有当时的模型，{all} 户进入之前用过。",
                n=number(len(told.measured.with_model)),
                all=number(all_of["had_model"]),
            )
        )
        ui.chart(
            charts.plot_leads(model, asking.unseen(told, "model"), top, t), "leads-model", t("模型提前几个月看到的户数")
        )
    else:
        ui.note(
            t(
                "过去各期没有当时的模型，所以只回测规则。模型只用它训练时已知的数据，不能拿今天的模型去看过去；请系统管理人员逐期训练，以后各期就能回测。"
            )
        )
    with st.expander(t("看数据")):
        ui.table([{"months": months, "entries": entries} for months, entries in rules], [
            Column(t("提前"), lambda row: ui.link(t("{n} 个月", n=row["months"]), _to(view, seen="rules", months=str(row["months"]))), "w"),
            Column(t("户"), lambda row: ui.count(row["entries"]), "n"),
        ])  # fmt: skip


def _to(view: View, **asked: str) -> str:
    return view.link("economics", part="backtest", **asked)


def _figures(view: View) -> list[Column]:
    t = view.t
    return [
        Column(t("进入"), lambda row: ui.count(row["entries"]), "n"),
        Column(t("提前看到"), lambda row: _part(view, row["either"], row["entries"])),
        Column(t("规则看到"), lambda row: ui.count(row["rules"]), "n"),
        Column(t("模型看到"), lambda row: ui.count(row["model"]) if row["had_model"] else ui.unknown(t("没有模型")), "n"),
        Column(t("中位提前"), lambda row: ui.said("—" if row["median_rules"] is None else t("{n} 个月", n=number(row["median_rules"]))), "w"),
    ]  # fmt: skip


def _programmes(view: View, told: Backtest) -> None:
    t = view.t
    ui.heading(t("进入了什么？"), t("同时进入几项的，只算第一项"))
    ui.table(asking.sums(told, "programme"), [
        Column(t("进入"), lambda row: ui.link(t.pick(*PROGRAMMES[row["programme"]]), _to(view, seen="all", programme=row["programme"])), "w"),
        *_figures(view),
    ])  # fmt: skip
    ui.note(t("入户确认困难的，多半正是因为有预警才有人去看：看提前量时请和登记进入各名单的分开看。"))


def _towns(view: View, told: Backtest) -> None:
    t = view.t
    ui.heading(t("各乡镇"))
    with st.expander(t("看数据"), expanded=True):
        ui.table(asking.by_township(told), [
            Column(t("乡镇"), lambda row: ui.place(row, t), "w"), *_figures(view),
            Column(t("提示件数"), lambda row: ui.count(row["alerts"] or 0), "n"),
        ])  # fmt: skip


def _never(view: View, told: Backtest) -> None:
    t = view.t
    ui.heading(t("为什么没看到？"), t("进入之前最后一期，规则缺什么数据"))
    rows = asking.lacking(told)
    if not rows:
        ui.empty(t("进入的户事先都看到了。"))
        return
    ui.table(rows, [
        Column(t("缺的数据"), lambda row: ui.link(_lack(view, row["subject"], row["missing"]), _to(view, seen="never", missing=_code(row)))),
        Column(t("户"), lambda row: ui.count(row["households"]), "n"),
    ], t("没看到的 {n} 户；一户可能缺几样", n=number(asking.unseen(told, ""))))  # fmt: skip


def _code(row: dict[str, Any]) -> str:
    return NOTHING_MISSING if row["missing"] == NOTHING_MISSING else f"{row['subject']}.{row['missing']}"


def _lack(view: View, subject: str, missing: str) -> str:
    t = view.t
    return t("什么都不缺，没有规则命中") if missing == NOTHING_MISSING else ui.column_title(subject, missing, t)


def _by_rule(view: View, told: Backtest) -> None:
    t = view.t
    titles = view.ask_runs(economics.titles)
    ui.heading(t("哪些规则看得早？"), t("每条提示算一次走访；满 6 个月的才看后来有没有进入"))
    ui.table(asking.by_rule(told), [
        Column(t("规则"), lambda row: f"{ui.link(t.pick(*titles[row['source']]), _to(view, seen='rules', lead_rule=row['source']))} {ui.code(row['source'])}"),
        Column(t("看到"), lambda row: ui.count(row["seen"]), "n"),
        Column(t("只有它看到"), lambda row: ui.count(row["alone"]), "n"),
        Column(t("中位提前"), lambda row: ui.said("—" if row["median"] is None else t("{n} 个月", n=number(row["median"]))), "w"),
        Column(t("提示件数"), lambda row: ui.count(row["alerts"]), "n"),
        Column(t("之后 6 个月内进入"), lambda row: _part(view, row["useful"], row["closed"], "还没满 6 个月")),
    ])  # fmt: skip


def _list(view: View, told: Backtest) -> None:
    t = view.t
    ui.heading(t("是哪些户？"))
    reasons = {_code(row): _lack(view, row["subject"], row["missing"]) for row in asking.lacking(told)}
    titles = view.ask_runs(economics.titles)
    rules = [row["source"] for row in asking.by_rule(told) if row["seen"]]
    months = [str(month) for month, entries in asking.months_ahead(told, "rules") if entries]
    with st.container(key="backtest-list", horizontal=True, vertical_alignment="bottom"):
        seen = _picked(view, "seen", t("名单"), list(SEEN), lambda key: t(SEEN[key]), 160)
        programme = _picked(
            view,
            "programme",
            t("进入"),
            ["", *PROGRAMMES],
            lambda key: t.pick(*PROGRAMMES[key]) if key else t("全部"),
            190,
        )
        missing = _picked(
            view, "missing", t("缺的数据"), ["", *reasons], lambda key: reasons[key] if key else t("全部"), 260
        )
        rule = _picked(
            view, "lead_rule", t("规则"), ["", *rules], lambda key: t.pick(*titles[key]) if key else t("全部"), 260
        )
        month = _picked(
            view, "months", t("提前"), ["", *months], lambda key: t("{n} 个月", n=key) if key else t("全部"), 130
        )
    rows = asking.listed(told, seen, programme, missing, rule, int(month or 0)).to_dicts()
    if not rows:
        ui.empty(t("没有这样的户。"))
        return
    turned = "-".join(("backtest", seen, programme, missing, rule, month))
    first = ui.first_of(ui.page_of(turned), ROWS)
    ui.table(asking.with_names(view.warehouse, view.scope, rows[first : first + ROWS]), [
        Column(t("户主"), lambda row: ui.link(row["name"] or t("姓名不明"), view.household_link(row)), "w"),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        Column(t("进入"), lambda row: ui.said(t.aside(t.pick(*PROGRAMMES[row["programme"]]), t.month(row["entered"]))), "w"),
        Column(t("规则提前"), lambda row: ui.said(_lead(view, row["rules"])), "w"),
        Column(t("模型提前"), lambda row: ui.said(_lead(view, row["model"])) if row["had_model"] else ui.unknown(t("没有模型")), "w"),
        Column(t("可看"), lambda row: ui.said(t("{n} 个月", n=row["available"])), "w"),
        Column(t("当时缺"), lambda row: ui.said(t.listed(_named(view, name) for name in row["lacks"] or ()))),
    ], t("共 {n}，每页 50", n=number(len(rows))))  # fmt: skip
    ui.pager(len(rows), turned, t, ROWS)


def _named(view: View, name: str) -> str:
    subject, _, column = name.partition(".")
    return _lack(view, subject, column)


def _lead(view: View, months: int | None) -> str:
    return view.t("没看到") if months is None else view.t("{n} 个月", n=months)


def _picked(view: View, key: str, label: str, options: Sequence[str], words: Any, width: int) -> str:
    ui.recall(key, options)
    chosen = st.selectbox(label, options, key=key, format_func=words, width=width)
    ui.keep(key, chosen, options[0])
    return str(chosen or options[0])
