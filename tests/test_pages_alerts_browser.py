"""A working day in a real Chromium: claimed, visited on a phone, decided, closed; who was slower; who sees what; what is printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, or_, select

from monitoring import ui
from monitoring.access import Scope
from monitoring.alerts.cards import card, cards
from monitoring.alerts.syncing import take_in
from monitoring.gate import sheet as sheets
from monitoring.language import Language
from monitoring.people import Person
from monitoring.queries import household
from monitoring.store.schema import account, alert, alert_event, audit_sample, audit_visit, journal
from monitoring.warehouse import Warehouse, publication
from monitoring.working_days import CHINA
from tests.serving import COOKIE, Served, own_home, serving
from tests.test_pages_browser import CHINESE, ENGLISH_WORD, RULE_CODE

RAW_CODE = re.compile(r"\b(new|assigned|verifying|decided|following|returned|referred|closed|household|hotline)\b")
PHONE = (390, 844)
ROW = ".st-key-queue-row [data-testid=stRadioOption]"


@pytest.fixture(scope="session")
def desk(published_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own, whose case store has taken the sample's runs in."""
    published = publication(published_home)
    with serving(own_home(published_home, tmp_path_factory.mktemp("desk-home"))) as running:
        for run in reversed(published.runs):
            as_of = Warehouse(run.path).row("select as_of from run")["as_of"]
            take_in(running.store, run.path, run.run, run.period, as_of, datetime.now(UTC))
        yield running


@pytest.fixture(scope="session")
def towns(desk: Served) -> list[str]:
    """Townships with at least four unassigned alerts of households, the busiest first."""
    counts: dict[str, int] = {}
    for row in alerts(desk):
        if row["township"]:
            counts[row["township"]] = counts.get(row["township"], 0) + 1
    found = [town for town, count in sorted(counts.items(), key=lambda pair: -pair[1]) if count >= 4]
    assert len(found) >= 2
    return found


def alerts(desk: Served, **where: Any) -> list[dict[str, Any]]:
    """Open alerts of households that raise work, in the queue's order of rank."""
    conditions = [alert.c.closed_at.is_(None), alert.c.subject == "household", alert.c.raises_work.is_(True)]
    conditions += [alert.c[name] == value for name, value in where.items()]
    with desk.store.read() as con:
        rows = con.execute(select(alert).where(*conditions).order_by(alert.c.rank.desc(), alert.c.id)).mappings()
        return [dict(row) for row in rows]


def counted(desk: Served, condition: Any) -> int:
    """Open alerts that raise work, or that somebody works on, under a condition."""
    works = or_(alert.c.raises_work, alert.c.status != "new")
    with desk.store.read() as con:
        return int(con.execute(select(func.count()).where(alert.c.closed_at.is_(None), works, condition)).scalar_one())


def one(desk: Served, alert_id: int) -> dict[str, Any]:
    with desk.store.read() as con:
        return dict(con.execute(select(alert).where(alert.c.id == alert_id)).mappings().one())


class Worker:
    """Somebody at a screen."""

    def __init__(self, browser: Browser, desk: Served, role: str, places: list[tuple[str, str | None]], person: str = "",
                 size: tuple[int, int] = (1440, 900)) -> None:  # fmt: skip
        self.desk, self.name = desk, desk.account(role, places, **({"person": person} if person else {}))
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="zh-CN")
        self.context.add_cookies([{"name": COOKIE, "value": desk.log_in(role, name=self.name), "url": desk.address}])
        self.page: Page = self.context.new_page()

    def open(self, path: str) -> Page:
        self.page.goto(self.desk.address + path)
        self.page.wait_for_load_state("networkidle")  # parts of the page are fetched when they are first drawn
        self.settle()
        return self.page

    def settle(self) -> None:
        """The script has run to its end and nothing is waiting to be drawn."""
        self.page.wait_for_timeout(250)
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60_000)
        self.page.wait_for_selector(".bl-title, .bl-tiles, .bl-failure, .bl-open", state="attached", timeout=60_000)
        self.page.wait_for_timeout(400)

    def press(self, name: str, within: str = "") -> None:
        where = self.page.locator(within) if within else self.page
        where.get_by_role("button", name=name, exact=True).first.click()
        self.settle()

    def choose(self, label: str, option: str) -> None:
        """An option of a list to choose from."""
        self.page.get_by_role("combobox", name=label).click()
        self.page.get_by_role("option", name=option).first.click()
        self.settle()

    def text(self) -> str:
        self.page.evaluate(
            "document.querySelectorAll('[data-testid=stIconMaterial]').forEach(icon => icon.style.display = 'none')"
        )
        return self.page.locator('[data-testid="stMain"]').inner_text()

    def told(self) -> str:
        """What the last step came to."""
        return self.page.locator(".bl-done, .bl-refused").last.inner_text()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


