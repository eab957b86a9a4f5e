"""What departments handed in: freshness by month, the ledger of files, what was set aside and why, doubtful links.

The data page is about files, not places: lists whose rows carry a township are limited to the scope; of the ledger, whoever
has some places sees the files with rows of theirs. What a row that was set aside says is for the whole county, or for who holds the place
that the row itself names.
"""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.feeds import load_feeds
from monitoring.warehouse import Warehouse

PAGE = 50


def freshness(warehouse: Warehouse) -> pl.DataFrame:
    """One row is a feed and a month in which it was delivered: feed, delivered (yyyymm), files, rows, quarantined."""
    return warehouse.frame(
        """select feed, delivered, count(distinct file) as files, sum(loaded)::BIGINT as rows,
                  sum(quarantined)::BIGINT as quarantined
           from part where feed is not null group by feed, delivered order by feed, delivered"""
    )


def month_shown(warehouse: Warehouse) -> int:
    """The run's period as deliveries count it: yyyymm."""
    return int(str(warehouse.row("select period from run")["period"]).replace("-", ""))


def feeds(warehouse: Warehouse) -> pl.DataFrame:
    """One row is a feed: feed, matching_set, has_file, last_period."""
    return warehouse.frame(
        "select feed, matching_set, has_file, last_period from feed_snapshot order by has_file, feed"
    )


