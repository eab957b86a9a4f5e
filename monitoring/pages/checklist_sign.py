"""Sign-off: village, township, county; what is signed, what has changed since, and signing itself."""

from __future__ import annotations

import streamlit as st

from monitoring import ui
from monitoring.checklist import BY_NUMBER
from monitoring.language import number
from monitoring.pages.checklist_words import STATES, signed_line
from monitoring.people import ROLES, may
from monitoring.queries import vouching
from monitoring.ui import Column, View
from monitoring.vouching import breaks, seals
from monitoring.vouching.breaks import Broken
from monitoring.vouching.live import Live
from monitoring.vouching.standing import Change, Place, Seal, Standing
from monitoring.working_days import CHINA

MARKS = {
    "unsigned": "未签",
    "intact": "✓ 已签，没有变化",
    "broken": "✗ 签字后有变化，签字已失效",
    "undermined": "△ 下级签字失效或重签，要重新签",
}
LEVEL_ZH = {"village": "村（社区）", "township": "乡镇", "county": "县"}


def part(view: View, now: Live) -> None:
    t = view.t
    found = view.read(seals.seals_now, view.warehouse, now)
    if not found:
        ui.empty(t("您负责的地方在台账里没有户。"))
        return
    ui.note(
        t(
            "村先签，乡镇在所辖各村都签后签，县最后签。签字把当时的名单和各项数字原样封存，摘要记入操作日志；以后事实有变，只有那一处的签字失效，并在上级显出来。无人担保的户不挡签字，但要写明户数和打算。"
        )
    )
    places = _listed(view, found)
    ui.heading(t("签到哪里了？"))
    ui.table([{"one": found[place]} for place in places], [
        Column(t("地点"), lambda row: ui.said(_named(row["one"].place, view)), "w"),
        Column(t("级别"), lambda row: ui.said(t(LEVEL_ZH[row["one"].level])), "w"),
        Column(t("户数"), lambda row: ui.count(row["one"].households), "n"),
        Column(t("无人担保"), lambda row: ui.unknown_count(row["one"].nobody, t), "n"),
        Column(t("下级已签"), lambda row: ui.said(t("{ready}／{n}", ready=row["one"].ready, n=row["one"].below)) if row["one"].below else "", "n"),
        Column(t("签字"), lambda row: _mark(row["one"], view)),
        Column(t("谁、何时"), lambda row: _by(row["one"].seal, view)),
    ])  # fmt: skip
    _one(view, found, places)


def _listed(view: View, found: dict[Place, Standing]) -> list[Place]:
    """The county and its townships; where one township is picked, it and its villages; else a village staff's own."""
    towns = view.scope.townships or tuple(township for township, _ in view.scope.villages or ())
    if towns:
        picked = view.scope.villages
        own = [
            place for place in found if place[0] in towns and (place[1] is None or picked is None or place in picked)
        ]
        return sorted(own, key=_order)
    above = [place for place in found if place[1] is None]
    return sorted(above or found, key=_order)


def _order(place: Place) -> tuple[str, str]:
    return (place[0] or "", place[1] or "")


def _named(place: Place, view: View) -> str:
    return " ".join(part for part in place if part) or view.t("全县")


def _mark(one: Standing, view: View) -> str:
    text = view.t(MARKS[one.state])
    if one.state in ("broken", "undermined"):
        return f'<span class="bl-late">{ui.said(text)}</span>'
    return ui.unknown(text) if one.state == "unsigned" else ui.said(text)


def _by(seal: Seal | None, view: View) -> str:
    if seal is None:
        return ""
    t = view.t
    role = t.pick(ROLES[seal.role].zh, ROLES[seal.role].en) if seal.role in ROLES else ""
    return f"{ui.said(seal.by)} {ui.said(role)} {ui.said(seal.at.astimezone(CHINA).strftime('%Y-%m-%d %H:%M'))} {ui.code(seal.sha256[:12])}"


def _one(view: View, found: dict[Place, Standing], places: list[Place]) -> None:
    t = view.t
    if not places:
        return
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom"):
        place = st.selectbox(
            t("看哪里"),
            places,
            key=f"seal-place-{ui.mark(view.scope)}",
            format_func=lambda place: _named(place, view),
            width=300,
        )
    one = found[place]
    left, right = st.columns(2, gap="medium")
    with left:
        _sign(view, one)
    with right:
        _changed(view, one)
        _history(view, one)


