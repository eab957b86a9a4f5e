"""An alert's priority in points, and what they are made of, so that the order of the queue can be explained.

    level       red 100, orange 60, yellow 30, blue 10
    emergency   60: the three-working-day track (CJ 二（七）)
    clue        15 for each clue still open (45 at most): somebody asked for help
    kind        gap 20 (what the law grants is missing), risk 15, process 10, exit 5, policy 5, data 0; the sum of those present
    signals     4 for each signal after the first (16 at most)
    score       up to 20: the model's score x 20, where there is one; it adds, and never takes away
    child, elder_alone, severe      10 each: a child under 16, an elder of 60 who lives alone, a severe disability

Waiting adds a point a day by itself: the queue is ordered by points less the day of opening. So a yellow alert passes a
fresh red one of the same household after 70 days, and nothing waits for ever.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any

import polars as pl

LEVEL = {"red": 100, "orange": 60, "yellow": 30, "blue": 10}
KIND = {"gap": 20, "risk": 15, "process": 10, "exit": 5, "policy": 5, "data": 0}
EMERGENCY, VULNERABLE = 60, 10
CLUE, MOST_CLUES = 15, 45
SIGNAL, MOST_SIGNALS = 4, 16
SCORE = 20

# Each part in words, to be said with t(): {points} and {value}.
WORDS = {
    "level": "{value}：{points} 分",
    "emergency": "急难，3 个工作日内办结：{points} 分",
    "clue": "未办结线索 {value} 条：{points} 分",
    "kind": "信号种类（{value}）：{points} 分",
    "signals": "同户共 {value} 条信号：{points} 分",
    "score": "模型评分 {value}：{points} 分",
    "child": "有 16 岁以下儿童 {value} 人：{points} 分",
    "elder_alone": "60 岁以上老人独居：{points} 分",
    "severe": "有重度残疾人 {value} 人：{points} 分",
    "shown": "整户已在全额保障内，风险信号只作提示：{points} 分",
    "none": "所有信号的情形都已消除：{points} 分",
}

Why = list[list[Any]]


def pointed(alerts: pl.DataFrame) -> pl.DataFrame:
    """Adds `points` and `why` (JSON text: [[part, points, value], …], the largest first) to one row an alert.

    Reads level, signals (that raise work), shown, kinds (list), emergency, clues (open ones), score (0-1 or null),
    children, elder_alone, severe (persons). An alert that raises no work has no points.
    """
    rows = alerts.with_row_index("place")
    parts = pl.concat(
        rows.select("place", pl.lit(n).alias("part"), points.alias("points"), _told(part, points, value).alias("why"))
        for n, (part, points, value) in enumerate(_parts())
    )
    works = rows.filter((pl.col("signals") > 0) | (pl.col("clues") > 0)).select("place")
    most = (
        parts.filter(pl.col("points") > 0).join(works, on="place", how="semi").sort("place", -pl.col("points"), "part")
    )
    told = most.group_by("place", maintain_order=True).agg(
        pl.col("points").sum(), why=pl.format("[{}]", pl.col("why").str.join(", "))
    )
    shown = pl.format('[["shown", 0, {}]]', "shown")
    idle = pl.when(pl.col("shown") > 0).then(shown).otherwise(pl.lit('[["none", 0, 0]]'))
    return (
        rows.join(told, on="place", how="left", maintain_order="left")
        .with_columns(pl.col("points").fill_null(0), why=pl.coalesce("why", idle))
        .drop("place")
    )


def _parts() -> list[tuple[str, pl.Expr, pl.Expr]]:
    """Every part: its code, its points, and what it is counted from as JSON."""
    kinds = pl.sum_horizontal(
        pl.col("kinds").list.contains(kind).cast(pl.Int64) * worth for kind, worth in KIND.items()
    )
    clues, more, score = pl.col("clues"), pl.col("signals") - 1, pl.col("score")
    return [
        ("level", pl.col("level").replace_strict(LEVEL, default=0, return_dtype=pl.Int64), pl.format('"{}"', "level")),
        ("emergency", pl.col("emergency").cast(pl.Int64) * EMERGENCY, pl.lit("true")),
        ("clue", (clues * CLUE).clip(0, MOST_CLUES), clues),
        ("kind", kinds, pl.format('"{}"', pl.col("kinds").list.join(" "))),
        ("signals", (more * SIGNAL).clip(0, MOST_SIGNALS), pl.col("signals")),
        ("score", (score * SCORE).round().cast(pl.Int64).fill_null(0), score.round(2)),
        ("child", (pl.col("children") > 0).cast(pl.Int64) * VULNERABLE, pl.col("children")),
        ("elder_alone", pl.col("elder_alone").cast(pl.Int64) * VULNERABLE, pl.lit("true")),
        ("severe", (pl.col("severe") > 0).cast(pl.Int64) * VULNERABLE, pl.col("severe")),
    ]


def _told(part: str, points: pl.Expr, value: pl.Expr) -> pl.Expr:
    return pl.format(f'["{part}", {{}}, {{}}]', points, value.cast(pl.String))


def priority(
    level: str,
    *,
    signals: int = 0,
    kinds: Sequence[str] = (),
    emergency: bool = False,
    clues: int = 0,
    score: float | None = None,
    children: int = 0,
    elder_alone: bool = False,
    severe: int = 0,
) -> tuple[int, Why]:
    """`pointed` for one alert (a clue that becomes one): its points, and what they are made of."""
    points, why = _priority(level, signals, tuple(kinds), emergency, clues, score, children, elder_alone, severe)
    return points, json.loads(why)


@functools.lru_cache(maxsize=4096)
def _priority(
    level: str,
    signals: int,
    kinds: tuple[str, ...],
    emergency: bool,
    clues: int,
    score: float | None,
    children: int,
    elder_alone: bool,
    severe: int,
) -> tuple[int, str]:
    """Kept, because the many clues of a file ask for few different ones."""
    row = {
        "level": level, "signals": signals, "shown": 0, "kinds": list(kinds), "emergency": emergency, "clues": clues,
        "score": score, "children": children, "elder_alone": elder_alone, "severe": severe,
    }  # fmt: skip
    schema: dict[str, Any] = {"kinds": pl.List(pl.String), "score": pl.Float64}
    found = pointed(pl.DataFrame([row], schema_overrides=schema)).row(0, named=True)
    return int(found["points"]), str(found["why"])


def rank(points: pl.Expr, opened_on: pl.Expr) -> pl.Expr:
    """What the queue is ordered by, the greatest first: points less the day's ordinal (date.toordinal)."""
    return points - (opened_on.cast(pl.Int32).cast(pl.Int64) + _EPOCH)


_EPOCH = 719_163  # date(1970, 1, 1).toordinal()
