"""Backup and restore of the case store: one file for both databases, so that a backup of SQLite goes into PostgreSQL as well.

The file is a zip: `tables/<name>.jsonl` (a row a line, in the order of the primary key), `manifest.json` (revision, columns,
row counts, SHA-256 of each member, end of the journal) and `manifest.mac`, made with the home's key. It is read in one
snapshot, while others go on working. It holds personal data in the clear: keep it where the database may lie. The key is not
in it, and without the key it cannot be restored.

Restoring checks the whole file first, then loads it into an empty store in one transaction and proves the journal's chain
before it commits. Sessions do not come back to life, and the restored journal begins anew with who restored what.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Column, Connection, Date, LargeBinary, Numeric, Table, func, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from monitoring.store import journal, migrating
from monitoring.store.bulk import BATCH, insert_rows
from monitoring.store.engine import Store, StoreError, key_path, open_store
from monitoring.store.journal import Entry
from monitoring.store.schema import Moment, journal_head, metadata, session

FORMAT = 1
MANIFEST, MAC = "manifest.json", "manifest.mac"
LARGEST_MANIFEST = 1_000_000
_UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, ValueError, NotImplementedError)


@dataclass(frozen=True)
class Done:
    """`rows` in all tables; `journal` the number of the journal's last row in the file; `lost`: journal rows that the anchors
    outside the database prove to have stood after it (restore only)."""

    path: Path
    rows: int
    journal: int
    lost: int = 0


def backup(store: Store, file: Path, *, at: datetime, who: str) -> Done:
    """Writes the whole store to a file, which appears when it is complete; journalled first. Raises StoreError."""
    with store.write() as con:
        entry = Entry(who, "operator", "cli", "store.backup", detail={"file": file.name})
        journal.append(con, store.key, entry, at)
    part = file.with_name(f"{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as out:
            done = _write(store, out, file, at)
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
        _sync(file.parent)
    except (OSError, SQLAlchemyError) as error:
        raise StoreError(f"备份没有完成：{file}：{error}。请检查磁盘空间和写入权限") from error
    finally:
        part.unlink(missing_ok=True)
    return done


def restore(home: Path, file: Path, url: str | None = None, *, at: datetime, who: str) -> Done:
    """Loads a backup into the home's store, which must be empty. Raises StoreError with nothing changed."""
    key = _key_of(home)
    if not file.is_file():
        raise StoreError(f"没有备份文件 {file}")
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _checked(archive, key, file)
            store = open_store(home, url)
            try:
                return _load(store, archive, manifest, file, at, who)
            finally:
                store.close()
    except _UNREADABLE as error:
        raise StoreError(f"备份文件 {file} 已损坏或不是备份，没有恢复任何内容（{error}）") from error
    except SQLAlchemyError as error:
        raise StoreError(f"恢复没有完成，没有恢复任何内容：{str(error).splitlines()[0]}") from error


# --- writing


def _write(store: Store, out: IO[bytes], file: Path, at: datetime) -> Done:
    tables: dict[str, dict[str, Any]] = {}
    with _snapshot(store) as con, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        revision = migrating.revision(con)
        head = con.execute(select(journal_head)).one()
        for table in metadata.sorted_tables:
            with archive.open(_member(table), "w", force_zip64=True) as member:
                tables[table.name] = _dump(con, table, member)
        manifest = {
            "format": FORMAT, "revision": revision, "at": at.astimezone(UTC).isoformat(), "tables": tables,
            "journal": {"seq": head.seq, "mac": head.mac},
        }  # fmt: skip
        told = json.dumps(manifest, indent=1).encode()
        archive.writestr(MANIFEST, told)
        archive.writestr(MAC, _mac(store.key, told))
    return Done(file, sum(one["rows"] for one in tables.values()), int(head.seq))


@contextmanager
def _snapshot(store: Store) -> Iterator[Connection]:
    """A transaction that sees one moment of the whole database (on SQLite in WAL every reading one does)."""
    options: dict[str, Any] = {"stream_results": True}
    if not store.sqlite:
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with store.engine.connect().execution_options(**options) as con, con.begin():
        yield con


def _dump(con: Connection, table: Table, member: IO[bytes]) -> dict[str, Any]:
    digest, rows = hashlib.sha256(), 0
    plain = [_told(column) for column in table.columns]
    for part in con.execute(select(table).order_by(*table.primary_key.columns)).partitions(BATCH):
        lines = "".join(
            json.dumps([tell(value) for tell, value in zip(plain, row, strict=True)], ensure_ascii=False) + "\n"
            for row in part
        ).encode()
        member.write(lines)
        digest.update(lines)
        rows += len(part)
    return {"columns": [column.name for column in table.columns], "rows": rows, "sha256": digest.hexdigest()}


# --- checking


