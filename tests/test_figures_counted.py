"""Numbers that leaders see, counted another way: from the run's own tables, row by row in Polars, never by the page's query."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from sqlalchemy import func, select

from monitoring.access import Scope
from monitoring.alerts.cases import Refused
from monitoring.alerts.syncing import take_in
from monitoring.people import operator
from monitoring.queries import balances, blindness, coverage, exits, household, money, overview, vanished, vouching
from monitoring.queries.programmes import PROGRAMMES
from monitoring.reports import figures
from monitoring.store import Store
from monitoring.store.schema import alert_signal
from monitoring.vouching.alerts import timely
from monitoring.vouching.live import ON_TIME, Live, Of, live
from monitoring.warehouse import Warehouse
from tests.people import OTHER_TOWN, TOWN, add_account
from tests.some_alerts import add_alert
from tests.stores import NOON
from tests.two_months import TwoMonths

EVERYWHERE = Scope()


@pytest.fixture(scope="module")
def tables(warehouse: Warehouse) -> dict[str, pl.DataFrame]:
    names = ("signal", "household_snapshot", "person_snapshot", "rule_outcome", "rule", "low_income_standing", "vouching", "vouching_feed",
             "rule_feed", "vouching_setting", "vouching_exempt", "coverage_figure", "history_figure", "unjudged", "unjudged_kind")  # fmt: skip
    return {name: warehouse.frame(f"from {name}") for name in names}


@pytest.fixture(scope="module")
def towns(tables: dict[str, pl.DataFrame]) -> list[str]:
    return sorted(tables["household_snapshot"]["township"].drop_nulls().unique())


def _figures(tables: dict[str, pl.DataFrame]) -> dict[str, int]:
    """The overview's figures, from the tables they are said to count."""
    homes, people = tables["household_snapshot"], tables["person_snapshot"].filter("alive")
    signals = tables["signal"].filter(pl.col("household_key").is_not_null())
    gaps, poor = signals.filter(pl.col("kind") == "gap"), tables["low_income_standing"]
    unsure = homes.filter(pl.col("low_income_household").is_null())
    return {
        "households": homes.height, "persons": people.height, "alerts": signals["household_key"].n_unique(), "signals": signals.height,
        "red": signals.filter(pl.col("level") == "red")["household_key"].n_unique(), "gap": gaps["household_key"].n_unique(),
        "gap_persons": gaps.filter(pl.col("subject") == "person")["person_id"].n_unique(),
        "dead_listed": signals.filter(pl.col("rule") == "EXIT-DECEASED")["household_key"].n_unique(),
        "income_unknown": homes.filter(~pl.col("income_known")).height,
        "low_income_persons": poor.height, "low_income_households": poor["household_key"].n_unique(),
        "low_income_unknown_households": unsure.join(poor, on="household_key", how="anti").height,
        "low_income_unknown": people.filter(pl.col("low_income_household").is_null() & ~(pl.col("on_dibao") | pl.col("on_tekun"))).height,
        "dibao_unknown": int(tables["rule_outcome"].filter(pl.col("rule") == "GAP-DIBAO")["unknown"].sum()),
    }  # fmt: skip


def _of_town(tables: dict[str, pl.DataFrame], town: str) -> dict[str, pl.DataFrame]:
    return {name: frame.filter(pl.col("township") == town) if "township" in frame.columns else frame for name, frame in tables.items()}  # fmt: skip


def test_every_figure_of_the_overview_equals_a_count_over_the_tables(
    warehouse: Warehouse, tables: dict[str, pl.DataFrame], towns: list[str]
) -> None:
    found = overview.overview(warehouse, EVERYWHERE)
    assert {name: found[name].value for name in _figures(tables)} == _figures(tables)
    rows = {row["place"]: row for row in overview.township_table(warehouse, EVERYWHERE).to_dicts()}
    reported = {row["place"]: row for row in figures.by_township(warehouse, EVERYWHERE).to_dicts()}
    for town in towns:
        counted = _figures(_of_town(tables, town))
        assert {name: rows[town][name] for name in counted} == counted
        assert rows[town]["per_thousand"] == round(1000 * counted["alerts"] / counted["households"], 1)
        told = {"households": "households", "alerts": "alerts", "red": "red", "gap": "gap", "unknown": "income_unknown"}
        assert {name: reported[town][name] for name in told} == {name: counted[of] for name, of in told.items()}


