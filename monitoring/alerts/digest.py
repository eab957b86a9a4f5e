"""The daily digest: each township is told how many alerts are new, due and overdue, the county how all of them stand.

Figures only: no name, number, village or text of any alert is read. It goes out through Apprise (e-mail, WeCom, DingTalk,
Feishu and others) to the addresses of HOME/settings.toml, which nobody else may read, since they hold keys:

    [digest]
    county = ["mailtos://…"]

    [digest.townships]
    "柳林镇" = ["wecombot://…", "feishu://…"]

Each is told what is new since it was last told, at first since the working day before. One address that fails is reported and
stops nobody else's; it is told the next time what it missed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, case, func, insert, or_, select, update

from monitoring.alerts.queue import escalated_before
from monitoring.people import Caller, acting, reading
from monitoring.people.settings import FILE, SettingsError
from monitoring.store import Store
from monitoring.store.schema import alert, setting
from monitoring.strict_toml import Complaint, Table, read_toml
from monitoring.working_days import CHINA, is_working_day, local_day

COUNTY = "全县"
NOWHERE = "地点不明"
SENT = "digest.sent"  # in the table `setting`: target -> when it was last told
ACTION = "setting.change"  # the operator's; the digest is no page of anybody's


@dataclass(frozen=True)
class Addresses:
    """Where digests go, as Apprise writes addresses."""

    county: tuple[str, ...] = ()
    townships: Mapping[str, tuple[str, ...]] | None = None

    def of(self, target: str) -> tuple[str, ...]:
        return self.county if target == COUNTY else (self.townships or {}).get(target, ())

    @property
    def any(self) -> bool:
        return bool(self.county or self.townships)


@dataclass(frozen=True)
class Counts:
    """One township's figures (COUNTY: all; NOWHERE: those whose place is not known). `county`: overdue ones that are the
    county's matter by now; `week` until Sunday, today included."""

    target: str
    since: datetime
    new: int = 0
    new_red: int = 0
    today: int = 0
    week: int = 0
    overdue: int = 0
    county: int = 0
    emergency: int = 0


@dataclass(frozen=True)
class Digest:
    """What one target is told."""

    target: str
    title: str
    text: str


@dataclass(frozen=True)
class Done:
    """`text` is all digests for reading; `sent` the targets that were reached, `failed` what went wrong in words. Without
    addresses nothing is sent: the text is to be printed."""

    text: str
    configured: bool
    sent: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def run(store: Store, caller: Caller, at: datetime, *, send: bool = True) -> Done:
    """`buluo digest`: sends where addresses are set, else returns the text. Raises SettingsError, Denied, SessionOver."""
    addresses = load_addresses(store.home)
    with reading(store, caller, ACTION, at) as act:
        digests = _digests(act.con, addresses, at)
    text = "\n\n".join(f"{digest.title}\n{digest.text}" for digest in digests)
    if not (addresses.any and send):
        return Done(text, addresses.any)
    known = {digest.target for digest in digests}
    failed, reached = [], []
    for digest in digests:
        trouble = [words for url in addresses.of(digest.target) if (words := deliver(url, digest.title, digest.text))]
        failed += [f"{digest.target}：{words}" for words in trouble]
        reached += [digest.target] if len(trouble) < len(addresses.of(digest.target)) else []
    with acting(store, caller, ACTION, at) as act:
        _remember(act.con, act.person.name, reached, at)
        act.journal("digest.send", "digest", "failed" if failed else "ok", sent=reached, failures=len(failed))
    unknown = [
        f"{name}：库里没有这个乡镇的预警，请核对 {FILE} 里的名称"
        for name in addresses.townships or {}
        if name not in known
    ]
    return Done(text, True, tuple(reached), (*failed, *unknown))


def counts_by_township(con: Connection, at: datetime, since: Mapping[str, datetime]) -> list[Counts]:
    """The county's figures and each township's that ever had an alert, by name; those whose place is not known come last.

    `since`: when a target was last told; the others since the working day before.
    """
    before = first_since(local_day(at))
    moments = sorted({before, *since.values()})
    new = {moment: _new(con, moment) for moment in moments}
    due = _due(con, local_day(at))
    names = con.execute(select(alert.c.township).distinct()).scalars().all()
    told = []
    for name in (COUNTY, *sorted(n for n in names if n is not None), *([NOWHERE] if None in names else [])):
        moment = since.get(name, before)
        figures = {**_of(name, new[moment]), **_of(name, due)}
        told.append(Counts(name, moment, **figures))
    return told


def first_since(today: date) -> datetime:
    """The beginning of the working day before."""
    day = today - timedelta(1)
    while not is_working_day(day):
        day -= timedelta(1)
    return datetime.combine(day, time(), CHINA)


def words(counts: Counts, day: date) -> Digest:
    """A township's digest in Chinese."""
    since = counts.since.astimezone(CHINA)
    lines = [
        f"{since.month}月{since.day}日 {since:%H:%M} 以来新增 {counts.new} 件（红色 {counts.new_red} 件）",
        f"今日到期 {counts.today} 件，本周内到期 {counts.week} 件",
        f"逾期 {counts.overdue} 件，其中已报县级 {counts.county} 件",
        f"急难 {counts.emergency} 件",
        "请登录系统办理。",
    ]
    return Digest(counts.target, f"低收入人口监测预警 {day.isoformat()} {counts.target}", "\n".join(lines))


