"""Opens the case store: which database, how it is spoken to, and that its tables are of this version.

SQLite by default (HOME/cases.sqlite, WAL, every commit on disk), through `pysqlite3`, whose SQLite is free of the WAL-reset
bug of those before 3.51.3; PostgreSQL where BULUO_DATABASE_URL says so. Reading and writing are separate short
transactions: a SQLite read that turns into a write is refused at once, whatever the time-out.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from monitoring.store import migrating

URL = "BULUO_DATABASE_URL"
BUSY_MILLISECONDS = 30_000
CACHE_KIB = 16_384  # of SQLite's pages, a connection, as it touches them; at its default of 2 MB a run's writes are paged out and in again
_SAFE_SQLITE = (3, 51, 3)


class StoreError(Exception):
    """The case store cannot be opened or used; the text says why and what to do."""


class Store:
    """One case store, open. `read()` and `write()` give a connection inside a transaction of that kind."""

    def __init__(self, engine: Engine, home: Path) -> None:
        self.engine, self.home = engine, home
        self.key = _key(home)
        self._thread = threading.local()

    @property
    def sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Several questions, one state of the store: what is written meanwhile is not seen (on SQLite that is always so)."""
        one_state = {} if self.sqlite else {"isolation_level": "REPEATABLE READ"}
        with self.engine.connect().execution_options(**one_state) as con, con.begin():
            yield con

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """All or nothing; on SQLite the write lock is taken first, so that nothing read here can be stale."""
        with self._turn(), self.engine.connect().execution_options(buluo_write=True) as con, con.begin():
            yield con

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite's writers poll for its lock, so that among twenty one may find it taken until it gives up. Here they queue.

        The system gives the turn back when a process is killed. A write within a write would wait for itself.
        """
        if not self.sqlite or not self.engine.url.database:
            yield
            return
        if getattr(self._thread, "writes", False):
            raise RuntimeError("a write within a write of the same thread")
        with Path(self.engine.url.database).with_suffix(".turn").open("a") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            self._thread.writes = True
            try:
                yield
            finally:
                self._thread.writes = False

    def close(self) -> None:
        self.engine.dispose()


def open_store(home: Path, url: str | None = None) -> Store:
    """The home's case store, brought to this version. Raises StoreError."""
    home.mkdir(parents=True, exist_ok=True)
    url = url or os.environ.get(URL) or f"sqlite:///{(home / 'cases.sqlite').resolve()}"
    try:
        engine = _engine(url)
        _own(engine)
        migrating.upgrade(engine)
    except (SQLAlchemyError, OSError) as error:
        where = make_url(url).render_as_string(hide_password=True)
        raise StoreError(
            f"打不开办理库 {where}：{_first_line(error)}。请检查数据库是否在运行、文件夹可否写入、磁盘是否已满"
        ) from error
    return Store(engine, home)


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if pysqlite3.dbapi2.sqlite_version_info < _SAFE_SQLITE:
            raise StoreError(f"SQLite {pysqlite3.dbapi2.sqlite_version} 有可能损坏数据的缺陷，需要 3.51.3 或更新")
        engine = create_engine(parsed, module=pysqlite3.dbapi2, connect_args={"check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.get_backend_name() != "postgresql":
        raise StoreError(f"{URL} 只能是 postgresql:// 或 sqlite:// 的地址，收到的是 {parsed.get_backend_name()}://")
    return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=10, max_overflow=20)


def _own(engine: Engine) -> None:
    """SQLite's file is its owner's only, before anything is in it: those that SQLite lays beside it get the same rights."""
    if engine.dialect.name == "sqlite" and (file := engine.url.database) and file != ":memory:":
        Path(file).touch(mode=0o600)
        Path(file).chmod(0o600)


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin_sqlite`
    for pragma in (f"busy_timeout={BUSY_MILLISECONDS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON",
                   f"cache_size=-{CACHE_KIB}"):  # fmt: skip
        connection.execute(f"pragma {pragma}")


def _begin_sqlite(con: Connection) -> None:
    con.exec_driver_sql("BEGIN IMMEDIATE" if con.get_execution_options().get("buluo_write") else "BEGIN")


def key_path(home: Path) -> Path:
    """Where the home's secret lies; it is kept apart from the database and its backups."""
    return Path(os.environ.get("BULUO_SECRETS") or home / "secrets") / "store.key"


def _key(home: Path) -> bytes:
    """The home's secret, made once: signs the journal and encrypts phones. It is not in the database, nor in its backups."""
    path = key_path(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as out:
            out.write(secrets.token_bytes(32))
            out.flush()
            os.fsync(out.fileno())
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            raise StoreError(f"密钥文件 {path} 别人也能读；请 chmod 400 后再试") from None
    key = path.read_bytes()
    if len(key) != 32:
        raise StoreError(f"密钥文件 {path} 不完整；请从备份处恢复它")
    return key


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
