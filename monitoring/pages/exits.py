"""退出复核: what is to be verified and by which proof, gradual exits with their end, and who left (`exits_left`).

Every hit asks for a check; nothing here stops a payment, and the words say so.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import streamlit as st

from monitoring import charts, ui
from monitoring.alerts import beside
from monitoring.alerts.beside import Result
from monitoring.alerts.outcomes import OUTCOMES
from monitoring.alerts.outcomes import WENT_TO as DECIDED_FOR
from monitoring.labels import parameter_words
from monitoring.language import number
from monitoring.pages import exits_left, people_lists
from monitoring.queries import exits, verdicts
from monitoring.queries.exits import BY_PROOF, GRADUAL, PROOF_OF
from monitoring.ui import Column, View

VIEWS = {"hits": "比对线索", "gradual": "渐退期", "ended": "退出后去向", "vanished": "无终止日期消失"}
NOT_BEGUN = "none"  # in the address: gradual exits that are due and have not begun
_KEYS = ("household_key", "person_id", "household_id", "alive")


def page(view: View) -> None:
    t = view.t
    ui.title(t("退出复核"), t("线索只要求核实；核实清楚、由人作出决定之前，待遇照发"))
    shown = people_lists.choose(view, "view", t("看什么"), VIEWS, "hits")
    if st.query_params.get("unknown") in (*BY_PROOF, *PROOF_OF):
        _unknown(view, st.query_params["unknown"])
    elif shown == "gradual":
        _gradual(view)
    elif shown == "ended":
        exits_left.ended(view)
    elif shown == "vanished":
        exits_left.vanished_rows(view)
    else:
        _hits(view)


# --- matching hits by the proof that settles them


def _hits(view: View) -> None:
    t = view.t
    found = view.ask(exits.hits).to_dicts()
    results: dict[str, list[Result]] = defaultdict(list)
    for result in view.read(beside.results_by, PROOF_OF, view.scope):
        results[result.group].append(result)
    ui.heading(t("要什么证明？"), t("同一户的线索要不同证明的，各列一次；结果是历次核实登记的，按户（件）计"))
    ui.table(found, [
        Column(t("需要的证明"), lambda row: ui.said(t(BY_PROOF[row["proof"]].title)), "w"),
        Column(t("线索"), lambda row: _link(view, row["signals"], view="hits", proof=row["proof"]), "n"),
        Column(t("不明"), lambda row: _not_known(view, row), "n"),
        Column(t("怎样算核清"), lambda row: f'<span class="bl-note">{ui.said(t(BY_PROOF[row["proof"]].settles))}</span>'),
        Column(t("核实结果"), lambda row: _results(view, results[row["proof"]])),
    ])  # fmt: skip
    first = next((row["proof"] for row in found if row["signals"]), found[0]["proof"])
    proof = people_lists.choose(
        view, "proof", t("需要的证明"), {key: one.title for key, one in BY_PROOF.items()}, first
    )
    ui.note(t(BY_PROOF[proof].settles))
    turned = f"proof-{ui.mark(proof, view.scope)}"
    rows, total = view.ask(exits.hit_list, proof, ui.page_of(turned))
    rows = [
        {**row, "messages": [row["message"]], "messages_en": [row["message_en"]], "rules": [row["rule"]], "clauses": [row["clause"]]}
        for row in rows
    ]  # fmt: skip
    columns = [
        Column(t("级别"), lambda row: ui.level(row["level"], t), "w"), people_lists.reason(view),
        Column(t("看到的数值"), lambda row: _evidence(view, row)), people_lists.clause(view),
        people_lists.next_step(view, lambda row: proof_asked(view, row["rule"])),
    ]  # fmt: skip
    people_lists.listing(view, rows, total, turned, columns, "户主或本人")


def proof_asked(view: View, rule: str) -> str:
    """What is to be asked for, of a hit of one rule."""
    t = view.t
    return t("核实，请其提供或向部门查证：{proof}", proof=t(BY_PROOF[PROOF_OF[rule]].title))


def _not_known(view: View, row: dict[str, Any]) -> str:
    """How many outcomes of the proof's rules are unknown."""
    if not row["unknown"]:
        return '<span class="bl-zero">0</span>'
    told = ui.link(f"? {number(row['unknown'])}", view.link("exits", unknown=row["proof"]))
    return f'<span class="bl-unknown">{told}</span>'


def _unknown(view: View, of: str) -> None:
    """Whom the rules of one proof, or one rule, could not judge."""
    t = view.t
    rules = BY_PROOF[of].rules if of in BY_PROOF else (of,)
    ui.html(f"<p>{ui.link(t('← 全部'), view.link('exits'))}</p>")
    ui.heading(t("不能判断的户和人"), t("缺信息的既不算符合，也不算不符合；每条规则各列一行"))
    turned = f"unknown-{ui.mark(of, view.scope)}"
    people, total = view.ask(exits.unknown_list, rules, ui.page_of(turned))
    columns = [
        Column(t("不能判断的事"), lambda row: f"{ui.said(t.pick(row['title_zh'], row['title_en']))} {ui.code(row['rule'])}"),
        *people_lists.missing(view),
    ]  # fmt: skip
    people_lists.listing(view, people.to_dicts(), total, turned, columns, "户主或本人")


def _link(view: View, figure: int, /, **params: str) -> str:
    if not figure:
        return '<span class="bl-zero">0</span>'
    return ui.link(number(figure), view.link("exits", **params))


