"""A run begun from the page: the real `buluo run` in a process of its own, which goes on whoever closes what.

How far it is stands in HOME/runs/desk.json, written by the run itself. Whether it lives tells a lock that it is given on its way
and that ends with it: numbers of processes come again after a restart. Of two runs the second is refused, here and by the lock
of the run. A run that died without a word is told as failed; what is published never depends on it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitoring.desk.uploads import PERIOD
from monitoring.people import Caller, acting, reading
from monitoring.refusal import Refusal
from monitoring.store import Store

_BEGUN: list[subprocess.Popen[bytes]] = []  # by this process: it is their parent, and asks after them
RUNNING, DONE, REFUSED, FAILED = "running", "done", "refused", "failed"


class NotBegun(Refusal):
    """No run was begun."""


@dataclass(frozen=True)
class Progress:
    """How far the last run is: its state, the step and how much of it, and what it said in the end."""

    state: str
    period: str
    by: str
    step: str = ""
    done: int = 0
    of: int = 1
    what: str = ""
    words: str = ""

    @property
    def share(self) -> float:
        """How much of the step is done, 0 to 1."""
        return min(1.0, self.done / max(1, self.of))


def begin_run(store: Store, caller: Caller, home: Path, period: str, pack: str, accept: bool, at: datetime) -> None:
    """Begins the run of a period's inbox; `accept`: what shrank was looked at. Raises Denied, SessionOver, NotBegun."""
    if not PERIOD.fullmatch(period):
        raise NotBegun("期间应写作 2026-11 这样的年月")
    (home / "runs").mkdir(parents=True, exist_ok=True)
    with _alone(home):
        with acting(store, caller, "run.begin", at) as act:
            before = _read(home)
            if before is not None and before.state == RUNNING:
                raise NotBegun("已有一次运行在进行，请等它结束")
            act.journal("run.begin", f"run:{period}", pack=pack, accept=accept)
        _start(home, period, pack, accept, act.person.person)


def _start(home: Path, period: str, pack: str, accept: bool, by: str) -> None:
    """The process, with a lock of its own: held by nobody else, and free once it has ended, however it ends."""
    line = [sys.executable, "-m", "pipelines.cli", "run", "--period", period, "--pack", pack]
    line += ["--home", str(home.resolve()), "--state", str(state_file(home).resolve())]
    line += ["--accept-shrink"] if accept else []
    with (home / "runs" / "desk.log").open("wb") as log, _living(home).open("w") as lives:
        fcntl.flock(lives, fcntl.LOCK_EX)
        write_state(state_file(home), {"state": RUNNING, "period": period, "by": by})
        _BEGUN.append(subprocess.Popen(  # noqa: S603 -- a list of our own making; period and pack are checked by the run
            line, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, cwd=Path(__file__).parents[2],
            pass_fds=(lives.fileno(),),
        ))  # fmt: skip


def progress(store: Store, caller: Caller, home: Path, at: datetime) -> Progress | None:
    """How far the last run from the page is; None where there was none. Raises Denied, SessionOver."""
    with reading(store, caller, "run.begin", at):
        return _read(home)


def state_file(home: Path) -> Path:
    return home / "runs" / "desk.json"


def write_state(path: Path, told: dict[str, object]) -> None:
    """Puts what is told into the state, the rest stays; readers see the old or the new whole."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(json.dumps({**_raw(path), **told}, ensure_ascii=False), encoding="utf-8")
    new.replace(path)


def _read(home: Path) -> Progress | None:
    raw = _raw(state_file(home))
    if not raw:
        return None
    found = Progress(**{key: value for key, value in raw.items() if key in Progress.__dataclass_fields__})  # type: ignore[arg-type]
    if found.state == RUNNING and not _lives(home):
        last = _raw(state_file(home))  # it may have ended between the two looks
        if last.get("state") == RUNNING:
            return Progress(
                FAILED,
                found.period,
                found.by,
                words="运行中断了；已发布的结果没有变。请再运行一次，还不行请看 runs/desk.log",
            )
        return _read(home)
    return found


def _raw(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _living(home: Path) -> Path:
    return home / "runs" / "desk.lives"


def _lives(home: Path) -> bool:
    """Whether the process that was begun last is there and has not ended; those of our own do not stay as zombies."""
    for process in _BEGUN:
        process.poll()
    try:
        with _living(home).open() as lives:
            fcntl.flock(lives, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Two clicks at once begin one run."""
    with (home / "runs" / "desk.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
