"""模型评分: a section of the household's page. The score, what makes it up, and what would lower it."""

from __future__ import annotations

from monitoring import charts, ui
from monitoring.forecast import HORIZON
from monitoring.forecast.words import BANDS, term
from monitoring.queries import model
from monitoring.ui import Column, View


def section(view: View, household_key: int) -> None:
    """Draws the section where the run has a model; says so where the household has no score."""
    t = view.t
    shown = view.ask_county(model.model)
    if shown is None or not shown.usable:
        return
    found = view.ask(model.risk, household_key)
    ui.heading(t("模型评分"), t("今后 {n} 个月陷入困难的可能；只用来安排走访", n=HORIZON))
    if found is None:
        ui.note(t("这户已在救助或监测之中，不评分。"))
        return
    ui.html(
        f"<div>{ui.said(t('可能 {share}（{band}），在本乡镇未享受救助的 {of} 户中排第 {rank}。', share=f'{found.score:.1%}', band=t.pick(*BANDS[found.band]), of=found.of, rank=found.rank))}</div>"
    )
    names = [*(term(name, value, t.code) for name, value, _ in found.terms), t("其余各项合计")]
    sizes = [*(size for _, _, size in found.terms), found.rest]
    ui.chart(charts.plot_parts(names, sizes), "risk-parts", t("哪些情况抬高或压低了得分"))
    rows = [{"name": t("全县中等情况的户"), "size": found.base}]
    rows += [{"name": name, "size": size} for name, size in zip(names, sizes, strict=True)]
    rows.append({"name": t("合计（对数几率）"), "size": found.total})
    ui.table(rows, [
        Column(t("由什么组成"), lambda row: ui.said(row["name"])),
        Column(t("作用"), lambda row: ui.said(f"{row['size']:+.2f}"), "n"),
    ])  # fmt: skip
    if found.relief:
        ui.note(t("怎样能降下来：{how}", how=t.clauses(t(text) for _, text in found.relief)))
