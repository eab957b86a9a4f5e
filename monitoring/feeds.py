"""What each feed means: the 27 files in `data/feeds/` (and a county's own in `HOME/feeds/`) as checked, frozen values.

Reads TOML only; knows nothing of files that departments hand in. Everything is refused that is not understood, and
all complaints about all files come together in one `FeedError`, each with its file and with what would be right.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from monitoring.feed_checks import Complaints, check_aliases, check_columns, check_feed, check_layouts

FEEDS_DIR = Path(__file__).resolve().parent.parent / "data" / "feeds"
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|【[^【】]*】|〔[^〔〕]*〕|<[^<>]*>")
_NOISE = re.compile(r"[\s*★※\u200b-\u200f\u2060\ufeff\u00ad]+")


class FeedError(ValueError):
    """One or several feed files are wrong. `complaints` holds them all, in the order of the files."""

    def __init__(self, complaints: list[str]) -> None:
        self.complaints = complaints
        super().__init__(f"台账定义有 {len(complaints)} 处不对：\n" + "\n".join(complaints))


@dataclass(frozen=True)
class Column:
    """One thing a feed says about its subject. `aliases` are further headings, `codes` canonical -> other spellings."""

    name: str
    heading: str
    type: str
    aliases: tuple[str, ...] = ()
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    number: bool = False  # codes are kept as int
    unit: str | None = None
    opposite: tuple[str, ...] = ()  # headings that ask the inverse yes/no question
    first_filled: tuple[str, ...] = ()  # of these headings, row by row, the first filled one counts
    not_listed: tuple[str, ...] = ()  # a row with such a value is in the file but is no record of this feed
    shared: bool = False


@dataclass(frozen=True)
class Split:
    """Several records of a feed side by side in one row of a file (生活补贴 and 护理补贴 of one person).

    Each of `parts`, columns of the layout, that holds an amount other than 0 is a record of its own: the amount goes to
    the feed's column `into`, and the part's further values (补贴类型) hold for it. `total`: where the file states the sum.
    """

    into: str
    parts: Mapping[str, Mapping[str, str]]
    total: str = ""

    def gives(self) -> frozenset[str]:
        """The feed's columns that every record of a row gets from its part."""
        return frozenset({self.into}).union(set.intersection(*map(set, self.parts.values())))


