"""Ledgers that come as two files: one row a family (members in lists) and one row a person, joined by the head.

Reads the conformed rows of both kinds, writes rows of persons. What a person's row lacks it takes from the family's; a
family that no person's row belongs to becomes rows of its own, the head and the listed members. Only here is decided
whether a required value is missing, for either file may hold it.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from monitoring.feeds import Feed
from pipelines import identity
from pipelines.conform import messages
from pipelines.conform.rows import MEMBER_COLUMNS, PERSON_COLUMNS, row_name, row_schema

_ORIGIN = {"part": pl.Int32(), "row": pl.Int32()}
_QUARANTINE = {**_ORIGIN, "reasons": pl.String(), "raw": pl.String()}
_SUPPLEMENT = {**_ORIGIN, "persons": pl.Int32()}
_ISSUES = {**_ORIGIN, "heading": pl.String(), "value": pl.String(), "problem": pl.String()}
_HEAD_WORDS = ("户主", "本人", "本人/户主", "户主/本人")
_NOT_ALIGNED = "姓名与证件号码的个数不同，无法对应；成员按姓名载入，不带证件号码"


@dataclass(frozen=True)
class Combined:
    """`rows` (part, then `row_schema`; several rows may share the origin of one family), `quarantine` and `issues`
    (both with part), `supplements`: part, row, persons of family rows that only completed persons' rows. A row of a
    file counts as loaded when it stands in `rows` or in `supplements`."""

    rows: pl.DataFrame
    quarantine: pl.DataFrame
    issues: pl.DataFrame
    supplements: pl.DataFrame


def combine_families(feed: Feed, persons: pl.DataFrame | None, families: pl.DataFrame | None) -> Combined:
    """Puts together what `conform_part` gave for the paired layouts of one feed in one delivery (`pairing` tells
    which), all parts of a kind in one frame with a column `part`. Either may be missing.

    Rows of a layout that splits are whole already, and only pass through: they come here to be counted by the file's row.
    """
    people, households = _ready(feed, persons), _ready(feed, families)
    if any(layout.split for layout in feed.layouts):
        whole = households.select("part", *row_schema(feed))
        return Combined(whole, *(pl.DataFrame(schema=schema) for schema in (_QUARANTINE, _ISSUES, _SUPPLEMENT)))
    people, used = _complete(feed, people, households)
    alone = households.join(used, on=["part", "row"], how="anti", maintain_order="left")
    members, issues = _members(alone)
    heads = alone.with_columns(relation=pl.col("relation").fill_null("户主"))
    every = pl.concat([people, heads, members], how="diagonal").sort("part", "row", maintain_order=True)
    reasons = _reasons(feed)
    good = every.filter(reasons == "")
    bad = every.filter(reasons != "").with_columns(reasons=reasons).join(good, on=["part", "row"], how="anti")
    return Combined(
        rows=good.select("part", *row_schema(feed)),
        quarantine=bad.unique(["part", "row"], keep="first", maintain_order=True).select(list(_QUARANTINE)),
        issues=issues,
        supplements=used,
    )


def _ready(feed: Feed, frame: pl.DataFrame | None) -> pl.DataFrame:
    """The frame with every column that combining needs; a missing one is empty."""
    schema = {**_ORIGIN, **row_schema(feed), "raw": pl.String(), **dict.fromkeys(MEMBER_COLUMNS, pl.String())}
    if frame is None:
        return pl.DataFrame(schema=schema)
    return frame.select(
        pl.col(n).cast(t) if n in frame.columns else pl.lit(None, t).alias(n) for n, t in schema.items()
    )


def _complete(feed: Feed, people: pl.DataFrame, households: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """People with what their families know, and the family rows that found somebody (part, row, persons). A person
    finds the family by the head's number, else by the certificate."""
    personal = {*PERSON_COLUMNS, "row", "extra", "raw"} - {"head_name", "head_number"}
    shared = [c for c in row_schema(feed) if c not in personal]
    is_head = pl.col("relation").is_in(_HEAD_WORDS)
    people = people.with_columns(_head=pl.coalesce("head_number", pl.when(is_head).then("number")))
    # Of two rows of one family the later dates speak, then the greater text: never the order of rows.
    dates = [c for c, t in row_schema(feed).items() if t == pl.Date and c in households.columns]
    order = [*dates, *(c for c in row_schema(feed) if c not in ("row", "extra", *dates) and c in households.columns)]
    households = households.sort(order, descending=True, nulls_last=True)
    households = households.with_row_index("_family").with_columns(_head=pl.coalesce("head_number", "number"))
    by_head = households.drop_nulls("_head").unique("_head", keep="first", maintain_order=True)
    people = people.join(by_head.select("_head", "_family"), on="_head", how="left", maintain_order="left")
    if "certificate" in households.columns:
        by_paper = households.drop_nulls("certificate").unique("certificate", keep="first", maintain_order=True)
        by_paper = by_paper.select("certificate", _other="_family", _other_head="_head")
        people = people.join(by_paper, on="certificate", how="left", maintain_order="left")
        same = pl.col("_head").is_null() | pl.col("_other_head").is_null()  # two known heads that differ: two families
        people = people.with_columns(_family=pl.coalesce("_family", pl.when(same).then("_other")))
        people = people.drop("_other", "_other_head")
    values = households.select("_family", pl.col(shared).name.prefix("_of_"))
    people = people.join(values, on="_family", how="left", maintain_order="left")
    people = people.with_columns(pl.coalesce(c, f"_of_{c}").alias(c) for c in shared)
    # A second row of the same head's family is no family that nobody belongs to.
    found = households.join(people.drop_nulls("_family").group_by("_family").len("persons"), on="_family", how="left")
    of_head = pl.col("persons").max().over("_head")
    persons = pl.when(pl.col("_head").is_null()).then("persons").otherwise(of_head).cast(pl.Int32)
    supplements = found.select("part", "row", persons=persons).drop_nulls("persons").sort("part", "row")
    return people.drop("_family", "_head", *(f"_of_{c}" for c in shared)), supplements


