"""What a run's model says of itself, and of a household: from the tables `model`, `risk_score` and `model_drift`, where they are.

A run without a model has none of these tables: that is told, not taken for "no risk".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from monitoring.access import Scope
from monitoring.forecast.card import BASELINES, CANDIDATE_ZH, card
from monitoring.forecast.features import BY_NAME, GROUPS
from monitoring.forecast.words import relief
from monitoring.warehouse import Warehouse


@dataclass(frozen=True)
class ModelShown:
    """The run's model as a page shows it. `figures`: a row a candidate and baseline; `bins`: predicted and seen;
    `drift`: a row a period, the run's own last; `worse`: groups that are served worse beyond chance; `moved`: features (or
    "score") whose distribution in this run is beyond the limit."""

    id: str
    usable: bool
    why: str
    manifest: dict[str, Any] = field(repr=False)
    figures: list[dict[str, Any]]
    bins: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    drift: list[dict[str, Any]]
    worse: list[dict[str, Any]]
    moved: list[str]
    card: str = field(repr=False)

    @property
    def report(self) -> dict[str, Any]:
        return dict(self.manifest["report"] or {})


@dataclass(frozen=True)
class Risk:
    """A household's score: probability, band, rank in its township, and the parts in log odds that add up to `total`."""

    score: float
    band: str
    rank: int
    of: int
    base: float
    terms: list[tuple[str, Any, float]]
    rest: float
    total: float
    relief: list[tuple[str, str]]


def has(warehouse: Warehouse, table: str) -> bool:
    return bool(
        warehouse.row("select count(*) as n from duckdb_tables() where table_name = $name", {"name": table})["n"]
    )


def model(warehouse: Warehouse) -> ModelShown | None:
    """The run's model; None where there was none."""
    if not has(warehouse, "model"):
        return None
    row = warehouse.row("select * from model")
    manifest = json.loads(row["manifest"])
    report = manifest["report"]
    told = {"id": row["id"], "usable": row["usable"], "why": row["why"], "manifest": manifest, "card": card(manifest)}
    if not row["usable"] or report is None:
        return ModelShown(**told, figures=[], bins=[], groups=[], drift=[], worse=[], moved=[])
    drift = [{"period": period, **values} for period, values in sorted(manifest["drift"].items())]
    now = {r["feature"]: float(r["psi"]) for r in warehouse.rows("select feature, psi from model_drift")}
    drift.append({"period": str(warehouse.row("select period from run")["period"]), **now})
    limit = manifest["limits"]["drift"]
    groups = [group | {"title": GROUPS[group["column"]]} for group in report["groups"]]
    return ModelShown(
        **told, figures=_figures(report), bins=report["candidates"][report["chosen"]]["bins"], groups=groups, drift=drift,
        worse=[group for group in groups if group["served_worse"]],
        moved=sorted((name for name, psi in now.items() if psi > limit), key=lambda name: -now[name]),
    )  # fmt: skip


def _figures(report: dict[str, Any]) -> list[dict[str, Any]]:
    names = {**CANDIDATE_ZH, **BASELINES}
    rows = []
    for name, told in {**report["candidates"], **report["baselines"]}.items():
        at = {one["share"]: one for one in told["at"]}
        rows.append({
            "title": names.get(name, name), "chosen": name == report["chosen"], "baseline": name in report["baselines"],
            "pr_auc": told["pr_auc"], "roc_auc": told["roc_auc"], "precision_5": at[0.05]["precision"],
            "precision_10": at[0.1]["precision"], "recall_10": at[0.1]["recall"], "lift_10": at[0.1]["lift"], "ece": told.get("ece"),
        })  # fmt: skip
    return rows


def listed(warehouse: Warehouse, scope: Scope) -> dict[str, int]:
    """How many households of the scope were scored, by band, and how many have the model's pointer."""
    if not has(warehouse, "risk_score"):
        return {}
    where = scope.limit()
    row = warehouse.row(
        f"""select count(*) as scored, count(*) filter (band = 'high') as high, count(*) filter (band = 'watch') as watch,
                   (select count(*) from signal where rule = 'MODEL-RISK'{where.also}) as pointed
            from risk_score {where.where}""",
        where.params,
    )
    return {name: int(value) for name, value in row.items()}


def highest(warehouse: Warehouse, scope: Scope, most: int = 20) -> list[dict[str, Any]]:
    """The households of the scope that rank highest: household_key, household_id, name, township, village, score, band, signals."""
    if not has(warehouse, "risk_score"):
        return []
    where = scope.limit(table="s")
    return warehouse.rows(
        f"""select s.household_key, {scope.household("s.household_id")} as household_id, {scope.name("p.name")} as name, s.township,
                   s.village, s.score, s.band, s.rank_in_township, coalesce(g.signals, 0) as signals
            from risk_score s left join household h using (household_key) left join person_snapshot p on p.person_id = h.head_person_id
            left join (select household_key, count(*) as signals from signal group by household_key) g using (household_key)
            {where.where} order by s.score desc, s.household_id limit {int(most)}""",
        where.params,
    )


def risk(warehouse: Warehouse, scope: Scope, household_key: int) -> Risk | None:
    """One household's score; None where it has none (it is helped already, or the run had no model)."""
    if not has(warehouse, "risk_score"):
        return None
    where = scope.limit()
    row = warehouse.row(
        f"""select score, band, rank_in_township, of_township, contributions from risk_score
            where household_key = $key{where.also}""",
        {"key": household_key, **where.params},
    )
    if not row:
        return None
    parts = json.loads(row["contributions"])
    terms = [(name, value, size) for name, value, size in parts["terms"] if name in BY_NAME]
    return Risk(
        row["score"], row["band"], row["rank_in_township"], row["of_township"], parts["base"], terms, parts["rest"], parts["total"], relief(terms),
    )  # fmt: skip
