"""Packs: what is in force on a day, what differs, and that a faulty pack does not load."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from monitoring.policy import PolicyError, diff, load_packs
from monitoring.rules import compile_rules, load_policy

DAY = date(2026, 11, 30)
COUNTY = 'title = { zh = "本县", en = "Our county" }\nextends = "caojie-2024"\n'


def write_pack(home: Path, text: str, name: str = "county") -> Path:
    folder = home / "policy" / "packs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return home


def complaints_of(home: Path) -> str:
    with pytest.raises(PolicyError) as caught:
        load_packs(home)
    return str(caught.value)


def parameter(name: str, *values: str) -> str:
    return f'[[parameter]]\nname = "{name}"\n' + "".join(f"[[parameter.value]]\n{value}\n" for value in values)


@pytest.mark.parametrize(
    ("pack", "expected"),
    [
        ("national-2020", (500, 700, None, 6, 16, 6000)),
        ("rongchang-2018", (480, 600, 2, 6, 16, 6000)),
        ("mangshi-2021", (420, 640, None, 12, 18, 6000)),
        ("caojie-2024", (600, 740, Decimal("1.5"), 6, 18, 8000)),
        ("demo", (650, 800, Decimal("1.5"), 6, 18, 8800)),
    ],
)
def test_values_are_those_of_the_contract(pack: str, expected: tuple[object, ...]) -> None:
    names = ("dibao.standard_rural", "dibao.standard_urban", "dibao.exit_ceiling", "dibao.exit_months")
    parameters = load_packs()[pack].in_force(DAY)
    assert tuple(parameters.number(n) for n in (*names, "tekun.minor_age", "monitor.line")) == expected


def test_lists_texts_and_switches_keep_their_kind() -> None:
    packs = load_packs()
    mangshi, caojie = packs["mangshi-2021"].in_force(DAY), packs["caojie-2024"].in_force(DAY)
    assert mangshi.items_of("disability.severe_extra_grades") == (3, 4)
    assert packs["national-2020"].in_force(DAY).items_of("disability.severe_extra_grades") == ()
    assert caojie.items_of("property.vehicle_types") == ("汽车", "摩托车")
    assert caojie.text("dibao.single_scope") == "low-income"
    assert mangshi.flag("dibao.exit_needs_employment") and not caojie.flag("dibao.exit_needs_employment")
    assert caojie.whole("property.recent_home_years") == 3
    with pytest.raises(TypeError):
        caojie.whole("property.vehicle_types")


def test_off_and_none_are_not_the_same() -> None:
    national = load_packs()["national-2020"].in_force(DAY)
    assert national.is_off("aid.emergency_working_days") and national.number("aid.emergency_working_days") is None
    assert not national.is_off("dibao.exit_ceiling") and national.number("dibao.exit_ceiling") is None


def test_both_ends_of_a_span_are_included_and_outside_it_the_extended_pack_holds() -> None:
    mangshi, demo = load_packs()["mangshi-2021"], load_packs()["demo"]
    days = (date(2020, 12, 31), date(2021, 1, 1), date(2025, 12, 31), date(2026, 1, 1))
    assert [mangshi.in_force(day).flag("income.exclude_basic_pension") for day in days] == [False, True, True, False]
    found = mangshi.in_force(days[3])["income.exclude_basic_pension"]
    assert (found.from_pack, found.valid_until) == ("national-2020", None)
    assert demo.in_force(date(2026, 3, 31)).number("dibao.standard_rural") == 612
    assert demo.in_force(date(2026, 4, 1)).number("dibao.standard_rural") == 650


def test_a_value_names_its_document_and_clause() -> None:
    packs = load_packs()
    limit = packs["demo"].in_force(DAY)["aid.emergency_working_days"]
    assert (limit.clause, limit.citation) == ("CJ 二（七）", "草街办发〔2024〕54号 二（七）")
    referred = packs["national-2020"].in_force(DAY)["tekun.standard_ratio"]
    assert referred.citation.startswith("参照 荣昌区") and referred.citation.endswith("二（二）")
    assert packs["national-2020"].in_force(DAY)["rigid.share"].citation == "常用做法"


def test_diff_lists_only_values_that_differ() -> None:
    packs = load_packs()
    found = {d.name: (d.a and d.a.shown, d.b and d.b.shown) for d in diff(packs["caojie-2024"], packs["demo"], DAY)}
    assert found == {
        "dibao.standard_rural": ("600", "650"),
        "dibao.standard_urban": ("740", "800"),
        "monitor.line": ("8000", "8800"),
    }
    assert diff(packs["demo"], packs["demo"], DAY) == []


def test_a_home_adds_a_pack_and_replaces_one(tmp_path: Path) -> None:
    write_pack(tmp_path, COUNTY + parameter("dibao.standard_rural", 'value = 700\nclause = "本县〔2026〕3号"'))
    write_pack(tmp_path, COUNTY + parameter("monitor.line", 'value = 9000\nclause = "省定"'), "demo")
    packs = load_packs(tmp_path)
    assert packs["county"].in_force(DAY).number("dibao.standard_rural") == 700
    assert packs["demo"].in_force(DAY).number("dibao.standard_rural") == 600
    assert packs["demo"].in_force(DAY).number("monitor.line") == 9000


def test_all_complaints_of_all_files_come_at_once(tmp_path: Path) -> None:
    overlapping = ('value = 600\nuntil = 2026-04-01\nclause = "a"', 'value = 700\nfrom = 2026-04-01\nclause = "b"')
    write_pack(tmp_path, COUNTY + parameter("dibao.standard_rural", *overlapping))
    write_pack(tmp_path, COUNTY + parameter("monitor.line", "value = 9000"), "other")
    write_pack(tmp_path, "title = ", "broken")
    said = complaints_of(tmp_path)
    assert "county.toml · dibao.standard_rural" in said and "重叠" in said and "2026-04-01" in said
    assert "other.toml · monitor.line" in said and "clause 缺失" in said
    assert "broken.toml" in said and "TOML" in said


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (COUNTY + 'colour = "red"\n', "不认识的键 colour"),
        (COUNTY + parameter("monitor.line", 'value = 1\nclause = "x"\nclaus = "y"'), "您是否要写 clause"),
        (COUNTY + parameter("monitor.lin", 'value = 1\nclause = "x"'), "您是否要写 monitor.line"),
        (COUNTY + parameter("monitor.line", 'value = 1\noff = true\nclause = "x"'), "须恰好写一个"),
        (COUNTY + parameter("monitor.line", 'clause = "x"'), "须恰好写一个"),
        (COUNTY + parameter("monitor.line", 'value = "1"\nclause = "x"'), "取值类型 text"),
        (COUNTY + parameter("monitor.line", 'value = nan\nclause = "x"'), "不是有限的数"),
        (COUNTY + parameter("monitor.line", 'value = 1\nclause = "  "'), "clause 缺失或为空"),
        (COUNTY + parameter("monitor.line", 'value = 1\nfrom = "2026-01-01"\nclause = "x"'), "不是日期"),
        (COUNTY + parameter("monitor.line", 'value = 1\nfrom = 2026-01-01T00:00:00\nclause = "x"'), "不是日期"),
        (COUNTY + parameter("monitor.line", 'value = 1\nfrom = 2026-02-01\nuntil = 2026-01-01\nclause = "x"'), "晚于"),
        (COUNTY + parameter("monitor.line"), "没有 [[value]]"),
        (COUNTY + parameter("monitor.line", 'value = 1\nclause = "x"') * 2, "写了两次"),
        (COUNTY.replace("caojie-2024", "caojie-2042"), "您是否要写 caojie-2024"),
        (COUNTY.replace("caojie-2024", "county"), "extends 成环"),
        ('title = { zh = "本县" }\nextends = "demo"\n', "中英文"),
        (COUNTY + 'document = "本县〔2026〕3号"\n', "document 与 short"),
        (
            'title = { zh = "独立", en = "Alone" }\n' + parameter("monitor.line", 'value = 1\nclause = "x"'),
            "缺少这个参数",
        ),
    ],
)
def test_a_faulty_pack_is_refused(tmp_path: Path, text: str, wrong: str) -> None:
    said = complaints_of(write_pack(tmp_path, text))
    assert "county.toml" in said and wrong in said and "应为" in said


def test_a_circle_over_two_packs_is_refused(tmp_path: Path) -> None:
    write_pack(tmp_path, COUNTY.replace("caojie-2024", "two"), "one")
    write_pack(tmp_path, COUNTY.replace("caojie-2024", "one"), "two")
    assert "one → two → one" in complaints_of(tmp_path)


def test_a_file_of_another_encoding_is_named(tmp_path: Path) -> None:
    write_pack(tmp_path, COUNTY)
    (tmp_path / "policy" / "packs" / "gbk.toml").write_bytes('title = "县"'.encode("gb18030"))
    assert "gbk.toml：文件不是 UTF-8" in complaints_of(tmp_path)


def test_a_pack_without_a_parameter_that_a_rule_names_is_refused(tmp_path: Path) -> None:
    new = 'unit = { zh = "元", en = "yuan" }\nmeaning = { zh = "甲", en = "A" }\n[[parameter.value]]'
    own = parameter("county.line", 'value = 1\nclause = "x"').replace("[[parameter.value]]", new)
    write_pack(tmp_path, COUNTY + own)
    rules = tmp_path / "policy" / "rules"
    rules.mkdir()
    (rules / "LOCAL-LINE.toml").write_text(
        'kind = "risk"\nsubject = "household"\ndepartment = "民政"\ntitle = { zh = "甲", en = "A" }\n'
        '[[version]]\nwhen = "income_pc < $county_line"\nlevel = "blue"\nclause = { practice = "本县" }\n'
        'reason = { zh = "甲", en = "A" }\n',
        encoding="utf-8",
    )
    packs, loaded = load_policy(tmp_path)
    assert any(rule.code == "LOCAL-LINE" for rule in compile_rules(loaded, packs["county"].in_force(DAY)))
    with pytest.raises(PolicyError, match=r"national-2020.toml · \$county_line"):
        compile_rules(loaded, packs["national-2020"].in_force(DAY))
    write_pack(tmp_path, COUNTY, "second")
    with pytest.raises(PolicyError) as caught:
        load_policy(tmp_path)
    said = str(caught.value)
    assert "second.toml · $county_line：规则 LOCAL-LINE 用到参数" in said and "county.toml" not in said
