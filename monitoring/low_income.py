"""The low-income population and its six categories (国办发〔2023〕39号): the one definition, for the run, the pages and the reports.

Tekun and dibao are a person's. Dibao-edge and rigid expenditure are a family's (家庭成员): one member's row in the ledger that is
in force makes all living members of the registry's household members of it. Monitored is the at-risk household. **Other** is
who is recognised as 其他低收入家庭 (the family, likewise), and who lives in a low-income household as the contract has the word
(income below the pack's ceiling) and stands in none of the five: the latter nobody has recognised, which is told beside it.

Two counts are made, and words keep them apart: a person's **main** category is the first that holds, so that the six add up to
the population; **listed** counts everybody who stands in a category, so that who stands in two is counted in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Category:
    """Its key, its short name on pages (Chinese, English), its official title, and the ledger without which it is unknown."""

    key: str
    zh: str
    en: str
    title: str
    ledger: str


# The order is that of the main category.
CATEGORIES: dict[str, Category] = {
    one.key: one
    for one in (
        Category("tekun", "特困供养", "Tekun", "特困人员", "tekun"),
        Category("dibao", "低保", "Dibao", "最低生活保障对象", "dibao"),
        Category("edge", "低保边缘", "Dibao-edge", "最低生活保障边缘家庭成员", "low_income"),
        Category("rigid", "刚性支出困难", "Rigid expenditure", "刚性支出困难家庭成员", "low_income"),
        Category("monitored", "防止返贫监测对象", "Monitored against return to poverty", "防止返贫监测对象", "monitored"),
        Category("other", "其他困难人员", "Others in difficulty", "其他困难人员", "low_income"),
    )
}  # fmt: skip
_FAMILIES = {"edge": "低保边缘家庭", "rigid": "刚性支出困难家庭", "recognised": "其他低收入家庭"}


def standing_sql(as_of: date) -> str:
    """A SELECT, one row a living person of the population: person_id, household_key, township, village, category (the main
    one), a flag for every category, and by_income (only the income says so: nobody has recognised the family)."""
    day = f"DATE '{as_of.isoformat()}'"
    main = " ".join(f"WHEN {name} THEN '{name}'" for name in CATEGORIES)
    listed = ", ".join(f"bool_or(category = '{title}') AS {name}" for name, title in _FAMILIES.items())
    families = ", ".join(f"coalesce(l.{name}, false) AS {name}" for name in _FAMILIES)
    return f"""
        WITH listed AS (
            SELECT household_key, {listed} FROM std_low_income JOIN resident r USING (person_id)
            WHERE counts AND r.alive AND (recognised_date IS NULL OR recognised_date <= {day}) AND (end_date IS NULL OR end_date > {day})
            GROUP BY household_key
        ), flagged AS (
            SELECT p.person_id, p.household_key, p.township, p.village, coalesce(p.on_tekun, false) AS tekun,
                coalesce(p.on_dibao, false) AS dibao, {families}, coalesce(p.at_risk_household, false) AS monitored,
                coalesce(p.low_income_household, false) AS low
            FROM person_snapshot p LEFT JOIN listed l USING (household_key) WHERE p.alive
        ), told AS (
            SELECT *, low AND NOT (tekun OR dibao OR edge OR rigid OR monitored OR recognised) AS by_income,
                recognised OR by_income AS other
            FROM flagged
        )
        SELECT person_id, household_key, township, village, CASE {main} END AS category, {", ".join(CATEGORIES)}, by_income
        FROM told WHERE {" OR ".join(CATEGORIES)} ORDER BY person_id"""
