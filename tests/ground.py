"""The gate over a stand-in for Streamlit, in this process and with a clock of ours: requests and sockets by hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from sqlalchemy import select, update
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from monitoring.gate import Frame, Gate, Guarded
from monitoring.people import Caller, Denied, accounts, operator, sessions
from monitoring.people.settings import Security
from monitoring.store import Store
from monitoring.store.schema import account
from monitoring.store.schema import journal as journal_table
from tests.serving import COOKIE, Answer
from tests.stores import NOON

Answered = TypeVar("Answered")
ASSETS = Path(__file__).parents[1] / "static"
HAND = operator("root")
GOOD = "Wr7!qmPZ"
SECOND = timedelta(seconds=1)


def in_a_loop(work: Coroutine[Any, Any, Answered]) -> Answered:
    """Runs it in a thread of its own: in the main one the browser of another test may keep a loop running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@dataclass
class Clock:
    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Ground:
    """The gate over an application that answers everything and remembers what reached it."""

    store: Store
    security: Security = field(default_factory=lambda: Security(level=2))
    clock: Clock = field(default_factory=Clock)
    reached: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        guarded = [Guarded("/sheet/{alert:int}", self._sheet)]
        self.gate = Gate(lambda: self.store, self.clock, self.security, ASSETS, _frame, guarded)
        routes = [
            *self.gate.routes,
            WebSocketRoute("/{path:path}", self._socket),
            Route("/{path:path}", self._any, methods=METHODS),
        ]
        self.app = Starlette(routes=routes, middleware=self.gate.middleware)

    def _sheet(self, store: Store, caller: Caller, asked: Any, at: datetime) -> str:
        if asked["alert"] != 7:
            raise Denied
        return f"<p>sheet {asked['alert']} {caller.session[:4]}</p>"

    async def _any(self, request: Request) -> Response:
        self.reached.append({"path": request.url.path, "headers": dict(request.headers)})
        if request.url.path == "/media/list.csv":
            return PlainTextResponse(
                "rows of persons", headers={"content-disposition": "attachment; filename=list.csv"}
            )
        if request.url.path == "/page":
            return HTMLResponse(
                '<html><head><script>window.x = 1</script></head><body><div id="root"></div></body></html>'
            )
        return PlainTextResponse("inside", headers={"cache-control": "public"})

    async def _socket(self, socket: WebSocket) -> None:
        await socket.accept()
        self.reached.append({"path": socket.url.path, "headers": dict(socket.headers)})
        async for message in socket.iter_bytes():
            await socket.send_bytes(b"echo " + message)

    def ask(
        self, path: str, method: str = "GET", cookie: str | None = None, server: Any = ("127.0.0.1", 8501), **more: Any
    ) -> Answer:
        return in_a_loop(self._ask(path, method, cookie, server, **more))

    async def _ask(
        self, path: str, method: str, cookie: str | None, server: Any, headers: dict[str, str] | None = None,
        form: dict[str, str] | None = None, client: str = "10.0.0.7",
    ) -> Answer:  # fmt: skip
        told = {"host": "127.0.0.1:8501", **{k.lower(): v for k, v in (headers or {}).items()}}
        if cookie is not None:
            told["cookie"] = f"{COOKIE}={cookie}; {told.get('cookie', '')}".rstrip("; ")
        body = urlencode(form or {}).encode()
        plain, _, query = path.partition("?")
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": plain,
                 "raw_path": plain.encode(), "query_string": query.encode(), "root_path": "", "server": server,
                 "client": (client, 5), "headers": [(k.encode(), v.encode("latin-1")) for k, v in told.items()]}  # fmt: skip
        sent: list[Any] = []
        asked = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Any:
            for message in asked:
                return message
            return await asyncio.Event().wait()  # nothing more comes; the client stays

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        raw = [(k.decode().lower(), v.decode("latin-1")) for k, v in sent[0]["headers"]]
        found = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], dict(raw), [v for k, v in raw if k == "set-cookie"], found)

    def log_in(self, role: str = "county_staff", name: str = "zhang", **columns: Any) -> str:
        """A new account's cookie."""
        places = (
            [("柳林镇", "河东村" if role == "village_staff" else None)]
            if role in ("township_staff", "village_staff")
            else []
        )
        first = accounts.add(self.store, HAND, name, "张一", role, places, self.clock())
        with self.store.write() as con:
            con.execute(update(account).where(account.c.name == name).values({"must_change": False} | columns))
        found = sessions.log_in(self.store, self.security, name, first, "10.0.0.7", self.clock())
        assert isinstance(found, sessions.LoggedIn)
        return found.token

    def enter(self, name: str, password: str, **headers: str) -> Answer:
        """Through the form."""
        form = self.ask("/login").cookie(f"{COOKIE}-form") or ""
        told = {"Cookie": f"{COOKIE}-form={form}", **headers}
        return self.ask("/login", "POST", headers=told, form={"token": form, "name": name, "password": password})

    def denied(self) -> list[Any]:
        """Rows of denials, when what is written later is written."""
        for threads in (self.gate.house._writing, self.gate.house._entering):
            threads.submit(lambda: None).result()
        time.sleep(0.05)
        with self.store.read() as con:
            asked = select(journal_table).where(journal_table.c.result == "denied").order_by(journal_table.c.seq)
            return list(con.execute(asked).all())


METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PAGE = {"Accept": "text/html"}


def _frame(data: bytes) -> Frame:
    return Frame.DROPPED if data.startswith(b"evil") else Frame.PERSON if data.startswith(b"click") else Frame.PASSED


@dataclass
class Wire:
    """A socket to the gate, by hand: `sent` is what the browser would get."""

    inbox: asyncio.Queue[Any]
    sent: list[Any]
    task: asyncio.Task[None]

    async def until(self, kind: str) -> Any:
        for _ in range(200):
            for message in self.sent:
                if message["type"] == kind:
                    return message
            await asyncio.sleep(0.01)
        raise AssertionError(f"no {kind} in {self.sent}")


async def dial(ground: Ground, cookie: str | None, headers: dict[str, str] | None = None) -> Wire:
    told = {"host": "127.0.0.1:8501", **(headers or {})}
    if cookie is not None:
        told["cookie"] = f"{COOKIE}={cookie}"
    scope = {"type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws", "path": "/_stcore/stream",
             "raw_path": b"/_stcore/stream", "query_string": b"", "root_path": "", "server": ("127.0.0.1", 8501), "client": ("10.0.0.7", 5),
             "subprotocols": [], "headers": [(k.encode(), v.encode()) for k, v in told.items()]}  # fmt: skip
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await inbox.put({"type": "websocket.connect"})
    wire = Wire(inbox, sent, asyncio.create_task(ground.app(scope, inbox.get, send)))
    await asyncio.sleep(0.1)
    return wire


def played(play: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await play()

    in_a_loop(whole())
