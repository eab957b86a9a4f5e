"""Text files: which encoding, which separator, and every record with its true row number.

Polars splits what is provably plain (every quotation mark opens or closes a field, no record has more fields than the
heading, as many records as line ends); anything else goes record by record through Python's strict `csv`, where a
record that cannot be split is set aside with its reason instead of swallowing its neighbours.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import itertools
import re
from collections.abc import Callable, Iterator

import polars as pl

from pipelines.reading.model import EXCEL_ERRORS, Sheet, Unreadable

SEPARATORS = (",", "\t", ";")
HEAD_BYTES = 1 << 18
MAX_TEXT = 1 << 30
_MAX_JOINED = 50  # lines that one quoted record may span
_LINES_AHEAD = 256  # that are cut at once
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")

Record = tuple[list[str] | None, str, str]  # fields (None: broken), raw text, why


def to_utf8(data: bytes) -> tuple[bytes, str, bool]:
    """The text as UTF-8 without BOM, the name of its encoding, and whether some bytes could not be understood."""
    if len(data) > MAX_TEXT:
        raise Unreadable("文件超过 1 GB，请按乡镇或按月分成几个文件再报")
    if data.startswith(codecs.BOM_UTF8):
        return _checked(data[3:], "utf-8-sig")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16").encode(), "utf-16", False
        except UnicodeError:
            return data.decode("utf-16", "replace").encode("utf-8", "replace"), "utf-16", True
    if b"\0" in data:
        raise Unreadable("这不是文本文件，或者是没有标记的 UTF-16 编码；请用 Excel 打开后另存为 .xlsx 再报")
    return _checked(data, "utf-8")


def _checked(data: bytes, name: str) -> tuple[bytes, str, bool]:
    error_at = _first_error(data)
    if error_at is None:
        if b"\0" in data:
            raise Unreadable("文件里有空字节，多半没有传完整；请重新导出再报")
        return data, name, False
    piece = data[max(0, error_at - HEAD_BYTES) : error_at + HEAD_BYTES].decode("utf-8", "replace")
    if _mostly_readable(piece):  # UTF-8 with a few spoilt bytes
        return data.decode("utf-8", "replace").encode(), name, True
    try:
        return data.decode("gb18030").encode(), "gb18030", False
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")
    if not _mostly_readable(text):
        raise Unreadable("文字编码认不出来（不是 UTF-8、GB18030 或 UTF-16）；请用 Excel 打开后另存为 .xlsx 再报")
    return text.encode(), "gb18030", True


def _first_error(data: bytes) -> int | None:
    """Where the bytes stop being UTF-8: whether they do, Polars tells soonest; where, is found by the piece."""
    with contextlib.suppress(pl.exceptions.ComputeError):
        pl.Series([data]).cast(pl.String)
        return None
    decode = codecs.getincrementaldecoder("utf-8")().decode
    view = memoryview(data)
    try:
        for start in range(0, len(data) or 1, 1 << 20):
            decode(view[start : start + (1 << 20)], start + (1 << 20) >= len(data))
    except UnicodeDecodeError:
        return start
    return None


def _mostly_readable(text: str) -> bool:
    bad = text.count("\ufffd")
    return bad <= 3 or bad * 50 < len(text) - len(text.encode("ascii", "ignore"))


class _Lines:
    """The lines of a text, cut only as far as somebody asks: of most texts the head is all that is looked at."""

    def __init__(self, text: str) -> None:
        self._rest, self.cut = _LINES.finditer(text), list[str]()

    def reach(self, number: int) -> bool:
        """Whether there is a line of this number (from 0); all up to it are in `cut` then."""
        if number >= len(self.cut):
            ahead = itertools.islice(self._rest, max(number + 1 - len(self.cut), _LINES_AHEAD))
            self.cut += (match.group() for match in ahead)
        return number < len(self.cut)


def split_records(
    text: str, separator: str, width: int | None = None, *, damaged: bool = False, partial: bool = False
) -> Iterator[Record]:
    """Every record of a text, blank lines included. `width`: columns of the heading, where that is known already;
    `partial`: the text may end in the midst of a record.
    """
    lines, at = _Lines(text), 0
    while lines.reach(at):
        line = lines.cut[at]
        if damaged and "\ufffd" in line:
            yield None, line.rstrip("\r\n"), "这一行有认不出的字（编码已损坏），请重新导出"
            at += 1
            continue
        if '"' not in line:
            line = line.rstrip("\r\n")
            yield line.split(separator), line, ""
            at += 1
            continue
        more = lines.reach(at + _MAX_JOINED)
        following = lines.cut[at : at + _MAX_JOINED]
        fields, taken = _quoted(following, separator, width)
        if fields is None and partial and not more:
            return
        raw = "".join(following[:taken])
        yield (
            fields,
            raw.rstrip("\r\n"),
            "" if fields is not None else "这一行的引号不成对，分不清各列；请去掉多余的引号",
        )
        at += taken


def _quoted(lines: list[str], separator: str, width: int | None) -> tuple[list[str] | None, int]:
    """Fields and number of lines of the record that begins at the first of these lines, which has a quotation mark.

    A line that is complete by itself is a record; else the next lines belong to it as long as the quotation is open,
    but not where that swallows a whole other record: that is a stray mark, and only its own line is broken.
    """
    joined = ""
    for taken, line in enumerate(lines, 1):
        joined += line
        if '"' not in line:
            continue
        try:
            fields = next(csv.reader([joined.rstrip("\r\n")], delimiter=separator, strict=True))
        except csv.Error as error:
            if "unexpected end" in str(error):  # still open
                continue
            return None, 1
        full = max(2, (width or len(fields)) - 1)
        swallowed = any("\n" in field and field.count(separator) >= full for field in fields)
        if taken > 1 and (swallowed or (width and len(fields) > width)):
            return None, 1
        return fields, taken
    return None, 1


def read_text(data: bytes, damaged: bool, choose: Callable[[dict[str, Sheet]], tuple[str, tuple[int, ...]]]) -> Sheet:
    """The file as one sheet. `choose` gets the head of the file split by each separator and names the right one with
    its heading rows (none if there is no heading); what lies beyond the heading's columns belongs to no column.
    """
    cut = len(data) > HEAD_BYTES
    head_bytes = data[: data.rfind(b"\n", 0, HEAD_BYTES) + 1 or HEAD_BYTES] if cut else data
    head = head_bytes.decode("utf-8", "replace")
    heads = {s: list(itertools.islice(split_records(head, s, partial=cut), 200)) for s in SEPARATORS}
    separator, heading_rows = choose({s: _sheet(records, _widest(records)) for s, records in heads.items()})
    found = heads[separator]
    width = _widest([found[row - 1] for row in heading_rows] or found)
    grid = None if damaged or _has_lone_cr(data) else _fast(data, separator, width)
    if grid is not None:
        looked_through = b"#" in data or (b'"' in data and b'""' in data)
        return Sheet("", without_errors(grid) if looked_through else grid)
    cleaned, broken = _clean(data.decode(), separator, width, damaged)
    grid = _fast(cleaned, separator, width)
    if grid is None:  # not seen yet; better no file than one with wrong rows
        raise Unreadable("文件里的引号和换行太乱，分不清各行；请用 Excel 打开后另存为 .xlsx 再报")
    return Sheet("", without_errors(grid), broken=broken)


def _has_lone_cr(data: bytes) -> bool:
    """Whether a line ends in CR alone. (`bytes.count` takes ten times as long, and holds up every other thread.)"""
    import numpy as np

    if b"\r" not in data:
        return False
    view = np.frombuffer(data, dtype=np.uint8)
    after = np.flatnonzero(view == ord("\r")) + 1
    return bool(after[-1] == len(view) or (view[after] != ord("\n")).any())


def _line_ends(data: bytes) -> int:
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n")))


def _clean(text: str, separator: str, width: int, damaged: bool) -> tuple[bytes, dict[int, tuple[str, str]]]:
    """The text in a form that is provably plain, one record for each record: what cannot be split is an empty line
    there, and stands under its row number with why and its text in the second value.
    """
    broken: dict[int, tuple[str, str]] = {}
    lines = []
    for number, (fields, raw, why) in enumerate(split_records(text, separator, width, damaged=damaged), 1):
        if fields is None:
            broken[number] = (why, raw)
            lines.append("")
        elif surplus := _surplus(fields, width):
            broken[number] = (surplus, raw)
            lines.append("")
        elif '"' in raw:
            lines.append(separator.join('"' + field.replace('"', '""') + '"' for field in fields[:width]))
        else:
            lines.append(raw if len(fields) <= width else separator.join(fields[:width]))
    return "\n".join([*lines, ""]).encode(), broken


def without_errors(grid: pl.DataFrame) -> pl.DataFrame:
    """Formulas that failed (#N/A …) and empty texts become nulls."""
    return grid.with_columns(pl.when(~pl.all().is_in(["", *EXCEL_ERRORS])).then(pl.all()))


def _fast(data: bytes, separator: str, width: int) -> pl.DataFrame | None:
    """The grid by Polars, or None when it is not certain that Polars sees exactly the records that are there."""
    if b'"' in data:
        records = _well_quoted(data, separator, width)
        if records is None:
            return None
    else:
        records = _line_ends(data)
    records += not data.endswith(b"\n")
    quote = '"' if b'"' in data else None
    names = [f"c{i}" for i in range(width)]
    first = data[: data.find(b"\n")]
    try:
        if first.strip() and b'"' not in first and first.count(separator.encode()) == width - 1:
            schema = dict.fromkeys(names, pl.String)
            grid = pl.read_csv(data, has_header=False, schema=schema, separator=separator, quote_char=quote)
        else:  # Polars goes by the first line: one of the right width is put before them all
            headed = separator.join(names).encode() + b"\n" + data
            grid = pl.read_csv(headed, separator=separator, infer_schema=False, quote_char=quote)
    except pl.exceptions.PolarsError:  # a record with more fields than the head of the file has
        return None
    return grid if grid.height == records else None


def _well_quoted(data: bytes, separator: str, width: int) -> int | None:
    """The number of line ends outside quotations; None unless every mark opens, closes or is doubled in a field and no
    field with a line end holds as many separators as a whole record (two stray marks with records between them).

    Marks alternate: each even one must follow a separator, a line end or a mark, each odd one must precede one.
    That is the whole grammar of quoting, so the check is exact by induction over the marks.
    """
    import numpy as np

    view = np.frombuffer(data, dtype=np.uint8)
    marks = np.flatnonzero(view == ord('"'))
    if len(marks) % 2:
        return None
    edges = np.frombuffer(b"\n" + data[:1] + data[-1:] + b"\n", dtype=np.uint8)
    before = np.where(marks[::2] > 0, view[marks[::2] - 1], edges[0])
    closing = marks[1::2]
    after = np.where(closing + 1 < len(view), view[np.minimum(closing + 1, len(view) - 1)], edges[-1])
    outside = [ord(separator), ord("\n"), ord('"')]
    if not (np.isin(before, outside).all() and np.isin(after, [*outside, ord("\r")]).all()):
        return None
    ends = np.flatnonzero(view == ord("\n"))
    opened = np.searchsorted(marks, ends)
    if (inside := np.unique(opened[opened % 2 == 1])).size:
        cuts = np.flatnonzero(view == ord(separator))
        held = np.searchsorted(cuts, marks[inside]) - np.searchsorted(cuts, marks[inside - 1])
        if (held >= max(2, width - 1)).any():
            return None
    return int((opened % 2 == 0).sum())


def _widest(records: list[Record]) -> int:
    return max((len(fields) for fields, _, _ in records if fields), default=1)


def _surplus(fields: list[str], width: int) -> str:
    """What is wrong with a record that has something beyond the heading's columns; "" for the others."""
    if len(fields) <= width or not any(field.strip() for field in fields[width:]):
        return ""
    return f"这一行有 {len(fields)} 列，表头只有 {width} 列；多半是内容里带了分隔符"


def _sheet(records: list[Record], width: int) -> Sheet:
    """The head of a file as a sheet of `width` columns; shorter records end in blanks."""
    rows = [[*(fields or ()), *[""] * width][:width] for fields, _, _ in records]
    columns = list(zip(*rows, strict=True)) or [()] * width
    return Sheet("", pl.DataFrame({f"c{i}": pl.Series(c, dtype=pl.String) for i, c in enumerate(columns)}))
