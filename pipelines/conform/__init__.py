"""Step 2: a part of a department's file -> typed rows, rows for quarantine, and what is worth saying.

`conform_part` one part · `dedupe` one feed of one delivery · `combine_families` files that come in pairs. Decides no
policy: renames, types, splits. rows + quarantine = rows of the part, always (by row number, where `splitting` makes
several rows of one).
"""

from pipelines.conform.duplicates import Deduped, dedupe
from pipelines.conform.families import Combined, combine_families
from pipelines.conform.rows import (
    IDENTITY_COLUMNS,
    PLACE_COLUMNS,
    Conformed,
    conform_part,
    pairing,
    row_schema,
)

__all__ = [
    "IDENTITY_COLUMNS",
    "PLACE_COLUMNS",
    "Combined",
    "Conformed",
    "Deduped",
    "combine_families",
    "conform_part",
    "dedupe",
    "pairing",
    "row_schema",
]
