"""Makes a county's folders: which feed arrives in which month, spoiled and written."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.sample import cases, events, flows, groups, health, holdings, ledgers, registers
from pipelines.sample.county import County, build_county
from pipelines.sample.faults import Mess
from pipelines.sample.habits import HABITS, TOWNSHIP_HABITS
from pipelines.sample.layout import FEEDS
from pipelines.sample.months import month_of, period_of
from pipelines.sample.registry import registry
from pipelines.sample.writing import write_feed

MONTHLY: dict[str, Callable[[County, int], pl.DataFrame]] = {
    "registry": registry,
    "dibao": ledgers.dibao,
    "tekun": ledgers.tekun,
    "low_income": ledgers.low_income,
    "monitored": groups.monitored,
    "care_groups": groups.care_groups,
}
QUARTERLY: dict[str, Callable[[County, int], pl.DataFrame]] = {
    "disability": registers.disability,
    "education": registers.education,
    "social_insurance": registers.social_insurance,
    "vehicles": holdings.vehicles,
    "real_estate": holdings.real_estate,
    "business": holdings.business,
    "housing": holdings.housing,
    "institutions": registers.institutions,
    "officials": registers.officials,
}
EVENTS: dict[str, tuple[Callable[[County, int, int], pl.DataFrame], int]] = {
    "temporary_aid": (cases.temporary_aid, 24),
    "applications": (cases.applications, 24),
    "income": (events.income, 24),
    "disability_subsidy": (flows.disability_subsidy, 12),
    "medical": (health.medical, 12),
    "insurance": (health.insurance, 12),
    "deaths": (events.deaths, 24),
    "disasters": (events.disasters, 24),
    "clues": (cases.clues, 14),
    "visits": (flows.visits, 6),
    "payments": (flows.payments, 12),
    "graduates": (registers.graduates, 24),
}
"""With the months of history that the first delivery brings."""
SPLIT = 20_000
"""From this many people on, every township sends its own dibao and visit files; below, three do for dibao."""
STRAY = "值班安排表.csv"


@dataclass
class SampleReport:
    """What was written."""

    persons: int
    """Alive and in the registry in the last month, before any fault."""
    households: int
    townships: int
    villages: int
    periods: list[str]
    files: int = 0
    bytes: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    """Rows by feed, over all months."""
    faults: Counter[str] = field(default_factory=Counter)


def make_county(
    persons: int,
    months: int,
    seed: int,
    out: Path,
    last_period: str = "2026-11",
    progress: Callable[[str], None] | None = None,
) -> SampleReport:
    """Write `months` folders under `out`, the last one `last_period`; month folders that stand there are replaced.

    The same arguments give the same bytes. `progress` is told each period as it is begun.
    """
    report, made = begin_county(persons, months, seed, out, last_period, progress)
    for _ in made:
        pass
    return report


def begin_county(
    persons: int,
    months: int,
    seed: int,
    out: Path,
    last_period: str = "2026-11",
    progress: Callable[[str], None] | None = None,
) -> tuple[SampleReport, Iterator[str]]:
    """Like `make_county`, but each month is written when the next period is asked for; the report fills meanwhile."""
    if persons < 500:
        raise ValueError(f"{persons} persons are too few for fourteen townships: at least 500")
    if months < 1:
        raise ValueError(f"{months} months: at least 1")
    last = month_of(last_period)
    county = build_county(persons, months, seed, last)
    periods = [period_of(month) for month in range(last - months + 1, last + 1)]
    alive = county.listed(last) & ~county.unregistered
    mess = Mess(county.chance)
    report = SampleReport(
        int(alive.sum()),
        len(np.unique(county.people.home[alive])),
        len(county.places.townships),
        len(county.places.villages),
        periods,
        faults=mess.counts,
    )

    def made() -> Iterator[str]:
        for period in periods:
            if progress:
                progress(period)
            folder = Path(out) / period
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
            _write_month(county, month_of(period), folder, mess, report)
            yield period

    return report, made()


def _frames(county: County, month: int) -> dict[str, Callable[[], pl.DataFrame]]:
    """What arrives in a month: builders, so that only one feed is in memory at a time."""
    first, last = county.window.first, county.window.last
    due: dict[str, Callable[[], pl.DataFrame]] = {}
    for feed, build in MONTHLY.items():
        due[feed] = partial(build, county, month)
    if month == first or (last - month) % 3 == 0:
        for feed, build in QUARTERLY.items():
            due[feed] = partial(build, county, month)
    for feed, (build_events, history) in EVENTS.items():
        due[feed] = partial(build_events, county, month, history if month == first else 0)
    return due


def _write_month(county: County, month: int, folder: Path, mess: Mess, report: SampleReport) -> None:
    period = period_of(month)
    for feed, build in _frames(county, month).items():
        frame = build()
        if not frame.height and month != county.window.first:
            continue  # nothing happened: nobody sends an empty file
        for office, place, part in _offices(county, feed, frame):
            habit = HABITS[feed] if not place else TOWNSHIP_HABITS[office % len(TOWNSHIP_HABITS)]
            table = mess.text(feed, FEEDS[feed], part, habit.dates)
            report.rows[feed] += table.height
            path = write_feed(county.chance, folder, feed, table, period, office, place, habit)
            report.files += 1
            report.bytes += path.stat().st_size
    if (county.window.last - month) % 6 == 0:
        stray = folder / STRAY
        stray.write_bytes("日期,值班领导,值班人员\r\n5日,张主任,小李\r\n6日,王主任,小陈\r\n".encode("gb18030"))
        report.files += 1
        report.bytes += stray.stat().st_size


def _offices(county: County, feed: str, frame: pl.DataFrame) -> list[tuple[int, str, pl.DataFrame]]:
    """The files of a feed: one of the county (office 0), or one a township for the feeds that townships send."""
    large = len(county.people) >= SPLIT
    if feed not in ("dibao", "visits") or (feed == "visits" and not large):
        return [(0, "", frame)]
    towns = county.places.townships if large else county.places.townships[:3]
    parts = [(index + 1, town, frame.filter(pl.col("乡镇") == town)) for index, town in enumerate(towns)]
    parts.append((0, "", frame.filter(~pl.col("乡镇").is_in(towns))))
    return [part for part in parts if part[2].height]
