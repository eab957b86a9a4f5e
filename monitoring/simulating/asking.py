"""The questions that a page and the command line ask of a scenario: sums, the differences, and lists page by page."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

import polars as pl

from monitoring.access import Scope
from monitoring.parameters import placeholder
from monitoring.simulating.ground import Ground, ground
from monitoring.simulating.judging import Simulation, simulate
from monitoring.simulating.scenario import Scenario, choices_of
from monitoring.warehouse import Warehouse

SHOWN = ("gap", "exit", "risk")
# What a list can be of: how a household of `Simulation.changed` is told to be in it.
LISTS: dict[str, pl.Expr] = {
    "come": pl.col("come").is_not_null(),
    "go": pl.col("go").is_not_null(),
    "gain": pl.col("yuan_after") > pl.col("yuan_before"),
    "lose": pl.col("yuan_after") < pl.col("yuan_before"),
    "category": pl.col("category_before") != pl.col("category_after"),
}


@lru_cache(maxsize=24)
def _simulated(of: Ground, scope: Scope, scenario: Scenario) -> Simulation:
    return simulate(of, scope, scenario)


def simulated(warehouse: Warehouse, scope: Scope, scenario: Scenario) -> Simulation:
    """Raises CannotSimulate. A published file never changes: what was asked once is remembered."""
    return _simulated(ground(warehouse), scope, scenario)


@dataclass(frozen=True)
class Sums:
    """A scenario's figures at a glance. `yuan_*`: what difference method and tekun standard come to in a year."""

    come: int
    go: int
    unknown_before: int
    unknown_after: int
    gain: int
    lose: int
    moved: int
    yuan_before: Decimal
    yuan_after: Decimal
    rules_affected: int

    @property
    def yuan_more(self) -> Decimal:
        return self.yuan_after - self.yuan_before


def sums(warehouse: Warehouse, scope: Scope, scenario: Scenario) -> Sums:
    found = simulated(warehouse, scope, scenario)
    rules, changed = found.rules, found.changed
    counted = {name: changed.filter(wanted).height for name, wanted in LISTS.items()}
    return Sums(
        counted["come"], counted["go"], int(rules["unknown_before"].sum() or 0), int(rules["unknown_after"].sum() or 0),
        counted["gain"], counted["lose"], counted["category"],
        whole_yuan(found.money["yuan_before"].sum()), whole_yuan(found.money["yuan_after"].sum()),
        rules.filter(pl.col("affected"))["rule"].n_unique(),
    )  # fmt: skip


def whole_yuan(amount: Any) -> Decimal:
    """Rounded once, when everything is summed."""
    return Decimal(amount or 0).quantize(Decimal(1), ROUND_HALF_UP)


FIGURES = ("hit_before", "hit_after", "come", "go", "unknown_before", "unknown_after")


def rules_moved(warehouse: Warehouse, scope: Scope, scenario: Scenario) -> pl.DataFrame:
    """One row a rule that reads otherwise in the scenario: rule, kind, subject, titles, on, FIGURES; most moves first."""
    found = simulated(warehouse, scope, scenario).rules.filter(pl.col("affected"))
    keys = ["rule", "kind", "subject", "title_zh", "title_en", "on"]
    figures = found.group_by(keys).agg(pl.col(c).fill_null(0).sum() for c in FIGURES)
    return figures.sort(pl.col("come") + pl.col("go"), "rule", descending=[True, False])


def by_township(warehouse: Warehouse, scope: Scope, scenario: Scenario) -> pl.DataFrame:
    """One row a township: hits that come and go, and the money of a year by programme before and after, in whole yuan."""
    found = simulated(warehouse, scope, scenario)
    moved = (
        found.rules.filter(pl.col("affected"), pl.col("subject").is_in(["household", "person", "record"]))
        .group_by("township")
        .agg(pl.sum("come"), pl.sum("go"))
    )
    money = found.money.pivot(
        on="programme", index="township", values=["yuan_before", "yuan_after", "persons_before", "persons_after"]
    )
    joined = money.join(moved, on="township", how="left", nulls_equal=True).with_columns(
        pl.col("come", "go").fill_null(0),
        *(
            pl.col(f"yuan_{side}_{p}").round(0, mode="half_away_from_zero").cast(pl.Int64)
            for p in ("dibao", "tekun")
            for side in ("before", "after")
        ),
        more=(pl.sum_horizontal("yuan_after_dibao", "yuan_after_tekun") - pl.sum_horizontal("yuan_before_dibao", "yuan_before_tekun"))
        .round(0, mode="half_away_from_zero").cast(pl.Int64),
    )  # fmt: skip
    return joined.sort("more", "township", descending=[True, False], nulls_last=True)


