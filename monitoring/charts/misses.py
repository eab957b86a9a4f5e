"""The estimate of missed households from month to month, with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from monitoring.charts.look import PRIMARY, drawn
from monitoring.language import Language


def plot_missed(history: Sequence[tuple[str, float, float, float]], t: Language) -> go.Figure:
    """`history`: period, estimate, lower and upper limit, the oldest first. Bars that reach from limit to limit, from zero on."""
    months = [t.short_month(period) for period, *_ in history]
    values = [missed for _, missed, *_ in history]
    points = go.Scatter(
        x=months, y=values, mode="markers", marker={"color": PRIMARY, "size": 9},
        error_y={
            "type": "data", "symmetric": False, "array": [high - missed for _, missed, _, high in history],
            "arrayminus": [missed - low for _, missed, low, _ in history], "color": PRIMARY, "thickness": 2, "width": 5,
        },
        customdata=[(low, high) for *_, low, high in history],
        name=t("估计漏掉的困难户（户）"),
        hovertemplate="%{x} %{y:,.0f} (%{customdata[0]:,.0f}–%{customdata[1]:,.0f})<extra></extra>",
    )  # fmt: skip
    figure = drawn(240, points)
    top = max([1.0, *(high for *_, high in history)])
    figure.update_xaxes(type="category", automargin=True)
    figure.update_yaxes(range=[0, 1.1 * top], automargin=True, tickformat=",.0f")
    return figure
