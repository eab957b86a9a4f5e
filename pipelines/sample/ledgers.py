"""The ledgers of civil affairs and of the rural list: state feeds that arrive every month."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.sample.chance import Bools, Ints
from pipelines.sample.county import County
from pipelines.sample.months import NEVER, dates, first_day, last_day, month_at
from pipelines.sample.people import ELDER, ELDERS, GRANDCHILD, NUCLEAR, SKIPPED
from pipelines.sample.programmes import LISTED_AS, SUDDEN, UNSTABLE, standard

CAUSES = ("因病", "因残", "缺劳动力", "因学", "因灾", "务工就业不稳", "缺技术", "其他")
RISKS = ("因病", "因残", "因学", "缺劳动力", "因自然灾害", "因务工就业不稳", "因安全住房", "其他")


def words(values: tuple[str | None, ...], index: Ints | Bools) -> pl.Series:
    """A column of words by index."""
    return pl.Series(list(values), dtype=pl.String).gather(pl.Series(np.asarray(index).astype(np.int64)))


def blank(series: pl.Series, where: Bools) -> pl.Series:
    """The column with blanks where told."""
    return series.zip_with(pl.Series(~where), pl.Series([None], dtype=series.dtype).new_from_index(0, len(series)))


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
    labour = np.select([(age < 16) | c.shocks.no_labour[person] | (age >= 70), age >= 60, earner | (age < 18)], [3, aged, grown], 3)
    disabled = c.shocks.certified[person] <= day
    ill = np.abs(c.shocks.ill[person] - day + 180) < 200
    chronic = (age > 45) & c.chance.happens(0.28, "chronic", person)
    health = np.select([disabled & chronic, disabled, ill, chronic], [3, 4, 2, 1], 0)
    minority = c.chance.choice((0.92, 0.05, 0.03), "people", home)
    group = c.chance.whole(1, 9, "group", home)
    door = pl.Series(c.chance.whole(1, 160, "door", home)).cast(pl.String)
    groups = pl.Series(group).cast(pl.String) + "组"
    frame = {
        "_key": key,
        "户编号": c.home_number.gather(pl.Series(home)),
        "与户主关系": relation.gather(pl.Series(order)),
        **c.named(person),
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
    frame["证件号码"] = blank(frame["证件号码"], newborn)
    return pl.DataFrame(frame)


def dibao(c: County, month: int) -> pl.DataFrame:
    """One row is a person on the allowance; the dead stay a while, ended households stay in the ledger for a year."""
    p, people, day = c.programmes, c.people, int(last_day(month))
    home = people.home
    shown = (p.dibao_start <= month) & (p.dibao_end > month - 12)
    part = c.chance.happens(c.lapse(np.arange(len(c.homes)), 0.022), "part of the family", np.arange(len(c.homes)))
    last_two = np.arange(len(people)) >= (c.homes.start + np.where(part & (c.homes.size >= 4), c.homes.size - 2, c.homes.size))[home]
    whole = shown[home] & c.kept_on(month, "dibao") & ~last_two
    alone = c.alone_on_dibao(month) & c.kept_on(month, "dibao") & ~whole
    also = first_few(c, c.on_tekun(month) & (people.dead > day), 0.005, "also on dibao")
    alone |= also
    again = first_few(c, whole & (people.dead > day) & p.on_dibao(month)[home], 0.0015, "under two certificates")
    person = np.concatenate([np.flatnonzero(whole), np.flatnonzero(alone), np.flatnonzero(again)])
    single = np.arange(len(person)) >= int(whole.sum())
    h = home[person]
    start = np.where(single, np.where(p.single_start[person] < NEVER, p.single_start[person], c.window.start - 9), p.dibao_start[h])
    end = np.where(single | (p.dibao_end[h] > month), NEVER, p.dibao_end[h])
    base = standard(month, c.homes.urban[h])
    pay = p.pay(h, day - 60)
    known = c.living(h, np.full(len(h), day)).clip(1)
    need = np.where(p.gradual[h] < NEVER, base * 0.4, base - np.minimum(pay, base)) * np.where(single, 1, known)
    grade = np.where(c.shocks.severe[c.homes.head[h]] | single, 0, c.chance.choice((0.3, 0.5, 0.2), "class", h))
    head = np.where(single, person, c.head_on(h, first_day(month - 1)))
    reviewed = _reviewed(c, h, grade, month)
    reviewed = np.where(reviewed >= first_day(start), reviewed, NEVER)
    relation = c.relation(person, int(first_day(month - 1)))
    return pl.DataFrame(
        {
            "_key": person * 4 + np.where(single, 1, 0),
            "救助证编号": words(("DB", "DS"), single) + pl.Series(np.where(single, person, h)).cast(pl.String).str.zfill(8),
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


def first_few(c: County, among: Bools, share: float, purpose: str) -> Bools:
    """A share of some persons, one at least where there are any: rare irregularities must not be absent from a sample."""
    rows = np.flatnonzero(among)
    if not len(rows):
        return among.copy()
    luck = c.chance.share(purpose, rows)
    chosen = np.zeros(len(among), dtype=bool)
    chosen[rows[(luck < share) | (luck == luck.min())]] = True
    return chosen


def _reviewed(c: County, homes: Ints, grade: Ints, month: int) -> Ints:
    """The day of the last review: on time for nearly all, half as long again as allowed for the forgotten."""
    every = np.asarray([11, 5, 2])[grade]
    every = np.where(c.chance.happens(c.lapse(homes, 0.06), "review forgotten", homes), every * 2 + 2, every)
    since = (month + c.chance.whole(0, 40, "review phase", homes)) % every
    return first_day(month - since) + c.chance.whole(1, 26, "review day", homes, month - since)


def tekun(c: County, month: int) -> pl.DataFrame:
    """One row is a person supported by the state."""
    person = np.flatnonzero(c.on_tekun(month) & c.kept_on(month, "tekun"))
    h = c.people.home[person]
    central = c.programmes.central[person]
    care = c.chance.choice((0.66, 0.24, 0.10), "self-care", person)
    alone = c.living(h, np.full(len(h), int(last_day(month)))) <= 1
    base = np.ceil(standard(month, c.homes.urban[h]) * 1.3)
    old = c.chance.happens(c.lapse(h, 0.03), "old amount", person)
    amount = np.where(old, np.ceil(standard(0, c.homes.urban[h]) * 1.3), base)
    carer = c.people.name.gather(pl.Series((c.homes.start[(h + 7) % len(c.homes)])))
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
            "终止日期": dates(np.full(len(person), NEVER)),
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
    """One row is a person in a recognised family; families whose recognition ended within half a year are still listed."""
    p = c.programmes
    shown = (p.low_start <= month) & (p.low_end > month - 6)
    person = np.flatnonzero(shown[c.people.home] & c.kept_on(month, "low income"))
    h = c.people.home[person]
    return pl.DataFrame(
        {
            "_key": person,
            "类别": words(("低保边缘家庭", "刚性支出困难家庭", "其他低收入家庭"), p.low_kind[h]),
            **c.named(c.head_on(h, first_day(month)), "户主姓名", "户主证件号码"),
            **c.named(person),
            "与户主关系": c.relation(person, int(first_day(month))),
            "认定日期": dates(first_day(p.low_start[h]) + c.chance.whole(0, 20, "recognised on", h)),
            "终止日期": dates(np.where(p.low_end[h] <= month, first_day(p.low_end[h]), NEVER)),
            **c.placed(h),
        }
    )


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
    measure = words(("产业帮扶", "就业帮扶", "公益性岗位", "健康帮扶、综合保障", "教育帮扶"), c.chance.whole(0, 4, "measure", h))
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


def care_kinds(c: County, month: int) -> tuple[Ints, Ints]:
    """Persons of the special groups and their kind."""
    people, age = c.people, c.people.age(int(last_day(month)))
    everyone = np.arange(len(people))
    shape = c.homes.shape[people.home]
    luck = c.chance.share("care group", everyone)
    child = (people.role == GRANDCHILD) & (shape == SKIPPED)
    free = c.programmes.tekun_start == NEVER
    kind = np.select(
        [
            child & (age < 18) & (luck < 0.02),
            child & (age < 18) & (luck < 0.05),
            child & (age < 16) & (luck < 0.75),
            (shape == NUCLEAR) & ~people.male & (age > 25) & (luck < 0.012),
            np.isin(shape, (ELDER, ELDERS)) & (age >= 65) & free & (luck < 0.10),
            np.isin(c.shocks.disability, (4, 5)) & (luck < 0.06),
        ],
        [0, 1, 2, 3, 4, 5],
        -1,
    )
    person = np.flatnonzero((kind >= 0) & c.kept_on(month, "care groups"))
    return person, kind[person]


def care_groups(c: County, month: int) -> pl.DataFrame:
    """One row is a person of a special group."""
    person, kind = care_kinds(c, month)
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
            "终止日期": dates(np.full(len(person), NEVER)),
            "最近走失日期": dates(np.where((kind == 5) & (person % 3 == 0), lost, NEVER)),
            "安置情况": blank(words(("家庭照护", "机构托养"), person % 2), (kind != 5) | lapses),
            **c.placed(h),
        }
    )
