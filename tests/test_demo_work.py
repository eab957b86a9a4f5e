"""Half a year of simulated case work: real services, every refusal counted, the same county the same work, a backlog left."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from monitoring.alerts.balance import check_balance
from monitoring.alerts.outcomes import OUTCOMES
from monitoring.alerts.syncing import take_in
from monitoring.people.demo import DemoRefused
from monitoring.people.roles import ACTIONS
from monitoring.queries import places
from monitoring.rules import load_policy
from monitoring.store import Store, journal, open_store
from monitoring.store.schema import account, alert, alert_event, audit_sample, audit_visit, decision, session, visit
from monitoring.warehouse import Warehouse, publication
from monitoring.working_days import CHINA, local_day
from pipelines.demo_work import ENDINGS, Team, ending_of

OPENED = datetime(2026, 7, 1, 8, 30, tzinfo=CHINA)
LATER = OPENED + timedelta(75)


def worked(published: Path, home: Path) -> tuple[Store, Team]:
    """A home of level 2 over the sample's newest run, worked for 75 days."""
    home.mkdir()
    (home / "settings.toml").write_text("[security]\nlevel = 2\n", "utf-8")
    key = home / "secrets" / "store.key"  # the draw of the sample rests on it
    key.parent.mkdir()
    key.write_bytes(b"k" * 32)
    key.chmod(0o400)
    store, run = open_store(home), publication(published).run_of(None)
    warehouse = Warehouse(run.path)
    towns = {town: [v for v in places.villages(warehouse, town) if v] for town in places.townships(warehouse) if town}
    warehouse.close()
    team = Team(store, towns, OPENED, sample=True)
    take_in(store, run.path, run.run, run.period, date(2026, 6, 30), OPENED)
    team.work(OPENED + timedelta(30))
    team.work(LATER)
    return store, team


@pytest.fixture(scope="module")
def office(published_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Team]:
    return worked(published_home, tmp_path_factory.mktemp("demo-work") / "home")


def test_no_service_refuses_what_they_do_and_the_journal_holds(office: tuple[Store, Team]) -> None:
    store, team = office
    assert team.refused == [] and team.steps > 100
    assert journal.problems(store) == []


def test_every_step_is_taken_by_somebody_who_may_on_a_day_that_has_come(office: tuple[Store, Team]) -> None:
    store, _ = office
    with store.read() as con:
        roles = dict(con.execute(select(account.c.id, account.c.role)).all())
        steps = con.execute(select(alert_event).where(alert_event.c.account_id.is_not(None))).mappings().all()
        days = con.execute(select(visit.c.date, alert.c.opened_on).join(alert, alert.c.id == visit.c.alert_id)).all()
    assert {step["event"] for step in steps} >= {"visit", "decide", "measure", "refer", "answer", "close"}
    for step in steps:
        assert OPENED < step["at"] < LATER
        if step["event"] in ("visit", "decide", "measure", "refer", "answer", "close"):
            assert roles[step["account_id"]] in ACTIONS[f"alert.{step['event']}"]
    assert all(opened <= day <= local_day(LATER) for day, opened in days)


def test_outcomes_are_of_many_kinds_and_something_is_left_to_do(office: tuple[Store, Team]) -> None:
    store, _ = office
    with store.read() as con:
        outcomes: dict[str, int] = dict(
            con.execute(select(decision.c.outcome, func.count()).group_by(decision.c.outcome)).all()
        )
        states: dict[str, int] = dict(con.execute(select(alert.c.status, func.count()).group_by(alert.c.status)).all())
        taken = con.execute(select(func.count()).where(session.c.ended_at.is_(None)).select_from(session)).scalar_one()
    assert len(outcomes) >= 6 and states["closed"] > sum(states.values()) // 2
    false_alarms = sum(count for code, count in outcomes.items() if OUTCOMES[code].false_alarm)
    assert 0 < false_alarms < sum(outcomes.values()) // 2
    assert taken == 0, "no session is left open"


def test_sampled_households_are_visited_and_found_to_be_of_several_kinds(office: tuple[Store, Team]) -> None:
    with office[0].read() as con:
        found: dict[str, int] = dict(
            con.execute(select(audit_visit.c.result, func.count()).group_by(audit_visit.c.result)).all()
        )
        waits = con.execute(select(func.count()).where(audit_sample.c.state == "drawn")).scalar_one()
    assert waits == 30 and sum(found.values()) >= 30 and found["fine"] > 20 and len(found) >= 2


def test_every_signal_still_stands_in_an_alert(office: tuple[Store, Team], published_home: Path) -> None:
    warehouse = Warehouse(publication(published_home).run_of(None).path)
    assert [check.words for check in check_balance(office[0], warehouse) if not check.ok] == []
    warehouse.close()


def test_the_same_county_gives_the_same_work(office: tuple[Store, Team], published_home: Path, tmp_path: Path) -> None:
    again, _ = worked(published_home, tmp_path / "again")
    told = [events(store) for store in (office[0], again)]
    again.close()
    assert told[0] == told[1]


def events(store: Store) -> list[tuple[Any, ...]]:
    columns = [alert_event.c[name] for name in ("alert_id", "at", "event", "by", "status")]
    with store.read() as con:
        return [tuple(row) for row in con.execute(select(*columns).order_by(alert_event.c.id))]


def test_a_home_that_is_guarded_gets_no_such_work(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(DemoRefused):
        Team(store, {"城关街道": ["东门社区"]}, OPENED, sample=True)
    store.close()


def test_the_longest_beginning_of_a_code_decides_and_all_rules_have_one() -> None:
    assert ending_of("GAP-TEKUN").outcome == "B" and ending_of("GAP-TEKUN-CARE").kind == "care"
    assert all(any(code.startswith(beginning) for beginning in ENDINGS) for code in load_policy(None)[1])


def test_what_an_ending_promises_is_what_its_outcome_asks_for() -> None:
    for rule, ending in ENDINGS.items():
        outcome = OUTCOMES[ending.outcome]
        assert not outcome.kinds or ending.kind in outcome.kinds, rule
        assert not outcome.amount or ending.yuan, rule
        assert bool(ending.department) == (ending.outcome == "I"), rule
        assert bool(ending.went_to) == (ending.outcome == "K"), rule
