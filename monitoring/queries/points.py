"""This month's points for a leader: up to five facts, each chosen and counted from the published figures.

A point is a template of the interface (Chinese) with its values; a page only says it. A point for which there is no
ground, or whose figure is unknown, is left out; nothing is said that no query found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from monitoring.access import Filter, Scope
from monitoring.language import rounded
from monitoring.queries.overview import Overview, drivers, overview, township_table
from monitoring.warehouse import Warehouse


@dataclass(frozen=True)
class Point:
    """One sentence: the template, its figures, and the list that stands behind it (as the overview's address names it).

    `titles` are values that come with the data in both languages; `places` are names that may be unknown (None).
    """

    template: str
    values: dict[str, Any] = field(default_factory=dict)
    titles: dict[str, tuple[str, str]] = field(default_factory=dict)
    places: dict[str, str | None] = field(default_factory=dict)
    behind: dict[str, str] = field(default_factory=dict)


def points(warehouse: Warehouse, scope: Scope) -> list[Point]:
    figures = overview(warehouse, scope)
    if not figures["households"].value:
        return []
    found = [
        _gap(warehouse, scope, figures),
        _worse(warehouse, scope),
        _driver(warehouse, scope),
        _exit(warehouse, scope),
    ]
    return [point for point in [*found, _unknown(warehouse, scope, figures)] if point is not None]


def _gap(warehouse: Warehouse, scope: Scope, figures: Overview) -> Point | None:
    """Where most of those stand who should be covered and are not; nothing where none was found but some are unknown."""
    total, unknown = figures["gap"].value, figures["dibao_unknown"].value
    if not total:
        return None if unknown else Point("本期没有发现应保未保的户。")
    first = township_table(warehouse, scope).sort("gap", descending=True, maintain_order=True).row(0, named=True)
    told = {"n": first["gap"], "total": total, "share": int(rounded(100 * first["gap"] / total, 0))}
    if not unknown:
        return Point(
            "{place}应保未保 {n} 户最多，占 {share}%；合计 {total} 户。", told, places={"place": first["place"]},
            behind={"list": "gap"},
        )  # fmt: skip
    return Point(
        "{place}应保未保 {n} 户最多，占 {share}%；合计 {total} 户，另有 {unknown} 户能否纳入低保无法判断。",
        told | {"unknown": unknown},
        places={"place": first["place"]},
        behind={"list": "gap"},
    )


def _worse(warehouse: Warehouse, scope: Scope) -> Point | None:
    """The place whose alerts grew most since last period."""
    table = township_table(warehouse, scope).drop_nulls("before")
    if table.is_empty():
        return None
    rise = table.with_columns(rise=table["alerts"] - table["before"]).sort("rise", descending=True, maintain_order=True)
    first, worse = rise.row(0, named=True), rise.filter(rise["rise"] > 0).height
    if not worse:
        return Point("没有一处的预警户比上期增加。", behind={"list": "alerts"})
    return Point(
        "{worse} 处的预警户比上期增加，{place}增加最多：{before} 户增至 {now} 户。",
        {"worse": worse, "before": first["before"], "now": first["alerts"]},
        places={"place": first["place"]},
        behind={"list": "alerts"},
    )


def _driver(warehouse: Warehouse, scope: Scope) -> Point | None:
    """The risk that most households run."""
    most = drivers(warehouse, scope, ("risk",), 1)
    if most.is_empty():
        return None
    row = most.row(0, named=True)
    return Point(
        "返贫致贫风险最多的是“{title}”，{n} 户。",
        {"n": row["households"]},
        titles={"title": (row["title_zh"], row["title_en"])},
        behind={"list": "rule", "of": row["rule"]},
    )


def _exit(warehouse: Warehouse, scope: Scope) -> Point | None:
    """Payments that may go on after death, else the most frequent reason to review."""
    places = scope.limit(Filter().add("rule = 'EXIT-DECEASED'"))
    dead = warehouse.row(f"select count(distinct person_id) as n from signal {places.where}", places.params)
    if dead["n"]:
        return Point(
            "{n} 名已死亡人员仍在册或仍在发放，请先核实。",
            {"n": dead["n"]},
            behind={"list": "rule", "of": "EXIT-DECEASED"},
        )
    most = drivers(warehouse, scope, ("exit",), 1)
    if most.is_empty():
        return None
    row = most.row(0, named=True)
    return Point(
        "需要复核的在保户最多因“{title}”，{n} 户；复核前不停发。",
        {"n": row["households"]},
        titles={"title": (row["title_zh"], row["title_en"])},
        behind={"list": "rule", "of": row["rule"]},
    )


def _unknown(warehouse: Warehouse, scope: Scope, figures: Overview) -> Point:
    """Those who could not be judged: never taken for well-off."""
    households, unknown = figures["households"].value, figures["income_unknown"].value
    if not unknown:
        return Point("所有 {n} 户的收入都有依据。", {"n": households})
    places = scope.limit(Filter().add("not income_known and (any_dibao or any_low_income or at_risk)"))
    listed = warehouse.row(f"select count(*) as n from household_snapshot {places.where}", places.params)["n"]
    return Point(
        "{unknown} 户收入不明（共 {households} 户），其中在保或监测 {listed} 户；不明不等于没有困难。",
        {"unknown": unknown, "households": households, "listed": listed},
        behind={"list": "income_unknown"},
    )
