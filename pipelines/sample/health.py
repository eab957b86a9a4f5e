"""Settlements and insurance of the sick and the well; some settlements arrive months late."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.sample.chance import Ints
from pipelines.sample.columns import words
from pipelines.sample.county import County
from pipelines.sample.flows import arrived
from pipelines.sample.months import dates, first_day, last_day


def _medical(c: County, month: int) -> pl.DataFrame:
    """Ordinary settlements of a month, and those of serious illnesses that began in it or up to five months before."""
    people, day = c.people, int(last_day(month))
    everyone = np.arange(len(people))
    age = people.age(day)
    here = (people.birth < first_day(month)) & (people.dead > day)
    luck = c.chance.share("settles", everyone, month)
    inpatient = np.select([age < 6, age < 45, age < 65], [0.006, 0.003, 0.008], 0.018)
    clinic = np.select([age < 6, age < 45, age < 65], [0.02, 0.012, 0.035], 0.07)
    person = np.flatnonzero(here & (luck < inpatient + clinic))
    stays = luck[person] < inpatient[person]
    size = np.exp(0.7 * c.chance.normal("bill", person, month))
    total = np.where(stays, 4200 * size, 210 * size).clip(30, 26000)
    share = np.where(stays, 0.24, 0.42)
    courses: list[Ints] = []
    for nth in range(4):
        again = c.chance.happens(1.0 if nth == 0 else 0.6, "another stay", everyone, nth)
        when = c.shocks.ill + nth * c.chance.whole(25, 45, "stays apart", everyone)
        sick = np.flatnonzero(again & (when >= first_day(month)) & (when <= day) & (people.dead > when))
        courses.append(sick)
    serious = np.concatenate(courses)
    stay = np.repeat(np.arange(4), [len(rows) for rows in courses])
    bill = np.exp(9.85 + 0.55 * c.chance.normal("serious bill", serious, stay)).clip(5000, 160000)
    who = np.concatenate([person, serious])
    heavy = np.arange(len(who)) >= len(person)
    total = np.round(np.concatenate([total, bill]), 2)
    share = np.concatenate([share, np.full(len(serious), 0.30)])
    home = people.home[who]
    helped = c.programmes.on_dibao(month)[home] | c.alone_on_dibao(month)[who]
    aided = np.select([c.on_tekun(month)[who], helped, c.programmes.on_low(month)[home]], [0.96, 0.72, 0.5], 0.0)
    aided = np.where(heavy & c.chance.happens(c.lapse(home, 0.1), "medical aid forgotten", who), 0.0, aided)
    own = total * share
    aid = np.round(own * aided, 2)
    extra = np.where(heavy, np.round(total * 0.12, 2), 0.0)
    paid = np.round(own - aid, 2)
    when = first_day(month) + c.chance.whole(0, 27, "settled on", who, month)
    illness = c.chance.whole(0, 5, "illness", who)
    common = words(("肺炎", "高血压", "2型糖尿病", "腰椎间盘突出", "急性支气管炎", "骨折"), illness)
    grave = words(
        ("恶性肿瘤", "急性心肌梗死", "脑出血", "终末期肾病", "重型再生障碍性贫血", "肝硬化"),
        c.chance.whole(0, 5, "illness", who),
    )
    ward = np.concatenate([stays, np.ones(len(serious), dtype=bool)])
    late = c.chance.choice((0.85, 0.12, 0.03), "settled late", who, month)
    return pl.DataFrame(
        {
            "_key": who * 64 + month % 64,
            "_lag": late,
            **c.named(who),
            "结算日期": dates(when),
            "医疗类别": words(("门诊", "住院"), ward),
            "病种": common.zip_with(pl.Series(~heavy), grave),
            "重大疾病": pl.Series(heavy),
            "总费用": total,
            "基本医保支付": np.round(total - own - extra, 2).clip(0),
            "大病保险支付": extra,
            "医疗救助": aid,
            "个人自付": paid,
        }
    )


def medical(c: County, month: int, back: int) -> pl.DataFrame:
    """One row is a settlement."""
    return arrived(_medical, c, month, back)


def insurance(c: County, month: int, back: int) -> pl.DataFrame:
    """One row is a person and year: nearly all in January, some in February and March; newborns when registered."""
    people = c.people
    everyone = np.arange(len(people))
    parts = []
    for year in range((month - back) // 12, month // 12 + 1):
        january = year * 12
        told = january + c.chance.choice((0.9, 0.07, 0.03), "insured late", everyone, year)
        told = np.where(people.entered > january, people.entered + 1, told)
        if back and year < month // 12:
            told = np.maximum(told, month - back)
        fresh = (
            (told <= month) & (told >= month - back) & (people.dead > first_day(january)) & (people.removed > january)
        )
        helped = c.assisted(month)
        lapse = c.lapse(people.home, 1.0)
        luck = c.chance.share("insured", everyone, year)
        missing = np.where(helped, 0.003 * lapse, 0.012)
        bad = np.where(helped, 0.007 * lapse, 0.03)
        rows = np.flatnonzero(fresh & (luck >= missing))
        state = np.where(luck[rows] < missing[rows] + bad[rows], 1 + rows % 2, 0)
        paid = np.where(c.on_tekun(month)[rows], 400, np.where(helped[rows], 240, 0))
        parts.append(
            pl.DataFrame(
                {
                    "_key": rows * 4 + year % 4,
                    **c.named(rows),
                    "参保年度": np.full(len(rows), year),
                    "参保状态": words(("正常参保", "中断", "未参保"), state),
                    "资助金额": pl.Series(np.where(state == 0, paid, 0)).cast(pl.Int64).replace({0: None}),
                }
            )
        )
    return pl.concat(parts)
