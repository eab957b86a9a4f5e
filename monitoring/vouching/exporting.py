"""The checklist as files: sets by place, and the ledger household by household; masked unless a reason is recorded.

One workbook with two sheets, or one table alone (CSV, Parquet). What people did since the run is in it, as on the page.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl

from monitoring.access import Scope
from monitoring.checklist import BY_NUMBER
from monitoring.exporting.writing import write_frames
from monitoring.language import Language
from monitoring.people import Caller, reading
from monitoring.people.downloads import offer, waiting
from monitoring.queries import checklist, vouching
from monitoring.store import Store
from monitoring.vouching.live import Live, live
from monitoring.warehouse import Warehouse
from monitoring.working_days import CHINA

SHEETS = {"sets": ("18项", "18 sets"), "ledger": ("逐户", "Households")}
STATE_WORDS = {
    "open": ("正在办理", "Open item"), "helped": ("已帮扶", "Helped"), "visited": ("走访核清", "Cleared by a visit"),
    "cleared": ("数据核清", "Cleared by fresh data"), "nobody": ("无人担保", "Nobody can vouch"),
}  # fmt: skip
MOST = 1_000_000


def set_frame(warehouse: Warehouse, scope: Scope, now: Live, t: Language) -> pl.DataFrame:
    """One row a set and village: the set's number, title, unit and department, the place, members, covered, missing, unknown,
    blind; `no_data` where a source of the set never came."""
    silent = {row["number"]: row["no_data"] for row in checklist.checklist(warehouse, scope, now).iter_rows(named=True)}
    found = checklist.counts(warehouse, scope, now, ("township", "village"))
    told = pl.DataFrame(
        [
            {
                "number": n,
                "title": t(item.title),
                "test": t(item.test),
                "unit": item.unit,
                "department": t(item.department),
                "no_data": silent[n],
            }
            for n, item in BY_NUMBER.items()
        ]
    )
    joined = told.join(found.with_columns(pl.col("number").cast(pl.Int64)), on="number", how="left")
    counted = ("members", "covered", "missing", "unknown", "blind", "not_due")
    # Where nothing can be said no number is: a blank is no zero.
    known = [pl.when(pl.col("no_data")).then(None).otherwise(pl.col(name)).alias(name) for name in counted]
    return joined.with_columns(known).select(
        "number", "title", "test", "unit", "department", "township", "village", *counted, "no_data"
    ).sort("number", "township", "village")  # fmt: skip


def ledger_frame(warehouse: Warehouse, scope: Scope, now: Live, lang: str) -> pl.DataFrame:
    """One row a household: number, head, place, state and what it rests on."""
    found, _ = vouching.ledger(warehouse, scope, now, None, size=MOST)
    words = {state: texts[lang == "en"] for state, texts in STATE_WORDS.items()}
    return found.select(
        "household_id", "name", "township", "village", pl.col("state").replace_strict(words).alias("state"), "alerts", "due",
        "open_request", "help", "help_kinds", "help_late", "seen_date", "seen_by", "signals", "needs", "blind_rules",
        "unknown_rules", pl.col("late").list.join("、").alias("late_feeds"),
    )  # fmt: skip


def tables(
    warehouse: Warehouse, scope: Scope, now: Live, out: Path, lang: str, table: str = ""
) -> dict[str, pl.DataFrame]:
    """What goes into the file, by the sheet's name: both tables, or the one that is named; into .csv and .parquet one only (the
    sets where none is named)."""
    one = table or ("" if out.suffix.lower() == ".xlsx" else "sets")
    made: dict[str, pl.DataFrame] = {}
    if one in ("", "sets"):
        made[SHEETS["sets"][lang == "en"]] = set_frame(warehouse, scope, now, Language(lang))
    if one in ("", "ledger"):
        made[SHEETS["ledger"][lang == "en"]] = ledger_frame(warehouse, scope, now, lang)
    return made


def offer_checklist(store: Store, caller: Caller, warehouse: Warehouse, scope: Scope, lang: str, at: datetime) -> str:
    """The workbook for one download by the caller, masked whatever the page shows; its address. Raises Denied or SessionOver."""
    with reading(store, caller, "export.masked", at) as act:
        scope = replace(scope, masked=True, allowed=act.person.places)
    now = live(store, caller, vouching.asked_of(warehouse), at)
    path = waiting(store) / f"{secrets.token_hex(16)}.xlsx"
    frames = tables(warehouse, scope, now, path, lang)
    write_frames(frames, path)
    rows = sum(frame.height for frame in frames.values())
    name = f"不漏一户-{vouching.asked_of(warehouse).period}-{at.astimezone(CHINA):%Y%m%d-%H%M}.xlsx"
    return offer(store, caller, "export.masked", "checklist", path, name, rows, masked=True, at=at)
