"""The real server, attacked from outside: its whole surface without a log-in, its sockets, guesses, and what ends a session."""

from __future__ import annotations

import contextlib
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.testing.v1 import AppTest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from monitoring.people import accounts, sessions
from monitoring.store import journal
from monitoring.store.schema import account, session
from monitoring.store.schema import journal as journal_table
from monitoring.warehouse import Warehouse
from tests.ground import HAND, METHODS
from tests.serving import COOKIE, PASSWORD, ROOT, Served, own_home, serving
from tests.stores import new_database

URLS = ["/", "/overview", "/alerts", "/household?household=k1", "/coverage", "/checklist", "/data", "/admin", "/_stcore/health", "/_stcore/host-config",
        "/_stcore/metrics", "/_stcore/stream", "/_stcore/agent/openapi.json", "/_stcore/script-health-check", "/_stcore/upload_file/x/y",
        "/_stcore/bidi-components/x", "/media/x.csv", "/component/x", "/static/js/index.js", "/assets/style.css", "/assets/topo/world_110m.json",
        "/app/static/x", "/auth/login", "/oauth2callback", "/session", "/watch.js", "/password", "/totp", "/logout", "/export/x", "/sheet/1", "/favicon.png",
        "/manifest.json", "/login/", "/login/../app.py", "//overview", "/%2e%2e/app.py", "/login;x", "/index.html"]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_the_surface_without_a_log_in_serves_nothing(served: Served, method: str) -> None:
    bodies = []
    for url in URLS:
        for headers in (
            {},
            {"Accept": "text/html"},
            {"Cookie": f"{COOKIE}=forged"},
            {"X-Buluo-Session": "x", "X-Buluo-Key": "y"},
        ):
            found = served.ask(url, method, headers=headers)
            assert found.status in (303, 400, 401, 405), (url, method, found.status)
            assert found.status != 303 or found.headers["location"].startswith("/login")
            bodies.append(found.body)
    assert len(bodies) == len(URLS) * 4 and set(bodies) <= {b"", b"login required", b"misdirected request"}


def test_what_everybody_may_see_is_the_log_in_and_nothing_of_anybody(served: Served) -> None:
    for path in ("/login", "/login/style.css", "/login/icon.png", "/healthz"):
        found = served.ask(path)
        assert found.status == 200 and len(found.body) < 20_000
    assert served.ask("/login/oidc").status == 404  # no provider is configured
    assert served.ask("/healthz").text == "ok"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Cookie": f"{COOKIE}=forged"}, {"X-Buluo-Session": "x", "X-Buluo-Key": "y"}, {"Origin": "http://evil.example"}, {"Origin": ""},
     {"Host": "evil.example"}, {"Cookie": f"_streamlit_user=x; {COOKIE}="}],
)  # fmt: skip
def test_no_socket_opens_without_a_session(served: Served, headers: dict[str, str]) -> None:
    with pytest.raises((InvalidStatus, ConnectionClosed)), served.socket(None, headers) as visit:
        visit.open()


def test_no_socket_opens_from_another_site_even_with_a_session(served: Served) -> None:
    cookie = served.log_in("leader")
    for origin in ("http://evil.example", f"http://{served.host}.evil.example", "null"):
        with pytest.raises((InvalidStatus, ConnectionClosed)), served.socket(cookie, {"Origin": origin}) as visit:
            visit.open()
    with served.socket(cookie) as visit:
        assert "低收入人口" in visit.open("overview").text()


def test_forged_headers_beside_a_valid_cookie_make_nobody_else(served: Served) -> None:
    leader, administrator = served.log_in("leader"), served.log_in("administrator")
    seen = sessions.by_token(served.store, leader, datetime.now(UTC))
    assert seen is not None
    with served.socket(administrator, {"X-Buluo-Session": seen.public}) as visit:
        text = visit.open().text()
        assert "· 系统管理员" in text and "· 领导" not in text and "低收入人口</div>" not in text


def test_pages_of_another_role_are_not_in_the_menu_and_do_not_open_by_address(served: Served) -> None:
    with served.socket(served.log_in("leader")) as visit:
        pages = visit.open("overview").pages()
        assert "data" not in pages and "admin" not in pages
        assert "隔离行" not in visit.open("data").text()
        assert "操作日志" not in visit.open("admin").text()
    for role, page in (
        ("leader", "data"),
        ("leader", "admin"),
        ("administrator", "household"),
        ("auditor", "overview"),
    ):
        refused = served.ask(f"/{page}", cookie=served.log_in(role), headers={"Accept": "text/html"})
        assert refused.status == 404 and "不在您的职责范围内" in refused.text
    for role in ("administrator", "auditor", "security_officer"):
        with served.socket(served.log_in(role)) as visit:
            for page in ("", "overview", "household", "alerts"):
                assert "低收入人口</div>" not in visit.open(page).text() and "系统" in visit.text()


