"""Every request and every socket passes here before Streamlit sees it, and nothing passes without a whole session.

Only the log-in page (with its style and icon) and /healthz are for everybody. What cannot be decided is refused. Streamlit's
own endpoints are served from a list of those that pages need; its files that carry a name (downloads) are never served; of
what a browser may send over the socket only reruns and heartbeats pass.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import ipaddress
import logging
import re
from collections.abc import Callable
from enum import Enum
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitoring.gate import forms
from monitoring.gate.house import House
from monitoring.gate.passing import PREFIX, headers
from monitoring.language import Language
from monitoring.people import PAGES, Denied, may, sessions
from monitoring.people.sessions import FULL, Session

SESSION = "buluo.session"  # where the routes find it in the scope
PUBLIC = {"/login", "/login/style.css", "/login/icon.png", "/login/oidc", "/login/oidc/back", "/healthz"}
HALFWAY = {"/password", "/totp", "/logout"}  # what a log-in that is not complete needs
FORM_OF = {sessions.CHANGE: "/password", sessions.TOTP: "/totp", sessions.ENROL: "/totp"}
STREAMLIT = ("/_stcore/health", "/_stcore/host-config", "/_stcore/stream", "/_stcore/bidi-components/")
HIDDEN = ("/_stcore", "/auth", "/oauth2callback", "/app/static")
KEPT_BY_BROWSERS = ("/static/", "/assets/")  # the program's own files, nothing of anybody
WATCH = b'<script src="/watch.js"></script>'
_HOST = re.compile(r"(?P<name>[a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
_LOG = logging.getLogger("buluo")


class Frame(Enum):
    """What a message from a browser is: not for us, passed on, or passed on because a person did something."""

    DROPPED = 0
    PASSED = 1
    PERSON = 2


def cookie_name(tls: bool, form: bool = False) -> str:
    """`__Host-` binds a cookie to https, this host and the whole site."""
    return f"{'__Host-' if tls else ''}buluo{'-form' if form else ''}"


class Guard:
    """The ASGI middleware. `frame` judges a message of the socket; it comes from the one place that knows Streamlit."""

    def __init__(self, app: ASGIApp, house: House, frame: Callable[[bytes], Frame]) -> None:
        self.app, self.house, self.frame = app, house, frame
        self._fixed = _security_headers(house.security.tls)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] in ("http", "websocket"):
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = [(k, v) for k, v in scope["headers"] if not k.lower().startswith(PREFIX)]  # never the client's copy
        extensions = {k: v for k, v in (scope.get("extensions") or {}).items() if k != "http.response.pathsend"}
        scope = {**scope, "headers": own, "extensions": extensions}
        path, found = scope["path"], Headers(raw=own)
        answer = _Answer(send, path, self._fixed, _content_policy(found.get("host", "")), self.house.security.tls)
        wrong = self._misaddressed(scope, found)
        if wrong:
            await self._deny(scope, receive, answer, wrong, PlainTextResponse("misdirected request", 400))
            return
        if scope["type"] == "http" and path in PUBLIC:
            await self.app(scope, receive, answer)
            return
        token = cookie_parser(found.get("cookie", "")).get(cookie_name(self.house.security.tls))
        try:
            session = await self.house.look(sessions.by_token, self.house.store, token, self.house.clock())
        except SQLAlchemyError:
            _LOG.exception("the case store could not be asked for a session")
            await _respond(scope, receive, answer, PlainTextResponse("办理库暂时连不上，请稍后再试", 503))
            return
        if session is None or session.stage != FULL:
            await self._unfinished(scope, receive, answer, session, token is not None)
        elif path.startswith(HIDDEN) and not path.startswith(STREAMLIT):
            await self._deny(scope, receive, answer, "hidden", PlainTextResponse("not found", 404), session.name)
        elif scope["type"] == "http" and not _is_theirs(path, session):
            t = Language(parse_qs(scope.get("query_string", b"").decode("latin-1")).get("lang", ["zh"])[0])
            page = forms.refusal(forms.Asked(t, "/", ""), t(str(Denied())))
            refusal = HTMLResponse(page, 404, headers={"content-security-policy": forms.POLICY})
            await self._deny(scope, receive, answer, "page", refusal, session.name)
        elif scope["type"] == "http":
            if "text/html" in found.get("accept", "") and scope["method"] == "GET":
                scope["headers"] = [(k, v) for k, v in own if k.lower() not in _NOT_FOR_PAGES]
            await self.app({**scope, SESSION: session}, receive, answer)
        else:
            await self._socket(scope, receive, send, session, found)

    def _misaddressed(self, scope: Scope, found: Headers) -> str:
        """Why a request is not meant for us: another host's name, another site's script, or clear text off this machine."""
        host = found.get("host", "").lower()
        named = _HOST.fullmatch(host)
        if scope["path"] != "/healthz" and (named is None or named["name"] not in self.house.security.hosts):
            return "host"
        changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        origin = found.get("origin")
        if changes and origin is not None and origin.lower().partition("://")[2] != host:
            return "origin"
        if not self.house.security.tls and not _on_this_machine(scope.get("server")):
            return "clear text"
        return ""

    async def _unfinished(
        self, scope: Scope, receive: Receive, answer: _Answer, session: Session | None, had_cookie: bool
    ) -> None:
        """Nobody, or somebody halfway: the forms that are still missing, or the way to the log-in."""
        path, page = scope["path"], "text/html" in Headers(raw=scope["headers"]).get("accept", "")
        if session is not None and scope["type"] == "http" and path in HALFWAY:
            await self.app({**scope, SESSION: session}, receive, answer)
        elif session is not None and scope["type"] == "http" and page and scope["method"] == "GET":
            await _respond(scope, receive, answer, RedirectResponse(_with_next(FORM_OF[session.stage], scope), 303))
        else:
            refusal: Response = PlainTextResponse("login required", 401)
            if page and scope["type"] == "http" and scope["method"] == "GET":
                refusal = RedirectResponse(_with_next("/login", scope, had_cookie), 303)
            await self._deny(scope, receive, answer, "session", refusal, session.name if session else "?")

    async def _deny(
        self, scope: Scope, receive: Receive, answer: _Answer, why: str, refusal: Response, who: str = "?"
    ) -> None:
        """Refuses, and has it journalled (the first of a minute at once)."""
        address = (scope.get("client") or ("?", 0))[0]
        self.house.later(self.house.tally.note, address, "gate.denied", why, scope["path"], self.house.clock(), who)
        await _respond(scope, receive, answer, refusal)

    async def _socket(self, scope: Scope, receive: Receive, send: Send, session: Session, found: Headers) -> None:
        """A page's socket: told who is there, and closed when the session is over, wherever that happens."""
        scope["headers"] = [*scope["headers"], *headers(session.public, (scope.get("client") or ("?", 0))[0])]
        # The browser runs the script by itself when it takes up a session that it had: nobody did that.
        by_itself = len(found.get("sec-websocket-protocol", "").split(",")) >= 3
        with self.house.socket(session.public) as gone:

            async def incoming() -> Message:
                nonlocal by_itself
                while True:
                    message = await _first(receive, gone)
                    if message is None:
                        with contextlib.suppress(Exception):
                            await send({"type": "websocket.close", "code": 4401})
                        return {"type": "websocket.disconnect", "code": 4401}
                    if message["type"] != "websocket.receive" or message.get("bytes") is None:
                        return message
                    kind = self.frame(message["bytes"])
                    if kind is Frame.PERSON and not by_itself:
                        self.house.touched(session.public, session.address)
                    by_itself = by_itself and kind is not Frame.PERSON
                    if kind is not Frame.DROPPED:
                        return message

            await self.app(scope, incoming, send)


