"""What every part of linking and of the snapshot needs to know about the run: as-of, feeds, deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from monitoring.feeds import Feed

# Whose rows make somebody a person that the county must know (contract: DQ-UNREGISTERED).
ASSISTANCE_FEEDS = (
    "dibao", "tekun", "low_income", "temporary_aid", "applications", "monitored", "income", "disability",
    "disability_subsidy", "care_groups", "clues", "disasters", "payments",
)  # fmt: skip


def born(number: str) -> str:
    """SQL: the birth date that a usable number says; by its check character it is right where a column may be mistyped."""
    return f"try_strptime(substr({number}, 7, 8), '%Y%m%d')::DATE"


def sex_of(number: str) -> str:
    """SQL: the sex that a usable number says."""
    return f"CASE WHEN substr({number}, 17, 1)::INT % 2 = 1 THEN '男' WHEN {number} IS NOT NULL THEN '女' END"


def new_person(home: str) -> str:
    """SQL: the id of a person whom a row without a usable number names and nobody knows, made of the words of the row."""
    words = "'no number', name, birth_date, township, village, phone, sex"
    return f"(md5_number_lower(concat_ws('|', {words}, {home})) >> 4)::BIGINT"


NEW_MEMBER = new_person(
    "'registry|' || household_number"
)  # of a row of the registry, which is always a person of its own


@dataclass(frozen=True)
class Delivered:
    """One delivery as a run sees it: yyyymm, the feeds with a file in it, and where their rows lie."""

    period: int
    feeds: frozenset[str]
    rows: Mapping[str, Path]


@dataclass(frozen=True)
class Linking:
    """A run's connection and frame. `deliveries` are oldest first, the last one is the period's own."""

    con: duckdb.DuckDBPyConnection
    feeds: Mapping[str, Feed]
    deliveries: tuple[Delivered, ...]
    as_of: date
    decisions: tuple[tuple[str, str, str, str], ...] = ()
    """What people decided (kind, one, other, verdict), see `decided`."""

    @property
    def as_of_sql(self) -> str:
        return f"DATE '{self.as_of.isoformat()}'"

    @property
    def loaded(self) -> frozenset[str]:
        """Feeds with any file in the home, this period's or an earlier one's."""
        return frozenset().union(*(d.feeds for d in self.deliveries))

    @property
    def person_feeds(self) -> list[str]:
        """Feeds whose rows are about a person, the registry first, then in a fixed order."""
        rest = sorted(f for f, feed in self.feeds.items() if feed.subject == "person" and f != "registry")
        first = [f for f in ASSISTANCE_FEEDS if f in rest]
        return ["registry", *first, *(f for f in rest if f not in first)]
