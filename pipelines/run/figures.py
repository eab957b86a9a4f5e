"""What the overview counts, made once a run by township and village, so that a page adds up a few rows and no more.

Writes `low_income_standing` (one row a living person of the low-income population, as `monitoring.low_income` defines it), `overview_figure` (one row a period and village, with the
periods that the last earlier published run carries) and `overview_money` (one row a month, programme, status and village).
A figure that an earlier run did not make is NULL there: unknown, never 0.
"""

from __future__ import annotations

from datetime import date

import duckdb

from monitoring.low_income import CATEGORIES, standing_sql

PERIODS = 13  # this one and twelve before it
MONTHS = 12  # of money, this one included


def write_figures(con: duckdb.DuckDBPyConnection, period: str, as_of: date) -> None:
    """All three tables of this period, on the run's connection."""
    con.execute(f"CREATE TABLE low_income_standing AS {standing_sql(as_of)}")
    _figures(con, period)
    _money(con, as_of)


def _figures(con: duckdb.DuckDBPyConnection, period: str) -> None:
    """Every count once, by place. A household's category is the first of its members'. What no row counts is 0."""
    persons = ", ".join(
        f"count(*) FILTER (category = '{name}') AS {name}_persons, count(*) FILTER ({name}) AS {name}_listed"
        for name in CATEGORIES
    )
    households = ", ".join(f"count(*) FILTER (c.best = {n}) AS {name}_households" for n, name in enumerate(CATEGORIES))
    best = " ".join(f"WHEN '{name}' THEN {n}" for n, name in enumerate(CATEGORIES))
    parts = (
        f"""SELECT h.township, h.village, count(*) AS households, count(c.best) AS low_income_households, {households},
            count(*) FILTER (c.best IS NULL AND low_income_household IS NULL) AS low_income_unknown_households,
            count(*) FILTER (NOT income_known) AS income_unknown
            FROM household_snapshot h LEFT JOIN (SELECT household_key, min(CASE category {best} END) AS best
                FROM low_income_standing GROUP BY household_key) c USING (household_key) GROUP BY ALL""",
        """SELECT township, village, count(*) AS persons,
            count(*) FILTER (low_income_household IS NULL AND NOT (on_dibao OR on_tekun)) AS low_income_unknown
            FROM person_snapshot WHERE alive GROUP BY ALL""",
        f"""SELECT township, village, count(*) AS low_income_persons, {persons}, count(*) FILTER (by_income) AS other_by_income
            FROM low_income_standing GROUP BY ALL""",
        """SELECT township, village, count(DISTINCT household_key) AS alerts, count(*) AS signals,
            count(DISTINCT household_key) FILTER (level = 'red') AS red, count(DISTINCT household_key) FILTER (kind = 'gap') AS gap,
            count(DISTINCT person_id) FILTER (kind = 'gap' AND subject = 'person') AS gap_persons,
            count(DISTINCT household_key) FILTER (rule = 'EXIT-DECEASED') AS dead_listed
            FROM signal WHERE household_key IS NOT NULL GROUP BY ALL""",
        """SELECT township, village, sum(unknown)::BIGINT AS dibao_unknown FROM rule_outcome WHERE rule = 'GAP-DIBAO' GROUP BY ALL""",
    )
    con.execute(f"""
        CREATE TABLE overview_figure AS
        SELECT '{period}' AS period, township, village, coalesce(sum(COLUMNS(* EXCLUDE (township, village))), 0)::BIGINT
        FROM ({" UNION ALL BY NAME ".join(f"({part})" for part in parts)}) GROUP BY township, village ORDER BY township, village""")


def carry_figures(con: duckdb.DuckDBPyConnection, period: str) -> None:
    """The earlier periods' figures of the run that stands attached as `earlier`, in so far as this version knows them."""
    try:
        theirs = {column[0] for column in con.execute("FROM earlier.overview_figure LIMIT 0").description}
    except duckdb.CatalogException:  # published by a version that did not make them
        return
    ours = [column[0] for column in con.execute("FROM overview_figure LIMIT 0").description]
    con.execute(
        f"""INSERT INTO overview_figure BY NAME SELECT {", ".join(name for name in ours if name in theirs)}
            FROM earlier.overview_figure WHERE period < $1 AND period IN
            (SELECT DISTINCT period FROM earlier.overview_figure WHERE period < $1 ORDER BY period DESC LIMIT {PERIODS - 1})
            ORDER BY period, township, village""",
        [period],
    )


def _money(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Money by the month that it is for. Temporary aid is its own ledger's, by the month in which it was paid: what the
    payments say of it is the same money (their failures are kept, since the ledger has none)."""
    month = f"DATE '{as_of.replace(day=1).isoformat()}'"
    con.execute(f"""
        CREATE TABLE overview_money AS
        SELECT month, programme, status, township, village, count(*) AS payments, coalesce(sum(amount), 0)::DECIMAL(18,2) AS amount, count(*) FILTER (amount IS NULL) AS blank
        FROM (
            SELECT paid_month AS month, item AS programme, status, person_id, amount FROM std_payments
            WHERE counts AND NOT (item = '临时救助' AND status = '成功')
            UNION ALL SELECT paid_month, subsidy_kind, status, person_id, amount FROM std_disability_subsidy WHERE counts
            UNION ALL SELECT date_trunc('month', paid_date)::DATE, '临时救助', '成功', person_id, amount FROM std_temporary_aid
            WHERE counts AND paid_date <= DATE '{as_of.isoformat()}'
        ) LEFT JOIN resident USING (person_id)
        WHERE month > {month} - INTERVAL {MONTHS} MONTH AND month <= {month}
        GROUP BY ALL ORDER BY ALL""")
