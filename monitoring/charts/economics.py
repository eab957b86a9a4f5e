"""Figures of what rules bring: how many months ahead, and a condition's hits before and after a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from monitoring.charts.look import GREY, MUTED, PRIMARY, drawn
from monitoring.language import Language, number


def plot_leads(counts: Sequence[tuple[int, int]], never: int, most: int, t: Language) -> go.Figure:
    """Entries by months ahead, the earliest seen on the left, and apart, in grey, those never seen; bars from 0 to `most`, so
    that two sources stand on one scale."""
    ordered = sorted(counts, reverse=True)
    labels = [t("{n} 个月", n=months) for months, _ in ordered] + [t("没看到")]
    values = [entries for _, entries in ordered] + [never]
    colours = [PRIMARY] * len(ordered) + [GREY]
    patterns = [""] * len(ordered) + ["/"]
    bars = go.Bar(
        x=labels, y=values, marker={"color": colours, "pattern": {"shape": patterns, "fgcolor": MUTED, "size": 6}},
        text=[number(value) for value in values], textposition="outside", cliponaxis=False, hovertemplate="%{x} %{y:,}<extra></extra>",
    )  # fmt: skip
    figure = drawn(240, bars)
    figure.update_yaxes(visible=False, range=[0, 1.2 * max(most, 1)])
    figure.update_xaxes(type="category", showgrid=False, automargin=True)
    return figure


def plot_replay(months: Sequence[dict[str, Any]], t: Language, after: str) -> go.Figure:
    """Hits by month as they were (dotted, grey) and as they would have been; each line says at its end what it is."""
    labels = [t.short_month(row["period"]) for row in months]
    top = max([1, *(row[name] for row in months for name in ("hit_before", "hit_after"))])
    figure = drawn(260)
    for name, words, colour, dash in (
        ("hit_before", t("现在的"), MUTED, "dot"),
        ("hit_after", after, PRIMARY, "solid"),
    ):
        values = [row[name] for row in months]
        figure.add_trace(go.Scatter(
            x=labels, y=values, mode="lines+markers", line={"color": colour, "dash": dash}, marker={"size": 6, "color": colour},
            hovertemplate="%{x} " + words + " %{y:,}<extra></extra>",
        ))  # fmt: skip
        if values:
            higher = name == max(("hit_before", "hit_after"), key=lambda other: months[-1][other])
            figure.add_annotation(
                x=labels[-1], y=values[-1], text=f"{words} {number(values[-1])}", showarrow=False, xanchor="right",
                yanchor="bottom" if higher else "top", font={"color": colour},
            )  # fmt: skip
    figure.update_yaxes(range=[0, 1.15 * top], automargin=True)
    figure.update_xaxes(type="category", showgrid=False, automargin=True)
    return figure
