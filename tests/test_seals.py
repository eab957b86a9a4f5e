"""Sign-off: below before above, the remainder stated, and one changed fact breaks exactly the seal that froze it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text, update

from monitoring.access import Scope
from monitoring.language import Language
from monitoring.pages.checklist_words import signed_line
from monitoring.people import Caller, Denied, operator
from monitoring.queries import vouching
from monitoring.store import Store, journal, open_store
from monitoring.store.schema import alert, seal, visit
from monitoring.store.schema import journal as journal_table
from monitoring.vouching import breaks, seals
from monitoring.vouching.live import live
from monitoring.vouching.seals import NotSigned
from monitoring.vouching.standing import BROKEN, INTACT, UNDERMINED, UNSIGNED, Place, Seal, Standing, level_of, lines_of
from monitoring.warehouse import Publication, Published, Warehouse
from tests.people import Known, add_account
from tests.some_alerts import add_alert
from tests.stores import NOON
from tests.vouching_county import AS_OF, Home, at, county_of

A, B, C = ("甲镇", "东村"), ("甲镇", "西村"), ("乙镇", "东村")
TOWN_A, TOWN_B, COUNTY = ("甲镇", None), ("乙镇", None), (None, None)
HOMES = [
    Home(place=A), Home(place=A, help="低保"), Home(place=A, visited=AS_OF), Home(place=B), Home(place=B, help="低保"), Home(place=C),
    Home(place=C, visited=AS_OF - timedelta(days=5), sets={7: "已走访"}),
]  # fmt: skip


@dataclass
class Office:
    """A store, a county, and who signs where."""

    store: Store
    homes: list[Home]
    warehouse: Warehouse
    people: dict[str, Known]

    def sign(self, place: Place, by: Known | None = None, note: str = "正在补报数据", seen: str = "") -> Seal:
        level = level_of(place)
        who = by or self.people[{"village": place[0] or "", "township": place[0] or "", "county": "leader"}[level]]
        return seals.sign(self.store, who, self.warehouse, place[0], place[1], note, seen, NOON)

    def sign_all(self) -> None:
        for place in (A, B, C, TOWN_A, TOWN_B, COUNTY):
            self.sign(place)

    def now(self, by: Caller | None = None) -> dict[Place, Standing]:
        caller = by or operator("root")
        return seals.seals_now(
            self.store,
            caller,
            self.warehouse,
            live(self.store, caller, vouching.asked_of(self.warehouse), NOON),
            at=NOON,
        )

    def states(self) -> dict[Place, str]:
        return {place: one.state for place, one in self.now().items()}

    def rerun(self, change: Callable[[list[Home]], list[Home]]) -> None:
        """A later run of the period with other facts."""
        self.homes = change(self.homes)
        self.warehouse = county_of(self.homes)


def office(store: Store) -> Office:
    people = {town: add_account(store, "township_staff", [(town, None)]) for town in ("甲镇", "乙镇")}
    people["leader"] = add_account(store, "leader")
    with store.write() as con:
        con.execute(text(
            "insert into taken_in (run_id, period, as_of, at, signals, opened, joined, gone) values ('r1', '2026-11', '2026-11-30', :at, 0, 0, 0, 0)"
        ), {"at": NOON.replace(tzinfo=None)})  # fmt: skip
    homes = at(HOMES)
    return Office(store, homes, county_of(homes), people)


def test_levels_sign_from_below_and_what_was_signed_is_journalled(store: Store) -> None:
    of = office(store)
    assert set(of.states().values()) == {UNSIGNED}
    with pytest.raises(NotSigned, match="下级还有 2 处"):
        of.sign(TOWN_A)
    for place in (A, B):
        of.sign(place)
    with pytest.raises(NotSigned, match="下级还有 2 处没有有效签字"):
        of.sign(COUNTY)
    of.sign(TOWN_A), of.sign(C), of.sign(TOWN_B)
    last = of.sign(COUNTY)
    assert set(of.states().values()) == {INTACT}
    assert last.households == 7 and [row[0] for row in last.content["below"]] == ["乙镇", "甲镇"]
    with pytest.raises(NotSigned, match="不用再签"):
        of.sign(A)
    with store.read() as con:
        told = con.execute(select(journal_table.c.detail).where(journal_table.c.event == "checklist.sign", journal_table.c.result == "ok")).scalars().all()  # fmt: skip
    assert len(told) == 6 and last.sha256 in told[-1]
    assert seals.check_seals(store).ok and seals.check_seals(store).left == 6


def _new_alert(of: Office) -> None:
    add_alert(of.store, household_id="H1", township="甲镇", village="东村")


def _new_visit(of: Office) -> None:
    key = add_alert(of.store, household_id="H1", township="甲镇", village="东村", closed_at=NOON, status="closed")
    row = {"alert_id": key, "household_id": "H1", "date": AS_OF - timedelta(days=20), "visitor": "林秋", "met": True, "note": "看过",
           "finding": "not_so", "account_id": of.people["甲镇"].account, "at": NOON}  # fmt: skip
    with of.store.write() as con:
        con.execute(insert(visit).values(row))


def _new_run(of: Office) -> None:
    of.rerun(lambda homes: [replace(home, blind=2) if home.key == 1 else home for home in homes])


def test_one_changed_fact_breaks_exactly_that_seal(store: Store) -> None:
    """A new run, then a visit, then an alert: each time that place's seal alone, and what rests on it is told."""
    of = office(store)
    of.sign_all()
    wanted = {A: BROKEN, B: INTACT, C: INTACT, TOWN_A: UNDERMINED, TOWN_B: INTACT, COUNTY: UNDERMINED}
    before = "cleared"
    for change, then in ((_new_run, "nobody"), (_new_visit, "visited"), (_new_alert, "open")):
        change(of)
        assert of.states() == wanted
        one = of.now()[A]
        assert one.seal is not None
        found = seals.changes(of.store, operator("root"), of.warehouse, one.seal.id, at=NOON)
        households = [(c.what, c.before and c.before[0], c.now and c.now[0]) for c in found if not c.set]
        assert households == [("H1", before, then)]
        of.sign(A)
        assert of.states() == {**wanted, A: INTACT}  # above rests on the old signature still
        of.sign(TOWN_A), of.sign(COUNTY)
        assert set(of.states().values()) == {INTACT}
        before = then
    assert len(seals.history(store, operator("root"), "2026-11", *A, at=NOON)) == 4  # the old ones stay


