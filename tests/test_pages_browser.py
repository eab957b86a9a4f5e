"""Every page in a real Chromium, wide and narrow, in both languages: it shows, nothing breaks, nothing leaves the machine."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from monitoring.access import Scope
from monitoring.queries.household import link_id
from monitoring.warehouse import Warehouse

ROOT = Path(__file__).parents[1]
CHROMIUM = "/usr/bin/chromium"
PAGES = {
    "overview": "总览",
    "alerts": "预警处置",
    "household": "户档案",
    "coverage": "应保未保",
    "checklist": "不漏一户",
    "data": "数据",
}
CHINESE = re.compile("[\u3400-\u9fff]")
RULE_CODE = re.compile(r"\b(GAP|RISK|EXIT|PROC|DQ|POL)-[A-Z-]+\b")
ENGLISH_WORD = re.compile(r"\b[a-z_]{4,}\b")


@pytest.fixture(scope="session")
def address(published_home: Path) -> Iterator[str]:
    """The dashboard, served as the command line serves it: on loopback only."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        "--server.address",
        "127.0.0.1",
        "--server.port",
        str(port),
    ]
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "BULUO_HOME": str(published_home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield found
        found.close()


@pytest.fixture(scope="session")
def somebody(warehouse: Warehouse) -> str:
    """The link of the household with most signals."""
    row = warehouse.row(
        """select any_value(household_id) as household_id, household_key from signal where household_key is not null
           group by household_key order by count(*) desc, household_key limit 1"""
    )
    link = link_id(row["household_id"], row["household_key"])
    assert link is not None
    return link


class Visit:
    """One page opened in a window of its own; what it asked of the network is kept."""

    def __init__(self, browser: Browser, address: str, path: str, width: int = 1440, height: int = 900) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
        self.page: Page = self.context.new_page()
        self.foreign: list[str] = []
        self.page.on("request", lambda request: self._note(request.url, address))
        self.page.goto(address + path)
        self.settle()

    def _note(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:", address.replace("http", "ws"))):
            self.foreign.append(url)

    def settle(self) -> None:
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60_000)
        self.page.wait_for_selector(".bl-title, .bl-tiles, .bl-empty", timeout=60_000)
        self.page.wait_for_timeout(700)

    def text(self) -> str:
        """What a person reads: without the names of icons, which a font turns into pictures."""
        self.page.evaluate(
            "document.querySelectorAll('[data-testid=stIconMaterial]').forEach(icon => icon.style.display = 'none')"
        )
        return self.page.locator('[data-testid="stMain"]').inner_text()

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


def check(visit: Visit) -> None:
    assert visit.foreign == []
    assert visit.page.locator('[data-testid="stException"], .bl-failure').count() == 0
    wide = visit.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, "the page scrolls sideways"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_without_failure_and_without_the_internet(
    browser: Browser, address: str, somebody: str, name: str, width: int, language: str
) -> None:
    query = f"?lang={language}" + (f"&household={somebody}" if name == "household" else "")
    with Visit(browser, address, f"/{name}{query}", width) as visit:
        check(visit)
        assert len(visit.text()) > 200
        assert "Traceback" not in visit.text() and "NaN" not in visit.text() and "None" not in visit.text()


@pytest.mark.parametrize("name", PAGES)
def test_the_chinese_interface_has_no_english_words(browser: Browser, address: str, somebody: str, name: str) -> None:
    """Rule codes, small and grey, and the names of files are the only Latin letters of four and more."""
    with Visit(browser, address, f"/{name}?household={somebody}" if name == "household" else f"/{name}") as visit:
        shown = re.sub(r"\S+\.(csv|xlsx|xls)\b", "", visit.text()).replace("English", "")
        assert ENGLISH_WORD.findall(RULE_CODE.sub("", shown)) == []


@pytest.mark.parametrize("name", ["overview", "coverage", "checklist"])
def test_the_english_interface_says_headings_and_labels_in_english(browser: Browser, address: str, name: str) -> None:
    with Visit(browser, address, f"/{name}?lang=en") as visit:
        shown = [
            *visit.page.locator(".bl-h, .bl-title, .bl-tile .k, th").all_inner_texts(),
            *visit.page.locator('[data-testid="stTab"]').all_inner_texts(),
        ]
        assert shown and [text for text in shown if CHINESE.search(text)] == []


def test_the_sample_says_that_it_is_one(browser: Browser, address: str) -> None:
    with Visit(browser, address, "/") as visit:
        assert "样例县" in visit.text() and "数据截至" in visit.text()


def test_facts_table_and_map_fit_one_screen(browser: Browser, address: str) -> None:
    with Visit(browser, address, "/") as visit:
        for selector in (".bl-tiles", ".js-plotly-plot", "table.bl-t"):
            box = visit.page.locator(selector).first.bounding_box()
            assert box is not None and box["y"] + box["height"] <= 900, selector
        assert visit.page.locator(".js-plotly-plot .choroplethlayer path").count() >= 3


def test_a_level_in_the_address_narrows_the_queue(browser: Browser, address: str, warehouse: Warehouse) -> None:
    from monitoring.queries.alerts import Wanted, alert_page

    red = alert_page(warehouse, Scope(), Wanted(levels=("red",))).total
    with Visit(browser, address, "/alerts?level=red") as visit:
        assert f"共 {red} 户（件）" in visit.text()
        visit.page.get_by_placeholder("姓名、证件号后4位以上、村名").fill("查无此人")
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_selector(".bl-empty")
        assert "没有符合条件的预警" in visit.text()
        assert "%E6%9F%A5" not in visit.page.url and "查无此人" not in visit.page.url


def test_picking_a_township_changes_the_figures_and_the_address(browser: Browser, address: str) -> None:
    with Visit(browser, address, "/") as visit:
        before = visit.page.locator(".bl-tiles").inner_text()
        visit.page.get_by_role("combobox").nth(1).click()
        visit.page.get_by_role("option").nth(2).click()
        visit.page.wait_for_timeout(1500)
        visit.settle()
        check(visit)
        assert visit.page.locator(".bl-tiles").inner_text() != before
        assert "township=" in visit.page.url


def test_switching_the_language_needs_no_reload(browser: Browser, address: str) -> None:
    with Visit(browser, address, "/data") as visit:
        visit.page.get_by_role("combobox").nth(2).click()
        visit.page.get_by_role("option", name="English").click()
        visit.page.wait_for_timeout(1500)
        visit.settle()
        assert "Freshness" in visit.text() and "lang=en" in visit.page.url


def test_a_household_that_is_not_there_says_what_to_do(browser: Browser, address: str) -> None:
    with Visit(browser, address, "/household?household=nobody") as visit:
        assert "没有找到这一户" in visit.text()
        check(visit)


def test_cards_stand_for_the_queue_on_a_narrow_screen(browser: Browser, address: str) -> None:
    with Visit(browser, address, "/alerts", 390, 844) as visit:
        assert visit.page.locator(".st-key-narrow .bl-card").first.is_visible()
        assert not visit.page.locator(".st-key-wide").is_visible()


def test_no_number_of_a_person_reaches_the_browser(
    browser: Browser, address: str, warehouse: Warehouse, somebody: str
) -> None:
    numbers = set(warehouse.frame("select number from person_snapshot where number is not null")["number"])
    for path in ("/alerts", f"/household?household={somebody}", "/data", "/coverage"):
        with Visit(browser, address, path) as visit:
            assert not set(re.findall(r"[0-9]{17}[0-9X]", visit.page.content())) & numbers
