"""Every identity does every action to objects near and far: what the policy table allows works, the rest leaves a trace and nothing else."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from monitoring.people import Denied, SessionOver, accounts, downloads
from monitoring.people.roles import ACTIONS, PAGES, ROLES
from monitoring.store import Store, journal, open_store
from monitoring.store.schema import journal as journal_table
from monitoring.store.schema import metadata
from tests.matrix import (
    ANY,
    DEEDS,
    EVERYWHERE,
    IDENTITIES,
    LISTINGS,
    LOOKS,
    NO_SUCH,
    NOBODY,
    OWN,
    PAGES_ONLY,
    PLACES,
    REACH,
    Deed,
    Listing,
    Probe,
    Setting,
    expected,
    fill_lists,
    identities,
    probes,
)
from tests.people import Known, add_account
from tests.stores import NOON

NOWHERE = 10**9
RAISED = {"denied": Denied, "over": SessionOver}


def test_every_action_of_the_table_is_probed_or_is_a_page_or_ones_own() -> None:
    probed = {deed.action for deed in DEEDS} | {listing.action for listing in LISTINGS}
    assert probed | PAGES_ONLY | OWN == set(ACTIONS)
    assert not probed & (PAGES_ONLY | OWN)


def test_every_page_has_a_row_in_the_table_and_every_action_a_page() -> None:
    from app import TITLES

    assert set(TITLES) | {"admin"} == set(PAGES)
    assert {action for actions in PAGES.values() for action in actions} | OWN == set(ACTIONS)
    assert all(actions[0] == f"page.{name}" for name, actions in PAGES.items())


def test_every_role_is_an_identity_and_who_keeps_accounts_or_the_journal_touches_no_persons() -> None:
    assert set(REACH) == set(ROLES)
    office = {role for role in ROLES if ROLES[role].reach == "none"}
    for action, roles in ACTIONS.items():
        if action.split(".")[0] not in ("account", "setting", "journal", "self") and action != "page.admin":
            assert not roles & office, action
        elif action not in OWN:
            assert roles <= office, action


def test_there_are_a_thousand_probes_of_both_kinds() -> None:
    found = Counter(probe.must for deed in DEEDS for probe in probes(deed))
    lists = len(LISTINGS) * len(IDENTITIES) * len(PLACES)
    assert found["works"] >= 350 and found["denied"] >= 1000 and found["over"] >= 1500 and lists >= 1000


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
def test_the_matrix_holds_both_ways(deed: Deed, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "hash_password", lambda password: "hash")  # takes a while on purpose
    at, callers = Setting(sqlite_store, add_account(sqlite_store, "county_staff").account), identities(sqlite_store)
    asked = [(probe, _ready(at, deed, probe, callers[probe.who])) for probe in probes(deed)]
    before, wrong = _everything(sqlite_store), []
    for probe, target in asked:
        if probe.must != "works":
            wrong += _refused(at, deed, probe, target, callers[probe.who])
    assert not wrong
    assert _everything(sqlite_store) == before
    for probe, target in asked:
        if probe.must == "works":
            wrong += _done(at, deed, probe, target, callers[probe.who])
    assert not wrong
    assert journal.problems(sqlite_store) == []


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    store = open_store(tmp_path_factory.mktemp("lists"))
    fill_lists(store)
    yield store, identities(store)
    store.close()


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)
def test_lists_hold_what_is_within_reach_and_nothing_else(
    listing: Listing, listed: tuple[Store, dict[str, Known]]
) -> None:
    store, callers = listed
    for who, caller in callers.items():
        must = expected(who, listing.action, ANY)
        if must == "works":
            assert listing.of(store, caller) == REACH[who][1], who
        else:
            with pytest.raises(RAISED[must]):
                listing.of(store, caller)


def test_counts_of_tabs_and_of_what_is_overdue_stop_at_ones_places(listed: tuple[Store, dict[str, Known]]) -> None:
    from datetime import timedelta

    from monitoring.alerts import queue

    store, callers = listed
    for who, (_, reach) in REACH.items():
        if not reach:
            continue
        first = queue.counts(store, callers[who], NOON + timedelta(minutes=20))
        assert first.tabs["all"] == 2 * len(reach) and first.tabs["closed"] == len(reach), who
    assert len(EVERYWHERE) == len(PLACES)


def test_an_empty_pool_stays_at_the_border_of_ones_places(sqlite_store: Store) -> None:
    from monitoring.alerts import work

    fill_lists(sqlite_store)
    callers = identities(sqlite_store)
    for who in ("village_staff", "township_staff", "county_staff"):
        mine = set()
        while (card := work.claim_next(sqlite_store, callers[who], NOON)) is not None:
            mine.add((card.township, card.village))
        # in this order each is left what the one before could not reach
        smaller = {"village_staff": "auditor", "township_staff": "village_staff", "county_staff": "township_staff"}[who]
        assert mine == {PLACES[object] for object in REACH[who][1] - REACH[smaller][1]}


def test_a_file_is_taken_by_nobody_but_whom_it_was_made_for(sqlite_store: Store) -> None:
    callers = identities(sqlite_store)
    for owner in ("leader", "county_staff", "township_staff", "analyst"):
        path = downloads.waiting(sqlite_store) / f"{owner}.csv"
        path.write_text("a", encoding="utf-8")
        address = downloads.offer(sqlite_store, callers[owner], "export.masked", "list", path, "a.csv", 1, True, NOON)
        key = address.removeprefix(downloads.ROAD)
        again = Known(**{**vars(callers[owner]), "session": callers["county_staff"].session + "x"})
        for who, caller in [*callers.items(), ("the owner under another session", again)]:
            if who != owner:
                with pytest.raises((Denied, SessionOver)):
                    downloads.take(sqlite_store, caller, key, NOON)
        assert downloads.take(sqlite_store, callers[owner], key, NOON).path == path


def _ready(at: Setting, deed: Deed, probe: Probe, caller: Known) -> Any:
    target = deed.ready(at, PLACES.get(probe.object, (None, None)), caller.account)
    if probe.object != NO_SUCH:
        return target
    return (target[0], NOWHERE) if deed.name in ("reveal a clue", "conclude") else _away(target)


def _away(target: Any) -> Any:
    """As the target, of an alert that is not there."""
    return (NOWHERE, target[1]) if isinstance(target, tuple) else NOWHERE


def _refused(at: Setting, deed: Deed, probe: Probe, target: Any, caller: Known) -> list[str]:
    """What is wrong with a refusal: it is raised, and journalled once, under the person's name where there is one."""
    last, raised = _last(at.store), "works"
    try:
        deed.do(at, caller, target)
    except (Denied, SessionOver) as refusal:
        raised = "over" if isinstance(refusal, SessionOver) else "denied"
    except Exception as other:
        raised = repr(other)
    rows = _after(at.store, last)
    who = "?" if probe.who in NOBODY else caller.name
    told = [(row.who, row.event, row.result) for row in rows]
    wrong = [] if raised == probe.must else [f"{probe}: {raised}"]
    return wrong if told == [(who, deed.action, "denied")] else [*wrong, f"{probe}: journalled as {told}"]


