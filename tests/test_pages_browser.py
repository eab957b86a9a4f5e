"""Every page in a real Chromium, wide and narrow, in both languages: it shows, nothing breaks, nothing leaves the machine."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from monitoring.queries.household import link_id
from monitoring.warehouse import Warehouse
from tests.browsing import Visit, check

PAGES = {
    "overview": "总览",
    "alerts": "预警处置",
    "household": "户档案",
    "coverage": "应保未保",
    "exits": "退出复核",
    "checklist": "不漏一户",
    "clues": "线索登记",
    "reports": "报表",
    "model": "风险模型",
    "misses": "漏判抽查",
    "economics": "成效",
    "lists": "风险名单",
    "data": "数据",
    "links": "对人复核",
}
CHINESE = re.compile("[\u3400-\u9fff]")
RULE_CODE = re.compile(r"\b(GAP|RISK|EXIT|PROC|DQ|POL)-[A-Z-]+\b")
ENGLISH_WORD = re.compile(r"\b[a-z_]{4,}\b")


@pytest.fixture(scope="session")
def somebody(warehouse: Warehouse) -> str:
    """The link of the household with most signals."""
    row = warehouse.row(
        """select any_value(household_id) as household_id, household_key from signal where household_key is not null
           group by household_key order by count(*) desc, household_key limit 1"""
    )
    link = link_id(row["household_id"], row["household_key"], warehouse.row("select run_id from run")["run_id"])
    assert link is not None
    return link


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_without_failure_and_without_the_internet(
    browser: Browser, address: str, somebody: str, name: str, width: int, language: str
) -> None:
    query = f"?lang={language}" + (f"&household={somebody}" if name == "household" else "")
    with Visit(browser, address, f"/{name}{query}", width) as visit:
        check(visit)
        assert len(visit.text()) > 150
        assert "Traceback" not in visit.text() and "NaN" not in visit.text() and "None" not in visit.text()


# Groups of choices with one that ends beyond the screen, or beyond the box that it is in.
CUT = """() => [...document.querySelectorAll('[data-testid="stButtonGroup"] [role="radiogroup"]')].filter(group =>
    [...group.children].some(one => {
        const right = one.getBoundingClientRect().right;
        return right > innerWidth || right > group.getBoundingClientRect().right + 1;
    })).map(group => group.innerText)"""


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", ["/checklist", "/economics", "/household", "/clues"])
def test_no_choice_is_cut_on_a_phone(browser: Browser, address: str, somebody: str, path: str, language: str) -> None:
    query = f"?lang={language}" + (f"&household={somebody}" if path == "/household" else "")
    with Visit(browser, address, f"{path}{query}", 390) as visit:
        visit.page.locator('[data-testid="stButtonGroup"]').first.wait_for()
        assert visit.page.evaluate(CUT) == []


def test_the_label_of_the_standard_lies_over_no_bar_on_a_phone(
    browser: Browser, address: str, warehouse: Warehouse
) -> None:
    """Of the household whose income is nearest to its standard, so that its bar ends where the line is."""
    row = warehouse.row(
        """select household_id, household_key from household_snapshot where income_known and income_pc > 0
           order by abs(income_pc - standard), household_key limit 1"""
    )
    link = link_id(row["household_id"], row["household_key"], warehouse.row("select run_id from run")["run_id"])
    with Visit(browser, address, f"/household?household={link}", 390) as visit:
        label = visit.page.locator(".annotation-text", has_text="低保标准").first
        label.scroll_into_view_if_needed()
        said = label.bounding_box()
        bars = [
            one.bounding_box() for one in visit.page.locator(".waterfalllayer .point, .waterfalllayer .bartext").all()
        ]
        assert said and bars
        for bar in bars:
            assert bar is not None
            apart = bar["x"] + bar["width"] <= said["x"] or said["x"] + said["width"] <= bar["x"]
            assert apart or said["y"] + said["height"] <= bar["y"] + 1, (said, bar)


@pytest.mark.parametrize("name", PAGES)
def test_the_chinese_interface_has_no_english_words(browser: Browser, address: str, somebody: str, name: str) -> None:
    """Rule codes, small and grey, and the names of files are the only Latin letters of four and more."""
    with Visit(browser, address, f"/{name}?household={somebody}" if name == "household" else f"/{name}") as visit:
        shown = re.sub(r"\S+\.(csv|xlsx|xls)\b", "", visit.text()).replace("English", "")
        assert ENGLISH_WORD.findall(RULE_CODE.sub("", shown)) == []


@pytest.mark.parametrize("name", ["overview", "coverage", "exits", "checklist"])
def test_the_english_interface_says_headings_and_labels_in_english(browser: Browser, address: str, name: str) -> None:
    with Visit(browser, address, f"/{name}?lang=en") as visit:
        shown = [  # names of places (.v) stay as they are
            *visit.page.locator(".bl-h, .bl-title, .bl-tile .k, th:not(.v)").all_inner_texts(),
            *visit.page.locator('[data-testid="stTab"]').all_inner_texts(),
        ]
        assert shown and [text for text in shown if CHINESE.search(text)] == []


def test_the_sample_says_that_it_is_one(browser: Browser, address: str) -> None:
    with Visit(browser, address, "/") as visit:
        assert "样例县" in visit.text() and "数据截至" in visit.text()


def test_facts_table_and_map_fit_one_screen(browser: Browser, address: str) -> None:
    with Visit(browser, address, "/") as visit:
        for selector in (".bl-tiles", ".js-plotly-plot", '[data-testid="stColumn"]:nth-child(3) table.bl-t'):
            box = visit.page.locator(selector).first.bounding_box()
            assert box is not None and box["y"] + box["height"] <= 900, selector
        assert visit.page.locator(".js-plotly-plot .choroplethlayer path").count() >= 3


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
        visit.page.get_by_text("县级工作人员").click()
        visit.page.get_by_role("combobox", name="语言 / Language").click()
        visit.page.get_by_role("option", name="English").click()
        visit.page.wait_for_timeout(1500)
        visit.settle()
        assert "Freshness" in visit.text() and "lang=en" in visit.page.url


def test_a_household_that_is_not_there_says_what_to_do(browser: Browser, address: str) -> None:
    with Visit(browser, address, "/household?household=nobody") as visit:
        assert "没有找到这一户" in visit.text()
        check(visit)


@pytest.mark.long
def test_no_number_of_a_person_reaches_the_browser(
    browser: Browser, address: str, warehouse: Warehouse, somebody: str
) -> None:
    numbers = set(warehouse.frame("select number from person_snapshot where number is not null")["number"])
    for path in ("/alerts", f"/household?household={somebody}", "/data", "/coverage", "/exits"):
        with Visit(browser, address, path) as visit:
            assert not set(re.findall(r"[0-9]{17}[0-9X]", visit.page.content())) & numbers


@pytest.mark.parametrize(
    ("path", "cell"),
    [
        ("/coverage", 'td[data-label="缺口"] a'),
        ("/coverage?view=registers", 'td[data-label="户数"] a'),
        ("/coverage?view=ways", 'td[data-label="其中 ▲ 红"] a'),
        ("/exits", 'td[data-label="线索"] a'),
        ("/exits?view=ended", 'td[data-label="户数"] a'),
    ],
)
def test_a_figure_opens_a_list_of_exactly_that_many_and_asks_for_a_check(
    browser: Browser, address: str, path: str, cell: str
) -> None:
    with Visit(browser, address, path) as visit:
        figure = visit.page.locator(cell).first
        count = int(figure.inner_text().replace(",", ""))
        figure.click()
        visit.page.wait_for_timeout(1000)
        visit.settle()
        check(visit)
        listed = visit.page.locator("table.bl-t:has(> caption)").first
        assert f"共 {count}" in listed.locator("caption").inner_text()
        assert listed.locator("tbody tr").count() == min(count, 50)
        assert not re.search("取消|清退", visit.text())
