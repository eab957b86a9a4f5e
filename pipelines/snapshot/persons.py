"""Person facts: `person_own` (what rests on the person alone) and, once households are judged, `person_snapshot`."""

from __future__ import annotations

from monitoring.facts import persons
from monitoring.facts.frame import Facts
from monitoring.facts.persons import missing
from monitoring.tables import PERSON
from pipelines.storing import columns_sql

# Kinds of rows of which something can be missing: the tables t_<kind> hold the townships that have any.
SERVED = (
    "living_subsidy", "care_subsidy", "orphan_payment", "insurance", "education_aid", "visit_tekun", "visit_care",
)  # fmt: skip
# What is published of `resident`.
RESIDENT = (
    "person_id", "household_key", "household_id", "township", "village", "number", "name", "sex", "birth_date", "death_date",
    "alive", "registered", "is_head", "relation", "labour", "health",
)  # fmt: skip


def build_person_own(facts: Facts) -> None:
    """One row a person, without the household's income and lists; sorted by nothing, joined by household facts."""
    k = facts.known
    loaded_or_none = facts.known("disability", "coalesce(c.no_labour, false)")
    aged = f"SELECT *, date_sub('year', birth_date, coalesce(death_date, {facts.day}))::INT AS age FROM resident"
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE person_own AS
        SELECT r.*, r.number IS NOT NULL AS number_usable, coalesce(r.age < 1, false) AS newborn,
            {k("disability", "c.person_id IS NOT NULL")} AS has_certificate,
            {k("disability", "coalesce(c.certificate_1_2, false)")} AS certificate_1_2,
            c.disability_kind, c.disability_grade, {k("disability", "coalesce(c.severe, false)")} AS severe,
            {k("medical", "CASE WHEN m.person_id IS NULL THEN false ELSE m.seriously_ill END")} AS seriously_ill,
            {k("medical", "coalesce(m.major_disease, false)")} AS major_disease,
            r.age >= 60 OR r.age < 16 OR r.labour = '无劳动力' OR {loaded_or_none} AS no_labour,
            r.age >= 60 OR r.age < 16 OR {persons.below_tekun_age(facts, "r.age")} OR r.labour = '无劳动力' OR {loaded_or_none} AS no_labour_or_minor,
            r.alive AND d.person_id IS NOT NULL AS on_dibao, coalesce(d.dibao_certificates, 0) AS dibao_certificates,
            d.certificate_numbers, r.alive AND t.person_id IS NOT NULL AS on_tekun,
            r.alive AND l.person_id IS NOT NULL AS on_low_income, r.alive AND coalesce(l.rigid, false) AS on_rigid,
            {k("education", "coalesce(e.studying, false)")} AS studying, e.stage,
            {k("education", "coalesce(e.dropped_out, false)")} OR CASE WHEN w.person_id IS NULL THEN false ELSE w.dropped_out END AS dropped_out,
            {k("education", "coalesce(e.suspended_or_dropped, false)")} AS suspended_or_dropped,
            m.self_paid, coalesce(m.self_paid_rows, 0) AS self_paid_rows, m.person_id IS NOT NULL AS has_medical, m.medical_aid
        FROM ({aged}) r
        LEFT JOIN p_certificate c USING (person_id) LEFT JOIN p_medical m USING (person_id)
        LEFT JOIN p_dibao d USING (person_id) LEFT JOIN p_tekun t USING (person_id)
        LEFT JOIN p_low_income l USING (person_id) LEFT JOIN p_education e USING (person_id)
        LEFT JOIN p_monitored w USING (person_id)""")


def build_person_snapshot(facts: Facts) -> None:
    """Joins the person's own facts, the household's, and the records into `person_snapshot`; publishes `resident` out of it."""
    k = facts.known
    aided = f"""CASE WHEN coalesce(a.grants, 0) > 0 THEN true
        WHEN (SELECT {facts.within("last_paid", 12)} FROM aid_county) THEN false END"""
    tekun_visited = persons.visited(facts, "visit_tekun", "v.last_home_visit_date", "sv.visit_tekun")
    care_visited = persons.visited(facts, "visit_care", "v.last_visit_date", "sv.visit_care")
    facts.con.execute(f"CREATE OR REPLACE TEMP TABLE household_labour AS {persons.household_labour('person_own')}")
    # One look at the township for all that asks whether it has rows of a kind (`missing`).
    kinds = ", ".join(f"bool_or(kind = '{kind}') AS {kind}" for kind in SERVED)
    of_kind = " UNION ALL ".join(f"SELECT township, '{kind}' AS kind FROM t_{kind}" for kind in SERVED)
    facts.con.execute(
        f"CREATE OR REPLACE TEMP TABLE served AS SELECT township, {kinds} FROM ({of_kind}) GROUP BY township"
    )
    values = {
        "in_assistance_feed": "coalesce(ss.in_assistance_feed, false)", "seen_in": "ss.seen_in",
        "name_count": "CASE WHEN o.number IS NULL THEN 1 ELSE 1 + coalesce(n.others, 0) END::INT", "other_names": "n.other_names",
        "registry_households": "coalesce(rh.households, (o.registered AND NOT o.left_it)::INT)", "household_numbers": "rh.household_numbers",
        "new_severe_certificate": k("disability", "nc.person_id IS NOT NULL"), "certificate_date": "nc.certificate_date",
        "medical_self_paid_12m": k("medical", "CASE WHEN NOT o.has_medical THEN 0 ELSE o.self_paid END"),
        "medical_aid_12m": k("medical", "CASE WHEN NOT o.has_medical THEN 0 ELSE o.medical_aid END"),
        "others_no_labour": persons.others_no_labour("o.no_labour_or_minor", "o.alive"),
        "whole_household_dibao": "coalesce(hs.whole_household_dibao, false)", "income_pc": "hs.income_pc",
        "income_source": "hs.income_source", "income_blank_items": "hs.income_blank_items", "standard": "hs.standard",
        "low_income_household": "hs.low_income_household", "household_low_income": "coalesce(hs.any_low_income, false)",
        "at_risk_household": "coalesce(hs.at_risk, false)",
        "monitored_household": "coalesce(hs.monitored, false)", "unescaped_household": "coalesce(hs.unescaped, false)",
        "living_subsidy_paid": k("disability_subsidy", missing("ls.person_id IS NOT NULL", "sv.living_subsidy")),
        "care_subsidy_paid": k("disability_subsidy", missing("cs.person_id IS NOT NULL", "sv.care_subsidy")),
        "orphan_or_unattended": "coalesce(cg.orphan_or_unattended, false)", "allowance_missing": "coalesce(cg.allowance_missing, true)",
        "orphan_paid": k("payments", missing("op.person_id IS NOT NULL", "sv.orphan_payment")),
        "child_without_guardian": "coalesce(cg.child_without_guardian, false)", "wanderer_alone": "coalesce(cg.wanderer_alone, false)",
        "care_group": "coalesce(cg.care_group, false)", "care_categories": "cg.care_categories",
        "care_visited": care_visited, "tekun_visited": tekun_visited,
        "last_visit_date": "v.last_visit_date", "last_home_visit_date": "v.last_home_visit_date",
        "insured": k("insurance", f"CASE WHEN i.person_id IS NOT NULL THEN i.insured ELSE {missing('false', 'sv.insurance')} END"),
        "insurance_status": "i.insurance_status",
        "education_aided": k("education", missing("coalesce(e.aided, false)", "sv.education_aid")),
        "aid_grants_12m": k("temporary_aid", "coalesce(a.grants, 0)"), "aided_12m": k("temporary_aid", aided),
        "unemployed_graduate": "g.person_id IS NOT NULL", "dwelling_c_d": "CASE WHEN hs.household_key IS NULL THEN false ELSE hs.dwelling_c_d END",
        "job_lost": "s.job_lost_date IS NOT NULL", "job_lost_date": "s.job_lost_date",
        "employee_insured": "coalesce(s.employee_insured, false)", "employee_insurance_ended": "coalesce(s.employee_insurance_ended, false)",
        "barred_vehicle": "coalesce(ve.barred_vehicles > 0, false)", "barred_vehicle_cancelled": "coalesce(ve.all_cancelled, false)",
        "plates": "ve.plates", "running_business": "b.person_id IS NOT NULL", "business_names": "b.business_names",
        "listed_after_death": "ld.person_id IS NOT NULL", "listed_in": "ld.listed_in",
        "paid_after_death": f"CASE WHEN pd.person_id IS NOT NULL THEN true ELSE {'false' if {'payments', 'disability_subsidy'} <= facts.loaded else 'NULL'} END",
        "paid_after_months": "pd.paid_after_months",
        **{c: f"t.{c}" for c in ("support_form", "self_care", "lives_alone", "wants_institution", "basic_amount")},
        "carer_missing": "coalesce(t.carer_missing, false)", "home_safety": "coalesce(t.home_safety, false)",
    }  # fmt: skip
    picked = ", ".join(f"CAST({values.get(c, f'o.{c}')} AS {column.type}) AS {c}" for c, column in PERSON.items())
    columns = columns_sql({c: column.type for c, column in PERSON.items()})
    facts.con.execute(f"CREATE TABLE person_snapshot ({columns})")
    facts.con.execute(f"""
        INSERT INTO person_snapshot BY NAME SELECT {picked} FROM person_own o
        LEFT JOIN household_snapshot hs ON hs.household_key = o.household_key
        LEFT JOIN household_labour hl ON hl.household_key = o.household_key
        LEFT JOIN stranger_seen ss USING (person_id) LEFT JOIN other_name n USING (person_id)
        LEFT JOIN registry_home rh USING (person_id) LEFT JOIN p_new_certificate nc USING (person_id)
        LEFT JOIN p_living_subsidy ls USING (person_id) LEFT JOIN p_care_subsidy cs USING (person_id)
        LEFT JOIN p_care cg USING (person_id) LEFT JOIN p_orphan_payment op USING (person_id)
        LEFT JOIN p_visit v USING (person_id) LEFT JOIN p_insurance i USING (person_id)
        LEFT JOIN p_education e USING (person_id) LEFT JOIN p_aid a USING (person_id)
        LEFT JOIN p_graduate g USING (person_id) LEFT JOIN p_insured_work s USING (person_id)
        LEFT JOIN p_vehicle ve USING (person_id) LEFT JOIN p_business b USING (person_id)
        LEFT JOIN p_listed_dead ld USING (person_id) LEFT JOIN p_paid_dead pd USING (person_id)
        LEFT JOIN p_tekun t USING (person_id) LEFT JOIN served sv ON sv.township = o.township""")
    facts.con.execute(f"CREATE VIEW main.resident AS SELECT {', '.join(RESIDENT)} FROM person_snapshot")
