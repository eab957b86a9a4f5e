"""The shipped rules and packs themselves: complete as the contract, proved by their cases, cited and well said."""

import re
from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import cache

import pytest
from sqlglot import exp

from monitoring.parameters import Pack
from monitoring.policy import SHIPPED
from monitoring.rules import CaseResult, Rule, compile_rules, load_policy, locked_connection, run_cases
from monitoring.rules.binding import bind, to_sql
from monitoring.rules.expressions import Expression, column_family
from monitoring.tables import SNAPSHOTS

DAY = date(2026, 11, 30)

# Codes, subjects, levels and clauses of the contract.
CONTRACT = """
GAP-DIBAO household red RC一（二）/MF二（二）
GAP-SINGLE person red RC一（四）/MS二（一）/MF二（二）
GAP-TEKUN person red,yellow RC二（一）/MS二（一）
GAP-MARGINAL household yellow MS二（三）/CJ二（三）
GAP-RIGID household orange MS二（三）/CJ二（三）
GAP-AT-RISK household orange,yellow MF二（一）一
GAP-NO-MEASURE household orange MF二（一）/MS三（二）
GAP-SHOCK-AID household orange RC三（一）/CJ二（七）
GAP-DISASTER household red CJ二（七）
GAP-GRADUATE person yellow CJ二（七）
GAP-RETURN-AID household orange MF二（二）三
GAP-DIS-LIVING person orange RC四（一）/MF二（三）/CJ二（九）
GAP-DIS-CARE person orange RC四（一）/MF二（三）/CJ二（九）
GAP-CHILD person red MF二（三）
GAP-MEDICAL-AID person orange MS二（五）
GAP-INSURANCE person orange MF二（一）二
GAP-EDUCATION person yellow MF二（一）二/MS二（五）
GAP-TEKUN-CARE person orange CJ二（六）
GAP-TEKUN-CENTRAL person orange MF二（二）二/RC二（三）
GAP-TEKUN-SAFETY person orange CJ二（六）
GAP-TEKUN-AMOUNT person red RC二（二）
GAP-CARERS institution orange RC二（三）
GAP-GUARDIAN person red MF二（三）
GAP-REPEAT-AID person orange MF二（二）三
GAP-AFTER-EXIT household orange RC一（三）/CJ三（一）
GAP-CLEARED-TOO-SOON household orange MF二（一）一
GAP-WANDERER person orange CJ二（八）
RISK-INCOME-LINE household orange MF二（一）一
RISK-INCOME-DROP household orange MS二（三）
RISK-MEDICAL household orange MS二（三）/CJ二（三）
RISK-RIGID household orange MS二（三）
RISK-NEW-DISABILITY person orange CJ二（三）
RISK-EARNER-DEATH household red MS二（三）
RISK-JOB-LOSS person yellow MS二（三）
RISK-DISASTER household red MS二（三）
RISK-DROPOUT person red RC四（一）
RISK-HOUSING household red RC四（一）
RISK-WATER household orange RC四（一）
RISK-POTENTIAL household yellow MF二（一）三
RISK-SHARED person yellow MF二（一）二
EXIT-GRADUAL household yellow RC一（三）/MS二（一）/MF二（二）/CJ二（五）
EXIT-INCOME household orange RC一（三）
EXIT-GRADUAL-END household orange RC一（三）
EXIT-GRADUAL-BACK household yellow RC一（三）
EXIT-DECEASED person red CJ二（十）
EXIT-TWICE person red RC五（二）
EXIT-DUPLICATE person red RC五（二）
EXIT-INSURED person orange CJ二（十）
EXIT-INSURANCE-ENDED person yellow CJ二（十）
EXIT-VEHICLE person orange CJ二（十）
EXIT-VEHICLE-PROOF person blue CJ二（十）
EXIT-HOME-RECENT household orange CJ二（十）
EXIT-HOMES household orange CJ二（十）
EXIT-BUSINESS person yellow CJ二（十）
EXIT-TEKUN-AGE person yellow RC二（一）
EXIT-SUBSIDY record orange CJ二（九）
PROC-EMERGENCY record red CJ二（七）
PROC-SUPPLEMENT record yellow MS二（六）/CJ二（七）
PROC-REVIEW household yellow RC一（三）
PROC-DEATH-RECHECK household orange practice
PROC-CLUE record red MS二（四）/CJ二（二）
PROC-VISIT-TEKUN person orange CJ二（六）
PROC-VISIT-CARE person yellow MF二（三）
PROC-VISIT-MONITORED household yellow MS二（四）
PROC-PAYMENT record red MS二（二）/CJ二（九）
PROC-KINSHIP record red CJ三（一）
PROC-FEED-LATE feed red RC五（二）
DQ-ID person yellow practice
DQ-NAME person yellow practice
DQ-UNREGISTERED person orange practice
DQ-INCOME-UNKNOWN household yellow practice
DQ-TWO-HOUSEHOLDS person orange practice
DQ-FAMILY household yellow practice
DQ-LINK record yellow practice
POL-POVERTY-LINE policy yellow RC一（一）
POL-URBAN-RURAL policy yellow RC一（一）
"""
CODES = sorted(path.stem for path in (SHIPPED / "rules").glob("*.toml"))
PACKS = sorted(path.stem for path in (SHIPPED / "packs").glob("*.toml"))


