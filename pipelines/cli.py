"""The command line `buluo`: says what it does in Chinese, ends with 0 (done), 1 (done, something to look at) or 2 (refused).

Only this module asks the clock: `a.at` is the moment at which a command began.
"""

from __future__ import annotations

import argparse
import gc
import getpass
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
from rich.console import Console

from monitoring.checks import audit, audit_file
from monitoring.exporting import Unmasking, export, journal_problems
from monitoring.feeds import FeedError, load_feeds
from monitoring.people import Denied
from monitoring.policy import Pack, PolicyError
from monitoring.refusal import Refusal
from monitoring.rules import Rule, listing, load_policy, run_cases
from monitoring.store import StoreError
from monitoring.warehouse import NoWarehouse, Published, publication
from monitoring.working_days import local_day
from pipelines import demo_months, linking, modelling, office, reporting, simulating
from pipelines import listing as listing_commands
from pipelines.reading import QUIET, read_file
from pipelines.run import SELDOM, Order, Refused, only_run, run
from pipelines.run import mapping as mapping_commands
from pipelines.run.intake import Collector
from pipelines.run.publishing import Publisher
from pipelines.telling import Teller, print_summary, print_table

DEFAULT_HOME = Path("data/local")
DEFAULT_PACK = "national-2020"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; a refusal goes to standard error in words, never as a traceback."""
    arguments = _parser().parse_args(argv)
    arguments.at = datetime.now(UTC)
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 220)
    try:
        return int(arguments.command(arguments, console))
    except Refused as refusal:
        print(f"已拒绝：{refusal}", file=sys.stderr)
        return 2
    except (ValueError, OSError, StoreError, Refusal, Denied) as error:
        print(f"已拒绝：{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("已中断；已发布的结果没有变", file=sys.stderr)
        return 130
    except BaseException as error:  # a panic in a library is no Exception; status 1 would say "done"
        if isinstance(error, SystemExit):
            raise
        traceback.print_exc()
        print(f"程序出错，已发布的结果没有变；请把上面的内容交给维护人员（{type(error).__name__}）", file=sys.stderr)
        return 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="buluo", description="不落：县域低收入人口监测预警")
    commands = parser.add_subparsers(required=True, metavar="命令")

    def add(name: str, words: str, command: Callable[[argparse.Namespace, Console], int]) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=words, description=words)
        sub.add_argument(
            "--home",
            type=Path,
            default=Path(os.environ.get("BULUO_HOME", DEFAULT_HOME)),
            help="数据主目录（默认 data/local，或环境变量 BULUO_HOME）",
        )
        sub.set_defaults(command=command)
        return sub

    p = add("run", "读取本期文件，比对并发布结果", _run)
    p.add_argument("--period", required=True, help="期间，如 2026-11")
    p.add_argument("--inbox", type=Path, help="本期文件所在文件夹（默认 主目录/inbox/期间）")
    p.add_argument("--pack", default=DEFAULT_PACK, help=f"政策包（默认 {DEFAULT_PACK}）")
    p.add_argument("--accept-shrink", action="store_true", help="已核实：数据减少或空白属实，继续运行")
    p.add_argument("--state", type=Path, default=None, help=argparse.SUPPRESS)  # the page's: how far it is
    p = add("check", "看这些文件会怎样被读取；什么都不改", _check)
    p.add_argument("files", nargs="+", type=Path, metavar="文件")
    p = add("export", "导出", _export)
    p.add_argument(
        "what",
        choices=(
            "signals",
            "alerts",
            "quarantine",
            "ledger",
            "comparison",
            "coverage",
            "checklist",
            "vouching",
            "risk-list",
        ),
        help="信号、预警办理、隔离行、文件台账、三册比对、应保未保（项目 × 地点）、不漏一户（18 项和逐户）、逐户担保情况、风险名单",
    )
    p.add_argument("--period", required=True, help="期间，如 2026-11")
    p.add_argument("-o", "--output", type=Path, required=True, help=".csv、.xlsx 或 .parquet")
    p.add_argument("--where", action="append", default=None, help="条件，如 township=青石镇；可写多次")
    p.add_argument("--lang", choices=("zh", "en"), default="zh", help="语言")
    p.add_argument("--unmask", action="store_true", help="显示完整姓名和证件号码（会记录在案）")
    p.add_argument("--reason", default="", help="为什么需要完整信息")
    listing_commands.add_arguments(p)
    p = add("rules", "规则", _rules)
    p.add_argument(
        "action", choices=("list", "show", "check", "test", "why"), help="列出、查看、检查、试算示例、追问一户为什么"
    )
    p.add_argument("code", nargs="?", help="规则代码，如 GAP-DIBAO")
    p.add_argument("household", nargs="?", help="户编号（why）")
    p.add_argument("--period", default=None, help="期间（why；默认最近一期）")
    p.add_argument("--pack", default=DEFAULT_PACK, help="政策包")
    p.add_argument("--as-of", default=None, help="日期，如 2026-11-30")
    p = add("packs", "政策包", _packs)
    p.add_argument("action", choices=("list", "diff"), help="列出、比较")
    p.add_argument("names", nargs="*", metavar="政策包", help="要比较的两个政策包")
    p.add_argument("--as-of", default=None, help="日期，如 2026-11-30（默认今天）")
    p = add("audit", "从已发布的结果重新核对各项平衡", _audit)
    p.add_argument("--period", default=None, help="期间（默认最近一期）")
    p = add("sample", "生成虚构的样例县", _sample)
    p.add_argument("--persons", type=int, default=3000, help="人数")
    p.add_argument("--months", type=int, default=1, help="月数")
    p.add_argument("--seed", type=int, default=1, help="随机种子：相同则结果相同")
    p.add_argument("--out", type=Path, required=True, help="写入的文件夹")
    p = add("demo", "载入样例县（24个月）并打开看板", _demo)
    p.add_argument("--persons", type=int, default=4500, help="人数")
    p.add_argument("--months", type=int, default=24, help="月数")
    p.add_argument("--port", type=int, default=8501, help="端口")
    p.add_argument("--no-serve", action="store_true", help="只载入，不打开看板")
    p = add("serve", "打开看板（只在本机）", _serve)
    p.add_argument("--port", type=int, default=8501, help="端口")
    office.add_commands(add)
    modelling.add_commands(add)
    reporting.add_commands(add)
    simulating.add_commands(add)
    listing_commands.add_commands(add)
    mapping_commands.add_commands(add)
    linking.add_commands(add)
    p = add("prune", "删除被取代的旧结果文件", _prune)
    p.add_argument("--keep", type=int, default=3, help="保留最近几个")
    return parser


def _run(a: argparse.Namespace, console: Console) -> int:
    gc.set_threshold(*SELDOM)
    with Teller(console, a.state) as told, told.to_the_end():
        decided = linking.decisions_for_run(a.home)
        summary = run(Order(a.home, a.period, a.inbox, a.pack, a.accept_shrink, decided), told)
        print_summary(summary, console, a.home)
        alerted = office.alerts_after_run(a.home, a.at, console)
        told.ended(summary)
    return 1 if summary.to_look_at or not alerted else 0


def _check(a: argparse.Namespace, console: Console) -> int:
    try:
        feeds = load_feeds(a.home / "feeds")
    except FeedError as error:
        raise Refused(str(error)) from error
    troubled = False
    for path in a.files:
        if not path.is_file():
            raise Refused(f"没有文件 {path}")
        collector = Collector(feeds, None)
        collector.take(read_file(path, feeds, name=path.name))
        ledger = collector.finish().ledger
        for part in ledger["part"].iter_rows(named=True):
            where = path.name + (f" · {part['sheet']}" if part["sheet"] else "")
            if part["feed"] is None:
                console.print(f"{where}：不能使用。{part['reason']}")
                if len(ledger["part"]) > 1 and part["reason"] in QUIET:
                    continue
                troubled = True
                mapping_commands.print_proposal(path, str(part["sheet"] or ""), feeds, console)
                continue
            console.print(
                f"{where}：{feeds[part['feed']].title}（{part['feed']}），表头在第 {part['heading_rows']} 行；读入 {part['rows_read']:,} 行 = "
                f"载入 {part['loaded']:,} + 重复 {part['duplicate']:,} + 隔离 {part['quarantined']:,} + 非数据 {part['not_data']:,}"
            )
            if part["unknown_headings"]:
                console.print(f"  未识别的列（原样保留）：{part['unknown_headings']}")
            sheet = f"{part['sheet']} " if part["sheet"] else ""
            for row, reasons in _of(ledger["quarantine"], part["part"], "row", "reasons"):
                troubled = True
                console.print(f"  {sheet}第 {row} 行 隔离：{reasons}")
            for row, heading, value, problem in _of(
                ledger["value_issue"], part["part"], "row", "heading", "value", "problem"
            ):
                console.print(f"  {sheet}第 {row} 行 “{heading}”填写的“{value}”：{problem}")
            for row, first in _of(ledger["duplicate"], part["part"], "row", "first_row"):
                console.print(f"  {sheet}第 {row} 行 与第 {first} 行完全相同，只载入一次")
            for row, why in _of(ledger["not_data"], part["part"], "row", "why"):
                console.print(f"  {sheet}第 {row} 行 不是数据：{why}")
    return 1 if troubled else 0


def _of(frame: pl.DataFrame, part: int, *columns: str) -> list[tuple[object, ...]]:
    return frame.filter(pl.col("part") == part).sort("row").select(columns).rows()


def _published(home: Path, period: str | None) -> Published:
    """The published run of a period (the latest where none is named). Raises Refused where there is none."""
    try:
        published = publication(home)
    except NoWarehouse as error:
        raise Refused(str(error)) from error
    found = next((r for r in published.runs if r.period == (period or published.latest)), None)
    if found is None:
        have = "、".join(r.period for r in published.runs)
        raise Refused(f"{period} 还没有发布过结果；已发布的期间：{have}")
    return found


def _warehouse(home: Path, period: str | None) -> tuple[duckdb.DuckDBPyConnection, Published]:
    """The period's published warehouse, read-only. Raises Refused where there is none, or it cannot be opened."""
    found = _published(home, period)
    try:
        return duckdb.connect(str(found.path), read_only=True), found
    except duckdb.Error as error:
        raise Refused(f"结果文件 {found.path.name} 已损坏，打不开；请重新运行 {found.period}（buluo run）") from error


