"""Backup and restore: everything comes back, into either database, or nothing does; and what is damaged is refused."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from monitoring.store import Store, StoreError, journal, migrating, open_store
from monitoring.store.backup import backup, restore
from monitoring.store.bulk import insert_rows
from monitoring.store.journal import Entry
from monitoring.store.schema import alert, metadata, setting
from monitoring.store.schema import journal as journal_table
from monitoring.store.schema import session as session_table
from tests.people import TOWN, add_account
from tests.some_alerts import add_alert, alert_row
from tests.stores import NOON, new_database
from tests.table_dump import dump

LATER = NOON + timedelta(hours=1)
WHO = "cli:test"


@pytest.fixture
def filled(store: Store) -> Store:
    """Rows of many kinds: places, a session (bytes), alerts that refer to one another, JSON, money, Chinese, a blank."""
    clerk = add_account(store, "township_staff", [(TOWN, None)])
    first = add_alert(
        store, ["GAP-DIBAO"], household_id="H1", closed_at=NOON, village=None, score=0.7133, why=[["a", 1, None]]
    )
    add_alert(store, ["GAP-DIBAO", "RISK-MEDICAL"], household_id="H2", previous_id=first)
    with store.write() as con:
        con.execute(insert(setting).values(name="n", value={"引号": ['"', "\n", "\\N", "\t"]}, by="甲", at=NOON))
        con.execute(
            insert(metadata.tables["measure"]).values(
                alert_id=first, household_id="H1", kind="aid", amount=1200.5, monthly=True, start=date(2026, 11, 1),
                responsible="王", note="", account_id=clerk.account, at=NOON,
            )
        )  # fmt: skip
        for n in range(3):
            journal.append(con, store.key, Entry(clerk.name, clerk.role, "", "alert.claim", f"alert:{n}"), NOON)
    return store


@pytest.fixture
def saved(filled: Store, tmp_path: Path) -> Path:
    backup(filled, tmp_path / "b.zip", at=NOON, who=WHO)
    return tmp_path / "b.zip"


@pytest.fixture
def fresh(filled: Store, tmp_path: Path) -> Path:
    """Another home, with the key put back and nothing else."""
    home = tmp_path / "new"
    (home / "secrets").mkdir(parents=True)
    shutil.copy2(filled.home / "secrets" / "store.key", home / "secrets")
    return home


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    return new_database(request.getfixturevalue("postgres")) if request.param == "postgresql" else None


@pytest.fixture
def opened(fresh: Path, url: str | None) -> Iterator[Store]:
    store = open_store(fresh, url)
    yield store
    store.close()


def test_every_row_comes_back_in_either_database(filled: Store, saved: Path, fresh: Path, url: str | None) -> None:
    before = dump(filled, "session", "journal", "journal_head")
    done = restore(fresh, saved, url, at=LATER, who=WHO)
    again = open_store(fresh, url)
    assert dump(again, "session", "journal", "journal_head") == before
    assert (done.journal, done.lost) == (4, 0)  # three claims, and the backup itself
    assert journal.problems(again) == []
    with again.read() as con:
        last = con.execute(select(journal_table).order_by(journal_table.c.seq.desc()).limit(1)).one()
        assert (last.seq, last.event, last.who) == (5, "store.restore", WHO)
        assert con.execute(select(session_table.c.ended_at)).scalars().all() == [LATER]
    again.close()


def test_new_rows_get_new_numbers_after_a_restore(saved: Path, fresh: Path, url: str | None) -> None:
    restore(fresh, saved, url, at=LATER, who=WHO)
    again = open_store(fresh, url)
    assert add_alert(again, ["GAP-DIBAO"], household_id="H3") == 3
    again.close()


def test_a_backup_is_of_one_moment_while_others_write(filled: Store, tmp_path: Path, fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A journal row that is written after the dump began is not in it, though its table is dumped later."""
    written = []

    def revision(con: Any) -> str | None:
        found = migrating.newest()
        con.execute(text("select count(*) from account")).scalar()  # the snapshot stands from here on
        with filled.write() as other:
            journal.append(other, filled.key, Entry("li", "auditor", "", "journal.read"), NOON)
        written.append(1)
        return found

    monkeypatch.setattr("monitoring.store.backup.migrating.revision", revision)
    done = backup(filled, tmp_path / "b.zip", at=NOON, who=WHO)
    assert written and done.journal == 4
    assert restore(fresh, tmp_path / "b.zip", at=LATER, who=WHO).journal == 4


def test_a_store_that_holds_something_is_left_as_it_is(saved: Path, opened: Store, url: str | None) -> None:
    add_alert(opened, household_id="H9")
    before = dump(opened)
    with pytest.raises(StoreError, match="已有内容（alert"):
        restore(opened.home, saved, url, at=LATER, who=WHO)
    assert dump(opened) == before


