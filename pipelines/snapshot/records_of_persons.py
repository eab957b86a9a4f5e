"""Person facts from records: certificates, illness, insurance, schooling, aid, work, vehicles, businesses, visits.

What asks that something is *missing* ("no subsidy for the month") is known only where that feed has rows of that kind
and period for the person's township (temporary aid: for the county); such facts are NULL elsewhere. Facts of a feed
without any file in the home are NULL for the feeds that the contract names, else none.
"""

from __future__ import annotations

from datetime import date

from monitoring.facts import households, persons
from monitoring.facts.frame import Facts


def build_person_records(facts: Facts) -> None:
    """Creates the temporary tables p_* and t_* (townships with rows of a kind) that `person_facts` joins."""
    _certificates(facts)
    _illness(facts)
    _payments(facts)
    _insurance_and_school(facts)
    _aid(facts)
    _work_and_property(facts)
    _visits(facts)


def _certificates(facts: Facts) -> None:
    con = facts.con
    con.execute(f"CREATE OR REPLACE TEMP TABLE certificate AS {persons.certificates(facts)}")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE p_certificate AS
        SELECT person_id, bool_or(grade <= 2) AS certificate_1_2, min(grade)::INT AS disability_grade,
            arg_min(disability_kind, (grade, disability_kind)) AS disability_kind, bool_or(coalesce(makes_severe, false)) AS severe,
            bool_or((disability_kind IN ('智力', '精神') AND grade <= 3) OR (disability_kind = '肢体' AND grade <= 2)
                OR (disability_kind = '视力' AND grade = 1)) AS no_labour
        FROM certificate WHERE status = '有效' GROUP BY person_id""")
    # Known before: an older certificate of this state, or one that stood in an earlier delivery (see `earlier_certificate`).
    # Published: whether a certificate is news does not rest on what the pack calls severe, which a what-if may change.
    con.execute(f"""
        CREATE TABLE certificate_news AS
        SELECT DISTINCT person_id, disability_kind, grade, issued_date FROM certificate c
        WHERE status = '有效' AND {facts.within("issued_date", 12)}
            AND NOT EXISTS (SELECT 1 FROM certificate o WHERE o.person_id = c.person_id AND o.grade <= c.grade
                AND o.issued_date < c.issued_date)
            AND NOT EXISTS (SELECT 1 FROM earlier_certificate o WHERE o.person_id = c.person_id AND o.grade <= c.grade
                AND (o.issued_date < c.issued_date OR (o.issued_date IS NULL AND o.delivered_by < c.issued_date)))
        ORDER BY ALL""")
    con.execute(f"CREATE OR REPLACE TEMP TABLE p_new_certificate AS {persons.new_certificates(facts)}")


def _illness(facts: Facts) -> None:
    # Blank medical aid is 0 where the row has a total or a self-paid amount (contract: Blank and "not").
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE p_medical AS
        SELECT person_id, coalesce(bool_or(major_disease), false) AS major_disease, {persons.seriously_ill(facts)} AS seriously_ill,
            sum(self_paid) AS self_paid, count(self_paid) AS self_paid_rows,
            CASE WHEN sum(medical_aid) > 0 THEN sum(medical_aid)
                 WHEN bool_or(medical_aid IS NULL AND total_cost IS NULL AND self_paid IS NULL) THEN NULL
                 ELSE 0 END AS medical_aid
        FROM {persons.settlements(facts)} GROUP BY person_id""")


def _townships(facts: Facts, name: str, feed: str, where: str) -> None:
    """t_<name>: the townships with rows of that feed, kind and period, by the person's place, else the row's own."""
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE t_{name} AS
        SELECT DISTINCT coalesce(r.township, s.township) AS township FROM std_{feed} s LEFT JOIN resident r USING (person_id)
        WHERE s.counts AND {where} AND coalesce(r.township, s.township) IS NOT NULL""")


def _payments(facts: Facts) -> None:
    month = f"paid_month = {facts.month}"
    for name, kind in (("living", "生活补贴"), ("care", "护理补贴")):
        where = f"subsidy_kind = '{kind}' AND {month}"
        _townships(facts, f"{name}_subsidy", "disability_subsidy", where)
        facts.con.execute(f"""
            CREATE OR REPLACE TEMP TABLE p_{name}_subsidy AS
            SELECT DISTINCT person_id FROM std_disability_subsidy
            WHERE counts AND status = '成功' AND person_id IS NOT NULL AND {where}""")
    _townships(facts, "orphan_payment", "payments", f"item LIKE '孤儿%' AND {month}")
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE p_orphan_payment AS
        SELECT DISTINCT person_id FROM std_payments
        WHERE counts AND status = '成功' AND person_id IS NOT NULL AND item LIKE '孤儿%' AND {month}""")


