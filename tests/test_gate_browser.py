"""The gate and the page 系统 in a real Chromium: log-in without script, log-out in every tab, accounts, journal, full numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from monitoring.store.schema import journal as journal_table
from monitoring.warehouse import Warehouse
from tests.serving import COOKIE, PASSWORD, Served

# --- in a browser

CHINESE = re.compile("[\u3400-\u9fff]")


@pytest.fixture
def visitor(browser: Browser, served: Served) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    page = context.new_page()
    yield page
    context.close()


def fill_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.fill("[name=name]", name)
    page.fill("[name=password]", password)
    page.click("button")


def test_deep_link_refresh_second_tab_and_log_out_everywhere(visitor: Page, served: Served) -> None:
    name = served.account("county_staff")
    visitor.goto(f"{served.address}/coverage?lang=en")
    assert "Log in" in visitor.inner_text("h2")
    fill_in(visitor, name)
    visitor.wait_for_url("**/coverage?lang=en")
    visitor.wait_for_selector(".bl-title")
    visitor.reload()
    visitor.wait_for_selector(".bl-title")
    second = visitor.context.new_page()
    second.goto(f"{served.address}/data")
    second.wait_for_selector(".bl-title")
    second.get_by_text("县级工作人员").click()
    second.get_by_role("button", name="退出登录").click()
    second.wait_for_selector("[name=password]")
    visitor.wait_for_selector("[name=password]", timeout=10_000)  # the other tab is blanked
    visitor.go_back()
    visitor.wait_for_timeout(500)
    assert "/login" in visitor.url
    assert visitor.evaluate("localStorage.length + sessionStorage.length") == 0


@pytest.mark.parametrize("width", [1440, 390])
def test_the_log_in_page_fits_and_works_without_script(browser: Browser, served: Served, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{served.address}/login")
    box = page.locator("main").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
    fill_in(page, served.account("leader"), "wrong")
    assert "账号或密码不正确" in page.inner_text("[role=alert]")
    fill_in(page, served.account("leader", must_change=True))
    assert "修改密码" in page.inner_text("h2")
    assert all(url.startswith(served.address) for url in asked)
    context.close()


def test_accounts_are_made_shown_once_and_disabled_on_the_page(visitor: Page, served: Served) -> None:
    visitor.context.add_cookies([{"name": COOKIE, "value": served.log_in("administrator"), "url": served.address}])
    visitor.goto(served.address)
    visitor.get_by_text("新建账号").click()
    visitor.get_by_label("账号", exact=True).first.fill("newcomer")
    visitor.get_by_label("使用人姓名").fill("王丽")
    visitor.keyboard.press("Tab")
    visitor.wait_for_timeout(800)
    visitor.get_by_role("button", name="建立账号").click()
    secret = visitor.wait_for_selector(".bl-secret")
    assert secret is not None
    first = secret.inner_text()
    assert served.post_log_in("newcomer", first).headers["location"] == "/password"
    visitor.reload()
    visitor.wait_for_selector(".bl-title")
    visitor.wait_for_timeout(800)
    assert first not in visitor.content() and "首次密码未改" in visitor.inner_text("table.bl-t")
    visitor.get_by_text("修改、停用、重置").click()
    visitor.wait_for_timeout(1000)  # the expander has opened, the list will not be pushed away
    visitor.get_by_role("combobox", name="账号").click()
    visitor.keyboard.type("newcomer", delay=60)
    visitor.get_by_role("option").filter(has_text="newcomer").wait_for()
    visitor.keyboard.press("ArrowDown")
    visitor.keyboard.press("Enter")
    visitor.get_by_role("button", name="停用").click()
    visitor.wait_for_timeout(1000)
    assert served.post_log_in("newcomer", first).status == 401


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_auditor_proves_filters_and_fetches_the_journal(visitor: Page, served: Served, lang: str) -> None:
    visitor.context.add_cookies([{"name": COOKIE, "value": served.log_in("auditor"), "url": served.address}])
    visitor.goto(f"{served.address}/admin?lang={lang}")
    words = {
        "zh": ("核对全部日志", "首尾相接", "导出这些记录", "下载"),
        "en": ("Prove the whole journal", "unbroken", "Export these rows", "Download"),
    }[lang]
    visitor.get_by_role("button", name=words[0]).click()
    visitor.get_by_text(words[1]).wait_for()
    visitor.get_by_role("button", name=words[2]).click()
    with visitor.expect_download() as fetched:
        visitor.get_by_role("link", name=words[3]).click()
    assert fetched.value.suggested_filename.endswith(".xlsx")
    visitor.wait_for_selector("table.bl-t")
    shown = visitor.inner_text('[data-testid="stMain"]')
    assert lang == "zh" or not CHINESE.search(  # what people typed stands as they typed it
        re.sub(
            r"(?:Reason|Purpose): [^;\n]*|员\w+|王丽|[\u3400-\u9fff]+镇|别处|中文|样例县|\w+\.csv",
            "",
            shown.split("\n", 3)[-1],
        )
    ), shown
    assert visitor.locator("table.bl-t tbody tr").count() <= 50


def test_full_numbers_are_shown_for_a_purpose_and_to_nobody_else(
    visitor: Page, served: Served, warehouse: Warehouse
) -> None:
    row = warehouse.row(
        """select p.household_key, p.number, p.name from person_snapshot p join household h using (household_key)
           where length(p.number) = 18 and length(p.name) >= 3 and h.village is not null order by p.household_key limit 1"""
    )
    address = f"{served.address}/household?household=k{row['household_key']}"
    visitor.context.add_cookies([{"name": COOKIE, "value": served.log_in("county_staff"), "url": served.address}])
    visitor.goto(address)
    visitor.get_by_text("查看完整信息").click()
    assert row["number"] not in visitor.content() and row["name"] not in visitor.content()
    button = visitor.get_by_role("button", name="显示 30 分钟")
    button.click()
    visitor.get_by_text("请写明查看完整信息的用途").wait_for()
    visitor.get_by_label("用途").fill("入户前核对身份")
    button.click()
    visitor.get_by_text(row["number"]).first.wait_for()
    with served.store.read() as con:
        events = [
            r.event for r in con.execute(select(journal_table).where(journal_table.c.object.startswith("household:")))
        ]
    assert "household.view" in events and "household.unmask" in events
    other = visitor.context.browser
    assert other is not None
    context = other.new_context()
    context.add_cookies([{"name": COOKIE, "value": served.log_in("county_staff"), "url": served.address}])
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(".bl-title")
    page.wait_for_timeout(1500)
    assert row["number"] not in page.content()
    context.close()


def test_leaders_see_no_way_to_full_numbers(served: Served, warehouse: Warehouse) -> None:
    row = warehouse.row("select household_key from household where village is not null order by household_key limit 1")
    with served.socket(served.log_in("leader")) as visit:
        text = visit.open("household", f"household=k{row['household_key']}").text()
        assert "家庭成员" in text and "查看完整信息" not in text
