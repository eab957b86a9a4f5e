"""The commands around the case store: accounts, digest, backup and restore, and alerts after a run.

Whoever can run these can read the home's files: the operator needs no session, and everything is journalled under the
system user's name. The clock is asked by the command line and handed down (`a.at`).
"""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
from rich.console import Console

from monitoring.access import Scope
from monitoring.alerts import choices, digest
from monitoring.alerts.balance import check_balance
from monitoring.alerts.listing import case_work
from monitoring.alerts.syncing import TakenIn, catch_up, pending
from monitoring.checks import Check
from monitoring.exporting import Unmasking
from monitoring.exporting.journal import record_unmask
from monitoring.exporting.writing import write_frames
from monitoring.misses.checking import check_samples
from monitoring.people import ROLES, accounts, acting, operator
from monitoring.people.demo import DemoRefused, misplaced
from monitoring.people.settings import FILE, load_security
from monitoring.queries import places, vouching
from monitoring.store import Store, StoreError, journal, open_store
from monitoring.store.backup import backup, restore
from monitoring.vouching.breaks import tell_breaks
from monitoring.vouching.exporting import tables
from monitoring.vouching.live import live
from monitoring.vouching.seals import check_seals
from monitoring.warehouse import NoWarehouse, Published, Warehouse, publication
from pipelines.telling import print_table

Add = Callable[[str, str, Callable[[argparse.Namespace, Console], int]], argparse.ArgumentParser]
STATE_WORDS = {"active": "在用", "pending": "待批准", "disabled": "停用"}


def add_commands(add: Add) -> None:
    """Adds users, digest, backup and restore to the command line."""
    p = add("users", "账号", _users)
    p.add_argument("action", choices=("add", "list", "disable", "enable", "reset", "approve", "reject", "change"),
                   help="新增、列出、停用、启用、重设密码、批准、驳回、改角色或地方")  # fmt: skip
    p.add_argument("name", nargs="?", default="", help="账号")
    p.add_argument("--person", default="", help="使用人姓名")
    p.add_argument(
        "--role",
        default="",
        choices=("", *ROLES),
        metavar="角色",
        help="、".join(f"{code}（{role.zh}）" for code, role in ROLES.items()),
    )
    p.add_argument("--place", action="append", default=[], help="负责的地方：乡镇，或 乡镇/村；可写多次")
    p.add_argument("--oidc", default=None, help="统一认证中的标识")
    p.add_argument("--second-factor", action="store_true", help="重设密码时也重设第二因素（手机丢失）")
    p = add("settings", "预警处置的设置", _settings)
    p.add_argument("name", nargs="?", default="", help="设置名（不写则列出全部）")
    p.add_argument("value", nargs="?", default="", help="新的值")
    p = add("digest", "向各乡镇发送新增、到期、逾期的件数（没有配置时只显示）", _digest)
    p.add_argument("--show", action="store_true", help="只显示，不发送")
    p = add("backup", "备份办理库（账号、预警、走访、结论、日志）", _backup)
    p.add_argument("file", type=Path, metavar="文件", help="备份写到哪里，如 备份-2026-11-23.zip")
    p = add("restore", "把备份恢复到空的办理库", _restore)
    p.add_argument("file", type=Path, metavar="文件", help="备份文件")


@contextmanager
def opened(home: Path) -> Iterator[Store]:
    store = open_store(home)
    try:
        yield store
    finally:
        store.close()


def case_work_of(home: Path, period: str, at: datetime) -> duckdb.DuckDBPyConnection:
    """The alerts that were open or closed in a period, for export."""
    with opened(home) as store:
        return case_work(store, period, at)


def bring_alerts_up(store: Store, home: Path, at: datetime) -> list[TakenIn]:
    """Alerts from the published runs that the case store has not seen, and what of the signed checklists they contradict; an
    anchor of the journal afterwards."""
    published = publication(home)
    done = catch_up(store, published, at)
    tell_breaks(store, published, at)
    journal.anchor(store, at)
    return done


