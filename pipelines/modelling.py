"""The commands of the model: `buluo model evaluate` on any panel of households, ours or another's."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from pipelines.telling import print_table

Add = Callable[[str, str, Callable[[argparse.Namespace, Console], int]], argparse.ArgumentParser]
READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    ".parquet": pl.read_parquet,
    ".csv": lambda path: pl.read_csv(path, infer_schema_length=None),
    ".gz": lambda path: pl.read_csv(path, infer_schema_length=None),
}


def add_commands(add: Add) -> None:
    p = add("model", "预测模型", _model)
    p.add_argument("action", choices=("evaluate",), help="在一份面板数据上训练、检验并与基线比较")
    p.add_argument("--panel", type=Path, required=True, help="面板文件：.parquet 或 .csv，一行是一户（人）一期")
    p.add_argument("--id", required=True, help="编号列")
    p.add_argument("--period", required=True, help="期间列")
    p.add_argument("--label", required=True, help="标签列：0 或 1，未知留空")
    p.add_argument(
        "--features", nargs="+", action="extend", help="特征列（默认除以上和分组列外的全部列）；可用逗号分开"
    )
    p.add_argument("--groups", nargs="+", action="extend", default=[], help="按这些列检查是否公平")
    which = p.add_mutually_exclusive_group()
    which.add_argument("--split-period", help="检验期从这一期起")
    which.add_argument("--split-column", help="分组列：train、valid、test、drop")
    p.add_argument("--horizon", type=int, default=1, help="标签向后看几期（训练与检验之间留出）")
    p.add_argument("--capacity", type=float, default=0.1, help="能走访的比例，如 0.1")
    p.add_argument("--income", help="收入列：作为“只按收入排序”的基线")
    p.add_argument("--seed", type=int, default=0, help="随机种子：相同则结果相同")
    p.add_argument("-o", "--output", type=Path, required=True, help="报告写到哪里（.json）")
    p.add_argument("--scores", type=Path, help="检验行的得分写到哪里（.parquet）")


def _model(a: argparse.Namespace, console: Console) -> int:
    from monitoring.model import evaluate  # scikit-learn takes a second to load

    reader = READERS.get(a.panel.suffix.lower())
    if reader is None or not a.panel.is_file():
        raise ValueError(f"面板文件须是存在的 .parquet 或 .csv：{a.panel}")
    try:
        panel = reader(a.panel)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"面板文件读不出：{a.panel}（{str(error).splitlines()[0]}）") from error
    report = evaluate(
        panel, id=a.id, period=a.period, label=a.label, features=_names(a.features), groups=_names(a.groups) or [],
        capacity=a.capacity, horizon=a.horizon, split_period=_period(panel, a.period, a.split_period), split_column=a.split_column,
        income=a.income, seed=a.seed,
    )  # fmt: skip
    if a.scores is not None:
        report.scores.select(
            id=pl.col(a.id), period=pl.col(a.period), label=pl.col(a.label), score="score"
        ).write_parquet(a.scores)
    a.output.write_text(report.to_json(), encoding="utf-8")
    rows = [_row(name, told, name == report.chosen) for name, told in {**report.candidates, **report.baselines}.items()]
    print_table(
        console, ("候选与基线", "PR-AUC", "ROC-AUC", "前 5% 查准", "前 10% 查准", "前 10% 查全", "校准误差"), rows
    )
    console.print(f"采用 {report.chosen}：{report.why}", markup=False)
    for words in report.warnings:
        console.print(f"! {words}", markup=False)
    console.print(f"报告已写入 {a.output}" + (f"，得分已写入 {a.scores}" if a.scores else ""))
    return 0 if report.usable else 1


def _names(given: list[str] | None) -> list[str] | None:
    """Names as typed, apart by blanks or commas."""
    return None if given is None else [name for word in given for name in word.split(",") if name]


def _period(panel: pl.DataFrame, column: str, text: str | None) -> Any:
    """The typed period as the panel writes it. Raises ValueError."""
    if text is None or column not in panel.columns:
        return text
    dtype = panel.schema[column]
    typed = (
        pl.Series([text]).str.to_date(strict=False) if dtype == pl.Date else pl.Series([text]).cast(dtype, strict=False)
    )
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
