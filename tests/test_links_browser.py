"""The review of links in a browser: both sides with the weights in words, a decision leaves the list and is listed, and goes back."""

from __future__ import annotations

import re

import polars as pl
import pytest
from playwright.sync_api import Browser, Page

from monitoring.warehouse import Warehouse
from pipelines.weighing.bands import ranked
from pipelines.weighing.county import no_pairs, write_weights
from pipelines.weighing.model import COMPARED
from tests.browsing import Visit, check
from tests.serving import Served

CHINESE = re.compile("[\u3400-\u9fff]")


@pytest.fixture(scope="module")
def weighed(served: Served, warehouse: Warehouse) -> str:
    """Weights as `buluo link` would have written them, of one waiting row: its key. The rest is not weighed."""
    row = warehouse.row(
        "select key, candidate_ids, township, village from link_review where candidates >= 1 order by key limit 1"
    )
    person, other = (
        int(row["candidate_ids"].split(",")[0]),
        warehouse.row("select min(person_id) as p from resident")["p"],
    )
    parts = {f"{word}_weight": 4.0 for word in COMPARED} | {f"{word}_level": 0 for word in COMPARED}
    pair = {"key": row["key"], "waits": True, "township": row["township"], "village": row["village"], **parts}
    pairs = pl.DataFrame([{**pair, "person_id": person, "weight": 14.0, "probability": 0.99994},
                          {**pair, "person_id": other, "weight": 1.0, "probability": 0.4}])  # fmt: skip
    empty = pl.DataFrame(
        schema={"person_id": pl.Int64, "other_id": pl.Int64, "township": pl.String, "village": pl.String}
    )
    twice = pl.DataFrame(
        schema={"household_id": pl.String, "other": pl.String, "township": pl.String, "village": pl.String}
    )
    run = warehouse.row("select run_id from run")["run_id"]
    rows = ranked(pairs, "key", "person_id").select(no_pairs().columns)
    write_weights(served.home, run, rows, empty, twice)
    return str(row["key"])


def open_rows(page: Page) -> int:
    found = re.search(r"共 ([0-9,]+)，每页", page.locator('[data-testid="stMain"]').inner_text())
    return int(found[1].replace(",", "")) if found else 0


def test_a_decision_is_made_listed_and_taken_back(browser: Browser, address: str, weighed: str) -> None:
    with Visit(browser, address, f"/links?item={weighed}") as visit:
        page, text = visit.page, visit.text()
        check(visit)
        assert "几乎可以确定" in text and "支持是同一人" in text and "第 2 位" in text
        before = open_rows(page)
        assert not re.search(r"[0-9]{17}[0-9X]", page.content())
        page.get_by_text("查看完整信息").click()
        page.get_by_label("用途").fill("和台账原件核对")
        page.get_by_role("button", name="显示 30 分钟（记入操作日志）").click()
        page.wait_for_selector('.bl-sample:has-text("正在显示完整信息")')
        assert re.search(r"[0-9]{17}[0-9X]", page.content())
        page.get_by_text("是第 1 位", exact=True).click()
        page.get_by_label("决定的依据").last.fill("是")
        page.get_by_role("button", name="保存决定").click()
        page.wait_for_selector(".bl-failure")
        assert "请写明依据" in visit.text() and open_rows(page) == before
        page.get_by_label("决定的依据").last.fill("电话核实过")
        page.get_by_role("button", name="保存决定").click()
        page.wait_for_timeout(1500)
        visit.settle()
        check(visit)
        assert open_rows(page) == before - 1
        page.goto(f"{address}/links?view=decided")
        visit.settle()
        check(visit)
        assert "电话核实过" in visit.text() and "下一次运行起用" in visit.text()
        page.get_by_text("撤回一个决定").click()
        which = page.get_by_role("combobox", name="哪一个")
        which.wait_for(state="visible")
        page.wait_for_timeout(700)  # the part unfolds: what opens meanwhile closes again
        which.press("ArrowDown")
        page.get_by_role("option").first.wait_for(state="visible")
        which.press("Enter")
        page.get_by_label("撤回的原因").fill("问错了人家")
        page.get_by_role("button", name="撤回", exact=True).click()
        page.wait_for_timeout(1500)
        visit.settle()
        assert "已撤回" in visit.text()
        page.goto(f"{address}/links")
        visit.settle()
        assert open_rows(page) == before


def test_the_views_fit_a_narrow_screen_and_read_in_english(browser: Browser, address: str, weighed: str) -> None:
    with Visit(browser, address, f"/links?lang=en&item={weighed}", 390) as visit:
        check(visit)
        shown = visit.page.locator(
            ".bl-h, .bl-title, th:not(.v), [data-testid=stSegmentedControl] button"
        ).all_inner_texts()
        assert shown and [text for text in shown if CHINESE.search(re.sub(r"\S+\.(csv|xlsx|xls)", "", text))] == []
        for view in ("new", "persons", "households", "decided"):
            visit.page.goto(f"{address}/links?lang=en&view={view}")
            visit.settle()
            check(visit)
