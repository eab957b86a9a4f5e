"""Figures of the model: calibration, precision along the list, and what makes a household's score up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from monitoring.charts.look import GREY, LEVEL_COLOUR, LINE, PRIMARY, cut, drawn
from monitoring.language import Language


def plot_calibration(bins: Sequence[dict[str, Any]], t: Language) -> go.Figure:
    """What was predicted against what was seen, in tenths of the list; on the line they are equal."""
    told, seen = [100 * b["predicted"] for b in bins], [100 * b["seen"] for b in bins]
    top = 1.1 * max([1.0, *told, *seen])
    equal = go.Scatter(x=[0, top], y=[0, top], mode="lines", line={"color": LINE, "dash": "dot"}, hoverinfo="skip")
    points = go.Scatter(
        x=told, y=seen, mode="markers+lines", marker={"color": PRIMARY, "size": 9}, line={"color": PRIMARY, "width": 1},
        customdata=[b["rows"] for b in bins],
        hovertemplate=t("估计") + " %{x:.1f}% · " + t("实际") + " %{y:.1f}% · %{customdata:,}<extra></extra>",
    )  # fmt: skip
    figure = drawn(280, equal, points)
    for update, words in ((figure.update_xaxes, t("估计的可能（%）")), (figure.update_yaxes, t("实际陷入困难（%）"))):
        update(title={"text": words, "standoff": 10}, range=[0, top], zeroline=False, automargin=True)
    return figure


def plot_candidates(figures: Sequence[dict[str, Any]], t: Language) -> go.Figure:
    """Precision in the top tenth: the chosen model, the other candidates, and the baselines in grey."""
    rows = sorted(figures, key=lambda row: row["precision_10"] or 0)
    values = [100 * (row["precision_10"] or 0) for row in rows]
    colours = [PRIMARY if row["chosen"] else GREY if row["baseline"] else "#8FB8DC" for row in rows]
    bars = go.Bar(
        x=values, y=[cut(t(row["title"]), 22) for row in rows], orientation="h", marker={"color": colours},
        text=[f"{value:.1f}%" for value in values], textposition="outside", cliponaxis=False, hovertemplate="%{y} %{x:.1f}%<extra></extra>",
    )  # fmt: skip
    figure = drawn(30 * max(len(rows), 1) + 24, bars)
    figure.update_xaxes(visible=False, range=[0, 1.25 * max([1.0, *values])])
    figure.update_yaxes(automargin=True, showgrid=False, ticklabelstandoff=6)
    figure.update_layout(bargap=0.35)
    return figure


def plot_parts(names: Sequence[str], sizes: Sequence[float]) -> go.Figure:
    """What raises a household's score and what lowers it, the largest on top."""
    order = list(range(len(names)))[::-1]
    bars = go.Bar(
        x=[sizes[n] for n in order], y=[cut(names[n], 26) for n in order], orientation="h",
        marker={"color": [LEVEL_COLOUR["orange"] if sizes[n] > 0 else "#8FB8DC" for n in order]},
        text=[f"{sizes[n]:+.1f}" for n in order], textposition="outside", cliponaxis=False,
        customdata=[names[n] for n in order], hovertemplate="%{customdata} %{x:+.2f}<extra></extra>",
    )  # fmt: skip
    figure = drawn(30 * max(len(order), 1) + 24, bars)
    reach = 1.35 * max([0.5, *(abs(size) for size in sizes)])
    figure.update_xaxes(visible=False, range=[-reach if any(size < 0 for size in sizes) else 0, reach], zeroline=True)
    figure.update_yaxes(automargin=True, showgrid=False, ticklabelstandoff=6)
    figure.update_layout(bargap=0.35)
    return figure
