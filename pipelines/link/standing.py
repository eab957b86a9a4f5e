"""Which delivered rows stand at the period: fills the tables `std_<feed>` from the deliveries.

State feeds: a delivery is the whole state of the townships that occur in it (of the county, where the feed has no
township or the delivery names none), so rows of an earlier delivery are loaded only where no later one covers their
township. A blank township is read from the registry where the row's number stands there. Event feeds: all deliveries
add up; `settle_events`, after linking, marks the rows that a later one with the same key replaced (`counts` = false).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from monitoring.feeds import Feed
from pipelines.abreast import abreast
from pipelines.link.context import Linking, born, sex_of
from pipelines.link.scanning import alike, columns_of, scan
from pipelines.storing import columns_sql

DUCKDB_TYPES = {
    "amount": "DECIMAL(14,2)", "count": "BIGINT", "year": "BIGINT", "yesno": "BOOLEAN", "date": "DATE", "month": "DATE",
}  # fmt: skip
PERSON_COLUMNS = {
    "person_id": "BIGINT", "number": "VARCHAR", "number_state": "VARCHAR", "number_raw": "VARCHAR", "name": "VARCHAR",
    "sex": "VARCHAR", "birth_date": "DATE", "phone": "VARCHAR", "head_name": "VARCHAR", "head_number": "VARCHAR",
    "relation": "VARCHAR", "township": "VARCHAR", "village": "VARCHAR",
}  # fmt: skip
REGISTRY_TOWNSHIP = "memory.main.registry_township"  # seen from every connection of the run, and not published
REPLACED_BY_NUMBER = {"id_number": None, "head_id_number": None, "official_id_number": "official_number"}


def std_columns(feed: Feed) -> dict[str, str]:
    """Columns of std_<feed> after delivered, part, row, counts: name -> DuckDB type."""
    columns = dict(PERSON_COLUMNS) if feed.subject == "person" else {"township": "VARCHAR", "village": "VARCHAR"}
    for column in feed.std_columns().values():
        name = REPLACED_BY_NUMBER.get(column.name, column.name)
        if name is None or name in columns:
            continue
        columns[name] = (
            "BIGINT" if column.type == "code" and column.number else DUCKDB_TYPES.get(column.type, "VARCHAR")
        )
    columns["extra"] = "VARCHAR"
    return columns


def load_standing(run: Linking) -> None:
    """Creates all std tables; the registry first, because blank townships are read from it where deliveries overlap."""
    _load(run, run.con, "registry")
    if len(run.deliveries) > 1:
        run.con.execute(f"""
            CREATE OR REPLACE TABLE {REGISTRY_TOWNSHIP} AS
            SELECT person_id, min(township) AS township FROM std_registry WHERE person_id IS NOT NULL GROUP BY person_id""")
    others = sorted((f for f in run.feeds if f != "registry"), key=functools.partial(_bytes, run), reverse=True)
    abreast(run.con, [functools.partial(_load, run, feed_id=feed_id) for feed_id in others])


def _bytes(run: Linking, feed_id: str) -> int:
    """How much the deliveries hold of a feed: the largest begin first, so that none is left for the end."""
    return sum(d.rows[feed_id].stat().st_size for d in run.deliveries if feed_id in d.rows)


def _load(run: Linking, con: duckdb.DuckDBPyConnection, feed_id: str) -> None:
    """std_<feed> of one feed."""
    feed = run.feeds[feed_id]
    pieces = [Piece(d.period, d.rows[feed_id]) for d in run.deliveries if feed_id in d.rows]
    if feed.kind != "event" and feed.by_township:
        pieces = _uncovered(con, feed, pieces)
    elif feed.kind != "event":
        last = [d for d in run.deliveries if feed_id in d.feeds][-1:]
        pieces = [piece for piece in pieces if last and piece.period == last[0].period]
    _create(run, con, feed, pieces)


@dataclass(frozen=True)
class Piece:
    """Rows of one delivery that stand: all, or those of `townships` (None among them: rows without any)."""

    period: int
    path: Path
    townships: frozenset[str | None] | None = None


def _column(name: str) -> str:
    return f'"{name}"'


def _create(run: Linking, con: duckdb.DuckDBPyConnection, feed: Feed, pieces: Sequence[Piece]) -> None:
    """std_<feed> from its pieces, filled in one statement: that is what DuckDB writes fastest."""
    types = std_columns(feed)
    origin = {"delivered": "INTEGER", "part": "INTEGER", "row": "INTEGER", "counts": "BOOLEAN"}
    con.execute(f"CREATE TABLE std_{feed.id} ({columns_sql(origin | types)})")
    if not pieces:
        return
    by_period = {piece.period: piece for piece in pieces}
    selects = " UNION ALL ".join(
        _select(feed, types, [by_period[period] for period in files])
        for files in alike({piece.period: piece.path for piece in pieces})
    )
    con.execute(f"""
        INSERT INTO std_{feed.id} BY NAME SELECT delivered, part, row, {_dated(run, feed)} AS counts, * EXCLUDE (delivered, part, row)
        FROM ({selects})""")


def _dated(run: Linking, feed: Feed) -> str:
    """Whether a row's date has come; see `settle_events` for the feeds that ask this last."""
    asked = feed.id in DATE_OF and feed.id not in DATED_LAST
    return f"NOT coalesce({DATE_OF[feed.id]} > {run.as_of_sql}, false)" if asked else "true"


