"""The journal: append-only rows, each bound to the one before by a keyed digest; with anchors outside the database.

Altered, removed, swapped or inserted rows break the chain. Cutting its end does not: the anchor file, written outside the
database, does (security.md, decision 10). The key is the home's; without it no row can be made that fits.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from monitoring.store.engine import Store
from monitoring.store.schema import journal, journal_head

FIRST = "0" * 64
# Asked by every deed, and so put together once: that takes longer than asking.
_HEAD = select(journal_head).with_for_update()
_LAST = select(journal.c.at).where(journal.c.seq == bindparam("last"))
_APPENDED = insert(journal)
_MOVED = update(journal_head).values(seq=bindparam("to"), mac=bindparam("its"))


@dataclass(frozen=True)
class Entry:
    """What happened: who (account name), in which role, from where, to what; `detail` never holds a full number."""

    who: str
    role: str
    address: str
    event: str
    object: str = ""
    result: str = "ok"
    detail: dict[str, Any] | None = None


def append(con: Connection, key: bytes, entry: Entry, at: datetime) -> int:
    """Appends within the caller's transaction: what is journalled and what was done stand or fall together."""
    head = con.execute(_HEAD).one()
    last = con.execute(_LAST, {"last": head.seq}).scalar()
    row = {
        "seq": head.seq + 1,
        "at": max(at, last) if last else at,  # a clock that was put back does not put the journal back
        "who": entry.who,
        "role": entry.role,
        "address": entry.address,
        "event": entry.event,
        "object": entry.object,
        "result": entry.result,
        "detail": json.dumps(entry.detail or {}, ensure_ascii=False, sort_keys=True, default=str),
        "before": head.mac,
    }
    row["mac"] = _mac(key, row)
    con.execute(_APPENDED, row)
    con.execute(_MOVED, {"to": row["seq"], "its": row["mac"]})
    return int(row["seq"])


def _mac(key: bytes, row: dict[str, Any]) -> str:
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    told = [row["seq"], at, *(row[name] for name in ("who", "role", "address", "event", "object", "result", "detail"))]
    message = row["before"] + json.dumps(told, ensure_ascii=False)
    return hmac.new(key, b"journal\0" + message.encode(), hashlib.sha256).hexdigest()


def problems(store: Store) -> list[str]:
    """What is wrong with the chain and its anchors, the first break first; empty where all holds."""
    with store.read() as con:
        return chain_problems(con, store.key, anchors(store.home))


def chain_problems(con: Connection, key: bytes, anchored: list[tuple[int, str]]) -> list[str]:
    """`problems` within a transaction; `anchored` are the anchors that the chain must fit."""
    before, seq, macs = FIRST, 0, dict[int, str]()
    wanted = {number for number, _ in anchored}
    for row in con.execute(select(journal).order_by(journal.c.seq)).mappings():
        seq += 1
        if row["seq"] != seq:
            return [f"操作日志第 {seq} 条缺失或次序被改"]
        if row["before"] != before:
            return [f"操作日志第 {seq} 条与前一条不衔接，前面有记录被改动、删去或插入"]
        if not hmac.compare_digest(_mac(key, dict(row)), row["mac"]):
            return [f"操作日志第 {seq} 条的内容被改动，或密钥不是写它时的那一个"]
        before = row["mac"]
        if seq in wanted:
            macs[seq] = before
    head = con.execute(select(journal_head)).one()
    if (head.seq, head.mac) != (seq, before):
        return [f"操作日志的末尾被截去：应有 {head.seq} 条，只有 {seq} 条"]
    for number, mac in anchored:
        if macs.get(number) != mac:
            return [f"操作日志与库外的存证不符：存证记到第 {number} 条，库里只有 {seq} 条或内容不同"]
    return []


def anchor_path(home: Path) -> Path:
    return home / "anchors" / "journal.txt"


def anchor(store: Store, at: datetime) -> None:
    """Writes the chain's present end to the file outside the database, where it has grown since the last anchor."""
    with store.read() as con:
        head = con.execute(select(journal_head)).one()
    known = anchors(store.home)
    if not head.seq or (known and known[-1][0] >= head.seq):
        return
    path = anchor_path(store.home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as out:
        out.write(f"{head.seq} {head.mac} {at.astimezone(UTC).isoformat(timespec='seconds')}\n")
        out.flush()
        os.fsync(out.fileno())


def anchors(home: Path) -> list[tuple[int, str]]:
    """(seq, mac) of every anchor written outside the database."""
    path = anchor_path(home)
    if not path.exists():
        return []
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    return [(int(line[0]), line[1]) for line in lines if len(line) == 3 and line[0].isdigit()]
