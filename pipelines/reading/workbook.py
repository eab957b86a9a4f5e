"""Workbooks: parsed in a process of its own, with limits, because a crafted one may kill or stall its parser."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.parsing import CELL_END
from pipelines.reading.model import Merge, Sheet, Unreadable
from pipelines.reading.text import without_errors

WALL_SECONDS = 180
MAX_WORKBOOK = 500 << 20
_ROOT = Path(__file__).resolve().parents[2]


def read_workbook(path: Path, size: int) -> list[Sheet | str]:
    """Every sheet in its order, hidden ones too; for a sheet that is no table "name：why". Raises Unreadable."""
    if size > MAX_WORKBOOK:
        raise Unreadable("工作簿超过 500 MB；请分成几个文件再报")
    with tempfile.TemporaryDirectory(prefix="buluo-read-") as private:  # made with mode 0700
        out = Path(private)
        ended = _run(path.resolve(), out)
        problem = out / "problem.txt"
        if ended != 0:
            raise Unreadable(problem.read_text(encoding="utf-8") if ended == 3 and problem.exists() else _ending(ended))
        sheets = json.loads((out / "sheets.json").read_text(encoding="utf-8"))
        return [_sheet(entry, out) for entry in sheets]


def _run(path: Path, out: Path) -> int | None:
    """The child's exit code; None when it took too long. Its cwd is the private folder; it inherits no environment."""
    environment = {"PYTHONPATH": str(_ROOT), "POLARS_MAX_THREADS": "1", "LANG": "C.UTF-8", "TMPDIR": str(out)}
    command = [sys.executable, "-s", "-m", "pipelines.parsing.child", str(path), str(out)]
    child = subprocess.Popen(  # noqa: S603  our own module; the path is an argument to it
        command, cwd=out, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        return child.wait() if _ends(child) else None
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _ends(child: subprocess.Popen[bytes]) -> bool:
    """Waits until the child has ended, but not for ever (`Popen.wait` with a limit looks up 20 times a second only)."""
    descriptor = os.pidfd_open(child.pid)
    try:
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        return bool(waiting.poll(WALL_SECONDS * 1000))
    finally:
        os.close(descriptor)


def _ending(code: int | None) -> str:
    if code is None or code == -signal.SIGXCPU:
        return "工作簿解析时间太长，已停止；请只保留台账所在的表，另存后再报"
    return f"工作簿解析时异常中断（代码 {code}），可能已损坏或内容太大；请用 Excel 打开后另存再报"


def _sheet(entry: dict[str, Any], out: Path) -> Sheet | str:
    if "problem" in entry:
        return f"{entry['name']}：{entry['problem']}"
    grid = _grid(entry, (out / str(entry["file"])).read_bytes())
    merges = tuple(Merge(*area) for area in entry["merges"])
    return Sheet(str(entry["name"]), without_errors(grid) if grid.width else grid, merges, {}, bool(entry["hidden"]))


def _grid(entry: dict[str, Any], cells: bytes) -> pl.DataFrame:
    """The cells that the child wrote (see there) as columns c0, c1 …"""
    frames, at, leading = [], 0, entry["leading"]
    for rows, sizes in entry["pieces"]:
        columns = [pl.repeat(None, rows, dtype=pl.String, eager=True).alias(f"c{i}") for i in range(leading)]
        for i, size in enumerate(sizes, leading):
            text = pl.Series(f"c{i}", [cells[at : at + size].decode()])
            columns.append(text.str.split(CELL_END).explode())
            at += size
        frames.append(pl.DataFrame(columns))  # columns of different lengths are refused
    return pl.concat(frames) if frames else pl.DataFrame()
