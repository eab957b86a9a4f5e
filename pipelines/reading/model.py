"""The values that reading hands over, and the ones its modules hand each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from pipelines.parsing import Unreadable

__all__ = ["EXCEL_ERRORS", "INVISIBLE", "ROWS_SCHEMA", "FileReading", "Merge", "Part", "Sheet", "Unreadable"]

ROWS_SCHEMA = {"row": pl.Int32, "why": pl.String, "text": pl.String}

# Characters that a cell may hold and still be blank: all kinds of spaces, joiners and marks that nobody sees.
INVISIBLE = (
    " \t\r\n\v\f\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"
)
EXCEL_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#N/A N/A", "#SPILL!", "#CALC!")


EMPTY, NOTES = "空表", "说明页，不是表格"  # why a sheet is no feed
QUIET = (EMPTY, NOTES)  # at these nobody needs to look where the file has a feed beside them
NOTE_COLUMNS = 2  # a sheet beside a ledger with no more columns than these is taken for notes

HEAD = 200  # rows of a sheet among which its heading is looked for


@dataclass(frozen=True)
class Part:
    """One sheet of a workbook, or a text file. Every row up to the last filled one is in exactly one of the frames:
    `rows_read == frame.height + broken.height + not_data.height` (all 0 where no feed was recognised).
    """

    sheet: str  # "" for text files
    feed: str | None
    layout: str = ""
    reason: str = ""  # why no feed: the nearest one and what it lacks
    heading_rows: tuple[int, ...] = ()
    frame: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"row": pl.Int32, "extra": pl.String}))
    not_data: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ROWS_SCHEMA))
    broken: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ROWS_SCHEMA))
    headings: Mapping[str, str] = field(default_factory=dict)  # std name -> heading as the file writes it
    unknown_headings: list[str] = field(default_factory=list)
    scale: Mapping[str, int] = field(default_factory=dict)  # std name -> 10000 where the heading says 万元
    rows_read: int = 0
    rows_in_sheet: int = 0  # up to the last filled row, recognised or not
    columns_in_sheet: int = 0  # where no feed was recognised: the most that are filled in one row
    hidden: bool = False


@dataclass(frozen=True)
class FileReading:
    """What was found in one file. `problem` is set when nothing of it could be used."""

    file: str
    sha256: str
    format: str  # csv | xlsx | xls | unreadable
    encoding: str
    parts: list[Part]
    problem: str | None


@dataclass(frozen=True)
class Merge:
    """A merged area, 1-based rows, 0-based columns, both ends included."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int


@dataclass(frozen=True)
class Sheet:
    """A table as it lies in the file: columns c0, c1 … (String), the first row of the frame is row 1.

    `broken`: row -> (why, text) of rows that could not be split into columns; in `grid` these are null.
    """

    name: str
    grid: pl.DataFrame
    merges: tuple[Merge, ...] = ()
    broken: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    hidden: bool = False

    @property
    def columns(self) -> int:
        """The most cells that are filled in one of the first rows."""
        return max((sum(map(bool, row)) for row in self._head), default=0)

    def head(self, rows: int = HEAD) -> list[list[str]]:
        """The first rows (HEAD at most) as lists of stripped texts, blanks as ""."""
        return self._head[:rows]

    @cached_property
    def _head(self) -> list[list[str]]:
        return [[(v or "").strip(INVISIBLE) for v in row] for row in self.grid.head(HEAD).rows()]
