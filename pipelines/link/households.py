"""Who lives where: writes `household`, `membership` and `resident` (one row a person of the county).

A household is the rows of the registry with one number. A person of two households counts in both and belongs where
head, else to the smaller number. Who is found in any feed but not in the registry joins the household of the 户主 where
that one is known by number, else stands in a household `U-` and the 户主's or the own number. Who left the registry
after death keeps the household of the last earlier registry.
"""

from __future__ import annotations

from pipelines.link.context import ASSISTANCE_FEEDS, NEW_MEMBER, Linking, born
from pipelines.link.scanning import alike, scan

HEAD = "relation IN ('户主', '本人', '本人/户主', '本人或户主', '01', '02')"


def settle_households(run: Linking) -> None:
    """Creates `household` and `membership` from the linked std tables, and `death`, `member` and `placed` for `settle_persons`."""
    con = run.con
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE death AS
        SELECT person_id, max(death_date) AS death_date FROM std_deaths
        WHERE counts AND person_id IS NOT NULL AND death_date <= {run.as_of_sql} GROUP BY person_id""")
    _registry_members(run)
    _odd_rows(run)
    _strangers(run)
    con.execute("""
        CREATE TABLE household AS
        SELECT (dense_rank() OVER (ORDER BY household_id))::BIGINT AS household_key, household_id,
            bool_or(registered) AS registered,
            coalesce(min(township) FILTER (is_head AND registered AND NOT left_it), min(township) FILTER (registered AND NOT left_it), min(township) FILTER (registered), min(township)) AS township,
            coalesce(min(village) FILTER (is_head AND registered AND NOT left_it), min(village) FILTER (registered AND NOT left_it), min(village) FILTER (registered), min(village)) AS village,
            coalesce(arg_min(person_id, (is_dead, number IS NULL, person_id)) FILTER (is_head),
                arg_min(person_id, (is_dead, birth_date IS NULL, birth_date, person_id))) AS head_person_id
        FROM member GROUP BY household_id ORDER BY household_key""")
    # Nearly everybody stands once: only the others are put in order (head first, then the smaller household number).
    con.execute("""
        CREATE OR REPLACE TEMP TABLE placed AS
        SELECT *, row_number() OVER (PARTITION BY person_id
            ORDER BY is_head DESC, household_id, relation, labour, health, name, birth_date, number) AS place
        FROM member SEMI JOIN (SELECT person_id FROM member GROUP BY person_id HAVING count(*) > 1) USING (person_id)""")
    con.execute("""
        CREATE TABLE membership AS
        SELECT household_key, person_id, relation, is_head, true AS belongs, NOT is_dead AS alive, residence_kind
        FROM member ANTI JOIN placed USING (person_id) JOIN household USING (household_id)
        UNION ALL
        SELECT household_key, person_id, any_value(relation), bool_or(is_head), bool_or(place = 1), NOT bool_or(is_dead),
            max(residence_kind)
        FROM placed JOIN household USING (household_id) GROUP BY household_key, person_id
        ORDER BY household_key, person_id""")


def _registry_members(run: Linking) -> None:
    """Members by the registry, and the dead who left it, in the household of the last earlier registry."""
    con = run.con
    columns = "person_id, household_number AS household_id, relation, number, name, sex, birth_date, township, village, residence_kind, labour, health"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE registry_row AS
        SELECT {columns}, coalesce({HEAD}, false) AS is_head, false AS left_it FROM std_registry WHERE person_id IS NOT NULL""")
    gone = con.execute("SELECT count(*) FROM death ANTI JOIN registry_row USING (person_id)").fetchall()[0][0]
    earlier = {d.period: d.rows["registry"] for d in run.deliveries[:-1] if "registry" in d.rows}
    if gone and earlier:
        rows = " UNION ALL BY NAME ".join(
            f"""SELECT delivered, {columns} FROM (SELECT * REPLACE (coalesce(person_id, {NEW_MEMBER}) AS person_id) FROM {scan(files)}) AS r
                WHERE person_id IN (FROM gone)"""
            for files in alike(earlier)
        )
        con.execute(f"""
            INSERT INTO registry_row
            WITH gone AS MATERIALIZED (SELECT person_id FROM death ANTI JOIN registry_row USING (person_id))
            SELECT * EXCLUDE (delivered), coalesce({HEAD}, false), true FROM ({rows})
            QUALIFY delivered = max(delivered) OVER (PARTITION BY person_id)""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE member AS
        SELECT r.person_id, household_id, true AS registered, left_it, relation, is_head, coalesce(r.number, c.number) AS number, r.name,
            r.sex, coalesce({born("coalesce(r.number, c.number)")}, r.birth_date) AS birth_date,
            r.township, r.village, residence_kind, labour, health, d.death_date, d.death_date IS NOT NULL AS is_dead
        FROM registry_row r LEFT JOIN death d USING (person_id)
        -- A member whose own row has no usable number was linked to somebody who has one.
        LEFT JOIN candidate c ON r.number IS NULL AND c.person_id = r.person_id""")


