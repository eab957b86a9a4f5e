"""Uploads and runs from the page: names and contents that harm nobody, a run that outlives the page, two runs refused."""

from __future__ import annotations

import io
import json
import os
import signal
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from monitoring.desk import runs
from monitoring.desk.runs import NotBegun, Progress, begin_run, progress, state_file, write_state
from monitoring.desk.uploads import LARGEST, NotTaken, clean_name, inbox, periods_for, problem_of, take_files
from monitoring.gate import form_token
from monitoring.people import Denied
from monitoring.store import Store, open_store
from monitoring.store.schema import journal
from monitoring.warehouse import publication
from pipelines.run import only_run
from tests.people import Known, add_account
from tests.serving import Served
from tests.stores import NOON
from tests.test_corrections import REGISTRY

PERIOD = "2026-11"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Store, Known]]:
    store = open_store(tmp_path / "home")
    yield store, add_account(store, "county_staff", person="周敏")
    store.close()


def book(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in {"xl/workbook.xml": b"<w/>", **parts}.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"), ("C:\\台账\\低保.XLSX", "低保.xlsx"), (".隐藏.csv", "隐藏.csv"), ("~$低保.xlsx", "低保.xlsx"), ("a\x00b\n.csv", "ab.csv"),
        ("低保\u202excod.csv", "低保xcod.csv"), ("", "文件"), ("..", "文件"), ("长" * 300 + ".csv", "长" * 100 + ".csv"), ("低保（11月）.csv", "低保（11月）.csv"),
    ],
)  # fmt: skip
def test_a_name_is_a_plain_name(name: str, clean: str) -> None:
    assert clean_name(name) == clean


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.csv", "姓名,证件号码\n".encode(), ""), ("a.csv", "姓名".encode("gb18030"), ""), ("a.csv", "姓名".encode("utf-16"), ""), ("a.xlsx", book(), ""),
        ("a.xls", b"<html><table>", "内容与后缀不符"), ("a.xls", "姓名\t号码\n".encode(), ""), ("a.xls", bytes.fromhex("D0CF11E0A1B11AE1") + b"x", ""),
        ("a.exe", b"MZ", "只收"), ("a.csv", b"", "空的"), ("a.csv", book(), "与后缀不符"), ("a.xlsx", "姓名".encode(), "与后缀不符"), ("a.csv", b"MZ\x00\x00", "与后缀不符"),
        ("a.xlsx", book(**{"xl/vbaProject.bin": b"x"}), "宏"), ("a.xlsx", book()[:-30], "损坏"), ("a.zip", book(), "只收"),
    ],
)  # fmt: skip
def test_a_files_content_decides_what_it_is(name: str, content: bytes, problem: str) -> None:
    found = problem_of(name, io.BytesIO(content))
    assert (problem in found) if problem else found == ""


def test_files_lie_in_the_inbox_whole_and_nothing_is_replaced(desk: tuple[Store, Known]) -> None:
    store, county = desk
    home = store.home
    one, other = ("低保.csv", io.BytesIO(b"a,b\n")), ("低保.csv", io.BytesIO(b"c,d\n"))
    assert take_files(store, county, home, PERIOD, [one], NOON) == ["低保.csv"]
    assert take_files(store, county, home, PERIOD, [other, one], NOON) == ["低保 (2).csv", "低保.csv"]
    assert [(f.name, f.bytes) for f in inbox(store, county, home, PERIOD, NOON)] == [
        ("低保 (2).csv", 4),
        ("低保.csv", 4),
    ]
    with pytest.raises(NotTaken, match="坏"):
        take_files(store, county, home, PERIOD, [("好.csv", io.BytesIO(b"x")), ("坏.exe", io.BytesIO(b"x"))], NOON)
    for period in ("../2026-11", "2026-13", "2026-11\n", ""):
        with pytest.raises(NotTaken):
            take_files(store, county, home, period, [one], NOON)
    for role in ("analyst", "leader", "administrator"):
        with pytest.raises(Denied):
            take_files(store, add_account(store, role), home, PERIOD, [("新.csv", io.BytesIO(b"x"))], NOON)
    assert sorted(path.name for path in (home / "inbox").rglob("*.*")) == ["低保 (2).csv", "低保.csv"]
    with store.read() as con:
        told = con.execute(
            select(journal.c.who, journal.c.detail).where(journal.c.event == "file.upload", journal.c.result == "ok")
        ).all()
    assert len(told) == 3 and told[0].who == county.name and "sha256" in str(told[0].detail)


def test_the_next_period_comes_first() -> None:
    assert (periods_for("2026-11"), periods_for("2026-12")) == (["2026-12", "2026-11"], ["2027-01", "2026-12"])


def ended(store: Store, county: Known) -> Progress:
    for _ in range(600):
        found = progress(store, county, store.home, NOON)
        assert found is not None
        if found.state != "running":
            return found
        time.sleep(0.1)
    raise AssertionError("the run did not end")


