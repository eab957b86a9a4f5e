"""Events that are told once and again when they are closed: deaths, floods, income checks, applications, aid, clues."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.sample.chance import Bools, Ints
from pipelines.sample.county import County
from pipelines.sample.ledgers import blank, words
from pipelines.sample.months import NEVER, dates, first_day, last_day, month_at, until
from pipelines.sample.programmes import RIGID, UNSTABLE


def due(month: int, back: int, told: Ints, *again: Ints) -> Bools:
    """Which events a delivery brings: those told in its months, and earlier ones that changed in this month."""
    fresh = (told <= month) & (told >= month - back)
    for later in again:
        fresh |= (told <= month) & (later == month)
    return fresh


def deaths(c: County, month: int, back: int) -> pl.DataFrame:
    """One row is a death, told up to two months later."""
    person = np.flatnonzero(due(month, back, c.people.death_seen))
    day = c.people.dead[person]
    noted = np.maximum(day + c.chance.whole(1, 20, "noted after", person), first_day(c.people.death_seen[person]))
    noted = np.minimum(noted, last_day(c.people.death_seen[person]))
    return pl.DataFrame({"_key": person, **c.named(person), "死亡日期": dates(day), "登记日期": dates(noted)})


def disasters(c: County, month: int, back: int) -> pl.DataFrame:
    """One row is a household hit by a flood; the list comes the month after, and again when help has ended."""
    s = c.shocks
    told = np.where(s.flood < NEVER, month_at(s.flood) + 1, NEVER)
    ends = np.where(s.flood < NEVER, s.flood + 95, NEVER)
    h = np.flatnonzero(due(month, back, told, month_at(ends)))
    day = int(last_day(month))
    damage = s.flood_damage[h]
    return pl.DataFrame(
        {
            "_key": h,
            **c.named(c.head_on(h, s.flood[h]), "户主姓名", "户主证件号码"),
            "灾害类型": words(("洪涝",), np.zeros(len(h))),
            "受灾日期": dates(s.flood[h]),
            "损失金额": s.flood_loss[h],
            "住房受损": words(("无", "一般", "严重", "倒塌"), damage),
            "应急救助结束日期": dates(until(s.flood[h] + 15, day)),
            "过渡期救助结束日期": dates(np.where(damage >= 2, until(ends[h], day), NEVER)),
            **c.placed(h),
        }
    )


def _checks(c: County) -> tuple[Ints, Ints]:
    """Household and day of every economic check: yearly for those on programmes, and at every turn of a story."""
    p, homes, w = c.programmes, np.arange(len(c.homes)), c.window
    first, last = w.days
    found: list[tuple[Ints, Ints]] = []

    def add(where: Bools, day: Ints) -> None:
        rows = np.flatnonzero(where & (day >= first) & (day <= last))
        found.append((rows, day[rows]))

    tekun_head = p.tekun_start[c.homes.head]
    risk_start = np.where((p.listed >= UNSTABLE) & c.chance.happens(0.4, "risk is checked", homes), p.identified, NEVER)
    begins = np.minimum.reduce([first_day(p.dibao_start), first_day(p.low_start), first_day(tekun_head), risk_start])
    ends = np.where(p.dibao_start < NEVER, first_day(p.dibao_end), np.where(p.low_start < NEVER, first_day(p.low_end), NEVER))
    phase = c.chance.whole(0, 364, "check phase", homes)
    for year in range(w.months // 12 + 2):
        day = first + phase + 365 * year
        add((begins <= day - 60) & (day < ends), day)
    told = p.applied < NEVER
    add(told, p.applied + c.chance.whole(3, 12, "check after application", homes))
    silent = p.fallen & ~told & c.chance.happens(0.75, "found by comparison", homes)
    add(silent, p.change + c.chance.whole(30, 60, "compared after", homes))
    before = p.fallen & c.chance.happens(0.35, "checked before the fall", homes)
    add(before, p.change - c.chance.whole(60, 300, "check before the fall", homes))
    noticed = np.where(p.gradual < NEVER, month_at(p.gradual) - 1, p.dibao_end - 1)
    recovered = ~p.fallen & (p.change < NEVER)
    add(recovered, np.where(recovered, np.maximum(first_day(noticed) + 12, p.change), NEVER))
    add(p.low_start < NEVER, first_day(p.low_start) - c.chance.whole(5, 25, "check before", homes))
    add(p.refused < NEVER, p.refused - c.chance.whole(3, 10, "check before refusal", homes))
    odd = c.chance.happens(0.0013 * w.months, "other check", homes)
    add(odd, w.day(c.chance, "other check", homes))
    home, day = np.concatenate([rows for rows, _ in found]), np.concatenate([days for _, days in found])
    _, unique = np.unique(home * 100_000 + day, return_index=True)
    return home[unique], day[unique]


def income(c: County, month: int, back: int) -> pl.DataFrame:
    """One row is one check; the assessed income of the story is taken apart into income and deductions."""
    home, day = _checks(c)
    told = month_at(day) + c.chance.choice((0.8, 0.2), "check is late", home, day)
    chosen = due(month, back, told)
    h, day = home[chosen], day[chosen]
    n = c.living(h, day).clip(1)
    position, person = c.members(h)
    age = (day[position] - c.people.birth[person]) // 365
    alive = c.people.dead[person] > day[position]
    old = np.bincount(position, weights=alive & (age >= 60), minlength=len(h))
    earners = np.bincount(position, weights=alive & c.shocks.earner[person], minlength=len(h))
    students = np.bincount(position, weights=alive & (age >= 15) & (age <= 22), minlength=len(h))
    ailing = np.bincount(position, weights=alive & (c.shocks.certified[person] <= day[position]), minlength=len(h))
    net = c.programmes.pay(h, day) * (1 + 0.015 * c.chance.normal("check", h, day).clip(-2.5, 2.5)) * 12 * n
    rigid = (c.programmes.low_kind[h] == RIGID) & (c.programmes.low_start[h] < NEVER)
    cost = np.where((earners > 0) & c.chance.happens(0.22, "work costs", h), 600 + 1800 * c.chance.share("work cost", h), 0)
    medical = np.where(c.chance.happens(0.35, "medical", h, day), 0.18 * c.chance.share("medical cost", h, day) * net, 0)
    medical = np.where(rigid, net * (1.7 + c.chance.share("medical cost", h, day)), medical)
    study = np.where((students > 0) & c.chance.happens(0.6, "study", h), 0.12 * c.chance.share("study cost", h) * net, 0)
    care = np.where(ailing > 0, 0.05 * c.chance.share("care cost", h) * net, 0)
    gross = net + cost + medical + study + care
    pension = np.minimum(old * 1980, gross * 0.7)
    rest = gross - pension
    moved = rest * np.where(earners > 0, 0.05 + 0.1 * c.chance.share("transfers", h), 0.7)
    land = rest * 0.04 * c.chance.share("land", h)
    wage = (rest - moved - land) * np.where(earners > 0, 0.35 + 0.6 * c.chance.share("wages", h), 0.0)
    items = [wage, rest - moved - land - wage, land, moved, pension, cost, medical, study, care]
    headings = ("工资性收入", "经营净收入", "财产净收入", "转移净收入", "基础养老金", "必要就业成本", "医疗自付支出", "教育支出", "残疾康复支出")
    amounts = {name: np.round(item).astype(np.int64) for name, item in zip(headings, items, strict=True)}
    saved = np.round(np.exp(6 + 2 * c.chance.share("saved", h, day)) / 10).astype(np.int64) * 10
    head = c.head_on(h, day)
    return pl.DataFrame(
        {
            "_key": h * 20 + day % 20,
            **c.named(head, "户主姓名", "户主证件号码"),
            "核对日期": dates(day),
            **amounts,
            "金融资产": saved,
        }
    )


def applications(c: County, month: int, back: int) -> pl.DataFrame:
    """One row is an application; it comes again when it has been decided."""
    p, every = c.programmes, np.arange(len(c.homes))
    low = (p.low_start < NEVER) & (p.low_start >= c.window.start) & (p.dibao_end == NEVER)
    low_decided = first_day(p.low_start) - c.chance.whole(1, 8, "low decided", every)
    tekun = (p.tekun_start < NEVER) & (p.tekun_start >= c.window.start)
    people = np.flatnonzero(tekun)
    tekun_decided = first_day(p.tekun_start[people]) - c.chance.whole(2, 9, "tekun decided", people)
    parts = [
        (c.head_on(every, p.applied), p.applied, p.decided, np.zeros(len(every)), np.ones(len(every)), p.applied < NEVER),
        (c.head_on(every, low_decided), low_decided - 24, low_decided, 2 + (p.low_kind == RIGID), np.ones(len(every)), low),
        (people, tekun_decided - 26, tekun_decided, np.ones(len(people)), np.ones(len(people)), people >= 0),
        (c.head_on(every, p.refused), p.refused - 26, p.refused, np.zeros(len(every)), np.zeros(len(every)), p.refused < NEVER),
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
            "未批准原因": blank(words(("家庭人均收入超过标准", "家庭财产超过规定"), person % 2), ~done | (granted == 1)),
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
    person, accepted, kind, cause, paid, papers, approved, ahead, h, refused = (
        x[chosen] for x in (person, accepted, kind, cause, paid, papers, approved, ahead, h, refused)
    )
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
    add((s.ill < NEVER) & c.chance.happens(0.35, "aid for illness", everyone), people.home, s.ill, 8, 60, 0)
    add(c.chance.happens(careful, "aid after flood", homes), homes, s.flood, 1, 24, 1)
    add(earner_died & c.chance.happens(0.62, "aid after death", everyone), people.home, people.dead, 5, 26, 2)
    add(p.fallen & c.chance.happens(0.35, "aid after fall", homes), homes, p.change, 8, 40, 3)
    risk = (p.listed >= UNSTABLE) & (p.identified >= first)
    add(risk & c.chance.happens(careful, "aid when listed", homes), homes, p.identified, 2, 20, 3)
    odd = c.chance.happens(0.00035 * c.window.months, "other aid", homes)
    add(odd, homes, np.where(odd, c.window.day(c.chance, "other aid", homes), NEVER), 0, 0, 4)
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
    turn = np.where(p.fallen, p.change + 12, np.where(p.refused < NEVER, p.refused - 30, c.window.day(c.chance, "clue", homes)))
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
            "诉求内容": words(("家人生病住院，费用负担重", "失去工作，生活困难", "申请最低生活保障", "房屋受损", "咨询临时救助"), h % 5),
            "办理期限": dates(term),
            "办结日期": dates(np.where(done, closed, NEVER)),
            "办理结果": blank(words(("已纳入救助", "已解释政策", "已转介", "经核查不符合条件"), h % 4), ~done),
        }
    )
