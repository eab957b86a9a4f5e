"""Accounts, passwords, sessions, second factors, downloads and unmaskings: the services behind the gate, with a clock of ours."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from monitoring.language import Language
from monitoring.pages.admin import what_waits
from monitoring.people import (
    Caller,
    Denied,
    SessionOver,
    accounts,
    demo,
    downloads,
    journals,
    operator,
    passwords,
    reading,
    sessions,
    throttling,
    totp,
    viewing,
)
from monitoring.people.accounts import AccountError
from monitoring.people.callers import ABSOLUTE, IDLE, touch
from monitoring.people.passwords import Owner, common, complaints
from monitoring.people.roles import ROLES
from monitoring.people.sessions import CHANGE, ENROL, FULL, TOTP, LoggedIn, NotAccepted, Refused
from monitoring.people.settings import Oidc, Security, SettingsError, load_security
from monitoring.store import Store, journal
from monitoring.store.schema import account, session, throttle, unmasking
from monitoring.store.schema import journal as journal_table
from tests.people import OTHER_TOWN, TOWN, VILLAGE, add_account, log_in
from tests.registry import Registry
from tests.stores import NOON

HAND = operator("root")
GOOD, BETTER = "Wr7!qmPZ", "Kp7-fjord_Mx"
PLAIN = Security(level=2)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real hashes take a fifth of a second on purpose; one test measures them, the others need many."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._dummy.cache_clear()


def level(store: Store, number: int) -> None:
    store.home.mkdir(exist_ok=True)
    (store.home / "settings.toml").write_text(f"[security]\nlevel = {number}\n", encoding="utf-8")


def member(store: Store, role: str = "county_staff", name: str = "zhang", password: str = GOOD, **columns: Any) -> str:
    """An account that has changed its first password."""
    if role in ("township_staff", "village_staff"):
        places = [(TOWN, VILLAGE if role == "village_staff" else None)]
    else:
        places = []
    accounts.add(store, HAND, name, "张一", role, places, NOON)
    done = {"password_hash": passwords.hash_password(password), "must_change": False, "password_changed_at": NOON}
    with store.write() as con:
        con.execute(update(account).where(account.c.name == name).values(done | columns))
    return name


def enter(
    store: Store,
    name: str = "zhang",
    password: str = GOOD,
    security: Security = PLAIN,
    at: datetime = NOON,
    **more: Any,
) -> LoggedIn | Refused:
    return sessions.log_in(store, security, name, password, "10.0.0.7", at, **more)


def entered(
    store: Store,
    name: str = "zhang",
    password: str = GOOD,
    security: Security = PLAIN,
    at: datetime = NOON,
    **more: Any,
) -> LoggedIn:
    found = enter(store, name, password, security, at, **more)
    assert isinstance(found, LoggedIn)
    return found


def journalled(store: Store, event: str = "") -> list[tuple[str, str, str]]:
    """(who, event, result) in order."""
    with store.read() as con:
        rows = con.execute(select(journal_table).order_by(journal_table.c.seq)).all()
    return [(row.who, row.event, row.result) for row in rows if row.event.startswith(event)]


# --- passwords


def test_three_thousand_weak_passwords_are_refused() -> None:
    words = ("password", "admin", "qwerty", "woaini", "welcome", "zhang", "minzheng", "dibao", "buluo", "qinghe", "county", "fupin",
             "passw0rd", "p@ssword", "adm1n", "iloveyou", "dragon", "huawei", "chongqing", "xiangzhen")  # fmt: skip
    ends = ("1", "12", "123", "1234", "123456", "!", "@1", "#123", "2024", "2025", "2026", "@2026", "_2026", "!!", "888", "666", "520",
            "1314", "@123", "123!", "1q2w", "qaz", "!@#", "000", "111")  # fmt: skip
    shapes = (str.lower, str.capitalize, str.upper)
    weak = {f"{shape(word)}{end}" for word, end, shape in itertools.product(words, ends, shapes)}
    weak |= {f"{end}{shape(word)}" for word, end, shape in itertools.product(words, ends, shapes)}
    weak |= {
        "1qaz@WSX",
        "!QAZ2wsx",
        "Qwer1234!",
        "Asdf@1234",
        "Abcd1234!",
        "Aa123456!",
        "Aaaa1111!",
        "Zaq12wsx!",
        "Abc123!@#",
        "County123!",
    }
    assert len(weak) >= 2900
    assert [one for one in sorted(weak) if not complaints(PLAIN_WITH_COUNTY, one, Owner("lisi", "李四"))] == []


PLAIN_WITH_COUNTY = Security(level=2, password_words=("qinghe",))


@pytest.mark.parametrize(
    "fine", ["Wr7!qmPZ", "Kp7-fjord_Mx", "gT5#rmW2p", "Xk7abcTr9p", "Lu8shan-Zhu3lin", "83#19$02Aa"]
)
def test_passwords_that_nobody_would_hit_on_pass(fine: str) -> None:
    assert complaints(PLAIN_WITH_COUNTY, fine, Owner("lisi", "李四")) == []


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("Wr7!qmP", "至少 8 位"),
        ("wr7qmpzxk", "三种"),
        ("Zhangwei7!qX", "账号或姓名"),
        ("张伟x7!qX99rT", "账号或姓名"),
        ("W" + "r7!qmPZ" * 60, "最多"),
    ],
)
def test_the_policy_of_mlps_says_what_is_wrong(password: str, why: str) -> None:
    assert any(why in said for said in complaints(PLAIN, password, Owner("zhangwei", "张伟")))


def test_the_policy_of_asvs_asks_for_length_only_and_for_no_rotation() -> None:
    asvs = Security(level=2, policy="asvs")
    assert complaints(asvs, "correct horse battery", Owner("li", "李")) == []
    assert complaints(asvs, "Wr7!qmPZ", Owner("li", "李")) == ["密码至少 12 位"]
    assert common("passwordpassword1")


def test_the_last_five_passwords_are_refused() -> None:
    before = [passwords.hash_password(f"Wr7!qmPZ{n}") for n in range(6)]
    assert complaints(PLAIN, "Wr7!qmPZ4", Owner("li", "李四", before)) == ["不能用最近 5 次用过的密码"]
    assert complaints(PLAIN, "Wr7!qmPZ5", Owner("li", "李四", before)) == []


def test_one_time_passwords_are_random_and_readable() -> None:
    made = {passwords.one_time() for _ in range(500)}
    assert len(made) == 500 and all(len(one) == 19 and not set(one) & set("lo01") for one in made)


def test_at_most_two_hashes_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now, most, lock = 0, 0, threading.Lock()

    class Counting:
        def verify(self, stored: str, given: str) -> bool:
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            threading.Event().wait(0.02)
            with lock:
                now -= 1
            return True

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: passwords.fits("x", "y"), range(16)))
    assert most == 2


# --- log-in and sessions


def test_a_fresh_home_has_no_account_and_nobody_gets_in(store: Store) -> None:
    assert accounts.accounts(store, HAND, NOON) == []
    for name in ("admin", "root", "guest", "test"):
        assert isinstance(enter(store, name, name), Refused)


def test_a_log_in_opens_a_session_that_services_know(store: Store) -> None:
    member(store, "township_staff")
    found = entered(store, " ZHANG ")
    seen = sessions.by_token(store, found.token, NOON)
    assert seen is not None and (seen.name, seen.stage, seen.role) == ("zhang", FULL, "township_staff")
    with reading(store, Caller(session=found.public), "alert.view", NOON) as act:
        assert act.person.places == ((TOWN, None),)
    assert sessions.by_token(store, found.public, NOON) is None and sessions.by_token(store, "", NOON) is None
    assert journalled(store, "login") == [("zhang", "login", "ok")]


def test_only_the_digest_of_a_cookie_is_stored(store: Store) -> None:
    member(store)
    found = entered(store)
    with store.read() as con:
        kept = con.execute(select(session)).one()
    assert found.token.encode() not in kept.token and found.token not in str(kept)


def test_a_new_log_in_has_a_new_token_and_the_old_one_is_dead(store: Store) -> None:
    member(store)
    first = entered(store)
    second = entered(store, before=first.token)
    assert first.token != second.token
    assert sessions.by_token(store, first.token, NOON) is None and sessions.by_token(store, second.token, NOON)


@pytest.mark.parametrize("name", ["zhang", "nobody", "x" * 300, "\0", "'; drop table account"])
def test_five_failures_lock_for_fifteen_minutes_known_and_unknown_names_alike(store: Store, name: str) -> None:
    member(store)
    whys = [found.why for found in (enter(store, name, "wrong") for _ in range(7)) if isinstance(found, Refused)]
    assert whys == ["wrong"] * 5 + ["locked"] * 2
    assert isinstance(enter(store, name), Refused)
    later = NOON + throttling.LOCKED + timedelta(seconds=1)
    assert isinstance(enter(store, name, at=later), LoggedIn if name == "zhang" else Refused)


def pay(store: Store, at: datetime, times: int = 1) -> list[bool]:
    """Whether each of so many attempts at one time was let through to be looked at."""
    with store.write() as con:
        return [throttling.pay(con, "zhang", at) for _ in range(times)]


@pytest.mark.parametrize(("seconds", "open_again"), [(-1, False), (0, True), (1, True)])
def test_a_lock_ends_with_its_fifteenth_minute(store: Store, seconds: int, open_again: bool) -> None:
    assert pay(store, NOON, 6) == [True] * 5 + [False]
    later = NOON + throttling.LOCKED + timedelta(seconds=seconds)
    with store.read() as con:
        assert throttling.locked(con, "zhang", later) is not open_again
    assert pay(store, later, 6) == ([True] * 5 + [False] if open_again else [False] * 6)


@pytest.mark.parametrize(("seconds", "left"), [(-1, 1), (0, 5), (1, 5)])
def test_four_failures_count_for_fifteen_minutes(store: Store, seconds: int, left: int) -> None:
    assert pay(store, NOON, 4) == [True] * 4
    assert sum(pay(store, NOON + throttling.LOCKED + timedelta(seconds=seconds), 9)) == left


@pytest.mark.parametrize(("seconds", "kept"), [(-1, True), (0, True), (1, False)])
def test_failures_are_kept_for_a_day(store: Store, seconds: int, kept: bool) -> None:
    pay(store, NOON)
    with store.write() as con:
        throttling.clean(con, NOON + timedelta(days=1, seconds=seconds))
        assert (con.execute(select(throttle.c.key)).scalars().all() == ["zhang"]) is kept


def test_a_success_forgets_failures_and_so_does_time(store: Store) -> None:
    member(store)
    for _ in range(4):
        enter(store, password="wrong")
    entered(store)
    for _ in range(4):
        enter(store, password="wrong")
    later = NOON + timedelta(minutes=16)
    assert [enter(store, password="wrong", at=later).why for _ in range(4)] == ["wrong"] * 4  # type: ignore[union-attr]
    entered(store, at=later)


def test_sixty_guesses_at_once_cost_five_hashes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    member(store)
    tried: list[str] = []

    def fits(_: str | None, given: str) -> bool:
        tried.append(given)
        return False

    monkeypatch.setattr(sessions, "fits", fits)
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda n: enter(store, password=f"guess{n}"), range(60)))
    assert len(tried) == 5 and all(isinstance(one, Refused) for one in found)


def test_known_and_unknown_names_cost_the_same_work(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    member(store)
    disabled = member(store, name="old")
    accounts.disable(store, HAND, disabled, NOON)
    seen: list[str] = []
    verify = passwords._HASHER.verify

    class Watching:
        def verify(self, stored: str, given: str) -> bool:
            seen.append(stored.rsplit("$", 2)[0])
            return verify(stored, given)

        def check_needs_rehash(self, stored: str) -> bool:
            return False

        def hash(self, password: str) -> str:
            return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)

    monkeypatch.setattr(passwords, "_HASHER", Watching())
    for name in ("zhang", "nobody", "old"):
        assert isinstance(enter(store, name, "wrong"), Refused)
    assert len(seen) == 3 and len(set(seen)) == 1  # one verification each, with the same parameters


def test_a_disabled_account_does_not_get_in_even_with_the_right_password(store: Store) -> None:
    member(store)
    accounts.disable(store, HAND, "zhang", NOON)
    assert enter(store) == Refused("wrong", known=True)


def test_a_password_that_was_reset_while_it_was_being_checked_does_not_open(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    member(store)
    fits = passwords.fits

    def slowly(stored: str | None, given: str) -> bool:
        accounts.reset_password(store, HAND, "zhang", NOON)
        return fits(stored, given)

    monkeypatch.setattr(sessions, "fits", slowly)
    assert enter(store) == Refused("wrong", known=True)


def test_what_is_typed_as_a_name_is_not_kept_where_it_is_none(store: Store) -> None:
    enter(store, "My Secret Password!", "x")
    with store.read() as con:
        kept = con.execute(select(throttle.c.key)).scalars().all()
    assert all("secret" not in key for key in kept) and journalled(store) == []


def test_an_idle_session_is_over_and_a_touched_one_is_not(store: Store) -> None:
    member(store)
    found = entered(store)
    caller = Caller(session=found.public)
    assert sessions.live(store, [found.public], NOON + IDLE - MINUTE) == {found.public}
    touch(store, caller, NOON + 20 * MINUTE)
    assert sessions.live(store, [found.public], NOON + IDLE + 10 * MINUTE) == {found.public}
    assert sessions.live(store, [found.public], NOON + IDLE + 21 * MINUTE) == set()
    with pytest.raises(SessionOver), reading(store, caller, "alert.view", NOON + IDLE + 21 * MINUTE):
        pass


def test_after_eight_hours_a_session_is_over_however_busy(store: Store) -> None:
    member(store)
    found = entered(store)
    at = NOON
    while at < NOON + ABSOLUTE - 10 * MINUTE:
        at += 10 * MINUTE
        touch(store, Caller(session=found.public), at)
    assert sessions.by_token(store, found.token, NOON + ABSOLUTE - MINUTE)
    assert sessions.by_token(store, found.token, NOON + ABSOLUTE) is None


def test_touching_does_not_revive_what_is_over(store: Store) -> None:
    member(store)
    found = entered(store)
    late = NOON + IDLE + MINUTE
    touch(store, Caller(session=found.public), late)
    assert sessions.by_token(store, found.token, late) is None


def test_logging_out_ends_the_session_and_is_journalled(store: Store) -> None:
    member(store)
    found = entered(store)
    assert sessions.log_out(store, found.token, NOON) == found.public
    assert sessions.by_token(store, found.token, NOON) is None and sessions.log_out(store, found.token, NOON) is None
    assert journalled(store, "logout") == [("zhang", "logout", "ok")]


def test_old_sessions_and_failures_are_cleaned_up(sqlite_store: Store) -> None:
    member(sqlite_store)
    entered(sqlite_store)
    enter(sqlite_store, "nobody", "x")
    sessions.clean(sqlite_store, NOON + 31 * DAY)
    with sqlite_store.read() as con:
        assert con.execute(select(session)).all() == [] and con.execute(select(throttle)).all() == []


# --- first, expired and changed passwords


def test_a_first_password_opens_nothing_but_its_own_change(store: Store) -> None:
    first = accounts.add(store, HAND, "li", "李四", "leader", [], NOON)
    found = entered(store, "li", first)
    assert found.stage == CHANGE and sessions.live(store, [found.public], NOON) == set()
    with pytest.raises(SessionOver), reading(store, Caller(session=found.public), "alert.view", NOON):
        pass
    done = sessions.change_password(store, PLAIN, found.public, first, GOOD, NOON)
    assert done.stage == FULL and done.token != found.token
    assert sessions.by_token(store, found.token, NOON) is None
    assert isinstance(enter(store, "li", first), Refused) and entered(store, "li", GOOD).stage == FULL


def test_after_ninety_days_a_password_must_be_changed_and_under_asvs_it_need_not(store: Store) -> None:
    member(store)
    late = NOON + 91 * DAY
    assert entered(store, at=NOON + 89 * DAY).stage == FULL
    assert entered(store, at=late).stage == CHANGE
    assert entered(store, at=late, security=Security(level=2, policy="asvs")).stage == FULL


def test_changing_a_password_needs_the_old_one_and_ends_all_other_sessions(sqlite_store: Store) -> None:
    member(sqlite_store)
    here, elsewhere = entered(sqlite_store), entered(sqlite_store)
    with pytest.raises(NotAccepted, match="原密码不正确"):
        sessions.change_password(sqlite_store, PLAIN, here.public, "wrong", BETTER, NOON)
    done = sessions.change_password(sqlite_store, PLAIN, here.public, GOOD, BETTER, NOON)
    assert sessions.live(sqlite_store, [here.public, elsewhere.public, done.public], NOON) == {done.public}
    assert ("zhang", "password.change", "failed") in journalled(sqlite_store)


def test_guessing_the_old_password_is_limited_too(sqlite_store: Store) -> None:
    member(sqlite_store)
    found = entered(sqlite_store)
    for _ in range(6):
        with pytest.raises(NotAccepted):
            sessions.change_password(sqlite_store, PLAIN, found.public, "wrong", BETTER, NOON)
    with pytest.raises(NotAccepted, match="锁定"):
        sessions.change_password(sqlite_store, PLAIN, found.public, GOOD, BETTER, NOON)


def test_a_refused_new_password_leaves_the_old_one(sqlite_store: Store) -> None:
    member(sqlite_store)
    found = entered(sqlite_store)
    with pytest.raises(NotAccepted) as refused:
        sessions.change_password(sqlite_store, PLAIN, found.public, GOOD, "abc", NOON)
    assert len(refused.value.words) >= 2 and entered(sqlite_store).stage == FULL


# --- the second factor


STRICT = Security()


def enrolled(store: Store) -> str:
    """The account zhang with a second factor; its secret."""
    member(store)
    found = entered(store, security=STRICT)
    assert found.stage == ENROL
    secret = totp.new_secret()
    done = sessions.enrol(store, STRICT, found.public, secret, totp.code_at(secret, NOON), NOON)
    assert done.stage == FULL
    return secret


def test_a_second_factor_is_set_up_by_a_code_and_asked_for_from_then_on(store: Store) -> None:
    secret = enrolled(store)
    at = NOON + MINUTE
    found = entered(store, security=STRICT, at=at)
    assert found.stage == TOTP and sessions.live(store, [found.public], at) == set()
    done = sessions.second_factor(store, STRICT, found.public, totp.code_at(secret, at), at)
    assert done.stage == FULL and sessions.by_token(store, found.token, at) is None


def test_the_secret_is_not_readable_in_the_store(sqlite_store: Store) -> None:
    secret = enrolled(sqlite_store)
    with sqlite_store.read() as con:
        kept = con.execute(select(account.c.totp_secret)).scalar_one()
    assert secret not in kept and totp.opened(sqlite_store, kept) == secret


def test_a_code_works_once(store: Store) -> None:
    secret = enrolled(store)
    at = NOON + MINUTE
    code = totp.code_at(secret, at)
    sessions.second_factor(store, STRICT, entered(store, security=STRICT, at=at).public, code, at)
    again = entered(store, security=STRICT, at=at)
    with pytest.raises(NotAccepted, match="已用过"):
        sessions.second_factor(store, STRICT, again.public, code, at)
    with pytest.raises(NotAccepted):  # nor an earlier one
        sessions.second_factor(store, STRICT, again.public, totp.code_at(secret, at, -1), at)


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_may_be_one_step_early_or_late(steps: int, right: bool) -> None:
    secret = totp.new_secret()
    assert (totp.step_of(secret, totp.code_at(secret, NOON, steps), NOON) is not None) == right


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "-12345", "12 34"])
def test_what_is_no_code_is_refused(code: str) -> None:
    assert totp.step_of(totp.new_secret(), code, NOON) is None


def test_five_wrong_codes_end_the_session_and_the_password_does_not_forgive_them(store: Store) -> None:
    secret = enrolled(store)
    at = NOON + MINUTE
    wrong = "000000" if totp.step_of(secret, "000000", at) is None else "000001"
    for _ in range(5):
        found = entered(store, security=STRICT, at=at)  # the right password in between
        with pytest.raises(NotAccepted) as refused:
            sessions.second_factor(store, STRICT, found.public, wrong, at)
    assert refused.value.ended and sessions.by_token(store, found.token, at) is None
    again = entered(store, security=STRICT, at=at)
    with pytest.raises(NotAccepted):
        sessions.second_factor(store, STRICT, again.public, totp.code_at(secret, at), at)


def test_an_expired_password_is_changed_after_the_second_factor_not_before(sqlite_store: Store) -> None:
    secret = enrolled(sqlite_store)
    at = NOON + 91 * DAY
    found = entered(sqlite_store, security=STRICT, at=at)
    assert found.stage == TOTP
    with pytest.raises(NotAccepted):
        sessions.change_password(sqlite_store, STRICT, found.public, GOOD, BETTER, at)
    second = sessions.second_factor(sqlite_store, STRICT, found.public, totp.code_at(secret, at), at)
    assert second.stage == CHANGE
    assert sessions.change_password(sqlite_store, STRICT, second.public, GOOD, BETTER, at).stage == FULL


def test_who_needs_a_second_factor_stands_in_the_table_of_roles(sqlite_store: Store) -> None:
    for role in ROLES:
        member(sqlite_store, role, name=role)
        found = entered(sqlite_store, role, security=STRICT)
        assert (found.stage == ENROL) == ROLES[role].second_factor
        assert entered(sqlite_store, role, security=PLAIN).stage == FULL


def test_the_picture_is_drawn_here() -> None:
    assert totp.picture(totp.new_secret(), "zhang").startswith("data:image/svg+xml")


# --- accounts


def admins(store: Store) -> tuple[Caller, Caller]:
    """An administrator and a security officer, logged in, where the three administrators are separated."""
    level(store, 3)
    return add_account(store, "administrator"), add_account(store, "security_officer")


def test_a_new_account_of_the_administrator_waits_for_the_security_officer(store: Store) -> None:
    administrator, officer = admins(store)
    first = accounts.add(store, administrator, "li", "李四", "township_staff", [(TOWN, None)], NOON)
    assert enter(store, "li", first) == Refused("wrong", known=True)
    with pytest.raises(Denied):
        accounts.approve(store, administrator, "li", NOON)
    accounts.approve(store, officer, "li", NOON)
    assert entered(store, "li", first).stage == CHANGE
    assert tuple(e for _, e, r in journalled(store, "account") if r == "ok") == ("account.add", "account.approve")


def test_a_change_of_places_waits_and_the_account_stays_as_it_was(store: Store) -> None:
    administrator, officer = admins(store)
    member(store, "township_staff")
    held = entered(store, security=PLAIN)
    assert accounts.set_role(store, administrator, "zhang", "township_staff", [(OTHER_TOWN, None)], NOON) is False
    with reading(store, Caller(session=held.public), "alert.view", NOON) as act:
        assert act.person.places == ((TOWN, None),)
    row = next(row for row in accounts.accounts(store, officer, NOON) if row.name == "zhang")
    assert row.asked is not None and row.asked.places == ((OTHER_TOWN, None),)
    accounts.approve(store, officer, "zhang", NOON)
    assert sessions.live(store, [held.public], NOON) == set()  # what it shows may be too much
    with reading(store, Caller(session=entered(store).public), "alert.view", NOON) as act:
        assert act.person.places == ((OTHER_TOWN, None),)


def test_a_change_that_is_turned_down_leaves_no_trace_but_the_journal(sqlite_store: Store) -> None:
    administrator, officer = admins(sqlite_store)
    member(sqlite_store, "township_staff")
    accounts.set_role(sqlite_store, administrator, "zhang", "county_staff", [], NOON)
    accounts.reject(sqlite_store, officer, "zhang", NOON)
    row = next(row for row in accounts.accounts(sqlite_store, officer, NOON) if row.name == "zhang")
    assert (row.role, row.asked, row.state) == ("township_staff", None, "active")
    with pytest.raises(AccountError, match="没有等待审批"):
        accounts.reject(sqlite_store, officer, "zhang", NOON)


def test_nobody_approves_their_own_account(sqlite_store: Store) -> None:
    administrator, officer = admins(sqlite_store)
    own = next(row.name for row in accounts.accounts(sqlite_store, officer, NOON) if row.role == "security_officer")
    accounts.set_role(sqlite_store, administrator, own, "county_staff", [], NOON)
    with pytest.raises(AccountError, match="不能审批自己"):
        accounts.approve(sqlite_store, officer, own, NOON)
    accounts.approve(sqlite_store, HAND, own, NOON)


def test_the_operator_is_both_and_level_two_does_not_separate(store: Store) -> None:
    level(store, 3)
    first = accounts.add(store, HAND, "li", "李四", "leader", [], NOON)
    assert entered(store, "li", first).stage == CHANGE
    level(store, 2)
    administrator = add_account(store, "administrator")
    assert accounts.set_role(store, administrator, "li", "analyst", [], NOON) is True
    second = accounts.add(store, administrator, "wang", "王五", "leader", [], NOON)
    assert entered(store, "wang", second).stage == CHANGE


def test_disabling_ends_sessions_at_once_and_enabling_again_needs_approval(store: Store) -> None:
    administrator, officer = admins(store)
    member(store)
    held = entered(store)
    accounts.disable(store, administrator, "zhang", NOON)
    assert sessions.live(store, [held.public], NOON) == set() and sessions.by_token(store, held.token, NOON) is None
    assert accounts.enable(store, administrator, "zhang", NOON) is False
    assert isinstance(enter(store), Refused)
    accounts.approve(store, officer, "zhang", NOON)
    assert sessions.by_token(store, held.token, NOON) is None  # ended, not asleep
    entered(store)


def test_nobody_disables_the_account_they_sit_on(sqlite_store: Store) -> None:
    administrator, _ = admins(sqlite_store)
    own = next(row.name for row in accounts.accounts(sqlite_store, administrator, NOON) if row.role == "administrator")
    with pytest.raises(AccountError, match="自己正在使用"):
        accounts.disable(sqlite_store, administrator, own, NOON)


def test_a_reset_gives_a_first_password_and_lifts_the_lock(store: Store) -> None:
    administrator, _ = admins(store)
    enrolled(store)
    held = entered(store)
    for _ in range(5):
        enter(store, password="wrong")
    assert next(row for row in accounts.accounts(store, administrator, NOON) if row.name == "zhang").locked
    first, held_already = accounts.reset_password(store, administrator, "zhang", NOON)
    assert held_already and sessions.live(store, [held.public], NOON) == set()
    assert entered(store, password=first).stage == CHANGE and isinstance(enter(store), Refused)
    assert entered(store, password=first, security=STRICT).stage == TOTP  # the administrator comes no further


@pytest.mark.parametrize("role", ["leader", "township_staff", "village_staff", "county_staff"])
def test_a_reset_waits_where_no_second_factor_stands_behind_the_password(store: Store, role: str) -> None:
    administrator, officer = admins(store)
    member(store, role)  # county staff need one; this person has none yet
    held = entered(store)
    first, held_already = accounts.reset_password(store, administrator, "zhang", NOON)
    assert not held_already and sessions.live(store, [held.public], NOON) == set()
    assert isinstance(enter(store, password=first), Refused) and isinstance(enter(store), Refused)
    accounts.approve(store, officer, "zhang", NOON)
    assert entered(store, password=first, security=STRICT).stage == CHANGE


def test_a_reset_waits_where_the_second_factor_is_no_longer_asked_for(sqlite_store: Store) -> None:
    administrator, _ = admins(sqlite_store)
    enrolled(sqlite_store)
    accounts.set_role(sqlite_store, HAND, "zhang", "leader", [], NOON)
    first, held_already = accounts.reset_password(sqlite_store, administrator, "zhang", NOON)
    assert not held_already and isinstance(enter(sqlite_store, password=first, security=STRICT), Refused)


def test_a_reset_of_the_operator_or_at_level_two_holds_at_once(sqlite_store: Store) -> None:
    administrator, _ = admins(sqlite_store)
    member(sqlite_store, "leader")
    first, held_already = accounts.reset_password(sqlite_store, HAND, "zhang", NOON)
    assert held_already and entered(sqlite_store, password=first).stage == CHANGE
    level(sqlite_store, 2)
    first, held_already = accounts.reset_password(sqlite_store, administrator, "zhang", NOON)
    assert held_already and entered(sqlite_store, password=first).stage == CHANGE


def test_the_security_officer_is_shown_all_that_one_approval_lets_hold(sqlite_store: Store) -> None:
    administrator, officer = admins(sqlite_store)
    member(sqlite_store, "leader")
    accounts.reset_password(sqlite_store, administrator, "zhang", NOON)
    accounts.set_role(sqlite_store, administrator, "zhang", "analyst", [], NOON)
    row = next(row for row in accounts.accounts(sqlite_store, officer, NOON) if row.name == "zhang")
    said = what_waits(row, Language("zh"))
    assert "启用账号：领导" in said and "申请改为：分析员" in said


def test_a_reset_does_not_bring_a_disabled_account_back(sqlite_store: Store) -> None:
    administrator, officer = admins(sqlite_store)
    member(sqlite_store, "leader", state="disabled")
    first, _ = accounts.reset_password(sqlite_store, administrator, "zhang", NOON)
    with pytest.raises(AccountError, match="没有等待审批"):
        accounts.approve(sqlite_store, officer, "zhang", NOON)
    assert isinstance(enter(sqlite_store, password=first), Refused)


def test_losing_the_second_factor_needs_approval_so_that_the_administrator_cannot_slip_in(store: Store) -> None:
    enrolled(store)
    administrator, officer = admins(store)
    first, _ = accounts.reset_password(store, administrator, "zhang", NOON, second_factor=True)
    assert isinstance(enter(store, password=first), Refused)
    accounts.approve(store, officer, "zhang", NOON)
    assert entered(store, password=first, security=STRICT).stage == CHANGE


@pytest.mark.parametrize(
    ("name", "person", "role", "places", "words"),
    [
        ("李四", "李四", "leader", [], "小写字母"),
        ("a", "李四", "leader", [], "小写字母"),
        ("li li", "李四", "leader", [], "小写字母"),
        ("li", "", "leader", [], "姓名"),
        ("li", "李四", "king", [], "没有角色"),
        ("li", "李四", "township_staff", [], "乡镇"),
        ("li", "李四", "village_staff", [(TOWN, None)], "到村"),
        ("li", "李四", "village_staff", [], "到村"),
        ("li", "李四", "auditor", [(TOWN, None)], "不接触"),
        ("li", "李四", "township_staff", [("", None)], "不能空着"),
        ("taken", "李四", "leader", [], "已经有了"),
    ],
)  # fmt: skip
def test_an_account_that_cannot_be_is_refused_in_words(
    sqlite_store: Store, name: str, person: str, role: str, places: list[tuple[str, str | None]], words: str
) -> None:
    accounts.add(sqlite_store, HAND, "taken", "已有", "leader", [], NOON)
    with pytest.raises(AccountError, match=words):
        accounts.add(sqlite_store, HAND, name, person, role, places, NOON)
    assert len(accounts.accounts(sqlite_store, HAND, NOON)) == 1


def test_only_those_of_the_table_keep_accounts(sqlite_store: Store) -> None:
    level(sqlite_store, 3)
    for role in ROLES:
        caller = add_account(sqlite_store, role, [(TOWN, VILLAGE)] if ROLES[role].reach == "village" else [])
        for service in (accounts.disable, accounts.enable, accounts.reset_password):
            with pytest.raises((Denied, AccountError)) as refused:
                service(sqlite_store, caller, "nobody", NOON)
            assert isinstance(refused.value, AccountError) == (role == "administrator")
        with pytest.raises((Denied, AccountError)) as refused:
            accounts.approve(sqlite_store, caller, "nobody", NOON)
        assert isinstance(refused.value, AccountError) == (role == "security_officer")


def test_accounts_that_nobody_used_for_ninety_days_are_named(sqlite_store: Store) -> None:
    member(sqlite_store)
    member(sqlite_store, name="busy", password=GOOD)
    entered(sqlite_store, "busy", at=NOON + 80 * DAY)
    unused = {row.name for row in accounts.accounts(sqlite_store, HAND, NOON + 91 * DAY) if row.unused}
    assert unused == {"zhang"}


# --- downloads


def offered(store: Store, caller: Caller, action: str = "export.masked", at: datetime = NOON) -> tuple[str, Path]:
    path = downloads.waiting(store) / "list.xlsx"
    path.write_bytes(b"rows")
    address = downloads.offer(store, caller, action, "signals", path, "清单.xlsx", 3, masked=True, at=at)
    return address.removeprefix(downloads.ROAD), path


def test_a_file_is_taken_once_by_the_one_who_asked(store: Store) -> None:
    caller = add_account(store, "county_staff")
    key, path = offered(store, caller)
    assert downloads.take(store, caller, key, NOON) == downloads.Taken(path, "清单.xlsx")
    with pytest.raises(Denied):
        downloads.take(store, caller, key, NOON)
    assert [e for _, e, r in journalled(store, "export") if r == "ok"] == ["export.offer", "export.take"]


def test_a_file_is_nobody_elses_and_not_another_sessions(store: Store) -> None:
    caller = add_account(store, "county_staff")
    key, _ = offered(store, caller)
    for other in (
        add_account(store, "county_staff"),
        replace(add_account(store, "county_staff"), account=caller.account),
    ):
        with pytest.raises(Denied):
            downloads.take(store, other, key, NOON)
    with pytest.raises(Denied):
        downloads.take(store, caller, "x" * 43, NOON)
    with pytest.raises(SessionOver):
        downloads.take(store, Caller(session="nobody"), key, NOON)
    assert downloads.take(store, caller, key, NOON).name


def test_a_file_does_not_wait_longer_than_ten_minutes_and_is_removed_then(store: Store) -> None:
    caller = add_account(store, "county_staff")
    key, path = offered(store, caller)
    late = NOON + downloads.WAITS
    with pytest.raises(Denied):
        downloads.take(store, caller, key, late)
    downloads.clean(store, late)
    assert not path.exists()


def test_a_file_that_was_altered_is_not_handed_out(sqlite_store: Store) -> None:
    caller = add_account(sqlite_store, "county_staff")
    key, path = offered(sqlite_store, caller)
    path.write_bytes(b"other rows")
    with pytest.raises(Denied):
        downloads.take(sqlite_store, caller, key, NOON)


def test_the_permission_is_asked_again_at_the_download(sqlite_store: Store) -> None:
    caller = add_account(sqlite_store, "analyst")
    key, _ = offered(sqlite_store, caller, "export.full")
    with sqlite_store.write() as con:
        con.execute(update(account).where(account.c.id == caller.account).values(role="leader"))
    with pytest.raises(Denied):
        downloads.take(sqlite_store, caller, key, NOON)


def test_only_files_of_the_waiting_folder_can_be_offered(sqlite_store: Store, tmp_path: Path) -> None:
    caller = add_account(sqlite_store, "county_staff")
    elsewhere = tmp_path / "secret.txt"
    elsewhere.write_text("x")
    for path in (elsewhere, downloads.waiting(sqlite_store) / ".." / ".." / "secrets" / "store.key"):
        with pytest.raises(ValueError, match="not in the folder"):
            downloads.offer(sqlite_store, caller, "export.masked", "x", path, "x", 1, masked=True, at=NOON)


# --- looking at households


HOMES = Registry({"U-500999199001011234": (TOWN, VILLAGE), "H1": (TOWN, VILLAGE), "H2": (TOWN, VILLAGE)})


def test_a_view_is_journalled_once_in_half_an_hour(store: Store) -> None:
    caller = add_account(store, "township_staff", [(TOWN, None)])
    for minutes in (0, 5, 29, 31):
        touch(store, caller, NOON + minutes * MINUTE)
        viewing.view_household(store, caller, HOMES, "U-500999199001011234", NOON + minutes * MINUTE)
    viewing.view_household(store, caller, HOMES, "H2", NOON)
    with store.read() as con:
        rows = con.execute(select(journal_table).where(journal_table.c.event == "household.view")).all()
    assert len(rows) == 3 and "500999" not in str(rows)


def test_another_townships_household_cannot_be_viewed_or_unmasked(store: Store) -> None:
    caller = add_account(store, "township_staff", [(TOWN, None)])
    for homes in (Registry({"H1": (OTHER_TOWN, VILLAGE)}), Registry({"H1": (None, None)}), Registry({})):
        with pytest.raises(Denied):
            viewing.view_household(store, caller, homes, "H1", NOON)
        with pytest.raises(Denied):
            viewing.unmask(store, caller, homes, "H1", "入户核实身份", NOON)
    assert not viewing.unmasked(store, caller, "H1", NOON)


def test_unmasking_needs_a_purpose_and_holds_for_half_an_hour_and_one_session(store: Store) -> None:
    caller = add_account(store, "township_staff", [(TOWN, None)])
    for purpose in ("", "   ", "看看 "):
        with pytest.raises(viewing.PurposeMissing):
            viewing.unmask(store, caller, HOMES, "H1", purpose, NOON)
    viewing.unmask(store, caller, HOMES, "H1", "入户前核对 500999199001011234", NOON)
    assert viewing.unmasked(store, caller, "H1", NOON + 29 * MINUTE)
    assert not viewing.unmasked(store, caller, "H2", NOON)
    assert not viewing.unmasked(store, log_in(store, caller), "H1", NOON)
    touch(store, caller, NOON + 29 * MINUTE)
    assert not viewing.unmasked(store, caller, "H1", NOON + 30 * MINUTE)
    with store.read() as con:
        kept = con.execute(select(unmasking)).one()
        rows = con.execute(
            select(journal_table).where(journal_table.c.event == "household.unmask", journal_table.c.result == "ok")
        ).all()
    assert len(rows) == 1 and "19900101" not in rows[0].detail + kept.purpose


def test_a_search_is_journalled_once_with_its_count_and_without_what_was_searched(store: Store) -> None:
    caller = add_account(store, "township_staff", [(TOWN, None)])
    for text in ("周德福", " 周德福 ", "500999199001011234"):
        viewing.searched(store, caller, text, 2, NOON)
    with store.read() as con:
        rows = con.execute(select(journal_table).where(journal_table.c.event == "household.search")).all()
    assert len(rows) == 2 and '"found": 2' in rows[0].detail and rows[0].object.startswith("search:")
    assert "周德福" not in str(rows) and "199001011234" not in str(rows)
    with pytest.raises(Denied):
        viewing.searched(store, add_account(store, "administrator"), "周德福", 0, NOON)


@pytest.mark.parametrize("role", ["leader", "analyst", "auditor", "administrator", "security_officer"])
def test_who_does_not_work_with_households_cannot_unmask(sqlite_store: Store, role: str) -> None:
    caller = add_account(sqlite_store, role)
    with pytest.raises(Denied):
        viewing.unmask(sqlite_store, caller, HOMES, "H1", "想看一看是谁", NOON)


# --- the journal's reader


def test_the_auditor_reads_proves_and_exports_the_journal(store: Store) -> None:
    member(store)
    for _ in range(60):
        entered(store)
    auditor = add_account(store, "auditor")
    page = journals.journal_page(store, auditor, journals.Wanted(event="login"), 2, NOON)
    assert (page.total, len(page.rows)) == (60, 10)
    assert journals.journal_page(store, auditor, journals.Wanted(who="zhang", object="account:"), 1, NOON).total == 60
    day = NOON.astimezone(UTC).date()
    assert journals.journal_page(store, auditor, journals.Wanted(first=day, last=day), 1, NOON).total >= 60
    assert journals.journal_page(store, auditor, journals.Wanted(first=day + DAY), 1, NOON).total == 0
    assert journals.prove(store, auditor, NOON) == []
    address = journals.export_journal(store, auditor, journals.Wanted(), NOON)
    found = downloads.take(store, auditor, address.removeprefix(downloads.ROAD), NOON)
    assert found.name.endswith(".xlsx") and found.path.stat().st_size > 1000
    assert journal.problems(store) == []


@pytest.mark.parametrize("role", [role for role in ROLES if role != "auditor"])
def test_nobody_else_reads_the_journal(sqlite_store: Store, role: str) -> None:
    caller = add_account(sqlite_store, role)
    with pytest.raises(Denied):
        journals.journal_page(sqlite_store, caller, journals.Wanted(), 1, NOON)
    with pytest.raises(Denied):
        journals.export_journal(sqlite_store, caller, journals.Wanted(), NOON)


def test_a_percent_sign_in_a_filter_is_no_wildcard(sqlite_store: Store) -> None:
    member(sqlite_store)
    auditor = add_account(sqlite_store, "auditor")
    assert journals.journal_page(sqlite_store, auditor, journals.Wanted(object="%"), 1, NOON).total == 0


# --- settings and the demonstration


def settings(tmp_path: Path, text: str) -> Security:
    (tmp_path / "settings.toml").write_text(text, encoding="utf-8")
    return load_security(tmp_path)


def test_without_a_file_the_home_is_guarded_at_level_three(tmp_path: Path) -> None:
    found = load_security(tmp_path)
    assert (found.level, found.second_factor, found.separation, found.policy) == (3, True, True, "mlps")
    assert found.hosts == ("127.0.0.1", "localhost") and not found.tls and found.oidc is None


def test_settings_are_read(tmp_path: Path) -> None:
    (tmp_path / "oidc").write_text("geheim\n")
    (tmp_path / "oidc").chmod(0o400)
    found = settings(tmp_path, """
