"""Puts rows without a usable identity number to a person: exact steps only, doubtful ones to the review list.

The steps are the contract's, in its order: name + birth date + village; name + birth date; name + phone; birth date +
village + phone. The first step that finds exactly one person, not contradicted by sex or birth date, and whose rows of
one feed do not contradict each other, decides. Several candidates at a step, or somebody who fits by name and village
only: the review list. Nobody: a new person. What a person decided about a row comes before all steps, and whom they ruled
out is never linked. The contract leaves no room for a link by likelihood alone: weights (`pipelines.weighing`) rank the
review list and propose persons for rows that found nobody, and a person decides.

Reads the std tables; writes `link`, `link_review`, and the column person_id of the std tables.
"""

from __future__ import annotations

import functools

import duckdb
import polars as pl

from pipelines.abreast import abreast
from pipelines.identity import person_id_of
from pipelines.link.context import NEW_MEMBER, Linking, born, new_person, sex_of
from pipelines.link.decided import KEY, rename
from pipelines.link.scanning import alike, scan
from pipelines.link.standing import DATE_OF

# (feed, name, number) of persons whom rows name beside their own; in the order in which their words count.
MENTIONED = (
    ("dibao", "head_name", "head_number"),
    ("low_income", "head_name", "head_number"),
    ("monitored", "head_name", "head_number"),
    ("officials", "official_name", "official_number"),
)

# A village name may stand in two townships: where both rows name one, it must be the same.
SAME_VILLAGE = "p.village = c.village AND (p.township IS NULL OR c.township IS NULL OR p.township = c.township)"
STEPS = {
    "name+birth+village": f"p.name = c.name AND p.birth_date = c.birth_date AND {SAME_VILLAGE}",
    "name+birth": "p.name = c.name AND p.birth_date = c.birth_date",
    "name+phone": "p.name = c.name AND p.phone = c.phone",
    "birth+village+phone": f"p.birth_date = c.birth_date AND p.phone = c.phone AND {SAME_VILLAGE}",
}
NOT_CONTRADICTED = (
    "(p.sex IS NULL OR c.sex IS NULL OR p.sex = c.sex)"
    " AND (p.birth_date IS NULL OR c.birth_date IS NULL OR p.birth_date = c.birth_date)"
)
PROFILE = ("name", "birth_date", "sex", "phone", "township", "village", "number_raw", "head_number")


def link_rows(run: Linking) -> None:
    """Links every row that names somebody without a usable number."""
    con = run.con
    con.execute(
        "CREATE TABLE link (feed VARCHAR, delivered INTEGER, part INTEGER, row INTEGER, name VARCHAR, person_id BIGINT, step VARCHAR, key VARCHAR)"
    )
    con.execute("""
        CREATE TABLE link_review (feed VARCHAR, delivered INTEGER, part INTEGER, row INTEGER, name VARCHAR, birth_date DATE,
            sex VARCHAR, phone VARCHAR, township VARCHAR, village VARCHAR, number_raw VARCHAR, reason VARCHAR,
            candidates INTEGER, candidate_ids VARCHAR, key VARCHAR)""")
    _mentions(run)
    _wanted(run)
    _candidates(run)
    _doubt_rounded_numbers(run)
    _resolve(run, ["registry"])
    con.execute("""
        INSERT INTO candidate
        SELECT l.person_id, any_value(l.name), any_value(birth_date), any_value(sex), any_value(phone), any_value(township),
            any_value(village), NULL
        FROM std_registry JOIN link l USING (delivered, part, row)
        WHERE feed = 'registry' AND step = 'new' GROUP BY l.person_id""")
    con.execute("UPDATE std_registry AS s SET person_id = l.person_id FROM link l WHERE l.feed = 'registry' "
                "AND l.delivered = s.delivered AND l.part = s.part AND l.row = s.row AND s.person_id IS NULL")  # fmt: skip
    _candidates_who_left(run)
    others = [f for f in run.person_feeds if f != "registry"]
    _resolve(run, others)
    linked = {feed for (feed,) in con.execute("SELECT DISTINCT feed FROM link").fetchall()}
    abreast(con, [functools.partial(_give_ids, feed) for feed in others if feed in linked])


