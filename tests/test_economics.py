"""Rule economics: what each rule found and what came of it; rules in shadow; a changed condition replayed on past periods."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import insert, select

from monitoring.access import Scope
from monitoring.alerts import confirmed, economics
from monitoring.alerts.confirmed import Confirmed
from monitoring.checks import audit
from monitoring.forecast.history import confirmed_cases, visits_since
from monitoring.people import operator
from monitoring.periods import until
from monitoring.policy import SHIPPED
from monitoring.queries import economics as queries
from monitoring.queries import rulebook
from monitoring.rules import changing, shadowing
from monitoring.rules.changing import RuleRefused
from monitoring.rules.listing import check_lines
from monitoring.shares import FEW, wilson
from monitoring.simulating import CannotSimulate, replaying
from monitoring.simulating.replaying import said_at_the_door
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal, journal, visit
from monitoring.warehouse import Published, Warehouse, publication
from tests.months import Signal, publish
from tests.people import OTHER_TOWN, TOWN, VILLAGE, add_account
from tests.runs import connect, exported, query, run_quietly, small_county, write_feeds
from tests.small_warehouse import small_warehouse
from tests.some_alerts import alert_row, signal_row
from tests.stores import NOON
from tests.two_months import TwoMonths

COUNTY, HAND = Scope(), operator("root")
PERIOD, AS_OF, PACK = "2026-11", date(2026, 11, 30), "national-2020"


def runs_of(home: Path) -> tuple[Published, ...]:
    published = publication(home)
    return until(published, published.latest)


# --- the interval


@pytest.mark.parametrize(
    ("found", "of", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433), (1, 10, 0.0179, 0.4042), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962),
        (0, 1, 0.0, 0.7935), (0, 0, 0.0, 1.0),
    ],
)  # fmt: skip
def test_the_interval_is_wilson_s_as_published(found: int, of: int, low: float, high: float) -> None:
    assert wilson(found, of) == pytest.approx((low, high), abs=5e-5)


def test_of_fewer_than_ten_cases_no_percentage_is_told() -> None:
    assert Confirmed.of(FEW - 1, 3).few and not Confirmed.of(FEW, 3).few


# --- what rules find


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Published, ...]:
    """H1 by one rule only; H2 by two in one month; H3 by two, in different months; an institution, which is no household. In
    the third month the file of GAP-DIBAO is another one."""
    folder = tmp_path_factory.mktemp("three")
    low, ill = Signal("GAP-DIBAO", "H1"), Signal("RISK-MEDICAL", "H2", level="orange")
    place = Signal("GAP-CARERS", None, subject="institution", name="敬老院")
    moved = replace(low, household="H3", township=OTHER_TOWN)
    homes: dict[str, dict[str, object]] = {"H1": {}, "H2": {}, "H3": {}}
    months = [
        publish(folder, "2026-09", [low, ill, replace(ill, household="H3", township=OTHER_TOWN)], households=homes),
        publish(folder, "2026-10", [low, replace(low, household="H2"), ill, place], households=homes),
        publish(folder, "2026-11", [low, moved], households=homes, versions={"GAP-DIBAO": "changed"}),
    ]
    return tuple(Published(month.period, month.run, month.path) for month in months)


NOTHING = pl.DataFrame(schema=economics.CAME_OF)


def test_a_household_is_a_rule_s_own_only_where_no_other_rule_ever_found_it(three: tuple[Published, ...]) -> None:
    rows = {row["rule"]: row for row in queries.economics(queries.fired(three, COUNTY), NOTHING)}
    told = {rule: (row["signals"], row["households"], row["alone"]) for rule, row in rows.items()}
    assert told == {"GAP-CARERS": (1, 0, 0), "GAP-DIBAO": (5, 3, 1), "RISK-MEDICAL": (3, 2, 0)}
    assert queries.only_one(queries.fired(three, COUNTY)) == (1, 3)
    last = {row["rule"]: row["alone"] for row in queries.economics(queries.fired(three[-1:], COUNTY), NOTHING)}
    assert last == {"GAP-DIBAO": 2}  # what went before is not looked at


def test_rules_overlap_where_they_fire_for_one_household_in_one_period(three: tuple[Published, ...]) -> None:
    found = queries.overlaps(queries.fired(three, COUNTY))
    told = {rule: [(one["other"], one["households"], one["of"]) for one in rows] for rule, rows in found.items()}
    assert told == {
        "GAP-DIBAO": [("RISK-MEDICAL", 1, 3)],
        "RISK-MEDICAL": [("GAP-DIBAO", 1, 2)],
    }  # H3: never in one period


def test_another_file_is_another_version_and_versions_add_up_to_the_rule(three: tuple[Published, ...]) -> None:
    told = queries.fired(three, COUNTY)
    mine = told.versions.filter(pl.col("rule") == "GAP-DIBAO").select("version", "since", "until").rows()
    assert mine == [(1, "2026-09", "2026-10"), (2, "2026-11", "2026-11")]
    rows = [row for row in queries.economics(told, NOTHING, ("rule", "version")) if row["rule"] == "GAP-DIBAO"]
    assert [(row["version"], row["signals"], row["households"]) for row in rows] == [(1, 3, 2), (2, 2, 2)]


def test_townships_are_told_apart_and_only_the_picked_ones_are_counted(three: tuple[Published, ...]) -> None:
    rows = queries.economics(queries.fired(three, COUNTY), NOTHING, ("rule", "township"))
    told = {(row["rule"], row["township"]): row["signals"] for row in rows if row["rule"] == "GAP-DIBAO"}
    assert told == {("GAP-DIBAO", TOWN): 4, ("GAP-DIBAO", OTHER_TOWN): 1}
    there = queries.economics(queries.fired(three, Scope(townships=(OTHER_TOWN,))), NOTHING)
    assert {row["rule"]: row["signals"] for row in there if row["signals"]} == {"GAP-DIBAO": 1, "RISK-MEDICAL": 1}


def test_the_figures_are_those_that_the_newest_run_carries_as_history(two_months: TwoMonths) -> None:
    runs = runs_of(two_months.home)
    told = queries.economics(queries.fired(runs, COUNTY), NOTHING)
    warehouse = Warehouse(runs[-1].path)
    carried = warehouse.rows("""
        with h as (from history_signal), homes as (select household_id, count(distinct rule) as rules from h where household_id is not null
            group by all)
        select h.rule, count(*) as signals, count(distinct h.household_id) as households,
            count(distinct case when homes.rules = 1 then h.household_id end) as alone from h left join homes using (household_id) group by all""")  # fmt: skip
    assert len(carried) > 5 and len(runs) == 2
    assert {tuple(row.values()) for row in carried} == {
        (row["rule"], row["signals"], row["households"], row["alone"]) for row in told if row["signals"]
    }


# --- what came of it


def _worked(store: Store) -> None:
    """Seven alerts: confirmed, no difficulty, data error, nobody seen, not decided, one of two rules, one elsewhere."""
    decided = {"verified_at": NOON, "decided_at": NOON}
    rows = [
        (["GAP-DIBAO"], {"outcome": "A", "helped_at": NOON, **decided}), (["GAP-DIBAO"], {"outcome": "L", **decided}),
        (["GAP-DIBAO"], {"outcome": "M", **decided}), (["GAP-DIBAO"], {"outcome": "N", **decided}), (["GAP-DIBAO"], {}),
        (["GAP-DIBAO", "RISK-MEDICAL"], {"outcome": "P", **decided}),
        (["GAP-DIBAO"], {"outcome": "A", "township": OTHER_TOWN, **decided}),
    ]  # fmt: skip
    who = add_account(store, "county_staff").account
    with store.write() as con:
        for n, (rules, fields) in enumerate(rows):
            key = con.execute(insert(alert).values(alert_row(household_id=f"H{n}", **fields)).returning(alert.c.id)).scalar_one()  # fmt: skip
            for rule in rules:
                con.execute(insert(alert_signal).values(signal_row(key, rule, f"H{n}", first_period="2026-10")))
            again = signal_row(key, rules[0], f"H{n}", episode=2, first_period="2026-11")
            con.execute(insert(alert_signal).values(again))
            went = {"alert_id": key, "household_id": f"H{n}", "date": date(2026, 11, 20), "visitor": "林秋", "met": True, "note": "见到",
                    "finding": "confirmed" if n == 0 else "not_so", "account_id": who, "at": NOON}  # fmt: skip
            con.execute(insert(visit), [went] * (n if n < 3 else 0) or [went])


def test_an_alert_counts_once_for_each_of_its_rules_and_the_share_is_the_rule_page_s(store: Store) -> None:
    _worked(store)
    came = economics.came_of(store, HAND, COUNTY, NOON)
    told = {rule: rows.sum().row(0, named=True) for (rule,), rows in came.group_by("rule")}
    assert {name: told["GAP-DIBAO"][name] for name in economics.COUNTS} == {
        "alerts": 7, "verified": 6, "decided": 5, "confirmed": 3, "no_difficulty": 1, "helped": 1, "visits": 8, "alone_decided": 4,
        "alone_confirmed": 2,
    }  # fmt: skip
    assert (told["RISK-MEDICAL"]["decided"], told["RISK-MEDICAL"]["alone_decided"]) == (1, 0)
    shares = {rule: Confirmed.of(one["decided"], one["confirmed"]) for rule, one in told.items()}
    assert shares == confirmed.confirmed(store, HAND, NOON)
    assert set(came["period"]) == {"2026-10"}  # the first period of the rule in the alert, not of its last episode
    whole = economics.worked(store, HAND, COUNTY, NOON)
    assert (whole.alerts, whole.verified, whole.helped, whole.visits) == (7, 6, 1, 8)
    assert (whole.found, whole.visits_each) == (Confirmed.of(5, 3), 8 / 6)
    assert economics.cases(store, HAND, NOON) == tuple(confirmed_cases(store).rows()) == (("H0", "2026-11"),)
    assert visits_since(store) == "2026-11" and visits_since(None) is None


def test_what_came_of_rules_stays_within_the_caller_s_places_and_the_picked_ones(sqlite_store: Store) -> None:
    _worked(sqlite_store)
    near = add_account(sqlite_store, "county_staff", [(TOWN, None)])
    assert economics.came_of(sqlite_store, near, COUNTY, NOON)["alerts"].sum() == 7  # 6 + the second rule of one
    assert economics.worked(sqlite_store, near, COUNTY, NOON).alerts == 6
    assert set(economics.door(sqlite_store, near, COUNTY, NOON)["township"]) == {TOWN}
    for picked, alerts in (((OTHER_TOWN,), 1), ((TOWN,), 6), ((None,), 0)):
        assert economics.worked(sqlite_store, HAND, Scope(townships=picked), NOON).alerts == alerts
    village = Scope(villages=((TOWN, VILLAGE),))
    assert economics.worked(sqlite_store, HAND, village, NOON).alerts == 6


def test_alerts_of_a_period_that_is_not_kept_have_no_version(three: tuple[Published, ...], sqlite_store: Store) -> None:
    _worked(sqlite_store)
    came = economics.came_of(sqlite_store, HAND, COUNTY, NOON).with_columns(period=pl.lit("2025-01"))
    rows = queries.economics(queries.fired(three, COUNTY), came, ("rule", "version"))
    assert {row["version"]: row["alerts"] for row in rows if row["rule"] == "GAP-DIBAO"} == {1: 0, 2: 0, None: 7}


# --- the door's word on who comes and goes


@pytest.mark.parametrize(("decided", "heard"), [("2026-04", 0), ("2026-05", 1), ("2026-11", 1), ("2026-12", 0)])
def test_the_door_is_heard_in_the_period_and_six_months_after(decided: str, heard: int) -> None:
    moves = pl.DataFrame([("2026-05", "come", 1, None, "H1", TOWN, None)], schema=replaying.MOVES, orient="row")
    door = pl.DataFrame([("H1", decided, True, TOWN, None)], schema=economics.DOOR, orient="row")
    told = said_at_the_door(moves, door)
    assert (told["come"].households, told["come"].found.decided, told["come"].silent) == (1, heard, 1 - heard)
    assert told["go"].households == 0


def test_of_several_words_the_first_counts_and_a_household_counts_once() -> None:
    moves = pl.DataFrame(
        [(p, "come", 1, person, "H1", TOWN, None) for p in ("2026-05", "2026-06") for person in (1, 2)],
        schema=replaying.MOVES, orient="row",
    )  # fmt: skip
    door = pl.DataFrame([("H1", "2026-07", False, TOWN, None), ("H1", "2026-08", True, TOWN, None)], schema=economics.DOOR, orient="row")  # fmt: skip
    told = said_at_the_door(moves, door)["come"]
    assert (told.households, told.found) == (1, Confirmed.of(1, 0))


# --- shadow and replay against real runs

RULE = "GAP-AT-RISK"


def _changed() -> str:
    """The rule otherwise, without its cases: somebody comes and somebody goes."""
    text = (SHIPPED / "rules" / f"{RULE}.toml").read_text("utf-8").partition("[[case]]")[0]
    return changing.with_condition(text, WHEN, AS_OF)


WHEN = "(at_risk AND NOT any_dibao AND NOT any_tekun AND income_pc >= 720) OR (NOT at_risk AND income_pc >= 500)"


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A home with one period published, and its inbox."""
    folder = tmp_path_factory.mktemp("shadow")
    home, inbox = folder / "home", write_feeds(small_county(), folder / "inbox")
    (home / "policy").mkdir(parents=True)  # as the other homes of these tests, that have policy of their own
    run_quietly(home, PERIOD, inbox, PACK)
    return home, inbox


