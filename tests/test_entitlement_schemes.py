"""The scheme files: read strictly, complete in both languages, and naming the rules that judge."""

from __future__ import annotations

import random
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from monitoring.entitlement import logic
from monitoring.entitlement.amounts import difference, rate
from monitoring.entitlement.binding import bound
from monitoring.entitlement.facts import COLUMNS
from monitoring.entitlement.judging import Judge
from monitoring.entitlement.loading import load_schemes
from monitoring.entitlement.schemes import Amount
from monitoring.queries.conditions import Parameter
from monitoring.rules import load_policy
from monitoring.strict_toml import Bilingual, PolicyError
from monitoring.warehouse import Warehouse

CHINESE = re.compile("[\u3400-\u9fff]")
ASK_TO_LOOK = {
    "GAP-AT-RISK": "names no scheme: somebody has to look which one is due",
    "GAP-CARERS": "about an institution",
    "GAP-GUARDIAN": "a guardian is a duty of the village, no scheme that is applied for",
    "GAP-REPEAT-AID": "names no scheme: somebody has to look whether dibao is due",
    "GAP-AFTER-EXIT": "names no scheme: somebody has to look which one is due",
    "GAP-WANDERER": "placing somebody who is lost is a duty, no scheme that is applied for",
}


def test_the_shipped_schemes_load_in_their_order() -> None:
    found = load_schemes(None).schemes
    assert [scheme.key for scheme in found][:3] == ["dibao", "dibao-single", "tekun"] and len(found) >= 20
    assert [scheme.order for scheme in found] == sorted({scheme.order for scheme in found})


def test_every_gap_rule_is_named_by_a_scheme_or_asks_only_to_look() -> None:
    named = {code for scheme in load_schemes(None).schemes for code in scheme.rules}
    gaps = {code for code in load_policy()[1] if code.startswith("GAP-")}
    short = {"GAP-TEKUN-AMOUNT"}  # too little is paid: the tekun row shows what is due beside what is paid
    assert gaps - named == ASK_TO_LOOK.keys() | short and named <= set(load_policy()[1])


def test_every_text_is_there_in_both_languages() -> None:
    schemes = load_schemes(None)
    texts = [text for scheme in schemes.schemes for text in (scheme.title, scheme.note, scheme.unrecorded) if text]
    texts += [paper.what for scheme in schemes.schemes for paper in scheme.papers]
    texts += [text for given in schemes.inputs.values() for text in given.words.values()]
    texts += [apart.says for apart in schemes.apart]
    for scheme in schemes.schemes:
        told = [scheme.missing, scheme.received or {}, *(exclusion.because for exclusion in scheme.exclusions)]
        texts += [Bilingual(text["zh"].text, text["en"].text) for text in told if text]
        assert scheme.clause and all(paper.clause for paper in scheme.papers)
    for text in texts:
        assert CHINESE.search(text.zh) and text.en and not CHINESE.search(text.en), text


def test_no_two_schemes_are_put_apart_twice_and_all_that_pay_are_ranked() -> None:
    schemes = load_schemes(None)
    pairs = [frozenset(apart.schemes) for apart in schemes.apart]
    assert len(set(pairs)) == len(pairs) and all(len(pair) == 2 for pair in pairs)
    assert {key for pair in pairs for key in pair} <= set(schemes.rank)


BROKEN = """
order = "first"
subject = "household"
pays = "never"
title = { zh = "一项" }
rules = ["GAP-DIBAO"]
receives = "whole_household_dibaoo"
now = "size_of"
amount = { kind = "guess" }
clause = { XX = "一" }
missing = { zh = "{incom_pc}", en = "x" }
surplus = 1
[[exclusion]]
when = "income_pc + 1"
because = { zh = "一", en = "x" }
clause = { MF = "一" }
[[document]]
what = { zh = "一", en = "x" }
"""


def test_a_broken_scheme_is_refused_with_every_complaint_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "policy" / "schemes"
    folder.mkdir(parents=True)
    (folder / "broken.toml").write_text(BROKEN, encoding="utf-8")
    (folder / "_stacking.toml").write_text(
        'rank = ["dibaoo"]\n[[apart]]\nschemes = ["dibao"]\nbetween = "village"\nsays = { zh = "一", en = "x" }\nclause = { MF = "一" }\n',
        encoding="utf-8",
    )
    with pytest.raises(PolicyError) as refused:
        load_schemes(tmp_path)
    told = str(refused.value)
    for wrong in ("order", "pays", "title", "whole_household_dibaoo", "size_of", "guess", "XX", "incom_pc", "surplus",
                  "BOOLEAN", "clause 缺失", "dibaoo", "schemes 须写两项", "between"):  # fmt: skip
        assert wrong in told, wrong
    assert "broken.toml" in told and "_stacking.toml" in told and "您是否要写 whole_household_dibao" in told


