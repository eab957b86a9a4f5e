"""Household facts on money: the income check that counts, what the monitoring list says, medical and rigid expenditure.

Writes temporary tables keyed by household_key: h_check, h_check_before, h_monitored, h_medical; and p_monitored.
"""

from __future__ import annotations

from monitoring.facts import households
from monitoring.facts.frame import Facts

INCOME_ITEMS = {
    "wage": "工资性收入", "business_income": "经营净收入", "property_income": "财产净收入",
    "transfer_income": "转移净收入", "basic_pension": "基础养老金",
}  # fmt: skip
DEDUCTED = {
    "employment_cost": "必要就业成本",
    "medical_self_paid": "医疗自付支出",
    "education_cost": "教育支出",
    "rehabilitation_cost": "残疾康复支出",
}
AT_RISK = "('未脱贫户', '脱贫不稳定户', '边缘易致贫户', '突发严重困难户')"


def build_income(facts: Facts) -> None:
    """The latest check (several on one date: the head's, then the higher) and the one before it."""
    total = " + ".join(f"coalesce({c}, 0)" for c in INCOME_ITEMS)
    given = " OR ".join(f"{c} IS NOT NULL" for c in INCOME_ITEMS)
    items = ", ".join((*INCOME_ITEMS, *DEDUCTED, "financial_assets"))
    blank = ", ".join(f"CASE WHEN {c} IS NULL THEN '{zh}' END" for c, zh in {**INCOME_ITEMS, **DEDUCTED}.items())
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE checks AS
        SELECT m.household_key, s.checked_date, {items}, {total} AS income_total, nullif(concat_ws('、', {blank}), '') AS blank_items,
            s.delivered, s.part, s.row
        FROM std_income s JOIN membership m USING (person_id)
        WHERE s.counts AND ({given}) AND s.checked_date <= {facts.day}
            AND s.checked_date + INTERVAL 24 MONTH >= {facts.day}
        QUALIFY row_number() OVER (PARTITION BY m.household_key, s.checked_date
            ORDER BY m.is_head DESC, income_total DESC, {", ".join(f"{c} DESC NULLS LAST" for c in (*INCOME_ITEMS, *DEDUCTED, "financial_assets"))}) = 1""")
    facts.con.execute("""
        CREATE OR REPLACE TEMP TABLE h_check AS
        SELECT * FROM checks QUALIFY row_number() OVER (PARTITION BY household_key ORDER BY checked_date DESC) = 1""")
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE h_check_before AS
        SELECT c.household_key, c.income_total, c.checked_date FROM checks c JOIN h_check l USING (household_key)
        WHERE c.checked_date < l.checked_date AND c.checked_date > {facts.day} - INTERVAL 24 MONTH
        QUALIFY row_number() OVER (PARTITION BY c.household_key ORDER BY c.checked_date DESC) = 1""")


def build_monitored(facts: Facts) -> None:
    """Household facts of the monitoring list: of the rows of the latest 识别日期 the first that is not blank, the head's first."""
    columns = (
        "household_kind", "net_income_per_head_year", "allowed_self_paid", "dwelling_safe", "water_safe", "responsible",
        "measures",
    )  # fmt: skip
    facts.con.execute(f"CREATE OR REPLACE TEMP TABLE monitored_row AS {households.monitored_rows(facts)}")
    order = "(NOT is_head, coalesce(relation <> '户主', true), coalesce(number, '~'), coalesce(name, '~'), {c})"
    first = ", ".join(
        f"arg_min({c}, {order.format(c=c)}) FILTER ({c} IS NOT NULL) AS {c}"
        for c in (*columns, "risk_removed", "risk_removed_date")
    )
    first = first.replace(
        f"arg_min(net_income_per_head_year, {order.format(c='net_income_per_head_year')}) FILTER (net_income_per_head_year IS NOT NULL)",
        "min(net_income_per_head_year)",
    )
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE h_monitored AS
        SELECT household_key, max(identified_date) AS identified_date, {first}, any_value(visited) AS visited_date
        FROM (SELECT *, rank() OVER (PARTITION BY household_key ORDER BY identified_date DESC NULLS LAST) AS age,
                max(visited_date) OVER (PARTITION BY household_key) AS visited FROM monitored_row)
        WHERE age = 1 GROUP BY household_key""")
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE p_monitored AS
        SELECT person_id, bool_or(dropped_out) AS dropped_out
        FROM (SELECT *, rank() OVER (PARTITION BY person_id ORDER BY identified_date DESC NULLS LAST) AS age FROM std_monitored
              WHERE counts AND person_id IS NOT NULL AND {facts.begun("identified_date")})
        WHERE age = 1 GROUP BY person_id""")


def build_medical(facts: Facts) -> None:
    """Self-paid medical cost of a household in 12 months: members, and those who died in the window."""
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE h_medical AS
        SELECT m.household_key, sum(o.self_paid)::DECIMAL(14,2) AS self_paid
        FROM membership m JOIN person_own o USING (person_id)
        WHERE o.self_paid_rows > 0 AND (m.alive OR {facts.within("o.death_date", 12)}) GROUP BY m.household_key""")
