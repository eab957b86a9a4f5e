"""What the review of links shows: rows without a person, persons side by side, households listed twice.

A row is known by the digest of its content (`key`, see `pipelines.link.decided`): rows alike in all of it, in whatever feed,
are one item. Which items are still open (no decision that the run has not been told yet) and in which order is told by the
caller, who knows the case store and the weights.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.alerts.naming import nobody_key, review_record
from monitoring.linking.weights import Weights
from monitoring.warehouse import Warehouse

PAGE = 10
NEARLY = 0.99  # two persons: as good as certain
_WORDS = ("name", "birth_date", "sex", "phone", "township", "village")
Names = tuple[str, ...]


def ready(warehouse: Warehouse) -> bool:
    """Whether the run wrote what the review needs; runs of earlier versions did not."""
    found = warehouse.rows(
        "select 1 from duckdb_columns() where database_name = current_database() and table_name = 'link_review' and column_name = 'key'"
    )
    return bool(found)


def waiting_keys(warehouse: Warehouse, scope: Scope) -> Names:
    """Contents of all rows that wait for a person, in the scope's places."""
    where = scope.limit()
    rows = warehouse.rows(f"select distinct key from link_review {where.where} order by key", where.params)
    return tuple(row["key"] for row in rows)


def rows_of_alert(warehouse: Warehouse, scope: Scope, subject_key: str) -> list[dict[str, Any]]:
    """The rows for which an alert asks whose they are (`subject_key` is the alert's), the first ones: key, feed, file, sheet, row,
    reason."""
    where = scope.limit(Filter().add(f"':' || {nobody_key(review_record('l'), 'l.name', 'l.township')} = $of"), "l")
    return warehouse.rows(
        f"""select l.key, l.feed, p.file, p.sheet, l."row", {scope.text("l.reason")} as reason
            from link_review l left join part p using (delivered, part) {where.where}
            order by l.feed, p.file, l."row" limit {PAGE}""",
        {**where.params, "of": subject_key.partition(" #")[0]},
    )


def rows_of(warehouse: Warehouse, scope: Scope, keys: Names) -> list[dict[str, Any]]:
    """The words of contents, in the order of `keys`: key, name, birth, sex, phone, township, village, number, reason,
    candidate_ids, rows, feeds, and where the first of the rows stands (feed, file, sheet, row)."""
    if not keys:
        return []
    where = scope.limit(None, "s")
    words = ", ".join(f"s.{word}" for word in _WORDS)
    feeds = [r["feed"] for r in warehouse.rows("select distinct feed from link where step = 'new' order by feed")]
    pieces = [
        f"""select s.key, {words}, s.number_raw, s.reason, s.candidate_ids, s.feed, s.delivered, s.part, s.row
            from link_review s where s.key in (select unnest($keys::VARCHAR[])) {where.also}"""
    ]
    pieces += [
        f"""select l.key, {words}, s.number_raw, null, null, l.feed, l.delivered, l.part, l.row
            from link l join std_{feed} s on s.delivered = l.delivered and s.part = l.part and s.row = l.row
                and s.name is not distinct from l.name
            where l.feed = '{feed}' and l.step = 'new' and l.key in (select unnest($keys::VARCHAR[])) {where.also}"""
        for feed in feeds
    ]
    return warehouse.rows(
        f"""with item as (
                select key, any_value(name) as name, any_value(birth_date) as birth_date, any_value(sex) as sex, any_value(phone) as phone,
                       any_value(township) as township, any_value(village) as village, any_value(number_raw) as number_raw, max(reason) as reason,
                       max(candidate_ids) as candidate_ids, count(*) as rows, string_agg(distinct feed, ',' order by feed) as feeds,
                       min((feed, delivered, part, row)) as first
                from ({" union all ".join(pieces)}) group by key)
            select key, {scope.name("item.name")} as name, {scope.birth("birth_date")} as birth, sex, {scope.number("phone")} as phone,
                   township, village, {scope.number("number_raw")} as number, {scope.text("item.reason")} as reason, candidate_ids, rows, feeds,
                   first[1] as feed, p.file, p.sheet, first[4] as row
            from item left join part p on p.delivered = first[2] and p.part = first[3]
            order by list_position($keys::VARCHAR[], key)""",
        {**where.params, "keys": list(keys)},
    )  # fmt: skip


