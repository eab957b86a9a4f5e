"""The command line: every command, its exit status, and that no mistake of a user ends in a traceback."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipelines.cli import main
from pipelines.office import before_serving
from tests.reading_files import workbook
from tests.runs import files_below, number, pointer, published_file, run_quietly, small_county, write_feeds
from tests.stores import NOON

PERIOD = "2026-11"
COMMANDS = ("run", "check", "export", "rules", "packs", "audit", "sample", "demo", "serve", "prune")
Buluo = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the small county's November, one row of it quarantined; tests that write copy it."""
    folder = tmp_path_factory.mktemp("published")
    feeds = small_county()
    feeds["dibao"].append({"救助证编号": "D9", "证件号码": "500998198001010010", "享受起始日期": "2024-01-01"})
    run_quietly(folder / "home", PERIOD, write_feeds(feeds, folder / "inbox"))
    before_serving(folder / "home", NOON)
    return folder / "home"


@pytest.fixture
def buluo(capsys: pytest.CaptureFixture[str]) -> Buluo:
    """Runs a command; what it says must hold no traceback. Returns status, output and errors."""

    def call(*words: object) -> tuple[int, str, str]:
        try:
            status = main([str(word) for word in words])
        except SystemExit as ended:  # argparse
            status = int(ended.code or 0)
        told = capsys.readouterr()
        assert "Traceback" not in told.out + told.err
        return status, told.out, told.err

    return call


# -- help ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_text_in_chinese(buluo: Buluo, command: str):
    status, out, _ = buluo(command, "--help")
    assert status == 0
    options = re.split(r"\n(?=  -)", out)[1:]
    assert "主目录" in out
    assert [option for option in options if not re.search("[\u4e00-\u9fff]", option) and "--help" not in option] == []


def test_the_help_lists_every_command(buluo: Buluo):
    status, out, _ = buluo("--help")
    assert status == 0
    assert all(command in out for command in COMMANDS)


@pytest.mark.parametrize(
    "words", [(), ("nonsense",), ("run",), ("export", "nothing", "--period", PERIOD, "-o", "a.csv"), ("packs", "x")]
)
def test_a_wrong_command_line_ends_with_2(buluo: Buluo, words: tuple[str, ...]):
    status, _, err = buluo(*words)
    assert status == 2
    assert err


# -- run -------------------------------------------------------------------------------------------------------------


def test_run_publishes_and_prints_a_summary_that_balances(buluo: Buluo, tmp_path: Path):
    inbox = write_feeds(small_county(), tmp_path / "inbox")
    status, out, err = buluo("run", "--home", tmp_path / "home", "--period", PERIOD, "--inbox", inbox, "--pack", "demo")
    assert (status, err) == (0, "")
    found = re.search(r"读入 ([\d,]+) 行 = 载入 ([\d,]+) \+ 重复 ([\d,]+) \+ 隔离 ([\d,]+) \+ 非数据 ([\d,]+)", out)
    assert found is not None
    read, *parts = (int(n.replace(",", "")) for n in found.groups())
    assert read == sum(parts)
    assert "政策包 demo" in out


def test_a_refused_run_says_why_on_standard_error_and_ends_with_2(buluo: Buluo, tmp_path: Path):
    for words in (("--period", "2026-13"), ("--period", PERIOD), ("--period", PERIOD, "--pack", "nowhere")):
        status, out, err = buluo("run", "--home", tmp_path / "home", *words)
        assert (status, out) == (2, "")
        assert err.startswith("已拒绝：")


