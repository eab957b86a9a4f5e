"""Rules: what an expression may say, that a faulty file is refused with reasons, and what a compiled rule gives."""

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.policy import PolicyError
from monitoring.rules import CompiledRule, compile_rules, load_policy, locked_connection, run_cases
from monitoring.rules.binding import bind, to_sql
from monitoring.rules.expressions import Expression, Scope, check_expression
from monitoring.rules.listing import check_lines, diff_rows, pack_rows, result_lines, rule_lines, rule_rows
from monitoring.tables import Column

DAY = date(2026, 11, 30)
COLUMNS = {
    "income": Column("DECIMAL(18,6)", "收入", "income", "", ("income",), ("source",)),
    "standard": Column("DECIMAL(14,2)", "标准", "standard"),
    "size": Column("INTEGER", "人口", "size"),
    "urban": Column("BOOLEAN", "城镇", "urban"),
    "listed": Column("BOOLEAN", "在册", "listed", "", (), ("kind",)),
    "kind": Column("VARCHAR", "类型", "kind"),
    "source": Column("VARCHAR", "来源", "source"),
    "checked": Column("DATE", "核对日期", "checked"),
    "since": Column("DATE", "起始日期", "since"),
}
SNAPSHOTS = {"household": COLUMNS, "record": COLUMNS, "policy": {"pack": Column("VARCHAR", "政策包", "pack")}}
KINDS = {"line": "number", "scope": "text", "strict": "flag", "vehicles": "list", "ceiling": "number"}


def check(text: str) -> tuple[Expression | None, str]:
    said: list[str] = []
    found = check_expression(text, Scope(COLUMNS, KINDS), lambda wrong, right: said.append(f"{wrong}。{right}"))
    assert bool(found) != bool(said), "an expression is either accepted or complained of"
    return found, "\n".join(said)


@pytest.mark.parametrize(("constants", "accepted"), [(297, True), (298, False)])
def test_a_condition_may_have_three_hundred_parts_and_not_one_more(constants: int, accepted: bool) -> None:
    """Beside the constants: IN, the column, and its name."""
    found, said = check(f"size IN ({','.join(['1'] * constants)})")
    assert bool(found) is accepted
    assert ("301 个成分" in said and "不超过 300 个成分" in said) is not accepted


