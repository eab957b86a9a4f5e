"""How a report says figures: with units, unknown as unknown, and small numbers hidden where it is published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from monitoring.access import Scope
from monitoring.language import Language, number, share
from monitoring.queries.programmes import UNIT
from monitoring.reports import figures, hiding
from monitoring.warehouse import Warehouse

UNKNOWN = "不明"


def month(period: str) -> str:
    return Language("zh").month(period)


class Writer:
    """The sections of one report, each from its own question."""

    def __init__(
        self, warehouse: Warehouse, scope: Scope, publication: bool, run: figures.Run, months: list[str]
    ) -> None:
        self.warehouse, self.scope, self.publication, self.run, self.months = warehouse, scope, publication, run, months

    # --- figures in words

    def n(self, value: int | None, unit: str) -> str:
        if value is None:
            return UNKNOWN
        if self.publication and unit in ("人", "户", "件", "户次", "笔") and hiding.small(value):
            return f"{hiding.SMALL}{unit}"
        return f"{number(value)} {unit}"

    def rate(self, part: int, whole: int, unit: str) -> str:
        """A share with its denominator; "" where there is none, or where it would tell a small number."""
        if not whole or (self.publication and (hiding.small(part) or hiding.small(whole - part))):
            return ""
        return f"{share(part, whole)}（{number(part)}／{number(whole)} {unit}）"

    def cells(self, frame: pl.DataFrame, columns: Sequence[str], total: bool) -> list[list[str]]:
        """The columns' figures as text, a list a row, with their sums as a last row; small ones hidden where it is published."""
        made = []
        for name in columns:
            values = [None if v is None else int(v) for v in frame[name].to_list()]
            instead, hide_total = hiding.column(values) if self.publication else ([None] * len(values), False)
            texts = [put or (UNKNOWN if v is None else number(v)) for put, v in zip(instead, values, strict=True)]
            if total:
                whole = sum(v or 0 for v in values)
                texts.append(hiding.HIDDEN if hide_total else UNKNOWN if None in values else number(whole))
            made.append(texts)
        return [list(row) for row in zip(*made, strict=True)]

    # --- small parts

    def alone(self, value: int | None) -> str:
        """A figure that is not part of a told sum."""
        if value is None:
            return UNKNOWN
        return hiding.SMALL if self.publication and hiding.small(value) else number(value)

    def _drawable(self, bars: list[tuple[str, float, str]]) -> list[tuple[str, float, str]]:
        """A bar of a hidden figure has no length that would tell it."""
        return [(name, 0.0 if said in (hiding.SMALL, hiding.HIDDEN) else value, said) for name, value, said in bars]

    def _yuan(self, frame: pl.DataFrame, column: str, word: str) -> str:
        if frame.is_empty() or (self.publication and hiding.small(frame.height)):
            return ""
        return f"，{word} {number(frame[column].sum() or 0)} 元"

    def _dead(self, frame: pl.DataFrame) -> int:
        return frame.filter(pl.col("停保原因") == "人员死亡").height

    def _still_listed(self, frame: pl.DataFrame) -> str:
        still = frame.filter(pl.col("本期情况") != "已停").height
        return f"，其中 {self.n(still, '人')}仍在册，请先核实" if still else ""


def count_by(frame: pl.DataFrame, by: str, name: str) -> pl.DataFrame:
    return frame.group_by(by).agg(pl.len().cast(pl.Int64).alias(name))


def unit_of(row: dict[str, Any]) -> str:
    return UNIT[row["subject"]]
