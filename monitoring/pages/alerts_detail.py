"""The alert that is open: why it is here, why it comes first, whom it is about, what was done, and what can be done now."""

from __future__ import annotations

from typing import Any

import streamlit as st

from monitoring import ui
from monitoring.alerts import queue
from monitoring.alerts.cards import AlertCard
from monitoring.alerts.clue_effects import CHANNELS
from monitoring.alerts.clue_list import REPEAT_DAYS, ClueRow, clues_of
from monitoring.alerts.moves import STATUSES
from monitoring.alerts.outcomes import OUTCOMES
from monitoring.alerts.points import WORDS
from monitoring.alerts.queue import AlertSignal, Wanted
from monitoring.labels import KIND_ZH, LEVEL_MARK, LEVEL_ZH
from monitoring.language import number
from monitoring.pages import alerts_forms, alerts_queue, alerts_work
from monitoring.pages.household import facts
from monitoring.pages.household_timeline import events
from monitoring.pages.household_visits import visits
from monitoring.pages.signal_cards import OPEN, limits, signal_card
from monitoring.queries import alerts, household, links
from monitoring.queries.alerts import Signal
from monitoring.ui import View

UNDECIDED = "DQ-LINK"
HOLDS = ("standing", "shown", "settled")


@st.fragment
def detail(view: View, alert_id: int, tab: str, wanted: Wanted) -> None:
    """`view` with all that the person may see: an alert may lie outside the place that was picked. What is chosen in it draws it
    anew by itself; a step that was taken draws the whole page."""
    t = view.t
    alerts_work.whole_page_if_told()
    card = view.read(queue.open_alert, alert_id)
    if alerts_work.changed_meanwhile(card):
        ui.banner(t("这条预警在您查看期间有了变化，下面是最新情况；没有保存的内容请核对后再填。"))
    signals = view.read(queue.signals, alert_id)
    _head(view, card)
    _why(view, card, signals)
    key = view.ask(household.find, card.household_id) if card.household_id else None
    titles = [t("处理"), t("数值和出处"), t("这户人"), t("经过")]
    doing, *others = st.tabs(titles, key=f"about-{alert_id}", on_change="rerun")
    if doing.open:
        with doing:
            alerts_forms.process(view, card, tab, wanted)
    for one, fill in zip(others, (_evidence, _household, _course), strict=True):
        if one.open:
            with one:
                fill(view, card, signals, key)


def _head(view: View, card: AlertCard) -> None:
    t = view.t
    status = t.pick(*STATUSES[card.status])
    holder = card.assignee_name or t("无人承办")
    late = ' class="bl-late"' if card.escalation else ""
    due = t("{day}（{distance}）", day=card.due_date or "", distance=alerts_queue.due(view, card))
    links = []
    if card.household_id:
        found = view.ask(household.find, card.household_id)
        address = view.household_link({"household_id": card.household, "household_key": found})
        links.append(ui.link(t("打开户档案"), address) if address else ui.said(t("这户人不在本期台账里")))
    if view.person.may("sheet.print"):
        links.append(f'<a href="/sheet/{card.id}" target="_blank" rel="noopener">{ui.said(t("打印走访单"))}</a>')
    marks = "".join(f'<span class="bl-pill">{ui.said(mark)}</span>' for mark in _marks(view, card))
    ui.html(
        f'<div class="bl-facts bl-open">{ui.level(card.level, t)}<b>{ui.said(alerts_queue.name(view, card))}</b>'
        f"<span>{ui.said(alerts_queue.place(view, card))}</span>{marks}</div>"
        f'<div class="bl-facts"><span class="bl-pill">{ui.said(status)}</span><span>{ui.said(holder)}</span>'
        f"<span{late}>{ui.said(due if card.due_date else alerts_queue.due(view, card))}</span>{''.join(links)}</div>"
    )


def _marks(view: View, card: AlertCard) -> list[str]:
    t = view.t
    marks = [t("急难：3 个工作日内办结")] if card.emergency else []
    if card.outcome:
        outcome = OUTCOMES[card.outcome]
        marks.append(t("结论：{outcome}", outcome=t.pick(outcome.zh, outcome.en)))
    return marks