def _export(a: argparse.Namespace, console: Console) -> int:
    if a.what == "risk-list":
        return listing_commands.export_risk_list(a, console, _published(a.home, a.period))
    unmask = None
    if a.unmask:
        if not a.reason.strip():
            raise Refused("导出完整信息必须写明理由：--unmask --reason 理由")
        unmask = Unmasking(a.home, getpass.getuser(), a.reason, a.at)
    if a.what in ("checklist", "vouching"):
        return office.export_checklist(a, console, _published(a.home, a.period), unmask)
    if a.what == "alerts":
        con = office.case_work_of(a.home, _published(a.home, a.period).period, a.at)
    else:
        con, _ = _warehouse(a.home, a.period)
    with con:
        done = export(con, a.what, period=a.period, out=a.output, where=a.where, lang=a.lang, unmask=unmask)
    console.print(
        f"已写入 {done.path}：{done.rows:,} 行{'（已隐去姓名和证件号码）' if done.masked else '（完整信息，已记录在案）'}"
    )
    return 0


def _policy(a: argparse.Namespace) -> tuple[dict[str, Pack], dict[str, Rule]]:
    try:
        return load_policy(a.home)
    except PolicyError as error:
        raise Refused(str(error)) from error


def _named_pack(packs: dict[str, Pack], name: str) -> Pack:
    if name not in packs:
        raise Refused(f"没有政策包“{name}”；可用的有：{'、'.join(sorted(packs))}")
    return packs[name]


