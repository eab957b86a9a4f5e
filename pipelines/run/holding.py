"""Is a delivery fit to be believed? Held for a person: one that shrinks by 10 % (of 20 rows or more), or that goes blank in a township.

Compared are state feeds with the state that earlier periods left. A delivery by townships is compared in the townships
that occur in it and stood before (the others are late, which is another matter, or new), but a file that covers several townships and leaves out
one that it used to cover has gone blank there; so has a column that was filled in a township and now is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from monitoring.feeds import Feed
from pipelines.run.deliveries import Delivery

SHRINK = 0.1
FEW_BEFORE = 20  # of fewer rows one or two that end are a tenth, and nothing to stop a county for
FEW_ROWS = 5  # below it, a column that is blank in a township says nothing
FILLED = 0.5


def reasons_to_hold(feeds: Mapping[str, Feed], earlier: Sequence[Delivery], delivery: Delivery) -> list[str]:
    """Why a person should look first, in Chinese; none where all is as usual."""
    reasons: list[str] = []
    for feed_id in sorted(delivery.feeds | delivery.unusable):
        feed = feeds[feed_id]
        before = [d for d in earlier if feed_id in d.feeds]
        if feed.kind != "state" or not before:
            continue
        now = _rows(delivery, feed)
        if not feed.by_township:
            reasons += _shrunk(feed, _rows(before[-1], feed).height, now.height)
            continue
        reasons += _by_township(feed, before, now)
    return reasons


def _rows(delivery: Delivery, feed: Feed) -> pl.DataFrame:
    path = delivery.rows(feed.id)
    return pl.read_parquet(path) if path else pl.DataFrame(schema={"township": pl.String, "part": pl.Int32})


def _shrunk(feed: Feed, before: int, now: int) -> list[str]:
    if now > before * (1 - SHRINK) or before < FEW_BEFORE:
        return []
    return [f"{feed.title}：上次 {before} 行，这次 {now} 行，减少 {(before - now) / before:.0%}"]


def _by_township(feed: Feed, before: Sequence[Delivery], now: pl.DataFrame) -> list[str]:
    if not now.height:
        return []  # nothing usable came: the ledger and the freshness say so, the earlier state stands
    named = set(now["township"].drop_nulls().to_list())
    state: dict[str | None, pl.DataFrame] = {}
    for d in before:  # oldest first: a later delivery replaces the townships that occur in it
        for (township,), rows in _rows(d, feed).group_by("township"):
            state[str(township) if township is not None else None] = rows
    # A township that comes in for the first time, or rows that name none, do not make up for what is lost in another.
    both = named & state.keys()
    compared = [state[t] for t in both] if named else list(state.values())
    left = now.filter(pl.col("township").is_in(both)).height if named else now.height
    reasons = _shrunk(feed, sum(f.height for f in compared), left)
    for township in sorted(t for t in state if t and t in named):
        reasons += _gone_blank(feed, township, state[township], now.filter(pl.col("township") == township))
    several = now.group_by("part").agg(pl.col("township").n_unique().alias("n")).filter(pl.col("n") > 1).height > 0
    if several and sum(f.height for f in state.values()) >= FEW_BEFORE:
        last = _rows(before[-1], feed)
        absent = sorted(set(last["township"].drop_nulls().to_list()) - named)
        reasons += [
            f"{feed.title}：{township} 上次有 {last.filter(pl.col('township') == township).height} 行，这次全县文件里一行也没有"
            for township in absent
        ]
    return reasons


def _gone_blank(feed: Feed, township: str, before: pl.DataFrame, now: pl.DataFrame) -> list[str]:
    if before.height < FEW_ROWS or now.height < FEW_ROWS:
        return []
    own = {c.name: c.heading for c in feed.columns if c.name in before.columns and c.name in now.columns}
    headings = {"number": "证件号码", **own} if "number" in now.columns else own
    columns = list(headings)
    was = before.select(pl.col(columns).is_not_null().sum() / before.height).row(0, named=True)
    filled = now.select(pl.col(columns).is_not_null().sum()).row(0, named=True)
    return [
        f"{feed.title}：{township} 的“{headings[c]}”上次有 {was[c]:.0%} 填写，这次全部空白"
        for c in columns
        if was[c] >= FILLED and not filled[c]
    ]
