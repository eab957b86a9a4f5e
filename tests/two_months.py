"""A small county in two months, published by the pipeline: everything that a month's lists tell has happened to somebody.

Tests count what these files say, not what a query found.
"""

from __future__ import annotations

import copy
import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitoring.warehouse import publication
from tests.runs import TOWNS, Tables, number, run_quietly, small_county, write_feeds

BEFORE, NOW = "2026-10", "2026-11"


@dataclass(frozen=True)
class TwoMonths:
    home: Path

    @property
    def files(self) -> tuple[Path, Path]:
        published = publication(self.home)
        return published.run_of(BEFORE).path, published.run_of(NOW).path


def man(house: str) -> dict[str, str]:
    """The head of `H101`…, as `small_county` names and numbers him; his wife's number is one less."""
    return _person("赵", "19700101", house, 1)


def wife(house: str) -> dict[str, str]:
    return _person("钱", "19720202", house, 0)


def _person(family: str, born: str, house: str, odd: int) -> dict[str, str]:
    place, n = int(house[1]), int(house[2:])
    name = f"{family}{'一二三四五六七八九十百千'[n % 12]}{TOWNS[place - 1][0]}"
    return {"姓名": name, "证件号码": number(born, 2 * n + 100 * place + odd)}


def feeds_of_both() -> tuple[Tables, Tables]:
    """What each month's files say. Which household something happens to in November is told by its number."""
    before = small_county()
    before |= {"deaths": [], "low_income": [], "temporary_aid": [], "officials": [], "payments": [], "disasters": []}
    edge = {"类别": "低保边缘家庭", "认定日期": "2026-01-05", "乡镇": "甲镇", "村": "甲西村"}
    before["low_income"].append({**edge, **man("H112")})
    before["temporary_aid"].append(_aid(man("H110"), "2026-09-01", "2026-09-20", "900"))
    now = copy.deepcopy(before)
    # A household moves in whose number comes before all others: in its run each of these has another key than the month before.
    moved = {
        "户编号": "H000",
        "与户主关系": "户主",
        "姓名": "周新到",
        "证件号码": number("19750505", 907),
        "乡镇": "甲镇",
        "村": "甲东村",
    }
    now["registry"].insert(0, {**now["registry"][0], **moved})
    _dibao(now["dibao"], "H101", 户月保障金额="460")  # the certificate's amount rises
    _dibao(now["dibao"], "H102", 户月保障金额="150", 渐退起始日期="2026-11-01")  # it falls: a gradual exit
    _dibao(now["dibao"], "H103", 终止日期="2026-11-15")  # ended in the register
    gone = {man("H104")["姓名"], wife("H104")["姓名"], man("H205")["姓名"]}
    now["dibao"] = [row for row in now["dibao"] if row["姓名"] not in gone]  # gone from it; H205's head passes to tekun
    now["tekun"].append(
        {
            **man("H205"),
            "供养方式": "分散供养",
            "享受起始日期": "2026-11-01",
            "月基本生活费": "900",
            "乡镇": "乙镇",
            "村": "乙西村",
        }
    )
    for house, start in (
        ("H212", "2026-11-02"),
        ("H112", "2024-05-01"),
    ):  # new; and new (an edge household) with a start of long ago
        now["dibao"].append({"救助证编号": f"D{house}", "户主姓名": man(house)["姓名"], "户主证件号码": man(house)["证件号码"], "与户主关系": "户主",
                             **man(house), "家庭月人均收入": "200", "户月保障金额": "500", "享受起始日期": start, "类别": "B", "乡镇": "乙镇", "村": "乙西村"})  # fmt: skip
    # H106's wife is known to be dead, and still stands in the register.
    now["deaths"] = [{**wife("H106"), "死亡日期": "2026-11-03", "登记日期": "2026-11-09"}]
    now["temporary_aid"] += [
        _aid(man("H102"), "2026-11-04", "2026-11-12", "1200"), _aid(wife("H202"), "2026-09-06", "2026-10-10", "800"),
        _aid(man("H203"), "2026-11-20", "", ""),
    ]  # fmt: skip
    official = {"干部姓名": "石干部", "干部证件号码": number("19800101", 901), "职务": "村支书"}
    for house, kinship, filed in (("H101", "兄弟", ""), ("H111", "堂兄", "2026-03-03")):
        relative = {
            "近亲属姓名": man(house)["姓名"],
            "近亲属证件号码": man(house)["证件号码"],
            "关系": kinship,
            "备案日期": filed,
        }
        now["officials"].append(official | relative)
    now["payments"] += [
        {"项目": "低保", "发放年月": "2026-11", **man(house), "金额": "400", "发放状态": state}
        for house, state in (("H101", "成功"), ("H102", "成功"), ("H105", "失败"))
    ]
    hit = {
        "户主姓名": man("H210")["姓名"],
        "户主证件号码": man("H210")["证件号码"],
        "灾害类型": "洪涝",
        "受灾日期": "2026-10-12",
    }
    now["disasters"].append({**hit, "损失金额": "30000", "住房受损": "倒塌", "乡镇": "乙镇", "村": "乙西村"})
    return before, now


def _dibao(rows: list[dict[str, str]], house: str, **changes: str) -> None:
    for row in rows:
        if row["姓名"] in (man(house)["姓名"], wife(house)["姓名"]):
            row |= changes


def _aid(person: dict[str, str], accepted: str, paid: str, yuan: str) -> dict[str, str]:
    return {
        **person,
        "救助类型": "支出型",
        "困难原因": "因病",
        "受理日期": accepted,
        "审批日期": paid,
        "发放日期": paid,
        "救助金额": yuan,
    }


@pytest.fixture(scope="session")
def two_months(tmp_path_factory: pytest.TempPathFactory) -> TwoMonths:
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder, done = shared / "two-months", shared / "two-months.done"
    try:
        (shared / "two-months.lock").touch(exist_ok=False)
    except FileExistsError:
        return TwoMonths(wait_for(done, folder / "home"))
    try:
        for period, feeds in zip((BEFORE, NOW), feeds_of_both(), strict=True):
            run_quietly(folder / "home", period, write_feeds(feeds, folder / period), "national-2020")
    finally:
        done.touch()
    return TwoMonths(folder / "home")


def wait_for(done: Path, home: Path) -> Path:
    """Another worker of the same test run makes it."""
    for _ in range(600):
        if done.exists():
            return home
        time.sleep(0.5)
    pytest.fail("the two months were not published in five minutes")
