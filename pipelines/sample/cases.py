"""Cases that people and offices open and close: applications, temporary aid, clues."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.sample.chance import Bools, Ints
from pipelines.sample.columns import blank, words
from pipelines.sample.county import County
from pipelines.sample.events import due
from pipelines.sample.months import NEVER, dates, first_day, last_day, month_at, until
from pipelines.sample.programmes import RIGID, UNSTABLE


def applications(c: County, month: int, back: int) -> pl.DataFrame:
    """One row is an application; it comes again when it has been decided."""
    p, every = c.programmes, np.arange(len(c.homes))
    low = (p.low_start < NEVER) & (p.low_start >= c.window.start) & (p.dibao_end == NEVER)
    low_decided = first_day(p.low_start) - c.chance.whole(1, 8, "low decided", every)
    tekun = (p.tekun_start < NEVER) & (p.tekun_start >= c.window.start)
    people = np.flatnonzero(tekun)
    tekun_decided = first_day(p.tekun_start[people]) - c.chance.whole(2, 9, "tekun decided", people)
    parts = [
        (
            c.head_on(every, p.applied),
            p.applied,
            p.decided,
            np.zeros(len(every)),
            np.ones(len(every)),
            p.applied < NEVER,
        ),
        (
            c.head_on(every, low_decided),
            low_decided - 24,
            low_decided,
            2 + (p.low_kind == RIGID),
            np.ones(len(every)),
            low,
        ),
        (people, tekun_decided - 26, tekun_decided, np.ones(len(people)), np.ones(len(people)), people >= 0),
        (
            c.head_on(every, p.refused),
            p.refused - 26,
            p.refused,
            np.zeros(len(every)),
            np.zeros(len(every)),
            p.refused < NEVER,
        ),
    ]
    person, asked, decided, kind, granted = (
        np.concatenate([np.asarray(part[n])[part[5]] for part in parts]).astype(np.int64) for n in range(5)
    )
    chosen = due(month, back, month_at(asked), month_at(decided))
    person, asked, decided, kind, granted = (x[chosen] for x in (person, asked, decided, kind, granted))
    day = int(last_day(month))
    done = decided <= day
    return pl.DataFrame(
        {
            "_key": person * 8 + kind,
            **c.named(person),
            "申请事项": words(("低保", "特困", "低保边缘", "刚性支出"), kind),
            "申请日期": dates(asked),
            "核对日期": dates(until(np.minimum(asked + 8, decided), day)),
            "审批结果": words(("办理中", "不予批准", "批准"), np.where(done, 1 + granted, 0)),
            "未批准原因": blank(
                words(("家庭人均收入超过标准", "家庭财产超过规定"), person % 2), ~done | (granted == 1)
            ),
            "办结日期": dates(np.where(done, decided, NEVER)),
            **c.placed(c.people.home[person]),
        }
    )


def temporary_aid(c: County, month: int, back: int) -> pl.DataFrame:
    """One row is a grant; it comes again when it has been paid or its papers have been completed."""
    person, accepted, kind, cause = aid_cases(c)
    h = c.people.home[person]
    lag = c.chance.whole(0, 2, "emergency takes", person)
    lag = np.where(c.chance.happens(c.lapse(h, 0.05), "emergency late", person), lag + 8, lag)
    paid = accepted + np.where(kind == 0, lag, c.chance.whole(9, 26, "aid takes", person))
    refused = c.chance.happens(0.04, "aid refused", person)
    paid = np.where(refused, NEVER, paid)
    ahead = (kind == 0) & c.chance.happens(0.4, "paid ahead", person)
    papers = np.where(ahead, paid + c.chance.whole(3, 9, "papers take", person), NEVER)
    papers = np.where(c.chance.happens(c.lapse(h, 0.07), "papers forgotten", person), NEVER, papers)
    papers = np.where(paid >= NEVER, NEVER, papers)
    approved = np.where(refused, accepted + 12, np.maximum(paid - 1, accepted))
    chosen = due(month, back, month_at(accepted), month_at(paid), month_at(papers), month_at(approved))
    person, accepted, kind, cause, paid, papers, approved, h = (
        x[chosen] for x in (person, accepted, kind, cause, paid, papers, approved, h)
    )
    ahead, refused = ahead[chosen], refused[chosen]
    day = int(last_day(month))
    amount = (600 + 3400 * c.chance.share("aid", person)).astype(np.int64) // 100 * 100
    return pl.DataFrame(
        {
            "_key": person * 2 + kind,
            **c.named(person),
            "救助类型": words(("急难型", "支出型"), kind),
            "困难原因": words(("重大疾病", "洪涝灾害", "家庭成员死亡", "收入骤减", "教育支出过大"), cause),
            "发现日期": dates(np.where((kind == 0) & (person % 2 == 0), accepted, NEVER)),
            "申请日期": dates(np.where(kind == 0, accepted, accepted - 2)),
            "受理日期": dates(accepted),
            "审批日期": dates(until(approved, day)),
            "发放日期": dates(until(paid, day)),
            "救助金额": blank(pl.Series(amount), refused | (approved > day)),
            "先行救助": pl.Series(ahead),
            "补充说明日期": dates(until(papers, day)),
            **c.placed(h),
        }
    )


def aid_cases(c: County) -> tuple[Ints, Ints, Ints, Ints]:
    """Person, day of acceptance, kind and cause of every grant of the window, whatever came of it."""
    p, s, people = c.programmes, c.shocks, c.people
    homes, everyone = np.arange(len(c.homes)), np.arange(len(people))
    first, last = c.window.days
    found: list[tuple[Ints, Ints, int]] = []

    def add(where: Bools, home: Ints, day: Ints, soonest: int, latest: int, cause: int) -> None:
        rows = np.flatnonzero(where & (day < NEVER))
        found.append((home[rows], day[rows] + c.chance.whole(soonest, latest, "aid after", home[rows], cause), cause))

    earner_died = (people.dead < NEVER) & s.earner
    careful = np.clip(1 - 0.13 * c.places.slack[c.homes.township], 0.4, 1.0)
    # Bills add up over months before somebody asks, and whoever has least to spare asks first.
    asks = (0.27 * s.frailty).clip(0.08, 0.9)[people.home]
    add((s.ill < NEVER) & c.chance.happens(asks, "aid for illness", everyone), people.home, s.ill, 30, 300, 0)
    add(c.chance.happens(careful, "aid after flood", homes), homes, s.flood, 1, 24, 1)
    add(earner_died & c.chance.happens(0.62, "aid after death", everyone), people.home, people.dead, 5, 26, 2)
    add(p.fallen & c.chance.happens(0.35, "aid after fall", homes), homes, p.change, 8, 40, 3)
    risk = (p.listed >= UNSTABLE) & (p.identified >= first)
    add(risk & c.chance.happens(careful, "aid when listed", homes), homes, p.identified, 2, 20, 3)
    odd = c.chance.happens(0.00035 * c.window.months * s.frailty.clip(0, 6), "other aid", homes)
    add(odd, homes, np.where(odd, c.window.day(c.chance, "other aid on", homes), NEVER), 0, 0, 4)
    home = np.concatenate([rows for rows, _, _ in found])
    day = np.concatenate([days for _, days, _ in found])
    cause = np.concatenate([np.full(len(rows), cause) for rows, _, cause in found])
    day = np.where((day.astype("datetime64[D]").astype(np.int64) + 3) % 7 >= 5, day + 2, day)  # offices open on Monday
    kept = (day >= first) & (day <= last)
    home, day, cause = home[kept], day[kept], cause[kept]
    kind = np.where(cause == 4, 1, np.where(c.chance.happens(0.55, "emergency", home, day), 0, 1))
    return c.head_on(home, day), day, kind, cause


def clues(c: County, month: int, back: int) -> pl.DataFrame:
    """One row is a clue; most are closed within the term and come again then, some late or never."""
    p, homes = c.programmes, np.arange(len(c.homes))
    chance = np.where(p.fallen, 0.5, np.where(p.refused < NEVER, 0.3, 0.0032 * c.window.months))
    has = c.chance.happens(chance, "clue", homes)
    turn = np.where(
        p.fallen, p.change + 12, np.where(p.refused < NEVER, p.refused - 30, c.window.day(c.chance, "clue on", homes))
    )
    h = np.flatnonzero(has & (turn < NEVER) & (turn >= c.window.days[0]))
    day = turn[h]
    term = day + 20
    late = c.chance.happens(c.lapse(h, 0.05), "clue late", h)
    takes = np.where(late, c.chance.whole(28, 150, "clue is late", h), c.chance.whole(2, 18, "clue takes", h))
    closed = np.where(late & c.chance.happens(0.3, "clue forgotten", h), NEVER, day + takes)
    chosen = due(month, back, month_at(day), month_at(closed))
    h, day, term, closed = h[chosen], day[chosen], term[chosen], closed[chosen]
    done = closed <= int(last_day(month))
    source = c.chance.choice((22, 26, 16, 6, 12, 12, 6), "clue from", h)
    return pl.DataFrame(
        {
            "_key": h,
            "线索编号": "XS" + pl.Series(h).cast(pl.String).str.zfill(7),
            "来源": words(("自主申报", "干部走访", "12345热线", "信访", "部门推送", "网格员", "救助通"), source),
            "登记日期": dates(day),
            **c.named(c.head_on(h, day)),
            **c.placed(h),
            "诉求内容": words(
                ("家人生病住院，费用负担重", "失去工作，生活困难", "申请最低生活保障", "房屋受损", "咨询临时救助"),
                h % 5,
            ),
            "办理期限": dates(term),
            "办结日期": dates(np.where(done, closed, NEVER)),
            "办理结果": blank(words(("已纳入救助", "已解释政策", "已转介", "经核查不符合条件"), h % 4), ~done),
        }
    )
