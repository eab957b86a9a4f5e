"""A file that no feed recognises is proposed a mapping, a person keeps it, and from then on such files are read."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import select

from monitoring.desk.mapping import NotKept, inside, keep_mapping, proposal
from monitoring.feeds import load_feeds
from monitoring.people import Denied
from monitoring.store import Store, open_store
from monitoring.store.schema import journal
from pipelines.cli import main
from pipelines.reading import read_file
from pipelines.run.proposing import heading_row, propose, sheets_of, try_mapping
from tests.people import add_account
from tests.stores import NOON
from tests.unseen_files import FILES, Columns

FEEDS = load_feeds(None)


def written(folder: Path, name: str, columns: Columns, above: str = "") -> Path:
    path = folder / f"{name}.csv"
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="gb18030") as file:
        file.write(above)
        out = csv.writer(file)
        out.writerow([heading for heading, _, _ in columns])
        out.writerows(zip(*[values for _, _, values in columns], strict=True))
    return path


def test_nine_of_ten_columns_of_a_county_never_seen_are_proposed_right(tmp_path: Path) -> None:
    right, of, rows = 0, 0, 0
    for name, (feed, columns) in FILES.items():
        path = written(tmp_path, name, columns)
        found = propose(sheets_of(path)[0], FEEDS)  # without the file's name
        assert found is not None and found.feed == feed, name
        known = {heading for column in FEEDS[feed].columns for heading in (column.heading, *column.aliases)}
        assert not known.intersection(heading for heading, meant, _ in columns if meant), name  # none is known already
        right += sum(guess.column == meant for guess, (_, meant, _) in zip(found.columns, columns, strict=True))
        of += len(columns)
        tried = try_mapping(path, FEEDS, found.feed, found.aliases)
        assert (tried.feed, tried.quarantined) == (feed, 0), name
        rows += tried.loaded
    assert right / of >= 0.9, f"{right} of {of}"
    assert rows == 4 * len(FILES)


def test_titles_above_do_not_hide_the_heading_and_a_note_is_none(tmp_path: Path) -> None:
    name, (feed, columns) = next(iter(FILES.items()))
    path = written(tmp_path, name, columns, above="某县低保花名册\n填报单位：民政局,,2026年\n")
    (sheet,) = sheets_of(path)
    assert heading_row(sheet) == 2
    found = propose(sheet, FEEDS)
    assert found is not None and (found.feed, found.heading_row) == (feed, 3)
    note = tmp_path / "说明.csv"
    note.write_text("本表由各乡镇填报\n请于月底前报送\n", encoding="utf-8")
    assert propose(sheets_of(note)[0], FEEDS) is None


@pytest.mark.parametrize(
    ("named", "feed"),
    [("低保", "dibao"), ("特困供养2026", "tekun"), ("11月机动车", "vehicles"), ("低保户车辆信息", "vehicles"), ("残疾人两项补贴", "disability_subsidy")],
)  # fmt: skip
def test_where_the_columns_say_little_the_name_of_the_file_tells(tmp_path: Path, named: str, feed: str) -> None:
    path = tmp_path / f"{named}.csv"
    path.write_text("姓名,身份证号,补助\n张三,500999199001011231,300\n李四,500999198001011232,350\n", encoding="utf-8")
    found = propose(sheets_of(path)[0], FEEDS, named)
    assert found is not None and found.feed == feed and found.lacks


def test_a_wrong_name_does_not_outweigh_the_columns(tmp_path: Path) -> None:
    for name, (feed, columns) in FILES.items():
        wrong = "低保" if feed != "dibao" else "车辆"
        found = propose(sheets_of(written(tmp_path, name, columns))[0], FEEDS, wrong)
        assert found is not None and found.feed == feed, name


def test_what_is_required_and_not_there_is_said(tmp_path: Path) -> None:
    columns = [one for one in FILES["死亡人口推送"][1] if one[1] != "death_date"]
    found = propose(sheets_of(written(tmp_path, "死亡", columns))[0], FEEDS, feed="deaths")
    assert found is not None and found.lacks == ("death_date",)
    assert try_mapping(tmp_path / "死亡.csv", FEEDS, "deaths", found.aliases).feed is None


def test_a_kept_mapping_is_read_from_then_on_and_told_by_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, (feed, columns) = tmp_path / "home", FILES["走访登记"]
    columns = [one for one in columns if one[0] not in ("走访对象", "走访情况")]
    path = written(tmp_path, "走访登记", columns)
    assert read_file(path, FEEDS).parts[0].feed is None
    assert main(["check", str(path), "--home", str(home)]) == 1
    assert "可能是走访探访记录（visits）" in capsys.readouterr().out
    assert main(["map", str(path), "--home", str(home), "--set", "走访形式=", "--keep"]) == 0
    kept = tomllib.loads((home / "feeds" / "visits.toml").read_text("utf-8"))
    assert kept["aliases"]["visited_date"] == ["走访时间"] and "visit_mode" not in kept["aliases"]
    part = read_file(path, load_feeds(home / "feeds")).parts[0]
    assert (part.feed, part.frame.height, part.unknown_headings) == (feed, 4, ["走访形式"])
    assert main(["map", str(path), "--home", str(home), "--keep"]) == 0  # again: added to, nothing twice
    kept = tomllib.loads((home / "feeds" / "visits.toml").read_text("utf-8"))["aliases"]
    assert kept["visited_date"] == ["走访时间"] and kept["visit_mode"] == ["走访形式"]
    capsys.readouterr()
    assert main(["map", str(path), "--home", str(home), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sheets"][0]["tried"]["loaded"] == 4


@pytest.fixture
def sqlite(tmp_path: Path) -> Store:
    return open_store(tmp_path / "home")


def test_what_would_not_load_strictly_is_not_kept_and_nothing_changes(sqlite: Store) -> None:
    home, county = sqlite.home, add_account(sqlite, "county_staff")
    with pytest.raises(NotKept, match="没有这些列"):
        keep_mapping(sqlite, county, home, "visits", {"nothing": ["甲"]}, NOON)
    with pytest.raises(NotKept, match="同时属于"):
        keep_mapping(sqlite, county, home, "visits", {"visitor": ["甲"], "finding": ["甲"]}, NOON)
    assert not (home / "feeds" / "visits.toml").exists()
    with pytest.raises(Denied):
        keep_mapping(sqlite, add_account(sqlite, "analyst"), home, "visits", {"visitor": ["甲"]}, NOON)
    keep_mapping(sqlite, county, home, "visits", {"visitor": ['走访"干部"']}, NOON)
    assert "visits" in load_feeds(home / "feeds") and 'visitor = ["走访\\"干部\\""]' in (
        home / "feeds" / "visits.toml"
    ).read_text("utf-8")
    with sqlite.read() as con:
        told = con.execute(select(journal).where(journal.c.event == "feed.map", journal.c.result == "ok")).all()
    assert len(told) == 1 and "走访" in str(told[0].detail)


@pytest.mark.parametrize(
    ("by_hand", "begins"),
    [
        (
            '# 热线中心的格式\n[[layout]]\nname = "热线"   # 2026 年起\naliases = { channel = ["来电渠道"] }\n',
            "# 热线中心",
        ),
        ('aliases = { channel = ["渠道"] }\n', "aliases = { channel = "),
        ('[aliases]\nchannel = [\n  "渠道", # 旧表\n]\n', "[aliases]\nchannel = [\n"),
    ],
)
def test_what_was_written_by_hand_stays_where_headings_are_added(sqlite: Store, by_hand: str, begins: str) -> None:
    home, path = sqlite.home, sqlite.home / "feeds" / "clues.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(by_hand, encoding="utf-8")
    before = tomllib.loads(by_hand)
    keep_mapping(sqlite, add_account(sqlite, "county_staff"), home, "clues", {"channel": ["甲", "渠道甲"]}, NOON)
    text = path.read_text("utf-8")
    after = tomllib.loads(text)
    added = before.get("aliases", {}).get("channel", [])
    assert text.startswith(begins) and all(line in text for line in ("2026 年起", "旧表") if line in by_hand)
    assert after.pop("aliases") == {"channel": [*added, "甲", "渠道甲"]}
    assert after == {key: value for key, value in before.items() if key != "aliases"}
    load_feeds(home / "feeds")


def test_the_page_gets_the_proposal_masked_and_only_for_files_of_the_inbox(sqlite: Store) -> None:
    home = sqlite.home
    written(home / "inbox" / "2026-11", "残联持证人员", FILES["残联持证人员"][1])
    (home / "secret.csv").write_text("a", encoding="utf-8")
    found = proposal(sqlite, add_account(sqlite, "county_staff"), home, "2026-11", "残联持证人员.csv", None, None, NOON)
    (sheet,) = found["sheets"]
    assert sheet["feed"] == "disability" and sheet["tried"]["loaded"] == 4 and sheet["lacks"] == []
    written(
        home / "inbox" / "2026-11", "走访登记", FILES["走访登记"][1]
    )  # whose headings do not say that names stand below
    unclear = str(
        proposal(sqlite, add_account(sqlite, "county_staff"), home, "2026-11", "走访登记.csv", None, None, NOON)
    )
    assert not any(name in unclear for name in FILES["走访登记"][1][1][2])
    assert "周德福" not in str(found) and FILES["残联持证人员"][1][1][2][0] not in str(found)
    for file in ("../../secret.csv", "没有.csv", "/etc/passwd"):
        with pytest.raises(Denied):
            inside(home, "2026-11", file)
    (home / "inbox" / "next.csv").write_text("a", encoding="utf-8")
    for period, file in (
        ("..", "secret.csv"),
        (".", "next.csv"),
        ("", "next.csv"),
        ("2026-11/..", "next.csv"),
        ("2026-11\n", "残联持证人员.csv"),
    ):
        with pytest.raises(Denied):
            inside(home, period, file)
    with pytest.raises(Denied):
        proposal(
            sqlite,
            add_account(sqlite, "township_staff", [("石桥镇", None)]),
            home,
            "2026-11",
            "残联持证人员.csv",
            None,
            None,
            NOON,
        )
