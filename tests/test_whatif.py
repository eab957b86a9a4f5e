"""What if beyond a run's figures: scenarios that are kept, refusals in words, money, lines, cliffs, why not, changed rules."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import select

from monitoring.access import Scope
from monitoring.alerts import confirmed
from monitoring.entitlement import whynot
from monitoring.people import operator
from monitoring.policy import SHIPPED
from monitoring.queries import household, rulebook
from monitoring.queries.verdicts import conditions
from monitoring.rules import changing
from monitoring.rules.changing import RuleRefused
from monitoring.simulating import CannotSimulate, Scenario, asking, ground, near, packs, parse_sets, read_scenario
from monitoring.simulating import service as scenarios
from monitoring.simulating.scenario import world
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal, journal
from monitoring.warehouse import Warehouse
from pipelines.cli import main
from tests.some_alerts import alert_row
from tests.stores import NOON

COUNTY = Scope()
HAND = operator("root")


def scenario(text: str, **more: object) -> Scenario:
    return Scenario(sets=parse_sets(text.split()), **more)  # type: ignore[arg-type]


# --- scenarios


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dibao.standard_rual=650", "您是否要写 dibao.standard_rural"),
        ("dibao.standard_rural=很多", "不是数"),
        ("dibao.standard_rural=-1", "小于 0"),
        ("dibao.standard_rural=停用", "不能停用"),
        ("property.max_homes=1.5", "须是整数"),
        ("tekun.minor_age=无", "须有一个值"),
        ("income.deduct_rigid=也许", "不是“是”或“否”"),
        ("dibao.single_scope=亲戚", "没有规则认得"),
        ("disability.severe_extra_grades=重", "须是残疾等级"),
    ],
)
def test_what_cannot_be_worked_out_is_refused_in_words(warehouse: Warehouse, text: str, said: str) -> None:
    with pytest.raises(CannotSimulate, match=said):
        world(ground(warehouse), scenario(text))


def test_all_that_is_wrong_is_said_at_once(warehouse: Warehouse) -> None:
    with pytest.raises(CannotSimulate) as refusal:
        world(ground(warehouse), Scenario(sets=(("x.y", "1"), ("monitor.line", "?")), off=("GAP-X",)))
    assert len(refusal.value.words) == 3


def test_a_rule_whose_parameter_is_off_opens_only_with_a_value(warehouse: Warehouse) -> None:
    of, off = ground(warehouse), "aid.emergency_working_days=停用"
    with pytest.raises(CannotSimulate, match="PROC-EMERGENCY 打不开"):
        world(of, scenario(off, on=("PROC-EMERGENCY",)))
    assert world(of, scenario(off)).rules["PROC-EMERGENCY"][1] is None


def test_a_rule_that_is_switched_off_finds_nobody_and_leaves_nobody_unknown(warehouse: Warehouse) -> None:
    rows = asking.rules_moved(warehouse, COUNTY, Scenario(off=("GAP-DIBAO",))).to_dicts()
    published = warehouse.row("select sum(hit) as hit from rule_outcome where rule = 'GAP-DIBAO'")["hit"]
    assert [(row["rule"], row["hit_after"], row["go"], row["unknown_after"]) for row in rows] == [
        ("GAP-DIBAO", 0, published, 0)
    ]


def test_a_kept_scenario_is_read_back_and_journalled(sqlite_store: Store) -> None:
    wanted = Scenario("提标“测算”", "二季度\n提标", "demo", (("dibao.standard_rural", "700"),), ("GAP-RIGID",))
    path = scenarios.keep(sqlite_store, HAND, "农村700", wanted, NOON)
    assert read_scenario(path) == wanted
    assert scenarios.kept(sqlite_store, HAND, NOON) == {"农村700": wanted}
    with sqlite_store.read() as con:
        row = con.execute(select(journal).where(journal.c.event == "scenario.save")).mappings().one()
    assert row["object"] == "scenario:农村700" and json.loads(row["detail"])["changes"] == wanted.told()


@pytest.mark.parametrize("name", ["../x", "", "a/b", "x" * 41])
def test_a_scenario_is_kept_under_a_plain_name_only(sqlite_store: Store, name: str) -> None:
    with pytest.raises(CannotSimulate, match="名称"):
        scenarios.keep(sqlite_store, HAND, name, scenario("monitor.line=1", title="标题", why="为什么呢"), NOON)


def test_a_scenario_file_is_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('title = "a"\nwhy = "b"\n[sets]\n"monitor.line" = 1\n', "utf-8")
    with pytest.raises(CannotSimulate, match="sets"):
        read_scenario(path)
    path.write_text('title = "a"\n[set]\n"monitor.line" = 9000\n"illness.needs_medical_aid" = true\n', "utf-8")
    assert read_scenario(path).sets == (("monitor.line", "9000"), ("illness.needs_medical_aid", "是"))


def test_the_command_line_gives_the_page_s_figures(
    published_home: Path, warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    told = asking.sums(warehouse, COUNTY, scenario("dibao.standard_rural=700"))
    asked = [
        "simulate",
        "--home",
        str(published_home),
        "--set",
        "dibao.standard_rural=700",
        "--by",
        "township",
        "--near",
    ]
    assert main(asked) == 0
    out = capsys.readouterr().out
    assert f"新进 {told.come:,} 户，退出 {told.go:,} 户" in out and f"{told.yuan_more:+,} 元" in out
    assert main(["simulate", "--home", str(published_home), "--set", "dibao.standard=1"]) == 2
    assert "没有参数" in capsys.readouterr().err


# --- money, places, lists


def test_money_is_the_difference_summed_first_and_rounded_once(warehouse: Warehouse) -> None:
    """By hand: eligible on the merits, less those whom tekun takes; the income of a year from its items, never divided."""
    rows = asking.programmes(warehouse, COUNTY, Scenario(off=("PROC-CLUE",))).to_dicts()
    eligible = conditions(warehouse)["GAP-DIBAO"][1].sql
    for column in ("whole_household_dibao", "all_tekun"):
        eligible = eligible.replace(f'"{column}"', "false")
    tekun = conditions(warehouse)["GAP-TEKUN"][1].sql.replace('"on_tekun"', "false")
    hand = warehouse.row(
        f"""with t as (select household_key, count(*) filter (on_tekun or ({tekun})) as n from person_snapshot group by all)
            select sum(greatest(0, standard * 12 * (size - coalesce(n, 0)) - case when income_source = '核对'
                then greatest(0, coalesce(wage, 0) + coalesce(business_income, 0) + coalesce(property_income, 0)
                    + coalesce(transfer_income, 0) + coalesce(basic_pension, 0) - coalesce(employment_cost, 0)
                    - coalesce(medical_cost, 0) - coalesce(education_cost, 0) - coalesce(rehabilitation_cost, 0))
                when net_income_per_head_year is not null then net_income_per_head_year * size
                else income_pc * 12 * size end)) as yuan
            from household_snapshot left join t using (household_key) where {eligible}"""
    )["yuan"]
    dibao = next(row for row in rows if row["programme"] == "dibao")
    assert dibao["yuan_before"] == dibao["yuan_after"] == round(hand) > 0


def test_townships_add_up_to_the_county_and_a_scope_sees_its_own(warehouse: Warehouse) -> None:
    wanted = scenario("dibao.standard_rural=700")
    places = asking.by_township(warehouse, COUNTY, wanted)
    assert abs(int(places["more"].sum()) - int(asking.sums(warehouse, COUNTY, wanted).yuan_more)) <= places.height
    town = places.filter(pl.col("come") > 0)["township"][0]
    mine = Scope(allowed=((town, None),))
    people, total = asking.listed(warehouse, mine, wanted, "come", None)
    assert total == people.height > 0 and set(people["township"]) == {town}
    assert asking.sums(warehouse, mine, wanted).come < asking.sums(warehouse, COUNTY, wanted).come
    assert all("*" in name for name in people["name"] if name)


def test_who_moves_between_categories_is_everybody_once(warehouse: Warehouse) -> None:
    moved = asking.categories(warehouse, COUNTY, scenario("low_income.ceiling=3"))
    assert moved["households"].sum() == warehouse.row("select count(*) as n from household_snapshot")["n"]
    assert moved.filter(pl.col("before") == "none", pl.col("after") == "edge")["households"].sum() > 0


# --- lines, cliffs, packs


def test_a_household_near_the_line_turns_where_income_is_wrong_by_a_tenth(warehouse: Warehouse) -> None:
    people, total = near.near(warehouse, COUNTY, "dibao")
    assert total > 0
    for row in people.to_dicts():
        income, standard = row["income_pc"], row["standard"]
        assert row["now"] == (income < standard)
        turned = (income * Decimal("0.9") < standard) != row["now"] or (income * Decimal("1.1") < standard) != row[
            "now"
        ]
        assert turned == row["by_income"]
        assert row["distance"] == income - standard


def test_a_cliff_is_a_loss_greater_than_the_gain(warehouse: Warehouse) -> None:
    few, some = near.cliffs(warehouse, COUNTY, Decimal(1)), near.cliffs(warehouse, COUNTY, Decimal(300))
    assert some[1] >= max(few[1], 1)
    for row in some[0].to_dicts():
        assert row["gain"] == 300 * 12 * row["size"] and row["loss"] > row["gain"]
        assert row["category_before"] in ("tekun", "dibao")


def test_the_four_places_differ_where_the_table_says_so(warehouse: Warehouse) -> None:
    found = packs.compared(warehouse, COUNTY)
    names = list(packs.seeds(ground(warehouse)))
    assert len(names) == 4 and found.height > 0
    rule = found["rule"][0]
    people, total = packs.treated(warehouse, COUNTY, rule)
    assert total > 0 and all(0 < sum(row[name] for name in names) < 4 for row in people.to_dicts())
    assert len({row["clause"] for row in packs.clauses(warehouse, rule)}) > 1


# --- why not


def test_the_smallest_change_of_a_single_threshold_is_its_distance(warehouse: Warehouse) -> None:
    key = warehouse.row("select household_key from signal where rule = 'GAP-DIBAO' order by 1 limit 1")["household_key"]
    row = warehouse.row(
        "select standard - income_pc as short from household_snapshot where household_key = $k", {"k": key}
    )
    (answer,) = whynot.why(warehouse, COUNTY, key, "GAP-DIBAO")
    assert answer.verdict.outcome == "hit"
    short = row["short"].quantize(Decimal("0.01"), "ROUND_CEILING")
    assert (
        f"月人均收入再高 {short.normalize():f} 元" in answer.change.zh.replace(",", "")
        and "不再命中" in answer.change.zh
    )
    income = next(one for one in answer.inputs if one.column == "income_pc")
    assert income.rows and all(one["file"] and one["row"] for one in income.rows)


def test_an_unknown_outcome_says_what_would_decide_it(warehouse: Warehouse) -> None:
    key = warehouse.row(
        """select household_key from household_snapshot where income_pc is null and property_fits and not whole_household_dibao
           and not all_tekun order by 1 limit 1"""
    )["household_key"]
    (answer,) = whynot.why(warehouse, COUNTY, key, "GAP-DIBAO")
    assert answer.verdict.outcome == "unknown" and "补齐家庭经济状况核对结果后即可判断" in answer.change.zh
    assert next(one for one in answer.inputs if one.column == "income_pc").value is None


def test_a_rule_of_records_or_one_that_is_off_cannot_be_asked(warehouse: Warehouse) -> None:
    for rule, said in (("PROC-CLUE", "不是户和人"), ("GAP-NEVER", "没有规则")):
        with pytest.raises(whynot.NotJudged, match=said):
            whynot.why(warehouse, COUNTY, 1, rule)


def test_why_not_stays_within_the_scope_and_reads_at_the_command_line(
    published_home: Path, warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    row = warehouse.row("select household_key, household_id from signal where rule = 'GAP-DIBAO' order by 1 limit 1")
    assert whynot.why(warehouse, Scope(allowed=(("别处", None),)), row["household_key"], "GAP-DIBAO") == []
    assert household.find(warehouse, COUNTY, row["household_id"]) == row["household_key"]
    assert main(["rules", "why", "GAP-DIBAO", row["household_id"], "--home", str(published_home)]) == 0
    out = capsys.readouterr().out
    assert "命中  符合低保条件未纳入" in out and "即不再命中" in out and "第" in out
    assert main(["rules", "why", "GAP-DIBAO", "没有这户", "--home", str(published_home)]) == 2


# --- the rules page


def test_the_rulebook_s_three_outcomes_add_up_and_its_last_month_is_this_run(warehouse: Warehouse) -> None:
    book = rulebook.rulebook(warehouse, COUNTY)
    judged = book.filter(~pl.col("disabled"))
    assert (judged["judged"] == judged["hit"] + judged["clear"] + judged["unknown"]).all()
    assert (judged["trend"].list.last() == judged["hit"]).all()
    period = warehouse.row("select period from run")["period"]
    assert rulebook.months(warehouse, "GAP-DIBAO")[-1][0] == period
    lacking = rulebook.lacking(warehouse, COUNTY, "GAP-DIBAO")
    assert lacking[0]["missing"] == "income_pc"
    assert {row["name"] for row in rulebook.in_force(warehouse, "GAP-DIBAO")} == {
        "dibao.standard_rural", "dibao.standard_urban",
    }  # fmt: skip


def test_what_was_confirmed_at_the_door_leaves_out_who_was_not_met(sqlite_store: Store) -> None:
    with sqlite_store.write() as con:
        for outcome in ("A", "A", "L", "N", None):
            row = alert_row(status="closed" if outcome else "new", outcome=outcome)
            key = con.execute(alert.insert().values(row).returning(alert.c.id)).scalar_one()
            con.execute(alert_signal.insert().values(
                alert_id=key, rule="GAP-DIBAO", subject_key=f"k{key}", episode=1, state="gone", kind="gap", level="red",
                level_order=1, department="民政", message="", clause="", evidence="{}", first_period="2026-11", last_period="2026-11",
            ))  # fmt: skip
    found = confirmed.confirmed(sqlite_store, HAND, NOON)["GAP-DIBAO"]
    assert (found.decided, found.confirmed) == (3, 2)
    assert found.low < 2 / 3 < found.high


RULE = (SHIPPED / "rules" / "GAP-DIBAO.toml").read_text("utf-8")
DAY = date(2026, 11, 30)


def test_a_condition_is_put_in_and_everything_else_stays_to_the_letter() -> None:
    changed = changing.with_condition(RULE, "income_pc <= standard", DAY)
    assert (
        "income_pc <= standard" in changed
        and changed.partition("[version.reason]")[2] == RULE.partition("[version.reason]")[2]
    )
    with pytest.raises(RuleRefused):
        changing.with_condition(RULE, 'a """ b', DAY)


