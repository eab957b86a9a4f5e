"""政策测算: scenarios side by side, households near a line and at a cliff, and the seed packs on this county."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.labels import parameter_words
from monitoring.language import number
from monitoring.pages.whatif_lists import CATEGORY, signed
from monitoring.simulating import CannotSimulate, Scenario, asking, near, packs, service
from monitoring.ui import Column, View

LINE = {"dibao": "低保标准", "edge": "低保边缘上限"}
LARGEST_RISE = 1000


def told(view: View, scenario: Scenario, parameters: dict[str, Any]) -> str:
    """What a scenario changes, in words."""
    t = view.t
    titles, known = view.ask_county(asking.rule_titles), view.ask_county(asking.pack_titles)
    parts = (
        [t("政策包换成 {pack}", pack=t.pick(*known.get(scenario.pack, (scenario.pack, scenario.pack))))]
        if scenario.pack
        else []
    )
    for name, value in scenario.sets:
        row = parameters.get(name)
        said = name if row is None else t.pick(row["zh"], row["en"])
        parts.append(
            t("{parameter}改为 {value}", parameter=said, value=parameter_words(value, row["unit_zh"] if row else "", t))
        )
    for codes, words in ((scenario.off, "停用“{rule}”"), (scenario.on, "启用“{rule}”")):
        parts += [t(words, rule=t.pick(*titles.get(code, (code, code)))) for code in codes]
    return t.clauses(parts)


# --- side by side


def side_by_side(view: View) -> None:
    t = view.t
    kept = {name: s for name, s in view.read(service.kept).items() if isinstance(s, Scenario)}
    if not kept:
        ui.empty(t("还没有保存的方案。在“测算”里改好参数，保存后就能在这里并排比较。"))
        return
    chosen = st.multiselect(
        t("比较哪些方案"), list(kept), default=list(kept)[:3], key="whatif-beside", max_selections=5, placeholder=t("选方案"),
        format_func=lambda name: kept[name].title,
    )  # fmt: skip
    sums: dict[str, asking.Sums] = {}
    for name in chosen:
        try:
            sums[name] = view.ask(asking.sums, kept[name])
        except CannotSimulate as refusal:
            ui.failure(t("“{title}”不能测算：{why}", title=kept[name].title, why=ui.words_of(refusal, t)))
    if not sums:
        return
    parameters = {row["name"]: row for row in view.ask_county(asking.in_force)}
    ui.table([{"name": name, "of": total} for name, total in sums.items()], [
        Column(t("方案"), lambda row: ui.said(kept[row["name"]].title)),
        Column(t("改了什么"), lambda row: f'<span class="bl-note">{ui.said(told(view, kept[row["name"]], parameters))}</span>'),
        Column(t("新进（户）"), lambda row: ui.count(row["of"].come), "n"),
        Column(t("退出（户）"), lambda row: ui.count(row["of"].go), "n"),
        Column(t("类别变动（户）"), lambda row: ui.count(row["of"].moved), "n"),
        Column(t("金额增加（户）"), lambda row: ui.count(row["of"].gain), "n"),
        Column(t("金额减少（户）"), lambda row: ui.count(row["of"].lose), "n"),
        Column(t("一年资金（元）"), lambda row: ui.count(row["of"].yuan_after), "n"),
        Column(t("比现在（元）"), lambda row: ui.said(signed(row["of"].yuan_more)), "n"),
    ])  # fmt: skip
    _programmes(view, {name: kept[name] for name in sums})


def _programmes(view: View, scenarios: dict[str, Scenario]) -> None:
    t = view.t
    ui.heading(t("各乡镇一年相差多少？"), t("元／年，与现在比"))
    by_place: dict[str | None, dict[str, Any]] = {}
    for name, scenario in scenarios.items():
        for row in view.ask(asking.by_township, scenario).to_dicts():
            by_place.setdefault(row["township"], {"township": row["township"]})[name] = row["more"]

    def more(name: str) -> Callable[[dict[str, Any]], str]:
        return lambda row: ui.said(signed(row.get(name, 0)))

    ui.table(list(by_place.values()), [
        Column(t("乡镇"), lambda row: ui.said(row["township"]) or ui.unknown(t("地点不明")), "w"),
        *(Column(scenario.title, more(name), "n") for name, scenario in scenarios.items()),
    ])  # fmt: skip


# --- near the line, and cliffs


def near_the_line(view: View) -> None:
    t = view.t
    ui.heading(t("离线很近的户"), t("收入差一成，或标准变动百分之一，结论就会翻转"))
    ui.table(view.ask(near.near_counts), [
        Column(t("线"), lambda row: ui.said(t(LINE[row["line"]]))),
        Column(t("收入误差 10%：符合变不符合"), lambda row: ui.count(row["lose_by_income"]), "n"),
        Column(t("收入误差 10%：不符合变符合"), lambda row: ui.count(row["gain_by_income"]), "n"),
        Column(t("标准变动 1%：符合变不符合"), lambda row: ui.count(row["lose_by_line"]), "n"),
        Column(t("标准变动 1%：不符合变符合"), lambda row: ui.count(row["gain_by_line"]), "n"),
    ])  # fmt: skip
    line = st.segmented_control(
        t("哪条线"),
        list(LINE),
        format_func=lambda key: t(LINE[key]),
        default="dibao",
        key="near-line",
        required=True,
        wrap=True,
    )
    turned = f"near-{ui.mark(line, view.scope)}"
    people, total = view.ask(near.near, line or "dibao", ui.page_of(turned))
    if total:
        ui.table(people.to_dicts(), [
            *_who(view),
            Column(t("月人均收入"), lambda row: ui.said(t.money(row["income_pc"])), "n"),
            Column(t("离线"), lambda row: ui.said(t("高出 {n} 元", n=number(row["distance"])) if row["distance"] >= 0 else t("低 {n} 元", n=number(abs(row["distance"])))), "n"),
            Column(t("现在"), lambda row: ui.said(t("符合") if row["now"] else t("不符合")), "w"),
            Column(t("会翻转"), lambda row: ui.said(t.listed([*([t("收入差一成")] if row["by_income"] else []), *([t("标准变动百分之一")] if row["by_line"] else [])]))),
        ], t("共 {n}，每页 50", n=number(total)))  # fmt: skip
        ui.pager(total, turned, t)
    else:
        ui.empty(t("没有这样的户。"))
    _cliffs(view)


def _who(view: View) -> list[Column]:
    t = view.t
    return [
        Column(
            t("户主"), lambda row: ui.link(row["name"] or t("姓名不明"), view.household_link(row)), "w"
        ),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        Column(t("人口"), lambda row: ui.count(row["size"]), "n"),
    ]  # fmt: skip


def _cliffs(view: View) -> None:
    t = view.t
    ui.heading(t("断崖：多挣一点反而吃亏的户"), t("低保差额、特困供养和困难残疾人生活补贴合计，一年算"))
    rise = st.number_input(
        t("月人均收入增加多少元"),
        min_value=1,
        max_value=LARGEST_RISE,
        value=int(near.RISE),
        step=10,
        key="rise",
        width=220,
    )
    turned = f"cliffs-{ui.mark(rise, view.scope)}"
    people, total = view.ask(near.cliffs, Decimal(rise), ui.page_of(turned))
    if not total:
        ui.empty(t("月人均收入增加 {n} 元，没有一户失去的比挣得的多。", n=number(rise)))
        return
    ui.table(people.to_dicts(), [
        *_who(view),
        Column(t("多挣（元／年）"), lambda row: ui.count(row["gain"]), "n"),
        Column(t("失去（元／年）"), lambda row: ui.count(row["loss"]), "n"),
        Column(t("净少（元／年）"), lambda row: ui.count(row["net"]), "n"),
        Column(t("类别"), lambda row: ui.said(t("{a} → {b}", a=t(CATEGORY[row["category_before"]]), b=t(CATEGORY[row["category_after"]])))),
    ], t("共 {n}，每页 50", n=number(total)))  # fmt: skip
    ui.pager(total, turned, t)


# --- the seed packs


def packs_compared(view: View) -> None:
    t = view.t
    ui.heading(t("同一个县，四份文件各会发现什么？"), t("本期数据分别按各政策包重新判断；只列结果不同的规则"))
    try:
        found = view.ask(packs.compared)
    except CannotSimulate as refusal:
        ui.failure(t("不能测算：{why}", why=ui.words_of(refusal, t)))
        return
    if found.is_empty():
        ui.empty(t("四份文件在本县的结果完全相同。"))
        return
    titles = view.ask_county(asking.pack_titles)
    names = [column for column in found.columns if column in titles]

    def hits(name: str) -> Callable[[dict[str, Any]], str]:
        return lambda row: ui.count(row[name])

    rows = found.to_dicts()
    ui.table(rows, [
        Column(t("规则"), lambda row: f"{ui.said(t.pick(row['title_zh'], row['title_en']))} {ui.code(row['rule'])}"),
        *(Column(t.pick(*titles[name]), hits(name), "n") for name in names),
        Column(t("待遇不同"), lambda row: ui.count(row["differently"]), "n"),
    ])  # fmt: skip
    said = {row["rule"]: t.pick(row["title_zh"], row["title_en"]) for row in rows}
    rule = st.selectbox(t("看哪条规则"), list(said), format_func=said.__getitem__, key="packs-rule", width=360)
    ui.heading(t("依据哪一条？"))
    ui.table(view.ask_county(packs.clauses, rule), [
        Column(t("政策包"), lambda row: ui.said(t.pick(row["title_zh"], row["title_en"]))),
        Column(t("规则的依据"), lambda row: ui.said(row["clause"])),
        Column(t("参数和依据"), lambda row: ui.said(t.clauses(t.aside(t.named(t.pick(one["zh"], one["en"]), parameter_words(one["shown"], one["unit"], t)), one["clause"]) for one in row["read"]))),
    ])  # fmt: skip
    turned = f"packs-{ui.mark(rule, view.scope)}"
    people, total = view.ask(packs.treated, rule, ui.page_of(turned))
    ui.heading(t("哪些户的待遇不同？"))

    def hit(name: str) -> Callable[[dict[str, Any]], str]:
        return lambda row: ui.said(t("命中") if row[name] else "—")

    ui.table(people.to_dicts(), [
        *_who(view),
        *(Column(t.pick(*titles[name]), hit(name), "w") for name in names),
    ], t("共 {n}，每页 50", n=number(total)))  # fmt: skip
    ui.pager(total, turned, t)
