"""The commands around risk lists: `buluo export risk-list` and `buluo trace`, both in the operator's name and journalled."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable
from pathlib import Path

import polars as pl
from rich.console import Console

from monitoring.language import Language
from monitoring.lists import ask_from_text
from monitoring.lists.exporting import export_list
from monitoring.lists.tracing import in_words, rows_of, trace
from monitoring.people import operator
from monitoring.store import open_store
from monitoring.warehouse import Published, Warehouse

Add = Callable[[str, str, Callable[[argparse.Namespace, Console], int]], argparse.ArgumentParser]


def add_arguments(p: argparse.ArgumentParser) -> None:
    """What only the risk list takes, added to `export`."""
    p.add_argument("--of", choices=("household", "person"), default="household", help="风险名单：按户还是按人")
    p.add_argument("--columns", default="", help="风险名单的列，如 township,household_id,income_pc（默认常用列）")
    p.add_argument("--order", default="", help="风险名单的顺序，如 income_pc:desc,village（:desc 为从大到小）")


def add_commands(add: Add) -> None:
    p = add("trace", "从流出的几十行名单认出是谁导出的", _trace)
    p.add_argument("file", type=Path, metavar="文件", help="抄出的行，带表头：.csv 或 .xlsx")


def export_risk_list(a: argparse.Namespace, console: Console, published: Published) -> int:
    """`buluo export risk-list`. Raises ValueError in words."""
    ask = ask_from_text(a.of, a.where, a.columns, a.order)
    store, warehouse = open_store(a.home), Warehouse(published.path)
    try:
        purpose = a.reason if a.unmask else None
        done = export_list(store, operator(getpass.getuser()), warehouse, ask, a.output, purpose, a.lang, a.at)
    finally:
        warehouse.close()
        store.close()
    console.print(
        f"已写入 {done.path}：{done.rows:,} 行{'（完整信息，已记录在案）' if a.unmask else '（已隐去姓名和证件号码）'}",
        markup=False,
    )
    if done.dictionary:
        console.print(f"数据字典：{done.dictionary}", markup=False)
    return 0


def _trace(a: argparse.Namespace, console: Console) -> int:
    """Ends with 0 where somebody is named, 1 where nobody can be."""
    try:
        frame = _table(a.file)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"{a.file.name}：不是带表头的表格") from error
    store = open_store(a.home)
    try:
        found = trace(store, operator(getpass.getuser()), rows_of(frame), a.at)
    finally:
        store.close()
    console.print("\n".join(in_words(found, Language("zh"))), markup=False)
    return 0 if found.by else 1


def _table(path: Path) -> pl.DataFrame:
    if path.suffix.lower() == ".xlsx":
        return pl.read_excel(path, infer_schema_length=0)
    return pl.read_csv(path, infer_schema=False, truncate_ragged_lines=True)
