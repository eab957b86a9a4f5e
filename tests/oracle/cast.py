"""The people of a generated county: numbers, names, households, and how a department writes somebody down."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field

from tests.oracle import calendar
from tests.oracle.reading import RawRow, check_character

REGION = "500999"
PLACES = {
    "云岭乡": ("上寨村", "下寨村"),
    "青石镇": ("石桥村", "石门村"),
    "河口街道": ("新河村", "码头社区"),
    "高坪乡": ("高坪村", "长岭村"),
}
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅春生福海文建国志斌雨燕浩源晓"
#: ages at which some rule or word changes its mind
AGES = (0, 0, 1, 5, 6, 8, 12, 15, 16, 17, 18, 20, 22, 24, 30, 38, 45, 50, 55, 59, 59, 60, 60, 66, 75, 88)
ADULTS = (18, 24, 30, 38, 45, 50, 55, 59, 60, 66, 75)


def iso(date: dt.date | None) -> str:
    return date.isoformat() if date else ""


def money(value: float) -> str:
    """A sum as departments write it: no needless decimals."""
    text = f"{value:.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(eq=False)
class Somebody:
    name: str
    birth: dt.date
    sex: str
    number: str
    house: str
    township: str
    village: str
    phone: str
    head: Somebody | None = None
    registered: bool = True
    died: dt.date | None = None
    #: what the registry writes instead of the number, where not the number
    registry_number: str | None = None
    #: feed -> the columns that stand there instead of a usable number
    disguises: dict[str, RawRow] = field(default_factory=dict)
    #: feed -> another name that stands there beside the right number
    misnamed: dict[str, str] = field(default_factory=dict)

    def age(self, day: dt.date) -> int:
        return calendar.age(self.birth, day) or 0


@dataclass
class House:
    code: str
    township: str
    village: str
    members: list[Somebody]
    urban: str = "农村"

    @property
    def head(self) -> Somebody:
        return self.members[0]


class Cast:
    """Makes people with valid numbers and unique names, and damages numbers on purpose."""

    def __init__(self, rng: random.Random, day: dt.date) -> None:
        self.rng = rng
        self.day = day
        self.serial = 0
        self.names: set[str] = set()
        self.people: list[Somebody] = []

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def fresh_name(self) -> str:
        while True:
            name = self.rng.choice(SURNAMES) + self.rng.choice(GIVEN) + self.rng.choice(GIVEN)
            if name not in self.names:
                self.names.add(name)
                return name

    def birthday(self, ages: tuple[int, ...]) -> dt.date:
        """A birth date at, just before or just after the day on which the age is reached, or in between."""
        age = self.rng.choice(ages)
        exact = calendar.add_months(self.day, -12 * age)
        shift = self.rng.choice((0, 0, -1, 1, -40, -200, -300))
        return min(exact + dt.timedelta(days=shift), self.day - dt.timedelta(days=3))

    def number(self, birth: dt.date, sex: str) -> str:
        """A valid number nobody else has, not one that looks rounded."""
        while True:
            self.serial += 1
            serial = self.serial * 2 + (1 if sex == "男" else 0)
            first = f"{REGION}{birth:%Y%m%d}{serial % 1000:03d}"
            if not first.endswith("00"):
                return first + check_character(first)

    def person(self, house: str, township: str, village: str, ages: tuple[int, ...]) -> Somebody:
        birth, sex = self.birthday(ages), self.rng.choice("男女")
        phone = f"139{self.rng.randrange(10**8):08d}"
        name = self.fresh_name()
        somebody = Somebody(name, birth, sex, self.number(birth, sex), house, township, village, phone)
        self.people.append(somebody)
        return somebody

    def house(self, index: int) -> House:
        township = self.rng.choice(list(PLACES))
        village = self.rng.choice(PLACES[township])
        code = f"H{index:04d}"
        count = self.rng.choice((1, 1, 2, 2, 3, 4, 5))
        members = [self.person(code, township, village, ADULTS if self.chance(0.9) else AGES)]
        members += [self.person(code, township, village, AGES) for _ in range(count - 1)]
        urban = self.rng.choice(("农村", "农村", "农业", "城镇", "非农业"))
        return House(code, township, village, members, urban)

    # -- the mess of numbers ------------------------------------------------------------------------------------

    def spoil(self, number: str) -> str:
        """A number that cannot be used: missing, rounded by Excel, or with the wrong check character."""
        wrong = "0123456789X".replace(number[-1], "")
        return self.rng.choice(("", f"{int(number[:17]) * 10:.5E}", number[:17] + self.rng.choice(wrong), number[:12]))

    def disguise(self, somebody: Somebody, feed: str) -> None:
        """From now on this feed knows the person without a usable number, with this or that to go by."""
        columns = {"证件号码": self.spoil(somebody.number)}
        if self.chance(0.6):
            columns["出生日期"] = iso(somebody.birth)
        if self.chance(0.4):
            columns["联系电话"] = somebody.phone
        if self.chance(0.3):
            columns["性别"] = somebody.sex
        if self.chance(0.12):
            columns["性别"] = "女" if somebody.sex == "男" else "男"
        if self.chance(0.12) and "出生日期" in columns:
            columns["出生日期"] = iso(somebody.birth + dt.timedelta(days=1))
        if self.chance(0.12):  # a misspelt name, to be found by birth date, village and phone
            columns |= {"出生日期": iso(somebody.birth), "联系电话": somebody.phone, "姓名": self.fresh_name()}
        somebody.disguises[feed] = columns

    def namesake(self, somebody: Somebody, other: Somebody) -> None:
        """Makes `other` a namesake in the same village, sometimes with the same birth date."""
        other.name = somebody.name
        if self.chance(0.6):
            other.birth = somebody.birth
            other.sex = self.rng.choice((somebody.sex, other.sex))
            other.number = self.number(other.birth, other.sex)
        if self.chance(0.3):
            other.phone = somebody.phone

    def rounded(self, somebody: Somebody) -> str | None:
        """The number as Excel rounds it, where its check character still holds."""
        first = somebody.number[:15] + "00"
        return first + "0" if check_character(first) == "0" and not somebody.number.endswith("000") else None

    def make_roundable(self, somebody: Somebody) -> bool:
        """Gives the person a number whose rounded form is valid too, where the birth date allows it."""
        start = f"{REGION}{somebody.birth:%Y%m%d}"
        for digit in "0123456789":
            if check_character(start + digit + "00") == "0":
                first = start + digit + ("51" if somebody.sex == "男" else "52")
                somebody.number = first + check_character(first)
                return True
        return False
