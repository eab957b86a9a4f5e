"""The permission matrix, generated from the policy table: who asks, for what, of which place, and what must come of it.

`DEEDS` says for every action how it is done to an object; `expected` what must happen, by a small table of reach of its own:
it asks the policy table which roles an action names, and nothing of what the services decide with.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import insert, select, update

from monitoring.access import Scope
from monitoring.alerts import (
    beside,
    budget,
    choices,
    clue_list,
    clues,
    confirmed,
    dealings,
    digest,
    economics,
    finds,
    funnel,
    queue,
    work,
)
from monitoring.alerts.clue_effects import NewClue
from monitoring.alerts.timeline import timeline
from monitoring.desk.mapping import keep_mapping
from monitoring.desk.runs import progress
from monitoring.desk.uploads import take_files
from monitoring.gate.sample_sheet import sample_sheet
from monitoring.gate.sheet import sheet
from monitoring.linking import deciding, weighing
from monitoring.lists import Ask, keeping
from monitoring.misses import asking
from monitoring.misses.visiting import record, sample_of, to_visit
from monitoring.people import Caller, Denied, accounts, downloads, journals, viewing
from monitoring.people.callers import ABSOLUTE, IDLE, operator
from monitoring.people.roles import ACTIONS
from monitoring.policy import SHIPPED
from monitoring.rules import changing, shadowing
from monitoring.simulating import Scenario
from monitoring.simulating import service as scenarios
from monitoring.store import Store
from monitoring.store.schema import account, alert, clue, conference, referral, session
from monitoring.vouching import seals
from tests.misses_county import add_sampled
from tests.misses_county import county as drawn_from
from tests.people import OTHER_TOWN, OTHER_VILLAGE, TOWN, VILLAGE, Known, add_account, disable
from tests.registry import Registry, register
from tests.some_alerts import TODAY, alert_row
from tests.stores import NOON
from tests.vouching_county import Home, county_of
from tests.vouching_county import at as numbered

# --- the objects: where they are. The other township has a village of the own one's name.

Place = tuple[str | None, str | None]
PLACES: dict[str, Place] = {
    "own village": (TOWN, VILLAGE),
    "another village": (TOWN, OTHER_VILLAGE),
    "village unknown": (TOWN, None),
    "another township": (OTHER_TOWN, VILLAGE),
    "place unknown": (None, None),
}
NO_SUCH = "no such id"
RULE_TEXT = (SHIPPED / "rules" / "GAP-DIBAO.toml").read_text(encoding="utf-8")
ANY = "any"  # of an object that is nowhere: an account, the journal
HERE = frozenset({"own village"})
TOWNSHIP = HERE | {"another village", "village unknown"}
EVERYWHERE = frozenset(PLACES)

# --- the identities

REACH: dict[str, tuple[tuple[tuple[str, str | None], ...], frozenset[str]]] = {
    "leader": ((), EVERYWHERE),
    "county_staff": ((), EVERYWHERE),
    "township_staff": (((TOWN, None),), TOWNSHIP),
    "village_staff": (((TOWN, VILLAGE),), HERE),
    "analyst": ((), EVERYWHERE),
    "auditor": ((), frozenset()),
    "administrator": ((), frozenset()),
    "security_officer": ((), frozenset()),
}
NOBODY = ("no session", "unknown session", "ended", "idle", "too old", "half-way", "disabled", "waiting for approval")
IDENTITIES = (*NOBODY, *REACH)


@dataclass(frozen=True)
class Probe:
    """One question to a service and what must come of it: works, denied, or over (nobody is logged in)."""

    who: str
    deed: str
    object: str
    must: str


@dataclass(frozen=True)
class Setting:
    """What a deed needs beside its object: the store, and somebody who can be given work everywhere."""

    store: Store
    helper: int


@dataclass(frozen=True)
class Deed:
    """How an action is done. `ready` makes the object and gives its id; `do` does it, and raises what the service raises."""

    name: str
    action: str
    do: Callable[[Setting, Caller, Any], object]
    ready: Callable[[Setting, Place, int], Any]
    objects: Sequence[str] = (*PLACES, NO_SUCH)


def identities(store: Store) -> dict[str, Known]:
    """One caller of each identity. Nobody's have the role that may most, in a session that is none."""
    found = {role: add_account(store, role, places) for role, (places, _) in REACH.items()}
    county = {name: add_account(store, "county_staff") for name in NOBODY}
    found |= county | {
        "no session": replace(county["no session"], session=""),
        "unknown session": replace(county["unknown session"], session=uuid.uuid4().hex),
    }
    over: dict[str, dict[str, Any]] = {
        "ended": {"ended_at": NOON - timedelta(minutes=1)},
        "idle": {"seen_at": NOON - IDLE},
        "too old": {"created_at": NOON - ABSOLUTE},
        "half-way": {"stage": "totp"},
    }
    with store.write() as con:
        for name, values in over.items():
            con.execute(update(session).where(session.c.public == county[name].session).values(values))
        con.execute(update(account).where(account.c.id == county["waiting for approval"].account).values(state="pending"))  # fmt: skip
    disable(store, county["disabled"])
    return found


