"""Decisions about links in runs: what a person decided is linked, ruled out or merged in every later run, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs import Tables, number, query, run_quietly, small_county, write_feeds

NAME = "赵一甲镇"
ONE, TWO = number("19700101", 5001), number("19700101", 5003)  # two men of one name in one village


def county() -> Tables:
    """Two men of one name in 甲东村, and on the dibao ledger a row of that name there without a number; one man twice."""
    feeds = small_county(6)
    feeds["registry"] = [row for row in feeds["registry"] if row["姓名"] != NAME]
    home = {"与户主关系": "户主", "姓名": NAME, "乡镇": "甲镇", "村": "甲东村", "户籍类型": "农村"}
    feeds["registry"] += [{"户编号": "H901", "证件号码": ONE, **home}, {"户编号": "H902", "证件号码": TWO, **home}]
    feeds["dibao"].append({
        "救助证编号": "D900", "姓名": NAME, "与户主关系": "户主", "家庭月人均收入": "300", "户月保障金额": "400", "享受起始日期": "2024-01-01",
        "最近复核日期": "2026-10-10", "类别": "B", "乡镇": "甲镇", "村": "甲东村",
    })  # fmt: skip
    return feeds


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str, str, tuple[int, int]]:
    """A home with one run, its inbox, the run's id, the waiting row's key, and the two men."""
    folder = tmp_path_factory.mktemp("links")
    inbox = write_feeds(county(), folder / "inbox")
    summary = run_quietly(folder / "home", "2026-11", inbox)
    ((key, candidates),) = query(folder / "home", "2026-11", "select key, candidate_ids from link_review")
    a, b = sorted(int(one) for one in candidates.split(","))
    return folder / "home", inbox, summary.run_id, key, (a, b)


def undecided(home: Path, period: str = "2026-11") -> list[tuple[str, str | None]]:
    return query(home, period, "select reason, candidate_ids from link_review")


def dq_link(home: Path, period: str = "2026-11") -> int:
    return int(query(home, period, "select count(*) from signal where rule = 'DQ-LINK'")[0][0])


def person_of_row(home: Path, period: str = "2026-11") -> tuple[int | None, str | None]:
    """Whom the dibao row was put to, and by which step."""
    found = query(home, period, """select s.person_id, l.step from std_dibao s
        left join link l on l.feed = 'dibao' and l.delivered = s.delivered and l.part = s.part and l.row = s.row
        where s.certificate = 'D900'""")  # fmt: skip
    return found[0][0], found[0][1]


def test_without_a_decision_several_candidates_wait(first: tuple[Path, Path, str, str, tuple[int, int]]) -> None:
    home, _, _, _, (a, b) = first
    assert [set((ids or "").split(",")) for _, ids in undecided(home)] == [{str(a), str(b)}]
    assert dq_link(home) == 1 and person_of_row(home) == (None, None)


def test_a_decision_links_the_row_and_ends_its_signal(
    first: tuple[Path, Path, str, str, tuple[int, int]],
) -> None:
    home, inbox, _, key, (_, b) = first
    decided = (("row", key, str(b), "same"),)
    run_quietly(home, "2026-11", inbox, decisions=decided)
    assert person_of_row(home) == (b, "decided") and undecided(home) == [] and dq_link(home) == 0
    assert query(home, "2026-11", "from link_decision") == [decided[0]]


def test_the_same_words_in_a_later_delivery_need_no_second_decision(
    first: tuple[Path, Path, str, str, tuple[int, int]], tmp_path: Path
) -> None:
    home, _, _, key, (a, _) = first
    later = county()
    later["dibao"].insert(0, {**later["dibao"][-1], "家庭月人均收入": "310"})  # its other columns are not who it is
    later["dibao"].pop()
    run_quietly(home, "2026-12", write_feeds(later, tmp_path / "inbox"), decisions=(("row", key, str(a), "same"),))
    assert person_of_row(home, "2026-12") == (a, "decided") and undecided(home, "2026-12") == []


def test_whom_a_person_ruled_out_is_no_candidate_and_the_last_one_left_is_not_taken_for_certain(
    first: tuple[Path, Path, str, str, tuple[int, int]],
) -> None:
    home, inbox, _, key, (a, b) = first
    run_quietly(home, "2026-11", inbox, decisions=(("row", key, str(a), "different"),))
    assert [ids for _, ids in undecided(home)] == [str(b)] and dq_link(home) == 1


def test_a_row_that_is_none_of_them_becomes_a_new_person(first: tuple[Path, Path, str, str, tuple[int, int]]) -> None:
    home, inbox, _, key, (a, b) = first
    run_quietly(home, "2026-11", inbox, decisions=(("row", key, "", "different"),))
    person, step = person_of_row(home)
    assert step == "new" and person not in (a, b) and dq_link(home) == 0


def test_one_person_with_two_numbers_is_one_from_then_on_and_both_numbers_stay(
    first: tuple[Path, Path, str, str, tuple[int, int]],
) -> None:
    home, inbox, _, key, (a, b) = first
    before = run_quietly(home, "2026-11", inbox).counts["persons"]
    merged = run_quietly(home, "2026-11", inbox, decisions=(("person", str(a), str(b), "same"),))
    assert merged.counts["persons"] == before - 1
    rows = query(
        home, "2026-11", "select number, person_id from std_registry where household_number in ('H901', 'H902')"
    )
    assert sorted(rows) == sorted([(ONE, min(a, b)), (TWO, min(a, b))])
    # In two registry households: counted in both and reported; and now the dibao row has one candidate by name and village.
    two = query(home, "2026-11", "select person_id from signal where rule = 'DQ-TWO-HOUSEHOLDS'")
    assert two == [(min(a, b),)] and [ids for _, ids in undecided(home)] == [str(min(a, b))]
    decided = (("person", str(a), str(b), "same"), ("row", key, str(max(a, b)), "same"))
    run_quietly(home, "2026-11", inbox, decisions=decided)
    assert person_of_row(home) == (min(a, b), "decided")


def test_two_who_are_not_one_a_household_and_somebody_whom_no_row_knows_change_nothing(
    first: tuple[Path, Path, str, str, tuple[int, int]],
) -> None:
    home, inbox, _, key, (a, b) = first
    plain = run_quietly(home, "2026-11", inbox)
    signals = query(home, "2026-11", "select rule, person_id, household_id from signal order by all")
    same = run_quietly(home, "2026-11", inbox, decisions=(
        ("household", "H901", "H902", "same"), ("person", str(a), str(b), "different"), ("row", key, "17", "same")))  # fmt: skip
    assert same.counts == plain.counts
    assert query(home, "2026-11", "select rule, person_id, household_id from signal order by all") == signals
