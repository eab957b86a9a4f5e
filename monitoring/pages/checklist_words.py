"""The words of the checklist's parts: states, and why a household stands in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from monitoring import ui
from monitoring.alerts.outcomes import MEASURES
from monitoring.language import Language

STATES = {
    "open": "正在办理",
    "helped": "已帮扶",
    "visited": "走访核清",
    "cleared": "数据核清",
    "nobody": "无人担保",
}
STATE_NOTES = {
    "open": "有预警、申请或线索没办完",
    "helped": "在持续救助的台账内",
    "visited": "按期有人上门看过",
    "cleared": "各项数据新、规则全判明",
    "nobody": "没有人、也没有数据能证明",
}


def why(row: dict[str, Any], unjudged: Sequence[dict[str, Any]], t: Language) -> list[str]:
    """What a household's state rests on, in the interface's words; `unjudged` are the rules that could not judge it."""
    if row["state"] == "open":
        return _open(row, t)
    if row["state"] == "helped":
        recorded = [t.pick(*MEASURES[kind]) for kind in (row["help_kinds"] or "").split() if kind in MEASURES]
        return [t.listed([*(t(name) for name in row["help"].split("、") if name), *recorded])]
    if row["state"] == "visited":
        return [t("{day} {who} 入户", day=t.value(row["seen_date"]), who=row["seen_by"] or t("走访人不明"))]
    if row["state"] == "cleared":
        return [t("各项规则都判明没有困难，所用数据都没有过期")]
    return _nobody(row, unjudged, t)


def _open(row: dict[str, Any], t: Language) -> list[str]:
    told = []
    if row["alerts"]:
        due = t("，{day} 到期", day=t.value(row["due"])) if row["due"] else ""
        told.append(t("{n} 件预警未办完{due}", n=row["alerts"], due=due))
    if row["open_request"]:
        told.append(t("有申请或线索未办结"))
    return told or [t("{n} 条信号还没有生成预警", n=row["signals"])]


def _nobody(row: dict[str, Any], unjudged: Sequence[dict[str, Any]], t: Language) -> list[str]:
    told = []
    if row["late"]:
        known = "数据没有到或已过期：{feeds}" if row["township"] else "地点不明，说不准这些数据报来没有：{feeds}"
        told.append(t(known, feeds=t.listed(ui.feed(name, t) for name in row["late"])))
    if row["help_late"]:
        told.append(t("台账上有{help}，但台账已过期", help=t.listed(t(name) for name in row["help_late"].split("、"))))
    if row["blind_rules"]:
        missing = dict.fromkeys((rule["subject"], column) for rule in unjudged for column in rule["missing"])
        lacking = t.listed(ui.column_title(subject, column, t) for subject, column in missing)
        rules = t.listed(t.pick(rule["title_zh"], rule["title_en"]) for rule in unjudged)
        told.append(
            t("缺{what}，不能判断：{rules}", what=lacking, rules=rules)
            if lacking
            else t("不能判断：{rules}", rules=rules)
        )
    if row["needs"]:
        told.append(t("有困难的信号仍在，办结后没有见到人的走访"))
    told.append(
        t("近期没有人上门") if row["seen_date"] is None else t("最近一次上门是 {day}", day=t.value(row["seen_date"]))
    )
    return told


def state(name: str, t: Language) -> str:
    """A state as a mark: told apart by its word; "nobody" stands out."""
    return ui.unknown(f"✗ {t(STATES[name])}") if name == "nobody" else ui.said(t(STATES[name]))


def signed_line(told: Sequence[str], t: Language) -> str:
    """A household's signed line (`monitoring.vouching.standing`): its state, and what it rested on, so that two lines of one
    state are told apart."""
    rests = _RESTS[told[0]](told[1].split(" "), t) if len(told) > 1 and told[1] else []
    name = t(STATES[told[0]])
    return t.aside(name, t.listed(rests)) if rests else name


def _signed_open(told: list[str], t: Language) -> list[str]:
    parts = []
    if told[0][:1].isdigit():
        parts.append(t("预警 {ids}", ids=told[0].replace(",", t("、"))))
    if "request" in told:
        parts.append(t("有申请或线索未办结"))
    if "signals" in told:
        parts.append(t("{n} 条信号还没有生成预警", n=_after(told, "signals")))
    return parts


def _signed_help(told: list[str], t: Language) -> list[str]:
    names = [name for part in told for name in part.split("、")]
    return [t.pick(*MEASURES[name]) if name in MEASURES else t(name) for name in names]


def _signed_nobody(told: list[str], t: Language) -> list[str]:
    parts = [t("{n} 条规则不能判断", n=_after(told, "rules"))]
    if "late" in told:
        late = t.listed(ui.feed(name, t) for name in _after(told, "late").split(","))
        parts.append(t("数据没有到或已过期：{feeds}", feeds=late))
    if _after(told, "hits") != "0":
        parts.append(t("{n} 条困难信号", n=_after(told, "hits")))
    return parts


def _after(told: list[str], word: str) -> str:
    return told[told.index(word) + 1]


_RESTS: dict[str, Callable[[list[str], Language], list[str]]] = {
    "open": _signed_open, "helped": _signed_help, "visited": lambda told, _: [" ".join(told)], "cleared": lambda told, _: [],
    "nobody": _signed_nobody,
}  # fmt: skip
