"""How a share is told: with counts and its 95% interval; of few cases the counts and the interval only, no percentage."""

from __future__ import annotations

from monitoring import ui
from monitoring.alerts.confirmed import Confirmed
from monitoring.language import number, share
from monitoring.ui import View


def cell(view: View, found: Confirmed | None) -> str:
    """A cell of a table, or what stands below a tile's figure."""
    if found is None or not found.decided:
        return f'<span class="bl-note">{ui.said(view.t("还没有结论"))}</span>'
    return ui.said(told(view, found.confirmed, found.decided, (found.low, found.high), found.few))


def below(view: View, found: Confirmed) -> str:
    """What stands below a tile's percentage: counts and interval; `cell` where there is no percentage."""
    return (
        cell(view, found)
        if found.few
        else ui.said(counted(view, found.confirmed, found.decided, (found.low, found.high)))
    )


def counted(view: View, part: int, of: int, interval: tuple[float, float]) -> str:
    """Counts and interval, where the percentage stands above."""
    low, high = share(interval[0], 1), share(interval[1], 1)
    return view.t("{yes}／{all}，区间 {low}–{high}", yes=number(part), all=number(of), low=low, high=high)


def told(view: View, part: int, of: int, interval: tuple[float, float], few: bool) -> str:
    t = view.t
    values = {"yes": number(part), "all": number(of), "low": share(interval[0], 1), "high": share(interval[1], 1)}
    if few:
        return t("{yes}／{all}，太少；区间 {low}–{high}", **values)
    return t("{share}（{yes}／{all}，区间 {low}–{high}）", share=share(part, of), **values)