def test_a_county_adds_a_scheme_and_replaces_another(tmp_path: Path) -> None:
    folder = tmp_path / "policy" / "schemes"
    folder.mkdir(parents=True)
    shipped = Path(__file__).parents[1] / "data" / "policy" / "schemes" / "measures.toml"
    (folder / "ours.toml").write_text(
        shipped.read_text("utf-8").replace("监测户帮扶措施", "本县一项"), encoding="utf-8"
    )
    (folder / "dwelling.toml").write_text(shipped.read_text("utf-8"), encoding="utf-8")
    found = {scheme.key: scheme for scheme in load_schemes(tmp_path).schemes}
    assert found["ours"].title.zh == "本县一项" and found["dwelling"].rules == ("GAP-NO-MEASURE",)


@pytest.mark.parametrize(
    ("standard", "persons", "year", "due"),
    [
        ("650", 3, "12000", 950),  # per head, rounded and multiplied back it would be 951
        ("650", 3, "12000.01", 950),
        ("650", 3, "11999.99", 951),  # a started yuan counts as one
        ("650", 1, "7800", 0),
        ("650", 1, "7799.99", 1),
        ("650", 1, "999999", 0),  # never below 0
        ("585.5", 2, "0", 1171),
        ("585", 7, "10000", 3262),  # 4095 - 833.33
        ("632", 800, "1000000.01", 422267),
    ],
)
def test_the_difference_sums_first_and_rounds_once(standard: str, persons: int, year: str, due: int) -> None:
    assert difference(Decimal(standard), persons, Decimal(year)) == due


def parameter(name: str, value: str) -> Parameter:
    return Parameter(name, value, "", "", "")


def test_a_rate_is_the_packs_or_unsaid() -> None:
    known = {"a_b": parameter("a.b", "93"), "a_u": parameter("a.u", "120"), "r": parameter("r", "1.3")}
    row = {"standard": Decimal("612.00"), "urban": True, "grade": 2, "care": "半护理", "yes": False}
    assert list(rate(Amount("fixed", "a.b"), row, known)) == [93, None]
    assert rate(Amount("fixed", "a.b", urban="a.u"), row, known)[0] == 120
    assert rate(Amount("fixed", "a.c"), row, known) == (None, None)
    assert rate(Amount("fixed", by="grade", choices={"2": "a.b"}), row, known)[0] == 93
    assert rate(Amount("fixed", by="grade", choices={"1": "a.b"}), row, known)[0] is None
    assert rate(Amount("fixed", by="yes", choices={"false": "a.b"}), row, known)[0] == 93
    ratio = Amount("ratio", "r", care_by="care", care={"半护理": "a.b"})
    assert list(rate(ratio, row, known)) == [Decimal("795.60"), 93]
    assert rate(Amount("fixed", "off"), row, {"off": parameter("off", "停用")})[0] is None


@pytest.mark.parametrize(
    ("sql", "row", "value"),
    [
        ("a AND b", {"a": None, "b": False}, False),
        ("a AND b", {"a": None, "b": True}, None),
        ("a OR b", {"a": None, "b": True}, True),
        ("a OR b", {"a": None, "b": False}, None),
        ("NOT a", {"a": None}, None),
        ("x < 2.5 * y", {"x": 5, "y": Decimal(2)}, False),
        ("x <= 2.5 * y", {"x": 5, "y": Decimal(2)}, True),
        ("x BETWEEN 1 AND 3", {"x": 3}, True),
        ("x BETWEEN 1 AND y", {"x": 0, "y": None}, False),
        ("t IN ('甲', '乙')", {"t": "丙"}, False),
        ("t IN ('甲', '乙')", {"t": None}, None),
        ("x / nullif(y, 0) > 1", {"x": Decimal(3), "y": 0}, None),
        ("abs(x - 5) = 2 AND -x < 0", {"x": 3}, True),
    ],
)
def test_a_condition_as_a_function_has_three_values(sql: str, row: dict[str, Any], value: bool | None) -> None:
    assert logic.valued(logic.parse(sql))(row) is value


def test_words_that_stand_for_a_condition_are_opened_also_inside_each_other() -> None:
    words = {"a": logic.parse("b AND x > 1"), "b": logic.parse("b OR y > 2")}
    opened = logic.valued(logic.put_in(logic.parse("NOT a"), words))
    assert opened({"b": False, "y": 3, "x": 2}) is False and opened({"b": False, "y": 2, "x": 2}) is True


TEXTS = {
    "support_form": ("分散供养", "集中供养"),
    "self_care": ("全自理", "半护理", "全护理"),
    "monitored_kind": ("未脱贫户", "脱贫户", "边缘易致贫户"),
}


