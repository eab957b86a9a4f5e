"""`household_snapshot`: one row a household with a living member, every word of the contract as a column."""

from __future__ import annotations

from monitoring.facts import households
from monitoring.facts.frame import Facts
from monitoring.tables import HOUSEHOLD
from pipelines.snapshot.household_income import AT_RISK


def build_household_snapshot(facts: Facts) -> None:
    """Joins the household facts and derives income, rigid expenditure, the kinds of household, and what they own."""
    con = facts.con
    con.execute("""
        CREATE OR REPLACE TEMP TABLE h_members AS
        SELECT m.household_key, count(*) FILTER (m.alive)::INT AS size,
            bool_or(o.on_dibao) AS any_dibao, bool_or(o.on_tekun) AS any_tekun,
            bool_and(o.on_tekun) FILTER (m.alive) AS all_tekun, bool_or(o.on_low_income) AS any_low_income, bool_or(o.on_rigid) AS any_rigid,
            CASE WHEN bool_or(m.alive AND NOT o.no_labour) THEN true WHEN bool_or(m.alive AND o.no_labour IS NULL) THEN NULL
                ELSE false END AS any_labour,
            CASE WHEN bool_or(m.alive AND o.severe) THEN true WHEN bool_or(m.alive AND o.severe IS NULL) THEN NULL
                ELSE false END AS severe_member,
            CASE WHEN bool_or(m.alive AND o.age BETWEEN 6 AND 15 AND o.dropped_out AND NOT o.studying) THEN true
                WHEN bool_or(m.alive AND (o.age BETWEEN 6 AND 15 AND o.dropped_out AND NOT o.studying) IS NULL) THEN NULL
                ELSE false END AS dropout_child,
            arg_min(m.residence_kind, m.person_id) FILTER (m.alive AND m.is_head AND m.residence_kind IS NOT NULL) AS head_residence,
            bool_or(m.residence_kind = '城镇') FILTER (m.alive) AS any_urban,
            bool_or(m.residence_kind = '城镇') FILTER (NOT m.alive) AS dead_urban,
            bool_or(coalesce(w.newly_insured, false) AND m.alive) AS newly_insured
        FROM membership m JOIN person_own o USING (person_id) LEFT JOIN p_insured_work w USING (person_id)
        GROUP BY m.household_key HAVING count(*) FILTER (m.alive) > 0""")
    con.execute(f"CREATE OR REPLACE TEMP TABLE h_words AS SELECT {_words(facts)} {_joins()}")
    con.execute(f"CREATE TABLE household_snapshot AS SELECT {_columns(facts)} FROM h_words ORDER BY household_key")


def _joins() -> str:
    keyed = (
        "h_check c", "h_check_before b", "h_monitored w", "h_medical md", "h_titles ti", "h_vehicles ve", "h_business bu",
        "h_housing ho", "h_disaster di", "h_death de", "h_shock sh", "h_transition tr", "h_aid ai", "h_dibao d",
        "h_dibao_ended en", "h_death_recheck dr", "h_family fa", "h_request rq", "h_visit v",
    )  # fmt: skip
    joins = " ".join(f"LEFT JOIN {t} USING (household_key)" for t in keyed)
    return f"FROM household h JOIN h_members hm USING (household_key) {joins} CROSS JOIN aid_county co"