def _give_ids(feed: str, con: duckdb.DuckDBPyConnection) -> None:
    """person_id of the rows of one feed that were linked."""
    con.execute(f"""
        UPDATE std_{feed} AS s SET person_id = l.person_id FROM link l WHERE l.feed = '{feed}'
        AND l.delivered = s.delivered AND l.part = s.part AND l.row = s.row
        AND s.person_id IS NULL AND l.name IS NOT DISTINCT FROM s.name""")


def _mentions(run: Linking) -> None:
    """`mention`: persons whom a row names beside its own, by a usable number (the 户主, the official): found, too."""
    pieces = []
    for place, (feed, name, number) in enumerate(MENTIONED):
        pieces.append(
            f"SELECT {number} AS number, {name} AS name, township, village, '{feed}' AS feed, {100 + place} AS place FROM std_{feed} "
            f"WHERE counts AND {number} IS NOT NULL AND coalesce({DATE_OF.get(feed, 'NULL')} <= {run.as_of_sql}, true)"
        )
    found = run.con.sql(f"SELECT DISTINCT * FROM ({' UNION ALL '.join(pieces)})").pl()
    found = found.with_columns(person_id=person_id_of(pl.col("number")))
    run.con.register("found_mentions", found)
    run.con.execute("CREATE OR REPLACE TEMP TABLE mention AS SELECT * FROM found_mentions")
    run.con.unregister("found_mentions")
    rename(run, "mention")


def _wanted(run: Linking) -> None:
    """`doubted`: the rows that are undecided, or whose number may be rounded; `wanted`: the names and phones by which they
    could be looked up."""
    pieces = " UNION ALL ".join(
        f"SELECT '{f}' AS feed, person_id, number, name, phone, township, village, "
        f"{'household_number' if f == 'registry' else 'NULL'} AS home FROM std_{f} WHERE person_id IS NULL OR number LIKE '%000'"
        for f in run.person_feeds
    )
    run.con.execute(f"CREATE OR REPLACE TEMP TABLE doubted AS {pieces}")
    for word in ("name", "phone"):
        run.con.execute(
            f"CREATE OR REPLACE TEMP TABLE wanted_{word} AS SELECT DISTINCT {word} FROM doubted WHERE {word} IS NOT NULL"
        )


