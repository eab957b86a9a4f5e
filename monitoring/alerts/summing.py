"""What an alert says of the signals that it holds: the most urgent first, its limits, its priority. Pure; writes nothing.

An alert that a clue keeps open does not sink below the level that it had. The emergency mark stays until it is closed: a
person or a clue may have set it. What joins an alert that was verified already can be due at once as well; only the limit
of verification itself no longer moves.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from monitoring.alerts.comparing import SHOWN, STANDING, AlertSettings
from monitoring.alerts.deadlines import brought_forward
from monitoring.alerts.naming import HOUSEHOLD
from monitoring.alerts.points import LEVEL, pointed, rank
from monitoring.alerts.standing import ALERT_TOLD

ALERT = ["subject", "alert_key"]
LEVELS = dict(enumerate(LEVEL, 1))


def alerts_of(signals: pl.DataFrame, settings: AlertSettings) -> pl.DataFrame:
    """One row an alert (subject, alert_key) from its signals that stand or are shown; `joins_due` is the limit of what is new."""
    works = pl.col("state") == STANDING
    ordered = signals.sort(pl.col("state") == SHOWN, "level_order", "rule", "subject_key")
    listed = ordered.group_by(ALERT, maintain_order=True).agg(
        pl.col("household_id", "township", "village", "name", "tail", "level_order").first(),
        headline=pl.col("message").first(),
        headline_en=pl.col("message_en").first(),
        signals=works.sum().cast(pl.Int64),
        shown=(~works).sum().cast(pl.Int64),
        kinds=pl.when(works).then("kind").drop_nulls().unique().sort(),
        all_kinds=pl.col("kind").unique().sort(),
        rules=pl.col("rule").unique().sort().str.join(" "),
        departments=pl.col("department").unique().sort().str.join(" "),
        urgent=(works & pl.col("rule").is_in(sorted(settings.emergency_rules))).any(),
        joining_due=pl.col("joins_due").filter(works).min(),
    )
    return listed.with_columns(pl.col("level_order").cast(pl.Int64))


def emptied(alerts: pl.DataFrame) -> pl.DataFrame:
    """Open alerts of whose signals none holds any more, as `alerts_of` would give them: they say what they were about."""
    return alerts.select(
        *ALERT, "household_id", "township", "village", "name", pl.lit(None, pl.String).alias("tail"), "level_order",
        "headline", "headline_en", signals=pl.lit(0, pl.Int64), shown=pl.lit(0, pl.Int64),
        kinds=pl.lit([], pl.List(pl.String)), all_kinds=pl.col("kinds").str.split(" "), rules="rules",
        departments="departments", urgent=pl.lit(False), joining_due=pl.lit(None, pl.Date),
    )  # fmt: skip


def wanted(alerts: pl.DataFrame, stored: pl.DataFrame, facts: pl.DataFrame, opened_on: date) -> pl.DataFrame:
    """The rows of `alert` as they should stand: those of `alerts_of`, with what the store has of the open ones (`…_was`),
    by the facts of their households. New ones have no `id`."""
    was = stored.drop("household_id").rename({name: f"{name}_was" for name in ALERT_TOLD})
    now = facts.rename({name: f"{name}_now" for name in ("find", "township", "village", "score")})
    met = alerts.join(was, on=ALERT, how="left").join(now, on="household_id", how="left")
    clues, joining = pl.col("clues").fill_null(0), pl.col("joining_due")
    holds = pl.col("signals") + pl.col("shown") > 0
    verified = pl.col("verified").fill_null(False)
    met = met.with_columns(
        clues,
        pl.col("children", "severe").fill_null(0),
        pl.col("elder_alone").fill_null(False),
        pl.col("opened_on").fill_null(opened_on),
        score=pl.col("score_now").round(4),
        township=pl.coalesce("township_now", "township"),
        village=pl.coalesce("village_now", "village"),
        name=pl.coalesce("head", "name"),
        emergency=pl.col("urgent") | pl.col("emergency_was").fill_null(False),
        level_order=pl.when(clues > 0).then(pl.min_horizontal("level_order", "level_order_was")).otherwise("level_order"),
        due_date=brought_forward(pl.col("due_date_was"), joining),
        verify_due_date=pl.when(verified).then("verify_due_date_was")
        .otherwise(brought_forward(pl.col("verify_due_date_was"), joining)),
        offers_closing=~holds & (clues == 0),
        raises_work=(pl.col("signals") > 0) | (clues > 0) | (~holds & pl.col("raises_work_was").fill_null(True)),
    )  # fmt: skip
    met = pointed(
        met.with_columns(find=_find(holds), level=pl.col("level_order").replace_strict(LEVELS, return_dtype=pl.String))
    )
    return met.with_columns(kinds=pl.col("all_kinds").list.join(" "), rank=rank(pl.col("points"), pl.col("opened_on")))


def changed(rows: pl.DataFrame) -> pl.DataFrame:
    """Those of the open alerts (rows of `wanted`) that do not stand yet as they should."""
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_was")) for name in ALERT_TOLD)
    return rows.filter(pl.col("id").is_not_null() & differs)


def _find(holds: pl.Expr) -> pl.Expr:
    """What a search looks in: names, ends of numbers, village, township, and the registry's household number."""
    household = pl.col("subject") == HOUSEHOLD
    registered = pl.when(household & ~pl.col("alert_key").str.starts_with("U-")).then("alert_key")
    persons = (
        pl.when(household).then("find_now").otherwise(pl.concat_str("name", "tail", separator=" ", ignore_nulls=True))
    )
    told = pl.concat_str(persons, "village", "township", registered, separator=" ", ignore_nulls=True)
    unknown = persons.is_null() | (~holds & ~household)  # of an emptied alert the run tells nothing but its household
    # An index holds it: PostgreSQL limits the length of its entries.
    return pl.when(unknown).then(pl.coalesce("find_was", told)).otherwise(told).str.head(500)
