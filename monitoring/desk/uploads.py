"""Departments' files that come in by the page: into the period's inbox, whole or not at all, under a name that harms nobody.

What a file is decides its content, not its name; what is neither a table of text nor a workbook is refused, macros and packed
files too. The thorough check (bombs, broken parts) is the reading's own, in a process of its own. Nothing that is there is ever
replaced: a file of the same name and other content gets a number, one of the same content is there already. Journalled with
who, size and digest.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from monitoring.exporting.writing import sync_folder
from monitoring.language import Words
from monitoring.people import Caller, acting, reading
from monitoring.store import Store

LARGEST_MB = 50
LARGEST = LARGEST_MB * 1_000_000  # bytes of one request
MOST_FILES = 40
SUFFIXES = {".csv": "text", ".txt": "text", ".xlsx": "xlsx", ".xls": "xls"}
PERIOD = re.compile(r"^(19|20)\d{2}-(0[1-9]|1[0-2])$")
_OLE = bytes.fromhex("D0CF11E0A1B11AE1")
_HARMFUL = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]')
_LONGEST_NAME = 100


class NotTaken(ValueError):
    """Files were refused and none was kept; `words` say which and why."""

    def __init__(self, complaints: Sequence[str]) -> None:
        self.words = list(complaints)
        super().__init__("；".join(self.words))


@dataclass(frozen=True)
class InInbox:
    """One file that lies in a period's inbox."""

    name: str
    bytes: int


def inbox(store: Store, caller: Caller, home: Path, period: str, at: datetime) -> list[InInbox]:
    """What lies in the period's inbox, by name. Raises Denied, SessionOver."""
    with reading(store, caller, "page.data", at) as act:
        act.need("file.upload")
    folder = home / "inbox" / _month(period)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith((".", "~$")))
    return [InInbox(path.relative_to(folder).as_posix(), path.stat().st_size) for path in files]


def take_files(
    store: Store, caller: Caller, home: Path, period: str, files: Sequence[tuple[str, BinaryIO]], at: datetime
) -> list[str]:
    """Puts files into the period's inbox; the names under which they lie there. Raises Denied, SessionOver, NotTaken."""
    with reading(store, caller, "file.upload", at):
        folder = home / "inbox" / _month(period)
    if not files:
        raise NotTaken(["没有选文件"])
    if len(files) > MOST_FILES:
        raise NotTaken([Words("一次最多 {most} 个文件", most=MOST_FILES)])
    complaints = [
        Words("{name}：{problem}", name=clean_name(name), problem=Words(problem))
        for name, content in files
        if (problem := problem_of(name, content))
    ]
    if complaints:
        raise NotTaken(complaints)
    folder.mkdir(parents=True, exist_ok=True)
    kept: list[str] = []
    made: list[Path] = []
    try:
        told = [_keep(folder, clean_name(name), content, made) for name, content in files]
        kept = [name for name, _, _ in told]
        with acting(store, caller, "file.upload", at) as act:
            for name, size, digest in told:
                act.journal("file.upload", f"file:{digest[:16]}", period=period, name=name, bytes=size, sha256=digest)
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise
    sync_folder(folder)
    return kept


def periods_for(latest: str) -> list[str]:
    """The periods that files come in for: the next one first, then the latest that is published."""
    year, month = map(int, latest.split("-"))
    return [f"{year + month // 12}-{month % 12 + 1:02d}", latest]


def clean_name(name: str) -> str:
    """The last part of a name without what a path, a shell or a screen could stumble over."""
    plain = _HARMFUL.sub("", unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])).strip(". ~$")
    named = Path(plain or "文件")
    return (named.stem[:_LONGEST_NAME] or "文件") + named.suffix.lower()[:6]


def problem_of(name: str, content: BinaryIO) -> str:
    """Why a file is not taken, in words; "" where it is."""
    kind = SUFFIXES.get(Path(clean_name(name)).suffix)
    if kind is None:
        return "只收 .csv、.txt、.xlsx、.xls"
    content.seek(0)
    head = content.read(4096)
    if not head:
        return "文件是空的"
    found = "xlsx" if head.startswith(b"PK") else "xls" if head.startswith(_OLE) else "text" if _is_text(head) else ""
    if found == "text" and kind == "xls" and not head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        found = "xls"  # a table of text that was saved as .xls: the reading looks at it
    if found != kind:
        return "内容与后缀不符；请用 Excel 或 WPS 打开，另存后再传"
    return _of_zip(content) if kind == "xlsx" else ""


def _of_zip(content: BinaryIO) -> str:
    content.seek(0)
    try:
        with zipfile.ZipFile(content) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        return "工作簿不完整或已损坏"
    if "xl/workbook.xml" not in names:
        return "不是 Excel 工作簿"
    if any("vba" in name.lower() for name in names):
        return "工作簿里有宏，不能接收；请另存为不含宏的 .xlsx"
    return ""


def _is_text(head: bytes) -> bool:
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in head


def _month(period: str) -> str:
    if not PERIOD.fullmatch(period):
        raise NotTaken([Words("期间应写作 2026-11 这样的年月，收到的是“{period}”", period=period[:20])])
    return period


def _keep(folder: Path, name: str, content: BinaryIO, made: list[Path]) -> tuple[str, int, str]:
    """One file under its name, or with a number behind it; name, size, digest."""
    content.seek(0)
    handle, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(handle, "wb") as out:
            while piece := content.read(1 << 20):
                digest.update(piece)
                size += len(piece)
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        stem, suffix = Path(name).stem, Path(name).suffix
        number = 1
        while (path := folder / (name if number == 1 else f"{stem} ({number}){suffix}")).exists():
            with path.open("rb") as there:
                if hashlib.file_digest(there, "sha256").hexdigest() == digest.hexdigest():
                    return path.name, size, digest.hexdigest()
            number += 1
        os.link(part, path)  # never over one that came meanwhile
        made.append(path)
        return path.name, size, digest.hexdigest()
    finally:
        Path(part).unlink(missing_ok=True)
