"""Figures of exits: in which month whose gradual exit ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from monitoring.charts.look import INK, LEVEL_COLOUR, LINE, PRIMARY, drawn
from monitoring.language import Language, number

_MARKERS: dict[str, dict[str, Any]] = {
    "past": {"color": LEVEL_COLOUR["orange"]},
    "unknown": {"color": "#EEF1F4", "pattern": {"shape": "/", "fgcolor": LINE, "size": 6}},
    "back": {"color": LEVEL_COLOUR["yellow"]},
    "running": {"color": "#8FB8DC"},
    "due": {"color": PRIMARY},
}


def plot_gradual(rows: Sequence[Mapping[str, Any]], states: Mapping[str, str], t: Language) -> go.Figure:
    """Months from the earliest to the last, the households whose gradual exit ends in each, by state; bars start at zero."""
    months = sorted({row["month"] for row in rows})
    counted = {(row["month"], row["state"]): row["households"] for row in rows}
    top = max(sum(counted.get((month, state), 0) for state in states) for month in months)
    traces = []
    for state, name in states.items():
        values = [counted.get((month, state), 0) for month in months]
        if any(values):
            traces.append(
                go.Bar(
                    y=[t.month(month) for month in months], x=values, orientation="h", name=t(name), marker=_MARKERS[state],
                    text=[f"{t(name)} {number(value)}" if 6 * value > top else "" for value in values], textposition="inside", textangle=0,
                    insidetextanchor="middle", textfont={"color": "#FFFFFF" if state in ("past", "back") else INK},
                    hovertemplate="%{y} " + t(name) + " %{x:,} " + t("户") + "<extra></extra>",
                )
            )  # fmt: skip
    figure = drawn(30 * max(len(months), 1) + 24, *traces)
    figure.update_layout(barmode="stack", bargap=0.3)
    figure.update_xaxes(visible=False, range=[0, 1.05 * max(top, 1)])
    figure.update_yaxes(automargin=True, showgrid=False, ticklabelstandoff=6, autorange="reversed")
    return figure
