"""Policy files are read strictly: every complaint of every file at once, each for the person who must mend it.

Reads TOML tables key by key; what nobody asked for is a complaint, what is missing or of the wrong kind too.
Raises nothing while reading: the complaints are collected, and the caller raises one `PolicyError` for all of them.
"""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, TypeVar

from monitoring.language import Words


@dataclass(frozen=True)
class Complaint:
    """One thing wrong in one file: where in it, what is wrong, and what would be right."""

    file: str
    where: str
    wrong: str
    right: str

    @property
    def words(self) -> Words:
        """The whole complaint, for either language."""
        place = f"{self.file} · {self.where}" if self.where else self.file
        return Words("{place}：{wrong}。应为：{right}。", place=place, wrong=self.wrong, right=self.right)

    def __str__(self) -> str:
        return str(self.words)


class PolicyError(ValueError):
    """The packs or rules cannot be used; `complaints` says all that is wrong, of all files."""

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        self.complaints = list(complaints)
        super().__init__("\n".join([f"政策文件有 {len(self.complaints)} 处需要改正：", *map(str, self.complaints)]))


@dataclass(frozen=True)
class Bilingual:
    """One text in both languages of the interface."""

    zh: str
    en: str

    def to(self, lang: str) -> str:
        return self.en if lang == "en" else self.zh


@dataclass(frozen=True)
class Span:
    """Days on which something holds, both ends included; None is without limit."""

    first: date | None = None
    last: date | None = None

    def holds(self, as_of: date) -> bool:
        return (self.first is None or self.first <= as_of) and (self.last is None or as_of <= self.last)

    def overlaps(self, other: Span) -> bool:
        earliest, latest = date.min, date.max
        return (self.first or earliest) <= (other.last or latest) and (other.first or earliest) <= (self.last or latest)

    @property
    def words(self) -> Words:
        if self.first is None and self.last is None:
            return Words("不限日期")
        return Words("{first} 至 {last}", first=self.first or Words("最初"), last=self.last or Words("今后"))

    def __str__(self) -> str:
        return str(self.words)


