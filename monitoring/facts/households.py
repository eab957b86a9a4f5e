"""A household's facts that rest on parameters: standard, assessed income, property, reviews, shocks, visits.

Each function gives one expression over named columns, or the SELECT that makes one small table.
"""

from __future__ import annotations

from collections.abc import Mapping

from monitoring.facts.frame import Facts, three_valued_any

FROM_CHECK = "核对"
EARNED = ("wage", "business_income", "property_income", "transfer_income")
PENSION = "basic_pension"
WORK_COST = "employment_cost"
RIGID = ("medical_self_paid", "education_cost", "rehabilitation_cost")


def standard(facts: Facts, urban: str) -> str:
    return (
        f"CASE WHEN {urban} THEN {facts.money('dibao.standard_urban')} ELSE {facts.money('dibao.standard_rural')} END"
    )


def assessed(facts: Facts, table: str, names: Mapping[str, str] | None = None) -> str:
    """The household's income in a year as the pack counts it: items of a check, blank ones 0; `names` where the table
    calls an item otherwise."""
    flag, named = facts.parameters.flag, names or {}
    counted = [*EARNED, *([] if flag("income.exclude_basic_pension") else [PENSION])]
    deducted = [WORK_COST] if flag("income.deduct_employment_cost") else []
    deducted += RIGID if flag("income.deduct_rigid") else []

    def item(name: str) -> str:
        return f"coalesce({table}.{named.get(name, name)}, 0)"

    return " + ".join(map(item, counted)) + "".join(f" - {item(name)}" for name in deducted)


def income_of_check(total: str, size: str) -> str:
    """Per head and month. Summed first, divided once; six decimals keep the side of any line (a household of 800 moves it
    by 0.000001)."""
    return f"greatest(0, CAST(({total}) / (12.0 * {size}) AS DECIMAL(18,6)))"


def line_income_of_check(total: str, size: str) -> str:
    """Per head and year. Not income_pc x 12: that is rounded, and 8800 a year must not fall below 8800."""
    return f"greatest(0, CAST(({total}) / (1.0 * {size}) AS DECIMAL(18,6)))"


def low_income(facts: Facts, listed_as_poor: str) -> str:
    """A condition whose parameter is off is dropped."""
    ceiling = facts.money("low_income.ceiling")
    poor = "" if facts.parameters.is_off("low_income.ceiling") else f" OR income_pc < {ceiling} * standard"
    return f"any_low_income OR {listed_as_poor}{poor}"


def listed_as_poor(kind: str, removed: str) -> str:
    return f"coalesce({kind} <> '脱贫户' AND NOT {removed}, false)"


def property_fits(facts: Facts) -> str:
    """A condition whose parameter is off is dropped."""
    off = facts.parameters.is_off
    recent = "" if off("property.recent_home_years") else "AND NOT recent_home "
    homes = "" if off("property.max_homes") else f"AND homes <= {facts.whole('property.max_homes')} "
    return f"barred_vehicles = 0 {homes}{recent}AND businesses = 0"


def household_titles(title: str = "home_title") -> str:
    return f"""
        SELECT household_key, count(DISTINCT title)::INT AS titles, bool_or(property_kind IN ('自建房', '安置房')) AS own_or_resettled,
            bool_or(recent) AS recent_home, max(registered_date) FILTER (recent) AS recent_home_date
        FROM {title} JOIN membership m USING (person_id) WHERE m.alive GROUP BY household_key"""


def household_vehicles(vehicle: str = "p_vehicle") -> str:
    return f"""SELECT household_key, sum(barred_vehicles)::INT AS barred_vehicles
        FROM {vehicle} JOIN membership m USING (person_id) WHERE m.alive GROUP BY household_key"""


# --- dibao: gradual exit and reviews


def gradual_exit_over(facts: Facts, begun: str) -> str:
    return f"coalesce({begun} + to_months({facts.whole('dibao.exit_months')}) <= {facts.day}, false)"


def gradual_exit_until(facts: Facts) -> str:
    return f"{facts.day} + to_months({facts.whole('dibao.exit_months')})"


def dibao_active(facts: Facts) -> str:
    """Active dibao rows of living persons."""
    return f"""
        SELECT s.*, coalesce(support_mode, '整户') = '整户' AS whole FROM std_dibao s JOIN resident r USING (person_id)
        WHERE s.counts AND r.alive AND {facts.active()}"""


def reviewing_townships() -> str:
    """Townships whose ledger holds a review at all; elsewhere nobody can say that one is overdue."""
    return """
        SELECT DISTINCT coalesce(s.township, r.township) AS township FROM std_dibao s LEFT JOIN resident r USING (person_id)
        WHERE s.counts AND s.review_date IS NOT NULL"""


def dibao_rows(facts: Facts, active: str = "dibao_active", reviewing: str = "reviewing_township") -> str:
    """Dibao rows of living members, and whether each is past the review date of its class."""
    p = facts.whole
    months = f"CASE coalesce(class, 'B') WHEN 'A' THEN {p('review.months_a')} WHEN 'C' THEN {p('review.months_c')} ELSE {p('review.months_b')} END"
    return f"""
        SELECT m.household_key, a.*, CASE WHEN coalesce(a.township, h.township) IN (SELECT township FROM {reviewing})
            THEN coalesce(a.review_date, a.start_date) + to_months({months}) < {facts.day} END AS overdue
        FROM {active} a JOIN membership m USING (person_id) JOIN household h USING (household_key) WHERE m.alive"""


