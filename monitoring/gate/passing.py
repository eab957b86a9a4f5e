"""How the gate tells the page's script who is there: three headers that only the gate writes, and a key that only this process
knows. A script started without the gate, or a header that somebody else wrote, is nobody.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from typing import Any

from monitoring.people import Caller
from monitoring.store import Store
from monitoring.store.sealing import keyed_digest

PREFIX = b"x-buluo-"
HEADERS = {"x-buluo-session": "session", "x-buluo-address": "address", "x-buluo-key": "key"}
TRUSTED = json.dumps(HEADERS)  # what server.trustedUserHeaders must say
_PROCESS_KEY = secrets.token_hex(32)


def headers(public: str, address: str) -> list[tuple[bytes, bytes]]:
    """What the gate adds to the handshake of a live session's socket."""
    values = {"session": public, "address": address, "key": _PROCESS_KEY}
    return [(name.encode(), values[key].encode("latin-1", "replace")) for name, key in HEADERS.items()]


def caller_of(user: Mapping[str, Any]) -> Caller | None:
    """The caller that the gate told of; None where it did not."""
    told = {key: str(user.get(key) or "") for key in HEADERS.values()}
    if not hmac.compare_digest(told["key"].encode(), _PROCESS_KEY.encode()) or not told["session"]:
        return None
    return Caller(session=told["session"], address=told["address"])


def form_token(store: Store, public: str) -> str:
    """What a form of this session carries, so that no other site can send it."""
    return keyed_digest(store.key, "form", public)[:32]
