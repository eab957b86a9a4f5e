"""The registers held against each other as sets: every intersection, and who stands in one and not in another.

In persons living in the county. A register that no department ever delivered is not compared: nobody is in it, and nobody
can be said to be missing from it (`undelivered` names it).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from monitoring.access import Scope
from monitoring.queries.coverage import listed
from monitoring.warehouse import Warehouse


@dataclass(frozen=True)
class Register:
    """One register: key, Chinese title, SQL over the person snapshot that says who stands in it, the feed it comes from."""

    key: str
    title: str
    member: str
    feed: str


REGISTERS = (
    Register("dibao", "低保", "on_dibao", "dibao"),
    Register("tekun", "特困", "on_tekun", "tekun"),
    Register("low_income", "低收入家庭", "on_low_income", "low_income"),
    Register("monitored", "监测户（风险未消除）", "at_risk_household", "monitored"),
    Register("disability", "持证残疾人", "has_certificate", "disability"),
    Register("children", "孤儿、事实无人抚养儿童", "orphan_or_unattended", "care_groups"),
)
BY_KEY = {register.key: register for register in REGISTERS}

# (in, not in) -> why it matters; RC 五（二） asks for the comparison of the first four, monthly.
WHY: dict[tuple[str, str], str] = {
    (
        "monitored",
        "dibao",
    ): "监测户不在低保：可能应保未保，核实收入和财产（荣昌通知五（二），民发〔2020〕18号二（一））。",
    ("monitored", "tekun"): "监测户不在特困：核实有没有无劳动能力、无生活来源、无法定赡养抚养人的成员。",
    ("monitored", "low_income"): "监测户不在低收入名单：核实是否应认定低保边缘或刚性支出困难。",
    ("dibao", "monitored"): "低保对象不在监测名单：核实农村低保户有没有返贫致贫风险；城镇对象属正常情形。",
    ("tekun", "monitored"): "特困人员不在监测名单：核对名单；城镇对象属正常情形。",
    ("low_income", "monitored"): "低收入家庭不在监测名单：核实有没有返贫致贫风险。",
    ("low_income", "dibao"): "低收入家庭不在低保：多数属正常情形，收入下降时及时核实。",
    ("dibao", "tekun"): "低保对象不在特困：核实有没有符合特困条件而只享受低保的人。",
    ("disability", "dibao"): "持证残疾人不在低保：重度残疾人核实是否应按单人户纳入。",
    ("disability", "tekun"): "持证残疾人不在特困：核实有没有无人照料、无生活来源的人。",
    ("children", "dibao"): "儿童不在低保：核实抚养家庭是否困难，津贴是否发放。",
    ("children", "tekun"): "儿童不在特困：津贴和特困只享受一项，核实已选其一。",
    ("dibao", "disability"): "低保对象没有残疾证：核实有没有应评残而未评残的人，残疾人两项补贴以持证为条件。",
    ("tekun", "disability"): "特困人员没有残疾证：核实失能人员是否应评残。",
}
OTHERWISE = "核对两册名单是否都应有此人；差异本身不说明应增应减。"


def undelivered(warehouse: Warehouse, scope: Scope) -> list[str]:
    """The registers whose feed has no file at all: not compared."""
    rows = warehouse.rows("select feed from feed_snapshot where last_period is not null")
    known = {row["feed"] for row in rows}
    return [register.key for register in REGISTERS if register.feed not in known]


def compared(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is an ordered pair of registers: first, second, both, only_first. Of a register with itself: its size."""
    found = intersections(warehouse, scope)
    rows = []
    for one in REGISTERS:
        for two in REGISTERS:
            mine = found.filter(pl.col("registers").list.contains(one.key))
            both = mine.filter(pl.col("registers").list.contains(two.key))["persons"].sum()
            rows.append(
                {"first": one.key, "second": two.key, "both": both, "only_first": int(mine["persons"].sum()) - both}
            )
    return pl.DataFrame(rows)


def intersections(warehouse: Warehouse, scope: Scope) -> pl.DataFrame:
    """One row is a combination of registers in which somebody stands, and in no other one: registers (keys), persons,
    households; the largest first. Each person living in any register is in exactly one combination."""
    places = scope.limit()
    flags = ", ".join(f"({one.member}) is true as {one.key}" for one in REGISTERS)
    names = ", ".join(f"case when {one.key} then '{one.key}' end" for one in REGISTERS)
    keys = ", ".join(one.key for one in REGISTERS)
    return warehouse.frame(
        f"""select list_filter([{names}], lambda k: k is not null) as registers, persons, households
            from (select {keys}, count(*) as persons, count(distinct household_key) as households
                  from (select household_key, {flags} from person_snapshot where alive{places.also})
                  where {" or ".join(one.key for one in REGISTERS)} group by {keys})
            order by persons desc, registers""",
        places.params,
    )


def intersection_list(
    warehouse: Warehouse, scope: Scope, keys: Sequence[str], unit: str, page: int = 1, size: int = 50
) -> tuple[pl.DataFrame, int]:
    """Who stands in exactly these registers (unit person), or the households of those (unit household): as `listed`."""
    condition = f"alive and {exactly(keys)}"
    if unit == "person":
        return listed(warehouse, scope, "person_snapshot", condition, page, size)
    # Of a person without a household snapshot (a household has one while a member lives) there is none to show.
    households = f"household_key in (select household_key from person_snapshot where {condition})"
    return listed(warehouse, scope, "household_snapshot", households, page, size)


def exactly(keys: Collection[str]) -> str:
    """SQL over the person snapshot: stands in these registers and in no other one."""
    return " and ".join(f"({one.member}) is {'' if one.key in keys else 'not '}true" for one in REGISTERS)


def difference(
    warehouse: Warehouse, scope: Scope, first: str, second: str, page: int = 1, size: int = 50
) -> tuple[pl.DataFrame, int]:
    """Who stands in the first register and not in the second (of one with itself: all of it): as `listed`."""
    one, two = BY_KEY[first].member, BY_KEY[second].member
    apart = "" if first == second else f" and ({two}) is not true"
    return listed(warehouse, scope, "person_snapshot", f"alive and ({one}){apart}", page, size)


def why(first: str, second: str) -> str:
    """Why it matters that somebody stands in the first register and not in the second (Chinese)."""
    return WHY.get((first, second), OTHERWISE)
