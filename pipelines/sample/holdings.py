"""What households own, by the registers of other departments: state feeds that arrive by the quarter.

A household on dibao rarely owns a car or a shop: where it does, a rule fires, and that must stay the exception.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.sample.chance import Bools, Ints
from pipelines.sample.columns import words
from pipelines.sample.county import County
from pipelines.sample.months import dates, last_day
from pipelines.sample.people import ELDER, ELDERS


def poor(c: County, month: int) -> Bools:
    """By household: on dibao, tekun or the low-income list in the month, or to be so within two years."""
    p = c.programmes
    soon = month + 24
    tekun = (p.tekun_start[c.homes.head] <= soon) | (p.tekun_start[c.homes.heir] <= soon)
    return ((p.dibao_start <= soon) & (p.dibao_end > month)) | p.on_low(month) | tekun | p.fallen


def _owners(c: County, share_of_poor: float, share: float, purpose: str, month: int) -> Ints:
    """Households that own something: each by the share for the poor or for everybody else."""
    every = np.arange(len(c.homes))
    old = np.isin(c.homes.shape, (ELDER, ELDERS))
    chance = np.where(poor(c, month), share_of_poor, np.where(old, share * 0.3, share))
    return np.flatnonzero(c.chance.happens(chance, purpose, every))


def vehicles(c: County, month: int) -> pl.DataFrame:
    """One row is a vehicle: cars and motorcycles."""
    cars, cycles = _owners(c, 0.006, 0.30, "car", month), _owners(c, 0.022, 0.36, "motorcycle", month)
    h = np.concatenate([cars, cycles])
    kind = np.concatenate([np.zeros(len(cars), np.int64), np.ones(len(cycles), np.int64)])
    owner = c.head_on(h, c.window.days[0])
    sold = c.chance.happens(np.where(poor(c, month)[h], 0.25, 0.05), "sold", h, kind)
    plate = "渝" + words(tuple("ABCDFGHN"), h % 8) + pl.Series(h * 2 + kind + 10000).cast(pl.String)
    return pl.DataFrame(
        {
            "_key": h * 2 + kind,
            **c.named(owner),
            "号牌号码": plate,
            "车辆类型": words(("汽车", "摩托车"), kind),
            "登记日期": dates(c.window.days[0] - c.chance.whole(30, 3600, "registered on", h, kind)),
            "状态": words(("正常", "注销"), sold),
        }
    )


def real_estate(c: County, month: int) -> pl.DataFrame:
    """One row is a title: own houses in villages, flats in communities; a second flat here and there."""
    urban = c.homes.urban
    own = _owners(c, 0.3, 0.36, "own house", month)
    own = own[~urban[own]]
    flat = _owners(c, 0.45, 0.66, "flat in town", month)
    flat = flat[urban[flat]]
    second = _owners(c, 0.006, 0.085, "second flat", month)
    h = np.concatenate([own, flat, second])
    kind = np.repeat([1, 0, 0], [len(own), len(flat), len(second)])
    nth = np.repeat([0, 1, 2], [len(own), len(flat), len(second)])
    resettled = (kind == 0) & (nth == 1) & c.chance.happens(0.2, "resettled", h)
    years = np.where(nth == 2, 1 + 9 * c.chance.share("flat bought", h), 5 + 15 * c.chance.share("house built", h))
    number = "渝(2020)青禾县不动产权第" + pl.Series(h * 3 + nth).cast(pl.String).str.zfill(7) + "号"
    return pl.DataFrame(
        {
            "_key": h * 3 + nth,
            **c.named(c.head_on(h, c.window.days[0])),
            "不动产权证号": number,
            "房屋性质": words(("商品房", "自建房", "安置房"), np.where(resettled, 2, kind)),
            "取得方式": words(("购买", "自建", "征地拆迁"), np.where(resettled, 2, kind)),
            "登记日期": dates(c.window.days[1] - (years * 365).astype(np.int64)),
            "面积": np.round(60 + 80 * c.chance.share("area", h, nth), 2),
            "坐落": c.town.gather(pl.Series(h)) + c.village.gather(pl.Series(h)),
            "状态": words(("现势", "注销"), c.chance.happens(0.02, "title ended", h, nth)),
        }
    )


def business(c: County, month: int) -> pl.DataFrame:
    """One row is a person's role in a business."""
    h = _owners(c, 0.012, 0.085, "business", month)
    role = c.chance.choice((0.72, 0.16, 0.12), "role", h)
    state = c.chance.choice((0.78, 0.17, 0.05), "business state", h)
    trade = words(
        ("百货店", "小吃店", "农机服务部", "养殖场", "种植专业合作社", "建材经营部"), c.chance.whole(0, 5, "trade", h)
    )
    owner = c.head_on(h, c.window.days[0])
    return pl.DataFrame(
        {
            "_key": h,
            **c.named(owner),
            "统一社会信用代码": "92500999MA" + pl.Series(h).cast(pl.String).str.zfill(8),
            "企业名称": "青禾县" + c.people.name.gather(pl.Series(owner)) + trade,
            "角色": words(("经营者", "法定代表人", "股东"), role),
            "成立日期": dates(c.window.days[0] - c.chance.whole(60, 4000, "founded", h)),
            "状态": words(("存续", "注销", "吊销"), state),
            "注册资本": c.chance.whole(1, 50, "capital", h) * 10000,
        }
    )


def housing(c: County, month: int) -> pl.DataFrame:
    """One row is a rural dwelling."""
    day, s = int(last_day(month)), c.shocks
    h = np.flatnonzero(~c.homes.urban)
    bad = (s.grade_of_dwelling[h] >= 2) & (s.dwelling_found[h] <= day)
    grade = np.where(bad, s.grade_of_dwelling[h], np.minimum(s.grade_of_dwelling[h], 1))
    works = s.dwelling_repaired[h]
    state = np.where(bad, np.where(works <= day, 3, np.where(works - 90 <= day, 2, 1)), 0)
    return pl.DataFrame(
        {
            "_key": h,
            "户编号": c.home_number.gather(pl.Series(h)),
            **c.named(c.head_on(h, day), "户主姓名", "户主证件号码"),
            "住房鉴定等级": words(tuple("ABCD"), grade),
            "鉴定日期": dates(np.where(bad, s.dwelling_found[h], np.minimum(s.dwelling_found[h], c.window.days[0]))),
            "改造状态": words((None, "未改造", "改造中", "已改造"), state),
            "饮水是否安全": pl.Series(~s.unsafe_water[h]),
        }
    )
