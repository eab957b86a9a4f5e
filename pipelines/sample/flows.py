"""The monthly streams: settlements, insurance, payments, subsidies and visits, some of which arrive months late."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from pipelines.sample.chance import Bools, Ints
from pipelines.sample.county import County
from pipelines.sample.events import aid_cases
from pipelines.sample.ledgers import care_kinds, words
from pipelines.sample.months import NEVER, dates, first_day, last_day
from pipelines.sample.programmes import POOR_ONCE, standard


def arrived(build: Callable[[County, int], pl.DataFrame], c: County, month: int, back: int) -> pl.DataFrame:
    """The rows of the months delivered now: each carries in `_lag` how many months it is late."""
    parts = [build(c, month).filter(pl.col("_lag") == 0)]
    for ago in range(1, max(back, 2) + 1):
        late = pl.col("_lag") <= ago if ago <= back else pl.col("_lag") == ago
        parts.append(build(c, month - ago).filter(late & ((pl.col("_lag") > 0) | (ago <= back))))
    return pl.concat(parts).drop("_lag")


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
    nth = np.repeat(np.arange(4), [len(rows) for rows in courses])
    bill = np.exp(9.85 + 0.55 * c.chance.normal("serious bill", serious, nth)).clip(5000, 160000)
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
    grave = words(("恶性肿瘤", "急性心肌梗死", "脑出血", "终末期肾病", "重型再生障碍性贫血", "肝硬化"), c.chance.whole(0, 5, "illness", who))
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
    """One row is a person and year: nearly everybody in January, some in February and March; newborns when registered."""
    people = c.people
    everyone = np.arange(len(people))
    parts = []
    for year in range((month - back) // 12, month // 12 + 1):
        january = year * 12
        told = january + c.chance.choice((0.9, 0.07, 0.03), "insured late", everyone, year)
        told = np.where(people.entered > january, people.entered + 1, told)
        if back and year < month // 12:
            told = np.maximum(told, month - back)
        fresh = (told <= month) & (told >= month - back) & (people.dead > first_day(january)) & (people.removed > january)
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


def _paid(c: County, key: Ints, month: int, person: Ints, project: list[tuple[str, int]], amount: Ints) -> pl.DataFrame:
    """Payments with their failures; most of what failed is paid a month or two later."""
    names = pl.Series([name for name, count in project for _ in range(count)], dtype=pl.String)
    luck = c.chance.share("payment fails", key, month)
    fails = luck < c.lapse(c.people.home[person], 0.0032)
    mended = fails & c.chance.happens(0.9, "paid again", key, month)
    lag = np.where(mended, 1 + (key % 2), 0)
    rows = np.concatenate([np.arange(len(person)), np.flatnonzero(mended)])
    again = np.arange(len(rows)) >= len(person)
    state = np.where(again, 0, np.where(fails[rows], 1 + key[rows] % 2, 0))
    return pl.DataFrame(
        {
            "_key": key[rows] * 2 + again,
            "_lag": np.where(again, lag[rows], 0),
            "项目": names.gather(pl.Series(rows)),
            "发放年月": dates(np.full(len(rows), int(first_day(month)))),
            **c.named(person[rows]),
            "金额": amount[rows],
            "发放状态": words(("成功", "失败", "退回"), state),
        }
    )


def _payments(c: County, month: int) -> pl.DataFrame:
    """A month's payments: dibao to the head of the household, everything else to the person."""
    p, people = c.programmes, c.people
    begin, day = int(first_day(month)), int(last_day(month))
    h = np.flatnonzero(p.on_dibao(month))
    knows = c.chance.choice((0.72, 0.18, 0.10), "head still paid", h)
    payee = c.head_on(h, first_day(month - knows))
    alive = c.believed_alive(month, "payments")
    h, payee = h[alive[payee] | (people.dead[payee] > begin)], payee[alive[payee] | (people.dead[payee] > begin)]
    base = standard(month, c.homes.urban[h])
    pay = p.pay(h, day - 60)
    living = c.living(h, np.full(len(h), begin)).clip(1)
    need = np.where(p.gradual[h] < NEVER, base * 0.4, base - np.minimum(pay, base)) * living
    alone = np.flatnonzero(c.alone_on_dibao(month) & alive)
    support = np.flatnonzero(c.on_tekun(month) & alive)
    orphans, kind = care_kinds(c, month)
    orphans = orphans[(kind <= 1) & alive[orphans]]
    granted, accepted, _, _ = aid_cases(c)
    granted = granted[(accepted >= begin) & (accepted <= day)]
    dear = np.concatenate([payee, support]) if month % 12 == 1 else np.zeros(0, np.int64)
    person = np.concatenate([payee, alone, support, orphans, granted, dear])
    urban = c.homes.urban[people.home]
    amount = np.concatenate(
        [
            np.ceil(np.maximum(need, 60)),
            np.ceil(standard(month, urban[alone]) * 0.4),
            np.ceil(standard(month, urban[support]) * 1.3) + 50,
            np.full(len(orphans), 1300),
            600 + granted % 30 * 100,
            np.full(len(dear), 45),
        ]
    ).astype(np.int64)
    counts = [len(payee), len(alone), len(support), len(orphans), len(granted), len(dear)]
    names = ["低保", "低保", "特困", "孤儿", "临时救助", "价格临时补贴"]
    key = person * 8 + np.repeat(np.asarray([0, 1, 2, 3, 4, 5]), counts)
    return _paid(c, key, month, person, list(zip(names, counts, strict=True)), amount)