def _select(feed: Feed, types: Mapping[str, str], pieces: Sequence[Piece]) -> str:
    """The columns of std_<feed> as these deliveries have them; one that the feed file did not know then is NULL."""
    have = columns_of(pieces[0].path)
    picked = ", ".join(
        f"CAST({'r.' + _column(n) if n in have else 'NULL'} AS {t}) AS {_column(n)}" for n, t in types.items()
    )
    return (
        f"SELECT r.delivered, part::INTEGER AS part, row::INTEGER AS row, {picked} "
        f"FROM {scan({p.period: p.path for p in pieces})} AS r {_standing(feed, pieces)}"
    )


def _standing(feed: Feed, pieces: Sequence[Piece]) -> str:
    """The condition (and the join that it needs) by which only the townships of a piece stand that no later one covers."""
    partly = [piece for piece in pieces if piece.townships is not None]
    if not partly:
        return ""
    stand = [f"r.delivered NOT IN ({', '.join(str(piece.period) for piece in partly)})"]
    for piece in partly:
        townships = piece.townships or frozenset()
        named = ", ".join("'" + t.replace("'", "''") + "'" for t in sorted(x for x in townships if x is not None))
        either = [f"{_township(feed)} IN ({named})"] if named else []
        either += [f"{_township(feed)} IS NULL"] if None in townships else []
        stand.append(f"(r.delivered = {piece.period} AND ({' OR '.join(either)}))")
    return f"{_placed(feed)} WHERE {' OR '.join(stand)}"


def _uncovered(con: duckdb.DuckDBPyConnection, feed: Feed, pieces: Sequence[Piece]) -> list[Piece]:
    """The last delivery whole, and of earlier ones the townships that no later one has stated.

    A delivery without a usable row states nothing; one of which no township is known is the state of the whole county.
    """
    if len(pieces) < 2:
        return list(pieces)
    stated = " UNION ALL ".join(
        f"SELECT r.delivered, {_township(feed)} FROM {scan(files)} AS r {_placed(feed)}"
        for files in alike({piece.period: piece.path for piece in pieces})
    )
    found: dict[int, set[str | None]] = {}
    for period, township in con.execute(f"SELECT DISTINCT * FROM ({stated})").fetchall():
        found.setdefault(period, set()).add(township)
    standing: list[Piece] = []
    covered: set[str | None] = set()
    for piece in reversed(pieces):
        townships = found.get(piece.period, set())
        left = townships - covered
        if left == townships and townships:
            standing.append(piece)
        elif left:
            standing.append(Piece(piece.period, piece.path, frozenset(left)))
        if townships == {None}:
            break
        covered |= townships
    return standing


def _placed(feed: Feed) -> str:
    """The join that gives a row its person's township of the registry."""
    known = feed.by_township and feed.subject == "person" and feed.id != "registry"
    return f"LEFT JOIN {REGISTRY_TOWNSHIP} g ON g.person_id = r.person_id" if known else ""


def _township(feed: Feed) -> str:
    """The row's township; where it is blank, that of its person in the registry."""
    return "coalesce(r.township, g.township)" if _placed(feed) else "r.township"


