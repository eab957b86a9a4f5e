"""Figures over signals: which rules hit most, how urgent each kind is."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from monitoring.charts.look import LEVEL_COLOUR, cut, drawn, drawn_bars
from monitoring.labels import KIND_ZH, LEVEL_MARK, LEVEL_ZH, LEVELS
from monitoring.language import Language, number


def plot_drivers(drivers: pl.DataFrame, t: Language) -> go.Figure:
    """Rules by the households that they hit, most first; the mark and colour are the rule's highest level."""
    rows = list(reversed(drivers.to_dicts()))
    names = [f"{LEVEL_MARK[row['level']]} {t.pick(row['title_zh'], row['title_en'])}" for row in rows]
    return drawn_bars([cut(name, 30 if t.code == "en" else 18) for name in names], [row["households"] for row in rows],
                 [LEVEL_COLOUR[row["level"]] for row in rows], t("户"), names)  # fmt: skip


def plot_levels(levels: pl.DataFrame, t: Language) -> go.Figure:
    """Signals by kind, one bar a kind, its levels beside each other from red to blue with their marks in words."""
    kinds = [kind for kind in KIND_ZH if kind in levels["kind"]]
    traces = []
    for level in LEVELS:
        found = {row["kind"]: row["signals"] for row in levels.filter(pl.col("level") == level).to_dicts()}
        traces.append(
            go.Bar(
                y=[t(KIND_ZH[kind]) for kind in reversed(kinds)], x=[found.get(kind, 0) for kind in reversed(kinds)],
                orientation="h", name=f"{LEVEL_MARK[level]} {t(LEVEL_ZH[level])}", marker={"color": LEVEL_COLOUR[level]},
                text=[f"{LEVEL_MARK[level]} {number(found[kind])}" if found.get(kind) else "" for kind in reversed(kinds)],
                textposition="inside", insidetextanchor="middle", textangle=0, textfont={"color": "#FFFFFF"},
                hovertemplate="%{y} " + t(LEVEL_ZH[level]) + " %{x:,}<extra></extra>",
            )
        )  # fmt: skip
    figure = drawn(44 * max(len(kinds), 1) + 24, *traces)
    figure.update_layout(barmode="stack", bargap=0.3, uniformtext={"minsize": 10, "mode": "hide"})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(automargin=True, showgrid=False, ticklabelstandoff=6)
    return figure
