"""The real server in a child process, and a raw client of Streamlit's socket: for tests of what leaves the machine.

with serving(home) as served:                          # served.address, served.store (the same case store)
    cookie = served.log_in("county_staff")             # a whole session, without the form
    with served.socket(cookie) as page:                # a visit as a browser makes it, without the browser
        page.open("alerts", "level=red"); page.texts(); page.press("…")
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from monitoring.people.passwords import hash_password
from monitoring.people.sessions import FULL
from monitoring.store import Store, open_store
from monitoring.store.schema import account, account_place, session

ROOT = Path(__file__).parents[1]
PASSWORD = "Wr7!qmPZ-tests"
COOKIE = "buluo"


@dataclass
class Answer:
    """What came back over HTTP; header names in lower case, cookies apart."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def cookie(self, name: str) -> str | None:
        """The value that a cookie was set to; None where it was not."""
        for line in self.cookies:
            key, _, rest = line.partition("=")
            if key == name:
                return rest.partition(";")[0].strip('"')
        return None


@dataclass
class Served:
    """A running server. `log` is what it has printed."""

    port: int
    home: Path
    store: Store
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"http://{self.host}"

    def account(self, role: str, places: Sequence[tuple[str, str | None]] = (), name: str = "", **columns: Any) -> str:
        """An account whose password is PASSWORD; its name."""
        name, at = name or f"{role[:6]}{secrets.token_hex(3)}", datetime.now(UTC)
        row = {"name": name, "person": f"员{name[-3:]}", "role": role, "state": "active", "must_change": False,
               "password_hash": _hashed(), "password_changed_at": at, "created_at": at, "created_by": "test"}  # fmt: skip
        with self.store.write() as con:
            key = con.execute(account.insert().values(row | columns).returning(account.c.id)).scalar_one()
            for township, village in places:
                con.execute(account_place.insert().values(account_id=key, township=township, village=village))
        return name

    def log_in(
        self, role: str, places: Sequence[tuple[str, str | None]] = (), name: str = "", stage: str = FULL
    ) -> str:
        """A cookie of a new account of this role (or of the one that is named)."""
        name = name or self.account(role, places)
        token, at = secrets.token_urlsafe(32), datetime.now(UTC)
        with self.store.write() as con:
            key = con.execute(select(account.c.id).where(account.c.name == name)).scalar_one()
            con.execute(session.insert().values(token=hashlib.sha256(token.encode()).digest(), public=secrets.token_hex(16),
                        account_id=key, created_at=at, seen_at=at, address="127.0.0.1", stage=stage))  # fmt: skip
        return token

    def ask(
        self,
        path: str,
        method: str = "GET",
        cookie: str | None = None,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """One request, redirects not followed."""
        told = dict(headers or {})
        if cookie is not None:
            told["Cookie"] = f"{COOKIE}={cookie}" + (f"; {told['Cookie']}" if "Cookie" in told else "")
        if form is not None:
            body = urllib.parse.urlencode(form).encode()
            told.setdefault("Content-Type", "application/x-www-form-urlencoded")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=told)
            came = connection.getresponse()
            raw = came.getheaders()
            cookies = [value for name, value in raw if name.lower() == "set-cookie"]
            return Answer(came.status, {name.lower(): value for name, value in raw}, cookies, came.read())
        finally:
            connection.close()

    def post_log_in(self, name: str, password: str, **headers: str) -> Answer:
        """The form, as a browser fills it in."""
        token = self.ask("/login").cookie(f"{COOKIE}-form") or ""
        told = {"Cookie": f"{COOKIE}-form={token}", "Origin": self.address, **headers}
        return self.ask("/login", "POST", headers=told, form={"token": token, "name": name, "password": password})

    @contextlib.contextmanager
    def socket(
        self, cookie: str | None = None, headers: Mapping[str, str] | None = None, resume: str | None = None
    ) -> Iterator[Visit]:
        """A visit over the socket. `resume`: the Streamlit session that the browser says it had."""
        told = dict(headers or {})
        if cookie is not None:
            told["Cookie"] = f"{COOKIE}={cookie}"
        protocols = [Subprotocol(name) for name in ("streamlit", *(("x", resume) if resume else ()))]
        origin = told.pop("Origin", self.address)
        with connect(
            f"ws://{self.host}/_stcore/stream", additional_headers=told, subprotocols=protocols,
            origin=Origin(origin) if origin else None, max_size=None, open_timeout=30, proxy=None,
        ) as connection:  # fmt: skip
            yield Visit(connection)


