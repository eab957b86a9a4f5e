"""Exit review: hits by proof, gradual exits, what ended households went to, results; and the words, which ask for a check."""

from __future__ import annotations

import ast
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import polib
import pytest
from sqlalchemy import insert as into
from sqlalchemy import update

from monitoring.access import Scope
from monitoring.alerts import beside, went
from monitoring.language import LOCALE
from monitoring.people import Denied
from monitoring.queries import exits, vanished
from monitoring.rules import load_policy
from monitoring.store import Store
from monitoring.store.schema import alert, alert_signal, decision, taken_in
from monitoring.warehouse import Warehouse
from pipelines.run.vanishing import carry_vanished
from tests.people import OTHER_TOWN, TOWN, VILLAGE, add_account
from tests.small_warehouse import WANG, insert, small_warehouse
from tests.some_alerts import add_alert
from tests.stores import NOON
from tests.test_coverage import as_warehouse
from tests.two_months import TwoMonths, feeds_of_both

ROOT = Path(__file__).parents[1]
AS_OF = date(2026, 11, 30)
ENDS = re.compile("取消|清退|清除")
NONE = ("any_dibao", "any_tekun", "any_rigid", "any_low_income", "at_risk")

# --- hits


def test_every_exit_rule_has_exactly_one_proof() -> None:
    _, rules = load_policy(Path("none"))
    assert sorted(rule for proof in exits.PROOFS for rule in proof.rules) == sorted(
        code for code in rules if code.startswith("EXIT-")
    )


def test_hits_by_proof_are_the_exit_signals_and_each_list_is_as_long(warehouse: Warehouse) -> None:
    signals = warehouse.frame("select * from signal where kind = 'exit'")
    outcome = warehouse.frame("select * from rule_outcome")
    found = {row["proof"]: row for row in exits.hits(warehouse, Scope()).to_dicts()}
    for proof in exits.PROOFS:
        mine = signals.filter(pl.col("rule").is_in(proof.rules))
        row = found[proof.key]
        assert (row["signals"], row["households"]) == (
            mine.height,
            mine["household_key"].n_unique() if mine.height else 0,
        )
        assert row["unknown"] == outcome.filter(pl.col("rule").is_in(proof.rules))["unknown"].sum()
        rows, total = exits.hit_list(warehouse, Scope(), proof.key)
        assert total == row["signals"]
        assert all(one["evidence"] and one["clause"] and one["message"] for one in rows)
        assert exits.unknown_list(warehouse, Scope(), proof.rules)[1] == row["unknown"]
    assert sum(row["signals"] for row in found.values()) == signals.height > 0
    town = signals.drop_nulls("township")["township"].mode().sort()[0]
    here = exits.hits(warehouse, Scope(townships=(town,)))["signals"].sum()
    assert here == signals.filter(pl.col("township") == town).height


def test_whom_a_matching_rule_could_not_judge_is_listed_with_what_is_missing(tmp_path: Path) -> None:
    con = small_warehouse()
    con.execute(
        "CREATE TABLE parameter (name VARCHAR, value VARCHAR, unit VARCHAR, meaning_zh VARCHAR, meaning_en VARCHAR)"
    )
    con.execute("ALTER TABLE rule ADD COLUMN when_text VARCHAR")
    con.execute("ALTER TABLE rule ADD COLUMN title_zh VARCHAR")
    con.execute("ALTER TABLE rule ADD COLUMN title_en VARCHAR")
    insert(con, "rule", rule="EXIT-INCOME", kind="exit", subject="household", disabled=False, when_text="whole_household_dibao AND income_pc > standard", title_zh="收入超标", title_en="Income")  # fmt: skip
    con.execute(
        "UPDATE household_snapshot SET whole_household_dibao = household_key <> 1, income_pc = CASE household_key WHEN 2 THEN 600 END"
    )
    people, total = exits.unknown_list(as_warehouse(con, tmp_path), Scope(), ("EXIT-INCOME", "EXIT-HOMES"))
    assert (total, people["household_key"].to_list(), people["missing"].to_list()) == (1, [3], [["income_pc"]])