def fits(page: Page) -> None:
    """Nothing broke, and nothing stands beyond the right edge."""
    assert page.locator('[data-testid="stException"], .bl-failure').count() == 0
    for element in ("document.documentElement", "document.querySelector('[data-testid=stMain]')"):
        assert page.evaluate(f"{element}.scrollWidth - {element}.clientWidth") <= 0, "the page scrolls sideways"


def row(page: Page, alert_id: int) -> Any:
    return page.locator(f'{ROW}:has(code:text-is("{alert_id}"))')


def record_visit(worker: Worker, note: str, finding: str = "情况属实") -> None:
    page = worker.page
    page.locator("label").filter(has_text=re.compile("^见到了$")).click()
    page.locator("label").filter(has_text=re.compile(f"^{finding}$")).click()
    page.get_by_label("走访记录").fill(note)
    worker.press("保存")


def test_a_township_worker_takes_an_alert_from_claim_to_close_on_a_phone(
    browser: Browser, desk: Served, towns: list[str]
) -> None:
    wanted = alerts(desk, township=towns[0], status="new")[0]
    with Worker(browser, desk, "township_staff", [(towns[0], None)], "何山", PHONE) as worker:
        page = worker.open("/alerts?tab=unassigned")
        fits(page)
        row(page, wanted["id"]).click()
        worker.settle()
        worker.press("认领", ".st-key-at-once")
        assert f"已认领：{wanted['name'][0]}**" in worker.told()
        assert "何山" in worker.text() and not page.locator(".st-key-queue-list-behind").is_visible()
        fits(page)

        worker.press("保存")
        assert "请选择见到人没有" in worker.told()
        record_visit(worker, "见到户主，家里只有一人有收入，情况属实。")
        assert "走访已保存" in worker.told() and "核实中" in worker.text()

        worker.choose("结论", "给予临时救助")
        page.get_by_label("理由").fill("住院自付超过收入")
        worker.press("保存")
        assert "金额" in worker.told() and one(desk, wanted["id"])["outcome"] is None
        assert page.get_by_label("理由").input_value() == "住院自付超过收入", "what was typed is kept"
        page.get_by_label("金额（元），不是钱的空着").fill("3000")
        page.get_by_label("帮扶责任人").fill("何山")
        worker.press("保存")
        assert "结论已保存：给予临时救助" in worker.told() and "跟踪帮扶中" in worker.text()

        page.get_by_label("办什么").get_by_text("办结", exact=True).click()
        worker.settle()
        worker.press("保存")
        assert "已办结" in worker.told()
        fits(page)
    end = one(desk, wanted["id"])
    assert (end["status"], end["outcome"]) == ("closed", "F") and end["closed_at"] is not None
    with desk.store.read() as con:
        steps = con.execute(select(alert_event.c.event).where(alert_event.c.alert_id == wanted["id"])).scalars().all()
    assert {"claim", "visit", "decide", "measure", "close"} - set(steps) in (set(), {"measure"})


