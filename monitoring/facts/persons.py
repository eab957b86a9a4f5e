"""A person's facts that rest on parameters: severe disability, serious illness, labour, vehicles, homes, visits.

Each function gives the SELECT that makes one small table, or one expression, over the tables of a warehouse.
"""

from __future__ import annotations

from monitoring.facts.frame import Facts

SCOPED_VISITS = {
    "visit_tekun": ("visit.days_tekun", "at_home"),
    "visit_care": ("visit.days_care", "true"),
    "visit_monitored": ("visit.days_monitored", "true"),
}


def makes_severe(facts: Facts) -> str:
    """Whether a certificate (columns grade, disability_kind) makes its holder severely disabled."""
    extra = ", ".join(str(x) for x in facts.parameters.items_of("disability.severe_extra_grades")) or "NULL"
    return f"(grade <= 2 OR (disability_kind IN ('智力', '精神') AND grade IN ({extra})))"


def certificates(facts: Facts) -> str:
    """The certificates known by as-of; of the dead, what was issued by the day of death: their labour is that at death."""
    return f"""
        SELECT person_id, status, disability_kind, grade, issued_date, {makes_severe(facts)} AS makes_severe FROM std_disability
        LEFT JOIN (SELECT person_id, death_date FROM resident WHERE death_date IS NOT NULL) d USING (person_id)
        WHERE counts AND person_id IS NOT NULL AND {facts.begun("issued_date")}
            AND (issued_date IS NULL OR d.death_date IS NULL OR issued_date <= d.death_date)"""


def severe_persons(certificate: str = "certificate") -> str:
    """One row a holder of a valid certificate: person_id, severe."""
    return f"""SELECT person_id, bool_or(coalesce(makes_severe, false)) AS severe FROM {certificate}
        WHERE status = '有效' GROUP BY person_id"""


def new_certificates(facts: Facts) -> str:
    """Of the certificates that are news (`certificate_news`), the latest that makes severe: person_id, certificate_date."""
    return f"""SELECT person_id, max(issued_date) AS certificate_date FROM certificate_news WHERE {makes_severe(facts)}
        GROUP BY person_id"""


def seriously_ill(facts: Facts) -> str:
    """Whether a person is seriously ill, over the rows of `settlements` (at least one).

    Where aid is asked for and a row of a major illness says nothing of money, nobody knows whether there was any.
    """
    if not facts.parameters.flag("illness.needs_medical_aid"):
        return "coalesce(bool_or(major_disease), false)"
    silent = "medical_aid IS NULL AND total_cost IS NULL AND self_paid IS NULL"
    return f"""CASE WHEN bool_or(major_disease AND medical_aid > 0) THEN true
        WHEN bool_or(major_disease AND {silent}) THEN NULL ELSE false END"""


def settlements(facts: Facts) -> str:
    """What medical facts are counted in: the settlements of the last 12 months."""
    return f"std_medical WHERE counts AND person_id IS NOT NULL AND {facts.within('settled_date', 12)}"


def below_tekun_age(facts: Facts, age: str) -> str:
    """A condition whose parameter is off is dropped."""
    return "false" if facts.parameters.is_off("tekun.minor_age") else f"{age} < {facts.whole('tekun.minor_age')}"


def household_labour(persons: str) -> str:
    """Living members with labour and of unknown labour, by household; `persons` has person_id, no_labour_or_minor."""
    return f"""
        SELECT ms.household_key, count(*) FILTER (NOT o.no_labour_or_minor)::INT AS with_labour,
            count(*) FILTER (o.no_labour_or_minor IS NULL)::INT AS labour_unknown
        FROM membership ms JOIN {persons} o USING (person_id) WHERE ms.alive GROUP BY ms.household_key"""


def others_no_labour(own: str, alive: str) -> str:
    """Every other living member is without labour: counts of the household (hl) less the person's own part."""
    return f"""CASE WHEN hl.with_labour - coalesce(({alive} AND NOT {own})::INT, 0) > 0 THEN false
        WHEN hl.labour_unknown - ({alive} AND {own} IS NULL)::INT > 0 THEN NULL ELSE true END"""


def vehicles(facts: Facts) -> str:
    """One row a person with a vehicle of a kind that counts: person_id, barred_vehicles, all_cancelled, plates.

    The plates are those of the vehicles in use; where none is, those of the cancelled ones, whose proof is due.
    """
    kinds = facts.texts("property.vehicle_types")
    return f"""
        SELECT person_id, count(*) FILTER (status = '正常')::INT AS barred_vehicles,
            bool_and(coalesce(status = '注销', false)) AS all_cancelled,
            coalesce(string_agg(DISTINCT plate, '、' ORDER BY plate) FILTER (status = '正常'),
                string_agg(DISTINCT plate, '、' ORDER BY plate)) AS plates
        FROM std_vehicles WHERE counts AND person_id IS NOT NULL AND vehicle_kind IN {kinds} AND {facts.begun("registered_date")}
        GROUP BY person_id"""


def home_titles(facts: Facts) -> str:
    """One row a title of a home, and whether it was bought of late."""
    years = facts.parameters.whole("property.recent_home_years")
    bought = "property_kind = '商品房' AND acquired_by = '购买'"
    recent = f"{bought} AND {facts.within('registered_date', 12 * years)}" if years is not None else "false"
    return f"""
        SELECT person_id, coalesce(title_number, 'row ' || delivered || ' ' || part || ' ' || row) AS title, property_kind,
            coalesce({recent}, false) AS recent, registered_date
        FROM std_real_estate WHERE counts AND person_id IS NOT NULL AND status = '现势'
            AND {facts.begun("registered_date")} AND property_kind IN ('商品房', '自建房', '安置房')"""


def visits(facts: Facts) -> str:
    """A visit counts for a person whom it names, or, naming nobody or nobody decided, for all of its 户编号."""
    return f"""
        SELECT coalesce(v.person_id, m.person_id) AS person_id, v.visited_date, coalesce(v.visit_mode, '入户') = '入户' AS at_home,
            coalesce(r.township, h.township, v.township) AS township
        FROM std_visits v LEFT JOIN resident r ON r.person_id = v.person_id
        LEFT JOIN household h ON v.person_id IS NULL AND h.household_id = v.household_number
        LEFT JOIN membership m ON m.household_key = h.household_key
        WHERE v.counts AND v.visited_date <= {facts.day}"""


def visited_townships(facts: Facts, name: str, visit: str = "visit") -> str:
    """Townships with a visit of the kind in its days: elsewhere nobody can say that one is missing."""
    parameter, where = SCOPED_VISITS[name]
    return f"""SELECT DISTINCT township FROM {visit}
        WHERE {where} AND township IS NOT NULL AND {facts.within_days("visited_date", facts.whole(parameter))}"""


def missing(found: str, served: str) -> str:
    """TRUE where found; FALSE where the person's township has such rows (`served`); else NULL: nobody can say that it is missing."""
    return f"CASE WHEN {found} THEN true WHEN {served} THEN false END"


def visited(facts: Facts, name: str, last: str, served: str) -> str:
    """Whether the person was visited in the kind's days; `served`: somebody of the person's township was."""
    days = facts.whole(SCOPED_VISITS[name][0])
    return facts.known("visits", missing(f"{last} > {facts.day} - INTERVAL ({days}) DAY", served))
