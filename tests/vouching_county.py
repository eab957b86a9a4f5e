"""A county made by hand for the ledger: what a run would have written of each household, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import duckdb

from monitoring.warehouse import Warehouse

AS_OF = date(2026, 11, 30)
Place = tuple[str | None, str | None]
_TABLES = """
create table run (run_id varchar, period varchar, as_of date);
create table vouching_setting as select 90 as visit_days, ['入户'] as visit_modes, '常用做法' as visit_clause, 12 as help_months,
    '常用做法' as help_clause, ['gap', 'risk'] as kinds;
create table vouching_exempt (rule varchar, reason_zh varchar, reason_en varchar);
create table vouching_feed (feed varchar, township varchar, months integer, by_township boolean, clause varchar, last_period integer, late boolean);
create table rule_feed (rule varchar, feed varchar);
create table vouching (household_key bigint, household_id varchar, township varchar, village varchar, head_person_id bigint, registered boolean,
    help varchar, help_late varchar, visited_date date, visitor varchar, signals integer, needs integer, open_request boolean,
    unknown_rules integer, blind_rules integer);
create table household (household_key bigint, household_id varchar);
create table person_snapshot (person_id bigint, household_key bigint, name varchar, township varchar, village varchar, alive boolean);
create table roster_place (township varchar, village varchar, households bigint, persons bigint);
create table checklist_member ("set" integer, household_key bigint, person_id bigint, township varchar, village varchar, how varchar);
create table checklist_place ("set" integer, township varchar, village varchar, how varchar, n bigint);
create table feed_snapshot (feed varchar, last_period integer);
create table feed_township (feed varchar, township varchar, last_period integer);
create table link_review (name varchar);
"""


@dataclass(frozen=True)
class Home:
    """One household's facts; what is not said is a household of whom nothing is known and nothing missing."""

    key: int = 0
    place: Place = ("甲镇", "东村")
    help: str = ""
    help_late: str = ""
    visited: date | None = None
    signals: int = 0
    needs: int = 0
    request: bool = False
    blind: int = 0
    sets: Mapping[int, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"H{self.key}"


def at(homes: Sequence[Home]) -> list[Home]:
    """The same, numbered."""
    return [replace(home, key=n) for n, home in enumerate(homes, 1)]


def county_of(homes: Sequence[Home], late: Sequence[str | None] = (), period: str = "2026-11") -> Warehouse:
    """`late`: townships whose medical source is missing."""
    con = duckdb.connect(":memory:")
    con.execute(_TABLES)
    con.execute("insert into run values ('r1', ?, ?)", [period, AS_OF])
    towns = sorted({home.place[0] or "" for home in homes})
    rows: list[list[Any]] = [
        ["medical", town or None, 2, True, "常用做法", None, (town or None) in late] for town in towns
    ]
    _fill(con, "vouching_feed", rows)
    _fill(con, "feed_snapshot", [[feed, 202611] for feed in ("monitored", "dibao", "tekun", "medical", "registry", "care_groups", "visits")])  # fmt: skip
    _fill(con, "vouching", [
        [h.key, h.id, *h.place, h.key, True, h.help, h.help_late, h.visited, "王走访" if h.visited else None, h.signals, h.needs, h.request, h.blind, h.blind]
        for h in homes
    ])  # fmt: skip
    _fill(con, "household", [[h.key, h.id] for h in homes])
    _fill(con, "person_snapshot", [[h.key, h.key, f"户主{h.key}", *h.place, True] for h in homes])
    _fill(con, "checklist_member", [[n, h.key, h.key, *h.place, how] for h in homes for n, how in h.sets.items()])
    con.execute("insert into roster_place select township, village, count(*), count(*) from vouching group by all")
    con.execute("""insert into checklist_place select "set", township, village, how, count(*) from checklist_member group by all
        union all select 18, township, village, case when unknown_rules = 0 then '各项规则均已判断' else '有规则不能判断' end, count(*)
        from vouching group by all""")
    warehouse = Warehouse.__new__(Warehouse)
    warehouse._connection = con
    return warehouse


def _fill(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    for row in rows:
        con.execute(f"insert into {table} values ({', '.join('?' * len(row))})", list(row))