def _odd_rows(run: Linking) -> None:
    """`odd_row`: the few rows of all feeds that name a person whom the registry does not know, or by another name. Told in one
    look at the registry; whoever needs more of such rows looks them up by `person_id`."""
    rows = [
        f"SELECT person_id, name, number IS NOT NULL AS numbered FROM std_{feed} WHERE counts AND person_id IS NOT NULL"
        for feed in run.person_feeds
    ]
    rows.append("SELECT person_id, name, true FROM mention")
    run.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE odd_row AS
        SELECT s.person_id, s.name, numbered, r.person_id IS NULL AS stranger
        FROM ({" UNION ALL ".join(rows)}) s LEFT JOIN registry_row r USING (person_id)
        WHERE r.person_id IS NULL OR s.name <> r.name""")


def _strangers(run: Linking) -> None:
    """Persons whom a feed names and the registry does not know, with the household that they join."""
    con = run.con
    rows = []
    for place, feed in enumerate(f for f in run.person_feeds if f != "registry"):
        rows.append(
            f"SELECT person_id, number, name, sex, birth_date, township, village, head_number, {place} AS place, '{feed}' AS feed "
            f"FROM std_{feed} WHERE counts AND person_id IS NOT NULL"
        )
    rows.append("SELECT person_id, number, name, NULL, NULL, township, village, NULL, place, feed FROM mention")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE stranger_row AS
        SELECT * FROM ({" UNION ALL ".join(rows)}) WHERE person_id IN (SELECT person_id FROM odd_row WHERE stranger)""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE known_home AS
        SELECT number, arg_min(household_id, (NOT is_head, household_id)) AS household_id FROM member
        WHERE number IN (SELECT head_number FROM stranger_row) GROUP BY number""")
    first = {
        c: f"arg_min(s.{c}, (s.place, s.{c})) FILTER (s.{c} IS NOT NULL) AS {c}"
        for c in ("name", "sex", "township", "village")
    }
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE stranger AS
        SELECT s.person_id, max(s.number) AS number, {", ".join(first.values())},
            arg_min(k.household_id, (s.place, s.head_number)) FILTER (k.household_id IS NOT NULL) AS home,
            arg_min(s.head_number, (s.place, s.head_number)) FILTER (s.head_number IS NOT NULL) AS head_number,
            string_agg(DISTINCT s.feed, ',' ORDER BY s.feed) AS seen_in
        FROM stranger_row s LEFT JOIN known_home k ON k.number = s.head_number GROUP BY s.person_id""")
    # One more hop: the 户主 is a stranger too, but that one's own 户主 stands in the registry.
    con.execute("""
        CREATE OR REPLACE TEMP TABLE settled AS
        SELECT s.*, coalesce(s.home, h.home,
            'U-' || coalesce(s.head_number, s.number, lower(to_hex(s.person_id)))) AS household_id
        FROM stranger s LEFT JOIN stranger h ON h.number = s.head_number AND h.person_id <> s.person_id""")
    con.execute("""
        INSERT INTO member
        SELECT s.person_id, s.household_id, false, false, NULL, coalesce(s.household_id = 'U-' || s.number, false), s.number, s.name,
            s.sex, try_strptime(substr(s.number, 7, 8), '%Y%m%d')::DATE, s.township, s.village,
            NULL, NULL, NULL, d.death_date, d.death_date IS NOT NULL
        FROM settled s LEFT JOIN death d USING (person_id)""")


def settle_persons(run: Linking) -> None:
    """Creates `resident`: one row a person with the words that the snapshot needs; names are compared over all feeds.

    Temporary: what of it others read is published as a view of `person_snapshot`."""
    con = run.con
    con.execute("""
        CREATE OR REPLACE TEMP TABLE resident AS
        SELECT m.person_id, h.household_key, h.household_id, h.township, h.village, m.number, m.name, m.sex, m.birth_date,
            m.death_date, NOT m.is_dead AS alive, m.registered, m.left_it, m.is_head, m.relation, m.labour, m.health,
            m.residence_kind
        FROM (FROM member ANTI JOIN placed USING (person_id) UNION ALL SELECT * EXCLUDE (place) FROM placed WHERE place = 1) AS m
        JOIN household h USING (household_id)""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE other_name AS
        SELECT person_id, count(DISTINCT s.name)::INT AS others, string_agg(DISTINCT s.name, '、' ORDER BY s.name) AS other_names
        FROM odd_row s JOIN resident r USING (person_id) WHERE numbered AND s.name <> r.name GROUP BY person_id""")
    assistance = ", ".join(f"'{f}'" for f in ASSISTANCE_FEEDS)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE stranger_seen AS
        SELECT person_id, bool_or(feed IN ({assistance})) AS in_assistance_feed, string_agg(DISTINCT feed, ',' ORDER BY feed) AS seen_in
        FROM stranger_row GROUP BY person_id""")
