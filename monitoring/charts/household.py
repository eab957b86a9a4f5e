"""Figures of one household: its income from gross to assessed, its programmes over time."""

from __future__ import annotations

from datetime import date

import plotly.graph_objects as go
import polars as pl

from monitoring.charts.look import LEVEL_COLOUR, LINE, MUTED, PRIMARY, PROGRAMME_COLOUR, drawn, wrapped
from monitoring.labels import columns_of
from monitoring.language import Language, number
from monitoring.queries.income import Income


def plot_income(income: Income, t: Language) -> go.Figure:
    """From gross to assessed, yuan a month and head, with the standard as a line. Without a check: one bar and the line."""
    columns = columns_of("household")
    counted = [step for step in income.steps if step.counted and step.year]
    labels = [t.pick(columns[step.column].zh, columns[step.column].en) for step in counted]
    values = [step.month for step in counted]
    bars_drawn = len(labels) + 1 + int(income.floored)
    labels = [wrapped(label, t, bars_drawn) for label in labels]
    measures = ["relative"] * len(values)
    if income.floored:
        labels.append(wrapped(t("不低于 0"), t, bars_drawn))
        values.append(-sum(values))
        measures.append("relative")
    total = float(income.income_pc or 0)
    labels.append(wrapped(t("月人均收入"), t, bars_drawn))
    values.append(total)
    measures.append("absolute" if not counted else "total")
    bars = go.Waterfall(
        x=labels, y=values, measure=measures, text=[f"{value:,.0f}" for value in values], textposition="outside",
        increasing={"marker": {"color": "#7FA7CF"}}, decreasing={"marker": {"color": "#C98A5B"}},
        totals={"marker": {"color": PRIMARY}}, connector={"line": {"color": LINE}}, cliponaxis=False,
        hovertemplate="%{x} %{y:,.2f}<extra></extra>",
    )  # fmt: skip
    figure = drawn(300, bars)
    standard = float(income.standard)
    figure.add_hline(y=standard, line={"color": LEVEL_COLOUR["red"], "width": 1.5, "dash": "dash"})
    # Above all bars, so that it lies over none however narrow the figure is; the dashes say which line is meant.
    figure.add_annotation(
        x=1, xref="paper", y=1, yref="paper", yanchor="bottom", xanchor="right", showarrow=False,
        text=t("╌╌ 低保标准 {yuan} 元", yuan=number(income.standard)), font={"color": LEVEL_COLOUR["red"], "size": 12},
    )  # fmt: skip
    figure.update_layout(margin_t=28)
    peak = max([standard, total, *_running(values[: len(counted)])])
    figure.update_yaxes(
        range=[min(0.0, *_running(values[: len(counted)]), 0.0) * 1.1, peak * 1.18],
        rangemode="tozero",
        automargin=True,
        tickformat=",.0f",
    )
    figure.update_xaxes(automargin=True, tickangle=0, showgrid=False)
    return figure


def _running(values: list[float]) -> list[float]:
    sums, total = [0.0], 0.0
    for value in values:
        total += value
        sums.append(total)
    return sums


def plot_programmes(stretches: pl.DataFrame, as_of: date, t: Language, months: int = 36) -> go.Figure:
    """Programmes over time, one line a person and programme, from begin (or the window's edge) to end (or as-of)."""
    start = date(as_of.year - months // 12, as_of.month, 1)
    figure = drawn(100)
    rows = stretches.filter(pl.col("until_date").is_null() | (pl.col("until_date") >= start)).to_dicts()
    lines = list(dict.fromkeys((row["programme"], row["person_id"]) for row in rows))
    labels = {
        (row["programme"], row["person_id"]): f"{t(row['programme'])} · {row['name'] or t('不明')}" for row in rows
    }
    for row in rows:
        line = (row["programme"], row["person_id"])
        first, last = max(row["from_date"] or start, start), min(row["until_date"] or as_of, as_of)
        said = f"{labels[line]}<br>{row['from_date'] or t('开始日期不明')} — {row['until_date'] or t('至今')}<extra></extra>"
        bar = {"width": 14, "color": PROGRAMME_COLOUR.get(row["programme"], MUTED)}
        at = lines.index(line)
        figure.add_trace(go.Scatter(x=[first, last], y=[at, at], mode="lines", line=bar, hovertemplate=said))
    years = list(range(start.year, as_of.year + 2))
    figure.update_layout(height=32 * max(len(lines), 1) + 50)
    figure.update_xaxes(
        range=[start, date(as_of.year + (as_of.month == 12), as_of.month % 12 + 1, 28)],
        tickvals=[date(year, 1, 1) for year in years], ticktext=[str(year) for year in years], automargin=True,
    )  # fmt: skip
    figure.update_yaxes(
        automargin=True, showgrid=False, ticklabelstandoff=6, range=[len(lines) - 0.4, -0.6], zeroline=False,
        tickvals=list(range(len(lines))), ticktext=[labels[line] for line in lines],
    )  # fmt: skip
    return figure
