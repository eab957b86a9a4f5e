"""Lists that leave the house: signals, quarantine, ledger and register comparison as .csv, .xlsx or .parquet.

`definitions` says what each export holds, `masking` hides persons, `filters` narrows, `writing` makes the file,
`journal` records every unmasked one. Reads one published warehouse; writes one file, and the journal in the home.
"""

from monitoring.exporting.definitions import EXPORTS, SIGNAL_COLUMNS
from monitoring.exporting.exports import Exported, Unmasking, export, frame_of
from monitoring.exporting.journal import journal_problems, record_unmask

__all__ = [
    "EXPORTS",
    "SIGNAL_COLUMNS",
    "Exported",
    "Unmasking",
    "export",
    "frame_of",
    "journal_problems",
    "record_unmask",
]