def test_the_pickers_hold_ones_own_places_only(served: Served, warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select township, village, count(*) from household where village is not null group by all order by 3 desc, 1, 2"
    )
    town, village = rows[0]["township"], rows[0]["village"]
    others = {row["township"] for row in rows} - {town}
    with served.socket(served.log_in("village_staff", [(town, village)])) as visit:
        for query in ("", f"township={next(iter(others))}", f"township={town}&village={village}"):
            text = visit.open("overview", query).text()
            assert village in text and not any(other in text for other in others)


def test_a_streamlit_session_is_not_taken_over_by_somebody_else(served: Served) -> None:
    first, second = served.log_in("leader"), served.log_in("analyst")
    with served.socket(first) as own:
        own.open("overview")
        with served.socket(second, resume=own.session) as other:
            other.open("overview")
            assert other.session != own.session and "分析员" in other.text()


def test_control_messages_and_uploads_do_nothing(served: Served) -> None:
    cookie = served.log_in("leader")
    with served.socket(cookie) as visit:
        visit.open("overview")
        for name in ("clear_cache", "debug_shutdown_runtime", "debug_disconnect_websocket", "set_run_on_save"):
            message = BackMsg()
            setattr(message, name, True)
            visit.send(message)
        assert "低收入人口" in visit.open("overview").text()
    xsrf = served.ask("/_stcore/health", cookie=cookie).cookie("_streamlit_xsrf") or "x"
    told = {"X-Xsrftoken": xsrf, "Cookie": f"_streamlit_xsrf={xsrf}"}
    assert served.ask(f"/_stcore/upload_file/{visit.session}/x", "PUT", cookie, told, body=b"x").status == 404


def test_the_whole_log_in_over_http(served: Served) -> None:
    name = served.account("leader", name="somebody-known")
    found = served.post_log_in(name, PASSWORD)
    assert found.status == 303 and served.ask("/session", cookie=found.cookie(COOKIE)).status == 200
    wrong, unknown = served.post_log_in(name, "wrong"), served.post_log_in("nobody-at-all", "wrong")
    assert wrong.status == unknown.status == 401
    token = re.compile(r'name="token" value="[^"]+"')
    assert token.sub("", wrong.text.replace(name, "")) == token.sub("", unknown.text.replace("nobody-at-all", ""))
    assert served.post_log_in(name, PASSWORD, Origin="http://evil.example").status == 400


def test_a_log_in_ends_the_session_that_the_browser_had(served: Served) -> None:
    name = served.account("leader")
    old = served.log_in("", name=name)
    form = served.ask("/login").cookie(f"{COOKIE}-form") or ""
    told = {"Cookie": f"{COOKIE}-form={form}"}
    found = served.ask("/login", "POST", old, told, {"token": form, "name": name, "password": PASSWORD})
    assert found.status == 303 and found.cookie(COOKIE) not in (None, old)
    assert (
        served.ask("/session", cookie=old).status == 401
        and served.ask("/session", cookie=found.cookie(COOKIE)).status == 200
    )


def test_sixty_guesses_at_once_over_http_try_five(served: Served) -> None:
    name = served.account("leader")
    form = served.ask("/login").cookie(f"{COOKIE}-form") or ""
    told = {"Cookie": f"{COOKIE}-form={form}"}

    def guess(n: int) -> int:
        return served.ask(
            "/login", "POST", headers=told, form={"token": form, "name": name, "password": f"guess {n}"}
        ).status

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(guess, range(60))) <= {401, 429}
    with served.store.read() as con:
        rows = con.execute(
            select(journal_table).where(journal_table.c.who == name, journal_table.c.event == "login.failed")
        ).all()
    assert len(rows) == 5
    assert served.post_log_in(name, PASSWORD).status in (401, 429)  # the right one too


def test_known_and_unknown_names_take_as_long(served: Served) -> None:
    name = served.account("leader", name="timing")
    form = served.ask("/login").cookie(f"{COOKIE}-form") or ""

    def took(who: str) -> float:
        begun = time.perf_counter()
        served.ask(
            "/login",
            "POST",
            headers={"Cookie": f"{COOKIE}-form={form}"},
            form={"token": form, "name": who, "password": "x"},
        )
        return time.perf_counter() - begun

    known, unknown = min(took(name) for _ in range(4)), min(took(f"nobody{n}") for n in range(4))
    assert abs(known - unknown) < 0.5 * max(known, unknown)


