"""The draw at the end of a run, in the run's own transaction: the same however often it is done, and nobody's choice.

The seed is a keyed digest of the period with the home's secret key: whoever holds the key can make the draw again, and nobody
without it can know it beforehand. A period is drawn once. Where the period is run again, households that were drawn and not
answered for, and that now have a signal or help or are gone from the roster, are dropped with the reason; the next in the
order of their township and group take their place. Those already answered for stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, delete, func, insert, select, update

from monitoring.alerts.choices import AUDIT_VISITS, chosen
from monitoring.misses import allocating
from monitoring.misses import frame as frames
from monitoring.misses.results import DRAWN, DROPPED, FINAL, RESERVE
from monitoring.misses.settings import Sampling, load_sampling
from monitoring.people import Acting
from monitoring.store.bulk import insert_rows
from monitoring.store.schema import alert, audit_draw, audit_listed, audit_sample, audit_stratum, audit_visit, measure
from monitoring.store.sealing import keyed_digest
from monitoring.warehouse import Warehouse
from monitoring.working_days import add_working_days, local_day

SEED = "audit sample"
MONTH = 30.44  # days
LATER = (
    1000  # places of a draw's first run are below it; those of each later run of the period begin at a multiple of it
)
_TYPES = {"id": pl.Int64, "household_id": pl.String, "township": pl.String, "band": pl.Int64, "place": pl.Int64, "state": pl.String, "answered": pl.Boolean}  # fmt: skip
_ROW = ("household_id", "township", "village", "name", "band", "share", "place")


@dataclass(frozen=True)
class Offered:
    """What a run has to draw from, read before the case store is locked. `listed` as `frame.listed`; `help_since`: from when on
    recorded help speaks for a household."""

    period: str
    seed: str
    sampling: Sampling
    frame: pl.DataFrame
    listed: list[str] | None
    help_since: date


def seed_of(key: bytes, period: str) -> str:
    """64 hex digits, always the same for a home and a period."""
    return keyed_digest(key, SEED, period)


def offered(warehouse: Warehouse, home: Path, key: bytes, period: str, as_of: date) -> Offered | None:
    """None where the run cannot be drawn from (an older version published it). Raises PolicyError."""
    if not frames.ready(warehouse):
        return None
    sampling, seed = load_sampling(home, as_of), seed_of(key, period)
    months = warehouse.row("select help_months from vouching_setting")["help_months"]
    found = frames.frame(warehouse, seed, sampling.bands)
    since = as_of - timedelta(days=round(int(months) * MONTH))
    return Offered(period, seed, sampling, found, frames.listed(warehouse), since)


def draw(act: Acting, of: Offered, run: str) -> int:
    """Draws the period, or brings its draw to this run; how many households are drawn now. Journalled where anything changed."""
    known = act.con.execute(select(audit_draw).where(audit_draw.c.period == of.period)).mappings().one_or_none()
    if known is not None and known["run_id"] == run:
        return _drawn(act.con, known["id"])
    free = of.frame.with_columns(out=_out(act.con, of)).filter(pl.col("out").is_null())
    if known is None:
        size = int(chosen(act.con, AUDIT_VISITS))
        return _first(act, of, run, free, size) if size and len(free) else 0
    return _again(act, of, run, free, dict(known))


def promote(con: Connection, draw_id: int, township: str | None, band: int) -> int | None:
    """The next household in reserve of a township and group takes the place of one that is gone: its id, None without any."""
    of = [audit_sample.c.draw_id == draw_id, audit_sample.c.band == band, audit_sample.c.state == RESERVE]
    here = audit_sample.c.township.is_(None) if township is None else audit_sample.c.township == township
    asked = select(audit_sample.c.id).where(*of, here).order_by(audit_sample.c.place).limit(1)
    key = con.execute(asked).scalar()
    if key is not None:
        con.execute(update(audit_sample).where(audit_sample.c.id == key).values(state=DRAWN))
    return key


def _out(con: Connection, of: Offered) -> pl.Expr:
    """Why a household cannot be drawn, with what people did: an open alert, help that was recorded."""
    unclosed = select(alert.c.household_id).where(alert.c.closed_at.is_(None), alert.c.household_id.is_not(None))
    helped = select(measure.c.household_id).where(measure.c.household_id.is_not(None), measure.c.start > of.help_since)
    busy, aided = (pl.Series(con.execute(asked).scalars().all(), dtype=pl.String) for asked in (unclosed, helped))
    return (
        pl.when(pl.col("out").is_not_null()).then("out")
        .when(pl.col("household_id").is_in(busy.implode())).then(pl.lit("flagged"))
        .when(pl.col("household_id").is_in(aided.implode())).then(pl.lit("helped"))
    )  # fmt: skip


def _first(act: Acting, of: Offered, run: str, free: pl.DataFrame, size: int) -> int:
    today = local_day(act.at)
    bands = [[band.title.zh, band.title.en, band.below, band.rate] for band in of.sampling.bands]
    row = {
        "period": of.period, "run_id": run, "seed": of.seed, "size": size, "bands": bands, "model": of.listed is not None,
        "due_date": add_working_days(today, of.sampling.working_days), "drawn_on": today, "at": act.at,
    }  # fmt: skip
    key = int(act.con.execute(insert(audit_draw).values(row).returning(audit_draw.c.id)).scalar_one())
    strata = allocating.wanted(_counted(free), of.sampling.rates, size, of.seed)
    insert_rows(act.con, audit_stratum, [one | {"draw_id": key} for one in strata.to_dicts()])
    met = free.join(strata, on=allocating.STRATUM, nulls_equal=True, maintain_order="left")
    # Only those that can be drawn are put in order: all households of a county take three times as long.
    first = pl.col("key").rank("ordinal").over(allocating.STRATUM) <= pl.col("wanted") + of.sampling.reserves
    order = allocating.ranked(met.filter(first))
    states = pl.when(pl.col("place") <= pl.col("wanted")).then(pl.lit(DRAWN)).otherwise(pl.lit(RESERVE))
    _insert(act.con, key, order.with_columns(state=states))
    _list(act.con, key, of)
    drawn = _drawn(act.con, key)
    act.journal("sample.draw", f"sample:{of.period}", run=run, seed=of.seed, size=size, drawn=drawn, of=len(free))
    return drawn


def _counted(free: pl.DataFrame) -> pl.DataFrame:
    return free.group_by(allocating.STRATUM).agg(households=pl.len().cast(pl.Int64))


def _again(act: Acting, of: Offered, run: str, free: pl.DataFrame, known: Mapping[str, Any]) -> int:
    """Another run of a period that was drawn already."""
    con, key = act.con, int(known["id"])
    strata = con.execute(select(audit_stratum).where(audit_stratum.c.draw_id == key)).mappings().all()
    now = {
        (town, band): count for town, band, count in _counted(free).select("township", "band", "households").iter_rows()
    }
    for one in strata:
        values = {"households": now.get((one["township"], one["band"]), 0)}
        con.execute(update(audit_stratum).where(audit_stratum.c.id == one["id"]).values(values))
    held, lost = _kept(con, key, of, free)
    for why, ids in lost.items():
        con.execute(update(audit_sample).where(audit_sample.c.id.in_(ids)).values(state=DROPPED, why=why))
    added = _filled(con, key, held, allocating.ranked(free), strata, of.sampling.reserves)
    con.execute(update(audit_draw).where(audit_draw.c.id == key).values(run_id=run, model=of.listed is not None))
    con.execute(delete(audit_listed).where(audit_listed.c.draw_id == key))
    _list(con, key, of)
    dropped = sum(len(ids) for ids in lost.values())
    act.journal("sample.redraw", f"sample:{of.period}", run=run, dropped=dropped, added=added)
    return _drawn(con, key)


def _kept(con: Connection, key: int, of: Offered, free: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, list[int]]]:
    """What of a draw still stands (id, household_id, township, band, place, state, answered), and by reason the ids of what
    does not: neither answered for nor to be drawn any more."""
    answered = select(audit_visit.c.sample_id).where(audit_visit.c.result.in_(FINAL))
    columns = [audit_sample.c[name] for name in _TYPES if name != "answered"]
    asked = select(*columns, audit_sample.c.id.in_(answered).label("answered")).where(audit_sample.c.draw_id == key)
    rows = con.execute(asked.order_by(audit_sample.c.id)).all()
    held = pl.DataFrame([tuple(row) for row in rows], schema=_TYPES, orient="row").with_columns(
        pl.col("answered").cast(pl.Boolean)
    )
    held = held.filter(pl.col("state") != DROPPED)
    reasons = of.frame.select("household_id", why=_out(con, of))
    met = held.join(reasons, on="household_id", how="left", maintain_order="left")
    met = met.with_columns(
        why=pl.when(pl.col("household_id").is_in(of.frame["household_id"].implode()))
        .then("why")
        .otherwise(pl.lit("gone"))
    )
    out = ~pl.col("answered") & pl.col("why").is_not_null()
    lost = dict(met.filter(out).group_by("why").agg("id").iter_rows())
    return met.filter(~out), lost


def _filled(
    con: Connection, key: int, held: pl.DataFrame, order: pl.DataFrame, strata: Sequence[Any], reserves: int
) -> int:
    """Fills every stratum up from its reserves, then from the order in which its households would be drawn; how many came in."""
    added = 0
    for one in strata:
        here = pl.col("township").eq_missing(pl.lit(one["township"], pl.String)) & (pl.col("band") == one["band"])
        mine = held.filter(here)
        short = one["wanted"] - int((mine["state"] == DRAWN).sum())
        waiting = mine.filter(pl.col("state") == RESERVE).sort("place")["id"].to_list()
        risen = waiting[: max(short, 0)]
        if risen:
            con.execute(update(audit_sample).where(audit_sample.c.id.in_(risen)).values(state=DRAWN))
        short = max(short, 0) - len(risen)
        fresh = order.filter(here).join(mine, on="household_id", how="anti")
        fresh = fresh.head(short + max(reserves - len(waiting) + len(risen), 0))
        last = (
            max(mine["place"].to_list(), default=0) // LATER
        )  # a later run's households stand behind, in an order of their own
        fresh = fresh.with_columns(place=(last + 1) * LATER + pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
        states = pl.when(pl.int_range(pl.len()) < short).then(pl.lit(DRAWN)).otherwise(pl.lit(RESERVE))
        _insert(con, key, fresh.with_columns(state=states))
        added += len(risen) + min(short, len(fresh))
    return added


def _insert(con: Connection, key: int, rows: pl.DataFrame) -> None:
    told: Iterable[dict[str, Any]] = rows.select(*_ROW, "state").iter_rows(named=True)
    insert_rows(con, audit_sample, [row | {"draw_id": key, "why": None} for row in told])


def _list(con: Connection, key: int, of: Offered) -> None:
    insert_rows(con, audit_listed, [{"draw_id": key, "household_id": one} for one in of.listed or ()])


def _drawn(con: Connection, key: int) -> int:
    of = select(func.count()).where(audit_sample.c.draw_id == key, audit_sample.c.state == DRAWN)
    return int(con.execute(of).scalar_one())
