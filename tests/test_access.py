"""The scope as a condition: none of its parts may mean everything where nothing is named."""

from __future__ import annotations

import duckdb
import pytest

from monitoring.access import Filter, Scope

PLACES = [("甲镇", "东村"), ("甲镇", "西村"), ("甲镇", None), ("乙镇", "东村"), (None, None)]


def seen(where: Filter) -> list[tuple[str | None, str | None]]:
    """Which of the places a filter lets through."""
    with duckdb.connect(":memory:") as con:
        con.execute("CREATE TABLE place (township VARCHAR, village VARCHAR)")
        con.executemany("INSERT INTO place VALUES (?, ?)", [list(place) for place in PLACES])
        return con.execute(
            f"SELECT township, village FROM place AS p {where.where} ORDER BY rowid", where.params
        ).fetchall()


@pytest.mark.parametrize("scope", [Scope(allowed=()), Scope(townships=()), Scope(villages=())])
def test_no_place_at_all_is_nothing_and_not_everything(scope: Scope) -> None:
    """An account without places, as a role or a directory may leave one, sees nobody."""
    assert seen(scope.limit()) == [] and seen(scope.limit(table="p")) == [] and seen(scope.limit_townships()) == []
    assert not scope.whole_county


def test_an_account_without_places_sees_nobody_whatever_it_picks() -> None:
    for picked in (
        Scope(("甲镇",), allowed=()),
        Scope((None,), allowed=()),
        Scope(villages=(("甲镇", "东村"),), allowed=()),
    ):
        assert seen(picked.limit()) == [] and seen(picked.unpicked.limit()) == []


def test_no_limit_is_the_whole_county_and_its_places_unknown() -> None:
    assert seen(Scope().limit()) == PLACES and Scope().whole_county and not Scope().limit().conditions


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (Scope(allowed=(("甲镇", None),)), PLACES[:3]),
        (Scope(allowed=(("甲镇", "东村"),)), PLACES[:1]),
        (Scope(allowed=(("甲镇", "东村"), ("乙镇", None))), [PLACES[0], PLACES[3]]),
        (Scope((None,)), PLACES[4:]),
        (Scope((None,), allowed=(("甲镇", None),)), []),
        (Scope(villages=(("甲镇", None),)), [PLACES[2]]),
        (Scope(("甲镇", "乙镇"), allowed=(("乙镇", None),)), [PLACES[3]]),
    ],
)
def test_what_is_picked_is_seen_within_what_is_allowed(
    scope: Scope, found: list[tuple[str | None, str | None]]
) -> None:
    assert seen(scope.limit()) == found
