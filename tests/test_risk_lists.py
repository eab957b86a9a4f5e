"""Risk lists: unknown is a choice of its own, nothing of a user becomes SQL, files are typed, marked, streamed and on record."""

from __future__ import annotations

import json
import random
import runpy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import openpyxl
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from monitoring.access import Scope
from monitoring.exporting.journal import journal_path, journal_problems
from monitoring.language import Language
from monitoring.lists import Ask, Condition, NotAsked, Order, ask_from_json, ask_from_text, fields
from monitoring.lists.asking import check, in_words
from monitoring.lists.exporting import export_list, offer_list
from monitoring.lists.keeping import drop_list, keep_list, kept_lists
from monitoring.lists.tracing import rows_of, trace
from monitoring.people import Denied, downloads, operator
from monitoring.people.viewing import PurposeMissing
from monitoring.queries import risk_lists
from monitoring.store import Store, open_store
from monitoring.store.schema import journal, list_export
from monitoring.tables import HOUSEHOLD, PERSON
from monitoring.warehouse import Warehouse
from pipelines.cli import main
from tests.people import add_account
from tests.small_warehouse import LONE_HOUSEHOLD, NAMES, NUMBERS, small_warehouse
from tests.stores import NOON

ALL = Scope()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """HB1 has an income of 500, HB2 of 300, U-… none that is known."""
    path = tmp_path_factory.mktemp("lists") / "small.duckdb"
    with small_warehouse() as con:
        con.execute(
            "UPDATE signal SET household_key = CASE household_id WHEN 'HB1' THEN 1 WHEN 'HB2' THEN 2 ELSE 3 END WHERE household_id IS NOT NULL"
        )
        con.execute("UPDATE signal SET level_order = list_position(['red', 'orange', 'yellow', 'blue'], level)")
        con.execute(
            "CREATE TABLE parameter (name VARCHAR, value VARCHAR, unit VARCHAR, meaning_zh VARCHAR, meaning_en VARCHAR)"
        )
        con.execute(
            "ALTER TABLE rule ADD COLUMN title_zh VARCHAR; ALTER TABLE rule ADD COLUMN title_en VARCHAR; ALTER TABLE rule ADD COLUMN level VARCHAR; ALTER TABLE rule ADD COLUMN clause VARCHAR; ALTER TABLE rule ADD COLUMN when_text VARCHAR"
        )
        con.execute(
            "UPDATE rule SET title_zh = rule, title_en = rule, level = 'red', clause = '一', when_text = CASE subject WHEN 'household' THEN 'income_pc < 400' ELSE 'name_count > 1' END"
        )
        con.execute(f"ATTACH '{path}' AS f; COPY FROM DATABASE memory TO f")
    warehouse = Warehouse(path)
    yield warehouse
    warehouse.close()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """1,500 households of one member in six villages; the income of every seventh is unknown."""
    path = tmp_path_factory.mktemp("lists") / "many.duckdb"
    with small_warehouse() as con:
        con.execute("DELETE FROM household_snapshot; DELETE FROM person_snapshot; DELETE FROM signal")
        con.execute(
            "INSERT INTO household_snapshot BY NAME SELECT n AS household_key, 'QH' || lpad(n::VARCHAR, 6, '0') AS household_id, '镇' || n % 3 AS township, '村' || n % 6 AS village, n AS head_person_id, 1 AS size, CASE WHEN n % 7 > 0 THEN n % 900 END AS income_pc FROM range(1, 1501) r(n)"
        )
        con.execute(
            "INSERT INTO person_snapshot BY NAME SELECT n AS household_key, n AS person_id, substr('赵钱孙李周吴郑王冯陈', n % 10 + 1, 1) || '某' AS name, '500999' || lpad((n * 7919)::VARCHAR, 12, '0') AS number FROM range(1, 1501) r(n)"
        )
        con.execute(f"ATTACH '{path}' AS f; COPY FROM DATABASE memory TO f")
    warehouse = Warehouse(path)
    yield warehouse
    warehouse.close()


