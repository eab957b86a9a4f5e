"""What a run does to alerts, as their events: by "比对", with the run, the period and the rules concerned.

opened (previous, why), joined (why), back, gone, moved (alert: where its household is now), reopened (on the closed alert;
alert: the new one), quiet (on the closed alert that keeps it quiet), shown, raises_work, raised and lowered (from, to).
`why` of what begins: new, returned, worse, quiet_over, moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import polars as pl

from monitoring.alerts.comparing import KEY, SETTLED, SHOWN, STANDING

BY = "比对"
CLOSED = "closed"


def happened(
    rows: pl.DataFrame,
    stored: pl.DataFrame,
    opened: pl.DataFrame,
    going_on: pl.DataFrame,
    beginning: pl.DataFrame,
    over: pl.DataFrame,
    run: Mapping[str, str],
    at: datetime,
) -> list[dict[str, Any]]:
    """Rows of `alert_event`, alert by alert in the order in which they are told.

    `rows` as `summing.wanted`, `stored` the open alerts as they were, `opened` the new ones (id), `over`, `going_on` and
    `beginning` (with alert_id) as `comparing.Changes`, `run` what every detail says of the run.
    """
    status = dict(stored.select("id", "status").iter_rows()) | dict.fromkeys(opened["id"], "new")
    new = beginning.filter(pl.col("state") != SETTLED)
    first = pl.col("alert_id").is_in(opened["id"].implode())
    elsewhere = over.filter("follows").join(new.select(*KEY, pl.col("alert_id").alias("alert")), on=KEY)
    turned = pl.col("state") != pl.col("state_was")
    found: list[tuple[str, pl.DataFrame]] = [
        ("opened", new.filter(first)),
        ("joined", new.filter(~first)),
        ("back", going_on.filter("back")),
        ("gone", over.filter(~pl.col("follows"))),
        ("moved", elsewhere.filter("open")),
        ("reopened", elsewhere.filter(~pl.col("open"))),
        ("quiet", beginning.filter(pl.col("state") == SETTLED)),
        ("shown", going_on.filter(turned & (pl.col("state") == SHOWN) & ~pl.col("back"))),
        ("raises_work", going_on.filter(turned & (pl.col("state") == STANDING) & (pl.col("state_was") == SHOWN))),
    ]
    previous = dict(opened.filter(pl.col("previous_id").is_not_null()).select("id", "previous_id").iter_rows())
    told = [
        (alert, event, detail | ({"previous": previous[alert]} if event == "opened" and alert in previous else {}))
        for event, signals in found
        for alert, detail in _by_alert(signals)
    ] + list(_levels(rows))
    return [
        {
            "alert_id": alert, "at": at, "account_id": None, "by": BY, "event": event, "status": status.get(alert, CLOSED),
            "note": "", "detail": {**run, **detail},
        }
        for alert, event, detail in told
    ]  # fmt: skip


def _by_alert(signals: pl.DataFrame) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each alert of some signals with its rules, why they began, and where they are now."""
    also = [name for name in ("why", "alert") if name in signals.columns]
    listed = signals.group_by("alert_id", maintain_order=True).agg(
        pl.col(name).unique().sort() for name in ("rule", *also)
    )
    for row in listed.iter_rows(named=True):
        detail: dict[str, Any] = {"rules": row["rule"]}
        if "why" in also:
            detail["why"] = row["why"]
        if "alert" in also:
            detail["alert"] = row["alert"][0]
        yield row["alert_id"], detail


def _levels(rows: pl.DataFrame) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Open alerts whose level is another one now."""
    changed = rows.filter(pl.col("id").is_not_null() & (pl.col("level") != pl.col("level_was")))
    for row in changed.select("id", "level", "level_was", "level_order", "level_order_was").iter_rows(named=True):
        event = "raised" if row["level_order"] < row["level_order_was"] else "lowered"
        yield row["id"], event, {"from": row["level_was"], "to": row["level"]}
