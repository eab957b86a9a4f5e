"""政策测算: the households behind the figures, fifty a page, each a link to the household."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from monitoring import ui
from monitoring.language import number
from monitoring.simulating import Scenario, asking
from monitoring.ui import Column, View

CATEGORY = {
    "tekun": "特困", "dibao": "低保", "edge": "低保边缘", "rigid": "刚性支出困难", "none": "不符合各项", "unknown": "不明",
}  # fmt: skip
WHAT = {
    "come": "新进", "go": "退出", "category": "类别变动", "gain": "金额增加", "lose": "金额减少",
}  # fmt: skip


def signed(amount: Decimal | int) -> str:
    """A difference with its sign; none is 0."""
    return f"{amount:+,.0f}" if amount else "0"


def section(view: View, scenario: Scenario) -> None:
    t = view.t
    ui.heading(t("是哪些户？"))
    rules = {row["rule"]: row for row in view.ask(asking.rules_moved, scenario).to_dicts()}
    with st.container(key="whatif-list", horizontal=True, vertical_alignment="bottom"):
        what = st.segmented_control(
            t("名单"),
            list(WHAT),
            format_func=lambda key: t(WHAT[key]),
            default="come",
            key="whatif-what",
            required=True,
            wrap=True,
        )
        rule = None
        if what in ("come", "go"):
            some = [code for code, row in rules.items() if row[what]]
            rule = st.selectbox(
                t("规则"), ["", *some], key=f"whatif-rule-{what}", width=300,
                format_func=lambda code: t.pick(rules[code]["title_zh"], rules[code]["title_en"]) if code else t("任何规则"),
            )  # fmt: skip
    turned = f"whatif-{ui.mark(scenario, what, rule, view.scope)}"
    people, total = view.ask(asking.listed, scenario, what or "come", rule or None, ui.page_of(turned))
    if not total:
        ui.empty(t("没有这样的户。"))
        return

    def titles(codes: str | None) -> str:
        found = [rules[code] for code in (codes or "").split(",") if code in rules]
        return ui.said(t.listed(t.pick(row["title_zh"], row["title_en"]) for row in found))

    ui.table(people.to_dicts(), [
        Column(t("户主"), lambda row: ui.link(row["name"] or t("姓名不明"), view.household_link(row)), "w"),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        Column(t("人口"), lambda row: ui.count(row["size"]), "n"),
        Column(t("月人均收入"), lambda row: ui.unknown(t("不明")) if row["income_pc"] is None else ui.said(t.money(row["income_pc"])), "n"),
        Column(t("新命中"), lambda row: titles(row["come"])),
        Column(t("不再命中"), lambda row: titles(row["go"])),
        Column(t("类别"), lambda row: ui.said(t(CATEGORY[row["category_after"]]) if row["category_after"] == row["category_before"] else t("{a} → {b}", a=t(CATEGORY[row["category_before"]]), b=t(CATEGORY[row["category_after"]])))),
        Column(t("一年相差"), lambda row: ui.said(t("{yuan} 元", yuan=signed(row["more"]))) if row["more"] else "", "n"),
    ], t("共 {n}，每页 50", n=number(total)))  # fmt: skip
    ui.pager(total, turned, t)
