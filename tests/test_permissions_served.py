"""What leaves a real server: every page to every role over the socket, others' households, sheets and files over HTTP, and
no byte of another township in anything that a village or a township is sent."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from monitoring.alerts.syncing import take_in
from monitoring.people import downloads, sessions
from monitoring.people.callers import Caller
from monitoring.people.roles import PAGES, ROLES
from monitoring.store import open_store
from monitoring.store.schema import alert
from monitoring.store.schema import journal as journal_table
from monitoring.warehouse import Warehouse, publication
from tests.serving import COOKIE, PASSWORD, Served, Visit, own_home, serving

# What only that page sends.
MARKS = {
    "overview": "本月要点", "alerts": "预警分栏", "household": "从预警、名单点进来", "coverage": "应覆盖 = 已覆盖", "exits": "要什么证明",
    "checklist": "谁能为这一户担保？", "model": "模型只排走访的先后", "economics": "少了它会漏掉谁", "whatif": "按已发布的本期数据重新判断", "rules": "每条规则问什么",
    "clues": "线索分栏", "data": "隔离行", "reports": "救助月报清单", "lists": "另有不能断定的", "admin": "这里没有任何家庭的信息",
    "links": "没有可用号码的行，只有写明", "misses": "由此估计漏掉了多少",
}  # fmt: skip
# Who is sent which page; written out here, since the policy table is what is tested.
EVERYBODY = ("overview", "household", "coverage", "exits", "checklist")
OPEN = {
    "leader": (*EVERYBODY, "alerts", "reports", "lists", "whatif", "rules", "model", "misses", "economics"),
    "county_staff": (
        *EVERYBODY,
        "alerts",
        "clues",
        "reports",
        "lists",
        "model",
        "misses",
        "economics",
        "data",
        "links",
    ),
    "township_staff": (*EVERYBODY, "alerts", "clues", "reports", "data"),
    "village_staff": (*EVERYBODY, "alerts", "clues"),
    "analyst": (*EVERYBODY, "reports", "lists", "whatif", "rules", "model", "misses", "economics", "data"),
    "auditor": ("admin",),
    "administrator": ("admin",),
    "security_officer": ("admin",),
}
READERS = ("leader", "county_staff", "township_staff", "village_staff", "analyst")
SHEETS = ("county_staff", "township_staff", "village_staff")
QUEUES = ("leader", "county_staff", "township_staff", "village_staff")
NEAR = {"own": ("village_staff", "township_staff"), "neighbour": ("township_staff",), "far": ()}
PROBES = len(ROLES) * (len(PAGES) + 1) + len(ROLES) * 2 * 3 + len(ROLES) * 4 + len(QUEUES) * 3 + len(ROLES) * 2 + 2 * 7


@dataclass(frozen=True)
class Land:
    """A running server over the sample, a cookie of each role, and what lies near and far of the village staff."""

    served: Served
    warehouse: Warehouse
    cookies: dict[str, str]
    names: dict[str, str]
    places: dict[str, tuple[str, str]]  # own, neighbour (another village of the township), far (another township)
    households: dict[str, dict[str, Any]]
    alerts: dict[str, int]


@pytest.fixture(scope="session")
def land(published_home: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Land]:
    home = own_home(published_home, tmp_path_factory.mktemp("permissions"))
    run = publication(home).run_of(None)
    warehouse = Warehouse(run.path)
    county = warehouse.row("select run_id, period, as_of from run")
    store = open_store(home)
    take_in(store, run.path, county["run_id"], county["period"], county["as_of"], datetime.now(UTC))
    store.close()
    places = _places(warehouse)
    with serving(home) as served:
        names, cookies = {}, {}
        for role in ROLES:
            own: list[tuple[str, str | None]] = []
            if role in ("village_staff", "township_staff"):
                own = [(places["own"][0], places["own"][1] if role == "village_staff" else None)]
            names[role] = served.account(role, own)
            cookie = served.post_log_in(names[role], PASSWORD).cookie(COOKIE)
            assert cookie
            cookies[role] = cookie
        households = {near: _household(warehouse, place) for near, place in places.items()}
        alerts = {near: _alert(served, place) for near, place in places.items()}
        yield Land(served, warehouse, cookies, names, places, households, alerts)
        warehouse.close()


def test_there_are_enough_probes_and_every_page_has_a_mark() -> None:
    assert set(MARKS) == set(PAGES) and set(OPEN) == set(ROLES)
    assert PROBES >= 150


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_sent_its_pages_and_no_others(land: Land, role: str) -> None:
    with land.served.socket(land.cookies[role]) as visit:
        for page in ("", *MARKS):
            text = visit.open(page).text()
            sent = {name for name, mark in MARKS.items() if mark in text}
            first = OPEN[role][0]
            assert sent == {page if page in OPEN[role] else first}, (role, page)
            assert len(visit.pages()) == len(OPEN[role]) and set(visit.pages()) <= {"", *OPEN[role]}, role


@pytest.mark.parametrize("role", ROLES)
def test_a_household_is_sent_to_those_whose_place_it_is(land: Land, role: str) -> None:
    with land.served.socket(land.cookies[role]) as visit:
        for near, household in land.households.items():
            may = role in READERS and (role not in ("village_staff", "township_staff") or role in NEAR[near])
            for asked in (household["household_id"], f"k{household['household_key']}"):
                text = visit.open("household", f"household={asked}").text()
                assert ("家庭成员" in text) == may, (role, near, asked)
                assert may or household["household_id"] not in text
                if role in READERS:
                    assert ("没有找到这一户" in text) != may


@pytest.mark.parametrize("role", ROLES)
def test_a_visit_sheet_is_sent_to_staff_of_the_place(land: Land, role: str) -> None:
    for near, key in {**land.alerts, "nowhere": 10**9}.items():
        last = _last(land.served)
        found = land.served.ask(f"/sheet/{key}", cookie=land.cookies[role])
        may = role in SHEETS and near != "nowhere" and (role == "county_staff" or role in NEAR[near])
        assert (found.status == 200) == may and ("入户走访单" in found.text) == may, (role, near)
        assert found.status in (200, 404)
        told = [(row.event, row.result) for row in _after(land.served, last) if row.event == "sheet.print"]
        assert told == [("sheet.print", "ok" if may else "denied")]
    assert land.served.ask(f"/sheet/{land.alerts['own']}").status in (303, 401)


@pytest.mark.parametrize("role", QUEUES)
def test_an_alert_opens_by_its_address_for_those_whose_place_it_is(land: Land, role: str) -> None:
    for near, key in land.alerts.items():
        may = role in ("leader", "county_staff") or role in NEAR[near]
        with land.served.socket(land.cookies[role]) as visit:
            last = _last(land.served)
            text = visit.open("alerts", f"alert={key}").text()
        denied = [row.object for row in _after(land.served, last) if row.result == "denied"]
        assert ("数值和出处" in text) == may and ("不在您的职责范围内" in text) != may, (role, near)
        assert denied == ([] if may else [f"alert:{key}"])


@pytest.mark.parametrize("role", ROLES)
def test_a_file_made_for_somebody_goes_to_nobody_else(land: Land, role: str) -> None:
    store, owner = land.served.store, "analyst"
    seen = sessions.by_token(store, land.cookies[owner], datetime.now(UTC))
    assert seen is not None
    path = downloads.waiting(store) / f"{secrets.token_hex(8)}.csv"
    path.write_text("names of persons", encoding="utf-8")
    address = downloads.offer(store, Caller(session=seen.public), "export.full", "list", path, "a.csv", 1, False, datetime.now(UTC))  # fmt: skip
    found = land.served.ask(address, cookie=land.cookies[role])
    assert (found.status == 200) == (role == owner) and ("persons" in found.text) == (role == owner)
    assert land.served.ask(address).status in (303, 401)
    again = land.served.ask(address, cookie=land.cookies[owner])
    assert (again.status == 200) == (role != owner)  # once


@pytest.mark.long
@pytest.mark.parametrize("role", ["village_staff", "township_staff"])
def test_no_byte_of_another_township_is_sent_to_village_or_township(land: Land, role: str) -> None:
    far = land.places["far"]
    queries = ["", f"township={far[0]}", f"township={far[0]}&village={far[1]}", "lang=en", "township=不明"]
    received, words = b"", _foreign(land, role)
    for page in OPEN[role]:
        with land.served.socket(land.cookies[role]) as visit:
            for query in queries:
                received += visit.open(page, query).bytes()
            received += _tried(land, visit, page)
    with land.served.socket(land.cookies[role]) as visit:
        for near, household in land.households.items():
            if role in NEAR[near]:
                received += visit.open("household", f"household={household['household_id']}").bytes()
                received += visit.open("alerts", f"alert={land.alerts[near]}").bytes()
    assert len(received) > 500_000 and all(words.values()) and len(words["number"]) > 500
    with land.served.socket(
        land.cookies["county_staff"]
    ) as visit:  # who may see them is sent them, in these very words
        seen = visit.open("data").bytes() + visit.open("alerts").bytes() + visit.open("overview").bytes()
    for kind in ("tail", "household", "township", "village"):
        assert any(word in seen.decode("utf-8", "replace") for word in words[kind]), kind
    shown = received.decode("utf-8", "replace")
    plain = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), shown)
    for row in land.warehouse.rows("select distinct file from part order by length(file) desc"):
        plain = plain.replace(row["file"], "")  # a department's file may be named after a place; the ledger names files
    leaked = {kind: sorted(word for word in some if word in plain) for kind, some in words.items()}
    assert not any(leaked.values()), {kind: found[:5] for kind, found in leaked.items()}
    # nor a number of one's own people; eighteen figures in the middle of a digest are none
    assert not re.search(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9X](?![0-9A-Za-z])", plain)


def test_a_person_of_another_township_is_not_found_by_name_or_number(land: Land) -> None:
    canary = land.households["far"]
    for role in ("village_staff", "township_staff", "county_staff"):
        with land.served.socket(land.cookies[role]) as visit:
            visit.open("household")
            for text in (canary["name"], canary["number"], canary["number"][-4:], canary["household_id"]):
                sent = visit.set(visit.widget("查找"), string_value=text)
                assert (canary["village"] in sent.text()) == (role == "county_staff"), (role, text)
                visit.open("household")


def _tried(land: Land, visit: Visit, page: str) -> bytes:
    """The searches of a page, with what somebody far away is called; and their alert, asked for by its address."""
    canary, received = land.households["far"], visit.open(page).bytes()
    if page in ("alerts", "household", "clues"):
        for text in (canary["name"][:1], canary["number"][-4:]):
            received += visit.set(visit.widget("查找"), string_value=text).bytes()
    if page == "alerts":
        visit.connection.close()
        with land.served.socket(land.cookies["village_staff"]) as other:
            received += other.open("alerts", f"alert={land.alerts['far']}").bytes()
    return received


def _foreign(land: Land, role: str) -> dict[str, set[str]]:
    """What must not be sent: whatever of other places is not at the same time something of one's own."""
    town, village = land.places["own"]
    inside = "township = $town" + (" and village = $village" if role == "village_staff" else "")
    asked = {"town": town} | ({"village": village} if role == "village_staff" else {})
    found: dict[str, set[str]] = {}
    for kind, sql in {
        "number": "number", "tail": "right(number, 4)", "name": "name", "household": "household_id", "township": "township",
        "village": "village",
    }.items():  # fmt: skip
        own, others = (
            {row["word"] for row in land.warehouse.rows(f"select distinct {sql} as word from person_snapshot where {sql} is not null and {where}", asked)}
            for where in (inside, f"not coalesce({inside}, false)")
        )  # fmt: skip
        found[kind] = {word for word in others - own if not any(word in mine for mine in own)}
    found["tail"] = {f"********{tail}" for tail in found["tail"]}
    found["name"] = {name for name in found["name"] if len(name) >= 3}
    return found


