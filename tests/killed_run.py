"""Runs that kill themselves, for test_run.py: `python -m tests.killed_run` reads lines [HOME, INBOX, PERIOD, MOMENT] as JSON
and answers each with `killed`, `done` or `failed`. A run is a fork of this process, which has imported what takes longest.

MOMENT is `step:NAME` (when the step begins), `file:N` (when N files have been read) or `write:N` (before the Nth
operation that renames, replaces or syncs a file: the moments at which what is on disk changes for others; the files of a
delivery, synced one after the other, are one moment).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import monitoring.checks
import monitoring.rules  # noqa: F401 -- with DuckDB, Polars and the parser of conditions; imported once for all runs


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run_until(home: str, inbox: str, period: str, moment: str) -> None:
    # Only in a fork: importing it starts threads of Polars', which a fork would not inherit.
    from pipelines.run import Order, run

    run(Order(Path(home), period, Path(inbox), accept_shrink=True), dying_at(moment))


def dying_at(moment: str) -> Callable[[str, int, int, str], None]:
    kind, _, what = moment.partition(":")
    if kind == "write":
        left = [int(what)]

        def counted(operation: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any) -> Any:
                left[0] -= 1
                if not left[0]:
                    die()
                return operation(*args)

            return call

        whole, sync = os.fsync, counted(os.fsync)
        os.fsync = lambda fd: (whole if Path(f"/proc/self/fd/{fd}").readlink().suffix == ".parquet" else sync)(fd)
        Path.rename = counted(Path.rename)  # type: ignore[method-assign]
        Path.replace = counted(Path.replace)  # type: ignore[method-assign]

    def told(step: str, done: int, _of: int, file: str) -> None:
        if (kind == "step" and step == what and not done) or (kind == "file" and file and done == int(what)):
            die()

    return told


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                run_until(*json.loads(line))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("killed" if killed else "done" if status == 0 else "failed", flush=True)


if __name__ == "__main__":
    main()
