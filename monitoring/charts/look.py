"""One look for all figures: four level colours, one colour a programme, grey for unknown, bars that start at zero."""

from __future__ import annotations

from textwrap import wrap

import plotly.graph_objects as go

from monitoring.language import Language

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


def drawn(height: int, *traces: go.BaseTraceType, left: int = 8) -> go.Figure:
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


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


MANY = 5  # from so many bars on their labels have room for three characters on a phone


def wrapped(text: str, t: Language, bars: int = 1) -> str:
    """A label on several short lines, so that neighbours do not run into each other; shorter ones where there are many bars."""
    if t.code == "en":
        return "<br>".join(wrap(text, 8 if bars >= MANY else 11))
    length = 3 if bars >= MANY else 5
    return "<br>".join(text[start : start + length] for start in range(0, len(text), length))


def on_dark(figure: go.Figure) -> go.Figure:
    """The same figure to be read on a dark page: words and lines light; what stands on a light mark stays dark."""
    figure.update_layout(font_color=DARK_INK)
    figure.update_xaxes(gridcolor=DARK_LINE, zerolinecolor=DARK_LINE)
    figure.update_yaxes(gridcolor=DARK_LINE, zerolinecolor=DARK_LINE)
    return figure