def test_the_home_may_come_from_the_environment(buluo: Buluo, published: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BULUO_HOME", str(published))
    assert buluo("audit")[0] == 0


@pytest.mark.parametrize("name", ["a file", "not writable"])
def test_a_home_that_cannot_be_used_is_refused(buluo: Buluo, tmp_path: Path, name: str):
    home = tmp_path / "home"
    if name == "a file":
        home.write_text("x")
    else:
        home = Path("/proc/buluo")
    inbox = write_feeds(small_county(), tmp_path / "inbox")
    status, _, err = buluo("run", "--home", home, "--period", PERIOD, "--inbox", inbox)
    assert status == 2
    assert "已拒绝" in err


# -- check -----------------------------------------------------------------------------------------------------------


def test_check_says_what_would_happen_and_changes_nothing(buluo: Buluo, tmp_path: Path):
    rows = [
        ["救助证编号", "姓名", "证件号码", "享受起始日期", "户月保障金额", "备用列"],
        ["D1", "张三", "500998198001010014", "2026-03-05", "650", ""],
        ["D2", "李四", "500998198001010030", "昨天", "650", "x"],
        ["D3", "", "", "2026-03-05", "六百", ""],
        ["D1", "张三", "500998198001010014", "2026-03-05", "650", ""],
        ["合计", "", "", "", "1950", ""],
    ]
    path = workbook(tmp_path / "低保.xlsx", {"名册": rows})
    before = files_below(tmp_path)
    status, out, _ = buluo("check", "--home", tmp_path / "home", path)
    assert status == 1
    assert "低保.xlsx · 名册：最低生活保障对象台账（dibao），表头在第 1 行" in out
    assert "载入 1 + 重复 1 + 隔离 2 + 非数据 2" in out
    assert "第 3 行" in out and "享受起始日期" in out and "“昨天”" in out and "2026-03-05" in out
    assert "第 4 行" in out and "姓名" in out
    assert "第 5 行 与第 2 行完全相同" in out
    assert "第 6 行 不是数据：合计行" in out
    assert "备用列" in out
    assert files_below(tmp_path) == before
    assert not (tmp_path / "home").exists()


def test_check_of_a_clean_file_ends_with_0(buluo: Buluo, tmp_path: Path):
    inbox = write_feeds(small_county(), tmp_path / "inbox")
    status, out, _ = buluo("check", "--home", tmp_path / "home", *sorted(inbox.iterdir()))
    assert status == 0
    assert out.count("表头在第 1 行") == 8


@pytest.mark.parametrize(("columns", "status"), [(2, 0), (3, 1)])
def test_a_sheet_that_nobody_understands_beside_a_ledger_is_something_to_look_at(buluo: Buluo, tmp_path: Path, columns: int, status: int):  # fmt: skip
    county, home = write_feeds(small_county(), tmp_path / "inbox"), tmp_path / "home"
    strange = [["甲栏", "乙栏", "丙栏"][:columns]] + [["一", "二", "三"][:columns]] * 99
    deaths = [["姓名", "证件号码", "死亡日期"], ["孙某", number("19500101", 951), "2026-11-02"]]
    book = workbook(county / "死亡.xlsx", {"死亡": deaths, "另表": strange})
    found, out, _ = buluo("check", "--home", home, book)
    assert found == status and ("另表：不能使用。这一页的 100 行没有读入" in out) == bool(status)
    found, out, _ = buluo("run", "--home", home, "--period", "2026-11", "--inbox", county)
    assert found == status and ("未能使用 死亡.xlsx · 另表：这一页的 100 行没有读入" in out) == bool(status)


def test_check_of_what_is_no_ledger_says_what_it_lacks(buluo: Buluo, tmp_path: Path):
    (tmp_path / "低保.csv").write_text("姓名,救助证编号\n张三,D1\n", encoding="utf-8")
    (tmp_path / "坏.xlsx").write_bytes(b"PK\x03\x04broken")
    status, out, _ = buluo("check", "--home", tmp_path / "home", tmp_path / "低保.csv", tmp_path / "坏.xlsx")
    assert status == 1
    assert "低保.csv：不能使用" in out and "享受起始日期" in out
    assert "坏.xlsx：不能使用" in out
    status, _, err = buluo("check", tmp_path / "没有.csv")
    assert (status, "没有文件" in err) == (2, True)


# -- export ----------------------------------------------------------------------------------------------------------


def read(path: Path) -> pl.DataFrame:
    if path.suffix == ".xlsx":
        return pl.read_excel(path, infer_schema_length=0)
    return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)


