"""Who stood in a register of aid in an earlier period and is gone from it without an end: a question to the department.

Writes `vanished`, one row a register and person: where and in which period they last stood in it (`last_period`), with the
household and name of then, since they may be in no file any more. A row that ended says when; one that is simply gone from a
state register says nothing: it is never taken for an end, and no rule reads this table.

What an earlier period's run says is taken from the last one published; a person who comes back, or whose row comes with an
end date, is no longer here, nor is one after twelve months.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

# register: when a row of it was in force on the day `as_of` of its run
REGISTERS = {
    "dibao": "coalesce(start_date <= as_of, true) AND coalesce(end_date > as_of, true)",
    "tekun": "coalesce(start_date <= as_of, true) AND coalesce(end_date > as_of, true)",
    "low_income": "coalesce(recognised_date <= as_of, true) AND coalesce(end_date > as_of, true)",
    "monitored": "household_kind <> '脱贫户' AND NOT coalesce(risk_removed, false)",
}
_COLUMNS = "register, person_id, household_id, name, township, village, last_period"


def carry_vanished(con: duckdb.DuckDBPyConnection, as_of: date, before: Path | None, *, decided: bool = False) -> None:
    """The table, from the run that was published before (None: nothing is known to have been before). `decided`: people have
    said who is whom (`same_person`); whom the run before still knew under another id is looked for under the one that is kept."""
    con.execute("""
        CREATE TABLE vanished (register VARCHAR, person_id BIGINT, household_id VARCHAR, name VARCHAR, township VARCHAR, village VARCHAR, last_period VARCHAR)""")
    if before is None:
        return
    con.execute(f"ATTACH '{str(before).replace(chr(39), chr(39) * 2)}' AS earlier (READ_ONLY)")
    stood = " UNION ALL ".join(_stood(register, force) for register, force in REGISTERS.items())
    here = " UNION ALL ".join(
        f"SELECT '{register}' AS register, person_id FROM std_{register} WHERE counts AND person_id IS NOT NULL"
        for register in REGISTERS
    )
    people = f"{stood} {_carried(con, as_of)}"
    if decided:
        people = f"""SELECT DISTINCT ON (register, person_id) * REPLACE (coalesce(kept, person_id) AS person_id)
            FROM ({people}) LEFT JOIN same_person USING (person_id) ORDER BY register, person_id, last_period DESC"""
    con.execute(f"""
        INSERT INTO vanished SELECT {_COLUMNS} FROM ({people}) AS s
        ANTI JOIN ({here}) AS h ON h.register = s.register AND h.person_id = s.person_id ORDER BY register, person_id""")
    con.execute("DETACH earlier")


def _stood(register: str, force: str) -> str:
    """Who stood in a register in the run before, with household and place of then."""
    return f"""
        SELECT '{register}' AS register, p.person_id, p.household_id, p.name, p.township, p.village, r.period AS last_period
        FROM earlier.person_snapshot AS p CROSS JOIN earlier.run AS r
        WHERE p.person_id IN (SELECT person_id FROM earlier.std_{register} CROSS JOIN earlier.run
                              WHERE counts AND person_id IS NOT NULL AND {force})"""


def _carried(con: duckdb.DuckDBPyConnection, as_of: date) -> str:
    """Those whom the run before had found vanished already, of twelve months; nothing where its version did not look."""
    try:
        con.execute("FROM earlier.vanished LIMIT 0")
    except duckdb.CatalogException:
        return ""
    first = f"{as_of.year - 1}-{as_of.month:02d}"
    return f"UNION ALL SELECT {_COLUMNS} FROM earlier.vanished WHERE last_period >= '{first}'"
