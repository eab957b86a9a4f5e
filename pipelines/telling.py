"""What the command line shows: progress, a run's summary, tables. Nothing here decides anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from monitoring.desk.runs import DONE, FAILED, REFUSED, write_state
from pipelines.run import Refused, Summary

STEP_WORDS = {
    "read": "读取文件", "link": "对人对户", "snapshot": "生成快照", "assess": "按规则比对", "check": "核对平衡", "publish": "发布",
}  # fmt: skip
LEVEL_WORDS = {"red": "▲红", "orange": "■橙", "yellow": "●黄", "blue": "◆蓝"}


class Teller:
    """Progress: a bar on a terminal, plain lines elsewhere; and in a file for the page, where one is named."""

    def __init__(self, console: Console, state: Path | None = None) -> None:
        self.console, self.state = console, state
        self.progress = (
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=console,
                transient=True,
            )
            if console.is_terminal
            else None
        )
        self.tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Teller:
        if self.progress:
            self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.progress:
            self.progress.stop()

    def __call__(self, step: str, done: int, of: int, what: str) -> None:
        words = STEP_WORDS[step]
        if self.state is not None:
            write_state(self.state, {"step": words, "done": done, "of": of, "what": what})
        if self.progress is None:
            if done == 0 and not what:
                print(f"{words} …", flush=True)
            return
        if step not in self.tasks:
            self.tasks[step] = self.progress.add_task(words, total=of)
        self.progress.update(self.tasks[step], completed=done, total=of, description=f"{words} {what}"[:60])

    @contextmanager
    def to_the_end(self) -> Iterator[None]:
        """However a run ends, the page is told: refused with the reason, failed with the kind of fault."""
        try:
            yield
        except BaseException as problem:
            if self.state is not None:
                refused = isinstance(problem, Refused | ValueError | OSError)
                words = (
                    str(problem)
                    if refused
                    else f"程序出错（{type(problem).__name__}），已发布的结果没有变；详见 runs/desk.log"
                )
                write_state(self.state, {"state": REFUSED if refused else FAILED, "words": words})
            raise

    def ended(self, s: Summary) -> None:
        if self.state is not None:
            c = s.counts
            words = (
                f"{s.period} 已发布：文件 {c['files']:,} 个，读入 {c['rows_read']:,} 行，载入 {c['loaded']:,}，重复 {c['duplicate']:,}，"
                f"隔离 {c['quarantined']:,}，非数据 {c['not_data']:,}；信号 {c['signals']:,} 条"
            )
            write_state(self.state, {"state": DONE, "words": words})


def print_summary(s: Summary, console: Console, home: Path) -> None:
    c = s.counts
    console.print(f"{s.period} 已发布（政策包 {s.pack}）")
    console.print(
        f"  文件 {c['files']:,} 个，读入 {c['rows_read']:,} 行 = 载入 {c['loaded']:,} + 重复 {c['duplicate']:,}"
        f" + 隔离 {c['quarantined']:,} + 非数据 {c['not_data']:,}"
    )
    console.print(f"  人员 {c['persons']:,} 人，家庭 {c['households']:,} 户，待人工认定身份 {c['to_review']:,} 行")
    levels = "，".join(f"{words} {s.signals_by_level.get(level, 0):,}" for level, words in LEVEL_WORDS.items())
    console.print(
        f"  信号 {c['signals']:,} 条：{levels}；各项平衡 {sum(k.ok for k in s.checks)}/{len(s.checks)} 项相符"
    )
    if c["same_key"]:
        console.print(
            f"  同一份报送里主键相同、内容不同的有 {c['same_key']:,} 行：都已保留，以日期较晚、填得较全的一行为准，见“数据”页"
        )
    for file, reason in s.unusable:
        console.print(f"  ! 未能使用 {file}：{reason}")
    if c["quarantined"]:
        console.print(
            f"  ! 有 {c['quarantined']:,} 行被隔离；逐行原因：buluo export quarantine --home {home} --period {s.period} -o 隔离.xlsx"
        )


def print_table(console: Console, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)