_POLICY = b"content-security-policy"
_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_NOT_FOR_PAGES = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range")


class _Answer:
    """`send` with the security headers; the page gets the script that watches over the session, a file with a name is refused."""

    def __init__(self, send: Send, path: str, fixed: list[tuple[bytes, bytes]], policy: bytes, tls: bool) -> None:
        self._send, self._path, self._fixed, self._policy, self._tls = send, path, fixed, policy, tls
        self._start: Message | None = None
        self._body = b""
        self._blocked = self._page = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = self._told(message)
            if not self._page:
                await self._send(self._start)
        elif message["type"] == "http.response.body" and self._blocked:
            await self._send({**message, "body": b""})
        elif message["type"] == "http.response.body" and self._page and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._whole_page(self._start)
        else:
            await self._send(message)

    def _told(self, message: Message) -> Message:
        raw = [(k.lower(), v) for k, v in message["headers"] if k.lower() != b"server"]
        given, status = dict(raw), message["status"]
        if self._path.startswith("/media/") and b"content-disposition" in given:
            status, self._blocked = 403, True  # downloads have a road of their own
            raw = [(k, v) for k, v in raw if k not in (b"content-disposition", b"content-length", b"content-type")]
        self._page = status == 200 and given.get(b"content-type", b"").startswith(b"text/html")
        if not self._path.startswith(KEPT_BY_BROWSERS):
            raw = [(k, v) for k, v in raw if k != b"cache-control"] + [(b"cache-control", b"no-store")]
        if _POLICY not in given:
            raw.append((_POLICY, self._policy))
        if self._tls:
            raw = [(k, v + b"; Secure; SameSite=Strict") if _is_xsrf(k, v) else (k, v) for k, v in raw]
        return {**message, "status": status, "headers": raw + self._fixed}

    async def _whole_page(self, start: Message) -> None:
        body, raw = self._body, start["headers"]
        if b'id="root"' in body:  # Streamlit's page, not one of ours
            known = b" ".join([b"script-src 'self'", *(_digest(script) for script in _INLINE.findall(body))])
            raw = [(k, v.replace(b"script-src 'self'", known) if k == _POLICY else v) for k, v in raw]
            body = body.replace(b"<head>", b"<head>" + WATCH, 1)
        raw = [(k, v) for k, v in raw if k not in (b"content-length", b"etag", b"last-modified")]
        await self._send({**start, "headers": [*raw, (b"content-length", str(len(body)).encode())]})
        await self._send({"type": "http.response.body", "body": body})


