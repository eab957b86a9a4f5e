"""What the published warehouse answers, and how fast: the rules' bare count, one household's page, the alert list.

usage: python -m benchmarks.asking HOME PERIOD PACK        prints a JSON object; times in seconds, medians
The bare count is one SELECT that only counts the hits of the same rules over the same snapshot tables: no evidence, no
sentences, no unknowns, no places.
"""

from __future__ import annotations

import calendar
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb

from monitoring.access import Scope
from monitoring.queries import alerts, household, income, verdicts
from monitoring.rules import CompiledRule, compile_rules, load_policy
from monitoring.warehouse import Warehouse, publication

_REPEATS = 5
_HOUSEHOLDS = 40


def main(home: Path, period: str, pack: str) -> None:
    year, month = map(int, period.split("-"))
    as_of = date(year, month, calendar.monthrange(year, month)[1])
    packs, rules = load_policy(home)
    compiled = [rule for rule in compile_rules(rules, packs[pack].in_force(as_of), as_of) if not rule.disabled]
    published = publication(home).run_of(period)
    with duckdb.connect(str(published.path), read_only=True) as connection:
        connection.execute("SET enable_progress_bar = false")
        query = bare_count(compiled)
        started = time.perf_counter()
        hits = sum(connection.execute(query).fetchall()[0])
        first = time.perf_counter() - started
        bare = [_seconds(lambda: connection.execute(query).fetchall()) for _ in range(_REPEATS)]
        signals = connection.execute("SELECT count(*) FROM signal").fetchall()[0][0]
    warehouse = Warehouse(published.path)
    keys = [
        row["household_key"]
        for row in warehouse.rows("SELECT household_key FROM household ORDER BY hash(household_key) LIMIT 40")
    ]
    pages = [_seconds(lambda key=key: household_page(warehouse, key)) for key in keys[:_HOUSEHOLDS]]  # type: ignore[misc]
    lists = [_seconds(lambda: alerts.alert_page(warehouse, Scope())) for _ in range(_REPEATS)]
    found = {
        "bare_first": first,
        "bare_seconds": statistics.median(bare),
        "bare_hits": hits,
        "signals": signals,
        "rules": len(compiled),
        "household_seconds": statistics.median(pages),
        "household_worst": max(pages),
        "alerts_seconds": statistics.median(lists),
    }
    print(json.dumps(found))


def bare_count(compiled: list[CompiledRule]) -> str:
    """One SELECT with one column a rule: its hits."""
    tables: dict[str, list[str]] = {}
    for rule in compiled:
        own = f"record = '{rule.record}' AND " if rule.record else ""
        tables.setdefault(f"{rule.subject}_snapshot", []).append(f"count(*) FILTER ({own}({rule.condition_sql}))")
    return "SELECT * FROM " + ", ".join(
        f"(SELECT {', '.join(counts)} FROM {table})" for table, counts in tables.items()
    )


def household_page(warehouse: Warehouse, key: int) -> None:
    """Every query behind a household's page, each asked once, as the page does."""
    scope = Scope()
    household.find(warehouse, scope, f"{household.BY_KEY}{key}")
    household.household(warehouse, scope, key)
    alerts.signals_of(warehouse, scope, key)
    for ask in (household.origins, household.members, income.income, household.programmes, verdicts.verdicts):
        ask(warehouse, scope, key)
    verdicts.parameters_in_force(warehouse)
    for ask in (household.payments, household.visits):
        ask(warehouse, scope, key)


def _seconds(done: Callable[[], object]) -> float:
    started = time.perf_counter()
    done()
    return time.perf_counter() - started


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
