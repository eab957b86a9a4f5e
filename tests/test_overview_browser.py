"""The overview in a real browser: every number leads to a list of as many, the map leads to a township, paper shows all of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from tests.browsing import Visit, check


def figure(text: str) -> int:
    return int(re.sub(r"[^0-9]", "", text))


@pytest.mark.long
def test_numbers_lead_to_lists_of_as_many_and_the_way_back_is_there(browser: Browser, address: str) -> None:
    with Visit(browser, address, "/") as visit:
        page = visit.page
        links = page.locator('table.bl-t a[href*="list="]')
        assert links.count() > 40
        wanted = {}
        for kind in (
            "list=persons",
            "list=main",
            "list=alerts",
            "list=red",
            "list=gap",
            "list=rule",
            "list=cell",
            "list=income_unknown",
        ):
            link = page.locator(f'table.bl-t a[href*="{kind}"]').first
            wanted[link.get_attribute("href")] = (figure(link.inner_text()), "人" if kind == "list=persons" else "户")
        for href, (count, unit) in wanted.items():
            page.goto(f"{address}{href}")
            visit.settle()
            check(visit)
            told = page.locator(".bl-title").inner_text()
            assert f"{count:,} {unit}" in told, (href, told)
            if unit == "户":
                assert page.locator("table.bl-t tbody tr").count() == min(count, 50)
        page.get_by_text("← 回总览").click()
        page.wait_for_selector(".bl-tiles")
        assert "list=" not in page.url


def test_a_click_on_the_map_leads_to_the_township(browser: Browser, address: str) -> None:
    with Visit(browser, address, "/") as visit:
        area = visit.page.locator(".choroplethlayer path").nth(3).bounding_box()
        assert area is not None
        x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
        visit.page.mouse.move(x, y)
        visit.page.wait_for_timeout(300)
        visit.page.mouse.click(x, y)
        visit.page.wait_for_url("**township=**")
        visit.settle()
        check(visit)
        assert "村（社区）" in visit.text()


def test_bars_are_as_long_as_their_numbers(browser: Browser, address: str) -> None:
    with Visit(browser, address, "/") as visit:
        drawn = visit.page.evaluate(
            """[...document.querySelectorAll('.bl-bar')].map(bar => [bar.closest('table').innerText.length,
            parseInt(bar.closest('tr').querySelector('td.n').innerText.replaceAll(',', '')), bar.firstChild.offsetWidth, bar.offsetWidth,
            getComputedStyle(bar).backgroundColor])"""
        )
    assert len(drawn) > 5 and {ground for *_, ground in drawn} == {"rgba(0, 0, 0, 0)"}
    tables = {table for table, *_ in drawn}
    for table in tables:
        rows = [row for row in drawn if row[0] == table]
        most = max(number for _, number, *_ in rows)
        for _, number, long, whole, _ in rows:
            assert abs(long - max(2, whole * number / most)) <= 2 + whole / 200, (number, most, long, whole)


def test_on_paper_the_columns_stand_beside_each_other_and_no_control_is_shown(browser: Browser, address: str) -> None:
    with Visit(browser, address, "/") as visit:
        visit.page.emulate_media(media="print")
        visit.page.wait_for_timeout(500)
        assert visit.page.locator(".bl-print").is_visible() and not visit.page.locator(".st-key-frame").is_visible()
        columns = [
            box
            for box in (visit.page.locator('[data-testid="stColumn"]').nth(n).bounding_box() for n in range(3))
            if box
        ]
        assert len({round(box["y"]) for box in columns}) == 1 and len(columns) == 3
        visit.page.locator(".main-svg").first.wait_for(state="attached", timeout=60_000)
        widths = visit.page.evaluate(
            "[...document.querySelectorAll('.main-svg')].map(e => e.getBoundingClientRect().right)"
        )
        assert max(widths) <= 1440
        assert len(re.findall(rb"/Type\s*/Page\b", visit.page.pdf(prefer_css_page_size=True))) <= 3


def test_a_list_that_there_is_not_says_so(browser: Browser, address: str) -> None:
    with Visit(browser, address, "/?list=persons&of=nobody") as visit:
        assert "没有这份名单" in visit.text()
        for query in ("list=case&of=nothing", "list=money&of=nothing", "list=unknown&of=x"):
            visit.page.goto(f"{address}/?{query}")
            visit.settle()
            assert "没有这份名单" in visit.text()
            check(visit)
