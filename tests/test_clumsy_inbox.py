"""What a clumsy department hands in beside good files: it is listed with its reason, stops nothing, and proves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.access import Scope
from monitoring.queries import sources
from monitoring.warehouse import Warehouse, publication
from pipelines.cli import main
from tests.cases.running import verdicts
from tests.runs import Tables, exported, query, run_quietly, small_county, write_feeds

OCTOBER, NOVEMBER = "2026-10", "2026-11"


def owner(feeds: Tables, place: int) -> dict[str, str]:
    return {heading: feeds["registry"][place][heading] for heading in ("姓名", "证件号码")}


@pytest.fixture(scope="module")
def clumsy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose inbox has a row with too many fields, a link that leads nowhere and a link to a folder."""
    folder = tmp_path_factory.mktemp("clumsy")
    feeds = small_county(homes=2)
    inbox = write_feeds(feeds, folder / "inbox")
    good, bad = owner(feeds, 0), owner(feeds, 1)
    (inbox / "参保 甲镇 (2).csv").write_text(
        "姓名,证件号码,参保年度,参保状态\n"
        f"{good['姓名']},{good['证件号码']},2026,正常参保\n"
        f"{bad['姓名']},{bad['证件号码']},2026,正常参保,多,余\n",
        encoding="gb18030",
    )
    (inbox / "断链.csv").symlink_to(folder / "nowhere.csv")
    (folder / "elsewhere").mkdir()
    (inbox / "别处").symlink_to(folder / "elsewhere", target_is_directory=True)
    run_quietly(folder / "home", NOVEMBER, inbox)
    return folder / "home"


def test_a_row_that_cannot_be_split_is_downloaded_with_file_row_reason_and_its_line(clumsy: Path):
    whole = exported(clumsy, NOVEMBER, "quarantine").filter(file="参保 甲镇 (2).csv").to_dicts()
    assert [(row["row"], row["feed"], row["department"]) for row in whole] == [(3, "insurance", "医保")]
    assert "这一行有 6 列，表头只有 4 列" in whole[0]["reasons"]
    assert whole[0]["整行原文"].endswith("2026,正常参保,多,余")


def test_a_line_that_cannot_be_split_shows_no_name_while_masked(clumsy: Path, tmp_path: Path):
    out = tmp_path / "quarantine.csv"
    assert main(["export", "quarantine", "--home", str(clumsy), "--period", NOVEMBER, "-o", str(out)]) == 0
    assert "多,余" not in out.read_text("utf-8-sig") and "****" in out.read_text("utf-8-sig")
    warehouse = Warehouse(publication(clumsy).run_of(None).path)
    try:
        rows, total = sources.quarantine(warehouse, Scope(masked=True), "insurance")
    finally:
        warehouse.close()
    assert total == 1 and rows[0]["raw"] == {"整行原文": "****"}


@pytest.mark.parametrize(("name", "why"), [("断链.csv", "所指的文件已不在"), ("别处", "指向文件夹的链接")])
def test_a_link_that_leads_to_no_file_is_listed_and_stops_nothing(clumsy: Path, name: str, why: str):
    reasons = dict(query(clumsy, NOVEMBER, "SELECT file, reason FROM part WHERE feed IS NULL"))
    assert why in reasons[name] and "请放入文件本身" in reasons[name]


def test_a_feed_of_which_every_row_is_in_quarantine_proves_nothing(tmp_path: Path):
    """No settlement could be read: nobody knows what was paid. No car could be read: those of October stand."""
    feeds, home = small_county(homes=4), tmp_path / "home"
    driver, poor = owner(feeds, 0), owner(feeds, 4)
    subsidy = {**poor, "补贴类型": "护理补贴", "发放年月": NOVEMBER, "发放状态": "成功"}
    cars = [{**driver, "车辆类型": "汽车", "状态": "正常"}]
    whole = {**feeds, "vehicles": cars, "disability_subsidy": [subsidy]}
    run_quietly(home, OCTOBER, write_feeds(whole, tmp_path / "october"))
    unread = {
        "vehicles": [{**poor, "车辆类型": "飞机", "状态": "正常"}],
        "medical": [{**poor, "结算日期": "不详", "个人自付": "50000"}],
        "disability": [{**poor, "残疾类别": "肢体", "残疾等级": "九级", "状态": "有效"}],
        "disability_subsidy": [subsidy],
    }
    run_quietly(home, NOVEMBER, write_feeds(unread, tmp_path / "november"))
    assert query(home, NOVEMBER, "SELECT sum(quarantined) FROM part WHERE this_period") == [(3,)]
    said = verdicts(home, NOVEMBER, "national-2020")
    assert said["EXIT-VEHICLE", driver["证件号码"]] == "hit"
    assert said["EXIT-SUBSIDY", poor["证件号码"]] == "unknown"
    assert said["RISK-MEDICAL", "H103"] == said["RISK-RIGID", "H103"] == "unknown"