def _breaks(of: Office) -> list[tuple[str, dict[str, Any]]]:
    """The journal's rows of breaks, the oldest first."""
    with of.store.read() as con:
        asked = select(journal_table.c.object, journal_table.c.detail).where(journal_table.c.event == breaks.EVENT)
        return [(row.object, json.loads(row.detail)) for row in con.execute(asked.order_by(journal_table.c.seq))]


def _tell(of: Office, monkeypatch: pytest.MonkeyPatch) -> int:
    """As after a run: the county made by hand stands for the published file."""
    runs = (Published("2026-11", "r1", Path("r1.duckdb")), Published("2026-10", "r0", Path("r0.duckdb")))
    monkeypatch.setattr(breaks, "Warehouse", lambda path: of.warehouse)
    monkeypatch.setattr(Warehouse, "close", lambda self: None)
    return breaks.tell_breaks(of.store, Publication("2026-11", runs), NOON)


def test_a_broken_seal_is_told_in_the_journal_once_with_the_fact_that_broke_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = office(store)
    assert _tell(of, monkeypatch) == 0  # nothing is signed
    of.sign_all()
    assert _tell(of, monkeypatch) == 0 and _breaks(of) == []
    _new_alert(of)
    assert _tell(of, monkeypatch) == 1
    signed = of.now()[A].seal
    assert signed is not None
    [(key, told)] = _breaks(of)
    assert key == f"seal:{signed.id}" and told["sha256"] == signed.sha256
    assert (told["level"], told["township"], told["village"], told["households"], told["sets"]) == ("village", *A, 1, 0)
    assert [(one["what"], one["before"][0], one["now"][0]) for one in told["facts"]] == [("H1", "cleared", "open")]
    assert _tell(of, monkeypatch) == 0  # the same run taken in again
    _new_visit(of)
    assert _tell(of, monkeypatch) == 0 and len(_breaks(of)) == 1  # one break a signature
    shown = breaks.breaks(store, of.people["甲镇"], [signed.id], NOON)
    assert shown[signed.id].facts[0].what == "H1" and shown[signed.id].differing == 1
    assert breaks.breaks(store, of.people["乙镇"], [signed.id], NOON) == {}
    assert journal.problems(store) == []


