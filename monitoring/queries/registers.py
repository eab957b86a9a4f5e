"""The registers held against each other: who stands in one and not in another, in persons living in the county."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from monitoring.access import Scope
from monitoring.queries.coverage import listed
from monitoring.warehouse import Warehouse


@dataclass(frozen=True)
class Register:
    """One register: key, Chinese title, and SQL over the person snapshot that says who stands in it."""

    key: str
    title: str
    member: str


REGISTERS = (
    Register("dibao", "低保", "on_dibao"),
    Register("tekun", "特困", "on_tekun"),
    Register("low_income", "低收入家庭", "on_low_income"),
    Register("monitored", "监测户（风险未消除）", "at_risk_household"),
    Register("disability", "持证残疾人", "has_certificate"),
)
BY_KEY = {register.key: register for register in REGISTERS}


def compared(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is an ordered pair of registers: first, second, both, only_first. Of a register with itself: its size."""
    places = scope.limit()
    pieces = [
        f"""count(*) filter (({one.member}) and ({two.member})) as "both|{one.key}|{two.key}",
            count(*) filter (({one.member}) and ({two.member}) is not true) as "only|{one.key}|{two.key}" """
        for one in REGISTERS
        for two in REGISTERS
    ]
    row = warehouse.row(f"select {', '.join(pieces)} from person_snapshot where alive{places.also}", places.params)
    return pl.DataFrame(
        [
            {
                "first": one.key,
                "second": two.key,
                "both": row[f"both|{one.key}|{two.key}"],
                "only_first": row[f"only|{one.key}|{two.key}"],
            }
            for one in REGISTERS
            for two in REGISTERS
        ]
    )


def difference(
    warehouse: Warehouse, scope: Scope, first: str, second: str, page: int = 1, size: int = 50
) -> tuple[pl.DataFrame, int]:
    """Who stands in the first register and not in the second: as `coverage.listed`."""
    one, two = BY_KEY[first].member, BY_KEY[second].member
    condition = f"alive and ({one}) and ({two}) is not true"
    return listed(warehouse, scope, "person_snapshot", condition, page, size)
