"""The visit sheet: one A4 page for the door, with what the visitor must know and blanks to fill in by hand.

It bears full names, since somebody has to be asked for, and no full number; every print is journalled. The page loads
nothing and runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from sqlalchemy import select

from monitoring.access import Scope
from monitoring.alerts.cards import AlertCard, card, cards
from monitoring.alerts.clue_effects import CHANNELS
from monitoring.alerts.details import order_of_states
from monitoring.alerts.naming import alert_object, household_object
from monitoring.alerts.visits import recorded
from monitoring.exporting import masking
from monitoring.labels import KIND_ZH, KINDS, LEVEL_MARK, LEVEL_ZH
from monitoring.people import Acting, Caller, Denied, Person, acting
from monitoring.queries import household
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal, clue
from monitoring.warehouse import Warehouse
from monitoring.working_days import CHINA, local_day

# So much fits one page of A4; the rest is named as such.
MOST_REASONS = 4
MOST_MEMBERS = 6
MOST_KINDS = 2
STANDING = ("standing", "shown")
# What to ask and look at, by the kind of the signals that bring the visitor here.
ASK: dict[str, tuple[str, ...]] = {
    "gap": (
        "家里现在几口人、谁在外；近三个月主要收入是什么、每月多少",
        "有无存款、车辆、商品房、经营；有无申请过救助，没申请或没批的原因",
        "讲清政策和申请办法，是否愿意申请；不能自己办的，谁代办",
    ),
    "risk": (
        "收入为什么减少、支出为什么增加；看看票据，医保和救助报完没有",
        "看吃、穿、住、水：存粮、被褥、住房裂漏、水源；孩子是否在校",
        "劳动力在做什么、能不能稳住；眼下最急的是什么，要不要先行救助",
    ),
    "exit": (
        "本人是否在世、在家；家庭人口有无变化",
        "车、房、店、社保是不是本人的，实际谁在用；请出示凭证",
        "收入变化能否稳定；讲明渐退期、申诉和退出后的帮扶；核实前不停发",
    ),
    "process": (
        "什么时候申请或反映的、交给谁、有没有人答复",
        "还缺什么材料；钱发到哪个账户、收到没有",
    ),
    "data": (
        "看身份证、户口簿，核对姓名、号码后四位、出生年份",
        "实际住在哪、和谁一起生活；人口增减；电话是否换了",
    ),
}


@dataclass(frozen=True)
class AtTheDoor(Scope):
    """A household as its visitor must know it: names and address in full, numbers and birth dates as in every masked list."""

    masked: bool = False

    def number(self, column: str) -> str:
        return masking.number(column)

    def household(self, column: str) -> str:
        return masking.household(column)

    def birth(self, column: str) -> str:
        return f"strftime({column}, '%Y')"


def sheet(store: Store, open_warehouse: Callable[[], Warehouse], caller: Caller, alert_id: int, at: datetime) -> str:
    """The sheet of one alert as an HTML page (Chinese). Raises SessionOver; Denied where it is not there or not the caller's.

    `open_warehouse` gives the published run on whose persons the sheet stands.
    """
    with acting(store, caller, "sheet.print", at) as act:
        found = _alert(act, alert_id)
        reasons = _reasons_of(act, found)
        told = known_of(open_warehouse(), act, found.household_id)
        act.journal("sheet.print", alert_object(alert_id), household=_digest(found))
    return _page(found, reasons, told, act.person, at)


def _reasons_of(act: Acting, found: AlertCard) -> list[tuple[str, str, str]]:
    """(level, kind, sentence): clues that wait for an answer, then what the rules found, the most urgent first."""
    clues = select(clue.c.channel, clue.c.received_on, clue.c.text).where(
        clue.c.alert_id == found.id, clue.c.concluded_on.is_(None)
    )
    signals = select(alert_signal.c.level, alert_signal.c.kind, alert_signal.c.message).where(
        alert_signal.c.alert_id == found.id, alert_signal.c.state.in_(STANDING)
    )
    heard = [
        (found.level, "", f"{day}（{CHANNELS[channel].zh}）反映：{masking.typed(said)}")
        for channel, day, said in act.con.execute(clues.order_by(clue.c.received_on.desc(), clue.c.id.desc()))
    ]
    order = (order_of_states(), alert_signal.c.level_order, alert_signal.c.rule, alert_signal.c.id)
    return heard + [(level, kind, said) for level, kind, said in act.con.execute(signals.order_by(*order))]


def _digest(found: AlertCard) -> str | None:
    return None if found.household_id is None else household_object(found.household_id)


def _alert(act: Acting, alert_id: int) -> AlertCard:
    row = act.con.execute(cards().where(alert.c.id == alert_id)).mappings().one_or_none()
    if row is None:
        raise Denied
    act.within(row["township"], row["village"])
    return card(row, local_day(act.at), masked=False)


@dataclass(frozen=True)
class Told:
    """What the published run knows of the household, and the last visit, also where it was recorded here; empty where nothing is
    known."""

    place: tuple[str, ...] = ()
    members: Sequence[dict[str, Any]] = ()
    last_visit: str = ""


def known_of(warehouse: Warehouse, act: Acting, household_id: str | None) -> Told:
    scope = AtTheDoor(allowed=act.person.places)
    key = household.find(warehouse, scope, household_id) if household_id else None
    head = household.household(warehouse, scope, key) if key is not None else None
    seen = [(one.day, one.visitor) for one in recorded(act, household_id)[:1]] if household_id else []
    if key is not None and head is not None:
        visits = household.visits(warehouse, scope, key).head(1).to_dicts()
        seen += [(row["visited_date"], row["visitor"] or "") for row in visits]
    last = max((f"{day} {visitor}" for day, visitor in seen), default="")
    if key is None or head is None:
        return Told(last_visit=last)
    place = tuple(part for part in (head.group, head.address) if part)
    return Told(place, household.members(warehouse, scope, key).to_dicts(), last)


def _page(found: AlertCard, reasons: list[tuple[str, str, str]], told: Told, person: Person, at: datetime) -> str:
    where = " ".join(part for part in (found.township, found.village, *told.place) if part) or "地点不明"
    due = f"请于 {found.due_date} 前核实" if found.due_date else "没有期限"
    urgent = '<b class="urgent">急难：3 个工作日内办结</b>' if found.emergency else ""
    level = f"{LEVEL_MARK[found.level]} {LEVEL_ZH[found.level]}色"
    printed = at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
    body = "".join((
        f'<p class="screen">按 Ctrl+P 打印（一页 A4）。本页含个人信息，每次打印都有记录。</p>'
        f"<header><h1>入户走访单</h1><div>预警编号 {found.id}　{level}　{escape(due)}{urgent}</div></header>",
        f"<section><dl><dt>对象</dt><dd><b>{escape(found.name or '姓名不明')}</b></dd><dt>地点</dt><dd>{escape(where)}</dd>"
        f"<dt>户编号</dt><dd>{escape(found.household or '无')}</dd><dt>上次走访</dt><dd>{escape(told.last_visit or '没有记录')}</dd></dl></section>",
        members_of(told) if found.household_id else "",
        f"<section><h2>为什么去</h2>{_reasons(found, reasons)}</section>",
        f'<section><h2>问什么、看什么</h2><div class="ask">{_asked(reasons)}</div></section>',
        _blanks(),
        f"<footer>印制：{escape(person.person)}　{printed}　含个人信息：用后交回存档，不得转借、拍照外传。</footer>",
    ))  # fmt: skip
    return document(f"入户走访单 {found.id}", body)


def document(title: str, body: str) -> str:
    return f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{CSS}</style></head><body>{body}</body></html>'


def members_of(told: Told) -> str:
    if not told.members:
        return "<section><h2>家庭成员</h2><p>台账里没有查到家庭成员，请现场登记姓名、关系和证件号后四位。</p></section>"
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _member(row))}</tr>"
        for row in told.members[:MOST_MEMBERS]
    )
    more = len(told.members) - MOST_MEMBERS
    rest = f"<p>另有 {more} 人，见户档案。</p>" if more > 0 else ""
    return f"<section><h2>家庭成员（{len(told.members)} 人）</h2><table><tr><th>姓名</th><th>关系</th><th>性别、年龄</th><th>证件号后四位</th><th>情况</th><th>在家 □</th></tr>{rows}</table>{rest}</section>"


def _member(row: dict[str, Any]) -> tuple[str, ...]:
    age = "年龄不明" if row["age"] is None else f"{row['age']} 岁"
    relation = row["relation"] or ("户主" if row["is_head"] else "不明")
    return (row["name"] or "姓名不明", relation, f"{row['sex'] or ''} {age}".strip(), (row["number"] or "无")[-4:],
            "、".join(_facts(row)), "□")  # fmt: skip


def _facts(row: dict[str, Any]) -> Iterable[str]:
    if not row["alive"]:
        yield "台账记为死亡"
    if row["severe"]:
        yield "重度残疾"
    elif row["has_certificate"]:
        yield "残疾"
    for column, said in (
        ("seriously_ill", "重病"),
        ("on_dibao", "低保"),
        ("on_tekun", "特困"),
        ("on_low_income", "低收入家庭"),
        ("studying", "在读"),
    ):
        if row[column]:
            yield said


def _reasons(found: AlertCard, reasons: list[tuple[str, str, str]]) -> str:
    said = [f"{LEVEL_MARK[level]} {message}" for level, _, message in reasons] or [found.headline]
    items = "".join(f"<li>{escape(text)}</li>" for text in said[:MOST_REASONS])
    rest = f"<p>另有 {len(said) - MOST_REASONS} 条，见系统。</p>" if len(said) > MOST_REASONS else ""
    return f"<ol>{items}</ol>{rest}"


def _asked(reasons: list[tuple[str, str, str]]) -> str:
    kinds = ([kind for kind in KINDS if any(kind == own for _, own, _ in reasons)] or ["gap"])[:MOST_KINDS]
    return "".join(
        f"<div><p><b>{KIND_ZH[kind]}</b></p><ul>{''.join(f'<li>□ {text}</li>' for text in ASK[kind])}</ul></div>"
        for kind in kinds
    )


def _blanks() -> str:
    return """<section class="fill"><h2>走访记录</h2>