@cache
def policy() -> tuple[dict[str, Pack], dict[str, Rule]]:
    return load_policy()


@cache
def results() -> dict[str, list[CaseResult]]:
    packs, rules = policy()
    found: dict[str, list[CaseResult]] = defaultdict(list)
    for result in run_cases(rules, packs):
        found[result.code].append(result)
    return found


def test_the_rules_are_those_of_the_contract() -> None:
    rules = policy()[1]
    lines = {line.split()[0]: line.split()[1:] for line in CONTRACT.strip().splitlines()}
    built = {
        code: [
            rule.subject,
            ",".join(rule.latest.levels),
            "/".join("practice" if short == "practice" else short + text for short, text in rule.latest.clause.items()),
        ]
        for code, rule in rules.items()
    }
    assert built == lines


def test_the_packs_are_those_of_the_contract() -> None:
    assert PACKS == ["caojie-2024", "demo", "mangshi-2021", "national-2020", "rongchang-2018"]


@pytest.mark.parametrize("code", CODES)
def test_every_case_holds(code: str) -> None:
    assert [(result.case, result.problem) for result in results()[code] if not result.holds] == []


@pytest.mark.parametrize("code", CODES)
def test_cases_show_a_hit_a_clear_and_a_missing_input(code: str) -> None:
    got = {result.got for result in results()[code]}
    wanted = {"hit", "clear"} if policy()[1][code].subject == "policy" else {"hit", "clear", "unknown"}
    assert wanted <= got
    names = [result.case for result in results()[code]]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("code", CODES)
def test_every_input_makes_a_difference_in_some_case(code: str) -> None:
    """Each input takes at least two values over the cases (or is missing in one): no conjunct goes untried."""
    rule = policy()[1][code]
    for name in rule.latest.when.columns:
        assert len({case.given.get(name) for case in rule.cases}) > 1, name


@pytest.mark.parametrize("code", CODES)
def test_every_level_is_shown_by_a_case(code: str) -> None:
    shown = {case.level for case in policy()[1][code].cases if case.level}
    assert shown == set(policy()[1][code].latest.levels)


def comparisons(expression: Expression) -> list[tuple[exp.Expr, exp.Expr]]:
    """The two sides of every comparison of order in a condition."""
    found = (node for node in expression.tree.walk() if isinstance(node, (exp.GT, exp.GTE, exp.LT, exp.LTE)))
    return [(node.this, node.expression) for node in found]


def distances(code: str, left: exp.Expr, right: exp.Expr) -> set[Decimal]:
    """How far left is from right in each case where both are known."""
    packs, rules = policy()
    rule = rules[code]
    columns = SNAPSHOTS[rule.subject]
    sides = exp.Sub(this=exp.Paren(this=left.copy()), expression=exp.Paren(this=right.copy()))
    names = [node.name for node in sides.walk() if isinstance(node, exp.Column)]
    read = Expression("", sides, tuple(names), ())
    row = ", ".join(f'?::{columns[name].type} AS "{name}"' for name in dict.fromkeys(names)) or "1"
    found: set[Decimal] = set()
    with locked_connection() as connection:
        for case in rule.cases:
            parameters = packs[case.pack].in_force(case.as_of or DAY).by_placeholder
            values = {name: ("number", value.value) for name, value in parameters.items()}
            values |= {name: ("number", Decimal(value)) for name, value in case.parameters.items()}
            query = f"SELECT ({to_sql(bind(read, values))})::DECIMAL(18,4) FROM (SELECT {row})"
            given = [case.given.get(name) for name in dict.fromkeys(names)]
            found |= {value for (value,) in connection.execute(query, given).fetchall() if value is not None}
    return found


