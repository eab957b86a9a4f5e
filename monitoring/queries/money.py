"""Money that reached people, by programme and month; what failed or came back stands apart, and a month without a delivery is unknown.

From `overview_money`, which a run makes from the payments, the disability subsidies and the ledger of temporary aid. The
months are those that the money is for (of temporary aid: in which it was paid).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.warehouse import Warehouse

SIZE = 50
MONTHS = 12
PAID, FAILED = "成功", ("失败", "退回")
# Programme -> the feed that tells of it; the rest stand in the payments.
LEDGERS = {"临时救助": "temporary_aid", "生活补贴": "disability_subsidy", "护理补贴": "disability_subsidy"}
PAYMENTS = "payments"


@dataclass(frozen=True)
class Cell:
    """One programme in one month. `amount` None: nobody delivered that month, so it is unknown; `payments` how many."""

    month: str
    amount: Decimal | None
    payments: int


@dataclass(frozen=True)
class Programme:
    """One programme over the months; `failed` payments, and their yuan, that did not arrive; `blank` had no amount."""

    name: str
    feed: str
    cells: tuple[Cell, ...]
    failed: int
    failed_amount: Decimal
    blank: int

    @property
    def paid(self) -> Decimal:
        return sum((cell.amount for cell in self.cells if cell.amount is not None), Decimal(0))


@dataclass(frozen=True)
class Money:
    """The months (2025-12 to 2026-11) and programmes, the most money first; `missing`: feed -> months without any delivery."""

    months: tuple[str, ...]
    programmes: tuple[Programme, ...]
    missing: dict[str, tuple[str, ...]]

    @property
    def nothing(self) -> bool:
        """Whether nobody here was paid anything in any month that is known, and nothing failed."""
        return not any(programme.paid or programme.failed for programme in self.programmes)

    def total(self, month: str) -> Decimal | None:
        """Of all programmes; None where one of them is unknown that month."""
        amounts = [cell.amount for programme in self.programmes for cell in programme.cells if cell.month == month]
        known = [amount for amount in amounts if amount is not None]
        return sum(known, Decimal(0)) if amounts and len(known) == len(amounts) else None


def money(warehouse: Warehouse, scope: Scope) -> Money:
    places = scope.limit()
    rows = warehouse.rows(
        f"""select strftime(month, '%Y-%m') as month, programme, status, sum(payments)::BIGINT as payments, sum(amount) as amount,
                   sum(blank)::BIGINT as blank
            from overview_money {places.where} group by all order by all""",
        places.params,
    )
    # What nobody is paid here, but somebody in the county, is a row of 0, not left out.
    named = [
        row["programme"] for row in warehouse.rows("select distinct programme from overview_money order by programme")
    ]
    months, delivered = _months(warehouse), _delivered(warehouse)
    programmes = [
        _programme(name, [row for row in rows if row["programme"] == name], months, delivered) for name in named
    ]
    feeds = {programme.feed for programme in programmes} or {PAYMENTS}
    missing = {
        feed: tuple(month for month in months if month not in delivered.get(feed, set())) for feed in sorted(feeds)
    }
    ordered = sorted(programmes, key=lambda programme: (-programme.paid, programme.name))
    return Money(months, tuple(ordered), {feed: lacking for feed, lacking in missing.items() if lacking})


def _programme(
    name: str, rows: list[dict[str, Any]], months: tuple[str, ...], delivered: dict[str, set[str]]
) -> Programme:
    feed = LEDGERS.get(name, PAYMENTS)
    paid = {row["month"]: row for row in rows if row["status"] == PAID}
    known = delivered.get(feed, set())
    cells = tuple(
        Cell(month, paid[month]["amount"], paid[month]["payments"])
        if month in paid
        else Cell(month, Decimal(0) if month in known else None, 0)
        for month in months
    )
    failed = [row for row in rows if row["status"] in FAILED]
    return Programme(
        name, feed, cells, sum(row["payments"] for row in failed), sum((row["amount"] for row in failed), Decimal(0)),
        sum(row["blank"] for row in paid.values()),
    )  # fmt: skip


def _months(warehouse: Warehouse) -> tuple[str, ...]:
    """The MONTHS months that end with the period."""
    rows = warehouse.rows(
        f"""select strftime(unnest(generate_series(date_trunc('month', as_of) - interval {MONTHS - 1} month, date_trunc('month', as_of),
                   interval 1 month)), '%Y-%m') as month from run"""
    )
    return tuple(row["month"] for row in rows)


def _delivered(warehouse: Warehouse) -> dict[str, set[str]]:
    """Feed -> the months in which a file of it came."""
    found: dict[str, set[str]] = {}
    feeds = sorted({PAYMENTS, *LEDGERS.values()})
    for row in warehouse.rows(
        "select distinct feed, delivered from part where feed in (select unnest($feeds)) and loaded > 0",
        {"feeds": feeds},
    ):
        found.setdefault(row["feed"], set()).add(f"{row['delivered'] // 100}-{row['delivered'] % 100:02d}")
    return found


def paid_to(
    warehouse: Warehouse, scope: Scope, programme: str, month: str, failed: bool = False, page: int = 1
) -> tuple[pl.DataFrame, int, Decimal]:
    """The payments behind a programme's figure (all months where `month` is ""): household_key, household_id, name, township,
    village, month, amount, status; how many and how many yuan in all."""
    source = {
        "temporary_aid": f"""select date_trunc('month', paid_date)::DATE as paid_month, '{PAID}' as status, person_id, name, amount,
                             '临时救助' as programme from std_temporary_aid where counts and paid_date <= (select as_of from run)""",
        "disability_subsidy": """select paid_month, status, person_id, name, amount, subsidy_kind as programme
                                 from std_disability_subsidy where counts""",
        PAYMENTS: "select paid_month, status, person_id, name, amount, item as programme from std_payments where counts",
    }  # fmt: skip
    feed = PAYMENTS if failed and LEDGERS.get(programme) == "temporary_aid" else LEDGERS.get(programme, PAYMENTS)
    state = "t.status in (select unnest($states))"
    where = (
        Filter()
        .add("t.programme = $programme", programme=programme)
        .add(state, states=list(FAILED if failed else [PAID]))
    )
    first, last = _months(warehouse)[0], _months(warehouse)[-1]
    where.add("strftime(t.paid_month, '%Y-%m') between $first and $last", first=month or first, last=month or last)
    scope.limit(where, "r")
    found = warehouse.frame(
        f"""select r.household_key, {scope.household("r.household_id")} as household_id, {scope.name("coalesce(r.name, t.name)")} as name,
                   r.township, r.village, strftime(t.paid_month, '%Y-%m') as month, t.amount, t.status, count(*) over () as total,
                   sum(t.amount) over () as yuan
            from ({source[feed]}) t left join resident r using (person_id) {where.where}
            order by r.township nulls last, r.village nulls last, r.household_key, t.paid_month, t.amount, t.name limit $size offset $skip""",
        {**where.params, "size": SIZE, "skip": SIZE * (max(page, 1) - 1)},
    )  # fmt: skip
    rows = found.drop("total", "yuan")
    return (rows, int(found["total"][0]), found["yuan"][0] or Decimal(0)) if found.height else (rows, 0, Decimal(0))