REVIEW_OVERDUE = three_valued_any("bool_or(overdue)", "bool_or(overdue IS NULL)")

# --- shocks and aid


def disasters(facts: Facts) -> str:
    return f"""
        SELECT m.household_key, s.* EXCLUDE (person_id) FROM std_disasters s JOIN membership m USING (person_id)
        WHERE s.counts AND s.hit_date <= {facts.day}"""


def aid_rows(facts: Facts) -> str:
    """Temporary aid of the living: a row counts by acceptance, aid by payment (contract: Which date is a row's)."""
    return f"""
        SELECT s.person_id, accepted_date, CASE WHEN paid_date <= {facts.day} THEN paid_date END AS paid_date
        FROM std_temporary_aid s JOIN resident r USING (person_id) WHERE s.counts AND r.alive"""


def county_aid(facts: Facts) -> str:
    return f"""
        SELECT max(accepted_date) AS last_accepted, max(CASE WHEN paid_date <= {facts.day} THEN paid_date END) AS last_paid
        FROM std_temporary_aid WHERE counts"""


def household_aid(rows: str = "aid_row") -> str:
    return f"""
        SELECT household_key, max(accepted_date) AS last_accepted, max(paid_date) AS last_paid
        FROM {rows} JOIN membership m USING (person_id) WHERE m.alive GROUP BY household_key"""


def shocks(hit: str = "hit", persons: str = "person_own") -> str:
    """Disasters and deaths; `sure` is NULL where a blank amount, damage or age leaves open whether it was one."""
    return f"""
        SELECT household_key, hit_date AS event_date, loss > 0 OR dwelling_damage IN ('一般', '严重', '倒塌') AS sure FROM {hit}
        WHERE (loss > 0 OR dwelling_damage IN ('一般', '严重', '倒塌')) IS DISTINCT FROM false
        UNION ALL
        SELECT m.household_key, o.death_date, o.age BETWEEN 18 AND 59 FROM {persons} o JOIN membership m USING (person_id)
        WHERE NOT o.alive AND (o.age BETWEEN 18 AND 59) IS DISTINCT FROM false"""


def shocks_without_aid(facts: Facts, shock: str = "shock", aid: str = "h_aid", county: str = "aid_county") -> str:
    """By household the latest shock in the window, and whether some shock stayed without aid."""
    told = three_valued_any(unaided("event_date", "accepted", "sure"), unsaid("event_date", "accepted", "sure"))
    return f"""
        SELECT household_key, max(event_date) AS shock_date, {told} AS shock_without_aid
        FROM {shock} LEFT JOIN {aid} a USING (household_key) CROSS JOIN {county} c
        WHERE {facts.day} - event_date > {facts.whole("aid.follow_up_days")} AND {facts.day} - event_date <= 365 GROUP BY household_key"""


def unaided(event: str, word: str, sure: str = "true") -> str:
    """Some event without a row of the household since, while the county has rows since."""
    return f"bool_or({sure} AND (a.last_{word} IS NULL OR a.last_{word} < {event}) AND c.last_{word} >= {event})"


def unsaid(event: str, word: str, sure: str = "true") -> str:
    """Some event since which the county has no row at all (or no file), or of which it is open whether it was one."""
    open_ = f"{sure} IS NULL OR c.last_{word} IS NULL OR c.last_{word} < {event}"
    return f"bool_or((a.last_{word} IS NULL OR a.last_{word} < {event}) AND ({open_}))"


# --- visits of monitored households


def monitored_rows(facts: Facts) -> str:
    """Rows of the monitoring list by household: through the person; where no person is decided, by 户编号 when the village
    agrees too."""
    return f"""
        WITH rows AS (
            SELECT s.*
            FROM std_monitored s WHERE s.counts AND {facts.begun("s.identified_date")})
        SELECT m.household_key, m.is_head, r.* FROM rows r JOIN membership m USING (person_id) WHERE m.alive
        UNION ALL BY NAME
        SELECT h.household_key, coalesce(r.relation = '户主', false) AS is_head, r.* FROM rows r
        JOIN household h ON h.household_id = r.household_number AND h.registered AND h.village = r.village
            AND (r.township IS NULL OR r.township = h.township)
        WHERE r.person_id IS NULL"""


def recently(facts: Facts) -> str:
    return f"({facts.day} - INTERVAL ({facts.whole('visit.days_monitored')}) DAY)"


def visited_recently(facts: Facts, own: str, monitor: str, townships: str) -> str:
    """Whether the household was visited in its days: by a visit of its own, or as the monitoring list says."""
    since = recently(facts)
    if facts.parameters.is_off("visit.days_monitored"):
        return "NULL::BOOLEAN"
    if "visits" not in facts.loaded:
        return f"{monitor} > {since}"
    return f"""CASE WHEN {own} > {since} OR {monitor} > {since} THEN true
        WHEN {monitor} IS NOT NULL OR township IN (SELECT township FROM {townships}) THEN false END"""
