"""The monthly streams: payments, subsidies and visits, some of which arrive months late."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from pipelines.sample.cases import aid_cases
from pipelines.sample.chance import Bools, Ints
from pipelines.sample.columns import words
from pipelines.sample.county import County
from pipelines.sample.groups import care_kinds
from pipelines.sample.months import NEVER, dates, first_day, last_day
from pipelines.sample.programmes import POOR_ONCE, standard


def arrived(build: Callable[[County, int], pl.DataFrame], c: County, month: int, back: int) -> pl.DataFrame:
    """The rows of the months delivered now: each carries in `_lag` how many months it is late."""
    parts = [build(c, month).filter(pl.col("_lag") == 0)]
    for ago in range(1, max(back, 2) + 1):
        late = pl.col("_lag") <= ago if ago <= back else pl.col("_lag") == ago
        parts.append(build(c, month - ago).filter(late & ((pl.col("_lag") > 0) | (ago <= back))))
    return pl.concat(parts).drop("_lag")


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
    care = np.flatnonzero(
        known & (s.grade <= 2) & ~c.on_tekun(month) & ~c.chance.happens(lapse, "care subsidy forgotten", everyone)
    )
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
    named = np.concatenate(
        [np.ones(len(supported) + len(care), bool), c.chance.happens(0.7, "visit names", risk, month), others % 3 > 0]
    )
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
            "走访结果": words(
                ("情况正常", "已宣传政策", "身体欠佳，已联系村医", "无异常"),
                c.chance.whole(0, 3, "found", person, month),
            ),
            **c.placed(home),
        }
    )


def visits(c: County, month: int, back: int) -> pl.DataFrame:
    """One row is a visit; a township that hands in late brings its visits a month later."""
    return arrived(_visits, c, month, back)
