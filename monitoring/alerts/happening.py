"""What a run does to alerts, as their events: by "比对", with the run, the period and the rules concerned.

opened (previous, why), joined (why), back, gone, moved (alert: where its household is now), reopened (on the closed alert;
alert: the new one), quiet (on the closed alert that keeps it quiet), shown, raises_work, raised and lowered (from, to).
`why` of what begins: new, returned, worse, quiet_over, moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
) -> pl.DataFrame:
    """Rows of `alert_event`, alert by alert in the order in which they are told: alert_id, event, status, detail (JSON text).

    `rows` as `summing.wanted`, `stored` the open alerts as they were, `opened` the new ones (id), `over`, `going_on` and
    `beginning` (with alert_id) as `comparing.Changes`, `run` what every detail says of the run.
    """
    new = beginning.filter(pl.col("state") != SETTLED)
    first = pl.col("alert_id").is_in(opened["id"].implode())
    previous = opened.filter(pl.col("previous_id").is_not_null()).select("previous_id", alert_id="id")
    again = new.join(previous, on="alert_id", maintain_order="left").rename({"previous_id": "previous"})
    elsewhere = over.filter("follows").join(new.select(*KEY, pl.col("alert_id").alias("alert")), on=KEY)
    turned = pl.col("state") != pl.col("state_was")
    found: list[tuple[str, pl.DataFrame]] = [
        ("opened", again),
        ("opened", new.filter(first).join(previous, on="alert_id", how="anti", maintain_order="left")),
        ("joined", new.filter(~first)),
        ("back", going_on.filter("back")),
        ("gone", over.filter(~pl.col("follows"))),
        ("moved", elsewhere.filter("open")),
        ("reopened", elsewhere.filter(~pl.col("open"))),
        ("quiet", beginning.filter(pl.col("state") == SETTLED)),
        ("shown", going_on.filter(turned & (pl.col("state") == SHOWN) & ~pl.col("back"))),
        ("raises_work", going_on.filter(turned & (pl.col("state") == STANDING) & (pl.col("state_was") == SHOWN))),
    ]
    told = pl.concat([*(_by_alert(event, signals, run) for event, signals in found), _levels(rows, run)])
    status = pl.concat([stored.select("id", "status"), opened.select("id", status=pl.lit("new"))])
    status = status.unique("id", keep="last").rename({"id": "alert_id"})
    return told.join(status, on="alert_id", how="left", maintain_order="left").with_columns(
        pl.col("status").fill_null(CLOSED)
    )


def _by_alert(event: str, signals: pl.DataFrame, run: Mapping[str, str]) -> pl.DataFrame:
    """Each alert of some signals with its rules, why they began, where they are now, and which alert was before it."""
    why = ["why"] if "why" in signals.columns else []
    single = [name for name in ("alert", "previous") if name in signals.columns]
    listed = signals.group_by("alert_id", maintain_order=True).agg(
        pl.col("rule", *why).unique().sort(),
        **{name: pl.col(name).min() for name in single},
    )
    return _told(listed, event=pl.lit(event), detail=[*_run(run), pl.col("rule").alias("rules"), *why, *single])


def _levels(rows: pl.DataFrame, run: Mapping[str, str]) -> pl.DataFrame:
    """Open alerts whose level is another one now."""
    changed = rows.filter(pl.col("id").is_not_null() & (pl.col("level") != pl.col("level_was")))
    rises = pl.col("level_order") < pl.col("level_order_was")
    event = pl.when(rises).then(pl.lit("raised")).otherwise(pl.lit("lowered"))
    names = [pl.col("level_was").alias("from"), pl.col("level").alias("to")]
    return _told(changed.with_columns(alert_id="id"), event=event, detail=[*_run(run), *names])


def _run(run: Mapping[str, str]) -> list[pl.Expr]:
    return [pl.lit(value).alias(name) for name, value in run.items()]


def _told(of: pl.DataFrame, event: pl.Expr, detail: Sequence[str | pl.Expr]) -> pl.DataFrame:
    return of.select(pl.col("alert_id").cast(pl.Int64), event=event, detail=pl.struct(detail).struct.json_encode())
