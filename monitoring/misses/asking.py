"""What the page and the overview ask: the draws with their answers, the estimate, what rules and model find, the dial's price.

A draw counts once its limit is past or everybody has answered: who can be met quickly would otherwise stand for all. Draws of the
last `pool_months` periods are taken together where their groups are the same as the newest draw's; households that could be
drawn are those of the newest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import ceil, floor
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from monitoring.alerts.choices import AUDIT_VISITS, chosen
from monitoring.alerts.outcomes import OUTCOMES
from monitoring.alerts.workers import staff
from monitoring.forecast import RULE as MODEL
from monitoring.misses import allocating
from monitoring.misses.estimating import Estimate, Group, Recall, estimate, expected, recall
from monitoring.misses.results import DRAWN, DROPPED, FINAL, NEEDY
from monitoring.misses.settings import Sampling, load_sampling
from monitoring.misses.visiting import in_places, last_visits
from monitoring.people import Acting, Caller, Person, reading
from monitoring.store import Store
from monitoring.store.schema import (
    alert,
    alert_signal,
    audit_draw,
    audit_listed,
    audit_sample,
    audit_stratum,
    audit_visit,
)
from monitoring.working_days import local_day

SIZES = (0, 10, 20, 30, 50, 100)  # of the dial, beside the one that is set
WEEKS_A_MONTH = 52 / 12
NEED = ("gap", "risk")  # kinds of signals that say that somebody is in need
HELPED = ("deliver", "admit", "confer")  # families of outcomes by which a household was found to be in difficulty
CONFIRMED = tuple(code for code, one in OUTCOMES.items() if one.family in HELPED)
FALSE_ALARMS = tuple(code for code, one in OUTCOMES.items() if one.false_alarm)
_SAMPLE = {"draw_id": pl.Int64, "period": pl.String, "township": pl.String, "band": pl.Int64, "state": pl.String,
           "result": pl.String, "outcome": pl.String}  # fmt: skip
_STRATA = {"draw_id": pl.Int64, "township": pl.String, "band": pl.Int64, "households": pl.Int64, "wanted": pl.Int64}


@dataclass(frozen=True)
class Draw:
    """One period's draw. `drawn` = `needy` + `fine` (or gone) + `unknown` (the limit is past) + `pending`; `dropped` ones left
    the sample before a visit. `seed` is its beginning, for looking it up in the journal."""

    id: int
    period: str
    due_date: date
    seed: str
    households: int
    model: bool
    drawn: int
    needy: int
    fine: int
    unknown: int
    pending: int
    dropped: int

    @property
    def counted(self) -> bool:
        """Whether the estimate rests on it."""
        return not self.pending and self.drawn > 0


@dataclass(frozen=True)
class Place:
    """A township: its own estimate, or None where fewer than the wanted visits were answered."""

    township: str | None
    households: int
    answered: int
    needy: int
    unknown: int
    missed: Estimate | None


@dataclass(frozen=True)
class Price:
    """What so many visits a month cost and tell. `share`: of all staff's visits (None: nobody can visit). `low`, `high`: the
    limits to be expected for the missed households."""

    visits: int
    share: float | None
    low: int
    high: int


@dataclass(frozen=True)
class Board:
    """`draws` the newest first. `pooled`: the periods on which `missed` rests, the newest first; `history`: the estimate as it
    would have been after each counted draw. `rules`, `model`: None where nobody was found to be needy; `modelled`: whether a run of
    these periods had a model. `undecided`: flagged households of these periods about whom nobody has decided."""

    sampling: Sampling
    size: int
    draws: list[Draw]
    pooled: list[str]
    missed: Estimate | None
    places: list[Place]
    rules: Recall | None
    model: Recall | None
    modelled: bool
    undecided: int
    history: list[tuple[str, Estimate]]
    prices: list[Price]
    assumed: float


def board(store: Store, caller: Caller, at: datetime) -> Board:
    """All of it, in the caller's places. Raises Denied, SessionOver, PolicyError."""
    with reading(store, caller, "page.misses", at) as act:
        sampling, size = load_sampling(store.home, local_day(at)), int(chosen(act.con, AUDIT_VISITS))
        told = _Told(act, sampling)
        missed = told.missed(told.pooled)
        rules, model, undecided = _recalls(act, told, missed)
        history = [
            (one.period, found)
            for one in reversed(told.draws)
            if one.counted and (found := told.missed(told.pool(one.period)))
        ]
        assumed = missed.share if missed is not None and missed.needy else sampling.planned_share
        return Board(
            sampling, size, told.draws, [one.period for one in told.pooled], missed, told.places(), rules, model, any(one.model for one in told.pooled), undecided, history,
            _prices(act.con, told, size, assumed), assumed,
        )  # fmt: skip


def missed_now(store: Store, caller: Caller, at: datetime) -> Estimate | None:
    """The estimate alone; None while nothing can be said. Raises Denied, SessionOver, PolicyError."""
    with reading(store, caller, "page.misses", at) as act:
        told = _Told(act, load_sampling(store.home, local_day(at)))
        return told.missed(told.pooled)


