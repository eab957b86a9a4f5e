"""What training costs: `fit` on household-periods × features in a process of its own, with its seconds and its peak memory.

usage: python -m benchmarks.model [ROWS] [FEATURES]      default 300000 60 (goal: 60 s and 2 GB on two cores)
The panel is made by lot: numbers (some with far tails, some mostly nought), yes/no, categories, a tenth of the values missing;
the label follows a few of them. On a machine that others use, seconds of the processor over two cores are what it would take
alone at best.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.measuring import measure

ROWS, FEATURES, PERIODS, SEED = 300_000, 60, 6, 1
GOAL_SECONDS, GOAL_MB = 60, 2048
MISSING, RATE = 0.1, 0.03
KINDS = 5  # number, far-tailed, mostly nought, yes/no, category


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.model")
    parser.add_argument("rows", nargs="?", type=int, default=ROWS)
    parser.add_argument("features", nargs="?", type=int, default=FEATURES)
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train is not None:
        train(arguments.train)
        return 0
    with tempfile.TemporaryDirectory(prefix="buluo-bench-") as folder:
        file = Path(folder) / "panel.parquet"
        panel(arguments.rows, arguments.features).write_parquet(file)
        trained = measure([sys.executable, "-m", "benchmarks.model", "--train", str(file)])
    print(trained.printed, end="")
    print(
        f"whole process: {trained.seconds:.1f} s, peak {trained.peak_mb:,.0f} MB (goals {GOAL_SECONDS} s, {GOAL_MB:,} MB)"
    )
    return trained.status


def panel(rows: int, features: int) -> pl.DataFrame:
    """household, period, entered, and so many features of all kinds in turn."""
    chance = np.random.default_rng(SEED)
    households = -(-rows // PERIODS)
    columns: dict[str, pl.Series] = {
        "household": pl.Series(np.repeat(np.arange(households), PERIODS)[:rows]),
        "period": pl.Series(np.tile(np.arange(PERIODS), households)[:rows]),
    }
    odds = np.zeros(rows)
    for number in range(features):
        kind, drawn = number % KINDS, chance.normal(size=rows)
        if number < 2 * KINDS:
            odds += 0.4 * drawn
        made = [
            pl.Series(drawn),
            pl.Series(np.exp(7 + 0.8 * drawn)),
            pl.Series(np.where(drawn > 1, np.expm1(3 * drawn), 0.0)),
            pl.Series(drawn > 0.5),
            pl.Series(np.digitize(drawn, np.linspace(-2, 2, 11))).cast(pl.String) + "类",
        ][kind]
        columns[f"f{number:02d}"] = made.set(pl.Series(chance.random(rows) < MISSING), None)
    line = np.quantile(odds + chance.logistic(size=rows), 1 - RATE)
    columns["entered"] = pl.Series((odds + np.random.default_rng(SEED).logistic(size=rows) > line).astype(np.int8))
    return pl.DataFrame(columns)


def train(file: Path) -> None:
    """Trains on the panel in this process and prints what the training alone took."""
    from monitoring.model import fit

    rows = pl.read_parquet(file)
    wall, used = time.perf_counter(), time.process_time()
    model = fit(rows, id="household", period="period", label="entered")
    wall, used = time.perf_counter() - wall, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(
        f"{len(rows):,} household-periods × {rows.width - 3} features, {model.positives:,} entries: {model.name} chosen"
    )
    print(
        f"training: {wall:.1f} s, {used:.1f} s of the processor ({used / 2:.1f} s on two cores alone), peak {peak:,.0f} MB"
    )


if __name__ == "__main__":
    sys.exit(main())
