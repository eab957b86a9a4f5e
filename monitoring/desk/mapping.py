"""A file that no feed recognises: the proposal for the page, and the mapping that a person confirmed, kept in HOME/feeds.

Reading files is the pipeline's work: the proposal comes from `buluo map --json` in a process of its own. What is kept is the
feed's own file in the home with further aliases, loaded strictly before it is put in place; everything else in the home stays.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import tomlkit

from monitoring.access import Scope
from monitoring.desk.uploads import PERIOD
from monitoring.feeds import Feed, FeedError, load_feeds, normalise_heading
from monitoring.language import Words
from monitoring.people import Caller, Denied, acting, reading
from monitoring.placing import placing
from monitoring.store import Store

PROPOSE_SECONDS = 90
_EVERYBODY = Scope()
_BEGINNING = "# 本县文件的叫法，在看板上确认或由 buluo map --keep 记下；可以手工删改，运行前会严格检查。\n[aliases]\n"
_LIKE_A_NAME = re.compile(r"[\u3400-\u9fff·]{2,4}")


class NotKept(ValueError):
    """The mapping cannot be kept; `words` say why."""

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__(words)


def proposal(
    store: Store, caller: Caller, home: Path, period: str, file: str, feed: str | None, mapping: Mapping[str, str | None] | None, at: datetime
) -> dict[str, Any]:  # fmt: skip
    """What a file of the period's inbox might be (see `pipelines.run.proposing.told`), its values masked. Raises Denied,
    SessionOver, NotKept where it cannot be read."""
    with reading(store, caller, "feed.map", at):
        path = inside(home, period, file)
    line = [sys.executable, "-m", "pipelines.cli", "map", str(path), "--home", str(home.resolve()), "--json"]
    line += ["--feed", feed] if feed else []
    line += [part for heading, name in (mapping or {}).items() for part in ("--set", f"{heading}={name or ''}")]
    try:
        done = subprocess.run(  # noqa: S603 -- a list of our own making; the file was found in the inbox
            line, capture_output=True, text=True, timeout=PROPOSE_SECONDS, check=True, cwd=Path(__file__).parents[2]
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise NotKept("这个文件读不出来，没有建议") from error
    for sheet in found["sheets"]:
        for column in sheet["columns"]:
            column["examples"] = [_masked(column, text) for text in column["examples"]]
        sheet["tried"]["rows"] = [
            _EVERYBODY.cells({h: v or "" for h, v in row.items()}) for row in sheet["tried"]["rows"]
        ]
    return found


def _masked(column: Mapping[str, Any], text: str) -> str:
    """A value of an unknown file: by what its heading says, by what it was taken for, and what looks like a name is one."""
    if column["type"] == "name" or (column["type"] == "" and _LIKE_A_NAME.fullmatch(text)):
        return f"{text[:1]}**"
    return _EVERYBODY.cells({column["heading"]: text})[column["heading"]]


def feeds_of(home: Path) -> dict[str, Feed]:
    """Every feed as this home reads it."""
    return load_feeds(home / "feeds")


def inside(home: Path, period: str, file: str) -> Path:
    """A file of a period's inbox. Raises Denied for what is not one."""
    inbox = (home / "inbox" / period).resolve()
    path = (inbox / file).resolve()
    if not PERIOD.fullmatch(period) or not path.is_relative_to(inbox) or not path.is_file():
        raise Denied("原文件已不在本期的收件文件夹里")
    return path


def keep_mapping(
    store: Store, caller: Caller, home: Path, feed: str, aliases: Mapping[str, Sequence[str]], at: datetime
) -> Path:
    """Adds headings to a feed in HOME/feeds/<feed>.toml. Raises Denied, SessionOver, NotKept with every complaint."""
    with placing(home) as files, acting(store, caller, "feed.map", at) as act:
        try:
            feeds = load_feeds(home / "feeds")
        except FeedError as error:
            raise NotKept("；".join(error.complaints)) from error
        if feed not in feeds:
            raise NotKept(Words("没有台账“{feed}”", feed=feed))
        known = feeds[feed].std_columns()
        if wrong := sorted(set(aliases) - set(known)):
            raise NotKept(Words("台账里没有这些列：{known}", known=wrong))
        path = home / "feeds" / f"{feed}.toml"
        text = path.read_text("utf-8-sig") if path.exists() else ""
        kept = tomllib.loads(text).get("aliases", {})
        new = {}
        for name, headings in aliases.items():
            there = {
                normalise_heading(said)
                for said in (known[name].heading, *known[name].aliases, *map(str, kept.get(name, ())))
            }
            new[name] = [said for said in dict.fromkeys(headings) if normalise_heading(said) not in there]
        new = {name: headings for name, headings in new.items() if headings}
        text = _with_aliases(text, new)
        _strictly(home, feed, text)
        files.put(path, text)
        act.journal("feed.map", f"feed:{feed}", headings=new)
    return path


def _with_aliases(text: str, new: Mapping[str, Sequence[str]]) -> str:
    """The file with further headings; what somebody wrote by hand (layouts, columns, comments) stays to the letter."""
    document = tomlkit.parse(text or _BEGINNING)
    table = document.setdefault("aliases", tomlkit.table())
    for name, headings in sorted(new.items()):
        table.setdefault(name, tomlkit.array()).extend(headings)
    return tomlkit.dumps(document)


def _strictly(home: Path, feed: str, text: str) -> None:
    """Loads the home's feeds with the new file, beside the old ones."""
    with tempfile.TemporaryDirectory(prefix="buluo-feeds-") as private:
        trial = Path(private) / "feeds"
        if (home / "feeds").is_dir():
            shutil.copytree(home / "feeds", trial)
        trial.mkdir(exist_ok=True)
        (trial / f"{feed}.toml").write_text(text, encoding="utf-8")
        try:
            load_feeds(trial)
        except FeedError as error:
            raise NotKept("；".join(error.complaints).replace(str(trial), "feeds")) from error
