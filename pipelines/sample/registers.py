"""Disability, schools, pensions, homes for the supported, officials, graduates: by the quarter or season."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.sample.chance import Ints
from pipelines.sample.columns import blank, first_few, words
from pipelines.sample.county import County
from pipelines.sample.holdings import poor
from pipelines.sample.ledgers import institution_names, institution_of
from pipelines.sample.months import NEVER, dates, first_day, last_day, month_at, until
from pipelines.sample.people import CHILD, COUPLE, HEAD, SPOUSE
from pipelines.sample.programmes import POOR_ONCE
from pipelines.sample.shocks import KINDS

STAGES = ("学前", "小学", "初中", "高中", "中职", "大专", "本科", "研究生")
SCHOOLS = (
    "中心幼儿园",
    "中心小学",
    "初级中学",
    "青禾县高级中学",
    "青禾县职业教育中心",
    "青禾职业技术学院",
    "青禾学院",
    "青禾大学",
)


def disability(c: County, month: int) -> pl.DataFrame:
    """One row is a certificate; it is cancelled when the death is known, and a few have run out."""
    day = int(last_day(month))
    s = c.shocks
    person = np.flatnonzero((s.certified <= day) & ~(c.people.removed < month - 12))
    gone = c.people.removed[person] < month
    expired = c.chance.happens(0.025, "expired", person)
    start = s.certified[person]
    renewals = np.maximum((day - start) // 3652, 0) + 1
    renewals = np.where(expired, np.maximum(renewals - 1, 0), renewals)
    ends = np.where(expired & (renewals == 0), day - 90, start + 3652 * renewals)
    kind, grade = s.disability[person], s.grade[person]
    card = c.people.number.gather(pl.Series(person)) + words(tuple("1234567"), kind) + words(tuple("01234"), grade)
    return pl.DataFrame(
        {
            "_key": person,
            **c.named(person),
            "残疾证号": card,
            "残疾类别": words(KINDS, kind),
            "残疾等级": words(("", "一级", "二级", "三级", "四级"), grade),
            "发证日期": dates(start),
            "有效期至": dates(ends),
            "状态": words(("有效", "过期", "注销"), np.where(gone, 2, np.where(expired, 1, 0))),
        }
    )


def stage_of(c: County, month: int) -> Ints:
    """By person: the index into STAGES, −1 for who is no pupil or student this school year."""
    september = month // 12 * 12 + 8
    age = c.people.age(int(first_day(september if month >= september else september - 12)))
    luck = c.chance.share("schooling", np.arange(len(c.people)))
    upper = np.where(luck < 0.55, 3, np.where(luck < 0.93, 4, -1))
    college = np.where(luck < 0.24, 6, np.where(luck < 0.46, 5, -1))
    stage = np.select(
        [age < 3, age < 6, age < 12, age < 15, age < 18, age < 22, age < 24],
        [-1, np.where(luck < 0.92, 0, -1), np.where(luck < 0.997, 1, -1), np.where(luck < 0.996, 2, -1), upper, college,
         np.where(luck < 0.03, 7, -1)],
        -1,
    )  # fmt: skip
    return np.where((c.people.role == HEAD) | (c.people.role == SPOUSE), -1, stage)


def education(c: County, month: int) -> pl.DataFrame:
    """One row is a pupil or student with the latest aid; aid is paid months into the school year."""
    day, stage = int(last_day(month)), stage_of(c, month)
    person = np.flatnonzero((stage >= 0) & (c.people.removed > month) & (c.people.entered <= month))
    stage, h = stage[person], c.people.home[person]
    dropped = (c.shocks.dropped_out[person] <= day) & np.isin(stage, (1, 2))
    resting = ~dropped & c.chance.happens(0.003, "on leave", person)
    once_poor = (c.programmes.listed[h] == POOR_ONCE) & c.chance.happens(0.55, "aid for the once poor", h)
    entitled = c.assisted(month - 3)[person] | once_poor | c.programmes.on_low(month)[h]
    forgotten = c.chance.happens(c.lapse(h, 0.025), "aid forgotten", person)
    aided = (entitled & ~forgotten) | c.chance.happens(0.025, "other aid", person)
    year = month // 12 - (1 if month % 12 < 3 else 0)
    town = c.town.gather(pl.Series(h))
    local = pl.Series(stage <= 2)
    school = words(SCHOOLS, stage)
    amount = np.asarray([500, 625, 750, 1000, 1000, 1900, 2200, 3000])[stage]
    project = words(
        (
            "保教费资助",
            "寄宿生生活补助",
            "寄宿生生活补助",
            "国家助学金",
            "国家助学金",
            "国家助学金",
            "国家助学金",
            "助学贷款",
        ),
        stage,
    )
    return pl.DataFrame(
        {
            "_key": person,
            **c.named(person),
            "学段": words(STAGES, stage),
            "学校": (town.str.slice(0, 2) + school).zip_with(local, school),
            "学籍状态": words(("在读", "休学", "辍学"), np.where(dropped, 2, np.where(resting, 1, 0))),
            "毕业日期": dates(np.full(len(person), NEVER)),
            "资助年度": blank(pl.Series(np.full(len(person), year)), ~aided),
            "资助项目": blank(project, ~aided),
            "资助金额": blank(pl.Series(amount), ~aided),
        }
    )


def social_insurance(c: County, month: int) -> pl.DataFrame:
    """One row is a grown person's pension insurance; lost jobs end the employees' one."""
    day, people = int(last_day(month)), c.people
    age = people.age(day)
    luck = c.chance.share("pension", np.arange(len(people)))
    urban, needy = c.homes.urban[people.home], poor(c, month)[people.home]
    grown = (age >= 16) & (stage_of(c, month) < 0) & (people.removed > month)
    share = np.where(age >= 60, np.where(urban, 0.4, 0.06), np.where(urban, 0.5, 0.2))
    employed = (luck < np.where(needy, 0.012, share)) & ~c.shocks.no_labour
    lost = c.shocks.job_lost <= day
    person = np.flatnonzero(grown & (luck < 0.955))
    job, age, lost = employed[person], age[person], lost[person]
    lost &= job & (age < 60)
    state = np.where(age >= 60, 2, np.where(lost, 1, 0))
    firm = c.chance.whole(0, 39, "firm", person)
    since = c.window.days[0] - c.chance.whole(30, 4000, "insured since", person)
    changed = np.where(state == 2, people.birth[person] + 21915, np.where(lost, c.shocks.job_lost[person], since))
    pension = np.where(job, 2200 + 1900 * luck[person], 165 + 60 * luck[person]).astype(np.int64)
    wage = (3600 + 3200 * c.chance.share("wage", person)).astype(np.int64)
    out = np.where(lost & c.chance.happens(0.6, "registers", person), changed + 12, NEVER)
    return pl.DataFrame(
        {
            "_key": person,
            **c.named(person),
            "险种": words(("城乡居民养老", "城镇职工养老"), job),
            "参保状态": words(("正常参保", "终止参保", "领取待遇"), state),
            "单位名称": blank(
                "青禾" + words(tuple("禾丰华兴泰和"), firm % 6) + pl.Series(firm + 1).cast(pl.String) + "号公司",
                ~job | (state == 2),
            ),
            "月缴费基数": blank(pl.Series(wage), ~job | (state != 0)),
            "月养老金": blank(pl.Series(pension), state != 2),
            "状态日期": dates(np.minimum(changed, day)),
            "失业登记日期": dates(until(out, day)),
        }
    )


def institutions(c: County, month: int) -> pl.DataFrame:
    """One row is a home for the supported; one of them has too few carers."""
    names = institution_names(c)
    person = np.flatnonzero(c.on_tekun(month) & c.programmes.central & (c.people.dead > int(last_day(month))))
    living = np.bincount(institution_of(c, person), minlength=len(names)) + 3
    each = np.where(np.arange(len(names)) % 7 == 2, 14, 7)
    carers = np.maximum(-(-living // each), 1) - np.where((np.arange(len(names)) % 7 == 2) & (living <= 14), 1, 0)
    return pl.DataFrame(
        {
            "_key": np.arange(len(names)),
            "机构名称": names,
            "乡镇": [c.places.townships[(3 * n) % len(c.places.townships)] for n in range(len(names))],
            "床位数": living + 20,
            "护理型床位": (living + 20) // 3,
            "入住人数": living,
            "护理员人数": carers,
        }
    )


def officials(c: County, month: int) -> pl.DataFrame:
    """One row is an official and a relative; nearly all relatives on dibao have been put on record."""
    p = c.programmes
    helped = np.flatnonzero((p.dibao_start <= month) & (p.dibao_end > c.window.first - 36))
    relative = c.homes.head[helped[c.chance.happens(0.09, "an official's relative", helped)]]
    extra = np.flatnonzero(c.chance.happens(0.004, "another relative", np.arange(len(c.homes))))
    relative = np.unique(np.concatenate([relative, c.homes.head[extra]]))
    working = np.flatnonzero(c.shocks.earner & (c.people.dead == NEVER) & (c.people.role <= SPOUSE))
    official = working[(relative * 7919 + 3) % len(working)]
    on_list = p.on_dibao(month)[c.people.home[relative]]
    missing = np.zeros(len(c.people), dtype=bool)
    missing[relative[on_list]] = True
    unrecorded = first_few(c, missing, 0.05, "not on record")[relative]
    return pl.DataFrame(
        {
            "_key": relative,
            **c.named(official, "干部姓名", "干部证件号码"),
            "职务": words(("村党支部书记", "村委会主任", "民政专干", "镇社会事务办主任", "网格员"), relative % 5),
            **c.named(relative, "近亲属姓名", "近亲属证件号码"),
            "关系": words(("兄弟姐妹", "父母", "岳父母", "子女"), relative % 4),
            "备案日期": dates(
                np.where(unrecorded, NEVER, c.window.days[0] - c.chance.whole(30, 800, "on record", relative))
            ),
        }
    )


def graduates(c: County, month: int, back: int) -> pl.DataFrame:
    """One row is a graduate of the summer without work; a row comes again when work is found."""
    age = c.people.age(int(last_day(c.window.last)))
    may = (c.people.role == CHILD) & (age >= 19) & (age <= 26) & (c.homes.shape[c.people.home] != COUPLE)
    person = np.flatnonzero(may & c.chance.happens(0.16, "graduate without work", np.arange(len(c.people))))
    year = c.people.birth[person].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970 + 22
    left = first_day(year * 12 + 5) + 19 + person % 12
    seen = month_at(left) + 1 + c.chance.whole(0, 1, "told late", person)
    works = left + c.chance.whole(60, 900, "finds work", person)
    due = ((seen <= month) & (seen >= month - back)) | (month_at(works) == month)
    due &= (seen <= month) & (c.people.dead[person] > int(last_day(month)))
    person, left, works = person[due], left[due], works[due]
    state = np.where(works <= int(last_day(month)), 1, 0)
    return pl.DataFrame(
        {
            "_key": person,
            **c.named(person),
            "毕业日期": dates(left),
            "就业状态": words(("未就业", "已就业"), state),
            "登记日期": dates(np.minimum(left + 30, int(last_day(month)))),
        }
    )