def page_of_rows(warehouse: Warehouse, scope: Scope, keys: Names, page: int) -> list[dict[str, Any]]:
    """One page of contents, in the order of `keys`."""
    return rows_of(warehouse, scope, keys[PAGE * (max(page, 1) - 1) : PAGE * max(page, 1)])


def page_of_pairs(pairs: list[Any], page: int) -> list[Any]:
    return pairs[PAGE * (max(page, 1) - 1) : PAGE * max(page, 1)]


def persons_of(warehouse: Warehouse, scope: Scope, ids: tuple[int, ...]) -> dict[int, dict[str, Any]]:
    """The words of persons: wherever in the viewer's own places they live, since who is looked for may have moved."""
    if not ids:
        return {}
    where = scope.unpicked.limit(None, "r")
    rows = warehouse.rows(
        f"""select r.person_id, {scope.name("r.name")} as name, {scope.birth("r.birth_date")} as birth, r.sex,
                   {scope.number("g.phone")} as phone, r.township, r.village, {scope.number("r.number")} as number, r.alive, r.relation,
                   {scope.household("r.household_id")} as household_id, r.household_key, r.registered, s.seen_in
            from resident r
            left join (select person_id, min(phone) as phone from std_registry
                       where person_id in (select unnest($ids::BIGINT[])) group by person_id) g using (person_id)
            left join person_snapshot s using (person_id)
            where r.person_id in (select unnest($ids::BIGINT[])) {where.also}""",
        {**where.params, "ids": list(ids)},
    )
    return {int(row["person_id"]): row for row in rows}


def households_of(warehouse: Warehouse, scope: Scope, ids: Names) -> dict[str, dict[str, Any]]:
    """Households with their members' names and years of birth, for two that may be one."""
    if not ids:
        return {}
    where = scope.unpicked.limit(None, "h")
    rows = warehouse.rows(
        f"""select h.household_id as id, {scope.household("h.household_id")} as household_id, h.household_key, h.township, h.village,
                   count(*) as size, string_agg({scope.name("r.name")} || '（' || coalesce(strftime(r.birth_date, '%Y'), '?') || '）',
                                                '、' order by r.birth_date, r.person_id) as members
            from household h join membership m using (household_key) join resident r using (person_id)
            where h.household_id in (select unnest($ids::VARCHAR[])) {where.also}
            group by h.household_id, h.household_key, h.township, h.village""",
        {**where.params, "ids": list(ids)},
    )
    return {str(row["id"]): row for row in rows}


def told(warehouse: Warehouse) -> tuple[tuple[str, str, str, str], ...]:
    """The decisions that the published run was told."""
    rows = warehouse.rows("select kind, one, other, verdict from link_decision order by all")
    return tuple((r["kind"], r["one"], r["other"], r["verdict"]) for r in rows)


def weights_within(weights: Weights, scope: Scope, warehouse: Warehouse) -> Weights:
    """The weighed pairs of the scope's places."""
    return Weights(*(within(frame, scope, warehouse) for frame in (weights.rows, weights.persons, weights.households)))


def within(frame: pl.DataFrame, scope: Scope, warehouse: Warehouse) -> pl.DataFrame:
    """Of weighed pairs (with township and village) those in the scope's places."""
    if scope.whole_county or frame.is_empty():
        return frame
    places = frame.select("township", "village").unique().sort("township", "village", nulls_last=True)
    where = scope.limit()
    held = warehouse.frame(
        f"""select township, village from (select unnest($towns::VARCHAR[]) as township, unnest($places::VARCHAR[]) as village)
            {where.where}""",
        {**where.params, "towns": places["township"].to_list(), "places": places["village"].to_list()},
    ).cast(pl.String)
    return frame.join(held, on=["township", "village"], how="semi", nulls_equal=True)
