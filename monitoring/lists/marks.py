"""The mark of an export: by which any 30 of its rows tell whose export they are from, and by nobody without the home's key.

Three layers, all made from one key an export (a keyed digest of its random id), none of which changes what a row says:

1. **A code in every row** (核对码, `A1B2C3-D4E5F6`): the second half is a keyed digest of the first. Survives deleting every
   other column, re-sorting, retyping, any choice of rows. Lost when the column is deleted.
2. **The number of stars** in masked names and numbers (`****1234` or `*********1234`): a keyed choice among spellings of what
   says nothing anyway, by what stays visible in the cell. Survives deleting all other columns, re-sorting, any choice of
   rows. Only in masked exports; lost when stars are made alike.
3. **The order of rows that are alike** by what the list was ordered by: keyed, by the household's number, or the person's where
   the list has it. Survives deleting all but that column and the columns of the order, and leaving out rows; lost by
   re-sorting.

What nobody can survive: rows typed anew in another order with code and stars left out. Then the journal still says who
exported which lists of this period.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from monitoring.queries.risk_lists import Spelling
from monitoring.store.sealing import keyed_digest

CODE = re.compile(r"\b([0-9A-F]{6})-([0-9A-F]{6})\b")
NAME = re.compile(r"^(?P<seen>[^\s*])(?P<stars>\*{1,2})$")
NUMBER = re.compile(r"^(?P<stars>\*{6,9})(?P<seen>[0-9A-Za-z]{4})$")
_HEX = "0123456789abcdef"


def mark_key(home_key: bytes, mark: str) -> str:
    """The key of one export. `mark`: its random id, as the case store keeps it."""
    return keyed_digest(home_key, "export mark", mark)


def spelling(key: str) -> Spelling:
    """SQL of the layers: masked names and numbers; the parameter `mark` is the export's key."""
    name = "CASE WHEN {column} IS NULL OR {column} = '' THEN {column} ELSE left({column}, 1) || repeat('*', 1 + " + _draw("'name' || left({column}, 1)", 2) + ") END"  # fmt: skip
    number = (
        "CASE WHEN {column} IS NULL OR {column} = '' THEN {column} WHEN length({column}) < 8 THEN '********' "
        "ELSE repeat('*', 6 + " + _draw("'number' || right({column}, 4)", 4) + ") || right({column}, 4) END"
    )  # fmt: skip
    return Spelling(name, number, {"mark": key})


def code_sql(row: str) -> str:
    """SQL of a row's code, for the relation with the row's key in `row`."""
    nonce = f"upper(left(sha256($mark || 'nonce' || {row}), 6))"
    return f"{nonce} || '-' || upper(left(sha256($mark || 'code' || {nonce}), 6))"


def order_key_sql(text: str) -> str:
    """SQL by which rows that are alike are ordered."""
    return f"sha256($mark || 'order' || coalesce({text}, ''))"


def code_fits(key: str, nonce: str, code: str) -> bool:
    return hashlib.sha256(f"{key}code{nonce}".encode()).hexdigest()[:6].upper() == code


def order_key(key: str, text: str) -> str:
    return hashlib.sha256(f"{key}order{text}".encode()).hexdigest()


def stars_fit(key: str, found: Mapping[str, str], kind: str) -> bool:
    """Whether a masked cell has the stars that the export would have written; `found` names `seen` and `stars`."""
    most, least = (2, 1) if kind == "name" else (4, 6)
    drawn = _HEX.index(hashlib.sha256(f"{key}{kind}{found['seen']}".encode()).hexdigest()[0]) % most
    return len(found["stars"]) == least + drawn


def _draw(text: str, of: int) -> str:
    return f"((strpos('{_HEX}', left(sha256($mark || {text}), 1)) - 1) % {of})::INT"