def test_each_programme_by_place_equals_its_county_figures_and_the_runs_rows(
    warehouse: Warehouse, tables: dict[str, pl.DataFrame]
) -> None:
    for programme in PROGRAMMES:
        rows = coverage.programme_by_place(warehouse, EVERYWHERE, programme.key)
        made = tables["coverage_figure"].filter(pl.col("programme") == programme.key)
        for state in ("covered", "gap", "unknown"):
            assert (rows[state].sum() or 0) == (made[state].sum() or 0), (programme.key, state)
        for row in rows.to_dicts():
            assert row["eligible"] == row["covered"] + row["gap"]
            here = made.filter(pl.col("township").eq_missing(pl.lit(row["place"])))
            assert row["covered"] == (here["covered"].sum() or 0)


def test_whom_the_gradual_exits_rule_could_not_judge_equals_its_list(warehouse: Warehouse) -> None:
    assert (
        exits.gradual_unknown(warehouse, EVERYWHERE) == exits.unknown_list(warehouse, EVERYWHERE, ("EXIT-GRADUAL",))[1]
    )


def test_who_ended_is_counted_once_in_households_and_in_persons(warehouse: Warehouse) -> None:
    as_of: date = warehouse.row("select as_of from run")["as_of"]
    home_of = dict(warehouse.frame("select person_id, household_key from person_snapshot").rows())
    rows = warehouse.frame("select person_id, end_date from std_dibao where counts union all select person_id, end_date from std_tekun where counts")  # fmt: skip
    ended = rows.filter(pl.col("end_date").is_between(as_of - timedelta(days=364), as_of) & pl.col("person_id").is_in(list(home_of)))  # fmt: skip
    found = exits.ended(warehouse, EVERYWHERE)
    assert found["persons"].sum() == ended["person_id"].n_unique()
    assert found["households"].sum() == len({home_of[person] for person in ended["person_id"]})


def test_rows_that_nobody_can_use_stand_beside_those_who_are_gone(two_months: TwoMonths) -> None:
    run = Warehouse(two_months.files[1])
    aside = run.frame("select feed from quarantine union all select feed from link_review")["feed"].to_list()
    registers = set(vanished.vanished(run, EVERYWHERE)["register"])
    assert vanished.unusable(run, EVERYWHERE) == {feed: aside.count(feed) for feed in registers if feed in aside}


# --- vouching and blindness


def test_late_sources_are_those_of_the_runs_table_with_the_households_that_live_there(
    warehouse: Warehouse, tables: dict[str, pl.DataFrame]
) -> None:
    homes = dict(tables["vouching"].group_by("township").len().rows())
    late = tables["vouching_feed"].filter("late")
    counted = {
        feed: (sum(town is not None for town in towns), sum(homes.get(town, 0) for town in towns))
        for feed, towns in late.group_by("feed").agg("township").rows()
    }
    found = {row["feed"]: (row["townships"], row["households"]) for row in vouching.late_feeds(warehouse, EVERYWHERE)}
    assert found == counted and len(found) > 0