def programmes(warehouse: Warehouse, scope: Scope, scenario: Scenario) -> pl.DataFrame:
    """One row a programme: households, persons and yuan of a year before and after, yuan more."""
    found = simulated(warehouse, scope, scenario).money
    summed = found.group_by("programme", maintain_order=True).agg(
        pl.sum("households_before", "households_after", "persons_before", "persons_after", "yuan_before", "yuan_after")
    )
    return summed.with_columns(
        *(pl.col(c).round(0, mode="half_away_from_zero").cast(pl.Int64) for c in ("yuan_before", "yuan_after")),
        yuan_more=(pl.col("yuan_after") - pl.col("yuan_before")).round(0, mode="half_away_from_zero").cast(pl.Int64),
    )


def categories(warehouse: Warehouse, scope: Scope, scenario: Scenario) -> pl.DataFrame:
    """before, after, households, persons: who moves from which category into which."""
    return simulated(warehouse, scope, scenario).categories


def listed(
    warehouse: Warehouse, scope: Scope, scenario: Scenario, what: str, rule: str | None, page: int = 1, size: int = 50
) -> tuple[pl.DataFrame, int]:
    """One page of the households behind a figure (LISTS; a rule narrows to those whom it hits or lets go), and how many."""
    found = simulated(warehouse, scope, scenario).changed.filter(LISTS[what])
    if rule is not None and what in ("come", "go"):
        found = found.filter(pl.col(what).str.split(",").list.contains(rule))
    found = found.with_columns(more=pl.col("yuan_after") - pl.col("yuan_before"))
    order = pl.col("more").abs() if what in ("gain", "lose") else -pl.col("household_key")
    chosen = found.sort(order, pl.col("household_key"), descending=[True, False]).slice(size * (max(page, 1) - 1), size)
    return named(warehouse, scope, chosen), found.height


def named(warehouse: Warehouse, scope: Scope, chosen: pl.DataFrame) -> pl.DataFrame:
    """The rows with the household's number, its head, its income and standard; masked and limited as the scope says."""
    where = scope.limit(table="h")
    people = warehouse.frame(
        f"""select h.household_key, {scope.household("h.household_id")} as household_id, {scope.name("p.name")} as name,
                   h.income_pc, h.standard
            from household_snapshot h left join person_snapshot p on p.person_id = h.head_person_id
            where h.household_key in (select unnest($keys::BIGINT[])){where.also}""",
        {"keys": chosen["household_key"].to_list(), **where.params},
    )
    return chosen.join(people, on="household_key", how="inner", maintain_order="left")


def in_force(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Every parameter of the run: name, value, off, unit, meaning in both languages, clause, whether any rule or fact reads
    it, and what it may be where it is a word."""
    of = ground(warehouse)
    read = {name for rule in of.rules.values() for name in rule.parameters}
    return [
        {
            "name": v.name, "shown": v.shown, "off": v.off, "unit_zh": v.unit.zh, "unit_en": v.unit.en, "zh": v.meaning.zh,
            "en": v.meaning.en, "clause": v.citation, "kind": of.kinds.get(placeholder(v.name), ""),
            "read": placeholder(v.name) in read,
            "choices": choices_of(of, v.name) if of.kinds.get(placeholder(v.name)) == "text" else [],
        }
        for v in of.parameters.values()
    ]  # fmt: skip


def rule_titles(warehouse: Warehouse) -> dict[str, tuple[str, str]]:
    """Code -> title in both languages, of the rules that the run judged by."""
    return {code: (rule.title.zh, rule.title.en) for code, rule in ground(warehouse).rules.items()}


def pack_titles(warehouse: Warehouse) -> dict[str, tuple[str, str]]:
    of = ground(warehouse)
    return {name: (pack.title.zh, pack.title.en) for name, pack in of.packs.items()}
