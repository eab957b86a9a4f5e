"""Quarantined rows and what became of them: settled by a corrected row, still waiting, or handed in again and still wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.correcting import CORRECTION, ORIGIN, WHAT, key_sql
from monitoring.warehouse import Warehouse

PAGE = 50
OWN = {WHAT, ORIGIN, CORRECTION}  # what a workbook to correct adds to the department's columns
_NONE = """(select null::INTEGER as delivered, null::INTEGER as part, null::INTEGER as "row", null::INTEGER as by_part,
            null::INTEGER as by_row, null::VARCHAR as state where false)"""


def _settled(warehouse: Warehouse) -> str:
    """The table of settlements; an empty one for a run of before there were any."""
    there = warehouse.row("select count(*) as n from duckdb_tables() where table_name = 'settled'")["n"]
    return "settled" if there else _NONE


def totals(warehouse: Warehouse) -> pl.DataFrame:
    """One row is a department: department, rows quarantined in this period's files, of them settled (loaded or there already),
    handed in again and still wrong, waiting. Every row stands in one of the three."""
    return warehouse.frame(
        f"""with state as (select q.department, q."row", q.part, case when bool_or(s.state in ('loaded', 'duplicate')) then 'settled'
                                  when bool_or(s.state = 'quarantined') then 'again' else 'waiting' end as state
                           from quarantine q join part p using (delivered, part) left join {_settled(warehouse)} s using (delivered, part, "row")
                           where p.this_period and q."row" is not null and q.department is not null group by all)
            select department, count(*) as rows, count(*) filter (state = 'settled') as settled, count(*) filter (state = 'again') as again,
                   count(*) filter (state = 'waiting') as waiting from state group by department order by waiting desc, department"""
    )


def settlements(warehouse: Warehouse, scope: Scope, page: int = 1) -> tuple[list[dict[str, Any]], int]:
    """Quarantined rows that a corrected row answers, one page and the number of all: feed, file, sheet, row, by_file, by_row, state."""
    where = Scope(allowed=scope.allowed).limit(Filter().add("p.this_period"), "q")
    rows = warehouse.rows(
        f"""select q.feed, p.file, p.sheet, q."row", b.file as by_file, s.by_row, s.state, count(*) over () as total
            from (select *, {_place("乡镇")} as township, {_place("村")} as village from quarantine) q
            join part p using (delivered, part) join {_settled(warehouse)} s using (delivered, part, "row")
            join part b on b.delivered = s.delivered and b.part = s.by_part {where.where}
            order by q.feed, p.file, p.sheet, q."row", s.by_row limit {PAGE} offset $skip""",
        {**where.params, "skip": PAGE * (max(page, 1) - 1)},
    )
    return rows, rows[0]["total"] if rows else 0


def _place(heading: str) -> str:
    return f"json_extract_string(try_cast(raw as json), '$.\"{heading}\"')"


@dataclass(frozen=True)
class Sheet:
    """The rows of one part to be corrected, in the department's own headings. `rows`: heading -> text, with row, reasons, key."""

    file: str
    sheet: str
    headings: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]


def to_correct(warehouse: Warehouse, scope: Scope, department: str) -> list[Sheet]:
    """What a department has to correct, part by part; rows that a later row answers are left out (what was handed in again and
    is still wrong is there with its new reasons). In the clear: a department knows its own rows."""
    where = Scope(allowed=scope.allowed).limit(Filter().add("p.this_period"), "q")
    where.add("q.department = $department", department=department).add('q."row" is not null')
    rows = warehouse.rows(
        f"""select q.part, p.file, p.sheet, q."row", q.reasons, q.raw, {key_sql("q")} as key
            from (select *, {_place("乡镇")} as township, {_place("村")} as village from quarantine) q join part p using (delivered, part) {where.where}
              and not exists (from {_settled(warehouse)} s where s.delivered = q.delivered and s.part = q.part and s."row" = q."row")
            order by q.part, q."row" """,
        where.params,
    )
    known = warehouse.row("select count(*) as n from duckdb_tables() where table_name = 'heading'")["n"]
    headings = warehouse.rows("select part, heading, own from heading order by part, rowid") if known else []
    own: dict[int, dict[str, str]] = {}
    for row in headings:
        own.setdefault(row["part"], {})[row["heading"]] = row["own"]
    sheets = []
    for part in dict.fromkeys(row["part"] for row in rows):
        mine, named = [row for row in rows if row["part"] == part], own.get(part, {})
        told = [{**row, "cells": {named.get(h, h): v for h, v in _cells(row["raw"]).items()}} for row in mine]
        columns = dict.fromkeys(
            [*named.values(), *(heading for row in told for heading in row["cells"] if heading not in OWN)]
        )
        sheets.append(Sheet(mine[0]["file"], mine[0]["sheet"] or "", tuple(columns), tuple(told)))
    return sheets


def _cells(raw: str | None) -> dict[str, str]:
    try:
        found = json.loads(raw or "{}")
    except ValueError:
        return {"原文": raw or ""}
    return {str(h): str(v) for h, v in found.items()} if isinstance(found, dict) else {"原文": str(raw)}
