"""Files that leave the house: made for one person in one session, taken once, from a road of their own (/export/…).

`offer` registers a file that was written into HOME/exports/waiting; `take` asks everything again at the download: whose it
is, whether the session and the permission still hold, that it waits no longer than ten minutes and is the file that was
offered. Streamlit's own downloads go to whoever knows an address, and are not used (security.md, decision 3).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, insert, select, update

from monitoring.people.callers import Caller, Denied, acting
from monitoring.store import Store
from monitoring.store.schema import download

WAITS = timedelta(minutes=10)
ROAD = "/export/"


@dataclass(frozen=True)
class Taken:
    """A file on its way: `path` is to be removed when it was sent, `name` is what the person's machine calls it."""

    path: Path
    name: str


def waiting(store: Store) -> Path:
    """The folder in which a file is written before it is offered; only the program's user can read it."""
    folder = store.home / "exports" / "waiting"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def offer(
    store: Store,
    caller: Caller,
    action: str,
    what: str,
    path: Path,
    name: str,
    rows: int,
    masked: bool,
    at: datetime,
) -> str:
    """Registers a file for one download by the caller; gives its address. Raises Denied or SessionOver.

    `action`: the permission that the rows need, asked again at the download. `name`: as it is called when it arrives.
    """
    if path.resolve().parent != waiting(store).resolve():
        raise ValueError(f"{path.name} is not in the folder of files that wait")
    digest = _digest(path)
    with acting(store, caller, action, at) as act:
        if act.person.account is None:
            raise Denied("命令行直接写文件，不经下载")
        row = {"id": secrets.token_urlsafe(32), "account_id": act.person.account, "session": act.person.session, "what": what,
               "action": action, "path": path.name, "name": name, "sha256": digest, "rows": rows, "masked": masked,
               "at": at, "until": at + WAITS}  # fmt: skip
        act.con.execute(insert(download).values(row))
        act.journal("export.offer", f"export:{digest[:16]}", what=what, rows=rows, masked=masked)
    return f"{ROAD}{row['id']}"


def take(store: Store, caller: Caller, id: str, at: datetime) -> Taken:
    """The file, once. Raises Denied (not there, not yours, too late, altered: told alike) or SessionOver."""
    with acting(
        store, caller, "self.log_out", at
    ) as act:  # anybody who is logged in; the file's own permission follows
        row = act.con.execute(select(download).where(download.c.id == id).with_for_update()).one_or_none()
        known = f"export:{row.sha256[:16]}" if row is not None else "export:?"
        refusal = Denied("没有这个文件，或它已被下载、已过期、不是给您的；请在页面上重新导出", known)
        if row is None or (row.account_id, row.session) != (act.person.account, act.person.session):
            raise refusal
        if row.taken_at is not None or row.until <= at:
            raise refusal
        if not act.person.may(row.action):
            raise Denied(object=known)
        path = waiting(store) / Path(row.path).name
        if not path.is_file() or _digest(path) != row.sha256:
            raise refusal
        act.con.execute(update(download).where(download.c.id == id).values(taken_at=at))
        act.journal("export.take", known, what=row.what, rows=row.rows, masked=row.masked)
        return Taken(path, row.name)


def clean(store: Store, at: datetime) -> None:
    """Removes what nobody took in time; rows go after a month, the journal keeps what happened."""
    with store.write() as con:
        over = con.execute(select(download.c.path).where(download.c.until <= at)).scalars().all()
        con.execute(delete(download).where(download.c.until < at - timedelta(days=30)))
        known = set(con.execute(select(download.c.path).where(download.c.until > at)).scalars())
    for name in set(over) - known:
        (waiting(store) / Path(name).name).unlink(missing_ok=True)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