def _places(warehouse: Warehouse) -> dict[str, tuple[str, str]]:
    """The township with the most signals in two villages; the village with most of them is one's own."""
    rows = warehouse.rows(
        """select township, village, count(*) as n from signal where village is not null and subject in ('household', 'person')
           group by all order by n desc, 1, 2"""
    )
    for row in rows:
        beside = [one for one in rows if one["township"] == row["township"] and one["village"] != row["village"]]
        away = [one for one in rows if one["township"] != row["township"]]
        if beside and away:
            return {near: (one["township"], one["village"]) for near, one in (("own", row), ("neighbour", beside[0]), ("far", away[0]))}  # fmt: skip
    raise AssertionError("the sample has no township with signals in two villages")


def _household(warehouse: Warehouse, place: tuple[str, str]) -> dict[str, Any]:
    """A registered household of a place whose head has a name and an end of number that nobody else has."""
    return warehouse.row(
        """select household_id, household_key, name, number, village from person_snapshot p
           where township = $town and village = $village and registered and length(name) >= 3 and is_head
             and (select count(*) from person_snapshot o where o.name = p.name) = 1
             and (select count(*) from person_snapshot o where right(o.number, 4) = right(p.number, 4)) = 1
           order by household_key limit 1""",
        {"town": place[0], "village": place[1]},
    )


def _alert(served: Served, place: tuple[str, str]) -> int:
    of = [alert.c.township == place[0], alert.c.village == place[1], alert.c.subject == "household"]
    with served.store.read() as con:
        return int(con.execute(select(alert.c.id).where(*of).order_by(alert.c.id).limit(1)).scalar_one())


def _last(served: Served) -> int:
    with served.store.read() as con:
        return int(con.execute(select(journal_table.c.seq).order_by(journal_table.c.seq.desc()).limit(1)).scalar() or 0)


def _after(served: Served, seq: int) -> list[Any]:
    with served.store.read() as con:
        return list(con.execute(select(journal_table).where(journal_table.c.seq > seq).order_by(journal_table.c.seq)))
