"""Figures of coverage: who is due and covered, who is not, of whom nobody knows."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from monitoring.charts.look import INK, LEVEL_COLOUR, LINE, cut, drawn
from monitoring.language import Language, number

LONGEST = 32  # characters of a label; the whole is said on hover


def plot_coverage(coverage: pl.DataFrame, t: Language) -> go.Figure:
    """Programmes: covered, gap and unknown as shares of all three; unknown is hatched."""
    rows = [row for row in reversed(coverage.to_dicts()) if row["eligible"] + row["unknown"]]
    names, places = [t(row["title"]) for row in rows], list(range(len(rows)))
    parts = (
        ("covered", t("已覆盖"), {"color": "#8FB8DC"}),
        ("gap", t("缺口"), {"color": LEVEL_COLOUR["red"]}),
        ("unknown", t("不明"), {"color": "#EEF1F4", "pattern": {"shape": "/", "fgcolor": LINE, "size": 6}}),
    )
    traces = []
    for column, label, marker in parts:
        shares = [100 * row[column] / (row["eligible"] + row["unknown"]) for row in rows]
        traces.append(
            go.Bar(
                y=places, x=shares, orientation="h", marker=marker, name=label,
                customdata=[[name, row[column]] for name, row in zip(names, rows, strict=True)],
                hovertemplate="%{customdata[0]} " + label + " %{customdata[1]:,}<extra></extra>",
                text=[f"{label} {number(row[column])}" if share > 16 else "" for row, share in zip(rows, shares, strict=True)],
                textposition="inside", insidetextanchor="middle", textangle=0,
                textfont={"color": "#FFFFFF" if column == "gap" else INK},
            )
        )  # fmt: skip
    figure = drawn(30 * max(len(rows), 1) + 24, *traces)
    figure.update_layout(barmode="stack", bargap=0.3)
    figure.update_xaxes(visible=False, range=[0, 100])
    figure.update_yaxes(
        automargin=True,
        showgrid=False,
        ticklabelstandoff=6,
        tickvals=places,
        ticktext=[cut(name, LONGEST) for name in names],
    )
    return figure
