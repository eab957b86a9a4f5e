"""A county to draw from, made by hand: what a run would have written of its roster, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import duckdb
import polars as pl
from sqlalchemy import insert, select

from monitoring.alerts.syncing import RUN
from monitoring.misses.drawing import Offered, draw, offered
from monitoring.people import Acting
from monitoring.store import Store
from monitoring.store.schema import audit_draw, audit_sample
from monitoring.warehouse import Warehouse
from monitoring.working_days import local_day
from tests.people import TOWN, VILLAGE
from tests.stores import NOON

AS_OF = date(2026, 11, 30)
RULES = 10  # gap and risk rules of a household; there are none of persons
_TABLES = f"""
create table run as select 'r1' as run_id, '2026-11' as period, date '{AS_OF}' as as_of;
create table vouching_setting as select ['gap', 'risk'] as kinds, 12 as help_months;
create table vouching_exempt (rule varchar);
create table rule as select 'RISK-' || i as rule, 'risk' as kind, 'household' as subject, false as disabled from range({RULES}) t(i)
    union all select 'DQ-NAME', 'data', 'household', false union all select 'RISK-OFF', 'risk', 'household', true;
create table signal (household_key bigint, household_id varchar, rule varchar, kind varchar);
"""


@dataclass(frozen=True)
class Home:
    """One household; what is not said is one that nothing flagged and nobody helps, and all of whose rules could judge."""

    id: str
    place: tuple[str | None, str | None] = (TOWN, VILLAGE)
    blind: int | None = 0
    help: str = ""
    late: str = ""
    request: bool | None = False
    signal: str = ""
    rank: int | None = None  # in its township, by the model


def homes(
    count: int, place: tuple[str | None, str | None] = (TOWN, VILLAGE), blind: int = 0, prefix: str = "H"
) -> list[Home]:
    return [Home(f"{prefix}{n}", place, blind) for n in range(count)]


def county(roster: Sequence[Home], model: bool = False) -> Warehouse:
    con = duckdb.connect(":memory:")
    con.execute(_TABLES)
    keys = range(1, len(roster) + 1)
    rows = pl.DataFrame(
        [(n, h.id, *h.place, n, h.help, h.late, h.request, h.blind, h.signal, h.rank) for n, h in zip(keys, roster, strict=True)],
        schema={"household_key": pl.Int64, "household_id": pl.String, "township": pl.String, "village": pl.String,
                "head_person_id": pl.Int64, "help": pl.String, "help_late": pl.String, "open_request": pl.Boolean,
                "blind_rules": pl.Int64, "rule": pl.String, "rank": pl.Int64}, orient="row",
    )  # fmt: skip
    con.register("told", rows.to_arrow())
    con.execute("""
        create table vouching as select * exclude (rule, rank) from told;
        create table household as select household_key, household_id, township, village from told;
        create table household_snapshot as select household_key, 1 as size from told;
        create table person_snapshot as select head_person_id as person_id, '周德福' as name from told;
        insert into signal select household_key, household_id, rule, case when rule like 'DQ%' then 'data' else 'risk' end from told where rule <> ''""")
    if model:
        con.execute("""
            create table risk_score as select household_key, household_id, township, rank as rank_in_township, 100 as of_township
                from told where rank is not null;
            create table parameter as select 'model.list_share' as name, '0.02' as value""")
    con.unregister("told")
    warehouse = Warehouse.__new__(Warehouse)
    warehouse._connection = con
    return warehouse


def offer(store: Store, roster: Sequence[Home], period: str = "2026-11", model: bool = False) -> Offered:
    found = offered(county(roster, model), store.home, store.key, period, AS_OF)
    assert found is not None
    return found


def drawn(
    store: Store,
    roster: Sequence[Home],
    period: str = "2026-11",
    run: str = "r1",
    at: datetime = NOON,
    model: bool = False,
) -> int:
    """Draws as a run does; how many households are drawn."""
    of = offer(store, roster, period, model)
    with store.write() as con:
        return draw(Acting(con, RUN, at, store), of, run)


def ids(rows: Iterable[Home]) -> set[str]:
    return {row.id for row in rows}


def add_sampled(store: Store, household_id: str, place: tuple[str | None, str | None], period: str) -> int:
    """One household that was drawn for a period, written directly; its id."""
    bands = [["全部", "All", None, 1]]
    draw_row = {"period": period, "run_id": "r1", "seed": "0" * 64, "size": 1, "due_date": date(2026, 12, 14), "bands": bands, "model": False,
                "drawn_on": local_day(NOON), "at": NOON}  # fmt: skip
    with store.write() as con:
        key = con.execute(select(audit_draw.c.id).where(audit_draw.c.period == period)).scalar()
        if key is None:
            key = con.execute(insert(audit_draw).values(draw_row).returning(audit_draw.c.id)).scalar_one()
        row = {"draw_id": key, "household_id": household_id, "township": place[0], "village": place[1], "name": "周德福", "band": 0,
               "share": 0, "place": 1, "state": "drawn"}  # fmt: skip
        return int(con.execute(insert(audit_sample).values(row).returning(audit_sample.c.id)).scalar_one())
