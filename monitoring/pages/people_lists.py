"""Lists of households and persons behind a figure: who, where, why with its clause, what next, and who has the alert."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import streamlit as st

from monitoring import ui
from monitoring.alerts import beside
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.moves import STATUSES
from monitoring.labels import columns_of, feed_departments
from monitoring.language import number
from monitoring.queries import household
from monitoring.ui import Column, View

MOST = 3  # sentences shown of one household; the rest stands on its own page
Row = dict[str, Any]


def choose(view: View, key: str, label: str, options: dict[str, str], default: str) -> str:
    """One of a few choices, taken from the address and kept in it."""
    ui.recall(key, list(options))
    if st.session_state.get(key) not in options:
        st.session_state[key] = default
    chosen = st.segmented_control(
        label, list(options), key=key, required=True, wrap=True, label_visibility="collapsed",
        format_func=lambda one: view.t(options[one]),
    )  # fmt: skip
    ui.keep(key, chosen, default)
    return chosen or default


def listing(
    view: View,
    rows: Sequence[Row],
    total: int,
    turned: str,
    between: Sequence[Column],
    named: str = "户主",
    after: Sequence[Column] = (),
) -> None:
    """Fifty a page: who and where, the columns between, the household's open alert, the columns after."""
    t = view.t
    if not total:
        ui.empty(t("这里没有这样的户或人。"))
        return
    cards = alerts(view, rows)
    rows = [row | {"card": cards.get(row["household_key"])} for row in rows]
    ui.table(rows, [
        Column(t(named), lambda row: _who(view, row), "w"),
        Column(t("乡镇、村"), lambda row: ui.place(row, t)),
        *between,
        Column(t("预警办理"), lambda row: _alert(view, row["card"])),
        *after,
    ], t("共 {n}，每页 50", n=number(total)))  # fmt: skip
    ui.pager(total, turned, t)


def names(view: View, people: pl.DataFrame, total: int, subject: str, turned: str) -> None:
    """A list without reasons: of households their size, of persons their age."""
    t = view.t
    figure = {"household": t("人口"), "person": t("年龄"), "institution": t("入住人数")}[subject]
    listing(
        view, people.to_dicts(), total, turned,
        [
            Column(figure, lambda row: ui.count(row["figure"]) or ui.unknown(t("不明")), "n"),
            Column(t("户编号"), lambda row: ui.said(row["household_id"]), "w"),
        ],
        NAMED[subject],
    )  # fmt: skip


NAMED = {"household": "户主", "person": "姓名", "institution": "机构名称"}


def reason(view: View) -> Column:
    """The sentences of the signals, the most urgent first, with the codes of their rules."""
    return Column(view.t("原因"), lambda row: _told(view, row), "r")


def clause(view: View) -> Column:
    return Column(
        view.t("依据"), lambda row: f"<small>{'<br>'.join(ui.said(one) for one in row['clauses'] or ())}</small>"
    )


def next_step(view: View, says: Callable[[Row], str]) -> Column:
    """What is to be done (said by the row), by which department, until when."""
    t = view.t

    def cell(row: Row) -> str:
        who = t.listed(part for part in (t(row["department"] or ""), _until(view, row)) if part)
        return f"{ui.said(says(row))}<br><small>{ui.said(who)}</small>"

    return Column(t("下一步"), cell)


def missing(view: View, subject: str = "") -> list[Column]:
    """Which inputs have no value, and who is to deliver them; the rows name their subject where the list does not."""
    t = view.t

    def departments(row: Row) -> str:
        known = columns_of(subject or row["subject"])
        feeds = dict.fromkeys(feed for name in row["missing"] for feed in known[name].sources if name in known)
        named = dict.fromkeys(feed_departments()[feed] for feed in feeds)
        told = t.listed(t(name) for name in named)
        return ui.said(t("请 {departments} 补报，或入户核实", departments=told) if told else t("入户核实"))

    return [
        Column(t("缺的信息"), lambda row: ui.unknown(t.listed(ui.column_title(subject or row["subject"], name, t) for name in row["missing"]) or t("不明"))),
        Column(t("下一步"), departments),
    ]  # fmt: skip


def alerts(view: View, rows: Sequence[Row]) -> dict[int, AlertCard]:
    """The open alerts of the households of a list, by the household's key."""
    keys = tuple(sorted({row["household_key"] for row in rows if row["household_key"] is not None}))
    numbers = view.ask(household.numbers_of, keys) if keys else {}
    cards = view.read(beside.open_alerts_of, sorted(numbers.values())) if numbers else {}
    return {key: cards[of] for key, of in numbers.items() if of in cards}


def _who(view: View, row: Row) -> str:
    return ui.link(row["name"] or view.t("姓名不明"), view.household_link(row))


def _alert(view: View, card: AlertCard | None) -> str:
    """How far the open alert is and who has it; a link where the person works with alerts."""
    t = view.t
    if card is None:
        return ui.said(t("没有在办预警"))
    state = t.pick(*STATUSES[card.status])
    told = state if card.assignee_name is None else f"{state} · {card.assignee_name}"
    return ui.link(told, view.link("alerts", alert=card.id) if view.person.may("page.alerts") else None)


def _told(view: View, row: Row) -> str:
    t = view.t
    said = list(dict.fromkeys(zip(row["messages"] or (), row["messages_en"] or (), strict=True)))
    items = [f"<li>{ui.said(t.pick(*both))}</li>" for both in said[:MOST]]
    codes = " ".join(ui.code(one) for one in dict.fromkeys(row["rules"] or ()))
    if said[MOST:]:
        items.append(f"<li>{ui.said(t('另有 {n} 条，见户档案', n=len(said[MOST:])))}</li>")
    return f'<ul class="bl-told">{"".join(items)}</ul>{codes}' if items else ""


def _until(view: View, row: Row) -> str:
    """The limit of the household's open alert, as the queue has it; the run's own where there is none."""
    card = row.get("card")
    day = card.due_date if card is not None else row.get("due_date")
    return view.t("{day} 前", day=day.isoformat()) if day else ""
