"""A run's signals against those that the store holds: which go on, which are over, which begin. Sets, not rows; writes nothing.

A signal goes on in its open alert. One that a decision settled stays quiet until its day, unless its evidence is worse. What
was not there before, what comes back, what is no longer quiet, and what followed its person into another household begin a
new episode. After a false alarm (settings) even one that went away and came back stays quiet until the day.

What a former run of the same period found gone, and this one finds again, was never gone: it goes on where it stood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from monitoring.alerts.worse import SHARE, evidence_is_worse

STANDING, SHOWN, SETTLED, GONE = "standing", "shown", "settled", "gone"
KEY = ["rule", "subject_key"]
# What a signal's row repeats from the run, and what follows the run while the signal goes on.
TOLD = ["kind", "level", "level_order", "department", "person_id", "record_key", "message", "message_en", "clause", "evidence"]  # fmt: skip


@dataclass(frozen=True)
class AlertSettings:
    """What a county decides about its alerts.

    `full_support_shows_risk`: risk signals of a household in full support are shown and raise no work. `emergency_rules`
    begin the three-working-day track (CJ 二（七）). `false_alarm`: outcomes (domain L no difficulty, M data error) after
    which a signal stays quiet even if it goes and comes back. `worse_share`: what counts as worse evidence (`worse`).
    """

    full_support_shows_risk: bool = True
    emergency_rules: frozenset[str] = frozenset({"PROC-EMERGENCY"})
    false_alarm: frozenset[str] = frozenset({"L", "M"})
    worse_share: Decimal = SHARE


@dataclass(frozen=True)
class Changes:
    """`going_on`: signals that stay where they are (`id`, `alert_id`), with what they were (`…_was`) and `back`: found again.
    `beginning`: new episodes with `why` (new, returned, worse, quiet_over, moved); those that a decision keeps quiet from the
    first are settled and have the `alert_id` of that decision. `over`: episodes that end (`follows`: as a new one elsewhere).
    """

    going_on: pl.DataFrame
    beginning: pl.DataFrame
    over: pl.DataFrame


def compare(
    now: pl.DataFrame,
    held: pl.DataFrame,
    decided: pl.DataFrame,
    conditions: Mapping[str, str],
    as_of: date,
    settings: AlertSettings,
) -> Changes:
    """`now` as `signals.signals_of_run` gives it; `held` and `decided` as `standing.signals_held` and `standing.decided`."""
    met = _wished(now, settings).join(held, on=KEY, how="left", suffix="_was")
    met = met.with_columns(
        known=pl.col("id").is_not_null(),
        here=pl.col("open") & (pl.col("subject") == pl.col("subject_was")) & (pl.col("alert_key") == pl.col("alert_key_was")),
    )  # fmt: skip
    met = met.join(_spoken_of(met, decided, conditions, as_of, settings), on=KEY, how="left")
    quiet = pl.col("quiet_id").is_not_null()
    stays = (pl.col("known") & pl.col("here")) | (pl.col("known") & ~pl.col("open") & quiet)
    going_on = met.filter(stays).with_columns(
        state=pl.when("here").then("state").otherwise(pl.lit(SETTLED)), back=pl.col("state_was") == GONE
    )
    beginning = met.filter(~stays).with_columns(
        state=pl.when(quiet).then(pl.lit(SETTLED)).otherwise("state"),
        alert_id=pl.col("quiet_id"),
        why=pl.when("worse").then(pl.lit("worse"))
        .when(~pl.col("known") | (pl.col("state_was") == GONE)).then(pl.lit("new"))
        .when("open").then(pl.lit("moved")).otherwise(pl.lit("quiet_over")),
    )  # fmt: skip
    standing = held.filter(pl.col("state") != GONE)
    ended = [standing.join(now, on=KEY, how="anti"), standing.join(beginning, on=KEY, how="semi")]
    over = [rows.with_columns(follows=pl.lit(bool(follows))) for follows, rows in enumerate(ended)]
    return Changes(going_on, beginning, pl.concat(over))


def numbered(beginning: pl.DataFrame, last: pl.DataFrame) -> pl.DataFrame:
    """Gives new episodes their `episode`, after the `last` of their key (rule, subject_key, last); what had one has returned."""
    following = beginning.join(last, on=KEY, how="left").with_columns(episode=pl.col("last").fill_null(0) + 1)
    returned = (pl.col("why") == "new") & (pl.col("episode") > 1)
    return following.with_columns(why=pl.when(returned).then(pl.lit("returned")).otherwise("why"))


def _wished(now: pl.DataFrame, settings: AlertSettings) -> pl.DataFrame:
    shown = (pl.col("kind") == "risk") & pl.col("supported") if settings.full_support_shows_risk else pl.lit(False)
    return now.with_columns(state=pl.when(shown).then(pl.lit(SHOWN)).otherwise(pl.lit(STANDING)))


def _spoken_of(
    met: pl.DataFrame, decided: pl.DataFrame, conditions: Mapping[str, str], as_of: date, settings: AlertSettings
) -> pl.DataFrame:
    """Signals that a decision still speaks of: whether they are `worse`; if not, `quiet_id` is the alert that keeps them quiet."""
    settled = pl.col("state_was") == SETTLED
    # What a former run of this period found gone had stood settled before, if the decision of its own alert names it.
    unsettled = (pl.col("state_was") == GONE) & ~pl.col("open") & (pl.col("decided_id") == pl.col("alert_id"))
    alarm = pl.col("outcome").is_in(sorted(settings.false_alarm))
    returned = (~pl.col("known") | ((pl.col("state_was") == GONE) & ~pl.col("open"))) & alarm
    spoken = met.join(decided, on=KEY, how="inner", suffix="_then").filter(
        pl.col("until") >= as_of, settled | unsettled | returned
    )
    told = spoken.select("rule", "level_order", "level_order_then", "evidence", "evidence_then").iter_rows()
    worse = [
        level < then or evidence_is_worse(conditions.get(rule, ""), before, evidence, settings.worse_share)
        for rule, level, then, evidence, before in told
    ]
    return spoken.with_columns(worse=pl.Series(worse, dtype=pl.Boolean)).select(
        *KEY, "worse", quiet_id=pl.when(~pl.col("worse")).then("decided_id")
    )
