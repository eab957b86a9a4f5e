"""The commands of the model: `train` and `card` for this county, `evaluate` on any panel of households, ours or another's."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.console import Console

from monitoring.store import Store, open_store
from monitoring.warehouse import NoWarehouse, publication
from monitoring.working_days import local_day
from pipelines.telling import print_table

if TYPE_CHECKING:
    from monitoring.forecast.history import Panel
    from monitoring.forecast.keeping import Kept
    from monitoring.model import Report

Add = Callable[[str, str, Callable[[argparse.Namespace, Console], int]], argparse.ArgumentParser]
READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    ".parquet": pl.read_parquet,
    ".csv": lambda path: pl.read_csv(path, infer_schema_length=None),
    ".gz": lambda path: pl.read_csv(path, infer_schema_length=None),
}


HEADINGS = ("候选与基线", "PR-AUC", "ROC-AUC", "前 5% 查准", "前 10% 查准", "前 10% 查全", "校准误差")


def add_commands(add: Add) -> None:
    p = add("model", "预测模型", _model)
    p.add_argument("action", choices=("train", "evaluate", "card"),
                   help="train：用本县已发布的各期训练；evaluate：在一份面板数据（没有 --panel 时用本县已发布的各期）上训练、检验并与基线比较；card：写出模型卡")  # fmt: skip
    p.add_argument(
        "--period",
        help="evaluate：期间列（没有 --panel 时：只用到这一期为止的结果）；train：只用到这一期为止的结果；card：这一期所用的模型（默认最近一期）",
    )
    p.add_argument("--panel", type=Path, help="面板文件：.parquet 或 .csv，一行是一户（人）一期")
    p.add_argument("--id", help="编号列")
    p.add_argument("--label", help="标签列：0 或 1，未知留空")
    p.add_argument(
        "--features", nargs="+", action="extend", help="特征列（默认除以上和分组列外的全部列）；可用逗号分开"
    )
    p.add_argument("--groups", nargs="+", action="extend", default=[], help="按这些列检查是否公平")
    which = p.add_mutually_exclusive_group()
    which.add_argument("--split-period", help="检验期从这一期起")
    which.add_argument("--split-column", help="分组列：train、valid、test、drop")
    p.add_argument("--horizon", type=int, default=1, help="标签向后看几期（训练与检验之间留出）")
    p.add_argument("--capacity", type=float, default=0.1, help="能走访的比例，如 0.1")
    p.add_argument(
        "--income", help="收入列：作为“只按收入排序”的基线（默认按列名找：income、wage、inc、收入、工资、消费等）"
    )
    p.add_argument("--seed", type=int, default=0, help="随机种子：相同则结果相同")
    p.add_argument(
        "-o", "--output", type=Path, help="evaluate：报告写到哪里（.json）；card：模型卡写到哪里（.md，默认显示）"
    )
    p.add_argument("--scores", type=Path, help="检验行的得分写到哪里（.parquet）")


def _model(a: argparse.Namespace, console: Console) -> int:
    if a.action == "train":
        return _train(a, console)
    return _card(a, console) if a.action == "card" else _evaluate(a, console)


def _train(a: argparse.Namespace, console: Console) -> int:
    made = train_model(a.home, a.at, a.period, a.seed)
    told = made.manifest
    console.print(
        f"模型 {made.id}：用到 {made.period} 为止的结果，标签已满的 {len(told['closed'])} 期，陷入困难 {told['entries']} 户"
    )
    if not made.usable:
        console.print(f"! {told['why']}", markup=False)
        return 1
    report = told["report"]
    rows = [
        _row(name, one, name == report["chosen"])
        for name, one in {**report["candidates"], **report["baselines"]}.items()
    ]
    print_table(console, HEADINGS, rows)
    console.print(f"采用 {report['chosen']}：{report['why']}", markup=False)
    for words in report["warnings"]:
        console.print(f"! {words}", markup=False)
    console.print(f"{made.period} 及以后的运行使用它；已发布的期间要用，请再运行一次 buluo run --period {made.period}")
    return 0


def train_model(home: Path, at: datetime, period: str | None = None, seed: int = 0) -> Kept:
    """Trains on the published periods up to `period` (the latest where none is named) and keeps the model. Raises ValueError."""
    return train_on(home, past(home, period), at, seed)


def past(home: Path, period: str | None = None) -> tuple[Panel, dict[str, int]]:
    """What a model is trained on, as it stands now: `county_panel`, and what was found at the door. Raises ValueError."""
    from monitoring.forecast.history import seen_at_the_door

    store = open_store(home)
    try:
        return county_panel(home, store, period), seen_at_the_door(store)
    finally:
        store.close()


def train_on(home: Path, known: tuple[Panel, dict[str, int]], at: datetime, seed: int = 0) -> Kept:
    """Trains on what `past` gave and keeps the model; reads neither runs nor the case store. Raises ValueError."""
    from monitoring.forecast.training import train

    return train(home, *known, local_day(at), seed)


def county_panel(home: Path, store: Store, period: str | None = None) -> Panel:
    """The labelled rows of the published periods up to `period` (the latest where none is named). Raises ValueError."""
    from monitoring.forecast.history import confirmed_cases, panel, read_period, used, visits_since

    try:
        published = publication(home)
    except NoWarehouse as error:
        raise ValueError(f"{error}先运行 buluo run") from error
    until = period or published.latest
    runs = [run for run in reversed(published.runs) if run.period <= until]
    if not runs:
        raise ValueError(f"{until} 及以前没有发布过结果；已发布的期间：{'、'.join(r.period for r in published.runs)}")
    since = visits_since(store)
    whole = set(used((run.period for run in runs), since))
    return panel((read_period(run, run.period in whole) for run in runs), confirmed_cases(store), since)


def _card(a: argparse.Namespace, console: Console) -> int:
    from monitoring.forecast.card import card
    from monitoring.forecast.keeping import kept, of_period

    one = (
        of_period(a.home, a.period)
        if a.period
        else max(kept(a.home), key=lambda m: (m.period, m.manifest["number"]), default=None)
    )
    if one is None:
        raise ValueError("还没有训练过模型；先运行 buluo model train")
    text = card(one.manifest)
    if a.output is None:
        console.print(text, markup=False)
    else:
        a.output.write_text(text, encoding="utf-8")
        console.print(f"模型卡已写入 {a.output}")
    return 0


def _evaluate(a: argparse.Namespace, console: Console) -> int:
    if a.output is None:
        raise ValueError("model evaluate 还须写明 -o")
    report = _evaluate_county(a) if a.panel is None else _evaluate_file(a)
    if a.scores is not None:
        id, period, label = (report.task[name] for name in ("id", "period", "label"))
        report.scores.select(id=pl.col(id), period=pl.col(period), label=pl.col(label), score="score").write_parquet(
            a.scores
        )
    a.output.write_text(report.to_json(), encoding="utf-8")
    rows = [_row(name, told, name == report.chosen) for name, told in {**report.candidates, **report.baselines}.items()]
    print_table(console, HEADINGS, rows)
    console.print(f"采用 {report.chosen}：{report.why}", markup=False)
    for words in report.warnings:
        console.print(f"! {words}", markup=False)
    console.print(f"报告已写入 {a.output}" + (f"，得分已写入 {a.scores}" if a.scores else ""))
    return 0 if report.usable else 1


def _evaluate_county(a: argparse.Namespace) -> Report:
    """The county's own candidates on its own past, as training judges them; keeps no model."""
    from monitoring.forecast.limits import load_limits
    from monitoring.forecast.training import evaluated

    others = {"--id": a.id, "--label": a.label, "--features": a.features, "--groups": a.groups, "--split-period": a.split_period,
              "--split-column": a.split_column, "--income": a.income}  # fmt: skip
    odd = [name for name, given in others.items() if given]
    if odd:
        raise ValueError(f"{'、'.join(odd)} 只用于 --panel 的面板；检验本县只须 -o（和 --period：用到哪一期为止）")
    store = open_store(a.home)
    try:
        panel = county_panel(a.home, store, a.period)
    finally:
        store.close()
    return evaluated(panel, load_limits(a.home, local_day(a.at)), a.seed)