def _hits(home: Path) -> set[tuple[object, ...]]:
    return set(query(home, PERIOD, f"SELECT household_key, household_id FROM signal WHERE rule = '{RULE}'"))


@pytest.mark.long
def test_a_shadow_gives_no_signal_and_what_it_stores_is_the_replay_and_the_run_that_follows(
    county: tuple[Path, Path], sqlite_store: Store
) -> None:
    home, inbox, store = sqlite_store.home, county[1], sqlite_store
    shutil.copytree(county[0], home, dirs_exist_ok=True)
    before, signals = _hits(home), exported(home, PERIOD)
    outcome = query(home, PERIOD, "FROM rule_outcome ORDER BY ALL")
    told = replaying.replay(runs_of(home), COUNTY, RULE, "household", "", WHEN)
    shadowing.begin(store, HAND, RULE, _changed(), "先看一个月", PACK, AS_OF, NOON)

    run_quietly(home, PERIOD, inbox, PACK)
    assert exported(home, PERIOD).equals(signals) and query(home, PERIOD, "FROM rule_outcome ORDER BY ALL") == outcome
    stored = replaying.shadows(runs_of(home), COUNTY)
    assert stored is not None and stored.moves.drop("rule").sort("household_key").equals(
        told.moves.sort("household_key")
    )
    assert stored.months.select(told.months.columns).equals(told.months)
    come, go = (set(told.moves.filter(pl.col("moved") == how)["household_key"]) for how in ("come", "go"))
    assert come and go and told.months.select("come", "go").row(0) == (len(come), len(go))
    with connect(home, PERIOD) as con:
        assert {check.name for check in audit(con) if not check.ok} == set()
        judged = con.execute("SELECT sum(judged), sum(hit + clear + unknown), sum(hit) FROM shadow_outcome").fetchone()
        assert judged == (24, 24, told.months["hit_after"].sum())
    assert list(rulebook.in_shadow(Warehouse(runs_of(home)[-1].path))) == [RULE]

    shadowing.count(store, HAND, RULE, "看过一个月，误报少", PACK, AS_OF, NOON)
    run_quietly(home, PERIOD, inbox, PACK)
    after = _hits(home)
    assert ({key for key, _ in after - before}, {key for key, _ in before - after}) == (come, go)
    assert query(home, PERIOD, "SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'shadow%'") == [(0,)]
    assert replaying.shadows(runs_of(home), COUNTY) is None


