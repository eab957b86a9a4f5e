"""Headings that span two rows under merged cells: the upper one is carried to the right, the lower one wins."""

from __future__ import annotations

import re
from collections.abc import Set

from monitoring.feeds import normalise_heading
from pipelines.reading.model import Sheet
from pipelines.reading.notes import is_note_text

Cells = list[list[str]]  # for each column the normalised headings that it may have, the best first

_VALUE = re.compile(r"\d{4}|^[\d.,%-]+$")


def upper_headings(sheet: Sheet, row: int, top: list[str], below: list[str]) -> list[str]:
    """For each column the upper heading that stands over it: carried to the right through merged cells, or, where the
    file knows of none, through blanks over filled cells.
    """
    merged = {
        column
        for m in sheet.merges
        if m.first_row == row and m.last_column > m.first_column
        for column in range(m.first_column + 1, m.last_column + 1)
    }
    knows_merges = any(m.first_row == row for m in sheet.merges)
    parents, current = [], ""
    for index, cell in enumerate(top):
        filled_below = index < len(below) and below[index] != ""
        if cell:
            current = cell
        elif not (index in merged if knows_merges else filled_below):
            current = ""
        parents.append(current)
    return parents


def joined_cells(top: list[str], below: list[str], parents: list[str], vocabulary: Set[str]) -> Cells | None:
    """The headings that two rows make together, or None when the lower one cannot belong to a heading."""
    if is_note_text(next(cell for cell in below if cell)):
        return None
    cells: Cells = []
    for index, (cell, child, parent) in enumerate(zip(top, below, parents, strict=True)):
        if not child:
            cells.append([normalise_heading(cell)] if cell else [])
            continue
        name = normalise_heading(child)
        joined = [normalise_heading(parent + child), normalise_heading(f"{parent}/{child}")] if parent else []
        hint_only = is_hint(cell, child)
        if len(child) > 30 or (_VALUE.search(child) and not hint_only):
            return None
        known_above = bool(cell) and normalise_heading(cell) in vocabulary
        alone = not spans(index, parents, top)
        if known_above and alone and not hint_only and not vocabulary & {name, *joined}:  # a value under its heading
            return None
        cells.append([*joined, name, *([normalise_heading(cell)] if cell and alone else [])])
    return cells


def spans(index: int, parents: list[str], top: list[str]) -> bool:
    """Whether the upper heading of a column stands over more than this column."""
    after = index + 1 < len(top) and not top[index + 1] and parents[index + 1] == parents[index] != ""
    return after or (not top[index] and parents[index] != "")


def is_hint(cell: str, below: str) -> bool:
    """Whether what stands below a heading is only a bracketed hint to it."""
    return bool(cell) and normalise_heading(cell + below) == normalise_heading(cell)


def shown_headings(top: list[str], below: list[str], parents: list[str]) -> list[str]:
    shown = []
    for index, (cell, child, parent) in enumerate(zip(top, below, parents, strict=True)):
        grouped = child and parent and spans(index, parents, top)
        shown.append(f"{parent}/{child}" if grouped else cell + child if cell.endswith(child) else cell or child)
        if child and not grouped:
            shown[-1] = f"{cell}{child}"
    return shown
