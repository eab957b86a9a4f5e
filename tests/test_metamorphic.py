"""How the departments write a thing must not matter: the same facts give the same signals, byte for byte."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from monitoring.feeds import load_feeds
from tests.oracle import write_csv
from tests.oracle.counties import random_county
from tests.respelling import Writer
from tests.runs import Tables, exported, query, run_quietly

PACK = "demo"


@pytest.fixture(scope="session")
def county() -> tuple[str, Tables]:
    """A period and its rows: forty households with everything at and beside every line."""
    deliveries = random_county(random.Random(2026), 40, 1)
    ((period, tables),) = deliveries.items()
    return period, tables


@pytest.fixture(scope="session")
def plain(county: tuple[str, Tables], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The signals of the county as clean CSV files give them."""
    period, tables = county
    folder = tmp_path_factory.mktemp("plain")
    write_csv({period: tables}, folder / "inbox")
    return signals(folder / "home", period, folder / "inbox" / period)


def signals(home: Path, period: str, inbox: Path) -> str:
    run_quietly(home, period, inbox, PACK)
    assert query(home, period, "SELECT file, reason FROM part WHERE feed IS NULL") == []
    assert query(home, period, "SELECT file, row, reasons FROM quarantine JOIN part USING (part)") == known_quarantine(
        home, period
    )
    return exported(home, period).write_csv()


def known_quarantine(home: Path, period: str) -> list[tuple[object, ...]]:
    """Only checks without the number of a 户主 are unusable in these counties."""
    return query(
        home,
        period,
        "SELECT file, row, reasons FROM quarantine JOIN part USING (part) WHERE reasons LIKE '%户主证件号码%'",
    )


def test_the_county_says_enough(plain: str):
    assert len({line.split(",")[1] for line in plain.splitlines()}) > 50


@pytest.mark.parametrize("seed", range(4))
def test_the_same_rows_in_any_writing_give_the_same_signals(
    county: tuple[str, Tables], plain: str, tmp_path: Path, seed: int
):
    period, tables = county
    inbox = Writer(load_feeds(), seed).write(tables, tmp_path / "inbox")
    assert signals(tmp_path / "home", period, inbox) == plain


@pytest.mark.long
def test_another_home_and_a_second_run_give_the_same_signals(county: tuple[str, Tables], plain: str, tmp_path: Path):
    period, tables = county
    inbox = write_csv({period: tables}, tmp_path / "inbox")[period]
    home = tmp_path / "somewhere" / "另一个 主目录"
    assert signals(home, period, inbox) == plain
    assert signals(home, period, inbox) == plain


def test_names_and_order_of_files_do_not_matter(county: tuple[str, Tables], plain: str, tmp_path: Path):
    period, tables = county
    inbox = write_csv({period: tables}, tmp_path / "inbox")[period]
    for number, path in enumerate(sorted(inbox.iterdir(), reverse=True)):
        path.rename(inbox / f"{number:03d}.csv")
    assert signals(tmp_path / "home", period, inbox) == plain