# --- gradual exits


def gradual_county(tmp_path: Path, **facts: Any) -> Warehouse:
    """HB2 with these facts, on whole-household dibao, a gradual exit of 6 months."""
    con = small_warehouse()
    con.execute("CREATE TABLE parameter (name VARCHAR, value VARCHAR)")
    con.execute("INSERT INTO parameter VALUES ('dibao.exit_months', '6')")
    con.execute(
        "UPDATE household_snapshot SET whole_household_dibao = (household_key = 2), gradual_exit_started = false"
    )
    rule = facts.pop("rule", None)
    values = ", ".join(f"{name} = ?" for name in facts)
    con.execute(f"UPDATE household_snapshot SET {values} WHERE household_key = 2", list(facts.values()))
    if rule:
        insert(con, "signal", rule=rule, kind="exit", subject="household", household_key=2, person_id=WANG, name="王五", evidence="{}", message="王五户请核实", message_en="Verify")  # fmt: skip
    return as_warehouse(con, tmp_path)


@pytest.mark.parametrize(
    ("facts", "state", "ends"),
    [
        ({"rule": "EXIT-GRADUAL", "gradual_exit_started": False}, "due", None),
        ({"gradual_exit_started": True, "gradual_exit_date": date(2026, 6, 1), "gradual_exit_over": False}, "running", date(2026, 12, 1)),
        ({"rule": "EXIT-GRADUAL-END", "gradual_exit_started": True, "gradual_exit_date": date(2026, 5, 31), "gradual_exit_over": True}, "past", date(2026, 11, 30)),
        ({"rule": "EXIT-GRADUAL-BACK", "gradual_exit_started": True, "gradual_exit_date": date(2026, 8, 31), "gradual_exit_over": False}, "back", date(2027, 2, 28)),
        ({"gradual_exit_started": True, "gradual_exit_date": date(2026, 1, 1), "gradual_exit_over": True, "income_pc": None}, "unknown", date(2026, 7, 1)),
    ],
)  # fmt: skip
def test_a_gradual_exit_stands_in_one_state_and_the_month_of_its_end(
    tmp_path: Path, facts: dict[str, Any], state: str, ends: date | None
) -> None:
    small = gradual_county(tmp_path, **facts)
    month = None if ends is None else ends.strftime("%Y-%m")
    assert exits.gradual(small, Scope()).rows() == [(month, state, 1)]
    people, total = exits.gradual_list(small, Scope(), month or "", state)
    assert (total, people["ends"][0], people["name"][0]) == (1, ends, "王**")
    assert people["message"][0] in (None, "王**户请核实")
    assert exits.gradual_list(small, Scope(), "2020-01")[1] == 0 == exits.gradual_list(small, Scope(), None, "none")[1]


def test_a_household_without_a_gradual_exit_is_in_no_month(tmp_path: Path) -> None:
    assert exits.gradual(gradual_county(tmp_path, gradual_exit_started=False), Scope()).is_empty()


def test_gradual_exits_of_the_sample_are_those_of_the_tables(warehouse: Warehouse) -> None:
    homes = warehouse.frame("select * from household_snapshot where whole_household_dibao")
    due = set(warehouse.frame("select household_key from signal where rule = 'EXIT-GRADUAL'")["household_key"])
    expected = homes.filter(pl.col("gradual_exit_started") | pl.col("household_key").is_in(list(due)))
    assert exits.gradual(warehouse, Scope())["households"].sum() == expected.height
    assert exits.gradual_list(warehouse, Scope())[1] == expected.height


# --- ended households


