"""What a scheme pays a month, by the pack in force: the difference method, a multiple of the standard, a fixed rate.

The year's figure is the authority: sums first, and one rounding at the end. Divided by heads, rounded and multiplied back,
a family of three with 12,000 yuan a year would be found to have 999.999999 yuan a month, and be paid a yuan too much.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

from monitoring.entitlement.schemes import Amount
from monitoring.parameters import placeholder
from monitoring.queries.conditions import Parameter
from monitoring.queries.income import EARNED, Income

CENT = Decimal("0.01")
MONTHS = 12


def family_year(assessed: Income | None, row: Mapping[str, Any]) -> Decimal | None:
    """The family's assessed income in a year, not below 0: of the check its items as the pack counts them, else what the
    list says per head. None where it is unknown."""
    if assessed is None or assessed.income_pc is None:
        return None
    if assessed.steps:
        counted = (step for step in assessed.steps if step.counted and step.year is not None)
        earned = (*EARNED, "basic_pension")
        total = sum((step.year if step.column in earned else -step.year for step in counted if step.year), Decimal(0))
        return max(total, Decimal(0))
    if row.get("net_income_per_head_year") is not None:
        return max(Decimal(row["net_income_per_head_year"]) * assessed.size, Decimal(0))
    return assessed.income_pc * MONTHS * assessed.size


def difference(standard: Decimal, persons: int, year: Decimal) -> Decimal:
    """Whole yuan a month: standard x persons - income of the month, not below 0, a started yuan counts as one."""
    short = max(standard * persons * MONTHS - year, Decimal(0))
    whole, rest = divmod(short, MONTHS)
    return whole + (1 if rest else 0)


def rate(
    amount: Amount, row: Mapping[str, Any], parameters: Mapping[str, Parameter]
) -> tuple[Decimal | None, Decimal | None]:
    """Yuan a month by the pack's parameters, and the care amount beside it; None for what the pack does not hold."""
    value = _parameter(_name(amount, row), parameters)
    if amount.kind == "ratio" and value is not None:
        value = (value * Decimal(row["standard"])).quantize(CENT, ROUND_CEILING)
    care = _parameter((amount.care or {}).get(_key(row.get(amount.care_by)), ""), parameters)
    return value, care


def _name(amount: Amount, row: Mapping[str, Any]) -> str:
    if amount.choices is not None:
        return amount.choices.get(_key(row.get(amount.by)), "")
    return amount.urban if amount.urban and row.get("urban") else amount.parameter


def _key(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parameter(name: str, parameters: Mapping[str, Parameter]) -> Decimal | None:
    found = parameters.get(placeholder(name))
    if found is None or found.value is None:
        return None
    try:
        return Decimal(found.value)
    except ArithmeticError:  # off, or none
        return None