@dataclass(frozen=True)
class Layout:
    """Another shape in which the same feed arrives; the layout named "" is the feed as the contract states it.

    `kind`: "person" (one row a person), "family" (one row a household, members in lists), "roll" (one row a household,
    the head only). Values that the file has no column for come from `constants`, from words in the file's name
    (`from_name`) or from another column (`same_as`); reading puts them into the frame as ordinary columns. A layout may
    be known only to be `refused`, because it cannot be the feed: the text says why, and what to hand in instead
    (`{lacks}` in it: the required columns that are not there).
    """

    name: str = ""
    kind: str = "person"
    required: tuple[str, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    from_name: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    same_as: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()  # columns that only this layout has
    present: tuple[str, ...] = ()  # headings that must be there, beside the required columns
    absent: tuple[str, ...] = ()  # headings that must not be there
    one_of: tuple[str, ...] = ()  # headings of which at least one must be there
    signs: tuple[str, ...] = ()  # headings of no column that speak for this layout; they stay unknown columns
    split: Split | None = None
    refused: str = ""


@dataclass(frozen=True)
class Feed:
    """One kind of record from one department. `columns`: shared ones first, then the feed's own, in file order."""

    id: str
    title: str
    department: str
    row: str
    kind: str  # "state" | "event"
    required: tuple[str, ...]
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    by_township: bool = False
    subject: str = "person"  # or "institution"
    layouts: tuple[Layout, ...] = ()
    absent: tuple[str, ...] = ()  # headings that show another list about the same people, whatever the layout

    def std_columns(self) -> dict[str, Column]:
        """Standard name -> column, shared ones first."""
        return {column.name: column for column in self.columns}

    def layout_columns(self, name: str = "") -> dict[str, Column]:
        """As `std_columns`, with the columns that only a layout has."""
        return {**self.std_columns(), **{column.name: column for column in self.layout(name).columns}}

    def own_columns(self) -> tuple[Column, ...]:
        """The columns that make this feed different from the others."""
        return tuple(column for column in self.columns if not column.shared)

    def layout(self, name: str = "") -> Layout:
        """The layout of that name; "" is the feed's own shape. Raises KeyError for an unknown one."""
        if not name:
            return Layout(required=self.required, absent=self.absent)
        return {layout.name: layout for layout in self.layouts}[name]


@functools.lru_cache(maxsize=65536)
def normalise_heading(text: str) -> str:
    """A heading without all that does not matter: blanks, line breaks, full width, `*`, bracketed hints, a colon.

    Used for the headings of files and for the aliases alike, so `低保（特困）证号` meets `低保证号`.
    """
    flat = _NOISE.sub("", unicodedata.normalize("NFKC", text))
    bare = flat
    while (shorter := _BRACKETED.sub("", bare)) != bare:
        bare = shorter
    if not bare:  # the whole heading stood in brackets
        bare = re.sub(r"[()\[\]{}【】〔〕<>]", "", flat)
    return bare.strip(":").casefold()


def load_feeds(extra_dir: Path | None = None, *, base_dir: Path = FEEDS_DIR) -> dict[str, Feed]:
    """All feeds by id, sorted. A file in `extra_dir` with a known id adds aliases and layouts; another is a new feed.

    Raises FeedError with every complaint about every file.
    """
    complaints = Complaints()
    shared_path = base_dir / "_shared.toml"
    shared_raw = _parse(shared_path, complaints) or {}
    check_columns(shared_raw.get("columns", []), complaints.at(shared_path.name))
    raw: dict[str, dict[str, Any]] = {}
    for path in sorted(base_dir.glob("*.toml")):
        if path.name != shared_path.name and (content := _parse(path, complaints)) is not None:
            raw[path.stem] = content
            check_feed(path.stem, content, complaints.at(path.name))
    extras = sorted(extra_dir.glob("*.toml")) if extra_dir is not None and extra_dir.is_dir() else []
    additions: dict[str, dict[str, Any]] = {}
    for path in extras:
        if (content := _parse(path, complaints)) is None:
            continue
        at = complaints.at(str(path))
        if path.stem == "_shared":
            at.say("本县目录里不能有 _shared.toml", "请把叫法写进各台账自己的文件")
        elif path.stem not in raw:
            raw[path.stem] = content
            check_feed(path.stem, content, at)
        elif unknown := sorted(set(content) - {"aliases", "layout"}):
            at.say(f"已有台账 {path.stem} 只能补充，不能改 {'、'.join(unknown)}", "只写 [aliases] 和 [[layout]]")
        else:
            additions[path.stem] = content
    if complaints.all:
        raise FeedError(complaints.all)

    shared = tuple(replace(_column(c), shared=True) for c in shared_raw["columns"])
    feeds = {}
    for feed_id in sorted(raw):
        at = complaints.at(f"{feed_id}.toml")
        feed = _feed(feed_id, raw[feed_id], shared)
        feed = _extend(feed, raw[feed_id], at)
        if feed_id in additions and extra_dir is not None:
            feed = _extend(feed, additions[feed_id], complaints.at(str(extra_dir / f"{feed_id}.toml")))
        _check_clashes(feed, at)
        feeds[feed_id] = feed
    if complaints.all:
        raise FeedError(complaints.all)
    return feeds


def _parse(path: Path, complaints: Complaints) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        complaints.at(path.name).say("没有这个文件", "请恢复 data/feeds 目录")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        complaints.at(path.name).say(f"不是正确的 TOML：{error}", "请按提示的行列改正，文件用 UTF-8 保存")
    return None


def _column(raw: Mapping[str, Any]) -> Column:
    known = dict(raw)
    for key in ("aliases", "opposite", "first_filled", "not_listed"):
        known[key] = tuple(known.get(key, ()))
    known["codes"] = {code: tuple(others) for code, others in known.get("codes", {}).items()}
    return Column(**known)


def _feed(feed_id: str, raw: Mapping[str, Any], shared: tuple[Column, ...]) -> Feed:
    own = tuple(_column(c) for c in raw["columns"])
    replaced = {column.name for column in own} | set(raw.get("without", ()))
    # an own column under a shared name (户主姓名 as the subject of `housing`) says no more about the feed than that one
    shared_names = {column.name for column in shared}
    own = tuple(replace(column, shared=column.name in shared_names) for column in own)
    return Feed(
        id=feed_id,
        title=raw["title"],
        department=raw["department"],
        row=raw["row"],
        kind=raw["kind"],
        required=tuple(raw["required"]),
        columns=tuple(column for column in shared if column.name not in replaced) + own,
        key=tuple(raw.get("key", ())),
        by_township=raw.get("by_township", False),
        subject=raw.get("subject", "person"),
        absent=tuple(raw.get("absent", ())),
    )


def _extend(feed: Feed, raw: Mapping[str, Any], at: Complaints) -> Feed:
    aliases = raw.get("aliases", {})
    check_aliases(aliases, set(feed.std_columns()), at)
    columns = tuple(replace(c, aliases=c.aliases + tuple(aliases.get(c.name, ()))) for c in feed.columns)
    layouts = raw.get("layout", [])
    check_layouts(layouts, feed.std_columns(), {layout.name for layout in feed.layouts}, at)
    if at.all:
        return feed
    all_layouts = feed.layouts + tuple(_layout(x, feed) for x in layouts)
    if any(x.split for x in all_layouts) and any(x.kind != "person" for x in all_layouts):
        at.say("同一台账里既有带 split 的格式，又有 family 或 roll 格式", "一种台账只能用其中一类")
    return replace(feed, columns=columns, layouts=all_layouts)


def _layout(raw: Mapping[str, Any], feed: Feed) -> Layout:
    return Layout(
        name=raw["name"],
        kind=raw.get("kind", "person"),
        required=tuple(raw.get("required", feed.required)),
        constants=raw.get("constants", {}),
        from_name=raw.get("from_name", {}),
        same_as=raw.get("same_as", {}),
        aliases={name: tuple(headings) for name, headings in raw.get("aliases", {}).items()},
        columns=tuple(_column(c) for c in raw.get("columns", ())),
        present=tuple(raw.get("present", ())),
        absent=feed.absent + tuple(raw.get("absent", ())),
        one_of=tuple(raw.get("one_of", ())),
        signs=tuple(raw.get("signs", ())),
        split=Split(**raw["split"]) if "split" in raw else None,
        refused=raw.get("refused", ""),
    )


def _check_clashes(feed: Feed, at: Complaints) -> None:
    """Two of a feed's own columns under one heading could not be told apart; own against shared: the own one wins."""
    seen: dict[str, str] = {}
    for column in feed.own_columns():
        for heading in {normalise_heading(h) for h in (column.heading, *column.aliases, *column.opposite)}:
            other = seen.setdefault(heading, column.name)
            if other != column.name:
                at.say(f"表头“{heading}”同时属于 {other} 和 {column.name}", "一个表头只能写在一列里")
