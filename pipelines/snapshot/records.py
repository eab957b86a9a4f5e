"""`record_snapshot`, `institution_snapshot`, `feed_snapshot`, `policy_snapshot`: what is judged beside households and persons."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from monitoring.alerts.naming import review_record
from monitoring.facts.frame import Facts
from monitoring.feeds import Feed
from monitoring.tables import FEED, INSTITUTION, POLICY, RECORD, Column
from monitoring.working_days import calendar_rows

MATCHING_SET = ("dibao", "tekun", "monitored", "registry")


def build_records(facts: Facts) -> None:
    """One row a record that some record rule judges, with the place of its person, else its own."""
    days = pl.DataFrame(calendar_rows(), schema={"day": pl.Date, "working_days": pl.Int32}, orient="row")
    facts.con.register("calendar_days", days)
    facts.con.execute("CREATE OR REPLACE TEMP TABLE working_day AS FROM calendar_days")
    facts.con.unregister("calendar_days")
    kinds = {
        "temporary_aid": _temporary_aid(facts), "clues": _clues(facts), "payments": _payments(facts),
        "disability_subsidy": _subsidies(facts), "officials": _officials(facts), "link_review": _reviews(),
    }  # fmt: skip
    selects = []
    for kind, (key, values, source) in kinds.items():
        values = {"record": f"'{kind}'", "record_key": key, "person_id": "s.person_id", "name": "coalesce(r.name, s.name)",
                  "household_key": "r.household_key", "household_id": "r.household_id",
                  "township": "coalesce(r.township, s.township)", "village": "coalesce(r.village, s.village)", **values}  # fmt: skip
        picked = ", ".join(f"CAST({values.get(c, 'NULL')} AS {column.type}) AS {c}" for c, column in RECORD.items())
        selects.append(f"SELECT {picked} FROM {source}")
    order = ", ".join(c for c in RECORD if c not in ("record", "record_key", "person_id", "name"))
    facts.con.execute(f"""
        CREATE TABLE record_snapshot AS SELECT * EXCLUDE (record_key, place),
            -- Two records alike in everything that is shown are told apart by their place among their likes.
            record_key || CASE WHEN place > 1 THEN ' #' || place ELSE '' END AS record_key
        FROM (SELECT *, row_number() OVER (PARTITION BY record, person_id, name, record_key ORDER BY {order}) AS place
              FROM ({" UNION ALL ".join(selects)})) ORDER BY record, record_key, person_id, name""")


def _joined(feed: str, where: str) -> str:
    return f"std_{feed} s LEFT JOIN resident r ON r.person_id = s.person_id WHERE s.counts AND {where}"


def _elapsed(start: str, end: str) -> str:
    """Working days after `start` up to and including `end`."""
    return f"(SELECT working_days FROM working_day WHERE day = {end}) - (SELECT working_days FROM working_day WHERE day = {start})"


def _temporary_aid(facts: Facts) -> tuple[str, dict[str, str], str]:
    paid = f"CASE WHEN s.paid_date <= {facts.day} THEN s.paid_date END"
    begun = "least(s.discovered_date, s.accepted_date)"
    return (
        "concat_ws(' ', s.aid_kind, s.accepted_date)",
        {
            "aid_kind": "s.aid_kind", "aid_begun_date": begun, "aid_paid_date": paid, "amount": "s.amount",
            "aid_working_days": _elapsed(begun, f"coalesce({paid}, {facts.day})"),
            "aid_begun_12m": facts.within(begun, 12),
            "aid_refused": f"coalesce(s.approved_date <= {facts.day}, false) AND coalesce(s.amount, 0) = 0",
            "aid_first": "coalesce(s.aid_first, false)",
            "supplement_missing": f"s.supplement_date IS NULL OR s.supplement_date > {facts.day}",
            "paid_working_days": _elapsed(paid, facts.day), "aid_paid_12m": f"coalesce({facts.within(paid, 12)}, false)",
        },
        _joined("temporary_aid", "true"),
    )  # fmt: skip


def _clues(facts: Facts) -> tuple[str, dict[str, str], str]:
    return (
        "s.clue_number",
        {
            "channel": "s.channel", "concluded": f"coalesce(s.concluded_date <= {facts.day}, false)",
            "clue_due_date": "s.due_date", "overdue_days": f"{facts.day} - s.due_date",
        },
        _joined("clues", "true"),
    )  # fmt: skip


def _payments(facts: Facts) -> tuple[str, dict[str, str], str]:
    otherwise = """EXISTS (SELECT 1 FROM std_payments o WHERE o.counts AND o.status = '成功' AND o.item = s.item
        AND o.paid_month = s.paid_month AND o.person_id = s.person_id)"""
    return (
        "concat_ws(' ', s.item, strftime(s.paid_month, '%Y-%m'), s.status)",
        {
            "item": "s.item", "paid_month": "s.paid_month", "payment_status": "s.status", "amount": "s.amount",
            "failed_12m": facts.within("s.paid_month", 12),
            # A row whose person is undecided cannot be said to be living, dead or paid otherwise.
            "living_that_month": "CASE WHEN s.person_id IS NOT NULL THEN r.death_date IS NULL OR r.death_date >= s.paid_month END",
            "paid_otherwise": f"CASE WHEN s.person_id IS NOT NULL THEN {otherwise} END",
        },
        _joined("payments", "s.status IN ('失败', '退回')"),
    )  # fmt: skip


def _subsidies(facts: Facts) -> tuple[str, dict[str, str], str]:
    certificate = (
        "CASE WHEN s.person_id IS NOT NULL THEN c.person_id IS NOT NULL END" if "disability" in facts.loaded else "NULL"
    )
    source = f"""std_disability_subsidy s LEFT JOIN resident r ON r.person_id = s.person_id
        LEFT JOIN p_certificate c ON c.person_id = s.person_id
        WHERE s.counts AND s.paid_month = {facts.month}"""
    return (
        "concat_ws(' ', s.subsidy_kind, strftime(s.paid_month, '%Y-%m'))",
        {
            "item": "s.subsidy_kind", "paid_month": "s.paid_month", "payment_status": "s.status", "amount": "s.amount",
            "subsidy_paid": "coalesce(s.status = '成功', false)", "has_certificate": certificate,
        },
        source,
    )  # fmt: skip


def _officials(facts: Facts) -> tuple[str, dict[str, str], str]:
    on_dibao = "CASE WHEN s.person_id IS NOT NULL THEN coalesce(r.alive AND d.person_id IS NOT NULL, false) END"
    source = """std_officials s LEFT JOIN resident r ON r.person_id = s.person_id
        LEFT JOIN p_dibao d ON d.person_id = s.person_id WHERE s.counts"""
    return (
        "concat_ws(' ', s.official_name, s.kinship)",
        {
            "relative_on_dibao": on_dibao, "filed": f"coalesce(s.filed_date <= {facts.day}, false)",
            "official_name": "s.official_name", "kinship": "s.kinship",
        },
        source,
    )  # fmt: skip


def _reviews() -> tuple[str, dict[str, str], str]:
    # One record a row of a feed; a person's several alike rows are told apart by their number in row order of values.
    return (
        review_record("s"),
        {"feed": "s.feed", "undecided": "true", "candidates": "s.candidates", "person_id": "NULL", "name": "s.name",
         "household_key": "NULL", "household_id": "NULL", "township": "s.township", "village": "s.village"},
        "link_review s",
    )  # fmt: skip


def build_small_snapshots(facts: Facts, feeds: Mapping[str, Feed], pack: str) -> None:
    """Institutions, the 27 feeds with their freshness, and the pack that judges itself."""
    con = facts.con
    con.execute(f"""
        CREATE TABLE institution_snapshot AS SELECT {_typed(INSTITUTION)} FROM std_institutions WHERE counts
        ORDER BY institution, township, residents, carers""")
    listed = pl.DataFrame(
        [(f, feed.title, f in MATCHING_SET) for f, feed in sorted(feeds.items())],
        schema={"feed": pl.String, "title": pl.String, "matching_set": pl.Boolean},
        orient="row",
    )
    con.register("feed_list", listed)
    # Files of which every row is in quarantine came, and say nothing: what they should have said is as old as it was before.
    con.execute(f"""
        CREATE TABLE feed_snapshot AS SELECT {_typed(FEED)} FROM (
            SELECT l.*, coalesce(bool_or(p.delivered = {facts.period.year * 100 + facts.period.month}), false) AS has_file,
                max(p.delivered) FILTER (NOT silent) AS last_period
            FROM feed_list l LEFT JOIN (
                SELECT feed, delivered, sum(loaded + duplicate) = 0 AND sum(quarantined) > 0 AS silent FROM part GROUP BY ALL
            ) p USING (feed) GROUP BY ALL) ORDER BY feed""")
    con.execute(f"CREATE TABLE policy_snapshot AS SELECT {_typed(POLICY)} FROM (SELECT $1 AS pack)", [pack])
    con.unregister("feed_list")


def _typed(columns: Mapping[str, Column]) -> str:
    return ", ".join(f"CAST({c} AS {column.type}) AS {c}" for c, column in columns.items())
