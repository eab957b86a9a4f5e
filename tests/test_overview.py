"""The overview: every number equals a count made another way, and every list shows exactly those whom its number counted.

The counts are made here with polars over whole tables, and over the files' own rows; the queries count in SQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from monitoring.access import Scope
from monitoring.low_income import CATEGORIES
from monitoring.queries import behind, money, overview, points
from monitoring.warehouse import Warehouse
from pipelines.run.carrying import carry_history
from pipelines.run.figures import write_figures


def table(warehouse: Warehouse, name: str) -> pl.DataFrame:
    return warehouse.frame(f"select * from {name}")


@pytest.fixture(scope="module")
def standing(warehouse: Warehouse) -> pl.DataFrame:
    """Living persons with the registers in which they or their households stand, from the ledgers' own rows."""
    as_of = warehouse.row("select as_of from run")["as_of"]
    people = table(warehouse, "person_snapshot").filter("alive")
    listed = (
        table(warehouse, "std_low_income")
        .filter(
            pl.col("counts"),
            pl.col("recognised_date").is_null() | (pl.col("recognised_date") <= as_of),
            pl.col("end_date").is_null() | (pl.col("end_date") > as_of),
        )
        .join(people.select("person_id", "household_key"), on="person_id")
    )

    def homes_of(category: str) -> pl.Series:
        return listed.filter(pl.col("category") == category)["household_key"].unique()

    flags = people.with_columns(
        tekun="on_tekun",
        dibao="on_dibao",
        edge=pl.col("household_key").is_in(homes_of("低保边缘家庭").implode()),
        rigid=pl.col("household_key").is_in(homes_of("刚性支出困难家庭").implode()),
        monitored="at_risk_household",
        low=pl.col("low_income_household").fill_null(False),
        recognised=pl.col("household_key").is_in(homes_of("其他低收入家庭").implode()),
    )
    any_named = pl.any_horizontal("tekun", "dibao", "edge", "rigid", "monitored")
    flags = flags.with_columns(by_income=pl.col("low") & ~any_named & ~pl.col("recognised"))
    flags = flags.with_columns(other=pl.col("recognised") | pl.col("by_income"))
    main = pl.coalesce(pl.when(pl.col(name)).then(pl.lit(name)) for name in CATEGORIES)
    return flags.with_columns(main=main)


