"""Work that does not wait for other work, several pieces at a time on the database that a run builds.

DuckDB spreads one statement over the cores only as far as its rows fill row groups of 122,880: most ledgers of a county
are smaller, and so are most tables made of them. Side by side they keep both cores busy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import duckdb

WIDTH = 3  # at a time: two cores, and one to plan while the others run

Work = Callable[[duckdb.DuckDBPyConnection], object]


def abreast(con: duckdb.DuckDBPyConnection, work: Iterable[Work]) -> None:
    """Does each piece of work on a connection of its own (temporary tables of `con` are not seen there), the first ones first;
    raises the first error once all have ended. Where the database has one thread, one after the other on `con`."""
    if _threads(con) == 1:
        for piece in work:
            piece(con)
        return
    with ThreadPoolExecutor(WIDTH) as workers:
        for done in [workers.submit(_work, _beside(con), piece) for piece in work]:
            done.result()


@contextmanager
def checkpointing(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Writes what the database holds in memory to its file, beside work that reads it and makes temporary tables; what changes
    it waits. Where the database has one thread, nothing: its last checkpoint writes it all."""
    if _threads(con) == 1:
        yield
        return
    with ThreadPoolExecutor(1) as worker:
        written = worker.submit(_work, _beside(con), lambda own: own.execute("CHECKPOINT"))
        yield
        with suppress(
            duckdb.TransactionException
        ):  # refused because something was being written: the last one writes it all
            written.result()


def _threads(con: duckdb.DuckDBPyConnection) -> int:
    return int(con.execute("SELECT current_setting('threads')").fetchall()[0][0])


def _beside(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Another connection to the same database, for another thread."""
    catalog = con.execute("SELECT current_catalog()").fetchall()[0][0]
    own = con.cursor()
    own.execute("SET enable_progress_bar = false")
    own.execute(f'USE "{catalog}"')
    return own


def _work(own: duckdb.DuckDBPyConnection, piece: Work) -> None:
    with own:
        piece(own)
