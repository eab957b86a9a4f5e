"""A sync that kills itself at its n-th statement, for test_alerts_sync.py: python -m tests.killed_sync

Reads one JSON object a line (home, url, path, run, period, as_of, at, n), lets a child of its own take the run in, and answers
`killed` or `done`. Statements are what SQLAlchemy sends, each COPY of rows before and after, and the commit. Nothing is
loaded anew for each: the child is a fork of this process, which itself opens nothing.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event

from monitoring.alerts.syncing import take_in
from monitoring.store import bulk, open_store


def sync(told: dict[str, Any]) -> None:
    """Takes the run in, up to the n-th statement."""
    store = open_store(Path(told["home"]), told["url"])
    left = [told["n"]]

    def counted(*_: Any, **__: Any) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(copy: Callable[..., None]) -> Callable[..., None]:
        def call(*args: Any) -> None:
            counted()
            copy(*args)
            counted()

        return call

    event.listen(store.engine, "before_cursor_execute", counted)
    event.listen(store.engine, "commit", counted)
    bulk._copy = around(bulk._copy)
    as_of, at = date.fromisoformat(told["as_of"]), datetime.fromisoformat(told["at"])
    take_in(store, Path(told["path"]), told["run"], told["period"], as_of, at)


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                sync(json.loads(line))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else "done" if status == 0 else "failed", flush=True)


if __name__ == "__main__":
    main()