def pages(warehouse: Warehouse, scope: Scope, figure: str, of: str = "") -> tuple[list[int], behind.Behind]:
    """The households of all pages of a list, and its first page."""
    first = behind.behind(warehouse, scope, figure, of)
    keys = first.rows["household_key"].to_list()
    for page in range(2, -(-first.households // behind.SIZE) + 1):
        keys += behind.behind(warehouse, scope, figure, of, page).rows["household_key"].to_list()
    return keys, first


def test_each_person_stands_in_one_of_six_categories_and_the_unknown_beside_them(
    warehouse: Warehouse, county: Scope, standing: pl.DataFrame
) -> None:
    found = overview.overview(warehouse, county)
    for one in overview.categories(found):
        mine = standing.filter(pl.col("main") == one.key)
        assert one.persons.value == mine.height, one.key
        assert one.listed == standing.filter(pl.col(one.key)).height and one.also >= 0
    assert sum(one.persons.value for one in overview.categories(found)) == found["low_income_persons"].value > 0
    assert sum(one.households for one in overview.categories(found)) == found["low_income_households"].value
    assert found["other_by_income"].value == standing.filter("by_income").height > 0
    unsure = standing.filter(pl.col("main").is_null() & pl.col("low_income_household").is_null())
    assert found["low_income_unknown"].value == unsure.height > 0
    assert len({one.key for one in overview.categories(found) if one.persons.value}) >= 5


def test_a_households_category_is_the_first_that_a_member_has(
    warehouse: Warehouse, county: Scope, standing: pl.DataFrame
) -> None:
    order = {name: place for place, name in enumerate(CATEGORIES)}
    named = standing.drop_nulls("main").with_columns(place=pl.col("main").replace_strict(order))
    first = named.group_by("household_key").agg(pl.col("place").min())
    for place, name in enumerate(CATEGORIES):
        keys, page = pages(warehouse, county, "main", name)
        assert sorted(keys) == sorted(first.filter(pl.col("place") == place)["household_key"]), name
        assert page.households == overview.categories(overview.overview(warehouse, county))[place].households


@pytest.mark.parametrize("name", ["", *CATEGORIES])
def test_the_list_behind_a_category_has_its_persons(
    warehouse: Warehouse, county: Scope, standing: pl.DataFrame, name: str
) -> None:
    mine = standing.filter(pl.col("main") == name) if name else standing.drop_nulls("main")
    keys, page = pages(warehouse, county, "persons", name)
    assert len(keys) == len(set(keys)) and set(keys) == set(mine["household_key"])
    assert (page.persons or 0) == mine.height
    if name:
        keys, page = pages(warehouse, county, "listed", name)
        assert (page.persons or 0) == standing.filter(pl.col(name)).height


def test_the_lists_behind_signals_have_the_households_that_were_counted(warehouse: Warehouse, county: Scope) -> None:
    found, signal = overview.overview(warehouse, county), table(warehouse, "signal").drop_nulls("household_key")
    for figure, of in (("alerts", pl.lit(True)), ("red", pl.col("level") == "red"), ("gap", pl.col("kind") == "gap")):
        keys, page = pages(warehouse, county, figure)
        assert sorted(keys) == sorted(signal.filter(of)["household_key"].unique())
        assert page.households == found[figure].value and page.rows["message"].null_count() == 0
    for row in overview.drivers(warehouse, county).to_dicts():
        assert pages(warehouse, county, "rule", row["rule"])[1].households == row["households"]
    for row in overview.levels(warehouse, county).to_dicts():
        assert pages(warehouse, county, "cell", f"{row['kind']} {row['level']}")[1].households == row["households"]


def test_the_lists_behind_what_is_unknown_have_those_that_were_counted(warehouse: Warehouse, county: Scope) -> None:
    found = overview.overview(warehouse, county)
    assert pages(warehouse, county, "income_unknown")[1].households == found["income_unknown"].value > 0
    assert pages(warehouse, county, "low_income_unknown")[1].households == found["low_income_unknown_households"].value
    assert pages(warehouse, county, "unknown", "GAP-DIBAO")[1].households == found["dibao_unknown"].value
    for row in overview.unknown_reasons(warehouse, county).to_dicts():
        page = behind.behind(warehouse, county, "unknown", f"{row['rule']} {row['missing']}")
        counted = page.households if row["subject"] == "household" else page.persons
        assert counted == row["subjects"], row["missing"]


def test_the_places_add_up_to_the_county_and_lists_of_places_to_its_list(warehouse: Warehouse, county: Scope) -> None:
    found, rows = overview.overview(warehouse, county), overview.township_table(warehouse, county)
    for name in (
        "households",
        "persons",
        "low_income_persons",
        "alerts",
        "red",
        "gap",
        "income_unknown",
        "dibao_unknown",
    ):
        assert rows[name].sum() == found[name].value, name
    for row in rows.to_dicts():
        scope = Scope(townships=(row["place"],))
        assert pages(warehouse, scope, "alerts")[1].households == row["alerts"]
        villages = overview.township_table(warehouse, scope)
        assert villages["households"].sum() == row["households"]
        assert set(villages["township"]) == {row["place"]}


def test_the_worst_places_come_first_and_an_unknown_place_last(warehouse: Warehouse, county: Scope) -> None:
    rows = overview.township_table(warehouse, county)
    rates = rows.filter(pl.col("place").is_not_null())["per_thousand"].to_list()
    assert rates == sorted(rates, reverse=True) and rows["per_thousand"][-1] is None
    first = rows.row(0, named=True)
    assert first["per_thousand"] == pytest.approx(1000 * first["alerts"] / first["households"], abs=0.05)
    assert overview.highest(warehouse, county, "per_thousand") >= rates[0]


@pytest.fixture
def three_months(tmp_path: Path) -> Iterator[Warehouse]:
    """甲镇 (two villages) and 乙镇 in August, October and November; of September nothing is known, 乙镇 is new in November."""
    path = tmp_path / "three.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE run AS SELECT '2026-11' AS period")
        con.execute(
            "CREATE TABLE overview_figure (period VARCHAR, township VARCHAR, village VARCHAR, households BIGINT, alerts BIGINT, gap BIGINT)"
        )
        con.executemany("INSERT INTO overview_figure VALUES (?, ?, ?, ?, ?, ?)", [
            ("2026-08", "甲镇", "东村", 10, 1, None), ("2026-08", "甲镇", "西村", 10, 0, None), ("2026-10", "甲镇", "东村", 10, 4, 1),
            ("2026-10", "甲镇", "西村", 10, 2, 2), ("2026-11", "甲镇", "东村", 10, 5, 0), ("2026-11", "甲镇", "西村", 10, 0, 1),
            ("2026-11", "乙镇", "南村", 4, 2, 1), ("2026-11", None, None, 0, 3, 0),
        ])  # fmt: skip
    opened = Warehouse(path)
    yield opened
    opened.close()


def test_a_month_that_was_not_published_is_unknown_in_the_trend(three_months: Warehouse) -> None:
    rows = {row["place"]: row for row in overview.township_table(three_months, Scope()).to_dicts()}
    assert list(rows) == ["乙镇", "甲镇", None]  # by alerts a thousand households, an unknown place last
    assert rows["甲镇"]["trend"] == [None] * 8 + [1, None, 6, 5] and rows["甲镇"]["before"] == 6
    assert rows["乙镇"]["trend"] == [None] * 8 + [0, None, 0, 2] and rows["乙镇"]["before"] == 0
    assert rows[None]["per_thousand"] is None and rows["甲镇"]["per_thousand"] == 250
    assert overview.highest(three_months, Scope(), "per_thousand") == 500
    villages = overview.township_table(three_months, Scope(townships=("甲镇",)))
    assert dict(villages.select("place", "before").iter_rows()) == {"东村": 4, "西村": 2}


def test_a_change_is_told_against_last_period_and_only_where_that_is_known(three_months: Warehouse) -> None:
    found = overview.overview(three_months, Scope())
    assert (found.previous, found["alerts"].value, found["alerts"].before) == ("2026-10", 10, 6)
    assert overview.overview(three_months, Scope(townships=("乙镇",)))["alerts"].before == 0
    assert overview.Figure(3).change is None and overview.Figure(3, 5).change == -2


def test_without_an_earlier_period_no_change_is_told(warehouse: Warehouse, county: Scope) -> None:
    found, rows = overview.overview(warehouse, county), overview.township_table(warehouse, county)
    if found.previous is None:
        assert found["alerts"].before is None and rows["before"].null_count() == rows.height
        assert all(row["trend"] == [None] * 11 + [row["alerts"]] for row in rows.to_dicts())


def test_an_own_villages_figures_are_the_villages(warehouse: Warehouse) -> None:
    homes = table(warehouse, "household_snapshot")
    town, village = homes.drop_nulls(["township", "village"]).select("township", "village").row(0)
    own = Scope(allowed=((town, village),))
    rows = overview.township_table(warehouse, own)
    assert (rows["township"].to_list(), rows["place"].to_list()) == ([town], [village])
    there = homes.filter((pl.col("township") == town) & (pl.col("village") == village))
    assert overview.overview(warehouse, own)["households"].value == there.height
    keys, _ = pages(warehouse, own, "income_unknown")
    assert set(keys) == set(there.filter(~pl.col("income_known"))["household_key"])


def test_a_figure_that_there_is_not_is_refused(warehouse: Warehouse, county: Scope) -> None:
    for figure, of in (
        ("nothing", ""),
        ("persons", "x"),
        ("unknown", "GAP-DIBAO x"),
        ("unknown", "X"),
        ("cell", "gap"),
        ("main", "1; drop"),
    ):
        with pytest.raises(behind.NoSuchFigure):
            behind.behind(warehouse, county, figure, of)
    assert behind.behind(warehouse, county, "rule", "' or true --").households == 0


def test_money_is_what_the_ledgers_say_and_each_figure_has_its_payments(warehouse: Warehouse, county: Scope) -> None:
    as_of: date = warehouse.row("select as_of from run")["as_of"]
    first = (
        as_of.replace(year=as_of.year - 1, month=as_of.month % 12 + 1, day=1)
        if as_of.month < 12
        else as_of.replace(month=1, day=1)
    )
    paid = pl.concat([
        table(warehouse, "std_payments").filter("counts").select("paid_month", "status", "amount", programme="item"),
        table(warehouse, "std_disability_subsidy").filter("counts").select("paid_month", "status", "amount", programme="subsidy_kind"),
    ]).filter(pl.col("paid_month") >= first)  # fmt: skip
    aid = table(warehouse, "std_temporary_aid").filter(
        pl.col("counts"), pl.col("paid_date") >= first, pl.col("paid_date") <= as_of
    )
    found = money.money(warehouse, county)
    assert len(found.months) == 12 and found.months[-1] == as_of.strftime("%Y-%m")
    assert {one.name for one in found.programmes} >= {"低保", "特困", "临时救助", "护理补贴"}
    for one in found.programmes:
        mine = paid.filter(pl.col("programme") == one.name)
        arrived = aid["amount"] if one.name == "临时救助" else mine.filter(pl.col("status") == "成功")["amount"]
        assert one.paid == (arrived.sum() or 0), one.name
        assert one.failed == mine.filter(pl.col("status") != "成功").height
        _, count, yuan = money.paid_to(warehouse, county, one.name, "")
        assert (count, yuan) == (arrived.len(), arrived.sum())
        assert money.paid_to(warehouse, county, one.name, "", failed=True)[1] == one.failed
        for cell in one.cells[-2:]:
            _, count, yuan = money.paid_to(warehouse, county, one.name, cell.month)
            assert (count, yuan) == (cell.payments, cell.amount or 0)


def test_a_month_without_a_delivery_is_unknown_and_not_zero(warehouse: Warehouse, county: Scope) -> None:
    found = money.money(warehouse, county)
    delivered = {
        f"{row['delivered'] // 100}-{row['delivered'] % 100:02d}"
        for row in table(warehouse, "part").filter(pl.col("feed") == "temporary_aid", pl.col("loaded") > 0).to_dicts()
    }
    aid = next(one for one in found.programmes if one.name == "临时救助")
    for cell in aid.cells:
        assert (cell.amount is None) == (cell.month not in delivered and not cell.payments), cell
    for feed, months in found.missing.items():
        for month in months:
            empty = [
                one
                for one in found.programmes
                if one.feed == feed and not next(c for c in one.cells if c.month == month).payments
            ]
            assert found.total(month) is None or not empty
    assert sum((one.paid for one in found.programmes), Decimal(0)) > 0


def test_points_lead_to_the_list_that_they_count(warehouse: Warehouse, county: Scope) -> None:
    found = points.points(warehouse, county)
    assert 3 <= len(found) <= 5
    counted = {"gap": "total", "income_unknown": "unknown"}
    checked = 0
    for point in found:
        behind_it = dict(point.behind)
        figure = behind_it.pop("list", "")
        if figure in counted:
            assert pages(warehouse, county, figure)[1].households == point.values[counted[figure]]
            checked += 1
        elif figure == "rule" and "title" in point.titles:
            assert pages(warehouse, county, "rule", behind_it["of"])[1].households == point.values["n"]
            checked += 1
    assert checked >= 2
    assert points.points(warehouse, Scope(townships=("没有这个镇",))) == []


# --- the run's step, on tables by hand

_TABLES = """
CREATE TABLE resident (person_id BIGINT, household_key BIGINT, alive BOOLEAN, township VARCHAR, village VARCHAR);
CREATE TABLE std_low_income (person_id BIGINT, category VARCHAR, recognised_date DATE, end_date DATE, counts BOOLEAN);
CREATE TABLE std_payments (person_id BIGINT, item VARCHAR, paid_month DATE, amount DECIMAL(14,2), status VARCHAR, counts BOOLEAN);
CREATE TABLE std_disability_subsidy (person_id BIGINT, subsidy_kind VARCHAR, paid_month DATE, amount DECIMAL(14,2), status VARCHAR, counts BOOLEAN);
CREATE TABLE std_temporary_aid (person_id BIGINT, paid_date DATE, amount DECIMAL(14,2), counts BOOLEAN);
CREATE TABLE person_snapshot (person_id BIGINT, household_key BIGINT, township VARCHAR, village VARCHAR, alive BOOLEAN, on_tekun BOOLEAN,
    on_dibao BOOLEAN, at_risk_household BOOLEAN, low_income_household BOOLEAN, monitored_household BOOLEAN);
CREATE TABLE household_snapshot (household_key BIGINT, township VARCHAR, village VARCHAR, income_known BOOLEAN, low_income_household BOOLEAN);
CREATE TABLE signal (period VARCHAR, rule VARCHAR, kind VARCHAR, level VARCHAR, subject VARCHAR, household_id VARCHAR, person_id BIGINT,
    record_key VARCHAR, township VARCHAR, village VARCHAR, household_key BIGINT);
CREATE TABLE rule_outcome (rule VARCHAR, township VARCHAR, village VARCHAR, unknown BIGINT);
"""
AS_OF = date(2026, 11, 30)


@pytest.fixture
def by_hand() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:").execute(_TABLES)


def person(
    con: duckdb.DuckDBPyConnection, key: int, home: int, *, tekun: bool = False, dibao: bool = False, at_risk: bool = False,
    low: bool | None = False, alive: bool = True,
) -> None:  # fmt: skip
    con.execute("INSERT INTO resident VALUES (?, ?, ?, '甲镇', '东村')", [key, home, alive])
    con.execute(
        "INSERT INTO person_snapshot VALUES (?, ?, '甲镇', '东村', ?, ?, ?, ?, ?, false)",
        [key, home, alive, tekun, dibao, at_risk, low],
    )
    if not con.execute("SELECT 1 FROM household_snapshot WHERE household_key = ?", [home]).fetchall():
        con.execute("INSERT INTO household_snapshot VALUES (?, '甲镇', '东村', ?, ?)", [home, low is not None, low])


def categories_by_hand(con: duckdb.DuckDBPyConnection) -> dict[int, str]:
    write_figures(con, "2026-11", AS_OF)
    return dict(con.execute("SELECT person_id, category FROM low_income_standing").fetchall())


def test_the_main_category_is_the_first_in_the_order_and_the_others_stand_beside_it(
    by_hand: duckdb.DuckDBPyConnection,
) -> None:
    person(by_hand, 1, 1, tekun=True, dibao=True, at_risk=True, low=True)
    person(by_hand, 2, 1, at_risk=True, low=True)
    person(by_hand, 3, 2, low=None)
    person(by_hand, 4, 3, low=None, dibao=True)
    person(by_hand, 5, 4, low=True)
    person(by_hand, 6, 5, low=False)
    person(by_hand, 7, 6, dibao=True, alive=False)
    assert categories_by_hand(by_hand) == {1: "tekun", 2: "monitored", 4: "dibao", 5: "other"}
    row = by_hand.sql("FROM overview_figure").pl().row(0, named=True)
    assert (row["low_income_persons"], row["low_income_households"], row["low_income_unknown"]) == (4, 3, 1)
    assert (row["tekun_households"], row["monitored_households"], row["monitored_listed"], row["dibao_listed"]) == (
        1,
        0,
        2,
        2,
    )


@pytest.mark.parametrize(
    ("recognised", "ended", "counts", "found"),
    [
        (AS_OF, None, True, "edge"),
        (date(2026, 12, 1), None, True, None),  # begins after as-of
        (None, date(2026, 12, 1), True, "edge"),  # ends the day after
        (None, AS_OF, True, None),  # ended at as-of
        (None, None, False, None),  # a row that does not count
    ],
)
def test_a_household_is_dibao_edge_while_a_row_of_a_member_runs(
    by_hand: duckdb.DuckDBPyConnection, recognised: date | None, ended: date | None, counts: bool, found: str | None
) -> None:
    person(by_hand, 1, 1)
    person(by_hand, 2, 1)
    by_hand.execute("INSERT INTO std_low_income VALUES (2, '低保边缘家庭', ?, ?, ?)", [recognised, ended, counts])
    assert categories_by_hand(by_hand) == ({1: found, 2: found} if found else {})


def test_others_in_difficulty_are_recognised_families_and_who_is_poor_by_income_told_apart(
    by_hand: duckdb.DuckDBPyConnection,
) -> None:
    person(by_hand, 1, 1, low=True)
    person(by_hand, 2, 1, low=True)
    by_hand.execute("INSERT INTO std_low_income VALUES (2, '其他低收入家庭', NULL, NULL, true)")
    person(by_hand, 3, 2, low=True)  # by income alone
    person(by_hand, 4, 3, dibao=True, low=True)
    by_hand.execute(
        "INSERT INTO std_low_income VALUES (4, '其他低收入家庭', NULL, NULL, true)"
    )  # recognised, and on dibao
    person(by_hand, 5, 4, low=None)
    assert categories_by_hand(by_hand) == {1: "other", 2: "other", 3: "other", 4: "dibao"}
    row = by_hand.sql("FROM overview_figure").pl().row(0, named=True)
    assert (row["other_persons"], row["other_listed"], row["other_by_income"], row["low_income_unknown"]) == (
        3,
        4,
        1,
        1,
    )


def test_figures_that_an_older_run_did_not_make_are_unknown_and_thirteen_periods_are_kept(
    by_hand: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    old = tmp_path / "old.duckdb"
    with duckdb.connect(str(old)) as con:
        con.execute("CREATE TABLE history_figure (period VARCHAR, township VARCHAR, measure VARCHAR, value DOUBLE)")
        con.execute(
            "CREATE TABLE history_signal (period VARCHAR, rule VARCHAR, level VARCHAR, subject VARCHAR, household_id VARCHAR, person_id BIGINT, record_key VARCHAR)"
        )
        con.execute(
            "CREATE TABLE overview_figure (period VARCHAR, township VARCHAR, village VARCHAR, households BIGINT, gone BIGINT)"
        )
        months = [f"{2025 + n // 12}-{n % 12 + 1:02d}" for n in range(6, 24)]
        con.executemany("INSERT INTO overview_figure VALUES (?, '甲镇', '东村', 9, 9)", [[month] for month in months])
    person(by_hand, 1, 1)
    write_figures(by_hand, "2026-11", AS_OF)
    carry_history(by_hand, "2026-11", old)
    found = by_hand.sql("SELECT period, households, alerts FROM overview_figure ORDER BY period").pl()
    assert found["period"].to_list() == [*months[-14:-2], "2026-11"] and found.height == 13
    assert found["alerts"].to_list() == [None] * 12 + [0]
    assert found["households"].to_list() == [9] * 12 + [1]


def test_of_an_earlier_run_only_earlier_months_are_carried_and_the_last_twelve_of_signals(
    by_hand: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    old = tmp_path / "old.duckdb"
    months = [f"{2025 + n // 12}-{n % 12 + 1:02d}" for n in range(9, 24)]  # 2025-10 to 2026-12
    with duckdb.connect(str(old)) as con:
        con.execute("CREATE TABLE history_figure (period VARCHAR, township VARCHAR, measure VARCHAR, value DOUBLE)")
        con.execute(
            "CREATE TABLE history_signal (period VARCHAR, rule VARCHAR, level VARCHAR, subject VARCHAR, household_id VARCHAR, person_id BIGINT, record_key VARCHAR)"
        )
        for month in months:
            con.execute("INSERT INTO history_figure VALUES (?, '甲镇', 'persons', 9)", [month])
            con.execute("INSERT INTO history_signal VALUES (?, 'R', 'red', 'household', 'H1', NULL, NULL)", [month])
    person(by_hand, 1, 1)
    write_figures(by_hand, "2026-11", AS_OF)
    carry_history(by_hand, "2026-11", old)
    persons = "SELECT period, value FROM history_figure WHERE measure = 'persons' ORDER BY period"
    assert by_hand.execute(persons).fetchall() == [*((month, 9) for month in months[:-2]), ("2026-11", 1)]
    carried = "SELECT period FROM history_signal WHERE rule = 'R' ORDER BY period"
    assert by_hand.execute(carried).fetchall() == [(month,) for month in months[1:-2]]  # 2025-11 to 2026-10


def test_a_run_of_a_version_without_these_figures_can_be_followed(
    by_hand: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    old = tmp_path / "old.duckdb"
    with duckdb.connect(str(old)) as con:
        con.execute("CREATE TABLE history_figure (period VARCHAR, township VARCHAR, measure VARCHAR, value DOUBLE)")
        con.execute(
            "CREATE TABLE history_signal (period VARCHAR, rule VARCHAR, level VARCHAR, subject VARCHAR, household_id VARCHAR, person_id BIGINT, record_key VARCHAR)"
        )
    person(by_hand, 1, 1)
    write_figures(by_hand, "2026-11", AS_OF)
    carry_history(by_hand, "2026-11", old)
    assert by_hand.execute("SELECT DISTINCT period FROM overview_figure").fetchall() == [("2026-11",)]
    assert overview.made(Warehouse(_empty(tmp_path)), Scope()) is False


def _empty(folder: Path) -> Path:
    path = folder / "empty.duckdb"
    duckdb.connect(str(path)).close()
    return path


def test_money_keeps_failures_apart_and_counts_temporary_aid_once(by_hand: duckdb.DuckDBPyConnection) -> None:
    person(by_hand, 1, 1)
    november, december = date(2026, 11, 1), date(2025, 12, 1)
    for item, month, amount, status in (
        ("低保", november, 400, "成功"), ("低保", november, 400, "失败"), ("低保", december, 300, "成功"),
        ("低保", date(2025, 11, 1), 999, "成功"), ("低保", date(2026, 12, 1), 999, "成功"),  # before and after the twelve months
        ("临时救助", november, 2000, "成功"), ("临时救助", november, 2000, "退回"), ("孤儿", november, None, "成功"),
    ):  # fmt: skip
        by_hand.execute("INSERT INTO std_payments VALUES (1, ?, ?, ?, ?, true)", [item, month, amount, status])
    by_hand.execute(
        "INSERT INTO std_payments VALUES (99, '低保', ?, 50, '成功', true)", [november]
    )  # nobody that is known
    by_hand.execute(
        "INSERT INTO std_temporary_aid VALUES (1, '2026-11-05', 2000, true), (1, NULL, 100, true), (1, '2026-12-01', 7, true)"
    )
    write_figures(by_hand, "2026-11", AS_OF)
    found = by_hand.execute(
        "SELECT strftime(month, '%Y-%m'), programme, status, township, payments, amount::INT, blank FROM overview_money ORDER BY ALL"
    ).fetchall()
    assert found == [
        ("2025-12", "低保", "成功", "甲镇", 1, 300, 0),
        ("2026-11", "临时救助", "成功", "甲镇", 1, 2000, 0),
        ("2026-11", "临时救助", "退回", "甲镇", 1, 2000, 0),
        ("2026-11", "低保", "失败", "甲镇", 1, 400, 0),
        ("2026-11", "低保", "成功", "甲镇", 1, 400, 0),
        ("2026-11", "低保", "成功", None, 1, 50, 0),
        ("2026-11", "孤儿", "成功", "甲镇", 1, 0, 1),
    ]
