"""`make bench`: makes counties of several sizes, runs them, and prints what was measured beside what was promised.

usage: python -m benchmarks.run [--cache DIR] [SIZE…]      default sizes 100000 300000 1000000
Every step is a process of its own. A made county stays in the cache and is used again; homes are made anew. Nothing is
judged here: the goals stand beside the figures, and one run on a shared machine is one run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import Measured, measure

PERIOD, PACK, SEED = "2026-11", "demo", 1
SIZES = (100_000, 300_000, 1_000_000)


@dataclass(frozen=True)
class Figures:
    """One size: the floor, the run, its steps, and what its warehouse answered."""

    persons: int
    megabytes: float
    floor: Measured
    run: Measured
    steps: list[dict[str, Any]]
    asked: dict[str, float]

    @property
    def assess(self) -> float:
        return float(next(step["seconds"] for step in self.steps if step["name"] == "assess"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run")
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES), metavar="SIZE")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "buluo-bench")
    arguments = parser.parse_args()
    found = []
    for persons in sorted(arguments.sizes or SIZES):
        figures = measure_size(persons, arguments.cache)
        if figures is None:
            return 1
        found.append(figures)
        _print_size(figures)
    _print_ratios(found)
    return 0


def measure_size(persons: int, cache: Path) -> Figures | None:
    """All figures of one size, or None (and why, on standard error) where a step failed."""
    county, home = cache / f"county-{persons}", cache / f"home-{persons}"
    months = county_of(persons, county)
    if months is None:
        return None
    inbox = months / PERIOD
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    floor = step("the floor", [sys.executable, "-m", "benchmarks.floor", str(inbox), str(cache / "floor.duckdb")])
    command = [
        sys.executable,
        "-m",
        "pipelines.cli",
        "run",
        "--home",
        str(home),
        "--period",
        PERIOD,
        "--inbox",
        str(inbox),
        "--pack",
        PACK,
    ]
    run = step("buluo run", command, allowed=(0, 1))
    if floor is None or run is None:
        return None
    timed = sorted((home / "runs").glob("*.json"))
    if not timed:  # a traceback ends with 1 too
        print(f"buluo run published nothing:\n{run.printed}", file=sys.stderr)
        return None
    steps = json.loads(timed[-1].read_text(encoding="utf-8"))["steps"]
    asked = step("the questions", [sys.executable, "-m", "benchmarks.asking", str(home), PERIOD, PACK])
    if asked is None:
        return None
    size = sum(path.stat().st_size for path in inbox.rglob("*") if path.is_file()) / 1e6
    return Figures(persons, size, floor, run, steps, json.loads(asked.printed))


def county_of(persons: int, county: Path, months: int = 1) -> Path | None:
    """The folder of a made county, a folder a month; made where it is not there yet (under another name until it is whole)."""
    if not county.exists():
        making = county.with_name(f"{county.name}.making")
        shutil.rmtree(making, ignore_errors=True)
        wanted = {"persons": persons, "months": months, "seed": SEED}
        made = step(
            f"making a county of {persons:,}",
            [sys.executable, "-m", "pipelines.cli", "sample", "--out", str(making)] + [part for name, value in wanted.items() for part in (f"--{name}", str(value))],
        )  # fmt: skip
        if made is None:
            return None
        making.rename(county)
    return county


def step(what: str, command: list[str], allowed: tuple[int, ...] = (0,)) -> Measured | None:
    print(f"… {what}", file=sys.stderr, flush=True)
    measured = measure(command)
    if measured.status in allowed:
        return measured
    print(f"{what} ended with {measured.status}:\n{measured.printed}", file=sys.stderr)
    return None


def _print_size(figures: Figures) -> None:
    asked = figures.asked
    print(f"\n== {figures.persons:,} persons, {figures.megabytes:,.0f} MB of files")
    print(f"{'floor: read and write':28}{figures.floor.seconds:9.1f} s {figures.floor.peak_mb:8,.0f} MB")
    print(f"{'buluo run':28}{figures.run.seconds:9.1f} s {figures.run.peak_mb:8,.0f} MB")
    for step in figures.steps:
        print(f"{'  ' + step['name']:28}{step['seconds']:9.1f} s {step['peak_mb']:8,.0f} MB so far")
    print(
        f"{'bare SELECT of ' + str(asked['rules']) + ' rules':28}{asked['bare_seconds']:9.2f} s (first {asked['bare_first']:.2f})  {asked['bare_hits']:,} hits, {asked['signals']:,} signals"
    )
    print(
        f"{'household page':28}{1000 * asked['household_seconds']:9.0f} ms  worst {1000 * asked['household_worst']:.0f} ms"
    )
    print(f"{'alert list':28}{1000 * asked['alerts_seconds']:9.0f} ms")
    sys.stdout.flush()


def _print_ratios(found: list[Figures]) -> None:
    print("\n== against the goals")
    for figures in found:
        print(
            f"{figures.persons:>9,}: run / floor {figures.run.seconds / figures.floor.seconds:5.2f} (goal 3)   "
            f"assess / bare SELECT {figures.assess / figures.asked['bare_seconds']:5.2f} (goal 4)   "
            f"peak {figures.run.peak_mb / 1024:4.2f} GB (goal 4)"
        )
    least, most = found[0], found[-1]
    if most.persons > least.persons:
        times = most.persons / least.persons
        grown = most.run.seconds / least.run.seconds
        print(
            f"{least.persons:,} to {most.persons:,} persons ({times:g}x): {grown:.2f}x the time (goal {times * 1.05:g}x)"
        )


if __name__ == "__main__":
    sys.exit(main())