def _done(at: Setting, deed: Deed, probe: Probe, target: Any, caller: Known) -> list[str]:
    """What is wrong with something that is allowed: it works, and what is more than a look is journalled."""
    last = _last(at.store)
    try:
        deed.do(at, caller, target)
    except Exception as refusal:
        return [f"{probe}: {refusal!r}"]
    rows = _after(at.store, last)
    whole = all(row.who == caller.name and row.result == "ok" for row in rows)
    return [] if whole and bool(rows) == (deed.name not in LOOKS) else [f"{probe}: journalled as {rows}"]


def _last(store: Store) -> int:
    with store.read() as con:
        return int(con.execute(select(journal_table.c.seq).order_by(journal_table.c.seq.desc()).limit(1)).scalar() or 0)


def _after(store: Store, seq: int) -> list[Any]:
    with store.read() as con:
        return list(con.execute(select(journal_table).where(journal_table.c.seq > seq).order_by(journal_table.c.seq)))


def _everything(store: Store) -> dict[str, str]:
    """What the store and its folder of waiting files hold, but for the journal."""
    found = {}
    with store.read() as con:
        for table in metadata.sorted_tables:
            if not table.name.startswith("journal"):
                rows = con.execute(select(table)).all()
                found[table.name] = f"{len(rows)} {hashlib.sha256(repr(sorted(map(repr, rows))).encode()).hexdigest()}"
    return found | {"files": str(len(list(_files(store.home))))}


def _files(home: Path) -> list[Path]:
    return sorted((home / "exports" / "waiting").glob("*.xlsx"))
