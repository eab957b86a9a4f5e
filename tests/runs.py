"""What tests of whole runs share: run a period in this process, and read what it published."""

from __future__ import annotations

import csv
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from monitoring.exporting import frame_of
from pipelines.run import Definitions, Order, Summary, load_definitions, run
from tests.differential import Key, signal_key
from tests.oracle import Deliveries, write_csv
from tests.oracle.reading import FILE_NAMES, HEADINGS, check_character

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def quiet(_step: str, _done: int, _of: int, _what: str) -> None:
    """Progress that nobody watches."""


def run_quietly(
    home: Path,
    period: str,
    inbox: Path | None = None,
    pack: str = "national-2020",
    *,
    accept_shrink: bool = True,
    decisions: tuple[tuple[str, str, str, str], ...] = (),
) -> Summary:
    """One run in this process; raises Refused."""
    own = any((home / folder).exists() for folder in ("feeds", "policy", "packs", "rules"))
    definitions = load_definitions(home) if own else _repository_definitions()
    return run(Order(home, period, inbox, pack, accept_shrink, decisions), quiet, definitions)


@functools.cache
def _repository_definitions() -> Definitions:
    """Feeds, packs and rules of a home that has none of its own: read once for all runs of a session."""
    return load_definitions(Path("no home"))


def run_deliveries(deliveries: Deliveries, folder: Path, pack: str) -> Path:
    """Runs all periods one after the other in a fresh home under `folder`; returns the home."""
    home = folder / "home"
    for period, inbox in sorted(write_csv(deliveries, folder / "inbox").items()):
        run_quietly(home, period, inbox, pack)
    return home


def pointer(home: Path) -> dict[str, Any]:
    """What the home has published."""
    content: dict[str, Any] = json.loads((home / "warehouse" / "current.json").read_text("utf-8"))
    return content


def published_file(home: Path, period: str) -> Path:
    return home / "warehouse" / str(pointer(home)["periods"][period]["file"])


def connect(home: Path, period: str) -> duckdb.DuckDBPyConnection:
    """The period's published warehouse, read-only; use it as a context manager."""
    return duckdb.connect(str(published_file(home, period)), read_only=True)


def exported(home: Path, period: str, what: str = "signals") -> pl.DataFrame:
    """An export in the clear, as the command line would write it."""
    with connect(home, period) as con:
        return frame_of(con, what, period=period, masked=False)


def query(home: Path, period: str, sql: str) -> list[tuple[Any, ...]]:
    with connect(home, period) as con:
        return con.execute(sql).fetchall()


def keys(home: Path, period: str) -> set[Key]:
    """(rule, subject, key, level) of every signal, named as the oracle names them."""
    rows = exported(home, period).cast({"person_id": pl.String}).iter_rows(named=True)
    return {signal_key({k: "" if v is None else str(v) for k, v in row.items()}) for row in rows}


def sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def files_below(folder: Path) -> dict[str, str]:
    """Every file with its content's hash, to see what was touched."""
    return {p.relative_to(folder).as_posix(): sha256(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def write_feeds(feeds: Rows, folder: Path, columns: Mapping[str, Sequence[str]] | None = None) -> Path:
    """One clean CSV a feed, with the contract's headings (or the given ones) and whatever else the rows have."""
    folder.mkdir(parents=True, exist_ok=True)
    for feed, rows in feeds.items():
        headings = list((columns or {}).get(feed, HEADINGS[feed]))
        headings += [h for h in dict.fromkeys(h for row in rows for h in row) if h not in headings]
        with (folder / f"{FILE_NAMES[feed]}.csv").open("w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.DictWriter(handle, headings, restval="")
            writer.writeheader()
            writer.writerows(rows)
    return folder


# -- a small county by hand: two townships, twelve households each, everybody with a number of their own -------------

TOWNS = ("甲镇", "乙镇")
Tables = dict[str, list[dict[str, str]]]


def number(born: str, sequence: int) -> str:
    """A valid number of nobody: areas from 500998 down do not exist. An odd sequence is a man's, an even one a woman's."""
    first = f"{500998 - sequence // 1000}{born}{sequence % 1000:03d}"
    return first + check_character(first)


def small_county(homes: int = 12) -> Tables:
    """Feeds of 2026-11 for households H101… of 甲镇 and H201… of 乙镇: a couple each, most of them on dibao."""
    feeds: Tables = {
        feed: [] for feed in ("registry", "dibao", "tekun", "monitored", "income", "clues", "visits", "deaths")
    }
    for place, town in enumerate(TOWNS, 1):
        for n in range(1, homes + 1):
            house, village = f"H{place}{n:02d}", f"{town[0]}{'东西'[n % 2]}村"
            where = {"乡镇": town, "村": village}
            man = {
                "姓名": f"赵{'一二三四五六七八九十百千'[n % 12]}{town[0]}",
                "证件号码": number("19700101", 2 * n + 100 * place + 1),
            }
            wife = {
                "姓名": f"钱{'一二三四五六七八九十百千'[n % 12]}{town[0]}",
                "证件号码": number("19720202", 2 * n + 100 * place),
            }
            for person, relation in ((man, "户主"), (wife, "配偶")):
                labour = {
                    "户籍类型": "农村",
                    "劳动能力": "普通劳动力",
                    "联系电话": f"139{place}{n:02d}{'01' if person is man else '02'}000",
                }
                feeds["registry"].append({"户编号": house, "与户主关系": relation, **person, **where, **labour})
                if n <= 10:
                    listed = {
                        "救助证编号": f"D{place}{n:02d}",
                        "户主姓名": man["姓名"],
                        "户主证件号码": man["证件号码"],
                        "与户主关系": relation,
                    }
                    money = {
                        "家庭月人均收入": "300",
                        "户月保障金额": "400",
                        "享受起始日期": "2024-01-01",
                        "最近复核日期": "2026-10-10",
                    }
                    feeds["dibao"].append({**listed, **person, **money, "类别": "B", **where})
            if n == 11:
                feeds["tekun"].append(
                    {**man, "供养方式": "集中供养", "享受起始日期": "2020-01-01", "月基本生活费": "900", **where}
                )
            if n >= 9:
                kept = {
                    "户编号": f"J{house}",
                    "户类型": "边缘易致贫户",
                    "识别日期": "2025-05-05",
                    "人均纯收入": "7000",
                    "帮扶责任人": "李帮扶",
                }
                feeds["monitored"].append({**kept, **man, "与户主关系": "户主", "帮扶措施": "产业帮扶", **where})
            if n > 2:
                check = {"户主姓名": man["姓名"], "户主证件号码": man["证件号码"], "核对日期": "2026-06-06"}
                feeds["income"].append({**check, "工资性收入": str(4000 + 1000 * n), "转移净收入": "1200"})
        clue = {
            "线索编号": f"X{place}",
            "来源": "信访",
            "登记日期": "2026-09-01",
            "姓名": f"赵一{town[0]}",
            "证件号码": number("19700101", 3 + 100 * place),
        }
        feeds["clues"].append({**clue, "办理期限": "2026-10-01", "乡镇": town, "村": f"{town[0]}西村"})
        feeds["visits"].append(
            {"走访日期": "2026-11-20", "走访人": "网格员", "户编号": f"H{place}12", "走访方式": "入户", "乡镇": town}
        )
    feeds["deaths"].append({"姓名": "钱六甲", "证件号码": number("19720202", 110), "死亡日期": "2026-07-07"})
    return feeds


def only_town(feeds: Tables, town: str) -> Tables:
    """The rows of one township, of the feeds that say where their rows belong."""
    kept = {feed: [row for row in rows if row.get("乡镇", town) == town] for feed, rows in feeds.items()}
    return {feed: rows for feed, rows in kept.items() if rows}
