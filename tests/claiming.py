"""A worker in a process of its own that claims the next alert until none is left, for test_alerts_work.py."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext
from pathlib import Path

from monitoring.alerts.work import claim_next
from monitoring.people import Caller
from monitoring.store import open_store
from monitoring.working_days import working_days
from tests.stores import NOON

working_days()  # computed once, before processes part


def processes() -> ForkServerContext:
    """Processes that start from one which has imported everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.claiming", "tests.killed_decision"])
    return context


def claim_all(home: Path, url: str | None, session: str, out: Path) -> None:
    """Writes the ids in the order in which they were claimed, one a line."""
    store, claimed = open_store(home, url), list[int]()
    while (card := claim_next(store, Caller(session=session), NOON)) is not None:
        claimed.append(card.id)
    store.close()
    out.write_text("\n".join(map(str, claimed)))
