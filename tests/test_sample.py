"""The sample county: repeatable, complete, fictional, and as messy as it promises to be."""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from monitoring.model import evaluate
from pipelines.sample import SampleReport, make_county
from pipelines.sample.cases import aid_cases, clues
from pipelines.sample.chance import Chance
from pipelines.sample.county import County, build_county
from pipelines.sample.events import _checks
from pipelines.sample.faults import FAULTS
from pipelines.sample.layout import FEEDS
from pipelines.sample.ledgers import dibao
from pipelines.sample.making import EVENTS, MONTHLY, QUARTERLY, STRAY
from pipelines.sample.months import NEVER, first_day, last_day, month_of, period_of
from pipelines.sample.people import PREFIX

ROOT = Path(__file__).resolve().parents[1]
TRACKED = ROOT / "data" / "sample"
SEED = 20261122
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SampleReport]:
    """Three months of a small county."""
    out = tmp_path_factory.mktemp("county")
    return out, make_county(3000, 3, SEED, out)


@pytest.fixture(scope="module")
def county() -> County:
    """The same county before any fault."""
    return build_county(3000, 3, SEED, month_of("2026-11"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(
    made: tuple[Path, SampleReport], tmp_path: Path
) -> None:
    told: list[str] = []
    make_county(3000, 3, SEED, tmp_path / "again", progress=told.append)
    make_county(3000, 1, SEED + 1, tmp_path / "other")
    first = contents(made[0])
    assert contents(tmp_path / "again") == first
    assert told == made[1].periods
    name = "2026-11/农户基本信息台账.csv"
    assert contents(tmp_path / "other")[name] != first[name]


def test_the_tracked_sample_is_what_its_readme_says(tmp_path: Path) -> None:
    readme = (TRACKED / "README.md").read_text(encoding="utf-8")
    command = re.search(r"--persons (\d+) --months (\d+) --seed (\d+)", readme)
    assert command
    persons, months, seed = (int(word) for word in command.groups())
    make_county(persons, months, seed, tmp_path)
    assert contents(tmp_path / "2026-11") == contents(TRACKED / "2026-11")


def test_the_tracked_sample_is_small() -> None:
    assert sum(len(data) for data in contents(TRACKED).values()) <= 5_000_000


def test_the_county_has_about_the_persons_asked_for(made: tuple[Path, SampleReport]) -> None:
    report = made[1]
    assert abs(report.persons - 3000) < 60
    assert report.townships == 14
    assert 2.6 < report.persons / report.households < 3.4
    assert report.periods == ["2026-09", "2026-10", "2026-11"]


def test_every_feed_arrives_in_the_first_month_and_in_few_files(made: tuple[Path, SampleReport]) -> None:
    assert set(FEEDS) == set(MONTHLY) | set(QUARTERLY) | set(EVENTS)
    assert len(FEEDS) == 27
    names = [path.name for path in (made[0] / "2026-09").iterdir()]
    for layout in FEEDS.values():
        assert any(name.startswith(layout.title) for name in names), layout.title
    for period in made[1].periods:
        assert len(list((made[0] / period).iterdir())) <= 35
    assert (made[0] / "2026-11" / STRAY).exists()


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_occurs(made: tuple[Path, SampleReport], kind: str) -> None:
    assert made[1].faults[kind] > 0


def test_faults_are_the_exception(made: tuple[Path, SampleReport]) -> None:
    rows = sum(made[1].rows.values())
    identity = ("number missing", "number as 5.1E+17", "number rounded to 000", "number with wrong check")
    assert sum(made[1].faults[kind] for kind in identity) < 0.006 * rows
    assert made[1].faults["required value blank"] < 0.005 * rows


def test_all_encodings_separators_and_workbooks_are_there() -> None:
    files = contents(TRACKED / "2026-11")
    assert any(data.startswith(b"\xef\xbb\xbf") for data in files.values())
    assert any(data.startswith((b"\xff\xfe", b"\xfe\xff")) for data in files.values())
    assert {Path(name).suffix for name in files} == {".csv", ".xlsx", ".xls"}
    text = files["资金发放明细.csv"].decode("gb18030")
    with pytest.raises(UnicodeDecodeError):
        files["资金发放明细.csv"].decode("utf-8")
    assert text.count(";") > text.count(",")
    assert "合计" in text
    assert "填表人" in text
    assert b"\t" in files["在校生与资助.csv"]


def test_numbers_are_valid_unique_and_of_no_real_district(county: County) -> None:
    numbers = county.people.number.to_list()
    assert len(set(numbers)) == len(numbers)
    male, birth = county.people.male, county.people.birth.astype("datetime64[D]").astype(str)
    for number, man, born in zip(numbers, male, birth, strict=True):
        assert number.startswith(str(PREFIX))
        assert number[6:14] == born.replace("-", "")
        assert (int(number[16]) % 2 == 1) == man
        assert number[17] == "10X98765432"[sum(int(d) * w for d, w in zip(number, WEIGHTS, strict=False)) % 11]


def test_no_other_number_stands_in_any_text_file() -> None:
    for name, data in contents(TRACKED / "2026-11").items():
        if name.endswith(".csv"):
            for encoding in ("utf-8-sig", "gb18030", "utf-16"):
                try:
                    text = data.decode(encoding)
                except UnicodeError:
                    continue
                for number in re.findall(r"(?<![0-9])[0-9]{17}[0-9Xx](?![0-9])", text):
                    assert number.startswith(str(PREFIX)), (name, number)
                break


def test_no_state_feed_shrinks_by_a_tenth_and_no_township_vanishes() -> None:
    last = month_of("2026-11")
    for seed in (1, 6, SEED):
        county = build_county(3000, 24, seed, last)
        before: dict[str, tuple[int, set[str]]] = {}
        for month in range(county.window.first, last + 1):
            for feed, build in {**MONTHLY, **QUARTERLY}.items():
                if feed in QUARTERLY and month != county.window.first and (last - month) % 3:
                    continue
                frame = build(county, month)
                towns = set(frame["乡镇"]) if "乡镇" in frame.columns else set()
                rows, known = before.get(feed, (0, set()))
                assert frame.height > 0.9 * rows, (seed, feed, month)
                assert known <= towns, (seed, feed, month, known - towns)
                before[feed] = frame.height, towns
        assert before["registry"][1] == set(county.places.townships)


def test_shares_of_the_programmes_are_believable(county: County) -> None:
    last, people = county.window.last, len(county.people)
    on_dibao = county.homes.size[county.programmes.on_dibao(last)].sum() / people
    assert 0.035 < on_dibao < 0.065
    assert 0.003 < county.on_tekun(last).sum() / people < 0.011
    assert 0.035 < (county.shocks.certified <= int(last_day(last))).mean() < 0.07
    age = county.people.age(int(last_day(last)))
    assert 0.10 < (age < 15).mean() < 0.24
    assert 0.14 < (age >= 60).mean() < 0.30


def test_the_dead_stay_in_the_ledger_a_while_and_then_leave() -> None:
    county = build_county(20_000, 1, 3, month_of("2026-11"))
    month = county.window.last
    listed = set(dibao(county, month)["姓名"])
    assert listed
    kept = county.kept_on(month, "dibao") & (county.people.dead <= int(last_day(month)))
    assert kept.any()
    long_dead = county.people.dead < int(first_day(month - 6))
    assert not (kept & long_dead).any()


def test_a_damaged_number_is_there_again_next_month(made: tuple[Path, SampleReport]) -> None:
    def damaged(period: str) -> set[str]:
        text = (made[0] / period / "农户基本信息台账.csv").read_text(encoding="utf-8-sig")
        rows = list(csv.reader(io.StringIO(text)))
        place = next(at for at, head in enumerate(rows[0]) if "证" in head)
        return {row[0] for row in rows[1:] if row[place] == "5.00999E+17"}

    assert damaged("2026-10")
    assert damaged("2026-10") == damaged("2026-11")


def test_small_or_empty_wishes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 500"):
        make_county(10, 1, 1, tmp_path)
    with pytest.raises(ValueError, match="at least 1"):
        make_county(3000, 0, 1, tmp_path)
    with pytest.raises(ValueError, match="2026-11"):
        make_county(3000, 1, 1, tmp_path, last_period="202611")


def test_chance_depends_on_the_seed_the_purpose_and_the_key_only() -> None:
    keys = np.arange(1000)
    share = Chance(1).share("a", keys)
    assert (Chance(1).share("a", keys[::-1])[::-1] == share).all()
    assert abs(share.mean() - 0.5) < 0.05
    assert not (Chance(2).share("a", keys) == share).any()
    assert not (Chance(1).share("b", keys) == share).any()


def test_months_are_numbers() -> None:
    assert period_of(month_of("2026-11")) == "2026-11"
    assert pl.Series([int(last_day(month_of("2024-02")))]).cast(pl.Int32).cast(pl.Date).item().day == 29


def test_map_and_places_name_the_same_townships() -> None:
    codes = tomllib.loads((ROOT / "data" / "codes" / "places.toml").read_text(encoding="utf-8"))
    shapes = json.loads((ROOT / "data" / "codes" / "townships.geojson").read_text(encoding="utf-8"))
    assert [t["name"] for t in codes["township"]] == [f["properties"]["name"] for f in shapes["features"]]
    assert all(f["geometry"]["coordinates"][0][0] == f["geometry"]["coordinates"][0][-1] for f in shapes["features"])


def test_aid_clues_and_checks_that_belong_to_no_story_come_all_through_the_window() -> None:
    """Whether and when are two draws: with one, all of them fell into the first weeks, years before the first file, and the
    county had no hardship that nobody could foresee."""
    county = build_county(10_000, 24, 1, month_of("2026-11"))
    first, last = county.window.days
    _, day, _, cause = aid_cases(county)
    homes, checked = _checks(county)
    story = (county.programmes.change < NEVER) | (county.programmes.listed > 0) | (county.programmes.low_start < NEVER)
    story |= (county.programmes.dibao_start < NEVER) | (county.programmes.refused < NEVER)
    story |= county.programmes.tekun_start[county.homes.head] < NEVER
    told = clues(county, county.window.last, county.window.months)["登记日期"].cast(pl.Int32).to_numpy()
    for days in (day[cause == 4], checked[~story[homes]], told):
        quarter = np.bincount((days - first) * 4 // (last - first + 1), minlength=4)
        assert quarter.min() > 0.5 * len(days) / 4 and len(days) >= 40


def _seen(county: County, month: int) -> pl.DataFrame:
    """What departments could know of each household at a month's end."""
    day, home, s = int(last_day(month)), county.people.home, county.shocks

    def count(of: np.ndarray) -> np.ndarray:
        return np.bincount(home, weights=of, minlength=len(county.homes))

    def lately(when: np.ndarray) -> np.ndarray:
        return (when <= day) & (when > day - 365)

    age, alive = county.people.age(day), (county.people.birth <= day) & (county.people.dead > day)
    unsafe = (s.grade_of_dwelling >= 2) & (s.dwelling_found <= day) & (s.dwelling_repaired > day)
    return pl.DataFrame({
        "household": np.arange(len(county.homes)), "month": month, "size": count(alive), "workers": count(alive & s.earner),
        "children": count(alive & (age < 16)), "elders": count(alive & (age >= 60)), "certified": count(alive & (s.certified <= day)),
        "severe": count(alive & s.severe & (s.certified <= day)), "ill": count(alive & lately(s.ill)),
        "job_lost": count(alive & lately(s.job_lost)), "earner_died": count(s.earner & lately(county.people.dead)), "unsafe": unsafe,
    })  # fmt: skip


def _helped(county: County, month: int) -> np.ndarray:
    """By household: somebody of it is on a list or was given temporary aid in the month."""
    person, accepted, _, _ = aid_cases(county)
    given = (accepted >= first_day(month)) & (accepted <= last_day(month))
    alone = (
        np.bincount(county.people.home, county.alone_on_dibao(month) | county.on_tekun(month), len(county.homes)) > 0
    )
    aided = np.isin(np.arange(len(county.homes)), county.people.home[person[given]])
    programmes = county.programmes
    return (
        aided | alone | programmes.on_dibao(month) | programmes.on_low(month) | programmes.at_risk(int(last_day(month)))
    )


def test_who_comes_to_need_help_can_be_foreseen_as_well_as_in_real_counties_and_no_better() -> None:
    """Real entry prediction reaches AUC 0.73 to 0.86 and nowhere 0.6 precision in the top tenth: neither lots nor a leak."""
    last, areas, precise = month_of("2026-11"), [], []
    for seed in (2, 3, 5):
        county, rows = build_county(10_000, 24, seed, last), []
        for month in range(last - 24, last - 5, 3):
            later = np.logical_or.reduce([_helped(county, month + ahead) for ahead in range(1, 7)])
            rows.append(
                _seen(county, month)
                .with_columns(entered=later.astype(np.int8))
                .filter(pl.Series(~_helped(county, month)))
            )
        found = evaluate(
            pl.concat(rows), id="household", period="month", label="entered", horizon=2, candidates=("logistic",)
        )
        areas.append(found.metrics["roc_auc"])
        precise += [at["precision"] for at in found.metrics["at"]]
    assert 0.73 <= np.mean(areas) <= 0.86 and min(areas) >= 0.68 and max(areas) <= 0.9
    assert max(precise) < 0.6
