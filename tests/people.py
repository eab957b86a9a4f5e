"""Accounts with a live session for tests: `add_account(store, "township_staff", [("柳林镇", None)])` is a Caller at once.

The rows are written directly, so that tests of services need neither passwords nor a gate.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import insert, update

from monitoring.people import Caller
from monitoring.store import Store
from monitoring.store.schema import account, account_place, session
from tests.stores import NOON

TOWN, OTHER_TOWN = "柳林镇", "青石镇"
VILLAGE, OTHER_VILLAGE = "河东村", "河西村"


@dataclass(frozen=True)
class Known(Caller):
    """A caller of whom a test knows the account: its id, its log-in name and the person's name."""

    account: int = 0
    name: str = ""
    person: str = ""
    role: str = ""


def add_account(
    store: Store,
    role: str,
    places: Sequence[tuple[str, str | None]] = (),
    name: str = "",
    person: str = "",
    state: str = "active",
    at: datetime = NOON,
) -> Known:
    """An account with its places and a full session that was used at `at`; without places the role's own reach holds."""
    name = name or f"{role[:6]}{uuid.uuid4().hex[:8]}"
    row = {
        "name": name, "person": person or f"员{name[-4:]}", "role": role, "state": state, "must_change": False,
        "created_at": at, "created_by": "test", "version": 1,
    }  # fmt: skip
    with store.write() as con:
        key = con.execute(insert(account).values(row).returning(account.c.id)).scalar_one()
        for township, village in places:
            con.execute(insert(account_place).values(account_id=key, township=township, village=village))
    known = Known(address="10.0.0.9", account=key, name=name, person=str(row["person"]), role=role)
    return log_in(store, known, at)


def log_in(store: Store, known: Known, at: datetime = NOON) -> Known:
    """The same person under a new full session begun at `at`: for tests that go on for longer than a session lives."""
    token = uuid.uuid4().hex
    row = {
        "token": hashlib.sha256(token.encode()).digest(), "public": token, "account_id": known.account, "created_at": at,
        "seen_at": at, "address": known.address, "stage": "full",
    }  # fmt: skip
    with store.write() as con:
        con.execute(insert(session).values(row))
    return replace(known, session=token)


def disable(store: Store, known: Known) -> None:
    with store.write() as con:
        con.execute(update(account).where(account.c.id == known.account).values(state="disabled"))


def move(store: Store, known: Known, places: Sequence[tuple[str, str | None]]) -> None:
    """The account's places are these from now on."""
    with store.write() as con:
        con.execute(account_place.delete().where(account_place.c.account_id == known.account))
        for township, village in places:
            con.execute(insert(account_place).values(account_id=known.account, township=township, village=village))