def expected(who: str, action: str, object: str) -> str:
    """What must come of it: by the policy table's row, and by where the object is."""
    if who in NOBODY:
        return "over"
    if who not in ACTIONS[action]:
        return "denied"
    return "works" if object == ANY or object in REACH[who][1] else "denied"


def probes(deed: Deed) -> Iterator[Probe]:
    for who in IDENTITIES:
        for object in deed.objects:
            yield Probe(who, deed.name, object, expected(who, deed.action, object))


# --- objects


def _alert(status: str = "new", subject: str = "household", **fields: Any) -> Callable[[Setting, Place, int], int]:
    """An alert of a status at a place, in the asker's own hands where somebody has it."""

    def ready(at: Setting, place: Place, asker: int) -> int:
        row = alert_row(township=place[0], village=place[1], status=status, subject=subject, **fields)
        row["assignee"] = None if status in ("new", "closed") else asker
        row["assigned_at"] = row["assignee"] and NOON
        if subject != "household":
            row["household_id"] = None
        with at.store.write() as con:
            return int(con.execute(insert(alert).values(row).returning(alert.c.id)).scalar_one())

    return ready


DECIDED: dict[str, Any] = {"outcome": "M", "verified_at": NOON, "decided_at": NOON}


def _referred(at: Setting, place: Place, asker: int) -> tuple[int, int]:
    key = _alert("referred")(at, place, asker)
    row = {"alert_id": key, "department": "民政", "asked": "核对", "due_date": TODAY, "account_id": asker, "at": NOON}
    with at.store.write() as con:
        return key, int(con.execute(insert(referral).values(row).returning(referral.c.id)).scalar_one())


def _called(at: Setting, place: Place, asker: int) -> tuple[int, int]:
    key = _alert("verifying")(at, place, asker)
    row = {"alert_id": key, "date": TODAY, "present": "三人", "account_id": asker, "at": NOON}
    with at.store.write() as con:
        return key, int(con.execute(insert(conference).values(row).returning(conference.c.id)).scalar_one())


def clue_row(alert_id: int, place: Place, asker: int, **fields: Any) -> dict[str, Any]:
    return {
        "alert_id": alert_id, "channel": "hotline", "received_on": TODAY, "caller": "赵大", "caller_key": uuid.uuid4().hex,
        "person": "周德福", "township": place[0], "village": place[1], "text": "没有收入", "emergency": False,
        "due_date": TODAY, "account_id": asker, "at": NOON,
    } | fields  # fmt: skip


def _clue(at: Setting, place: Place, asker: int) -> tuple[int, int]:
    key = _alert()(at, place, asker)
    with at.store.write() as con:
        made = con.execute(insert(clue).values(clue_row(key, place, asker)).returning(clue.c.id))
        return key, int(made.scalar_one())


def _household(_: Setting, place: Place, asker: int) -> tuple[str, Place]:
    return f"H{uuid.uuid4().hex[:10]}", place


def _joined(at: Setting, place: Place, asker: int) -> str:
    """A household whose open alert is at the place; the clue about it will name the asker's own village."""
    household = f"H{uuid.uuid4().hex[:10]}"
    _alert(household_id=household)(at, place, asker)
    return household


def _account(state: str = "active") -> Callable[[Setting, Place, int], str]:
    return lambda at, place, asker: add_account(at.store, "leader", state=state).name


def _nothing(at: Setting, place: Place, asker: int) -> str:
    return f"new{uuid.uuid4().hex[:10]}"


# --- deeds


