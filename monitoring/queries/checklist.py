"""The checklist's counts and lists, and the balances that show that nothing was lost; `monitoring.checklist` has the sets."""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.checklist import BY_NUMBER, COVERED, MISSING, SETS, UNKNOWN, Set
from monitoring.queries.verdicts import conditions
from monitoring.warehouse import Warehouse

STATES = {"covered": COVERED, "missing": MISSING, "unknown": UNKNOWN}


def checklist(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a set: number, members, covered, missing, unknown, as_of (oldest period among its sources; None: one
    has no file at all), no_data (True: nothing can be said, the counts are 0)."""
    ages = _oldest_source(warehouse, scope)
    rows = []
    for item in SETS:
        as_of = min((ages.get(feed, 0) for feed in item.feeds), default=0)
        silent = item.select is None or as_of == 0
        counted = {} if silent else _counts(warehouse, scope, item)
        rows.append({
            "number": item.number, **{state: counted.get(state, 0) for state in STATES},
            "as_of": as_of or None, "no_data": silent,
        })  # fmt: skip
    frame = pl.DataFrame(rows, schema_overrides={"as_of": pl.Int64})
    return frame.with_columns(members=pl.sum_horizontal(*STATES))


def by_place(warehouse: Warehouse, scope: Scope, number: int) -> pl.DataFrame:
    """One row is a township (a village where one township is shown): place, members, covered, missing, unknown."""
    item = BY_NUMBER[number]
    if item.select is None:
        return pl.DataFrame(schema={"place": pl.String, **dict.fromkeys(("members", *STATES), pl.Int64)})
    column = (
        "village"
        if scope.villages is not None or (scope.townships is not None and len(scope.townships) == 1)
        else "township"
    )
    places = scope.limit()
    return warehouse.frame(
        f"""select {column} as place, count(*) as members, {_by_state()} from ({_sql(warehouse, item)}) {places.where}
            group by all order by missing desc, unknown desc, place""",
        places.params,
    )


def members(
    warehouse: Warehouse, scope: Scope, number: int, state: str, page: int = 1, size: int = 50
) -> tuple[pl.DataFrame, int]:
    """Who stands in one state of a set: household_key, household_id, name, township, village, how; and how many in all."""
    item = BY_NUMBER[number]
    if item.select is None:
        return pl.DataFrame(), 0
    where = scope.limit(Filter().add("how in (select unnest($states))", states=list(STATES[state])), "t")
    frame = warehouse.frame(
        f"""select t.household_key, {scope.household("h.household_id")} as household_id, {scope.name("p.name")} as name,
                   t.township, t.village, t.how, count(*) over () as total
            from ({_sql(warehouse, item)}) t
            left join household h on h.household_key = t.household_key
            left join person_snapshot p on p.person_id = t.person_id
            {where.where} order by t.township, t.village, t.household_key, t.person_id limit $size offset $skip""",
        {**where.params, "size": size, "skip": size * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0


def guarantee(warehouse: Warehouse, scope: Scope) -> dict[str, int]:
    """Households in any set: all of them, and by their worst state: missing in one set counts as missing, else unknown in
    one as unknown, else covered."""
    pieces = [
        f"select household_key, township, village, how from ({_sql(warehouse, item)})" for item in SETS if item.select
    ]
    places = scope.limit(Filter().add("household_key is not null"))
    row = warehouse.row(
        f"""with worst as (select household_key, max(case when how in (select unnest($missing)) then 2
                                  when how in (select unnest($unknown)) then 1 else 0 end) as state
                           from ({" union all ".join(pieces)}) {places.where} group by household_key)
            select count(*) as members, count(*) filter (state = 0) as covered, count(*) filter (state = 2) as missing,
                   count(*) filter (state = 1) as unknown from worst""",
        {**places.params, "missing": list(MISSING), "unknown": list(UNKNOWN)},
    )
    return dict(row)


def _counts(warehouse: Warehouse, scope: Scope, item: Set) -> dict[str, int]:
    places = scope.limit()
    row = warehouse.row(f"select {_by_state()} from ({_sql(warehouse, item)}) {places.where}", places.params)
    return dict(row)


def _by_state() -> str:
    return ", ".join(
        f"count(*) filter (how in ({', '.join(repr(how) for how in hows)})) as {state}"
        for state, hows in STATES.items()
    )


def _sql(warehouse: Warehouse, item: Set) -> str:
    """The set's SELECT with the outcomes of rules put in; a rule that is off or absent says nothing (NULL)."""
    text = item.select or ""
    for code in set(re.findall(r"\{hit:([A-Z-]+)\}", text)):
        known = conditions(warehouse)
        text = text.replace(f"{{hit:{code}}}", f"({known[code][1].sql})" if code in known else "null::BOOLEAN")
    return text


def _oldest_source(warehouse: Warehouse, scope: Scope) -> dict[str, int]:
    """Feed -> its latest period in the scope (yyyymm): by township where the feed has one; absent: no file."""
    places = scope.limit_townships()
    county = {
        row["feed"]: row["last_period"]
        for row in warehouse.rows("select feed, last_period from feed_snapshot where last_period is not null")
    }
    if scope.whole_county:
        return county
    local = warehouse.rows(
        f"select feed, min(last_period) as last_period from feed_township {places.where} group by feed", places.params
    )
    return county | {row["feed"]: row["last_period"] for row in local if row["last_period"] is not None}


def balances(warehouse: Warehouse) -> list[dict[str, Any]]:
    """What must add up in every run: name, whole, parts (by name), holds. Of the whole county, whatever is picked."""
    files = warehouse.row(
        """select coalesce(sum(rows_read), 0)::BIGINT as whole, coalesce(sum(loaded), 0)::BIGINT as loaded,
                  coalesce(sum(duplicate), 0)::BIGINT as duplicate, coalesce(sum(quarantined), 0)::BIGINT as quarantined,
                  coalesce(sum(not_data), 0)::BIGINT as not_data,
                  count(*) filter (rows_read is distinct from loaded + duplicate + quarantined + not_data and feed is not null) as wrong
           from part"""
    )
    persons = warehouse.row(
        """select (select persons from run) as whole, (select count(*) from person_snapshot) as listed,
                  (select count(*) from membership where belongs) as belonging"""
    )
    rules = warehouse.row(
        """select coalesce(sum(judged), 0)::BIGINT as whole, coalesce(sum(hit), 0)::BIGINT as hit,
                  coalesce(sum(clear), 0)::BIGINT as clear, coalesce(sum(unknown), 0)::BIGINT as unknown,
                  count(*) filter (judged <> hit + clear + unknown) as wrong from rule_outcome"""
    )
    signals = warehouse.row("select (select signals from run) as whole, (select count(*) from signal) as listed")
    return [
        _balance(
            "文件行数", files, {"装入": "loaded", "重复": "duplicate", "隔离": "quarantined", "非数据": "not_data"}
        ),
        _balance("人数", persons, {"各户人数之和": "belonging"}),
        _balance("规则判断", rules, {"命中": "hit", "未命中": "clear", "不明": "unknown"}),
        _balance("预警信号", signals, {"各条之和": "listed"}),
    ]


def _balance(title: str, row: dict[str, Any], parts: dict[str, str]) -> dict[str, Any]:
    named = {label: int(row[column]) for label, column in parts.items()}
    holds = int(row["whole"]) == sum(named.values()) and not row.get("wrong")
    return {"title": title, "whole": int(row["whole"]), "parts": named, "holds": holds}
