"""The parameters of the five packs, copied by hand from the table in `rules.md`. None means off (or "no ceiling")."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

Dated = list[tuple[dt.date | None, dt.date | None, Any]]

PARENT: dict[str, str | None] = {
    "national-2020": None,
    "rongchang-2018": "national-2020",
    "mangshi-2021": "national-2020",
    "caojie-2024": "national-2020",
    "demo": "caojie-2024",
}


def always(value: Any) -> Dated:
    return [(None, None, value)]


NATIONAL: dict[str, Dated] = {
    "dibao.standard_rural": always(500),
    "dibao.standard_urban": always(700),
    "dibao.exit_ceiling": always(None),
    "dibao.exit_months": always(6),
    "dibao.exit_after_employment": always(False),
    "dibao.exit_needs_employment": always(False),
    "dibao.single_scope": always("未脱贫户"),
    "disability.severe_extra_grades": always(()),
    "illness.needs_medical_aid": always(False),
    "income.deduct_employment_cost": always(True),
    "income.deduct_rigid": always(False),
    "income.exclude_basic_pension": always(False),
    "tekun.minor_age": always(16),
    "tekun.standard_ratio": always(Fraction(13, 10)),
    "tekun.residents_per_carer": always(10),
    "low_income.ceiling": always(Fraction(3, 2)),
    "rigid.share": always(Fraction(6, 10)),
    "monitor.line": always(6000),
    "risk.income_drop": always(Fraction(3, 10)),
    "risk.medical_self_paid": always(10000),
    "risk.medical_left": always(3),
    "poverty.line": always(4000),
    "dibao.urban_rural_ratio": always(Fraction(8, 10)),
    "aid.emergency_working_days": always(None),
    "aid.supplement_working_days": always(10),
    "aid.follow_up_days": always(30),
    "property.vehicle_types": always(("汽车",)),
    "property.recent_home_years": always(None),
    "property.max_homes": always(1),
    "review.months": always({"A": 12, "B": 6, "C": 3}),
    "visit.days": always({"tekun": 30, "care": 90, "monitored": 90}),
}

OWN: dict[str, dict[str, Dated]] = {
    "national-2020": NATIONAL,
    "rongchang-2018": {
        "dibao.standard_rural": always(480),
        "dibao.standard_urban": always(600),
        "dibao.exit_ceiling": always(2),
        "disability.severe_extra_grades": always((3,)),
        "illness.needs_medical_aid": always(True),
        "income.deduct_rigid": always(True),
    },
    "mangshi-2021": {
        "dibao.standard_rural": always(420),
        "dibao.standard_urban": always(640),
        "dibao.exit_months": always(12),
        "dibao.exit_after_employment": always(True),
        "dibao.exit_needs_employment": always(True),
        "dibao.single_scope": always("low-income"),
        "disability.severe_extra_grades": always((3, 4)),
        "income.deduct_rigid": always(True),
        "income.exclude_basic_pension": [(dt.date(2021, 1, 1), dt.date(2025, 12, 31), True)],
        "tekun.minor_age": always(18),
    },
    "caojie-2024": {
        "dibao.standard_rural": always(600),
        "dibao.standard_urban": always(740),
        "dibao.exit_ceiling": always(Fraction(3, 2)),
        "dibao.exit_after_employment": always(True),
        "dibao.single_scope": always("low-income"),
        "disability.severe_extra_grades": always((3,)),
        "income.deduct_rigid": always(True),
        "tekun.minor_age": always(18),
        "monitor.line": always(8000),
        "aid.emergency_working_days": always(3),
        "property.vehicle_types": always(("汽车", "摩托车")),
        "property.recent_home_years": always(3),
    },
    "demo": {
        "dibao.standard_rural": [(None, dt.date(2026, 3, 31), 612), (dt.date(2026, 4, 1), None, 650)],
        "dibao.standard_urban": [(None, dt.date(2026, 3, 31), 749), (dt.date(2026, 4, 1), None, 800)],
        "monitor.line": always(8800),
    },
}


def in_force(pack: str, name: str, day: dt.date) -> Any:
    """The pack's value that holds on the day; outside its dates the extended pack's value holds."""
    at: str | None = pack
    while at is not None:
        for start, end, value in OWN[at].get(name, []):
            if (start is None or start <= day) and (end is None or day <= end):
                return value
        at = PARENT[at]
    raise KeyError(f"{pack} has no {name} on {day}")


def parameters(pack: str, day: dt.date) -> dict[str, Any]:
    return {name: in_force(pack, name, day) for name in NATIONAL}
