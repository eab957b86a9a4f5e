"""Figures from frames that queries made: pure functions, no Streamlit, no query, no file but the township outlines.

One look for all: levels keep their four colours and marks everywhere, unknown is grey and hatched, bars start at zero,
scales are given by the caller for the whole county so that a filter never refits them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go
import polars as pl

from monitoring.labels import KIND_ZH, LEVEL_MARK, LEVEL_ZH, LEVELS, columns_of
from monitoring.language import Language, number
from monitoring.queries.income import Income

OUTLINES = Path(__file__).parents[1] / "data" / "codes" / "townships.geojson"
FONT = '"Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif'
INK, MUTED, LINE, PRIMARY, GREY = "#1F2933", "#5B6B7B", "#D9E0E7", "#1F5FA8", "#B8C2CC"
DARK_INK, DARK_LINE = "#E4E9EE", "#36424E"
LEVEL_COLOUR = {"red": "#B42318", "orange": "#B54708", "yellow": "#8A6A00", "blue": "#175CD3"}
# Okabe and Ito's order; one colour per programme on every page.
PROGRAMME_COLOUR = {
    "低保": "#0072B2", "特困供养": "#D55E00", "低收入家庭": "#009E73", "防返贫监测": "#E69F00",
    "特殊群体": "#CC79A7", "残疾证": "#56B4E9", "临时救助": "#8A6A00", "其他": "#5B6B7B",
}  # fmt: skip
SEQUENCE = ["#F2F6FA", "#C9DCEE", "#8FB8DC", "#4C8CC2", "#1F5FA8", "#123F73"]


def _figure(height: int, *traces: go.BaseTraceType, left: int = 8) -> go.Figure:
    figure = go.Figure(list(traces))
    figure.update_layout(
        height=height,
        margin={"l": left, "r": 8, "t": 8, "b": 8},
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        hoverlabel={"font": {"family": FONT, "size": 13}},
        dragmode=False,
    )
    figure.update_xaxes(gridcolor=LINE, zerolinecolor=LINE, fixedrange=True)
    figure.update_yaxes(gridcolor=LINE, zerolinecolor=LINE, fixedrange=True)
    return figure


def outlines() -> dict[str, Any] | None:
    """The townships' outlines; None where the county has none."""
    if not OUTLINES.is_file():
        return None
    shapes: dict[str, Any] = json.loads(OUTLINES.read_text("utf-8"))
    return shapes


def plot_map(
    shapes: dict[str, Any],
    places: Sequence[str | None],
    values: Sequence[float | None],
    top: float,
    unit: str,
    t: Language,
    height: int = 380,
) -> go.Figure:
    """Townships by one measure on a scale from 0 to `top`; one without a value is grey. Names and values stand on it."""
    known = {place: value for place, value in zip(places, values, strict=True) if place is not None}
    names = [feature["properties"]["name"] for feature in shapes["features"]]
    have = [name for name in names if known.get(name) is not None]
    lack = [name for name in names if known.get(name) is None]
    shared: dict[str, Any] = {
        "geojson": shapes,
        "featureidkey": "properties.name",
        "marker": {"line": {"color": "#FFFFFF", "width": 1.2}},
    }
    said = [t.named(name, f"{number(known[name] or 0)} {unit}") for name in have]
    traces: list[go.BaseTraceType] = [
        go.Choropleth(
            **shared, locations=have, z=[known[name] for name in have], zmin=0, zmax=max(top, 1), colorscale=SEQUENCE,
            showscale=False, text=said, hovertemplate="%{text}<extra></extra>",
        )
    ]  # fmt: skip
    if lack:
        grey = [[0, GREY], [1, GREY]]
        text = [t.named(name, t("不明")) for name in lack]
        traces.append(
            go.Choropleth(**shared, locations=lack, z=[0] * len(lack), colorscale=grey, showscale=False, text=text,
                          hovertemplate="%{text}<extra></extra>")
        )  # fmt: skip
    centres = [_centre(feature) for feature in shapes["features"]]
    dark = [(known.get(name) or 0) > 0.55 * max(top, 1) for name in names]
    labels = [f"{name}<br>{number(known[name]) if known.get(name) is not None else '?'}" for name in names]  # type: ignore[arg-type]
    for wanted, colour in ((True, "#FFFFFF"), (False, INK)):
        at = [index for index, is_dark in enumerate(dark) if is_dark == wanted]
        traces.append(
            go.Scattergeo(
                lon=[centres[i][0] for i in at], lat=[centres[i][1] for i in at], text=[labels[i] for i in at], mode="text",
                textfont={"size": 11, "color": colour, "family": FONT}, hoverinfo="skip",
            )
        )  # fmt: skip
    figure = _figure(height, *traces)
    figure.update_geos(fitbounds="geojson", visible=False, bgcolor="rgba(0,0,0,0)", projection_type="mercator")
    figure.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0})
    return figure


