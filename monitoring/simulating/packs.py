"""The seed packs on one county: what each place would find there, who is treated differently, and by which clause."""

from __future__ import annotations

from typing import Any

import polars as pl

from monitoring.access import Scope
from monitoring.parameters import Pack, placeholder
from monitoring.rules import clause_for, load_policy
from monitoring.simulating.asking import named, simulated
from monitoring.simulating.ground import Ground, ground
from monitoring.simulating.scenario import Scenario
from monitoring.tables import RESTS_ON
from monitoring.warehouse import Warehouse


def seeds(of: Ground) -> dict[str, Pack]:
    """The packs that stand for a document of their own."""
    return {name: pack for name, pack in of.packs.items() if pack.document}


def compared(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row a rule that does not find the same in every place: rule, kind, titles, a column of hits for each pack, and
    `differently`, how many subjects are a hit in some places and not in others."""
    of = ground(warehouse)
    packs = list(seeds(of))
    rules = differently(warehouse, scope).group_by("rule").agg(differently=pl.len())
    for name in packs:
        found = simulated(warehouse, scope, Scenario(pack=name)).rules
        titles = ["kind", "title_zh", "title_en"] if name == packs[0] else []
        rules = rules.join(
            found.group_by("rule", *titles).agg(pl.col("hit_after").fill_null(0).sum().alias(name)), on="rule"
        )
    return rules.sort("differently", "rule", descending=[True, False])


def differently(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row a subject and rule that some places find and others do not: rule, household_key, person_id, and a column for
    each pack: whether it is a hit there."""
    of = ground(warehouse)
    packs = list(seeds(of))
    keys = ["rule", "household_key", "person_id"]
    moves = [
        simulated(warehouse, scope, Scenario(pack=name)).moves.select(*keys, "moved").unique().with_columns(pack=pl.lit(name))
        for name in packs
    ]  # fmt: skip
    moved = pl.concat(moves).filter(pl.col("household_key").is_not_null())
    wide = moved.group_by(*keys, "moved", maintain_order=True).agg(pl.col("pack"))
    # What all places turn in the same way is no difference between them.
    wide = wide.filter(pl.col("pack").list.len() < len(packs))
    come = pl.col("moved") == "come"
    return wide.with_columns(
        pl.when(come).then(pl.col("pack").list.contains(name)).otherwise(~pl.col("pack").list.contains(name)).alias(name)
        for name in packs
    ).drop("pack", "moved")  # fmt: skip


def treated(warehouse: Warehouse, scope: Scope, rule: str, page: int = 1, size: int = 50) -> tuple[pl.DataFrame, int]:
    """One page of the households whom a rule finds in some places and not in others, a column for each pack."""
    found = differently(warehouse, scope).filter(pl.col("rule") == rule).sort("household_key", "person_id")
    chosen = found.slice(size * (max(page, 1) - 1), size)
    places = warehouse.frame(
        f"select household_key, township, village, size from household_snapshot {scope.limit().where}", scope.limit().params
    )  # fmt: skip
    return named(
        warehouse, scope, chosen.join(places, on="household_key", how="inner", maintain_order="left")
    ), found.height


def clauses(warehouse: Warehouse, rule: str) -> list[dict[str, Any]]:
    """For each pack: its title in both languages, the clause of the rule there, and those parameters that it reads and
    that are not the same everywhere, with the place's value and clause."""
    of = ground(warehouse)
    _, files = load_policy(of.home if (of.home / "policy").is_dir() else None)
    version = files[rule].in_force(of.as_of) if rule in files else None
    asked = _read(of, rule, version.parameters) if version else set()
    values = {name: pack.in_force(of.as_of) for name, pack in seeds(of).items()}
    said = {name: {(known[name].value, known[name].off) for known in values.values()} for name in of.parameters}
    rows = []
    for name, pack in seeds(of).items():
        read = [v for v in values[name].values() if placeholder(v.name) in asked and len(said[v.name]) > 1]
        rows.append({
            "pack": name, "title_zh": pack.title.zh, "title_en": pack.title.en,
            "clause": clause_for(version.clause, pack) if version else "",
            "read": [{"zh": v.meaning.zh, "en": v.meaning.en, "shown": v.shown, "unit": v.unit.zh, "clause": v.citation} for v in read],
        })  # fmt: skip
    return rows


def _read(of: Ground, rule: str, named_: tuple[str, ...]) -> set[str]:
    """Placeholders that a rule reads, in its text or through its facts."""
    columns = of.rules[rule].expression.columns if rule in of.rules else ()
    return {*named_, *(placeholder(p) for column in columns for p in RESTS_ON.get(column, ()))}
