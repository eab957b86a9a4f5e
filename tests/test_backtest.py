"""The past again: lead months on a hand-made history at their edges, alerts and what came of them, and the whole against real files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import polars as pl
import pytest

from monitoring import charts, ui
from monitoring.access import Scope
from monitoring.backtest import BACK, asking
from monitoring.backtest.asking import NOTHING_MISSING, Backtest
from monitoring.backtest.measuring import ENTRY, Measured, measure
from monitoring.backtest.reading import HELPED_BY, KINDS, Then, looking, read, read_one
from monitoring.forecast.features import HELPED
from monitoring.language import Language
from monitoring.pages import economics_backtest
from monitoring.people.callers import who
from monitoring.periods import until
from monitoring.queries import places
from monitoring.simulating import CannotSimulate
from monitoring.simulating.ground import ground_once
from monitoring.simulating.replaying import condition_then
from monitoring.store import Store
from monitoring.warehouse import Published, Warehouse, publication
from tests.people import add_account
from tests.runs import run_quietly, small_county, write_feeds
from tests.stores import NOON
from tests.two_months import man, wife

COUNTY, TOWN = Scope(), "甲镇"
MONTHS = [f"{2024 + n // 12}-{n % 12 + 1:02d}" for n in range(24)]


def then(
    period: str,
    helped: Mapping[int, str] | None = None,
    seen: Iterable[tuple[int, str]] = (),
    listed: Iterable[int] | None = None,
    homes: int = 3,
) -> Then:
    """Households 0, 1, … with one person each, of the same number; `helped` by a programme; `seen` by rules; `listed` by a model."""
    helped = helped or {}
    free = [n for n in range(homes) if n not in helped]
    home = pl.DataFrame({"home": free, "household_id": [f"H{n}" for n in free], "township": [TOWN] * len(free), "village": ["东村"] * len(free)},
                        schema={name: ENTRY[name] for name in ("home", "household_id", "township", "village")})  # fmt: skip
    key = {"home": pl.Int64}
    return Then(
        period,
        home,
        pl.DataFrame({"person_id": free, "home": free}, schema={"person_id": pl.Int64, **key}),
        pl.DataFrame(list(helped.items()), schema={"person_id": pl.Int64, "programme": pl.String}, orient="row"),
        pl.DataFrame([row for row in seen if row[0] in free], schema={**key, "rule": pl.String}, orient="row"),
        None if listed is None else pl.DataFrame({"home": [n for n in listed if n in free]}, schema=key),
    )


def history(entry: int, seen: Mapping[int, Iterable[tuple[int, str]]], months: int = 24) -> list[Then]:
    """Household 0 comes onto dibao in the month of that place; `seen` by place of the month."""
    return [
        then(period, {0: "dibao"} if n >= entry else {}, seen.get(n, ())) for n, period in enumerate(MONTHS[:months])
    ]


def lead(thens: list[Then], cases: tuple[tuple[str, str], ...] = ()) -> list[tuple[str, int | None]]:
    return measure(thens, cases).entries.select("programme", "rules").rows()


# --- how many months ahead


@pytest.mark.parametrize(
    ("entry", "seen", "ahead"),
    [
        (5, 4, 1), (5, 0, 5),  # the month before; the first month that there is
        (5, 5, None), (5, 6, None),  # in the month of the entry, and after it: not before
        (BACK, 0, BACK), (BACK + 1, 0, None), (BACK + 1, 1, BACK),  # BACK months and no further
    ],
)  # fmt: skip
def test_a_lead_is_counted_from_the_first_sight_to_the_entry(entry: int, seen: int, ahead: int | None) -> None:
    assert lead(history(entry, {seen: [(0, "GAP-DIBAO")]})) == [("dibao", ahead)]


def test_the_first_of_several_sights_counts_and_each_rule_has_its_own() -> None:
    told = measure(history(6, {2: [(0, "RISK-MEDICAL")], 4: [(0, "GAP-DIBAO"), (1, "GAP-DIBAO")]}), ())
    assert told.entries.select("rules", "available").row(0) == (4, 6)
    assert told.leads.select("source", "lead").rows() == [("GAP-DIBAO", 2), ("RISK-MEDICAL", 4)]
    rows = {row["source"]: (row["seen"], row["alone"]) for row in asking.by_rule(_asked(told))}
    assert rows == {"GAP-DIBAO": (1, 0), "RISK-MEDICAL": (1, 0)}


def test_nobody_looks_back_into_a_time_in_which_the_household_was_helped() -> None:
    state = [{}, {}, {0: "dibao"}, {}, {}, {0: "temporary"}]
    thens = [then(MONTHS[n], helped, [(0, "GAP-DIBAO")] if n == 0 else ()) for n, helped in enumerate(state)]
    told = measure(thens, ()).entries
    assert told.select("programme", "entered", "rules", "available").rows() == [
        ("dibao", MONTHS[2], 2, 2), ("temporary", MONTHS[5], None, 2),
    ]  # fmt: skip


def test_who_is_helped_in_the_first_period_did_not_enter_and_nobody_enters_without_one_before() -> None:
    assert lead(history(0, {})) == [] and lead([then(MONTHS[0], {0: "dibao"})]) == [] and lead([]) == []


def test_of_several_programmes_at_once_the_first_is_told() -> None:
    thens = [then(MONTHS[0]), replace(then(MONTHS[1], {0: "dibao"}), helped=pl.DataFrame({"person_id": [0, 0], "programme": ["temporary", "low_income"]}))]  # fmt: skip
    assert lead(thens) == [("low_income", None)]


def test_a_case_confirmed_at_the_door_and_its_admission_are_one_entry() -> None:
    thens = history(5, {2: [(0, "GAP-DIBAO")]})
    assert lead(thens, (("H0", MONTHS[4]),)) == [("confirmed", 2)]
    assert lead(thens, (("H0", MONTHS[5]),)) == [("dibao", 3)]  # of one month the register counts
    assert lead(thens, (("H0", MONTHS[8]),)) == [("dibao", 3)]  # helped by then
    assert lead(thens, (("H0", MONTHS[0]), ("H9", MONTHS[4]), ("H1", "2030-01"))) == [
        ("dibao", 3)
    ]  # before all, nobody, later


def test_months_that_were_not_published_are_months_all_the_same() -> None:
    thens = [one for n, one in enumerate(history(9, {1: [(0, "GAP-DIBAO")]})) if n not in (2, 3, 7, 8)]
    assert lead(thens) == [("dibao", 8)]


def test_the_model_is_asked_only_where_one_of_that_period_is_there() -> None:
    thens = history(5, {})
    thens[2], thens[3] = then(MONTHS[2], listed=[]), then(MONTHS[3], listed=[0, 1])
    told = measure(thens, ())
    assert told.with_model == (MONTHS[2], MONTHS[3])
    assert told.entries.select("rules", "model", "had_model").row(0) == (None, 2, True)
    (row,) = asking.sums(_asked(told))
    assert (row["entries"], row["rules"], row["model"], row["had_model"], row["either"]) == (1, 0, 1, 1, 1)
    bare = measure(history(5, {}), ()).entries
    assert bare.select("model", "had_model").row(0) == (None, False)


# --- alerts, and what came of them


@pytest.mark.parametrize(("entry", "useful"), [(3, 1), (8, 1), (9, 0)])
def test_an_alert_was_of_use_where_the_entry_comes_within_six_months(entry: int, useful: int) -> None:
    told = _asked(measure(history(entry, {2: [(0, "GAP-DIBAO")]}), ()))
    assert asking.alerts(told, "rules") == {"alerts": 1, "closed": 1, "useful": useful}


@pytest.mark.parametrize(("months", "closed"), [(9, 1), (8, 0)])
def test_of_an_alert_younger_than_six_months_nobody_can_tell(months: int, closed: int) -> None:
    told = _asked(measure(history(3, {2: [(0, "GAP-DIBAO")]}, months), ()))
    assert asking.alerts(told, "rules") == {"alerts": 1, "closed": closed, "useful": closed}


def test_an_alert_goes_on_while_it_stands_and_is_new_after_a_break() -> None:
    seen = [(1, "GAP-DIBAO")]
    told = _asked(measure(history(5, {0: seen, 1: [*seen, (1, "RISK-MEDICAL")], 3: seen, 4: [(2, "GAP-DIBAO")]}), ()))
    assert asking.alerts(told, "rules")["alerts"] == 3  # household 1 twice, household 2 once
    assert {row["source"]: row["alerts"] for row in asking.by_rule(told)} == {"GAP-DIBAO": 3, "RISK-MEDICAL": 1}
    assert asking.alerts(told, "model") == {"alerts": 0, "closed": 0, "useful": 0}


# --- lists and sums


def _asked(measured: Measured, blind: Iterable[tuple[int, str, str]] = ()) -> Backtest:
    schema = {"entry": pl.Int64, "subject": pl.String, "missing": pl.String}
    return Backtest(measured, pl.DataFrame(list(blind), schema=schema, orient="row"))


def test_every_figure_leads_to_exactly_the_households_that_it_counts() -> None:
    helped = {0: "dibao", 1: "at_risk", 2: "dibao"}
    thens = [then(MONTHS[0], {}, [(0, "GAP-DIBAO")], homes=4), then(MONTHS[1], helped, homes=4), then(MONTHS[2], {**helped, 3: "tekun"}, homes=4)]  # fmt: skip
    told = _asked(measure(thens, ()), [(1, "household", "income_pc"), (1, "person", "insured")])
    assert {row["programme"]: (row["entries"], row["rules"]) for row in asking.sums(told, "programme")} == {"dibao": (2, 1), "at_risk": (1, 0), "tekun": (1, 0)}  # fmt: skip
    for row in asking.sums(told, "programme"):
        assert len(asking.listed(told, "all", row["programme"])) == row["entries"]
    assert asking.unseen(told, "") == 3 == len(asking.listed(told, "never")) and asking.unseen(told, "rules") == 3
    assert asking.months_ahead(told, "rules") == [(1, 1), (2, 0)] and len(asking.listed(told, "rules", months=1)) == 1
    lacks = {f"{row['subject']}.{row['missing']}".removeprefix("."): row["households"] for row in asking.lacking(told)}
    assert lacks == {"household.income_pc": 1, "person.insured": 1, NOTHING_MISSING: 2}
    for missing, households in lacks.items():
        assert len(asking.listed(told, "never", missing=missing)) == households
    assert (
        len(asking.listed(told, "rules", rule="GAP-DIBAO")) == 1 and asking.listed(told, "rules", rule="X").is_empty()
    )
    (town,) = asking.by_township(told)
    assert (town["township"], town["entries"], town["either"], town["alerts"]) == (TOWN, 4, 1, 1)


def test_nobody_entered_is_said_and_no_figure_breaks() -> None:
    told = _asked(measure([then(MONTHS[0]), then(MONTHS[1])], ()))
    assert told.entries.is_empty() and asking.by_township(told) == [] == asking.lacking(told) == asking.sums(told)
    assert asking.months_ahead(told, "rules") == []


def test_charts_keep_the_empty_months_and_what_was_never_seen() -> None:
    figure = charts.plot_leads([(1, 4), (2, 0), (3, 2)], 5, 5, Language("zh"))
    assert list(figure.data[0].y) == [2, 0, 4, 5] and list(figure.data[0].x) == ["3 个月", "2 个月", "1 个月", "没看到"]
    months = [
        {"period": "2026-10", "hit_before": 3, "hit_after": 5},
        {"period": "2026-11", "hit_before": 2, "hit_after": 7},
    ]
    lines = charts.plot_replay(months, Language("zh"), "改后的")
    assert [list(line.y) for line in lines.data] == [[3, 2], [5, 7]]
    assert {note.text for note in lines.layout.annotations} == {"现在的 2", "改后的 7"}


# --- real files


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Published, ...]:
    """Two months. Nobody helps H101, H103, H104 and H203 in the first; in the second H101 and H103 are on dibao and H203 got
    temporary aid. Of H101 no income is known; the others' is below the standard."""
    folder, out = tmp_path_factory.mktemp("entering"), ("H101", "H103", "H104", "H203")
    now = small_county() | {"temporary_aid": []}
    before = dict(now)
    gone = {who(house)["姓名"]: house for house in out for who in (man, wife)}
    before["dibao"] = [row for row in now["dibao"] if row["姓名"] not in gone]
    now["dibao"] = [row for row in now["dibao"] if gone.get(row["姓名"]) in (None, "H101", "H103")]
    now["temporary_aid"] = [{**man("H203"), "救助类型": "支出型", "受理日期": "2026-11-04", "审批日期": "2026-11-09", "发放日期": "2026-11-12", "救助金额": "900"}]  # fmt: skip
    for period, feeds in (("2026-10", before), ("2026-11", now)):
        run_quietly(folder / "home", period, write_feeds(feeds, folder / period), "national-2020")
    published = publication(folder / "home")
    return until(published, published.latest)