def _first(service: Callable[..., Any], *details: Any, **more: Any) -> Callable[[Setting, Caller, Any], object]:
    """A service of an alert without a version."""
    return lambda at, caller, key: service(at.store, caller, key, *details, at=NOON, **more)


def _moved(service: Callable[..., Any], *details: Any, **more: Any) -> Callable[[Setting, Caller, Any], object]:
    """A service of an alert as it was seen (version 1)."""
    return lambda at, caller, key: service(at.store, caller, key, 1, *details, at=NOON, **more)


def _second(service: Callable[..., Any], *details: Any) -> Callable[[Setting, Caller, Any], object]:
    """A service of something that belongs to an alert."""
    return lambda at, caller, key: service(at.store, caller, key[0], 1, key[1], *details, at=NOON)


def _of_clue(service: Callable[..., Any], *details: Any) -> Callable[[Setting, Caller, Any], object]:
    return lambda at, caller, key: service(at.store, caller, key[1], *details, at=NOON)


def _batch(at: Setting, caller: Caller, key: int) -> None:
    done = work.assign_many(at.store, caller, [(key, 1)], at.helper, NOON)
    if done.left:
        raise Denied(done.left[0].words)


def _register(at: Setting, caller: Caller, key: tuple[str, Place]) -> object:
    new = NewClue("hotline", TODAY, "周德福", f"没有收入 {key[0]}", township=key[1][0], village=key[1][1])
    return clues.register(at.store, caller, new, NOON)


def _join(at: Setting, caller: Caller, key: str) -> object:
    new = NewClue("hotline", TODAY, "周德福", f"没有收入 {key}", household_id=key, township=TOWN, village=VILLAGE)
    return register(at.store, caller, new, NOON)


def _exported(action: str) -> Callable[[Setting, Caller, Any], object]:
    def do(at: Setting, caller: Caller, key: str) -> object:
        path = downloads.waiting(at.store) / f"{key}.csv"
        path.write_text("a", encoding="utf-8")
        address = downloads.offer(
            at.store, caller, action, "list", path, "名单.csv", 1, action == "export.masked", NOON
        )
        return downloads.take(at.store, caller, address.removeprefix(downloads.ROAD), NOON)

    return do


def _of_household(service: Callable[..., Any], *details: Any) -> Callable[[Setting, Caller, Any], object]:
    return lambda at, caller, key: service(at.store, caller, Registry({key[0]: key[1]}), key[0], *details, at=NOON)


def _whole(service: Callable[..., Any], *details: Any) -> Callable[[Setting, Caller, Any], object]:
    return lambda at, caller, key: service(at.store, caller, *details, at=NOON)


_PERIODS = (f"{year}-{month:02d}" for year in range(2000, 2100) for month in range(1, 13))


def _place(at: Setting, place: Place, asker: int) -> tuple[str, Place]:
    """A period of its own for each: a place is signed once in one."""
    return next(_PERIODS), place


def _sign(at: Setting, caller: Caller, key: tuple[str, Place]) -> object:
    warehouse = county_of(numbered([Home(place=key[1])]), period=key[0])
    return seals.sign(at.store, caller, warehouse, *key[1], "情况属实", "", NOON)


def _row_link(at: Setting, place: Place, asker: int) -> deciding.Pair:
    return deciding.Pair("row", uuid.uuid4().hex, "17", place, "run", {})


def _decided_link(at: Setting, place: Place, asker: int) -> int:
    return deciding.decide(at.store, operator("test"), _row_link(at, place, asker), "same", "核对过台账", NOON)


def _weighed(at: Setting, caller: Caller, key: str) -> object:
    """Asked for where it runs already: nothing is started, who may not is refused all the same."""
    weighing.STARTED[at.store.home, key] = cast(Any, SimpleNamespace(poll=lambda: None))
    return weighing.start(at.store, caller, at.store.home, key, NOON)


def _drawn(at: Setting, place: Place, asker: int) -> int:
    """A household that was drawn for a visit, in a draw of its own."""
    return add_sampled(at.store, f"H{uuid.uuid4().hex[:10]}", place, next(_PERIODS))


def _own_rule(at: Setting, place: Place, asker: int) -> str:
    path = at.store.home / "policy" / "rules" / "GAP-DIBAO.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(RULE_TEXT, encoding="utf-8")
    return "GAP-DIBAO"