@pytest.mark.parametrize("what", ["signals", "quarantine", "ledger", "comparison"])
@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_every_export_in_every_format(buluo: Buluo, published: Path, tmp_path: Path, what: str, suffix: str):
    home, out = Path(shutil.copytree(published, tmp_path / "home")), tmp_path / f"out{suffix}"
    status, told, _ = buluo("export", what, "--home", home, "--period", PERIOD, "-o", out)
    assert status == 0
    frame = read(out)
    assert frame.height > 0
    assert f"{frame.height:,} 行" in told
    assert not re.search(r"500998\d{11}[\dX]", frame.write_csv()), "a number in the clear"
    status, _, _ = buluo("export", what, "--home", home, "--period", PERIOD, "-o", out, "--unmask", "--reason", "核查")
    assert status == 0
    assert read(out).height == frame.height
    if what in ("signals", "comparison"):
        assert re.search(r"500998\d{11}[\dX]", read(out).write_csv())
    journal = (home / "exports" / "journal.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["what"] for line in journal] == [what]
    assert json.loads(journal[0])["reason"] == "核查"


def test_an_export_in_english_and_with_conditions(buluo: Buluo, published: Path, tmp_path: Path):
    out = tmp_path / "out.csv"
    ask = ("export", "signals", "--home", published, "--period", PERIOD, "-o", out)
    assert buluo(*ask, "--where", "level=red", "--where", "township=甲镇", "--lang", "en")[0] == 0
    frame = read(out)
    assert set(frame["level"]) == {"red"} and set(frame["township"]) == {"甲镇"}
    assert not re.search("[\u4e00-\u9fff]{6}", frame["message"].item(0))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--unmask",), "理由"),
        (("--unmask", "--reason", "  "), "理由"),
        (("--where", "nothing=1"), "nothing"),
        (("--where", "level"), "level"),
        (("--where", "id_number=500998197001010011"), "id_number"),
    ],
)
def test_an_export_that_may_not_be_is_refused_and_writes_nothing(
    buluo: Buluo, published: Path, tmp_path: Path, more: tuple[str, ...], said: str
):
    out = tmp_path / "out.csv"
    status, _, err = buluo("export", "signals", "--home", published, "--period", PERIOD, "-o", out, *more)
    assert status == 2
    assert said in err
    assert not out.exists()
    assert not (published / "exports").exists()


def test_exports_of_what_is_not_there_are_refused(buluo: Buluo, published: Path, tmp_path: Path):
    out = tmp_path / "out.csv"
    for words, said in (
        (("--home", published, "--period", "2026-10", "-o", out), "2026-10"),
        (("--home", tmp_path / "nowhere", "--period", PERIOD, "-o", out), "还没有发布过"),
        (("--home", published, "--period", PERIOD, "-o", tmp_path / "out.doc"), ".doc"),
    ):
        status, _, err = buluo("export", "signals", *words)
        assert (status, said in err) == (2, True), (words, err)
    assert list(tmp_path.iterdir()) == []


# -- rules and packs -------------------------------------------------------------------------------------------------


def test_rules_are_listed_shown_checked_and_tested(buluo: Buluo, tmp_path: Path):
    home = ("--home", tmp_path / "home")
    status, out, _ = buluo("rules", "list", *home, "--as-of", "2026-11-30")
    assert status == 0
    assert all(
        code in out for code in ("GAP-DIBAO", "RISK-WATER", "EXIT-DECEASED", "PROC-CLUE", "DQ-LINK", "POL-URBAN-RURAL")
    )
    status, out, _ = buluo("rules", "show", "EXIT-GRADUAL", *home, "--pack", "caojie-2024", "--as-of", "2026-11-30")
    assert status == 0
    assert "二（五）" in out
    assert buluo("rules", "check", *home)[0] == 0
    assert buluo("rules", "test", *home)[0] == 0
    assert buluo("rules", "test", "GAP-DIBAO", *home)[0] == 0
    assert not (tmp_path / "home").exists()


def test_rules_of_a_home_are_proved_before_they_are_used(buluo: Buluo, tmp_path: Path):
    rule = (Path(__file__).parents[1] / "data/policy/rules/RISK-WATER.toml").read_text("utf-8")
    mine = tmp_path / "home" / "policy" / "rules" / "RISK-WATER.toml"
    mine.parent.mkdir(parents=True)
    mine.write_text(rule.replace('when = "water_unsafe"', 'when = "water_unsave"'), encoding="utf-8")
    status, out, _ = buluo("rules", "check", "--home", tmp_path / "home")
    assert status == 2
    assert "water_unsave" in out and "water_unsafe" in out and "RISK-WATER.toml" in out
    assert buluo("rules", "list", "--home", tmp_path / "home")[0] == 2
    mine.write_text(rule.replace('when = "water_unsafe"', 'when = "NOT water_unsafe"'), encoding="utf-8")
    status, out, _ = buluo("rules", "test", "RISK-WATER", "--home", tmp_path / "home")
    assert status == 1
    assert "饮水不安全" in out


