"""Log-in by an identity provider: a real one in this process, with its own keys, that can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jws, jwt
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import select, update

from monitoring.people import accounts, oidc, operator, totp
from monitoring.people.settings import Oidc, Security
from monitoring.store import Store
from monitoring.store.schema import account
from monitoring.store.schema import journal as journal_table
from tests.ground import Clock, Ground
from tests.serving import COOKIE, Answer
from tests.stores import NOON

HAND = operator("root")
CLIENT, SECRET, SUBJECT = "buluo", "s3cr%t/&", "248289761001"
KEY, OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"}), RSAKey.generate_key(2048, {"kid": "one"})
Twist = Callable[[dict[str, Any]], None]


@dataclass
class Provider:
    """What the provider says: of whom, and in which way it misbehaves."""

    claims: dict[str, Any] = field(default_factory=lambda: {"sub": SUBJECT})
    twist: Twist = lambda claims: None
    sign: Callable[[dict[str, Any]], str] = lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)
    discovery: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    address: str = ""

    def answer(
        self, path: str, query: dict[str, str], form: dict[str, str], authorization: str
    ) -> tuple[int, dict[str, str], Any]:
        if path == "/.well-known/openid-configuration":
            known = {"issuer": self.address, "authorization_endpoint": f"{self.address}/authorize", "token_endpoint": f"{self.address}/token",
                     "jwks_uri": f"{self.address}/keys"}  # fmt: skip
            return 200, {}, known | self.discovery
        if path == "/keys":
            return 200, {}, {"keys": [KEY.as_dict(private=False)]}
        if path == "/authorize":
            code = secrets.token_urlsafe(8)
            self.codes[code] = query
            back = urlencode({"code": code, "state": query["state"]})
            return 303, {"Location": f"{query['redirect_uri']}?{back}"}, {}
        if path == "/token":
            return self._token(form, authorization)
        return 404, {}, {}

    def _token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, str], Any]:
        asked = self.codes.pop(form.get("code", ""), None)
        digest = (
            base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            .decode()
            .rstrip("=")
        )
        known = base64.b64encode(b"buluo:s3cr%25t%2F%26").decode()
        fits = (
            asked is not None and digest == asked["code_challenge"] and asked["code_challenge_method"] == "S256"
            and form.get("redirect_uri") == asked["redirect_uri"] and authorization == f"Basic {known}"
        )  # fmt: skip
        if not fits or asked is None:
            return 400, {}, {"error": "invalid_grant"}
        now = int(self.clock().timestamp())
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.claims,
        }
        self.twist(claims)
        return 200, {}, {"access_token": "x", "token_type": "Bearer", "id_token": self.sign(claims)}


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form: dict[str, str]) -> None:
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            status, headers, said = made.answer(address.path, query, form, self.headers.get("Authorization", ""))
            body = json.dumps(said).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def ground_of(
    store: Store, provider: Provider, level: int = 2, claim: str = "sub", second_factor: bool = True
) -> Ground:
    settings = Oidc(provider.address, CLIENT, SECRET, claim, "政务统一认证", second_factor)
    return Ground(store, Security(level=level, oidc=settings), provider.clock)


@pytest.fixture
def ground(sqlite_store: Store, provider: Provider) -> Ground:
    made = ground_of(sqlite_store, provider)
    accounts.add(sqlite_store, HAND, "zhang", "张一", "leader", [], NOON, oidc=SUBJECT)
    return made


def there_and_back(ground: Ground, provider: Provider, **changed: str) -> Answer:
    """The whole way of a browser: here, the provider, here again. `changed`: what somebody alters on the way back."""
    begun = ground.ask("/login/oidc?next=/alerts")
    assert begun.status == 303, begun.text
    address = urlsplit(begun.headers["location"])
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}" == provider.address and query["response_type"] == "code"
    _, headers, _ = provider.answer(address.path, query, {}, "")
    back = urlsplit(headers["Location"])
    told = {name: values[0] for name, values in parse_qs(back.query).items()} | changed
    cookie = changed.get("cookie", begun.cookie(f"{COOKIE}-oidc") or "")
    return ground.ask(f"{back.path}?{urlencode(told)}", headers={"Cookie": f"{COOKIE}-oidc={cookie}"} if cookie else {})


def denials(store: Store) -> list[str]:
    with store.read() as con:
        rows = con.execute(select(journal_table).where(journal_table.c.event.startswith("login"))).all()
    return [f"{row.who} {row.event} {row.result}" for row in rows]


def test_somebody_with_an_account_gets_in_and_where_they_wanted(ground: Ground, provider: Provider) -> None:
    assert "政务统一认证" in ground.ask("/login").text
    found = there_and_back(ground, provider)
    assert (found.status, found.headers["location"]) == (303, "/alerts")
    assert ground.ask("/x", cookie=found.cookie(COOKIE)).status == 200
    assert denials(ground.store) == ["zhang login ok"]


def test_the_cookie_of_the_first_half_tells_nothing(ground: Ground) -> None:
    begun = ground.ask("/login/oidc")
    cookie = begun.cookie(f"{COOKIE}-oidc") or ""
    nonce = parse_qs(urlsplit(begun.headers["location"]).query)["nonce"][0]
    assert cookie.startswith("v1.") and nonce not in cookie
    line = next(line for line in begun.cookies if line.startswith(f"{COOKIE}-oidc="))
    assert "HttpOnly" in line and "SameSite=lax" in line


@pytest.mark.parametrize(
    ("what", "twist"),
    [
        ("another nonce", lambda claims: claims.update(nonce="other")),
        ("no nonce", lambda claims: claims.pop("nonce")),
        ("another audience", lambda claims: claims.update(aud="other")),
        ("many audiences and another party", lambda claims: claims.update(aud=[CLIENT, "other"], azp="other")),
        ("no audience", lambda claims: claims.pop("aud")),
        ("another issuer", lambda claims: claims.update(iss="http://127.0.0.1:1")),
        ("expired", lambda claims: claims.update(iat=claims["iat"] - 900, exp=claims["iat"] - 600)),
        ("no expiry", lambda claims: claims.pop("exp")),
        ("not yet", lambda claims: claims.update(nbf=claims["iat"] + 600)),
        ("made in the future", lambda claims: claims.update(iat=claims["iat"] + 600, exp=claims["iat"] + 1200)),
        ("no subject", lambda claims: claims.pop("sub")),
        ("a subject that is no text", lambda claims: claims.update(sub=["a", "b"])),
    ],
)
def test_an_id_token_that_does_not_hold_opens_nothing(
    ground: Ground, provider: Provider, what: str, twist: Twist
) -> None:
    provider.twist = twist
    found = there_and_back(ground, provider)
    assert found.status == 502 and found.cookie(COOKIE) is None, what
    assert "统一认证没有成功" in found.text


def unsigned(claims: dict[str, Any]) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, claims)
    ]
    return ".".join([*parts, ""])


def signed_with_the_public_key(claims: dict[str, Any]) -> str:
    key = OctKey.import_key(KEY.as_pem(private=False))
    return jws.serialize_compact({"alg": "HS256", "kid": "one"}, json.dumps(claims).encode(), key, algorithms=["HS256"])


@pytest.mark.parametrize(
    "sign",
    [
        lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, OTHER_KEY),
        unsigned,
        signed_with_the_public_key,
        lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)[:-4] + "AAAA",
        lambda claims: "garbage",
    ],
    ids=["another key", "unsigned", "the public key as a secret", "altered", "garbage"],
)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::joserfc.errors.SecurityWarning")  # the forger's key is odd
def test_a_forged_signature_opens_nothing(
    ground: Ground, provider: Provider, sign: Callable[[dict[str, Any]], str]
) -> None:
    provider.sign = sign
    found = there_and_back(ground, provider)
    assert found.status == 502 and found.cookie(COOKIE) is None


def test_somebody_without_an_account_does_not_get_in_and_no_account_is_made(ground: Ground, provider: Provider) -> None:
    provider.claims = {"sub": "somebody else"}
    found = there_and_back(ground, provider)
    assert found.status == 403 and found.cookie(COOKIE) is None and "没有您的账号" in found.text
    assert [row.name for row in accounts.accounts(ground.store, HAND, NOON)] == ["zhang"]


def test_a_disabled_account_does_not_get_in(ground: Ground, provider: Provider) -> None:
    accounts.disable(ground.store, HAND, "zhang", NOON)
    assert there_and_back(ground, provider).status == 403
    assert "zhang login.failed failed" in denials(ground.store)


@pytest.mark.parametrize(
    "changed", [{"state": "other"}, {"code": "other"}, {"state": ""}, {"cookie": "v1.forged"}, {"cookie": ""}]
)
def test_what_is_altered_on_the_way_back_opens_nothing(
    ground: Ground, provider: Provider, changed: dict[str, str]
) -> None:
    found = there_and_back(ground, provider, **changed)
    assert found.status == 502 and found.cookie(COOKIE) is None


def test_the_second_half_of_another_browser_opens_nothing(ground: Ground, provider: Provider) -> None:
    """A link with the attacker's own code, sent to somebody: their browser began nothing, or something else."""
    mine = ground.ask("/login/oidc")
    query = {name: values[0] for name, values in parse_qs(urlsplit(mine.headers["location"]).query).items()}
    _, headers, _ = provider.answer("/authorize", query, {}, "")
    theirs = ground.ask("/login/oidc").cookie(f"{COOKIE}-oidc") or ""
    back = urlsplit(headers["Location"])
    assert ground.ask(f"{back.path}?{back.query}", headers={"Cookie": f"{COOKIE}-oidc={theirs}"}).status == 502


