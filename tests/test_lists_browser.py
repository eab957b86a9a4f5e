"""The page of risk lists in a browser: a condition narrows the list, unknown is counted, a list is kept and opened, a file taken."""

from __future__ import annotations

import re

from playwright.sync_api import Browser

from monitoring.access import Scope
from monitoring.lists import ask_from_text
from monitoring.queries import risk_lists
from monitoring.warehouse import Warehouse
from tests.browsing import Visit, check


def choose(visit: Visit, label: str, *texts: str) -> None:
    """Types into the first picker of that label and takes what is offered first."""
    picker = visit.page.locator('[data-testid="stSelectbox"]:visible, [data-testid="stMultiSelect"]:visible')
    for text in texts:
        picker.filter(has_text=label).first.locator("input").click()
        visit.page.keyboard.type(text)
        visit.page.wait_for_timeout(500)
        visit.page.keyboard.press("Enter")
        visit.page.keyboard.press("Escape")
        visit.settle()


def test_a_list_is_built_kept_opened_and_taken(browser: Browser, address: str, warehouse: Warehouse) -> None:
    counts = risk_lists.by_township(warehouse, Scope(), ask_from_text("household", "income_pc<650"))
    fits, undecided = counts["fits"].sum(), counts["undecided"].sum()
    with Visit(browser, address, "/lists") as visit:
        choose(visit, "条件", "月人均收入")
        visit.page.get_by_label("值（元/月）").fill("650")
        visit.page.keyboard.press("Enter")
        visit.settle()
        check(visit)
        assert f"符合条件 {fits:,} 户" in visit.text() and f"另有不能断定的 {undecided:,} 户" in visit.text()
        assert "月人均收入 低于 650 元/月" in visit.text()
        visit.page.get_by_text("保存这份名单", exact=True).click()
        visit.page.get_by_label("名称", exact=True).fill("低收入户")
        visit.page.get_by_label("用途（至少4个字）").fill("每月入户走访")
        visit.page.get_by_role("button", name="保存", exact=True).click()
        visit.settle()
        visit.page.get_by_text("导出这份名单", exact=True).click()
        visit.page.get_by_role("button", name="生成（隐去姓名和号码）").click()
        visit.settle()
        with visit.page.expect_download() as taken:
            visit.page.locator('a[href^="/export/"]').click()
        assert re.fullmatch(r"风险名单-户-\d{4}-\d{2}-\d{8}-\d{4}\.xlsx", taken.value.suggested_filename)
    with Visit(browser, address, "/lists", 390) as visit:
        assert f"符合条件 {fits:,} 户" not in visit.text()
        choose(visit, "打开保存的名单", "低收入户")
        check(visit)
        assert f"符合条件 {fits:,} 户" in visit.text() and "用途：每月入户走访" in visit.text()


def test_a_list_stands_when_its_address_is_opened_again(browser: Browser, address: str, warehouse: Warehouse) -> None:
    counts = risk_lists.by_township(warehouse, Scope(), ask_from_text("person", "age>=80"))
    fits = counts["fits"].sum()
    with Visit(browser, address, "/lists?of=person") as visit:
        assert "ask=" not in visit.page.url
        choose(visit, "条件", "年龄")
        choose(visit, "怎样比", "不低于")
        visit.page.get_by_label("值（岁）").fill("80")
        visit.page.keyboard.press("Enter")
        visit.settle()
        assert f"符合条件 {fits:,} 人" in visit.text() and "ask=" in visit.page.url
        visit.page.reload()
        visit.settle()
        assert f"符合条件 {fits:,} 人" in visit.text() and "年龄 不低于 80" in visit.text()
    with Visit(browser, address, '/lists?ask={"subject":"nothing"}') as visit:
        check(visit)
        assert "ask=" not in visit.page.url