@dataclass
class Visit:
    """One browser tab's socket. After each step `messages` holds what the server sent for it."""

    connection: ClientConnection
    messages: list[ForwardMsg] = field(default_factory=list)
    session: str = ""
    page: str = ""
    query: str = ""

    def open(self, page: str = "", query: str = "", timeout: float = 60) -> Visit:
        """A page as its address opens it, run to its end."""
        self.page, self.query = page, query
        return self.step(BackMsg(), timeout)

    def step(self, message: BackMsg, timeout: float = 60) -> Visit:
        """Sends a rerun (with the widget states that it carries) and takes all messages until the script has ended."""
        message.rerun_script.page_name = self.page
        message.rerun_script.query_string = self.query
        self.send(message)
        self.messages = []
        until = time.monotonic() + timeout
        while True:
            found = self.receive(max(until - time.monotonic(), 0.01))
            self.messages.append(found)
            if found.WhichOneof("type") == "new_session":
                self.session = found.new_session.initialize.session_id
            if found.WhichOneof("type") == "script_finished":
                return self

    def press(self, label: str, timeout: float = 60) -> Visit:
        """Clicks the button of this label."""
        return self.set(self.widget(label), timeout, trigger_value=True)

    def set(self, widget: str, timeout: float = 60, **value: Any) -> Visit:
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add(id=widget)
        for name, given in value.items():
            setattr(state, name, given)
        return self.step(message, timeout)

    def widget(self, label: str) -> str:
        """The id of the element with this label."""
        for element in self.elements():
            kind = element.WhichOneof("type")
            made = getattr(element, kind) if kind else None
            if made is not None and getattr(made, "label", None) == label and getattr(made, "id", ""):
                return str(made.id)
        raise AssertionError(f"no widget {label}")

    def elements(self) -> list[Any]:
        deltas = [found.delta for found in self.messages if found.WhichOneof("type") == "delta"]
        return [delta.new_element for delta in deltas if delta.WhichOneof("type") == "new_element"]

    def pages(self) -> list[str]:
        """The addresses of the pages in the menu."""
        found = [message.navigation for message in self.messages if message.WhichOneof("type") == "navigation"]
        return [page.url_pathname for page in found[-1].app_pages] if found else []

    def text(self) -> str:
        """Everything that the server sent to be shown, as text."""
        return "\n".join(str(found.delta) for found in self.messages if found.WhichOneof("type") == "delta")

    def bytes(self) -> bytes:
        return b"\n".join(found.SerializeToString() for found in self.messages)

    def send(self, message: BackMsg) -> None:
        self.connection.send(message.SerializeToString())

    def receive(self, timeout: float = 30) -> ForwardMsg:
        found = ForwardMsg()
        data = self.connection.recv(timeout)
        assert isinstance(data, bytes)
        found.ParseFromString(data)
        return found


@pytest.fixture(scope="session")
def served(published_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The dashboard over the sample county, behind the gate, one a worker; its home is at level 2."""
    with serving(own_home(published_home, tmp_path_factory.mktemp("served-home"))) as running:
        yield running


_HASHES: list[str] = []


def _hashed() -> str:
    """PASSWORD's hash, made once: making one takes a while on purpose."""
    if not _HASHES:
        _HASHES.append(hash_password(PASSWORD))
    return _HASHES[0]


def own_home(published: Path | None, folder: Path, level: int = 2) -> Path:
    """A home of its own (people, journal) over a published run that is shared; at level 2, so that a password is enough."""
    folder.mkdir(parents=True, exist_ok=True)
    if published is not None:
        (folder / "warehouse").symlink_to((published / "warehouse").resolve())
    (folder / "settings.toml").write_text(f"[security]\nlevel = {level}\n", encoding="utf-8")
    return folder


@contextlib.contextmanager
def serving(home: Path, url: str | None = None, command: str = "streamlit") -> Iterator[Served]:
    """The dashboard on a free port of this machine, as the command line serves it (or `uvicorn app:app`)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    line = {
        "streamlit": ["-m", "streamlit", "run", "app.py", "--server.address", "127.0.0.1", "--server.port", str(port)],
        "uvicorn": ["-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", str(port), "--no-access-log"],
    }[command]
    log = home / "server.log"
    surroundings = {**os.environ, "BULUO_HOME": str(home)}
    if url:
        surroundings["BULUO_DATABASE_URL"] = url
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *line], cwd=ROOT, env=surroundings, stdout=out, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    store = open_store(home, url)
    served = Served(port, home, store, log, process)
    try:
        _wait(served)
        yield served
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)
        store.close()


def _wait(served: Served) -> None:
    for _ in range(240):
        if served.process.poll() is not None:
            break
        with contextlib.suppress(OSError, http.client.HTTPException):
            if served.ask("/healthz").status == 200:
                return
        time.sleep(0.25)
    raise AssertionError(f"the server did not start:\n{served.log.read_text('utf-8', 'replace')[-4000:]}")