# Rows dated after as-of are loaded but do not count (contract: Time). Outcomes (办结, 备案, 发放 …) are no row dates.
DATE_OF = {
    "dibao": "start_date", "tekun": "start_date", "low_income": "recognised_date", "monitored": "identified_date",
    "disability": "issued_date", "care_groups": "start_date", "social_insurance": "status_date",
    "vehicles": "registered_date", "real_estate": "registered_date", "business": "founded_date", "housing": "graded_date",
    "temporary_aid": "accepted_date", "applications": "applied_date", "income": "checked_date", "deaths": "death_date",
    "insurance": "make_date(insured_year, 1, 1)", "graduates": "graduated_date", "disasters": "hit_date",
    "clues": "registered_date", "medical": "settled_date", "payments": "paid_month",
    "disability_subsidy": "paid_month", "visits": "visited_date",
}  # fmt: skip

WINS = {
    "insurance": "(status = '正常参保') DESC NULLS LAST, ",
    "income": "(coalesce(wage, business_income, property_income, transfer_income, basic_pension) IS NOT NULL) DESC, (coalesce(wage, 0) + coalesce(business_income, 0) + coalesce(property_income, 0) + coalesce(transfer_income, 0)"
    " + coalesce(basic_pension, 0)) DESC, ",
}


DATED_LAST = {"deaths", "clues"}

# Rows of one delivery that have one key and say different things; `key` is what of it is not the person, `counted` the last word.
SAME_KEY = {
    "feed": "VARCHAR", "delivered": "INTEGER", "part": "INTEGER", "row": "INTEGER", "person_id": "BIGINT", "name": "VARCHAR",
    "township": "VARCHAR", "village": "VARCHAR", "key": "VARCHAR", "counted": "BOOLEAN",
}  # fmt: skip


def settle_events(run: Linking) -> None:
    """Sets `counts` where a row is not the last word on its key (rows dated after as-of do not count from the start).

    Of rows with one key the later delivery counts; within one delivery the later date, then the fuller row, then the
    greater text, so that the order of rows never matters. An insured year beats an uninsured one (contract: Words).
    Two rows of the period's own delivery with one key are both kept and reported: `same_key`, in a fixed order.
    """
    run.con.execute(f"CREATE OR REPLACE TABLE same_key ({columns_sql(SAME_KEY)})")
    several = {f for f in run.feeds if sum(f in d.feeds for d in run.deliveries) > 1}
    asked = [feed for f, feed in run.feeds.items() if feed.kind == "event" and (feed.key != ("*",) or f in several)]
    own = run.deliveries[-1].period
    abreast(run.con, [functools.partial(_settle, feed, own) for feed in asked])
    run.con.execute("CREATE OR REPLACE TABLE same_key AS FROM same_key ORDER BY feed, part, row, counted")
    _uncount_future(run)
    _forget_replaced_reviews(run)


def _settle(feed: Feed, delivered: int, con: duckdb.DuckDBPyConnection) -> None:
    """Takes `counts` from the rows of one feed that another one with the same key replaces, and tells those apart that stand
    in one and the same delivery, `delivered`."""
    keys = _key(feed)
    own = [c for c in std_columns(feed) if c not in ("extra", "person_id")]
    dates = [c for c, t in std_columns(feed).items() if t == "DATE" and c != "birth_date"]
    fuller = " + ".join(f'("{c}" IS NOT NULL)::INT' for c in own)
    wins = WINS.get(feed.id, "")
    latest = f"greatest({', '.join(dates)}) DESC NULLS LAST, " if dates else ""
    text = ", ".join(f'"{c}" DESC NULLS LAST' for c in own)
    contested = con.execute(f"""
        CREATE OR REPLACE TEMP TABLE contested AS
        SELECT {", ".join(f"{k} AS k{i}" for i, k in enumerate(keys))} FROM std_{feed.id} WHERE counts
        GROUP BY ALL HAVING count(*) > 1""").fetchall()
    if not contested[0][0]:
        return
    same = " AND ".join(f"{k} IS NOT DISTINCT FROM c.k{i}" for i, k in enumerate(keys))
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE ranked AS
        SELECT s.rowid AS id, {", ".join(f"{k} AS k{i}" for i, k in enumerate(keys))}, s.delivered, row_number() OVER (
            PARTITION BY {", ".join(keys)}
            ORDER BY delivered DESC, {wins}{latest}{fuller} DESC, {text}, part, row) AS place
        FROM std_{feed.id} s JOIN contested c ON {same} WHERE s.counts""")
    if feed.key != ("*",):
        beside = ", ".join(f"k{i}" for i in range(len(keys)))
        shown = ", ".join(f'"{key}"' for key in feed.key if key != "person")
        con.execute(f"""
            INSERT INTO same_key BY NAME
            SELECT '{feed.id}' AS feed, s.delivered, part, row, person_id, name, township, village,
                {f"concat_ws('、', {shown})" if shown else "''"} AS key, place = 1 AS counted
            FROM (SELECT id, place FROM ranked WHERE delivered = {delivered}
                QUALIFY count(*) OVER (PARTITION BY {beside}) > 1) AS r JOIN std_{feed.id} s ON s.rowid = r.id""")
    con.execute(f"UPDATE std_{feed.id} AS s SET counts = false FROM ranked AS p WHERE s.rowid = p.id AND p.place > 1")


def _uncount_future(run: Linking) -> None:
    """Of feeds whose key holds no date, a correction to a later day replaces the row first, and then does not count yet."""
    for feed_id in DATED_LAST & run.feeds.keys():
        run.con.execute(f"UPDATE std_{feed_id} SET counts = false WHERE {DATE_OF[feed_id]} > {run.as_of_sql}")


def _forget_replaced_reviews(run: Linking) -> None:
    """A row that was replaced, or is dated later, waits for nobody's decision."""
    for (feed_id,) in run.con.execute("SELECT DISTINCT feed FROM link_review").fetchall():
        run.con.execute(f"""
            DELETE FROM link_review AS r USING std_{feed_id} s WHERE r.feed = '{feed_id}' AND NOT s.counts
            AND s.delivered = r.delivered AND s.part = r.part AND s.row = r.row""")


