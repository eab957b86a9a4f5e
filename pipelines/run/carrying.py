"""The ledger of all deliveries in use, the freshness of each source, and the history that pages need.

Writes `part`, `quarantine`, `not_data`, `duplicate`, `value_issue`, `supplement`, `heading`, `correction`, `settled`, `feed_township`, `history_figure`,
`history_signal`, `coverage_figure` into the warehouse that is being built, and the earlier periods of `overview_figure`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from monitoring.correcting import settled_sql
from monitoring.queries.programmes import STATES, figures_sql
from pipelines.link.scanning import alike, scan
from pipelines.run.deliveries import LATER_TABLES, LEDGER_TABLES, Delivery
from pipelines.run.figures import carry_figures

HISTORY_PERIODS = 12
FIGURES = {
    "persons": "SELECT township, count(*) FROM person_snapshot WHERE alive GROUP BY township",
    "households": "SELECT township, count(*) FROM household_snapshot GROUP BY township",
    "households_with_signal": "SELECT township, count(DISTINCT household_key) FROM signal WHERE household_key IS NOT NULL GROUP BY township",
    "dibao_persons": "SELECT township, count(*) FROM person_snapshot WHERE on_dibao GROUP BY township",
    "tekun_persons": "SELECT township, count(*) FROM person_snapshot WHERE on_tekun GROUP BY township",
    "low_income_persons": "SELECT township, count(*) FROM person_snapshot WHERE alive AND low_income_household GROUP BY township",
    "monitored_persons": "SELECT township, count(*) FROM person_snapshot WHERE alive AND monitored_household GROUP BY township",
}


def carry_ledger(con: duckdb.DuckDBPyConnection, deliveries: Sequence[Delivery], period: int) -> None:
    """The ledger tables of the deliveries; rows of this period's are whole, of earlier ones their parts only."""
    now = {d.period: d for d in deliveries if d.period == period}
    for table in LEDGER_TABLES:
        files = {d.period: d.ledger(table) for d in (deliveries if table == "part" else now.values())}
        more = {"part": f", delivered = {period} AS this_period", "duplicate": ", delivered AS first_delivered"}
        scans = " UNION ALL ".join(f"SELECT *{more.get(table, '')} FROM {scan(same)}" for same in alike(files))
        con.execute(f"CREATE TABLE {table} AS {scans}")
    for table, columns in LATER_TABLES.items():
        there = {d.period: d.ledger(table) for d in now.values() if d.ledger(table).exists()}
        scans = " UNION ALL ".join(f"SELECT * FROM {scan(same)}" for same in alike(there))
        con.execute(
            f"CREATE TABLE {table} AS {scans}" if scans else f"CREATE TABLE {table} (delivered INTEGER, {columns})"
        )
    con.execute(f"CREATE TABLE settled AS {settled_sql()}")


def carry_freshness(con: duckdb.DuckDBPyConnection, feeds: Sequence[str]) -> None:
    """`feed_township`: for every feed and township the latest delivery and the rows that count."""
    rows = " UNION ALL ".join(
        f"SELECT '{f}' AS feed, township, {'NULL' if f == 'institutions' else 'person_id'} AS person_id, delivered FROM std_{f} WHERE counts"
        for f in feeds
    )
    con.execute(f"""
        CREATE TABLE feed_township AS
        WITH rows AS NOT MATERIALIZED ({rows})
        SELECT feed, township, max(delivered) AS last_period, count(*) AS rows FROM (
            SELECT feed, township, delivered FROM rows WHERE township IS NOT NULL
            UNION ALL
            SELECT feed, r.township, delivered FROM (FROM rows WHERE township IS NULL) LEFT JOIN resident r USING (person_id)
        ) GROUP BY ALL ORDER BY ALL""")


def carry_history(con: duckdb.DuckDBPyConnection, period: str, before: Path | None) -> None:
    """This period's figures and signals, and those that the last earlier published run carries (`overview_figure` stands)."""
    con.execute("CREATE TABLE history_figure (period VARCHAR, township VARCHAR, measure VARCHAR, value DOUBLE)")
    con.execute("""
        CREATE TABLE history_signal (period VARCHAR, rule VARCHAR, level VARCHAR, subject VARCHAR, household_id VARCHAR,
            person_id BIGINT, record_key VARCHAR)""")
    if before is not None:
        con.execute(f"ATTACH '{str(before).replace(chr(39), chr(39) * 2)}' AS earlier (READ_ONLY)")
        con.execute("INSERT INTO history_figure SELECT * FROM earlier.history_figure WHERE period < ?", [period])
        con.execute(
            """INSERT INTO history_signal SELECT * FROM earlier.history_signal WHERE period < $1 AND period IN
               (SELECT DISTINCT period FROM earlier.history_signal WHERE period < $1 ORDER BY period DESC LIMIT $2)""",
            [period, HISTORY_PERIODS],
        )
        carry_figures(con, period)
        con.execute("DETACH earlier")
    signals = """SELECT township, measure, count(*) AS value
                 FROM (SELECT township, 'signals_' || unnest([level, kind]) AS measure FROM signal) GROUP BY ALL"""
    selects = " UNION ALL ".join(
        [f"SELECT '{period}', township, '{name}', value::DOUBLE FROM ({sql}) AS t(township, value)" for name, sql in FIGURES.items()]
        + [f"SELECT '{period}', township, measure, value::DOUBLE FROM ({signals})"]
    )  # fmt: skip
    con.execute(f"INSERT INTO history_figure {selects} ORDER BY ALL")
    con.execute(
        "INSERT INTO history_signal SELECT period, rule, level, subject, household_id, person_id, record_key FROM signal"
    )


def carry_coverage(con: duckdb.DuckDBPyConnection, period: str) -> None:
    """`coverage_figure`: every programme in every place (`monitoring.queries.programmes`); and by township, beside the other
    figures of the period, so that the next one can say what changed."""
    con.execute(f"CREATE TABLE coverage_figure AS {figures_sql()}")
    states = ", ".join(f"sum({state}) AS {state}" for state in STATES[1:])
    con.execute(
        f"""INSERT INTO history_figure SELECT '{period}', township, concat('coverage ', programme, ' ', state), value::DOUBLE
            FROM (SELECT township, programme, {states} FROM coverage_figure GROUP BY ALL) UNPIVOT (value FOR state IN ({", ".join(STATES[1:])}))
            ORDER BY ALL"""
    )


def earlier_published(pointer_periods: Sequence[str], period: str) -> str | None:
    """The last published period before this one."""
    past = [p for p in pointer_periods if p < period]
    return max(past) if past else None
