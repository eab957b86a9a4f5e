"""Is a delivery fit to be believed? Held for a person: one that shrinks by 10 % (of 20 rows or more), or that goes blank in a township.

Compared are state feeds with the state that earlier periods left, like with like: a delivery by townships in the townships
that occur both times, all of them together (a tenth) and each with itself (a half), for in a file of twelve one that falls to
nearly nothing is no tenth. A new township and rows that name none make up for nothing; a township that does not occur is late, which is another
matter. But a file that covers several townships and leaves out one that was there when several last came has gone blank in
it; so has a column that was filled in a township and now is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from monitoring.feeds import Feed
from pipelines.run.deliveries import Delivery

SHRINK = 0.1
FEW_BEFORE = 20  # of fewer rows one or two that end are a tenth, and nothing to stop a county for
HALF = 0.5  # of one township among others: nearly blank; that a tenth of its rows ends is a month like others
FEW_ROWS = 5  # below it, a column that is blank in a township says nothing
FILLED = 0.5
PLACED = ["township", "part"]


class _Place(NamedTuple):
    """The rows of one township in one delivery, and in how many of them each column is filled."""

    rows: int
    filled: Mapping[str, int]


class _Known(NamedTuple):
    """What earlier periods left of a feed. `places`: each township as the last delivery that held it (None: rows that name
    none, beside others that do); `county`: the rows of the county; `several`: who was there when several townships last came."""

    places: Mapping[str | None, _Place]
    county: int
    several: frozenset[str]


def reasons_to_hold(feeds: Mapping[str, Feed], earlier: Sequence[Delivery], delivery: Delivery) -> list[str]:
    """Why a person should look first, in Chinese; none where all is as usual. `earlier`: oldest first."""
    reasons: list[str] = []
    for feed_id in sorted(delivery.feeds | delivery.unusable):
        feed = feeds[feed_id]
        before = [d for d in earlier if feed_id in d.feeds]
        if feed.kind != "state" or not before:
            continue
        now = _rows(delivery, feed)
        if not feed.by_township:
            reasons += _shrunk(feed, "", _rows(before[-1], feed).height, now.height)
        elif now.height:  # else nothing usable came: the ledger and the freshness say so, the earlier state stands
            reasons += _by_township(feed, _known(feed, before), now)
    return reasons


def _rows(delivery: Delivery, feed: Feed, columns: list[str] | None = None) -> pl.DataFrame:
    path = delivery.rows(feed.id)
    return pl.read_parquet(path, columns=columns) if path else pl.DataFrame(schema=dict.fromkeys(PLACED, pl.String))


def _shrunk(feed: Feed, where: str, before: int, now: int, share: float = SHRINK) -> list[str]:
    """Where so large a share is gone of what was not few."""
    if now > before * (1 - share) or before < FEW_BEFORE:
        return []
    return [f"{feed.title}：{where}上次 {before} 行，这次 {now} 行，减少 {(before - now) / before:.0%}"]


def _known(feed: Feed, before: Sequence[Delivery]) -> _Known:
    """Newest first, for a later delivery replaces the townships that occur in it; one that names none is the county's state."""
    places: dict[str | None, _Place] = {}
    several: frozenset[str] = frozenset()
    county: int | None = None
    for delivery in reversed(before):
        townships = _rows(delivery, feed, PLACED)["township"]
        named = frozenset(townships.drop_nulls().to_list())
        if len(named) > 1 and not several:
            several = named
        if named - places.keys():
            places = {**_places(_rows(delivery, feed)), **places}
        elif len(townships) and not named and county is None:
            county = max(len(townships), _sum(places))
    return _Known(places, _sum(places) if county is None else county, several)


def _places(rows: pl.DataFrame) -> dict[str | None, _Place]:
    counted = rows.group_by("township").agg(pl.len().alias(" rows"), pl.exclude("township").is_not_null().sum())
    return {row.pop("township"): _Place(row.pop(" rows"), row) for row in counted.to_dicts()}


def _sum(places: Mapping[str | None, _Place]) -> int:
    return sum(place.rows for place in places.values())


def _by_township(feed: Feed, before: _Known, now: pl.DataFrame) -> list[str]:
    here = _places(now)
    files = now.drop_nulls("township").group_by("part").agg(pl.col("township").n_unique().alias("n"))
    countywide = files.filter(pl.col("n") > 1).height > 0
    if here.keys() == {None} or (
        countywide and not before.places
    ):  # one of the two times it was not said whose they are
        return _shrunk(feed, "", before.county, now.height)
    reasons = _all_shrunk(feed, before.places, here)
    both = sorted(t for t in before.places.keys() & here.keys() if t)
    for township in both:
        was, place = before.places[township], here[township]
        if len(both) > 1:
            reasons += _shrunk(feed, f"{township} ", was.rows, place.rows, HALF)
        reasons += _gone_blank(feed, township, was, place)
    if countywide and _sum(before.places) >= FEW_BEFORE:
        reasons += [
            f"{feed.title}：{township} 上次有 {before.places[township].rows} 行，这次全县文件里一行也没有"
            for township in sorted(before.several - here.keys())
        ]
    return reasons


def _all_shrunk(feed: Feed, before: Mapping[str | None, _Place], here: Mapping[str | None, _Place]) -> list[str]:
    """The townships that occur both times, together; and with them the rows that both times name none, which may by now
    stand under any township."""
    both = [t for t in before.keys() & here.keys() if t]
    where = f"{both[0]} " if len(both) == 1 else "两次都有的乡镇" if before.keys() != here.keys() else ""
    was = sum(before[t].rows for t in both)
    reasons = _shrunk(feed, where, was, sum(here[t].rows for t in both))
    if not reasons and both and None in before and None in here:
        reasons = _shrunk(feed, "", was + before[None].rows, _sum(here))
    return reasons


def _gone_blank(feed: Feed, township: str, before: _Place, now: _Place) -> list[str]:
    if before.rows < FEW_ROWS or now.rows < FEW_ROWS:
        return []
    headings = {"number": "证件号码", **{c.name: c.heading for c in feed.columns}}
    columns = [c for c in headings if c in before.filled and c in now.filled]
    return [
        f"{feed.title}：{township} 的“{headings[c]}”上次有 {before.filled[c] / before.rows:.0%} 填写，这次全部空白"
        for c in columns
        if before.filled[c] / before.rows >= FILLED and not now.filled[c]
    ]
