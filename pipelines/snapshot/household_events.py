"""Household facts from events and records: property, dwelling, disasters, deaths, aid, dibao rows, visits.

Writes temporary tables keyed by household_key (h_*); only households with something to say stand in them.
"""

from __future__ import annotations

from monitoring.facts import households
from monitoring.facts.frame import Facts, three_valued_any
from monitoring.facts.households import unaided, unsaid


def build_household_records(facts: Facts) -> None:
    """Creates h_property, h_housing, h_disaster, h_death, h_shock, h_dibao, h_family, h_request, h_visit."""
    _property(facts)
    _housing(facts)
    _disasters_and_deaths(facts)
    _dibao(facts)
    _family(facts)
    _requests(facts)
    _visits(facts)


def _property(facts: Facts) -> None:
    facts.con.execute(f"CREATE OR REPLACE TEMP TABLE h_titles AS {households.household_titles()}")
    facts.con.execute(f"CREATE OR REPLACE TEMP TABLE h_vehicles AS {households.household_vehicles()}")
    facts.con.execute("""
        CREATE OR REPLACE TEMP TABLE h_business AS
        SELECT household_key, sum(businesses)::INT AS businesses
        FROM p_business JOIN membership m USING (person_id) WHERE m.alive GROUP BY household_key""")


def _housing(facts: Facts) -> None:
    """Rows reach the household by the head, also a dead one; by 户编号 where no head is decided."""
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE h_housing AS
        WITH dwelling AS (
            SELECT m.household_key, s.dwelling_grade, s.renovation, s.water_safe FROM std_housing s JOIN membership m USING (person_id)
            WHERE s.counts AND {facts.begun("s.graded_date")}
            UNION ALL
            SELECT h.household_key, s.dwelling_grade, s.renovation, s.water_safe FROM std_housing s
            JOIN household h ON h.household_id = s.household_number
            WHERE s.counts AND s.person_id IS NULL AND {facts.begun("s.graded_date")})
        SELECT household_key, max(dwelling_grade) AS dwelling_grade,
            arg_max(renovation, (dwelling_grade, renovation)) AS renovation,
            {three_valued_any("bool_or(dwelling_grade IN ('C', 'D') AND coalesce(renovation <> '已改造', true))", "bool_or(dwelling_grade IS NULL AND coalesce(renovation <> '已改造', true))")} AS dwelling_c_d,
            {three_valued_any("bool_or(NOT water_safe)", "bool_or(water_safe IS NULL)")} AS water_unsafe
        FROM dwelling GROUP BY household_key""")


def _disasters_and_deaths(facts: Facts) -> None:
    con = facts.con
    con.execute(f"CREATE OR REPLACE TEMP TABLE hit AS {households.disasters(facts)}")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE h_disaster AS
        SELECT household_key, {three_valued_any("bool_or(dwelling_damage IN ('倒塌', '严重'))", "bool_or(dwelling_damage IS NULL)")} AS dwelling_destroyed_12m,
            max(loss) AS disaster_loss_12m, bool_or(loss IS NULL) AS loss_blank
        FROM hit WHERE {facts.within("hit_date", 12)} GROUP BY household_key""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE h_death AS
        SELECT m.household_key, {three_valued_any("bool_or(died_12m AND working_age AND NOT o.no_labour)", "bool_or(died_12m AND working_age IS DISTINCT FROM false AND (o.no_labour IS NULL OR (working_age IS NULL AND NOT o.no_labour)))")} AS earner_died,
            max(o.death_date) FILTER (died_12m AND working_age AND NOT o.no_labour) AS earner_death_date
        FROM membership m JOIN (SELECT *, {facts.within("death_date", 12)} AS died_12m, age BETWEEN 18 AND 59 AS working_age
            FROM person_own WHERE NOT alive) o USING (person_id) GROUP BY m.household_key""")
    _shocks(facts)


