"""A department's quarantined rows as a workbook to correct and send back: its own headings, what to correct, a hidden key.

One sheet a file of the department's, named after it, so that it is read as the same kind of file when it comes back. The rows
are in full (nobody can correct what is masked): for those who may export in full, with a purpose, journalled.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import xlsxwriter

from monitoring.correcting import CORRECTION, ORIGIN, WHAT
from monitoring.exporting.writing import CREATED, SAFE_WORKBOOK
from monitoring.people import Caller, Denied, acting
from monitoring.people.downloads import offer, waiting
from monitoring.people.viewing import stated_purpose
from monitoring.queries.corrections import Sheet, to_correct
from monitoring.store import Store
from monitoring.warehouse import Warehouse

_NOT_IN_A_NAME = re.compile(r"[\[\]:*?/\\']")
_LONGEST_CELL = 32_000


def offer_corrections(
    store: Store, caller: Caller, warehouse: Warehouse, department: str, purpose: str, at: datetime
) -> str:
    """The workbook for one download; its address. Raises Denied (also where there is nothing), SessionOver, PurposeMissing."""
    with acting(store, caller, "export.full", at) as act:
        act.need("page.data")
        if act.person.places is not None:
            raise Denied
        said, sheets = stated_purpose(purpose), to_correct(warehouse, act.person.scope, department)
        if not sheets:
            raise Denied("这个部门没有待更正的行")
        rows = sum(len(one.rows) for one in sheets)
        act.journal("export.full", f"quarantine:{department}", purpose=said, rows=rows)
    path = waiting(store) / f"{secrets.token_hex(16)}.xlsx"
    write_corrections(path, sheets)
    period = warehouse.row("select period from run")["period"]
    name = f"更正-{_NOT_IN_A_NAME.sub('、', department)}-{period}.xlsx"
    return offer(store, caller, "export.full", "corrections", path, name, rows, masked=False, at=at)


def write_corrections(path: Path, sheets: Sequence[Sheet]) -> None:
    """What to correct first, then the department's own columns as text, the row's number, and the key in a hidden column."""
    with xlsxwriter.Workbook(str(path), SAFE_WORKBOOK | {"constant_memory": False}) as book:
        book.set_properties({"created": CREATED})
        text = book.add_format({"num_format": "@"})
        bold = book.add_format({"num_format": "@", "bold": True, "bg_color": "#F5F7FA"})
        told = book.add_format({"num_format": "@", "text_wrap": True, "bg_color": "#FFF6E5", "valign": "top"})
        taken: set[str] = set()
        for one in sheets:
            page = book.add_worksheet(_name(one, taken))
            headings = [WHAT, *one.headings, ORIGIN, CORRECTION]
            page.freeze_panes(1, 1)
            page.set_column(0, 0, 48, told)
            page.set_column(1, len(one.headings) + 1, 18, text)
            page.set_column(len(headings) - 1, len(headings) - 1, 16, text, {"hidden": True})
            for place, heading in enumerate(headings):
                page.write_string(0, place, heading, bold)
            for number, row in enumerate(one.rows, 1):
                cells = [
                    row["reasons"],
                    *(row["cells"].get(heading, "") for heading in one.headings),
                    str(row["row"]),
                    row["key"],
                ]
                for place, cell in enumerate(cells):
                    page.write_string(number, place, str(cell)[:_LONGEST_CELL], told if place == 0 else text)
            page.autofilter(0, 0, len(one.rows), len(headings) - 1)


def _name(one: Sheet, taken: set[str]) -> str:
    """A sheet's name from the file's and the sheet's, 31 places at most, none twice."""
    stem = Path(one.file).stem + (f" {one.sheet}" if one.sheet else "")
    name = plain = _NOT_IN_A_NAME.sub("_", stem)[:28].strip() or "更正"
    number = 1
    while name.casefold() in taken:
        number += 1
        name = f"{plain}{number}"
    taken.add(name.casefold())
    return name