def _in_shadow(at: Setting, place: Place, asker: int) -> str:
    path = at.store.home / "policy" / "shadow" / "GAP-DIBAO.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(RULE_TEXT, encoding="utf-8")
    return "GAP-DIBAO"


_HELP = work.Measure("temporary", TODAY, "何山", Decimal(500))
_WEEK = TODAY + timedelta(7)

DEEDS: tuple[Deed, ...] = (
    Deed("alert_card", "alert.view", _first(queue.alert_card), _alert()),
    Deed("open_alert", "alert.view", _first(queue.open_alert), _alert()),
    Deed("signals", "alert.view", _first(queue.signals), _alert()),
    Deed("dealings", "alert.view", _first(dealings.dealings), _alert()),
    Deed("clues_of", "alert.view", lambda at, caller, key: clue_list.clues_of(at.store, caller, key, NOON), _alert()),
    Deed("timeline", "alert.view", lambda at, caller, key: timeline(at.store, caller, NOON, alert_id=key), _alert()),
    Deed("closed alert", "alert.view", _first(queue.open_alert), _alert("closed", closed_at=NOON, **DECIDED)),
    Deed("claim", "alert.claim", _moved(work.claim), _alert()),
    Deed("claim unseen", "alert.claim", lambda at, caller, key: work.claim(at.store, caller, key, None, NOON), _alert()),
    Deed("assign", "alert.assign", lambda at, caller, key: work.assign(at.store, caller, key, 1, at.helper, NOON), _alert()),
    Deed("assign_many", "alert.assign", _batch, _alert()),
    Deed("who_can_take", "alert.assign", _first(work.who_can_take), _alert()),
    Deed("hand_back", "alert.hand_back", _moved(work.hand_back, "出差"), _alert("assigned")),
    Deed("start", "alert.visit", _moved(work.start_verifying), _alert("assigned")),
    Deed("visit", "alert.visit", _moved(work.record_visit, TODAY, "林秋", True, "confirmed", "见到本人"), _alert("assigned")),
    Deed("emergency", "alert.visit", _moved(work.mark_emergency, "断粮"), _alert("assigned")),
    Deed("comment", "alert.comment", _first(work.comment, "看过了"), _alert("assigned")),
    Deed("decide", "alert.decide", _moved(work.decide, "M", "录入错误"), _alert("verifying")),
    Deed("follow_up", "alert.decide", _moved(work.follow_up, _WEEK), _alert("decided", **DECIDED)),
    Deed("measure", "alert.measure", _moved(work.add_measure, _HELP), _alert("verifying")),
    Deed("refer", "alert.refer", _moved(work.refer, "医保", "核对费用"), _alert("assigned")),
    Deed("answer", "alert.answer", _second(work.answer, "已核对"), _referred),
    Deed("confer", "alert.confer", _moved(work.call_conference, TODAY, "三人"), _alert("verifying")),
    Deed("confer_decide", "alert.confer", _second(work.decide_conference, "同意"), _called),
    Deed("return", "alert.return", _moved(work.return_to, "记录不全"), _alert("verifying")),
    Deed("close", "alert.close", _moved(work.close), _alert("decided", **DECIDED)),
    Deed("sheet", "sheet.print", lambda at, caller, key: sheet(at.store, lambda: cast(Any, None), caller, key, NOON), _alert(subject="record")),
    Deed("sample sheet", "sheet.print", lambda at, caller, key: sample_sheet(at.store, lambda: drawn_from([]), caller, key, NOON), _drawn),
    Deed("sampled visit", "sample.visit", lambda at, caller, key: record(at.store, caller, key, TODAY, "林秋", "fine", "见到本人", NOON), _drawn),
    Deed("sampled case", "sample.visit", lambda at, caller, key: record(at.store, caller, key, TODAY, "林秋", "needy", "断粮", NOON), _drawn),
    Deed("dial of the sample", "sample.dial", _whole(choices.choose, choices.AUDIT_VISITS, "30"), _nothing, (ANY,)),
    Deed("board of the sample", "page.misses", _whole(asking.board), _nothing, (ANY,)),
    Deed("missed households", "page.misses", _whole(asking.missed_now), _nothing, (ANY,)),
    Deed("view_household", "household.view", _of_household(viewing.view_household), _household, tuple(PLACES)),
    Deed("unmask", "household.unmask", _of_household(viewing.unmask, "核实银行账号"), _household, tuple(PLACES)),
    Deed("unmask a pair", "household.unmask", lambda at, caller, key: viewing.unmask_pair(at.store, caller, "0f0f", "核对台账", NOON), _nothing, ("place unknown",)),
    Deed("reveal a clue", "household.unmask", _of_clue(clue_list.reveal, "回访反映人"), _clue),
    Deed("register", "clue.register", _register, _household, tuple(PLACES)),
    Deed("join", "clue.register", _join, _joined, tuple(PLACES)),
    Deed("conclude", "clue.conclude", _of_clue(clues.conclude, "已答复", TODAY), _clue),
    Deed("sign a village", "checklist.sign_village", _sign, _place, ("own village", "another village", "another township")),
    Deed("sign a township", "checklist.sign_township", _sign, _place, ("village unknown",)),
    Deed("sign the county", "checklist.sign_county", _sign, _place, ("place unknown",)),
    Deed("keep a list", "list.keep", lambda at, caller, key: keeping.keep_list(at.store, caller, key, "入户走访", Ask(), True, NOON), _nothing, (ANY,)),
    Deed("decide a link", "link.decide", _first(deciding.decide, "same", "核对过台账"), _row_link, tuple(PLACES)),
    Deed("decide links", "link.decide", lambda at, caller, key: deciding.decide_many(at.store, caller, [key], "different", "核对过台账", NOON), _row_link, tuple(PLACES)),
    Deed("take a link back", "link.decide", _first(deciding.take_back, "问错了人"), _decided_link, tuple(PLACES)),
    Deed("weigh", "link.decide", _weighed, _nothing, (ANY,)),
    Deed("masked export", "export.masked", _exported("export.masked"), _nothing, (ANY,)),
    Deed("full export", "export.full", _exported("export.full"), _nothing, (ANY,)),
    Deed("keep a mapping", "feed.map", lambda at, caller, key: keep_mapping(at.store, caller, at.store.home, "visits", {"visitor": [key]}, NOON), _nothing, (ANY,)),
    Deed("upload", "file.upload", lambda at, caller, key: take_files(at.store, caller, at.store.home, "2026-11", [(f"{key}.csv", BytesIO(key.encode()))], NOON), _nothing, (ANY,)),
    Deed("progress of a run", "run.begin", lambda at, caller, key: progress(at.store, caller, at.store.home, NOON), _nothing, (ANY,)),
    Deed("accounts", "account.list", _whole(accounts.accounts), _nothing, (ANY,)),
    Deed("add", "account.keep", _first(accounts.add, "王明", "leader", []), _nothing, (ANY,)),
    Deed("set_role", "account.keep", _first(accounts.set_role, "analyst", []), _account(), (ANY,)),
    Deed("disable", "account.keep", _first(accounts.disable), _account(), (ANY,)),
    Deed("enable", "account.keep", _first(accounts.enable), _account("disabled"), (ANY,)),
    Deed("reset_password", "account.keep", _first(accounts.reset_password, second_factor=True), _account(), (ANY,)),
    Deed("approve", "account.approve", _first(accounts.approve), _account("pending"), (ANY,)),
    Deed("reject", "account.approve", _first(accounts.reject), _account("pending"), (ANY,)),
    Deed("kept scenarios", "page.whatif", _whole(scenarios.kept), _nothing, (ANY,)),
    Deed("keep a scenario", "scenario.save", _first(scenarios.keep, Scenario("测算", "试算一下", sets=(("monitor.line", "9000"),))), _nothing, (ANY,)),
    Deed("confirmed at the door", "page.rules", _whole(confirmed.confirmed), _nothing, (ANY,)),
    Deed("what came of rules", "page.economics", _whole(economics.came_of, Scope()), _nothing, (ANY,)),
    Deed("the work on alerts", "page.economics", _whole(economics.worked, Scope()), _nothing, (ANY,)),
    Deed("what the door said", "page.economics", _whole(economics.door, Scope()), _nothing, (ANY,)),
    Deed("cases confirmed", "page.economics", _whole(economics.cases), _nothing, (ANY,)),
    Deed("put a rule in shadow", "rule.change", _whole(shadowing.begin, "GAP-DIBAO", RULE_TEXT, "先看一个月", "demo", TODAY), _nothing, (ANY,)),
    Deed("let a shadow count", "rule.change", _whole(shadowing.count, "GAP-DIBAO", "看过一个月", "demo", TODAY), _in_shadow, (ANY,)),
    Deed("drop a shadow", "rule.change", _whole(shadowing.drop, "GAP-DIBAO", "误报太多"), _in_shadow, (ANY,)),
    Deed("take a rule back", "rule.change", _whole(changing.take_back, "GAP-DIBAO", "误报太多", "demo", TODAY), _own_rule, (ANY,)),
    Deed("keep a rule", "rule.change", _whole(changing.keep_rule, "GAP-DIBAO", RULE_TEXT, "照原样保留", "demo", TODAY), _nothing, (ANY,)),
    Deed("digest", "setting.change", _whole(digest.run), _nothing, (ANY,)),
    Deed("journal_page", "journal.read", _whole(journals.journal_page, journals.Wanted(), 1), _nothing, (ANY,)),
    Deed("journal events", "journal.read", _whole(journals.events), _nothing, (ANY,)),
    Deed("prove", "journal.read", _whole(journals.prove), _nothing, (ANY,)),
    Deed("export_journal", "journal.read", _whole(journals.export_journal, journals.Wanted()), _nothing, (ANY,)),
)  # fmt: skip

