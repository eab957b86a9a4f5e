"""Which households can be drawn: those of the roster that nothing flagged and nobody helps, as a published run knows them.

`out` says why one cannot: a signal of any kind or an open application ("flagged"), a ledger of continuing help, fresh or late
("helped"). What people did since (open alerts, help that was recorded) is taken out by `monitoring.misses.drawing`, which
reads the case store.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from monitoring.misses.settings import Band
from monitoring.warehouse import Warehouse

LONGEST_PLACE, LONGEST_NAME = 64, 128  # columns of the case store

# The share of gap and risk rules, of the household and of its living members, that could not judge.
_FRAME = f"""
    with rules as (
        select count(*) filter (subject = 'household') as own, count(*) filter (subject = 'person') as each
        from rule cross join vouching_setting
        where not disabled and list_contains(kinds, kind) and rule not in (select rule from vouching_exempt)),
    flagged as (select distinct household_key, true as flagged from signal where household_key is not null)
    select v.household_id, left(v.township, {LONGEST_PLACE}) as township, left(v.village, {LONGEST_PLACE}) as village,
           left(p.name, {LONGEST_NAME}) as name,
           coalesce(least(v.blind_rules / nullif(r.own + r.each * greatest(coalesce(h.size, 1), 1), 0), 1), 1)::DOUBLE as share,
           sha256($seed || ' ' || v.household_id) as key,
           case when f.flagged or v.open_request then 'flagged' when v.help <> '' or v.help_late <> '' then 'helped' end as out
    from vouching v cross join rules r left join flagged f using (household_key)
    left join household_snapshot h using (household_key)
    left join person_snapshot p on p.person_id = v.head_person_id
    where v.household_id is not null
    order by v.household_id"""

# On the model's list (`pipelines.forecast`) and flagged by a rule as well: the model's own pointers are signals already.
_LISTED = """
    select distinct s.household_id from risk_score s
    join signal g on g.household_key = s.household_key and g.rule <> 'MODEL-RISK' and g.kind in ('gap', 'risk')
    where s.household_id is not null and s.township is not null and s.rank_in_township <=
          greatest(round(s.of_township * (select coalesce(max(value::DOUBLE), 0) from parameter where name = 'model.list_share')), 1)
    order by 1"""


def ready(warehouse: Warehouse) -> bool:
    """Whether the run has a ledger of its roster: one that an older version published has none, and nobody is drawn from it."""
    wanted = ("vouching", "vouching_setting", "vouching_exempt")
    return all(_has(warehouse, table) for table in wanted)


def frame(warehouse: Warehouse, seed: str, bands: Sequence[Band]) -> pl.DataFrame:
    """One row is a household of the roster: household_id, township, village, name (its head's), share (of rules that could not
    judge it, 0-1; 1 where that is not known), key (64 hex digits, by which it is drawn), out (None: it can be drawn), band
    (from 0)."""
    found = warehouse.frame(_FRAME, {"seed": seed})
    return found.with_columns(band=band_of(bands))


def band_of(bands: Sequence[Band]) -> pl.Expr:
    """The band of `share`: the first whose limit lies above it."""
    limits = [band.below for band in bands[:-1] if band.below is not None]
    return pl.sum_horizontal(pl.lit(0, pl.Int64), *((pl.col("share") >= limit).cast(pl.Int64) for limit in limits))


def listed(warehouse: Warehouse) -> list[str] | None:
    """Households that a rule flagged and the model's list holds as well; None where the run had no model."""
    if not _has(warehouse, "risk_score"):
        return None
    return [str(row["household_id"]) for row in warehouse.rows(_LISTED)]


def _has(warehouse: Warehouse, table: str) -> bool:
    asked = "select count(*) as tables from duckdb_tables() where table_name = $name"
    return bool(warehouse.row(asked, {"name": table})["tables"])