def _evaluate_file(a: argparse.Namespace) -> Report:
    from monitoring.model import evaluate  # scikit-learn takes a second to load

    column = a.period
    missing = [name for name, given in (("--id", a.id), ("--period", column), ("--label", a.label)) if given is None]
    if missing:
        raise ValueError(f"model evaluate 还须写明 {'、'.join(missing)}")
    reader = READERS.get(a.panel.suffix.lower())
    if reader is None or not a.panel.is_file():
        raise ValueError(f"面板文件须是存在的 .parquet 或 .csv：{a.panel}")
    try:
        panel = reader(a.panel)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"面板文件读不出：{a.panel}（{str(error).splitlines()[0]}）") from error
    return evaluate(
        panel, id=a.id, period=column, label=a.label, features=_names(a.features), groups=_names(a.groups) or [],
        capacity=a.capacity, horizon=a.horizon, split_period=_period(panel, column, a.split_period), split_column=a.split_column,
        income=a.income, seed=a.seed,
    )  # fmt: skip


def _names(given: list[str] | None) -> list[str] | None:
    """Names as typed, apart by blanks or commas."""
    return None if given is None else [name for word in given for name in word.split(",") if name]


def _period(panel: pl.DataFrame, column: str, text: str | None) -> Any:
    """The typed period as the panel writes it. Raises ValueError."""
    if text is None or column not in panel.columns:
        return text
    dtype, given = panel.schema[column], pl.Series([text])
    if dtype.is_temporal():
        typed = given.str.to_date(strict=False).cast(dtype) if dtype in (pl.Date, pl.Datetime) else pl.Series([None])
    else:
        typed = given.cast(dtype, strict=False)
    if typed[0] is None:
        shown = panel[column].drop_nulls().cast(pl.String).first()
        raise ValueError(f"--split-period {text} 与期间列 {column} 的写法不同，如 {shown!s}")
    return typed[0]


def _row(name: str, told: dict[str, Any], chosen: bool) -> tuple[str, ...]:
    at = {one["share"]: one for one in told["at"]}
    figures = (
        told["pr_auc"],
        told["roc_auc"],
        at[0.05]["precision"],
        at[0.1]["precision"],
        at[0.1]["recall"],
        told.get("ece"),
    )
    return (f"{'→ ' if chosen else '  '}{name}", *("" if f is None else f"{f:.3f}" for f in figures))
