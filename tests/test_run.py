"""Whole runs: what a period is made of, what is refused or held, and that nothing is lost when a run dies."""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from monitoring.checks import audit, audit_file
from pipelines.assess import assess
from pipelines.cli import main
from pipelines.office import before_serving
from pipelines.run import Order, Refused, run
from pipelines.run.deliveries import DeliveryStore, period_text
from pipelines.run.publishing import Publisher
from tests.oracle import write_csv
from tests.reading_files import workbook
from tests.runs import (
    TOWNS,
    Tables,
    connect,
    exported,
    files_below,
    keys,
    number,
    only_town,
    pointer,
    published_file,
    query,
    quiet,
    run_quietly,
    sha256,
    small_county,
    write_feeds,
)
from tests.stores import NOON

ROOT = Path(__file__).parents[1]
PUBLISHED = (
    "std_dibao", "std_visits", "std_insurance", "household", "membership", "resident", "household_snapshot", "person_snapshot",
    "record_snapshot", "rule_outcome", "rule_unknown", "unjudged", "unjudged_kind", "feed_township", "history_figure",
)  # fmt: skip
OCTOBER, NOVEMBER, DECEMBER = "2026-10", "2026-11", "2026-12"


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the small county's October is published; tests copy it."""
    folder = tmp_path_factory.mktemp("october")
    run_quietly(folder / "home", OCTOBER, write_feeds(small_county(), folder / "inbox"))
    return folder / "home"


@pytest.fixture
def home(october: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(october, tmp_path / "home"))


@pytest.fixture
def deliver(tmp_path: Path) -> Callable[..., Path]:
    """Writes feeds into a new inbox folder."""
    made: list[Path] = []

    def write(feeds: Tables) -> Path:
        made.append(tmp_path / f"inbox-{len(made)}")
        return write_feeds(feeds, made[-1])

    return write


def changed(feeds: Tables, feed: str, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]) -> Tables:
    new = copy.deepcopy(feeds)
    new[feed] = change(new[feed])
    return new


def refusal(home: Path, period: str, inbox: Path, pack: str = "national-2020", **more: Any) -> str:
    """The words of a refused run, which must have changed nothing."""
    before = files_below(home) if home.exists() else {}
    with pytest.raises(Refused) as refused:
        run(Order(home, period, inbox, pack, **more), quiet)
    assert ignoring_lock(files_below(home) if home.exists() else {}) == ignoring_lock(before)
    return str(refused.value)


def ignoring_lock(files: dict[str, str]) -> dict[str, str]:
    return {name: content for name, content in files.items() if not name.startswith(".")}


def assert_sound(home: Path) -> None:
    """Everything that the pointer names is there, unaltered, and balances."""
    for period, entry in pointer(home)["periods"].items():
        file = published_file(home, period)
        assert audit_file(file, entry).ok
        with connect(home, period) as con:
            assert [c.words for c in audit(con) if not c.ok] == []


def signals_text(home: Path, period: str) -> str:
    return exported(home, period).write_csv()


# -- killed, and two at once ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def undisturbed(october: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The signals of November as a run that nobody disturbs gives them."""
    folder = tmp_path_factory.mktemp("undisturbed")
    home = Path(shutil.copytree(october, folder / "home"))
    run_quietly(home, NOVEMBER, november_inbox(folder))
    return signals_text(home, NOVEMBER)


def november_inbox(folder: Path) -> Path:
    feeds = changed(small_county(), "clues", lambda rows: [{**row, "办结日期": "2026-11-15"} for row in rows[:1]])
    return write_feeds(feeds, folder / "november")


def assert_survived(home: Path, inbox: Path, undisturbed: str) -> None:
    """After a run was killed: October as it was, and the next run gives what an undisturbed one gives."""
    assert_sound(home)
    assert OCTOBER in pointer(home)["periods"]
    run_quietly(home, NOVEMBER, inbox)
    assert_sound(home)
    assert signals_text(home, NOVEMBER) == undisturbed
    assert list(home.glob("warehouse/.building-*")) == []
    assert list(home.glob("deliveries/*/.writing*")) == []


Killed = Callable[[Path, Path, str], bool]


