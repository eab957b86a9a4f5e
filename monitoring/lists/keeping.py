"""Kept lists: a filter with a name and a purpose, one's own or shared with everybody who has the page.

A kept list holds the filter only, never rows: what it shows is decided anew for whoever opens it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, or_, select, update

from monitoring.lists.asking import Ask, NotAsked, ask_from_json, check
from monitoring.people import Caller, Denied, acting, reading
from monitoring.people.viewing import stated_purpose
from monitoring.store import Store
from monitoring.store.schema import saved_list


@dataclass(frozen=True)
class Kept:
    """One kept list. `own`: whether it is the asker's; `ask` None where this version does not understand it any more."""

    id: int
    name: str
    purpose: str
    ask: Ask | None
    shared: bool
    own: bool
    by: str
    at: datetime


def kept_lists(store: Store, caller: Caller, at: datetime) -> list[Kept]:
    """One's own and the shared ones, by name. Raises Denied, SessionOver."""
    with reading(store, caller, "page.lists", at) as act:
        own = saved_list.c.account_id == act.person.account
        asked = (
            select(saved_list)
            .where(saved_list.c.removed_at.is_(None), or_(own, saved_list.c.shared))
            .order_by(saved_list.c.name, saved_list.c.id)
        )
        return [
            Kept(row.id, row.name, row.purpose, _read(row.content), row.shared, row.account_id == act.person.account, row.by, row.at)
            for row in act.con.execute(asked)
        ]  # fmt: skip


def keep_list(store: Store, caller: Caller, name: str, purpose: str, ask: Ask, shared: bool, at: datetime) -> int:
    """Keeps a filter; its id. Raises Denied, SessionOver, NotAsked, PurposeMissing."""
    check(ask, masked=False)
    said = " ".join(name.split())
    if not 0 < len(said) <= 64:
        raise NotAsked(["请给名单起个名字，不超过 64 个字"])
    with acting(store, caller, "list.keep", at) as act:
        if act.person.account is None:
            raise Denied("命令行直接写条件，不保存名单")
        values = {"name": said, "purpose": stated_purpose(purpose), "content": ask.json(), "shared": shared, "account_id": act.person.account,
                  "by": act.person.person, "at": at}  # fmt: skip
        key = int(act.con.execute(insert(saved_list).values(values).returning(saved_list.c.id)).scalar_one())
        act.journal("list.keep", f"list:{key}", purpose=values["purpose"], shared=shared)
        return key


def drop_list(store: Store, caller: Caller, id: int, at: datetime) -> None:
    """Takes one's own kept list away; the row stays for the journal's sake. Raises Denied, SessionOver."""
    with acting(store, caller, "list.keep", at) as act:
        mine = (
            (saved_list.c.id == id)
            & (saved_list.c.account_id == act.person.account)
            & saved_list.c.removed_at.is_(None)
        )
        if not act.con.execute(update(saved_list).where(mine).values(removed_at=at)).rowcount:
            raise Denied(object=f"list:{id}")
        act.journal("list.drop", f"list:{id}")


def _read(content: str) -> Ask | None:
    try:
        return ask_from_json(content)
    except NotAsked:
        return None
