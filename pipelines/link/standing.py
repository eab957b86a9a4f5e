"""Which delivered rows stand at the period: fills the tables `std_<feed>` from the deliveries.

State feeds: a delivery is the whole state of the townships that occur in it (of the county, where the feed has no
township or the delivery names none), so rows of an earlier delivery are loaded only where no later one covers their
township. A blank township is read from the registry where the row's number stands there. Event feeds: all deliveries
add up; `settle_events`, after linking, marks the rows that a later one with the same key replaced (`counts` = false).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from monitoring.feeds import Feed
from pipelines.link.context import Linking

DUCKDB_TYPES = {
    "amount": "DECIMAL(14,2)", "count": "BIGINT", "year": "BIGINT", "yesno": "BOOLEAN", "date": "DATE", "month": "DATE",
}  # fmt: skip
PERSON_COLUMNS = {
    "person_id": "BIGINT", "number": "VARCHAR", "number_state": "VARCHAR", "number_raw": "VARCHAR", "name": "VARCHAR",
    "sex": "VARCHAR", "birth_date": "DATE", "phone": "VARCHAR", "head_name": "VARCHAR", "head_number": "VARCHAR",
    "relation": "VARCHAR", "township": "VARCHAR", "village": "VARCHAR",
}  # fmt: skip
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
    """Creates all std tables; the registry first, because blank townships are read from it."""
    for feed_id in ["registry", *sorted(f for f in run.feeds if f != "registry")]:
        feed = run.feeds[feed_id]
        pieces = [Piece(d.period, d.rows[feed_id]) for d in run.deliveries if feed_id in d.rows]
        if feed.kind == "event":
            _create(run, feed, pieces)
        elif feed.by_township:
            _create(run, feed, _uncovered(run, feed, pieces))
        else:
            last = [d for d in run.deliveries if feed_id in d.feeds][-1:]
            _create(run, feed, [piece for piece in pieces if last and piece.period == last[0].period])
        if feed_id == "registry":
            run.con.execute("""
                CREATE OR REPLACE TEMP TABLE registry_township AS
                SELECT person_id, min(township) AS township FROM std_registry WHERE person_id IS NOT NULL GROUP BY person_id""")


@dataclass(frozen=True)
class Piece:
    """Rows of one delivery that stand: all, or those `where` says."""

    period: int
    path: Path
    where: str = ""


def _column(name: str) -> str:
    return f'"{name}"'


def _scan(path: Path) -> str:
    return f"read_parquet('{str(path).replace(chr(39), chr(39) * 2)}')"


def _create(run: Linking, feed: Feed, pieces: Sequence[Piece]) -> None:
    """std_<feed> from its pieces, in one statement: that is what DuckDB writes fastest."""
    types = std_columns(feed)
    if not pieces:
        columns = ", ".join(f"{_column(n)} {t}" for n, t in types.items())
        run.con.execute(
            f"CREATE TABLE std_{feed.id} (delivered INTEGER, part INTEGER, row INTEGER, counts BOOLEAN, {columns})"
        )
        return
    selects = " UNION ALL ".join(_select(feed, types, piece) for piece in pieces)
    run.con.execute(f"CREATE TABLE std_{feed.id} AS {selects}")


def _select(feed: Feed, types: Mapping[str, str], piece: Piece) -> str:
    """The columns of std_<feed> as this delivery has them; one that its feed file did not know then is NULL."""
    have = pl.read_parquet_schema(piece.path)
    picked = ", ".join(
        f"CAST({'r.' + _column(n) if n in have else 'NULL'} AS {t}) AS {_column(n)}" for n, t in types.items()
    )
    return (
        f"SELECT {piece.period}::INTEGER AS delivered, part::INTEGER AS part, row::INTEGER AS row, true AS counts, {picked} "
        f"FROM {_scan(piece.path)} AS r {f'{_placed(feed)} {piece.where}' if piece.where else ''}"
    )


def _uncovered(run: Linking, feed: Feed, pieces: Sequence[Piece]) -> list[Piece]:
    """The last delivery whole, and of earlier ones the townships that no later one has stated.

    A delivery without a usable row states nothing; one of which no township is known is the state of the whole county.
    """
    if len(pieces) < 2:
        return list(pieces)
    stated = " UNION ALL ".join(
        f"SELECT {piece.period}, {_township(feed)} FROM {_scan(piece.path)} AS r {_placed(feed)}" for piece in pieces
    )
    found: dict[int, set[str | None]] = {}
    for period, township in run.con.execute(f"SELECT DISTINCT * FROM ({stated})").fetchall():
        found.setdefault(period, set()).add(township)
    standing: list[Piece] = []
    covered: set[str | None] = set()
    for piece in reversed(pieces):
        townships = found.get(piece.period, set())
        left = townships - covered
        if left == townships and townships:
            standing.append(piece)
        elif left:
            named = ", ".join("'" + t.replace("'", "''") + "'" for t in sorted(x for x in left if x is not None))
            either = [f"{_township(feed)} IN ({named})"] if named else []
            either += [f"{_township(feed)} IS NULL"] if None in left else []
            standing.append(Piece(piece.period, piece.path, f"WHERE {' OR '.join(either)}"))
        if townships == {None}:
            break
        covered |= townships
    return standing


def _placed(feed: Feed) -> str:
    """The join that gives a row its person's township of the registry."""
    known = feed.by_township and feed.subject == "person" and feed.id != "registry"
    return "LEFT JOIN registry_township g ON g.person_id = r.person_id" if known else ""


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


