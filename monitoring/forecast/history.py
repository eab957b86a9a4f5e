"""The panel of past periods: one row a household and period that nobody helped then, from that period's warehouse, with its label.

The label looks `HORIZON` periods ahead, in the warehouses of those periods: 1 where a member came onto dibao, tekun, the
low-income list or at-risk monitoring, got temporary aid, or had a case confirmed at the door (case store); 0 where not, and
only where the whole window has closed. Members, not household numbers, are followed: households split and merge.

The label means the same in every row. Visits are on record from some month on, lists and aid from the first period: counted
only in the last windows, what was found at the door would be learnt from periods that have none of it and tested on periods
that are full of it. So it counts in all rows or in none: in all where visits were on record in every window, or in those of
enough periods to train and test on (older periods are then not used); else in none, and the card says so.

Refused (`Leak`): a warehouse that holds what was delivered after its period, and a feature that knows the answer.
"""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date

import duckdb
import numpy as np
import polars as pl
from sqlalchemy import func, select

from monitoring.forecast import HORIZON
from monitoring.forecast.features import FEATURES, HELPED, features_sql, households_sql
from monitoring.store import Store
from monitoring.store.schema import alert, visit
from monitoring.warehouse import Published, Warehouse

MOST_ROWS = 300_000
STEP = 3  # periods from one row of a household to the next
KNOWS = 0.95  # ROC-AUC of one column alone, above which it knows the answer
FROM_THE_FIRST = ""  # visits were on record before the first period
COVERED = (
    -(-HORIZON // STEP) + 2
)  # periods (every STEP-th) with visits on record in their windows, to train and test on with a gap
ENOUGH = 10  # entries, below which no column can be told to know them


class Leak(ValueError):
    """The history holds what was not known then; the text names it (Chinese)."""


@dataclass(frozen=True)
class Period:
    """One past period: households that nobody helped, their members, and all who were helped. Of a period that only says who
    was helped, `rows` are the households without features."""

    name: str
    sha256: str
    rows: pl.DataFrame  # features.features_sql
    members: pl.DataFrame = field(repr=False)  # person_id, household_id of the households in `rows`
    helped: pl.DataFrame = field(repr=False)  # person_id


@dataclass(frozen=True)
class Panel:
    """`rows`: household_id, period, label (0, 1), groups, features. `closed`: the periods whose labels are known and alike;
    `files`: the warehouses that were read, with their digests; `entries`: households that came to need help; `door`: whether
    cases confirmed at the door are among them, `since`: the month from which visits are on record (None: none are)."""

    rows: pl.DataFrame = field(repr=False)
    closed: tuple[str, ...]
    files: dict[str, str]
    entries: int
    door: bool = True
    since: str | None = FROM_THE_FIRST

    @property
    def digest(self) -> str:
        text = "|".join(f"{period} {sha256}" for period, sha256 in sorted(self.files.items()))
        return hashlib.sha256(text.encode()).hexdigest()


def read_period(published: Published, whole: bool = True) -> Period:
    """Reads one published warehouse; features only where `whole` (`used` says of which periods the panel takes them). Raises
    Leak where it knows more than its period could."""
    with published.path.open("rb") as f:
        sha256 = hashlib.file_digest(f, "sha256").hexdigest()
    with closing(Warehouse(published.path)) as warehouse, warehouse.workspace() as con:
        known_then(con, published.period)
        rows = con.sql(features_sql() if whole else households_sql()).pl()
        members = con.sql("""
            SELECT m.person_id, h.household_id FROM membership m JOIN household h USING (household_key) WHERE m.alive AND m.belongs
            ORDER BY ALL""").pl()
        helped = con.sql(f"SELECT DISTINCT person_id FROM ({HELPED}) ORDER BY 1").pl()
    return Period(published.period, sha256, rows, members.join(rows, on="household_id", how="semi"), helped)


def known_then(con: duckdb.DuckDBPyConnection, period: str) -> None:
    """Raises Leak where the warehouse is another period's, or holds a row that was delivered after it."""
    year, month = int(period[:4]), int(period[5:])
    stated, as_of = con.execute("SELECT period, as_of FROM run").fetchall()[0]
    last = date(year, month, calendar.monthrange(year, month)[1])
    if stated != period or as_of != last:
        raise Leak(f"{period} 的结果文件写的是 {stated}（截至 {as_of}），不能当作 {period} 当时所知")
    tables = con.execute(
        "SELECT DISTINCT table_name FROM duckdb_columns() WHERE column_name = 'delivered' ORDER BY 1"
    ).fetchall()
    latest = " UNION ALL ".join(f"SELECT '{name}', max(delivered) FROM {name}" for (name,) in tables)
    for name, delivered in con.execute(latest).fetchall():
        if delivered is not None and delivered > year * 100 + month:
            raise Leak(f"{period} 的结果文件里，{name} 有 {delivered} 才交来的行：当时还不知道")


def confirmed_cases(store: Store | None) -> pl.DataFrame:
    """household_id, period: the households whose case was confirmed at the door, by the month of the visit."""
    schema = {"household_id": pl.String, "period": pl.String}
    if store is None:
        return pl.DataFrame(schema=schema)
    with store.read() as con:
        asked = (
            select(alert.c.household_id, visit.c.date)
            .join_from(visit, alert, alert.c.id == visit.c.alert_id)
            .where(visit.c.finding == "confirmed", alert.c.household_id.is_not(None))
            .order_by(alert.c.household_id, visit.c.date)
        )
        rows = [(household, f"{day:%Y-%m}") for household, day in con.execute(asked)]
    return pl.DataFrame(rows, schema=schema, orient="row").unique(maintain_order=True)


def visits_since(store: Store | None) -> str | None:
    """The month of the first visit on record, whatever it found; None where there is none."""
    if store is None:
        return None
    with store.read() as con:
        first = con.execute(select(func.min(visit.c.date))).scalar()
    return f"{first:%Y-%m}" if first is not None else None


def seen_at_the_door(store: Store | None) -> dict[str, int]:
    """How many visits found what: confirmed, no_difficulty, … (for the card)."""
    if store is None:
        return {}
    with store.read() as con:
        asked = select(visit.c.finding, func.count()).group_by(visit.c.finding).order_by(visit.c.finding)
        return {str(finding): int(count) for finding, count in con.execute(asked)}


def panel(periods: Iterable[Period], cases: pl.DataFrame, since: str | None = FROM_THE_FIRST) -> Panel:
    """Labels every period whose window has closed. `cases` were confirmed at the door, where visits are on record from the month
    `since` on (None: none are). Raises Leak where a feature knows the answer."""
    known = {one.name: one for one in periods}
    names = sorted(known)
    closed, door = _labelled(names, since)
    cases = cases if door else cases.clear()
    told = {name: labelled(known[name], [known[later] for later in _window(name)], cases) for name in closed}
    rows = pl.concat([told[name] for name in thinned(closed)], how="vertical_relaxed") if told else pl.DataFrame()
    if rows.is_empty():
        return Panel(rows, (), {name: known[name].sha256 for name in names}, 0, door, since)
    rows = _fewer(rows)
    wrong = leaking(rows, [feature.name for feature in FEATURES])
    if wrong:
        raise Leak(f"这些特征单独就能说出结果，很可能是当时还不知道的内容：{'、'.join(wrong)}")
    entered = pl.concat([one.filter(pl.col("label") == 1).select("household_id") for one in told.values()])
    entries = entered["household_id"].n_unique()
    return Panel(rows, tuple(closed), {name: known[name].sha256 for name in names}, entries, door, since)


def used(names: Iterable[str], since: str | None = FROM_THE_FIRST) -> list[str]:
    """Of these periods the ones whose rows `panel` takes; the others only say who came to need help when."""
    return thinned(_labelled(sorted(names), since)[0])


def _labelled(names: Sequence[str], since: str | None) -> tuple[list[str], bool]:
    """The periods whose window has closed and whose labels mean the same; see `comparable`."""
    known = set(names)
    return comparable([name for name in names if known.issuperset(_window(name))], since)


def comparable(closed: Sequence[str], since: str | None) -> tuple[list[str], bool]:
    """The closed periods whose labels mean the same, and whether cases confirmed at the door are among the labels."""
    covered = [name for name in closed if since is not None and _window(name)[0] >= since]
    if len(covered) == len(closed) or len(thinned(covered)) >= COVERED:
        return covered, since is not None
    return list(closed), False


def labelled(now: Period, later: Sequence[Period], cases: pl.DataFrame) -> pl.DataFrame:
    """The period's rows with `label`."""
    helped = pl.concat([one.helped for one in later]).unique()
    entered = now.members.join(helped, on="person_id", how="semi").select("household_id")
    window = [one.name for one in later]
    confirmed = cases.filter(pl.col("period").is_in(window)).select("household_id")
    found = pl.concat([entered, confirmed]).unique().with_columns(label=pl.lit(1, pl.Int8))
    return now.rows.join(found, on="household_id", how="left", maintain_order="left").with_columns(
        pl.col("label").fill_null(0)
    )


def leaking(rows: pl.DataFrame, columns: Sequence[str], label: str = "label") -> list[str]:
    """The columns that by themselves tell the label almost surely, by their value or by being missing."""
    from sklearn.metrics import roc_auc_score  # takes seconds to load: pages ask what was known, and no more

    y = rows[label].to_numpy()
    if min(int(y.sum()), len(y) - int(y.sum())) < ENOUGH:
        return []
    wrong = []
    for name in columns:
        values = rows[name]
        if values.dtype == pl.String:
            rates = rows.group_by(name).agg(rate=pl.col(label).mean())
            values = rows.select(name).join(rates, on=name, how="left", maintain_order="left", nulls_equal=True)["rate"]
        numbers = values.cast(pl.Float64, strict=False)
        missing = numbers.is_null().cast(pl.Float64).to_numpy()
        filled = numbers.fill_null(numbers.median() or 0.0).to_numpy()
        told = [float(roc_auc_score(y, one)) for one in (filled, missing) if np.ptp(one) > 0]
        if any(max(auc, 1 - auc) >= KNOWS for auc in told):
            wrong.append(name)
    return wrong


def thinned(closed: Sequence[str]) -> list[str]:
    """Every third period, the newest always: label windows of neighbours overlap, and more rows would say little more."""
    return sorted(list(closed)[::-1][::STEP])


def _fewer(rows: pl.DataFrame) -> pl.DataFrame:
    """At most about MOST_ROWS, by household: all periods of some households, chosen by a digest of their number."""
    if len(rows) <= MOST_ROWS:
        return rows
    share = int(1000 * MOST_ROWS / len(rows))
    return rows.filter(pl.col("household_id").hash(seed=0) % 1000 < share)


def _window(period: str) -> list[str]:
    first = int(period[:4]) * 12 + int(period[5:]) - 1
    return [f"{month // 12}-{month % 12 + 1:02d}" for month in range(first + 1, first + HORIZON + 1)]
