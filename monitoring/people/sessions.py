"""Log-in and sessions: an opaque cookie, its digest in the store, and how far the log-in has come (`stage`).

    change   a first or expired password must be replaced
    totp     the second factor is asked for
    enrol    a second factor must be set up
    full     everything is open; only this stage is somebody to the services (`monitoring.people.callers.who`)

Each step ends one session and begins another under a new token, so that none that was known before is worth anything after.
What the pages of the gate need is here too; they hold no condition of their own.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from monitoring.people import throttling
from monitoring.people.callers import alive
from monitoring.people.passwords import REMEMBERED, ROTATION, Owner, complaints, fits, hash_password, outdated
from monitoring.people.roles import ROLES
from monitoring.people.settings import Security
from monitoring.people.totp import opened, sealed, step_of
from monitoring.store import Store, journal
from monitoring.store.journal import Entry
from monitoring.store.schema import account, password_history, session, unmasking

CHANGE, TOTP, ENROL, FULL = "change", "totp", "enrol", "full"
NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,47}")
KEPT = timedelta(days=30)  # ended sessions, before their rows go; the journal keeps what happened


@dataclass(frozen=True)
class LoggedIn:
    """A new session: `token` goes into the cookie and nowhere else, `public` names it in the program."""

    token: str
    public: str
    stage: str


@dataclass(frozen=True)
class Refused:
    """Why a log-in failed, for the journal; the person is told one sentence for all. `known`: the name is an account's."""

    why: str  # wrong, locked
    known: bool = False


@dataclass(frozen=True)
class Session:
    """A live session and whose it is."""

    public: str
    account: int
    name: str
    person: str
    role: str
    stage: str
    address: str


class NotAccepted(Exception):
    """A new password or a code that cannot be used; `words` (Chinese) say why, one sentence each."""

    def __init__(self, *words: str, ended: bool = False) -> None:
        self.words, self.ended = words, ended
        super().__init__("；".join(words))


def typed_name(text: str) -> str:
    """An account's name as it is kept; what can be none is its digest, so that no password typed there is kept anywhere."""
    name = text.strip().lower()
    return name if NAME.fullmatch(name) else f"?{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:16]}"


def log_in(
    store: Store, security: Security, name: str, password: str, address: str, at: datetime, before: str | None = None
) -> LoggedIn | Refused:
    """The first step of a log-in; `before` is the token that the browser still has, which dies.

    Failures of accounts that exist are journalled here; those of unknown or locked names by the gate, which counts them.
    """
    key = typed_name(name)
    with store.write() as con:
        paid = throttling.pay(con, key, at)
        row = con.execute(select(account).where(account.c.name == key)).one_or_none()
    if not paid:
        return Refused("locked", row is not None)
    active = row if row is not None and row.state == "active" else None
    right = fits(active.password_hash if active else None, password)
    anew = hash_password(password) if right and active is not None and outdated(active.password_hash) else None
    with store.write() as con:
        now = con.execute(select(account).where(account.c.name == key)).one_or_none()
        if now is None:
            return Refused("wrong")
        # While the password was looked at, the account may have been disabled or given another one.
        if not right or active is None or now.state != "active" or now.password_hash != active.password_hash:
            _note(con, store, now, "login.failed", address, at, "failed", locked=throttling.locked(con, key, at))
            return Refused("wrong", known=True)
        throttling.clear(con, key)
        if anew is not None:
            con.execute(update(account).where(account.c.id == now.id).values(password_hash=anew))
        if before:
            _end(con, session.c.token == _digest(before), at)
        return _begin(con, store, security, now, address, at, "password")


def log_in_by_provider(
    store: Store, security: Security, claim: str, value: str, address: str, at: datetime, before: str | None = None
) -> LoggedIn | Refused:
    """A log-in that the county's identity provider vouches for: only for an account that exists and is active."""
    column = account.c.oidc_subject if claim == "sub" else account.c.name
    with store.write() as con:
        row = con.execute(select(account).where(column == (value if claim == "sub" else value.lower()))).one_or_none()
        if row is None or row.state != "active":
            if row is not None:
                _note(con, store, row, "login.failed", address, at, "failed", way="oidc")
            return Refused("wrong", row is not None)
        if before:
            _end(con, session.c.token == _digest(before), at)
        return _begin(con, store, security, row, address, at, "oidc")


