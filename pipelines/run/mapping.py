"""The command `map`: what a file that no feed recognises might be, and keeping that as the county's own reading of such files."""

from __future__ import annotations

import argparse
import getpass
import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

from monitoring.desk.mapping import keep_mapping
from monitoring.feeds import Feed, FeedError, load_feeds
from monitoring.people import operator
from monitoring.store import open_store
from pipelines.parsing import Unreadable
from pipelines.run.proposing import propose, sheets_of, told

Add = Callable[[str, str, Callable[[argparse.Namespace, Console], int]], argparse.ArgumentParser]


def add_commands(add: Add) -> None:
    p = add("map", "认不出的文件可能是哪种台账，各列对应什么；确认后记住", _map)
    p.add_argument("file", type=Path, metavar="文件")
    p.add_argument("--feed", default=None, help="就按这种台账对应（默认取最像的）")
    p.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="表头=列",
        help="改一列的对应，如 编号=certificate；等号后不写为不用这一列",
    )
    p.add_argument("--json", action="store_true", help="给看板用")
    p.add_argument("--keep", action="store_true", help="确认：写入主目录的 feeds，以后同样的表头都认得")


def print_proposal(path: Path, sheet: str, feeds: Mapping[str, Feed], console: Console) -> None:
    """For `check`: what an unrecognised sheet might be; nothing where that cannot be said."""
    try:
        found = next((one for one in sheets_of(path) if one.name == sheet), None)
    except Unreadable:
        return
    one = propose(found, feeds, f"{path.stem} {sheet}") if found is not None else None
    if one is None or not one.aliases:
        return
    pairs = "、".join(f"{c.heading}→{feeds[one.feed].std_columns()[c.column].heading}" for c in one.columns if c.column)
    console.print(f"  可能是{feeds[one.feed].title}（{one.feed}）：{pairs}", markup=False)
    if one.lacks:
        console.print(
            "  还缺必填的列：" + "、".join(feeds[one.feed].std_columns()[name].heading for name in one.lacks),
            markup=False,
        )
    console.print(f"  核对后记住：buluo map {shlex.quote(path.name)} --feed {one.feed} --keep", markup=False)


def _map(a: argparse.Namespace, console: Console) -> int:
    """Ends with 0 where every required column was found, else 1. Raises ValueError in words."""
    try:
        feeds = load_feeds(a.home / "feeds")
    except FeedError as error:
        raise ValueError(str(error)) from error
    if a.feed is not None and a.feed not in feeds:
        raise ValueError(f"没有台账“{a.feed}”；有：{'、'.join(feeds)}")
    if not a.file.is_file():
        raise ValueError(f"没有文件 {a.file}")
    changed = {heading: name or None for heading, _, name in (text.partition("=") for text in a.set)}
    found = told(a.file, feeds, a.feed, changed or None)
    if a.json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    if not found["sheets"]:
        raise ValueError(f"{a.file.name}：{found['problem']}")
    for sheet in found["sheets"]:
        _say(sheet, feeds, console)
    if a.keep:
        best = max(found["sheets"], key=lambda sheet: sheet["tried"]["loaded"])
        aliases: dict[str, list[str]] = {}
        for one in best["columns"]:
            if one["column"]:
                aliases.setdefault(one["column"], []).append(one["heading"])
        store = open_store(a.home)
        try:
            path = keep_mapping(store, operator(getpass.getuser()), a.home, best["feed"], aliases, a.at)
        finally:
            store.close()
        console.print(f"已记住：{path}", markup=False)
    return 1 if any(sheet["lacks"] for sheet in found["sheets"]) else 0


def _say(sheet: dict[str, object], feeds: Mapping[str, Feed], console: Console) -> None:
    feed = feeds[str(sheet["feed"])]
    console.print(
        f"{sheet['sheet'] or '全表'}（表头在第 {sheet['heading_row']} 行）可能是{feed.title}（{feed.id}）", markup=False
    )
    for one in sheet["columns"]:  # type: ignore[attr-defined]
        column = feed.std_columns().get(one["column"] or "")
        console.print(
            f"  {one['heading']} → {f'{column.heading}（{column.name}）' if column else '不用'}", markup=False
        )
    tried = sheet["tried"]
    assert isinstance(tried, dict)  # noqa: S101 -- `told` makes it
    console.print(
        f"  照此读取：载入 {tried['loaded']:,} 行，隔离 {tried['quarantined']:,} 行{'；' + tried['reason'] if tried['reason'] else ''}",
        markup=False,
    )
