"""Many people at the real server at once, each with a socket that speaks Streamlit's protocol as a browser does.

A `Member` comes, sends reruns and understands the pages that come back; `together` has all of them at it and measures. An
interaction lasts from sending the rerun until the message that says the script has finished; messages are read in between, and
understood afterwards. Everything runs on one machine, so that the clients' own work (told as cores) is in the figures.
"""

from __future__ import annotations

import os
import random
import re
import statistics
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.serving import Served, Visit

WAIT = 60.0
COMING = 15.0  # seconds within which everybody has come
EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN
LINK = re.compile(r'<a href="(/[^"]+)"')
FAILED = ("这一页没能显示出来", "办理库正忙", "会话已失效")
SHORT = (
    400  # bytes: the message that a script has finished is short; longer ones are understood after the clock stopped
)


@dataclass
class Figures:
    """Seconds by kind of interaction; what went wrong; how many bytes came."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: Counter[str] = field(default_factory=Counter)
    received: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Member(ABC):
    """One of them, with a socket of their own. A subclass says what they do (`work`)."""

    visit: Visit
    figures: Figures
    chance: random.Random
    ids: dict[str, Any] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)

    @abstractmethod
    def work(self, until: float) -> None:
        """Goes on until that moment."""

    def come(self) -> None:
        """Everybody comes at another moment of the first quarter of a minute."""
        time.sleep(self.chance.uniform(0, COMING))

    def think(self) -> None:
        time.sleep(self.chance.uniform(2, 5))

    def labelled(self, label: str) -> Any:
        return next((one for one in self.ids.values() if getattr(one, "label", "") == label), None)

    def rerun(self, kind: str, widget: str = "", begun: float | None = None, **value: Any) -> None:
        message = BackMsg()
        if widget:
            state = message.rerun_script.widget_states.widgets.add(id=widget)
            for name, given in value.items():
                if isinstance(given, list):
                    getattr(state, name).data.extend(given)
                else:
                    setattr(state, name, given)
        self.send(kind, message, begun)

    def send(self, kind: str, message: BackMsg, begun: float | None = None) -> None:
        """Sends it and reads until the page is there; `begun` where the clock ran before (the connection was opened for it)."""
        message.rerun_script.page_name, message.rerun_script.query_string = self.visit.page, self.visit.query
        begun = time.perf_counter() if begun is None else begun
        self.visit.send(message)
        raw = list(self._until_finished(begun))
        took = time.perf_counter() - begun
        self._understand(raw)
        with self.figures.lock:
            self.figures.seconds[kind].append(took)
            self.figures.received += sum(map(len, raw))

    def _until_finished(self, begun: float) -> Iterator[bytes]:
        while True:
            data = self.visit.connection.recv(max(WAIT - (time.perf_counter() - begun), 0.01))
            if not isinstance(data, bytes):
                continue
            yield data
            if len(data) < SHORT:
                found = ForwardMsg()
                found.ParseFromString(data)
                if found.WhichOneof("type") == "script_finished" and found.script_finished != EARLY:
                    return

    def _understand(self, raw: list[bytes]) -> None:
        """The page as it now is: its widgets by key; and whether it says that something went wrong."""
        found: dict[str, Any] = {}
        links: list[str] = []
        for data in raw:
            message = ForwardMsg()
            message.ParseFromString(data)
            kind = message.WhichOneof("type")
            if kind == "new_session":
                found.clear()
                links.clear()
            if kind == "page_info_changed":
                self.visit.query = message.page_info_changed.query_string
            if kind != "delta" or message.delta.WhichOneof("type") != "new_element":
                continue
            element = message.delta.new_element
            shape = element.WhichOneof("type")
            made: Any = getattr(element, shape) if shape else None
            if getattr(made, "id", ""):
                found[made.id.split("-", 2)[-1]] = made
            said = element.html.body if shape == "html" else ""
            links += [unescape(link) for link in LINK.findall(said)]
            for words in FAILED:
                if words in said or shape == "exception":
                    with self.figures.lock:
                        self.figures.wrong[words] += 1
        self.ids, self.links = found, links


@dataclass
class Cores:
    """How many cores clients and server took, and the server's seconds of processor."""

    clients: float
    server: float
    spent: float


def together(
    served: Served, names: list[str], seconds: int, work: Callable[[int, str, Figures, float], None]
) -> tuple[Figures, Cores]:
    """All accounts at work for so long: `work(n, cookie, figures, until)` is one person's, in a thread of its own."""
    figures, cookies = Figures(), [served.log_in("", name=name) for name in names]
    own, server = time.process_time(), _used(served.process.pid)
    begun, until = time.monotonic(), time.monotonic() + seconds

    def one(n: int) -> None:
        try:
            work(n, cookies[n], figures, until)
        except Exception as failure:
            with figures.lock:
                figures.wrong[repr(failure)[:120]] += 1

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(names))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - begun
    spent = _used(served.process.pid) - server
    return figures, Cores((time.process_time() - own) / took, spent / took, spent)


def _used(pid: int) -> float:
    """Seconds of processor that a process has used, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def print_figures(title: str, figures: Figures, cores: Cores) -> None:
    """A line a kind of interaction, with what 50 and 95 in 100 took."""
    every = [seconds for some in figures.seconds.values() for seconds in some]
    print(f"{title}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    print(f"{len(every)} interactions, {figures.received / max(len(every), 1) / 1024:.0f} KiB each; "
          f"cores used: clients {cores.clients:.2f}, server {cores.server:.2f}; "
          f"processor of the server {1000 * cores.spent / max(len(every), 1):.0f} ms each")  # fmt: skip
    wide = max(map(len, figures.seconds), default=8) + 1
    print(f"{'':{wide}}{'count':>7}{'p50 ms':>9}{'p95 ms':>9}{'max ms':>9}")
    for kind, some in [*sorted(figures.seconds.items()), ("all", every)]:
        print(f"{kind:{wide}}{len(some):7}{ms(some, 50):9.0f}{ms(some, 95):9.0f}{max(some, default=0) * 1000:9.0f}")
    print(f"errors: {dict(figures.wrong) or 'none'}")


def ms(seconds: list[float], percent: int) -> float:
    """A percentile in milliseconds."""
    return 1000 * (
        statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] if len(seconds) > 1 else sum(seconds)
    )
