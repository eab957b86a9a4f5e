"""The whole entitlement of households: told as stories through the whole pipeline, and held against the rules' own answers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from monitoring.access import Scope
from monitoring.entitlement import EXCLUDED, MISSING, RECEIVES, UNKNOWN, Entitlement, entitlement, totals
from monitoring.entitlement.amounts import family_year
from monitoring.entitlement.binding import Bound, bound
from monitoring.entitlement.changes import CENT, ONE, Change
from monitoring.entitlement.facts import households, persons
from monitoring.entitlement.judging import Judge, Judged, read_rows
from monitoring.entitlement.loading import load_schemes
from monitoring.queries.income import income
from monitoring.queries.verdicts import conditions
from monitoring.warehouse import Warehouse, publication
from tests.browsing import Visit, check
from tests.cases.building import PACKS, County, House
from tests.cases.running import PERIOD, bare_county, county
from tests.runs import run_quietly, write_feeds

TWO = ("1981-05-05", "1982-06-06")
CHINESE = re.compile("[\u3400-\u9fff]")
OURS = """
title = { zh = "本县", en = "Our county" }
extends = "demo"
"""
AMOUNTS = {
    "disability.living_subsidy": 93, "disability.nursing_subsidy_1": 110, "disability.nursing_subsidy_2": 90,
    "child.orphan_allowance": 1400, "child.unattended_allowance": 1200, "tekun.care_self": 60, "tekun.care_partial": 200,
    "tekun.care_full": 320, "dibao.supplement_rural": 104, "dibao.supplement_urban": 142, "dibao.single_amount": 313,
}  # fmt: skip


@dataclass
class Told:
    """A county of stories, run; `of` answers for a house."""

    county: County
    warehouse: Warehouse

    def of(self, house: House) -> list[Entitlement]:
        row = self.warehouse.row("select household_key from household where household_id = $id", {"id": house.code})
        return entitlement(self.warehouse, Scope(), row["household_key"])


def run_of(county: County, home: Path, pack: str) -> Warehouse:
    inbox = write_feeds({feed: rows for feed, rows in county.rows.items() if rows}, home.parent / f"{home.name}-inbox")
    run_quietly(home, PERIOD, inbox, pack)
    return Warehouse(publication(home).run_of(PERIOD).path)


def one(found: list[Entitlement], scheme: str, status: str | None = None) -> Entitlement:
    """The only row of a scheme (with this status)."""
    rows = [row for row in found if row.scheme == scheme and status in (None, row.status)]
    assert len(rows) == 1, [(row.scheme, row.status, row.why.zh) for row in found if row.scheme == scheme]
    return rows[0]


@pytest.fixture(scope="session")
def stories() -> dict[str, House]:
    """Households of the pack `demo`: 650 rural, 800 urban, low-income below 1.5 times, line 8800, heavy from 60 %."""
    c = County()
    c.witness()
    told: dict[str, House] = {}

    def house(name: str, *members: str) -> House:
        told[name] = c.house(name, *members)
        return told[name]

    for name, income_pc in {"under": 649.99, "at": 650, "over": 650.01, "half over": 680.5, "edge": 974.99, "beyond": 975,
                            "far": 3000}.items():  # fmt: skip
        house(name, *TWO).check(income_pc)
    house("three", *TWO, "2010-01-01").row("income", 核对日期="2026-06-01", 工资性收入="12000")
    house("unknown", *TWO)
    house("car", *TWO).check(300).row("vehicles", 车辆类型="汽车", 状态="正常")
    house("over and car", *TWO).check(700).row("vehicles", 车辆类型="汽车", 状态="正常")
    house("old and alone", "1943-03-03").check(300)
    house("old with another").check(300)
    told["old with another"].members[:] = []
    for row in [r for r in c.rows["registry"] if r["户编号"] == told["old with another"].code]:
        c.rows["registry"].remove(row)
    told["old with another"].add("1943-03-03", "无劳动力")
    told["old with another"].add("1986-03-03", "无劳动力")
    c.rows["income"].pop()
    told["old with another"].check(300)
    house("nearly sixty", "1968-12-01").check(300)
    severe = house("severe in an edge household", *TWO).check(700)
    severe.disabled(severe.members[1])
    both = house("severe and poor", *TWO).check(300)
    both.disabled(both.members[1])
    house("edge and rigid", *TWO).check(2000, 教育支出="30000")
    house("on dibao", *TWO).check(300).dibao(户月保障金额="600")
    house("on dibao with a car", *TWO).check(300).dibao(户月保障金额="700").row(
        "vehicles", 车辆类型="汽车", 状态="正常"
    )
    house("on dibao, rich", *TWO).check(3000).dibao(户月保障金额="60")
    house("in gradual exit", *TWO).check(700).dibao(户月保障金额="600", 渐退起始日期="2026-10-01")
    house("gradual exit due", *TWO).check(700).dibao(户月保障金额="600")
    house("on dibao, unknown", *TWO).dibao(户月保障金额="600")
    house("tekun too little", "1943-03-03").check(0).tekun(月基本生活费="800", 月照料护理费="200", 自理能力="半护理")
    old = house("on dibao, due tekun", "1943-03-03").check(300).dibao(户月保障金额="350")
    old.disabled(grade="3")
    disabled = house("disabled on dibao", *TWO).check(300).dibao(户月保障金额="700")
    disabled.disabled(disabled.members[1], grade="2")
    disabled.row("disability_subsidy", disabled.members[1], 补贴类型="护理补贴", 发放年月="2026-11", 金额="80", 发放状态="成功")  # fmt: skip
    orphan = house("an orphan", "1960-01-01", "2015-05-05")
    orphan.row("care_groups", orphan.members[1], 类别="孤儿", 监护人="张三", 起始日期="2024-01-01")
    paid = house("an orphan paid", "1960-01-01", "2015-05-05")
    paid.row("care_groups", paid.members[1], 类别="孤儿", 监护人="张三", 起始日期="2024-01-01", 津贴金额="1300")
    jobless = house("jobless", *TWO).check(700)
    jobless.row("social_insurance", 险种="城镇职工养老", 参保状态="终止参保", 状态日期="2026-08-01", 失业登记日期="2026-08-02")  # fmt: skip
    late = c.house("late township", "1981-05-05", town="迟报镇").check(300).dibao(户月保障金额="350")
    late.disabled(grade="1")
    told["late township"] = late
    house("aided", *TWO).check(700).aid("2026-08-08", 救助金额="1500", 救助类型="急难型")
    house("ill", *TWO).check(700).ill("12000")
    house("ill, blank aid", *TWO).check(700).ill("9999.99")
    house("dwelling", *TWO).check(700).row("housing", 住房鉴定等级="D", 改造状态="未改造")
    house("dwelling in work", *TWO).check(700).row("housing", 住房鉴定等级="D", 改造状态="改造中")
    told["county"] = told["under"]
    return told


@pytest.fixture(scope="session")
def told(stories: dict[str, House], tmp_path_factory: pytest.TempPathFactory) -> Told:
    c = stories["county"].county
    return Told(c, run_of(c, tmp_path_factory.mktemp("stories") / "home", "demo"))


# --- status, at the line and on either side of it


@pytest.mark.parametrize(
    ("name", "dibao", "edge", "due"),
    [
        ("under", MISSING, EXCLUDED, 1),  # 1300 - 1299.98: a started yuan counts as one
        ("at", EXCLUDED, MISSING, None),
        ("over", EXCLUDED, MISSING, None),
        ("edge", EXCLUDED, MISSING, None),
        ("beyond", EXCLUDED, EXCLUDED, None),
        ("three", MISSING, EXCLUDED, 950),
        ("unknown", UNKNOWN, UNKNOWN, None),
        ("car", EXCLUDED, EXCLUDED, None),
    ],
)
def test_under_at_and_over_the_line_and_without_an_income(
    told: Told, stories: dict[str, House], name: str, dibao: str, edge: str, due: int | None
) -> None:
    found = told.of(stories[name])
    assert (one(found, "dibao").status, one(found, "dibao-edge").status) == (dibao, edge)
    assert one(found, "dibao").monthly_due == due
    assert totals(found).missing == (due or 0)


def test_every_scheme_has_a_row_and_every_row_one_status_a_reason_and_a_clause(
    told: Told, stories: dict[str, House]
) -> None:
    keys = {scheme.key for scheme in load_schemes(None).schemes}
    for name in ("under", "unknown", "on dibao", "an orphan", "tekun too little"):
        found = told.of(stories[name])
        assert {row.scheme for row in found} == keys
        assert all(row.why.zh and row.why.en and row.clause for row in found)
        assert all(not row.documents for row in found if row.status != MISSING)
        assert all(row.missing_inputs for row in found if row.status == UNKNOWN)


def test_a_missing_income_is_unknown_and_says_what_would_decide(told: Told, stories: dict[str, House]) -> None:
    found = told.of(stories["unknown"])
    row = one(found, "dibao")
    assert [text.zh for text in row.missing_inputs] == ["家庭经济状况核对结果"]
    assert row.smallest_change is not None
    assert row.smallest_change.zh == "补齐家庭经济状况核对结果后即可判断：月人均收入低于 650 元即符合"
    edge = one(found, "dibao-edge").smallest_change
    assert edge is not None and edge.zh.endswith("月人均收入不低于 650 元且低于 975 元即符合")
    assert one(found, "tekun").status == EXCLUDED  # others can work, whatever the income is


@pytest.mark.parametrize(
    ("name", "scheme", "says"),
    [
        ("half over", "dibao", "月人均收入再低 30.51 元（全户一年 732.24 元），即符合"),
        ("at", "dibao", "月人均收入再低 0.01 元（全户一年 0.24 元），即符合"),
        ("under", "dibao", "月人均收入再高 0.01 元（全户一年 0.24 元），即不再符合"),
        ("beyond", "dibao-edge", "月人均收入再低 0.01 元（全户一年 0.24 元），即符合"),
        ("at", "dibao-edge", "月人均收入再低 0.01 元（全户一年 0.24 元），即不再符合"),
        ("car", "dibao", "计入财产的车辆减少 1 辆（已注销的提供注销证明），即符合"),
        ("over and car", "dibao", "月人均收入再低 50.01 元（全户一年 1,200.24 元），且计入财产的车辆减少 1 辆（已注销的提供注销证明），即符合"),
        ("nearly sixty", "tekun", "再过 3 年（满 60 周岁），即符合"),
        ("on dibao", "dibao", "月人均收入再高 350 元（全户一年 8,400 元），即不再符合（须先核实，不自动停发）"),
        ("on dibao, rich", "dibao", "月人均收入再低 2,350.01 元（全户一年 56,400.24 元），即重新符合"),
        ("ill, blank aid", "medical-aid", "12 个月个人自付再多 0.01 元，即符合"),
        ("gradual exit due", "gradual-exit", "月人均收入再低 50 元（全户一年 1,200 元），即不再符合"),
    ],
)  # fmt: skip
def test_the_smallest_change_is_the_nearest_flip(
    told: Told, stories: dict[str, House], name: str, scheme: str, says: str
) -> None:
    rows = [row for row in told.of(stories[name]) if row.scheme == scheme]
    changes = [row.smallest_change.zh for row in rows if row.smallest_change is not None]
    assert [text for text in changes if says in text], changes


def test_a_status_that_no_one_or_two_facts_change_names_none(told: Told, stories: dict[str, House]) -> None:
    assert one(told.of(stories["on dibao"]), "rigid-expenditure").smallest_change is None


# --- what excludes, and by which clause


def test_what_excludes_is_said_with_its_clause(told: Told, stories: dict[str, House]) -> None:
    row = one(told.of(stories["over and car"]), "dibao")
    assert "月人均收入 700 元，不低于农村低保标准 650 元" in row.why.zh and "1 辆计入财产的车辆" in row.why.zh
    assert "民发〔2020〕18号 二（二）" in row.clause and "草街办发〔2024〕54号 二（十）" in row.clause
    assert "not below the rural dibao standard of 650 yuan" in row.why.en


def test_one_who_receives_and_does_not_qualify_is_asked_about_and_never_stopped(
    told: Told, stories: dict[str, House]
) -> None:
    row = one(told.of(stories["on dibao with a car"]), "dibao")
    assert row.status == RECEIVES and "按现有数据不再符合" in row.why.zh and "核实前不停发" in row.why.zh
    assert one(told.of(stories["on dibao"]), "dibao").why.zh == "整户在册。按现有数据仍符合。"
    assert "是否仍符合不明：缺家庭经济状况核对结果" in one(told.of(stories["on dibao, unknown"]), "dibao").why.zh


def test_nobody_is_left_out_when_several_are_excluded_together(told: Told, stories: dict[str, House]) -> None:
    found = told.of(stories["severe in an edge household"])
    nursing = [row for row in found if row.scheme == "disability-nursing"]
    assert {row.status for row in nursing} == {MISSING, EXCLUDED} and all(len(row.person_ids) == 1 for row in nursing)
    assert one(found, "child-allowance").person is None and len(one(found, "child-allowance").person_ids) == 2


# --- money


def test_what_is_received_and_what_is_due_stand_side_by_side(told: Told, stories: dict[str, House]) -> None:
    row = one(told.of(stories["on dibao"]), "dibao")
    assert [row.monthly_now, row.monthly_due, row.short] == [600, 700, 100]
    sums = totals(told.of(stories["on dibao"]))
    assert [sums.received, sums.missing, sums.short] == [600, 0, 100]
    rich = one(told.of(stories["on dibao, rich"]), "dibao")
    assert [rich.monthly_now, rich.monthly_due, rich.short] == [60, 0, 0]
    assert one(told.of(stories["on dibao, unknown"]), "dibao").monthly_due is None


def test_tekun_shows_the_basic_amount_at_its_ratio_and_the_care_amount(told: Told, stories: dict[str, House]) -> None:
    row = one(told.of(stories["tekun too little"]), "tekun")
    assert [row.monthly_now, row.monthly_due, row.short] == [1000, 1045, 45]
    new = one(told.of(stories["old and alone"]), "tekun")
    assert new.monthly_due == Decimal("845.00") and new.note is not None and "不在政策包内" in new.note.zh


def test_an_amount_that_the_pack_lacks_is_never_made_up(told: Told, stories: dict[str, House]) -> None:
    found = told.of(stories["disabled on dibao"])
    nursing, living = one(found, "disability-nursing", RECEIVES), one(found, "disability-living", MISSING)
    assert nursing.monthly_now == 80 and nursing.monthly_due is None
    assert living.monthly_due is None and living.note is not None and living.note.zh == "标准不在政策包内"
    assert totals(found).unpriced == 1


def test_a_county_that_puts_its_amounts_into_its_pack_sees_them(
    stories: dict[str, House], tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("ours") / "home"
    (home / "policy" / "packs").mkdir(parents=True)
    text = OURS + "".join(
        f'\n[[parameter]]\nname = "{name}"\nunit = {{ zh = "元", en = "yuan" }}\nmeaning = {{ zh = "标准", en = "rate" }}\n'
        f'[[parameter.value]]\nvalue = {value}\nclause = "本县"\n'
        for name, value in AMOUNTS.items()
    )
    (home / "policy" / "packs" / "ours.toml").write_text(text, encoding="utf-8")
    ours = Told(stories["county"].county, run_of(stories["county"].county, home, "ours"))
    found = ours.of(stories["disabled on dibao"])
    assert one(found, "disability-living", MISSING).monthly_due == 93
    assert one(found, "disability-nursing", RECEIVES).short == 10
    assert one(ours.of(stories["an orphan"]), "child-allowance", MISSING).monthly_due == 1400
    assert one(ours.of(stories["tekun too little"]), "tekun").monthly_due == Decimal("1045.00")
    assert one(ours.of(stories["severe in an edge household"]), "dibao-single", MISSING).monthly_due == 313


def test_the_familys_year_is_the_authority_and_agrees_with_the_income_judged(warehouse: Warehouse) -> None:
    rows = warehouse.rows("select * from household_snapshot where income_known order by household_key")
    assert len(rows) > 100
    for row in rows:
        year = family_year(income(warehouse, Scope(), row["household_key"]), row)
        assert year is not None
        assert abs(year / 12 / row["size"] - row["income_pc"]) < Decimal("0.000001")


# --- what goes together


def test_of_two_that_exclude_each_other_the_better_is_offered_with_the_choice(
    told: Told, stories: dict[str, House]
) -> None:
    found = told.of(stories["old and alone"])
    tekun, dibao = one(found, "tekun"), one(found, "dibao")
    assert tekun.offered and dibao.yields and not dibao.offered
    assert tekun.choice is not None and "与最低生活保障（整户）择一，本项较优（按每月金额比较）" in tekun.choice.zh
    assert dibao.choice is not None and "特困人员救助供养较优" in dibao.choice.zh
    assert totals(found).missing == 845  # not 845 + 350


def test_dibao_is_worked_out_for_those_whom_tekun_does_not_take(told: Told, stories: dict[str, House]) -> None:
    found = told.of(stories["old with another"])
    dibao = one(found, "dibao")
    assert one(found, "tekun", MISSING).offered and dibao.offered
    assert dibao.monthly_due == 50 and dibao.choice is not None  # 650 - 2 x 300
    assert "按 2 人计算为每月 700 元" in dibao.choice.zh and totals(found).missing == 895


def test_a_household_that_qualifies_goes_before_one_of_its_members(told: Told, stories: dict[str, House]) -> None:
    found = told.of(stories["severe and poor"])
    assert one(found, "dibao").offered and one(found, "dibao-single", MISSING).yields
    edge = told.of(stories["severe in an edge household"])
    assert one(edge, "dibao-edge").offered and one(edge, "dibao-single", MISSING).offered  # these two go together


def test_edge_and_rigid_are_one_recognition(told: Told, stories: dict[str, House]) -> None:
    found = told.of(stories["edge and rigid"])
    assert one(found, "dibao-edge").offered and one(found, "rigid-expenditure").yields


def test_moving_to_a_better_scheme_counts_only_what_is_gained(told: Told, stories: dict[str, House]) -> None:
    found = told.of(stories["on dibao, due tekun"])
    tekun = one(found, "tekun")
    assert tekun.offered and tekun.gives_up == 350 and totals(found).missing == 845 - 350
    assert one(found, "disability-living", MISSING).yields
    dibao = one(found, "dibao")
    assert dibao.status == RECEIVES and dibao.choice is not None and "核实前不停发" in dibao.choice.zh
    assert totals(found).received == 350 and totals(found).short == 0


def test_no_household_is_offered_two_that_exclude_each_other(told: Told) -> None:
    pairs = {frozenset(apart.schemes): apart.between for apart in load_schemes(None).apart}
    keys = told.warehouse.rows("select household_key as key from household_snapshot")
    for row in keys:
        offered = [row for row in entitlement(told.warehouse, Scope(), row["key"]) if row.offered]
        for first in offered:
            for second in offered:
                between = pairs.get(frozenset((first.scheme, second.scheme)))
                shared = not first.person_ids or not second.person_ids or set(first.person_ids) & set(second.person_ids)
                beside = {first.scheme, second.scheme} == {"dibao", "tekun"}  # for the other members
                assert between is None or beside or (between == "person" and not shared), (first, second)


# --- schemes of their own kind


def test_gradual_exit_is_due_or_running_and_pays_nothing_of_its_own(told: Told, stories: dict[str, House]) -> None:
    due, running = told.of(stories["gradual exit due"]), told.of(stories["in gradual exit"])
    assert one(due, "gradual-exit").status == MISSING and one(running, "gradual-exit").status == RECEIVES
    assert totals(running).received == 600 and one(running, "dibao").monthly_due is None
    assert "2026-10-01 起" in one(running, "dibao").why.zh


def test_a_child_with_an_allowance_in_the_register_receives_it(told: Told, stories: dict[str, House]) -> None:
    assert one(told.of(stories["an orphan"]), "child-allowance", MISSING).offered
    assert one(told.of(stories["an orphan paid"]), "child-allowance", RECEIVES).monthly_now == 1300


def test_what_no_register_records_ends_in_unknown(told: Told, stories: dict[str, House]) -> None:
    row = one(told.of(stories["jobless"]), "employment", UNKNOWN)
    assert [text.zh for text in row.missing_inputs] == ["就业服务记录（没有部门提供）"]


def test_a_township_whose_payments_are_late_is_unknown(told: Told, stories: dict[str, House]) -> None:
    found = told.of(stories["late township"])
    for scheme, feed in (("disability-living", "生活补贴"), ("disability-nursing", "护理补贴")):
        row = one(found, scheme)
        assert row.status == UNKNOWN and feed in row.missing_inputs[0].zh


def test_aid_of_twelve_months_counts_by_its_kind(told: Told, stories: dict[str, House]) -> None:
    found = told.of(stories["aided"])
    assert one(found, "emergency-aid").status == RECEIVES and "1,500 元" in one(found, "emergency-aid").why.zh
    assert one(found, "expenditure-aid").status == EXCLUDED
    ill = told.of(stories["ill"])
    assert one(ill, "expenditure-aid").status == MISSING and one(ill, "medical-aid", MISSING).offered


def test_a_dwelling_under_renovation_is_received(told: Told, stories: dict[str, House]) -> None:
    assert one(told.of(stories["dwelling"]), "dwelling").status == MISSING
    assert one(told.of(stories["dwelling in work"]), "dwelling").status == RECEIVES


def test_papers_fit_the_household(told: Told, stories: dict[str, House]) -> None:
    def papers(name: str) -> list[str]:
        return [paper.what.zh for paper in one(told.of(stories[name]), "dibao", MISSING).documents]

    assert "残疾人证" in papers("severe and poor") and "残疾人证" not in papers("under")
    assert "单位就业收入证明" in papers("under")
    assert all(paper.source for paper in one(told.of(stories["under"]), "dibao").documents)


# --- the same as the rules


@pytest.mark.long
@pytest.mark.parametrize("pack", PACKS)
def test_where_a_rule_fires_the_scheme_is_missing_and_where_it_is_unknown_unknown(tmp_path: Path, pack: str) -> None:
    """Every case of every rule, in every pack."""
    assert_agrees(run_of(county(), tmp_path / "home", pack))


def test_the_same_where_most_feeds_never_had_a_file(tmp_path: Path) -> None:
    assert_agrees(run_of(bare_county(), tmp_path / "home", "national-2020"))


def test_the_same_for_every_household_of_the_sample(warehouse: Warehouse) -> None:
    assert_agrees(warehouse)


def assert_agrees(warehouse: Warehouse) -> None:
    """Set-based: all rows at once, every household judged."""
    known = bound(warehouse)
    found = judged_county(warehouse, known)
    seen: dict[tuple[str, str], int] = defaultdict(int)
    signals = {
        (row["rule"], row["household_key"] if row["subject"] == "household" else row["person_id"])
        for row in warehouse.rows("select rule, subject, household_key, person_id from signal")
    }
    for judged in found:
        scheme = judged.bound.scheme
        answers = {rule.code: judged.row[rule.code] for rule in judged.bound.rules}
        for code, answer in answers.items():
            subject = judged.row["household_key"] if judged.person_id is None else judged.person_id
            assert ((code, subject) in signals) == (answer is True), (code, subject)
        gaps = [answer for code, answer in answers.items() if code.startswith("GAP-")]
        if True in gaps:
            assert judged.status == MISSING, (scheme.key, answers)
            seen[scheme.key, MISSING] += 1
        elif None in gaps:
            # Unknown by one rule, it may be due by another way that the scheme has.
            assert judged.status == UNKNOWN or (judged.status == MISSING and judged.bound.due(judged.row))
            seen[scheme.key, UNKNOWN] += 1
        assert judged.bound.question.answer(judged.row) == judged.bound.due(judged.row), scheme.key
        assert judged.status != EXCLUDED or (judged.why.zh and judged.clause)
        assert judged.status != UNKNOWN or judged.missing_inputs
    assert {status for _, status in seen} == {MISSING, UNKNOWN}


def test_a_change_flips_the_answer_and_a_cent_or_a_day_less_does_not(told: Told) -> None:
    """Of every change that is named: what it says is so, and nothing less of the same is enough."""
    seen = 0
    for judged in judged_county(told.warehouse, bound(told.warehouse)):
        if not isinstance(judged.change, Change):
            continue
        row = {**judged.row, **(judged.bound.scheme.as_if if judged.status == RECEIVES else {})}
        answer, steps = judged.bound.question.answer, judged.change.steps
        moved = {**row, **{step.column: step.value for step in steps}}
        assert answer(moved) is (not answer(row)), (judged.key, steps)
        assert len(steps) == 1 or all(
            answer({**row, step.column: step.value}) is not (not answer(row)) for step in steps
        )
        for step in steps:
            if step.by is not None:
                unit = CENT if judged.bound.question.columns[step.column].type.startswith("DECIMAL") else ONE
                back = step.value + unit * (1 if step.move == "less" else -1)
                assert answer({**moved, step.column: back}) is answer(row), (judged.key, steps)
                seen += 1
    assert seen > 100


def judged_county(warehouse: Warehouse, known: Bound) -> list[Judged]:
    homes, people = read_rows(warehouse, Scope(), known, None)
    by_home: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for person in people:
        by_home[person["household_key"]].append(person)
    return [judged for home in homes for judged in Judge(known, home, by_home[home["household_key"]], None).all()]


def test_every_rule_that_a_scheme_names_hits_and_is_clear_in_the_cases(tmp_path: Path) -> None:
    warehouse = run_of(county(), tmp_path / "home", "caojie-2024")
    known = bound(warehouse)
    answers: dict[str, set[bool | None]] = defaultdict(set)
    for judged in judged_county(warehouse, known):
        for rule in judged.bound.rules:
            answers[rule.code].add(judged.row[rule.code])
    named = {code for one in known.bound for code in one.scheme.rules}
    assert {code for code in named if not {True, False} <= answers[code]} == set()
    assert named <= set(conditions(warehouse))


def test_a_condition_as_a_function_says_what_the_database_says(warehouse: Warehouse) -> None:
    """Every exclusion on every subject of the sample: the functions that reasons are found by are DuckDB's conditions."""
    known = bound(warehouse)
    homes = {row["household_key"]: row for row in warehouse.rows(f"select * from {households(False)}")}
    for subject, source in (("household", households(False)), ("person", persons(False))):
        asked = [(one, n) for one in known.of(subject) for n in range(len(one.exclusions))]
        texts = {
            f"e{place}": sql_of(known, one.exclusions[n].exclusion.when.text, subject)
            for place, (one, n) in enumerate(asked)
        }
        pieces = ", ".join(f'({sql}) as "{name}"' for name, sql in texts.items())
        for row in warehouse.rows(f"select *, {pieces} from {source}"):
            whole = {**homes.get(row["household_key"], {}), **row}
            for place, (one, n) in enumerate(asked):
                assert one.exclusions[n].holds(whole) == row[f"e{place}"], (one.scheme.key, n)