def _centre(feature: dict[str, Any]) -> tuple[float, float]:
    """The middle of a shape's largest ring: good enough for a label."""
    shape = feature["geometry"]
    polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
    ring = max((polygon[0] for polygon in polygons), key=len)
    area = x = y = 0.0
    for (x0, y0, *_), (x1, y1, *_) in pairwise(ring):
        cross = x0 * y1 - x1 * y0
        area, x, y = area + cross, x + (x0 + x1) * cross, y + (y0 + y1) * cross
    return (x / (3 * area), y / (3 * area)) if area else (ring[0][0], ring[0][1])


def plot_drivers(drivers: pl.DataFrame, t: Language) -> go.Figure:
    """Rules by the households that they hit, most first; the mark and colour are the rule's highest level."""
    rows = list(reversed(drivers.to_dicts()))
    names = [f"{LEVEL_MARK[row['level']]} {t.pick(row['title_zh'], row['title_en'])}" for row in rows]
    return _bars([_cut(name, 30 if t.code == "en" else 18) for name in names], [row["households"] for row in rows],
                 [LEVEL_COLOUR[row["level"]] for row in rows], t("户"), names)  # fmt: skip


def _bars(labels: list[str], values: list[int], colours: list[str], unit: str, full: list[str]) -> go.Figure:
    bars = go.Bar(
        x=values, y=list(range(len(labels))), orientation="h", marker={"color": colours},
        text=[number(value) for value in values], textposition="outside", cliponaxis=False,
        customdata=full, hovertemplate="%{customdata} %{x:,} " + unit + "<extra></extra>",
    )  # fmt: skip
    figure = _figure(30 * len(labels) + 24, bars)
    figure.update_xaxes(visible=False, range=[0, 1.18 * max([1, *values])])
    figure.update_yaxes(
        automargin=True, showgrid=False, ticklabelstandoff=6, tickvals=list(range(len(labels))), ticktext=labels
    )
    figure.update_layout(bargap=0.35)
    return figure


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


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
    figure = _figure(44 * max(len(kinds), 1) + 24, *traces)
    figure.update_layout(barmode="stack", bargap=0.3, uniformtext={"minsize": 10, "mode": "hide"})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(automargin=True, showgrid=False, ticklabelstandoff=6)
    return figure