def test_no_difficulty_without_a_visit_is_refused_in_words(browser: Browser, desk: Served, towns: list[str]) -> None:
    wanted = alerts(desk, township=towns[0], status="new")[0]
    with Worker(browser, desk, "township_staff", [(towns[0], None)]) as worker:
        worker.open(f"/alerts?alert={wanted['id']}")
        worker.press("认领", ".st-key-at-once")
        worker.press("开始核实（先打电话、查台账）")
        worker.choose("结论", "核实无困难")
        worker.page.get_by_label("理由").fill("电话里说没有困难")
        worker.press("保存")
        assert "必须有入户走访" in worker.told()
    assert one(desk, wanted["id"])["outcome"] is None


def test_saving_can_go_on_to_the_next_alert(browser: Browser, desk: Served, towns: list[str]) -> None:
    first, other = alerts(desk, township=towns[1], status="new")[:2]
    with Worker(browser, desk, "township_staff", [(towns[1], None)]) as worker:
        page = worker.page
        for found in (other, first):
            worker.open(f"/alerts?alert={found['id']}")
            worker.press("认领", ".st-key-at-once")
        worker.open(f"/alerts?tab=mine&alert={first['id']}")
        page.get_by_label("办什么").get_by_text("备注", exact=True).click()
        worker.settle()
        page.get_by_label("办什么").get_by_text("登记走访", exact=True).click()
        worker.settle()
        page.locator("label").filter(has_text=re.compile("^没有见到$")).click()
        page.locator("label").filter(has_text=re.compile("^尚不清楚$")).click()
        page.get_by_label("走访记录").fill("家里没有人，邻居说去了县城。")
        worker.press("保存并看下一条")
        assert "走访已保存" in worker.told() and f"alert={other['id']}" in page.url
        assert page.get_by_label("走访记录").input_value() == ""
    assert one(desk, first["id"])["status"] == "verifying" and one(desk, first["id"])["verified_at"] is None


def test_who_was_slower_is_told_by_whom_and_sees_the_list_as_it_is(
    browser: Browser, desk: Served, towns: list[str]
) -> None:
    wanted = alerts(desk, township=towns[0], status="new")[0]
    own: list[tuple[str, str | None]] = [(towns[0], None)]
    with (
        Worker(browser, desk, "township_staff", own, "张三") as first,
        Worker(browser, desk, "township_staff", own, "李四") as second,
    ):
        first.open("/alerts?tab=unassigned")
        second.open("/alerts?tab=unassigned")
        for worker in (first, second):
            row(worker.page, wanted["id"]).click()
            worker.settle()
        first.press("认领", ".st-key-at-once")
        second.press("认领", ".st-key-at-once")
        assert "张三" in second.told() and re.search(r"\d\d:\d\d", second.told())
        assert row(second.page, wanted["id"]).count() == 0, "it is no longer among the unassigned"
        assert second.page.locator(".bl-refused").count() == 1
    assert one(desk, wanted["id"])["version"] == wanted["version"] + 1


def test_a_village_worker_sees_the_own_village_only(browser: Browser, desk: Served, towns: list[str]) -> None:
    own = next(found for found in alerts(desk, status="new") if found["village"])
    other = next(found for found in alerts(desk, status="new") if found["village"] not in (None, own["village"]))
    with Worker(browser, desk, "village_staff", [(own["township"], own["village"])]) as worker:
        page = worker.open("/alerts?tab=all")
        assert own["village"] in worker.text() and row(page, own["id"]).count() == 1
        with desk.store.read() as con:
            here = (alert.c.township == own["township"], alert.c.village == own["village"])
            mine = set(con.execute(select(alert.c.id).where(*here)).scalars())
        shown = [int(number) for number in page.locator(f"{ROW} code").all_text_contents()]
        assert shown and set(shown) <= mine
        assert page.get_by_text("批量分派").count() == 0, "a village worker assigns nobody"
        page = worker.open(f"/alerts?alert={other['id']}")
        assert "没有这一项，或它不在您的职责范围内" in worker.text()
        assert other["headline"] not in page.content()