@pytest.fixture(scope="module")
def killed() -> Iterator[Killed]:
    """Whether the run was killed at the moment, before it ended. One process imports everything once for all of them."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.killed_run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:

        def call(home: Path, inbox: Path, moment: str) -> bool:
            assert process.stdin and process.stdout
            process.stdin.write(f"{json.dumps([str(home), str(inbox), NOVEMBER, moment])}\n")
            process.stdin.flush()
            answer = process.stdout.readline().strip()
            assert answer in ("killed", "done")
            return answer == "killed"

        yield call
        assert process.stdin
        process.stdin.close()


@pytest.mark.parametrize(
    "moment", ["file:3", "step:link", "step:snapshot", "step:assess", "step:check", "step:publish"]
)
def test_a_run_killed_at_any_step_leaves_the_published_one_and_the_next_run_works(
    home: Path, tmp_path: Path, undisturbed: str, killed: Killed, moment: str
):
    inbox, before = november_inbox(tmp_path), pointer(home)
    assert killed(home, inbox, moment)
    assert pointer(home) == before
    assert_survived(home, inbox, undisturbed)


@pytest.mark.long
@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_run_killed_at_any_change_on_disk_leaves_the_published_one_and_the_next_run_works(
    october: Path, tmp_path: Path, undisturbed: str, killed: Killed, first: int
):
    kills = 0
    for nth in range(first, 30, 3):
        home = Path(shutil.copytree(october, tmp_path / f"home-{nth}"))
        inbox = november_inbox(tmp_path)
        if not killed(home, inbox, f"write:{nth}"):
            break
        kills += 1
        assert_survived(home, inbox, undisturbed)
    assert kills >= 2


def test_the_command_killed_after_any_time_leaves_the_published_one_readable(
    october: Path, tmp_path: Path, undisturbed: str
):
    inbox, delays = november_inbox(tmp_path), random.Random(5)
    for n in range(2):
        home = Path(shutil.copytree(october, tmp_path / f"home-{n}"))
        command = [
            sys.executable,
            "-m",
            "pipelines.cli",
            "run",
            "--home",
            str(home),
            "--period",
            NOVEMBER,
            "--inbox",
            str(inbox),
        ]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            process.stdout.readline()  # the first step has begun
            time.sleep(delays.uniform(0, 1.2))
            process.kill()
        assert_survived(home, inbox, undisturbed)


def test_of_two_runs_at_once_the_second_is_refused_and_the_first_completes(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    inbox = november_inbox(tmp_path)
    statuses: list[int] = []

    def meanwhile(step: str, done: int, _of: int, _what: str) -> None:
        if step == "snapshot" and not done:
            statuses.append(main(["run", "--home", str(home), "--period", NOVEMBER, "--inbox", str(inbox)]))

    run(Order(home, NOVEMBER, inbox), meanwhile)
    assert statuses == [2]
    assert "另一次运行正在使用" in capsys.readouterr().err
    assert pointer(home)["latest"] == NOVEMBER
    assert_sound(home)


@pytest.mark.parametrize("first", ["make_current", "publish"])
def test_a_published_run_has_its_delivery_wherever_between_the_two_a_run_is_killed(
    home: Path, deliver: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, first: str
):
    """Killed as soon as one of them is done. The other order would publish a run of which the next sweeps the delivery away."""

    def killed(owner: type, name: str) -> None:
        whole = getattr(owner, name)

        def call(*given: Any) -> None:
            whole(*given)
            raise KeyboardInterrupt

        monkeypatch.setattr(owner, name, call)

    killed(*((DeliveryStore, first) if first == "make_current" else (Publisher, first)))
    with pytest.raises(KeyboardInterrupt):
        run_quietly(home, NOVEMBER, deliver(small_county()))
    monkeypatch.undo()
    published = set(pointer(home)["periods"])
    assert published == ({OCTOBER} if first == "make_current" else {OCTOBER, NOVEMBER})
    run_quietly(home, DECEMBER, deliver({"clues": small_county()["clues"]}))
    delivered = {period_text(d.period) for d in DeliveryStore(home).current(202612)}
    assert published | {DECEMBER} <= delivered
    assert query(home, DECEMBER, "SELECT DISTINCT delivered FROM std_dibao") == [(202611,)]


def test_what_a_published_run_is_made_of_is_on_the_disk_before_the_pointer_names_it(
    home: Path, deliver: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
):
    events: list[str] = []

    def noted(owner: Any, name: str, words: Callable[..., str]) -> None:
        whole = getattr(owner, name)

        def call(*given: Any) -> Any:
            events.append(words(*given))
            return whole(*given)

        monkeypatch.setattr(owner, name, call)

    def below(path: Path) -> str:
        return path.relative_to(home).as_posix()

    noted(os, "fsync", lambda number: f"sync {below(Path(f'/proc/self/fd/{number}').readlink())}")
    for name in ("rename", "replace"):
        noted(Path, name, lambda _, target: f"name {below(target)}")
    summary = run_quietly(home, NOVEMBER, deliver(small_county()))
    monkeypatch.undo()
    period = f"deliveries/{NOVEMBER}"
    made = f"{period}/{json.loads((home / period / 'current.json').read_text())['current']}"
    files = [f"sync {below(path)}" for path in sorted((home / made).iterdir())]
    assert len(files) > 8
    in_order = [
        f"name {made}", *files, f"sync {made}", f"sync {period}", "sync deliveries", "sync .",
        f"sync {period}/current.new", f"name {period}/current.json", f"sync {period}",
        f"sync warehouse/.building-{summary.run_id}.duckdb", f"name warehouse/{summary.run_id}.duckdb", "sync warehouse",
        "sync warehouse/current.json.new", "name warehouse/current.json", "sync warehouse",
    ]  # fmt: skip
    assert [event for event in events if event in in_order] == in_order


# -- held for a person ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "held"), [(37, False), (36, True), (20, True)])
def test_a_delivery_that_shrinks_by_a_tenth_is_held_until_a_person_accepts_it(
    home: Path, deliver: Callable[..., Path], left: int, held: bool
):
    """Of 40 dibao rows 37 are 7.5 % fewer, 36 exactly a tenth."""
    rows = small_county()["dibao"]
    inbox = deliver({"dibao": rows[: left // 2] + rows[20 : 20 + left - left // 2]})
    if held:
        assert f"上次 40 行，这次 {left} 行" in refusal(home, NOVEMBER, inbox)
        assert main(["run", "--home", str(home), "--period", NOVEMBER, "--inbox", str(inbox), "--accept-shrink"]) in (
            0,
            1,
        )
    else:
        run_quietly(home, NOVEMBER, inbox, accept_shrink=False)
    assert query(home, NOVEMBER, "SELECT count(*) FROM std_dibao") == [(left,)]


def test_a_feed_without_townships_is_held_when_it_shrinks_too(home: Path, deliver: Callable[..., Path]):
    def cars(count: int) -> Tables:
        names = [{k: row[k] for k in ("姓名", "证件号码")} for row in small_county()["registry"][:count]]
        return {"vehicles": [{**name, "车辆类型": "汽车", "状态": "正常"} for name in names]}

    run_quietly(home, NOVEMBER, deliver(cars(30)))
    assert "车辆登记：上次 30 行，这次 27 行，减少 10%" in refusal(home, DECEMBER, deliver(cars(27)))
    run_quietly(home, DECEMBER, deliver(cars(28)), accept_shrink=False)


def test_few_rows_of_which_some_end_are_not_held(home: Path, deliver: Callable[..., Path]):
    names = [{k: row[k] for k in ("姓名", "证件号码")} for row in small_county()["registry"][:19]]
    cars = [{**name, "车辆类型": "汽车", "状态": "正常"} for name in names]
    run_quietly(home, NOVEMBER, deliver({"vehicles": cars}))
    run_quietly(home, DECEMBER, deliver({"vehicles": cars[:9]}), accept_shrink=False)
    assert query(home, DECEMBER, "SELECT count(*) FROM std_vehicles") == [(9,)]


def test_a_column_that_goes_blank_in_one_township_is_held(home: Path, deliver: Callable[..., Path]):
    def blank(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        return [{**row, "家庭月人均收入": ""} if row["乡镇"] == TOWNS[1] else row for row in rows]

    inbox = deliver(changed(small_county(), "dibao", blank))
    assert "乙镇 的“家庭月人均收入”上次有 100% 填写，这次全部空白" in refusal(home, NOVEMBER, inbox)
    run_quietly(home, NOVEMBER, inbox)
    assert_sound(home)


def test_a_county_file_without_a_township_that_it_used_to_have_is_held(october: Path, tmp_path: Path):
    """Three townships, of which the third is missing in a file that has the other two."""
    rows = small_county()["registry"]
    third = [{**row, "乡镇": "丙镇", "户编号": f"C{row['户编号']}", "证件号码": ""} for row in rows[:4]]
    home = tmp_path / "home"
    run_quietly(home, OCTOBER, write_feeds({"registry": rows + third}, tmp_path / "a"))
    told = refusal(home, NOVEMBER, write_feeds({"registry": rows}, tmp_path / "b"))
    assert "丙镇 上次有 4 行，这次全县文件里一行也没有" in told


def test_a_township_that_hands_in_alone_is_late_and_not_held(home: Path, deliver: Callable[..., Path]):
    run_quietly(home, NOVEMBER, deliver({"dibao": only_town(small_county(), TOWNS[0])["dibao"]}), accept_shrink=False)
    assert query(home, NOVEMBER, "SELECT township, count(*), max(delivered) FROM std_dibao GROUP BY 1 ORDER BY 1") == [
        ("乙镇", 20, 202610),
        ("甲镇", 20, 202611),
    ]


# -- refused -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("period", ["2026-13", "2026-00", "202611", "2026-1", "今年", "2026-11-30", ""])
def test_what_is_not_a_month_is_refused(tmp_path: Path, period: str):
    assert "期间应写作 2026-11 这样的年月" in refusal(tmp_path / "home", period, tmp_path)


def test_a_missing_an_empty_and_a_hidden_inbox_are_refused(tmp_path: Path):
    assert "不存在或没有文件" in refusal(tmp_path / "home", NOVEMBER, tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "不存在或没有文件" in refusal(tmp_path / "home", NOVEMBER, empty)
    (empty / ".hidden.csv").write_text("姓名\n")
    (empty / "~$低保.xlsx").write_text("x")
    assert "不存在或没有文件" in refusal(tmp_path / "home", NOVEMBER, empty)


def test_an_unknown_pack_is_refused_with_those_that_there_are(home: Path, deliver: Callable[..., Path]):
    told = refusal(home, NOVEMBER, deliver(small_county()), pack="nowhere")
    assert "没有政策包“nowhere”" in told
    assert "national-2020" in told


def test_a_countys_own_sampling_file_that_cannot_hold_is_refused_before_anything_is_read(
    home: Path, deliver: Callable[..., Path]
):
    shipped = (Path(__file__).parents[1] / "data" / "policy" / "sampling.toml").read_text("utf-8")
    (home / "policy").mkdir()
    (home / "policy" / "sampling.toml").write_text(shipped.replace("working_days = 15", "working_days = 0"), "utf-8")
    assert "working_days" in refusal(home, NOVEMBER, deliver(small_county()))


def test_an_inbox_without_any_usable_file_is_refused_with_every_reason(home: Path, tmp_path: Path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "值班表.csv").write_text("日期,值班人\n2026-11-01,王五\n", encoding="utf-8")
    (inbox / "坏.xlsx").write_bytes(b"PK\x03\x04broken")
    told = refusal(home, NOVEMBER, inbox)
    assert "没有一个文件能认出" in told
    assert "值班表.csv：" in told
    assert "坏.xlsx：" in told


def test_all_complaints_about_the_homes_own_rules_packs_and_feeds_are_named(home: Path, deliver: Callable[..., Path]):
    inbox = deliver(small_county())
    put(home / "policy/rules/RISK-WATER.toml", 'kind = "risk"\nsubject = "household"\n')
    put(home / "policy/rules/MY-RULE.toml", "kind = ")
    put(home / "policy/packs/mine.toml", 'extends = "nowhere"\n')
    told = refusal(home, NOVEMBER, inbox)
    for file in ("RISK-WATER.toml", "MY-RULE.toml", "mine.toml"):
        assert file in told
    shutil.rmtree(home / "policy")
    put(home / "feeds/dibao.toml", 'title = "别的"\n')
    put(home / "feeds/broken.toml", "title = ")
    told = refusal(home, NOVEMBER, inbox)
    assert "dibao.toml" in told
    assert "broken.toml" in told


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


# -- exit status and the ledger ------------------------------------------------------------------------------------


def status_of(home: Path, inbox: Path, *more: str) -> int:
    return main(["run", "--home", str(home), "--period", NOVEMBER, "--inbox", str(inbox), *more])


def test_a_clean_delivery_ends_with_0_and_one_with_a_quarantined_row_with_1(
    tmp_path: Path, deliver: Callable[..., Path], capsys: pytest.CaptureFixture[str]
):
    assert status_of(tmp_path / "clean", deliver(small_county())) == 0
    assert "隔离 0" in capsys.readouterr().out
    unusable = {"姓名": "", "证件号码": "", "救助证编号": "D9", "享受起始日期": "2024-01-01"}
    soiled = changed(small_county(), "dibao", lambda rows: [*rows, unusable])
    assert status_of(tmp_path / "soiled", deliver(soiled)) == 1
    assert "隔离 1" in capsys.readouterr().out
    ((file, row, reasons),) = query(
        tmp_path / "soiled", NOVEMBER, "SELECT file, row, reasons FROM quarantine JOIN part USING (part)"
    )
    assert (file, row) == ("最低生活保障对象台账.csv", 42)
    assert "姓名" in reasons


def test_files_that_cannot_be_used_are_listed_while_the_others_load(
    tmp_path: Path, deliver: Callable[..., Path], capsys: pytest.CaptureFixture[str]
):
    inbox = deliver(small_county())
    (inbox / "值班表.csv").write_text("日期,值班人\n2026-11-01,王五\n", encoding="utf-8")
    (inbox / "坏.xlsx").write_bytes(b"PK\x03\x04broken")
    (inbox / "空.csv").write_bytes(b"")
    assert status_of(tmp_path / "home", inbox) == 1
    told = capsys.readouterr().out
    for file in ("值班表.csv", "坏.xlsx", "空.csv"):
        assert f"未能使用 {file}：" in told
    listed = dict(query(tmp_path / "home", NOVEMBER, "SELECT file, reason FROM part WHERE feed IS NULL"))
    assert set(listed) == {"值班表.csv", "坏.xlsx", "空.csv"}
    assert all(listed.values())
    assert query(tmp_path / "home", NOVEMBER, "SELECT count(*) FROM std_registry") == [(48,)]
    assert_sound(tmp_path / "home")


def test_every_row_of_every_file_is_accounted_for(tmp_path: Path, deliver: Callable[..., Path]):
    inbox = deliver(small_county())
    registry = inbox / "农户基本信息台账.csv"
    lines = registry.read_text("utf-8-sig").splitlines()
    title, total = "全县农户基本信息台账", "合计,48"
    registry.write_text("\n".join([title, *lines, lines[1], lines[5], ",,,,,,", total]), encoding="utf-8")
    run_quietly(tmp_path / "home", NOVEMBER, inbox)
    ledger = exported(tmp_path / "home", NOVEMBER, "ledger")
    assert ledger.filter(
        pl.col("rows_read") != pl.sum_horizontal("loaded", "duplicate", "quarantined", "not_data")
    ).is_empty()
    kept = ledger.row(by_predicate=pl.col("feed") == "registry", named=True)
    assert {k: kept[k] for k in ("rows_read", "loaded", "duplicate", "quarantined", "not_data")} == {
        "rows_read": 54, "loaded": 48, "duplicate": 2, "quarantined": 0, "not_data": 4,
    }  # fmt: skip
    assert ledger.height == len(list(inbox.iterdir()))
    assert query(tmp_path / "home", NOVEMBER, "SELECT row, first_row FROM duplicate ORDER BY row") == [(51, 3), (52, 7)]


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    """Changes the parts of a good workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, change(name, content))


