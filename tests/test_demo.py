"""The demo's months, made and taken in ahead of the runs by a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.demo import months_ahead
from pipelines.run import Refused, run
from tests.runs import pointer, quiet


def test_a_month_that_was_taken_in_ahead_is_run_and_published(tmp_path: Path) -> None:
    ((order, taken),) = months_ahead(tmp_path / "home", 500, 1)
    summary = run(order, quiet, taken=taken)
    assert pointer(tmp_path / "home")["latest"] == order.period == "2026-11"
    assert summary.counts["rows_read"] > summary.counts["loaded"] > 0
    assert summary.counts["files"] == len(list(order.folder.iterdir()))
    assert [file for file, _ in summary.unusable] == ["值班安排表.csv"]


def test_what_the_other_process_refuses_is_refused_here_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="10 persons are too few"):
        list(months_ahead(tmp_path / "home", 10, 1))