def _words(facts: Facts) -> str:
    """The first layer: what later columns are computed from."""
    assessed = households.assessed(facts, "c")
    urban = "coalesce(hm.head_residence = '城镇', hm.any_urban, hm.dead_urban, d.urban_dibao, false)"
    standard = households.standard(facts, urban)
    medical = f"""coalesce(md.self_paid, c.medical_self_paid, w.allowed_self_paid, {"0" if "medical" in facts.loaded else "NULL"})"""
    kind, removed = (
        "w.household_kind",
        f"coalesce(w.risk_removed AND NOT coalesce(w.risk_removed_date > {facts.day}, false), false)",
    )
    columns = {
        "household_key": "h.household_key", "household_id": "h.household_id", "township": "h.township", "village": "h.village",
        "head_person_id": "h.head_person_id", "registered": "h.registered", "urban": urban,
        "standard": f"CAST({standard} AS DECIMAL(14,2))",
        "income_pc": f"""CASE WHEN c.household_key IS NOT NULL THEN {households.income_of_check(assessed, "hm.size")}
            WHEN w.net_income_per_head_year IS NOT NULL THEN greatest(0, CAST(w.net_income_per_head_year / 12.0 AS DECIMAL(18,6)))
            WHEN d.income_per_head_month IS NOT NULL THEN greatest(0, CAST(d.income_per_head_month AS DECIMAL(18,6))) END""",
        "line_income_exact": f"""coalesce(w.net_income_per_head_year, CASE WHEN c.household_key IS NOT NULL
            THEN {households.line_income_of_check(assessed, "hm.size")} ELSE d.income_per_head_month * 12 END)""",
        "income_source": """CASE WHEN c.household_key IS NOT NULL THEN '核对' WHEN w.net_income_per_head_year IS NOT NULL THEN '监测'
            WHEN d.income_per_head_month IS NOT NULL THEN '低保台账' END""",
        "income_year": "CAST(coalesce(c.income_total, w.net_income_per_head_year * hm.size) AS DECIMAL(14,2))",
        "medical_12m": f"CAST({medical} AS DECIMAL(14,2))",
        "homes": """coalesce(ti.titles, 0) + CASE WHEN ho.household_key IS NOT NULL AND NOT coalesce(ti.own_or_resettled, false)
            THEN 1 ELSE 0 END""",
        "barred_vehicles": "coalesce(ve.barred_vehicles, 0)", "businesses": "coalesce(bu.businesses, 0)",
        "recent_home": "coalesce(ti.recent_home, false)", "recent_home_date": "ti.recent_home_date",
        "monitored": "w.household_key IS NOT NULL", "monitored_kind": kind, "unescaped": f"coalesce({kind} = '未脱贫户', false)",
        "risk_removed": removed, "at_risk": f"coalesce({kind} IN {AT_RISK} AND NOT {removed}, false)",
        "listed_as_poor": households.listed_as_poor(kind, removed),
        "whole_household_dibao": "coalesce(d.whole_household_dibao, false)", "wage": "c.wage", "business_income": "c.business_income",
        "property_income": "c.property_income", "transfer_income": "c.transfer_income", "basic_pension": "c.basic_pension",
        "employment_cost": "c.employment_cost", "medical_cost": "c.medical_self_paid", "education_cost": "c.education_cost",
        "rehabilitation_cost": "c.rehabilitation_cost", "financial_assets": "c.financial_assets", "income_check_date": "c.checked_date",
        "income_blank_items": "c.blank_items", "income_latest": "CASE WHEN c.checked_date > {day} - INTERVAL 24 MONTH THEN c.income_total END",
        "income_before": "b.income_total", "income_before_date": "b.checked_date",
        "net_income_per_head_year": "w.net_income_per_head_year", "identified_date": "w.identified_date",
        "measures": "w.measures", "responsible": "w.responsible",
        "measures_missing": "w.household_key IS NOT NULL AND (w.measures IS NULL OR w.responsible IS NULL)",
        "dwelling_unsafe": """CASE WHEN ho.household_key IS NULL THEN false ELSE ho.dwelling_c_d END
            OR CASE WHEN w.household_key IS NULL THEN false ELSE NOT w.dwelling_safe END""", "dwelling_grade": "ho.dwelling_grade",
        "dwelling_c_d": "ho.dwelling_c_d", "housed": "ho.household_key IS NOT NULL", "renovation": "ho.renovation",
        "water_unsafe": """CASE WHEN ho.household_key IS NULL THEN false ELSE ho.water_unsafe END
            OR CASE WHEN w.household_key IS NULL THEN false ELSE NOT w.water_safe END""",
        "earner_died": "CASE WHEN de.household_key IS NULL THEN false ELSE de.earner_died END",
        "earner_death_date": "de.earner_death_date",
        "dwelling_destroyed_12m": "CASE WHEN di.household_key IS NULL THEN false ELSE di.dwelling_destroyed_12m END",
        "disaster_loss_12m": "CASE WHEN di.household_key IS NULL THEN 0 ELSE di.disaster_loss_12m END",
        "loss_blank": "coalesce(di.loss_blank, false)",
        "shock_without_aid": "CASE WHEN sh.household_key IS NULL THEN false ELSE sh.shock_without_aid END", "shock_date": "sh.shock_date",
        "transition_without_aid": "CASE WHEN tr.household_key IS NULL THEN false ELSE tr.transition_without_aid END",
        "transition_end_date": "tr.transition_end_date",
        "aid_since_identified": """CASE WHEN ai.last_paid >= w.identified_date THEN true
            WHEN co.last_paid >= w.identified_date THEN false END""",
        "dibao_ended": "en.household_key IS NOT NULL", "dibao_ended_days": "{day} - en.end_date",
        "refused_12m": "coalesce(rq.refused_12m, false)", "open_request": "coalesce(rq.open_request, false)",
        "gradual_exit_started": "d.gradual_exit_date IS NOT NULL", "gradual_exit_date": "d.gradual_exit_date",
        "gradual_exit_over": households.gradual_exit_over(facts, "d.gradual_exit_date"),
        "rise_from_work": "coalesce(c.employment_cost > 0, false) OR hm.newly_insured",
        "review_overdue": "CASE WHEN d.household_key IS NULL THEN false ELSE d.review_overdue END", "review_date": "d.review_date",
        "dibao_class": "d.dibao_class", "last_review_date": "d.last_review_date", "member_death_date": "dr.member_death_date",
        "death_not_rechecked": """dr.household_key IS NOT NULL AND (d.last_review_date IS NULL
            OR d.last_review_date < dr.member_death_date)""",
        "family_listed": "coalesce(fa.family_listed, 0)", "family_difference": "coalesce(fa.family_difference, 0)",
        "last_visit_date": "greatest(v.last_visit_date, w.visited_date)", "own_visit": "v.last_visit_date", "monitor_visit": "w.visited_date",
    }  # fmt: skip
    direct = ", ".join(
        f"hm.{c}"
        for c in (
            "size",
            "any_dibao",
            "any_tekun",
            "all_tekun",
            "any_low_income",
            "any_rigid",
            "any_labour",
            "severe_member",
            "dropout_child",
        )
    )
    return direct + ", " + ", ".join(f"{sql.replace('{day}', facts.day)} AS {name}" for name, sql in columns.items())