def load_addresses(home: Path) -> Addresses:
    """The table [digest] of HOME/settings.toml; none without it. Raises SettingsError with every complaint."""
    path = home / FILE
    if not path.exists():
        return Addresses()
    complaints: list[Complaint] = []
    whole = read_toml(path, complaints)
    found = Addresses()
    content = None if whole is None else whole.raw("digest")
    if whole is not None and isinstance(content, dict):
        found = _addresses(Table(content, FILE, "[digest]", complaints))
        if path.stat().st_mode & 0o077:
            whole.complain("文件里有发送地址的密钥，别人也能读", f"chmod 600 {FILE}")
    elif whole is not None and content is not None:
        whole.complain("digest 不是一张表", "[digest]")
    if complaints:
        raise SettingsError(complaints)
    return found


def deliver(url: str, title: str, text: str) -> str:
    """Sends one message to one address; "" where it was taken, else what went wrong, without the address's keys."""
    import apprise  # takes a second to load, which only this command should wait for

    target = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if not isinstance(target, apprise.NotifyBase):
        return f"发送地址的写法不对（{url.partition('://')[0]}://…）"
    if target.notify(title=title, body=text):
        return ""
    return f"没有送达（{target.service_name}，{url.partition('://')[0]}://…）；请检查网络、地址和密钥后再运行"


def _digests(con: Connection, addresses: Addresses, at: datetime) -> list[Digest]:
    """The county's, with a line for each township, and every township's own."""
    told = con.execute(select(setting.c.value).where(setting.c.name == SENT)).scalar() or {}
    since = {name: datetime.fromisoformat(moment) for name, moment in told.items()}
    counts = counts_by_township(con, at, since)
    county, places = words(counts[0], local_day(at)), counts[1:]
    lines = [
        f"{one.target}：新增 {one.new}，今日到期 {one.today}，逾期 {one.overdue}（报县级 {one.county}）"
        for one in places
    ]
    whole = Digest(county.target, county.title, "\n".join([county.text, *lines]))
    return [whole, *(words(one, local_day(at)) for one in places if one.target != NOWHERE)]


def _new(con: Connection, since: datetime) -> dict[str, dict[str, int]]:
    red = func.count(case((alert.c.level == "red", 1)))
    asked = select(alert.c.township, func.count().label("new"), red.label("new_red")).where(
        alert.c.opened_at > since, _works()
    )
    return _by_place(con, asked)


def _due(con: Connection, today: date) -> dict[str, dict[str, int]]:
    sunday = today + timedelta(6 - today.weekday())
    figures = {
        "today": alert.c.due_date == today,
        "week": alert.c.due_date.between(today, sunday),
        "overdue": alert.c.due_date < today,
        "county": alert.c.due_date < escalated_before(today),
        "emergency": alert.c.emergency.is_(True),
    }
    sums = [func.count(case((condition, 1))).label(name) for name, condition in figures.items()]
    return _by_place(con, select(alert.c.township, *sums).where(alert.c.closed_at.is_(None), _works()))


def _works() -> Any:
    """What full support answers is only shown, unless somebody has begun to work on it (as in the queue)."""
    return or_(alert.c.raises_work, alert.c.status != "new")


def _by_place(con: Connection, asked: Any) -> dict[str, dict[str, int]]:
    """Township -> figure -> count."""
    rows = con.execute(asked.group_by(alert.c.township)).mappings().all()
    return {row["township"] or NOWHERE: {k: int(v) for k, v in row.items() if k != "township"} for row in rows}


def _of(name: str, figures: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """One township's figures; the county's are the sums of all."""
    if name != COUNTY:
        return dict(figures.get(name, {}))
    told: dict[str, int] = {}
    for of_place in figures.values():
        told |= {key: told.get(key, 0) + value for key, value in of_place.items()}
    return told


def _addresses(table: Table) -> Addresses:
    county = _urls(table, "county")
    townships = table.raw("townships")
    found: dict[str, tuple[str, ...]] = {}
    if isinstance(townships, dict):
        inner = Table(townships, table.file, "[digest.townships]", table.complaints)
        found = {name: _urls(inner, name) for name in townships}
    elif townships is not None:
        table.complain("townships 不是一张表", '[digest.townships]，每行 "乡镇名" = ["地址"]')
    table.close()
    return Addresses(county, found)


def _urls(table: Table, key: str) -> tuple[str, ...]:
    found = table.raw(key)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(url, str) and "://" in url for url in found):
        table.complain(f"{key} 不是地址的列表", f'{key} = ["mailtos://…", "wecombot://…"]')
        return ()
    return tuple(found)


def _remember(con: Connection, by: str, reached: Sequence[str], at: datetime) -> None:
    if not reached:
        return
    row = con.execute(select(setting.c.value).where(setting.c.name == SENT).with_for_update()).scalar()
    value = {**(row or {}), **dict.fromkeys(reached, at.isoformat())}
    if row is None:
        con.execute(insert(setting).values(name=SENT, value=value, by=by, at=at))
    else:
        con.execute(update(setting).where(setting.c.name == SENT).values(value=value, by=by, at=at))