@pytest.fixture
def home_store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "home")
    yield store
    store.close()


def found(warehouse: Warehouse, where: str, subject: str = "household", cases: Any = ()) -> tuple[list[str], int]:
    """The households that fit, and how many are undecided."""
    ask = ask_from_text(subject, where)
    counts = risk_lists.by_township(warehouse, ALL, ask, cases)
    rows = risk_lists.preview(warehouse, ALL, ask, cases)
    assert len(rows) == counts["fits"].sum()
    return sorted(row["_household_id"][:3] for row in rows), int(counts["undecided"].sum())


@pytest.mark.parametrize(
    ("where", "fits", "undecided"),
    [
        ("income_pc<500", ["HB2"], 1),
        ("income_pc<=500", ["HB1", "HB2"], 1),
        ("income_pc<500|不明", ["HB2", "U-0"[:2]], 0),
        ("income_pc=不明", ["U-"], 0),
        ("income_pc!=不明", ["HB1", "HB2"], 0),
        ("income_pc=全部", ["HB1", "HB2", "U-"], 0),
        ("", ["HB1", "HB2", "U-"], 0),
        ("whole_household_dibao!=是", [], 2),
        ("whole_household_dibao!=是 AND monitored=是", [], 1),
        ("rule=GAP-DIBAO", ["HB1"], 0),
        ("rule!=GAP-DIBAO", ["HB2", "U-"], 0),
        ("rule=GAP-DIBAO|PROC-CLUE", ["HB1", "U-"], 0),
        ("rule_unknown=GAP-DIBAO", ["U-"], 0),
        ("level=none", ["HB2"], 0),
        ("signals>=2", ["HB1"], 0),
        ("village=东村|西村 AND level=red", ["HB1", "U-"], 0),
    ],
)  # fmt: skip
def test_unknown_is_undecided_unless_it_is_asked_for(
    small: Warehouse, where: str, fits: list[str], undecided: int
) -> None:
    got, left = found(small, where)
    assert ([one[:2] if one.startswith("U-") else one for one in got], left) == (fits, undecided)


def test_an_open_alert_is_a_field_like_any_other(small: Warehouse) -> None:
    assert found(small, "alert=new", cases=(("HB2", "new"),)) == (["HB2"], 0)
    assert found(small, "alert=none", cases=(("HB2", "new"),))[0][0] == "HB1"


def test_every_field_of_both_lists_can_be_shown_and_filtered(small: Warehouse) -> None:
    for subject in ("household", "person"):
        shown = tuple(name for name, of in fields(subject).items() if of.shown and name != "score")
        value = {"yes_no": "是", "number": "1", "date": "2026-01-01", "text": "甲", "set": "GAP-DIBAO"}
        where = tuple(
            Condition(name, "=", (value[of.kind],))
            for name, of in fields(subject).items()
            if not of.hidden and name not in ("score", "rule_before")
        )
        risk_lists.preview(small, ALL, Ask(subject, (), shown))
        for one in (where[i : i + 30] for i in range(0, len(where), 30)):
            assert risk_lists.by_township(small, ALL, Ask(subject, one))["fits"].sum() == 0
    assert set(HOUSEHOLD) - set(fields("household")) == {"household_key", "head_person_id"}
    assert set(PERSON) - set(fields("person")) == {"household_key", "person_id"}


def test_a_masked_list_shows_nobody_and_tells_nothing_guess_by_guess(small: Warehouse) -> None:
    for subject in ("household", "person"):
        shown = tuple(name for name, of in fields(subject).items() if of.shown and name != "score")
        text = str(risk_lists.preview(small, ALL, Ask(subject, (), shown)))
        assert [one for one in (*NAMES.values(), *NUMBERS.values(), LONE_HOUSEHOLD) if one in text] == []
        for name, of in fields(subject).items():
            if of.hidden:
                with pytest.raises(NotAsked, match="已隐去"):
                    check(Ask(subject, (Condition(name, "=", ("x",)),)), masked=True)
                if of.shown:
                    with pytest.raises(NotAsked, match="已隐去"):
                        check(Ask(subject, (), (), (Order(name),)), masked=True)