@pytest.mark.parametrize("usable", [False, True])
def test_a_file_of_which_every_row_is_in_quarantine_came_and_is_no_fresher_for_it(
    tmp_path: Path, deliver: Callable[..., Path], usable: bool
):
    """The rows of `vehicles` lack whose they are: what vehicles there are is as unknown as without the file."""
    car = {"车牌号": "渝A10001", "车辆类型": "小型轿车", "登记日期": "2024-01-01", "状态": "正常"}
    whose = {"姓名": "", "证件号码": ""}
    rows = [car | whose, car | whose | {"车牌号": "渝A10002"}]
    if usable:
        rows.append(car | {key: small_county()["registry"][0][key] for key in ("姓名", "证件号码")})
    run_quietly(tmp_path / "home", NOVEMBER, deliver(small_county() | {"vehicles": rows}))
    found = query(
        tmp_path / "home", NOVEMBER, "SELECT has_file, last_period FROM feed_snapshot WHERE feed = 'vehicles'"
    )
    assert found == [(True, 202611 if usable else None)]
    assert query(tmp_path / "home", NOVEMBER, "SELECT DISTINCT late FROM vouching_feed WHERE feed = 'vehicles'") == [
        (not usable,)
    ]


def test_hostile_workbooks_do_not_stop_the_run(tmp_path: Path, deliver: Callable[..., Path]):
    inbox = deliver(small_county())
    rows = [["姓名", "证件号码", "死亡日期"], ["张三", "500998197001010011", "2026-01-01"]]
    sheet = "xl/worksheets/sheet1.xml"
    far = b'<row r="1048576"><c r="XFD1048576" t="str"><v>x</v></c></row></sheetData>'
    changes: dict[str, Callable[[str, bytes], bytes]] = {
        "bomb": lambda n, c: b"<worksheet><sheetData>" + b"<row></row>" * (6 << 20) if n == sheet else c,
        "area": lambda n, c: c.replace(b"</sheetData>", far) if n == sheet else c,
        "hidden-area": lambda n, c: c.replace(b"</sheetData>", far.replace(b'"', b"'")) if n == sheet else c,
        "dtd": lambda n, c: b'<!DOCTYPE x [<!ENTITY a "b">]>' + c if n == "xl/workbook.xml" else c,
        "cell": lambda n, c: b"<a>" + b"y" * (3 << 20) if n == "xl/styles.xml" else c,
        "xml": lambda n, c: c[: len(c) // 2] + b"<<<" if n == sheet else c,
    }
    for name, change in changes.items():
        rewritten(workbook(inbox / f"{name}.xlsx", {"s": rows}), change)
    for name, part in (("macros", "xl/vbaProject.bin"), ("path", "../../evil"), ("crowd", "")):
        with zipfile.ZipFile(workbook(inbox / f"{name}.xlsx", {"s": rows}), "a") as archive:
            for more in [part] if part else [f"xl/p{i}.xml" for i in range(201)]:
                archive.writestr(more, b"x")
    whole = workbook(inbox / "cut.xlsx", {"s": rows * 200}).read_bytes()
    (inbox / "cut.xlsx").write_bytes(whole[: len(whole) // 2])
    (inbox / "zeros.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4096)
    (inbox / "noise.csv").write_bytes(random.Random(1).randbytes(40_000))
    summary = run_quietly(tmp_path / "home", NOVEMBER, inbox)
    hostile = {f"{name}.xlsx" for name in (*changes, "macros", "path", "crowd", "cut")} | {"zeros.xls", "noise.csv"}
    assert {file for file, _ in summary.unusable} == hostile
    assert all(reason for _, reason in summary.unusable)
    assert query(tmp_path / "home", NOVEMBER, "SELECT count(*) FROM std_registry") == [(48,)]
    assert not (tmp_path.parent / "evil").exists()
    assert_sound(tmp_path / "home")


# -- deliveries ----------------------------------------------------------------------------------------------------


def test_townships_not_delivered_keep_their_last_earlier_state(home: Path, deliver: Callable[..., Path]):
    def promote(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        return [{**row, "类别": "A"} for row in rows if row["乡镇"] == TOWNS[0]]

    run_quietly(home, NOVEMBER, deliver({"dibao": promote(small_county()["dibao"])}))
    found = "SELECT township, any_value(class), min(delivered), count(*) FROM std_dibao GROUP BY 1 ORDER BY 1"
    assert query(home, NOVEMBER, found) == [("乙镇", "B", 202610, 20), ("甲镇", "A", 202611, 20)]
    freshness = "SELECT township, last_period FROM feed_township WHERE feed = 'dibao' ORDER BY 1"
    assert query(home, NOVEMBER, freshness) == [("乙镇", 202610), ("甲镇", 202611)]


def test_a_state_delivery_drops_whoever_it_no_longer_lists(home: Path, deliver: Callable[..., Path]):
    fewer = changed(small_county(), "dibao", lambda rows: rows[2:])
    run_quietly(home, NOVEMBER, deliver({"dibao": fewer["dibao"]}))
    assert query(home, NOVEMBER, "SELECT count(*) FROM std_dibao WHERE certificate = 'D101'") == [(0,)]


def test_feeds_of_the_matching_set_without_a_file_are_late(home: Path, deliver: Callable[..., Path]):
    late = {key for rule, _, key, level in keys(home, OCTOBER) if rule == "PROC-FEED-LATE" and level == "red"}
    assert late == set()
    run_quietly(home, NOVEMBER, deliver({"clues": small_county()["clues"], "tekun": small_county()["tekun"]}))
    late = {key for rule, _, key, _ in keys(home, NOVEMBER) if rule == "PROC-FEED-LATE"}
    assert late == {"registry", "dibao", "monitored"}


def test_an_event_row_with_the_key_of_an_earlier_one_replaces_it(home: Path, deliver: Callable[..., Path]):
    feeds = small_county()
    closed = [{**feeds["clues"][0], "办结日期": "2026-11-05", "办理结果": "已解决"}]
    check = {**feeds["income"][0], "工资性收入": "99999"}
    run_quietly(home, NOVEMBER, deliver({"clues": closed, "income": [check]}))
    rows = "SELECT delivered, counts, concluded_date IS NOT NULL FROM std_clues WHERE clue_number = 'X1' ORDER BY 1"
    assert query(home, NOVEMBER, rows) == [(202610, False, False), (202611, True, True)]
    overdue = {key for rule, _, key, _ in keys(home, NOVEMBER) if rule == "PROC-CLUE"}
    assert overdue == {feeds["clues"][1]["证件号码"]}
    income = "SELECT income_year::INT FROM household_snapshot WHERE household_id = 'H103'"
    assert query(home, NOVEMBER, income) == [(99999 + 1200,)]


def test_an_event_row_handed_in_again_counts_once(home: Path, deliver: Callable[..., Path]):
    run_quietly(home, NOVEMBER, deliver({"visits": small_county()["visits"]}))
    assert query(home, NOVEMBER, "SELECT count(*), count(*) FILTER (counts) FROM std_visits") == [(4, 2)]


def test_a_past_period_run_again_knows_only_what_was_known_then(home: Path, deliver: Callable[..., Path]):
    before = signals_text(home, OCTOBER)
    feeds = changed(small_county(), "dibao", lambda rows: [{**row, "家庭月人均收入": "9999"} for row in rows])
    run_quietly(home, NOVEMBER, deliver(feeds))
    assert pointer(home)["latest"] == NOVEMBER
    summary = run_quietly(home, OCTOBER, deliver(small_county()))
    assert signals_text(home, OCTOBER) == before
    assert query(home, OCTOBER, "SELECT DISTINCT delivered FROM part") == [(202610,)]
    assert summary.period == OCTOBER
    assert pointer(home)["latest"] == NOVEMBER
    assert_sound(home)


def test_running_a_period_again_with_other_files_replaces_its_delivery_and_keeps_the_old(
    home: Path, deliver: Callable[..., Path]
):
    folder = home / "deliveries" / OCTOBER
    first = json.loads((folder / "current.json").read_text())["current"]
    old_rows = sha256(folder / first / "dibao.parquet")
    other = changed(small_county(), "dibao", lambda rows: rows[:38])
    run_quietly(home, OCTOBER, deliver(other))
    state = json.loads((folder / "current.json").read_text())
    assert state["current"] != first
    assert state["superseded"] == [first]
    assert sha256(folder / first / "dibao.parquet") == old_rows
    assert query(home, OCTOBER, "SELECT count(*) FROM std_dibao") == [(38,)]
    run_quietly(home, NOVEMBER, deliver({"clues": small_county()["clues"]}))
    assert query(home, NOVEMBER, "SELECT count(*) FROM std_dibao") == [(38,)]
    run_quietly(home, OCTOBER, deliver(small_county()))
    again = json.loads((folder / "current.json").read_text())
    assert again["superseded"][-1] == state["current"]
    assert sha256(folder / again["current"] / "dibao.parquet") == old_rows
    assert query(home, OCTOBER, "SELECT count(*) FROM std_dibao") == [(40,)]


def test_a_held_run_leaves_every_earlier_delivery_superseded_ones_included(home: Path, deliver: Callable[..., Path]):
    """A delivery that was superseded is handed in again and held: it must still be there afterwards."""
    small, whole = (
        deliver({"dibao": small_county()["dibao"][:10] + small_county()["dibao"][20:30]}),
        deliver(small_county()),
    )
    run_quietly(home, NOVEMBER, small)
    run_quietly(home, NOVEMBER, whole)
    refusal(home, NOVEMBER, small)


def test_running_the_same_files_again_gives_the_same_signals(home: Path, deliver: Callable[..., Path]):
    before, files = signals_text(home, OCTOBER), files_below(home / "warehouse")
    for _ in range(2):
        run_quietly(home, OCTOBER, deliver(small_county()))
        assert signals_text(home, OCTOBER) == before
    untouched = {name: content for name, content in files_below(home / "warehouse").items() if name in files}
    untouched.pop("current.json")
    files.pop("current.json")
    assert untouched == files


def test_a_county_large_enough_for_several_threads_gives_what_a_small_one_gives(
    home: Path, tmp_path: Path, undisturbed: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pipelines.run.SMALL_BYTES", 0)
    inbox = november_inbox(tmp_path)
    run_quietly(home, NOVEMBER, inbox)
    assert_sound(home)
    assert signals_text(home, NOVEMBER) == undisturbed
    with connect(home, NOVEMBER) as con:
        several = {name: con.sql(f"FROM {name} ORDER BY ALL").pl() for name in PUBLISHED}
    monkeypatch.undo()
    run_quietly(home, NOVEMBER, inbox)
    with connect(home, NOVEMBER) as con:
        for name, rows in several.items():
            assert rows.equals(con.sql(f"FROM {name} ORDER BY ALL").pl()), name


def test_a_fault_within_the_database_is_met_by_building_once_more(
    home: Path, deliver: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
):
    before, left = signals_text(home, OCTOBER), [1]

    def faulty(*given: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise duckdb.InternalException("INTERNAL Error: dict-surviving cache")
        assess(*given)

    monkeypatch.setattr("pipelines.run.assess", faulty)
    summary = run_quietly(home, OCTOBER, deliver(small_county()))
    assert sum(step["name"] == "again" for step in summary.steps) == 1 and signals_text(home, OCTOBER) == before
    left[0] = 2  # twice is no chance: a fault of the program, told as one, and nothing half-built stays
    files = set(files_below(home / "warehouse"))
    with pytest.raises(duckdb.InternalException):
        run_quietly(home, OCTOBER, deliver(small_county()))
    assert set(files_below(home / "warehouse")) == files


@pytest.mark.parametrize("fault", [OSError("disk full"), duckdb.IOException("disk full")])
def test_a_run_that_cannot_publish_leaves_the_published_one_and_nothing_half_built(
    home: Path, deliver: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, fault: Exception
):
    before, files = signals_text(home, OCTOBER), set(files_below(home / "warehouse"))

    def full(*_: Any) -> None:
        raise fault

    with monkeypatch.context() as broken:
        broken.setattr("pipelines.run.publishing.Publisher.publish", full)
        with pytest.raises(type(fault), match="disk full"):
            run_quietly(home, NOVEMBER, deliver(small_county()))
    assert set(files_below(home / "warehouse")) == files and signals_text(home, OCTOBER) == before
    run_quietly(home, NOVEMBER, deliver(small_county()))
    assert_sound(home)


def test_persons_and_households_keep_their_ids_across_periods(home: Path, deliver: Callable[..., Path]):
    feeds = changed(small_county(), "registry", lambda rows: list(reversed(rows)))
    stranger = {
        "姓名": "孙无号",
        "户编号": "H101",
        "与户主关系": "其他",
        "出生日期": "1990-01-01",
        "乡镇": TOWNS[0],
        "村": "甲东村",
    }
    feeds["registry"].append(stranger)
    run_quietly(home, NOVEMBER, deliver(feeds))
    run_quietly(home, DECEMBER, deliver(feeds))
    people = "SELECT person_id, household_id, name FROM person_snapshot ORDER BY 1"
    old, new, newest = (query(home, period, people) for period in (OCTOBER, NOVEMBER, DECEMBER))
    assert set(new) - set(old) == {row for row in new if row[2] == "孙无号"}
    assert set(old) <= set(new)
    assert newest == new


def test_rows_dated_after_as_of_are_loaded_and_do_not_count(tmp_path: Path, deliver: Callable[..., Path]):
    feeds = small_county()
    feeds["deaths"].append({"姓名": "赵三甲", "证件号码": feeds["registry"][2]["证件号码"], "死亡日期": "2026-12-01"})
    inbox = deliver(feeds)
    run_quietly(tmp_path / "home", NOVEMBER, inbox)
    run_quietly(tmp_path / "home", DECEMBER, deliver({"clues": feeds["clues"]}))
    dead = "SELECT count(*) FROM person_snapshot WHERE NOT alive"
    assert query(tmp_path / "home", NOVEMBER, dead) == [(1,)]
    assert query(tmp_path / "home", DECEMBER, dead) == [(2,)]


# -- the home's own words, and what is written ---------------------------------------------------------------------


def test_a_home_adds_an_alias_changes_a_rule_and_brings_a_pack(tmp_path: Path, deliver: Callable[..., Path]):
    home, inbox = tmp_path / "home", deliver(small_county())
    ledger = inbox / "最低生活保障对象台账.csv"
    ledger.write_text(ledger.read_text("utf-8-sig").replace("救助证编号", "本县救助卡编码"), encoding="utf-8")
    run_quietly(home, OCTOBER, inbox)
    assert query(home, OCTOBER, "SELECT count(*) FROM std_dibao") == [(0,)]
    put(home / "feeds/dibao.toml", '[aliases]\ncertificate = ["本县救助卡编码"]\n')
    rule = (ROOT / "data/policy/rules/PROC-CLUE.toml").read_text("utf-8").replace('level = "red"', 'level = "blue"')
    put(home / "policy/rules/PROC-CLUE.toml", rule)
    put(
        home / "policy/packs/mine.toml",
        """
        title = { zh = "本县", en = "Mine" }
        document = "本县〔2026〕1号"
        short = "BX"
        extends = "caojie-2024"
        [[parameter]]
        name = "dibao.standard_rural"
        [[parameter.value]]
        value = 290
        clause = "BX 一"
        """,
    )
    run_quietly(home, NOVEMBER, inbox, "mine")
    assert query(home, NOVEMBER, "SELECT count(*) FROM std_dibao") == [(40,)]
    assert {level for rule, _, _, level in keys(home, NOVEMBER) if rule == "PROC-CLUE"} == {"blue"}
    assert query(home, NOVEMBER, "SELECT pack FROM run") == [("mine",)]
    standard = "SELECT value, pack, clause FROM parameter WHERE name = 'dibao.standard_rural'"
    assert query(home, NOVEMBER, standard) == [("290", "mine", "BX 一")]
    assert query(home, NOVEMBER, "SELECT DISTINCT standard FROM household_snapshot") == [(290,)]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """Folders in which a process might leave something."""
    folders = {name: tmp_path / "elsewhere" / name for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "cwd")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    yield folders


def test_a_run_writes_nothing_outside_its_home(
    tmp_path: Path, elsewhere: dict[str, Path], deliver: Callable[..., Path]
):
    inbox = deliver(small_county())
    workbook(
        inbox / "名册.xlsx", {"s": [["姓名", "证件号码", "死亡日期"], ["张三", "500998197001010011", "2026-01-01"]]}
    )
    before = files_below(inbox)
    environment = {**os.environ, **{name: str(path) for name, path in elsewhere.items() if name != "cwd"}}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "pipelines.cli", "run", "--home", str(tmp_path / "home"), "--period", NOVEMBER]
    done = subprocess.run(
        [*command, "--inbox", str(inbox)],
        cwd=elsewhere["cwd"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    assert files_below(inbox) == before
    assert list((tmp_path / "elsewhere").rglob("*/*")) == []
    assert {path.name for path in tmp_path.iterdir()} == {"home", "elsewhere", inbox.name}


def test_a_published_file_is_never_modified(home: Path, deliver: Callable[..., Path], tmp_path: Path):
    first = published_file(home, OCTOBER)
    content, written = sha256(first), first.stat().st_mtime_ns
    run_quietly(home, NOVEMBER, deliver({"clues": small_county()["clues"]}))
    run_quietly(home, OCTOBER, deliver(changed(small_county(), "dibao", lambda rows: rows[:38])))
    before_serving(home, NOON)
    assert main(["audit", "--home", str(home)]) == 0
    assert main(["export", "signals", "--home", str(home), "--period", NOVEMBER, "-o", str(tmp_path / "s.csv")]) == 0
    assert published_file(home, OCTOBER) != first
    assert (sha256(first), first.stat().st_mtime_ns) == (content, written)
    with duckdb.connect(str(first), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM std_dibao").fetchall() == [(40,)]


def test_history_of_earlier_periods_is_carried_and_later_ones_are_not(home: Path, deliver: Callable[..., Path]):
    run_quietly(home, NOVEMBER, deliver(small_county()))
    periods = "SELECT DISTINCT period FROM history_figure ORDER BY 1"
    assert query(home, NOVEMBER, periods) == [(OCTOBER,), (NOVEMBER,)]
    run_quietly(home, OCTOBER, deliver(small_county()))
    assert query(home, OCTOBER, periods) == [(OCTOBER,)]
    told = "SELECT count(*) FROM history_signal WHERE period = '2026-10'"
    assert query(home, NOVEMBER, told) == query(home, OCTOBER, "SELECT count(*) FROM signal")
    covered = "SELECT township, measure, value FROM history_figure WHERE period = '2026-10' AND measure LIKE 'coverage %' ORDER BY ALL"
    assert query(home, NOVEMBER, covered) == query(home, OCTOBER, covered) != []


def test_the_default_inbox_is_the_homes_own(tmp_path: Path):
    home = tmp_path / "home"
    write_csv({NOVEMBER: small_county()}, home / "inbox")
    run_quietly(home, NOVEMBER)
    assert pointer(home)["periods"][NOVEMBER]["counts"]["persons"] == 48


def test_a_family_member_without_number_does_not_take_the_numbered_heads_place(tmp_path: Path) -> None:
    feeds = small_county()
    feeds["dibao"] = [row for row in feeds["dibao"] if row["救助证编号"] != "D101"]
    inbox, head = write_feeds(feeds, tmp_path / "inbox"), number("19700101", 103)
    (inbox / "农村低保家庭查询_1.csv").write_text(
        "户主姓名,户主身份证号,户月保障金额（元）,低保（特困）证号,最初享受月,家庭成员姓名,家庭成员身份证号,所属街道\n"
        f"赵二甲,{head},400,D101,202401,赵二甲;外来孩子,{head};无,甲镇\n",
        encoding="utf-8",
    )
    run_quietly(tmp_path / "home", "2026-11", inbox)
    told = query(
        tmp_path / "home", "2026-11", "SELECT name, number FROM std_dibao WHERE certificate = 'D101' ORDER BY name"
    )
    assert told == [("外来孩子", None), ("赵二甲", head)]
    persons = query(
        tmp_path / "home",
        "2026-11",
        "SELECT count(DISTINCT person_id) FROM std_dibao WHERE certificate = 'D101' AND person_id IS NOT NULL",
    )
    assert persons[0][0] >= 1
    assert query(tmp_path / "home", "2026-11", f"SELECT on_dibao FROM person_snapshot WHERE number = '{head}'") == [
        (True,)
    ]


def test_a_later_file_that_repeats_one_subsidy_of_a_wide_row_leaves_the_other_counted(tmp_path: Path) -> None:
    person = number("19700101", 103)
    inbox = write_feeds(small_county(), tmp_path / "october")
    (inbox / "两项补贴.csv").write_text(
        f"姓名,身份证号,残疾证号,生活补贴标准,护理补贴标准,发放月份\n赵二甲,{person},1,100,80,202610\n",
        encoding="utf-8",
    )
    run_quietly(tmp_path / "home", "2026-10", inbox)
    inbox = write_feeds(small_county(), tmp_path / "november")
    (inbox / "两项补贴.csv").write_text(
        f"姓名,身份证号,补贴类型,金额,发放月份\n赵二甲,{person},生活补贴,100,202610\n", encoding="utf-8"
    )
    run_quietly(tmp_path / "home", "2026-11", inbox)
    counted = query(
        tmp_path / "home", "2026-11",
        "SELECT subsidy_kind, amount::INTEGER, delivered FROM std_disability_subsidy WHERE counts ORDER BY subsidy_kind",
    )  # fmt: skip
    assert [(kind, amount) for kind, amount, _ in counted] == [("护理补贴", 80), ("生活补贴", 100)]
