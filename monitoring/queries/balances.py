"""The balances of promise 1, for a page: the same checks as `buluo audit` (`monitoring.checks`), and the figures that they join.

files → rows → persons → households → judged → signals → alerts. Of the whole county, whatever is picked.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from monitoring.alerts.balance import check_balance
from monitoring.alerts.cases import Refused
from monitoring.alerts.standing import last_taken_in
from monitoring.checks import Check, audit
from monitoring.people import Caller, reading
from monitoring.store import Store
from monitoring.vouching.seals import check_seals
from monitoring.warehouse import Warehouse

# The figures in their order, each with the checks that hold it to the one before.
STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("files", ("files",)),
    ("rows", ("rows",)),
    ("persons", ("persons", "one_household_each", "persons_unique", "numbers_unique")),
    ("households", ("sizes", "members_known", "households_unique")),
    ("judged", ("outcomes", "judged", "shadow")),
    ("signals", ("hits", "signals_unique", "signals_explained", "foreseen", "run")),
    (
        "alerts",
        ("alerts_taken_in", "alerts_signals", "alerts_cause", "alerts_standing", "alerts_settled", "alerts_one_open"),
    ),
    ("seals", ("seals",)),
)


def audited(warehouse: Warehouse) -> list[Check]:
    """Every balance of the run, recomputed from the published file."""
    with warehouse.workspace() as connection:
        return audit(connection)


def of_alerts(store: Store, caller: Caller, warehouse: Warehouse, at: datetime) -> list[Check]:
    """The balances between the newest run and the case store. Raises Refused (in words) for another run, and to whom the whole
    county is not shown."""
    period = warehouse.row("select period from run")["period"]
    with reading(store, caller, "page.checklist", at) as act:
        last = last_taken_in(act.con)
        if act.person.places is not None:
            raise Refused("预警与信号的核对是全县的，请向县里查询")
        if last is None or last.period > period:
            raise Refused("不是最近一期：预警按最近一期的结果核对")
    return [*check_balance(store, warehouse), check_seals(store)]


def figures(warehouse: Warehouse) -> dict[str, Any]:
    """What stands at each step: files of the period and their rows by what became of them, persons, households, outcomes by kind,
    signals."""
    return warehouse.row(
        """select * from (select count(*) filter (this_period) as files, coalesce(sum(rows_read) filter (this_period), 0)::BIGINT as rows,
                     coalesce(sum(loaded) filter (this_period), 0)::BIGINT as loaded,
                     coalesce(sum(duplicate) filter (this_period), 0)::BIGINT as duplicate,
                     coalesce(sum(quarantined) filter (this_period), 0)::BIGINT as quarantined,
                     coalesce(sum(not_data) filter (this_period), 0)::BIGINT as not_data from part),
                  (select count(*) as persons, count(*) filter (alive) as living from person_snapshot),
                  (select count(*) as households from household_snapshot),
                  (select coalesce(sum(judged), 0)::BIGINT as judged, coalesce(sum(hit), 0)::BIGINT as hit,
                          coalesce(sum(clear), 0)::BIGINT as clear, coalesce(sum(unknown), 0)::BIGINT as unknown from rule_outcome),
                  (select count(*) as signals from signal)"""
    )
