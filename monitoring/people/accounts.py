"""Accounts: who may log in, in which role and for which places. Kept by the administrator, approved by the security officer.

Where the home separates the three administrators (level 3), an account that the administrator makes, enables again, strips
of its second factor or gives a password behind which no second factor stands waits (`pending`) until the security officer
approves; a change of role or places waits beside the account, which stays as it was. The operator at the command line is
both. Accounts are disabled, never deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from monitoring.people.callers import Acting, Caller, acting, reading
from monitoring.people.passwords import hash_password, one_time
from monitoring.people.roles import ROLES
from monitoring.people.sessions import NAME, end_all, set_password
from monitoring.people.settings import load_security
from monitoring.people.throttling import clear
from monitoring.refusal import Refusal
from monitoring.store import Store
from monitoring.store.schema import account, account_change, account_place, throttle

UNUSED = timedelta(days=90)
Places = Sequence[tuple[str, str | None]]


class AccountError(Refusal):
    """What was asked of an account cannot be."""


@dataclass(frozen=True)
class Asked:
    """A change of role or places that waits for approval."""

    role: str
    places: tuple[tuple[str, str | None], ...]
    by: str
    at: datetime


@dataclass(frozen=True)
class AccountRow:
    """One account as the administrators see it. `unused`: nobody came for 90 days."""

    name: str
    person: str
    role: str
    state: str
    places: tuple[tuple[str, str | None], ...]
    must_change: bool
    second_factor: bool
    by_provider: bool
    locked: bool
    created_at: datetime
    created_by: str
    last_seen_at: datetime | None
    unused: bool
    asked: Asked | None


def accounts(store: Store, caller: Caller, at: datetime) -> list[AccountRow]:
    """Every account, by name. Raises Denied or SessionOver, as all here do."""
    with reading(store, caller, "account.list", at) as act:
        places: dict[int, list[tuple[str, str | None]]] = {}
        for row in act.con.execute(select(account_place).order_by(account_place.c.township, account_place.c.village)):
            places.setdefault(row.account_id, []).append((row.township, row.village))
        changes = {row.account_id: row for row in act.con.execute(select(account_change))}
        locked = set(act.con.execute(select(throttle.c.key).where(throttle.c.locked_until > at)).scalars())
        rows = act.con.execute(select(account).order_by(account.c.name)).all()
    return [_shown(row, places.get(row.id, []), changes.get(row.id), locked, at) for row in rows]


def _shown(row: Row[Any], places: Places, change: Row[Any] | None, locked: set[str], at: datetime) -> AccountRow:
    asked = None
    if change is not None:
        asked = Asked(change.role, tuple((t, v) for t, v in change.places), change.asked_by, change.asked_at)
    return AccountRow(
        row.name, row.person, row.role, row.state, tuple(places), row.must_change, row.totp_secret is not None,
        row.oidc_subject is not None, row.name in locked, row.created_at, row.created_by, row.last_seen_at,
        row.state == "active" and (row.last_seen_at or row.created_at) < at - UNUSED, asked,
    )  # fmt: skip


def add(
    store: Store,
    caller: Caller,
    name: str,
    person: str,
    role: str,
    places: Places,
    at: datetime,
    oidc: str | None = None,
) -> str:
    """A new account; gives its one-time password, which is told once and must be changed at the first log-in.

    `oidc`: the identity provider's name for the person (`sub`). Raises AccountError.
    """
    name, person = name.strip().lower(), person.strip()
    password = one_time()
    hashed = hash_password(password)
    with acting(store, caller, "account.keep", at) as act:
        if not NAME.fullmatch(name):
            raise AccountError("账号须为 2 至 48 位小写字母、数字或 . _ - @，以字母或数字开头")
        if not 2 <= len(person) <= 64:
            raise AccountError("须填写使用人姓名：一个账号只给一个人用")
        _check_places(role, places)
        if act.con.execute(select(account.c.id).where(account.c.name == name)).first():
            raise AccountError("账号 {name} 已经有了", name=name)
        if oidc and act.con.execute(select(account.c.id).where(account.c.oidc_subject == oidc)).first():
            raise AccountError("这个统一认证身份已经对应另一个账号")
        waits = _waits(act)
        row = {"name": name, "person": person, "role": role, "state": "pending" if waits else "active", "must_change": True,
               "oidc_subject": oidc or None, "created_at": at, "created_by": act.person.name,
               "approved_at": None if waits else at, "approved_by": None if waits else act.person.name}  # fmt: skip
        account_id = act.con.execute(insert(account).values(row).returning(account.c.id)).scalar_one()
        _set_places(act.con, account_id, places)
        set_password(act.con, account_id, hashed, at, must_change=True)
        act.journal("account.add", f"account:{name}", role=role, places=list(places), state=row["state"])
    return password


def set_role(store: Store, caller: Caller, name: str, role: str, places: Places, at: datetime) -> bool:
    """Another role with its places; whether it holds already (else it waits for approval). Raises AccountError."""
    with acting(store, caller, "account.keep", at) as act:
        row = _account(act, name)
        _check_places(role, places)
        act.con.execute(delete(account_change).where(account_change.c.account_id == row.id))
        if not _waits(act):
            _apply(act, row.id, role, places, at)
            act.journal("account.change", f"account:{row.name}", role=role, places=list(places))
            return True
        asked = {"account_id": row.id, "role": role, "places": [list(place) for place in places],
                 "asked_by": act.person.name, "asked_at": at}  # fmt: skip
        act.con.execute(insert(account_change).values(asked))
        act.journal("account.ask_change", f"account:{row.name}", role=role, places=list(places))
        return False


def approve(store: Store, caller: Caller, name: str, at: datetime) -> None:
    """The security officer lets a new account in, or a change of role and places hold. Raises AccountError."""
    with acting(store, caller, "account.approve", at) as act:
        row = _account(act, name)
        _not_oneself(act, row, "不能审批自己的账号；请由另一名安全管理员或命令行操作员审批")
        change = act.con.execute(select(account_change).where(account_change.c.account_id == row.id)).one_or_none()
        if change is None and row.state != "pending":
            raise AccountError("账号 {name} 没有等待审批的事项", name=row.name)
        if change is not None:
            _apply(act, row.id, change.role, [(t, v) for t, v in change.places], at)
            act.con.execute(delete(account_change).where(account_change.c.account_id == row.id))
        state = "active" if row.state == "pending" else row.state
        done = {"state": state, "approved_at": at, "approved_by": act.person.name, "version": account.c.version + 1}
        act.con.execute(update(account).where(account.c.id == row.id).values(done))
        now = act.con.execute(select(account.c.role).where(account.c.id == row.id)).scalar_one()
        act.journal("account.approve", f"account:{row.name}", role=now, change=change is not None)


def reject(store: Store, caller: Caller, name: str, at: datetime) -> None:
    """The security officer turns down what waits: a change is dropped, a new account disabled. Raises AccountError."""
    with acting(store, caller, "account.approve", at) as act:
        row = _account(act, name)
        _not_oneself(act, row, "不能审批自己的账号；请由另一名安全管理员或命令行操作员审批")
        dropped = act.con.execute(delete(account_change).where(account_change.c.account_id == row.id)).rowcount
        if not dropped and row.state != "pending":
            raise AccountError("账号 {name} 没有等待审批的事项", name=row.name)
        if row.state == "pending":
            act.con.execute(update(account).where(account.c.id == row.id).values(state="disabled"))
        act.journal("account.reject", f"account:{row.name}")


def disable(store: Store, caller: Caller, name: str, at: datetime) -> None:
    """Nobody can log in under it any more; its sessions end at once. Raises AccountError."""
    with acting(store, caller, "account.keep", at) as act:
        row = _account(act, name)
        _not_oneself(act, row, "不能停用自己正在使用的账号")
        act.con.execute(
            update(account).where(account.c.id == row.id).values(state="disabled", version=account.c.version + 1)
        )
        act.con.execute(delete(account_change).where(account_change.c.account_id == row.id))
        end_all(act.con, row.id, at)
        act.journal("account.disable", f"account:{row.name}")


def enable(store: Store, caller: Caller, name: str, at: datetime) -> bool:
    """Lets a disabled account in again; whether it is (else it waits for approval). Raises AccountError."""
    with acting(store, caller, "account.keep", at) as act:
        row = _account(act, name)
        if row.state != "disabled":
            raise AccountError("账号 {name} 没有停用", name=row.name)
        waits = _waits(act)
        state = "pending" if waits else "active"
        act.con.execute(
            update(account).where(account.c.id == row.id).values(state=state, version=account.c.version + 1)
        )
        act.journal("account.enable", f"account:{row.name}", state=state)
        return not waits


def reset_password(
    store: Store, caller: Caller, name: str, at: datetime, second_factor: bool = False
) -> tuple[str, bool]:
    """A new one-time password, and whether it holds already (else it waits for approval); sessions end and a lock is lifted.

    With `second_factor` that is to be set up anew as well. Where no second factor stands behind the password, whoever knows
    the new one could come in as that person: such a reset waits for the security officer. Raises AccountError.
    """
    password = one_time()
    hashed = hash_password(password)
    with acting(store, caller, "account.keep", at) as act:
        row = _account(act, name)
        set_password(act.con, row.id, hashed, at, must_change=True)
        end_all(act.con, row.id, at)
        clear(act.con, row.name)
        guarded = ROLES[row.role].second_factor and row.totp_secret is not None and not second_factor
        state = "pending" if _waits(act) and not guarded and row.state == "active" else row.state
        done: dict[str, Any] = {"state": state}
        if second_factor:
            done |= {"totp_secret": None, "totp_step": None}
            clear(act.con, f"totp:{row.name}")
        act.con.execute(update(account).where(account.c.id == row.id).values(done))
        act.journal("account.reset", f"account:{row.name}", second_factor=second_factor, state=state)
    return password, state != "pending"


def _waits(act: Acting) -> bool:
    """Whether what is being done needs the security officer: not for the operator, nor where the home does not separate."""
    return not act.person.system and load_security(act.store.home).separation


def _not_oneself(act: Acting, row: Row[Any], words: str) -> None:
    if act.person.account == row.id:
        raise AccountError(words)


def _account(act: Acting, name: str) -> Row[Any]:
    row = act.con.execute(select(account).where(account.c.name == name.strip().lower()).with_for_update()).one_or_none()
    if row is None:
        raise AccountError("没有账号 {name}", name=name)
    return row


def _apply(act: Acting, account_id: int, role: str, places: Places, at: datetime) -> None:
    """The role and places hold from now on; sessions end, since what they show may be too much."""
    act.con.execute(update(account).where(account.c.id == account_id).values(role=role, version=account.c.version + 1))
    act.con.execute(delete(account_place).where(account_place.c.account_id == account_id))
    _set_places(act.con, account_id, places)
    end_all(act.con, account_id, at)


def _set_places(con: Connection, account_id: int, places: Places) -> None:
    for township, village in dict.fromkeys(places):
        con.execute(insert(account_place).values(account_id=account_id, township=township, village=village or None))


def _check_places(role: str, places: Places) -> None:
    """What a role's account must name. Raises AccountError."""
    if role not in ROLES:
        raise AccountError("没有角色 {role}；可用的有：{roles}", role=role, roles="、".join(ROLES))
    reach = ROLES[role].reach
    if any(not township or len(township) > 64 or len(village or "") > 64 for township, village in places):
        raise AccountError("乡镇、村的名称不能空着，也不能超过 64 字")
    if reach == "none" and places:
        raise AccountError("这个角色不接触个人信息，不设乡镇、村")
    if reach == "township" and not places:
        raise AccountError("这个角色须指定负责的乡镇")
    if reach == "village" and not (places and all(village for _, village in places)):
        raise AccountError("这个角色须指定到村（社区）")
