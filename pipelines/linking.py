"""The command around linkage (`buluo link`), and what a run is told of people's decisions."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import duckdb
from rich.console import Console

from monitoring.linking.deciding import Standing, standing
from monitoring.store import StoreError, open_store
from monitoring.store.engine import URL
from monitoring.warehouse import NoWarehouse, publication

Add = Callable[[str, str, Callable[[argparse.Namespace, Console], int]], argparse.ArgumentParser]


def add_commands(add: Add) -> None:
    p = add("link", "给待定的行和可能重复的人、户算把握程度，供“对人复核”页使用；不改动结果", _link)
    p.add_argument("--period", default=None, help="期间（默认最近一期）")


def decisions_for_run(home: Path) -> tuple[Standing, ...]:
    """The decisions that hold. Where the case store cannot be opened, those that the latest published run was told: what a
    person decided is not forgotten because a database is down. A home without a case store has none, and gets none."""
    if not os.environ.get(URL) and not (home / "cases.sqlite").exists():
        return ()
    try:
        store = open_store(home)
    except StoreError:
        return _as_published(home)
    try:
        with store.read() as con:
            return standing(con)
    finally:
        store.close()


def _as_published(home: Path) -> tuple[Standing, ...]:
    try:
        path = publication(home).run_of(None).path
        with duckdb.connect(str(path), read_only=True) as con:
            return tuple(con.execute("SELECT kind, one, other, verdict FROM link_decision ORDER BY ALL").fetchall())
    except (NoWarehouse, duckdb.Error):
        return ()


def _link(a: argparse.Namespace, console: Console) -> int:
    from pipelines.weighing import tidy, weigh  # with Splink: no other command needs it

    try:
        found = publication(a.home)
    except NoWarehouse as error:
        raise ValueError(str(error)) from error
    run = next((one for one in found.runs if one.period == (a.period or found.latest)), None)
    if run is None:
        raise ValueError(f"{a.period} 还没有发布过结果")
    done = weigh(a.home, run.run, run.path, lambda words: console.print(f"  {words}"))
    tidy(a.home, {one.run for one in found.runs})
    console.print(
        f"{run.period}：待定的 {done.waiting:,} 条内容、新建的 {done.new:,} 条内容（其中 {done.proposed:,} 条可能是已有的人）已对 {done.persons:,} 人算出把握程度；"
        f"可能是同一人的 {done.doubles:,} 对，可能是同一户的 {done.households:,} 对。请在“对人复核”页决定"
    )
    return 0
