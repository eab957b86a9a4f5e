"""One household's file: who belongs to it, what it receives, what was paid, who visited, and where each value stands.

Everything is found through the household's persons, by integer keys. A household outside the scope is as if it were not
there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from monitoring.access import Filter, Scope
from monitoring.labels import feed_titles
from monitoring.queries.traces import PERSONS, Traces, traces
from monitoring.warehouse import Warehouse

# A link names a household by its number; one whose number holds an identity number by k, its key and the run whose key it is.
BY_KEY, OF_RUN = "k", "@"
# The day that a row of a feed is about; feeds without one are not listed.
ROW_DATE = {
    "dibao": "start_date", "tekun": "start_date", "low_income": "recognised_date", "temporary_aid": "accepted_date",
    "applications": "applied_date", "income": "checked_date", "monitored": "identified_date", "disability": "issued_date",
    "disability_subsidy": "paid_month", "medical": "settled_date", "deaths": "death_date", "disasters": "hit_date",
    "clues": "registered_date", "care_groups": "start_date", "visits": "visited_date", "payments": "paid_month",
    "housing": "graded_date", "graduates": "graduated_date", "vehicles": "registered_date", "real_estate": "registered_date",
    "business": "founded_date", "officials": "filed_date", "social_insurance": "status_date", "education": "graduated_date",
}  # fmt: skip
# What a household receives: programme, feed, and SQL of what is received, the amount, the first and the last day.
STRETCHES = (
    ("低保", "dibao", "concat_ws(' · ', dibao_kind, support_mode, class || '类')", "household_amount", "start_date", "end_date"),
    ("特困供养", "tekun", "concat_ws(' · ', support_form, self_care)", "basic_amount", "start_date", "end_date"),
    ("低收入家庭", "low_income", "category", "null", "recognised_date", "end_date"),
    ("防返贫监测", "monitored", "household_kind", "null", "identified_date", "risk_removed_date"),
    ("特殊群体", "care_groups", "category", "allowance", "start_date", "end_date"),
    ("残疾证", "disability", "disability_kind || grade || '级'", "null", "issued_date", "valid_until"),
)  # fmt: skip


@dataclass(frozen=True)
class Household:
    """The head of the file. `living` is the size that rules use; `number` is masked as the scope says."""

    key: int
    number: str
    registered: bool
    township: str | None
    village: str | None
    head: str | None
    living: int
    group: str | None
    address: str | None


def link_id(household_id: str | None, key: int | None, run: str) -> str | None:
    """What a link to the household says: never an identity number. `household_id` may be masked already; `key` is that of `run`."""
    if key is None:
        return None
    return f"{BY_KEY}{key}{OF_RUN}{run}" if household_id is None or not household_id.isalnum() else household_id


def key_of(wanted: str) -> tuple[int, str] | None:
    """The key and the run ("": the one that is shown) that a link says, where it names no number."""
    key, _, run = wanted.removeprefix(BY_KEY).partition(OF_RUN)
    return (int(key), run) if wanted.startswith(BY_KEY) and key.isdigit() else None


def find(warehouse: Warehouse, scope: Scope, wanted: str) -> int | None:
    """The key of the household that a link or a search names; None where there is none in the scope, or the link is of another
    run: every run counts its households anew."""
    where = scope.limit()
    said = key_of(wanted)
    if said is not None:
        where.add("household_key = $wanted", wanted=said[0])
        if said[1]:
            where.add("$run = (select run_id from run)", run=said[1])
    else:
        where.add("household_id = $wanted", wanted=wanted)
    found: int | None = warehouse.row(f"select household_key from household {where.where}", where.params).get(
        "household_key"
    )
    return found


def number_of(warehouse: Warehouse, scope: Scope, key: int) -> str | None:
    """The household's number as the registry has it: for services, never shown (one may be made from an identity number)."""
    where = scope.limit(Filter().add("household_key = $key", key=key))
    found: str | None = warehouse.row(f"select household_id from household {where.where}", where.params).get(
        "household_id"
    )
    return found


def place_of(warehouse: Warehouse, household_id: str) -> tuple[str | None, str | None] | None:
    """Township and village of a household by the registry's number, whoever asks: for services, which decide by it. None where
    the run has no such household."""
    row = warehouse.row("select township, village from household where household_id = $id", {"id": household_id})
    return (row["township"], row["village"]) if row else None


