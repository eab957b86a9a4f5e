"""The model of `buluo demo`, trained in a process of its own beside the runs: threads of one process would wait for each other.

`python -m pipelines.demo_training HOME MOMENT` loads what it needs and waits for a line with the period; then it reads what it
trains on, says so in a line, trains, and says what came of it in another. Whoever changes the case store waits for the first answer: what is
learnt from never depends on who was faster.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from pipelines import modelling

_ROOT = Path(__file__).resolve().parent.parent
READ = "read"


def start(home: Path, at: datetime) -> subprocess.Popen[str]:
    """The process, which takes seconds to load and then waits for `begin`."""
    command = [sys.executable, "-m", "pipelines.demo_training", str(home.resolve()), at.isoformat()]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT)  # noqa: S603 -- our own module


def begin(training: subprocess.Popen[str], period: str) -> None:
    """Comes back once it has read what it trains on: the published periods up to this one. Raises RuntimeError where it has ended before."""
    if training.stdin is None or training.stdout is None:
        raise ValueError("a process of `start` is needed")
    with contextlib.suppress(BrokenPipeError):  # it has ended: said below
        print(period, file=training.stdin, flush=True)
    if training.stdout.readline().strip() != READ:
        raise RuntimeError(f"训练模型的进程中断（代码 {end(training)}）")


def said(training: subprocess.Popen[str]) -> str:
    """What came of it, once it has ended. Raises RuntimeError where it did not end well."""
    with training:
        words = training.stdout.read() if training.stdout is not None else ""
    if training.returncode:
        raise RuntimeError(f"训练模型的进程中断（代码 {training.returncode}）")
    return words.rstrip("\n")


def end(training: subprocess.Popen[str]) -> int:
    """Ends it, where it has not ended, and gives its exit code."""
    training.kill()
    with contextlib.suppress(BrokenPipeError), training:  # what it was told last may not have reached it
        pass
    return training.wait()


def main(home: Path, at: datetime) -> None:
    """Trains the sample county's model as `buluo model train` does."""
    from monitoring.forecast import history, training  # noqa: F401 -- what `past` and `train_on` load

    period = sys.stdin.readline().strip()
    if not period:
        return  # nobody is there any more
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
    main(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]))
