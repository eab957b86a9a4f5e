"""Asks for weights from the review page: `buluo link` in a process of its own, which a closed browser does not stop."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

from monitoring.people import Caller, acting
from monitoring.store import Store

ROOT = Path(__file__).resolve().parents[2]
_LOCK = threading.Lock()
STARTED: dict[tuple[Path, str], subprocess.Popen[bytes]] = {}


def start(store: Store, caller: Caller, home: Path, period: str, at: datetime) -> bool:
    """Starts it, journalled; False where it is running already. Raises Denied or SessionOver."""
    with acting(store, caller, "link.decide", at) as act:
        with _LOCK:
            if running(home, period):
                return False
            log = home / "linkage" / "last.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            line = [sys.executable, "-m", "pipelines.cli", "link", "--home", str(home.resolve()), "--period", period]
            with log.open("wb") as out:
                STARTED[home, period] = subprocess.Popen(  # noqa: S603 -- a fixed command line of our own
                    line,
                    cwd=ROOT,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
        act.journal("link.weigh", f"period:{period}")
        return True


def running(home: Path, period: str) -> bool:
    started = STARTED.get((home, period))
    return started is not None and started.poll() is None


def failed(home: Path, period: str) -> bool:
    """Whether the last one that was started here ended without a result."""
    started = STARTED.get((home, period))
    return started is not None and bool(started.poll())