def payments(c: County, month: int, back: int) -> pl.DataFrame:
    """One row is a payment."""
    return arrived(_payments, c, month, back)


def _subsidies(c: County, month: int) -> pl.DataFrame:
    """The two subsidies of a month: living for holders on dibao, care for grades 1 and 2 who are not on tekun."""
    s, people = c.shocks, c.people
    everyone = np.arange(len(people))
    alive = c.believed_alive(month, "subsidies") & (people.birth < first_day(month))
    known = (s.certified < first_day(month - 1)) & alive
    expired = c.chance.happens(0.025, "expired", everyone) & ~c.chance.happens(0.25, "paid all the same", everyone)
    known &= ~expired
    dibao = c.programmes.on_dibao(month - 1)[people.home] | c.alone_on_dibao(month - 1)
    lapse = c.lapse(people.home, 0.02)
    living = np.flatnonzero(known & dibao & ~c.chance.happens(lapse, "living subsidy forgotten", everyone))
    care = np.flatnonzero(known & (s.grade <= 2) & ~c.on_tekun(month) & ~c.chance.happens(lapse, "care subsidy forgotten", everyone))
    person = np.concatenate([living, care])
    kind = np.arange(len(person)) >= len(living)
    amount = np.where(kind, np.where(s.grade[person] == 1, 100, 80), 90)
    paid = _paid(c, person * 2 + kind, month, person, [("生活补贴", len(living)), ("护理补贴", len(care))], amount)
    return paid.rename({"项目": "补贴类型"}).select(
        "_key", "_lag", "姓名", "证件号码", "补贴类型", "发放年月", "金额", "发放状态"
    )


def disability_subsidy(c: County, month: int, back: int) -> pl.DataFrame:
    """One row is a payment of one of the two subsidies."""
    return arrived(_subsidies, c, month, back)


def _visits(c: County, month: int) -> pl.DataFrame:
    """Visits of a month: the supported every month, the special groups and households at risk every second."""
    p, people, day = c.programmes, c.people, int(last_day(month))
    homes = np.arange(len(c.homes))
    half = month // 6
    alive = people.dead > day

    def lapses(of: Ints, purpose: str, share: float) -> Bools:
        return c.chance.happens(c.lapse(of, share), purpose, of, half)

    supported = np.flatnonzero(c.on_tekun(month) & ~p.central & alive)
    supported = supported[~c.chance.happens(c.lapse(people.home[supported], 0.035), "no visit", supported, month)]
    care, kind = care_kinds(c, month)
    keeps = ~c.chance.happens(c.lapse(people.home[care], 0.035), "no visit", care, half)
    care = care[alive[care] & keeps & (kind < 5) & ((care + month) % 2 == 0)]
    risk = homes[p.at_risk(day) & ((homes + month) % 2 == 0)]
    risk = risk[~c.chance.happens(c.lapse(risk, 0.06), "not visited", risk)]  # as in the list itself
    others = homes[(p.on_dibao(month) | (p.listed == POOR_ONCE)) & ~p.at_risk(day) & ((homes + month) % 6 == 0)]
    others = others[~lapses(others, "no visit other", 0.06)]
    home = np.concatenate([people.home[supported], people.home[care], risk, others])
    named = np.concatenate([np.ones(len(supported) + len(care), bool), c.chance.happens(0.7, "visit names", risk, month), others % 3 > 0])
    person = np.concatenate([supported, care, c.head_on(risk, day), c.head_on(others, day)])
    first = np.concatenate([np.ones(len(supported), bool), np.zeros(len(care) + len(risk) + len(others), bool)])
    way = np.where(first, 0, c.chance.choice((0.8, 0.15, 0.05), "visit by", person, month))
    visitor = people.name.gather(pl.Series(c.homes.start[(c.homes.village[home] * 97 + home % 3) % len(c.homes)]))
    late = c.chance.happens(0.05, "township is late", c.homes.township[home], month)
    who = c.named(person)
    unnamed = pl.Series([None], dtype=pl.String).new_from_index(0, len(home))
    return pl.DataFrame(
        {
            "_key": person * 64 + month % 64,
            "_lag": late.astype(np.int64),
            "走访日期": dates(first_day(month) + c.chance.whole(0, 27, "visited on", person, month)),
            "走访人": visitor,
            "户编号": c.home_number.gather(pl.Series(home)),
            **{name: values.zip_with(pl.Series(named), unnamed) for name, values in who.items()},
            "走访方式": words(("入户", "电话", "视频"), way),
            "走访结果": words(("情况正常", "已宣传政策", "身体欠佳，已联系村医", "无异常"), c.chance.whole(0, 3, "found", person, month)),
            **c.placed(home),
        }
    )


def visits(c: County, month: int, back: int) -> pl.DataFrame:
    """One row is a visit; a township that hands in late brings its visits a month later."""
    return arrived(_visits, c, month, back)