# What only looks, and is not journalled where it is allowed.
LOOKS = frozenset({
    "alert_card", "signals", "dealings", "clues_of", "timeline", "who_can_take", "accounts", "digest", "journal_page",
    "kept scenarios", "confirmed at the door", "what came of rules", "the work on alerts", "what the door said", "cases confirmed",
    "journal events", "progress of a run", "weigh", "board of the sample", "missed households",
})  # fmt: skip


# --- lists: what of which place is in them


@dataclass(frozen=True)
class Listing:
    """A service that lists; `of` gives the names of the places in PLACES whose objects it listed."""

    name: str
    action: str
    of: Callable[[Store, Caller], set[str]]


HOUSEHOLD = {object: f"HL{n}" for n, object in enumerate(PLACES)}
CLOSED = {object: f"HC{n}" for n, object in enumerate(PLACES)}
ORPHAN = {object: f"HO{n}" for n, object in enumerate(PLACES)}
CALLS = 3
SAMPLE_OF = "2026-11"


def fill_lists(store: Store) -> None:
    """At every place an open alert with clues of one who called again and again, a closed one, and one whose worker is gone."""
    gone, at = add_account(store, "county_staff", state="disabled"), Setting(store, 0)
    for object, place in PLACES.items():
        key = _alert(household_id=HOUSEHOLD[object], find=f"周德福 甲{object}")(at, place, gone.account)
        _alert("closed", household_id=CLOSED[object], closed_at=NOON, **DECIDED)(at, place, gone.account)
        _alert("assigned", household_id=ORPHAN[object])(at, place, gone.account)
        with store.write() as con:
            rows = [clue_row(key, place, gone.account, caller_key=f"key {object}") for _ in range(CALLS)]
            con.execute(insert(clue), rows)
        add_sampled(store, f"HS{uuid.uuid4().hex[:10]}", place, SAMPLE_OF)
        pair = deciding.Pair("row", uuid.uuid4().hex, "17", place, "run", {"object": object})
        deciding.decide(store, operator("test"), pair, "same", "核对过台账", NOON)