def _why(view: View, card: AlertCard, signals: list[AlertSignal]) -> None:
    t = view.t
    holding = [signal for signal in signals if signal.state in HOLDS]
    items = [_reason(view, signal) for signal in holding]
    if card.origin == "clue" or any(part == "clue" for part, _, _ in card.why):
        items = [_heard(view, clue) for clue in view.read(clues_of, card.id) if clue.concluded_on is None] + items
    said = "".join(items) or f"<li>{ui.said(t.pick(card.headline, card.headline_en))}</li>"
    ui.html(f'<ul class="bl-why">{said}</ul>')
    _undecided(view, card)
    if card.offers_closing and card.closed_at is None:
        ui.banner(t("触发的情形已经消除。请核对后办结；系统不会自动关闭。"))
    elif not card.raises_work and card.closed_at is None:
        ui.note(t("整户已在全额保障内，这里只作提示，不要求走访。"))


def _undecided(view: View, card: AlertCard) -> None:
    """Of an alert that asks whose a row is: where the row stands, and the way to who decides it."""
    t = view.t
    if UNDECIDED not in card.rules or not view.ask_county(links.ready):
        return
    items = []
    for row in view.ask(links.rows_of_alert, card.subject_key):
        told = t.clauses(part for part in (ui.feed(row["feed"], t), ui.origin(row, t), t(row["reason"] or "")) if part)
        way = (
            ui.link(t("去对人复核作决定"), view.link("links", item=row["key"]))
            if view.person.may("page.links")
            else ui.said(t("由县级工作人员在“对人复核”里决定"))
        )
        items.append(f"<li>{ui.said(told)} {way}</li>")
    if items:
        ui.html(f'<div class="bl-note">{ui.said(t("要决定的行"))}</div><ul class="bl-parts">{"".join(items)}</ul>')
    else:
        ui.note(t("本期已没有这一行：已经有人决定，或数据已更正。"))


def _reason(view: View, signal: AlertSignal) -> str:
    """One signal in a sentence, with its clause and who answers for it."""
    t = view.t
    base = t("依据 {clause}，{department}", clause=signal.clause, department=t(signal.department))
    return (
        f"<li>{ui.level(signal.level, t)} {ui.said(t.pick(signal.message, signal.message_en))} "
        f'<span class="bl-note">{ui.said(base)}</span> {ui.code(signal.rule)}</li>'
    )


def _heard(view: View, clue: ClueRow) -> str:
    """A clue that waits for its answer."""
    t, channel = view.t, CHANNELS[clue.channel]
    when = t("{day}，{days} 天内第 {n} 次反映", day=clue.received_on, days=REPEAT_DAYS, n=clue.calls)
    way = ui.link(t("去办结线索"), view.link("clues")) if view.person.may("page.clues") else ""
    return (
        f'<li><span class="bl-pill">{ui.said(t("线索"))}</span> {ui.said(t.pick(channel.zh, channel.en))}{ui.said(t("："))}{ui.said(clue.text)} '
        f'<span class="bl-note">{ui.said(when)}</span> {way}</li>'
    )


def _points(view: View, card: AlertCard) -> str:
    """What the order is made of; each day of waiting counts one more."""
    t = view.t
    parts = [t(WORDS[part], points=points, value=_value(view, part, value)) for part, points, value in card.why]
    if card.closed_at is None:
        parts.append(t("此外每等一天加 1 分"))
    return t.clauses(parts)


def _value(view: View, part: str, value: Any) -> str:
    t = view.t
    if part == "level":
        return f"{LEVEL_MARK[value]} {t(LEVEL_ZH[value])}"
    if part == "kind":
        return t.listed(t(KIND_ZH.get(kind, "政策")) for kind in str(value).split())
    return "" if isinstance(value, bool) else number(value)


def _evidence(view: View, card: AlertCard, signals: list[AlertSignal], key: int | None) -> None:
    t = view.t
    ui.html(
        f'<p class="bl-note">{ui.said(t("为什么排在这里"))}{ui.said(t("："))}{ui.said(t("{n} 分", n=card.points))}　{ui.said(_points(view, card))}</p>'
    )
    origins = view.ask(household.origins, key) if key is not None else None
    states = {(signal.rule, signal.message): signal.state for signal in signals}
    told = limits(view, _signals(view, signals, key), card, signals)
    for signal in sorted(told, key=lambda one: HOLDS.index(states.get((one.rule, one.message), HOLDS[-1]))):
        state = states.get((signal.rule, signal.message), "")
        mark = t(STATE_WORDS[state]) if state in STATE_WORDS else ""
        signal_card(view, signal, origins, mark, state == "standing" and card.status in OPEN)
    gone = [signal for signal in signals if signal.state == "gone"]
    if gone:
        items = "".join(
            f"<li>{ui.said(t.pick(one.message, one.message_en))} <span class='bl-note'>{ui.said(t('{month}起不再成立', month=t.month(one.gone_period or one.last_period)))}</span></li>"
            for one in gone
        )
        ui.html(f'<div class="bl-note">{ui.said(t("已经消除的"))}</div><ul class="bl-parts">{items}</ul>')


