"""The gate, attacked over a stand-in for Streamlit: nothing passes without a session, its end is felt everywhere, denials are journalled."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from streamlit.proto.BackMsg_pb2 import BackMsg

from monitoring import ui
from monitoring.gate import Frame, caller_of, is_gated, wrong_options
from monitoring.gate.checking import AT_MOST, OPTIONS
from monitoring.gate.counting import Tally
from monitoring.language import Language
from monitoring.people import PAGES, Caller, accounts, downloads, reading, sessions, totp
from monitoring.people.accounts import AccountError
from monitoring.people.callers import ABSOLUTE, IDLE, who
from monitoring.people.sessions import CHANGE, ENROL, TOTP
from monitoring.people.settings import Security
from monitoring.store import Store, journal
from monitoring.store.journal import Entry
from monitoring.store.schema import account, session
from monitoring.store.schema import journal as journal_table
from tests.ground import GOOD, HAND, METHODS, PAGE, SECOND, Ground, dial, in_a_loop, played
from tests.serving import COOKIE
from tests.stores import NOON

CHINESE = re.compile("[\u3400-\u9fff]")


@pytest.fixture
def ground(sqlite_store: Store) -> Ground:
    return Ground(sqlite_store)


def test_without_a_session_nothing_reaches_what_is_behind(ground: Ground) -> None:
    paths = ["/", "/overview", "/media/list.csv", "/_stcore/stream", "/_stcore/health", "/session", "/password", "/totp", "/logout",
             "/export/x", "/sheet/7", "/watch.js", "/static/js/index.js", "/assets/style.css", "/LOGIN", "/login/", "/login/../", "/login/x",
             "//login", "/healthz/", "/login%2f..", "/favicon.ico"]  # fmt: skip
    for path in paths:
        for method in METHODS:
            for cookie in (None, "", "x", "a" * 5000):
                assert ground.ask(path, method, cookie).status in (401, 303, 400), (path, method)
    assert ground.reached == []


def test_pages_lead_to_the_log_in_and_know_the_way_back(ground: Ground) -> None:
    found = ground.ask("/alerts?level=red&lang=en", headers=PAGE)
    assert found.status == 303
    assert found.headers["location"] == "/login?next=%2Falerts%3Flevel%3Dred%26lang%3Den&lang=en"
    assert ground.ask("/", headers=PAGE).headers["location"] == "/login"


def test_with_a_session_requests_pass_and_say_who_it_is_only_to_the_socket(ground: Ground) -> None:
    cookie = ground.log_in()
    forged = {"X-Buluo-Session": "forged", "x-buluo-key": "forged", "X-BULUO-ADDRESS": "forged"}
    assert ground.ask("/anything", cookie=cookie, headers=forged).text == "inside"
    assert not any(name.startswith("x-buluo") for name in ground.reached[0]["headers"])


@pytest.mark.parametrize("stage", [CHANGE, TOTP, ENROL])
def test_a_log_in_that_is_halfway_opens_its_own_form_only(ground: Ground, stage: str) -> None:
    cookie = ground.log_in()
    with ground.store.write() as con:
        con.execute(update(session).values(stage=stage))
    form = "/password" if stage == CHANGE else "/totp"
    for path in ("/", "/export/x", "/sheet/7", "/_stcore/health", "/session", "/watch.js"):
        assert ground.ask(path, cookie=cookie).status == 401
        assert ground.ask(path, cookie=cookie, headers=PAGE).headers["location"].startswith(form)
    if stage != TOTP:
        assert ground.ask(form, cookie=cookie).status == 200
    assert ground.reached == []


def test_idle_and_absolute_time_out_by_the_clock(ground: Ground) -> None:
    cookie = ground.log_in()
    ground.clock.at = NOON + IDLE - SECOND
    assert ground.ask("/x", cookie=cookie).status == 200
    ground.clock.at = NOON + IDLE
    found = ground.ask("/x", cookie=cookie, headers=PAGE)
    assert found.status == 303 and "why=over" in found.headers["location"]
    assert "会话已失效" in ground.ask("/login?why=over").text
    with ground.store.write() as con:
        con.execute(update(session).values(seen_at=NOON + ABSOLUTE - SECOND))
    ground.clock.at = NOON + ABSOLUTE - SECOND
    assert ground.ask("/x", cookie=cookie).status == 200
    ground.clock.at = NOON + ABSOLUTE
    assert ground.ask("/x", cookie=cookie).status == 401


def test_where_the_store_cannot_be_asked_nothing_is_served(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    cookie = ground.log_in()

    def broken(*_: Any) -> None:
        raise OperationalError("select", {}, Exception("gone"))

    monkeypatch.setattr(sessions, "by_token", broken)
    assert ground.ask("/x", cookie=cookie).status == 503 and ground.reached == []


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1:99999999", "127.0.0.1@evil", "evil:8501"]
)
def test_other_hosts_are_refused(ground: Ground, host: str) -> None:
    cookie = ground.log_in()
    for path in ("/x", "/login"):
        assert ground.ask(path, cookie=cookie, headers={"Host": host}).status == 400
    assert ground.reached == []


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://127.0.0.1:8501.evil.example"]
)
def test_requests_of_other_sites_are_refused(ground: Ground, origin: str) -> None:
    cookie = ground.log_in()
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert ground.ask("/x", method, cookie, headers={"Origin": origin}).status == 400
    assert ground.enter("zhang", GOOD, Origin=origin).status == 400
    assert ground.ask("/x", "POST", cookie, headers={"Origin": "http://127.0.0.1:8501"}).status == 200


def test_clear_text_is_not_spoken_off_this_machine(ground: Ground) -> None:
    cookie = ground.log_in()
    for server in (("10.0.0.5", 8501), ("::ffff:10.0.0.5", 8501), ("monitor", 8501)):
        assert ground.ask("/x", cookie=cookie, server=server).status == 400
        assert ground.ask("/login", server=server).status == 400
    for own in (("::1", 8501), ("/run/buluo.sock", None), None):
        assert ground.ask("/x", cookie=cookie, server=own).status == 200
    guarded = Ground(ground.store, Security(level=2, tls=True, hosts=("127.0.0.1",)))
    assert guarded.ask("/login", server=("10.0.0.5", 8501)).status == 200


@pytest.mark.parametrize(
    "path",
    ["/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/script-health-check", "/_stcore/upload_file/a/b", "/_stcore", "/_stcore/x",
     "/auth/login", "/auth/logout", "/oauth2callback", "/app/static/x"],
)  # fmt: skip
def test_hidden_endpoints_are_hidden_from_those_inside_too(ground: Ground, path: str) -> None:
    cookie = ground.log_in()
    for method in METHODS:
        assert ground.ask(path, method, cookie).status == 404
    assert ground.reached == []


def test_a_file_with_a_name_does_not_leave_by_streamlits_road(ground: Ground) -> None:
    found = ground.ask("/media/list.csv", cookie=ground.log_in())
    assert found.status == 403 and found.body == b"" and "content-disposition" not in found.headers


def test_every_answer_has_the_security_headers_and_is_not_stored(ground: Ground) -> None:
    cookie = ground.log_in()
    for path in ("/x", "/login", "/healthz", "/export/none", "/sheet/7", "/password", "/media/list.csv", "/nowhere"):
        found = ground.ask(path, cookie=cookie)
        assert found.headers["x-content-type-options"] == "nosniff", path
        assert found.headers["referrer-policy"] == "same-origin"
        assert found.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in found.headers["content-security-policy"]
        assert "unsafe-eval'" not in found.headers["content-security-policy"].replace("wasm-unsafe-eval", "")
    refused = ground.ask("/x")
    assert refused.status == 401 and refused.headers["cache-control"] == "no-store"
    assert ground.ask("/static/js/a.js", cookie=cookie).headers["cache-control"] == "public"


def test_own_pages_have_no_script_and_may_load_none(ground: Ground) -> None:
    cookie = ground.log_in()
    for path in ("/login", "/login?lang=en", "/password", "/logout", "/export/none", "/sheet/7"):
        found = ground.ask(path, cookie=cookie)
        assert "<script" not in found.text and "default-src 'none'" in found.headers["content-security-policy"]


def test_the_page_gets_the_script_that_watches_over_its_session(ground: Ground) -> None:
    found = ground.ask(
        "/page", cookie=ground.log_in(), headers={**PAGE, "Accept-Encoding": "gzip", "If-None-Match": "x"}
    )
    assert '<script src="/watch.js"></script>' in found.text and int(found.headers["content-length"]) == len(found.body)
    policy = found.headers["content-security-policy"]
    assert re.search(r"script-src 'self' 'sha256-[A-Za-z0-9+/]{43}=' 'wasm-unsafe-eval'", policy)
    assert "connect-src 'self' ws://127.0.0.1:8501 wss://127.0.0.1:8501;" in policy
    passed = ground.reached[-1]["headers"]
    assert "accept-encoding" not in passed and "if-none-match" not in passed


def test_behind_tls_cookies_are_bound_to_host_and_https(sqlite_store: Store) -> None:
    ground = Ground(sqlite_store, Security(level=2, tls=True))
    first = accounts.add(sqlite_store, HAND, "li", "李四", "leader", [], NOON)
    form = ground.ask("/login")
    assert all("Secure" in line and "HttpOnly" in line and line.startswith("__Host-") for line in form.cookies)
    token = form.cookie("__Host-buluo-form") or ""
    found = ground.ask("/login", "POST", headers={"Cookie": f"__Host-buluo-form={token}"},
                       form={"token": token, "name": "li", "password": first})  # fmt: skip
    line = next(line for line in found.cookies if line.startswith("__Host-buluo="))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(line.split("; ")) and "Domain" not in line
    assert found.headers["strict-transport-security"].startswith("max-age=31536000")


# --- the forms


def test_the_log_in_form_logs_in_and_goes_where_the_person_wanted(ground: Ground) -> None:
    ground.log_in()
    first, _ = accounts.reset_password(ground.store, HAND, "zhang", NOON)
    with ground.store.write() as con:
        con.execute(update(account).values(must_change=False))
    form = ground.ask("/login?next=/alerts")
    token = form.cookie(f"{COOKIE}-form") or ""
    assert f'value="{token}"' in form.text
    found = ground.ask("/login?next=/alerts", "POST", headers={"Cookie": f"{COOKIE}-form={token}"},
                       form={"token": token, "name": "zhang", "password": first})  # fmt: skip
    assert (found.status, found.headers["location"]) == (303, "/alerts")
    assert ground.ask("/x", cookie=found.cookie(COOKIE)).status == 200


@pytest.mark.parametrize(
    "next", ["//evil.example", "https://evil.example", "/\\evil.example", "\\/evil", "/\t/evil", "javascript:alert(1)", "/logout", "/login", "", "/a\r\nSet-Cookie: x=1"],
)  # fmt: skip
def test_nobody_is_led_off_the_site(ground: Ground, next: str) -> None:
    from monitoring.gate.routes import _safe

    assert _safe(next) == "/"


def test_a_form_without_our_token_is_refused(ground: Ground) -> None:
    token = ground.ask("/login").cookie(f"{COOKIE}-form") or ""
    good = {"token": token, "name": "zhang", "password": GOOD}
    for headers, form in (
        ({}, good),
        ({"Cookie": f"{COOKIE}-form={token}"}, {**good, "token": "x"}),
        ({"Cookie": f"{COOKIE}-form={token}"}, {"name": "zhang", "password": GOOD}),
        ({"Cookie": f"{COOKIE}-form="}, {**good, "token": ""}),
        ({"Cookie": f"{COOKIE}-form={token}"}, {**good, "password": "x" * 20_000}),
    ):
        assert ground.ask("/login", "POST", headers=headers, form=form).status == 403
    cookie = ground.log_in()
    for path in ("/logout", "/password"):
        assert (
            ground.ask(path, "POST", cookie, form={"token": "x", "old": GOOD, "new": GOOD, "again": GOOD}).status == 403
        )
    assert ground.ask("/x", cookie=cookie).status == 200


def own_token(ground: Ground, path: str, cookie: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', ground.ask(path, cookie=cookie).text)
    assert found
    return found[1]


def test_logging_out_needs_a_post_and_ends_the_session(ground: Ground) -> None:
    cookie = ground.log_in()
    token = own_token(ground, "/logout", cookie)
    assert ground.ask("/x", cookie=cookie).status == 200  # a mere link logs nobody out
    found = ground.ask("/logout", "POST", cookie, form={"token": token})
    assert found.status == 303 and "storage" in found.headers["clear-site-data"]
    assert ground.ask("/x", cookie=cookie).status == 401


def test_changing_the_password_through_the_form(ground: Ground) -> None:
    cookie = ground.log_in()
    first, _ = accounts.reset_password(ground.store, HAND, "zhang", NOON)
    found = ground.enter("zhang", first)
    assert found.headers["location"] == "/password"
    cookie = found.cookie(COOKIE) or ""
    token = own_token(ground, "/password", cookie)
    for new, again, said in (
        ("Kp7-fjord_Mx", "other", "不一样"),
        ("abc", "abc", "至少 8 位"),
        ("Zhang-2026", "Zhang-2026", "账号或姓名"),
    ):
        refused = ground.ask(
            "/password", "POST", cookie, form={"token": token, "old": first, "new": new, "again": again}
        )
        assert refused.status == 400 and said in refused.text
    done = ground.ask(
        "/password", "POST", cookie, form={"token": token, "old": first, "new": "Kp7-fjord_Mx", "again": "Kp7-fjord_Mx"}
    )
    assert done.status == 303 and done.headers["location"] == "/"
    assert ground.ask("/x", cookie=cookie).status == 401 and ground.ask("/x", cookie=done.cookie(COOKIE)).status == 200


def test_setting_up_and_giving_the_second_factor_through_the_forms(sqlite_store: Store) -> None:
    ground = Ground(sqlite_store, Security())
    cookie = ground.log_in("analyst")
    shown = ground.ask("/totp", cookie=cookie).text
    secret = (re.search(r"<code>([A-Z2-7 ]+)</code>", shown) or [""])[1].replace(" ", "")
    sealed = (re.search(r'name="secret" value="([^"]+)"', shown) or ["", ""])[1]
    token = own_token(ground, "/totp", cookie)
    assert "data:image/svg+xml" in shown and secret
    forged = ground.ask("/totp", "POST", cookie, form={"token": token, "secret": "v1.AAAA", "code": "123456"})
    assert forged.status == 403
    code = totp.code_at(secret, NOON)
    done = ground.ask("/totp", "POST", cookie, form={"token": token, "secret": sealed, "code": code})
    assert done.status == 303 and ground.ask("/x", cookie=done.cookie(COOKIE)).status == 200
    assert ground.ask("/x", cookie=cookie).status == 401


def test_the_forms_are_a_full_translation_and_escape_what_they_show(ground: Ground) -> None:
    cookie = ground.log_in()
    shown = [ground.ask("/login?lang=en&why=over").text, ground.ask("/password?lang=en", cookie=cookie).text,
             ground.ask("/logout?lang=en", cookie=cookie).text, ground.ask("/export/x?lang=en", cookie=cookie).text]  # fmt: skip
    for page in shown:
        assert not CHINESE.search(re.sub(r'<a class="lang".*?</a>', "", page)), page
    refused = ground.enter('"><script>alert(1)</script>', "x")
    assert "<script" not in refused.text and "&lt;script" in refused.text
    assert "<script" not in ground.ask('/login?next=/"><script>alert(1)</script>').text


# --- the sockets


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": "https://evil.example"}, {"host": "evil.example"}, {"x-buluo-session": "s", "x-buluo-key": "k"}],
)
def test_a_socket_without_a_session_or_from_elsewhere_is_closed_before_it_opens(
    ground: Ground, headers: dict[str, str]
) -> None:
    real = ground.log_in()

    async def play() -> None:
        for cookie in (None, "forged") if not headers or "x-buluo-key" in headers else (real,):
            wire = await dial(ground, cookie, headers)
            assert [message["type"] for message in wire.sent] == ["websocket.close"]
            await wire.task

    played(play)
    assert ground.reached == []


def test_the_socket_of_a_session_says_who_is_there(ground: Ground) -> None:
    cookie = ground.log_in()

    async def play() -> None:
        wire = await dial(
            ground, cookie, {"x-buluo-session": "forged", "x-buluo-key": "forged", "x-buluo-address": "9.9.9.9"}
        )
        await wire.until("websocket.accept")
        wire.task.cancel()

    played(play)
    told = ground.reached[0]["headers"]
    user = {key: told[f"x-buluo-{key}"] for key in ("session", "address", "key")}
    seen = sessions.by_token(ground.store, cookie, NOON)
    assert seen is not None and caller_of(user) == Caller(session=seen.public, address="10.0.0.7")
    assert (
        caller_of({**user, "key": "forged"}) is None
        and caller_of({}) is None
        and caller_of({"session": user["session"]}) is None
    )


def test_control_messages_do_not_pass(ground: Ground) -> None:
    cookie = ground.log_in()

    async def play() -> None:
        wire = await dial(ground, cookie)
        for data in (b"evil", b"good", b"evil again"):
            await wire.inbox.put({"type": "websocket.receive", "bytes": data})
        found = await wire.until("websocket.send")
        await asyncio.sleep(0.05)
        assert found["bytes"] == b"echo good" and len(wire.sent) == 2
        wire.task.cancel()

    played(play)


@pytest.mark.parametrize("how", ["log out", "disable", "role", "password", "idle", "absolute", "reset"])
def test_a_sockets_end_comes_with_the_sessions(ground: Ground, how: str) -> None:
    cookie = ground.log_in("township_staff")
    token = own_token(ground, "/logout", cookie)

    async def play() -> None:
        wire = await dial(ground, cookie)
        await wire.until("websocket.accept")
        await ground.gate.house.sweep()
        assert wire.sent[-1]["type"] == "websocket.accept"  # a live one is left alone
        if how == "log out":
            await ground._ask("/logout", "POST", cookie, ("127.0.0.1", 1), form={"token": token})
        else:
            if how == "disable":
                accounts.disable(ground.store, HAND, "zhang", NOON)
            elif how == "role":
                accounts.set_role(ground.store, HAND, "zhang", "county_staff", [], NOON)
            elif how == "reset":
                accounts.reset_password(ground.store, HAND, "zhang", NOON)
            elif how == "password":
                with ground.store.write() as con:
                    sessions.end_all(con, 1, NOON)
            else:
                ground.clock.at = NOON + (IDLE if how == "idle" else ABSOLUTE)
            await ground.gate.house.sweep()
        closed = await wire.until("websocket.close")
        assert closed["code"] == 4401
        await asyncio.wait_for(wire.task, 2)
        assert ground.gate.house.sockets() == 0

    played(play)


def test_only_what_a_person_does_keeps_a_session_alive(ground: Ground) -> None:
    cookie = ground.log_in()

    def seen() -> datetime:
        ground.denied()
        with ground.store.read() as con:
            found: datetime = con.execute(select(session.c.seen_at)).scalar_one()
        return found

    async def play() -> None:
        wire = await dial(ground, cookie)
        ground.clock.at = NOON + 10 * 60 * SECOND
        await wire.inbox.put({"type": "websocket.receive", "bytes": b"refresh by itself"})
        await wire.until("websocket.send")
        assert await asyncio.to_thread(seen) == NOON
        await wire.inbox.put({"type": "websocket.receive", "bytes": b"click"})
        await asyncio.sleep(0.1)
        assert await asyncio.to_thread(seen) == ground.clock.at
        wire.task.cancel()
        again = await dial(ground, cookie, {"sec-websocket-protocol": "streamlit, x, its-old-session"})
        before, ground.clock.at = ground.clock.at, NOON + 15 * 60 * SECOND
        await again.inbox.put(
            {"type": "websocket.receive", "bytes": b"click"}
        )  # the browser's own run after a reconnect
        await again.until("websocket.send")
        assert await asyncio.to_thread(seen) == before
        await again.inbox.put({"type": "websocket.receive", "bytes": b"click"})
        await asyncio.sleep(0.1)
        assert await asyncio.to_thread(seen) == ground.clock.at
        again.task.cancel()

    played(play)


def test_when_the_store_stays_away_every_socket_is_closed(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    cookie = ground.log_in()

    def broken(*_: Any) -> set[str]:
        raise OperationalError("select", {}, Exception("gone"))

    async def play() -> None:
        wire = await dial(ground, cookie)
        await wire.until("websocket.accept")
        monkeypatch.setattr(sessions, "live", broken)
        for _ in range(4):
            await ground.gate.house.sweep()
        assert wire.sent[-1]["type"] == "websocket.accept"
        await ground.gate.house.sweep()
        await wire.until("websocket.close")
        await wire.task

    played(play)


def test_the_sweeper_anchors_the_journal_every_hour_and_removes_what_nobody_took(ground: Ground) -> None:
    ground.log_in()
    forgotten = downloads.waiting(ground.store) / "x.xlsx"
    anchors = journal.anchor_path(ground.store.home)

    async def play() -> None:
        await ground.gate.house.sweep()
        first = anchors.read_text()
        forgotten.write_text("x")
        with ground.store.write() as con:
            journal.append(con, ground.store.key, Entry("x", "", "", "test"), NOON)
        await ground.gate.house.sweep()
        assert anchors.read_text() == first
        ground.clock.at = NOON + 3600 * SECOND
        await ground.gate.house.sweep()
        assert len(anchors.read_text().splitlines()) == len(first.splitlines()) + 1

    played(play)
    assert journal.problems(ground.store) == []


# --- what is journalled


def test_denied_requests_are_journalled_at_once_and_a_scanner_does_not_fill_the_disk(ground: Ground) -> None:
    for n in range(300):
        ground.ask(f"/secret/{n}/500999199001011234?name=x")
    rows = ground.denied()
    assert len(rows) == 1 and (rows[0].event, rows[0].who, rows[0].address) == ("gate.denied", "?", "10.0.0.7")
    assert "5009991990" not in rows[0].detail and "name=x" not in rows[0].detail
    ground.ask("/secret", client="10.0.0.8")
    assert len(ground.denied()) == 2
    ground.clock.at = NOON + 61 * SECOND
    in_a_loop(ground.gate.house.sweep())
    summed = ground.denied()[-1]
    assert '"more": 299' in summed.detail and len(ground.denied()) == 3
    assert journal.problems(ground.store) == []


def test_many_addresses_are_not_told_apart_beyond_a_limit() -> None:
    written: list[Entry] = []
    tally = Tally(lambda entry, at: written.append(entry))
    for n in range(2000):
        tally.note(f"10.{n // 250}.{n % 250}.1", "gate.denied", "session", "/", NOON)
    assert len(written) <= 502
    tally.flush(NOON, everything=True)
    assert (
        sum(1 + int((entry.detail or {}).get("more", 0)) for entry in written if "more" not in (entry.detail or {}))
        <= 502
    )
    assert sum((entry.detail or {}).get("more", 0) for entry in written) + 501 == 2000


def test_guesses_are_journalled_known_names_by_row_and_unknown_ones_summed(ground: Ground) -> None:
    ground.log_in()
    for n in range(8):
        ground.enter("zhang", f"guess {n}")
    for n in range(30):
        ground.enter(f"nobody{n}", "x")
    ground.denied()
    with ground.store.read() as con:
        rows = con.execute(select(journal_table).where(journal_table.c.event.startswith("login"))).all()
    failed = [row for row in rows if row.event == "login.failed"]
    denied = [row for row in rows if row.event == "login.denied"]
    assert len(failed) == 5 and [row.who for row in denied] == ["zhang", "?"]


def test_log_ins_from_one_address_are_limited(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ground.gate.house.log_ins, "_most", 3)
    assert [ground.enter(f"nobody{n}", "x").status for n in range(5)] == [401, 401, 401, 429, 429]
    ground.clock.at = NOON + 60 * SECOND
    assert ground.enter("nobody", "x").status == 401


# --- what leaves by roads of its own


def test_an_export_is_fetched_once_and_removed(ground: Ground) -> None:
    cookie = ground.log_in("analyst")
    seen = sessions.by_token(ground.store, cookie, NOON)
    assert seen is not None
    path = downloads.waiting(ground.store) / "x.csv"
    path.write_bytes(b"rows")
    address = downloads.offer(
        ground.store, Caller(session=seen.public), "export.full", "signals", path, '清单"\r\nX: y.csv', 1, False, NOON
    )
    other = ground.log_in("analyst", "li")
    assert ground.ask(address).status == 401
    assert ground.ask(address, cookie=other, headers=PAGE).status == 404
    assert ground.ask(address, "HEAD", cookie).status == 405  # a preview does not use it up
    found = ground.ask(address, cookie=cookie, headers=PAGE)
    assert (found.status, found.body) == (200, b"rows")
    assert (
        found.headers["content-disposition"].startswith("attachment")
        and "\n" not in found.headers["content-disposition"]
    )
    assert ground.ask(address, cookie=cookie).status == 404 and not path.exists()


def test_a_guarded_page_asks_its_service_and_tells_refusals_in_words(ground: Ground) -> None:
    cookie = ground.log_in()
    found = ground.ask("/sheet/7", cookie=cookie)
    assert "sheet 7" in found.text and "style-src 'self' 'unsafe-inline'" in found.headers["content-security-policy"]
    refused = ground.ask("/sheet/8", cookie=cookie)
    assert refused.status == 404 and "不在您的职责范围内" in refused.text
    assert ground.ask("/sheet/x", cookie=cookie).text == "inside"  # no such road of the gate's
    assert ground.ask("/sheet/7").status == 401


# --- the page's side


class Stopped(Exception):
    """What `st.stop` raises inside a page."""


def stopped() -> None:
    raise Stopped


def test_parts_of_a_page_that_run_later_ask_again_who_is_there(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Callbacks and fragments run without a page's beginning: a second later its word is worth nothing any more."""
    monkeypatch.setattr(ui, "session_over", lambda t: None)
    monkeypatch.setattr("monitoring.ui.st.stop", stopped)
    cookie = ground.log_in("township_staff")
    seen = sessions.by_token(ground.store, cookie, NOON)
    assert seen is not None
    caller = Caller(session=seen.public)
    with ground.store.read() as con:
        person = who(con, caller, NOON)
    desk = ui.Desk(t=Language("zh"), store=ground.store, caller=caller, person=person, now=ground.clock, since=NOON)
    ground.clock.at = NOON + 5 * SECOND
    desk.still_here()
    accounts.set_role(ground.store, HAND, "zhang", "county_staff", [], NOON)
    with pytest.raises(Stopped):
        desk.still_here()
    with pytest.raises(Stopped):
        desk.act(sessions_of_nobody)


