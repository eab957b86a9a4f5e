"""What the gate's parts share in one process: the case store, the settings, the clock, the open sockets, the tally."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from monitoring.gate.counting import Limit, Tally
from monitoring.people import Caller, downloads, sessions
from monitoring.people.callers import TOUCH, touch
from monitoring.people.settings import Security
from monitoring.store import Store, journal, open_store
from monitoring.store.journal import Entry

SWEEP_SECONDS = 2
UNREACHABLE_SWEEPS = 5  # so many sweeps without the store, and every socket is closed
LOG_INS_A_MINUTE = 120  # from one address; nginx limits before (10 a minute)
HOUR = timedelta(hours=1)
Answer = TypeVar("Answer")
_LOG = logging.getLogger("buluo")


@cache
def opened_store(home: Path) -> Store:
    """The home's case store, one a process: the gate and the pages' script share it. Raises StoreError."""
    return open_store(home)


class House:
    """Opened with the server. `store` is opened when it is first asked for; a failure to open it ends the start."""

    def __init__(self, open_store: Callable[[], Store], clock: Callable[[], datetime], security: Security) -> None:
        self._open, self.clock, self.security = open_store, clock, security
        self.tally = Tally(self._journal)
        self.log_ins = Limit(LOG_INS_A_MINUTE)
        self._sockets: dict[str, set[asyncio.Event]] = {}
        self._touched: dict[str, datetime] = {}
        self._unreachable = 0
        self._hour: datetime | None = None
        # Threads of their own for each: guessing passwords, or a locked store, must not keep anybody else waiting.
        self._looking, self._writing, self._entering = (ThreadPoolExecutor(n, "gate") for n in (8, 4, 4))

    @cached_property
    def store(self) -> Store:
        return self._open()

    def _journal(self, entry: Entry, at: datetime) -> None:
        """A denial stands even where it cannot be written down; the log says so then."""
        try:
            with self.store.write() as con:
                journal.append(con, self.store.key, entry, at)
        except SQLAlchemyError:
            _LOG.exception("a denied request could not be journalled")

    @contextlib.contextmanager
    def socket(self, public: str) -> Iterator[asyncio.Event]:
        """While it lasts, the socket of this session is closed by setting the event."""
        gone = asyncio.Event()
        self._sockets.setdefault(public, set()).add(gone)
        try:
            yield gone
        finally:
            self._sockets[public].discard(gone)
            if not self._sockets[public]:
                del self._sockets[public]
                self._touched.pop(public, None)

    def close(self, public: str | None) -> None:
        """Closes the sockets of a session at once."""
        for gone in self._sockets.get(public or "", ()):
            gone.set()

    def sockets(self) -> int:
        return sum(len(events) for events in self._sockets.values())

    async def look(self, ask: Callable[..., Answer], *details: Any) -> Answer:
        """A short question to the store, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._looking, lambda: ask(*details))

    async def write(self, do: Callable[..., Answer], *details: Any) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._writing, lambda: do(*details))

    async def enter(self, do: Callable[..., Answer], *details: Any) -> Answer:
        """A step of a log-in, which takes a while on purpose."""
        return await asyncio.get_running_loop().run_in_executor(self._entering, lambda: do(*details))

    def later(self, do: Callable[..., None], *details: Any) -> None:
        """Something that nobody waits for."""
        self._writing.submit(_logged, do, *details)

    def touched(self, public: str, address: str) -> None:
        """The person did something: the idle time begins anew (written once a minute at most)."""
        at = self.clock()
        last = self._touched.get(public)
        if last is None or at - last >= TOUCH:
            self._touched[public] = at
            self.later(touch, self.store, Caller(session=public, address=address), at)

    async def sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await self.sweep()

    async def sweep(self) -> None:
        """Closes the sockets of sessions that are over, whoever ended them; once an hour, anchors and tidies up."""
        publics = list(self._sockets)
        try:
            await self.write(self.tally.flush, self.clock())
            kept = await self.look(sessions.live, self.store, publics, self.clock()) if publics else set()
            self._unreachable = 0
            if self._hour is None or self.clock() - self._hour >= HOUR:
                self._hour = self.clock()
                await self.write(self.tidy)
        except (SQLAlchemyError, OSError):
            _LOG.exception("sweep failed")
            self._unreachable += 1
            if self._unreachable < UNREACHABLE_SWEEPS:
                return
            kept = set()
        for public in publics:
            if public not in kept:
                self.close(public)

    def tidy(self) -> None:
        """The anchor outside the database; files nobody took; what ended long ago."""
        at = self.clock()
        journal.anchor(self.store, at)
        downloads.clean(self.store, at)
        sessions.clean(self.store, at)

    async def end(self) -> None:
        """The server stops: sums and anchor are written."""
        await self.write(self.tally.flush, self.clock(), True)
        await self.write(journal.anchor, self.store, self.clock())
        for threads in (self._looking, self._writing, self._entering):
            threads.shutdown(wait=False, cancel_futures=True)


def _logged(do: Callable[..., None], *details: Any) -> None:
    try:
        do(*details)
    except (SQLAlchemyError, OSError):
        _LOG.exception("could not be written")
