"""The oracle must itself satisfy the public cases of the contract before anything is compared with it."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
from pathlib import Path

import pytest

from tests.oracle import calendar, outcomes, packs, read_csv_folder, signals, signals_detailed, write_csv
from tests.oracle.counties import random_county
from tests.oracle.logic import and_, at_least, or_
from tests.oracle.reading import valid_number

CASES = Path(os.environ.get("BULUO_CASES", Path(__file__).resolve().parents[2] / "shared" / "cases"))
PACKS = ("national-2020", "rongchang-2018", "mangshi-2021", "caojie-2024")
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the public cases are not on this machine")


@needs_cases
@pytest.mark.parametrize("pack", PACKS)
def test_public_cases_hold(pack: str) -> None:
    found = signals_detailed({"2026-11": read_csv_folder(CASES / "feeds")}, "2026-11", pack)
    fired = {(s.rule, s.key) for s in found}
    houses = {s.household_id for s in found}
    wrong = []
    for line in (CASES / "expected.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if case["pack"] in (pack, "*"):
            got = case["key"] in houses if case["rule"] == "*" else (case["rule"], case["key"]) in fired
            if got != case["fires"]:
                wrong.append(case)
    assert not wrong


def test_unknown_matters_only_where_the_rest_does_not_decide() -> None:
    assert or_(None, True) is True
    assert and_(None, False) is False
    assert and_(None, True) is None
    assert at_least(2, [True, None, False]) is None
    assert at_least(2, [None, False, False]) is False


def test_months_are_cut_to_their_end_and_working_days_start_on_the_next_day() -> None:
    assert calendar.add_months(dt.date(2026, 8, 31), 6) == dt.date(2027, 2, 28)
    assert calendar.in_last_months(dt.date(2025, 12, 1), 12, dt.date(2026, 11, 30))
    assert not calendar.in_last_months(dt.date(2025, 11, 30), 12, dt.date(2026, 11, 30))
    assert calendar.working_days(dt.date(2026, 11, 2), dt.date(2026, 11, 5)) == 3
    assert calendar.school_year(dt.date(2026, 12, 31)) == 2025
    assert calendar.school_year(dt.date(2027, 1, 31)) == 2026


def test_a_dated_value_falls_back_on_the_extended_pack() -> None:
    assert packs.in_force("mangshi-2021", "income.exclude_basic_pension", dt.date(2025, 12, 31)) is True
    assert packs.in_force("mangshi-2021", "income.exclude_basic_pension", dt.date(2026, 1, 31)) is False
    assert packs.in_force("demo", "dibao.standard_rural", dt.date(2026, 4, 1)) == 650


def test_numbers_are_usable_only_with_their_check_character() -> None:
    assert valid_number("500999198101030272") == "500999198101030272"
    assert valid_number("50099919760828471x") == "50099919760828471X"
    assert valid_number("500999198101030273") is None
    assert valid_number("5.10225E+17") is None
    assert valid_number("500999810103027") == "500999198101030272"


def test_the_same_seed_gives_the_same_county_and_files_read_back_as_they_were_written(tmp_path: Path) -> None:
    county = random_county(random.Random(7), households=8, months=2)
    assert county == random_county(random.Random(7), households=8, months=2)
    folders = write_csv(county, tmp_path)
    again = {period: read_csv_folder(folder) for period, folder in folders.items()}
    last = max(county)
    assert signals(again, last, "caojie-2024") == signals(county, last, "caojie-2024")


def test_signals_do_not_depend_on_the_order_of_rows() -> None:
    rng = random.Random(11)
    county = random_county(rng, households=8, months=2)
    mixed = {p: {f: rng.sample(rows, len(rows)) for f, rows in feeds.items()} for p, feeds in county.items()}
    last = max(county)
    assert signals(mixed, last, "demo") == signals(county, last, "demo")
    assert outcomes(mixed, last, "demo") == outcomes(county, last, "demo")