def test_a_sampled_household_is_visited_on_a_phone_and_becomes_an_alert(browser: Browser, desk: Served) -> None:
    with desk.store.read() as con:
        drawn = con.execute(
            select(audit_sample).where(audit_sample.c.state == "drawn", audit_sample.c.village.is_not(None))
        ).mappings().first()  # fmt: skip
    assert drawn is not None
    place = (drawn["township"], drawn["village"])
    with Worker(browser, desk, "village_staff", [place], "林秋", PHONE) as worker:
        page = worker.open("/alerts")
        page.get_by_text(re.compile("^漏判抽查：")).click()
        worker.settle()
        form = page.locator('[data-testid="stExpander"] [data-testid="stForm"]')
        expect(form.get_by_role("button", name="保存走访")).to_be_visible()
        box = form.get_by_role("combobox")
        box.click()
        box.press_sequentially(drawn["household_id"])
        box.press("Enter")
        form.get_by_text("有困难，此前没有被发现").click()
        form.get_by_role("textbox", name="看到的情况").fill("家中断粮")
        worker.press("保存走访")
        expect(page.get_by_text("走访已保存，已成为预警。")).to_be_visible()
        fits(page)
    with desk.store.read() as con:
        [case] = con.execute(select(alert).where(alert.c.household_id == drawn["household_id"])).mappings().all()
        [told] = con.execute(select(audit_visit).where(audit_visit.c.sample_id == drawn["id"])).mappings().all()
    assert (case["origin"], told["result"], told["alert_id"]) == ("clue", "needy", case["id"])


def test_many_are_assigned_at_once(browser: Browser, desk: Served, towns: list[str]) -> None:
    town = towns[1]
    two = alerts(desk, township=town, status="new")[:2]
    village = next(found["village"] for found in two if found["village"])
    desk.account("township_staff", [(town, None)], person="王芳")
    with Worker(browser, desk, "township_staff", [(town, None)]) as worker:
        page = worker.open("/alerts?tab=unassigned")
        page.get_by_text("批量分派").click()
        worker.settle()
        worker.press("分派所选")
        assert "请勾选" in worker.told()
        for found in two:
            page.locator(f'[class*="-{found["id"]}-tick"] label').click()
        page.get_by_role("combobox", name="分派给").click()
        page.get_by_role("option", name=re.compile("^王芳")).click()
        worker.press("分派所选")
        assert "已分派 2 件给 王芳" in worker.told()
        fits(page)
    assert {one(desk, found["id"])["status"] for found in two} == {"assigned"} and village


def test_a_search_by_the_end_of_a_number_finds_the_household_and_stays_out_of_the_address(
    browser: Browser,
    desk: Served,
    warehouse: Warehouse,
) -> None:
    wanted = alerts(desk, status="new")[-1]
    key = household.find(warehouse, Scope(), wanted["household_id"])
    assert key is not None
    numbers = household.members(warehouse, Scope(masked=False), key)["number"].drop_nulls()
    tail = numbers[0][-4:]
    with Worker(browser, desk, "county_staff", []) as worker:
        page = worker.open("/alerts?tab=all")
        page.get_by_label("查找").fill(tail)
        page.keyboard.press("Enter")
        worker.settle()
        assert row(page, wanted["id"]).count() == 1
        assert page.locator(ROW).count() < 5
        assert tail not in page.url
        page.get_by_label("查找").fill("查无此人")
        page.keyboard.press("Enter")
        worker.settle()
        assert "没有符合条件的预警" in worker.text()


def test_a_level_in_the_address_narrows_the_queue(browser: Browser, desk: Served) -> None:
    red = counted(desk, alert.c.level == "red")
    with Worker(browser, desk, "county_staff", []) as worker:
        page = worker.open("/alerts?level=red")
        assert f"全部未办结：共 {red} 户（件）" in worker.text()
        marks = page.locator(f"{ROW} p > :first-child").all_inner_texts()
        assert marks and set(marks) == {"▲ 红"}
        page.get_by_text("■ 橙", exact=True).first.click()
        worker.settle()
        assert f"共 {red} 户（件）" not in worker.text() and "level=orange" in page.url