def _digest(script: bytes) -> bytes:
    """A script within Streamlit's own page, as the policy lets it run: by its digest."""
    return b"'sha256-" + base64.b64encode(hashlib.sha256(script).digest()) + b"'"


def _is_xsrf(name: bytes, value: bytes) -> bool:
    return name == b"set-cookie" and value.startswith(b"_streamlit_xsrf=") and b"secure" not in value.lower()


async def _respond(scope: Scope, receive: Receive, answer: _Answer, response: Response) -> None:
    if scope["type"] == "websocket":
        await answer({"type": "websocket.close", "code": 4401})
    else:
        await response(scope, receive, answer)


async def _first(receive: Receive, gone: asyncio.Event) -> Message | None:
    """The next message, or None where the session is over first."""
    message, over = asyncio.ensure_future(receive()), asyncio.ensure_future(gone.wait())
    await asyncio.wait({message, over}, return_when=asyncio.FIRST_COMPLETED)
    over.cancel()
    if gone.is_set():
        message.cancel()
        return None
    return message.result()


def _is_theirs(path: str, session: Session) -> bool:
    """Whether a page's address is one of the role's; Streamlit would answer with a dialogue of its own otherwise."""
    name = path.strip("/")
    return name not in PAGES or may(session.role, f"page.{name}")


def _with_next(form: str, scope: Scope, over: bool = False) -> str:
    """The form's address with where the person wanted to go; the language that was chosen goes along."""
    query = scope.get("query_string", b"").decode("latin-1")
    wanted = scope["path"] + (f"?{query}" if query else "")
    lang = parse_qs(query).get("lang", ["zh"])[0]
    told = {"next": wanted} if wanted != "/" else {}
    told |= {"lang": "en"} if lang == "en" else {}
    told |= {"why": "over"} if over else {}
    return f"{form}?{urlencode(told, quote_via=quote)}" if told else form


def _on_this_machine(server: Any) -> bool:
    """Whether the connection came in on this machine's own address (or a socket file)."""
    if not server or server[1] is None:
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(server[0]).is_loopback
    return bool(server[0] == "localhost")


def _content_policy(host: str) -> bytes:
    """What pages may load: from here only. Streamlit needs styles within the page and WebAssembly."""
    own = host if _HOST.fullmatch(host.lower()) else ""
    return (
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        f"font-src 'self' data:; connect-src 'self' ws://{own} wss://{own}; worker-src 'self' blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ).encode()


def _security_headers(tls: bool) -> list[tuple[bytes, bytes]]:
    fixed = [
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),  # "no-referrer" makes Chromium send "Origin: null" with forms
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]
    return [*fixed, (b"strict-transport-security", b"max-age=31536000; includeSubDomains")] if tls else fixed
