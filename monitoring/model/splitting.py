"""Which rows train, which test: by time with a gap, or by units, never shuffled.

A label looks ahead: what is trained on must have a label window that closed before the test begins (Triage: temporal
cohorts). Rows without a label are in no part and are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from monitoring.model.panel import SPLITS, Columns, Flags, PanelError, folds_of, labels

SHARE = 4  # without any instruction: the last quarter of the periods, else a quarter of the units


@dataclass(frozen=True)
class Split:
    """`train` and `test` are flags over the frame's rows; `how` says in words how they were chosen."""

    train: Flags
    test: Flags
    unlabelled: int
    dropped: int
    how: str


def split(
    frame: pl.DataFrame, columns: Columns, horizon: int, split_period: Any, split_column: str | None, seed: int
) -> Split:
    """Raises PanelError where a part would be empty or has one class only, or the split column says something else."""
    known = labels(frame, columns.label).is_not_null().to_numpy()
    if split_column is not None:
        train, test, how = _by_column(frame, split_column)
    else:
        train, test, how = _by_period(frame, columns, horizon, split_period, seed)
    train, test = train & known, test & known
    _check(frame, columns, train, test)
    return Split(train, test, int((~known).sum()), int((known & ~train & ~test).sum()), how)


def _by_column(frame: pl.DataFrame, column: str) -> tuple[Flags, Flags, str]:
    if column not in frame.columns:
        raise PanelError(f"没有列 {column}（分组列）")
    said = frame[column].cast(pl.String)
    odd = sorted(set(said.fill_null("（空）").unique().to_list()) - set(SPLITS))
    if odd:
        raise PanelError(f"分组列 {column} 只能是 {'、'.join(SPLITS)}；这里还有：{'、'.join(odd[:5])}")
    return said.is_in(["train", "valid"]).to_numpy(), (said == "test").to_numpy(), f"按列 {column}"


def _by_period(
    frame: pl.DataFrame, columns: Columns, horizon: int, split_period: Any, seed: int
) -> tuple[Flags, Flags, str]:
    periods = frame[columns.period]
    if periods.null_count():
        raise PanelError(f"期间列 {columns.period} 有 {periods.null_count()} 行是空的")
    order = periods.unique().sort()
    step = periods.rank("dense").cast(pl.Int64).to_numpy() - 1
    if split_period is not None:
        first = int((order < pl.Series([split_period]).cast(order.dtype)[0]).sum())
        how = f"{columns.period} 从 {split_period} 起为检验期"
    elif len(order) > horizon + 1:
        first = len(order) - max(1, (len(order) - horizon) // SHARE)
        how = f"{columns.period} 从 {order[first]} 起为检验期"
    else:
        test = folds_of(frame, columns.id, SHARE, seed) == 0
        return ~test, test, f"期数不够，按{columns.id}分：四分之一留作检验"
    return step + horizon <= first, step >= first, f"{how}，训练期的标签窗口（{horizon} 期）在此之前已满"


def _check(frame: pl.DataFrame, columns: Columns, train: Flags, test: Flags) -> None:
    y = labels(frame, columns.label).fill_null(0).to_numpy()
    for name, part in (("训练", train), ("检验", test)):
        if not part.any():
            raise PanelError(f"{name}部分没有带标签的行：请检查分期或分组")
        if len(np.unique(y[part])) < 2:
            raise PanelError(f"{name}部分的标签 {columns.label} 全是 {int(y[part][0])}，无法训练或检验")
