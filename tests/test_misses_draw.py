"""The draw: only households that nothing flagged, each with its chance, by the seed alone, the same however often it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from monitoring.alerts.balance import check_balance
from monitoring.alerts.choices import AUDIT_VISITS, ChoiceError, choose
from monitoring.alerts.syncing import catch_up, take_in
from monitoring.misses import allocating
from monitoring.misses.checking import check_samples
from monitoring.misses.drawing import offered, seed_of
from monitoring.misses.frame import band_of
from monitoring.misses.settings import load_sampling
from monitoring.people import operator
from monitoring.store import Store
from monitoring.store.schema import audit_draw, audit_listed, audit_sample, audit_stratum, audit_visit, journal, measure
from monitoring.strict_toml import PolicyError
from monitoring.warehouse import Warehouse, publication
from tests.misses_county import AS_OF, Home, county, drawn, homes, ids, offer
from tests.people import OTHER_TOWN, TOWN, VILLAGE, Known, add_account
from tests.some_alerts import add_alert
from tests.stores import NOON
from tests.table_dump import dump

ME = operator("test")
OTHER = (OTHER_TOWN, VILLAGE)


def sample(store: Store, **where: Any) -> list[Mapping[str, Any]]:
    of = [audit_sample.c[name] == value for name, value in where.items()]
    with store.read() as con:
        return [
            dict(row) for row in con.execute(select(audit_sample).where(*of).order_by(audit_sample.c.id)).mappings()
        ]


def chosen(store: Store, **where: Any) -> set[str]:
    return {row["household_id"] for row in sample(store, state="drawn", **where)}


def dial(store: Store, visits: int) -> None:
    choose(store, ME, AUDIT_VISITS, str(visits), NOON)


def answer(store: Store, household: str, result: str = "fine") -> None:
    clerk = add_account(store, "county_staff")
    [row] = sample(store, household_id=household)
    told = {"sample_id": row["id"], "date": NOON.date(), "visitor": "林秋", "result": result, "note": "见到本人"}
    with store.write() as con:
        con.execute(insert(audit_visit).values(**told, account_id=clerk.account, by="林秋", at=NOON))


# --- who can be drawn

any_home = st.builds(
    lambda place, blind, **out: {"place": place, "blind": blind, **out},
    st.sampled_from([(TOWN, VILLAGE), OTHER, (TOWN, None), (None, None)]),
    st.sampled_from([None, 0, 1, 3, 10]),
    help=st.sampled_from(["", "", "", "低保"]),
    late=st.sampled_from(["", "", "", "低保"]),
    request=st.sampled_from([False, False, None, True]),
    signal=st.sampled_from(["", "", "", "RISK-1", "DQ-NAME"]),
)
rosters = st.lists(any_home, max_size=60).map(lambda rows: [Home(f"H{n}", **row) for n, row in enumerate(rows)])


@settings(deadline=None, max_examples=25)
@given(rosters, st.integers(0, 40))
def test_only_households_without_signal_help_or_application_can_be_drawn(roster: list[Home], visits: int) -> None:
    sampling = load_sampling(None, AS_OF)
    found = offered(county(roster), Path("nowhere"), b"k" * 32, "2026-11", AS_OF)
    assert found is not None
    free = found.frame.filter(pl.col("out").is_null())
    assert set(free["household_id"]) == ids(h for h in roster if not (h.signal or h.help or h.late or h.request))
    strata = free.group_by(allocating.STRATUM).agg(households=pl.len().cast(pl.Int64))
    given_ = allocating.wanted(strata, sampling.rates, visits, found.seed)
    assert given_["wanted"].sum() == min(visits, len(free))
    assert ((given_["wanted"] >= 0) & (given_["wanted"] <= given_["households"])).all()


@settings(deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=4), st.integers(0, 200))
def test_every_group_is_visited_while_there_are_visits_and_none_more_than_it_has(
    households: list[int], visits: int
) -> None:
    rates = [1.0, 1.0, 2.0, 3.0][: len(households)]
    found = allocating.of_bands(households, rates, visits)
    assert sum(found) == min(visits, sum(households))
    assert all(0 <= n <= of for n, of in zip(found, households, strict=True))
    if visits >= allocating.LEAST * len(households):
        assert all(n >= min(allocating.LEAST, of) for n, of in zip(found, households, strict=True))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.integers(1, 60), st.text(max_size=5))
def test_a_township_gets_its_share_of_a_group_rounded_up_or_down(households: list[int], visits: int, seed: str) -> None:
    strata = pl.DataFrame({"township": [f"镇{n}" for n in range(len(households))], "band": 0, "households": households},
                          schema={"township": pl.String, "band": pl.Int64, "households": pl.Int64})  # fmt: skip
    found = allocating.wanted(strata, [1.0], visits, seed)
    share = pl.col("households") * min(visits, sum(households)) / sum(households)
    assert found.filter((pl.col("wanted") - share).abs() >= 1).is_empty()


def test_whose_rules_could_less_judge_stands_in_a_later_group_from_the_limit_on(sqlite_store: Store) -> None:
    """Of ten rules: none, one (0.1, over both limits), all, and what is not known; by hand just under and at a limit."""
    roster = [
        Home("none", blind=0),
        Home("one", blind=1),
        Home("all", blind=10),
        Home("more", blind=40),
        Home("unknown", blind=None),
    ]
    found = offer(sqlite_store, roster).frame
    assert dict(found.select("household_id", "band").iter_rows()) == {
        "none": 0,
        "one": 2,
        "all": 2,
        "more": 2,
        "unknown": 2,
    }
    bands = load_sampling(None, AS_OF).bands
    shares = pl.DataFrame({"share": [0.0, 0.0199, 0.02, 0.0599, 0.06, 1.0]})
    assert shares.select(band_of(bands)).to_series().to_list() == [0, 0, 1, 1, 2, 2]


# --- the draw


def test_the_same_home_and_period_give_the_same_sample_and_another_period_another(store: Store) -> None:
    roster = [*homes(60), *homes(40, OTHER, 3, "B")]
    dial(store, 12)
    assert drawn(store, roster) == 12
    first = chosen(store)
    before = dump(store)
    assert drawn(store, list(reversed(roster))) == 12
    assert dump(store) == before, "doing it twice changes no row"
    assert drawn(store, roster, period="2026-12", run="r2") == 12
    with store.read() as con:
        draws = con.execute(select(audit_draw).order_by(audit_draw.c.id)).mappings().all()
        told = con.execute(select(journal.c.event, journal.c.who).where(journal.c.event.like("sample%"))).all()
    assert [row["seed"] for row in draws] == [seed_of(store.key, "2026-11"), seed_of(store.key, "2026-12")]
    assert draws[0]["due_date"] == date(2026, 12, 14) and draws[0]["size"] == 12
    assert chosen(store, draw_id=draws[1]["id"]) != first and chosen(store, draw_id=draws[0]["id"]) == first
    assert told == [("sample.draw", "run")] * 2
    assert [check.ok for check in check_samples(store, county(roster))] == [True, True]


def test_those_with_the_smallest_digests_of_each_township_and_group_are_drawn(sqlite_store: Store) -> None:
    roster = [*homes(30), *homes(30, OTHER, 0, "B")]
    dial(sqlite_store, 10)
    drawn(sqlite_store, roster)
    keys = dict(offer(sqlite_store, roster).frame.select("household_id", "key").iter_rows())
    for prefix in "HB":
        mine = sorted((key, home) for home, key in keys.items() if home.startswith(prefix))
        taken = {home for home in chosen(sqlite_store) if home.startswith(prefix)}
        assert len(taken) == 5 and taken == {home for _, home in mine[:5]}
        kept = {
            row["household_id"]
            for row in sample(sqlite_store, state="reserve")
            if row["household_id"].startswith(prefix)
        }
        assert kept == {home for _, home in mine[5:7]}


def test_a_dial_at_nought_draws_nobody_and_a_draw_keeps_its_size(store: Store) -> None:
    dial(store, 0)
    assert drawn(store, homes(20)) == 0 and sample(store) == []
    dial(store, 5)
    assert drawn(store, homes(20)) == 5
    dial(store, 9)
    assert drawn(store, homes(20), run="r2") == 5, "nobody can draw a period again by turning the dial"
    for typed in ("501", "-1", "x"):
        with pytest.raises(ChoiceError):
            choose(store, ME, AUDIT_VISITS, typed, NOON)


def test_who_has_an_open_alert_or_recorded_help_is_not_drawn(store: Store) -> None:
    clerk = add_account(store, "county_staff")
    add_alert(store, household_id="H0")
    key = add_alert(store, household_id="H1", status="closed", closed_at=NOON, outcome="F")
    add_alert(store, household_id="H2", status="closed", closed_at=NOON, outcome="L")
    with store.write() as con:
        for household, start in (("H1", date(2026, 1, 5)), ("H3", date(2025, 1, 5))):
            con.execute(insert(measure).values(alert_id=key, household_id=household, kind="temporary", monthly=False, start=start,
                        responsible="何山", note="", account_id=clerk.account, at=NOON))  # fmt: skip
    assert drawn(store, homes(5)) == 3
    assert chosen(store) == {"H2", "H3", "H4"}, (
        "help of more than a year ago, and an alert that came to nothing, leave it free"
    )


def test_where_a_period_is_run_again_those_who_left_are_replaced_and_answers_stay(store: Store) -> None:
    roster = homes(20)
    dial(store, 6)
    drawn(store, roster)
    first = sorted(chosen(store))
    answered, flagged, helped, gone = first[:4]
    answer(store, answered)
    answer(store, gone, "unreached")
    kept = [h for h in roster if h.id != gone]
    again = [
        replace(h, signal="RISK-1") if h.id in (answered, flagged) else replace(h, help="低保") if h.id == helped else h
        for h in kept
    ]
    assert drawn(store, [*again, *homes(1, prefix="new")], run="r2") == 6
    now = chosen(store)
    assert set(first) - now == {flagged, helped, gone} and answered in now
    assert {row["household_id"]: row["why"] for row in sample(store, state="dropped")} == {
        flagged: "flagged",
        helped: "helped",
        gone: "gone",
    }
    assert len(sample(store, state="reserve")) == 2
    checks = check_samples(store, county([h for h in again if h.id in now - {answered}]))
    assert [check.ok for check in checks] == [True, True]
    before = dump(store)
    drawn(store, again, run="r2")
    assert dump(store) == before
    with store.read() as con:
        [stratum] = con.execute(select(audit_stratum)).mappings().all()
    assert (stratum["households"], stratum["wanted"]) == (17, 6)


def test_more_are_wanted_than_there_are_and_all_are_drawn(sqlite_store: Store) -> None:
    assert drawn(sqlite_store, homes(4)) == 4
    assert drawn(sqlite_store, homes(2), run="r2") == 2
    assert drawn(sqlite_store, [], period="2026-12", run="r3") == 0


def test_a_run_of_an_older_version_is_not_drawn_from(tmp_path: Path) -> None:
    warehouse = county(homes(3))
    warehouse._connection.execute("drop table vouching_exempt")
    assert offered(warehouse, tmp_path, b"k" * 32, "2026-11", AS_OF) is None


def test_whom_the_model_and_a_rule_point_to_is_kept_beside_the_draw(store: Store) -> None:
    roster = [
        Home("both", signal="RISK-1", rank=2),
        Home("rule", signal="RISK-1", rank=3),
        Home("data", signal="DQ-NAME", rank=1),
        *homes(5),
    ]
    drawn(store, roster, model=True)
    with store.read() as con:
        assert list(con.execute(select(audit_listed.c.household_id)).scalars()) == ["both"]
        assert con.execute(select(audit_draw.c.model)).scalar_one() is True
    drawn(store, roster, run="r2")
    with store.read() as con:
        assert (
            con.execute(select(audit_listed)).all() == []
            and con.execute(select(audit_draw.c.model)).scalar_one() is False
        )


def test_a_seed_that_was_not_the_periods_or_a_sample_out_of_order_fails_the_audit(sqlite_store: Store) -> None:
    roster = homes(30)
    dial(sqlite_store, 8)
    drawn(sqlite_store, roster)
    with sqlite_store.write() as con:
        first, last = (
            con.execute(select(audit_sample.c.id).where(audit_sample.c.state == "drawn").order_by(audit_sample.c.id))
            .scalars()
            .all()[::7]
        )
        places = dict(con.execute(select(audit_sample.c.id, audit_sample.c.place)).all())
        for one, other in ((first, last), (last, first)):
            con.execute(audit_sample.update().where(audit_sample.c.id == one).values(place=places[other]))
    flagged = [replace(h, signal="RISK-1") if h.id in chosen(sqlite_store) else h for h in roster]
    assert [check.ok for check in check_samples(sqlite_store, county(flagged))] == [False, False]
    with sqlite_store.write() as con:
        con.execute(audit_draw.update().values(seed="0" * 64))
    assert not check_samples(sqlite_store, county(roster))[0].ok


# --- with the run


def test_taking_runs_in_draws_of_the_newest_only_and_all_balances_hold(
    published_home: Path, sqlite_store: Store
) -> None:
    published = publication(published_home)
    done = catch_up(sqlite_store, published, datetime.now(UTC))
    assert [one.sampled for one in done] == [0] * (len(done) - 1) + [30]
    run = published.run_of(None)
    warehouse = Warehouse(run.path)
    as_of = warehouse.row("select as_of from run")["as_of"]
    before = dump(sqlite_store)
    assert take_in(sqlite_store, run.path, run.run, run.period, as_of, datetime.now(UTC)).sampled == 30
    assert dump(sqlite_store) == before
    checks = [*check_balance(sqlite_store, warehouse), *check_samples(sqlite_store, warehouse)]
    assert len(checks) == 8 and [check.words for check in checks if not check.ok] == []
    free = warehouse.frame(
        "select household_id from vouching where signals = 0 and needs = 0 and help = '' and help_late = '' and not open_request"
    )
    assert chosen(sqlite_store) <= set(free["household_id"])
    warehouse.close()


# --- settings


def test_every_complaint_of_a_countys_own_file_is_told_at_once(tmp_path: Path) -> None:
    own = tmp_path / "policy" / "sampling.toml"
    own.parent.mkdir()
    shipped = (Path(__file__).parents[1] / "data" / "policy" / "sampling.toml").read_text("utf-8")
    own.write_text(
        shipped.replace("below = 0.06", "below = 0.01")
        .replace("working_days = 15", "working_days = 0")
        .replace("rate = 2", "rate = 0\nbelow = 1"),
        "utf-8",
    )
    with pytest.raises(PolicyError) as found:
        load_sampling(tmp_path, AS_OF)
    assert len(found.value.complaints) == 4 and "below 没有从小到大" in str(found.value)
    own.write_text(shipped.replace("[[version]]\n", "[[version]]\nuntil = 2026-11-29\n"), "utf-8")
    with pytest.raises(PolicyError, match="2026-11-30"):
        load_sampling(tmp_path, AS_OF)
    assert load_sampling(tmp_path, AS_OF - timedelta(1)).pool_months == 12


def test_only_the_county_office_turns_the_dial(store: Store) -> None:
    county_staff: Known = add_account(store, "county_staff")
    assert choose(store, county_staff, AUDIT_VISITS, "40", NOON) == 40
    with store.read() as con:
        rows = con.execute(select(journal.c.event, journal.c.object, journal.c.who)).all()
    assert rows == [("setting.change", AUDIT_VISITS, county_staff.name)]