@pytest.mark.parametrize("code", CODES)
def test_every_threshold_is_tried_exactly_at_the_line_and_one_unit_past_it(code: str) -> None:
    version = policy()[1][code].latest
    for expression in (version.when, *(part for _, part in version.level_when)):
        for left, right in comparisons(expression):
            found = distances(code, left, right)
            shown = f"{left.sql('duckdb')} / {right.sql('duckdb')}: {sorted(found)}"
            assert 0 in found, f"no case at the line of {shown}"
            assert any(0 < abs(distance) <= 1 for distance in found), f"no case one unit past the line of {shown}"


@pytest.mark.parametrize("code", CODES)
def test_sentences_are_whole_and_plain(code: str) -> None:
    """No brace, no column name or parameter name, no doubled mark; a sentence asks for something by a day."""
    names = {*SNAPSHOTS[policy()[1][code].subject], "income_pc"} - {
        "income",
        "standard",
        "pack",
        "feed",
        "item",
        "homes",
    }
    names = {name for name in names if "_" in name}
    hits = [result for result in results()[code] if result.got == "hit"]
    for result in hits:
        for text, end in ((result.message_zh, "。"), (result.message_en, ".")):
            assert text.endswith(end) and not re.search(r"[{}]|，，|。。|  |, ,|，。|None|不明 元|\d\.\d{3}", text), (
                text
            )
            assert not any(name in text for name in names), text
        assert re.search(r"请 \d+ 个工作日内", result.message_zh), result.message_zh
        assert re.search(r"within \d+ working days", result.message_en), result.message_en
        assert not re.search(r"[A-Za-z]{3,}", result.message_zh.replace("HB", "")), result.message_zh
    if code.startswith("EXIT-") and code not in ("EXIT-DECEASED", "EXIT-GRADUAL-BACK", "EXIT-VEHICLE-PROOF"):
        assert all("核实前不停发" in result.message_zh for result in hits)


@pytest.mark.parametrize("pack", PACKS)
def test_every_rule_runs_in_every_pack_with_a_clause(pack: str) -> None:
    packs, rules = policy()
    compiled = compile_rules(rules, packs[pack].in_force(DAY), DAY)
    assert [rule.code for rule in compiled] == sorted(rules)
    disabled = {rule.code for rule in compiled if rule.disabled}
    recent = pack in ("caojie-2024", "demo")
    assert disabled == (set() if recent else {"EXIT-HOME-RECENT", "PROC-EMERGENCY"})
    assert all(rule.clause.strip() and not re.match(r"(RC|MS|MF|CJ) ", rule.clause) for rule in compiled)
    assert all(
        value.clause.strip() and value.citation.strip() for rule in compiled for value in rule.parameters.values()
    )


@pytest.mark.parametrize(
    ("code", "pack", "clause"),
    [
        ("GAP-DIBAO", "rongchang-2018", "荣昌区兜底保障通知（依渝民〔2018〕175号） 一（二）"),
        ("GAP-DIBAO", "mangshi-2021", "民发〔2020〕18号 二（二）"),
        ("GAP-DIBAO", "demo", "民发〔2020〕18号 二（二）"),
        ("GAP-DIS-LIVING", "demo", "草街办发〔2024〕54号 二（九）"),
        ("EXIT-VEHICLE", "national-2020", "参照 草街办发〔2024〕54号 二（十）"),
        ("GAP-MARGINAL", "rongchang-2018", "参照 芒巩固振兴组办〔2021〕6号 二（三）"),
        ("PROC-DEATH-RECHECK", "demo", "全国通行做法（2022 年起）"),
    ],
)
def test_the_clause_shown_is_the_packs_own_or_says_whose_it_is(code: str, pack: str, clause: str) -> None:
    packs, rules = policy()
    assert compile_rules({code: rules[code]}, packs[pack].in_force(DAY), DAY)[0].clause == clause


def test_every_column_and_parameter_that_a_rule_shows_is_described() -> None:
    packs, rules = policy()
    for rule in rules.values():
        for name in compile_rules({rule.code: rule}, packs["demo"].in_force(DAY), DAY)[0].shown:
            column = SNAPSHOTS[rule.subject][name]
            assert column.zh and column.en and column_family(column)
    for pack in packs.values():
        for values in pack.own.values():
            assert all(value.unit.zh and value.unit.en and value.meaning.zh and value.meaning.en for value in values)


def test_rules_about_income_name_the_standards_in_their_evidence() -> None:
    packs, rules = policy()
    for rule in compile_rules(rules, packs["demo"].in_force(DAY), DAY):
        if "standard" in rule.inputs:
            assert {"dibao.standard_rural", "dibao.standard_urban"} <= set(rule.parameters), rule.code
