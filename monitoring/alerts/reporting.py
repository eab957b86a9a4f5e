"""How the alerts of some periods stood at a moment, by township: for reports. A past moment is told as it was then.

Counted from when things were recorded: what was opened, verified, helped or closed after the moment is not known at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection, and_, or_, select
from sqlalchemy.sql import ColumnElement

from monitoring.access import Scope
from monitoring.alerts.details import in_places
from monitoring.alerts.standing import overtaken_at
from monitoring.people import Caller, reading
from monitoring.store import Store
from monitoring.store.schema import alert
from monitoring.working_days import CHINA

EVERYWHERE = Scope()
COUNTS = ("opened", "due", "verified", "in_time", "overdue", "helped", "closed")


@dataclass(frozen=True)
class Worked:
    """`by_township`: township and COUNTS; `total` their sums. `until` is the day at whose end (or moment) this was so.

    opened: alerts of the periods that raise work, known by then. due: the limit of verification has come, or verified before.
    verified: of those due; in_time: of those, within the limit. overdue: the limit is over, neither verified nor closed.
    """

    until: date
    by_township: pl.DataFrame
    total: dict[str, int]


def moment_of(con: Connection, period: str, at: datetime) -> datetime:
    """The moment to which a period's report goes: when the next period's run was taken in, or now where that is still to come.

    The period's own run comes after the month's end, and its alerts are worked on in the month that follows."""
    return min(at, overtaken_at(con, period) or at)


def worked(
    store: Store, caller: Caller, periods: Sequence[str], until: datetime, at: datetime, picked: Scope = EVERYWHERE
) -> Worked:
    """Of the caller's places within the picked ones. Raises Denied or SessionOver."""
    names = ("township", "opened_at", "verify_due_date", "verified_at", "helped_at", "closed_at")
    with reading(store, caller, "alert.view", at) as act:
        asked = select(*(alert.c[name] for name in names)).where(
            alert.c.opened_period.in_(periods), alert.c.opened_at <= until, alert.c.raises_work.is_(True), *in_places(act.person), *picked_places(picked)
        )  # fmt: skip
        rows = act.con.execute(asked).all()
    day = (until - timedelta(microseconds=1)).astimezone(CHINA).date()
    frame = pl.DataFrame(
        {name: [_plain(row[place]) for row in rows] for place, name in enumerate(names)},
        schema={"township": pl.String, **dict.fromkeys(names[1:], pl.Date)},
    )
    known = frame.with_columns(
        pl.when(pl.col(name) <= day).then(pl.col(name)).alias(name) for name in ("verified_at", "helped_at", "closed_at")
    )  # fmt: skip
    limit, verified = pl.col("verify_due_date"), pl.col("verified_at").is_not_null()
    due = verified | (limit <= day).fill_null(False)
    counted = known.with_columns(
        opened=pl.lit(True), due=due, verified=verified, in_time=(pl.col("verified_at") <= limit).fill_null(False),
        overdue=(limit < day).fill_null(False) & ~verified & pl.col("closed_at").is_null(),
        helped=pl.col("helped_at").is_not_null(), closed=pl.col("closed_at").is_not_null(),
    )  # fmt: skip
    by = counted.group_by("township").agg(pl.col(name).sum().cast(pl.Int64) for name in COUNTS)
    total = {name: int(by[name].sum()) for name in COUNTS}
    return Worked(day, by.sort("overdue", "opened", "township", descending=[True, True, False], nulls_last=True), total)


def _plain(value: Any) -> Any:
    """A moment as the county's day."""
    return value.astimezone(CHINA).date() if isinstance(value, datetime) else value


def picked_places(scope: Scope) -> list[ColumnElement[bool]]:
    """Picked places as a condition; None inside is a place that is not known."""
    if scope.villages is not None:
        return [
            or_(
                *(
                    and_(alert.c.township.is_not_distinct_from(t), alert.c.village.is_not_distinct_from(v))
                    for t, v in scope.villages
                )
            )
        ]
    if scope.townships is not None:
        return [or_(*(alert.c.township.is_not_distinct_from(t) for t in scope.townships))]
    return []
