"""The registry of households, from which every other feed takes who belongs to whom."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from pipelines.sample.columns import blank, words
from pipelines.sample.county import County
from pipelines.sample.months import dates, last_day


def registry(c: County, month: int) -> pl.DataFrame:
    """One row is a member of a household; a few stand in two households."""
    everyone = np.arange(len(c.people))
    here = c.listed(month) & ~c.unregistered
    person = everyone[here]
    away = here & (c.people.role > 1) & (c.people.age(int(last_day(month))) >= 18)
    twice = everyone[away & c.chance.happens(0.006, "in two households", everyone)]
    home = np.concatenate([c.people.home[person], (c.people.home[twice] + 13) % len(c.homes)])
    day = int(last_day(month))
    relation = pl.concat([c.relation(person, day), words(("之女", "之子"), c.people.male[twice])])
    key = np.concatenate([person, twice + len(c.people)])
    person = np.concatenate([person, twice])
    order = np.argsort(home, kind="stable")
    person, home, key = person[order], home[order], key[order]
    age = c.people.age(day)[person]
    newborn = (day - c.people.birth[person] < 120) & c.chance.happens(0.5, "no number yet", person)
    labour = c.chance.share("labour", person)
    earner = c.shocks.earner[person]
    grown = np.select([labour < 0.10, labour < 0.90], [1, 0], 2)
    aged = np.select([labour < 0.15, labour < 0.6], [0, 2], 3)
    labour = np.select(
        [(age < 16) | c.shocks.no_labour[person] | (age >= 70), age >= 60, earner | (age < 18)], [3, aged, grown], 3
    )
    disabled = c.shocks.certified[person] <= day
    ill = np.abs(c.shocks.ill[person] - day + 180) < 200
    chronic = (age > 45) & c.chance.happens(0.28, "chronic", person)
    health = np.select([disabled & chronic, disabled, ill, chronic], [3, 4, 2, 1], 0)
    minority = c.chance.choice((0.92, 0.05, 0.03), "people", home)
    group = c.chance.whole(1, 9, "group", home)
    door = pl.Series(c.chance.whole(1, 160, "door", home)).cast(pl.String)
    groups = pl.Series(group).cast(pl.String) + "组"
    named = c.named(person)
    frame: dict[str, Any] = {
        "_key": key,
        "户编号": c.home_number.gather(pl.Series(home)),
        "与户主关系": relation.gather(pl.Series(order)),
        "姓名": named["姓名"],
        "证件号码": blank(named["证件号码"], newborn),
        "性别": words(("女", "男"), c.people.male[person]),
        "出生日期": dates(c.people.birth[person]),
        "民族": words(("汉族", "土家族", "苗族"), minority),
        **c.placed(home),
        "村民小组": groups,
        "户籍类型": words(("农村", "城镇"), c.homes.urban[home]),
        "联系电话": blank(c.phone.gather(pl.Series(home)), c.chance.happens(0.18, "no phone", home)),
        "住址": c.village.gather(pl.Series(home)) + groups + door + "号",
        "劳动能力": words(("普通劳动力", "技能劳动力", "弱劳动力或半劳动力", "无劳动力"), labour),
        "健康状况": words(("健康", "长期慢性病", "大病", "长期慢性病、残疾", "残疾"), health),
    }
    return pl.DataFrame(frame)
