"""Work side by side on one database: all of it is done, errors are told, and one thread does it one after the other."""

from __future__ import annotations

import threading
from pathlib import Path

import duckdb
import pytest

from pipelines.abreast import abreast, checkpointing


def database(path: Path, threads: int) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": threads})
    con.execute(f"ATTACH '{path}' AS building")
    con.execute("USE building")
    return con


@pytest.mark.parametrize("threads", [1, 2])
def test_every_piece_of_work_is_done_in_the_same_database(tmp_path: Path, threads: int):
    with database(tmp_path / "a.duckdb", threads) as con:
        abreast(con, [lambda own, n=n: own.execute(f"CREATE TABLE t{n} AS SELECT {n} AS n") for n in range(20)])  # type: ignore[misc]
        assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE database_name = 'building'").fetchall() == [
            (20,)
        ]
        assert con.execute("FROM t19").fetchall() == [(19,)]


def test_one_thread_does_the_work_on_the_connection_itself_which_sees_its_temporary_tables(tmp_path: Path):
    seen = list[tuple[str, int]]()

    def look(own: duckdb.DuckDBPyConnection) -> None:
        seen.append((threading.current_thread().name, own.execute("SELECT count(*) FROM mine").fetchall()[0][0]))

    with database(tmp_path / "a.duckdb", 1) as con:
        con.execute("CREATE TEMP TABLE mine AS SELECT 1 AS n")
        abreast(con, [look, look])
    assert seen == [(threading.current_thread().name, 1)] * 2


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_of_one_piece_is_raised(tmp_path: Path, threads: int):
    with database(tmp_path / "a.duckdb", threads) as con, pytest.raises(duckdb.CatalogException, match="nowhere"):
        abreast(con, [lambda own: own.execute("SELECT 1"), lambda own: own.execute("FROM nowhere")])


def test_a_checkpoint_that_is_refused_because_something_is_being_written_leaves_it_to_the_last_one(tmp_path: Path):
    with database(tmp_path / "a.duckdb", 2) as con:
        con.execute("BEGIN")
        con.execute("CREATE TABLE written AS SELECT 1 AS n")
        with checkpointing(con):
            assert con.execute("FROM written").fetchall() == [(1,)]
        con.execute("COMMIT")
        con.execute("CHECKPOINT")
        with pytest.raises(duckdb.CatalogException, match="nowhere"), checkpointing(con):
            con.execute("FROM nowhere")  # an error of the work itself is told
    with duckdb.connect(str(tmp_path / "a.duckdb"), read_only=True) as con:
        assert con.execute("FROM written").fetchall() == [(1,)]


@pytest.mark.parametrize("threads", [1, 2])
def test_what_was_made_before_and_beside_a_checkpoint_is_in_the_file(tmp_path: Path, threads: int):
    with database(tmp_path / "a.duckdb", threads) as con:
        con.execute("CREATE TABLE before AS SELECT * FROM range(300_000)")
        with checkpointing(con):
            con.execute("CREATE TEMP TABLE beside AS SELECT count(*) AS n FROM before")
        con.execute("CREATE TABLE after AS FROM beside")
    with duckdb.connect(str(tmp_path / "a.duckdb"), read_only=True) as con:
        assert con.execute("FROM after").fetchall() == [(300_000,)]
