"""A risk list from Python: who is on no programme though poor, who cannot be told, and the list as a file.

    python docs/examples/risk_list.py HOME OUT.xlsx

Everything goes through the same filter as the page and `buluo export risk-list`: `ask_from_text` (or `Ask` with `Condition`s)
says what is wanted, `monitoring.queries.risk_lists` counts and shows it masked, `export_list` writes the marked and journalled
file. Field names are those of `monitoring/tables.py`; `fields("household")` lists them with their meaning.
"""

from __future__ import annotations

import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path

from monitoring.access import Scope
from monitoring.lists import Ask, Condition, ask_from_text
from monitoring.lists.exporting import export_list
from monitoring.people import operator
from monitoring.queries import risk_lists
from monitoring.store import open_store
from monitoring.warehouse import Warehouse, publication


def main(home: Path, out: Path, at: datetime) -> int:
    """Prints the counts by township, writes the list, gives the number of its rows."""
    warehouse = Warehouse(publication(home).run_of(None).path)
    # as text, as on the command line …
    poor = ask_from_text("household", "income_pc<650 AND any_dibao=否 AND any_tekun=否", order="income_pc")
    # … or as values; `unknown=True` lets those in of whom it is not known
    unseen = Ask(
        "household", (Condition("visited_recently", "=", ("否",), unknown=True), Condition("level", "=", ("red",)))
    )
    for ask in (poor, unseen):
        counts = risk_lists.by_township(warehouse, Scope(), ask)
        print(f"符合 {counts['fits'].sum()} 户，不能断定 {counts['undecided'].sum()} 户")
        print(counts)
    store = open_store(home)
    try:
        done = export_list(store, operator(getpass.getuser()), warehouse, poor, out, None, "zh", at)
    finally:
        store.close()
        warehouse.close()
    print(f"{done.path}：{done.rows} 行，sha256 {done.sha256}")
    return done.rows


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), datetime.now(UTC))  # noqa: TID251 -- a script of its own is its own command line
