"""What stands around the ledger: the notice of blindness, the exports, and the page in both languages and widths."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from playwright.sync_api import Browser

from monitoring.access import Scope
from monitoring.alerts.signals import keys_of_run, signals_of_run
from monitoring.language import Language
from monitoring.people import Caller, downloads
from monitoring.queries import vouching
from monitoring.store import Store
from monitoring.vouching.exporting import Picked, offer_checklist
from monitoring.vouching.live import NOTHING
from monitoring.vouching.notices import NOTICE, notice_sql
from monitoring.vouching.settings import load_vouching
from monitoring.warehouse import Warehouse, publication
from pipelines.cli import main
from tests.browsing import Visit, check
from tests.people import add_account
from tests.stores import NOON

AS_OF = date(2026, 11, 30)
CHINESE = re.compile("[\u3400-\u9fff]")


def noticed(now: tuple[int, int, int], before: tuple[int, int, int] | None) -> list[tuple[str, str]]:
    """The notice over one township's figures (outcomes, of them blind, signals) of two months."""
    with duckdb.connect(":memory:") as con:
        con.execute("create table history_figure (period varchar, township varchar, measure varchar, value double)")
        for period, figures in (("2026-11", now), ("2026-09", before)):
            for measure, value in zip(
                ("outcomes_needed", "outcomes_blind", "signals_needed"), figures or (), strict=False
            ):
                con.execute("insert into history_figure values (?, '甲镇', ?, ?)", [period, measure, value])
        con.execute(notice_sql(load_vouching(None, AS_OF), "2026-11", AS_OF))
        return con.execute("select rule, message from notice").fetchall()


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ((100, 12, 9), (100, 10, 10), 1),  # a tenth fewer signals, two points more that nobody could judge: just enough
        ((100, 12, 10), (100, 10, 10), 0),  # no fall
        ((1000, 119, 9), (1000, 100, 10), 0),  # the rise is just too small
        ((100, 50, 91), (100, 10, 100), 0),  # the fall is just too small
        ((100, 8, 2), (100, 10, 10), 0),  # fewer signals and a clearer sight: good news
        ((100, 50, 1), None, 0),  # nothing to compare with
    ],
)
def test_fewer_signals_with_more_blindness_is_a_notice(
    now: tuple[int, int, int], before: tuple[int, int, int] | None, expected: int
) -> None:
    found = noticed(now, before)
    assert len(found) == expected
    if found:
        assert (
            found[0][0] == NOTICE
            and "甲镇 信号 10→9 条、不能判断 10.0%→12.0%" in found[0][1]
            and "2026-09" in found[0][1]
        )