def sessions_of_nobody(store: Store, caller: Caller, at: datetime) -> None:
    with reading(store, caller, "alert.view", at):
        raise AssertionError


def test_a_refusal_is_shown_in_words_and_a_fault_is_not_hidden(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(ui, "failure", shown.append)
    monkeypatch.setattr("monitoring.ui.st.stop", stopped)
    cookie = ground.log_in("leader")
    seen = sessions.by_token(ground.store, cookie, NOON)
    assert seen is not None
    with ground.store.read() as con:
        person = who(con, Caller(session=seen.public), NOON)
    desk = ui.Desk(
        t=Language("en"),
        store=ground.store,
        caller=Caller(session=seen.public),
        person=person,
        now=ground.clock,
        since=NOON,
    )
    assert desk.act(accounts.disable, "nobody") is None
    assert desk.act(lambda store, caller, at: 7) == 7

    def refused(store: Store, caller: Caller, at: datetime) -> None:
        raise AccountError("账号 {name} 已经有了", name="li")

    with pytest.raises(Stopped):
        desk.read(refused)
    assert shown == ["There is no such thing, or it is not within your duties", "There is an account li already"]

    def broken(store: Store, caller: Caller, at: datetime) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        desk.act(broken)


# --- the start


def test_a_dangerous_option_keeps_the_server_from_starting(tmp_path: Path) -> None:
    safe: dict[str, Any] = {**OPTIONS, **AT_MOST, "server.address": "127.0.0.1"}
    assert wrong_options(safe.__getitem__, tmp_path, tls=False) == []
    for name, value in {
        **dict.fromkeys(OPTIONS, "other"),
        **dict.fromkeys(AT_MOST, 10_000),
        "server.address": "0.0.0.0",  # noqa: S104 -- refused
    }.items():
        found = wrong_options({**safe, name: value}.__getitem__, tmp_path, tls=False)
        assert len(found) == 1 and name in found[0]
    assert wrong_options({**safe, "server.address": None}.__getitem__, tmp_path, tls=False)
    assert not wrong_options({**safe, "server.address": "10.0.0.5"}.__getitem__, tmp_path, tls=True)
    (tmp_path / "pages").mkdir()
    assert len(wrong_options(safe.__getitem__, tmp_path, tls=False)) == 1


def test_the_application_that_is_served_has_the_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULUO_HOME", str(tmp_path))
    import importlib

    found = importlib.import_module("app")
    assert is_gated(found.app) and not is_gated(object())
    assert {*found.TITLES, "admin"} == set(PAGES)  # no page without a row in the policy table


@pytest.mark.parametrize(
    ("make", "passes"),
    [
        ("rerun", Frame.PERSON), ("auto", Frame.PASSED), ("app_heartbeat", Frame.PASSED), ("stop_script", Frame.PASSED),
        ("clear_cache", Frame.DROPPED), ("set_run_on_save", Frame.DROPPED), ("load_git_info", Frame.DROPPED),
        ("debug_disconnect_websocket", Frame.DROPPED), ("debug_shutdown_runtime", Frame.DROPPED), ("files", Frame.DROPPED),
        ("deferred", Frame.DROPPED), ("hidden behind a rerun", Frame.DROPPED), ("garbage", Frame.DROPPED), ("nothing", Frame.DROPPED),
    ],
)  # fmt: skip
def test_of_streamlits_messages_only_reruns_and_heartbeats_pass(make: str, passes: Frame) -> None:
    from app import frame_kind

    message = BackMsg()
    if make in ("rerun", "auto"):
        message.rerun_script.query_string = "x"
        message.rerun_script.is_auto_rerun = make == "auto"
    elif make == "files":
        message.file_urls_request.request_id = "x"
    elif make == "deferred":
        message.backend_operation_request.request_id = "x"
    elif make not in ("hidden behind a rerun", "garbage", "nothing"):
        setattr(message, make, True)
    data = message.SerializeToString()
    if make == "hidden behind a rerun":  # of a oneof the last one counts, whatever comes first
        first, last = BackMsg(), BackMsg()
        first.rerun_script.query_string = "x"
        last.clear_cache = True
        data = first.SerializeToString() + last.SerializeToString()
    elif make == "garbage":
        data = b"\xff\xfe" * 20
    assert frame_kind(data) is passes