def judge(text: str, values: str, **parameters: object) -> bool | None:
    found, said = check(text)
    assert found is not None, said
    bound = to_sql(bind(found, {name: (KINDS[name], value) for name, value in parameters.items()}))  # type: ignore[misc]
    with locked_connection() as connection:
        row = connection.execute(f"SELECT {bound} FROM (SELECT {values})").fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "text",
    [
        "income < standard AND NOT listed",
        "income >= $line * standard OR (urban AND size > 3)",
        "kind IN ('甲', '乙') AND NOT kind = '丙' AND kind <> $scope",
        "size BETWEEN 1 AND 3 AND checked <= since",
        "income / nullif(size, 0) > 100 AND abs(income - standard) <= 0.01 AND income / 12 < -1",
        "$ceiling IS NULL OR income < $ceiling * standard",
        "$strict AND listed = urban",
        "$line * 12 < 4000",
        "income < standard -- and nothing else\n",
    ],
)
def test_a_plain_condition_is_accepted(text: str) -> None:
    found, said = check(text)
    assert found is not None, said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "income <",
        "income < standard; DROP TABLE household",
        "listed; listed",
        "listed) FROM household; DROP TABLE household; --",
        "true) UNION SELECT (true",
        "SELECT true",
        "income < (SELECT max(income) FROM household)",
        "EXISTS (SELECT 1)",
        "size > 5 = false",
        "1 < size < 5",
        "income IN (SELECT income FROM household)",
        "income < ANY (SELECT 1)",
        "listed AND (SELECT true FROM read_text('/etc/passwd'))",
        "read_text('/etc/passwd') = 'x'",
        "getenv('HOME') = '/root'",
        "kind = current_setting('home_directory')",
        "max(income) > 3",
        "row_number() OVER () > 3",
        "sum(income) OVER (PARTITION BY kind) > 3",
        "COLUMNS(*) > 3",
        "*",
        "list_transform([1], x -> x) = [1]",
        "[income][1] > 3",
        "{'a': income}.a > 3",
        "household.income > 3",
        "income::INTEGER > 3",
        "CAST(kind AS INTEGER) > 3",
        "TRY_CAST(kind AS INTEGER) > 3",
        "checked > DATE '2020-01-01'",
        "checked > current_date",
        "checked + INTERVAL 1 DAY > since",
        "date_diff('day', checked, since) > 3",
        "kind LIKE '%甲%'",
        "kind SIMILAR TO 'a'",
        "regexp_matches(kind, 'a')",
        "lower(kind) = 'a'",
        "kind || 'x' = 'ax'",
        "kind COLLATE nocase = 'a'",
        "coalesce(listed, true)",
        "ifnull(income, 0) < standard",
        "nvl(income, 0) < standard",
        "income IS NULL",
        "listed IS NOT NULL",
        "listed IS TRUE",
        "listed IS NOT TRUE",
        "(income < standard) IS NULL",
        "income IS DISTINCT FROM standard",
        "income IS NOT DISTINCT FROM standard",
        "CASE WHEN listed THEN true ELSE false END",
        "IF(listed, true, false)",
        "nullif(income, 0) > 3",
        "listed = NULL",
        "income / size > 3",
        "income / 0 > 3",
        "income / 0.0 > 3",
        "income / nullif(size, 1) > 3",
        "income / $line > 3",
        "income % 2 = 1",
        "income // 2 = 1",
        "income ** 2 > 1",
        "size & 1 = 1",
        "income",
        "'abc'",
        "1",
        "$line",
        "NULL",
        "income < '5'",
        "income < kind",
        "kind < 'b'",
        "kind = 5",
        "listed = 1",
        "listed < urban",
        "NOT income",
        "income AND listed",
        "checked - since > 3",
        "size IN ('1', '2')",
        "size IN (income, 2)",
        "size IN ()",
        "kind IN $scope",
        "kind IN $vehicles",
        "kind = $vehicles",
        "$vehicles IS NULL",
        "$1 > 3",
        "? > 3",
        "income < $lien",
        "incom < standard",
        "income AS x",
        "income < standard, listed",
        "(income, size) = (1, 2)",
        "income < 0x1F",
        "kind = E'a\\n'",
        "kind = $$a$$",
        "kind->>'a' = 'b'",
        "listed\0",
        "(" * 4000 + "listed" + ")" * 4000,
        " AND ".join(["listed"] * 400),
        "NOT " * 500 + "listed",
    ],
)
def test_anything_else_is_refused_with_a_reason(text: str) -> None:
    found, said = check(text)
    assert found is None and said


def test_a_misspelt_name_is_answered_with_the_near_one() -> None:
    assert "您是否要写 income" in check("incom < standard")[1]
    assert "您是否要写 line" in check("income < $lin")[1]