def test_a_log_in_that_took_too_long_begins_anew(ground: Ground, provider: Provider) -> None:
    begun = oidc.begin(ground.security.oidc, ground.store.key, "http://127.0.0.1:8501/login/oidc/back", "/", NOON)  # type: ignore[arg-type]
    with pytest.raises(oidc.ProviderFailed, match="too long ago"):
        state = parse_qs(urlsplit(begun.address).query)["state"][0]
        oidc.finish(
            ground.security.oidc, ground.store.key, "x", begun.cookie, state, "code", NOON + timedelta(seconds=oidc.BEGUN_SECONDS + 1)  # type: ignore[arg-type]
        )  # fmt: skip


@pytest.mark.parametrize(
    "discovery",
    [{"issuer": "http://127.0.0.1:1"}, {"token_endpoint": "http://elsewhere.example/token"}, {"jwks_uri": "file:///etc/passwd"}, {"authorization_endpoint": None}],
)  # fmt: skip
def test_a_provider_that_points_elsewhere_is_not_followed(
    ground: Ground, provider: Provider, discovery: dict[str, Any]
) -> None:
    provider.discovery = discovery
    assert ground.ask("/login/oidc").status == 502


def test_a_provider_that_does_not_answer_leaves_the_password(sqlite_store: Store) -> None:
    ground = ground_of(sqlite_store, Provider(address="http://127.0.0.1:1"))
    found = ground.ask("/login/oidc")
    assert found.status == 502 and "请用账号密码登录" in found.text and 'name="password"' in found.text


