"""One part of a file: raw cells by standard name -> typed rows, quarantined rows with every reason, and remarks.

A row is unusable, and quarantined, when a required cell is blank or can't be understood. Of an identity number only
blank counts: a damaged one is still somebody. Optional cells that can't be understood become null, with a remark that
shows what stood there: nothing disappears silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from monitoring.feeds import Feed
from pipelines import identity
from pipelines.conform.columns import Cells, read_columns, type_of
from pipelines.conform.complaints import missing_values, quarantine, raw_json, remarks, unclear_values
from pipelines.conform.splitting import amounts_wrong, divided, widened

PERSON_COLUMNS: dict[str, pl.DataType] = {
    "person_id": pl.Int64(),
    "number": pl.String(),
    "number_state": pl.String(),
    "number_raw": pl.String(),
    "name": pl.String(),
    "sex": pl.String(),
    "birth_date": pl.Date(),
    "phone": pl.String(),
    "head_name": pl.String(),
    "head_number": pl.String(),
    "relation": pl.String(),
}
PLACE_COLUMNS: dict[str, pl.DataType] = {"township": pl.String(), "village": pl.String()}
IDENTITY_COLUMNS = PERSON_COLUMNS | PLACE_COLUMNS
# The lists in a family's row, as text, and their headings where its layout does not map them.
MEMBER_COLUMNS = {"members_names": "家庭成员姓名", "members_ids": "家庭成员身份证号"}
_ID_COLUMNS = {"id_number": "number", "head_id_number": "head_number", "official_id_number": "official_number"}


@dataclass(frozen=True)
class Conformed:
    """`rows` (see `row_schema`), `quarantine` (row, reasons, raw), `issues` (row, heading, value, problem). Every row of
    the part is in one of the first two: in `rows` once, or several times where its layout splits it."""

    rows: pl.DataFrame
    quarantine: pl.DataFrame
    issues: pl.DataFrame


def row_name(column_name: str) -> str:
    """The name in `rows` of a standard column: id columns become usable numbers."""
    return _ID_COLUMNS.get(column_name, column_name)


def row_schema(feed: Feed) -> dict[str, pl.DataType]:
    """Names and types of `rows`: row, the identity columns, the feed's own columns in their order, extra."""
    own = {row_name(c.name): type_of(c) for c in feed.std_columns().values()}
    shared = PLACE_COLUMNS if feed.subject == "institution" else IDENTITY_COLUMNS
    return {"row": pl.Int32(), **shared, **{n: t for n, t in own.items() if n not in shared}, "extra": pl.String()}


def pairing(feed: Feed, layout: str) -> str:
    """Whether parts of this layout have to go through `combine_families`: "person" or "family" where the feed also
    comes with one row a household (dibao: a file of families and one of persons, a signing roll), else "".

    A part whose layout splits its rows goes there as "family" too: what several rows may stand for is counted once."""
    if feed.layout(layout).split is not None:
        return "family"
    if all(other.kind == "person" for other in feed.layouts):
        return ""
    return "person" if feed.layout(layout).kind == "person" else "family"


def conform_part(
    feed: Feed, frame: pl.DataFrame, layout: str = "", scale: Mapping[str, int] | None = None
) -> Conformed:
    """Types one part (`row`, raw strings by standard name, `extra`). `scale`: what headings say a unit is worth
    ({"capital": 10000}).

    Where `pairing` says so, rows may lack required values and carry more columns: `raw` (where they do), and a family's
    `members_names`, `members_ids`. `combine_families` fills in and decides."""
    split = feed.layout(layout).split
    pair = "" if split else pairing(feed, layout)
    wide = widened(feed, feed.layout(layout))
    cells = read_columns(frame, list(wide.std_columns().values()), scale or {})
    missing, unclear = missing_values(wide, frame, cells), unclear_values(wide, cells)
    if split:
        missing += amounts_wrong(split, frame, cells)
    complaints = unclear if pair else missing + unclear
    bad = _any(frame, [c.rows for c in complaints if c.fatal])
    rows = _rows(wide, frame, cells, of_head=pair == "family")
    if pair:
        lacking = frame.filter(_any(frame, [c.rows for c in missing]))
        raw = lacking.select(pl.col("row").cast(pl.Int32), raw=raw_json(feed, lacking))
        rows = rows.join(raw, on="row", how="left", maintain_order="left")
    if pair == "family":
        rows = rows.with_columns(_member_lists(frame))
    good = rows.filter(~bad) if bad.any() else rows
    loaded = divided(split, good, row_schema(feed)) if split else good
    return Conformed(loaded, quarantine(wide, frame, complaints, bad), remarks(frame, complaints, bad, good))


def _any(frame: pl.DataFrame, masks: list[pl.Series]) -> pl.Series:
    return frame.select(pl.any_horizontal(masks) if masks else pl.repeat(False, pl.len())).to_series()


def _rows(feed: Feed, frame: pl.DataFrame, cells: dict[str, Cells], of_head: bool) -> pl.DataFrame:
    """All rows of the part in the schema of `rows`. A row about a whole household stands for its head."""
    found = {row_name(name): c.value for name, c in cells.items()}
    own = cells.get("id_number")
    if of_head:
        own = own or cells.get("head_id_number")
        for mine, heads in (("number", "head_number"), ("name", "head_name")):
            if mine not in found and heads in found:
                found[mine] = found[heads]
    if own is not None and own.state is not None and own.text is not None:
        found["number_state"] = own.state
        found["number_raw"] = own.text.to_frame("t").select(pl.when(own.state != "valid").then("t")).to_series()
    schema = row_schema(feed)
    columns: dict[str, pl.Series | pl.Expr] = {
        name: found[name] if name in found else pl.lit(None, dtype) for name, dtype in schema.items()
    }
    columns["row"] = frame["row"]
    if "extra" in frame.columns:
        columns["extra"] = frame["extra"]
    rows = frame.select(**columns).cast(schema)  # type: ignore[arg-type]
    if "number" not in schema:
        return rows
    return rows.with_columns(
        person_id=identity.person_id_of(pl.col("number")), number_state=pl.col("number_state").fill_null("missing")
    )


def _member_lists(frame: pl.DataFrame) -> list[pl.Series]:
    """The lists of a family's members as written, from columns of their own or from the unknown ones."""
    extra = pl.col("extra").cast(pl.String) if "extra" in frame.columns else pl.lit(None, pl.String)
    found = [
        pl.col(name) if name in frame.columns else extra.str.json_path_match(f"$['{heading}']").alias(name)
        for name, heading in MEMBER_COLUMNS.items()
    ]
    return frame.select(found).get_columns()