def test_a_changed_rule_is_kept_only_when_its_examples_hold(sqlite_store: Store) -> None:
    looser = changing.with_condition(
        RULE, "income_pc <= standard AND property_fits AND NOT whole_household_dibao AND NOT all_tekun", DAY
    )
    path = sqlite_store.home / "policy" / "rules" / "GAP-DIBAO.toml"
    with pytest.raises(RuleRefused, match="刚好等于标准"):
        changing.keep_rule(sqlite_store, HAND, "GAP-DIBAO", looser, "放宽到等于", "demo", DAY, NOON)
    assert not path.exists()
    told = looser.replace('不是低于"\ngiven', '也算"\ngiven')
    first, _, rest = told.partition('name = "刚好等于标准：也算"')
    whole = f'{first}name = "刚好等于标准：也算"{rest.replace("clear", "hit", 1)}'
    assert changing.keep_rule(sqlite_store, HAND, "GAP-DIBAO", whole, "放宽到等于", "demo", DAY, NOON) == path
    assert path.read_text("utf-8") == whole
    with sqlite_store.read() as con:
        row = con.execute(select(journal).where(journal.c.event == "rule.change")).mappings().one()
    assert row["object"] == "rule:GAP-DIBAO" and json.loads(row["detail"])["reason"] == "放宽到等于"