<p>走访日期 <u class="short"></u> 年 <u class="short"></u> 月 <u class="short"></u> 日　走访人 <u></u></p>
<p>见到谁　□ 户主本人　□ 家庭成员 <u></u>　□ 邻居或村干部 <u></u></p>
<p>　　　　□ 没有见到，原因 <u></u></p>
<p>结论　□ 情况属实　□ 情况不属实　□ 说不清，要再核实</p>
<p>近三个月月收入约 <u class="short"></u> 元　主要支出 <u></u></p>
<p>本户希望得到的帮助 <u></u></p>
<p>现场看到的情况和说明</p><div class="lines"></div>
<p class="sign">走访人签字 <u></u>　户主或家庭成员签字 <u></u>　村（社区）负责人签字 <u></u></p></section>"""


CSS = """
@page { size: A4; margin: 12mm 14mm; }
* { box-sizing: border-box; }
body { font: 9.8pt/1.4 "Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif; color: #000; background: #fff; max-width: 182mm; margin: 6mm auto; padding: 0 3mm; display: flex; flex-direction: column; min-height: 262mm; }
header { display: flex; justify-content: space-between; align-items: baseline; flex-wrap: wrap; border-bottom: 1.5pt solid #000; padding-bottom: 1mm; }
h1 { font-size: 17pt; margin: 0; } h2 { font-size: 10.5pt; margin: 1.8mm 0 .8mm; border-bottom: .5pt solid #888; }
dl { display: grid; grid-template-columns: auto 1fr auto 1fr; gap: .5mm 3mm; margin: 2mm 0 0; } dt { color: #444; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-size: 9.2pt; } th, td { border: .5pt solid #888; padding: .4mm 1.5mm; text-align: left; }
ol, ul { margin: 0; padding-left: 5mm; } ul { list-style: none; padding-left: 0; } p { margin: .8mm 0; }
.ask { columns: 2; column-gap: 6mm; } .ask div { break-inside: avoid; }
.urgent { border: 1.2pt solid #000; padding: 0 1.5mm; margin-left: 3mm; }
.fill { flex: 1; display: flex; flex-direction: column; } .fill p { display: flex; flex-wrap: wrap; align-items: flex-end; white-space: pre; margin: 1.2mm 0; }
u { flex: 1; min-width: 18mm; border-bottom: .6pt solid #000; text-decoration: none; height: 5mm; } u.short { flex: 0 0 14mm; min-width: 0; }
.lines { flex: 1; min-height: 16mm; background: linear-gradient(transparent calc(100% - 1px), #000 0) 0 0 / 100% 8mm; print-color-adjust: exact; -webkit-print-color-adjust: exact; } .sign { margin-top: 4mm !important; }
footer { margin-top: 3mm; border-top: .5pt solid #888; font-size: 8.5pt; color: #333; }
.screen { background: #F5F7FA; border: .5pt solid #D9E0E7; padding: 1mm 3mm; }
@media (max-width: 560px) { dl { grid-template-columns: auto 1fr; } table { font-size: 8.5pt; } }
@media print { .screen { display: none; } body { margin: 0; padding: 0; max-width: none; min-height: 272mm; } section { break-inside: avoid; } }
"""