def _sign(view: View, one: Standing) -> None:
    t = view.t
    ui.heading(t("{place}：要签的是什么", place=_named(one.place, view)))
    counted = t.listed(
        t("{state} {n} 户", state=t(STATES[name]), n=number(n)) for name, n in one.facts.states.items() if n
    )
    ui.note(t("本级所列 {n} 户：{counted}", n=number(one.facts.households), counted=counted or t("没有户")))
    if one.nobody:
        ui.html(
            f'<div class="bl-overdue">{ui.said(t("连同下级，还有 {n} 户无人担保；签字会把这个数和说明一起封存。", n=number(one.nobody)))}</div>'
        )
    if one.waiting:
        ui.note(
            t(
                "还不能签：下级有 {n} 处没有有效签字，例如 {places}。",
                n=number(one.waiting),
                places=t.listed(one.missing),
            )
        )
        return
    if one.state == "intact":
        ui.note(t("已经签字，签字后没有变化。"))
        return
    if not may(view.person.role, f"checklist.sign_{one.level}"):
        ui.note(t("这一级由{who}签字。", who=t(WHO_SIGNS[one.level])))
        return
    note = st.text_area(
        t("说明（有无人担保的户时必填：原因和打算）"),
        key=f"seal-note-{ui.mark(one.place)}",
        max_chars=seals.LONGEST_NOTE,
    )
    if st.button(t("签字"), key="seal-sign", type="primary"):
        signed, refused = view.tried(seals.sign, view.warehouse, one.place[0], one.place[1], note, one.facts.mark)
        if refused:
            ui.failure(refused)
        elif signed is not None:
            st.rerun()


WHO_SIGNS = {"village": "本村或本乡镇的工作人员", "township": "本乡镇的工作人员", "county": "县领导或县级工作人员"}


def _changed(view: View, one: Standing) -> None:
    t = view.t
    if one.seal is None or one.state != "broken":
        return
    ui.heading(t("签字后变了什么？"))
    found = view.read(seals.changes, view.warehouse, one.seal.id)
    told = view.read(breaks.breaks, [one.seal.id]).get(one.seal.id)
    if told is None:
        ui.note(t("还没有记入操作日志：下一次运行之后，或这里重新签字时会记。"))
    else:
        ui.note(_noted(told, view))
    ui.table([{"change": change} for change in found[: ui.PAGE_SIZE]], [
        Column(t("户或项"), lambda row: ui.said(_what(row["change"], view))),
        Column(t("签字时"), lambda row: ui.said(_told(row["change"], row["change"].before, view))),
        Column(t("现在"), lambda row: ui.said(_told(row["change"], row["change"].now, view))),
    ], t("共 {n} 处不同", n=number(len(found))))  # fmt: skip


def _what(change: Change, view: View) -> str:
    if change.set:
        return view.t("第 {n} 项 {title}", n=change.what, title=view.t(BY_NUMBER[int(change.what)].title))
    return view.t("户 {n}", n=change.what)


def _told(change: Change, told: tuple[str, ...] | None, view: View) -> str:
    t = view.t
    if told is None:
        return t("没有")
    if change.set:
        names = (t("应覆盖"), t("已覆盖"), t("缺"), t("不明"), t("缺数据"))
        return t.listed(f"{name} {count}" for name, count in zip(names, told, strict=True))
    return signed_line(told, t)


def _history(view: View, one: Standing) -> None:
    t = view.t
    found = view.read(seals.history, view.ask_county(vouching.asked_of).period, one.place[0], one.place[1])
    if not found:
        return
    broken = view.read(breaks.breaks, [seal.id for seal in found])
    ui.heading(t("这里签过的字"))
    ui.table([{"seal": seal} for seal in found], [
        Column(t("谁、何时"), lambda row: _by(row["seal"], view)),
        Column(t("户数"), lambda row: ui.count(row["seal"].households), "n"),
        Column(t("无人担保"), lambda row: ui.unknown_count(row["seal"].nobody, t), "n"),
        Column(t("说明"), lambda row: ui.said(row["seal"].note)),
        Column(t("失效记录"), lambda row: ui.said(_noted(broken[row["seal"].id], view)) if row["seal"].id in broken else ""),
    ])  # fmt: skip


def _noted(told: Broken, view: View) -> str:
    """What the journal has of a broken signature, in a sentence."""
    t = view.t
    facts = t.clauses(
        t.named(_what(change, view), f"{_told(change, change.before, view)} → {_told(change, change.now, view)}")
        for change in told.facts
    )
    return t("{when} 记入操作日志（运行 {run}）：{n} 处与签字不符，{facts}",
             when=told.at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M"), run=told.run, n=number(told.differing), facts=facts)  # fmt: skip