def did_you_mean(name: str, known: Iterable[str]) -> Words | str:
    """A hint for a name that is not known, or "" where nothing is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return Words("（您是否要写 {near}？）", near=near[0]) if near else ""


class Table:
    """One TOML table while it is being read; `close` complains of the keys that nobody read."""

    def __init__(self, content: dict[str, Any], file: str, where: str, complaints: list[Complaint]) -> None:
        self.content, self.file, self.where, self.complaints = content, file, where, complaints
        self._read: set[str] = set()

    def complain(self, wrong: str, right: str, where: str = "") -> None:
        self.complaints.append(Complaint(self.file, where or self.where, wrong, right))

    def has(self, key: str) -> bool:
        return key in self.content

    def raw(self, key: str) -> Any:
        self._read.add(key)
        return self.content.get(key)

    def text(self, key: str, *, required: bool = True) -> str:
        found = self.raw(key)
        if isinstance(found, str) and found.strip():
            return found.strip()
        if required or found is not None:
            self.complain(Words("{key} 缺失或为空", key=key), Words('{key} = "…"（非空文字）', key=key))
        return ""

    def bilingual(self, key: str, *, required: bool = True) -> Bilingual | None:
        found = self.raw(key)
        if found is None and not required:
            return None
        if (
            isinstance(found, dict)
            and set(found) == {"zh", "en"}
            and all(isinstance(t, str) and t.strip() for t in found.values())
        ):
            return Bilingual(found["zh"], found["en"])
        self.complain(Words("{key} 须有中英文两种文字", key=key), f'{key} = {{ zh = "…", en = "…" }}')
        return None if not required else Bilingual("", "")

    def choice(self, key: str, options: Sequence[str], *, required: bool = True) -> str:
        found = self.raw(key)
        if isinstance(found, str) and found in options:
            return found
        if required or found is not None:
            self.complain(
                Words("{key} = {found} 不在可选值之内", key=key, found=repr(found)),
                Words("{key} 取 {known} 之一", key=key, known=list(options)),
            )
        return ""

    def flag(self, key: str) -> bool:
        found = self.raw(key)
        if found is not None and found is not True:
            self.complain(f"{key} = {found!r}", Words("{key} = true，或整行删去", key=key))
        return found is True

    def day(self, key: str) -> date | None:
        found = self.raw(key)
        if found is None or (isinstance(found, date) and not isinstance(found, datetime)):
            return found
        self.complain(
            Words("{key} = {found} 不是日期", key=key, found=repr(found)),
            Words("{key} = 2026-04-01（不加引号）", key=key),
        )
        return None

    def span(self) -> Span:
        """The `from` and `until` of something dated."""
        span = Span(self.day("from"), self.day("until"))
        if span.first and span.last and span.first > span.last:
            self.complain(
                Words("from {first} 晚于 until {last}", first=span.first, last=span.last), "from 不晚于 until"
            )
        return span

    def tables(self, key: str, *, required: bool = True, label: str = "") -> list[Table]:
        """The array of tables under `key`, each named by its place for complaints."""
        found = self.raw(key)
        if isinstance(found, list) and found and all(isinstance(item, dict) for item in found):
            above = f"{self.where} · " if self.where else ""
            return [
                Table(item, self.file, f"{above}{label or key} {n}", self.complaints) for n, item in enumerate(found, 1)
            ]
        if required or found is not None:
            self.complain(Words("没有 [[{key}]]", key=key), Words("至少一个 [[{key}]] 表", key=key))
        return []

    def close(self) -> None:
        known = sorted(self._read)
        for key in self.content.keys() - self._read:
            self.complain(
                Words("不认识的键 {key}{hint}", key=key, hint=did_you_mean(key, known)),
                Words("只用 {known}", known=known),
            )


def complain_of_overlaps(tables: Sequence[Table], spans: Sequence[Span], what: str) -> None:
    """Complain of each later one of two spans that share a day."""
    for later in range(len(spans)):
        for earlier in range(later):
            if spans[later].overlaps(spans[earlier]):
                tables[later].complain(
                    Words(
                        "{what}的日期（{later}）与第 {n} 个（{earlier}）重叠",
                        what=Words(what),
                        later=spans[later].words,
                        n=earlier + 1,
                        earlier=spans[earlier].words,
                    ),
                    "用 from、until（含首尾两天）把日期错开，如前一个 until = 2026-03-31、后一个 from = 2026-04-01",
                )


def policy_files(folder: str, shipped: Path, home: Path | None) -> dict[str, Path]:
    """TOML files by stem: the shipped ones, and those of the county's home, which add to or replace them."""
    files = {path.stem: path for path in sorted((shipped / folder).glob("*.toml"))}
    if home is not None:
        files |= {path.stem: path for path in sorted((home / "policy" / folder).glob("*.toml"))}
    return dict(sorted(files.items()))


class Dated(Protocol):
    """One version of a dated settings file."""

    @property
    def span(self) -> Span: ...


Version = TypeVar("Version", bound=Dated)


def version_in_force(home: Path | None, shipped: Path, as_of: date, read: Callable[[Table, str], Version]) -> Version:
    """Of the county's own file of that name (HOME/policy), else of the shipped one, the version in force on the day.

    `read` makes one version of its table and the file's SHA-256. Raises PolicyError with every complaint, also where no version
    holds on that day.
    """
    own = home / "policy" / shipped.name if home is not None else None
    path = own if own is not None and own.is_file() else shipped
    complaints: list[Complaint] = []
    versions: list[Version] = []
    table = read_toml(path, complaints)
    if table is not None:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        tables = table.tables("version")
        versions = [read(each, sha256) for each in tables]
        complain_of_overlaps(tables, [version.span for version in versions], "版本")
        table.close()
    found = next((version for version in versions if version.span.holds(as_of)), None)
    if found is None and not complaints:
        complaints.append(
            Complaint(
                path.name, "", Words("没有在 {as_of} 有效的版本", as_of=as_of), "有一个 [[version]] 的日期包括这一天"
            )
        )
    if complaints or found is None:
        raise PolicyError(complaints)
    return found


def read_toml(path: Path, complaints: list[Complaint]) -> Table | None:
    """One file as a table (numbers with a point as exact decimals), or None and a complaint."""
    try:
        return Table(
            tomllib.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal), path.name, "", complaints
        )
    except UnicodeDecodeError:
        complaints.append(Complaint(path.name, "", "文件不是 UTF-8 编码", "另存为 UTF-8"))
    except tomllib.TOMLDecodeError as error:
        complaints.append(
            Complaint(
                path.name, "", Words("不是有效的 TOML：{error}", error=error), "按提示的行列改正（同一个键只能写一次）"
            )
        )
    return None