def _members(families: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row for every listed member who is not the head, and remarks on lists that do not fit together."""
    separators = r"[\s;、,|/]+"
    names, numbers = (
        pl.col(c).str.normalize("NFKC").str.strip_chars(";、,|/ \t\r\n").str.replace_all(s, ";").str.split(";")
        for c, s in zip(MEMBER_COLUMNS, (r"[;、,|/\r\n]", separators), strict=True)
    )
    listed = families.drop_nulls("members_names").with_columns(_names=names, _numbers=numbers)
    aligned = (pl.col("_names").list.len() == pl.col("_numbers").list.len()).fill_null(False)
    issues = listed.filter(~aligned & pl.col("_numbers").is_not_null()).select(
        "part", "row", heading=pl.lit("家庭成员身份证号"), value="members_ids", problem=pl.lit(_NOT_ALIGNED)
    )
    unnumbered = pl.col("_names").list.eval(pl.lit(None, pl.String))
    members = (
        listed.with_columns(_numbers=pl.when(aligned).then("_numbers").otherwise(unnumbered))
        .explode("_names", "_numbers")
        .rename({"name": "_head_name", "number": "_head_number"})
        .drop("number_state", "number_raw", "person_id", "relation", "sex", "birth_date", "phone")
        .with_columns(name=identity.name(pl.col("_names")), text=identity.id_text(pl.col("_numbers")))
        .drop_nulls("name")
    )
    named = identity.parse_numbers(members.lazy()).collect().rename({"state": "number_state"})
    same_number = pl.col("number") == pl.col("_head_number")
    same_name = (pl.col("name") == pl.col("_head_name")) & same_number.fill_null(True)
    return (
        named.filter(~(same_number.fill_null(False) | same_name.fill_null(False)))
        .with_columns(
            person_id=identity.person_id_of(pl.col("number")),
            number_raw=pl.when(pl.col("number_state") != "valid").then("text"),
        )
        .unique(["part", "row", "name", "number", "number_raw"], keep="first", maintain_order=True)
        .drop("_names", "_numbers", "_head_name", "_head_number", "text"),
        issues,
    )


def _reasons(feed: Feed) -> pl.Expr:
    """What a row lacks, in the words of the quarantine; "" where nothing."""
    columns = feed.std_columns()
    lacking = []
    for name in feed.required:
        target = row_name(name)
        blank = pl.col("number_state") == "missing" if target == "number" else pl.col(target).is_null()
        lacking.append(pl.when(blank).then(pl.lit(messages.missing(columns[name]))))
    return pl.concat_str(lacking, separator="；", ignore_nulls=True)