def ended_county(tmp_path: Path, person: int = WANG, ended: date = AS_OF, **facts: Any) -> Warehouse:
    con = small_warehouse()
    for feed, more in (("dibao", ", gradual_exit_date DATE"), ("tekun", "")):
        con.execute(f"DROP TABLE IF EXISTS std_{feed}")
        con.execute(
            f"CREATE TABLE std_{feed} (person_id BIGINT, township VARCHAR, village VARCHAR, counts BOOLEAN, end_date DATE{more})"
        )
    insert(con, "feed_snapshot", feed="low_income", last_period=202611)
    con.execute(f"UPDATE household_snapshot SET {', '.join(f'{name} = false' for name in NONE)}")
    if facts.pop("undelivered", False):
        con.execute("UPDATE feed_snapshot SET last_period = NULL WHERE feed = 'low_income'")
    if facts.pop("nobody", False):
        con.execute("DELETE FROM household_snapshot WHERE household_key = 2")
    gradual, death = facts.pop("gradual", None), facts.pop("death", None)
    if death:
        con.execute(f"UPDATE person_snapshot SET alive = false, death_date = ? WHERE person_id = {person}", [death])
    for name in facts:
        con.execute(f"UPDATE household_snapshot SET {name} = true WHERE household_key = 2")
    insert(con, "std_dibao", person_id=person, counts=True, end_date=ended, gradual_exit_date=gradual)
    return as_warehouse(con, tmp_path)


@pytest.mark.parametrize(
    ("facts", "went_to"),
    [
        ({}, "nothing"),
        ({"undelivered": True}, "unknown"),
        ({"undelivered": True, "any_dibao": True}, "dibao"),
        ({"any_tekun": True, "any_dibao": True}, "tekun"),
        ({"any_low_income": True}, "edge"),
        ({"any_low_income": True, "any_rigid": True}, "rigid"),
        ({"at_risk": True}, "monitoring"),
        ({"nobody": True}, "deceased"),
    ],
)
def test_what_an_ended_household_went_to(tmp_path: Path, facts: dict[str, Any], went_to: str) -> None:
    small = ended_county(tmp_path, **facts)
    found = {row["went_to"]: row["households"] for row in exits.ended(small, Scope()).to_dicts()}
    assert {key: count for key, count in found.items() if count} == {went_to: 1}
    people, total = exits.ended_list(small, Scope(), went_to)
    assert (total, people["name"][0], people["programmes"][0], people["ended"][0]) == (1, "王**", "低保", AS_OF)


@pytest.mark.parametrize(
    ("ended", "counted"),
    [(date(2025, 11, 30), 0), (date(2025, 12, 1), 1), (AS_OF, 1), (AS_OF + timedelta(1), 0)],
)
def test_the_window_is_twelve_months_up_to_the_runs_day(tmp_path: Path, ended: date, counted: int) -> None:
    assert exits.ended_list(ended_county(tmp_path, ended=ended), Scope())[1] == counted


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({}, None),
        ({"gradual": date(2026, 5, 1)}, "gradual"),
        ({"death": AS_OF}, "death"),
        ({"death": AS_OF, "ended": date(2026, 11, 29)}, None),
    ],
)
def test_the_reason_is_said_where_the_data_have_it_and_unknown_else(
    tmp_path: Path, facts: dict[str, Any], reason: str | None
) -> None:
    assert exits.ended_list(ended_county(tmp_path, **facts), Scope())[0]["reason"].to_list() == [reason]


def test_an_ended_row_whose_person_is_not_decided_is_counted_apart(tmp_path: Path) -> None:
    small = ended_county(tmp_path)
    assert exits.ended_undecided(small, Scope()) == 0
    con = small_warehouse()
    con.execute("DROP TABLE std_dibao")
    con.execute(
        "CREATE TABLE std_dibao (person_id BIGINT, township VARCHAR, village VARCHAR, counts BOOLEAN, end_date DATE, gradual_exit_date DATE)"
    )
    con.execute("CREATE TABLE std_tekun AS FROM std_dibao")
    insert(con, "std_tekun", person_id=None, township="石桥镇", counts=True, end_date=AS_OF)
    (tmp_path / "other").mkdir()
    other = as_warehouse(con, tmp_path / "other")
    assert (exits.ended_undecided(other, Scope()), exits.ended_list(other, Scope())[1]) == (1, 0)


