"""Log-in by the county's identity provider: OpenID Connect, authorization code with PKCE, state and nonce.

The provider says who somebody is; whether there is an account for them, and what it may do, is said here. What must be
remembered between the two halves (state, nonce, verifier) travels in a sealed cookie of the browser that began.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from monitoring.people.settings import LOOPBACK, Oidc
from monitoring.store.sealing import SealBroken, seal, unseal

ALGORITHMS = ["RS256", "PS256", "ES256"]  # signed by the provider's own key; never "none", never a shared secret
LEEWAY_SECONDS = 60
TIMEOUT_SECONDS = 10
BEGUN_SECONDS = 600
LONGEST_ANSWER = 1 << 20
_PURPOSE = "oidc"


class ProviderFailed(Exception):
    """The provider did not answer, or what it answered does not hold. The text is for the log, not for the person."""


@dataclass(frozen=True)
class Begun:
    """Where the browser is sent, and the sealed cookie that it brings back."""

    address: str
    cookie: str


@dataclass(frozen=True)
class Vouched:
    """Who the provider says it is: the value of the claim by which accounts are found, and where the person wanted to go."""

    claim: str
    value: str
    next: str


def begin(provider: Oidc, key: bytes, callback: str, next: str, at: datetime) -> Begun:
    """The first half. `callback`: the address here to come back to. Raises ProviderFailed."""
    found = _discover(provider)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    asked = {
        "response_type": "code", "client_id": provider.client_id, "redirect_uri": callback, "state": state, "nonce": nonce,
        "scope": "openid" if provider.claim == "sub" else "openid profile email",
        "code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256",
    }  # fmt: skip
    kept = {"state": state, "nonce": nonce, "verifier": verifier, "next": next, "at": int(at.timestamp())}
    joined = "&" if "?" in found["authorization_endpoint"] else "?"
    return Begun(found["authorization_endpoint"] + joined + urlencode(asked), seal(key, _PURPOSE, json.dumps(kept)))


def finish(provider: Oidc, key: bytes, callback: str, cookie: str, state: str, code: str, at: datetime) -> Vouched:
    """The second half: the code for an ID token, and all that must hold of it. Raises ProviderFailed."""
    try:
        kept = json.loads(unseal(key, _PURPOSE, cookie))
    except SealBroken as error:
        raise ProviderFailed("the cookie of the first half is missing or altered") from error
    if not secrets.compare_digest(kept["state"].encode(), state.encode()):
        raise ProviderFailed("state does not fit")
    if at.timestamp() - kept["at"] > BEGUN_SECONDS:
        raise ProviderFailed("the first half is too long ago")
    found = _discover(provider)
    token = _exchange(provider, found["token_endpoint"], callback, code, kept["verifier"])
    claims = _claims(provider, token, _ask(found["jwks_uri"]), kept["nonce"], at)
    value = claims.get(provider.claim)
    if not isinstance(value, str) or not value:
        raise ProviderFailed(f"the ID token has no {provider.claim}")
    if provider.claim == "email" and claims.get("email_verified") is not True:
        raise ProviderFailed("the provider has not verified the e-mail address")
    return Vouched(provider.claim, value, kept["next"])


def _discover(provider: Oidc) -> dict[str, Any]:
    found = _ask(f"{provider.issuer}/.well-known/openid-configuration")
    if str(found.get("issuer", "")).rstrip("/") != provider.issuer:
        raise ProviderFailed("the provider calls itself by another name")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        address = urlsplit(str(found.get(name, "")))
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in LOOPBACK):
            raise ProviderFailed(f"{name} is missing or not https")
    return found


def _exchange(provider: Oidc, endpoint: str, callback: str, code: str, verifier: str) -> str:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback, "code_verifier": verifier}
    auth = None
    if provider.secret is None:
        form["client_id"] = provider.client_id
    else:
        auth = httpx.BasicAuth(quote(provider.client_id, safe=""), quote(provider.secret, safe=""))
    answer = _ask(endpoint, form, auth)
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise ProviderFailed("no ID token came")
    return token


def _claims(provider: Oidc, token: str, keys: dict[str, Any], nonce: str, at: datetime) -> dict[str, Any]:
    """The claims of an ID token whose signature, issuer, audience, times and nonce hold. Raises ProviderFailed."""
    options = {
        "iss": {"essential": True, "values": [provider.issuer, f"{provider.issuer}/"]},
        "aud": {"essential": True, "value": provider.client_id},
        "nonce": {"essential": True, "value": nonce},
    }
    try:
        decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]
        params = {"nonce": nonce, "client_id": provider.client_id}
        claims = CodeIDToken(decoded.claims, decoded.header, options=options, params=params)
        claims.validate(now=int(at.timestamp()), leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ProviderFailed(f"the ID token does not hold: {type(error).__name__} {error}") from error
    return dict(claims)


def _ask(address: str, form: dict[str, str] | None = None, auth: httpx.Auth | None = None) -> dict[str, Any]:
    """A JSON object; no redirects are followed, nothing large is read."""
    try:
        with httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client:
            method = "GET" if form is None else "POST"
            with client.stream(method, address, data=form, auth=auth) as response:
                body = b""
                for part in response.iter_bytes():
                    body += part
                    if len(body) > LONGEST_ANSWER:
                        raise ProviderFailed("the provider answers too much")
        if response.status_code != 200:
            raise ProviderFailed(f"the provider answered {response.status_code}")
        answer = json.loads(body)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise ProviderFailed(f"the provider could not be asked: {type(error).__name__} {error}") from error
    if not isinstance(answer, dict):
        raise ProviderFailed("the provider's answer is no object")
    return answer
