"""Rows without a usable number, across feeds and months: one person where the contract's list is certain, else two.

Whoever is taken for two counts twice in the household's size, and its income is judged too low; whoever is not found again
loses household or certificate.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs import Tables, number, query, run_quietly, small_county, write_feeds

OCTOBER, NOVEMBER = "2026-10", "2026-11"
PLACE = {"乡镇": "甲镇", "村": "甲东村"}
# What a second feed's row says otherwise than {birth, place}, and how many persons the two rows are of.
SECOND: dict[str, tuple[dict[str, str], int]] = {
    "童甲": ({}, 1),
    "童乙": ({"性别": "男"}, 1),
    "童丙": ({"联系电话": "13900008888"}, 1),
    "童丁": ({"乡镇": "", "村": ""}, 1),
    "童戊": ({"乡镇": "", "村": "", "性别": "女"}, 1),
    "童己": ({"村": "甲西村"}, 2),
    "童庚": ({"乡镇": "乙镇"}, 2),
    "童辛": ({"出生日期": "2019-02-02"}, 2),
}


def child(name: str, **more: str) -> dict[str, str]:
    return {"姓名": name, "证件号码": "", "出生日期": "2019-02-01", **PLACE, **more}


def on_dibao(row: dict[str, str]) -> dict[str, str]:
    return {
        "救助证编号": "D" + row["姓名"],
        "户月保障金额": "400",
        "享受起始日期": "2026-03-01",
        "最近复核日期": "2026-10-10",
        "类别": "B",
        **row,
    }


def on_monitored(row: dict[str, str]) -> dict[str, str]:
    return {"户编号": "M" + row["姓名"], "户类型": "脱贫户", "识别日期": "2025-01-01", **row}


def children(second: bool) -> Tables:
    feeds = small_county(2)
    feeds["dibao"] += [on_dibao(child(name)) for name in SECOND] + [on_dibao(child("童壬", 性别="女"))]
    if second:
        feeds["monitored"] += [on_monitored(child(name, **other)) for name, (other, _) in SECOND.items()]
        feeds["monitored"].append(on_monitored(child("童壬", 性别="男")))
    return feeds


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In October only the dibao rows, in November those of both feeds."""
    folder = tmp_path_factory.mktemp("unnumbered")
    for period, second in ((OCTOBER, False), (NOVEMBER, True)):
        run_quietly(folder / "home", period, write_feeds(children(second), folder / period))
    return folder / "home"


def ids(home: Path, period: str) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for name, person in query(home, period, "SELECT name, person_id FROM person_snapshot WHERE name LIKE '童%'"):
        found.setdefault(name, set()).add(person)
    return found


def test_rows_of_two_feeds_are_of_one_person_unless_sex_place_or_birth_date_says_otherwise(months: Path) -> None:
    wanted = {name: persons for name, (_, persons) in SECOND.items()} | {"童壬": 2}
    assert {name: len(persons) for name, persons in ids(months, NOVEMBER).items()} == wanted


def test_somebody_without_a_number_stays_the_same_when_another_feed_names_them_too(months: Path) -> None:
    before, now = ids(months, OCTOBER), ids(months, NOVEMBER)
    for name, (_, persons) in SECOND.items():
        if persons == 1:
            assert now[name] == before[name], name


# -- who died and left the registry

HOMES = {
    "numbered": True,
    "unnumbered": False,
    "placed": True,
    "namesake": True,
}  # whether October's registry has the number


def member(home: str, place: int) -> dict[str, str]:
    born = "19830205"
    row = {
        "户编号": f"H8{place}",
        "与户主关系": "配偶",
        "姓名": f"亡者{home}",
        "证件号码": number(born, 801 + 2 * place) if HOMES[home] else "",
    }
    return row | {"出生日期": "1983-02-05", "户籍类型": "农村", "劳动能力": "普通劳动力", **PLACE}


def deaths_of(month: str) -> Tables:
    feeds = small_county(2)
    other = {
        key: feeds["registry"][0][key] for key in ("姓名", "证件号码")
    }  # without the register nobody's ability to work is known
    feeds["disability"] = [other | {"残疾类别": "肢体", "残疾等级": "四级", "状态": "有效", "发证日期": "2010-01-01"}]
    for place, home in enumerate(HOMES):
        head = {
            "户编号": f"H8{place}",
            "与户主关系": "户主",
            "姓名": f"户主{home}",
            "证件号码": number("19810103", 801 + 2 * place),
        }
        feeds["registry"].append(head | {"户籍类型": "农村", "劳动能力": "普通劳动力", **PLACE})
        if month == OCTOBER:
            feeds["registry"].append(member(home, place))
            continue
        death = {
            "姓名": f"亡者{home}",
            "证件号码": "",
            "出生日期": "1983-02-05",
            "死亡日期": "2026-10-20",
            "登记日期": "2026-10-25",
        }
        if home == "placed":
            death |= PLACE
        if home == "namesake":
            death["出生日期"] = "1984-02-05"
        feeds["deaths"].append(death)
    return feeds


def test_who_died_without_a_number_on_the_death_row_keeps_the_household_of_the_last_registry(tmp_path: Path) -> None:
    for period in (OCTOBER, NOVEMBER):
        run_quietly(tmp_path / "home", period, write_feeds(deaths_of(period), tmp_path / period), "national-2020")
    found = query(
        tmp_path / "home", NOVEMBER, "SELECT name, household_id, registered FROM person_snapshot WHERE NOT alive"
    )
    homes = {f"亡者{home}": f"H8{place}" for place, home in enumerate(HOMES) if home != "namesake"}
    assert {name: home for name, home, registered in found if registered} == homes
    hit = query(
        tmp_path / "home", NOVEMBER, "SELECT household_id FROM signal WHERE rule = 'RISK-EARNER-DEATH' ORDER BY 1"
    )
    assert [home for (home,) in hit] == sorted(homes.values())


# -- a certificate that was known before


@pytest.mark.parametrize(("born", "sex", "news"), [("1970-01-01", "", False), ("1970-01-01", "男", False), ("1970-01-01", "女", True), ("1970-01-02", "", True)])  # fmt: skip
def test_a_certificate_that_stood_before_without_a_number_is_no_news(
    tmp_path: Path, born: str, sex: str, news: bool
) -> None:
    feeds = small_county(2)
    man = feeds["registry"][0]
    kept = {"姓名": man["姓名"], "残疾类别": "肢体", "残疾等级": "一级", "状态": "有效"}
    for period, row in (
        (OCTOBER, {"证件号码": "", "出生日期": born, "性别": sex, "发证日期": "2019-01-01"}),
        (NOVEMBER, {"证件号码": man["证件号码"], "发证日期": "2026-11-05"}),
    ):
        run_quietly(
            tmp_path / "home",
            period,
            write_feeds(feeds | {"disability": [kept | row]}, tmp_path / period),
            "caojie-2024",
        )
    found = query(tmp_path / "home", NOVEMBER, "SELECT count(*) FROM signal WHERE rule = 'RISK-NEW-DISABILITY'")
    assert found == [(int(news),)]
