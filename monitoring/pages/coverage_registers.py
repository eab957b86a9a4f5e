"""应保未保, the registers: every intersection with its list, and who stands in one register and not in another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.language import number
from monitoring.pages import people_lists
from monitoring.queries import registers as asked
from monitoring.ui import Column, View

BETWEEN = "."  # between the registers of a combination in the address
UNITS = {"person": "人", "household": "户"}


def registers(view: View) -> None:
    t = view.t
    absent = [t(asked.BY_KEY[key].title) for key in view.ask(asked.undelivered)]
    if absent:
        ui.note(t("未比对（从未提供台账）：{names}。不能说这些人不在其中。", names=t.listed(absent)))
    sets = tuple(key for key in st.query_params.get("sets", "").split(BETWEEN) if key in asked.BY_KEY)
    if sets:
        _one(view, sets)
    elif st.query_params.get("in") in asked.BY_KEY:
        _pair(view)
    else:
        _intersections(view)
        _differences(view)


def _intersections(view: View) -> None:
    """One row is a combination: a mark under each register that it is made of."""
    t = view.t
    ui.heading(t("谁在几个台账里？"), t("在世人员，每人只在一行；点人数、户数看名单"))
    rows = view.ask(asked.intersections).to_dicts()
    if not rows:
        ui.empty(t("所选范围内没有人在这些台账里。"))
        return
    top = max(row["persons"] for row in rows)
    ui.table(rows, [
        Column("", lambda row: ui.bar(row["persons"], top)),
        Column(t("人数"), lambda row: _count(view, row, "person"), "n"),
        Column(t("户数"), lambda row: _count(view, row, "household"), "n"),
        *(Column(t(register.title), _mark(register.key), "w") for register in asked.REGISTERS),
    ])  # fmt: skip


def _count(view: View, row: dict[str, Any], unit: str) -> str:
    told = number(row["persons" if unit == "person" else "households"])
    return ui.link(told, view.link("coverage", view="registers", sets=BETWEEN.join(row["registers"]), unit=unit))


def _mark(key: str) -> Callable[[dict[str, Any]], str]:
    return lambda row: "●" if key in row["registers"] else '<span class="bl-off">○</span>'


def _one(view: View, sets: tuple[str, ...]) -> None:
    """The list of one combination."""
    t = view.t
    ui.html(f"<p>{ui.link(t('← 全部台账'), view.link('coverage', view='registers'))}</p>")
    ui.heading(t("只在这些台账里：{names}", names=t.listed(t(asked.BY_KEY[key].title) for key in sets)))
    unit = people_lists.choose(view, "unit", t("单位"), UNITS, "person")
    turned = f"sets-{ui.mark(sets, unit, view.scope)}"
    people, total = view.ask(asked.intersection_list, sets, unit, ui.page_of(turned))
    people_lists.names(view, people, total, unit, turned)


def _differences(view: View) -> None:
    t = view.t
    found = view.ask(asked.compared)
    cells = {(row["first"], row["second"]): row for row in found.to_dicts()}
    ui.heading(t("在一个台账里、不在另一个里的人"), t("每格：在左边台账、不在上边台账的人数；点开有名单和为什么要看"))
    ui.table([{"first": register} for register in asked.REGISTERS], [
        Column(t("在"), lambda row: f"<b>{ui.said(t(row['first'].title))}</b>", "w"),
        Column(t("共"), lambda row: _apart(view, row["first"].key, row["first"].key, cells[row["first"].key, row["first"].key]["both"]), "n"),
        *(Column(t("不在 {title}", title=t(other.title)), _difference(view, cells, other.key), "n") for other in asked.REGISTERS),
    ])  # fmt: skip


def _difference(
    view: View, cells: dict[tuple[str, str], dict[str, Any]], second: str
) -> Callable[[dict[str, Any]], str]:
    """The cell of a register (row) that says how many of its people do not stand in the second one."""

    def cell(row: dict[str, Any]) -> str:
        first = row["first"].key
        return "—" if first == second else _apart(view, first, second, cells[first, second]["only_first"])

    return cell


def _apart(view: View, first: str, second: str, persons: int) -> str:
    if not persons:
        return '<span class="bl-zero">0</span>'
    address = view.link("coverage", view="registers", **{"in": first, "not-in": second})
    return ui.link(number(persons), address)


def _pair(view: View) -> None:
    """The list of who stands in one register and not in another (of one with itself: all of it), and why that matters."""
    t = view.t
    ui.html(f"<p>{ui.link(t('← 全部台账'), view.link('coverage', view='registers'))}</p>")
    keys = list(asked.BY_KEY)
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        chosen = []
        for key, label in (("in", t("在")), ("not-in", t("不在"))):
            ui.recall(key, keys)
            one = st.selectbox(label, keys, format_func=lambda key: t(asked.BY_KEY[key].title), key=key, width=260)
            ui.keep(key, one)
            chosen.append(one)
    first, second = chosen
    if first == second:
        ui.heading(t("名单：{title}", title=t(asked.BY_KEY[first].title)))
    else:
        names = {"first": t(asked.BY_KEY[first].title), "second": t(asked.BY_KEY[second].title)}
        ui.heading(t("在 {first}，不在 {second}", **names))
        ui.note(t(asked.why(first, second)))
    turned = f"register-{ui.mark(first, second, view.scope)}"
    people, total = view.ask(asked.difference, first, second, ui.page_of(turned))
    people_lists.names(view, people, total, "person", turned)
