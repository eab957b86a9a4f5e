"""The cases beside the rules: each is one row with the facts given and everything else unknown, judged as in a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb

from monitoring.language import Words
from monitoring.parameters import Content, Pack, Parameters
from monitoring.rules.compiling import CompiledRule, compile_rules
from monitoring.rules.model import LEVEL_ZH, OUTCOME_ZH, Case, Rule, Snapshots
from monitoring.rules.trial import locked_connection
from monitoring.strict_toml import PolicyError
from monitoring.tables import SNAPSHOTS, Column

UNDATED = date(2026, 1, 1)  # the day of a case that names none, for a rule whose latest version has no first day


@dataclass(frozen=True)
class CaseResult:
    """What one case said: `problem` is empty where it holds; evidence and sentences, of a hit only, are shown to the analyst."""

    code: str
    case: str
    expected: str
    got: str
    level: str
    evidence: str
    message_zh: str
    message_en: str
    problem: str

    @property
    def holds(self) -> bool:
        return not self.problem


def run_cases(
    rules: Mapping[str, Rule], packs: Mapping[str, Pack], snapshots: Snapshots = SNAPSHOTS
) -> list[CaseResult]:
    """Every case of every rule, in order of code and place in the file."""
    with locked_connection() as connection:
        return [
            _run_case(connection, rule, case, packs[case.pack], snapshots[rule.subject], snapshots)
            for _, rule in sorted(rules.items())
            for case in rule.cases
        ]


def _run_case(
    connection: duckdb.DuckDBPyConnection,
    rule: Rule,
    case: Case,
    pack: Pack,
    columns: Mapping[str, Column],
    snapshots: Snapshots,
) -> CaseResult:
    as_of = case.as_of or rule.latest.span.first or UNDATED
    nothing = ("", "", "")
    try:
        parameters = _overridden(pack.in_force(as_of), case.parameters)
        compiled = compile_rules({rule.code: rule}, parameters, as_of, snapshots)
        if not compiled or compiled[0].disabled:
            return _result(rule, case, "disabled", "", nothing)
        judged = _judge(connection, compiled[0], case.given, columns)
    except PolicyError as error:
        return _result(rule, case, Words("失败：{why}", why=error.complaints[0].words), "", nothing)
    except duckdb.Error as error:
        return _result(rule, case, Words("失败：{why}", why=str(error).splitlines()[0]), "", nothing)
    outcome, level, *texts = judged
    if not outcome:
        return _result(rule, case, "unknown" if outcome is None else "clear", "", nothing)
    return _result(rule, case, "hit", level, (texts[0], texts[1], texts[2]))


def _judge(
    connection: duckdb.DuckDBPyConnection, rule: CompiledRule, given: Mapping[str, Any], columns: Mapping[str, Column]
) -> tuple[Any, ...]:
    """Outcome, level, evidence and both sentences for one row."""
    read = sorted({*given, *rule.read})
    row = ", ".join(f'?::{columns[name].type} AS "{name}"' for name in read)
    asked = [rule.condition_sql, rule.level_sql, rule.evidence_sql, rule.message_sql("zh"), rule.message_sql("en")]
    query = f"SELECT {', '.join(asked)}" + (f" FROM (SELECT {row})" if read else "")
    found = connection.execute(query, [given.get(name) for name in read]).fetchall()
    return tuple(found[0])


def _overridden(parameters: Parameters, changed: Mapping[str, Any]) -> Parameters:
    """The parameters with a case's own values; one that the pack lacks on that day is left to `compile_rules`."""
    values = dict(parameters)
    for name in changed.keys() & parameters.by_placeholder.keys():
        value = parameters.by_placeholder[name]
        values[value.name] = replace(value, value=_content(changed[name]), off=False)
    return Parameters(parameters.pack, parameters.as_of, values)


def _content(found: Any) -> Content:
    return Decimal(found) if isinstance(found, int | Decimal) and not isinstance(found, bool) else found


def _result(rule: Rule, case: Case, got: str, level: str, texts: tuple[str, str, str]) -> CaseResult:
    problem = ""
    if got != case.expect:
        problem = Words(
            "应为{expected}，实为{got}",
            expected=OUTCOME_ZH.get(case.expect, case.expect),
            got=Words(OUTCOME_ZH[got]) if got in OUTCOME_ZH else got,
        )
    elif case.level and case.level != level:
        problem = Words(
            "级别应为{expected}，实为{got}", expected=Words(LEVEL_ZH[case.level]), got=Words(LEVEL_ZH.get(level, "无"))
        )
    return CaseResult(rule.code, case.name, case.expect, got, level, *texts, problem)