def test_a_place_that_nobody_knows_is_no_township_from_which_nothing_ever_came(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    """Of a household without a township nobody can say whether the rows of its township came."""
    file = tmp_path / "unplaced.duckdb"
    shutil.copy(warehouse.path, file)
    with duckdb.connect(str(file)) as con:
        con.execute("delete from vouching_feed where feed = 'dibao'; delete from vouching where township is null")
        con.execute("update vouching set township = null, village = null where household_key < 3")
        con.execute(
            "insert into vouching_feed by name select 'dibao' as feed, null as township, 1 as months, true as by_township, 'x' as clause, null as last_period, true as late"
        )
    with closing(Warehouse(file)) as changed:
        (row,) = [row for row in vouching.late_feeds(changed, EVERYWHERE) if row["feed"] == "dibao"]
    assert (row["townships"], row["never"], row["oldest"]) == (0, False, None)
    assert row["unplaced"] == row["households"] > 0


def test_temporary_aid_is_its_ledgers_on_every_page(warehouse: Warehouse) -> None:
    """The payments tell of the same money: it is counted once, the same on the overview, in a report and on the household's page."""
    as_of = warehouse.row("select as_of from run")["as_of"]
    first = (as_of.replace(day=1) - timedelta(days=320)).replace(day=1)
    of_report = figures.money(warehouse, EVERYWHERE, first, as_of.replace(day=1))
    told = {row["item"]: (row["payments"], row["yuan"]) for row in of_report.to_dicts()}
    shown = {
        one.name: [cell for cell in one.cells if cell.month >= f"{first:%Y-%m}"]
        for one in money.money(warehouse, EVERYWHERE).programmes
    }
    for name, cells in shown.items():
        known = [cell for cell in cells if cell.amount is not None]
        assert told[name] == (sum(one.payments for one in known), sum(one.amount or 0 for one in known)), name
    paid = warehouse.rows(
        """select household_key as key, count(*) as n from std_temporary_aid a join person_snapshot using (person_id)
           where a.counts and a.paid_date is not null group by all order by n desc, key limit 3"""
    )
    for row in paid:
        listed = household.payments(warehouse, EVERYWHERE, row["key"]).filter(item="临时救助", status="成功")
        assert listed.height == row["n"] > 0


def test_a_households_own_row_and_its_unjudged_rules_are_those_of_the_ledger(
    warehouse: Warehouse, tables: dict[str, pl.DataFrame]
) -> None:
    rows = vouching.ledger(warehouse, EVERYWHERE, Live(), "nobody", size=40)[0].to_dicts()
    told = vouching.unjudged(warehouse, EVERYWHERE, [row["household_key"] for row in rows])
    needed = _rules(tables)
    rules_of = {row["kind"]: set(row["rules"]) & needed for row in tables["unjudged_kind"].to_dicts()}
    for row in rows:
        mine = tables["unjudged"].filter((pl.col("household_key") == row["household_key"]) & pl.col("living"))
        per_subject = [rules_of[kind] for kind in mine["kind"]]
        assert row["blind_rules"] == sum(map(len, per_subject))
        assert {one["rule"] for one in told.get(row["household_key"], [])} == set().union(*per_subject)
        assert vouching.of_household(warehouse, EVERYWHERE, Live(), row["household_key"]) == row
    assert len(rows) > 5


def _blind(tables: dict[str, pl.DataFrame], rule: str, town: str | None) -> tuple[int, int]:
    """Judged outcomes of a rule in a township, and those that nobody can trust: unknown ones, and the clear ones where a
    source that it reads is late."""
    feeds = tables["rule_feed"].filter(pl.col("rule") == rule)["feed"].to_list()
    here = pl.col("township").eq_missing(pl.lit(town, pl.String))
    silent = tables["vouching_feed"].filter(here & pl.col("late") & pl.col("feed").is_in(feeds)).height > 0
    rows = tables["rule_outcome"].filter(here & (pl.col("rule") == rule))
    return int(rows["judged"].sum()), int(rows["unknown"].sum()) + (int(rows["clear"].sum()) if silent else 0)


def test_every_cell_of_the_blindness_map_equals_a_count_of_outcomes(
    warehouse: Warehouse, tables: dict[str, pl.DataFrame]
) -> None:
    cells = blindness.blindness(warehouse, EVERYWHERE).to_dicts()
    for cell in cells:
        assert (cell["judged"], cell["blind"]) == _blind(tables, cell["rule"], cell["place"]), (
            cell["rule"],
            cell["place"],
        )
    rule = cells[0]["rule"]
    mine = [cell for cell in cells if cell["rule"] == rule]
    assert cells[0]["of_rule"] == pytest.approx(sum(c["blind"] for c in mine) / sum(c["judged"] for c in mine))
    late = {row["township"]: row["feeds"] for row in blindness.late_of_rule(warehouse, EVERYWHERE, rule)}
    reads = tables["rule_feed"].filter(pl.col("rule") == rule)["feed"].to_list()
    counted = tables["vouching_feed"].filter(pl.col("late") & pl.col("feed").is_in(reads)).group_by("township").agg(pl.col("feed").sort())  # fmt: skip
    assert late == dict(counted.rows())


@pytest.mark.parametrize(
    ("judged", "blind", "seen", "step"),
    [(100, 100, 0, 0), (100, 76, 24, 0), (100, 75, 25, 1), (100, 50, 50, 2), (100, 25, 75, 3), (100, 1, 99, 3), (100, 0, 100, 4), (0, 0, 0, 0)],
)  # fmt: skip
def test_a_cell_is_drawn_in_the_step_that_its_judged_share_reaches(
    judged: int, blind: int, seen: int, step: int
) -> None:
    found = blindness.seen({"judged": judged, "blind": blind})
    assert (found.judged, found.step) == (seen, step)


def test_against_last_period_are_the_shares_and_signals_that_each_run_counted(two_months: TwoMonths) -> None:
    names = ("signal", "rule", "rule_outcome", "rule_feed", "vouching_feed", "vouching_setting", "vouching_exempt")
    runs = [Warehouse(file) for file in two_months.files]
    then, now = ({name: run.frame(f"from {name}") for name in names} for run in runs)
    rows = blindness.against_last(runs[1], EVERYWHERE)
    known = set(then["rule_outcome"].filter(pl.col("rule").is_in(_rules(then)))["township"])
    assert len(rows) > 1 and {row["township"] for row in rows if row["before"] == "2026-10"} == known
    for row in rows:
        if row["township"] not in known:  # nobody was there: unknown, not 0
            assert row["before"] is row["blind_before"] is row["signals_before"] is None
        for of, side in ((now, ""), (then, "_before")) if row["township"] in known else ((now, ""),):
            share, signals = _needed(of, row["township"])
            assert row[f"blind{side}"] == pytest.approx(share) and row[f"signals{side}"] == signals


def _rules(tables: dict[str, pl.DataFrame]) -> set[str]:
    """The rules that clearing needs."""
    kinds = tables["vouching_setting"]["kinds"][0].to_list()
    return set(tables["rule"].filter(pl.col("kind").is_in(kinds))["rule"]) - set(tables["vouching_exempt"]["rule"])


def _needed(tables: dict[str, pl.DataFrame], town: str | None) -> tuple[float, int]:
    """Of the rules that clearing needs, in a township: outcomes in 100 that nobody could judge, and signals."""
    outcomes = [_blind(tables, rule, town) for rule in _rules(tables)]
    kinds = tables["vouching_setting"]["kinds"][0].to_list()
    here = pl.col("kind").is_in(kinds) & pl.col("household_key").is_not_null() & pl.col("township").eq_missing(pl.lit(town, pl.String))  # fmt: skip
    return 100 * sum(b for _, b in outcomes) / sum(j for j, _ in outcomes), tables["signal"].filter(here).height


# --- what the case store says


def test_alerts_in_time_late_and_overdue_are_each_listed_once_and_as_many_as_counted(sqlite_store: Store) -> None:
    due = NOON.date() - timedelta(days=10)
    cases: list[tuple[str, dict[str, Any]]] = [
        (TOWN, {"verified_at": NOON - timedelta(days=11)}), (TOWN, {"verified_at": NOON - timedelta(days=1)}), (OTHER_TOWN, {}),
        (OTHER_TOWN, {"verify_due_date": NOON.date()}), (TOWN, {"raises_work": False}), (TOWN, {"opened_on": NOON.date() - timedelta(days=400)}),
    ]  # fmt: skip
    for town, more in cases:
        opened = {"opened_on": NOON.date() - timedelta(days=30), "opened_period": "2026-11", "verify_due_date": due}
        add_alert(sqlite_store, township=town, **{**opened, **more})
    of, caller = Of("2026-11", "r1", NOON.date(), 90, 12), operator("root")
    counted = {row["how"]: row["n"] for row in live(sqlite_store, caller, of, NOON).verified.group_by("how").agg(pl.col("n").sum()).to_dicts()}  # fmt: skip
    assert counted == {ON_TIME: 1, "逾期核实": 1, "逾期未核实": 1, "尚未到期": 1}
    listed = {
        state: timely(sqlite_store, caller, of, EVERYWHERE, state, at=NOON)
        for state in ("covered", "missing", "unknown")
    }
    assert {state: found.total for state, found in listed.items()} == {"covered": 1, "missing": 2, "unknown": 0}
    own = timely(sqlite_store, caller, of, Scope(townships=(OTHER_TOWN,)), "missing", at=NOON)
    assert [row["township"] for row in own.rows] == [OTHER_TOWN]


def test_alerts_are_held_against_signals_for_the_county_and_the_newest_run_only(
    sqlite_store: Store, warehouse: Warehouse
) -> None:
    caller = operator("root")
    with pytest.raises(Refused, match="最近一期"):  # nothing was taken in
        balances.of_alerts(sqlite_store, caller, warehouse, NOON)
    run = warehouse.row("select run_id, period, as_of from run")
    take_in(sqlite_store, warehouse.path, run["run_id"], run["period"], run["as_of"], NOON)
    checks = {check.name: check for check in balances.of_alerts(sqlite_store, caller, warehouse, NOON)}
    assert set(checks) == {*dict(balances.STEPS)["alerts"], "seals"} and all(check.ok for check in checks.values())
    with sqlite_store.read() as con:
        held = con.execute(select(func.count()).select_from(alert_signal)).scalar_one()
    assert (
        held
        == warehouse.row("select count(*) as n from signal")["n"]
        + warehouse.row("select count(*) as n from notice")["n"]
    )
    with pytest.raises(Refused, match="全县"):
        balances.of_alerts(sqlite_store, add_account(sqlite_store, "township_staff", [(TOWN, None)]), warehouse, NOON)
