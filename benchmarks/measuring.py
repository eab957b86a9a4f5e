"""Seconds and peak memory of a command in a process of its own, its children included."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY_SECONDS = 0.1
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Measured:
    """What a command took. `peak_mb`: the most that the process and its children held together at any sample, and no
    less than the most that the process itself ever held."""

    seconds: float
    peak_mb: float
    status: int
    printed: str


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Measured:
    """Runs the command to its end; standard output is kept, standard error goes through."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
    peak = _Peak(process.pid)
    peak.start()
    printed = process.stdout.read() if process.stdout else ""
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    peak.ended.set()
    peak.join()
    return Measured(seconds, max(peak.bytes / 2**20, used.ru_maxrss / 2**10), process.returncode, printed)


class _Peak(threading.Thread):
    """Adds up the resident memory of a process and its descendants, ten times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.bytes, self.ended = pid, 0, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(_EVERY_SECONDS):
            self.bytes = max(self.bytes, sum(map(_resident, _family(self.pid))))


def _family(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        for listed in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                waiting += map(int, listed.read_text().split())
            except OSError:  # the thread has just ended
                continue
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except OSError:  # the process has just ended
        return 0