class _Told:
    """The draws with what was found, read once."""

    def __init__(self, act: Acting, sampling: Sampling) -> None:
        self.sampling, today = sampling, local_day(act.at)
        rows = act.con.execute(select(audit_draw).order_by(audit_draw.c.period.desc())).mappings().all()
        self.bands = {row["id"]: row["bands"] for row in rows}
        self.sampled = _sampled(act)
        self.strata = _strata(act.con, act.person)
        late = {row["id"]: row["due_date"] < today for row in rows}
        self.draws = [self._draw(row, late[row["id"]]) for row in rows]
        self.newest = self.draws[0] if self.draws else None
        self.pooled = self.pool(self.newest.period) if self.newest else []

    def pool(self, period: str) -> list[Draw]:
        """The counted draws of the months that end with a period, of the same groups as its newest."""
        last = _month(period)
        near = [one for one in self.draws if one.counted and 0 <= last - _month(one.period) < self.sampling.pool_months]
        return [one for one in near if self.bands[one.id] == self.bands[near[0].id]]

    def missed(self, pooled: Sequence[Draw]) -> Estimate | None:
        """By the households of the newest of all draws where it has the same groups, else of the newest of these."""
        if not pooled:
            return None
        of = self._of(pooled)
        found = estimate(_groups(self.strata.filter(pl.col("draw_id") == of.id), self._answers(pooled), ["band"]))
        return found if found.known else None

    def places(self) -> list[Place]:
        """Every township of the newest draw, by name; those whose place is not known last."""
        if self.newest is None:
            return []
        of = self._of(self.pooled) if self.pooled else self.newest
        strata, answers = self.strata.filter(pl.col("draw_id") == of.id), self._answers(self.pooled)
        names = sorted(set(strata["township"].to_list()), key=lambda name: (name is None, name or ""))
        return [self._place(name, strata, answers) for name in names]

    def _place(self, name: str | None, strata: pl.DataFrame, answers: pl.DataFrame) -> Place:
        here = pl.col("township").eq_missing(pl.lit(name, pl.String))
        found = estimate(_groups(strata.filter(here), answers.filter(here), ["band"]))
        enough = found.answered >= self.sampling.least_visits
        return Place(name, found.households, found.answered, found.needy, found.unknown, found if enough else None)

    def _of(self, pooled: Sequence[Draw]) -> Draw:
        newest = self.newest
        is_last = newest is not None and pooled[0].period == self.pooled[0].period if self.pooled else False
        return (
            newest
            if newest is not None and is_last and self.bands[newest.id] == self.bands[pooled[0].id]
            else pooled[0]
        )

    def _answers(self, pooled: Sequence[Draw]) -> pl.DataFrame:
        return self.sampled.filter(pl.col("draw_id").is_in([one.id for one in pooled]), pl.col("state") == DRAWN)

    def _draw(self, row: Any, late: bool) -> Draw:
        mine = self.sampled.filter(pl.col("draw_id") == row["id"])
        drawn = mine.filter(pl.col("state") == DRAWN)
        answered, needy = int(drawn["answered"].sum()), int(drawn["needy"].sum())
        open_ = len(drawn) - answered
        return Draw(
            row["id"], row["period"], row["due_date"], row["seed"][:8],
            int(self.strata.filter(pl.col("draw_id") == row["id"])["households"].sum()), row["model"],
            len(drawn), needy, answered - needy, open_ if late else 0,
            0 if late else open_, int((mine["state"] == DROPPED).sum()),
        )  # fmt: skip


def _sampled(act: Acting) -> pl.DataFrame:
    """One row is a household that was drawn or dropped: draw_id, period, township, band, state, result and outcome (of the case
    that it became), answered, needy. A case that proved to be none was no household in difficulty."""
    last = last_visits()
    asked = (
        select(audit_sample.c.draw_id, audit_draw.c.period, audit_sample.c.township, audit_sample.c.band, audit_sample.c.state,
               audit_visit.c.result, alert.c.outcome)
        .join_from(audit_sample, audit_draw, audit_draw.c.id == audit_sample.c.draw_id)
        .join(last, last.c.sample_id == audit_sample.c.id, isouter=True)
        .join(audit_visit, audit_visit.c.id == last.c.last, isouter=True)
        .join(alert, alert.c.id == audit_visit.c.alert_id, isouter=True)
        .where(audit_sample.c.state.in_((DRAWN, DROPPED)), *in_places(act.person))
    )  # fmt: skip
    rows = [tuple(row) for row in act.con.execute(asked)]
    refuted = pl.col("outcome").is_in(FALSE_ALARMS).fill_null(False)
    return pl.DataFrame(rows, schema=_SAMPLE, orient="row").with_columns(
        answered=pl.col("result").is_in(FINAL).fill_null(False),
        needy=(pl.col("result") == NEEDY).fill_null(False) & ~refuted,
    )


