"""Whom a row without a usable number is put to, at the edges of the contract's list: what contradicts, and what is crowded.

Rows stand in the tables that the cascade reads as they lie there after standing, a few words each.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import polars as pl
import pytest

from monitoring.feeds import load_feeds
from pipelines.identity import person_id_of
from pipelines.link.cascade import link_rows
from pipelines.link.context import Delivered, Linking
from pipelines.link.standing import std_columns
from tests.runs import number

FEEDS = load_feeds()
Row = dict[str, Any]
BORN, OTHER_DAY = date(1970, 1, 1), date(1970, 1, 2)
PHONE = "13900001111"
MAN, NAMESAKE = number("19700101", 5001), number("19700101", 5003)
HERE, THERE = {"township": "甲镇", "village": "东村"}, {"township": "乙镇", "village": "东村"}  # villages of one name


class Linked:
    """The cascade over rows of some feeds: feed -> its rows, column -> value. `ids`: number -> person_id."""

    def __init__(self, feeds: dict[str, list[Row]]) -> None:
        self.con = duckdb.connect(":memory:", config={"threads": 1})
        origin = "delivered INTEGER, part INTEGER, row INTEGER, counts BOOLEAN"
        for feed in FEEDS.values():
            columns = ", ".join(f'"{name}" {kind}' for name, kind in std_columns(feed).items())
            self.con.execute(f"CREATE TABLE std_{feed.id} ({origin}, {columns})")
        for feed_id, rows in ((feed_id, rows) for feed_id, rows in feeds.items() if rows):
            frame = pl.DataFrame(
                [{"number": None, "part": 1, "row": place, **row} for place, row in enumerate(rows, 1)],
                infer_schema_length=None,
            ).with_columns(
                delivered=202611,
                counts=True,
                number=pl.col("number").cast(pl.String),
                name=pl.col("name").cast(pl.String),
            )
            frame = frame.with_columns(person_id=person_id_of(pl.col("number")))
            self.con.register("given", frame)
            self.con.execute(f"INSERT INTO std_{feed_id} BY NAME FROM given")
            self.con.unregister("given")
        link_rows(Linking(self.con, FEEDS, (Delivered(202611, frozenset(feeds), {}),), date(2026, 11, 30)))
        self.ids = {who: int(pl.select(person_id_of(pl.lit(who))).item()) for who in (MAN, NAMESAKE)}

    def to(self, feed: str = "dibao") -> list[str]:
        """Of each row without a usable number: the step that linked it to somebody, `new`, `review`, or both of these."""
        found = dict(self.con.execute("SELECT row, step FROM link WHERE feed = ?", [feed]).fetchall())
        waiting = {row for (row,) in self.con.execute("SELECT row FROM link_review WHERE feed = ?", [feed]).fetchall()}
        rows = self.con.execute(f"SELECT row FROM std_{feed} WHERE number IS NULL ORDER BY row").fetchall()
        return [" ".join([*filter(None, [found.get(row)]), *["review"] * (row in waiting)]) for (row,) in rows]

    def persons(self, feed: str = "dibao") -> list[int | None]:
        return [p for (p,) in self.con.execute(f"SELECT person_id FROM std_{feed} ORDER BY row").fetchall()]


def known(who: str = MAN, **more: Any) -> Row:
    """A member of the registry with a usable number."""
    return {"household_number": f"H{who[-3:]}", "name": "赵一", "number": who, **HERE, **more}


def row(name: str = "赵一", **more: Any) -> Row:
    return {"name": name, **more}


# -- what contradicts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("born", "became"), [(BORN, "name+birth"), (None, "name+phone"), (OTHER_DAY, "new")])
def test_by_name_and_phone_nobody_is_certain_whose_birth_date_is_another(born: date | None, became: str) -> None:
    linked = Linked({"registry": [known(phone=PHONE)], "dibao": [row(phone=PHONE, birth_date=born)]})
    assert linked.to() == [became]
    assert (linked.persons()[0] == linked.ids[MAN]) is (became != "new")


@pytest.mark.parametrize(("born", "became"), [(None, "review"), (OTHER_DAY, "new")])
def test_by_name_and_village_nobody_may_be_meant_whose_birth_date_is_another(born: date | None, became: str) -> None:
    assert Linked({"registry": [known()], "dibao": [row(birth_date=born, **HERE)]}).to() == [became]


@pytest.mark.parametrize(("sex", "became"), [("男", "name+phone"), (None, "name+phone"), ("女", "new")])
def test_by_name_and_phone_nobody_is_certain_of_the_other_sex(sex: str | None, became: str) -> None:
    assert Linked({"registry": [known(phone=PHONE)], "dibao": [row(phone=PHONE, sex=sex)]}).to() == [became]


# -- villages of one name ------------------------------------------------------------------------------------------


def test_of_two_alike_in_villages_of_one_name_the_one_of_the_rows_township_is_meant() -> None:
    registry = [known(), known(who=NAMESAKE, **THERE)]
    linked = Linked({"registry": registry, "dibao": [row(birth_date=BORN, **HERE), row(birth_date=BORN, **THERE)]})
    assert linked.to() == ["name+birth+village"] * 2
    assert linked.persons() == [linked.ids[MAN], linked.ids[NAMESAKE]]


def test_without_a_township_both_may_be_meant() -> None:
    registry = [known(), known(who=NAMESAKE, **THERE)]
    assert Linked({"registry": registry, "dibao": [row(birth_date=BORN, village="东村")]}).to() == ["review"]


@pytest.mark.parametrize(
    ("place", "became"),
    [(HERE, "birth+village+phone"), ({"village": "东村"}, "birth+village+phone"), (THERE, "new"), ({"village": "西村"}, "new")],
)  # fmt: skip
def test_by_birth_date_village_and_phone_the_village_is_that_of_the_township(place: Row, became: str) -> None:
    rows = [row("赵壹", birth_date=BORN, phone=PHONE, **place)]
    assert Linked({"registry": [known(phone=PHONE)], "dibao": rows}).to() == [became]


@pytest.mark.parametrize(("place", "became"), [(HERE, "review"), ({"village": "东村"}, "review"), (THERE, "new")])
def test_by_name_and_village_nobody_of_another_township_may_be_meant(place: Row, became: str) -> None:
    assert Linked({"registry": [known()], "dibao": [row(**place)]}).to() == [became]


# -- crowded: rows of one feed that fit the same person must not contradict each other ---------------------------


def member(home: str, **more: Any) -> Row:
    """A row of the registry without a number."""
    return {"household_number": home, "name": "赵一", **HERE, **more}


def test_two_rows_of_the_registry_are_two_persons_and_neither_is_the_one_who_fits() -> None:
    """Somebody of the dibao ledger with a number has their name and birth date; of one row that would be certain."""
    dibao = [{"certificate": "D1", "name": "赵一", "number": MAN}]
    alone = Linked({"registry": [member("H1", birth_date=BORN)], "dibao": dibao})
    assert alone.to("registry") == ["name+birth"] and alone.persons("registry") == [alone.ids[MAN]]
    two = Linked({"registry": [member("H1", birth_date=BORN), member("H2", birth_date=BORN)], "dibao": dibao})
    assert two.to("registry") == ["new review"] * 2
    assert len({*two.persons("registry"), two.ids[MAN]}) == 3


def test_two_rows_of_another_feed_may_be_of_one_person() -> None:
    rows = [row(birth_date=BORN, certificate="D1"), row(birth_date=BORN, certificate="D2")]
    linked = Linked({"registry": [known()], "dibao": rows})
    assert linked.to() == ["name+birth"] * 2 and set(linked.persons()) == {linked.ids[MAN]}


def test_two_rows_of_one_feed_of_different_sex_are_not_both_of_one_whose_sex_nobody_says() -> None:
    home = [member("H1", birth_date=BORN)]
    rows = [row(birth_date=BORN, sex="男"), row(birth_date=BORN, sex="女")]
    assert Linked({"registry": home, "dibao": rows[:1]}).to() == ["name+birth"]
    linked = Linked({"registry": home, "dibao": rows})
    assert linked.to() == ["review"] * 2 and linked.persons() == [None, None]
    one_each = Linked({"registry": home, "dibao": rows[:1], "tekun": rows[1:]})
    assert one_each.to() == one_each.to("tekun") == ["name+birth"]  # held against rows of its own feed only


def test_two_rows_of_one_feed_of_different_birth_dates_are_not_both_of_one_whose_birth_date_nobody_says() -> None:
    home = [member("H1", phone=PHONE)]
    rows = [row(birth_date=BORN, phone=PHONE), row(birth_date=OTHER_DAY, phone=PHONE)]
    assert Linked({"registry": home, "dibao": rows[:1]}).to() == ["name+phone"]
    linked = Linked({"registry": home, "dibao": rows})
    assert linked.to() == ["review"] * 2 and linked.persons() == [None, None]


def test_a_row_that_an_earlier_step_linked_crowds_out_one_that_contradicts_it() -> None:
    home = [member("H1", birth_date=BORN, phone=PHONE)]
    rows = [row(birth_date=BORN, sex="男", **HERE), row(phone=PHONE, sex="女")]
    assert Linked({"registry": home, "dibao": rows}).to() == ["name+birth+village", "review"]


# -- a number that may be rounded ----------------------------------------------------------------------------------

ROUNDED = number("19700101", 1500)  # its check character holds, and it ends in 000


def doubted(*dibao: Row, registry: list[Row] | None = None) -> Linked:
    return Linked({"registry": [known()] if registry is None else registry, "dibao": list(dibao)})


def test_a_rounded_number_is_damaged_and_its_row_is_linked_by_its_birth_date() -> None:
    linked = doubted(row(number=ROUNDED, birth_date=BORN, **HERE))
    assert linked.to() == ["name+birth+village"] and linked.persons() == [linked.ids[MAN]]
    assert linked.con.execute("SELECT number_raw, number_state FROM std_dibao").fetchall() == [(ROUNDED, "damaged")]


def test_a_rounded_number_says_no_birth_date_and_one_that_the_row_says_may_contradict() -> None:
    assert doubted(row(number=ROUNDED, **HERE)).to() == ["review"]
    assert doubted(row(number=ROUNDED, birth_date=OTHER_DAY, **HERE)).to() == ["new"]


@pytest.mark.parametrize(
    "rows",
    [
        [row(number=ROUNDED, **HERE), row("钱二", number=ROUNDED)],  # somebody else has it
        [row("钱二", number=ROUNDED, **HERE)],  # nobody there of that name
        [row(number=ROUNDED, township="甲镇", village="西村")],
        [row(number=ROUNDED, **THERE)],  # a village of the same name
        [row(number=ROUNDED, township="乙镇")],
        [row(number=ROUNDED)],
        [row(number=MAN, **HERE)],  # does not end in 000
    ],
)
def test_a_number_that_ends_in_three_noughts_stands_where_nothing_says_that_it_was_rounded(rows: list[Row]) -> None:
    assert doubted(*rows).to() == []


@pytest.mark.parametrize("place", [{"township": "甲镇"}, {"village": "东村"}])
def test_half_a_place_is_enough_to_doubt_a_number(place: Row) -> None:
    assert len(doubted(row(number=ROUNDED, **place)).to()) == 1


def test_a_number_of_the_registry_is_doubted_where_it_stands_there_once_and_nowhere_else() -> None:
    mine = known(household_number="H9", number=ROUNDED)
    assert len(doubted(registry=[known(), mine]).to("registry")) == 1
    assert doubted(row(number=ROUNDED), registry=[known(), mine]).to("registry") == []
    assert doubted(registry=[known(), mine, {**mine, "household_number": "H8"}]).to("registry") == []
