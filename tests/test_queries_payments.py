"""Payments on a household's line: months in a row that paid the same are one stretch, and no payment is lost in it."""

from __future__ import annotations

from pathlib import Path

from monitoring.access import Scope
from monitoring.queries import household
from monitoring.warehouse import Warehouse, publication


def test_stretches_hold_every_payment_and_every_gap_or_change_begins_another(published_home: Path) -> None:
    warehouse = Warehouse(publication(published_home).run_of(None).path)
    keys = warehouse.rows(
        """select household_key as key from person_snapshot join std_payments p using (person_id) where p.counts
           group by 1 order by count(distinct p.status) desc, count(*) desc, 1 limit 6"""
    )
    folded = 0
    for row in keys:
        single = household.payments(warehouse, Scope(), row["key"])
        stretches = household.payment_stretches(warehouse, Scope(), row["key"])
        assert stretches["payments"].sum() == single.height
        for one in stretches.to_dicts():
            first, last = one["first_month"], one["last_month"]
            months = (last.year - first.year) * 12 + last.month - first.month + 1
            assert months <= one["payments"], "a month without this payment lies within the stretch"
        assert set(stretches["status"]) == set(single["status"])
        folded += single.height - stretches.height
    assert folded > 0
    warehouse.close()