def some_value(chance: random.Random, name: str, type_: str, near: list[Decimal]) -> Any:
    if type_ == "BOOLEAN":
        return chance.choice([True, False, None])
    if type_.startswith(("DECIMAL", "INTEGER", "BIGINT")):
        moved = max(chance.choice(near) + chance.choice([Decimal(-1), Decimal(0), Decimal(1)]), Decimal(0))
        return chance.choice([None, moved if type_.startswith("DECIMAL") else int(moved)])
    return chance.choice([None, *TEXTS.get(name, ())])


def test_whoever_is_excluded_is_told_why_and_nobody_who_is_due_is_excluded(warehouse: Warehouse) -> None:
    """Thousands of made-up rows around the lines: the schemes' own exclusions and their conditions are each other's rest."""
    known, chance = bound(warehouse), random.Random(7)
    near = [Decimal(n) for n in (0, 16, 18, 60, 90, 650, 975, 1950, 8800, 10000)]
    columns = {**COLUMNS["household"], **COLUMNS["person"]}
    made = [
        {name: some_value(chance, name, column.type, near) for name, column in columns.items()} for _ in range(3000)
    ]
    rows = [{**row, "alive": True, "standard": Decimal(650), "size": 2, **consistent(row)} for row in made]
    for one in known.bound:
        condition = one.question.answer
        seen = {True: 0, False: 0, None: 0}
        receives = logic.valued(logic.parse(one.asked.get("receives", "false")))
        for row in rows:
            answer = condition(row)
            seen[answer] += 1
            told = [e for e in one.exclusions if e.holds(row)]
            if answer is False and receives(row) is not True:
                assert told, (one.scheme.key, {name: row[name] for name in one.question.columns})
            # Where several ways lead in, what closes one of them may be so while another is open.
            if answer is True and len(one.scheme.rules) + ("entitled" in one.asked) == 1:
                assert not told, (one.scheme.key, {name: row[name] for name in one.question.columns})
        assert seen[False] and (seen[True] or seen[None]), one.scheme.key


def consistent(row: dict[str, Any]) -> dict[str, Any]:
    """The made-up facts as the snapshot would have them together: what follows from others follows."""
    young, old = row["age"] is not None and row["age"] < 18, row["age"] is not None and row["age"] >= 60
    fits = [row["barred_vehicles"] or 0, row["homes"] or 0, row["businesses"] or 0]
    home = row["recent_home"] or False
    listed = bool(row["monitored"]) and row["monitored_kind"] is not None
    removed, kind = bool(row["risk_removed"]), row["monitored_kind"]
    income = row["income_pc"]
    on_list = bool(row["any_low_income"] or row["any_rigid"])
    low = on_list or (listed and kind != "脱贫户" and not removed)
    return {
        "barred_vehicles": fits[0], "homes": fits[1], "businesses": fits[2], "recent_home": home,
        "property_fits": fits[0] == 0 and fits[1] <= 1 and not home and fits[2] == 0,
        "no_labour_or_minor": True if young or old else row["no_labour_or_minor"],
        "income_known": income is not None, "income_year_known": row["income_year"] is not None,
        "line_income": None if income is None else income * 12,
        "medical_left": None if row["income_year"] is None or row["medical_12m"] is None else row["medical_left"] or Decimal(0),
        **{name: bool(row[name]) for name in ("urban", "any_dibao", "any_tekun", "all_tekun", "any_rigid",
            "whole_household_dibao", "unescaped_household", "on_dibao", "on_tekun", "gradual_exit_started", "rise_from_work",
            "measures_missing", "renovation_begun", "orphan_or_unattended", "allowance_missing",
            "unemployed_graduate", "job_lost", "carer_missing", "home_safety", "at_risk_household")},
        "any_low_income": on_list, "monitored": listed, "risk_removed": removed,
        # Without any file of a feed nothing that it says is known.
        **({"medical_self_paid_12m": None, "medical_aid_12m": None, "seriously_ill": None} if row["major_disease"] is None else {}),
        "gradual_exit_over": bool(row["gradual_exit_started"] and row["gradual_exit_over"]),
        **({"education_aided": None} if row["studying"] is None else {}),
        "support_form": row["support_form"] or "分散供养",  # the feed has no row without it
        "at_risk": listed and kind != "脱贫户" and not removed,
        "low_income_household": True if low else None if income is None else income < 975,
    }  # fmt: skip


def test_a_rule_that_a_county_changed_still_says_what_fails(warehouse: Warehouse) -> None:
    one = next(one for one in bound(warehouse).bound if one.scheme.key == "disability-living")
    judge = Judge(bound(warehouse), {"size": 1, "tekun_members": 0, "standard": Decimal(650)}, [], None)
    row = {"alive": True, "has_certificate": True, "on_dibao": True, "living_subsidy_paid": True}
    text, clause = judge._reasons(one, row)[0]
    assert text.zh == "不符合““当月生活补贴已发”为否”" and "not so" in text.en and clause
