"""`buluo demo`: the months of the sample county made, run, worked and learnt from, beside each other.

A process of its own makes the months ahead (`pipelines.demo`), another trains the model (`pipelines.demo_training`), this one
runs the months; a thread is the county's people, who do what comes before a run while it goes on. What each of them finds
depends on the order of the months alone, never on who was faster. Only for a home whose people are all made up (`demo_accounts`
refuses any other).
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

from rich.console import Console

from monitoring.alerts.syncing import take_in
from monitoring.people import ROLES
from monitoring.people.demo import demo_accounts
from monitoring.people.settings import FILE
from monitoring.queries import places
from monitoring.store import Store, journal
from monitoring.warehouse import Warehouse, publication
from monitoring.working_days import CHINA
from pipelines import linking
from pipelines.demo import months_ahead
from pipelines.demo_training import begin, end, said, start
from pipelines.demo_work import MONTHS, Team
from pipelines.office import places_in_words
from pipelines.run import Summary, last_day, load_definitions, run
from pipelines.telling import print_table

MODEL_AGE = 4  # months before the end at which the model is trained: the last run reads it, those before hide the wait
SETTINGS = "# 样例县的设置：演示账号不用第二因素，也不须批准。真实数据请用 level = 3。\n[security]\nlevel = 2\n"


def go_through(
    store: Store, home: Path, persons: int, months: int, at: datetime, console: Console
) -> tuple[Summary | None, Team | None]:
    """All months; the last run's summary and the people who worked (None where there was no month). Raises Refused."""
    definitions, decided = load_definitions(home), linking.decisions_for_run(home)
    summary, worked, begun = None, None, None
    # It loads while the first month is made, when there is nothing to do yet.
    training = start(home, at) if months > MODEL_AGE else None
    with ThreadPoolExecutor(1) as people:
        try:
            for n, (order, taken) in enumerate(months_ahead(home, persons, months), 1):
                morning = min(datetime.combine(last_day(order.period) + timedelta(1), time(8, 30), CHINA), at)
                if worked is not None:
                    worked = people.submit(_work, worked, morning)
                if n == months and training is not None and begun is not None:
                    from monitoring.forecast import keeping, scoring  # noqa: F401 -- loaded while the other process trains

                    begun.result()
                    console.print(said(training))
                summary = run(replace(order, decisions=decided), lambda *_: None, definitions, taken)
                if n > months - MONTHS:
                    worked = people.submit(_open_alerts, store, home, order.period, morning, worked)
                if training is not None and n == months - MODEL_AGE:
                    begun = people.submit(begin, training, order.period)
                console.print(f"  {n}/{months} {order.period}：信号 {summary.counts['signals']:,} 条")
            return summary, worked.result() if worked is not None else None
        finally:
            if training is not None:
                end(training)


def _work(before: Future[Team], morning: datetime) -> Team:
    """What the people do until a run comes in. What went wrong before is raised here."""
    team = before.result()
    team.work(morning)
    return team


def _open_alerts(store: Store, home: Path, period: str, morning: datetime, before: Future[Team] | None) -> Team:
    """The alerts of a run are opened, as on the morning after its last day (never later than now); the first time the people
    are there from then on."""
    newest = publication(home).run_of(period)
    team = before.result() if before is not None else Team(store, towns_of(newest.path), morning, _sample(newest.path))
    take_in(store, newest.path, newest.run, newest.period, last_day(period), morning)
    journal.anchor(store, morning)
    return team


def towns_of(path: Path) -> dict[str, list[str]]:
    """The townships of a run with their villages."""
    warehouse = Warehouse(path)
    try:
        return {
            town: [v for v in places.villages(warehouse, town) if v] for town in places.townships(warehouse) if town
        }
    finally:
        warehouse.close()


def _sample(path: Path) -> bool:
    """Whether a run says that its county is the sample."""
    warehouse = Warehouse(path)
    try:
        return places.county(warehouse).sample
    finally:
        warehouse.close()


def log_ins(store: Store, home: Path, at: datetime, console: Console, team: Team | None = None) -> None:
    """Accounts with known passwords for the sample county, printed; and what its people have done so far."""
    newest = publication(home).run_of(None).path
    made = demo_accounts(store, at, towns_of(newest), sample=_sample(newest))
    console.print("演示账号（只用于样例县）：")
    rows = [(m.name, m.password, ROLES[m.role].zh, m.person, places_in_words(m.places)) for m in made]
    print_table(console, ("账号", "密码", "角色", "姓名", "地方"), rows)
    if team is not None:
        console.print(f"  另有 {team.steps:,} 步模拟的走访、决定和办结（近 {MONTHS} 个月）")
    if team is not None and team.refused:
        console.print(f"  ! 模拟办理中有 {len(team.refused)} 步没有做成：{team.refused[0]}", markup=False)


def write_settings(home: Path) -> None:
    """Level 2 for a home that has no settings yet: the sample's log-ins are known to everybody anyway."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / FILE).exists():
        (home / FILE).write_text(SETTINGS, encoding="utf-8")