[security]
level = 2
password_mode = "asvs"
password_words = ["qinghe"]
hosts = ["Monitor.county.internal"]
tls = true
[security.oidc]
issuer = "https://id.county.internal/"
client_id = "buluo"
client_secret_file = "oidc"
claim = "preferred_username"
second_factor = "provider"
[alerts]
other = "is not ours"
""")  # fmt: skip
    assert (found.level, found.second_factor, found.policy, found.tls) == (2, False, "asvs", True)
    assert found.hosts == ("monitor.county.internal",)
    assert found.oidc == Oidc(
        "https://id.county.internal", "buluo", "geheim", "preferred_username", "统一身份认证", False
    )


def test_all_complaints_of_the_settings_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "open").write_text("x")
    (tmp_path / "open").chmod(0o644)
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, """
[security]
level = 4
password_mode = "none"
hosts = ["https://x"]
tls = "yes"
sesion = 3
[security.oidc]
issuer = "http://id.county.internal"
client_id = ""
client_secret_file = "open"
""")  # fmt: skip
    assert len(refused.value.complaints) == 8 and "别人也能读" in str(refused.value)


def test_demo_accounts_stand_in_a_sample_home_of_level_two_only(sqlite_store: Store) -> None:
    places = {TOWN: [VILLAGE]}
    with pytest.raises(demo.DemoRefused, match="level = 2"):
        demo.demo_accounts(sqlite_store, NOON, places, sample=True)
    level(sqlite_store, 2)
    with pytest.raises(demo.DemoRefused, match="样例县"):
        demo.demo_accounts(sqlite_store, NOON, places, sample=False)
    made = demo.demo_accounts(sqlite_store, NOON, places, sample=True)
    assert {one.role for one in made} == set(ROLES)
    for one in made:
        assert entered(sqlite_store, one.name, one.password).stage == FULL
    assert demo.demo_accounts(sqlite_store, NOON, places, sample=True) == made
    assert demo.misplaced(sqlite_store, sample=True) is None
    said = demo.misplaced(sqlite_store, sample=False)
    assert said is not None and "lingdao" in said


def test_demo_accounts_never_take_over_a_real_one(sqlite_store: Store) -> None:
    level(sqlite_store, 2)
    member(sqlite_store, name="guanli")
    with pytest.raises(demo.DemoRefused, match="不是演示账号"):
        demo.demo_accounts(sqlite_store, NOON, {TOWN: [VILLAGE]}, sample=True)
