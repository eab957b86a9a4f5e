"""The county's own model: what was known then, labels at their edges, kept with digests, used in a run without silencing a rule."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from playwright.sync_api import Browser

from monitoring.access import Scope
from monitoring.checks import audit
from monitoring.forecast import RULE
from monitoring.forecast.card import CANDIDATE_ZH, card
from monitoring.forecast.features import BY_NAME, FEATURES, GROUPS, features_sql
from monitoring.forecast.history import (
    COVERED,
    FROM_THE_FIRST,
    Leak,
    Panel,
    Period,
    comparable,
    known_then,
    leaking,
    panel,
    read_period,
    thinned,
    used,
)
from monitoring.forecast.keeping import MANIFEST, PIPELINE, Altered, Kept, keep, load, of_period
from monitoring.forecast.limits import SHIPPED as LIMITS_FILE
from monitoring.forecast.limits import load_limits
from monitoring.forecast.scoring import scored
from monitoring.forecast.training import CANDIDATES as COUNTY_CANDIDATES
from monitoring.forecast.training import train
from monitoring.forecast.words import plainly, relief, term
from monitoring.model import score
from monitoring.model.candidates import CANDIDATES
from monitoring.model.report import FEW
from monitoring.queries import model as queries
from monitoring.strict_toml import PolicyError
from monitoring.warehouse import Warehouse, publication
from pipelines.cli import main
from tests.browsing import KEYS, Visit, check
from tests.runs import connect, run_quietly
from tests.serving import own_home, serving

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
NO_CASES = pl.DataFrame(schema={"household_id": pl.String, "period": pl.String})
SEEN = {"confirmed": 3, "not_so": 2}
MONTHS = [f"2026-{month:02d}" for month in range(1, 10)]


def period(name: str, helped: tuple[int, ...] = (), homes: int = 3) -> Period:
    """Households H0, H1, … with the persons 0, 1, … (one each); who is helped has no row."""
    people = [n for n in range(homes) if n not in helped]
    rows = pl.DataFrame({"household_id": [f"H{n}" for n in people], "period": [name] * len(people)})
    rows = rows.with_columns(
        **{f.name: pl.lit(None, pl.Float64) for f in FEATURES}, **{g: pl.lit("甲") for g in GROUPS}
    )
    members = pl.DataFrame({"person_id": people, "household_id": [f"H{n}" for n in people]}, schema_overrides={"person_id": pl.Int64})  # fmt: skip
    return Period(name, name, rows, members, pl.DataFrame({"person_id": list(helped)}, schema={"person_id": pl.Int64}))


def labels(periods: list[Period], cases: pl.DataFrame = NO_CASES) -> dict[tuple[str, str], int]:
    told = panel(periods, cases).rows
    return {} if told.is_empty() else {(h, p): y for h, p, y in told.select("household_id", "period", "label").rows()}


# --- labels


@pytest.mark.parametrize(
    ("month", "january", "april"), [("2026-02", 1, 0), ("2026-07", 1, 1), ("2026-08", 0, 1), ("2026-10", 0, 1)]
)
def test_a_label_looks_six_periods_ahead_and_no_further(month: str, january: int, april: int) -> None:
    told = labels([period(name, (0,) if name == month else ()) for name in (*MONTHS, "2026-10")])
    assert {p for _, p in told} == {"2026-01", "2026-04"}
    assert (told["H0", "2026-01"], told["H0", "2026-04"]) == (january, april)
    assert told["H1", "2026-01"] == told["H1", "2026-04"] == 0


def test_a_period_whose_window_is_still_open_has_no_label() -> None:
    assert labels([period(name) for name in MONTHS[:6]]) == {}
    assert {p for _, p in labels([period(name) for name in MONTHS[:7]])} == {"2026-01"}
    missing = [period(name) for name in MONTHS[:8] if name != "2026-04"]
    assert labels(missing) == {}  # a month was never published: nobody knows


def test_who_is_helped_already_is_no_case_and_a_case_confirmed_at_the_door_is_one() -> None:
    months = [period(name, (0,)) for name in MONTHS[:7]]
    cases = pl.DataFrame({"household_id": ["H1", "H2"], "period": ["2026-07", "2026-08"]})
    assert labels(months, cases) == {("H1", "2026-01"): 1, ("H2", "2026-01"): 0}


def _rows_confirmed(rows: pl.DataFrame) -> set[str]:
    """The periods in which H0, whose case was confirmed at the door in 2026-11, is a case."""
    return set(rows.filter(pl.col("household_id") == "H0", pl.col("label") == 1)["period"].to_list())


def test_what_was_found_at_the_door_counts_in_all_rows_or_in_none() -> None:
    """Visits from one month on: counted in the last windows alone, the label would mean less in training than in the test."""
    names = [f"{year}-{month:02d}" for year in (2025, 2026) for month in range(1, 13)]
    months, cases = [period(name) for name in names], pl.DataFrame({"household_id": ["H0"], "period": ["2026-11"]})
    late = panel(months, cases, "2026-06")  # as in the sample county: people have worked with alerts for half a year
    assert (late.door, late.since, len(late.closed)) == (False, "2026-06", 18) and _rows_confirmed(late.rows) == set()
    whole = panel(months, cases, "2025-02")  # the first window begins with the first visits
    assert whole.door and len(whole.closed) == 18 and _rows_confirmed(whole.rows) == {"2026-06"}
    assert panel(months, cases, FROM_THE_FIRST).door
    none = panel(months, NO_CASES, None)
    assert not none.door and none.since is None and len(none.closed) == 18


@pytest.mark.parametrize(("since", "counts", "first"), [("2025-10", True, "2025-09"), ("2025-11", False, "2025-01")])
def test_the_door_counts_once_enough_windows_have_visits_and_older_periods_are_left(
    since: str, counts: bool, first: str
) -> None:
    """Closed are 2025-01 to 2026-06; of every third one, four must have visits in their whole window: 2025-09, 12, 2026-03, 06."""
    names = [f"{year}-{month:02d}" for year in (2025, 2026) for month in range(1, 13)]
    closed, door = comparable(names[:18], since)
    assert (door, closed[0], closed[-1]) == (counts, first, "2026-06")
    assert not counts or len(thinned(closed)) == COVERED


def test_the_newest_closed_period_is_always_trained_on() -> None:
    assert thinned(MONTHS) == ["2026-03", "2026-06", "2026-09"] and thinned(MONTHS[:1]) == MONTHS[:1]


# --- features


@pytest.fixture
def altered(published_home: Path, tmp_path: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, int]]:
    """A copy of the sample's last period that can be written to, and a household of several that nobody helps or flags
    and that has no settlement: its key."""
    shutil.copy(publication(published_home).run_of(None).path, tmp_path / "altered.duckdb")
    with duckdb.connect(str(tmp_path / "altered.duckdb")) as con:
        found = con.execute(f"""
            SELECT household_key FROM ({features_sql()}) f WHERE rules_hit = 0 AND major = 0 AND size_group <> '1人' AND household_key NOT IN
                (SELECT household_key FROM person_snapshot JOIN std_medical USING (person_id)) ORDER BY 1 LIMIT 1""").fetchall()
        yield con, found[0][0]


def read_of(con: duckdb.DuckDBPyConnection, home: int, *names: str) -> tuple[Any, ...]:
    return con.execute(f"SELECT {', '.join(names)} FROM ({features_sql()}) f WHERE household_key = {home}").fetchall()[
        0
    ]


def test_signals_that_look_for_need_are_features_and_no_others(altered: tuple[duckdb.DuckDBPyConnection, int]) -> None:
    con, home = altered
    assert read_of(con, home, "rules_hit", "urgent_hit") == (0, 0)
    for rule, kind, level in (
        ("GAP-DIBAO", "gap", "red"), ("RISK-JOB", "risk", "orange"), ("RISK-WATER", "risk", "yellow"), ("RISK-OTHER", "risk", "blue"),
        ("DQ-NAME", "data", "red"), ("PROC-VISIT", "process", "orange"), (RULE, "risk", "yellow"),
    ):  # fmt: skip
        con.execute(
            "INSERT INTO signal (rule, kind, level, household_key) VALUES (?, ?, ?, ?)", [rule, kind, level, home]
        )
    assert read_of(con, home, "rules_hit", "urgent_hit") == (4, 2)


@pytest.mark.parametrize(
    ("settled", "major", "since"),
    [("2025-11-30", True, None), ("2025-12-01", True, 11), ("2026-11-30", True, 0), ("2026-12-01", True, None), ("2026-11-30", False, None), ("2026-11-30", None, None)],
)  # fmt: skip
def test_the_last_settlement_for_a_major_disease_is_looked_for_in_twelve_months_and_not_after_the_period(
    settled: str, major: bool | None, since: int | None, altered: tuple[duckdb.DuckDBPyConnection, int]
) -> None:
    con, home = altered
    con.execute(
        """INSERT INTO std_medical (counts, person_id, settled_date, major_disease)
           SELECT true, min(person_id), ?, ? FROM person_snapshot WHERE household_key = ? AND alive""",
        [settled, major, home],
    )
    assert read_of(con, home, "months_since_major") == (since,)


def test_who_was_treated_for_a_major_disease_is_counted_and_without_any_settlements_nobody_knows(
    altered: tuple[duckdb.DuckDBPyConnection, int],
) -> None:
    con, home = altered
    one = f"(SELECT min(person_id) FROM person_snapshot WHERE household_key = {home} AND alive)"
    con.execute(f"UPDATE person_snapshot SET major_disease = true WHERE person_id = {one}")
    assert read_of(con, home, "major") == (1,)
    con.execute(f"UPDATE person_snapshot SET alive = false WHERE person_id = {one}")
    assert read_of(con, home, "major") == (0,)  # the dead are not counted
    con.execute(f"UPDATE person_snapshot SET alive = true, major_disease = NULL WHERE household_key = {home}")
    assert read_of(con, home, "major") == (None,)


# --- leaks


def _dated(stated: str = "2026-11", delivered: int = 202611, as_of: str = "2026-11-30") -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(":memory:")
    con.execute(f"CREATE TABLE run AS SELECT '{stated}' AS period, DATE '{as_of}' AS as_of")
    con.execute(f"CREATE TABLE std_dibao AS SELECT {delivered} AS delivered, 1 AS person_id")
    return con


def test_a_warehouse_that_knows_more_than_its_period_is_refused() -> None:
    known_then(_dated(), "2026-11")
    with pytest.raises(Leak, match="202612 才交来"):
        known_then(_dated(delivered=202612), "2026-11")
    with pytest.raises(Leak, match="不能当作 2026-11"):
        known_then(_dated(stated="2026-12"), "2026-11")
    with pytest.raises(Leak, match="截至 2026-12-31"):
        known_then(_dated(as_of="2026-12-31"), "2026-11")


def test_a_planted_leak_is_found_by_value_by_category_and_by_being_missing(county_panel: Panel) -> None:
    rows = county_panel.rows
    names = [feature.name for feature in FEATURES]
    assert leaking(rows, names) == []
    planted = rows.with_columns(
        income_ratio=pl.col("label") * 2.0 + 0.1, dwelling_grade=pl.when(pl.col("label") == 1).then(pl.lit("D")).otherwise(pl.lit("A")),
        medical_3m=pl.when(pl.col("label") == 1).then(None).otherwise(5.0),
    )  # fmt: skip
    assert leaking(planted, names) == ["income_ratio", "medical_3m", "dwelling_grade"]


def test_a_panel_with_a_planted_leak_is_not_trained_on() -> None:
    later = [period(name, tuple(range(40)) if name == "2026-03" else (), 200) for name in MONTHS[1:7]]
    first = period("2026-01", (), 200)
    knows = first.rows.with_columns(income_ratio=pl.Series([0.1] * 40 + [3.0] * 160))
    with pytest.raises(Leak, match="income_ratio"):
        panel([Period("2026-01", "x", knows, first.members, first.helped), *later], NO_CASES)


def test_periods_that_only_say_who_came_to_need_help_bring_no_features() -> None:
    helped = {"2026-02": (0,), "2026-09": (1,)}
    whole = [period(name, helped.get(name, ())) for name in MONTHS]
    wanted = used(MONTHS)
    bare = [one if one.name in wanted else replace(one, rows=one.rows.select("household_id")) for one in whole]
    told, asked = panel(bare, NO_CASES), panel(whole, NO_CASES)
    assert wanted == ["2026-03"] and told.closed == ("2026-01", "2026-02", "2026-03")
    assert told.rows.equals(asked.rows) and told.entries == asked.entries == 2


def test_a_period_read_without_features_has_the_same_households(published_home: Path) -> None:
    run = publication(published_home).run_of(None)
    whole, bare = read_period(run), read_period(run, whole=False)
    assert bare.rows.equals(whole.rows.select("household_id")) and whole.rows.width > len(FEATURES)
    assert bare.members.equals(whole.members) and bare.helped.equals(whole.helped)


# --- training and keeping


@pytest.fixture(scope="session")
def county_panel(published_home: Path) -> Panel:
    """Households as the sample has them, over five periods, with made-up labels: cost, illness and age matter."""
    rows = read_period(publication(published_home).run_of(None)).rows
    chance = np.random.default_rng(5)
    told = []
    for month in ("2025-01", "2025-04", "2025-07", "2025-10", "2026-01"):
        noise = pl.Series(chance.normal(size=len(rows)))
        odds = (
            -3.4
            + 0.9 * (rows["medical_12m"].fill_null(0) / 5000).clip(0, 4)
            + 1.2 * (rows["head_age"].fill_null(50) > 60).cast(pl.Float64)
            + 0.3 * noise
        )
        label = (pl.Series(chance.random(len(rows))) < 1 / (1 + (-odds).exp())).cast(pl.Int8)
        told.append(rows.with_columns(period=pl.lit(month), label=label))
    all_rows = pl.concat(told)
    entries = all_rows.filter(pl.col("label") == 1)["household_id"].n_unique()
    assert entries > FEW
    return Panel(all_rows, ("2025-01", "2025-04", "2025-07", "2025-10", "2026-01"), {"2026-10": "x"}, entries)


@pytest.fixture(scope="session")
def trained(county_panel: Panel, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Kept]:
    """Trained on a day on which the second of the county's own limits counts."""
    home = tmp_path_factory.mktemp("trained")
    (home / "policy").mkdir()
    (home / "policy" / "model.toml").write_text(
        "".join(
            f"[[version]]\n{span}\ndrift = {drift}\ndrift_clause = '甲'\ngroup_chance = 0.01\ngroup_fewest = {fewest}\ngroup_clause = '乙'\n"
            for span, drift, fewest in (("until = 2026-10-31", 0.2, 5), ("from = 2026-11-01", 0.4, 9))
        ),
        encoding="utf-8",
    )
    return home, train(home, county_panel, SEEN, date(2026, 11, 1), candidates=("logistic",))


