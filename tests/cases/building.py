"""How the stories are told: a county of households, each case a household of its own, and what is expected of it.

Expectations are words (hit, clear, unknown), truth values, or functions of a pack's parameters, which stand here once
more as the contract's table has them, so that nothing of the product decides what is right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.reading import HEADINGS
from tests.runs import Tables, number

SEEN, LATE = "全报镇", "迟报镇"  # everything came in; no visits, subsidies, insurance, payments, reviews
LABOUR = "普通劳动力"
HEAD_FEEDS = {"income", "disasters", "housing"}  # which name their person as 户主


@dataclass(frozen=True)
class Pack:
    """The contract's parameters as of 2026-11-30, for the packs' columns that differ."""

    standard: float
    urban: float
    exit_ceiling: float | None = None
    exit_months: int = 6
    after_work: bool = False
    needs_work: bool = False
    single_low_income: bool = False
    extra_grades: tuple[int, ...] = ()
    needs_aid: bool = False
    rigid: bool = True
    minor: int = 18
    line: float = 6000
    emergency: bool = False
    vehicles: tuple[str, ...] = ("汽车",)
    recent_home: bool = False


CAOJIE = {
    "exit_ceiling": 1.5, "after_work": True, "single_low_income": True, "extra_grades": (3,), "emergency": True,
    "vehicles": ("汽车", "摩托车"), "recent_home": True,
}  # fmt: skip
PACKS: dict[str, Pack] = {
    "national-2020": Pack(500, 700, rigid=False, minor=16),
    "rongchang-2018": Pack(480, 600, exit_ceiling=2.0, extra_grades=(3,), needs_aid=True, minor=16),
    "mangshi-2021": Pack(
        420, 640, exit_months=12, after_work=True, needs_work=True, single_low_income=True, extra_grades=(3, 4)
    ),
    "caojie-2024": Pack(600, 740, line=8000, **CAOJIE),  # type: ignore[arg-type]
    "demo": Pack(650, 800, line=8800, **CAOJIE),  # type: ignore[arg-type]
}
STANDARDS = sorted(pack.standard for pack in PACKS.values())
Expected = str | bool | None | Callable[[Pack], str | bool | None]


@dataclass(frozen=True)
class Person:
    name: str
    number: str
    born: str


@dataclass(frozen=True)
class Says:
    """`key` is how the rule's subject is called: 户编号, number (or name), institution, pack. None: not a subject."""

    case: str
    rule: str
    key: str
    outcome: Expected
    level: str | Callable[[Pack], str] | None = None

    def of(self, pack: Pack) -> str | None:
        found = self.outcome(pack) if callable(self.outcome) else self.outcome
        return {True: "hit", False: "clear"}.get(found, found) if not isinstance(found, str) else found  # type: ignore[call-overload,no-any-return]


