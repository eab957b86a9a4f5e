"""Accounts to try the sample county with, under passwords that anybody may know: only where everything is made up.

They are refused in a home that holds anything but the sample, or that is meant to be guarded at level 3; and a server does
not start on a home that has them while its data are real (`misplaced`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from monitoring.people.passwords import hash_password
from monitoring.people.roles import (
    ADMINISTRATOR,
    ANALYST,
    AUDITOR,
    COUNTY,
    LEADER,
    ROLES,
    SECURITY,
    TOWNSHIP,
    VILLAGE,
)
from monitoring.people.settings import load_security
from monitoring.refusal import Refusal
from monitoring.store import Store, journal
from monitoring.store.journal import Entry
from monitoring.store.schema import account, account_place

BY = "demo"
PASSWORD = "Luo-ri-2026"  # noqa: S105 -- for made-up people only
_PEOPLE = (
    ("lingdao", "陈望", LEADER),
    ("xianji", "周敏", COUNTY),
    ("xiangzhen", "何山", TOWNSHIP),
    ("cunji", "林秋", VILLAGE),
    ("fenxi", "苏晴", ANALYST),
    ("shenji", "沈正", AUDITOR),
    ("guanli", "方圆", ADMINISTRATOR),
    ("anquan", "安宁", SECURITY),
)


class DemoRefused(Refusal):
    """Known passwords are not set in this home."""


@dataclass(frozen=True)
class DemoAccount:
    """A log-in to print."""

    name: str
    password: str
    role: str
    person: str
    places: tuple[tuple[str, str | None], ...]


def demo_accounts(store: Store, at: datetime, places: Mapping[str, Sequence[str]], sample: bool) -> list[DemoAccount]:
    """One account of each role, made anew or made usable again. `places`: the sample's townships with their villages, `sample`:
    whether the published run says that it is the sample. Raises DemoRefused."""
    if not sample:
        raise DemoRefused("演示账号的密码人人知道，只能建在样例县的主目录里")
    if load_security(store.home).level != 2:
        raise DemoRefused("演示账号只能建在 settings.toml 写明 level = 2 的主目录里")
    township = next((name for name, villages in places.items() if villages), None)
    if township is None:
        raise DemoRefused("样例县里没有乡镇和村，建不了乡镇、村的演示账号")
    made = []
    hashed = hash_password(PASSWORD)
    for name, person, role in _PEOPLE:
        reach = ROLES[role].reach
        own: tuple[tuple[str, str | None], ...] = ()
        if reach in ("township", "village"):
            own = ((township, places[township][0] if reach == "village" else None),)
        _keep(store, name, person, role, own, hashed, at)
        made.append(DemoAccount(name, PASSWORD, role, person, own))
    return made


def demo_colleagues(store: Store, at: datetime, persons: Mapping[str, str]) -> None:
    """After `demo_accounts`: somebody for every other township, so that its work can be done. They have no password: nobody
    can log in as them."""
    with store.read() as con:
        has = select(account_place.c.township).join(account, account.c.id == account_place.c.account_id)
        taken = set(con.execute(has.where(account.c.role == TOWNSHIP)).scalars())
    for n, (town, person) in enumerate((pair for pair in persons.items() if pair[0] not in taken), 2):
        _keep(store, f"xiangzhen{n}", person, TOWNSHIP, ((town, None),), None, at)


def _keep(
    store: Store,
    name: str,
    person: str,
    role: str,
    places: Sequence[tuple[str, str | None]],
    hashed: str | None,
    at: datetime,
) -> None:
    usable = {"person": person, "role": role, "state": "active", "password_hash": hashed, "must_change": False,
              "password_changed_at": at}  # fmt: skip
    with store.write() as con:
        row = con.execute(select(account.c.id, account.c.created_by).where(account.c.name == name)).one_or_none()
        if row is not None and row.created_by != BY:
            raise DemoRefused("账号 {name} 已经有了，且不是演示账号", name=name)
        if row is None:
            new = {"name": name, "created_at": at, "created_by": BY, "approved_at": at, "approved_by": BY, **usable}
            account_id = con.execute(insert(account).values(new).returning(account.c.id)).scalar_one()
        else:
            account_id = row.id
            con.execute(update(account).where(account.c.id == account_id).values(usable))
        con.execute(account_place.delete().where(account_place.c.account_id == account_id))
        for township, village in places:
            con.execute(insert(account_place).values(account_id=account_id, township=township, village=village))
        journal.append(con, store.key, Entry(BY, "operator", "cli", "account.demo", f"account:{name}"), at)


def misplaced(store: Store, sample: bool) -> str | None:
    """What is wrong where accounts with known passwords could open real data; None where all is well."""
    if sample:
        return None
    with store.read() as con:
        asked = select(account.c.name).where(account.c.created_by == BY, account.c.state == "active")
        found = con.execute(asked.order_by(account.c.name)).scalars().all()
    if not found:
        return None
    return f"主目录里有演示账号（{'、'.join(found)}），它们的密码人人知道，而数据不是样例县的：请先停用（buluo users disable 账号）"
