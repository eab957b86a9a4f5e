"""The model of `buluo demo`, trained in a process of its own beside the runs: threads of one process would wait for each other.

`python -m pipelines.demo_training HOME PERIOD MOMENT` reads what it trains on, says so in a line, trains, and says what came of
it in another. Whoever changes the case store waits for the first line: what is learnt from never depends on who was faster.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path

from pipelines import modelling

_ROOT = Path(__file__).resolve().parent.parent
READ = "read"


def begin(home: Path, period: str, at: datetime) -> subprocess.Popen[str]:
    """The process, once it has read what it trains on. Raises RuntimeError where it ends before."""
    command = [sys.executable, "-m", "pipelines.demo_training", str(home.resolve()), period, at.isoformat()]
    training = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT)  # noqa: S603 -- our own module
    if training.stdout is None or training.stdout.readline().strip() != READ:
        training.kill()
        raise RuntimeError(f"训练模型的进程中断（代码 {training.wait()}）")
    return training


def said(training: subprocess.Popen[str]) -> str:
    """What came of it, once it has ended. Raises RuntimeError where it did not end well."""
    words, _ = training.communicate()
    if training.returncode:
        raise RuntimeError(f"训练模型的进程中断（代码 {training.returncode}）")
    return words.rstrip("\n")


def main(home: Path, period: str, at: datetime) -> None:
    """Trains the sample county's model as `buluo model train` does."""
    try:
        try:
            known = modelling.past(home, period)
        finally:
            print(READ, flush=True)
        made = modelling.train_on(home, known, at)
    except ValueError as error:  # too few months, or too few who came to need help: the page says how to train
        print(f"  没有训练模型：{error}")
        return
    if made.usable:
        print(f"  训练了模型 {made.id}：过去陷入困难 {made.manifest['entries']:,} 户")
    else:
        print(f"  模型不用：{made.manifest['why']}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], datetime.fromisoformat(sys.argv[3]))