def _results(view: View, results: list[Result]) -> str:
    """What was decided, how often; what is still open; what ended households went to."""
    t = view.t
    decided: dict[str, int] = defaultdict(int)
    still = sum(one.alerts for one in results if one.outcome is None)
    for one in results:
        if one.outcome is not None:
            went = f"{one.outcome} {one.went_to}" if one.went_to else one.outcome
            decided[went] += one.alerts
    told = [f"{_outcome(view, went)} {number(alerts)}" for went, alerts in sorted(decided.items())]
    if still:
        told.append(t("尚未核实 {n}", n=number(still)))
    return f"<small>{ui.said(t.clauses(told) if told else t('还没有登记结果'))}</small>"


def _outcome(view: View, decided: str) -> str:
    t = view.t
    code, _, went = decided.partition(" ")
    name = t.pick(OUTCOMES[code].zh, OUTCOMES[code].en)
    return t.aside(name, t.pick(*DECIDED_FOR[went])) if went in DECIDED_FOR else name


def _evidence(view: View, row: dict[str, Any]) -> str:
    """The values that the rule read, and its lines."""
    t = view.t
    known = view.ask_county(verdicts.parameters_in_force)
    told = []
    for name, value in row["evidence"].items():
        if name.startswith("$"):
            parameter = known.get(name[1:].replace(".", "_"))
            title = t.pick(parameter.meaning_zh, parameter.meaning_en) if parameter else t("参数")
            told.append(t.named(title, parameter_words(value, parameter.unit if parameter else "", t)))
        elif name not in _KEYS and value is not None and not isinstance(value, bool):
            told.append(
                t.named(ui.column_title(row["subject"], name, t), ui.column_value(row["subject"], name, value, t))
            )
    return f"<small>{'<br>'.join(ui.said(one) for one in told)}</small>"


# --- gradual exits


def _gradual(view: View) -> None:
    t = view.t
    found = view.ask(exits.gradual).to_dicts()
    not_known = view.ask(exits.gradual_unknown)
    if not_known:
        told = t("另有 {n} 户低保户收入不明，不能判断是否应进入渐退期。", n=number(not_known))
        ui.html(f'<p class="bl-note">{ui.link(told, view.link("exits", unknown="EXIT-GRADUAL"))}</p>')
    if not found:
        ui.empty(t("所选范围内没有渐退期内的户，也没有应进入渐退期的户。"))
        return
    months = list(dict.fromkeys(row["month"] for row in found))
    cells = {(row["month"], row["state"]): row["households"] for row in found}
    left, right = st.columns([1.15, 1], gap="medium")
    with left:
        ui.heading(t("哪个月有几户渐退期满？"), t("数据截至 {day}", day=view.county.as_of.isoformat()))
        ui.table([{"month": month} for month in months], [
            Column(t("期满月份"), lambda row: ui.said(t.month(row["month"]) if row["month"] else t("尚未开始")), "w"),
            *(Column(t(name), _of_month(view, cells, state), "n") for state, name in GRADUAL.items()),
        ])  # fmt: skip
    with right:
        ui.heading(t("渐退期满的月历"))
        dated = [row for row in found if row["month"]]
        if dated:
            ui.chart(charts.plot_gradual(dated, GRADUAL, t), "gradual", t("各月渐退期满的户数"))
        else:
            ui.empty(t("还没有已开始的渐退期。"))
    _gradual_list(view)


def _of_month(view: View, cells: dict[tuple[str | None, str], int], state: str) -> Any:
    return lambda row: _link(
        view, cells.get((row["month"], state), 0), view="gradual", month=row["month"] or NOT_BEGUN, exit=state
    )


def _gradual_list(view: View) -> None:
    t = view.t
    month, state = st.query_params.get("month"), st.query_params.get("exit")
    state = state if state in GRADUAL else None
    if month is None and state is None:
        ui.heading(t("名单：全部，先到期的在前"))
    else:
        when = t("尚未开始") if month == NOT_BEGUN else t.month(month) if month else t("全部月份")
        what = t(GRADUAL[state]) if state else t("全部状态")
        ui.heading(t("名单：{title} · {state}", title=when, state=what))
        ui.html(f"<p>{ui.link(t('← 全部'), view.link('exits', view='gradual'))}</p>")
    turned = f"gradual-{ui.mark(month, state, view.scope)}"
    asked = "" if month == NOT_BEGUN else month
    people, total = view.ask(exits.gradual_list, asked, state, ui.page_of(turned))
    people_lists.listing(
        view, people.to_dicts(), total, turned,
        [
            Column(t("状态"), lambda row: ui.unknown(t(GRADUAL[row["state"]])) if row["state"] == "unknown" else ui.said(t(GRADUAL[row["state"]]))),
            Column(t("渐退起始"), lambda row: ui.said(row["began"]) or ui.said(t("尚未开始")), "w"),
            Column(t("渐退期满"), lambda row: ui.said(row["ends"]), "w"),
            Column(t("月人均收入"), lambda row: ui.said(t.money(row["income_pc"])) if row["income_pc"] is not None else ui.unknown(t("不明")), "n"),
            Column(t("低保标准"), lambda row: ui.said(t.money(row["standard"])), "n"),
            Column(t("原因"), lambda row: ui.said(t.pick(row["message"], row["message_en"])) or ui.said(t("渐退期内，期满前核实收入"))),
        ],
    )  # fmt: skip