def sql_of(known: Bound, text: str, subject: str) -> str:
    from monitoring.queries.conditions import read_condition

    return read_condition(subject, text, dict(known.parameters)).sql


# --- who may see it, and at what price


def test_a_household_outside_the_scope_has_no_rows(told: Told, stories: dict[str, House]) -> None:
    key = told.warehouse.row("select household_key as key from household where household_id = $id", {"id": stories["under"].code})["key"]  # fmt: skip
    assert entitlement(told.warehouse, Scope(townships=("别镇",)), key) == []
    assert entitlement(told.warehouse, Scope(allowed=(("别镇", None),)), key) == []
    assert entitlement(told.warehouse, Scope(allowed=(("全报镇", None),)), key)


def test_names_are_masked_as_the_scope_says(told: Told, stories: dict[str, House]) -> None:
    house = stories["severe and poor"]
    key = told.warehouse.row("select household_key as key from household where household_id = $id", {"id": house.code})["key"]  # fmt: skip
    name = house.members[1].name
    for row in entitlement(told.warehouse, Scope(), key):
        assert name not in repr(row)
    clear = entitlement(told.warehouse, Scope(masked=False), key)
    assert one(clear, "dibao-single", MISSING).person == name


def test_english_is_a_full_translation(told: Told) -> None:
    names = re.compile("[\u3400-\u9fff]\\*\\*、?")
    for row in told.warehouse.rows("select household_key as key from household_snapshot"):
        for found in entitlement(told.warehouse, Scope(), row["key"]):
            texts = [found.title, found.why, found.note, found.smallest_change, found.choice, *found.missing_inputs,
                     *found.excludes, *(paper.what for paper in found.documents)]  # fmt: skip
            assert not [text.en for text in texts if text and CHINESE.search(names.sub("", text.en))], found.scheme
            assert not [text for text in texts if text and ("{" in text.zh or "None" in text.zh + text.en)]


