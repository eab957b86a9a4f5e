"""Whole households through the whole pipeline: under, at and over every line of every rule, in every pack."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from monitoring.rules import load_policy
from tests.cases.building import PACKS, County, Says
from tests.cases.running import PERIOD, county, fired, verdicts
from tests.runs import run_quietly, write_feeds

NOT_BY_CASES = {"PROC-FEED-LATE": "tests/test_run.py", "POL-POVERTY-LINE": "no shipped pack is below the line"}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[County, Path]:
    whole = county()
    return whole, write_feeds(whole.rows, tmp_path_factory.mktemp("cases") / "inbox")


@pytest.mark.parametrize("pack", PACKS)
def test_every_case_of_every_rule_holds(told: tuple[County, Path], tmp_path: Path, pack: str):
    whole, inbox = told
    run_quietly(tmp_path / "home", PERIOD, inbox, pack)
    judged, signals = verdicts(tmp_path / "home", PERIOD, pack), fired(tmp_path / "home", PERIOD)
    wrong = [line for said in whole.said if (line := complaint(said, pack, judged, signals))]
    assert not wrong, f"{len(wrong)} of {len(whole.said)}:\n" + "\n".join(wrong)


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
