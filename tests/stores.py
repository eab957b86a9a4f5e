"""Case stores for tests: SQLite in a folder, and a real PostgreSQL server started from Debian's package for the session.

`store` gives each test both, one after the other, empty and migrated. BULUO_TEST_POSTGRES names a server that runs already.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from monitoring.store import Store, open_store

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # Monday noon in China
_BIN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server without databases of ours: postgresql://…/ (append a name). One a worker."""
    ready = os.environ.get("BULUO_TEST_POSTGRES")
    if ready:
        yield ready
        return
    if not _BIN:
        pytest.fail("PostgreSQL's server is not installed: `make test` installs Debian's package postgresql")
    folder = Path(f"/tmp/buluo-pg-{uuid.uuid4().hex[:8]}")  # noqa: S108 -- a socket's path must be short
    folder.mkdir()
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if as_user:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data, port = folder / "data", _free_port()
    subprocess.run([*as_user, _BIN[-1] / "initdb", "-D", data, "-U", "buluo", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale", "C.UTF-8"],
                   check=True, capture_output=True, cwd="/")  # fmt: skip
    server = subprocess.Popen(
        [*as_user, _BIN[-1] / "postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True,
    )  # fmt: skip
    address = f"postgresql://buluo@127.0.0.1:{port}/"
    try:
        _wait_for(address)
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGQUIT)  # at once: nothing in it is kept
        server.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def new_database(address: str, template: str = "template1") -> str:
    """A fresh database on the server, empty or a copy of another that nobody is connected to; its address."""
    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(address + "postgres", autocommit=True) as con:
        con.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return address + name


@pytest.fixture(scope="session")
def empty_database(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with this version's tables and nothing in them: copying it is quicker than migrating anew."""
    address = new_database(postgres)
    open_store(tmp_path_factory.mktemp("template"), address).close()
    return address.rpartition("/")[2]


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    home = tmp_path_factory.mktemp("template")
    open_store(home).close()
    return home / "cases.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty case store of each kind."""
    if request.param == "postgresql":
        template = request.getfixturevalue("empty_database")
        opened = open_store(tmp_path / "home", new_database(request.getfixturevalue("postgres"), template))
    else:
        opened = _opened(tmp_path / "home", request.getfixturevalue("empty_sqlite"))
    yield opened
    opened.close()


def _opened(home: Path, template: Path) -> Store:
    home.mkdir(parents=True)
    shutil.copyfile(template, home / "cases.sqlite")
    return open_store(home)


@pytest.fixture
def sqlite_store(tmp_path: Path, empty_sqlite: Path) -> Iterator[Store]:
    """An empty case store on SQLite, for what does not depend on the database."""
    opened = _opened(tmp_path / "home", empty_sqlite)
    yield opened
    opened.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str) -> None:
    for _ in range(200):
        try:
            psycopg.connect(address + "postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("PostgreSQL did not start in 20 seconds")
