"""Money by programme and month; a month of which nobody delivered anything is hatched, not low."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import plotly.graph_objects as go

from monitoring.charts.look import GREY, LINE, PROGRAMME_COLOUR, drawn
from monitoring.language import Language, number, rounded

# By the names that payments use; what has none here is grey.
COLOUR = {
    "低保": PROGRAMME_COLOUR["低保"], "特困": PROGRAMME_COLOUR["特困供养"], "低保边缘": PROGRAMME_COLOUR["低收入家庭"],
    "孤儿": PROGRAMME_COLOUR["特殊群体"], "临时救助": PROGRAMME_COLOUR["临时救助"], "生活补贴": PROGRAMME_COLOUR["残疾证"],
    "护理补贴": "#F0E442", "价格临时补贴": PROGRAMME_COLOUR["防返贫监测"],
}  # fmt: skip
MOST = 6  # programmes with a colour of their own; the rest together


def plot_money(
    months: Sequence[str], programmes: Sequence[tuple[str, Sequence[Decimal | None]]], t: Language
) -> go.Figure:
    """`programmes`: name and yuan a month, the most money first; None is a month that is not known."""
    shown = [
        (t(name), COLOUR.get(name, PROGRAMME_COLOUR["其他"]), list(amounts)) for name, amounts in programmes[:MOST]
    ]
    if rest := programmes[MOST:]:
        together = [_together(amounts) for amounts in zip(*(amounts for _, amounts in rest), strict=True)]
        shown.append((t("其他项目"), GREY, together))
    labels = [t.short_month(month) for month in months]
    traces: list[go.BaseTraceType] = [
        go.Bar(
            x=labels, y=[None if amount is None else float(amount) for amount in amounts], name=name, marker={"color": colour},
            customdata=[t.money(amount) for amount in amounts], hovertemplate=t.named("%{x} " + name, "%{customdata}") + "<extra></extra>",
        )
        for name, colour, amounts in shown
    ]  # fmt: skip
    totals = [sum((amounts[n] or Decimal(0) for _, _, amounts in shown), Decimal(0)) for n in range(len(months))]
    lacking = [any(amounts[n] is None for _, _, amounts in shown) for n in range(len(months))]
    top = float(max([*totals, Decimal(1)]))
    unknown = [label for label, missing in zip(labels, lacking, strict=True) if missing]
    if unknown:
        traces.append(
            go.Bar(
                x=unknown, y=[0.12 * top] * len(unknown), marker={"color": "rgba(0,0,0,0)", "pattern": {"shape": "/", "fgcolor": GREY, "size": 6},
                "line": {"color": LINE, "width": 1}}, text=["?"] * len(unknown), textposition="inside", textangle=0, name=t("不明"),
                hovertemplate=t.named("%{x}", t("有项目没有收到发放数据，不明")) + "<extra></extra>",
            )
        )  # fmt: skip
    figure = drawn(230, *traces)
    figure.update_layout(barmode="stack", bargap=0.35, showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0,
                         "traceorder": "normal"})  # fmt: skip
    figure.update_xaxes(type="category", showgrid=False, automargin=True)
    figure.update_yaxes(rangemode="tozero", tickformat=",", automargin=True, title={"text": t("元"), "standoff": 4})
    known = [(label, total) for label, total, missing in zip(labels, totals, lacking, strict=True) if not missing]
    for label, total in known[-1:]:
        text = number(rounded(total, 0))
        figure.add_annotation(x=label, y=float(total), text=text, showarrow=False, yshift=9, font={"size": 11})
    return figure


def _together(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """Unknown where one of them is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None
