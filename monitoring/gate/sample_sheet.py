"""The visit sheet of a sampled household: as that of an alert, without reasons, since nothing flagged it. Journalled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from html import escape

from sqlalchemy import select

from monitoring.alerts.cards import shown_household
from monitoring.alerts.naming import household_object
from monitoring.gate.sheet import ASK, document, known_of, members_of
from monitoring.misses.results import DRAWN, RESULTS
from monitoring.people import Caller, Denied, acting
from monitoring.store import Store
from monitoring.store.schema import audit_draw, audit_sample
from monitoring.warehouse import Warehouse
from monitoring.working_days import CHINA

_TITLES = {"risk": "生活和支出", "gap": "收入、家产和申请"}


def sample_sheet(
    store: Store, open_warehouse: Callable[[], Warehouse], caller: Caller, sample_id: int, at: datetime
) -> str:
    """The sheet as an HTML page (Chinese). Raises SessionOver; Denied where it is not there, not drawn or not the caller's."""
    with acting(store, caller, "sheet.print", at) as act:
        asked = (
            select(audit_sample, audit_draw.c.due_date)
            .join_from(audit_sample, audit_draw, audit_draw.c.id == audit_sample.c.draw_id)
            .where(audit_sample.c.id == sample_id, audit_sample.c.state == DRAWN)
        )
        row = act.con.execute(asked).mappings().one_or_none()
        if row is None:
            raise Denied(object=f"sample:{sample_id}")
        act.within(row["township"], row["village"])
        told = known_of(open_warehouse(), act, row["household_id"])
        act.journal("sheet.print", f"sample:{sample_id}", household=household_object(row["household_id"]))
        person = act.person.person
    where = " ".join(part for part in (row["township"], row["village"], *told.place) if part) or "地点不明"
    ask = "".join(
        f"<div><p><b>{title}</b></p><ul>{''.join(f'<li>□ {text}</li>' for text in ASK[kind])}</ul></div>"
        for kind, title in _TITLES.items()
    )
    boxes = [f"□ {one.zh}" for one in RESULTS.values()]
    half = len(boxes) // 2
    body = "".join((
        '<p class="screen">按 Ctrl+P 打印（一页 A4）。本页含个人信息，每次打印都有记录。</p>'
        f"<header><h1>入户走访单（漏判抽查）</h1><div>抽查编号 {sample_id}　请于 {row['due_date']} 前走访</div></header>",
        f"<section><dl><dt>对象</dt><dd><b>{escape(row['name'] or '姓名不明')}</b></dd><dt>地点</dt><dd>{escape(where)}</dd>"
        f"<dt>户编号</dt><dd>{escape(shown_household(row['household_id']) or '无')}</dd>"
        f"<dt>上次走访</dt><dd>{escape(told.last_visit or '没有记录')}</dd></dl></section>",
        members_of(told),
        "<section><h2>为什么去</h2><p>没有任何信号。随机抽中，看看有没有被漏掉的困难；不能换户，没有见到人的再去一次。</p></section>",
        f'<section><h2>问什么、看什么</h2><div class="ask">{ask}</div></section>',
        f"""<section class="fill"><h2>走访记录</h2>
<p>走访日期 <u class="short"></u> 年 <u class="short"></u> 月 <u class="short"></u> 日　走访人 <u></u></p>
<p>结果　{"　".join(boxes[:half])}</p>
<p>　　　{"　".join(boxes[half:])}</p>
<p>近三个月月收入约 <u class="short"></u> 元　主要支出 <u></u></p>
<p>现场看到的情况和说明（没有见到的，写明找过几次、问过谁）</p><div class="lines"></div>
<p class="sign">走访人签字 <u></u>　户主或家庭成员签字 <u></u></p></section>""",
        f"<footer>印制：{escape(person)}　{at.astimezone(CHINA):%Y-%m-%d %H:%M}　含个人信息：用后交回存档，不得转借、拍照外传。</footer>",
    ))  # fmt: skip
    return document(f"入户走访单 抽查 {sample_id}", body)
