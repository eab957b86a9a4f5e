"""政策测算, 规则与模型 and the question why, as an analyst uses them, wide and narrow, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from monitoring.queries.household import link_id
from monitoring.warehouse import Warehouse
from tests.browsing import KEYS, Visit, check
from tests.serving import Served

CHINESE = re.compile("[\u3400-\u9fff]")
RULE_CODE = re.compile(r"\b(GAP|RISK|EXIT|PROC|DQ|POL)-[A-Z-]+\b")
ENGLISH_WORD = re.compile(r"\b[a-z_]{4,}\b")


@pytest.fixture(scope="module")
def analyst(served: Served) -> Iterator[str]:
    """The address, visited by an analyst (in place of county staff, for this module)."""
    before = KEYS.get(served.address)
    KEYS[served.address] = served.log_in("analyst")
    yield served.address
    if before is not None:
        KEYS[served.address] = before


def _set(visit: Visit, value: str) -> None:
    visit.page.get_by_label("改哪些参数").fill("农村低保标准")
    visit.page.get_by_role("option", name="农村低保标准", exact=True).click()
    visit.page.keyboard.press("Escape")
    visit.page.wait_for_timeout(1200)
    visit.settle()
    visit.page.get_by_label("农村低保标准").last.fill(value)
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_timeout(2500)
    visit.settle()


@pytest.mark.parametrize("width", [1440, 390])
def test_an_analyst_raises_a_standard_and_sees_who_comes(browser: Browser, analyst: str, width: int) -> None:
    with Visit(browser, analyst, "/whatif", width) as visit:
        _set(visit, "700")
        check(visit)
        shown = visit.text()
        assert "符合低保条件未纳入" in shown and "低保边缘 → 低保" in shown and "None" not in shown
        assert ENGLISH_WORD.findall(RULE_CODE.sub("", shown)) == []


@pytest.mark.parametrize("width", [1440, 390])
def test_every_rule_is_shown_with_what_it_asks(browser: Browser, analyst: str, width: int) -> None:
    with Visit(browser, analyst, "/rules?rule=GAP-DIBAO", width) as visit:
        check(visit)
        shown = visit.text()
        assert "月人均收入 低于 低保标准" in shown and "农村低保标准" in shown and "上门属实" in shown
        assert ENGLISH_WORD.findall(RULE_CODE.sub("", shown)) == []


def test_an_analyst_replays_a_condition_on_past_periods(browser: Browser, analyst: str) -> None:
    with Visit(browser, analyst, "/economics?part=shadow&replay=GAP-DIBAO", 390) as visit:
        visit.page.get_by_label("条件").fill("income_pc < standard * 2 AND NOT whole_household_dibao AND NOT all_tekun")
        visit.page.keyboard.press("Control+Enter")
        visit.page.get_by_text("每期只用当期已知的数据").first.wait_for(timeout=60_000)
        visit.settle()
        check(visit)
        assert "新命中" in visit.text() and "还没有结论" in visit.text()


@pytest.mark.parametrize("path", ["/whatif", "/rules?rule=GAP-DIBAO", "/economics?rule=GAP-DIBAO"])
def test_the_english_pages_have_no_chinese_headings(browser: Browser, analyst: str, path: str) -> None:
    with Visit(browser, analyst, f"{path}{'&' if '?' in path else '?'}lang=en") as visit:
        check(visit)
        shown = [
            *visit.page.locator(".bl-h, .bl-title, .bl-tile .k, th").all_inner_texts(),
            *visit.page.locator('[data-testid="stTab"]').all_inner_texts(),
        ]
        assert shown and [text for text in shown if CHINESE.search(text)] == []


def test_a_household_is_asked_why_a_rule_did_not_fire(browser: Browser, analyst: str, warehouse: Warehouse) -> None:
    row = warehouse.row("select household_id, household_key from signal where rule = 'GAP-DIBAO' order by 2 limit 1")
    link = link_id(row["household_id"], row["household_key"], warehouse.row("select run_id from run")["run_id"])
    with Visit(browser, analyst, f"/household?household={link}&why-rule=GAP-DIBAO") as visit:
        asked = visit.page.get_by_label("追问一条规则")
        asked.click()
        asked.fill("符合低保条件未纳入")
        visit.page.get_by_role("option").first.click()
        visit.page.wait_for_timeout(2500)
        visit.settle()
        check(visit)
        assert "即不再命中" in visit.text() and "怎样会翻转" in visit.text()
