"""The case work of a period as one table, for the export `alerts`: what was open in it, and what was closed in it.

One row is an alert as it stands at the moment of the export. The table is handed over as an in-memory DuckDB, so that it is
filtered and masked like every other export.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb
import polars as pl
from sqlalchemy import or_, select

from monitoring.alerts.moves import STATUSES
from monitoring.alerts.outcomes import OUTCOMES
from monitoring.store import Store
from monitoring.store.schema import account, alert
from monitoring.working_days import CHINA, calendar_rows, local_day

_TOLD = (
    "id", "subject", "household_id", "name", "township", "village", "level", "status", "emergency", "opened_period", "opened_on",
    "due_date", "outcome", "verified_at", "decided_at", "closed_at", "rules", "departments", "waiting_for",
)  # fmt: skip
_SCHEMA: dict[str, Any] = dict.fromkeys(_TOLD, pl.String) | {
    "id": pl.Int64, "emergency": pl.Boolean, "opened_on": pl.Date, "due_date": pl.Date, "holder": pl.String,
    **dict.fromkeys(("verified_at", "decided_at", "closed_at"), pl.Datetime("us", "UTC")),
}  # fmt: skip


def case_work(store: Store, period: str, at: datetime) -> duckdb.DuckDBPyConnection:
    """An in-memory database with `alert_list` and `run`, as `monitoring.exporting` asks for them."""
    begins = datetime(int(period[:4]), int(period[5:7]), 1, tzinfo=CHINA)
    with store.read() as con:
        asked = (
            select(*(alert.c[name] for name in _TOLD), account.c.person.label("holder"))
            .join_from(alert, account, account.c.id == alert.c.assignee, isouter=True)
            .where(alert.c.opened_period <= period, or_(alert.c.closed_at.is_(None), alert.c.closed_at >= begins))
        )
        frame = pl.DataFrame([tuple(row) for row in con.execute(asked)], schema=_SCHEMA, orient="row")
    made = duckdb.connect(":memory:")
    made.register("found", _told(frame, at))
    made.execute("create table alert_list as from found")
    made.execute("create table run as select ?::varchar as period", [period])
    made.unregister("found")
    return made


def _told(frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Days in the county's time, how many working days an open alert is overdue, and codes in both languages."""
    today = local_day(at)
    calendar = pl.DataFrame(calendar_rows(), schema={"due_date": pl.Date, "count": pl.Int64}, orient="row")
    now = calendar.filter(pl.col("due_date") <= today)["count"].max()
    day = (
        pl.col(name).dt.convert_time_zone("Asia/Shanghai").dt.date()
        for name in ("verified_at", "decided_at", "closed_at")
    )
    late = pl.col("closed_at").is_null() & (pl.col("due_date") < today)
    outcomes = [
        {code: f"{code} {pick}" for code, pick in ((o.code, (o.zh, o.en)[n]) for o in OUTCOMES.values())}
        for n in (0, 1)
    ]
    statuses = [{code: pair[n] for code, pair in STATUSES.items()} for n in (0, 1)]
    return frame.join(calendar, on="due_date", how="left", maintain_order="left").select(
        pl.col("id").alias("alert"), "subject", "household_id", "name", "township", "village", "level",
        status_zh=pl.col("status").replace_strict(statuses[0], return_dtype=pl.String),
        status_en=pl.col("status").replace_strict(statuses[1], return_dtype=pl.String),
        emergency="emergency", opened_on="opened_on", due_date="due_date",
        overdue_days=pl.when(late).then(pl.lit(now) - pl.col("count")),
        holder="holder", waiting_for="waiting_for",
        outcome_zh=pl.col("outcome").replace_strict(outcomes[0], return_dtype=pl.String),
        outcome_en=pl.col("outcome").replace_strict(outcomes[1], return_dtype=pl.String),
        **dict(zip(("verified_on", "decided_on", "closed_on"), day, strict=True)),
        rules="rules", departments="departments",
    )  # fmt: skip