def test_every_fault_of_one_condition_is_told() -> None:
    said = check("incom < standard AND coalesce(urban, true) AND kind LIKE 'a'")[1]
    assert "coalesce" in said.lower() and "Like" in said
    said = check("incom < standard AND sizes > 3 AND income < '5'")[1]
    assert "incom" in said and "sizes" in said and "类型不合" in said


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="abincomelsturd $()<>=;'\"*,./-+%_0123456789\n", max_size=60))
def test_no_text_gets_past_as_more_than_one_boolean_expression(text: str) -> None:
    found, _ = check(text)
    if found is None:
        return
    parameters = {name: (KINDS[name], None) for name in found.parameters}
    row = ", ".join(f'NULL::{column.type} AS "{name}"' for name, column in COLUMNS.items())
    with locked_connection() as connection:
        query = f"SELECT {to_sql(bind(found, parameters))} FROM (SELECT {row})"
        assert [kind for _, kind, *_ in connection.execute(f"DESCRIBE {query}").fetchall()] == ["BOOLEAN"]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("income < standard", "1 AS income, 2 AS standard", True),
        ("income < standard", "2 AS income, 2 AS standard", False),
        ("income < standard", "NULL::INTEGER AS income, 2 AS standard", None),
        ("income < standard AND listed", "NULL::INTEGER AS income, 2 AS standard, false AS listed", False),
        ("income < standard OR listed", "NULL::INTEGER AS income, 2 AS standard, true AS listed", True),
        ("NOT listed", "NULL::BOOLEAN AS listed", None),
        ("income / nullif(size, 0) > 1", "5 AS income, 0 AS size", None),
        ("size - 1 - 1 = 1 AND size / 2 / 3 = 0.5 AND NOT (size > 5 OR size < 2)", "3 AS size", True),
        ("NOT (size > 5) = false", "3 AS size", False),
        ("NOT listed = urban", "true AS listed, false AS urban", True),
        ("listed OR urban AND size > 5", "true AS listed, false AS urban, 1 AS size", True),
        ("- size < 0 AND size - -1 = 4", "3 AS size", True),
    ],
)
def test_three_outcomes_and_the_order_of_operators(text: str, values: str, expected: bool | None) -> None:
    assert judge(text, values) is expected
    with locked_connection() as connection:
        assert connection.execute(f"SELECT {text} FROM (SELECT {values})").fetchone() == (expected,)


def test_a_ceiling_that_is_none_is_policy_and_not_an_unknown() -> None:
    from decimal import Decimal

    text = "$ceiling IS NULL OR income < $ceiling * standard"
    assert judge(text, "3 AS income, 2 AS standard", ceiling=None) is True
    assert judge(text, "3 AS income, 2 AS standard", ceiling=Decimal("1.5")) is False
    assert judge(text, "2.99 AS income, 2 AS standard", ceiling=Decimal("1.5")) is True
    assert judge("income > $line", "0 AS income", line=Decimal("-0.50")) is True
    assert judge("kind = $scope", "'a''b' AS kind", scope="a'b") is True


