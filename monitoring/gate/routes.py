"""The gate's own addresses. Those of `PUBLIC` are for everybody; the others are reached with a session only (`Guard`).

/login             the form, and its answer; /login/style.css and /login/icon.png with it
/login/oidc …/back the county's identity provider, where there is one
/password /totp    what a log-in still needs; the password also later
/logout            ends the session and closes its sockets, at once
/session           200 while the session is whole: asked by /watch.js, which blanks a page left open after that
/export/{id}       one file, once, for the one who asked for it
/healthz           that the server answers, nothing else
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qs

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from monitoring.gate import forms
from monitoring.gate.forms import Asked
from monitoring.gate.house import House
from monitoring.gate.middleware import FORM_OF, SESSION, cookie_name
from monitoring.gate.passing import form_token
from monitoring.language import Language
from monitoring.people import Caller, Denied, SessionOver, downloads, oidc, sessions, totp
from monitoring.people.sessions import CHANGE, ENROL, FULL, TOTP, LoggedIn, NotAccepted, Refused, Session
from monitoring.store import Store
from monitoring.store.sealing import SealBroken, seal, unseal

LONGEST_FORM = 8192
MOST_FILES = 41
OIDC_COOKIE_SECONDS = oidc.BEGUN_SECONDS
WRONG = "账号或密码不正确，或账号已锁定、未启用。连续 5 次失败将锁定 15 分钟。"
OVER = "会话已失效，请重新登录。"
TOO_MANY = "登录次数太多，请一分钟后再试。"
_LOG = logging.getLogger("buluo")


@dataclass(frozen=True)
class Guarded:
    """A page of another part of the program behind the gate: `answer(store, caller, path's parameters, at)` is its HTML.

    It raises Denied or SessionOver like every service. It may carry styles and no script.
    """

    path: str
    answer: Callable[[Store, Caller, Mapping[str, Any], datetime], str]


@dataclass(frozen=True)
class Posted:
    """Files that a form of ours sends: `take(store, caller, path's parameters, (name, content) of each, at)` keeps them and gives
    the address to go on to. It raises Denied or SessionOver, and ValueError in words where they are not taken."""

    path: str
    take: Callable[[Store, Caller, Mapping[str, Any], list[tuple[str, BinaryIO]], datetime], str]
    largest: int


class Routes:
    """The handlers, over what the gate's parts share."""

    def __init__(self, house: House, assets: Path, guarded: Sequence[Guarded | Posted] = ()) -> None:
        self.house, self.assets = house, assets
        tls = house.security.tls
        self._cookie, self._form_cookie = cookie_name(tls), cookie_name(tls, form=True)
        self._oidc_cookie = f"{self._cookie}-oidc"
        self.routes = [
            Route("/login", self.login, methods=["GET", "POST"]),
            Route("/login/style.css", self._asset("login.css", "text/css")),
            Route("/login/icon.png", self._asset("icon.png", "image/png")),
            Route("/login/oidc", self.oidc_begin, methods=["GET"]),
            Route("/login/oidc/back", self.oidc_back, methods=["GET"]),
            Route("/password", self.password, methods=["GET", "POST"]),
            Route("/totp", self.totp, methods=["GET", "POST"]),
            Route("/logout", self.logout, methods=["GET", "POST"]),
            Route("/session", self.session, methods=["GET"]),
            Route("/watch.js", self._asset("watch.js", "text/javascript")),
            Route("/healthz", self.healthz, methods=["GET"]),
            Route("/export/{id}", self.export, methods=["GET"]),
            *(Route(one.path, self._guarded(one), methods=["GET"]) for one in guarded if isinstance(one, Guarded)),
            *(Route(one.path, self._posted(one), methods=["POST"]) for one in guarded if isinstance(one, Posted)),
        ]

    async def healthz(self, _: Request) -> Response:
        return PlainTextResponse("ok")

    async def session(self, _: Request) -> Response:
        return PlainTextResponse("ok")  # the gate answers 401 itself

    def _asset(self, name: str, kind: str) -> Callable[[Request], Any]:
        async def answer(_: Request) -> Response:
            return FileResponse(self.assets / name, media_type=kind)

        return answer

    # --- log-in

    async def login(self, request: Request) -> Response:
        asked = self._asked(request, request.cookies.get(self._form_cookie) or secrets.token_urlsafe(24))
        if request.method != "POST":
            words = asked.t(OVER) if request.query_params.get("why") == "over" else ""
            return self._log_in_form(asked, words, 200)
        form = await _form(request)
        have = request.cookies.get(self._form_cookie, "")
        if form is None or not have or not hmac.compare_digest(form.get("token", "").encode(), have.encode()):
            return PlainTextResponse("forbidden", 403)
        address = _address(request)
        if not self.house.log_ins.passes(address, self.house.clock()):
            self.house.later(self.house.tally.note, address, "login.denied", "too many", "/login", self.house.clock())
            return self._log_in_form(asked, asked.t(TOO_MANY), 429)
        name = form.get("name", "")
        found = await self.house.enter(
            sessions.log_in, self.house.store, self.house.security, name, form.get("password", ""), address,
            self.house.clock(), request.cookies.get(self._cookie),
        )  # fmt: skip
        if isinstance(found, Refused):
            return self._refused(asked, found, name, address)
        return self._entered(asked, found)

    def _refused(self, asked: Asked, found: Refused, name: str, address: str) -> Response:
        """One sentence whatever the reason. What the service did not journal is counted: a guesser's names and locked ones."""
        if found.why == "locked" or not found.known:
            who = sessions.typed_name(name) if found.known else "?"
            why = "locked" if found.why == "locked" else "unknown"
            self.house.later(self.house.tally.note, address, "login.denied", why, "/login", self.house.clock(), who)
        return self._log_in_form(asked, asked.t(WRONG), 401, name)

    def _log_in_form(self, asked: Asked, words: str, status: int, name: str = "") -> Response:
        response = _page(forms.log_in(asked, self.house.security, words, name[:64]), status)
        response.set_cookie(
            self._form_cookie, asked.token, httponly=True, secure=self.house.security.tls, samesite="strict", path="/"
        )
        return response

    def _entered(self, asked: Asked, found: LoggedIn) -> Response:
        """The new cookie, and on to what is still missing or to where the person wanted to go."""
        where = asked.next if found.stage == FULL else asked.address(FORM_OF[found.stage])
        response = RedirectResponse(where, 303)
        response.set_cookie(
            self._cookie, found.token, httponly=True, secure=self.house.security.tls, samesite="lax", path="/"
        )
        for name in (self._form_cookie, self._oidc_cookie):
            response.delete_cookie(name, path="/", secure=self.house.security.tls, httponly=True)
        return response

    # --- the county's identity provider

    async def oidc_begin(self, request: Request) -> Response:
        provider = self.house.security.oidc
        if provider is None:
            return PlainTextResponse("not found", 404)
        asked = self._asked(request, "")
        try:
            begun = await self.house.enter(
                oidc.begin, provider, self.house.store.key, self._callback(request), asked.next, self.house.clock()
            )
        except oidc.ProviderFailed as failure:
            return self._provider_failed(request, failure)
        response = RedirectResponse(begun.address, 303)
        response.set_cookie(
            self._oidc_cookie, begun.cookie, max_age=OIDC_COOKIE_SECONDS, httponly=True,
            secure=self.house.security.tls, samesite="lax", path="/",
        )  # fmt: skip
        return response

    async def oidc_back(self, request: Request) -> Response:
        provider, address = self.house.security.oidc, _address(request)
        if provider is None:
            return PlainTextResponse("not found", 404)
        told, at = request.query_params, self.house.clock()
        cookie = request.cookies.get(self._oidc_cookie, "")
        try:
            vouched = await self.house.enter(
                oidc.finish, provider, self.house.store.key, self._callback(request), cookie, told.get("state", ""),
                told.get("code", ""), at,
            )  # fmt: skip
        except oidc.ProviderFailed as failure:
            self.house.later(self.house.tally.note, address, "login.denied", "oidc", "/login/oidc/back", at)
            return self._provider_failed(request, failure)
        found = await self.house.enter(
            sessions.log_in_by_provider, self.house.store, self.house.security, vouched.claim, vouched.value, address, at,
            request.cookies.get(self._cookie),
        )  # fmt: skip
        asked = Asked(Language(request.query_params.get("lang", "zh")), _safe(vouched.next), secrets.token_urlsafe(24))
        if isinstance(found, Refused):
            if not found.known:
                self.house.later(self.house.tally.note, address, "login.denied", "oidc unknown", "/login/oidc/back", at)
            words = asked.t("统一认证通过了，但这里没有您的账号，或账号没有启用；请联系系统管理员。")
            return self._log_in_form(asked, words, 403)
        return self._entered(asked, found)

    def _callback(self, request: Request) -> str:
        scheme = "https" if self.house.security.tls else "http"
        return f"{scheme}://{request.headers['host']}/login/oidc/back"

    def _provider_failed(self, request: Request, failure: oidc.ProviderFailed) -> Response:
        _LOG.warning("log-in by the identity provider failed: %s", failure)
        asked = self._asked(request, secrets.token_urlsafe(24))
        return self._log_in_form(asked, asked.t("统一认证没有成功，请再试一次；还不行，请用账号密码登录。"), 502)

    # --- what a log-in still needs

    async def password(self, request: Request) -> Response:
        session = _session(request)
        if session.stage not in (CHANGE, FULL):
            return RedirectResponse(FORM_OF[session.stage], 303)
        asked, forced = self._asked_of(request, session), session.stage == CHANGE
        if request.method != "POST":
            return _page(forms.password(asked, self.house.security, forced))
        form = await self._own_form(request, session)
        if form is None:
            return PlainTextResponse("forbidden", 403)
        if form.get("new", "") != form.get("again", ""):
            return _page(forms.password(asked, self.house.security, forced, [asked.t("两次输入的新密码不一样")]), 400)
        try:
            found = await self.house.enter(
                sessions.change_password, self.house.store, self.house.security, session.public, form.get("old", ""),
                form.get("new", ""), self.house.clock(),
            )  # fmt: skip
        except NotAccepted as refusal:
            words = [asked.t(text) for text in refusal.words]
            return _page(forms.password(asked, self.house.security, forced, words), 400)
        self.house.close(session.public)
        return self._entered(asked, found)

    async def totp(self, request: Request) -> Response:
        session = _session(request)
        if session.stage not in (TOTP, ENROL):
            return RedirectResponse(FORM_OF.get(session.stage, "/"), 303)
        asked = self._asked_of(request, session)
        if request.method != "POST":
            return self._code_form(asked, session, totp.new_secret())
        form = await self._own_form(request, session)
        if form is None:
            return PlainTextResponse("forbidden", 403)
        secret, code, at = "", form.get("code", ""), self.house.clock()
        try:
            if session.stage == TOTP:
                found = await self.house.enter(
                    sessions.second_factor, self.house.store, self.house.security, session.public, code, at
                )
            else:
                secret = unseal(self.house.store.key, f"enrol {session.public}", form.get("secret", ""))
                found = await self.house.enter(
                    sessions.enrol, self.house.store, self.house.security, session.public, secret, code, at
                )
        except SealBroken:
            return PlainTextResponse("forbidden", 403)
        except NotAccepted as refusal:
            if refusal.ended:
                return RedirectResponse(asked.address("/login", why="over"), 303)
            return self._code_form(asked, session, secret, [asked.t(text) for text in refusal.words], 400)
        return self._entered(asked, found)

    def _code_form(
        self, asked: Asked, session: Session, secret: str, wrong: Sequence[str] = (), status: int = 200
    ) -> Response:
        """For somebody who sets it up, the secret goes to and fro sealed for this session: it is kept when a code proves it."""
        if session.stage == TOTP:
            return _page(forms.second_factor(asked, wrong), status)
        sealed = seal(self.house.store.key, f"enrol {session.public}", secret)
        return _page(forms.enrol(asked, session.name, secret, sealed, wrong), status)

    async def logout(self, request: Request) -> Response:
        session = _session(request)
        asked = self._asked_of(request, session)
        if request.method != "POST":
            return _page(forms.log_out(asked))
        if await self._own_form(request, session) is None:
            return PlainTextResponse("forbidden", 403)
        token = request.cookies.get(self._cookie, "")
        self.house.close(await self.house.enter(sessions.log_out, self.house.store, token, self.house.clock()))
        response = RedirectResponse(Asked(asked.t, "/", "").address("/login"), 303)
        response.delete_cookie(self._cookie, path="/", secure=self.house.security.tls, httponly=True)
        response.headers["clear-site-data"] = '"cache", "storage"'
        return response

    # --- what leaves by a road of its own

    async def export(self, request: Request) -> Response:
        if request.method != "GET":  # a HEAD must not use up the one download
            return PlainTextResponse("method not allowed", 405)

        def take(caller: Caller) -> Response:
            found = downloads.take(self.house.store, caller, request.path_params["id"], self.house.clock())
            sent = BackgroundTask(found.path.unlink, missing_ok=True)
            return FileResponse(found.path, filename=found.name, background=sent)

        return await self._served(request, take)

    def _guarded(self, one: Guarded) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            def make(caller: Caller) -> Response:
                made = one.answer(self.house.store, caller, request.path_params, self.house.clock())
                policy = forms.POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
                return HTMLResponse(made, headers={"content-security-policy": policy})

            return await self._served(request, make)

        return answer

    def _posted(self, one: Posted) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            session = _session(request)
            asked = self._asked_of(request, session)
            told = request.headers.get("content-length", "")
            if not told.isdecimal() or int(told) > one.largest:
                words = asked.t(
                    "文件太大：一次最多 {n} MB。请分几次传，或请管理员直接放进收件文件夹。", n=one.largest // 1_000_000
                )
                return _page(forms.refusal(asked, words), 413)
            async with request.form(max_files=MOST_FILES, max_fields=5) as form:
                token = form.get("token")
                fits = form_token(self.house.store, session.public)
                if not isinstance(token, str) or not hmac.compare_digest(token.encode(), fits.encode()):
                    return PlainTextResponse("forbidden", 403)
                sent = [
                    (file.filename or "", file.file)
                    for file in form.getlist("files")
                    if not isinstance(file, str) and file.filename
                ]

                def keep(caller: Caller) -> Response:
                    try:
                        on = one.take(self.house.store, caller, request.path_params, sent, self.house.clock())
                    except ValueError as refusal:
                        return _page(forms.refusal(asked, f"{asked.t('没有收下')}：{refusal}"), 400)
                    return RedirectResponse(on, 303)

                return await self._served(request, keep)

        return answer

    async def _served(self, request: Request, make: Callable[[Caller], Response]) -> Response:
        session = _session(request)
        asked = self._asked_of(request, session)
        try:
            return await self.house.write(make, Caller(session=session.public, address=_address(request)))
        except SessionOver:
            return RedirectResponse(asked.address("/login", why="over"), 303)
        except Denied as refusal:
            return _page(forms.refusal(asked, asked.t(str(refusal))), 404)

    # --- what forms know

    def _asked(self, request: Request, token: str) -> Asked:
        return Asked(
            Language(request.query_params.get("lang", "zh")), _safe(request.query_params.get("next", "/")), token
        )

    def _asked_of(self, request: Request, session: Session) -> Asked:
        return self._asked(request, form_token(self.house.store, session.public))

    async def _own_form(self, request: Request, session: Session) -> dict[str, str] | None:
        form = await _form(request)
        token = form_token(self.house.store, session.public)
        fits = form is not None and hmac.compare_digest(form.get("token", "").encode(), token.encode())
        return form if fits else None


def _session(request: Request) -> Session:
    found = request.scope[SESSION]
    assert isinstance(found, Session)  # noqa: S101 -- the gate lets nobody through without
    return found


def _address(request: Request) -> str:
    return request.client.host if request.client else "?"


def _page(body: str, status: int = 200) -> Response:
    return HTMLResponse(body, status, headers={"content-security-policy": forms.POLICY})


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of a form; None where it is too long to be one of ours."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_FORM:
            return None
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    return {name: values[0] for name, values in fields.items()}


def _safe(next: str) -> str:
    """Where to go after the log-in: on this site only."""
    plain = next.isprintable() and "\\" not in next
    return next if plain and next.startswith("/") and not next.startswith(("//", "/login", "/logout")) else "/"