def _candidates(run: Linking) -> None:
    """One row a person with a usable number who may be wanted: the registry's words, else those of the first feed that names them."""
    parts = [
        f"SELECT person_id, number, name, sex, birth_date, phone, township, village, {place} AS place FROM std_{feed} "
        "WHERE person_id IS NOT NULL"
        for place, feed in enumerate(run.person_feeds)
    ]
    parts.append("SELECT person_id, number, name, NULL, NULL, NULL, township, village, place FROM mention")
    first = {
        c: f"arg_min({c}, (place, {c})) FILTER ({c} IS NOT NULL) AS {c}"
        for c in ("name", "sex", "phone", "township", "village")
    }
    run.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE candidate AS
        SELECT person_id, {first["name"]}, {born("min(number)")} AS birth_date, {sex_of("min(number)")} AS sex,
            {first["phone"]}, {first["township"]}, {first["village"]}, min(number) AS number
        FROM ({" UNION ALL ".join(parts)})
        WHERE name IN (SELECT name FROM wanted_name) OR phone IN (SELECT phone FROM wanted_phone) GROUP BY person_id""")


def _candidates_who_left(run: Linking) -> None:
    """Of deaths without a usable number: who stood in an earlier registry under that name and is in none now may be meant.

    Whoever dies leaves the registry; the death often comes after it."""
    con = run.con
    names = "SELECT name FROM std_deaths WHERE person_id IS NULL AND name IS NOT NULL"
    earlier = {d.period: d.rows["registry"] for d in run.deliveries[:-1] if "registry" in d.rows}
    if not earlier or not con.execute(f"SELECT count(*) FROM ({names})").fetchall()[0][0]:
        return
    columns = "delivered, person_id, number, name, sex, birth_date, phone, township, village, household_number"
    rows = " UNION ALL BY NAME ".join(
        f"SELECT {columns} FROM {scan(files)} AS r WHERE name IN ({names})" for files in alike(earlier)
    )
    con.execute(f"""
        INSERT INTO candidate
        SELECT id, name, coalesce({born("number")}, birth_date), coalesce({sex_of("number")}, sex), phone, township, village, number
        FROM (SELECT *, coalesce(person_id, {NEW_MEMBER}) AS id FROM ({rows})) AS e
        WHERE id NOT IN (SELECT person_id FROM candidate) AND NOT EXISTS (FROM std_registry s
            WHERE s.person_id = e.id OR (s.household_number = e.household_number AND s.name = e.name))
        QUALIFY row_number() OVER (PARTITION BY id ORDER BY delivered DESC, household_number) = 1""")


def _doubt_rounded_numbers(run: Linking) -> None:
    """A number ending in 000 whose check character holds may still be Excel's rounding.

    It is damaged when nobody else in the county has it and somebody of this name and place has another number.
    """
    rounded = run.con.execute("SELECT count(*) FROM candidate WHERE number LIKE '%000'").fetchone()
    if not rounded or not rounded[0]:
        return
    run.con.execute("CREATE OR REPLACE TEMP TABLE maybe_rounded AS SELECT * FROM doubted WHERE number LIKE '%000'")
    run.con.execute("""
        CREATE OR REPLACE TEMP TABLE rounded AS
        SELECT person_id FROM maybe_rounded AS r GROUP BY person_id
        HAVING count(DISTINCT name) = 1
            AND (count(*) FILTER (feed = 'registry') = 0 OR (count(*) = 1))
            AND EXISTS (SELECT 1 FROM candidate c WHERE c.person_id <> r.person_id AND c.name = any_value(r.name)
                AND CASE WHEN min(r.village) IS NULL THEN c.township = min(r.township)
                         ELSE c.village = min(r.village) AND coalesce(c.township = min(r.township), true) END)""")
    held = run.con.execute("SELECT DISTINCT feed FROM maybe_rounded SEMI JOIN rounded USING (person_id)").fetchall()
    for (feed,) in held:
        run.con.execute(f"""
            UPDATE std_{feed} SET number_raw = number, number = NULL, number_state = 'damaged', person_id = NULL
            WHERE person_id IN (SELECT person_id FROM rounded)""")
    if held:
        run.con.execute("DELETE FROM candidate WHERE person_id IN (SELECT person_id FROM rounded)")


def _resolve(run: Linking, feeds: list[str]) -> None:
    """Links, reviews or makes new persons of the undecided rows of these feeds."""
    con = run.con
    rows = []
    for feed in feeds:
        entity = {"registry": "household_number", "dibao": "certificate", "monitored": "household_number", "housing": "household_number",
                  "visits": "household_number"}.get(feed, "NULL")  # fmt: skip
        rows.append(
            f"SELECT '{feed}' AS feed, delivered, part, row, {', '.join(PROFILE)}, {entity} AS entity FROM std_{feed} "
            "WHERE person_id IS NULL AND (name IS NOT NULL OR number_state IN ('damaged', 'invalid'))"
        )
    con.execute(f"CREATE OR REPLACE TEMP TABLE undecided AS {' UNION ALL '.join(rows)}")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE profile AS
        SELECT row_number() OVER () AS profile_id, *, {KEY} AS key FROM
            (SELECT DISTINCT feed, {", ".join(PROFILE)}, entity FROM undecided)""")
    con.execute("CREATE OR REPLACE TEMP TABLE decided (profile_id BIGINT, person_id BIGINT, step VARCHAR)")
    con.execute("CREATE OR REPLACE TEMP TABLE doubtful (profile_id BIGINT, person_id BIGINT, step VARCHAR)")
    _decide(run)
    for step, condition in STEPS.items():
        _step(run, step, condition)
    con.execute(f"""
        INSERT INTO doubtful SELECT p.profile_id, c.person_id, 'name+village'
        FROM profile p JOIN candidate c ON p.name = c.name AND {SAME_VILLAGE} AND {NOT_CONTRADICTED}
        WHERE p.profile_id NOT IN (SELECT profile_id FROM decided)""")
    if run.decisions:
        con.execute(f"DELETE FROM doubtful AS f WHERE {_REFUSED}")
    con.execute("DELETE FROM doubtful WHERE profile_id IN (SELECT profile_id FROM decided)")
    # A registry row is always a member of its household, so a doubtful one is a person of its own until decided.
    # Dwellings and visits of a known 户编号 lead to that household instead of making somebody new.
    con.execute("""
        CREATE OR REPLACE TEMP TABLE fresh AS
        SELECT * FROM profile WHERE name IS NOT NULL AND profile_id NOT IN (SELECT profile_id FROM decided)
            AND (feed = 'registry' OR profile_id NOT IN (SELECT profile_id FROM doubtful))
            AND NOT (feed IN ('housing', 'visits') AND coalesce(entity IN (SELECT household_number FROM std_registry), false))""")
    con.execute(f"INSERT INTO decided SELECT profile_id, {_NEW_PERSON}, 'new' FROM ({_TOGETHER})")
    # A number that cannot be used and no name beside it: nobody can be found, and a person has to ask the department.
    con.execute("""
        INSERT INTO doubtful SELECT profile_id, NULL, 'nobody' FROM profile
        WHERE name IS NULL AND profile_id NOT IN (SELECT profile_id FROM decided UNION ALL SELECT profile_id FROM doubtful)
            AND NOT (feed IN ('housing', 'visits') AND coalesce(entity IN (SELECT household_number FROM std_registry), false))""")
    same = " AND ".join(f"u.{c} IS NOT DISTINCT FROM p.{c}" for c in ("feed", *PROFILE, "entity"))
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE profiled AS
        SELECT u.*, p.profile_id, p.key FROM undecided u JOIN profile p ON {same}""")
    con.execute("""
        INSERT INTO link SELECT feed, delivered, part, row, name, d.person_id, d.step, key
        FROM profiled JOIN decided d USING (profile_id)""")
    con.execute("""
        INSERT INTO link_review
        SELECT feed, delivered, part, row, name, birth_date, sex, phone, township, village, number_raw,
            CASE WHEN d.steps = 'nobody' THEN '证件号码不能用，又没有姓名，请报送单位补充' WHEN d.steps = 'name+village' THEN '姓名和村相同，缺出生日期或电话，不能确定' ELSE '有多名可能的人员，不能确定是哪一位' END,
            d.candidates, d.candidate_ids, key
        FROM profiled JOIN (
            SELECT profile_id, count(DISTINCT person_id)::INT AS candidates, string_agg(DISTINCT step, ' ' ORDER BY step) AS steps,
                string_agg(DISTINCT person_id::VARCHAR, ',' ORDER BY person_id::VARCHAR) AS candidate_ids
            FROM doubtful GROUP BY profile_id) d USING (profile_id)""")


# Rows of nobody known are of one person by the first two steps of the list: of one name, birth date and village (which no
# other village of that name contradicts), else of one name and birth date where no village does; never where sexes differ. Rows
# of the registry are two persons, and what has no birth date is only the person of a row that is alike in all its words.
_TOGETHER = """
    SELECT *, CASE WHEN feed = 'registry' OR birth_date IS NULL THEN NULL
        WHEN villages <= 1 AND towns <= 1 AND sexes <= 1 THEN 'birth'
        WHEN village IS NOT NULL AND towns_here <= 1 AND sexes_here <= 1 THEN 'village' END AS level
    FROM fresh LEFT JOIN (
        SELECT name, birth_date, count(DISTINCT village) AS villages, count(DISTINCT township) AS towns, count(DISTINCT sex) AS sexes
        FROM fresh WHERE feed <> 'registry' GROUP BY ALL) USING (name, birth_date)
    LEFT JOIN (
        SELECT name, birth_date, village, count(DISTINCT township) AS towns_here, count(DISTINCT sex) AS sexes_here
        FROM fresh WHERE feed <> 'registry' GROUP BY ALL) USING (name, birth_date, village)"""
# The key holds only what all rows of the person have in common, so that a month in which one of them is missing changes nothing.
_NEW_PERSON = f"""CASE level
    WHEN 'birth' THEN (md5_number_lower(concat_ws('|', 'no number', name, birth_date)) >> 4)::BIGINT
    WHEN 'village' THEN (md5_number_lower(concat_ws('|', 'no number', name, birth_date, village)) >> 4)::BIGINT
    ELSE {new_person("CASE WHEN feed = 'registry' THEN 'registry|' || entity END")} END"""

# `f` is a row and a person; a person whom somebody ruled out for the row, or all of them.
_REFUSED = "EXISTS (SELECT 1 FROM refused r WHERE r.profile_id = f.profile_id AND (r.person_id IS NULL OR r.person_id = f.person_id))"


def _decide(run: Linking) -> None:
    """Rows that a person decided: linked before all steps where any row of a feed, or a mention, knows that person."""
    if not run.decisions:
        return
    con = run.con
    known = " UNION ALL ".join(
        [*(f"SELECT person_id FROM std_{feed}" for feed in run.person_feeds), "SELECT person_id FROM mention"]
    )
    con.execute(f"""
        INSERT INTO decided SELECT profile_id, d.person_id, 'decided' FROM profile JOIN decided_row d USING (key)
        WHERE d.person_id IN (SELECT person_id FROM ({known}) WHERE person_id IN (SELECT person_id FROM decided_row))""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE refused AS
        SELECT profile_id, r.person_id FROM profile JOIN refused_row r USING (key)""")


def _step(run: Linking, step: str, condition: str) -> None:
    """One step of the cascade over the profiles not yet decided."""
    ruled_out = f"AND NOT {_REFUSED}" if run.decisions else ""
    run.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE fits AS
        SELECT p.profile_id, c.person_id, p.feed, p.sex, p.birth_date, p.entity,
            count(*) OVER (PARTITION BY p.profile_id) AS candidates
        FROM profile p JOIN candidate c ON {condition} AND {NOT_CONTRADICTED}
        WHERE p.profile_id NOT IN (SELECT profile_id FROM decided)""")
    # Rows of one feed that fit the same person must not contradict each other: two rows of the registry are two persons.
    run.con.execute("""
        CREATE OR REPLACE TEMP TABLE crowded AS
        SELECT feed, person_id FROM (
            SELECT feed, person_id, sex, birth_date, entity FROM fits WHERE candidates = 1
            UNION ALL
            SELECT q.feed, d.person_id, q.sex, q.birth_date, q.entity FROM decided d JOIN profile q USING (profile_id))
        GROUP BY feed, person_id
        HAVING count(DISTINCT sex) > 1 OR count(DISTINCT birth_date) > 1
            OR (feed = 'registry' AND count(DISTINCT entity) > 1)""")
    run.con.execute(f"""
        INSERT INTO decided SELECT profile_id, person_id, '{step}' FROM fits f WHERE candidates = 1
            AND NOT EXISTS (SELECT 1 FROM crowded w WHERE w.feed = f.feed AND w.person_id = f.person_id) {ruled_out}""")
    run.con.execute(f"""
        INSERT INTO doubtful SELECT profile_id, person_id, '{step}' FROM fits
        WHERE profile_id NOT IN (SELECT profile_id FROM decided)""")
