"""What commands and pages call for a report or the month's lists: the permission asked, the journal written, one file made.

A report holds no personal data: whoever may export masked lists may have it, for their places. The lists are masked; in full
they need a purpose and the permission for full exports, and the journal has its line before the file is begun.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from monitoring.access import Scope
from monitoring.alerts.reporting import moment_of, worked
from monitoring.labels import feed_titles
from monitoring.language import Language
from monitoring.pair import Pair, published_before
from monitoring.people import Caller, Denied, Person, acting, reading
from monitoring.people.downloads import offer, waiting
from monitoring.people.viewing import stated_purpose
from monitoring.queries import places
from monitoring.queries.vouching import asked_of
from monitoring.reports import lists
from monitoring.reports.composing import Made, compose, months_of
from monitoring.reports.figures import late_feeds
from monitoring.reports.printing import print_view
from monitoring.reports.shape import Report
from monitoring.reports.workbook import write_month
from monitoring.store import Store
from monitoring.strict_toml import PolicyError
from monitoring.vouching.live import live_of
from monitoring.warehouse import Publication, Published, Warehouse
from monitoring.working_days import CHINA, local_day

KINDS = {"monthly": "月报", "quarterly": "季度报告"}
EVERYWHERE = Scope()


class NothingEarlier(ValueError):
    """Lists compare two runs, and there is no earlier one. `words` (Chinese) are for the person."""

    def __init__(self, period: str) -> None:
        self.words = f"{Language('zh').month(period)}以前没有已发布的结果，不能比较，这一期的清单不明"
        super().__init__(self.words)


@dataclass(frozen=True)
class MonthLists:
    """The workbook's parts, before it is written."""

    title: str
    told: list[tuple[str, str]]
    sheets: list[lists.Sheet]
    notes: list[str]
    name: str


def make_report(
    store: Store, caller: Caller, published: Publication, kind: str, period: str, publication: bool, at: datetime, picked: Scope = EVERYWHERE
) -> Report:  # fmt: skip
    """A report of the caller's places within the picked ones. Raises Denied, SessionOver, NoQuarter (no report is due), ValueError
    (the period is not published)."""
    with _opened(_run_of(published, period).path) as warehouse:
        with reading(store, caller, "export.masked", at) as act:
            person, until = act.person, moment_of(act.con, period, at)
            done = live_of(act.con, person, asked_of(warehouse), at)
        scope = _scope(person, picked)
        months = months_of(kind, warehouse.row("select as_of from run")["as_of"])
        stood = worked(store, caller, months, until, at, picked)
        before = published_before(published, months[0])
        made = Made(person.person, _moment(at), local_day(at), _place(scope), publication)
        held = {run.period for run in published.runs}
        missing = [month for month in months if month not in held]
        if before is None:
            return compose(kind, warehouse, scope, None, stood, done, made, missing)
        with _paired(before, _run_of(published, period)) as pair:
            return compose(kind, warehouse, scope, pair, stood, done, made, missing)


def offer_report(
    store: Store, caller: Caller, published: Publication, kind: str, period: str, publication: bool, picked: Scope, at: datetime
) -> str:  # fmt: skip
    """The report as a Word file; gives the address of its one download. Raises as `make_report`."""
    from monitoring.reports.word import write_word  # matplotlib and docx are loaded by whoever makes a file

    report = make_report(store, caller, published, kind, period, publication, at, picked)
    path = waiting(store) / f"{secrets.token_hex(16)}.docx"
    path.write_bytes(write_word(report))
    path.chmod(0o600)
    return offer(store, caller, "export.masked", f"report.{kind}", path, f"{report.name}.docx", len(report.sections), masked=True, at=at)  # fmt: skip


def print_report(
    store: Store, caller: Caller, published: Publication, kind: str, period: str, publication: bool, at: datetime, picked: Scope = EVERYWHERE
) -> str:  # fmt: skip
    """The report as a page to print; journalled. Raises as `make_report`; Denied for a kind that there is not."""
    if kind not in KINDS:
        raise Denied
    report = make_report(store, caller, published, kind, period, publication, at, picked)
    with acting(store, caller, "export.masked", at) as act:
        act.journal("report.print", f"report:{kind}:{period}", publication=publication)
    return print_view(report)


