"""What the departments delivered, period by period: HOME/deliveries/<period>/<delivery id>/.

A delivery holds one Parquet file a feed (conformed rows) and the ledger tables. It is written under a temporary name,
renamed when whole, and becomes the period's current delivery, safe on the disk, just before its run is published: what a
published run was made of is there, whenever the power goes. A run that dies between the two has left its delivery, and the
period waits to be run again. The delivery that was replaced stays beside it as superseded. Earlier periods' current
deliveries are what a run of a later period builds on.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.run.publishing import sync

LEDGER_TABLES = ("part", "quarantine", "not_data", "duplicate", "value_issue", "supplement")
# Of deliveries by an older version there are none.
LATER_TABLES = {
    "heading": "part INTEGER, heading VARCHAR, own VARCHAR",
    "correction": 'part INTEGER, "row" INTEGER, key VARCHAR',
}


@dataclass(frozen=True)
class Delivery:
    """One period's delivery on disk; `period` is yyyymm, `feeds` the feeds that it has a file of.

    Of an `unusable` feed there is a file, but every one of its rows is in quarantine: it says nothing, neither that
    nobody has a car nor that what was known of cars has ended.
    """

    period: int
    folder: Path
    feeds: frozenset[str]
    unusable: frozenset[str] = frozenset()

    def rows(self, feed: str) -> Path | None:
        """The Parquet file of the feed's conformed rows, or None where it has none (a file without data rows)."""
        path = self.folder / f"{feed}.parquet"
        return path if path.exists() else None

    def ledger(self, table: str) -> Path:
        return self.folder / f"{table}.ledger.parquet"


def period_number(period: str) -> int:
    """202611 of "2026-11"."""
    return int(period.replace("-", ""))


def period_text(number: int) -> str:
    """ "2026-11" of 202611."""
    return f"{number // 100:04d}-{number % 100:02d}"


def open_delivery(period: int, folder: Path) -> Delivery:
    """The delivery in a folder that was written whole."""
    return Delivery(period, folder, *_feeds_in(folder))


@functools.lru_cache(maxsize=1024)
def _feeds_in(folder: Path) -> tuple[frozenset[str], frozenset[str]]:
    """`feeds` and `unusable`. Kept: what lies under a delivery's name never changes, and every later run asks again."""
    columns = ["feed", "loaded", "duplicate", "quarantined"]
    parts = pl.read_parquet(folder / "part.ledger.parquet", columns=columns).drop_nulls("feed")
    counted = parts.group_by("feed").sum()
    silent = (pl.col("loaded") + pl.col("duplicate") == 0) & (pl.col("quarantined") > 0)
    unusable = frozenset(counted.filter(silent)["feed"].to_list())
    return frozenset(counted["feed"].to_list()) - unusable, unusable


def _files(name: str) -> str:
    """The part of a delivery's name that says which files it is made of."""
    return name.partition("-")[0]


class DeliveryStore:
    """The deliveries of one home."""

    def __init__(self, home: Path) -> None:
        self.root = home / "deliveries"

    def begin(self, period: int) -> Path:
        """An empty folder to write a delivery into; what an interrupted run left there is removed. One run at a time."""
        folder = self.root / period_text(period) / ".writing"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def finish(self, period: int, writing: Path, delivery_id: str) -> Delivery:
        """The whole delivery under its own name, not yet current. The same files again get a name of their own."""
        state = self._state(period)
        kept = {str(name) for name in (state.get("current"), *state.get("superseded", [])) if name}
        name, number = delivery_id, 1
        while name in kept:  # the same files again: what was current or superseded stays as it is
            number += 1
            name = f"{delivery_id}-{number}"
        target = writing.with_name(name)
        shutil.rmtree(target, ignore_errors=True)
        writing.rename(target)
        return open_delivery(period, target)

    def discard(self, delivery: Delivery) -> None:
        """Removes a delivery that was refused or held."""
        shutil.rmtree(delivery.folder, ignore_errors=True)

    def make_current(self, delivery: Delivery) -> None:
        """Points the period at this delivery, atomically; the former one is listed as superseded. All survives a power cut."""
        above = (delivery.folder.parent, self.root, self.root.parent)
        for written in (*sorted(delivery.folder.iterdir()), delivery.folder, *above):
            sync(written)
        state = self._state(delivery.period)
        before = [*state.get("superseded", []), *filter(None, [state.get("current")])]
        superseded = [str(name) for name in dict.fromkeys(before) if _files(str(name)) != _files(delivery.folder.name)]
        path = delivery.folder.parent / "current.json"
        temporary = path.with_suffix(".new")
        with temporary.open("w", encoding="utf-8") as f:
            json.dump({"current": delivery.folder.name, "superseded": superseded}, f)
            f.flush()
            os.fsync(f.fileno())
        temporary.replace(path)
        sync(path.parent)

    def current(self, up_to: int) -> list[Delivery]:
        """The current deliveries of the periods up to and including `up_to`, oldest first."""
        return [d for d in self._all() if d.period <= up_to]

    def sweep(self) -> None:
        """Removes what interrupted runs left, and doubles of a delivery: whatever no period's state names."""
        for folder in self.root.glob("[0-9]*/*/"):
            state = self._state(period_number(folder.parent.name))
            if folder.name not in {state.get("current"), *state.get("superseded", ())}:
                shutil.rmtree(folder, ignore_errors=True)

    def _state(self, period: int) -> dict[str, Any]:
        path = self.root / period_text(period) / "current.json"
        state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return state

    def _all(self) -> Iterator[Delivery]:
        for folder in sorted(self.root.glob("[0-9]*")):
            period = period_number(folder.name)
            current = self._state(period).get("current")
            if current:
                yield open_delivery(period, folder / str(current))