def test_a_kept_rule_is_taken_back_and_put_aside_unless_others_rest_on_it(sqlite_store: Store) -> None:
    home = sqlite_store.home
    with pytest.raises(RuleRefused, match="没有自己的这条规则"):
        changing.take_back(sqlite_store, HAND, "GAP-DIBAO", "误报太多", "demo", DAY, NOON)
    path = changing.keep_rule(sqlite_store, HAND, "GAP-DIBAO", RULE, "照原样保留", "demo", DAY, NOON)
    with pytest.raises(RuleRefused, match="为什么改"):
        changing.take_back(sqlite_store, HAND, "GAP-DIBAO", "", "demo", DAY, NOON)
    (home / "policy" / "rules" / "GAP-TEKUN.toml").write_text("broken", encoding="utf-8")
    with pytest.raises(RuleRefused, match=r"GAP-TEKUN\.toml"):  # what is left has to hold
        changing.take_back(sqlite_store, HAND, "GAP-DIBAO", "误报太多", "demo", DAY, NOON)
    assert path.exists()
    (home / "policy" / "rules" / "GAP-TEKUN.toml").unlink()
    aside = changing.take_back(sqlite_store, HAND, "GAP-DIBAO", "误报太多", "demo", DAY, NOON)
    assert not path.exists() and aside.read_text("utf-8") == RULE and aside.is_relative_to(home / "policy")
    with sqlite_store.read() as con:
        row = con.execute(select(journal).where(journal.c.event == "rule.taken_back")).mappings().one()
    told = json.loads(row["detail"])
    assert told["reason"] == "误报太多" and told["before"] == told["after"] != ""


