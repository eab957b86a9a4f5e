"""Why a rule fired for a household, did not, or could not say: each input with its rows, how far, and the smallest change.

The outcome and its parts are those that DuckDB gives (`queries.verdicts`); the change is looked for as for a scheme
(`changes`), over the rule's own condition: exact for comparisons of figures, alone or joined by AND.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from monitoring.access import Scope
from monitoring.entitlement.binding import Question, bound, question_of
from monitoring.entitlement.changes import Search, say_change, say_wanted
from monitoring.entitlement.judging import read_rows
from monitoring.entitlement.words import said
from monitoring.queries import household
from monitoring.queries.verdicts import Verdict, conditions, verdicts
from monitoring.strict_toml import Bilingual
from monitoring.tables import SNAPSHOTS
from monitoring.warehouse import Warehouse

MOST_ROWS = 3
WOULD_FIRE = Bilingual("{change}，即会命中", "If {change}, it would fire")
WOULD_NOT = Bilingual("{change}，即不再命中", "If {change}, it would not fire any more")
FARTHER = Bilingual(
    "改变一两项可以改变的事实，结果也不会翻转", "No one or two facts that can change would turn the outcome"
)
NOT_LIVING = Bilingual("人已死亡，不再寻找可以改变的事实", "The person is dead: no change is looked for")


class NotJudged(ValueError):
    """The rule said nothing about households and persons in this run; `words` (Chinese) say why."""

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__(words)


@dataclass(frozen=True)
class Input:
    """One fact that the rule read: its value (None: unknown) and the rows of the departments' files it came from."""

    column: str
    value: Any
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Why:
    """One subject (the household, or a person of it) before one rule; `change` says what would turn the outcome."""

    verdict: Verdict
    inputs: tuple[Input, ...]
    change: Bilingual


@lru_cache(maxsize=256)
def _question(warehouse: Warehouse, rule: str) -> Question:
    row, condition = conditions(warehouse)[rule]
    return question_of(warehouse, row["subject"], condition.sql)


def why(warehouse: Warehouse, scope: Scope, household_key: int, rule: str) -> list[Why]:
    """The household, or each of its persons, before one rule: hits first. Empty outside the scope. Raises NotJudged."""
    _judges(warehouse, rule)
    found = [v for v in verdicts(warehouse, scope, household_key) if v.rule == rule]
    known = bound(warehouse)
    homes, people = read_rows(warehouse, scope, known, household_key)
    if not homes or not found:
        return []
    origins = household.origins(warehouse, scope, household_key)
    rows = {person["person_id"]: {**homes[0], **person} for person in people}
    search, question = Search(known.schemes), _question(warehouse, rule)
    answers = []
    for verdict in found:
        row = homes[0] if verdict.subject == "household" else rows.get(verdict.person_id)
        answers.append(Why(verdict, _inputs(verdict, origins), _change(search, question, verdict, row)))
    return answers


def _judges(warehouse: Warehouse, rule: str) -> None:
    if rule in conditions(warehouse):
        return
    row = warehouse.row("select subject, disabled from rule where rule = $rule", {"rule": rule})
    if not row:
        raise NotJudged(f"本期没有规则 {rule}")
    if row["disabled"]:
        raise NotJudged(f"规则 {rule} 在本期的政策包里停用，没有判断过任何户")
    raise NotJudged(f"规则 {rule} 判断的不是户和人，不能按户追问")


def _inputs(verdict: Verdict, origins: Any) -> tuple[Input, ...]:
    columns = SNAPSHOTS[verdict.subject]
    values = {name: value for part in verdict.parts for name, value in part.values.items()}
    return tuple(
        Input(name, value, tuple(household.sources_of(origins, columns[name].sources, verdict.person_id, MOST_ROWS)))
        for name, value in values.items()
    )


def _change(search: Search, question: Question, verdict: Verdict, row: dict[str, Any] | None) -> Bilingual:
    if row is None:
        return NOT_LIVING
    if verdict.outcome == "unknown":
        return say_wanted(search, question, verdict.subject, search.wanted(question, row))
    nearest = search.nearest(question, verdict.subject, row)
    if nearest is None:
        return FARTHER
    sentence = WOULD_NOT if verdict.outcome == "hit" else WOULD_FIRE
    return said(sentence, change=say_change(search, question, verdict.subject, row, nearest))


def rules_asked(warehouse: Warehouse) -> dict[str, tuple[str, str]]:
    """Code -> title in both languages, of the rules that can be asked about."""
    return {code: (row["title_zh"], row["title_en"]) for code, (row, _) in conditions(warehouse).items()}