def test_what_was_picked_stands_when_the_page_is_loaded_again(browser: Browser, desk: Served, towns: list[str]) -> None:
    mine = alerts(desk, status="new")[1]
    name = desk.account("county_staff", person="何留")
    with desk.store.write() as con:
        account_id = con.execute(select(account.c.id).where(account.c.name == name)).scalar_one()
        con.execute(alert.update().where(alert.c.id == mine["id"]).values(assignee=account_id, status="assigned"))
    held = counted(desk, alert.c.assignee == account_id)
    with Worker(browser, desk, "county_staff", []) as worker:
        page = worker.open(f"/alerts?holder={account_id}&tab=all")
        for _ in range(2):
            assert f"全部未办结：共 {held} 户（件）" in worker.text() and f"holder={account_id}" in page.url
            page.reload()
            worker.settle()
        page = worker.open("/clues")
        page.get_by_text(re.compile("^超期 ")).click()
        worker.settle()
        assert "clues=overdue" in page.url
        page.reload()
        worker.settle()
        assert "clues=overdue" in page.url
        chosen = page.locator(
            '[data-testid="stBaseButton-segmented_controlActive"], [aria-checked="true"]'
        ).all_inner_texts()
        assert any(text.startswith("超期") for text in chosen)
        page = worker.open("/?window=month&measure=red")
        page.reload()
        worker.settle()
        assert "window=month" in page.url and "measure=red" in page.url


def test_rows_are_cards_on_a_phone_and_the_open_one_takes_their_place(browser: Browser, desk: Served) -> None:
    with Worker(browser, desk, "county_staff", [], size=PHONE) as worker:
        page = worker.open("/alerts?tab=all")
        assert not page.locator(".bl-qhead").is_visible() and not page.locator(".bl-open").is_visible()
        first = page.locator(ROW).first
        name = first.locator("strong").first.inner_text()
        first.click()
        worker.settle()
        assert page.locator(".bl-open b").inner_text() == name and not first.is_visible()
        worker.press("返回列表")
        assert first.is_visible() and not page.locator(".bl-open").is_visible()


def test_a_clue_stands_in_the_queue_at_once(browser: Browser, desk: Served, towns: list[str]) -> None:
    with Worker(browser, desk, "township_staff", [(towns[0], None)], size=PHONE) as worker:
        page = worker.open("/clues")
        fits(page)
        worker.press("登记新线索")
        page.get_by_label("困难对象姓名").fill("欧阳春兰")
        page.get_by_label("反映人电话（可不填）").fill("13900001234")
        worker.press("登记")
        assert "请填写反映的情况" in worker.told()
        page.get_by_label("反映的情况").fill("老人独居，家里断粮三天。")
        page.get_by_text("急难：吃住无着、突发重大变故").click()
        worker.press("登记")
        assert "线索已登记，已生成预警" in worker.told()
        fits(page)
        assert "13900001234" not in page.content() and "欧阳春兰" not in page.content()
        page.get_by_role("link", name="打开预警").click()
        worker.settle()
        assert "老人独居" in worker.text() and "急难" in worker.text() and "欧**" in worker.text()
        page = worker.open("/alerts?tab=emergency")
        assert "断粮三天" in worker.text()


def pages_of(page: Page) -> int:
    """How many sheets of paper a page is printed on."""
    counts = re.findall(rb"/Count (\d+)", page.pdf(prefer_css_page_size=True))
    return max(int(count) for count in counts)