def test_training_again_gives_the_same_model_and_the_same_scores_to_the_last_digit(
    trained: tuple[Path, Kept], county_panel: Panel, tmp_path: Path
) -> None:
    shutil.copytree(trained[0] / "policy", tmp_path / "policy")
    again = train(tmp_path, county_panel, SEEN, date(2026, 11, 1), candidates=("logistic",))
    assert again.id == trained[1].id
    one, other = (score(load(kept), county_panel.rows) for kept in (trained[1], again))
    assert one.equals(other)
    assert train(trained[0], county_panel, SEEN, date(2026, 11, 1), candidates=("logistic",)).id == trained[1].id


def test_the_limits_in_force_on_the_day_of_training_stand_in_the_manifest_and_on_the_card(
    trained: tuple[Path, Kept],
) -> None:
    home, told = trained[0], trained[1].manifest
    assert load_limits(home, date(2026, 10, 31)).drift == 0.2 and load_limits(None, date(2026, 11, 1)).drift == 0.25
    assert (told["limits"]["drift"], told["limits"]["group_fewest"]) == (0.4, 9) and "超过 0.4 为明显变化" in card(told)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [("drift = 0", "drift = 0 和 10 之间"), ("group_chance = 1", "group_chance = 0 和 1 之间"), ("group_fewest = 0.5", "正整数"), ("from = 2030-01-01", "没有在 2026-11-01 有效")],
)  # fmt: skip
def test_limits_that_are_none_are_refused_in_words(wrong: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    key = wrong.split(" = ")[0]
    right = [line for line in LIMITS_FILE.read_text("utf-8").splitlines() if not line.startswith(f"{key} =")]
    right.insert(right.index("[[version]]") + 1, wrong)
    (tmp_path / "policy" / "model.toml").write_text("\n".join(right), encoding="utf-8")
    with pytest.raises(PolicyError, match=words):
        load_limits(tmp_path, date(2026, 11, 1))


def test_the_county_is_judged_without_a_panel_file_only_where_labels_have_closed(
    published_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, county_panel: Panel
) -> None:  # fmt: skip
    asked = ["model", "evaluate", "--home", str(published_home), "-o", str(tmp_path / "r.json")]
    assert main(asked) == 2 and "标签已满" in capsys.readouterr().err
    assert (
        main([*asked, "--id", "x", "--income", "y"]) == 2 and "--id、--income 只用于 --panel" in capsys.readouterr().err
    )
    rows = (
        county_panel.rows
    )  # a third of the households: which candidates and baselines are told does not hang on how many
    some = replace(county_panel, rows=rows.filter(pl.col("household_id").str.tail(1).is_in(["0", "3", "6", "9"])))
    monkeypatch.setattr("pipelines.modelling.county_panel", lambda *_: some)
    assert main([*asked, "--scores", str(tmp_path / "s.parquet")]) == 0
    told = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert {"income", "rules"} <= set(told["baselines"]) and set(told["candidates"]) == set(COUNTY_CANDIDATES)
    assert pl.read_parquet(tmp_path / "s.parquet").columns == ["id", "period", "label", "score"]


def test_fewer_than_fifty_entries_are_not_used_and_it_says_so(county_panel: Panel, tmp_path: Path) -> None:
    few = Panel(county_panel.rows, county_panel.closed, county_panel.files, FEW - 1)
    kept = train(tmp_path, few, {}, date(2026, 11, 1))
    assert not kept.usable and "按规则和收入排序" in kept.manifest["why"] and not (kept.folder / PIPELINE).exists()
    assert "按规则和收入排序" in card(kept.manifest)


def test_a_model_is_loaded_only_as_it_was_kept(trained: tuple[Path, Kept], tmp_path: Path) -> None:
    shutil.copytree(trained[0], tmp_path / "home")
    kept = of_period(tmp_path / "home", "2026-11")
    assert kept is not None
    load(kept)
    blob = (kept.folder / PIPELINE).read_bytes()
    (kept.folder / PIPELINE).write_bytes(blob[:-1] + bytes([blob[-1] ^ 1]))
    with pytest.raises(Altered, match="被改动过"):
        load(kept)
    (kept.folder / PIPELINE).unlink()
    with pytest.raises(Altered, match="读不出"):
        load(kept)
    told = json.loads((kept.folder / MANIFEST).read_text("utf-8"))
    (kept.folder / MANIFEST).write_text(json.dumps(told | {"entries": 10_000}), encoding="utf-8")
    with pytest.raises(Altered, match="被改动过"):
        of_period(tmp_path / "home", "2026-11")


@pytest.mark.parametrize(("run", "found"), [("2026-09", None), ("2026-10", "2026-10"), ("2027-03", "2026-12")])
def test_a_run_uses_the_newest_model_whose_labels_had_closed_by_then(
    run: str, found: str | None, tmp_path: Path
) -> None:
    for until in ("2026-10", "2026-12"):
        keep(tmp_path, None, {"until": until, "number": 1, "usable": False, "why": "", "report": None})
    kept = of_period(tmp_path, run)
    assert (kept.period if kept else None) == found


def test_parts_add_up_to_the_score(trained: tuple[Path, Kept], county_panel: Panel) -> None:
    kept = trained[1]
    rows = county_panel.rows.filter(pl.col("period") == "2026-01").with_columns(township=pl.lit("甲镇"))
    found = scored(load(kept), rows, kept.manifest["reference"])
    for one, parts in found.scores.select("score", "contributions").head(60).rows():
        told = json.loads(parts)
        assert told["base"] + sum(size for _, _, size in told["terms"]) + told["rest"] == pytest.approx(told["total"], abs=1e-3)  # fmt: skip
        assert 1 / (1 + np.exp(-told["total"])) == pytest.approx(one, abs=1e-3)
    assert sorted(found.scores["rank_in_township"].to_list()) == list(range(1, len(rows) + 1))
    assert found.drift["score"] < 0.25


def test_parts_are_said_in_words_with_what_would_lower_them() -> None:
    parts: dict[str, Any] = {"terms": [["medical_12m", 18400, 0.93], ["income_ratio", None, 0.4], ["registered", 1, -0.2]]}  # fmt: skip
    assert plainly(parts, "zh") == "近12个月自付医疗费 18,400 元（+0.9）；月人均收入相当于低保标准的倍数不明（+0.4）"
    assert plainly(parts, "en").startswith("Self-paid medical cost in 12 months 18,400 yuan (+0.9)")
    assert term("earner_died", 1) == "近12个月劳动力死亡：是" and term("workers_share", 0.5) == "有劳动能力的占家庭人口 50%"  # fmt: skip
    assert relief(parts["terms"]) == [("medical_12m", BY_NAME["medical_12m"].relief), ("income_ratio", BY_NAME["months_since_check"].relief)]  # fmt: skip
    assert relief([["medical_12m", 0, 0.4], ["employed", 0, 0.2], ["severe", 0, 0.3]]) == [("employed", BY_NAME["employed"].relief)]  # fmt: skip


def test_a_home_without_a_model_does_not_load_scikit_learn() -> None:
    code = "import sys, pipelines.cli, monitoring.pages.model; print(any(name.startswith(('sklearn', 'skops')) for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_candidates_are_called_the_same_everywhere() -> None:
    assert {name: one.zh for name, one in CANDIDATES.items()} == CANDIDATE_ZH


def test_the_card_tells_what_a_reader_must_know(trained: tuple[Path, Kept]) -> None:
    text = card(trained[1].manifest)
    wanted = ("用途", "标签", "只按收入排序", "95% 区间", "各类人群", "分布变化", "局限", "首次", "再次", trained[1].manifest["data_sha256"])  # fmt: skip
    assert [words for words in wanted if words not in text] == [] and "None" not in text and "nan" not in text
    assert "得到临时救助，或入户走访确认困难，记 1" in text and "暂不计入" not in text


@pytest.mark.parametrize(("since", "words"), [("2026-06", "走访从 2026-06 起才有记录"), (None, "还没有走访记录")])
def test_the_card_says_where_the_door_is_not_in_the_label_and_why(
    trained: tuple[Path, Kept], since: str | None, words: str
) -> None:
    manifest = trained[1].manifest
    text = card(manifest | {"door": {"counts": False, "since": since, "needs": COVERED}})
    assert words in text and "得到临时救助，记 1" in text and "或入户走访确认困难" not in text
    assert card({name: told for name, told in manifest.items() if name != "door"}) == card(
        manifest
    )  # kept by an older version


# --- in a run


@pytest.fixture(scope="session")
def scored_home(
    trained: tuple[Path, Kept], published_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The sample's last period run once more with the model; and the home without."""
    home = tmp_path_factory.mktemp("scored") / "home"
    without = home.with_name("without")  # a copy: others have the published files open, as pages do
    shutil.copytree(published_home, home)
    shutil.copytree(published_home, without)
    shutil.copytree(trained[0] / "model", home / "model")
    run_quietly(home, "2026-11", SAMPLE / "2026-11", "demo")
    return home, without


def test_the_model_adds_yellow_pointers_for_the_unflagged_and_silences_no_rule(scored_home: tuple[Path, Path]) -> None:
    with connect(scored_home[0], "2026-11") as con, connect(scored_home[1], "2026-11") as plain:
        rules = "SELECT * FROM signal WHERE rule <> 'MODEL-RISK' ORDER BY ALL"
        assert con.execute(rules).fetchall() == plain.execute(rules).fetchall()
        pointed = con.execute(
            f"SELECT count(*), count(DISTINCT household_key), bool_and(level = 'yellow') FROM signal WHERE rule = '{RULE}'"
        ).fetchall()[0]
        assert pointed[0] == pointed[1] > 0 and pointed[2]
        both = con.execute(
            f"SELECT count(*) FROM signal a JOIN signal b USING (household_key) WHERE a.rule = '{RULE}' AND b.rule <> '{RULE}'"
        ).fetchall()
        assert both == [(0,)]
        share = float(con.execute("SELECT value FROM parameter WHERE name = 'model.list_share'").fetchall()[0][0])
        beyond = con.execute(
            f"""SELECT count(*) FROM risk_score SEMI JOIN (SELECT household_key FROM signal WHERE rule = '{RULE}') USING (household_key)
                WHERE rank_in_township > greatest(1, round(of_township * {share}))"""
        ).fetchall()
        assert beyond == [(0,)]
        assert [check.words for check in audit(con) if not check.ok] == []
        helped = con.execute("SELECT count(*) FROM risk_score JOIN household_snapshot USING (household_key) WHERE any_dibao")  # fmt: skip
        assert helped.fetchall() == [(0,)]


def test_a_spoilt_score_or_pointer_fails_the_balances(scored_home: tuple[Path, Path], tmp_path: Path) -> None:
    source = publication(scored_home[0]).run_of("2026-11").path
    for number, spoil in enumerate(
        (
            "DELETE FROM risk_score WHERE household_key = (SELECT min(household_key) FROM risk_score)",
            f"UPDATE signal SET level = 'red' WHERE rule = '{RULE}'",
            f"DELETE FROM signal WHERE rule = '{RULE}'",
        )
    ):
        shutil.copy(source, tmp_path / f"{number}.duckdb")
        with duckdb.connect(str(tmp_path / f"{number}.duckdb")) as con:
            con.execute(spoil)
            assert any(not check.ok for check in audit(con)), spoil


def test_what_the_pages_ask_is_scoped_masked_and_adds_up(scored_home: tuple[Path, Path]) -> None:
    warehouse = Warehouse(publication(scored_home[0]).run_of("2026-11").path)
    try:
        shown, everybody = queries.model(warehouse), Scope()
        assert shown is not None and shown.usable and len(shown.bins) == 10 and shown.drift[-1]["period"] == "2026-11"
        counts = queries.listed(warehouse, everybody)
        assert counts["scored"] > counts["watch"] > counts["high"] > 0 and counts["pointed"] > 0
        first = queries.highest(warehouse, everybody)
        assert [row["score"] for row in first] == sorted((row["score"] for row in first), reverse=True)
        assert all("*" in row["name"] for row in first if row["name"])
        town = first[0]["township"]
        assert {row["township"] for row in queries.highest(warehouse, Scope(allowed=((town, None),)))} == {town}
        other = Scope(allowed=(("别处", None),))
        assert queries.risk(warehouse, other, first[0]["household_key"]) is None
        found = queries.risk(warehouse, everybody, first[0]["household_key"])
        assert found is not None and found.base + sum(size for *_, size in found.terms) + found.rest == pytest.approx(found.total, abs=1e-3)  # fmt: skip
    finally:
        warehouse.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_of_a_model_shows_figures_groups_drift_and_card(
    scored_page: str, browser: Browser, width: int
) -> None:
    with Visit(browser, scored_page, "/model", width) as visit:
        check(visit)
        text = visit.text()
        assert [
            words
            for words in (
                "前一成里真陷入困难",
                "估计的可能和实际差多少",
                "排在最前的户",
                "各类人群",
                "分布变了吗",
                "模型卡",
            )
            if words not in text
        ] == []
        assert "None" not in text and "NaN" not in text and "没有模型" not in text
        charts = visit.page.locator('[data-testid="stVegaLiteChart"], .js-plotly-plot')
        charts.nth(1).wait_for(state="attached", timeout=60_000)  # they come in files of their own


@pytest.fixture(scope="session")
def scored_page(scored_home: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard over the home that has a model."""
    with serving(own_home(scored_home[0], tmp_path_factory.mktemp("scored-page"))) as running:
        KEYS[running.address] = running.log_in("county_staff")
        yield running.address


def test_without_a_model_there_is_no_table_and_it_is_told(warehouse: Warehouse) -> None:
    assert queries.model(warehouse) is None and queries.listed(warehouse, Scope()) == {}
    assert queries.highest(warehouse, Scope()) == [] and queries.risk(warehouse, Scope(), 1) is None
