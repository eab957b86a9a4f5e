"""What if: every figure equals a full run with the changed pack, cell by cell, for every kind of parameter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from monitoring.access import Scope
from monitoring.facts.frame import Facts
from monitoring.feeds import load_feeds
from monitoring.parameters import Parameters
from monitoring.rules import compile_rules
from monitoring.simulating import Ground, Scenario, ground, parse_sets, simulate
from monitoring.simulating.judging import facts_of
from monitoring.simulating.scenario import world
from monitoring.simulating.snapshots import change, whole
from monitoring.tables import SNAPSHOTS
from monitoring.warehouse import Warehouse
from pipelines.assess import assess
from pipelines.link import Delivered, Linking, link
from pipelines.run.deliveries import DeliveryStore, period_number
from pipelines.snapshot import take_snapshot

COUNTY = Scope()
# Every kind of parameter, those together that touch different facts; each line is one full run and one what-if.
KINDS = {
    "standards, reviews, visits": "dibao.standard_rural=700.5 dibao.standard_urban=611 review.months_a=2 review.months_b=1"
    " review.months_c=1 visit.days_tekun=4 visit.days_care=11 visit.days_monitored=7",
    "ceilings, single persons, homes": "low_income.ceiling=2.25 dibao.exit_ceiling=无 rigid.share=0.31 dibao.single_scope=未脱贫户"
    " property.recent_home_years=9",
    "more grades, no deductions, vehicles": "disability.severe_extra_grades=3、4 income.deduct_employment_cost=否"
    " income.deduct_rigid=否 property.vehicle_types=拖拉机、汽车 property.max_homes=0",
    "no grade, pension, illness, minors": "disability.severe_extra_grades=（空） income.exclude_basic_pension=是"
    " illness.needs_medical_aid=是 tekun.minor_age=13 tekun.standard_ratio=1.61",
    "lines of risk, homes not asked, long visits": "monitor.line=12500 risk.income_drop=0.05 risk.medical_self_paid=700"
    " risk.medical_left=9 property.recent_home_years=停用 visit.days_tekun=400 visit.days_care=400 visit.days_monitored=400",
    "aid, work, no vehicles": "aid.follow_up_days=200 aid.emergency_working_days=停用 aid.supplement_working_days=0"
    " dibao.exit_after_employment=否 dibao.exit_needs_employment=是 dibao.exit_months=1 property.vehicle_types=停用",
    "everything off that counts months, days or homes": "dibao.exit_months=停用 tekun.minor_age=停用 aid.follow_up_days=停用"
    " property.max_homes=停用 review.months_a=停用 review.months_b=停用 review.months_c=停用 visit.days_tekun=停用 visit.days_care=停用"
    " visit.days_monitored=停用 low_income.ceiling=停用",
    "another place's whole pack": "pack=rongchang-2018",
}  # fmt: skip


def scenario_of(kind: str) -> Scenario:
    name, _, pack = KINDS[kind].partition("pack=")
    return Scenario(pack=pack) if pack else Scenario(sets=parse_sets(name.split()))


class FullRun:
    """The run's own steps behind linking (which knows no parameter), again and again on one linked county."""

    def __init__(self, home: Path, warehouse: Warehouse) -> None:
        run = warehouse.row("select period, as_of, pack from run")
        self.period, self.as_of, self.pack = run["period"], run["as_of"], run["pack"]
        self.feeds = load_feeds(None)
        deliveries = DeliveryStore(home).current(period_number(self.period))
        found = tuple(
            Delivered(d.period, d.feeds, {f: path for f in self.feeds if (path := d.rows(f)) is not None})
            for d in deliveries
        )
        self.con = duckdb.connect(":memory:", config={"threads": 1})  # one transaction, so one connection
        self.con.register("parts", warehouse.frame("select * from part"))
        self.con.execute("CREATE TABLE part AS FROM parts")
        linking = Linking(self.con, self.feeds, found, self.as_of)
        link(linking)
        self.loaded = linking.loaded

    def judged(self, of: Ground, parameters: Parameters) -> None:
        rules = {code: rule for code, rule in _rules().items() if code in of.rules}
        facts = Facts(self.con, self.as_of, self.as_of.replace(day=1), parameters, self.loaded)
        take_snapshot(facts, self.feeds, self.pack)
        assess(self.con, compile_rules(rules, parameters, self.as_of), rules, parameters, self.period, self.as_of)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.con.execute(sql).fetchall()


def _rules() -> dict[str, Any]:
    from monitoring.rules import load_policy

    return load_policy(None)[1]


@pytest.fixture(scope="module")
def full(published_home: Path, warehouse: Warehouse) -> FullRun:
    return FullRun(published_home, warehouse)


@pytest.fixture
def again(full: FullRun) -> Iterator[FullRun]:
    full.con.execute("BEGIN")
    yield full
    full.con.execute("ROLLBACK")


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_equals_a_full_run_with_the_changed_pack(kind: str, again: FullRun, warehouse: Warehouse) -> None:
    of, scenario = ground(warehouse), scenario_of(kind)
    parameters = world(of, scenario).parameters
    again.judged(of, parameters)
    with warehouse.workspace() as con:
        made = change(con, of.parameters, facts_of(of, con, parameters))
        for subject in ("household", "person"):
            columns = SNAPSHOTS[subject]
            told = con.sql(f"SELECT * FROM ({whole(made, subject, columns)}) ORDER BY 1, 2").pl()
            run = again.con.sql(f"SELECT {', '.join(columns)} FROM {subject}_snapshot ORDER BY 1, 2").pl()
            unlike = [c for c in columns if not told[c].equals(run[c])]
            assert unlike == []
    found = simulate(of, COUNTY, scenario)
    figures = found.rules.filter(pl.col("on")).group_by("rule").agg(pl.sum("hit_after", "unknown_after"))
    outcome = again.rows("SELECT rule, sum(hit), sum(unknown) FROM rule_outcome GROUP BY rule")
    assert {(r, int(h), int(u)) for r, h, u in outcome} == set(figures.rows())
    places = found.rules.filter(pl.col("on"), pl.col("hit_after") > 0).select("rule", "township", "hit_after").rows()
    assert set(places) == set(again.rows("SELECT rule, township, count(*) FROM signal GROUP BY ALL"))
    asked = "SELECT rule, household_key, CASE WHEN subject = 'household' THEN NULL ELSE person_id END FROM signal"
    now = set(again.rows(asked))
    then = {tuple(row.values()) for row in warehouse.rows(asked)}
    told = {
        how: set(found.moves.filter(pl.col("moved") == how).select("rule", "household_key", "person_id").rows())
        for how in ("come", "go")
    }
    assert (told["come"], told["go"]) == (now - then, then - now)
    assert told["come"] or told["go"]
