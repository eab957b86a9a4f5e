"""Figures of one rule over time."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from monitoring.charts.look import PRIMARY, drawn
from monitoring.language import Language, number


def plot_months(months: Sequence[tuple[str, int]], t: Language) -> go.Figure:
    """Hits by month, a bar a month, from 0; a month without a hit says 0."""
    labels = [t.short_month(period) for period, _ in months]
    values = [hits for _, hits in months]
    bars = go.Bar(
        x=labels, y=values, marker={"color": PRIMARY}, text=[number(value) for value in values], textposition="outside",
        cliponaxis=False, hovertemplate="%{x} %{y:,}<extra></extra>",
    )  # fmt: skip
    figure = drawn(220, bars)
    figure.update_yaxes(visible=False, range=[0, 1.2 * max([1, *values])])
    figure.update_xaxes(type="category", showgrid=False, automargin=True)
    return figure