def _shocks(facts: Facts) -> None:
    """Aid that is missing since a shock: known only where the county has aid rows from that day on."""
    con, day = facts.con, facts.day
    con.execute(f"CREATE OR REPLACE TEMP TABLE h_aid AS {households.household_aid()}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE shock AS {households.shocks()}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE h_shock AS {households.shocks_without_aid(facts)}")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE h_transition AS
        SELECT household_key, max(transition_end_date) AS transition_end_date,
            {three_valued_any(unaided("transition_end_date", "paid"), unsaid("transition_end_date", "paid"))} AS transition_without_aid
        FROM hit LEFT JOIN h_aid a USING (household_key) CROSS JOIN aid_county c
        WHERE transition_end_date <= {day} AND {day} - transition_end_date <= 365 GROUP BY household_key""")


def _dibao(facts: Facts) -> None:
    """Dibao rows of living members: modes, gradual exit, reviews (by class), ends."""
    con, day = facts.con, facts.day
    con.execute(f"CREATE OR REPLACE TEMP TABLE reviewing_township AS {households.reviewing_townships()}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE dibao_row AS {households.dibao_rows(facts)}")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE h_dibao AS
        SELECT household_key, bool_or(whole) AS whole_household_dibao, max(gradual_exit_date) FILTER (whole) AS gradual_exit_date,
            min(income_per_head_month) AS income_per_head_month, bool_or(dibao_kind = '城市低保') AS urban_dibao,
            max(review_date) AS last_review_date, {households.REVIEW_OVERDUE} AS review_overdue,
            min(coalesce(review_date, start_date)) AS review_date,
            arg_min(coalesce(class, 'B'), (coalesce(review_date, start_date), class)) AS dibao_class
        FROM dibao_row GROUP BY household_key""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE h_dibao_ended AS
        SELECT household_key, max(end_date) AS end_date FROM std_dibao s JOIN membership m USING (person_id)
        WHERE s.counts AND m.alive AND end_date <= {day} GROUP BY household_key""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE h_death_recheck AS
        SELECT m.household_key, max(o.death_date) AS member_death_date FROM person_own o JOIN membership m USING (person_id)
        WHERE NOT o.alive AND {day} - o.death_date > 90 AND {day} - o.death_date <= 365 GROUP BY m.household_key""")


def _family(facts: Facts) -> None:
    """Living persons listed under the household's whole-household certificates against the registry's living members."""
    facts.con.execute("""
        CREATE OR REPLACE TEMP TABLE h_family AS
        WITH certificates AS (SELECT DISTINCT household_key, certificate FROM dibao_row WHERE whole),
        listed AS (SELECT DISTINCT c.household_key, a.person_id FROM certificates c JOIN dibao_active a USING (certificate)),
        living AS (SELECT m.household_key, m.person_id FROM membership m JOIN household h USING (household_key)
            WHERE m.alive AND h.registered AND m.relation IS NOT NULL
                AND m.household_key IN (SELECT household_key FROM certificates))
        SELECT household_key, count(l.person_id)::INT AS family_listed,
            count(*) FILTER (l.person_id IS NULL OR r.person_id IS NULL)::INT AS family_difference
        FROM listed l FULL JOIN living r USING (household_key, person_id) GROUP BY household_key""")


def _requests(facts: Facts) -> None:
    """Applications and clues by as-of; an outcome dated later has not happened yet."""
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE application AS
        SELECT person_id, CASE WHEN concluded_date > {facts.day} THEN NULL ELSE concluded_date END AS done,
            CASE WHEN concluded_date > {facts.day} THEN NULL ELSE result END AS result, applied_date
        FROM std_applications WHERE counts AND person_id IS NOT NULL""")
    facts.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE h_request AS
        SELECT household_key, bool_or(refused) AS refused_12m, bool_or(open) AS open_request FROM (
            SELECT person_id, coalesce(result = '不予批准', false) AND {facts.within("coalesce(done, applied_date)", 12)} AS refused,
                done IS NULL AND coalesce(result NOT IN ('批准', '不予批准'), true) AS open FROM application
            UNION ALL
            SELECT person_id, false, concluded_date IS NULL OR concluded_date > {facts.day} FROM std_clues
            WHERE counts AND person_id IS NOT NULL) AS q
        JOIN membership m USING (person_id) WHERE m.alive GROUP BY household_key""")


def _visits(facts: Facts) -> None:
    facts.con.execute("""
        CREATE OR REPLACE TEMP TABLE h_visit AS
        SELECT household_key, max(last_visit_date) AS last_visit_date
        FROM p_visit JOIN membership m USING (person_id) WHERE m.alive GROUP BY household_key""")