def search(warehouse: Warehouse, scope: Scope, text: str, limit: int = 20) -> pl.DataFrame:
    """Households with a member of this name, this end of a number (4 characters and more), or this household number:
    household_key, household_id, name, number, township, village, age."""
    where = scope.limit(
        Filter().add(
            """name = $text or household_id = $text or (length($text) >= 4 and ends_with(number, upper($text)))""",
            text=text.strip(),
        )
    )
    return warehouse.frame(
        f"""select household_key, {scope.household("household_id")} as household_id, {scope.name("name")} as name,
                   {scope.number("number")} as number, township, village, age
            from person_snapshot {where.where} order by household_key, is_head desc limit $most""",
        {**where.params, "most": limit},
    )


def household(warehouse: Warehouse, scope: Scope, key: int) -> Household | None:
    where = scope.limit(Filter().add("h.household_key = $key", key=key), "h")
    found = traces(warehouse, scope, key)
    row = warehouse.row(
        f"""select h.household_key as key, {scope.household("h.household_id")} as number, h.registered, h.township, h.village,
                   {scope.name("p.name")} as head, coalesce(s.size, 0) as living,
                   r.village_group as "group", {"null" if scope.masked else "r.address"} as address
            from household h
            left join household_snapshot s on s.household_key = h.household_key
            left join (select person_id, name from person_snapshot where {found.among(PERSONS, [found.head])}) p
                   on p.person_id = h.head_person_id
            left join (select person_id, any_value(village_group) as village_group, any_value(address) as address
                       from std_registry where counts and {found.among("std_registry", [found.head])}
                       group by person_id) r on r.person_id = h.head_person_id
            {where.where}""",
        where.params,
    )
    return Household(**row) if row else None


def members(warehouse: Warehouse, scope: Scope, key: int) -> pl.DataFrame:
    """One row is a person of the household: person_id, name, number, birth, relation, is_head, alive, death_date, age, sex,
    labour, health, and the facts that programmes turn on."""
    where = scope.limit(Filter().add(traces(warehouse, scope, key).among(PERSONS)), "p")
    return warehouse.frame(
        f"""select p.person_id, {scope.name("p.name")} as name, {scope.number("p.number")} as number,
                   {scope.birth("p.birth_date")} as birth, coalesce(m.relation, p.relation) as relation,
                   coalesce(m.is_head, p.is_head) as is_head, p.alive, p.death_date, p.age, p.sex, p.labour, p.health,
                   p.registered, p.has_certificate, p.disability_kind, p.disability_grade, p.severe, p.seriously_ill,
                   p.on_dibao, p.on_tekun, p.on_low_income, p.insured, p.studying, p.stage, p.care_categories,
                   coalesce(m.belongs, true) as belongs
            from person_snapshot p
            left join (select * from membership where household_key = $key) m using (person_id)
            {where.where} order by is_head desc nulls last, p.alive desc, p.age desc, p.person_id""",
        {"key": key, **where.params},
    )


def programmes(warehouse: Warehouse, scope: Scope, key: int) -> pl.DataFrame:
    """One row is a stretch on one programme: programme, person_id, name, detail, amount, from_date, until_date, active."""
    found, name = traces(warehouse, scope, key), scope.name("name")
    pieces = {
        f"std_{feed}": f"""select '{programme}' as programme, person_id, {name} as name, {detail} as detail,
                      ({amount})::DECIMAL(14,2) as amount, {first} as from_date, {last} as until_date
                from std_{feed} where counts"""
        for programme, feed, detail, amount, first, last in STRETCHES
    }
    return warehouse.frame(
        f"""select distinct s.*, (from_date is null or from_date <= as_of) and (until_date is null or until_date > as_of) as active
            from ({_where_they_stand(found, pieces)}) s cross join run order by programme, from_date, person_id""",
    )


def _where_they_stand(found: Traces, pieces: dict[str, str]) -> str:
    """Of the SELECTs (by table, each ends in a condition) those whose table has rows of the household's persons, limited
    to these rows; where none has, one of no rows."""
    standing = [table for table in pieces if found.stands_in(table)] or list(pieces)[:1]
    return " union all ".join(f"{pieces[table]} and {found.among(table)}" for table in standing)


# What the payments say of temporary aid that its own ledger has as paid to the same person is the same money. A payment's month is
# the one that it is for: the grant's, or the one in which it arrived.
_PAID_ONCE = """counts and not (item = '临时救助' and status = '成功' and exists (
    from std_temporary_aid a where a.counts and a.person_id = std_payments.person_id
    and std_payments.paid_month between date_trunc('month', a.accepted_date) and date_trunc('month', a.paid_date)))"""