def _begin(
    con: Connection, store: Store, security: Security, row: Row[Any], address: str, at: datetime, way: str
) -> LoggedIn:
    by_provider = way == "oidc"
    asked = security.second_factor and ROLES[row.role].second_factor
    if by_provider and security.oidc is not None and not security.oidc.second_factor:
        asked = False
    stage = TOTP if asked and row.totp_secret else _after_second_factor(security, row, at, by_provider, asked)
    if stage == FULL:
        _arrived(con, store, row, address, at)
    else:
        _note(con, store, row, "login.begun", address, at, stage=stage, way=way)
    return _new(con, row.id, stage, address, at, at, by_provider)


def _after_second_factor(security: Security, row: Row[Any], at: datetime, by_provider: bool, asked: bool) -> str:
    if not by_provider and password_is_old(security, row, at):
        return CHANGE
    return ENROL if asked and not row.totp_secret else FULL


def password_is_old(security: Security, row: Row[Any], at: datetime) -> bool:
    """Whether the password must be changed: a first one, or one past the days that 等保 gives it."""
    expired = security.policy == "mlps" and (row.password_changed_at is None or at - row.password_changed_at > ROTATION)
    return bool(row.must_change) or expired


def change_password(store: Store, security: Security, public: str, old: str, new: str, at: datetime) -> LoggedIn:
    """Another password for the one who is logged in; all other sessions of the account end. Raises NotAccepted."""
    with store.write() as con:
        found = _row(con, public, at, CHANGE, FULL)
        paid = found is not None and throttling.pay(con, found.name, at)
        before = [] if found is None else _passwords(con, found.id)
    if found is None:
        raise NotAccepted("会话已失效，请重新登录", ended=True)
    if not paid or not fits(found.password_hash, old):
        with store.write() as con:
            _note(con, store, found, "password.change", found.address, at, "failed")
        raise NotAccepted("原密码不正确，或连续输错 5 次已锁定 15 分钟")
    wrong = complaints(security, new, Owner(found.name, found.person, before))
    hashed = None if wrong else hash_password(new)
    with store.write() as con:
        throttling.clear(con, found.name)
    if hashed is None:
        raise NotAccepted(*wrong)
    with store.write() as con:
        set_password(con, found.id, hashed, at, must_change=False)
        _end(con, session.c.account_id == found.id, at)
        asked = security.second_factor and ROLES[found.role].second_factor and not found.totp_secret
        stage = ENROL if asked and found.stage == CHANGE else FULL
        _note(con, store, found, "password.change", found.address, at)
        if stage == FULL and found.stage == CHANGE:
            _arrived(con, store, found, found.address, at)
        return _new(con, found.id, stage, found.address, found.begun_at, at)


def set_password(con: Connection, account_id: int, hashed: str, at: datetime, must_change: bool) -> None:
    con.execute(
        update(account)
        .where(account.c.id == account_id)
        .values(password_hash=hashed, must_change=must_change, password_changed_at=at, version=account.c.version + 1)
    )
    con.execute(insert(password_history).values(account_id=account_id, password_hash=hashed, at=at))


def _passwords(con: Connection, account_id: int) -> list[str]:
    asked = select(password_history.c.password_hash).where(password_history.c.account_id == account_id)
    return list(con.execute(asked.order_by(password_history.c.id.desc()).limit(REMEMBERED)).scalars())


def second_factor(store: Store, security: Security, public: str, code: str, at: datetime) -> LoggedIn:
    """The code of somebody who has a second factor. Raises NotAccepted; after five wrong ones the session is over."""
    with store.write() as con:
        found = _row(con, public, at, TOTP)
        if found is None:
            raise NotAccepted("会话已失效，请重新登录", ended=True)
        key = f"totp:{found.name}"
        paid = throttling.pay(con, key, at)
        step = step_of(opened(store, found.totp_secret), code, at, found.totp_step) if paid else None
        if step is not None:
            throttling.clear(con, key)
            con.execute(update(account).where(account.c.id == found.id).values(totp_step=step))
            _end(con, session.c.public == public, at)
            stage = CHANGE if not found.by_provider and password_is_old(security, found, at) else FULL
            if stage == FULL:
                _arrived(con, store, found, found.address, at)
            return _new(con, found.id, stage, found.address, found.begun_at, at, found.by_provider)
        over = throttling.locked(con, key, at)
        if over:
            _end(con, session.c.public == public, at)
        _note(con, store, found, "login.second_factor", found.address, at, "failed", locked=over)
    raise NotAccepted("验证码不正确、已用过或已过期；连续输错 5 次将锁定 15 分钟", ended=over)


