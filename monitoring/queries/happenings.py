"""What happened to households by the departments' rows, when, and which delivery brought the row first.

Of a register that is handed in whole every month it is not kept when a row first came: its delivery is not known.
"""

from __future__ import annotations

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.feeds import load_feeds
from monitoring.tables import SNAPSHOTS
from monitoring.warehouse import Warehouse

# Feed -> the day of what happened (SQL). Feeds that are not here tell states, not happenings.
HAPPENED: dict[str, str] = {
    "disasters": "hit_date", "deaths": "death_date", "medical": "settled_date", "income": "checked_date",
    "applications": "coalesce(concluded_date, applied_date)", "temporary_aid": "coalesce(discovered_date, accepted_date)",
    "clues": "registered_date", "graduates": "graduated_date", "disability": "issued_date", "housing": "graded_date",
    "monitored": "identified_date", "dibao": "end_date", "care_groups": "start_date",
    "social_insurance": "coalesce(unemployed_date, case when status = '终止参保' then status_date end)",
}  # fmt: skip
_SCHEMA = {
    "household_id": pl.String,
    "household_key": pl.Int64,
    "feed": pl.String,
    "happened": pl.Date,
    "delivered": pl.Int64,
}


def happened(warehouse: Warehouse, scope: Scope, households: tuple[str, ...]) -> pl.DataFrame:
    """One row is a household, feed and day: household_id (for services, never shown), household_key, feed, happened, delivered
    (yyyymm of the first delivery; None: not known)."""
    if not households:
        return pl.DataFrame(schema=_SCHEMA)
    where = scope.limit(Filter().add("household_id in (select unnest($households))", households=list(households)))
    first = {name: "min(delivered)" if load_feeds(None)[name].kind == "event" else "null" for name in HAPPENED}
    pieces = " union all ".join(
        f"""select household_id, household_key, '{feed}' as feed, {day} as happened, {first[feed]}::BIGINT as delivered
            from std_{feed} join people using (person_id) where {day} is not null group by all"""
        for feed, day in HAPPENED.items()
    )
    return warehouse.frame(
        f"""with people as (select person_id, household_id, household_key from person_snapshot {where.where})
            select p.* from ({pieces}) p cross join run where happened <= as_of order by household_id, happened, feed""",
        where.params,
    )


def feeds_of_rules(warehouse: Warehouse, scope: Scope) -> dict[str, tuple[str, ...]]:
    """Rule -> the feeds whose happenings its inputs come from, by the documented sources of the snapshot's columns."""
    found = {}
    for row in warehouse.rows("select rule, subject, inputs from rule"):
        columns = SNAPSHOTS.get(row["subject"], {})
        named = [columns[name].sources for name in (row["inputs"] or "").split(",") if name in columns]
        found[row["rule"]] = tuple(sorted({feed for sources in named for feed in sources if feed in HAPPENED}))
    return found
