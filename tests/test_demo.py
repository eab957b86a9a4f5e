"""The demo: months made and taken in ahead of the runs, worked and learnt from beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from monitoring.store import open_store
from pipelines import demo_months
from pipelines.demo import months_ahead
from pipelines.demo_training import begin, said, start
from pipelines.run import Refused, run
from tests.runs import pointer, quiet
from tests.stores import NOON


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


def test_months_are_run_and_worked_and_a_model_is_tried_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo_months, "MODEL_AGE", 1)
    monkeypatch.setattr(demo_months, "MONTHS", 2)
    home = tmp_path / "home"
    demo_months.write_settings(home)
    store = open_store(home)
    try:
        summary, team = demo_months.go_through(store, home, 500, 2, NOON, Console(width=200))
        assert summary is not None and summary.period == pointer(home)["latest"] == "2026-11"
        assert team is not None and team.known and team.refused == []
    finally:
        store.close()
    told = capsys.readouterr().out.splitlines()
    assert [line[:6] for line in told] == ["  1/2 ", "  模型不用", "  2/2 "]


def test_the_training_process_says_why_there_is_no_model_and_what_breaks_it_is_raised(tmp_path: Path) -> None:
    training = start(tmp_path / "empty", NOON)
    begin(training, "2026-11")
    assert said(training).startswith("  没有训练模型：")
    (tmp_path / "broken" / "cases.sqlite").mkdir(parents=True)
    broken = start(tmp_path / "broken", NOON)
    begin(broken, "2026-11")
    with pytest.raises(RuntimeError, match="训练模型的进程中断（代码 1）"):
        said(broken)
    killed = start(tmp_path / "empty", NOON)
    killed.kill()
    with pytest.raises(RuntimeError, match="训练模型的进程中断（代码 -9）"):
        begin(killed, "2026-11")
