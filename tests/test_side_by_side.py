"""Files of an inbox that are read beside each other: each once, never more at a time than there is room for."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.correcting import CORRECTION
from monitoring.feeds import load_feeds
from pipelines.run import intake
from pipelines.run.side_by_side import side_by_side

WORKERS = 3
BESIDE = 0.005  # seconds that a file takes: long enough for others to be begun beside it
SAMPLE = Path(__file__).parents[1] / "data" / "sample"


def read_all(sizes: Sequence[int], room: int, workers: int = WORKERS) -> tuple[list[int], list[list[int]]]:
    """The files in the order in which they ended, and which were under way whenever one was begun."""
    under_way, seen, lock = set[int](), list[list[int]](), threading.Lock()

    def work(place: int) -> int:
        with lock:
            under_way.add(place)
            seen.append(sorted(under_way))
        time.sleep(BESIDE)
        with lock:
            under_way.remove(place)
        return sizes[place]

    ended = list(side_by_side(work, sizes, workers, room))
    assert all(sizes[place] == done for place, done in ended)
    return [place for place, _ in ended], seen


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 100), max_size=8), st.integers(0, 150), st.integers(1, 4))
def test_every_file_is_read_once_and_together_they_are_never_more_than_there_is_room_for(
    sizes: list[int], room: int, workers: int
):
    ended, seen = read_all(sizes, room, workers)
    assert sorted(ended) == list(range(len(sizes)))
    for together in seen:
        assert len(together) <= workers
        assert len(together) == 1 or sum(sizes[place] for place in together) <= room


def test_the_largest_file_is_begun_first_with_the_smallest_beside_it():
    begun, go = list[int](), threading.Event()

    def work(place: int) -> None:
        begun.append(place)
        if len(begun) == WORKERS:
            go.set()
        assert go.wait(10)

    assert sorted(place for place, _ in side_by_side(work, [5, 900, 40, 1, 300], WORKERS, 10_000)) == [0, 1, 2, 3, 4]
    assert sorted(begun[:WORKERS]) == [1, 3, 4]


def test_a_file_larger_than_the_room_is_read_alone():
    ended, seen = read_all([10, 900, 20], 100)
    assert sorted(ended) == [0, 1, 2]
    assert [together for together in seen if 1 in together] == [[1]]


def test_an_error_is_raised_after_the_files_under_way_have_ended():
    begun, ended = threading.Event(), list[int]()

    def work(place: int) -> int:
        if place == 2:
            assert begun.wait(10)
            raise ValueError("unreadable")
        begun.set()
        time.sleep(20 * BESIDE)
        ended.append(place)
        return place

    with pytest.raises(ValueError, match="unreadable"):
        list(side_by_side(work, [1, 2, 3], WORKERS, 100))
    assert 0 in ended


def delivered(inbox: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, pl.DataFrame], int]:
    """The tables of a delivery, and how many parts waited on disk meanwhile."""
    laid, lay_by = list[Path](), intake.Collector.lay_by

    def counted(self: intake.Collector, file: intake.Conforming, name: str) -> intake.Conforming:
        done = lay_by(self, file, name)
        laid.extend(path for path in done.waiting.values() if path.exists())
        return done

    folder.mkdir()
    with monkeypatch.context() as watched:
        watched.setattr(intake.Collector, "lay_by", counted)
        intake.receive(inbox, load_feeds(folder / "none"), folder, lambda *_: None)
    return {path.name: pl.read_parquet(path) for path in folder.iterdir()}, len(laid)


def test_rows_that_memory_has_no_room_for_wait_on_disk_and_the_delivery_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    inbox = shutil.copytree(SAMPLE / "2026-11", tmp_path / "inbox")
    (inbox / "更正.csv").write_text(
        f"姓名,身份证号,死亡日期,{CORRECTION}\n王一,500999193001010017,2026-10-01,G0123456789AB\n", encoding="utf-8"
    )
    held, in_memory = delivered(inbox, tmp_path / "held", monkeypatch)
    monkeypatch.setattr(intake, "HELD_CELLS", 0)
    monkeypatch.setattr(intake, "SMALL_ROWS", 0)
    waited, on_disk = delivered(inbox, tmp_path / "waited", monkeypatch)
    assert in_memory == 0 and on_disk > 20
    assert held.keys() == waited.keys() and not any("waiting" in name for name in waited)
    assert all(held[name].equals(waited[name]) for name in held)
    assert waited["correction.ledger.parquet"]["key"].to_list() == ["G0123456789AB"]