def test_a_notice_is_taken_in_like_a_signal_about_policy(published_home: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.duckdb"
    path.write_bytes(publication(published_home).run_of(None).path.read_bytes())
    with duckdb.connect(str(path)) as con:
        con.execute("delete from notice")
        con.execute(
            "insert into notice by name select * replace ('NOTICE-BLIND' as rule, 'policy' as subject, '看不清的乡镇' as name, null as household_id, null as person_id, null as record_key, null as household_key) from signal limit 1"
        )
    warehouse = Warehouse(path)
    rows = signals_of_run(warehouse).filter(pl.col("rule") == NOTICE)
    signals = warehouse.row("select count(*) as n from signal")["n"]
    assert rows.select("subject", "subject_key", "alert_key", "name").rows() == [
        ("policy", "y:看不清的乡镇", "看不清的乡镇", "看不清的乡镇")
    ]
    assert keys_of_run(warehouse).height == signals + 1
    warehouse.close()


def test_the_command_line_exports_sets_and_ledger_masked_and_journalled(published_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "warehouse").symlink_to((published_home / "warehouse").resolve())
    period = publication(home).latest
    ledger, book = tmp_path / "ledger.csv", tmp_path / "all.xlsx"
    assert main(["export", "vouching", "--period", period, "-o", str(ledger), "--home", str(home)]) == 0
    assert main(["export", "checklist", "--period", period, "-o", str(book), "--home", str(home)]) == 0
    rows = pl.read_csv(ledger)
    warehouse = Warehouse(publication(home).run_of(None).path)
    assert rows.height == warehouse.row("select count(*) as n from household_snapshot")["n"]
    assert all("**" in name for name in rows["name"].drop_nulls())
    assert not re.search(r"[0-9]{17}[0-9Xx]", ledger.read_text("utf-8-sig"))
    sets = pl.read_excel(book, sheet_name="18项")
    assert set(sets["number"]) == set(range(1, 19))
    members = sets.filter(pl.col("number") == 18)["members"].sum()
    assert members == rows.height and pl.read_excel(book, sheet_name="逐户").height == rows.height
    warehouse.close()
    assert (
        main(["export", "vouching", "--period", period, "-o", str(ledger), "--home", str(home), "--unmask"]) == 2
    )  # no reason
    assert (
        main(
            [
                "export",
                "checklist",
                "--period",
                period,
                "-o",
                str(ledger),
                "--home",
                str(home),
                "--where",
                "township=甲",
            ]
        )
        == 2
    )


def exported(store: Store, who: Caller, warehouse: Warehouse, picked: Picked) -> Path:
    address = offer_checklist(store, who, warehouse, Scope(masked=False), picked, "zh", NOON)
    return downloads.take(store, who, address.removeprefix(downloads.ROAD), NOON).path


def test_the_pages_export_holds_the_callers_places_only(warehouse: Warehouse, sqlite_store: Store) -> None:
    town = warehouse.row(
        "select township from vouching where township is not null group by township order by count(*) limit 1"
    )["township"]
    staff = add_account(sqlite_store, "township_staff", [(town, None)])
    taken = exported(sqlite_store, staff, warehouse, Picked())
    rows = pl.read_excel(taken, sheet_name="逐户")
    expected = vouching.totals(warehouse, Scope(townships=(town,)), NOTHING).households
    assert rows.height == expected > 0 and set(rows["乡镇"]) == {town}
    assert all("**" in name for name in rows["户主"])


def test_the_pages_export_is_what_the_page_lists_in_words(warehouse: Warehouse, sqlite_store: Store) -> None:
    staff = add_account(sqlite_store, "county_staff")
    feed = vouching.late_feeds(warehouse, Scope())[0]["feed"]
    some = vouching.ledger(warehouse, Scope(), NOTHING, "nobody", feed=feed)[0].row(0, named=True)
    for picked in (Picked("nobody"), Picked(None, feed), Picked("nobody", feed, some["household_id"][:2])):
        listed = vouching.ledger(warehouse, Scope(), NOTHING, picked.state, picked.search, picked.feed, size=5000)
        file = exported(sqlite_store, staff, warehouse, picked)
        rows = pl.read_excel(file, sheet_name="逐户")
        assert rows["户编号"].to_list() == listed[0]["household_id"].to_list() and rows.height == listed[1] > 0
        if picked.state:
            assert set(rows["担保情况"]) == {"无人担保"}
        about = dict(pl.read_excel(file, sheet_name="说明").rows())
        assert about["户数"].replace(",", "") == str(listed[1]) and about["名单"] == picked.said(Language("zh"))
        told = pl.concat(
            [pl.read_excel(file, sheet_name=name).cast(pl.String).unpivot(index=[]) for name in ("逐户", "18项")]
        )
        words = "".join({*told["variable"], *told.filter(pl.col("variable") != "户编号")["value"].drop_nulls()})
        assert re.findall("[a-z]{4,}", words) == []


@pytest.mark.long
def test_every_part_of_the_page_shows_in_both_languages_and_widths(browser: Browser, address: str) -> None:
    for part, width, language in (
        ("ledger", 1440, "zh"), ("ledger", 390, "en"), ("sets", 390, "zh"), ("sign", 1440, "zh"), ("blind", 390, "zh"), ("balances", 1440, "en"),
    ):  # fmt: skip
        with Visit(browser, address, f"/checklist?part={part}&lang={language}", width) as visit:
            check(visit)
            shown = visit.text()
            assert len(shown) > 150 and "None" not in shown and "NaN" not in shown, part
            if language == "en":
                said = visit.page.locator(".bl-h, .bl-title, .bl-tile .k, th").all_inner_texts()
                assert said and [text for text in said if CHINESE.search(text)] == []
            else:
                assert re.findall(r"\b[a-z]{4,}\b", shown) == [], part