def test_who_is_helped_is_the_label_s_own_definition(runs: tuple[Published, ...]) -> None:
    with Warehouse(runs[-1].path).workspace() as con:
        assert (
            con.sql(f"SELECT DISTINCT person_id FROM ({HELPED}) EXCEPT SELECT person_id FROM ({HELPED_BY})").fetchall()
            == []
        )
        assert con.sql(f"SELECT person_id FROM ({HELPED_BY}) EXCEPT SELECT person_id FROM ({HELPED})").fetchall() == []


def test_a_period_s_rules_see_what_its_run_stored_and_others_what_they_would_have_given(runs: tuple[Published, ...]) -> None:  # fmt: skip
    first = Warehouse(runs[0].path)
    of = ground_once(first)
    rules = looking(of)
    assert {rule.kind for rule in rules.values()} == set(KINDS)
    told = read_one(runs[0], first, rules, COUNTY)
    stored = first.frame(
        f"select distinct household_id, rule from signal where kind in {KINDS} and household_key is not null"
    )
    stored = stored.join(told.homes, on="household_id").select("home", "rule").sort("home", "rule")
    assert told.seen.equals(stored) and len(stored) > 1
    # The same condition written otherwise is judged anew, and gives the same.
    code = stored["rule"].mode().sort()[0]
    text = f"({rules[code].expression.text}) AND 1 = 1"
    other = {code: replace(rules[code], expression=condition_then(of, rules[code].subject, text)[0])}
    assert read_one(runs[0], first, other, COUNTY).seen.equals(stored.filter(pl.col("rule") == code))


