"""The clues that departments delivered as a file, read from a published run (data/feeds/clues.toml)."""

from __future__ import annotations

from monitoring.alerts.clues import CHANNELS, Delivered, NewClue
from monitoring.warehouse import Warehouse

_CODES = {channel.zh: code for code, channel in CHANNELS.items()}
_TABLE = "select 1 as held from duckdb_tables() where table_name = 'std_clues'"
_ROWS = """
    select c.clue_number, c.name, c.channel, c.registered_date, c.request, c.due_date, c.concluded_date, c.outcome,
        h.household_id, coalesce(h.township, c.township) as township, coalesce(h.village, c.village) as village
    from std_clues c
    left join person_snapshot p on p.person_id = c.person_id
    left join household_snapshot h on h.household_key = p.household_key
    cross join run r
    where c.counts and c.registered_date <= r.as_of
    qualify row_number() over (partition by c.clue_number order by c.delivered desc, c.part desc, c.row desc) = 1
    order by c.registered_date, c.clue_number
"""


def clues_of_run(warehouse: Warehouse) -> list[Delivered]:
    """One for each clue number, the oldest first; what the run did not know yet at its day is not in it."""
    if not warehouse.rows(_TABLE):
        return []
    return [
        Delivered(
            row["clue_number"],
            NewClue(
                _CODES.get(row["channel"] or "", "other"), row["registered_date"], (row["name"] or "")[:64],
                row["request"] or row["channel"] or "", caller=(row["name"] or "")[:64], household_id=row["household_id"],
                township=row["township"], village=row["village"],
            ),
            row["due_date"], row["concluded_date"], row["outcome"],
        )
        for row in warehouse.rows(_ROWS)
    ]  # fmt: skip