def before_serving(home: Path, at: datetime) -> None:
    """Before the dashboard starts: settings that can be read, no known passwords before real data, and the alerts that a run
    which died could not make any more. Raises ValueError or DemoRefused in words."""
    load_security(home)
    with opened(home) as store:
        try:
            newest = publication(home).run_of(None).path
        except NoWarehouse:
            return
        warehouse = Warehouse(newest)
        try:
            wrong = misplaced(store, sample=places.county(warehouse).sample)
        finally:
            warehouse.close()
        if wrong:
            raise DemoRefused(wrong)
        bring_alerts_up(store, home, at)


def alerts_after_run(home: Path, at: datetime, console: Console) -> bool:
    """Opens alerts from what was just published and says what became of them; False where that could not be done: the
    published run stands, and the next command makes up for it."""
    try:
        with opened(home) as store:
            done = bring_alerts_up(store, home, at)
    except StoreError as error:
        console.print(
            f"  ! 结果已发布，但预警没有更新：{error}。修好后再运行任一次 buluo run 或 buluo serve，会补上",
            markup=False,
        )
        return False
    for one in done:
        console.print(
            f"  预警：新开 {one.opened:,} 件，并入信号 {one.joined:,} 条，延续 {one.unchanged:,} 条，不再成立 {one.gone:,} 条，已办结暂不再报 {one.settled:,} 条"
        )
        if one.sampled:
            console.print(f"  漏判抽查：从没有任何信号的户里抽中 {one.sampled:,} 户待走访")
    return True


def export_checklist(a: argparse.Namespace, console: Console, published: Published, unmask: Unmasking | None) -> int:
    """不漏一户: sets by place and the ledger, with what people did since the run; journalled, masked or not. Raises ValueError
    in words where a condition is given or the run has no ledger."""
    if a.where:
        raise ValueError("不漏一户的导出不接受 --where；请在表里筛选")
    warehouse, caller = Warehouse(published.path), operator(getpass.getuser())
    try:
        if not vouching.ready(warehouse):
            raise ValueError(
                f"{published.period} 的结果是由旧版本生成的，请重新运行：buluo run --period {published.period}"
            )
        with opened(a.home) as store:
            now = live(store, caller, vouching.asked_of(warehouse), a.at)
            table = "ledger" if a.what == "vouching" else ""
            frames = tables(warehouse, Scope(masked=unmask is None), now, a.output, a.lang, table)
            rows = sum(frame.height for frame in frames.values())
            if unmask is not None:
                record_unmask(
                    a.home, unmask.who, a.what, published.period, unmask.reason, rows, at=a.at, file=a.output.name
                )
            with acting(store, caller, "export.masked" if unmask is None else "export.full", a.at) as act:
                act.journal("export.write", what=a.what, period=published.period, rows=rows, masked=unmask is None)
            write_frames(frames, a.output)
    finally:
        warehouse.close()
    console.print(
        f"已写入 {a.output}：{rows:,} 行{'（已隐去姓名和证件号码）' if unmask is None else '（完整信息，已记录在案）'}"
    )
    return 0


def audit_cases(home: Path, at: datetime) -> tuple[list[Check], list[str]]:
    """The balances between warehouse and case store, and what is wrong with the journal; both empty where there is no store."""
    try:
        published = publication(home)
    except NoWarehouse:
        return [], []
    with opened(home) as store:
        problems = journal.problems(store)
        if pending(store, published):
            return [], [*problems, "预警还没有从最近一次运行更新：运行 buluo serve 或 buluo run 会补上"]
        warehouse = Warehouse(published.run_of(None).path)
        try:
            return [*check_balance(store, warehouse), check_seals(store), *check_samples(store, warehouse)], problems
        finally:
            warehouse.close()


