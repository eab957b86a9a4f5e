"""A report in sections of sentences, tables and pictures, made from `figures` only; how it is set is somebody else's matter.

A sentence whose figure is not known says so or is not written. No person is named. What is marked for publication tells no
small number (`hiding`), neither in a table nor in a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from monitoring.access import Scope
from monitoring.alerts.reporting import Worked
from monitoring.language import unnested
from monitoring.reports import figures, hiding
from monitoring.reports.account_sections import AccountSections
from monitoring.reports.people_sections import PeopleSections
from monitoring.reports.shape import Report, Section
from monitoring.reports.wording import month
from monitoring.vouching.live import Live
from monitoring.warehouse import Warehouse

QUARTER_ENDS = {6: "4至6月", 9: "7至9月", 12: "10至12月"}
QUARTER_SOURCE = "《社会救助兜底脱贫行动实施方案》四（三）：6月底、9月底、12月底报送"


class NoQuarter(ValueError):
    """A quarterly report was asked for a month in which none is due."""


@dataclass(frozen=True)
class Made:
    """Who makes the report, when (the county's clock) and on which day, for which place."""

    by: str
    at: str
    today: date
    place: str
    publication: bool


def months_of(kind: str, as_of: date) -> list[str]:
    """The periods that a report covers: the month, or the three of its quarter. Raises NoQuarter."""
    if kind == "monthly":
        return [f"{as_of:%Y-%m}"]
    if as_of.month not in QUARTER_ENDS:
        raise NoQuarter(f"季度报告只在6月、9月、12月出（{QUARTER_SOURCE}），{as_of.year}年{as_of.month}月没有")
    return [f"{as_of.year}-{number:02d}" for number in range(as_of.month - 2, as_of.month + 1)]


def compose(
    kind: str, warehouse: Warehouse, scope: Scope, pair: Warehouse | None, worked: Worked, done: Live, made: Made, missing: Sequence[str] = ()
) -> Report:  # fmt: skip
    """`pair`: the run before the report's first month beside this one; None where nothing earlier is published. `done`: what
    people did, as the checklist's page counts it. `missing`: months of the quarter without a published run."""
    run = figures.run_of(warehouse, scope)
    months = months_of(kind, run.as_of)
    asked = (warehouse, scope, made.publication, run, months)
    people, account = PeopleSections(*asked), AccountSections(*asked)
    moved = None if pair is None else figures.movement(pair, scope)
    sections = [
        people.categories(), people.movement(moved), people.gaps(), people.alerts(worked), people.drivers(), people.places(),
        account.money(), account.exits(moved), account.checklist(done), account.sources(made.today), account.quality(),
    ]  # fmt: skip
    year, of_year = run.as_of.year, run.as_of.month
    span = f"{year}年{of_year}月" if kind == "monthly" else f"{year}年{QUARTER_ENDS[of_year]}"
    title = (
        f"{made.place}低收入人口动态监测{span}月报"
        if kind == "monthly"
        else f"{made.place}社会救助兜底保障{span}季度报告"
    )
    told = [f"数据截至 {run.as_of:%Y年%m月%d日}；办理情况截至 {worked.until:%Y年%m月%d日}。"]
    if moved is not None:
        told.append(f"“新增”“停保”等是与 {month(moved.before)} 已发布结果比较。")
    if missing:
        told.append(
            f"本季度没有发布结果的月份：{'、'.join(month(m) for m in missing)}；这些月份的变化只能从季末结果看到。"
        )
    if kind == "quarterly":
        told.append(f"依据{QUARTER_SOURCE}。")
    if run.sample:
        told.append("样例县：人和事都是编造的，只供演示。")
    closing = [
        f"数据结果编号：{run.run}；政策包：{run.pack}。",
        f"制表：{made.by}　{made.at}。文中数字全部由系统从已发布结果查询得出；不明的如实写明，不作为没有困难。",
        "本报告不含个人信息。" + (f"供公开：不足{hiding.LEAST}的人数、户数不列出。" if made.publication else "内部资料：含小数字，公开前请用“公开版”。"),
    ]  # fmt: skip
    name = f"{made.place}{span}{'月报' if kind == 'monthly' else '季度报告'}{'_公开版' if made.publication else ''}"
    return Report(title, told, [_set(section) for section in sections if section], closing, made.publication, name)


def _set(section: Section) -> Section:
    """As print has it: no brackets within brackets of their own kind."""
    tables = [
        replace(
            table,
            headings=tuple(map(unnested, table.headings)),
            rows=[tuple(map(unnested, row)) for row in table.rows],
        )
        for table in section.tables
    ]
    return replace(section, sentences=list(map(unnested, section.sentences)), tables=tables)
