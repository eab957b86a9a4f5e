"""A changed condition on all published periods: whom it would have flagged then, who comes and who goes, and what the door
said of them since. Judged over each period's own file with that period's parameters: what was known then.

A run made with the changed rule gives the same hits; a test holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import polars as pl

from monitoring.access import Scope
from monitoring.alerts.confirmed import Confirmed
from monitoring.forecast import HORIZON
from monitoring.language import Words
from monitoring.periods import has, opened
from monitoring.rules.expressions import Expression, check_expression
from monitoring.rules.expressions import Scope as Names
from monitoring.simulating.ground import CannotSimulate, Ground, Judged, ground_once
from monitoring.simulating.judging import Pass
from monitoring.simulating.scenario import run_world
from monitoring.strict_toml import Bilingual
from monitoring.tables import SNAPSHOTS
from monitoring.warehouse import Published, Warehouse

MONTHS = {
    "period": pl.String, "hit_before": pl.Int64, "hit_after": pl.Int64, "come": pl.Int64, "go": pl.Int64, "unknown_before": pl.Int64,
    "unknown_after": pl.Int64,
}  # fmt: skip
MOVES = {
    "period": pl.String, "moved": pl.String, "household_key": pl.Int64, "person_id": pl.Int64, "household_id": pl.String,
    "township": pl.String, "village": pl.String,
}  # fmt: skip
MOVED = {"come": "新命中", "go": "不再命中"}


@dataclass(frozen=True)
class Replayed:
    """`months`: a period with MONTHS; `moves`: a subject that comes or goes in a period; `left_out`: (period, why) of those
    that could not be judged."""

    months: pl.DataFrame = field(repr=False)
    moves: pl.DataFrame = field(repr=False)
    left_out: tuple[tuple[str, str], ...] = ()


def replay(runs: Sequence[Published], scope: Scope, code: str, subject: str, record: str, when: str) -> Replayed:
    """The rule with another condition over every run. `subject` and `record` are the rule's; a rule that a period did not
    have hits nobody before. Raises CannotSimulate where the condition cannot be read at all."""
    return _replayed(tuple(runs), scope, code, subject, record, when)


@lru_cache(maxsize=16)
def _replayed(
    runs: tuple[Published, ...], scope: Scope, code: str, subject: str, record: str, when: str
) -> Replayed:  # fmt: skip
    months, moves = [pl.DataFrame(schema=MONTHS)], [pl.DataFrame(schema=MOVES)]
    left_out: list[tuple[str, str]] = []
    for run, warehouse in opened(runs):
        period = pl.lit(run.period).alias("period")
        of = ground_once(warehouse)
        after, why = condition_then(of, subject, when)
        if why:
            left_out.append((run.period, why))
            continue
        before = of.rules.get(code)
        if before is not None and (before.subject, before.record) != (subject, record):
            left_out.append((run.period, Words("那一期同名的规则判断的是另一种对象")))
            continue
        rule = before or Judged(code, "", subject, record, Bilingual("", ""), "", after, after.parameters)
        counted, moved = _pass(of, scope, warehouse, rule, before.expression if before else None, after)
        months.append(counted.select(period, *(pl.sum(name).cast(pl.Int64) for name in list(MONTHS)[1:])))
        moves.append(moved.select(period, *list(MOVES)[1:]))
    return Replayed(pl.concat(months), pl.concat(moves), tuple(left_out))


def _pass(
    of: Ground, scope: Scope, warehouse: Warehouse, rule: Judged, before: Expression | None, after: Expression | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Counts by township, and the moves with the household's number and place."""
    now = run_world(of)
    running = before if before is not None and now.rules[rule.code][1] is not None else None
    with warehouse.workspace() as con:
        counted, moved = Pass(of, scope, now, now, con).moved(rule, running, _unless_off(of, rule, after))
        homes = con.sql("SELECT household_key, household_id, township, village FROM household").pl()
    return counted, moved.join(homes, on="household_key", how="left")


def hits_then(of: Ground, scope: Scope, warehouse: Warehouse, rule: Judged) -> pl.DataFrame:
    """household_key: the households that a rule of another period would have flagged here. Empty where a parameter that it
    names is off or lacking in this period."""
    after, why = condition_then(of, rule.subject, rule.expression.text)
    if why:
        return pl.DataFrame(schema={"household_key": pl.Int64})
    _, moved = _pass(of, scope, warehouse, rule, None, after)
    return moved.select("household_key").drop_nulls().unique()


def condition_then(of: Ground, subject: str, when: str) -> tuple[Expression, str]:
    """The condition over that period's parameters, and why it cannot be asked there ("" where it can). Raises CannotSimulate."""
    wrong: list[str] = []
    found = check_expression(when, Names(SNAPSHOTS[subject], of.kinds), lambda what, right: wrong.append(f"{what}。应为：{right}"))  # fmt: skip
    if found is None:
        raise CannotSimulate(wrong)
    lacking = [name for name in found.parameters if name not in of.parameters.by_placeholder]
    return found, Words("那一期的政策包没有参数 {names}", names=list(lacking)) if lacking else ""


def _unless_off(of: Ground, rule: Judged, after: Expression | None) -> Expression | None:
    """None where a parameter that the rule or its facts name is off, as in a run."""
    named = {*rule.parameters, *(after.parameters if after else ())}
    values = (of.parameters.by_placeholder.get(name) for name in named)
    return None if any(value is None or value.off for value in values) else after


# --- rules in shadow: what their runs stored


