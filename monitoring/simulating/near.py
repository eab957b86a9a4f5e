"""Households near a line, and cliffs.

Near: whose eligibility on the merits would turn if the income were wrong by a tenth, or the standard moved by a hundredth.
Cliffs: who would lose more in a year than a small rise of income brings: difference method, tekun standard, and the living
subsidy for disabled persons that hangs on dibao.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import polars as pl
import sqlglot
from sqlglot import exp

from monitoring.access import Scope
from monitoring.simulating.asking import named
from monitoring.simulating.ground import Ground, ground
from monitoring.simulating.judging import Pass
from monitoring.simulating.scenario import run_world
from monitoring.warehouse import Warehouse

LINES = ("dibao", "edge")
INCOME_WRONG, LINE_MOVES = Decimal("0.1"), Decimal("0.01")
RISE = Decimal(100)  # yuan per head and month, where none is named


@lru_cache(maxsize=16)
def _near(of: Ground, scope: Scope, line: str) -> pl.DataFrame:
    world = run_world(of)
    with of.warehouse.workspace() as con:
        one = Pass(of, scope, world, world, con)
        merits = one.merits(line, "before")
        ceiling = world.parameters.number("low_income.ceiling")
        at = "standard" if line == "dibao" else f"{ceiling if ceiling is not None else 'NULL'} * standard"
        income = [_scaled(merits, "income_pc", 1 + sign * INCOME_WRONG) for sign in (-1, 1)]
        moved = [_scaled(merits, "standard", 1 + sign * LINE_MOVES) for sign in (-1, 1)]
        where = scope.limit()
        rows: pl.DataFrame = con.sql(
            f"""SELECT household_key, township, village, size, income_pc - ({at}) AS distance, now,
                (low IS DISTINCT FROM now OR high IS DISTINCT FROM now) AS by_income,
                (down IS DISTINCT FROM now OR up IS DISTINCT FROM now) AS by_line
            FROM (SELECT *, {merits} AS now, {income[0]} AS low, {income[1]} AS high, {moved[0]} AS down, {moved[1]} AS up
                FROM household_snapshot {where.where})
            WHERE income_pc IS NOT NULL AND now IS NOT NULL AND (by_income OR by_line)
            ORDER BY abs(distance) / nullif(standard, 0), household_key""",
            params=where.params or None,
        ).pl()
    return rows


def near(warehouse: Warehouse, scope: Scope, line: str, page: int = 1, size: int = 50) -> tuple[pl.DataFrame, int]:
    """One page of the households that a small error or move would turn, the nearest first: distance (yuan a month above the
    line), now (eligible), by_income, by_line; and how many."""
    found = _near(ground(warehouse), scope, line)
    return named(warehouse, scope, found.slice(size * (max(page, 1) - 1), size)), found.height


def near_counts(warehouse: Warehouse, scope: Scope) -> list[dict[str, int | str]]:
    """For each line how many households would turn: line, eligible and not that turn by income, and by the line."""
    rows: list[dict[str, int | str]] = []
    for line in LINES:
        found = _near(ground(warehouse), scope, line)
        rows.append({
            "line": line,
            "lose_by_income": found.filter(pl.col("now") & pl.col("by_income")).height,
            "gain_by_income": found.filter(~pl.col("now") & pl.col("by_income")).height,
            "lose_by_line": found.filter(pl.col("now") & pl.col("by_line")).height,
            "gain_by_line": found.filter(~pl.col("now") & pl.col("by_line")).height,
        })  # fmt: skip
    return rows


def _scaled(sql: str, column: str, factor: Decimal) -> str:
    """The condition with one figure so many times as great."""
    tree = exp.Paren(this=sqlglot.parse_one(sql, dialect="duckdb"))
    for node in list(tree.find_all(exp.Column)):
        if node.name == column:
            node.replace(sqlglot.parse_one(f'("{column}" * {factor})', dialect="duckdb"))
    return tree.sql("duckdb", comments=False, identify=True)


@lru_cache(maxsize=16)
def _cliffs(of: Ground, scope: Scope, rise: Decimal) -> pl.DataFrame:
    world = run_world(of)
    with of.warehouse.workspace() as con:
        one = Pass(of, scope, world, world, con, rise)
        one.settle_households()
        subsidy = """SELECT m.household_key, sum(s.amount) * 12 AS living FROM std_disability_subsidy s, run r, membership m
            WHERE s.counts AND s.status = '成功' AND s.subsidy_kind = '生活补贴' AND s.paid_month = date_trunc('month', r.as_of)
                AND m.person_id = s.person_id AND m.alive GROUP BY m.household_key"""
        rows: pl.DataFrame = con.sql(f"""
            SELECT * FROM (
                SELECT household_key, township, village, size, {rise} * 12 * size AS gain, category_before, category_after,
                    coalesce(dibao_yuan_before, 0) + coalesce(tekun_yuan_before, 0)
                        + CASE WHEN category_before = 'dibao' THEN coalesce(living, 0) ELSE 0 END AS yuan_before,
                    coalesce(dibao_yuan_after, 0) + coalesce(tekun_yuan_after, 0)
                        + CASE WHEN category_after = 'dibao' THEN coalesce(living, 0) ELSE 0 END AS yuan_after,
                    yuan_before - yuan_after AS loss
                FROM w_household LEFT JOIN ({subsidy}) USING (household_key))
            WHERE loss > gain ORDER BY loss - gain DESC, household_key""").pl()
    return rows


def cliffs(
    warehouse: Warehouse, scope: Scope, rise: Decimal = RISE, page: int = 1, size: int = 50
) -> tuple[pl.DataFrame, int]:
    """One page of the households that a rise of so many yuan per head and month leaves poorer: gain and loss of a year, net
    loss, category before and after; the deepest first; and how many."""
    found = _cliffs(ground(warehouse), scope, rise).with_columns(net=pl.col("loss") - pl.col("gain"))
    return named(warehouse, scope, found.slice(size * (max(page, 1) - 1), size)), found.height
