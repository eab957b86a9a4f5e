"""Figures from frames that queries made: pure functions, no Streamlit, no query, no file.

One module a topic, drawn with `look`: levels keep their four colours and marks everywhere, unknown is grey and hatched,
bars start at zero, scales are given by the caller for the whole county so that a filter never refits them.
"""

from monitoring.charts.coverage import plot_coverage
from monitoring.charts.economics import plot_leads, plot_replay
from monitoring.charts.exits import plot_gradual
from monitoring.charts.household import plot_income, plot_programmes
from monitoring.charts.look import on_dark
from monitoring.charts.misses import plot_missed
from monitoring.charts.model import plot_calibration, plot_candidates, plot_parts
from monitoring.charts.money import plot_money
from monitoring.charts.places import plot_map
from monitoring.charts.rules import plot_months

__all__ = [
    "on_dark",
    "plot_calibration",
    "plot_candidates",
    "plot_coverage",
    "plot_gradual",
    "plot_income",
    "plot_leads",
    "plot_map",
    "plot_missed",
    "plot_money",
    "plot_months",
    "plot_parts",
    "plot_programmes",
    "plot_replay",
]