def _users(a: argparse.Namespace, console: Console) -> int:
    caller = operator(getpass.getuser())
    with opened(a.home) as store:
        if a.action == "list":
            rows = [
                (one.name, one.person, ROLES[one.role].zh, places_in_words(one.places), STATE_WORDS[one.state],
                 one.last_seen_at.date().isoformat() if one.last_seen_at else "从未",
                 "、".join(word for word, so in (("90天未用", one.unused), ("锁定中", one.locked), ("有变更待批", one.asked is not None)) if so))
                for one in accounts.accounts(store, caller, a.at)
            ]  # fmt: skip
            print_table(console, ("账号", "姓名", "角色", "地方", "状态", "最近登录", "提示"), rows)
            return 0
        if not a.name:
            raise ValueError(f"请写明账号，如 buluo users {a.action} zhangsan")
        console.print(_change_account(store, a))
    return 0


def _change_account(store: Store, a: argparse.Namespace) -> str:
    caller, where = operator(getpass.getuser()), tuple(_place(text) for text in a.place)
    if a.action in ("add", "change") and not a.role:
        raise ValueError(f"请写明角色：--role {'、'.join(ROLES)}")
    if a.action == "add":
        password = accounts.add(store, caller, a.name, a.person, a.role, where, a.at, a.oidc)
        return f"已新增账号 {a.name}；一次性密码（首次登录须修改）：{password}"
    if a.action == "reset":
        password, _ = accounts.reset_password(store, caller, a.name, a.at, a.second_factor)
        return f"已重设；一次性密码（下次登录须修改）：{password}"
    if a.action == "change":
        accounts.set_role(store, caller, a.name, a.role, where, a.at)
        return f"已把 {a.name} 改为{ROLES[a.role].zh} {places_in_words(where)}"
    simple = {
        "disable": accounts.disable,
        "enable": accounts.enable,
        "approve": accounts.approve,
        "reject": accounts.reject,
    }
    simple[a.action](store, caller, a.name, a.at)
    return {"disable": "已停用", "enable": "已启用", "approve": "已批准", "reject": "已驳回"}[a.action] + f" {a.name}"


def _place(text: str) -> tuple[str, str | None]:
    township, _, village = text.partition("/")
    return township.strip(), village.strip() or None


def places_in_words(where: tuple[tuple[str, str | None], ...]) -> str:
    return "、".join(" ".join(filter(None, place)) for place in where) or "全县"


def _settings(a: argparse.Namespace, console: Console) -> int:
    with opened(a.home) as store:
        if a.name:
            value = choices.choose(store, operator(getpass.getuser()), a.name, a.value, a.at)
            console.print(f"{a.name} = {value}")
            return 0
        with store.read() as con:
            rows = [
                (name, str(choices.chosen(con, name)), str(one.default), one.zh)
                for name, one in choices.CHOICES.items()
            ]
    print_table(console, ("设置", "现值", "默认", "说明"), rows)
    return 0


def _digest(a: argparse.Namespace, console: Console) -> int:
    with opened(a.home) as store:
        done = digest.run(store, operator(getpass.getuser()), a.at, send=not a.show)
    console.print(done.text, markup=False)
    if done.sent:
        console.print(f"已发送：{'、'.join(done.sent)}", markup=False)
    elif not done.configured:
        console.print(f"（没有配置发送地址：在 {a.home / FILE} 的 [digest] 里写明后会发送）", markup=False)
    for words in done.failed:
        console.print(f"! {words}", markup=False)
    return 1 if done.failed else 0


def _backup(a: argparse.Namespace, console: Console) -> int:
    with opened(a.home) as store:
        done = backup(store, a.file, at=a.at, who=f"cli:{getpass.getuser()}")
        journal.anchor(store, a.at)
    console.print(
        f"已备份到 {done.path}：{done.rows:,} 行，日志到第 {done.journal:,} 条。密钥 {a.home / 'secrets'} 不在其中，请另行妥善保存"
    )
    return 0


def _restore(a: argparse.Namespace, console: Console) -> int:
    done = restore(a.home, a.file, at=a.at, who=f"cli:{getpass.getuser()}")
    console.print(f"已从 {done.path} 恢复 {done.rows:,} 行，日志到第 {done.journal:,} 条，衔接完好")
    if done.lost:
        console.print(f"! 存证表明备份之后还有 {done.lost:,} 条操作日志，它们不在这份备份里")
    return 1 if done.lost else 0
