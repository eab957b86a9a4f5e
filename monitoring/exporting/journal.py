"""The journal of unmasked exports: HOME/exports/journal.jsonl, one JSON line each, chained so that edits show.

A line is on disk before the file that it tells of is begun: an export that cannot be recorded does not happen. Each
line carries the digest of the line before it and of itself. What a chain cannot show by itself is a cut tail.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from monitoring.exporting.writing import sync_folder

_FIRST = "0" * 64


def journal_path(home: Path) -> Path:
    return home / "exports" / "journal.jsonl"


def record_unmask(
    home: Path,
    who: str,
    what: str,
    period: str,
    reason: str,
    rows: int,
    *,
    at: datetime,
    file: str = "",
    where: str = "",
) -> None:
    """Appends one line and waits until it is on disk; raises ValueError without a person or a reason.

    `at` comes from the command line or the page: nothing below them asks the clock.
    """
    if not reason.strip():
        raise ValueError("导出未脱敏的名单必须写明理由（--reason），理由会记入导出日志")
    if not who.strip():
        raise ValueError("导出未脱敏的名单必须有导出人")
    path = journal_path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        written = journal.read()
        lines = written.splitlines()
        entry = {
            "number": len(lines) + 1,
            "at": at.isoformat(timespec="seconds"),
            "who": who.strip(),
            "what": what,
            "period": period,
            "where": where,
            "file": file,
            "rows": rows,
            "reason": reason.strip(),
            "before": _digest(lines[-1]) if lines else _FIRST,
        }
        line = json.dumps(entry | {"digest": _digest(_text(entry))}, ensure_ascii=False).encode()
        torn = written and not written.endswith(b"\n")  # a line cut by a crash: it stays, and shows
        journal.write((b"\n" if torn else b"") + line + b"\n")
        journal.flush()
        os.fsync(journal.fileno())
    sync_folder(path.parent)


def journal_problems(home: Path) -> list[str]:
    """What is wrong with the journal, first line first; empty where the chain holds (or nothing was ever exported)."""
    path = journal_path(home)
    if not path.exists():
        return []
    problems = []
    before = _FIRST
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        problem = _line_problem(line, number, before)
        if problem:
            problems.append(f"导出日志第 {number} 行：{problem}")
        before = _digest(line)
    return problems


def _line_problem(line: bytes, number: int, before: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return "读不出，可能写入时中断或被改动"
    if not isinstance(entry, dict):
        return "不是日志记录"
    digest = entry.pop("digest", None)
    if digest != _digest(_text(entry)):
        return "内容被改动"
    if entry.get("number") != number or entry.get("before") != before:
        return "与前一行不衔接，前面有记录被改动、删去或插入"
    return ""


def _text(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False, sort_keys=True).encode()


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
