"""The sample county of `buluo demo`, made and taken in month by month in a process of its own, ahead of the runs.

`python -m pipelines.demo HOME PERSONS MONTHS` writes a month's files into HOME/inbox, takes them in as a delivery that is
not yet current, says so in one line of JSON, and goes on with the next month. Two cores, half the waiting.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from monitoring.feeds import load_feeds
from pipelines.reading import targets
from pipelines.run import SELDOM, Order, Refused, Taken, retake, take_in

PACK, SEED = "demo", 1
_ROOT = Path(__file__).resolve().parent.parent


def months_ahead(home: Path, persons: int, months: int) -> Iterator[tuple[Order, Taken]]:
    """The order of each month with what was taken in for it. Raises Refused with the other process's reason, RuntimeError
    where it ends too early."""
    command = [sys.executable, "-m", "pipelines.demo", str(home.resolve()), str(persons), str(months)]
    alone = {**os.environ, "POLARS_MAX_THREADS": "1"}  # its frames are small, and the runs have the other core
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT, env=alone) as ahead:  # noqa: S603 -- our own module
        try:
            for line in ahead.stdout or ():
                told = json.loads(line)
                if "refused" in told:
                    raise Refused(told["refused"])
                yield order_of(home, told["period"]), retake(told["period"], Path(told["delivery"]), told["files"])
            if ahead.wait():
                raise RuntimeError(f"生成样例县的进程中断（代码 {ahead.returncode}）")
        finally:
            ahead.terminate()


def order_of(home: Path, period: str) -> Order:
    return Order(home, period, None, PACK, accept_shrink=True)


def main(home: Path, persons: int, months: int) -> None:
    from pipelines.sample import begin_county  # with NumPy and the writers of workbooks: only this process needs them

    gc.set_threshold(*SELDOM)
    feeds = load_feeds(home / "feeds")  # no packs, no rules: the runs read those
    known = targets(feeds)
    _, made = begin_county(persons, months, SEED, home / "inbox")
    for period in made:
        intake, delivery = take_in(order_of(home, period), feeds, known=known)
        print(
            json.dumps({"period": period, "delivery": str(delivery.folder), "files": intake.files}),
            flush=True,
        )


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    except (Refused, ValueError, OSError) as refusal:
        print(json.dumps({"refused": str(refusal)}), flush=True)
