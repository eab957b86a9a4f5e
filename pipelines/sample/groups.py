"""The rural monitoring list and the special groups: state feeds that arrive every month."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.sample.chance import Ints
from pipelines.sample.columns import blank, words
from pipelines.sample.county import County
from pipelines.sample.months import NEVER, dates, first_day, last_day, month_at
from pipelines.sample.people import ELDER, ELDERS, GRANDCHILD, NUCLEAR, SKIPPED
from pipelines.sample.programmes import LISTED_AS, SUDDEN, UNSTABLE

RISKS = ("因病", "因残", "因学", "缺劳动力", "因自然灾害", "因务工就业不稳", "因安全住房", "其他")


def monitored(c: County, month: int) -> pl.DataFrame:
    """One row is a member of a listed household; the list has household numbers of its own."""
    p, day = c.programmes, int(last_day(month))
    shown = (p.listed > 0) & (p.identified <= day)
    person = np.flatnonzero(shown[c.people.home] & c.kept_on(month, "monitored"))
    h = c.people.home[person]
    age = c.people.age(day)[person]
    kind, risky = p.listed[h], p.listed[h] >= UNSTABLE
    income = p.pay(h, day - 75) * 12 * (1 + 0.01 * c.chance.normal("reported", h))
    parts = 0.15 + c.chance.share("parts", h) * 0.5
    visited = day - c.chance.whole(3, 80, "visited on", h, month)
    unvisited = c.chance.happens(c.lapse(h, 0.06), "not visited", h)
    visited = np.where(unvisited, day - c.chance.whole(95, 150, "visited before", h, month), visited)
    ill = (c.shocks.ill < day) & (c.shocks.ill > day - 365)
    spent = np.bincount(c.people.home, weights=ill * 5200.0, minlength=len(c.homes))[h]
    dwelling, found = c.shocks.grade_of_dwelling[h], c.shocks.dwelling_found[h] <= day
    unsafe = (dwelling >= 2) & found & (c.shocks.dwelling_repaired[h] > day)
    school = (age >= 6) & (age <= 15)
    works = c.shocks.earner[person] & (c.shocks.job_lost[person] > day)
    helper = c.people.name.gather(pl.Series(c.homes.start[(h * 31 + 5) % len(c.homes)]))
    cleared = p.cleared[h] <= day
    measure = words(
        ("产业帮扶", "就业帮扶", "公益性岗位", "健康帮扶、综合保障", "教育帮扶"), c.chance.whole(0, 4, "measure", h)
    )
    return pl.DataFrame(
        {
            "_key": person,
            "户编号": "JC" + pl.Series(h + 500000).cast(pl.String),
            "户类型": words(LISTED_AS, kind),
            **c.named(c.head_on(h, first_day(month)), "户主姓名", "户主证件号码"),
            **c.named(person),
            "与户主关系": c.relation(person, int(first_day(month))),
            "识别日期": dates(p.identified[h]),
            "风险类型": blank(words(RISKS, c.chance.choice((32, 16, 9, 14, 8, 14, 3, 4), "risk", h)), ~risky),
            "人均纯收入": np.round(income, 2),
            "工资性收入": np.round(income * c.homes.size[h] * (0.82 - parts)),
            "生产经营性收入": np.round(income * c.homes.size[h] * parts),
            "财产性收入": np.round(income * c.homes.size[h] * 0.02),
            "转移性收入": np.round(income * c.homes.size[h] * 0.16),
            "合规自付支出": np.round(spent),
            "住房是否安全": pl.Series(~unsafe),
            "饮水是否安全": pl.Series(~c.shocks.unsafe_water[h]),
            "义务教育是否辍学": blank(pl.Series((c.shocks.dropped_out[person] <= day) & school), ~school),
            "基本医保参保": pl.Series(~c.chance.happens(c.lapse(h, 0.008), "uninsured", person)),
            "务工月数": np.where(works, c.chance.whole(3, 11, "months of work", person), 0),
            "帮扶责任人": blank(helper, risky & c.chance.happens(c.lapse(h, 0.03), "no helper", h)),
            "帮扶措施": blank(measure, risky & c.chance.happens(c.lapse(h, 0.035), "no measure", h)),
            "风险是否消除": blank(pl.Series(cleared), ~risky),
            "风险消除日期": dates(np.where(cleared & risky, p.cleared[h], NEVER)),
            "最近走访日期": dates(np.where(risky | (kind == SUDDEN) | (h % 3 == 0), visited, NEVER)),
            **c.placed(h),
        }
    )


def care_members(c: County, month: int) -> tuple[Ints, Ints, Ints]:
    """Persons of the special groups, their kind and the month from which they no longer belong (NEVER: they do)."""
    people, age = c.people, c.people.age(int(last_day(month)))
    young = people.age(int(last_day(c.window.first)))  # who grows up stays in the list with an end date
    everyone = np.arange(len(people))
    shape = c.homes.shape[people.home]
    luck = c.chance.share("care group", everyone)
    child = (people.role == GRANDCHILD) & (shape == SKIPPED)
    free = c.programmes.tekun_start == NEVER
    kind = np.select(
        [
            child & (young < 18) & (luck < 0.02),
            child & (young < 18) & (luck < 0.05),
            child & (young < 16) & (luck < 0.75),
            (shape == NUCLEAR) & ~people.male & (age > 25) & (luck < 0.012),
            np.isin(shape, (ELDER, ELDERS)) & (age >= 65) & free & (luck < 0.10),
            np.isin(c.shocks.disability, (4, 5)) & (luck < 0.06),
        ],
        [0, 1, 2, 3, 4, 5],
        -1,
    )
    years = np.select([kind <= 1, kind == 2], [18, 16], 200)
    end = np.minimum(c.struck_from("care groups"), month_at(people.birth + (years * 365.25).astype(np.int64)) + 1)
    person = np.flatnonzero((kind >= 0) & c.ever_on(month, "care groups"))
    return person, kind[person], np.where(end <= month, end, NEVER)[person]


def care_kinds(c: County, month: int) -> tuple[Ints, Ints]:
    """Who belongs to the special groups in the month, and the kind."""
    person, kind, end = care_members(c, month)
    return person[end == NEVER], kind[end == NEVER]


def care_groups(c: County, month: int) -> pl.DataFrame:
    """One row is a person of a special group."""
    person, kind, end = care_members(c, month)
    h = c.people.home[person]
    head = c.people.name.gather(pl.Series(c.head_on(h, int(last_day(month)))))
    lapses = c.chance.happens(c.lapse(h, 0.02), "no guardian", person)
    since = c.window.days[0] - c.chance.whole(20, 900, "in the group since", person)
    lost = c.window.days[0] + c.chance.whole(0, 300, "lost on", person)
    return pl.DataFrame(
        {
            "_key": person,
            **c.named(person),
            "类别": words(("孤儿", "事实无人抚养儿童", "留守儿童", "留守妇女", "留守老人", "易流浪走失人员"), kind),
            "监护人": blank(head, lapses | np.isin(kind, (3, 4))),
            "津贴金额": blank(pl.Series(np.where(kind == 0, 1450, 1250)), (kind > 1) | lapses),
            "起始日期": dates(since),
            "终止日期": dates(first_day(end)),
            "最近走失日期": dates(np.where((kind == 5) & (person % 3 == 0), lost, NEVER)),
            "安置情况": blank(words(("家庭照护", "机构托养"), person % 2), (kind != 5) | lapses),
            **c.placed(h),
        }
    )