def test_accounts_can_be_found_by_their_name_and_e_mail_must_be_verified(
    sqlite_store: Store, provider: Provider
) -> None:
    accounts.add(sqlite_store, HAND, "li@county.internal", "李四", "leader", [], NOON)
    by_name = ground_of(sqlite_store, provider, claim="preferred_username")
    provider.claims = {"sub": "1", "preferred_username": "Li@county.internal"}
    assert there_and_back(by_name, provider).status == 303
    by_mail = ground_of(sqlite_store, provider, claim="email")
    for verified, status in ((True, 303), (False, 502), ("true", 502), (None, 502)):
        provider.claims = {"sub": "1", "email": "li@county.internal", "email_verified": verified}
        assert there_and_back(by_mail, provider).status == status


def test_the_second_factor_is_asked_for_here_unless_the_provider_does(sqlite_store: Store, provider: Provider) -> None:
    accounts.add(sqlite_store, HAND, "su", "苏晴", "analyst", [], NOON, oidc=SUBJECT)
    here = ground_of(sqlite_store, provider, level=3)
    assert there_and_back(here, provider).headers["location"].startswith("/totp")
    secret = totp.new_secret()
    with sqlite_store.write() as con:
        con.execute(update(account).values(totp_secret=totp.sealed(sqlite_store, secret)))
    halfway = there_and_back(here, provider).cookie(COOKIE) or ""
    token = (re.search(r'name="token" value="([^"]+)"', here.ask("/totp", cookie=halfway).text) or ["", ""])[1]
    done = here.ask("/totp", "POST", halfway, form={"token": token, "code": totp.code_at(secret, NOON)})
    assert done.headers["location"] == "/"  # and no password is asked for that they never had
    there = ground_of(sqlite_store, provider, level=3, second_factor=False)
    assert there_and_back(there, provider).headers["location"] == "/alerts"


def test_an_account_without_a_password_of_its_own_cannot_be_entered_by_one(ground: Ground) -> None:
    with ground.store.write() as con:
        con.execute(update(account).values(password_hash=None))
    assert ground.enter("zhang", "").status == 401 and ground.enter("zhang", "None").status == 401