def test_a_replay_of_what_holds_already_moves_nobody_and_a_new_rule_only_comes(county: tuple[Path, Path]) -> None:
    runs = runs_of(county[0])
    same = Warehouse(runs[0].path).row(f"select when_text from rule where rule = '{RULE}'")["when_text"]
    told = replaying.replay(runs, COUNTY, RULE, "household", "", same)
    assert told.moves.is_empty() and told.months["hit_before"].sum() == len(_hits(county[0])) > 0
    new = replaying.replay(runs, COUNTY, "RISK-OWN", "household", "", "size >= 2")
    assert new.months.select("hit_before", "go").row(0) == (0, 0) and new.months["come"].sum() == len(new.moves) > 0
    there = replaying.replay(runs, Scope(townships=("甲镇",)), "RISK-OWN", "household", "", "size >= 2")
    assert set(there.moves["township"]) == {"甲镇"} and 0 < len(there.moves) < len(new.moves)
    with pytest.raises(CannotSimulate, match="sizes"):
        replaying.replay(runs, COUNTY, RULE, "household", "", "sizes > 2")


def test_beginning_and_ending_a_shadow_is_journalled_with_its_reason(sqlite_store: Store) -> None:
    text, home = (SHIPPED / "rules" / "GAP-DIBAO.toml").read_text("utf-8"), sqlite_store.home
    with pytest.raises(RuleRefused, match="为什么改"):
        shadowing.begin(sqlite_store, HAND, "GAP-DIBAO", text, "看", PACK, AS_OF, NOON)
    with pytest.raises(RuleRefused, match="不在影子运行"):
        shadowing.drop(sqlite_store, HAND, "../GAP-DIBAO", "没有这条", NOON)
    path = shadowing.begin(sqlite_store, HAND, "GAP-DIBAO", text, "先看一个月", PACK, AS_OF, NOON)
    assert path.read_text("utf-8") == text and path == home / "policy" / "shadow" / "GAP-DIBAO.toml"
    shadowing.drop(sqlite_store, HAND, "GAP-DIBAO", "误报太多", NOON)
    path.write_text(text, "utf-8")
    counts = shadowing.count(sqlite_store, HAND, "GAP-DIBAO", "看过两个月", PACK, AS_OF, NOON)
    assert counts.read_text("utf-8") == text and not path.exists()
    with sqlite_store.read() as con:
        asked = select(journal.c.event, journal.c.detail).where(journal.c.event.like("rule.%"), journal.c.result == "ok").order_by(journal.c.seq)  # fmt: skip
        told = [(event, json.loads(detail)["reason"]) for event, detail in con.execute(asked)]
    assert told == [
        ("rule.shadow", "先看一个月"), ("rule.shadow_dropped", "误报太多"), ("rule.shadow_counts", "看过两个月"),
    ]  # fmt: skip