def _strata(con: Connection, person: Person) -> pl.DataFrame:
    """Of whole townships: a person with villages only has none."""
    own = None if person.places is None else {town for town, village in person.places if village is None}
    columns = [audit_stratum.c[name] for name in _STRATA]
    rows = [tuple(row) for row in con.execute(select(*columns)) if own is None or row.township in own]
    return pl.DataFrame(rows, schema=_STRATA, orient="row")


def _groups(strata: pl.DataFrame, answers: pl.DataFrame, by: list[str]) -> list[Group]:
    households = strata.group_by(by).agg(pl.col("households").sum())
    found = answers.group_by(by).agg(
        answered=pl.col("answered").sum().cast(pl.Int64), needy=pl.col("needy").sum().cast(pl.Int64),
        unknown=(~pl.col("answered")).sum().cast(pl.Int64),
    )  # fmt: skip
    met = (
        households.join(found, on=by, how="left")
        .sort(by)
        .with_columns(pl.col("answered", "needy", "unknown").fill_null(0))
    )
    return [Group(**row) for row in met.drop(by).to_dicts()]


def _recalls(act: Acting, told: _Told, missed: Estimate | None) -> tuple[Recall | None, Recall | None, int]:
    """What rules and model found of the needy in the pooled periods, and how many flagged households wait for a decision."""
    if missed is None:
        return None, None, 0
    periods = [one.period for one in told.pooled]
    flagged = _flagged(act, min(periods), max(periods))
    modelled = [one for one in told.pooled if one.model]
    rules, found = int((flagged["confirmed"] & flagged["by_rule"]).sum()), int(flagged["confirmed"].sum())
    by_model = None
    if modelled:
        of = flagged.filter(pl.col("periods").list.set_intersection([one.period for one in modelled]).list.len() > 0)
        listed = _listed(act.con, [one.id for one in modelled])
        pointed = pl.col("confirmed") & (pl.col("by_model") | pl.col("household_id").is_in(listed.implode()))
        by_model = recall(int(of.select(pointed).to_series().sum()), int(of["confirmed"].sum()), missed)
    return recall(rules, found, missed), by_model, int((~flagged["confirmed"] & flagged["waits"]).sum())


def _flagged(act: Acting, first: str, last: str) -> pl.DataFrame:
    """One row is a household with a signal of need whose alert was opened in some periods: household_id, periods, by_rule,
    by_model, confirmed (found in difficulty), waits (nobody has decided). Cases that the sample itself found are not in it."""
    own = act.person.limit(alert.c.township, alert.c.village)
    by_sample = select(audit_visit.c.alert_id).where(audit_visit.c.alert_id.is_not(None))
    asked = (
        select(alert.c.household_id, alert.c.opened_period, alert_signal.c.rule == MODEL, alert.c.outcome)
        .join_from(alert, alert_signal, alert_signal.c.alert_id == alert.c.id)
        .where(
            alert.c.household_id.is_not(None), alert.c.opened_period.between(first, last), alert_signal.c.kind.in_(NEED),
            alert.c.raises_work, alert.c.id.not_in(by_sample), *([] if own is None else [own]),
        )
        .distinct()
    )  # fmt: skip
    schema = {"household_id": pl.String, "period": pl.String, "model": pl.Boolean, "outcome": pl.String}
    rows = pl.DataFrame([(key, period, bool(model), outcome) for key, period, model, outcome in act.con.execute(asked)], schema=schema, orient="row")  # fmt: skip
    return rows.group_by("household_id").agg(
        periods=pl.col("period").unique(),
        by_rule=(~pl.col("model")).any(),
        by_model=pl.col("model").any(),
        confirmed=pl.col("outcome").is_in(CONFIRMED).fill_null(False).any(),
        waits=pl.col("outcome").is_null().any(),
    )


def _listed(con: Connection, draws: Sequence[int]) -> pl.Series:
    asked = select(audit_listed.c.household_id).where(audit_listed.c.draw_id.in_(draws)).distinct()
    return pl.Series(list(con.execute(asked).scalars()), dtype=pl.String)


def _prices(con: Connection, told: _Told, size: int, share: float) -> list[Price]:
    """The dial's stops; none before anything was drawn, since nobody knows then how many households there are."""
    if told.newest is None:
        return []
    able = sum(worker.visits_per_week for worker in staff(con)) * WEEKS_A_MONTH
    strata = told.strata.filter(pl.col("draw_id") == told.newest.id)
    sums = dict(strata.group_by("band").agg(pl.col("households").sum()).iter_rows())
    rates = [float(rate) for *_, rate in told.bands[told.newest.id]]
    of = [int(sums.get(band, 0)) for band in range(len(rates))]
    prices = []
    for visits in sorted({*SIZES, size}):
        low, high = expected(of, allocating.of_bands(of, rates, visits), told.sampling.pool_months, share)
        prices.append(Price(visits, visits / able if able else None, floor(low), ceil(high)))
    return prices


def _month(period: str) -> int:
    return int(period[:4]) * 12 + int(period[5:7])