@pytest.mark.parametrize(
    "words",
    [
        ("rules", "show"),
        ("rules", "show", "GAP-NOTHING"),
        ("rules", "test", "GAP-NOTHING"),
        ("rules", "list", "--pack", "nowhere"),
        ("rules", "list", "--as-of", "someday"),
        ("packs", "diff", "national-2020"),
        ("packs", "diff", "national-2020", "nowhere"),
    ],
)
def test_rules_and_packs_that_are_not_there_are_refused(buluo: Buluo, words: tuple[str, ...]):
    status, _, err = buluo(*words)
    assert status == 2
    assert err.startswith("已拒绝：")


def test_packs_are_listed_and_compared(buluo: Buluo):
    status, out, _ = buluo("packs", "list")
    assert status == 0
    assert all(name in out for name in ("national-2020", "rongchang-2018", "mangshi-2021", "caojie-2024", "demo"))
    status, out, _ = buluo("packs", "diff", "rongchang-2018", "caojie-2024", "--as-of", "2026-11-30")
    assert status == 0
    assert "dibao.standard_rural" in out and "480" in out and "600" in out
    assert "review.months_a" not in out


# -- audit, sample, prune --------------------------------------------------------------------------------------------


def test_audit_finds_a_file_that_was_tampered_with(buluo: Buluo, published: Path, tmp_path: Path):
    status, out, _ = buluo("audit", "--home", published)
    assert status == 0
    assert "全部相符" in out and "✗" not in out
    home = Path(shutil.copytree(published, tmp_path / "home"))
    file = published_file(home, PERIOD)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    status, out, _ = buluo("audit", "--home", home, "--period", PERIOD)
    assert status == 1
    assert "✗" in out and "摘要不符" in out
    file.write_bytes(b"not a database")
    assert buluo("audit", "--home", home)[0] == 1
    assert buluo("export", "signals", "--home", home, "--period", PERIOD, "-o", tmp_path / "out.csv")[0] == 2
    file.unlink()
    assert buluo("audit", "--home", home)[0] == 2
    (home / "warehouse" / "current.json").write_text("{", encoding="utf-8")
    assert buluo("audit", "--home", home)[0] == 2
    assert buluo("audit", "--home", tmp_path / "nowhere")[0] == 2
    assert buluo("audit", "--home", published, "--period", "2020-01")[0] == 2


def test_sample_makes_the_same_county_twice(buluo: Buluo, tmp_path: Path):
    for name in ("a", "b"):
        words = ("--persons", 500, "--months", 1, "--seed", 7, "--out", tmp_path / name)
        status, out, _ = buluo("sample", "--home", tmp_path / "home", *words)
        assert status == 0
        assert "虚构" in out
    texts = [{n: c for n, c in files_below(tmp_path / name).items() if n.endswith(".csv")} for name in ("a", "b")]
    assert texts[0] == texts[1]
    assert texts[0]
    assert buluo("sample", "--persons", 0, "--out", tmp_path / "c")[0] == 2


def test_prune_removes_superseded_results_only(buluo: Buluo, published: Path, tmp_path: Path):
    home = Path(shutil.copytree(published, tmp_path / "home"))
    for dropped in (1, 2, 3):
        run_quietly(
            home,
            PERIOD,
            write_feeds(
                {"clues": small_county()["clues"], "dibao": small_county()["dibao"][dropped:]}, tmp_path / str(dropped)
            ),
        )
    assert len(list(home.glob("warehouse/*.duckdb"))) == 4
    status, out, _ = buluo("prune", "--home", home, "--keep", 1)
    assert (status, "删除 2 个" in out) == (0, True)
    assert len(list(home.glob("warehouse/*.duckdb"))) == 2
    assert buluo("prune", "--home", home, "--keep", 0)[0] == 0
    assert [path.name for path in home.glob("warehouse/*.duckdb")] == [pointer(home)["periods"][PERIOD]["file"]]
    before_serving(home, NOON)
    assert buluo("audit", "--home", home)[0] == 0
