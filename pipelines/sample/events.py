"""Events that are told late and again when they are over: deaths, floods, checks of a household's means."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.sample.chance import Bools, Ints
from pipelines.sample.columns import words
from pipelines.sample.county import County
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
    ends = np.where(
        p.dibao_start < NEVER, first_day(p.dibao_end), np.where(p.low_start < NEVER, first_day(p.low_end), NEVER)
    )
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
    add(odd, w.day(c.chance, "other check on", homes))
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
    cost = np.where(
        (earners > 0) & c.chance.happens(0.22, "work costs", h), 600 + 1800 * c.chance.share("work cost", h), 0
    )
    medical = np.where(
        c.chance.happens(0.35, "medical", h, day), 0.18 * c.chance.share("medical cost", h, day) * net, 0
    )
    medical = np.where(rigid, net * (1.7 + c.chance.share("medical cost", h, day)), medical)
    study = np.where(
        (students > 0) & c.chance.happens(0.6, "study", h), 0.12 * c.chance.share("study cost", h) * net, 0
    )
    care = np.where(ailing > 0, 0.05 * c.chance.share("care cost", h) * net, 0)
    gross = net + cost + medical + study + care
    pension = np.minimum(old * 1980, gross * 0.7)
    rest = gross - pension
    moved = rest * np.where(earners > 0, 0.05 + 0.1 * c.chance.share("transfers", h), 0.7)
    land = rest * 0.04 * c.chance.share("land", h)
    wage = (rest - moved - land) * np.where(earners > 0, 0.35 + 0.6 * c.chance.share("wages", h), 0.0)
    items = [wage, rest - moved - land - wage, land, moved, pension, cost, medical, study, care]
    headings = (
        "工资性收入",
        "经营净收入",
        "财产净收入",
        "转移净收入",
        "基础养老金",
        "必要就业成本",
        "医疗自付支出",
        "教育支出",
        "残疾康复支出",
    )
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
