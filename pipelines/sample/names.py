"""Names: surnames by how common they are, given names by generation and sex. All combinations are by chance."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.sample.chance import Bools, Chance, Ints

SURNAMES = (
    "李王张刘陈杨黄赵周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金"
    "陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
# by generation: born before 1960, before 1985, before 2005, later
MALE = (
    "国德明文光荣福贵春生金树清正学大全兴有才元成世永发仁义礼顺昌",
    "建军国平志强明华勇伟林刚辉东峰斌波涛云海龙飞兵权军庆忠民宏立",
    "俊杰浩宇鹏涛磊超凯鑫阳帆洋旭晨翔斌豪健坤博文龙昊天志伟嘉亮",
    "子轩浩然梓涵宇航俊熙奕辰博文一诺铭泽嘉豪睿晨逸皓景瑞沐阳佑霖",
)
FEMALE = (
    "秀英桂兰玉珍素芳淑贞凤莲翠花美香菊梅春仙德琼碧清淑华金秀玉芬",
    "丽芳红霞燕敏艳萍琴玲娟英梅群容蓉小华群芬琼会平莉琳素云惠利秀",
    "婷雪倩静丹娜佳慧敏颖欣怡梦洁莹莎璐瑶思雨琳晓露雯玲艳蕾媛媛晶",
    "子涵欣怡梓萱诗雨可馨雨桐一诺思琪佳怡语晨若溪艺诺芷瑶沐妍悦心",
)
SINGLE_CHARACTER = (0.10, 0.26, 0.30, 0.07)
GENERATIONS = (-3653, 5479, 12784)
"""1960-01-01, 1985-01-01 and 2005-01-01, where generations part."""


def surname_of_homes(chance: Chance, village: Ints) -> Ints:
    """The surname of each household's family: villages have a leading clan."""
    homes = np.arange(len(village))
    weights = 1.0 / np.arange(8, 8 + len(SURNAMES))
    own = chance.choice(weights.tolist(), "surname", homes)
    clan = chance.choice(weights.tolist(), "clan", village)
    return np.where(chance.happens(0.3, "of the clan", homes), clan, own)


def names_of(chance: Chance, surname: Ints, male: Bools, birth: Ints) -> pl.Series:
    """Full names from surname index, sex and birth date."""
    people = np.arange(len(surname))
    given = np.searchsorted(np.asarray(GENERATIONS), birth, side="right")
    pools = [*MALE, *FEMALE]
    starts = np.cumsum([0, *(len(pool) for pool in pools)])
    pool = given + np.where(male, 0, 4)
    lengths = np.asarray([len(text) for text in pools])[pool]
    characters = pl.Series(list("".join(pools)))
    first = starts[pool] + chance.whole(0, lengths - 1, "given 1", people)
    second = starts[pool] + chance.whole(0, lengths - 1, "given 2", people)
    short = chance.happens(np.asarray(SINGLE_CHARACTER)[given], "short name", people)
    parts = pl.DataFrame(
        {
            "a": pl.Series(list(SURNAMES)).gather(pl.Series(surname)),
            "b": characters.gather(pl.Series(first)),
            "c": characters.gather(pl.Series(second)),
            "short": short,
        }
    )
    return parts.select(
        pl.when("short").then(pl.concat_str("a", "b")).otherwise(pl.concat_str("a", "b", "c")).alias("name")
    ).to_series()