def shadows(runs: Sequence[Published], scope: Scope) -> Replayed | None:
    """What every run with rules in shadow stored of them, beside the rules of their code that counted; as `replay`, with a
    column `rule` in both tables and `sha256` in `months`. None where no run had one."""
    months, moves = list[pl.DataFrame](), list[pl.DataFrame]()
    for run, warehouse in opened(runs):
        if has(warehouse, "shadow_rule"):
            told, moved = _shadow_of(warehouse, scope)
            period = pl.lit(run.period).alias("period")
            months.append(told.select("rule", "sha256", "disabled", period, *list(MONTHS)[1:]))
            moves.append(moved.select("rule", period, *list(MOVES)[1:]))
    return Replayed(pl.concat(months), pl.concat(moves)) if months else None


def of_rule(told: Replayed, code: str) -> Replayed:
    """What is told of one rule among those in shadow."""
    return Replayed(told.months.filter(pl.col("rule") == code), told.moves.filter(pl.col("rule") == code))


# A subject is told by its numbers; an institution, source or policy by its name.
_SAME = " AND ".join(
    f"a.{column} IS NOT DISTINCT FROM b.{column}" for column in ("rule", "household_key", "person_id", "record_key", "told")
)  # fmt: skip


def _shadow_of(warehouse: Warehouse, scope: Scope) -> tuple[pl.DataFrame, pl.DataFrame]:
    where = scope.limit()
    person = "CASE WHEN subject <> 'household' THEN person_id END AS person_id"  # a household's head may change
    sides = f"""
        a AS (SELECT rule, household_key, household_id, {person}, record_key, name AS told, township, village FROM shadow_hit {where.where}),
        b AS (SELECT rule, household_key, household_id, {person}, record_key, CASE WHEN household_key IS NULL THEN name END AS told, township,
            village FROM signal WHERE rule IN (SELECT rule FROM shadow_rule){where.also})"""
    picked = "rule, moved, household_key, person_id, household_id, township, village"
    moved = warehouse.frame(
        f"""WITH {sides}
            SELECT {picked} FROM (SELECT *, 'come' AS moved FROM a WHERE NOT EXISTS (FROM b WHERE {_SAME}))
            UNION ALL SELECT {picked} FROM (SELECT *, 'go' AS moved FROM b WHERE NOT EXISTS (FROM a WHERE {_SAME})) ORDER BY ALL""",
        where.params,
    )
    counted = warehouse.frame(
        f"""WITH after AS (SELECT rule, sum(hit) AS hit, sum(unknown) AS unknown FROM shadow_outcome {where.where} GROUP BY rule),
                 before AS (SELECT rule, sum(hit) AS hit, sum(unknown) AS unknown FROM rule_outcome {where.where} GROUP BY rule)
            SELECT s.rule, s.sha256, s.disabled, coalesce(b.hit, 0)::BIGINT AS hit_before, coalesce(a.hit, 0)::BIGINT AS hit_after,
                coalesce(b.unknown, 0)::BIGINT AS unknown_before, coalesce(a.unknown, 0)::BIGINT AS unknown_after
            FROM shadow_rule s LEFT JOIN after a USING (rule) LEFT JOIN before b USING (rule) ORDER BY s.rule""",
        where.params,
    )
    moves = moved.group_by("rule").agg(**{how: (pl.col("moved") == how).sum().cast(pl.Int64) for how in ("come", "go")})
    return counted.join(moves, on="rule", how="left", maintain_order="left").with_columns(pl.col("come", "go").fill_null(0)), moved  # fmt: skip


# --- what the door said


@dataclass(frozen=True)
class Said:
    """Of the households that came or went: how many there are, and of how many the door has spoken since."""

    households: int
    found: Confirmed

    @property
    def silent(self) -> int:
        return self.households - self.found.decided


def said_at_the_door(moves: pl.DataFrame, door: pl.DataFrame) -> dict[str, Said]:
    """By how they moved. A household's word is the first decision of its period or of the HORIZON months after it; of one
    that moved in several periods, the first word."""
    known = (
        moves.filter(pl.col("household_id").is_not_null())
        .select("moved", "household_id", "period").unique()
        .join(door.select("household_id", "confirmed", decided="period"), on="household_id", how="left")
        .with_columns(months=months(pl.col("decided")) - months(pl.col("period")))
        .sort("decided", "confirmed", nulls_last=True)
    )  # fmt: skip
    within = pl.col("months").is_between(0, HORIZON)
    homes = known.group_by("moved", "household_id").agg(pl.col("confirmed").filter(within).first())
    told = {}
    for how in MOVED:
        mine = homes.filter(pl.col("moved") == how)
        decided = mine["confirmed"].drop_nulls()
        told[how] = Said(len(mine), Confirmed.of(len(decided), int(decided.sum())))
    return told


def listed(moves: pl.DataFrame, moved: str) -> list[dict[str, Any]]:
    """One row a household that comes (goes): household_id, household_key, township, village, first and last period, periods."""
    mine = moves.filter(pl.col("moved") == moved, pl.col("household_key").is_not_null())
    rows = mine.sort("period").group_by("household_key").agg(
        pl.last("household_id", "township", "village"), first=pl.min("period"), last=pl.max("period"), periods=pl.col("period").n_unique(),
    )  # fmt: skip
    return rows.sort("last", "household_key", descending=[True, False]).to_dicts()


def months(period: pl.Expr) -> pl.Expr:
    """2026-11 -> months since the year 0."""
    return period.str.slice(0, 4).cast(pl.Int32) * 12 + period.str.slice(5, 2).cast(pl.Int32)
