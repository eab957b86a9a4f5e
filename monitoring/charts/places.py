"""Figures over the map of townships, drawn without tiles."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from monitoring.charts.look import FONT, GREY, INK, SEQUENCE, drawn
from monitoring.language import Language, number


def plot_map(
    shapes: dict[str, Any],
    places: Sequence[str | None],
    values: Sequence[float | None],
    top: float,
    unit: str,
    t: Language,
    picked: str | None = None,
    height: int = 350,
) -> go.Figure:
    """Townships by one measure on a scale from 0 to `top`; one without a value is grey, the picked one has a thick border.
    Names and values stand on it. A click on an area tells its name as `location`."""
    known = {place: value for place, value in zip(places, values, strict=True) if place is not None}
    features = sorted(
        shapes["features"], key=lambda feature: feature["properties"]["name"] == picked
    )  # its border on top
    names = [feature["properties"]["name"] for feature in features]
    have = [name for name in names if known.get(name) is not None]
    lack = [name for name in names if known.get(name) is None]
    shared: dict[str, Any] = {
        "geojson": shapes,
        "featureidkey": "properties.name",
    }

    def border(of: list[str]) -> dict[str, Any]:
        lines = [("#1F2933", 3.0) if name == picked else ("#FFFFFF", 1.2) for name in of]
        return {"line": {"color": [colour for colour, _ in lines], "width": [width for _, width in lines]}}

    shown_as_is: dict[str, Any] = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}
    said = [t.named(name, f"{number(known[name] or 0)} {unit}") for name in have]
    traces: list[go.BaseTraceType] = [
        go.Choropleth(
            **shared, **shown_as_is, marker=border(have), locations=have, z=[known[name] for name in have], zmin=0, zmax=max(top, 1), colorscale=SEQUENCE,
            showscale=False, text=said, hovertemplate="%{text}<extra></extra>",
        )
    ]  # fmt: skip
    if lack:
        grey = [[0, GREY], [1, GREY]]
        text = [t.named(name, t("不明")) for name in lack]
        traces.append(
            go.Choropleth(**shared, **shown_as_is, marker=border(lack), locations=lack, z=[0] * len(lack), colorscale=grey, showscale=False, text=text,
                          hovertemplate="%{text}<extra></extra>")
        )  # fmt: skip
    centres = [_centre(feature) for feature in features]
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
    figure = drawn(height, *traces)
    figure.update_geos(fitbounds="geojson", visible=False, bgcolor="rgba(0,0,0,0)", projection_type="mercator")
    figure.update_layout(clickmode="event+select", margin={"l": 0, "r": 0, "t": 0, "b": 0})
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