def test_one_household_is_answered_in_few_statements(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    bound(warehouse)
    asked: list[str] = []
    whole = Warehouse.rows

    def noted(self: Warehouse, query: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        asked.append(query)
        return whole(self, query, params)

    monkeypatch.setattr(Warehouse, "rows", noted)
    key = warehouse.row("select household_key as key from household_snapshot where any_dibao order by 1 limit 1")["key"]
    asked.clear()
    assert entitlement(warehouse, Scope(), key)
    assert len(asked) <= 5  # household, persons, the income check, its parameters


# --- the page


@pytest.fixture(scope="session")
def missing_link(warehouse: Warehouse) -> Iterator[str]:
    """A household with dibao missing and a choice to make."""
    row = warehouse.row(
        """select household_key as key from signal where rule in ('GAP-DIBAO', 'GAP-SINGLE') and household_key is not null
           group by 1 order by count(distinct rule) desc, 1 limit 1"""
    )
    yield f"k{row['key']}"


@pytest.mark.parametrize(("language", "said"), [("zh", "应享未享"), ("en", "Entitled and missing")])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_section_stands_on_the_households_page(
    browser: Browser,
    address: str,
    missing_link: str,
    width: int,
    language: str,
    said: str,
) -> None:
    with Visit(browser, address, f"/household?household={missing_link}&lang={language}", width) as visit:
        check(visit)
        assert said in visit.text() and "None" not in visit.text()
        table = visit.page.locator("table.bl-t").filter(has_text="▲").first
        assert ("月人均收入" if language == "zh" else "Income per head") in table.inner_text()
        assert table.locator("thead").is_visible() == (width == 1440)
        for text in ("常用做法", "▲"):
            assert text in table.inner_text()


def test_what_does_not_fit_stands_behind_one_click_with_its_clause(
    browser: Browser,
    address: str,
    missing_link: str,
) -> None:
    with Visit(browser, address, f"/household?household={missing_link}") as visit:
        visit.page.get_by_text(re.compile("不符合的 .+ 项和依据")).click()
        visit.page.wait_for_timeout(500)
        assert "没有失业登记" in visit.text() and "二（五）" in visit.text()
        check(visit)