def _columns(facts: Facts) -> str:
    """The second layer: the documented columns, typed."""
    visited = households.visited_recently(facts, "own_visit", "monitor_visit", "t_visit_monitored")
    derived = {
        "income_known": "income_pc IS NOT NULL", "income_year_known": "income_year IS NOT NULL",
        "line_income": "CAST(line_income_exact AS DECIMAL(18,6))",
        "line_income_source": "CASE WHEN net_income_per_head_year IS NOT NULL THEN '监测' ELSE income_source END",
        "medical_left": "CAST((income_year - medical_12m) / (12.0 * size) AS DECIMAL(18,6))",
        "rigid_12m": "medical_12m + coalesce(education_cost, 0) + coalesce(rehabilitation_cost, 0)",
        "property_fits": households.property_fits(facts),
        "low_income_household": households.low_income(facts, "listed_as_poor"),
        "identified_days": f"{facts.day} - identified_date",
        "gradual_exit_until": households.gradual_exit_until(facts),
        "visited_recently": visited,
        # The greatest loss decides only where it is enough, or where no other is blank.
        "disaster_loss_12m": "CASE WHEN loss_blank AND coalesce(2 * disaster_loss_12m < income_year, true) THEN NULL ELSE disaster_loss_12m END",
        "dwelling_c_d": "CASE WHEN housed THEN dwelling_c_d ELSE false END",
    }  # fmt: skip
    return ", ".join(f"CAST({derived.get(c, c)} AS {column.type}) AS {c}" for c, column in HOUSEHOLD.items())