def test_signing_anew_tells_first_what_broke_the_old_signature(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = office(sqlite_store)
    of.sign_all()
    first = of.now()[C].seal
    assert first is not None
    of.rerun(lambda homes: [replace(home, sets={7: "未走访"}) if home.sets else home for home in homes])
    of.sign(C)
    assert [key for key, _ in _breaks(of)] == [f"seal:{first.id}"]
    assert _breaks(of)[0][1]["facts"] == [
        {"what": "7", "set": True, "before": ["1", "1", "0", "0", "0"], "now": ["1", "0", "1", "0", "0"]}
    ]
    assert _tell(of, monkeypatch) == 0  # the new signature holds


def test_who_was_at_the_door_is_not_in_the_journal(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    of = office(sqlite_store)
    of.sign_all()
    of.rerun(lambda homes: [replace(home, visited=None) if home.key == 3 else home for home in homes])
    assert _tell(of, monkeypatch) == 1
    [fact] = _breaks(of)[0][1]["facts"]
    assert fact["before"] == ["visited", AS_OF.isoformat()] and fact["now"][0] == "cleared"


def test_a_set_that_changed_breaks_the_seal_and_a_run_of_the_same_facts_none(sqlite_store: Store) -> None:
    of = office(sqlite_store)
    of.sign_all()
    of.rerun(lambda homes: homes)
    assert set(of.states().values()) == {INTACT}
    of.rerun(lambda homes: [replace(home, sets={7: "未走访"}) if home.sets else home for home in homes])
    assert of.states() == {A: INTACT, B: INTACT, C: BROKEN, TOWN_A: INTACT, TOWN_B: UNDERMINED, COUNTY: UNDERMINED}
    one = of.now()[C]
    assert one.seal is not None
    found = seals.changes(sqlite_store, operator("root"), of.warehouse, one.seal.id, at=NOON)
    assert [(c.what, c.before, c.now) for c in found] == [("7", ("1", "1", "0", "0", "0"), ("1", "0", "1", "0", "0"))]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A county with every place signed."""
    with closing(open_store(tmp_path_factory.mktemp("signed"))) as store:
        of = office(store)
        of.sign_all()
        yield of


@settings(max_examples=12, deadline=None)
@given(key=st.integers(1, 7), how=st.sampled_from(["help", "request", "blind", "visited"]))
def test_whichever_household_changes_only_its_own_place_breaks(signed: Office, key: int, how: str) -> None:
    changes: dict[str, dict[str, Any]] = {
        "help": {"help": "特困供养"}, "request": {"request": True}, "blind": {"blind": 3, "help": "", "visited": None},
        "visited": {"visited": AS_OF - timedelta(days=1), "help": ""},
    }  # fmt: skip
    homes = [replace(home, **changes[how]) if home.key == key else home for home in at(HOMES)]
    states = replace(signed, homes=homes, warehouse=county_of(homes)).states()
    assert [place for place, state in states.items() if state == BROKEN] == [homes[key - 1].place]


def test_the_remainder_is_stated_and_frozen_never_hidden(sqlite_store: Store) -> None:
    of = office(sqlite_store)
    of.rerun(lambda homes: [replace(home, blind=1) if home.key in (1, 6) else home for home in homes])
    with pytest.raises(NotSigned, match="还有 1 户无人担保"):
        of.sign(A, note=" 无 ")
    signed = of.sign(A, note="医保数据未到，下周补报后入户")
    assert (signed.nobody, signed.content["nobody"], signed.note) == (1, 1, "医保数据未到，下周补报后入户")
    of.sign(B, note="")  # nobody remains there: no note is needed
    of.sign(C), of.sign(TOWN_A), of.sign(TOWN_B)
    assert of.sign(COUNTY).nobody == 2  # with all below


def test_what_was_not_seen_is_not_signed(sqlite_store: Store) -> None:
    of = office(sqlite_store)
    seen = of.now()[A].facts.mark
    _new_alert(of)
    with pytest.raises(NotSigned, match="刚刚有变化"):
        of.sign(A, seen=seen)
    of.sign(A, seen=of.now()[A].facts.mark)


def test_each_signs_where_they_work_and_a_named_person_does(sqlite_store: Store) -> None:
    of = office(sqlite_store)
    village = add_account(sqlite_store, "village_staff", [A])
    assert set(of.now(village)) == {A}
    of.sign(A, village)
    for place, who in (
        (B, village),
        (A, of.people["乙镇"]),
        (TOWN_A, village),
        (A, of.people["leader"]),
        (COUNTY, of.people["甲镇"]),
    ):
        with pytest.raises(Denied):
            of.sign(place, who)
    with pytest.raises(Denied):
        seals.sign(sqlite_store, operator("root"), of.warehouse, *A, "正在补报", "", NOON)
    with pytest.raises(Denied):
        of.sign(("甲镇", "北村"), of.people["甲镇"])


def test_a_seal_that_was_altered_is_found(sqlite_store: Store) -> None:
    of = office(sqlite_store)
    signed = of.sign(A)
    with sqlite_store.write() as con:
        rows = con.execute(select(seal.c.rows).where(seal.c.id == signed.id)).scalar_one()
        con.execute(update(seal).where(seal.c.id == signed.id).values(rows=rows.replace("cleared", "helped")))
    check = seals.check_seals(sqlite_store)
    assert not check.ok and f"seal:{signed.id}" in check.words


def test_a_past_period_is_shown_as_it_was_known_then(sqlite_store: Store) -> None:
    """An alert that was closed after the next run was taken in was open then."""
    of = office(sqlite_store)
    key = add_alert(sqlite_store, household_id="H1", township="甲镇", village="东村", opened_period="2026-11")
    with sqlite_store.write() as con:
        con.execute(text(
            "insert into taken_in (run_id, period, as_of, at, signals, opened, joined, gone) values ('r2', '2026-12', '2026-12-31', :at, 0, 0, 0, 0)"
        ), {"at": (NOON + timedelta(days=3)).replace(tzinfo=None)})  # fmt: skip
        con.execute(update(alert).where(alert.c.id == key).values(closed_at=NOON + timedelta(days=9)))
    caller = operator("root")
    now = live(sqlite_store, caller, vouching.asked_of(of.warehouse), NOON + timedelta(days=30))
    assert now.alerts["household_id"].to_list() == ["H1"]
    assert vouching.totals(of.warehouse, Scope(), now).of["open"] == 1


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (("open", "12,15"), "正在办理（预警 12、15）"),
        (("open", "request"), "正在办理（有申请或线索未办结）"),
        (("open", "12 request"), "正在办理（预警 12、有申请或线索未办结）"),
        (("open", "signals 2"), "正在办理（2 条信号还没有生成预警）"),
        (("helped", "低保、监测帮扶 temporary"), "已帮扶（低保、监测帮扶、临时救助）"),
        (("visited", "2026-11-05 林秋"), "走访核清（2026-11-05 林秋）"),
        (("visited", "2026-11-05"), "走访核清（2026-11-05）"),
        (("cleared",), "数据核清"),
        (("cleared", ""), "数据核清"),
        (("nobody", "rules 2 hits 0"), "无人担保（2 条规则不能判断）"),
        (("nobody", "rules 0 late medical hits 1"), "无人担保（0 条规则不能判断、数据没有到或已过期：医疗费用结算、1 条困难信号）"),
    ],
)  # fmt: skip
def test_a_signed_line_says_what_it_rested_on(told: tuple[str, ...], said: str) -> None:
    """So that two lines of one state are told apart: another alert, a later visit."""
    assert signed_line(told, Language("zh")) == said


def test_every_signed_line_of_a_county_can_be_said(sqlite_store: Store) -> None:
    """The page reads the very lines that are signed."""
    of = office(sqlite_store)
    of.rerun(lambda homes: [replace(home, blind=1) if home.key == 1 else replace(home, request=True) if home.key == 4 else home for home in homes])  # fmt: skip
    _new_alert(replace(of, people=of.people))
    states = set()
    for place in (A, B, C):
        lines = lines_of(of.warehouse, live(of.store, operator("root"), vouching.asked_of(of.warehouse), NOON), place)
        for line in lines.split("\n"):
            told = line.split("\t")[1:]
            states.add(told[0])
            assert signed_line(told, Language("en")).isascii() or told[0] == "visited"
    assert states >= {"open", "helped", "visited"}