def _day(a: argparse.Namespace) -> date:
    return date.fromisoformat(a.as_of) if a.as_of else local_day(a.at)


def _rules(a: argparse.Namespace, console: Console) -> int:
    if a.action == "check":
        fine, lines = listing.check_lines(a.home)
        console.print("\n".join(lines), markup=False)
        return 0 if fine else 2
    if a.action == "why":
        return simulating.why_lines(_published(a.home, a.period).path, a.code or "", a.household or "", console)
    packs, rules = _policy(a)
    if a.action == "list":
        print_table(console, listing.RULE_HEADINGS, listing.rule_rows(rules, _named_pack(packs, a.pack), _day(a)))
        return 0
    if a.code and a.code not in rules:
        raise Refused(f"没有规则“{a.code}”；buluo rules list 列出全部")
    if a.action == "show":
        if not a.code:
            raise Refused("请写明规则代码，如 buluo rules show GAP-DIBAO")
        console.print("\n".join(listing.rule_lines(rules[a.code], _named_pack(packs, a.pack), _day(a))), markup=False)
        return 0
    results = run_cases({a.code: rules[a.code]} if a.code else rules, packs)
    console.print("\n".join(listing.result_lines(results)), markup=False)
    return 0 if all(r.holds for r in results) else 1


def _packs(a: argparse.Namespace, console: Console) -> int:
    packs, _ = _policy(a)
    if a.action == "list":
        print_table(console, listing.PACK_HEADINGS, listing.pack_rows(packs))
        return 0
    if len(a.names) != 2:
        raise Refused("请写明两个政策包，如 buluo packs diff national-2020 caojie-2024")
    first, second = (_named_pack(packs, name) for name in a.names)
    print_table(console, listing.DIFF_HEADINGS, listing.diff_rows(first, second, _day(a)))
    return 0


