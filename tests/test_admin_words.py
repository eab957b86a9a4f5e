"""What the journal's page says: no code of the program stands on it, whatever a service writes into the journal."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from monitoring.language import Language
from monitoring.pages.admin_words import DETAILS, OBJECTS, detail_words, event_words, object_asked, object_words

ROOT = Path(__file__).parents[1]
ZH = Language("zh")
CODE = re.compile("[a-z_]{3,}")


def written() -> Iterator[ast.Call]:
    """Every place that writes a row."""
    for folder in ("monitoring", "pipelines"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "journal":
                    yield node


def test_every_key_that_a_service_writes_has_words() -> None:
    keys = {word.arg for call in written() for word in call.keywords if word.arg}
    assert sorted(keys - DETAILS.keys()) == [] and len(keys) > 40


def test_every_event_and_object_has_words() -> None:
    events = {str(call.args[0].value) for call in written() if call.args and isinstance(call.args[0], ast.Constant)}
    assert len(events) > 30
    assert [event for event in events if CODE.search(event_words(event, ZH)) or event_words(event, ZH) == "其他"] == []
    for kind in OBJECTS:
        assert not CODE.search(object_words(f"{kind}:12", ZH)) and object_asked(object_words(f"{kind}:12", ZH), ZH) in (f"{kind}:12", kind)  # fmt: skip
    assert object_words("report:monthly:2026-11", ZH) == "报表 月报 2026-11"
    assert object_asked("alert:7", ZH) == "alert:7"


def test_codes_beside_an_event_are_said_in_words() -> None:
    told = {
        "outcome": "L",
        "finding": "not_so",
        "channel": "hotline",
        "level": "red",
        "role": "county_staff",
        "what": "report.monthly",
    }
    said = detail_words(json.dumps(told), ZH)
    assert said == "结论：核实无困难；走访结论：情况不属实；来源：12345热线；级别：红；角色：县级工作人员；内容：月报"
    broken = {"facts": [{"what": "x9", "set": 3, "now": ["visited"]}]}
    assert detail_words(json.dumps(broken), ZH) == "不再相符：内容：x9、项：3、现在：走访核清"