def late_townships(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a register that came without some townships: feed, townships (names), last_period of the oldest.

    Of an event feed a township may have nothing to report, so it is never late here."""
    registers = [name for name, feed in load_feeds(None).items() if feed.kind == "state" and feed.by_township]
    late = Filter().add("last_period < (select max(last_period) from feed_township)")
    places = scope.limit_townships(late.add("feed in (select unnest($registers))", registers=registers))
    return warehouse.frame(
        f"""select feed, string_agg(township, '、' order by township) as townships, min(last_period) as last_period
            from feed_township {places.where} group by feed order by feed""",
        places.params,
    )


def ledger(warehouse: Warehouse, scope: Scope, this_period: bool = True) -> pl.DataFrame:
    """One row is a sheet or file: delivered, file, sheet, feed, format, encoding, rows_read, loaded, duplicate, quarantined,
    not_data, unknown_headings, shown: whole (all counts are told), own (`loaded` counts the viewer's places, the rest is not
    told) or county (a file without places: no count is told).

    A file all of whose rows are other places' is not listed, nor is one that could not be read: whose it is, is not known."""
    frame = warehouse.frame(
        f"""select delivered, part, file, sheet, feed, format, encoding, rows_read, loaded, duplicate, quarantined, not_data,
                   unknown_headings, 'whole' as shown
            from part {"where this_period" if this_period else ""}
            order by delivered desc, feed nulls first, file, sheet"""
    )
    if scope.allowed is not None:
        frame = _own(frame, _places_in_files(warehouse, scope))
    return frame.drop("part")


_COUNTS = ("rows_read", "duplicate", "quarantined", "not_data")


def _own(frame: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """The ledger as somebody with some places sees it. `places` as `_places_in_files`."""
    known = frame.filter(pl.col("feed").is_not_null()).join(
        places, on=["delivered", "part"], how="left", maintain_order="left"
    )
    known = known.with_columns(pl.col("placed", "own", "rows").fill_null(0))
    shown = (
        pl.when(pl.col("placed") == 0).then(pl.lit("county"))
        .when(pl.col("own") == pl.col("rows")).then(pl.lit("whole"))
        .otherwise(pl.lit("own"))
    )  # fmt: skip
    known = known.filter((pl.col("own") > 0) | (pl.col("placed") == 0)).with_columns(shown=shown)
    whole = pl.col("shown") == "whole"
    return known.with_columns(
        pl.when(whole).then(pl.col(*_COUNTS)),
        loaded=pl.when(whole).then("loaded").when(pl.col("shown") == "own").then(pl.col("own").cast(pl.Int32)),
    ).select(frame.columns)


def _places_in_files(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a delivered file or sheet: delivered, part, rows, placed (rows that name a township), own (rows of the scope)."""
    having = "select table_name from information_schema.columns where table_name like 'std\\_%' escape '\\' and column_name = $c"
    with_village = {row["table_name"] for row in warehouse.rows(having, {"c": "village"})}
    tables = sorted(row["table_name"] for row in warehouse.rows(having, {"c": "township"}))
    rows = " union all ".join(
        f"select delivered, part, township, {'village' if name in with_village else 'null::varchar as village'} from {name}"
        for name in tables
    )
    own = Scope(allowed=scope.allowed).limit()
    return warehouse.frame(
        f"""select delivered, part, count(*) as rows, count(township) as placed,
                   count(*) filter ({own.where}) as own from ({rows}) group by delivered, part""",
        own.params,
    )


def unrecognised(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a sheet or file of this period that is no known feed: file, sheet, rows_read, reason. Whose it is, is not
    known, so that only who sees the whole county sees it."""
    return warehouse.frame(
        f"""select file, sheet, rows_read, reason from part
            where this_period and feed is null and {"true" if scope.allowed is None else "false"} order by file, sheet"""
    )


def quarantine_totals(warehouse: Warehouse) -> pl.DataFrame:
    """One row is a feed: feed, department, rows set aside in this period's files. A file that was set aside as a whole is no row
    (`set_aside_whole`): so these are the rows that the ledger of files, the balances and reports count."""
    return warehouse.frame(
        """select q.feed, q.department, count(*) as rows from quarantine q join part p using (delivered, part)
           where p.this_period and q."row" is not null group by q.feed, q.department order by rows desc, q.feed"""
    )


def set_aside_whole(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a file or sheet of this period that was set aside as a whole: file, sheet, feed, reasons. Whose its rows are is not
    known, so that only who sees the whole county sees it."""
    return warehouse.frame(
        f"""select p.file, p.sheet, q.feed, {scope.text("q.reasons")} as reasons from quarantine q join part p using (delivered, part)
            where p.this_period and q."row" is null and {"true" if scope.allowed is None else "false"} order by p.file, p.sheet"""
    )


def quarantine(
    warehouse: Warehouse, scope: Scope, feed: str | None = None, page: int = 1
) -> tuple[list[dict[str, Any]], int]:
    """Rows set aside, one page and the number of all: department, feed, file, sheet, row, reasons, raw (heading -> text)."""
    where = Scope(allowed=scope.allowed).limit(Filter().add("p.this_period").add('q."row" is not null'), "q")
    if feed:
        where.add("q.feed = $feed", feed=feed)
    rows = warehouse.rows(
        f"""select q.department, q.feed, p.file, p.sheet, q."row", {scope.text("q.reasons")} as reasons, q.raw,
                   count(*) over () as total
            from (select *, json_extract_string(raw, '$."乡镇"') as township, json_extract_string(raw, '$."村"') as village
                  from quarantine) q join part p using (delivered, part) {where.where}
            order by q.feed, p.file, p.sheet, q."row" limit {PAGE} offset $skip""",
        {**where.params, "skip": PAGE * (max(page, 1) - 1)},
    )
    total = rows[0]["total"] if rows else 0
    return [{**row, "raw": _raw(scope, row["raw"])} for row in rows], total


def _raw(scope: Scope, text: str | None) -> dict[str, str]:
    cells = json.loads(text or "{}")
    return scope.cells({str(heading): str(value) for heading, value in cells.items() if value not in (None, "")})


def value_issues(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a kind of problem with optional values: feed, heading, problem, rows, example, file and row of one."""
    example = scope.text("v.value") if scope.allowed is None else "null::varchar"  # whose row it is, is not known here
    where = "min(p.file)" if scope.allowed is None else "null::varchar"
    return warehouse.frame(
        f"""select v.feed, v.heading, {scope.text("v.problem")} as problem, count(*) as rows,
                   arg_min({example}, (p.file, v."row")) as example, {where} as file,
                   arg_min(v."row", (p.file, v."row")) as "row"
            from value_issue v join part p using (delivered, part) where p.this_period
            group by v.feed, v.heading, {scope.text("v.problem")} order by rows desc, v.feed, v.heading limit 200"""
    )


def same_keys(warehouse: Warehouse, scope: Scope, page: int = 1) -> tuple[pl.DataFrame, int]:
    """Rows of this period that have one key and say different things (two endings of one clue): feed, file, sheet, row, name,
    township, village, key, counted; and how many there are. Nothing for runs of earlier versions, which did not tell them."""
    there = "select 1 from duckdb_tables() where database_name = current_database() and table_name = 'same_key'"
    if not warehouse.rows(there):
        return pl.DataFrame(), 0
    where = scope.limit(None, "s")
    frame = warehouse.frame(
        f"""with same as (
                select k.* replace (coalesce(h.township, k.township) as township, coalesce(h.village, k.village) as village)
                from same_key k left join person_snapshot h using (person_id))
            select s.feed, p.file, p.sheet, s."row", {scope.name("s.name")} as name, s.township, s.village,
                   {scope.text("s.key")} as key, s.counted, count(*) over () as total
            from same s left join part p using (delivered, part) {where.where}
            order by s.feed, s.key, s.person_id, p.file, s."row" limit {PAGE} offset $skip""",
        {**where.params, "skip": PAGE * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0


def link_review(warehouse: Warehouse, scope: Scope, page: int = 1) -> tuple[pl.DataFrame, int]:
    """Rows whose person is not decided: feed, file, sheet, row, name, birth, township, village, number, reason, candidates."""
    where = scope.limit(None, "l")
    frame = warehouse.frame(
        f"""select l.feed, p.file, p.sheet, l."row", {scope.name("l.name")} as name, l.township, l.village,
                   {scope.number("l.number_raw")} as number, {scope.text("l.reason")} as reason, l.candidates,
                   count(*) over () as total
            from link_review l left join part p using (delivered, part) {where.where}
            order by l.feed, p.file, l."row" limit {PAGE} offset $skip""",
        {**where.params, "skip": PAGE * (max(page, 1) - 1)},
    )
    return frame.drop("total"), int(frame["total"][0]) if frame.height else 0
