"""A run that kills itself, for test_run.py: python -m tests.killed_run HOME INBOX PERIOD MOMENT

MOMENT is `step:NAME` (when the step begins), `file:N` (the Nth file of the inbox) or `write:N` (before the Nth
operation that renames, replaces or syncs a file: the moments at which what is on disk changes for others).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.run import Order, run


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


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

        os.fsync = counted(os.fsync)
        Path.rename = counted(Path.rename)  # type: ignore[method-assign]
        Path.replace = counted(Path.replace)  # type: ignore[method-assign]

    def told(step: str, done: int, _of: int, file: str) -> None:
        if (kind == "step" and step == what and not done) or (kind == "file" and file and done == int(what)):
            die()

    return told


if __name__ == "__main__":
    home, inbox, period, moment = sys.argv[1:]
    run(Order(Path(home), period, Path(inbox), accept_shrink=True), dying_at(moment))