def plot_income(income: Income, t: Language) -> go.Figure:
    """From gross to assessed, yuan a month and head, with the standard as a line. Without a check: one bar and the line."""
    columns = columns_of("household")
    counted = [step for step in income.steps if step.counted and step.year]
    labels = [t.pick(columns[step.column].zh, columns[step.column].en) for step in counted]
    values = [step.month for step in counted]
    labels = [_wrapped(label, t) for label in labels]
    measures = ["relative"] * len(values)
    if income.floored:
        labels.append(_wrapped(t("不低于 0"), t))
        values.append(-sum(values))
        measures.append("relative")
    total = float(income.income_pc or 0)
    labels.append(_wrapped(t("月人均收入"), t))
    values.append(total)
    measures.append("absolute" if not counted else "total")
    bars = go.Waterfall(
        x=labels, y=values, measure=measures, text=[f"{value:,.0f}" for value in values], textposition="outside",
        increasing={"marker": {"color": "#7FA7CF"}}, decreasing={"marker": {"color": "#C98A5B"}},
        totals={"marker": {"color": PRIMARY}}, connector={"line": {"color": LINE}}, cliponaxis=False,
        hovertemplate="%{x} %{y:,.2f}<extra></extra>",
    )  # fmt: skip
    figure = _figure(300, bars)
    standard = float(income.standard)
    figure.add_hline(y=standard, line={"color": LEVEL_COLOUR["red"], "width": 1.5, "dash": "dash"})
    figure.add_annotation(
        x=1, xref="paper", y=standard, yshift=10, xanchor="right", showarrow=False,
        text=t("低保标准 {yuan} 元", yuan=number(income.standard)), font={"color": LEVEL_COLOUR["red"], "size": 12},
    )  # fmt: skip
    peak = max([standard, total, *_running(values[: len(counted)])])
    figure.update_yaxes(
        range=[min(0.0, *_running(values[: len(counted)]), 0.0) * 1.1, peak * 1.18],
        rangemode="tozero",
        automargin=True,
        tickformat=",.0f",
    )
    figure.update_xaxes(automargin=True, tickangle=0, showgrid=False)
    return figure


def _wrapped(text: str, t: Language) -> str:
    """A label on several short lines, so that neighbours do not run into each other."""
    if t.code == "en":
        return "<br>".join(wrap(text, 11))
    return "<br>".join(text[start : start + 5] for start in range(0, len(text), 5))


def _running(values: list[float]) -> list[float]:
    sums, total = [0.0], 0.0
    for value in values:
        total += value
        sums.append(total)
    return sums


def plot_programmes(stretches: pl.DataFrame, as_of: date, t: Language, months: int = 36) -> go.Figure:
    """Programmes over time, one line a person and programme, from begin (or the window's edge) to end (or as-of)."""
    start = date(as_of.year - months // 12, as_of.month, 1)
    figure = _figure(100)
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


def plot_coverage(coverage: pl.DataFrame, t: Language) -> go.Figure:
    """Programmes: covered, gap and unknown as shares of all three; unknown is hatched."""
    rows = [row for row in reversed(coverage.to_dicts()) if row["eligible"] + row["unknown"]]
    names = [t(row["title"]) for row in rows]
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
                y=names, x=shares, orientation="h", marker=marker, name=label,
                customdata=[row[column] for row in rows], hovertemplate="%{y} " + label + " %{customdata:,}<extra></extra>",
                text=[f"{label} {number(row[column])}" if share > 9 else "" for row, share in zip(rows, shares, strict=True)],
                textposition="inside", insidetextanchor="middle", textangle=0,
                textfont={"color": "#FFFFFF" if column == "gap" else INK},
            )
        )  # fmt: skip
    figure = _figure(30 * max(len(rows), 1) + 24, *traces)
    figure.update_layout(barmode="stack", bargap=0.3)
    figure.update_xaxes(visible=False, range=[0, 100])
    figure.update_yaxes(automargin=True, showgrid=False, ticklabelstandoff=6)
    return figure


def on_dark(figure: go.Figure) -> go.Figure:
    """The same figure to be read on a dark page: words and lines light; what stands on a light mark stays dark."""
    figure.update_layout(font_color=DARK_INK)
    figure.update_xaxes(gridcolor=DARK_LINE, zerolinecolor=DARK_LINE)
    figure.update_yaxes(gridcolor=DARK_LINE, zerolinecolor=DARK_LINE)
    return figure
