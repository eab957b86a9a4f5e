"""两个时钟, on the household's page: from what happened to the help, each stage in calendar and working days."""

from __future__ import annotations

from typing import Any

from monitoring import clocks, ui
from monitoring.alerts.clocks import clocks as milestones
from monitoring.language import number
from monitoring.ui import View

MOST = 3  # the latest alerts


def section(view: View, household_id: str | None) -> None:
    """Nothing where the household never had an alert."""
    if household_id is None:
        return
    found = view.read(
        lambda store, caller, at: milestones(store, caller, view.warehouse, at, household_id=household_id, helped=False)
    )
    for row in found.head(MOST).to_dicts():
        _one(view, row)


def _one(view: View, row: dict[str, Any]) -> None:
    t, told = view.t, clocks.clock({name: row[name] for name in clocks.ORDER})
    what = ui.feed(row["feed"], t) if row["feed"] else t("来源不明")
    parts = [
        t("{first} → {last} {days} 天（{working} 个工作日）", first=t(clocks.MILESTONES[stage.first]), last=t(clocks.MILESTONES[stage.last]),
          days=number(stage.days), working=number(stage.working))
        for stage in told.stages
    ]  # fmt: skip
    if told.days is not None and told.working is not None:
        parts.append(t("合计 {days} 天（{working} 个工作日）", days=number(told.days), working=number(told.working)))
    unknown = [t(clocks.MILESTONES[name]) for name in told.unknown]
    to_come = [t(clocks.MILESTONES[name]) for name in told.to_come]
    more = ui.unknown(t("不明：{what}", what=t.listed(unknown))) if unknown else ""
    more += f' <span class="bl-note">{ui.said(t("还没有：{what}", what=t.listed(to_come)))}</span>' if to_come else ""
    days = " · ".join(
        t("{what} {day}", what=t(said), day=row[name].isoformat())
        for name, said in clocks.MILESTONES.items()
        if row[name]
    )
    ui.html(
        f'<div class="bl-card"><b>{ui.said(t("时效：第 {n} 号预警（{what}）", n=row["alert_id"], what=what))}</b>'
        f"<p>{ui.said(t.clauses(parts))} {more}</p><p class='bl-note'>{ui.said(days)}</p></div>"
    )