def _audit(a: argparse.Namespace, console: Console) -> int:
    published = _published(a.home, a.period)
    checks = [audit_file(published.path, Publisher(a.home).pointer()["periods"][published.period])]
    if checks[0].ok:
        con, _ = _warehouse(a.home, a.period)
        with con:
            checks += audit(con)
    newest = checks[0].ok and published.period == publication(a.home).latest
    held, problems = office.audit_cases(a.home, a.at) if newest else ([], [])
    checks, problems = [*checks, *held], [*journal_problems(a.home), *problems]
    for check in checks:
        console.print(f"{'✓' if check.ok else '✗'} {check.words}", markup=False)
    for problem in problems:
        console.print(f"✗ {problem}", markup=False)
    wrong = sum(not c.ok for c in checks) + len(problems)
    console.print(
        f"{published.period}：{len(checks)} 项平衡，{wrong} 项不符"
        if wrong
        else f"{published.period}：{len(checks)} 项平衡全部相符"
    )
    return 1 if wrong else 0


def _sample(a: argparse.Namespace, console: Console) -> int:
    from pipelines.sample import make_county  # with NumPy and the writers of workbooks: no other command needs them

    report = make_county(a.persons, a.months, a.seed, a.out)
    console.print(f"样例县（虚构）已写入 {a.out}：{report.persons:,} 人，{len(report.periods)} 个月")
    return 0


def _demo(a: argparse.Namespace, console: Console) -> int:
    gc.set_threshold(*SELDOM)
    console.print(f"生成样例县（虚构，{a.persons:,} 人，{a.months} 个月）…")
    demo_months.write_settings(a.home)
    with office.opened(a.home) as store:
        summary, team = demo_months.go_through(store, a.home, a.persons, a.months, a.at, console)
        if summary is not None:
            print_summary(summary, console, a.home)
            demo_months.log_ins(store, a.home, a.at, console, team)
    return 0 if a.no_serve else _serve(a, console)


def _serve(a: argparse.Namespace, console: Console) -> int:
    """Starts the dashboard in place of this process: behind the log-in, on loopback (nginx stands before it on a server)."""
    app = Path(__file__).resolve().parent.parent / "app.py"
    office.before_serving(a.home, a.at)
    console.print(f"看板地址：http://127.0.0.1:{a.port}  （只在本机可打开；按 Ctrl+C 结束）")
    sys.stdout.flush()
    os.environ["BULUO_HOME"] = str(a.home.resolve())
    os.chdir(app.parent)
    arguments = [
        sys.executable, "-m", "streamlit", "run", str(app), "--server.address", "127.0.0.1", "--server.port", str(a.port),
        "--server.headless", "true", "--browser.gatherUsageStats", "false",
    ]  # fmt: skip
    os.execv(sys.executable, arguments)  # noqa: S606 -- a fixed command line of our own


def _prune(a: argparse.Namespace, console: Console) -> int:
    with only_run(a.home):
        removed = Publisher(a.home).prune(a.keep)
    console.print(f"删除 {len(removed)} 个被取代的结果文件")
    return 0


if __name__ == "__main__":
    sys.exit(main())
