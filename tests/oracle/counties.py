"""Small counties made to catch mistakes: values at, just below and just above every threshold, and much missing.

What the contract leaves open (see the notes that came with the oracle) is avoided here as far as possible, so that a
difference between the oracle and the pipeline is worth reading.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable

from tests.oracle import calendar
from tests.oracle.cast import PLACES, Cast, House, Somebody, iso, money
from tests.oracle.county import EVENT_KEYS, STATE_FEEDS
from tests.oracle.reading import FEEDS, HEADINGS, Deliveries, RawRow

LAST_PERIODS = ("2026-11", "2026-11", "2026-08", "2026-02", "2026-03", "2026-05", "2026-10", "2025-12", "2026-07")
STANDARDS = (420, 480, 500, 600, 612, 640, 650, 700, 740, 749, 800)
FACTORS = (1, 1, 1.5, 1.5, 2, 0.5, 3)
LINES = (6000, 8000, 8800)
KINDS = ("未脱贫户", "脱贫户", "脱贫不稳定户", "边缘易致贫户", "突发严重困难户")
#: feeds in which a township may hand in nothing for a month
LATE = ("disability_subsidy", "visits", "insurance", "payments", "education")
#: the column that an earlier version of an event does not have yet
FOLLOWED_UP = {"clues": "办结日期", "temporary_aid": "发放日期", "applications": "审批结果", "graduates": "就业状态"}
#: what a `monitored` listing may give on the head's row only
HEAD_ONLY = ("帮扶责任人", "帮扶措施", "合规自付支出", "住房是否安全", "饮水是否安全")
DISGUISED = (
    *("dibao", "tekun", "low_income", "temporary_aid", "applications", "monitored", "disability", "medical"),
    *("disability_subsidy", "care_groups", "clues", "visits", "deaths", "payments"),
)


class Author:
    """Writes the rows of one county for its last period; `deliver` spreads them over the months."""

    def __init__(self, rng: random.Random, households: int, months: int) -> None:
        self.rng = rng
        last = rng.choice(LAST_PERIODS)
        self.periods = [_earlier(last, n) for n in reversed(range(months))]
        self.day = calendar.as_of(last)
        self.cast = Cast(rng, self.day)
        self.rows: dict[str, list[RawRow]] = {feed: [] for feed in FEEDS}
        self.houses = [self.cast.house(index + 1) for index in range(households)]
        self.late = {(feed, rng.choice(list(PLACES))) for feed in LATE for _ in range(rng.choice((0, 1, 1, 2)))}
        self.unreviewed = {town for town in PLACES if self.chance(0.2)}
        self.certificates = 0

    # -- dice ---------------------------------------------------------------------------------------------------

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def some(self, share: float, value: str) -> str:
        return value if self.chance(share) else ""

    def pick(self, *values: str) -> str:
        return self.rng.choice(values)

    def around(self, months: Iterable[int] = (), days: Iterable[int] = (), future: bool = True) -> dt.date:
        """A date at or beside one of the window edges, or well inside or outside."""
        edges = [calendar.add_months(self.day, -n) for n in months] + [self.day - dt.timedelta(days=n) for n in days]
        edges += [self.day] if future else []
        edge = self.rng.choice(edges)
        date = edge + dt.timedelta(days=self.rng.choice((0, 0, 1, -1, 2, -2, 20, 45, -45)))
        return date if future else min(date, self.day)

    def recent(self) -> dt.date:
        return self.day - dt.timedelta(days=self.rng.randrange(0, 330))

    def long_ago(self) -> dt.date:
        return self.day - dt.timedelta(days=self.rng.randrange(500, 2500))

    def month(self, back: int) -> str:
        date = calendar.add_months(self.day.replace(day=1), -back)
        return f"{date:%Y-%m}"

    def beside(self, *lines: float) -> float:
        return max(0.0, round(self.rng.choice(lines) + self.rng.choice((0, 0, 0.01, -0.01, 1, -1)), 2))

    # -- writing ------------------------------------------------------------------------------------------------

    def who(self, somebody: Somebody, feed: str) -> RawRow:
        """How this feed names the person."""
        row = {"姓名": somebody.misnamed.get(feed, somebody.name), "证件号码": somebody.number}
        row.update(somebody.disguises.get(feed, {}))
        return row

    def head_columns(self, head: Somebody | None) -> RawRow:
        unknown = head is None or "registry" in head.disguises  # nobody knows this head's number
        return {"户主姓名": head.name if head else "", "户主证件号码": "" if unknown or not head else head.number}

    def place(self, somebody: Somebody) -> RawRow:
        return {"乡镇": somebody.township, "村": somebody.village}

    def add(self, feed: str, somebody: Somebody | None, **columns: str) -> None:
        row = dict(self.who(somebody, feed)) if somebody else {}
        row.update(columns)
        if somebody and "乡镇" in HEADINGS[feed] and "乡镇" not in row:
            row.update(self.place(somebody))
        self.rows[feed].append(row)

    def write(self) -> None:
        self.unregistered()
        self.mess()
        for house in self.houses:
            self.registry(house)
            self.household(house)
        for somebody in self.cast.people:
            self.person(somebody)
        self.two_households()
        self.odds_and_ends()

    # -- people -------------------------------------------------------------------------------------------------

    def unregistered(self) -> None:
        """People whom the registry does not know: with a registered 户主, with an unregistered one, with none."""
        for house in self.houses:
            if self.chance(0.12):
                somebody = self.cast.person(house.code, house.township, house.village, (0, 3, 15, 16, 24, 45, 60, 75))
                somebody.registered, somebody.head = False, house.head
        for _ in range(self.rng.choice((0, 1, 2, 3))):
            township = self.pick(*PLACES)
            village = self.pick(*PLACES[township])
            first = self.cast.person("", township, village, (24, 45, 59, 60, 75))
            first.registered, first.head = False, self.rng.choice((None, first))
            self.unlisted_dibao(first)
            if first.head and self.chance(0.5):
                second = self.cast.person("", township, village, (3, 15, 16, 17, 45, 60))
                second.registered, second.head = False, first
                self.unlisted_dibao(second)

    def unlisted_dibao(self, somebody: Somebody) -> None:
        self.certificates += 1
        if somebody.head or self.chance(0.4):
            code = f"U{self.certificates:04d}"
            self.dibao_row(somebody, somebody.head, code, "整户", self.pick("农村低保", "城市低保"))

    def mess(self) -> None:
        """Numbers that cannot be used, names that differ, namesakes, and those who died."""
        people = self.cast.people
        for somebody in people:
            if self.chance(0.1):
                self.cast.disguise(somebody, self.pick(*DISGUISED))
            if self.chance(0.04):
                somebody.misnamed[self.pick("payments", "insurance", "medical")] = self.cast.fresh_name()
            if self.chance(0.13):
                somebody.died = self.death_date(somebody)
        for somebody in self.rng.sample(people, len(people) // 12):
            neighbours = [p for p in people if p.village == somebody.village and p.registered and p is not somebody]
            if neighbours:
                self.cast.namesake(somebody, self.rng.choice(neighbours))
                if not somebody.disguises:
                    self.cast.disguise(somebody, self.pick("dibao", "clues", "temporary_aid", "tekun", "visits"))
        listed = [p for p in people if p.registered]
        if listed and self.chance(0.6):
            somebody = self.rng.choice(listed)
            if self.cast.make_roundable(somebody):
                rounded = self.cast.rounded(somebody)
                feed = self.pick("dibao", "clues", "temporary_aid", "tekun")
                somebody.disguises = {
                    feed: {"证件号码": rounded or "", "出生日期": self.some(0.6, iso(somebody.birth))}
                }
        for somebody in people:
            newborn = somebody.age(self.day) < 2
            if somebody.registered and self.chance(0.5 if newborn else 0.04):
                somebody.registry_number = self.cast.spoil(somebody.number)
                if self.chance(0.5):  # nobody else knows the number either
                    somebody.disguises = {feed: dict(somebody.disguises.get(feed, {})) for feed in FEEDS}
                    known = self.chance(0.6)
                    for feed, columns in somebody.disguises.items():
                        sure = known or ("村" not in HEADINGS[feed] and self.chance(0.9))
                        columns.update({"证件号码": "", "出生日期": iso(somebody.birth) if sure else ""})
            elif somebody.birth.year < 2000 and not somebody.number.endswith("000") and self.chance(0.03):
                somebody.disguises["insurance"] = {"证件号码": somebody.number[:6] + somebody.number[8:17]}

    def death_date(self, somebody: Somebody) -> dt.date:
        """At the edges of the windows after a death, or on the birthdays between which a death is an earner's."""
        date = self.around(months=(12, 12, 1), days=(30, 31, 90, 91, 365, 366))
        if self.chance(0.2):
            birthday = calendar.add_months(somebody.birth, 12 * self.rng.choice((18, 60)))
            birthday += dt.timedelta(days=self.rng.choice((0, -1)))
            date = birthday if birthday <= self.day else date
        return max(date, somebody.birth + dt.timedelta(days=1))

    def registry(self, house: House) -> None:
        kinds = self.rng.choice((("head", "all"), ("head", "all"), ("head", "all"), ("all",), ("head",), ()))
        for index, somebody in enumerate(house.members):
            is_head = index == 0
            kind = house.urban if ("head" in kinds if is_head else "all" in kinds) else ""
            self.registry_row(
                somebody, house, "户主" if is_head else self.pick("配偶", "子", "女", "父亲", "其他"), kind
            )

    def registry_row(self, somebody: Somebody, house: House, relation: str, kind: str) -> None:
        number = somebody.number if somebody.registry_number is None else somebody.registry_number
        ability = self.pick("普通劳动力", "普通劳动力", "技能劳动力", "弱劳动力或半劳动力", "无劳动力", "无劳动力", "")
        self.rows["registry"].append(
            {
                "户编号": house.code,
                "与户主关系": relation,
                "姓名": somebody.name,
                "证件号码": number,
                "性别": somebody.sex,
                "出生日期": iso(somebody.birth),
                "民族": "汉族",
                "乡镇": house.township,
                "村": house.village,
                "户籍类型": kind,
                "联系电话": somebody.phone,
                "劳动能力": ability,
                "健康状况": self.pick("健康", "长期慢性病", "残疾", ""),
            }
        )

    def two_households(self) -> None:
        if len(self.houses) < 2:
            return
        for house in self.houses:
            if self.chance(0.08):
                other = self.rng.choice([h for h in self.houses if h is not house])
                somebody = self.rng.choice(house.members)
                if somebody.registry_number is None:
                    self.registry_row(somebody, other, "其他", other.urban)

    # -- households ---------------------------------------------------------------------------------------------

    def household(self, house: House) -> None:
        family = house.members + [p for p in self.cast.people if not p.registered and p.head is house.head]
        self.dibao(house, family)
        if self.chance(0.15):
            self.low_income(house, family)
        if self.chance(0.55):
            self.monitored(house, family)
        self.income(house)
        if self.chance(0.35):
            self.disaster(house)
        if self.chance(0.4):
            self.housing(house)
        if self.chance(0.3):
            self.house_visit(house)

    def dibao(self, house: House, family: list[Somebody]) -> None:
        style = self.rng.choice(("none",) * 9 + ("whole",) * 7 + ("single",) * 3 + ("ended",) * 3 + ("some",) * 2)
        self.certificates += 1
        code = f"D{self.certificates:04d}"
        kind = "城市低保" if house.urban in ("城镇", "非农业") else "农村低保"
        ends = iso(self.around(days=(180, 0, 1)))
        fade = iso(self.around(months=(6, 12, 3))) if self.chance(0.35) else ""
        review = self.review_date(house.township)
        shape = {"渐退起始日期": fade, "最近复核日期": review, "类别": self.pick("A类", "B类", "C类", "B", "")}
        if style in ("whole", "ended"):
            scope = self.pick("整户", "整户", "")
            for somebody in family:
                if self.chance(0.9):
                    self.dibao_row(somebody, house.head, code, scope, kind, ends if style == "ended" else "", shape)
        elif style in ("single", "some"):
            for somebody in self.rng.sample(family, 1 if style == "single" else max(1, len(family) // 2)):
                scope = "单人户" if style == "single" else "整户"
                self.dibao_row(somebody, house.head, code, scope, kind, "", shape)
        for somebody in family:
            if not somebody.registered and not any(r["姓名"] == somebody.name for r in self.rows["dibao"]):
                self.dibao_row(somebody, house.head, code, "单人户", kind, "", shape)
        if style != "none" and self.chance(0.15):
            self.dibao_row(self.rng.choice(family), house.head, code + "B", "单人户", kind, "", shape)

    def review_date(self, township: str) -> str:
        if township in self.unreviewed:
            return ""
        return self.some(0.85, iso(self.around(months=(12, 6, 3, 1), days=(91, 200))))

    def dibao_row(
        self,
        somebody: Somebody,
        head: Somebody | None,
        code: str,
        scope: str,
        kind: str,
        end: str = "",
        shape: RawRow | None = None,
    ) -> None:
        start = self.around(months=(12, 6, 3, 24)) if self.chance(0.5) else self.long_ago()
        columns = {
            "救助证编号": code,
            **self.head_columns(head),
            "与户主关系": "户主" if somebody is head else "家属",
            "低保类型": kind,
            "保障方式": scope,
            "类别": "B类",
            "家庭月人均收入": self.some(0.4, money(self.beside(*STANDARDS))),
            "享受起始日期": iso(start),
            "终止日期": end or self.some(0.05, iso(self.around(days=(0, 180)))),
            "最近复核日期": self.review_date(somebody.township),
            **(shape or {}),
        }
        self.add("dibao", somebody, **columns)

    def low_income(self, house: House, family: list[Somebody]) -> None:
        kind = self.pick("低保边缘家庭", "刚性支出困难家庭", "其他低收入家庭")
        end = self.some(0.3, iso(self.around(days=(0,))))
        start = iso(self.around(months=(12,)))
        for somebody in family:
            if self.chance(0.8):
                relation = "户主" if somebody is house.head else "家属"
                columns = {"类别": kind, "与户主关系": relation, "认定日期": start, "终止日期": end}
                self.add("low_income", somebody, **columns, **self.head_columns(house.head))

    def monitored(self, house: House, family: list[Somebody]) -> None:
        """Values of one 识别日期 are the head's or the same on all rows: what the order of the others means is open."""
        times = [iso(self.around(days=(90, 89), months=(12,))) if self.chance(0.9) else ""]
        if self.chance(0.2):
            times.append(iso(self.long_ago()))
        for identified in times:
            lines = (*LINES, *(12 * s * f for s in STANDARDS for f in (1, 1.5)))
            common = {
                "户类型": self.pick(*KINDS),
                "人均纯收入": self.some(0.6, money(self.beside(*lines))),
                "合规自付支出": self.some(0.4, money(self.beside(5000, 10000, 3000))),
                "住房是否安全": self.pick("是", "是", "否", ""),
                "饮水是否安全": self.pick("是", "是", "否", ""),
                "帮扶责任人": self.some(0.75, "李帮扶"),
                "帮扶措施": self.some(0.75, "产业帮扶"),
                "风险是否消除": self.pick("是", "否", "否", ""),
            }
            if common["风险是否消除"] == "是":
                common["风险消除日期"] = iso(self.around(months=(6,))) if self.chance(0.7) else ""
            visited = self.some(0.4, iso(self.around(days=(90, 89))))
            by_head = self.chance(0.3)
            listed = [p for p in family if p is house.head or self.chance(0.8)]
            for somebody in listed:
                row = {**common, "户编号": self.pick(house.code, "M" + house.code), "识别日期": identified}
                if by_head and somebody is not house.head:
                    row.update(dict.fromkeys(HEAD_ONLY, ""))
                row["最近走访日期"] = visited if not by_head or somebody is house.head else ""
                row["义务教育是否辍学"] = self.pick("否", "否", "是", "")
                row["与户主关系"] = "户主" if somebody is house.head else "家属"
                self.add("monitored", somebody, **row, **self.head_columns(house.head))

    def income(self, house: House) -> None:
        dates = [self.around(months=(24, 24, 12), days=(1, 30)) for _ in range(self.rng.choice((0, 1, 1, 1, 2, 2, 3)))]
        previous = 0.0
        for date in sorted(set(dates)):
            yearly = self.check(house, date, house.head, previous)
            if self.chance(0.12) and len(house.members) > 1:
                self.check(house, date, self.rng.choice(house.members[1:]), yearly)
            previous = yearly

    def check(self, house: House, date: dt.date, somebody: Somebody, previous: float) -> float:
        """One check; its total makes some pack's line exactly, or 30 per cent less than the check before."""
        size = sum(p.died is None or p.died > self.day for p in house.members) or 1
        per_head = round(self.rng.choice(STANDARDS) * self.rng.choice(FACTORS), 2)
        per_head = max(0.0, per_head + self.rng.choice((0, 0, 0, 1, -1, 0.01, -0.01)))
        parts = dict.fromkeys(("必要就业成本", "医疗自付支出", "教育支出", "残疾康复支出"), 0.0)
        if self.chance(0.4):
            parts["必要就业成本"] = self.rng.choice((0, 600, 1200))
            if self.chance(0.5):
                parts["医疗自付支出"] = self.rng.choice((0, 5000, 9999, 10000, 10001))
                parts["教育支出"] = self.rng.choice((0, 4000))
        yearly = per_head * 12 * size + (sum(parts.values()) if self.chance(0.5) else parts["必要就业成本"])
        if previous and self.chance(0.5):
            yearly = previous * 0.7 + self.rng.choice((0, 0, 1, -1))
        elif self.chance(0.15):
            yearly = self.rng.choice((0, 10000, 16666, 20000, 20001))
        yearly = max(0.0, round(yearly, 2))
        if parts["医疗自付支出"] and self.chance(0.3):
            parts["残疾康复支出"] = max(0.0, round(yearly * 0.6 - parts["医疗自付支出"] - parts["教育支出"], 2))
        pension = min(yearly, self.rng.choice((0, 0, 1800, 2400)))
        items = {
            "基础养老金": pension,
            self.pick("工资性收入", "经营净收入", "财产净收入", "转移净收入"): yearly - pension,
        }
        columns = {h: money(v) if v or self.chance(0.7) else "" for h, v in {**items, **parts}.items()}
        if self.chance(0.05):
            columns = {h: "" if h in items else v for h, v in columns.items()}
        if self.chance(0.1):
            columns["转移净收入"] = columns.get("转移净收入") or "0"
        key = {"户主姓名": somebody.name, "户主证件号码": somebody.number, "核对日期": iso(date)}
        taken = {(r["户主证件号码"], r["核对日期"]) for r in self.rows["income"]}
        if (somebody.number, iso(date)) not in taken and somebody.registry_number is None:
            self.add("income", None, **key, **columns, 金融资产="0")
        return yearly

    def disaster(self, house: House) -> None:
        date = self.around(months=(12,), days=(30, 31, 365, 366))
        end = self.some(0.6, iso(self.around(days=(0, 365, 366, 30))))
        loss = self.pick("", "0", "1", money(self.beside(5000, 3000, 8000)), "30000")
        head = self.rng.choice(house.members) if self.chance(0.1) else house.head
        self.rows["disasters"].append(
            {
                **self.head_columns(head),
                "灾害类型": self.pick("洪涝", "火灾", "滑坡"),
                "受灾日期": iso(date),
                "损失金额": loss,
                "住房受损": self.pick("倒塌", "严重", "一般", "无", ""),
                "过渡期救助结束日期": end,
                **self.place(house.head),
            }
        )

    def housing(self, house: House) -> None:
        columns = {
            "户编号": self.some(0.8, house.code),
            **self.head_columns(house.head),
            "住房鉴定等级": self.pick("A", "B", "C", "D", "D", ""),
            "鉴定日期": self.some(0.9, iso(self.long_ago())),
            "改造状态": self.pick("未改造", "改造中", "已改造", ""),
            "饮水是否安全": self.pick("是", "是", "否", ""),
        }
        if self.chance(0.15) and columns["户编号"]:
            columns["户主证件号码"] = ""
        self.add("housing", None, **columns)

    def house_visit(self, house: House) -> None:
        """A visit that names nobody and goes by its 户编号."""
        date = iso(self.around(days=(30, 29, 90, 89)))
        way = self.pick("入户", "入户", "电话", "视频", "")
        columns = {"走访日期": date, "走访人": "网格员", "户编号": house.code, "走访方式": way}
        if ("visits", house.township) not in self.late:
            self.add("visits", None, **columns, **self.place(house.head))

    # -- persons ------------------------------------------------------------------------------------------------

    def person(self, somebody: Somebody) -> None:
        age = somebody.age(self.day)
        plan: list[tuple[float, Callable[[Somebody], None]]] = [
            (0.4, self.disability),
            (0.35, self.subsidy),
            (0.4, self.medical),
            (0.75, self.insurance),
            (0.75 if 3 <= age <= 25 else 0.08, self.education),
            (0.35 if age >= 16 else 0.02, self.social),
            (0.2, self.vehicle),
            (0.25, self.title),
            (0.15, self.business),
            (0.55 if age < 19 else 0.15, self.care),
            (0.45 if age >= 58 else 0.15, self.tekun),
            (0.35, self.aid),
            (0.25, self.application),
            (0.2, self.clue),
            (0.4 if 18 <= age <= 26 else 0.05, self.graduate),
            (0.45, self.payment),
            (0.35, self.visit),
        ]
        for share, write in plan:
            if self.chance(share):
                write(somebody)
        if somebody.died:
            columns = {"死亡日期": iso(somebody.died), "登记日期": iso(somebody.died + dt.timedelta(days=5))}
            self.add("deaths", somebody, **columns)

    def on_time(self, feed: str, somebody: Somebody) -> bool:
        return (feed, somebody.township) not in self.late

    def disability(self, somebody: Somebody) -> None:
        for _ in range(self.rng.choice((1, 1, 1, 2))):
            issued = self.some(0.9, iso(self.around(months=(12, 12)) if self.chance(0.6) else self.long_ago()))
            grade = self.pick("一级", "二级", "二级", "三级", "三级", "四级", "1", "4")
            kind = self.pick("视力", "听力", "肢体", "智力", "精神", "精神", "多重")
            state = self.pick("有效", "有效", "有效", "有效", "有效", "注销", "过期", "")
            columns = {"残疾类别": kind, "残疾等级": grade, "发证日期": issued, "状态": state}
            self.add("disability", somebody, 残疾证号=f"{somebody.number}{self.rng.randrange(10, 99)}", **columns)

    def subsidy(self, somebody: Somebody) -> None:
        if not self.on_time("disability_subsidy", somebody):
            return
        for _ in range(self.rng.choice((1, 2, 3))):
            kind = self.pick("生活补贴", "护理补贴", "困难残疾人生活补贴", "重度残疾人护理补贴")
            month = self.month(self.rng.choice((0, 0, 0, 1, 11, 12)))
            state = self.pick("成功", "成功", "成功", "失败", "退回", "")
            self.add("disability_subsidy", somebody, 补贴类型=kind, 发放年月=month, 金额="90", 发放状态=state)

    def medical(self, somebody: Somebody) -> None:
        line = self.beside(10000, 10000, 5000, 6000)
        parts = self.rng.choice((1, 1, 2))
        for index in range(parts):
            share = line / 2 if parts == 2 else line
            paid = money(round(share, 2) if index == 0 else round(line - round(share, 2), 2))
            date = self.around(months=(12,)) if self.chance(0.35) else self.recent()
            columns = {
                "结算日期": iso(date),
                "病种": self.pick("肺炎", "肿瘤"),
                "重大疾病": self.pick("是", "是", "否", ""),
                "总费用": self.some(0.7, "30000"),
                "医疗救助": self.pick("", "0", "0", "500"),
                "个人自付": paid if self.chance(0.92) else "",
            }
            self.add("medical", somebody, **columns)

    def insurance(self, somebody: Somebody) -> None:
        if not self.on_time("insurance", somebody):
            return
        for _ in range(self.rng.choice((1, 1, 1, 2))):
            year = str(self.day.year - self.rng.choice((0, 0, 0, 0, 1)))
            self.add("insurance", somebody, 参保年度=year, 参保状态=self.pick("正常参保", "正常参保", "中断", "未参保"))

    def education(self, somebody: Somebody) -> None:
        if not self.on_time("education", somebody):
            return
        for _ in range(self.rng.choice((1, 1, 2))):
            year = calendar.school_year(self.day) + self.rng.choice((-1, -1, 0, 0, 1))
            columns = {
                "学段": self.pick("学前", "小学", "初中", "高中", "中职", "本科", "研究生"),
                "学籍状态": self.pick("在读", "在读", "在读", "休学", "辍学", "毕业"),
                "资助年度": self.some(0.7, str(year)),
                "资助金额": self.pick("500", "500", "0", ""),
            }
            self.add("education", somebody, **columns)

    def social(self, somebody: Somebody) -> None:
        since = self.around(months=(12,), future=False) if self.chance(0.6) else self.recent()
        columns = {
            "险种": self.pick("城镇职工养老", "城镇职工养老", "城乡居民养老"),
            "参保状态": self.pick("正常参保", "正常参保", "终止参保", "领取待遇"),
            "状态日期": self.some(0.9, iso(since)),
            "失业登记日期": self.some(0.3, iso(self.around(months=(12,)))),
        }
        self.add("social_insurance", somebody, **columns)

    def vehicle(self, somebody: Somebody) -> None:
        for _ in range(self.rng.choice((1, 1, 2))):
            kind = self.pick("汽车", "摩托车", "摩托车", "其他")
            plate = f"渝C{self.rng.randrange(10000):05d}"
            state = self.pick("正常", "正常", "注销", "注销", "")
            when = self.some(0.9, iso(self.long_ago() if self.chance(0.9) else self.around(days=(0,))))
            self.add("vehicles", somebody, 号牌号码=plate, 车辆类型=kind, 登记日期=when, 状态=state)

    def title(self, somebody: Somebody) -> None:
        for _ in range(self.rng.choice((1, 1, 2))):
            columns = {
                "不动产权证号": f"证{self.rng.randrange(10**6):06d}",
                "房屋性质": self.pick("商品房", "商品房", "自建房", "安置房", "公房", "其他"),
                "取得方式": self.pick("购买", "购买", "征地拆迁", "继承", "自建"),
                "登记日期": self.some(0.95, iso(self.around(months=(36, 36, 12)))),
                "状态": self.pick("现势", "现势", "现势", "注销", ""),
            }
            self.add("real_estate", somebody, **columns)
            mates = [p for p in self.cast.people if p.house == somebody.house and p is not somebody and p.house]
            if mates and self.chance(0.2):
                self.add("real_estate", self.rng.choice(mates), **columns)

    def business(self, somebody: Somebody) -> None:
        role = self.pick("经营者", "法定代表人", "股东", "股东")
        state = self.pick("存续", "存续", "注销", "吊销")
        code = f"91500999{self.rng.randrange(10**6):06d}"
        self.add("business", somebody, 统一社会信用代码=code, 角色=role, 成立日期=iso(self.long_ago()), 状态=state)

    def care(self, somebody: Somebody) -> None:
        young = ("孤儿", "孤儿", "事实无人抚养儿童", "留守儿童", "留守儿童")
        kind = self.pick(
            *(young if somebody.age(self.day) < 19 else ("留守妇女", "留守老人", "易流浪走失人员", "孤儿"))
        )
        columns = {
            "类别": kind,
            "监护人": self.some(0.6, "祖父"),
            "津贴金额": self.pick("", "0", "1000", ""),
            "起始日期": self.some(0.9, iso(self.long_ago() if self.chance(0.8) else self.around(days=(0,)))),
            "终止日期": self.some(0.2, iso(self.around(days=(0,)))),
            "安置情况": self.some(0.4, "已安置"),
        }
        self.add("care_groups", somebody, **columns)

    def tekun(self, somebody: Somebody) -> None:
        amount = self.beside(*(1.3 * s for s in STANDARDS))
        columns = {
            "供养方式": self.pick("分散供养", "分散供养", "分散供养", "集中供养"),
            "自理能力": self.pick("全自理", "全自理", "半护理", "全护理", ""),
            "是否独居": self.pick("是", "是", "否", ""),
            "集中供养意愿": self.pick("是", "否", ""),
            "照料服务人": self.some(0.6, "张护理"),
            "居家安全服务": self.pick("是", "否", ""),
            "月基本生活费": self.some(0.9, money(amount)),
            "享受起始日期": iso(self.long_ago() if self.chance(0.9) else self.around(days=(0,))),
            "终止日期": self.some(0.1, iso(self.around(days=(0,)))),
        }
        self.add("tekun", somebody, **columns)

    def aid(self, somebody: Somebody) -> None:
        begun: set[dt.date] = set()
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            edge = self.around(months=(12, 12), days=(30, 31, 365, 3, 12)) if self.chance(0.5) else self.recent()
            if edge in begun:
                continue
            begun.add(edge)
            paid = edge + dt.timedelta(days=self.rng.choice((0, 2, 3, 4, 5, 6, 7, 9, 30)))
            unpaid = self.chance(0.25)
            columns = {
                "救助类型": self.pick("急难型", "急难型", "支出型"),
                "发现日期": self.some(0.3, iso(edge - dt.timedelta(days=self.rng.choice((0, 1, 3))))),
                "受理日期": iso(edge),
                "审批日期": self.some(0.5, iso(edge + dt.timedelta(days=self.rng.choice((0, 1, 5))))),
                "发放日期": "" if unpaid else iso(paid),
                "救助金额": self.pick("", "0") if unpaid and self.chance(0.6) else self.pick("800", "800", "1200", ""),
                "先行救助": self.pick("是", "是", "否", ""),
                "补充说明日期": self.some(0.3, iso(paid + dt.timedelta(days=9))),
            }
            self.add("temporary_aid", somebody, **columns)

    def application(self, somebody: Somebody) -> None:
        filed = self.around(months=(12,)) if self.chance(0.5) else self.recent()
        done = filed + dt.timedelta(days=self.rng.choice((5, 30)))
        columns = {
            "申请事项": self.pick("低保", "特困", "低保边缘", "临时救助"),
            "申请日期": iso(filed),
            "审批结果": self.pick("不予批准", "不予批准", "批准", "办理中", ""),
            "办结日期": self.some(0.6, iso(done)),
        }
        self.add("applications", somebody, **columns)

    def clue(self, somebody: Somebody) -> None:
        code = f"X{len(self.rows['clues']):04d}"
        filed = self.recent()
        done = self.some(0.4, iso(self.around(days=(0, 10))))
        due = self.some(0.85, iso(self.around(days=(0, 0, 5))))
        columns = {"线索编号": code, "来源": self.pick("信访", "12345热线", "干部走访"), "登记日期": iso(filed)}
        self.add("clues", somebody, **columns, 办理期限=due, 办结日期=done)

    def graduate(self, somebody: Somebody) -> None:
        date = self.around(months=(24, 24, 12))
        self.add("graduates", somebody, 毕业日期=iso(date), 就业状态=self.pick("未就业", "未就业", "已就业", "升学"))

    def payment(self, somebody: Somebody) -> None:
        if not self.on_time("payments", somebody):
            return
        for _ in range(self.rng.choice((1, 2, 3))):
            item = self.pick("低保", "低保", "孤儿", "孤儿", "特困", "丧葬补助", "低保补发")
            back = self.rng.choice((0, 0, 0, 1, 2, 3, 11, 12))
            if somebody.died and self.chance(0.4):
                months = (self.day.year - somebody.died.year) * 12 + self.day.month - somebody.died.month
                back = max(0, months + self.rng.choice((-1, 0, 1)))
            state = self.pick("成功", "成功", "失败", "退回")
            self.add("payments", somebody, 项目=item, 发放年月=self.month(back), 金额="300", 发放状态=state)

    def visit(self, somebody: Somebody) -> None:
        if not self.on_time("visits", somebody):
            return
        columns = {
            "走访日期": iso(self.around(days=(30, 29, 90, 89))),
            "走访人": "网格员",
            "户编号": self.some(0.5, somebody.house),
            "走访方式": self.pick("入户", "入户", "电话", "视频", ""),
        }
        self.add("visits", somebody, **columns)

    # -- the rest -----------------------------------------------------------------------------------------------

    def odds_and_ends(self) -> None:
        for index in range(self.rng.choice((1, 2, 3, 4))):
            residents, carers = self.rng.choice(((100, 10), (101, 10), (5, 0), (0, 0), (99, 10), (10, 1), (11, 1)))
            columns = {"机构名称": f"第{index}敬老院", "入住人数": str(residents), "护理员人数": str(carers)}
            self.add("institutions", None, **columns, 乡镇=self.pick(*PLACES))
        people = [p for p in self.cast.people if p.registered and p.registry_number is None]
        for somebody in self.rng.sample(people, min(len(people), 3)):
            cadre = self.rng.choice(people)
            filed = self.some(0.5, iso(self.around(days=(0,))))
            columns = {"干部姓名": cadre.name, "干部证件号码": cadre.number, "关系": "其他", "备案日期": filed}
            self.add("officials", None, **columns, 近亲属姓名=somebody.name, 近亲属证件号码=somebody.number)
        if self.chance(0.3):
            self.add("income", None, 户主姓名="", 户主证件号码="", 核对日期=iso(self.day), 工资性收入="1")
        if self.chance(0.5):
            stranger = self.cast.person("", "", "", (30, 45))
            self.add("vehicles", stranger, 号牌号码="渝D1", 车辆类型="汽车", 登记日期="2019-01-01", 状态="正常")

    # -- deliveries ---------------------------------------------------------------------------------------------

    def deliver(self) -> Deliveries:
        """Some feeds are never handed in; state feeds come each month or not, events once or in two versions."""
        absent = {feed for feed in FEEDS if feed != "registry" and self.chance(0.06)}
        deliveries: Deliveries = {period: {} for period in self.periods}
        for feed, rows in self.rows.items():
            if feed in absent or not rows:
                continue
            rows = rows + [dict(row) for row in rows if self.chance(0.02)]
            self.rng.shuffle(rows)
            if feed in STATE_FEEDS:
                self.deliver_state(deliveries, feed, rows)
            else:
                self.deliver_events(deliveries, feed, rows)
        return deliveries

    def deliver_state(self, deliveries: Deliveries, feed: str, rows: list[RawRow]) -> None:
        for period in self.periods[:-1]:
            if self.chance(0.85):
                kept = [dict(row) for row in rows if self.chance(0.9)]
                if feed == "disability":
                    for row in kept:
                        if self.chance(0.5):
                            row["发证日期"] = self.some(0.8, iso(self.long_ago()))
                if kept:
                    deliveries[period][feed] = kept
        last = self.periods[-1]
        came_before = any(feed in deliveries[period] for period in self.periods[:-1])
        if self.chance(0.12) and (came_before or feed != "registry"):
            return
        if len(self.periods) > 1 and "乡镇" in HEADINGS[feed] and self.chance(0.3):
            quiet = self.pick(*PLACES)
            rows = [row for row in rows if row.get("乡镇") != quiet]
        if len(self.periods) > 1 and feed == "registry":
            gone = {p.name for p in self.cast.people if p.died and p.died <= self.day and self.chance(0.4)}
            rows = [row for row in rows if row["姓名"] not in gone or row["与户主关系"] == "户主"]
        if rows:
            deliveries[last][feed] = rows

    def deliver_events(self, deliveries: Deliveries, feed: str, rows: list[RawRow]) -> None:
        for row in rows:
            period = self.rng.choice(self.periods)
            deliveries[period].setdefault(feed, []).append(row)
            earlier = [p for p in self.periods if p < period]
            if earlier and self.chance(0.35):
                before = dict(row)
                heading = FOLLOWED_UP.get(feed)
                if heading:
                    before[heading] = "未就业" if feed == "graduates" else ""
                elif feed == "income":
                    before["工资性收入"] = "7777"
                elif feed == "insurance":
                    before["参保状态"] = self.pick("正常参保", "中断")
                elif feed in EVENT_KEYS:
                    continue
                deliveries[self.rng.choice(earlier)].setdefault(feed, []).append(before)


def _earlier(period: str, months: int) -> str:
    date = calendar.add_months(calendar.as_of(period).replace(day=1), -months)
    return f"{date:%Y-%m}"


def random_county(rng: random.Random, households: int = 12, months: int = 1) -> Deliveries:
    """A county's deliveries by period; the last period is the one to judge."""
    author = Author(rng, households, months)
    author.write()
    return author.deliver()
