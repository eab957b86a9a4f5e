"""风险模型: what the model of this run is worth, for whom it works worse, what has shifted, and whom it points to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from monitoring import charts, ui
from monitoring.forecast.card import LIMITS, door_of
from monitoring.forecast.features import BY_NAME
from monitoring.forecast.words import BANDS
from monitoring.language import number
from monitoring.queries import model
from monitoring.queries.model import ModelShown
from monitoring.ui import Column, View


def page(view: View) -> None:
    t = view.t
    ui.title(t("风险模型"), t("模型只排走访的先后、补充规则没有发现的户；不认定、不停发，也不取消任何信号"))
    shown = view.ask_county(model.model)
    if shown is None:
        ui.empty(
            t(
                "这一期没有模型：按规则和收入排序。请系统管理人员在服务器上训练模型，下一次运行起使用；过去陷入困难的户少于 50 户时，训练后也不会使用。"
            )
        )
        return
    if not shown.usable:
        ui.banner(t("不用模型：{why}。", why=_why(view, shown)))
        _card(view, shown)
        return
    _warnings(view, shown)
    _summary(view, shown)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        _figures(view, shown)
    with right:
        ui.heading(t("估计的可能和实际差多少？"), t("检验期，按得分分成十份；在虚线上就是一致"))
        ui.chart(charts.plot_calibration(shown.bins, t), "calibration", t("估计的可能与实际陷入困难的比例"))
        with st.expander(t("看数据")):
            ui.table(shown.bins, [
                Column(t("估计"), lambda row: ui.said(_percent(row["predicted"])), "n"),
                Column(t("实际"), lambda row: ui.said(_percent(row["seen"])), "n"),
                Column(t("户期"), lambda row: ui.count(row["rows"]), "n"),
            ])  # fmt: skip
    _highest(view)
    _groups(view, shown)
    _drift(view, shown)
    _card(view, shown)


def _why(view: View, shown: ModelShown) -> str:
    manifest = shown.manifest
    return view.t(
        "过去只有 {n} 户在之后 {months} 个月内陷入困难，少于 50 户；按规则和收入排序",
        n=manifest["entries"],
        months=manifest["horizon"],
    )


def _warnings(view: View, shown: ModelShown) -> None:
    t = view.t
    chosen = next(row for row in shown.figures if row["chosen"])
    better = [t(row["title"]) for row in shown.figures if row["baseline"] and row["pr_auc"] >= chosen["pr_auc"]]
    if shown.report["split"]["test_positives"] < 50:
        ui.banner(
            t(
                "检验期只有 {n} 户陷入困难：下面的数字区间很宽，只能看个大概。",
                n=shown.report["split"]["test_positives"],
            )
        )
    if better:
        ui.banner(t("检验期里模型没有强过这些简单排序：{names}。请结合规则和收入使用。", names=t.listed(better)))
    for group in shown.worse:
        ui.banner(
            t(
                "{title}“{group}”的查全率 {recall} 明显低于全县，超出偶然：这类户请多走访。",
                title=t.pick(*group["title"]),
                group=t(group["group"]),
                recall=_percent(group["recall"]),
            )
        )
    if shown.moved:
        names = t.listed(_feature(view, name) for name in shown.moved[:5])
        ui.banner(t("本期分布与训练时明显不同：{names}。请看下面的分布变化，必要时重新训练。", names=names))


def _feature(view: View, name: str) -> str:
    return view.t("得分") if name == "score" else view.t.pick(BY_NAME[name].zh, BY_NAME[name].en)


def _summary(view: View, shown: ModelShown) -> None:
    t, counts = view.t, view.ask(model.listed)
    chosen = next(row for row in shown.figures if row["chosen"])
    low, high = shown.report["intervals"]["precision"]
    ui.tiles([
        ui.Tile(t("已评分"), t.compact(counts["scored"]), t("户"), ui.said(t("所选范围内目前没有享受救助的户")), exact=number(counts["scored"])),
        ui.Tile(t("模型提示"), t.compact(counts["pointed"]), t("户"), ui.said(t("没有规则命中、排在本乡镇最前")),
                view.link("alerts", rule="MODEL-RISK"), number(counts["pointed"])),
        ui.Tile(t("前一成里真陷入困难"), _percent(chosen["precision_10"]), "", ui.said(t("95% 区间 {low} 至 {high}", low=_percent(low), high=_percent(high)))),
        ui.Tile(t("比随机走访多发现"), number(chosen["lift_10"]), t("倍"), ui.said(t("前一成找到全部困难户的 {share}", share=_percent(chosen["recall_10"])))),
    ])  # fmt: skip


def _figures(view: View, shown: ModelShown) -> None:
    t = view.t
    ui.heading(t("名单前一成里，真陷入困难的占多少？"), t("模型与简单排序在同一检验期比较"))
    ui.chart(charts.plot_candidates(shown.figures, t), "candidates", t("各种排序前一成的查准率"))
    with st.expander(t("看数据")):
        ui.table(shown.figures, [
            Column(t("排序方法"), lambda row: f"{ui.said(t(row['title']))}{ui.said(t('（采用）')) if row['chosen'] else ''}"),
            Column("PR-AUC", lambda row: ui.said(_decimal(row["pr_auc"])), "n"),
            Column("ROC-AUC", lambda row: ui.said(_decimal(row["roc_auc"])), "n"),
            Column(t("前5%查准"), lambda row: ui.said(_percent(row["precision_5"])), "n"),
            Column(t("前10%查准"), lambda row: ui.said(_percent(row["precision_10"])), "n"),
            Column(t("前10%查全"), lambda row: ui.said(_percent(row["recall_10"])), "n"),
            Column(t("校准误差"), lambda row: ui.said(_decimal(row["ece"])), "n"),
        ])  # fmt: skip
    entries = shown.report["entries"]
    ui.note(
        t.clauses(
            _entry(view, entries[key], words) for key, words in (("first", t("首次进入")), ("again", t("再次进入")))
        )
    )


def _entry(view: View, told: dict[str, Any], words: str) -> str:
    t = view.t
    if told.get("roc_auc") is None:
        return t("{words}：{n} 户期，太少，不能单独检验", words=words, n=told["positives"])
    return t("{words}：{n} 户期，ROC-AUC {auc}", words=words, n=told["positives"], auc=_decimal(told["roc_auc"]))


def _highest(view: View) -> None:
    t = view.t
    ui.heading(t("排在最前的户"), t("所选范围内前 20 户；规则已命中的也列出"))
    rows = view.ask(model.highest)
    if not rows:
        ui.empty(t("所选范围内没有已评分的户。"))
        return
    ui.table(rows, [
        Column(t("户主"), lambda row: ui.link(row["name"] or t("姓名不明"), view.household_link(row)), "w"),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        Column(t("可能"), lambda row: ui.said(_percent(row["score"])), "n"),
        Column(t("档次"), lambda row: ui.said(t.pick(*BANDS[row["band"]])), "w"),
        Column(t("乡镇内排名"), lambda row: ui.count(row["rank_in_township"]), "n"),
        Column(t("本期信号"), lambda row: ui.count(row["signals"]), "n"),
    ])  # fmt: skip


def _groups(view: View, shown: ModelShown) -> None:
    t = view.t
    ui.heading(t("对各类人群是否一样管用？"), t("检验期全县一张名单的前一成；括号内为 95% 区间"))
    with st.expander(t("看各组 {n} 项", n=len(shown.groups)), expanded=bool(shown.worse)):
        ui.table(shown.groups, [
            Column(t("分组"), lambda row: ui.said(t.pick(*row["title"]))),
            Column(t("类别"), lambda row: ui.said(t(row["group"]))),
            Column(t("户期"), lambda row: ui.count(row["rows"]), "n"),
            Column(t("陷入困难"), lambda row: ui.count(row["positives"]), "n"),
            Column(t("查全"), lambda row: _share(view, row, "recall"), "n"),
            Column(t("查准"), lambda row: _share(view, row, "precision"), "n"),
            Column(t("结论"), lambda row: ui.said(t("照顾不足") if row["served_worse"] else t("未见差别") if row["positives"] >= shown.manifest["limits"]["group_fewest"] else t("太少，看不出"))),
        ])  # fmt: skip


def _share(view: View, row: dict[str, Any], name: str) -> str:
    if row[name] is None:
        return ui.unknown(view.t("不明"))
    low, high = row[f"{name}_interval"]
    return ui.said(view.t.aside(_percent(row[name]), f"{_percent(low)}–{_percent(high)}"))


def _drift(view: View, shown: ModelShown) -> None:
    t = view.t
    ui.heading(
        t("分布变了吗？"),
        t("稳定性指数 PSI：0.1 以下稳定，超过 {limit} 为明显变化", limit=number(shown.manifest["limits"]["drift"])),
    )
    moved = [name for name, _ in shown.manifest["weights"]][:5]
    columns = [Column(t("期"), lambda row: ui.said(t.month(row["period"])), "w"), Column(t("得分"), _psi("score"), "n")]
    columns += [Column(_feature(view, name), _psi(name), "n") for name in moved]
    ui.table(shown.drift, columns)


def _psi(name: str) -> Any:
    return lambda row: ui.said(_decimal(row.get(name)))


def _card(view: View, shown: ModelShown) -> None:
    t, manifest = view.t, shown.manifest
    ui.heading(t("模型卡"), shown.id)
    closed = manifest["closed"]
    facts = [
        t("训练日期 {day}，用到 {month} 为止已发布的结果", day=manifest["on"], month=t.month(manifest["until"])),
        t("标签已满 {n} 期，过去陷入困难 {entries} 户", n=len(closed), entries=number(manifest["entries"])),
        *_label(view, manifest),
        t("走访反馈：确认困难 {yes} 次，没有困难 {no} 次", yes=manifest["visits"].get("confirmed", 0), no=manifest["visits"].get("not_so", 0)),
        t("数据摘要 {data}，程序摘要 {code}", data=manifest["data_sha256"][:16], code=manifest["code_sha256"][:16]),
    ]  # fmt: skip
    ui.html(f"<ul>{''.join(f'<li>{ui.said(fact)}</li>' for fact in facts)}</ul>")
    with st.expander(t("局限")):
        ui.html(f"<ul>{''.join(f'<li>{ui.said(t(limit))}</li>' for limit in LIMITS)}</ul>")


def _label(view: View, manifest: Mapping[str, Any]) -> list[str]:
    """What the label means; where visits are on record for the last periods only, that they are not among it, and why."""
    t, door = view.t, door_of(manifest)
    if door["counts"]:
        return [
            t(
                "标签：其后 {n} 个月内进入低保、特困、低收入家庭或监测名单，得到临时救助，或入户确认困难",
                n=manifest["horizon"],
            )
        ]
    why = (
        t("入户确认困难暂不计入标签：走访从 {month} 起才有记录，各期的标签须是同一个意思", month=t.month(door["since"]))
        if door["since"]
        else t("入户确认困难不在标签里：还没有走访记录")
    )
    return [t("标签：其后 {n} 个月内进入低保、特困、低收入家庭或监测名单，或得到临时救助", n=manifest["horizon"]), why]


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"


def _decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