def school_year(facts: Facts) -> int:
    """Y of GAP-EDUCATION: the year of the last 1 September that lies at least four months before as-of."""
    cut: date = facts.con.execute(f"SELECT ({facts.day} - INTERVAL 4 MONTH)::DATE").fetchall()[0][0]
    return cut.year if (cut.month, cut.day) >= (9, 1) else cut.year - 1


def _insurance_and_school(facts: Facts) -> None:
    year = facts.period.year
    _townships(facts, "insurance", "insurance", f"insured_year = {year}")
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE p_insurance AS
        SELECT person_id, bool_or(status = '正常参保') AS insured,
            CASE WHEN bool_or(status = '正常参保') THEN '正常参保' ELSE min(status) END AS insurance_status
        FROM std_insurance WHERE counts AND person_id IS NOT NULL AND insured_year = {year} GROUP BY person_id""")
    aid = f"aid_year >= {school_year(facts)}"
    _townships(facts, "education_aid", "education", aid)
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE p_education AS
        SELECT person_id, coalesce(bool_or(school_status = '在读'), false) AS studying,
            min(stage) FILTER (school_status = '在读') AS stage, coalesce(bool_or(aid_amount > 0 AND {aid}), false) AS aided,
            bool_or(school_status = '辍学') AS dropped_out, bool_or(school_status IN ('辍学', '休学')) AS suspended_or_dropped
        FROM std_education WHERE counts AND person_id IS NOT NULL GROUP BY person_id""")


def _aid(facts: Facts) -> None:
    """Temporary aid of the living: a row counts by acceptance, aid by payment (contract: Which date is a row's)."""
    facts.con.execute(f"CREATE OR REPLACE TEMP TABLE aid_row AS {households.aid_rows(facts)}")
    facts.con.execute(f"CREATE OR REPLACE TEMP TABLE aid_county AS {households.county_aid(facts)}")
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE p_aid AS
        SELECT person_id, count(*)::INT AS grants FROM aid_row WHERE {facts.within("paid_date", 12)} GROUP BY person_id""")


def _work_and_property(facts: Facts) -> None:
    con = facts.con
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE p_graduate AS
        SELECT DISTINCT person_id FROM std_graduates
        WHERE counts AND person_id IS NOT NULL AND employment = '未就业' AND {facts.within("graduated_date", 24)}""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE p_insured_work AS
        SELECT person_id,
            bool_or(scheme = '城镇职工养老' AND status = '正常参保' AND {facts.begun("status_date")}) AS employee_insured,
            bool_or(scheme = '城镇职工养老' AND status IN ('终止参保', '领取待遇') AND {facts.begun("status_date")}) AS employee_insurance_ended,
            bool_or(scheme = '城镇职工养老' AND status = '正常参保' AND {facts.within("status_date", 12)}) AS newly_insured,
            greatest(max(unemployed_date) FILTER ({facts.within("unemployed_date", 12)}),
                max(status_date) FILTER (scheme = '城镇职工养老' AND status = '终止参保' AND {facts.within("status_date", 12)})) AS job_lost_date
        FROM std_social_insurance WHERE counts AND person_id IS NOT NULL GROUP BY person_id""")
    con.execute(f"CREATE OR REPLACE TEMP TABLE p_vehicle AS {persons.vehicles(facts)}")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE p_business AS
        SELECT person_id, count(*) FILTER (role IN ('经营者', '法定代表人'))::INT AS businesses,
            string_agg(DISTINCT concat_ws(' ', business_name, role), '、' ORDER BY concat_ws(' ', business_name, role)) AS business_names
        FROM std_business WHERE counts AND person_id IS NOT NULL AND status = '存续' AND {facts.begun("founded_date")}
        GROUP BY person_id""")
    con.execute(f"CREATE OR REPLACE TEMP TABLE home_title AS {persons.home_titles(facts)}")


def _visits(facts: Facts) -> None:
    facts.con.execute(f"CREATE OR REPLACE TEMP TABLE visit AS {persons.visits(facts)}")
    facts.con.execute("""
        CREATE OR REPLACE TEMP TABLE p_visit AS
        SELECT person_id, max(visited_date) AS last_visit_date, max(visited_date) FILTER (at_home) AS last_home_visit_date
        FROM visit WHERE person_id IS NOT NULL GROUP BY person_id""")
    for name in persons.SCOPED_VISITS:
        facts.con.execute(f"CREATE OR REPLACE TEMP TABLE t_{name} AS {persons.visited_townships(facts, name)}")