def _listed(service: Callable[..., Any], *details: Any) -> Callable[[Store, Caller], set[str]]:
    """Places of the cards that a service lists."""
    return lambda store, caller: _places(service(store, caller, *details, at=NOON))


def _places(rows: Any) -> set[str]:
    names = {place: object for object, place in PLACES.items()}
    return {names[row.township, row.village] for row in rows}


def _queue(tab: str, **wanted: Any) -> Callable[[Store, Caller], set[str]]:
    return lambda store, caller: _places(queue.queue_page(store, caller, tab, queue.Wanted(**wanted), 1, NOON).rows)


def _asked_each(tab: str, wish: Callable[[str, Place], queue.Wanted]) -> Callable[[Store, Caller], set[str]]:
    """Every place asked for by itself: the wish is the asker's, what comes is not."""

    def of(store: Store, caller: Caller) -> set[str]:
        pages = (queue.queue_page(store, caller, tab, wish(object, place), 1, NOON) for object, place in PLACES.items())
        return {object for found in pages for object in _places(found.rows)}

    return of


def _next(store: Store, caller: Caller) -> set[str]:
    found, last = set[str](), None
    for _ in range(len(PLACES) + 1):
        last = queue.next_alert(store, caller, "unassigned", queue.ALL, last, NOON)
        if last is None:
            break
        found |= _places([last])
    return found