def test_a_file_that_knows_more_than_its_period_is_refused(runs: tuple[Published, ...]) -> None:
    with pytest.raises(CannotSimulate, match="不能当作"):
        read([Published(runs[0].period, runs[1].run, runs[1].path), runs[1]], COUNTY)


def test_the_entries_of_a_county_are_those_that_its_files_show(runs: tuple[Published, ...]) -> None:
    told = asking.backtest(runs, COUNTY, ())
    newest = Warehouse(runs[-1].path)
    named = asking.with_names(newest, COUNTY, told.entries.to_dicts())
    assert {(row["household_id"], row["programme"], row["rules"]) for row in named} == {
        ("H101", "dibao", None), ("H103", "dibao", 1), ("H203", "temporary", 1),
    }  # fmt: skip
    assert all(row["name"].endswith("**") for row in named)
    (row,) = asking.sums(told)
    assert (row["entries"], row["rules"], row["either"], row["had_model"], row["median_rules"]) == (3, 2, 2, 0, 1)
    assert "income_pc" in {row["missing"] for row in asking.lacking(told)} and NOTHING_MISSING not in {row["missing"] for row in asking.lacking(told)}  # fmt: skip
    with Warehouse(runs[0].path).workspace() as con:  # whom the rules pointed to then: counted in the file itself
        pointed = con.sql(f"""SELECT count(DISTINCT household_key) FROM signal WHERE kind IN {KINDS} AND household_id IN
            ('H101', 'H103', 'H104', 'H203')""").fetchall()[0][0]
    first = told.measured.alerts.filter(pl.col("source") == "rules")["alerts"].sum()
    assert pointed == 3 and first >= pointed
    there = asking.backtest(runs, Scope(townships=("乙镇",)), ())
    assert there.entries["township"].to_list() == ["乙镇"]
    assert asking.backtest(runs, Scope(allowed=(("甲镇", None),)), (("H203", "2026-11"),)).entries["township"].unique().to_list() == ["甲镇"]  # fmt: skip


def test_the_page_draws_it_and_its_numbers_lead_to_lists(
    runs: tuple[Published, ...], sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, newest = list[str](), Warehouse(runs[-1].path)
    monkeypatch.setattr(ui, "html", drawn.append)
    monkeypatch.setattr(ui, "chart", lambda figure, key, told, clicked=None: drawn.append(told))
    caller = add_account(sqlite_store, "analyst")
    with sqlite_store.read() as con:
        person = who(con, caller, NOON)
    view = ui.View(
        t=Language("zh"), store=sqlite_store, caller=caller, person=person, now=lambda: NOON, since=NOON, warehouse=newest, scope=COUNTY,
        county=places.county(newest), home=runs[0].path.parents[1], published=publication(runs[0].path.parents[1]),
    )  # fmt: skip
    economics_backtest.section(view)
    shown = " ".join(drawn)
    assert 'part=backtest&amp;seen=all&amp;programme=dibao"' in shown and "2／3，太少；区间 20.8%–93.9%" in shown
    assert "seen=never&amp;missing=household.income_pc" in shown and "过去各期没有当时的模型" in shown
    assert shown.count("赵**") == 1 and "None" not in shown  # of those never seen: H101