@dataclass
class House:
    """One household and its rows; methods return the house (or the person added), so that a case reads as a list."""

    county: County
    case: str
    code: str
    town: str
    members: list[Person] = field(default_factory=list)
    dead: int = 0

    @property
    def head(self) -> Person:
        return self.members[0]

    @property
    def place(self) -> dict[str, str]:
        return {"乡镇": self.town, "村": f"{self.town[0]}{self.code}村"}

    def add(self, born: str = "1981-05-05", labour: str = LABOUR, **registry: str) -> Person:
        """A member; the first one is the head."""
        person = self.county.person(born)
        self.members.append(person)
        row = {"户编号": self.code, "与户主关系": "户主" if len(self.members) == 1 else "其他", "姓名": person.name}
        row |= {"证件号码": person.number, **self.place, "户籍类型": "农村", "劳动能力": labour, **registry}
        self.county.rows["registry"].append(row)
        return person

    def row(self, feed: str, who: Person | None = None, **columns: str) -> House:
        """A row of the feed about the person (the head, unless said otherwise)."""
        person = who or self.head
        named = {"姓名": person.name, "证件号码": person.number}
        if feed in HEAD_FEEDS:
            named = {"户主姓名": person.name, "户主证件号码": person.number}
        place = {k: v for k, v in self.place.items() if k in HEADINGS[feed]}
        self.county.rows[feed].append({**named, **place, **columns})
        return self

    def says(self, rule: str, outcome: Expected, who: Person | None = None, level: Any = None) -> House:
        """Expects an outcome for the household, or for the person or the person's record."""
        key = self.code if who is None else who.number or who.name
        self.county.said.append(Says(self.case, rule, key, outcome, level))
        return self

    # -- rows that many cases need --------------------------------------------------------------------------------

    def check(self, month: float, date: str = "2026-06-01", **columns: str) -> House:
        """An income check of so many yuan a head and month, before deductions."""
        year = round(month * 12 * (len(self.members) - self.dead), 2)
        return self.row("income", 核对日期=date, 工资性收入=f"{year:.2f}", **columns)

    def dibao(self, *people: Person, **columns: str) -> House:
        """Whole-household dibao of these members (all, unless named), reviewed lately."""
        common = {
            "救助证编号": f"D{self.code}",
            "享受起始日期": "2023-03-03",
            "最近复核日期": "2026-10-10",
            "类别": "B",
        }
        if self.town == LATE:
            common.pop("最近复核日期")
        for person in people or tuple(self.members):
            head = {"户主姓名": self.head.name, "户主证件号码": self.head.number}
            self.row("dibao", person, **{**head, **common, **columns})
        return self

    def monitored(self, kind: str = "边缘易致贫户", *people: Person, **columns: str) -> House:
        """On the monitoring list, with measures and somebody responsible, risk not removed."""
        common = {
            "户编号": f"J{self.code}",
            "户类型": kind,
            "识别日期": "2025-03-03",
            "帮扶责任人": "李帮扶",
            "帮扶措施": "务工",
        }
        for person in people or tuple(self.members):
            relation = "户主" if person is self.head else "其他"
            self.row("monitored", person, **{**common, "与户主关系": relation, **columns})
        return self

    def listed(self, kind: str = "低保边缘家庭", *people: Person) -> House:
        for person in people or tuple(self.members):
            self.row("low_income", person, 类别=kind, 认定日期="2025-05-05")
        return self

    def tekun(self, who: Person | None = None, **columns: str) -> House:
        common = {"供养方式": "集中供养", "享受起始日期": "2020-02-02", "月基本生活费": "2000", "照料服务人": "张护理"}
        return self.row("tekun", who, **{**common, **columns})

    def disabled(self, who: Person | None = None, kind: str = "肢体", grade: str = "1", **columns: str) -> House:
        return self.row(
            "disability", who, 残疾类别=kind, 残疾等级=grade, **{"发证日期": "2020-02-02", "状态": "有效", **columns}
        )

    def died(self, who: Person, date: str) -> House:
        self.dead += 1
        return self.row("deaths", who, 死亡日期=date)

    def ill(self, paid: str, aid: str = "0", who: Person | None = None, **columns: str) -> House:
        """A settlement for a major illness within the year."""
        common = {"结算日期": "2026-05-05", "重大疾病": "是", "总费用": "50000", "医疗救助": aid, "个人自付": paid}
        return self.row("medical", who, **{**common, **columns})

    def aid(self, paid: str, who: Person | None = None, **columns: str) -> House:
        """A grant of temporary aid, accepted and paid on one day (`paid`, blank: not paid)."""
        common = {"救助类型": "支出型", "受理日期": paid, "发放日期": paid, "救助金额": "800"}
        return self.row("temporary_aid", who, **{**common, **columns})


@dataclass
class County:
    """All cases of one delivery."""

    rows: Tables = field(default_factory=lambda: {feed: [] for feed in HEADINGS})
    said: list[Says] = field(default_factory=list)
    people: int = 0
    houses: int = 0

    def person(self, born: str) -> Person:
        """Somebody with a name and a number of their own."""
        self.people += 1
        signs = "一二三四五六七八九十甲乙丙丁戊己庚辛壬癸"
        name = "赵钱孙李周吴郑王冯陈"[self.people // 400 % 10] + signs[self.people // 20 % 20] + signs[self.people % 20]
        return Person(name, number(born.replace("-", ""), self.people), born)

    def house(self, case: str, *members: str, town: str = SEEN) -> House:
        """A household for a case; `members` are birth dates (one adult of 45, unless given)."""
        self.houses += 1
        house = House(self, case, f"H{self.houses:04d}", town)
        for born in members or ("1981-05-05",):
            house.add(born)
        return house

    def says(self, rule: str, key: str, outcome: Expected, level: Any = None) -> None:
        """Expects an outcome for a subject that is neither a household nor a person."""
        self.said.append(Says(rule, rule, key, outcome, level))

    def witness(self) -> None:
        """One household through which everything is known to have come in for the township SEEN."""
        house = self.house("witness", "1950-01-01", "2012-02-02")
        house.check(5000)
        child = house.members[1]
        for kind in ("生活补贴", "护理补贴"):
            house.row("disability_subsidy", 补贴类型=kind, 发放年月="2026-11", 发放状态="失败")
        house.row("payments", child, 项目="孤儿", 发放年月="2026-11", 发放状态="成功")
        house.row("visits", 走访日期="2026-11-25", 走访方式="入户")
        house.row("insurance", 参保年度="2026", 参保状态="正常参保")
        house.row("education", child, 学段="小学", 学籍状态="在读", 资助年度="2025", 资助金额="500")
        house.aid("2026-10-30")
