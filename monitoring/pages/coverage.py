"""应保未保: every programme in every place, the registers as sets, and the four ways in which a warning is disposed of."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from monitoring import charts, ui
from monitoring.language import number
from monitoring.pages import coverage_registers, people_lists
from monitoring.pages.exits import proof_asked
from monitoring.queries import coverage, disposal
from monitoring.queries.programmes import BY_KEY
from monitoring.ui import Column, View

VIEWS = {"programmes": "各项救助", "registers": "台账比对", "ways": "处置方式"}
STATES = {"eligible": "应覆盖", "covered": "已覆盖", "gap": "缺口", "unknown": "不明", "over": "待复核"}
UNKNOWN_PLACE = "不明"


def page(view: View) -> None:
    t = view.t
    ui.title(t("应保未保"), t("应覆盖 = 已覆盖 + 缺口；不明的另列，不算已覆盖；待复核的仍在享受，核实前待遇照发"))
    shown = people_lists.choose(view, "view", t("看什么"), VIEWS, "programmes")
    if shown == "registers":
        coverage_registers.registers(view)
    elif shown == "ways":
        _ways(view)
    elif st.query_params.get("state") in STATES:
        _one(view)
    else:
        _programmes(view)


# --- all programmes


def _programmes(view: View) -> None:
    t = view.t
    found = view.ask(coverage.coverage)
    left, right = st.columns([1.7, 1], gap="medium")
    with left:
        none_before = found["covered_before"].null_count() == found.height
        ui.heading(t("哪些救助还有缺口？"), t("数字都能点开；上期没有可比的数字") if none_before else t("数字都能点开"))
        ui.table(found.to_dicts(), [
            Column(t("项目"), lambda row: f"{ui.said(t(row['title']))} <small>{ui.said(t(row['unit']))}</small>"),
            Column(t("应覆盖"), lambda row: _cell(view, row, "eligible"), "n"),
            Column(t("已覆盖"), lambda row: _cell(view, row, "covered"), "n"),
            Column(t("较上期"), lambda row: ui.change(row["covered"], row["covered_before"], t, worse=False), "n"),
            Column(t("缺口"), lambda row: _cell(view, row, "gap"), "n"),
            Column(t("较上期"), lambda row: ui.change(row["gap"], row["gap_before"], t), "n"),
            Column(t("不明"), lambda row: _cell(view, row, "unknown"), "n"),
            Column(t("待复核"), lambda row: _cell(view, row, "over"), "n"),
            Column(t("覆盖率"), lambda row: _rate(view, row), "n"),
        ])  # fmt: skip
    with right:
        ui.heading(t("已覆盖、缺口、不明各占多少？"))
        ui.chart(charts.plot_coverage(found.filter(pl.col("judged")), t), "coverage", t("各项救助的覆盖、缺口、不明"))
    _matrix(view, found)


def _cell(view: View, row: dict[str, Any], state: str, **place: str | None) -> str:
    """One figure, a link to its list. What no rule looks for is said; so is what a rule that is off leaves open."""
    t, value = view.t, row[state]
    if not row.get("judged", True) and state != "covered":
        return ui.unknown(t("规则未启用")) if state == "eligible" else ""
    if value is None:
        return f'<span class="bl-zero" title="{ui.said(t("没有核查这一项的规则"))}">—</span>'
    if not value:
        return '<span class="bl-zero">0</span>'
    told = f"? {number(value)}" if state == "unknown" else number(value)
    shown = ui.link(told, view.link("coverage", programme=row["key"], state=state, **place))
    return f'<span class="bl-unknown">{shown}</span>' if state == "unknown" else shown


def _rate(view: View, row: dict[str, Any]) -> str:
    """The share covered with its denominator."""
    if not row.get("judged", True):
        return ""
    shown = ui.rate(row["covered"], row["eligible"], row["unknown"], view.t)
    of = f" <small>{number(row['covered'])}／{number(row['eligible'])}</small>" if row["eligible"] else ""
    return f"{shown}{of}"


def _matrix(view: View, found: pl.DataFrame) -> None:
    t = view.t
    ui.heading(t("哪里？项目 × 地点"), t("— 没有核查这一项的规则"))
    measure = people_lists.choose(view, "measure", t("看哪个数"), {**STATES, "rate": "覆盖率"}, "gap")
    cells = {(row["key"], row["place"]): row for row in view.ask(coverage.matrix).to_dicts()}
    places = sorted({place for _, place in cells}, key=lambda place: (place is None, place or ""))
    rows = [row for row in found.to_dicts() if row["judged"]]
    ui.table(rows, [
        Column(t("项目"), lambda row: ui.said(t(row["title"]))),
        *(Column(t.place(place), _of_place(view, cells, place, measure), "v") for place in places),
    ])  # fmt: skip


def _of_place(view: View, cells: dict[tuple[str, Any], dict[str, Any]], place: str | None, measure: str) -> Any:
    column = coverage.place_column(view.scope)

    def cell(row: dict[str, Any]) -> str:
        none = {state: None if state == "over" and row["over"] is None else 0 for state in STATES}
        found = cells.get((row["key"], place), {"key": row["key"], **none})
        if measure == "rate":
            if not found["eligible"] and not found["unknown"]:
                return '<span class="bl-zero">·</span>'
            return ui.rate(found["covered"], found["eligible"], found["unknown"], view.t)
        return _cell(view, found, measure, **{column: place or UNKNOWN_PLACE})

    return cell


# --- one programme, one figure: its list


def _one(view: View) -> None:
    t = view.t
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        ui.recall("programme", list(BY_KEY))
        key = st.selectbox(
            t("看哪一项"), list(BY_KEY), format_func=lambda key: t(BY_KEY[key].title), key="programme", width=340
        )
        ui.keep("programme", key)
        state = people_lists.choose(view, "state", t("名单"), STATES, "")
    programme = BY_KEY[key]
    ui.html(f"<p>{ui.link(t('← 全部项目'), view.link('coverage'))}</p>")
    ui.heading(t("名单：{title} · {state}", title=t(programme.title), state=t(STATES[state])))
    turned = f"programme-{ui.mark(key, state, view.scope)}"
    people, total = view.ask(coverage.programme_list, key, state, ui.page_of(turned))
    named = people_lists.NAMED[programme.subject]
    if state == "over" and not programme.checked:
        ui.empty(t("没有核查这一项的规则，不能说没有人待复核。"))
    elif state == "gap":
        says = t(disposal.BY_WAY[disposal.way_of(programme.rule)].next)
        columns = [people_lists.reason(view), people_lists.clause(view), people_lists.next_step(view, lambda _: says)]
        people_lists.listing(view, people.to_dicts(), total, turned, columns, named)
    elif state == "over":
        columns = [
            people_lists.reason(view),
            people_lists.clause(view),
            people_lists.next_step(view, lambda row: proof_asked(view, row["rules"][0])),
        ]
        people_lists.listing(view, people.to_dicts(), total, turned, columns, named)
    elif state == "unknown":
        people_lists.listing(
            view, people.to_dicts(), total, turned, people_lists.missing(view, programme.subject), named
        )
    else:
        people_lists.names(view, people, total, programme.subject, turned)
    _places(view, key)


def _places(view: View, key: str) -> None:
    t, programme = view.t, BY_KEY[key]
    column = coverage.place_column(view.scope)
    ui.heading(t("哪里缺得多？"), t("单位：{unit}", unit=t(programme.unit)))
    rows = [
        {"key": key, "unit": programme.unit, **row} for row in view.ask(coverage.programme_by_place, key).to_dicts()
    ]

    def figure(state: str) -> Column:
        return Column(
            t(STATES[state]), lambda row: _cell(view, row, state, **{column: row["place"] or UNKNOWN_PLACE}), "n"
        )

    ui.table(rows, [
        Column(t("地点"), lambda row: ui.said(row["place"]) or ui.unknown(t("地点不明")), "w"),
        *(figure(state) for state in STATES),
        Column(t("覆盖率"), lambda row: _rate(view, row), "n"),
    ])  # fmt: skip


# --- the four ways


def _ways(view: View) -> None:
    t = view.t
    found = view.ask(disposal.ways).to_dicts()
    ui.heading(
        t("这些预警怎么处置？"),
        t("国办发〔2023〕39号的四种处置方式；每户（件）只归一种，先复杂、再纳入、再落实、后核实"),
    )
    ui.table(found, [
        Column(t("处置方式"), lambda row: ui.said(t(disposal.BY_WAY[row["way"]].title))),
        Column(t("户（件）"), lambda row: _way_count(view, row, "alerts"), "n"),
        Column(t("其中 ▲ 红"), lambda row: _way_count(view, row, "red"), "n"),
        Column(t("下一步"), lambda row: ui.said(t(disposal.BY_WAY[row["way"]].next))),
    ])  # fmt: skip
    way = people_lists.choose(view, "way", t("处置方式"), {one.key: one.title for one in disposal.WAYS}, "admit")
    level = "red" if st.query_params.get("level") == "red" else None
    if level:
        ui.html(f"<p>{ui.link(t('← 全部级别'), view.link('coverage', view='ways', way=way))}</p>")
    turned = f"way-{ui.mark(way, level, view.scope)}"
    people, total = view.ask(disposal.way_list, way, level, ui.page_of(turned))
    says = t(disposal.BY_WAY[way].next)
    people_lists.listing(
        view, people.to_dicts(), total, turned,
        [
            Column(t("级别"), lambda row: ui.level(row["level"], t), "w"), people_lists.reason(view), people_lists.clause(view),
            people_lists.next_step(view, lambda _: says),
        ],
        "户主或对象",
    )  # fmt: skip


def _way_count(view: View, row: dict[str, Any], figure: str) -> str:
    if not row[figure]:
        return '<span class="bl-zero">0</span>'
    only = "red" if figure == "red" else None
    return ui.link(number(row[figure]), view.link("coverage", view="ways", way=row["way"], level=only))
