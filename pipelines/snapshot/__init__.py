"""Snapshot: persons and households as of the period, one row each, with every word of the contract as a column.

Reads the std tables, `resident`, `household`, `membership`; writes `household_snapshot`, `person_snapshot`,
`record_snapshot`, `institution_snapshot`, `feed_snapshot`, `policy_snapshot` (columns: `monitoring.tables`).
Facts are computed here; what they mean is judged by the rules.
"""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.facts.frame import Facts
from monitoring.feeds import Feed
from pipelines.abreast import checkpointing
from pipelines.snapshot.household_events import build_household_records
from pipelines.snapshot.household_income import build_income, build_medical, build_monitored
from pipelines.snapshot.households import build_household_snapshot
from pipelines.snapshot.lists import build_lists
from pipelines.snapshot.persons import build_person_own, build_person_snapshot
from pipelines.snapshot.records import build_records, build_small_snapshots
from pipelines.snapshot.records_of_persons import build_person_records

__all__ = ["Facts", "take_snapshot"]


def take_snapshot(facts: Facts, feeds: Mapping[str, Feed], pack: str) -> None:
    """Does the whole step on the run's connection."""
    facts.con.execute("""
        CREATE OR REPLACE TEMP TABLE registry_home AS
        WITH several AS (SELECT person_id FROM std_registry WHERE person_id IS NOT NULL GROUP BY person_id HAVING count(*) > 1)
        SELECT person_id, count(DISTINCT household_number)::INT AS households,
            string_agg(DISTINCT household_number, '、' ORDER BY household_number) AS household_numbers
        FROM std_registry s JOIN resident r USING (person_id) SEMI JOIN several USING (person_id)
        WHERE r.number IS NOT NULL GROUP BY person_id""")
    build_lists(facts)
    build_person_records(facts)
    with checkpointing(facts.con):  # these make temporary tables only
        build_monitored(facts)
        build_person_own(facts)
        build_income(facts)
        build_medical(facts)
        build_household_records(facts)
    build_household_snapshot(facts)
    build_person_snapshot(facts)
    build_records(facts)
    build_small_snapshots(facts, feeds, pack)