def test_every_complaint_of_a_changed_rule_is_told_and_a_reason_is_asked_for(sqlite_store: Store) -> None:
    wrong = RULE.replace("income_pc < standard", "incme_pc < (select 1)").replace('level = "red"', 'level = "pink"', 1)
    with pytest.raises(RuleRefused) as refusal:
        changing.keep_rule(sqlite_store, HAND, "GAP-DIBAO", wrong, "试一试看", "demo", DAY, NOON)
    assert len(refusal.value.words) >= 3
    with pytest.raises(RuleRefused, match="为什么改"):
        changing.keep_rule(sqlite_store, HAND, "GAP-DIBAO", RULE, "改", "demo", DAY, NOON)


def test_a_tried_condition_shows_who_comes_and_one_that_is_not_allowed_says_why(warehouse: Warehouse) -> None:
    when = "income_pc < standard * 2 AND property_fits AND NOT whole_household_dibao AND NOT all_tekun"
    (row,) = asking.rules_moved(warehouse, COUNTY, Scenario(tries=(("GAP-DIBAO", when),))).to_dicts()
    by_hand = warehouse.row(f"select count(*) as n from household_snapshot where {when}")["n"]
    assert row["hit_after"] == by_hand == row["hit_before"] + row["come"] and row["come"] > 0 and row["go"] == 0
    for bad in (
        "(select count(*) from run) > 0",
        "read_text('/etc/passwd') = ''",
        "coalesce(income_pc, 0) < standard",
        "1",
    ):
        with pytest.raises(CannotSimulate):
            asking.sums(warehouse, COUNTY, Scenario(tries=(("GAP-DIBAO", bad),)))
