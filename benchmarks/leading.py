"""Twenty people at once look how the county stands: overview, coverage, checklist, exits; what each view takes on the server.

usage: python -m benchmarks.leading [--persons 20000 | --home HOME] [--people 20] [--seconds 60] [--cache DIR] [--seed 1]

The county has two months, so that every figure has its change; it is made and run once and stays in the cache (--home: any home
with published runs). A home of its own is laid over it, with the alerts of its runs. Everybody comes within a quarter of a
minute. "first view" is the whole overview from opening the connection; then each thinks for two to five seconds and goes on: to
another page, into a township, to another part of a page, or through a figure's link to its list (which a browser loads anew,
connection and all). Drawing in the browser is not measured. Exits with 1 where anything failed.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.crowd import Cores, Figures, Member, ms, print_figures, together
from benchmarks.run import PACK, county_of, step
from monitoring.store import open_store
from monitoring.warehouse import NoWarehouse, Warehouse, publication
from pipelines.office import bring_alerts_up
from tests.serving import Served, Visit, own_home, serving

FIRST, EACH = 2.0, 0.5  # seconds: the goals of the first full view, and of 95 in 100 interactions
MONTHS = 2
PAGES = ("overview", "coverage", "checklist", "exits")
STEPS = {"page": 5, "place": 4, "part": 3, "figure": 5}
PARTS = ("part", "view", "state")  # the keys under which pages have their parts
ROLES = ("leader", "county_staff", "leader", "township_staff", "township_staff")


@dataclass
class Leader(Member):
    """One who looks. `open_` gives a new connection as a browser's page load does."""

    open_: Callable[[], Visit] = field(kw_only=True)

    def work(self, until: float) -> None:
        self.come()
        self.load("first view", "", "")
        while time.monotonic() < until:
            self.think()
            getattr(self, self.chance.choices(list(STEPS), list(STEPS.values()))[0])()

    def load(self, kind: str, page: str, query: str) -> None:
        """A page as its address opens it: with a connection of its own, which counts."""
        begun = time.perf_counter()
        self.visit = self.open_()
        self.visit.page, self.visit.query = page, query
        self.rerun(kind, begun=begun)

    def page(self) -> None:
        self.visit.page, self.visit.query = self.chance.choice(PAGES), ""
        self.rerun(self.visit.page)

    def place(self) -> None:
        picker = self.ids.get("township")
        if picker is None or len(picker.options) < 2:
            self.page()
            return
        self.rerun(
            f"{self.visit.page or 'overview'}: place", picker.id, string_value=self.chance.choice(picker.options)
        )

    def part(self) -> None:
        shown = [self.ids[key] for key in PARTS if key in self.ids and hasattr(self.ids[key], "options")]
        if not shown:
            self.page()
            return
        options = [option.content for option in shown[0].options]
        self.rerun(f"{self.visit.page}: part", shown[0].id, string_array_value=[self.chance.choice(options)])

    def figure(self) -> None:
        """The list behind a figure of the page that is open."""
        links = [link for link in self.links if urlsplit(link).path.strip("/") in PAGES and urlsplit(link).query]
        if not links:
            self.page()
            return
        to = urlsplit(self.chance.choice(links))
        page = to.path.strip("/")
        self.load(f"{page}: link", page, to.query)


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.leading")
    asked.add_argument("--persons", type=int, default=20_000)
    asked.add_argument("--home", type=Path)
    asked.add_argument("--people", type=int, default=20)
    asked.add_argument("--seconds", type=int, default=60)
    asked.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "buluo-bench")
    asked.add_argument("--seed", type=int, default=1)
    a = asked.parse_args()
    published = a.home or _published(a.persons, a.cache)
    if published is None:
        return 1
    with tempfile.TemporaryDirectory() as folder:
        home = own_home(published, Path(folder) / "home")
        store = open_store(home)
        taken = bring_alerts_up(store, home, datetime.now(UTC))
        store.close()
        with serving(home) as served:
            figures, cores = _looked(served, _staff(served, home, a.people), a.seconds, a.seed)
    _print(figures, cores, published, a.people, sum(one.opened for one in taken))
    return 1 if figures.wrong else 0


def _looked(served: Served, staff: list[str], seconds: int, seed: int) -> tuple[Figures, Cores]:
    def work(n: int, cookie: str, figures: Figures, until: float) -> None:
        with contextlib.ExitStack() as stack:

            def opened() -> Visit:
                stack.close()  # a page that is loaded anew leaves the one before
                return stack.enter_context(served.socket(cookie))

            Leader(opened(), figures, random.Random(f"{seed} {n}"), open_=opened).work(until)

    return together(served, staff, seconds, work)


def _staff(served: Served, home: Path, people: int) -> list[str]:
    warehouse = Warehouse(publication(home).run_of(None).path)
    towns = [row["t"] for row in warehouse.rows("select distinct township as t from household where township is not null order by 1")]  # fmt: skip
    warehouse.close()
    made = []
    for n in range(people):
        role = ROLES[n % len(ROLES)]
        made.append(served.account(role, [(towns[n % len(towns)], None)] if role == "township_staff" else []))
    return made


def _published(persons: int, cache: Path) -> Path | None:
    """A home with the county's months published, of the cache; None (and why, on standard error) where a step failed."""
    home = cache / f"leading-{persons}"
    with contextlib.suppress(NoWarehouse):
        publication(home)
        return home
    county = county_of(persons, cache / f"county-{persons}-{MONTHS}", MONTHS)
    if county is None:
        return None
    making = home.with_name(f"{home.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    for inbox in sorted(path for path in county.iterdir() if path.is_dir()):
        line = [sys.executable, "-m", "pipelines.cli", "run", "--home", str(making), "--period", inbox.name, "--inbox", str(inbox), "--pack", PACK]  # fmt: skip
        if step(f"buluo run {inbox.name}", line, allowed=(0, 1)) is None:
            return None
    making.rename(home)
    return home


def _print(figures: Figures, cores: Cores, published: Path, people: int, alerts: int) -> None:
    warehouse = Warehouse(publication(published).run_of(None).path)
    run = warehouse.row("select persons, households from run")
    warehouse.close()
    title = f"{run['persons']:,} persons, {run['households']:,} households, {alerts:,} alerts, {people} people"
    print_figures(title, figures, cores)
    first = figures.seconds["first view"]
    rest = [took for kind, some in figures.seconds.items() if kind != "first view" for took in some]
    print(f"first view: p50 {ms(first, 50):.0f} ms, p95 {ms(first, 95):.0f} ms, slowest {1000 * max(first, default=0):.0f} ms (goal: {1000 * FIRST:.0f} ms)")  # fmt: skip
    print(f"each interaction: p50 {ms(rest, 50):.0f} ms, p95 {ms(rest, 95):.0f} ms (goal: p95 <= {1000 * EACH:.0f} ms)")


if __name__ == "__main__":
    sys.exit(main())