def test_ended_households_of_the_sample_equal_a_count_over_the_rows(warehouse: Warehouse) -> None:
    run = warehouse.row("select as_of from run")["as_of"]
    people = dict(warehouse.frame("select person_id, household_key from person_snapshot").rows())
    rows = warehouse.rows(
        "select person_id, end_date from std_dibao where counts union all select person_id, end_date from std_tekun where counts"
    )
    past = date(run.year - 1, run.month, run.day)
    households = {
        people[row["person_id"]]
        for row in rows
        if row["person_id"] in people and row["end_date"] and past < row["end_date"] <= run
    }
    found = exits.ended(warehouse, Scope())
    assert found["households"].sum() == len(households) == exits.ended_list(warehouse, Scope())[1]
    for row in found.to_dicts():
        assert exits.ended_list(warehouse, Scope(), row["went_to"])[1] == row["households"]
        assert exits.ended_list(warehouse, Scope(), row["went_to"], True)[1] == row["signals"]
    order = [list(exits.WENT_TO).index(key) for key in exits.ended_list(warehouse, Scope(), size=1000)[0]["went_to"]]
    assert order == sorted(order)


# --- results from the case store


def _decided(store: Store, key: int, outcome: str, went_to: str | None, account: int, moment: datetime = NOON) -> None:
    with store.write() as con:
        con.execute(update(alert).where(alert.c.id == key).values(outcome=outcome, status="decided"))
        con.execute(
            into(decision).values(
                alert_id=key, outcome=outcome, reason="核实", went_to=went_to, account_id=account, at=moment
            )
        )


def test_results_count_each_alert_once_a_proof_and_stop_at_ones_places(sqlite_store: Store) -> None:
    county = add_account(sqlite_store, "county_staff")
    township = add_account(sqlite_store, "township_staff", [(TOWN, None)])
    both = add_alert(sqlite_store, ["EXIT-INSURED", "EXIT-INSURANCE-ENDED", "EXIT-VEHICLE"])
    _decided(sqlite_store, both, "K", "edge", county.account)
    add_alert(sqlite_store, ["EXIT-VEHICLE"], township=OTHER_TOWN)
    add_alert(sqlite_store, ["GAP-DIBAO"])
    gone = add_alert(sqlite_store, ["EXIT-VEHICLE"])
    with sqlite_store.write() as con:
        con.execute(update(alert_signal).where(alert_signal.c.alert_id == gone).values(state="gone"))

    def told(who: Any, scope: Scope) -> list[tuple[Any, ...]]:
        found = beside.results_by(sqlite_store, who, exits.PROOF_OF, scope, NOON)
        return [(one.group, one.outcome, one.went_to, one.alerts) for one in found]

    decided = [("employer", "K", "edge", 1), ("vehicle", "K", "edge", 1)]
    assert sorted(told(county, Scope()), key=str) == sorted([*decided, ("vehicle", None, None, 1)], key=str)
    assert told(township, Scope()) == told(county, Scope(townships=(TOWN,))) == decided
    assert told(county, Scope(villages=((TOWN, VILLAGE),))) == decided
    assert told(county, Scope(townships=(None,))) == told(county, Scope(townships=())) == []
    with pytest.raises(Denied):
        told(add_account(sqlite_store, "auditor"), Scope())


def test_open_alerts_stand_beside_their_households_and_closed_ones_do_not(sqlite_store: Store) -> None:
    county = add_account(sqlite_store, "county_staff")
    add_alert(sqlite_store, household_id="H1")
    add_alert(sqlite_store, household_id="H2", status="closed", closed_at=NOON)
    assert list(beside.open_alerts_of(sqlite_store, county, ["H1", "H2", "H3"], NOON)) == ["H1"]
    assert beside.open_alerts_of(sqlite_store, county, [], NOON) == {}


# --- the words