def enrol(store: Store, security: Security, public: str, secret: str, code: str, at: datetime) -> LoggedIn:
    """Sets up the second factor with its first code; other sessions of the account end. Raises NotAccepted."""
    with store.write() as con:
        found = _row(con, public, at, ENROL)
        if found is None:
            raise NotAccepted("会话已失效，请重新登录", ended=True)
        step = step_of(secret, code, at)
        if step is None:
            raise NotAccepted("验证码不正确：请用手机应用扫描下面的二维码后输入它显示的 6 位数字")
        kept = {"totp_secret": sealed(store, secret), "totp_step": step, "version": account.c.version + 1}
        con.execute(update(account).where(account.c.id == found.id).values(kept))
        _end(con, session.c.account_id == found.id, at)
        _note(con, store, found, "second_factor.enrol", found.address, at)
        _arrived(con, store, found, found.address, at)
        return _new(con, found.id, FULL, found.address, found.begun_at, at)


def log_out(store: Store, token: str, at: datetime) -> str | None:
    """Ends the session of a cookie; its public name, or None where there was none."""
    with store.write() as con:
        found = con.execute(
            select(session.c.public, session.c.address, account.c.name, account.c.role)
            .join(account, account.c.id == session.c.account_id)
            .where(session.c.token == _digest(token), session.c.ended_at.is_(None))
        ).one_or_none()
        if found is None:
            return None
        _end(con, session.c.public == found.public, at)
        _note(con, store, found, "logout", found.address, at)
        return str(found.public)


def by_token(store: Store, token: str | None, at: datetime) -> Session | None:
    """The live session behind a cookie, of whatever stage; None where there is none."""
    return _session(store, session.c.token == _digest(token), at) if token else None


def _session(store: Store, which: Any, at: datetime) -> Session | None:
    asked = (
        select(session.c.public, account.c.id, account.c.name, account.c.person, account.c.role, session.c.stage, session.c.address)
        .join(account, account.c.id == session.c.account_id)
        .where(which, *alive(at))
    )  # fmt: skip
    with store.read() as con:
        row = con.execute(asked).one_or_none()
    return None if row is None else Session(*row)


def live(store: Store, publics: Collection[str], at: datetime) -> set[str]:
    """Which of these sessions are whole and still hold."""
    asked = (
        select(session.c.public)
        .join(account, account.c.id == session.c.account_id)
        .where(session.c.public.in_(publics), session.c.stage == FULL, *alive(at))
    )
    with store.read() as con:
        return set(con.execute(asked).scalars())


def end_all(con: Connection, account_id: int, at: datetime) -> None:
    """Ends every session of an account, within the caller's transaction: a change of rights holds at once."""
    _end(con, session.c.account_id == account_id, at)


def clean(store: Store, at: datetime) -> None:
    """Forgets failures of yesterday, and sessions and unmaskings that ended a month ago."""
    with store.write() as con:
        throttling.clean(con, at)
        con.execute(delete(session).where(session.c.seen_at < at - KEPT))
        con.execute(delete(unmasking).where(unmasking.c.until < at - KEPT))


def _row(con: Connection, public: str, at: datetime, *stages: str) -> Row[Any] | None:
    asked = (
        select(
            account, session.c.stage, session.c.by_provider, session.c.address, session.c.created_at.label("begun_at")
        )
        .join(session, session.c.account_id == account.c.id)
        .where(session.c.public == public, session.c.stage.in_(stages), *alive(at))
    )
    return con.execute(asked).one_or_none()


def _new(
    con: Connection,
    account_id: int,
    stage: str,
    address: str,
    begun_at: datetime,
    at: datetime,
    by_provider: bool = False,
) -> LoggedIn:
    """A session under a new token; the eight hours count from the password."""
    token, public = secrets.token_urlsafe(32), secrets.token_hex(16)
    row = {"token": _digest(token), "public": public, "account_id": account_id, "created_at": begun_at, "seen_at": at,
           "address": address[:64], "stage": stage, "by_provider": by_provider}  # fmt: skip
    con.execute(insert(session).values(row))
    return LoggedIn(token, public, stage)


def _arrived(con: Connection, store: Store, row: Row[Any], address: str, at: datetime) -> None:
    con.execute(update(account).where(account.c.id == row.id).values(last_seen_at=at))
    _note(con, store, row, "login", address, at)


def _end(con: Connection, which: Any, at: datetime) -> None:
    con.execute(update(session).where(which, session.c.ended_at.is_(None)).values(ended_at=at))


def _note(
    con: Connection,
    store: Store,
    row: Any,
    event: str,
    address: str,
    at: datetime,
    result: str = "ok",
    **detail: Any,
) -> None:
    entry = Entry(row.name, row.role, address[:64], event, f"account:{row.name}", result, detail)
    journal.append(con, store.key, entry, at)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
