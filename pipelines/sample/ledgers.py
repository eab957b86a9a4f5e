"""The ledgers of civil affairs: dibao, tekun and low-income families, state feeds that arrive every month."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.sample.chance import Ints
from pipelines.sample.columns import blank, first_few, words
from pipelines.sample.county import County
from pipelines.sample.months import NEVER, dates, first_day, last_day
from pipelines.sample.programmes import standard

CAUSES = ("因病", "因残", "缺劳动力", "因学", "因灾", "务工就业不稳", "缺技术", "其他")


def dibao(c: County, month: int) -> pl.DataFrame:
    """One row is a person on the allowance; the dead stay a while, ended households stay in the ledger for years."""
    p, people, day = c.programmes, c.people, int(last_day(month))
    home = people.home
    shown = (p.dibao_start <= month) & (p.dibao_end > c.window.first - 36)
    part = c.chance.happens(c.lapse(np.arange(len(c.homes)), 0.022), "part of the family", np.arange(len(c.homes)))
    last_two = (
        np.arange(len(people))
        >= (c.homes.start + np.where(part & (c.homes.size >= 4), c.homes.size - 2, c.homes.size))[home]
    )
    whole = shown[home] & c.ever_on(month, "dibao") & ~last_two
    alone = c.alone_on_dibao(month) & c.ever_on(month, "dibao") & ~whole
    also = first_few(c, c.on_tekun(month) & (people.dead > day), 0.005, "also on dibao")
    alone |= also
    again = first_few(c, whole & (people.dead > day) & p.on_dibao(month)[home], 0.0015, "under two certificates")
    person = np.concatenate([np.flatnonzero(whole), np.flatnonzero(alone), np.flatnonzero(again)])
    single = np.arange(len(person)) >= int(whole.sum())
    h = home[person]
    start = np.where(
        single, np.where(p.single_start[person] < NEVER, p.single_start[person], c.window.start - 9), p.dibao_start[h]
    )
    end = np.minimum(np.where(single, NEVER, p.dibao_end[h]), c.struck_from("dibao")[person])
    end = np.where(end <= month, end, NEVER)
    base = standard(month, c.homes.urban[h])
    pay = p.pay(h, day - 60)
    known = c.living(h, np.full(len(h), day)).clip(1)
    need = np.where(p.gradual[h] < NEVER, base * 0.4, base - np.minimum(pay, base)) * np.where(single, 1, known)
    grade = np.where(c.shocks.severe[c.homes.head[h]] | single, 0, c.chance.choice((0.3, 0.5, 0.2), "class", h))
    head = np.where(single, person, c.head_on(h, first_day(month - 1)))
    reviewed = _reviewed(c, h, grade, month)
    reviewed = np.minimum(reviewed, first_day(end) - 20)  # nobody reviews what has ended
    reviewed = np.where(reviewed >= first_day(start), reviewed, NEVER)
    relation = c.relation(person, int(first_day(month - 1)))
    return pl.DataFrame(
        {
            "_key": person * 4 + np.where(single, 1, 0),
            "救助证编号": words(("DB", "DS"), single)
            + pl.Series(np.where(single, person, h)).cast(pl.String).str.zfill(8),
            **c.named(head, "户主姓名", "户主证件号码"),
            **c.named(person),
            "与户主关系": relation.zip_with(pl.Series(~single), words(("户主",), np.zeros(len(h)))),
            "低保类型": words(("农村低保", "城市低保"), c.homes.urban[h]),
            "保障方式": words(("整户", "单人户"), single),
            "类别": words(("A类", "B类", "C类"), grade),
            "家庭月人均收入": np.round(pay, 1),
            "户月保障金额": np.ceil(np.maximum(need, 60)).astype(np.int64),
            "享受起始日期": dates(first_day(start)),
            "渐退起始日期": dates(np.where((p.gradual[h] <= day) & ~single, p.gradual[h], NEVER)),
            "终止日期": dates(np.where(end < NEVER, first_day(end), NEVER)),
            "最近复核日期": dates(reviewed),
            **c.placed(h),
            "致贫原因": words(CAUSES, c.chance.choice((30, 18, 18, 7, 5, 10, 6, 6), "cause", h)),
        }
    ).sort("救助证编号", maintain_order=True)


def _reviewed(c: County, homes: Ints, grade: Ints, month: int) -> Ints:
    """The day of the last review: on time for nearly all, half as long again as allowed for the forgotten."""
    every = np.asarray([11, 5, 2])[grade]
    every = np.where(c.chance.happens(c.lapse(homes, 0.06), "review forgotten", homes), every * 2 + 2, every)
    since = (month + c.chance.whole(0, 40, "review phase", homes)) % every
    return first_day(month - since) + c.chance.whole(1, 26, "review day", homes, month - since)


def tekun(c: County, month: int) -> pl.DataFrame:
    """One row is a person supported by the state; who has died stays with an end date, where the registry ever knew them."""
    person = np.flatnonzero(c.on_tekun(month) & c.ever_on(month, "tekun"))
    ended = c.struck_from("tekun")[person]
    h = c.people.home[person]
    central = c.programmes.central[person]
    care = c.chance.choice((0.66, 0.24, 0.10), "self-care", person)
    alone = c.living(h, np.full(len(h), int(last_day(month)))) <= 1
    base = np.ceil(standard(month, c.homes.urban[h]) * 1.3)
    old = c.chance.happens(c.lapse(h, 0.03), "old amount", person)
    amount = np.where(old, np.ceil(standard(0, c.homes.urban[h]) * 1.3), base)
    carer = c.people.name.gather(pl.Series(c.homes.start[(h + 7) % len(c.homes)]))
    device = np.where(c.chance.happens(c.lapse(h, 0.05), "no device", person), 0, 1)
    return pl.DataFrame(
        {
            "_key": person,
            **c.named(person),
            "供养方式": words(("分散供养", "集中供养"), central),
            "自理能力": words(("全自理", "半护理", "全护理"), care),
            "是否独居": pl.Series(alone & ~central),
            "集中供养意愿": pl.Series(central | (c.chance.happens(0.04, "would move", person) & (care > 0))),
            "供养机构": blank(words(tuple(institution_names(c)), institution_of(c, person)), ~central),
            "照料服务人": blank(carer, central | c.chance.happens(c.lapse(h, 0.03), "no carer", person)),
            "居家安全服务": blank(pl.Series((device == 1) & alone & (care == 0)), central),
            "月基本生活费": amount.astype(np.int64),
            "月照料护理费": np.asarray([50, 200, 300])[care],
            "享受起始日期": dates(first_day(c.programmes.tekun_start[person])),
            "终止日期": dates(np.where(ended <= month, first_day(ended), NEVER)),
            **c.placed(h),
        }
    )


def institution_names(c: County) -> list[str]:
    """One home for every 40,000 people, four at least."""
    count = max(4, len(c.people) // 40_000)
    towns = c.places.townships
    return [f"{towns[(3 * n) % len(towns)]}{'中心敬老院' if n < 4 else f'第{n}敬老院'}" for n in range(count)]


def institution_of(c: County, persons: Ints) -> Ints:
    """The home in which somebody supported in an institution lives."""
    return c.chance.whole(0, len(institution_names(c)) - 1, "institution", persons)


def low_income(c: County, month: int) -> pl.DataFrame:
    """One row is a person in a recognised family; those whose recognition has ended stay listed."""
    p = c.programmes
    shown = (p.low_start <= month) & (p.low_end > c.window.first - 36)
    person = np.flatnonzero(shown[c.people.home] & c.ever_on(month, "low income"))
    h = c.people.home[person]
    end = np.minimum(p.low_end[h], c.struck_from("low income")[person])
    return pl.DataFrame(
        {
            "_key": person,
            "类别": words(("低保边缘家庭", "刚性支出困难家庭", "其他低收入家庭"), p.low_kind[h]),
            **c.named(c.head_on(h, first_day(month)), "户主姓名", "户主证件号码"),
            **c.named(person),
            "与户主关系": c.relation(person, int(first_day(month))),
            "认定日期": dates(first_day(p.low_start[h]) + c.chance.whole(0, 20, "recognised on", h)),
            "终止日期": dates(np.where(end <= month, first_day(end), NEVER)),
            **c.placed(h),
        }
    )