def test_the_words_ask_for_a_check_and_never_say_that_a_benefit_is_ended_by_itself() -> None:
    files = [
        *(ROOT / "monitoring" / "pages").glob("coverage*.py"),
        ROOT / "monitoring/pages/exits.py",
        ROOT / "monitoring/pages/people_lists.py",
    ]
    files += [ROOT / "monitoring/queries" / f"{name}.py" for name in ("exits", "disposal", "programmes", "registers")]
    said = [
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert len(files) >= 8 and [text for text in said if ENDS.search(text) or "停发" in text] == []
    assert sum("核实" in text or "复核" in text for text in said) > 20
    english = [entry.msgstr for entry in polib.pofile(str(LOCALE / "en" / "LC_MESSAGES" / "coverage.po"))]
    assert [text for text in english if re.search("cancel|withdraw|expel", text, re.IGNORECASE)] == []


def test_the_sentences_of_the_exit_rules_ask_for_a_check_too() -> None:
    _, rules = load_policy(Path("none"))
    for code, rule in rules.items():
        if code.startswith("EXIT-"):
            said = " ".join(str(version) for version in rule.versions)
            assert not ENDS.search(said), code


# --- what was recorded when it was decided, beside the registers


def _went(*rows: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame([(key, to, AS_OF) for key, to in rows], schema=went.SCHEMA, orient="row")


@pytest.mark.parametrize(
    ("facts", "recorded", "went_to"),
    [
        ({}, None, "nothing"),
        ({}, "nothing", "nothing"),  # left directly, by both
        ({}, "edge", "case"),  # the decision says so, no register does
        ({}, "gradual", "case"),
        ({"undelivered": True}, "nothing", "unknown"),  # a register that never came: unknown stays unknown
        ({"undelivered": True}, "monitoring", "case"),
        ({"any_tekun": True}, "nothing", "tekun"),  # the register is the fact
        ({"any_tekun": True}, "edge", "tekun"),
    ],
)
def test_without_a_destination_is_who_has_none_by_the_registers_and_by_the_decision(
    tmp_path: Path, facts: dict[str, Any], recorded: str | None, went_to: str
) -> None:
    small = ended_county(tmp_path, **facts)
    told = _went(("HB2", recorded), ("HB9", "dibao")) if recorded else went.NOTHING_RECORDED
    found = {row["went_to"]: row for row in exits.ended(small, Scope(), told).to_dicts() if row["households"]}
    assert list(found) == [went_to] and found[went_to]["recorded"] == (1 if recorded else 0)
    people, total = exits.ended_list(small, Scope(), went_to, recorded=told)
    assert total == 1 and people["by_case"].to_list() == [recorded]
    assert exits.ended_list(small, Scope(), went_to, recorded=told, only_recorded=True)[1] == (1 if recorded else 0)
    assert next(iter(exits.WENT_TO)) == "nothing"  # in front


def test_the_last_decision_of_twelve_months_in_ones_places_says_what_a_household_went_to(sqlite_store: Store) -> None:
    county = add_account(sqlite_store, "county_staff")
    township = add_account(sqlite_store, "township_staff", [(TOWN, None)])
    for key, to, days in (("H1", "edge", 30), ("H1", "dibao", 3), ("H2", "nothing", 364), ("H3", "kept", 366)):
        of = add_alert(sqlite_store, household_id=key, status="closed", closed_at=NOON - timedelta(days=days))
        _decided(sqlite_store, of, "K", to, county.account, NOON - timedelta(days=days))
    far = add_alert(sqlite_store, household_id="H9", township=OTHER_TOWN)
    _decided(sqlite_store, far, "K", "rigid", county.account, NOON)
    day = NOON.date()
    found = {
        row["household_id"]: row["went_to"]
        for row in went.recorded(sqlite_store, county, "2026-11", day, NOON).to_dicts()
    }
    assert found == {"H1": "dibao", "H2": "nothing", "H9": "rigid"}
    assert set(went.recorded(sqlite_store, township, "2026-11", day, NOON)["household_id"]) == {"H1", "H2"}
    with sqlite_store.write() as con:  # the next run was taken in before the last decisions
        con.execute(into(taken_in).values(run_id="r2", period="2026-12", as_of=day, at=NOON - timedelta(days=5), signals=0, opened=0, joined=0, gone=0))  # fmt: skip
    then = {
        row["household_id"]: row["went_to"]
        for row in went.recorded(sqlite_store, county, "2026-11", day, NOON).to_dicts()
    }
    assert then == {"H1": "edge", "H2": "nothing"}


# --- gone without an end


def test_who_is_gone_from_a_register_without_an_end_is_asked_about_and_never_ended(two_months: TwoMonths) -> None:
    """Counted from the two months' files: H104's couple and H205's head (now on tekun) have no dibao row any more."""
    before, now = feeds_of_both()
    names = {row["姓名"] for row in before["dibao"] if not row.get("终止日期")} - {row["姓名"] for row in now["dibao"]}
    older, run = (Warehouse(file) for file in two_months.files)
    found = vanished.vanished(run, Scope()).to_dicts()
    assert {row["register"]: row["persons"] for row in found} == {"dibao": len(names)} and len(names) == 3
    people, total = vanished.vanished_list(run, Scope(masked=False), "dibao")
    assert total == 3 and set(people["name"]) == names and set(people["last_period"]) == {"2026-10"}
    on_tekun = {row["姓名"] for row in now["tekun"]}
    assert dict(people.select("name", "now").rows()) == {
        name: "tekun" if name in on_tekun else "nothing" if name in {r["姓名"] for r in now["registry"]} else "gone"
        for name in names
    }
    assert found[0]["nothing"] == vanished.vanished_list(run, Scope(), "dibao", True)[1] == len(names - on_tekun)
    assert people["now"].to_list()[-1] == "tekun"  # who stands in nothing comes first
    ended = set(exits.ended_list(run, Scope(masked=False))[0]["household_id"])
    assert not ended & set(people.filter(pl.col("now") != "tekun")["household_id"])
    assert vanished.vanished_list(run, Scope(), size=9)[0]["name"].str.contains(r"\*").all()
    assert vanished.vanished(older, Scope()).is_empty() and vanished.looked_for(older, Scope())
    assert vanished.vanished_list(run, Scope(townships=("丙镇",)))[1] == 0


def _register(folder: Path, name: str, period: str, *rows: str, carried: str = "") -> Path:
    """A run's file with what `carry_vanished` reads of it: three persons, and rows of dibao (person, start, end)."""
    path = folder / name
    with duckdb.connect(str(path)) as con:
        con.execute(f"create table run as select '{period}' as period, date '{period}-28' as as_of")
        con.execute("create table person_snapshot as select n as person_id, 'H' || n as household_id, '人' || n as name, '甲镇' as township, '东村' as village from range(1, 4) t(n)")  # fmt: skip
        _registers(con, *rows)
        if carried:
            con.execute(f"create table vanished as select 'dibao' as register, 3 as person_id, 'H3' as household_id, '人3' as name, '甲镇' as township, '东村' as village, '{carried}' as last_period")  # fmt: skip
    return path


def _registers(con: duckdb.DuckDBPyConnection, *rows: str) -> None:
    con.execute("create table std_dibao (person_id bigint, start_date date, end_date date, counts boolean)")
    con.execute("create table std_tekun as from std_dibao")
    con.execute("create table std_low_income (person_id bigint, recognised_date date, end_date date, counts boolean)")
    con.execute(
        "create table std_monitored (person_id bigint, household_kind varchar, risk_removed boolean, counts boolean)"
    )
    for row in rows:
        con.execute(f"insert into std_dibao values {row}")


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ("(1, '2026-01-01', null, true)", "", 1),
        ("(1, null, null, true)", "", 1),  # a blank start means begun
        ("(1, '2026-01-01', '2026-10-28', true)", "", 0),  # had ended then: on that day it is not in force
        ("(1, '2026-01-01', '2026-10-29', true)", "", 1),
        ("(1, '2026-10-29', null, true)", "", 0),  # had not begun
        ("(1, '2026-01-01', null, false)", "", 0),  # did not count
        ("(1, '2026-01-01', null, true)", "(1, '2026-01-01', '2026-11-05', true)", 0),  # ended, with its day
        ("(1, '2026-01-01', null, true)", "(1, '2026-01-01', null, true)", 0),
        ("(1, '2026-01-01', null, true)", "(1, '2026-01-01', null, false), (null, null, null, true)", 1),
    ],
)
def test_gone_is_who_was_in_force_and_has_no_row_at_all(tmp_path: Path, before: str, now: str, found: int) -> None:
    old = _register(tmp_path, "old.duckdb", "2026-10", before)
    con = duckdb.connect(":memory:")
    _registers(con, *([now] if now else []))
    carry_vanished(con, AS_OF, old)
    assert con.execute("select count(*) from vanished").fetchall() == [(found,)]