def test_a_scope_holds_whatever_is_asked(small: Warehouse) -> None:
    near = Scope(allowed=(("石桥镇", "东村"),))
    assert risk_lists.by_township(small, near, Ask())["of"].sum() == 1
    assert [
        row["household_id"] for row in risk_lists.preview(small, near, ask_from_text("household", "village!=东村|不明"))
    ] == []


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("incme_pc<5", "是否指 income_pc"), ("income_pc<abc", "要写数字"), ("income_pc=NaN", "要写数字"), ("monitored=也许", "是“是”或“否”"),
        ("review_date<2026-13-01", "要写日期"), ("monitored<是", "可以用 =、!="), ("rule=不明", "没有不明"), ("income_pc<1|2", "后面要一个值"),
        ("score>0.5 AND income_pc<", "要一个值"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_in_words(where: str, words: str) -> None:
    with pytest.raises(NotAsked, match=words):
        ask_from_text("household", where)


def test_a_score_is_asked_only_of_runs_that_have_one(small: Warehouse) -> None:
    with pytest.raises(NotAsked, match="没有风险评分"):
        risk_lists.by_township(small, ALL, ask_from_text("household", "score>0.5"))


@given(
    st.sampled_from([n for n, f in fields("household").items() if f.kind == "text" and not f.hidden]),
    st.text(min_size=1, max_size=60),
)
@settings(max_examples=25, deadline=None)
def test_no_text_of_anybody_reaches_sql(field: str, text: str) -> None:
    ask = Ask("household", (Condition(field, "=", (text,)), Condition(field, "contains", (text,))))
    found = risk_lists.relation(cast(Warehouse, None), ALL, ask)  # a text field asks the run nothing
    assert text in found.params.values() and (len(text) < 4 or text not in found.fits)
    assert ask_from_json(ask.json()) == replace(ask, columns=ask.shown)


def test_a_filter_is_told_in_words() -> None:
    ask = ask_from_text("household", "income_pc<600|不明 AND monitored=是")
    assert in_words(ask, Language("zh")) == "月人均收入 低于 600或不明 元/月；在监测或脱贫名单 为 是"
    assert "below 600 or unknown" in in_words(ask, Language("en"))


# --- files


def test_a_workbook_is_typed_and_says_where_it_comes_from(small: Warehouse, home_store: Store, tmp_path: Path) -> None:
    analyst = add_account(home_store, "analyst", person="苏晴")
    ask = ask_from_text("household", "income_pc<600|不明", "household_id,head_name,income_pc,monitored,review_date")
    address = offer_list(home_store, analyst, small, ALL, ask, "xlsx", None, "zh", NOON)
    taken = downloads.take(home_store, analyst, address.removeprefix(downloads.ROAD), NOON)
    assert taken.name.startswith("风险名单-户-2026-11-")
    book = openpyxl.load_workbook(taken.path)
    assert book.sheetnames == ["说明", "户名单"]
    cover = {row[0]: row[1] for row in book["说明"].iter_rows(values_only=True)}
    assert (
        cover["条件"] == "月人均收入 低于 600或不明 元/月"
        and cover["行数"] == "3"
        and cover["政策包"] == "demo"
        and cover["结果编号"] == "r1"
    )
    assert (
        "苏晴" in cover["导出人"] and "2026-11" in cover["期间"].replace("年", "-") and cover["用途"].startswith("未填")
    )
    page = book["户名单"]
    assert page.freeze_panes == "A2" and page.auto_filter.ref == "A1:F4"
    rows = {row[0].value[:2]: row for row in page.iter_rows(min_row=2)}
    assert rows["HB"][2].data_type == "n" and rows["U-"][2].value == "不明" and rows["HB"][4].value == "不明"
    assert not any(
        name in str([[c.value for c in r] for r in page.iter_rows()]) for name in (*NAMES.values(), LONE_HOUSEHOLD)
    )
    with home_store.read() as con:
        kept = con.execute(select(list_export)).one()
        told = con.execute(select(journal).where(journal.c.event == "export.list")).one()
    assert (kept.rows, kept.masked, kept.by) == (3, True, "苏晴") and kept.sha256 in str(told.detail)


def test_full_rows_need_the_permission_and_a_purpose(small: Warehouse, home_store: Store, tmp_path: Path) -> None:
    leader, county = add_account(home_store, "leader"), add_account(home_store, "county_staff")
    with pytest.raises(Denied):
        offer_list(home_store, leader, small, ALL, Ask(), "csv", "走访核实情况", "zh", NOON)
    with pytest.raises(PurposeMissing):
        offer_list(home_store, county, small, ALL, Ask(), "csv", " ", "zh", NOON)
    with pytest.raises(Denied):
        offer_list(
            home_store,
            add_account(home_store, "township_staff", [("石桥镇", None)]),
            small,
            ALL,
            Ask(),
            "csv",
            None,
            "zh",
            NOON,
        )
    assert list(downloads.waiting(home_store).iterdir()) == []
    done = export_list(
        home_store,
        operator("root"),
        small,
        Ask("person", (), ("name", "number")),
        tmp_path / "a.csv",
        "走访核实情况",
        "zh",
        NOON,
    )
    text = done.path.read_text("utf-8-sig")
    assert done.rows == 5 and all(one in text for one in (*NAMES.values(), *NUMBERS.values()))
    assert done.path.stat().st_mode & 0o077 == 0


def test_a_list_that_cannot_be_put_on_record_is_not_there(
    small: Warehouse, home_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def full_disk(*_: object) -> None:
        seen.append([path.read_text("utf-8-sig") for path in tmp_path.glob("*.csv")])
        raise OSError("disk full")

    monkeypatch.setattr("monitoring.people.callers.journal.append", full_disk)
    for before in ([], ["the list of last month"]):
        with pytest.raises(OSError, match="disk full"):
            export_list(home_store, operator("root"), small, Ask(), tmp_path / "a.csv", "走访核实情况", "zh", NOON)
        assert seen.pop() == before and [path.read_text("utf-8-sig") for path in tmp_path.glob("*.*")] == before
        (tmp_path / "a.csv").write_text("the list of last month", encoding="utf-8")
    with home_store.read() as con:
        assert con.execute(select(list_export)).all() == []


def test_a_full_list_from_the_command_line_is_in_the_journal_before_it_is_begun(
    small: Warehouse, home_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise OSError("disk full")

    export_list(home_store, operator("root"), small, Ask(), tmp_path / "masked.csv", None, "zh", NOON)
    assert not journal_path(home_store.home).exists()
    monkeypatch.setattr("monitoring.lists.writing._csv", breaks)
    ask = ask_from_text("household", "income_pc<600|不明")
    with pytest.raises(OSError, match="disk full"):
        export_list(home_store, operator("root"), small, ask, tmp_path / "a.csv", "走访核实情况", "zh", NOON)
    line = json.loads(journal_path(home_store.home).read_text("utf-8"))
    told = (line["who"], line["what"], line["period"], line["file"], line["rows"], line["reason"])
    assert told == ("root", "risk-list", "2026-11", "a.csv", 3, "走访核实情况") and "月人均收入" in line["where"]
    assert journal_problems(home_store.home) == []


def test_parquet_is_typed_and_carries_its_dictionary(small: Warehouse, home_store: Store, tmp_path: Path) -> None:
    done = export_list(
        home_store,
        operator("root"),
        small,
        Ask("household", (), ("household_id", "income_pc", "monitored")),
        tmp_path / "a.parquet",
        None,
        "zh",
        NOON,
    )
    file = pq.read_table(done.path)
    assert file["income_pc"].null_count == 1 and str(file.schema.field("monitored").type) == "bool"
    assert (
        file.schema.field("income_pc").metadata[b"zh"] == "月人均收入".encode()
        and "条件" in file.schema.metadata[b"buluo"].decode()
    )
    assert done.dictionary is not None and "月人均收入" in done.dictionary.read_text("utf-8-sig")


def test_batches_lose_and_double_nothing(
    many: Warehouse, home_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.lists.exporting.BATCH", 400)
    ask = ask_from_text("household", "", "household_id,income_pc", "income_pc:desc")
    done = export_list(home_store, operator("root"), many, ask, tmp_path / "a.csv", None, "zh", NOON)
    rows = pl.read_csv(done.path, infer_schema=False)
    assert done.rows == rows.height == rows["户编号"].n_unique() == 1500
    known = [float(x) for x in rows["月人均收入（元/月）"] if x != "不明"]
    assert known == sorted(known, reverse=True) and rows["月人均收入（元/月）"].to_list()[-214:] == ["不明"] * 214


def test_a_workbook_says_that_it_is_full_instead_of_cutting(
    many: Warehouse, home_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.exporting.writing._MAX_ROWS", 1499)
    with pytest.raises(ValueError, match="超过了一张工作表的上限"):
        export_list(home_store, operator("root"), many, Ask(), tmp_path / "a.xlsx", None, "zh", NOON)
    assert not (tmp_path / "a.xlsx").exists()


# --- whose export it is


COLUMNS = "township,village,household_id,head_name,head_number,income_pc"


def exports(
    store: Store, warehouse: Warehouse, folder: Path, n: int, purpose: str | None = None
) -> dict[str, pl.DataFrame]:
    """The same list taken out by n people: exporter -> what they hold."""
    held = {}
    for place in range(n):
        out = folder / f"{place}.csv"
        export_list(
            store,
            operator(f"user{place}"),
            warehouse,
            ask_from_text("household", "", COLUMNS),
            out,
            purpose,
            "zh",
            NOON,
        )
        held[f"user{place}"] = pl.read_csv(out, infer_schema=False)
    return held


@pytest.mark.parametrize(
    ("kept", "shuffled", "purpose"),
    [
        (None, True, None),  # 30 rows in any order, all columns
        (["核对码"], True, None),  # the code alone
        (["户主证件号码"], True, None),  # masked numbers alone, without the code
        (["乡镇", "村", "户编号"], False, "走访核实情况"),  # in full, code deleted, order kept
    ],
)  # fmt: skip
def test_thirty_rows_tell_their_exporter(
    many: Warehouse, home_store: Store, tmp_path: Path, kept: list[str] | None, shuffled: bool, purpose: str | None
) -> None:
    held, chance = exports(home_store, many, tmp_path, 3, purpose), random.Random(1)
    for who, frame in held.items():
        first = chance.randrange(0, 250)
        rows = rows_of(
            (frame.sample(30, seed=first, shuffle=True) if shuffled else frame[first : first + 30]).select(
                kept or frame.columns
            )
        )
        assert trace(home_store, operator("root"), rows, NOON).by == who


def test_nobody_is_named_for_rows_of_no_export_or_with_every_mark_gone(
    many: Warehouse, home_store: Store, tmp_path: Path
) -> None:
    held = exports(home_store, many, tmp_path, 3)
    chance = random.Random(2)
    foreign = [
        {
            "户主证件号码": "*" * chance.randint(6, 9) + f"{chance.randrange(10**4):04d}",
            "核对码": f"{chance.randrange(16**6):06X}-{chance.randrange(16**6):06X}",
        }
        for _ in range(1200)
    ]
    for first in range(0, 1200, 30):
        assert trace(home_store, operator("root"), foreign[first : first + 30], NOON).by is None
    bare = held["user1"].sample(30, seed=3, shuffle=True).select("户编号", "月人均收入（元/月）")
    assert trace(home_store, operator("root"), rows_of(bare), NOON).by is None
    assert trace(home_store, operator("root"), [], NOON).by is None


def test_an_export_that_is_not_on_record_is_never_laid_at_another_door(many: Warehouse, tmp_path: Path) -> None:
    """40 foreign exports (another home's key) against five on record: no false name, and the margin is wide."""
    ours, theirs = open_store(tmp_path / "ours"), open_store(tmp_path / "theirs")
    exports(ours, many, tmp_path / "a", 5)
    worst = 0.0
    for purpose in (None, "走访核实情况"):
        for frame in exports(theirs, many, tmp_path / "b", 4, purpose).values():
            for first in range(0, 150, 30):
                found = trace(ours, operator("root"), rows_of(frame[first : first + 30]), NOON)
                worst = max(worst, found.bits)
                assert found.by is None
    assert worst < 15
    ours.close()
    theirs.close()


def test_asking_whose_rows_they_are_is_for_auditors_and_journalled(small: Warehouse, home_store: Store) -> None:
    with pytest.raises(Denied):
        trace(home_store, add_account(home_store, "analyst"), [], NOON)
    trace(home_store, add_account(home_store, "auditor"), [], NOON)
    with home_store.read() as con:
        assert [row.result for row in con.execute(select(journal).where(journal.c.event == "export.trace"))] == ["ok"]


# --- kept lists


def test_kept_lists_are_ones_own_or_shared(store: Store) -> None:
    mine, other, leader = (add_account(store, role) for role in ("analyst", "county_staff", "leader"))
    ask = ask_from_text("household", "income_pc<600|不明", "household_id,income_pc", "income_pc")
    own = keep_list(store, mine, "  低收入  户 ", "每月走访", ask, False, NOON)
    keep_list(store, mine, "共享的", "每月走访", ask, True, NOON)
    assert [(one.name, one.ask, one.own) for one in kept_lists(store, mine, NOON)] == [
        ("低收入 户", ask, True),
        ("共享的", ask, True),
    ]
    assert (
        [one.name for one in kept_lists(store, other, NOON)]
        == ["共享的"]
        == [one.name for one in kept_lists(store, leader, NOON)]
    )
    for nobody in (other, leader):
        with pytest.raises(Denied):
            drop_list(store, nobody, own, NOON)
    with pytest.raises(PurposeMissing):
        keep_list(store, mine, "名", " ", ask, False, NOON)
    with pytest.raises(NotAsked):
        keep_list(store, mine, " ", "每月走访", ask, False, NOON)
    drop_list(store, mine, own, NOON)
    assert [one.name for one in kept_lists(store, mine, NOON)] == ["共享的"]


# --- from the command line and from Python


def test_command_line_page_and_python_give_the_same_list(
    published_home: Path, warehouse: Warehouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "warehouse").symlink_to((published_home / "warehouse").resolve())
    where = "income_pc<650 AND any_dibao=否 AND any_tekun=否"
    period = warehouse.row("select period from run")["period"]
    assert (
        main(
            [
                "export",
                "risk-list",
                "--home",
                str(home),
                "--period",
                period,
                "-o",
                str(tmp_path / "a.csv"),
                "--where",
                where,
                "--order",
                "income_pc",
            ]
        )
        == 0
    )
    lines = pl.read_csv(tmp_path / "a.csv", infer_schema=False)
    page = risk_lists.by_township(warehouse, ALL, ask_from_text("household", where))["fits"].sum()
    script = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "examples" / "risk_list.py"))
    assert script["main"](home, tmp_path / "b.xlsx", NOON) == page == lines.height > 0
    lines.head(30).write_csv(tmp_path / "leaked.csv")
    assert main(["trace", str(tmp_path / "leaked.csv"), "--home", str(home)]) == 0
    assert "导出人：" in capsys.readouterr().out
    assert (
        main(
            [
                "export",
                "risk-list",
                "--home",
                str(home),
                "--period",
                period,
                "-o",
                str(tmp_path / "c.csv"),
                "--where",
                "nix=1",
            ]
        )
        == 2
    )
