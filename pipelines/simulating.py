"""`buluo simulate`: the figures of the page 政策测算 at the command line, over the published run of a period."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
from rich.console import Console

from monitoring.access import Scope
from monitoring.entitlement.whynot import why
from monitoring.labels import OUTCOME_ZH
from monitoring.language import Language, number
from monitoring.people import operator
from monitoring.queries import household
from monitoring.queries.conditions import in_words
from monitoring.queries.verdicts import parameters_in_force
from monitoring.simulating import CannotSimulate, Scenario, asking, near, packs, parse_sets, read_scenario
from monitoring.simulating.ground import ground
from monitoring.simulating.service import keep, scenario_files
from monitoring.store import open_store
from monitoring.tables import SNAPSHOTS
from monitoring.warehouse import NoWarehouse, Warehouse, publication
from pipelines.telling import print_table

Add = Callable[[str, str, Callable[[argparse.Namespace, Console], int]], argparse.ArgumentParser]
CATEGORY_WORDS = {
    "tekun": "特困", "dibao": "低保", "edge": "低保边缘", "rigid": "刚性支出困难", "none": "不符合", "unknown": "不明",
}  # fmt: skip
PROGRAMME_WORDS = {"dibao": "低保（差额）", "tekun": "特困基本生活"}
COUNTY = Scope()


def add_commands(add: Add) -> None:
    p = add("simulate", "政策测算：改参数、停规则，看谁进谁出、一年多少钱；什么都不改动", _simulate)
    p.add_argument("--period", default=None, help="期间（默认最近一期）")
    p.add_argument(
        "--set", action="append", default=[], metavar="参数=值", help="如 dibao.standard_rural=650；可写多次"
    )
    p.add_argument("--switch-off", action="append", default=[], metavar="规则", help="停用一条规则；可写多次")
    p.add_argument("--switch-on", action="append", default=[], metavar="规则", help="启用一条规则；可写多次")
    p.add_argument("--pack", default="", help="整套换成另一个政策包")
    p.add_argument("--scenario", default="", metavar="文件", help="方案文件，或已保存方案的名称")
    p.add_argument("--by", choices=("township",), default=None, help="分乡镇")
    p.add_argument("--keep", default="", metavar="名称", help="把方案保存为 主目录/scenarios/名称.toml（记入日志）")
    p.add_argument("--title", default="", help="方案标题（保存时用）")
    p.add_argument("--why", default="", help="为什么测算（保存时必填）")
    p.add_argument("--compare-packs", action="store_true", help="四地政策包在本县的差别")
    p.add_argument("--near", action="store_true", help="临界户和断崖户的户数")


def _simulate(a: argparse.Namespace, console: Console) -> int:
    try:
        published = publication(a.home)
    except NoWarehouse as error:
        raise CannotSimulate(str(error)) from error
    run = next((r for r in published.runs if r.period == (a.period or published.latest)), None)
    if run is None:
        raise CannotSimulate(f"{a.period} 还没有发布过结果")
    scenario = _scenario(a)
    warehouse = Warehouse(run.path)
    try:
        if a.compare_packs:
            _packs(warehouse, console)
        if a.near:
            _near(warehouse, console)
        if scenario.told() or not (a.compare_packs or a.near):
            _told(warehouse, scenario, a.by, console)
    finally:
        warehouse.close()
    if a.keep:
        with_store = open_store(a.home)
        try:
            path = keep(with_store, operator(getpass.getuser()), a.keep, scenario, a.at)
        finally:
            with_store.close()
        console.print(f"方案已保存：{path}")
    return 0


def _scenario(a: argparse.Namespace) -> Scenario:
    found = Scenario()
    if a.scenario:
        path = scenario_files(a.home).get(a.scenario, Path(a.scenario))
        if not path.is_file():
            raise CannotSimulate(f"没有方案文件 {a.scenario}；已保存的有：{'、'.join(scenario_files(a.home)) or '无'}")
        found = read_scenario(path)
    sets = dict(found.sets) | dict(parse_sets(a.set))
    return replace(
        found, title=a.title or found.title, why=a.why or found.why, pack=a.pack or found.pack, sets=tuple(sets.items()),
        off=tuple(dict.fromkeys((*found.off, *a.switch_off))), on=tuple(dict.fromkeys((*found.on, *a.switch_on))),
    )  # fmt: skip


def _told(warehouse: Warehouse, scenario: Scenario, by: str | None, console: Console) -> None:
    total = asking.sums(warehouse, COUNTY, scenario)
    of = ground(warehouse)
    console.print(f"{of.period}，政策包 {of.pack.name}；改动：{'；'.join(scenario.told()) or '无'}", markup=False)
    console.print(
        f"新进 {total.come:,} 户，退出 {total.go:,} 户，类别变动 {total.moved:,} 户；增加 {total.gain:,} 户，减少 {total.lose:,} 户；"
        f"一年 {total.yuan_before:,} → {total.yuan_after:,} 元（{total.yuan_more:+,} 元）"
    )
    rows = asking.rules_moved(warehouse, COUNTY, scenario).to_dicts()
    print_table(console, ("规则", "名称", "现在", "测算", "新进", "退出", "不明 现在", "不明 测算"), [
        (row["rule"], row["title_zh"], *(f"{row[c]:,}" for c in asking.FIGURES[:4]), f"{row['unknown_before']:,}", f"{row['unknown_after']:,}")
        for row in rows
    ])  # fmt: skip
    moved = asking.categories(warehouse, COUNTY, scenario).filter(pl.col("before") != pl.col("after")).to_dicts()
    if moved:
        print_table(console, ("从", "到", "户", "人"), [
            (CATEGORY_WORDS[row["before"]], CATEGORY_WORDS[row["after"]], f"{row['households']:,}", f"{row['persons']:,}") for row in moved
        ])  # fmt: skip
    print_table(console, ("项目", "现在 人", "测算 人", "现在 元/年", "测算 元/年", "相差 元/年"), [
        (PROGRAMME_WORDS[row["programme"]], *_money(row)) for row in asking.programmes(warehouse, COUNTY, scenario).to_dicts()
    ])  # fmt: skip
    if by == "township":
        print_table(
            console, ("乡镇", "新进", "退出", "低保 现在", "低保 测算", "特困 现在", "特困 测算", "相差 元/年"),
            [_town(row) for row in asking.by_township(warehouse, COUNTY, scenario).to_dicts()],
        )  # fmt: skip


def _money(row: dict[str, int]) -> Sequence[str]:
    return [f"{row[c]:,}" for c in ("persons_before", "persons_after", "yuan_before", "yuan_after")] + [
        f"{row['yuan_more']:+,}"
    ]


def _town(row: dict[str, int | str | None]) -> Sequence[str]:
    columns = ("come", "go", "yuan_before_dibao", "yuan_after_dibao", "yuan_before_tekun", "yuan_after_tekun", "more")
    return [str(row["township"] or "地点不明"), *(number(row[c] or 0) for c in columns)]


def _packs(warehouse: Warehouse, console: Console) -> None:
    found = packs.compared(warehouse, COUNTY)
    names = list(packs.seeds(ground(warehouse)))
    print_table(console, ("规则", "名称", *names, "待遇不同"), [
        (row["rule"], row["title_zh"], *(f"{row[n]:,}" for n in names), f"{row['differently']:,}") for row in found.to_dicts()
    ])  # fmt: skip


def _near(warehouse: Warehouse, console: Console) -> None:
    for row in near.near_counts(warehouse, COUNTY):
        console.print(
            f"{CATEGORY_WORDS[str(row['line'])]}：收入误差 10%，{row['lose_by_income']:,} 户由符合变不符合，{row['gain_by_income']:,} 户由不符合变符合；"
            f"标准变动 1%，{row['lose_by_line']:,} 户和 {row['gain_by_line']:,} 户"
        )
    _, many = near.cliffs(warehouse, COUNTY)
    console.print(f"断崖：月人均收入增加 {near.RISE} 元反而吃亏的 {many:,} 户")


def why_lines(path: Path, code: str, number_: str, console: Console) -> int:
    """`buluo rules why CODE HOUSEHOLD`: the outcome, part by part, each input with its rows, and the smallest change."""
    warehouse = Warehouse(path)
    try:
        key = household.find(warehouse, COUNTY, number_) if number_ else None
        if not code or key is None:
            raise CannotSimulate(f"没有找到户编号 {number_ or '（未写）'}；写法：buluo rules why GAP-DIBAO 户编号")
        known = parameters_in_force(warehouse)
        zh = Language("zh")
        for one in why(warehouse, COUNTY, key, code):
            verdict, columns = one.verdict, SNAPSHOTS[one.verdict.subject]
            console.print(
                f"{OUTCOME_ZH[verdict.outcome]}  {verdict.title_zh}  {verdict.name or '全户'}  {verdict.clause}",
                markup=False,
            )
            for part in verdict.parts:
                mark = {True: "✓", False: "✗", None: "?"}[part.outcome]
                apart = f"（相差 {number(part.distance)}）" if part.distance is not None else ""
                console.print(
                    f"  {mark} {in_words(part.part.tree, verdict.subject, known, zh, False)}{apart}", markup=False
                )
            for read in one.inputs:
                rows = "；".join(f"{row['file']} 第 {row['row']} 行" for row in read.rows)
                console.print(
                    f"    {columns[read.column].zh} = {zh.value(read.value)}{f'  ← {rows}' if rows else ''}",
                    markup=False,
                )
            console.print(f"  {one.change.zh}", markup=False)
    finally:
        warehouse.close()
    return 0