@pytest.mark.parametrize("how", ["log out", "disable", "places"])
def test_a_live_page_is_cut_off_within_three_seconds(served: Served, how: str) -> None:
    town = "柳林镇"
    name = served.account("township_staff", [(town, None)])
    cookie = served.log_in("", name=name)
    with served.socket(cookie) as visit:
        visit.open("overview")
        begun = time.monotonic()
        if how == "log out":
            assert sessions.log_out(served.store, cookie, datetime.now(UTC))
        elif how == "disable":
            accounts.disable(served.store, HAND, name, datetime.now(UTC))
        else:
            accounts.set_role(served.store, HAND, name, "township_staff", [("别处", None)], datetime.now(UTC))
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                visit.receive(5)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401
        assert time.monotonic() - begun < 3
    assert served.ask("/session", cookie=cookie).status == 401


def test_a_callback_after_the_session_ended_does_nothing(served: Served) -> None:
    """The click comes before the gate has closed the socket: the service refuses it, since it asks the store."""
    name = served.account("security_officer")
    cookie = served.log_in("", name=name)
    made = served.account("leader", state="pending")
    with served.socket(cookie) as visit:
        visit.open()
        widget = visit.widget("批准")
        with served.store.write() as con:
            con.execute(update(session).where(session.c.account_id == select(account.c.id).where(account.c.name == name).scalar_subquery())
                        .values(ended_at=datetime.now(UTC)))  # fmt: skip
        with contextlib.suppress(ConnectionClosed):  # or the gate was faster
            assert "会话已失效" in visit.set(widget, trigger_value=True).text()
    with served.store.read() as con:
        assert con.execute(select(account.c.state).where(account.c.name == made)).scalar_one() == "pending"


def test_the_script_without_the_gate_shows_nothing(
    published_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another way to start it: the script alone, over data that are there."""
    monkeypatch.setenv("BULUO_HOME", str(own_home(published_home, tmp_path / "home")))
    page = AppTest.from_file(ROOT / "app.py", default_timeout=60).run()
    shown = "".join(element.proto.body for element in page.get("html"))
    assert "会话已失效" in shown and "低收入人口" not in shown


def test_a_server_with_a_dangerous_option_ends_at_once(
    published_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMLIT_CLIENT_SHOW_ERROR_DETAILS", "full")
    with (
        pytest.raises(AssertionError, match=r"client\.showErrorDetails 应为 'none'"),
        serving(own_home(published_home, tmp_path / "home")),
    ):
        pass


def test_killed_and_started_again_the_cookie_is_still_good(published_home: Path, tmp_path: Path) -> None:
    home = own_home(published_home, tmp_path / "home")
    with serving(home, command="uvicorn") as first:
        cookie = first.log_in("leader")
        assert first.ask("/session", cookie=cookie).status == 200
        first.process.kill()
        first.process.wait(10)
    with serving(home, command="uvicorn") as second:
        assert second.ask("/session", cookie=cookie).status == 200
        with second.socket(cookie) as visit:
            assert "低收入人口" in visit.open("overview").text()


def test_on_postgresql_log_in_page_and_cut_off_are_the_same(
    published_home: Path, tmp_path: Path, postgres: str
) -> None:
    with serving(own_home(published_home, tmp_path / "home"), url=new_database(postgres)) as running:
        name = running.account("leader")
        cookie = running.post_log_in(name, PASSWORD).cookie(COOKIE)
        with running.socket(cookie) as visit:
            assert "低收入人口" in visit.open("overview").text()
            accounts.disable(running.store, HAND, name, datetime.now(UTC))
            with pytest.raises(ConnectionClosed):
                while True:
                    visit.receive(5)
        assert running.ask("/session", cookie=cookie).status == 401
        assert journal.problems(running.store) == []


def test_what_was_denied_stands_in_the_journal_and_the_chain_holds(served: Served) -> None:
    served.ask("/somewhere")
    time.sleep(0.3)
    with served.store.read() as con:
        rows = con.execute(select(journal_table).where(journal_table.c.event == "gate.denied")).all()
    assert rows and len(rows) < 40
    assert journal.problems(served.store) == []


def test_no_traceback_and_no_number_of_a_person_in_the_servers_log(served: Served) -> None:
    text = served.log.read_text("utf-8", "replace")
    assert "Traceback" not in text and not re.search(r"\b[1-9][0-9]{16}[0-9Xx]\b", text)