STATE_WORDS = {"shown": "只作提示", "settled": "已办过，暂不再提示"}


def _signals(view: View, signals: list[AlertSignal], key: int | None) -> list[Signal]:
    """The run's own signals with their persons, where they are those of the alert; else as the store keeps them: a past
    period may be shown, or a run that is not taken in yet."""
    found = view.ask(alerts.signals_of, key) if key is not None else []
    holding = {(signal.rule, signal.message) for signal in signals if signal.state in HOLDS}
    if holding and holding <= {(signal.rule, signal.message) for signal in found}:
        return list(found)
    rules = view.ask_county(alerts.rules)
    return [_kept(signal, rules) for signal in signals if signal.state in HOLDS and signal.rule in rules]


def _kept(signal: AlertSignal, rules: dict[str, dict[str, Any]]) -> Signal:
    rule, read = rules[signal.rule], dict(signal.evidence)
    return Signal(
        rule=signal.rule, title_zh=rule["title_zh"], title_en=rule["title_en"], kind=signal.kind, level=signal.level,
        subject=rule["subject"], name=None, person_id=None, department=signal.department, due_date=signal.due_date,
        message=signal.message, message_en=signal.message_en, clause=signal.clause,
        record_key=signal.record_key,
        evidence={name: value for name, value in read.items() if not name.startswith("$")},
        parameters={name[1:]: value for name, value in read.items() if name.startswith("$")},
    )  # fmt: skip


def _household(view: View, card: AlertCard, signals: list[AlertSignal], key: int | None) -> None:
    """Members, help and the last visit in short, and how earlier alerts of the household ended."""
    t = view.t
    if card.household_id is None:
        ui.note(t("这条预警不是某一户的。"))
        return
    if key is None:
        ui.empty(t("本期台账里没有这一户：可能已迁出、并户，或只见于线索。请走访时登记家庭成员。"))
    else:
        _members(view, key)
    earlier = view.read(queue.history, card.household_id)
    ended = [one for one in earlier if one.id != card.id]
    ui.heading(t("以前的预警"), t("{n} 次", n=len(ended)))
    if not ended:
        ui.note(t("没有办结过的预警。"))
    items = "".join(f"<li>{_ended(view, one)}</li>" for one in ended[:6])
    ui.html(f'<ul class="bl-parts">{items}</ul>')


def _members(view: View, key: int) -> None:
    t = view.t
    people = view.ask(household.members, key).to_dicts()
    items = []
    for row in people:
        age = t("年龄不明") if row["age"] is None else t("{n} 岁", n=row["age"])
        relation = t(row["relation"]) if row["relation"] else t("户主") if row["is_head"] else ""
        said = " ".join(part for part in (row["name"] or t("姓名不明"), relation, age) if part)
        items.append(f"<li>{ui.said(said)} <span class='bl-note'>{ui.said(t.listed(facts(view, row)))}</span></li>")
    ui.heading(t("家庭成员"), t("{n} 人", n=len(people)))
    ui.html(f'<ul class="bl-parts">{"".join(items)}</ul>')
    helped = [row for row in view.ask(household.programmes, key).to_dicts() if row["active"]]
    named = dict.fromkeys(t(row["programme"]) for row in helped)
    ui.html(f"<div>{ui.said(t.named(t('正在享受'), t.listed(named) if named else t('没有')))}</div>")
    last = next(
        (t.aside(f"{one.day} {one.visitor} {one.found}", one.source) for one in visits(view, key)), t("没有记录")
    )
    ui.html(f"<div>{ui.said(t.named(t('上次走访'), last))}</div>")


def _ended(view: View, card: AlertCard) -> str:
    t = view.t
    outcome = OUTCOMES.get(card.outcome or "")
    said = t.pick(outcome.zh, outcome.en) if outcome else t("没有结论")
    closed = card.closed_at.date().isoformat() if card.closed_at else ""
    return f"{ui.said(closed)} {ui.level(card.level, t)} {ui.said(t.pick(card.headline, card.headline_en))} <b>{ui.said(said)}</b>"


def _course(view: View, card: AlertCard, signals: list[AlertSignal], key: int | None) -> None:
    events(view, alert_id=card.id)
