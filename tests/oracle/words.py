"""The words of `rules.md`: facts of one household or person at as-of, None where the word is unknown.

Two readings run through this module. A row of a list is picked by plain comparison (a blank status is not 有效, not
正常); a single column that a rule asks about is unknown where blank, unless it asks "not X", which includes blank.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from tests.oracle import calendar, packs
from tests.oracle.county import County
from tests.oracle.logic import Truth, all_, and_, any_, is_, less, not_, or_, within
from tests.oracle.reading import Deliveries, Row

AT_RISK_KINDS = ("未脱贫户", "脱贫不稳定户", "边缘易致贫户", "突发严重困难户")
START_END = {
    "dibao": ("享受起始日期", "终止日期"),
    "tekun": ("享受起始日期", "终止日期"),
    "low_income": ("认定日期", "终止日期"),
    "care_groups": ("起始日期", "终止日期"),
}
INCOME_ITEMS = ("工资性收入", "经营净收入", "财产净收入", "转移净收入", "基础养老金")


def total(rows: Iterable[Row], heading: str) -> Fraction | None:
    """The sum of what is given; None where no row gives it."""
    given = [row[heading] for row in rows if row[heading] is not None]
    return sum(given, Fraction(0)) if given else None


class Words:
    """Every word of the contract for one county, period and pack. Results are remembered per subject."""

    def __init__(self, deliveries: Deliveries, period: str, pack: str) -> None:
        self.county = County(deliveries, period)
        self.as_of = self.county.as_of
        self.month = self.as_of.replace(day=1)
        self.pack = pack
        self.p = packs.parameters(pack, self.as_of)
        self._memo: dict[tuple[str, str], Any] = {}
        self._house_rows_cache: dict[tuple[str, str], list[Row]] = {}

    def _once(self, word: str, subject: str, work: Callable[[], Any]) -> Any:
        if (word, subject) not in self._memo:
            self._memo[word, subject] = work()
        return self._memo[word, subject]

    # -- rows ---------------------------------------------------------------------------------------------------

    def loaded(self, feed: str) -> bool:
        return feed in self.county.loaded

    def of(self, feed: str, person: str) -> list[Row]:
        return self.county.by_person[feed].get(person, [])

    def of_members(self, feed: str, house: str, dead_too: bool = False) -> list[Row]:
        """Rows that reach the household through its members (through the living ones, unless said otherwise)."""
        people = sorted(self.county.households[house]) if dead_too else self.county.living(house)
        return [row for person in people for row in self.of(feed, person)]

    def last_months(self, date: dt.date | None, months: int) -> bool:
        return calendar.in_last_months(date, months, self.as_of)

    def last_days(self, date: dt.date | None, days: int) -> bool:
        return calendar.in_last_days(date, days, self.as_of)

    def active(self, row: Row) -> bool:
        start, end = START_END[row.feed]
        begun = row[start] is None or row[start] <= self.as_of
        return begun and (row[end] is None or row[end] > self.as_of)

    def active_rows(self, feed: str, person: str) -> list[Row]:
        return [row for row in self.of(feed, person) if self.active(row)]

    # -- persons ------------------------------------------------------------------------------------------------

    def home(self, person: str) -> str:
        return self.county.home[person]

    def age(self, person: str) -> int | None:
        """At as-of; of the dead at death."""
        return calendar.age(self.county.birth(person), self.county.died.get(person, self.as_of))

    def age_from(self, person: str, years: int) -> Truth:
        return not_(less(self.age(person), years))

    def age_below(self, person: str, years: int) -> Truth:
        return less(self.age(person), years)

    def on(self, feed: str, person: str) -> bool:
        return bool(self.active_rows(feed, person))

    def certificates(self, person: str) -> list[Row] | None:
        """有效 ones; None where `disability` is not loaded. Of the dead those issued before death."""
        if not self.loaded("disability"):
            return None
        until = self.county.died.get(person, self.as_of)
        rows = [row for row in self.of("disability", person) if row["状态"] == "有效"]
        return [row for row in rows if row["发证日期"] is None or row["发证日期"] <= until]

    def has_certificate(self, person: str, fits: Callable[[Row], bool] = lambda row: True) -> Truth:
        rows = self.certificates(person)
        return None if rows is None else any(fits(row) for row in rows)

    def is_severe_certificate(self, row: Row) -> bool:
        extra = self.p["disability.severe_extra_grades"]
        return row["残疾等级"] in (1, 2) or (row["残疾类别"] in ("智力", "精神") and row["残疾等级"] in extra)

    def severe(self, person: str) -> Truth:
        return self.has_certificate(person, self.is_severe_certificate)

    def major_illness_rows(self, person: str) -> list[Row] | None:
        if not self.loaded("medical"):
            return None
        rows = self.of("medical", person)
        return [row for row in rows if row["重大疾病"] == "是" and self.last_months(row["结算日期"], 12)]

    @staticmethod
    def medical_aid(row: Row) -> Fraction | None:
        """Blank 医疗救助 is 0 where the row has 总费用 or 个人自付."""
        if row["医疗救助"] is not None:
            return Fraction(row["医疗救助"])
        return None if row["总费用"] is None and row["个人自付"] is None else Fraction(0)

    def seriously_ill(self, person: str) -> Truth:
        rows = self.major_illness_rows(person)
        if rows is None:
            return None
        if not self.p["illness.needs_medical_aid"]:
            return bool(rows)
        return any_(less(0, self.medical_aid(row)) for row in rows)

    def no_labour(self, person: str) -> Truth:
        def disabling(row: Row) -> bool:
            kind, grade = row["残疾类别"], row["残疾等级"]
            return bool(
                (kind in ("智力", "精神") and grade <= 3)
                or (kind == "肢体" and grade <= 2)
                or (kind == "视力" and grade == 1)
            )

        abilities = {row["劳动能力"] for row in self.county.member_rows[person] if row["劳动能力"]}
        ability: Truth = "无劳动力" in abilities if abilities else None
        return or_(
            self.age_from(person, 60), self.age_below(person, 16), ability, self.has_certificate(person, disabling)
        )

    def social(self, person: str, *states: str) -> list[Row]:
        """Rows of 城镇职工养老 in one of the states."""
        rows = self.of("social_insurance", person)
        return [row for row in rows if row["险种"] == "城镇职工养老" and row["参保状态"] in states]

    def aid_dates(self, person: str) -> list[dt.date]:
        """Days of paid temporary aid; the dead have none."""
        rows = self.of("temporary_aid", person) if self.county.is_living(person) else []
        return [row["发放日期"] for row in rows if row["发放日期"] is not None]

    def is_pupil(self, person: str) -> Truth:
        if not self.loaded("education"):
            return None
        return any(row["学籍状态"] == "在读" for row in self.of("education", person))

    def school_state(self, person: str, *states: str) -> Truth:
        if not self.loaded("education"):
            return None
        return any(row["学籍状态"] in states for row in self.of("education", person))

    # -- what is missing: only known where the township (the county) has such rows ---------------------------------

    def covered(self, feed: str, township: str | None, fits: Callable[[Row], bool]) -> bool:
        """Whether the township has handed in rows of that kind and period."""
        if township is None:
            return False
        return any(fits(row) and self.county.row_township(row) == township for row in self.county.rows[feed])

    def missing(self, found: bool, known: bool) -> Truth:
        """Something found is not missing; nothing found counts only where it would be known."""
        return False if found else (True if known else None)

    def missing_subsidy(self, person: str, kind: str) -> Truth:
        def this_month(row: Row) -> bool:
            return bool(row["补贴类型"] == kind and row["发放年月"] == self.month)

        paid = any(this_month(row) and row["发放状态"] == "成功" for row in self.of("disability_subsidy", person))
        return self.missing(paid, self.covered("disability_subsidy", self.county.township(person), this_month))

    def missing_orphan_payment(self, person: str) -> Truth:
        def this_month(row: Row) -> bool:
            return bool(row["项目"] == "孤儿" and row["发放年月"] == self.month)

        paid = any(this_month(row) and row["发放状态"] == "成功" for row in self.of("payments", person))
        return self.missing(paid, self.covered("payments", self.county.township(person), this_month))

    def missing_grants(self, people: Iterable[str], heading: str, start: dt.date) -> Truth:
        """No `temporary_aid` of these people with the date from `start` on; known by the county."""

        def since(row: Row) -> bool:
            return row[heading] is not None and start <= row[heading] <= self.as_of

        own = [row for p in people if self.county.is_living(p) for row in self.of("temporary_aid", p)]
        return self.missing(any(map(since, own)), any(map(since, self.county.rows["temporary_aid"])))

    def missing_aid_last_year(self, person: str) -> Truth:
        start = calendar.add_months(self.as_of, -12) + dt.timedelta(days=1)
        return self.missing_grants([person], "发放日期", start)

    def missing_visit(self, people: list[str], houses: list[str], township: str | None, kind: str) -> Truth:
        """No visit that names one of the people or, naming nobody, their household."""

        def counts(row: Row) -> bool:
            at_home = kind != "tekun" or (row["走访方式"] or "入户") == "入户"
            return at_home and self.last_days(row["走访日期"], self.p["visit.days"][kind])

        rows = [row for person in people for row in self.of("visits", person)]
        rows += [row for row in self.county.rows["visits"] if row.person is None and row["户编号"] in houses]
        return self.missing(any(map(counts, rows)), self.covered("visits", township, counts))

    def person_missing_visit(self, person: str, kind: str) -> Truth:
        return self.missing_visit([person], self.county.houses(person), self.county.township(person), kind)

    def missing_education_aid(self, person: str) -> Truth:
        year = calendar.school_year(self.as_of)

        def since(row: Row) -> bool:
            return row["资助年度"] is not None and row["资助年度"] >= year

        found = any(since(row) and (row["资助金额"] or 0) > 0 for row in self.of("education", person))
        return self.missing(found, self.covered("education", self.county.township(person), since))

    def uninsured(self, person: str) -> Truth:
        def this_year(row: Row) -> bool:
            return bool(row["参保年度"] == self.as_of.year)

        rows = [row for row in self.of("insurance", person) if this_year(row)]
        if rows:
            return all(row["参保状态"] != "正常参保" for row in rows)
        return self.missing(False, self.covered("insurance", self.county.township(person), this_year))

    # -- households ---------------------------------------------------------------------------------------------

    def size(self, house: str) -> int:
        return len(self.county.living(house))

    def any_on(self, house: str, *feeds: str) -> bool:
        return any(self.on(feed, person) for person in self.county.living(house) for feed in feeds)

    def whole_rows(self, house: str) -> list[Row]:
        rows = [row for row in self.of_members("dibao", house) if self.active(row)]
        return [row for row in rows if (row["保障方式"] or "整户") == "整户"]

    def whole_dibao(self, house: str) -> bool:
        return bool(self.whole_rows(house))

    def standard(self, house: str) -> int:
        rows = self.county.house_rows.get(house, [])
        # The dead are not counted as members; where no living one has a kind, theirs is better than none.
        living = [row for row in rows if self.county.is_living(str(row.person))]
        head = [row["户籍类型"] for row in living if row["与户主关系"] == "户主" and row["户籍类型"]]
        kinds = (
            head
            or [row["户籍类型"] for row in living if row["户籍类型"]]
            or [row["户籍类型"] for row in rows if row["户籍类型"]]
        )
        if kinds:
            urban = any(kind in ("城镇", "非农业") for kind in kinds)
        else:
            active = [row for row in self.of_members("dibao", house) if self.active(row)]
            urban = any(row["低保类型"] == "城市低保" for row in active)
        return int(self.p["dibao.standard_urban" if urban else "dibao.standard_rural"])

    def low_line(self, house: str) -> Fraction:
        return Fraction(self.p["low_income.ceiling"]) * self.standard(house)

    # income

    def assessed(self, row: Row) -> Fraction:
        """A check's yearly income after deductions, for the household."""

        def item(name: str) -> Fraction:
            return Fraction(row[name] or 0)

        value = sum(map(item, INCOME_ITEMS[:4]), Fraction(0))
        if not self.p["income.exclude_basic_pension"]:
            value += item("基础养老金")
        if self.p["income.deduct_employment_cost"]:
            value -= item("必要就业成本")
        if self.p["income.deduct_rigid"]:
            value -= item("医疗自付支出") + item("教育支出") + item("残疾康复支出")
        return value

    @staticmethod
    def before_deductions(row: Row) -> Fraction:
        return sum((Fraction(row[name] or 0) for name in INCOME_ITEMS), Fraction(0))

    def checks(self, house: str) -> list[Row]:
        """One check a date, the latest first: the head's, then the higher. A check without any income item is none."""
        heads = self.county.heads(house)
        by_date: dict[dt.date, list[Row]] = {}
        for row in self.of_members("income", house, dead_too=True):
            if any(row[item] is not None for item in INCOME_ITEMS):
                by_date.setdefault(row["核对日期"], []).append(row)

        def rank(row: Row) -> tuple[Any, ...]:
            return (row.person in heads, self.assessed(row), self.before_deductions(row), sorted(map(str, row.same())))

        return [max(by_date[date], key=rank) for date in sorted(by_date, reverse=True)]

    def check(self, house: str) -> Row | None:
        checks = self._once("checks", house, lambda: self.checks(house))
        if checks and not calendar.older_than_months(checks[0]["核对日期"], 24, self.as_of):
            found: Row = checks[0]
            return found
        return None

    def income_pc(self, house: str) -> Fraction | None:
        found: Fraction | None = self._once("income_pc", house, lambda: self._income_pc(house))
        return found

    def _income_pc(self, house: str) -> Fraction | None:
        check = self.check(house)
        if check is not None:
            value = self.assessed(check) / 12 / self.size(house)
        elif (yearly := self.monitored_income(house)) is not None:
            value = yearly / 12
        else:
            rows = [row for row in self.of_members("dibao", house) if self.active(row)]
            given = [Fraction(row["家庭月人均收入"]) for row in rows if row["家庭月人均收入"] is not None]
            if not given:
                return None
            value = min(given)
        return max(value, Fraction(0))

    def income_year(self, house: str) -> Fraction | None:
        check = self.check(house)
        if check is not None:
            return self.before_deductions(check)
        yearly = self.monitored_income(house)
        return None if yearly is None else yearly * self.size(house)

    def is_low_income(self, house: str) -> Truth:
        listed = self.in_monitored(house) and self.kind(house) != "脱贫户" and not self.cleared(house)
        return or_(less(self.income_pc(house), self.low_line(house)), self.any_on(house, "low_income"), listed)

    def rise_from_work(self, house: str) -> bool:
        check = self.check(house)
        cost = check is not None and (check["必要就业成本"] or 0) > 0
        jobs = [row for person in self.county.living(house) for row in self.social(person, "正常参保")]
        return cost or any(self.last_months(row["状态日期"], 12) for row in jobs)

    # expenditure

    def medical_12m(self, house: str) -> Fraction | None:
        people = [
            p
            for p in self.county.households[house]
            if self.county.is_living(p) or self.last_months(self.county.died[p], 12)
        ]
        rows = [row for p in people for row in self.of("medical", p) if self.last_months(row["结算日期"], 12)]
        check = self.check(house)
        for value in (
            total(rows, "个人自付"),
            check["医疗自付支出"] if check is not None else None,
            self.monitored_fact(house, "合规自付支出"),
        ):
            if value is not None:
                return Fraction(value)
        return Fraction(0) if self.loaded("medical") else None

    def rigid_12m(self, house: str) -> Fraction | None:
        medical = self.medical_12m(house)
        check = self.check(house)
        if medical is None or check is None:
            return medical
        return medical + Fraction(check["教育支出"] or 0) + Fraction(check["残疾康复支出"] or 0)

    def heavy_rigid(self, house: str) -> Truth:
        rigid, income = self.rigid_12m(house), self.income_year(house)
        share = None if income is None else Fraction(self.p["rigid.share"]) * income
        return and_(not_(less(rigid, share)), less(0, rigid))

    # monitored

    def monitored_rows(self, house: str) -> list[Row]:
        """Living members' rows, and undecided ones whose 户编号 and village are the household's."""
        return self._once("monitored_rows", house, lambda: self._monitored_rows(house))  # type: ignore[no-any-return]

    def _monitored_rows(self, house: str) -> list[Row]:
        rows = self.of_members("monitored", house)
        villages = {(row["乡镇"], row["村"]) for row in self.county.house_rows.get(house, [])}
        rows += [
            row
            for row in self.county.rows["monitored"]
            if row.person is None and row["户编号"] == house and (row["乡镇"], row["村"]) in villages
        ]
        return rows

    def in_monitored(self, house: str) -> bool:
        return bool(self.monitored_rows(house))

    def latest_monitored(self, house: str) -> list[Row]:
        """The rows of the latest 识别日期, the head's first; a blank date is the earliest."""
        rows = self.monitored_rows(house)
        latest = max((row["识别日期"] or dt.date.min for row in rows), default=None)
        heads = self.county.heads(house)

        def order(row: Row) -> tuple[Any, ...]:
            return (
                row.person not in heads,
                row["与户主关系"] != "户主",
                row.person or "",
                sorted(map(str, row.same())),
            )

        return sorted((row for row in rows if (row["识别日期"] or dt.date.min) == latest), key=order)

    def monitored_fact(self, house: str, heading: str) -> Any:
        return next((row[heading] for row in self.latest_monitored(house) if row[heading] is not None), None)

    def monitored_income(self, house: str) -> Fraction | None:
        given = [row["人均纯收入"] for row in self.latest_monitored(house) if row["人均纯收入"] is not None]
        return Fraction(min(given)) if given else None

    def identified(self, house: str) -> dt.date | None:
        rows = self.latest_monitored(house)
        date: dt.date | None = rows[0]["识别日期"] if rows else None
        return date

    def kind(self, house: str) -> str | None:
        kind: str | None = self.monitored_fact(house, "户类型")
        return kind

    def cleared(self, house: str) -> bool:
        return bool(self.monitored_fact(house, "风险是否消除") == "是")

    def at_risk(self, house: str) -> bool:
        return self.kind(house) in AT_RISK_KINDS and not self.cleared(house)

    def monitored_flag(self, house: str, heading: str, value: str) -> Truth:
        return is_(self.monitored_fact(house, heading), value) if self.in_monitored(house) else False

    def line_income(self, house: str) -> Fraction | None:
        """人均纯收入 where given, else income_pc × 12."""
        yearly = self.monitored_income(house)
        if yearly is not None:
            return yearly
        monthly = self.income_pc(house)
        return None if monthly is None else monthly * 12

    # property

    def housing_rows(self, house: str) -> list[Row]:
        return self._once("housing_rows", house, lambda: self._housing_rows(house))  # type: ignore[no-any-return]

    def _housing_rows(self, house: str) -> list[Row]:
        rows = self.of_members("housing", house, dead_too=True)
        return rows + [r for r in self.county.rows["housing"] if r.person is None and r["户编号"] == house]

    def unsafe_dwelling(self, house: str) -> Truth:
        rows = self.housing_rows(house)
        return any_(and_(within(row["住房鉴定等级"], "CD"), row["改造状态"] != "已改造") for row in rows)

    def unsafe_housing(self, house: str) -> Truth:
        return or_(self.unsafe_dwelling(house), self.monitored_flag(house, "住房是否安全", "否"))

    def unsafe_water(self, house: str) -> Truth:
        rows = any_(is_(row["饮水是否安全"], "否") for row in self.housing_rows(house))
        return or_(rows, self.monitored_flag(house, "饮水是否安全", "否"))

    def titles(self, house: str) -> list[Row]:
        return [row for row in self.of_members("real_estate", house) if row["状态"] == "现势"]

    def homes(self, house: str) -> int:
        counted = [row for row in self.titles(house) if row["房屋性质"] in ("商品房", "自建房", "安置房")]
        numbers = {row["不动产权证号"] or id(row) for row in counted}
        own_built = any(row["房屋性质"] in ("自建房", "安置房") for row in counted)
        return len(numbers) + (bool(self.housing_rows(house)) and not own_built)

    def recent_home(self, house: str) -> bool:
        """Nobody has one where the parameter is off: the condition is dropped."""
        years = self.p["property.recent_home_years"]
        return years is not None and any(
            row["房屋性质"] == "商品房" and row["取得方式"] == "购买" and self.last_months(row["登记日期"], 12 * years)
            for row in self.titles(house)
        )

    def vehicles(self, person: str) -> list[Row]:
        return [row for row in self.of("vehicles", person) if row["车辆类型"] in self.p["property.vehicle_types"]]

    def property_fits(self, house: str) -> bool:
        living = self.county.living(house)
        driven = any(row["状态"] == "正常" for person in living for row in self.vehicles(person))
        business = any(
            row["状态"] == "存续" and row["角色"] in ("经营者", "法定代表人")
            for row in self.of_members("business", house)
        )
        homes = self.homes(house) <= self.p["property.max_homes"]
        return not driven and homes and not self.recent_home(house) and not business

    # dropout, deaths

    def dropped_out(self, person: str) -> Truth:
        age = self.age(person)
        rows = self.of("monitored", person)
        latest = max((row["识别日期"] or dt.date.min for row in rows), default=None)
        own = [row["义务教育是否辍学"] for row in rows if (row["识别日期"] or dt.date.min) == latest]
        given = [value for value in own if value is not None]
        flag: Truth = False if not rows else ("是" in given if given else None)
        compulsory = None if age is None else 6 <= age <= 15
        return and_(compulsory, or_(self.school_state(person, "辍学"), flag), not_(self.is_pupil(person)))

    def dead(self, house: str) -> list[str]:
        return sorted(p for p in self.county.households[house] if not self.county.is_living(p))

    def died_in_working_age(self, person: str) -> Truth:
        return all_([self.age_from(person, 18), self.age_below(person, 60)])
