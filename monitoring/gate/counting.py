"""Denied requests go into the journal without filling the disk: of one kind and address the first is written at once, the
rest of that minute as one row with their number.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.store.journal import Entry

WINDOW = timedelta(minutes=1)
MOST_KINDS = 500  # beyond, addresses are no longer told apart
_NUMBERS = re.compile(r"[0-9]{7,}")


@dataclass
class _Window:
    first: datetime
    entry: Entry
    more: int = 0


class Tally:
    """`note` what was denied; `flush` now and then. Safe to call from several threads."""

    def __init__(self, write: Callable[[Entry, datetime], None]) -> None:
        self._write = write
        self._windows: dict[tuple[str, ...], _Window] = {}
        self._lock = threading.Lock()

    def note(self, address: str, event: str, why: str, path: str, at: datetime, who: str = "?") -> None:
        """One request that was not served. `path` without its query; long numbers in it are not kept."""
        entry = Entry(who, "", address[:64], event, "", "denied", {"why": why, "path": _NUMBERS.sub("*", path)[:80]})
        with self._lock:
            key = (address, event, who) if len(self._windows) < MOST_KINDS else ("*", event)
            window = self._windows.get(key)
            if window is not None:
                window.more += 1
                return
            self._windows[key] = _Window(at, entry)
        self._write(entry, at)

    def flush(self, at: datetime, everything: bool = False) -> None:
        """Writes the sums of the minutes that are over (of all, at the end)."""
        with self._lock:
            over = [key for key, window in self._windows.items() if everything or at - window.first >= WINDOW]
            done = [self._windows.pop(key) for key in over]
        for window in done:
            if window.more:
                told = {**(window.entry.detail or {}), "more": window.more}
                entry = Entry(window.entry.who, "", window.entry.address, window.entry.event, "", "denied", told)
                self._write(entry, at)


class Limit:
    """At most so many in a minute from one address; the counts of the minute before are forgotten."""

    def __init__(self, most: int) -> None:
        self._most, self._minute = most, 0
        self._counts: dict[str, int] = {}

    def passes(self, address: str, at: datetime) -> bool:
        minute = int(at.timestamp()) // 60
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        self._counts[address] = self._counts.get(address, 0) + 1
        return self._counts[address] <= self._most
