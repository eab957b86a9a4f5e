"""The English interface is a full translation: every Chinese text of the code has one, with the same slots and no Chinese."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polib
import pytest

from monitoring.feeds import load_feeds
from monitoring.labels import parameter_words
from monitoring.language import LOCALE, Language, catalogue, number, rounded, share, unnested

ROOT = Path(__file__).parents[1]
CHINESE = re.compile("[\u3400-\u9fff]")
SAID_IN = ["app.py", *(f"monitoring/{name}.py" for name in ("labels", "checklist", "language", "ui"))]
SAID_BELOW = ("pages", "queries", "charts")
IN_SQL = ("select ", "case ", "concat_ws", "contains(", "||", " = '")


def texts(file: Path) -> Iterator[str]:
    """The Chinese texts of a module, without its docstrings, pieces of f-strings and SQL."""
    tree = ast.parse(file.read_text("utf-8"))
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        ):
            skipped.add(id(node.body[0].value))
        if isinstance(node, ast.JoinedStr):
            skipped.update(id(value) for value in node.values)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in skipped:
            continue
        if CHINESE.search(node.value) and not any(mark in node.value for mark in IN_SQL):
            yield node.value


def said() -> list[str]:
    files = [ROOT / name for name in SAID_IN]
    files += [file for folder in SAID_BELOW for file in sorted((ROOT / "monitoring" / folder).rglob("*.py"))]
    return sorted({text for file in files for text in texts(file)})


def test_every_text_has_its_english() -> None:
    english = catalogue("en")
    assert [text for text in said() if text not in english] == []


def test_feeds_departments_and_codes_have_theirs() -> None:
    english = catalogue("en")
    wanted = {word for feed in load_feeds(None).values() for word in (feed.title, feed.department)}
    wanted |= {str(code) for feed in load_feeds(None).values() for column in feed.columns for code in column.codes}
    assert sorted(word for word in wanted if CHINESE.search(word) and word not in english) == []


def test_english_keeps_the_slots_and_has_no_chinese() -> None:
    slots = re.compile(r"\{(\w+)\}")
    for chinese, english in catalogue("en").items():
        assert set(slots.findall(chinese)) == set(slots.findall(english)), chinese
        assert not CHINESE.search(english), english


def test_no_text_is_translated_twice() -> None:
    entries = [entry for file in sorted(LOCALE.rglob("*.po")) for entry in polib.pofile(str(file))]
    assert [text for text, times in Counter(entry.msgid for entry in entries).items() if times > 1] == []


def test_unknown_is_said_in_both_languages() -> None:
    assert (Language("zh").value(None), Language("en").value(None)) == ("不明", "unknown")
    assert Language("xx").code == "zh"


@pytest.mark.parametrize(
    ("value", "zh", "en"), [(999, "999", "999"), (12_801, "1.28万", "12.8k"), (3_456_000, "346万", "3.46M")]
)
def test_tiles_have_three_figures(value: int, zh: str, en: str) -> None:
    assert (Language("zh").compact(value), Language("en").compact(value)) == (zh, en)


def test_a_share_is_never_rounded_up_to_all() -> None:
    assert (share(9999, 10000), share(1, 1), share(0, 0)) == ("99.9%", "100.0%", "")
    assert number(1234.5) == "1,234.5" and number(1200) == "1,200"


@pytest.mark.parametrize(
    ("value", "unit", "zh", "en"),
    [
        (Decimal("650.00"), "元/人·月", "650 元/人·月", "650 yuan a head and month"),
        ("0.3", "占比（0–1）", "30%", "30%"),
        (Decimal("0.0"), "占比（0–1）", "0%", "0%"),
        ("low-income", "户的范围", "低收入家庭", "low-income family"),
        ("汽车、摩托车", "车辆类型", "汽车、摩托车", None),
        ([3, 4], "残疾等级", "3、4 残疾等级", None),
        (True, "是/否", "是", "yes"),
        ("停用", "工作日", "已停用", "disabled"),
        (None, "元/年", "无", "none"),
        ("1.5", "", "1.5", "1.5"),
    ],
)
def test_a_parameter_is_said_with_its_unit_and_never_as_a_code(value: Any, unit: str, zh: str, en: str | None) -> None:
    assert parameter_words(value, unit, Language("zh")) == zh
    said = parameter_words(value, unit, Language("en"))
    assert not CHINESE.search(said) and (en is None or said.lower() == en), said


def test_halves_are_rounded_away_from_zero_as_people_round() -> None:
    assert [number(value) for value in (0.125, 2.675, -0.125, Decimal("1234.565"), 0.004, -0.001, 1e15)] == [
        "0.13", "2.68", "-0.13", "1,234.57", "0", "0", "1,000,000,000,000,000",
    ]  # fmt: skip
    assert [share(*of) for of in ((1, 8), (1, 16), (9999, 10000), (1, 1), (0, 3))] == [
        "12.5%",
        "6.3%",
        "99.9%",
        "100.0%",
        "0.0%",
    ]
    zh, en = Language("zh"), Language("en")
    assert [zh.compact(n) for n in (9999.5, 12_345, 12_350, 123_500_000)] == ["10,000", "1.23万", "1.24万", "1.24亿"]
    assert [en.compact(n) for n in (12_350, 1_235_000)] == ["12.4k", "1.24M"]
    assert int(rounded(2.5, 0)) == 3 and int(rounded(3.5, 0)) == 4


def test_sentences_that_are_joined_keep_one_full_stop() -> None:
    assert Language("zh").clauses(["请写明理由。", "请核对。"]) == "请写明理由；请核对。"
    assert Language("zh").clauses(["一", "二"]) == "一；二" and Language("zh").clauses([]) == ""


def test_brackets_within_brackets_are_of_another_kind() -> None:
    zh = Language("zh")
    assert (
        zh("期限是次月 {day} 日（{clause}）；", day=5, clause="常用做法（每月5日前）")
        == "期限是次月 5 日（常用做法〔每月5日前〕）；"
    )
    assert zh.aside("农户（居民户）台账", "3（2）") == "农户（居民户）台账（3〔2〕）"
    assert unnested("a) b (c (d) e) f") == "a) b (c [d] e) f"


def test_one_thing_is_said_in_the_singular() -> None:
    en = Language("en")
    assert en("{n} 天", n=1) == "1 day" and en("{n} 天", n=2) == "2 days" and en("{n} 天", n=21) == "21 days"
    assert en("还有 {n} 个工作日", n=1) == "1 working day left"
