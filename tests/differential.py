"""Compares the pipeline with the oracle on generated counties: same files in, same signals out.

    python -m tests.differential --seeds 0:50 --pack caojie-2024 --buluo ".venv/bin/buluo"

Every difference is printed with the facts that the oracle saw and all rows of the household or person, so that it can
be settled without opening a file. Tests call `compare` with a function of their own that turns deliveries into signals.
"""

from __future__ import annotations

import argparse
import csv
import random
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from tests.oracle import Deliveries, signals, write_csv
from tests.oracle.counties import random_county
from tests.oracle.judging import ASSISTANCE_FEEDS
from tests.oracle.packs import PARENT
from tests.oracle.reading import valid_number
from tests.oracle.words import Words

Key = tuple[str, str, str, str]
Produce = Callable[[Deliveries, str, str], set[Key]]
FACTS = (
    *("size", "standard", "income_pc", "income_year", "medical_12m", "rigid_12m", "kind", "at_risk", "cleared"),
    *("identified", "whole_dibao", "is_low_income", "property_fits", "homes", "heads"),
)


class Difference(NamedTuple):
    """`only` says who has the signal: `oracle` or `buluo`."""

    only: str
    signal: Key


class Failed(Exception):
    """The command line ended with something other than 0 or 1."""


def compare(deliveries: Deliveries, pack: str, produce: Produce) -> list[Difference]:
    """What only one of the two says about the last period."""
    period = max(deliveries)
    ours, theirs = signals(deliveries, period, pack), produce(deliveries, period, pack)
    return [Difference("oracle", s) for s in sorted(ours - theirs)] + [
        Difference("buluo", s) for s in sorted(theirs - ours)
    ]


# -- the command line as a producer -------------------------------------------------------------------------------


def signal_key(row: dict[str, str]) -> Key:
    """A row of the signals table as the oracle names it."""
    kind = row["subject"]
    key = row["household_id"] if kind == "household" else (row["id_number"] or row["name"])
    if kind == "household" and key.startswith("U-") and valid_number(key[2:]) is None:
        key = "U-" + row["name"]  # the stable key of somebody without a number is the product's own affair
    if kind not in ("household", "person", "record"):
        key = row["name"]
    return row["rule"], kind, key, row["level"]


def read_export(path: Path) -> set[Key]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return {signal_key(row) for row in csv.DictReader(handle)}


