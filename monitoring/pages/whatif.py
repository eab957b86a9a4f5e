"""政策测算: a changed parameter or a rule switched, for the whole county: who comes, who goes, what it costs a year."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.labels import KIND_ZH, parameter_words
from monitoring.language import number
from monitoring.pages import whatif_lists, whatif_more
from monitoring.pages.whatif_lists import CATEGORY, signed
from monitoring.simulating import CannotSimulate, Scenario, asking, service
from monitoring.ui import Column, View

PROGRAMME = {"dibao": "低保（差额补助）", "tekun": "特困基本生活"}
DRAFT = "新方案"


def page(view: View) -> None:
    t = view.t
    ui.title(t("政策测算"), t("按已发布的本期数据重新判断，什么都不改动；与按新参数重新运行的结果一致"))
    tabs = st.tabs([t("测算"), t("方案并排"), t("临界与断崖"), t("四地政策比较")])
    with tabs[0]:
        _one(view)
    with tabs[1]:
        whatif_more.side_by_side(view)
    with tabs[2]:
        whatif_more.near_the_line(view)
    with tabs[3]:
        whatif_more.packs_compared(view)


# --- building a scenario


def _one(view: View) -> None:
    t = view.t
    try:
        scenario = _chosen(view)
        if not scenario.told():
            ui.empty(t("还没有改动。请在上面选要改的参数并写上新值，或选要停用的规则；结果会马上显示。"))
            return
        total = view.ask(asking.sums, scenario)
    except CannotSimulate as refusal:
        ui.failure(t("不能测算：{why}", why=ui.words_of(refusal, t)))
        return
    _figures(view, scenario, total)
    _rules(view, scenario)
    left, right = st.columns([1, 1.35], gap="medium")
    with left:
        _categories(view, scenario)
        _programmes(view, scenario)
    with right:
        _places(view, scenario)
    whatif_lists.section(view, scenario)
    _keep(view, scenario)


def _chosen(view: View) -> Scenario:
    t = view.t
    kept = view.read(service.kept)
    usable = {name: found for name, found in kept.items() if isinstance(found, Scenario)}
    parameters = {row["name"]: row for row in view.ask_county(asking.in_force)}
    titles = view.ask_county(asking.rule_titles)
    packs = view.ask_county(asking.pack_titles)
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        ui.recall("scenario", list(usable))
        name = st.selectbox(
            t("方案"), [DRAFT, *usable], key="scenario", width=240,
            format_func=lambda name: t(name) if name == DRAFT else usable[name].title,
        )  # fmt: skip
        ui.keep("scenario", name, DRAFT)
        if name != DRAFT:
            return _shown(view, usable[name], parameters)
        pack = st.selectbox(
            t("政策包"), ["", *packs], key="whatif-pack", width=260,
            format_func=lambda pack: t.pick(*packs[pack]) if pack else t("本期所用"),
        )  # fmt: skip
        changed = st.multiselect(
            t("改哪些参数"), list(parameters), key="whatif-set", width=420, placeholder=t("选参数"),
            format_func=lambda name: t.pick(parameters[name]["zh"], parameters[name]["en"]),
        )  # fmt: skip
        off = st.multiselect(
            t("停用哪些规则"), list(titles), key="whatif-off", width=300, placeholder=t("选规则"),
            format_func=lambda code: t.pick(*titles[code]),
        )  # fmt: skip
    sets = []
    if changed:
        with st.container(key="whatif-values", horizontal=True, vertical_alignment="bottom"):
            for name in changed:
                row = parameters[name]
                value = _new_value(view, row)
                if value:
                    sets.append((name, value))
        if any(parameters[name]["kind"] in ("list", "number", "") for name in changed):
            ui.note(t("几项用顿号隔开；停用写“停用”，没有上限写“无”。"))
    for broken in (text for text in kept.values() if isinstance(text, str)):
        ui.failure(t("有一个保存的方案读不懂：{why}", why=broken))
    return Scenario(pack=pack or "", sets=tuple(sets), off=tuple(off))


def _new_value(view: View, row: dict[str, Any]) -> str:
    """What the parameter becomes, "" as long as nothing is chosen: a word is chosen, a number or a list is written."""
    t, name = view.t, f"set-{row['name']}"
    label = t.aside(t.pick(row["zh"], row["en"]), t.pick(row["unit_zh"], row["unit_en"]))
    choices: list[str] = row["choices"] or (["是", "否"] if row["kind"] == "flag" else [])
    if choices:
        now = t("现为 {value}", value=parameter_words(row["shown"], row["unit_zh"], t))
        return st.selectbox(
            label, ["", *choices, "停用"], key=name, width=300, help=row["clause"],
            format_func=lambda value: parameter_words(value, row["unit_zh"], t) if value else now,
        )  # fmt: skip
    now = t("现为 {value}", value=t.value(row["shown"]))
    return st.text_input(label, key=name, width=300, placeholder=now, help=row["clause"]).strip()


def _shown(view: View, scenario: Scenario, parameters: dict[str, Any]) -> Scenario:
    """A kept scenario, said in words."""
    ui.note(view.t.named(scenario.why, whatif_more.told(view, scenario, parameters)))
    return scenario


# --- the figures


def _figures(view: View, scenario: Scenario, total: asking.Sums) -> None:
    t = view.t
    ui.tiles([
        ui.Tile(t("新进"), t.compact(total.come), t("户"), ui.said(t("有规则新命中")), exact=number(total.come)),
        ui.Tile(t("退出"), t.compact(total.go), t("户"), ui.said(t("有规则不再命中")), exact=number(total.go)),
        ui.Tile(t("类别变动"), t.compact(total.moved), t("户"), ui.said(t("低保、特困、边缘、刚性支出之间")), exact=number(total.moved)),
        ui.Tile(t("一年资金"), t.compact(int(total.yuan_after)), t("元"), ui.said(t("现为 {n} 元，相差 {more} 元", n=number(total.yuan_before), more=signed(total.yuan_more))), exact=number(total.yuan_after)),
        ui.Tile(t("金额增加／减少"), f"{t.compact(total.gain)}／{t.compact(total.lose)}", t("户"), ui.said(t("按符合条件的户计算"))),
    ])  # fmt: skip
    ui.note(
        t(
            "资金是全部符合条件的户（不论是否已在册）一年应得之和：低保按（标准 − 家庭月人均收入）× 人口 × 12，不低于 0，先求和再取整；"
            "特困按标准的倍数。收入不明的户不在内，另计为不明。"
        )
    )


def _rules(view: View, scenario: Scenario) -> None:
    t = view.t
    ui.heading(t("哪些规则的结果会变？"))
    rows = view.ask(asking.rules_moved, scenario).to_dicts()
    moving = [row for row in rows if row["come"] or row["go"] or row["unknown_before"] != row["unknown_after"]]
    if not moving:
        ui.empty(t("重新判断了 {n} 条规则，没有一户的结果改变。", n=len(rows)))
        return
    ui.table(moving, [
        Column(t("规则"), lambda row: f"{ui.said(t.pick(row['title_zh'], row['title_en']))} {ui.code(row['rule'])}"),
        Column(t("类别"), lambda row: ui.said(t(KIND_ZH.get(row["kind"], "政策"))), "w"),
        Column(t("现在命中"), lambda row: ui.count(row["hit_before"]), "n"),
        Column(t("测算命中"), lambda row: ui.count(row["hit_after"]) if row["on"] else ui.unknown(t("停用")), "n"),
        Column(t("新进"), lambda row: ui.count(row["come"]), "n"),
        Column(t("退出"), lambda row: ui.count(row["go"]), "n"),
        Column(t("不明（现在）"), lambda row: ui.unknown_count(row["unknown_before"], t), "n"),
        Column(t("不明（测算）"), lambda row: ui.unknown_count(row["unknown_after"], t), "n"),
    ], t("重新判断了 {n} 条规则，其余规则不受影响", n=len(rows)))  # fmt: skip


def _categories(view: View, scenario: Scenario) -> None:
    t = view.t
    ui.heading(t("谁从哪类到哪类？"), t("每户一个主要类别，按条件判断，不看是否在册"))
    rows = view.ask(asking.categories, scenario).to_dicts()
    ui.table(sorted(rows, key=lambda row: row["before"] == row["after"]), [
        Column(t("现在"), lambda row: ui.said(t(CATEGORY[row["before"]]))),
        Column(t("测算"), lambda row: ui.said(t(CATEGORY[row["after"]])) if row["after"] != row["before"] else f'<span class="bl-note">{ui.said(t("不变"))}</span>'),
        Column(t("户"), lambda row: ui.count(row["households"]), "n"),
        Column(t("人"), lambda row: ui.count(row["persons"]), "n"),
    ])  # fmt: skip


def _programmes(view: View, scenario: Scenario) -> None:
    t = view.t
    ui.heading(t("一年多少钱？"), t("元／年"))
    ui.table(view.ask(asking.programmes, scenario).to_dicts(), [
        Column(t("项目"), lambda row: ui.said(t(PROGRAMME[row["programme"]]))),
        Column(t("人（现在）"), lambda row: ui.count(row["persons_before"]), "n"),
        Column(t("人（测算）"), lambda row: ui.count(row["persons_after"]), "n"),
        Column(t("现在"), lambda row: ui.count(row["yuan_before"]), "n"),
        Column(t("测算"), lambda row: ui.count(row["yuan_after"]), "n"),
        Column(t("相差"), lambda row: ui.said(signed(row["yuan_more"])), "n"),
    ])  # fmt: skip


def _places(view: View, scenario: Scenario) -> None:
    t = view.t
    ui.heading(t("哪些乡镇多，哪些少？"), t("元／年"))
    rows = view.ask(asking.by_township, scenario).to_dicts()
    ui.table(rows, [
        Column(t("乡镇"), lambda row: ui.said(row["township"]) or ui.unknown(t("地点不明")), "w"),
        Column(t("新进"), lambda row: ui.count(row["come"]), "n"),
        Column(t("退出"), lambda row: ui.count(row["go"]), "n"),
        Column(t("低保（现在）"), lambda row: ui.count(row["yuan_before_dibao"]), "n"),
        Column(t("低保（测算）"), lambda row: ui.count(row["yuan_after_dibao"]), "n"),
        Column(t("特困（现在）"), lambda row: ui.count(row["yuan_before_tekun"]), "n"),
        Column(t("特困（测算）"), lambda row: ui.count(row["yuan_after_tekun"]), "n"),
        Column(t("相差"), lambda row: ui.said(signed(row["more"])), "n"),
    ])  # fmt: skip


# --- keeping it


def _keep(view: View, scenario: Scenario) -> None:
    t = view.t
    if st.session_state.get("scenario") not in (None, DRAFT):
        return
    with st.expander(t("保存这个方案，下个月再算")), st.form("whatif-keep", border=False):
        name = st.text_input(t("名称"), key="keep-name", placeholder=t("如 农村标准700"), max_chars=40)
        title = st.text_input(t("标题"), key="keep-title", max_chars=200)
        why = st.text_input(t("为什么测算"), key="keep-why", max_chars=200)
        pressed = st.form_submit_button(t("保存方案"), type="primary")
    if pressed:
        whole = Scenario(title.strip(), why.strip(), scenario.pack, scenario.sets, scenario.off, scenario.on)
        if view.act(service.keep, name, whole) is not None:
            ui.note(t("已保存。在上面“方案”里可以选它；下个月换了期，同一个方案会按新数据重新测算。"))