def test_a_run_from_the_page_publishes_and_a_second_one_is_refused(desk: tuple[Store, Known]) -> None:
    store, county = desk
    home = store.home
    assert progress(store, county, home, NOON) is None
    take_files(store, county, home, PERIOD, [("农户台账.csv", io.BytesIO(REGISTRY.encode()))], NOON)
    begin_run(store, county, home, PERIOD, "national-2020", False, NOON)
    with pytest.raises(NotBegun, match="已有一次运行"):
        begin_run(store, county, home, PERIOD, "national-2020", False, NOON)
    found = ended(store, county)
    assert (found.state, found.period, found.by) == ("done", PERIOD, "周敏") and "隔离 2" in found.words, found
    assert publication(home).latest == PERIOD
    with pytest.raises(Denied):
        begin_run(store, add_account(store, "analyst"), home, PERIOD, "national-2020", False, NOON)
    with only_run(home):  # another run that was begun elsewhere
        begin_run(store, county, home, PERIOD, "national-2020", False, NOON)
        found = ended(store, county)
    assert found.state == "refused" and "另一次运行正在使用" in found.words


@pytest.mark.parametrize("pid", [1, os.getpid()], ids=["of another user", "of this process"])
def test_a_run_that_died_without_a_word_is_told_as_failed_whoever_has_its_number_now(
    desk: tuple[Store, Known], pid: int
) -> None:
    store, county = desk
    (store.home / "runs").mkdir()
    write_state(state_file(store.home), {"state": "running", "period": PERIOD, "by": "周敏", "pid": pid})
    found = progress(store, county, store.home, NOON)
    assert found is not None and found.state == "failed" and "没有变" in found.words
    state_file(store.home).write_text("{torn", encoding="utf-8")
    assert progress(store, county, store.home, NOON) is None


def test_a_run_that_is_killed_makes_room_for_the_next(desk: tuple[Store, Known]) -> None:
    store, county = desk
    take_files(store, county, store.home, PERIOD, [("农户台账.csv", io.BytesIO(REGISTRY.encode()))], NOON)
    begin_run(store, county, store.home, PERIOD, "national-2020", False, NOON)
    os.kill(runs._BEGUN[-1].pid, signal.SIGKILL)
    found = ended(store, county)
    assert found.state == "failed" and "运行中断" in found.words
    begin_run(store, county, store.home, PERIOD, "national-2020", False, NOON)
    assert ended(store, county).state == "done"


def test_a_run_goes_on_for_a_page_that_did_not_begin_it(
    desk: tuple[Store, Known], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, county = desk
    take_files(store, county, store.home, PERIOD, [("农户台账.csv", io.BytesIO(REGISTRY.encode()))], NOON)
    begin_run(store, county, store.home, PERIOD, "national-2020", False, NOON)
    begun = list(runs._BEGUN)
    monkeypatch.setattr(runs, "_BEGUN", [])  # as after a restart of the dashboard
    found = progress(store, county, store.home, NOON)
    assert found is not None and found.state == "running"
    assert ended(store, county).state == "done"
    assert begun[0].wait(30) == 1  # with something to look at


def multipart(token: str, name: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    edge = "edge7f"
    body = (
        f'--{edge}\r\nContent-Disposition: form-data; name="token"\r\n\r\n{token}\r\n--{edge}\r\nContent-Disposition: form-data; name="files"; '
        f'filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
    ).encode() + content + f"\r\n--{edge}--\r\n".encode()  # fmt: skip
    return body, {"Content-Type": f"multipart/form-data; boundary={edge}"}


def test_the_gate_takes_files_of_its_own_form_only(served: Served) -> None:
    cookie = served.log_in("county_staff")
    with served.store.read() as con:
        from monitoring.store.schema import session

        public = con.execute(select(session.c.public).order_by(session.c.created_at.desc())).scalars().first()
    token = form_token(served.store, public or "")
    road, folder = "/upload/2031-01", served.home / "inbox" / "2031-01"

    def send(token: str, cookie: str | None = cookie, content: bytes = b"a,b\n", name: str = "../登记.csv") -> int:
        body, headers = multipart(token, name, content)
        return served.ask(road, "POST", cookie=cookie, headers={**headers, "Origin": served.address}, body=body).status

    assert send("0" * 32) == 403 and send("") == 403
    assert send(token, cookie=None) in (303, 401, 403)
    assert send(token, name="a.exe") == 400
    assert not folder.exists()
    assert send(token) == 303 and [path.name for path in folder.iterdir()] == ["登记.csv"]
    too_long = served.ask(
        road,
        "POST",
        cookie=cookie,
        headers={
            "Content-Length": str(LARGEST + 1),
            "Origin": served.address,
            "Content-Type": "multipart/form-data; boundary=x",
        },
        body=b"",
    )
    assert too_long.status == 413
    other = {**multipart(token, "b.csv", b"x")[1], "Origin": "http://elsewhere.example"}
    assert served.ask(road, "POST", cookie=cookie, headers=other, body=multipart(token, "b.csv", b"x")[0]).status in (
        400,
        403,
    )
    assert json.dumps(sorted(path.name for path in folder.iterdir()), ensure_ascii=False) == '["登记.csv"]'