def test_a_damaged_file_is_refused_wherever_the_damage_is(saved: Path, fresh: Path, tmp_path: Path) -> None:
    whole = saved.read_bytes()
    spoilt = tmp_path / "spoilt.zip"
    opened_as = open_store(fresh)
    empty = dump(opened_as)
    opened_as.close()
    steps = range(0, len(whole), max(1, len(whole) // 30))
    refused = 0
    for place in steps:
        for damaged in (whole[:place], whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1 :]):
            spoilt.write_bytes(damaged)
            try:
                restore(fresh, spoilt, at=LATER, who=WHO)
            except StoreError as error:
                assert "备份文件" in str(error)
                refused += 1
            else:  # a byte that no reader looks at (a time stamp of the zip): then all of it must be there
                _begin_again(fresh)
    assert refused > len(steps)
    again = open_store(fresh)
    assert dump(again) == empty
    again.close()


def _begin_again(home: Path) -> None:
    for file in home.glob("cases.sqlite*"):
        file.unlink()


def rewritten(saved: Path, **members: bytes | None) -> Path:
    """The file with some members replaced, or left out (None)."""
    out = saved.with_name("rewritten.zip")
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = members.get(Path(name).stem, old.read(name)) if name != "manifest.mac" else old.read(name)
            if content is not None:
                new.writestr(name, content)
    return out


def test_rows_that_were_altered_or_left_out_are_refused(saved: Path, fresh: Path) -> None:
    with zipfile.ZipFile(saved) as archive:
        rows = archive.read("tables/alert.jsonl")
    for content in (rows.replace("周德福".encode(), "李德福".encode()), rows.splitlines(True)[0], rows + rows, None):
        with pytest.raises(StoreError, match="已损坏"):
            restore(fresh, rewritten(saved, alert=content), at=LATER, who=WHO)
    assert not (fresh / "cases.sqlite").exists()


def test_a_manifest_that_was_altered_is_refused(saved: Path, fresh: Path) -> None:
    with zipfile.ZipFile(saved) as archive:
        told = archive.read("manifest.json")
    with pytest.raises(StoreError, match="改动过"):
        restore(fresh, rewritten(saved, manifest=told.replace(b'"rows": 2', b'"rows": 1')), at=LATER, who=WHO)
    assert not (fresh / "cases.sqlite").exists()


def test_a_backup_of_another_version_is_refused(filled: Store, tmp_path: Path, fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    with monkeypatch.context() as patched:
        patched.setattr("monitoring.store.backup.migrating.revision", lambda _: "0000")
        backup(filled, tmp_path / "old.zip", at=NOON, who=WHO)
    with pytest.raises(StoreError, match="另一个版本"):
        restore(fresh, tmp_path / "old.zip", at=LATER, who=WHO)
    assert not (fresh / "cases.sqlite").exists()


def test_without_the_key_or_with_another_nothing_is_restored(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="先放回"):
        restore(tmp_path / "none", saved, at=LATER, who=WHO)
    assert not (tmp_path / "none").exists()
    open_store(tmp_path / "other").close()
    with pytest.raises(StoreError, match="密钥"):
        restore(tmp_path / "other", saved, at=LATER, who=WHO)


def test_what_is_no_backup_is_refused_in_words(fresh: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("无")
    for file in (tmp_path / "text", tmp_path / "missing"):
        with pytest.raises(StoreError, match="备份"):
            restore(fresh, file, at=LATER, who=WHO)


def test_a_journal_that_was_cut_before_the_backup_is_refused(filled: Store, tmp_path: Path, fresh: Path, url: str | None) -> None:  # fmt: skip
    with filled.write() as con:
        if filled.sqlite:
            con.execute(text("drop trigger journal_no_delete"))
        else:
            con.execute(text("drop trigger journal_append_only on journal"))
        con.execute(text("delete from journal where seq = 2"))
    backup(filled, tmp_path / "cut.zip", at=NOON, who=WHO)
    with pytest.raises(StoreError, match="第 2 条缺失"):
        restore(fresh, tmp_path / "cut.zip", url, at=LATER, who=WHO)
    again = open_store(fresh, url)
    assert sum(map(len, dump(again, "journal_head").values())) == 0
    again.close()


def test_what_was_journalled_after_the_backup_is_told_as_lost(filled: Store, saved: Path, fresh: Path, tmp_path: Path) -> None:  # fmt: skip
    with filled.write() as con:
        journal.append(con, filled.key, Entry("li", "auditor", "", "journal.read"), NOON)
    journal.anchor(filled, NOON)
    shutil.copytree(filled.home / "anchors", fresh / "anchors")
    assert restore(fresh, saved, at=LATER, who=WHO).lost == 1
    again = open_store(fresh)
    assert journal.problems(again) == []
    assert [path.name for path in (fresh / "anchors").iterdir()] == ["journal-20261123T050000Z.txt"]
    again.close()


def test_a_backup_is_its_owners_only_and_replaces_the_last_one_whole(filled: Store, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    assert saved.stat().st_mode & 0o077 == 0
    before = saved.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(StoreError, match="没有完成"):
        patched.setattr(os, "fsync", full)
        backup(filled, saved, at=NOON, who=WHO)
    assert saved.read_bytes() == before and list(saved.parent.glob("*.part")) == []


def test_many_rows_go_in_as_they_would_one_by_one(store: Store) -> None:
    with pytest.raises(Exception, match=r"(?i)unique"):
        add_alert(store, household_id="H1")
        with store.write() as con:
            insert_rows(con, alert, [alert_row(household_id="H2"), alert_row(household_id="H1")])
    assert len(dump(store)["alert"]) == 1
