"""The case store: the same on SQLite and PostgreSQL, migrated, journalled, and never half-written."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import delete, select, text
from sqlalchemy.exc import DBAPIError

from monitoring.store import Store, StoreError, journal, migrating, open_store
from monitoring.store.bulk import insert_frame
from monitoring.store.schema import account, alert, metadata
from monitoring.store.schema import journal as journal_table
from tests.some_alerts import alert_row
from tests.stores import NOON


def write_rows(store: Store, count: int) -> None:
    with store.write() as con:
        for n in range(count):
            journal.append(
                con, store.key, journal.Entry("zhang", "county_staff", "10.0.0.1", "alert.claim", f"alert:{n}"), NOON
            )


def test_the_migrations_make_exactly_the_tables_of_the_schema(store: Store) -> None:
    with store.read() as con:
        assert compare_metadata(MigrationContext.configure(con, opts={"compare_type": True}), metadata) == []


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    first = open_store(tmp_path)
    write_rows(first, 1)
    first.close()
    again = open_store(tmp_path)
    assert again.key == first.key and journal.problems(again) == []


def test_a_frame_is_stored_as_its_rows_one_by_one_would_be(store: Store) -> None:
    rows = [
        alert_row(household_id=f"H{n}", due_date=None if n else NOON.date(), why=[["级别", n, '"\\']]) for n in range(3)
    ]
    fixed = {name: rows[0][name] for name in ("opened_at", "opened_on", "emergency", "status")}
    told = [{name: value for name, value in row.items() if name not in fixed} for row in rows]
    frame = pl.DataFrame([row | {"why": json.dumps(row["why"])} for row in told])
    with store.write() as con:
        insert_frame(con, alert, frame, fixed)
        insert_frame(con, alert, frame.clear(), fixed)
        stored = con.execute(select(alert).order_by(alert.c.id)).mappings().all()
    assert [{name: row[name] for name in one} for row, one in zip(stored, rows, strict=True)] == rows


def test_a_moment_without_time_zone_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="time zone"), store.write() as con:
        con.execute(journal_table.insert().values(seq=1, at=datetime(2026, 1, 1), who="", role="", address="", event="",
                    object="", result="", detail="", before="", mac=""))  # fmt: skip


def test_the_journal_refuses_to_be_changed(store: Store) -> None:
    write_rows(store, 3)
    for statement in ("update journal set who = 'li'", "delete from journal", "delete from journal where seq = 3"):
        with pytest.raises(DBAPIError, match="append-only"), store.write() as con:
            con.execute(text(statement))
    assert journal.problems(store) == []


@pytest.mark.parametrize(
    "tampering",
    [
        "update journal set who = 'li' where seq = 2",
        "update journal set result = 'denied' where seq = 1",
        "update journal set at = '2020-01-01 00:00:00' where seq = 3",
        "delete from journal where seq = 2",
        "delete from journal where seq = 5",
        "update journal set seq = 9 where seq = 5",
        "update journal set detail = '{}', mac = before where seq = 4",
        "insert into journal select 6, at, who, role, address, event, object, result, detail, before, mac from journal where seq = 5",
    ],
)
def test_what_was_done_to_the_journal_behind_its_triggers_is_found(store: Store, tampering: str) -> None:
    write_rows(store, 5)
    assert journal.problems(store) == []
    _behind_the_triggers(store, tampering)
    assert len(journal.problems(store)) == 1


def _behind_the_triggers(store: Store, *statements: str) -> None:
    """As somebody who owns the database could."""
    with store.write() as con:
        for verb in ("update", "delete") if store.sqlite else ():
            con.execute(text(f"drop trigger if exists journal_no_{verb}"))
        if not store.sqlite:
            con.execute(text("drop trigger if exists journal_append_only on journal"))
        for statement in statements:
            con.execute(text(statement))


def test_a_cut_tail_with_a_corrected_head_is_found_by_the_anchor(store: Store) -> None:
    write_rows(store, 5)
    journal.anchor(store, NOON)
    with store.read() as con:
        mac = con.execute(select(journal_table.c.mac).where(journal_table.c.seq == 3)).scalar_one()
    _behind_the_triggers(store, "delete from journal where seq > 3", f"update journal_head set seq = 3, mac = '{mac}'")
    assert "存证" in journal.problems(store)[0]


def test_a_clock_that_was_put_back_does_not_put_the_journal_back(store: Store) -> None:
    write_rows(store, 1)
    with store.write() as con:
        journal.append(con, store.key, journal.Entry("li", "auditor", "", "journal.read"), NOON - timedelta(days=9))
        assert con.execute(select(journal_table.c.at).where(journal_table.c.seq == 2)).scalar_one() == NOON
    assert journal.problems(store) == []


def test_a_reader_sees_one_state_while_others_write(store: Store) -> None:
    with store.read() as con:
        before = con.execute(select(journal_table.c.seq)).all()
        write_rows(store, 2)
        assert con.execute(select(journal_table.c.seq)).all() == before == []


def test_what_fails_is_not_journalled_as_done(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write() as con:
        journal.append(con, store.key, journal.Entry("li", "auditor", "", "journal.read"), NOON)
        raise RuntimeError
    with store.read() as con:
        assert con.execute(select(journal_table)).all() == []
    assert journal.problems(store) == []


def test_an_unknown_kind_of_database_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="postgresql"):
        open_store(tmp_path, "mysql://nobody@localhost/x")


def test_a_database_that_does_not_answer_is_refused_in_words_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="打不开办理库") as refused:
        open_store(tmp_path, "postgresql://buluo:geheim@127.0.0.1:1/cases")
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_file_of_the_store_and_those_beside_it_are_their_owners_only(tmp_path: Path, elsewhere: bool) -> None:
    home = tmp_path / "home"
    file = tmp_path / "other.sqlite" if elsewhere else home / "cases.sqlite"
    for _ in range(2):
        store = open_store(home, f"sqlite:///{file}" if elsewhere else None)
        with store.write() as con:
            journal.append(con, store.key, journal.Entry("li", "auditor", "", "journal.read"), NOON)
        found = {path.name: path.stat().st_mode & 0o777 for path in file.parent.glob(f"{file.name}*")}
        store.close()
        assert found == dict.fromkeys((file.name, f"{file.name}-shm", f"{file.name}-wal"), 0o600)
        assert (home / "cases.sqlite").exists() != elsewhere
        file.chmod(0o644)  # as an older version left it


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    (tmp_path / "secrets" / "store.key").chmod(0o444)
    with pytest.raises(StoreError, match="别人也能读"):
        open_store(tmp_path)


def test_deleting_what_is_referred_to_is_refused(store: Store) -> None:
    with store.write() as con:
        con.execute(
            account.insert().values(
                name="li",
                person="李",
                role="auditor",
                state="active",
                must_change=False,
                created_at=NOON,
                created_by="x",
            )
        )
        con.execute(
            text("insert into password_history (account_id, password_hash, at) values (1, 'x', '2026-01-01 00:00:00')")
        )
    with pytest.raises(DBAPIError), store.write() as con:
        con.execute(delete(account))


def test_the_newest_revision_is_the_one_that_alembic_finds() -> None:
    assert migrating.newest() == ScriptDirectory.from_config(migrating.configuration()).get_current_head()
