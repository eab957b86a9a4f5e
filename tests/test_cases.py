"""Whole households through the whole pipeline: under, at and over every line of every rule, in every pack."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from monitoring.rules import load_policy
from tests.cases.building import PACKS, County, Says
from tests.cases.running import PERIOD, bare_county, county, fired, verdicts
from tests.runs import exported, keys, query, run_quietly, write_feeds

NOT_BY_CASES = {"PROC-FEED-LATE": "tests/test_run.py", "POL-POVERTY-LINE": "no shipped pack is below the line"}


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[County, Path]:
    whole = county()
    return whole, write_feeds(whole.rows, tmp_path_factory.mktemp("cases") / "inbox")


@pytest.mark.parametrize("pack", PACKS)
def test_every_case_of_every_rule_holds(told: tuple[County, Path], tmp_path: Path, pack: str):
    whole, inbox = told
    run_quietly(tmp_path / "home", PERIOD, inbox, pack)
    assert_holds(whole, tmp_path / "home", pack)


def assert_holds(county: County, home: Path, pack: str) -> None:
    judged, signals = verdicts(home, PERIOD, pack), fired(home, PERIOD)
    wrong = [line for said in county.said if (line := complaint(said, pack, judged, signals))]
    assert not wrong, f"{len(wrong)} of {len(county.said)}:\n" + "\n".join(wrong)


def test_feeds_without_any_file_are_unknown_or_count_as_none(tmp_path: Path):
    bare = bare_county()
    inbox = write_feeds({feed: rows for feed, rows in bare.rows.items() if rows}, tmp_path / "inbox")
    run_quietly(tmp_path / "home", PERIOD, inbox)
    assert_holds(bare, tmp_path / "home", "national-2020")


def test_evidence_names_every_feed_without_a_file_that_counted_as_none(tmp_path: Path):
    bare = bare_county()
    inbox = write_feeds({feed: rows for feed, rows in bare.rows.items() if rows}, tmp_path / "inbox")
    run_quietly(tmp_path / "home", PERIOD, inbox)
    told = {
        row["rule"]: evidence_of(row).get("未比对") for row in exported(tmp_path / "home", PERIOD).iter_rows(named=True)
    }
    assert told["GAP-DIBAO"] == "business、housing、real_estate、vehicles"  # dibao, tekun, monitored and deaths came
    assert told["GAP-AT-RISK"] is None and told["EXIT-DECEASED"] == "care_groups"


def test_a_list_without_any_file_is_named_in_the_evidence_of_persons_and_households(tmp_path: Path):
    c = County()
    house = c.house("ill, poor, and no ledger came").check(300).disabled()
    c.house("two certificates").disabled(发证日期="2026-05-05")
    inbox = write_feeds({feed: rows for feed, rows in c.rows.items() if rows}, tmp_path / "inbox")
    run_quietly(tmp_path / "home", PERIOD, inbox, "caojie-2024")
    told = {
        (r["rule"], r["household_id"]): evidence_of(r).get("未比对")
        for r in exported(tmp_path / "home", PERIOD).iter_rows(named=True)
    }
    assert told["GAP-SINGLE", house.code] == "deaths、dibao、low_income、monitored、tekun"
    assert told["RISK-NEW-DISABILITY", "H0002"] == "deaths"
    lists = "business、deaths、dibao、housing、monitored、real_estate、tekun、vehicles"
    assert told["GAP-DIBAO", house.code] == lists


def test_evidence_shows_the_line_behind_a_word_the_source_and_what_was_blank(tmp_path: Path):
    c = County()
    c.witness()
    house = c.house("lost work", "1981-05-05").monitored("脱贫户").check(300, 经营净收入="")
    house.row("social_insurance", 险种="城镇职工养老", 参保状态="终止参保", 状态日期="2026-06-06")
    house.row("medical", 结算日期="2026-05-05", 重大疾病="是", 总费用="20000", 个人自付="5000", 医疗救助="300")
    other = c.house("two sources of income").monitored("脱贫户", 人均纯收入="4000").check(2000)
    inbox = write_feeds({feed: rows for feed, rows in c.rows.items() if rows}, tmp_path / "inbox")
    run_quietly(tmp_path / "home", PERIOD, inbox, "caojie-2024")
    told = {
        (r["rule"], r["household_id"]): evidence_of(r)
        for r in exported(tmp_path / "home", PERIOD).iter_rows(named=True)
    }
    lost = told["RISK-JOB-LOSS", house.code]
    assert (lost["$low_income.ceiling"], lost["standard"], lost["$dibao.standard_rural"]) == (1.5, 600, 600)
    assert lost["income_source"] == "核对" and "经营净收入" in lost["income_blank_items"]
    assert lost["household_low_income"] is False and lost["at_risk_household"] is False
    ill = told["GAP-SINGLE", house.code]
    assert (ill["seriously_ill"], ill["major_disease"], ill["medical_aid_12m"]) == (True, True, 300)
    assert ill["$illness.needs_medical_aid"] is False
    poor = told["GAP-DIBAO", house.code]
    assert poor["$property.max_homes"] == 1 and poor["$property.recent_home_years"] == 3
    assert poor["$property.vehicle_types"] == ["汽车", "摩托车"]
    assert "经营净收入" in told["RISK-INCOME-LINE", house.code]["income_blank_items"]
    assert told["RISK-INCOME-LINE", house.code]["line_income_source"] == "核对"
    line = told["RISK-INCOME-LINE", other.code]
    assert (line["line_income"], line["line_income_source"]) == (4000, "监测"), (
        "人均纯收入 where given, whatever a check says"
    )


def test_records_of_one_person_bear_the_registrys_name_and_keys_of_their_own(tmp_path: Path):
    c = County()
    c.witness()
    c.house("the feed of certificates came").disabled()
    house = c.house("paid under two names", "1981-05-05", "1986-06-06")
    for name in (house.head.name, "别名儿"):
        house.row("payments", 姓名=name, 项目="低保", 发放年月="2026-11", 金额="300", 发放状态="失败")
    house.died(house.members[1], "2026-06-06")
    inbox = write_feeds({feed: rows for feed, rows in c.rows.items() if rows}, tmp_path / "inbox")
    run_quietly(tmp_path / "home", PERIOD, inbox)
    signals = exported(tmp_path / "home", PERIOD)
    failed = signals.filter(rule="PROC-PAYMENT", household_id=house.code)
    assert failed["name"].to_list() == [house.head.name] * 2 and failed["record_key"].n_unique() == 2
    death = signals.filter(rule="RISK-EARNER-DEATH", household_id=house.code).row(0, named=True)
    assert evidence_of(death)["earner_death_date"] == "2026-06-06" and "2026-06-06" in death["message"]


def test_a_parameter_that_is_off_disables_rules_and_drops_the_condition_inside_a_word(tmp_path: Path):
    off = (
        "dibao.exit_months", "tekun.minor_age", "aid.follow_up_days", "property.max_homes", "review.months_a", "review.months_b",
        "review.months_c", "visit.days_tekun", "visit.days_care", "visit.days_monitored", "low_income.ceiling",
    )  # fmt: skip
    own = "".join(f'[[parameter]]\nname = "{p}"\n[[parameter.value]]\noff = true\nclause = "本县"\n' for p in off)
    packs = tmp_path / "home/policy/packs"
    packs.mkdir(parents=True)
    (packs / "own.toml").write_text(f'title = {{ zh = "县", en = "County" }}\nextends = "caojie-2024"\n{own}', "utf-8")
    c = County()
    c.witness()
    house = c.house("poor, two flats").check(300)
    for title in ("F1", "F2"):
        house.row("real_estate", 不动产权证号=title, 房屋性质="商品房", 状态="现势")
    unknown = c.house("lost work, income unknown")
    for h in (house, unknown):
        h.row("social_insurance", 险种="城镇职工养老", 参保状态="终止参保", 状态日期="2026-06-06")
    inbox = write_feeds({feed: rows for feed, rows in c.rows.items() if rows}, tmp_path / "inbox")
    run_quietly(tmp_path / "home", PERIOD, inbox, "own")
    judged = verdicts(tmp_path / "home", PERIOD, "own")
    assert judged["GAP-DIBAO", house.code] == "hit", "how many homes is not asked"
    assert {judged["RISK-JOB-LOSS", h.head.number] for h in (house, unknown)} == {"clear"}, "income is not asked"
    disabled = query(tmp_path / "home", PERIOD, "SELECT rule FROM rule WHERE disabled")
    assert {rule for (rule,) in disabled} == {
        "EXIT-GRADUAL", "EXIT-GRADUAL-END", "EXIT-HOMES", "EXIT-TEKUN-AGE", "GAP-AT-RISK", "GAP-MARGINAL", "GAP-SHOCK-AID",
        "GAP-TEKUN", "PROC-REVIEW", "PROC-VISIT-CARE", "PROC-VISIT-MONITORED", "PROC-VISIT-TEKUN",
    }  # fmt: skip


def evidence_of(row: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(row["evidence"])
    return told


@pytest.mark.parametrize(
    ("pack", "before", "after", "month", "says"),
    [
        ("mangshi-2021", "2025-12", "2026-01", 210, ("hit", "clear")),  # the basic pension of 400 counts from 2026 on
        ("demo", "2026-03", "2026-04", 230, ("clear", "hit")),  # 630 a head: the standard rises from 612 to 650
    ],
)
def test_the_value_of_a_parameter_is_that_of_the_period(
    tmp_path: Path, pack: str, before: str, after: str, month: float, says: tuple[str, str]
):
    c = County()
    house = c.house("a pensioner").check(month, "2025-06-01", 基础养老金="4800")
    inbox = write_feeds({feed: rows for feed, rows in c.rows.items() if rows}, tmp_path / "inbox")
    for period, expected in zip((before, after), says, strict=True):
        run_quietly(tmp_path / "home", period, inbox, pack)
        found = ("GAP-DIBAO", "household", house.code, "red") in keys(tmp_path / "home", period)
        assert found == (expected == "hit"), period


def complaint(
    said: Says, pack: str, judged: dict[tuple[str, str], str], signals: dict[tuple[str, str], set[str]]
) -> str:
    """What is wrong with a case, or nothing."""
    expected, subject = said.of(PACKS[pack]), (said.rule, said.key)
    if judged.get(subject) != expected:
        return f"{said.rule} {said.key} ({said.case}): expected {expected}, judged {judged.get(subject)}"
    levels = signals.get(subject, set())
    if bool(levels) != (expected == "hit"):
        return f"{said.rule} {said.key} ({said.case}): {expected}, signals {sorted(levels)}"
    level = said.level(PACKS[pack]) if callable(said.level) else said.level
    if expected == "hit" and level and levels != {level}:
        return f"{said.rule} {said.key} ({said.case}): level {sorted(levels)} instead of {level}"
    return ""


def test_every_rule_fires_in_a_case_and_does_not_fire_in_another():
    outcomes: dict[str, set[str | None]] = defaultdict(set)
    for said in county().said:
        outcomes[said.rule] |= {said.of(pack) for pack in PACKS.values()}
    rules = set(load_policy()[1]) - set(NOT_BY_CASES)
    assert {rule for rule in rules if not {"hit", "clear"} <= outcomes[rule]} == {"DQ-LINK"}
    assert set(outcomes) <= rules | set(NOT_BY_CASES)
    assert "hit" in outcomes["DQ-LINK"]