def _key(feed: Feed) -> list[str]:
    """The key's columns; a person whose number could not be decided stands for itself by what was written. How a usable number
    was written, with 15 digits or 18, is no value of its own."""
    if feed.key == ("*",):
        own = (c for c in std_columns(feed) if c not in ("extra", "person_id"))
        written = ("number_state", "number_raw")
        return ["person_id", *(f"CASE WHEN number IS NULL THEN {c} END" if c in written else f'"{c}"' for c in own)]
    columns: list[str] = []
    for key in feed.key:
        if key == "person":
            columns += [
                "person_id",
                "CASE WHEN person_id IS NULL THEN concat_ws('|', name, number_raw, birth_date, phone, township, village) END",
            ]
        else:
            columns.append(f'"{key}"')
    return columns


def keep_earlier_certificates(run: Linking) -> None:
    """`earlier_certificate`: disability certificates that stood in earlier deliveries (a renewal is not news).

    One without a usable number is that of the only person of its name, birth date and sex who has a certificate now."""
    earlier = {d.period: d.rows["disability"] for d in run.deliveries[:-1] if "disability" in d.rows}
    stood = " UNION ALL ".join(
        f"SELECT person_id, name, birth_date, sex, grade, issued_date, delivered FROM {scan(files)}"
        for files in alike(earlier)
    )
    nothing = "SELECT NULL AS person_id, NULL AS name, NULL AS birth_date, NULL AS sex, NULL AS grade, NULL AS issued_date, 202001 AS delivered"
    run.con.execute(f"""
        CREATE OR REPLACE TEMP TABLE earlier_certificate AS
        WITH stood AS ({stood or nothing}),
            now AS (SELECT DISTINCT person_id, name, coalesce({born("number")}, birth_date) AS birth_date,
                    coalesce({sex_of("number")}, sex) AS sex
                FROM std_disability WHERE person_id IS NOT NULL AND name IN (SELECT name FROM stood WHERE person_id IS NULL)),
            named AS (SELECT min(n.person_id) AS person_id, s.grade, s.issued_date, s.delivered
                FROM stood s JOIN now n ON n.name = s.name AND n.birth_date = s.birth_date AND coalesce(n.sex = s.sex, true)
                WHERE s.person_id IS NULL GROUP BY s.name, s.birth_date, s.sex, s.grade, s.issued_date, s.delivered
                HAVING count(DISTINCT n.person_id) = 1)
        SELECT DISTINCT person_id::BIGINT AS person_id, grade::INTEGER AS grade, issued_date::DATE AS issued_date,
            last_day(make_date(delivered // 100, delivered % 100, 1)) AS delivered_by
        FROM (SELECT person_id, grade, issued_date, delivered FROM stood WHERE person_id IS NOT NULL UNION ALL FROM named)""")