def _checked(archive: zipfile.ZipFile, key: bytes, file: Path) -> dict[str, Any]:
    """The manifest, after it and every member were found whole. Raises StoreError, or what `restore` takes for damage."""
    if max(archive.getinfo(name).file_size for name in (MANIFEST, MAC)) > LARGEST_MANIFEST:
        raise ValueError(MANIFEST)
    told = archive.read(MANIFEST)
    if not hmac.compare_digest(archive.read(MAC), _mac(key, told)):
        raise StoreError(f"备份文件 {file} 被改动过，或不是用本机现在的密钥备份的；请先放回备份时的密钥文件")
    manifest: dict[str, Any] = json.loads(told)
    newest = migrating.newest()
    if manifest["format"] != FORMAT or manifest["revision"] != newest:
        raise StoreError(
            f"备份文件 {file} 是另一个版本的（{manifest['revision']}，本程序是 {newest}）；请用备份时的程序版本恢复，再升级"
        )
    for table in metadata.sorted_tables:
        stated = manifest["tables"][table.name]
        digest, rows = hashlib.sha256(), 0
        with archive.open(_member(table)) as member:
            for line in member:
                digest.update(line)
                rows += 1
        columns = [column.name for column in table.columns]
        if (digest.hexdigest(), rows, columns) != (stated["sha256"], stated["rows"], stated["columns"]):
            raise ValueError(table.name)
    return manifest


# --- loading


def _load(store: Store, archive: zipfile.ZipFile, manifest: dict[str, Any], file: Path, at: datetime, who: str) -> Done:
    with ExitStack() as committed, store.write() as con:
        _must_be_empty(con)
        for table in metadata.sorted_tables:
            with archive.open(_member(table)) as member:
                _fill(con, table, member)
        wrong = journal.chain_problems(con, store.key, [])
        if wrong:
            raise StoreError(f"备份中的操作日志不完整，没有恢复任何内容：{wrong[0]}")
        if not store.sqlite:
            _set_sequences(con)
        con.execute(update(session).where(session.c.ended_at.is_(None)).values(ended_at=at))
        seq, rows = int(manifest["journal"]["seq"]), sum(one["rows"] for one in manifest["tables"].values())
        anchored = journal.anchors(store.home)
        lost = max(0, max((number for number, _ in anchored), default=0) - seq)
        detail = {"file": file.name, "backup_of": manifest["at"], "rows": rows, "journal": seq, "lost": lost}
        if journal.chain_problems(con, store.key, anchored):
            committed.enter_context(_anchors_aside(store.home, at))
        journal.append(con, store.key, Entry(who, "operator", "cli", "store.restore", detail=detail), at)
    return Done(file, rows, seq, lost)


def _must_be_empty(con: Connection) -> None:
    con.execute(select(journal_head).with_for_update()).one()  # nobody else begins meanwhile
    full = [table.name for table in metadata.sorted_tables if table is not journal_head and _holds(con, table)]
    if full:
        raise StoreError(f"办理库里已有内容（{'、'.join(full[:3])}），不能覆盖；请恢复到一个空的库")


def _fill(con: Connection, table: Table, member: IO[bytes]) -> None:
    names = [column.name for column in table.columns]
    kinds = [_untold(column) for column in table.columns]
    batch: list[dict[str, Any]] = []
    for line in member:
        values = json.loads(line)
        batch.append({name: read(value) for name, read, value in zip(names, kinds, values, strict=True)})
        if len(batch) == BATCH:
            _put(con, table, batch)
            batch = []
    _put(con, table, batch)


def _put(con: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if table is journal_head:
        con.execute(update(table).values(rows[0]))
    else:
        insert_rows(con, table, rows)


def _set_sequences(con: Connection) -> None:
    for table in metadata.sorted_tables:
        if (column := table.autoincrement_column) is not None and _holds(con, table):
            last = select(func.max(column)).scalar_subquery()
            con.execute(select(func.setval(func.pg_get_serial_sequence(f'"{table.name}"', column.name), last)))


def _holds(con: Connection, table: Table) -> bool:
    return con.execute(select(text("1")).select_from(table).limit(1)).first() is not None


@contextmanager
def _anchors_aside(home: Path, at: datetime) -> Iterator[None]:
    """Anchors of a journal that went on after the backup are kept beside, for the auditor; the chain's own begin anew."""
    path = journal.anchor_path(home)
    aside = path.with_name(f"{path.stem}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}{path.suffix}")
    path.rename(aside)
    try:
        yield
    except BaseException:
        aside.rename(path)
        raise


# --- both


def _member(table: Table) -> str:
    return f"tables/{table.name}.jsonl"


def _mac(key: bytes, manifest: bytes) -> bytes:
    return hmac.new(key, b"backup\0" + manifest, hashlib.sha256).hexdigest().encode()


def _key_of(home: Path) -> bytes:
    path = key_path(home)
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"没有密钥文件 {path}；恢复之前请先放回备份时的密钥") from error


def _told(column: Column[Any]) -> Callable[[Any], Any]:
    """What makes a value of a column JSON."""
    if isinstance(column.type, Moment | Date):
        return lambda value: None if value is None else value.isoformat()
    if isinstance(column.type, LargeBinary):
        return lambda value: None if value is None else base64.b64encode(value).decode()
    if isinstance(column.type, Numeric):
        return lambda value: None if value is None else str(value)
    return lambda value: value


def _untold(column: Column[Any]) -> Callable[[Any], Any]:
    """`_told` back."""
    if isinstance(column.type, Moment):
        return lambda value: None if value is None else datetime.fromisoformat(value)
    if isinstance(column.type, Date):
        return lambda value: None if value is None else date.fromisoformat(value)
    if isinstance(column.type, LargeBinary):
        return lambda value: None if value is None else base64.b64decode(value)
    if isinstance(column.type, Numeric):
        return lambda value: None if value is None else Decimal(value)
    return lambda value: value


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
