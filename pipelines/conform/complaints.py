"""What is wrong in a part: which rows can't be used and why, and what is worth saying about the others."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from monitoring.feeds import Feed
from pipelines import identity
from pipelines.conform import messages
from pipelines.conform.columns import Cells

QUARANTINE: dict[str, pl.DataType] = {"row": pl.Int32(), "reasons": pl.String(), "raw": pl.String()}
ISSUES: dict[str, pl.DataType] = {
    "row": pl.Int32(),
    "heading": pl.String(),
    "value": pl.String(),
    "problem": pl.String(),
}


@dataclass(frozen=True)
class Complaint:
    """What is wrong with one column, and in which rows. `sentence` says it to the department (an expression over the
    raw frame), `problem` is its end without the value; `fatal`: these rows can't be used."""

    column: str
    heading: str
    rows: pl.Series
    sentence: pl.Expr
    problem: str
    fatal: bool


def missing_values(feed: Feed, frame: pl.DataFrame, cells: dict[str, Cells]) -> list[Complaint]:
    """Required cells that are blank. Of an identity number a placeholder counts as blank, a damaged one does not."""
    found = []
    for column in (feed.std_columns()[name] for name in feed.required):
        blank = cells[column.name].blank if column.name in cells else pl.repeat(True, frame.height, eager=True)
        text = messages.missing(column)
        found.append(Complaint(column.name, column.heading, blank, pl.lit(text), text, True))
    return [c for c in found if c.rows.any()]


def unclear_values(feed: Feed, cells: dict[str, Cells]) -> list[Complaint]:
    """Cells that could not be understood: the required ones first. An identity number never makes a row unusable."""
    found = []
    for cell in cells.values():
        column, raw = cell.column, pl.col(cell.column.name)
        if cell.state is not None:
            for state, problem in messages.NUMBER_PROBLEMS.items():
                sentence = messages.about(column, raw, problem)
                found.append(Complaint(column.name, column.heading, cell.state == state, sentence, problem, False))
        else:
            problem = messages.what_is_wrong(feed, column)
            sentence, fatal = messages.about(column, raw, problem), column.name in feed.required
            found.append(Complaint(column.name, column.heading, cell.unclear, sentence, problem, fatal))
    return sorted((c for c in found if c.rows.any()), key=lambda c: not c.fatal)


def quarantine(feed: Feed, frame: pl.DataFrame, complaints: list[Complaint], bad: pl.Series) -> pl.DataFrame:
    """The unusable rows, every reason of each (what made them so first), and all that stood in them."""
    if not bad.any():
        return pl.DataFrame(schema=QUARANTINE)
    masks = [c.rows.filter(bad).alias(f"_complaint{n}") for n, c in enumerate(complaints)]
    unusable = frame.filter(bad).with_columns(masks)
    reasons = [pl.when(pl.col(f"_complaint{n}")).then(c.sentence) for n, c in enumerate(complaints)]
    return unusable.select(
        pl.col("row").cast(pl.Int32),
        reasons=pl.concat_str(reasons, separator="；", ignore_nulls=True),
        raw=raw_json(feed, unusable),
    )


def raw_json(feed: Feed, frame: pl.DataFrame) -> pl.Series:
    """Each row as JSON, canonical heading -> text as written, unknown columns last; empty cells left out."""
    pairs = [
        pl.when(pl.col(c.name).is_not_null()).then(
            _bare(pl.struct(pl.col(c.name).alias(c.heading)).struct.json_encode())
        )
        for c in feed.std_columns().values()
        if c.name in frame.columns
    ]
    if "extra" in frame.columns:
        extra = _bare(pl.col("extra").cast(pl.String).str.strip_chars())
        pairs.append(pl.when(extra.str.strip_chars() != "").then(extra))
    body = pl.concat_str(pairs, separator=",", ignore_nulls=True) if pairs else pl.lit("")
    return frame.select(raw=pl.lit("{") + body + pl.lit("}")).to_series()


def _bare(json_object: pl.Expr) -> pl.Expr:
    return json_object.str.strip_prefix("{").str.strip_suffix("}")


def remarks(frame: pl.DataFrame, complaints: list[Complaint], bad: pl.Series, rows: pl.DataFrame) -> pl.DataFrame:
    """What could not be understood in rows that are loaded all the same, and where `rows` (those of `frame` that are
    not `bad`) state another birth date or sex than their usable number."""
    found = [_remark(frame.filter(c.rows & ~bad), c.column, c.heading, c.problem) for c in complaints if not c.fatal]
    stated = (
        ("birth_date", identity.birth_date_of(pl.col("number")), messages.BIRTH_DIFFERS),
        ("sex", identity.sex_of(pl.col("number")), messages.SEX_DIFFERS),
    )
    for name, expected, problem in stated:
        if name in frame.columns and "number" in rows.columns:
            differs = rows.select((pl.col(name) != expected).fill_null(False)).to_series()
            written = frame.select("row", name).filter(~bad)
            found.append(_remark(written.filter(differs), name, messages.SHARED_HEADINGS[name], problem))
    return pl.concat([pl.DataFrame(schema=ISSUES), *found]).sort("row", maintain_order=True)


def _remark(frame: pl.DataFrame, column: str, heading: str, problem: str) -> pl.DataFrame:
    return frame.select(
        pl.col("row").cast(pl.Int32),
        heading=pl.lit(heading),
        value=pl.col(column).cast(pl.String),
        problem=pl.lit(problem),
    )