def _planned(store: Store, caller: Caller) -> set[str]:
    plan = budget.plan_visits(store, caller, NOON)
    return _places(one.alert for group in (plan.required, plan.ranked, plan.left) for one in group)


def _expected(store: Store, caller: Caller) -> set[str]:
    found = set()
    for object, household in HOUSEHOLD.items():
        with store.read() as con:
            key = con.execute(select(alert.c.id).where(alert.c.household_id == household)).scalar_one()
        found |= {object} if finds.expected_finds(store, caller, [key], NOON).visits else set()
    return found


def _told(keys: dict[str, str], service: Callable[..., Any]) -> Callable[[Store, Caller], set[str]]:
    """Households of every place, asked for by their number."""
    return lambda store, caller: {object for object, key in keys.items() if service(store, caller, key, at=NOON)}


def _timeline(store: Store, caller: Caller, household: str, at: Any) -> Any:
    return timeline(store, caller, at, household_id=household)


def _callers(store: Store, caller: Caller) -> set[str]:
    return _places(row for one in clue_list.repeat_callers(store, caller, NOON) for row in one.clues)


LISTINGS: tuple[Listing, ...] = (
    Listing("queue: all", "page.alerts", _queue("all")),
    Listing("queue: unassigned", "page.alerts", _queue("unassigned")),
    Listing("queue: closed", "page.alerts", _queue("closed")),
    Listing("queue: search", "page.alerts", _queue("all", text="周德福")),
    Listing("queue: word", "page.alerts", _asked_each("all", lambda object, _: queue.Wanted(text=f"甲{object.split()[0]}"))),
    Listing("queue: household", "page.alerts", _asked_each("all", lambda object, _: queue.Wanted(text=HOUSEHOLD[object]))),
    Listing("queue: place", "page.alerts", _asked_each("all", lambda _, place: queue.Wanted(township=place[0] or queue.UNKNOWN_PLACE, village=place[1]))),
    Listing("next", "page.alerts", _next),
    Listing("plan", "page.alerts", _planned),
    Listing("sampled households to visit", "page.alerts", _listed(to_visit)),
    Listing("sample of a period", "page.misses", _listed(sample_of, SAMPLE_OF)),
    Listing("expected finds", "page.alerts", _expected),
    Listing("open alert", "alert.view", _told(HOUSEHOLD, queue.open_alert_of)),
    Listing("history", "alert.view", _told(CLOSED, queue.history)),
    Listing("open alerts of a list", "alert.view", lambda store, caller: {object for object, key in HOUSEHOLD.items() if key in beside.open_alerts_of(store, caller, list(HOUSEHOLD.values()), NOON)}),
    Listing("orphaned", "alert.assign", _listed(work.orphaned)),
    Listing("clues", "page.clues", lambda store, caller: _places(clue_list.clue_page(store, caller, "all", "", 1, NOON).rows)),
    Listing("repeat callers", "page.clues", _callers),
    Listing("link decisions", "page.links", lambda store, caller: {str(one.seen["object"]) for one in deciding.decisions(store, caller, NOON)}),
    Listing("what the door said", "page.economics", lambda store, caller: _places(SimpleNamespace(**row) for row in economics.door(store, caller, Scope(), NOON).to_dicts())),
    Listing("overview's alerts", "alert.view", lambda store, caller: _places(funnel.behind(store, caller, "found", "2026-11", 12, funnel.EVERYWHERE, 1, NOON)[0])),
)  # fmt: skip

# Pages as such: whether one is delivered is asked over the socket (tests/test_permissions_served.py).
PAGES_ONLY = frozenset(
    {
        "page.overview",
        "page.household",
        "page.coverage",
        "page.exits",
        "page.checklist",
        "page.model",
        "page.reports",
        "page.data",
        "page.lists",
        "page.admin",
    }
)
# Everybody's own, by the gate's own forms.
OWN = frozenset({"self.password", "self.log_out"})
