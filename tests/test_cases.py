"""Whole households through the whole pipeline: under, at and over every line of every rule, in every pack."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from monitoring.rules import load_policy
from tests.cases.building import PACKS, County, Says
from tests.cases.running import PERIOD, bare_county, county, fired, verdicts
from tests.runs import exported, keys, run_quietly, write_feeds

NOT_BY_CASES = {"PROC-FEED-LATE": "tests/test_run.py", "POL-POVERTY-LINE": "no shipped pack is below the line"}


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[County, Path]:
    whole = county()
    return whole, write_feeds(whole.rows, tmp_path_factory.mktemp("cases") / "inbox")


@pytest.mark.parametrize("pack", PACKS)
def test_every_case_of_every_rule_holds(told: tuple[County, Path], tmp_path: Path, pack: str):
    whole, inbox = told
    run_quietly(tmp_path / "home", PERIOD, inbox, pack)
    assert_holds(whole, tmp_path / "home", pack)


def assert_holds(county: County, home: Path, pack: str) -> None:
    judged, signals = verdicts(home, PERIOD, pack), fired(home, PERIOD)
    wrong = [line for said in county.said if (line := complaint(said, pack, judged, signals))]
    assert not wrong, f"{len(wrong)} of {len(county.said)}:\n" + "\n".join(wrong)


def test_feeds_without_any_file_are_unknown_or_count_as_none(tmp_path: Path):
    bare = bare_county()
    inbox = write_feeds({feed: rows for feed, rows in bare.rows.items() if rows}, tmp_path / "inbox")
    run_quietly(tmp_path / "home", PERIOD, inbox)
    assert_holds(bare, tmp_path / "home", "national-2020")
    evidence = exported(tmp_path / "home", PERIOD).filter(rule="GAP-DIBAO")["evidence"]
    assert all("vehicles" in text and "housing" in text for text in evidence), "what was not compared is said"


@pytest.mark.parametrize(
    ("pack", "before", "after", "month", "says"),
    [
        ("mangshi-2021", "2025-12", "2026-01", 210, ("hit", "clear")),  # the basic pension of 400 counts from 2026 on
        ("demo", "2026-03", "2026-04", 230, ("clear", "hit")),  # 630 a head: the standard rises from 612 to 650
    ],
)
def test_the_value_of_a_parameter_is_that_of_the_period(
    tmp_path: Path, pack: str, before: str, after: str, month: float, says: tuple[str, str]
):
    c = County()
    house = c.house("a pensioner").check(month, "2025-06-01", 基础养老金="4800")
    inbox = write_feeds({feed: rows for feed, rows in c.rows.items() if rows}, tmp_path / "inbox")
    for period, expected in zip((before, after), says, strict=True):
        run_quietly(tmp_path / "home", period, inbox, pack)
        found = ("GAP-DIBAO", "household", house.code, "red") in keys(tmp_path / "home", period)
        assert found == (expected == "hit"), period


def complaint(
    said: Says, pack: str, judged: dict[tuple[str, str], str], signals: dict[tuple[str, str], set[str]]
) -> str:
    """What is wrong with a case, or nothing."""
    expected, subject = said.of(PACKS[pack]), (said.rule, said.key)
    if judged.get(subject) != expected:
        return f"{said.rule} {said.key} ({said.case}): expected {expected}, judged {judged.get(subject)}"
    levels = signals.get(subject, set())
    if bool(levels) != (expected == "hit"):
        return f"{said.rule} {said.key} ({said.case}): {expected}, signals {sorted(levels)}"
    level = said.level(PACKS[pack]) if callable(said.level) else said.level
    if expected == "hit" and level and levels != {level}:
        return f"{said.rule} {said.key} ({said.case}): level {sorted(levels)} instead of {level}"
    return ""


def test_every_rule_fires_in_a_case_and_does_not_fire_in_another():
    outcomes: dict[str, set[str | None]] = defaultdict(set)
    for said in county().said:
        outcomes[said.rule] |= {said.of(pack) for pack in PACKS.values()}
    rules = set(load_policy()[1]) - set(NOT_BY_CASES)
    assert {rule for rule in rules if not {"hit", "clear"} <= outcomes[rule]} == {"DQ-LINK"}
    assert set(outcomes) <= rules | set(NOT_BY_CASES)
    assert "hit" in outcomes["DQ-LINK"]
