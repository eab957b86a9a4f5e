"""What an evaluation found, as data: for the command line's JSON, the model's page and its card."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from monitoring.model.fitting import Model

FEW = 50  # units that entered, below which a model is not to be used (issue: rank by rules and income instead)


@dataclass(frozen=True)
class Report:
    """`candidates` and `baselines`: name -> figures on the test part; `scores`: id, period, label, score of each test row."""

    task: dict[str, Any]
    split: dict[str, Any]
    chosen: str
    why: str
    usable: bool
    candidates: dict[str, dict[str, Any]]
    baselines: dict[str, dict[str, Any]]
    intervals: dict[str, list[float]]
    entries: dict[str, Any]  # first and again: figures of first entries and re-entries
    groups: list[dict[str, Any]]
    drift: dict[str, Any]
    warnings: list[str]
    scores: pl.DataFrame = field(repr=False)
    model: Model = field(repr=False)

    @property
    def metrics(self) -> dict[str, Any]:
        """The chosen candidate's figures on the test part."""
        return self.candidates[self.chosen]

    def to_dict(self) -> dict[str, Any]:
        names = (
            "task",
            "split",
            "chosen",
            "why",
            "usable",
            "candidates",
            "baselines",
            "intervals",
            "entries",
            "groups",
            "drift",
            "warnings",
        )
        told: dict[str, Any] = _plain({name: getattr(self, name) for name in names})
        return told

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1, allow_nan=False)


def _plain(value: Any) -> Any:
    """NaN is null in JSON; numbers of numpy are Python's."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
