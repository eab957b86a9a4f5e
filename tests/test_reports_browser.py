"""The reports page in Chromium: changes and clocks wide and narrow, a file taken once, a print view, a past period that says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from monitoring.access import Scope
from monitoring.alerts.syncing import catch_up
from monitoring.pair import Pair
from monitoring.queries import changes
from monitoring.store import open_store
from monitoring.warehouse import Warehouse, publication
from tests.browsing import KEYS, Visit, check
from tests.serving import Served, own_home, serving
from tests.test_clocks import seen_and_helped
from tests.two_months import NOW, TwoMonths

LATIN = re.compile(r"\b[a-z_]{4,}\b")
CODE = re.compile(r"\b(GAP|RISK|EXIT|PROC|DQ|POL)-[A-Z-]+\b|national-2020")


@pytest.fixture(scope="session")
def land(two_months: TwoMonths, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over the two months, with one household helped; visited by county staff."""
    home = own_home(two_months.home, tmp_path_factory.mktemp("reports-served"))
    store = open_store(home)
    catch_up(store, publication(home), datetime.now(UTC))
    store.close()
    with serving(home) as served:
        account = served.account("county_staff")
        KEYS[served.address] = served.log_in("county_staff", name=account)
        with served.store.read() as con:
            from sqlalchemy import select

            from monitoring.store.schema import account as accounts
            from monitoring.store.schema import alert

            who = con.execute(select(accounts.c.id).where(accounts.c.name == account)).scalar_one()
            key = con.execute(select(alert.c.id).where(alert.c.household_id == "H210")).scalar_one()
        seen_and_helped(served.store, key, who)
        yield served


@pytest.mark.parametrize(("width", "lang"), [(1440, "zh"), (390, "en"), (390, "zh")])
def test_changes_and_clocks_show_wide_and_narrow_in_both_languages(
    browser: Browser, land: Served, width: int, lang: str
) -> None:
    words = {"zh": ("各项进出和升降", "数据晚在哪个部门"), "en": ("who entered, left", "Which department")}[lang]
    for part, said in zip(("changes", "clocks"), words, strict=True):
        with Visit(browser, land.address, f"/reports?part={part}&lang={lang}", width) as visit:
            check(visit)
            text = visit.text()
            assert said in text and "None" not in text and "NaN" not in text
            if lang == "zh":
                assert LATIN.findall(CODE.sub("", text)) == []


def test_the_figures_shown_are_those_of_the_two_runs_and_lead_to_their_list(
    browser: Browser, land: Served, two_months: TwoMonths
) -> None:
    pair = Pair(*two_months.files)
    left = changes.pick(changes.changed(pair, Scope()), "dibao", "left")[1]
    pair.close()
    with Visit(browser, land.address, "/reports?part=changes&what=dibao&how=left", 1440) as visit:
        assert f"共 {left}，每页 50" in visit.text() and "台账写明终止：2026-11-15" in visit.text()
        row = visit.page.locator("table.bl-t tr", has=visit.page.get_by_text("低保", exact=True)).first
        assert row.locator("td").nth(2).inner_text() == str(left)
        visit.page.locator('table.bl-t a[href*="/household"]').first.click()
        visit.settle()
        assert "户" in visit.text() and "/household" in visit.page.url


def test_the_word_file_and_the_lists_are_made_and_taken_once(browser: Browser, land: Served, tmp_path: Path) -> None:
    with Visit(browser, land.address, "/reports", 1440) as visit:
        for button, suffix in (("生成 Word", ".docx"), ("生成清单（隐去姓名和号码）", ".xlsx")):
            visit.page.get_by_role("button", name=button).first.click()
            link = visit.page.get_by_role("link", name="下载")
            link.wait_for(timeout=30_000)
            address = link.get_attribute("href") or ""
            with visit.page.expect_download() as taken:
                link.click()
            assert taken.value.suggested_filename.endswith(suffix) and "2026年11月" in taken.value.suggested_filename
            assert land.ask(address, cookie=KEYS[land.address]).status in (403, 404)
            visit.page.reload()
            visit.settle()
        visit.page.get_by_role("button", name="生成清单（完整信息）").click()
        visit.page.get_by_text("请写明查看完整信息的用途").wait_for(timeout=30_000)


def test_the_print_view_is_for_those_who_may_and_loads_nothing_foreign(land: Served) -> None:
    cookie = KEYS[land.address]
    page = land.ask(f"/report/monthly/{NOW}/internal", cookie=cookie)
    assert page.status == 200 and "月报" in page.text and "script" not in page.text
    assert "乙镇" in land.ask(f"/report/monthly/{NOW}/public/%E4%B9%99%E9%95%87", cookie=cookie).text
    village = land.log_in("village_staff", [("乙镇", "乙西村")])
    for who, path in ((village, f"/report/monthly/{NOW}/internal"), (cookie, f"/report/quarterly/{NOW}/internal"),
                      (cookie, "/report/monthly/2020-01/internal"), (cookie, f"/report/yearly/{NOW}/internal")):  # fmt: skip
        assert land.ask(path, cookie=who).status in (403, 404), path
    assert land.ask(f"/report/monthly/{NOW}/internal").status in (303, 401)


def test_a_past_period_is_shown_as_it_was_known_and_says_so(
    browser: Browser, land: Served, two_months: TwoMonths
) -> None:
    before = Warehouse(two_months.files[0])
    people = before.row("select count(distinct person_id) as n from low_income_standing")["n"]
    before.close()
    with Visit(browser, land.address, "/?period=2026-10", 1440) as visit:
        check(visit)
        assert "正在看 2026年10月" in visit.page.inner_text("body") and "办理情况是现在的" in visit.page.inner_text(
            "body"
        )
        assert f"{people}" in visit.page.locator(".bl-tile").nth(0).inner_text()
    for page in ("coverage", "checklist", "data", "reports"):
        with land.socket(KEYS[land.address]) as wire:
            assert "正在看 2026年10月" in wire.open(page, "period=2026-10").text(), page
    with land.socket(KEYS[land.address]) as wire:
        assert "正在看" not in wire.open("reports").text()
