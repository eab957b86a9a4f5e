"""Person facts from the lists: who is on dibao, tekun, the low-income list, in care groups, dead and still listed.

Writes temporary tables keyed by person_id: p_dibao, p_tekun, p_low_income, p_care, p_after_death, and dibao_active (one
row an active dibao row of a living person) that household facts build on.
"""

from __future__ import annotations

from monitoring.facts import households
from monitoring.facts.frame import Facts

ORPHANS = "('孤儿', '事实无人抚养儿童')"
LEFT_BEHIND = "('留守儿童', '留守妇女', '留守老人')"


def build_lists(facts: Facts) -> None:
    """Creates the tables; a list without any file in the home counts as none (contract: Words)."""
    con = facts.con
    con.execute(f"CREATE OR REPLACE TEMP TABLE dibao_active AS {households.dibao_active(facts)}")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE p_dibao AS
        SELECT person_id, count(DISTINCT certificate)::INT AS dibao_certificates,
            string_agg(DISTINCT certificate, '、' ORDER BY certificate) AS certificate_numbers
        FROM dibao_active GROUP BY person_id""")
    # Where a person stands twice, the later start, then the fuller row, then the greater text speaks.
    columns = (
        "support_form", "self_care", "lives_alone", "wants_institution", "carer", "home_safety", "basic_amount",
        "start_date",
    )  # fmt: skip
    full = " + ".join(f"({c} IS NOT NULL)::INT" for c in columns)
    order = f"start_date DESC NULLS LAST, {full} DESC, " + ", ".join(f"{c} DESC NULLS LAST" for c in columns)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE p_tekun AS
        SELECT person_id, support_form, self_care, lives_alone, wants_institution, carer IS NULL AS carer_missing,
            coalesce(home_safety, false) AS home_safety, basic_amount
        FROM (SELECT *, row_number() OVER (PARTITION BY person_id ORDER BY {order}) AS place
              FROM std_tekun WHERE counts AND person_id IS NOT NULL AND {facts.active()}) WHERE place = 1""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE p_low_income AS
        SELECT person_id, bool_or(category = '刚性支出困难家庭') AS rigid FROM std_low_income
        WHERE counts AND person_id IS NOT NULL AND {facts.active("recognised_date")} GROUP BY person_id""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE p_care AS
        SELECT person_id, bool_or(category IN {ORPHANS}) AS orphan_or_unattended,
            coalesce(max(allowance) FILTER (category IN {ORPHANS}), 0) = 0 AS allowance_missing,
            bool_or(category IN {ORPHANS} OR category = '留守儿童') FILTER (guardian IS NULL) AS child_without_guardian,
            bool_or(category = '易流浪走失人员' AND placement IS NULL AND guardian IS NULL) AS wanderer_alone,
            bool_or(category IN {ORPHANS} OR category IN {LEFT_BEHIND}) AS care_group,
            string_agg(DISTINCT category, '、' ORDER BY category) AS care_categories
        FROM std_care_groups WHERE counts AND person_id IS NOT NULL AND {facts.active()} GROUP BY person_id""")
    _after_death(facts)


def _after_death(facts: Facts) -> None:
    """Dead persons who still stand in a list, or were paid for a month after the month of death."""
    listed = " UNION ALL ".join(
        f"SELECT person_id, '{title}' AS list FROM std_{feed} WHERE counts AND {facts.active()}"
        for feed, title in (("dibao", "低保"), ("tekun", "特困"), ("care_groups", "特殊群体"))
    )
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE p_listed_dead AS
        SELECT person_id, string_agg(DISTINCT list, '、' ORDER BY list) AS listed_in
        FROM ({listed}) JOIN death USING (person_id) GROUP BY person_id""")
    paid = """
        SELECT person_id, paid_month, item FROM std_payments WHERE counts AND status = '成功'
            AND NOT (item LIKE '%丧葬%' OR item LIKE '%抚恤%' OR item LIKE '%补发%')
        UNION ALL SELECT person_id, paid_month, subsidy_kind FROM std_disability_subsidy WHERE counts AND status = '成功'"""
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE p_paid_dead AS
        SELECT person_id, string_agg(DISTINCT strftime(paid_month, '%Y-%m') || ' ' || item, '、'
            ORDER BY strftime(paid_month, '%Y-%m') || ' ' || item) AS paid_after_months
        FROM ({paid}) JOIN death d USING (person_id)
        WHERE paid_month > date_trunc('month', d.death_date) AND {facts.within("paid_month", 12)} GROUP BY person_id""")
