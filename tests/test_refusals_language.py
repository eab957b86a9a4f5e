"""What services refuse is said in the language of the page: no refusal is a Chinese text that has no English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from monitoring import ui
from monitoring.alerts import clues
from monitoring.alerts.cases import DoneAlready, Refused, TakenByOther, text
from monitoring.alerts.clue_effects import NewClue
from monitoring.alerts.moves import STATUSES, VERBS, NotNow
from monitoring.alerts.outcomes import OUTCOMES, Given, missing, unhelped
from monitoring.language import Language, Words, catalogue
from monitoring.lists.asking import NotAsked, ask_from_text
from monitoring.people import Denied
from monitoring.rules.expressions import Scope, check_expression
from monitoring.strict_toml import Complaint
from monitoring.tables import SNAPSHOTS

ROOT = Path(__file__).parents[1] / "monitoring"
CHINESE = re.compile("[\u3400-\u9fff]")
EN = Language("en")
AT = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
RAISED = {"Refused", "Denied", "NotNow", "TakenByOther", "DoneAlready", "NotAccepted", "AccountError", "SessionOver", "NotSigned",
          "NotDecided", "NotBegun"}  # fmt: skip
SERVICES = sorted(
    file for of in ("alerts", "people", "gate", "vouching", "linking", "desk") for file in (ROOT / of).glob("*.py")
)


def calls(file: Path) -> Iterator[tuple[str, ast.Call, bool]]:
    """Every call of a module with the name of what is called, and whether it is raised there."""
    tree = ast.parse(file.read_text("utf-8"))
    raised = {id(node.exc) for node in ast.walk(tree) if isinstance(node, ast.Raise)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            yield name, node, id(node) in raised


def test_every_refusal_of_a_service_has_its_english() -> None:
    english, lacking, found = catalogue("en"), [], 0
    for file in SERVICES:
        for name, call, raised in calls(file):
            if name != "Words" and not (raised and name in RAISED):
                continue
            found += 1
            for argument in call.args:
                where = f"{file.name}:{call.lineno}"
                if isinstance(argument, ast.JoinedStr):
                    lacking.append(f"{where} is put together: use Words")
                elif isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    known = argument.value in english or not CHINESE.search(argument.value)
                    lacking += [] if known else [f"{where} {argument.value}"]
    assert found > 60 and lacking == []


# whose complaints stand on the pages of rules, what-if, lists and the data desk
COMPLAINING = [
    "strict_toml", "policy", "exporting/filters", "lists/asking", "simulating/ground", "simulating/scenario",
    "simulating/service", "desk/mapping", "desk/uploads", "rules/cases", "rules/changing", "rules/compiling",
    "rules/expressions", "rules/loading", "rules/sentences", "rules/trial",
]  # fmt: skip
TAKES_TEXT = {
    "Words",
    "complain",
    "fault",
    "Complaint",
    "CannotSimulate",
    "NotKept",
    "NotTaken",
    "NotAsked",
    "RuleRefused",
}


@pytest.mark.parametrize("module", COMPLAINING)
def test_every_complaint_of_a_file_a_filter_or_a_scenario_has_its_english(module: str) -> None:
    english, lacking, found = catalogue("en"), [], 0
    for name, call, _ in calls(ROOT / f"{module}.py"):
        if name not in TAKES_TEXT:
            continue
        for argument in [part for whole in call.args for part in ast.walk(whole)]:
            if isinstance(argument, ast.JoinedStr) and CHINESE.search(ast.unparse(argument)):
                lacking.append(f"{call.lineno} is put together: use Words")
            elif isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                found += 1
                known = argument.value in english or not CHINESE.search(argument.value)
                lacking += [] if known else [f"{call.lineno} {argument.value}"]
    assert found and lacking == []


def test_a_condition_with_several_faults_is_told_in_english() -> None:
    wrong: list[Words] = []
    scope = Scope(SNAPSHOTS["household"], {"dibao_standard_rural": "number"})
    for condition in (
        "incom_pc < 5",
        "income_pc / 0 > 1",
        "coalesce(income_pc, 0) < 3",
        "income_pc",
        "1; 2",
        "1 < 'x'",
    ):
        check_expression(
            condition, scope, lambda what, right: wrong.append(Complaint("R.toml", "when", what, right).words)
        )
    said = [EN.said(one) for one in wrong]
    assert len(said) >= 6 and "did you mean income_pc?" in said[0]
    assert not [one for one in said if CHINESE.search(one)]
    assert all("应为" in one for one in wrong), "and in Chinese for those who read Chinese"


def test_a_filter_with_everything_wrong_is_told_in_english() -> None:
    with pytest.raises(NotAsked) as told:
        ask_from_text("household", "townshp=x AND income_pc<many AND income_pc~3 AND in_dibao=perhaps")
    assert not CHINESE.search(ui.words_of(told.value, EN))
    with pytest.raises(NotAsked) as several:
        ask_from_text("household", "townshp=x AND income_pc<many AND in_dibao=perhaps", "nothing", "income_pc:down")
    said = ui.words_of(several.value, EN)
    assert len(several.value.words) == 5 and not CHINESE.search(said), said


def test_what_alerts_complain_of_is_never_put_together_where_it_is_raised() -> None:
    """Lists of complaints: their sentences are literals or Words as well."""
    english, lacking = catalogue("en"), []
    for name in ("asking", "cases", "clues", "deciding", "handing", "outcomes", "verifying"):
        for of, call, _ in calls(ROOT / "alerts" / f"{name}.py"):
            if of == "append":
                for argument in call.args:
                    if (
                        isinstance(argument, ast.Constant)
                        and isinstance(argument.value, str)
                        and CHINESE.search(argument.value)
                    ):
                        lacking += [] if argument.value in english else [argument.value]
                    assert not isinstance(argument, ast.JoinedStr) or not CHINESE.search(ast.unparse(argument)), (
                        call.lineno
                    )
    assert lacking == []


def test_every_move_that_is_not_possible_is_told_in_english() -> None:
    for status in STATUSES:
        for verb in VERBS:
            said = ui.words_of(NotNow(status, verb), EN)
            assert said and not CHINESE.search(said), said


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=lambda outcome: outcome.code)
def test_everything_that_an_outcome_lacks_is_told_in_english(outcome: object) -> None:
    chosen = OUTCOMES[outcome.code]  # type: ignore[attr-defined]
    lacks = [*missing(chosen, Given()), *missing(chosen, Given(visit=False)), *unhelped(chosen, ())]
    assert lacks
    for complaint in lacks:
        assert not CHINESE.search(EN.said(complaint)), complaint


def test_a_clue_with_everything_wrong_is_told_in_english() -> None:
    wrong = NewClue("smoke", date(2020, 1, 1), "", "", caller="王" * 65, phone="12")
    with pytest.raises(Refused) as told:
        clues._clean(wrong, date(2026, 11, 23))
    said = ui.words_of(told.value, EN)
    assert len(told.value.words) == 6 and not CHINESE.search(said.replace("王", "")), said


def test_who_was_faster_and_what_stands_already_are_told_in_english() -> None:
    other = ui.words_of(TakenByOther("Li", AT, "decide"), EN)
    assert "Li" in other and "Decide" in other and "12:00" in other and not CHINESE.search(other)
    assert not CHINESE.search(ui.words_of(DoneAlready("Li", AT, "claim"), EN))
    assert not CHINESE.search(ui.words_of(Denied(), EN))


def test_a_text_that_is_missing_or_too_long_names_its_field_in_both_languages() -> None:
    with pytest.raises(Refused, match="请填写走访记录") as told:
        text(" ", Words("走访记录"))
    assert ui.words_of(told.value, EN).startswith("Please fill in: ")
    with pytest.raises(Refused, match="备注不能超过 4000 字，现有 4001 字"):
        text("x" * 4001, Words("备注"))


def test_words_are_their_chinese_text() -> None:
    words = Words(
        "请选择走访结论：{findings}", findings=[("情况属实", "As the alert says"), ("尚不清楚", "Still unclear")]
    )
    assert words == "请选择走访结论：情况属实、尚不清楚" and isinstance(words, str)
    assert EN.said(words).endswith("As the alert says, Still unclear")
    assert Words("{a}") == "{a}", "braces without values stand for themselves"
