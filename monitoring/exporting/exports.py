"""One export from beginning to end: query, mask, filter, order, record, write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl

from monitoring.exporting import masking
from monitoring.exporting.definitions import CASE_WORK, EXPORTS, Definition
from monitoring.exporting.filters import parse_where, where_sql
from monitoring.exporting.journal import record_unmask
from monitoring.exporting.writing import check_rows, check_suffix, write_frame

_MAX_HEADINGS = 500  # beyond, one list for all departments would be unreadable anyway


@dataclass(frozen=True)
class Unmasking:
    """Who shows full numbers and names, why, and when; goes into the journal of `home` before the file is begun."""

    home: Path
    who: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Exported:
    """What was written."""

    path: Path
    rows: int
    columns: tuple[str, ...]
    masked: bool


def export(
    connection: duckdb.DuckDBPyConnection,
    what: str,
    *,
    period: str,
    out: Path,
    where: str | Sequence[str] | None = None,
    lang: str = "zh",
    unmask: Unmasking | None = None,
) -> Exported:
    """Writes one export of the warehouse's period (or of the case work's list) to `out`; masked unless `unmask` says who asks for more, and why.

    Raises ValueError, in Chinese and with nothing written, for an unknown export, period, suffix, filter or language,
    and for an unmasked export without a reason.
    """
    check_suffix(out)
    if unmask is not None and not unmask.reason.strip():
        raise ValueError("导出未脱敏的名单必须写明理由（--reason），理由会记入导出日志")
    frame = frame_of(connection, what, period=period, where=where, lang=lang, masked=unmask is None)
    check_rows(out, frame.height)
    if unmask is not None:
        asked = where if isinstance(where, str) else " AND ".join(where or ())
        record_unmask(
            unmask.home, unmask.who, what, period, unmask.reason, frame.height, at=unmask.at, file=out.name, where=asked
        )
    definition = _definition(what, lang)
    write_frame(frame, out, sheet=definition.title_en if lang == "en" else definition.title)
    return Exported(out, frame.height, tuple(frame.columns), unmask is None)


def frame_of(
    connection: duckdb.DuckDBPyConnection,
    what: str,
    *,
    period: str,
    where: str | Sequence[str] | None = None,
    lang: str = "zh",
    masked: bool = True,
) -> pl.DataFrame:
    """The rows of an export, in order, as `export` would write them; raises ValueError like it."""
    definition = _definition(what, lang)
    _check_period(connection, period)
    query = definition.query(lang)
    if masked and definition.masks:
        replaced = ", ".join(f"{sql} AS {column}" for column, sql in definition.masks.items())
        query = f"SELECT * REPLACE ({replaced}) FROM ({query})"
    described = connection.execute(f"DESCRIBE {query}").fetchall()
    types = {str(row[0]): str(row[1]) for row in described}
    condition, values = where_sql(connection, parse_where(where), types, definition.hidden if masked else ())
    columns = ", ".join(f'"{name}"' for name in types)
    asked = f"SELECT * FROM ({query}) WHERE {condition} ORDER BY {definition.order}, {columns}"
    frame: pl.DataFrame = connection.sql(asked, params=values).pl()
    if not definition.spread:
        return frame
    return _spread(frame, definition.spread, _headings(connection, asked, values, definition.spread), masked)


def _definition(what: str, lang: str) -> Definition:
    known = EXPORTS | CASE_WORK
    if what not in known:
        raise ValueError(f"没有导出 {what}；可以导出：{'、'.join(known)}")
    if lang not in ("zh", "en"):
        raise ValueError(f"没有语言 {lang}：只有 zh、en")
    return known[what]


def _check_period(connection: duckdb.DuckDBPyConnection, period: str) -> None:
    held = connection.execute("SELECT period FROM run").fetchall()
    if [row[0] for row in held] != [period]:
        found = "、".join(str(row[0]) for row in held) or "无"
        raise ValueError(f"该结果文件是 {found} 期的，不是 {period} 期的；请先运行 buluo run --period {period}")


def _headings(connection: duckdb.DuckDBPyConnection, asked: str, values: list[str], column: str) -> list[str]:
    """The keys of all JSON objects in a column, feed by feed in the order in which the files have them."""
    keys = f"SELECT feed, unnest(json_keys({column})) AS heading, generate_subscripts(json_keys({column}), 1) AS place FROM ({asked})"
    query = f"SELECT heading FROM ({keys}) GROUP BY heading ORDER BY min(feed), min(place), heading"
    return [str(row[0]) for row in connection.execute(query, values).fetchall()]


def _spread(frame: pl.DataFrame, column: str, headings: list[str], masked: bool) -> pl.DataFrame:
    """One column for each heading in place of the JSON objects of `column`; no heading and no value is lost."""
    if len(headings) > _MAX_HEADINGS:
        raise ValueError(
            f"共有 {len(headings)} 种表头，一张表放不下：请用 --where feed=… 或 --where department=… 分开导出"
        )
    kept = frame.drop(column)
    if not headings:
        return kept
    objects = pl.col(column).str.json_decode(pl.Struct(dict.fromkeys(headings, pl.String)))
    cells = frame.select(objects).unnest(column)
    if masked:
        cells = cells.select(masking.cell(heading) for heading in headings)
    taken = set(kept.columns)
    return kept.hstack(cells.rename({heading: f"{heading}（原表）" for heading in headings if heading in taken}))
