"""The command `report`: the bulletin, the quarterly report and the month's lists, written to a file by the operator.

The file is written whole or not at all. Lists are masked unless --unmask says why; that is in the journal of exports before
the file is begun, as with every other export.
"""

from __future__ import annotations

import argparse
import getpass
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from monitoring.access import Scope
from monitoring.exporting import record_unmask
from monitoring.exporting.writing import sync_folder
from monitoring.people import operator
from monitoring.people.callers import who
from monitoring.reports import making
from monitoring.reports.printing import print_view
from monitoring.reports.workbook import write_month
from monitoring.store import open_store
from monitoring.warehouse import NoWarehouse, publication

Add = Callable[[str, str, Callable[[argparse.Namespace, Console], int]], argparse.ArgumentParser]
SUFFIXES = {"monthly": (".docx", ".html"), "quarterly": (".docx", ".html"), "lists": (".xlsx",)}


def add_commands(add: Add) -> None:
    p = add("report", "月报、季度报告、救助月报清单", _report)
    p.add_argument("kind", choices=tuple(SUFFIXES), help="月报、季度报告（6、9、12月）、月报清单")
    p.add_argument("--period", required=True, help="期间，如 2026-11")
    p.add_argument("-o", "--output", type=Path, required=True, help="报告写 .docx 或 .html（打印用），清单写 .xlsx")
    p.add_argument("--township", default=None, help="只做一个乡镇的")
    p.add_argument("--public", action="store_true", help="公开版：不足5的人数、户数不列出")
    p.add_argument("--unmask", action="store_true", help="清单显示完整姓名和证件号码（会记录在案）")
    p.add_argument("--reason", default="", help="为什么需要完整信息")


def _report(a: argparse.Namespace, console: Console) -> int:
    if a.output.suffix.lower() not in SUFFIXES[a.kind]:
        raise ValueError(f"{a.output.name}：只能写为 {'、'.join(SUFFIXES[a.kind])}")
    try:
        published = publication(a.home)
    except NoWarehouse as error:
        raise ValueError(str(error)) from error
    picked = Scope() if a.township is None else Scope(townships=(a.township,))
    if a.township is not None and a.township not in making.townships(published, a.period):
        raise ValueError(
            f"{a.period} 的数据里没有乡镇“{a.township}”；有：{'、'.join(making.townships(published, a.period))}"
        )
    caller, store = operator(getpass.getuser()), open_store(a.home)
    try:
        if a.kind == "lists":
            with store.read() as con:
                person = who(con, caller, a.at)
            scope = Scope(picked.townships, masked=not a.unmask)
            made = making.month_lists(published, a.period, person, scope, a.at)
            rows = sum(sheet.rows.height for sheet in made.sheets)
            if a.unmask:
                record_unmask(
                    a.home, getpass.getuser(), "month lists", a.period, a.reason, rows, at=a.at, file=a.output.name
                )
            write_month(a.output, made.title, made.told, made.sheets, made.notes)
            masked = "（完整信息，已记录在案）" if a.unmask else "（已隐去姓名和证件号码）"
            console.print(f"已写入 {a.output}：{len(made.sheets)} 张表，{rows:,} 行{masked}", markup=False)
            return 0
        report = making.make_report(store, caller, published, a.kind, a.period, a.public, a.at, picked)
    finally:
        store.close()
    if a.output.suffix.lower() == ".docx":
        from monitoring.reports.word import write_word  # matplotlib is loaded by this command only

        _write(a.output, write_word(report))
    else:
        _write(a.output, print_view(report).encode())
    console.print(f"已写入 {a.output}：{report.title}，{len(report.sections)} 节", markup=False)
    return 0


def _write(out: Path, content: bytes) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(out)
    finally:
        Path(name).unlink(missing_ok=True)
    sync_folder(out.parent)
