"""Every figure of a report, each from one query over the published run (or from two of them): nothing here is typed in.

A figure that cannot be known is None, with the reason beside it; sentences about it are then not written, or say unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.desk.due import LATE, Standing, standing
from monitoring.labels import feed_departments, feed_titles
from monitoring.low_income import CATEGORIES
from monitoring.queries import checklist, coverage, overview
from monitoring.reports import lists
from monitoring.vouching.live import Live
from monitoring.warehouse import Warehouse

STATES = ("成功", "失败", "退回")


@dataclass(frozen=True)
class Run:
    """The run that a report stands on, and how old its sources are."""

    run: str
    period: str
    as_of: date
    pack: str
    sample: bool
    persons: int
    households: int


def run_of(warehouse: Warehouse, scope: Scope) -> Run:
    """Persons and households are those of the scope."""
    told = warehouse.row("select run_id, period, as_of, pack, sample from run")
    places = scope.limit()
    counted = warehouse.row(
        f"""select (select count(*) from person_snapshot where alive{places.also}) as persons,
                   (select count(*) from household_snapshot {places.where}) as households""",
        places.params,
    )
    return Run(told["run_id"], told["period"], told["as_of"], told["pack"], told["sample"], **counted)


@dataclass(frozen=True)
class Population:
    """The low-income population as `monitoring.low_income` defines it, with the overview's own figures. `categories`: one row
    is a category: title, households and persons (by their main category, so that these add up), listed (persons who stand in
    it, also those whose main one is another); all None where the ledger was never delivered. `by_income`: of the others in
    difficulty, who is there by income alone. `unknown`: households of which nobody can say."""

    categories: pl.DataFrame
    households: int
    persons: int
    by_income: int
    unknown: int


def population(warehouse: Warehouse, scope: Scope) -> Population:
    found = overview.overview(warehouse, scope)
    held = {row["feed"] for row in warehouse.rows("select feed from feed_snapshot where last_period is not null")}
    rows: list[dict[str, Any]] = []
    for one in overview.categories(found):
        known = CATEGORIES[one.key].ledger in held
        counted = {"households": one.households, "persons": one.persons.value, "listed": one.listed}
        rows.append({"title": CATEGORIES[one.key].title, **(counted if known else dict.fromkeys(counted))})
    return Population(
        pl.DataFrame(rows, schema={"title": pl.String, **dict.fromkeys(("households", "persons", "listed"), pl.Int64)}),
        *(found[name].value for name in (
            "low_income_households", "low_income_persons", "other_by_income", "low_income_unknown_households")),
    )  # fmt: skip


def by_township(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a township (villages of one): place, households, alerts, red, gap, unknown."""
    return overview.township_table(warehouse, scope).select(
        "place", "households", "alerts", "red", "gap", unknown="income_unknown"
    )


def money(warehouse: Warehouse, scope: Scope, first: date, last: date) -> pl.DataFrame:
    """One row is a programme paid for the months from `first` to `last`: item, persons, payments and yuan that arrived,
    payments that failed or came back, payments whose amount is blank. Temporary aid is its own ledger's, by the month in which it
    was paid, as on the overview: what the payments say of it is the same money (their failures are kept)."""
    places = scope.limit(Filter().add("m.paid_month between $first and $last", first=first, last=last), "q")
    return warehouse.frame(
        f"""select m.item, count(distinct m.person_id) filter (m.status = '成功') as persons,
                   count(*) filter (m.status = '成功') as payments,
                   coalesce(sum(m.amount) filter (m.status = '成功'), 0)::DECIMAL(18,2) as yuan,
                   count(*) filter (m.status is distinct from '成功') as failed, count(*) filter (m.amount is null) as blank
            from (select person_id, item, paid_month, amount, status from std_payments
                  where counts and not (item = '临时救助' and status = '成功' and exists (from std_temporary_aid where counts))
                  union all
                  select person_id, '临时救助', date_trunc('month', paid_date)::DATE, amount, '成功' from std_temporary_aid
                  where counts and paid_date <= (select as_of from run)
                  union all
                  select person_id, subsidy_kind, paid_month, amount, status from std_disability_subsidy where counts) m
            left join person_snapshot q using (person_id) {places.where} group by m.item order by yuan desc, m.item""",
        places.params,
    )  # fmt: skip


def late_feeds(warehouse: Warehouse, today: date) -> tuple[list[dict[str, Any]], Standing]:
    """Sources whose day is over without a file of this period: feed, title, department, last_period (yyyymm; None: never),
    matching_set; and how all of them stand. Raises PolicyError where the county's setting of deliveries can't be used."""
    found = standing(warehouse, today)
    rows = warehouse.rows(
        """select feed, last_period, matching_set from feed_snapshot where list_contains($late, feed)
           order by matching_set desc, last_period nulls first, feed""",
        {"late": found.of(LATE)},
    )
    told = [{**row, "title": feed_titles()[row["feed"]], "department": feed_departments()[row["feed"]]} for row in rows]
    return told, found


def quality(warehouse: Warehouse, scope: Scope) -> dict[str, int]:
    """persons, usable (numbers), undecided (rows whose person is not decided), and of the county's files of this period:
    rows_read, loaded, duplicate, quarantined."""
    places = scope.limit()
    people = warehouse.row(
        f"""select (select count(*) from person_snapshot where alive{places.also}) as persons,
                   (select count(*) from person_snapshot where alive and number_usable{places.also}) as usable,
                   (select count(*) from link_review {places.where}) as undecided""",
        places.params,
    )
    files = warehouse.row(
        """select coalesce(sum(rows_read), 0)::BIGINT as rows_read, coalesce(sum(loaded), 0)::BIGINT as loaded,
                  coalesce(sum(duplicate), 0)::BIGINT as duplicate, coalesce(sum(quarantined), 0)::BIGINT as quarantined
           from part where this_period and feed is not null"""
    )
    return {**people, **files}


def gaps(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    return coverage.coverage(warehouse, scope)


def sets(warehouse: Warehouse, scope: Scope, done: Live) -> pl.DataFrame:
    return checklist.checklist(warehouse, scope, done)


def drivers(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    return overview.drivers(warehouse, scope)


@dataclass(frozen=True)
class Movement:
    """What the two runs show: frames of `lists`, counted. `not_compared`: ledgers of which nothing can be said."""

    before: str
    new: pl.DataFrame
    ended: pl.DataFrame
    increased: pl.DataFrame
    decreased: pl.DataFrame
    died: pl.DataFrame
    temporary: pl.DataFrame
    netted: pl.DataFrame
    not_compared: dict[str, str]
    came_anew: list[str]


def movement(warehouse: Warehouse, scope: Scope) -> Movement:
    """`warehouse` is a Pair."""
    before = warehouse.row("select period from earlier.run")["period"]
    made = (lists.new, lists.ended, lists.increased, lists.decreased, lists.died, lists.temporary, lists.netted)
    new, ended, increased, decreased, died, temporary, netted = (sheet(warehouse, scope).rows for sheet in made)
    return Movement(
        before, new, ended, increased, decreased, died, temporary, netted, lists.not_compared(warehouse, scope),
        lists.came_anew(warehouse, scope),
    )  # fmt: skip