def test_a_big_household_with_many_reasons_still_fits_one_sheet_of_paper(browser: Browser, desk: Served) -> None:
    member = {"name": "欧阳春兰", "relation": "配偶", "is_head": False, "sex": "女", "age": 57, "number": "********1234", "alive": True,
              "severe": True, "has_certificate": True, "seriously_ill": True, "on_dibao": True, "on_tekun": False,
              "on_low_income": True, "studying": True}  # fmt: skip
    told = sheets.Told(("5组", "某某街道某某社区某某路某某小区12幢3单元1203号"), [member] * 12, "2026-10-01 张三")
    reasons = [
        ("red", kind, "该户 12 个月医疗自付 13970.36 元，达到 10000 元；" * 4)
        for kind in ("gap", "risk", "exit", "data") * 2
    ]
    with desk.store.read() as con:
        found = card(con.execute(cards().limit(1)).mappings().one(), datetime.now(CHINA).date(), masked=False)
    person = Person(1, "heshan", "何山", "township_staff", None)
    page = browser.new_page()
    page.set_content(sheets._page(replace(found, emergency=True), reasons, told, person, datetime.now(UTC)))
    assert pages_of(page) == 1 and "另有 6 人" in page.inner_text("body") and "另有 4 条" in page.inner_text("body")
    page.close()


def test_the_visit_sheet_is_one_page_with_names_and_without_numbers(
    browser: Browser,
    desk: Served,
    towns: list[str],
    warehouse: Warehouse,
) -> None:
    wanted = alerts(desk, township=towns[0])[0]
    key = household.find(warehouse, Scope(), wanted["household_id"])
    assert key is not None
    people = household.members(warehouse, Scope(masked=False), key)
    with Worker(browser, desk, "township_staff", [(towns[0], None)]) as worker:
        worker.open(f"/alerts?alert={wanted['id']}")
        with worker.context.expect_page() as opened:
            worker.page.get_by_role("link", name="打印走访单").click()
        sheet = opened.value
        sheet.wait_for_load_state()
        said = sheet.inner_text("body")
        assert (
            all(name in said for name in people["name"].head(sheets.MOST_MEMBERS))
            and "走访人签字" in said
            and wanted["village"] in said
        )
        assert not {number for number in people["number"].drop_nulls() if number in sheet.content()}
        assert "<script" not in sheet.content()
        assert pages_of(sheet) == 1
    with desk.store.read() as con:
        of = select(journal.c.result).where(
            journal.c.event == "sheet.print", journal.c.object == f"alert:{wanted['id']}"
        )
        assert con.execute(of).scalars().all() == ["ok"]
    stranger = desk.log_in("township_staff", [(towns[1], None)])
    refused = desk.ask(f"/sheet/{wanted['id']}", cookie=stranger)
    assert refused.status == 404 and wanted["name"] not in refused.text


def test_the_household_page_tells_what_was_done_and_takes_a_remark(
    browser: Browser, desk: Served, towns: list[str]
) -> None:
    wanted = next(row for row in alerts(desk, township=towns[1], status="new") if not row["emergency"])
    with Worker(browser, desk, "township_staff", [(towns[1], None)], "何山") as worker:
        page = worker.open(f"/alerts?alert={wanted['id']}")
        head = page.locator(".bl-open + .bl-facts").inner_text()
        page.get_by_role("tab", name="数值和出处").click()
        worker.settle()
        card = page.locator(".bl-card").filter(has_text="期限").first
        expect(card).to_be_visible(timeout=30_000)
        limits = set(re.findall(r"期限：\s*(.*)", card.inner_text()))
        page.get_by_role("link", name="打开户档案").click()
        worker.settle()
        expect(page.get_by_text("规则逐条")).to_be_visible(timeout=30_000)
        assert set(re.findall(r"期限：\s*(.*)", card.inner_text())) == limits
        far = ui.distance(wanted["due_date"], datetime.now(CHINA).date(), Language("zh"))
        assert limits == {f"{wanted['due_date']} {far}"} and far in head and f"{wanted['due_date']}" in head
        page = worker.open(f"/alerts?alert={wanted['id']}")
        worker.press("认领", ".st-key-at-once")
        record_visit(worker, "已入户，房屋漏雨。")
        page.get_by_role("link", name="打开户档案").click()
        worker.settle()
        expect(page.locator(".bl-line")).to_contain_text("登记走访", timeout=30_000)
        line = page.locator(".bl-line").inner_text()
        assert "房屋漏雨" in line and "何山" in line and "发现预警" in line
        page.get_by_label("备注").fill("已约镇住建所周五来看")
        worker.press("保存备注")
        expect(page.locator(".bl-line")).to_contain_text("已约镇住建所周五来看", timeout=30_000)
        page.get_by_role("tab", name=re.compile("^走访 [1-9]")).click()
        said = page.get_by_role("tabpanel").filter(has_text="记在哪里").inner_text()
        assert "何山" in said and "见到本人；情况属实" in said and "预警核实" in said
    sheet = desk.ask(f"/sheet/{wanted['id']}", cookie=desk.log_in("township_staff", [(towns[1], None)])).text
    assert f"<dt>上次走访</dt><dd>{datetime.now(CHINA).date()} 何山</dd>" in sheet