@pytest.mark.parametrize("decided", [False, True])
def test_who_was_found_to_be_somebody_else_is_not_gone_where_that_one_stands(tmp_path: Path, decided: bool) -> None:
    """1 and 2 stood in it; they are one person, whose row is known under 1 now."""
    began = "'2026-01-01', null, true"
    old = _register(tmp_path, "old.duckdb", "2026-10", f"(1, {began}), (2, {began}), (3, {began})")
    for now, gone in ((f"(1, {began})", [3]), ("", [1, 3])):
        con = duckdb.connect(":memory:")
        _registers(con, *([now] if now else []))
        con.execute("create temp table same_person as select 2::bigint as person_id, 1::bigint as kept")
        carry_vanished(con, AS_OF, old, decided=decided)
        found = [person for (person,) in con.execute("select person_id from vanished order by 1").fetchall()]
        assert found == (gone if decided else sorted({*gone, 2}))


@pytest.mark.parametrize(
    ("register", "before", "found"),
    [
        ("tekun", "(1, '2026-01-01', null, true)", 1),
        ("tekun", "(1, '2026-01-01', '2026-10-28', true)", 0),
        ("low_income", "(1, '2026-01-01', null, true)", 1),
        ("low_income", "(1, null, null, true)", 1),
        ("low_income", "(1, '2026-10-29', null, true)", 0),  # recognised after that day
        ("low_income", "(1, '2026-01-01', '2026-10-28', true)", 0),  # had ended on that day
        ("low_income", "(1, '2026-01-01', '2026-10-29', true)", 1),
        ("monitored", "(1, '边缘易致贫户', false, true)", 1),
        ("monitored", "(1, '边缘易致贫户', null, true)", 1),  # not said that it was removed
        ("monitored", "(1, '边缘易致贫户', true, true)", 0),  # the risk had been removed: it may leave the list
        ("monitored", "(1, '脱贫户', false, true)", 0),
    ],
)
def test_gone_from_the_other_registers_is_who_was_in_force_there(
    tmp_path: Path, register: str, before: str, found: int
) -> None:
    old = _register(tmp_path, "old.duckdb", "2026-10")
    with duckdb.connect(str(old)) as con:
        con.execute(f"insert into std_{register} values {before}")
    con = duckdb.connect(":memory:")
    _registers(con)
    carry_vanished(con, AS_OF, old)
    assert con.execute("select register, person_id from vanished").fetchall() == [(register, 1)] * found


@pytest.mark.parametrize(("last", "kept"), [("2025-11", 1), ("2025-10", 0)])
def test_who_is_gone_stays_so_for_twelve_months_or_until_they_come_back(tmp_path: Path, last: str, kept: int) -> None:
    old = _register(tmp_path, "old.duckdb", "2026-10", carried=last)
    for row, still in (("", kept), ("(3, '2026-11-01', null, true)", 0)):
        con = duckdb.connect(":memory:")
        _registers(con, *([row] if row else []))
        carry_vanished(con, AS_OF, old)
        assert con.execute("select last_period from vanished").fetchall() == [(last,)] * still


def test_without_an_earlier_run_nobody_is_gone(tmp_path: Path) -> None:
    con = duckdb.connect(":memory:")
    _registers(con)
    carry_vanished(con, AS_OF, None)
    assert con.execute("select count(*) from vanished").fetchall() == [(0,)]