def call(command: list[str], allowed: tuple[int, ...]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in allowed:
        tail = (done.stdout + done.stderr)[-3000:]
        raise Failed(f"{shlex.join(command)} ended with {done.returncode}\n{tail}")


def by_command(buluo: list[str]) -> Produce:
    """Runs the periods one after the other in a fresh home and exports the last one."""

    def produce(deliveries: Deliveries, period: str, pack: str) -> set[Key]:
        with tempfile.TemporaryDirectory() as folder:
            home, out = Path(folder) / "home", Path(folder) / "out.csv"
            for at, inbox in sorted(write_csv(deliveries, Path(folder) / "inbox").items()):
                where = ["--home", str(home), "--inbox", str(inbox), "--pack", pack, "--period", at]
                call([*buluo, "run", *where, "--accept-shrink"], (0, 1))
            ask = ["--home", str(home), "--period", period, "--unmask", "--reason", "test", "-o", str(out)]
            call([*buluo, "export", "signals", *ask], (0,))
            return read_export(out)

    return produce


# -- what to look at -----------------------------------------------------------------------------------------------


def people_behind(words: Words, signal: Key) -> tuple[set[str], set[str]]:
    """The households and persons whom a signal is about; a person brings the household along."""
    county, (_, kind, key, _) = words.county, signal
    if kind == "household":
        return {key}, set(county.households.get(key, ()))
    people = {p for p in county.persons if county.key(p) == key or key in county.names.get(p, ())}
    houses = {county.home[p] for p in people}
    return houses, people | {m for h in houses for m in county.households.get(h, ())}


def related_rows(deliveries: Deliveries, words: Words, signal: Key) -> Iterator[str]:
    """Every row of every delivery that names one of them, without its blank columns."""
    houses, people = people_behind(words, signal)
    names = {name for p in people for name in words.county.names.get(p, ())} | {signal[2]}
    wanted = houses | people | names
    for period, feeds in sorted(deliveries.items()):
        for feed, rows in feeds.items():
            for row in rows:
                if wanted & ({*row.values()} | {valid_number(v) or "" for v in row.values()}):
                    shown = " ".join(f"{k}={v}" for k, v in row.items() if v)
                    yield f"    {period} {feed}: {shown}"


def facts(words: Words, signal: Key) -> Iterator[str]:
    houses, people = people_behind(words, signal)
    for house in sorted(houses):
        if house in words.county.households and words.size(house):
            values = {name: getattr(words, name, words.county.heads)(house) for name in FACTS}
            yield f"    {house}: " + " ".join(f"{name}={shown(value)}" for name, value in values.items())
    for person in sorted(people):
        died = words.county.died.get(person)
        feeds = ",".join(sorted(words.county.found_in[person] & ASSISTANCE_FEEDS))
        yield (
            f"    {words.county.name(person)} {person}: home={words.home(person)} age={words.age(person)} died={died} "
            f"labour={shown(words.no_labour(person), negate=True)} township={words.county.township(person)} in={feeds}"
        )


def shown(value: Any, negate: bool = False) -> str:
    if value is None:
        return "?"
    if negate:
        return str(not value)
    return f"{float(value):g}" if isinstance(value, Fraction) else str(value)


def explain(deliveries: Deliveries, pack: str, difference: Difference) -> str:
    """The difference, the oracle's facts and the rows behind it."""
    period = max(deliveries)
    words = Words(deliveries, period, pack)
    title = f"only {difference.only}: {' '.join(difference.signal)}  ({pack}, {period})"
    return "\n".join([title, *facts(words, difference.signal), *related_rows(deliveries, words, difference.signal)])


# -- many seeds ----------------------------------------------------------------------------------------------------


def county_of(seed: int, households: int) -> Deliveries:
    """Even seeds have one month, odd ones two, every fifth odd one three."""
    months = 1 if seed % 2 == 0 else (3 if seed % 5 == 0 else 2)
    return random_county(random.Random(seed), households, months)


def report(results: Iterable[tuple[int, str, list[Difference] | Failed]], households: int, details: int) -> int:
    """Prints the differences, the first `details` of each rule in full, and a count by rule. Returns how many."""
    counts: Counter[tuple[str, str]] = Counter()
    failures = 0
    for seed, pack, found in results:
        if isinstance(found, Failed):
            failures += 1
            print(f"seed {seed} {pack}: {found}\n")
            continue
        for difference in found:
            rule = difference.signal[0]
            counts[rule, difference.only] += 1
            if counts[rule, difference.only] <= details:
                print(f"seed {seed} {explain(county_of(seed, households), pack, difference)}\n", flush=True)
    for (rule, only), count in sorted(counts.items()):
        print(f"{rule:24} only {only:8}{count:6}")
    print(f"{counts.total()} differences, {failures} failed runs")
    return counts.total() + failures


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0:20", help="FIRST:AFTER-LAST, or one seed")
    parser.add_argument("--pack", action="append", choices=[*PARENT], help="may be given several times; default all")
    parser.add_argument("--buluo", default=".venv/bin/buluo", help="how buluo is started here")
    parser.add_argument("--households", type=int, default=12)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--details", type=int, default=2, help="differences of one rule shown in full")
    parser.add_argument("--write", type=Path, help="only write the seeds' counties into this folder, and run nothing")
    options = parser.parse_args(arguments)
    first, _, after = options.seeds.partition(":")
    seeds = range(int(first), int(after) if after else int(first) + 1)
    if options.write:
        for seed in seeds:
            write_csv(county_of(seed, options.households), options.write / str(seed))
        return 0
    produce = by_command(shlex.split(options.buluo))

    def one(task: tuple[int, str]) -> tuple[int, str, list[Difference] | Failed]:
        seed, pack = task
        try:
            return seed, pack, compare(county_of(seed, options.households), pack, produce)
        except Failed as failed:
            return seed, pack, failed

    tasks = [(seed, pack) for seed in seeds for pack in (options.pack or list(PARENT))]
    with ThreadPoolExecutor(options.jobs) as pool:
        return 1 if report(pool.map(one, tasks), options.households, options.details) else 0


if __name__ == "__main__":
    sys.exit(main())