def month_lists(published: Publication, period: str, person: Person, scope: Scope, at: datetime) -> MonthLists:
    """The month's lists of a scope. Raises NothingEarlier, ValueError."""
    run, before = _run_of(published, period), published_before(published, period)
    if before is None:
        raise NothingEarlier(period)
    t = Language("zh")
    with _paired(before, run) as pair:
        sheets = lists.month(pair, scope)
        county = pair.row("select as_of, pack, sample from later.run")
        lacking = [
            f"{feed_titles()[feed]}：{why}，有关的表不明、没有行。"
            for feed, why in lists.not_compared(pair, scope).items()
        ]
        anew = [f"{text}。" for text in lists.came_anew(pair, scope)]
    with _opened(run.path) as warehouse:
        late = _late(warehouse, at)
    told = [
        ("期间", f"{t.month(period)}（数据截至 {county['as_of']}）"),
        ("与之比较", f"{t.month(before.period)} 已发布结果 {before.run}"),
        ("结果编号", run.run), ("政策包", county["pack"]), ("范围", _place(scope)),
        ("脱敏", "姓名、证件号码已隐去" if scope.masked else "完整信息：用后妥善保管，不得转借外传；本次导出已记入日志"),
        ("制表", f"{person.person}　{_moment(at)}"),
    ]  # fmt: skip
    if late:
        told.append(("过期未报的数据", late))
    if county["sample"]:
        told.append(("样例", "人和事都是编造的，只供演示"))
    notes = [*lacking, *anew, "分类施保金的增发、减发：台账没有这一项，不出表。会议记录不在数据中，不出表。", "各表由系统比较两期已发布结果得出；原因以台账写明的为准，没有写明的如实写“不明”。"]  # fmt: skip
    place, mask = _place(scope), "" if scope.masked else "_完整"
    return MonthLists(
        f"{place}{t.month(period)}救助月报清单", told, sheets, notes, f"{place}{t.month(period)}救助月报清单{mask}"
    )


def offer_lists(
    store: Store, caller: Caller, published: Publication, period: str, picked: Scope, purpose: str | None, at: datetime
) -> str:  # fmt: skip
    """The workbook; gives the address of its one download. Masked where `purpose` is None; in full it says what for.

    Raises Denied, SessionOver, PurposeMissing, NothingEarlier, ValueError.
    """
    action = "export.masked" if purpose is None else "export.full"
    with reading(store, caller, action, at) as act:
        person, said = act.person, None if purpose is None else stated_purpose(purpose)
    made = month_lists(published, period, person, replace(_scope(person, picked), masked=purpose is None), at)
    if said is not None:
        with acting(store, caller, action, at) as act:
            act.journal("export.full", f"lists:{period}", purpose=said, rows=sum(s.rows.height for s in made.sheets))
    path = waiting(store) / f"{secrets.token_hex(16)}.xlsx"
    rows = write_month(path, made.title, made.told, made.sheets, made.notes)
    return offer(store, caller, action, "month lists", path, f"{made.name}.xlsx", rows, masked=said is None, at=at)


def townships(published: Publication, period: str) -> list[str]:
    """The townships of a period's run by name. Raises ValueError."""
    with _opened(_run_of(published, period).path) as warehouse:
        return [name for name in places.townships(warehouse) if name]


def _scope(person: Person, picked: Scope) -> Scope:
    return Scope(picked.townships, picked.villages, True, person.places)


def _run_of(published: Publication, period: str) -> Published:
    found = next((run for run in published.runs if run.period == period), None)
    if found is None:
        have = "、".join(run.period for run in published.runs)
        raise ValueError(f"{period} 还没有发布过结果；已发布的期间：{have}")
    return found


@contextmanager
def _opened(path: Path) -> Iterator[Warehouse]:
    warehouse = Warehouse(path)
    try:
        yield warehouse
    finally:
        warehouse.close()


@contextmanager
def _paired(before: Published, now: Published) -> Iterator[Pair]:
    pair = Pair(before.path, now.path)
    try:
        yield pair
    finally:
        pair.close()


def _place(scope: Scope) -> str:
    """For which places, in words."""
    if scope.villages is not None:
        return "、".join("".join(part or "地点不明" for part in place) for place in scope.villages)
    if scope.townships is not None:
        return "、".join(town or "地点不明" for town in scope.townships)
    if scope.allowed is not None:
        return "、".join("".join(part for part in place if part) for place in scope.allowed)
    return "全县"


def _moment(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def _late(warehouse: Warehouse, at: datetime) -> str:
    """The sources whose day is over without a file, in words; "" where there are none."""
    try:
        late, _ = late_feeds(warehouse, local_day(at))
    except PolicyError:
        return "不明：报送期限的设置不能用"
    return "、".join(f"{row['title']}（{_last(row['last_period'])}）" for row in late)


def _last(period: int | None) -> str:
    return "从未送到" if period is None else f"最近 {Language('zh').month(period)}"
