"""Layouts in which one row of a file holds several records of its feed side by side (生活补贴 and 护理补贴 of one person).

The row is read and judged once, with the layout's columns, so that its reasons and remarks name the headings that the
department knows; then every amount that is filled and not 0 makes a row of the feed (`monitoring.feeds.Split`). All of
them keep the row number of the file: the ledger counts the row once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from monitoring.feeds import Feed, Layout, Split
from pipelines.conform import messages
from pipelines.conform.columns import Cells
from pipelines.conform.complaints import Complaint


def widened(feed: Feed, layout: Layout) -> Feed:
    """The feed as a row of this layout holds it: with the layout's columns, without those that the parts give."""
    if layout.split is None:
        return feed
    given = layout.split.gives()
    return replace(
        feed, columns=feed.columns + layout.columns, required=tuple(n for n in feed.required if n not in given)
    )


def amounts_wrong(split: Split, frame: pl.DataFrame, cells: Mapping[str, Cells]) -> list[Complaint]:
    """Rows of which no part holds an amount: nobody can say what they record. And sums that are not the stated total."""
    parts = [cells[name] for name in split.parts if name in cells]
    headings = "".join(f"“{part.column.heading}”" for part in parts)
    text = f"{headings}{'都' if len(parts) > 1 else ''}没有金额，看不出发的是哪一项"
    values = pl.DataFrame([part.value.alias(part.column.name) for part in parts])
    none = values.select(~pl.any_horizontal((pl.all() != 0).fill_null(False))).to_series()
    found = [Complaint(split.into, headings, none, pl.lit(text), text, True)]
    if split.total in cells:
        total = cells[split.total]
        differs = values.select(pl.sum_horizontal(pl.all()) != total.value).to_series().fill_null(False)
        sentence = messages.about(total.column, pl.col(split.total), messages.TOTAL_DIFFERS)
        heading = total.column.heading
        found.append(Complaint(split.total, heading, differs, sentence, messages.TOTAL_DIFFERS, False))
    return [c for c in found if c.rows.any()]


def divided(split: Split, rows: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """The rows of the feed that widened rows stand for, in the order of the file, then of the parts."""
    pieces = [
        rows.filter(pl.col(name) != 0).with_columns(
            pl.col(name).alias(split.into), **{column: pl.lit(value) for column, value in given.items()}
        )
        for name, given in split.parts.items()
    ]
    columns = [pl.col(name).cast(dtype) for name, dtype in schema.items()]
    return pl.concat([piece.select(columns) for piece in pieces]).sort("row", maintain_order=True)
