"""Quarantined rows on their way back: each has a key made of what it says, a corrected row brings it along in a column.

The key (更正编号) is a digest of the feed and of the row as it was written, so that it is the same in every run over the same
file. A row of another file that brings it settles the quarantined one: loaded, found to be there already, or quarantined anew.
The quarantined row itself stays where it is counted: the balance of its file does not change by a correction.
"""

from __future__ import annotations

CORRECTION = "更正编号"
WHAT = "要更正什么"
WHOLE_LINE = "整行原文"  # under which a row stands that could not be split into its columns
ORIGIN = "原文件行号"


def key_sql(table: str) -> str:
    """SQL of a quarantined row's key."""
    return f"'G' || upper(left(sha256({table}.feed || ' ' || {table}.raw), 12))"


def settled_sql() -> str:
    """One row is a quarantined row and a row of another file of the period that corrects it: delivered, part, row, by_part,
    by_row, state (loaded, duplicate, quarantined). Reads quarantine, duplicate and correction."""
    return f"""
        SELECT q.delivered, q.part, q."row", c.part AS by_part, c."row" AS by_row,
            CASE WHEN a."row" IS NOT NULL THEN 'quarantined' WHEN d."row" IS NOT NULL THEN 'duplicate' ELSE 'loaded' END AS state
        FROM correction c JOIN quarantine q ON q.delivered = c.delivered AND q.part <> c.part AND c.key = {key_sql("q")}
        LEFT JOIN (SELECT DISTINCT delivered, part, "row" FROM quarantine) a ON a.delivered = c.delivered AND a.part = c.part AND a."row" = c."row"
        LEFT JOIN (SELECT DISTINCT delivered, part, "row" FROM duplicate) d ON d.delivered = c.delivered AND d.part = c.part AND d."row" = c."row"
        ORDER BY ALL"""