def payments(warehouse: Warehouse, scope: Scope, key: int) -> pl.DataFrame:
    """One row is a payment, the latest first: paid_month, item, name, amount, status. Temporary aid and subsidies too."""
    found, name = traces(warehouse, scope, key), scope.name("name")
    pieces = {
        "std_payments": f"select paid_month, item, {name} as name, amount, status from std_payments where {_PAID_ONCE}",
        "std_disability_subsidy": f"""select paid_month, subsidy_kind as item, {name} as name, amount, status
                                      from std_disability_subsidy where counts""",
        "std_temporary_aid": f"""select paid_date as paid_month, '临时救助' as item, {name} as name, amount, '成功' as status
                                 from std_temporary_aid where counts and paid_date is not null""",
    }
    return warehouse.frame(f"{_where_they_stand(found, pieces)} order by paid_month desc, item, name")


def payment_stretches(warehouse: Warehouse, scope: Scope, key: int) -> pl.DataFrame:
    """As `payments`, with months in a row that paid one person the same as one row: item, name, amount, status, first_month,
    last_month, payments."""
    found, name = traces(warehouse, scope, key), scope.name("name")
    columns = f"person_id, {name} as name, amount, status"
    pieces = {
        "std_payments": f"select paid_month, item, {columns} from std_payments where {_PAID_ONCE}",
        "std_disability_subsidy": f"select paid_month, subsidy_kind as item, {columns} from std_disability_subsidy where counts",
        "std_temporary_aid": f"""select paid_date as paid_month, '临时救助' as item, person_id, {name} as name, amount,
                                        '成功' as status
                                 from std_temporary_aid where counts and paid_date is not null""",
    }
    return warehouse.frame(
        f"""select item, name, amount, status, min(paid_month) as first_month, max(paid_month) as last_month,
                   count(*) as payments
            from (select *, year(paid_month) * 12 + month(paid_month) - dense_rank() over (
                         partition by item, person_id, amount, status order by date_trunc('month', paid_month)) as stretch
                  from ({_where_they_stand(found, pieces)}))
            group by item, person_id, name, amount, status, stretch order by last_month desc, item, name, status"""
    )


def visits(warehouse: Warehouse, scope: Scope, key: int) -> pl.DataFrame:
    """One row is a visit, the latest first: visited_date, visitor, visit_mode, finding."""
    found = traces(warehouse, scope, key)
    return warehouse.frame(
        f"""select distinct visited_date, {scope.name("visitor")} as visitor, visit_mode, {scope.text("finding")} as finding
            from std_visits where counts and {found.among("std_visits", [*found.persons, None])}
            order by visited_date desc""",
    )


def origins(warehouse: Warehouse, scope: Scope, key: int) -> pl.DataFrame:
    """One row is a row of a department's file that stands for a member: feed, person_id, name, row_date, file, sheet,
    row, delivered, counts. Where a value came from is found by the feeds of its column."""
    pieces = {
        f"std_{feed}": f"""select '{feed}' as feed, person_id, {scope.name("name")} as name,
                       {ROW_DATE.get(feed, "null")}::DATE as row_date, delivered, part, "row", counts from std_{feed} where true"""
        for feed in feed_titles()
        if feed != "institutions"
    }
    return warehouse.frame(
        f"""select o.*, p.file, p.sheet from ({_where_they_stand(traces(warehouse, scope, key), pieces)}) o
            left join part p using (delivered, part) order by feed, counts desc, row_date desc nulls last, delivered desc, "row" """,
    )


def sources_of(
    origins_frame: pl.DataFrame, feeds: tuple[str, ...], person_id: int | None, most: int = 3
) -> list[dict[str, Any]]:
    """The rows that a value came from: of the column's feeds, those that count, the person's own first."""
    rows = origins_frame.filter(pl.col("feed").is_in(list(feeds)) & pl.col("counts"))
    if person_id is not None:
        own = rows.filter(pl.col("person_id") == person_id)
        rows = own if own.height else rows
    return rows.head(most).to_dicts()


def numbers_of(warehouse: Warehouse, scope: Scope, keys: tuple[int, ...]) -> dict[int, str]:
    """As `number_of`, for the households of a list: key -> number."""
    where = scope.limit(Filter().add("household_key in (select unnest($keys))", keys=list(keys)))
    rows = warehouse.rows(f"select household_key, household_id from household {where.where}", where.params)
    return {row["household_key"]: row["household_id"] for row in rows}