def settle_events(run: Linking) -> None:
    """Sets `counts`: rows dated by as-of; of event rows the last word on their key.

    Of rows with one key the later delivery counts; within one delivery the later date, then the fuller row, then the
    greater text, so that the order of rows never matters. An insured year beats an uninsured one (contract: Words).
    """
    for feed_id, feed in run.feeds.items():
        if feed_id in DATE_OF and feed_id not in DATED_LAST:
            run.con.execute(f"UPDATE std_{feed_id} SET counts = false WHERE {DATE_OF[feed_id]} > {run.as_of_sql}")
        if feed.kind != "event":
            continue
        keys = _key(feed)
        if feed.key == ("*",) and sum(feed_id in d.feeds for d in run.deliveries) < 2:
            continue
        own = [c for c in std_columns(feed) if c not in ("extra", "person_id")]
        dates = [c for c, t in std_columns(feed).items() if t == "DATE" and c != "birth_date"]
        fuller = " + ".join(f'("{c}" IS NOT NULL)::INT' for c in own)
        wins = WINS.get(feed_id, "")
        latest = f"greatest({', '.join(dates)}) DESC NULLS LAST, " if dates else ""
        text = ", ".join(f'"{c}" DESC NULLS LAST' for c in own)
        run.con.execute(f"""
            CREATE OR REPLACE TEMP TABLE contested AS
            SELECT {", ".join(f"{k} AS k{i}" for i, k in enumerate(keys))} FROM std_{feed_id} WHERE counts
            GROUP BY ALL HAVING count(*) > 1""")
        contested = run.con.execute("SELECT count(*) FROM contested").fetchone()
        if not contested or not contested[0]:
            continue
        same = " AND ".join(f"{k} IS NOT DISTINCT FROM c.k{i}" for i, k in enumerate(keys))
        run.con.execute(f"""
            UPDATE std_{feed_id} AS s SET counts = false FROM (
                SELECT s.rowid AS id, row_number() OVER (
                    PARTITION BY {", ".join(keys)}
                    ORDER BY delivered DESC, {wins}{latest}{fuller} DESC, {text}, part, row) AS place
                FROM std_{feed_id} s JOIN contested c ON {same} WHERE s.counts) AS p
            WHERE s.rowid = p.id AND p.place > 1""")
    _uncount_future(run)
    _forget_replaced_reviews(run)


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
    """The key's columns; a person whose number could not be decided stands for itself by what was written."""
    if feed.key == ("*",):
        return ["person_id", *(f'"{c}"' for c in std_columns(feed) if c not in ("extra", "person_id"))]
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
    """`earlier_certificate`: disability certificates that stood in earlier deliveries (a renewal is not news)."""
    run.con.execute("""
        CREATE OR REPLACE TEMP TABLE earlier_certificate (person_id BIGINT, grade INTEGER, issued_date DATE, delivered_by DATE)""")
    for d in run.deliveries[:-1]:
        path = d.rows.get("disability")
        if path is None:
            continue
        run.con.execute(f"""
            INSERT INTO earlier_certificate
            SELECT DISTINCT person_id, grade, issued_date, last_day(make_date({d.period // 100}, {d.period % 100}, 1))
            FROM {_scan(path)} WHERE person_id IS NOT NULL""")