def test_overdue_work_is_on_the_first_screen(browser: Browser, desk: Served) -> None:
    some = alerts(desk, status="new")[-1]
    with desk.store.write() as con:
        con.execute(alert.update().where(alert.c.id == some["id"]).values(due_date=datetime(2026, 1, 5).date()))
    with Worker(browser, desk, "leader", []) as worker:
        page = worker.open("/")
        told = page.locator(".bl-overdue").inner_text()
        late = counted(desk, alert.c.due_date < datetime.now(CHINA).date())
        assert f"预警逾期 {late:,} 件" in told and "县级督办" in told
        page.get_by_role("link", name="去处置").click()
        worker.settle()
        first = page.locator(ROW).first.inner_text()
        assert "县级督办" in first and "逾期" in first
        assert page.get_by_role("button", name="认领").count() == 0, "leaders read"


@pytest.mark.parametrize("size", [(1440, 900), PHONE])
def test_every_part_of_an_alert_is_in_plain_chinese_and_fits(
    browser: Browser,
    desk: Served,
    towns: list[str],
    size: tuple[int, int],
) -> None:
    wanted = alerts(desk, township=towns[0])[0]
    with Worker(browser, desk, "county_staff", [], size=size) as worker:
        page = worker.open("/alerts?tab=all")
        pages = [worker.text()]
        assert re.search("[▲■●◆] [红橙黄蓝]", pages[0]), "levels have a shape and a word"
        fits(page)
        worker.open(f"/alerts?alert={wanted['id']}")
        for part in ("处理", "数值和出处", "这户人", "经过"):
            page.get_by_role("tab", name=part).click()
            worker.settle()
            fits(page)
            pages.append(worker.text())
        assert "依据：" in pages[2] and "第" in pages[2] and "家庭成员" in pages[3] and "发现预警" in pages[4]
        worker.open("/clues")
        fits(page)
        pages.append(worker.text())
    for said in pages:
        plain = RULE_CODE.sub("", re.sub(r"\S+\.(csv|xlsx|xls)\b", "", said)).replace("English", "")
        assert ENGLISH_WORD.findall(plain) == [] and RAW_CODE.findall(plain) == []
        assert not re.search(r"[0-9]{17}[0-9X]", plain) and "None" not in plain


def test_the_english_page_says_its_own_words_in_english(browser: Browser, desk: Served, towns: list[str]) -> None:
    wanted = alerts(desk, township=towns[0], status="new")[0]
    with Worker(browser, desk, "township_staff", [(towns[0], None)]) as worker:
        page = worker.open(f"/alerts?lang=en&alert={wanted['id']}")
        own = page.locator(
            ".bl-title, .bl-qhead span, [data-testid=stTab], .st-key-at-once button, [data-testid=stWidgetLabel], .st-key-tab button"
        )
        assert [text for text in own.all_inner_texts() if CHINESE.search(text)] == []
        page = worker.open("/clues?lang=en")
        labels = page.locator(
            ".bl-title, .bl-h, [data-testid=stWidgetLabel], [data-testid=stBaseButton-primaryFormSubmit]"
        )
        assert [text for text in labels.all_inner_texts() if CHINESE.search(text)] == []
