"""How a household's income was assessed: from gross to what is judged, item by item, with the standard beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from monitoring.access import Scope
from monitoring.labels import FROM_CHECK
from monitoring.queries.verdicts import parameters_in_force
from monitoring.warehouse import Warehouse

EARNED = ("wage", "business_income", "property_income", "transfer_income")
RIGID = ("medical_cost", "education_cost", "rehabilitation_cost")
ITEMS = (*EARNED, "basic_pension", "employment_cost", *RIGID)


@dataclass(frozen=True)
class Step:
    """One item of the check: its column, yuan a year for the household (None: blank in the check), and yuan a month and
    head with its sign. An item that the pack leaves out has `counted` false and moves nothing."""

    column: str
    year: Decimal | None
    month: float
    counted: bool


@dataclass(frozen=True)
class Income:
    """`income_pc` yuan a month and head (None: unknown) with its source; `steps` only where it comes from a check.

    `floored`: deductions exceed the income, which counts as 0. `blank` are items that were blank and counted as 0.
    """

    source: str | None
    checked: date | None
    size: int
    income_pc: Decimal | None
    standard: Decimal
    blank: str | None
    financial_assets: Decimal | None
    steps: tuple[Step, ...]
    floored: bool

    @property
    def below(self) -> Decimal | None:
        """Standard minus income: above 0 where the household lies below the line."""
        return None if self.income_pc is None else self.standard - self.income_pc


def income(warehouse: Warehouse, scope: Scope, household_key: int) -> Income | None:
    """None where the household has no living member, or is outside the scope."""
    where = scope.limit()
    row = warehouse.row(
        f"""select income_source, income_check_date, size, income_pc, standard, income_blank_items, financial_assets,
                   {", ".join(ITEMS)}
            from household_snapshot where household_key = $key{where.also}""",
        {"key": household_key, **where.params},
    )
    if not row:
        return None
    steps = _steps(row, _counted(warehouse)) if row["income_source"] == FROM_CHECK else ()
    return Income(
        source=row["income_source"],
        checked=row["income_check_date"],
        size=row["size"],
        income_pc=row["income_pc"],
        standard=row["standard"],
        blank=row["income_blank_items"],
        financial_assets=row["financial_assets"],
        steps=steps,
        floored=bool(steps) and sum(step.month for step in steps if step.counted) < 0,
    )


def _counted(warehouse: Warehouse) -> dict[str, bool]:
    """Which items the pack counts: the basic pension and the deductions are its choice."""
    parameters = parameters_in_force(warehouse)

    def on(name: str) -> bool:
        found = parameters.get(name)
        return found is not None and (found.value or "").lower() in ("true", "是")

    return {
        "basic_pension": not on("income_exclude_basic_pension"),
        "employment_cost": on("income_deduct_employment_cost"),
        **dict.fromkeys(RIGID, on("income_deduct_rigid")),
    }


def _steps(row: dict[str, object], counted: dict[str, bool]) -> tuple[Step, ...]:
    size = int(str(row["size"]))
    steps = []
    for column in ITEMS:
        year = row[column]
        sign = 1 if column in (*EARNED, "basic_pension") else -1
        month = sign * float(str(year or 0)) / 12 / size
        steps.append(Step(column, None if year is None else Decimal(str(year)), month, counted.get(column, True)))
    return tuple(steps)