def test_the_locked_connection_reads_no_file_and_keeps_its_settings(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with locked_connection() as connection:
        for forbidden in (
            f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/other.duckdb'",
            "INSTALL httpfs",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(forbidden)
        assert connection.execute("SELECT 1 / 0").fetchone() == (None,)


RULE = """
kind = "gap"
subject = "household"
department = "民政"
title = { zh = "低于标准", en = "Below the standard" }
[[version]]
when = "income < standard AND listed AND $dibao_exit_months > 0"
level = "red"
level_when = [{ level = "yellow", when = "urban" }]
clause = { RC = "一（二）", MF = "二（二）" }
also = ["checked"]
needs = ["monitor.line"]
[version.reason]
zh = "收入{income: # 元}，低于{urban:城市|农村|}标准 {standard} 元，{kind}，{listed}，{checked:month}，{$rigid_share:%}，限 {days} 天。"
en = "Income {income:# yuan|not known}, {urban:urban|rural|}, {kind}, {listed}, {checked}, {$rigid_share}, {days} days."
[[case]]
name = "低于标准"
given = { income = 499.99, standard = 500, listed = true }
expect = "hit"
level = "red"
"""


def write_rule(home: Path, text: str, code: str = "LOCAL-ONE") -> Path:
    folder = home / "policy" / "rules"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{code}.toml").write_text(text, encoding="utf-8")
    return home


@pytest.fixture
def own_rules_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home whose rules are the only ones, over the small snapshot of this module."""
    shipped = tmp_path / "shipped"
    (shipped / "rules").mkdir(parents=True)
    (shipped / "packs").symlink_to(Path("data/policy/packs").resolve())
    monkeypatch.setattr("monitoring.policy.SHIPPED", shipped)
    monkeypatch.setattr("monitoring.rules.loading.SHIPPED", shipped)
    return tmp_path / "home"


def load_one(home: Path, text: str = RULE, pack: str = "national-2020", day: date = DAY) -> CompiledRule:
    packs, rules = load_policy(write_rule(home, text), SNAPSHOTS)
    return compile_rules(rules, packs[pack].in_force(day), day, SNAPSHOTS)[0]


def said_of(rule: CompiledRule, values: str) -> tuple[object, ...]:
    rest = ", ".join(f'NULL::{c.type} AS "{name}"' for name, c in COLUMNS.items() if f" AS {name}" not in values)
    asked = (rule.condition_sql, rule.level_sql, rule.evidence_sql, rule.message_sql("zh"), rule.message_sql("en"))
    with locked_connection() as connection:
        found = connection.execute(f"SELECT {', '.join(asked)} FROM (SELECT {values}, {rest})").fetchone()
    assert found is not None
    return found


def test_a_compiled_rule_knows_what_it_reads(own_rules_only: Path) -> None:
    rule = load_one(own_rules_only)
    assert rule.inputs == ("income", "standard", "listed")
    assert (rule.level_inputs, rule.levels) == (("urban",), ("red", "yellow"))
    assert rule.shown == ("income", "standard", "listed", "urban", "checked", "kind")
    assert list(rule.parameters) == ["dibao.exit_months", "monitor.line", "rigid.share"]
    assert (rule.kind, rule.subject, rule.record, rule.department) == ("gap", "household", "", "民政")
    assert len(rule.sha256) == 64 and rule.disabled == ()


def test_evidence_is_json_in_order_with_plain_numbers(own_rules_only: Path) -> None:
    rule = load_one(own_rules_only)
    values = (
        "431.25::DECIMAL(18,6) AS income, 500::DECIMAL(14,2) AS standard, true AS listed, "
        "'a\"b\n甲\\' AS kind, DATE '2026-05-01' AS checked"
    )
    outcome, level, evidence, _, _ = said_of(rule, values)
    assert (outcome, level) == (True, "red")
    assert evidence == (
        '{"income": 431.25, "standard": 500, "listed": true, "kind": "a\\"b\\n甲\\\\", "urban": null, '
        '"checked": "2026-05-01", "$dibao.exit_months": 6, "$monitor.line": 6000, "$rigid.share": 0.6}'
    ).replace(
        '"kind": "a\\"b\\n甲\\\\", "urban": null, "checked": "2026-05-01"',
        ('"urban": null, "checked": "2026-05-01", "kind": "a\\"b\\n甲\\\\"'),
    )
    assert json.loads(str(evidence))["kind"] == 'a"b\n甲\\'


def test_companions_stand_beside_their_column_where_known(own_rules_only: Path) -> None:
    rule = load_one(own_rules_only)
    _, _, evidence, _, _ = said_of(rule, "1::DECIMAL(18,6) AS income, 'check' AS source")
    assert list(json.loads(str(evidence)))[:3] == ["income", "source", "standard"]
    _, _, evidence, _, _ = said_of(rule, "1::DECIMAL(18,6) AS income")
    assert list(json.loads(str(evidence)))[:2] == ["income", "standard"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0", "0"),
        ("100", "100"),
        ("1000000.5", "1000000.5"),
        ("-20.10", "-20.1"),
        ("0.000001", "0.000001"),
        ("10.01", "10.01"),
    ],
)
def test_numbers_read_without_trailing_zeros(own_rules_only: Path, number: str, text: str) -> None:
    _, _, evidence, _, _ = said_of(load_one(own_rules_only), f"{number}::DECIMAL(18,6) AS income")
    assert str(evidence).startswith(f'{{"income": {text}, ')


def test_a_sentence_says_unknown_and_uses_words(own_rules_only: Path) -> None:
    rule = load_one(own_rules_only)
    *_, zh, en = said_of(rule, "500::DECIMAL(14,2) AS standard, false AS listed, DATE '2026-05-01' AS checked")
    assert zh == "收入不明，低于标准 500 元，不明，否，2026-05，60%，限 3 天。"
    assert en == "Income not known, , unknown, no, 2026-05-01, 0.6, 3 days."
    *_, zh, en = said_of(rule, "431.256::DECIMAL(18,6) AS income, true AS urban, '甲' AS kind, true AS listed")
    assert zh == "收入 431.26 元，低于城市标准 不明 元，甲，是，不明，60%，限 10 天。"
    assert en == "Income 431.26 yuan, urban, 甲, yes, unknown, 0.6, 10 days."


def test_the_level_is_the_first_that_is_true_and_unknown_keeps_the_rules_own(own_rules_only: Path) -> None:
    rule = load_one(own_rules_only)
    assert [said_of(rule, f"{value}::BOOLEAN AS urban")[1] for value in ("true", "false", "NULL")] == [
        "yellow",
        "red",
        "red",
    ]


def test_an_off_parameter_disables_the_rule_and_none_does_not(own_rules_only: Path) -> None:
    off = RULE.replace('"monitor.line"', '"aid.emergency_working_days"')
    assert load_one(own_rules_only, off).disabled == ("aid.emergency_working_days",)
    assert load_one(own_rules_only, off, "caojie-2024").disabled == ()
    none = RULE.replace('"monitor.line"', '"dibao.exit_ceiling"')
    rule = load_one(own_rules_only, none)
    assert rule.disabled == () and '"$dibao.exit_ceiling": null' in str(said_of(rule, "1 AS size")[2])


def test_the_clause_is_the_packs_own_then_the_extended_ones_then_a_reference(own_rules_only: Path) -> None:
    clauses = {pack: load_one(own_rules_only, RULE, pack).clause for pack in ("rongchang-2018", "caojie-2024", "demo")}
    assert clauses["rongchang-2018"].startswith("荣昌区") and clauses["rongchang-2018"].endswith(" 一（二）")
    assert clauses["caojie-2024"] == clauses["demo"] == "民发〔2020〕18号 二（二）"
    own = RULE.replace('clause = { RC = "一（二）", MF = "二（二）" }', 'clause = { CJ = "二（七）", RC = "三（一）" }')
    assert load_one(own_rules_only, own, "demo").clause == "草街办发〔2024〕54号 二（七）"
    assert load_one(own_rules_only, own, "mangshi-2021").clause == "参照 草街办发〔2024〕54号 二（七）"
    practice = RULE.replace('clause = { RC = "一（二）", MF = "二（二）" }', 'clause = { practice = "常用做法" }')
    assert load_one(own_rules_only, practice).clause == "常用做法"


TWO_VERSIONS = RULE.replace(
    "[[version]]",
    '[[version]]\nuntil = 2025-12-31\nwhen = "listed"\nlevel = "blue"\nclause = { MF = "一" }\n'
    'reason = { zh = "旧", en = "old" }\n[[version]]\nfrom = 2026-02-01',
)


def test_a_version_holds_on_its_own_days_only(own_rules_only: Path) -> None:
    assert load_one(own_rules_only, TWO_VERSIONS, day=date(2025, 12, 31)).levels == ("blue",)
    assert load_one(own_rules_only, TWO_VERSIONS, day=date(2026, 2, 1)).levels == ("red", "yellow")
    packs, rules = load_policy(own_rules_only, SNAPSHOTS)
    assert compile_rules(rules, packs["demo"].in_force(date(2026, 1, 15)), date(2026, 1, 15), SNAPSHOTS) == []


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ('kind = "gap"', 'kind = "gaps"', "kind = 'gaps'"),
        ('subject = "household"', 'subject = "house"', "subject"),
        ('subject = "household"', 'subject = "record"', "record 缺失"),
        ('subject = "household"', 'subject = "household"\nrecord = "payments"', "不写 record"),
        ('department = "民政"', 'departement = "民政"', "您是否要写 department"),
        (', en = "Below the standard"', "", "中英文"),
        ('level = "red"\nlevel_when', 'level = "crimson"\nlevel_when', "crimson"),
        ("income < standard AND", "income < standards AND", "您是否要写 standard"),
        ("$dibao_exit_months", "$dibao_exit_month", "您是否要写 dibao_exit_months"),
        ('when = "urban"', 'when = "urban + 1"', "类型不合"),
        ('clause = { RC = "一（二）", MF = "二（二）" }', "", "clause 缺失"),
        ("RC = ", "RX = ", "没有文件 RX"),
        ('MF = "二（二）"', 'MF = ""', "clause 缺失或为空"),
        ('also = ["checked"]', 'also = ["check"]', "您是否要写 checked"),
        ('needs = ["monitor.line"]', 'needs = ["monitor_line"]', "您是否要写 monitor.line"),
        ("{standard} 元", "{standards} 元", "句子中没有列 standards"),
        ("{$rigid_share:%}", "{$rigid_shares:%}", "句子中没有参数 $rigid_shares"),
        ("{$rigid_share:%}", "{$rigid_share:5}", "读不懂"),
        ("{checked:month}", "{kind:month}", "不能按 :month"),
        ("{urban:城市|农村|}", "{kind:城市|农村}", "只用于是否"),
        ("{kind}，{listed}", "{kind，{listed}", "花括号不成对"),
        ("given = { income = 499.99", "given = { incom = 499.99", "given 中没有 incom"),
        ('expect = "hit"', 'expect = "yes"', "expect"),
        ('expect = "hit"', 'expect = "hit"\npack = "demos"', "demos"),
        (
            "[[version]]",
            '[[version]]\nwhen = "listed"\nlevel = "red"\nclause = { MF = "一" }\nreason = { zh = "a", en = "b" }\n[[version]]',
            "重叠",
        ),
        ("[[version]]", "[[versions]]", "没有 [[version]]"),
    ],
)
def test_a_faulty_rule_is_refused(own_rules_only: Path, old: str, new: str, wrong: str) -> None:
    assert old in RULE
    with pytest.raises(PolicyError) as caught:
        load_policy(write_rule(own_rules_only, RULE.replace(old, new, 1)), SNAPSHOTS)
    assert "LOCAL-ONE.toml" in str(caught.value) and wrong in str(caught.value)


def test_complaints_of_rules_and_packs_come_together(own_rules_only: Path) -> None:
    write_rule(own_rules_only, RULE.replace("income <", "incom <"), "LOCAL-A")
    write_rule(own_rules_only, RULE.replace('"red"', '"pink"'), "LOCAL-B")
    packs = own_rules_only / "policy" / "packs"
    packs.mkdir()
    (packs / "county.toml").write_text('extends = "demo"\n', encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policy(own_rules_only, SNAPSHOTS)
    assert {c.file for c in caught.value.complaints} == {"LOCAL-A.toml", "LOCAL-B.toml", "county.toml"}


def test_what_only_fails_when_run_is_found_on_trial_rows(own_rules_only: Path) -> None:
    with pytest.raises(PolicyError, match="样行"):
        load_policy(write_rule(own_rules_only, RULE.replace("income <", "size * 2000000000 * 2 <")), SNAPSHOTS)


def test_cases_tell_what_came_instead(own_rules_only: Path) -> None:
    wrong = (
        RULE
        + '[[case]]\nname = "写错的例子"\ngiven = { income = 500, standard = 500, listed = true }\nexpect = "hit"\n'
    )
    wrong += '[[case]]\nname = "级别写错"\ngiven = { income = 1, standard = 500, listed = true, urban = true }\n'
    wrong += 'expect = "hit"\nlevel = "red"\n'
    wrong += '[[case]]\nname = "缺收入"\ngiven = { standard = 500, listed = true }\nexpect = "unknown"\n'
    packs, rules = load_policy(write_rule(own_rules_only, wrong), SNAPSHOTS)
    results = run_cases(rules, packs, SNAPSHOTS)
    assert [(r.holds, r.got, r.level) for r in results] == [
        (True, "hit", "red"),
        (False, "clear", ""),
        (False, "hit", "yellow"),
        (True, "unknown", ""),
    ]
    assert "应为命中，实为未命中" in result_lines(results)[1] and "2 个不符" in result_lines(results)[-1]


def test_a_case_in_a_pack_that_lacks_the_parameter_says_so(own_rules_only: Path) -> None:
    folder = own_rules_only / "policy" / "packs"
    folder.mkdir(parents=True)
    (folder / "county.toml").write_text(
        'title = { zh = "县", en = "County" }\nextends = "demo"\n[[parameter]]\nname = "county.line"\n'
        'unit = { zh = "元", en = "yuan" }\nmeaning = { zh = "线", en = "line" }\n'
        '[[parameter.value]]\nvalue = 5\nclause = "本县"\n',
        encoding="utf-8",
    )
    own = RULE.replace("listed AND", "listed AND income > $county_line AND", 1)
    own += '[[case]]\nname = "另设线"\ngiven = { income = 8, standard = 500, listed = true }\n'
    own += 'parameters = { county_line = 9 }\npack = "county"\nexpect = "clear"\n'
    packs, rules = load_policy(write_rule(own_rules_only, own), SNAPSHOTS)
    first, second = run_cases(rules, packs, SNAPSHOTS)
    assert not first.holds and "$county_line" in first.problem and second.holds


def test_a_home_replaces_a_shipped_rule_and_adds_one(tmp_path: Path) -> None:
    own = RULE.replace("income <", "income_pc <").replace("{income:", "{income_pc:").replace("listed", "any_dibao")
    own = (
        own.replace("{kind}", "{monitored_kind}")
        .replace("checked", "income_check_date")
        .replace("income = 4", "income_pc = 4")
    )
    write_rule(tmp_path, own, "GAP-DIBAO")
    write_rule(tmp_path, own, "LOCAL-TWO")
    shipped = load_policy()[1]
    rules = load_policy(tmp_path)[1]
    assert set(rules) == {*shipped, "LOCAL-TWO"}
    assert rules["GAP-DIBAO"].title.zh == "低于标准" and shipped["GAP-DIBAO"].title.zh != "低于标准"


def test_what_the_command_line_prints(tmp_path: Path) -> None:
    packs, rules = load_policy()
    rows = rule_rows(rules, packs["national-2020"], DAY)
    assert len(rows) == len(rules)
    assert [row[0] for row in rows if row[6] != "有效"] == ["EXIT-HOME-RECENT", "PROC-EMERGENCY"]
    lines = "\n".join(rule_lines(rules["GAP-TEKUN"], packs["demo"], DAY))
    assert "tekun.minor_age = 18 岁" in lines and "草街" not in lines.split("依据")[1].split("\n")[0].replace(
        "参照", ""
    )
    assert ("demo", "示例县", "—", "caojie-2024", "3", "41") in pack_rows(packs)
    assert [row[0] for row in diff_rows(packs["caojie-2024"], packs["demo"], DAY)][-1] == "monitor.line"
    assert check_lines(tmp_path)[0] is True
    write_rule(tmp_path, RULE)
    well, said = check_lines(tmp_path)
    assert not well and any("LOCAL-ONE.toml" in line and "income" in line for line in said)