def test_a_shadow_must_be_as_sound_as_a_rule_that_counts(sqlite_store: Store) -> None:
    text, folder = (SHIPPED / "rules" / "GAP-DIBAO.toml").read_text("utf-8"), sqlite_store.home / "policy" / "shadow"
    wrong = text.replace("income_pc < standard", "income_pc <= standard")
    with pytest.raises(RuleRefused, match="刚好等于标准"):
        shadowing.begin(sqlite_store, HAND, "GAP-DIBAO", wrong, "先看一个月", PACK, AS_OF, NOON)
    assert not folder.exists()
    folder.mkdir(parents=True)
    (folder / "GAP-DIBAO.toml").write_text(text.replace("income_pc <", "incme_pc <"), "utf-8")
    well, lines = check_lines(sqlite_store.home)
    assert not well and any(line.startswith("shadow/GAP-DIBAO.toml") for line in lines)
    shadowing.begin(
        sqlite_store, HAND, "GAP-DIBAO", text, "改正了再看", PACK, AS_OF, NOON
    )  # the new text stands in its place


def test_the_balance_of_shadows_notices_what_is_lost() -> None:
    con = small_warehouse()
    con.execute("CREATE TABLE shadow_rule AS SELECT * FROM rule WHERE rule = 'GAP-DIBAO'")
    con.execute("CREATE TABLE shadow_outcome AS SELECT * FROM rule_outcome WHERE rule = 'GAP-DIBAO'")
    con.execute("CREATE TABLE shadow_hit AS SELECT rule, household_key FROM signal WHERE rule = 'GAP-DIBAO'")
    assert {check.name for check in audit(con) if not check.ok} == set()
    for spoil in (
        "DELETE FROM shadow_hit",
        "UPDATE shadow_outcome SET unknown = unknown + 1",
        "DELETE FROM shadow_outcome",
    ):
        con.execute("BEGIN")
        con.execute(spoil)
        assert {check.name for check in audit(con) if not check.ok} == {"shadow"}, spoil
        con.execute("ROLLBACK")
