"""The checklist as files: sets by place, and the ledger household by household; masked unless a reason is recorded.

For programs (`tables`): one workbook with two sheets, or one table alone (CSV, Parquet), in the names that tables have. For people
(`offer_checklist`): what the page shows, in words. What people did since the run is in both, as on the page.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from monitoring.access import Scope
from monitoring.alerts.outcomes import MEASURES
from monitoring.checklist import BY_NUMBER
from monitoring.exporting.writing import write_frames
from monitoring.labels import feed_titles
from monitoring.language import Language, number
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
UNITS = {"household": "户", "person": "人", "record": "件", "village": "个"}
MOST = 1_000_000
# What people's files are headed with.
LEDGER: dict[str, tuple[str, str]] = {
    "household_id": ("户编号", "Household"), "name": ("户主", "Head"), "township": ("乡镇", "Township"), "village": ("村（社区）", "Village"),
    "state": ("担保情况", "State"), "alerts": ("未办完的预警（件）", "Open alerts"), "due": ("最早到期", "First limit"),
    "open_request": ("有申请或线索未办结", "Open application or clue"), "help": ("台账上的帮扶", "Help on the ledgers"),
    "help_kinds": ("登记的帮扶措施", "Measures on record"), "help_late": ("台账已过期的帮扶", "Help on ledgers that are late"),
    "seen_date": ("最近一次上门", "Last visit"), "seen_by": ("上门的人", "By whom"), "signals": ("信号（条）", "Signals"),
    "needs": ("仍在的困难信号（条）", "Signals of difficulty that still hold"), "blind_rules": ("担保要用、不能判断的规则（条）", "Rules needed to vouch that could not judge"),
    "unknown_rules": ("不能判断的规则（条）", "Rules that could not judge"), "late": ("没有到或已过期的数据", "Sources missing or late"),
}  # fmt: skip
SETS: dict[str, tuple[str, str]] = {
    "number": ("序号", "No."), "title": ("应覆盖的人和户", "Set"), "test": ("覆盖的标准", "Covered means"), "unit": ("单位", "Unit"),
    "department": ("责任单位", "Department"), "township": ("乡镇", "Township"), "village": ("村（社区）", "Village"),
    "members": ("应覆盖", "Members"), "covered": ("已覆盖", "Covered"), "missing": ("缺", "Missing"), "unknown": ("不明", "Unknown"),
    "blind": ("另缺数据", "Besides, no data"), "not_due": ("尚未到期", "Not due yet"), "no_data": ("没有数据", "No data"),
}  # fmt: skip


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


@dataclass(frozen=True)
class Picked:
    """What the page's ledger is narrowed to; None and "" are no condition."""

    state: str | None = None
    feed: str | None = None
    search: str = ""

    def said(self, t: Language) -> str:
        told = [t.pick(*STATE_WORDS[self.state])] if self.state else []
        told += [t.named(t("缺哪项数据"), t(feed_titles()[self.feed]))] if self.feed else []
        told += [t.named(t("查找"), self.search.strip())] if self.search.strip() else []
        return t.clauses(told) or t("全部")


def people_tables(
    warehouse: Warehouse, scope: Scope, now: Live, picked: Picked, t: Language
) -> dict[str, pl.DataFrame]:
    """The page's ledger as it is narrowed, the sets of the same places, and what the file shows: headings and values in words."""
    en = t.code == "en"
    rows, total = vouching.ledger(warehouse, scope, now, picked.state, picked.search, picked.feed, size=MOST)
    yes = {True: t("是"), False: t("否")}
    told = rows.with_columns(
        pl.col("state").replace_strict({state: t.pick(*both) for state, both in STATE_WORDS.items()}),
        pl.col("open_request").replace_strict(yes, return_dtype=pl.String),
        _listed(pl.col("help").str.split("、"), {name: t(name) for name in _names(rows, "help", "、")}),
        _listed(pl.col("help_late").str.split("、"), {name: t(name) for name in _names(rows, "help_late", "、")}),
        _listed(pl.col("help_kinds").str.split(" "), {code: t.pick(*both) for code, both in MEASURES.items()}),
        _listed(pl.col("late"), {code: t(title) for code, title in feed_titles().items()}),
    )
    sets = set_frame(warehouse, scope, now, t).with_columns(
        pl.col("unit").replace_strict({unit: t(word) for unit, word in UNITS.items()}),
        pl.col("no_data").replace_strict(yes, return_dtype=pl.String),
    )
    about = pl.DataFrame(
        {
            t("项目"): [t("期间"), t("名单"), t("户数")],
            t("内容"): [t.month(vouching.asked_of(warehouse).period), picked.said(t), number(total)],
        }
    )
    return {
        SHEETS["ledger"][en]: told.select(pl.col(name).alias(titles[en]) for name, titles in LEDGER.items()),
        SHEETS["sets"][en]: sets.select(pl.col(name).alias(titles[en]) for name, titles in SETS.items()),
        t("说明"): about,
    }


def _names(rows: pl.DataFrame, column: str, between: str) -> list[str]:
    return rows[column].drop_nulls().str.split(between).explode().unique().to_list()


def _listed(parts: pl.Expr, words: Mapping[str, str]) -> pl.Expr:
    """Lists of names as one text in words; a name that is not known stays."""
    return parts.list.eval(pl.element().replace(words)).list.join("、")


def offer_checklist(
    store: Store, caller: Caller, warehouse: Warehouse, scope: Scope, picked: Picked, lang: str, at: datetime
) -> str:
    """The workbook for one download by the caller, masked whatever the page shows; its address. Raises Denied or SessionOver."""
    with reading(store, caller, "export.masked", at) as act:
        scope = replace(scope, masked=True, allowed=act.person.places)
    now = live(store, caller, vouching.asked_of(warehouse), at)
    path = waiting(store) / f"{secrets.token_hex(16)}.xlsx"
    frames = people_tables(warehouse, scope, now, picked, Language(lang))
    write_frames(frames, path)
    rows = sum(frame.height for frame in frames.values())
    name = f"不漏一户-{vouching.asked_of(warehouse).period}-{at.astimezone(CHINA):%Y%m%d-%H%M}.xlsx"
    return offer(store, caller, "export.masked", "checklist", path, name, rows, masked=True, at=at)
